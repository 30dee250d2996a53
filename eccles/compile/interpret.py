"""The IR run by plain Python: slow, obvious, and the judge of the native code in the tests.

With a program compiled `portable=True` the results are equal bit for bit (one NaN is as good as another).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element
from eccles.errors import InternalError

__all__ = ["interpret"]


class _Returned(Exception):
    def __init__(self, value: int) -> None:
        self.value = value


def interpret(
    program: ir.Program, arrays: Sequence[np.ndarray], *, fma: Literal["separate", "fused"] = "separate"
) -> int:
    """Run a program on arrays (one per slot), which it changes.

    Parameters
    ----------
    fma : {'separate', 'fused'}
        How `fmuladd` rounds.

    Raises
    ------
    InternalError
        If an index is out of range.
    """
    machine = _Machine(arrays, fma == "fused")
    try:
        machine.statements(program.body, {})
    except _Returned as returned:
        return returned.value
    return 0


def _wrap(value: int) -> int:
    """64-bit two's complement."""
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


def _divide(a: float, b: float) -> float:
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _fused(a: float, b: float, c: float) -> float:
    """a*b + c rounded once."""
    if not (math.isfinite(a) and math.isfinite(b)):
        return a * b + c
    if not math.isfinite(c):
        return c  # the product is finite, though its double may not be
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if exact == 0:
        return a * b + c
    try:
        return exact.numerator / exact.denominator
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def _to_integer(x: float) -> int:
    if math.isnan(x):
        return 0
    if x >= 2.0**63:
        return 2**63 - 1
    return -(2**63) if x < -(2.0**63) else int(x)


def _floor_like(function: Callable[[float], int]) -> Callable[[float], float]:
    def apply(x: float) -> float:
        if not math.isfinite(x):
            return x
        return math.copysign(float(function(x)), x)

    return apply


def _sqrt(x: float) -> float:
    return math.nan if x < 0 else math.sqrt(x)


_OPS: dict[str, Callable[..., Any]] = {
    "fadd": lambda a, b: a + b,
    "fsub": lambda a, b: a - b,
    "fmul": lambda a, b: a * b,
    "fdiv": _divide,
    "fneg": lambda a: -a,
    "fabs": abs,
    "fsqrt": _sqrt,
    "floor": _floor_like(math.floor),
    "ceil": _floor_like(math.ceil),
    "trunc": _floor_like(math.trunc),
    "fmin": lambda a, b: a if a < b else b,
    "fmax": lambda a, b: a if a > b else b,
    "iadd": lambda a, b: _wrap(a + b),
    "isub": lambda a, b: _wrap(a - b),
    "imul": lambda a, b: _wrap(a * b),
    "idiv": lambda a, b: 0 if b == 0 else _wrap(a // b),
    "imod": lambda a, b: 0 if b == 0 else a % b,
    "iand": lambda a, b: _wrap(a & b),
    "ior": lambda a, b: _wrap(a | b),
    "ixor": lambda a, b: _wrap(a ^ b),
    "ishl": lambda a, b: _wrap(a << (b & 63)),
    "ilshr": lambda a, b: _wrap((a & (2**64 - 1)) >> (b & 63)),
    "iashr": lambda a, b: a >> (b & 63),
    "imin": min,
    "imax": max,
    **dict.fromkeys(("flt", "ilt"), lambda a, b: a < b),
    **dict.fromkeys(("fle", "ile"), lambda a, b: a <= b),
    **dict.fromkeys(("fgt", "igt"), lambda a, b: a > b),
    **dict.fromkeys(("fge", "ige"), lambda a, b: a >= b),
    **dict.fromkeys(("feq", "ieq"), lambda a, b: a == b),
    **dict.fromkeys(("fne", "ine"), lambda a, b: a != b),
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "xor": lambda a, b: a != b,
    "not": lambda a: not a,
    "select": lambda c, a, b: a if c else b,
    "itof": float,
    "ftoi": _to_integer,
    "btoi": int,
    "btof": float,
    "bits": lambda x: struct.unpack("<q", struct.pack("<d", x))[0],
    "frombits": lambda x: struct.unpack("<d", struct.pack("<q", x))[0],
}


class _Machine:
    def __init__(self, arrays: Sequence[np.ndarray], fused: bool) -> None:
        self.arrays = arrays
        self.fused = fused

    def expr(self, expr: ir.Expr, names: dict[str, Any]) -> Any:
        match expr:
            case ir.Const(value):
                return value
            case ir.Local(name):
                return names[name]
            case ir.Load(buffer, index):
                return self.load(buffer, self.expr(index, names))
            case ir.Op("fmuladd", args):
                a, b, c = (self.expr(x, names) for x in args)
                return _fused(a, b, c) if self.fused else a * b + c
            case ir.Op(op, args):
                return _OPS[op](*[self.expr(a, names) for a in args])
            case ir.Call(function, args):
                inner = {p.name: self.expr(a, names) for p, a in zip(function.params, args, strict=True)}
                self.statements(function.body, inner)
                return self.expr(function.result, inner)

    def load(self, buffer: ir.Buffer, index: int) -> Any:
        array = self.arrays[buffer.slot]
        if not 0 <= index < len(array):
            raise InternalError(f"{buffer.name}[{index}] is read, but has {len(array)} elements")
        value = array[index]
        match buffer.element.type:
            case ir.Type.F64:
                return float(value)
            case ir.Type.BOOL:
                return bool(value)
            case _:
                return int(value)

    def store(self, buffer: ir.Buffer, index: int, value: Any) -> None:
        array = self.arrays[buffer.slot]
        if not 0 <= index < len(array):
            raise InternalError(f"{buffer.name}[{index}] is written, but has {len(array)} elements")
        if buffer.element is Element.I32:
            value = (value + 2**31) % 2**32 - 2**31
        with np.errstate(over="ignore"):  # a double may be too large for an F32
            array[index] = value

    def statements(self, statements: Sequence[ir.Stmt], names: dict[str, Any]) -> None:
        for statement in statements:
            match statement:
                case ir.Let(local, value) | ir.Var(local, value) | ir.SetVar(local, value):
                    names[local.name] = self.expr(value, names)
                case ir.Store(buffer, index, value):
                    self.store(buffer, self.expr(index, names), self.expr(value, names))
                case ir.Append(buffer, count, value, condition):
                    if self.expr(condition, names):
                        self.store(buffer, names[count.name], self.expr(value, names))
                        names[count.name] += 1
                case ir.Prefetch():
                    pass
                case ir.For(local, start, stop, body):
                    for k in range(self.expr(start, names), self.expr(stop, names)):
                        names[local.name] = k
                        self.statements(body, names)
                case ir.VectorFor(local, n, body):
                    for k in range(self.expr(n, names)):
                        names[local.name] = k
                        self.statements(body, names)
                case ir.While(condition, body):
                    while self.expr(condition, names):
                        self.statements(body, names)
                case ir.If(condition, then, orelse):
                    self.statements(then if self.expr(condition, names) else orelse, names)
                case ir.Return(value):
                    raise _Returned(self.expr(value, names))
