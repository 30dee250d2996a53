"""The driven neurons in NEST: `iaf_psc_exp_ps` (exact times) or `iaf_psc_exp` (grid).

A current of 1 pA moves this membrane by 1 mV. NEST rounds delays to its grid; with `shift`, all delays
from the given trains are one grid delay, and what they are longer is added to the times of the trains
instead, which means the same.
"""

import numpy as np

from workloads import Built
from workloads.driven import (
    RECURRENT_DELAY_MS,
    REFRACTORY_MS,
    RESET_MV,
    REST_MV,
    TAU_CURRENT_MS,
    TAU_MEMBRANE_MS,
    THRESHOLD_MV,
    Drive,
)

GRID_DELAY_MS = 1.0


def build(nest, *, given: Drive, precise: bool, shift: bool):
    neurons = nest.Create(
        "iaf_psc_exp_ps" if precise else "iaf_psc_exp",
        given.n,
        params={
            "tau_m": TAU_MEMBRANE_MS,
            "C_m": TAU_MEMBRANE_MS,
            "E_L": REST_MV,
            "V_m": REST_MV,
            "V_th": THRESHOLD_MV,
            "V_reset": RESET_MV,
            "t_ref": REFRACTORY_MS,
            "tau_syn_ex": TAU_CURRENT_MS,
            "tau_syn_in": TAU_CURRENT_MS,
        },
    )
    n_sources = len(given.delays)
    sources = nest.Create(
        "spike_generator", n_sources, params={"precise_times": precise, "allow_offgrid_times": not precise}
    )
    extra = given.delays - GRID_DELAY_MS if shift else np.zeros(n_sources)
    for k in range(n_sources):
        sources[k].spike_times = given.train_times[given.train_index == k] + extra[k]
    delays = np.full(n_sources, GRID_DELAY_MS) if shift else given.delays
    connect(nest, sources, given.source, neurons, given.target, given.weights, delays[given.source])
    pre, post, weights = given.recurrent
    if len(pre):
        connect(nest, neurons, pre, neurons, post, weights, np.full(len(pre), RECURRENT_DELAY_MS))
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)

    def check():
        return {"spikes": float(recorder.n_events)}

    return Built(None, check, lambda: len(given.source) + len(pre)), recorder


def connect(nest, sources, source, targets, target, weights, delays):
    nest.Connect(
        np.asarray(sources.tolist())[source],
        np.asarray(targets.tolist())[target],
        "one_to_one",
        {"synapse_model": "static_synapse", "weight": weights, "delay": delays},
    )
