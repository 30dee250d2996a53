"""Independent references for exact spike times: event by event, in plain Python, without anything of Eccles.

Three levels: exact rational times (regular trains and pair STDP), closed forms with 40 digits (leaky
integrate-and-fire neurons), and SciPy's DOP853 at tight tolerance (nonlinear neurons). The first two have
times in seconds, the third in milliseconds and potentials in millivolts. `test_reference.py` checks them
against each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal

import mpmath
import numpy as np
from scipy.integrate import solve_ivp

INSTANT = Fraction(1, 10**12)  # times closer than a picosecond are one
DIGITS = 40

mp: Any = mpmath.MPContext()  # one of our own: other users of mpmath have other needs
mp.dps = DIGITS
mpf = mp.mpf


# -- regular trains and pair STDP ------------------------------------------------------------------------


def regular_train(rate: Fraction | float, duration: Fraction | float) -> list[Fraction]:
    """Spikes at n/rate for n = 1, 2, ..., one at the end of the run included."""
    rate, end = Fraction(rate), Fraction(duration) + INSTANT
    return [n / rate for n in range(1, math.floor(end * rate) + 1)]


Side = Literal["pre", "post"]


def in_order(pre: Sequence[Fraction], post: Sequence[Fraction], first: Side) -> list[tuple[Fraction, Side]]:
    """Spikes of both sides in order of time; of two that coincide, the side named first comes first."""
    sides: list[tuple[Side, Sequence[Fraction]]] = [("pre", pre), ("post", post)]
    if first == "post":
        sides.reverse()
    (one, early), (other, late) = sides
    events: list[tuple[Fraction, Side]] = []
    k = 0
    for t in late:
        while k < len(early) and early[k] <= t + INSTANT:
            events.append((early[k], one))
            k += 1
        events.append((t, other))
    return events + [(t, one) for t in early[k:]]


@dataclass(frozen=True)
class PairRule:
    """All-to-all pair STDP with exponential windows, weight clipped after every spike; times in seconds."""

    a_pre: float = 0.02
    a_post: float = -0.02 * 1.05
    tau_pre: float = 0.02
    tau_post: float = 0.02
    w_max: float = 1.0

    def final_weight(
        self, pre: Sequence[Fraction], post: Sequence[Fraction], *, first: Side = "pre", w: float = 0.5
    ) -> float:
        """The weight after all spikes, by a trace per side that decays over exact ages."""
        trace_pre = trace_post = 0.0
        last = Fraction(0)
        for t, side in in_order(pre, post, first):
            age = float(t - last)
            trace_pre *= math.exp(-age / self.tau_pre)
            trace_post *= math.exp(-age / self.tau_post)
            last = t
            if side == "pre":
                trace_pre += self.a_pre
                w += trace_post
            else:
                trace_post += self.a_post
                w += trace_pre
            w = min(max(w, 0.0), self.w_max)
        return w

    def final_weight_by_pairs(
        self, pre: Sequence[Fraction], post: Sequence[Fraction], *, first: Side = "pre", w: float = 0.5
    ) -> mpf:
        """The same as a sum over pairs of spikes with 40 digits: for few spikes."""
        events = in_order(pre, post, first)
        weight = mpf(w)
        for k, (t, side) in enumerate(events):
            a, tau = (self.a_post, self.tau_post) if side == "pre" else (self.a_pre, self.tau_pre)
            partners = [s for s, other in events[:k] if other != side]
            weight += sum((mpf(a) * mp.exp(-exactly(t - s) / mpf(tau)) for s in partners), mpf(0))
            weight = min(max(weight, mpf(0)), mpf(self.w_max))
        return weight


def exactly(number: Fraction) -> mpf:
    return mpf(number.numerator) / mpf(number.denominator)


# -- zeros of sums of polynomials times exponentials -----------------------------------------------------


@dataclass(frozen=True)
class Term:
    """p(s)*exp(-rate*s); coefficients of p from the lowest order."""

    rate: mpf
    coefficients: tuple[mpf, ...]

    def __call__(self, s: mpf) -> mpf:
        p = mpf(0)
        for c in reversed(self.coefficients):
            p = p * s + c
        return p * mp.exp(-self.rate * s)

    def derivative(self) -> Term:
        p = self.coefficients
        slopes = [*[k * c for k, c in enumerate(p)][1:], mpf(0)]
        return Term(self.rate, tuple(d - self.rate * c for d, c in zip(slopes, p, strict=True)))


def value(terms: Sequence[Term], s: mpf) -> mpf:
    return sum((term(s) for term in terms), mpf(0))


def zeros(terms: Sequence[Term], end: mpf) -> list[mpf]:
    """All sign changes of a sum of terms in (0, end), in order.

    Multiplied by exp(rate*s) of its first term, the sum has the same zeros, and differentiated often
    enough it has lost that term. By Rolle's theorem the zeros of the derivative divide (0, end) into parts
    on each of which the sum has at most one zero.
    """
    terms = [term for term in terms if any(term.coefficients)]
    if not terms:
        return []
    first = terms[0].rate
    chain = [[replace(term, rate=term.rate - first) for term in terms]]
    for _ in terms[0].coefficients:
        chain.append([term.derivative() for term in chain[-1]])
    found = zeros([term for term in chain.pop() if term.rate != 0], end)
    for function in reversed(chain):
        found = _sign_changes(function, [mpf(0), *found, end])
    return found


def _sign_changes(terms: Sequence[Term], points: Sequence[mpf]) -> list[mpf]:
    found = []
    values = [value(terms, s) for s in points]
    for a, b, fa, fb in zip(points, points[1:], values, values[1:], strict=False):
        if fa * fb < 0:
            found.append(_bracketed(terms, a, b, fa))
        elif fa == 0 and a > 0:
            found.append(a)
    return found


def _bracketed(terms: Sequence[Term], a: mpf, b: mpf, fa: mpf) -> mpf:
    """The zero between a and b: Newton's method, or bisection where that would leave the bracket."""
    slopes = [term.derivative() for term in terms]
    s = (a + b) / 2
    for _ in range(500):
        f = value(terms, s)
        if f == 0:
            break
        a, b = (s, b) if f * fa > 0 else (a, s)
        slope = value(slopes, s)
        closer = s - f / slope if slope else a
        if abs(closer - s) <= abs(s) * mpf(10) ** (2 - DIGITS):
            break
        s = closer if a < closer < b else (a + b) / 2
    return s


