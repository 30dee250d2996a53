# ruff: noqa: F841  (run() finds objects and model text finds values by the names in these functions)
"""Plasticity rules against what a few spikes do to a weight on paper."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from eccles.units import *

STDP_TRACES = """w : 1
                 dApre/dt = -Apre/taupre : 1 (event-driven)
                 dApost/dt = -Apost/taupost : 1 (event-driven)"""


def pair_stdp(b: Any) -> None:
    """The STDP window: one pair per synapse, gap by gap; Song, Miller & Abbott 2000."""
    taupre, taupost, A, B = 20 * ms, 20 * ms, 0.01, -0.0105
    gaps = np.array([-40, -20, -5, 5, 20, 40])
    pre = b.SpikeGeneratorGroup(6, np.arange(6), np.full(6, 50) * ms)
    post = b.SpikeGeneratorGroup(6, np.arange(6), (50 + gaps) * ms)
    S = b.Synapses(
        pre,
        post,
        STDP_TRACES,
        on_pre="Apre += A; w = clip(w + Apost, 0, 1)",
        on_post="Apost += B; w = clip(w + Apre, 0, 1)",
    )
    S.connect(j="i")
    S.w = 0.5
    b.run(100 * ms)
    expected = np.where(gaps > 0, 0.01 * np.exp(-gaps / 20), -0.0105 * np.exp(gaps / 20))
    assert np.allclose(S.w_[:] - 0.5, expected, rtol=1e-9)


def stdp_with_delays(b: Any) -> None:
    """An axonal delay shifts the window: what counts is when the spike arrives; Morrison et al. 2008."""
    taupre, taupost, A, B = 20 * ms, 20 * ms, 0.01, -0.0105
    pre = b.SpikeGeneratorGroup(1, [0], [50] * ms)
    post = b.SpikeGeneratorGroup(1, [0], [60] * ms)
    S = b.Synapses(
        pre,
        post,
        STDP_TRACES,
        on_pre="Apre += A; w = clip(w + Apost, 0, 1)",
        on_post="Apost += B; w = clip(w + Apre, 0, 1)",
    )
    S.connect(i=[0, 0, 0], j=[0, 0, 0])
    S.delay = [0, 5, 15] * ms
    S.w = 0.5
    b.run(100 * ms)
    expected = [0.01 * math.exp(-10 / 20), 0.01 * math.exp(-5 / 20), -0.0105 * math.exp(-5 / 20)]
    assert np.allclose(S.w_[:] - 0.5, expected, rtol=1e-9)


def multiplicative_stdp(b: Any) -> None:
    """Weight-dependent depression settles instead of saturating; van Rossum et al. 2000."""
    taupre, taupost, c_p, c_d = 20 * ms, 20 * ms, 0.02, 0.1
    pre, post = b.PoissonGroup(1, 50 * Hz), b.PoissonGroup(1, 50 * Hz)
    S = b.Synapses(
        pre, post, STDP_TRACES, on_pre="Apre += 1; w = clip(w - c_d*w*Apost, 0, inf)",
        on_post="Apost += 1; w = clip(w + c_p*Apre, 0, inf)",
    )  # fmt: skip
    S.connect(i=np.zeros(200, int), j=np.zeros(200, int))
    S.w = np.linspace(0, 1, 200)
    b.run(3 * second)
    w = np.asarray(S.w[:])
    assert np.ptp(w) < 0.01  # all forget where they began
    assert 0.1 < w.mean() < 0.35  # c_p/c_d = 0.2


def triplet_stdp(b: Any) -> None:
    """Pairings at 40 Hz potentiate more than at 1 Hz; Pfister & Gerstner 2006 (visual cortex, all-to-all)."""
    tau_p, tau_m, tau_x, tau_y = 16.8 * ms, 33.7 * ms, 101 * ms, 125 * ms
    A2p, A3p, A2m = 5e-10, 6.2e-3, 7e-3
    n = np.arange(10)
    pre_t = np.concatenate([20 + 25 * n, 20 + 500 * n]) * ms
    who = np.repeat([0, 1], 10)
    pre = b.SpikeGeneratorGroup(2, who, pre_t)
    post = b.SpikeGeneratorGroup(2, who, pre_t + 10 * ms)
    S = b.Synapses(
        pre, post, """w : 1
                      dr1/dt = -r1/tau_p : 1 (event-driven)
                      do1/dt = -o1/tau_m : 1 (event-driven)
                      do2/dt = -o2/tau_y : 1 (event-driven)""",
        on_pre="w -= A2m*o1; r1 += 1", on_post="w += r1*(A2p + A3p*o2); o1 += 1; o2 += 1",
    )  # fmt: skip
    S.connect(j="i")
    b.run(5 * second)
    fast, slow = S.w[0], S.w[1]
    assert fast > 0.01
    assert abs(slow) < 0.002
    # one isolated triplet pre-post-post by hand, at 40 Hz: the first post spike finds o2 = 0
    assert fast < 10 * math.exp(-10 / 16.8) * A3p * 10


def voltage_dependent(b: Any) -> None:
    """The potential decides between depression and potentiation; Clopath et al. 2010, simplified."""
    A_ltd, A_ltp, theta_minus, theta_plus, tau_x = 1e-2, 2e-3, -70, -45, 15 * ms
    source = b.SpikeGeneratorGroup(3, [0, 1, 2], [20, 20, 20] * ms)
    G = b.NeuronGroup(3, "v : 1\ndubar/dt = (v - ubar)/(10*ms) : 1", method="exact")
    S = b.Synapses(
        source, G, """w : 1
                      dxbar/dt = -xbar/tau_x : 1 (clock-driven)
                      dp/dt = A_ltp*xbar*up*slow_up/ms : 1 (clock-driven)
                      up = clip(v_post - theta_plus, 0, inf) : 1
                      slow_up = clip(ubar_post - theta_minus, 0, inf) : 1""",
        on_pre="w -= A_ltd*slow_up; xbar += 1", method="euler",
    )  # fmt: skip
    S.connect(j="i")
    G.v = [-75, -60, -30]
    G.ubar = G.v[:]
    b.run(60 * ms)
    change = np.asarray(S.w[:] + S.p[:])
    assert change[0] == 0
    assert abs(change[1] + 1e-2 * 10) < 1e-9
    assert change[2] > 0


def short_term_depression(b: Any) -> None:
    """Each spike takes a fraction U of what is left: a recursion; Tsodyks & Markram 1997."""
    U, tau_rec = 0.5, 800 * ms
    source = b.SpikeGeneratorGroup(1, [0] * 6, np.arange(6) * 50 * ms + 10 * ms)
    G = b.NeuronGroup(1, "released : 1")
    S = b.Synapses(
        source, G, "dR/dt = (1 - R)/tau_rec : 1 (event-driven)", on_pre="released += U*R; R -= U*R"
    )
    S.connect()
    S.R = 1
    M = b.StateMonitor(G, "released", record=0, dt=10 * ms)
    b.run(300 * ms)
    left, total = 1.0, 0.0
    for _ in range(6):
        total += 0.5 * left
        left = 1 - (1 - 0.5 * left) * math.exp(-50 / 800)
    assert abs(G.released[0] - total) < 1e-9
    responses = np.diff(M.released[0])
    responses = responses[responses > 0]
    assert np.all(np.diff(responses) < 0)


def short_term_facilitation(b: Any) -> None:
    """With a small U that grows at each spike, responses grow at first; Markram, Wang & Tsodyks 1998."""
    U0, tau_f, tau_rec = 0.1, 1000 * ms, 100 * ms
    source = b.SpikeGeneratorGroup(1, [0] * 5, np.arange(5) * 50 * ms + 10 * ms)
    G = b.NeuronGroup(1, "released : 1")
    S = b.Synapses(
        source, G, """du/dt = -u/tau_f : 1 (event-driven)
                      dx/dt = (1 - x)/tau_rec : 1 (event-driven)""",
        on_pre="u += U0*(1 - u); released += u*x; x -= u*x",
    )  # fmt: skip
    S.connect()
    S.x = 1
    M = b.StateMonitor(G, "released", record=0, dt=10 * ms)
    b.run(260 * ms)
    responses = np.diff(M.released[0])
    responses = responses[responses > 0]
    assert abs(responses[0] - 0.1) < 1e-9
    assert responses[1] > responses[0]
    assert responses[2] > responses[1]


def inhibitory_stdp(b: Any) -> None:
    """Coincidences strengthen, lone presynaptic spikes weaken inhibition by eta*alpha; Vogels et al. 2011."""
    tau, eta, rho0 = 20 * ms, 0.01, 5 * Hz
    alpha = 2 * rho0 * tau
    pre = b.SpikeGeneratorGroup(2, [0, 1], [50, 50] * ms)
    post = b.SpikeGeneratorGroup(2, [1], [60] * ms)
    S = b.Synapses(
        pre, post, """w : 1
                      dx/dt = -x/tau : 1 (event-driven)
                      dy/dt = -y/tau : 1 (event-driven)""",
        on_pre="x += 1; w += eta*(y - alpha)", on_post="y += 1; w += eta*x",
    )  # fmt: skip
    S.connect(j="i")
    b.run(100 * ms)
    assert np.allclose(S.w[:], [-0.01 * 0.2, 0.01 * (math.exp(-0.5) - 0.2)], rtol=1e-9)


def inhibitory_plasticity_controls_a_rate(b: Any) -> None:
    """The same rule drives a neuron's rate to its target; Vogels et al. 2011, fig. 1."""
    tau, eta, rho0 = 20 * ms, 0.02, 20 * Hz
    alpha = 2 * rho0 * tau
    inhibition = b.PoissonGroup(100, 20 * Hz)
    G = b.NeuronGroup(
        1,
        "dv/dt = (1.6 - v)/(10*ms) + 0.5*xi/sqrt(10*ms) : 1",
        threshold="v > 1",
        reset="v = 0",
        method="euler",
    )
    S = b.Synapses(
        inhibition, G, """w : 1
                          dx/dt = -x/tau : 1 (event-driven)
                          dy/dt = -y/tau : 1 (event-driven)""",
        on_pre="x += 1; w = clip(w + eta*(y - alpha), 0, 1); v -= 0.1*w",
        on_post="y += 1; w = clip(w + eta*x, 0, 1)",
    )  # fmt: skip
    S.connect()
    before = b.SpikeMonitor(G, record=False)
    b.run(200 * ms)
    at_first = before.num_spikes / 0.2
    b.run(3 * second)
    after = b.SpikeMonitor(G, record=False)
    b.run(2 * second)
    at_last = after.num_spikes / 2
    assert at_first > 60
    assert 10 < at_last < 35


