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


def due_times(rate, seconds):
    """When a neuron of this rate spikes; a spike at the last moment counts, whatever rounding says."""
    return np.arange(1, math.floor(rate * seconds * (1 + 1e-12)) + 1) / rate


def true_weight(pre_rate, post_rate, seconds):
    """Final weight of a pair, from spike to spike; pre first where both coincide (within 1 ps)."""
    sides = due_times(pre_rate, seconds), due_times(post_rate, seconds)
    events = [(round(t * 1e12), side, t) for side, times in enumerate(sides) for t in times.tolist()]
    w, pre_trace, post_trace, last = 0.5, 0.0, 0.0, 0.0
    for _, side, now in sorted(events):
        decay = math.exp((last - now) / 20e-3)
        pre_trace, post_trace, last = pre_trace * decay, post_trace * decay, now
        if side == 0:
            pre_trace += 0.02
            w += post_trace
        else:
            post_trace -= 0.021
            w += pre_trace
        w = min(max(w, 0.0), 1.0)
    return w


def weight_error(network, pre_rates, post_rates, weights):
    """How far the weight that is furthest off is from what exact spike times give."""
    true = [true_weight(*pair, float(network.t)) for pair in zip(pre_rates, post_rates, strict=True)]
    return float(np.abs(np.asarray(weights) - true).max())


def off_phase(network, neurons):
    """How many periods the neuron that is furthest off is away from where rate times time puts it."""
    away = (np.asarray(neurons.x[:]) - np.asarray(neurons.rate[:]) * float(network.t)) % 1
    return float(np.minimum(away, 1 - away).max())


def miscounted(network, neurons, recorder):
    """Difference of the numbers of spikes from rate times time, summed over neurons."""
    counts = np.asarray(recorder.count[:])
    due = [len(due_times(rate, float(network.t))) for rate in np.asarray(neurons.rate[:])]
    return float(np.abs(counts - due).sum())


def build(sim, *, monitors=True, method="euler"):
    """Return the network; with `monitors`, spikes of both sides and the weights in each step are recorded."""
    neurons = sim.NeuronGroup(
        6,
        """dx/dt = rate : 1
           rate : 1/second (constant)""",
        threshold="x>1",
        reset="x=0",
        method=method,
    )
    pre, post = neurons[:3], neurons[3:]
    rates = [200, 200, 200], [250, 220, 210]
    pre.rate, post.rate = rates[0] * sim.Hz, rates[1] * sim.Hz
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
        found = weights | {
            "off_phase": off_phase(network, neurons),
            "w_error": weight_error(network, *rates, synapses.w[:]),
        }
        if not monitors:
            return found
        spikes = float(sum(recorder.num_spikes for recorder in recorders))
        wrong = sum(miscounted(network, part, r) for part, r in zip((pre, post), recorders, strict=True))
        return found | {"spikes": spikes, "miscounted": wrong}

    return Built(network, check, lambda: 3)
