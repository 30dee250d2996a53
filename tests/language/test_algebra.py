import math

import mpmath
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from strategies import VARIABLES, linear_models, smooth_expressions, values

from eccles.language.algebra import derivative, fold, linear_in, linear_system
from eccles.language.equations import Equations
from eccles.language.evaluate import evaluate
from eccles.language.functions import BUILTINS
from eccles.language.nodes import Call, Name, Number, names_in
from eccles.language.parser import parse_expression
from eccles.language.printer import show


def compute(tree, numbers):
    return float(evaluate(tree, numbers.__getitem__, lambda name, args: BUILTINS[name].python(*args)))


def precise(tree, numbers):
    """The value by mpmath, which knows nothing of our rules."""
    text = show(tree).replace("arc", "a")
    scope = {name: getattr(mpmath, name) for name in MPMATH.split()}
    scope |= {"abs": abs, "log2": lambda x: mpmath.log(x, 2)}
    return eval(text, scope | {name: mpmath.mpf(value) for name, value in numbers.items()})


MPMATH = "exp sin cos tanh atan expm1 log sqrt asin acos tan sinh cosh log10 log1p sign"


@given(tree=smooth_expressions(), numbers=values())
@settings(max_examples=100)
def test_the_derivative_agrees_with_mpmath(tree, numbers):
    slope = derivative(tree, "v")
    with mpmath.workdps(40):
        try:
            expected = mpmath.diff(lambda v: precise(tree, numbers | {"v": v}), numbers["v"])
        except (ZeroDivisionError, OverflowError):
            return
        assume(abs(expected) < 1e12)
        try:
            found = precise(slope, numbers)
        except ZeroDivisionError:
            return
        assert abs(found - expected) <= 1e-12 * (1 + abs(expected)) * (1 + float(abs(precise(tree, numbers))))


RULES = (
    "exp(v); expm1(2*v); log(v); log1p(v); log10(v); log2(v); sqrt(v); sin(v); cos(v); tan(v); sinh(v); "
    "cosh(v); tanh(v); arctan(v); arcsin(v/2); arccos(v/2); abs(v); v**3; v**-2.5; 2**v; v**v; "
    "1/(1 + exp(-v/w_1)); v*exp(1 - v/tau)/tau; (v - g)*(v - tau)*(v - I)"
)


@pytest.mark.parametrize("text", RULES.split("; "))
def test_every_rule_of_differentiation_agrees_with_mpmath(text):
    tree = parse_expression(text)
    numbers = dict(zip(VARIABLES, (0.7, 1.3, 0.4, 1.7, 0.9), strict=True))
    with mpmath.workdps(40):
        expected = mpmath.diff(lambda v: precise(tree, numbers | {"v": v}), numbers["v"])
        assert abs(precise(derivative(tree, "v"), numbers) - expected) < 1e-15  # ln 10 has 16 digits


def test_the_derivative_of_a_condition_is_zero():
    assert derivative(parse_expression("int(v > 1)*g"), "g") == parse_expression("int(v > 1)")
    assert derivative(parse_expression("w"), "v") == Number(0)
    choice = Call("_select", (parse_expression("v > 1"), parse_expression("v**2"), Name("w")))
    assert derivative(choice, "v").args[2] == Number(0)


def test_an_unknown_derivative_is_an_error():
    with pytest.raises(ValueError, match="not known"):
        derivative(parse_expression("clip(v, 0, 1)"), "v")


@given(tree=smooth_expressions(), numbers=values())
def test_folding_keeps_the_value(tree, numbers):
    before, after = compute(tree, numbers), compute(fold(tree), numbers)
    assume(math.isfinite(before))  # 0*x is folded, whatever x is
    assert after == pytest.approx(before, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 + x", "x"), ("x + 0", "x"), ("x - 0", "x"), ("0 - x", "-x"), ("1*x", "x"), ("x*1", "x"),
        ("0*x", "0"), ("x/1", "x"),
        ("0/x", "0"), ("x**1", "x"), ("2 + 3", "5"), ("2*3 - 1", "5"), ("1/4", "0.25"), ("--x", "x"),
        ("+x", "x"), ("x + -y", "x - y"),
        ("x - -y", "x + y"), ("2/0", "2/0"), ("9**9**9**9", "9**9**9**9"), ("f(1 + 1)", "f(2)"),
        ("9223372036854775807 + 1", "9223372036854775807 + 1"),
    ],
)  # fmt: skip
def test_what_folding_does(text, expected):
    assert fold(parse_expression(text)) == parse_expression(expected)


@given(model=linear_models(), numbers=values())
def test_a_linear_system_is_found_and_agrees(model, numbers):
    text, names = model
    equations = Equations(text).substituted()
    found = linear_system(equations, names)
    assert found is not None
    matrix, offset = found
    numbers |= {"ms": 1e-3}
    for row, rest, name in zip(matrix, offset, names, strict=True):
        assert not set(names) & set().union(names_in(rest), *(names_in(entry) for entry in row))
        total = sum(compute(a, numbers) * numbers[n] for a, n in zip(row, names, strict=True))
        expected = compute(equations[name], numbers)
        assert total + compute(rest, numbers) == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(tree=smooth_expressions(), numbers=values())
@example(parse_expression("(v - w_1)/tau + g*(v + 1)"), dict.fromkeys(VARIABLES, 1.5))
def test_a_linear_form_has_the_value_of_the_expression(tree, numbers):
    found = linear_in(tree, "v")
    if found is None:
        return
    a, b = found
    assert "v" not in names_in(a) | names_in(b)
    expected = compute(tree, numbers)
    assume(math.isfinite(expected) and abs(expected) < 1e6)
    value = compute(a, numbers) * numbers["v"] + compute(b, numbers)
    scale = np.nanmax(np.abs([compute(a, numbers) * numbers["v"], compute(b, numbers), expected]))
    assert abs(value - expected) <= 1e-9 * scale


@pytest.mark.parametrize("text", ["v**2", "exp(v)", "v*v", "1/v", "int(v > 1)", "v*(v + 1)", "w**v", "not v"])
def test_what_is_not_linear(text):
    assert linear_in(parse_expression(text), "v") is None


def test_a_system_that_couples_its_coefficients_is_not_linear():
    assert linear_system({"v": parse_expression("v*w"), "w": parse_expression("-w")}, ["v", "w"]) is None
