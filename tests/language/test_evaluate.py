import math
import operator

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import conditions, smooth_expressions, values

from eccles.language.evaluate import evaluate
from eccles.language.functions import BUILTINS
from eccles.language.parser import parse_expression
from eccles.language.printer import show
from eccles.units import ms


def compute(text, **names):
    tree = parse_expression(text) if isinstance(text, str) else text
    lookup = {"ms": float(ms), "pi": math.pi, "e": math.e, "inf": math.inf, **names}
    return evaluate(tree, lookup.__getitem__, lambda name, args: BUILTINS[name].python(*args))


# The value of each expression for x = 2.5, y = 0.75, n = 7, m = 3 (integers), b = True in Brian 2.9.0:
# `G = NeuronGroup(1, 'x:1\ny:1\nn:integer\nm:integer\nb:boolean\nr:1'); G.r = text; G.r[0]`, target numpy
BRIAN2 = {
    "x//y": 3.0, "-x//y": -4.0, "x//-y": -4.0, "x%y": 0.25, "-x%y": 0.5, "x%-y": -0.5, "n//m": 2.0,
    "-n//m": -3.0, "n%m": 1.0, "-n%m": 2.0, "n%-m": -2.0, "n/m": 2.3333333333333335, "n*m": 21.0, "n-m": 4.0,
    "n**2": 49.0, "2**n": 128.0, "x**2": 6.25, "x**-1": 0.4, "-x**2": -6.25, "x**0.5": 1.5811388300841898,
    "int(x)": 2.0, "int(-x)": -2.0, "int(b)": 1.0, "int(not b)": 0.0, "int(x > y)": 1.0,
    "int(x > y and b)": 1.0, "int(x > y or not b)": 1.0, "int(n == 7)": 1.0, "int(n != 7)": 0.0,
    "int(x >= y)": 1.0, "clip(x, 0, 1)": 1.0, "clip(x, -1, 5)": 2.5, "clip(-x, -1, 5)": -1.0,
    "exp(x)": 12.182493960703473, "expm1(x)": 11.182493960703473, "exprel(x)": 4.472997584281389,
    "exprel(0*x)": 1.0, "log(x)": 0.9162907318741551, "log10(x)": 0.3979400086720376,
    "log1p(x)": 1.252762968495368, "sqrt(x)": 1.5811388300841898, "sin(x)": 0.5984721441039565,
    "cos(x)": -0.8011436155469337, "tan(x)": -0.7470222972386603, "sinh(x)": 6.0502044810397875,
    "cosh(x)": 6.132289479663686, "tanh(x)": 0.9866142981514303, "arcsin(x/10)": 0.25268025514207865,
    "arccos(x/10)": 1.318116071652818, "arctan(x)": 1.1902899496825317, "abs(-x)": 2.5, "abs(-n)": 7.0,
    "sign(-x)": -1.0, "sign(0*x)": 0.0, "ceil(x)": 3.0, "floor(x)": 2.0, "ceil(-x)": -2.0, "floor(-x)": -3.0,
    "timestep(1.05*ms, 0.1*ms)": 10.0, "timestep(0.3*ms, 0.1*ms)": 3.0, "timestep(0.29999*ms, 0.1*ms)": 3.0,
    "pi": 3.141592653589793, "e": 2.718281828459045, "inf": math.inf, "1/3": 0.3333333333333333, "7/2": 3.5,
    "7//2": 3.0, "-7//2": -4.0, "7%3": 1.0, "-7%3": 2.0, "2**3**2": 512.0, "-2**2": -4.0, "(1+2)*3": 9.0,
    "1+2*3": 7.0, "1-2-3": -4.0, "8/4/2": 1.0, "2*3%4": 2.0, "n+0.5": 7.5, "int(n/2)": 3.0,
    "int(2.9999)": 2.0, "int(-0.5)": 0.0, "1e-3": 0.001, ".5": 0.5, "1.": 1.0, "int(b and n > 3)": 1.0,
    "x*(y+1)/(y-1)": -17.5, "x - -y": 3.25, "x + +y": 3.25,
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), BRIAN2.items())
def test_values_are_those_of_brian_2(text, value):
    found = compute(text, x=2.5, y=0.75, n=np.int32(7), m=np.int32(3), b=True)
    assert float(found) == pytest.approx(value, rel=1e-15)


