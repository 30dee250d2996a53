"""Conditions on the state as functions of time: how far from holding, how fast that changes, what could hide.

A threshold `v > v_th` holds where the margin v - v_th is positive. To find when it begins to hold within a
span one needs the margin at any time (from the flow of the equations), its slope along the equations, and
a word on what happens between two times: by how much at most the margin can have risen above both ends. That
is the slack. With x' = A x + b and the margin c x + d, the margin's second derivative is c A expm(A s) x'(0),
so between the ends of a span of h it stays below the chord plus

    h^2/8 * |c A| expm(M h) |x'(0)|,    M = |A| off the diagonal, max(a_ii, 0) on it

entry by entry, with expm(M h) bounded as `walks` says. One variable that depends on no other moves in one
direction between events, so there nothing can hide.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

from eccles.integrate.build import DT, T, call, frozen_rate, mul, nonzero, plus, times, total
from eccles.integrate.exact import Exact, equations_when
from eccles.integrate.linear import LinearForm, growth, linear_form
from eccles.integrate.problem import CLOCK, Hoisted, Problem
from eccles.integrate.reciprocal import JUMPING
from eccles.integrate.walks import MOST, magnitude, rate_bound
from eccles.language.algebra import derivative, fold, linear_in
from eccles.language.functions import BUILTINS
from eccles.language.nodes import (
    Binary,
    Call,
    Compare,
    Expr,
    Logical,
    Name,
    Number,
    Unary,
    children,
    names_in,
    replace_children,
    substitute,
    walk,
)

__all__ = ["Margin", "NotSmooth", "Reach", "Slack", "margin_of", "reach_of", "slack_of", "slope_of"]

Moves = Callable[[str], bool]
ZERO = Number(0.0)


class NotSmooth(Exception):  # caught by whoever chooses how to look for events, where it becomes a reason
    """A condition that cannot be followed in time; the message is the reason, to follow "because"."""


@dataclass(frozen=True)
class Margin:
    """How far a condition is from holding.

    Attributes
    ----------
    value : Expr
        The condition holds where this is positive and all gates are open.
    strict : bool
        Whether it does not hold where the value is exactly zero.
    gates : tuple of Expr
        Conditions that do not change between events.
    """

    value: Expr
    strict: bool
    gates: tuple[Expr, ...]

    def parts(self) -> tuple[Expr, ...]:
        """What the value is the difference of: their size says how it is rounded."""
        match self.value:
            case Binary("-", left, right):
                return left, right
            case _:
                return (self.value,)


@dataclass(frozen=True)
class Slack:
    """How far a margin can rise, within a step, above its larger value at both ends.

    Attributes
    ----------
    hoisted : tuple of Hoisted
        Coefficients that depend on parameters and on `dt`, the time step: an upper bound of spans.
    value : Expr
        The bound, from the state at the start of the span.
    """

    hoisted: tuple[Hoisted, ...]
    value: Expr


# -- margins -------------------------------------------------------------------------------------


def margin_of(condition: Expr, problem: Problem, *, moves: Moves) -> Margin:
    """What to follow in order to see when a condition begins to hold.

    Parameters
    ----------
    condition : Expr
        A comparison, or several conditions joined by `and` of which one comparison at most moves;
        subexpressions inlined. `not_refractory` on its own is left out: refractoriness ends at a time that is
        known.
    problem : Problem
        The equations that move the state.
    moves : callable
        Whether a name changes between events.

    Raises
    ------
    NotSmooth
        If there is no such comparison, or its sides may jump between events.
    """
    parts = [part for part in _conjuncts(condition) if part != Name("not_refractory")]
    if any(problem.draws_numbers(part) for part in parts):
        raise NotSmooth("the condition draws random numbers")
    moving = [part for part in parts if _moves(part, problem, moves)]
    if len(moving) > 1:
        raise NotSmooth(f"'{moving[0]}' and '{moving[1]}' both change between events")
    # where nothing moves, any comparison will do
    part = moving[0] if moving else next((p for p in parts if _is_ordering(p)), condition)
    if not _is_ordering(part):
        raise NotSmooth(_why_no_ordering(part))
    assert isinstance(part, Compare)
    high, low = (part.left, part.right) if part.op in (">", ">=") else (part.right, part.left)
    value = fold(Binary("-", high, low))
    _check_smooth(value, problem, moves)
    return Margin(value, part.op in (">", "<"), tuple(p for p in parts if p is not part))


def _conjuncts(condition: Expr) -> Iterator[Expr]:
    if isinstance(condition, Logical) and condition.op == "and":
        for operand in condition.operands:
            yield from _conjuncts(operand)
    else:
        yield condition


def _moves(expr: Expr, problem: Problem, moves: Moves) -> bool:
    """Whether the value of an expression changes between events."""
    match expr:
        case Name(id):
            return moves(id)
        case Call() if problem.locally_constant(expr):
            return any(map(moves, names_in(expr) - CLOCK))
        case _:
            return any(_moves(child, problem, moves) for child in children(expr))


def _is_ordering(part: Expr) -> bool:
    return isinstance(part, Compare) and part.op not in ("==", "!=")


def _why_no_ordering(part: Expr) -> str:
    match part:
        case Compare(op=op):
            return f"the condition contains '{op}'"
        case Logical(op="or"):
            return "the condition contains 'or'"
        case Unary(op="not"):
            return "the condition contains 'not'"
        case _:
            return "the condition is no comparison"


def _check_smooth(value: Expr, problem: Problem, moves: Moves) -> None:
    """Refuse a margin that may jump between events, or changes in ways that no equation tells."""
    for node in walk(value):
        if not _moves(node, problem, moves):
            continue
        match node:
            case Name(id) if id != T.id and id not in problem.equations:
                raise NotSmooth(f"'{id}' changes between events, but not by an equation of the same model")
            case Call("_select", (condition, _, _)) if _moves(condition, problem, moves):
                raise NotSmooth(f"'{condition}' in it may change between events")
            case Call(function) if function in JUMPING or function not in BUILTINS:
                raise NotSmooth(f"'{function}' in it may jump")
            case Binary("//" | "%" as op):
                raise NotSmooth(f"'{op}' in it may jump")
            case Compare() | Logical() | Unary("not"):
                raise NotSmooth(f"'{node}' in it may change between events")
            case _:
                pass
    try:
        slope_of(value, problem)
    except ValueError:
        raise NotSmooth(f"the derivative of '{value}' is not known") from None


# -- slopes --------------------------------------------------------------------------------------


def slope_of(value: Expr, problem: Problem) -> Expr:
    """The rate of change of an expression of the state along the equations.

    Raises
    ------
    ValueError
        If a function in it has no derivative that is known.
    """
    held: dict[str, Expr] = {}
    smooth = _without_clip(_with_held(value, problem, held))
    slope = nonzero(derivative(smooth, T.id))
    for variable, rate in problem.equations.items():
        factor = nonzero(derivative(smooth, variable))
        moving = frozen_rate(rate) if variable in problem.frozen else rate
        slope = plus(slope, times(factor, nonzero(moving)))
    return ZERO if slope is None else substitute(fold(slope), held)


def _with_held(expr: Expr, problem: Problem, held: dict[str, Expr]) -> Expr:
    """The expression with names for those calls of time that are constant during a step."""
    if isinstance(expr, Call) and names_in(expr) & CLOCK and problem.locally_constant(expr):
        name = f"_held_{len(held)}"
        held[name] = expr
        return Name(name)
    return replace_children(expr, tuple(_with_held(child, problem, held) for child in children(expr)))


def _without_clip(expr: Expr) -> Expr:
    """The expression with `clip` written as choices, of which derivatives are known."""
    new = tuple(map(_without_clip, children(expr)))
    match expr:
        case Call("clip"):
            x, low, high = new
            below, above = Compare("<", x, low), Compare(">", x, high)
            return Call("_select", (below, low, Call("_select", (above, high, x))))
        case _:
            return replace_children(expr, new)


# -- slack ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reach:
    """How a margin m moves between events: m' = rate*m + drive.

    From m < 0 it reaches zero after -log1p(rate*m/drive)/rate, or after -m/drive if `rate` is None; never if
    `drive` is not positive or the logarithm does not exist.
    """

    rate: Expr | None
    drive: Expr


def reach_of(value: Expr, problem: Problem) -> Reach | None:
    """How a margin moves that depends on one variable alone, whose equation x' = a x + b stands by itself.

    None if it is not of that kind, or if something in it changes between events.
    """
    moving = [name for name in problem.variables if name in names_in(value)]
    if len(moving) != 1 or names_in(value) & CLOCK:
        return None
    x = moving[0]
    c = fold(derivative(value, x))
    found = linear_in(problem.equations[x], x)
    if found is None or names_in(c) & set(problem.variables):
        return None
    a, b = nonzero(found[0]), nonzero(found[1])
    others = (names_in(found[0]) | names_in(found[1])) & (set(problem.variables) | CLOCK | problem.varying)
    if others:
        return None
    d = fold(substitute(value, {x: Number(0.0)}))
    drive = times(c, b) or Number(0.0)
    if a is None:
        return Reach(None, fold(drive))
    return Reach(a, fold(Binary("-", drive, Binary("*", a, d))))


def slack_of(value: Expr, problem: Problem) -> Slack | None:
    """A bound on what a margin can do between the ends of a span; None where none is known.

    It is known where the equations are linear and hold still during a step, and the margin is linear in the
    state and free of time.
    """
    if Exact().reason_against(problem) is not None:
        return None
    weights = _weights(value, problem)
    if weights is None:
        return None
    form = equations_when(problem, linear_form(problem), active=True)
    reached = {name for variable in weights for name in form.reach(variable)}
    if reached == set(weights) and len(weights) <= 1:
        return Slack((), ZERO)
    rows = {row: entries for row, entries in form.matrix.items() if row in reached}
    numbers = [*weights.values(), *(a for entries in rows.values() for a in entries.values())]
    if len(rows) > MOST or not all(map(problem.constant_in_run, numbers)):
        return None
    bounds = _curvature_bounds(weights, rows)
    hoisted = [Hoisted(f"_slack_{variable}", bound) for variable, bound in bounds.items()]
    rates = [magnitude(problem.equations[variable]) for variable in bounds]
    return Slack(tuple(hoisted), total(mul(Name(h.name), f) for h, f in zip(hoisted, rates, strict=True)))


def _weights(value: Expr, problem: Problem) -> dict[str, Expr] | None:
    """The coefficients of the state variables in a margin; None if it is not linear and free of time."""
    weights: dict[str, Expr] = {}
    rest = value
    for variable in problem.variables:
        found = linear_in(rest, variable)
        if found is None or names_in(found[0]) & set(problem.variables):
            return None
        weight, rest = nonzero(found[0]), found[1]
        if weight is not None:
            weights[variable] = weight
    if not all(map(problem.constant_in_step, [*weights.values(), rest])):
        return None
    return weights


def _curvature_bounds(weights: dict[str, Expr], rows: dict[str, dict[str, Expr]]) -> dict[str, Expr]:
    """Variable -> what a unit of its rate can add to the margin between the ends of a step."""
    sizes = LinearForm(
        {
            row: {
                column: call("clip", a, ZERO, Number(float("inf"))) if row == column else magnitude(a)
                for column, a in entries.items()
            }
            for row, entries in rows.items()
        },
        {},
    )
    bounds: dict[str, Expr | None] = {}
    for first in rows:
        # an entry of |c A|
        pulls = [times(weight, rows[variable].get(first)) for variable, weight in weights.items()]
        pull = nonzero(reduce(plus, pulls, None))
        if pull is None:
            continue
        for path in sizes.paths(first):
            term = magnitude(pull)
            for a, b in pairwise(path):
                term = mul(mul(term, sizes.matrix[a][b]), DT)
            term = mul(term, Number(1 / math.factorial(len(path) - 1)))
            bounds[path[-1]] = plus(bounds.get(path[-1]), term)
    rate = rate_bound(sizes)
    chord = Binary("/", Binary("*", DT, DT), Number(8.0))
    scale = chord if rate is None else mul(chord, growth(rate, DT))
    return {name: mul(scale, bound) for name, bound in bounds.items() if bound is not None}
