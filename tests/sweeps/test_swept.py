"""Arithmetic with stand-ins against NumPy in each condition, and what they refuse to say."""

from __future__ import annotations

import copy
import json
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eccles as e
from eccles import Hz, Quantity, ms, mV
from eccles.errors import DimensionMismatchError
from eccles.objects.swept import Structural, Swept
from eccles.units import get_dimensions

SIZES = {"a": 2, "b": 3, "c": 1}
UNITS = [None, ms, mV, Hz]
BINARY: list[Callable[[Any, Any], Any]] = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
    operator.lt, operator.ge, operator.eq, operator.ne, np.minimum, np.maximum, np.arctan2, np.hypot,
]  # fmt: skip
UNARY: list[Callable[[Any], Any]] = [
    operator.neg, operator.pos, abs, np.sqrt, np.exp, np.floor, np.sign, np.isfinite, lambda x: x**2,
    lambda x: 2**x, np.square, np.tanh, lambda x: 1 / x,
]  # fmt: skip


def conditions() -> Any:
    return np.ndindex(*SIZES.values())


def at(value: Any, place: tuple[int, ...]) -> Any:
    """What an operand is in one condition."""
    return value.at(dict(zip(SIZES, place, strict=True))) if isinstance(value, Swept) else value


@st.composite
def operands(draw: st.DrawFn, shapes: tuple[tuple[int, ...], ...] = ((), (2,), (3, 2), (1,))) -> Any:
    """A stand-in, an array or a number, with a unit or without."""
    axes = draw(st.permutations(list(SIZES)))[: draw(st.integers(0, 3))]
    shape = draw(st.sampled_from(shapes))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    size = (*(SIZES[axis] for axis in axes), *shape)
    values: Any = rng.integers(-4, 5, size) if draw(st.booleans()) else rng.normal(size=size) * 3
    unit = draw(st.sampled_from(UNITS))
    values = values if unit is None else values * unit
    if axes:
        return Swept(np.asanyarray(values), tuple(axes))
    return values if shape or unit is not None else values.item()


def outcome(function: Callable[..., Any], *args: Any) -> Any:
    """What a call gives, or the kind of its error."""
    with np.errstate(all="ignore"):
        try:
            return function(*args)
        except (TypeError, ValueError, DimensionMismatchError) as error:
            return type(error)


def assert_same(found: Any, expected: Any) -> None:
    assert get_dimensions(found) is get_dimensions(expected)
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
    assert np.asarray(found).dtype == np.asarray(expected).dtype


def assert_as_in_each_condition(function: Callable[..., Any], *args: Any) -> None:
    found = outcome(function, *args)
    for place in conditions():
        expected = outcome(function, *(at(arg, place) for arg in args))
        if isinstance(expected, type):
            assert isinstance(found, type), (found, expected)
            assert issubclass(found, expected) or issubclass(expected, found)
        else:
            assert not isinstance(found, type), (found, expected)
            assert_same(at(found, place), expected)


@given(st.sampled_from(BINARY), operands(), operands())
def test_operations_with_two_operands_are_those_of_each_condition(function, x, y):
    assert_as_in_each_condition(function, x, y)


@given(st.sampled_from(UNARY), operands())
def test_operations_with_one_operand_are_those_of_each_condition(function, x):
    assert_as_in_each_condition(function, x)


@given(operands(((),)), operands(((2,),)), operands(((), (3, 2))))
def test_longer_expressions_are_those_of_each_condition(x, y, z):
    assert_as_in_each_condition(lambda x, y, z: x * y / (1.5 * z) + 0 * (x / z * y), x, y, z)
    assert_as_in_each_condition(lambda x, y, z: (x - x) + (z / z) * x, x, y, z)


def ragged() -> Swept:
    values = np.empty(3, dtype=object)
    for k, train in enumerate(([1] * ms, [2, 3] * ms, [] * ms)):
        values[k] = train
    return Swept(values, ("b",))


@pytest.mark.parametrize(
    "other", [2.5, np.float64(2), 3, np.array([2.0]), Swept(np.array([1.0, 2.0]), ("a",))]
)
@pytest.mark.parametrize("function", [operator.mul, operator.truediv])
def test_arrays_of_several_lengths(other, function):
    assert_as_in_each_condition(function, ragged(), other)
    assert_as_in_each_condition(function, other, ragged())
    assert_as_in_each_condition(operator.add, ragged(), 2 * ms)
    assert_as_in_each_condition(operator.add, ragged(), Swept([1, 2] * ms, ("a",)))


def test_parts_of_arrays():
    table = np.arange(12.0).reshape(2, 3, 2)
    swept = Swept(table * ms, ("a",))
    for item in (0, -1, slice(1, 3), np.array([2, 0]), (slice(None), 1), (1, 0), None, ...):
        found = swept[item]
        for k in range(2):
            assert_same(found.at({"a": k}), (table[k] * ms)[item])


def test_what_a_condition_gets_is_its_own():
    swept = Swept(np.ones((2, 3)), ("a",))
    swept.at({"a": 0})[:] = 7
    np.testing.assert_array_equal(swept.at({"a": 0}), 1)
    np.testing.assert_array_equal(swept.first, 1)


NUMBER: Any = Swept(np.array([1.0, 2.0]), ("a",))
TIME: Any = Swept([1, 2] * ms, ("a",))
ARRAY: Any = Swept(np.ones((2, 3)), ("a",))
INDEX: Any = Swept(np.array([1, 0]), ("a",))

