from brian2 import *

tau = 5 * ms
G = NeuronGroup(
    3,
    "dv/dt = (1.4 - v)/tau : 1 (unless refractory)\ndg/dt = -g/(3*ms) : 1",
    threshold="v > 1",
    reset="v = 0",
    refractory="(1 + 2*i)*ms",
    method="exact",
)
source = SpikeGeneratorGroup(1, [0] * 30, numpy.arange(30) * ms)
S = Synapses(source, G, on_pre="v_post += 0.2; g_post += v_post")
S.connect()
spikes = SpikeMonitor(G)
trace = StateMonitor(G, ["v", "g", "not_refractory"], record=True)
run(30 * ms)
results = {
    "i": spikes.i[:],
    "t": spikes.t_[:],
    "v": trace.v[:, ::2],
    "g": trace.g[:, ::2],
    "not_refractory": trace.not_refractory[:],
    "lastspike": G.lastspike_[:],
}
