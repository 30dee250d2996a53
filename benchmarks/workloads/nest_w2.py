"""W2 in NEST.

Deviations: the neurons are `iaf_psc_delta` with a time constant so long that they integrate their current;
delays are one step (NEST's least) and count as dendritic; `stdp_synapse` measures weights relative to Wmax,
which is so small here (1e-9 mV) that the synapse has no effect on its target; NEST pairs spikes that
coincide differently.
"""

import numpy as np

from workloads import Built
from workloads.w2 import rates

W_MAX = 1e-9


def integrators(nest, rates_hz):
    """Neurons that fire regularly at the given rates: V' = I/C from 0 to 1 mV."""
    return nest.Create(
        "iaf_psc_delta",
        len(rates_hz),
        params={
            "tau_m": 1e9,
            "C_m": 1.0,
            "E_L": 0.0,
            "V_m": 0.0,
            "V_reset": 0.0,
            "V_th": 1.0,
            "t_ref": 0.0,
            "tau_minus": 20.0,
            "I_e": rates_hz / 1000.0,
        },
    )


def connect_pairs(nest, pre, post):
    """One additive-STDP synapse per pair: +0.02 and -0.021 of Wmax, 20 ms."""
    nest.Connect(
        pre,
        post,
        "one_to_one",
        {
            "synapse_model": "stdp_synapse",
            "weight": 0.5 * W_MAX,
            "delay": nest.resolution,
            "tau_plus": 20.0,
            "lambda": 0.02,
            "alpha": 1.05,
            "mu_plus": 0.0,
            "mu_minus": 0.0,
            "Wmax": W_MAX,
        },
    )


def weights(nest, pre):
    """Weights between 0 and 1, in the order of `pre`."""
    found = nest.GetConnections(pre, synapse_model="stdp_synapse").get(["source", "weight"])
    order = np.argsort(found["source"])
    return np.asarray(found["weight"])[order] / W_MAX


def build(nest, *, n_pairs=10_000):
    pre_rates, post_rates = rates(n_pairs)
    pre, post = integrators(nest, pre_rates), integrators(nest, post_rates)
    connect_pairs(nest, pre, post)

    def check():
        final = weights(nest, pre)
        return {"mean_w": float(final.mean()), "at_zero": float((final == 0).sum())}

    return Built(None, check, lambda: n_pairs)
