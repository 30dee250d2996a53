"""Which pairs of neurons are connected: conditions, probabilities, index arrays, generators.

Every form yields chunks of (source, target) pairs, in order of creation, small enough that a hundred
million synapses never exist as Python-side pairs at once. Conditions and random forms go row by row
(all targets of source 0, of source 1, ...), so their synapses are sorted by source.

A constant probability never draws once per pair: the gaps between successes are geometric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from eccles.engine import rng
from eccles.errors import SetupError
from eccles.language.generator import Generator
from eccles.language.nodes import Compare, Expr, Logical, Name, Number, names_in, walk
from eccles.objects.connections import MOST

__all__ = ["Pairs", "by_condition", "by_generator", "by_indices", "expected_number", "geometric_positions"]

CHUNK = 1 << 18  # pairs looked at together: their arrays fit into the cache

Pairs = tuple[np.ndarray, np.ndarray]  # (n,) sources and (n,) targets
# evaluate(tree, i, j, extra names, purpose) -> values per pair
Evaluate = Callable[[Expr, np.ndarray, np.ndarray, dict[str, np.ndarray], str], np.ndarray]


def geometric_positions(n: int, p: float, key: int, ordinal: int = 0) -> Iterator[np.ndarray]:
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
        u = rng.uniform(key, np.arange(drawn, drawn + count), ordinal, 0)
        drawn += count
        # P(gap > k) = (1 - p)^k, hence gap = 1 + floor(log(1 - u) / log(1 - p))
        gaps = np.log1p(-u)
        with np.errstate(over="ignore"):
            gaps /= log_q
        np.minimum(gaps, float(n), out=gaps)
        found = position + np.cumsum(gaps.astype(np.int64) + 1)
        inside = int(np.searchsorted(found, n))
        if inside:
            yield found[:inside]
        if inside < count:
            return
        position = int(found[-1])


def expected_number(n_pairs: int, p: float, n: int) -> int:
    """How many synapses there will be, rarely more.

    Raises
    ------
    SetupError
        If that is more than one object can hold.
    """
    mean = n_pairs * p * n
    if mean > MOST:
        raise SetupError(f"this would create {mean:.3g} synapses; one object holds {MOST} at most")
    return int(mean + 4 * n * np.sqrt(n_pairs * p * (1 - p)))


def _spread(counts: np.ndarray) -> Iterator[Pairs]:
    """Row and number within the row of `counts[row]` items per row, in chunks."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    for begin in range(0, total, CHUNK):
        yield _rows_of(np.arange(begin, min(total, begin + CHUNK)), counts, ends)


def _rows_of(positions: np.ndarray, counts: np.ndarray, ends: np.ndarray) -> Pairs:
    rows = np.searchsorted(ends, positions, side="right")
    return rows, positions - (ends - counts)[rows]


def _repeated(pairs: Pairs, n: np.ndarray | int) -> Iterator[Pairs]:
    """Each pair n times; fewer than 0 counts as 0."""
    if isinstance(n, int) and n == 1:
        yield pairs
        return
    counts = np.broadcast_to(np.maximum(n, 0), pairs[0].shape)
    total = np.sum(counts, dtype=float)
    if total > MOST:
        raise SetupError(f"this would create {total:.3g} synapses; one object holds {MOST} at most")
    for rows, _ in _spread(counts):
        yield pairs[0][rows], pairs[1][rows]


def _integers(values: np.ndarray, what: str) -> np.ndarray:
    """The values as integers.

    Raises
    ------
    SetupError
        If some are none, or so large that they cannot be meant.
    """
    if values.dtype.kind in "bui":
        return values.astype(np.int64)
    wrong = ~((values == np.floor(values)) & (np.abs(values) < 2.0**53))
    if np.any(wrong):
        raise SetupError(f"{what} has to give integers, but gives {values[wrong].flat[0]}")
    return values.astype(np.int64)


def _probabilities(values: np.ndarray) -> np.ndarray:
    if np.any(np.isnan(values)):
        raise SetupError("the expression for a probability gives NaN for some pairs")
    return values


