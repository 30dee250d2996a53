"""What statistics of spike trains are computed from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from eccles.errors import DimensionMismatchError, SetupError
from eccles.lab.checked import LONGEST
from eccles.units import Quantity, get_dimensions, second
from eccles.units.quantity import as_quantity

__all__ = ["ROUNDING", "bins", "train_list"]

ROUNDING = 1e-9  # of a bin: a time that is nearer to the end of its bin counts to the next


def train_list(trains: Any, what: str = "spike trains") -> list[np.ndarray]:
    """One train, or several, as arrays of seconds in order, (n,) each.

    Raises
    ------
    DimensionMismatchError
        If a train has no unit of time.
    SetupError
        If there is none, or one is not a row of finite times.
    """
    trains = as_quantity(trains)
    if isinstance(trains, Quantity):
        trains = [trains]
    elif isinstance(trains, (str, bytes)) or not isinstance(trains, Iterable):
        raise SetupError(f"{what} are times such as [10, 30]*ms, or a list of these, not {trains!r}")
    found = [_times(train, what) for train in trains]
    if not found:
        raise SetupError(f"there are no {what}")
    return found


def _times(train: Any, what: str) -> np.ndarray:
    try:
        train = as_quantity(train)
        dim, times = get_dimensions(train), np.asarray(train, float)
    except (TypeError, ValueError):
        raise SetupError(f"{what} are times such as [10, 30]*ms, not {train!r}") from None
    if times.ndim != 1:
        raise SetupError(f"{what} have to be rows of times, (n,) each, not of shape {times.shape}")
    if len(times) and dim is not second.dim:
        raise DimensionMismatchError(f"{what} need a unit of time, as in [10, 30]*ms", dim, second.dim)
    if not np.all(abs(times) <= LONGEST):
        raise SetupError(f"{what} have to be finite, and not beyond {LONGEST:g} s")
    return np.sort(times)


def bins(times: np.ndarray, start: float, width: float) -> np.ndarray:
    """The number of the bin of each time, if bin 0 begins at `start`."""
    far = 2.0**62  # whatever is farther away is in no bin
    return np.clip(np.floor((times - start) / max(width, 1e-200) + ROUNDING), -far, far).astype(np.int64)
