"""Floored division against NumPy, Python and exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from elementwise import interpreted, native, same_bits

from eccles.compile.division import floor_divide, mod

SPECIAL = np.array([0.0, 5e-324, 1e-300, 0.1, 0.5, 1.0, 3.0, 10.0, 1e5, 1e15, math.inf])
SPECIAL = np.concatenate([SPECIAL, -SPECIAL, [math.nan]])


def below(limit: float, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs whose quotient is small or undefined."""
    with np.errstate(all="ignore"):
        ratio = np.abs(a / b)
    keep = ~((ratio >= limit) & np.isfinite(a) & (b != 0))
    return a[keep], b[keep]


@pytest.mark.parametrize("portable", [False, True])
def test_special_arguments_give_what_numpy_gives(portable):
    a, b = (grid.ravel() for grid in np.meshgrid(SPECIAL, SPECIAL))
    a, b = below(2.0**53, a, b)
    with np.errstate(all="ignore"):
        for function, wanted in ((mod, np.mod(a, b)), (floor_divide, np.floor_divide(a, b))):
            found = native(function, a, b, portable=portable)
            right = (np.isnan(found) & np.isnan(wanted)) | (
                (found == wanted) & (np.signbit(found) == np.signbit(wanted))
            )
            wrong = [(a[k], b[k], found[k], wanted[k]) for k in np.flatnonzero(~right)[:5]]
            assert not wrong


@pytest.mark.parametrize("portable", [False, True])
def test_quotients_and_remainders_are_right_to_the_last_bit(portable):
    rng = np.random.default_rng(2)
    n = 3000
    b = rng.choice([-1, 1], n) * 10.0 ** rng.uniform(-8, 8, n)
    near_whole = rng.integers(-(10**6), 10**6, n) * b  # rounding decides the quotient
    decimal = rng.integers(-1000, 1000, n) / 10.0
    a = np.concatenate([rng.normal(size=n) * 1e6 * b, near_whole, np.nextafter(near_whole, 0), decimal])
    b = np.concatenate([b, b, b, rng.integers(1, 50, n) / 10.0])
    quotients, remainders = (native(f, a, b, portable=portable) for f in (floor_divide, mod))
    for x, y, q, r in zip(a.tolist(), b.tolist(), quotients.tolist(), remainders.tolist(), strict=True):
        exact = Fraction(x) // Fraction(y)
        assert q == exact
        assert r == float(Fraction(x) - exact * Fraction(y))


def test_the_textbook_case():
    assert native(mod, 1.0, 0.1, portable=False)[0] == 1.0 % 0.1 == 0.09999999999999995
    assert native(floor_divide, 1.0, 0.1, portable=False)[0] == 1.0 // 0.1 == 9.0


def test_a_quotient_too_large_to_be_exact_has_no_remainder():
    assert native(mod, 1e300, 7.0, portable=False)[0] == 0.0


@pytest.mark.parametrize("function", [mod, floor_divide])
def test_the_interpreter_and_portable_code_agree_bit_for_bit(function):
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=40) * 1e3, rng.normal(size=40)
    assert same_bits(native(function, a, b, portable=True), interpreted(function, a, b))