# -- conditions and arrays ----------------------------------------------------------------------


def by_condition(
    n_pre: int,
    n_post: int,
    condition: Expr | None,
    p: Expr | float,
    n: Expr | int,
    evaluate: Evaluate,
    key: int,
) -> Iterator[Pairs]:
    """All pairs that satisfy the condition, each with probability p, n times.

    Raises
    ------
    SetupError
        If there would be too many, or `p` or `n` make no sense.
    """
    one_to_one = condition is not None and _needs_equal_indices(condition)
    if one_to_one:
        candidates = _diagonal(min(n_pre, n_post))
    else:
        candidates = _candidates(n_pre, n_post, p, condition is not None, key)
    for i, j in candidates:
        if condition is not None:
            keep = np.broadcast_to(evaluate(condition, i, j, {}, "connect condition"), i.shape)
            i, j = i[keep], j[keep]
        if not isinstance(p, float) or (condition is not None and (one_to_one or p > 0.25) and p < 1.0):
            chance = _probabilities(evaluate(p, i, j, {}, "connect p")) if isinstance(p, Expr) else p
            draws = rng.uniform(key, i * n_post + j, 1, 0)
            keep = draws < chance
            i, j = i[keep], j[keep]
        times = _integers(evaluate(n, i, j, {}, "connect n"), "n") if isinstance(n, Expr) else n
        yield from _repeated((i, j), times)


def _needs_equal_indices(condition: Expr) -> bool:
    """Whether the condition holds for i == j only: then there is no need to look at all pairs."""
    match condition:
        case Compare("==", Name("i"), Name("j")) | Compare("==", Name("j"), Name("i")):
            return True
        case Logical("and", operands):
            return any(_needs_equal_indices(operand) for operand in operands)
        case _:
            return False


def _diagonal(n: int) -> Iterator[Pairs]:
    for begin in range(0, n, CHUNK):
        k = np.arange(begin, min(n, begin + CHUNK), dtype=np.int64)
        yield k, k


def _candidates(n_pre: int, n_post: int, p: Expr | float, conditional: bool, key: int) -> Iterator[Pairs]:
    """Pairs to look at: all of them, or those that a constant probability has already chosen."""
    if isinstance(p, float) and (p <= 0.25 or (p < 1.0 and not conditional)):
        for positions in geometric_positions(n_pre * n_post, p, key):
            i = positions // n_post
            yield i, positions - i * n_post
        return
    for begin in range(0, n_pre * n_post, CHUNK):
        positions = np.arange(begin, min(n_pre * n_post, begin + CHUNK), dtype=np.int64)
        i = positions // n_post
        yield i, positions - i * n_post


def by_indices(
    i: Any,
    j: Any,
    n: Any,
    n_pre: int,
    n_post: int,
    p: Expr | float,
    skip_if_invalid: bool,
    evaluate: Evaluate,
    key: int,
) -> Iterator[Pairs]:
    """Pairs given as numbers or arrays of numbers.

    Raises
    ------
    IndexError
        If an index is out of range and `skip_if_invalid` is False.
    SetupError, TypeError
        If the lengths differ or the indices are no integers.
    """
    sources, targets = _indices(i, "i"), _indices(j, "j")
    try:
        sources, targets = (a.reshape(-1) for a in np.broadcast_arrays(sources, targets))
    except ValueError:
        raise SetupError(
            f"i and j have to have the same length, but have {sources.size} and {targets.size}"
        ) from None
    counts = np.asarray(n)
    if counts.size and not np.issubdtype(counts.dtype, np.integer):
        raise TypeError(f"n has to be an integer or an array of integers, not {n!r}")
    if counts.ndim and counts.shape != sources.shape:
        raise SetupError(f"n has to be one number or one per pair ({sources.size}), not {counts.size}")
    valid = np.ones(sources.shape, bool)
    for name, indices, size in (("i", sources, n_pre), ("j", targets, n_post)):
        inside = (indices >= 0) & (indices < size)
        if not skip_if_invalid and not inside.all():
            raise IndexError(
                f"{name} has to lie in 0 to {size - 1}, but {indices[~inside][0]} is among the indices"
            )
        valid &= inside
    if p != 1.0:
        safe = np.where(valid, sources, 0), np.where(valid, targets, 0)
        chance = _probabilities(evaluate(p, *safe, {}, "connect p")) if isinstance(p, Expr) else p
        valid &= rng.uniform(key, np.arange(len(sources)), 1, 0) < chance
    if not valid.all():
        sources, targets = sources[valid], targets[valid]
        counts = counts[valid] if counts.ndim else counts
    yield from _repeated((sources, targets), counts if counts.ndim else int(counts))


