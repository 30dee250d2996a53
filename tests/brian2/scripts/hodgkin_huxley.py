from brian2 import *

Cm, gl, El = 1 * uF, 0.3 * msiemens, -54.4 * mV
ENa, EK, gNa, gK = 50 * mV, -77 * mV, 120 * msiemens, 36 * msiemens
eqs = """
dv/dt = (I - gl*(v - El) - gNa*m**3*h*(v - ENa) - gK*n**4*(v - EK))/Cm : volt
dm/dt = alpham*(1 - m) - betam*m : 1
dn/dt = alphan*(1 - n) - betan*n : 1
dh/dt = alphah*(1 - h) - betah*h : 1
alpham = 1/exprel(-(v + 40*mV)/(10*mV))/ms : Hz
betam = 4*exp(-(v + 65*mV)/(18*mV))/ms : Hz
alphan = 0.1/exprel(-(v + 55*mV)/(10*mV))/ms : Hz
betan = 0.125*exp(-(v + 65*mV)/(80*mV))/ms : Hz
alphah = 0.07*exp(-(v + 65*mV)/(20*mV))/ms : Hz
betah = 1/(1 + exp(-(v + 35*mV)/(10*mV)))/ms : Hz
I : amp
"""
G = NeuronGroup(
    4, eqs, threshold="v > -20*mV", refractory="v > -30*mV", method="exponential_euler", dt=0.02 * ms
)
G.v = -65 * mV
G.m, G.n, G.h = 0.05, 0.32, 0.6
G.I = "i*4*uA"
spikes = SpikeMonitor(G)
trace = StateMonitor(G, ["v", "m"], record=[3], dt=0.1 * ms)
run(30 * ms)
results = {"i": spikes.i[:], "t": spikes.t_[:], "v": trace.v_[:], "m": trace.m[:]}
