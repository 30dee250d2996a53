"""The window of spike-timing-dependent plasticity: the change of a weight by the time between two spikes.

One synapse for each time difference, all in one run: the presynaptic neuron of each pair spikes at 50 ms, the
postsynaptic one earlier or later. The pair rule with exponential windows predicts

    dw = A_pre exp(-gap/tau_pre)     if the postsynaptic spike comes later (gap > 0)
    dw = A_post exp(gap/tau_post)    if it comes earlier (gap < 0)

    python examples/stdp_window.py
"""

import numpy as np

from eccles import SpikeGeneratorGroup, Synapses, ms, run

gaps = np.array([-40, -20, -10, -5, -1, 1, 5, 10, 20, 40]) * ms  # time of post minus time of pre
tau_pre, tau_post = 20 * ms, 20 * ms
A_pre, A_post = 0.01, -0.0105

n = len(gaps)
pre = SpikeGeneratorGroup(n, np.arange(n), np.full(n, 50) * ms)
post = SpikeGeneratorGroup(n, np.arange(n), 50 * ms + gaps)
synapses = Synapses(
    pre,
    post,
    """w : 1
       dx/dt = -x/tau_pre : 1 (event-driven)
       dy/dt = -y/tau_post : 1 (event-driven)""",
    on_pre="x += A_pre; w += y",
    on_post="y += A_post; w += x",
)
synapses.connect(j="i")

run(100 * ms)

changes = synapses.w[:]
predicted = np.where(gaps > 0 * ms, A_pre * np.exp(-gaps / tau_pre), A_post * np.exp(gaps / tau_post))

print("gap (ms)  change of weight  predicted")
for gap, change, expected in zip(gaps / ms, changes, predicted, strict=True):
    print(f"{gap:8.1f}  {change:+16.6f}  {expected:+9.6f}")
