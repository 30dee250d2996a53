"""What a sweep hands over: axes of conditions, what was recorded, and the values in pieces.

Conditions are numbered in C order of the axes (the last axis varies fastest): the *flat index*. A piece
holds the results of a run of consecutive flat indices. Pieces can be computed anywhere and in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Axis", "Coordinate", "Field", "Piece"]


@dataclass(frozen=True)
class Coordinate:
    """Labels along a dimension.

    Attributes
    ----------
    values : (n,) numbers or text
        In SI units.
    units : str
        Symbol of the unit, such as 'Hz' or 'V'; empty for plain numbers.
    """

    values: np.ndarray
    units: str = ""


@dataclass(frozen=True)
class Axis:
    """A dimension of the conditions: one parameter, or several that go together.

    Attributes
    ----------
    name : str
        Of the dimension. A single parameter's coordinate has the same name.
    coordinates : mapping of str to Coordinate
        Parameter -> its values, (size,) each.
    """

    name: str
    coordinates: Mapping[str, Coordinate]

    @property
    def size(self) -> int:
        """The number of values."""
        return len(next(iter(self.coordinates.values())).values)


@dataclass(frozen=True)
class Field:
    """One quantity that is recorded in every condition.

    Attributes
    ----------
    name : str
        Of the data variable, such as 'Q.v'.
    kind : {'values', 'events'}
        Numbers of the same shape in every condition; or events, whose number differs.
    dims, shape : tuple
        Of the values of one condition; () for a single number. For events: of nothing, ().
    units : str
        Symbol of the unit of the values.
    coordinates : mapping of str to Coordinate
        Along `dims` (by name of the dimension), where there are any.
    columns : mapping of str to str
        For events: column -> symbol of its unit. 't' (time) and 'i' (element) are always there.
    attributes : mapping
        Further facts, text or numbers: 'long_name', 'source' (the object's name), 'n_elements' (events) ...
    """

    name: str
    kind: str = "values"
    dims: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    dtype: str = "float64"
    units: str = ""
    coordinates: Mapping[str, Coordinate] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Piece:
    """Results of the conditions `start` to `stop - 1`.

    Attributes
    ----------
    values : dict of str to array (stop - start, *shape)
        By name of the field.
    events : dict of str to (counts, columns)
        By name of the field: the number of events of each condition, (stop - start,) int64, and for each
        column all events one after the other, (counts.sum(),).
    failures : dict of int to str
        Flat index -> what went wrong. The values of such a condition are NaN (0 for integers), it has no
        events.
    """

    start: int
    stop: int
    values: dict[str, np.ndarray] = field(default_factory=dict)
    events: dict[str, tuple[np.ndarray, dict[str, np.ndarray]]] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
