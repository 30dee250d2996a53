"""Linear equations x' = A x + b: reading A and b off the right-hand sides, and what one variable needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eccles.integrate.build import FreshNames, call, mul, nonzero, plus, select, times, total
from eccles.integrate.noise import noises_in
from eccles.integrate.problem import Hoisted, Problem
from eccles.language.algebra import fold, linear_in, linear_system
from eccles.language.nodes import Compare, Expr, Name, Number, names_in

__all__ = ["Coefficients", "LinearForm", "NotLinear", "advanced", "linear_form"]

NEAR = 0.5  # |a dt| up to which a growth is split into 1 and its difference from 1


class NotLinear(Exception):  # caught within this package, where it becomes a reason
    """Equations that are not linear with coefficients free of noise; the message is the reason."""


@dataclass(frozen=True)
class LinearForm:
    """x' = A x + b, without the zeros.

    Attributes
    ----------
    matrix : dict of str to (dict of str to Expr)
        A: row -> column -> coefficient.
    offset : dict of str to Expr
        b.
    """

    matrix: dict[str, dict[str, Expr]]
    offset: dict[str, Expr]

    def reach(self, variable: str) -> tuple[str, ...]:
        """The variables on which one depends, directly or through others, itself included; in order."""
        found, stack = {variable}, [variable]
        while stack:
            for column in self.matrix[stack.pop()]:
                if column not in found:
                    found.add(column)
                    stack.append(column)
        return tuple(name for name in self.matrix if name in found)

    def in_loop(self, variable: str) -> bool:
        """Whether other variables act back on this one."""
        return any(variable in self.reach(other) for other in self.reach(variable) if other != variable)

    def paths(self, start: str) -> list[tuple[str, ...]]:
        """The ways from a variable to those that act on it which visit none twice; (start,) comes first."""
        found: list[tuple[str, ...]] = [(start,)]
        for path in found:  # grows while we go
            found.extend((*path, column) for column in self.matrix[path[-1]] if column not in path)
        return found

    def loops(self) -> list[tuple[str, ...]]:
        """The ways that end where they begin and visit no other variable twice, of two or more; each once."""
        place = {name: n for n, name in enumerate(self.matrix)}
        return [
            path
            for start in self.matrix
            for path in self.paths(start)
            if len(path) > 1 and start in self.matrix[path[-1]] and min(path, key=place.__getitem__) == start
        ]


def linear_form(problem: Problem) -> LinearForm:
    """A and b of the equations.

    Raises
    ------
    NotLinear
        If an equation is not linear in the state variables jointly, or contains noise.
    """
    names = problem.variables
    for variable, expr in problem.equations.items():
        if noise := noises_in({variable: expr}):
            raise NotLinear(f"the equation of '{variable}' contains noise ('{noise[0]}')")
    found = linear_system(problem.equations, names)
    if found is None:
        raise NotLinear(_culprit(problem.equations))
    matrix = {
        variable: _without_zeros(zip(names, row, strict=True))
        for variable, row in zip(names, found[0], strict=True)
    }
    return LinearForm(matrix, _without_zeros(zip(names, found[1], strict=True)))


def _without_zeros(entries: Iterable[tuple[str, Expr]]) -> dict[str, Expr]:
    tidy = ((name, nonzero(expr)) for name, expr in entries)
    return {name: expr for name, expr in tidy if expr is not None}


def _culprit(equations: Mapping[str, Expr]) -> str:
    """The first equation that is not linear, as a reason that names the variables in which it is not."""

    def is_linear(expr: Expr, name: str) -> bool:
        found = linear_in(expr, name)
        return found is not None and not names_in(found[0]) & set(equations)

    for variable, expr in equations.items():
        if culprits := [f"'{name}'" for name in equations if not is_linear(expr, name)]:
            return f"the equation of '{variable}' is not linear in {', '.join(culprits)}"
    return "the equations are not linear"


class Coefficients:
    """Coefficients on their way into a step: hoisted where they are constant, in place elsewhere."""

    def __init__(self, problem: Problem, names: FreshNames) -> None:
        self._problem = problem
        self._names = names
        self._known: dict[Expr, str] = {}

    def use(self, stem: str, expr: Expr) -> Expr:
        """What stands for the coefficient in a statement; equal coefficients are computed once."""
        expr = fold(expr)
        if isinstance(expr, Name) or not names_in(expr) or not self._problem.constant_in_run(expr):
            return expr
        if expr not in self._known:
            self._known[expr] = self._names.fresh(stem)
        return Name(self._known[expr])

    @property
    def hoisted(self) -> tuple[Hoisted, ...]:
        """Those to compute before the run."""
        return tuple(Hoisted(name, expr) for expr, name in self._known.items())


def growth(a: Expr, span: Expr) -> Expr:
    """What is left of x after a time in x' = a x: exp(a*span)."""
    return call("exp", mul(a, span))


def ramp(a: Expr | None, span: Expr) -> Expr:
    """What a unit of b adds in x' = a x + b: (exp(a*span) - 1) / a, written so that a = 0 will do."""
    return span if a is None else mul(span, call("exprel", mul(a, span)))


def split_growth(a: Expr, span: Expr) -> tuple[Expr, Expr]:
    """`growth` as the sum of a share that is kept, 1 or 0, and a change that is accurate in itself."""
    near = Compare("<=", call("abs", mul(a, span)), Number(NEAR))
    kept = select(near, Number(1.0), Number(0.0))
    return kept, select(near, call("expm1", mul(a, span)), growth(a, span))


def advanced(
    variable: str,
    a: Expr | None,
    b: Expr | None,
    span: Expr,
    coefficients: Coefficients | None = None,
    *,
    in_increments: bool = False,
) -> Expr:
    """The variable after a time in x' = a x + b, in closed form; maybe as an increment on its value."""

    def use(stem: str, expr: Expr) -> Expr:
        return expr if coefficients is None else coefficients.use(stem, expr)

    x: Expr = Name(variable)
    gained = None if b is None else times(b, use(f"_F_{variable}", ramp(a, span)))
    if a is not None and in_increments:
        kept, change = split_growth(a, span)
        increment = total([mul(x, use(f"_D_{variable}", change)), gained])
        return total([mul(x, use(f"_keep_{variable}", kept)), increment])
    decayed = x if a is None else mul(x, use(f"_E_{variable}", growth(a, span)))
    return plus(decayed, gained) or x
