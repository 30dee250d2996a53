"""Which method integrates given equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eccles.errors import EquationError, nearest
from eccles.integrate.dormand_prince import DORMAND_PRINCE
from eccles.integrate.euler import EULER
from eccles.integrate.exact import Exact
from eccles.integrate.exponential_euler import ExponentialEuler
from eccles.integrate.heun import HEUN
from eccles.integrate.milstein import MILSTEIN
from eccles.integrate.problem import Integrator, Problem, Step, UnsupportedEquations
from eccles.integrate.reciprocal import with_reciprocals
from eccles.integrate.runge_kutta import RK2, RK4

__all__ = ["INTEGRATORS", "explain_choice", "integrator_for", "step_of"]

EXACT = Exact()
INTEGRATORS: dict[str, Integrator] = {
    "exact": EXACT,
    "linear": EXACT,
    "independent": EXACT,  # of old: for equations that are linear and independent of each other
    "exponential_euler": ExponentialEuler(),
    "euler": EULER,
    "rk2": RK2,
    "rk4": RK4,
    "dopri5": DORMAND_PRINCE,
    "heun": HEUN,
    "milstein": MILSTEIN,
}


def step_of(
    problem: Problem,
    method: str | Sequence[str] | Integrator | None,
    *,
    default: Sequence[str] = ("exact", "euler", "heun"),
    in_increments: bool = False,
) -> Step:
    """One step of the first method that can integrate the equations.

    Parameters
    ----------
    problem : Problem
        The equations.
    method : str, sequence of str, Integrator or None
        A method, candidates in order of preference, or None for `default`.
    default : sequence of str
        What to try where the user has no wish.
    in_increments : bool
        Whether rounding errors must not add up over many short steps, where the method has a choice.

    Raises
    ------
    UnsupportedEquations
        If none fits; `.reasons` says why not, method by method.
    EquationError
        If there is no method of that name.
    """
    integrator, passed_over = integrator_for(problem, method, default=default)
    if in_increments and isinstance(integrator, Exact):
        step = integrator.step_in_increments(problem)
    else:
        step = integrator.step(problem)
    step = with_reciprocals(step, problem)
    return replace(step, passed_over=tuple(passed_over.items()))


def integrator_for(
    problem: Problem,
    method: str | Sequence[str] | Integrator | None,
    *,
    default: Sequence[str] = ("exact", "euler", "heun"),
) -> tuple[Integrator, dict[str, str]]:
    """The first method that can integrate the equations, and why those before it cannot.

    Parameters and errors as in `step_of`.
    """
    candidates = _candidates(default if method is None else method)
    reasons: dict[str, str] = {}
    for candidate in candidates:
        reason = candidate.reason_against(problem)
        if reason is None:
            return candidate, reasons
        reasons[candidate.name] = reason
    raise _nothing_fits(problem, candidates, reasons)


def explain_choice(step: Step) -> str:
    """One sentence: the method, what it is, and why others that came first do not fit."""
    known = INTEGRATORS.get(step.method)
    text = f"integrated by '{step.method}'" + (f": {known.summary}" if known is not None else "")
    passed = "; ".join(f"not by '{name}', because {reason}" for name, reason in step.passed_over)
    return f"{text}; {passed}." if passed else f"{text}."


def _candidates(method: str | Sequence[str] | Integrator) -> list[Integrator]:
    if isinstance(method, Sequence) and not isinstance(method, str):
        if not method:
            raise EquationError(
                "the list of integration methods is empty",
                hint=f"Name at least one of {', '.join(INTEGRATORS)}, or leave 'method' out.",
            )
        return [_one(m) for m in method]
    return [_one(method)]


def _one(method: object) -> Integrator:
    if isinstance(method, str):
        return _named(method)
    if isinstance(method, Integrator):
        return method
    raise TypeError(f"an integration method is a name such as 'euler', or an integrator, not {method!r}")


def _named(name: str) -> Integrator:
    found = INTEGRATORS.get(name)
    if found is None:
        like = nearest(name, INTEGRATORS)
        raise EquationError(
            f"there is no integration method '{name}'",
            hint=(f"Did you mean '{like}'? " if like else "") + f"Known are {', '.join(INTEGRATORS)}.",
        )
    return found


def _nothing_fits(problem: Problem, asked: list[Integrator], reasons: dict[str, str]) -> UnsupportedEquations:
    """The error that names each method's reason, and the methods that would do."""
    fitting: list[str] = []
    for integrator in dict.fromkeys(INTEGRATORS.values()):
        if integrator.name in reasons:
            continue
        reason = integrator.reason_against(problem)
        if reason is None:
            fitting.append(integrator.name)
        else:
            reasons[integrator.name] = reason
    if len(asked) == 1:
        message = f"the method '{asked[0].name}' cannot integrate these equations: {reasons[asked[0].name]}"
    else:
        message = (
            "none of the methods asked for can integrate these equations"
            if fitting
            else "no method can integrate these equations"
        )
    lines = [f"{name}: {reason}" for name, reason in reasons.items()]
    if fitting:
        lines.append(f"These can: {', '.join(fitting)}.")
    # the right-hand side that the first reason speaks of
    spans = [e.span for name, e in problem.equations.items() if f"'{name}'" in reasons[asked[0].name]]
    return UnsupportedEquations(message, reasons=reasons, span=next(iter(spans), None), hint="\n".join(lines))
