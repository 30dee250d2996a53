"""Reductions against what a `StateMonitor` has recorded, and NumPy; counts against a `SpikeMonitor`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eccles as e
from eccles.errors import (
    DimensionMismatchError,
    EquationError,
    NameResolutionError,
    SetupError,
    SyntaxProblem,
)
from eccles.monitors import EventCount, Reduction, StateMonitor
from eccles.monitors.reduction import RECIPES, reduction_of
from eccles.objects import magic
from eccles.units import Hz, Quantity, ms, mV, second, volt

MODES = ["grid", "precise"]
ORACLES = {
    "mean": lambda v, t: v.mean(axis=1),
    "maximum": lambda v, t: v.max(axis=1),
    "minimum": lambda v, t: v.min(axis=1),
    "time_of_maximum": lambda v, t: t[v.argmax(axis=1)],
    "time_of_minimum": lambda v, t: t[v.argmin(axis=1)],
}


def oscillators(mode: str, n: int = 5, **options: Any) -> e.NeuronGroup:
    return e.NeuronGroup(
        n, """dv/dt = (30*mV*sin(2*pi*40*Hz*t + i) - v)/(5*ms) : volt
        double = 2*v : volt
        high = v > 0*mV : boolean
        n_spikes : integer
        s : volt (shared)""",
        threshold="v > 12*mV", reset="v = 0*mV; n_spikes += 1", spike_times=mode, **options,
    )  # fmt: skip


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-12, atol=1e-15)


def same(found: Any, expected: Any) -> None:
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


def check(reductions: dict[str, Reduction], values: np.ndarray, times: np.ndarray) -> None:
    for kind, reduction in reductions.items():
        compare = close if kind == "mean" else same
        compare(reduction.values_, ORACLES[kind](values.astype(float), times))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("variable", ["v", "double", "high", "n_spikes"])
def test_they_are_what_numpy_makes_of_all_samples(mode: str, variable: str) -> None:
    group = oscillators(mode)
    monitor = e.StateMonitor(group, variable, record=True)
    found = {kind: reduction_of(group, variable, kind) for kind in RECIPES}
    e.Network(group, monitor, found).run(60 * ms)
    assert monitor.n_samples == (601 if mode == "precise" else 600)
    check(found, np.asarray(getattr(monitor, f"{variable}_")), monitor.t_)


@pytest.mark.parametrize("mode", MODES)
def test_some_elements_in_any_order(mode: str) -> None:
    group = oscillators(mode)
    monitor = e.StateMonitor(group, "v", record=True)
    chosen = {
        (0, 1): {kind: reduction_of(group, "v", kind, slice(2)) for kind in RECIPES},
        (4, 1): {kind: reduction_of(group, "v", kind, [4, -4]) for kind in RECIPES},
        (2, 3): {kind: reduction_of(group[2:], "v", kind, [0, 1]) for kind in RECIPES},
    }
    e.Network(group, monitor, *chosen.values()).run(30 * ms)
    for elements, found in chosen.items():
        check(found, monitor.v_[list(elements)], monitor.t_)


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=15)
@given(bounds=st.tuples(st.integers(0, 205), st.integers(0, 205)), off=st.sampled_from([0.0, 0.4]))
def test_windows_include_both_ends(mode: str, bounds: tuple[int, int], off: float) -> None:
    magic.start_scope()
    first, last = sorted(bounds)
    group = oscillators(mode)
    monitor = e.StateMonitor(group, "v", record=True)
    window = {"start": (first - off * (first > 0)) * 0.1 * ms, "stop": (last + off) * 0.1 * ms}
    found = {kind: reduction_of(group, "v", kind, **window) for kind in RECIPES}
    traces = e.StateMonitor(group, "v", record=True, **window)
    sparse = e.StateMonitor(group, "v", record=True, every=7, **window)
    e.Network(group, monitor, traces, sparse, found).run(20 * ms)
    steps = np.round(monitor.t_ / 1e-4).astype(int)
    inside = (steps >= first) & (steps <= last)
    same(traces.t_, monitor.t_[inside])
    same(traces.v_, monitor.v_[:, inside])
    same(sparse.t_, monitor.t_[inside & ((steps - first) % 7 == 0)])
    if inside.any():
        check(found, monitor.v_[:, inside], monitor.t_[inside])
    else:
        assert all(np.isnan(r.values_).all() for r in found.values())


@pytest.mark.parametrize("mode", MODES)
def test_synapses_are_reduced_too(mode: str) -> None:
    group = oscillators(mode)
    synapses = e.Synapses(
        group, group, """w : 1
        dtrace/dt = -trace/(4*ms) : 1 (event-driven)
        u = w*v_post : volt""",
        on_pre="w += 0.1*trace; trace += 1",
    )  # fmt: skip
    synapses.connect("i != j")
    names = ["w", "trace", "u", "v_pre"]
    monitor = e.StateMonitor(synapses, names, record=True)
    found = {n: {kind: reduction_of(synapses, n, kind) for kind in RECIPES} for n in names}
    e.Network(group, synapses, monitor, *found.values()).run(40 * ms)
    assert monitor.w_[:, -1].max() > 0
    for name, reductions in found.items():
        values = np.asarray(getattr(monitor, f"{name}_"))
        if name == "trace":  # its value at the end is computed with NumPy's exp
            close(reductions["maximum"].values_, values.max(axis=1))
            close(reductions["mean"].values_, values.mean(axis=1))
        else:
            check(reductions, values, monitor.t_)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("dt", "duration"), [(0.05, 10.0), (0.3, 9.0), (0.3, 10.0), (0.5, 9.95), (0.1, 10)])
def test_a_group_with_a_clock_of_its_own(mode: str, dt: float, duration: float) -> None:
    others = oscillators(mode, 3)
    group = e.NeuronGroup(2, "dv/dt = (sin(t/(2*ms) + i) - v)/ms : 1", dt=dt * ms)
    monitor = e.StateMonitor(group, "v", record=True)
    found = {kind: reduction_of(group, "v", kind) for kind in RECIPES}
    e.Network(others, group, monitor, found).run(duration * ms)
    check(found, monitor.v_, monitor.t_)


def test_a_group_on_the_grid_with_a_finer_clock_than_the_exact_one() -> None:
    exact = [oscillators("precise", 3, dt=1 * ms) for _ in range(2)]
    monitor = e.StateMonitor(exact[0], "v", record=True)
    fine = e.NeuronGroup(2, "dv/dt = (sin(t/(2*ms) + i) - v)/ms : 1")
    fine_monitor = e.StateMonitor(fine, "v", record=True)
    found = {kind: reduction_of(exact[0], "v", kind) for kind in RECIPES}
    fine_found = {kind: reduction_of(fine, "v", kind) for kind in RECIPES}
    e.Network(exact, fine, monitor, fine_monitor, found, fine_found).run(10 * ms)
    check(found, monitor.v_, monitor.t_)
    check(fine_found, fine_monitor.v_, fine_monitor.t_)


@pytest.mark.parametrize("mode", MODES)
def test_a_run_in_pieces_is_one_run(mode: str) -> None:
    group = oscillators(mode)
    monitor = e.StateMonitor(group, "v", record=True)
    found = {kind: reduction_of(group, "v", kind) for kind in RECIPES}
    network = e.Network(group, monitor, found)
    for piece in (3, 5, 0, 4):
        network.run(piece * ms)
        check(found, monitor.v_, monitor.t_)


@pytest.mark.parametrize("mode", MODES)
def test_a_restored_network_gives_the_same_again(mode: str) -> None:
    group = oscillators(mode)
    found = {kind: reduction_of(group, "v", kind, start=2 * ms) for kind in RECIPES}
    counts = EventCount(group, start=2 * ms)
    network = e.Network(group, found, counts)
    network.store()
    rounds = []
    for duration in (20, 13, 20):
        network.restore()
        network.run(duration * ms)
        rounds.append([*(r.values_ for r in found.values()), counts.count, counts.rate_])
        same(counts.rates.data, counts.rate_)
    for a, b in zip(rounds[0], rounds[2], strict=True):
        same(a, b)
    assert not np.array_equal(rounds[0][0], rounds[1][0])
    network.restore()
    assert all(np.isnan(r.values_).all() and r.n_samples == 0 for r in found.values())
    assert counts.count.tolist() == [0] * 5


@pytest.mark.parametrize("mode", MODES)
def test_a_state_stored_on_the_way_goes_on_as_before(mode: str) -> None:
    group = oscillators(mode)
    found = [reduction_of(group, "v", kind) for kind in RECIPES]
    counts = EventCount(group)
    network = e.Network(group, found, counts)
    network.run(20 * ms)
    network.store()
    rounds = []
    for _ in range(2):
        network.restore()
        network.run(9 * ms)
        rounds.append(
            [*(r.values_ for r in found), found[0].n_samples, counts.count, counts.rates.data.copy()]
        )
    for a, b in zip(*rounds, strict=True):
        same(a, b)
    assert found[0].n_samples == 290


@pytest.mark.parametrize("mode", MODES)
def test_a_window_that_is_not_reached_gives_nan(mode: str) -> None:
    group = oscillators(mode)
    found = [reduction_of(group, "v", kind, start=3.1 * ms) for kind in RECIPES]
    at_the_end = [reduction_of(group, "v", kind, start=3 * ms) for kind in RECIPES]
    network = e.Network(group, found, at_the_end)
    network.run(3 * ms)
    assert all(np.isnan(r.values_).all() for r in found)
    if mode == "precise":
        same(at_the_end[0].values_, group.v_[:])
        same(at_the_end[3].values_, np.full(5, 3e-3))
    else:
        assert all(np.isnan(r.values_).all() for r in at_the_end)
    network.run(1 * ms)
    assert not any(np.isnan(r.values_).any() for r in (*found, *at_the_end))


def test_the_end_is_that_of_the_exact_clock_where_it_comes_later() -> None:
    driver = e.NeuronGroup(1, "dx/dt = 640*Hz : 1", threshold="x > 1", reset="x = 0")
    group = e.NeuronGroup(2, "dv/dt = -v/(3*ms) : 1", dt=2 * ms)
    synapses = e.Synapses(driver, group, on_pre="v += 1 + j")
    synapses.connect()
    monitor = e.StateMonitor(group, "v", record=True)
    found = {kind: reduction_of(group, "v", kind) for kind in RECIPES}
    e.Network(driver, group, synapses, monitor, found).run(8 * ms)
    assert monitor.n_samples == 5
    check(found, monitor.v_, monitor.t_)
    assert found["time_of_maximum"].values_.tolist() == [8e-3] * 2  # after a spike at 7.8 ms


def test_a_long_run_in_many_slices_has_one_result() -> None:
    group = oscillators("grid", 2)
    monitor = e.StateMonitor(group, "v", record=True)
    found = {kind: reduction_of(group, "v", kind) for kind in RECIPES}
    e.Network(group, monitor, found).run(2 * second)
    check(found, monitor.v_, monitor.t_)


@pytest.mark.parametrize("mode", MODES)
def test_nan_is_the_result_and_when_it_came_first(mode: str) -> None:
    group = e.NeuronGroup(
        3, "x = sqrt(1.05 + i - t/ms) : 1\ny = sqrt((t/ms - 1.05)*(t/ms - 2.05 + i)) : 1",
        threshold="y > 100", spike_times=mode,
    )  # fmt: skip
    monitor = e.StateMonitor(group, ["x", "y"], record=True)
    found = {n: {kind: reduction_of(group, n, kind) for kind in RECIPES} for n in ("x", "y")}
    e.Network(group, monitor, *found.values()).run(3 * ms)
    assert np.isnan(monitor.x_).any()
    check(found["x"], monitor.x_, monitor.t_)
    check(found["y"], monitor.y_, monitor.t_)
    assert found["x"]["time_of_maximum"].values_[0] == pytest.approx(1.1e-3)


def test_the_first_of_equal_extremes_counts() -> None:
    group = e.NeuronGroup(1, "x = int(t_in_timesteps % 10 == 3) - int(t_in_timesteps % 10 == 7) : 1")
    top, bottom = (reduction_of(group, "x", f"time_of_{kind}") for kind in ("maximum", "minimum"))
    e.Network(group, top, bottom).run(5 * ms)
    assert top.values[0] / ms == pytest.approx(0.3)
    assert bottom.values[0] / ms == pytest.approx(0.7)


# -- reductions of one's own ----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_statements_of_ones_own(mode: str) -> None:
    group = oscillators(mode)
    scale = 2 * volt
    own = Reduction(
        group, "total : volt**2\nbefore : volt\nups : integer\nwas : boolean",
        first="before = v; was = high",
        each="rise = v - before; total += rise**2; ups += int(high and not was); was = high; before = v",
        value="total/scale + ups*s/n_samples",
    )  # fmt: skip
    monitor = e.StateMonitor(group, ["v", "high"], record=True)
    group.s = 3 * mV
    e.Network(group, own, monitor).run(50 * ms)
    ups = (np.diff(monitor.high.astype(int), axis=1) == 1).sum(axis=1)
    assert ups.min() > 0
    total = (np.diff(monitor.v_, axis=1) ** 2).sum(axis=1)
    close(own.values, total / float(scale) + ups * 3e-3 / monitor.n_samples)
    assert own.dim is volt.dim
    assert isinstance(own.values, Quantity)
    assert own.n_samples == 500
    assert own.ups.dtype.kind == "i"


def test_a_random_reduction_is_the_same_under_any_name() -> None:
    results = []
    for name in ("one", "other"):
        magic.start_scope()
        group = e.NeuronGroup(4, "x : 1", name="group")
        own = Reduction(group, "total : 1", each="total += rand()", value="total", name=name)
        e.Network(group, own).run(5 * ms)
        results.append(own.values)
    same(*results)
    assert len(set(results[0])) == 4
    assert np.all((results[0] > 10) & (results[0] < 40))


def test_names_of_the_model_come_before_those_of_the_script() -> None:
    tau = 5 * ms
    group = e.NeuronGroup(1, "x = t/tau : 1")
    tau, rise = 7 * ms, 2
    own = Reduction(group, "last : 1", each="last = rise*(x - t/tau)", value="last")
    assert tau == 7 * ms
    given = Reduction(group, "last : 1", each="last = rise", value="last", namespace={"rise": rise + 3})
    e.Network(group, own, given).run(5 * ms)
    assert own.values[0] == pytest.approx(0)
    assert given.values[0] == 5


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ({"variables": "v : volt"}, EquationError, "'v' is a variable of"),
        ({"variables": "n_samples : 1"}, EquationError, "'n_samples' is a variable of"),
        ({"variables": "dpeak/dt = 1*volt/second : volt"}, EquationError, "declared by its name and unit"),
        ({"variables": "peak : volt (shared)"}, EquationError, "declared by its name and unit"),
        ({"each": "v = 0*volt"}, EquationError, "'v' cannot be assigned to"),
        ({"each": "peak = w"}, NameResolutionError, "'w' means nothing here"),
        ({"each": "peak = 3"}, DimensionMismatchError, "cannot set 'peak'"),
        ({"each": "peak"}, SyntaxProblem, "not an assignment"),
        ({"value": "peak + 1"}, DimensionMismatchError, "cannot add"),
        ({"first": "other = v; peak = othr"}, NameResolutionError, "'othr' means nothing here"),
        ({"start": 3 * mV}, DimensionMismatchError, "start of a window has to be a time"),
        ({"start": 3 * ms, "stop": 2 * ms}, SetupError, "ends before it starts"),
        ({"start": -1 * ms}, SetupError, "time from 0 on"),
        ({"record": [7]}, IndexError, "none with index 7"),
    ],
)
def test_mistakes_are_explained(text: dict[str, Any], error: type[Exception], message: str) -> None:
    group = oscillators("grid")
    right: dict[str, Any] = {"variables": "peak : volt", "each": "peak = v", "value": "peak"}
    with pytest.raises(error, match=message):
        Reduction(group, **(right | text))


def test_a_reduction_needs_a_group_and_a_variable() -> None:
    group = oscillators("grid")
    with pytest.raises(TypeError, match="needs a group"):
        Reduction(e.SpikeMonitor(group), "x : 1", each="x = 1", value="x")
    with pytest.raises(NameResolutionError, match="did you mean 'double'"):
        reduction_of(group, "doubel", "mean")
    with pytest.raises(SetupError, match="every n-th step"):
        StateMonitor(group, "v", record=True, every=0)


def test_synapses_that_became_fewer_are_noticed() -> None:
    group = oscillators("grid")
    synapses = e.Synapses(group, group, "w : 1")
    synapses.connect("i == j")
    found = reduction_of(synapses, "w", "mean")
    found.record = np.arange(6)
    with pytest.raises(IndexError, match="only 5 elements"):
        e.Network(group, synapses, found).run(1 * ms)


def test_a_state_that_does_not_fit_is_refused() -> None:
    group = oscillators("grid")
    found, counts = reduction_of(group, "v", "mean"), EventCount(group)
    for obj in (found, counts):
        for key, value in obj.full_state().items():
            for wrong in (value[:0], value.astype(np.float32), None):
                with pytest.raises(SetupError, match="does not fit"):
                    obj.set_full_state({**obj.full_state(), key: wrong})


# -- counts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=15)
@given(bounds=st.tuples(st.integers(0, 300), st.integers(0, 300)))
def test_counts_are_those_of_the_spikes_in_the_window(mode: str, bounds: tuple[int, int]) -> None:
    magic.start_scope()
    start, stop = (0.1 * b * ms for b in sorted(bounds))
    group = oscillators(mode)
    spikes = e.SpikeMonitor(group)
    counts, part = EventCount(group, start=start, stop=stop), EventCount(group[2:4], start=start, stop=stop)
    before, rest = EventCount(group, stop=start), EventCount(group, start=stop)
    e.Network(group, spikes, counts, part, before, rest).run(30 * ms)
    assert spikes.num_spikes > 5
    slack = 1e-9 if mode == "grid" else 0
    inside = (spikes.t_ >= float(start) - slack) & (spikes.t_ < float(stop) - slack)
    expected = np.bincount(spikes.i[inside], minlength=5)
    same(counts.count, expected)
    same(part.count, expected[2:4])
    same(before.count + counts.count + rest.count, spikes.count)
    if stop > start:
        same(counts.rate_, expected / (float(stop) - float(start)))
        same(counts.rates.data, counts.rate_)
    else:
        assert np.isnan(counts.rate_).all()


def test_neurons_without_a_grid_are_counted_exactly() -> None:
    group = e.NeuronGroup(3, "dx/dt = (50 + 10*i)*Hz : 1", threshold="x > 1", reset="x = 0")
    counts, late = EventCount(group), EventCount(group, start=0.5 * second)
    e.Network(group, counts, late).run(0.99 * second)
    assert group._timing is not None
    assert group._timing.without_grid
    assert counts.count.tolist() == [49, 59, 69]
    same(counts.rate / Hz, np.array([49, 59, 69]) / 0.99)
    times = [np.arange(1, 100) / r for r in (50, 60, 70)]
    assert late.count.tolist() == [int(((t >= 0.5) & (t < 0.99)).sum()) for t in times]


@pytest.mark.parametrize("mode", MODES)
def test_other_events_are_counted(mode: str) -> None:
    group = e.NeuronGroup(
        2, "x = t_in_timesteps : 1", events={"even": "t_in_timesteps % 2 == 0"}, spike_times=mode
    )
    counts = EventCount(group, "even", start=1 * ms)
    early = EventCount(group, "even", start=0.2 * ms, stop=0.6 * ms)
    e.Network(group, counts, early).run(2 * ms)
    assert counts.count.tolist() == [5, 5]
    assert early.count.tolist() == [2, 2]  # at 0.2 and 0.4 ms
    with pytest.raises(SetupError, match="does not spike"):
        EventCount(group)
    with pytest.raises(SetupError, match="counted in a group"):
        EventCount(counts)
