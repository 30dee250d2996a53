"""Every unit by name, made when asked for: `from eccles.units.allunits import Ymetre`."""

from __future__ import annotations

from eccles.units.names import unit_named, unit_names
from eccles.units.quantity import Unit


def __getattr__(name: str) -> Unit:
    unit = None if name.startswith("_") else unit_named(name)
    if unit is None:
        raise AttributeError(f"there is no unit '{name}'")
    return unit


def __dir__() -> list[str]:
    return unit_names()
