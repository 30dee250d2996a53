"""Propagators of linear equations: the matrix exponential and its integral, for many matrices at once.

Idea
----
P = expm(A dt) and Q = integral of expm(A s) for 0 < s < dt follow from the Taylor series of a short
time h = dt / 2**s and from s doublings:

    E = X phi,  Q = h phi    with X = A h and phi = sum of X^k / (k + 1)!
    E(2h) = 2 E(h) + E(h)^2,  Q(2h) = 2 Q(h) + E(h) Q(h)

where E = P - I. Squaring P itself loses digits where rates differ much: slow decay over a short time is
1 - tiny, and each squaring doubles its relative error; E stays relatively accurate however small it is.
Once a variable has decayed it is the other way round, P is tiny and E nearly -1. So both are kept, with
bounds of their rounding errors, and each entry is doubled in the form whose bound is smaller. Errors
stay near the rounding of A dt itself, entry by entry, also for time constants from microseconds to
seconds.

Products are written as sums of outer products: matrices here are small (a neuron's few variables), and
NumPy's elementwise operations give the same bits on every machine, for every size of batch.

Rejected: Padé approximants of P (`scipy.linalg.expm`), which square P and lose up to five digits on
stiff equations; eigenvectors, which fail where two rates are equal.

References
----------
Higham 2005, SIAM J. Matrix Anal. Appl. 26:1179 (scaling and squaring); Skaflestad & Wright 2009, Appl.
Numer. Math. 59:783 (doublings of phi functions).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eccles.integrate.problem import LinearSystem
from eccles.language.nodes import Expr

__all__ = ["coefficients", "entries", "propagators"]

Matrices = NDArray[np.float64]

LARGEST = 0.25  # norm of A h up to which the series is summed
ROUNDING = 2.0**-53
DEGREE = 12  # 0.25**13 / 14! < 2**-62
NEAR = 0.5  # |P - 1| up to which a diagonal entry is split into 1 and P - 1


def propagators(matrix: ArrayLike, dt: float) -> tuple[Matrices, Matrices]:
    """expm(A dt) and the integral of expm(A s) from 0 to dt.

    Parameters
    ----------
    matrix : (..., n, n)
        A, in 1/s.
    dt : float
        In seconds.

    Returns
    -------
    P, Q : (..., n, n)
        NaN where A is not finite.
    """
    p, _, q = _exponential(matrix, dt)
    return p, q


def _exponential(matrix: ArrayLike, dt: float) -> tuple[Matrices, Matrices, Matrices]:
    """P, P - I and Q, each accurate in itself."""
    a = np.asarray(matrix, dtype=np.float64)
    n = a.shape[-1]
    identity = np.eye(n)
    with np.errstate(over="ignore", invalid="ignore"):  # growth without bound ends in inf, as it should
        doublings = _doublings(a, dt)
        h = np.ldexp(dt, -doublings)[..., None, None]
        x = a * h
        phi = identity / (DEGREE + n + 1)
        for k in range(DEGREE + n, 0, -1):  # Horner; n more terms, for chains as long as the matrix
            phi = (identity + _product(x, phi)) / k
        e, q = _product(x, phi), h * phi
        p = identity + e
        error_e, error_p = ROUNDING * np.abs(e), ROUNDING * np.abs(p)
        for done in range(int(doublings.max(initial=0))):
            going = (done < doublings)[..., None, None]
            q = np.where(going, 2 * q + _product(e, q), q)
            doubled, error_d = 2 * e + _product(e, e), _error(2 * np.abs(e), e, error_e, 2 * error_e)
            squared, error_s = _product(p, p), _error(0.0, p, error_p, 0.0)
            take = error_s < error_d + ROUNDING * identity
            next_p = np.where(take, squared, identity + doubled)
            next_e = np.where(take, squared - identity, doubled)
            error_p = np.where(take, error_s, error_d + ROUNDING * np.abs(next_p))
            error_e = np.where(take, error_s + ROUNDING * np.abs(next_e), error_d)
            e, p = np.where(going, next_e, e), np.where(going, next_p, p)
    return p, e, q


def _error(size: Matrices | float, m: Matrices, error: Matrices, carried: Matrices | float) -> Matrices:
    """A bound on the error of m @ m, plus a term of this size that carries an error of its own."""
    m = np.abs(m)
    return carried + _product(m, error) + _product(error, m) + ROUNDING * (size + _product(m, m))


def _doublings(a: Matrices, dt: float) -> NDArray[np.int64]:
    """How often each matrix must be halved until the series converges quickly."""
    norm = np.abs(a * dt).sum(axis=-1).max(axis=-1, initial=0.0)
    norm = np.where(np.isfinite(norm), norm, 0.0)
    _, exponent = np.frexp(norm / LARGEST)
    return np.maximum(exponent, 0).astype(np.int64)


def _product(a: Matrices, b: Matrices) -> Matrices:
    """The matrix product, in the same order of operations everywhere."""
    result = a[..., :, 0, None] * b[..., 0, None, :]
    for k in range(1, a.shape[-1]):
        result = result + a[..., :, k, None] * b[..., k, None, :]
    return result


def coefficients(
    system: LinearSystem, value: Callable[[Expr], ArrayLike], dt: float
) -> dict[str, NDArray[np.float64]]:
    """The numbers that a linear system asks for.

    Parameters
    ----------
    system : LinearSystem
        The matrix, and the entries that are wanted.
    value : callable
        An entry's number, or one number per element.
    dt : float
        In seconds.

    Returns
    -------
    dict of str to array
        Shape () if no entry of the matrix is per element, else (n_elements,).
    """
    rows = [[0.0 if entry is None else np.asarray(value(entry)) for entry in row] for row in system.matrix]
    shape = np.broadcast_shapes(*(np.shape(entry) for row in rows for entry in row))
    matrix = np.array([[np.broadcast_to(entry, shape) for entry in row] for row in rows], dtype=np.float64)
    return entries(system, np.moveaxis(matrix, (0, 1), (-2, -1)), dt)


def entries(system: LinearSystem, matrix: ArrayLike, dt: float) -> dict[str, NDArray[np.float64]]:
    """The numbers that a linear system asks for, given those of its matrix.

    Parameters
    ----------
    system : LinearSystem
        What is wanted.
    matrix : (..., n, n)
        A, in 1/s.
    dt : float
        In seconds.
    """
    p, e, q = _exponential(matrix, dt)
    found = {name: p[..., row, column] for name, row, column in system.propagators}
    found |= {name: q[..., row, column] for name, row, column in system.integrals}
    for kept, change, row in system.splits:
        near = np.abs(e[..., row, row]) <= NEAR
        found[kept] = np.where(near, 1.0, 0.0)
        found[change] = np.where(near, e[..., row, row], p[..., row, row])
    return found
