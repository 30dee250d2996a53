from brian2 import *


@implementation("numpy", discard_units=True)
@check_units(x=volt, result=1)
def activation(x):
    return 1 / (1 + exp(-x / (5 * mV)))


@check_units(a=1, b=1, result=1)
def larger(a, b):
    return a * (a >= b) + b * (b > a)


activation_plain = activation
G = NeuronGroup(
    4,
    "dv/dt = -v/(10*ms) + larger(u, 0.5)*mV/ms : volt\nu : 1",
    threshold="v > 5*mV",
    reset="v = 0*mV",
    method="euler",
)
G.u = "0.3*i"
G.v = "larger(i, 2)*mV"
trace = StateMonitor(G, "v", record=True)
run(15 * ms)
results = {"v": trace.v_[:], "u": G.u[:], "larger": larger(numpy.array([1.0, 3.0]), numpy.array([2.0, 1.0]))}
