"""The parameters of a sweep: their values, and how they make a grid of conditions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from eccles.errors import DimensionMismatchError, SetupError
from eccles.objects.swept import Swept
from eccles.results.layout import Axis, Coordinate
from eccles.units import DIMENSIONLESS, Dimension, Quantity, get_dimensions
from eccles.units.quantity import as_quantity

__all__ = ["Grid", "Parameter", "zipped"]

MOST_AXES = 28  # files have at most 32 dimensions, and some are those of what is recorded
MOST_CONDITIONS = 10**8


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
    values : array or Quantity (n, ...), or list
        An array where the values are numbers (or arrays of one shape) of one unit; else a list of texts,
        truth values, arrays of different shapes, or whatever the model takes.
    """

    name: str
    values: Any

    def __len__(self) -> int:
        return len(self.values)

    def at(self, position: int) -> Any:
        """One value, as the model gets it."""
        value = self.values[position]
        if isinstance(value, np.generic):
            return value.item()
        return value.copy() if isinstance(value, np.ndarray) else value  # models may change what they get

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers or arrays of them, which a `Swept` can stand for."""
        return isinstance(self.values, np.ndarray) or all(isinstance(v, np.ndarray) for v in self.values)

    def swept(self, axis: str) -> Swept:
        """The stand-in for all values."""
        if isinstance(self.values, np.ndarray):
            return Swept(self.values, (axis,))
        ragged = np.empty(len(self.values), dtype=object)
        for k, value in enumerate(self.values):
            ragged[k] = value
        return Swept(ragged, (axis,))

    def coordinate(self) -> Coordinate:
        """The labels: the values where they are single numbers, texts or truths, else their positions."""
        if isinstance(self.values, np.ndarray):
            if self.values.ndim > 1:
                return Coordinate(np.arange(len(self)))
            dim = get_dimensions(self.values)
            return Coordinate(np.asarray(self.values), "" if dim is DIMENSIONLESS else dim.symbol())
        if all(isinstance(v, str) for v in self.values):
            return Coordinate(np.array(self.values, dtype=np.str_))
        if all(isinstance(v, bool) for v in self.values):
            return Coordinate(np.array(self.values, dtype=bool))
        return Coordinate(np.arange(len(self)))

    def without_numbers(self) -> np.ndarray:
        """The positions of values that are, or have in them, NaN."""
        if not self.is_number:
            return np.zeros(0, np.int64)
        if isinstance(self.values, np.ndarray):
            missing = np.isnan(np.asarray(self.values, float)).reshape(len(self), -1).any(axis=1)
        else:
            missing = np.array([np.isnan(np.asarray(v, float)).any() for v in self.values])
        return np.flatnonzero(missing)


def _values_of(name: str, given: Any) -> Any:
    """The values of a parameter: an array where they are numbers, else a list."""
    given = as_quantity(given)
    if isinstance(given, np.ndarray) and given.ndim == 0:
        given = given.reshape(1)
    if isinstance(given, range):
        given = np.arange(given.start, given.stop, given.step)
    if not isinstance(given, np.ndarray | list | tuple):
        given = [given]
    if len(given) == 0:
        raise SetupError(f"the parameter '{name}' has no value", hint="Give at least one.")
    if isinstance(given, np.ndarray):
        return given.copy() if given.dtype.kind in "iuf" else given.tolist()
    values = [as_quantity(v) for v in given]
    if any(
        isinstance(v, str | bool | np.bool_) or np.asarray(v).dtype.kind not in "iuf" for v in _flat(values)
    ):
        return [bool(v) if isinstance(v, np.bool_) else v for v in values]
    dims = dict.fromkeys(map(get_dimensions, values))
    if len(dims) > 1:
        first, other = list(dims)[:2]
        raise DimensionMismatchError(
            f"the values of '{name}' have different units: one is {first.friendly()}, "
            f"another {other.friendly()}",
            first, other,
        )  # fmt: skip
    (dim,) = dims
    arrays = [np.asarray(v) for v in values]
    if len({a.shape for a in arrays}) == 1:
        return _with_unit(np.stack(arrays), dim)
    return [_with_unit(a.copy(), dim) for a in arrays]


def _is_number(value: Any) -> bool:
    return not isinstance(value, str | bool | np.bool_) and np.asarray(value).dtype.kind in "iuf"


def _flat(values: list[Any]) -> list[Any]:
    """The values, and what is in those that are lists."""
    return [part for v in values for part in (v if isinstance(v, list | tuple) else [v])]


def _with_unit(array: np.ndarray, dim: Dimension) -> np.ndarray:
    return array if dim is DIMENSIONLESS else Quantity(array, dim=dim)


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
            lengths = {p.name: len(p) for p in members}
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
        self.check()

    def check(self) -> None:
        """Raise a `SetupError` if there are more conditions than can be."""
        if len(self.axes) > MOST_AXES or self.n_conditions > MOST_CONDITIONS:
            raise SetupError(
                f"{len(self.axes)} parameters make {self.n_conditions:.3g} conditions, which is too many",
                hint=f"At most {MOST_AXES} dimensions and {MOST_CONDITIONS:.0e} conditions are possible. "
                "zipped(...) makes parameters that go together instead of all combinations.",
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values along each axis."""
        return tuple(len(members[0]) for members in self.axes.values())

    @property
    def n_conditions(self) -> int:
        """The number of conditions."""
        return math.prod(self.shape)

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
        return {name: p.at(where[axis]) for name, (axis, p) in self.parameters().items()}

    def labels(self) -> list[Axis]:
        """The axes as results have them."""
        return [Axis(name, {p.name: p.coordinate() for p in members}) for name, members in self.axes.items()]

    def numbers(self, fixed: Mapping[str, int]) -> np.ndarray:
        """The numbers of all conditions at these positions of some axes, in order."""
        index = np.arange(self.n_conditions).reshape(self.shape)
        return index[tuple(fixed.get(axis, slice(None)) for axis in self.axes)].reshape(-1)
