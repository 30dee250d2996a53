"""Neurons asked for a rate fire at that rate, whatever the time step."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from reference import regular_train
from simulate import network, trains

from eccles import Hz, NeuronGroup, SpikeMonitor, second

pytestmark = pytest.mark.usefixtures("each_way")

CARRIERS = [
    (200, 250), (200, 210), (250, 255), (400, 404), (400, 410), (440, 444), (250, 248), (300, 307.83)
]  # fmt: skip
RATES = [rate for pair in CARRIERS for rate in pair]
STEPS = [1e-5, 1e-4, 1e-3]


def fire(rates, duration: float, dt: float) -> list[np.ndarray]:
    neurons = NeuronGroup(len(rates), "dx/dt = rate : 1\nrate : Hz", threshold="x > 1", reset="x = 0")
    neurons.rate = np.array(rates, float) * Hz
    spikes = SpikeMonitor(neurons)
    network(neurons, spikes, dt=dt).run(duration * second)
    return trains(spikes)


def obtained_rate(times: np.ndarray) -> float:
    return (len(times) - 1) / (times[-1] - times[0])


@pytest.mark.parametrize(
    ("dt", "duration"),
    [(dt, 2) for dt in STEPS] + [pytest.param(dt, 100, marks=pytest.mark.slow) for dt in STEPS],
)
def test_rates_and_beats_are_those_asked_for(dt, duration) -> None:
    spikes = fire(RATES, duration, dt)
    for rate, times in zip(RATES, spikes, strict=True):
        assert len(times) == len(regular_train(rate, duration)) == int(np.floor(rate * duration + 1e-9))
        expected = [float(t) for t in regular_train(rate, duration)]
        np.testing.assert_allclose(times, expected, rtol=1e-14)
    obtained = [obtained_rate(times) for times in spikes]
    np.testing.assert_allclose(obtained, RATES, rtol=1e-12)
    beats = np.diff(np.reshape(obtained, (-1, 2)))[:, 0]
    asked = [float(Fraction(b) - Fraction(a)) for a, b in CARRIERS]
    np.testing.assert_allclose(beats, asked, rtol=1e-12)


def test_rates_far_above_one_spike_per_step_are_obtained() -> None:
    rates = [1234.5, 10_000, 33_333]
    for rate, times in zip(rates, fire(rates, 0.1, 1e-3), strict=True):
        np.testing.assert_allclose(times, [float(t) for t in regular_train(rate, 0.1)], rtol=1e-13)


@pytest.mark.parametrize("dt", STEPS)
def test_rates_that_differ_by_a_part_in_ten_million_are_told_apart(dt) -> None:
    one, other = fire([100, 100.00001], 1, dt)
    assert len(one) == len(other) == 100
    np.testing.assert_allclose(one - other, np.arange(1, 101) * (1 / 100 - 1 / 100.00001), atol=1e-14)
