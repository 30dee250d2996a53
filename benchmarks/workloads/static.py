"""Static synapses, 1,000 per neuron: what an event costs as the network outgrows the caches.

LIF neurons under constant currents that make them fire at 5 to 15 Hz. The weights are too small to
change that, so that each simulator delivers the same events.
"""

import numpy as np

from workloads import Built

TAU_MS, REFRACTORY_MS, THRESHOLD_MV = 20.0, 2.0, 20.0
WEIGHT_MV = 1e-9
N_TARGETS = 1000


def drives(n):
    """Voltage in mV that each neuron is driven to, such that it fires at 5 to 15 Hz."""
    interval = 1000 / np.linspace(5, 15, n)
    return THRESHOLD_MV / (1 - np.exp(-(interval - REFRACTORY_MS) / TAU_MS))


def start_voltages(n):
    return np.random.default_rng(71).uniform(0, THRESHOLD_MV, n)


def build(sim, *, n=4000):
    mV, ms = sim.mV, sim.ms
    sim.seed(7)
    neurons = sim.NeuronGroup(
        n,
        """dv/dt = (drive - v) / tau : volt (unless refractory)
           drive : volt (constant)""",
        threshold="v > theta",
        reset="v = 0*mV",
        refractory=REFRACTORY_MS * ms,
        method="exact",
        namespace={"tau": TAU_MS * ms, "theta": THRESHOLD_MV * mV},
    )
    neurons.drive = drives(n) * mV
    neurons.v = start_voltages(n) * mV
    synapses = sim.Synapses(
        neurons, neurons, on_pre="v_post += J", delay=1.5 * ms, namespace={"J": WEIGHT_MV * mV}
    )
    synapses.connect(p=min(1.0, N_TARGETS / n))
    spikes = sim.SpikeMonitor(neurons)
    return Built(
        sim.Network(neurons, synapses, spikes),
        lambda: {"spikes": float(spikes.num_spikes)},
        lambda: len(synapses),
    )