def _indices(value: Any, name: str) -> np.ndarray:
    array = np.asarray(value)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"the indices {name} have to be integers, not {array.dtype}")
    if array.ndim > 1:
        raise SetupError(f"the indices {name} have to be one-dimensional, not of shape {array.shape}")
    return array.astype(np.int64)


# -- generators ---------------------------------------------------------------------------------


class _Ranges(NamedTuple):
    """The range that each row of a generator runs over."""

    start: np.ndarray
    stride: np.ndarray
    counts: np.ndarray


def by_generator(
    generator: Generator,
    n_over: int,
    n_made: int,
    made: str,
    p: Expr | float,
    n: Expr | int,
    skip_if_invalid: bool,
    truncate: bool,
    evaluate: Evaluate,
    key: int,
) -> Iterator[Pairs]:
    """Pairs from the syntax `j='... for k in ...'`; `made` is 'j' (over all i) or 'i' (over all j).

    Raises
    ------
    IndexError
        If an index is out of range, or a sample larger than its range, and `skip_if_invalid` is False.
    SetupError
        If an expression gives no integers where they are needed.
    """

    def pair(over: np.ndarray, element: np.ndarray) -> Pairs:
        return (over, element) if made == "j" else (element, over)

    def value(tree: Expr, over: np.ndarray, element: np.ndarray, extra: dict[str, np.ndarray]) -> np.ndarray:
        found = evaluate(tree, *pair(over, element), extra, "connect")
        return np.broadcast_to(found, over.shape)

    looked_at = 0
    for over, extra in _rows(generator, n_over, value, skip_if_invalid, key):
        unknown = np.zeros(over.shape, np.int64)
        element = value(generator.element, over, unknown, extra)
        element = _integers(np.trunc(element) if truncate else element, f"the expression for {made}")
        if generator.condition is not None:
            holds = value(generator.condition, over, element, extra)
            over, element = over[holds], element[holds]
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
        i, j = pair(over, element)
        if not (isinstance(p, float) and p >= 1.0):
            chance = _probabilities(evaluate(p, i, j, {}, "connect p")) if isinstance(p, Expr) else p
            keep = rng.uniform(key, looked_at + np.arange(len(i)), 2, 0) < chance
            looked_at += len(i)
            i, j = i[keep], j[keep]
        times = _integers(evaluate(n, i, j, {}, "connect n"), "n") if isinstance(n, Expr) else n
        yield from _repeated((i, j), times)


