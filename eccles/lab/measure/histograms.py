"""Histograms of spike times: around a stimulus (PSTH), and around the spikes of another neuron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from eccles.errors import SetupError
from eccles.lab import checked
from eccles.lab.measure.bins import ROUNDING, bins, counts_in
from eccles.lab.measure.spike_trains import TRAINS, Trains, counts, poisson_interval
from eccles.lab.random_numbers import Stream, uniform
from eccles.units import Quantity, ms, second

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Predictor", "aligned", "cross_correlogram", "psth"]

Predictor = Literal["independent", "shift", "jitter"]

MOST_LAGS = 10**8  # pairs of spikes
SECONDS = {"units": "s"}


def aligned(train: Quantity, onsets: Quantity, before: Quantity, after: Quantity) -> list[Quantity]:
    """The parts of a train around some events: times from each onset, in [-before, after).

    Parameters
    ----------
    train : (n,), time
    onsets : (trial,), time
        When each trial begins, such as the times of stimuli.
    before, after : time
        How much of the train to take on either side.

    Returns
    -------
    list of (n,), time
        A train for each onset.
    """
    times, starts = np.sort(checked.times(train, "spikes")), np.sort(checked.times(onsets, "onsets"))
    left, right = checked.span(before, "before", zero=True), checked.span(after, "after", zero=True)
    found = [times - t for t in starts]
    return [Quantity(t[(t >= -left) & (t < right)], dim=second.dim) for t in found]


def psth(
    trains: Trains,
    bin: Quantity,
    duration: Quantity,
    *,
    start: Quantity = 0 * second,
    level: float = 0.95,
) -> xr.Dataset:
    """Peristimulus time histogram: the rate over time, averaged over trials.

    Parameters
    ----------
    trains : list of (n,), time
        A train for each trial, aligned to its stimulus; see `aligned`.
    bin : time
        A spike on the border of two bins counts to the later one.
    duration : time
        As many whole bins as fit from `start` on.
    start : time, optional
        May be negative.
    level : float, optional
        Of the confidence interval, which is exact where the spikes of all trials together are a Poisson
        process with a rate that may change (Garwood 1936).

    Returns
    -------
    Dataset
        `count`, and `rate`, `low`, `high` in hertz, over `time` (s, the middle of each bin).
    """
    import xarray as xr

    found = counts(trains, bin, duration, start=start)
    width = float(bin)
    total = found.sum(axis=0)
    low, high = (x / (width * len(found)) for x in poisson_interval(total, level))
    hertz = {"units": "Hz"}
    return xr.Dataset(
        {
            "count": ("time", total, {"long_name": "spikes of all trials"}),
            "rate": ("time", total / (width * len(found)), hertz),
            "low": ("time", low, hertz),
            "high": ("time", high, hertz),
        },
        {"time": ("time", float(start) + (np.arange(len(total)) + 0.5) * width, SECONDS)},
        {"bin": width, "trials": len(found), "level": level},
    )


def cross_correlogram(
    one: Trains,
    other: Trains,
    bin: Quantity,
    window: Quantity,
    duration: Quantity,
    *,
    start: Quantity = 0 * second,
    predictor: Predictor = "independent",
    jitter: Quantity = 20 * ms,
    n_surrogates: int = 1000,
    level: float = 0.95,
    seed: int = 1,
) -> xr.Dataset:
    """How often a spike of one neuron comes a certain time after a spike of another.

    Parameters
    ----------
    one, other : (n,), time, or lists of these
        Spike trains; with lists, a pair for each trial. A lag is the time of `other` minus that of `one`:
        post minus pre, if `one` is the presynaptic neuron.
    bin : time
        Bins are centred at the multiples of it: [lag - bin/2, lag + bin/2).
    window : time
        The farthest lag, on either side.
    duration, start : time
        Spikes in [start, start + duration) count, of each trial.
    predictor : {'independent', 'shift', 'jitter'}, optional
        What would be expected without the correlation that is sought.

        - 'independent': neurons with constant rates that do not know of each other. The band has the
          quantiles of the Poisson distribution, which is right where the bin is short against intervals
          between spikes, or the lag against the duration.
        - 'shift': each train of `one` with those of `other` in all other trials, which leaves what comes
          from the stimulus (Perkel, Gerstein & Moore 1967, Biophys J 7:419). The band is that of the
          Poisson distribution with this mean.
        - 'jitter': each spike of `one` is moved to a random time within its window of the length `jitter`,
          which leaves all that is slower than that (Amarasingham, Harrison, Hatsopoulos & Geman 2012,
          J Neurophysiol 107:517). The bands are quantiles over `n_surrogates` of these; the simultaneous one
          is left anywhere by a part of 1 - `level` of them.
    jitter : time, optional
    n_surrogates : int, optional
    level : float, optional
        Of the band: about a part of 1 - `level` of the bins is outside it by chance.
    seed : int, optional
        Of the jitter.

    Returns
    -------
    Dataset
        Over `lag` (s): `count` of pairs; `rate`, that of `other` at this lag from a spike of `one`, in hertz,
        with pairs allowed for that the borders of the recording cut off; `expected`, `low`, `high` in counts;
        with 'jitter' also `low_simultaneous`, `high_simultaneous`.

    Raises
    ------
    SetupError
        If there are not as many trains on both sides, a lag reaches beyond the recording, or the shift
        predictor has a single trial.
    """
    import xarray as xr
    from scipy.stats import poisson

    begin, length = checked.time(start, "the start"), checked.span(duration, "the duration")
    width, reach = checked.span(bin, "the bin"), checked.span(window, "the window")
    checked.fraction(level, "the level")
    if predictor not in get_args(Predictor):
        raise SetupError(
            f"there is no predictor {predictor!r}",
            hint=f"It is one of {', '.join(map(repr, get_args(Predictor)))}.",
        )
    first, second_ = (
        [_within(t, begin, length) for t in checked.trains(side, TRAINS)] for side in (one, other)
    )
    if len(first) != len(second_):
        raise SetupError(f"there are {len(first)} trains of one and {len(second_)} of the other neuron")
    m = checked.count(
        int(min(reach / max(width, 1e-200) + ROUNDING, 1e15)), "the number of bins on either side", least=0
    )
    if (m + 0.5) * width > length:
        raise SetupError(f"a lag of {window} with bins of {bin} reaches beyond the duration, {duration}")
    lags = np.arange(-m, m + 1) * width
    count = _total(first, second_, width, m)
    opportunity = _overlap(lags, width, length)  # seconds squared, for one trial
    n = np.array([len(t) for t in first], float), np.array([len(t) for t in second_], float)
    data: dict[str, Any] = {"count": count}
    rest = (1 - level) / 2
    if predictor == "jitter":
        data |= _jittered(first, second_, width, m, begin, jitter, n_surrogates, level, seed)
    else:
        if predictor == "independent":
            expected = (n[0] @ n[1]) * opportunity / length**2
        else:
            if len(first) < 2:
                raise SetupError("the shift predictor needs several trials, as lists of trains")
            k = len(first)
            shifts = [_total(first, second_[s:] + second_[:s], width, m) for s in range(1, k)]
            expected = np.mean(shifts, axis=0)
        data |= {
            "expected": expected,
            "low": poisson.ppf(rest, expected),
            "high": poisson.ppf(1 - rest, expected),
        }
    exposure = n[0].sum() * opportunity / length
    rate = np.divide(count, exposure, out=np.full(len(lags), np.nan), where=exposure > 0)
    return xr.Dataset(
        {**{k: ("lag", v, {"units": "1"}) for k, v in data.items()}, "rate": ("lag", rate, {"units": "Hz"})},
        {"lag": ("lag", lags, {**SECONDS, "long_name": "time of the other neuron minus that of the first"})},
        {"bin": width, "trials": len(first), "predictor": predictor, "level": level},
    )


def _within(times: np.ndarray, begin: float, length: float) -> np.ndarray:
    return times[bins(times, begin, length) == 0]


def _total(one: Sequence[np.ndarray], other: Sequence[np.ndarray], width: float, m: int) -> np.ndarray:
    return np.sum([_pairs(a, b, width, m) for a, b in zip(one, other, strict=True)], axis=0)


def _pairs(one: np.ndarray, other: np.ndarray, width: float, m: int) -> np.ndarray:
    """Pairs of spikes in each of the 2m + 1 bins of lags; both trains in order."""
    reach = (m + 0.5) * width * (1 + ROUNDING)
    first = np.searchsorted(other, one - reach)
    n = np.searchsorted(other, one + reach, "right") - first
    total = int(n.sum())
    if total > MOST_LAGS:
        raise SetupError(f"{total} pairs of spikes are nearer than the window; take a shorter one")
    # the partners of each spike are neighbours: first, first + 1, ... first + n - 1
    k = np.repeat(first - np.cumsum(n) + n, n) + np.arange(total)
    return counts_in(other[k] - np.repeat(one, n), -(m + 0.5) * width, width, 2 * m + 1)


def _overlap(lags: np.ndarray, width: float, length: float) -> np.ndarray:
    """The integral of length - |lag| over each bin: times of a first spike, and of a second one."""

    def up_to(x: np.ndarray) -> np.ndarray:
        return length * x - 0.5 * x * abs(x)

    return up_to(lags + width / 2) - up_to(lags - width / 2)


def _jittered(
    one: Sequence[np.ndarray],
    other: Sequence[np.ndarray],
    width: float,
    m: int,
    begin: float,
    jitter: Any,
    n_surrogates: Any,
    level: float,
    seed: int,
) -> dict[str, np.ndarray]:
    size = checked.span(jitter, "the jitter")
    n = checked.count(n_surrogates, "the number of surrogates", least=20)
    starts = [begin + bins(t, begin, size) * size for t in one]
    lengths = np.cumsum([len(t) for t in one])
    checked.count(n * int(lengths[-1]), "the number of spikes of all surrogates", least=0)
    numbers = uniform(n * int(lengths[-1]), seed, stream=Stream.SURROGATES).reshape(n, -1)
    found = np.array(
        [
            _total([np.sort(s + size * u) for s, u in zip(starts, np.split(row, lengths[:-1]), strict=True)],
                   other, width, m)
            for row in numbers
        ]
    )  # fmt: skip
    mean, sd = found.mean(axis=0), found.std(axis=0, ddof=1)
    score = abs(found - mean) / np.where(sd > 0, sd, 1.0)
    farthest = np.quantile(score.max(axis=1), level, method="higher")
    rest = (1 - level) / 2
    return {
        "expected": mean,
        "low": np.quantile(found, rest, axis=0, method="lower"),
        "high": np.quantile(found, 1 - rest, axis=0, method="higher"),
        "low_simultaneous": mean - farthest * sd,
        "high_simultaneous": mean + farthest * sd,
    }
