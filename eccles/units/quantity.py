"""Numbers and arrays with a physical dimension.

A `Quantity` is an ndarray of values in SI base units that knows its dimension. Arithmetic checks
dimensions; a dimensionless result is a plain number or array. What every NumPy function does with
dimensions stands in the tables of `rules.py`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from eccles.errors import DimensionMismatchError
from eccles.units.dimension import DIMENSIONLESS, Dimension, get_or_create_dimension

__all__ = [
    "Quantity",
    "Unit",
    "as_quantity",
    "fail_for_dimension_mismatch",
    "get_best_unit",
    "get_dimensions",
    "get_unit",
    "have_same_dimensions",
    "in_best_unit",
    "in_unit",
    "is_dimensionless",
    "is_scalar_type",
    "quantity_with_dimensions",
]

_NUMBERS = (float, int, bool, complex, str, np.generic, np.ndarray)
PREFIXES = {
    "y": -24, "z": -21, "a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "": 0,
    "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18, "Z": 21, "Y": 24,
}  # fmt: skip


def get_dimensions(value: Any) -> Dimension:
    """The dimension of a quantity, unit, number or (nested) sequence of these."""
    dim = getattr(value, "dim", None)
    if isinstance(dim, Dimension):
        return dim
    if value is None or isinstance(value, _NUMBERS):
        return DIMENSIONLESS
    if isinstance(value, list | tuple):
        return common_dimension(value, "put {} and {} into one array")
    converted = as_quantity(value)
    return DIMENSIONLESS if converted is value else converted.dim


def as_quantity(value: Any) -> Any:
    """Quantities of `pint` and `quantities` as ours; everything else as it is."""
    module = type(value).__module__.partition(".")[0]
    if module == "pint" and "pint" in sys.modules:
        base = value.to_base_units()
        names = {"[length]": 0, "[mass]": 1, "[time]": 2, "[current]": 3, "[temperature]": 4,
                 "[substance]": 5, "[luminosity]": 6}  # fmt: skip
        exponents = [0.0] * 7
        for name, power in base.dimensionality.items():
            exponents[names[name]] = power
        return Quantity(base.magnitude, dim=Dimension(tuple(exponents)))
    if module == "quantities" and "quantities" in sys.modules:
        simple = value.simplified
        names = {"m": 0, "kg": 1, "s": 2, "A": 3, "K": 4, "mol": 5, "cd": 6}
        exponents = [0.0] * 7
        for unit, power in simple.dimensionality.items():
            exponents[names[unit.symbol]] = float(power)
        return Quantity(np.asarray(simple.magnitude), dim=Dimension(tuple(exponents)))
    return value


def is_dimensionless(value: Any) -> bool:
    """Whether a value has no dimension."""
    return get_dimensions(value) is DIMENSIONLESS


def have_same_dimensions(a: Any, b: Any) -> bool:
    """Whether two values have the same dimension."""
    return get_dimensions(a) is get_dimensions(b)


def is_scalar_type(value: Any) -> bool:
    """Whether a value is a single number (with or without unit)."""
    return not isinstance(value, str) and np.ndim(value) == 0 and not isinstance(value, Dimension)


def fits_any(value: Any) -> bool:
    """Whether a number without unit may stand beside any: all its elements are 0, infinite or NaN."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        return False
    if array.ndim == 0:
        number = float(array)
        return number == 0 or not math.isfinite(number)
    return bool(np.all((array == 0) | ~np.isfinite(array)))


def _describe(value: Any) -> str:
    dim = get_dimensions(value)
    text = str(value) if np.ndim(value) == 0 else f"an array of {np.size(value)} values"
    if dim is DIMENSIONLESS:
        return f"{text} (no unit)"
    what = dim.describe()
    return f"{text} ({'an' if what[0] in 'aeiou' else 'a'} {what})"


