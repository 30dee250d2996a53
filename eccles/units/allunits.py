"""Every unit by name, made when asked for: `from eccles.units.allunits import Ymetre`."""

from __future__ import annotations

from eccles.units.names import all_unit_names, unit_named
from eccles.units.quantity import Unit


def __getattr__(name: str) -> Unit | list[str]:
    if name == "__all__":
        return all_unit_names()
    unit = None if name.startswith("_") else unit_named(name)
    if unit is None:
        raise AttributeError(f"there is no unit '{name}'")
    return unit


def __dir__() -> list[str]:
    return all_unit_names()
