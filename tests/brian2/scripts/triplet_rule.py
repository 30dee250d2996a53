from brian2 import *

tau_p, tau_x, tau_m, tau_y = 16.8 * ms, 101 * ms, 33.7 * ms, 125 * ms
A2p, A3p, A2m, A3m = 5e-10, 6.2e-3, 7e-3, 2.3e-4
period = 20 * ms
k = numpy.arange(20)
pre = SpikeGeneratorGroup(1, 0 * k, k * period)
post = SpikeGeneratorGroup(1, 0 * k, k * period + 5 * ms)
S = Synapses(
    pre,
    post,
    """w : 1
    dr1/dt = -r1/tau_p : 1 (event-driven)
    dr2/dt = -r2/tau_x : 1 (event-driven)
    do1/dt = -o1/tau_m : 1 (event-driven)
    do2/dt = -o2/tau_y : 1 (event-driven)""",
    on_pre="w -= o1*(A2m + A3m*r2); r1 += 1; r2 += 1",
    on_post="w += r1*(A2p + A3p*o2); o1 += 1; o2 += 1",
)
S.connect()
S.w = 1
trace = StateMonitor(S, "w", record=0)
run(400 * ms)
results = {"w": trace.w[:, ::10], "r2": S.r2[:], "o2": S.o2[:]}
