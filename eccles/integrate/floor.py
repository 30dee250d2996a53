"""How small a variable may be and still has to be accurate.

Whoever chooses spans by an estimated error compares it with the size of the variable. That asks for too much
of one that is zero, grows from zero, or is the small difference of large numbers: a low-pass of a low-pass
begins with a high power of time, of which a method of fifth order gets the first digit wrong in however short
a span, and a difference is no better than the rounding of what it is the difference of. Model text has no
absolute scale to compare with, but its equations do: what the terms of x' could make of x in a short time
if none cancelled another. For

    x' = (y - x)/tau - I    that is at least    s*((Y + X)/|tau| + |I|)

with the size (of either end of the span) or, where it is larger, the floor of y for Y: so it reaches down a
cascade whose first stage alone is not zero. It has the units of x and follows any change of them.

Terms with functions of the state and the like have no part in it, as their arguments have no bound; a floor
that is too low costs spans, not accuracy.
"""

from __future__ import annotations

from eccles.integrate.build import mul, nonzero, plus
from eccles.integrate.problem import Problem
from eccles.integrate.walks import magnitude
from eccles.language.nodes import Binary, Expr, Name, Number, Unary, names_in

__all__ = ["pulls_of", "size_name"]


def size_name(variable: str) -> str:
    """What stands for the size of a variable in an expression: a number that is not negative."""
    return f"_size_{variable}"


def pulls_of(problem: Problem) -> dict[str, Expr]:
    """Variable -> how fast the terms of its equation could move it, from the sizes of variables.

    Variables for which nothing can be said are left out. The order is that in which floors can be computed:
    wherever possible, one that drives another comes before it.
    """
    found = {variable: nonzero(_pull(rate, problem)) for variable, rate in problem.equations.items()}
    pulls = {variable: pull for variable, pull in found.items() if pull is not None}
    return {variable: pulls[variable] for variable in _in_order(problem, pulls) if variable in pulls}


def _pull(expr: Expr, problem: Problem) -> Expr | None:
    """An expression with the size of all its parts, those that are not bounded left out; None for all."""
    if problem.constant_in_run(expr):
        return expr if isinstance(expr, Number) and expr.value >= 0 else magnitude(expr)
    match expr:
        case Name(id) if id in problem.equations:
            return Name(size_name(id))
        case Name():
            return magnitude(expr)
        case Unary("-" | "+", operand):
            return _pull(operand, problem)
        case Binary("+" | "-", left, right):
            return plus(_pull(left, problem), _pull(right, problem))
        case Binary("*", left, right):
            a, b = _pull(left, problem), _pull(right, problem)
            return None if a is None or b is None else mul(a, b)
        case Binary("/", left, right) if problem.constant_in_run(right):
            a = _pull(left, problem)
            return None if a is None else Binary("/", a, magnitude(right))
        case _:
            return None


def _in_order(problem: Problem, pulls: dict[str, Expr]) -> list[str]:
    """Those first that no other drives, then whom they drive, and so on."""
    sizes = {variable: size_name(variable) for variable in problem.variables}
    drivers = {
        variable: {other for other in sizes if other != variable and sizes[other] in names_in(pull)}
        for variable, pull in pulls.items()
    }
    order: list[str] = []

    def readiness(variable: str) -> int:
        waiting = drivers.get(variable, set()) - set(order)
        moves = waiting != drivers.get(variable) or _moves_alone(pulls[variable], set(sizes.values()))
        return 2 if not waiting else int(moves)

    while len(order) < len(sizes):  # in a loop of variables one has to be first
        order.append(max((x for x in sizes if x not in order), key=readiness))
    return order


def _moves_alone(pull: Expr, sizes: set[str]) -> bool:
    """Whether anything is left where the sizes of all variables are zero."""
    match pull:
        case Name(id):
            return id not in sizes
        case Binary("+", left, right):
            return _moves_alone(left, sizes) or _moves_alone(right, sizes)
        case Binary("*", left, right):
            return _moves_alone(left, sizes) and _moves_alone(right, sizes)
        case Binary("/", left, _):
            return _moves_alone(left, sizes)
        case _:
            return True
