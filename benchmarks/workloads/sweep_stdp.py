"""STDP conditions of 150 ms: one pair per condition, spike times given, the gap between pre and post varies.

Presynaptic spikes come at `PRE_MS`; postsynaptic ones `gap` after each but the last. The last one, after all
others, is there because NEST shows a weight as of the last presynaptic spike. All times are on a grid of
0.1 ms, and no two spikes of a pair coincide: simulators with and without a grid must agree to rounding.
"""

import math

import numpy as np

from workloads.w1 import ON_POST, ON_PRE, STDP, stdp_constants

DURATION_MS = 150.0
PRE_MS = (53.0, 69.7, 86.4, 145.0)  # three pairings at 60 Hz
START = 0.5


def gaps_ms(n):
    """`n` (even) gaps from -50 to 50 ms, rounded to 0.1 ms; none is 0."""
    late = np.linspace(1, 50, n // 2).round(1)
    return np.concatenate([-late[::-1], late])


def true_weights(gaps):
    """Final weights, from spike to spike."""
    return np.array([true_weight(gap) for gap in gaps])


def true_weight(gap):
    events = [(t, "pre") for t in PRE_MS] + [(t + gap, "post") for t in PRE_MS[:-1]]
    w, pre_trace, post_trace, last = START, 0.0, 0.0, 0.0
    for now, side in sorted(events):
        decay = math.exp((last - now) / 20)
        pre_trace, post_trace, last = pre_trace * decay, post_trace * decay, now
        if side == "pre":
            pre_trace += 0.02
            w += post_trace
        else:
            post_trace -= 0.021
            w += pre_trace
        w = min(max(w, 0.0), 1.0)
    return w


def experiment(sim, gaps):
    """All gaps (a quantity) as one group of pairs; returns network and synapses."""
    n, times = len(gaps), np.array(PRE_MS) * sim.ms
    pre = sim.SpikeGeneratorGroup(n, *per_pair(np.tile(times, (n, 1))))
    post = sim.SpikeGeneratorGroup(n, *per_pair(times[:-1] + gaps[:, None]))
    synapses = sim.Synapses(pre, post, STDP, on_pre=ON_PRE, on_post=ON_POST, namespace=stdp_constants(sim))
    synapses.connect(j="i")
    synapses.w = START
    return sim.Network(pre, post, synapses), synapses


def per_pair(times):
    """Indices and times, from times of the form (pair, spike)."""
    return np.repeat(np.arange(times.shape[0]), times.shape[1]), times.flatten()


def by_sweep(sim, gaps):
    """Final weights, by a sweep; `gaps` in ms."""

    def model(gap):
        times = np.array(PRE_MS) * sim.ms
        pre = sim.SpikeGeneratorGroup(1, [0] * len(times), times)
        post = sim.SpikeGeneratorGroup(1, [0] * (len(times) - 1), times[:-1] + gap)
        S = sim.Synapses(pre, post, STDP, on_pre=ON_PRE, on_post=ON_POST, namespace=stdp_constants(sim))
        S.connect()
        S.w = START
        sim.run(DURATION_MS * sim.ms)

    return sim.sweep(model, gap=gaps * sim.ms, record="S.w")["S.w"].values


def by_group(sim, gaps):
    """Final weights, from one group of pairs."""
    network, synapses = experiment(sim, gaps * sim.ms)
    network.run(DURATION_MS * sim.ms)
    return np.asarray(synapses.w[:])


def by_loop(sim, gaps):
    """Final weights, from one run after the other."""
    return np.concatenate([by_group(sim, gaps[k : k + 1]) for k in range(len(gaps))])
