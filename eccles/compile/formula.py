"""IR functions written as Python formulas.

`define("half", lambda x: x * 0.5, x=F64)` runs the formula once, on `Value`s that record what is done
with them, and makes an `ir.Function` of the record. A value that is used more than once becomes a `Let`,
so nothing is computed, or printed, twice. Numbers that meet a `Value` become literals of its type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eccles.compile import ir
from eccles.compile.ir import BOOL, F64, I64

__all__ = ["Value", "call", "define", "fma", "literal", "op", "select"]

Number = float | int


@dataclass(frozen=True, eq=False, slots=True)
class Value:
    """An IR expression that operators apply to; `>>` on integers is logical."""

    expr: ir.Expr

    @property
    def type(self) -> ir.Type:
        """The IR type."""
        return self.expr.type

    def __add__(self, other: Value | Number) -> Value:
        return self._binary("add", other)

    def __radd__(self, other: Number) -> Value:
        return literal(other, self.type)._binary("add", self)

    def __sub__(self, other: Value | Number) -> Value:
        return self._binary("sub", other)

    def __rsub__(self, other: Number) -> Value:
        return literal(other, self.type)._binary("sub", self)

    def __mul__(self, other: Value | Number) -> Value:
        return self._binary("mul", other)

    def __rmul__(self, other: Number) -> Value:
        return literal(other, self.type)._binary("mul", self)

    def __truediv__(self, other: Value | Number) -> Value:
        return op("fdiv", self, other)

    def __rtruediv__(self, other: Number) -> Value:
        return op("fdiv", literal(other, F64), self)

    def __neg__(self) -> Value:
        return op("fneg", self)

    def __abs__(self) -> Value:
        return op("fabs", self)

    def __lt__(self, other: Value | Number) -> Value:
        return self._binary("lt", other)

    def __le__(self, other: Value | Number) -> Value:
        return self._binary("le", other)

    def __gt__(self, other: Value | Number) -> Value:
        return self._binary("gt", other)

    def __ge__(self, other: Value | Number) -> Value:
        return self._binary("ge", other)

    def equals(self, other: Value | Number) -> Value:
        """Whether both are the same number."""
        return self._binary("eq", other)

    def __and__(self, other: Value | int) -> Value:
        return op("and" if self.type is BOOL else "iand", self, other)

    def __or__(self, other: Value | int) -> Value:
        return op("or" if self.type is BOOL else "ior", self, other)

    def __xor__(self, other: Value | int) -> Value:
        return op("xor" if self.type is BOOL else "ixor", self, other)

    def __invert__(self) -> Value:
        return op("not", self)

    def __lshift__(self, count: int) -> Value:
        return op("ishl", self, count)

    def __rshift__(self, count: int) -> Value:
        return op("ilshr", self, count)

    def _binary(self, name: str, other: Value | Number) -> Value:
        return op(("f" if self.type is F64 else "i") + name, self, other)


def literal(value: Number, type_: ir.Type) -> Value:
    """A number of an IR type; integers may be given as 64-bit patterns."""
    if type_ is F64:
        return Value(ir.Const(float(value), F64))
    number = int(value)
    return Value(ir.Const(number - (1 << 64) if number >= 1 << 63 else number, I64))


def op(name: str, *args: Value | Number) -> Value:
    """The IR operation of this name."""
    wanted, _ = ir.OPERATIONS[name]
    exprs = []
    for arg, type_ in zip(args, wanted, strict=True):
        if not isinstance(arg, Value):
            arg = literal(arg, type_ or _type_of_choice(args))
        exprs.append(arg.expr)
    return Value(ir.Op(name, tuple(exprs)))


def _type_of_choice(args: tuple[Value | Number, ...]) -> ir.Type:
    """The type of what `select` chooses from."""
    return next((a.type for a in args[1:] if isinstance(a, Value)), F64)


def fma(a: Value | Number, b: Value | Number, c: Value | Number) -> Value:
    """a*b + c, rounded once or twice."""
    return op("fmuladd", a, b, c)


def select(condition: Value, yes: Value | Number, no: Value | Number) -> Value:
    """`yes` where the condition holds, else `no`."""
    return op("select", condition, yes, no)


def call(function: ir.Function, *args: Value) -> Value:
    """An IR function applied to values."""
    return Value(ir.Call(function, tuple(a.expr for a in args)))


def define(name: str, formula: Callable[..., Value], **params: ir.Type) -> ir.Function:
    """The straight-line function of a formula; `params` are its arguments in order."""
    locals_ = tuple(ir.Local(param, type_) for param, type_ in params.items())
    record = _Record(formula(*(Value(local) for local in locals_)).expr)
    return ir.Function(name, locals_, tuple(record.lets), record.result)


class _Record:
    """An expression with its shared parts bound to names t1, t2 ..."""

    def __init__(self, result: ir.Expr) -> None:
        self.lets: list[ir.Stmt] = []
        self._uses: dict[int, int] = {}
        self._known: dict[int, ir.Expr] = {}
        self._count(result)
        self.result = self._bound(result)

    def _count(self, expr: ir.Expr) -> None:
        if isinstance(expr, ir.Op | ir.Call):
            self._uses[id(expr)] = self._uses.get(id(expr), 0) + 1
            if self._uses[id(expr)] == 1:
                for arg in expr.args:
                    self._count(arg)

    def _bound(self, expr: ir.Expr) -> ir.Expr:
        if not isinstance(expr, ir.Op | ir.Call):
            return expr
        if id(expr) in self._known:
            return self._known[id(expr)]
        args = tuple([self._bound(a) for a in expr.args])
        new = ir.Op(expr.op, args) if isinstance(expr, ir.Op) else ir.Call(expr.function, args)
        if self._uses[id(expr)] > 1:
            local = ir.Local(f"t{len(self.lets) + 1}", new.type)
            self.lets.append(ir.Let(local, new))
            new = local
        self._known[id(expr)] = new
        return new
