"""Differential equations -> the statements of one time step."""

from eccles.integrate.choose import INTEGRATORS, explain_choice, step_of
from eccles.integrate.event_driven import event_driven_step
from eccles.integrate.explicit import ExplicitIntegrator
from eccles.integrate.problem import (
    Hoisted,
    Integrator,
    LinearSystem,
    Problem,
    Step,
    UnsupportedEquations,
    UnsupportedEquationsException,
)

__all__ = [
    "INTEGRATORS",
    "ExplicitIntegrator",
    "Hoisted",
    "Integrator",
    "LinearSystem",
    "Problem",
    "Step",
    "UnsupportedEquations",
    "UnsupportedEquationsException",
    "event_driven_step",
    "explain_choice",
    "step_of",
]
