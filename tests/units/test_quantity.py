import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import dimensions, quantities, units

from eccles.errors import DimensionMismatchError
from eccles.units import *
from eccles.units.quantity import as_quantity, fits_any

numbers = st.floats(1e-3, 1e3) | st.floats(-1e3, -1e-3)


def plain(value):
    return np.asarray(value)


# -- arithmetic -------------------------------------------------------------------------------------


@given(a=quantities(numbers=numbers), b=numbers, unit=units())
def test_dividing_undoes_multiplying(a, b, unit):
    b = b * unit
    assert have_same_dimensions(a * b / b, a)
    np.testing.assert_allclose(plain(a * b / b), plain(a), rtol=1e-14)


@given(a=quantities(numbers=numbers), power=st.sampled_from([-2, -1, 0.5, 2, 3]))
def test_powers_have_powers_of_the_unit(a, power):
    a = abs(a)
    assert get_dimensions(a**power) is get_dimensions(a) ** power
    np.testing.assert_allclose(plain(a**power), plain(a) ** power, rtol=1e-14)


@given(data=st.data(), dim=dimensions())
def test_arithmetic_agrees_with_numpy_where_units_fit(data, dim):
    a, b = (data.draw(st.lists(numbers, min_size=3, max_size=3)) for _ in range(2))
    qa, qb = Quantity(a, dim=dim), Quantity(b, dim=dim)
    a, b = np.array(a), np.array(b)
    for found, expected, wanted in (
        (qa + qb, a + b, dim), (qa - qb, a - b, dim), (-qa, -a, dim), (+qa, a, dim), (abs(qa), abs(a), dim),
        (qa % qb, a % b, dim), (qa // qb, a // b, DIMENSIONLESS), (qa / qb, a / b, DIMENSIONLESS),
        (qa * qb, a * b, dim**2), (2 * qa, 2 * a, dim), (qa * 2, 2 * a, dim), (1 / qa, 1 / a, dim**-1),
        (a * qb, a * b, dim), (qa / b, a / b, dim), (a / qb, a / b, dim**-1), (qa @ qb, a @ b, dim**2),
        (np.maximum(qa, qb), np.maximum(a, b), dim), (np.hypot(qa, qb), np.hypot(a, b), dim),
    ):  # fmt: skip
        assert get_dimensions(found) is wanted
        np.testing.assert_array_equal(plain(found), expected)
    for found, expected in (
        (qa < qb, a < b), (qa <= qb, a <= b), (qa > qb, a > b), (qa >= qb, a >= b), (qa == qb, a == b),
        (qa != qb, a != b), (np.sign(qa), np.sign(a)), (np.isnan(qa), np.isnan(a)),
    ):  # fmt: skip
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(found, expected)


@given(a=quantities(), b=quantities())
def test_what_does_not_fit_is_an_error_in_every_operation(a, b):
    assume(a.dim is not b.dim and not fits_any(a) and not fits_any(b))
    a, b = a.reshape(-1)[0], b.reshape(-1)[0]
    for operation in (
        lambda: a + b, lambda: a - b, lambda: a % b, lambda: a < b, lambda: a == b, lambda: np.maximum(a, b),
        lambda: np.hypot(a, b),
        lambda: np.concatenate([[1] * a, [1] * b]), lambda: [a, b] * a, lambda: divmod(a, b),
        lambda: np.where(True, a, b), lambda: np.clip(a, b, b), lambda: np.allclose(a, b),
    ):  # fmt: skip
        with pytest.raises(DimensionMismatchError):
            operation()


@given(a=quantities())
@pytest.mark.parametrize(
    "anything", [0, 0.0, math.inf, -math.inf, math.nan, np.zeros(1), [0, 0], np.int32(0)]
)
def test_zero_infinity_and_nan_fit_every_unit(a, anything):
    assume(np.ndim(anything) == 0 or np.ndim(a) == 0)
    for found in (a + anything, anything + a, a - anything):
        assert found.dim is a.dim
    assert get_dimensions(a < anything) is DIMENSIONLESS
    assert get_dimensions(np.maximum(a, anything)) is a.dim


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: 3 * mV + 2, "cannot add 3. mV (a voltage) and 2 (no unit)"),
        (lambda: 2 - 3 * mV, "cannot subtract 3. mV (a voltage) from 2 (no unit)"),
        (lambda: 3 * mV + 2 * nA, "cannot add 3. mV (a voltage) and 2. nA (a current)"),
        (lambda: [1, 2] * mV + 2 * nA, "cannot add an array of 2 values (a voltage) and 2. nA (a current)"),
        (lambda: 3 * mV < 2 * nA, "cannot compare 3. mV (a voltage) < 2. nA (a current)"),
        (lambda: 3 * mV == 2, "cannot compare 3. mV (a voltage) == 2 (no unit)"),
        (
            lambda: np.exp(3 * mV),
            "exp needs a number without unit, but got a voltage (V)\n\n"
            "  Divide by its scale first, as in exp(x/mV).",
        ),
        (lambda: 2 ** (3 * mV), "an exponent needs to be a number without unit, not a voltage (V)"),
        (lambda: (3 * mV).in_unit(nA), "cannot show a voltage (V) in a current (A)"),
        (lambda: Quantity(3 * mV, dim=amp.dim), "3. mV (a voltage) cannot become a current (A)"),
        (lambda: [1 * mV, 2] * mV, "cannot put 1. mV (a voltage) and 2 (no unit) into one array"),
        (lambda: Quantity([[1 * mV, nA]]), "cannot put 1. mV (a voltage) and nA (a current) into one array"),
        (
            lambda: np.fft.fft2([[1, 2]] * mV),
            "numpy.fft2 does not know units, but got a voltage (V)\n\n"
            "  Divide by a unit first (x/mV) and multiply the result by its unit.",
        ),
    ],
)  # fmt: skip
def test_messages_name_the_operation_and_both_sides(wrong, message):
    with pytest.raises(DimensionMismatchError) as error:
        wrong()
    assert str(error.value) == message


