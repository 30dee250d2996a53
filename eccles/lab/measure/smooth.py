"""Sampled traces as smooth curves: values, crossings, extrema and integrals between the samples.

A response begins with a jump, or with a jump of its slope, so no polynomial may reach across its onset.
From the onset on, each interval between two samples has the polynomial of degree 7 through the eight
samples around it (at either end of the curve, the first or last eight). That is local, has no free
parameter, and can be done for thousands of traces at once, which root searches on a spline for each trace
cannot. Its error is that of the eighth derivative: some 1e-8 of the amplitude where the fastest time
constant is five samples long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["POINTS", "Curves", "Pieces", "gauss_legendre"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

POINTS = 8  # samples for each polynomial
NEAR = 0.05  # of a step: a sample nearer to the onset than this is not used
JUMP = 0.01  # of the largest value: what the curve has to begin with to count as a jump
BISECTIONS = 54  # halve a bracket until it is as short as the spacing of floats

# Gregory's formula: what the trapezoidal rule lacks at either end, in forward differences.
GREGORY = (1 / 12, -1 / 24, 19 / 720, -3 / 160, 863 / 60480, -275 / 24192)


def gauss_legendre(n: int) -> tuple[Floats, Floats]:
    """Nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return (nodes + 1) / 2, weights / 2


@dataclass(frozen=True)
class Pieces:
    """Polynomials in Newton's form, an array of them.

    Attributes
    ----------
    origin : (...,)
        Where `u` is 0; time is `origin + u*step`.
    nodes, coefficients : (..., POINTS)
    step : float
    """

    origin: Floats
    nodes: Floats
    coefficients: Floats
    step: float

    def at(self, t: Floats) -> tuple[Floats, Floats]:
        """Value and derivative of each at its time."""
        u = (t - self.origin) / self.step
        value, slope = self.coefficients[..., -1], np.zeros_like(u)
        for j in range(POINTS - 2, -1, -1):
            distance = u - self.nodes[..., j]
            slope = slope * distance + value
            value = value * distance + self.coefficients[..., j]
        return value, slope / self.step

    def root(self, low: Floats, high: Floats, level: Floats, *, of_slope: bool = False) -> Floats:
        """Where the value (or the slope) crosses the level between two times, by bisection."""
        below = self.at(low)[int(of_slope)] < level
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            left = (self.at(middle)[int(of_slope)] < level) == below
            low, high = np.where(left, middle, low), np.where(left, high, middle)
        return (low + high) / 2


@dataclass(frozen=True)
class Curves:
    """Traces from their onsets on.

    Attributes
    ----------
    t, y : (trace, 1 + sample)
        Times and values; in column `first` stands the onset.
    first : (trace,)
    step : float
        Between samples, in s.
    """

    t: Floats
    y: Floats
    first: Ints
    step: float

    @classmethod
    def after(cls, time: Floats, y: Floats, onset: Floats, jump: bool | None) -> Curves:
        """The curves of traces that are sampled alike.

        Parameters
        ----------
        time : (sample,)
        y : (trace, sample)
        onset : (trace,)
            With at least `POINTS` samples behind it.
        jump : bool or None
            Whether the response begins with a jump; with None its samples say so.
        """
        step = (time[-1] - time[0]) / (len(time) - 1)
        first = np.searchsorted(time, onset + NEAR * step, side="right")  # in the wider array: the onset
        rows = np.arange(len(y))
        wide = np.concatenate([np.zeros((len(y), 1)), y], axis=1)
        t = np.tile(np.concatenate([[time[0] - step], time]), (len(y), 1))
        sampled = cls(t, wide, first + 1, step)
        at_onset = sampled.pieces(first[:, None]).at(onset[:, None])[0][:, 0]
        if jump is None:
            largest = np.max(np.abs(y), axis=1, initial=0.0, where=sampled.there[:, 1:])
            at_onset = np.where(np.abs(at_onset) > JUMP * largest, at_onset, 0.0)
        elif not jump:
            at_onset = np.zeros_like(at_onset)
        t[rows, first], wide[rows, first] = onset, at_onset
        return cls(t, wide, first, step)

    @property
    def there(self) -> NDArray[np.bool_]:
        """(trace, 1 + sample): the onset and what is behind it."""
        return np.arange(self.t.shape[1]) >= self.first[:, None]

    def pieces(self, k: Ints) -> Pieces:
        """The polynomials of intervals: (trace, q) columns, each the left end of one."""
        start = np.clip(k - POINTS // 2 + 1, self.first[:, None], self.t.shape[1] - POINTS)
        columns = start[..., None] + np.arange(POINTS)
        rows = np.arange(len(self.t))[:, None, None]
        origin = self.t[rows[..., 0], np.clip(k, 0, self.t.shape[1] - 1)]
        nodes = (self.t[rows, columns] - origin[..., None]) / self.step
        divided = self.y[rows, columns]
        for order in range(1, POINTS):
            gaps = nodes[..., order:] - nodes[..., :-order]
            divided[..., order:] = np.diff(divided[..., order - 1 :], axis=-1) / gaps
        return Pieces(origin, nodes, divided, self.step)

    def value(self, t: Floats) -> Floats:
        """The values at times: (trace, q)."""
        k = np.floor((t - self.t[:, -1:]) / self.step).astype(np.intp) + self.t.shape[1] - 1
        return self.pieces(np.clip(k, self.first[:, None], self.t.shape[1] - 2)).at(t)[0]

    def integral(self) -> Floats:
        """From the onset to the last sample."""
        rows, second = np.arange(len(self.y)), self.first + 1
        nodes, weights = gauss_legendre(POINTS // 2)
        width = self.t[rows, second] - self.t[rows, self.first]
        places = self.t[rows, self.first][:, None] + width[:, None] * nodes
        begin = width * np.sum(self.value(places) * weights, axis=1)
        behind = np.arange(self.y.shape[1]) >= second[:, None]
        total = np.sum(self.y, axis=1, where=behind) - (self.y[rows, second] + self.y[:, -1]) / 2
        reach = np.arange(len(GREGORY) + 1)
        for end in (self.y[rows[:, None], second[:, None] + reach], self.y[:, ::-1][:, reach]):
            for order, weight in enumerate(GREGORY, 1):
                total = total + weight * np.diff(end, order, axis=1)[:, 0]
        return begin + self.step * total
