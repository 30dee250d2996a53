"""A pairing protocol: the change of a weight by the time between two spikes and the rate of their repetition.

Sixty pairs of spikes, as in the experiment: the postsynaptic spike of each comes `gap` after the presynaptic
one, or before it, and pairs follow each other at `rate`. If they are rare, all that counts is the gap: the
change is sixty times the window of spike-timing-dependent plasticity. If they are frequent, the spikes of
neighbouring pairs meet as well, and the window becomes another one.

    python examples/pairing.py

The same from the command line, with the result on disk; after an interruption the same line goes on:

    eccles sweep examples/pairing.py --out pairing.zarr
"""

import numpy as np

from eccles import Hz, SpikeGeneratorGroup, Synapses, ms, run, second, sweep

n_pairs = 60
tau_pre, tau_post = 20 * ms, 20 * ms
A_pre, A_post = 0.01, -0.0105


def pairing(gap, rate):
    """A synapse whose two neurons spike as they are told."""
    times = 100 * ms + np.arange(n_pairs) / rate
    pre = SpikeGeneratorGroup(1, np.zeros(n_pairs, int), times)
    post = SpikeGeneratorGroup(1, np.zeros(n_pairs, int), times + gap)
    synapse = Synapses(
        pre,
        post,
        """w : 1
           dx/dt = -x/tau_pre : 1 (event-driven)
           dy/dt = -y/tau_post : 1 (event-driven)""",
        on_pre="x += A_pre; w += y",
        on_post="y += A_post; w += x",
    )
    synapse.connect()
    run(61 * second)


gaps = [-35, -20, -10, -5, 5, 10, 20, 35] * ms
rates = [1, 5, 10, 20, 40] * Hz
result = sweep(pairing, gap=gaps, rate=rates, record="synapse.w")

print("change of the weight")
print("gap (ms) " + "".join(f"{rate / Hz:6.0f} Hz" for rate in rates))
for gap, changes in zip(gaps / ms, result["synapse.w"].values, strict=True):
    print(f"{gap:8.0f} " + "".join(f"{change:+9.3f}" for change in changes))