def test_the_error_has_the_dimensions():
    with pytest.raises(DimensionMismatchError) as error:
        3 * mV + 2 * nA
    assert error.value.dims == (volt.dim, amp.dim)


def test_a_unit_cannot_be_raised_to_an_array():
    with pytest.raises(TypeError, match="single power"):
        (3 * mV) ** [1, 2]


def test_what_has_no_unit_left_is_a_plain_number():
    assert type(3 * mV / (2 * mV)) is float
    assert type([1, 2] * mV / mV) is np.ndarray
    assert type(np.sqrt(Quantity(4))) is float
    assert divmod(7 * mV, 2 * mV) == (3, 1 * mV)
    assert isinstance(mV / mV, Unit), "units stay units: numbers are multiplied by them"


def test_lists_and_tuples_take_units():
    for values in ([1, 2], (1, 2), np.array([1, 2])):
        for found in (values * mV, mV * values, values * (1 * mV), (1 * mV) * values):
            assert found.dim is volt.dim
            np.testing.assert_array_equal(plain(found), [0.001, 0.002])
    assert ([2, 4] / mV).dim is volt.dim**-1
    assert Quantity([0, 1 * mV]).dim is volt.dim, "a zero may come first"


def test_integers_become_floats():
    assert (3 * mV).dtype == np.float64
    assert Quantity([1, 2]).dtype == np.float64
    assert Quantity(True).dtype == np.float64


def test_complex_numbers_can_have_units():
    assert repr((1 + 2j) * mV) == "1.+2.j * mvolt"


# -- in place, and setting --------------------------------------------------------------------------


def test_in_place_operations_change_arrays():
    x = [1, 2] * mV
    same = x
    x += 1 * mV
    x *= 2
    assert same is x
    np.testing.assert_array_equal(plain(x), [0.004, 0.006])
    x *= 2 * nA
    assert x.dim is watt.dim
    x /= 2 * nA
    x -= 1 * mV
    x %= 2 * mV
    np.testing.assert_allclose(plain(x), [0.001, 0.001])
    x **= 2
    assert x.dim is volt.dim**2
    x //= 1e-6 * volt**2
    assert x.dim is DIMENSIONLESS


