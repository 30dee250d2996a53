"""The interpreter is the judge of native code; here it is judged by Python and NumPy themselves."""

import math
import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eccles.compile import ir
from eccles.compile.interpret import interpret
from eccles.compile.ir import BOOL, F64, I64, Buffer, Element, Load, Op, Return, Store, const
from eccles.errors import InternalError

doubles = st.floats(allow_nan=True, allow_infinity=True)
integers = st.integers(-(2**63), 2**63 - 1)
ELEMENTS = {F64: (Element.F64, np.float64), I64: (Element.I64, np.int64), BOOL: (Element.U8, np.uint8)}


def value(op: str, *args, fma="separate"):
    """The result of one operation."""
    expr = Op(op, tuple(const(a) for a in args))
    element, dtype = ELEMENTS[expr.type]
    out = Buffer("out", element, 0)
    array = np.zeros(1, dtype)
    interpret(ir.Program("run", (out,), (Store(out, const(0), expr),)), [array], fma=fma)
    return array[0].item()


def equal(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))


@given(a=doubles, b=doubles)
def test_arithmetic_is_that_of_ieee(a, b):
    x, y = np.float64(a), np.float64(b)
    with np.errstate(all="ignore"):
        for op, expected in [("fadd", x + y), ("fsub", x - y), ("fmul", x * y), ("fdiv", x / y)]:
            assert equal(value(op, a, b), float(expected))
        for op, function in [("fsqrt", np.sqrt), ("floor", np.floor), ("ceil", np.ceil), ("trunc", np.trunc)]:
            assert equal(value(op, a), float(function(x)))


@given(a=doubles, b=doubles, c=doubles)
def test_fused_multiply_add_rounds_once(a, b, c):
    if all(math.isfinite(v) for v in (a, b, c)):
        exact = Fraction(a) * Fraction(b) + Fraction(c)
        try:
            expected = float(exact)
        except OverflowError:
            expected = math.inf if exact > 0 else -math.inf
        found = value("fmuladd", a, b, c, fma="fused")
        assert found == expected
    with np.errstate(all="ignore"):
        assert equal(value("fmuladd", a, b, c), float(np.float64(a) * np.float64(b) + np.float64(c)))


def test_a_product_too_large_for_a_double_does_not_spoil_a_fused_sum():
    assert value("fmuladd", 1e300, 1e300, -math.inf, fma="fused") == -math.inf
    assert value("fmuladd", 1e300, 1e300, 0.0, fma="fused") == math.inf
    assert value("fmuladd", 1e300, -1e300, 0.0, fma="fused") == -math.inf
    assert math.isnan(value("fmuladd", math.inf, 0.0, 1.0, fma="fused"))
    assert equal(value("fmuladd", -1e-300, 1e-300, 0.0, fma="fused"), -0.0)
    assert equal(value("fmuladd", -0.0, 1.0, 0.0, fma="fused"), 0.0)


@pytest.mark.parametrize(
    ("op", "a", "b", "expected"),
    [
        ("fmin", math.nan, 1.0, 1.0), ("fmin", 1.0, math.nan, math.nan), ("fmin", 0.0, -0.0, -0.0),
        ("fmax", math.nan, 1.0, 1.0), ("fmax", 1.0, math.nan, math.nan), ("fmax", -0.0, 0.0, 0.0),
    ],
)  # fmt: skip
def test_the_second_operand_wins_where_neither_is_smaller(op, a, b, expected):
    assert equal(value(op, a, b), expected)


@given(a=integers, b=integers)
def test_integers_wrap_as_those_of_numpy(a, b):
    x, y = np.array([a]), np.array([b])
    shift = np.array([b % 64])
    for op, expected in [
        ("iadd", x + y), ("isub", x - y), ("imul", x * y), ("iand", x & y), ("ior", x | y), ("ixor", x ^ y),
        ("ishl", x << shift), ("iashr", x >> shift),
        ("ilshr", (x.view(np.uint64) >> shift.view(np.uint64)).view(np.int64)),
    ]:  # fmt: skip
        assert value(op, a, b) == int(expected[0])


@given(a=integers, b=integers)
def test_division_rounds_down_and_never_traps(a, b):
    quotient, rest = value("idiv", a, b), value("imod", a, b)
    if b == 0:
        assert (quotient, rest) == (0, 0)
    else:
        assert (a - (quotient * b + rest)) % 2**64 == 0
        assert 0 <= rest * (1 if b > 0 else -1) < abs(b)
    assert value("idiv", -(2**63), -1) == -(2**63)


@given(a=doubles)
def test_conversion_to_an_integer_saturates(a):
    expected = 0 if math.isnan(a) else max(-(2**63), min(2**63 - 1, int(a) if math.isfinite(a) else
                                                          (2**63 if a > 0 else -(2**63))))  # fmt: skip
    assert value("ftoi", a) == expected
    if not math.isnan(a):
        assert value("bits", a) == struct.unpack("<q", struct.pack("<d", a))[0]
        assert equal(value("frombits", value("bits", a)), a)


def test_comparisons_with_nan_are_false_but_for_unequal():
    for op in ("flt", "fle", "fgt", "fge", "feq"):
        assert value(op, math.nan, 1.0) == value(op, 1.0, math.nan) == 0
    assert value("fne", math.nan, math.nan) == 1


@pytest.mark.parametrize(
    ("element", "dtype", "stored", "expected"),
    [
        (Element.F32, np.float32, 0.1, float(np.float32(0.1))),
        (Element.F32, np.float32, 1e300, math.inf),
        (Element.I32, np.int32, 2**31 + 5, -(2**31) + 5),
        (Element.I32, np.int32, -1, -1),
        (Element.U8, np.uint8, True, True),
        (Element.U8, np.bool_, True, True),
    ],
)
def test_stores_narrow_and_loads_widen(element, dtype, stored, expected):
    x, out = Buffer("x", element, 0), Buffer("out", ELEMENTS[element.type][0], 1)
    program = ir.Program(
        "run", (x, out), (Store(x, const(0), const(stored)), Store(out, const(0), Load(x, const(0))))
    )
    arrays = [np.zeros(1, dtype), np.zeros(1, ELEMENTS[element.type][1])]
    interpret(program, arrays)
    assert arrays[1][0] == expected


@pytest.mark.parametrize("index", [-1, 3, 10**12])
def test_an_index_out_of_range_is_an_error(index):
    x = Buffer("x", Element.F64, 0)
    with pytest.raises(InternalError, match=r"x\[.*\] is written, but has 3 elements"):
        interpret(ir.Program("run", (x,), (Store(x, const(index), const(0.0)),)), [np.zeros(3)])
    with pytest.raises(InternalError, match=r"x\[.*\] is read, but has 3 elements"):
        interpret(ir.Program("run", (x,), (Store(x, const(0), Load(x, const(index))),)), [np.zeros(3)])


def test_the_result_is_what_is_returned_or_0():
    assert interpret(ir.Program("run", (), (Return(const(4)), Return(const(5)))), []) == 4
    assert interpret(ir.Program("run", (), ()), []) == 0
