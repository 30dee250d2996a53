from brian2 import *

taupre, taupost = 20 * ms, 15 * ms
Apre, Apost, wmax = 0.02, -0.021, 1
rng = numpy.random.RandomState(5)
trains = [numpy.sort(rng.permutation(2000)[:40]) * 0.1 for _ in range(8)]
pre = SpikeGeneratorGroup(4, numpy.repeat(numpy.arange(4), 40), numpy.concatenate(trains[:4]) * ms)
post = SpikeGeneratorGroup(4, numpy.repeat(numpy.arange(4), 40), numpy.concatenate(trains[4:]) * ms)
S = Synapses(
    pre,
    post,
    """w : 1
    dapre/dt = -apre/taupre : 1 (event-driven)
    dapost/dt = -apost/taupost : 1 (event-driven)""",
    on_pre="apre += Apre; w = clip(w + apost, 0, wmax)",
    on_post="""apost += Apost
    w = clip(w + apre, 0, wmax)""",
)
S.connect()
S.w = 0.5
S.pre.delay = "(1 + i)*0.35*ms"
S.post.delay = "j*0.2*ms"
trace = StateMonitor(S, ["w", "apre", "apost"], record=[0, 5, 9])
run(120 * ms)
run(80 * ms)
results = {
    "w": S.w[:],
    "apre": S.apre[:],
    "apost": S.apost[:],
    "lastupdate": S.lastupdate_[:],
    "w_t": trace.w[:, ::20],
    "apre_t": trace.apre[:, ::20],
    "apost_t": trace.apost[:, ::20],
}
