"""What a description looks like: the parts that writing and reading share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from eccles.errors import SetupError
from eccles.language.check import Symbol
from eccles.objects.inputs import PoissonGroup, PoissonInput, SpikeGeneratorGroup
from eccles.objects.neurons import NeuronGroup
from eccles.objects.semantics import BRIAN2, ECCLES
from eccles.objects.synapses import Synapses
from eccles.units import DIMENSIONLESS, Dimension, Quantity

__all__ = ["Description"]

FORMAT = "eccles-network"
VERSION = 1
FACES = {semantics.name: semantics for semantics in (ECCLES, BRIAN2)}
CLASSES: dict[str, Any] = {
    "NeuronGroup": NeuronGroup,
    "PoissonGroup": PoissonGroup,
    "SpikeGeneratorGroup": SpikeGeneratorGroup,
    "Synapses": Synapses,
    "PoissonInput": PoissonInput,
}
SUBGROUP = "Subgroup"
SPECIAL = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}  # numbers that JSON has no words for


@dataclass(frozen=True, eq=False)
class Description:
    """A network as data.

    Attributes
    ----------
    text : dict
        Numbers, texts, lists and dicts only; the same network gives the same text.
    arrays : dict of str to array
        No array of objects.
    """

    text: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def __eq__(self, other: object) -> bool:
        """Whether all text and all bits of all arrays are the same."""
        if not isinstance(other, Description):
            return NotImplemented
        return self.text == other.text and _bits(self.arrays) == _bits(other.arrays)


def _bits(arrays: dict[str, np.ndarray]) -> dict[str, tuple[object, ...]]:
    return {name: (array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()}


def damaged(what: str) -> SetupError:
    """The error for a description that no network was ever described by."""
    return SetupError(f"the description of a network is damaged: {what}")


def take(data: Any, key: str, *kinds: type) -> Any:
    """An entry of a dict that has to be of one of these types.

    Raises
    ------
    SetupError
        If it is missing or of another type.
    """
    if not isinstance(data, dict):
        raise damaged(f"there is {data!r} where '{key}' should be")
    found = data.get(key)
    if not isinstance(found, kinds) or (isinstance(found, bool) and bool not in kinds):
        raise damaged(f"'{key}' is {found!r}")
    return found


def number_to_data(value: float) -> float | str:
    """A number as JSON can hold it, with all its bits."""
    value = float(value)
    return value if math.isfinite(value) else repr(value)


def number_of(data: Any) -> float:
    """A number from its data."""
    if isinstance(data, str) and data in SPECIAL:
        return SPECIAL[data]
    if not isinstance(data, int | float) or isinstance(data, bool):
        raise damaged(f"{data!r} is no number")
    return float(data)


def dimension_to_data(dim: Dimension) -> list[int | str]:
    """The exponents of a dimension; fractions as text."""
    return [e if isinstance(e, int) else str(e) for e in dim.exponents]


def dimension_of(data: Any) -> Dimension:
    """A dimension from its data."""
    exponents = data if isinstance(data, list) else []
    if len(exponents) != len(DIMENSIONLESS.exponents):
        raise damaged(f"{data!r} is no dimension")
    for exponent in exponents:
        if not isinstance(exponent, int | str) or (isinstance(exponent, str) and len(exponent) > 40):
            raise damaged(f"{exponent!r} is no exponent of a unit")
    return Dimension(tuple(e if isinstance(e, int) else Fraction(e) for e in exponents))


def constant_to_data(symbol: Symbol) -> dict[str, Any]:
    """The value that a name stands for."""
    value = symbol.value
    if symbol.type == "float":
        return {"float": number_to_data(value), "dim": dimension_to_data(symbol.dim)}  # type: ignore[arg-type]
    return {symbol.type: value}


def constant_of(data: dict[str, Any]) -> Any:
    """What a script would have given a name."""
    if "boolean" in data:
        return take(data, "boolean", bool)
    if "integer" in data:
        return take(data, "integer", int)
    return Quantity(number_of(data.get("float")), dim=dimension_of(data.get("dim")))


def same_when_read(text: str, meant: object, read: Callable[[str], object], what: str) -> str:
    """The text, if reading it gives what is meant.

    Raises
    ------
    SetupError
        If it does not: then this is nothing that text can say.
    """
    if read(text) != meant:
        raise SetupError(f"{what} cannot be told as text: {text}")
    return text
