"""The typed loop IR: what a simulation is before it is machine code.

Structured (loops, branches, assignments; no jumps), typed and small, so that one page of Python can
run it (`interpret.py`, the oracle of the tests), a verifier can prove that nothing is used before it
is defined, and an emitter can turn its loops into vector code. All arithmetic is IEEE double or
wrapping 64-bit integer; an element's bits never depend on the lane it is computed in.

A `Program` is one function over a table of `Buffer`s. It returns an integer made by `Return`, or 0.

Vector loops (`VectorFor`) run a straight-line body for elements 0 .. n-1. In them

- loads and stores at the loop index (plus an offset that is the same for all elements) are contiguous,
- loads at any other index are gathers; other stores are not allowed,
- elements are independent: a buffer that is stored to is read only at the index it is stored at, and
  nothing reads the buffer or the count of an `Append`,
- `padded=True` promises that every buffer stored to is owned by the loop's object and has
  `VECTOR_PADDING` spare elements, so the last vector may run over the end (its extra lanes compute
  on whatever is there, and are written); gathered index buffers are zero in their padding,
- `Append` lists the indices whose condition holds, in order, never those of the padding.

What a program promises, and nobody checks: indices are in range, except that a load from a buffer that is
never stored to may be computed earlier, before a loop in whose body it stands outside of any branch, even
if that loop then runs zero times.

That a number is NaN is reliable; which NaN (its sign and payload, as `bits` shows them) is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from eccles.errors import InternalError

__all__ = [
    "BOOL",
    "F64",
    "I64",
    "OPERATIONS",
    "VECTOR_PADDING",
    "Append",
    "Buffer",
    "Call",
    "Const",
    "Element",
    "Expr",
    "For",
    "Function",
    "If",
    "Let",
    "Load",
    "Local",
    "Op",
    "Prefetch",
    "Program",
    "Return",
    "SetVar",
    "Stmt",
    "Store",
    "Type",
    "Var",
    "VectorFor",
    "While",
    "const",
    "expressions",
    "nodes",
    "straight_line",
    "walk",
]

VECTOR_PADDING = 64  # elements that every vectorised array has to spare


class Type(Enum):
    """The type of a value in a register."""

    F64 = "f64"
    I64 = "i64"
    BOOL = "bool"


F64, I64, BOOL = Type.F64, Type.I64, Type.BOOL


class Element(Enum):
    """The type of an element in memory; loads widen to, and stores narrow from, `Type`."""

    F64 = "f64"
    F32 = "f32"
    I64 = "i64"
    I32 = "i32"
    U8 = "u8"  # a boolean, 0 or 1

    @property
    def type(self) -> Type:
        """The type of a loaded value."""
        match self:
            case Element.F64 | Element.F32:
                return Type.F64
            case Element.I64 | Element.I32:
                return Type.I64
            case Element.U8:
                return Type.BOOL


@dataclass(frozen=True, slots=True)
class Buffer:
    """An array in memory: entry `slot` of the table handed to the program.

    Two buffers with different slots never overlap.
    """

    name: str
    element: Element
    slot: int


@dataclass(frozen=True, slots=True)
class Const:
    """A literal of the given type (a Python float, int or bool)."""

    value: float | int | bool
    type: Type


@dataclass(frozen=True, slots=True)
class Local:
    """The value bound by `Let`, `Var`, a loop, or a function's parameter."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Load:
    """`buffer[index]`."""

    buffer: Buffer
    index: Expr

    @property
    def type(self) -> Type:
        return self.buffer.element.type


@dataclass(frozen=True, slots=True)
class Op:
    """A primitive operation; see `OPERATIONS` for names and signatures."""

    op: str
    args: tuple[Expr, ...]

    @property
    def type(self) -> Type:
        result = OPERATIONS[self.op][1]
        return self.args[-1].type if result is None else result


@dataclass(frozen=True, slots=True)
class Call:
    """An IR `Function` applied to arguments; always expanded in place."""

    function: Function
    args: tuple[Expr, ...]

    @property
    def type(self) -> Type:
        return self.function.result.type


Expr = Const | Local | Load | Op | Call

