from brian2 import *

source = SpikeGeneratorGroup(3, [0, 1, 2, 1], [0.2, 1, 1.5, 2.2] * ms, period=3 * ms)
G = NeuronGroup(3, "dv/dt = -v/(2*ms) : 1", method="exact")
S = Synapses(source, G, on_pre="v += 1")
S.connect(j="i")
spikes = SpikeMonitor(source)
trace = StateMonitor(G, "v", record=True)
run(7 * ms)
source.set_spikes([2, 0], [7.5, 8] * ms)
run(3 * ms)
results = {"i": spikes.i[:], "t": spikes.t_[:], "v": trace.v[:]}
