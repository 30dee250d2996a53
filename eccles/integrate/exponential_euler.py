"""Exponential Euler: each equation solved exactly in its own variable, the others held over the step.

For dx/dt = f = a x + b, with a and b free of x, the solution after dt is

    x + f * dt * exprel(a * dt),    exprel(z) = (exp(z) - 1) / z

First order, but stable for fast gating variables and conductances (Rush & Larsen 1978). Why this of the
equivalent forms: -b/a + (x + b/a)*exp(a*dt) divides by a and cancels where a is small or x near its
target; x*E + b*F needs two functions. Here one function is evaluated, f is the user's own expression (so
rest stays exactly at rest), and a = 0 is no special case.
"""

from __future__ import annotations

from eccles.integrate.build import DT, FreshNames, frozen_rate, mul, nonzero, plus, simultaneous
from eccles.integrate.linear import Coefficients, ramp
from eccles.integrate.noise import noises_in
from eccles.integrate.problem import Problem, Step
from eccles.language.algebra import linear_in
from eccles.language.nodes import Expr, Name, names_in

__all__ = ["ExponentialEuler"]


class ExponentialEuler:
    """The integrator `exponential_euler`, for conditionally linear equations."""

    name = "exponential_euler"
    summary = "first order, each equation solved exactly in its own variable while the others are held"

    def reason_against(self, problem: Problem) -> str | None:
        """None if each equation is linear in its own variable."""
        for variable, expr in problem.equations.items():
            if noise := noises_in({variable: expr}):
                return f"the equation of '{variable}' contains noise ('{noise[0]}')"
            if linear_in(expr, variable) is None:
                return f"the equation of '{variable}' is not linear in '{variable}'"
        return None

    def step(self, problem: Problem) -> Step:
        """One step."""
        names = FreshNames()
        coefficients = Coefficients(problem, names)
        updates: dict[str, Expr] = {}
        for variable, rate in problem.equations.items():
            a = nonzero(_own_coefficient(variable, rate))
            f = nonzero(frozen_rate(rate) if variable in problem.frozen else rate)
            if f is not None:
                gain = coefficients.use(f"_F_{variable}", ramp(a, DT))
                updates[variable] = plus(Name(variable), mul(f, gain)) or Name(variable)
        return Step(self.name, tuple(simultaneous(updates, names)), (), coefficients.hoisted)


def _own_coefficient(variable: str, rate: Expr) -> Expr:
    found = linear_in(rate, variable)
    assert found is not None, "only asked for where reason_against finds none"
    a, _ = found
    assert variable not in names_in(a)
    return a
