"""The indices of connections against NumPy's sorts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eccles.objects import connections as module
from eccles.objects.connections import Connections


def made(sources: np.ndarray, targets: np.ndarray, n_pre: int, n_post: int, parts: int = 1) -> Connections:
    """Connections created in several calls."""
    connections = Connections("test", n_pre, n_post)
    for s, t in zip(np.array_split(sources, parts), np.array_split(targets, parts), strict=True):
        connections.append(s, t)
        connections.finish()
    return connections


@given(
    n_pre=st.integers(1, 30), n_post=st.integers(1, 30), n=st.integers(0, 300), seed=st.integers(0, 99),
    parts=st.integers(1, 4), in_order=st.booleans(), chunk=st.sampled_from([1, 7, 1000]),
)  # fmt: skip
def test_indices_agree_with_stable_sorts(n_pre, n_post, n, seed, parts, in_order, chunk):
    rng = np.random.default_rng(seed)
    sources, targets = rng.integers(0, n_pre, n), rng.integers(0, n_post, n)
    if in_order:
        sources = np.sort(sources)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK", chunk)
        connections = made(sources, targets, n_pre, n_post, parts)
        first_by_target, by_target = connections.index_by_target()
        source_by_target = connections.source_by_target()
    np.testing.assert_array_equal(connections.sources(), sources)
    np.testing.assert_array_equal(connections.targets(), targets)
    order = np.arange(n) if connections.order is None else connections.order.data
    np.testing.assert_array_equal(order, np.argsort(sources, kind="stable"))
    np.testing.assert_array_equal(connections.first.data, np.searchsorted(np.sort(sources), range(n_pre + 1)))
    np.testing.assert_array_equal(by_target.data, np.argsort(targets, kind="stable"))
    np.testing.assert_array_equal(first_by_target.data, np.searchsorted(np.sort(targets), range(n_post + 1)))
    np.testing.assert_array_equal(source_by_target.data, sources[by_target.data])


def test_sources_in_order_cost_nothing():
    n = 10_000
    sources, targets = np.repeat(np.arange(100), 100), np.tile(np.arange(100), 100)
    assert made(sources, targets, 100, 100).memory() < 4 * n + 1000
    assert made(sources[::-1], targets, 100, 100).memory() > 12 * n
