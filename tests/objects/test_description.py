"""A network that is described and rebuilt goes on as the original, bit for bit."""

from __future__ import annotations

import importlib
import io
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_textbook import FACES, MODELS

import eccles as e
from eccles.errors import SetupError
from eccles.language.functions import function
from eccles.objects import magic
from eccles.objects.description import Description, branched, describe, rebuild
from eccles.objects.network import Network
from eccles.objects.operations import NetworkOperation
from eccles.units import Hz, ms, mV, volt

RATIO = 0.25
TEXTBOOK = Path(__file__).parents[1] / "textbook"


def as_file(description: Description) -> Description:
    """The description after it was written to a file and read again."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **description.arrays)
    file.seek(0)
    with np.load(file, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return Description(json.loads(json.dumps(description.text, allow_nan=False)), arrays)


def state(network: Network) -> dict[str, bytes]:
    """All that is not a monitor's, bit for bit."""
    found = {"t": np.array(network.t_).tobytes()}
    for obj in network._everything():
        if not obj.is_recorder:
            found |= {f"{obj.name}.{key}": array.tobytes() for key, array in obj.full_state().items()}
    return found


def assert_goes_on_alike(network: Network, duration: Any, names: dict[str, Any] | None = None) -> None:
    """Describe and rebuild a network, and run both: before the first step, and again after some."""
    names = {} if names is None else names
    for _ in range(2):
        with magic.given_names(names):
            description = describe(network)
        again = rebuild(as_file(description))
        assert describe(again) == description
        network.run(duration, namespace=names)
        again.run(duration)
        expected, found = state(network), state(again)
        assert found.keys() == expected.keys()
        assert [key for key in expected if found[key] != expected[key]] == []


class _Stop(Exception):
    """The model was about to run."""


def first_network(
    model: Callable[[Any], None], face: Any, monkeypatch: Any
) -> tuple[Network, dict[str, Any]]:
    """The network that a model runs first, as it is before, and the names that it can see."""
    built: list[tuple[Network, dict[str, Any]]] = []

    def on_built(network: Network, objects: Any) -> None:
        frame = sys._getframe()
        while Path(frame.f_code.co_filename).parent != TEXTBOOK:
            assert frame.f_back is not None
            frame = frame.f_back
        built.append((network, {**frame.f_globals, **frame.f_locals}))
        raise _Stop

    with monkeypatch.context() as patch:
        patch.setattr(Network, "on_built", on_built)
        with pytest.raises(_Stop):
            model(face)
    return built[0]


def a_few_now_the_others_in_long_tests() -> list[Any]:
    names = sorted(MODELS)
    return [pytest.param(name, marks=pytest.mark.slow if k % 8 else ()) for k, name in enumerate(names)]


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("name", a_few_now_the_others_in_long_tests())
def test_a_rebuilt_textbook_model_goes_on_as_the_model(name, face, monkeypatch):
    network, names = first_network(MODELS[name], importlib.import_module(face), monkeypatch)
    if any(isinstance(obj, NetworkOperation) for obj in network.objects):
        with pytest.raises(SetupError, match="network operation"):
            describe(network)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_goes_on_alike(network, 3 * ms, names)


@function(x=1, result=1)
def bounded(x):
    if x > RATIO:
        return RATIO
    return x


@function(x=volt, result=volt)
def at_least_a_little(x):
    return x if x > 0.2 * mV else 0.2 * mV


