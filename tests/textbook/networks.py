# ruff: noqa: F841  (run() finds objects and model text finds values by the names in these functions)
"""Small networks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from textbook.faces import is_exact

from eccles.units import *


def cuba(b: Any) -> None:
    """Current-based benchmark, a tenth of the size; Vogels & Abbott 2005, Brette et al. 2007."""
    tau_m, tau_e, tau_i, E_L, V_t, V_r = 20 * ms, 5 * ms, 10 * ms, -49 * mV, -50 * mV, -60 * mV
    P = b.NeuronGroup(
        400, """dv/dt = (g_e + g_i - (v - E_L))/tau_m : volt (unless refractory)
                dg_e/dt = -g_e/tau_e : volt
                dg_i/dt = -g_i/tau_i : volt""",
        threshold="v > V_t", reset="v = V_r", refractory=5 * ms, method="exact",
    )  # fmt: skip
    P.v = "V_r + rand()*(V_t - V_r)"
    Ce = b.Synapses(P[:320], P, on_pre="g_e += 1.62*mV")
    Ci = b.Synapses(P[320:], P, on_pre="g_i -= 9*mV")
    Ce.connect(p=0.2)
    Ci.connect(p=0.2)
    M = b.SpikeMonitor(P)
    b.run(200 * ms)
    rate = M.num_spikes / 400 / 0.2
    assert 2 < rate < 80
    assert P.v_[:].max() < -49e-3


def coba(b: Any) -> None:
    """Conductance-based network of the benchmark, a tenth of the size; Vogels & Abbott 2005."""
    tau_m, tau_e, tau_i = 20 * ms, 5 * ms, 10 * ms
    E_L, E_e, E_i, V_t = -60 * mV, 0 * mV, -80 * mV, -50 * mV
    P = b.NeuronGroup(
        400, """dv/dt = (g_e*(E_e - v) + g_i*(E_i - v) + (E_L - v) + 20*mV)/tau_m : volt (unless refractory)
                dg_e/dt = -g_e/tau_e : 1
                dg_i/dt = -g_i/tau_i : 1""",
        threshold="v > V_t", reset="v = E_L", refractory=5 * ms, method="exponential_euler",
    )  # fmt: skip
    P.v = "E_L + rand()*(V_t - E_L)"
    Ce = b.Synapses(P[:320], P, on_pre="g_e += 0.6")
    Ci = b.Synapses(P[320:], P, on_pre="g_i += 6.7")
    Ce.connect(p=0.2)
    Ci.connect(p=0.2)
    M = b.SpikeMonitor(P)
    b.run(200 * ms)
    v = np.asarray(P.v_[:])
    assert M.num_spikes > 100
    assert np.all(v < E_e / volt)
    assert np.all(v > E_i / volt)


def brunel(b: Any) -> None:
    """Inhibition keeps a random network below the rate that its input alone would cause; Brunel 2000."""
    tau, theta, V_r, J, g, delay = 20 * ms, 20 * mV, 10 * mV, 0.5 * mV, 6, 1.5 * ms
    N_E, N_I, C_E = 400, 100, 40
    rate_ext = 2 * theta / (J * C_E * tau)
    rates = []
    for coupled in (True, False):
        G = b.NeuronGroup(
            N_E + N_I, "dv/dt = -v/tau : volt (unless refractory)", threshold="v > theta", reset="v = V_r",
            refractory=2 * ms, method="exact",
        )  # fmt: skip
        G.v = "rand()*theta"
        E, I_ = G[:N_E], G[N_E:]
        background = b.PoissonInput(G, "v", C_E, rate_ext, weight=J)
        excitation = b.Synapses(E, G, on_pre="v += J", delay=delay)
        excitation.connect(p=0.1 if coupled else 0.0)
        inhibition = b.Synapses(I_, G, on_pre="v -= g*J", delay=delay)
        inhibition.connect(p=0.1 if coupled else 0.0)
        M = b.SpikeMonitor(G)
        net = b.Network(G, background, excitation, inhibition, M)
        net.run(300 * ms)
        rates.append(M.num_spikes / 500 / 0.3)
    assert 5 < rates[0] < 0.8 * rates[1]


def synfire_chain(b: Any) -> None:
    """A volley passes through the layers of a chain one after the other; Diesmann et al. 1999."""
    layers, width = 6, 20
    G = b.NeuronGroup(
        layers * width, """dv/dt = (x - v)/(10*ms) : 1
                           dx/dt = (y - x)/(1*ms) : 1
                           dy/dt = -y/(1*ms) : 1""",
        threshold="v > 1", reset="v = 0", refractory=2 * ms, method="exact",
    )  # fmt: skip
    S = b.Synapses(G, G, on_pre="y += 0.8", delay=3 * ms)
    S.connect(j="k for k in range((i//width + 1)*width, (i//width + 2)*width) if i < (layers - 1)*width")
    volley = b.SpikeGeneratorGroup(width, np.arange(width), np.full(width, 5) * ms)
    start = b.Synapses(volley, G, on_pre="y += 0.8")
    start.connect("j < width")
    M = b.SpikeMonitor(G)
    b.run(60 * ms)
    i, t = np.asarray(M.i), np.asarray(M.t_)
    means = [t[i // width == k].mean() for k in range(layers)]
    assert all(np.sum(i // width == k) == width for k in range(layers))
    assert np.all(np.diff(means) > 3e-3)
    assert np.ptp(np.diff(means)[1:]) < 0.3e-3


def winner_take_all(b: Any) -> None:
    """Mutual inhibition lets only the neuron with the strongest input fire."""
    G = b.NeuronGroup(
        5, """dv/dt = (I - v)/(10*ms) : 1
              I : 1 (constant)""", threshold="v > 1", reset="v = 0", method="exact",
    )  # fmt: skip
    G.I = [1.3, 1.2, 1.8, 1.25, 1.1]
    S = b.Synapses(G, G, on_pre="v = clip(v - 1, -1, 1)")
    S.connect("i != j")
    M = b.SpikeMonitor(G)
    b.run(200 * ms)
    counts = np.asarray(M.count)
    assert counts[2] > 10
    assert counts.sum() == counts[2]


def lateral_inhibition(b: Any) -> None:
    """A contrast is sharpened: the net output differs more than the input; Hartline & Ratliff 1957."""
    G = b.NeuronGroup(
        10, """dr/dt = (I - inhibition - r)/(10*ms) : 1
               inhibition : 1
               I : 1 (constant)""", method="euler",
    )  # fmt: skip
    G.I = "1 + int(i >= 5)"
    S = b.Synapses(G, G, "inhibition_post = 0.2*r_pre : 1 (summed)")
    S.connect("abs(i - j) == 1")
    b.run(400 * ms)
    r = np.asarray(G.r[:])
    A = np.eye(10) + 0.2 * (np.eye(10, k=1) + np.eye(10, k=-1))
    assert np.allclose(r, np.linalg.solve(A, [1] * 5 + [2] * 5), rtol=1e-6)
    assert r[5] > r[7]  # Mach bands
    assert r[4] < r[2]


def ring_attractor(b: Any) -> None:
    """A bump of activity stays where a passing stimulus has put it; Ben-Yishai et al. 1995, Zhang 1996."""
    n = 32
    G = b.NeuronGroup(
        n, """dr/dt = (-r + clip(recurrent + 1 + I, 0, inf))/(10*ms) : 1
              recurrent : 1
              I : 1
              phi = 2*pi*i/n : 1""", method="euler",
    )  # fmt: skip
    S = b.Synapses(G, G, "recurrent_post = (-1.0 + 3.0*cos(2*pi*(i - j)/n))*r_pre/n : 1 (summed)")
    S.connect()
    G.r = 0.5
    G.I = "0.5*cos(phi - 2*pi*10/n)"
    b.run(200 * ms)
    G.I = 0
    b.run(500 * ms)
    r = np.asarray(G.r_[:])
    vector = np.sum(r * np.exp(2j * np.pi * np.arange(n) / n))
    assert abs(np.angle(vector * np.exp(-2j * np.pi * 10 / n))) < 0.1
    assert r.min() < 0.01
    assert r.max() > 0.5


def kuramoto(b: Any) -> None:
    """Phase oscillators synchronise beyond a critical coupling and not below; Kuramoto 1975."""
    n = 40
    coherence = []
    for K in (0.2, 6.0):
        G = b.NeuronGroup(
            n, """dtheta/dt = omega + K_*pull/n : 1
                  omega : Hz (constant)
                  pull : 1""",
            method="euler", namespace={"K_": K * 10 * Hz, "n": n},
        )  # fmt: skip
        G.theta = "2*pi*i/n*7"
        G.omega = "2*pi*10*Hz + 10*Hz*(2*i/(n - 1.0) - 1)"
        S = b.Synapses(G, G, "pull_post = sin(theta_pre - theta_post) : 1 (summed)")
        S.connect()
        net = b.Network(G, S)
        net.run(600 * ms)
        coherence.append(abs(np.mean(np.exp(1j * np.asarray(G.theta[:])))))
    assert coherence[0] < 0.5
    assert coherence[1] > 0.9


def pulse_coupled_pair(b: Any) -> None:
    """Two leaky oscillators with excitatory pulses lock in phase; Peskin 1975, Mirollo & Strogatz 1990."""
    G = b.NeuronGroup(2, "dv/dt = (1.2 - v)/(20*ms) : 1", threshold="v > 1", reset="v = 0", method="exact")
    G.v = [0, 0.4]
    S = b.Synapses(G, G, on_pre="v = v + 0.15*int(v > 0.0001)")
    S.connect("i != j")
    M = b.SpikeMonitor(G)
    b.run(1 * second)
    i, t = np.asarray(M.i), np.asarray(M.t_)
    first, second_ = t[i == 0], t[i == 1]
    distance = np.abs(first[-3:, None] - second_[None, :]).min(axis=1)
    assert np.all(distance < 0.35e-3)


def feedback_through_delay(b: Any) -> None:
    """A neuron that excites itself after a delay fires with that delay as its period."""
    G = b.NeuronGroup(1, "v : 1", threshold="v > 1", reset="v = 0")
    S = b.Synapses(G, G, on_pre="v += 2", delay=7.3 * ms)
    S.connect()
    kick = b.SpikeGeneratorGroup(1, [0], [1] * ms)
    start = b.Synapses(kick, G, on_pre="v += 2")
    start.connect()
    M = b.SpikeMonitor(G)
    b.run(60 * ms)
    # on a grid an arrival lifts v after the threshold slot of its step: the spike comes one step later
    later = 0 if is_exact(b) else 0.1e-3
    assert np.allclose(np.diff(M.t_), 7.3e-3 + later, rtol=1e-12)
    assert abs(M.t_[0] - 1e-3 - later) < 1e-9


def excitatory_inhibitory_balance(b: Any) -> None:
    """Rates of a linear threshold pair solve the linear equations of its fixed point; textbook algebra."""
    G = b.NeuronGroup(
        2, """dr/dt = (clip(total + h, 0, inf) - r)/tau : 1
              total : 1
              h : 1 (constant)
              tau : second (constant)""", method="euler",
    )  # fmt: skip
    G.h, G.tau = [2, 1], [10, 5] * ms
    S = b.Synapses(G, G, "w : 1 (constant)\ntotal_post = w*r_pre : 1 (summed)")
    S.connect()
    S.w["i == 0 and j == 0"] = 0.5
    S.w["i == 0 and j == 1"] = 1.0
    S.w["i == 1 and j == 0"] = -1.0
    S.w["i == 1 and j == 1"] = -0.5
    b.run(300 * ms)
    W = np.array([[0.5, -1.0], [1.0, -0.5]])
    assert np.allclose(G.r[:], np.linalg.solve(np.eye(2) - W, [2, 1]), atol=1e-6)


def diffusion_on_a_ring(b: Any) -> None:
    """Neighbours coupled by gap junctions: each Fourier mode decays with its own rate."""
    n, k, D = 20, 3, 0.2
    G = b.NeuronGroup(n, "dv/dt = flow/ms : 1\nflow : 1", method="euler", dt=0.01 * ms)
    G.v = "cos(2*pi*k*i/n)"
    S = b.Synapses(G, G, "flow_post = D*(v_pre - v_post) : 1 (summed)")
    S.connect("i == (j + 1) % N_pre or j == (i + 1) % N_pre")
    b.run(5 * ms)
    rate = 4 * D * math.sin(math.pi * k / n) ** 2
    expected = np.cos(2 * np.pi * k * np.arange(n) / n) * math.exp(-5 * rate)
    assert np.allclose(G.v[:], expected, atol=2e-3)
