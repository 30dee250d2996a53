"""What rules, neurons and other parts of an experiment share: named numbers with units, and their text."""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from eccles.errors import DimensionMismatchError, SetupError, nearest
from eccles.objects import magic
from eccles.objects.swept import Swept
from eccles.units import get_dimensions

__all__ = [
    "Preset",
    "block",
    "changed",
    "check_time_constants",
    "chosen",
    "frozen",
    "joined",
    "meanings",
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
    if name in presets:
        return presets[name]
    near = nearest(str(name), presets)
    raise SetupError(
        f"{owner} has no preset '{name}'" + (f"; did you mean '{near}'?" if near else ""),
        hint=f"Presets: {', '.join(presets)}.",
    )


def changed(known: Mapping[str, Any], new: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """The parameters of a part with some of them replaced.

    Raises
    ------
    SetupError
        If the part has no parameter of that name.
    DimensionMismatchError
        If the unit is another one.
    """
    for name, value in new.items():
        if name not in known:
            near = nearest(name, known)
            raise SetupError(
                f"{owner} has no parameter '{name}'" + (f"; did you mean '{near}'?" if near else ""),
                hint=f"Parameters: {', '.join(known)}.",
            )
        expected, found = get_dimensions(known[name]), get_dimensions(value)
        if found is not expected:
            raise DimensionMismatchError(
                f"the parameter '{name}' of {owner} has another unit, as in {name} = {known[name]}",
                found,
                expected,
            )
    return {**known, **new}


def meanings(parameters: Mapping[str, Any], others: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """What names in model text stand for: the parameters of a part, then other names.

    Without `others` these are the names of the calling script.
    """
    return ChainMap(dict(parameters), magic.users_names() if others is None else others)  # type: ignore[arg-type]


def check_time_constants(parameters: Mapping[str, Any], owner: str) -> None:
    """Raise a SetupError if a parameter whose name begins with `tau` is not positive and finite."""
    for name, value in parameters.items():
        if name.startswith("tau"):
            swept = isinstance(value, Swept)  # the stand-in for all values of a sweep
            for one in np.ravel(value.values) if swept else [value]:
                if not 0 < float(one) < math.inf:
                    raise SetupError(f"the time constant '{name}' of {owner} has to be positive, not {one}")


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
