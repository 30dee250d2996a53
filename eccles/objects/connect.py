"""Which pairs of neurons are connected: conditions, probabilities, index arrays, generators.

Every form yields chunks of (source, target) pairs, in order of creation, small enough that a hundred
million synapses never exist as Python-side pairs at once. Conditions and random forms go row by row
(all targets of source 0, of source 1, ...), so their synapses are sorted by source.

A constant probability never draws once per pair: the gaps between successes are geometric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from eccles.engine import rng
from eccles.errors import SetupError
from eccles.language.generator import Generator
from eccles.language.nodes import Expr

__all__ = ["Pairs", "by_condition", "by_generator", "by_indices", "geometric_positions"]

CHUNK = 1 << 20  # pairs looked at together

Pairs = tuple[np.ndarray, np.ndarray]  # (n,) sources and (n,) targets
# evaluate(tree, i, j, extra names, purpose) -> values per pair
Evaluate = Callable[[Expr, np.ndarray, np.ndarray, dict[str, np.ndarray], str], np.ndarray]


def geometric_positions(n: int, p: float, key: int) -> Iterator[np.ndarray]:
    """Positions in range(n), each taken with probability p independently, in ascending order."""
    if p <= 0 or n <= 0:
        return
    if p >= 1:
        for begin in range(0, n, CHUNK):
            yield np.arange(begin, min(n, begin + CHUNK), dtype=np.int64)
        return
    log_q = np.log1p(-p)
    position, drawn = -1, 0
    while True:
        expected = int((n - position) * p * 1.02) + 64
        count = min(expected, CHUNK)
        u = rng.uniform(key, np.arange(drawn, drawn + count), 0, 0)
        drawn += count
        # P(gap > k) = (1 - p)^k, hence gap = 1 + floor(log(1 - u) / log(1 - p))
        gaps = np.log1p(-u)
        gaps /= log_q
        np.minimum(gaps, float(n), out=gaps)
        found = position + np.cumsum(gaps.astype(np.int64) + 1)
        inside = int(np.searchsorted(found, n))
        if inside:
            yield found[:inside]
        if inside < count:
            return
        position = int(found[-1])


def _repeated(pairs: Pairs, n: np.ndarray | int) -> Pairs:
    """Each pair n times."""
    if np.ndim(n) == 0 and n == 1:
        return pairs
    counts = np.broadcast_to(np.maximum(np.asarray(n, np.int64), 0), pairs[0].shape)
    return np.repeat(pairs[0], counts), np.repeat(pairs[1], counts)


def by_condition(
    n_pre: int,
    n_post: int,
    condition: Expr | None,
    p: Expr | float,
    n: Expr | int,
    evaluate: Evaluate,
    key: int,
) -> Iterator[Pairs]:
    """All pairs that satisfy the condition, each with probability p, n times."""
    for i, j in _candidates(n_pre, n_post, p, condition is not None, key):
        if condition is not None:
            keep = np.broadcast_to(evaluate(condition, i, j, {}, "connect condition"), i.shape)
            i, j = i[keep], j[keep]
        if not isinstance(p, float) or (condition is not None and 0.25 < p < 1.0):
            chance = p if isinstance(p, float) else evaluate(p, i, j, {}, "connect p")
            draws = rng.uniform(key, i * n_post + j, 1, 0)
            keep = draws < chance
            i, j = i[keep], j[keep]
        if not isinstance(n, int):
            yield _repeated((i, j), evaluate(n, i, j, {}, "connect n").astype(np.int64))
        else:
            yield _repeated((i, j), n)


def _candidates(n_pre: int, n_post: int, p: Expr | float, conditional: bool, key: int) -> Iterator[Pairs]:
    """Pairs to look at: all of them, or those that a constant probability has already chosen."""
    if isinstance(p, float) and (p <= 0.25 or (p < 1.0 and not conditional)):
        for positions in geometric_positions(n_pre * n_post, p, key):
            i = positions // n_post
            yield i, positions - i * n_post
        return
    rows = max(1, CHUNK // n_post)
    targets = np.arange(n_post, dtype=np.int64)
    for begin in range(0, n_pre, rows):
        sources = np.arange(begin, min(n_pre, begin + rows), dtype=np.int64)
        yield np.repeat(sources, n_post), np.tile(targets, len(sources))


def by_indices(i: Any, j: Any, n: Any, n_pre: int, n_post: int) -> Iterator[Pairs]:
    """Pairs given as numbers or arrays of numbers."""
    sources, targets = _indices(i, n_pre, "i"), _indices(j, n_post, "j")
    try:
        sources, targets = np.broadcast_arrays(sources, targets)
    except ValueError:
        raise SetupError(
            f"i and j have to have the same length, but have {sources.size} and {targets.size}"
        ) from None
    counts = np.asarray(n)
    if counts.ndim and counts.shape != sources.shape:
        raise SetupError(f"n has to be one number or one per pair ({sources.size}), not {counts.size}")
    yield _repeated((sources.reshape(-1), targets.reshape(-1)), counts if counts.ndim else int(counts))


def _indices(value: Any, size: int, name: str) -> np.ndarray:
    array = np.asarray(value)
    if array.size == 0:
        return np.zeros(array.shape, np.int64)
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"the indices {name} have to be integers, not {array.dtype}")
    if array.ndim > 1:
        raise SetupError(f"the indices {name} have to be one-dimensional, not of shape {array.shape}")
    if array.min() < 0 or array.max() >= size:
        wrong = array.reshape(-1)[(array.reshape(-1) < 0) | (array.reshape(-1) >= size)][0]
        raise IndexError(f"{name} has to lie in 0 to {size - 1}, but {wrong} is among the indices")
    return array.astype(np.int64)


def by_generator(
    generator: Generator,
    n_over: int,
    n_made: int,
    made: str,
    p: Expr | float,
    n: Expr | int,
    skip_if_invalid: bool,
    evaluate: Evaluate,
    key: int,
) -> Iterator[Pairs]:
    """Pairs from the syntax `j='... for k in ...'`; `made` is 'j' (over all i) or 'i' (over all j).

    Raises
    ------
    IndexError
        If an index is out of range and `skip_if_invalid` is False.
    """
    rows = np.arange(n_over, dtype=np.int64)
    nothing = np.zeros(0, np.int64)

    def per_row(tree: Expr | None, over: np.ndarray, default: int) -> np.ndarray:
        if tree is None:
            return np.full(over.shape, default, np.int64)
        return np.broadcast_to(value(tree, over, nothing, {}), over.shape)

    def value(tree: Expr, over: np.ndarray, element: np.ndarray, extra: dict[str, np.ndarray]) -> np.ndarray:
        i, j = (over, element) if made == "j" else (element, over)
        return evaluate(tree, i, j, extra, "connect")

    step = max(1, CHUNK // max(1, n_made) if generator.source else CHUNK)
    for begin in range(0, n_over, step):
        over = rows[begin : begin + step]
        extra: dict[str, np.ndarray] = {}
        if generator.source is not None:
            assert generator.variable is not None
            start = per_row(generator.start, over, 0).astype(np.int64)
            stop = per_row(generator.stop, over, 0).astype(np.int64)
            stride = per_row(generator.step, over, 1).astype(np.int64)
            if np.any(stride == 0):
                raise SetupError("the step of a range cannot be 0")
            counts = np.maximum(0, -((start - stop) // stride))
            if generator.source == "range":
                chosen = _ranges(counts)
                taken = counts
            else:
                taken, chosen = _samples(generator, counts, over, per_row, value, skip_if_invalid, key)
            over = np.repeat(over, taken)
            extra[generator.variable] = np.repeat(start, taken) + chosen * np.repeat(stride, taken)
        element = np.broadcast_to(value(generator.element, over, nothing, extra), over.shape)
        if not np.issubdtype(element.dtype, np.integer) and np.any(element != np.floor(element)):
            raise SetupError(f"the expression for {made} has to give integers")
        element = element.astype(np.int64)
        if generator.condition is not None:
            inside = (element >= 0) & (element < n_made)
            safe = np.where(inside, element, 0)
            holds = np.broadcast_to(value(generator.condition, over, safe, extra), over.shape)
            over, element = over[holds], element[holds]
            extra = {k: v[holds] for k, v in extra.items()}
        inside = (element >= 0) & (element < n_made)
        if not inside.all():
            if not skip_if_invalid:
                wrong = element[~inside][0]
                raise IndexError(
                    f"{made} has to lie in 0 to {n_made - 1}, but the expression gives {wrong}; "
                    f"add a condition ('... if {made} < N_{'post' if made == 'j' else 'pre'}') "
                    f"or skip_if_invalid=True"
                )
            over, element = over[inside], element[inside]
        i, j = (over, element) if made == "j" else (element, over)
        if not (isinstance(p, float) and p >= 1.0):
            chance = p if isinstance(p, float) else evaluate(p, i, j, {}, "connect p")
            keep = rng.uniform(key, begin * n_made + np.arange(len(i)), 2, 0) < chance
            i, j = i[keep], j[keep]
        counts_n = n if isinstance(n, int) else evaluate(n, i, j, {}, "connect n").astype(np.int64)
        yield _repeated((i, j), counts_n)


def _ranges(counts: np.ndarray) -> np.ndarray:
    """0 .. counts[0]-1, 0 .. counts[1]-1, ... one after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - counts, counts)


