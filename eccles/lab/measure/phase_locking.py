"""Phase locking: how well spikes keep to the phase of a periodic stimulus."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.lab import checked

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "PhaseLocking",
    "locking_of_phases",
    "phase_histogram",
    "phase_locking",
    "phases",
    "rayleigh_p",
    "vector_strength",
]


@dataclass(frozen=True)
class PhaseLocking:
    """How well events keep to a phase.

    Attributes
    ----------
    n : int
        How many events.
    vector_strength : float
        Length of the mean of exp(i phase): 0 without locking, 1 if all have one phase; NaN without events.
    mean_phase : float
        Angle of this mean, in radians from -pi to pi.
    low, high : float
        The ends of the confidence interval of the vector strength.
    level : float
        Of the confidence interval, such as 0.95.
    p_value : float
        Of the Rayleigh test: how likely a vector strength as large is if there is no locking.

    Notes
    -----
    Interval and p value are right for independent events. Spikes in bursts, or of a few trials that differ
    much, tell less than their number says.
    """

    n: int
    vector_strength: float
    mean_phase: float
    low: float
    high: float
    level: float
    p_value: float


def phases(train: Any, frequency: Any) -> np.ndarray:
    """The phase of each spike in order of time, in radians from 0 to 2 pi; it is 0 at t = 0.

    Parameters
    ----------
    train : (n,), time, or list or dict of these
        Several trains are taken together, one after the other.
    frequency : frequency

    Raises
    ------
    DimensionMismatchError
        If times or frequency have another unit.
    SetupError
        If the frequency is not positive, or times are not finite.
    """
    f = checked.frequency(frequency, "the frequency")
    times = np.concatenate(checked.trains(train, "spike times"))
    return 2 * math.pi * np.mod(times * f, 1.0)


def vector_strength(train: Any, frequency: Any) -> float:
    """The length of the mean of exp(i phase) over spikes; NaN without spikes.

    References
    ----------
    Goldberg & Brown 1969, J Neurophysiol 32:613
    """
    angles = phases(train, frequency)
    return float(abs(np.mean(np.exp(1j * angles)))) if len(angles) else math.nan


def phase_locking(train: Any, frequency: Any, *, level: float = 0.95) -> PhaseLocking:
    """Vector strength and mean phase of spikes, with confidence interval and Rayleigh test.

    A rate like 1 + cos(2 pi f t - a) gives the mean phase a.

    Parameters
    ----------
    train : (n,), time, or list or dict of these
        Spikes of one neuron, or of several trials together.
    frequency : frequency
    level : float, optional
        Of the confidence interval.

    Examples
    --------
    >>> locked = phase_locking([0, 101, 199, 302]*ms, 10*Hz)
    >>> round(locked.vector_strength, 3), locked.n
    (0.996, 4)
    """
    return locking_of_phases(phases(train, frequency), level=level)


def locking_of_phases(angles: Any, *, level: float = 0.95) -> PhaseLocking:
    """The same for phases that are known, in radians: those in a stimulus that is not periodic, for example.

    Notes
    -----
    The mean of n unit vectors has a component along its direction with variance

        s^2 = (1 + a_2 - 2 R^2)/(2 n),    a_2 = mean of cos 2(phase - mean phase)

    (Mardia & Jupp 2000, Directional Statistics, chapter 4). R^2/s^2 is then taken as a noncentral chi-square
    variable with two degrees of freedom, whose noncentrality gives the interval. At R near 0, where
    s^2 = 1/(2 n), that is the limit for many events; at larger R, it is the normal one. Intervals of 95 %
    have the truth in 95 % of cases with hundreds of events, but in 90 % with 50 events and R = 0.9.
    """
    tail = (1 - checked.fraction(level, "the level")) / 2
    theta = np.asarray(angles, float).reshape(-1)
    n = len(theta)
    if n == 0:
        return PhaseLocking(0, math.nan, math.nan, math.nan, math.nan, level, math.nan)
    mean = complex(np.mean(np.exp(1j * theta)))
    strength, direction = min(abs(mean), 1.0), math.atan2(mean.imag, mean.real)
    second_moment = float(np.mean(np.cos(2 * (theta - direction))))
    variance = max(1 + second_moment - 2 * strength**2, 0.0) / (2 * n)
    low, high = _interval(strength, variance, tail)
    return PhaseLocking(n, strength, direction, low, high, level, rayleigh_p(n, strength))


def rayleigh_p(n: int, strength: float) -> float:
    """The p value of the Rayleigh test for `n` independent events.

    Notes
    -----
    p = exp(sqrt(1 + 4 n + 4 n^2 (1 - R^2)) - 1 - 2 n), Zar 1999, Biostatistical Analysis, eq 27.4; within a
    few thousandths from n = 10 on, and exp(-n R^2) for many events. It is computed without the difference of
    large numbers.
    """
    root = math.sqrt(1 + 4 * n + 4 * n**2 * max(1 - strength**2, 0.0))
    return math.exp(-4 * n**2 * strength**2 / (root + 1 + 2 * n))


def phase_histogram(train: Any, frequency: Any, n_bins: int = 32) -> xr.DataArray:
    """How many spikes come in each part of a cycle, over `phase` (middle of a bin, in cycles)."""
    import xarray as xr

    checked.count(n_bins, "the number of bins")
    cycle = phases(train, frequency) / (2 * math.pi)
    counts, edges = np.histogram(cycle, n_bins, range=(0, 1))
    middle = (edges[:-1] + edges[1:]) / 2
    return xr.DataArray(
        counts, {"phase": ("phase", middle, {"units": "1", "long_name": "phase (cycles)"})}, ("phase",),
        name="spikes", attrs={"units": "1", "frequency": float(frequency), "frequency_units": "Hz"},
    )  # fmt: skip


def _interval(strength: float, variance: float, tail: float) -> tuple[float, float]:
    """The vector strengths for which the one found is not in a tail of its distribution."""
    from scipy.stats import ncx2

    if variance <= 1e-15:  # all events have one phase, or there is only one
        return (strength, strength)
    found = strength**2 / variance

    def beyond(candidate: float, part: float) -> float:
        return float(ncx2.cdf(found, 2, max(candidate**2 / variance, 1e-12))) - part

    ends = []
    for part in (1 - tail, tail):
        if part == tail:  # no interval is narrower than that of the middle one without any locking
            found = max(found, 2 * math.log(2))
        highest = (math.sqrt(found) + 10) * math.sqrt(variance)
        inside = beyond(0.0, part) > 0 > beyond(highest, part)
        ends.append(_root(beyond, highest, part) if inside else 0.0)
    return (ends[0], min(ends[1], 1.0))


def _root(function: Any, highest: float, argument: float) -> float:
    """Where a function of a number from 0 to `highest` is 0."""
    from scipy.optimize import brentq

    return float(brentq(function, 0.0, highest, args=(argument,), xtol=1e-10))  # type: ignore[arg-type]
