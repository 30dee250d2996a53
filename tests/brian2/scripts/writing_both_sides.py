from brian2 import *

G = NeuronGroup(
    4,
    "dv/dt = (1.3 - v)/(7*ms) : 1\nsent : integer\nreceived : integer\nready : boolean",
    threshold="v > 1",
    reset="v = 0",
    method="exact",
)
G.v = "0.3*i"
S = Synapses(
    G,
    G,
    "count : integer (constant)\nhits : integer\nflag : boolean\nw : 1 (shared)",
    on_pre="sent_pre += 1; received_post += 1; hits += 1; flag = not flag; v_post += w/(1 + hits)",
    on_post="ready_post = True; v_pre -= 0.001*i",
    delay=0.4 * ms,
)
S.connect(condition="i != j")
S.w = 0.02
spikes = SpikeMonitor(G)
run(25 * ms)
results = {
    "i": spikes.i[:],
    "t": spikes.t_[:],
    "v": G.v[:],
    "sent": G.sent[:],
    "received": G.received[:],
    "ready": G.ready[:],
    "hits": S.hits[:],
    "flag": S.flag[:],
    "v_post": S.v_post[:],
    "v_pre": S.v_pre["j == 2"],
}
