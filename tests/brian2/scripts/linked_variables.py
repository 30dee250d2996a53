from brian2 import *

signal = NeuronGroup(3, "ds/dt = -s/(6*ms) + 0.1*kHz : 1\ndouble = 2*s : 1", method="exact")
signal.s = "i"
G = NeuronGroup(
    6,
    "dv/dt = (drive - v)/(5*ms) : 1\ndrive : 1 (linked)\nother : 1 (linked)",
    threshold="v > 0.9",
    reset="v = other*0.1",
    method="euler",
)
G.drive = linked_var(signal, "s", index=[0, 1, 2, 2, 1, 0])
G.other = linked_var(signal, "double", index=numpy.arange(6) // 2)
trace = StateMonitor(G, "v", record=True)
spikes = SpikeMonitor(G)
run(15 * ms)
results = {
    "v": trace.v[:, ::3],
    "i": spikes.i[:],
    "t": spikes.t_[:],
    "drive": G.drive[:],
    "other": G.other[:],
}