def everything(face: str = "eccles", spike_times: Any = "precise") -> Network:
    """A network in which there is one of everything."""
    b = importlib.import_module(face)
    magic.start_scope()
    magic.seed(5)
    tau, wave = 10 * ms, b.TimedArray(np.linspace(0, 1, 20) * 100 * Hz, dt=0.5 * ms, name="a_wave")
    names = {"tau": tau, "wave": wave, "bounded": bounded, "flag": True, "count": 3, "drive": 1.2}
    neurons = b.NeuronGroup(
        6, """dv/dt = (drive + bounded(y) - v)/tau + wave(t)*0.1 : 1 (unless refractory)
              dy/dt = -y/(5*ms) : 1
              double = 2*v : 1
              w : 1 (constant)
              number : integer
              is_set : boolean
              overall : 1 (shared)""",
        threshold="v > 1 and flag", reset="v = 0; number += count", refractory="(1 + w)*ms",
        events={"half": "v > 0.5 and v < 0.6"}, method="rk4", dtype={"w": np.float32},
        namespace=names, name="cells",
    )  # fmt: skip
    neurons.set_event_schedule("half", when="before_resets", order=3)
    neurons.v, neurons.w, neurons.is_set = "i/6", "0.1*i", "i > 2"
    neurons.run_on_event("half", "number += 2")
    neurons.run_regularly("y += 0.1*rand(); overall = t/ms", dt=0.5 * ms, name="kicks", when="end", order=-2)
    part, rest = neurons[:2], neurons[2:]
    part.run_regularly("w = w + 0.01")
    followers = b.NeuronGroup(
        3, "dx/dt = (leader - x)/(2*ms) : 1\nleader : 1 (linked)\nmine : 1 (linked)",
        method=["exact", "euler"], dt=0.05 * ms,
    )  # fmt: skip
    followers.leader = b.linked_var(neurons, "v", index=[5, 0, 3])
    followers.mine = b.linked_var(rest, "overall")
    given = b.SpikeGeneratorGroup(3, [0, 2, 1], [0.2, 1.1, 1.6] * ms, period=2 * ms)
    steady = b.PoissonGroup(4, [10, 200, 0, 3000] * Hz)
    waving = b.PoissonGroup(2, "rate*(1 + i)", namespace={"rate": 500 * Hz}, name="waving")
    b.PoissonInput(neurons[1:4], "y", 20, 50 * Hz, weight=0.01)
    kicks = b.PoissonInput(neurons, "v", 5, 20 * Hz, weight="0.01*w", order=2)
    plastic = b.Synapses(
        part, rest, """strength : 1
                       dpre/dt = -pre/(20*ms) : 1 (event-driven)
                       dpost/dt = -post/(20*ms) : 1 (event-driven)""",
        on_pre={"pre": "v_post += strength; pre += 1", "late": "y_post += 0.01"},
        on_post="strength = clip(strength + 0.01*pre, 0, 1); post += 1",
        delay={"late": 1.5 * ms},
    )  # fmt: skip
    plastic.connect()
    plastic.strength, plastic.pre.delay = "0.05*(1 + j)", "0.1*ms*(1 + i + j)"
    plastic.pre.order = 4
    many = b.Synapses(
        steady, neurons, "x2 : 1", on_pre="y_post += 0.02*x2",
        multisynaptic_index="nth", namespace={},
    )  # fmt: skip
    many.connect(p=0.7, n=2)
    many.x2 = "nth + 1"
    fed = b.Synapses(given, neurons, on_pre="v += 0.1*drive", namespace={"drive": 0.5}, delay=0.3 * ms)
    fed.connect(j="k for k in range(i, i + 2)")
    silent = b.Synapses(waving, neurons, on_pre="y += 0.3")
    silent.connect(i=[0, 1, 1], j=[5, 5, 5])
    silent.active = False
    monitor = b.SpikeMonitor(neurons)
    network = b.Network(
        neurons, part, followers, given, steady, waving, kicks, plastic, many, fed, silent, monitor,
        spike_times=spike_times,
    )  # fmt: skip
    network.schedule = ["start", "groups", "thresholds", "synapses", "own", "resets", "end"]
    return network


@pytest.mark.parametrize("spike_times", ["precise", "grid"])
@pytest.mark.parametrize("face", FACES)
def test_a_network_of_everything_goes_on_as_the_original(face: str, spike_times: Any) -> None:
    assert_goes_on_alike(everything(face, spike_times), 4 * ms)


def test_the_text_is_the_same_for_the_same_network() -> None:
    texts = [json.dumps(describe(everything()).text) for _ in range(2)]
    assert texts[0] == texts[1]


