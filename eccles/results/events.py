"""Events that differ in number from condition to condition: the ragged arrays of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

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
    variables = dataset.variables  # several times faster than arrays with coordinates
    start = int(variables[f"{name}.start"].isel(position))
    stop = start + int(variables[f"{name}.count"].isel(position))
    here = {f"{name}.event": slice(start, stop)}
    return {column: variables[f"{name}.{column}"].isel(here).values for column in columns_of(dataset, name)}


def compacted(dataset: xarray.Dataset) -> xarray.Dataset:
    """The same dataset with the events of its conditions only, in C order of these."""
    for name in event_fields(dataset):
        places, starts = _places(dataset, name)
        columns = [f"{name}.{column}" for column in columns_of(dataset, name)]
        if np.array_equal(places, np.arange(dataset.sizes[f"{name}.event"])):
            continue
        # a slice of the file at once: reading single elements is slow
        part = slice(places.min(initial=0), places.max(initial=-1) + 1)
        found = {}
        for column in columns:
            values = dataset.variables[column].isel({f"{name}.event": part}).values
            found[column] = ((f"{name}.event",), values[places - part.start], dataset[column].attrs)
        found[f"{name}.start"] = dataset.variables[f"{name}.start"].copy(data=starts)
        dataset = dataset.drop_vars(columns).assign(found)
    return dataset


def _places(dataset: xarray.Dataset, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Where the events of the conditions are, in C order of these; where they begin once in that order."""
    counts, old = dataset[f"{name}.count"].values, dataset[f"{name}.start"].values
    new = (np.cumsum(counts) - counts.reshape(-1)).reshape(counts.shape)
    return np.repeat((old - new).reshape(-1), counts.reshape(-1)) + np.arange(counts.sum()), new
