"""Potentials that barely reach the threshold, or barely miss it: no spike is lost, none is invented.

Each neuron's potential has its maximum at threshold + overshoot, at a random phase of the time step. The
overshoot is between 1e-9 and 1e-3 of threshold minus reset, on either side. What the maximum and the crossing
are is computed with 18 digits from the very numbers that the neuron is given.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import Term, mpf, zeros
from simulate import network

from eccles import (
    Clock,
    Network,
    NeuronGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    Synapses,
    ms,
    second,
    start_scope,
)

TAU, TAU_S = 0.01, 0.002  # seconds
THETA = 1.0
LONG = np.longdouble

SIZES = [(2_000, 1), pytest.param(100_000, 10, marks=pytest.mark.slow)]  # neurons, runs


def overshoots(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.choice([-1, 1], n) * 10 ** rng.uniform(-9, -3, n)


def check(
    monitor: SpikeMonitor, n: int, overshoot: np.ndarray, crossing: np.ndarray, slope: np.ndarray
) -> None:
    """Those that overshoot spike once, when they cross; the others do not.

    A potential that is wrong by 1e-13 crosses a shallow threshold earlier or later by 1e-13/slope. Where many
    neurons spike, some do so within a picosecond of each other, and have one time.
    """
    fired = overshoot > 0
    i = np.asarray(monitor.i[:])
    count = np.bincount(i, minlength=n)
    missed, invented = np.sum(fired & (count == 0)), np.sum(~fired & (count > 0))
    assert (missed, invented, count.max()) == (0, 0, 1)
    t = np.full(n, np.nan)
    t[i] = np.asarray(monitor.t[:])
    error = np.abs(t - crossing.astype(float))[fired]
    tolerated = 1e-15 + 1e-13 / slope[fired].astype(float)
    assert np.mean(error > tolerated) < 1e-3
    assert np.all(error < 1e-12 + tolerated)


def bracketed(f, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Where f, negative at low and positive at high, changes its sign: bisection."""
    for _ in range(75):
        middle = (low + high) / 2
        above = f(middle) > 0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2


@pytest.mark.parametrize(("n", "runs"), SIZES)
@pytest.mark.parametrize("dt", [1e-4, 1e-3])
def test_exponential_currents_that_graze_the_threshold(n, runs, dt) -> None:
    # v = a*exp(-s/tau) + b*exp(-s/tau_s) with v' = 0 and v = theta + overshoot at the peak
    tau, tau_s = LONG(TAU), LONG(TAU_S)
    for run in range(runs):
        rng = np.random.default_rng([11, run])
        overshoot = overshoots(rng, n)
        peak = rng.uniform(0.0005, 0.0095, n)
        height = THETA + overshoot.astype(LONG)
        a = height * tau / (tau - tau_s) * np.exp(peak / tau)
        b = -height * tau_s / (tau - tau_s) * np.exp(peak / tau_s)
        # what the neurons are given, and what they make of it
        v0, i0 = (a + b).astype(float), (b * (tau_s - tau) / tau_s).astype(float)
        b = i0.astype(LONG) * tau_s / (tau_s - tau)
        a = v0.astype(LONG) - b

        def margin(s, a=a, b=b):
            return a * np.exp(-s / tau) + b * np.exp(-s / tau_s) - THETA

        def slope(s, a=a, b=b):
            return -a / tau * np.exp(-s / tau) - b / tau_s * np.exp(-s / tau_s)

        peak = np.log(-b * tau / (a * tau_s)) / (1 / tau_s - 1 / tau)
        overshoot = margin(peak).astype(float)
        assert np.abs(overshoot).min() > 9e-10
        crossing = bracketed(margin, np.zeros(n, LONG), peak)
        neurons = NeuronGroup(
            n, "dv/dt = (I - v)/tau : 1\ndI/dt = -I/tau_s : 1", threshold="v > theta", refractory=1 * second,
            namespace={"tau": TAU * second, "tau_s": TAU_S * second, "theta": THETA},
        )  # fmt: skip
        neurons.v, neurons.I = v0, i0
        spikes = SpikeMonitor(neurons)
        network(neurons, spikes, dt=dt).run(12 * ms)
        check(spikes, n, overshoot, crossing, slope(crossing))


