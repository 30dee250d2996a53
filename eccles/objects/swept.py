"""Swept values: what a model function gets in place of the numbers that a sweep varies.

A model is called once for all conditions of equal structure. A `Swept` stands for one number (or array)
per value of its axes, with a unit; arithmetic with it gives another. Where one reaches something that a
condition can set, such as a constant of the equations, an initial value, a weight, a rate or a delay, this is
noted as a `Setting`, to be made in each condition. Anything else that asks a swept value for its number
(`int`, `if`, `len`, an index, NumPy functions that are no ufuncs) raises `Structural`: then the
model has to be called once for each value. So nothing is ever silently wrong.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import chain, product
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from eccles.errors import SetupError
from eccles.units import DIMENSIONLESS, Dimension, get_dimensions

__all__ = [
    "FIRST", "Call", "Concrete", "NotRunYet", "Setting", "Structural", "Swept", "Tracer", "Write", "axes_of",
    "called_values", "first_values", "refuse_swept", "tracer", "tracing", "value_at", "words_in",
]  # fmt: skip


class Structural(BaseException):
    """A swept value was used in a way that needs a model of its own for each value.

    Not an `Exception`, so that no `except Exception` of a model hides it.
    """

    def __init__(self, axes: frozenset[str], use: str) -> None:
        super().__init__(f"{', '.join(sorted(axes))}: {use}")
        self.axes = axes
        self.use = use


class NotRunYet(BaseException):
    """A model asks for values after its `run()`, which only each condition will know."""


class Swept(NDArrayOperatorsMixin):
    """A value for each combination of some axes.

    Parameters
    ----------
    values : array or Quantity, (size of each axis, ..., *shape)
        Or an object array with one array per combination, where their shapes differ.
    axes : tuple of str
        The names of the leading dimensions.
    """

    __array_priority__ = 1000  # before quantities and views of variables

    def __init__(self, values: Any, axes: tuple[str, ...]) -> None:
        self.values = values
        self.axes = axes
        self.ragged = getattr(values, "dtype", np.dtype(float)).kind == "O"

    def __hash__(self) -> int:
        raise self._structural("it is looked up in a dict or set")

    @property
    def sizes(self) -> dict[str, int]:
        """The number of values along each axis."""
        return dict(zip(self.axes, self.values.shape, strict=False))

    @property
    def dim(self) -> Dimension:
        """The physical dimension."""
        return get_dimensions(self.values.flat[0] if self.ragged else self.values)

    dimensions = dim

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one value."""
        if self.ragged:
            raise self._structural("its shape is asked for")
        return self.values.shape[len(self.axes) :]

    @property
    def ndim(self) -> int:
        """The number of dimensions of one value."""
        return np.ndim(self.values.flat[0]) if self.ragged else len(self.shape)

    def at(self, where: Mapping[str, int]) -> Any:
        """The value of one condition, given its position along each axis."""
        found = self.values[tuple(where[axis] for axis in self.axes)]
        return found.copy() if isinstance(found, np.ndarray) else found

    @property
    def first(self) -> Any:
        """The value of the first condition."""
        return self.at(dict.fromkeys(self.axes, 0))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or "out" in kwargs:
            raise self._structural(f"np.{ufunc.__name__}.{method} needs its number")
        inputs = tuple(x._value() if hasattr(x, "_value") else x for x in inputs)  # views of variables
        swept = [x for x in inputs if isinstance(x, Swept)]
        if any(isinstance(x, list | tuple) for x in inputs):
            for x in swept:
                if not x.ragged and x.ndim == 0 and x.dim is DIMENSIONLESS:
                    raise x._structural("it may be how often a list is repeated")
        sizes = {axis: n for x in swept for axis, n in x.sizes.items()}
        axes = tuple(sizes)
        if any(x.ragged for x in swept):
            return _one_by_one(ufunc, inputs, sizes, kwargs)
        rank = max(x.ndim if isinstance(x, Swept) else np.ndim(x) for x in inputs)
        aligned = [x.aligned(axes, rank) if isinstance(x, Swept) else x for x in inputs]
        result = ufunc(*aligned, **kwargs)
        if isinstance(result, tuple):
            return tuple(Swept(part, axes) for part in result)
        return Swept(result, axes)

    def aligned(self, axes: tuple[str, ...], rank: int) -> Any:
        """The values with these axes first, then dimensions up to `rank` of each value."""
        sizes = self.sizes
        own = [axis for axis in axes if axis in sizes]
        order = [self.axes.index(axis) for axis in own] + list(range(len(self.axes), self.values.ndim))
        shape = [sizes.get(axis, 1) for axis in axes] + [1] * (rank - self.ndim) + list(self.shape)
        return self.values.transpose(order).reshape(shape)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        raise self._structural(f"np.{func.__name__} needs its number")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise self._structural("it is put into an array")

    def _structural(self, use: str) -> Structural:
        return Structural(frozenset(self.axes), use)

    def __bool__(self) -> bool:
        raise self._structural("its truth is asked for")

    def __int__(self) -> int:
        raise self._structural("it is used as an integer")

    def __index__(self) -> int:
        raise self._structural("it is used as a size or an index")

    def __float__(self) -> float:
        raise self._structural("it is used as a plain number")

    def __trunc__(self) -> int:
        raise self._structural("it is used as an integer")

    def __round__(self, digits: int | None = None) -> Any:
        raise self._structural("it is rounded")

    def __len__(self) -> int:
        raise self._structural("its length is asked for")

    def __iter__(self) -> Iterator[Any]:
        raise self._structural("it is iterated over")

    def __getitem__(self, item: Any) -> Swept:
        if isinstance(item, Swept) or self.ragged or self.ndim == 0:
            raise self._structural("a part of it is taken")
        item = item if isinstance(item, tuple) else (item,)
        return Swept(self.values[(slice(None),) * len(self.axes) + item], self.axes)

    def __format__(self, spec: str) -> str:
        raise self._structural("it is put into text")

    def __str__(self) -> str:
        raise self._structural("it is put into text")

    def __repr__(self) -> str:
        return f"<a value for each {' and '.join(self.axes)}>"


