"""What rules, neurons and other parts of an experiment share: named numbers with units, and their text."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from eccles.errors import DimensionMismatchError, SetupError, nearest
from eccles.objects import magic
from eccles.objects.swept import Swept
from eccles.units import get_dimensions

T = TypeVar("T")

__all__ = [
    "Preset",
    "all_numbers",
    "block",
    "changed",
    "check_time_constants",
    "chosen",
    "frozen",
    "joined",
    "meanings",
    "one_of",
    "parameter_lines",
]


@dataclass(frozen=True)
class Preset:
    """Published numbers for a part.

    Attributes
    ----------
    parameters : mapping
        What the part is made with.
    source : str
        Where the numbers stand.
    note : str
        What is uncertain about them, if anything.
    """

    parameters: Mapping[str, Any]
    source: str
    note: str = ""

    def __str__(self) -> str:
        """Where the numbers are from, and what is uncertain about them."""
        return joined(self.source, f"note: {self.note}" if self.note else "")


def frozen(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A copy that nobody can change."""
    return MappingProxyType(dict(values))


def chosen(presets: Mapping[str, Preset], name: str, owner: str) -> Preset:
    """The preset of this name.

    Raises
    ------
    SetupError
        If there is none.
    """
    return one_of(presets, name, "preset", owner)


def one_of(table: Mapping[str, T], name: str, what: str, owner: str = "") -> T:
    """What a table has under a name.

    Raises
    ------
    SetupError
        If there is nothing; it names the nearest.
    """
    if isinstance(name, str) and name in table:
        return table[name]
    near = nearest(str(name), table)
    raise SetupError(
        f"{owner or 'there'} {'has' if owner else 'is'} no {what} {name!r}"
        + (f"; did you mean {near!r}?" if near else ""),
        hint=f"It is one of {', '.join(map(repr, table))}.",
    )


def changed(known: Mapping[str, Any], new: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """The parameters of a part with some of them replaced.

    Raises
    ------
    SetupError
        If the part has no parameter of that name, or what is given for a number is none.
    DimensionMismatchError
        If the unit is another one.
    """
    for name, value in new.items():
        old = one_of(known, name, "parameter", owner)
        expected, found = get_dimensions(old), get_dimensions(value)
        if found is not expected:
            raise DimensionMismatchError(
                f"the parameter '{name}' of {owner} has another unit: it has to be {expected.friendly()}, "
                f"as in {name} = {old}, but {value!r} is {found.friendly()}",
                found,
                expected,
            )
        if all_numbers(old) is not None:
            numbers = all_numbers(value)
            if numbers is None or np.isnan(numbers).any():
                raise SetupError(
                    f"the parameter '{name}' of {owner} is one number, as in {name} = {old}, not {value!r}"
                )
    return {**known, **new}


def all_numbers(value: Any) -> np.ndarray | None:
    """The number that a parameter stands for, in SI units; while a model is swept, those of all conditions.

    None for anything else, such as a text or a function.
    """
    numbers = np.asarray(value.values if isinstance(value, Swept) else value)
    one = value.ndim == 0 if isinstance(value, Swept) and not value.ragged else numbers.ndim == 0
    return numbers if one and numbers.dtype.kind in "iuf" else None


def meanings(parameters: Mapping[str, Any], others: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """What names in model text stand for: the parameters of a part, then other names.

    Without `others` these are the names of the calling script.
    """
    return ChainMap(dict(parameters), magic.users_names() if others is None else others)  # type: ignore[arg-type]


def check_time_constants(parameters: Mapping[str, Any], owner: str) -> None:
    """Raise a SetupError if a parameter whose name begins with `tau` is not positive and finite."""
    for name, value in parameters.items():
        numbers = all_numbers(value) if name.startswith("tau") else None
        if numbers is not None and not np.all((numbers > 0) & (numbers < np.inf)):
            raise SetupError(f"the time constant '{name}' of {owner} has to be positive, not {value!r}")


def joined(*lines: str) -> str:
    """Model text from lines; those that an option leaves empty are left out."""
    return "\n".join(line for line in lines if line)


def block(title: str, text: str) -> list[str]:
    """A titled block of model text, indented; nothing for empty text."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return [f"  {title}", *(f"    {line}" for line in lines if line)] if any(lines) else []


def parameter_lines(parameters: Mapping[str, Any]) -> str:
    """A line for each parameter."""
    return "\n".join(f"{name} = {value}" for name, value in parameters.items())
