import numpy as np
import pytest

from eccles.errors import DimensionMismatchError
from eccles.units import *


@check_units(v=volt, n=1, flag=bool, w="v", result=lambda v, n, flag, w, free: v * n)
def scaled(v, n=1, flag=False, w=0, free=None):
    return v * n


def test_what_fits_is_let_through():
    assert scaled(3 * mV) == 3 * mV
    assert scaled(3 * mV, 2, True, 5 * volt, nA) == 6 * mV
    assert scaled(v=[1, 2] * mV, n=np.array([2, 3]), flag=np.array([True, False]))[1] == 6 * mV
    assert scaled(3 * mV, flag=np.True_) == 3 * mV


def test_zero_infinity_none_and_text_fit_every_unit():
    @check_units(v=volt)
    def same(v):
        return v

    for value in (0, 0.0, np.inf, -np.inf, np.zeros(2), None, "v_rest"):
        assert same(value) is value


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((3,), "scaled: 'v' needs a voltage (V), but got a number without unit (3)"),
        ((3 * nA,), "scaled: 'v' needs a voltage (V), but got a current (A) (3. nA)"),
        ((0 * nA,), "scaled: 'v' needs a voltage (V), but got a current (A) (0. A)"),
        ((mV, 2 * ms), "scaled: 'n' needs a number without unit, but got a time (s) (2. ms)"),
        ((mV, 2, True, nA), "scaled: 'w' needs the unit of 'v', a voltage (V), but got a current (A) (nA)"),
    ],
)  # fmt: skip
def test_a_wrong_unit_is_named_with_its_argument(args, message):
    with pytest.raises(DimensionMismatchError) as error:
        scaled(*args)
    assert str(error.value) == message


def test_a_truth_value_has_to_be_one():
    with pytest.raises(TypeError, match="scaled: 'flag' has to be a truth value, not 1"):
        scaled(mV, 1, 1)


def test_an_object_is_not_a_quantity():
    with pytest.raises(TypeError, match="scaled: 'v' needs a voltage"):
        scaled(object())


def test_results_are_checked():
    @check_units(v=volt, result=amp)
    def wrong(v):
        return v

    with pytest.raises(
        DimensionMismatchError, match=r"^wrong has to return a current \(A\), but returned a voltage"
    ):
        wrong(mV)

    @check_units(v=volt, result=bool)
    def truth(v):
        return v > 0 * mV if v < 1 * volt else 7

    assert truth(mV) is np.True_
    with pytest.raises(TypeError, match="truth has to return a truth value, not 7"):
        truth(2 * volt)

    @check_units(v=volt, result=lambda v: v**2)
    def square(v):
        return v * (v if v < 1 * volt else 1)

    assert square(2 * mV) == 4e-6 * volt**2
    with pytest.raises(DimensionMismatchError):
        square(2 * volt)


def test_a_checked_function_keeps_its_name_and_tells_its_units():
    assert scaled.__name__ == "scaled"
    assert scaled._arg_names == ["v", "n", "flag", "w", "free"]
    assert scaled._arg_units == [volt, 1, bool, "v", None]
    assert scaled._orig_func(1, 2) == 2


def test_types_can_be_declared_before_or_after_units():
    for made in (
        declare_types(n="integer", result="highest")(check_units(n=1, v=volt, result=volt)(lambda n, v: v)),
        check_units(n=1, v=volt, result=volt)(declare_types(n="integer", result="highest")(lambda n, v: v)),
    ):
        assert made._arg_types == ["integer", "any"]
        assert made._return_type == "highest"
        assert made._arg_units == [1, volt]


def test_an_unknown_type_is_refused():
    with pytest.raises(
        ValueError, match="type of 'n' has to be one of any, boolean, float, highest, integer"
    ):
        declare_types(n="int")
