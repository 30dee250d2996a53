"""Neurons whose upswing is much faster than a time step: adaptive exponential, and Hodgkin-Huxley.

Each model is written twice: as equations, and as a function for SciPy's solver. Times in ms, voltages in mV.
"""

import math

import numpy as np

from workloads import Built

ADEX = """dv/dt = (gL*(EL - v) + gL*DeltaT*exp((v - VT)/DeltaT) - w + I) / C : volt
          dw/dt = (a*(v - EL) - w) / tauw : amp
          I : amp (constant)"""

HH = """dv/dt = (I - gNa*m**3*h*(v - ENa) - gK*n**4*(v - EK) - gl*(v - El)) / Cm : volt
        dm/dt = (1 - m)/exprel((25*mV - v)/(10*mV))/ms - 4*exp(-v/(18*mV))*m/ms : 1
        dn/dt = 0.1*(1 - n)/exprel((10*mV - v)/(10*mV))/ms - 0.125*exp(-v/(80*mV))*n/ms : 1
        dh/dt = 0.07*exp(-v/(20*mV))*(1 - h)/ms - 1/(1 + exp((30*mV - v)/(10*mV)))*h/ms : 1
        I : amp/meter**2 (constant)"""

N_NEURONS = 6
HH_THRESHOLD_MV, HH_REFRACTORY_MS = 50.0, 5.0
HH_START = (0.0, 0.05, 0.32, 0.6)  # v, m, n, h
KICK_MV = 6.0


def adex_currents():
    """In nA: from 1.5 times the rheobase, regular with adaptation."""
    return np.linspace(0.8, 1.5, N_NEURONS)


def hh_currents():
    """In uA/cm^2: below and above what makes the neuron fire by itself."""
    return np.linspace(4.0, 14.0, N_NEURONS)


def kick_times(ms):
    """When all Hodgkin-Huxley neurons are kicked, in ms: off every grid."""
    rng = np.random.default_rng(52)
    times = np.cumsum(2.0 + rng.exponential(8.0, int(ms / 5)))
    return times[times < ms]


def adex_rhs(current_na):
    """Of v (mV) and w (nA); Brette & Gerstner 2005."""

    def rhs(_, y):
        v, w = y
        leak = 30e-3 * (-70.6 - v) + 30e-3 * 2.0 * math.exp((v + 50.4) / 2.0)  # nA
        return [(leak - w + current_na) / 0.281, (4e-3 * (v + 70.6) - w) / 144.0]

    return rhs


def adex_reset(y):
    return np.array([-70.6, y[1] + 0.0805])


def hh_rhs(current):
    """Of v (mV from rest), m, n, h; Hodgkin & Huxley 1952 in today's sign convention."""

    def exprel(x):
        return math.expm1(x) / x if x else 1.0

    def rhs(_, y):
        v, m, n, h = y
        return [
            current - 120.0 * m**3 * h * (v - 115.0) - 36.0 * n**4 * (v + 12.0) - 0.3 * (v - 10.6),
            (1 - m) / exprel((25.0 - v) / 10.0) - 4.0 * math.exp(-v / 18.0) * m,
            0.1 * (1 - n) / exprel((10.0 - v) / 10.0) - 0.125 * math.exp(-v / 80.0) * n,
            0.07 * math.exp(-v / 20.0) * (1 - h) - h / (1.0 + math.exp((30.0 - v) / 10.0)),
        ]

    return rhs


def build_adex(sim, *, cut_off_mv, spike_times, **options):
    mV, nS = sim.mV, sim.nS
    constants = {
        "gL": 30 * nS, "EL": -70.6 * mV, "VT": -50.4 * mV, "DeltaT": 2 * mV, "C": 281 * sim.pF,
        "tauw": 144 * sim.ms, "a": 4 * nS, "b": 0.0805 * sim.nA, "cut_off": cut_off_mv * mV,
    }  # fmt: skip
    neurons = sim.NeuronGroup(
        N_NEURONS, ADEX, threshold="v > cut_off", reset="v = EL; w += b", namespace=constants, **options
    )
    neurons.v, neurons.I = -70.6 * mV, adex_currents() * sim.nA
    spikes = sim.SpikeMonitor(neurons)
    return Built(
        sim.Network(neurons, spikes, spike_times=spike_times),
        lambda: {"spikes": float(spikes.num_spikes)},
        lambda: 0,
    ), spikes


def build_hh(sim, *, ms, spike_times, **options):
    mV, per_area = sim.mV, sim.siemens / sim.cm**2
    constants = {
        "gNa": 0.12 * per_area, "gK": 0.036 * per_area, "gl": 3e-4 * per_area, "ENa": 115 * mV,
        "EK": -12 * mV, "El": 10.6 * mV, "Cm": 1 * sim.ufarad / sim.cm**2,
    }  # fmt: skip
    neurons = sim.NeuronGroup(
        N_NEURONS,
        HH,
        threshold="v > hh_threshold",
        refractory=HH_REFRACTORY_MS * sim.ms,
        namespace=constants | {"hh_threshold": HH_THRESHOLD_MV * mV},
        **options,
    )
    v, neurons.m, neurons.n, neurons.h = HH_START
    neurons.v, neurons.I = v * mV, hh_currents() * sim.uamp / sim.cm**2
    times = kick_times(ms)
    source = sim.SpikeGeneratorGroup(1, np.zeros(len(times), int), times * sim.ms)
    kicks = sim.Synapses(source, neurons, on_pre="v_post += kick", namespace={"kick": KICK_MV * mV})
    kicks.connect()
    spikes = sim.SpikeMonitor(neurons)
    return Built(
        sim.Network(neurons, source, kicks, spikes, spike_times=spike_times),
        lambda: {"spikes": float(spikes.num_spikes)},
        lambda: N_NEURONS,
    ), spikes
