"""The sparse random network that W3 and W5 share, drawn once and the same for every simulator."""

import numpy as np


def bernoulli_pairs(rng, sources, n_targets, probability):
    """Source and target index of each synapse; each pair is connected with `probability`."""
    degree = rng.binomial(n_targets, probability, len(sources))
    targets = [rng.choice(n_targets, k, replace=False) for k in degree]
    return np.repeat(np.asarray(sources), degree), np.concatenate(targets)


def balanced_network(n, seed):
    """Pairs of a network of 80 % excitatory and 20 % inhibitory neurons, 2 % connected.

    Returns
    -------
    tuple
        (source, target) of the excitatory, then of the inhibitory synapses; sources count from 0 in
        their own population, targets in the whole.
    """
    rng = np.random.default_rng(seed)
    n_exc = n * 4 // 5
    return bernoulli_pairs(rng, range(n_exc), n, 0.02), bernoulli_pairs(rng, range(n - n_exc), n, 0.02)
