from brian2 import *

tau = 10 * ms
G = NeuronGroup(
    5,
    """dv/dt = (v0 - v + Igap + drive)/tau : 1
    Igap : 1
    drive : 1
    v0 : 1""",
    threshold="v > 1",
    reset="v = 0",
    method="euler",
)
G.v = "0.2*i"
G.v0 = "1.05 + 0.02*i"
gap = Synapses(G, G, "w : 1\nIgap_post = w*(v_pre - v_post) : 1 (summed)")
gap.connect(condition="i != j")
gap.w = 0.02
back = Synapses(G, G, "drive_pre = 0.01*v_post : 1 (summed)")
back.connect(j="(i + 2) % N_post")
spikes = SpikeMonitor(G)
trace = StateMonitor(G, ["v", "Igap", "drive"], record=True)
run(40 * ms)
results = {
    "i": spikes.i[:],
    "t": spikes.t_[:],
    "v": trace.v[:, ::5],
    "Igap": trace.Igap[:, ::5],
    "drive": trace.drive[:, ::5],
}