def fail_for_dimension_mismatch(
    a: Any, b: Any = 1, error_message: str | None = None, **values: Any
) -> tuple[Dimension, Dimension]:
    """Raise a `DimensionMismatchError` unless two values have the same dimension.

    A zero, infinite or NaN number without unit fits every dimension.

    Returns
    -------
    tuple of Dimension
        The dimensions of both; of the other one, for a value that fits all.
    """
    dim_a, dim_b = get_dimensions(a), get_dimensions(b)
    if dim_a is dim_b:
        return dim_a, dim_b
    if dim_a is DIMENSIONLESS and fits_any(a):
        return dim_b, dim_b
    if dim_b is DIMENSIONLESS and fits_any(b):
        return dim_a, dim_a
    if error_message is None:
        error_message = f"{_describe(a)} and {_describe(b)} do not have the same dimension"
    raise DimensionMismatchError(error_message.format(**values), dim_a, dim_b)


def combine(a: Any, b: Any, operation: str) -> Dimension:
    """The common dimension of two operands of `operation` ("add {} and {}"), or an error."""
    dim_a, dim_b = get_dimensions(a), get_dimensions(b)
    if dim_a is dim_b:
        return dim_a
    if dim_a is DIMENSIONLESS and fits_any(a):
        return dim_b
    if dim_b is DIMENSIONLESS and fits_any(b):
        return dim_a
    raise DimensionMismatchError(f"cannot {operation.format(_describe(a), _describe(b))}", dim_a, dim_b)


def check_stored(target: Any, value: Any) -> None:
    """Raise a `DimensionMismatchError` unless a value can be stored in an array."""
    dim = get_dimensions(value)
    if dim is not get_dimensions(target) and not (dim is DIMENSIONLESS and fits_any(value)):
        raise DimensionMismatchError(
            f"cannot put {_describe(value)} into {_describe(target)}", get_dimensions(target), dim
        )


def common_dimension(values: Iterable[Any], operation: str) -> Dimension:
    """The dimension that all values share, or an error; 0, infinity and NaN fit every dimension."""
    values = list(values)
    for first in values:
        dim = get_dimensions(first)
        if dim is not DIMENSIONLESS:
            for value in values:
                combine(first, value, operation)
            return dim
    return DIMENSIONLESS


def wrap(values: Any, dim: Dimension) -> Any:
    """Values with a dimension; plain values (a single one as Python's own float) if there is none."""
    if dim is DIMENSIONLESS:
        return float(values) if isinstance(values, np.float64) else values
    result = np.asarray(values).view(Quantity)
    result.dim = dim
    return result


def bare(value: Any) -> Any:
    """A value as NumPy sees it, without unit."""
    if isinstance(value, Quantity):
        return value.view(np.ndarray)
    if isinstance(value, list | tuple) and any(isinstance(v, Quantity | list | tuple) for v in value):
        return type(value)(bare(v) for v in value)
    return value


