import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eccles.errors import DimensionMismatchError, ModelError, NameResolutionError
from eccles.language.functions import BUILTINS, UserFunction, compile_python_function, function
from eccles.language.resolve import external_symbol
from eccles.units import *

number = st.floats(-5, 5)
E_REV = -70 * mV
STEEPNESS = 3
scale = 2.5


# -- the built-in ones ------------------------------------------------------------------------------


def test_every_function_of_the_language_is_there():
    names = (
        "rand randn poisson binomial exp expm1 exprel log log10 log1p sqrt abs sign sin cos tan arcsin "
        "arccos arctan sinh cosh tanh ceil floor clip int timestep"
    )
    assert set(names.split()) <= set(BUILTINS)
    assert {n for n, spec in BUILTINS.items() if spec.stateful} == {"rand", "randn", "poisson", "binomial"}
    assert all(spec.name == name for name, spec in BUILTINS.items())


@pytest.mark.parametrize("name", [n for n, s in BUILTINS.items() if s.arity == 1 and s.python is not None])
def test_functions_take_arrays_and_numbers(name):
    values = np.array([0.25, 0.5, 0.75])
    found = BUILTINS[name].python(values)
    assert found.shape == (3,)
    assert float(BUILTINS[name].python(0.5)) == found[1]


def test_exprel_is_exact_near_zero():
    exprel = BUILTINS["exprel"].python
    for x in (0.0, 1e-300, 1e-12, -1e-9, 1e-3, 2.0):
        expected = 1.0 if x == 0 else math.expm1(x) / x
        assert float(exprel(x)) == pytest.approx(expected, rel=1e-15)


def test_int_truncates_towards_zero_and_survives_everything():
    found = BUILTINS["int"].python(np.array([2.9, -2.9, math.nan, 0.0]))
    assert found.tolist() == [2, -2, 0, 0]
    assert BUILTINS["int"].python(True) == 1


def test_timesteps_count_times_that_are_multiples_but_for_rounding():
    timestep = BUILTINS["timestep"].python
    for dt in (0.1e-3, 0.3e-3, 1 / 3e4):
        for k in (0, 1, 7, 3333, 10**6):
            assert timestep(k * dt, dt) == timestep(sum([dt] * 7), dt) + k - 7
            assert timestep(k * dt + 0.5 * dt, dt) == k


# -- functions of users -----------------------------------------------------------------------------


@function(v=volt, result=siemens)
def rectified(v):
    """A docstring is no obstacle."""
    slope: float = 2 * nS / mV
    if v > E_REV:
        g = (v - E_REV) * slope
    else:
        g = 0 * nS
    return g


@function
def branches(x, y):
    if x > 1:
        return x + y
    elif x > 0 and not y > 2:
        z = y - x
        return z * 2
    z = x * y
    if z < -3:
        z = -3
        z -= 1
    else:
        z += 1
        z *= 2
    z /= 4
    return z if y > 0 else -z


@function
def nested(x):
    y = 0.0
    if x > 0:
        if x > 2:
            y = 2
        else:
            y = 1
        y = y + 10
    pass
    return y


@function
def with_numpy(x):
    return (
        np.exp(-(x**2))
        + math.sin(x)
        + np.where(x > 0, x, np.pi)
        + max(x, 1)
        + np.minimum(x, 2)
        + abs(x)
        + np.clip(x, -1, 1)
    )


@function
def calling(x):
    return branches(x, scale) ** 2 + STEEPNESS // 2 + int(x > 0)


@function(a=None, result=bool)
def is_large(a):
    return a > 3


def python_value(f, *args):
    return float(f.python(*args))


@pytest.mark.parametrize("f", [nested, with_numpy])
@given(x=number)
def test_functions_of_one_argument_give_what_python_gives(f, x):
    assert isinstance(f, UserFunction)
    assert float(f.evaluate(x)) == pytest.approx(python_value(f, x), rel=1e-12, abs=1e-15)


@given(x=number, y=number)
def test_branches_give_what_python_gives(x, y):
    assert float(branches.evaluate(x, y)) == pytest.approx(
        python_value(branches, x, y), rel=1e-12, abs=1e-300
    )


@given(x=number)
def test_functions_may_use_other_functions_and_constants(x):
    inner = branches.python(x, scale)
    assert float(calling.evaluate(x)) == pytest.approx(inner**2 + 1 + int(x > 0), rel=1e-12)


