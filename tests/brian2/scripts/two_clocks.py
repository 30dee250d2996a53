from brian2 import *

defaultclock.dt = 0.1 * ms
fast = NeuronGroup(
    2, "dv/dt = (1.5 - v)/(3*ms) : 1", threshold="v > 1", reset="v = 0", dt=0.05 * ms, method="exact"
)
slow = NeuronGroup(2, "dg/dt = -g/(4*ms) : 1", dt=0.2 * ms, method="exact")
slow.g = 1
trace = StateMonitor(slow, "g", record=True)
fine = StateMonitor(fast, "v", record=True, dt=0.05 * ms)
coarse = StateMonitor(fast, "v", record=True, dt=0.3 * ms)
spikes = SpikeMonitor(fast)
counts = []


@network_operation(dt=1 * ms)
def note(t):
    counts.append((t / ms, spikes.num_spikes))


run(12 * ms)
results = {
    "i": spikes.i[:],
    "t": spikes.t_[:],
    "g": trace.g[:],
    "fine": fine.v[:],
    "coarse": coarse.v[:],
    "coarse_t": coarse.t_[:],
    "counts": numpy.array(counts),
}