def test_comparisons_may_be_chained_as_in_python():
    assert compute("1 < x < 3", x=2.5)
    assert not compute("1 < x < 3", x=3.5)


def test_a_negative_power_of_an_integer_is_a_fraction():
    assert compute("2**-1") == 0.5, "Brian 2.9.0 with target numpy says 0"


@given(tree=smooth_expressions(), numbers=values())
@settings(max_examples=100)
def test_smooth_expressions_have_the_value_that_python_gives(tree, numbers):
    scope = {n: getattr(math, n) for n in ("exp", "sin", "cos", "tanh", "expm1")} | {"arctan": math.atan}
    try:
        expected = eval(show(tree), scope, numbers)
    except (ZeroDivisionError, OverflowError, ValueError):
        assume(False)
    assert float(compute(tree, **numbers)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(tree=conditions(), numbers=values())
def test_conditions_are_true_when_python_says_so(tree, numbers):
    scope = {n: getattr(math, n) for n in ("exp", "sin", "cos", "tanh", "expm1")} | {"arctan": math.atan}
    try:
        expected = eval(show(tree), scope, numbers)
    except (ZeroDivisionError, OverflowError, ValueError):
        assume(False)
    found = compute(tree, **numbers)
    assert found.dtype == bool
    assert bool(found) == expected


whole = st.integers(-(10**6), 10**6)


@pytest.mark.parametrize(
    ("text", "operation"),
    [("a + b", operator.add), ("a - b", operator.sub), ("a*b", operator.mul), ("a//b", operator.floordiv),
     ("a % b", operator.mod), ("a/b", operator.truediv), ("a < b", operator.lt), ("a == b", operator.eq)],
)  # fmt: skip
@given(a=whole, b=whole)
def test_integers_follow_python(text, operation, a, b):
    assume(b != 0)
    found = compute(text, a=a, b=b)
    assert found == operation(a, b)
    assert found.dtype.kind == np.asarray(operation(a, b)).dtype.kind


@given(a=st.floats(-1e6, 1e6), b=st.floats(-1e3, 1e3).filter(lambda b: abs(b) > 1e-3))
def test_floor_and_remainder_belong_together(a, b):
    quotient, rest = float(compute("a//b", a=a, b=b)), float(compute("a % b", a=a, b=b))
    assert quotient == a // b
    assert rest == a % b


def test_nothing_raises_whatever_the_numbers():
    for text in (
        "a//b",
        "a % b",
        "a/b",
        "log(a - 1)",
        "int(a/b)",
        "sqrt(-a)",
        "a**1e300",
        "exp(1e300*a)",
        "9**9**9**9",
    ):
        for number in (0, 0.0, math.inf, math.nan):
            compute(text, a=2.0, b=number)
            compute(text, a=2, b=number)


def test_truth_values_count_as_integers():
    assert compute("b + b", b=True) == 2
    assert compute("2*b", b=np.array([True, False])).tolist() == [2, 0]
    assert compute("-int(b)", b=True) == -1


def test_arrays_are_computed_element_by_element():
    x = np.array([1.0, 2.0, 3.0])
    assert compute("int(x > 1)*x + y", x=x, y=1.0).tolist() == [1, 3, 4]
    assert compute("x > 1 and not x > 2", x=x).tolist() == [False, True, False]
    assert compute("x < 2 or x > 2", x=x).tolist() == [True, False, True]
    assert compute("clip(x, 1.5, 2.5)", x=x).tolist() == [1.5, 2, 2.5]
