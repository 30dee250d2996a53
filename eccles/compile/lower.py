"""From the tree of the model language to expressions and statements of the IR.

A `Lowerer` translates within one body (a loop over elements, or the code for one event). Names come
from `env`; an assignment to a name rebinds it to a new local, so that a body is in single-assignment
form, and the caller stores what was assigned. Calls that need more than arithmetic (random numbers,
`TimedArray`s) are handed to `call`, which the engine supplies.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping

from eccles.compile import division, elementary, ir
from eccles.compile.ir import BOOL, F64, I64, Op
from eccles.errors import InternalError
from eccles.language.nodes import (
    Assignment,
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

__all__ = ["Lowerer", "Names", "convert", "promote"]

External = Callable[[str, tuple[ir.Expr, ...], "Lowerer"], ir.Expr | None]


class Names:
    """Fresh names for locals: `v`, `v.1`, `v.2` ..."""

    def __init__(self) -> None:
        self._used: dict[str, itertools.count[int]] = {}

    def local(self, stem: str, type_: ir.Type) -> ir.Local:
        """A local of this type that no other has the name of."""
        name = stem
        while name in self._used:
            name = f"{stem}.{next(self._used[stem])}"
        self._used[name] = itertools.count(1)
        return ir.Local(name, type_)


def convert(value: ir.Expr, type_: ir.Type) -> ir.Expr:
    """The same number as another IR type (a float to an integer is truncated)."""
    if value.type is type_:
        return value
    if isinstance(value, ir.Const) and not (type_ is I64 and value.type is F64):
        return ir.Const({F64: float, I64: int, BOOL: bool}[type_](value.value), type_)
    match value.type, type_:
        case ir.Type.I64, ir.Type.F64:
            return Op("itof", (value,))
        case ir.Type.BOOL, ir.Type.F64:
            return Op("btof", (value,))
        case ir.Type.BOOL, ir.Type.I64:
            return Op("btoi", (value,))
        case ir.Type.F64, ir.Type.I64:
            return Op("ftoi", (value,))
        case ir.Type.F64, ir.Type.BOOL:
            return Op("fne", (value, ir.const(0.0)))
        case _:
            return Op("ine", (value, ir.const(0)))


def _number(value: float | int) -> ir.Const:
    """A literal; an integer that does not fit 64 bits is a float."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        value = float(value)
    return ir.const(value)


def promote(left: ir.Expr, right: ir.Expr) -> tuple[ir.Expr, ir.Expr]:
    """Both operands as the wider of their types; truth values count as integers."""
    type_ = F64 if F64 in (left.type, right.type) else I64
    return convert(left, type_), convert(right, type_)


ARITHMETIC = {"+": ("fadd", "iadd"), "-": ("fsub", "isub"), "*": ("fmul", "imul")}
COMPARISONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
# functions of one number that are IR functions of the same name
ELEMENTARY = {
    name: getattr(elementary, name)
    for name in (
        "exp", "expm1", "exprel", "log", "log1p", "log10", "log2", "sin", "cos", "tan",
        "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh",
    )
}  # fmt: skip
PRIMITIVE = {"sqrt": "fsqrt", "floor": "floor", "ceil": "ceil"}


