"""Events that differ in number from condition to condition: the ragged arrays of a dataset."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.errors import SetupError, nearest

if TYPE_CHECKING:
    import xarray

__all__ = ["check_events", "columns_of", "compacted", "event_fields", "events_at", "n_elements"]


def event_fields(dataset: xarray.Dataset) -> list[str]:
    """The names of the fields that are events."""
    return [
        str(name).removesuffix(".count")
        for name, variable in dataset.data_vars.items()
        if "sample_dimension" in variable.attrs
    ]


def check_events(dataset: xarray.Dataset, name: str) -> None:
    """Raise a `SetupError` if there are no events of this name."""
    known = event_fields(dataset)
    if name not in known:
        near = nearest(name, known)
        raise SetupError(
            f"the result has no events '{name}'" + (f"; did you mean '{near}'?" if near else ""),
            hint=f"It has events of {', '.join(known)}." if known else "None were recorded.",
        )


def columns_of(dataset: xarray.Dataset, name: str) -> list[str]:
    """The columns of an events field, such as t and i."""
    dim = f"{name}.event"
    return [str(k).removeprefix(f"{name}.") for k, v in dataset.data_vars.items() if v.dims == (dim,)]


def n_elements(dataset: xarray.Dataset, name: str) -> int:
    """How many elements could have events of this name."""
    noted = dataset[f"{name}.count"].attrs.get("n_elements")
    return int(dataset[f"{name}.i"].values.max(initial=-1)) + 1 if noted is None else int(noted)


def events_at(dataset: xarray.Dataset, name: str, position: Mapping[str, int]) -> dict[str, np.ndarray]:
    """The columns of the events of the condition at a position; reads no others from the file."""
    start = int(dataset[f"{name}.start"].isel(position))
    stop = start + int(dataset[f"{name}.count"].isel(position))
    here = {f"{name}.event": slice(start, stop)}
    return {column: dataset[f"{name}.{column}"].isel(here).values for column in columns_of(dataset, name)}


def compacted(dataset: xarray.Dataset) -> xarray.Dataset:
    """The same dataset without events of conditions that it does not have (any more)."""
    positions: dict[Hashable, Any] = {}
    begun = {}
    for name in event_fields(dataset):
        counts = dataset[f"{name}.count"]
        starts = counts.copy(
            data=(np.cumsum(counts.values) - counts.values.reshape(-1)).reshape(counts.shape)
        )
        behind = dataset[f"{name}.start"].values - starts.values  # what lies between was left out
        positions[f"{name}.event"] = np.repeat(behind.reshape(-1), counts.values.reshape(-1)) + np.arange(
            counts.values.sum()
        )
        begun[f"{name}.start"] = (counts.dims, starts.values, dataset[f"{name}.start"].attrs)
    return dataset.isel(positions).assign(begun)
