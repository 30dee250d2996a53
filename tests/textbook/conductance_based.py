# ruff: noqa: F841  (run() finds objects and model text finds values by the names in these functions)
"""Neurons with ion channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from eccles.units import *


def hodgkin_huxley(b: Any) -> None:
    """The squid axon: rest at -65 mV, about 68 Hz at 10 uA/cm^2; Hodgkin & Huxley 1952."""
    C, g_Na, g_K, g_L = 1 * uF / cm**2, 120 * mS / cm**2, 36 * mS / cm**2, 0.3 * mS / cm**2
    E_Na, E_K, E_L = 50 * mV, -77 * mV, -54.387 * mV
    G = b.NeuronGroup(
        2, """dv/dt = (I - g_Na*m**3*h*(v - E_Na) - g_K*n**4*(v - E_K) - g_L*(v - E_L))/C : volt
              dm/dt = alpha_m*(1 - m) - beta_m*m : 1
              dh/dt = alpha_h*(1 - h) - beta_h*h : 1
              dn/dt = alpha_n*(1 - n) - beta_n*n : 1
              alpha_m = 1/exprel(-(v + 40*mV)/(10*mV))/ms : Hz
              beta_m = 4*exp(-(v + 65*mV)/(18*mV))/ms : Hz
              alpha_h = 0.07*exp(-(v + 65*mV)/(20*mV))/ms : Hz
              beta_h = 1/(1 + exp(-(v + 35*mV)/(10*mV)))/ms : Hz
              alpha_n = 0.1/exprel(-(v + 55*mV)/(10*mV))/ms : Hz
              beta_n = 0.125*exp(-(v + 65*mV)/(80*mV))/ms : Hz
              I : amp/meter**2 (constant)""",
        threshold="v > 0*mV", refractory="v > 0*mV", method="exponential_euler", dt=0.02 * ms,
    )  # fmt: skip
    G.v = -65 * mV
    G.m, G.h, G.n = 0.0529, 0.5961, 0.3177
    G.I = [0, 10] * uA / cm**2
    M, V = b.SpikeMonitor(G), b.StateMonitor(G, "v", record=True, dt=0.1 * ms)
    b.run(300 * ms)
    assert M.count[0] == 0
    assert np.abs(V.v_[0] + 65e-3).max() < 0.2e-3
    period = np.diff(np.asarray(M.t_)[np.asarray(M.i) == 1])[2:].mean()
    assert 64 < 1 / period < 72
    assert 30e-3 < V.v_[1].max() < 50e-3


def traub_miles(b: Any) -> None:
    """Hippocampal pyramidal cell as in the COBAHH benchmark; Traub & Miles 1991, Brette et al. 2007."""
    area = 20000 * um**2
    C, g_L, g_Na, g_K = (
        1 * uF / cm**2 * area,
        0.05 * mS / cm**2 * area,
        100 * mS / cm**2 * area,
        30 * mS / cm**2 * area,
    )
    E_L, E_Na, E_K, V_T = -65 * mV, 50 * mV, -90 * mV, -63 * mV
    G = b.NeuronGroup(
        2, """dv/dt = (g_L*(E_L - v) + g_Na*m**3*h*(E_Na - v) + g_K*n**4*(E_K - v) + I)/C : volt
              dm/dt = alpha_m*(1 - m) - beta_m*m : 1
              dn/dt = alpha_n*(1 - n) - beta_n*n : 1
              dh/dt = alpha_h*(1 - h) - beta_h*h : 1
              alpha_m = 0.32*4/exprel((13*mV - v + V_T)/(4*mV))/ms : Hz
              beta_m = 0.28*5/exprel((v - V_T - 40*mV)/(5*mV))/ms : Hz
              alpha_h = 0.128*exp((17*mV - v + V_T)/(18*mV))/ms : Hz
              beta_h = 4/(1 + exp((40*mV - v + V_T)/(5*mV)))/ms : Hz
              alpha_n = 0.032*5/exprel((15*mV - v + V_T)/(5*mV))/ms : Hz
              beta_n = 0.5*exp((10*mV - v + V_T)/(40*mV))/ms : Hz
              I : amp (constant)""",
        threshold="v > -20*mV", refractory=3 * ms, method="exponential_euler",
    )  # fmt: skip
    G.v = E_L
    G.h = 1
    G.I = [0, 500] * pA
    M = b.SpikeMonitor(G)
    b.run(200 * ms)
    assert M.count[0] == 0
    assert M.count[1] > 3


def connor_stevens(b: Any) -> None:
    """The A-current delays the first spike after a step; Connor & Stevens 1971, as in Dayan & Abbott 2001."""
    G = b.NeuronGroup(
        2, """dv/dt = (I - 0.3*(v + 17) - 120*m**3*h*(v - 55) - 20*n**4*(v + 72) - g_A*a**3*k*(v + 75))/ms : 1
              dm/dt = (3.8/exprel(-0.1*(v + 29.7))*(1 - m) - 15.2*exp(-0.0556*(v + 54.7))*m)/ms : 1
              dh/dt = (0.266*exp(-0.05*(v + 48))*(1 - h) - 3.8/(1 + exp(-0.1*(v + 18)))*h)/ms : 1
              dn/dt = (0.2/exprel(-0.1*(v + 45.7))*(1 - n) - 0.25*exp(-0.0125*(v + 55.7))*n)/ms : 1
              da/dt = (a_inf - a)/(0.3632 + 1.158/(1 + exp(0.0497*(v + 55.96))))/ms : 1
              dk/dt = (k_inf - k)/(1.24 + 2.678/(1 + exp(0.0624*(v + 50))))/ms : 1
              a_inf = (0.0761*exp(0.0314*(v + 94.22))/(1 + exp(0.0346*(v + 1.17))))**(1/3) : 1
              k_inf = 1/(1 + exp(0.0688*(v + 53.3)))**4 : 1
              g_A : 1 (constant)
              I : 1""",
        threshold="v > 0", refractory="v > -20", method="rk4", dt=0.02 * ms,
    )  # fmt: skip
    G.v, G.h, G.n, G.m, G.a, G.k = -68, 0.97, 0.16, 0.01, 0.54, 0.29
    G.g_A = [47.7, 30]
    b.run(100 * ms)
    M = b.SpikeMonitor(G)
    G.I = 12
    b.run(200 * ms)
    first = [float(np.asarray(M.t_)[np.asarray(M.i) == k][0]) for k in (0, 1)]
    assert first[0] > first[1] > 0.1


def wang_buzsaki(b: Any) -> None:
    """Fast spiking interneuron: its rate grows with current, no adaptation; Wang & Buzsaki 1996."""
    G = b.NeuronGroup(
        3, """dv/dt = (I - 35*m_inf**3*h*(v - 55) - 9*n**4*(v + 90) - 0.1*(v + 65))/ms : 1
              m_inf = alpha_m/(alpha_m + beta_m) : 1
              alpha_m = 1/exprel(-0.1*(v + 35)) : 1
              beta_m = 4*exp(-(v + 60)/18) : 1
              dh/dt = 5*(0.07*exp(-(v + 58)/20)*(1 - h) - h/(1 + exp(-0.1*(v + 28))))/ms : 1
              dn/dt = 5*(0.1/exprel(-0.1*(v + 34))*(1 - n) - 0.125*exp(-(v + 44)/80)*n)/ms : 1
              I : 1 (constant)""",
        threshold="v > 0", refractory="v > -20", method="rk4", dt=0.02 * ms,
    )  # fmt: skip
    G.v, G.h, G.n = -64, 0.78, 0.09
    G.I = [0, 1, 2]
    M = b.SpikeMonitor(G)
    b.run(200 * ms)
    rates = M.count / 0.2
    assert rates[0] == 0
    assert 50 < rates[1] < 80
    assert 90 < rates[2] < 130
    found = np.diff(np.asarray(M.t_)[np.asarray(M.i) == 2])
    assert np.ptp(found[2:]) < 0.1e-3


def electrically_coupled_pair(b: Any) -> None:
    """A gap junction makes two passive cells equal: the difference decays with (1 + 2*g)/tau."""
    tau, g = 20 * ms, 0.5
    G = b.NeuronGroup(2, "dv/dt = (-v + gap)/tau : 1\ngap : 1", method="euler", dt=0.01 * ms)
    G.v = [1, 0]
    S = b.Synapses(G, G, "gap_post = g*(v_pre - v_post) : 1 (summed)")
    S.connect("i != j")
    b.run(20 * ms)
    total, difference = float(G.v[0] + G.v[1]), float(G.v[0] - G.v[1])
    assert abs(total - np.exp(-1)) < 1e-3
    assert abs(difference - np.exp(-2)) < 1e-3
