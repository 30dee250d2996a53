"""Philox 4x32-10 in NumPy, written from the paper (Salmon et al. 2011, SC'11, sections 3.2 and 4.3)."""

from __future__ import annotations

import numpy as np

LOW = np.uint64(0xFFFFFFFF)
WORD = np.uint64(32)


def philox(counter: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Random words (4, ...) of counters (4, ...) and keys (2, ...), all of 32 bits."""
    x, k = counter.astype(np.uint64), key.astype(np.uint64)
    for n in range(10):
        if n:
            k = (k + np.array([0x9E3779B9, 0xBB67AE85], np.uint64).reshape(2, *[1] * (k.ndim - 1))) & LOW
        first, second = x[0] * np.uint64(0xD2511F53), x[2] * np.uint64(0xCD9E8D57)
        x = np.array(
            [(second >> WORD) ^ x[1] ^ k[0], second & LOW, (first >> WORD) ^ x[3] ^ k[1], first & LOW]
        )
    return x


def uniform(key: int, element: np.ndarray, ordinal: np.ndarray, draw: np.ndarray) -> np.ndarray:
    """The uniform numbers of `eccles.compile.random`, by its packing of the counter."""
    e, o, d = (np.asarray(a).astype(np.uint64) for a in np.broadcast_arrays(element, ordinal, draw))
    k = np.array([key & 0xFFFFFFFF, key >> 32 & 0xFFFFFFFF]).reshape(2, *[1] * e.ndim)
    last = (o >> WORD) & np.uint64(0xFFFF) | (d << np.uint64(16)) & LOW
    words = philox(np.array([e & LOW, e >> WORD, o & LOW, last]), k)
    return ((words[0] >> np.uint64(5)) * 2.0**26 + (words[1] >> np.uint64(6))) * 2.0**-53
