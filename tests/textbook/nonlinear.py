# ruff: noqa: F841  (run() finds objects and model text finds values by the names in these functions)
"""Nonlinear integrate-and-fire neurons and reduced models, with their firing patterns and fixed points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from eccles.units import *


def intervals(monitor: Any, neuron: int = 0) -> np.ndarray:
    """Interspike intervals of a neuron in seconds."""
    return np.diff(np.asarray(monitor.t_)[np.asarray(monitor.i) == neuron])


def exponential_integrate_and_fire(b: Any) -> None:
    """Rheobase g_L*(V_T - E_L - Delta_T): Fourcaud-Trocme et al. 2003."""
    C, g_L, E_L, V_T, D_T = 200 * pF, 10 * nS, -65 * mV, -50 * mV, 2 * mV
    G = b.NeuronGroup(
        2, """dv/dt = (g_L*(E_L - v) + g_L*D_T*exp((v - V_T)/D_T) + I)/C : volt
              I : amp (constant)""",
        threshold="v > -30*mV", reset="v = -68*mV", refractory=2 * ms, method="euler",
    )  # fmt: skip
    G.v = E_L
    G.I = [0.97 * 0.13, 1.03 * 0.13] * nA  # 10 nS * 13 mV = 130 pA
    M = b.SpikeMonitor(G)
    b.run(500 * ms)
    assert M.count[0] == 0
    assert M.count[1] > 0


def quadratic_integrate_and_fire(b: Any) -> None:
    """dv/dt = v^2 + I blows up after (atan(v_th/sqrt(I)) - atan(v_r/sqrt(I)))/sqrt(I); Ermentrout 1996."""
    tau = 10 * ms
    G = b.NeuronGroup(
        3,
        "dv/dt = (v**2 + I)/tau : 1\nI : 1 (constant)",
        threshold="v > 10",
        reset="v = -10",
        method="rk4",
        dt=0.02 * ms,
    )
    G.v = -10
    G.I = [1, 4, -1]
    M = b.SpikeMonitor(G)
    b.run(200 * ms)
    for k, root in ((0, 1.0), (1, 2.0)):
        period = 10e-3 * 2 * math.atan(10 / root) / root
        assert np.all(np.abs(intervals(M, k) - period) < 0.2e-3)
    assert M.count[2] == 0
    assert abs(G.v_[2] + 1) < 1e-6  # the stable fixed point is -sqrt(-I)


def theta_neuron(b: Any) -> None:
    """dtheta/dt = 1 - cos(theta) + (1 + cos(theta))*I: period pi/sqrt(I); Ermentrout & Kopell 1986."""
    tau = 10 * ms
    G = b.NeuronGroup(
        2, """dtheta/dt = (1 - cos(theta) + (1 + cos(theta))*I)/tau : 1
              I : 1 (constant)""",
        threshold="theta > pi", reset="theta -= 2*pi", method="rk4",
    )  # fmt: skip
    G.I = [1, 0.25]
    M = b.SpikeMonitor(G)
    b.run(400 * ms)
    for k, root in ((0, 1.0), (1, 0.5)):
        assert abs(intervals(M, k).mean() - 10e-3 * math.pi / root) < 0.05e-3


def _adaptive_exponential(b: Any, parameters: tuple[float, ...], duration: Any) -> np.ndarray:
    """Spike times in ms of an AdEx neuron; parameters as in table 1 of Naud et al. 2008."""
    c, g, e, vt, dt_, a_, tw, b_, vr, i_ = parameters
    C, g_L, E_L, V_T, D_T = c * pF, g * nS, e * mV, vt * mV, dt_ * mV
    a, tau_w, jump, V_r, I_s = a_ * nS, tw * ms, b_ * pA, vr * mV, i_ * pA
    G = b.NeuronGroup(
        1, """dv/dt = (g_L*(E_L - v) + g_L*D_T*exp((v - V_T)/D_T) - w + I_s)/C : volt
              dw/dt = (a*(v - E_L) - w)/tau_w : amp""",
        threshold="v > 0*mV", reset="v = V_r; w += jump", method="euler", dt=0.05 * ms,
    )  # fmt: skip
    G.v = E_L
    M = b.SpikeMonitor(G)
    b.run(duration)
    return np.asarray(M.t_) * 1e3


def adex_tonic(b: Any) -> None:
    """Tonic spiking; Brette & Gerstner 2005, Naud et al. 2008, fig. 4a."""
    found = np.diff(_adaptive_exponential(b, (200, 10, -70, -50, 2, 2, 30, 0, -58, 500), 300 * ms))
    assert len(found) > 5
    assert found[0] > 0.9 * found[-1]  # no adaptation to speak of
    assert np.ptp(found[-10:]) < 0.11


def adex_adapting(b: Any) -> None:
    """Spike-frequency adaptation; Naud et al. 2008, fig. 4b."""
    found = np.diff(_adaptive_exponential(b, (200, 12, -70, -50, 2, 2, 300, 60, -58, 500), 500 * ms))
    assert len(found) > 4
    assert np.all(np.diff(found[:4]) > 0)
    assert found[-1] > 1.5 * found[0]


def adex_initial_burst(b: Any) -> None:
    """An initial burst, then regular spiking; Naud et al. 2008, fig. 4c."""
    found = np.diff(_adaptive_exponential(b, (130, 18, -58, -50, 2, 4, 150, 120, -50, 400), 600 * ms))
    assert found[-1] > 3 * found[0]
    assert abs(found[-1] - found[-2]) < 0.15 * found[-1]


def adex_bursting(b: Any) -> None:
    """Regular bursting: short intervals within, long ones between bursts; Naud et al. 2008, fig. 4d."""
    found = np.diff(_adaptive_exponential(b, (200, 10, -58, -50, 2, 2, 120, 100, -46, 210), 1 * second))
    long = found > 2.5 * np.median(found)
    assert 3 <= long.sum() < len(found) / 2
    assert found[long].min() > 1.5 * found[~long].max()


def adex_transient(b: Any) -> None:
    """A few spikes at the onset and then rest; Naud et al. 2008, fig. 4g."""
    times = _adaptive_exponential(b, (100, 10, -65, -50, 2, 10, 90, 100, -47, 180), 500 * ms)
    assert 1 <= len(times) <= 5
    assert times[-1] < 100


def _izhikevich(b: Any, a_: float, b_: float, c_: float, d_: float, current: float) -> np.ndarray:
    """Spike times in ms of a neuron of Izhikevich (2003), v and u in mV, t in ms."""
    a, sensitivity, c, d, I_s = a_, b_, c_, d_, current
    G = b.NeuronGroup(
        1, """dv/dt = (0.04*v**2 + 5*v + 140 - u + I_s)/ms : 1
              du/dt = a*(sensitivity*v - u)/ms : 1""",
        threshold="v >= 30", reset="v = c; u += d", method="euler",
    )  # fmt: skip
    G.v = -65
    G.u = -65 * b_
    M = b.SpikeMonitor(G)
    b.run(500 * ms)
    return np.asarray(M.t_) * 1e3


def izhikevich_regular(b: Any) -> None:
    """Regular spiking cortical cell; Izhikevich 2003, fig. 2 RS."""
    found = np.diff(_izhikevich(b, 0.02, 0.2, -65, 8, 10))
    assert len(found) > 5
    assert found[-1] > 1.3 * found[0]


def izhikevich_chattering(b: Any) -> None:
    """Bursts of closely spaced spikes; Izhikevich 2003, fig. 2 CH."""
    found = np.diff(_izhikevich(b, 0.02, 0.2, -50, 2, 10))
    assert found.max() > 4 * np.median(found)
    assert np.sum(found > 3 * np.median(found)) >= 3


def izhikevich_fast(b: Any) -> None:
    """Fast spiking interneuron: higher rate, no adaptation; Izhikevich 2003, fig. 2 FS."""
    fast = np.diff(_izhikevich(b, 0.1, 0.2, -65, 2, 10))
    assert len(fast) > 20
    assert abs(fast[-1] - fast[-2]) < 0.5


def izhikevich_low_threshold(b: Any) -> None:
    """Low-threshold spiking: fires with adaptation; Izhikevich 2003, fig. 2 LTS."""
    found = np.diff(_izhikevich(b, 0.02, 0.25, -65, 2, 10))
    assert len(found) > 8
    assert found[-1] > found[0]


def izhikevich_network(b: Any) -> None:
    """A pulse-coupled net of the two cell types under noisy input fires at a few hertz; Izhikevich 2003."""
    G = b.NeuronGroup(
        200, """dv/dt = (0.04*v**2 + 5*v + 140 - u + I)/ms : 1
                du/dt = a*(0.2*v - u)/ms : 1
                a : 1 (constant)
                c : 1 (constant)
                d : 1 (constant)
                I : 1""",
        threshold="v >= 30", reset="v = c; u += d", method="euler", dt=0.5 * ms,
    )  # fmt: skip
    excitatory, inhibitory = G[:160], G[160:]
    G.v = -65
    G.u = -13
    excitatory.a, excitatory.c, excitatory.d = 0.02, "-65 + 15*rand()**2", "8 - 6*rand()**2"
    inhibitory.a, inhibitory.c, inhibitory.d = "0.02 + 0.08*rand()", -65, 2
    thalamus = G.run_regularly("I = 5*randn()", dt=1 * ms)
    E = b.Synapses(excitatory, G, "w : 1 (constant)", on_pre="I += w")
    E.connect(p=0.5)
    E.w = "rand()"
    S = b.Synapses(inhibitory, G, "w : 1 (constant)", on_pre="I -= w")
    S.connect(p=0.5)
    S.w = "2*rand()"
    M = b.SpikeMonitor(G)
    b.run(300 * ms)
    rate = M.num_spikes / 200 / 0.3
    assert 0.5 < rate < 40


def fitzhugh_nagumo(b: Any) -> None:
    """Rest without current, a limit cycle with it; FitzHugh 1961, Nagumo et al. 1962."""
    G = b.NeuronGroup(
        2, """dv/dt = (v - v**3/3 - w + I)/ms : 1
              dw/dt = 0.08*(v + 0.7 - 0.8*w)/ms : 1
              I : 1 (constant)""", method="rk4",
    )  # fmt: skip
    G.I = [0, 0.5]
    b.run(200 * ms)
    M = b.StateMonitor(G, "v", record=True)
    b.run(200 * ms)
    roots = np.roots([-1 / 3, 0, 1 - 1 / 0.8, -0.7 / 0.8])  # v - v^3/3 = w = (v + 0.7)/0.8
    rest = float(roots[np.isreal(roots)].real[0])
    assert abs(M.v[0, -1] - rest) < 1e-3
    assert np.ptp(M.v[1]) > 3


def morris_lecar(b: Any) -> None:
    """Barnacle muscle fibre: rest near -61 mV, oscillation beyond the Hopf bifurcation at 94 uA/cm^2.

    Morris & Lecar 1981, parameters of Rinzel & Ermentrout 1998.
    """
    C = 20 * uF / cm**2
    G = b.NeuronGroup(
        2, """dv/dt = (I - 4.4*msiemens/cm**2*m_inf*(v - 120*mV) - 8*msiemens/cm**2*n*(v + 84*mV)
                         - 2*msiemens/cm**2*(v + 60*mV))/C : volt
              dn/dt = 0.04*cosh((v - 2*mV)/(60*mV))*(n_inf - n)/ms : 1
              m_inf = 0.5*(1 + tanh((v + 1.2*mV)/(18*mV))) : 1
              n_inf = 0.5*(1 + tanh((v - 2*mV)/(30*mV))) : 1
              I : amp/meter**2 (constant)""", method="rk4",
    )  # fmt: skip
    G.v = -60 * mV
    G.I = [0, 110] * uA / cm**2
    b.run(300 * ms)
    M = b.StateMonitor(G, "v", record=True)
    b.run(300 * ms)
    assert abs(M.v_[0, -1] + 60.9e-3) < 0.2e-3
    assert np.ptp(M.v_[0]) < 1e-5
    assert np.ptp(M.v_[1]) > 40e-3


def hindmarsh_rose(b: Any) -> None:
    """Bursting by a slow third variable; Hindmarsh & Rose 1984."""
    G = b.NeuronGroup(
        1, """dx/dt = (y - x**3 + 3*x**2 - z + 2)/ms : 1
              dy/dt = (1 - 5*x**2 - y)/ms : 1
              dz/dt = 0.006*(4*(x + 1.6) - z)/ms : 1""",
        threshold="x > 1", refractory="x > 0.5", method="rk4",
    )  # fmt: skip
    G.x, G.y, G.z = -1.3, -7.3, 1.8
    M = b.SpikeMonitor(G)
    b.run(1500 * ms)
    found = intervals(M)
    assert found.max() > 4 * np.median(found)
    assert np.sum(found > 3 * np.median(found)) >= 3


def persistent_sodium_plus_potassium(b: Any) -> None:
    """Saddle-node on the rest state: rest below 4.5 uA/cm^2, spikes above; Izhikevich 2007, ch. 4."""
    G = b.NeuronGroup(
        2, """dv/dt = (I - 8*(v + 80) - 20*m_inf*(v - 60) - 10*n*(v + 90))/ms : 1
              dn/dt = (n_inf - n)/ms : 1
              m_inf = 1/(1 + exp((-20 - v)/15)) : 1
              n_inf = 1/(1 + exp((-25 - v)/5)) : 1
              I : 1 (constant)""",
        threshold="v > -20", refractory="v > -40", method="rk4",
    )  # fmt: skip
    G.v = -65
    G.I = [3, 10]
    M = b.SpikeMonitor(G)
    b.run(200 * ms)
    assert M.count[0] == 0
    assert M.count[1] > 3


def wilson_cowan(b: Any) -> None:
    """Excitatory and inhibitory rates settle where the model's own equation says; Wilson & Cowan 1972."""
    G = b.NeuronGroup(
        1, """dE/dt = (-E + 1/(1 + exp(-(4*E - 3*I + 0.5)))) / (10*ms) : 1
              dI/dt = (-I + 1/(1 + exp(-(3*E - 1*I - 1)))) / (20*ms) : 1""", method="rk4",
    )  # fmt: skip
    b.run(1 * second)
    e, i = float(G.E[0]), float(G.I[0])
    assert abs(e - 1 / (1 + math.exp(-(4 * e - 3 * i + 0.5)))) < 1e-6
    assert abs(i - 1 / (1 + math.exp(-(3 * e - i - 1)))) < 1e-6