class Quantity(np.ndarray):
    """A number or array with a dimension.

    Parameters
    ----------
    value : number, array, quantity, or sequence of quantities
        In SI base units, if it has no unit.
    dim : Dimension, optional
        The dimension; that of `value` by default.

    Attributes
    ----------
    dim : Dimension
        Also `dimensions`.
    """

    __array_priority__ = 1000  # type: ignore[assignment]  (declared as a property, documented as a number)
    dim: Dimension

    def __new__(
        cls, value: Any, dim: Dimension | None = None, dtype: Any = None, copy: bool = False
    ) -> Quantity:
        value = as_quantity(value)
        found = get_dimensions(value)
        if dim is None:
            dim = found
        elif found is not DIMENSIONLESS and found is not dim:
            raise DimensionMismatchError(f"{_describe(value)} cannot become {dim.friendly()}", found, dim)
        array = np.array(bare(value), dtype=dtype) if copy else np.asarray(bare(value), dtype=dtype)
        if dtype is None and array.dtype.kind in "iub":
            array = array.astype(np.float64)
        result = array.view(cls)
        result.dim = dim
        return result

    def __array_finalize__(self, obj: Any) -> None:
        self.dim = getattr(obj, "dim", DIMENSIONLESS)

    @classmethod
    def with_dimensions(cls, value: Any, *args: Any, **exponents: float) -> Quantity:
        """`Quantity.with_dimensions(0.1, second=1)`."""
        if args and isinstance(args[0], Dimension):
            return cls(value, dim=args[0])
        return cls(value, dim=get_or_create_dimension(*args, **exponents))

    @property
    def dimensions(self) -> Dimension:
        """The dimension."""
        return self.dim

    @property
    def is_dimensionless(self) -> bool:
        """Whether there is no dimension."""
        return self.dim is DIMENSIONLESS

    def has_same_dimensions(self, other: Any) -> bool:
        """Whether another value has the same dimension."""
        return self.dim is get_dimensions(other)

    # -- NumPy ------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from eccles.units.rules import apply_ufunc

        return apply_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from eccles.units.rules import apply_function

        return apply_function(func, args, kwargs)

    # -- quick ways for what scripts do most ------------------------------------------------------

    def __mul__(self, other: Any) -> Any:
        if type(other) is float or type(other) is int:
            return wrap(self.view(np.ndarray) * other, self.dim)
        if isinstance(other, Quantity):
            return wrap(self.view(np.ndarray) * other.view(np.ndarray), self.dim * other.dim)
        if isinstance(other, list | tuple):
            other = Quantity(other)
            return wrap(self.view(np.ndarray) * other.view(np.ndarray), self.dim * other.dim)
        return super().__mul__(other)

    def __rmul__(self, other: Any) -> Any:
        if type(other) is float or type(other) is int:
            return wrap(self.view(np.ndarray) * other, self.dim)
        if isinstance(other, list | tuple):
            return Quantity(other) * self
        return super().__rmul__(other)

    def __truediv__(self, other: Any) -> Any:
        if type(other) is float or type(other) is int:
            return wrap(self.view(np.ndarray) / other, self.dim)
        if isinstance(other, Quantity):
            return wrap(self.view(np.ndarray) / other.view(np.ndarray), self.dim / other.dim)
        return super().__truediv__(other)

    def __rtruediv__(self, other: Any) -> Any:
        if isinstance(other, list | tuple):
            return Quantity(other) / self
        return super().__rtruediv__(other)

    def __getitem__(self, item: Any) -> Any:
        found = self.view(np.ndarray)[item]
        return wrap(found, self.dim)

    def __setitem__(self, item: Any, value: Any) -> None:
        check_stored(self, value)
        self.view(np.ndarray)[item] = np.asarray(bare(value))

    def __iter__(self) -> Any:
        if self.ndim == 0:
            raise TypeError("cannot iterate over a single quantity")
        return (wrap(value, self.dim) for value in self.view(np.ndarray))

    def __float__(self) -> float:
        return float(self.view(np.ndarray))

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self == value))

    def __bool__(self) -> bool:
        return bool(self.view(np.ndarray))

    def __hash__(self) -> int:  # type: ignore[override]  (ndarray declares None)
        if self.ndim:
            raise TypeError("an array of quantities cannot be a key of a dictionary or an element of a set")
        return hash(float(self))  # equal values have equal hashes, a zero without unit included

    # in-place operations change arrays, but give single quantities anew: others may hold the old one

    def _in_place(self, ufunc: np.ufunc, other: Any) -> Any:
        if self.ndim == 0:
            return ufunc(self, other)
        return ufunc(self, other, out=(self,))

    def __iadd__(self, other: Any) -> Any:
        return self._in_place(np.add, other)

    def __isub__(self, other: Any) -> Any:
        return self._in_place(np.subtract, other)

    def __imul__(self, other: Any) -> Any:
        return self._in_place(np.multiply, other)

    def __itruediv__(self, other: Any) -> Any:
        return self._in_place(np.divide, other)

    def __ifloordiv__(self, other: Any) -> Any:
        return self._in_place(np.floor_divide, other)

    def __imod__(self, other: Any) -> Any:
        return self._in_place(np.remainder, other)

    def __ipow__(self, other: Any) -> Any:
        return self._in_place(np.power, other)

    def _same(self, operation: str, *others: Any) -> None:
        """Raise an error unless all others have the dimension of this quantity."""
        for other in others:
            if other is not None:
                combine(self, other, operation)

    # -- methods whose result has a unit ------------------------------------------------------------

    def _method(self, name: str, dim: Dimension, *args: Any, **kwargs: Any) -> Any:
        args = tuple(bare(a) for a in args)
        kwargs = {key: bare(value) for key, value in kwargs.items()}
        return wrap(getattr(self.view(np.ndarray), name)(*args, **kwargs), dim)

    def sum(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.sum`, with the unit."""
        return self._method("sum", self.dim, *args, **kwargs)

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.mean`, with the unit."""
        return self._method("mean", self.dim, *args, **kwargs)

    def std(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.std`, with the unit."""
        return self._method("std", self.dim, *args, **kwargs)

    def var(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.var`, with the square of the unit."""
        return self._method("var", self.dim**2, *args, **kwargs)

    def min(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.min`, with the unit."""
        return self._method("min", self.dim, *args, **kwargs)

    def max(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.max`, with the unit."""
        return self._method("max", self.dim, *args, **kwargs)

    def cumsum(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.cumsum`, with the unit."""
        return self._method("cumsum", self.dim, *args, **kwargs)

    def prod(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.prod`; the unit to the power of the number of factors."""
        result = self.view(np.ndarray).prod(*args, **kwargs)
        return wrap(result, self.dim ** (self.size // max(1, np.size(result))))

    def cumprod(self, *args: Any, **kwargs: Any) -> Any:
        """Only without unit: every element would have another one."""
        if self.dim is not DIMENSIONLESS:
            raise DimensionMismatchError("a cumulative product needs values without unit", self.dim)
        return self.view(np.ndarray).cumprod(*args, **kwargs)

    def round(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.round`, in SI base units."""
        return self._method("round", self.dim, *args, **kwargs)

    def trace(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.trace`, with the unit."""
        return self._method("trace", self.dim, *args, **kwargs)

    def repeat(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.repeat`, with the unit."""
        return self._method("repeat", self.dim, *args, **kwargs)

    def dot(self, other: Any, out: None = None) -> Any:  # type: ignore[override]  (no `out` here)
        """As `ndarray.dot`, with the product of the units."""
        return wrap(self.view(np.ndarray).dot(np.asarray(bare(other))), self.dim * get_dimensions(other))

    def clip(self, a_min: Any = None, a_max: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.clip`; the limits need the same unit."""
        self._same("clip {} at {}", a_min, a_max)
        return self._method("clip", self.dim, a_min, a_max, *args, **kwargs)

    def fill(self, value: Any) -> None:
        """As `ndarray.fill`; the value needs the same unit."""
        self[...] = value

    def put(self, indices: Any, values: Any, *args: Any, **kwargs: Any) -> None:
        """As `ndarray.put`; the values need the same unit."""
        check_stored(self, values)
        self.view(np.ndarray).put(indices, bare(values), *args, **kwargs)

    def searchsorted(self, v: Any, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.searchsorted`; the values need the same unit."""
        self._same("search {} for {}", v)
        return self.view(np.ndarray).searchsorted(bare(v), *args, **kwargs)

    def nonzero(self) -> Any:
        """As `ndarray.nonzero`."""
        return self.view(np.ndarray).nonzero()

    def argmax(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.argmax`."""
        return self.view(np.ndarray).argmax(*args, **kwargs)

    def argmin(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.argmin`."""
        return self.view(np.ndarray).argmin(*args, **kwargs)

    def argsort(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.argsort`."""
        return self.view(np.ndarray).argsort(*args, **kwargs)

    def any(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.any`."""
        return self.view(np.ndarray).any(*args, **kwargs)

    def all(self, *args: Any, **kwargs: Any) -> Any:
        """As `ndarray.all`."""
        return self.view(np.ndarray).all(*args, **kwargs)

    def item(self, *args: Any) -> Any:
        """One element, with the unit."""
        return wrap(self.view(np.ndarray).item(*args), self.dim)

    def tolist(self) -> Any:
        """Nested lists of quantities."""

        def nested(values: Any) -> Any:
            return [nested(v) for v in values] if isinstance(values, list) else wrap(values, self.dim)

        return nested(self.view(np.ndarray).tolist())

    # -- pickling -----------------------------------------------------------------------------------

    def __reduce__(self) -> Any:
        return (Quantity, (np.array(self.view(np.ndarray)), self.dim))

    def __deepcopy__(self, memo: Any) -> Quantity:
        return Quantity(self.view(np.ndarray).copy(), dim=self.dim)

    # -- showing ------------------------------------------------------------------------------------

    def get_best_unit(self, *units: Unit) -> Unit:
        """The unit in which the value reads best; of `units`, if any of these has its dimension."""
        from eccles.units.names import best_unit

        return best_unit(self, units)

    def in_unit(self, u: Quantity | float, precision: int | None = None, python_code: bool = False) -> str:
        """The value in a given unit, as text.

        Parameters
        ----------
        u : Quantity or 1
        precision : int, optional
            Digits behind the point; NumPy's setting by default.
        python_code : bool
            Whether Python should be able to read it: '3. * mvolt' instead of '3. mV'.

        Raises
        ------
        DimensionMismatchError
            If the unit has another dimension.
        """
        if self.dim is not get_dimensions(u):
            wanted = get_dimensions(u)
            raise DimensionMismatchError(
                f"cannot show {self.dim.friendly()} in {wanted.friendly()}", self.dim, wanted
            )
        values = self.view(np.ndarray) / float(u)
        if values.ndim == 0:
            text = np.array2string(values.reshape(1), precision=precision)[1:-1].strip()
        elif python_code:
            text = np.array_repr(values, precision=precision)
        else:
            text = np.array_str(values, precision=precision)
        if isinstance(u, Unit):
            name = u.name if python_code else u.dispname
        else:
            name = f"({u!r})" if python_code else f"({u})"
        if self.dim is DIMENSIONLESS and float(u) == 1:
            return f"Quantity({text})" if python_code else text
        return f"{text} * {name}" if python_code else f"{text} {name}"

    def in_best_unit(self, precision: int | None = None, python_code: bool = False, *units: Unit) -> str:
        """The value in the unit in which it reads best, as text."""
        return self.in_unit(self.get_best_unit(*units), precision, python_code)

    def __repr__(self) -> str:
        return self.in_best_unit(python_code=True)

    def __str__(self) -> str:
        return self.in_best_unit()

    def __format__(self, spec: str) -> str:
        """A format such as '.2f' is applied to the value in its best unit: '3.00 mV'."""
        if not spec:
            return str(self)
        unit = self.get_best_unit()
        return f"{format(float(self) / float(unit), spec)} {unit.dispname}".rstrip()

    def _repr_latex_(self) -> str:
        unit = self.get_best_unit()
        values = self.view(np.ndarray) / float(unit)
        if values.ndim == 0:
            shown = f"{float(values):.6g}"
        else:
            rows = np.atleast_2d(values) if values.ndim < 3 else values.reshape(-1, values.shape[-1])
            body = r" \\ ".join(" & ".join(f"{v:.6g}" for v in row) for row in rows)
            shown = rf"\left[\begin{{matrix}}{body}\end{{matrix}}\right]"
        return f"${shown}\\,{unit.latexname}$" if self.dim is not DIMENSIONLESS else f"${shown}$"


class Unit(Quantity):
    """A quantity with a name: what numbers are multiplied by.

    Parameters
    ----------
    value : float, optional
        In SI base units; 10**scale by default.

    Attributes
    ----------
    name : str
        As written in Python, such as 'mvolt'.
    dispname : str
        As shown, such as 'mV'.
    scale : int
        The power of ten.
    """

    name: str
    dispname: str
    latexname: str
    scale: int

    def __new__(
        cls,
        value: float | None = None,
        dim: Dimension = DIMENSIONLESS,
        scale: int = 0,
        name: str | None = None,
        dispname: str | None = None,
        latexname: str = "",
    ) -> Unit:
        result = np.array(10.0**scale if value is None else value, dtype=np.float64).view(cls)
        result.dim = dim
        result.scale = scale
        result.name = name or repr(dim)
        result.dispname = result.name if dispname is None else dispname
        result.latexname = latexname or rf"\mathrm{{{result.dispname}}}"
        return result

    @staticmethod
    def create(
        dim: Dimension, name: str, dispname: str | None = None, latexname: str = "", scale: int = 0
    ) -> Unit:
        """A new named unit."""
        return Unit(10.0**scale, dim, scale, name, dispname, latexname)

    @staticmethod
    def create_scaled_unit(baseunit: Unit, scalefactor: str) -> Unit:
        """A unit with an SI prefix."""
        scale = baseunit.scale + PREFIXES[scalefactor]
        return Unit(
            10.0**scale, baseunit.dim, scale, scalefactor + baseunit.name, scalefactor + baseunit.dispname
        )

    def set_name(self, name: str) -> None:
        """Change the name."""
        self.name = name

    def set_display_name(self, name: str) -> None:
        """Change the name that is shown."""
        self.dispname = name

    def set_latex_name(self, name: str) -> None:
        """Change the name in LaTeX."""
        self.latexname = name

    def __array_finalize__(self, obj: Any) -> None:
        super().__array_finalize__(obj)
        self.name, self.dispname, self.latexname, self.scale = (
            getattr(obj, "name", ""), getattr(obj, "dispname", ""), getattr(obj, "latexname", ""),
            getattr(obj, "scale", 0),
        )  # fmt: skip

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Unit):
            return _composed(self, other, "*")
        return Quantity.__mul__(self.view(Quantity), other)

    def __rmul__(self, other: Any) -> Any:
        return Quantity.__rmul__(self.view(Quantity), other)

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Unit):
            return _composed(self, other, "/")
        return Quantity.__truediv__(self.view(Quantity), other)

    def __pow__(self, other: Any, modulo: Any = None) -> Any:
        if is_scalar_type(other) and is_dimensionless(other):
            power = float(other)
            shown = int(power) if power == int(power) else power
            with np.errstate(over="ignore", under="ignore"):
                value = float(np.float64(self) ** power)
            name = f"{_bracketed(self.name)} ** {shown}"
            return Unit(value, self.dim**power, 0, name, f"{_bracketed(self.dispname)}^{shown}")
        return super().__pow__(other)

    def __reduce__(self) -> Any:
        return (Unit, (float(self), self.dim, self.scale, self.name, self.dispname, self.latexname))

    def __deepcopy__(self, memo: Any) -> Unit:
        return self

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.dispname

    def _repr_latex_(self) -> str:
        return f"${self.latexname}$"


def _bracketed(name: str) -> str:
    return f"({name})" if any(c in name for c in "*/^ ") else name


def _composed(a: Unit, b: Unit, op: str) -> Unit:
    right = _bracketed(b.name) if op == "/" else b.name
    right_shown = _bracketed(b.dispname) if op == "/" else b.dispname
    value = float(a) * float(b) if op == "*" else float(a) / float(b)
    dim = a.dim * b.dim if op == "*" else a.dim / b.dim
    shown = " " if op == "*" else "/"
    return Unit(value, dim, 0, f"{a.name} {op} {right}", f"{a.dispname}{shown}{right_shown}")


def quantity_with_dimensions(floatval: Any, dims: Dimension) -> Any:
    """A quantity of this dimension; a plain value if there is none."""
    return wrap(np.asarray(floatval, float), dims) if dims is not DIMENSIONLESS else floatval


def get_unit(d: Any) -> Any:
    """The SI unit of a dimension (or of a value's dimension)."""
    from eccles.units.names import si_unit

    return si_unit(get_dimensions(d))


def get_best_unit(value: Any) -> Any:
    """The unit in which a value reads best."""
    from eccles.units.names import best_unit

    return best_unit(Quantity(value))


def in_unit(x: Any, u: Any, precision: int | None = None) -> str:
    """A value in a given unit, as text."""
    return Quantity(x).in_unit(u, precision)


def in_best_unit(x: Any, precision: int | None = None) -> str:
    """A value in the unit in which it reads best, as text."""
    return Quantity(x).in_best_unit(precision)
