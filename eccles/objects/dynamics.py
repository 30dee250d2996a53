"""The equations of a group of neurons over spans of any length, and how near they are to what they may cross.

What is written here is code for one neuron at a time, lane by lane or alone: the state after a span
(`after`), how far the neuron is over its threshold (`margin_at`), whether it could have crossed it within a
span (`may_cross`). Who is integrated when is decided in `precise.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

from eccles.compile import ir
from eccles.compile.ir import F64, Op
from eccles.compile.lower import convert
from eccles.engine.program import ProgramBuilder
from eccles.engine.walk import SAME
from eccles.integrate.build import assign
from eccles.integrate.choose import integrator_for, step_of
from eccles.integrate.crossing import Margin, NotSmooth, margin_of, slack_of, slope_of
from eccles.integrate.floor import pulls_of, size_name
from eccles.integrate.flow import Flow, flow_of
from eccles.integrate.problem import Hoisted, Step
from eccles.integrate.reciprocal import with_reciprocals
from eccles.language.nodes import Expr, Number, names_in
from eccles.objects.coefficients import Coefficients, moves_systems
from eccles.objects.held_input import HeldInput

if TYPE_CHECKING:
    from eccles.objects.code import Code
    from eccles.objects.neurons import NeuronGroup

__all__ = ["DEFAULT_TOLERANCE", "SHORTEST", "Dynamics", "State", "Trial"]

SHORTEST = 1e-15  # seconds: a span that is not divided any more, however large its error
VANISHING = 1e-21  # seconds: nor is this one, even if the state at its end is not a number
BRIEF = 0.01  # of a time step: what the terms of an equation add within it is a floor for sizes
DEFAULT_TOLERANCE = 1e-8
PRECISE_METHODS = ("exact", "dopri5")  # tried in order where the user names none

State = dict[str, ir.Expr]


@dataclass(frozen=True)
class Trial:
    """What an integration over a span gives."""

    state: State
    error: ir.Expr | None  # in units of what is tolerated
    limit: ir.Expr | None  # the longest span that is good to rounding


def _is_finite(value: ir.Expr) -> ir.Expr:
    return Op("feq", (Op("fsub", (value, value)), ir.const(0.0)))


class Dynamics:
    """The equations and the threshold of one `NeuronGroup`.

    Parameters
    ----------
    group : NeuronGroup
    writes : frozenset of int
        Ids of the arrays that the program changes.

    Attributes
    ----------
    problem : Problem
        The equations; `names` are their variables.
    step, flow : Step, Flow
        Their solution over a whole time step, and over any span.
    margin : Margin or None
        How far the neuron is over its threshold, if that is looked for in exact time.
    waking : Margin or None
        What holds as long as the neuron is refractory, where that is a condition.
    slack : Expr or None
        How far the margin can rise within a step above its larger end; None if no bound is known.
    on_grid : str
        Why the threshold is looked at on the grid; empty if it is not.
    held : dict of str to HeldInput
        Inputs that change within time steps.
    """

    def __init__(self, group: NeuronGroup, writes: frozenset[int]) -> None:
        self.group = group
        self.problem = group.precise_problem()
        self._choose_method(writes)
        self.on_grid = ""
        self.margin: Margin | None = None
        self.waking: Margin | None = None  # its opposite ends a refractoriness that is a condition
        self._choose_margins()
        hoisted = [*self.flow.hoisted, *self._prepare_trees()]
        self.step_coefficients = Coefficients(group, self.step, writes)
        self.coefficients = Coefficients(group, Step("flow", (), hoisted=tuple(hoisted)), writes)
        self._scalars: dict[str, ir.Expr] = {}
        self.names = tuple(self.problem.variables)
        self.held = {name: HeldInput(name, timed) for name, timed in group.timed_arrays().items()}

    def _choose_method(self, writes: frozenset[int]) -> None:
        group = self.group
        if not self.problem.variables:
            self.step, self.flow = Step("none", ()), Flow((), (), (), None)
            return
        integrator, passed = integrator_for(self.problem, group.method, default=PRECISE_METHODS)
        step = step_of(self.problem, integrator, in_increments=True)
        if moves_systems(group, step, writes):
            passed = {**passed, integrator.name: "events change its coefficients"}
            integrator, _ = integrator_for(self.problem, PRECISE_METHODS[1:])
            step = step_of(self.problem, integrator)
        self.step = replace(step, passed_over=tuple(passed.items()))
        self.flow = flow_of(self.problem, integrator)

    def _choose_margins(self) -> None:
        group = self.group
        if "spike" not in group.events:
            return
        try:
            self.margin = margin_of(group.inlined_condition("spike"), self.problem, moves=group.moves)
            tree = group.refractory_condition()
            if tree is not None:
                self.waking = margin_of(tree, self.problem, moves=group.moves)
        except NotSmooth as reason:
            self.on_grid = str(reason)
            self.margin = self.waking = None

    def _prepare_trees(self) -> tuple[Hoisted, ...]:
        """The expressions that are looked at in every step, without divisions by constants.

        Returns the coefficients that they use.
        """
        self.slack: Expr | None = None
        self._slope = self._waking_slope = Number(0.0)
        pulls = pulls_of(self.problem) if self.adapts else {}
        trees = {f"_pull_{name}": pull for name, pull in pulls.items()}
        hoisted: tuple[Hoisted, ...] = ()
        if self.margin is not None:
            trees["_slope"] = slope_of(self.margin.value, self.problem)
        if self.waking is not None:
            trees["_waking_slope"] = slope_of(self.waking.value, self.problem)
        elif self.margin is not None and not self.step.errors:
            slack = slack_of(self.margin.value, self.problem)
            if slack is not None:
                trees["_slack"], hoisted = slack.value, slack.hoisted
        statements = tuple(assign(n, t) for n, t in trees.items())
        step = Step("look", statements, hoisted=(*self.flow.hoisted, *hoisted))
        step = with_reciprocals(step, self.problem)
        found = {a.target: a.value for a in step.statements}
        self._pulls = {name: found[f"_pull_{name}"] for name in pulls}
        self._slope = found.get("_slope", self._slope)
        self._waking_slope = found.get("_waking_slope", self._waking_slope)
        self.slack = found.get("_slack")
        return step.hoisted[len(self.flow.hoisted) :]

    @property
    def adapts(self) -> bool:
        """Whether errors are estimated, so that every neuron goes ahead in spans of its own length."""
        return bool(self.flow.errors)

    @property
    def can_superpose(self) -> bool:
        """Whether input may be added up: equations are linear, and how margins bend is known."""
        known = self.margin is None or self.slack is not None
        return self.step.method == "exact" and known and self.coefficients.is_uniform()

    def drifting(self) -> list[str]:
        """Variables that what drives them only adds to, whatever the method."""
        moving = set(self.names) | {"t", "t_in_timesteps"}
        return [name for name, rate in self.problem.equations.items() if not names_in(rate) & moving]

    # -- the state after a span --------------------------------------------------------------------

    def emit_prologue(self, b: ProgramBuilder) -> None:
        """Compute coefficients at the start of a call."""
        self._scalars = self.coefficients.emit_prologue(b)

    def code(self, b: ProgramBuilder, e: ir.Expr, state: State, start: ir.Expr) -> Code:
        """A translator for the equations: state and time at the start of a span are known."""
        code = self.group.element_code(b, e, "update")
        env = code.lowerer.env
        env.update(state)
        env["t"] = code.lowerer.let("t", Op("fadd", (b.step_start(self.group.clock), start)))
        self.hold_input(b, env)
        env["not_refractory"] = self.active(b, e)
        self.coefficients.extend(b, env, self._scalars, e, code)
        return code

    def hold_input(self, b: ProgramBuilder, env: dict[str, ir.Expr]) -> None:
        """Make known since when the values of inputs hold."""
        env[self.group.STEP_START] = b.step_start(self.group.clock)
        for name, held in self.held.items():
            env[f"_held_{name}"] = b.load(held.since, 0)

    def active(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        """Whether a neuron is not refractory."""
        if not self.group.has_refractory:
            return ir.const(True)
        return b.load(self.group.variable("not_refractory").array, e)

    def after(self, b: ProgramBuilder, e: ir.Expr, state: State, start: ir.Expr, span: ir.Expr) -> Trial:
        """The state after a span."""
        code = self.code(b, e, state, start)
        code.lowerer.env["dt"] = span
        code.lowerer.statements(self.flow.statements, dict.fromkeys(self.names, F64))
        after = {name: code.lowerer.env[name] for name in self.names}
        error = self.error(code, state, after, self.flow.errors)
        limit = None if self.flow.limit is None else code.number(self.flow.limit)
        return Trial(after, error, limit)

    def error(
        self, code: Code, before: State, after: State, errors: tuple[tuple[str, str], ...]
    ) -> ir.Expr | None:
        """The largest error of a span, relative to what is tolerated."""
        if not errors:
            return None
        let = code.lowerer.let
        tolerance = code.b.float_constant(
            ("tolerance", id(self.group)), "tolerance",
            lambda: float(self.group.method_options.get("tolerance", DEFAULT_TOLERANCE)),
        )  # fmt: skip
        sizes = {
            name: let("size", Op("fmax", (Op("fabs", (before[name],)), Op("fabs", (after[name],)))))
            for name in self.names
        }
        floors = self._floors(code, sizes)
        # Each is bound to a name, because it is used twice: trees would double with every variable.
        worst: ir.Expr | None = None
        for name, temporary in errors:
            scale: ir.Expr = Op("fadd", (sizes[name], Op("fabs", (Op("fsub", (after[name], before[name])),))))
            if name in floors:
                scale = Op("fmax", (scale, floors[name]))
            allowed = Op("fadd", (Op("fmul", (tolerance, scale)), ir.const(1e-300)))
            error = let("error", Op("fdiv", (Op("fabs", (code.lowerer.env[temporary],)), allowed)))
            if worst is not None:  # NaN comes through, be it old or new
                stays = Op("or", (Op("fgt", (worst, error)), Op("fne", (worst, worst))))
                error = let("worst", Op("select", (stays, worst, error)))
            worst = error
        return worst

    def _floors(self, code: Code, sizes: dict[str, ir.Expr]) -> dict[str, ir.Expr]:
        """Sizes below which variables need not be accurate."""
        env = code.lowerer.env
        env.update({size_name(name): size for name, size in sizes.items()})
        brief = Op("fmul", (ir.const(BRIEF), code.b.dt(self.group.clock)))
        floors: dict[str, ir.Expr] = {}
        for name, pull in self._pulls.items():
            floor = floors[name] = code.lowerer.let("floor", Op("fmul", (brief, code.number(pull))))
            env[size_name(name)] = code.lowerer.let("size", Op("fmax", (sizes[name], floor)))
        return floors

    def is_accepted(self, trial: Trial, span: ir.Expr, start: State) -> ir.Expr:
        """Whether a span was short enough for one integration, or there is no use in dividing it."""
        good: list[ir.Expr] = []
        if trial.error is not None:
            good.append(Op("fle", (trial.error, ir.const(1.0))))
        elif self.step.method not in ("exact", "none"):  # beyond a threshold, some equations run away
            good += [_is_finite(value) for value in trial.state.values()]
        if trial.limit is not None:
            good.append(Op("fle", (span, trial.limit)))
        if not good:
            return ir.const(True)
        # an upswing may run away within the shortest span, yet cross the threshold on its way
        useless: ir.Expr = Op("fle", (span, ir.const(SHORTEST)))
        for value in trial.state.values():
            useless = Op("and", (useless, _is_finite(value)))
        useless = Op("or", (useless, Op("fle", (span, ir.const(VANISHING)))))
        for value in start.values():
            useless = Op("or", (useless, Op("not", (_is_finite(value),))))
        return Op("or", (reduce(lambda a, b: Op("and", (a, b)), good), useless))

    def following_span(self, trial: Trial, span: ir.Expr, accepted: ir.Expr) -> ir.Expr:
        """How far to go next: longer or shorter by about the fifth root of the error."""
        factor: ir.Expr = Op("select", (accepted, ir.const(2.0), ir.const(0.25)))
        if trial.error is not None:
            # accepted without a number for the error: the state is none either, and stays so
            longer: ir.Expr = Op(
                "select", (Op("fle", (trial.error, ir.const(1.0))), ir.const(0.9), ir.const(1e12))
            )
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

    # -- how near it is to what it may cross ---------------------------------------------------------

    def margin_at(self, b: ProgramBuilder, e: ir.Expr, state: State, time: ir.Expr) -> ir.Expr:
        """How far over the threshold (or, while refractory, how far beyond its end) a state is."""
        assert self.margin is not None
        waking = None if self.waking is None else self.waking.value
        return self._either(b, e, state, time, self.margin.value, waking)

    def slope_at(self, b: ProgramBuilder, e: ir.Expr, state: State, time: ir.Expr) -> ir.Expr:
        """How fast the margin grows."""
        return self._either(
            b, e, state, time, self._slope, None if self.waking is None else self._waking_slope
        )

    def _either(
        self, b: ProgramBuilder, e: ir.Expr, state: State, time: ir.Expr, ready: Expr, resting: Expr | None
    ) -> ir.Expr:
        """The value of an expression, or less that of another while the neuron is refractory."""
        code = self.code(b, e, state, time)
        value = code.number(ready)
        if resting is not None:
            value = Op("select", (self.active(b, e), value, Op("fneg", (code.number(resting),))))
        return code.lowerer.let("margin", value)

    def size_of_margin(self, b: ProgramBuilder, e: ir.Expr, state: State, time: ir.Expr) -> ir.Expr:
        """How large the numbers are that the margin is the difference of."""
        assert self.margin is not None
        code = self.code(b, e, state, time)
        sizes = [Op("fabs", (code.number(part),)) for part in self.margin.parts()]
        total: ir.Expr = ir.const(0.0)
        for size in sizes:
            total = Op("fadd", (total, size))
        return total

    def can_cross(self, b: ProgramBuilder, e: ir.Expr, state: State, time: ir.Expr) -> ir.Expr:
        """Whether there is anything that a neuron could cross."""
        if self.margin is None:
            return ir.const(False)
        holds: ir.Expr = self.active(b, e)
        if self.margin.gates:
            code = self.code(b, e, state, time)
            for gate in self.margin.gates:
                holds = Op("and", (holds, convert(code.expr(gate), ir.BOOL)))
        if self.waking is not None:
            holds = Op("or", (holds, Op("not", (self.active(b, e),))))
        return holds

    def is_over(self, margin: ir.Expr) -> ir.Expr:
        assert self.margin is not None
        return Op("fgt" if self.margin.strict else "fge", (margin, ir.const(0.0)))

    def slack_at(self, b: ProgramBuilder, e: ir.Expr, state: State) -> ir.Expr:
        """How far the margin can rise within a step above its larger end, from a state at the start."""
        assert self.slack is not None
        return self.code(b, e, state, ir.const(0.0)).number(self.slack)

    def may_cross(
        self, b: ProgramBuilder, e: ir.Expr, x0: State, x1: State, start: ir.Expr, span: ir.Expr
    ) -> ir.Expr:
        """Whether a neuron could have crossed within a span: never false where it has."""
        if self.margin is None:
            return ir.const(False)
        m0 = self.margin_at(b, e, x0, start)
        m1 = self.margin_at(b, e, x1, Op("fadd", (start, span)))
        larger = Op("select", (Op("fgt", (m0, m1)), m0, m1))
        change = Op("fabs", (Op("fsub", (m1, m0)),))
        if self.slack is not None:
            code = self.code(b, e, x0, start)
            slack = code.lowerer.let("slack", code.number(self.slack))
            # what belongs to the step reaches beyond its end by an instant
            beyond = Op("fmul", (
                Op("fdiv", (ir.const(8 * SAME), b.dt(self.group.clock))), Op("fadd", (change, slack))
            ))  # fmt: skip
            rise = Op("fadd", (slack, beyond))
        else:
            slope = Op("fabs", (self.slope_at(b, e, x0, start),))
            rise = Op(
                "fmul", (ir.const(0.5), Op("fadd", (change, Op("fmul", (slope, b.dt(self.group.clock))))))
            )
        # a margin that is not a number may have been anything on its way there
        over = Op("not", (Op("flt", (Op("fadd", (larger, rise)), ir.const(0.0))),))
        return Op("and", (over, self.can_cross(b, e, x0, start)))

    def wakes_in_step(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        """Whether a refractory period ends in this step."""
        if not self.group.refractory_is_time:
            return ir.const(False)
        due = Op("ile", (self.group.refractory_end(b, e)[0], b.step(self.group.clock)))
        return Op("and", (Op("not", (self.active(b, e),)), due))
