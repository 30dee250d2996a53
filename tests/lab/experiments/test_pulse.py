"""Pulses that make a neuron spike: how strong, and how late the spike comes."""

from __future__ import annotations

import math

import pytest

from eccles import SetupError, UnitError, ms, mV, nA, pA
from eccles.lab.experiments.pulse import pulse_for
from eccles.lab.neurons import lif, lif_abstract


def test_the_spike_comes_when_the_membrane_has_charged_to_threshold():
    pulse = pulse_for(lif_abstract(), (50, 1 * ms), 0.1 * ms)
    assert float(pulse.latency) == pytest.approx(-0.020 * math.log(1 - 1 / 50), rel=1e-10)
    pulse = pulse_for(lif(), (5 * nA, 1 * ms), 0.1 * ms)
    assert float(pulse.latency) == pytest.approx(-0.020 * math.log(1 - 15e-3 / (5e-9 / 10e-9)), rel=1e-10)


@pytest.mark.parametrize("neuron", [lif(), lif_abstract()], ids=["lif", "abstract"])
def test_the_pulse_is_half_as_strong_again_as_the_weakest_that_makes_a_spike(neuron):
    pulse = pulse_for(neuron, None, 0.1 * ms)
    reach = (
        0.015 * 10e-9 if neuron.input_unit == "amp" else 1
    )  # input that would lead to threshold in the end
    weakest = reach / (1 - math.exp(-2 / 20))
    step = 10 ** (1 / 40)
    assert 1.5 * weakest / step <= float(pulse.amplitude) <= 1.5 * weakest * step
    assert str(pulse).startswith("pulses of ")


def test_a_pulse_that_does_not_make_one_spike_is_refused():
    with pytest.raises(SetupError, match="makes 0 spikes"):
        pulse_for(lif(), (1 * pA, 1 * ms), 0.1 * ms)
    with pytest.raises(SetupError, match="spikes in 'leaky integrate-and-fire', not 1"):
        pulse_for(lif(), (5 * nA, 30 * ms), 0.1 * ms)
    with pytest.raises(UnitError, match="has to be in amp"):
        pulse_for(lif(), (5, 1 * ms), 0.1 * ms)
    with pytest.raises(SetupError, match="no pulse of"):
        pulse_for(lif(V_th=-75 * mV), None, 0.1 * ms)  # it spikes by itself, at rest