USES: dict[str, Callable[[], Any]] = {
    "if": lambda: 1 if NUMBER else 0,
    "comparison in an if": lambda: 1 if NUMBER > 1 else 0,
    "and": lambda: NUMBER and 1,
    "not": lambda: not NUMBER,
    "chained comparison": lambda: 0 < NUMBER < 3,
    "int": lambda: int(NUMBER),
    "float": lambda: float(NUMBER),
    "complex": lambda: complex(NUMBER),
    "bool": lambda: bool(NUMBER),
    "round": lambda: round(NUMBER),
    "math": lambda: math.exp(NUMBER),
    "math.floor": lambda: math.floor(NUMBER),
    "math.ceil": lambda: math.ceil(NUMBER),
    "math.trunc": lambda: math.trunc(NUMBER),
    "divmod": lambda: int(divmod(NUMBER, 2)[0]),
    "len": lambda: len(ARRAY),
    "iteration": lambda: list(ARRAY),
    "in": lambda: 1.0 in ARRAY,
    "in a list": lambda: NUMBER in [1.0, 2.0],
    "unpacking": lambda: [*ARRAY],
    "sum": lambda: sum(ARRAY),
    "max": lambda: max(NUMBER, 1),
    "sorted": lambda: sorted([TIME, TIME * 2]),
    "range": lambda: range(INDEX),
    "index of a list": lambda: [1, 2][INDEX],
    "index of an array": lambda: np.arange(3)[INDEX],
    "index of itself": lambda: ARRAY[INDEX],
    "repetition": lambda: [0] * INDEX,
    "format": lambda: f"{NUMBER}",
    "str.format": lambda: str.format("{:.3f}", NUMBER),
    "percent d": lambda: operator.mod("%d", NUMBER),
    "str": lambda: str(NUMBER),
    "np.array": lambda: np.array(NUMBER),
    "np.asarray": lambda: np.asarray(TIME),
    "a list in an array": lambda: np.array([NUMBER, 1.0]),
    "np.full": lambda: np.full(3, NUMBER),
    "np.ones": lambda: np.ones(INDEX),
    "np.linspace": lambda: np.linspace(0, NUMBER, 3),
    "np.arange": lambda: np.arange(NUMBER),
    "np.where": lambda: np.where(NUMBER > 1, 1, 2),
    "np.sum": lambda: np.sum(ARRAY),
    "np.add.reduce": lambda: np.add.reduce(ARRAY),
    "np.add.outer": lambda: np.add.outer(ARRAY, ARRAY),
    "np.clip": lambda: np.clip(NUMBER, 0, 1),
    "np.concatenate": lambda: np.concatenate([ARRAY, ARRAY]),
    "np.random": lambda: np.random.default_rng(0).normal(size=INDEX),
    "assignment to all of an array": lambda: np.zeros(3).__setitem__(slice(None), ARRAY),
    "out=": lambda: np.add(NUMBER, 1, out=np.zeros(2)),
    "in place on an array": lambda: operator.iadd(np.zeros(2), NUMBER),
    "shape of ragged ones": lambda: ragged().shape,
    "part of ragged ones": lambda: ragged()[0],
    "part of a number": lambda: NUMBER[0],
    "json": lambda: json.dumps({"w": float(NUMBER)}),
    "quantity": lambda: Quantity(NUMBER),
    "array of a quantity": lambda: Quantity([TIME, TIME]),
    "set": lambda: {1.0, 2.0} & {float(NUMBER)},
    "key with a default": lambda: {1.0: "a"}.get(NUMBER, "b"),
    "in a set": lambda: NUMBER in {1.0, 2.0},
    "comparison of texts": lambda: str(NUMBER) == "1.0",
    "percent s": lambda: operator.mod("%s", NUMBER),
    "print": lambda: print(NUMBER),
    "repetition of a tuple": lambda: INDEX * (0,),
    "key": lambda: {1.0: "a"}[NUMBER],
}  # fmt: skip


@pytest.mark.parametrize("use", USES)
def test_a_use_that_needs_the_number_is_structural(use):
    with pytest.raises(Structural) as found:
        USES[use]()
    assert found.value.axes == ({"b"} if "ragged" in use else {"a"})


def test_no_handler_of_a_model_hides_it():
    def model():
        try:
            int(NUMBER)
        except Exception:
            pytest.fail("it was caught")

    with pytest.raises(Structural):
        model()


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies_stand_for_the_same(duplicate):
    found = duplicate(TIME)
    assert isinstance(found, Swept)
    assert_same(found.at({"a": 1}), 2 * ms)


def test_units_are_checked_when_models_are_made():
    with pytest.raises(DimensionMismatchError):
        _ = TIME + 1
    with pytest.raises(DimensionMismatchError):
        _ = TIME + Swept([1, 2] * mV, ("b",))
    with pytest.raises(DimensionMismatchError):
        np.exp(TIME)


def test_views_of_variables_can_be_combined_with_stand_ins():
    G = e.NeuronGroup(3, "v : volt")
    G.v = [1, 2, 3] * mV
    found = G.v * NUMBER
    assert isinstance(found, Swept)
    assert_same(found.at({"a": 1}), [2, 4, 6] * mV)
    assert_same((NUMBER + G.v_).at({"a": 0}), 1 + np.array([1e-3, 2e-3, 3e-3]))
