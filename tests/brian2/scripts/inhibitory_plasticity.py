from brian2 import *

# a rule with a term in its on_pre that does not depend on traces, and events of both sides in one step
tau = 20 * ms
eta, alpha = 0.01, 0.2
pre = SpikeGeneratorGroup(3, [0, 1, 2, 0, 1, 2, 0], [1, 1, 2, 5, 5.1, 6, 9] * ms)
post = SpikeGeneratorGroup(2, [0, 1, 0, 1, 0], [1, 2, 5.1, 6, 9] * ms)
S = Synapses(
    pre,
    post,
    """w : 1
    dp/dt = -p/tau : 1 (event-driven)
    dq/dt = -q/tau : 1 (event-driven)""",
    on_pre="p += 1; w = clip(w + (q - alpha)*eta, 0, 10)",
    on_post="q += 1; w = clip(w + p*eta, 0, 10)",
)
S.connect()
S.w = "1 + i + 0.1*j"
trace = StateMonitor(S, "w", record=True)
run(12 * ms)
results = {"w": trace.w[:], "p": S.p[:], "q": S.q[:]}
