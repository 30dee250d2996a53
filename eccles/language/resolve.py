"""What names outside the model mean: values of the script, default constants, units."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from eccles.errors import ModelError, NameResolutionError, warn
from eccles.language.check import Symbol
from eccles.language.functions import UserFunction, compile_python_function
from eccles.units import DIMENSIONLESS, Quantity, get_dimensions
from eccles.units.names import unit_named
from eccles.units.quantity import as_quantity

__all__ = ["Namespace", "default_symbol", "external_symbol"]

CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf}


def default_symbol(name: str) -> Symbol | None:
    """What a name means without any script: a constant or a unit."""
    if name in CONSTANTS:
        return Symbol(name, DIMENSIONLESS, "float", "constant", CONSTANTS[name], writable=False, shared=True)
    unit = unit_named(name)
    if unit is not None:
        return Symbol(name, unit.dim, "float", "constant", float(unit), writable=False, shared=True)
    return None


def is_model_function(value: Any) -> bool:
    """Whether a value has what a call in model text needs."""
    return all(callable(getattr(value, part, None)) for part in ("dims", "types", "evaluate"))


def external_symbol(name: str, value: Any) -> Any:
    """A value of the script as a constant `Symbol`, or as a function for model text.

    Raises
    ------
    NameResolutionError
        If it can be neither: an array, text, an object.
    ModelError
        If it is a Python function that cannot be compiled.
    """
    if isinstance(value, UserFunction) or is_model_function(value):
        return value
    if inspect.isfunction(value):
        return _compiled(value)
    value = as_quantity(value)
    if isinstance(value, int) and abs(value) > 10**300:
        raise NameResolutionError(
            f"'{name}' is too large to be used in model text", hint="Numbers up to 1e308 are possible."
        )
    if isinstance(value, bool | np.bool_):
        return Symbol(name, DIMENSIONLESS, "boolean", "constant", bool(value), writable=False, shared=True)
    if isinstance(value, int | float | np.integer | np.floating | np.ndarray):
        array = np.asarray(value)
        if array.size == 1 and array.ndim == 0 and array.dtype.kind in "fiub":
            dim = get_dimensions(value)
            if array.dtype.kind == "b":
                return Symbol(name, dim, "boolean", "constant", bool(array), writable=False, shared=True)
            integer = array.dtype.kind in "iu" and not isinstance(value, Quantity)
            if integer and abs(int(array)) >= 2**63:
                integer = False
            number = int(array) if integer else float(array)
            return Symbol(
                name, dim, "integer" if integer else "float", "constant", number, writable=False, shared=True
            )
        raise NameResolutionError(
            f"'{name}' is an array of {array.size} values, not a scalar value, "
            "so it cannot be used in model text",
            hint=f"Make it a parameter: add the line '{name} : unit' to the equations "
            f"and set group.{name} = {name}; "
            f"for values that change in time use TimedArray({name}, dt=...).",
        )
    raise NameResolutionError(
        f"'{name}' is a {type(value).__name__}, which cannot be used in model text",
        hint="Use a number, a quantity, a function or a TimedArray.",
    )


_functions: dict[int, tuple[Any, UserFunction]] = {}
_under_way: set[int] = set()


def _compiled(function: Any) -> UserFunction:
    """Compile a Python function once."""
    found = _functions.get(id(function))
    if found is not None and found[0] is function:
        return found[1]
    if id(function) in _under_way:
        raise ModelError(
            f"the function '{function.__name__}' calls itself through another one",
            hint="Write it without recursion: it is compiled with the model.",
        )
    _under_way.add(id(function))
    try:
        compiled = compile_python_function(function)
    finally:
        _under_way.discard(id(function))
    if len(_functions) > 200:
        _functions.clear()
    _functions[id(function)] = (function, compiled)
    return compiled


class Namespace:
    """The order in which names outside a group are looked up.

    Parameters
    ----------
    values : mapping
        The namespace of the group, or the names that the calling script sees.
    group : str
        For warnings.
    """

    def __init__(self, values: Mapping[str, Any], *, group: str = "") -> None:
        self._values = values
        self._group = group

    def lookup(self, name: str) -> Any:
        """A constant `Symbol` or a function; None if the name means nothing.

        Raises
        ------
        NameResolutionError
            If the script has a value of this name that model text cannot use.
        """
        default = default_symbol(name)
        if name in self._values:
            value = self._values[name]
            if default is None:
                return external_symbol(name, value)
            try:
                found = external_symbol(name, value)
            except NameResolutionError:
                return default
            if isinstance(found, Symbol) and (found.value != default.value or found.dim is not default.dim):
                if unit_named(name) is not None and not isinstance(value, Quantity):
                    warn(
                        "resolution_conflict",
                        f"'{name}' is a unit, but the script also has a value of that name; "
                        "the script's is used",
                    )
                return found
            return default
        return default
