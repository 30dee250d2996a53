"""Divisions by coefficients become multiplications.

A division costs as much as a dozen multiplications, and models are full of `/tau`, `/Cm`, `/mV`. Where the
divisor is constant during a run and the dividend is not, the reciprocal is computed once and multiplied
with. The result may differ from the quotient in its last bit; so nothing is changed inside of functions
that jump (`floor(x/3)`), and users' statements (reset, on_pre ...) are left as they are.
"""

from __future__ import annotations

from dataclasses import replace

from eccles.integrate.build import FreshNames
from eccles.integrate.problem import Hoisted, Problem, Step
from eccles.language.functions import BUILTINS
from eccles.language.nodes import (
    Assignment,
    Binary,
    Call,
    Compare,
    Expr,
    Name,
    Number,
    children,
    names_in,
    replace_children,
)

__all__ = ["with_reciprocals"]

JUMPING = frozenset({"floor", "ceil", "int", "sign", "timestep"})


def with_reciprocals(step: Step, problem: Problem) -> Step:
    """The step with divisions by constants replaced by multiplications."""
    taken = {h.name for h in step.hoisted} | {a.target for a in step.statements}
    reciprocals = _Reciprocals(problem, FreshNames(taken))
    statements = tuple([_replaced(a, reciprocals) for a in step.statements])
    return replace(step, statements=statements, hoisted=(*step.hoisted, *reciprocals.hoisted))


def _replaced(assignment: Assignment, reciprocals: _Reciprocals) -> Assignment:
    return replace(assignment, value=reciprocals.applied(assignment.value))


class _Reciprocals:
    def __init__(self, problem: Problem, names: FreshNames) -> None:
        self._problem = problem
        self._names = names
        self._known: dict[Expr, Expr] = {}
        self._memo: dict[int, tuple[Expr, Expr]] = {}
        self.hoisted: list[Hoisted] = []

    def applied(self, expr: Expr) -> Expr:
        """The expression with its divisions replaced; what was one object stays one."""
        if id(expr) not in self._memo:
            self._memo[id(expr)] = (expr, self._applied(expr))
        return self._memo[id(expr)][1]

    def _applied(self, expr: Expr) -> Expr:
        match expr:
            case Compare() | Binary("//" | "%"):
                return expr
            case Call(function=function) if function not in BUILTINS and not function.startswith("_"):
                return expr  # a function of the user may jump
            case Call(function=function) if function in JUMPING:
                return expr
            case Binary("/", left, right) if self._constant(right) and not self._constant(left):
                return Binary("*", self.applied(left), self._reciprocal(right), expr.span)
            case _:
                old = children(expr)
                new = tuple([self.applied(child) for child in old])
                return (
                    expr
                    if all(a is b for a, b in zip(old, new, strict=True))
                    else replace_children(expr, new)
                )

    def _constant(self, expr: Expr) -> bool:
        own = any(name.startswith("_") for name in names_in(expr))  # temporaries change in every step
        return not own and self._problem.constant_in_run(expr)

    def _reciprocal(self, divisor: Expr) -> Expr:
        if isinstance(divisor, Number):
            return Number(1 / divisor.value) if divisor.value else Number(float("inf"))
        if divisor not in self._known:
            name = self._names.fresh("_reciprocal")
            self.hoisted.append(Hoisted(name, Binary("/", Number(1.0), divisor)))
            self._known[divisor] = Name(name)
        return self._known[divisor]