# -- leaky integrate-and-fire neurons, closed form, 40 digits --------------------------------------------


@dataclass
class Leaky:
    """tau dv/dt = mu - v + I, v > theta: v = reset, held there while refractory; times in seconds.

    A spike that arrives adds its weight to v (unless refractory) if `input` is 'delta'; to I with
    tau_s dI/dt = -I if it is 'exponential'; to y with tau_s dy/dt = -y, tau_s dI/dt = y - I if it is 'alpha'.
    """

    tau: float = 0.01
    mu: float = 0.0
    theta: float = 1.0
    reset: float = 0.0
    t_ref: float = 0.0
    input: Literal["delta", "exponential", "alpha"] = "delta"
    tau_s: float = 0.002
    v: float = 0.0

    spikes: list[mpf] = field(default_factory=list)

    def run(self, duration: float, arrivals: Sequence[tuple[float, float]] = ()) -> mpf:
        """The membrane potential at the end of [0, duration]; `spikes` has the times."""
        self.spikes = []
        now, end = mpf(0), mpf(duration)
        v, i, y = mpf(self.v), mpf(0), mpf(0)
        awake = mpf("-inf")
        queue = sorted((mpf(t), mpf(w)) for t, w in arrivals)
        while True:
            if now >= awake and v > self.theta:
                self.spikes.append(now)
                v, awake = mpf(self.reset), now + mpf(self.t_ref)
            following = min(end, queue[0][0] if queue else end, awake if awake > now else end)
            span = following - now
            if now >= awake:
                terms = self._potential(v, i, y)
                crossing = self._first_crossing(terms, span)
                if crossing is not None:
                    _, i, y = self._after(v, i, y, crossing)
                    now += crossing
                    self.spikes.append(now)
                    v, awake = mpf(self.reset), now + mpf(self.t_ref)
                    continue
                v, i, y = self._after(v, i, y, span)
            else:
                _, i, y = self._after(v, i, y, span)
            now = following
            while queue and queue[0][0] <= now:
                w = queue.pop(0)[1]
                if self.input == "delta":
                    v += w if now >= awake else 0
                elif self.input == "exponential":
                    i += w
                else:
                    y += w
            if now >= end:
                if now >= awake and v > self.theta:
                    self.spikes.append(now)
                    v = mpf(self.reset)
                return v

    def _potential(self, v: mpf, i: mpf, y: mpf) -> list[Term]:
        """v as a function of the time since now.

        With a = 1/tau, b = 1/tau_s: I = (i + b*y*s)*exp(-b*s), and dv/dt = a*(mu - v + I) has the particular
        solution (p + q*s)*exp(-b*s), q = a*b*y/(a - b), p = (a*i - q)/(a - b).
        """
        a, b = 1 / mpf(self.tau), 1 / mpf(self.tau_s)
        q = a * b * y / (a - b)
        p = (a * i - q) / (a - b)
        mu = mpf(self.mu)
        return [Term(mpf(0), (mu,)), Term(a, (v - mu - p,)), Term(b, (p, q))]

    def _after(self, v: mpf, i: mpf, y: mpf, span: mpf) -> tuple[mpf, mpf, mpf]:
        b = 1 / mpf(self.tau_s)
        decay = mp.exp(-b * span)
        return value(self._potential(v, i, y), span), (i + b * y * span) * decay, y * decay

    def _first_crossing(self, terms: list[Term], span: mpf) -> mpf | None:
        """When v exceeds theta for the first time within (0, span], if it begins at or below it."""
        constant, *others = terms
        margin = [Term(mpf(0), (constant.coefficients[0] - mpf(self.theta),)), *others]
        points = zeros(margin, span) if span > 0 else []
        edges = [mpf(0), *points, span]
        for left, right in pairwise(edges):
            if value(margin, (left + right) / 2) > 0:
                return left
        return None


