"""W2's 10,000 pairs as conditions: a model of one pair, and the same pairs as one group by hand."""

import numpy as np

from workloads import w2
from workloads.w1 import ON_POST, ON_PRE, STDP, stdp_constants

SECONDS = 1.0


def pair_model(sim, spike_times):
    """The model that is swept; its arguments are rates."""

    def model(pre, post):
        neurons = sim.NeuronGroup(
            2,
            """dx/dt = rate : 1
               rate : 1/second (constant)""",
            threshold="x>1",
            reset="x=0",
            method="exact",
            spike_times=spike_times,
        )
        neurons.rate[0] = pre
        neurons.rate[1] = post
        S = sim.Synapses(
            neurons[:1], neurons[1:], STDP, on_pre=ON_PRE, on_post=ON_POST, namespace=stdp_constants(sim)
        )
        S.connect()
        S.w = 0.5
        sim.run(SECONDS * sim.second)

    return model


def by_sweep(sim, n, spike_times):
    """Final weights, by a sweep."""
    pre, post = (rate * sim.Hz for rate in w2.rates(n))
    found = sim.sweep(pair_model(sim, spike_times), pair=sim.zipped(pre=pre, post=post), record="S.w")
    return found["S.w"].values


def by_hand(sim, n, spike_times):
    """Final weights, from one group."""
    network = w2.build(sim, n_pairs=n, method="exact").network
    network.spike_times = spike_times
    network.run(SECONDS * sim.second)
    (synapses,) = (thing for thing in network.objects if isinstance(thing, sim.Synapses))
    return np.asarray(synapses.w[:])
