"""The units by name: SI units with prefixes and powers, and the usual abbreviations.

The names that scripts use every day exist as objects; the other of some 1700 names (`Ymetre`, `cvolt2`)
are made when they are asked for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

import numpy as np

from eccles.units.dimension import DIMENSIONLESS, Dimension
from eccles.units.quantity import PREFIXES, Quantity, Unit

__all__ = [
    "all_unit_names",
    "best_unit",
    "register_new_unit",
    "si_unit",
    "standard_names",
    "unit_named",
    "unit_names",
]

# name -> (exponents, symbol); further spellings after a bar
_SI: dict[str, tuple[tuple[int, ...], str]] = {
    "metre|meter": ((1, 0, 0, 0, 0, 0, 0), "m"),
    "second": ((0, 0, 1, 0, 0, 0, 0), "s"),
    "amp|ampere": ((0, 0, 0, 1, 0, 0, 0), "A"),
    "kelvin": ((0, 0, 0, 0, 1, 0, 0), "K"),
    "mole|mol": ((0, 0, 0, 0, 0, 1, 0), "mol"),
    "candela|candle": ((0, 0, 0, 0, 0, 0, 1), "cd"),
    "radian": ((0, 0, 0, 0, 0, 0, 0), "rad"),
    "steradian": ((0, 0, 0, 0, 0, 0, 0), "sr"),
    "hertz": ((0, 0, -1, 0, 0, 0, 0), "Hz"),
    "newton": ((1, 1, -2, 0, 0, 0, 0), "N"),
    "pascal": ((-1, 1, -2, 0, 0, 0, 0), "Pa"),
    "joule": ((2, 1, -2, 0, 0, 0, 0), "J"),
    "watt": ((2, 1, -3, 0, 0, 0, 0), "W"),
    "coulomb": ((0, 0, 1, 1, 0, 0, 0), "C"),
    "volt": ((2, 1, -3, -1, 0, 0, 0), "V"),
    "farad": ((-2, -1, 4, 2, 0, 0, 0), "F"),
    "ohm": ((2, 1, -3, -2, 0, 0, 0), "ohm"),
    "siemens": ((-2, -1, 3, 2, 0, 0, 0), "S"),
    "weber": ((2, 1, -2, -1, 0, 0, 0), "Wb"),
    "tesla": ((0, 1, -2, -1, 0, 0, 0), "T"),
    "henry": ((2, 1, -2, -2, 0, 0, 0), "H"),
    "lumen": ((0, 0, 0, 0, 0, 0, 1), "lm"),
    "lux": ((-2, 0, 0, 0, 0, 0, 1), "lx"),
    "becquerel": ((0, 0, -1, 0, 0, 0, 0), "Bq"),
    "gray": ((2, 0, -2, 0, 0, 0, 0), "Gy"),
    "sievert": ((2, 0, -2, 0, 0, 0, 0), "Sv"),
    "katal": ((0, 0, -1, 0, 0, 1, 0), "kat"),
}
# units whose base is not 1 in SI: name -> (exponents, symbol, power of ten)
_SCALED: dict[str, tuple[tuple[int, ...], str, int]] = {
    "gram|gramme": ((0, 1, 0, 0, 0, 0, 0), "g", -3),
    "liter|litre": ((3, 0, 0, 0, 0, 0, 0), "l", -3),
    "molar": ((-3, 0, 0, 0, 0, 1, 0), "M", 3),
}
_ALL_PREFIXES = {**PREFIXES, "da": 1, "h": 2, "d": -1, "c": -2}


def _bases() -> dict[str, Unit]:
    """Unprefixed units, all spellings."""
    bases: dict[str, Unit] = {}
    for names, (exponents, symbol) in _SI.items():
        for name in names.split("|"):
            bases[name] = Unit(1.0, Dimension(exponents), 0, name, symbol)
    for names, (exponents, symbol, scale) in _SCALED.items():
        for name in names.split("|"):
            bases[name] = Unit(10.0**scale, Dimension(exponents), scale, name, symbol)
    for name in ("kilogram", "kilogramme"):
        bases[name] = Unit(1.0, Dimension((0, 1, 0, 0, 0, 0, 0)), 0, name, "kg")
    return bases


_BASES = _bases()
_made: dict[str, Unit | None] = dict(_BASES)
_PATTERN = re.compile(r"^(da|[yzafpnumcdhkMGTPEZY]?)([A-Za-z]+?)([23]?)$")
_ABBREVIATIONS = {
    "mV": "mvolt", "uV": "uvolt", "mA": "mamp", "uA": "uamp", "nA": "namp", "pA": "pamp",
    "pF": "pfarad", "uF": "ufarad", "nF": "nfarad",
    "nS": "nsiemens", "uS": "usiemens", "mS": "msiemens", "pS": "psiemens",
    "ms": "msecond", "us": "usecond", "Hz": "hertz", "kHz": "khertz", "MHz": "Mhertz",
    "cm": "cmetre", "cm2": "cmetre2", "cm3": "cmetre3", "mm": "mmetre", "mm2": "mmetre2", "mm3": "mmetre3",
    "um": "umetre", "um2": "umetre2", "um3": "umetre3", "nm": "nmetre",
    "mM": "mmolar", "uM": "umolar", "nM": "nmolar",
}  # fmt: skip
# not star-exported by Brian 2, but understood in model text
_MODEL_ONLY = {"uV", "pS", "nm"}


def unit_named(name: str) -> Unit | None:
    """The unit of this name, or None.

    Examples
    --------
    >>> unit_named("mV"), unit_named("umetre2"), unit_named("furlong")
    (mvolt, umetre2, None)
    """
    if name in _made:
        return _made[name]
    if name in _ABBREVIATIONS:
        unit = unit_named(_ABBREVIATIONS[name])
    else:
        unit = _prefixed(name)
    _made[name] = unit
    return unit


def _prefixed(name: str) -> Unit | None:
    match = _PATTERN.match(name)
    if match is None:
        return None
    for prefix, stem, power in _splits(name):
        base = _BASES.get(stem)
        if base is None or (stem.startswith("kilogram") and prefix):
            continue
        exponent = int(power) if power else 1
        scale = (_ALL_PREFIXES[prefix] + base.scale) * exponent
        shown = prefix + base.dispname + (f"^{power}" if power else "")
        # 10.0**scale is correctly rounded, a product of factors is not
        return Unit(10.0**scale, base.dim**exponent, scale, name, shown)
    return None


def _splits(name: str) -> list[tuple[str, str, str]]:
    """The ways to read a name as prefix, unit and power."""
    power = name[-1] if name[-1] in "23" else ""
    body = name[:-1] if power else name
    ways = [("", body, power)]
    ways += [(body[:k], body[k:], power) for k in (1, 2) if body[:k] in _ALL_PREFIXES]
    return ways


def unit_names() -> list[str]:
    """The names that scripts use, for suggestions."""
    return [*_names("pnumkMGT", ("",)), *_ABBREVIATIONS]


def all_unit_names() -> list[str]:
    """The names of all units, some 2000."""
    return [*_names(_ALL_PREFIXES, ("", "2", "3")), *_ABBREVIATIONS]


def _names(prefixes: Iterable[str], powers: Iterable[str]) -> list[str]:
    """Bases with prefixes and powers; no kilograms with another prefix."""
    return [
        prefix + base + power
        for base in _BASES
        for prefix in ("", *(p for p in prefixes if p and not base.startswith("kilogram")))
        for power in powers
    ]


def _standard() -> dict[str, Unit]:
    """What `from eccles.units import *` gives."""
    usual = [
        "amp",
        "ampere",
        "kilogram",
        "kilogramme",
        "second",
        "metre",
        "meter",
        "mole",
        "mol",
        "kelvin",
        "candela",
        "coulomb",
        "farad",
        "gram",
        "gramme",
        "hertz",
        "joule",
        "liter",
        "litre",
        "molar",
        "pascal",
        "ohm",
        "siemens",
        "volt",
        "watt",
    ]
    prefixed = [p + b for b in usual if b not in ("kilogram", "kilogramme", "kelvin") for p in "pnumkMGT"]
    names = [*usual, *prefixed, "cmetre", "cmeter", *(a for a in _ABBREVIATIONS if a not in _MODEL_ONLY)]
    found: dict[str, Unit] = {}
    for name in names:
        unit = unit_named(name)
        assert unit is not None
        found[name] = unit
    return found


standard_names = _standard()

# -- the unit that a value is shown in --------------------------------------------------------------

_SHOW_IN = (
    "metre", "second", "amp", "kelvin", "mole", "candela", "newton", "pascal", "joule", "watt", "coulomb",
    "volt", "farad", "ohm", "siemens", "weber", "tesla", "henry", "hertz", "molar", "gram",
)  # fmt: skip
_FAMILIES = {_BASES[name].dim: (name, 1) for name in _SHOW_IN}
_FAMILIES |= {
    _BASES[name].dim ** power: (name, power)
    for name in ("metre", "volt", "amp", "second")
    for power in (2, 3)
}
# what only electrophysiologists have names for: one unit for each, whatever the size
_COMPOUND = ("uF/cm2", "mS/cm2", "uA/cm2", "mV/ms", "nA/ms", "nS/ms", "ohm*cm", "joule/mole/kelvin")


def _compound_units() -> dict[Dimension, Unit]:
    found: dict[Dimension, Unit] = {}
    for text in _COMPOUND:
        value, shown, over = Quantity(1.0), "", False
        for part in re.findall(r"\w+|[*/]", text):
            unit = unit_named(part)
            if unit is None:
                over = part == "/"
                shown += "/" if over else " "
            else:
                value = value / unit if over else value * unit
                shown += unit.dispname
        found[value.dim] = Unit(float(value), value.dim, 0, text, shown)
    return found


_compounds: dict[Dimension, Unit] = {}
_registered: list[Unit] = []


def register_new_unit(unit: Unit) -> None:
    """Let values be shown in a unit of one's own, as in `register_new_unit(Unit.create(dim, "foo"))`."""
    _registered.append(unit)


