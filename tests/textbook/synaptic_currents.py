# ruff: noqa: F841  (run() finds objects and model text finds values by the names in these functions)
"""Postsynaptic currents and conductances against their time courses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from textbook.faces import is_exact

from eccles.units import *


def exponential_current(b: Any) -> None:
    """The potential that an exponential current evokes is a difference of exponentials."""
    tau_m, tau_s, w = 20 * ms, 5 * ms, 10 * mV
    source = b.SpikeGeneratorGroup(1, [0], [10] * ms)
    G = b.NeuronGroup(1, "dv/dt = (g - v)/tau_m : volt\ndg/dt = -g/tau_s : volt", method="exact")
    S = b.Synapses(source, G, on_pre="g += w")
    S.connect()
    M = b.StateMonitor(G, "v", record=0)
    b.run(80 * ms)
    begin = 10e-3 if is_exact(b) else 10.1e-3  # on a grid, when the step ends in which the spike arrives
    t = np.clip(M.t_ - begin, 0, None)
    psp = 10e-3 * 5 / 15 * (np.exp(-t / 20e-3) - np.exp(-t / 5e-3))
    assert np.allclose(M.v_[0], psp, atol=1e-12)
    peak = 20e-3 * 5e-3 / 15e-3 * math.log(4)
    assert abs(t[np.argmax(M.v_[0])] - peak) < 0.06e-3


def alpha_current(b: Any) -> None:
    """An alpha function w*(t/tau)*exp(1 - t/tau) as two linear equations; Rall 1967."""
    tau = 4 * ms
    source = b.SpikeGeneratorGroup(1, [0], [5] * ms)
    G = b.NeuronGroup(1, "dI/dt = (exp(1)*h - I)/tau : amp\ndh/dt = -h/tau : amp", method="exact")
    S = b.Synapses(source, G, on_pre="h += 1*nA")
    S.connect()
    M = b.StateMonitor(G, "I", record=0)
    b.run(30 * ms)
    t = np.clip(M.t_ - (5e-3 if is_exact(b) else 5.1e-3), 0, None)
    assert np.allclose(M.I_[0], 1e-9 * t / 4e-3 * np.exp(1 - t / 4e-3), atol=1e-20)
    assert abs(M.I_[0].max() - 1e-9) < 1e-12


def biexponential_conductance(b: Any) -> None:
    """Rise and decay; the normalised conductance peaks at 1 after t_p = ln(td/tr)*td*tr/(td - tr)."""
    tau_r, tau_d = 2 * ms, 10 * ms
    t_p = math.log(5) * 10 * 2 / 8
    norm = 1 / (math.exp(-t_p / 10) - math.exp(-t_p / 2))
    source = b.SpikeGeneratorGroup(1, [0], [1] * ms)
    G = b.NeuronGroup(
        1, """g = norm*(decay - rise) : siemens
              drise/dt = -rise/tau_r : siemens
              ddecay/dt = -decay/tau_d : siemens""", method="exact",
    )  # fmt: skip
    S = b.Synapses(source, G, on_pre="rise += 3*nS; decay += 3*nS")
    S.connect()
    M = b.StateMonitor(G, "g", record=0)
    b.run(20 * ms)
    k = int(np.argmax(M.g_[0]))
    assert abs(M.g_[0][k] - 3e-9) < 3e-12
    assert abs(M.t_[k] - (1e-3 if is_exact(b) else 1.1e-3) - t_p * 1e-3) < 0.06e-3


def conductance_divider(b: Any) -> None:
    """A constant synaptic conductance pulls the membrane to the weighted mean of the reversal potentials."""
    g_L, E_L, E_e, C = 10 * nS, -70 * mV, 0 * mV, 200 * pF
    G = b.NeuronGroup(
        3,
        "dv/dt = (g_L*(E_L - v) + g_e*(E_e - v))/C : volt\ng_e : siemens (constant)",
        method="exponential_euler",
    )
    G.v = E_L
    G.g_e = [0, 5, 10] * nS
    b.run(300 * ms)
    assert np.allclose(G.v_[:], [-70e-3, -70e-3 * 10 / 15, -35e-3], rtol=1e-5)


def exponential_conductance(b: Any) -> None:
    """A decaying conductance depolarises, and less the nearer the membrane is to its reversal potential."""
    tau, tau_s = 20 * ms, 5 * ms
    source = b.SpikeGeneratorGroup(1, [0], [5] * ms)
    G = b.NeuronGroup(
        2, "dv/dt = (v0 - v + g*(0*mV - v))/tau : volt\ndg/dt = -g/tau_s : 1\nv0 : volt (constant)",
        method="exponential_euler",
    )  # fmt: skip
    G.v0 = [-70, -20] * mV
    G.v = G.v0
    S = b.Synapses(source, G, on_pre="g += 0.5")
    S.connect()
    M = b.StateMonitor(G, "v", record=True)
    b.run(60 * ms)
    far, close = (M.v_.max(axis=1) - M.v_[:, 0]).tolist()
    assert far > close > 0
    assert far / close == float(
        np.clip(far / close, 70 / 20 * 0.99, 70 / 20 * 1.01)
    )  # linear in the distance


def magnesium_block(b: Any) -> None:
    """The current through NMDA receptors has a negative slope; Jahr & Stevens 1990, eq. 4a."""
    G = b.NeuronGroup(
        100, """v : volt (constant)
                block = 1/(1 + exp(-0.062*v/mV)/3.57) : 1
                I = 1*nS*block*(v - 0*mV) : amp""",
    )  # fmt: skip
    G.v = "(-100 + 1.5*i)*mV"
    b.run(0.1 * ms)
    assert abs(float(G.block["v > -0.5*mV and v < 0.6*mV"][0]) - 1 / (1 + 1 / 3.57)) < 0.01
    current = np.asarray(G.I_[:])
    trough = int(np.argmin(current))
    assert 0 < trough < 60
    assert np.all(np.diff(current[:trough]) < 0)
    assert np.all(np.diff(current[trough:]) > 0)


def shot_noise(b: Any) -> None:
    """Poisson kicks through a leaky membrane: mean w*rate*tau, variance w^2*rate*tau/2; Campbell 1909."""
    tau, w = 10 * ms, 0.1
    source = b.PoissonGroup(400, 200 * Hz)
    G = b.NeuronGroup(400, "dv/dt = -v/tau : 1", method="exact")
    S = b.Synapses(source, G, on_pre="v += w")
    S.connect(j="i")
    b.run(50 * ms)
    M = b.StateMonitor(G, "v", record=True, dt=10 * ms)
    b.run(500 * ms)
    v = np.asarray(M.v)
    assert abs(v.mean() - 0.2) < 0.006
    assert abs(v.var() - 0.01) < 0.0015


def poisson_input(b: Any) -> None:
    """PoissonInput gives the same statistics as so many Poisson sources."""
    tau, w = 10 * ms, 0.02
    G = b.NeuronGroup(400, "dv/dt = -v/tau : 1", method="exact")
    background = b.PoissonInput(G, "v", 100, 20 * Hz, weight=w)
    M = b.StateMonitor(G, "v", record=True, dt=10 * ms)
    b.run(400 * ms)
    v = np.asarray(M.v)[:, 6:]
    assert abs(v.mean() - 0.4) < 0.01  # 100*20 Hz*0.02*10 ms
    assert abs(v.var() - 0.004) < 0.0005  # w^2*rate*tau/2


def stochastic_release(b: Any) -> None:
    """Each spike releases with probability p, independently; del Castillo & Katz 1954."""
    p = 0.3
    source = b.SpikeGeneratorGroup(1, [0] * 10, np.arange(1, 11) * ms)
    G = b.NeuronGroup(500, "received : 1")
    S = b.Synapses(source, G, on_pre="received += int(rand() < p)")
    S.connect()
    b.run(12 * ms)
    received = np.asarray(G.received[:])
    assert abs(received.mean() - 3) < 5 * math.sqrt(10 * 0.3 * 0.7 / 500)
    assert abs(received.var() - 2.1) < 0.7


def heterogeneous_delays(b: Any) -> None:
    """Each synapse delivers after its own delay."""
    source = b.SpikeGeneratorGroup(2, [0, 1], [1, 2] * ms)
    G = b.NeuronGroup(6, "arrived : second")
    S = b.Synapses(source, G, on_pre="arrived_post = t")
    S.connect(i=[0, 0, 0, 1, 1, 1], j=[0, 1, 2, 3, 4, 5])
    S.delay = [0, 0.5, 3, 1, 2.2, 4] * ms
    b.run(10 * ms)
    assert np.allclose(G.arrived_[:], np.array([1, 1.5, 4, 3, 4.2, 6]) * 1e-3)
