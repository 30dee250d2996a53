"""Random numbers that are the same in every version of NumPy.

The bits of a Philox generator are fixed (Salmon, Moraes, Dror & Shaw 2011); how NumPy makes distributions
of them may change. So the bits are NumPy's, and what is made of them stands here.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import Any

import numpy as np

from eccles.errors import SetupError

__all__ = ["Stream", "labelled_uniform", "normal", "permutation", "uniform"]


class Stream(IntEnum):
    """What random numbers are for: with the same seed, those of two streams are independent."""

    BEATS = 0
    RENEWAL = 1
    JITTER = 2
    DITHER = 3
    SHUFFLE = 4
    BOOTSTRAP = 5
    SURROGATES = 6


def _checked(seed: Any) -> int:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**64:
        raise SetupError(f"a seed is a whole number from 0 to 2**64 - 1, not {seed!r}")
    return int(seed)


def _bits(n: int, seed: int, stream: int) -> np.ndarray:
    """Random 64 bits, (n,)."""
    return np.random.Philox(key=_checked(seed) + (stream << 64)).random_raw(n)


def uniform(n: int, seed: int, *, stream: int = Stream.BEATS) -> np.ndarray:
    """Uniform in [0, 1), (n,): more of them begin with the same."""
    return (_bits(n, seed, stream) >> np.uint64(11)) * 2.0**-53


def labelled_uniform(n: int, seed: int, *labels: Any) -> np.ndarray:
    """Uniform in (0, 1), (n,): a stream for each list of labels, where there are more than have a name."""
    digest = hashlib.blake2b(repr((_checked(seed), *labels)).encode(), digest_size=16).digest()
    bits = np.random.Philox(key=int.from_bytes(digest, "little")).random_raw(n)
    return ((bits >> np.uint64(11)) + 0.5) * 2.0**-53


def normal(n: int, seed: int, *, stream: int = Stream.BEATS) -> np.ndarray:
    """Normal with mean 0 and standard deviation 1, (n,); by the transform of Box & Muller 1958."""
    one, other = uniform(2 * n, seed, stream=stream).reshape(n, 2).T
    return np.sqrt(-2 * np.log1p(-one)) * np.cos(2 * np.pi * other)


def permutation(n: int, seed: int, *, stream: int = Stream.BEATS) -> np.ndarray:
    """The numbers 0 to n - 1 in random order."""
    return np.argsort(_bits(n, seed, stream), kind="stable")
