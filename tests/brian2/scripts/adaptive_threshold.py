from brian2 import *

G = NeuronGroup(
    5,
    """dv/dt = (-60*mV - v + I)/(10*ms) : volt
    dtheta/dt = (-50*mV - theta)/(40*ms) : volt
    I : volt""",
    threshold="v > theta",
    reset="v = -65*mV; theta += 3*mV",
    method="exact",
)
G.v = -60 * mV
G.theta = -50 * mV
G.I = "(5 + 4*i)*mV"
spikes = SpikeMonitor(G, variables="theta")
trace = StateMonitor(G, ["v", "theta"], record=[4], dt=1 * ms)
rate = PopulationRateMonitor(G)
run(150 * ms)
results = {
    "i": spikes.i[:],
    "t": spikes.t_[:],
    "theta_at": spikes.theta_[:],
    "v": trace.v_[:],
    "theta": trace.theta_[:],
    "rate": rate.rate_[::10],
    "count": spikes.count[:],
}
