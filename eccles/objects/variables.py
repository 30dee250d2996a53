"""The variables of a group and the handle through which users read and write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from eccles.compile.ir import Element
from eccles.engine.state import Array
from eccles.errors import DimensionMismatchError, SetupError
from eccles.objects import magic
from eccles.objects.swept import Write, refuse_swept, tracer, words_in
from eccles.units import DIMENSIONLESS, Dimension, Quantity, get_dimensions

__all__ = ["ELEMENTS", "Variable", "VariableView", "bare", "elements", "positions_of"]

ELEMENTS = {"float": Element.F64, "integer": Element.I32, "boolean": Element.U8}


@dataclass
class Variable:
    """One variable of a group: an array with a dimension and what may be done with it."""

    name: str
    dim: Dimension
    type: str  # 'float', 'integer' or 'boolean'
    array: Array
    shared: bool = False  # one value for all elements
    constant: bool = False  # does not change during a run
    read_only: bool = False
    unless_refractory: bool = False


def bare(value: Any, variable_name: str, dim: Dimension, owner: str) -> np.ndarray:
    """The number(s) in SI units, checked to have the variable's dimension.

    Zero fits every dimension, as an initial value it means the same in all of them.
    """
    given = get_dimensions(value)
    array = _numbers(value, variable_name, owner)
    if given is not dim and not (given is DIMENSIONLESS and not np.any(array)):
        raise _mismatch(value, given, variable_name, dim, owner)
    return array


def _numbers(value: Any, variable_name: str, owner: str) -> np.ndarray:
    """The value as an array of real numbers or truth values."""
    try:
        array = np.asarray(value)
    except ValueError:  # nested sequences of different lengths
        array = np.zeros(0, object)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{owner}.{variable_name} needs numbers, not {value!r}")
    return array


def _mismatch(value: Any, given: Dimension, name: str, dim: Dimension, owner: str) -> DimensionMismatchError:
    several = np.ndim(value) > 0
    shown = "the list of values" if several else str(value)
    if given is DIMENSIONLESS:
        message = f"{owner}.{name} is {dim.friendly()}, but {shown} has no unit"
        number = "[...]" if several else shown
        hint = f"Give it a unit, for example {name} = {number}*{dim.example_unit()}."
    elif dim is DIMENSIONLESS:
        message = f"{owner}.{name} has no unit (it was declared as ': 1'), but {shown} is {given.friendly()}"
        hint = (
            f"Either give a plain number, or declare the variable with a unit in the equations, "
            f"as in '... : {given.example_unit(scaled=False)}'."
        )
    else:
        message = f"{owner}.{name} is {dim.friendly()}, but {shown} is {given.friendly()}"
        hint = "Check the unit of the value, or the unit of the variable in the equations."
    return DimensionMismatchError(message, given, dim, hint=hint)


class VariableView(NDArrayOperatorsMixin):
    """A variable of a group, as `group.v`: reads and writes with units.

    Behaves like an array of quantities in arithmetic and NumPy functions. Indices may be integers,
    slices, arrays, truth values per element, or a condition as text: `group.v['i < 10'] = 'rand()*mV'`.
    `group.v_` is the same without units.

    Parameters
    ----------
    name, dim
        What it is called and measured in.
    owner : str
        The group's name, for messages.
    read : callable
        `read(indices) -> numpy.ndarray`; `indices` is None for all elements.
    write : callable or None
        `write(indices, bare values)`; None where the variable cannot be written.
    indices : callable
        `indices(item) -> (positions or None, is_scalar)`.
    assign_text : callable
        `assign_text(item, text)` evaluates text per element and stores it.
    """

    group: Any = None  # whose variable it is, where the user asked for it as `group.v`
    __array_priority__ = 10  # before ndarray, so that `quantity + view` comes here

    def __init__(
        self,
        name: str,
        dim: Dimension,
        owner: str,
        *,
        size: Callable[[], int],
        read: Callable[[np.ndarray | None], np.ndarray],
        write: Callable[[np.ndarray | None, np.ndarray], None] | None,
        indices: Callable[[Any], tuple[np.ndarray | None, bool]],
        assign_text: Callable[[Any, str], None],
        shared: bool = False,
        units: bool = True,
        why_read_only: str = "",
    ) -> None:
        self.name = name
        self.dim = dim
        self._owner = owner
        self._size = size
        self.read = read
        self.write = write
        self._indices = indices
        self._assign_text = assign_text
        self.shared = shared
        self._units = units
        self.why_read_only = why_read_only

    # -- reading --------------------------------------------------------------------------------

    def _with_unit(self, values: np.ndarray) -> Any:
        if self._units and self.dim is not DIMENSIONLESS:
            return Quantity(values, dim=self.dim)
        return values

    def _refuse_swept(self) -> None:
        """In a sweep, the values of a variable that conditions set differently are not one array."""
        if self.group is not None:
            stored = self.name in {v.name for v in self.group.whole.variables()}
            refuse_swept(
                f"{self._owner}.{self.name} is read",
                self.group if stored else None, self.name if stored else None,
            )  # fmt: skip

    def __getitem__(self, item: Any) -> Any:
        self._refuse_swept()
        if isinstance(item, tuple) and any(part is None for part in item):
            return self._value()[item]  # a new axis, as drawing functions make one
        if self.shared:
            whole = item is Ellipsis or (isinstance(item, slice) and item == slice(None))
            if not (whole or (not isinstance(item, slice) and np.ndim(item) == 0 and item == 0)):
                raise IndexError(
                    f"{self._owner}.{self.name} is shared by all elements: it has a single value"
                )
            return self._with_unit(self.read(None)[0])
        positions, scalar = self._indices(item)
        values = self.read(positions)
        return self._with_unit(values[0] if scalar else values)

    def get_item(self, item: Any, level: int = 0) -> Any:
        """The same as `view[item]`."""
        return self[item]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        self._refuse_swept()
        values = self.read(None)
        values = values[0] if self.shared else values
        return np.array(values, dtype=dtype)

    def _value(self) -> Any:
        return self[:]

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        values = [x._value() if isinstance(x, VariableView) else x for x in inputs]
        (target,) = kwargs.pop("out", (None,))
        if not isinstance(target, VariableView):
            return getattr(ufunc, method)(*values, **kwargs, **({} if target is None else {"out": target}))
        target[:] = getattr(ufunc, method)(*values, **kwargs)  # in place, as in `group.v //= 2`
        return target

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        def plain(x: Any) -> Any:
            if isinstance(x, VariableView):
                return x._value()
            if isinstance(x, list | tuple):
                return type(x)(plain(y) for y in x)
            return x

        return func(*plain(args), **{key: plain(value) for key, value in kwargs.items()})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._value(), name)  # mean(), sum(), in_unit() ... of the values

    def __len__(self) -> int:
        if self.shared:
            raise TypeError(f"{self._owner}.{self.name} is shared: it has a single value, not a length")
        return self._size()

    def __iter__(self) -> Any:
        return iter(self._value())

    def __float__(self) -> float:
        return float(np.asarray(self))

    def __int__(self) -> int:
        return int(np.asarray(self))

    def __bool__(self) -> bool:
        return bool(np.asarray(self))

    @property
    def shape(self) -> tuple[int, ...]:
        """`(n,)`, or `()` for a shared variable."""
        return () if self.shared else (self._size(),)

    @property
    def ndim(self) -> int:
        """The number of dimensions of the values."""
        return len(self.shape)

    @property
    def dimensions(self) -> Dimension:
        """The physical dimension (also `.dim`)."""
        return self.dim

    @property
    def unit(self) -> Any:
        """The SI unit of the variable."""
        return Quantity(1.0, dim=self.dim) if self.dim is not DIMENSIONLESS else 1.0

    def __repr__(self) -> str:
        underscore = "" if self._units else "_"
        return f"<{self._owner}.{self.name}{underscore}: {self._value()!r}>"

    # -- writing --------------------------------------------------------------------------------

    def __setitem__(self, item: Any, value: Any) -> None:
        if self.write is None:
            raise TypeError(
                f"{self._owner}.{self.name} cannot be set"
                + (f": {self.why_read_only}" if self.why_read_only else "")
            )
        sweep = tracer()
        if sweep is not None and self.group is not None:
            value = value._value() if isinstance(value, VariableView) else value
            sweep.write(
                Write(self.group, self.name, self._units, item, value, _used_names(self.group, item, value))
            )
            return
        if isinstance(value, str):
            self._assign_text(item, value)
            return
        if isinstance(value, VariableView):
            value = value._value()
        if self._units:
            values = bare(value, self.name, self.dim, self._owner)
        else:
            values = _numbers(value, self.name, self._owner)
        if self.shared:
            if values.size != 1:
                raise SetupError(
                    f"{self._owner}.{self.name} is shared by all elements: "
                    f"it takes one value, not {values.size}"
                )
            self.write(None, values.reshape(1))
            return
        positions, _ = self._indices(item)
        wanted = self._size() if positions is None else len(positions)
        if values.ndim > 1 or (values.ndim == 1 and values.shape[0] not in (1, wanted)):
            raise SetupError(
                f"{self._owner}.{self.name} takes {wanted} value{'s' if wanted != 1 else ''} here, "
                f"but got {values.size if values.ndim == 1 else f'an array of shape {values.shape}'}"
            )
        self.write(positions, values)

    def set_item(self, item: Any, value: Any, level: int = 0) -> None:
        """The same as `view[item] = value`."""
        self[item] = value


def _used_names(group: Any, *texts: Any) -> dict[str, Any]:
    """What the names in texts about a group stand for."""
    words = words_in(*texts)
    if not words:
        return {}
    names = magic.users_names() if group.namespace is None else group.namespace
    return {word: names[word] for word in words if word in names}


def elements(size: int) -> str:
    """How many elements there are, and their indices, for messages."""
    return "1 element (index 0)" if size == 1 else f"{size} elements (0 to {size - 1})"


def positions_of(item: Any, size: int, owner: str) -> tuple[np.ndarray | None, bool]:
    """The positions an index means, and whether it means one element alone.

    Raises
    ------
    IndexError
        If an index is out of range or is neither an integer nor a truth value per element.
    """
    if item is Ellipsis or (isinstance(item, slice) and item == slice(None)):
        return None, False
    if isinstance(item, slice):
        try:
            return np.arange(*item.indices(size)), False
        except (TypeError, ValueError) as error:  # parts that are no integers; a step of 0
            raise IndexError(f"{item} is no index into {owner}: {error}") from None
    if isinstance(item, tuple):
        raise IndexError(f"{owner} has one dimension, but got {len(item)} indices")
    array = np.asarray(item)
    if array.dtype == bool:
        if array.shape != (size,):
            raise IndexError(f"{owner} has {size} elements, but got {array.size} truth values")
        return np.flatnonzero(array), False
    if array.size == 0:
        return np.zeros(0, np.int64), False
    if not np.issubdtype(array.dtype, np.integer):
        raise IndexError(f"an index into {owner} has to be an integer, not {item!r}")
    flat = array.reshape(-1).astype(np.int64)
    if flat.min() < -size or flat.max() >= size:
        wrong = flat[(flat < -size) | (flat >= size)][0]
        raise IndexError(f"{owner} has {elements(size)}, so there is none with index {wrong}")
    return np.where(flat < 0, flat + size, flat), array.ndim == 0
