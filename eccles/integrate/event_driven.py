"""Variables that are brought up to date only when an event needs them.

Between events x' = a x + b has a closed form over the time `_elapsed` since the last update, which
whoever runs the statements provides.
"""

from __future__ import annotations

from eccles.integrate.build import FreshNames, nonzero, simultaneous
from eccles.integrate.linear import advanced
from eccles.integrate.noise import noises_in
from eccles.integrate.problem import CLOCK, Problem, UnsupportedEquations
from eccles.language.algebra import linear_in
from eccles.language.nodes import Assignment, Expr, Name, names_in

__all__ = ["ELAPSED", "event_driven_step"]

ELAPSED = "_elapsed"


def event_driven_step(problem: Problem) -> tuple[Assignment, ...]:
    """The assignments that bring event-driven variables from their last update to now.

    Equal rates give textually equal exponentials, which are then computed once.

    Raises
    ------
    UnsupportedEquations
        If an equation is not linear in its own variable alone; `.reasons` names each by its variable.
    """
    reasons: dict[str, str] = {}
    updates: dict[str, Expr] = {}
    for variable, expr in problem.equations.items():
        if reason := _reason_against(variable, expr, problem):
            reasons[variable] = reason
            continue
        found = linear_in(expr, variable)
        assert found is not None, "checked above"
        a, b = nonzero(found[0]), nonzero(found[1])
        updates[variable] = advanced(variable, a, b, Name(ELAPSED))
    if reasons:
        first = next(iter(reasons))
        raise UnsupportedEquations(
            f"cannot update event-driven variables in closed form: {reasons[first]}",
            reasons=reasons,
            span=problem.equations[first].span,
            hint="An event-driven equation reads dx/dt = a*x + b, with a and b constant between events.\n"
            "Flag it (clock-driven) to integrate it in every step.",
        )
    return tuple(simultaneous(updates, FreshNames({ELAPSED})))


def _reason_against(variable: str, expr: Expr, problem: Problem) -> str | None:
    """Why an equation has no closed form between events."""
    where = f"the equation of '{variable}'"
    if noise := noises_in({variable: expr}):
        return f"{where} contains noise ('{noise[0]}')"
    names = names_in(expr)
    if others := [name for name in problem.variables if name in names and name != variable]:
        return f"{where} depends on another differential equation ('{others[0]}')"
    if times := sorted(names & CLOCK):
        return f"{where} depends on {times[0]}"
    if varying := sorted(names & problem.varying):
        return f"{where} depends on '{varying[0]}', which changes between events"
    if problem.draws_numbers(expr):
        return f"{where} draws random numbers"
    if linear_in(expr, variable) is None:
        return f"{where} is not linear in '{variable}'"
    return None