def _one_by_one(ufunc: np.ufunc, inputs: tuple[Any, ...], sizes: dict[str, int], options: Any) -> Swept:
    results = np.empty(tuple(sizes.values()), dtype=object)
    for position in product(*map(range, sizes.values())):
        where = dict(zip(sizes, position, strict=True))
        values = [x.at(where) if isinstance(x, Swept) else x for x in inputs]
        results[position] = ufunc(*values, **options)
    return Swept(results, tuple(sizes))


def words_in(*texts: Any) -> list[str]:
    """Names and functions in those of the arguments that are text, each once."""
    found = {word for text in texts if isinstance(text, str) for word in re.findall(r"[^\W\d]\w*", text)}
    return sorted(found)


def value_at(value: Any, where: Mapping[str, int]) -> Any:
    """A value in one condition, whether it is swept or not."""
    if isinstance(value, Swept):
        return value.at(where)
    if isinstance(value, list | tuple) and axes_of(value):
        return type(value)(value_at(part, where) for part in value)
    return value


def axes_of(value: Any) -> frozenset[str]:
    """The axes that a value varies along."""
    if isinstance(value, Swept):
        return frozenset(value.axes)
    if isinstance(value, list | tuple):
        return frozenset().union(*map(axes_of, value))
    return frozenset()


