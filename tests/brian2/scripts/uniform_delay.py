from brian2 import *

tau = 5 * ms
source = SpikeGeneratorGroup(3, [0, 1, 2, 0, 1, 2], [0, 0.3, 0.9, 2.2, 2.2, 7.9] * ms)
G = NeuronGroup(2, "dg/dt = -g/tau : siemens", method="exact")
S = Synapses(source, G, "w : siemens", on_pre="g += w", delay=1.26 * ms)
S.connect()
S.w = "(1 + i + 10*j)*nS"
trace = StateMonitor(G, "g", record=True)
run(8 * ms)
run(4 * ms)  # what is on its way arrives in the second run
results = {"g": trace.g_[:], "t": trace.t_[:], "delay": S.delay_[:]}