@pytest.mark.parametrize(("n", "runs"), SIZES)
@pytest.mark.parametrize("dt", [1e-4, 1e-3])
def test_alpha_currents_from_spikes_that_arrive_off_the_grid_graze_the_threshold(n, runs, dt) -> None:
    # s after y jumps by w, v = w*k(s); a = 1/tau, b = 1/tau_s
    a, b = 1 / LONG(TAU), 1 / LONG(TAU_S)
    q = a * b / (a - b)
    p = -q / (a - b)

    def kernel(s):
        return -p * np.exp(-a * s) + (p + q * s) * np.exp(-b * s)

    def kernel_slope(s):
        return a * p * np.exp(-a * s) + (q - b * (p + q * s)) * np.exp(-b * s)

    highest = bracketed(lambda s: -kernel_slope(s), np.array([LONG(1e-3)]), np.array([LONG(2e-2)]))[0]
    for run in range(runs):
        rng = np.random.default_rng([12, run])
        overshoot = overshoots(rng, n)
        weights = ((THETA + overshoot.astype(LONG)) / kernel(highest)).astype(float)
        delays = rng.uniform(0.0001, 0.0051, n)
        overshoot = (weights * kernel(highest) - THETA).astype(float)
        assert np.abs(overshoot).min() > 9e-10

        def margin(s, weights=weights):
            return weights * kernel(s) - THETA

        crossing = bracketed(margin, np.zeros(n, LONG), np.full(n, highest))
        neurons = NeuronGroup(
            n, "dv/dt = (I - v)/tau : 1\ndI/dt = (y - I)/tau_s : 1\ndy/dt = -y/tau_s : 1",
            threshold="v > theta", refractory=1 * second,
            namespace={"tau": TAU * second, "tau_s": TAU_S * second, "theta": THETA},
        )  # fmt: skip
        source = SpikeGeneratorGroup(1, [0], [0.0001234567] * second)
        synapses = Synapses(source, neurons, "w : 1", on_pre="y_post += w")
        synapses.connect()
        synapses.w, synapses.delay = weights, delays * second
        spikes = SpikeMonitor(neurons)
        network(neurons, source, synapses, spikes, dt=dt).run(18 * ms)
        onset = LONG(0.0001234567) + delays.astype(LONG)
        check(spikes, n, overshoot, onset + crossing, weights * kernel_slope(crossing))


def test_a_spike_is_at_the_rising_side_of_a_low_peak() -> None:
    # the potential is above the threshold for 0.9 µs; one of a million such neurons spiked where it falls
    neuron = NeuronGroup(
        1, "dv/dt = (I - v)/tau : 1\ndI/dt = (y - I)/tau_s : 1\ndy/dt = -y/tau_s : 1",
        threshold="v > 1", refractory=1 * second, namespace={"tau": TAU * second, "tau_s": TAU_S * second},
    )  # fmt: skip
    source = SpikeGeneratorGroup(1, [0], [0.0001234567] * second)
    synapses = Synapses(source, neuron, on_pre="y_post += 8.363517915906295")
    synapses.connect()
    synapses.delay = 0.0030643960684626323 * second
    spikes = SpikeMonitor(neuron)
    network(neuron, source, synapses, spikes, dt=1e-4).run(18 * ms)
    assert np.asarray(spikes.t[:])[0] == pytest.approx(0.009838391835630846, abs=1e-11)


@pytest.mark.parametrize(("n", "runs"), [(1_000, 1), pytest.param(100_000, 1, marks=pytest.mark.slow)])
def test_a_nonlinear_potential_that_grazes_the_threshold_within_one_step(n, runs) -> None:
    # v = height/(1 + z²), z = (t - peak)/width solves dv/dt = -2*z*v**2/(height*width)
    width, dt = 0.002, 1e-3
    rng = np.random.default_rng(13)
    sign = rng.choice([-1, 1], n)
    overshoot = sign * 10 ** rng.uniform(-7, -3, n)
    peak = rng.uniform(0.0021, 0.0119, n)
    height = THETA + overshoot
    neurons = NeuronGroup(
        n, """dv/dt = -2*(t - peak)/width**2*v**2/height : 1
              peak : second
              height : 1""",
        threshold="v > theta", refractory=1 * second, method_options={"tolerance": 1e-11},
        namespace={"theta": THETA, "width": width * second},
    )  # fmt: skip
    neurons.peak, neurons.height = peak * second, height
    neurons.v = height / (1 + (peak / width) ** 2)
    spikes = SpikeMonitor(neurons)
    network(neurons, spikes, dt=dt).run(15 * ms)
    count = np.bincount(np.asarray(spikes.i[:]), minlength=n)
    np.testing.assert_array_equal(count, sign > 0)
    t = np.asarray(spikes.t[:])
    k = np.asarray(spikes.i[:])
    # v = theta where z² = overshoot/theta
    crossing = peak[k] - width * np.sqrt(overshoot[k] / THETA)
    shallow = 2 / width * np.sqrt(overshoot[k])  # the slope there
    assert np.all(np.abs(t - crossing) < 1e-9 / shallow)