@dataclass(frozen=True, eq=False)
class Write:
    """A variable was written: `group.name[item] = value`.

    Attributes
    ----------
    group : Group
        Whose variable it is; also a part of a group, or synapses.
    units : bool
        Whether it was written with units (`group.v`) or without (`group.v_`).
    names : mapping
        For text: what the names in it stand for.
    """

    group: Any
    name: str
    units: bool
    item: Any
    value: Any
    names: Mapping[str, Any] = field(default_factory=dict)

    @property
    def axes(self) -> frozenset[str]:
        """The axes that what is written varies along, as far as they can be seen here."""
        return axes_of(self.value) | axes_of(list(self.names.values())) | axes_of(self.item)

    @property
    def is_text(self) -> bool:
        """Whether text is evaluated: it may read variables, and draw random numbers."""
        return isinstance(self.value, str) or isinstance(self.item, str)

    @property
    def words(self) -> list[str]:
        """The names and functions in the text."""
        return words_in(self.item, self.value)

    def apply(self, where: Mapping[str, int]) -> None:
        """Write what the condition has."""
        from eccles.objects import magic

        with magic.given_names({name: value_at(value, where) for name, value in self.names.items()}):
            view = self.group.view(self.name, units=self.units)
            view[value_at(self.item, where)] = value_at(self.value, where)


@dataclass(frozen=True, eq=False)
class Call:
    """A method is called with what the condition has: `obj.method(*args)`."""

    obj: Any
    method: str
    args: tuple[Any, ...]

    @property
    def axes(self) -> frozenset[str]:
        """The axes that the arguments vary along."""
        return axes_of(self.args)

    def apply(self, where: Mapping[str, int]) -> None:
        """Call the method."""
        getattr(self.obj, self.method)(*value_at(self.args, where))


Setting = Write | Call


