"""The tree of the model language: a closed set of frozen dataclasses.

An expression is one of `Expr`; passes over it `match` on the class. Every node keeps the span of
text it was read from; spans take no part in equality, so a rewritten tree equals one that was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from eccles.errors import Span

__all__ = [
    "Assignment",
    "Binary",
    "Boolean",
    "Call",
    "Compare",
    "Expr",
    "Logical",
    "Name",
    "Number",
    "Unary",
    "children",
    "extent",
    "names_in",
    "replace_children",
    "substitute",
    "walk",
]

BinaryOp = Literal["+", "-", "*", "/", "//", "%", "**"]
CompareOp = Literal["<", "<=", ">", ">=", "==", "!="]


class _Node:
    """What all nodes share: `str(node)` is text of the model language."""

    __slots__ = ()

    def __str__(self) -> str:
        from eccles.language.printer import show  # the printer knows the nodes

        return show(self)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Number(_Node):
    """A literal: `2` stays an int, `2.0` a float."""

    value: float | int
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Boolean(_Node):
    """`True` or `False`."""

    value: bool
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name(_Node):
    """A variable, constant or unit."""

    id: str
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unary(_Node):
    """`-x`, `+x` or `not x`."""

    op: Literal["-", "+", "not"]
    operand: Expr
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binary(_Node):
    """Arithmetic of two operands; `/` is true division, `//` and `%` round as in Python."""

    op: BinaryOp
    left: Expr
    right: Expr
    span: Span | None = field(default=None, compare=False, repr=False)
    op_span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Compare(_Node):
    """One comparison; `a < b < c` is read as `a < b and b < c`."""

    op: CompareOp
    left: Expr
    right: Expr
    span: Span | None = field(default=None, compare=False, repr=False)
    op_span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Logical(_Node):
    """`a and b and ...` or `a or b or ...`."""

    op: Literal["and", "or"]
    operands: tuple[Expr, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call(_Node):
    """A function applied to positional arguments."""

    function: str
    args: tuple[Expr, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


Expr = Number | Boolean | Name | Unary | Binary | Compare | Logical | Call


@dataclass(frozen=True, slots=True)
class Assignment:
    """`target op value`, with op one of `= += -= *= /=` (also `//= %= **=`)."""

    target: str
    op: str
    value: Expr
    span: Span | None = field(default=None, compare=False, repr=False)
    target_span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def expanded(self) -> Expr:
        """What is stored: `x += e` stores `x + e`."""
        if self.op == "=":
            return self.value
        op = self.op[:-1]
        return Binary(op, Name(self.target, self.target_span), self.value, self.span)  # type: ignore[arg-type]


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct operands of a node, in reading order."""
    match expr:
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right) | Compare(left=left, right=right):
            return (left, right)
        case Logical(operands=operands):
            return operands
        case Call(args=args):
            return args
        case _:
            return ()


def replace_children(expr: Expr, new: tuple[Expr, ...]) -> Expr:
    """The same node with other operands."""
    match expr:
        case Unary(op, _, span):
            return Unary(op, new[0], span)
        case Binary(op, _, _, span, op_span):
            return Binary(op, new[0], new[1], span, op_span)
        case Compare(op, _, _, span, op_span):
            return Compare(op, new[0], new[1], span, op_span)
        case Logical(op, _, span):
            return Logical(op, new, span)
        case Call(function, _, span):
            return Call(function, new, span)
        case _:
            return expr


def walk(expr: Expr) -> Iterator[Expr]:
    """The node and all below it, parents first."""
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))


def names_in(expr: Expr) -> set[str]:
    """The names that stand in an expression (functions are not names)."""
    return {node.id for node in walk(expr) if isinstance(node, Name)}


def extent(expr: Expr, known: Mapping[str, tuple[int, int]] | None = None) -> tuple[int, int]:
    """The number of nodes and of levels that a tree has once the `known` names are replaced by trees."""
    size = depth = 0
    stack = [(expr, 1)]
    while stack:
        node, level = stack.pop()
        more, deeper = known.get(node.id, (1, 1)) if known and isinstance(node, Name) else (1, 1)
        size += more
        depth = max(depth, level + deeper - 1)
        stack.extend((child, level + 1) for child in children(node))
    return size, depth


def substitute(expr: Expr, replacements: Mapping[str, Expr]) -> Expr:
    """The expression with names replaced by expressions."""
    if isinstance(expr, Name):
        return replacements.get(expr.id, expr)
    old = children(expr)
    if not old:
        return expr
    new = tuple(substitute(child, replacements) for child in old)
    return expr if all(a is b for a, b in zip(old, new, strict=True)) else replace_children(expr, new)
