"""A number that was measured, with its confidence interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from eccles.lab.random_numbers import Stream, uniform

__all__ = ["Estimate", "bootstrap", "mean_of_neighbours"]

RESAMPLES = 2000
AT_ONCE = 4_000_000  # numbers that are resampled at once, to bound the memory


@dataclass(frozen=True)
class Estimate:
    """A number with its confidence interval.

    Attributes
    ----------
    value : number or Quantity
        NaN where there is too little to measure it.
    low, high : number or Quantity
        The ends of the confidence interval.
    n : int
        How many observations it is computed of.
    level : float
        Of the confidence interval, such as 0.95.
    method : str
        Where the interval is from.
    """

    value: Any
    low: Any
    high: Any
    n: int
    level: float
    method: str

    def __str__(self) -> str:
        ends = f"{100 * self.level:g} % interval {self.low:.4g} to {self.high:.4g}"
        return f"{self.value:.4g} ({ends}, n = {self.n})"


def bootstrap(
    sample: np.ndarray, of: Callable[[np.ndarray, np.ndarray], np.ndarray], level: float, seed: int
) -> tuple[float, float]:
    """The confidence interval of a function of mean and variance: BCa bootstrap.

    The ends are quantiles of the statistic over samples drawn with replacement, moved so that its bias and
    the change of its variance are allowed for: Efron 1987, J Am Stat Assoc 82:171.

    Parameters
    ----------
    sample : (n,)
        Independent observations.
    of : callable
        The statistic, of means and variances (with divisor n - 1).
    level : float
    seed : int

    Returns
    -------
    low, high
        NaN if there are fewer than 3 observations.
    """
    from scipy.special import ndtr, ndtri

    n = len(sample)
    if n < 3:
        return np.nan, np.nan
    centre = sample.mean()
    x = sample - centre  # sums of squares lose nothing
    value = of(centre, x @ x / (n - 1))
    block = max(AT_ONCE // n, 1)
    numbers = uniform(RESAMPLES * n, seed, stream=Stream.BOOTSTRAP) if n * RESAMPLES <= AT_ONCE else None
    found = []
    for k in range(0, RESAMPLES, block):
        m = min(block, RESAMPLES - k)
        u = uniform(m * n, seed + k, stream=Stream.BOOTSTRAP) if numbers is None else numbers
        drawn = x[(u * n).astype(np.int64)].reshape(m, n)
        means = drawn.mean(axis=1)
        found.append(of(centre + means, (drawn**2).sum(axis=1) / (n - 1) - means**2 * n / (n - 1)))
    values = np.sort(np.concatenate(found))
    if values[0] == values[-1]:
        return float(value), float(value)
    below = (np.sum(values < value) + 0.5 * np.sum(values == value)) / RESAMPLES
    bias = ndtri(np.clip(below, 0.5 / RESAMPLES, 1 - 0.5 / RESAMPLES))
    # the statistic without each of the observations: sums without one term
    left = -x / (n - 1)
    without = of(centre + left, ((x @ x - x**2) - (n - 1) * left**2) / (n - 2))
    d = without.mean() - without
    spread = np.sum(d**2)
    acceleration = np.sum(d**3) / (6 * spread**1.5) if spread > 0 else 0.0
    z = bias + ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
    ends = np.quantile(values, ndtr(bias + z / (1 - acceleration * z)))
    return float(ends[0]), float(ends[1])


def mean_of_neighbours(series: list[np.ndarray], level: float) -> tuple[float, float, float, int]:
    """The mean of values of which each depends on the next one, with its confidence interval.

    The variance of the sum counts each value and its product with the next: the central limit theorem for
    m-dependent sequences, m = 1 (Hoeffding & Robbins 1948, Duke Math J 15:773); with quantiles of Student's
    t distribution.

    Returns
    -------
    value, low, high, n
        NaN if there are fewer than 3 values.
    """
    from scipy.stats import t

    all_values = np.concatenate(series)
    n = len(all_values)
    value = float(all_values.mean()) if n else np.nan
    if n < 3:
        return value, np.nan, np.nan, n
    own = float(np.sum((all_values - value) ** 2))
    products = sum(float(np.sum((s[1:] - value) * (s[:-1] - value))) for s in series)
    variance = max(own + 2 * products, 0.0) / (n - 1)
    half = float(t.ppf((1 + level) / 2, n - 1)) * np.sqrt(variance / n)
    return value, value - half, value + half, n
