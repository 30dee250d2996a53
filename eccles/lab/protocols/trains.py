"""Spike trains: exact times in [0, duration), from a rate, from bursts, or from another train.

Where there is chance, a train is the same for the same seed, in all versions of NumPy; the random trains of
a longer duration begin with the same spikes. Different kinds of chance with the same seed are independent.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from eccles.errors import SetupError
from eccles.lab import checked
from eccles.lab.random_numbers import Stream, normal, permutation, uniform
from eccles.units import Quantity, ms, second

__all__ = [
    "bursts",
    "dithered",
    "expected_count",
    "gamma",
    "jittered",
    "poisson",
    "regular",
    "renewal",
    "shuffled",
]

ROUNDING = 1e-9  # of an interval: a spike that is nearer to the end of a train counts as at the end


def _train(times: np.ndarray) -> Quantity:
    return Quantity(times, dim=second.dim)


def expected_count(rate: float, length: float) -> float:
    """How many spikes to expect at a rate (Hz) in a time (s), if that is not beyond measure."""
    if not rate * length <= checked.MOST_SPIKES:
        raise SetupError(f"{rate:g} Hz for {length:g} s would be {rate * length:.3g} spikes in one train")
    return rate * length


def regular(rate: Quantity, duration: Quantity, phase: float = 0.0) -> Quantity:
    """Spikes with equal intervals, at `(k + phase)/rate`.

    Parameters
    ----------
    rate : frequency
    duration : time
    phase : float, optional
        The part of a period that passes before the first spike, in [0, 1): the phase of the cycle at which
        the spikes come. (For a neuron of `eccles.lab.beats` it is the part that has passed at the start.)

    Returns
    -------
    (n,), time

    Raises
    ------
    SetupError
        If the rate or the duration is not positive, or the phase not in [0, 1).
    """
    per_second, length = checked.frequency(rate, "the rate"), checked.span(duration, "the duration")
    expected_count(per_second, length)
    shift = checked.number(phase, "the phase", "0.25")
    if not 0 <= shift < 1:
        raise SetupError(f"the phase is a part of the period, at least 0 and below 1, not {phase!r}")
    n = max(math.ceil(per_second * length - shift - ROUNDING), 0)
    return _train((np.arange(n) + shift) / per_second)


def poisson(rate: Quantity, duration: Quantity, seed: int, refractory: Quantity = 0 * ms) -> Quantity:
    """Spikes that come independently of one another, but for a refractory period.

    An interval is the refractory period and an exponentially distributed time. The train begins in the midst
    of the process, so its mean rate is the same at all times, from 0 on.

    Parameters
    ----------
    rate : frequency
        The mean rate, with the refractory period.
    duration : time
    seed : int
    refractory : time, optional
        The shortest interval between spikes.

    Returns
    -------
    (n,), time

    Raises
    ------
    SetupError
        If there is no time between refractory periods at this rate.
    """
    per_second, length = (
        checked.frequency(rate, "the rate", zero=True),
        checked.span(duration, "the duration"),
    )
    dead = checked.span(refractory, "the refractory period", zero=True)
    expected = expected_count(per_second, length)
    if per_second * dead >= 1:
        raise SetupError(
            f"a refractory period of {refractory} does not allow {rate}",
            hint="The mean interval, one over the rate, has to be longer than the refractory period.",
        )
    if per_second == 0:
        uniform(0, seed)  # the seed is checked all the same
        return _train(np.empty(0))
    scale = 1 / per_second - dead

    def times(u: np.ndarray) -> np.ndarray:
        # forward recurrence time of a renewal process: its density is (1 - F(t)) times the rate (Cox 1962),
        # constant for the refractory period, then exponential
        rest = (1 - u[0]) / (1 - per_second * dead)
        first = u[0] / per_second if u[0] < per_second * dead else dead - scale * math.log(rest)
        return np.cumsum([first, *(dead - scale * np.log1p(-u[1:]))])

    return renewal(times, expected, length, partial(uniform, seed=seed, stream=Stream.RENEWAL))


def gamma(rate: Quantity, duration: Quantity, seed: int, shape: float) -> Quantity:
    """Spikes whose intervals have a gamma distribution, independent of one another.

    The coefficient of variation of the intervals is `1/sqrt(shape)`: 1 is a Poisson process, more is more
    regular, less comes in bursts. The train begins in the midst of the process, as in `poisson`.

    Parameters
    ----------
    rate : frequency
        The mean rate.
    duration : time
    seed : int
    shape : float
        Of the gamma distribution; at least 0.01.

    Returns
    -------
    (n,), time
    """
    from scipy.special import gammaincinv

    per_second, length = checked.frequency(rate, "the rate"), checked.span(duration, "the duration")
    expected = expected_count(per_second, length)
    order = checked.number(shape, "the shape of a gamma distribution", "4")
    if not 0.01 <= order <= 1e6:
        raise SetupError(f"the shape of a gamma distribution has to be from 0.01 to 1e6, not {shape!r}")

    def times(u: np.ndarray) -> np.ndarray:
        # the interval that is under way at the start is a long one, (1 + shape) in place of shape, and some
        # part of it is over (Cox 1962)
        first = u[0] * gammaincinv(order + 1, u[1])
        return np.cumsum([first, *gammaincinv(order, u[2:])]) / (order * per_second)

    return renewal(times, expected, length, partial(uniform, seed=seed, stream=Stream.RENEWAL))


def renewal(
    times: Callable[[np.ndarray], np.ndarray],
    expected: float,
    length: float,
    draw: Callable[[int], np.ndarray],
) -> Quantity:
    """Times in [0, length) of a process that makes them of uniform numbers, one for each interval.

    Parameters
    ----------
    times : callable
        What uniform numbers, (n,), make: spike times in seconds, in order.
    expected : float
        How many spikes to expect.
    length : float
        In seconds.
    draw : callable
        Gives as many uniform numbers as it is asked for; more of them begin with the same.

    Returns
    -------
    (n,), time
    """
    n = math.ceil(expected + 6 * math.sqrt(expected)) + 16
    while True:
        found = times(draw(n))
        if found[-1] >= length:
            return _train(np.unique(found[found < length]))  # an interval can be lost in rounding
        n *= 2


def bursts(n_spikes: int, rate_within: Quantity, n_bursts: int, interval: Quantity) -> Quantity:
    """Bursts of spikes: spike j of burst k comes at `k*interval + j/rate_within`.

    Parameters
    ----------
    n_spikes : int
        In each burst.
    rate_within : frequency
        One over the interval between the spikes of a burst.
    n_bursts : int
    interval : time
        From the first spike of a burst to the first spike of the next.

    Returns
    -------
    (n,), time

    Raises
    ------
    SetupError
        If a burst is not over when the next begins.
    """
    n, m = checked.count(n_spikes, "the number of spikes"), checked.count(n_bursts, "the number of bursts")
    per_second = checked.frequency(rate_within, "the rate within bursts")
    apart = checked.span(interval, "the interval of bursts")
    checked.count(n * m, "the number of all spikes")
    if m > 1 and (n - 1) / per_second >= apart * (1 - ROUNDING):
        raise SetupError(
            f"{n} spikes at {rate_within} take {(n - 1) / per_second:g} s, but bursts come every {interval}"
        )
    return _train(np.add.outer(np.arange(m) * apart, np.arange(n) / per_second).reshape(-1))


def jittered(train: Quantity, sd: Quantity, seed: int, *, duration: Quantity | None = None) -> Quantity:
    """Each spike moved by a normally distributed time, independently of the others.

    Parameters
    ----------
    train : (n,), time
    sd : time
        Standard deviation of the shift.
    seed : int
    duration : time, optional
        Spikes stay in [0, duration): one that would leave is reflected at the border. Without it they are
        reflected at 0 alone.

    Returns
    -------
    (n,), time
        In order.
    """
    times = checked.train(train, "spikes of the train")
    shifts = checked.span(sd, "the standard deviation", zero=True) * normal(
        len(times), seed, stream=Stream.JITTER
    )
    return _train(_kept(times + shifts, duration))


def dithered(train: Quantity, width: Quantity, seed: int, *, duration: Quantity | None = None) -> Quantity:
    """Each spike moved by a uniformly distributed time of at most `width`, to either side.

    Parameters
    ----------
    train : (n,), time
    width : time
        The largest shift.
    seed : int
    duration : time, optional
        As in `jittered`.

    Returns
    -------
    (n,), time
        In order.
    """
    times = checked.train(train, "spikes of the train")
    shifts = checked.span(width, "the width", zero=True) * (
        2 * uniform(len(times), seed, stream=Stream.DITHER) - 1
    )
    return _train(_kept(times + shifts, duration))


def _kept(times: np.ndarray, duration: Any) -> np.ndarray:
    """Times in order, reflected into [0, duration)."""
    times = abs(times)
    if duration is not None:
        length = checked.span(duration, "the duration")
        times = times % (2 * length)
        times = np.minimum(np.minimum(times, 2 * length - times), np.nextafter(length, 0))
    return np.unique(times)  # two at one time, which hardly ever happens, would be one spike


def shuffled(train: Quantity, seed: int) -> Quantity:
    """The intervals of a train in random order; the first spike stays where it is.

    Rate and distribution of intervals are the same, but no interval depends on the one before.

    Returns
    -------
    (n,), time
    """
    times = checked.train(train, "spikes of the train")
    order = permutation(max(len(times) - 1, 0), seed, stream=Stream.SHUFFLE)
    return _train(np.cumsum([*times[:1], *np.diff(times)[order]]))
