from brian2 import *

taupre, taupost = 20 * ms, 15 * ms
pre = SpikeGeneratorGroup(2, [0, 1, 0, 1, 0], [1, 4, 9, 12, 25] * ms)
post = SpikeGeneratorGroup(2, [1, 0, 1, 0], [2, 6, 10, 20] * ms)
S = Synapses(
    pre,
    post,
    """w : 1
    dapre/dt = -apre/taupre : 1 (clock-driven)
    dapost/dt = -apost/taupost : 1 (clock-driven)""",
    on_pre="apre += 0.1; w += apost",
    on_post="apost -= 0.11; w += apre",
    method="exact",
)
S.connect()
S.w = 0.5
trace = StateMonitor(S, True, record=True)
run(30 * ms)
results = {"w": trace.w[:], "apre": trace.apre[:], "apost": trace.apost[:]}
