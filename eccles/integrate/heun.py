"""Stochastic Heun: a trapezoid in drift and noise (Rümelin 1982, SIAM J. Numer. Anal. 19:604).

Converges to the Stratonovich solution: strong order 1 where noises commute (diagonal noise, or a single
one), 1/2 in general; second order without noise.
"""

from __future__ import annotations

from eccles.integrate.explicit import ExplicitIntegrator

__all__ = ["HEUN"]

HEUN = ExplicitIntegrator(
    """
    x_support = x + dt*f(x, t) + g(x, t)*dW
    x_new = x + dt/2*(f(x, t) + f(x_support, t + dt)) + dW/2*(g(x, t) + g(x_support, t + dt))
    """,
    stochastic="multiplicative",
    name="heun",
    summary="stochastic Heun, for noise that depends on the state, in Stratonovich's sense",
)
