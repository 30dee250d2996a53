"""The Runge-Kutta pair of Dormand and Prince: fifth order, with an estimate of the error of each step.

The solution of fifth order is kept; its difference from the embedded one of fourth order is the estimate
(local extrapolation), so the estimate shrinks with the fifth power of dt and the true error of a step with
the sixth. On its own grid the method takes dt as it is; the estimates are for whoever chooses steps by
them.

References
----------
Dormand & Prince 1980, J. Comput. Appl. Math. 6:19, table 2.
"""

from __future__ import annotations

from eccles.integrate.explicit import ExplicitIntegrator

__all__ = ["DORMAND_PRINCE"]

DORMAND_PRINCE = ExplicitIntegrator(
    """
    k_1 = dt*f(x, t)
    k_2 = dt*f(x + 1/5*k_1, t + 1/5*dt)
    k_3 = dt*f(x + (3/40*k_1 + 9/40*k_2), t + 3/10*dt)
    k_4 = dt*f(x + (44/45*k_1 - 56/15*k_2 + 32/9*k_3), t + 4/5*dt)
    k_5 = dt*f(x + (19372/6561*k_1 - 25360/2187*k_2 + 64448/6561*k_3 - 212/729*k_4), t + 8/9*dt)
    k_6 = dt*f(x + (9017/3168*k_1 - 355/33*k_2 + 46732/5247*k_3 + 49/176*k_4 - 5103/18656*k_5), t + dt)
    x_5 = x + (35/384*k_1 + 500/1113*k_3 + 125/192*k_4 - 2187/6784*k_5 + 11/84*k_6)
    k_7 = dt*f(x_5, t + dt)
    error = 71/57600*k_1 - 71/16695*k_3 + 71/1920*k_4 - 17253/339200*k_5 + 22/525*k_6 - 1/40*k_7
    x_new = x_5
    """,
    name="dopri5",
    summary="fifth-order Runge-Kutta of Dormand and Prince, which estimates its error",
)
