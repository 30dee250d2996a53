"""Differential equations -> their solution after a span of any length.

A step takes the state over one time step whose length is known before the run, so its coefficients can be
computed before the run. Between events at arbitrary times every span has a length of its own. A `Flow` is
written for that: everything that depends on the span is computed where it is used.

Linear equations
----------------
1. A variable that depends on no other has a closed form: x*exp(a h), or x + f h exprel(a h) where
   something drives it (f is its right-hand side: so rest stays exactly at rest).
2. So has one driven by such variables that only decay, like a membrane by exponential synapses. From
   v' = a v + b + sum of c_j x_j with x_j' = r_j x_j follows

       v(h) = v + (a v + b) h exprel(a h) + sum of c_j x_j h K_j
       K_j  = (exp(r_j h) - exp(a h)) / ((r_j - a) h) = exp(max(r_j, a) h) exprel(-|r_j - a| h)

   without a division by r_j - a, and without overflow.
3. What is left (oscillators, longer cascades such as alpha synapses) is summed as the Taylor series of the
   matrix exponential applied to f, by Horner's rule and of fixed degree:

       x(h) = x + h w_1,  w_k = f + h/(k + 1) A w_(k+1),  w_n = f

   It holds up to a `limit`, half of 1/(d + s) in the words of `walks`: beyond the n - p terms that a path
   of length p leaves of n, the rest is below 0.5^14/14!/15 < 2^-54 of what the path contributes.

Rejected: the matrix exponential itself, as in a step (a hundred times the operations); Padé approximants
(solve a linear system, and mix units when pivoting).

Refractoriness: an entry of A that changes with it, among them those of variables that stand still, is
chosen by a `_select` and then used as if it were a parameter.
"""

from __future__ import annotations

from dataclasses import dataclass

from eccles.integrate.build import (
    ACTIVE,
    DT,
    FreshNames,
    assign,
    frozen_rate,
    mul,
    plus,
    select,
    simultaneous,
    times,
    total,
)
from eccles.integrate.exact import Exact, equations_when
from eccles.integrate.linear import Coefficients, LinearForm, growth, linear_form, ramp
from eccles.integrate.problem import (
    Hoisted,
    Integrator,
    Problem,
    Step,
    UnsupportedEquations,
)
from eccles.integrate.reciprocal import with_reciprocals
from eccles.integrate.walks import MOST, largest, magnitude, rate_bound
from eccles.language.algebra import fold
from eccles.language.nodes import Assignment, Binary, Compare, Expr, Name, Number, Unary, names_in, substitute

__all__ = ["Flow", "flow_of"]

ZERO = Number(0.0)
DEGREE = 14  # of the series, plus the length of the longest path
CONVERGES = 0.5  # the product of span and rate up to which it is used


@dataclass(frozen=True)
class Flow:
    """The solution after a span of any length, from any state: what a `Step` is for one fixed dt.

    Attributes
    ----------
    statements : tuple of Assignment
        As in `Step`; `dt` is the span, from a rounding error below zero to the time step. A span of zero
        leaves the state as it is.
    errors : tuple of (str, str)
        As in `Step`.
    hoisted : tuple of Hoisted
        Coefficients that depend on parameters alone, not on the span.
    limit : Expr or None
        The longest span for which the statements hold to rounding, made of hoisted names; None if any.
    """

    statements: tuple[Assignment, ...]
    errors: tuple[tuple[str, str], ...] = ()
    hoisted: tuple[Hoisted, ...] = ()
    limit: Expr | None = None


def flow_of(problem: Problem, integrator: Integrator) -> Flow:
    """The solution after any span, by a method that has no reason against the equations.

    Raises
    ------
    UnsupportedEquations
        If the method's step cannot be taken over any span: it contains noise, or matrix exponentials of
        its own.
    """
    if isinstance(integrator, Exact):
        builder = _Linear(problem)
        step, limit = builder.step(), builder.limit
    else:
        step, limit = integrator.step(problem), None
    if step.noise or step.systems:
        what = "noise" if step.noise else "coefficients that hold for one time step only"
        raise UnsupportedEquations(f"a step of '{step.method}' contains {what}")
    step = with_reciprocals(step, problem)
    leading, hoisted = _split(step.hoisted)
    return Flow((*leading, *step.statements), step.errors, hoisted, limit)


