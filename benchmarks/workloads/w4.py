"""W4: 1000 Poisson inputs with STDP onto one neuron (Song, Miller & Abbott 2000)."""

import numpy as np

from workloads import Built

NEURON = """dv/dt = (ge * (Ee - v) + El - v) / taum : volt
            dge/dt = -ge / taue : 1"""
STDP = """w : 1
          dApre/dt = -Apre / taupre : 1 (event-driven)
          dApost/dt = -Apost / taupost : 1 (event-driven)"""
ON_PRE = """ge += w
            Apre += dApre
            w = clip(w + Apost, 0, gmax)"""
ON_POST = """Apost += dApost
             w = clip(w + Apre, 0, gmax)"""
G_MAX = 0.01


def start_weights(n):
    return np.random.default_rng(21).uniform(0, G_MAX, n)


def build(sim, *, n=1000):
    mV, ms = sim.mV, sim.ms
    sim.seed(4)
    inputs = sim.PoissonGroup(n, rates=15 * sim.Hz)
    neuron = sim.NeuronGroup(
        1,
        NEURON,
        threshold="v > vt",
        reset="v = vr",
        method="euler",
        namespace={
            "taum": 10 * ms,
            "taue": 5 * ms,
            "Ee": 0 * mV,
            "El": -74 * mV,
            "vt": -54 * mV,
            "vr": -60 * mV,
        },
    )
    neuron.v = -60 * mV
    synapses = sim.Synapses(
        inputs,
        neuron,
        STDP,
        on_pre=ON_PRE,
        on_post=ON_POST,
        namespace={
            "taupre": 20 * ms,
            "taupost": 20 * ms,
            "gmax": G_MAX,
            "dApre": 0.01 * G_MAX,
            "dApost": -0.0105 * G_MAX,
        },
    )
    synapses.connect()
    synapses.w = start_weights(n)
    arrived, fired = sim.SpikeMonitor(inputs), sim.SpikeMonitor(neuron)

    def check():
        return {
            "input_spikes": float(arrived.num_spikes),
            "output_spikes": float(fired.num_spikes),
            "mean_w": float(np.mean(synapses.w[:])),
        }

    return Built(sim.Network(inputs, neuron, synapses, arrived, fired), check, lambda: n)
