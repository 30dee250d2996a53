from brian2 import *

# a spike arrives in the step in which it is fired; the target crosses in the next one, and an input
# in the step of a neuron's own spike is erased by its reset
G = NeuronGroup(4, "dv/dt = -v/(10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact")
source = SpikeGeneratorGroup(2, [0, 1, 0, 1, 0], [1, 1.1, 3, 3, 5] * ms)
feed = Synapses(source, G, on_pre="v_post += 1.5")
feed.connect(i=[0, 1], j=[0, 1])
chain = Synapses(G, G, "w : 1", on_pre="v_post += w")
chain.connect(j="i + 1", skip_if_invalid=True)
chain.w = "1.2 - 0.4*i"
spikes = SpikeMonitor(G)
trace = StateMonitor(G, "v", record=True)
run(8 * ms)
results = {"i": spikes.i[:], "t": spikes.t_[:], "v": trace.v[:], "w": chain.w[:]}
