"""Physical dimensions: exponents of the seven SI base units."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from eccles.errors import DimensionMismatchError, nearest

__all__ = ["DIMENSIONLESS", "Dimension", "get_or_create_dimension"]

Exponent = int | Fraction

BASE = ("metre", "kilogram", "second", "amp", "kelvin", "mole", "candela")
SYMBOLS = ("m", "kg", "s", "A", "K", "mol", "cd")
ALIASES = {
    "length": 0, "m": 0, "metre": 0, "meter": 0, "metres": 0, "meters": 0,
    "mass": 1, "kg": 1, "kilogram": 1, "kilogramme": 1, "kilograms": 1,
    "time": 2, "s": 2, "second": 2, "seconds": 2,
    "current": 3, "electric current": 3, "A": 3, "amp": 3, "ampere": 3, "amps": 3,
    "temperature": 4, "K": 4, "kelvin": 4, "kelvins": 4,
    "substance": 5, "mol": 5, "mole": 5, "moles": 5,
    "luminosity": 6, "cd": 6, "candela": 6, "candle": 6,
}  # fmt: skip

MAX_EXPONENT = 1000  # no physical quantity comes near it, and hostile text gets no further

_interned: dict[tuple[Exponent, ...], Dimension] = {}


def _exact(value: float | Exponent) -> Exponent:
    """An exponent as an exact number: an int where it is whole."""
    if not abs(value) <= MAX_EXPONENT:  # also if it is NaN
        shown = value if isinstance(value, float) else float(value) if abs(value) < 1e300 else "too large"
        raise DimensionMismatchError(
            f"a unit cannot have the exponent {shown}", hint=f"The largest exponent is {MAX_EXPONENT}."
        )
    if isinstance(value, int):
        return value
    fraction = Fraction(value).limit_denominator(10**6)
    return fraction.numerator if fraction.denominator == 1 else fraction


class Dimension:
    """A physical dimension; equal dimensions are one and the same object.

    Use `get_or_create_dimension` to make one. Supports `*`, `/` and `**` with a number.
    """

    __slots__ = ("_products", "exponents")

    exponents: tuple[Exponent, ...]

    def __new__(cls, exponents: tuple[float | Exponent, ...]) -> Dimension:
        key = tuple(_exact(e) for e in exponents)
        found = _interned.get(key)
        if found is None:
            found = object.__new__(cls)
            object.__setattr__(found, "exponents", key)
            object.__setattr__(found, "_products", {})
            _interned[key] = found
        return found

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a dimension cannot be changed")

    @property
    def is_dimensionless(self) -> bool:
        """Whether this is the dimension of plain numbers."""
        return self is DIMENSIONLESS

    @property
    def dim(self) -> Dimension:
        """Itself, so that dimensions and quantities can be asked alike."""
        return self

    def get_dimension(self, name: str) -> Exponent:
        """The exponent of a base unit, by name or symbol."""
        return self.exponents[ALIASES[name]]

    def __mul__(self, other: Dimension) -> Dimension:
        if other is DIMENSIONLESS:
            return self
        found = self._products.get(other)
        if found is None:
            found = Dimension(tuple(a + b for a, b in zip(self.exponents, other.exponents, strict=True)))
            self._products[other] = found
        return found

    def __truediv__(self, other: Dimension) -> Dimension:
        if other is DIMENSIONLESS:
            return self
        return Dimension(tuple(a - b for a, b in zip(self.exponents, other.exponents, strict=True)))

    def __pow__(self, power: float | Exponent) -> Dimension:
        exact = _exact(power)
        return Dimension(tuple(a * exact for a in self.exponents))

    def __reduce__(self) -> tuple[Any, ...]:
        return (Dimension, (self.exponents,))

    def __copy__(self) -> Dimension:
        return self

    def __deepcopy__(self, memo: object) -> Dimension:
        return self

    def _parts(self, names: tuple[str, ...], power: str) -> list[str]:
        """Each base unit with its exponent."""

        def part(name: str, exponent: Exponent) -> str:
            if exponent == 1:
                return name
            if isinstance(exponent, int):
                return f"{name}{power}{exponent}"
            decimal = float(exponent)
            return f"{name}{power}{decimal if decimal == exponent else f'({exponent})'}"

        return [part(n, e) for n, e in zip(names, self.exponents, strict=True) if e]

    def __repr__(self) -> str:
        """As Python with the names of units: 'metre * second ** -1'."""
        return " * ".join(self._parts(BASE, " ** ")) or "Dimension()"

    def __str__(self) -> str:
        """With symbols: 'm s^-1'."""
        return " ".join(self._parts(SYMBOLS, "^")) or "1"

    # -- words for messages -----------------------------------------------------------------------

    def describe(self) -> str:
        """Its everyday name, such as 'voltage'; 'quantity in m s^-3' where it has none."""
        known = _KNOWN.get(self)
        return known[0] if known else f"quantity in {self}"

    def friendly(self) -> str:
        """For messages: 'a voltage (V)', 'a number without unit'."""
        if self is DIMENSIONLESS:
            return "a number without unit"
        known = _KNOWN.get(self)
        if known is None:
            return f"a quantity in {self}"
        article = "an" if known[0][0] in "aeiou" else "a"
        return f"{article} {known[0]} ({known[2]})"

    def symbol(self) -> str:
        """The SI symbol, such as 'V'; '1' without dimension."""
        known = _KNOWN.get(self)
        return known[2] if known else str(self)

    def example_unit(self, *, scaled: bool = True) -> str:
        """A unit that users write for it: 'mV', or 'volt' where scaled units are not allowed."""
        known = _KNOWN.get(self)
        if known is None:
            return "1" if self is DIMENSIONLESS else repr(self)
        return known[1] if scaled else known[3]


def get_or_create_dimension(*args: Any, **exponents: float) -> Dimension:
    """The dimension with these exponents.

    Either seven numbers (length, mass, time, current, temperature, substance, luminosity), or names:
    `get_or_create_dimension(length=1, time=-1)`.
    """
    if args:
        values = args[0] if len(args) == 1 else args
        if isinstance(values, Dimension):
            return values
        if not isinstance(values, list | tuple) or len(values) != 7:
            raise TypeError(f"a dimension needs seven exponents ({', '.join(BASE)}), not {values!r}")
        return Dimension(tuple(values))
    total: list[float | Exponent] = [0] * 7
    for name, exponent in exponents.items():
        if name not in ALIASES:
            near = nearest(name, ALIASES)
            raise TypeError(
                f"there is no base dimension '{name}'" + (f"; did you mean '{near}'?" if near else "")
            )
        total[ALIASES[name]] = exponent
    return Dimension(tuple(total))


DIMENSIONLESS = Dimension((0, 0, 0, 0, 0, 0, 0))

# everyday name, a unit that users write, the SI symbol, the unit without scale
_KNOWN: dict[Dimension, tuple[str, str, str, str]] = {
    Dimension((1, 0, 0, 0, 0, 0, 0)): ("length", "um", "m", "metre"),
    Dimension((0, 1, 0, 0, 0, 0, 0)): ("mass", "kilogram", "kg", "kilogram"),
    Dimension((0, 0, 1, 0, 0, 0, 0)): ("time", "ms", "s", "second"),
    Dimension((0, 0, 0, 1, 0, 0, 0)): ("current", "nA", "A", "amp"),
    Dimension((0, 0, 0, 0, 1, 0, 0)): ("temperature", "kelvin", "K", "kelvin"),
    Dimension((0, 0, 0, 0, 0, 1, 0)): ("amount of substance", "mmol", "mol", "mole"),
    Dimension((0, 0, 0, 0, 0, 0, 1)): ("luminosity", "candela", "cd", "candela"),
    Dimension((2, 1, -3, -1, 0, 0, 0)): ("voltage", "mV", "V", "volt"),
    Dimension((2, 1, -3, -2, 0, 0, 0)): ("resistance", "Mohm", "ohm", "ohm"),
    Dimension((-2, -1, 3, 2, 0, 0, 0)): ("conductance", "nS", "S", "siemens"),
    Dimension((-2, -1, 4, 2, 0, 0, 0)): ("capacitance", "pF", "F", "farad"),
    Dimension((0, 0, 1, 1, 0, 0, 0)): ("charge", "pcoulomb", "C", "coulomb"),
    Dimension((0, 0, -1, 0, 0, 0, 0)): ("frequency", "Hz", "Hz", "hertz"),
    Dimension((2, 1, -2, 0, 0, 0, 0)): ("energy", "joule", "J", "joule"),
    Dimension((2, 1, -3, 0, 0, 0, 0)): ("power", "watt", "W", "watt"),
    Dimension((1, 1, -2, 0, 0, 0, 0)): ("force", "newton", "N", "newton"),
    Dimension((-1, 1, -2, 0, 0, 0, 0)): ("pressure", "pascal", "Pa", "pascal"),
    Dimension((2, 0, 0, 0, 0, 0, 0)): ("area", "um2", "m^2", "meter**2"),
    Dimension((3, 0, 0, 0, 0, 0, 0)): ("volume", "um3", "m^3", "meter**3"),
    Dimension((-3, 0, 0, 0, 0, 1, 0)): ("concentration", "mM", "mol/m^3", "mmolar"),
    Dimension((2, 1, -4, -1, 0, 0, 0)): ("voltage per time", "mV/ms", "V/s", "volt/second"),
    Dimension((0, 0, -1, 1, 0, 0, 0)): ("current per time", "nA/ms", "A/s", "amp/second"),
    Dimension((-2, -1, 2, 2, 0, 0, 0)): ("conductance per time", "nS/ms", "S/s", "siemens/second"),
    Dimension((-2, 0, 0, 1, 0, 0, 0)): ("current density", "uA/cm2", "A/m^2", "amp/meter**2"),
    Dimension((-4, -1, 3, 2, 0, 0, 0)): ("conductance density", "mS/cm2", "S/m^2", "siemens/meter**2"),
    Dimension((-4, -1, 4, 2, 0, 0, 0)): ("capacitance density", "uF/cm2", "F/m^2", "farad/meter**2"),
    Dimension((0, 0, Fraction(-1, 2), 0, 0, 0, 0)): ("white noise", "second**-.5", "s^-1/2", "second**-.5"),
}
