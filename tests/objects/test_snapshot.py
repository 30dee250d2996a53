"""Storing and restoring: a run goes on bit for bit, and a file is never trusted."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import eccles as e
from eccles.errors import SetupError
from eccles.objects import magic
from eccles.units import Hz, ms

both_modes = pytest.mark.parametrize("spike_times", ["precise", "grid"])


def everything(spike_times: Any = None) -> e.Network:
    """A network of one object of each kind, with spikes in flight most of the time."""
    magic.start_scope()
    regular = e.NeuronGroup(
        5, "dv/dt = (1.3 + 0.1*i - v)/(3*ms) : 1 (unless refractory)", threshold="v > 1", reset="v = 0",
        refractory="(0.5 + 0.2*rand())*ms", method="exact", name="regular",
    )  # fmt: skip
    group = e.NeuronGroup(
        6,
        """
        dv/dt = (1.5 - v)/(3*ms) + 0.2*ms**-0.5*xi : 1 (unless refractory)
        n_resets : integer
        c : boolean
        """,
        threshold="v > 1",
        reset="v = 0.1*rand(); n_resets += 1; c = not c",
        refractory=0.7 * ms,
        method="euler",
    )
    poisson = e.PoissonGroup(8, rates=300 * Hz)
    generator = e.SpikeGeneratorGroup(2, [0, 1, 0], [0.3, 1.1, 2] * ms, period=2.5 * ms)
    kick = e.PoissonInput(group, "v", N=10, rate=20 * Hz, weight=0.1)
    fixed = e.Synapses(generator, group, on_pre="v_post += 0.1", delay=0.9 * ms)
    fixed.connect()
    varied = e.Synapses(
        poisson, group, "w : 1\ndx/dt = -x/(4*ms) : 1 (event-driven)", on_pre="x += 1; v_post += w*x",
        on_post="w = clip(w + 0.01, 0, 1)",
    )  # fmt: skip
    among = e.Synapses(regular, regular, on_pre="v_post += 0.05", delay=1.23 * ms)
    among.connect("i != j")
    varied.connect(j="k for k in range(i % 6)")
    varied.w = "0.01*i"
    varied.delay = "(0.2 + 0.3*i)*ms"
    monitors = [
        e.SpikeMonitor(group, variables="v"),
        e.StateMonitor(group, ["v", "n_resets", "c"], record=True),
        e.PopulationRateMonitor(group),
        e.SpikeMonitor(poisson),
        e.StateMonitor(varied, "w", record=True, dt=0.5 * ms),
        e.SpikeMonitor(regular),
    ]
    return e.Network(
        group, regular, poisson, generator, kick, fixed, varied, among, monitors, spike_times=spike_times
    )


def results(net: e.Network) -> list[np.ndarray]:
    """All that the network recorded and holds."""
    return [array for obj in net._everything() for array in obj.full_state().values()]


def same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    """Whether two results are equal bit for bit."""
    return len(first) == len(second) and all(
        a.tobytes() == b.tobytes() for a, b in zip(first, second, strict=True)
    )


@both_modes
@pytest.mark.parametrize("where", ["memory", "file"])
def test_a_restored_network_goes_on_bit_for_bit(where: str, spike_times: Any, tmp_path: Path) -> None:
    filename = tmp_path / "state.npz" if where == "file" else None
    net = everything(spike_times)
    net.run(7.3 * ms)
    net.store("middle", filename)
    net.run(6 * ms)
    expected = results(net)
    net.restore("middle", filename, restore_random_state=True)
    assert float(net.t) == pytest.approx(7.3e-3)
    net.run(6 * ms)
    assert same(results(net), expected)


@both_modes
def test_a_file_is_restored_into_a_network_that_has_not_run(spike_times: Any, tmp_path: Path) -> None:
    net = everything(spike_times)
    net.run(7.3 * ms)
    net.store(filename=tmp_path / "state.npz")
    net.run(6 * ms)
    expected = results(net)
    other = everything(spike_times)
    other.restore(filename=tmp_path / "state.npz", restore_random_state=True)
    other.run(6 * ms)
    assert same(results(other), expected)


@both_modes
def test_random_numbers_are_new_ones_after_a_restore_unless_asked_for(spike_times: Any) -> None:
    net = everything(spike_times)
    net.run(3 * ms)
    net.store()
    trials = []
    for _ in range(3):
        net.restore()
        net.run(5 * ms)
        trials.append(results(net))
    assert not same(trials[0], trials[1])
    assert not same(trials[1], trials[2])


def test_the_implicit_network_is_stored_before_its_first_run() -> None:
    group = e.NeuronGroup(1, "dv/dt = 1/ms : 1", method="euler")
    trace = e.StateMonitor(group, "v", record=0)
    group.v = 3
    e.store()
    for _ in range(2):
        e.restore()
        e.run(1 * ms)
        assert group.v[0] == pytest.approx(4)
        assert trace.t_[0] == 0
        assert len(trace.t_) == 11


def test_the_time_step_is_restored_too() -> None:
    group = e.NeuronGroup(1, "dv/dt = 1/ms : 1", method="euler")
    net = e.Network(group)
    net.run(1 * ms)
    net.store()
    e.defaultclock.dt = 0.5 * ms
    net.run(1 * ms)
    net.restore()
    assert e.defaultclock.dt_ == pytest.approx(1e-4)
    net.run(1 * ms)
    assert group.v[0] == pytest.approx(2)


@both_modes
def test_spikes_on_their_way_arrive_after_a_restore_that_changes_dt(spike_times: Any) -> None:
    source = e.SpikeGeneratorGroup(1, [0], [0.6] * ms)
    target = e.NeuronGroup(1, "n : 1")
    synapses = e.Synapses(source, target, on_pre="n_post += 1", delay=0.8 * ms)
    synapses.connect()
    trace = e.StateMonitor(target, "n", record=0)
    net = e.Network(source, target, synapses, trace, spike_times=spike_times)
    net.run(1 * ms)
    net.store()
    net.run(1 * ms)
    e.defaultclock.dt = 0.25 * ms
    net.run(1 * ms)
    for _ in range(2):
        net.restore()
        net.run(1 * ms)
        # a sample is taken before what happens on the grid at its time, but after what happens exactly then
        seen = 1.4e-3 if spike_times == "precise" else 1.5e-3
        assert trace.t_[np.argmax(trace.n[0] > 0)] == pytest.approx(seen)


def test_several_states_stand_in_one_file_and_memory(tmp_path: Path) -> None:
    group = e.NeuronGroup(1, "dv/dt = 1/ms : 1", method="euler")
    net = e.Network(group)
    for filename in (None, tmp_path / "states.npz"):
        for name in ("a", "b"):
            net.store(name, filename)
            net.run(1 * ms)
        net.restore("a", filename)
        first = float(group.v[0])
        net.restore("b", filename)
        assert group.v[0] == pytest.approx(first + 1)


def test_an_object_that_was_added_later_is_named() -> None:
    group = e.NeuronGroup(1, "v : 1", name="first")
    net = e.Network(group)
    net.store()
    net.add(e.NeuronGroup(1, "v : 1", name="second"))
    with pytest.raises(KeyError, match="second"):
        net.restore()
    with pytest.raises(KeyError, match="nowhere"):
        net.restore("nowhere")


# -- files that are not what they should be ----------------------------------------------------------


def test_opening_a_file_never_unpickles(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path(tmp_path / "exploded").touch, ())

    net = everything()
    path = tmp_path / "state.npz"
    net.store(filename=path)
    content = rewrite(path, {"default/neurongroup/v": pickle.dumps(Bomb())})
    path.write_bytes(content)
    with pytest.raises(SetupError):
        net.restore(filename=path)
    np.savez(path, **{"header.json": np.array([Bomb()], dtype=object)})  # pyright: ignore[reportArgumentType]
    with pytest.raises(SetupError):
        net.restore(filename=path)
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(SetupError):
        net.restore(filename=path)
    assert not (tmp_path / "exploded").exists()


def rewrite(path: Path, members: dict[str, bytes]) -> bytes:
    """The archive with some members replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            name = info.filename.removesuffix(".npy")
            new.writestr(info.filename, members.get(name, old.read(info.filename)))
    return out.getvalue()


