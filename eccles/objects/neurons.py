"""Groups of neurons, and parts of them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.compile.lower import Lowerer, convert
from eccles.engine.clock import Clock, to_seconds
from eccles.engine.components import Components
from eccles.engine.events import EventBuffer
from eccles.engine.instants import Instants
from eccles.engine.program import Block, Part, ProgramBuilder
from eccles.engine.state import Array
from eccles.engine.walk import SAME
from eccles.errors import EquationError, SetupError, UnitError
from eccles.integrate.choose import integrator_for
from eccles.integrate.problem import Problem, Step
from eccles.language.check import Symbol, check_equations, check_expression, check_statements, infer
from eccles.language.equations import Equation, Equations
from eccles.language.nodes import (
    Assignment,
    Call,
    Expr,
    Name,
    children,
    names_in,
    replace_children,
    substitute,
    walk,
)
from eccles.language.parser import parse_expression, parse_statements
from eccles.objects import magic
from eccles.objects.closed_form import ClosedFormNeurons, why_no_closed_form
from eccles.objects.code import Code
from eccles.objects.coefficients import Coefficients, chosen_step
from eccles.objects.group import SimulationObject
from eccles.objects.precise import PreciseNeurons
from eccles.objects.problems import Deferring, collecting
from eccles.objects.sources import SpikeSource, Subgroup, count_of, range_of
from eccles.objects.statements import IR_TYPES, emit_assignments
from eccles.objects.stored import stored_array, stored_number
from eccles.objects.superposition import Superposition
from eccles.objects.swept import first_values
from eccles.objects.timed import TimedArray
from eccles.objects.timing import SpikeTimes, Timing, checked_spike_times
from eccles.objects.variables import Variable, VariableView
from eccles.units import DIMENSIONLESS, Dimension, Quantity, second

__all__ = ["NeuronGroup"]

ALLOWED_FLAGS = {
    "differential": {"unless refractory"},
    "subexpression": {"shared", "constant over dt"},
    "parameter": {"constant", "shared", "linked"},
}
NEVER = -1e4  # seconds: the last spike of a neuron that has not spiked


def checked_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """The options of an integration method; raises if one of them makes no sense."""
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(f"method_options is a dict of options and values, not {options!r}")
    found = dict(options or {})
    if "tolerance" in found:
        tolerance = found["tolerance"]
        number = isinstance(tolerance, int | float | np.number) and not isinstance(tolerance, Quantity)
        if not number or not 0 < tolerance < 1:
            raise SetupError(
                f"the tolerance of a method has to be a number between 0 and 1, not {tolerance!r}",
                hint="It is the error of a step relative to the variables, such as 1e-8.",
            )
    return found


class NeuronGroup(SpikeSource):
    """Neurons that share a model.

    Parameters
    ----------
    N : int
        How many.
    model : str or Equations
        One line per variable: `dv/dt = (E_L - v)/tau : volt (unless refractory)`,
        `I = g*(v - E) : amp`, `tau : second (constant)`.
    method : str or sequence of str, optional
        How to integrate; by default the first of the face's methods that fits.
    method_options : dict, optional
        `{'tolerance': 1e-8}`: the error of each step of 'dopri5', relative to the variables.
    threshold : str, optional
        The condition for a spike, such as `'v > -50*mV'`.
    reset : str, optional
        Statements run for each neuron that spikes.
    refractory : time, str or False
        For how long after a spike there is no other: a time, an expression for one, or a condition
        that holds as long as the neuron stays refractory.
    events : dict of str to str, optional
        Names and conditions of further events.
    namespace : dict, optional
        Values for names in the model; if given, names of the script are not looked at.
    dtype : numpy dtype or dict of str to dtype, optional
        float64 (default) or float32 for the storage of variables.
    dt, clock : optional
        An own time step, or an own clock.
    name : str, optional
    spike_times : {'precise', 'grid'}, optional
        Whether spikes come at the exact moment at which the threshold is reached, or at the end of the time
        step; by default as the network has it.

    Raises
    ------
    ModelError
        If the model text is wrong (in the compatible face at `run()`).
    """

    def __init__(
        self,
        N: int,
        model: str | Equations = "",
        method: str | Sequence[str] | Any = None,
        method_options: Mapping[str, Any] | None = None,
        threshold: str | None = None,
        reset: str | None = None,
        refractory: Quantity | str | bool = False,
        events: Mapping[str, str] | None = None,
        namespace: Mapping[str, Any] | None = None,
        dtype: Any = None,
        dt: Quantity | None = None,
        clock: Clock | None = None,
        order: int = 0,
        name: str = "neurongroup*",
        codeobj_class: Any = None,
        spike_times: SpikeTimes | None = None,
    ) -> None:
        self._spike_times = checked_spike_times(spike_times)
        n = count_of(N)
        super().__init__(name, clock, dt, namespace, "groups", order)
        self._n = n
        self.method = method
        self.method_options = checked_options(method_options)
        if not isinstance(model, str | Equations):
            raise TypeError(f"the model has to be text or Equations, not {model!r}")
        self.user_equations = model if isinstance(model, Equations) else Equations(model)
        self.equations = self.user_equations
        self.equations.check_flags(ALLOWED_FLAGS)
        self.method_choice: Step | None = None
        self._links: dict[str, Any] = {}
        self._declare_variables(dtype)
        self.events: dict[str, str] = {}
        self._conditions: dict[str, Expr] = {}
        self._buffers = {}
        self.event_schedule: dict[str, tuple[str, int]] = {}
        self._reset: tuple[Assignment, ...] = ()
        self.reset_text = reset
        (refractory,) = first_values(self, "set_refractory", refractory)
        self.refractory = refractory
        self._refractory_tree: Expr | None = None
        self.refractory_is_time = True
        if events is not None and not isinstance(events, Mapping):
            raise TypeError(f"events are a dict of names and conditions, not {events!r}")
        self._read_events(threshold, reset, refractory, events or {})
        self._bound: object = None
        if self.semantics.bind == "construction":
            self.bind(magic.users_names())
            self.check()
        self._ready = True  # from now on attributes are variables
        self._advice().when_made(self)

    @staticmethod
    def _advice() -> Any:
        from eccles.objects import advice  # which looks at groups, so it imports this module

        return advice

    # -- construction ---------------------------------------------------------------------------

    def _declare_variables(self, dtype: Any) -> None:
        for equation in self.equations.values():
            stored = equation.kind != "subexpression" or "constant over dt" in equation.flags
            if not stored or "linked" in equation.flags:
                continue
            kind = dtype.get(equation.name) if isinstance(dtype, Mapping) else dtype
            variable = self._declare_equation(equation, self._n, kind)
            variable.read_only = equation.kind == "subexpression"
        self._last_spike = Array(f"{self.name}.lastspike", Element.F64, self._n, fill=NEVER)
        self._until = Array(f"{self.name}.until", Element.I64, self._n)  # steps of length `_until_dt`
        self._until_offset = Array(f"{self.name}.until_offset", Element.F64, self._n)  # where times are exact
        self._until_dt = self.clock.dt_
        self._precise: PreciseNeurons | ClosedFormNeurons | None = None
        self._fired = Array(f"{self.name}.fired", Element.I64, self._n)  # spikes so far, if exact
        self._carries: dict[str, Array] = {}

    def _read_events(
        self, threshold: str | None, reset: str | None, refractory: Any, events: Mapping[str, str]
    ) -> None:
        if threshold is not None:
            self.events["spike"] = threshold
            self._declare(Variable("lastspike", second.dim, "float", self._last_spike, read_only=True))
        for event, condition in events.items():
            if not isinstance(event, str) or not event.isidentifier():
                raise TypeError(f"'{event}' cannot be the name of an event")
            if event == "spike" and threshold is not None:
                raise SetupError("the event 'spike' is already defined by the threshold")
            self.events[event] = condition
        if reset is not None and "spike" not in self.events:
            raise SetupError(
                f"{self.name} has a reset but no threshold, so the reset would never happen",
                hint="Give a threshold, or use run_on_event(...) for another event.",
            )
        for event in self.events:
            self._buffers[event] = EventBuffer(f"{self.name}.{event}", self._n, self.clock)
            self.event_schedule[event] = ("thresholds" if event == "spike" else "after_thresholds", 0)
        with self._deferring():
            for event, condition in self.events.items():
                what = "threshold" if event == "spike" else f"event '{event}'"
                self._conditions[event] = parse_expression(condition, f"{self.name}, {what}")
        with self._deferring():
            if reset is not None:
                self._reset = parse_statements(reset, f"{self.name}, reset")
        self._read_refractory(refractory)

    def _read_refractory(self, refractory: Any) -> None:
        self.has_refractory = refractory is not False and refractory is not None
        if not self.has_refractory:
            return
        self._declare(
            Variable(
                "not_refractory", DIMENSIONLESS, "boolean",
                Array(f"{self.name}.not_refractory", Element.U8, self._n, fill=1), read_only=True,
            )
        )  # fmt: skip
        if isinstance(refractory, str):
            with self._deferring():
                self._refractory_tree = parse_expression(refractory, f"{self.name}, refractory")
            return
        if refractory is True:
            raise TypeError("refractory has to be a time, an expression or False, not True")
        with self._deferring():
            self.set_refractory(refractory)

    def set_refractory(self, refractory: Any) -> None:
        """Replace the refractory period, where it is a time."""
        if not 0 <= to_seconds(refractory, f"the refractory period of {self.name}") < np.inf:
            raise SetupError(f"the refractory period of {self.name} has to be finite and not negative")
        self.refractory = refractory

    def _deferring(self) -> Deferring:
        """Errors inside are raised at once, or at `run()` in a face that finds them then."""
        return Deferring(self)

    # -- names ----------------------------------------------------------------------------------

    def __len__(self) -> int:
        return self._n

    @property
    def N(self) -> int:
        """The number of neurons."""
        return self._n

    def subexpression(self, name: str) -> Equation | None:
        equation = self.equations.get(name)
        if equation is None or equation.kind != "subexpression" or "constant over dt" in equation.flags:
            return None
        return equation

    def symbol(self, name: str) -> Symbol | None:
        found = super().symbol(name)
        if found is not None:
            return found
        if name in self._links:
            return self._links[name].symbol(name)
        if name == "not_refractory":
            return Symbol(name, DIMENSIONLESS, "boolean", "builtin", writable=False)
        equation = self.equations.get(name)
        if equation is not None:  # a linked variable that has not been linked yet
            return Symbol(name, equation.dim, equation.type, "variable", writable=True, owner=self.name)
        return None

    def internal_names(self) -> set[str]:
        return super().internal_names() | set(self.equations) | {"not_refractory"}

    def trees(self) -> Iterable[Expr]:
        for equation in self.equations.values():
            if equation.expr is not None:
                yield equation.expr
        yield from self._conditions.values()
        yield from (a.value for a in self._reset)
        if self._refractory_tree is not None:
            yield self._refractory_tree

    def _is_local(self, name: str) -> bool:
        return super()._is_local(name) or any(a.target == name for a in self._reset)

    def _variable_view(self, variable: Variable, units: bool) -> VariableView:
        view = super()._variable_view(variable, units)
        plain = view.write
        if (
            plain is None
            or variable.dim is not DIMENSIONLESS
            or variable.name not in self.equations.diff_eq_names
        ):
            return view

        def write(positions: np.ndarray | None, values: np.ndarray) -> None:
            plain(positions, values)
            self._advice().when_set(self, variable.name)

        view.write = write
        return view

    def resolve(self, b: ProgramBuilder, name: str, element: ir.Expr, lowerer: Lowerer) -> ir.Expr | None:
        found = super().resolve(b, name, element, lowerer)
        if found is not None:
            return found
        if name in self._links:
            return self._links[name].resolve(b, element, lowerer)
        if name == "not_refractory":
            return ir.const(True)
        return None

    def numpy_value(self, name: str, elements: np.ndarray) -> Any:
        found = super().numpy_value(name, elements)
        if found is not None:
            return found
        if name in self._links:
            return self._links[name].numpy_value(elements)
        return True if name == "not_refractory" else None

    def __setattr__(self, name: str, value: Any) -> None:
        equations = self.__dict__.get("equations") if self.__dict__.get("_ready") else None
        if equations is not None and name in equations and "linked" in equations[name].flags:
            from eccles.objects.linked import Link

            self._links[name] = Link.of(value, self, equations[name])
            object.__setattr__(self, "structure_version", self.structure_version + 1)
            return
        super().__setattr__(name, value)

    # -- checks ---------------------------------------------------------------------------------

    def check(self) -> None:
        """Check all model text; raises one error that lists everything that is wrong."""
        scope = self.scope()
        with collecting() as problems:
            problems.run(lambda: check_equations(self.equations, scope))
            for event, condition in self._conditions.items():
                what = "a threshold" if event == "spike" else f"the condition of event '{event}'"
                problems.run(
                    lambda c=condition, w=what: check_expression(c, scope, expect_type="boolean", what=w)
                )
            problems.run(lambda: check_statements(self._reset, scope))
            problems.run(self._check_reset)
            problems.run(self._check_timed_arrays)
            if self._refractory_tree is not None:
                problems.run(self._check_refractory)
        if self.semantics.check == "construction" and self.equations.diff_eq_names and not self.has_timed():
            # whether a TimedArray stands still during a step is known when the time step is
            integrator_for(self.problem(), self.method, default=self.semantics.default_methods)

    def _check_reset(self) -> None:
        for a in self._reset:
            if self.is_shared(a.target):
                raise EquationError(
                    f"'{a.target}' is shared by all neurons: a reset, which is for one, cannot change it",
                    span=a.value.span,
                )

    def _check_timed_arrays(self) -> None:
        for tree in self.trees():
            for node in walk(tree):
                function = self._external.get(node.function) if isinstance(node, Call) else None
                if not isinstance(function, TimedArray) or function.values.ndim != 2:
                    continue
                assert isinstance(node, Call)
                columns = function.values.shape[1]
                if node.args[1:] == (Name("i"),) and columns < len(self):
                    raise SetupError(
                        f"{node.function} has values for {columns} elements, but {self.name} has {len(self)}",
                        span=node.span,
                        hint="Give it a column for each neuron, or choose one by an expression of i.",
                    )

    def _check_refractory(self) -> None:
        assert self._refractory_tree is not None
        found = check_expression(self._refractory_tree, self.scope(), what="refractory")
        if found.type == "boolean":
            self.refractory_is_time = False
        elif found.dim is not second.dim:
            raise UnitError(
                f"refractory has to be a time or a condition, but this is {found.dim.friendly()}",
                span=self._refractory_tree.span,
                hint="Multiply by a time, as in '5*ms', or compare, as in 'v > 0*mV'.",
            )

    def before_run(self, namespace: Mapping[str, Any] | None, duration: float) -> None:
        if self.deferred_errors:
            raise self.deferred_errors[0]
        own_names = self.namespace is not None  # which may have been changed since the last run
        if namespace is not None and (self.semantics.bind == "run" or own_names or self._external_missing()):
            self.bind(namespace)
        shape = tuple((n, getattr(s, "dim", s), getattr(s, "type", "")) for n, s in self._external.items())
        if shape != self._bound:
            self.check()
            self._bound = shape
        if self.clock.dt_ != self._until_dt:
            self._count_refractory_anew()
        for name, equation in self.equations.items():
            if "linked" in equation.flags and name not in self._links:
                raise TypeError(
                    f"'{name}' of {self.name} is declared as linked, but is linked to nothing: "
                    f"set {self.name}.{name} = linked_var(...)"
                )
        for link in self._links.values():
            link.check(self)

    def _count_refractory_anew(self) -> None:
        """Express when refractory periods end in steps of the clock's new length."""
        dt, old = self.clock.dt_, self._until_dt
        self._until_dt = dt
        spiked = np.flatnonzero(self._last_spike.data > NEVER)
        if not self.has_refractory or not self.refractory_is_time or not len(spiked):
            return
        if self.in_instants:
            ends = self._until.data[spiked] * old + self._until_offset.data[spiked]
            whole = np.clip(np.floor((ends - SAME) / dt), -(2.0**61), 2.0**61)
            self._until.data[spiked] = whole.astype(np.int64)
            self._until_offset.data[spiked] = np.clip(ends - whole * dt, 0.0, 2 * dt)
            return
        last = self._last_spike.data[spiked]
        tree = self._refractory_tree
        if tree is None:
            period = np.full(len(spiked), float(self.refractory))  # type: ignore[arg-type]
        elif self.is_stateful(tree):  # drawn at the spike: what was drawn stays
            period = self._until.data[spiked] * old - last
        else:
            period = np.broadcast_to(self.numpy_evaluate(tree, spiked, purpose="refractory"), spiked.shape)
        steps = np.floor((last + 1e-3 * dt) / dt) + np.trunc((period + 1e-3 * dt) / dt)
        self._until.data[spiked] = np.clip(steps, -(2.0**62), 2.0**62).astype(np.int64)

    def _external_missing(self) -> bool:
        names, functions = self.identifiers()
        return not (names | functions) <= set(self._external)

    # -- the step -------------------------------------------------------------------------------

    def structure(self) -> object:
        exponents = tuple(
            (n, s.value) for n, s in self._external.items() if n in self._exponents and isinstance(s, Symbol)
        )
        return (self.structure_version, self._bound, exponents, self.clock.dt_ if self.has_timed() else None)

    @functools.cached_property
    def _exponents(self) -> set[str]:
        """Names in exponents: their values decide how a power is computed."""
        return {
            name
            for tree in self.trees()
            for node in walk(tree)
            if getattr(node, "op", None) == "**"
            for name in names_in(node.right)  # type: ignore[union-attr]
        }

    def has_timed(self) -> bool:
        """Whether a `TimedArray` is used."""
        return any(isinstance(f, TimedArray) for f in self._external.values())

    def problem(self) -> Problem:
        """What is integrated."""
        frozen = {
            n for n, e in self.equations.items() if "unless refractory" in e.flags and self.has_refractory
        }
        return Problem(self.equations.substituted(), frozenset(frozen), self._locally_constant)

    def _locally_constant(self, call: Expr) -> bool:
        if not isinstance(call, Call):
            return False
        function = self._external.get(call.function)
        return (
            isinstance(function, TimedArray)
            and function.constant_over(self.clock.dt_)
            and call.args[0] == Name("t")
        )

    STEP_START = "_step_start"  # in equations: when the current time step began

    def precise_problem(self) -> Problem:
        """What is integrated over parts of a time step; values of a `TimedArray` at `t` are held."""
        problem = self.problem()

        def is_held(call: Expr) -> bool:
            return isinstance(call, Call) and isinstance(call.args[0], Name) and call.args[0].id in held

        held = {self.STEP_START, *(f"_held_{name}" for name in self.timed_arrays())}
        equations = {n: self._with_held_input(e) for n, e in problem.equations.items()}
        return replace(problem, equations=equations, locally_constant=is_held)

    def _with_held_input(self, tree: Expr) -> Expr:
        """An expression in which each `TimedArray` is asked for the time at which its value began to hold.

        At the end of a span it already has its next value.
        """
        match tree:
            case Call(function, (Name("t"), *rest)) if isinstance(self._external.get(function), TimedArray):
                aligned = self._external[function].constant_over(self.clock.dt_)
                since = self.STEP_START if aligned else f"_held_{function}"
                return replace_children(tree, (Name(since), *rest))
            case _:
                return replace_children(tree, tuple(self._with_held_input(c) for c in children(tree)))

    def timed_arrays(self) -> dict[str, TimedArray]:
        """The inputs that change within time steps, by the names under which they are called."""
        return {
            name: function for name, function in self._external.items()
            if isinstance(function, TimedArray) and not function.constant_over(self.clock.dt_)
        }  # fmt: skip

    def moves(self, name: str) -> bool:
        """Whether a name changes between events: time, and what is integrated."""
        return name in ("t", "t_in_timesteps") or name in self.equations.diff_eq_names or name in self._links

    def follows_time(self, name: str) -> bool:
        equation = self.equations.get(name)
        if equation is not None and equation.kind == "subexpression" and equation.expr is not None:
            return any(self.moves(n) for n in names_in(substitute(equation.expr, self.equations.inlined())))
        return self.moves(name)

    def inlined_condition(self, event: str) -> Expr:
        """The condition of an event with subexpressions put in."""
        return self._with_held_input(substitute(self._conditions[event], self.equations.inlined()))

    def refractory_condition(self) -> Expr | None:
        """The condition that ends refractoriness when it does not hold any more; None for a time."""
        if not self.has_refractory or self.refractory_is_time or self._refractory_tree is None:
            return None
        return self._with_held_input(substitute(self._refractory_tree, self.equations.inlined()))

    def chosen_step(self, writes: frozenset[int]) -> Step:
        """The statements of one time step, by the user's method or the first that fits."""
        if not self.equations.diff_eq_names:
            return Step("none", (), ())
        self.method_choice = chosen_step(self, self.problem(), self.method, writes)
        return self.method_choice

    @property
    def state_updater_method(self) -> str:
        """The name of the integration method in use."""
        return self.method_choice.method if self.method_choice is not None else "none"

    # -- code -----------------------------------------------------------------------------------

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        if self._timing is not None and self.in_instants:
            return [*self._held_blocks(), *self._blocks_in_instants(self._timing, writes)]
        step = self.chosen_step(writes)
        blocks = [*self.room_blocks(), *self._held_blocks()]
        if step.statements or self.has_refractory:
            blocks.append(self._update_block(step, writes))
        for event in self.events:
            when, order = self.event_schedule[event]
            blocks.append(
                Block(
                    f"{self.name}_{event}_thresholder", self.clock, when, order,
                    lambda b, e=event: self._emit_threshold(b, e),
                )
            )  # fmt: skip
        if self._reset:
            blocks.append(Block(f"{self.name}_resetter", self.clock, "resets", self.order, self._emit_reset))
        return blocks

    def _update_block(self, step: Step, writes: frozenset[int]) -> Block:
        coefficients = Coefficients(self, step, writes)
        return Block(
            f"{self.name}_stateupdater", self.clock, "groups", self.order,
            lambda b: self._emit_update(b, step, coefficients),
        )  # fmt: skip

    def _held_blocks(self) -> list[Block]:
        if any("constant over dt" in e.flags for e in self.equations.values()):
            return [
                Block(
                    f"{self.name}_subexpression_update",
                    self.clock,
                    "before_start",
                    0,
                    self._emit_constant_over_dt,
                )
            ]
        return []

    # -- code in exact time -------------------------------------------------------------------------

    def _blocks_in_instants(self, timing: Timing, writes: frozenset[int]) -> list[Block]:
        """The blocks where spike times of the network are exact; see `PreciseNeurons`."""
        instants, clock = timing.instants, self.clock
        reason = timing.reason_for_grid(self)
        neurons: PreciseNeurons | ClosedFormNeurons | None = None
        if isinstance(instants, Components):
            neurons = ClosedFormNeurons(self, instants, writes)
        elif not reason:
            neurons = PreciseNeurons(self, instants, writes)
        self._precise = neurons
        for buffer in self._buffers.values():
            buffer.be_exact()
            instants.at_start(buffer.emit_clear)
        if neurons is not None:
            blocks = neurons.blocks()
            reason = neurons.on_grid
        else:
            blocks = [self._update_block(self.chosen_step(writes), writes)]
        if reason and "spike" in self.events:
            timing.on_grid[self.name] = reason
        for event in self.events:
            if isinstance(instants, Instants) and (event != "spike" or reason):
                instants.at_grid(lambda b, e=event: self._emit_detect(b, e))
        if "spike" in self.events:
            when, order = self.event_schedule["spike"]
            emit = self._emit_spike_bookkeeping
            blocks.append(Block(f"{self.name}_spike_thresholder", clock, when, order, emit, Part.INSTANT))
        if self._reset:
            emit = self._emit_reset
            blocks.append(Block(f"{self.name}_resetter", clock, "resets", self.order, emit, Part.INSTANT))
        return blocks

    def idle_blocks(self) -> list[Block]:
        self._precise = None  # nothing is followed while the group is not active
        return super().idle_blocks()

    def needs_grid(self) -> str:
        reason = "" if self._timing is None else self._timing.reason_for_grid(self)
        held = any("constant over dt" in e.flags for e in self.equations.values())
        if not reason and (self._links or held):
            reason = "some of its variables change from step to step"
        if not reason and any(self.is_shared(a.target) for a in self._reset):
            reason = "its reset writes what all neurons share"
        reason = reason or why_no_closed_form(self)
        return reason and f"{self.name}: {reason}"

    def emit_spike(self, b: ProgramBuilder, element: ir.Expr, offset: ir.Expr) -> None:
        """A neuron spikes at this time of the step."""
        ordinal = b.let("ordinal", b.load(self._fired, element))
        b.store(self._fired, element, Op("iadd", (ordinal, ir.const(1))))
        self._buffers["spike"].emit_add(b, element, offset, ordinal)

    def emit_touch(self, b: ProgramBuilder, element: ir.Expr) -> None:
        """Something is going to happen to a neuron: it has to be brought to the present."""
        if self._precise is not None:
            self._precise.emit_touch(b, element)

    def superposition(self, names: Iterable[str], writes: frozenset[int]) -> Superposition | None:
        """A way to add to these variables without bringing neurons to the present; None if there is none."""
        if not isinstance(self._precise, PreciseNeurons):
            return None
        found = Superposition.of(self._precise, names, writes)
        if found is not None:
            self._precise.adds_up = True
        return found

    def _emit_detect(self, b: ProgramBuilder, event: str) -> None:
        """Look for events at the end of a step."""
        buffer, dt = self._buffers[event], b.dt(self.clock)
        count = b.var("count", ir.const(0))
        with b.vector("i", self._size(b)) as i:
            code = self.element_code(b, i, event)
            condition = convert(code.expr(self._conditions[event]), ir.BOOL)
            if event == "spike" and self.has_refractory:
                condition = Op("and", (condition, code.expr(Name("not_refractory"))))
            b.emit(ir.Append(b.buffer(buffer.ids), count, i, condition))
        b.store(buffer.counts, 0, count)
        with b.loop("e", ir.const(0), count) as e:
            element = b.let("id", b.load(buffer.ids, e))
            b.store(buffer.offsets, e, dt)
            ordinal = b.step(self.clock)
            if event == "spike":
                ordinal = b.let("ordinal", b.load(self._fired, element))
                b.store(self._fired, element, Op("iadd", (ordinal, ir.const(1))))
            b.store(buffer.ordinals, e, ordinal)
            self.emit_touch(b, element)

    def _emit_spike_bookkeeping(self, b: ProgramBuilder) -> None:
        """Note when neurons have spiked, and until when they are refractory."""
        start = b.let("start", b.step_start(self.clock))
        with self._buffers["spike"].each_exact(b) as (element, offset, ordinal):
            b.store(self._last_spike, element, Op("fadd", (start, offset)))
            if not self.has_refractory:
                return
            if self.refractory_is_time:
                with b.counted_by(ordinal):
                    period = self._refractory_period(b, element)
                self._emit_refractory_end(b, element, Op("fadd", (offset, period)))
            b.store(self._variables["not_refractory"].array, element, ir.const(False))

    def _emit_refractory_end(self, b: ProgramBuilder, element: ir.Expr, end: ir.Expr) -> None:
        """Note the end of a refractory period, counted from the start of this step, in steps and a rest."""
        dt = b.dt(self.clock)
        end = b.let("end", end)
        if self._precise is None:  # looked at when a step begins
            steps = Op("fdiv", (Op("fadd", (end, Op("fmul", (ir.const(1e-3), dt)))), dt))
            until = Op("iadd", (b.step(self.clock), Op("imin", (Op("ftoi", (steps,)), ir.const(2**61)))))
            b.store(self._until, element, until)
            return
        # the end of a step belongs to it
        whole = b.let("whole", Op("floor", (Op("fdiv", (Op("fsub", (end, ir.const(SAME))), dt)),)))
        steps = Op("imin", (Op("ftoi", (Op("fmax", (whole, ir.const(0.0))),)), ir.const(2**61)))
        rest = Op("fsub", (end, Op("fmul", (Op("itof", (b.let("steps", steps),)), dt))))
        b.store(self._until, element, Op("iadd", (b.step(self.clock), steps)))
        b.store(self._until_offset, element, rest)

    def carry(self, name: str) -> Array:
        """What rounding has taken off a variable, where that is added to the next step."""
        if name not in self._carries:
            self._carries[name] = Array(f"{self.name}.{name}.carry", Element.F64, self._n)
        return self._carries[name]

    def refractory_end(self, b: ProgramBuilder, element: ir.Expr) -> tuple[ir.Expr, ir.Expr]:
        """The step in which a neuron stops being refractory, and when in it."""
        return b.load(self._until, element), b.load(self._until_offset, element)

    # -- code -----------------------------------------------------------------------------------

    def _size(self, b: ProgramBuilder) -> ir.Expr:
        return b.size_of(self, self._n)

    def _emit_constant_over_dt(self, b: ProgramBuilder) -> None:
        held = [e for e in self.equations.values() if "constant over dt" in e.flags and e.expr is not None]
        with b.vector("i", self._size(b)) as i:
            code = self.element_code(b, i, "constant over dt")
            for equation in held:
                assert equation.expr is not None
                value = convert(code.expr(equation.expr), IR_TYPES[equation.type])
                code.lowerer.env[equation.name] = value = code.lowerer.let(equation.name, value)
                if not self._variables[equation.name].shared:
                    b.store(self._variables[equation.name].array, i, value)
        for equation in held:
            if self._variables[equation.name].shared and equation.expr is not None:
                code = self.element_code(b, ir.const(0), "constant over dt shared")
                b.store(self._variables[equation.name].array, 0, code.expr(equation.expr))

    def _emit_update(self, b: ProgramBuilder, step: Step, coefficients: Coefficients) -> None:
        scalars = coefficients.emit_prologue(b)
        with b.vector("i", self._size(b)) as i:
            code = self.element_code(b, i, "update")
            env = code.lowerer.env
            if self.has_refractory:
                env["not_refractory"] = self.emit_not_refractory(b, code, i)
            coefficients.extend(b, env, scalars, i, code)
            if step.noise:
                from eccles.compile import random

                for name in step.noise:
                    env[name] = code.draw(random.normal)
            states = {n: IR_TYPES[self._variables[n].type] for n in self.equations.diff_eq_names}
            code.lowerer.statements(step.statements, states)
            for name, value in code.lowerer.assigned.items():
                if name in states:  # those that the step changes
                    b.store(self._variables[name].array, i, value)

    def emit_not_refractory(self, b: ProgramBuilder, code: Code, i: ir.Expr) -> ir.Expr:
        """Note, and return, whether a neuron is ready to spike at the start of a step."""
        array = self._variables["not_refractory"].array
        if self.refractory_is_time:
            flag: ir.Expr = Op("ige", (b.step(self.clock), b.load(self._until, i)))
        else:
            assert self._refractory_tree is not None
            holds = convert(code.expr(self._refractory_tree), ir.BOOL)
            flag = Op("or", (b.load(array, i), Op("not", (holds,))))
        flag = code.lowerer.let("not_refractory", flag)
        b.store(array, i, flag)
        return flag

    def _emit_threshold(self, b: ProgramBuilder, event: str) -> None:
        buffer = self._buffers[event]
        with buffer.collect(b) as count, b.vector("i", self._size(b)) as i:
            code = self.element_code(b, i, event)
            condition = convert(code.expr(self._conditions[event]), ir.BOOL)
            if event == "spike" and self.has_refractory:
                condition = Op("and", (condition, code.expr(Name("not_refractory"))))
            b.emit(ir.Append(b.buffer(buffer.ids), count, i, condition))
        if event != "spike":
            return
        with buffer.each(b) as element:
            b.store(self._last_spike, element, b.t(self.clock))
            if self.has_refractory:
                b.store(self._variables["not_refractory"].array, element, ir.const(False))
                if self.refractory_is_time:
                    b.store(
                        self._until,
                        element,
                        Op("iadd", (b.step(self.clock), self._refractory_steps(b, element))),
                    )

    def _refractory_period(self, b: ProgramBuilder, element: ir.Expr) -> ir.Expr:
        if self._refractory_tree is not None:
            return convert(self.element_code(b, element, "refractory").expr(self._refractory_tree), ir.F64)
        return b.float_constant(
            ("refractory", id(self)),
            "refractory",
            lambda: float(self.refractory),  # type: ignore[arg-type]
        )

    def _refractory_steps(self, b: ProgramBuilder, element: ir.Expr) -> ir.Expr:
        period = self._refractory_period(b, element)
        dt = b.dt(self.clock)
        nudged = Op("fadd", (period, Op("fmul", (ir.const(1e-3), dt))))
        # bounded, so that the step at which an endless period ends can be counted
        return Op("imin", (Op("ftoi", (Op("fdiv", (nudged, dt)),)), ir.const(2**62)))

    def _emit_reset(self, b: ProgramBuilder) -> None:
        self.emit_on_event(b, "spike", self._reset, "reset")

    def emit_on_event(
        self, b: ProgramBuilder, event: str, assignments: Sequence[Assignment], purpose: str
    ) -> None:
        """Run statements for each element that has the event in this step."""
        with self._buffers[event].each_counted(b) as element:
            code = self.element_code(b, element, purpose)
            emit_assignments(b, code, assignments, lambda name: self.place(name, element))

    def may_write(self, b: ProgramBuilder, variable: Variable, element: ir.Expr) -> ir.Expr | None:
        """When others may write the variable: not while it is held `unless refractory`."""
        if variable.unless_refractory and self.has_refractory:
            return b.load(self._variables["not_refractory"].array, element)
        return None

    def writes(self) -> Iterable[Array]:
        for name, equation in self.equations.items():
            if equation.kind == "differential" or "constant over dt" in equation.flags:
                yield self._variables[name].array
        for name in ("lastspike", "not_refractory"):
            yield from self.arrays_of(name)
        for assignment in self._reset:
            yield from self.arrays_of(assignment.target)

    def arrays_of(self, name: str) -> Iterable[Array]:
        link = self._links.get(name)
        return super().arrays_of(name) if link is None else link.source.arrays_of(link.name)

    def is_written(self, name: str, writes: frozenset[int]) -> bool:
        link = self._links.get(name)
        return super().is_written(name, writes) if link is None else link.varies(writes)

    def place(self, name: str, element: ir.Expr) -> Any:
        link = self._links.get(name)
        return super().place(name, element) if link is None else link.place(element)

    # -- for advice and explanations ----------------------------------------------------------------

    def condition(self, event: str) -> Expr:
        """The condition of an event."""
        return self._conditions[event]

    def last_spikes(self) -> np.ndarray:
        """The time of each neuron's last spike in seconds, (N,)."""
        return self._last_spike.data

    @property
    def n_spans(self) -> int:
        """How many integrations over spans of their own neurons have taken at exact times.

        Those of searches for crossings count, the common step of all neurons does not. Counted anew where
        another program is built.
        """
        return int(self._precise.n_spans.data[0]) if isinstance(self._precise, PreciseNeurons) else 0

    def external(self, name: str) -> Any:
        """What a name outside the model stands for."""
        return self._external[name]

    def links(self) -> dict[str, Any]:
        """The linked variables, by name."""
        return dict(self._links)

    def variable_names(self) -> set[str]:
        """Names of the stored variables."""
        return set(self._variables)

    def dimension_of(self, tree: Expr) -> Dimension:
        """The dimension of an expression."""
        return infer(tree, self.scope()).dim

    # -- users' calls -----------------------------------------------------------------------------

    def run_on_event(
        self, event: str, code: str, when: str = "after_resets", order: int | None = None
    ) -> SimulationObject:
        """Run statements for each neuron that has an event, after the resets by default."""
        from eccles.objects.regular import EventRunner

        self.event_buffer(event)
        runner = EventRunner(self, event, code, when, order or 0, f"{self.name}_run_on_{event}*")
        self._runners.append(runner)
        return runner

    def set_event_schedule(
        self, event: str, when: str = "after_thresholds", order: int | None = None
    ) -> None:
        """Choose the slot in which the condition of an event is tested."""
        self.event_buffer(event)
        self.event_schedule[event] = (when, order or 0)
        self.structure_version += 1

    def __getitem__(self, item: Any) -> Subgroup:
        start, stop = range_of(item, self._n, self)
        return Subgroup(self, start, stop)

    def full_state(self) -> dict[str, np.ndarray]:
        return {
            **super().full_state(),
            "_until": self._until.data.copy(),
            "_until_dt": np.array(self._until_dt),
            "_until_offset": self._until_offset.data.copy(),
            "_last_spike": self._last_spike.data.copy(),
            "_fired": self._fired.data.copy(),
            **{f"_carry.{name}": array.data.copy() for name, array in sorted(self._carries.items())},
        }

    def set_full_state(self, state: Mapping[str, np.ndarray]) -> None:
        super().set_full_state(state)
        n = len(self)
        self._until.replace(stored_array(state, "_until", self.name, dtype=np.int64, size=n))
        self._last_spike.replace(stored_array(state, "_last_spike", self.name, dtype=np.float64, size=n))
        offsets = stored_array(
            state, "_until_offset", self.name, dtype=np.float64, size=n, at_least=0, below=np.inf
        )
        self._until_offset.replace(offsets)
        self._fired.replace(stored_array(state, "_fired", self.name, dtype=np.int64, size=n, at_least=0))
        self._until_dt = stored_number(state, "_until_dt", self.name)
        for name in self.equations.diff_eq_names:
            key = f"_carry.{name}"
            if key in state:
                self.carry(name).replace(stored_array(state, key, self.name, dtype=np.float64, size=n))
            elif name in self._carries:
                self._carries[name].data[:] = 0
