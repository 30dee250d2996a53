"""Input to neurons with linear equations, between their own events: added up, not integrated anew.

The solution of linear equations is a sum: an amount c that is added to a variable x at some moment of a step
changes the state at the end of the step by c times a column of the propagator over the rest of the step. The
column is the same for all targets of a spike (if their parameters are), so it is computed once per instant,
and each synapse costs a few additions. Bringing every target to the present and predicting its future anew
would cost two integrations.

The state at the start of the step changes too, by c times the column of the propagator back to it: a
neuron that had started there would be just where it is now. This start is fictitious, but from the present
on all that is computed from it is right, and so it serves the next event of the step.

Where a neuron could reach its threshold before the end of the step, it is searched, from the present on.
Neurons to which something else has happened in the step (a spike, the end of a refractory period) take the
general way.

Rejected: keeping a list of the amounts for each neuron; whoever looks at it would have to go through them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from eccles.compile import ir
from eccles.compile.ir import F64, Element, Op
from eccles.engine.program import ProgramBuilder
from eccles.engine.state import Array
from eccles.engine.walk import SAME
from eccles.integrate.build import mul, total
from eccles.integrate.choose import EXACT
from eccles.integrate.flow import flow_of
from eccles.integrate.linear import NotLinear, linear_form
from eccles.integrate.problem import Problem, Step
from eccles.language.nodes import Name
from eccles.objects.coefficients import Coefficients

if TYPE_CHECKING:
    from eccles.objects.precise import PreciseNeurons

__all__ = ["Superposition"]

LARGEST = 64.0  # entry of a column back to the start of the step: with more, rounding would show


class Superposition:
    """Adding to variables of neurons with linear equations.

    Parameters
    ----------
    neurons : PreciseNeurons
    names : iterable of str
        The variables that are added to.
    """

    def __init__(self, neurons: PreciseNeurons, names: Iterable[str], writes: frozenset[int]) -> None:
        self.neurons = neurons
        self.names = tuple(names)
        form = linear_form(neurons.dynamics.problem)
        self._reached = {x: [y for y in neurons.names if x in form.reach(y)] for x in self.names}
        homogeneous = Problem(
            {
                y: total(mul(a, Name(x)) for x, a in row.items())
                for y, row in form.matrix.items()
            },
            neurons.dynamics.problem.frozen,
            neurons.dynamics.problem.locally_constant,
        )  # fmt: skip
        self._flow = flow_of(homogeneous, EXACT)
        self._coefficients = Coefficients(
            neurons.group, Step("column", (), hoisted=self._flow.hoisted), writes
        )
        keys = [(x, y, active) for x in self.names for active in self._cases() for y in self._reached[x]]
        # entries of the columns: ahead to the end of the step, and back to its start
        self._place = {key: 2 * k for k, key in enumerate(keys)}
        self._store = Array(f"{neurons.group.name}.columns", Element.F64, 2 * len(keys))

    @classmethod
    def of(
        cls, neurons: PreciseNeurons, names: Iterable[str], writes: frozenset[int]
    ) -> Superposition | None:
        """A superposition, if the equations allow it."""
        if not neurons.dynamics.can_superpose:
            return None
        try:
            found = cls(neurons, names, writes)
        except NotLinear:
            return None
        return found if found._coefficients.is_uniform() else None

    # -- code --------------------------------------------------------------------------------------

    def _cases(self) -> tuple[bool, ...]:
        return (True, False) if self.neurons.group.has_refractory else (True,)

    def emit_columns(self, b: ProgramBuilder, now: ir.Expr) -> ir.Expr:
        """Compute the columns for this instant; returns whether they are good for use."""
        dt = b.dt(self.neurons.group.clock)
        scalars = self._coefficients.emit_prologue(b)
        usable: ir.Expr = ir.const(True)
        spans = (b.let("ahead", Op("fsub", (dt, now))), b.let("back", Op("fneg", (now,))))
        for x in self.names:
            for active in self._cases():
                ends = [self._column(b, x, active, span, scalars) for span in spans]
                for y in self._reached[x]:
                    for which, end in enumerate(ends):
                        b.store(self._store, self._place[x, y, active] + which, end[y])
                usable = Op("and", (usable, Op("fle", (Op("fabs", (ends[1][x],)), ir.const(LARGEST)))))
        if self._flow.limit is not None:
            code = self.neurons.group.element_code(b, ir.const(0), "update")
            code.lowerer.env.update(scalars)
            usable = Op("and", (usable, Op("fle", (dt, code.number(self._flow.limit)))))
        return b.let("usable", usable)

    def _column(
        self, b: ProgramBuilder, x: str, active: bool, span: ir.Expr, scalars: Mapping[str, ir.Expr]
    ) -> dict[str, ir.Expr]:
        neurons = self.neurons
        code = neurons.group.element_code(b, ir.const(0), "update")
        env = code.lowerer.env
        env.update({y: ir.const(float(y == x)) for y in neurons.names})
        env.update(scalars)
        env["dt"], env["not_refractory"] = span, ir.const(active)
        code.lowerer.statements(self._flow.statements, dict.fromkeys(neurons.names, F64))
        return {y: b.let("column", env[y]) for y in self._reached[x]}

    def emit_add(self, b: ProgramBuilder, e: ir.Expr, amounts: Mapping[str, ir.Expr]) -> None:
        """Add amounts to variables of a neuron to which nothing else has happened in this step."""
        neurons = self.neurons
        group, dt = neurons.group, b.dt(neurons.group.clock)
        active = neurons.dynamics.active(b, e)
        after: dict[str, ir.Expr] = {}
        before: dict[str, ir.Expr] = {}
        for y in neurons.names:
            now, start = b.load(group.variable(y).array, e), b.load(neurons.before[y], e)
            for x, amount in amounts.items():
                if y in self._reached[x]:
                    now = Op("fadd", (now, Op("fmul", (amount, self._entry(b, x, y, 0, active)))))
                    start = Op("fadd", (start, Op("fmul", (amount, self._entry(b, x, y, 1, active)))))
            after[y], before[y] = b.let(y, now), b.let(y, start)
            if any(y in self._reached[x] for x in amounts):
                b.store(group.variable(y).array, e, after[y])
                b.store(neurons.before[y], e, before[y])
        if neurons.dynamics.margin is not None:
            # between now and the end the margin is no more above its end than it falls, and bends, in a step
            margin = neurons.dynamics.margin_at(b, e, after, dt)
            slope = neurons.dynamics.slope_at(b, e, after, dt)
            bent = Op("fmul", (ir.const(8.0), neurons.dynamics.slack_at(b, e, before)))
            fall = Op("fmul", (Op("fadd", (dt, ir.const(4 * SAME))), Op("fabs", (slope,))))
            rise = Op("fadd", (fall, bent))
            may = Op("and", (active, Op("fge", (Op("fadd", (margin, rise)), ir.const(0.0)))))
            with b.when(may, likely=False):
                neurons.emit_look_at(b, e)

    def _entry(self, b: ProgramBuilder, x: str, y: str, which: int, active: ir.Expr) -> ir.Expr:
        entry = b.load(self._store, self._place[x, y, True] + which)
        if not self.neurons.group.has_refractory:
            return entry
        return Op("select", (active, entry, b.load(self._store, self._place[x, y, False] + which)))
