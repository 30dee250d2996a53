import numpy as np
import pytest

from eccles.errors import DimensionMismatchError
from eccles.units import *
from eccles.units import functions
from eccles.units.functions import arange, clip, exprel


def test_every_listed_function_exists():
    assert [name for name in functions.__all__ if not callable(getattr(functions, name))] == []


def test_arange_takes_units_in_every_form():
    for found in (
        arange(0 * ms, 5 * ms, 2 * ms),
        arange(0, 5 * ms, 2 * ms),
        arange(5 * ms, step=2 * ms),
        arange(start=0 * ms, stop=5 * ms, step=2 * ms),
    ):
        assert found.dim is second.dim
        np.testing.assert_allclose(np.asarray(found), [0, 0.002, 0.004])
    np.testing.assert_array_equal(arange(3), [0, 1, 2])
    assert arange(3).dtype.kind == "i"


def test_arange_refuses_units_that_differ():
    with pytest.raises(DimensionMismatchError, match="count from"):
        arange(0 * ms, 5)
    with pytest.raises(DimensionMismatchError, match="count from"):
        arange(1 * ms, 5 * ms, 1 * mV)


def test_exprel_is_exact_near_zero():
    assert exprel(0) == 1.0
    assert exprel(1e-10) == pytest.approx(1 + 5e-11, rel=1e-15)
    np.testing.assert_allclose(exprel([-1.0, 0.0, 1.0]), [1 - np.exp(-1), 1, np.e - 1], rtol=1e-15)
    assert exprel(800.0) == np.inf
    assert exprel(2 * mV / mV) == pytest.approx((np.e**2 - 1) / 2)
    with pytest.raises(DimensionMismatchError, match="exprel needs a number without unit"):
        exprel(2 * mV)


def test_clip_is_numpys_with_units():
    assert clip(5 * mV, 0, 2 * mV) == 2 * mV