# name: (argument types, result type); None means 'any one type, the same for all such places'
OPERATIONS: dict[str, tuple[tuple[Type | None, ...], Type | None]] = {
    # double arithmetic, each correctly rounded (IEEE 754)
    "fadd": ((F64, F64), F64),
    "fsub": ((F64, F64), F64),
    "fmul": ((F64, F64), F64),
    "fdiv": ((F64, F64), F64),
    "fneg": ((F64,), F64),
    "fabs": ((F64,), F64),
    "fsqrt": ((F64,), F64),
    "floor": ((F64,), F64),
    "ceil": ((F64,), F64),
    "trunc": ((F64,), F64),
    "fmuladd": (
        (F64, F64, F64),
        F64,
    ),  # a*b + c: fused where the CPU can and not `portable`, else rounded twice
    "fmin": ((F64, F64), F64),  # a < b ? a : b, so NaN in either gives b
    "fmax": ((F64, F64), F64),  # a > b ? a : b, so NaN in either gives b
    # 64-bit two's complement, wrapping
    "iadd": ((I64, I64), I64),
    "isub": ((I64, I64), I64),
    "imul": ((I64, I64), I64),
    "idiv": ((I64, I64), I64),  # floors, as Python; by 0 gives 0; never traps
    "imod": ((I64, I64), I64),  # sign of the divisor, as Python; by 0 gives 0
    "iand": ((I64, I64), I64),
    "ior": ((I64, I64), I64),
    "ixor": ((I64, I64), I64),
    "ishl": ((I64, I64), I64),  # shift counts are taken modulo 64
    "ilshr": ((I64, I64), I64),  # logical
    "iashr": ((I64, I64), I64),  # arithmetic
    "imin": ((I64, I64), I64),
    "imax": ((I64, I64), I64),
    # comparisons; ordered (false with NaN) but `fne`
    "flt": ((F64, F64), BOOL),
    "fle": ((F64, F64), BOOL),
    "fgt": ((F64, F64), BOOL),
    "fge": ((F64, F64), BOOL),
    "feq": ((F64, F64), BOOL),
    "fne": ((F64, F64), BOOL),
    "ilt": ((I64, I64), BOOL),
    "ile": ((I64, I64), BOOL),
    "igt": ((I64, I64), BOOL),
    "ige": ((I64, I64), BOOL),
    "ieq": ((I64, I64), BOOL),
    "ine": ((I64, I64), BOOL),
    # truth values
    "and": ((BOOL, BOOL), BOOL),
    "or": ((BOOL, BOOL), BOOL),
    "xor": ((BOOL, BOOL), BOOL),
    "not": ((BOOL,), BOOL),
    "select": ((BOOL, None, None), None),  # both sides are computed
    # conversions
    "itof": ((I64,), F64),
    "ftoi": ((F64,), I64),  # truncates; out of range saturates, NaN gives 0
    "btoi": ((BOOL,), I64),
    "btof": ((BOOL,), F64),
    "bits": ((F64,), I64),  # the pattern of a double as an integer
    "frombits": ((I64,), F64),
}


@dataclass(frozen=True, slots=True)
class Let:
    """Bind a name once; it lives until the end of the enclosing body."""

    local: Local
    value: Expr


@dataclass(frozen=True, slots=True)
class Var:
    """Declare a mutable local with its first value."""

    local: Local
    value: Expr


@dataclass(frozen=True, slots=True)
class SetVar:
    """Give a `Var` a new value (not inside a `VectorFor`, except one declared in its body)."""

    local: Local
    value: Expr


@dataclass(frozen=True, slots=True)
class Store:
    """`buffer[index] = value`."""

    buffer: Buffer
    index: Expr
    value: Expr


@dataclass(frozen=True, slots=True)
class Append:
    """In a `VectorFor`: for each element in order, if `condition`: `buffer[count] = value; count += 1`.

    `count` is a `Var` declared outside the loop; `value` an I64 (usually the loop index plus an offset).
    """

    buffer: Buffer
    count: Local
    value: Expr
    condition: Expr


