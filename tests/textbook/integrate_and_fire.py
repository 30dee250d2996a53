# ruff: noqa: F841  (run() finds objects and model text finds values by the names in these functions)
"""Integrate-and-fire neurons whose spike times and means are known in closed form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from textbook.faces import is_exact

from eccles.units import *


def intervals(monitor: Any, neuron: int = 0) -> np.ndarray:
    """Interspike intervals of a neuron in seconds."""
    return np.diff(np.asarray(monitor.t_)[np.asarray(monitor.i) == neuron])


def found_between(monitor: Any, period: float, late: float, b: Any, neuron: int = 0) -> bool:
    """Whether all intervals are a period, on a grid at most so much longer."""
    found = intervals(monitor, neuron)
    if is_exact(b):
        return np.allclose(found, period, rtol=1e-11, atol=0)
    return bool(np.all((found > period - 1e-9) & (found < period + late + 1e-9)))


def near(value: float, expected: float, relative: float) -> bool:
    return abs(value - expected) <= relative * abs(expected)


def leaky_abstract(b: Any) -> None:
    """Leaky integrate-and-fire in abstract units; Gerstner et al., Neuronal Dynamics (2014), ch. 1.3."""
    tau = 10 * ms
    G = b.NeuronGroup(1, "dv/dt = (2 - v)/tau : 1", threshold="v > 1", reset="v = 0", method="exact")
    M = b.SpikeMonitor(G)
    b.run(100 * ms)
    period = 10e-3 * math.log(2)  # from 0 to 1 on the way to 2
    assert M.num_spikes == 14
    assert found_between(M, period, 0.1e-3, b)


def leaky_biophysical(b: Any) -> None:
    """The same neuron in millivolts: v_a = (v_b - E_L)/(V_th - E_L) maps one onto the other."""
    tau, E_L, V_th, drive = 10 * ms, -70 * mV, -55 * mV, 30 * mV
    A = b.NeuronGroup(1, "dv/dt = (2 - v)/tau : 1", threshold="v > 1", reset="v = 0", method="exact")
    B = b.NeuronGroup(
        1, "dv/dt = (E_L - v + drive)/tau : volt", threshold="v > V_th", reset="v = E_L", method="exact"
    )
    B.v = E_L
    spikes_a, spikes_b = b.SpikeMonitor(A), b.SpikeMonitor(B)
    b.run(63.2 * ms)
    assert spikes_a.num_spikes == spikes_b.num_spikes > 5
    assert np.allclose(spikes_a.t_, spikes_b.t_, rtol=1e-12 if is_exact(b) else 0, atol=0)
    assert near(float(A.v[0]), float((B.v[0] - E_L) / (V_th - E_L)), 1e-9)


def frequency_current_curve(b: Any) -> None:
    """f = 1/(t_ref + tau*ln(RI/(RI - theta))) with a refractory period; Lapicque 1907, Knight 1972."""
    tau, R = 20 * ms, 100e6 * ohm
    G = b.NeuronGroup(
        8, "dv/dt = (-v + R*I)/tau : volt (unless refractory)\nI : amp (constant)", threshold="v > 15*mV",
        reset="v = 0*mV", refractory=3 * ms, method="exact",
    )  # fmt: skip
    G.I = np.linspace(0.1, 0.8, 8) * nA
    M = b.SpikeMonitor(G)
    b.run(1 * second)
    drive = 1e8 * np.linspace(0.1e-9, 0.8e-9, 8)
    assert M.count[0] == 0  # 10 mV do not reach 15 mV
    for k in range(1, 8):
        period = 3e-3 + 20e-3 * math.log(drive[k] / (drive[k] - 15e-3))
        if is_exact(b):
            assert np.allclose(intervals(M, k), period, rtol=1e-11)
        assert np.all(intervals(M, k) > period - 0.15e-3)
        assert np.all(intervals(M, k) < period + 0.25e-3)


def rheobase(b: Any) -> None:
    """A current just below theta/R never fires a leaky neuron, one just above does; Lapicque 1907."""
    G = b.NeuronGroup(
        2,
        "dv/dt = (-v + 50*Mohm*I)/(10*ms) : volt\nI : amp",
        threshold="v > 20*mV",
        reset="v = 0*mV",
        method="exact",
    )
    G.I = [0.399, 0.401] * nA
    M = b.SpikeMonitor(G)
    b.run(200 * ms)
    assert M.count[0] == 0
    assert M.count[1] > 0


def ornstein_uhlenbeck(b: Any) -> None:
    """Membrane noise: stationary deviation sigma, correlation exp(-lag/tau); Uhlenbeck & Ornstein 1930."""
    tau, sigma = 5 * ms, 2 * mV
    G = b.NeuronGroup(2000, "dv/dt = -v/tau + sigma*sqrt(2/tau)*xi : volt", method="euler")
    b.run(30 * ms)
    first = np.asarray(G.v_[:])
    b.run(5 * ms)
    second_ = np.asarray(G.v_[:])
    assert near(second_.std(), 2e-3, 0.08)
    assert abs(second_.mean()) < 5 * 2e-3 / math.sqrt(2000)
    assert abs(np.corrcoef(first, second_)[0, 1] - math.exp(-1)) < 0.1


def noisy_leaky(b: Any) -> None:
    """Noise makes a neuron below threshold fire irregularly; Stein 1965, Ricciardi 1977."""
    tau, sigma = 10 * ms, 0.3
    G = b.NeuronGroup(
        200,
        "dv/dt = (0.8 - v)/tau + sigma*sqrt(2/tau)*xi : 1",
        threshold="v > 1",
        reset="v = 0",
        method="euler",
    )
    M = b.SpikeMonitor(G)
    b.run(300 * ms)
    per_neuron = [intervals(M, k) for k in range(200)]
    pooled = np.concatenate(per_neuron)
    cv = pooled.std() / pooled.mean()
    assert M.num_spikes > 200
    assert 0.3 < cv < 1.1


def escape_noise(b: Any) -> None:
    """A constant hazard fires as a Poisson process; Plesser & Gerstner 2000."""
    hazard = 50 * Hz
    G = b.NeuronGroup(400, "x : 1", threshold="rand() < hazard*dt")
    M = b.SpikeMonitor(G)
    b.run(500 * ms)
    expected = 400 * 50 * 0.5
    assert abs(M.num_spikes - expected) < 5 * math.sqrt(expected)


def soft_threshold(b: Any) -> None:
    """Escape rate rho0*exp((v - theta)/Delta): more drive, more spikes; Gerstner & van Hemmen 1992."""
    G = b.NeuronGroup(
        300, """dv/dt = (I - v)/(10*ms) : 1
                I : 1 (constant)
                rho = 100*Hz*exp((v - 1)/0.1) : Hz""",
        threshold="rand() < rho*dt", reset="v = 0", method="exact",
    )  # fmt: skip
    G.I = "0.8 + 0.4*(i // 100)"
    M = b.SpikeMonitor(G)
    b.run(200 * ms)
    low, middle, high = (M.count[k : k + 100].sum() for k in (0, 100, 200))
    assert 0 < low < middle < high


def adaptive_threshold(b: Any) -> None:
    """A threshold that jumps at each spike and decays: intervals grow; Hill 1936, Kobayashi et al. 2009."""
    G = b.NeuronGroup(
        1, """dv/dt = (30*mV - v)/(10*ms) : volt
              dtheta/dt = (15*mV - theta)/(80*ms) : volt""",
        threshold="v > theta", reset="v = 0*mV; theta += 3*mV", method="exact",
    )  # fmt: skip
    G.theta = 15 * mV
    M = b.SpikeMonitor(G)
    b.run(300 * ms)
    found = intervals(M)
    assert np.all(np.diff(found[:4]) > 0)
    assert found[-1] > 1.2 * found[0]


def adaptation_current(b: Any) -> None:
    """Adaptation by a slow current that each spike increments; Treves 1993, Liu & Wang 2001."""
    tau, tau_a = 10 * ms, 100 * ms
    G = b.NeuronGroup(
        1, "dv/dt = (2.5 - v - a)/tau : 1\nda/dt = -a/tau_a : 1", threshold="v > 1",
        reset="v = 0; a += 0.2", method="exact",
    )  # fmt: skip
    M = b.SpikeMonitor(G, variables="a")
    b.run(600 * ms)
    found = intervals(M)
    assert found[-1] > 1.5 * found[0]
    # in the steady state a loses the factor exp(-T/tau_a) between spikes and gains 0.2 at each
    assert near(M.a[-1], 0.2 / (math.exp(found[-1] / 0.1) - 1), 0.02)
    if is_exact(b):  # from spike to spike v and a are sums of two exponentials, and v ends at 1
        for a, t in zip(M.a[:] + 0.2, found, strict=False):
            slow = -float(a) / (1 - 10 / 100)
            v = 2.5 + slow * math.exp(-t / 0.1) - (2.5 + slow) * math.exp(-t / 0.01)
            assert abs(v - 1) < 1e-11


def phase_oscillator(b: Any) -> None:
    """dx/dt = rate fires at a chosen rate, as the maintainer's reply in a forum proposes."""
    G = b.NeuronGroup(
        3, "dx/dt = rate : 1\nrate : hertz (constant)", threshold="x > 1", reset="x = 0", method="euler"
    )
    G.rate = [25, 40, 80] * Hz
    M = b.SpikeMonitor(G)
    b.run(500 * ms)
    for k, rate in enumerate((25, 40, 80)):
        assert found_between(M, 1 / rate, 0.1e-3, b, k)


