"""W5: COBAHH, the balanced network of Hodgkin-Huxley neurons (Brette et al. 2007, benchmark 3; kinetics of
Traub & Miles 1991)."""

import numpy as np

from workloads import Built
from workloads.random_graph import balanced_network

# exprel(x) = (exp(x) - 1) / x removes the 0/0 of the rates at their midpoints.
MODEL = """dv/dt = (gl*(El - v) + ge*(Ee - v) + gi*(Ei - v)
                    + gna*(m*m*m)*h*(ENa - v) + gk*(n*n*n*n)*(EK - v)) / Cm : volt
           dm/dt = am*(1 - m) - bm*m : 1
           dn/dt = an*(1 - n) - bn*n : 1
           dh/dt = ah*(1 - h) - bh*h : 1
           dge/dt = -ge/taue : siemens
           dgi/dt = -gi/taui : siemens
           am = 0.32*4/exprel((13*mV - v + VT)/(4*mV))/ms : Hz
           bm = 0.28*5/exprel((v - VT - 40*mV)/(5*mV))/ms : Hz
           ah = 0.128*exp((17*mV - v + VT)/(18*mV))/ms : Hz
           bh = 4/(1 + exp((40*mV - v + VT)/(5*mV)))/ms : Hz
           an = 0.032*5/exprel((15*mV - v + VT)/(5*mV))/ms : Hz
           bn = 0.5*exp((10*mV - v + VT)/(40*mV))/ms : Hz"""


def start_values(n):
    """Initial v in mV, ge and gi in nS."""
    rng = np.random.default_rng(32)
    v = -65 + 5 * rng.standard_normal(n)
    ge, gi = 40 + 15 * rng.standard_normal(n), 200 + 120 * rng.standard_normal(n)
    # a conductance cannot be negative; some draws are
    return v, np.maximum(ge, 0), np.maximum(gi, 0)


def build(sim, *, n=4000):
    mV, ms, nS = sim.mV, sim.ms, sim.nS
    constants = {
        "Cm": 200 * sim.pF,
        "gl": 10 * nS,
        "gna": 20000 * nS,
        "gk": 6000 * nS,
        "El": -60 * mV,
        "EK": -90 * mV,
        "ENa": 50 * mV,
        "VT": -63 * mV,
        "Ee": 0 * mV,
        "Ei": -80 * mV,
        "taue": 5 * ms,
        "taui": 10 * ms,
    }
    neurons = sim.NeuronGroup(
        n,
        MODEL,
        threshold="v > -20*mV",
        refractory=3 * ms,
        method="exponential_euler",
        namespace=constants,
    )
    v, ge, gi = start_values(n)
    neurons.v, neurons.ge, neurons.gi = v * mV, ge * nS, gi * nS
    n_exc = n * 4 // 5
    exc_pairs, inh_pairs = balanced_network(n, seed=31)
    exc = sim.Synapses(neurons[:n_exc], neurons, on_pre="ge += we", namespace={"we": 6 * nS})
    exc.connect(i=exc_pairs[0], j=exc_pairs[1])
    inh = sim.Synapses(neurons[n_exc:], neurons, on_pre="gi += wi", namespace={"wi": 67 * nS})
    inh.connect(i=inh_pairs[0], j=inh_pairs[1])
    spikes = sim.SpikeMonitor(neurons)
    trace = sim.StateMonitor(neurons, "v", record=[1, 10, 100])
    return Built(
        sim.Network(neurons, exc, inh, spikes, trace),
        lambda: {"spikes": float(spikes.num_spikes)},
        lambda: len(exc_pairs[0]) + len(inh_pairs[0]),
    )
