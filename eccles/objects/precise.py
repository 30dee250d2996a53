"""A group of neurons in exact time: followed from event to event, and to the moments at which they spike.

At the start of a step the whole group is integrated to its end in one vector loop, as on a grid. That is
already the result for every neuron to which nothing happens in between. For the others three arrays per
state variable would be needed if they were kept apart; two are enough:

- `before`: the state at the time `at`, the last moment at which something happened to the neuron (the start of
  the step, if nothing did);
- the variable itself: the state at the time `next`, the moment at which the neuron will spike or stop being
  refractory if nothing happens before, else the end of the step.

When something happens to neurons (a spike arrives; it is the moment `next`), all of them form a batch. The
batch is *advanced* to the instant in a vector loop, the model's statements run, and its future is *predicted*
in another: where a neuron may reach its threshold it is *searched*, one by one.

The search
----------
Every evaluation is one integration from `before` over a trial span, so that the state at the moment found is
the very state whose margin (how far it is over threshold) was seen to be positive. A neuron whose margin is
positive at the end of the span has crossed; the crossing is found by Newton's method within a bracket, to
rounding. One whose margin rises at the start and falls at the end has a maximum in between, which is found
by the secant method on the slope, unless tangents show that it stays below zero; so a touch within a step is
not missed. Spans over which the error estimate is too large are made shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import F64, Element, Op
from eccles.compile.lower import convert
from eccles.engine.instants import SAME, Instants
from eccles.engine.program import Block, Outcome, Part, ProgramBuilder
from eccles.engine.state import Array
from eccles.errors import RunError
from eccles.integrate.build import assign
from eccles.integrate.choose import integrator_for, step_of
from eccles.integrate.crossing import Margin, NotSmooth, margin_of, slack_of, slope_of
from eccles.integrate.flow import Flow, flow_of
from eccles.integrate.problem import Hoisted, Problem, Step
from eccles.integrate.reciprocal import with_reciprocals
from eccles.language.nodes import Expr, Number, names_in
from eccles.objects.coefficients import Coefficients

if TYPE_CHECKING:
    from eccles.objects.code import Code
    from eccles.objects.neurons import NeuronGroup
    from eccles.objects.timed import TimedArray

__all__ = ["PreciseNeurons", "fires_without_end"]

SHORTEST = 1e-15  # seconds: a span that is not divided any more, however large its error
MOST_TRIALS = 100_000  # integrations of one neuron in one step
RESOLUTION = 2.0**-51  # of the span: how finely a crossing is located
DEFAULT_TOLERANCE = 1e-8
PRECISE_METHODS = ("exact", "dopri5")  # tried in order where the user names none

# what the search for a neuron does with the trial that has just been integrated
WHOLE, BEYOND, ROOT, PEAK, BACK, DONE = range(6)

State = dict[str, ir.Expr]


@dataclass(frozen=True)
class _Bracket:
    """Mutable numbers of a search: time since its start, margin there, slope of the margin there."""

    time: ir.Local
    margin: ir.Local
    slope: ir.Local

    @classmethod
    def declare(cls, b: ProgramBuilder, stem: str) -> _Bracket:
        return cls(*[b.var(f"{stem}_{part}", ir.const(0.0)) for part in ("time", "margin", "slope")])

    def set(self, b: ProgramBuilder, time: ir.Expr, margin: ir.Expr, slope: ir.Expr) -> None:
        for local, value in ((self.time, time), (self.margin, margin), (self.slope, slope)):
            b.set(local, value)


def fires_without_end(group: NeuronGroup, k: int) -> RunError:
    """The error of a neuron that its own reset leaves above threshold."""
    return RunError(
        f"neuron {k} of {group.name} is over its threshold again right after its spike at "
        f"t = {group.last_spikes()[k] * 1e3:.6g} ms: in exact time it would fire without end",
        hint="Let the reset end below the threshold, give a refractory period, or let spikes come at most "
        "once per time step: spike_times='grid'.",
    )


class PreciseNeurons:
    """The blocks of one `NeuronGroup` in exact time.

    Parameters
    ----------
    group : NeuronGroup
    instants : Instants
    writes : frozenset of int
        Ids of the arrays that the program changes.

    Attributes
    ----------
    on_grid : str
        Why the threshold is looked at on the grid; empty if it is not.
    problem : Problem
        The equations; `names` are their variables.
    before : dict of str to Array
        The state at the last moment at which something happened to each neuron.
    """

    def __init__(self, group: NeuronGroup, instants: Instants, writes: frozenset[int]) -> None:
        self.group = group
        self.instants = instants
        self.problem = group.precise_problem()
        self._choose_method(writes)
        self.on_grid = ""
        self._margin: Margin | None = None
        self._waking: Margin | None = None  # its opposite ends a refractoriness that is a condition
        self._choose_margins()
        hoisted = [*self._flow.hoisted, *self._prepare_trees()]
        self._step_coefficients = Coefficients(group, self._step, writes)
        self._flow_coefficients = Coefficients(group, Step("flow", (), hoisted=tuple(hoisted)), writes)
        self._scalars: tuple[dict[str, ir.Expr], dict[str, ir.Expr]] = ({}, {})
        self.names = tuple(self.problem.variables)
        self._declare_arrays(len(group))
        self._held = {name: HeldInput(name, timed) for name, timed in group.timed_arrays().items()}
        self._input_changes = instants.kind(f"{group.name} input changes", self._handle_change)
        self._spikes: ir.Expr = ir.const(0)
        if "spike" in group.events:
            self._spikes = instants.kind(f"{group.name} spikes", self._handle_spike)
        self._wakes: ir.Expr = ir.const(0)
        if group.has_refractory:
            self._wakes = instants.kind(f"{group.name} stops being refractory", self._handle_wake)

    def _choose_method(self, writes: frozenset[int]) -> None:
        group = self.group
        if not self.problem.variables:
            self._step, self._flow = Step("none", ()), Flow((), (), (), None)
            return
        integrator, passed = integrator_for(self.problem, group.method, default=PRECISE_METHODS)
        step = step_of(self.problem, integrator, in_increments=True)
        if any(group.is_written(name, writes) for system in step.systems for name in system.names()):
            # the matrix exponential is taken once per call of the program
            passed = {**passed, integrator.name: "events change its coefficients"}
            integrator, _ = integrator_for(self.problem, PRECISE_METHODS[1:])
            step = step_of(self.problem, integrator)
        self._step = replace(step, passed_over=tuple(passed.items()))
        self._flow = flow_of(self.problem, integrator)
        group.method_choice = self._step

    def _choose_margins(self) -> None:
        group = self.group
        if "spike" not in group.events:
            return
        try:
            self._margin = margin_of(group.inlined_condition("spike"), self.problem, moves=group.moves)
            tree = group.refractory_condition()
            if tree is not None:
                self._waking = margin_of(tree, self.problem, moves=group.moves)
        except NotSmooth as reason:
            self.on_grid = str(reason)
            self._margin = self._waking = None

    def _prepare_trees(self) -> tuple[Hoisted, ...]:
        """The expressions that are looked at in every step, without divisions by constants.

        Returns the coefficients that they use.
        """
        self._slack: Expr | None = None
        self._slope = self._waking_slope = Number(0.0)
        if self._margin is None:
            return ()
        trees = {"_slope": slope_of(self._margin.value, self.problem)}
        hoisted: tuple[Hoisted, ...] = ()
        if self._waking is not None:
            trees["_waking_slope"] = slope_of(self._waking.value, self.problem)
        elif not self._step.errors:
            slack = slack_of(self._margin.value, self.problem)
            if slack is not None:
                trees["_slack"], hoisted = slack.value, slack.hoisted
        taken = tuple(h for h in (*self._flow.hoisted, *hoisted))
        step = Step("look", tuple(assign(n, t) for n, t in trees.items()), hoisted=taken)
        step = with_reciprocals(step, self.problem)
        found = {a.target: a.value for a in step.statements}
        self._slope = found["_slope"]
        self._waking_slope = found.get("_waking_slope", self._waking_slope)
        self._slack = found.get("_slack")
        return step.hoisted[len(self._flow.hoisted) :]

    def _declare_arrays(self, n: int) -> None:
        name = self.group.name
        self.before = {v: Array(f"{name}.{v}.before", Element.F64, n) for v in self.names}
        self._carry = {v: Array(f"{name}.{v}.carry", Element.F64, n) for v in self._drifting()}
        self._result = {v: Array(f"{name}.{v}.result", Element.F64, n) for v in self.names}
        self._at = Array(f"{name}.at", Element.F64, n)
        self._next = Array(f"{name}.next", Element.F64, n)
        self._touched = Array(f"{name}.touched", Element.I64, n)  # at which instant `at` and `next` were set
        self._member = Array(f"{name}.member", Element.I64, n)  # of the batch of which instant
        self._fired_at = Array(f"{name}.fired_at", Element.I64, n)  # which instant
        self._batch = Array(f"{name}.batch", Element.I32, n)
        self._n_batch = Array(f"{name}.n_batch", Element.I64, 1)
        self._careful = Array(f"{name}.careful", Element.I32, n)  # to be searched
        self._n_careful = Array(f"{name}.n_careful", Element.I64, 1)
        self._hard = Array(f"{name}.hard", Element.I32, n)  # too much happens for one span
        if self._flow.errors:
            self._reached = Array(f"{name}.reached", Element.F64, n)  # the time of the variables themselves
            self._span = Array(f"{name}.span", Element.F64, n, fill=np.inf)  # that was good the last time
            self._going = Array(f"{name}.going", Element.I32, n)  # not at the end of the step yet
            self._n_going = Array(f"{name}.n_going", Element.I64, 1)
            self._new_reached = Array(f"{name}.reached.result", Element.F64, n)
            self._new_span = Array(f"{name}.span.result", Element.F64, n)
            self._goes_on = Array(f"{name}.goes_on.result", Element.U8, n)
        self._fault = Array(f"{name}.fault", Element.I64, 1)
        self._looked_at = Array(f"{name}.looked_at", Element.I64, n)  # at which instant
        self.adds_up = False  # whether there is a `Superposition`

    # -- blocks ------------------------------------------------------------------------------------

    def blocks(self) -> list[Block]:
        """Update, search and what belongs to it."""
        group = self.group

        def block(what: str, part: Part, emit: Callable[[ProgramBuilder], None]) -> Block:
            slot = "groups" if part is Part.BEFORE else "thresholds"
            return Block(f"{group.name}_{what}", group.clock, slot, group.order, emit, part)

        adaptive = bool(self._flow.errors)
        return [
            *([block("input", Part.BEFORE, self._emit_input)] if self._held else []),
            block("stateupdater", Part.BEFORE, self._emit_begin if adaptive else self._emit_update),
            block("predict", Part.PREDICT, self._emit_predict_in_spans if adaptive else self._emit_predict),
            block("search", Part.SEARCH, self._emit_search),
            block("advance", Part.ADVANCE, self._emit_advance_in_spans if adaptive else self._emit_advance),
        ]

    # -- model text --------------------------------------------------------------------------------

    def _code(self, b: ProgramBuilder, e: ir.Expr, state: State, start: ir.Expr) -> Code:
        """A translator for the equations: state and time at the start of a span are known."""
        code = self.group.element_code(b, e, "update")
        env = code.lowerer.env
        env.update(state)
        env["t"] = code.lowerer.let("t", Op("fadd", (b.step_start(self.group.clock), start)))
        self._hold_input(b, env)
        env["not_refractory"] = self.active(b, e)
        self._flow_coefficients.extend(b, env, self._scalars[1], e, code)
        return code

    def _hold_input(self, b: ProgramBuilder, env: dict[str, ir.Expr]) -> None:
        """Make known since when the values of inputs hold."""
        env[self.group.STEP_START] = b.step_start(self.group.clock)
        for name, held in self._held.items():
            env[f"_held_{name}"] = b.load(held.since, 0)

    def active(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        """Whether a neuron is not refractory."""
        if not self.group.has_refractory:
            return ir.const(True)
        return b.load(self.group.variable("not_refractory").array, e)

    def _after(self, b: ProgramBuilder, e: ir.Expr, state: State, start: ir.Expr, span: ir.Expr) -> _Trial:
        """The state after a span."""
        code = self._code(b, e, state, start)
        code.lowerer.env["dt"] = span
        code.lowerer.statements(self._flow.statements, dict.fromkeys(self.names, F64))
        after = {name: code.lowerer.env[name] for name in self.names}
        error = self._error(code, state, after, self._flow.errors)
        limit = None if self._flow.limit is None else code.number(self._flow.limit)
        return _Trial(after, error, limit)

    def _error(
        self, code: Code, before: State, after: State, errors: tuple[tuple[str, str], ...]
    ) -> ir.Expr | None:
        """The largest error of a span, relative to what is tolerated."""
        worst: ir.Expr | None = None
        tolerance = code.b.float_constant(
            ("tolerance", id(self.group)), "tolerance",
            lambda: float(self.group.method_options.get("tolerance", DEFAULT_TOLERANCE)),
        )  # fmt: skip
        for name, temporary in errors:
            old, new = before[name], after[name]
            size = Op("fmax", (Op("fabs", (old,)), Op("fabs", (new,))))
            scale = Op("fadd", (size, Op("fabs", (Op("fsub", (new, old)),))))
            allowed = Op("fadd", (Op("fmul", (tolerance, scale)), ir.const(1e-300)))
            error = Op("fdiv", (Op("fabs", (code.lowerer.env[temporary],)), allowed))
            # NaN has to come through
            worst = error if worst is None else Op("select", (Op("fgt", (worst, error)), worst, error))
        return None if worst is None else code.lowerer.let("error", worst)

    def margin_at(self, b: ProgramBuilder, e: ir.Expr, state: State, time: ir.Expr) -> ir.Expr:
        """How far over the threshold (or, while refractory, how far beyond its end) a state is."""
        assert self._margin is not None
        waking = None if self._waking is None else self._waking.value
        return self._either(b, e, state, time, self._margin.value, waking)

    def slope_at(self, b: ProgramBuilder, e: ir.Expr, state: State, time: ir.Expr) -> ir.Expr:
        """How fast the margin grows."""
        return self._either(b, e, state, time, self._slope, None if self._waking is None else self._waking_slope)

    def _either(
        self, b: ProgramBuilder, e: ir.Expr, state: State, time: ir.Expr, ready: Expr, resting: Expr | None
    ) -> ir.Expr:
        """The value of an expression, or less that of another while the neuron is refractory."""
        code = self._code(b, e, state, time)
        value = code.number(ready)
        if resting is not None:
            value = Op("select", (self.active(b, e), value, Op("fneg", (code.number(resting),))))
        return code.lowerer.let("margin", value)

    def _size_of_margin(self, b: ProgramBuilder, e: ir.Expr, state: State, time: ir.Expr) -> ir.Expr:
        """How large the numbers are that the margin is the difference of."""
        assert self._margin is not None
        code = self._code(b, e, state, time)
        sizes = [Op("fabs", (code.number(part),)) for part in self._margin.parts()]
        total: ir.Expr = ir.const(0.0)
        for size in sizes:
            total = Op("fadd", (total, size))
        return total

    def _can_cross(self, b: ProgramBuilder, e: ir.Expr, state: State, time: ir.Expr) -> ir.Expr:
        """Whether there is anything that a neuron could cross."""
        if self._margin is None:
            return ir.const(False)
        holds: ir.Expr = self.active(b, e)
        if self._margin.gates:
            code = self._code(b, e, state, time)
            for gate in self._margin.gates:
                holds = Op("and", (holds, convert(code.expr(gate), ir.BOOL)))
        if self._waking is not None:
            holds = Op("or", (holds, Op("not", (self.active(b, e),))))
        return holds

    def _is_over(self, margin: ir.Expr) -> ir.Expr:
        assert self._margin is not None
        return Op("fgt" if self._margin.strict else "fge", (margin, ir.const(0.0)))

    def _may_cross(self, b: ProgramBuilder, e: ir.Expr, x0: State, x1: State, start: ir.Expr, span: ir.Expr) -> ir.Expr:
        """Whether a neuron could have crossed within a span: never false where it has."""
        if self._margin is None:
            return ir.const(False)
        m0 = self.margin_at(b, e, x0, start)
        m1 = self.margin_at(b, e, x1, Op("fadd", (start, span)))
        larger = Op("select", (Op("fgt", (m0, m1)), m0, m1))
        change = Op("fabs", (Op("fsub", (m1, m0)),))
        if self._slack is not None:
            code = self._code(b, e, x0, start)
            slack = code.lowerer.let("slack", code.number(self._slack))
            # what belongs to the step reaches beyond its end by an instant
            beyond = Op("fmul", (
                Op("fdiv", (ir.const(8 * SAME), b.dt(self.group.clock))), Op("fadd", (change, slack))
            ))  # fmt: skip
            rise = Op("fadd", (slack, beyond))
        else:
            slope = Op("fabs", (self.slope_at(b, e, x0, start),))
            rise = Op("fmul", (ir.const(0.5), Op("fadd", (change, Op("fmul", (slope, b.dt(self.group.clock)))))))
        over = Op("fge", (Op("fadd", (larger, rise)), ir.const(0.0)))
        return Op("and", (over, self._can_cross(b, e, x0, start)))

    def _wakes_in_step(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        """Whether a refractory period ends in this step."""
        if not self.group.refractory_is_time:
            return ir.const(False)
        due = Op("ile", (self.group.refractory_end(b, e)[0], b.step(self.group.clock)))
        return Op("and", (Op("not", (self.active(b, e),)), due))

    # -- the whole group ---------------------------------------------------------------------------

    def _emit_update(self, b: ProgramBuilder) -> None:
        """Integrate all neurons to the end of the step; list those that have to be looked at."""
        group = self.group
        self._scalars = (self._step_coefficients.emit_prologue(b), self._flow_coefficients.emit_prologue(b))
        count = b.var("n_careful", ir.const(0))
        start = ir.const(0.0)
        dt = b.dt(group.clock)
        with b.vector("i", b.size_of(group, len(group))) as i:
            x0: State = {v: b.let(v, b.load(group.variable(v).array, i)) for v in self.names}
            code = group.element_code(b, i, "update")
            env = code.lowerer.env
            env.update(x0)
            self._hold_input(b, env)
            active = self.active(b, i)
            if group.refractory_condition() is not None and self._waking is None:
                active = group.emit_not_refractory(b, code, i)  # on the grid, as the threshold
            env["not_refractory"] = active
            self._step_coefficients.extend(b, env, self._scalars[0], i, code)
            code.lowerer.statements(self._step.statements, dict.fromkeys(self.names, F64))
            x1 = {name: env[name] for name in self.names}
            carries = self._add_up(b, i, x0, x1, env)
            error = self._error(code, x0, x1, self._step.errors)
            look = self._may_cross(b, i, x0, x1, start, dt)
            if error is not None:
                look = Op("or", (look, Op("not", (Op("fle", (error, ir.const(1.0))),))))
            if group.has_refractory:
                look = Op("or", (look, self._wakes_in_step(b, i)))
            for name in self.names:
                b.store(self.before[name], i, x0[name])
                if name in code.lowerer.assigned:
                    b.store(group.variable(name).array, i, x1[name])
            for name, carry in carries.items():
                b.store(self._carry[name], i, carry)
            if look != ir.const(False):
                b.emit(ir.Append(b.buffer(self._careful), count, i, look))
        b.store(self._n_careful, 0, count)

    def _emit_input(self, b: ProgramBuilder) -> None:
        """Which values of inputs hold at the start of the step, and when others follow within it."""
        for k, held in enumerate(self._held.values()):
            held.emit_begin(b, self.instants, self._input_changes, k)

    def _handle_change(self, b: ProgramBuilder, time: ir.Expr, which: ir.Expr, row: ir.Expr) -> None:
        for k, held in enumerate(self._held.values()):
            with b.when(Op("ieq", (which, ir.const(k)))):
                b.store(held.following, 0, row)
        with b.loop("i", ir.const(0), b.size_of(self.group, len(self.group))) as i:
            self.emit_touch(b, i)

    def _add_up(
        self, b: ProgramBuilder, i: ir.Expr, x0: State, x1: dict[str, ir.Expr], env: dict[str, ir.Expr]
    ) -> State:
        """Add up what drives variables without leak, which forget nothing, with what rounding takes off.

        Changes `x1`; returns what is to be carried over to the next step (Kahan 1965, Commun. ACM 8:40).
        """
        carries: State = {}
        for name in self._carry:
            code = self._code(b, i, x0, ir.const(0.0))
            rate = code.number(self.problem.equations[name])
            if name in self.problem.frozen:
                rate = Op("select", (self.active(b, i), rate, ir.const(0.0)))
            step = Op("fmul", (rate, b.dt(self.group.clock)))
            added = b.let("added", Op("fadd", (step, b.load(self._carry[name], i))))
            x1[name] = b.let(name, Op("fadd", (x0[name], added)))
            carries[name] = Op("fsub", (added, Op("fsub", (x1[name], x0[name]))))
        return carries

    def _drifting(self) -> list[str]:
        """Variables that what drives them only adds to."""
        if self._step.method != "exact":
            return []
        moving = set(self.names) | {"t", "t_in_timesteps"}
        return [name for name, rate in self.problem.equations.items() if not names_in(rate) & moving]

    # -- a batch -----------------------------------------------------------------------------------

    def emit_touch(self, b: ProgramBuilder, e: ir.Expr) -> None:
        """Put a neuron into the batch of the instant."""
        number = b.load(self.instants.number, 0)
        with b.when(Op("ine", (b.load(self._member, e), number))):
            self._emit_join(b, e)

    def _emit_join(self, b: ProgramBuilder, e: ir.Expr) -> None:
        b.store(self._member, e, b.load(self.instants.number, 0))
        n = b.let("n", b.load(self._n_batch, 0))
        b.store(self._batch, n, e)
        b.store(self._n_batch, 0, Op("iadd", (n, ir.const(1))))

    def _is_known(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        """Whether something has happened to a neuron in this step already."""
        return Op("igt", (b.load(self._touched, e), b.load(self.instants.opened, 0)))

    def _begin(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        """The time of the state in `before`."""
        return b.let("at", Op("select", (self._is_known(b, e), b.load(self._at, e), ir.const(0.0))))

    def _is_own(self, b: ProgramBuilder, e: ir.Expr, now: ir.Expr) -> ir.Expr:
        """Whether the instant is one at which the neuron spikes or stops being refractory anyway."""
        return b.let("own", Op("fle", (self._next_of(b, e), Op("fadd", (now, ir.const(SAME))))))

    def _next_of(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        """The time of the state in the variables themselves."""
        end = b.dt(self.group.clock)
        return b.let("next", Op("select", (self._is_known(b, e), b.load(self._next, e), end)))

    def _is_hard(self, trial: _Trial, span: ir.Expr) -> ir.Expr | None:
        """Whether a span was too long for one integration."""
        hard: ir.Expr | None = None
        if trial.error is not None:
            hard = Op("not", (Op("fle", (trial.error, ir.const(1.0))),))
        if trial.limit is not None:
            long = Op("fgt", (span, trial.limit))
            hard = long if hard is None else Op("or", (hard, long))
        return hard

    def _emit_advance(self, b: ProgramBuilder) -> None:
        """Bring the batch to the instant."""
        group, now = self.group, b.moment
        assert now is not None
        n = b.let("n", b.load(self._n_batch, 0))
        with b.when(Op("igt", (n, ir.const(0)))):
            count = b.var("n_hard", ir.const(0))
            with b.vector("k", n) as k:
                e = b.let("e", b.load(self._batch, k))
                own = self._is_own(b, e, now)
                at = self._begin(b, e)
                x0: State = {v: b.let(v, b.load(self.before[v], e)) for v in self.names}
                span = b.let("span", Op("fsub", (now, at)))
                trial = self._after(b, e, x0, at, span)
                for v in self.names:
                    there = b.load(group.variable(v).array, e)
                    b.store(self._result[v], k, Op("select", (own, there, trial.state[v])))
                hard = self._is_hard(trial, span)
                if hard is not None:
                    hard = Op("and", (hard, Op("not", (own,))))
                    b.emit(ir.Append(b.buffer(self._hard), count, e, hard))
            with b.loop("k", ir.const(0), n) as k:
                e = b.let("e", b.load(self._batch, k))
                own = self._is_own(b, e, now)
                for v in self.names:
                    b.store(group.variable(v).array, e, b.load(self._result[v], k))
                # `at` still says where `before` stands, for those that are hard
                b.store(self._next, e, Op("select", (own, self._next_of(b, e), now)))
            if self._flow.limit is not None:
                with b.loop("k", ir.const(0), count) as k:
                    self._emit_integrate(b, b.let("e", b.load(self._hard, k)), now)
            with b.loop("k", ir.const(0), n) as k:
                e = b.let("e", b.load(self._batch, k))
                b.store(self._at, e, b.load(self._next, e))
                b.store(self._touched, e, b.load(self.instants.number, 0))

    def _emit_integrate(self, b: ProgramBuilder, e: ir.Expr, until: ir.Expr) -> None:
        """Integrate one neuron from `before` to a moment before anything happens to it."""
        at = b.var("a", self._begin(b, e))
        x = {v: b.var(v, b.load(self.before[v], e)) for v in self.names}
        span = b.var("span", Op("fsub", (until, at)))
        trials = b.var("trials", ir.const(0))
        going = Op("and", (
            Op("fgt", (Op("fsub", (until, at)), ir.const(0.0))), Op("ilt", (trials, ir.const(MOST_TRIALS)))
        ))  # fmt: skip
        with b.body() as statements:
            b.set(trials, Op("iadd", (trials, ir.const(1))))
            left = b.let("left", Op("fsub", (until, at)))
            here = b.let("here", Op("select", (Op("flt", (span, left)), span, left)))
            trial = self._after(b, e, {**x}, at, here)
            accepted = b.let("accepted", self._is_accepted(trial, here))

            def go_on() -> None:
                whole = Op("fge", (here, left))
                b.set(at, Op("select", (whole, until, Op("fadd", (at, here)))))
                for v in self.names:
                    b.set(x[v], trial.state[v])

            b.choose(accepted, go_on)
            b.set(span, self._following_span(trial, here, accepted))
        b.emit(ir.While(going, tuple(statements)))
        for v in self.names:
            b.store(self.group.variable(v).array, e, x[v])

    def _is_accepted(self, trial: _Trial, span: ir.Expr) -> ir.Expr:
        fits: ir.Expr = Op("fle", (span, ir.const(SHORTEST)))
        good: ir.Expr = ir.const(True)
        if trial.error is not None:
            good = Op("fle", (trial.error, ir.const(1.0)))
        if trial.limit is not None:
            short = Op("fle", (span, trial.limit))
            good = short if trial.error is None else Op("and", (good, short))
        return good if good == ir.const(True) else Op("or", (good, fits))

    def _following_span(self, trial: _Trial, span: ir.Expr, accepted: ir.Expr) -> ir.Expr:
        """How far to go next: longer or shorter by about the fifth root of the error."""
        factor: ir.Expr = ir.const(1.0)
        if trial.error is not None:
            longer: ir.Expr = ir.const(0.9)
            for bound, by in ((0.3, 1.1), (0.05, 1.6), (5e-3, 2.5), (1e-4, 5.0)):
                longer = Op("select", (Op("flt", (trial.error, ir.const(bound))), ir.const(by), longer))
            shorter: ir.Expr = ir.const(0.1)
            for bound, by in ((1e4, 0.15), (1e3, 0.22), (100.0, 0.35), (10.0, 0.55), (3.0, 0.7)):
                shorter = Op("select", (Op("flt", (trial.error, ir.const(bound))), ir.const(by), shorter))
            factor = Op("select", (accepted, longer, shorter))
        following: ir.Expr = Op("fmul", (span, factor))
        if trial.limit is not None:
            following = Op("fmin", (following, trial.limit)) if trial.error is not None else trial.limit
        return following

    def _emit_change_input(self, b: ProgramBuilder) -> None:
        """What the last instant came to for inputs: until then the old values hold."""
        for held in self._held.values():
            held.emit_change(b)

    def _emit_predict(self, b: ProgramBuilder) -> None:
        """Follow the batch of the last instant to the end of the step; list those that have to be searched."""
        group = self.group
        n = b.let("n", b.load(self._n_batch, 0))
        self._emit_change_input(b)
        with b.when(Op("igt", (n, ir.const(0)))):
            end = b.dt(group.clock)
            count = b.var("n_careful", b.load(self._n_careful, 0))
            with b.vector("k", n) as k:
                e = b.let("e", b.load(self._batch, k))
                at = b.let("at", b.load(self._at, e))
                x0: State = {v: b.let(v, b.load(group.variable(v).array, e)) for v in self.names}
                span = b.let("span", Op("fsub", (end, at)))
                trial = self._after(b, e, x0, at, span)
                for v in self.names:
                    b.store(self._result[v], k, trial.state[v])
                look = self._may_cross(b, e, x0, trial.state, at, span)
                hard = self._is_hard(trial, span)
                if hard is not None:
                    look = Op("or", (look, hard))
                if group.has_refractory:
                    look = Op("or", (look, self._wakes_in_step(b, e)))
                if look != ir.const(False):
                    b.emit(ir.Append(b.buffer(self._careful), count, e, look))
            b.store(self._n_careful, 0, count)
            with b.loop("k", ir.const(0), n) as k:
                e = b.let("e", b.load(self._batch, k))
                for v in self.names:
                    b.store(self.before[v], e, b.load(group.variable(v).array, e))
                    b.store(group.variable(v).array, e, b.load(self._result[v], k))
                for carry in self._carry.values():
                    b.store(carry, e, ir.const(0.0))
                b.store(self._next, e, end)
            b.store(self._n_batch, 0, ir.const(0))

    # -- input that is added up: see `Superposition` ---------------------------------------------------

    @property
    def can_superpose(self) -> bool:
        """Whether input may be added up: equations are linear, and how margins bend is known."""
        known = self._margin is None or self._slack is not None
        return self._step.method == "exact" and known and self._flow_coefficients.is_uniform()

    @property
    def has_margin(self) -> bool:
        """Whether crossings of a threshold are looked for."""
        return self._margin is not None

    def slack_at(self, b: ProgramBuilder, e: ir.Expr, state: State) -> ir.Expr:
        """How far the margin can rise within a step above its larger end, from a state at the start."""
        assert self._slack is not None
        return self._code(b, e, state, ir.const(0.0)).number(self._slack)

    def emit_is_pending(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        """Whether something has happened to a neuron in this step that is more than added-up input."""
        return self._is_known(b, e)

    def emit_is_member(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        """Whether a neuron is in the batch of the instant."""
        return Op("ieq", (b.load(self._member, e), b.load(self.instants.number, 0)))

    def emit_look_at(self, b: ProgramBuilder, e: ir.Expr) -> None:
        """Have a neuron searched from the present on, once."""
        number = b.load(self.instants.number, 0)
        with b.when(Op("ine", (b.load(self._looked_at, e), number))):
            b.store(self._looked_at, e, number)
            n = b.let("n", b.load(self._n_careful, 0))
            b.store(self._careful, n, e)
            b.store(self._n_careful, 0, Op("iadd", (n, ir.const(1))))

    # -- spans of lengths of their own ---------------------------------------------------------------
    #
    # Where errors are estimated, every neuron goes ahead in spans of its own length. All that are under way
    # form a list; a round takes each of them one span further, in a vector loop, and drops those that have
    # arrived. A neuron that may cross its threshold within its span is left where that span begins, and
    # searched from there.

    def _emit_begin(self, b: ProgramBuilder) -> None:
        """A step begins: all neurons have it before them."""
        group = self.group
        self._scalars = ({}, self._flow_coefficients.emit_prologue(b))
        count = b.var("n_going", ir.const(0))
        with b.vector("i", b.size_of(group, len(group))) as i:
            code = group.element_code(b, i, "update")
            code.lowerer.env["t"] = b.step_start(group.clock)
            if group.refractory_condition() is not None and self._waking is None:
                group.emit_not_refractory(b, code, i)  # on the grid, as the threshold
            for v in self.names:
                b.store(self.before[v], i, b.load(group.variable(v).array, i))
            b.store(self._reached, i, ir.const(0.0))
            b.emit(ir.Append(b.buffer(self._going), count, i, ir.const(True)))
        b.store(self._n_going, 0, count)

    def _emit_predict_in_spans(self, b: ProgramBuilder) -> None:
        group = self.group
        end = b.dt(group.clock)
        n = b.let("n", b.load(self._n_batch, 0))
        self._emit_change_input(b)
        with b.when(Op("igt", (n, ir.const(0)))):
            with b.loop("k", ir.const(0), n) as k:
                e = b.let("e", b.load(self._batch, k))
                for v in self.names:
                    b.store(self.before[v], e, b.load(group.variable(v).array, e))
                b.store(self._reached, e, b.load(self._at, e))
                b.store(self._next, e, end)
                b.store(self._going, k, e)
            b.store(self._n_going, 0, n)
            b.store(self._n_batch, 0, ir.const(0))
        self._emit_rounds(b, end, searching=True)

    def _emit_advance_in_spans(self, b: ProgramBuilder) -> None:
        group, now = self.group, b.moment
        assert now is not None
        n = b.let("n", b.load(self._n_batch, 0))
        with b.when(Op("igt", (n, ir.const(0)))):
            count = b.var("n_going", ir.const(0))
            with b.loop("k", ir.const(0), n) as k:
                e = b.let("e", b.load(self._batch, k))
                own = self._is_own(b, e, now)
                with b.when(Op("not", (own,))):
                    for v in self.names:
                        b.store(group.variable(v).array, e, b.load(self.before[v], e))
                    b.store(self._reached, e, self._begin(b, e))
                    b.store(self._going, count, e)
                    b.set(count, Op("iadd", (count, ir.const(1))))
                b.store(self._at, e, Op("select", (own, self._next_of(b, e), now)))
                b.store(self._touched, e, b.load(self.instants.number, 0))
            b.store(self._n_going, 0, count)
            self._emit_rounds(b, now, searching=False)

    def _emit_rounds(self, b: ProgramBuilder, goal: ir.Expr, *, searching: bool) -> None:
        """Take all that are under way to the goal, span by span."""
        group = self.group
        searching = searching and self._margin is not None
        careful = b.var("n_careful", ir.const(0))
        left_over = b.var("n_left", b.load(self._n_going, 0))
        rounds = b.var("rounds", ir.const(0))
        going = Op("and", (
            Op("igt", (left_over, ir.const(0))), Op("ilt", (rounds, ir.const(MOST_TRIALS)))
        ))  # fmt: skip
        with b.body() as statements:
            b.set(rounds, Op("iadd", (rounds, ir.const(1))))
            with b.vector("k", left_over) as k:
                e = b.let("e", b.load(self._going, k))
                x0: State = {v: b.let(v, b.load(group.variable(v).array, e)) for v in self.names}
                at = b.let("at", b.load(self._reached, e))
                left = b.let("left", Op("fsub", (goal, at)))
                wanted = b.let("wanted", b.load(self._span, e))
                here = b.let("here", Op("fmin", (wanted, left)))
                trial = self._after(b, e, x0, at, here)
                accepted = b.let("accepted", self._is_accepted(trial, here))
                leaves: ir.Expr = ir.const(False)
                if searching:
                    leaves = Op("and", (accepted, self._may_cross(b, e, x0, trial.state, at, here)))
                if searching and group.has_refractory:
                    leaves = Op("or", (leaves, self._wakes_in_step(b, e)))
                leaves = b.let("leaves", leaves)
                goes = b.let("goes", Op("and", (accepted, Op("not", (leaves,)))))
                whole = b.let("whole", Op("fge", (here, left)))
                there = Op("select", (whole, goal, Op("fadd", (at, here))))
                following = self._following_span(trial, here, accepted)
                # one that was cut short says little about the next
                cut = Op("and", (accepted, Op("flt", (here, wanted))))
                following = Op("select", (cut, Op("fmax", (wanted, following)), following))
                for v in self.names:
                    b.store(self._result[v], k, Op("select", (goes, trial.state[v], x0[v])))
                b.store(self._new_reached, k, Op("select", (goes, there, at)))
                b.store(self._new_span, k, following)
                stays = Op("and", (Op("not", (leaves,)), Op("not", (Op("and", (goes, whole)),))))
                b.store(self._goes_on, k, stays)
                if searching:
                    b.emit(ir.Append(b.buffer(self._careful), careful, e, leaves))
            kept = b.var("n_kept", ir.const(0))
            with b.loop("k", ir.const(0), left_over) as k:
                e = b.let("e", b.load(self._going, k))
                for v in self.names:
                    b.store(group.variable(v).array, e, b.load(self._result[v], k))
                b.store(self._reached, e, b.load(self._new_reached, k))
                b.store(self._span, e, b.load(self._new_span, k))
                b.store(self._going, kept, e)  # no further than k
                b.set(kept, Op("iadd", (kept, Op("btoi", (b.load(self._goes_on, k),)))))
            b.set(left_over, kept)
        b.emit(ir.While(going, tuple(statements)))
        b.store(self._n_going, 0, ir.const(0))
        if searching:
            b.store(self._n_careful, 0, careful)

    # -- the search --------------------------------------------------------------------------------

    def _emit_search(self, b: ProgramBuilder) -> None:
        n = b.let("n", b.load(self._n_careful, 0))
        with b.when(Op("igt", (n, ir.const(0)))):
            self.instants.emit_room(b, n)
            b.store(self._fault, 0, ir.const(-1))
            with b.loop("c", ir.const(0), n) as c:
                self._emit_search_one(b, b.let("e", b.load(self._careful, c)))
            b.store(self._n_careful, 0, ir.const(0))
            bad = Op("ige", (b.load(self._fault, 0), ir.const(0)))
            b.leave_if(bad, Outcome(f"{self.group.name}: a neuron fires without end", self._endless))

    def _endless(self) -> NoReturn:
        self.forget()
        self.instants.forget()
        raise fires_without_end(self.group, int(self._fault.data[0]))

    def forget(self) -> None:
        """Leave the step: nothing is under way any more."""
        self._n_batch.data[0] = self._n_careful.data[0] = 0

    def _emit_search_one(self, b: ProgramBuilder, e: ir.Expr) -> None:
        """Find out what a neuron does until the end of the step if nothing happens to it."""
        group, clock = self.group, self.group.clock
        number = b.load(self.instants.number, 0)
        begin = self._begin(b, e)
        b.store(self._at, e, begin)
        b.store(self._touched, e, number)
        if self._flow.errors:  # up to here it has been followed already
            at = b.var("a", b.load(self._reached, e))
            x = {v: b.var(v, b.load(group.variable(v).array, e)) for v in self.names}
        else:
            at = b.var("a", begin)
            x = {v: b.var(v, b.load(self.before[v], e)) for v in self.names}
            if self.adds_up:
                self._emit_start_now(b, e, at, x)
        y = {v: b.var(f"{v}_there", x[v]) for v in self.names}  # at the upper end of the bracket
        end = b.dt(clock)
        goal: ir.Expr = end
        wakes: ir.Expr = ir.const(False)
        if group.has_refractory and group.refractory_is_time:
            last_step, offset = group.refractory_end(b, e)
            steps = Op("isub", (last_step, b.step(clock)))
            ready = Op("fadd", (Op("fmul", (Op("itof", (steps,)), end)), offset))
            wakes = b.let("wakes", self._wakes_in_step(b, e))
            goal = b.let("goal", Op("select", (wakes, Op("fmax", (ready, at)), end)))
        searching = b.let("searching", self._can_cross(b, e, {**x}, at))
        phase = b.var("phase", ir.const(WHOLE))
        found = b.var("found", ir.const(False))
        span = b.var("span", Op("fsub", (goal, at)))
        if self._flow.errors:
            b.set(span, Op("fmin", (span, b.load(self._span, e))))
        trials = b.var("trials", ir.const(0))
        low, high, last = [_Bracket.declare(b, stem) for stem in ("low", "high", "last")]
        whole = b.var("whole", ir.const(0.0))  # the span that was accepted last
        size: ir.Expr = ir.const(0.0)
        if self._margin is not None:
            size = b.let("size", self._size_of_margin(b, e, {**x}, at))
            low.set(b, ir.const(0.0), self.margin_at(b, e, {**x}, at), ir.const(0.0))
            b.set(low.slope, self.slope_at(b, e, {**x}, at))

            def over_already() -> None:
                b.set(found, ir.const(True))
                b.set(phase, ir.const(DONE))

            b.choose(Op("and", (searching, self._is_over(low.margin))), over_already)
        search = _Search(self, b, e, at, x, y, goal, end, searching, phase, found, span, whole, low, high, last, size)
        going = Op("and", (Op("ine", (phase, ir.const(DONE))), Op("ilt", (trials, ir.const(MOST_TRIALS)))))
        with b.body() as statements:
            b.set(trials, Op("iadd", (trials, ir.const(1))))
            search.emit_trial(trials)
        b.emit(ir.While(going, tuple(statements)))
        time = b.let("time", Op("fadd", (at, Op("select", (found, high.time, ir.const(0.0))))))
        for v in self.names:
            b.store(group.variable(v).array, e, Op("select", (found, y[v], x[v])))
        time = b.let("time", Op("select", (Op("or", (found, wakes)), time, end)))
        b.store(self._next, e, time)
        active = self.active(b, e)
        fires = b.let("fires", Op("and", (found, active)))
        stops = b.let("stops", Op("or", (wakes, Op("and", (found, Op("not", (active,)))))))
        if self._margin is None:
            fires = ir.const(False)
        with b.when(fires):
            again = Op("and", (
                Op("ieq", (b.load(self._fired_at, e), number)),
                Op("fle", (Op("fsub", (time, b.load(self._at, e))), ir.const(SAME))),
            ))  # fmt: skip
            with b.when(again, likely=False):
                b.store(self._fault, 0, e)
            self.instants.emit_push(b, time, self._spikes, e, ir.const(0))
        if group.has_refractory:
            with b.when(stops):
                self.instants.emit_push(b, time, self._wakes, e, ir.const(0))

    def _emit_start_now(
        self, b: ProgramBuilder, e: ir.Expr, at: ir.Local, x: Mapping[str, ir.Local]
    ) -> None:
        """The start of the step may be fictitious: what follows from it holds from the present on."""
        now = b.moment
        assert now is not None
        with b.when(Op("fgt", (now, at))):
            trial = self._after(b, e, {**x}, at, b.let("passed", Op("fsub", (now, at))))
            for v in self.names:
                b.store(self.before[v], e, trial.state[v])
                b.set(x[v], trial.state[v])
            b.set(at, now)
            b.store(self._at, e, now)

    # -- what comes up -----------------------------------------------------------------------------

    def _holds(self, b: ProgramBuilder, time: ir.Expr, e: ir.Expr) -> ir.Expr:
        """Whether an entry of the heap still holds."""
        same = Op("feq", (b.load(self._next, e), time))
        new = Op("ine", (b.load(self._member, e), b.load(self.instants.number, 0)))
        return Op("and", (self._is_known(b, e), Op("and", (same, new))))

    def _handle_spike(self, b: ProgramBuilder, time: ir.Expr, e: ir.Expr, ordinal: ir.Expr) -> None:
        group = self.group
        holds = Op("and", (self._holds(b, time, e), self.active(b, e)))
        with b.when(holds):
            self._emit_join(b, e)
            b.store(self._fired_at, e, b.load(self.instants.number, 0))
            group.emit_spike(b, e, time)

    def _handle_wake(self, b: ProgramBuilder, time: ir.Expr, e: ir.Expr, ordinal: ir.Expr) -> None:
        holds = Op("and", (self._holds(b, time, e), Op("not", (self.active(b, e),))))
        with b.when(holds):
            self._emit_join(b, e)
            b.store(self.group.variable("not_refractory").array, e, ir.const(True))


class HeldInput:
    """A `TimedArray` that changes within time steps: since when its value holds.

    Attributes
    ----------
    since : Array
        The time at which the present row begins.
    following : Array
        The row that holds from the present instant on; negative if none follows.
    """

    def __init__(self, name: str, timed: TimedArray) -> None:
        self._timed = timed
        self.since = Array(f"{name}.since", Element.F64, 1)
        self.following = Array(f"{name}.following", Element.I64, 1, fill=-1)

    def emit_begin(self, b: ProgramBuilder, instants: Instants, kind: ir.Expr, item: int) -> None:
        """A step begins: find the present row, and when others begin within the step."""
        every = self._timed.emit_dt(b)
        start = b.let("start", b.step_start(instants.clock))
        end = b.let("end", Op("fadd", (start, instants.horizon(b))))
        row = Op("ftoi", (Op("floor", (Op("fdiv", (Op("fadd", (start, ir.const(SAME))), every)),)),))
        row = b.let("row", row)
        last = b.let("last", Op("ftoi", (Op("floor", (Op("fdiv", (end, every)),)),)))
        instants.emit_room(b, Op("isub", (last, row)))
        b.store(self.since, 0, Op("fmul", (Op("itof", (row,)), every)))
        b.store(self.following, 0, ir.const(-1))
        with b.loop("r", Op("iadd", (row, ir.const(1))), Op("iadd", (last, ir.const(1)))) as r:
            time = Op("fsub", (Op("fmul", (Op("itof", (r,)), every)), start))
            instants.emit_push(b, time, kind, ir.const(item), r)

    def emit_change(self, b: ProgramBuilder) -> None:
        """From now on the row that follows holds."""
        row = b.let("row", b.load(self.following, 0))
        with b.when(Op("ige", (row, ir.const(0)))):
            b.store(self.since, 0, Op("fmul", (Op("itof", (row,)), self._timed.emit_dt(b))))
            b.store(self.following, 0, ir.const(-1))


@dataclass(frozen=True)
class _Trial:
    """What an integration over a span gives."""

    state: State
    error: ir.Expr | None  # in units of what is tolerated
    limit: ir.Expr | None  # the longest span that is good to rounding


@dataclass(frozen=True)
class _Search:
    """The loop body of the search for one neuron: integrate over a trial span, and decide what is next."""

    neurons: PreciseNeurons
    b: ProgramBuilder
    e: ir.Expr
    at: ir.Local  # where `x` stands
    x: dict[str, ir.Local]
    y: dict[str, ir.Local]
    goal: ir.Expr
    end: ir.Expr
    searching: ir.Expr
    phase: ir.Local
    found: ir.Local
    span: ir.Local  # of the trial
    whole: ir.Local
    low: _Bracket
    high: _Bracket
    last: _Bracket  # the trial before, in the search for a crossing
    size: ir.Expr  # of what the margin is the difference of

    def emit_trial(self, trials: ir.Expr) -> None:
        b, n = self.b, self.neurons
        span = b.let("span", self.span)
        trial = n._after(b, self.e, {**self.x}, self.at, span)
        there = Op("fadd", (self.at, span))
        if n._margin is None:
            margin = slope = ir.const(0.0)
        else:
            margin = n.margin_at(b, self.e, trial.state, there)
            slope = n.slope_at(b, self.e, trial.state, there)
        if n._margin is None:
            self._whole(trial, span, margin, slope)
            return
        b.choose(
            Op("ieq", (self.phase, ir.const(WHOLE))),
            lambda: self._whole(trial, span, margin, slope),
            lambda: self._refine(trial, span, margin, slope, trials),
        )

    # -- a whole span ------------------------------------------------------------------------------

    def _whole(self, trial: _Trial, span: ir.Expr, margin: ir.Expr, slope: ir.Expr) -> None:
        b, n = self.b, self.neurons
        accepted = b.let("accepted", n._is_accepted(trial, span))

        def accept() -> None:
            b.set(self.whole, span)
            if n._margin is None:
                self._go_on(trial, span, margin, slope)
            else:
                b.choose(
                    self.searching,
                    lambda: self._look(trial, span, margin, slope),
                    lambda: self._go_on(trial, span, margin, slope),
                )

        b.choose(accepted, accept, lambda: b.set(self.span, n._following_span(trial, span, accepted)))

    def _keep(self, trial: _Trial) -> None:
        for name, local in self.y.items():
            self.b.set(local, trial.state[name])

    def _look(self, trial: _Trial, span: ir.Expr, margin: ir.Expr, slope: ir.Expr) -> None:
        """Has the margin become positive within the span?"""
        b, low = self.b, self.low

        def crossed() -> None:
            self.high.set(b, span, margin, slope)
            self.last.set(b, span, margin, slope)
            self._keep(trial)
            b.set(self.phase, ir.const(ROOT))
            b.set(self.span, self._guess_root())

        def not_at_end() -> None:
            bound = self._peak_bound(low, span, margin, slope)
            humped = Op("and", (Op("fgt", (low.slope, ir.const(0.0))), Op("flt", (slope, ir.const(0.0)))))

            def look_for_peak() -> None:
                self.high.set(b, span, margin, slope)
                b.set(self.phase, ir.const(PEAK))
                b.set(self.span, self._guess_peak())

            b.choose(
                Op("and", (humped, Op("fgt", (bound, ir.const(0.0))))),
                look_for_peak,
                lambda: self._beyond(trial, span, margin, slope),
            )

        b.choose(Op("fgt", (margin, ir.const(0.0))), crossed, not_at_end)

    def _beyond(self, trial: _Trial, span: ir.Expr, margin: ir.Expr, slope: ir.Expr) -> None:
        """At the end of the step the instant there still belongs to it."""
        b = self.b
        last = Op("fge", (Op("fadd", (self.at, span)), Op("fsub", (self.end, ir.const(0.5 * SAME)))))
        reach = Op("fadd", (margin, Op("fmul", (ir.const(2 * SAME), slope))))
        near = Op("and", (last, Op("and", (
            Op("fge", (reach, ir.const(0.0))), Op("fgt", (slope, ir.const(0.0)))
        ))))  # fmt: skip

        def try_beyond() -> None:
            # the lower end of the bracket is where the span ends; where the search began is not needed any more
            self.low.set(b, span, margin, slope)
            self._keep(trial)
            b.set(self.phase, ir.const(BEYOND))
            b.set(self.span, Op("fadd", (span, ir.const(SAME))))

        b.choose(near, try_beyond, lambda: self._go_on(trial, span, margin, slope))

    def _go_on(self, trial: _Trial, span: ir.Expr, margin: ir.Expr, slope: ir.Expr) -> None:
        """Nothing has happened: the next span begins where this one ended."""
        b, n = self.b, self.neurons
        left = b.let("left", Op("fsub", (Op("fsub", (self.goal, self.at)), span)))
        done = b.let("done", Op("not", (Op("fgt", (left, ir.const(SHORTEST))),)))
        b.set(self.at, Op("select", (done, self.goal, Op("fadd", (self.at, span)))))
        for name, local in self.x.items():
            b.set(local, trial.state[name])
        self.low.set(b, ir.const(0.0), margin, slope)
        following = n._following_span(trial, span, ir.const(True))
        b.set(self.span, Op("select", (Op("flt", (following, left)), following, left)))
        b.set(self.phase, Op("select", (done, ir.const(DONE), ir.const(WHOLE))))

    # -- a crossing or a maximum within the span -----------------------------------------------------

    def _refine(
        self, trial: _Trial, span: ir.Expr, margin: ir.Expr, slope: ir.Expr, trials: ir.Expr
    ) -> None:
        b = self.b
        positive = b.let("positive", Op("fgt", (margin, ir.const(0.0))))

        def above() -> None:
            # from a maximum or beyond the end, what was tried before lies on the lower side
            new = Op("ine", (self.phase, ir.const(ROOT)))
            with b.when(new):
                self.last.set(b, self.low.time, self.low.margin, self.low.slope)
            self.high.set(b, span, margin, slope)
            self._keep(trial)
            b.set(self.phase, ir.const(ROOT))
            self._next_root(span, margin, slope, trials)

        def is_root() -> None:
            self.low.set(b, span, margin, slope)
            self._next_root(span, margin, slope, trials)

        def is_peak() -> None:
            self._next_peak(span, margin, slope)

        def is_back() -> None:
            self._beyond(trial, span, margin, slope)

        def below() -> None:
            phases = ((ROOT, is_root), (PEAK, is_peak), (BACK, is_back))
            b.choose(Op("ieq", (self.phase, ir.const(BEYOND))), self._end, lambda: self._one_of(phases))

        b.choose(positive, above, below)

    def _one_of(self, phases: Sequence[tuple[int, Callable[[], None]]]) -> None:
        b, (phase, then), rest = self.b, phases[0], phases[1:]
        if not rest:
            then()
        else:
            b.choose(Op("ieq", (self.phase, ir.const(phase))), then, lambda: self._one_of(rest))

    def _end(self) -> None:
        """Nothing happens until the end of the step; the state there was kept."""
        b = self.b
        b.set(self.at, self.goal)
        for name, local in self.x.items():
            b.set(local, self.y[name])
        b.set(self.phase, ir.const(DONE))

    def _next_root(self, span: ir.Expr, margin: ir.Expr, slope: ir.Expr, trials: ir.Expr) -> None:
        """Narrow the bracket of a crossing, or be done with it."""
        b, low, high = self.b, self.low, self.high
        width = b.let("width", Op("fsub", (high.time, low.time)))
        # of the margin: what rounding makes of numbers of the size that it is the difference of
        noise = b.let("noise", Op("fmul", (ir.const(RESOLUTION), self.size)))
        finest = Op("fadd", (Op("fmul", (ir.const(RESOLUTION), Op("fabs", (high.time,)))), ir.const(1e-23)))
        fine = b.let("fine", Op("fmax", (finest, Op("fabs", (Op("fdiv", (noise, slope)),)))))
        # the slope of the equations is not quite that of a method of low order: better that from the last trial
        rise = b.let("rise", Op("fsub", (margin, self.last.margin)))
        telling = Op("fgt", (Op("fabs", (rise,)), Op("fmul", (ir.const(64.0), noise))))
        secant = Op("fdiv", (rise, Op("fsub", (span, self.last.time))))
        steep = b.let("steep", Op("select", (telling, secant, slope)))
        self.last.set(b, span, margin, slope)
        newton = b.let("newton", Op("fsub", (span, Op("fdiv", (margin, steep)))))
        middle = Op("fadd", (low.time, Op("fmul", (ir.const(0.5), width))))
        # just beyond the crossing, so that its upper side becomes tight as well
        nudged = Op("fadd", (newton, Op("select", (
            Op("fgt", (margin, ir.const(0.0))), Op("fneg", (fine,)), fine
        ))))  # fmt: skip
        inside = Op("and", (Op("fgt", (nudged, low.time)), Op("flt", (nudged, high.time))))
        often = Op("ieq", (Op("iand", (trials, ir.const(7))), ir.const(0)))  # in case Newton creeps
        usable = Op("and", (inside, Op("not", (often,))))
        b.set(self.span, Op("select", (usable, nudged, middle)))
        done = Op("or", (
            Op("fle", (width, Op("fmul", (ir.const(2.0), finest)))),
            # where it rises: a low peak has as small margins on its other side
            Op("and", (
                Op("fle", (high.margin, Op("fmul", (ir.const(2.0), noise)))),
                Op("fge", (high.slope, ir.const(0.0))),
            )),
        ))  # fmt: skip

        def finish() -> None:
            b.set(self.found, ir.const(True))
            b.set(self.phase, ir.const(DONE))

        b.choose(done, finish)

    def _next_peak(self, span: ir.Expr, margin: ir.Expr, slope: ir.Expr) -> None:
        """Narrow the bracket of a maximum, or find that it stays below zero."""
        b, low, high = self.b, self.low, self.high
        b.choose(
            Op("fgt", (slope, ir.const(0.0))),
            lambda: low.set(b, span, margin, slope),
            lambda: high.set(b, span, margin, slope),
        )
        bound = self._peak_bound(low, high.time, high.margin, high.slope)
        width = Op("fsub", (high.time, low.time))
        narrow = Op("fle", (width, Op("fmul", (ir.const(1e-13), high.time))))
        over = Op("or", (narrow, Op("not", (Op("fgt", (bound, ir.const(0.0))),))))

        def give_up() -> None:  # and integrate over the whole span again, to go on from its end
            b.set(self.span, self.whole)
            b.set(self.phase, ir.const(BACK))

        b.choose(over, give_up, lambda: b.set(self.span, self._guess_peak()))

    def _peak_bound(
        self, low: _Bracket, time: ir.Expr, margin: ir.Expr, slope: ir.Expr
    ) -> ir.Expr:
        """Where the tangents at both ends meet: a concave margin stays below."""
        b = self.b
        width = Op("fsub", (time, low.time))
        # low.margin + low.slope*s = margin + slope*(s - width)
        s = Op("fdiv", (
            Op("fsub", (Op("fsub", (margin, low.margin)), Op("fmul", (slope, width)))),
            Op("fsub", (low.slope, slope)),
        ))  # fmt: skip
        return b.let("bound", Op("fadd", (low.margin, Op("fmul", (low.slope, s)))))

    def _guess_root(self) -> ir.Expr:
        low, high = self.low, self.high
        share = Op("fdiv", (low.margin, Op("fsub", (low.margin, high.margin))))
        return Op("fadd", (low.time, Op("fmul", (share, Op("fsub", (high.time, low.time))))))

    def _guess_peak(self) -> ir.Expr:
        """Where the slope would vanish if it changed linearly; the middle if that is no use."""
        b, low, high = self.b, self.low, self.high
        width = Op("fsub", (high.time, low.time))
        share = b.let("share", Op("fdiv", (low.slope, Op("fsub", (low.slope, high.slope)))))
        kept = Op("fmin", (Op("fmax", (share, ir.const(0.02))), ir.const(0.98)))
        return b.let("peak", Op("fadd", (low.time, Op("fmul", (kept, width)))))