def current_step(b: Any) -> None:
    """A step of current charges the membrane exponentially and lets it discharge; textbook RC circuit."""
    step = b.TimedArray([0, 100, 0] * pA, dt=20 * ms)
    R, C = 100e6 * ohm, 200 * pF
    G = b.NeuronGroup(1, "dv/dt = (-v/R + step(t))/C : volt", method="exact")
    M = b.StateMonitor(G, "v", record=0)
    b.run(60 * ms)
    v, t = M.v_[0], M.t_
    tau, high = 20e-3, 10e-3
    charged = high * (1 - math.exp(-1))
    assert np.allclose(v[t < 19.95e-3], 0)
    during = (t > 20e-3) & (t < 40e-3)
    assert np.allclose(v[during], high * (1 - np.exp(-(t[during] - 20e-3) / tau)), rtol=1e-9)
    after = t > 40e-3
    assert np.allclose(v[after], charged * np.exp(-(t[after] - 40e-3) / tau), rtol=1e-9)


def resonate_and_fire(b: Any) -> None:
    """Damped subthreshold oscillation x = exp(bt)cos(wt), y = exp(bt)sin(wt); Izhikevich 2001."""
    omega, damping = 2 * np.pi * 40 * Hz, -20 * Hz
    G = b.NeuronGroup(
        1, "dx/dt = damping*x - omega*y : 1\ndy/dt = omega*x + damping*y : 1", threshold="y > 1",
        reset="x = 0; y = 1", method="exact",
    )  # fmt: skip
    G.x = 1
    M = b.StateMonitor(G, ["x", "y"], record=0)
    b.run(50 * ms)
    t = M.t_
    assert np.allclose(M.x[0], np.exp(-20 * t) * np.cos(2 * np.pi * 40 * t), atol=1e-9)
    assert np.allclose(M.y[0], np.exp(-20 * t) * np.sin(2 * np.pi * 40 * t), atol=1e-9)


def held_during_refractoriness(b: Any) -> None:
    """With `unless refractory` the potential stays at reset and input in that time is lost."""
    G = b.NeuronGroup(
        1, "dv/dt = (2 - v)/(10*ms) : 1 (unless refractory)", threshold="v > 1", reset="v = 0",
        refractory=5 * ms, method="exact",
    )  # fmt: skip
    M, spikes = b.StateMonitor(G, "v", record=0), b.SpikeMonitor(G)
    b.run(60 * ms)
    first = spikes.t_[0]
    held = (M.t_ > first + 0.05e-3) & (M.t_ < first + 4.9e-3)
    assert np.all(M.v[0][held] == 0)
    late = 1e-13 if is_exact(b) else 0.2e-3
    assert np.all(np.abs(intervals(spikes) - (5e-3 + 10e-3 * math.log(2))) < late)
