"""The value of a tree, computed with NumPy: for initial values and for the rules of connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from eccles.language.nodes import (
    Binary,
    Boolean,
    Call,
    Compare,
    Expr,
    Logical,
    Name,
    Number,
    Unary,
)

__all__ = ["evaluate"]

LookUp = Callable[[str], Any]
CallFunction = Callable[[str, tuple[Any, ...]], Any]

_COMPARE = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal,
    "!=": np.not_equal,
}  # fmt: skip


def evaluate(expr: Expr, lookup: LookUp, call: CallFunction) -> Any:
    """The value of an expression, with the meaning it has in native code.

    Parameters
    ----------
    lookup : callable
        `lookup(name)` gives a number or array in SI units.
    call : callable
        `call(function, arguments)`.
    """
    with np.errstate(all="ignore"):
        return _value(expr, lookup, call)


def _number(value: Any) -> Any:
    """Truth values count as integers, integers as 64 bits."""
    array = np.asarray(value)
    return array.astype(np.int64) if array.dtype.kind in "bui" else array


def _value(expr: Expr, lookup: LookUp, call: CallFunction) -> Any:
    match expr:
        case Number(value) | Boolean(value):
            return np.asarray(value)
        case Name(id=name):
            return np.asarray(lookup(name))
        case Unary("not", operand):
            return np.logical_not(_value(operand, lookup, call))
        case Unary(op, operand):
            value = _number(_value(operand, lookup, call))
            return -value if op == "-" else value
        case Binary(op, left, right):
            return _binary(op, _number(_value(left, lookup, call)), _number(_value(right, lookup, call)))
        case Compare(op, left, right):
            return _COMPARE[op](_value(left, lookup, call), _value(right, lookup, call))
        case Logical(op, operands):
            result = _value(operands[0], lookup, call)
            for operand in operands[1:]:
                other = _value(operand, lookup, call)
                result = np.logical_and(result, other) if op == "and" else np.logical_or(result, other)
            return result
        case Call("_select", (condition, a, b)):
            return np.where(_value(condition, lookup, call), _value(a, lookup, call), _value(b, lookup, call))
        case Call(function, args):
            return np.asarray(call(function, tuple(_value(a, lookup, call) for a in args)))


def _binary(op: str, a: np.ndarray, b: np.ndarray) -> Any:
    integers = a.dtype.kind == "i" and b.dtype.kind == "i"
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/":
            return a / b
        case "//":
            return np.where(b == 0, 0, a // np.where(b == 0, 1, b)) if integers else np.floor_divide(a, b)
        case "%":
            if integers:
                return np.where(b == 0, 0, a % np.where(b == 0, 1, b))
            return np.mod(a, b)
        case _:
            if integers and b.ndim == 0 and 0 <= int(b) <= 16:
                return a ** int(b)
            return np.asarray(a, float) ** np.asarray(b, float)