def npy(array: np.ndarray) -> bytes:
    """An array as a member of an archive."""
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def header_of(path: Path) -> dict[str, Any]:
    with np.load(path) as archive:
        return json.loads(str(archive["header.json"]))


@pytest.mark.parametrize(
    "change",
    [
        {"format": "something else"},
        {"version": 2},
        {"states": 3},
        {"states": {"default": 1}},
        {"states": {"default": {"t": "soon"}}},
    ],
)
def test_a_header_that_is_not_ours_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    net = everything()
    path = tmp_path / "state.npz"
    net.store(filename=path)
    header = header_of(path) | change
    path.write_bytes(rewrite(path, {"header.json": npy(np.array(json.dumps(header)))}))
    with pytest.raises(SetupError):
        net.restore(filename=path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("t", float("nan")),
        ("t", -1),
        ("seed", "x"),
        ("clocks", {"neurongroup": [-4, 1e-4]}),
        ("clocks", {"neurongroup": [4, 0.0]}),
        ("clocks", {"neurongroup": [10**30, 1e-4]}),
        ("objects", {"neurongroup": ["gone"]}),
    ],
)
def test_impossible_times_and_missing_arrays_are_refused(key: str, value: Any, tmp_path: Path) -> None:
    net = everything()
    path = tmp_path / "state.npz"
    net.store(filename=path)
    header = header_of(path)
    entry = header["states"]["default"]
    entry[key] = entry[key] | value if isinstance(value, dict) else value
    path.write_bytes(rewrite(path, {"header.json": npy(np.array(json.dumps(header)))}))
    before = results(net)
    with pytest.raises(SetupError):
        net.restore(filename=path)
    assert same(results(net), before)


