# ruff: noqa: F841  (run() finds objects and model text finds values by the names in these functions)
"""Ways to drive a model and to act on it while it runs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from textbook.faces import is_exact

from eccles.units import *


def poisson_spikes(b: Any) -> None:
    """Counts with variance equal to the mean, intervals with a coefficient of variation of 1."""
    source = b.PoissonGroup(300, 40 * Hz)
    M = b.SpikeMonitor(source)
    b.run(1 * second)
    counts = np.asarray(M.count)
    assert abs(counts.mean() - 40) < 5 * math.sqrt(40 / 300)
    assert abs(counts.var() / counts.mean() - 1) < 0.4
    order = np.lexsort((np.asarray(M.t_), np.asarray(M.i)))
    i, t = np.asarray(M.i)[order], np.asarray(M.t_)[order]
    found = np.diff(t)[np.diff(i) == 0]
    assert abs(found.std() / found.mean() - 1) < 0.06


def inhomogeneous_poisson(b: Any) -> None:
    """A rate that follows a sine: counts per half period are the integral of the rate."""
    source = b.PoissonGroup(500, rates="50*Hz*(1 + sin(2*pi*5*Hz*t))")
    M = b.SpikeMonitor(source)
    b.run(200 * ms)
    early = np.sum(np.asarray(M.t_) < 0.1)
    late = M.num_spikes - early
    up, down = (500 * 50 * (0.1 + sign * 2 / (2 * np.pi * 5)) for sign in (1, -1))
    assert abs(early - up) < 5 * math.sqrt(up)
    assert abs(late - down) < 5 * math.sqrt(down)


def rates_from_a_table(b: Any) -> None:
    """A stimulus in time and by neuron switches Poisson sources on and off."""
    table = b.TimedArray(np.array([[0, 100], [100, 0]]) * Hz, dt=50 * ms)
    source = b.PoissonGroup(200, rates="table(t, i // 100)")
    M = b.SpikeMonitor(source)
    b.run(100 * ms)
    i, t = np.asarray(M.i), np.asarray(M.t_)
    assert np.all(t[i < 100] >= 50e-3 - 1e-9)
    assert np.all(t[i >= 100] < 50e-3)
    assert M.num_spikes > 700


def spike_generator(b: Any) -> None:
    """Given spikes come when they were asked for, again after each period."""
    source = b.SpikeGeneratorGroup(3, [0, 2, 1], [1, 2, 4] * ms, period=5 * ms)
    M = b.SpikeMonitor(source)
    b.run(12 * ms)
    n = 8 if is_exact(b) else 7  # spikes; whether the one at the end is one of them
    assert np.asarray(M.i).tolist() == [0, 2, 1, 0, 2, 1, 0, 2][:n]
    assert np.allclose(M.t_, np.array([1, 2, 4, 6, 7, 9, 11, 12][:n]) * 1e-3, rtol=1e-12)


def driven_through_strong_synapses(b: Any) -> None:
    """A neuron that fires at each spike of its input repeats it one delay later."""
    source = b.SpikeGeneratorGroup(1, [0] * 4, [2, 10, 11, 30] * ms)
    relay = b.NeuronGroup(1, "dv/dt = -v/(5*ms) : 1", threshold="v > 1", reset="v = 0", method="exact")
    S = b.Synapses(source, relay, on_pre="v += 1.5", delay=2 * ms)
    S.connect()
    M = b.SpikeMonitor(relay)
    b.run(40 * ms)
    # on a grid, delivered after the threshold slot of the step in which it arrives: it fires in the next one
    later = 0 if is_exact(b) else 0.1
    assert np.allclose(M.t_, (np.array([4, 12, 13, 32]) + later) * 1e-3, rtol=1e-12)


def closed_loop(b: Any) -> None:
    """A network operation holds a potential by feedback: an integral controller of the current."""
    G = b.NeuronGroup(1, "dv/dt = (-70*mV - v + 100*Mohm*I)/(10*ms) : volt\nI : amp", method="exact")
    G.v = -70 * mV

    @b.network_operation(dt=0.5 * ms)
    def clamp() -> None:
        G.I = G.I[:] + 0.4 * nS * (-50 * mV - G.v[:])

    b.run(500 * ms)
    assert abs(G.v_[0] + 50e-3) < 1e-5
    assert abs(G.I_[0] - 0.2e-9) < 1e-12  # (-50 + 70) mV / 100 MOhm


def stimulation_by_operation(b: Any) -> None:
    """A function with the time as argument steps the current between steps of the simulation."""
    G = b.NeuronGroup(
        2, "dv/dt = (I - v)/(10*ms) : 1\nI : 1", threshold="v > 1", reset="v = 0", method="exact"
    )

    @b.network_operation(dt=10 * ms)
    def stimulate(t: Any) -> None:
        G.I = 2 if t >= 50 * ms else 0

    M = b.SpikeMonitor(G)
    b.run(100 * ms)
    assert np.asarray(M.t_).min() > 50e-3
    assert M.num_spikes == 2 * 7


def current_steps_between_runs(b: Any) -> None:
    """Three runs with another current each: below threshold, above, below again."""
    G = b.NeuronGroup(
        1, "dv/dt = (I - v)/(10*ms) : 1\nI : 1", threshold="v > 1", reset="v = 0", method="exact"
    )
    M = b.SpikeMonitor(G)
    for current in (0.5, 2, 0):
        G.I = current
        b.run(50 * ms)
    t = np.asarray(M.t_)
    assert len(t) >= 7
    assert t.min() > 50e-3
    assert t.max() < 100e-3


def custom_event(b: Any) -> None:
    """An event of its own counts crossings of zero; it does not reset and is no spike."""
    G = b.NeuronGroup(
        1, """dx/dt = 2*pi*20*Hz*y : 1
              dy/dt = -2*pi*20*Hz*x : 1
              above : boolean
              n : integer""",
        events={"upward": "x > 0 and not above", "downward": "x < 0 and above"}, method="exact",
    )  # fmt: skip
    G.x, G.y, G.above = 1, 0, True
    G.run_on_event("upward", "above = True; n += 1")
    G.run_on_event("downward", "above = False")
    M = b.EventMonitor(G, "upward")
    b.run(220 * ms)
    assert G.n[0] == 4
    assert np.allclose(M.t_, [37.5e-3, 87.5e-3, 137.5e-3, 187.5e-3], atol=0.2e-3)


def synapses_on_an_event(b: Any) -> None:
    """Synapses can follow another event than the spike."""
    G = b.NeuronGroup(
        2, "dv/dt = 50*Hz : 1\nseen : boolean", threshold="v > 1", reset="v = 0; seen = False",
        events={"half": "v > 0.5 and not seen"}, method="euler",
    )  # fmt: skip
    counter = b.NeuronGroup(1, "n : 1")
    G.run_on_event("half", "seen = True")
    S = b.Synapses(G, counter, on_pre="n += 1", on_event="half")
    S.connect()
    b.run(95 * ms)
    assert counter.n[0] == 2 * 5  # at 10, 30, 50, 70 and 90 ms


def regular_code(b: Any) -> None:
    """Code at regular times: an injected Ornstein-Uhlenbeck current updated exactly every millisecond."""
    tau, sigma = 5 * ms, 2.0
    G = b.NeuronGroup(500, "I : 1")
    G.run_regularly("I = I*exp(-1*ms/tau) + sigma*sqrt(1 - exp(-2*ms/tau))*randn()", dt=1 * ms)
    b.run(30 * ms)
    assert abs(np.asarray(G.I[:]).std() - 2) < 0.35


def linked_drive(b: Any) -> None:
    """All neurons share one oscillating drive that another group integrates."""
    theta = b.NeuronGroup(1, "dx/dt = 2*pi*8*Hz*y : 1\ndy/dt = -2*pi*8*Hz*x : 1", method="exact")
    theta.y = 1
    G = b.NeuronGroup(
        20, """dv/dt = (1.2 + 0.5*drive - v)/(5*ms) : 1
               drive : 1 (linked)""", threshold="v > 1", reset="v = 0", method="euler",
    )  # fmt: skip
    G.drive = b.linked_var(theta, "x")
    G.v = "rand()"
    M = b.SpikeMonitor(G)
    b.run(250 * ms)
    phase = np.exp(2j * np.pi * 8 * np.asarray(M.t_))
    mean = phase.mean()
    assert abs(mean) > 0.4
    assert 0 < np.angle(mean) < np.pi  # in the half of the cycle in which sin(2 pi 8 Hz t) is positive


def linked_one_to_one(b: Any) -> None:
    """Each neuron reads a variable of the neuron with its own number."""
    A = b.NeuronGroup(4, "dx/dt = rate : 1\nrate : Hz (constant)", method="euler")
    A.rate = [1, 2, 3, 4] * Hz
    B = b.NeuronGroup(4, "y = 2*x : 1\nx : 1 (linked)")
    B.x = b.linked_var(A, "x")
    b.run(100 * ms)
    assert np.allclose(B.y[:], [0.2, 0.4, 0.6, 0.8])


def parts_of_a_group(b: Any) -> None:
    """Parts of one group get their own input, monitor and synapses."""
    G = b.NeuronGroup(
        30, "dv/dt = (I - v)/(10*ms) : 1\nI : 1 (constant)", threshold="v > 1", reset="v = 0", method="exact"
    )
    left, right = G[:10], G[10:]
    left.I = 2
    S = b.Synapses(left, right, on_pre="v += 0.1")
    S.connect("i == j")
    on_left, on_right, everything = b.SpikeMonitor(left), b.SpikeMonitor(right), b.SpikeMonitor(G)
    b.run(50 * ms)
    assert on_left.num_spikes == everything.num_spikes == 10 * 7
    assert on_right.num_spikes == 0
    assert np.all(np.asarray(G.v[10:20]) > 0)
    assert np.all(np.asarray(G.v[20:]) == 0)


def sine_in_time(b: Any) -> None:
    """A drive with t in the equation: amplitude and phase of a low-pass filter."""
    G = b.NeuronGroup(1, "dv/dt = (sin(2*pi*20*Hz*t) - v)/(10*ms) : 1", method="rk4")
    b.run(100 * ms)
    M = b.StateMonitor(G, "v", record=0)
    b.run(100 * ms)
    x = 2 * np.pi * 20 * 10e-3
    t = M.t_
    expected = np.sin(2 * np.pi * 20 * t - math.atan(x)) / math.sqrt(1 + x * x)
    assert np.allclose(M.v[0], expected, atol=1e-3)


def several_clocks(b: Any) -> None:
    """Groups with different time steps run side by side and agree where both are exact."""
    A = b.NeuronGroup(1, "dv/dt = -v/(10*ms) : 1", method="exact", dt=0.1 * ms)
    B = b.NeuronGroup(1, "dv/dt = -v/(10*ms) : 1", method="exact", dt=0.5 * ms)
    A.v = B.v = 1
    M, N = b.StateMonitor(A, "v", record=0), b.StateMonitor(B, "v", record=0)
    b.run(10 * ms)
    assert len(M.t) == (101 if is_exact(b) else 100)
    assert len(N.t) == (21 if is_exact(b) else 20)
    assert np.allclose(M.v[0][::5], N.v[0], rtol=1e-12)
    assert abs(A.v_[0] - math.exp(-1)) < 1e-12