def test_in_place_operations_leave_other_names_of_a_single_quantity_alone():
    x = 3 * mV
    old = x
    x += 1 * mV
    assert (x, old) == (4 * mV, 3 * mV)
    unit = mV
    unit *= 2
    assert float(mV) == 0.001


def test_a_failed_in_place_operation_changes_nothing():
    x = [1, 2] * mV
    with pytest.raises(DimensionMismatchError):
        x += 1 * nA
    assert x.dim is volt.dim
    np.testing.assert_array_equal(plain(x), [0.001, 0.002])


def test_a_plain_array_does_not_swallow_units():
    x = np.zeros(2)
    with pytest.raises(DimensionMismatchError, match="an array without unit cannot hold a voltage"):
        x += 2 * mV
    np.testing.assert_array_equal(x, 0)
    with pytest.raises(DimensionMismatchError):
        np.add([1, 2] * mV, [1, 2] * mV, out=x)
    with pytest.raises(DimensionMismatchError):
        Quantity(np.zeros(2))[0] = 3 * mV


def test_elements_are_set_with_units():
    x = [1, 2, 3] * mV
    x[0] = 5 * mV
    x[1:] = [7, 8] * mV
    np.testing.assert_allclose(plain(x), [0.005, 0.007, 0.008])
    x[:] = 0
    np.testing.assert_array_equal(plain(x), 0)
    for wrong in (3, 3 * nA, [1, 2, 3]):
        with pytest.raises(DimensionMismatchError):
            x[:] = wrong
    with pytest.raises(DimensionMismatchError):
        x.fill(3)
    with pytest.raises(DimensionMismatchError):
        x.put([0], 3)
    x.fill(2 * mV)
    x.put([0], 3 * mV)
    np.testing.assert_allclose(plain(x), [0.003, 0.002, 0.002])


# -- looking inside ---------------------------------------------------------------------------------


def test_elements_and_slices_keep_the_unit():
    x = [[1, 2, 3], [4, 5, 6]] * mV
    parts = (x[0], x[0, 1], x[:, 1], x[x > 2 * mV], x[[0, 1]], x[..., 0], x.T, x.reshape(-1), x.ravel())
    for found in (*parts, x.flatten(), x.copy(), x.astype(np.float32), x.squeeze(), x.real):
        assert found.dim is volt.dim
    assert [y.dim is volt.dim for y in x] == [True, True]
    assert x.tolist()[1][2] == 6 * mV
    assert x.item(5) == 6 * mV
    assert 2 * mV in x
    assert 9 * mV not in x
    with pytest.raises(TypeError, match="iterate over a single"):
        iter(3 * mV)


def test_a_view_shares_its_values():
    x = [1, 2, 3] * mV
    x[1:][0] = 9 * mV
    assert x[1] == 9 * mV


def test_reductions_keep_powers_of_the_unit():
    values = np.array([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]])
    x = values * mV
    for name, power in (
        ("sum", 1),
        ("mean", 1),
        ("std", 1),
        ("min", 1),
        ("max", 1),
        ("cumsum", 1),
        ("var", 2),
    ):
        for axis in (None, 0, 1):
            found = getattr(x, name)(axis=axis)
            assert get_dimensions(found) is volt.dim**power, name
            np.testing.assert_allclose(plain(found), getattr(values, name)(axis=axis) * 1e-3**power)
    assert x.prod().dim is volt.dim**6
    assert x.prod(axis=0).dim is volt.dim**2
    assert x.trace().dim is volt.dim
    assert x.dot([1, 2, 3] * nA).dim is watt.dim
    assert x.repeat(2).dim is volt.dim
    assert x.clip(2 * mV, 3 * mV).max() == 3 * mV
    assert x.round(1).dim is volt.dim
    assert sum([1 * mV, 2 * mV]) == 3 * mV
    assert max([3 * mV, 1 * mV]) == 3 * mV
    assert sorted([3, 1] * mV) == [1 * mV, 3 * mV]
    with pytest.raises(DimensionMismatchError, match="cumulative product"):
        x.cumprod()


