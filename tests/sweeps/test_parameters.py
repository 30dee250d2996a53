"""What values of parameters become, and which conditions they make."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eccles import Hz, Quantity, ms, mV, second, zipped
from eccles.errors import DimensionMismatchError, SetupError
from eccles.sweeps.parameters import Grid


def only(values: Any) -> Any:
    (((_, parameter),)) = Grid({"p": values}).parameters().values()
    return parameter


@pytest.mark.parametrize(
    ("given", "values", "units", "kind"),
    [
        ([1, 2], [1, 2], "", "i"),
        ([1, 2.5], [1, 2.5], "", "f"),
        ((1, 2), [1, 2], "", "i"),
        (range(3), [0, 1, 2], "", "i"),
        (range(7, 1, -3), [7, 4], "", "i"),
        (3, [3], "", "i"),
        (2.5, [2.5], "", "f"),
        (np.float32(0.5), [0.5], "", "f"),
        (np.array(4), [4], "", "i"),
        (np.arange(3, dtype=np.uint8), [0, 1, 2], "", "u"),
        ([1, 2] * ms, [1e-3, 2e-3], "s", "f"),
        (3 * mV, [3e-3], "V", "f"),
        ([1 * ms, 2 * second], [1e-3, 2], "s", "f"),
        ([np.int64(1), 2.5, np.float32(3)], [1, 2.5, 3], "", "f"),
    ],
)
def test_numbers_become_arrays_in_si_units(given, values, units, kind):
    p = only(given)
    np.testing.assert_array_equal(np.asarray(p.values), values)
    assert p.values.dtype.kind == kind
    assert p.is_number
    label = p.coordinate()
    np.testing.assert_array_equal(label.values, values)
    assert label.units == units
    for k, value in enumerate(values):
        one = p.at(k)
        assert float(one) == value
        assert isinstance(one, Quantity) == bool(units)


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ("text", ["text"]),
        (["a", "b"], ["a", "b"]),
        (True, [True]),
        ([True, np.bool_(False)], [True, False]),
        (np.array([True, False]), [True, False]),
        (np.array(["x", "y"]), ["x", "y"]),
    ],
)
def test_texts_and_truths_are_themselves(given, values):
    p = only(given)
    assert [p.at(k) for k in range(len(p))] == values
    assert all(type(p.at(k)) is type(value) for k, value in enumerate(values))
    assert not p.is_number
    assert p.coordinate().values.tolist() == values


@pytest.mark.parametrize(
    "given",
    [[True, 1], ["a", 1], [None, 2.0], [None], [min, max], [True, "x"], [[True, False], [False, False]]],
)
def test_mixed_values_are_kept_and_labelled_by_their_positions(given):
    p = only(given)
    assert [p.at(k) for k in range(len(p))] == given
    assert [type(p.at(k)) for k in range(len(p))] == [type(value) for value in given]
    assert p.coordinate().values.tolist() == list(range(len(given)))


def test_arrays_of_one_shape_and_of_several():
    alike = only([[1, 2] * ms, [3, 4] * ms])
    assert alike.values.shape == (2, 2)
    np.testing.assert_array_equal(alike.at(1), [3, 4] * ms)
    assert alike.coordinate().values.tolist() == [0, 1]
    ragged = only([[1] * ms, [3, 4] * ms, [] * ms])
    assert ragged.is_number
    assert [len(ragged.at(k)) for k in range(3)] == [1, 2, 0]
    assert all(isinstance(ragged.at(k), Quantity) for k in range(3))
    assert ragged.coordinate().values.tolist() == [0, 1, 2]
    assert ragged.swept("p").ragged
    table = only(np.arange(6.0).reshape(3, 2))
    np.testing.assert_array_equal(table.at(2), [4, 5])


@pytest.mark.parametrize(
    "given",
    [np.array([1.0, 2.0]), np.ones((2, 3)), [np.array([1.0]), np.array([2.0, 3.0])], [[1, 2] * ms, [3] * ms]],
)
def test_what_others_change_does_not_matter(given):
    p = only(given)
    before = [np.array(p.at(k)) for k in range(2)]
    for part in given if isinstance(given, list) else [given]:
        part *= 2
    for k in range(2):
        if isinstance(p.at(k), np.ndarray):
            p.at(k)[...] *= 3
        np.testing.assert_array_equal(np.array(p.at(k)), before[k])


@pytest.mark.parametrize("given", [[], (), range(0), np.array([]), [] * ms])
def test_no_values_are_refused(given):
    with pytest.raises(SetupError, match="has no value"):
        Grid({"p": given})


@pytest.mark.parametrize("given", [[1 * ms, 1 * mV], [1 * ms, 1], [1, 1 * Hz], [[1] * ms, [1, 2] * mV]])
def test_different_units_are_refused(given):
    with pytest.raises(DimensionMismatchError, match="different units"):
        Grid({"p": given})


def test_zipped_parameters_have_one_axis():
    grid = Grid({"a": [1, 2], "pair": zipped(pre=[1, 2, 3] * Hz, kind=["x", "y", "z"])})
    assert grid.shape == (2, 3)
    assert grid.condition(5) == {"a": 2, "pre": 3 * Hz, "kind": "z"}
    assert [(axis.name, list(axis.coordinates)) for axis in grid.labels()] == [
        ("a", ["a"]), ("pair", ["pre", "kind"]),
    ]  # fmt: skip
    with pytest.raises(SetupError, match="a has 2, b has 1"):
        Grid({"x": zipped(a=[1, 2], b=[1])})
    with pytest.raises(SetupError, match="'a' is given twice"):
        Grid({"a": 1, "x": zipped(a=[1, 2], b=[1, 2])})
    with pytest.raises(SetupError, match="needs parameters"):
        zipped()


def test_tables_of_truths_keep_all_columns():
    p = only(np.array([[True, False], [False, True]]))
    assert [p.at(k) for k in range(2)] == [[True, False], [False, True]]


def test_too_many_conditions_or_dimensions_are_refused():
    with pytest.raises(SetupError, match=r"1e\+21 conditions"):
        Grid({f"p{k}": range(1000) for k in range(7)})
    with pytest.raises(SetupError, match="29 parameters"):
        Grid({f"p{k}": 1 for k in range(29)})
    assert Grid({f"p{k}": 1 for k in range(28)}).n_conditions == 1


def test_values_that_are_no_numbers_are_found():
    def missing(values: Any) -> list[int]:
        return only(values).without_numbers().tolist()

    assert missing([1.0, math.nan]) == [1]
    assert missing([1.0, math.inf]) == []
    assert missing([[1.0, 2.0], [math.nan, 1.0]]) == [1]
    assert missing([[1.0], [math.nan, 1.0]]) == [1]
    assert missing([1, 2]) == []
    assert missing(["a", "nan"]) == []


@given(st.lists(st.integers(1, 4), max_size=4), st.data())
def test_numbers_positions_and_values_of_conditions_fit_together(sizes, data):
    grid = Grid({f"p{k}": np.arange(n) * 10.0 for k, n in enumerate(sizes)})
    assert grid.n_conditions == math.prod(sizes)
    index = np.arange(grid.n_conditions).reshape(sizes)
    fixed = {
        f"p{k}": data.draw(st.integers(0, n - 1)) for k, n in enumerate(sizes) if data.draw(st.booleans())
    }
    numbers = grid.numbers(fixed)
    assert len(np.unique(numbers)) == len(numbers)
    for number in range(grid.n_conditions):
        where = grid.where(number)
        assert index[tuple(where.values())] == number
        assert grid.condition(number) == {axis: 10.0 * k for axis, k in where.items()}
        assert (number in numbers) == all(where[axis] == k for axis, k in fixed.items())
