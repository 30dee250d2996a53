"""Walker's alias tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from eccles.engine.alias import AliasTable, binomial_probabilities


@pytest.mark.parametrize(
    ("n", "p"), [(1, 0.5), (10, 0.01), (1000, 0.0005), (1000, 0.3), (10**6, 1e-6), (10**6, 0.2)]
)
def test_binomial_probabilities_are_those_of_scipy(n: int, p: float) -> None:
    found = binomial_probabilities(n, p)
    expected = stats.binom.pmf(np.arange(len(found)), n, p)
    assert found.sum() == pytest.approx(1, abs=1e-14)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-17)
    assert 1 - expected.sum() < 1e-14


def test_certain_and_impossible_events() -> None:
    assert binomial_probabilities(5, 0.0).tolist() == [1]
    assert binomial_probabilities(5, 1.0).tolist() == [0, 0, 0, 0, 0, 1]


@given(
    weights=st.lists(st.floats(0, 1) | st.just(0.0), min_size=1, max_size=40).filter(lambda w: sum(w) > 1e-3)
)
def test_the_table_has_exactly_the_probabilities_it_was_made_of(weights: list[float]) -> None:
    probabilities = np.array(weights) / sum(weights)
    table = AliasTable("t")
    table.set(probabilities)
    share, other = table.share.data, table.other.data
    m = len(probabilities)
    assert np.all((share >= 0) & (share <= 1 + 1e-12))
    found = share / m
    np.add.at(found, other.astype(int), (1 - share) / m)
    np.testing.assert_allclose(found, probabilities, atol=1e-14)
