"""W1: the forum reply's experiment. Three pairs at 200 Hz and 250, 220, 210 Hz; STDP without transmission."""

import math

import numpy as np

from workloads import Built

STDP = """w : 1
          dApre/dt = -Apre / taupre : 1 (event-driven)
          dApost/dt = -Apost / taupost : 1 (event-driven)"""
ON_PRE = """Apre += dApre
            w = clip(w + Apost, 0, gmax)"""
ON_POST = """Apost += dApost
             w = clip(w + Apre, 0, gmax)"""


def stdp_constants(sim):
    """Potentiation 0.02 and depression 0.021 per pair, 20 ms each, as posted."""
    return {"taupre": 20 * sim.ms, "taupost": 20 * sim.ms, "gmax": 1.0, "dApre": 0.02, "dApost": -0.021}


def off_phase(network, neurons):
    """How many periods the neuron that is furthest off is away from where rate times time puts it."""
    away = (np.asarray(neurons.x[:]) - np.asarray(neurons.rate[:]) * float(network.t)) % 1
    return float(np.minimum(away, 1 - away).max())


def miscounted(network, neurons, recorder):
    """Difference of the numbers of spikes from rate times time, summed over neurons."""
    counts = np.asarray(recorder.count[:])
    # a spike at the last moment counts; the product may lie a rounding error below its number
    due = [math.floor(rate * float(network.t) * (1 + 1e-12)) for rate in np.asarray(neurons.rate[:])]
    return float(np.abs(counts - due).sum())


def build(sim, *, monitors=True):
    """Return the network; with `monitors`, spikes of both sides and the weights in each step are recorded."""
    neurons = sim.NeuronGroup(
        6,
        """dx/dt = rate : 1
           rate : 1/second (constant)""",
        threshold="x>1",
        reset="x=0",
        method="euler",
    )
    pre, post = neurons[:3], neurons[3:]
    pre.rate = 200 * sim.Hz
    post.rate = [250, 220, 210] * sim.Hz
    synapses = sim.Synapses(pre, post, STDP, on_pre=ON_PRE, on_post=ON_POST, namespace=stdp_constants(sim))
    synapses.connect(j="i")
    synapses.w = 0.5
    network = sim.Network(neurons, synapses)
    recorders = []
    if monitors:
        recorders = [sim.SpikeMonitor(pre), sim.SpikeMonitor(post)]
        network.add(*recorders, sim.StateMonitor(synapses, "w", record=[0, 1, 2]))

    def check():
        weights = {f"w{k}": float(synapses.w[k]) for k in range(3)}
        found = weights | {"off_phase": off_phase(network, neurons)}
        if not monitors:
            return found
        spikes = float(sum(recorder.num_spikes for recorder in recorders))
        wrong = sum(miscounted(network, part, r) for part, r in zip((pre, post), recorders, strict=True))
        return found | {"spikes": spikes, "miscounted": wrong}

    return Built(network, check, lambda: 3)
