import numpy as np
import pytest
from hypothesis import given
from strategies import dimensions

from eccles.errors import DimensionMismatchError, InternalError
from eccles.results.labels import (
    bare,
    dimension_of,
    listed,
    named,
    quantity,
    scale_of,
    shown,
    shown_condition,
)
from eccles.units import *
from eccles.units.dimension import _KNOWN


@given(dim=dimensions())
def test_the_symbol_of_any_dimension_is_read_back(dim):
    assert dimension_of(dim.symbol()) is dim


@pytest.mark.parametrize("dim", [*_KNOWN, get_dimensions(volt**3 / metre), get_dimensions(1)])
def test_the_symbols_of_usual_dimensions_are_read_back(dim):
    assert dimension_of(dim.symbol()) is dim


@pytest.mark.parametrize("text", ["furlong", "V^", "m//s", "3", "V+s", "m s x"])
def test_what_is_no_symbol_is_an_error(text):
    with pytest.raises(InternalError, match="is not the symbol"):
        dimension_of(text)


@pytest.mark.parametrize(
    ("values", "symbol", "scale", "unit"),
    [
        ([0.0, 0.01], "s", 1e-3, "ms"),
        ([0.0, 5.0], "s", 1.0, "s"),
        ([-0.07, np.nan], "V", 1e-3, "mV"),
        ([20.0, 250.0], "Hz", 1.0, "Hz"),
        ([2e-9], "S", 1e-9, "nS"),
        ([0.02], "", 1.0, ""),
        ([3.0], "1", 1.0, ""),
        ([], "s", 1.0, "s"),
    ],
)
def test_numbers_are_shown_in_the_unit_in_which_the_largest_reads_best(values, symbol, scale, unit):
    assert scale_of(values, symbol) == (pytest.approx(scale), unit)


def test_values_are_shown_as_people_write_them():
    assert shown(0.0101, "s") == "10.1 ms"
    assert shown(0.25) == "0.25"
    assert shown(3) == "3"
    assert shown(np.str_("pair")) == "pair"
    assert shown_condition({"pre": (20.0, "Hz"), "rule": ("pair", "")}) == "pre = 20 Hz, rule = pair"
    assert (named("pre", "Hz"), named("trial", "")) == ("pre (Hz)", "trial")
    assert listed(range(30), "", most=4) == "0, 1, ..., 28, 29"


def test_values_get_their_units():
    assert quantity(0.01, "s") == 10 * ms
    assert get_dimensions(quantity([1.0], "V/s")) is get_dimensions(volt / second)
    assert quantity(3, "") == 3


def test_a_value_needs_the_unit_of_its_parameter():
    assert bare("pre", 0.2 * kHz, "Hz") == 200
    with pytest.raises(DimensionMismatchError, match="'pre' is a frequency") as error:
        bare("pre", 200, "Hz")
    assert error.value.hint == "Give its unit, as in 1*Hz."
    with pytest.raises(DimensionMismatchError, match="a number without unit, but the value given is a time"):
        bare("trial", 1 * ms, "")
