"""Which bin each time is in."""

from __future__ import annotations

import numpy as np

__all__ = ["ROUNDING", "bins", "counts_in"]

ROUNDING = 1e-9  # of a bin: a time that is nearer to the end of its bin counts to the next


def bins(times: np.ndarray, start: float, width: float) -> np.ndarray:
    """The number of the bin of each time, if bin 0 begins at `start`."""
    far = 2.0**62  # whatever is farther away is in no bin
    return np.clip(np.floor((times - start) / max(width, 1e-200) + ROUNDING), -far, far).astype(np.int64)


def counts_in(times: np.ndarray, begin: float, width: float, n: int) -> np.ndarray:
    """Times in each of `n` bins of a width from `begin` on, (n,)."""
    k = bins(times, begin, width)
    return np.bincount(k[(k >= 0) & (k < n)], minlength=n)