def test_a_truncated_or_foreign_file_is_refused(tmp_path: Path) -> None:
    net = everything()
    path = tmp_path / "state.npz"
    net.store(filename=path)
    whole = path.read_bytes()
    for content in (
        whole[: len(whole) // 2],
        b"",
        b"PK\x03\x04nonsense",
        b"\x93NUMPY",
        whole[:50] + b"x" * 50 + whole[100:],
    ):
        path.write_bytes(content)
        with pytest.raises(SetupError):
            net.restore(filename=path)
    with pytest.raises(FileNotFoundError):
        net.restore(filename=tmp_path / "nothing.npz")


WRONG = {
    "shorter": lambda a: a[:-1],
    "longer": lambda a: np.append(a, a[-1:]),
    "negative": lambda a: (a * 0 - 1).astype(a.dtype),
    "huge": lambda a: np.full_like(a, np.iinfo(a.dtype).max) if a.dtype.kind == "i" else a[:0],
    "another type": lambda a: a.astype(np.float32),
    "two dimensions": lambda a: a.reshape(1, -1),
}


def arrays_that_index(spike_times: Any) -> list[tuple[str, str]]:
    """The integer arrays of a stored state, by object: what native code may index with."""
    net = everything(spike_times)
    net.run(7.3 * ms)
    return [
        (obj.name, key)
        for obj in net._everything()
        for key, array in obj.full_state().items()
        if array.dtype.kind == "i" and array.ndim == 1 and array.size
    ]


def harmless(key: str, how: str) -> bool:
    """Whether such a change of an array means something else, but nothing impossible."""
    if how in ("negative", "huge"):
        return key in ("n_resets", "_until", "value.n_resets") or (
            how == "huge" and key in ("_drawn", "count", "_fired", "_flight.ordinals")
        )
    return how in ("shorter", "longer") and key.endswith(".counts")  # of steps long ago, without events


@pytest.mark.parametrize("spike_times", ["precise", "grid"])
@pytest.mark.parametrize("how", list(WRONG))
def test_arrays_that_native_code_indexes_with_are_checked(how: str, spike_times: Any) -> None:
    net = everything(spike_times)
    net.run(7.3 * ms)
    net.store()
    good = net._snapshots["default"]
    before = results(net)
    for name, key in arrays_that_index(spike_times):
        array = good["objects"][name][key]
        bad = WRONG[how](array)
        if harmless(key, how) or (bad.dtype == array.dtype and np.array_equal(bad, array)):
            continue
        net._snapshots["bad"] = {
            **good,
            "objects": {**good["objects"], name: {**good["objects"][name], key: bad}},
        }
        with pytest.raises(SetupError):
            net.restore("bad")
        assert same(results(net), before), (name, key)


@pytest.mark.parametrize(
    ("delay", "spike_times"),
    [
        ("1*ms", "grid"),
        ("(1 + j)*ms", "grid"),
        ("1*ms", "precise"),
        ("(1 + j)*ms", "precise"),
    ],
)
def test_a_state_that_was_restored_can_be_stored_at_once(delay: str, spike_times: Any) -> None:
    source = e.SpikeGeneratorGroup(1, [0, 0], [0.5, 2.5] * ms)
    target = e.NeuronGroup(2, "x : 1")
    synapses = e.Synapses(source, target, on_pre="x_post += t/ms")
    synapses.connect()
    synapses.delay = delay
    net = e.Network(source, target, synapses, spike_times=spike_times)
    net.run(1 * ms)
    net.store("first")
    net.run(2 * ms)
    expected = target.x[:].copy()
    net.restore("first")
    net.store("second")
    net.run(2 * ms)
    net.restore("second")
    net.run(2 * ms)
    np.testing.assert_array_equal(target.x[:], expected)


def test_fewer_synapses_with_delays_of_their_own_are_restored() -> None:
    source = e.SpikeGeneratorGroup(3, [0, 1], [0, 0.1] * ms)
    target = e.NeuronGroup(4, "v : 1")
    synapses = e.Synapses(source, target, on_pre="v += 1")
    synapses.connect(i=[0, 1, 2], j=[0, 1, 2])
    synapses.delay = [0.1, 0.2, 0.3] * ms
    net = e.Network(source, target, synapses)
    net.store()
    synapses.connect(i=[0, 0], j=[3, 3])
    net.restore()
    np.testing.assert_allclose(synapses.delay / ms, [0.1, 0.2, 0.3])
    net.run(1 * ms)
    assert target.v[:].tolist() == [1, 1, 0, 0]


def test_traces_per_neuron_are_restored_after_delays_have_become_different() -> None:
    source = e.SpikeGeneratorGroup(3, [0, 1, 2, 0], [0, 0.1, 0.2, 0.8] * ms)
    target = e.NeuronGroup(4, "v : 1")
    synapses = e.Synapses(source, target, "dA/dt = -A/ms : 1 (event-driven)", on_pre="A += 1; v += A")
    synapses.connect()
    net = e.Network(source, target, synapses)
    net.run(0.5 * ms)
    assert synapses.traces is not None
    net.store()
    net.run(0.5 * ms)
    expected = target.v[:].copy()
    synapses.delay = "0.1*ms*j"
    net.run(0.2 * ms)
    assert synapses.traces is None
    net.restore()
    net.run(0.5 * ms)
    np.testing.assert_array_equal(target.v[:], expected)