def _split(coefficients: tuple[Hoisted, ...]) -> tuple[list[Assignment], tuple[Hoisted, ...]]:
    """Coefficients that depend on the span, to be computed first, and those that do not."""
    moving = {DT.id}
    leading: list[Assignment] = []
    hoisted: list[Hoisted] = []
    for coefficient in coefficients:
        if names_in(coefficient.expr) & moving:
            moving.add(coefficient.name)
            leading.append(assign(coefficient.name, coefficient.expr))
        else:
            hoisted.append(coefficient)
    return leading, tuple(hoisted)


class _Linear:
    """Writes the flow of linear equations."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.form = linear_form(problem)
        self.names = FreshNames()
        self.coefficients = Coefficients(problem, self.names)
        # equations outside and during refractoriness
        self.active = equations_when(problem, self.form, active=True)
        self.resting = equations_when(problem, self.form, active=False)
        self.statements: list[Assignment] = []
        self.known: dict[Expr, Name] = {}
        self.limit: Expr | None = None

    def step(self) -> Step:
        series = self._in_series()
        values: dict[str, Expr] = self._series(series) if series else {}
        for variable in self.problem.variables:
            if variable not in values:
                value = self._alone(variable) if self._is_alone(variable) else self._driven(variable)
                frozen = variable in self.problem.frozen
                values[variable] = select(ACTIVE, value, Name(variable)) if frozen else value
        updates = {variable: values[variable] for variable in self.problem.variables}
        statements = (*self.statements, *simultaneous(updates, self.names))
        return Step(Exact.name, statements, hoisted=self.coefficients.hoisted)

    # -- what the equations are made of ----------------------------------------------------------

    def _columns(self, variable: str) -> tuple[str, ...]:
        """The variables in an equation, be it outside or during refractoriness."""
        rows = self.active.matrix[variable].keys() | self.resting.matrix[variable].keys()
        return tuple(filter(rows.__contains__, self.problem.variables))

    def _is_alone(self, variable: str) -> bool:
        return set(self._columns(variable)) <= {variable}

    def _only_decays(self, variable: str) -> bool:
        return self._is_alone(variable) and variable not in self.form.offset

    def _in_series(self) -> tuple[str, ...]:
        """The variables without a closed form, with those on which they depend."""
        found: set[str] = set()
        for variable in self.problem.variables:
            others = [column for column in self._columns(variable) if column != variable]
            if not all(map(self._only_decays, others)):
                found |= {*self.active.reach(variable), *self.resting.reach(variable)}
        return tuple(filter(found.__contains__, self.problem.variables))

    def _entry(self, row: str, column: str, *, moving: bool = False) -> Expr | None:
        """An entry of A as it is now, or as it is outside refractoriness (`moving`)."""
        active, resting = self.active.matrix[row].get(column), self.resting.matrix[row].get(column)
        stem = f"_A_{row}_{column}"
        if moving or active == resting:
            return None if active is None else self._bind(stem, self.coefficients.use(stem, active))
        outside, during = [ZERO if a is None else self.coefficients.use(stem, a) for a in (active, resting)]
        return self._bind(f"{stem}_now", select(ACTIVE, outside, during))

    def _bind(self, stem: str, value: Expr) -> Expr:
        """Give a value a name, the same to equal ones."""
        value = fold(value)
        if isinstance(value, Name | Number):
            return value
        if value not in self.known:
            self.known[value] = Name(self.names.fresh(stem))
            self.statements.append(Assignment(self.known[value].id, "=", value))
        return self.known[value]

    # -- closed forms ----------------------------------------------------------------------------

    def _growth(self, variable: str, rate: Expr) -> Expr:
        return self._bind(f"_E_{variable}", growth(rate, DT))

    def _ramp(self, variable: str, rate: Expr | None) -> Expr:
        return self._bind(f"_F_{variable}", ramp(rate, DT))

    def _alone(self, variable: str) -> Expr:
        """The new value of a variable that depends on no other."""
        a = self._entry(variable, variable, moving=variable in self.problem.frozen)
        if variable in self.form.offset:
            rate = self.problem.equations[variable]
            return Binary("+", Name(variable), mul(rate, self._ramp(variable, a)))
        return Name(variable) if a is None else mul(Name(variable), self._growth(variable, a))

    def _driven(self, variable: str) -> Expr:
        """The new value of a variable that is driven by variables that only decay."""
        frozen = variable in self.problem.frozen
        a = self._entry(variable, variable, moving=frozen)
        f = plus(times(a, Name(variable)), self.form.offset.get(variable))
        grown: list[Expr] = [Name(variable)]
        if f is not None:
            grown.append(mul(f, self._ramp(variable, a)))
        for column in self._columns(variable):
            if column == variable:
                continue
            c = self._entry(variable, column, moving=frozen)
            assert c is not None
            grown.append(mul(mul(c, Name(column)), self._overlap(variable, a, column)))
        return total(grown)

    def _overlap(self, variable: str, a: Expr | None, column: str) -> Expr:
        """What a unit of a variable that decays adds to the one that it drives: h K."""
        r = self._entry(column, column, moving=variable in self.problem.frozen)
        if a is None or r is None:
            return self._ramp(column if a is None else variable, r if a is None else a)
        decay = self._growth(column, r)
        if a == r:
            return mul(decay, DT)
        gap = self._gap(variable, a, column, r)
        # exp(a h), from what is there anyway
        own = self._bind(f"_E_{variable}", Binary("+", Number(1.0), mul(a, self._ramp(variable, a))))
        slower = select(Compare(">", r, a), decay, own)
        return self._bind(f"_K_{variable}_{column}", mul(slower, ramp(gap, DT)))

    def _gap(self, variable: str, a: Expr, column: str, r: Expr) -> Expr:
        """The difference of two rates, negative; computed before the run where both hold still."""
        settled = {h.name: h.expr for h in self.coefficients.hoisted}
        gap = substitute(Unary("-", magnitude(Binary("-", r, a))), settled)
        stem = f"_gap_{variable}_{column}"
        temporaries = {assignment.target for assignment in self.statements}
        return self._bind(stem, gap if names_in(gap) & temporaries else self.coefficients.use(stem, gap))

    # -- the series ------------------------------------------------------------------------------

    def _series(self, variables: tuple[str, ...]) -> dict[str, Expr]:
        """The new values of variables by a Taylor series."""
        sizes = self._sizes(variables)
        rate = rate_bound(sizes)
        if rate is None:  # without loops, the series ends
            degree = 1 + _longest_path(sizes)
        else:
            degree = DEGREE + _longest_path(sizes)
            self.limit = self.coefficients.use("_limit", Binary("/", Number(CONVERGES), rate))
        scaled = {
            row: {column: self._scaled(row, column) for column in self._columns(row)} for row in variables
        }
        f: dict[str, Expr] = {}
        for row in variables:
            if self._columns(row) or row in self.form.offset:
                rate = self.problem.equations[row]
                frozen = row in self.problem.frozen
                f[row] = self._bind(f"_f_{row}", frozen_rate(rate) if frozen else rate)
        w = dict(f)
        for k in range(degree, 1, -1):
            terms = {
                row: total(mul(a, w[column]) for column, a in scaled[row].items() if column in w) for row in f
            }
            w = {
                row: self._bind(f"_w_{row}", Binary("+", f[row], mul(Number(1 / k), term)))
                for row, term in terms.items()
            }
        return {row: Binary("+", Name(row), mul(DT, w[row])) if row in w else Name(row) for row in variables}

    def _scaled(self, row: str, column: str) -> Expr:
        entry = self._entry(row, column)
        assert entry is not None
        return self._bind(f"_Ah_{row}_{column}", mul(DT, entry))

    def _sizes(self, variables: tuple[str, ...]) -> LinearForm:
        """The magnitudes of the entries of A; the larger ones of those outside and during refractoriness."""
        matrix: dict[str, dict[str, Expr]] = {}
        for row in variables:
            matrix[row] = {}
            for column in self._columns(row):
                both = (self.active.matrix[row].get(column), self.resting.matrix[row].get(column))
                size = largest(magnitude(a) for a in both if a is not None)
                assert size is not None
                matrix[row][column] = size
        return LinearForm(matrix, {})


def _longest_path(form: LinearForm) -> int:
    """The number of steps of the longest path that visits no variable twice, or a bound on it."""
    if len(form.matrix) > MOST:
        return len(form.matrix) - 1
    return max(len(path) for start in form.matrix for path in form.paths(start)) - 1
