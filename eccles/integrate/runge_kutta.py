"""Runge-Kutta methods of second order (the midpoint rule) and fourth order (the classical one)."""

from __future__ import annotations

from eccles.integrate.explicit import ExplicitIntegrator

__all__ = ["RK2", "RK4"]

RK2 = ExplicitIntegrator(
    """
    k = dt*f(x, t)
    x_new = x + dt*f(x + k/2, t + dt/2)
    """,
    name="rk2",
    summary="second-order Runge-Kutta (midpoint rule)",
)

RK4 = ExplicitIntegrator(
    """
    k_1 = dt*f(x, t)
    k_2 = dt*f(x + k_1/2, t + dt/2)
    k_3 = dt*f(x + k_2/2, t + dt/2)
    k_4 = dt*f(x + k_3, t + dt)
    x_new = x + (k_1 + 2*k_2 + 2*k_3 + k_4)/6
    """,
    name="rk4",
    summary="classical fourth-order Runge-Kutta",
)
