from brian2 import *

current = TimedArray([1, 3, 0, 2] * nA, dt=2 * ms)
pattern = TimedArray(numpy.arange(12).reshape(4, 3) * Hz, dt=1.5 * ms)
R = 10 * Mohm
G = NeuronGroup(
    3,
    "dv/dt = (R*current(t) - v)/(3*ms) : volt\ndc/dt = pattern(t, i) : 1",
    threshold="v > 15*mV",
    reset="v = 0*mV",
    method="euler",
)
trace = StateMonitor(G, ["v", "c"], record=True)
spikes = SpikeMonitor(G)
run(12 * ms)
results = {
    "v": trace.v_[:],
    "c": trace.c[:],
    "i": spikes.i[:],
    "t": spikes.t_[:],
    "call": numpy.asarray(current([0, 1.9, 2, 7.99, 8, 100] * ms)),
    "call2": numpy.asarray(pattern(1.6 * ms, 2)),
}
