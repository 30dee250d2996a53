"""Differential equations -> the statements of one time step, or of any span."""

from eccles.integrate.choose import INTEGRATORS, explain_choice, step_of
from eccles.integrate.crossing import Margin, NotSmooth, Slack, margin_of, slack_of, slope_of
from eccles.integrate.event_driven import event_driven_step
from eccles.integrate.explicit import ExplicitIntegrator
from eccles.integrate.flow import Flow, flow_of
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
    "Flow",
    "Hoisted",
    "Integrator",
    "LinearSystem",
    "Margin",
    "NotSmooth",
    "Problem",
    "Slack",
    "Step",
    "UnsupportedEquations",
    "UnsupportedEquationsException",
    "event_driven_step",
    "explain_choice",
    "flow_of",
    "margin_of",
    "slack_of",
    "slope_of",
    "step_of",
]
