from brian2 import *

source = SpikeGeneratorGroup(3, [0, 1, 2, 0], [1, 2, 3, 8] * ms)
target = NeuronGroup(2, "dv/dt = (1.2 - v)/(5*ms) : 1", threshold="v > 1", reset="v = 0", method="exact")
S = Synapses(
    source,
    target,
    "w : 1\nseen_a : second\nseen_b : second\nseen_back : second",
    on_pre={"a": "v_post += w; seen_a = delay", "b": "w *= 1.1; seen_b = delay"},
    on_post="seen_back = delay",
    delay={"a": 1 * ms},
)
S.connect()
S.w = "0.1 + 0.01*i + 0.02*j"
S.b.delay = "0.5*ms*i + 0.3*ms*j"
S.post.delay = "0.2*ms*(i + 1)"
# the usual two pathways have a delay each, too
R = Synapses(source, target, "early : second\nlate : second", on_pre="early = delay", on_post="late = delay")
R.connect()
R.pre.delay = "2*ms + i*ms"
R.post.delay = "1*ms"
run(30 * ms)
results = {
    "w": S.w[:],
    "a": S.a.delay[:],
    "b": S.b.delay[:],
    "seen_b": S.seen_b[:],
    "seen_back": S.seen_back[:],
    "early": R.early[:],
    "late": R.late[:],
    "v": target.v[:],
}
