"""The static series in NEST: the same neurons (`iaf_psc_delta`, exact integration) and synapses."""

from workloads import Built
from workloads.static import N_TARGETS, REFRACTORY_MS, TAU_MS, THRESHOLD_MV, WEIGHT_MV, drives, start_voltages


def build(nest, *, n=4000):
    nest.rng_seed = 7
    neurons = nest.Create(
        "iaf_psc_delta",
        n,
        params={
            "tau_m": TAU_MS,
            "C_m": 1.0,
            "E_L": drives(n),
            "V_th": THRESHOLD_MV,
            "V_reset": 0.0,
            "t_ref": REFRACTORY_MS,
            "V_m": start_voltages(n),
        },
    )
    nest.Connect(
        neurons,
        neurons,
        {"rule": "pairwise_bernoulli", "p": min(1.0, N_TARGETS / n)},
        {"synapse_model": "static_synapse", "weight": WEIGHT_MV, "delay": 1.5},
    )
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    return Built(None, lambda: {"spikes": float(recorder.n_events)}, lambda: nest.num_connections - n)