def si_unit(dim: Dimension) -> Unit:
    """The SI unit of a dimension, with its own name where it has one."""
    if dim is DIMENSIONLESS:
        return Unit(1.0, dim, 0, "1", "")
    if dim is _BASES["kilogram"].dim:
        return _BASES["kilogram"]
    if dim is _BASES["molar"].dim:
        return _known("mmolar")
    name, power = _FAMILIES.get(dim, ("", 0))
    if name:
        return _known(name if power == 1 else f"{name}{power}")
    return Unit(1.0, dim, 0, repr(dim), str(dim))


def _known(name: str) -> Unit:
    unit = unit_named(name)
    assert unit is not None
    return unit


def _candidates(dim: Dimension) -> list[Unit]:
    """The units that a value of this dimension may be shown in."""
    if not _compounds:
        _compounds.update(_compound_units())
    own = [unit for unit in _registered if unit.dim is dim]
    if dim in _FAMILIES:
        name, power = _FAMILIES[dim]
        suffix = "" if power == 1 else str(power)
        names = ["kilogram" if (p, name) == ("k", "gram") else p + name + suffix for p in PREFIXES]
        return own + [_known(name) for name in names]
    return own or [_compounds[dim] if dim in _compounds else si_unit(dim)]


def best_unit(value: Quantity, units: Sequence[Unit] = ()) -> Unit:
    """The unit in which a value reads best: as a number between 0.3 and 300, if there is one.

    Parameters
    ----------
    value : Quantity
        Of an array counts the geometric mean of what is neither 0 nor infinite.
    units : sequence of Unit, optional
        The units to choose from; by default the SI unit with all prefixes.
    """
    candidates = [unit for unit in units if unit.dim is value.dim] or _candidates(value.dim)
    numbers = np.abs(np.asarray(value).reshape(-1))
    numbers = numbers[np.isfinite(numbers) & (numbers > 0)]
    if numbers.size == 0:
        return next((c for c in candidates if float(c) == 1.0), candidates[0])
    middle = float(np.mean(np.log10(numbers))) - 1
    return min(candidates, key=lambda unit: abs(middle - math.log10(float(unit))))
