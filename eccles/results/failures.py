"""What went wrong in conditions of a sweep, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from eccles.results.conditions import parameter_coordinates, units_of
from eccles.results.labels import shown_condition

if TYPE_CHECKING:
    import xarray

__all__ = ["failed_conditions"]


def failed_conditions(result: xarray.Dataset, most: int = 3) -> Iterator[str]:
    """How many conditions failed, and the first of them with their parameters; nothing if none did.

    Parameters
    ----------
    most : int
        How many are shown.
    """
    failures = json.loads(result.attrs["failures"])
    n = len(failures)
    if not n:
        return
    some = "1 condition" if n == 1 else f"{n} conditions"
    yield f"{some} failed" + (":" if n <= most else f", the first {most} of them:")
    units = {name: units_of(c) for name, c in parameter_coordinates(result).items()}
    for failure in failures[:most]:
        condition = {name: (value, units.get(name, "")) for name, value in failure["condition"].items()}
        yield f"  {shown_condition(condition)}: {failure['message'].strip().splitlines()[0]}"
