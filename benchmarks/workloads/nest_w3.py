"""W3 in NEST. Deviation: a delay of one step, NEST's least. A membrane of 1 GOhm makes pA read as mV."""

import numpy as np

from workloads import Built
from workloads.random_graph import balanced_network
from workloads.w3 import start_voltages


def connect_balanced(nest, neurons, seed, exc_weight, inh_weight):
    """Connect as `random_graph.balanced_network` says; returns the number of synapses."""
    n = len(neurons)
    ids = np.asarray(neurons.tolist())
    (exc_source, exc_target), (inh_source, inh_target) = balanced_network(n, seed)
    for source, target, weight in (
        (exc_source, exc_target, exc_weight),
        (inh_source + n * 4 // 5, inh_target, inh_weight),
    ):
        nest.Connect(
            ids[source],
            ids[target],
            "one_to_one",
            {
                "synapse_model": "static_synapse",
                "weight": np.full(len(source), weight),
                "delay": np.full(len(source), nest.resolution),
            },
        )
    return len(exc_source) + len(inh_source)


def build(nest, *, n=4000):
    neurons = nest.Create(
        "iaf_psc_exp",
        n,
        params={
            "tau_m": 20.0,
            "C_m": 20.0,
            "E_L": -49.0,
            "V_th": -50.0,
            "V_reset": -60.0,
            "t_ref": 5.0,
            "tau_syn_ex": 5.0,
            "tau_syn_in": 10.0,
            "V_m": start_voltages(n),
        },
    )
    n_synapses = connect_balanced(nest, neurons, 11, 1.62, -9.0)
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    return Built(None, lambda: {"spikes": float(recorder.n_events)}, lambda: n_synapses)
