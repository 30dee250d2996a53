"""Drawing from a fixed discrete distribution with one uniform number: Walker's alias method.

A uniform number u picks a column, floor(u*m), and with what is left of it one of the two values that
share the column (Walker 1977, ACM TOMS 3:253; tables built as in Vose 1991, IEEE TSE 17:972). Two
loads and one comparison whatever the distribution, so it can stand in a vector loop.
"""

from __future__ import annotations

import math

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.compile.lower import Lowerer
from eccles.engine.program import ProgramBuilder
from eccles.engine.state import Array

__all__ = ["AliasTable", "binomial_probabilities"]


def binomial_probabilities(n: int, p: float) -> np.ndarray:
    """P(k) for k = 0, 1, ... of a binomial distribution, until the rest is below 1e-18.

    Computed by recurrence from the mode, so that nothing underflows early.
    """
    if p <= 0:
        return np.ones(1)
    if p >= 1:
        return np.append(np.zeros(n), 1.0)
    mode = min(n, int((n + 1) * p))
    spread = 12 * math.sqrt(n * p * (1 - p)) + 40
    low, high = max(0, int(mode - spread)), min(n, int(mode + spread) + 1)
    k = np.arange(low, high + 1)
    ratio = (n - k[:-1]) / (k[:-1] + 1.0) * (p / (1 - p))  # P(k+1)/P(k)
    log_p = np.concatenate([[0.0], np.cumsum(np.log(ratio))])
    probabilities = np.exp(log_p - log_p.max())
    probabilities /= probabilities.sum()
    full = np.zeros(high + 1)
    full[low:] = probabilities
    kept = np.flatnonzero(full > 1e-18)
    return full[: kept[-1] + 1] / full[: kept[-1] + 1].sum()


class AliasTable:
    """A discrete distribution over 0, 1, ..., ready to be drawn from."""

    def __init__(self, name: str) -> None:
        self.share = Array(f"{name}.share", Element.F64, 1)
        self.other = Array(f"{name}.other", Element.F64, 1)

    def set(self, probabilities: np.ndarray) -> None:
        """Build the table for these probabilities, which sum to 1."""
        m = len(probabilities)
        scaled = probabilities * m
        share, other = np.ones(m), np.arange(m, dtype=float)
        small = [k for k in range(m) if scaled[k] < 1]
        large = [k for k in range(m) if scaled[k] >= 1]
        while small and large:
            lesser, greater = small.pop(), large.pop()
            share[lesser], other[lesser] = scaled[lesser], greater
            scaled[greater] = (scaled[greater] + scaled[lesser]) - 1
            (small if scaled[greater] < 1 else large).append(greater)
        self.share.replace(share)
        self.other.replace(other)

    def emit(self, b: ProgramBuilder, lowerer: Lowerer, u: ir.Expr) -> ir.Expr:
        """The number (as a float) that the uniform number `u` in [0, 1) picks."""
        m = b.size(self.share)
        scaled = lowerer.let("scaled", Op("fmul", (u, Op("itof", (m,)))))
        # u*m may round up to m; a whole number plus 2^52 has it in its low bits: vectors lack the conversion
        last = Op("itof", (Op("isub", (m, ir.const(1))),))
        whole = lowerer.let("whole", Op("fmin", (Op("floor", (scaled,)), last)))
        pattern = Op("bits", (Op("fadd", (whole, ir.const(2.0**52))),))
        column = lowerer.let("column", Op("iand", (pattern, ir.const(2**52 - 1))))
        left = Op("fsub", (scaled, whole))
        return lowerer.let(
            "picked",
            Op("select", (Op("flt", (left, b.load(self.share, column))), whole, b.load(self.other, column))),
        )
