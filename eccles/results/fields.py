"""What kinds of values a dataset holds: single ones, arrays, traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.results.conditions import condition_dims, units_of
from eccles.results.dataset import PLAN_BYTES
from eccles.results.events import event_fields

if TYPE_CHECKING:
    import xarray

__all__ = ["duration_of", "period_of", "spread_out", "time_of", "value_fields"]


def spread_out(values: xarray.DataArray, sizes: Mapping[Any, int]) -> np.ndarray:
    """Values along all dimensions in C order, one after the other."""
    return values.variable.set_dims(sizes).transpose(*sizes).values.reshape(-1)


def value_fields(dataset: xarray.Dataset) -> list[str]:
    """The variables with numbers of the same shape in every condition."""
    dims, names = set(condition_dims(dataset)), event_fields(dataset)
    others = {f"{name}.{part}" for name in names for part in ("count", "start")} | {"failed"}
    other_dims = {PLAN_BYTES, *(f"{name}.event" for name in names)}
    return [
        str(name)
        for name, values in dataset.data_vars.items()
        if name not in others and dims <= set(values.dims) and not other_dims & set(values.dims)
    ]


def time_of(values: xarray.DataArray, dims: Sequence[str]) -> str | None:
    """The dimension of a trace that is time; None if there is none."""
    own = [str(dim) for dim in values.dims if dim not in dims]
    return next((dim for dim in own if dim in values.coords and units_of(values[dim]) == "s"), None)


def period_of(times: np.ndarray) -> float | None:
    """The time between samples; None if it differs, or there is one only."""
    if len(times) < 2:
        return None
    period = (times[-1] - times[0]) / (len(times) - 1)
    even = times[0] + period * np.arange(len(times))
    return float(period) if np.abs(times - even).max() <= 1e-9 * period else None


def duration_of(dataset: xarray.Dataset) -> float:
    """How long each condition was simulated (s); 0 if it is not known."""
    return float(dataset.attrs.get("duration", 0.0))