@pytest.mark.parametrize("method", ["exact", "dopri5"])
@pytest.mark.parametrize(("period", "dt"), [(5e-3, 1e-4), (2.1e-3, 1e-3), (0.37e-3, 1e-3)])
def test_an_oscillation_spikes_once_in_each_period_however_long_the_step(method, period, dt) -> None:
    # v = sin(2*pi*t/period) exceeds 0.9 for a seventh of the period: up and down within one step
    neuron = NeuronGroup(
        1, "dv/dt = omega*u : 1\ndu/dt = -omega*v : 1", threshold="v > 0.9", refractory="v > 0",
        method=method, namespace={"omega": 2 * np.pi / period / second},
    )  # fmt: skip
    neuron.u = 1
    spikes = SpikeMonitor(neuron)
    network(neuron, spikes, dt=dt).run(20 * ms)
    expected = np.arange(np.arcsin(0.9) / (2 * np.pi) * period, 0.02, period)
    obtained = np.asarray(spikes.t[:])
    assert len(obtained) == len(expected)
    np.testing.assert_allclose(obtained, expected, rtol=0, atol=1e-14 if method == "exact" else 1e-9)


def test_a_low_peak_is_not_missed_where_the_potential_rises_again_within_the_same_step() -> None:
    # the potential rises at both ends of the step from 1 to 2 ms, with a maximum and a minimum between
    v, g_e, g_i, mu = 0.021001160136262298, 1.4439904333256148, -2.3108126969265816, 1.0494380492088478
    theta = 0.02761162905751188
    neuron = NeuronGroup(
        1,
        """dv/dt = (mu - v + g_e + g_i)/(10*ms) : 1
           dg_e/dt = -g_e/(2*ms) : 1
           dg_i/dt = -g_i/(5*ms) : 1""",
        threshold="v > theta", refractory=1 * second, namespace={"mu": mu, "theta": theta},
    )  # fmt: skip
    neuron.v, neuron.g_e, neuron.g_i = v, g_e, g_i
    spikes = SpikeMonitor(neuron)
    network(neuron, spikes, dt=1e-3).run(4 * ms)
    # v = mu + a*exp(-t/10 ms) + b*exp(-t/2 ms) + c*exp(-t/5 ms); it rises until 1.11 ms, to theta + 1.3e-9
    b, c = g_e * 2 / (2 - 10), g_i * 5 / (5 - 10)
    terms = [Term(mpf(0), (mpf(mu) - mpf(theta),)), Term(mpf(100), (mpf(v) - mpf(mu) - b - c,)),
             Term(mpf(500), (mpf(b),)), Term(mpf(200), (mpf(c),))]  # fmt: skip
    crossings = zeros(terms, mpf("0.004"))
    assert len(crossings) == 3
    assert np.asarray(spikes.t[:])[0] == pytest.approx(float(crossings[0]), abs=1e-10)


@pytest.mark.parametrize("dt", [0.05, 0.3, 1.0, 5.0])
@given(
    times=st.lists(st.floats(0.05, 4.5), min_size=1, max_size=5, unique=True),
    weight=st.floats(2, 12),
    tau_v=st.floats(0.2, 1),
    tau_g=st.floats(0.05, 0.19),
)
@settings(max_examples=15, deadline=None)
def test_a_step_of_many_time_constants_hides_no_crossing(
    dt: float, times: list[float], weight: float, tau_v: float, tau_g: float
) -> None:
    spikes = {}
    for step in (0.01, dt):
        start_scope()
        clock = Clock(step * ms)
        source = SpikeGeneratorGroup(1, np.zeros(len(times), int), np.sort(times) * ms, clock=clock)
        neuron = NeuronGroup(
            1, "dv/dt = (g - v)/tau_v : 1\ndg/dt = -g/tau_g : 1", threshold="v > 1", reset="v = 0",
            refractory=0.5 * ms, clock=clock, namespace={"tau_v": tau_v * ms, "tau_g": tau_g * ms},
        )  # fmt: skip
        synapse = Synapses(source, neuron, on_pre="g += weight", clock=clock, namespace={"weight": weight})
        synapse.connect()
        monitor = SpikeMonitor(neuron)
        Network(source, neuron, synapse, monitor).run(10 * ms)
        spikes[step] = np.array(monitor.t / ms)
    np.testing.assert_allclose(spikes[dt], spikes[0.01], rtol=0, atol=1e-9)
