"""W6 in NEST. Deviations: the delay of 1.5 ms is dendritic (it delays post, not pre, spikes for plasticity),
and the Poisson drive comes from one generator that sends each neuron its own events."""

import numpy as np

from workloads import Built
from workloads.w6 import external_rate, weight


def build(nest, *, n=10_000, plastic=True):
    nest.rng_seed = 6
    n_exc, J = n * 8 // 10, weight(n)
    neurons = nest.Create(
        "iaf_psc_delta",
        n,
        params={
            "tau_m": 20.0,
            "C_m": 1.0,
            "E_L": 0.0,
            "V_th": 20.0,
            "V_reset": 10.0,
            "t_ref": 2.0,
            "tau_minus": 20.0,
            "V_m": np.random.default_rng(61).uniform(0, 20, n),
        },
    )
    exc, inh = neurons[:n_exc], neurons[n_exc:]
    generator = nest.Create("poisson_generator", params={"rate": n * 8 // 100 * external_rate(n)})
    nest.Connect(generator, neurons, "all_to_all", {"weight": J, "delay": 1.5})
    tenth = {"rule": "pairwise_bernoulli", "p": 0.1}
    # Parameters alike for all synapses live in the model (`hom`): NEST's cheaper variant.
    nest.CopyModel(
        "stdp_synapse_hom",
        "e_to_e",
        {"tau_plus": 20.0, "lambda": 0.01, "alpha": 1.0, "mu_plus": 1.0, "mu_minus": 1.0, "Wmax": 2 * J},
    )
    model = "e_to_e" if plastic else "static_synapse"
    nest.Connect(exc, exc, tenth, {"synapse_model": model, "weight": J, "delay": 1.5})
    nest.Connect(exc, inh, tenth, {"synapse_model": "static_synapse", "weight": J, "delay": 1.5})
    nest.Connect(inh, neurons, tenth, {"synapse_model": "static_synapse", "weight": -5 * J, "delay": 1.5})
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)

    def check():
        found = {"rate": recorder.n_events / n / (nest.biological_time / 1000)}
        if plastic:
            found["mean_w"] = float(np.mean(nest.GetConnections(synapse_model="e_to_e").weight))
        return found

    return Built(None, check, lambda: nest.num_connections - 2 * n)
