"""Derivative-free Milstein method for diagonal noise (after Kloeden & Platen 1992, section 11.1).

Strong order 1 in Stratonovich's sense. A difference of g along the noise stands for g dg/dx. It is
taken on both sides: the one-sided difference of Itô's version errs by sqrt(dt), which there meets dW**2
- dt, zero in the mean, but here dW**2, and would bring the order down to 1/2.
"""

from __future__ import annotations

from eccles.integrate.explicit import ExplicitIntegrator
from eccles.integrate.noise import split_noise
from eccles.integrate.problem import Problem

__all__ = ["MILSTEIN"]


def _reason_against_noise(problem: Problem) -> str | None:
    """Additive noise needs no correction, so only noise that depends on the state has to be diagonal."""
    diffusion = split_noise(problem)
    return None if diffusion.is_additive else diffusion.reason_against_diagonal()


MILSTEIN = ExplicitIntegrator(
    """
    x_up = x + sqrt(dt)*g(x, t)
    x_down = x - sqrt(dt)*g(x, t)
    x_new = x + dt*f(x, t) + g(x, t)*dW + (g(x_up, t) - g(x_down, t))*dW**2/(4*sqrt(dt))
    """,
    stochastic="multiplicative",
    custom_check=_reason_against_noise,
    name="milstein",
    summary="derivative-free Milstein, for diagonal noise that depends on the state, in Stratonovich's sense",
)
