"""White noise in equations: dx/dt = f + g xi, split into drift f and intensities g.

`xi` and `xi_name` stand for independent standard white noises; one name in several equations is one
and the same noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eccles.integrate.problem import Problem
from eccles.language.algebra import linear_in
from eccles.language.nodes import Expr, Number, names_in

__all__ = ["Diffusion", "NonlinearNoise", "is_noise", "noises_in", "split_noise"]

ZERO = Number(0.0)


class NonlinearNoise(Exception):  # caught within this package, where it becomes a reason
    """A right-hand side that is not of the form f + g*xi."""


@dataclass(frozen=True)
class Diffusion:
    """Equations taken apart: drift[x] + sum over k of intensity[x][k] * xi_k."""

    drift: dict[str, Expr]
    intensity: dict[str, dict[str, Expr]]

    @property
    def noises(self) -> tuple[str, ...]:
        """The noises that occur, in order of first appearance."""
        return tuple(dict.fromkeys(k for row in self.intensity.values() for k in row))

    @property
    def is_additive(self) -> bool:
        """Whether no intensity depends on a state variable (then Itô and Stratonovich agree)."""
        state = set(self.drift)
        return not any(names_in(g) & state for row in self.intensity.values() for g in row.values())

    def reason_against_diagonal(self) -> str | None:
        """Why the noise is not diagonal: each state-dependent noise for one variable, scaled by it alone."""
        for variable, row in self.intensity.items():
            others = set(self.drift) - {variable}
            for noise, g in row.items():
                if len(row) > 1:
                    return f"several noises drive '{variable}', so the noise is not diagonal"
                if names_in(g) & others:
                    return f"the noise of '{variable}' is scaled by other variables, so it is not diagonal"
                if any(noise in other for name, other in self.intensity.items() if name != variable):
                    return f"the noise '{noise}' drives several variables, so it is not diagonal"
        return None


def is_noise(name: str) -> bool:
    """Whether a name stands for white noise."""
    return name == "xi" or name.startswith("xi_")


def noises_in(equations: Mapping[str, Expr]) -> list[str]:
    """The noises that equations mention, sorted within each equation."""
    found = (sorted(filter(is_noise, names_in(expr))) for expr in equations.values())
    return list(dict.fromkeys(name for names in found for name in names))


def split_noise(problem: Problem) -> Diffusion:
    """Drift and noise intensities.

    Raises
    ------
    NonlinearNoise
        If noise enters other than as `factor * xi`.
    """
    drift: dict[str, Expr] = {}
    intensity: dict[str, dict[str, Expr]] = {}
    for variable, expr in problem.equations.items():
        intensity[variable] = {}
        for noise in noises_in({variable: expr}):
            found = linear_in(expr, noise)
            if found is None or any(map(is_noise, names_in(found[0]))):
                raise NonlinearNoise(
                    f"'{noise}' enters the equation of '{variable}' other than as factor*{noise}"
                )
            factor, expr = found
            if factor != ZERO:
                intensity[variable][noise] = factor
        drift[variable] = expr
    return Diffusion(drift, intensity)
