"""Synapses: state per connection, code that runs when spikes arrive, equations between events.

State is stored in the order of creation. Which source and target each synapse has is `connections`;
what `connect` creates is in `pairs`; reading and writing state is in `synaptic_views`; what happens when
spikes arrive is a `Pathway`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.compile.lower import Lowerer, convert
from eccles.engine.clock import Clock
from eccles.engine.program import Block, ProgramBuilder
from eccles.engine.state import Array
from eccles.engine.walk import SAME
from eccles.errors import EcclesError, EquationError, SetupError, TypeProblem
from eccles.integrate.event_driven import event_driven_step
from eccles.integrate.problem import CLOCK, Problem, Step
from eccles.language.check import Symbol, check_equations
from eccles.language.equations import Equation, Equations
from eccles.language.nodes import Assignment, Expr, names_in, substitute
from eccles.objects import magic
from eccles.objects.code import Code
from eccles.objects.coefficients import Coefficients, chosen_step
from eccles.objects.connections import Connections
from eccles.objects.group import Group, SimulationObject
from eccles.objects.pairs import requested_pairs
from eccles.objects.pathway import Pathway
from eccles.objects.problems import collecting
from eccles.objects.regular import CodeRunner
from eccles.objects.sources import SpikeSource
from eccles.objects.statements import IR_TYPES, Place
from eccles.objects.stored import misfit, stored_array, stored_number
from eccles.objects.summed import check_summed, summed_array, summing_block
from eccles.objects.swept import Concrete, refuse_swept, tracer, words_in
from eccles.objects.synaptic_views import (
    SynapticSubset,
    advanced,
    event_driven_view,
    neuron_view,
    positions_of_pairs,
)
from eccles.objects.traces import Traces, sides_of_traces
from eccles.objects.variables import Variable, VariableView
from eccles.units import DIMENSIONLESS, Quantity, second

__all__ = ["Synapses", "SynapticSubset"]

ALLOWED_FLAGS = {
    "differential": {"event-driven", "clock-driven"},
    "subexpression": {"summed", "shared", "constant over dt"},
    "parameter": {"constant", "shared"},
}


class Synapses(Group):
    """Connections from the elements of one group to those of another.

    Parameters
    ----------
    source, target : group
        `target` is the source itself by default.
    model : str or Equations, optional
        Variables of each synapse. Differential equations are `(event-driven)`, advanced when a spike
        arrives, or `(clock-driven)`; `x_post = ... : unit (summed)` sums over all synapses of a target.
    on_pre, on_post : str or dict of str to str, optional
        Statements for each synapse at which a spike of its source (target) arrives. With a dict, the
        keys name the pathways.
    delay : time or dict of str to time, optional
        One delay for all synapses of the pathway; otherwise set `synapses.delay` after `connect`.
    on_event : str or dict of str to str
        The event of the source or target that counts as a spike.
    method : str, optional
        How to integrate clock-driven equations.
    """

    element_word = "synapse"

    def __init__(
        self,
        source: SpikeSource,
        target: Any = None,
        model: str | Equations | None = None,
        on_pre: str | Mapping[str, str] | None = None,
        pre: Any = None,
        on_post: str | Mapping[str, str] | None = None,
        post: Any = None,
        connect: Any = None,
        delay: Any = None,
        on_event: str | Mapping[str, str] = "spike",
        multisynaptic_index: str | None = None,
        namespace: Mapping[str, Any] | None = None,
        dtype: Any = None,
        codeobj_class: Any = None,
        dt: Quantity | None = None,
        clock: Clock | None = None,
        order: int = 0,
        method: Any = None,
        method_options: Mapping[str, Any] | None = None,
        name: str = "synapses*",
    ) -> None:
        if connect is not None:
            raise TypeError("Synapses has no argument 'connect': call synapses.connect(...) afterwards")
        if pre is not None or post is not None:
            raise TypeError("the arguments are called on_pre and on_post")
        self.source = source
        self.target = target if target is not None else source
        for group, role in ((self.source, "source"), (self.target, "target")):
            if not isinstance(group, Group):
                raise TypeError(f"the {role} of synapses has to be a group, not {group!r}")
            if group.semantics.name != self.semantics.name:
                raise SetupError(
                    f"the {role} of synapses of {self.semantics.name} was made with {group.semantics.name}",
                    hint="Import everything from eccles, or everything from eccles.brian2.",
                )
            if isinstance(group, Synapses):
                raise SetupError(
                    f"the {role} of synapses cannot be synapses ({group.name})",
                    hint="Let both synapses read and write a variable of the neurons.",
                )
        super().__init__(name, clock if clock or dt else source.clock, dt, namespace, "groups", order)
        self.method = method
        self.user_equations = self.equations = (
            model if isinstance(model, Equations) else Equations(model or "")
        )
        self.equations.check_flags(ALLOWED_FLAGS)
        self.multisynaptic_index = multisynaptic_index
        if multisynaptic_index is not None and (
            not multisynaptic_index.isidentifier() or multisynaptic_index in self.equations
        ):
            raise SetupError(f"'{multisynaptic_index}' cannot be the name of the multisynaptic index")
        self._connected = False
        self.connections = Connections(self.name, len(self.source), len(self.target))
        self._runners: list[SimulationObject] = []
        self.method_choice: Step | None = None
        self._declare_variables(dtype)
        self._pathways: list[Pathway] = []
        self.deferred_errors = []
        self._make_pathways(on_pre, on_post, delay, on_event)
        self._bound: object = None
        if self.semantics.bind == "construction":
            self.bind(magic.users_names())
            for pathway in self._pathways:
                pathway.bind(magic.users_names())
            self.check()
        self.traces = self._find_traces()
        self._ready = True  # from now on attributes are variables

    # -- construction ---------------------------------------------------------------------------

    def _declare_variables(self, dtype: Any) -> None:
        self._lastupdate_rest = Array(f"{self.name}.lastupdate.rest", Element.F64)  # where times are exact
        self._event_driven: list[str] = []
        self._advance: tuple[Assignment, ...] | None = None  # the statements over `_elapsed`
        self._clock_driven: list[str] = []
        self.summed: list[Equation] = []
        for equation in self.equations.values():
            if equation.kind == "subexpression":
                if "summed" in equation.flags:
                    self.summed.append(equation)
                elif "constant over dt" in equation.flags:
                    self._declare_equation(equation, 0).read_only = True
                continue
            kind = dtype.get(equation.name) if isinstance(dtype, Mapping) else dtype
            self._declare_equation(equation, 0, kind)
            if equation.kind == "differential":
                event_driven = "event-driven" in equation.flags
                (self._event_driven if event_driven else self._clock_driven).append(equation.name)
        if self._event_driven:
            self._declare(
                Variable(
                    "lastupdate", second.dim, "float", Array(f"{self.name}.lastupdate", Element.F64),
                    read_only=True,
                )
            )  # fmt: skip

    def _make_pathways(self, on_pre: Any, on_post: Any, delay: Any, on_event: Any) -> None:
        texts: dict[str, tuple[str, str]] = {}
        for side, given in (("pre", on_pre), ("post", on_post)):
            named = given if isinstance(given, Mapping) else {} if given is None else {side: given}
            for name, text in named.items():
                if name in texts:
                    raise SetupError(f"two pathways are called '{name}'")
                texts[name] = (side, text)
        delays = delay if isinstance(delay, Mapping) else {"pre": delay} if delay is not None else {}
        events: dict[str, Any] = (
            {**dict.fromkeys(texts, "spike"), **on_event}
            if isinstance(on_event, Mapping)
            else (dict.fromkeys(texts, on_event))
        )
        for what, mapping in (("delay", delays), ("on_event", events)):
            for name in mapping:
                if name not in texts:
                    raise SetupError(
                        f"{what} is given for a pathway '{name}' of {self.name}, which has "
                        + (f"the pathways {', '.join(texts)}" if texts else "no pathway")
                    )
        for name, (side, text) in texts.items():
            self._pathways.append(Pathway(self, name, side, text, events[name], delays.get(name)))

    def _find_traces(self) -> Traces | None:
        try:
            sides = sides_of_traces(self)
            return None if sides is None else Traces(self, sides)
        except EcclesError:  # said at run()
            return None

    def store_per_synapse(self) -> None:
        """Store event-driven variables per synapse from now on, with the values that they have."""
        traces, self.traces = self.traces, None
        if traces is None:
            return
        names = (*self._event_driven, "lastupdate")
        everything = np.arange(len(self))
        values = {} if traces.is_zero else {n: traces.values(n, everything, now=False) for n in names}
        for name in names:
            self._variables[name].array.resize(len(self))
        for name, value in values.items():
            self._variables[name].array.data[:] = value
        self.structure_changed()

    def expect_python(self) -> None:
        self.store_per_synapse()  # Python code within a run may write what it likes

    def pathways(self) -> list[Pathway]:
        """The pathways, in order of definition."""
        return list(self._pathways)

    @property
    def contained_objects(self) -> list[SimulationObject]:
        return [*self._pathways, *self._runners]

    @property
    def needs(self) -> list[SimulationObject]:
        return [self.source.whole, self.target.whole]

    @property
    def event_driven(self) -> tuple[str, ...]:
        """Names of the event-driven variables."""
        return tuple(self._event_driven)

    # -- sizes and indices ------------------------------------------------------------------------

    @property
    def stop(self) -> int:
        """One past the last synapse."""
        return len(self.connections)

    def __len__(self) -> int:
        return len(self.connections)

    def __repr__(self) -> str:
        number = "not connected yet"
        if self._connected:
            number = "1 synapse" if len(self) == 1 else f"{len(self)} synapses"
        return f"<Synapses '{self.name}' from {self.source.name} to {self.target.name}: {number}>"

    def group(self, side: str) -> Any:
        """The source (`pre`) or the target (`post`)."""
        return self.source if side == "pre" else self.target

    def event_buffer(self, event: str = "spike") -> Any:
        """Synapses emit no events."""
        raise SetupError(f"{self.name} are synapses: they emit no spikes")

    # -- connecting -----------------------------------------------------------------------------

    def connect(
        self,
        condition: str | bool | None = None,
        i: Any = None,
        j: Any = None,
        p: float | str = 1.0,
        n: int | str | Sequence[int] = 1,
        skip_if_invalid: bool = False,
        namespace: Mapping[str, Any] | None = None,
        level: int = 0,
    ) -> None:
        """Create synapses.

        Parameters
        ----------
        condition : str, optional
            For which pairs: an expression of `i`, `j` and the variables of both groups (`x_pre`, `x_post`).
            Without any argument all pairs are connected.
        i, j : int, array of int, or str
            Indices; or for one of them an expression (`j='i'`), or a generator such as
            `j='k for k in range(i-2, i+3) if k != i'`.
        p : float or str
            The probability of each synapse.
        n : int or str
            How many synapses each pair gets.
        skip_if_invalid : bool
            Whether indices out of range are skipped rather than an error.

        Raises
        ------
        SetupError, IndexError, TypeError
            If the arguments do not fit together or an index is out of range.
        """
        names = namespace if namespace is not None else magic.users_names(level)
        if tracer() is not None:
            names = Concrete(names, "connect()")
            self._refuse_swept(condition, i, j, p, n)
        request = requested_pairs(self, condition, i, j, p, n, skip_if_invalid, names)
        if self.traces is not None and (self.clock.timestep or not self.traces.is_zero):
            self.store_per_synapse()  # new synapses have not seen the time so far, nor its spikes
        n_before = len(self)
        self.connections.reserve(n_before + request.expected)
        try:
            for sources, targets in request.chunks:
                self.connections.append(sources, targets)
            self.connections.finish()
            self._resize()
        except BaseException:  # also Ctrl-C and a lack of memory: no synapse without state may remain
            self.connections.truncate(n_before)
            self._resize()
            self.structure_changed()
            raise
        self._connected = True
        if self._event_driven and self.traces is None and self.semantics.event_driven == "now":
            self._variables["lastupdate"].array.data[n_before:] = self.clock.t_  # 0 as of now
        self.structure_changed()

    def _refuse_swept(self, *texts: Any) -> None:
        """In a sweep, connections that depend on what conditions set differ between them."""
        for word in words_in(*texts):
            stem = word.removesuffix("_pre").removesuffix("_post")
            for group in (self.source, self.target):
                if stem in ("i", "j", "N", "t", "dt") or group.symbol(stem) is None:
                    continue
                stored = stem in {v.name for v in group.whole.variables()}
                refuse_swept(f"connect() reads '{word}'", group, stem if stored else None)

    def _resize(self) -> None:
        n = len(self)
        for variable in self._variables.values():
            if not (variable.shared or (self.traces is not None and variable.name in self.traces)):
                variable.array.resize(n)
        for pathway in self._pathways:
            pathway.resize(n)

    def structure_changed(self) -> None:
        """Another program is needed (indices may have come or gone)."""
        self.structure_version += 1

    # -- names ------------------------------------------------------------------------------------

    def is_synaptic(self, name: str) -> bool:
        """Whether the name means something for synapses only, not for pairs of neurons."""
        own = ("N", "N_incoming", "N_outgoing", "lastupdate", "delay", self.multisynaptic_index)
        return name in self.equations or name in own

    def subexpression(self, name: str) -> Equation | None:
        equation = self.equations.get(name)
        if equation is None or equation.kind != "subexpression":
            return None
        return None if "constant over dt" in equation.flags or "summed" in equation.flags else equation

    def symbol(self, name: str) -> Symbol | None:
        if name not in ("i", "j", "N"):
            found = super().symbol(name)
            if found is not None:
                return found
        integer = Symbol(name, DIMENSIONLESS, "integer", "builtin", writable=False)
        match name:
            case "i" | "j" | "N_incoming" | "N_outgoing" | "k_multi":
                return integer
            case "N" | "N_pre" | "N_post":
                return Symbol(name, DIMENSIONLESS, "integer", "builtin", writable=False, shared=True)
            case "lastupdate" if self._event_driven:
                return Symbol(name, second.dim, "float", "builtin", writable=False)
            case "delay" if any(pathway.pathway_name == "pre" for pathway in self._pathways):
                return Symbol(name, second.dim, "float", "variable", writable=False)
        if name == self.multisynaptic_index:
            return integer
        if name.endswith("_pre"):
            return self.source.symbol(name[:-4])
        if name.endswith("_post"):
            return self.target.symbol(name[:-5])
        return self.target.symbol(name)

    def internal_names(self) -> set[str]:
        names = {*super().internal_names(), *self.equations, "i", "j", "N_pre", "N_post", "delay"}
        names |= {f"{n}_pre" for n in self.source.internal_names()}
        return names | {f"{n}_post" for n in self.target.internal_names()}

    def trees(self) -> Iterable[Expr]:
        for equation in self.equations.values():
            if equation.expr is not None:
                yield equation.expr

    def resolve_at(
        self,
        b: ProgramBuilder,
        name: str,
        synapse: ir.Expr,
        lowerer: Lowerer,
        i: ir.Expr | None = None,
        j: ir.Expr | None = None,
    ) -> ir.Expr | None:
        """The IR value of a name for one synapse; `i`, `j` where they are already known."""
        if self.traces is not None and name in self.traces:
            return self._trace(b, name, synapse, lowerer, i, j, now=False)
        variable = self._variables.get(name)
        if variable is not None:
            return b.load(variable.array, ir.const(0) if variable.shared else synapse)
        equation = self.subexpression(name)
        if equation is not None and equation.expr is not None:
            code = Code(
                b, self, lambda n, low: self.resolve_at(b, n, synapse, low, i, j),
                element=synapse, purpose=f"subexpression {name}",
            )  # fmt: skip
            code.lowerer.out = lowerer.out
            return convert(code.expr(equation.expr), IR_TYPES[equation.type])
        match name:
            case "i":
                return (
                    i
                    if i is not None
                    else lowerer.let("i", b.load(self.connections.stored_source(), synapse))
                )
            case "j":
                return j if j is not None else lowerer.let("j", b.load(self.connections.target, synapse))
            case "t":
                return b.t(self.clock)
            case "dt":
                return b.dt(self.clock)
            case "N":
                return b.integer_constant(("N", id(self)), "N", lambda: len(self))
            case "delay":
                return b.load(self.pathway("pre").delay_values(), synapse)
            case self.multisynaptic_index:
                return b.load(self.connections.stored_numbers(), synapse)
            case "N_pre":
                return b.integer_constant(("N", id(self.source)), "N", lambda: len(self.source))
            case "N_post":
                return b.integer_constant(("N", id(self.target)), "N", lambda: len(self.target))
            case "N_outgoing":
                return self._count_of(
                    b, self.connections.first, self.resolve_at(b, "i", synapse, lowerer, i, j)
                )
            case "N_incoming":
                first, _ = self.connections.index_by_target()
                return self._count_of(b, first, self.resolve_at(b, "j", synapse, lowerer, i, j))
        if name.endswith("_pre") and self.source.symbol(name[:-4]) is not None:
            element = self.neuron(b, "pre", synapse, lowerer, i, j)
            return self.source.resolve(b, name[:-4], element, lowerer)
        stem = name.removesuffix("_post")
        if self.target.symbol(stem) is not None:
            element = self.neuron(b, "post", synapse, lowerer, i, j)
            return self.target.resolve(b, stem, element, lowerer)
        return None

    def stored_variables(self, names: Iterable[str]) -> list[Variable]:
        """Which of these are variables with a value per synapse, in order of declaration."""
        chosen = set(names)
        return [
            variable
            for name, variable in self._variables.items()
            if name in chosen and not variable.shared and (self.traces is None or name not in self.traces)
        ]

    def _trace(
        self,
        b: ProgramBuilder,
        name: str,
        synapse: ir.Expr,
        lowerer: Lowerer,
        i: ir.Expr | None = None,
        j: ir.Expr | None = None,
        *,
        now: bool,
    ) -> ir.Expr:
        """A variable that is stored once per neuron."""
        assert self.traces is not None
        source = self.resolve_at(b, "i", synapse, lowerer, i, j)
        target = self.resolve_at(b, "j", synapse, lowerer, i, j)
        assert source is not None
        assert target is not None
        return self.traces.resolve(b, name, lowerer, source, target, now=now)

    def shared_value(self, b: ProgramBuilder, name: str) -> ir.Expr | None:
        """The IR value of an internal name that means the same for all synapses."""
        if self.is_shared(name):
            return b.load(self._variables[name].array, 0)
        match name:
            case "t":
                return b.t(self.clock)
            case "dt":
                return b.dt(self.clock)
        return None

    def _count_of(self, b: ProgramBuilder, first: Array, element: ir.Expr | None) -> ir.Expr:
        assert element is not None
        return Op("isub", (b.load(first, Op("iadd", (element, ir.const(1)))), b.load(first, element)))

    def neuron(
        self,
        b: ProgramBuilder,
        side: str,
        synapse: ir.Expr,
        lowerer: Lowerer,
        i: ir.Expr | None,
        j: ir.Expr | None,
    ) -> ir.Expr:
        """The pre- or postsynaptic neuron, counted in its whole group."""
        group = self.group(side)
        index = self.resolve_at(b, "i" if side == "pre" else "j", synapse, lowerer, i, j)
        assert index is not None
        if group.whole is group:
            return index
        first = b.integer_constant(("start", id(group)), "start", lambda: group.start)
        return lowerer.let(side, Op("iadd", (index, first)))

    def resolve(self, b: ProgramBuilder, name: str, element: ir.Expr, lowerer: Lowerer) -> ir.Expr | None:
        if self._event_driven and self.semantics.event_driven == "now":
            if name in self._event_driven:
                return self._advanced(b, name, element, lowerer)
            equation = self.subexpression(name)
            if equation is not None and equation.expr is not None:
                code = self.element_code(b, element, f"subexpression {name}")
                code.lowerer.out = lowerer.out
                return convert(code.expr(equation.expr), IR_TYPES[equation.type])
        return self.resolve_at(b, name, element, lowerer)

    def _advanced(self, b: ProgramBuilder, name: str, synapse: ir.Expr, lowerer: Lowerer) -> ir.Expr:
        """An event-driven variable as of now."""
        if self.traces is not None:
            return self._trace(b, name, synapse, lowerer, now=True)
        code = Code(
            b, self, lambda n, low: self.resolve_at(b, n, synapse, low), element=synapse, purpose="now"
        )
        code.lowerer.out = lowerer.out
        code.lowerer.env["_elapsed"] = self.elapsed(b, synapse, lowerer)
        code.lowerer.statements(self.event_driven_statements(), {})
        return code.lowerer.env[name]

    def elapsed(
        self, b: ProgramBuilder, synapse: ir.Expr, lowerer: Lowerer, clock: Clock | None = None
    ) -> ir.Expr:
        """The time since the last event of a synapse."""
        last = b.load(self._variables["lastupdate"].array, synapse)
        elapsed = Op("fsub", (b.t(clock or self.clock), last))
        if self.in_instants and b.moment is not None:
            rest = Op("fsub", (b.t_rest(clock or self.clock), b.load(self.lastupdate_rest(), synapse)))
            elapsed = Op("fadd", (elapsed, rest))
        return lowerer.let("elapsed", elapsed)

    def lastupdate_rest(self) -> Array:
        """What the time of the last event of each synapse is more than `lastupdate`, which is rounded."""
        self._lastupdate_rest.resize(len(self))
        return self._lastupdate_rest

    def place_at(
        self,
        b: ProgramBuilder,
        name: str,
        synapse: ir.Expr,
        lowerer: Lowerer,
        i: ir.Expr | None = None,
        j: ir.Expr | None = None,
    ) -> Place | None:
        """Where a variable is stored."""
        variable = self._variables.get(name)
        if variable is not None:
            return variable, synapse, lambda: None
        side = "pre" if name.endswith("_pre") and self.source.symbol(name[:-4]) is not None else "post"
        group = self.group(side)
        stem = name[:-4] if side == "pre" else name.removesuffix("_post")
        if group.symbol(stem) is None:
            return None
        element = self.neuron(b, side, synapse, lowerer, i, j)
        found = group.place(stem, element)
        if found is None:
            return None
        return found[0], element, lambda: group.may_write(b, found[0], element)

    def guarded_place(self, b: ProgramBuilder, name: str, element: ir.Expr) -> Place | None:
        """Where `run_regularly` stores a variable."""
        variable = self._variables.get(name)
        return None if variable is None else (variable, element, lambda: None)

    def arrays_of(self, name: str) -> Iterable[Array]:
        """The arrays behind a name."""
        if name in self._variables:
            return [self._variables[name].array]
        if name.endswith("_pre"):
            return self.source.whole.arrays_of(name[:-4])
        return self.target.whole.arrays_of(name.removesuffix("_post"))

    def is_written(self, name: str, writes: frozenset[int]) -> bool:
        """Whether the program changes a variable of the synapses, or what `x_pre` or `x_post` stands for."""
        if self.is_synaptic(name):
            return super().is_written(name, writes)
        side = self.source if name.endswith("_pre") else self.target
        stem = name.removesuffix("_pre").removesuffix("_post")
        equation = side.whole.subexpression(stem)
        if equation is None or equation.expr is None:
            return side.whole.is_written(stem, writes)
        parts = names_in(equation.expr)
        return bool(parts & CLOCK) or any(self.is_written(f"{n}{name[len(stem) :]}", writes) for n in parts)

    # -- NumPy values -----------------------------------------------------------------------------

    def numpy_value(self, name: str, elements: np.ndarray) -> Any:
        now = name in self._event_driven and self.semantics.event_driven == "now"
        if self.traces is not None and name in self.traces:
            return self.traces.values(name, elements, now=now)
        if now:
            return advanced(self, name, elements)
        if name in self._variables or self.subexpression(name) is not None or name in ("t", "dt", "N"):
            return super().numpy_value(name, elements)
        match name:
            case "i":
                return self.connections.sources()[elements]
            case "j":
                return self.connections.targets()[elements]
            case "delay":
                return self.pathway("pre").delays()[elements] if len(self) else np.zeros(0)
            case "N_outgoing":
                return self.connections.n_outgoing()[self.connections.sources()[elements]]
            case "N_incoming":
                return self.connections.n_incoming()[self.connections.targets()[elements]]
        if name == self.multisynaptic_index:
            return self.connections.multisynaptic()[elements]
        if not len(self):
            elements = np.zeros(0, np.int64)  # what both groups share can be asked for even so
        return self.pair_value(
            name, self.connections.sources()[elements], self.connections.targets()[elements]
        )

    def pair_value(self, name: str, i: np.ndarray, j: np.ndarray) -> Any:
        """A variable of the source or target for pairs of neurons."""
        match name:
            case "N_pre":
                return len(self.source)
            case "N_post":
                return len(self.target)
        if name.endswith("_pre") and self.source.symbol(name[:-4]) is not None:
            return self.source.numpy_value(name[:-4], i)
        stem = name.removesuffix("_post")
        return self.target.numpy_value(stem, j) if self.target.symbol(stem) is not None else None

    # -- checks -----------------------------------------------------------------------------------

    def check(self) -> None:
        """Check all model text; raises one error that lists everything that is wrong."""
        scope = self.scope()
        with collecting() as problems:
            problems.run(lambda: check_equations(self.equations, scope))
            for equation in self.summed:
                problems.run(lambda e=equation: check_summed(self, e))
            if self.semantics.bind == "construction":  # else pathways check themselves when they are bound
                for pathway in self._pathways:
                    problems.run(pathway.check)
            problems.run(self.event_driven_statements)
            problems.run(self._check_event_driven_use)

    def _check_event_driven_use(self) -> None:
        """Event-driven variables are not at hand in every step, or only as of their last event."""
        held_only = self.semantics.event_driven == "last_update"
        for equation in self.equations.values():
            in_every_step = equation.kind == "differential" or (held_only and "summed" in equation.flags)
            if equation.expr is not None and in_every_step and equation.name not in self._event_driven:
                self._refuse_event_driven(equation.expr, f"'{equation.name}'")

    def _refuse_event_driven(self, tree: Expr, user: str) -> None:
        used = names_in(substitute(tree, self.equations.inlined())) & set(self._event_driven)
        if used:
            raise EquationError(
                f"'{min(used)}' is event-driven, so it has no value between events that {user} could use",
                span=tree.span,
                hint=f"Flag '{min(used)}' as (clock-driven).",
            )

    def _not_connected(self, so: str) -> TypeProblem:
        called = magic.script_name(self)
        return TypeProblem(
            f"{called} was never connected, {so}",
            hint=f"Call {called}.connect() first: without arguments it joins all pairs, with j='i' one to "
            f"one, with p=0.1 a tenth of all pairs.",
        )

    def before_run(self, namespace: Mapping[str, Any] | None, duration: float) -> None:
        if not self._connected:
            raise self._not_connected("so no spike can pass through it")
        if self.network is None and self._event_driven and self.traces is None:
            # connected while the clock stood where another network had left it: that is not their past
            update, now = self._variables["lastupdate"].array.data, self.clock.t_
            update[update > now + SAME] = now
        names, functions = self.identifiers()
        if namespace is not None and (
            self.semantics.bind == "run" or not (names | functions) <= set(self._external)
        ):
            self._bind_anew(namespace)
        shape = tuple((n, getattr(s, "dim", s), getattr(s, "type", "")) for n, s in self._external.items())
        if shape != self._bound:
            self.check()
            self._bound = shape
        if self.traces is not None and not self.traces.worthwhile:
            self.store_per_synapse()

    def _bind_anew(self, namespace: Mapping[str, Any]) -> None:
        """Look up external names; until now traces are what they are with the constants as they were."""
        old = self._external
        self.bind(namespace)
        new = self._external
        if self.traces is None or self.traces.is_zero or new is old:
            return
        known = old.keys() & new.keys()
        if any(getattr(old[n], "value", None) != getattr(new[n], "value", None) for n in known):
            self._external = old
            self.store_per_synapse()
            self._external = new

    def needs_grid(self) -> str:
        if (
            self._clock_driven
            or self.summed
            or any("constant over dt" in e.flags for e in self.equations.values())
        ):
            return f"{self.name} has variables that are computed in every time step"
        return ""

    def structure(self) -> object:
        return (self.structure_version, self._bound, self.connections.layout(), self.traces is None)

    # -- code -----------------------------------------------------------------------------------

    def event_driven_statements(self) -> tuple[Assignment, ...]:
        """The statements that advance event-driven variables over `_elapsed`."""
        if self._advance is None:
            exprs = self.equations.substituted()
            problem = Problem({n: exprs[n] for n in self._event_driven}, frozenset(), lambda call: False)
            self._advance = event_driven_step(problem) if self._event_driven else ()
        return self._advance

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        blocks = [summing_block(self, e) for e in self.summed]
        held = [e for e in self.equations.values() if "constant over dt" in e.flags]
        if held:
            blocks.append(
                Block(
                    f"{self.name}_subexpression_update",
                    self.clock,
                    "before_start",
                    0,
                    lambda b: self._emit_held(b, held),
                )
            )
        if self._clock_driven:
            exprs = self.equations.substituted()
            problem = Problem({n: exprs[n] for n in self._clock_driven}, frozenset(), lambda call: False)
            step = self.method_choice = chosen_step(self, problem, self.method, writes)
            coefficients = Coefficients(self, step, writes)
            blocks.append(
                Block(
                    f"{self.name}_stateupdater", self.clock, "groups", self.order,
                    lambda b: self._emit_update(b, step, coefficients),
                )
            )  # fmt: skip
        return blocks

    def element_code(self, b: ProgramBuilder, element: ir.Expr, purpose: str) -> Code:
        return Code(
            b,
            self,
            lambda name, low: self.resolve(b, name, element, low),
            element=element,
            purpose=purpose,
        )

    def size(self, b: ProgramBuilder) -> ir.Expr:
        """The number of synapses, in a program."""
        return b.integer_constant(("N", id(self)), "N", lambda: len(self))

    def _emit_update(self, b: ProgramBuilder, step: Step, coefficients: Coefficients) -> None:
        scalars = coefficients.emit_prologue(b)
        with b.vector("s", self.size(b)) as s:
            code = self.element_code(b, s, "update")
            coefficients.extend(b, code.lowerer.env, scalars, s, code)
            if step.noise:
                from eccles.compile import random

                for name in step.noise:
                    code.lowerer.env[name] = code.draw(random.normal)
            code.lowerer.statements(step.statements, dict.fromkeys(self._clock_driven, ir.F64))
            for name, value in code.lowerer.assigned.items():
                if name in self._clock_driven:  # those that the step changes
                    b.store(self._variables[name].array, s, value)

    def _emit_held(self, b: ProgramBuilder, held: list[Equation]) -> None:
        shared = [e for e in held if self._variables[e.name].shared]
        code = self.element_code(b, ir.const(0), "constant over dt shared")
        self._emit_values(b, code, shared, ir.const(0))
        rest = [e for e in held if e not in shared]
        if rest:
            with b.vector("s", self.size(b)) as s:
                self._emit_values(b, self.element_code(b, s, "constant over dt"), rest, s)

    def _emit_values(
        self, b: ProgramBuilder, code: Code, equations: list[Equation], element: ir.Expr
    ) -> None:
        for equation in equations:
            assert equation.expr is not None
            value = convert(code.expr(equation.expr), IR_TYPES[equation.type])
            value = code.lowerer.env[equation.name] = code.lowerer.let(equation.name, value)
            b.store(self._variables[equation.name].array, element, value)

    def writes(self) -> Iterable[Array]:
        for equation in self.summed:
            yield summed_array(self, equation)

    # -- access ---------------------------------------------------------------------------------

    def pathway(self, name: str) -> Pathway:
        """The pathway of this name."""
        for pathway in self._pathways:
            if pathway.pathway_name == name:
                return pathway
        raise AttributeError(f"{self.name} has no pathway '{name}'")

    def view(self, name: str, *, units: bool = True) -> VariableView:
        if name == "delay":
            return self.pathway("pre").delay_view(units)
        if not self._connected and name not in ("N",) and not self._is_shared_name(name):
            raise self._not_connected(f"so it has no '{name}' yet")
        if name in self._event_driven or (name == "lastupdate" and name in self._variables):
            return event_driven_view(self, name, units)
        stem, side = (name[:-4], "pre") if name.endswith("_pre") else (name.removesuffix("_post"), "post")
        if name not in self._variables and stem != name and self.group(side).symbol(stem) is not None:
            return neuron_view(self, name, side, stem, units)
        return super().view(name, units=units)

    def _is_shared_name(self, name: str) -> bool:
        return name in self._variables and self._variables[name].shared

    def _positions(self, item: Any) -> tuple[np.ndarray | None, bool]:
        if isinstance(item, SynapticSubset):
            return item.indices, False
        if isinstance(item, tuple):
            return positions_of_pairs(self, item)
        return super()._positions(item)

    def __getitem__(self, item: Any) -> SynapticSubset:
        positions, _ = self._positions(item)
        return SynapticSubset(self, np.arange(len(self)) if positions is None else positions)

    def __getattr__(self, name: str) -> Any:
        for pathway in self.__dict__.get("_pathways", ()):
            if pathway.pathway_name == name:
                return pathway
        if name == "N_incoming_post":
            return self.connections.n_incoming()
        if name == "N_outgoing_pre":
            return self.connections.n_outgoing()
        return super().__getattr__(name)

    def run_regularly(
        self,
        code: str,
        dt: Quantity | None = None,
        clock: Clock | None = None,
        when: str = "start",
        order: int = 0,
        name: str | None = None,
        codeobj_class: Any = None,
    ) -> CodeRunner:
        """Run statements for all synapses at every step of a clock; see `NeuronGroup.run_regularly`."""
        runner = CodeRunner(self, code, dt, clock, when, order, name or f"{self.name}_run_regularly*")
        changed = runner.targets() & set(self._event_driven)
        if changed and self.semantics.event_driven == "now":
            raise EquationError(
                f"'{min(changed)}' of {self.name} is event-driven, so only on_pre and on_post can change it",
                hint=f"Flag '{min(changed)}' as (clock-driven).",
            )
        if changed:
            self.store_per_synapse()
        self._runners.append(runner)
        return runner

    def memory(self) -> int:
        """Bytes of memory for connections and state."""
        state = sum(v.array.data.nbytes for v in self._variables.values()) + self._lastupdate_rest.data.nbytes
        traces = 0 if self.traces is None else self.traces.memory()
        return self.connections.memory() + state + traces

    def full_state(self) -> dict[str, np.ndarray]:
        return {
            **self.run_state(),
            "_sources": self.connections.sources().copy(),
            "_targets": self.connections.targets().copy(),
            "_connected": np.array(self._connected),
        }

    def run_state(self) -> dict[str, np.ndarray]:
        state = {**super().full_state(), **({} if self.traces is None else self.traces.full_state())}
        if len(self._lastupdate_rest) == len(self):
            state["_lastupdate_rest"] = self._lastupdate_rest.data.copy()
        return state

    def set_full_state(self, state: Mapping[str, np.ndarray]) -> None:
        sources = stored_array(
            state, "_sources", self.name, dtype=np.int32, at_least=0, below=len(self.source)
        )
        targets = stored_array(
            state,
            "_targets",
            self.name,
            dtype=np.int32,
            size=len(sources),
            at_least=0,
            below=len(self.target),
        )
        now = self.connections
        if not (np.array_equal(targets, now.targets()) and np.array_equal(sources, now.sources())):
            now.replace(sources, targets)
            self._resize()
            self.structure_changed()
        self._connected = bool(stored_number(state, "_connected", self.name))
        self.set_run_state(state)

    def set_run_state(self, state: Mapping[str, np.ndarray]) -> None:
        if not any(key.startswith("_last.") for key in state):
            self.store_per_synapse()
        elif self.traces is None:
            self.traces = self._find_traces()
            if self.traces is None:
                raise misfit(self.name, "its event-driven variables have to be stored per synapse now")
            for name in (*self._event_driven, "lastupdate"):
                self._variables[name].array.resize(0)
            self.structure_changed()
        super().set_full_state(state)
        if "_lastupdate_rest" in state:
            self.lastupdate_rest().data[:] = stored_array(
                state, "_lastupdate_rest", self.name, dtype=np.float64, size=len(self)
            )
        elif len(self._lastupdate_rest):
            self.lastupdate_rest().data[:] = 0
        if self.traces is not None:
            self.traces.set_full_state(state)
