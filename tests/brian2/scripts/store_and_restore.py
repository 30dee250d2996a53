from brian2 import *

source = SpikeGeneratorGroup(1, [0, 0, 0], [1, 3, 6] * ms)
G = NeuronGroup(2, "dv/dt = (1.2 - v)/(4*ms) : 1", threshold="v > 1", reset="v = 0", method="exact")
S = Synapses(source, G, "w : 1", on_pre="v_post += w; w += 0.1")
S.connect()
S.delay = "(1 + 3*j)*ms"
S.w = 0.1
spikes = SpikeMonitor(G)
run(4 * ms)
store()
run(6 * ms)
first = spikes.t_[:].copy()
w = S.w[:].copy()
restore()
back_at = defaultclock.t / ms
S.w = 0
run(6 * ms)
results = {"first": first, "second": spikes.t_[:], "w_first": w, "w_second": S.w[:], "back_at": back_at}
