"""Which random numbers each condition of a sweep has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from eccles.sweeps.parameters import Grid

__all__ = ["TRIAL", "Seeds", "exact_text"]

TRIAL = "trial"  # the parameter that numbers repetitions


@dataclass(frozen=True)
class Seeds:
    """Which random numbers each condition has.

    Parameters
    ----------
    seed : int
        Of the sweep.
    independent : bool
        Whether each condition has random numbers of its own; else conditions differ by their trial only,
        so that what they have in common is not hidden by noise.
    """

    seed: int
    independent: bool = False

    def axes(self, grid: Grid) -> frozenset[str]:
        """The axes along which random numbers differ."""
        if self.independent:
            return frozenset(grid.axes)
        return frozenset(axis for name, (axis, _) in grid.parameters().items() if name == TRIAL)

    def of(self, condition: Mapping[str, Any]) -> int:
        """The seed of a condition: a function of its values alone, not of which others there are."""
        counted = condition if self.independent else {n: v for n, v in condition.items() if n == TRIAL}
        if not counted:
            return self.seed
        parts = [str(self.seed), *(f"{name}={exact_text(value)}" for name, value in sorted(counted.items()))]
        return int.from_bytes(hashlib.blake2b("\0".join(parts).encode(), digest_size=8).digest(), "little")


def exact_text(value: Any) -> str:
    """A text that differs for different values: all bits of numbers."""
    array = np.asarray(value)
    if array.dtype.kind in "iu":
        array = array.astype(np.int64)
    if array.dtype.kind not in "biuf":
        return str(value)
    return f"{array.dtype.kind}{array.shape}{array.tobytes().hex()}"
