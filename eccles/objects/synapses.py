"""Synapses: state per connection, code that runs when spikes arrive, equations between events.

State is stored in the order of creation. `target` holds 4 bytes per synapse; as long as synapses were
created in order of their source, which all random and conditional forms do, the sources are not stored
at all: `first` says where those of each source begin. Otherwise `order` lists them by source. The index
by target exists only where a pathway runs on postsynaptic spikes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.compile.lower import Lowerer, convert
from eccles.engine.clock import Clock
from eccles.engine.program import Block, ProgramBuilder
from eccles.engine.state import Array
from eccles.errors import EquationError, SetupError
from eccles.integrate.choose import step_of
from eccles.integrate.event_driven import event_driven_step
from eccles.integrate.problem import Problem, Step
from eccles.language.check import Symbol, check_equations, check_expression
from eccles.language.equations import Equation, Equations
from eccles.language.generator import parse_generator
from eccles.language.nodes import Assignment, Expr, names_in
from eccles.language.parser import parse_expression
from eccles.objects import connect, magic
from eccles.objects.code import Code
from eccles.objects.coefficients import Coefficients
from eccles.objects.group import DRAWS, Group, SimulationObject, TextScope
from eccles.objects.pathway import Pathway
from eccles.objects.problems import collecting
from eccles.objects.regular import CodeRunner
from eccles.objects.sources import SpikeSource
from eccles.objects.statements import IR_TYPES, Place
from eccles.objects.variables import Variable, VariableView, positions_of
from eccles.units import DIMENSIONLESS, Quantity, second

__all__ = ["Synapses", "SynapticSubset"]

ALLOWED_FLAGS = {
    "differential": {"event-driven", "clock-driven"},
    "subexpression": {"summed", "shared", "constant over dt"},
    "parameter": {"constant", "shared", "linked"},
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
        super().__init__(name, clock if clock or dt else source.clock, dt, namespace, "groups", order)
        self.method = method
        self.user_equations = self.equations = (
            model if isinstance(model, Equations) else Equations(model or "", suffixes=True)
        )
        self.equations.check_flags(ALLOWED_FLAGS)
        self.multisynaptic_index = multisynaptic_index
        self._connected = False
        self._n = 0
        self._target = Array(f"{self.name}.target", Element.I32)
        self._first = Array(f"{self.name}.first", Element.I64, len(self.source) + 1)
        self._order: Array | None = None  # synapses by source, where they were not created so
        self._source: Array | None = None
        self._by_target: Array | None = None
        self._first_by_target = Array(f"{self.name}.first_by_target", Element.I64)
        self._last_source = 0
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
        self._ready = True  # from now on attributes are variables

    # -- construction ---------------------------------------------------------------------------

    def _declare_variables(self, dtype: Any) -> None:
        self._event_driven: list[str] = []
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
        events = on_event if isinstance(on_event, Mapping) else dict.fromkeys(texts, on_event)
        for what, mapping in (("delay", delays), ("on_event", events)):
            for name in mapping:
                if name not in texts:
                    raise SetupError(
                        f"{what} is given for a pathway '{name}' of {self.name}, which has "
                        + (f"the pathways {', '.join(texts)}" if texts else "no pathway")
                    )
        for name, (side, text) in texts.items():
            self._pathways.append(
                Pathway(self, name, side, text, events.get(name, "spike"), delays.get(name))
            )

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
        return self._n

    def __len__(self) -> int:
        return self._n

    def event_buffer(self, event: str = "spike") -> Any:
        """Synapses emit no events."""
        raise SetupError(f"{self.name} are synapses: they emit no spikes")

    @property
    def source_array(self) -> Array:
        """The source of each synapse, stored from now on."""
        if self._source is None:
            self._source = Array(f"{self.name}.source", Element.I32)
            self._source.replace(self.sources())
        return self._source

    def sources(self) -> np.ndarray:
        """The source of each synapse, (n,) int."""
        if self._source is not None:
            return self._source.data
        return np.repeat(np.arange(len(self.source), dtype=np.int32), np.diff(self._first.data))

    def targets(self) -> np.ndarray:
        """The target of each synapse, (n,) int."""
        return self._target.data

    @property
    def order_array(self) -> Array | None:
        """The synapses by source; None if they are stored so."""
        return self._order

    @property
    def first_array(self) -> Array:
        """Where the synapses of each source begin."""
        return self._first

    @property
    def target_array(self) -> Array:
        """The target of each synapse."""
        return self._target

    def index_by_target(self) -> tuple[Array, Array]:
        """Where the synapses of each target begin, and the synapses by target."""
        if self._by_target is None:
            self._by_target = Array(f"{self.name}.by_target", Element.I32)
            order = np.argsort(self._target.data, kind="stable")
            self._by_target.replace(order)
            counts = np.bincount(self._target.data, minlength=len(self.target))
            self._first_by_target.replace(np.concatenate([[0], np.cumsum(counts)]))
        return self._first_by_target, self._by_target

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
        chunks = self._pairs(condition, i, j, p, n, skip_if_invalid, namespace)
        key = self.stream_key("connect")
        magic.next_ordinal(key)
        self._connected = True
        for sources, targets in chunks:
            self._append(sources, targets)
        self._resize(self._n)
        self.structure_changed()

    def _pairs(
        self, condition: Any, i: Any, j: Any, p: Any, n: Any, skip_if_invalid: bool, namespace: Any
    ) -> Iterator[connect.Pairs]:
        if isinstance(condition, np.ndarray | int) and not isinstance(condition, bool | np.bool_):
            raise TypeError(
                "the first argument of connect is a condition (text); give indices as i=..., j=..."
            )
        if condition is not None and (i is not None or j is not None):
            raise SetupError("connect takes either a condition or indices i and j, not both")
        if isinstance(i, str) and isinstance(j, str):
            raise SetupError("only one of i and j can be an expression; the other one runs over all elements")
        if condition is False:
            return iter(())
        text = {"p": p if isinstance(p, str) else None, "n": n if isinstance(n, str) else None}
        trees = {k: parse_expression(v, f"connect, {k}") for k, v in text.items() if v is not None}
        key = rng_key = self.stream_key("connect")
        rng_key = key + magic.next_ordinal(key ^ 1) * 0x9E3779B97F4A7C15 & (2**64 - 1)
        chance = trees.get("p", None if isinstance(p, str) else _probability(p))
        if isinstance(i, str) or isinstance(j, str):
            return self._pairs_by_generator(i, j, chance, trees.get("n", n), skip_if_invalid, rng_key, trees)
        if i is not None or j is not None:
            if i is None or j is None:
                raise SetupError("connect needs both i and j (or an expression for one of them)")
            if chance != 1.0 or "n" in trees:
                raise SetupError("p and text for n cannot be combined with index arrays i and j")
            return connect.by_indices(i, j, n, len(self.source), len(self.target))
        tree = None
        if isinstance(condition, str):
            tree = parse_expression(condition, "connect, condition")
        evaluate = self._pair_evaluator([*trees.values(), *([tree] if tree is not None else [])])
        if tree is not None:
            check_expression(
                tree, evaluate.scope, expect_type="boolean", what="the condition for a connection"
            )
        count = trees.get("n", n)
        return connect.by_condition(
            len(self.source), len(self.target), tree, chance, _times(count), evaluate, rng_key
        )

    def _pairs_by_generator(
        self, i: Any, j: Any, p: Any, n: Any, skip_if_invalid: bool, key: int, trees: dict[str, Expr]
    ) -> Iterator[connect.Pairs]:
        made = "j" if isinstance(j, str) else "i"
        if (i if made == "j" else j) is not None:
            raise SetupError(
                f"with an expression for {made}, the other index runs over all elements: leave it out"
            )
        generator = parse_generator(j if made == "j" else i, f"connect, {made}")
        sizes = (len(self.source), len(self.target))
        over, n_made = sizes if made == "j" else sizes[::-1]
        parts = (
            generator.element, generator.start, generator.stop, generator.step,
            generator.probability, generator.size, generator.condition,
        )  # fmt: skip
        evaluate = self._pair_evaluator(
            [*trees.values(), *(part for part in parts if part is not None)], generator.variable
        )
        return connect.by_generator(
            generator, over, n_made, made, p, _times(n), skip_if_invalid, evaluate, key
        )

    def _pair_evaluator(self, trees: list[Expr], variable: str | None = None) -> _PairEvaluator:
        return _PairEvaluator(self, trees, variable)

    def _append(self, sources: np.ndarray, targets: np.ndarray) -> None:
        if len(sources) == 0:
            return
        n = self._n + len(sources)
        if n >= 2**31 - 65:
            raise SetupError("too many synapses in one Synapses object (2^31 at most)")
        in_order = (
            self._order is None
            and sources[0] >= self._last_source
            and bool(np.all(sources[1:] >= sources[:-1]))
        )
        if not in_order and self._source is None:
            self.source_array  # noqa: B018  (from now on the sources have to be stored)
        if n > self._target.capacity:
            self._target.reserve(max(n, int(1.5 * self._target.capacity)))
        self._target.resize(n)
        self._target.data[self._n :] = targets
        if self._source is not None:
            self._source.reserve(max(n, int(1.5 * self._source.capacity)) if n > self._source.capacity else n)
            self._source.resize(n)
            self._source.data[self._n :] = sources
        counts = np.bincount(sources, minlength=len(self.source))
        self._first.data[1:] += np.cumsum(counts)
        if not in_order:
            assert self._source is not None
            self._order = self._order or Array(f"{self.name}.order", Element.I32)
            self._order.replace(np.argsort(self._source.data, kind="stable"))
        self._last_source = max(self._last_source, int(sources.max()))
        self._n = n

    def _resize(self, n: int) -> None:
        for variable in self._variables.values():
            if not variable.shared:
                variable.array.resize(n)
        self._by_target = None
        for pathway in self._pathways:
            pathway.resize(n)

    def structure_changed(self) -> None:
        """Another program is needed (indices may have come or gone)."""
        self.structure_version += 1

    # -- names ------------------------------------------------------------------------------------

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
            case "lastupdate":
                return Symbol(name, second.dim, "float", "builtin", writable=False)
            case "delay":
                return Symbol(name, second.dim, "float", "variable")
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
                return i if i is not None else lowerer.let("i", b.load(self.source_array, synapse))
            case "j":
                return j if j is not None else lowerer.let("j", b.load(self._target, synapse))
            case "t":
                return b.t(self.clock)
            case "dt":
                return b.dt(self.clock)
            case "N":
                return b.integer_constant(("N", id(self)), "N", lambda: self._n)
            case "N_pre":
                return b.integer_constant(("N", id(self.source)), "N", lambda: len(self.source))
            case "N_post":
                return b.integer_constant(("N", id(self.target)), "N", lambda: len(self.target))
            case "N_outgoing":
                return self._count_of(b, self._first, self.resolve_at(b, "i", synapse, lowerer, i, j))
            case "N_incoming":
                first, _ = self.index_by_target()
                return self._count_of(b, first, self.resolve_at(b, "j", synapse, lowerer, i, j))
        if name.endswith("_pre") and self.source.symbol(name[:-4]) is not None:
            element = self.neuron(b, "pre", synapse, lowerer, i, j)
            return self.source.resolve(b, name[:-4], element, lowerer)
        stem = name.removesuffix("_post")
        if self.target.symbol(stem) is not None:
            element = self.neuron(b, "post", synapse, lowerer, i, j)
            return self.target.resolve(b, stem, element, lowerer)
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
        group = self.source if side == "pre" else self.target
        index = self.resolve_at(b, "i" if side == "pre" else "j", synapse, lowerer, i, j)
        assert index is not None
        if group.whole is group:
            return index
        first = b.integer_constant(("start", id(group)), "start", lambda: group.start)
        return lowerer.let(side, Op("iadd", (index, first)))

    def resolve(self, b: ProgramBuilder, name: str, element: ir.Expr, lowerer: Lowerer) -> ir.Expr | None:
        if name in self._event_driven and self.semantics.event_driven == "now":
            return self._advanced(b, name, element, lowerer)
        return self.resolve_at(b, name, element, lowerer)

    def _advanced(self, b: ProgramBuilder, name: str, synapse: ir.Expr, lowerer: Lowerer) -> ir.Expr:
        """An event-driven variable as of now."""
        code = Code(
            b, self, lambda n, low: self.resolve_at(b, n, synapse, low), element=synapse, purpose="now"
        )
        code.lowerer.out = lowerer.out
        code.lowerer.env["_elapsed"] = self.elapsed(b, synapse, lowerer)
        code.lowerer.statements(self.event_driven_statements(), {})
        return code.lowerer.env[name]

    def elapsed(self, b: ProgramBuilder, synapse: ir.Expr, lowerer: Lowerer) -> ir.Expr:
        """The time since the last event of a synapse."""
        last = b.load(self._variables["lastupdate"].array, synapse)
        return lowerer.let("elapsed", Op("fsub", (b.t(self.clock), last)))

    def place(
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
        group = self.source if side == "pre" else self.target
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

    # -- NumPy values -----------------------------------------------------------------------------

    def numpy_value(self, name: str, elements: np.ndarray) -> Any:
        if name in self._event_driven and self.semantics.event_driven == "now":
            return self._advanced_numpy(name, elements)
        if name in self._variables or self.subexpression(name) is not None or name in ("t", "dt", "N"):
            return super().numpy_value(name, elements)
        match name:
            case "i":
                return self.sources()[elements]
            case "j":
                return self._target.data[elements]
            case "delay":
                return self.pathway("pre").delays()[elements] if self._n else np.zeros(0)
            case "N_outgoing":
                return np.diff(self._first.data)[self.sources()[elements]]
            case "N_incoming":
                return np.bincount(self._target.data, minlength=len(self.target))[self._target.data[elements]]
        if name == self.multisynaptic_index:
            return self._multisynaptic()[elements]
        return self.pair_value(name, self.sources()[elements], self._target.data[elements])

    def _advanced_numpy(self, name: str, elements: np.ndarray) -> np.ndarray:
        variable = self._variables[name].array.data[elements]
        elapsed = self.clock.t_ - self._variables["lastupdate"].array.data[elements]
        values: dict[str, Any] = {"_elapsed": elapsed, name: variable}
        from eccles.language.evaluate import evaluate
        from eccles.language.functions import BUILTINS

        def look_up(n: str) -> Any:
            if n in values:
                return values[n]
            if n in self._variables:
                return Group.numpy_value(self, n, elements)
            found = self.numpy_value(n, elements)
            return self._external[n].value if found is None else found

        for statement in self.event_driven_statements():
            values[statement.target] = evaluate(
                statement.value, look_up, lambda f, args: BUILTINS[f].python(*args)
            )
        return np.asarray(values[name])

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

    def _multisynaptic(self) -> np.ndarray:
        """The number of each synapse among those of the same pair."""
        pairs = self.sources().astype(np.int64) * len(self.target) + self._target.data
        order = np.argsort(pairs, kind="stable")
        ordered = pairs[order]
        new = np.ones(len(pairs), bool)
        new[1:] = ordered[1:] != ordered[:-1]
        starts = np.flatnonzero(new)
        numbers = np.arange(len(pairs)) - np.repeat(starts, np.diff(np.append(starts, len(pairs))))
        result = np.empty(len(pairs), np.int64)
        result[order] = numbers
        return result

    # -- checks -----------------------------------------------------------------------------------

    def check(self) -> None:
        """Check all model text; raises one error that lists everything that is wrong."""
        scope = self.scope()
        with collecting() as problems:
            problems.run(lambda: check_equations(self.equations, scope))
            for equation in self.summed:
                problems.run(lambda e=equation: self._check_summed(e))
            if self.semantics.bind == "construction":  # else pathways check themselves when they are bound
                for pathway in self._pathways:
                    problems.run(pathway.check)
            problems.run(self.event_driven_statements)
            problems.run(self._check_event_driven_use)

    def _check_summed(self, equation: Equation) -> None:
        side, stem = self._summed_target(equation)
        group = self.source if side == "pre" else self.target
        symbol = group.symbol(stem)
        if symbol is None:
            raise EquationError(
                f"'{equation.name}' is summed, but {group.name} has no variable '{stem}'", span=equation.span,
                hint=f"Add a line '{stem} : ...' to the equations of {group.name}.",
            )  # fmt: skip
        if symbol.dim is not equation.dim:
            raise EquationError(
                f"'{equation.name}' is {equation.dim.friendly()}, but '{stem}' of {group.name} is "
                f"{symbol.dim.friendly()}",
                span=equation.span,
            )
        whole = group.whole
        declared = (
            whole.equations.get(stem)
            if isinstance(whole, SpikeSource) and "equations" in whole.__dict__
            else None
        )
        if declared is not None and declared.kind != "parameter":
            raise EquationError(
                f"'{stem}' of {group.name} cannot be summed into: it has an equation of its own",
                span=equation.span,
                hint=f"Declare it as a parameter, '{stem} : unit', and use it in the equations.",
            )

    def _summed_target(self, equation: Equation) -> tuple[str, str]:
        if equation.name.endswith("_pre"):
            return "pre", equation.name[:-4]
        if equation.name.endswith("_post"):
            return "post", equation.name[:-5]
        raise EquationError(
            f"'{equation.name}' is flagged 'summed', so its name has to end in _post or _pre",
            span=equation.span,
        )

    def _check_event_driven_use(self) -> None:
        for equation in self.equations.values():
            if equation.expr is None or equation.name in self._event_driven:
                continue
            used = names_in(equation.expr) & set(self._event_driven)
            if used and equation.kind == "differential":
                raise EquationError(
                    f"'{sorted(used)[0]}' is event-driven, so it has no value between events that "
                    f"'{equation.name}' could use",
                    span=equation.expr.span,
                    hint=f"Flag '{sorted(used)[0]}' as (clock-driven).",
                )

    def before_run(self, namespace: Mapping[str, Any] | None, duration: float) -> None:
        if not self._connected:
            raise TypeError(f"{self.name} has no synapses: call {self.name}.connect(...) before running")
        names, functions = self.identifiers()
        if namespace is not None and (
            self.semantics.bind == "run" or not (names | functions) <= set(self._external)
        ):
            self.bind(namespace)
        shape = tuple((n, getattr(s, "dim", s), getattr(s, "type", "")) for n, s in self._external.items())
        if shape != self._bound:
            self.check()
            self._bound = shape

    def structure(self) -> object:
        return (
            self.structure_version, self._bound, self._order is None, self._source is None,
            self._by_target is None,
        )  # fmt: skip

    # -- code -----------------------------------------------------------------------------------

    def event_driven_statements(self) -> tuple[Assignment, ...]:
        """The statements that advance event-driven variables over `_elapsed`."""
        if not self._event_driven:
            return ()
        exprs = self.equations.substituted()
        problem = Problem({n: exprs[n] for n in self._event_driven}, frozenset(), lambda call: False)
        return event_driven_step(problem)

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        blocks = [
            Block(
                f"{self.name}_summed_{e.name}",
                self.clock,
                "groups",
                self.order - 1,
                lambda b, e=e: self._emit_sum(b, e),
            )
            for e in self.summed
        ]
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
            step = self.method_choice = step_of(problem, self.method, default=self.semantics.default_methods)
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
            lambda name, low: self.resolve_at(b, name, element, low),
            element=element,
            purpose=purpose,
        )

    def _size_local(self, b: ProgramBuilder) -> ir.Expr:
        return b.integer_constant(("N", id(self)), "N", lambda: self._n)

    def _emit_update(self, b: ProgramBuilder, step: Step, coefficients: Coefficients) -> None:
        scalars = coefficients.emit_prologue(b)
        with b.vector("s", self._size_local(b)) as s:
            code = self.element_code(b, s, "update")
            coefficients.extend(b, code.lowerer.env, scalars, s, code)
            if step.noise:
                from eccles.compile import random

                for name in step.noise:
                    code.lowerer.env[name] = code.draw(random.normal)
            code.lowerer.statements(step.statements, dict.fromkeys(self._clock_driven, ir.F64))
            for name in self._clock_driven:
                b.store(self._variables[name].array, s, code.lowerer.assigned[name])

    def _emit_held(self, b: ProgramBuilder, held: list[Equation]) -> None:
        with b.vector("s", self._size_local(b)) as s:
            code = self.element_code(b, s, "constant over dt")
            for equation in held:
                assert equation.expr is not None
                value = convert(code.expr(equation.expr), IR_TYPES[equation.type])
                value = code.lowerer.env[equation.name] = code.lowerer.let(equation.name, value)
                b.store(self._variables[equation.name].array, s, value)

    def _emit_sum(self, b: ProgramBuilder, equation: Equation) -> None:
        """Zero the target, then add synapse by synapse, in order of creation."""
        side, stem = self._summed_target(equation)
        group = self.source if side == "pre" else self.target
        assert equation.expr is not None
        (array,) = group.whole.arrays_of(stem)
        first = group.first_element(b)
        with b.elements("i", b.integer_constant(("N", id(group)), "N", lambda: len(group)), first) as i:
            b.store(array, i, ir.const(0.0))
        with b.loop("s", ir.const(0), self._size_local(b)) as s:
            code = self.element_code(b, s, equation.name)
            element = b.let("to", self.neuron(b, side, s, code.lowerer, None, None))
            value = convert(code.expr(equation.expr), ir.F64)
            b.store(array, element, Op("fadd", (b.load(array, element), value)))

    def writes(self) -> Iterable[Array]:
        for equation in self.summed:
            side, stem = self._summed_target(equation)
            yield from (self.source if side == "pre" else self.target).whole.arrays_of(stem)

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
            raise TypeError(f"{self.name} has no synapses yet: call {self.name}.connect(...) first")
        if name in self._event_driven and self.semantics.event_driven == "now":
            return self._event_driven_view(name, units)
        stem, side = (name[:-4], "pre") if name.endswith("_pre") else (name.removesuffix("_post"), "post")
        group = self.source if side == "pre" else self.target
        if name not in self._variables and stem != name and group.symbol(stem) is not None:
            return self._neuron_view(name, stem, side, group, units)
        return super().view(name, units=units)

    def _is_shared_name(self, name: str) -> bool:
        return name in self._variables and self._variables[name].shared

    def _event_driven_view(self, name: str, units: bool) -> VariableView:
        """Reads as of now; writing sets the value as of now and keeps the synapse's other traces."""
        variable = self._variables[name]

        def write(positions: np.ndarray | None, values: np.ndarray) -> None:
            everything = np.arange(self._n)
            for other in self._event_driven:
                self._variables[other].array.data[:] = self._advanced_numpy(other, everything)
            self._variables["lastupdate"].array.data[:] = self.clock.t_
            variable.array.data[slice(None) if positions is None else positions] = values

        return VariableView(
            name, variable.dim, self.name, size=lambda: self._n,
            read=lambda positions: self._advanced_numpy(
                name, np.arange(self._n) if positions is None else positions
            ),
            write=write, indices=self._positions, assign_text=self._assign_text(name), units=units,
        )  # fmt: skip

    def _neuron_view(self, name: str, stem: str, side: str, group: Any, units: bool) -> VariableView:
        inner = group.view(stem, units=units)

        def elements(positions: np.ndarray | None) -> np.ndarray:
            index = self.sources() if side == "pre" else self._target.data
            return index if positions is None else index[positions]

        def write(positions: np.ndarray | None, values: np.ndarray) -> None:
            assert inner.write is not None
            inner.write(elements(positions), values)

        return VariableView(
            name, inner.dim, self.name, size=lambda: self._n,
            read=lambda positions: inner.read(elements(positions)),
            write=write if inner.write is not None else None,
            indices=self._positions, assign_text=self._assign_text(name), units=units,
        )  # fmt: skip

    def _positions(self, item: Any) -> tuple[np.ndarray | None, bool]:
        if isinstance(item, SynapticSubset):
            return item.indices, False
        if isinstance(item, tuple):
            return self._positions_of_pairs(item)
        return super()._positions(item)

    def _positions_of_pairs(self, item: tuple[Any, ...]) -> tuple[np.ndarray, bool]:
        if len(item) not in (2, 3):
            raise IndexError(
                f"synapses are chosen by [k], [i, j] or [i, j, number], not by {len(item)} indices"
            )
        keep = np.ones(self._n, bool)
        scalar = True
        names = ("source", "target", "multisynaptic index")
        columns = (self.sources(), self._target.data)
        sizes = (len(self.source), len(self.target), 2**31)
        groups = (self.source, self.target, None)
        for place, (part, size, group) in enumerate(zip(item, sizes, groups, strict=False)):
            column = columns[place] if place < 2 else self._multisynaptic()
            if group is not None and isinstance(part, Group) and part.whole is group.whole:
                part = slice(part.start - group.start, part.stop - group.start)
            if isinstance(part, slice) and place == 2:
                chosen = np.arange(*part.indices(int(column.max(initial=0)) + 1))
                one = False
            else:
                chosen, one = positions_of(part, size, f"the {names[place]} of {self.name}")
            scalar = scalar and one
            if chosen is not None:
                keep &= np.isin(column, chosen)
        found = np.flatnonzero(keep)
        if scalar and len(found) == 0:
            raise IndexError(f"there is no synapse from {item[0]} to {item[1]} in {self.name}")
        return found, scalar and len(found) == 1

    def __getitem__(self, item: Any) -> SynapticSubset:
        positions, _ = self._positions(item)
        return SynapticSubset(self, np.arange(self._n) if positions is None else positions)

    def __getattr__(self, name: str) -> Any:
        for pathway in self.__dict__.get("_pathways", ()):
            if pathway.pathway_name == name:
                return pathway
        if name == "N_incoming_post":
            return np.bincount(self._target.data, minlength=len(self.target))
        if name == "N_outgoing_pre":
            return np.diff(self._first.data)
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
        self._runners.append(runner)
        return runner

    def memory(self) -> int:
        """Bytes of memory for connections and state."""
        arrays = [self._target, self._first, self._first_by_target]
        arrays += [a for a in (self._order, self._source, self._by_target) if a is not None]
        arrays += [v.array for v in self._variables.values()]
        return sum(a.data.nbytes for a in arrays)

    def state(self) -> dict[str, np.ndarray]:
        return {
            **super().state(),
            "_sources": self.sources().copy(),
            "_targets": self._target.data.copy(),
            "_connected": np.array(self._connected),
        }

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        if len(state["_targets"]) != self._n or not np.array_equal(state["_targets"], self._target.data):
            self._n, self._last_source = 0, 0
            self._target.resize(0)
            self._first.data[:] = 0
            self._order = self._source = None
            self._append(state["_sources"].astype(np.int64), state["_targets"])
            self._resize(self._n)
            self.structure_changed()
        self._connected = bool(state["_connected"])
        super().set_state(state)


