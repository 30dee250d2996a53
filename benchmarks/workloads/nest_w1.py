"""W1 in NEST. Deviations: see `nest_w2`, whose neurons and synapses it shares; the weights are
read only at the end, as NEST has no recorder that samples plastic weights each step."""

import numpy as np

from workloads import Built
from workloads.nest_w2 import connect_pairs, integrators, weights


def build(nest, *, monitors=True):
    pre = integrators(nest, np.array([200.0, 200.0, 200.0]))
    post = integrators(nest, np.array([250.0, 220.0, 210.0]))
    connect_pairs(nest, pre, post)
    recorder = nest.Create("spike_recorder") if monitors else None
    if recorder is not None:
        nest.Connect(pre + post, recorder)

    def check():
        finals = {f"w{k}": float(w) for k, w in enumerate(weights(nest, pre))}
        return finals if recorder is None else finals | {"spikes": float(recorder.n_events)}

    return Built(None, check, lambda: 3)
