"""Floored division of doubles, as Python has it: `a // b` and `a % b`, straight-line.

The naive a - floor(a/b) b is wrong where a/b rounds to an integer: 1.0 % 0.1 would be 0.0 instead of
0.09999999999999995. Here the product of the quotient and b is exact (Dekker), so that the remainder shows
whether the quotient was one too large, and both are right to the last bit for quotients below 2^53. Beyond,
where the quotient itself is no longer exact, the remainder is taken as 0. Zeros, infinities and NaN give
what NumPy gives.
"""

from __future__ import annotations

import math

from eccles.compile.elementary import exact_product, with_sign_of
from eccles.compile.formula import Value, define, literal, op, select
from eccles.compile.ir import F64

__all__ = ["floor_divide", "mod"]


def _quotient_and_remainder(a: Value, b: Value) -> tuple[Value, Value]:
    """For finite a and b, b not 0."""
    quotient = op("floor", a / b)
    product, lost = exact_product(quotient, b)
    remainder = (a - product) - lost
    # rounding may have taken the quotient up to the next integer: then the remainder has the wrong sign
    above = select(b > 0.0, remainder < 0.0, remainder > 0.0)
    quotient = select(above, quotient - 1.0, quotient)
    remainder = select(above, remainder + b, remainder)
    return quotient, select(abs(quotient) < 2.0**53, remainder, 0.0)


def _mod(a: Value, b: Value) -> Value:
    zero = with_sign_of(literal(0.0, F64), b)
    _, remainder = _quotient_and_remainder(a, b)
    # an infinite divisor leaves a as it is, or takes it to the side of the divisor
    other_side = select(b > 0.0, a < 0.0, a > 0.0)
    remainder = select(abs(b) < math.inf, remainder, select(other_side, b, a))
    remainder = select(remainder.equals(0.0), zero, remainder)
    defined = (abs(a) < math.inf) & (abs(b) > 0.0)  # neither holds for NaN
    return select(defined, remainder, math.nan)


def _floor_divide(a: Value, b: Value) -> Value:
    ratio = a / b
    quotient, _ = _quotient_and_remainder(a, b)
    # of an infinite divisor the quotient is -1 or a zero
    other_side = select(b > 0.0, a < 0.0, a > 0.0)
    quotient = select(abs(b) < math.inf, quotient, select(other_side, -1.0, ratio))
    quotient = select(abs(a) < math.inf, quotient, math.nan)
    return select(b.equals(0.0), ratio, select(b.equals(b), quotient, math.nan))


mod = define("mod", _mod, a=F64, b=F64)
floor_divide = define("floor_divide", _floor_divide, a=F64, b=F64)
