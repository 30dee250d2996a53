from brian2 import *

scale = 3
G = NeuronGroup(3, "dv/dt = -v/(20*ms) : volt\nE : volt", method="exact", threshold="v > 1*volt")
G.E = "(i + 1)*10*mV"
source = SpikeGeneratorGroup(2, [0, 1, 0, 1], [0.5, 1.5, 2.5, 9] * ms)
S = Synapses(
    source,
    G,
    """w : 1
    factor : 1 (shared)
    distance = abs(i - j)/N_post : 1
    drive = w*(E_post - v_post)*exp(-distance) : volt
    slow = factor*int(t/ms) : 1 (constant over dt)
    dy/dt = -y/(5*ms) + slow*Hz : 1 (clock-driven)""",
    on_pre="v_post += drive/scale; y += N_incoming + 10*N_outgoing + 100*(j // 2) + 0.001*(i % 2)",
    method="euler",
)
S.connect()
S.w = "0.5 + 0.1*i"
S.factor = 0.25
S.run_regularly("w += 0.01*(j + 1)", dt=1 * ms)
trace = StateMonitor(S, ["y", "w"], record=True)
run(6 * ms)
scale = 5
run(6 * ms)
results = {
    "y": trace.y[:],
    "w": trace.w[:],
    "drive": S.drive_[:],
    "v": G.v_[:],
    "distance": S.distance[:],
    "slow": S.slow[:],
}