def dopamine_stdp(b: Any) -> None:
    """Reward that comes 100 ms later still finds the eligibility trace of the right pair; Izhikevich 2007."""
    taupre, taupost, tau_c, tau_d, A, B = 20 * ms, 20 * ms, 1 * second, 200 * ms, 0.1, -0.15
    pre = b.SpikeGeneratorGroup(2, [0, 1], [50, 50] * ms)
    post = b.SpikeGeneratorGroup(2, [0, 1], [60, 40] * ms)
    S = b.Synapses(
        pre, post, """dc/dt = -c/tau_c : 1 (clock-driven)
                      dd/dt = -d/tau_d : 1 (clock-driven)
                      dw/dt = c*d/second : 1 (clock-driven)
                      dApre/dt = -Apre/taupre : 1 (event-driven)
                      dApost/dt = -Apost/taupost : 1 (event-driven)""",
        on_pre="Apre += A; c += Apost", on_post="Apost += B; c += Apre", method="euler",
    )  # fmt: skip
    S.connect(j="i")
    b.run(150 * ms)
    assert np.all(np.asarray(S.w[:]) == 0)
    S.d = 0.5  # the reward
    b.run(500 * ms)
    c = np.array([0.1 * math.exp(-0.5) * math.exp(-0.09), -0.15 * math.exp(-0.5) * math.exp(-0.1)])
    rate = 1 / 1.0 + 1 / 0.2
    expected = c * 0.5 * (1 - math.exp(-0.5 * rate)) / rate
    assert np.allclose(S.w[:], expected, rtol=3e-3)