@dataclass(frozen=True, slots=True)
class Prefetch:
    """`buffer[index]` will be needed soon: changes nothing but time. Not in a `VectorFor`.

    A load within `index` may look up to `VECTOR_PADDING` elements behind the end of its buffer; what it finds
    there is 0.
    """

    buffer: Buffer
    index: Expr


@dataclass(frozen=True, slots=True)
class For:
    """`for local in range(start, stop)`, one by one."""

    local: Local
    start: Expr
    stop: Expr
    body: tuple[Stmt, ...]


@dataclass(frozen=True, slots=True)
class VectorFor:
    """`for local in range(n)`, many at once; see the module's docstring for what may stand in it."""

    local: Local
    n: Expr
    body: tuple[Stmt, ...]
    padded: bool = True


@dataclass(frozen=True, slots=True)
class While:
    """Repeat while the condition holds."""

    condition: Expr
    body: tuple[Stmt, ...]


@dataclass(frozen=True, slots=True)
class If:
    """A branch; `likely` is a hint for layout only."""

    condition: Expr
    then: tuple[Stmt, ...]
    orelse: tuple[Stmt, ...] = ()
    likely: bool | None = None


@dataclass(frozen=True, slots=True)
class Return:
    """Leave the program with this I64."""

    value: Expr


Stmt = Let | Var | SetVar | Store | Append | Prefetch | For | VectorFor | While | If | Return


@dataclass(frozen=True, slots=True)
class Function:
    """A function that is expanded where it is called.

    `body` may hold `Let`, `Var`, `SetVar`, `While` and `If`, nothing else. With `Let` alone it is
    straight-line and may be called in a `VectorFor`.
    Two functions are the same if their names are: a name stands for one definition.
    """

    name: str
    params: tuple[Local, ...]
    body: tuple[Stmt, ...] = field(compare=False, repr=False)
    result: Expr = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Program:
    """One native function: `i64 name(ptr table)`."""

    name: str
    buffers: tuple[Buffer, ...]
    body: tuple[Stmt, ...]


def const(value: float | int | bool) -> Const:
    """A literal whose IR type follows from its Python type."""
    match value:
        case bool():
            return Const(value, BOOL)
        case int():
            return Const(value, I64)
        case float():
            return Const(float(value), F64)
        case _:  # NumPy's integers would otherwise silently become floats
            raise InternalError(f"{value!r} is no Python number")


def walk(statements: Iterable[Stmt]) -> Iterator[Stmt]:
    """All statements, those inside of others included, in no particular order."""
    stack = list(statements)
    while stack:
        statement = stack.pop()
        yield statement
        match statement:
            case For(_, _, _, body) | VectorFor(_, _, body, _) | While(_, body):
                stack.extend(body)
            case If(_, then, orelse, _):
                stack.extend((*then, *orelse))
            case _:
                pass


def expressions(statement: Stmt) -> tuple[Expr, ...]:
    """The expressions of a statement itself, not of those inside of it."""
    match statement:
        case Let(_, value) | Var(_, value) | SetVar(_, value) | Return(value):
            return (value,)
        case Store(_, index, value):
            return (index, value)
        case Prefetch(_, index):
            return (index,)
        case Append(_, count, value, condition):
            return (count, value, condition)
        case For(_, start, stop, _):
            return (start, stop)
        case VectorFor(_, n, _, _):
            return (n,)
        case While(condition, _):
            return (condition,)
        case If(condition, _, _, _):
            return (condition,)


def nodes(expr: Expr) -> Iterator[Expr]:
    """An expression and all that it is made of, without the bodies of functions."""
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Op | Call):
            stack.extend(node.args)
        elif isinstance(node, Load):
            stack.append(node.index)


def straight_line(function: Function) -> bool:
    """Whether a function has no loops, branches or variables, itself or in what it calls."""

    def calls(expr: Expr) -> bool:
        match expr:
            case Op(_, args):
                return all(calls(a) for a in args)
            case Call(inner, args):
                return straight_line(inner) and all(calls(a) for a in args)
            case _:
                return True

    return all(isinstance(s, Let) and calls(s.value) for s in function.body) and calls(function.result)
