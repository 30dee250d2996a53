"""Functions that model text calls, as data: trees of users' Python functions, values of `TimedArray`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from eccles.errors import SetupError
from eccles.language.check import Symbol
from eccles.language.functions import UserFunction
from eccles.language.nodes import Assignment
from eccles.language.parser import parse_expression, parse_statements
from eccles.language.resolve import external_symbol
from eccles.objects.description.form import (
    constant_of,
    constant_to_data,
    damaged,
    dimension_of,
    dimension_to_data,
    number_of,
    number_to_data,
    same_when_read,
    take,
)
from eccles.objects.naming import these_names
from eccles.objects.timed import TimedArray
from eccles.units import Quantity, get_dimensions, second

__all__ = ["FunctionReader", "FunctionWriter", "statements_to_text"]


def statements_to_text(statements: tuple[Assignment, ...], what: str) -> str:
    """Assignments, one a line."""
    text = "\n".join(f"{a.target} {a.op} {a.value}" for a in statements)
    return same_when_read(text, statements, parse_statements, what)


class FunctionWriter:
    """Collects the functions of a network, each once, before those that call it.

    Attributes
    ----------
    data : list of dict
    arrays : dict of str to array
    """

    def __init__(self) -> None:
        self.data: list[dict[str, Any]] = []
        self.arrays: dict[str, np.ndarray] = {}
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []  # so that no number is given twice

    def names_to_data(self, meanings: Mapping[str, Any], owner: str) -> dict[str, Any]:
        """What names stand for."""
        return {name: self._meaning(name, meanings[name], owner) for name in sorted(meanings)}

    def _meaning(self, name: str, meaning: Any, owner: str) -> dict[str, Any]:
        if isinstance(meaning, Symbol):
            return constant_to_data(meaning)
        if id(meaning) not in self._numbers:
            if isinstance(meaning, TimedArray):
                data = self._timed_array(meaning)
            elif isinstance(meaning, UserFunction):
                data = self._user_function(meaning)
            else:
                raise SetupError(
                    f"'{name}' in the model text of {owner} is a {type(meaning).__name__}, which is no data",
                    hint="Use a TimedArray, or a function that is compiled with the model.",
                )
            self._numbers[id(meaning)] = len(self.data)
            self._kept.append(meaning)
            self.data.append(data)
        return {"function": self._numbers[id(meaning)]}

    def _timed_array(self, timed: TimedArray) -> dict[str, Any]:
        key = f"function {len(self.data)}"
        self.arrays[key] = timed.values.copy()
        return {
            "kind": "timed array", "name": timed.name, "values": key,
            "dt": number_to_data(float(timed.dt)), "dim": dimension_to_data(timed.dim),
        }  # fmt: skip

    def _user_function(self, function: UserFunction) -> dict[str, Any]:
        what = f"the function {function.name}"
        result = function.return_unit
        if callable(result) and not isinstance(result, Quantity | type):
            raise SetupError(
                f"{what} cannot be described: the unit of its result is computed by Python code",
                hint="Give the result a unit, as in @function(x=volt, result=amp).",
            )
        return {
            "kind": "python", "name": function.name, "params": list(function.params),
            "body": statements_to_text(function.body, what),
            "result": same_when_read(str(function.result), function.result, parse_expression, what),
            "units": [_unit_to_data(unit) for unit in function.arg_units],
            "result_unit": _unit_to_data(result),
            "outer": self.names_to_data(function.outer, what),
        }  # fmt: skip


def _unit_to_data(unit: Any) -> Any:
    if unit is None:
        return None
    if unit is bool:
        return "boolean"
    return {"as": unit} if isinstance(unit, str) else {"dim": dimension_to_data(get_dimensions(unit))}


def _unit_of(data: Any) -> Any:
    if data is None:
        return None
    if data == "boolean":
        return bool
    if isinstance(data, dict) and "as" in data:
        return take(data, "as", str)
    return Quantity(1.0, dim=dimension_of(take(data, "dim", list)))


class FunctionReader:
    """The functions of a description, made anew."""

    def __init__(self, data: list[Any], arrays: Mapping[str, np.ndarray]) -> None:
        self._functions: list[Any] = []
        for one in data:
            match take(one, "kind", str):
                case "timed array":
                    self._functions.append(_timed_array_of(one, arrays))
                case "python":
                    self._functions.append(self._user_function_of(one))
                case kind:
                    raise damaged(f"there is no function of kind '{kind}'")

    def names_of(self, data: dict[str, Any]) -> dict[str, Any]:
        """What names stand for, as a script would have it."""
        return {name: self._meaning_of(meaning) for name, meaning in data.items()}

    def _meaning_of(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise damaged(f"a name stands for {data!r}")
        if "function" not in data:
            return constant_of(data)
        number = take(data, "function", int)
        if not 0 <= number < len(self._functions):
            raise damaged(f"there is no function {number}")
        return self._functions[number]

    def _user_function_of(self, data: dict[str, Any]) -> UserFunction:
        name = take(data, "name", str)
        params = tuple(take(data, "params", list))
        units = tuple(_unit_of(unit) for unit in take(data, "units", list))
        if len(units) != len(params) or not all(isinstance(p, str) for p in params):
            raise damaged(f"the parameters of the function '{name}' are {params!r}")
        if any(isinstance(unit, str) and unit not in params for unit in units):
            raise damaged(f"units of parameters of the function '{name}' are those of none")
        outer = self.names_of(take(data, "outer", dict))

        def call(*args: Any, **kwargs: Any) -> NoReturn:
            raise SetupError(f"'{name}' of a rebuilt network can be called in model text only")

        return UserFunction(
            name, params, parse_statements(take(data, "body", str), f"function '{name}'"),
            parse_expression(take(data, "result", str), f"function '{name}'"), units,
            _unit_of(data.get("result_unit")), call,
            {inner: external_symbol(inner, value) for inner, value in outer.items()},
        )  # fmt: skip


def _timed_array_of(data: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> TimedArray:
    values = arrays.get(take(data, "values", str))
    if values is None or values.dtype != np.float64:
        raise damaged(f"the values of {data.get('name')!r} are missing or no numbers")
    dt = Quantity(number_of(data.get("dt")), dim=second.dim)
    with these_names(take(data, "name", str)):
        return TimedArray(Quantity(values, dim=dimension_of(data.get("dim"))), dt)
