"""When neurons spike, found independently of any simulator.

`driven_spikes` solves the driven LIF neurons of `workloads/driven.py` in closed form, from event to event,
with 34 digits. `solve` follows one neuron of any equations with SciPy's adaptive solver of eighth order.
"""

import heapq
import math
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
from workloads.driven import (
    RECURRENT_DELAY_MS,
    REFRACTORY_MS,
    RESET_MV,
    REST_MV,
    TAU_CURRENT_MS,
    TAU_MEMBRANE_MS,
    THRESHOLD_MV,
    Drive,
)

mp: Any = mpmath.mp
mp.prec = 113  # 34 digits
TAU_V, TAU_G = mp.mpf(TAU_MEMBRANE_MS), mp.mpf(TAU_CURRENT_MS)
RATIO = TAU_G / (TAU_G - TAU_V)
THRESHOLD, RESET = mp.mpf(THRESHOLD_MV - REST_MV), mp.mpf(RESET_MV - REST_MV)
RTOL, ATOL = 3e-14, 1e-15  # at 1e-12 the reference would be the less exact of the two


class Driven:
    """One LIF neuron, v measured from rest; times in ms.

    Between events g(s) = g e^(-s/tau_g) and v(s) = c g e^(-s/tau_g) + (v - c g) e^(-s/tau_v) with
    c = tau_g / (tau_g - tau_v). The slope of v has at most one zero.
    """

    def __init__(self):
        self.t, self.v, self.g = mp.mpf(0), mp.mpf(0), mp.mpf(0)
        self.free_from = mp.mpf(0)  # end of the refractory period
        self.spikes: list[float] = []

    def voltage(self, s):
        fast = RATIO * self.g
        return fast * mp.exp(-s / TAU_G) + (self.v - fast) * mp.exp(-s / TAU_V)

    def advance(self, s, *, held=False):
        if not held:
            self.v = self.voltage(s)
        self.g *= mp.exp(-s / TAU_G)
        self.t += s

    def until(self, end):
        """Follow to `end`, through all crossings before it."""
        while self.t < end:
            if self.t < self.free_from:
                self.advance(min(self.free_from, end) - self.t, held=True)
                continue
            s = self.crossing(end - self.t)
            if s is None:
                self.advance(end - self.t)
                continue
            self.advance(s)
            self.spikes.append(float(self.t))
            self.v, self.free_from = RESET, self.t + REFRACTORY_MS

    def crossing(self, span):
        """First s in (0, span] at which the threshold is reached from below; None if there is none."""
        # v' = (g - v)/tau_v: v rises only where g is above it, and then can be no higher than g
        if self.g <= max(self.v, THRESHOLD):
            return None
        # v' = 0 where c g/tau_g e^(-s/tau_g) = (c g - v)/tau_v e^(-s/tau_v)
        fast = RATIO * self.g  # negative, as c is
        top = span
        if self.v > fast:  # else v rises for ever
            top = min(span, mp.log((self.v - fast) * TAU_G / (-fast * TAU_V)) / (1 / TAU_V - 1 / TAU_G))
        if self.voltage(top) < THRESHOLD:
            return None
        return root(lambda s: self.voltage(s) - THRESHOLD, lambda s: self.slope(s), top)

    def slope(self, s):
        fast = RATIO * self.g
        return -fast / TAU_G * mp.exp(-s / TAU_G) - (self.v - fast) / TAU_V * mp.exp(-s / TAU_V)


def root(f, slope, top):
    """Where f, rising from below 0 at 0 to at least 0 at `top`, is zero: Newton's method within a bracket."""
    low, high = mp.mpf(0), top
    s = high / 2
    while high - low > mp.mpf(2) ** -90:
        value = f(s)
        low, high = (s, high) if value < 0 else (low, s)
        gradient = slope(s)
        guess = s - value / gradient if gradient else low
        # a step to the other side of the root shrinks the bracket from there, too
        if abs(guess - s) < mp.mpf(2) ** -90:
            return guess
        s = guess if low < guess < high else (low + high) / 2
    return high


def driven_spikes(given: Drive, n_wanted: int | None = None) -> list[np.ndarray]:
    """Spike times in ms of each of the first `n_wanted` neurons (all of them if they are coupled)."""
    pre, post, weights = given.recurrent
    n = given.n if len(pre) or n_wanted is None else min(n_wanted, given.n)
    arrival = given.train_times + given.delays[given.train_index]
    times_of = [arrival[given.train_index == k] for k in range(len(given.delays))]
    end = given.seconds * 1000
    coming: list[list[tuple[float, float]]] = [[] for _ in range(n)]
    for source, target, weight in zip(given.source, given.target, given.weights, strict=True):
        if target < n:
            coming[target] += [(time, weight) for time in times_of[source]]
    for events in coming:
        heapq.heapify(events)
    neurons = [Driven() for _ in range(n)]
    # within one recurrent delay neurons cannot influence each other
    n_windows = math.ceil(end / RECURRENT_DELAY_MS) if len(pre) else 1
    known = [0] * n
    for stop in (end * np.arange(1, n_windows + 1) / n_windows).tolist():
        for neuron, events in zip(neurons, coming, strict=True):
            while events and events[0][0] <= stop:
                time, weight = heapq.heappop(events)
                neuron.until(mp.mpf(time))
                neuron.g += mp.mpf(weight)
            neuron.until(mp.mpf(stop))
        for source, neuron in enumerate(neurons):
            fresh, known[source] = neuron.spikes[known[source] :], len(neuron.spikes)
            for synapse in np.flatnonzero(pre == source) if fresh else ():
                for t in fresh:
                    heapq.heappush(coming[post[synapse]], (t + RECURRENT_DELAY_MS, weights[synapse]))
    return [np.array(neuron.spikes) for neuron in neurons]


def solve(
    rhs: Callable,
    start: Sequence[float],
    end: float,
    threshold: float,
    *,
    reset: Callable[[np.ndarray], np.ndarray] = lambda y: y,
    refractory: float = 0.0,
    kicks: Sequence[tuple[float, float]] = (),
) -> np.ndarray:
    """Spike times of one neuron whose first variable crosses `threshold` upwards.

    Parameters
    ----------
    rhs
        f(t, y); times in ms.
    reset
        The state after a spike, from that at it.
    refractory
        For so long after a spike crossings do not count.
    kicks
        Time and jump of the first variable, in order.
    """
    from scipy.integrate import solve_ivp  # not needed for the closed form

    def above(_, y):
        return y[0] - threshold

    crossing: Any = above
    crossing.terminal, crossing.direction = True, 1.0  # as SciPy wants to be told
    t, y, spikes, free_from = 0.0, np.array(start, float), [], 0.0
    jumps = [*kicks, (end, 0.0)]
    while t < end:
        time, jump = jumps[0]
        stop = min(time, free_from) if free_from > t else time
        watched = [] if free_from > t else [crossing]
        found = solve_ivp(rhs, (t, stop), y, method="DOP853", rtol=RTOL, atol=ATOL, events=watched or None)
        t, y = float(found.t[-1]), found.y[:, -1]
        fired = found.status == 1
        if not fired and stop == time:
            fired = free_from <= t and y[0] <= threshold < y[0] + jump
            y[0] += jump
            jumps.pop(0)
            if not jumps and not fired:
                break
        if fired:
            spikes.append(t)
            y, free_from = reset(y), t + refractory
    return np.array(spikes)