class Lowerer:
    """Translates expressions and assignments of one body.

    Parameters
    ----------
    env : mapping of str to ir.Expr
        What each name means; copied, then extended by assignments.
    names : Names
        The supply of names, shared within a program.
    call : callable, optional
        `call(function, args, lowerer)` for functions that are not arithmetic.
    """

    def __init__(self, env: Mapping[str, ir.Expr], names: Names, call: External | None = None) -> None:
        self.env = dict(env)
        self.names = names
        self.call = call
        self.out: list[ir.Stmt] = []
        self.assigned: dict[str, ir.Local] = {}

    def let(self, stem: str, value: ir.Expr) -> ir.Expr:
        """Bind a value to a fresh name (literals and locals stay as they are)."""
        if isinstance(value, ir.Const | ir.Local):
            return value
        local = self.names.local(stem, value.type)
        self.out.append(ir.Let(local, value))
        return local

    def statements(self, assignments: Iterable[Assignment], types: Mapping[str, ir.Type]) -> None:
        """Run assignments in order; `types` gives the type of the variables that have one."""
        for assignment in assignments:
            value = self.expr(assignment.expanded)
            name = assignment.target
            if name in types:
                value = convert(value, types[name])
            local = self.names.local(name, value.type)
            self.out.append(ir.Let(local, value))
            self.env[name] = local
            self.assigned[name] = local

    def expr(self, node: Expr) -> ir.Expr:
        """The IR expression of a tree."""
        match node:
            case Boolean(value):
                return ir.const(value)
            case Number(value):
                return _number(value)
            case Name(id=name):
                try:
                    return self.env[name]
                except KeyError:
                    raise InternalError(f"'{name}' has no meaning here", span=node.span) from None
            case Unary("-", operand):
                value = self.expr(operand)
                if isinstance(value, ir.Const) and value.type is not BOOL:
                    return _number(-value.value)
                if value.type is F64:
                    return Op("fneg", (value,))
                return Op("isub", (ir.const(0), convert(value, I64)))
            case Unary("+", operand):
                return self.expr(operand)
            case Unary("not", operand):
                return Op("not", (convert(self.expr(operand), BOOL),))
            case Binary("**", left, right):
                return self._power(self.expr(left), self.expr(right))
            case Binary(op, left, right):
                return self._arithmetic(op, self.expr(left), self.expr(right))
            case Compare(op, left, right):
                a, b = promote(self.expr(left), self.expr(right))
                return Op(("f" if a.type is F64 else "i") + COMPARISONS[op], (a, b))
            case Logical(op, operands):
                terms = [convert(self.expr(operand), BOOL) for operand in operands]
                while len(terms) > 1:  # pair by pair, so that the tree of a long chain stays shallow
                    rest = terms[len(terms) - len(terms) % 2 :]
                    terms = [Op(op, (terms[k], terms[k + 1])) for k in range(0, len(terms) - 1, 2)] + rest
                return terms[0]
            case Call(function, args):
                return self._call(function, tuple(self.expr(a) for a in args), node)
        raise InternalError("this expression has no native form", span=node.span)

    def _arithmetic(self, op: str, left: ir.Expr, right: ir.Expr) -> ir.Expr:
        if op in ARITHMETIC:
            a, b = promote(left, right)
            return Op(ARITHMETIC[op][0 if a.type is F64 else 1], (a, b))
        if op == "/":
            return Op("fdiv", (convert(left, F64), convert(right, F64)))
        a, b = promote(left, right)
        if a.type is I64:
            return Op("idiv" if op == "//" else "imod", (a, b))
        return ir.Call(division.floor_divide if op == "//" else division.mod, (a, b))

    def _power(self, base: ir.Expr, exponent: ir.Expr) -> ir.Expr:
        if isinstance(exponent, ir.Const):
            n = exponent.value
            if n == 0.5:
                return Op("fsqrt", (convert(base, F64),))
            if abs(n) <= 16 and n == int(n):
                if n < 0 or exponent.type is F64:  # an integer to the power of 2.0 is no integer
                    base = convert(base, F64)
                return self._integer_power(base, int(n))
        return ir.Call(elementary.pow, (convert(base, F64), convert(exponent, F64)))

    def _integer_power(self, base: ir.Expr, n: int) -> ir.Expr:
        """Powers by squaring; the reciprocal is taken last."""
        if base.type is BOOL:
            base = convert(base, I64)
        one = ir.const(1.0) if base.type is F64 else ir.const(1)
        times = "fmul" if base.type is F64 else "imul"
        square, result, left = self.let("square", base), None, abs(n)
        while left:
            if left & 1:
                result = square if result is None else Op(times, (result, square))
            left >>= 1
            if left:
                square = self.let("square", Op(times, (square, square)))
        if result is None:
            return one
        return Op("fdiv", (one, result)) if n < 0 else result

    def _call(self, function: str, args: tuple[ir.Expr, ...], node: Call) -> ir.Expr:
        if function in ELEMENTARY:
            return ir.Call(ELEMENTARY[function], tuple(convert(a, F64) for a in args))
        if function in PRIMITIVE:
            return Op(PRIMITIVE[function], (convert(args[0], F64),))
        match function:
            case "_select":
                a, b = args[1], args[2]
                if not (a.type is BOOL and b.type is BOOL):
                    a, b = promote(a, b)
                return Op("select", (convert(args[0], BOOL), a, b))
            case "abs":
                if args[0].type is F64:
                    return Op("fabs", args)
                x = self.let("x", convert(args[0], I64))
                return Op("imax", (x, Op("isub", (ir.const(0), x))))
            case "sign":
                return ir.Call(elementary.sign, (convert(args[0], F64),))
            case "int":
                return convert(args[0], I64)
            case "clip":
                x, low = promote(args[0], args[1])
                x, high = promote(x, args[2])
                low = convert(low, x.type)
                # the order of operands makes a NaN in x stay a NaN
                if x.type is F64:
                    x = self.let("x", x)
                    x = Op("select", (Op("flt", (x, low)), low, x))
                    x = self.let("x", x)
                    return Op("select", (Op("fgt", (x, high)), high, x))
                return Op("imin", (Op("imax", (x, low)), high))
            case "timestep":
                t, dt = convert(args[0], F64), convert(args[1], F64)
                # a thousandth of a step of tolerance: times that are multiples of dt but for rounding count
                nudged = Op("fadd", (t, Op("fmul", (ir.const(1e-3), dt))))
                return Op("ftoi", (Op("fdiv", (nudged, dt)),))
            case _:
                result = self.call(function, args, self) if self.call is not None else None
                if result is None:
                    raise InternalError(f"no native form of the function '{function}'", span=node.span)
                return result
