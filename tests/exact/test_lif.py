"""Leaky integrate-and-fire neurons: potentials and spike times in closed form, steps of 1 ms to 0.1 µs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from reference import Leaky, leaky_rate
from simulate import assert_same_trains, network, slow_unless, trains

from eccles import NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, ms, mV, second

EQUATIONS = {
    "delta": "dv/dt = (mu - v)/tau : 1 (unless refractory)",
    "exponential": """dv/dt = (mu - v + I)/tau : 1 (unless refractory)
                      dI/dt = -I/tau_s : 1""",
    "alpha": """dv/dt = (mu - v + I)/tau : 1 (unless refractory)
                dI/dt = (y - I)/tau_s : 1
                dy/dt = -y/tau_s : 1""",
}
KICKED = {"delta": "v", "exponential": "I", "alpha": "y"}

CASES = {
    "constant": (Leaky(mu=1.3, t_ref=0.00123), 0.0),
    "delta": (Leaky(input="delta", mu=0.8, t_ref=0.00123), 0.21),
    "delta, inhibitory": (Leaky(input="delta", mu=2.5, t_ref=0.00123), -0.17),
    "exponential": (Leaky(input="exponential", mu=0.5, t_ref=0.00123), 2.1),
    "alpha": (Leaky(input="alpha", mu=1.0, t_ref=0.00123), 1.3),
    "alpha, no refractory period": (Leaky(input="alpha", mu=0.9), 2.0),
}


def arrivals_of(weight: float, duration: float) -> list[tuple[float, float]]:
    """One spike per 1.7 ms on average, off the grid."""
    rng = np.random.default_rng(9)
    times = np.cumsum(rng.uniform(0.0004, 0.003, int(duration / 0.0004)))
    return (
        [(float(t), weight * float(rng.uniform(0.5, 1.5))) for t in times if t < duration] if weight else []
    )


def simulate(leaky: Leaky, arrivals, duration: float, dt: float) -> tuple[float, list[np.ndarray]]:
    neuron = NeuronGroup(
        1, EQUATIONS[leaky.input], threshold="v > theta", reset="v = v_r", refractory=leaky.t_ref * second,
        namespace={"mu": leaky.mu, "tau": leaky.tau * second, "tau_s": leaky.tau_s * second,
                   "theta": leaky.theta, "v_r": leaky.reset},
    )  # fmt: skip
    neuron.v = leaky.v
    spikes = SpikeMonitor(neuron)
    objects = [neuron, spikes]
    if arrivals:
        times, weights = np.transpose(arrivals)
        source = SpikeGeneratorGroup(len(times), np.arange(len(times)), times * second)
        synapses = Synapses(source, neuron, "w : 1", on_pre=f"{KICKED[leaky.input]}_post += w")
        synapses.connect()
        synapses.w = weights
        objects += [source, synapses]
    network(*objects, dt=dt).run(duration * second)
    return float(np.asarray(neuron.v)[0]), trains(spikes)


def check(case: str, duration: float, exponent: int, tolerance: float, v: float = 0.0) -> int:
    leaky, weight = CASES[case]
    leaky = replace(leaky, v=v)
    arrivals = arrivals_of(weight, duration)
    expected = leaky.run(duration, arrivals)
    obtained, spikes = simulate(leaky, arrivals, duration, 1e-3 * 2.0**-exponent)
    assert_same_trains(spikes, [leaky.spikes], atol=tolerance)
    assert obtained == pytest.approx(float(expected), abs=tolerance * (leaky.theta - leaky.reset))
    return len(leaky.spikes)


@pytest.mark.parametrize("exponent", slow_unless([0, 4, 9, 13], range(14)))
@pytest.mark.parametrize("case", CASES)
def test_after_5_ms_potentials_and_spike_times_are_right_to_13_digits(case, exponent) -> None:
    assert check(case, 0.005, exponent, 1e-13, v=0.97) > 0


@pytest.mark.parametrize("exponent", slow_unless([0, 5], range(14)))
@pytest.mark.parametrize("case", CASES)
def test_after_500_ms_potentials_and_spike_times_are_right_to_9_digits(case, exponent) -> None:
    assert check(case, 0.5, exponent, 1e-9) > 10


@pytest.mark.parametrize("dt", [1e-5, 1e-4, 1e-3, 2e-2])
def test_a_neuron_with_constant_input_fires_at_its_rate(dt) -> None:
    mu = np.array([-49.9, -48, -45, -40, 0])
    neurons = NeuronGroup(
        5, "dv/dt = (mu - v)/tau : volt (unless refractory)\nmu : volt",
        threshold="v > theta", reset="v = v_r",
        refractory=2.1 * ms, namespace={"tau": 10 * ms, "theta": -50 * mV, "v_r": -65 * mV},
    )  # fmt: skip
    neurons.mu = mu * mV
    neurons.v = -65 * mV
    spikes = SpikeMonitor(neurons)
    network(neurons, spikes, dt=dt).run(1 * second)
    rates = [(len(t) - 1) / (t[-1] - t[0]) for t in trains(spikes)]
    expected = [leaky_rate(0.01, m, -50, -65, 0.0021) for m in mu]
    np.testing.assert_allclose(rates, expected, rtol=1e-10)
