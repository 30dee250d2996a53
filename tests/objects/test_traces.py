"""Event-driven variables stored once per neuron give what storing them per synapse gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eccles
import eccles.brian2
from eccles import (
    Network,
    NeuronGroup,
    SpikeGeneratorGroup,
    StateMonitor,
    Synapses,
    ms,
    network_operation,
    run,
)
from eccles.objects import traces


@pytest.fixture(autouse=True)
def _however_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The networks of most tests are too small to be stored per neuron by themselves."""
    monkeypatch.setattr(traces, "FEWEST", 0)


PAIR = """w : 1
          dApre/dt = -Apre/taupre : 1 (event-driven)
          dApost/dt = -Apost/taupost : 1 (event-driven)"""
ON_PRE = "Apre += 0.02; w = clip(w + Apost, 0, 1)"
ON_POST = "Apost -= 0.021; w = clip(w + Apre, 0, 1)"
CONSTANTS = {"taupre": 20 * ms, "taupost": 15 * ms}


def trains(n: int, rate: float, seconds: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Spikes of n neurons, at most one per neuron and 0.1 ms."""
    steps = round(seconds * 1e4)
    fires = np.random.default_rng(seed).random((steps, n)) < rate * 1e-4
    when, which = np.nonzero(fires)
    return which, when * 1e-4


def pair_synapses(n_pre: int, n_post: int, p: float, seed: int, face=eccles, **arguments) -> Synapses:
    """Random pairs between two groups that spike by themselves."""
    pre_i, pre_t = trains(n_pre, 60, 0.2, seed)
    post_i, post_t = trains(n_post, 60, 0.2, seed + 1)
    pre = face.SpikeGeneratorGroup(n_pre, pre_i, pre_t * eccles.second)
    post = face.SpikeGeneratorGroup(n_post, post_i, post_t * eccles.second)
    settings = {"on_pre": ON_PRE, "on_post": ON_POST, "namespace": CONSTANTS} | arguments
    synapses = face.Synapses(pre, post, PAIR, **settings)
    synapses.connect(p=p)
    synapses.w = 0.5
    return synapses


def results(synapses: Synapses, *, per_synapse: bool, duration: float = 0.2) -> dict[str, np.ndarray]:
    if per_synapse:
        synapses.store_per_synapse()
    assert (synapses.traces is None) == per_synapse
    Network(synapses.source, synapses.target, synapses).run(duration * eccles.second)
    return {
        name: np.array(synapses.view(name, units=False)[:]) for name in ("w", "Apre", "Apost", "lastupdate")
    }


@settings(max_examples=15)
@given(
    n_pre=st.integers(1, 40),
    n_post=st.integers(1, 40),
    p=st.sampled_from([0.1, 0.5, 1.0]),
    delay=st.sampled_from([0.0, 1.5]),
    seed=st.integers(0, 100),
)
def test_traces_per_neuron_equal_traces_per_synapse(n_pre, n_post, p, delay, seed):
    outcomes = []
    for per_synapse in (False, True):
        eccles.start_scope()
        eccles.seed(seed)
        synapses = pair_synapses(n_pre, n_post, p, seed, delay={"pre": delay * ms, "post": 0.3 * ms})
        outcomes.append(results(synapses, per_synapse=per_synapse))
    for name, values in outcomes[0].items():
        np.testing.assert_allclose(values, outcomes[1][name], rtol=1e-12, atol=1e-15, err_msg=name)


def test_the_compatible_face_reads_traces_as_of_the_last_update():
    outcomes = []
    for per_synapse in (False, True):
        eccles.start_scope()
        eccles.seed(3)
        synapses = pair_synapses(12, 9, 0.5, 3, face=eccles.brian2)
        outcomes.append(results(synapses, per_synapse=per_synapse, duration=0.1))
    for name, values in outcomes[0].items():
        np.testing.assert_allclose(values, outcomes[1][name], rtol=1e-12, atol=1e-15, err_msg=name)


@pytest.mark.parametrize("face", [eccles, eccles.brian2])
def test_a_monitor_sees_the_same_traces(face):
    recorded = []
    for per_synapse in (False, True):
        eccles.start_scope()
        synapses = pair_synapses(4, 3, 1.0, 5, face=face)
        if per_synapse:
            synapses.store_per_synapse()
        monitor = StateMonitor(synapses, ["Apre", "Apost", "w"], record=True)
        face.Network(synapses.source, synapses.target, synapses, monitor).run(50 * ms)
        recorded.append(np.stack([monitor.Apre, monitor.Apost, monitor.w]))
    np.testing.assert_allclose(recorded[0], recorded[1], rtol=1e-12, atol=1e-15)


def test_a_bystander_trace_keeps_its_closed_form():
    source = SpikeGeneratorGroup(1, [0, 0], [1, 6] * ms)
    target = NeuronGroup(2, "v : 1")
    synapses = Synapses(source, target, "dx/dt = -x/(5*ms) : 1 (event-driven)", on_pre="x += 1; v_post += x")
    synapses.connect()
    run(10 * ms)
    after_second = np.exp(-1) + 1
    np.testing.assert_allclose(target.v[:], 1 + after_second, rtol=1e-15)
    np.testing.assert_allclose(synapses.x[:], after_second * np.exp(-4 / 5), rtol=1e-14)


def test_a_statement_sees_the_trace_as_it_stands_at_its_place():
    source = SpikeGeneratorGroup(1, [0, 0], [1, 6] * ms)
    target = NeuronGroup(1, "before : 1\nafter : 1")
    synapses = Synapses(
        source,
        target,
        "dx/dt = -x/(5*ms) : 1 (event-driven)",
        on_pre="before_post = x; x += 1; after_post = x",
    )
    synapses.connect()
    run(10 * ms)
    np.testing.assert_allclose(target.before[0], np.exp(-1), rtol=1e-15)
    np.testing.assert_allclose(target.after[0], np.exp(-1) + 1, rtol=1e-15)


def test_a_subexpression_in_on_pre_sees_what_was_assigned_before():
    source = SpikeGeneratorGroup(1, [0], [1] * ms)
    target = NeuronGroup(1, "v : 1")
    synapses = Synapses(source, target, "g : 1\ntwice = 2*g : 1", on_pre="g += 3; v_post = twice")
    synapses.connect()
    run(2 * ms)
    assert target.v[0] == 6


@pytest.mark.parametrize(
    ("model", "on_pre", "on_post"),
    [
        ("dx/dt = -x/tau_x : 1 (event-driven)\ntau_x : second", "x += 1", None),  # differs between synapses
        ("dx/dt = -x/(5*ms) : 1 (event-driven)", "x += 1", "x += 1"),  # both sides
        ("dx/dt = -x/(5*ms) : 1 (event-driven)\nw : 1", "x += w", None),
        ("dx/dt = -x/(5*ms) : 1 (event-driven)", "x += rand()", None),
        ("dx/dt = -x/(5*ms) : 1 (event-driven)", "x += 0.1*j", None),
        ("dx/dt = -x/(5*ms) : 1 (event-driven)\nw : 1", "x += 1; w = (t - lastupdate)/ms", None),
    ],
)
def test_what_differs_between_synapses_is_stored_per_synapse(model, on_pre, on_post):
    group = NeuronGroup(2, "v : 1", threshold="v > 1")
    assert Synapses(group, group, model, on_pre=on_pre, on_post=on_post).traces is None


def test_values_set_per_synapse_are_kept_per_synapse():
    source = SpikeGeneratorGroup(2, [0, 1], [1, 1] * ms)
    synapses = Synapses(source, source, "dx/dt = -x/(5*ms) : 1 (event-driven)", on_pre="x += 1")
    synapses.connect()
    synapses.x = "i + 10*j"
    assert synapses.traces is None
    run(1 * ms)
    # the spikes at the end of the run, 1 ms, have arrived
    np.testing.assert_allclose(synapses.x[:], np.array([0, 10, 1, 11]) * np.exp(-1 / 5) + 1, rtol=1e-14)


def test_one_value_for_all_before_the_start_stays_one_per_neuron():
    source = SpikeGeneratorGroup(2, [0, 1], [2, 3] * ms)
    synapses = Synapses(source, source, "dx/dt = (1 - x)/(5*ms) : 1 (event-driven)", on_pre="x *= 0.5")
    synapses.connect()
    synapses.x = 0.2
    assert synapses.traces is not None
    np.testing.assert_allclose(synapses.x[:], 0.2)
    run(1 * ms)
    np.testing.assert_allclose(synapses.x[:], 1 - 0.8 * np.exp(-1 / 5), rtol=1e-14)


def test_delays_that_differ_are_stored_per_synapse():
    source = SpikeGeneratorGroup(2, [0, 1], [1, 1] * ms)
    synapses = Synapses(source, source, "dx/dt = -x/(5*ms) : 1 (event-driven)", on_pre="x += 1")
    synapses.connect()
    synapses.delay = "i*ms + j*ms"
    run(4 * ms)
    assert synapses.traces is None
    ages = 4 - np.array([1, 2, 2, 3])
    np.testing.assert_allclose(synapses.x[:], np.exp(-ages / 5), rtol=1e-14)


def test_synapses_made_later_have_not_seen_earlier_spikes():
    source = SpikeGeneratorGroup(1, [0, 0], [1, 3] * ms)
    target = NeuronGroup(2, "v : 1")
    synapses = Synapses(source, target, "dx/dt = -x/(5*ms) : 1 (event-driven)", on_pre="x += 1")
    synapses.connect(i=0, j=0)
    run(2 * ms)
    synapses.connect(i=0, j=1)
    run(3 * ms)
    np.testing.assert_allclose(synapses.x[:], [np.exp(-4 / 5) + np.exp(-2 / 5), np.exp(-2 / 5)], rtol=1e-14)


def test_a_network_operation_may_write_traces():
    source = SpikeGeneratorGroup(1, [0], [1] * ms)
    target = NeuronGroup(2, "v : 1")
    synapses = Synapses(source, target, "dx/dt = -x/(5*ms) : 1 (event-driven)", on_pre="x += 1")
    synapses.connect()

    @network_operation(dt=2 * ms)
    def write() -> None:
        synapses.x[1] = 7

    run(3 * ms)
    np.testing.assert_allclose(synapses.x[:], [np.exp(-2 / 5), 7 * np.exp(-1 / 5)], rtol=1e-14)
    assert write is not None


def test_store_and_restore_keep_traces():
    synapses = pair_synapses(6, 5, 0.6, 8)
    network = Network(synapses.source, synapses.target, synapses)
    network.run(60 * ms)
    network.store()
    network.run(60 * ms)
    first = np.array(synapses.w[:])
    network.restore()
    assert synapses.traces is not None
    network.run(60 * ms)
    np.testing.assert_array_equal(first, synapses.w[:])


def test_few_synapses_store_their_own(monkeypatch):
    monkeypatch.setattr(traces, "FEWEST", 4)
    group = NeuronGroup(20, "v : 1", threshold="v > 1")
    model = "dx/dt = -x/(5*ms) : 1 (event-driven)"
    few = Synapses(group, group, model, on_pre="x += 1")
    few.connect(j="i")
    many = Synapses(group, group, model, on_pre="x += 1")
    many.connect()
    few.x = many.x = 0.5
    run(5 * ms)
    assert few.traces is None
    assert many.traces is not None
    np.testing.assert_allclose(few.x[:], 0.5 * np.exp(-1))
    np.testing.assert_allclose(many.x[:], 0.5 * np.exp(-1))


def test_traces_cost_no_memory_per_synapse():
    group = NeuronGroup(200, "v : 1", threshold="v > 1")
    synapses = Synapses(group, group, PAIR, on_pre=ON_PRE, on_post=ON_POST, namespace=CONSTANTS)
    synapses.connect()
    run(1 * ms)
    per_synapse = 4 + 4 + 4 + 8  # target, index by target, source by target, w
    assert synapses.memory() < per_synapse * len(synapses) + 100 * len(group)


def test_rates_that_set_how_many_synapses_are_visited_do_not_change_bits():
    """Dense and sparse steps advance traces by different loops."""
    weights = []
    for extra in (0, 200):  # more neurons on the other side make the same events sparse
        eccles.start_scope()
        pre_i, pre_t = trains(10, 60, 0.1, 1)
        post_i, post_t = trains(10, 60, 0.1, 2)
        pre = SpikeGeneratorGroup(10, pre_i, pre_t * eccles.second)
        post = SpikeGeneratorGroup(10 + extra, post_i, post_t * eccles.second)
        synapses = Synapses(pre, post, PAIR, on_pre=ON_PRE, on_post=ON_POST, namespace=CONSTANTS)
        synapses.connect("i == j")
        synapses.w = 0.5
        run(100 * ms)
        weights.append(np.array(synapses.w[:]))
    np.testing.assert_array_equal(weights[0], weights[1])


@pytest.mark.parametrize("face", [eccles, eccles.brian2])
def test_time_constants_that_change_count_from_the_last_event_of_each_synapse(face: Any) -> None:
    """Of the time before a synapse's last event, only the time constant as it was then counts."""

    def weights(where: str, per_synapse: bool) -> np.ndarray:
        face.start_scope()
        source = face.SpikeGeneratorGroup(3, [0, 1, 0], [0, 0.1, 0.8] * ms)
        target = face.SpikeGeneratorGroup(4, [0, 2], [0.4, 0.3] * ms)
        synapses = face.Synapses(
            source, target, f"w : 1\nq : second (shared)\ndA/dt = -A/{where} : 1 (event-driven)",
            on_pre="A += 1; w += A", on_post="w += A",
        )  # fmt: skip
        synapses.connect()
        if per_synapse:
            synapses.store_per_synapse()
        network = face.Network(source, target, synapses)
        synapses.q = 1 * ms
        network.run(0.5 * ms, namespace={"tau": 1 * ms})
        synapses.q = 0.2 * ms
        network.run(0.5 * ms, namespace={"tau": 0.2 * ms})
        return synapses.w[:]

    for where in ["q", "tau"]:
        if (where, face) != ("tau", eccles):  # whose constants are looked up once
            np.testing.assert_array_equal(weights(where, per_synapse=False), weights(where, per_synapse=True))


def test_synapses_made_later_begin_then_even_if_nothing_has_happened():
    source = SpikeGeneratorGroup(1, [0], [30] * ms)
    target = NeuronGroup(2, "v : 1")
    synapses = Synapses(source, target, "dx/dt = (1 - x)/(5*ms) : 1 (event-driven)", on_pre="v_post = x")
    synapses.connect(i=0, j=0)
    run(20 * ms)
    synapses.connect(i=0, j=1)
    run(5 * ms)
    np.testing.assert_allclose(synapses.x[:], 1 - np.exp([-25 / 5, -5 / 5]), rtol=1e-13)
