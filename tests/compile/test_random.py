"""Random numbers in the IR: Philox against its known answers, distributions against SciPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import philox
import pytest
from elementwise import interpreted, native, same_bits
from scipy import stats

from eccles.compile import ir, random
from eccles.compile.formula import Value, define
from eccles.compile.ir import I64

KEY = 0x1234_5678_9ABC_DEF0
CONTINUOUS = [random.uniform, random.normal, random.exponential]
COUNTS = [
    *((random.poisson, (3.0,)), (random.poisson, (80.0,))),
    *((random.binomial, (70, 0.3)), (random.binomial, (999, 0.6))),
]

# -- Philox -------------------------------------------------------------------------------------------

# counter, key, result: the file of known answers of Random123 (Salmon et al. 2011)
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def word_function(n: int) -> ir.Function:
    """Word n of Philox as an IR function of four words and a key."""

    def formula(a: Value, b: Value, c: Value, d: Value, key: Value) -> Value:
        return random._philox((a, b, c, d), key)[n] & 0xFFFFFFFF

    return define(f"word{n}", formula, a=I64, b=I64, c=I64, d=I64, key=I64)


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers(counter: str, key: str, answer: str) -> None:
    low, high = words(key)
    args = [*words(counter), np.uint64(high << 32 | low).astype(np.int64)]
    assert [native(word_function(n), *args, portable=True)[0] for n in range(4)] == words(answer)
    assert [interpreted(word_function(n), *args)[0] for n in range(4)] == words(answer)
    reference = philox.philox(np.array(words(counter)), np.array([low, high]))
    assert reference.tolist() == words(answer)


def places(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Elements, ordinals and draws of all sizes."""
    rng = np.random.default_rng(4)
    element, ordinal, draw = (
        rng.integers(0, 2**bits, n) >> rng.integers(0, bits, n) for bits in (62, 48, 16)
    )
    return element, ordinal, draw


@pytest.mark.parametrize("portable", [False, True])
def test_uniform_numbers_are_those_of_philox_in_numpy(portable: bool) -> None:
    element, ordinal, draw = places(2000)
    found = native(random.uniform, KEY, element, ordinal, draw, portable=portable)
    np.testing.assert_array_equal(found, philox.uniform(KEY, element, ordinal, draw))
    few = slice(0, 20)
    again = interpreted(random.uniform, KEY, element[few], ordinal[few], draw[few])
    np.testing.assert_array_equal(again, found[few])


def test_different_places_have_different_numbers() -> None:
    one = np.arange(40)
    elements, ordinals, draws = (0, 32, 57), (0, 32, 42), (0, 10)
    lines = [(one << bits, 0, 0) for bits in elements]
    lines += [(0, one << bits, 0) for bits in ordinals]
    lines += [(0, 0, one << bits) for bits in draws]
    numbers = np.concatenate([native(random.uniform, KEY, *line, portable=True)[1:] for line in lines])
    assert len(np.unique(numbers)) == len(numbers) == 39 * len(lines)


def test_streams_with_neighbouring_keys_are_unrelated() -> None:
    n = 20_000
    a, b = (native(random.normal, KEY + k, np.arange(n), 0, 0, portable=True) for k in (0, 1))
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(n)


@pytest.mark.parametrize(("function", "args"), [*((f, ()) for f in CONTINUOUS), *COUNTS])
def test_a_number_does_not_depend_on_its_lane(function: ir.Function, args: tuple[float, ...]) -> None:
    element, ordinal, draw = places(19)
    together = native(function, *args, KEY, element, ordinal, draw, portable=False)
    rows = zip(element, ordinal, draw, strict=True)
    assert together.tolist() == [native(function, *args, KEY, *row, portable=False)[0] for row in rows]


@pytest.mark.parametrize(("function", "args"), [*((f, ()) for f in CONTINUOUS), *COUNTS])
def test_the_interpreter_and_portable_code_agree(function: ir.Function, args: tuple[float, ...]) -> None:
    stream = (KEY, *places(12))
    assert same_bits(native(function, *args, *stream, portable=True), interpreted(function, *args, *stream))


# -- distributions ------------------------------------------------------------------------------------

