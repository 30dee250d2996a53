"""Numbers that users give to protocols and measures: in SI units, or an error that says what to give."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from eccles.errors import DimensionMismatchError, SetupError
from eccles.units import Dimension, get_dimensions, hertz, second
from eccles.units.quantity import as_quantity

__all__ = ["LONGEST", "MOST_SPIKES", "count", "fraction", "frequency", "span", "time"]

LONGEST = 1e12  # seconds; and one over the lowest rate: what is beyond overflows sooner or later
MOST_SPIKES = 10**8  # of a train: a typing error in a rate should not fill the memory


def _number(value: Any, dim: Dimension, what: str, example: str) -> float:
    try:
        found, array = get_dimensions(value), np.asarray(as_quantity(value))
        if array.ndim != 0 or array.dtype.kind not in "iuf":
            raise TypeError
        number = float(array)
    except (TypeError, ValueError, OverflowError):
        raise SetupError(f"{what} has to be one number, as in {example}, not {value!r}") from None
    if found is not dim:
        raise DimensionMismatchError(f"{what} has another unit, as in {example}", found, dim)
    if not math.isfinite(number):
        raise SetupError(f"{what} has to be finite, not {value!r}")
    return number


def time(value: Any, what: str) -> float:
    """In seconds; it may be negative."""
    number = _number(value, second.dim, what, "10*ms")
    if abs(number) > LONGEST:
        raise SetupError(f"{what} cannot be longer than {LONGEST:g} s, not {value}")
    return number


def span(value: Any, what: str, *, zero: bool = False) -> float:
    """A time that is not negative, in seconds; 0 only where it is allowed."""
    number = time(value, what)
    if number < 0 or (number == 0 and not zero):
        raise SetupError(f"{what} has to be {'at least 0' if zero else 'positive'}, not {value}")
    return number


def frequency(value: Any, what: str, *, zero: bool = False) -> float:
    """In hertz."""
    number = _number(value, hertz.dim, what, "20*Hz")
    if number < 0 or (number == 0 and not zero):
        raise SetupError(f"{what} has to be {'at least 0' if zero else 'positive'}, not {value}")
    if number and not 1 / LONGEST <= number <= LONGEST:
        raise SetupError(f"{what} has to be from {1 / LONGEST:g} to {LONGEST:g} Hz, not {value}")
    return number


def count(value: Any, what: str, *, least: int = 1) -> int:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise SetupError(f"{what} has to be a whole number, not {value!r}")
    if not least <= value <= MOST_SPIKES:
        raise SetupError(f"{what} has to be from {least} to {MOST_SPIKES}, not {value}")
    return int(value)


def fraction(value: Any, what: str) -> float:
    """A number between 0 and 1, without both."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < 1:
        raise SetupError(f"{what} has to be between 0 and 1, not {value!r}")
    return number
