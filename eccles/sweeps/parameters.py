"""The parameters of a sweep: their values, and how they make a grid of conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from eccles.errors import DimensionMismatchError, SetupError
from eccles.objects.swept import Swept
from eccles.results.layout import Axis, Coordinate
from eccles.units import DIMENSIONLESS, Quantity, get_dimensions
from eccles.units.quantity import as_quantity

__all__ = ["Grid", "Parameter", "zipped"]


@dataclass(frozen=True)
class Zipped:
    """Parameters whose values go together; see `zipped`."""

    values: Mapping[str, Any]


def zipped(**parameters: Any) -> Zipped:
    """Parameters that are varied together, along one dimension, instead of making a grid.

    `sweep(model, pair=zipped(pre=[200, 200]*Hz, post=[220, 250]*Hz))` has two conditions along the dimension
    `pair`.
    """
    if not parameters:
        raise SetupError("zipped() needs parameters, as in zipped(pre=[...], post=[...])")
    return Zipped(parameters)


@dataclass(frozen=True)
class Parameter:
    """The values of one parameter.

    Attributes
    ----------
    values : list
        What the model gets in each condition: numbers, quantities, texts, truth values or arrays of numbers.
    """

    name: str
    values: list[Any]

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers or arrays of them, all of one unit."""
        return all(np.asarray(v).dtype.kind in "iuf" for v in self.values)

    def swept(self, axis: str) -> Swept:
        """The stand-in for all values."""
        dim = get_dimensions(self.values[0])
        arrays = [np.asarray(v) for v in self.values]
        if len({a.shape for a in arrays}) == 1:
            stacked = np.stack(arrays)
            return Swept(stacked if dim is DIMENSIONLESS else Quantity(stacked, dim=dim), (axis,))
        ragged = np.empty(len(arrays), dtype=object)
        for k, a in enumerate(arrays):
            ragged[k] = a if dim is DIMENSIONLESS else Quantity(a, dim=dim)
        return Swept(ragged, (axis,))

    def coordinate(self) -> Coordinate:
        """The labels: the values where they are single numbers, else their positions."""
        if all(isinstance(v, str) for v in self.values):
            return Coordinate(np.array(self.values, dtype=np.str_))
        if all(isinstance(v, bool | np.bool_) for v in self.values):
            return Coordinate(np.array(self.values, dtype=bool))
        if self.is_number and all(np.ndim(v) == 0 for v in self.values):
            dim = get_dimensions(self.values[0])
            return Coordinate(np.array([np.asarray(v)[()] for v in self.values]), _symbol(dim))
        return Coordinate(np.arange(len(self.values)))


def _symbol(dim: Any) -> str:
    return "" if dim is DIMENSIONLESS else dim.symbol()


def _values_of(name: str, given: Any) -> list[Any]:
    """The values of a parameter, one by one."""
    given = as_quantity(given)
    if isinstance(given, np.ndarray):
        values = [given] if given.ndim == 0 else list(given)
    elif isinstance(given, list | tuple | range):
        values = [as_quantity(v) for v in given]
    else:
        values = [given]
    if not values:
        raise SetupError(f"the parameter '{name}' has no value", hint="Give at least one.")
    numbers = [v for v in values if not isinstance(v, str | bool | np.bool_) and v is not None]
    dims = {get_dimensions(v) for v in numbers}
    if len(dims) > 1:
        first, other = list(dims)[:2]
        raise DimensionMismatchError(
            f"the values of '{name}' have different units: one is {first.friendly()}, "
            f"another {other.friendly()}",
            first, other,
        )  # fmt: skip
    return values


class Grid:
    """All conditions: every combination of the values of the axes.

    Parameters
    ----------
    parameters : mapping of str to values
        As they are given to `sweep`, with `zipped(...)` for parameters that go together.

    Attributes
    ----------
    axes : dict of str to list of Parameter
        Dimension -> the parameters that vary along it, in the order given.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.axes: dict[str, list[Parameter]] = {}
        for name, given in parameters.items():
            together = given.values if isinstance(given, Zipped) else {name: given}
            members = [Parameter(n, _values_of(n, v)) for n, v in together.items()]
            lengths = {p.name: len(p.values) for p in members}
            if len(set(lengths.values())) > 1:
                listed = ", ".join(f"{n} has {k}" for n, k in lengths.items())
                raise SetupError(
                    f"the parameters of zipped({name}=...) need equally many values: {listed}",
                    hint="Parameters that are not zipped make a grid: all combinations.",
                )
            self.axes[name] = members
        names = [p.name for members in self.axes.values() for p in members]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise SetupError(f"the parameter '{twice[0]}' is given twice")

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values along each axis."""
        return tuple(len(members[0].values) for members in self.axes.values())

    @property
    def n_conditions(self) -> int:
        """The number of conditions."""
        return int(np.prod(self.shape, dtype=np.int64))

    def parameters(self) -> dict[str, tuple[str, Parameter]]:
        """Name of each parameter -> its axis and itself."""
        return {p.name: (axis, p) for axis, members in self.axes.items() for p in members}

    def where(self, flat: int) -> dict[str, int]:
        """The position of a condition along each axis, given its number."""
        return (
            dict(zip(self.axes, map(int, np.unravel_index(flat, self.shape)), strict=True))
            if self.axes
            else {}
        )

    def condition(self, flat: int) -> dict[str, Any]:
        """The value of each parameter in a condition."""
        return self.condition_at(self.where(flat))

    def condition_at(self, where: Mapping[str, int]) -> dict[str, Any]:
        """The value of each parameter in the condition at a position along each axis."""
        return {name: p.values[where[axis]] for name, (axis, p) in self.parameters().items()}

    def labels(self) -> list[Axis]:
        """The axes as results have them."""
        return [Axis(name, {p.name: p.coordinate() for p in members}) for name, members in self.axes.items()]

    def numbers(self, fixed: Mapping[str, int]) -> np.ndarray:
        """The numbers of all conditions at these positions of some axes, in order."""
        index = np.arange(self.n_conditions).reshape(self.shape)
        return index[tuple(fixed.get(axis, slice(None)) for axis in self.axes)].reshape(-1)
