"""How fast linear equations can change anything: bounds that mix no units.

Idea
----
The entry (i, j) of |A|^k is a sum over walks of k steps from i to j. Cut its loops out of a walk and what
is left visits no variable twice: a path. With

    d = the largest |a_ii|,   s = the sum over all loops of two or more of |product of entries|^(1/length)

the sum of all walks is bounded, entry by entry, by those paths p, with w(p) the product of the |entries|
along p:

    (|A|^k)_ij h^k/k!  <=  sum over p of w(p) h^|p|/|p|! * ((d + s) h)^(k - |p|)/(k - |p|)!
    (expm(|A| h))_ij   <=  sum over p of w(p) h^|p|/|p|! * exp((d + s) h)

(The walks from i to j have the generating function sum of w(p) z^|p| times that of heaps of loops, which
is at most 1/(1 - sum of w(loop) z^|loop|), and that at most 1/(1 - s z).) So `d + s` is the rate that
governs both how fast a Taylor series converges and how fast anything grows. Unlike a norm of A it is the
same in every choice of units, and for a cascade (exponential synapses onto a membrane) it is the fastest
decay, however strong the couplings are.

References
----------
Viennot 1986, Lect. Notes Math. 1234:321 (heaps of pieces).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from eccles.integrate.build import call, mul, plus
from eccles.integrate.linear import LinearForm
from eccles.language.nodes import Binary, Call, Expr, Number

__all__ = ["MOST", "largest", "magnitude", "rate_bound"]

MOST = 6  # variables; the number of paths and loops grows with the factorial of it


def magnitude(expr: Expr) -> Expr:
    """|expr|."""
    return call("abs", expr)


def largest(exprs: Iterable[Expr]) -> Expr | None:
    """The largest of several expressions; None if there are none."""
    different = list(dict.fromkeys(exprs))
    if not different:
        return None
    # written with `clip`, which names each of them once
    return reduce(lambda a, b: Call("clip", (a, b, Number(float("inf")))), different)


def rate_bound(sizes: LinearForm) -> Expr | None:
    """The rate d + s, from the magnitudes of the entries; None if it is zero whatever the parameters are."""
    matrix = sizes.matrix
    own = largest(matrix[name][name] for name in matrix if name in matrix[name])
    if len(matrix) > MOST:
        # too many loops to list: a norm, which bounds the rate too, though it is not the same in all units
        return largest(size for row in matrix.values() if (size := _sum(row.values())) is not None)
    return plus(own, _sum(_mean(matrix, loop) for loop in sizes.loops()))


def _sum(terms: Iterable[Expr]) -> Expr | None:
    return reduce(plus, terms, None)


def _mean(matrix: dict[str, dict[str, Expr]], loop: tuple[str, ...]) -> Expr:
    """The geometric mean of the entries along a loop."""
    product = reduce(mul, [matrix[a][b] for a, b in zip(loop, (*loop[1:], loop[0]), strict=True)])
    if len(loop) == 2:
        return call("sqrt", product)
    return Binary("**", product, Number(1 / len(loop)))