class SynapticSubset:
    """Some synapses, chosen by an index: for `record=` of a monitor, or as an index."""

    def __init__(self, synapses: Synapses, indices: np.ndarray) -> None:
        self.synapses = synapses
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.indices, dtype=dtype)


class _PairEvaluator:
    """Evaluates connection expressions for arrays of pairs."""

    def __init__(self, synapses: Synapses, trees: list[Expr], variable: str | None) -> None:
        self._synapses = synapses
        self._variable = variable
        self.scope = _PairScope(synapses, trees, variable)
        self._n_calls = 0

    def __call__(
        self, tree: Expr, i: np.ndarray, j: np.ndarray, extra: dict[str, np.ndarray], purpose: str
    ) -> np.ndarray:
        from eccles.language.evaluate import evaluate
        from eccles.language.functions import BUILTINS

        synapses = self._synapses
        key = synapses.stream_key(purpose)

        def look_up(name: str) -> Any:
            if name in extra:
                return extra[name]
            match name:
                case "i":
                    return i
                case "j":
                    return j
            value = synapses.pair_value(name, i, j)
            return self.scope.external[name].value if value is None else value

        def call(function: str, args: tuple[Any, ...]) -> Any:
            if function in ("rand", "randn", "poisson", "binomial"):
                size = max(len(i), len(j))
                return DRAWS[function](*args, key, np.arange(size), magic.next_ordinal(key), 0)
            if function in BUILTINS:
                return BUILTINS[function].python(*args)
            return self.scope.external[function].evaluate(*args)

        return np.asarray(evaluate(tree, look_up, call))


class _PairScope(TextScope):
    """Names in connection expressions; the variable of a generator is one of them."""

    def __init__(self, synapses: Synapses, trees: list[Expr], variable: str | None) -> None:
        self._variable = variable
        super().__init__(synapses, trees, magic.users_names())

    def symbol(self, name: str) -> Symbol | None:
        if name == self._variable:
            return Symbol(name, DIMENSIONLESS, "integer", "builtin", writable=False)
        return super().symbol(name)


def _probability(p: Any) -> float:
    value = float(p)
    if not 0 <= value <= 1:
        raise SetupError(f"a probability has to lie between 0 and 1, not {value}")
    return value


def _times(n: Any) -> Any:
    """How many synapses per pair: a tree, or a number."""
    if isinstance(n, int | np.integer):
        if n < 0:
            raise SetupError(f"the number of synapses per pair cannot be negative ({n})")
        return int(n)
    return n
