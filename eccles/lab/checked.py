"""Numbers and spike trains that users give: in SI units, or an error that says what to give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from eccles.errors import DimensionMismatchError, SetupError
from eccles.units import DIMENSIONLESS, Dimension, Quantity, get_dimensions, hertz, second
from eccles.units.quantity import as_quantity

__all__ = [
    "LONGEST",
    "MOST_SPIKES",
    "count",
    "fraction",
    "frequency",
    "number",
    "span",
    "time",
    "times",
    "train",
    "trains",
]

LONGEST = 1e12  # seconds; and one over the lowest rate: what is beyond overflows sooner or later
MOST_SPIKES = 10**8  # of a train: a typing error in a rate should not fill the memory


def number(value: Any, what: str, example: str, dim: Dimension = DIMENSIONLESS) -> float:
    """One finite number, in SI units; by default one without a unit."""
    try:
        found, array = get_dimensions(value), np.asarray(as_quantity(value))
        if array.ndim != 0 or array.dtype.kind not in "iuf":
            raise TypeError
        in_si = float(array)
    except (TypeError, ValueError, OverflowError):
        raise SetupError(f"{what} has to be one number, as in {example}, not {value!r}") from None
    if found is not dim:
        raise _other_unit(what, value, found, dim, example)
    if not math.isfinite(in_si):
        raise SetupError(f"{what} has to be finite, not {value!r}")
    return in_si


def _other_unit(
    what: str, value: Any, found: Dimension, dim: Dimension, example: str
) -> DimensionMismatchError:
    return DimensionMismatchError(
        f"{what} has another unit: it has to be {dim.friendly()}, as in {example}, "
        f"but {value!r} is {found.friendly()}",
        found,
        dim,
    )


def time(value: Any, what: str) -> float:
    """In seconds; it may be negative."""
    seconds = number(value, what, "10*ms", second.dim)
    if abs(seconds) > LONGEST:
        raise SetupError(f"{what} cannot be longer than {LONGEST:g} s, not {value}")
    return seconds


def span(value: Any, what: str, *, zero: bool = False) -> float:
    """A time that is not negative, in seconds; 0 only where it is allowed."""
    seconds = time(value, what)
    if seconds < 0 or (seconds == 0 and not zero):
        raise SetupError(f"{what} has to be {'at least 0' if zero else 'positive'}, not {value}")
    return seconds


def frequency(value: Any, what: str, *, zero: bool = False) -> float:
    """In hertz."""
    per_second = number(value, what, "20*Hz", hertz.dim)
    if per_second < 0 or (per_second == 0 and not zero):
        raise SetupError(f"{what} has to be {'at least 0' if zero else 'positive'}, not {value}")
    if per_second and not 1 / LONGEST <= per_second <= LONGEST:
        raise SetupError(f"{what} has to be from {1 / LONGEST:g} to {LONGEST:g} Hz, not {value}")
    return per_second


def count(value: Any, what: str, *, least: int = 1) -> int:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise SetupError(f"{what} has to be a whole number, not {value!r}")
    if not least <= value <= MOST_SPIKES:
        raise SetupError(f"{what} has to be from {least} to {MOST_SPIKES}, not {value}")
    return int(value)


def fraction(value: Any, what: str) -> float:
    """A number between 0 and 1, without both."""
    found = number(value, what, "0.95")
    if not 0 < found < 1:
        raise SetupError(f"{what} has to be between 0 and 1, not {value!r}")
    return found


def times(value: Any, what: str, *, one: bool = False) -> np.ndarray:
    """A row of times in seconds, (n,), in the order given; or `one` time alone, where that is allowed.

    Raises
    ------
    DimensionMismatchError
        If they have no unit of time; a row without times needs none.
    SetupError
        If this is no row of finite times.
    """
    try:
        given = as_quantity(value)
        dim, found = get_dimensions(given), np.asarray(given)
        if found.size and found.dtype.kind not in "iuf":
            raise TypeError
    except (TypeError, ValueError):
        raise SetupError(f"{what} are times, as in [10, 30]*ms, not {value!r}") from None
    if found.size and dim is not second.dim:
        raise DimensionMismatchError(
            f"{what} need a unit of time, as in [10, 30]*ms, not {value!r}", dim, second.dim
        )
    found = np.atleast_1d(found) if one else found
    if found.ndim != 1:
        raise SetupError(f"{what} have to be rows of times, (n,) each, not of shape {found.shape}")
    if not np.all(abs(found) <= LONGEST):
        raise SetupError(f"{what} have to be finite, and not beyond {LONGEST:g} s")
    return found.astype(float)


def train(value: Any, what: str, *, recorded: bool = False) -> np.ndarray:
    """The spikes of a neuron in seconds, in order, (n,): from 0 on, or from any time on in a recording.

    Raises
    ------
    DimensionMismatchError, SetupError
        As `times`, and if two spikes come at the same time.
    """
    found = np.sort(times(value, what))
    if not recorded and np.any(found < 0):
        raise SetupError(f"{what} cannot come before the start, at 0 s; the first is at {found[0]:g} s")
    twice = np.flatnonzero(np.diff(found) == 0)
    if len(twice):
        raise SetupError(
            f"{what} have the same time twice, {found[twice[0]]:g} s: a neuron spikes once at a time"
        )
    return found


def trains(value: Any, what: str) -> list[np.ndarray]:
    """One train, or several in a list, a dict, or the rows of an array: times in order, (n,) each.

    Raises
    ------
    DimensionMismatchError, SetupError
        As `times`, and if there is no train at all.
    """
    several = list(value.values()) if isinstance(value, Mapping) else as_quantity(value)
    if isinstance(several, Quantity) and np.ndim(several) < 2:
        several = [several]
    elif isinstance(several, (str, bytes)) or not isinstance(several, Iterable):
        raise SetupError(f"{what} are times such as [10, 30]*ms, or a list of these, not {value!r}")
    found = [np.sort(times(one, what)) for one in several]
    if not found:
        raise SetupError(f"there are no {what}")
    return found
