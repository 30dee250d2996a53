from brian2 import *

tau_rec, tau_facil, U = 100 * ms, 50 * ms, 0.3
times = numpy.concatenate([numpy.arange(10) * 12, numpy.arange(8) * 17 + 3])
source = SpikeGeneratorGroup(2, [0] * 10 + [1] * 8, times * ms)
G = NeuronGroup(1, "dI/dt = -I/(4*ms) : amp", method="exact")
S = Synapses(
    source,
    G,
    """du/dt = (U - u)/tau_facil : 1 (event-driven)
    dx/dt = (1 - x)/tau_rec : 1 (event-driven)
    weight : amp""",
    on_pre="""release = u*x
    I_post += weight*release
    x -= release
    u += U*(1 - u)""",
)
S.connect()
S.x = 1
S.u = U
S.weight = "(10 + 5*i)*pA"
trace = StateMonitor(G, "I", record=0)
run(150 * ms)
results = {"I": trace.I_[:, ::5], "u": S.u[:], "x": S.x[:]}
