from brian2 import *

tau = 4 * ms
rng = numpy.random.RandomState(3)
n_spikes = 60
indices = rng.randint(0, 8, n_spikes)
times = (rng.permutation(300)[:n_spikes] * 0.1) * ms
source = SpikeGeneratorGroup(8, indices, times)
G = NeuronGroup(6, "dv/dt = (I - v)/tau : 1\nI : 1", threshold="v > 1", reset="v = 0", method="exact")
G.I = "0.1*i"
S = Synapses(source, G, "w : 1", on_pre="v = v + w*(1.5 - v)")  # the order of arrivals counts
S.connect(condition="(i + 2*j) % 3 != 0")
S.w = "0.05 + 0.01*i + 0.02*j"
S.delay = "(i*1.7 + j*0.9)*0.37*ms"
recurrent = Synapses(G, G, on_pre="v_post -= 0.1")
recurrent.connect(condition="i != j")
recurrent.delay = "abs(i - j)*0.17*ms"
spikes = SpikeMonitor(G)
trace = StateMonitor(G, "v", record=[0, 3])
run(20 * ms)
run(20 * ms)
results = {"i": spikes.i[:], "t": spikes.t_[:], "v": trace.v[:], "delay": S.delay_[:]}
