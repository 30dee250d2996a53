"""The exact solution of linear equations.

Idea
----
With x' = A x + b, and b held over the step, x(t + dt) = P x(t) + Q b where P = expm(A dt) and Q is the
integral of expm(A s) over the step (Rotter & Diesmann 1999, Biol. Cybern. 81:381). Nothing in P and Q
changes during a run, so a step is a few multiplications and exact whatever dt is.

Most variables of most models depend on no other (synaptic conductances, traces). They get the closed
form of one equation, x*exp(a dt) + b*dt*exprel(a dt): no division by a, so a = 0 needs no special case.
The others take only those entries of P and Q that are not zero by structure, from one matrix
exponential per connected set of equations. The exponential is taken numerically, per element where
parameters differ.

In increments
-------------
The rounding errors of P and Q are the same in every step, so their effects add up: after N steps x is off by
N eps, which spoils short steps. `step_in_increments` writes each diagonal entry of P as a sum of what is
kept and a change,

    x_i(t + dt) = K_i x_i + (D_i x_i + sum of the other P_ij x_j + sum of Q_ij b_j)

with K_i = 1 and D_i = P_ii - 1 where P_ii is near 1. What is in brackets is of the order of dt and correct to
rounding, so the bias after a time T is about eps T/tau however short the steps are; the roundings of the
sum are different each time and add up like a random walk. (Where the increment shrinks to a few units in the
last place of x, close to rest after long, they are not: x stops short of it by eps tau/dt.) Elsewhere
K_i = 0 and D_i = P_ii: after a long step the difference would leave noise of the size of the old value. It
costs one more multiplication and addition per variable.

Refractoriness
--------------
A variable flagged `unless refractory` stands still during refractoriness while others see its frozen
value: its row of A and its entry of b are zero then. A variable that depends on it, directly or not,
gets two sets of coefficients and a `_select`; so does one whose coefficients mention `not_refractory`.

Rejected: symbolic eigenvectors or matrix exponentials. They cost most of the set-up time, divide by
differences of rates (two equal time constants are a special case) and round worse than the numeric
exponential.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from eccles.integrate.build import ACTIVE, DT, FreshNames, assign, mul, nonzero, select, simultaneous, total
from eccles.integrate.linear import Coefficients, LinearForm, NotLinear, advanced, linear_form
from eccles.integrate.problem import LinearSystem, Problem, Step
from eccles.language.nodes import (
    Assignment,
    Boolean,
    Call,
    Expr,
    Name,
    Number,
    children,
    names_in,
    replace_children,
)

__all__ = ["Exact", "equations_when"]


class Exact:
    """The integrator `exact`, also known as `linear`."""

    name = "exact"
    summary = "the exact solution of linear equations, whatever dt is"

    def reason_against(self, problem: Problem) -> str | None:
        """None if the equations are linear and their coefficients hold still."""
        try:
            form = linear_form(problem)
        except NotLinear as reason:
            return str(reason)
        for variable, b in form.offset.items():
            if not problem.constant_in_step(b):
                return f"the equation of '{variable}' depends on t, and changes with it during a step"
        for active in (True, False):
            for reason in _moving_coefficients(equations_when(problem, form, active=active), problem):
                return reason
        return None

    def step(self, problem: Problem) -> Step:
        """One step."""
        return _Builder(problem).step()

    def step_in_increments(self, problem: Problem) -> Step:
        """One step whose rounding errors do not add up over many short steps."""
        return _Builder(problem, in_increments=True).step()


def _moving_coefficients(form: LinearForm, problem: Problem) -> list[str]:
    """The coefficients that prevent an exact step, each as a reason.

    A variable of its own may have one that changes between steps: its closed form is then evaluated in
    every step. For a matrix exponential that would cost too much.
    """
    reasons = []
    for variable in form.matrix:
        reach = form.reach(variable)
        for row in reach:
            for column, a in form.matrix[row].items():
                where = f"the coefficient of '{column}' in the equation of '{row}'"
                if not problem.constant_in_step(a) or problem.draws_numbers(a):
                    reasons.append(f"{where} changes during a step")
                elif len(reach) > 1 and not problem.constant_in_run(a):
                    reasons.append(
                        f"{where} changes from step to step, and '{variable}' depends on several equations"
                    )
    return reasons


def equations_when(problem: Problem, form: LinearForm, *, active: bool) -> LinearForm:
    """The equations outside (`active`) or during refractoriness."""
    still = frozenset() if active else problem.frozen
    matrix: dict[str, dict[str, Expr]] = {}
    for row, entries in form.matrix.items():
        found = {column: nonzero(_settled(a, active)) for column, a in entries.items() if row not in still}
        matrix[row] = {column: a for column, a in found.items() if a is not None}
    return LinearForm(matrix, {row: b for row, b in form.offset.items() if row not in still})


def _settled(expr: Expr, active: bool) -> Expr:
    """The expression with `not_refractory` known."""
    match expr:
        case Call("int", (Name("not_refractory"),)):
            return Number(int(active))
        case Name("not_refractory"):
            return Boolean(active)
        case _:
            return replace_children(expr, tuple(_settled(child, active) for child in children(expr)))


Wanted = dict[tuple[str, str], str]  # (row, column) -> name


@dataclass
class _Request:
    """Entries of P and Q that rows have asked for, with their names."""

    propagators: Wanted = field(default_factory=dict)
    integrals: Wanted = field(default_factory=dict)
    splits: dict[str, tuple[str, str]] = field(default_factory=dict)  # row -> what is kept, change


class _Builder:
    """Collects rows, then says which coefficients they need."""

    def __init__(self, problem: Problem, *, in_increments: bool = False) -> None:
        self.problem = problem
        self.in_increments = in_increments
        self.form = linear_form(problem)
        self.names = FreshNames()
        self.coefficients = Coefficients(problem, self.names)
        # equations outside and during refractoriness, and the coefficients asked for in each case
        self.active = equations_when(problem, self.form, active=True)
        self.resting = equations_when(problem, self.form, active=False)
        self.requests = {True: _Request(), False: _Request()}
        self.temporaries: list[Assignment] = []
        self.offsets: dict[str, Expr] = {}

    def step(self) -> Step:
        self._bind_offsets()
        rows = {variable: self._new_value(variable) for variable in self.problem.variables}
        statements = [*self.temporaries, *simultaneous(rows, self.names)]
        systems = [
            system
            for active, request in self.requests.items()
            for system in _systems(self._regime(active), request)
        ]
        return Step("exact", tuple(statements), (), self.coefficients.hoisted, tuple(systems))

    def _regime(self, active: bool) -> LinearForm:
        return self.active if active else self.resting

    def _cases(self, variable: str) -> tuple[bool, ...]:
        """(True,) if refractoriness makes no difference to the variable, else (True, False)."""
        differs = any(
            row in self.problem.frozen
            or any(names_in(a) & {ACTIVE.id} for a in self.form.matrix[row].values())
            for row in self.form.reach(variable)
        )
        return (True, False) if differs else (True,)

    def _bind_offsets(self) -> None:
        """Give entries of b that several rows use a name, so that they are written once."""
        used = [
            name
            for variable in self.problem.variables
            for active in self._cases(variable)
            for name in self._regime(active).reach(variable)
            if name in self._regime(active).offset
        ]
        for variable, b in self.form.offset.items():
            if used.count(variable) > 1 and not isinstance(b, Name | Number):
                temporary = self.names.fresh(f"_b_{variable}")
                self.temporaries.append(assign(temporary, b))
                b = Name(temporary)
            self.offsets[variable] = b

    def _new_value(self, variable: str) -> Expr:
        rows = [self._row(variable, active=active) for active in self._cases(variable)]
        return rows[0] if len(rows) == 1 else select(ACTIVE, rows[0], rows[1])

    def _row(self, variable: str, *, active: bool) -> Expr:
        form = self._regime(active)
        reach = form.reach(variable)
        if reach == (variable,):
            b = self.offsets[variable] if variable in form.offset else None
            return advanced(
                variable,
                form.matrix[variable].get(variable),
                b,
                DT,
                self.coefficients,
                in_increments=self.in_increments,
            )
        request = self.requests[active]
        suffix = "" if active else "_refractory"
        # what does not act on itself keeps its value but for what others and b add
        drifts = variable not in form.matrix[variable] and not form.in_loop(variable)
        known_p, known_q = ({variable: Number(1.0)}, {variable: DT}) if drifts else ({}, {})
        kept: Expr | None = None
        terms: list[Expr] = []
        for column in reach:
            if column == variable and self.in_increments:
                kept = Name(variable)
                if not drifts:
                    names = [self.names.fresh(f"{stem}_{variable}{suffix}") for stem in ("_keep", "_D")]
                    request.splits[variable] = (names[0], names[1])
                    kept, change = [mul(Name(variable), Name(name)) for name in names]
                    terms.append(change)
                continue
            p = known_p.get(column) or self._ask(
                request.propagators, f"_P_{variable}_{column}{suffix}", variable, column
            )
            terms.append(mul(Name(column), p))
        for column in filter(form.offset.__contains__, reach):
            q = known_q.get(column) or self._ask(
                request.integrals, f"_Q_{variable}_{column}{suffix}", variable, column
            )
            terms.append(mul(self.offsets[column], q))
        return total([kept, total(terms)])

    def _ask(self, wanted: Wanted, stem: str, row: str, column: str) -> Name:
        """The name of an entry of P or Q."""
        wanted[row, column] = self.names.fresh(stem)
        return Name(wanted[row, column])


def _systems(form: LinearForm, request: _Request) -> list[LinearSystem]:
    """One system per connected set of the equations from which coefficients are wanted."""
    systems = []
    rows = dict.fromkeys([*request.splits, *(row for row, _ in request.propagators)])
    for members in _connected([form.reach(row) for row in rows]):
        variables = tuple(name for name in form.matrix if name in members)
        place = {name: n for n, name in enumerate(variables)}

        matrix = tuple(tuple(form.matrix[row].get(column) for column in variables) for row in variables)
        splits = tuple((*names, place[row]) for row, names in request.splits.items() if row in place)
        systems.append(
            LinearSystem(
                variables,
                matrix,
                _placed(request.propagators, place),
                _placed(request.integrals, place),
                splits,
            )
        )
    return systems


def _placed(wanted: Wanted, place: dict[str, int]) -> tuple[tuple[str, int, int], ...]:
    """What is wanted of the equations that have a place in a system."""
    return tuple((name, place[row], place[column]) for (row, column), name in wanted.items() if row in place)


def _connected(groups: list[tuple[str, ...]]) -> list[set[str]]:
    """Groups joined where they overlap, in order of first appearance."""
    joined: list[set[str]] = []
    for group in groups:
        overlapping = [other for other in joined if other & set(group)]
        if not overlapping:
            joined.append(set(group))
            continue
        for other in overlapping[1:]:
            joined.remove(other)
        overlapping[0].update(group, *overlapping[1:])
    return joined
