"""Results as tables of pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from eccles.errors import SetupError
from eccles.results.conditions import condition_dims, parameter_coordinates, units_of, variable
from eccles.results.events import columns_of, compacted, event_fields
from eccles.results.fields import spread_out
from eccles.results.labels import named

if TYPE_CHECKING:
    import pandas
    import xarray

__all__ = ["to_pandas"]


def to_pandas(dataset: xarray.Dataset, names: Sequence[str] = ()) -> pandas.DataFrame:
    """A tidy table: parameters and values in columns, with units in their names, as in 'pre (Hz)'.

    Parameters
    ----------
    names : sequence of str
        Values to tell, a row for each condition, and for each element where there are several. Or the
        name of events: a row for each event. By default all values of which there is one in each condition,
        and whether the condition failed.

    Raises
    ------
    SetupError
        If the elements of one are not those of another.
    """
    import pandas

    names = list(names) or _single_values(dataset)
    if set(names) & set(event_fields(dataset)):
        if len(names) > 1:
            raise SetupError(
                "events make a table of their own", hint=f"Ask for one alone: to_pandas('{names[0]}')."
            )
        return pandas.DataFrame(_event_table(dataset, names[0]))
    variables = [variable(dataset, name) for name in names]
    dims = condition_dims(dataset)
    elements = {tuple(d for d in v.dims if d not in dims) for v in variables} - {()}
    if len(elements) > 1:
        raise SetupError(
            "these values are of different elements: " + ", ".join(f"'{n}' {dataset[n].dims}" for n in names),
            hint="Make a table of each.",
        )
    sizes = {dim: dataset.sizes[dim] for dim in (*dims, *next(iter(elements), ()))}
    columns = {**parameter_coordinates(dataset)}
    columns |= {
        str(dim): dataset[dim] for dim in sizes if dim not in dims
    }  # positions where it has no labels
    columns |= dict(zip(names, variables, strict=True))
    return pandas.DataFrame({named(name, units_of(c)): spread_out(c, sizes) for name, c in columns.items()})


def _single_values(dataset: xarray.Dataset) -> list[str]:
    """The variables with one value in each condition."""
    dims = set(condition_dims(dataset))
    begins = {f"{name}.start" for name in event_fields(dataset)}
    return [str(k) for k, v in dataset.data_vars.items() if set(v.dims) == dims and k not in begins]


def _event_table(dataset: xarray.Dataset, name: str) -> dict[str, np.ndarray]:
    dataset = compacted(dataset)
    counts = dataset[f"{name}.count"]
    sizes = dict(counts.sizes)
    table = {
        named(parameter, units_of(c)): np.repeat(spread_out(c, sizes), counts.values.reshape(-1))
        for parameter, c in parameter_coordinates(dataset).items()
    }
    for column in columns_of(dataset, name):
        values = dataset[f"{name}.{column}"]
        table[named(column, units_of(values))] = values.values
    return table
