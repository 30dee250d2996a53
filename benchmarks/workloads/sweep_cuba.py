"""CUBA (W3) with 400 neurons at different excitatory weights.

Deviation from W3: 20 % of pairs are connected instead of 2 %, so that a neuron has as many inputs as there.
"""

import numpy as np

from workloads.random_graph import bernoulli_pairs
from workloads.w3 import MODEL, start_voltages

N, N_EXC, PROBABILITY = 400, 320, 0.2
SECONDS = 1.0


def weights_mv(n):
    """Excitatory weights: from half of W3's to that."""
    return np.linspace(0.81, 1.62, n)


def cuba_model(sim, spike_times):
    """The model that is swept."""
    mV, ms = sim.mV, sim.ms
    rng = np.random.default_rng(11)
    exc_pairs = bernoulli_pairs(rng, range(N_EXC), N, PROBABILITY)
    inh_pairs = bernoulli_pairs(rng, range(N - N_EXC), N, PROBABILITY)
    constants = {
        "taum": 20 * ms,
        "taue": 5 * ms,
        "taui": 10 * ms,
        "Vt": -50 * mV,
        "Vr": -60 * mV,
        "El": -49 * mV,
    }

    def model(we):
        neurons = sim.NeuronGroup(
            N,
            MODEL,
            threshold="v > Vt",
            reset="v = Vr",
            refractory=5 * ms,
            method="exact",
            namespace=constants,
            spike_times=spike_times,
        )
        neurons.v = start_voltages(N) * mV
        exc = sim.Synapses(neurons[:N_EXC], neurons, on_pre="ge += we", namespace={"we": we})
        exc.connect(i=exc_pairs[0], j=exc_pairs[1])
        inh = sim.Synapses(neurons[N_EXC:], neurons, on_pre="gi += wi", namespace={"wi": -9 * mV})
        inh.connect(i=inh_pairs[0], j=inh_pairs[1])
        sim.run(SECONDS * sim.second)

    return model


def by_sweep(sim, spike_times, n, threads):
    """Spike counts (condition, neuron), by a sweep over `n` weights."""
    found = sim.sweep(
        cuba_model(sim, spike_times), we=weights_mv(n) * sim.mV, record="neurons.count", threads=threads
    )
    return found["neurons.count"].values
