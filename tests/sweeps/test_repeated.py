"""Many conditions in one native call, and one by one, against the model run alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sweeps.alone import assert_as_alone, assert_equal_results

from eccles import (
    Hz,
    NeuronGroup,
    PoissonGroup,
    PoissonInput,
    SpikeGeneratorGroup,
    Synapses,
    TimedArray,
    ms,
    network_operation,
    record,
    run,
    silence,
    sweep,
)
from eccles.sweeps import conditions as conditions_module
from eccles.sweeps import sweeping
from eccles.sweeps.repeated import NotRepeatable

TAU = 10 * ms
LEAK = "dv/dt = -v/TAU : 1\nu : 1"


@pytest.fixture(autouse=True)
def quiet():
    silence("rebuilt_in_loop", "unreachable_threshold", "one_model_per_value", "threshold_at_start")
    yield
    silence()


def why(model: Callable[..., Any], what: Any, **values: Any) -> str:
    """Why conditions are run one by one; empty if they are not."""
    plan = sweeping.make_plan(model, what, values, 3, False)
    plan.run(0, plan.grid.n_conditions, 1)
    (found,) = plan._conditions
    assert found is not None
    assert (found._repeated is None) == bool(found.why_one_by_one)
    return found.why_one_by_one


# -- what is written before the run -------------------------------------------------------------------


def onto_itself(G: Any, a: Any):
    G.v = "v + a"


def twice(G: Any, a: Any):
    G.u = "u + 1"
    G.v = "u + a"
    G.u = "u + a"


def after_numbers(G: Any, a: Any):
    G.v[0] = 1
    G.v = "v + a"
    G[1:2].v = "v*2"


def by_condition(G: Any, a: Any):
    G.v[:] = "i"
    G.v["v > a"] = 7


def index(G: Any, a: Any):
    G.v[a] = 3


def drawn(G: Any, a: Any):
    G.v = "v + a*rand()"
    G.u = "v + randn()"


def from_another(G: Any, a: Any):
    G.u = a
    G.u[0] = "u + v + 1"
    G.v = "2*u"


def numbers(G: Any, a: Any):
    G.v = a
    G.v[1:] = [2 * a, 3 * a]
    G.u[:] = [a, 0, 1]
    G.u[[2, 0]] = a * np.array([1, 2])


def in_place(G: Any, a: Any):
    G.v = a
    G.v += 1
    G.v[0] *= 3


def parts(G: Any, a: Any):
    G[1:].v = a
    G[1:].v = "v + i"
    G[:2].u = "v"


@pytest.mark.parametrize(
    "write",
    [onto_itself, twice, after_numbers, by_condition, index, drawn, from_another, numbers, in_place, parts],
)
def test_variables_are_written_as_if_the_condition_were_the_only_one(write):
    def model(a):
        G = NeuronGroup(3, LEAK)
        write(G, a)
        run(2 * ms)
        return locals()

    assert_as_alone(model, ["G.v", "G.u"], a=[1, 2, 0], trial=[3, 1])


def test_synaptic_variables_too_whatever_program_a_delay_needs():
    def model(a, d):
        P = SpikeGeneratorGroup(1, [0], [1] * ms)
        G = NeuronGroup(2, LEAK)
        S = Synapses(P, G, "w : 1", on_pre="v += w", delay=d)
        S.connect()
        S.w = "w + a"
        S.v_post = "v_post + a + j"
        run(5 * ms)
        return locals()

    assert_as_alone(model, ["G.v", "S.w"], a=[1.0, 2.0], d=[1, 0, 2] * ms)


def test_spikes_and_stimuli_that_are_replaced_between_runs():
    def model(a, gap):
        wave = TimedArray(np.array([1.0, 2.0]), dt=3 * ms)
        P = SpikeGeneratorGroup(1, [0], [1] * ms)
        G = NeuronGroup(1, "dv/dt = (wave(t) - v)/TAU : 1")
        S = Synapses(P, G, on_pre="v += a")
        S.connect()
        run(3 * ms)
        P.set_spikes([0, 0], [4, 5] * ms)
        wave.set_values(np.array([1.0, 5.0]))
        run(3 * ms)
        P.set_spikes([0], [7] * ms + gap)
        wave.set_values(a * np.array([3.0, 4.0]))
        run(4 * ms)
        return locals()

    assert_as_alone(model, ["G.v"], a=[1.0, 2.0], gap=[0, 1] * ms)


# -- random models ------------------------------------------------------------------------------------


@st.composite
def models(draw: st.DrawFn) -> tuple[Callable[..., Any], dict[str, Any]]:
    """A small model of which random things are swept, and values."""
    number = st.sampled_from([0.0, 0.3, 1.1, 2.0])
    numbers = st.lists(number, min_size=1, max_size=3, unique=True)
    values: dict[str, Any] = {"a": draw(numbers), "b": draw(numbers)}
    noise, threshold, stimulus, spikes, shared = (draw(st.booleans()) for _ in range(5))
    text = draw(st.sampled_from(["", "a*i", "b + rand()", "v + a", "u*b"]))
    period = draw(st.sampled_from([None, "a", "fixed"]))
    if noise or "rand" in text:
        values["trial"] = draw(st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True))
    if spikes:
        times = st.lists(st.integers(0, 19), max_size=3, unique=True).map(lambda t: (np.sort(t) / 4) * ms)
        values["times"] = draw(st.lists(times, min_size=1, max_size=3))
    method = "euler" if noise else "exact"

    def model(a: Any, b: Any, times: Any = None):
        I = TimedArray(b * np.array([0.5, 1.5, 3]), dt=1 * ms)
        G = NeuronGroup(
            3,
            f"dv/dt = ({'I(t)' if stimulus else 'u'} - v + s)/TAU {'+ b*xi/TAU**0.5' if noise else ''} : 1\n"
            f"u : 1\ns : 1 {'(shared)' if shared else ''}",
            threshold="v > 1" if threshold else None, reset="v = a/4" if threshold else None,
            refractory=False if period is None or not threshold else (a + 0.1 if period == "a" else 1) * ms,
            method=method,
        )  # fmt: skip
        G.u = a + b
        G.s = b
        G.v[1:] = a / 4
        if text:
            G.v = text
        if spikes:
            P = SpikeGeneratorGroup(1, np.zeros(len(times), int), times)
            S = Synapses(P, G, "w : 1", on_pre="v += w", delay=0.25 * ms)
            S.connect()
            S.w = b
        run(5 * ms)
        return locals()

    return model, values


@settings(max_examples=12)
@given(models())
def test_random_models_give_what_they_give_alone(drawn):
    model, values = drawn
    silence("rebuilt_in_loop", "unreachable_threshold", "one_model_per_value", "threshold_at_start")
    assert_as_alone(model, ["G.v", "G.u", "G.s"], **values)


# -- what needs Python --------------------------------------------------------------------------------


def test_conditions_that_need_more_room_or_run_away_are_done_one_by_one(monkeypatch):
    numbers_left = []
    one_by_one = conditions_module.Conditions._run_one_by_one

    def watched(self: Any, numbers: Any, *others: Any) -> None:
        numbers_left.extend(numbers.tolist())
        one_by_one(self, numbers, *others)

    monkeypatch.setattr(conditions_module.Conditions, "_run_one_by_one", watched)

    def model(k):
        G = NeuronGroup(1, "dv/dt = k*v**2/ms : 1", method="euler", threshold="v > 1e9", refractory=1 * ms)
        G.v = 1
        run(10 * ms)

    k = np.full(40, 0.01)
    k[[7, 25]] = 2.0
    result = sweep(model, record="G.v", k=k, threads=1)
    assert np.flatnonzero(result["failed"]).tolist() == [7, 25]
    assert numbers_left == [7, 25]
    assert np.isnan(result["G.v"].to_numpy()[[7, 25]]).all()
    assert len(np.unique(np.delete(result["G.v"].to_numpy(), [7, 25]))) == 1


def test_spikes_that_wait_in_a_buffer_that_is_too_small():
    def model(n):
        P = SpikeGeneratorGroup(50, np.arange(50), np.full(50, 1.0) * ms)
        G = NeuronGroup(400, "dv/dt = -v/TAU : 1\nlow : 1", threshold="v > low", reset="v = 0")
        G.low = "1 + 100*int(i >= n)"
        S = Synapses(P, G, on_pre="v += 0.05", delay=1.5 * ms)
        S.connect()
        Q = Synapses(G, G, "w : 1", on_pre="v += w")
        Q.connect(p=0.1)
        Q.delay = "(0.1 + 0.01*(j % 7))*ms"
        run(6 * ms)
        return locals()

    assert_as_alone(model, ["G.v"], n=[0, 400, 10, 399])


def leaky(a, **others: Any):
    G = NeuronGroup(2, "dv/dt = (a - v)/TAU : 1", threshold="v > 1", reset="v = 0")
    if others.get("poisson"):
        P = PoissonGroup(2, rates=100 * Hz)
        S = Synapses(P, G, on_pre="v += 0.1")
        S.connect()
    if others.get("operation"):

        @network_operation(dt=1 * ms)
        def nothing():
            pass

    run(5 * ms)


def with_delay(d):
    P = SpikeGeneratorGroup(1, [0], [1] * ms)
    G = NeuronGroup(2, "dv/dt = -v/TAU : 1")
    S = Synapses(P, G, on_pre="v += 1", delay=d)
    S.connect()
    run(5 * ms)


def time_constant(tau_m):
    G = NeuronGroup(2, "dv/dt = (1 - v)/tau_m : 1\ndw/dt = (v - w)/TAU : 1")
    run(5 * ms)


def reads(a):
    G = NeuronGroup(2, LEAK)
    G.u = a
    G.v = "u*2"
    run(5 * ms)


def weighted_input(rate):
    G = NeuronGroup(2, "dv/dt = -v/TAU : 1")
    P = PoissonInput(G, "v", 10, rate, "0.1")
    run(5 * ms)


def computed(a: Any):
    G = NeuronGroup(1, "dv/dt = -v/TAU : 1\nx = a*v : 1")
    G.v = a
    run(2 * ms)


@pytest.mark.parametrize(
    ("model", "what", "values", "reason"),
    [
        (leaky, "G.v", {"a": [1.0, 2.0]}, ""),
        (leaky, "G.count", {"a": [1.0, 2.0]}, ""),
        (leaky, record.maximum("G.v"), {"a": [1.0, 2.0]}, ""),
        (leaky, "G.v", {"a": [1.0, 2.0], "trial": [0, 1], "poisson": True}, "begun in Python"),
        (leaky, "G.v", {"a": [1.0, 2.0], "operation": True}, "network operation"),
        (leaky, "G.spikes", {"a": [1.0, 2.0]}, ""),
        (leaky, record.trace("G.v"), {"a": [1.0, 2.0]}, ""),
        (computed, "G.x", {"a": [1.0, 2.0]}, "'G.x' is computed in Python"),
        (computed, record.trace("G.x"), {"a": [1.0, 2.0]}, "'trace(G.x)' is computed in Python"),
        (with_delay, "G.v", {"d": [1, 2] * ms}, "more than one object"),
        (time_constant, "G.v", {"tau_m": [5, 10] * ms}, "computed in Python"),
        (reads, "G.v", {"a": [1.0, 2.0]}, "no float64 of the program"),
        (weighted_input, "G.v", {"rate": [10, 100] * Hz}, "the size of poissoninput.share differs"),
        (weighted_input, "G.v", {"rate": [10, 10.5] * Hz}, ""),
    ],
)
def test_what_cannot_be_done_without_python_is_done_one_by_one(model, what, values, reason):
    found = why(model, what, **values)
    assert reason in found
    assert bool(reason) == bool(found)


# -- what is collected afterwards -----------------------------------------------------------------------


def firing(rate: Any, sigma: Any = None, spike_times: str | None = None):
    equations = "dx/dt = rate : 1" if sigma is None else "dx/dt = rate + sigma*xi : 1"
    G = NeuronGroup(3, equations, threshold="x > 1", reset="x = 0", spike_times=spike_times)
    G.x = "0.1*i"
    H = NeuronGroup(1, "dv/dt = -v/TAU : 1\ny : 1")
    S = Synapses(G, H, "w : 1", on_pre="v += w; y += 1")
    S.connect()
    S.w = "0.1*(i + 1)"
    part = G[1:]
    run(60 * ms)


EVERYTHING = [
    record.spikes("G", variables="x"), record.spikes("part"), record.trace("H.v", every=7),
    record.trace("G.x", elements=[2, 0], start=5 * ms, stop=31 * ms), record.final("S.w", elements=1),
    record.population_rate("G"), record.count("G", elements=[1]), record.mean("H.v"),
]  # fmt: skip


@pytest.mark.parametrize(
    "others",
    [{}, {"spike_times": "grid"}, {"sigma": [0.5, 2] * Hz**0.5, "trial": [1, 2]}],
    ids=["exact", "grid", "noise"],
)
@pytest.mark.parametrize("what", [EVERYTHING, EVERYTHING[:2]], ids=["everything", "spikes"])
def test_what_is_collected_after_native_runs_is_that_of_runs_one_by_one(monkeypatch, others, what):
    rates = [0, 33, 91.5, 200, 60_000] * Hz  # the last has more spikes than there is room for at first
    many = sweep(firing, record=what, seed=4, rate=rates, **others)
    assert why(firing, what, rate=rates, **others) == ""

    def refuse(*args: Any) -> None:
        raise NotRepeatable("one by one, for once")

    monkeypatch.setattr(conditions_module, "Repeated", refuse)
    one_by_one = sweep(firing, record=what, seed=4, rate=rates, **others)
    assert not many["failed"].any()
    assert_equal_results(many, one_by_one)


def test_threads_collect_one_after_the_other(monkeypatch):
    monkeypatch.setattr(conditions_module, "WORTH_A_THREAD", 0.0)
    monkeypatch.setattr(conditions_module, "BLOCK", 0.0)
    rates = np.linspace(20, 200, 60) * Hz
    one = sweep(firing, record=EVERYTHING, rate=rates, threads=1)
    assert_equal_results(one, sweep(firing, record=EVERYTHING, rate=rates, threads=4))


def trains(times: Any, is_sorted: bool = False):
    P = SpikeGeneratorGroup(2, [1, 0, 1], times, sorted=is_sorted)
    G = NeuronGroup(2, LEAK)
    S = Synapses(P, G, on_pre="v += 1 + i", delay=0.25 * ms)
    S.connect(j="i")
    run(5 * ms)
    return locals()


def test_trains_are_put_in_order_each_for_itself():
    times = np.array([[3, 1, 2], [1, 1, 4], [0.05, 2, 1], [4, 4, 1]])
    assert_as_alone(trains, ["G.v"], times=times * ms)
    assert why(trains, "G.v", times=times * ms) == ""


@pytest.mark.parametrize("wrong", [[3, 1, -2], [3, 1, np.inf], [3, 1, 3]])
def test_a_train_that_is_wrong_fails_alone(wrong):
    result = sweep(trains, record="G.v", times=np.array([[3, 1, 2], wrong, [1, 2, 4]]) * ms)
    assert result["failed"].to_numpy().tolist() == [False, True, False]


def test_a_train_that_is_not_sorted_although_it_is_said_to_be_fails():
    times = np.array([[1, 2, 3], [3, 1, 2]])
    result = sweep(trains, record="G.v", times=times * ms, is_sorted=True)
    assert result["failed"].to_numpy()[:, 0].tolist() == [False, True]