N = 100_000
# the same number of draws along each way to count them
DIRECTIONS = {
    "element": (np.arange(N), 3, 0),
    "ordinal": (3, np.arange(N), 0),
    "draw": (np.arange(N) // 50, 0, np.arange(N) % 50),
}


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(
    ("function", "distribution"), [*zip(CONTINUOUS, ("uniform", "norm", "expon"), strict=True)]
)
def test_draws_follow_their_distribution(function: ir.Function, distribution: str, direction: str) -> None:
    x = native(function, KEY, *DIRECTIONS[direction], portable=False)
    assert stats.kstest(x, distribution).pvalue > 0.01
    # neighbours along the direction are independent
    ranks = stats.rankdata(x)
    assert abs(np.corrcoef(ranks[1:], ranks[:-1])[0, 1]) < 4 / np.sqrt(N)


def test_uniform_numbers_are_in_the_half_open_interval() -> None:
    x = native(random.uniform, KEY, np.arange(N), 0, 0, portable=True)
    assert x.min() >= 0
    assert x.max() < 1
    scaled = x * 2.0**53
    assert np.all(scaled == np.floor(scaled))
    assert np.any(scaled % 2 == 1)


def test_the_tails_of_normal_numbers_have_their_weight() -> None:
    n = 1_000_000
    x = native(random.normal, KEY, np.arange(n), 0, 0, portable=False)
    for edge in (3.0, 4.0, 4.5):
        for tail in (np.count_nonzero(x > edge), np.count_nonzero(x < -edge)):
            assert stats.binomtest(int(tail), n, stats.norm.sf(edge)).pvalue > 0.01


def test_extreme_uniform_numbers_make_finite_normal_and_exponential_ones() -> None:
    edges = np.array([0.0, 2.0**-53, 0.5, 1 - 2.0**-53])
    # the same formula for the logarithm, on numbers that Philox hardly ever gives
    log = define("log_of_complement", lambda u: random.log_of_normal(1.0 - u), u=ir.F64)
    found = native(log, edges, portable=True)
    np.testing.assert_allclose(found, np.log(1 - edges), rtol=3e-16)
    assert np.all(np.sqrt(-2 * found) < 8.6)


def chi_square(x: np.ndarray, distribution: Any) -> float:
    """p of the counts in some 40 bins, each with at least 5 expected."""
    edges = np.unique(distribution.ppf(np.linspace(0.001, 0.999, 40)))
    probabilities = np.diff([0.0, *distribution.cdf(edges), 1.0])
    counts = np.bincount(np.searchsorted(edges, x), minlength=len(probabilities))
    frequent = probabilities * len(x) > 5
    counts = [*counts[frequent], counts[~frequent].sum()]
    expected = len(x) * np.array([*probabilities[frequent], probabilities[~frequent].sum()])
    if expected[-1] < 1e-6:  # nothing is rare
        counts, expected = counts[:-1], expected[:-1]
    return stats.chisquare(counts, expected * len(x) / expected.sum() * (sum(counts) / len(x))).pvalue


@pytest.mark.parametrize("lam", [1e-3, 0.3, 3.0, 12.0, 29.9, 30.1, 80.0, 1e4, 1e9])
def test_poisson_counts_follow_their_distribution(lam: float) -> None:
    x = native(random.poisson, lam, KEY, np.arange(N), 5, 0, portable=False)
    assert chi_square(x, stats.poisson(lam)) > 0.01
    assert abs(x.mean() - lam) < 4 * np.sqrt(lam / N)
    assert abs(x.var() / lam - 1) < 4 * np.sqrt((2 + 1 / lam) / N)


def test_poisson_counts_with_great_means_are_as_good_as_normal() -> None:
    x = native(random.poisson, 1e13, KEY, np.arange(N), 5, 0, portable=False)
    assert stats.kstest((x - 1e13) / 1e13**0.5, "norm").pvalue > 0.01


@pytest.mark.parametrize(
    ("n", "p"),
    [
        *((1, 0.5), (10, 0.1), (10, 0.95), (59, 0.5), (61, 0.5), (1000, 0.02), (1000, 0.4), (1000, 0.97)),
        *((10**6, 1e-6), (10**9, 1e-7), (10**9, 0.5), (10**12, 0.3)),
    ],
)
def test_binomial_counts_follow_their_distribution(n: int, p: float) -> None:
    x = native(random.binomial, n, p, KEY, np.arange(N), 5, 0, portable=False)
    assert x.min() >= 0
    assert x.max() <= n
    assert chi_square(x, stats.binom(n, p)) > 0.01
    assert abs(x.mean() - n * p) < 4 * np.sqrt(n * p * (1 - p) / N)


def test_counts_with_senseless_parameters_are_defined() -> None:
    most = 2**63 - 1
    lam = np.array([0.0, -0.0, -1.0, -np.inf, np.nan, 1e300, np.inf])
    assert native(random.poisson, lam, KEY, 0, 0, 0, portable=True).tolist() == [0, 0, 0, 0, 0, most, most]
    n = np.array([-5, 0, 10, 10, 10, 10, 10, most])
    p = np.array([0.5, 0.5, np.nan, -1.0, 0.0, 1.0, np.inf, 1.0])
    found = native(random.binomial, n, p, KEY, 0, 0, 0, portable=True)
    assert found.tolist() == [0, 0, 0, 0, 0, 10, 10, most]


def test_counts_near_the_greatest_integer_stay_near_their_mean() -> None:
    x = native(random.poisson, 1e18, KEY, np.arange(1000), 0, 0, portable=True)
    assert abs(x - 1e18).max() < 5e9
    x = native(random.binomial, 2**62, 0.25, KEY, np.arange(1000), 0, 0, portable=True)
    assert abs(x - 2.0**60).max() < 5 * np.sqrt(2.0**60)
