"""Reducing what would be recorded to one number per element, while the network runs.

A `Reduction` takes samples where a `StateMonitor` does, but keeps none of them: statements in the model
language go over a few variables of its own at each sample, and an expression makes the result of these.
The result is computed in the last step of the run. Where spike times are exact, the end of the run is a
sample, too; it counts in the result but is not kept, as a run that goes on begins with a sample of that time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.engine import rng
from eccles.engine.clock import Clock
from eccles.engine.program import Block, Part, ProgramBuilder
from eccles.engine.state import Array
from eccles.errors import EquationError, NameResolutionError, SetupError, nearest
from eccles.language.check import ExprType, Symbol, check_expression, check_statements
from eccles.language.equations import Equation, Equations
from eccles.language.nodes import Assignment, Expr
from eccles.language.parser import parse_expression, parse_statements
from eccles.monitors.spikes import slot_after
from eccles.monitors.window import Window
from eccles.objects import magic
from eccles.objects.code import Code
from eccles.objects.group import Group, SimulationObject
from eccles.objects.sources import SpikeSource
from eccles.objects.statements import IR_TYPES, emit_assignments
from eccles.objects.stored import stored_array
from eccles.objects.variables import positions_of
from eccles.units import DIMENSIONLESS, Dimension, Quantity, hertz, second

__all__ = ["RECIPES", "EventCount", "Recipe", "Reduction", "reduction_of"]

LAST = 10**9  # in the order of a slot


class Reduction(Group):
    """Reduces variables of some elements to one number each, sample by sample.

    Parameters
    ----------
    source : group or synapses
    variables : str
        Variables of the reduction's own, one of each per element: `"peak : volt"`. They begin with 0.
    each : str
        Statements for every sample, such as `"peak = clip(peak, v, inf*volt)"`. They read variables of
        the source and write those of the reduction.
    value : str
        The result: a variable of the reduction or an expression.
    first : str, optional
        Statements for the first sample; by default those for every sample.
    record : bool, int, slice or sequence of int
        Which elements.
    start, stop : time, optional
        Samples are taken where start <= t <= stop.
    namespace : dict, optional
        Values for names that are neither variables nor known to the model of the source; by default those of
        the calling script.

    Attributes
    ----------
    n_samples : int
        How many samples were taken (without that of the end of the run). In text it is the number of samples
        up to now.
    values : (element,)
        The results as of the end of the last run; NaN where no sample was taken.
    """

    invalidates_magic_network = False
    is_recorder = True

    def __init__(
        self,
        source: Any,
        variables: str | Sequence[Equation],
        each: str,
        value: str,
        first: str | None = None,
        record: Any = True,
        *,
        start: Quantity | None = None,
        stop: Quantity | None = None,
        namespace: Mapping[str, Any] | None = None,
        name: str = "reduction*",
    ) -> None:
        if not isinstance(source, Group):
            raise TypeError(f"a reduction needs a group or synapses, not {source!r}")
        self.semantics = source.semantics
        super().__init__(name, source.clock, None, namespace, "start")
        self.source: Any = source
        self.window = Window.of(start, stop)
        positions, _ = positions_of(slice(None) if record is True else record, len(source), source.name)
        self.record = np.arange(len(source)) if positions is None else positions
        self._index = Array(f"{self.name}.index", Element.I32, len(self.record))
        self._index.data[:] = self.record + source.start
        self._in_order = np.array_equal(self._index.data, np.arange(len(self.record)))
        self._count = Array(f"{self.name}.n", Element.I64, 1)
        self._result = Array(f"{self.name}.result", Element.F64, len(self.record), fill=np.nan)
        self._text = (each, value, first)
        self._declare_own(variables)
        self._each = parse_statements(each, f"{source.name}, each sample")
        self._first = (
            self._each if first is None else parse_statements(first, f"{source.name}, the first sample")
        )
        self._value = parse_expression(value, f"{source.name}, value")
        self._value_type = ExprType(DIMENSIONLESS, "float")
        self._ready = True  # from now on attributes are variables
        if self.semantics.bind == "construction":
            self.bind(magic.users_names())
            self.check()

    def _declare_own(self, variables: str | Sequence[Equation]) -> None:
        equations = Equations(variables).values() if isinstance(variables, str) else variables
        for equation in equations:
            if equation.kind != "parameter" or equation.flags:
                raise EquationError(
                    f"a variable of a reduction is declared by its name and unit, not by '{equation}'",
                    span=equation.span, hint=f"Write '{equation.name} : {equation.unit_text}'.",
                )  # fmt: skip
            if self.source.symbol(equation.name) is not None or equation.name == "n_samples":
                raise EquationError(
                    f"'{equation.name}' is a variable of {self.source.name} already", span=equation.span,
                    hint="Choose another name for the variable of the reduction.",
                )  # fmt: skip
            self._declare_equation(equation, len(self.record))

    def __len__(self) -> int:
        return len(self.record)

    @property
    def needs(self) -> list[SimulationObject]:
        return [self.source.whole]

    @property
    def has_state(self) -> bool:
        return False  # what it keeps is no state of the model

    # -- results ----------------------------------------------------------------------------------

    @property
    def n_samples(self) -> int:
        """How many samples were taken."""
        return int(self._count.data[0])

    @property
    def result(self) -> Array:
        """Where the results are stored, in SI units."""
        return self._result

    @property
    def dim(self) -> Dimension:
        """The dimension of the results."""
        return self._value_type.dim

    @property
    def values_(self) -> np.ndarray:
        """The results without unit."""
        return self._result.data.copy()

    @property
    def values(self) -> Any:
        """The results, (element,)."""
        return self.values_ if self.dim is DIMENSIONLESS else Quantity(self.values_, dim=self.dim)

    def __repr__(self) -> str:
        return f"<Reduction of {self.source.name} to '{self._text[1]}': {self.n_samples} samples>"

    # -- names ------------------------------------------------------------------------------------

    def symbol(self, name: str) -> Symbol | None:
        if name in self._variables:
            return super().symbol(name)
        if name == "n_samples":
            return Symbol(name, DIMENSIONLESS, "integer", "builtin", writable=False, shared=True)
        found = self.source.symbol(name)
        return None if found is None else replace(found, writable=False)

    def full_symbol(self, name: str) -> Symbol | None:
        return self.symbol(name) or self.source.whole.full_symbol(name) or self._external.get(name)

    def function(self, name: str) -> Any:
        return self.source.whole.function(name) or super().function(name)

    def internal_names(self) -> set[str]:
        return {*self._variables, "n_samples", *self.source.internal_names()}

    def trees(self) -> Iterable[Expr]:
        return [*(a.value for a in (*self._first, *self._each)), self._value]

    def _is_local(self, name: str) -> bool:
        return super()._is_local(name) or any(a.target == name for a in (*self._first, *self._each))

    def identifiers(self) -> tuple[set[str], set[str]]:
        """Names and functions that neither the reduction nor the model of the source knows."""
        names, functions = super().identifiers()
        known = self.source.whole.has_external
        return {n for n in names if not known(n)}, {f for f in functions if not known(f)}

    def stream_key(self, purpose: str) -> int:
        """Of the text, not the name: a reduction draws the same numbers in any copy of a network."""
        return rng.stream_key(magic.seed_value(), self.source.name, f"{purpose} {self._text}")

    def check(self) -> None:
        """Check the statements and the expression of the result."""
        scope = self.scope()
        check_statements(self._first, scope)
        check_statements(self._each, scope)
        self._value_type = check_expression(self._value, scope)

    # -- code -------------------------------------------------------------------------------------

    def before_run(self, namespace: Mapping[str, Any] | None, duration: float) -> None:
        if len(self.record) and self.record.max() >= len(self.source):  # synapses may have become fewer
            raise IndexError(
                f"{self.name} records element {self.record.max()} of {self.source.name}, "
                f"which has only {len(self.source)} elements now"
            )
        if namespace is not None and self.semantics.bind == "run":
            self.bind(namespace)
            self.check()

    def structure(self) -> object:
        return (self.structure_version, self._in_order)

    def writes(self) -> Iterable[Array]:
        return [self._count, self._result, *(v.array for v in self._variables.values())]

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        clocks = [self.clock]
        if self._timing is not None and self._timing.clock is not self.clock:
            clocks.append(self._timing.clock)  # whichever has the last step: there is the end of the run
        results = [
            Block(f"{self.name}_result{k}", clock, "after_end", LAST, partial(self._emit_result, clock=clock))
            for k, clock in enumerate(clocks)
        ]
        return [Block(self.name, self.clock, self.when, self.order, self._emit_sample), *results]

    def _emit_sample(self, b: ProgramBuilder) -> None:
        with b.when(self.window.emit(b, self, self.clock, b.step(self.clock))):
            n = b.let("n", b.load(self._count, 0))
            after = b.let("n", Op("iadd", (n, ir.const(1))))
            self._by_sample(b, n, lambda statements: self._emit_update(b, statements, after))
            b.store(self._count, 0, after)

    def _by_sample(self, b: ProgramBuilder, n: ir.Expr, emit: Any) -> None:
        """Code for a sample that comes after `n` others; `emit` is given the statements."""
        if self._first is self._each:
            emit(self._each)
        else:
            is_first = Op("ieq", (n, ir.const(0)))
            b.choose(is_first, lambda: emit(self._first), lambda: emit(self._each))

    def _emit_update(self, b: ProgramBuilder, statements: Sequence[Assignment], n: ir.Expr) -> None:
        with self._elements(b) as (k, element):
            code = self._code(b, k, element, n)
            emit_assignments(b, code, statements, lambda name: self.place(name, k))

    def _emit_result(self, b: ProgramBuilder, clock: Clock) -> None:
        following = Op("iadd", (b.step(clock), ir.const(1)))
        with b.when(Op("ige", (following, b.end(clock))), likely=False):
            n = b.let("n", b.load(self._count, 0))
            if self._timing is None:
                self._emit_plain_result(b, n)
                return
            after = b.let("n", Op("iadd", (n, ir.const(1))))
            b.choose(
                self._end_is_sample(b, self._timing.clock),
                lambda: self._by_sample(b, n, lambda s: self._emit_value(b, s, after, at_end=True)),
                lambda: self._emit_plain_result(b, n),
            )

    def _emit_plain_result(self, b: ProgramBuilder, n: ir.Expr) -> None:
        with b.when(Op("igt", (n, ir.const(0)))):
            self._emit_value(b, (), n)

    def _end_is_sample(self, b: ProgramBuilder, main: Clock) -> ir.Expr:
        """Whether the clock has a step that begins at the end of the run, within the window."""
        end = b.end(self.clock)
        inside = self.window.emit(b, self, self.clock, end)
        if main is self.clock:
            return inside
        own = Op("imul", (end, b.period(self.clock)))
        return Op("and", (Op("ieq", (own, Op("imul", (b.end(main), b.period(main))))), inside))

    def _emit_value(
        self, b: ProgramBuilder, statements: Sequence[Assignment], n: ir.Expr, *, at_end: bool = False
    ) -> None:
        """Compute the result, after statements whose effect is not kept."""
        types = {name: IR_TYPES[v.type] for name, v in self._variables.items()}
        with self._elements(b) as (k, element):
            code = self._code(b, k, element, n)
            if at_end:
                t = Op("fmul", (Op("itof", (b.end(self.clock),)), b.dt(self.clock)))
                code.lowerer.env["t"] = code.lowerer.let("t", t)
            code.lowerer.statements(statements, types)
            b.store(self._result, k, code.number(self._value))

    @contextmanager
    def _elements(self, b: ProgramBuilder) -> Iterator[tuple[ir.Expr, ir.Expr]]:
        """A loop over what is recorded: the position, and the element counted in the whole group."""
        n = b.size(self._index)
        if self._in_order:
            with b.vector("k", n) as k:
                yield k, k
        else:
            with b.loop("k", ir.const(0), n) as k:
                yield k, b.let("element", b.load(self._index, k))

    def _code(self, b: ProgramBuilder, k: ir.Expr, element: ir.Expr, n: ir.Expr) -> Code:
        def resolve(name: str, lowerer: Any) -> ir.Expr | None:
            if name in self._variables:
                return b.load(self._variables[name].array, k)
            return n if name == "n_samples" else self.source.resolve(b, name, element, lowerer)

        code = Code(b, self, resolve, element=element, purpose="reduction")
        code.fallback = self.source.whole
        return code

    # -- state ------------------------------------------------------------------------------------

    def full_state(self) -> dict[str, np.ndarray]:
        own = {"_n": self._count.data.copy(), "_result": self._result.data.copy()}
        return {**super().full_state(), **own}

    def set_full_state(self, state: Mapping[str, np.ndarray]) -> None:
        count = stored_array(state, "_n", self.name, dtype=np.int64, size=1, at_least=0)
        result = stored_array(state, "_result", self.name, dtype=np.float64, size=len(self))
        super().set_full_state(state)
        self._count.replace(count)
        self._result.replace(result)


@dataclass(frozen=True)
class Recipe:
    """The text of a reduction of one variable, which is called {x}.

    Attributes
    ----------
    variables : dict of str to bool
        Names, and whether it is a time (else it has the unit of the variable).
    """

    variables: Mapping[str, bool]
    each: str
    value: str
    first: str | None = None


# As np.max and np.argmax have it: the first of equal values, and a NaN is the extreme of all.
_EXTREME = (
    "_found = not ({x} {order} _extreme) and _extreme == _extreme; _extreme = _select(_found, {x}, _extreme)"
)
_TIME = "; _when = _select(_found, t, _when)"


def _extreme(order: str) -> Recipe:
    each = _EXTREME.replace("{order}", order)
    return Recipe({"_extreme": False}, each, "_extreme", "_extreme = {x}")


def _time_of_extreme(order: str) -> Recipe:
    each = _EXTREME.replace("{order}", order) + _TIME
    return Recipe({"_extreme": False, "_when": True}, each, "_when", "_extreme = {x}; _when = t")


RECIPES: dict[str, Recipe] = {
    "mean": Recipe({"_total": False}, "_total += {x}", "_total/n_samples"),
    "maximum": _extreme("<="),
    "minimum": _extreme(">="),
    "time_of_maximum": _time_of_extreme("<="),
    "time_of_minimum": _time_of_extreme(">="),
}


def reduction_of(
    source: Any,
    variable: str,
    kind: str,
    record: Any = True,
    *,
    start: Quantity | None = None,
    stop: Quantity | None = None,
    name: str = "reduction*",
) -> Reduction:
    """The mean, maximum, minimum, or time of one of these, of a variable.

    Parameters
    ----------
    kind : {'mean', 'maximum', 'minimum', 'time_of_maximum', 'time_of_minimum'}
    others
        As for `Reduction`.

    Notes
    -----
    If a sample is NaN, so are mean, maximum and minimum; the time of the extreme is that of the first NaN.

    Raises
    ------
    NameResolutionError
        If the source has no such variable.
    """
    symbol = source.symbol(variable)
    if symbol is None:
        near = nearest(variable, source.internal_names())
        raise NameResolutionError(
            f"{source.name} has no variable '{variable}' to record"
            + (f"; did you mean '{near}'?" if near else "")
        )
    recipe = RECIPES[kind]
    x = f"int({variable})" if symbol.type == "boolean" else variable
    variables = [
        Equation("parameter", own, second.dim if is_time else symbol.dim, "float", None)
        for own, is_time in recipe.variables.items()
    ]
    return Reduction(
        source, variables, recipe.each.format(x=x), recipe.value,
        None if recipe.first is None else recipe.first.format(x=x),
        record, start=start, stop=stop, name=name,
    )  # fmt: skip


class EventCount(SimulationObject):
    """Counts the events of each element from one time to another, and how many that is per second.

    Parameters
    ----------
    source : group
    event : str, optional
    start, stop : time, optional
        Events count where start <= t < stop, so that windows one after the other share none.

    Attributes
    ----------
    count : (N,), int
    rate : (N,), frequency
        The number of events over the length of the window.
    counts, rates : Array
        The same as they are stored; rates as of the last event.
    """

    invalidates_magic_network = False
    is_recorder = True

    def __init__(
        self,
        source: Any,
        event: str = "spike",
        *,
        start: Quantity | None = None,
        stop: Quantity | None = None,
        name: str = "eventcount*",
    ) -> None:
        if not isinstance(source, SpikeSource):
            raise SetupError(f"events are counted in a group that has some, not in {source!r}")
        self.source: Any = source
        self.event = event
        self.events = source.event_buffer(event)
        self.window = Window.of(start, stop)
        super().__init__(name, source.clock, None, *slot_after(source, event))
        self.counts = Array(f"{self.name}.count", Element.I64, len(source))
        self.rates = Array(f"{self.name}.rate", Element.F64, len(source))
        self._end = 0.0  # of the run, in seconds

    @property
    def needs(self) -> list[SimulationObject]:
        return [self.source.whole]

    @property
    def count(self) -> np.ndarray:
        """The number of events of each element, (N,) int."""
        return self.counts.data.copy()

    @property
    def width(self) -> float:
        """The length of the window in seconds."""
        return (self._end if self.window.stop is None else self.window.stop) - (self.window.start or 0.0)

    @property
    def rate_(self) -> np.ndarray:
        """The number of events per second of the window, without unit."""
        return self.counts.data / self.width if self.width > 0 else np.full(len(self.counts), np.nan)

    @property
    def rate(self) -> Quantity:
        """The number of events of each element over the length of the window, (N,)."""
        return Quantity(self.rate_, dim=hertz.dim)

    def before_run(self, namespace: Mapping[str, Any] | None, duration: float) -> None:
        self._end = self.clock.t_ + duration

    def needs_grid(self) -> str:
        return "" if self.in_instants and self.event == "spike" else f"{self.name} looks at every time step"

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        part = Part.INSTANT if self.in_instants else None
        return [Block(self.name, self.clock, self.when, self.order, self._emit, part)]

    def writes(self) -> Iterable[Array]:
        return [self.counts, self.rates]

    def _emit(self, b: ProgramBuilder) -> None:
        source = self.source
        first = source.first_element(b)
        within = None
        if source.whole is not source:
            within = (first, b.integer_constant(("stop", id(source)), "stop", lambda: source.stop))
        if not self.in_instants:
            with b.when(self._step_inside(b)), self.events.each(b, within=within) as element:
                self._emit_count(b, Op("isub", (element, first)))
            return
        start = b.let("start", b.step_start(self.clock))
        with (
            self.events.each_exact(b, within) as (element, offset, _),
            b.when(self._time_inside(b, Op("fadd", (start, offset)))),
        ):
            self._emit_count(b, Op("isub", (element, first)))

    def _emit_count(self, b: ProgramBuilder, element: ir.Expr) -> None:
        own = b.let("own", element)
        count = b.let("count", Op("iadd", (b.load(self.counts, own), ir.const(1))))
        b.store(self.counts, own, count)
        width = b.float_constant(("width", id(self)), "width", lambda: self.width)
        b.store(self.rates, own, Op("fdiv", (Op("itof", (count,)), width)))

    def _step_inside(self, b: ProgramBuilder) -> ir.Expr:
        """Whether the current step begins within the window."""
        step, stop = b.step(self.clock), self.window.stop
        inside = Window(self.window.start).emit(b, self, self.clock, step)
        if stop is None:
            return inside
        end = b.integer_constant(("end", id(self)), "end", lambda: Window(stop).steps(self.clock.dt_)[0])
        return Op("and", (inside, Op("ilt", (step, end))))

    def _time_inside(self, b: ProgramBuilder, t: ir.Expr) -> ir.Expr:
        """Whether a time is within the window."""
        inside: ir.Expr = ir.const(True)
        start, stop = self.window.start, self.window.stop
        if start is not None:
            first = b.float_constant(("first time", id(self)), "first", lambda: start)
            inside = Op("fge", (t, first))
        if stop is not None:
            last = b.float_constant(("last time", id(self)), "last", lambda: stop)
            inside = Op("and", (inside, Op("flt", (t, last))))
        return inside

    def full_state(self) -> dict[str, np.ndarray]:
        return {"count": self.counts.data.copy(), "rate": self.rates.data.copy()}

    def set_full_state(self, state: Mapping[str, np.ndarray]) -> None:
        size = len(self.source)
        rates = stored_array(state, "rate", self.name, dtype=np.float64, size=size)
        self.rates.replace(rates)
        self.counts.replace(stored_array(state, "count", self.name, dtype=np.int64, size=size, at_least=0))

    def __repr__(self) -> str:
        return f"<EventCount of {self.source.name}: {int(self.counts.data.sum())} events>"
