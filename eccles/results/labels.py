"""Units as text: symbols to dimensions, and numbers as people read them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from eccles.errors import DimensionMismatchError, InternalError
from eccles.units import DIMENSIONLESS, Dimension, Quantity, get_dimensions
from eccles.units.names import unit_named
from eccles.units.quantity import as_quantity, wrap

__all__ = ["bare", "dimension_of", "listed", "named", "quantity", "scale_of", "shown", "shown_condition"]

_NAMES = (
    "metre", "kilogram", "second", "amp", "kelvin", "mole", "candela", "volt", "ohm", "siemens", "farad",
    "coulomb", "hertz", "joule", "watt", "newton", "pascal",
)  # fmt: skip
_FACTOR = re.compile(r"(?P<over>/)?\s*(?P<symbol>[A-Za-z]+)(?:\^\(?(?P<power>-?\d+(?:\.\d+|/\d+)?)\)?)?")


@functools.cache
def dimension_of(symbol: str) -> Dimension:
    """The dimension of an SI symbol as `Dimension.symbol()` writes it: 'V', 'A/m^2', 'm s^-1'.

    Raises
    ------
    InternalError
        If this is no such symbol.
    """
    if symbol in ("", "1"):
        return DIMENSIONLESS
    found, end = DIMENSIONLESS, 0
    for factor in _FACTOR.finditer(symbol):
        base = _symbols().get(factor["symbol"])
        if base is None or symbol[end : factor.start()].strip():
            break
        power = Fraction(factor["power"] or 1)
        found = found * base ** (-power if factor["over"] else power)
        end = factor.end()
    if symbol[end:].strip():
        raise InternalError(f"'{symbol}' is not the symbol of an SI unit")
    return found


@functools.cache
def _symbols() -> dict[str, Dimension]:
    units = [unit_named(name) for name in _NAMES]
    return {unit.dispname: unit.dim for unit in units if unit is not None}


def quantity(values: Any, symbol: str) -> Any:
    """Values in SI with their unit; plain values where there is none."""
    dim = dimension_of(symbol)
    return values if dim is DIMENSIONLESS else wrap(np.asarray(values, float), dim)


def bare(name: str, value: Any, symbol: str) -> Any:
    """A value that a user gave for something in this unit, as a number in SI.

    Raises
    ------
    DimensionMismatchError
        If it has another unit, or none.
    """
    value = as_quantity(value)
    wanted, given = dimension_of(symbol), get_dimensions(value)
    if wanted is not given:
        raise DimensionMismatchError(
            f"'{name}' is {wanted.friendly()}, but the value given is {given.friendly()}",
            wanted, given,
            hint=None if wanted is DIMENSIONLESS else f"Give its unit, as in 1*{wanted.example_unit()}.",
        )  # fmt: skip
    return np.asarray(value)[()]


def scale_of(values: Any, symbol: str) -> tuple[float, str]:
    """What to divide by, and the unit to write, so that the largest value reads best: (0.001, 'ms')."""
    dim = dimension_of(symbol)
    if dim is DIMENSIONLESS:
        return 1.0, ""
    numbers = np.abs(np.asarray(values, float).reshape(-1))
    numbers = numbers[np.isfinite(numbers)]
    unit = Quantity(numbers.max(initial=0.0), dim=dim).get_best_unit()
    return float(unit), unit.dispname


def shown(value: Any, symbol: str = "") -> str:
    """A value as text, in the unit in which it reads best: '20 Hz'."""
    value = np.asarray(value)[()]
    if not isinstance(value, float | np.floating):
        return str(value)
    scale, unit = scale_of(value, symbol)
    return f"{value / scale:.5g} {unit}".rstrip()


def shown_condition(condition: Mapping[str, tuple[Any, str]]) -> str:
    """Parameters with their values: 'pre = 20 Hz, trial = 3'."""
    return ", ".join(f"{name} = {shown(value, symbol)}" for name, (value, symbol) in condition.items())


def named(name: str, unit: str) -> str:
    """The label of a column or axis: 'pre (Hz)'."""
    return f"{name} ({unit})" if unit else name


def listed(values: Iterable[Any], symbol: str, most: int = 20) -> str:
    """Values for messages; of many, the first and the last."""
    texts = [shown(value, symbol) for value in values]
    if len(texts) > most:
        texts = [*texts[: most // 2], "...", *texts[-most // 2 :]]
    return ", ".join(texts)
