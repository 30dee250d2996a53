from brian2 import *

pre = SpikeGeneratorGroup(2, [0, 1, 0, 1], [1, 1, 2, 3] * ms)
G = NeuronGroup(
    3,
    "dv/dt = (1.5 - v)/(5*ms) : 1",
    threshold="v > 1",
    reset="v = 0",
    events={"half": "v > 0.5"},
    method="exact",
)
G.run_on_event("half", "v += 0.01")
S = Synapses(
    pre,
    G,
    "a : 1\nb : 1\nlast : second",
    on_pre={"early": "a = 2*a + 1; last = t", "late": "a = 3*a + i; v_post += 0.001"},
    on_post={"back": "b += a", "event": "b = 0.9*b + 0.1"},
    on_event={"event": "half"},
    delay={"early": 0.3 * ms, "late": 0.3 * ms, "back": 0.2 * ms},
)
S.connect()
S.late.order = -2
both = Synapses(pre, G, "c : 1", on_pre={"first": "c = 10*c + 1", "second": "c = 10*c + 2"})
both.connect()
trace = StateMonitor(S, ["a", "b"], record=True)
spikes = SpikeMonitor(G)
run(10 * ms)
results = {
    "a": trace.a[:],
    "b": trace.b[:],
    "last": S.last_[:],
    "i": spikes.i[:],
    "t": spikes.t_[:],
    "early": S.early.delay_[:],
    "c": both.c[:],
}
