"""A little algebra on trees: what integrators need, and no more.

Rewrites change no finite floating-point result: they use identities that are exact. (0*x becomes 0, also
where x is infinite.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

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
    children,
    names_in,
    replace_children,
)

__all__ = ["derivative", "fold", "linear_in", "linear_system"]

ZERO, ONE = Number(0), Number(1)


def _is(expr: Expr, value: float) -> bool:
    return isinstance(expr, Number) and expr.value == value


def fold(expr: Expr) -> Expr:
    """Numbers computed, neutral elements dropped."""
    old = children(expr)
    if not old:
        return expr
    new = tuple(fold(child) for child in old)
    match replace_children(expr, new):
        case Unary("-", Number(value), span):
            return Number(-value, span)
        case Unary("-", Unary("-", inner)):
            return inner
        case Unary("+", operand):
            return operand
        case Binary("+", left, right) as node:
            if _is(left, 0):
                return right
            if _is(right, 0):
                return left
            if isinstance(right, Unary) and right.op == "-":
                return Binary("-", left, right.operand, node.span, node.op_span)
            return _computed(node)
        case Binary("-", left, right) as node:
            if _is(right, 0):
                return left
            if _is(left, 0):
                return Unary("-", right, node.span)
            if isinstance(right, Unary) and right.op == "-":
                return Binary("+", left, right.operand, node.span, node.op_span)
            return _computed(node)
        case Binary("*", left, right) as node:
            if _is(left, 0) or _is(right, 0):
                return Number(0, node.span)
            if _is(left, 1):
                return right
            if _is(right, 1):
                return left
            return _computed(node)
        case Binary("/", left, right) as node:
            if _is(left, 0) and not _is(right, 0):
                return Number(0, node.span)
            return left if _is(right, 1) else _computed(node)
        case Binary("**", left, right) as node:
            return left if _is(right, 1) else node  # powers of numbers may be huge: not computed here
        case folded:
            return folded


def _computed(node: Binary) -> Expr:
    """The number that an operation on two numbers gives."""
    if not (isinstance(node.left, Number) and isinstance(node.right, Number)):
        return node
    a, b = node.left.value, node.right.value
    match node.op:
        case "+":
            value = a + b
        case "-":
            value = a - b
        case "*":
            value = a * b
        case "/" if b != 0:
            value = a / b
        case _:
            return node
    if isinstance(value, int) and abs(value) >= 2**63:
        return node
    return Number(value, node.span)


def derivative(expr: Expr, name: str) -> Expr:
    """d(expr)/d(name).

    Raises
    ------
    ValueError
        If a function has no derivative that is known.
    """
    return fold(_derivative(expr, name))


def _derivative(expr: Expr, name: str) -> Expr:
    if name not in names_in(expr):
        return ZERO
    match expr:
        case Name():
            return ONE
        case Unary(op, operand, span) if op != "not":
            return Unary(op, _derivative(operand, name), span)
        case Binary("+" | "-" as op, left, right):
            return Binary(op, _derivative(left, name), _derivative(right, name))
        case Binary("*", left, right):
            return Binary(
                "+", Binary("*", _derivative(left, name), right), Binary("*", left, _derivative(right, name))
            )
        case Binary("/", left, right):
            top = Binary(
                "-", Binary("*", _derivative(left, name), right), Binary("*", left, _derivative(right, name))
            )
            return Binary("/", top, Binary("**", right, Number(2)))
        case Binary("**", left, right) if name not in names_in(right):
            lowered = Binary("**", left, Binary("-", right, ONE))
            return Binary("*", Binary("*", right, lowered), _derivative(left, name))
        case Binary("**", left, right):
            inner = Binary("*", right, Call("log", (left,)))
            return Binary("*", expr, _derivative(inner, name))
        case Call(function, (arg,)) if function in _DERIVATIVES:
            return Binary("*", _DERIVATIVES[function](arg), _derivative(arg, name))
        case Call("_select", (condition, a, b)):
            return Call("_select", (condition, _derivative(a, name), _derivative(b, name)))
        case Compare() | Logical() | Unary() | Boolean():
            return ZERO
        case _:
            raise ValueError("the derivative of this expression is not known")


def _leg(x: Expr) -> Expr:
    """sqrt(1 - x**2)."""
    return Call("sqrt", (Binary("-", ONE, Binary("**", x, Number(2))),))


_DERIVATIVES = {
    "exp": lambda x: Call("exp", (x,)),
    "expm1": lambda x: Call("exp", (x,)),
    "log": lambda x: Binary("/", ONE, x),
    "log10": lambda x: Binary("/", Number(1 / math.log(10)), x),
    "log2": lambda x: Binary("/", Number(1 / math.log(2)), x),
    "log1p": lambda x: Binary("/", ONE, Binary("+", ONE, x)),
    "sqrt": lambda x: Binary("/", Number(0.5), Call("sqrt", (x,))),
    "sin": lambda x: Call("cos", (x,)),
    "cos": lambda x: Unary("-", Call("sin", (x,))),
    "tan": lambda x: Binary("/", ONE, Binary("**", Call("cos", (x,)), Number(2))),
    "sinh": lambda x: Call("cosh", (x,)),
    "cosh": lambda x: Call("sinh", (x,)),
    "tanh": lambda x: Binary("-", ONE, Binary("**", Call("tanh", (x,)), Number(2))),
    "arcsin": lambda x: Binary("/", ONE, _leg(x)),
    "arccos": lambda x: Unary("-", Binary("/", ONE, _leg(x))),
    "arctan": lambda x: Binary("/", ONE, Binary("+", ONE, Binary("**", x, Number(2)))),
    "abs": lambda x: Call("sign", (x,)),
}


def linear_in(expr: Expr, name: str) -> tuple[Expr, Expr] | None:
    """(a, b) with expr == a*name + b and neither containing `name`; None if there is no such form."""
    found = _linear(expr, name)
    return None if found is None else (fold(found[0]), fold(found[1]))


def _linear(expr: Expr, name: str) -> tuple[Expr, Expr] | None:
    if name not in names_in(expr):
        return ZERO, expr
    match expr:
        case Name():
            return ONE, ZERO
        case Unary("-" | "+" as op, operand, span):
            inner = _linear(operand, name)
            if inner is None:
                return None
            return Unary(op, inner[0], span), Unary(op, inner[1], span)
        case Binary("+" | "-" as op, left, right, span, op_span):
            a, b = _linear(left, name), _linear(right, name)
            if a is None or b is None:
                return None
            return fold(Binary(op, a[0], b[0], span, op_span)), fold(Binary(op, a[1], b[1], span, op_span))
        case Binary("*", left, right, span, op_span):
            if name not in names_in(left):
                inner, scale, first = _linear(right, name), left, True
            elif name not in names_in(right):
                inner, scale, first = _linear(left, name), right, False
            else:
                return None
            if inner is None:
                return None
            parts = tuple(
                fold(
                    Binary("*", scale, part, span, op_span)
                    if first
                    else Binary("*", part, scale, span, op_span)
                )
                for part in inner
            )
            return parts[0], parts[1]
        case Binary("/", left, right, span, op_span) if name not in names_in(right):
            inner = _linear(left, name)
            if inner is None:
                return None
            return (
                fold(Binary("/", inner[0], right, span, op_span)),
                fold(Binary("/", inner[1], right, span, op_span)),
            )
        case _:
            return None


def linear_system(
    exprs: Mapping[str, Expr], names: Sequence[str]
) -> tuple[list[list[Expr]], list[Expr]] | None:
    """(A, b) with exprs == A*names + b, all entries free of `names`; None if there is no such form."""
    matrix, offset = [], []
    for name in names:
        rest: Expr = exprs[name]
        row = []
        for other in names:
            found = linear_in(rest, other)
            if found is None or names_in(found[0]) & set(names):
                return None
            row.append(found[0])
            rest = found[1]
        matrix.append(row)
        offset.append(rest)
    return matrix, offset