def _samples(
    generator: Generator,
    counts: np.ndarray,
    over: np.ndarray,
    per_row: Callable[[Expr | None, np.ndarray, int], np.ndarray],
    value: Callable[..., np.ndarray],
    skip_if_invalid: bool,
    key: int,
) -> tuple[np.ndarray, np.ndarray]:
    """How many are drawn in each row, and which positions of the row's range."""
    if generator.probability is not None:
        chance = np.asarray(per_row(generator.probability, over, 0), float)
        positions = _ranges(counts)
        rows = np.repeat(np.arange(len(over)), counts)
        keep = rng.uniform(key, np.repeat(over, counts) * (1 << 31) + positions, 3, 0) < chance[rows]
        return np.bincount(rows[keep], minlength=len(over)), positions[keep]
    sizes = per_row(generator.size, over, 0).astype(np.int64)
    if np.any(sizes > counts) or np.any(sizes < 0):
        if not skip_if_invalid:
            row = int(np.flatnonzero((sizes > counts) | (sizes < 0))[0])
            raise IndexError(f"cannot sample {sizes[row]} out of {counts[row]} elements")
        sizes = np.clip(sizes, 0, counts)
    drawn = []
    for row, (m, k) in enumerate(zip(counts.tolist(), sizes.tolist(), strict=True)):
        u = rng.uniform(key, np.arange(m), 4 + int(over[row]), 0)
        drawn.append(np.sort(np.argpartition(u, k - 1)[:k]) if 0 < k < m else np.arange(k))
    return sizes, np.concatenate(drawn) if drawn else np.zeros(0, np.int64)
