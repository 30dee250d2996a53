import copy
import pickle
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import dimensions

from eccles.errors import DimensionMismatchError
from eccles.units import DIMENSIONLESS, Dimension, get_or_create_dimension, volt
from eccles.units.names import standard_names


@given(a=dimensions(), b=dimensions())
def test_dividing_undoes_multiplying(a, b):
    assert (a * b) / b is a


@given(a=dimensions(), b=dimensions(), c=dimensions())
def test_products_may_be_regrouped_and_swapped(a, b, c):
    assert (a * b) * c is a * (b * c)
    assert a * b is b * a


@given(a=dimensions(), n=st.integers(1, 5))
def test_a_root_undoes_a_power(a, n):
    assert (a**n) ** (1 / n) is a
    assert a**n is a ** (n - 1) * a


@given(a=dimensions())
def test_a_dimension_over_itself_is_none(a):
    assert a / a is DIMENSIONLESS
    assert a**0 is DIMENSIONLESS


@given(a=dimensions())
def test_copies_are_the_same_object(a):
    assert pickle.loads(pickle.dumps(a)) is a
    assert copy.copy(a) is a
    assert copy.deepcopy(a) is a


@given(a=dimensions())
def test_python_reads_the_representation(a):
    base = ("metre", "kilogram", "second", "amp", "kelvin", "mole", "candela")
    scope = {name: standard_names[name].dim for name in base} | {"Dimension": lambda: DIMENSIONLESS}
    assert eval(repr(a), scope) is a


def test_a_dimension_is_made_by_names_in_any_spelling():
    assert get_or_create_dimension(length=1, time=-1) is get_or_create_dimension(m=1, s=-1)
    assert get_or_create_dimension(metre=2, kilogram=1, second=-3, amp=-1) is volt.dim
    assert get_or_create_dimension(2, 1, -3, -1, 0, 0, 0) is volt.dim
    assert get_or_create_dimension([2, 1, -3, -1, 0, 0, 0]) is volt.dim
    assert get_or_create_dimension(volt.dim) is volt.dim


def test_a_wrong_name_or_number_of_exponents_is_refused():
    with pytest.raises(TypeError, match=r"'lenght'; did you mean 'length'\?"):
        get_or_create_dimension(lenght=1)
    with pytest.raises(TypeError, match="seven exponents"):
        get_or_create_dimension(1, 2)


@pytest.mark.parametrize("exponent", [1e300, float("inf"), float("nan"), 10**400, -1001])
def test_no_exponent_is_without_bound(exponent):
    with pytest.raises(DimensionMismatchError, match="cannot have the exponent"):
        volt.dim**exponent


def test_halves_are_exact():
    assert Dimension((0, 0, -0.5, 0, 0, 0, 0)).exponents[2] == Fraction(-1, 2)
    assert str(Dimension((0, 0, -0.5, 0, 0, 0, 0))) == "s^-0.5"


def test_a_dimension_cannot_be_changed():
    with pytest.raises(AttributeError):
        volt.dim.exponents = (0,) * 7


def test_exponents_are_found_by_any_name():
    assert [volt.dim.get_dimension(n) for n in ("length", "kg", "second", "A", "K")] == [2, 1, -3, -1, 0]


def test_words_for_messages():
    assert volt.dim.friendly() == "a voltage (V)"
    assert (volt.dim / volt.dim).friendly() == "a number without unit"
    assert (volt.dim**3).friendly() == "a quantity in m^6 kg^3 s^-9 A^-3"
    assert get_or_create_dimension(mass=1, length=2, time=-2).friendly() == "an energy (J)"
