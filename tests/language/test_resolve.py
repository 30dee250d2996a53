import math
import warnings

import numpy as np
import pytest

from eccles.errors import EcclesWarning, NameResolutionError
from eccles.language.check import Symbol
from eccles.language.resolve import Namespace, default_symbol, external_symbol, is_model_function
from eccles.units import *


def constant(name, value):
    found = external_symbol(name, value)
    assert isinstance(found, Symbol)
    assert found.kind == "constant"
    assert not found.writable
    return found.value, found.dim, found.type


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, (3, DIMENSIONLESS, "integer")),
        (3.5, (3.5, DIMENSIONLESS, "float")),
        (True, (True, DIMENSIONLESS, "boolean")),
        (np.True_, (True, DIMENSIONLESS, "boolean")),
        (np.int32(3), (3, DIMENSIONLESS, "integer")),
        (np.uint8(3), (3, DIMENSIONLESS, "integer")),
        (np.float32(0.5), (0.5, DIMENSIONLESS, "float")),
        (np.array(3), (3, DIMENSIONLESS, "integer")),
        (np.array(True), (True, DIMENSIONLESS, "boolean")),
        (2 * mV, (0.002, volt.dim, "float")),
        (mV, (0.001, volt.dim, "float")),
        (Quantity(3), (3.0, DIMENSIONLESS, "float")),
        (10**400, None),
        (2**63, (float(2**63), DIMENSIONLESS, "float")),
        (-(2**62), (-(2**62), DIMENSIONLESS, "integer")),
    ],
)  # fmt: skip
def test_values_of_the_script_become_constants(value, expected):
    if expected is None:
        with pytest.raises(NameResolutionError, match="too large"):
            external_symbol("x", value)
        return
    found = constant("x", value)
    assert found == expected
    assert type(found[0]) is type(expected[0])


@pytest.mark.parametrize(
    "value", [np.ones(3), [1, 2], "text", None, 1j, object(), math, [1, 2] * mV, np.ones((1,))]
)
def test_what_model_text_cannot_use_is_an_error_with_advice(value):
    with pytest.raises(NameResolutionError, match="cannot be used in model text") as error:
        external_symbol("x", value)
    assert error.value.hint


def test_default_names_are_constants_and_units():
    assert default_symbol("pi").value == math.pi
    assert default_symbol("e").value == math.e
    assert default_symbol("inf").value == math.inf
    assert (default_symbol("mV").value, default_symbol("mV").dim) == (0.001, volt.dim)
    assert default_symbol("umetre2").value == 1e-12
    assert default_symbol("tau") is None


def test_names_of_the_script_come_before_units():
    names = Namespace({"tau": 10 * ms, "f": lambda_free})
    assert names.lookup("tau").value == 0.01
    assert names.lookup("mV").value == 0.001
    assert names.lookup("unknown") is None
    assert is_model_function(names.lookup("f"))


def lambda_free(x):
    return x + 1


def test_a_value_named_like_a_unit_is_used_with_a_warning():
    with pytest.warns(EcclesWarning, match="'ms' is a unit, but the script also has a value of that name"):
        assert Namespace({"ms": 3}).lookup("ms").value == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Namespace({"ms": ms}).lookup("ms").value == 0.001
        assert Namespace({"nm": 2 * nmetre}).lookup("nm").value == 2e-9
        assert Namespace({"e": 1.5}).lookup("e").value == 1.5


def test_an_object_named_like_a_unit_leaves_the_unit_alone():
    assert Namespace({"ms": math}).lookup("ms").value == 0.001
    assert Namespace({"pi": np.ones(3)}).lookup("pi").value == math.pi