def homeostatic_scaling(b: Any) -> None:
    """Weights are scaled at regular times until the sum into each neuron is right; Turrigiano et al. 1998."""
    target = 3.0
    pre = b.PoissonGroup(10, 10 * Hz)
    G = b.NeuronGroup(4, "total : 1")
    S = b.Synapses(
        pre, G, """w : 1
                   total_post = w : 1 (summed)""",
    )  # fmt: skip
    S.connect()
    S.w = "0.1 + rand()"
    S.run_regularly("w *= 1 + 0.3*(target - total_post)/target", dt=10 * ms)
    b.run(600 * ms)
    sums = np.zeros(4)
    np.add.at(sums, np.asarray(S.j[:]), np.asarray(S.w[:]))
    assert np.allclose(sums, 3, rtol=1e-6)


def calcium_threshold_rule(b: Any) -> None:
    """Calcium depresses, and more of it potentiates; Graupner & Brunel 2012, simplified."""
    tau_ca, theta_d, theta_p, g_d, g_p = 20 * ms, 1.0, 1.3, 1 * Hz, 5 * Hz
    pre = b.SpikeGeneratorGroup(3, [0, 1, 2], [10, 10, 10] * ms)
    post = b.SpikeGeneratorGroup(3, [1, 2], [40, 12] * ms)
    S = b.Synapses(
        pre, post, """dca/dt = -ca/tau_ca : 1 (clock-driven)
                      dw/dt = g_p*int(ca > theta_p) - g_d*int(ca > theta_d) : 1 (clock-driven)""",
        on_pre="ca += 0.6", on_post="ca += 1.1", method="euler",
    )  # fmt: skip
    S.connect(j="i")
    b.run(100 * ms)
    w = np.asarray(S.w[:])
    assert w[0] == 0  # a spike of the input alone stays below both
    assert w[1] < 0  # far apart: only the lower one
    assert w[2] > 0  # close together: both
