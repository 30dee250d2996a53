"""Rate and irregularity of spike trains, with confidence intervals.

Several trains are taken as trials of one condition: their intervals are pooled, never one across two trains.
For numbers of each train, ask for them one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.errors import SetupError
from eccles.lab import checked
from eccles.lab.measure.bins import ROUNDING, counts_in
from eccles.lab.measure.estimate import Estimate, bootstrap, mean_of_neighbours
from eccles.units import Quantity, hertz, second

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["counts", "cv", "cv2", "fano", "fano_curve", "intervals", "lv", "poisson_interval", "rate"]

Trains = Quantity | Sequence[Quantity] | Mapping[Any, Quantity]
TRAINS = "spike trains"


def poisson_interval(n: Any, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """The exact confidence interval of the mean of a Poisson distribution of which `n` was observed.

    Quantiles of the chi-squared distribution: Garwood 1936, Biometrika 28:437. It covers the mean at least as
    often as `level` says.

    Returns
    -------
    low, high : like `n`
    """
    from scipy.special import chdtri

    n, rest = np.asarray(n, float), (1 - checked.fraction(level, "the level")) / 2
    low = np.where(n > 0, chdtri(2 * np.maximum(n, 1), 1 - rest) / 2, 0.0)
    return low, chdtri(2 * n + 2, rest) / 2


def rate(
    trains: Trains, duration: Quantity, *, start: Quantity = 0 * second, level: float = 0.95
) -> Estimate:
    """Spikes per time.

    The confidence interval is that of a Poisson process; it is too wide for trains more regular than that
    (by about the root of the Fano factor), and too narrow for bursts.

    Parameters
    ----------
    trains : (n,), time, or list or dict of these
    duration : time
        Spikes in [start, start + duration) count.
    start : time, optional
    level : float, optional

    Returns
    -------
    Estimate
        In hertz; `n` is the number of spikes.
    """
    found, begin, length = _window(trains, start, duration)
    n = int(sum(counts_in(t, begin, length, 1)[0] for t in found))
    low, high = poisson_interval(n, level)
    one, other, value = (Quantity(x / (length * len(found)), dim=hertz.dim) for x in (low, high, float(n)))
    return Estimate(value, one, other, n, level, "exact, for a Poisson process (Garwood 1936)")


def intervals(trains: Trains) -> Quantity:
    """Intervals between spikes (ISI), one train after the other.

    Returns
    -------
    (n,), time

    Raises
    ------
    SetupError
        If a train has the same time twice.
    """
    return Quantity(np.concatenate(_intervals(trains)), dim=second.dim)


def _intervals(trains: Trains) -> list[np.ndarray]:
    isi = [np.diff(t) for t in checked.trains(trains, TRAINS)]
    if any(np.any(i == 0) for i in isi):
        raise SetupError("a neuron cannot spike twice at the same time: a train has the same time twice")
    return isi


def cv(trains: Trains, *, level: float = 0.95, seed: int = 1) -> Estimate:
    """Coefficient of variation of the intervals: standard deviation over mean. Poisson: 1; regular: 0.

    The standard deviation has the divisor n - 1. The confidence interval, a BCa bootstrap over intervals,
    takes them as independent; that of level 0.95 covers the number in about 0.92 of Poisson trains with 100
    intervals, and 0.87 with 30. Slow changes of the rate make the number greater, see `cv2` and `lv`.

    Parameters
    ----------
    trains : (n,), time, or list or dict of these
    level : float, optional
    seed : int, optional
        Of the bootstrap.

    Returns
    -------
    Estimate
        `n` is the number of intervals; NaN with fewer than 2 of them.
    """
    checked.fraction(level, "the level")
    isi = np.asarray(intervals(trains))
    value = float(isi.std(ddof=1) / isi.mean()) if len(isi) > 1 else np.nan

    def of(mean: Any, variance: Any) -> Any:
        return _over(np.sqrt(np.maximum(variance, 0)), mean, 0.0)  # vanishing intervals are all equal

    low, high = bootstrap(isi, of, level, seed)
    return Estimate(value, low, high, len(isi), level, "BCa bootstrap over intervals (Efron 1987)")


def cv2(trains: Trains, *, level: float = 0.95) -> Estimate:
    """Local coefficient of variation: the mean of 2|J - I|/(J + I) of neighbouring intervals I, J.

    Slow changes of the rate hardly matter. Poisson: 1; regular: 0. Holt, Softky, Koch & Douglas 1996,
    J Neurophysiol 75:1806.

    Parameters
    ----------
    trains : (n,), time, or list or dict of these
    level : float, optional
        Of the confidence interval, which takes intervals as independent of one another (up to slow changes);
        neighbouring terms, which share one, are not.

    Returns
    -------
    Estimate
        `n` is the number of pairs of intervals; NaN without one.
    """
    return _local(trains, level, lambda one, other: 2 * abs(other - one) / (other + one))


def lv(trains: Trains, *, level: float = 0.95) -> Estimate:
    """Local variation: the mean of 3((I - J)/(I + J))^2 of neighbouring intervals I, J.

    Poisson: 1; regular: 0; intervals with a gamma distribution of shape k: 3/(2k + 1). Shinomoto, Shima &
    Tanji 2003, Neural Comput 15:2823.

    Parameters
    ----------
    trains : (n,), time, or list or dict of these
    level : float, optional
        Of the confidence interval; see `cv2`.

    Returns
    -------
    Estimate
        `n` is the number of pairs of intervals; NaN without one.
    """
    return _local(trains, level, lambda one, other: 3 * ((one - other) / (one + other)) ** 2)


def _local(trains: Trains, level: float, term: Any) -> Estimate:
    checked.fraction(level, "the level")
    series = [term(i[:-1], i[1:]) for i in _intervals(trains)]
    value, low, high, n = mean_of_neighbours(series, level)
    return Estimate(value, low, high, n, level, "mean of a 1-dependent sequence (Hoeffding & Robbins 1948)")


def counts(
    trains: Trains, window: Quantity, duration: Quantity, *, start: Quantity = 0 * second
) -> np.ndarray:
    """Spikes in windows that follow one another, (train, window).

    Parameters
    ----------
    trains : (n,), time, or list or dict of these
    window : time
        A spike on a border counts to the later window.
    duration : time
        As many whole windows as fit from `start` on.
    start : time, optional

    Raises
    ------
    SetupError
        If not even one window fits.
    """
    found, begin, length = _window(trains, start, duration)
    width = checked.span(window, "the window")
    if length < width * (1 - ROUNDING):
        raise SetupError(f"a window of {window} does not fit into {duration}")
    n = checked.count(int(min(length / max(width, 1e-200) + ROUNDING, 1e15)), "the number of windows")
    checked.count(n * len(found), "the number of windows of all trains")
    return np.array([counts_in(t, begin, width, n) for t in found])


def fano(
    trains: Trains,
    window: Quantity,
    duration: Quantity,
    *,
    start: Quantity = 0 * second,
    level: float = 0.95,
    seed: int = 1,
) -> Estimate:
    """Fano factor: variance over mean of the numbers of spikes in windows. Poisson: 1; regular: near 0.

    The variance has the divisor n - 1. For independent intervals it tends to the square of their coefficient
    of variation in long windows. Windows of all trains are pooled, so different rates of trains count as
    variance. The confidence interval, a BCa bootstrap over windows, takes them as independent.

    Parameters
    ----------
    trains : (n,), time, or list or dict of these
    window, duration, start : time
        As for `counts`. With `window=duration` each train is one count, as is usual for trials.
    level : float, optional
    seed : int, optional
        Of the bootstrap.

    Returns
    -------
    Estimate
        `n` is the number of windows; NaN without spikes, or with a single window.
    """
    checked.fraction(level, "the level")
    found = counts(trains, window, duration, start=start).reshape(-1).astype(float)
    n = len(found)
    value = float(found.var(ddof=1) / found.mean()) if n > 1 and found.any() else np.nan

    def of(mean: Any, variance: Any) -> Any:
        return _over(np.maximum(variance, 0), mean, 1.0)  # a sample may be drawn that has no spikes

    low, high = bootstrap(found, of, level, seed) if np.isfinite(value) else (np.nan, np.nan)
    return Estimate(value, low, high, n, level, "BCa bootstrap over windows (Efron 1987)")


def fano_curve(
    trains: Trains,
    windows: Any,
    duration: Quantity,
    *,
    start: Quantity = 0 * second,
    level: float = 0.95,
    seed: int = 1,
) -> xr.Dataset:
    """Fano factors over windows of several lengths.

    Parameters
    ----------
    trains : (n,), time, or list or dict of these
    windows : (window,), time
    duration, start, level, seed
        As for `fano`.

    Returns
    -------
    Dataset
        `fano`, `low`, `high` over `window` (s), and `poisson_low`, `poisson_high`: where it is to be expected
        for a Poisson process, by the gamma distribution of Eden & Kramer 2010, J Neurosci Methods 190:149.
    """
    import xarray as xr
    from scipy.stats import gamma

    lengths = np.sort(checked.times(windows, "windows"))
    found = [
        fano(trains, Quantity(w, dim=second.dim), duration, start=start, level=level, seed=seed)
        for w in lengths
    ]
    n = np.array([estimate.n for estimate in found])
    freedom = np.where(n > 1, n - 1, np.nan)  # variance of n counts, over its mean: chi-squared, nearly
    ends = [gamma.ppf(q, freedom / 2, scale=2 / freedom) for q in ((1 - level) / 2, (1 + level) / 2)]
    one = {"units": "1"}
    return xr.Dataset(
        {
            "fano": ("window", [e.value for e in found], {**one, "long_name": "Fano factor"}),
            "low": ("window", [e.low for e in found], one),
            "high": ("window", [e.high for e in found], one),
            "poisson_low": ("window", ends[0], one),
            "poisson_high": ("window", ends[1], one),
            "n": ("window", n, {"long_name": "number of windows"}),
        },
        {"window": ("window", lengths, {"units": "s", "long_name": "length of the window"})},
        {"level": level},
    )


def _window(trains: Trains, start: Any, duration: Any) -> tuple[list[np.ndarray], float, float]:
    found = checked.trains(trains, TRAINS)
    return found, checked.time(start, "the start"), checked.span(duration, "the duration")


def _over(values: Any, mean: Any, otherwise: float) -> np.ndarray:
    """Values over means that are not negative, but for rounding; something else where the mean vanishes."""
    mean = np.asarray(mean, float)
    some = mean > 1e-14
    return np.where(some, values / np.where(some, mean, 1.0), otherwise)
