"""W5 in NEST. Deviations: an adaptive Runge-Kutta step instead of exponential Euler, a delay of one step, and
the gates start at their resting values instead of 0. NEST's spike is V > V_T + 30 mV and a maximum. Its
conductances cannot be set: one event at the start gives each neuron its first ones."""

import numpy as np

from workloads import Built
from workloads.nest_w3 import connect_balanced
from workloads.w5 import start_values


def build(nest, *, n=4000):
    v, ge, gi = start_values(n)
    neurons = nest.Create("hh_cond_exp_traub", n, params={"t_ref": 3.0, "V_m": v})
    kick = nest.Create("spike_generator", params={"spike_times": [0.1]})
    for conductances in (ge, -gi):
        nest.Connect(
            kick, neurons, "all_to_all", {"weight": conductances[:, np.newaxis], "delay": nest.resolution}
        )
    n_synapses = connect_balanced(nest, neurons, 31, 6.0, -67.0)
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": 0.1})
    nest.Connect(meter, neurons[[1, 10, 100]])
    return Built(None, lambda: {"spikes": float(recorder.n_events)}, lambda: n_synapses)