def test_rebuilding_leaves_the_scope_of_the_script_alone() -> None:
    network = everything()
    description = describe(network)
    before, clock = magic.collect(), (magic.defaultclock.dt_, magic.defaultclock.timestep)
    n_objects = len(magic._registry())
    again = rebuild(description)
    again.run(1 * ms)
    assert len(magic._registry()) == n_objects
    assert magic.collect() == before
    assert (magic.defaultclock.dt_, magic.defaultclock.timestep) == clock
    assert {obj.name for obj in again._everything()} < {obj.name for obj in network._everything()}
    assert all(obj.clock is not magic.defaultclock for obj in again._everything())
    own = [obj for obj in network._everything() if not obj.is_recorder]
    shared = {(a.name, b.name) for a in own for b in own if a.clock is b.clock}
    assert {
        (a.name, b.name) for a in again._everything() for b in again._everything() if a.clock is b.clock
    } == shared


def test_rebuilding_is_possible_in_several_threads_at_once() -> None:
    description = describe(everything())
    with ThreadPoolExecutor(4) as pool:
        descriptions = list(pool.map(lambda _: describe(rebuild(description)), range(8)))
    assert all(d == description for d in descriptions)


def test_a_name_may_stand_for_different_values_in_parts_of_one_object() -> None:
    magic.start_scope()
    k = 1.0
    group = e.NeuronGroup(1, "x : 1\ndy/dt = k/ms : 1")
    k = 2.0
    group.run_regularly("x = k")
    k = 3.0  # noqa: F841
    again = rebuild(describe(e.Network(group)))
    again.run(0.2 * ms)
    assert again["neurongroup"].x[0] == 2  # type: ignore[attr-defined]
    assert again["neurongroup"].y[0] == pytest.approx(0.2)  # type: ignore[attr-defined]


def test_what_is_no_data_is_refused_with_what_to_use_instead() -> None:
    magic.start_scope()
    group = e.NeuronGroup(1, "x : 1")

    @e.network_operation
    def stimulate() -> None:
        group.x = 1

    with pytest.raises(SetupError, match=r"(?s)network operation.*run_regularly"):
        describe(e.Network(group, stimulate))

    class Mine(e.NeuronGroup):
        pass

    with pytest.raises(SetupError, match="is a Mine, which cannot be described"):
        describe(e.Network(Mine(1, "x : 1")))


def test_a_description_of_another_version_or_format_is_refused() -> None:
    description = describe(everything())
    with pytest.raises(SetupError, match="version 2"):
        rebuild(Description({**description.text, "version": 2}, description.arrays))
    with pytest.raises(SetupError, match="format"):
        rebuild(Description({**description.text, "format": "x"}, description.arrays))


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all parts of JSON data."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of JSON data with something else at a path."""
    copy = json.loads(json.dumps(data))
    part = copy
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return copy


WRONG_VALUES = [
    None, True, -1, 0, 1, 7, 2**40, 10**30, 0.5, -1.0, 1e300, "nan", "inf", "", "x", "v", "cells", "v = 1/0",
    [], {}, [0], [0, 0], [0, 99], {"function": 0}, {"float": 1.0, "dim": [0, 0, 1, 0, 0, 0, 0]},
    {"integer": 2},
]  # fmt: skip


def assert_refused_or_harmless(description: Description) -> None:
    """Rebuilding fails with a clear error, or gives a network that can run or says why not."""
    try:
        network = rebuild(description)
    except SetupError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            network.run(0.3 * ms)
        except Exception as error:
            said = str(error)
            assert said


@settings(max_examples=60, deadline=None)
@given(data=st.data(), spike_times=st.sampled_from(["precise", "grid"]))
def test_text_with_something_wrong_in_it_is_refused_or_harmless(
    data: st.DataObject, spike_times: Any
) -> None:
    description = description_of_everything(spike_times)
    path = data.draw(st.sampled_from(list(places(description.text))))
    text = replaced(description.text, path, data.draw(st.sampled_from(WRONG_VALUES)))
    assert_refused_or_harmless(Description(text, description.arrays))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), spike_times=st.sampled_from(["precise", "grid"]))
def test_arrays_with_something_wrong_in_them_are_refused_or_harmless(
    data: st.DataObject, spike_times: Any
) -> None:
    description = description_of_everything(spike_times)
    name = data.draw(st.sampled_from(list(description.arrays)))
    array = description.arrays[name]
    wrong: list[Any] = [
        array[..., None], array.astype("U10"), np.zeros(array.shape, np.complex64),
        np.zeros(0), None, np.array([None]), np.resize(array, array.size + 1),
    ]  # fmt: skip
    if array.dtype.kind in "if" and array.size:
        some = array.copy().reshape(-1)
        some[data.draw(st.integers(0, some.size - 1))] = data.draw(
            st.sampled_from([-1, 2**31 - 1] if array.dtype.kind == "i" else [np.nan, np.inf, -np.inf, 1e300])
        )
        wrong.append(some.reshape(array.shape))
    value = data.draw(st.sampled_from(range(len(wrong))))
    assert_refused_or_harmless(Description(description.text, {**description.arrays, name: wrong[value]}))