class Tracer:
    """Notes what a model function does with swept values.

    Attributes
    ----------
    phases : list of list of Setting
        The settings before the first run, between it and the next one, and so on, in order.
    random_axes : frozenset of str
        The axes along which random numbers differ.

    Parameters
    ----------
    on_run : callable
        Takes the place of running: called with the network, the seconds, the namespace and the level.
    first_random_numbers : callable
        Returns a context in which random numbers are those of the first condition.
    """

    def __init__(
        self,
        on_run: Callable[..., None],
        random_axes: frozenset[str] = frozenset(),
        first_random_numbers: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.phases: list[list[Setting]] = [[]]
        self._on_run = on_run
        self.random_axes = random_axes
        self._first_random_numbers = first_random_numbers
        self._inside = 0  # a setting that is being made: what it writes is part of it
        self._before: dict[tuple[int, str], Write] = {}  # what variables had that are written

    def run(self, network: Any, seconds: float, namespace: Any, level: int) -> None:
        """The model runs a network; what it sets from now on comes after this run."""
        if len(self.phases) == 1 and any(_looks_back(setting) for setting in self.phases[0]):
            self.phases[0][:0] = self._before.values()
        self._on_run(network, seconds, namespace, level)
        self.phases.append([])

    def note(self, call: Call) -> None:
        """Note a call; it takes the place of an earlier one that differs in the swept value only."""
        self.phases[-1] = [
            s for s in self.phases[-1]
            if not (isinstance(s, Call) and s.obj is call.obj and s.method == call.method
                    and all(x is y or (isinstance(x, str) and x == y)
                            for x, y in zip(s.args[1:], call.args[1:], strict=True)))
        ]  # fmt: skip
        self.phases[-1].append(call)

    def write(self, write: Write) -> None:
        """Note that a variable is written, and write what the first condition has."""
        self._inside += 1
        try:
            self._keep_before(write)
            with self._first_random_numbers():
                write.apply(FIRST)
        finally:
            self._inside -= 1
        self.phases[-1].append(write)

    def _keep_before(self, write: Write) -> None:
        """Note what a variable has before it is written for the first time.

        The network is left with what the first condition writes, and conditions begin with that. Text may
        read what was there before (`G.v = "v + a"`), and what a swept index does not choose stays.
        """
        whole = write.group.whole
        key = (id(whole), write.name)
        if len(self.phases) > 1 or key in self._before:
            return
        values = np.array(whole.view(write.name, units=False).read(None))
        if values.size:
            value = values.flat[0].item() if (values == values.flat[0]).all() else values
            self._before[key] = Write(whole, write.name, False, slice(None), value)

    def varies(self, group: Any = None, name: str | None = None) -> frozenset[str]:
        """The axes along which a variable of a group (any of a group, any at all) may vary by now."""
        found: set[str] = set()
        for setting in chain.from_iterable(self.phases):
            if isinstance(setting, Write):
                elsewhere = group is not None and setting.group.whole is not group.whole
                if elsewhere and not setting.name.endswith(("_pre", "_post")):
                    continue
                if name is not None and not elsewhere and setting.name != name:
                    continue
            elif name is not None or (group is not None and _of_another(setting.obj, group)):
                continue  # a call changes no stored variable, but what subexpressions make of it
            found |= self.axes_of(setting)
        return frozenset(found)

    def axes_of(self, setting: Setting) -> frozenset[str]:
        """The axes that a setting varies along."""
        axes = setting.axes
        if isinstance(setting, Write) and setting.is_text:
            axes |= self.random_axes
        return axes

    @property
    def listens(self) -> bool:
        """Whether what is written now was asked for by the model itself."""
        return self._inside == 0


def _looks_back(setting: Setting) -> bool:
    """Whether what a setting does depends on what is there already."""
    return isinstance(setting, Write) and bool(setting.is_text or axes_of(setting.item))


def _of_another(obj: Any, group: Any) -> bool:
    """Whether an object is a group other than this one."""
    whole = getattr(obj, "whole", None)
    return whole is not None and whole is not group.whole


class _First(Mapping[str, int]):
    """Position 0 along all axes."""

    def __getitem__(self, axis: str) -> int:
        return 0

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


FIRST: Mapping[str, int] = _First()  # the first condition

_state = threading.local()


def tracer() -> Tracer | None:
    """What notes swept values now; None outside of a sweep."""
    found: Tracer | None = getattr(_state, "tracer", None)
    return found if found is not None and found.listens else None


@contextmanager
def tracing(new: Tracer) -> Iterator[Tracer]:
    """Models that are made within belong to a sweep."""
    before = getattr(_state, "tracer", None)
    _state.tracer = new
    try:
        yield new
    finally:
        _state.tracer = before


def first_values(obj: Any, method: str, *args: Any) -> tuple[Any, ...]:
    """The arguments to begin with; if some are swept, `obj.method(*args)` is called in each condition."""
    if not axes_of(args):
        return args
    found = tracer()
    if found is None:
        raise SetupError(
            "a swept value was used outside of the sweep that it belongs to",
            hint="Use the parameters of a model only within the call of the model.",
        )
    found.note(Call(obj, method, args))
    return value_at(args, FIRST)


def called_values(obj: Any, method: str, *args: Any) -> tuple[Any, ...]:
    """As `first_values`, for calls that users make: between two runs, each condition has to do them."""
    found = tracer()
    if found is None or len(found.phases) == 1 or axes_of(args):
        return first_values(obj, method, *args)
    found.note(Call(obj, method, args))
    return args


def refuse_swept(use: str, group: Any = None, name: str | None = None) -> None:
    """Raise `Structural` if a variable (of a group, of this name) varies, as its values are needed now."""
    found = tracer()
    if found is not None:
        if len(found.phases) > 1:
            raise NotRunYet(use)
        axes = found.varies(group, name)
        if axes:
            raise Structural(axes, use)


class Concrete(Mapping[str, Any]):
    """Names of a script, of which none may stand for a swept value."""

    def __init__(self, names: Mapping[str, Any], use: str) -> None:
        self._names = names
        self._use = use

    def __getitem__(self, name: str) -> Any:
        value = self._names[name]
        if isinstance(value, Swept):
            raise Structural(frozenset(value.axes), f"'{name}' is used in {self._use}")
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