def _rows(
    generator: Generator, n_over: int, value: Callable[..., np.ndarray], skip_if_invalid: bool, key: int
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """What a generator runs over, in chunks: the row of each item, and the value of the variable."""
    for begin in range(0, n_over, CHUNK):
        over = np.arange(begin, min(n_over, begin + CHUNK), dtype=np.int64)
        if generator.source is None:
            yield over, {}
            continue
        assert generator.variable is not None
        ranges = _ranges(generator, over, value)
        if generator.source == "range":
            items = _spread(ranges.counts)
        elif generator.probability is not None:
            items = _sampled(generator.probability, over, ranges.counts, value, key, begin)
        else:
            assert generator.size is not None
            items = _drawn(generator.size, over, ranges.counts, value, skip_if_invalid, key)
        for rows, numbers in items:
            yield over[rows], {generator.variable: ranges.start[rows] + numbers * ranges.stride[rows]}


def _ranges(generator: Generator, over: np.ndarray, value: Callable[..., np.ndarray]) -> _Ranges:
    unknown = np.zeros(over.shape, np.int64)

    def bound(tree: Expr | None, default: int, what: str) -> np.ndarray:
        if tree is None:
            return np.full(over.shape, default, np.int64)
        return _integers(value(tree, over, unknown, {}), f"the {what} of {generator.source}()")

    start = bound(generator.start, 0, "start")
    stop = bound(generator.stop, 0, "end")
    stride = bound(generator.step, 1, "step")
    if np.any(stride == 0):
        raise SetupError(f"the step of {generator.source}() cannot be 0")
    counts = np.maximum(0, -((start - stop) // stride))
    if counts.max(initial=0) > MOST:
        raise SetupError(f"{generator.source}() has {counts.max():.3g} elements: too many to try")
    return _Ranges(start, stride, counts)


def _sampled(
    probability: Expr,
    over: np.ndarray,
    counts: np.ndarray,
    value: Callable[..., np.ndarray],
    key: int,
    begin: int,
) -> Iterator[Pairs]:
    """Each item of each row with a probability, which may depend on the row."""
    unknown = np.zeros(over.shape, np.int64)
    chance = _probabilities(np.asarray(value(probability, over, unknown, {}), float))
    ends = np.cumsum(counts)
    if _is_constant(probability):
        for positions in geometric_positions(int(ends[-1]), float(chance[0]), key, 3 + begin):
            yield _rows_of(positions, counts, ends)
        return
    looked_at = 0
    for rows, numbers in _spread(counts):
        keep = rng.uniform(key, looked_at + np.arange(len(rows)), 3 + begin, 1) < chance[rows]
        looked_at += len(rows)
        yield rows[keep], numbers[keep]


def _is_constant(tree: Expr) -> bool:
    return not names_in(tree) and all(isinstance(node, Number) for node in walk(tree))


def _drawn(
    size: Expr,
    over: np.ndarray,
    counts: np.ndarray,
    value: Callable[..., np.ndarray],
    skip_if_invalid: bool,
    key: int,
) -> Iterator[Pairs]:
    """So many different items of each row, all choices equally likely, in ascending order."""
    unknown = np.zeros(over.shape, np.int64)
    sizes = _integers(value(size, over, unknown, {}), "the size of a sample")
    invalid = (sizes > counts) | (sizes < 0)
    if np.any(invalid):
        if not skip_if_invalid:
            row = int(np.flatnonzero(invalid)[0])
            raise IndexError(f"cannot sample {sizes[row]} out of {counts[row]} elements")
        sizes = np.clip(sizes, 0, counts)
    rows: list[np.ndarray] = []
    numbers: list[np.ndarray] = []
    waiting = 0
    for row, (m, k) in enumerate(zip(counts.tolist(), sizes.tolist(), strict=True)):
        numbers.append(_choice(m, k, key, int(over[row])))
        rows.append(np.full(k, row))
        waiting += k
        if waiting > CHUNK:
            yield np.concatenate(rows), np.concatenate(numbers)
            rows, numbers, waiting = [], [], 0
    if rows:
        yield np.concatenate(rows), np.concatenate(numbers)


def _choice(m: int, k: int, key: int, row: int) -> np.ndarray:
    """K different numbers below m, all choices equally likely, in ascending order."""
    if k == m:
        return np.arange(m)
    if 4 * k > m:
        u = rng.uniform(key, np.arange(m), 4 + row, 2)
        return np.sort(np.argpartition(u, k - 1)[:k]) if k else np.zeros(0, np.int64)
    # few of many: draw until there are k different ones, and keep those that came first
    drawn = np.zeros(0, np.int64)
    count = k + k // 2 + 8
    while True:
        u = rng.uniform(key, np.arange(len(drawn), len(drawn) + count), 4 + row, 2)
        drawn = np.concatenate([drawn, (u * m).astype(np.int64)])
        different, first = np.unique(drawn, return_index=True)
        if len(different) >= k:
            return np.sort(drawn[np.sort(first)[:k]])
