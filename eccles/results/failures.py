"""What went wrong in conditions of a sweep, in words."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.results.conditions import parameter_coordinates, units_of
from eccles.results.labels import shown_condition

if TYPE_CHECKING:
    import xarray

__all__ = ["failed_conditions", "failures_of"]


def failures_of(result: xarray.Dataset) -> list[dict[str, Any]]:
    """For each failed condition that is in the result its parameters (`condition`, in SI) and a `message`.

    Of a selection, what went wrong in conditions that were not chosen is left out.
    """
    labels: dict[tuple[Hashable, ...], list[str]] = {}  # parameters that vary together
    for name, coordinate in parameter_coordinates(result).items():
        labels.setdefault(coordinate.dims, []).append(name)
    there = {
        names: set(zip(*(map(_key, np.atleast_1d(result[n].values).tolist()) for n in names), strict=True))
        for names in map(tuple, labels.values())
    }
    return [
        failure
        for failure in json.loads(result.attrs.get("failures", "[]"))
        if all(
            tuple(_key(failure["condition"].get(n)) for n in names) in rows for names, rows in there.items()
        )
    ]


def _key(value: Any) -> Any:
    """A value of a parameter as part of a key: NaN is itself."""
    return "nan" if value != value else value


def failed_conditions(result: xarray.Dataset, most: int = 3) -> Iterator[str]:
    """How many conditions failed, and the first of them with their parameters; nothing if none did.

    Parameters
    ----------
    most : int
        How many are shown.
    """
    failures = failures_of(result)
    n = len(failures)
    if not n:
        return
    some = "1 condition" if n == 1 else f"{n} conditions"
    yield f"{some} failed" + (":" if n <= most else f", the first {most} of them:")
    units = {name: units_of(c) for name, c in parameter_coordinates(result).items()}
    for failure in failures[:most]:
        condition = {name: (value, units.get(name, "")) for name, value in failure["condition"].items()}
        yield f"  {shown_condition(condition)}: {failure['message'].strip().splitlines()[0]}"
