"""Small expressions and statements: the vocabulary in which steps are written.

A coefficient may be None, which stands for a zero that holds whatever the parameters are; `plus` and
`times` know what to do with it, so steps come out without dead terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from eccles.language.algebra import fold
from eccles.language.nodes import Assignment, Binary, Call, Expr, Name, Number, names_in

__all__ = [
    "ACTIVE",
    "DT",
    "FreshNames",
    "T",
    "assign",
    "call",
    "frozen_rate",
    "mul",
    "nonzero",
    "plus",
    "select",
    "simultaneous",
    "times",
    "total",
]

T, DT = Name("t"), Name("dt")
ACTIVE = Name("not_refractory")


def plus(a: Expr | None, b: Expr | None) -> Expr | None:
    """The sum a + b."""
    if a is None or b is None:
        return b if a is None else a
    return Binary("+", a, b)


def nonzero(expr: Expr | None) -> Expr | None:
    """The expression tidied up; None if nothing is left of it."""
    if expr is None:
        return None
    tidy = fold(expr)
    return None if isinstance(tidy, Number) and tidy.value == 0 else tidy


def total(terms: Iterable[Expr | None]) -> Expr:
    """The sum of all terms, 0.0 if there are none."""
    result: Expr | None = None
    for term in terms:
        result = plus(result, term)
    return Number(0.0) if result is None else result


def times(a: Expr | None, b: Expr | None) -> Expr | None:
    """The product a * b."""
    return None if a is None or b is None else mul(a, b)


def mul(a: Expr, b: Expr) -> Expr:
    """The product of two factors that are there; a factor of one is left out."""
    if a == Number(1.0):
        return b
    return a if b == Number(1.0) else Binary("*", a, b)


def call(function: str, *args: Expr) -> Expr:
    """A function applied to arguments."""
    return Call(function, args)


def select(condition: Expr, a: Expr, b: Expr) -> Expr:
    """The value of a where the condition holds, else of b."""
    return a if a == b else Call("_select", (condition, a, b))


def frozen_rate(rate: Expr) -> Expr:
    """The rate of a variable that stands still during refractoriness."""
    return select(ACTIVE, rate, Number(0.0))


def assign(target: str, value: Expr) -> Assignment:
    """`target = value`, tidied up."""
    return Assignment(target, "=", fold(value))


class FreshNames:
    """Names for temporaries and coefficients: `_v`, and `_v_1` where that is taken."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def fresh(self, stem: str) -> str:
        """A name that was not given out before."""
        name, n = stem, 0
        while name in self._taken:
            n += 1
            name = f"{stem}_{n}"
        self._taken.add(name)
        return name


def simultaneous(updates: Mapping[str, Expr], names: FreshNames) -> list[Assignment]:
    """Assign all variables at once: every right-hand side sees the old values.

    A new value waits in a temporary only if a later update still reads the old one.
    """
    now: list[Assignment] = []
    later: list[Assignment] = []
    pending = list(updates.items())
    for n, (variable, value) in enumerate(pending):
        if value == Name(variable):
            continue
        if any(variable in names_in(other) for _, other in pending[n + 1 :]):
            temporary = names.fresh(f"_{variable}")
            now.append(assign(temporary, value))
            later.append(Assignment(variable, "=", Name(temporary)))
        else:
            now.append(assign(variable, value))
    return now + later
