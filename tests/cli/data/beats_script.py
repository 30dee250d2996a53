"""A script for Brian 2: three pairs of neurons at 200 and 250, 220, 210 Hz for 2 s, with pair STDP.

`python beats_script.py beats_brian2.npz` under Brian 2 2.9.0 (NumPy 2.2.6) made the file of that name; the
tests run the script untouched under `eccles run --brian2` and compare.
"""

import sys

from brian2 import *

prefs.codegen.target = "numpy"

oscillators = NeuronGroup(
    6,
    """dphase/dt = frequency : 1
    frequency : hertz (constant)""",
    threshold="phase > 1",
    reset="phase = 0",
    method="euler",
)
before, after = oscillators[:3], oscillators[3:]
before.frequency = 200 * Hz
after.frequency = [250, 220, 210] * Hz

tau = 20 * ms
up = 0.02
down = -0.021
pairs = Synapses(
    before,
    after,
    """w : 1
    da/dt = -a/tau : 1 (event-driven)
    db/dt = -b/tau : 1 (event-driven)""",
    on_pre="a += up; w = clip(w + b, 0, 1)",
    on_post="b += down; w = clip(w + a, 0, 1)",
)
pairs.connect(j="i")
pairs.w = 0.5

spikes_before, spikes_after = SpikeMonitor(before), SpikeMonitor(after)
weights = StateMonitor(pairs, "w", record=True)

run(2 * second)

np.savez_compressed(
    sys.argv[1],
    before_i=spikes_before.i[:],
    before_t=spikes_before.t / second,
    after_i=spikes_after.i[:],
    after_t=spikes_after.t / second,
    weights=weights.w[:],
    final=pairs.w[:],
)
