"""Checking the units of a function's arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from eccles.errors import DimensionMismatchError
from eccles.units.dimension import DIMENSIONLESS
from eccles.units.quantity import Quantity, fits_any, get_dimensions, wrap

__all__ = ["check_units", "declare_types"]


def check_units(**units: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: check the units of arguments and of the result.

    Parameters
    ----------
    **units
        For each argument (and for `result`) a unit; 1 for a number without unit; `bool` for a truth
        value; None for no check; or the name of another argument whose unit it has to share. `result`
        may be a function of the arguments' units.

    Raises
    ------
    DimensionMismatchError, TypeError
        When the function is called with the wrong units.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        names = list(inspect.signature(function).parameters)

        @functools.wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            given = dict(zip(names, args, strict=False)) | kwargs
            for name, value in given.items():
                _check_argument(function.__name__, name, value, units.get(name), given)
            result = function(*args, **kwargs)
            _check_result(function.__name__, result, units.get("result"), [given.get(n) for n in names])
            return result

        checked._orig_func = function  # type: ignore[attr-defined]
        checked._arg_units = [units.get(name) for name in names]  # type: ignore[attr-defined]
        checked._arg_names = names  # type: ignore[attr-defined]
        checked._return_unit = units.get("result")  # type: ignore[attr-defined]
        return checked

    return decorate


def _check_argument(function: str, name: str, value: Any, unit: Any, given: dict[str, Any]) -> None:
    if unit is None or isinstance(value, str):
        return
    if unit is bool:
        if not isinstance(value, bool | np.bool_) and np.asarray(value).dtype != bool:
            raise TypeError(f"{function}: '{name}' has to be a truth value, not {value!r}")
        return
    if isinstance(unit, str):
        wanted, how = get_dimensions(given.get(unit)), f"the unit of '{unit}', "
    else:
        wanted, how = get_dimensions(unit), ""
    found = get_dimensions(value)
    if value is None or (found is wanted and (wanted is not DIMENSIONLESS or _is_numeric(value))):
        return
    if not _is_numeric(value):
        raise TypeError(f"{function}: '{name}' needs {how}{wanted.friendly()}, not {value!r}")
    if found is DIMENSIONLESS and fits_any(value):
        return
    raise DimensionMismatchError(
        f"{function}: '{name}' needs {how}{wanted.friendly()}, but got {found.friendly()} ({value})",
        found, wanted,
    )  # fmt: skip


def _is_numeric(value: Any) -> bool:
    return isinstance(value, Quantity) or np.asarray(value).dtype.kind in "fiubc"


def _check_result(function: str, result: Any, unit: Any, args: list[Any]) -> None:
    if unit is None:
        return
    if unit is bool:
        if not isinstance(result, bool | np.bool_) and np.asarray(result).dtype != bool:
            raise TypeError(f"{function} has to return a truth value, not {result!r}")
        return
    if callable(unit) and not isinstance(unit, Quantity):
        unit = unit(*(wrap(np.ones(()), get_dimensions(a)) for a in args))
    if get_dimensions(result) is not get_dimensions(unit):
        raise DimensionMismatchError(
            f"{function} has to return {get_dimensions(unit).friendly()}, but returned "
            f"{get_dimensions(result).friendly()}",
            get_dimensions(result), get_dimensions(unit),
        )  # fmt: skip


def declare_types(**types: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: say which arguments (and `result`) are 'integer', 'float', 'boolean' or 'any'."""
    known = {"integer", "float", "boolean", "any", "highest"}
    for name, kind in types.items():
        if kind not in known:
            raise ValueError(f"type of '{name}' has to be one of {', '.join(sorted(known))}, not '{kind}'")

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        names = list(inspect.signature(function).parameters)
        function._arg_types = [types.get(name, "any") for name in names]  # type: ignore[attr-defined]
        function._return_type = types.get("result", "float")  # type: ignore[attr-defined]
        return function

    return decorate
