"""A group of neurons in exact time: followed from event to event, and to the moments at which they spike.

At the start of a step the whole group is integrated to its end in one vector loop, as on a grid. That is
already the result for every neuron to which nothing happens in between. For the others two arrays per state
variable are enough:

- `before`: the state at the time `at`, the last moment at which something happened to the neuron (the start
  of the step, if nothing did);
- the variable itself: the state at the time `next`, the moment at which the neuron will spike or stop being
  refractory if nothing happens before, else the end of the step.

When something happens to neurons (a spike arrives; it is the moment `next`), all of them form a batch. The
batch is *advanced* to the instant in a vector loop, the model's statements run, and its future is *predicted*
in another: where a neuron may reach its threshold it is *searched*, one by one (`search.py`). The equations
are in `dynamics.py`; where their errors are estimated, neurons go ahead in spans of their own
(`own_spans.py`); input that can be added up is in `superposition.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NoReturn

from eccles.compile import ir
from eccles.compile.ir import F64, Element, Op
from eccles.engine.instants import Instants
from eccles.engine.program import Block, Outcome, Part, ProgramBuilder
from eccles.engine.state import Array
from eccles.engine.walk import SAME
from eccles.errors import RunError
from eccles.objects.batch import Batch
from eccles.objects.dynamics import Dynamics, State
from eccles.objects.own_spans import OwnSpans
from eccles.objects.search import MOST_TRIALS, Search

if TYPE_CHECKING:
    from eccles.objects.neurons import NeuronGroup

__all__ = ["PreciseNeurons", "fires_without_end"]


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
    dynamics : Dynamics
        The equations and the threshold.
    names : tuple of str
        The variables that are integrated.
    before : dict of str to Array
        The state at the time `at`.
    at, next, touched : Array
        The times of both states, and at which instant they were set; see the module's docstring.
    batch : Batch
        The neurons to which something happens at this instant.
    careful, n_careful : Array
        Those that have to be searched.
    adds_up : bool
        Whether there is a `Superposition`.
    n_spans : Array
        How many integrations over spans of their own neurons have taken, those of searches included.
    """

    def __init__(self, group: NeuronGroup, instants: Instants, writes: frozenset[int]) -> None:
        self.group = group
        self.instants = instants
        self.dynamics = Dynamics(group, writes)
        self.names = self.dynamics.names
        group.method_choice = self.dynamics.step
        self._scalars: dict[str, ir.Expr] = {}
        self._declare_arrays(len(group))
        self._input_changes = instants.kind(f"{group.name} input changes", self._handle_change)
        self._spikes: ir.Expr = ir.const(0)
        if "spike" in group.events:
            self._spikes = instants.kind(f"{group.name} spikes", self._handle_spike)
        self._wakes: ir.Expr = ir.const(0)
        if group.has_refractory:
            self._wakes = instants.kind(f"{group.name} stops being refractory", self._handle_wake)

    def _declare_arrays(self, n: int) -> None:
        name = self.group.name
        self.before = {v: Array(f"{name}.{v}.before", Element.F64, n) for v in self.names}
        self._carry = {v: self.group.carry(v) for v in self.dynamics.drifting()}
        self.result = {v: Array(f"{name}.{v}.result", Element.F64, n) for v in self.names}
        self.at = Array(f"{name}.at", Element.F64, n)
        self.next = Array(f"{name}.next", Element.F64, n)
        self.touched = Array(f"{name}.touched", Element.I64, n)  # at which instant `at` and `next` were set
        self._fired_at = Array(f"{name}.fired_at", Element.I64, n)  # which instant
        self.batch = Batch(name, n, self.instants)
        self.careful = Array(f"{name}.careful", Element.I32, n)  # to be searched
        self.n_careful = Array(f"{name}.n_careful", Element.I64, 1)
        self._hard = Array(f"{name}.hard", Element.I32, n)  # too much happens for one span
        self._fault = Array(f"{name}.fault", Element.I64, 1)
        self._stuck = Array(f"{name}.stuck", Element.I64, 1)  # one more than the neuron; 0 if there is none
        self.n_spans = Array(f"{name}.n_spans", Element.I64, 1)
        self._looked_at = Array(f"{name}.looked_at", Element.I64, n)  # at which instant
        self.adds_up = False
        self._spans = OwnSpans(self) if self.dynamics.adapts else None

    # -- blocks ------------------------------------------------------------------------------------

    def blocks(self) -> list[Block]:
        """Update, search and what belongs to it."""
        group = self.group

        def block(what: str, part: Part, emit: Callable[[ProgramBuilder], None]) -> Block:
            slot = "groups" if part is Part.BEFORE else "thresholds"
            return Block(f"{group.name}_{what}", group.clock, slot, group.order, emit, part)

        spans = self._spans
        begin = self._emit_update if spans is None else spans.emit_begin
        predict = self._emit_predict if spans is None else spans.emit_predict
        advance = self._emit_advance if spans is None else spans.emit_advance

        def begin_with_coefficients(b: ProgramBuilder) -> None:
            self.dynamics.emit_prologue(b)
            begin(b)

        return [
            *([block("input", Part.BEFORE, self._emit_input)] if self.dynamics.held else []),
            block("stateupdater", Part.BEFORE, begin_with_coefficients),
            block("predict", Part.PREDICT, predict),
            block("search", Part.SEARCH, self._emit_search),
            block("advance", Part.ADVANCE, advance),
        ]

    @property
    def on_grid(self) -> str:
        """Why the threshold is looked at on the grid; empty if it is not."""
        return self.dynamics.on_grid

    # -- the whole group ---------------------------------------------------------------------------

    def _emit_update(self, b: ProgramBuilder) -> None:
        """Integrate all neurons to the end of the step; list those that have to be looked at."""
        group = self.group
        self._scalars = self.dynamics.step_coefficients.emit_prologue(b)
        count = b.var("n_careful", ir.const(0))
        start = ir.const(0.0)
        dt = b.dt(group.clock)
        with b.vector("i", b.size_of(group, len(group))) as i:
            x0: State = {v: b.let(v, b.load(group.variable(v).array, i)) for v in self.names}
            code = group.element_code(b, i, "update")
            env = code.lowerer.env
            env.update(x0)
            self.dynamics.hold_input(b, env)
            active = self.dynamics.active(b, i)
            if group.refractory_condition() is not None and self.dynamics.waking is None:
                active = group.emit_not_refractory(b, code, i)  # on the grid, as the threshold
            env["not_refractory"] = active
            self.dynamics.step_coefficients.extend(b, env, self._scalars, i, code)
            code.lowerer.statements(self.dynamics.step.statements, dict.fromkeys(self.names, F64))
            x1 = {name: env[name] for name in self.names}
            carries = self._add_up(b, i, x0, x1)
            look = self.dynamics.may_cross(b, i, x0, x1, start, dt)
            if group.has_refractory:
                look = Op("or", (look, self.dynamics.wakes_in_step(b, i)))
            for name in self.names:
                b.store(self.before[name], i, x0[name])
                if name in code.lowerer.assigned:
                    b.store(group.variable(name).array, i, x1[name])
            for name, carry in carries.items():
                b.store(self._carry[name], i, carry)
            if look != ir.const(False):
                b.emit(ir.Append(b.buffer(self.careful), count, i, look))
        b.store(self.n_careful, 0, count)

    def _emit_input(self, b: ProgramBuilder) -> None:
        """Which values of inputs hold at the start of the step, and when others follow within it."""
        for k, held in enumerate(self.dynamics.held.values()):
            held.emit_begin(b, self.instants, self._input_changes, k)

    def _handle_change(self, b: ProgramBuilder, time: ir.Expr, which: ir.Expr, row: ir.Expr) -> None:
        for k, held in enumerate(self.dynamics.held.values()):
            with b.when(Op("ieq", (which, ir.const(k)))):
                b.store(held.following, 0, row)
        with b.loop("i", ir.const(0), b.size_of(self.group, len(self.group))) as i:
            self.emit_touch(b, i)

    def _add_up(self, b: ProgramBuilder, i: ir.Expr, x0: State, x1: State) -> State:
        """Add up what drives variables without leak, which forget nothing, with what rounding takes off.

        Changes `x1`; returns what is to be carried over to the next step (Kahan 1965, Commun. ACM 8:40).
        """
        carries: State = {}
        for name in self._carry:
            code = self.dynamics.code(b, i, x0, ir.const(0.0))
            rate = code.number(self.dynamics.problem.equations[name])
            if name in self.dynamics.problem.frozen:
                rate = Op("select", (self.dynamics.active(b, i), rate, ir.const(0.0)))
            dt = b.dt(self.group.clock)
            step = b.let("step", Op("fmul", (rate, dt)))
            # the product is rounded the same way in every step
            rest = Op("fadd", (Op("fmuladd", (rate, dt, Op("fneg", (step,)))), b.load(self._carry[name], i)))
            rest = b.let("rest", rest)
            added = b.let("added", Op("fadd", (step, rest)))
            lost = Op("fsub", (rest, Op("fsub", (added, step))))
            x1[name] = b.let(name, Op("fadd", (x0[name], added)))
            carries[name] = Op("fadd", (Op("fsub", (added, Op("fsub", (x1[name], x0[name])))), lost))
        return carries

    # -- a batch -----------------------------------------------------------------------------------

    def emit_touch(self, b: ProgramBuilder, e: ir.Expr) -> None:
        """Put a neuron into the batch of the instant."""
        self.batch.emit_touch(b, e)

    def _is_known(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        """Whether something has happened to a neuron in this step already."""
        return Op("igt", (b.load(self.touched, e), b.load(self.instants.opened, 0)))

    def begin_of(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        """The time of the state in `before`."""
        return b.let("at", Op("select", (self._is_known(b, e), b.load(self.at, e), ir.const(0.0))))

    def is_own(self, b: ProgramBuilder, e: ir.Expr, now: ir.Expr) -> ir.Expr:
        """Whether the instant is one at which the neuron spikes or stops being refractory anyway."""
        return b.let("own", Op("fle", (self.next_of(b, e), Op("fadd", (now, ir.const(SAME))))))

    def next_of(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        """The time of the state in the variables themselves."""
        end = b.dt(self.group.clock)
        return b.let("next", Op("select", (self._is_known(b, e), b.load(self.next, e), end)))

    def _emit_advance(self, b: ProgramBuilder) -> None:
        """Bring the batch to the instant."""
        group, now = self.group, b.moment
        assert now is not None
        n = b.let("n", b.load(self.batch.n, 0))
        with b.when(Op("igt", (n, ir.const(0)))):
            count = b.var("n_hard", ir.const(0))
            with b.vector("k", n) as k:
                e = b.let("e", b.load(self.batch.ids, k))
                own = self.is_own(b, e, now)
                at = self.begin_of(b, e)
                x0: State = {v: b.let(v, b.load(self.before[v], e)) for v in self.names}
                span = b.let("span", Op("fsub", (now, at)))
                trial = self.dynamics.after(b, e, x0, at, span)
                for v in self.names:
                    there = b.load(group.variable(v).array, e)
                    b.store(self.result[v], k, Op("select", (own, there, trial.state[v])))
                if trial.limit is not None:
                    hard = Op("and", (Op("fgt", (span, trial.limit)), Op("not", (own,))))
                    b.emit(ir.Append(b.buffer(self._hard), count, e, hard))
            with b.loop("k", ir.const(0), n) as k:
                e = b.let("e", b.load(self.batch.ids, k))
                own = self.is_own(b, e, now)
                for v in self.names:
                    b.store(group.variable(v).array, e, b.load(self.result[v], k))
                # `at` still says where `before` stands, for those that are hard
                b.store(self.next, e, Op("select", (own, self.next_of(b, e), now)))
            if self.dynamics.flow.limit is not None:
                with b.loop("k", ir.const(0), count) as k:
                    self._emit_integrate(b, b.let("e", b.load(self._hard, k)), now)
                self.emit_leave_if_stuck(b)
            with b.loop("k", ir.const(0), n) as k:
                e = b.let("e", b.load(self.batch.ids, k))
                b.store(self.at, e, b.load(self.next, e))
                b.store(self.touched, e, b.load(self.instants.number, 0))

    def _emit_integrate(self, b: ProgramBuilder, e: ir.Expr, until: ir.Expr) -> None:
        """Integrate one neuron from `before` to a moment before anything happens to it."""
        at = b.var("a", self.begin_of(b, e))
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
            trial = self.dynamics.after(b, e, {**x}, at, here)
            accepted = b.let("accepted", self.dynamics.is_accepted(trial, here, {**x}))

            def go_on() -> None:
                whole = Op("fge", (here, left))
                b.set(at, Op("select", (whole, until, Op("fadd", (at, here)))))
                for v in self.names:
                    b.set(x[v], trial.state[v])

            b.choose(accepted, go_on)
            b.set(span, self.dynamics.following_span(trial, here, accepted))
        b.emit(ir.While(going, tuple(statements)))
        with b.when(Op("ige", (trials, ir.const(MOST_TRIALS))), likely=False):
            self.emit_stuck(b, e)
        for v in self.names:
            b.store(self.group.variable(v).array, e, x[v])

    def emit_change_input(self, b: ProgramBuilder) -> None:
        """What the last instant came to for inputs: until then the old values hold."""
        for held in self.dynamics.held.values():
            held.emit_change(b)

    def _emit_predict(self, b: ProgramBuilder) -> None:
        """Follow the batch of the last instant to the end of the step; list whom to search."""
        group = self.group
        n = b.let("n", b.load(self.batch.n, 0))
        self.emit_change_input(b)
        with b.when(Op("igt", (n, ir.const(0)))):
            end = b.dt(group.clock)
            count = b.var("n_careful", b.load(self.n_careful, 0))
            with b.vector("k", n) as k:
                e = b.let("e", b.load(self.batch.ids, k))
                at = b.let("at", b.load(self.at, e))
                x0: State = {v: b.let(v, b.load(group.variable(v).array, e)) for v in self.names}
                span = b.let("span", Op("fsub", (end, at)))
                trial = self.dynamics.after(b, e, x0, at, span)
                for v in self.names:
                    b.store(self.result[v], k, trial.state[v])
                look = self.dynamics.may_cross(b, e, x0, trial.state, at, span)
                if trial.limit is not None:
                    look = Op("or", (look, Op("fgt", (span, trial.limit))))
                if group.has_refractory:
                    look = Op("or", (look, self.dynamics.wakes_in_step(b, e)))
                if look != ir.const(False):
                    b.emit(ir.Append(b.buffer(self.careful), count, e, look))
            b.store(self.n_careful, 0, count)
            with b.loop("k", ir.const(0), n) as k:
                e = b.let("e", b.load(self.batch.ids, k))
                for v in self.names:
                    b.store(self.before[v], e, b.load(group.variable(v).array, e))
                    b.store(group.variable(v).array, e, b.load(self.result[v], k))
                for carry in self._carry.values():
                    b.store(carry, e, ir.const(0.0))
                b.store(self.next, e, end)
            self.batch.emit_clear(b)

    def emit_is_pending(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        """Whether something has happened to a neuron in this step that is more than added-up input."""
        return self._is_known(b, e)

    def emit_is_member(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        """Whether a neuron is in the batch of the instant."""
        return self.batch.is_member(b, e)

    def emit_look_at(self, b: ProgramBuilder, e: ir.Expr) -> None:
        """Have a neuron searched from the present on, once."""
        number = b.load(self.instants.number, 0)
        with b.when(Op("ine", (b.load(self._looked_at, e), number))):
            b.store(self._looked_at, e, number)
            n = b.let("n", b.load(self.n_careful, 0))
            b.store(self.careful, n, e)
            b.store(self.n_careful, 0, Op("iadd", (n, ir.const(1))))

    # -- the search --------------------------------------------------------------------------------

    def _emit_search(self, b: ProgramBuilder) -> None:
        n = b.let("n", b.load(self.n_careful, 0))
        with b.when(Op("igt", (n, ir.const(0)))):
            self.instants.emit_room(b, n)
            b.store(self._fault, 0, ir.const(-1))
            with b.loop("c", ir.const(0), n) as c:
                self._emit_search_one(b, b.let("e", b.load(self.careful, c)))
            b.store(self.n_careful, 0, ir.const(0))
            bad = Op("ige", (b.load(self._fault, 0), ir.const(0)))
            b.leave_if(bad, Outcome(f"{self.group.name}: a neuron fires without end", self._endless))
            self.emit_leave_if_stuck(b)

    def emit_count_spans(self, b: ProgramBuilder, n: ir.Expr) -> None:
        """Count integrations over spans."""
        b.store(self.n_spans, 0, Op("iadd", (b.load(self.n_spans, 0), n)))

    def emit_stuck(self, b: ProgramBuilder, e: ir.Expr) -> None:
        """Note a neuron that has not come to its goal in as many spans as are tried."""
        b.store(self._stuck, 0, Op("iadd", (e, ir.const(1))))

    def emit_leave_if_stuck(self, b: ProgramBuilder) -> None:
        """Leave if there is such a neuron."""
        stuck = Op("igt", (b.load(self._stuck, 0), ir.const(0)))
        b.leave_if(stuck, Outcome(f"{self.group.name}: more spans than are tried", self._too_stiff))

    def _too_stiff(self) -> NoReturn:
        k, clock = int(self._stuck.data[0]) - 1, self.group.clock
        self._stuck.data[0] = 0
        self.forget()
        self.instants.forget()
        raise RunError(
            f"neuron {k} of {self.group.name} needs more than {MOST_TRIALS} steps of its own within the time "
            f"step at t = {clock.t_ * 1e3:.6g} ms: something in it changes very much faster than dt",
            hint="Look for a time constant that is far too short. If it is meant, ask for less accuracy "
            "(method_options={'tolerance': 1e-4}), or name a method for stiff equations: "
            "method='exponential_euler'.",
        )

    def _endless(self) -> NoReturn:
        self.forget()
        self.instants.forget()
        raise fires_without_end(self.group, int(self._fault.data[0]))

    def forget(self) -> None:
        """Leave the step: nothing is under way any more."""
        self.batch.forget()
        self.n_careful.data[0] = 0

    def _emit_search_one(self, b: ProgramBuilder, e: ir.Expr) -> None:
        """Find out what a neuron does until the end of the step if nothing happens to it."""
        group, clock = self.group, self.group.clock
        number = b.load(self.instants.number, 0)
        begin = self.begin_of(b, e)
        b.store(self.at, e, begin)
        b.store(self.touched, e, number)
        if self._spans is not None:  # up to here it has been followed already
            at = b.var("a", b.load(self._spans.reached, e))
            x = {v: b.var(v, b.load(group.variable(v).array, e)) for v in self.names}
        else:
            at = b.var("a", begin)
            x = {v: b.var(v, b.load(self.before[v], e)) for v in self.names}
            if self.adds_up:
                self._emit_start_now(b, e, at, x)
        end = b.dt(clock)
        goal: ir.Expr = end
        wakes: ir.Expr = ir.const(False)
        if group.has_refractory and group.refractory_is_time:
            last_step, offset = group.refractory_end(b, e)
            steps = Op("isub", (last_step, b.step(clock)))
            ready = Op("fadd", (Op("fmul", (Op("itof", (steps,)), end)), offset))
            wakes = b.let("wakes", self.dynamics.wakes_in_step(b, e))
            goal = b.let("goal", Op("select", (wakes, Op("fmax", (ready, at)), end)))
        longest = None if self._spans is None else b.load(self._spans.span, e)
        search = Search.begin(b, self.dynamics, e, at, x, goal, longest)
        time = b.let("time", search.emit())
        self.emit_count_spans(b, search.trials)
        with b.when(search.is_stuck(), likely=False):
            self.emit_stuck(b, e)
        found, y = search.found, search.y
        for v in self.names:
            b.store(group.variable(v).array, e, Op("select", (found, y[v], x[v])))
        time = b.let("time", Op("select", (Op("or", (found, wakes)), time, end)))
        b.store(self.next, e, time)
        active = self.dynamics.active(b, e)
        fires = b.let("fires", Op("and", (found, active)))
        stops = b.let("stops", Op("or", (wakes, Op("and", (found, Op("not", (active,)))))))
        if self.dynamics.margin is None:
            fires = ir.const(False)
        with b.when(fires):
            again = Op("and", (
                Op("ieq", (b.load(self._fired_at, e), number)),
                Op("fle", (Op("fsub", (time, b.load(self.at, e))), ir.const(SAME))),
            ))  # fmt: skip
            with b.when(again, likely=False):
                b.store(self._fault, 0, e)
            self.instants.emit_push(b, time, self._spikes, e, ir.const(0))
        if group.has_refractory:
            with b.when(stops):
                self.instants.emit_push(b, time, self._wakes, e, ir.const(0))

    def _emit_start_now(self, b: ProgramBuilder, e: ir.Expr, at: ir.Local, x: Mapping[str, ir.Local]) -> None:
        """The start of the step may be fictitious: what follows from it holds from the present on."""
        now = b.moment
        assert now is not None
        with b.when(Op("fgt", (now, at))):
            trial = self.dynamics.after(b, e, {**x}, at, b.let("passed", Op("fsub", (now, at))))
            for v in self.names:
                b.store(self.before[v], e, trial.state[v])
                b.set(x[v], trial.state[v])
            b.set(at, now)
            b.store(self.at, e, now)

    # -- what comes up -----------------------------------------------------------------------------

    def _holds(self, b: ProgramBuilder, time: ir.Expr, e: ir.Expr) -> ir.Expr:
        """Whether an entry of the heap still holds."""
        same = Op("feq", (b.load(self.next, e), time))
        new = Op("not", (self.batch.is_member(b, e),))
        return Op("and", (self._is_known(b, e), Op("and", (same, new))))

    def _handle_spike(self, b: ProgramBuilder, time: ir.Expr, e: ir.Expr, ordinal: ir.Expr) -> None:
        group = self.group
        holds = Op("and", (self._holds(b, time, e), self.dynamics.active(b, e)))
        with b.when(holds):
            self.batch.emit_join(b, e)
            b.store(self._fired_at, e, b.load(self.instants.number, 0))
            group.emit_spike(b, e, time)

    def _handle_wake(self, b: ProgramBuilder, time: ir.Expr, e: ir.Expr, ordinal: ir.Expr) -> None:
        holds = Op("and", (self._holds(b, time, e), Op("not", (self.dynamics.active(b, e),))))
        with b.when(holds):
            self.batch.emit_join(b, e)
            b.store(self.group.variable("not_refractory").array, e, ir.const(True))
