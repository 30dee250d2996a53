"""What exact time means: which instants a run covers, the order within one, and what each construct sees."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from simulate import network, trains

from eccles import (
    EventMonitor,
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    PopulationRateMonitor,
    RunError,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    defaultclock,
    ms,
    restore,
    run,
    second,
    seed,
    start_scope,
    store,
)
from eccles.explain import explanation

pytestmark = pytest.mark.usefixtures("each_way")

STEPS = [1e-4, 7e-3]


def clock_like(rates, **options: Any) -> NeuronGroup:
    """Neurons that fire at n/rate if nothing disturbs them."""
    rates = np.atleast_1d(np.array(rates, float))
    options = {"threshold": "x > 1", "reset": "x = 0", **options}
    neurons = NeuronGroup(len(rates), "dx/dt = rate : 1\nrate : Hz", **options)
    neurons.rate = rates * Hz
    return neurons


def sources(times, n: int | None = None) -> SpikeGeneratorGroup:
    """One neuron per time, in seconds."""
    return SpikeGeneratorGroup(n or len(times), np.arange(len(times)), np.array(times, float) * second)


def passive(n: int, **options: Any) -> NeuronGroup:
    """Neurons that do nothing until their x is pushed over 1."""
    return NeuronGroup(n, "x : 1", threshold="x > 1", reset="x = 0", **options)


def times(monitor: SpikeMonitor) -> np.ndarray:
    return np.asarray(monitor.t[:])


def close(obtained, expected, atol: float = 1e-15) -> None:
    np.testing.assert_allclose(obtained, expected, rtol=0, atol=atol)


# -- what a run covers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [1e-4, 1e-3, 5e-3])
def test_the_end_of_a_run_belongs_to_it_and_not_to_the_next(dt) -> None:
    neurons = clock_like([200])
    spikes = SpikeMonitor(neurons)
    net = network(neurons, spikes, dt=dt)
    counts = []
    for _ in range(4):
        net.run(5 * ms)
        counts.append(spikes.num_spikes)
    assert counts == [1, 2, 3, 4]
    close(times(spikes), [0.005, 0.01, 0.015, 0.02])


def test_the_first_run_includes_its_start() -> None:
    neurons = clock_like([100, 100])
    neurons.x = [1.5, 0.5]
    source = sources([0.0])
    spikes, given = SpikeMonitor(neurons), SpikeMonitor(source)
    net = network(neurons, source, spikes, given)
    net.run(1 * ms)
    close(times(spikes), [0.0])
    close(times(given), [0.0])
    net.run(9 * ms)
    assert spikes.num_spikes == 3
    close(times(spikes), [0.0, 0.005, 0.01])


def test_a_neuron_put_over_its_threshold_between_runs_fires_at_the_start_of_the_next() -> None:
    neurons = clock_like([100])
    spikes = SpikeMonitor(neurons)
    net = network(neurons, spikes)
    net.run(3 * ms)
    neurons.x = 2
    net.run(11 * ms)
    close(times(spikes), [0.003, 0.013], atol=2e-12)


def test_a_spike_on_its_way_at_the_end_of_a_run_arrives_in_the_next() -> None:
    source, target = sources([0.00095]), passive(1)
    synapses = Synapses(source, target, on_pre="x_post += 2")
    synapses.connect()
    synapses.delay = 0.12345 * ms
    spikes = SpikeMonitor(target)
    net = network(source, target, synapses, spikes)
    net.run(1 * ms)
    assert spikes.num_spikes == 0
    net.run(1 * ms)
    close(times(spikes), [0.00107345])


def test_store_and_restore_continue_from_between_events() -> None:
    neurons = clock_like([311, 223])
    target = NeuronGroup(1, "dv/dt = -v/(7*ms) : 1", threshold="v > 1.2", reset="v = 0")
    synapses = Synapses(neurons, target, on_pre="v_post += 0.5")
    synapses.connect()
    synapses.delay = [2.7183, 3.1416] * ms
    spikes, others = SpikeMonitor(target), SpikeMonitor(neurons)
    net = network(neurons, target, synapses, spikes, others)
    net.run(20 * ms)
    net.store()
    net.run(30 * ms)
    once, v = times(spikes), float(np.asarray(target.v)[0])
    net.restore()
    net.run(30 * ms)
    assert len(once) > 3
    np.testing.assert_array_equal(times(spikes), once)
    assert float(np.asarray(target.v)[0]) == v


def test_run_and_its_kin_without_a_network_have_exact_times() -> None:
    defaultclock.dt = 1 * ms
    neurons = clock_like([220])
    spikes = SpikeMonitor(neurons)
    store()
    run(10 * ms)
    restore()
    run(10 * ms)
    close(times(spikes), [1 / 220, 2 / 220])


# -- spikes of a single neuron ---------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [1e-2, 1e-3])
def test_a_neuron_fires_several_times_in_a_step(dt) -> None:
    neurons = clock_like([1000, 777])
    spikes = SpikeMonitor(neurons)
    network(neurons, spikes, dt=dt).run(20 * ms)
    one, other = trains(spikes)
    close(one, np.arange(1, 21) / 1000, atol=1e-14)
    close(other, np.arange(1, 16) / 777, atol=1e-14)


@pytest.mark.parametrize("reset", ["x = 1.5", "x -= 0.1", "x = x"])
def test_a_reset_that_stays_over_the_threshold_is_an_error_that_names_neuron_and_time(reset) -> None:
    neurons = clock_like([0, 100, 0], reset=reset, name="restless")
    neurons.x = [0, 0.5, 0]
    if reset == "x -= 0.1":
        source = sources([0.005])
        synapses = Synapses(source, neurons, on_pre="x_post += 0.9*int(i == 0)")
        synapses.connect(j="1")
        objects: list[Any] = [source, synapses]
    else:
        objects = []
    with pytest.raises(RunError, match=r"neuron 1 of restless.*5\.? ms"):
        network(neurons, *objects).run(10 * ms)


def test_with_a_refractory_period_a_reset_may_stay_over_the_threshold() -> None:
    neurons = clock_like([100], reset="x = 1.5", refractory=2.5 * ms)
    spikes = SpikeMonitor(neurons)
    network(neurons, spikes).run(20 * ms)
    close(times(spikes), [0.01, 0.0125, 0.015, 0.0175, 0.02], atol=5e-15)


@pytest.mark.parametrize("dt", STEPS)
def test_refractory_periods_end_exactly(dt) -> None:
    frozen = NeuronGroup(
        2, "dx/dt = 300*Hz : 1 (unless refractory)\nrest : second",
        threshold="x > 1", reset="x = 0", refractory="rest",
    )  # fmt: skip
    frozen.rest = [1.23456, 0.1] * ms
    moving = clock_like([1000], refractory=2.34567 * ms)  # reaches the threshold before it may fire
    one, other = SpikeMonitor(frozen), SpikeMonitor(moving)
    network(frozen, moving, one, other, dt=dt).run(35 * ms)
    for k, rest in enumerate([0.00123456, 0.0001]):
        period = 1 / 300 + rest
        expected = np.arange(period, 0.035 + rest, period) - rest
        close(trains(one)[k], expected, atol=1e-14)
    close(times(other), 0.001 + 0.00234567 * np.arange(15), atol=1e-14)


def test_a_refractory_period_may_be_drawn_at_each_spike() -> None:
    def simulate(dt: float) -> list[np.ndarray]:
        start_scope()
        seed(5)
        neurons = NeuronGroup(
            3, "dx/dt = 300*Hz : 1 (unless refractory)", threshold="x > 1", reset="x = 0",
            refractory="(1 + 3*rand())*ms", name="drawn",
        )  # fmt: skip
        spikes = SpikeMonitor(neurons)
        network(neurons, spikes, dt=dt).run(70 * ms)
        return trains(spikes)

    reference = simulate(1e-4)
    for train in reference:
        rests = np.diff(train) - 1 / 300
        assert 0.001 < rests.min() < 0.002 < 0.003 < rests.max() < 0.004
    for dt in (5e-5, 1e-3, 7e-3):
        for one, other in zip(simulate(dt), reference, strict=True):
            close(one, other, atol=1e-14)


def test_what_a_refractory_neuron_receives_is_lost_until_the_very_end() -> None:
    neurons = NeuronGroup(
        2, "dx/dt = 0*Hz : 1 (unless refractory)", threshold="x > 1", reset="x = 0", refractory=2 * ms
    )
    source = sources([0.001, 0.003 - 3e-12, 0.003])
    synapses = Synapses(source, neurons, on_pre="x_post += 1.5")
    synapses.connect(i=[0, 1, 0, 2], j=[0, 0, 1, 1])
    spikes = SpikeMonitor(neurons)
    network(neurons, source, synapses, spikes, dt=1e-3).run(5 * ms)
    too_early, in_time = trains(spikes)
    close(too_early, [0.001])
    close(in_time, [0.001, 0.003], atol=2e-12)


@pytest.mark.parametrize("dt", STEPS)
def test_a_refractory_condition_ends_when_it_is_not_true_any_more(dt) -> None:
    neurons = NeuronGroup(
        1, "dx/dt = 1000*Hz : 1 (unless refractory)\ndb/dt = -b/(10*ms) : 1",
        threshold="x > 1", reset="x = 0; b = 1", refractory="b > 0.5",
    )  # fmt: skip
    spikes = SpikeMonitor(neurons)
    network(neurons, spikes, dt=dt).run(28 * ms)
    close(times(spikes), 0.001 + np.arange(4) * (0.001 + 0.01 * math.log(2)), atol=1e-14)


@pytest.mark.parametrize("dt", STEPS)
def test_thresholds_may_differ_change_in_time_and_adapt(dt) -> None:
    neurons = NeuronGroup(
        3, "dx/dt = 120*Hz : 1\nvt : 1\nslope : Hz\njump : 1",
        threshold="x > vt*(1 + slope*t)", reset="x = 0; vt += jump",
    )  # fmt: skip
    vt, slope, jump = np.array([0.7, 1.1, 1.0]), np.array([0.0, 25.0, -3.0]), np.array([0.13, 0.0, 0.01])
    neurons.vt, neurons.slope, neurons.jump = vt, slope * Hz, jump
    spikes = SpikeMonitor(neurons)
    network(neurons, spikes, dt=dt).run(56 * ms)
    for k, train in enumerate(trains(spikes)):
        expected, last, v = [], 0.0, vt[k]
        while True:
            # 120*(t - last) = v*(1 + slope*t)
            last = (v + 120 * last) / (120 - v * slope[k])
            if last > 0.056:
                break
            expected.append(last)
            v += jump[k]
        assert len(expected) >= 3
        close(train, expected, atol=1e-14)


@pytest.mark.parametrize("dt", STEPS)
def test_a_threshold_that_a_synapse_lowers_is_crossed_at_once(dt) -> None:
    neurons = NeuronGroup(1, "dx/dt = 100*Hz : 1\nvt : 1", threshold="x > vt", reset="x = 0; vt = 1")
    neurons.vt = 1
    source = sources([0.00612, 0.0145])
    synapses = Synapses(source, neurons, on_pre="vt_post -= 0.5")
    synapses.connect()
    spikes = SpikeMonitor(neurons)
    network(neurons, source, synapses, spikes, dt=dt).run(28 * ms)
    # x is 0.612 when it has to be 0.5; then 0.838 at the second; then it goes on from 0
    close(times(spikes), [0.00612, 0.0145, 0.0245])


@pytest.mark.parametrize(("op", "fires"), [(">", False), (">=", True)])
def test_reaching_the_threshold_without_exceeding_it(op, fires) -> None:
    neurons = NeuronGroup(1, "x : 1", threshold=f"x {op} 1", reset="x = 0")
    source = sources([0.00123])
    synapses = Synapses(source, neurons, on_pre="x_post += 1")
    synapses.connect()
    spikes = SpikeMonitor(neurons)
    network(neurons, source, synapses, spikes).run(2 * ms)
    close(times(spikes), [0.00123] if fires else [])


@pytest.mark.parametrize("dt", [2e-4, 1e-4])
def test_random_resets_do_not_depend_on_the_time_step(dt) -> None:
    def simulate(step: float) -> list[np.ndarray]:
        start_scope()
        seed(6)
        neurons = clock_like([311, 97, 1003], reset="x = 0.7*rand() + 0.05*randn()", name="random")
        spikes = SpikeMonitor(neurons)
        network(neurons, spikes, dt=step).run(50 * ms)
        return trains(spikes)

    coarse, fine = simulate(dt), simulate(dt / 2)
    assert len(coarse[0]) > 15
    for one, other in zip(coarse, fine, strict=True):
        close(one, other, atol=1e-14)
        assert np.ptp(np.diff(one)) > 1e-4


# -- within an instant -----------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0, 5e-13, -5e-13])
@pytest.mark.parametrize(("order", "expected"), [(0, 3.0), (2, 4.0)])
def test_of_coincident_spikes_the_order_of_the_pathways_decides(offset, order, expected) -> None:
    pre, post = sources([0.00123]), sources([0.00123 + offset])
    synapses = Synapses(pre, post, "w : 1", on_pre="w = 2*w", on_post="w = w + 1")
    synapses.connect()
    synapses.w = 1
    synapses.pre.order = order
    network(pre, post, synapses, dt=1e-3).run(2 * ms)
    assert float(np.asarray(synapses.w)[0]) == expected


@pytest.mark.parametrize("other", [0, 1])
def test_a_spike_without_delay_arrives_in_order_whatever_the_delays_of_others(other) -> None:
    neurons = sources([0.00123, 0.00123])
    synapses = Synapses(
        neurons, neurons, "code : 1", on_pre="code = 10*code + 1", on_post="code = 10*code + 2"
    )
    synapses.connect(i=[0, 1], j=[1, 0])
    synapses.pre.delay = [0, other] * ms
    network(neurons, synapses).run(3 * ms)
    np.testing.assert_array_equal(synapses.code[:], [12, 21 if other else 12])


@pytest.mark.parametrize(("offset", "expected"), [(3e-12, 3.0), (-3e-12, 4.0)])
def test_spikes_three_picoseconds_apart_do_not_coincide(offset, expected) -> None:
    for order in (0, 2):
        pre, post = sources([0.00123]), sources([0.00123 + offset])
        synapses = Synapses(pre, post, "w : 1", on_pre="w = 2*w", on_post="w = w + 1")
        synapses.connect()
        synapses.w = 1
        synapses.pre.order = order
        network(pre, post, synapses, dt=1e-3).run(2 * ms)
        assert float(np.asarray(synapses.w)[0]) == expected


def test_what_arrives_as_a_neuron_fires_is_lost_to_its_reset() -> None:
    neurons = clock_like([200, 200])
    source = sources([0.005, 0.005 + 3e-12])
    synapses = Synapses(source, neurons, on_pre="x_post += 0.25")
    synapses.connect(j="i")
    spikes = SpikeMonitor(neurons)
    network(neurons, source, synapses, spikes, dt=1e-3).run(10 * ms)
    with_the_spike, after_it = trains(spikes)
    close(with_the_spike, [0.005, 0.01], atol=2e-12)
    close(after_it, [0.005, 0.00875], atol=4e-12)


@pytest.mark.parametrize("dt", STEPS)
def test_a_chain_without_delays_fires_at_one_time(dt) -> None:
    first, chain = sources([0.00123456]), passive(5)
    start = Synapses(first, chain, on_pre="x_post += 2")
    start.connect(i=0, j=0)
    onward = Synapses(chain, chain, on_pre="x_post += 2")
    onward.connect(condition="j == i + 1")
    spikes = SpikeMonitor(chain)
    network(first, chain, start, onward, spikes, dt=dt).run(14 * ms)
    np.testing.assert_array_equal(spikes.i[:], range(5))
    close(times(spikes), [0.00123456] * 5)


@pytest.mark.parametrize("dt", STEPS)
def test_a_chain_with_delays_shorter_than_the_step_fires_in_order(dt) -> None:
    first, chain = sources([0.00123456]), passive(6)
    start = Synapses(first, chain, on_pre="x_post += 2")
    start.connect(i=0, j=0)
    onward = Synapses(chain, chain, on_pre="x_post += 2")
    onward.connect(condition="j == i + 1")
    delays = [0.1e-3, 0.037e-3, 0.0, 1.1e-6, 0.9]
    onward.delay = np.array(delays) * ms
    spikes = SpikeMonitor(chain)
    network(first, chain, start, onward, spikes, dt=dt).run(14 * ms)
    close(times(spikes), 0.00123456 + np.concatenate([[0], np.cumsum(delays)]) * 1e-3)


def test_a_loop_without_delay_ends_with_refractory_periods() -> None:
    source, pair = sources([0.00123]), passive(2, refractory=1 * ms)
    start = Synapses(source, pair, on_pre="x_post += 2")
    start.connect(i=0, j=0)
    loop = Synapses(pair, pair, on_pre="x_post += 2")
    loop.connect(condition="i != j")
    spikes = SpikeMonitor(pair)
    network(source, pair, start, loop, spikes).run(2 * ms)
    np.testing.assert_array_equal(spikes.i[:], [0, 1])
    close(times(spikes), [0.00123, 0.00123])


def test_a_loop_without_delay_and_without_end_is_an_error() -> None:
    source, pair = sources([0.00123]), passive(2)
    start = Synapses(source, pair, on_pre="x_post += 2")
    start.connect(i=0, j=0)
    loop = Synapses(pair, pair, on_pre="x_post += 2")
    loop.connect(condition="i != j")
    with pytest.raises(RunError, match=r"1\.23"):
        network(source, pair, start, loop).run(2 * ms)


def test_neurons_driven_over_threshold_together_all_fire_then() -> None:
    source, target = sources([0.00123] * 3), passive(4)
    synapses = Synapses(source, target, "w : 1", on_pre="x_post += w")
    synapses.connect()
    synapses.w = 0.4  # three of them are needed
    spikes = SpikeMonitor(target)
    network(source, target, synapses, spikes, dt=1e-3).run(2 * ms)
    close(times(spikes), [0.00123] * 4)


# -- synapses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dt", STEPS)
@pytest.mark.parametrize("side", ["pre", "post"])
def test_delays_are_exact_on_both_sides(dt, side) -> None:
    delays = np.array([0.0, 1e-9, 0.31415926e-3, 1e-3, 2.7182818e-3, 9.99999e-3])
    n = len(delays)
    source, target = clock_like([151] * n), passive(n)
    if side == "pre":
        synapses = Synapses(source, target, on_pre="x_post += 2")
    else:
        synapses = Synapses(target, source, on_post="x_pre += 2")
    synapses.connect(j="i")
    getattr(synapses, side).delay = delays * second
    spikes = SpikeMonitor(target)
    network(source, target, synapses, spikes, dt=dt).run(28 * ms)
    for delay, train in zip(delays, trains(spikes), strict=True):
        expected = np.arange(1, 5) / 151 + delay
        close(train, expected[expected <= 0.028], atol=2e-15)


def test_a_uniform_delay_is_exact() -> None:
    source, target = clock_like([151, 97]), passive(2)
    synapses = Synapses(source, target, on_pre="x_post += 2", delay=1.23456789 * ms)
    synapses.connect(j="i")
    spikes = SpikeMonitor(target)
    network(source, target, synapses, spikes).run(30 * ms)
    close(trains(spikes)[0], np.arange(1, 5) / 151 + 0.00123456789, atol=2e-15)
    close(trains(spikes)[1], np.arange(1, 3) / 97 + 0.00123456789, atol=2e-15)


@pytest.mark.parametrize("dt", STEPS)
def test_event_driven_variables_lastupdate_and_lastspike_know_exact_times(dt) -> None:
    given = np.array([0.00123, 0.0051, 0.0117])
    source = SpikeGeneratorGroup(1, [0] * 3, given * second)
    target = clock_like([151])
    synapses = Synapses(
        source, target, """dtrace/dt = -trace/(5*ms) : 1 (event-driven)
                           last : second
                           seen : 1""",
        on_pre="last = lastupdate; trace += 1", on_post="seen = trace",
    )  # fmt: skip
    synapses.connect()
    network(source, target, synapses, dt=dt).run(14 * ms)
    close(np.asarray(synapses.lastupdate), [2 / 151])
    close(np.asarray(target.lastspike), [2 / 151])
    age = 2 / 151 - given
    close(np.asarray(synapses.seen), [np.exp(-age / 0.005).sum()], atol=1e-14)
    age = 0.014 - given
    close(np.asarray(synapses.trace), [np.exp(-age / 0.005).sum()], atol=1e-14)


@pytest.mark.parametrize("dt", STEPS)
def test_a_rule_sees_the_potential_of_both_sides_at_the_time_of_the_spike(dt) -> None:
    neurons = NeuronGroup(2, "dv/dt = (2 - v)/tau : 1\ntau : second", threshold="v > 1.5", reset="v = 0")
    neurons.tau = [10, 17] * ms
    source = sources([0.0012345, 0.0034567])
    synapses = Synapses(source, neurons, "seen : 1\nmoment : second", on_pre="seen = v_post; moment = t")
    synapses.connect(j="i")
    mutual = Synapses(neurons, neurons, "pre_seen : 1\npost_seen : 1", on_pre="pre_seen = v_post",
                      on_post="post_seen = v_pre")  # fmt: skip
    mutual.connect(i=0, j=1)
    network(neurons, source, synapses, mutual, dt=dt).run(28 * ms)

    def v(t: float, tau: float) -> float:
        period = tau * math.log(4)
        return 2 - 2 * math.exp(-math.fmod(t, period) / tau)

    close(np.asarray(synapses.seen), [v(0.0012345, 0.01), v(0.0034567, 0.017)], atol=1e-14)
    close(np.asarray(synapses.moment), [0.0012345, 0.0034567])
    periods = [0.01 * math.log(4), 0.017 * math.log(4)]
    close(np.asarray(mutual.pre_seen), [v(2 * periods[0], 0.017)], atol=1e-14)
    close(np.asarray(mutual.post_seen), [v(periods[1], 0.01)], atol=1e-14)


@pytest.mark.parametrize("dt", STEPS)
def test_a_rule_that_writes_to_the_presynaptic_side_moves_its_next_spike(dt) -> None:
    pre, post = clock_like([100]), clock_like([230])
    synapses = Synapses(pre, post, on_post="x_pre += 0.1")
    synapses.connect()
    spikes = SpikeMonitor(pre)
    network(pre, post, synapses, spikes, dt=dt).run(28 * ms)
    expected, last, x = [], 0.0, 0.0
    for kick in np.arange(1, 8) / 230:
        if x + 100 * (kick - last) > 1:
            last, x = last + (1 - x) / 100, 0.0
            expected.append(last)
        x += 100 * (kick - last) + 0.1
        last = kick
        if x > 1:
            expected.append(last)
            x = 0.0
    assert len(expected) >= 3
    close(times(spikes), [t for t in expected if t <= 0.028], atol=1e-14)


@pytest.mark.parametrize("dt", STEPS)
def test_rules_in_one_step_follow_the_order_of_time_across_synapses(dt) -> None:
    # each spike reads and writes the common variable of its target: the result tells the order
    given = np.array([0.0031, 0.0012, 0.0047, 0.0029, 0.0011])
    source = sources(given)
    target = NeuronGroup(1, "code : 1")
    synapses = Synapses(source, target, on_pre="code_post = 10*code_post + i + 1")
    synapses.connect()
    network(source, target, synapses, dt=dt).run(14 * ms)
    assert float(np.asarray(target.code)[0]) == 52413


# -- sources ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [*STEPS, 1.4e-2])
def test_a_generators_spikes_come_as_given(dt) -> None:
    given = np.array([0.0, 1e-9, 0.0001, 0.00010003, 0.0033333333333, 0.007, 0.0139999, 0.014])
    source = SpikeGeneratorGroup(2, [0] * len(given) + [1], np.append(given, 0.0001) * second)
    spikes = SpikeMonitor(source)
    network(source, spikes, dt=dt).run(14 * ms)
    close(trains(spikes)[0], given, atol=2e-18)
    close(trains(spikes)[1], [0.0001], atol=2e-18)


@pytest.mark.parametrize("dt", [1e-4, 3e-4])
def test_a_generators_period_need_not_be_a_multiple_of_the_time_step(dt) -> None:
    source = SpikeGeneratorGroup(1, [0, 0], [0.00031, 0.0012] * second, period=1.2345 * ms)
    spikes = SpikeMonitor(source)
    network(source, spikes, dt=dt).run(6 * ms)
    expected = np.add.outer(0.0012345 * np.arange(5), [0.00031, 0.0012]).ravel()
    close(times(spikes), expected[expected < 0.006])


def test_poisson_spike_times_do_not_depend_on_the_time_step() -> None:
    def simulate(dt: float, rates: Any) -> list[np.ndarray]:
        start_scope()
        seed(7)
        source = PoissonGroup(50, rates, name="poisson")
        spikes = SpikeMonitor(source)
        network(source, spikes, dt=dt).run(500 * ms)
        return trains(spikes)

    for rates in (40 * Hz, np.linspace(1, 2000, 50) * Hz):
        reference = simulate(1e-4, rates)
        assert sum(len(t) for t in reference) > 500
        # off the grid
        assert np.mean(np.abs(np.concatenate(reference) / 1e-4 % 1 - 0.5) < 0.25) == pytest.approx(
            0.5, abs=0.1
        )
        for dt in (5e-5, 1e-3, 1e-2):
            for one, other in zip(simulate(dt, rates), reference, strict=True):
                close(one, other, atol=1e-13)


def test_intervals_of_a_poisson_source_are_exponential() -> None:
    source = PoissonGroup(100, 3000 * Hz)
    spikes = SpikeMonitor(source)
    network(source, spikes, dt=1e-3).run(1 * second)
    intervals = np.concatenate([np.diff(t) for t in trains(spikes)]) * 3000
    n = len(intervals)
    assert n == pytest.approx(300_000, abs=3000)
    assert intervals.mean() == pytest.approx(1, abs=0.01)
    for x in (0.1, 0.5, 1, 2, 4):
        p = math.exp(-x)
        assert np.mean(intervals > x) == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / n))


# -- what is on the grid -------------------------------------------------------------------------------------


def test_custom_events_come_at_the_ends_of_time_steps() -> None:
    neurons = NeuronGroup(
        2, "dx/dt = 100*Hz : 1", threshold="x > 1", reset="x = 0", events={"half": "x > 0.5 and x < 0.6"}
    )
    neurons.x = [0, 0.123]
    events = EventMonitor(neurons, "half")
    network(neurons, events, dt=4e-4).run(10 * ms)
    t, i = np.asarray(events.t[:]), np.asarray(events.i[:])
    close(t[i == 0], [0.0052, 0.0056])
    close(t[i == 1], [0.004, 0.0044])


def test_a_threshold_that_is_no_comparison_is_looked_at_on_the_grid_and_explain_says_so() -> None:
    neurons = clock_like([220], threshold="x > 1 or x < -1")
    spikes = SpikeMonitor(neurons)
    net = network(neurons, spikes, dt=1e-4)
    net.run(10 * ms)
    close(times(spikes), [0.0046, 0.0092])
    assert "'or'" in explanation(net)


def test_a_group_may_stay_on_the_grid_in_a_network_with_exact_times() -> None:
    grid, exact = clock_like([220], spike_times="grid"), clock_like([220])
    one, other = SpikeMonitor(grid), SpikeMonitor(exact)
    network(grid, exact, one, other, dt=1e-4).run(10 * ms)
    close(times(one), [0.0046, 0.0092])
    close(times(other), [1 / 220, 2 / 220])


def test_a_network_may_be_put_on_the_grid() -> None:
    neurons = clock_like([220])
    spikes = SpikeMonitor(neurons)
    net = Network(neurons, spikes)
    net.spike_times = "grid"
    net.run(10 * ms)
    assert np.all(np.abs(times(spikes) * 1e4 - np.round(times(spikes) * 1e4)) < 1e-9)


def test_traces_are_sampled_on_the_grid_the_end_included() -> None:
    neurons = NeuronGroup(1, "dv/dt = (2 - v)/(10*ms) : 1", threshold="v > 1.5", reset="v = 0")
    trace = StateMonitor(neurons, "v", record=True)
    net = network(neurons, trace, dt=1e-3)
    net.run(15 * ms)
    net.run(5 * ms)
    close(np.asarray(trace.t[:]), np.arange(21) * 1e-3)
    since = np.fmod(np.arange(21) * 1e-3, 0.01 * math.log(4))
    close(np.asarray(trace.v[0]), 2 - 2 * np.exp(-since / 0.01), atol=1e-14)


def test_a_spike_monitor_records_other_variables_as_they_are_at_the_crossing() -> None:
    neurons = NeuronGroup(
        1, "dv/dt = (2 - v)/(10*ms) : 1\ndu/dt = -u/(20*ms) : 1", threshold="v > 1.5", reset="v = 0; u += 1"
    )
    spikes = SpikeMonitor(neurons, variables=["v", "u"])
    network(neurons, spikes, dt=1e-3).run(30 * ms)
    close(np.asarray(spikes.v[:]), [1.5, 1.5], atol=1e-14)
    decay = math.exp(-math.log(4) / 2)
    close(np.asarray(spikes.u[:]), [0, decay], atol=1e-14)


def test_a_rate_monitor_counts_each_spike_in_the_step_that_holds_it() -> None:
    neurons = clock_like([300, 700])
    rates = PopulationRateMonitor(neurons)
    spikes = SpikeMonitor(neurons)
    network(neurons, rates, spikes, dt=1e-3).run(20 * ms)
    counted = np.asarray(rates.rate[:]) * 2 * 1e-3
    assert counted.sum() == pytest.approx(spikes.num_spikes)
    step = np.ceil(np.round(times(spikes) / 1e-3, 9)).astype(int) - 1
    np.testing.assert_allclose(counted, np.bincount(step, minlength=20), atol=1e-9)


@pytest.mark.parametrize("dt", [2.5e-4, 1e-3, 5e-3])
def test_steps_of_an_input_that_is_an_array_over_time_are_boundaries(dt) -> None:
    neurons = NeuronGroup(
        1, "dx/dt = rates(t) : 1", threshold="x > 1", reset="x = 0",
        namespace={"rates": TimedArray([100, 400, 0, 900] * Hz, dt=2.5 * ms)},
    )  # fmt: skip
    spikes = SpikeMonitor(neurons)
    network(neurons, spikes, dt=dt).run(10 * ms)
    # x is 0.25 at 2.5 ms, crosses 0.75/400 later, is 0.25 at 5 ms, stays there until 7.5 ms
    expected = [0.0025 + 0.75 / 400, *(0.0075 + (0.75 + np.arange(2)) / 900)]
    close(times(spikes), expected, atol=1e-14)
