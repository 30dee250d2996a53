"""The polynomials of `eccles.compile.elementary` and `random`: what they approximate, how they were found.

`python tests/compile/minimax.py` prints all coefficients and errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp

DIGITS = 60

Real = Callable[[mp.mpf], mp.mpf]


@dataclass(frozen=True)
class Task:
    """Approximate `f` on [low, high] by a polynomial; errors count `weight` times."""

    f: Real
    weight: Real
    low: float
    high: float
    degree: int


def even(function: Real, limit: Real) -> Real:
    """A function of x^2 from one of x; `limit` gives its value near 0, where the formula cancels."""
    return lambda z: limit(z) if z < mp.mpf(10) ** -18 else function(mp.sqrt(z))


def constant(numerator: int, denominator: int = 1) -> Real:
    return lambda _: mp.mpf(numerator) / denominator


# weights make the errors those of the whole function, relative to it; intervals are a little too wide
TASKS = {
    "EXP": Task(lambda r: (mp.expm1(r) - r) / r**2, lambda r: r**2, -0.3470, 0.34701, 9),
    "LOG": Task(
        even(lambda s: (2 * mp.atanh(s) / s - 2) / s**2, constant(2, 3)), lambda z: z / 2, 1e-12, 0.02945, 6
    ),
    "LOG_OF_POW": Task(
        even(lambda s: ((2 * mp.atanh(s) / s - 2) / s**2 - mp.mpf(2) / 3) / s**2, constant(2, 5)),
        lambda z: z * z / 2, 1e-9, 0.02945, 7,
    ),
    "SIN": Task(
        even(lambda r: (mp.sin(r) / r - 1) / r**2, constant(-1, 6)), lambda z: z, 1e-12, 0.6180, 5
    ),
    "COS": Task(
        even(lambda r: (mp.cos(r) - 1 + r**2 / 2) / r**4, constant(1, 24)), lambda z: z**2, 1e-9, 0.6180, 5
    ),
    "ARCTAN": Task(
        even(lambda r: (mp.atan(r) / r - 1) / r**2, constant(-1, 3)), lambda z: z, 1e-12, 0.1720, 10
    ),
    "ARCSIN": Task(
        even(lambda r: (mp.asin(r) / r - 1) / r**2, constant(1, 6)), lambda z: z, 1e-12, 0.2501, 12
    ),
    "QUARTER_SINE": Task(
        even(lambda u: mp.sin(mp.pi / 2 * u) / u, lambda _: mp.pi / 2),
        lambda z: 1 / mp.sinc(mp.pi / 2 * mp.sqrt(z)), 1e-12, 1.0, 8,
    ),
}  # fmt: skip


def remez(task: Task) -> tuple[list[float], float]:
    """Coefficients from the lowest, rounded to doubles; the greatest weighted error before rounding."""
    with mp.workdps(DIGITS):
        n = task.degree + 2
        middle, half = (mp.mpf(task.high) + task.low) / 2, (mp.mpf(task.high) - task.low) / 2
        nodes = [middle - half * mp.cos(mp.pi * (k + 0.5) / n) for k in range(n)]
        grid = [middle - half * mp.cos(mp.pi * (k + 0.5) / (40 * n)) for k in range(40 * n)]
        known = [(x, task.f(x), task.weight(x)) for x in grid]
        while True:
            coefficients = _levelled(task, nodes)
            errors = [(w * (y - _polynomial(coefficients, x)), x) for x, y, w in known]
            peaks = _alternating(errors, n)
            sizes = [abs(e) for e, _ in peaks]
            nodes = [x for _, x in peaks]
            if max(sizes) < 1.01 * min(sizes):
                return [float(c) for c in coefficients], float(max(sizes))


def _polynomial(coefficients: list[mp.mpf], x: mp.mpf) -> mp.mpf:
    return mp.fsum(c * x**k for k, c in enumerate(coefficients))


def _levelled(task: Task, nodes: list[mp.mpf]) -> list[mp.mpf]:
    """The polynomial whose weighted errors at the nodes have one size and alternating signs."""
    n = len(nodes)
    matrix, values = mp.matrix(n, n), mp.matrix(n, 1)
    for row, x in enumerate(nodes):
        for column in range(n - 1):
            matrix[row, column] = x**column
        matrix[row, n - 1] = (-1) ** row / task.weight(x)
        values[row] = task.f(x)
    return list(mp.lu_solve(matrix, values))[: n - 1]


def _alternating(errors: list[tuple[mp.mpf, mp.mpf]], n: int) -> list[tuple[mp.mpf, mp.mpf]]:
    """The greatest error of each run of one sign; of more than n runs, those in the middle."""
    peaks = errors[:1]
    for error in errors[1:]:
        if (error[0] > 0) != (peaks[-1][0] > 0):
            peaks.append(error)
        elif abs(error[0]) > abs(peaks[-1][0]):
            peaks[-1] = error
    while len(peaks) > n:
        peaks.pop(0 if abs(peaks[0][0]) < abs(peaks[-1][0]) else -1)
    return peaks


if __name__ == "__main__":
    for name, task in TASKS.items():
        coefficients, error = remez(task)
        print(f"{name}: 2^{float(mp.log(error, 2)):.1f}\n    {coefficients}")