@given(v=st.floats(-0.1, 0.1))
def test_functions_with_units_see_numbers_in_si_units(v):
    assert float(rectified.evaluate(v)) == pytest.approx(float(rectified(v * volt)), rel=1e-12, abs=1e-20)


def test_arrays_go_through_every_branch():
    x = np.linspace(-5, 5, 41)
    expected = [branches.python(a, 1.5) for a in x]
    np.testing.assert_allclose(branches.evaluate(x, np.full(41, 1.5)), expected, rtol=1e-12)


def test_a_call_checks_units():
    assert rectified.arity == 1
    assert rectified.dims((volt.dim,)) is siemens.dim
    assert rectified.types(("float",)) == "float"
    assert is_large.types(("float",)) == "boolean"
    assert is_large.dims((volt.dim,)) is DIMENSIONLESS
    with pytest.raises(
        DimensionMismatchError,
        match=r"argument 1 \('v'\) of rectified has to be a voltage "
        r"\(V\)",
    ) as e:
        rectified.dims((amp.dim,))
    assert e.value.argument == 0
    with pytest.raises(DimensionMismatchError):
        rectified(3 * nA)


def test_the_function_can_still_be_called_from_python():
    assert float(rectified(-60 * mV)) == pytest.approx(20e-9)
    assert rectified(-60 * mV).dim is siemens.dim
    assert branches(3, 1) == 4


def test_what_a_function_uses_from_outside_is_known():
    assert set(calling.constants()) == {"branches", "scale", "STEEPNESS"}
    assert calling.constants()["scale"].value == 2.5
    assert set(rectified.constants()) == {"nS", "mV", "E_REV"}
    assert rectified.constants()["E_REV"].value == pytest.approx(-0.07)


def test_constants_of_an_outer_function_are_seen():
    gain = 3.0

    @function
    def amplified(x):
        return gain * x

    assert amplified.evaluate(2.0) == 6.0


def test_a_checked_function_is_compiled_with_its_units():
    @check_units(v=volt, result=lambda v: v**2)
    def square(v):
        return v * v

    compiled = external_symbol("square", square)
    assert compiled.dims((volt.dim,)) is volt.dim**2
    assert compiled.arg_units == (volt,)
    assert external_symbol("square", square) is compiled, "compiled once"
    assert external_symbol("compiled", compiled) is compiled


def test_an_undecorated_function_takes_every_unit():
    def plain(v):
        return v

    compiled = compile_python_function(plain)
    assert compiled.dims((volt.dim,)) is DIMENSIONLESS


def test_temporaries_of_branches_do_not_meet():
    @function
    def both(x):
        if x > 0:
            y = 1
            z = y + 1
        else:
            z = 5
            y = z * 2
        return y * 100 + z

    assert both.evaluate(1.0) == 102
    assert both.evaluate(-1.0) == 1005


def test_a_value_in_one_branch_only_is_a_clear_error():
    def partial(x):
        if x > 0:
            y = 1
        return y

    with pytest.raises(NameResolutionError, match="'y' has a value in one branch only") as error:
        function(partial)
    assert error.value.span.line == 4


def test_either_branch_may_return():
    @function
    def early(x):
        if x > 0:
            x = x + 1
        else:
            return -x
        if x > 3:
            if x > 4:
                return x
            x *= 2
        return 10 * x

    for x in (-1.0, 1.0, 2.5, 3.5):
        assert early.evaluate(x) == early.python(x)


def test_a_function_with_very_many_branches_is_refused():
    with pytest.raises(ModelError, match="more than 1000 statements"):
        function(branching)


def branching(x):
    if x > 1:
        if x > 2:
            return x
    if x < 3:
        if x < 4:
            return x
    if x > 5:
        if x > 6:
            return x
    if x < 7:
        if x < 8:
            return x
    if x > 9:
        if x > 10:
            return x
    if x < 11:
        if x < 12:
            return x
    if x > 13:
        if x > 14:
            return x
    if x < 15:
        if x < 16:
            return x
    if x > 17:
        if x > 18:
            return x
    return 0


def test_spans_point_into_the_function():
    @function
    def pointed(x):
        return x + 1

    assert pointed.result.span.text == "x + 1"
    assert pointed.result.span.line == 3


def test_a_function_without_source_is_a_clear_error():
    scope = {}
    exec("def made(x):\n    return x", scope)
    with pytest.raises(ModelError, match="source of the function 'made' cannot be found"):
        function(scope["made"])
    with pytest.raises(ModelError, match="source of the function"):
        compile_python_function(math.sin)
