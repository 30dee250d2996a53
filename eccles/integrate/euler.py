"""Forward Euler; with noise, Euler-Maruyama (Maruyama 1955).

First order without noise. With additive noise the strong order is one too. Noise that is scaled by
state variables is refused, not because Euler-Maruyama could not integrate it, but because it would read it in
Itô's sense where the other methods read it in Stratonovich's.
"""

from __future__ import annotations

from eccles.integrate.explicit import ExplicitIntegrator

__all__ = ["EULER"]

EULER = ExplicitIntegrator(
    "x_new = x + dt*f(x, t) + g(x, t)*dW",
    stochastic="additive",
    name="euler",
    summary="forward Euler (Euler-Maruyama where there is additive noise), first order",
)
