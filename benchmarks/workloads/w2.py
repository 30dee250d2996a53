"""W2: W1 with 10,000 pairs at different rates; only the final weights are read."""

import numpy as np

from workloads import Built
from workloads.w1 import ON_POST, ON_PRE, STDP, off_phase, stdp_constants, weight_error


def rates(n_pairs):
    """Rates of the pre- and the postsynaptic neurons in Hz."""
    return np.linspace(20, 250, n_pairs), np.random.RandomState(3).uniform(20, 250, n_pairs)


def build(sim, *, n_pairs=10_000, method="euler"):
    neurons = sim.NeuronGroup(
        2 * n_pairs,
        """dx/dt = rate : 1
           rate : 1/second (constant)""",
        threshold="x>1",
        reset="x=0",
        method=method,
    )
    neurons.rate = np.concatenate(rates(n_pairs)) * sim.Hz
    pre, post = neurons[:n_pairs], neurons[n_pairs:]
    synapses = sim.Synapses(pre, post, STDP, on_pre=ON_PRE, on_post=ON_POST, namespace=stdp_constants(sim))
    synapses.connect(j="i")
    synapses.w = 0.5

    def check():
        weights = np.asarray(synapses.w[:])
        return {
            "mean_w": float(weights.mean()),
            "at_zero": float((weights == 0).sum()),
            "off_phase": off_phase(network, neurons),
            "w_error": weight_error(network, *rates(n_pairs), weights),
        }

    network = sim.Network(neurons, synapses)
    return Built(network, check, lambda: n_pairs)
