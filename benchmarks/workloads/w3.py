"""W3: CUBA, the current-based balanced network (Vogels & Abbott 2005; Brette et al. 2007, benchmark 2)."""

import numpy as np

from workloads import Built
from workloads.random_graph import balanced_network

MODEL = """dv/dt = (ge + gi - (v - El)) / taum : volt (unless refractory)
           dge/dt = -ge / taue : volt
           dgi/dt = -gi / taui : volt"""


def start_voltages(n):
    """Initial membrane potentials in mV."""
    return np.random.default_rng(12).uniform(-60, -50, n)


def build(sim, *, n=4000):
    mV, ms = sim.mV, sim.ms
    constants = {
        "taum": 20 * ms,
        "taue": 5 * ms,
        "taui": 10 * ms,
        "Vt": -50 * mV,
        "Vr": -60 * mV,
        "El": -49 * mV,
    }
    neurons = sim.NeuronGroup(
        n, MODEL, threshold="v > Vt", reset="v = Vr", refractory=5 * ms, method="exact", namespace=constants
    )
    neurons.v = start_voltages(n) * mV
    n_exc = n * 4 // 5
    exc_pairs, inh_pairs = balanced_network(n, seed=11)
    exc = sim.Synapses(neurons[:n_exc], neurons, on_pre="ge += we", namespace={"we": 1.62 * mV})
    exc.connect(i=exc_pairs[0], j=exc_pairs[1])
    inh = sim.Synapses(neurons[n_exc:], neurons, on_pre="gi += wi", namespace={"wi": -9 * mV})
    inh.connect(i=inh_pairs[0], j=inh_pairs[1])
    spikes = sim.SpikeMonitor(neurons)
    return Built(
        sim.Network(neurons, exc, inh, spikes),
        lambda: {"spikes": float(spikes.num_spikes)},
        lambda: len(exc_pairs[0]) + len(inh_pairs[0]),
    )
