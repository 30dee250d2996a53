"""Finding conditions by the labels of their parameters."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.errors import SetupError, nearest
from eccles.results.events import compacted
from eccles.results.labels import bare, listed, quantity, shown

if TYPE_CHECKING:
    import xarray

__all__ = [
    "condition_dims",
    "conditions",
    "labels_at",
    "parameter_coordinates",
    "parameters",
    "place_of",
    "position_of",
    "select",
    "units_of",
    "variable",
]

TOLERANCE = 1e-9  # relative: 0.1 + 0.2 is found as 0.3


def units_of(variable: Any) -> str:
    """The symbol of the unit of a variable; empty for plain numbers."""
    return str(variable.attrs.get("units", ""))


def condition_dims(dataset: xarray.Dataset) -> tuple[str, ...]:
    """The dimensions of the conditions."""
    return tuple(str(dim) for dim in dataset["failed"].dims)


def parameter_coordinates(dataset: xarray.Dataset) -> dict[str, xarray.DataArray]:
    """The coordinates that are parameters of the sweep, those with one value left among them."""
    found = {str(k): c for k, c in dataset.coords.items() if c.attrs.get("role") == "parameter"}
    return {k: c for k, c in found.items() if set(c.dims) <= set(condition_dims(dataset))}


def parameters(dataset: xarray.Dataset) -> dict[str, Any]:
    """Parameter -> its values, with units."""
    return {name: quantity(c.values, units_of(c)) for name, c in parameter_coordinates(dataset).items()}


def conditions(dataset: xarray.Dataset) -> Iterator[dict[str, int]]:
    """The positions of each condition, in C order."""
    dims = condition_dims(dataset)
    for place in np.ndindex(*(dataset.sizes[dim] for dim in dims)):
        yield dict(zip(dims, place, strict=True))


def labels_at(dataset: xarray.Dataset, position: Mapping[str, int]) -> dict[str, tuple[Any, str]]:
    """Parameter -> its value (in SI) and unit, of the condition at a position."""
    return {
        name: (c.values[position[str(c.dims[0])]] if c.dims else c.values[()], units_of(c))
        for name, c in parameter_coordinates(dataset).items()
    }


def variable(dataset: xarray.Dataset, name: str) -> xarray.DataArray:
    """A variable of the dataset.

    Raises
    ------
    SetupError
        If there is none of this name.
    """
    if name in dataset.data_vars:
        return dataset[name]
    known = [str(k) for k in dataset.data_vars]
    near = nearest(name, known)
    raise SetupError(
        f"the result has no variable '{name}'" + (f"; did you mean '{near}'?" if near else ""),
        hint=f"It has {', '.join(known)}.",
    )


def select(dataset: xarray.Dataset, condition: Mapping[str, Any]) -> xarray.Dataset:
    """The part of a dataset with these values of parameters, and only its events.

    A single value takes its dimension away, a list of values keeps it.

    Raises
    ------
    SetupError
        If there is no such parameter or value.
    """
    return compacted(dataset.isel(_positions(dataset, condition)))


def position_of(dataset: xarray.Dataset, condition: Mapping[str, Any]) -> dict[str, int]:
    """Where the one condition with these values is.

    Raises
    ------
    SetupError
        If there is no such condition, or more than one.
    """
    found = _positions(dataset, condition)
    several = {
        dim: n
        for dim in condition_dims(dataset)
        if (n := len(np.atleast_1d(found[dim])) if dim in found else dataset.sizes[dim]) != 1
    }
    if several:
        raise SetupError(
            "one condition is needed, but there are several along " + " and ".join(f"'{d}'" for d in several),
            hint=_choices(dataset, several),
        )
    return {dim: int(np.ravel(found.get(dim, 0))[0]) for dim in condition_dims(dataset)}


def place_of(name: str, coordinate: xarray.DataArray, wanted: Any) -> int:
    """Where a value is along a dimension such as time; if that has no labels, `wanted` is the position."""
    if name in coordinate.coords:
        return int(np.flatnonzero(_matching(name, coordinate, wanted))[0])
    return int(wanted)


def _choices(dataset: xarray.Dataset, dims: Mapping[str, int]) -> str:
    """What one can choose from along dimensions, a line for each parameter."""
    return "\n".join(
        f"Choose {name} from {_listed(name, c)}."
        for name, c in parameter_coordinates(dataset).items()
        if set(c.dims) & set(dims)
    )


def _listed(name: str, coordinate: xarray.DataArray) -> str:
    """The values of a parameter, and where to get those that are not shown to the last digit."""
    values, units = coordinate.values, units_of(coordinate)
    text = listed(values, units)
    if values.dtype.kind == "f" and not all(_is_short(value) for value in values):
        text += f" (rounded; the numbers themselves are in result.eccles.parameters['{name}'])"
    return text


def _is_short(value: float) -> bool:
    return math.isclose(float(f"{value:.5g}"), value, rel_tol=TOLERANCE)


def _positions(dataset: xarray.Dataset, condition: Mapping[str, Any]) -> dict[Hashable, Any]:
    """Dimension -> position, or several, of the values given."""
    dims, known = condition_dims(dataset), parameter_coordinates(dataset)
    found: dict[Hashable, list[int]] = {}
    lists: set[Hashable] = set()  # dimensions that stay, because several values were asked for
    for name, wanted in condition.items():
        several = isinstance(wanted, list | tuple | range | np.ndarray) and np.ndim(wanted) > 0
        values = wanted if several else [wanted]
        if name in known and known[name].dims == ():
            for value in values:
                _matching(name, known[name].expand_dims("one"), value)  # nothing to choose, but may be wrong
            continue
        if name in known:
            dim = known[name].dims[0]
            places = [int(k) for value in values for k in np.flatnonzero(_matching(name, known[name], value))]
        elif name in dims:  # a dimension without labels: by position
            dim, places = name, _by_position(name, dataset.sizes[name], wanted)
            several = several or isinstance(wanted, slice)
        else:
            near = nearest(name, [*known, *dims])
            raise SetupError(
                f"the sweep has no parameter '{name}'" + (f"; did you mean '{near}'?" if near else ""),
                hint=f"It has {', '.join(known) or 'none'}.",
            )
        before = found.get(dim, places)
        # In the order of the list, if there is one.
        ordered, also = (before, set(places)) if dim in lists else (places, set(before))
        found[dim] = [k for k in ordered if k in also]
        if several:
            lists.add(dim)
        if not found[dim] and places:
            names = [n for n, c in known.items() if c.dims == (dim,)]
            rows = zip(*(known[n].values for n in names), strict=True)
            texts = [
                " and ".join(shown(v, units_of(known[n])) for n, v in zip(names, row, strict=True))
                for row in rows
            ]
            raise SetupError(
                f"no condition has these values of {' and '.join(names)} together",
                hint=f"There are {listed(texts, '')}.",
            )
    return {
        dim: places[0] if len(places) == 1 and dim not in lists else places for dim, places in found.items()
    }


def _by_position(dim: str, size: int, wanted: Any) -> list[int]:
    """The positions that an index along a dimension means."""
    try:
        index = wanted if isinstance(wanted, slice) else np.asarray(wanted)
        return np.atleast_1d(np.arange(size)[index]).tolist()
    except IndexError:
        raise SetupError(f"'{dim}' has positions 0 to {size - 1}, not {wanted}") from None


def _matching(name: str, coordinate: xarray.DataArray, wanted: Any) -> np.ndarray:
    """Where a coordinate has a value; where it comes nearest, if that is within rounding."""
    values, units = coordinate.values, units_of(coordinate)
    if values.dtype.kind in "iuf" and not isinstance(wanted, str):
        wanted = float(bare(name, wanted, units))
        with np.errstate(invalid="ignore"):  # infinity is as far from itself as 0
            away = np.where(values == wanted, 0.0, np.abs(values - wanted))
        mask = (
            np.isfinite(away) & (away <= TOLERANCE * abs(wanted)) & (away == np.nanmin(away, initial=np.inf))
        )
    else:
        mask = np.array([value == wanted for value in values.tolist()], bool)
    if not mask.any():
        raise SetupError(
            f"{name} has no value {shown(wanted, units)}", hint=f"There are {_listed(name, coordinate)}."
        )
    return mask
