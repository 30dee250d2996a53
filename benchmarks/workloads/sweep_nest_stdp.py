"""The conditions of `sweep_stdp` in NEST.

Deviations: parrot neurons repeat what spike generators send; they ignore what arrives at receptor 1, so that
the synapse has no effect on its target. All of its delay is dendritic and makes postsynaptic spikes late at
the synapse; the post trains are early by as much. Delays of 1 ms let NEST run ten steps at a time; delays
of one step are its least.
"""

import numpy as np

from workloads.sweep_stdp import DURATION_MS, PRE_MS, START

STDP = {
    "synapse_model": "stdp_synapse",
    "weight": START,
    "receptor_type": 1,
    "tau_plus": 20.0,
    "lambda": 0.02,
    "alpha": 1.05,
    "mu_plus": 0.0,
    "mu_minus": 0.0,
    "Wmax": 1.0,
}


def by_group(nest, gaps, delay_ms=1.0):
    """Final weights, from one group of pairs in a fresh kernel; `gaps` in ms."""
    nest.ResetKernel()
    nest.resolution = 0.1
    late = np.array(PRE_MS[:-1]) - delay_ms
    trains = [{"spike_times": train.round(1)} for train in late + np.asarray(gaps)[:, None]]
    pre_train = nest.Create("spike_generator", params={"spike_times": list(PRE_MS)})
    post_trains = nest.Create("spike_generator", len(trains), params=trains)
    pre = nest.Create("parrot_neuron", len(trains))
    post = nest.Create("parrot_neuron", len(trains), params={"tau_minus": 20.0})
    nest.Connect(pre_train, pre, syn_spec={"delay": delay_ms})
    nest.Connect(post_trains, post, "one_to_one", {"delay": delay_ms})
    nest.Connect(pre, post, "one_to_one", STDP | {"delay": delay_ms})
    nest.Simulate(DURATION_MS)
    found = nest.GetConnections(pre, post).get(["source", "weight"])
    order = np.argsort(found["source"]) if len(trains) > 1 else slice(None)
    return np.atleast_1d(found["weight"])[order]


def by_group_with_short_delays(nest, gaps):
    """The same with delays of one step."""
    return by_group(nest, gaps, delay_ms=0.1)


def by_loop(nest, gaps):
    """The same, one kernel after the other."""
    return np.concatenate([by_group(nest, gaps[k : k + 1]) for k in range(len(gaps))])
