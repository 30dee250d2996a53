from brian2 import *

G = NeuronGroup(
    8, "dv/dt = (1.2 + 0.05*i - v)/(8*ms) : 1\ntotal : 1", threshold="v > 1", reset="v = 0", method="exact"
)
first, last = G[:3], G[5:]
forward = Synapses(first, last, "w : 1", on_pre="v_post += w", on_post="w *= 0.99")
forward.connect()
forward.w = "0.01*(i + 1)*(j + 1)"
forward.delay = "(i + j)*0.1*ms"
backward = Synapses(last, G[1:4], "total_post = v_pre : 1 (summed)", on_pre="v_post -= 0.02", delay=0.5 * ms)
backward.connect(j="i")
everything, part = SpikeMonitor(G), SpikeMonitor(last)
last.v = "0.1*i"
run(30 * ms)
results = {
    "i": everything.i[:],
    "t": everything.t_[:],
    "part_i": part.i[:],
    "part_t": part.t_[:],
    "w": forward.w[:],
    "total": G.total[:],
    "v": G.v[:],
    "w12": forward.w[1, 2],
    "w_column": forward.w[:, 2],
    "w_group": forward.w[first, last[1:]],
}