def leaky_rate(tau: float, mu: float, theta: float, reset: float, t_ref: float) -> float:
    """Rate of firing under constant input."""
    return 1 / (t_ref + tau * math.log((mu - reset) / (mu - theta)))


@dataclass
class DeltaNetwork:
    """Leaky neurons with threshold 1 that kick each other's potentials, and pair STDP: event after event.

    Neurons: potential, drive mu, time constant, refractory period, reset. Synapses: source, target, weight,
    delay. Traces x (8 ms, of presynaptic spikes as they arrive) and y (11 ms, postsynaptic) change the weight
    by -0.02*y at a presynaptic spike, which has acted before, and by 0.021*x at a postsynaptic one. What
    arrives as a refractory period ends is received.
    """

    v: list[float]
    mu: list[float]
    tau: list[float]
    rest: list[float]
    reset: list[float]
    source: list[int]
    target: list[int]
    w: list[float]
    delay: list[float]

    spikes: list[list[float]] = field(default_factory=list)

    def run(self, duration: float) -> None:
        """Simulate [0, duration]."""
        n, m = len(self.v), len(self.w)
        self.spikes = [[] for _ in range(n)]
        self._since = [0.0] * n  # the time of each v
        self._awake = [0.0] * n  # when each neuron stops being refractory
        self._x, self._y, self._last = [0.0] * m, [0.0] * m, [0.0] * m
        under_way: list[tuple[float, int]] = []  # arrival, synapse
        while True:
            crossings = [self._crossing(k) for k in range(n)]
            now = min([*crossings, *(t for t, _ in under_way)])
            if now > duration:
                break
            firing = [k for k in range(n) if crossings[k] <= now + 1e-12]
            arriving = [s for t, s in under_way if t <= now + 1e-12]
            under_way = [(t, s) for t, s in under_way if t > now + 1e-12]
            while firing or arriving:  # generations of one instant
                for k in firing:
                    self.spikes[k].append(now)
                    self._awake[k] = now + self.rest[k]
                sent = [s for s in range(m) if self.source[s] in firing]
                arriving += [s for s in sent if self.delay[s] == 0]
                under_way += [(now + self.delay[s], s) for s in sent if self.delay[s] > 0]
                self._deliver(now, arriving, firing)
                for k in firing:
                    self.v[k], self._since[k] = self.reset[k], self._awake[k]
                arriving = []
                firing = [
                    k for k in range(n) if self._awake[k] <= now + 1e-12 and self._potential(k, now) > 1
                ]
        self.v = [self._potential(k, duration) for k in range(n)]

    def _deliver(self, now: float, arriving: list[int], firing: list[int]) -> None:
        for s in arriving:
            self._decay(s, now)
            k = self.target[s]
            if self._awake[k] <= now + 1e-12:
                self.v[k], self._since[k] = self._potential(k, now) + self.w[s], now
            self._x[s] += 1
            self.w[s] = min(max(self.w[s] - 0.02 * self._y[s], -3.0), 3.0)
        for s in range(len(self.w)):
            if self.target[s] in firing:
                self._decay(s, now)
                self._y[s] += 1
                self.w[s] = min(max(self.w[s] + 0.021 * self._x[s], -3.0), 3.0)

    def _decay(self, s: int, now: float) -> None:
        age = now - self._last[s]
        self._x[s] *= math.exp(-age / 0.008)
        self._y[s] *= math.exp(-age / 0.011)
        self._last[s] = now

    def _potential(self, k: int, t: float) -> float:
        decay = math.exp(-max(t - self._since[k], 0.0) / self.tau[k])
        return self.mu[k] + (self.v[k] - self.mu[k]) * decay

    def _crossing(self, k: int) -> float:
        if self.mu[k] <= 1:
            return math.inf
        return self._since[k] + self.tau[k] * math.log((self.mu[k] - self.v[k]) / (self.mu[k] - 1))


