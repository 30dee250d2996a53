"""Elementary functions against mpmath, NumPy and the interpreter."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest
from elementwise import interpreted, native, same_bits
from minimax import TASKS, remez

from eccles.compile import elementary, ir, llvm, random

FUNCTIONS = {name: getattr(elementary, name) for name in elementary.__all__}
UNARY = [name for name, f in FUNCTIONS.items() if len(f.params) == 1]

Arrays = tuple[np.ndarray, ...]

# -- accuracy -----------------------------------------------------------------------------------------

BOUNDS = {  # units in the last place
    "exp": 1.05, "expm1": 1.15, "exprel": 1.85, "log": 0.95, "log1p": 0.95, "log2": 0.95, "log10": 0.8,
    "sin": 0.85, "cos": 0.85, "tan": 2.3, "arcsin": 1.7, "arccos": 1.2, "arctan": 2.45, "arctan2": 2.45,
    "sinh": 2.3, "cosh": 1.65, "tanh": 2.15, "pow": 1.55,
}  # fmt: skip


def exact_exprel(x: mp.mpf) -> mp.mpf:
    return mp.expm1(x) / x if x else mp.mpf(1)


EXACT: dict[str, Callable[..., mp.mpf]] = {
    "exprel": exact_exprel, "log2": lambda x: mp.log(x, 2), "arcsin": mp.asin, "arccos": mp.acos,
    "arctan": mp.atan, "arctan2": mp.atan2, "pow": mp.power,
}  # fmt: skip
N = 150  # arguments of each kind


def between(rng: np.random.Generator, *bounds: float) -> np.ndarray:
    """Uniform numbers in several intervals: low, high, low, high ..."""
    return np.concatenate([rng.uniform(a, b, N) for a, b in zip(bounds[::2], bounds[1::2], strict=True)])


def of_all_sizes(rng: np.random.Generator, low: float, high: float) -> np.ndarray:
    """Numbers of both signs whose logarithms to base 10 are uniform."""
    return 10 ** rng.uniform(low, high, N) * rng.choice([-1, 1], N)


def arguments(name: str) -> Arrays:
    """Arguments all over the range of a function, denser where its formulas change."""
    rng = np.random.default_rng(list(name.encode()))
    small = of_all_sizes(rng, -17, 1)
    match name:
        case "exp":
            return (np.append(small, between(rng, -1, 1, -708, 709.78, -745, -708)),)
        case "expm1":
            return (np.append(small, between(rng, -0.4, 1.2, -2, -0.3, -40, 709.78)),)
        case "exprel":
            return (np.append(small, between(rng, -0.4, 1.2, -1000, -40, -40, 709, 709, 716)),)
        case "log" | "log2" | "log10":
            wide = [abs(of_all_sizes(rng, -323, -307)), abs(of_all_sizes(rng, -300, 300))]
            near = [between(rng, 0.5, 2, 0.7, 0.72, 1.4, 1.43), 1 + of_all_sizes(rng, -16, -1)]
            return (np.concatenate([*wide, *near]),)
        case "log1p":
            wide = [of_all_sizes(rng, -17, -0.01), abs(of_all_sizes(rng, -3, 300))]
            return (np.concatenate([*wide, between(rng, -1, 1, 0.3, 0.5, -0.3, -0.2)]),)
        case "sin" | "cos" | "tan":
            near = np.pi / 4 * np.concatenate([rng.integers(1, 10**k, N) for k in (2, 6, 9)])
            return (
                np.concatenate(
                    [small, near, between(rng, -10, 10, -1e5 * np.pi, 1e5 * np.pi, -1.6e9, 1.6e9)]
                ),
            )
        case "arcsin" | "arccos":
            edges = 1 - abs(of_all_sizes(rng, -16, -1))
            inside = np.clip(small, -1, 1)
            return (np.concatenate([inside, edges, -edges, between(rng, -1, 1, 0.49, 0.51, -0.51, -0.49)]),)
        case "arctan":
            return (
                np.append(of_all_sizes(rng, -17, 17), between(rng, -1, 1, 0.41, 0.42, 2.4, 2.45, -10, 10)),
            )
        case "arctan2":
            wide = [of_all_sizes(rng, *r) for r in ((-300, 300), (-320, -305), (307, 308)) for _ in "yx"]
            near = between(rng, -1, 1, 0.41, 0.43), np.append(rng.uniform(-1, 1, N), np.ones(N))
            return np.concatenate([*wide[::2], near[0]]), np.concatenate([*wide[1::2], near[1]])
        case "sinh" | "cosh" | "tanh":
            return (np.append(small, between(rng, -1, 1, -22, 22, -710.4, 710.4)),)
        case "pow":
            bases = [abs(of_all_sizes(rng, *r)) for r in ((-1, 1), (-300, 300), (-323, -307))]
            bases += [1 + of_all_sizes(rng, -16, -1), between(rng, 0.7, 0.72, 1.4, 1.43)]
            exponents = [*between(rng, -10, 10, -1.02, 1.02, -1, 1).reshape(3, N)]
            exponents += [of_all_sizes(rng, 0, 17), rng.uniform(-2000, 2000, 2 * N)]
            return np.concatenate(bases), np.concatenate(exponents)
    raise KeyError(name)


def ulps(values: np.ndarray, exact: list[mp.mpf]) -> np.ndarray:
    """Errors in units of the last place of the exact result."""
    errors = []
    for value, true in zip(values.tolist(), exact, strict=True):
        if math.isinf(value):  # right where the exact result rounds to infinity
            errors.append(0.0 if abs(true) >= mp.mpf(2) ** 1024 * (1 - mp.mpf(2) ** -54) else math.inf)
            continue
        exponent = int(mp.frexp(true)[1]) if true else -2000
        errors.append(float(abs(value - true) / mp.mpf(2) ** max(exponent - 53, -1074)))
    return np.array(errors)


@pytest.mark.parametrize("name", BOUNDS)
def test_errors_are_below_the_bounds(name: str) -> None:
    args = arguments(name)
    with mp.workprec(200):
        function = EXACT.get(name) or getattr(mp, name)
        exact = [function(*map(mp.mpf, row)) for row in zip(*(a.tolist() for a in args), strict=True)]
        for portable in (False, True):
            errors = ulps(native(FUNCTIONS[name], *args, portable=portable), exact)
            worst = int(np.argmax(errors))
            assert errors[worst] < BOUNDS[name], [a[worst] for a in args]


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_large_angles_are_off_by_no_more_than_their_rounding(name: str) -> None:
    x = np.logspace(9, 15, 300)
    with mp.workprec(200):
        exact = np.array([float(getattr(mp, name)(mp.mpf(v))) for v in x.tolist()])
    for portable in (False, True):
        errors = abs(native(FUNCTIONS[name], x, portable=portable) - exact)
        assert np.all(errors <= x * 2.0**-52)
    for huge in (2.0**51, 1e300):
        assert native(FUNCTIONS[name], huge, portable=True)[0] == (1.0 if name == "cos" else 0.0)


def test_powers_of_the_base_have_whole_logarithms() -> None:
    exponents = np.arange(-1074, 1024)
    np.testing.assert_array_equal(native(elementary.log2, np.ldexp(1.0, exponents), portable=True), exponents)
    tens = np.array([float(f"1e{k}") for k in range(23)])  # those that doubles hold exactly
    np.testing.assert_array_equal(native(elementary.log10, tens, portable=True), range(23))


def test_squares_and_small_cubes_are_exact_powers() -> None:
    x = np.arange(-300.0, 300.0)
    np.testing.assert_array_equal(native(elementary.pow, x, 2.0, portable=True), x * x)
    np.testing.assert_array_equal(native(elementary.pow, x, 3.0, portable=True), x * x * x)


def test_exp_underflows_gradually() -> None:
    x = np.linspace(-745.2, -708.3, 500)
    with mp.workprec(200):
        exact = np.array([float(mp.exp(mp.mpf(v))) for v in x.tolist()])
    assert np.count_nonzero(exact < 2.0**-1022) > 400
    assert np.all(abs(native(elementary.exp, x, portable=True) - exact) <= 5e-324)


# -- special arguments --------------------------------------------------------------------------------

SPECIAL = np.array(
    [
        *(0.0, 5e-324, 1e-310, 2.0**-1022, 1e-300, 1e-20, 0.3, 0.5, 1.0, 2.0, 3.0, 4.0, 10.0),
        *(708.4, 709.78, 709.79, 710.4, 711.0, 745.13, 745.2, 1e5, 2.0**53 - 1, 2.0**53),
        *(1e300, 1.7976931348623157e308, np.inf),
    ]
)
SPECIAL = np.concatenate([SPECIAL, -SPECIAL, [np.nan]])


def exprel_with_its_limits(x: np.ndarray) -> np.ndarray:
    limits = {np.inf: np.inf, -np.inf: 0.0}
    with mp.workprec(1200):
        return np.array([limits[v] if v in limits else float(exact_exprel(mp.mpf(v))) for v in x.tolist()])


NUMPY: dict[str, Callable[..., np.ndarray]] = {"pow": np.power, "exprel": exprel_with_its_limits}


@pytest.mark.parametrize("portable", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_arguments_give_what_numpy_gives(name: str, portable: bool) -> None:
    if name in UNARY:
        args: Arrays = (SPECIAL,)
        if name in ("sin", "cos", "tan"):  # further out, see the test of large angles
            args = (SPECIAL[~((abs(SPECIAL) > 1e9) & np.isfinite(SPECIAL))],)
    else:
        args = tuple(grid.ravel() for grid in np.meshgrid(SPECIAL, SPECIAL))
    found = native(FUNCTIONS[name], *args, portable=portable)
    with np.errstate(all="ignore"):
        wanted = NUMPY.get(name, getattr(np, name, None))(*args)
        near = (found == wanted) | (abs(found - wanted) <= np.maximum(5e-16 * abs(wanted), 5e-324))
        right = (np.isnan(found) & np.isnan(wanted)) | (near & (np.signbit(found) == np.signbit(wanted)))
    wrong = np.flatnonzero(~right)
    assert not len(wrong), [(*(a[k] for a in args), found[k], wanted[k]) for k in wrong[:5]]


# -- bits ---------------------------------------------------------------------------------------------


def some_arguments(name: str) -> Arrays:
    """Twelve ordinary arguments and some special ones."""
    rng = np.random.default_rng(1)
    args = arguments(name) if name in BOUNDS else (rng.normal(size=50),)
    chosen = rng.permutation(len(args[0]))[:12]
    special = [0.0, -0.0, 1.0, -1.0, 1e-310, np.inf, -np.inf, np.nan]
    return tuple(np.append(a[chosen], rng.permutation(special)) for a in args)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_interpreter_and_portable_code_agree_bit_for_bit(name: str) -> None:
    args = some_arguments(name)
    assert same_bits(native(FUNCTIONS[name], *args, portable=True), interpreted(FUNCTIONS[name], *args))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_interpreter_and_fused_code_agree_bit_for_bit(name: str) -> None:
    if not llvm.host_target().fma:
        pytest.skip("this CPU has no fused operations")
    args = some_arguments(name)
    found = native(FUNCTIONS[name], *args, portable=False)
    assert same_bits(found, interpreted(FUNCTIONS[name], *args, fused=True))


@pytest.mark.parametrize("portable", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_element_has_the_same_bits_alone_and_among_others(name: str, portable: bool) -> None:
    args = tuple(a[:37] for a in (arguments(name) if name in BOUNDS else (SPECIAL,)))
    together = native(FUNCTIONS[name], *args, portable=portable)
    alone = [native(FUNCTIONS[name], *row, portable=portable)[0] for row in zip(*args, strict=True)]
    assert same_bits(together, np.array(alone))


def test_all_functions_are_straight_line() -> None:
    assert all(ir.straight_line(f) for f in FUNCTIONS.values())


# -- coefficients -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TASKS)
def test_coefficients_are_those_of_the_best_polynomials(name: str) -> None:
    coefficients, error = remez(TASKS[name])
    assert error < 1.02 * 2.0**-58
    used = getattr(random if name == "QUARTER_SINE" else elementary, name)
    np.testing.assert_allclose(used, coefficients, rtol=1e-15)
