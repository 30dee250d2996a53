"""Random numbers of the laboratory: the same bits everywhere, the distributions they are said to have."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from scipy import stats

from eccles import SetupError
from eccles.lab.random_numbers import labelled_uniform, normal, permutation, uniform


def philox(counter: int, key: int) -> list[int]:
    """Philox 4x64-10, written from the paper (Salmon, Moraes, Dror & Shaw 2011, SC'11)."""
    x = [counter >> 64 * k & MASK for k in range(4)]
    k0, k1 = key & MASK, key >> 64
    for _ in range(10):
        one, other = 0xD2E7470EE14C6C93 * x[0], 0xCA5A826395121157 * x[2]
        x = [other >> 64 ^ x[1] ^ k0, other & MASK, one >> 64 ^ x[3] ^ k1, one & MASK]
        k0, k1 = k0 + 0x9E3779B97F4A7C15 & MASK, k1 + 0xBB67AE8584CAA73B & MASK
    return x


MASK = 2**64 - 1


@pytest.mark.parametrize(("seed", "stream"), [(0, 0), (1, 0), (123456789, 3), (2**64 - 1, 6)])
def test_numbers_are_those_of_the_published_generator(seed: int, stream: int) -> None:
    words = [w for counter in (1, 2, 3) for w in philox(counter, seed + (stream << 64))]
    np.testing.assert_array_equal(uniform(12, seed, stream=stream), [(w >> 11) / 2**53 for w in words])


def test_each_list_of_labels_has_a_stream_of_its_own() -> None:
    digest = hashlib.blake2b(b"(5, 'left', 2)", digest_size=16).digest()
    words = [w for counter in (1, 2) for w in philox(counter, int.from_bytes(digest, "little"))]
    expected = [((w >> 11) + 0.5) / 2**53 for w in words]
    np.testing.assert_array_equal(labelled_uniform(8, 5, "left", 2), expected)
    np.testing.assert_array_equal(labelled_uniform(8, np.int64(5), "left", 2), expected)  # type: ignore[arg-type]
    assert abs(
        np.corrcoef(labelled_uniform(20_000, 5, "a"), labelled_uniform(20_000, 5, "b"))[0, 1]
    ) < 3 / np.sqrt(20_000)


def test_more_numbers_begin_with_the_same() -> None:
    for numbers in (uniform, normal):
        np.testing.assert_array_equal(numbers(1000, 5)[:7], numbers(7, 5))


def test_streams_and_seeds_are_independent_of_each_other() -> None:
    for one, other in (
        (uniform(20_000, 1), uniform(20_000, 2)),
        (uniform(20_000, 1), uniform(20_000, 1, stream=3)),
    ):
        assert abs(np.corrcoef(one, other)[0, 1]) < 3 / np.sqrt(20_000)


def test_distributions_are_uniform_and_normal() -> None:
    assert stats.kstest(uniform(20_000, 3), "uniform").pvalue > 0.01
    assert stats.kstest(normal(20_000, 3), "norm").pvalue > 0.01


def test_every_order_of_a_permutation_is_as_likely() -> None:
    orders = ["".join(map(str, permutation(3, seed))) for seed in range(6000)]
    _, n = np.unique(orders, return_counts=True)
    assert len(n) == 6
    assert stats.chisquare(n).pvalue > 0.01


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "1", None, True])
def test_a_seed_that_is_none_is_an_error(seed: object) -> None:
    with pytest.raises(SetupError, match="a seed is a whole number"):
        uniform(1, seed)  # type: ignore[arg-type]
    with pytest.raises(SetupError, match="a seed is a whole number"):
        labelled_uniform(1, seed, "a")  # type: ignore[arg-type]