# -- nonlinear neurons: DOP853 with events ---------------------------------------------------------------

Vector = Sequence[float]


@dataclass(frozen=True)
class Nonlinear:
    """A neuron in milliseconds and millivolts.

    Attributes
    ----------
    slopes : function of the state
        Derivatives per millisecond.
    start : state
    margin : function of the state
        Positive above threshold.
    after_spike : function of the state
        The state after the reset.
    kicked : (int, float)
        Which variable a spike that arrives changes, and by how much.
    refractory : float
        In milliseconds; concerns the threshold only.
    pace : function of the state
        Milliseconds per unit of the time in which is integrated: small where the state explodes.
    """

    slopes: Callable[[Vector], list[float]]
    start: tuple[float, ...]
    margin: Callable[[Vector], float]
    after_spike: Callable[[Vector], list[float]]
    kicked: tuple[int, float] = (0, 0.0)
    refractory: float = 0.0
    pace: Callable[[Vector], float] = lambda _: 1.0

    def spikes(self, duration: float, arrivals: Iterable[float] = (), *, rtol: float = 1e-12) -> np.ndarray:
        """Spike times in milliseconds."""
        found: list[float] = []
        now, state, awake = 0.0, list(self.start), -math.inf
        queue = sorted(arrivals)
        while True:
            if now >= awake and self.margin(state) > 0:
                found.append(now)
                state, awake = self.after_spike(state), now + self.refractory
            if now >= duration:
                return np.array(found)
            following = min(duration, *queue[:1], awake if awake > now else duration)
            now, state, crossed = self._advance(now, state, following, now >= awake, rtol)
            if crossed:
                found.append(now)
                state, awake = self.after_spike(state), now + self.refractory
                continue
            while queue and queue[0] <= now:
                queue.pop(0)
                state[self.kicked[0]] += self.kicked[1]

    def _advance(
        self, now: float, state: list[float], until: float, watch: bool, rtol: float
    ) -> tuple[float, list[float], bool]:
        """Integrate to a time, or to the threshold if that is watched and comes first."""

        def slopes(_: float, z: Vector) -> list[float]:
            y = [float(x) for x in z[:-1]]
            pace = self.pace(y)
            return [pace * d for d in self.slopes(y)] + [pace]

        span = until - now  # time is counted from `now`, which keeps its digits

        def margin(_: float, z: Vector) -> float:
            return self.margin(z[:-1])

        def at_end(_: float, z: Vector) -> float:
            return z[-1] - span

        events = [at_end, margin] if watch else [at_end]
        for event in events:
            event.terminal = True  # pyright: ignore[reportFunctionMemberAccess]
            event.direction = 1  # pyright: ignore[reportFunctionMemberAccess]
        options = {"method": "DOP853", "rtol": rtol, "atol": rtol}
        z = np.array([*state, 0.0])
        run = solve_ivp(slopes, (0, 1e9), z, events=events, **options)
        assert run.status == 1, run.message
        crossed = len(run.t_events[0]) == 0
        event = events[1 if crossed else 0]
        # the dense output has a lower order than the steps: integrate to the event, and correct it
        s = run.t[-2]
        z, at = run.y[:, -2], run.t_events[1 if crossed else 0][0]
        for _ in range(4):
            if at != s:
                z = solve_ivp(slopes, (s, at), z, **options).y[:, -1]
            s = at
            d = np.array(slopes(s, z))
            tiny = 1e-6
            slope = (event(s, z + tiny * d) - event(s, z - tiny * d)) / (2 * tiny)
            if slope > 0:
                at = s - event(s, z) / slope
        return (now + float(z[-1]) if crossed else until), [float(x) for x in z[:-1]], crossed


