from brian2 import *

source = SpikeGeneratorGroup(2, [0, 1, 0, 1, 0, 1], [0.5, 0.5, 5.5, 5.5, 10.5, 10.5] * ms)
G = NeuronGroup(2, "dv/dt = -v/(2*ms) : 1", method="exact")
S = Synapses(source, G, "n : 1", on_pre="v += 1 + 0.5*i; n += 1")
S.connect()
trace = StateMonitor(G, "v", record=True)
run(5 * ms)
S.delay = 1 * ms
run(5 * ms)
S.delay = "(i + 2*j)*ms/3"
run(5 * ms)
results = {"v": trace.v[:], "n": S.n[:], "delay": S.delay_[:]}
