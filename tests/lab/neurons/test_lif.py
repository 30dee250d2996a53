"""The leaky integrate-and-fire neuron against its closed forms, with and without units."""

from __future__ import annotations

import numpy as np
import pytest

from eccles import Network, SetupError, SpikeGeneratorGroup, SpikeMonitor, Synapses, ms, mV, nS, pA, pF, run
from eccles.explain import explanation
from eccles.lab.neurons import (
    Neuron,
    adex,
    delta,
    lif,
    lif_abstract,
    rheobase,
    to_abstract,
    to_biophysical,
)


def test_it_fires_at_the_times_of_the_closed_form() -> None:
    neuron = lif(V_reset=-62 * mV, t_ref=3 * ms)
    group = neuron.group(4, drive="I", equations="I : amp")
    group.I = [140, 151, 200, 500] * pA
    spikes = SpikeMonitor(group)
    run(500 * ms)
    for i, current in enumerate([140e-12, 151e-12, 200e-12, 500e-12]):
        drive = current / 10e-9  # above rest
        if drive <= 15e-3:
            assert spikes.count[i] == 0
            continue
        first = 20e-3 * np.log(drive / (drive - 15e-3))
        period = 3e-3 + 20e-3 * np.log((drive - 8e-3) / (drive - 15e-3))
        expected = first + period * np.arange(int((0.5 - first) / period) + 1)
        found = np.asarray(spikes.t)[np.asarray(spikes.i) == i]
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert "exact times" in explanation()


NEURONS = (lif(), lif(C=150 * pF, g_L=12 * nS, E_L=-65 * mV, V_th=-50 * mV, V_reset=-60 * mV, t_ref=1 * ms))


@pytest.mark.parametrize("neuron", NEURONS)
def test_with_and_without_units_it_spikes_at_the_same_times(neuron: Neuron) -> None:
    abstract = to_abstract(neuron)
    drives = np.array([1.02, 1.3, 2.0])
    current, rest, threshold = rheobase(neuron), neuron.parameters["E_L"], neuron.parameters["V_th"]
    kicks, small_kicks = delta(0.3 * (threshold - rest)), delta(0.3)
    real = neuron.group(3, kicks, drive="x*current", equations="x : 1", name="real")
    bare = abstract.group(3, small_kicks, drive="x", equations="x : 1", name="bare")
    real.x = bare.x = drives
    source = SpikeGeneratorGroup(1, [0] * 4, np.array([3.21, 17.8, 40.05, 90.9]) * ms)
    network = Network(source, real, bare)
    monitors = []
    for group, kick in ((real, kicks), (bare, small_kicks)):
        synapses = Synapses(source, group, "w : 1", on_pre=kick.on_pre, namespace=dict(kick.parameters))
        synapses.connect()
        synapses.w = 1
        monitors.append(SpikeMonitor(group))
        network.add(synapses, monitors[-1])
    network.run(300 * ms)
    assert "exact times" in explanation(network)
    trains = [m.spike_trains() for m in monitors]
    for i in range(3):
        assert len(trains[0][i]) > 3
        np.testing.assert_allclose(np.asarray(trains[0][i]), np.asarray(trains[1][i]), rtol=1e-12)


@pytest.mark.parametrize("neuron", NEURONS)
def test_there_and_back_are_the_same_parameters(neuron: Neuron) -> None:
    p = neuron.parameters
    again = to_biophysical(to_abstract(neuron), C=p["C"], E_L=p["E_L"], V_th=p["V_th"])
    for name, value in p.items():
        np.testing.assert_allclose(float(again.parameters[name]), float(value), rtol=1e-14, err_msg=name)
        assert again.parameters[name].dim is value.dim
    bare = to_abstract(to_biophysical(lif_abstract(tau_m=7 * ms, v_reset=-0.5)))
    assert float(bare.parameters["tau_m"]) == pytest.approx(7e-3, rel=1e-14)
    assert float(bare.parameters["v_reset"]) == pytest.approx(-0.5, rel=1e-14)


def test_the_rheobase_is_the_least_current_that_makes_it_fire() -> None:
    neuron = lif()
    group = neuron.group(2, drive="x*I_0", equations="x : 1", namespace={"I_0": rheobase(neuron)})
    group.x = [0.99999, 1.00001]
    spikes = SpikeMonitor(group)
    run(300 * ms)
    assert list(spikes.count) == [0, 1]


def test_other_models_are_not_converted() -> None:
    with pytest.raises(SetupError, match="'adaptive exponential integrate-and-fire' is not the model 'leaky"):
        to_abstract(adex())
    with pytest.raises(SetupError, match="is not the model 'leaky integrate-and-fire, abstract'"):
        to_biophysical(lif())
    with pytest.raises(SetupError, match="is not the model"):
        rheobase(lif_abstract())