def adex(cutoff: float, current: float, kick: float = 0.0) -> Nonlinear:
    """Adaptive exponential integrate-and-fire, Brette & Gerstner 2005, table 1; current and kick in nA.

    State: v, w (nA), and a current that decays with 5 ms.
    """
    c, g_l, e_l, v_t, delta, tau_w, a, b = 0.281, 0.03, -70.6, -50.4, 2.0, 144.0, 0.004, 0.0805

    def slopes(y: Vector) -> list[float]:
        v, w, i = y
        rise = math.exp(min((v - v_t) / delta, 600.0))
        return [
            (-g_l * (v - e_l) + g_l * delta * rise - w + current + i) / c,
            (a * (v - e_l) - w) / tau_w,
            -i / 5.0,
        ]

    return Nonlinear(
        slopes,
        (e_l, 0.0, 0.0),
        margin=lambda y: y[0] - cutoff,
        after_spike=lambda y: [e_l, y[1] + b, y[2]],
        kicked=(2, kick),
        pace=lambda y: 1 / (1 + math.exp(min((y[0] - v_t) / delta, 600.0))),
    )


def izhikevich(a: float, b: float, c: float, d: float, current: float, kick: float = 0.0) -> Nonlinear:
    """Izhikevich 2003. State: v, u, and a current that decays with 5 ms."""

    def slopes(y: Vector) -> list[float]:
        v, u, i = y
        return [0.04 * v**2 + 5 * v + 140 - u + current + i, a * (b * v - u), -i / 5.0]

    return Nonlinear(
        slopes,
        (-65.0, -13.0, 0.0),
        margin=lambda y: y[0] - 30.0,
        after_spike=lambda y: [c, y[1] + d, y[2]],
        kicked=(2, kick),
    )


def exprel(x: float) -> float:
    return math.expm1(x) / x if x else 1.0


def hodgkin_huxley(current: float, kick: float = 0.0) -> Nonlinear:
    """Hodgkin & Huxley 1952 with today's signs; µA, mS, µF per cm². State: v, m, h, n, g (3 ms)."""

    def slopes(y: Vector) -> list[float]:
        v, m, h, n, g = y
        i = 120 * m**3 * h * (50 - v) + 36 * n**4 * (-77 - v) + 0.3 * (-54.387 - v) + g * (0 - v) + current
        a_m = 1 / exprel(-(v + 40) / 10)
        a_n = 0.1 / exprel(-(v + 55) / 10)
        return [
            i,
            a_m * (1 - m) - 4 * math.exp(-(v + 65) / 18) * m,
            0.07 * math.exp(-(v + 65) / 20) * (1 - h) - h / (1 + math.exp(-(v + 35) / 10)),
            a_n * (1 - n) - 0.125 * math.exp(-(v + 65) / 80) * n,
            -g / 3.0,
        ]

    return Nonlinear(
        slopes,
        (-65.0, 0.0529, 0.5961, 0.3177, 0.0),
        margin=lambda y: y[0] + 20.0,
        after_spike=list,
        kicked=(4, kick),
        refractory=3.0,
    )
