from brian2 import *

taum, taue, taui = 20 * ms, 5 * ms, 10 * ms
Vt, Vr, El = -50 * mV, -60 * mV, -49 * mV
eqs = """
dv/dt = (ge + gi - (v - El))/taum : volt (unless refractory)
dge/dt = -ge/taue : volt
dgi/dt = -gi/taui : volt
"""
P = NeuronGroup(60, eqs, threshold="v > Vt", reset="v = Vr", refractory=5 * ms, method="exact")
P.v = "Vr + (i*7 % 60)/60.0*(Vt - Vr)"
Ce = Synapses(P[:48], P, on_pre="ge += 1.62*mV")
Ci = Synapses(P[48:], P, on_pre="gi -= 9*mV")
Ce.connect(condition="(i*13 + j*7) % 10 == 0")
Ci.connect(condition="(i*5 + j*3) % 10 == 0")
s_mon = SpikeMonitor(P)
run(100 * ms)
results = {"i": s_mon.i[:], "t": s_mon.t_[:], "v": P.v_[:], "ge": P.ge_[:], "gi": P.gi_[:]}
