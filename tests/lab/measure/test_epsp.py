"""Test pulses: right to rounding, and nothing of the simulation is touched by them."""

from __future__ import annotations

import numpy as np
import pytest

from eccles import *
from eccles.lab.measure import epsp
from eccles.lab.rules import Rule, calcium, dopamine, homeostasis, pair, reward

TAU_M, TAU_S, CAPACITANCE = 20e-3, 5e-3, 200e-12
CELL = """dv/dt = -v/(20*ms) + I/(200*pF) : volt (unless refractory)
dI/dt = -I/(5*ms) : amp"""
SPIKES = {"threshold": "v > 12*mV", "reset": "v = 0*mV", "refractory": 2 * ms}


def exponential(t: np.ndarray, current: float) -> np.ndarray:
    """The response of a membrane to a current that jumps and decays."""
    k = TAU_M * TAU_S / (TAU_M - TAU_S)
    return current / CAPACITANCE * k * (np.exp(-t / TAU_M) - np.exp(-t / TAU_S))


def plastic_network(mode: str = "precise", sources: int = 3, cell: str = CELL) -> tuple[Network, Synapses]:
    source = PoissonGroup(sources, rates=40 * Hz)
    target = NeuronGroup(2, cell, **SPIKES)
    synapses = pair().synapses(source, target, transmission="I_post += w*800*pA", delay=1.23 * ms)
    synapses.w = np.linspace(0.3, 0.7, 2 * sources)
    return Network(source, target, synapses, spike_times=mode), synapses


