"""A script for Brian 2 with a beginner's mistakes: scales mixed, a new model per weight, the wrong index.

Spikes from a neuron push another by one of five weights. What it prints was the output of Brian 2 in the
forum thread that Eccles starts from.
"""

import brian2 as b2
from brian2 import ms

tau = 10 * ms
ends = []
for step in [0.00082085, 0.00086726, 0.00091173, 0.00095847, 0.00100761]:  # noqa: B007  (used by name in on_pre)
    driver = b2.NeuronGroup(
        1, "dv/dt = (1 - v)/tau : 1", method="exact", threshold="v > -55", reset="v = -70", refractory=2 * ms
    )
    driven = b2.NeuronGroup(1, "dv/dt = (1 - v)/tau : 1", method="exact", refractory=2 * ms)
    driver.v = driven.v = -70
    pushes = b2.Synapses(driver, driven, on_pre="v += step", delay=2 * ms)
    pushes.connect()
    trace = b2.StateMonitor(driven, "v", record=True)
    b2.run(1000 * ms)
    ends.append(trace.v[-1][-1])

print(*(f"{end:.8f}" for end in ends))
