"""What an integrator is given, and what it gives back.

An integrator turns a `Problem` (right-hand sides of differential equations) into a `Step`: the
assignments that take all state variables from `t` to `t + dt`. Both are plain data, so a step can be
printed, tested with NumPy and compiled by whoever comes next.

Statements may use the state variables, whatever the equations mention, `t`, `dt`, `not_refractory`, the
function `_select(condition, a, b)`, and names that begin with an underscore: temporaries, noise and
coefficients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from eccles.errors import ModelError, Span
from eccles.language.nodes import Assignment, Call, Expr, Name, children, names_in, replace_children, walk

__all__ = [
    "Hoisted",
    "Integrator",
    "LinearSystem",
    "Problem",
    "Step",
    "UnsupportedEquations",
    "UnsupportedEquationsException",
]

# functions that give another number each time
STATEFUL = frozenset({"rand", "randn", "poisson", "binomial"})
# what changes from one step to the next without being a state variable
CLOCK = frozenset({"t", "t_in_timesteps"})


class UnsupportedEquations(ModelError):
    """No integrator (of those asked for) can integrate these equations.

    Parameters
    ----------
    message : str
        What was asked for.
    reasons : mapping of str to str
        Method (or variable) -> why it does not fit.
    span, hint
        As in `EcclesError`.
    """

    def __init__(
        self,
        message: str,
        *,
        reasons: Mapping[str, str] | None = None,
        span: Span | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, span=span, hint=hint)
        self.reasons = dict(reasons or {})


UnsupportedEquationsException = UnsupportedEquations  # its name in Brian 2


@dataclass(frozen=True)
class Hoisted:
    """A coefficient that is computed once per run, per element where its parameters are."""

    name: str
    expr: Expr


@dataclass(frozen=True)
class LinearSystem:
    """Coefficients of coupled linear equations x' = A x + b, from the matrix exponential.

    With P = expm(A dt) and Q = integral of expm(A s) for s from 0 to dt, a step is x <- P x + Q b
    (b held over the step). `matrix.coefficients` computes the numbers at the start of a run.

    Attributes
    ----------
    variables : tuple of str
        The rows and columns.
    matrix : tuple of tuple of (Expr or None)
        A; None where it is zero for whatever parameters.
    propagators, integrals : tuple of (str, int, int)
        Wanted from P and from Q: name, row, column.
    splits : tuple of (str, str, int)
        Diagonal entries of P wanted as a sum of a share that is kept, 1 or 0, and a change: their names, row.
    """

    variables: tuple[str, ...]
    matrix: tuple[tuple[Expr | None, ...], ...]
    propagators: tuple[tuple[str, int, int], ...]
    integrals: tuple[tuple[str, int, int], ...]
    splits: tuple[tuple[str, str, int], ...] = ()

    def names(self) -> set[str]:
        """The parameters that the matrix is made of."""
        return {n for row in self.matrix for entry in row if entry is not None for n in names_in(entry)}

    def wanted(self) -> tuple[str, ...]:
        """The names of the coefficients."""
        split = [name for kept, change, _ in self.splits for name in (kept, change)]
        return (*[name for name, _, _ in (*self.propagators, *self.integrals)], *split)


@dataclass(frozen=True)
class Step:
    """One time step of a method.

    Attributes
    ----------
    method : str
        The integrator's name.
    statements : tuple of Assignment
        To be run in order; `=` only.
    noise : tuple of str
        Names of independent standard normal numbers: one draw per element and step each.
    hoisted : tuple of Hoisted
        Coefficients to compute before the run.
    systems : tuple of LinearSystem
        More coefficients, from matrix exponentials.
    passed_over : tuple of (str, str)
        Methods that came first in the list of candidates, and why they do not fit.
    errors : tuple of (str, str)
        State variable -> the temporary among the statements that estimates its error in this step; empty
        where a method estimates none.
    """

    method: str
    statements: tuple[Assignment, ...]
    noise: tuple[str, ...] = ()
    hoisted: tuple[Hoisted, ...] = ()
    systems: tuple[LinearSystem, ...] = ()
    passed_over: tuple[tuple[str, str], ...] = ()
    errors: tuple[tuple[str, str], ...] = ()


def free_of_time(call: Expr) -> bool:
    """The cautious answer to "is this call constant during a step?"."""
    return not names_in(call) & CLOCK


@dataclass(frozen=True)
class Problem:
    """Differential equations, as an integrator sees them.

    Attributes
    ----------
    equations : dict of str to Expr
        State variable -> right-hand side, subexpressions inlined.
    frozen : frozenset of str
        Variables that keep their value during refractoriness (`unless refractory`).
    locally_constant : callable
        Whether a call, for example of a `TimedArray` at `t`, is constant during a step.
    varying : frozenset of str
        Names that are not integrated here but change from step to step, for example summed variables:
        held over a step, but no coefficient computed once per run may contain them.
    """

    equations: dict[str, Expr]
    frozen: frozenset[str] = frozenset()
    locally_constant: Callable[[Expr], bool] = field(default=free_of_time, compare=False)
    varying: frozenset[str] = frozenset()

    @property
    def variables(self) -> tuple[str, ...]:
        """The state variables, in order."""
        return tuple(self.equations)

    def constant_in_step(self, expr: Expr) -> bool:
        """Whether time enters only through calls that are constant during a step."""
        match expr:
            case Name("t"):
                return False
            case Call() if self.locally_constant(expr):
                return True
            case _:
                return all(self.constant_in_step(child) for child in children(expr))

    def constant_in_run(self, expr: Expr) -> bool:
        """Whether a coefficient can be computed once, before the run."""
        changing = CLOCK | self.varying | {"not_refractory"} | set(self.equations)
        return not names_in(expr) & changing and not self.draws_numbers(expr)

    def draws_numbers(self, expr: Expr) -> bool:
        """Whether evaluating the expression twice could give two values."""
        return any(isinstance(node, Call) and node.function in STATEFUL for node in walk(expr))

    def at_time(self, expr: Expr, time: Expr) -> Expr:
        """The expression with `t` moved, except where a call is constant during a step.

        Holding such calls is more than a saving: at `t + dt` a `TimedArray` already has the value of the
        next step.
        """
        match expr:
            case Name("t"):
                return time
            case Call() if self.locally_constant(expr):
                return expr
            case _:
                old = children(expr)
                new = tuple(self.at_time(child, time) for child in old)
                return expr if new == old else replace_children(expr, new)


@runtime_checkable
class Integrator(Protocol):
    """An integration method."""

    @property
    def name(self) -> str:
        """What users call it."""
        ...

    @property
    def summary(self) -> str:
        """What it does and when it is good, to follow "integrated by 'name': "."""
        ...

    def reason_against(self, problem: Problem) -> str | None:
        """Why it cannot integrate these equations, in one clause; None if it can."""
        ...

    def step(self, problem: Problem) -> Step:
        """One step; only asked for where there is no reason against it."""
        ...