@pytest.mark.parametrize("mode", ["precise", "grid"])
def test_responses_have_the_closed_form_of_a_membrane(mode: str) -> None:
    seed(3)
    network, synapses = plastic_network(mode)
    network.run(300 * ms)
    result = epsp(synapses, interval=20 * ms)
    assert len({float(w) for w in synapses.w}) == 6  # each of its own
    for k, w in enumerate(np.array(synapses.w[:])):
        expected = exponential(result.time.values, w * 800e-12)
        for trace in (result.trace, result.second_trace):
            np.testing.assert_allclose(trace[k], expected, rtol=0, atol=1e-12 * expected.max())
    np.testing.assert_array_equal(result.source, [0, 0, 1, 1, 2, 2])
    np.testing.assert_array_equal(result.target, [0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize("mode", ["precise", "grid"])
def test_a_run_goes_on_as_if_nothing_had_been_measured(mode: str) -> None:
    found = []
    silence("spikes_on_grid")
    noisy = CELL.replace(" : volt", " + 3*mV*xi*(20*ms)**-0.5 : volt")
    for measured in (False, True):
        start_scope()
        seed(7)
        network, synapses = plastic_network(mode, cell=noisy)
        spikes = SpikeMonitor(synapses.target, variables="v")
        network.add(spikes)
        network.run(100 * ms)
        if measured:
            epsp(synapses, interval=10 * ms)
        network.run(100 * ms)
        found.append([np.array(x[:]) for x in (synapses.w, synapses.target.v, spikes.t, spikes.v)])
        found[-1].append(np.array(rand_of(synapses)))
    assert len(found[0][2]) > 5
    for without, with_it in zip(*found, strict=True):
        np.testing.assert_array_equal(without, with_it)


def rand_of(synapses: Synapses) -> np.ndarray:
    """Random numbers that are drawn next outside a run."""
    synapses.target.I = "rand()*amp"
    return np.array(synapses.target.I[:])


def test_noise_and_other_input_are_alike_with_and_without_the_pulse() -> None:
    seed(5)
    silence("spikes_on_grid")
    noisy = CELL.replace(" : volt", " + 5*mV*xi*(20*ms)**-0.5 : volt")
    target = NeuronGroup(3, noisy, threshold="v > 1*volt", reset="v = 0*mV")  # none is refractory
    source = SpikeGeneratorGroup(1, [0], [5] * ms)
    synapses = pair().synapses(source, target, transmission="I_post += w*800*pA")
    background = PoissonInput(target, "I", 10, 50 * Hz, 200 * pA)
    network = Network(source, target, synapses, background)
    network.run(50 * ms)
    result = epsp(synapses)
    steps = np.diff(result.time.values)[0] * np.array([[-1 / TAU_M, 1 / CAPACITANCE], [0, -1 / TAU_S]])
    state, expected = np.array([0, 1e-12]), []
    for _ in result.time.values:  # stochastic equations are integrated by Euler's method
        expected.append(state[0])
        state = state + steps @ state
    for k, w in enumerate(np.array(synapses.w[:])):
        np.testing.assert_allclose(result.trace[k], w * 800 * np.array(expected), rtol=0, atol=1e-14)
    assert float(abs(result.trace).max()) > 1e-3


def test_a_pulse_neither_changes_the_weight_nor_makes_a_spike() -> None:
    greedy = Rule(
        "greedy", "w : 1", on_pre="w = 3*w", on_post="w = 0*w", initial={"w": 1.0}, transmits="after"
    )
    source = SpikeGeneratorGroup(1, [], [] * ms)
    target = NeuronGroup(1, "dv/dt = -v/(10*ms) : volt", threshold="v > 1*mV", reset="v = 0*mV")
    synapses = greedy.synapses(source, target, transmission="v_post += w*20*mV")
    result = epsp(synapses, interval=5 * ms)
    expected = 0.02 * np.exp(-result.time.values / 0.01)  # far above the threshold
    np.testing.assert_allclose(result.trace[0], expected, rtol=0, atol=1e-14)
    np.testing.assert_allclose(result.second_trace[0], expected, rtol=0, atol=1e-14)
    assert synapses.w[0] == 1


def test_without_freezing_the_weight_a_pulse_would_have_changed_it() -> None:
    greedy = Rule("greedy", "w : 1", "w = 3*w", initial={"w": 1.0}, transmits="after")
    source = SpikeGeneratorGroup(1, [], [] * ms)
    target = NeuronGroup(1, "dv/dt = -v/(10*ms) : volt", threshold="v > 1*mV", reset="v = 0*mV")
    synapses = greedy.synapses(source, target, transmission="v_post += w*20*mV")
    result = epsp(synapses, interval=5 * ms, freeze=())
    assert result.amplitude[0] == pytest.approx(0.06)
    assert result.paired_pulse_ratio[0] == pytest.approx(3)


@pytest.mark.parametrize(
    ("rule", "weight"),
    [
        (Rule("greedy", "strength : 1", "strength = 3*strength", weight="strength",
              initial={"strength": 0.5}, transmits="after"), "strength"),
        (calcium("P"), "rho"),
        (calcium("P", stepped=True), "rho"),
    ],
    ids=["own", "calcium", "calcium in steps"],
)  # fmt: skip
def test_a_weight_of_any_name_is_that_of_the_moment_of_the_test(rule: Rule, weight: str) -> None:
    seed(2)
    silence("spikes_on_grid")
    source = SpikeGeneratorGroup(2, [0, 1, 0], [10, 12, 40] * ms)  # the last one is on its way in the test
    target = NeuronGroup(2, CELL, **SPIKES)
    synapses = rule.synapses(source, target, transmission=f"I_post += {weight}*80*pA", delay=1 * ms)
    network = Network(source, target, synapses)
    network.run(40.5 * ms)
    weights = np.array(getattr(synapses, weight)[:])
    assert not np.any(weights == 0.5)
    result = epsp(synapses, interval=30 * ms)
    for k, w in enumerate(weights):
        expected = exponential(result.time.values, w * 80e-12)
        for trace in (result.trace, result.second_trace):
            np.testing.assert_allclose(trace[k], expected, rtol=0, atol=1e-9 * expected.max())
    np.testing.assert_array_equal(getattr(synapses, weight)[:], weights)


def test_a_reward_shows_in_the_next_test_before_any_spike() -> None:
    rule = dopamine()
    source = SpikeGeneratorGroup(1, [0], [10] * ms)
    target = NeuronGroup(1, CELL + "\n" + rule.post_equations, events=dict(rule.post_events), **SPIKES)
    push = Synapses(SpikeGeneratorGroup(1, [0], [15] * ms), target, on_pre="v_post = 13*mV")
    push.connect()
    teacher = SpikeGeneratorGroup(1, [0], [100] * ms)
    given = reward(teacher, target, amount=2.0)
    synapses = rule.synapses(source, target, transmission="I_post += w*80*pA")
    network = Network(source, target, push.source, push, teacher, given, synapses)
    network.run(5 * second)  # all of c and d is gone
    eligible = 0.1 * np.exp(-5 / 20) * np.exp(-0.085)  # A_plus; tau_plus = 20 ms; tau_c = 1 s
    change = eligible * 2 / (1 / 1 + 1 / 0.2)
    assert change > 0.02
    assert synapses.w[0] == 1  # that of the last event
    result = epsp(synapses, interval=30 * ms)
    expected = exponential(result.time.values, (1 + change) * 80e-12)
    np.testing.assert_allclose(result.trace[0], expected, rtol=0, atol=1e-9 * expected.max())
    np.testing.assert_allclose(result.paired_pulse_ratio, 1, rtol=1e-9)
    assert synapses.w[0] == 1


def test_scaling_shows_in_a_test_before_any_spike() -> None:
    source, target = SpikeGeneratorGroup(1, [], [] * ms), NeuronGroup(1, CELL, **SPIKES)
    synapses = homeostasis(tau_w=2 * second).synapses(source, target, transmission="I_post += w*80*pA")
    network = Network(source, target, synapses)
    result = epsp(synapses, at=[0, 1] * second, network=network)
    ratio = result.amplitude[1, 0].item() / result.amplitude[0, 0].item()
    assert ratio == pytest.approx(np.exp(1 / 2), rel=1e-9)


def test_a_weight_with_an_equation_of_its_own_stands_still() -> None:
    drifting = Rule("drifting", "dw/dt = 1/second : 1 (clock-driven)", on_pre="w += 0", initial={"w": 0.5})
    source = SpikeGeneratorGroup(1, [], [] * ms)
    target = NeuronGroup(1, "dv/dt = -v/(10*ms) : volt", threshold="v > 1*volt", reset="v = 0*mV")
    synapses = drifting.synapses(source, target, transmission="v_post += w*20*mV")
    result = epsp(synapses, at=[0, 100] * ms)
    np.testing.assert_allclose(result.amplitude[:, 0], [0.01, 0.012], rtol=1e-9)


@pytest.mark.parametrize("targets", [1, 8])  # what is alike for many synapses of a neuron is stored once
def test_a_weight_that_spikes_find_by_its_equation_stands_still(targets: int) -> None:
    fading = Rule("fading", "dw/dt = -w/(100*ms) : 1 (event-driven)", on_pre="w += 0.5", initial={"w": 0.5})
    source = SpikeGeneratorGroup(1, [0], [20] * ms)
    target = NeuronGroup(targets, "dv/dt = -v/(10*ms) : volt", threshold="v > 1*volt", reset="v = 0*mV")
    synapses = fading.synapses(source, target, transmission="v_post += w*20*mV")
    result = epsp(synapses, at=[0, 100] * ms, interval=30 * ms)
    expected = [0.5, 0.5 * np.exp(-1) + 0.5 * np.exp(-0.8)]
    for k in range(targets):
        np.testing.assert_allclose(result.amplitude[:, k], 0.02 * np.array(expected), rtol=1e-9)
    np.testing.assert_allclose(result.paired_pulse_ratio, 1, rtol=1e-9)


def test_the_latency_is_counted_from_the_presynaptic_spike() -> None:
    source = SpikeGeneratorGroup(1, [], [] * ms)
    target = NeuronGroup(2, CELL, **SPIKES)
    rule = pair().with_conventions(delays="split")
    synapses = rule.synapses(source, target, transmission="I_post += w*800*pA", delay=3.21 * ms)
    result = epsp(synapses)
    peak = TAU_M * TAU_S / (TAU_M - TAU_S) * np.log(TAU_M / TAU_S)
    np.testing.assert_allclose(result.peak_time, 3.21e-3 + peak, rtol=1e-6)
    np.testing.assert_allclose(result.time_to_peak, peak, rtol=1e-6)
    np.testing.assert_allclose(result.amplitude, exponential(np.array(peak), 0.5 * 800e-12), rtol=1e-6)


def test_what_a_rule_does_later_than_the_transmission_does_not_matter() -> None:
    source = SpikeGeneratorGroup(1, [], [] * ms)
    target = NeuronGroup(1, CELL, **SPIKES)
    rule = calcium(noise=False)  # calcium comes in 13.7 ms after the spike has arrived
    synapses = rule.synapses(source, target, transmission="I_post += rho*800*pA", delay=1 * ms)
    result = epsp(synapses, interval=5 * ms)
    peak = TAU_M * TAU_S / (TAU_M - TAU_S) * np.log(TAU_M / TAU_S)
    np.testing.assert_allclose(result.trace[0], exponential(result.time.values, 0.5 * 800e-12), atol=1e-15)
    np.testing.assert_allclose(result.peak_time, 1e-3 + peak, rtol=1e-6)
    np.testing.assert_allclose(result.delay, 1e-3, rtol=1e-12)
    np.testing.assert_allclose(result.paired_pulse_ratio, 1, rtol=1e-9)


def test_percent_of_baseline_over_time_is_that_of_the_weight() -> None:
    start_scope()
    source = SpikeGeneratorGroup(1, np.zeros(60, int), (1 + np.arange(60) / 20) * second)
    driver = SpikeGeneratorGroup(1, np.zeros(60, int), (1.01 + np.arange(60) / 20) * second)
    target = NeuronGroup(1, CELL, threshold="v > 12*mV", reset="v = 0*mV", refractory=2 * ms)
    force = Synapses(driver, target, on_pre="v_post = 13*mV")
    force.connect()
    synapses = pair().synapses(source, target, transmission="I_post += w*80*pA")
    weights = StateMonitor(synapses, "w", record=True, dt=10 * ms)
    result = epsp(synapses, at=[0, 0.5, 2.5, 6] * second)
    ratio = (result.amplitude / result.amplitude[0]).values[:, 0]
    w = weights.w[0, [0, 50, 250, -1]] / 0.5
    assert w[-1] > 1.1
    # in the midst of the train the membrane has other spikes behind it, but nothing depends on that here
    np.testing.assert_allclose(ratio, w, rtol=1e-9)
    assert result.test.attrs["units"] == "s"


def test_paired_pulses_follow_short_term_depression() -> None:
    rule = Rule(
        "depression", "w : 1\ndx/dt = (1 - x)/tau : 1 (event-driven)", on_pre="x -= U*x",
        parameters={"U": 0.4, "tau": 200 * ms}, initial={"w": 1.0, "x": 1.0},
    )  # fmt: skip
    source = SpikeGeneratorGroup(1, [], [] * ms)
    target = NeuronGroup(1, "dv/dt = -v/(10*ms) : volt", threshold="v > 1*volt", reset="v = 0*mV")
    synapses = rule.synapses(source, target, transmission="v_post += w*x*5*mV")
    result = epsp(synapses, interval=50 * ms)
    assert result.paired_pulse_ratio[0] == pytest.approx(1 - 0.4 * np.exp(-0.25), rel=1e-9)


def test_a_weight_that_does_not_last_goes_on_even_if_it_is_called_w() -> None:
    rule = Rule(
        "depression", "dw/dt = (1 - w)/tau : 1 (event-driven)", on_pre="w -= U*w",
        parameters={"U": 0.4, "tau": 200 * ms}, initial={"w": 1.0}, lasting=False,
    )  # fmt: skip
    source = SpikeGeneratorGroup(1, [], [] * ms)
    target = NeuronGroup(1, "dv/dt = -v/(10*ms) : volt", threshold="v > 1*volt", reset="v = 0*mV")
    synapses = rule.synapses(source, target, transmission="v_post += w*5*mV")
    result = epsp(synapses, interval=50 * ms)
    assert result.paired_pulse_ratio[0] == pytest.approx(1 - 0.4 * np.exp(-0.25), rel=1e-9)
    assert epsp(synapses, interval=50 * ms, freeze="w").paired_pulse_ratio[0] == pytest.approx(1, rel=1e-9)


def test_a_conductance_is_measured_where_the_membrane_is() -> None:
    from scipy.integrate import solve_ivp

    source = SpikeGeneratorGroup(1, [], [] * ms)
    target = NeuronGroup(
        2,
        """dv/dt = (10*nS*(-70*mV - v) + g*(0*mV - v) + I_0)/(200*pF) : volt
           dg/dt = -g/(4*ms) : siemens
           I_0 : amp""",
        threshold="v > 0*mV", reset="v = -70*mV",
    )  # fmt: skip
    target.v, target.I_0 = [-70, -55] * mV, [0, 150] * pA
    synapses = pair().synapses(source, target, transmission="g_post += w*4*nS")
    result = epsp(synapses)
    t = result.time.values
    for k, rest in enumerate((-0.07, -0.055)):

        def slope(t: float, y: np.ndarray, rest: float = rest) -> list[float]:
            return [(10e-9 * (rest - y[0]) - y[1] * y[0]) / 200e-12, -y[1] / 4e-3]

        found = solve_ivp(slope, (0, t[-1]), [rest, 2e-9], t_eval=t, rtol=1e-11, atol=1e-14)
        expected = found.y[0] - rest
        np.testing.assert_allclose(result.trace[k], expected, rtol=0, atol=1e-6 * expected.max())
    assert result.amplitude[1] < result.amplitude[0]  # nearer to the reversal potential


def test_parts_of_groups_and_recurrent_synapses_are_measured() -> None:
    neurons = NeuronGroup(6, CELL, **SPIKES)
    synapses = pair().synapses(neurons[:2], neurons[3:], transmission="I_post += w*800*pA", delay=1 * ms)
    synapses.w = np.linspace(0.1, 0.6, 6)
    recurrent = pair().synapses(neurons, neurons, "i != j", transmission="I_post += w*100*pA", delay=2 * ms)
    network = Network(neurons, synapses, recurrent)
    network.run(10 * ms)
    peak = exponential(np.array(TAU_M * TAU_S / (TAU_M - TAU_S) * np.log(TAU_M / TAU_S)), 1e-12)
    np.testing.assert_allclose(epsp(synapses).amplitude, peak * 800 * np.array(synapses.w[:]), rtol=1e-6)
    result = epsp(recurrent)
    assert result.sizes["synapse"] == 30
    np.testing.assert_allclose(result.amplitude, peak * 50, rtol=1e-6)


def test_inhibition_gives_negative_amplitudes() -> None:
    source = SpikeGeneratorGroup(1, [], [] * ms)
    target = NeuronGroup(1, CELL, **SPIKES)
    synapses = pair().synapses(source, target, transmission="I_post -= w*800*pA")
    assert epsp(synapses).amplitude[0] == pytest.approx(-exponential(np.array(9.2420e-3), 4e-10), rel=1e-5)


def test_mistakes_are_named() -> None:
    source = SpikeGeneratorGroup(1, [0], [5] * ms)
    target = NeuronGroup(1, CELL, **SPIKES)
    empty = pair().synapses(source, target, False)
    with pytest.raises(SetupError, match="no synapses yet"):
        epsp(empty, network=Network(source, target, empty))
    start_scope()
    told = SpikeGeneratorGroup(1, [0], [5] * ms)
    untold = pair().synapses(source, told)
    with pytest.raises(SetupError, match="no group of neurons with a potential"):
        epsp(untold, network=Network(source, told, untold))
    deaf = Synapses(source, target, "w : 1", on_post="w += 1")
    deaf.connect()
    with pytest.raises(SetupError, match="nothing happens"):
        epsp(deaf, network=Network(source, target, deaf))
    good = pair().synapses(source, target, transmission="I_post += w*pA")
    network = Network(source, target, good)
    for options, message in (
        ({"variable": "u"}, "no variable 'u'"), ({"window": 0 * ms}, "positive time"),
        ({"freeze": "weight"}, "no variable 'weight'"), ({"at": [2, 1] * second}, "ascending"),
    ):  # fmt: skip
        with pytest.raises(SetupError, match=message):
            epsp(good, network=network, **options)
    with pytest.raises(DimensionMismatchError):
        epsp(good, at=[1, 2], network=network)
    network.run(20 * ms)
    with pytest.raises(SetupError, match="in the past"):
        epsp(good, at=10 * ms)
    with pytest.raises(SetupError, match="not in the network"):
        epsp(good, network=Network(told))


def test_in_a_sweep_the_call_is_refused() -> None:
    def model(w: float) -> None:
        source = SpikeGeneratorGroup(1, [0], [5] * ms)
        target = NeuronGroup(1, CELL, **SPIKES)
        synapses = pair().synapses(source, target, transmission="I_post += w*pA")
        epsp(synapses)

    with pytest.raises(SetupError, match="Measure after the sweep"):
        sweep(model, w=[1, 2], record="synapses.w")