@cache
def description_of_everything(spike_times: Any) -> Description:
    """Of networks that have run a little: spikes are on their way."""
    network = everything(spike_times=spike_times)
    network.run(1.2 * ms)
    return describe(network)


def test_given_spikes_closer_than_a_time_step_are_described_and_rebuilt() -> None:
    magic.start_scope()
    source = e.SpikeGeneratorGroup(1, [0, 0, 0], [1.01, 1.05, 3.0] * ms)
    target = e.NeuronGroup(1, "x : 1")
    synapses = e.Synapses(source, target, on_pre="x += 1")
    synapses.connect()
    network = e.Network(source, target, synapses)
    assert_goes_on_alike(network, 1.03 * ms)
    assert target.x[0] == 2


def test_an_explicit_method_and_a_function_with_units_are_described() -> None:
    magic.start_scope()
    b = importlib.import_module("eccles.brian2")
    k = 2  # noqa: F841
    group = b.NeuronGroup(
        2, "dv/dt = -k*v/ms : volt", method=b.ExplicitStateUpdater("x_new = x + dt*f(x, t)")
    )
    group.v = 1 * mV
    group.run_regularly("v = at_least_a_little(v)", dt=1 * ms)
    assert_goes_on_alike(b.Network(group), 3 * ms, {"k": 2, "at_least_a_little": at_least_a_little})
    assert np.all(np.asarray(group.v[:]) > 0.02e-3)


def test_a_branch_keeps_what_is_frozen_and_silences_what_is_silent() -> None:
    source = e.SpikeGeneratorGroup(1, [0, 0], [1, 3] * e.ms)
    target = e.NeuronGroup(1, "v : 1", threshold="v > 1.5", reset="v = 0")
    synapses = e.Synapses(
        source, target, "dw/dt = -w/second : 1 (clock-driven)\nn : 1", on_pre="v_post += 1; w += 1; n += 1"
    )
    synapses.connect()
    synapses.w = 0.5
    network = e.Network(source, target, synapses)
    described = describe(network)
    branch = rebuild(branched(described, frozen={synapses.name: {"w": [0.5]}}, silent=[target.name]))
    for net, expected in ((branch, (2.0, 0.5, 2.0)), (network, (0.0, 2.5, 2.0))):
        net.run(5 * e.ms)
        found = (net[target.name].v[0], net[synapses.name].w[0], net[synapses.name].n[0])
        np.testing.assert_allclose(found, expected, rtol=0.01)
    assert described == describe(rebuild(described))  # the description itself has not changed


def test_what_cannot_be_frozen_is_named() -> None:
    source = e.SpikeGeneratorGroup(1, [0], [1] * e.ms)
    synapses = e.Synapses(source, source, "a : 1\nw = 2*a : 1", on_pre="a += w")
    synapses.connect()
    described = describe(e.Network(source, synapses))
    with pytest.raises(e.SetupError, match="no variable 'b'"):
        branched(described, frozen={synapses.name: {"b": [1.0]}}, silent=[])


def test_what_is_computed_from_others_keeps_its_value_in_a_branch() -> None:
    source = e.SpikeGeneratorGroup(1, [0, 0], [1, 3] * e.ms)
    synapses = e.Synapses(source, source, "a : 1\nb : 1\nw = 2*a : 1", on_pre="a += 1; b += w")
    synapses.connect()
    network = e.Network(source, synapses)
    branch = rebuild(branched(describe(network), frozen={synapses.name: {"w": [7.0]}}, silent=[]))
    for net, expected in ((branch, (2.0, 7.0, 14.0)), (network, (2.0, 4.0, 6.0))):
        net.run(5 * e.ms)
        found = net[synapses.name]
        assert (found.a[0], found.w[0], found.b[0]) == expected
