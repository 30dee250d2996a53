"""A group of neurons whose every next spike is known in closed form: no time grid at all.

Between events each variable obeys x' = a x + b, and the threshold compares one of them with what does not
move. So when a neuron will spike is a logarithm (or, without leak, a quotient), and its state is needed only
where something happens to it: `at` says as of when the variables are, `due` when the neuron spikes or stops
being refractory next. Both are kept with the rests that rounding takes off them, which would add up over
many spikes. At the end of a pass all are brought to that time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from eccles.compile import elementary, ir
from eccles.compile.ir import F64, Element, Op
from eccles.compile.lower import convert
from eccles.engine.components import Components
from eccles.engine.program import Block, Outcome, Part, ProgramBuilder
from eccles.engine.state import Array
from eccles.engine.walk import SAME
from eccles.integrate.choose import EXACT, step_of
from eccles.integrate.crossing import Margin, NotSmooth, Reach, margin_of, reach_of
from eccles.integrate.flow import Flow, flow_of
from eccles.integrate.problem import Problem, Step
from eccles.language.nodes import names_in
from eccles.objects.batch import Batch
from eccles.objects.coefficients import Coefficients
from eccles.objects.precise import fires_without_end

if TYPE_CHECKING:
    from eccles.objects.code import Code
    from eccles.objects.neurons import NeuronGroup

__all__ = ["ClosedFormNeurons", "why_no_closed_form"]

State = dict[str, ir.Expr]
NEVER = ir.const(float("inf"))


def why_no_closed_form(group: NeuronGroup) -> str:
    """Why the next spike of these neurons is not known in closed form; empty if it is."""
    try:
        _forms(group)
    except _NoClosedForm as reason:
        return str(reason)
    return ""


class _NoClosedForm(Exception):  # caught within this module, where it becomes a reason
    """The message is the reason."""


def _forms(group: NeuronGroup) -> tuple[Problem, Flow, Margin | None, Reach | None]:
    problem = group.precise_problem()
    moving = {*problem.variables, "t", "t_in_timesteps"}
    straight = not any(names_in(rate) & moving for rate in problem.equations.values())  # whatever the method
    if not straight and group.method not in (None, "exact", "linear", "independent"):
        raise _NoClosedForm(f"it is integrated by '{group.method}'")
    if not problem.variables:
        flow = Flow((), (), (), None)
    else:
        reason = EXACT.reason_against(problem)
        if reason is not None:
            raise _NoClosedForm(reason)
        flow = flow_of(problem, EXACT)
        if flow.limit is not None:
            raise _NoClosedForm("its equations are coupled")
    if set(group.events) - {"spike"} or group.refractory_condition() is not None or group.has_timed():
        raise _NoClosedForm("its custom events, refractory condition or input have to be looked at in steps")
    if "spike" not in group.events:
        return problem, flow, None, None
    try:
        margin = margin_of(group.inlined_condition("spike"), problem, moves=group.moves)
    except NotSmooth as reason:
        raise _NoClosedForm(str(reason)) from None
    reach = reach_of(margin.value, problem)
    if reach is None:
        raise _NoClosedForm("when it reaches its threshold has no closed form")
    return problem, flow, margin, reach


class ClosedFormNeurons:
    """The blocks of one `NeuronGroup` that needs no grid; the interface is that of `PreciseNeurons`."""

    on_grid = ""

    def __init__(self, group: NeuronGroup, components: Components, writes: frozenset[int]) -> None:
        self.group = group
        self.instants = components
        self._problem, self._flow, self._margin, self._reach = _forms(group)
        self._coefficients = Coefficients(group, Step("flow", (), hoisted=self._flow.hoisted), writes)
        self._scalars: dict[str, ir.Expr] = {}
        self._names = tuple(self._problem.variables)
        group.method_choice = step_of(self._problem, EXACT) if self._names else Step("none", ())
        n, name = len(group), group.name
        self._at = Array(f"{name}.at", Element.F64, n)
        self._due = Array(f"{name}.due", Element.F64, n)
        self._at_rest = Array(f"{name}.at.rest", Element.F64, n)
        self._due_rest = Array(f"{name}.due.rest", Element.F64, n)
        self._fired_at = Array(f"{name}.fired_at", Element.I64, n)  # which instant
        self._batch = Batch(name, n, components)
        self._fault = Array(f"{name}.fault", Element.I64, 1)
        components.join(name, self._due, self._handle)

    def blocks(self) -> list[Block]:
        """What the group does at the start of a call, at an instant, and at the end."""
        group = self.group

        def block(what: str, slot: str, part: Part, emit: Callable[[ProgramBuilder], None]) -> Block:
            return Block(f"{group.name}_{what}", group.clock, slot, group.order, emit, part)

        return [
            block("stateupdater", "groups", Part.BEFORE, self._emit_begin),
            block("predict", "thresholds", Part.PREDICT, self._emit_predict),
            block("advance", "thresholds", Part.ADVANCE, self._emit_advance),
            block("end", "resets", Part.AFTER, self._emit_end),
        ]

    # -- model text --------------------------------------------------------------------------------

    def _code(self, b: ProgramBuilder, e: ir.Expr, state: State) -> Code:
        code = self.group.element_code(b, e, "update")
        env = code.lowerer.env
        env.update(state)
        env["not_refractory"] = self._active(b, e)
        self._coefficients.extend(b, env, self._scalars, e, code)
        return code

    def _active(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        if not self.group.has_refractory:
            return ir.const(True)
        return b.load(self.group.variable("not_refractory").array, e)

    def _state(self, b: ProgramBuilder, e: ir.Expr) -> State:
        return {v: b.let(v, b.load(self.group.variable(v).array, e)) for v in self._names}

    def _after(self, b: ProgramBuilder, e: ir.Expr, state: State, span: ir.Expr) -> State:
        code = self._code(b, e, state)
        code.lowerer.env["dt"] = span
        code.lowerer.statements(self._flow.statements, dict.fromkeys(self._names, F64))
        return {name: code.lowerer.env[name] for name in self._names}

    def _emit_bring_to(self, b: ProgramBuilder, e: ir.Expr, time: ir.Expr, rest: ir.Expr) -> None:
        short = Op("fsub", (rest, b.load(self._at_rest, e)))
        span = b.let("span", Op("fadd", (Op("fsub", (time, b.load(self._at, e))), short)))
        for name, value in self._after(b, e, self._state(b, e), span).items():
            b.store(self.group.variable(name).array, e, value)
        b.store(self._at, e, time)
        b.store(self._at_rest, e, rest)

    def _emit_due(self, b: ProgramBuilder, e: ir.Expr, at: ir.Expr, rest: ir.Expr) -> ir.Expr:
        """Find when a neuron spikes or stops being refractory, from its state at a time."""
        group = self.group
        due: ir.Expr = NEVER
        due_rest: ir.Expr = rest
        if self._margin is not None and self._reach is not None:
            code = self._code(b, e, self._state(b, e))
            margin = code.lowerer.let("margin", code.number(self._margin.value))
            drive = code.lowerer.let("drive", code.number(self._reach.drive))
            straight = code.lowerer.let("straight", Op("fdiv", (Op("fneg", (margin,)), drive)))
            rising: ir.Expr = Op("fgt", (drive, ir.const(0.0)))
            span = straight
            # the quotient is rounded the same way for every spike of a regular train: that, too, adds up
            remainder: ir.Expr = Op("fdiv", (
                Op("fneg", (Op("fmuladd", (straight, drive, margin)),)), drive
            ))  # fmt: skip
            if self._reach.rate is not None:
                # -log1p(q)/rate with q = rate*margin/drive; q/rate is `straight`, but for its sign
                rate = code.number(self._reach.rate)
                q = code.lowerer.let("q", Op("fdiv", (Op("fmul", (rate, margin)), drive)))
                small = Op("flt", (Op("fabs", (q,)), ir.const(1e-8)))
                bent = Op("fdiv", (ir.Call(elementary.log1p, (q,)), q))
                near = Op("fsub", (ir.const(1.0), Op("fmul", (ir.const(0.5), q))))
                span = Op("fmul", (straight, Op("select", (small, near, bent))))
                rising = Op("and", (rising, Op("fgt", (q, ir.const(-1.0)))))
                remainder = ir.const(0.0)  # lost in the rounding of the logarithm
            over = Op("fgt" if self._margin.strict else "fge", (margin, ir.const(0.0)))
            ahead = b.let("ahead", Op("fmax", (span, ir.const(0.0))))
            there = b.let("there", Op("fadd", (at, ahead)))
            added = b.let("added", Op("fsub", (there, at)))
            lost = Op("fadd", (Op("fsub", (at, Op("fsub", (there, added)))), Op("fsub", (ahead, added))))
            lost = Op("fadd", (lost, Op("fadd", (rest, remainder))))
            due = Op("select", (over, at, Op("select", (rising, there, NEVER))))
            due_rest = Op("select", (over, rest, lost))
            for gate in self._margin.gates:
                due = Op("select", (convert(code.expr(gate), ir.BOOL), due, NEVER))
        if group.has_refractory:
            steps, offset = group.refractory_end(b, e)
            ahead = Op("itof", (Op("isub", (steps, b.step(group.clock))),))
            ready = Op("fmax", (Op("fadd", (Op("fmul", (ahead, b.dt(group.clock))), offset)), at))
            due = Op("select", (self._active(b, e), due, ready))
            due_rest = Op("select", (self._active(b, e), due_rest, ir.const(0.0)))
        due = b.let("due", due)
        b.store(self._due, e, due)
        b.store(self._due_rest, e, due_rest)
        return due

    # -- code --------------------------------------------------------------------------------------

    def _emit_begin(self, b: ProgramBuilder) -> None:
        self._scalars = self._coefficients.emit_prologue(b)
        start = ir.const(0.0)
        with b.vector("i", b.size_of(self.group, len(self.group))) as i:
            b.store(self._at, i, start)
            b.store(self._at_rest, i, start)
            self._emit_due(b, i, start, start)

    def _emit_end(self, b: ProgramBuilder) -> None:
        group = self.group
        until = b.let("until", self.instants.span(b))
        # steps are dt long, and many of them not quite what their rounded product says
        steps = Op("itof", (b.steps_left(group.clock),))
        short = b.let("short", Op("fmuladd", (steps, b.dt(group.clock), Op("fneg", (until,)))))
        with b.vector("i", b.size_of(group, len(group))) as i:
            rest = Op("fsub", (short, b.load(self._at_rest, i)))
            span = b.let("span", Op("fadd", (Op("fsub", (until, b.load(self._at, i))), rest)))
            for name, value in self._after(b, i, self._state(b, i), span).items():
                b.store(group.variable(name).array, i, value)

    def emit_touch(self, b: ProgramBuilder, e: ir.Expr) -> None:
        """Put a neuron into the batch of the instant."""
        self._batch.emit_touch(b, e)

    def _handle(self, b: ProgramBuilder, time: ir.Expr, e: ir.Expr) -> None:
        """A neuron is due: it spikes, or stops being refractory."""
        group = self.group
        self._emit_bring_to(b, e, time, b.load(self._due_rest, e))
        self._batch.emit_join(b, e)
        if "spike" not in group.events:
            return

        def spike() -> None:
            b.store(self._fired_at, e, b.load(self.instants.number, 0))
            group.emit_spike(b, e, time)

        def wake() -> None:
            b.store(group.variable("not_refractory").array, e, ir.const(True))

        if group.has_refractory:
            b.choose(self._active(b, e), spike, wake)
        else:
            spike()

    def _emit_advance(self, b: ProgramBuilder) -> None:
        now = b.moment
        assert now is not None
        with b.loop("k", ir.const(0), b.load(self._batch.n, 0)) as k:
            e = b.let("e", b.load(self._batch.ids, k))
            with b.when(Op("flt", (b.load(self._at, e), now))):
                self._emit_bring_to(b, e, now, ir.const(0.0))

    def _emit_predict(self, b: ProgramBuilder) -> None:
        n = b.let("n", b.load(self._batch.n, 0))
        with b.when(Op("igt", (n, ir.const(0)))):
            b.store(self._fault, 0, ir.const(-1))
            with b.loop("k", ir.const(0), n) as k:
                e = b.let("e", b.load(self._batch.ids, k))
                at = b.let("at", b.load(self._at, e))
                due = self._emit_due(b, e, at, b.load(self._at_rest, e))
                again = Op("and", (
                    Op("ieq", (b.load(self._fired_at, e), b.load(self.instants.number, 0))),
                    Op("fle", (due, Op("fadd", (at, ir.const(SAME))))),
                ))  # fmt: skip
                again = Op("and", (again, self._active(b, e)))
                with b.when(again, likely=False):
                    b.store(self._fault, 0, e)
            self._batch.emit_clear(b)
            bad = Op("ige", (b.load(self._fault, 0), ir.const(0)))
            b.leave_if(bad, Outcome(f"{self.group.name}: a neuron fires without end", self._endless))

    def _endless(self) -> NoReturn:
        self.forget()
        self.instants.forget()
        raise fires_without_end(self.group, int(self._fault.data[0]))

    def forget(self) -> None:
        """Nothing is under way any more."""
        self._batch.forget()