def test_positions_have_no_unit():
    x = [3, 1, 2] * mV
    assert (x.argmax(), x.argmin()) == (0, 1)
    assert x.argsort().tolist() == [1, 2, 0]
    assert x.nonzero()[0].tolist() == [0, 1, 2]
    assert np.sort(x).searchsorted(2.5 * mV) == 2
    assert x.any() is np.True_
    assert x.all() is np.True_
    with pytest.raises(DimensionMismatchError):
        x.searchsorted(2)


def test_conversions_strip_units():
    assert float(3 * mV) == 0.003
    assert int(3 * volt) == 3
    assert type(np.asarray(3 * mV)) is np.ndarray
    assert np.array([1, 2] * mV, subok=False).tolist() == [0.001, 0.002]
    assert f"{float(3 * mV):.3f}" == "0.003"
    assert "%.3f" % (3 * mV) == "0.003"
    assert bool(3 * mV)
    assert not 0 * mV


def test_equal_quantities_have_equal_hashes():
    assert len({3 * mV, 0.003 * volt, 4 * mV}) == 2
    with pytest.raises(TypeError, match="key of a dictionary"):
        hash([1, 2] * mV)


# -- copies -----------------------------------------------------------------------------------------


@given(value=quantities())
def test_copies_are_equal_and_independent(value):
    for made in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value)), value.copy()):
        assert type(made) is Quantity
        assert made.dim is value.dim
        np.testing.assert_array_equal(plain(made), plain(value))
        assert not np.shares_memory(plain(made), plain(value))


@given(unit=units())
def test_units_survive_copying_and_pickling(unit):
    for made in (copy.copy(unit), copy.deepcopy(unit), pickle.loads(pickle.dumps(unit))):
        assert isinstance(made, Unit)
        assert (made.name, made.dispname, made.latexname, made.scale) == (
            unit.name, unit.dispname, unit.latexname, unit.scale,
        )  # fmt: skip
        assert made == unit


# -- units ------------------------------------------------------------------------------------------


def test_products_of_units_are_units():
    assert [(u.name, u.dispname) for u in (mV / ms, mV * nA, siemens / meter**2, mV**-1)] == [
        ("mvolt / msecond", "mV/ms"), ("mvolt * namp", "mV nA"), ("siemens / (meter ** 2)", "S/(m^2)"),
        ("mvolt ** -1", "mV^-1"),
    ]  # fmt: skip
    assert float(mV / ms) == 1.0
    assert type(3 * mV) is Quantity
    assert type(mV + mV) is Quantity


def test_units_can_be_made_and_named():
    unit = Unit.create(volt.dim, "statvolt", "sV", scale=2)
    assert (float(unit), str(unit), repr(unit)) == (100.0, "sV", "statvolt")
    small = Unit.create_scaled_unit(unit, "m")
    assert (float(small), str(small)) == (0.1, "msV")
    unit.set_name("a")
    unit.set_display_name("b")
    unit.set_latex_name("c")
    assert (unit.name, unit.dispname, unit.latexname) == ("a", "b", "c")
    assert float(Unit(3.0)) == 3.0


def test_an_overflowing_power_of_a_unit_is_infinite():
    assert float((Gvolt**30) ** 10) == math.inf


# -- text -------------------------------------------------------------------------------------------


def test_a_format_applies_to_the_value_in_its_best_unit():
    assert f"{3.14159 * mV:.2f}" == "3.14 mV"
    assert f"{3 * mV}" == "3. mV"
    assert f"{Quantity(2.5):.1f}" == "2.5"
    assert f"{-70 * mV:8.3f}" == " -70.000 mV"


def test_values_in_a_given_unit():
    assert (3 * mV).in_unit(volt) == "0.003 V"
    assert (3 * mV).in_unit(uvolt, python_code=True) == "3000. * uvolt"
    assert (3 * mV).in_unit(2 * mV) == "1.5 (2. mV)"
    assert in_unit(3.14159 * mV, mV, 2) == "3.14 mV"
    assert in_best_unit(0.0031 * volt, 1) == "3.1 mV"
    assert in_unit(0.5, 1) == "0.5"
    assert repr(Quantity(5)) == "Quantity(5.)"
    assert repr(Quantity([1, 2])) == "Quantity(array([1., 2.]))"
    assert repr([] * mV) == "array([], dtype=float64) * volt"


def test_latex():
    assert (3 * mV)._repr_latex_() == r"$3\,\mathrm{mV}$"
    assert ([1, 2] * mV)._repr_latex_() == r"$\left[\begin{matrix}1 & 2\end{matrix}\right]\,\mathrm{mV}$"
    assert Quantity(2.0)._repr_latex_() == "$2$"
    assert mV._repr_latex_() == r"$\mathrm{mV}$"


# -- asking -----------------------------------------------------------------------------------------


def test_questions_about_dimensions():
    assert get_dimensions(3 * mV) is volt.dim
    assert get_dimensions([[1 * mV], [2 * mV]]) is volt.dim
    assert get_dimensions(volt.dim) is volt.dim
    assert [get_dimensions(x) for x in (3, "x", None, [], [1, 2], np.ones(2), True)] == [DIMENSIONLESS] * 7
    assert have_same_dimensions(3 * mV, 2 * volt)
    assert not have_same_dimensions(3 * mV, 2)
    assert (3 * mV).has_same_dimensions(volt)
    assert (3 * mV).dimensions is volt.dim
    assert is_dimensionless(3 * mV / mV)
    assert not (3 * mV).is_dimensionless
    assert is_scalar_type(3 * mV)
    assert not is_scalar_type([1, 2] * mV)
    assert not is_scalar_type("x")
    assert quantity_with_dimensions(3.0, volt.dim) == 3 * volt
    assert quantity_with_dimensions(3.0, DIMENSIONLESS) == 3.0
    assert Quantity.with_dimensions(3, volt.dim) == 3 * volt
    assert Quantity.with_dimensions(0.1, second=1) == 0.1 * second


def test_fail_for_dimension_mismatch():
    assert fail_for_dimension_mismatch(1 * mV, 0) == (volt.dim, volt.dim)
    assert fail_for_dimension_mismatch(0, 1 * mV) == (volt.dim, volt.dim)
    with pytest.raises(DimensionMismatchError, match="do not have the same dimension"):
        fail_for_dimension_mismatch(1 * mV)
    with pytest.raises(DimensionMismatchError, match=r"^no 7$"):
        fail_for_dimension_mismatch(1 * mV, 1 * nA, "no {n}", n=7)


class FakePint:
    """What the conversion asks a quantity of pint."""

    magnitude = 3.0
    dimensionality = {"[length]": 2, "[mass]": 1, "[time]": -3, "[current]": -1}  # noqa: RUF012
    __module__ = "pint.registry"

    def to_base_units(self):
        return self


class FakeSymbol:
    def __init__(self, symbol):
        self.symbol = symbol


class FakeQuantities:
    """What the conversion asks a quantity of the package quantities (Neo's)."""

    magnitude = np.array([1.0, 2.0])
    __module__ = "quantities.quantity"

    def __init__(self):
        self.dimensionality = {FakeSymbol("s"): 1}
        self.simplified = self


def test_quantities_of_other_packages_are_understood(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pint", object())
    monkeypatch.setitem(__import__("sys").modules, "quantities", object())
    assert as_quantity(FakePint()) == 3 * volt
    assert get_dimensions(FakeQuantities()) is second.dim
    assert Quantity(FakeQuantities())[1] == 2 * second
