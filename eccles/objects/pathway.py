"""A pathway: what happens at synapses when spikes arrive from one side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.compile.lower import Lowerer, convert
from eccles.engine.clock import to_seconds
from eccles.engine.delays import DelayQueue, Waiting
from eccles.engine.flight import Flight, InFlight
from eccles.engine.program import EARLIEST, Block, Part, ProgramBuilder, add
from eccles.engine.state import Array
from eccles.engine.walk import SAME
from eccles.errors import SetupError
from eccles.language.check import Symbol, check_statements
from eccles.language.nodes import Assignment, Expr, Name, names_in, substitute
from eccles.language.parser import parse_statements
from eccles.objects import magic
from eccles.objects.code import Code
from eccles.objects.group import Group, SimulationObject
from eccles.objects.problems import Deferring
from eccles.objects.statements import emit_assignments
from eccles.objects.stored import misfit, stored_array, stored_number
from eccles.objects.swept import first_values
from eccles.objects.traces import EventTraces
from eccles.objects.variables import VariableView
from eccles.units import second

if TYPE_CHECKING:
    from eccles.objects.superposition import Superposition
    from eccles.objects.synapses import Synapses
    from eccles.objects.timing import Timing

__all__ = ["Pathway"]

AHEAD = 24  # synapses: about as many as are done while memory answers; no more than arrays have to spare

MOST_STEPS = 2**23  # the longest delay: each step back costs 16 bytes


class Pathway(Group):
    """The code of `on_pre` or `on_post`, and its delay.

    Attributes
    ----------
    delay : time
        Per synapse, or one for all.
    when, order
        The slot of the schedule (`synapses`) and the order in it: -1 for pre, 1 for post.
    """

    invalidates_magic_network = False

    def __init__(self, synapses: Synapses, name: str, side: str, text: str, event: str, delay: Any) -> None:
        self.semantics = synapses.semantics
        order = -1 if side == "pre" else 1
        group = synapses.group(side)
        super().__init__(f"{synapses.name}_{name}*", group.clock, None, synapses.namespace, "synapses", order)
        self.synapses = synapses
        self.pathway_name = name
        self.side = side
        self.event = event
        self.code = text
        self.group = group
        self.events = self.group.event_buffer(event)
        self._delay = 0.0  # seconds, where it is the same for all
        self._delays: np.ndarray | None = None  # seconds, one per synapse
        self._delay_is_scalar = delay is not None
        if delay is not None:
            (delay,) = first_values(self, "set_delay", delay)
            if np.ndim(delay) != 0:
                raise SetupError(
                    "the argument 'delay' takes one time for all synapses",
                    hint="For different delays set synapses.delay = ... after connect().",
                )
            self._delay = _checked(to_seconds(delay, "a delay"))
        self._delays_version = 0
        self._n_synapses = 0  # that the delays are for
        self._queue: DelayQueue | None = None  # where spikes wait
        self._delay_values: Array | None = None  # in seconds, where the model text uses `delay`
        self._lookup: int | None = None  # or, without a queue: how many steps ago they were sent
        self._flight: Flight | None = None  # where they wait, if times are exact
        self._restored: Waiting | None = None  # from a stored state
        self._restored_flight: InFlight | None = None
        self._arranged: tuple[int, int, float] | None = None
        self._n_arranged = 0
        self._added: Superposition | None = None  # where input to the targets is added up
        self._added_names: dict[str, str] = {}
        self._text: tuple[Assignment, ...] = ()
        self._substituted: tuple[Assignment, ...] | None = None
        self.deferred_errors = []
        self._bound: object = None
        with Deferring(self):
            self._text = parse_statements(text, f"{synapses.name}, on_{side}")
        self._ready = True  # from now on attributes are variables

    # -- names ----------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.synapses)

    @property
    def needs(self) -> list[SimulationObject]:
        return [self.synapses]

    def symbol(self, name: str) -> Symbol | None:
        if name == "delay" and self.synapses.symbol(name) is None:
            return Symbol(name, second.dim, "float", "variable", writable=False)
        return self.synapses.symbol(name)

    def internal_names(self) -> set[str]:
        return self.synapses.internal_names()

    def known_names(self) -> Iterable[str]:
        """Names for suggestions."""
        return {*self.internal_names(), *self._external, *magic.users_names()}

    def trees(self) -> Iterable[Expr]:
        return [a.value for a in self._text]

    def _is_local(self, name: str) -> bool:
        return super()._is_local(name) or any(a.target == name for a in self._text)

    def check(self) -> None:
        """Check the statements."""
        check_statements(self._text, self.scope())

    def before_run(self, namespace: Mapping[str, Any] | None, duration: float) -> None:
        if self.deferred_errors:
            raise self.deferred_errors[0]
        names, functions = self.identifiers()
        if namespace is not None and (
            self.semantics.bind == "run" or not (names | functions) <= set(self._external)
        ):
            self.bind(namespace)
            shape = tuple(
                (n, getattr(s, "dim", s), getattr(s, "type", "")) for n, s in self._external.items()
            )
            if shape != self._bound:
                self.check()
                self._bound = shape
        self._arrange()

    @property
    def statements(self) -> tuple[Assignment, ...]:
        """The statements with subexpressions of the synapses put in, so that these see what was assigned."""
        if self._substituted is None:
            inlined = self.synapses.equations.inlined()
            self._substituted = tuple(
                [
                    replace(
                        a,
                        target=self._full_name(a.target),
                        value=self._with_full_names(substitute(a.value, inlined)),
                    )
                    for a in self._text
                ]
            )
        return self._substituted

    def _full_name(self, name: str) -> str:
        """`v_post` for a variable `v` of the target: each variable has one name in the code."""
        synapses = self.synapses
        if synapses.is_synaptic(name) or name in ("i", "j", "t", "dt"):
            return name
        return f"{name}_post" if synapses.target.symbol(name) is not None else name

    def _with_full_names(self, tree: Expr) -> Expr:
        full = {name: self._full_name(name) for name in names_in(tree)}
        return substitute(tree, {old: Name(new) for old, new in full.items() if new != old})

    # -- delays -----------------------------------------------------------------------------------

    def delays(self) -> np.ndarray:
        """The delay of each synapse in seconds, (n,)."""
        if self._delays is not None:
            return self._delays
        return np.full(len(self.synapses), self._delay)

    @property
    def one_delay(self) -> float | None:
        """The delay in seconds that was given for all synapses ever; None if there was none."""
        return self._delay if self._delay_is_scalar else None

    def set_delay(self, delay: Any) -> None:
        """Replace the delay that is the same for all synapses: one time."""
        self.delay_view()[:] = delay

    def delay_values(self) -> Array:
        """The delay of each synapse in seconds, for native code."""
        if self._delay_values is None:
            self._delay_values = Array(f"{self.name}.delay", Element.F64)
            self._delay_values.replace(self.delays())
        return self._delay_values

    def _follow_delays(self) -> None:
        """Native code reads the delays also while the pathway itself is inactive."""
        if self._delay_values is not None:
            self._delay_values.replace(self.delays())

    def resize(self, n: int) -> None:
        """Follow the number of synapses; new ones have no delay, unless there is one for all ever."""
        old, self._n_synapses = self._n_synapses, n
        if self._delays is None and self._delay and n > old and not self._delay_is_scalar:
            self._delays = np.full(old, self._delay)
        if self._delays is not None:
            kept = self._delays[:n]
            self._delays = np.zeros(n)
            self._delays[: len(kept)] = kept
        self._follow_delays()

    def delay_view(self, units: bool = True) -> VariableView:
        """The handle for the delays."""

        def read(positions: np.ndarray | None) -> np.ndarray:
            if self._delay_is_scalar:
                return np.array([self._delay])
            return self.delays() if positions is None else self.delays()[positions]

        def write(positions: np.ndarray | None, values: np.ndarray) -> None:
            _checked(float(np.min(values, initial=0.0)))
            if not np.all(np.isfinite(values)):
                raise SetupError("a delay has to be finite")
            self._delays_version += 1
            if self._delay_is_scalar or (positions is None and np.ndim(values) == 0):
                self._delay, self._delays = float(np.ravel(values)[0]), None
                self._follow_delays()
                return
            delays = self.delays().copy() if self._delays is None else self._delays
            delays[slice(None) if positions is None else positions] = values
            self._delays = delays
            self._follow_delays()

        synapses = self.synapses
        return VariableView(
            "delay", second.dim, synapses.name, size=lambda: len(synapses), read=read, write=write,
            indices=synapses._positions, assign_text=self._assign_delay, shared=self._delay_is_scalar,
            units=units,
        )  # fmt: skip

    def _assign_delay(self, item: Any, text: str) -> None:
        synapses = self.synapses
        positions = None if self._delay_is_scalar else synapses._positions(item)[0]
        elements = np.arange(len(synapses)) if positions is None else positions
        values = synapses._evaluate_text(
            text, Symbol("delay", second.dim, "float", "variable"), elements, title=f"{synapses.name}.delay"
        )
        if self._delay_is_scalar:
            raise SetupError("a delay given at construction is one for all synapses: set it to a time")
        self.delay_view(False)[elements] = np.broadcast_to(values, elements.shape)

    def view(self, name: str, *, units: bool = True) -> VariableView:
        if name == "delay":
            return self.delay_view(units)
        return self.synapses.view(name, units=units)

    def _steps(self) -> np.ndarray | int:
        """The delays in steps: one number if all are equal."""
        dt = self.clock.dt_
        longest = self._delay if self._delays is None else float(self._delays.max(initial=0.0))
        if longest / dt > MOST_STEPS:
            raise SetupError(
                f"{self.name} has a delay of {longest:g} s, which is {longest / dt:.3g} time steps; "
                f"at most {MOST_STEPS} are possible"
            )
        if self._delays is None:
            return int(self._delay / dt + 0.5)
        steps = (self._delays / dt + 0.5).astype(np.int32)
        if len(steps) and steps.min() == steps.max():
            return int(steps[0])
        return steps if len(steps) else 0

    def _arrange(self) -> None:
        """Prepare for the delays as they are now.

        With one delay for all, the pathway looks up the events of so many steps ago. With several, and
        as long as spikes are on their way that were sent with other delays, they wait in a queue.
        """
        if self.in_instants:
            self._arrange_flight()
            return
        self.events.follow_clock()
        if self._version() == self._arranged:
            return
        if (
            self._queue is not None
            and self._queue.in_flight
            and self._arranged
            and self.clock.dt_ != self._arranged[2]
        ):
            raise SetupError(
                f"the time step cannot change while spikes of {self.name} are on their way",
                hint="Run on with the old time step until the last one has arrived.",
            )
        steps = self._steps()
        if isinstance(steps, int) and self._can_look_up(steps):
            self._queue, self._lookup = None, steps
            self.events.keep(steps)
        else:
            self._arrange_queue(np.broadcast_to(steps, len(self.synapses)))
            self._lookup = None
        self._restored = None
        self._arranged = self._version()  # only now: a queue may have changed the structure
        self._n_arranged = len(self.synapses)

    def _arrange_flight(self) -> None:
        """Prepare for exact times of arrival."""
        version, step, dt = self._version(), self.clock.timestep, self.clock.dt_
        restored, self._restored_flight = self._restored_flight, None
        if self._flight is not None:
            self._flight.stand_at(step)
        if version == self._arranged and restored is None:
            return
        if self._flight is not None and self._arranged is not None and dt != self._arranged[2]:
            self._flight.change_dt(step, dt)
        self._steps()  # checks that the delays are not too long
        delays = self.delays()
        uniform = len(delays) == 0 or bool(np.all(delays == delays[0]))
        waiting = restored
        if waiting is None:
            waiting = InFlight.none() if self._flight is None else self._in_flight()
        if uniform and not len(waiting.ahead):
            delay = self._delay if len(delays) == 0 else float(delays[0])
            if delay <= SAME:
                self._flight = None
            else:
                self._flight = self._flight or Flight(self.name)
                self._flight.arrange_uniform(delay, dt, len(self.group))
        else:
            self.synapses.store_per_synapse()
            self._flight = self._flight or Flight(self.name)
            connections = self.synapses.connections
            elements = connections.sources() if self.side == "pre" else connections.targets()
            self._flight.arrange(step, elements, delays, dt, len(self.group), waiting)
        if self._flight is not None:
            self._flight.stand_at(step)
        self._arranged = self._version()  # only now: storing per synapse may have changed the structure
        self._n_arranged = len(self.synapses)

    def _in_flight(self) -> InFlight:
        assert self._flight is not None
        connections = self.synapses.connections
        if self.side == "pre":
            first, order = connections.first, connections.order
        else:
            first, order = connections.index_by_target()
        found = self._flight.waiting(
            self.clock.timestep, first.data, None if order is None else order.data, self.group.start
        )
        old = found.synapses < self._n_arranged  # newer synapses were not there when the spike was sent
        which = np.repeat(np.arange(len(found.counts)), found.counts)[old]
        counts = np.bincount(which, minlength=len(found.counts)).astype(np.int64)
        return InFlight(found.ahead, found.rests, found.ordinals, counts, found.synapses[old])

    def _version(self) -> tuple[int, int, float]:
        return (self._delays_version, self.synapses.structure_version, self.clock.dt_)

    def _can_look_up(self, steps: int) -> bool:
        """Whether the events of the last `steps` steps are just those that have still to arrive."""
        if self._restored is not None or (self._queue is not None and self._queue.in_flight):
            return False
        if self._lookup == steps and self._n_arranged == len(self.synapses):
            return True
        counts, _ = self.events.recent()
        back = max(steps, self._lookup or 0)
        return back == 0 or not counts[-back:].any()

    def _arrange_queue(self, steps: np.ndarray) -> None:
        waiting = self._waiting()
        if self._queue is None:
            self._queue = DelayQueue(self.name, self.clock)
            self.synapses.store_per_synapse()
        connections = self.synapses.connections
        elements = connections.sources() if self.side == "pre" else connections.targets()
        self._queue.arrange(elements, steps, len(self.group), waiting)

    def _waiting(self) -> Waiting:
        """The spikes on their way."""
        if self._restored is not None:
            return self._restored
        if self._queue is not None:
            return self._queue.waiting()
        if not self._lookup:
            return Waiting.none()
        connections = self.synapses.connections
        if self.side == "pre":
            first, order = connections.first, connections.order
        else:
            first, order = connections.index_by_target()
        counts, elements = self.events.recent()
        ahead = np.repeat(self._lookup - len(counts) + np.arange(len(counts)), counts)
        reached = []
        for steps, element in zip(ahead.tolist(), elements.tolist(), strict=True):
            own = element - self.group.start
            if steps >= 0 and 0 <= own < len(self.group):
                positions = np.arange(int(first.data[own]), int(first.data[own + 1]))
                synapses = positions if order is None else order.data[positions]
                reached.append((steps, synapses[synapses < self._n_arranged]))
        return Waiting(
            np.array([steps for steps, _ in reached], np.int64),
            np.array([len(synapses) for _, synapses in reached], np.int64),
            np.concatenate([np.zeros(0, np.int32), *(synapses for _, synapses in reached)]).astype(np.int32),
        )

    def structure(self) -> object:
        shape: object = id(self._queue) if self._queue is not None else self.events.max_delay > 0
        if self.in_instants:
            shape = None if self._flight is None else (id(self._flight), self._flight.uniform)
        return (self.structure_version, self._bound, shape, self.when, self.order)

    # -- code -----------------------------------------------------------------------------------

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        if self._timing is not None and self.in_instants:
            return self._blocks_in_instants(self._timing, writes)
        return [Block(self.name, self.clock, self.when, self.order, self._emit)]

    def _blocks_in_instants(self, timing: Timing, writes: frozenset[int]) -> list[Block]:
        """The blocks where spike times are exact."""
        blocks = [Block(self.name, self.clock, self.when, self.order, self._emit, Part.INSTANT)]
        flight = self._flight
        if flight is not None:
            instants = timing.heap
            kind = instants.kind(
                f"{self.name} arrivals", lambda b, time, run, ordinal: flight.emit_arrive(b, run, ordinal)
            )
            instants.at_start(flight.emit_clear)

            def send(b: ProgramBuilder) -> None:
                offset, within = self._range(b)
                flight.emit_send(b, self.events, offset, within, instants, kind)

            def drain(b: ProgramBuilder) -> None:
                flight.emit_drain(b, instants, kind)

            blocks += [
                # first: what has no delay at all arrives at this very instant
                Block(f"{self.name}_sends", self.clock, EARLIEST, self.order, send, Part.TOUCH),
                Block(f"{self.name}_drains", self.clock, EARLIEST, self.order, drain, Part.BEFORE),
            ]
        sides = [side for side in ("pre", "post") if self._concerns(side)]
        self._added = self._find_superposition(sides, writes)
        if sides:
            blocks.append(
                Block(
                    f"{self.name}_touches", self.clock, "thresholds", self.order,
                    lambda b: self._emit_touch(b, sides), Part.TOUCH,
                )
            )  # fmt: skip
        return blocks

    def needs_grid(self) -> str:
        if self._flight is not None or not self.in_instants or self.event != "spike":
            return f"the spikes of {self.name} take time, or come at steps"
        if any(self.synapses.is_shared(a.target) or self._writes_shared(a.target) for a in self.statements):
            return f"{self.name} writes what several neurons share"
        return ""

    def _writes_shared(self, name: str) -> bool:
        for side in ("pre", "post"):
            stem = self._name_in(side, name)
            if stem is not None and self.synapses.group(side).is_shared(stem):
                return True
        return False

    def _find_superposition(self, sides: list[str], writes: frozenset[int]) -> Superposition | None:
        """A way to add up the effects of statements that only add to variables of the target."""
        if sides != ["post"]:
            return None
        added: dict[str, str] = {}  # name in the statements -> variable of the target
        for a in self.statements:
            stem = self._name_in("post", a.target)
            if stem is not None:
                if a.op not in ("+=", "-=") or not self.synapses.target.whole.moves(stem):
                    return None
                added[a.target] = stem
        group = self.synapses.target.whole
        for a in self.statements:
            for name in names_in(a.value):
                stem = self._name_in("post", name)
                if name in added or (stem is not None and group.follows_time(stem)):
                    return None
        self._added_names = added
        return group.superposition(added.values(), writes)

    def _concerns(self, side: str) -> bool:
        """Whether the statements read or write what changes in time of the neurons on a side."""
        group: Group = self.synapses.group(side)
        names = {name for a in self.statements for name in (a.target, *names_in(a.expanded))}
        targets = {a.target for a in self.statements}
        for name in names:
            stem = self._name_in(side, name)
            if stem is not None and (name in targets or group.whole.follows_time(stem)):
                return True
        return False

    def _name_in(self, side: str, name: str) -> str | None:
        """What a name of the statements is called in the group on a side; None if it belongs elsewhere."""
        synapses, group = self.synapses, self.synapses.group(side)
        if synapses.is_synaptic(name) or name in ("i", "j", "t", "dt", "N"):
            return None
        if name.endswith("_pre") and synapses.source.symbol(name[:-4]) is not None:
            return name[:-4] if side == "pre" else None
        stem = name.removesuffix("_post")
        return stem if side == "post" and group.symbol(stem) is not None else None

    def _emit_touch(self, b: ProgramBuilder, sides: list[str]) -> None:
        """Have the neurons that the statements read or write brought to the present."""
        synapses, added, now = self.synapses, self._added, b.moment
        if added is not None:
            assert now is not None
            with b.when(Op("igt", (self._n_arriving(b), ir.const(0)))):
                usable = added.emit_columns(b, now)
                with self._each_reached(b) as (synapse, _, j):
                    own = j if j is not None else b.let("j", b.load(synapses.connections.target, synapse))
                    neuron = b.let("neuron", add(own, synapses.target.first_element(b)))
                    pending = added.neurons.emit_is_pending(b, neuron)
                    with b.when(Op("or", (pending, Op("not", (usable,))))):
                        synapses.target.whole.emit_touch(b, neuron)
            return
        with self._each_reached(b) as (synapse, i, j):
            known = {"pre": i, "post": j}
            for side in sides:
                index = known[side]
                if index is None:
                    array = (
                        synapses.connections.stored_source() if side == "pre" else synapses.connections.target
                    )
                    index = b.let("index", b.load(array, synapse))
                group = synapses.group(side)
                first = group.first_element(b)
                group.whole.emit_touch(b, b.let("neuron", add(index, first)))

    def _n_arriving(self, b: ProgramBuilder) -> ir.Expr:
        """How many runs of synapses spikes arrive at now."""
        if self._flight is not None:
            return b.let("n_arriving", b.load(self._flight.n_arrived, 0))
        return self.n_events(b)

    @contextmanager
    def _each_reached(self, b: ProgramBuilder) -> Iterator[tuple[ir.Expr, ir.Expr | None, ir.Expr | None]]:
        """Code that runs for each synapse at which a spike arrives at the instant."""
        if self._flight is not None and not self._flight.uniform:
            with self._each_arriving(b, self._flight) as synapse:
                yield synapse, None, None
            return
        with self.each_event(b) as own, self.each_synapse(b, own) as reached:
            yield reached

    @contextmanager
    def _each_arriving(self, b: ProgramBuilder, flight: Flight) -> Iterator[ir.Expr]:
        """Code that runs for each synapse of the runs that arrive at the instant."""
        with b.loop("r", ir.const(0), b.load(flight.n_arrived, 0)) as r:
            run = b.let("run", b.load(flight.arrived, r))
            begin = b.let("begin", b.load(flight.run_begin, run))
            end = b.let("end", b.load(flight.run_begin, Op("iadd", (run, ir.const(1)))))
            ordinal = b.let("ordinal", b.load(flight.arrived_ordinals, r))
            with b.loop("k", begin, end) as k, b.counted_by(ordinal):
                yield b.let("s", b.load(flight.order, k))

    def _emit(self, b: ProgramBuilder) -> None:
        synapses = self.synapses
        if not self.statements and not synapses.event_driven:
            return
        if self._flight is not None and self.in_instants and not self._flight.uniform:
            with self._each_arriving(b, self._flight) as synapse:
                self._emit_body(b, synapse, None, None)
            return
        if self._queue is not None and not self.in_instants:
            offset, within = self._range(b)
            self._queue.emit_push(b, self.events, offset, within)
            with self._queue.each_arriving(b) as synapse:
                self._emit_body(b, synapse, None, None)
            return
        traces = synapses.traces
        dense = None if traces is None else traces.emit_present(b, self)
        with self.each_event(b) as own:
            event = None if traces is None else traces.emit_event(b, self, own)
            if event is not None and len(event.results) == len(self.statements):
                return
            with self.each_synapse(b, own) as (synapse, i, j):
                if event is not None and traces is not None and dense is not None:
                    neuron = j if self.side == "pre" else i
                    assert neuron is not None
                    event = event.with_other_side(traces.emit_now(b, self, neuron, dense))
                self._emit_body(b, synapse, i, j, event)

    def _range(self, b: ProgramBuilder) -> tuple[ir.Expr, tuple[ir.Expr, ir.Expr] | None]:
        """The first element of the group in its whole group, and its range if it is a part."""
        group = self.group
        if group.whole is group:
            return ir.const(0), None
        start = b.integer_constant(("start", id(group)), "start", lambda: group.start)
        stop = b.integer_constant(("stop", id(group)), "stop", lambda: group.stop)
        return start, (start, stop)

    def _steps_ago(self, b: ProgramBuilder) -> ir.Expr:
        """How many steps ago the events were that arrive now."""
        if self.events.max_delay == 0:
            return ir.const(0)
        return b.integer_constant(("delay", id(self)), "delay", lambda: self._lookup or 0)

    def n_events(self, b: ProgramBuilder) -> ir.Expr:
        """How many events of the whole group arrive in this step."""
        if self.in_instants and self._flight is not None:
            return b.let("n_events", b.load(self._flight.n_arrived, 0))
        return self.events.span(b, self._steps_ago(b))[1]

    @contextmanager
    def each_event(self, b: ProgramBuilder) -> Iterator[ir.Expr]:
        """Code that runs for each element of the group from which an event arrives in this step."""
        offset, within = self._range(b)
        flight = self._flight if self.in_instants else None
        if flight is not None:
            with b.loop("r", ir.const(0), b.load(flight.n_arrived, 0)) as r:
                ordinal = b.let("ordinal", b.load(flight.arrived_ordinals, r))
                element = b.let("id", b.load(flight.arrived, r))
                with b.counted_by(ordinal):
                    yield element if within is None else b.let("own", Op("isub", (element, offset)))
            return
        if self.in_instants:
            with self.events.each_exact(b, within) as (element, _, ordinal), b.counted_by(ordinal):
                yield element if within is None else b.let("own", Op("isub", (element, offset)))
            return
        with self.events.each(b, self._steps_ago(b), within) as element:
            yield element if within is None else b.let("own", Op("isub", (element, offset)))

    @contextmanager
    def each_synapse(
        self, b: ProgramBuilder, own: ir.Expr
    ) -> Iterator[tuple[ir.Expr, ir.Expr | None, ir.Expr]]:
        """Code that runs for each synapse of an element; yields the synapse, its source and its target."""
        connections = self.synapses.connections
        if self.side == "pre":
            first, order = connections.first, connections.order
        else:
            first, order = connections.index_by_target()
        begin = b.let("begin", b.load(first, own))
        end = b.let("end", b.load(first, Op("iadd", (own, ir.const(1)))))
        with b.loop("k", begin, end) as k:
            synapse = k if order is None else b.let("s", b.load(order, k))
            if order is not None:
                self._prefetch(b, order, k)
            if self.side == "pre":
                yield synapse, own, b.let("j", b.load(connections.target, synapse))
            elif self._uses_source():
                yield synapse, b.let("i", b.load(connections.source_by_target(), k)), own
            else:  # looked up by synapse, should something need it after all
                yield synapse, None, own

    def _prefetch(self, b: ProgramBuilder, order: Array, k: ir.Expr) -> None:
        """Fetch the state of a synapse that comes later: those of a target lie all over the memory."""
        names = {name for a in self.statements for name in (a.target, *names_in(a.expanded))}
        later = b.load(order, Op("iadd", (k, ir.const(AHEAD))))  # in the spare elements at the end
        for variable in self.synapses.stored_variables(names):
            b.emit(ir.Prefetch(b.buffer(variable.array), later))

    def _uses_source(self) -> bool:
        """Whether the statements of a post pathway read something of the source of a synapse."""
        names = {name for a in self.statements for name in (a.target, *names_in(a.expanded))}
        traces = self.synapses.traces
        return any(name in ("i", "N_outgoing") or name.endswith("_pre") for name in names) or (
            traces is not None and bool(traces.other_side(self))
        )

    def _emit_body(
        self,
        b: ProgramBuilder,
        synapse: ir.Expr,
        i: ir.Expr | None,
        j: ir.Expr | None,
        event: EventTraces | None = None,
    ) -> None:
        synapses = self.synapses

        def resolve(name: str, lowerer: Lowerer) -> ir.Expr | None:
            if name == "t":
                return b.t(self.clock)
            if name == "dt":
                return b.dt(self.clock)
            if name == "delay":  # the pathway's own; elsewhere in the model it is that of `pre`
                return b.load(self.delay_values(), synapse)
            if event is not None and name in event.before:
                return event.before[name]
            return synapses.resolve_at(b, name, synapse, lowerer, i, j)

        code = Code(
            b, self, resolve, element=synapse, purpose=self.pathway_name, clock=self.clock,
        )  # fmt: skip
        code.fallback = synapses
        statements = self.statements
        added = {} if self._added is None or not self.in_instants else self._added_names
        for name in added:  # summed up from nothing
            code.lowerer.env[name] = ir.const(0.0)
        if synapses.event_driven and event is None:
            code.lowerer.env["_elapsed"] = synapses.elapsed(b, synapse, code.lowerer, self.clock)
            statements = (*synapses.event_driven_statements(), *statements)
            b.store(synapses.variable("lastupdate").array, synapse, b.t(self.clock))
            if self.in_instants:
                b.store(synapses.lastupdate_rest(), synapse, b.t_rest(self.clock))
        emit_assignments(
            b,
            code,
            statements,
            lambda name: None if name in added else synapses.place_at(b, name, synapse, code.lowerer, i, j),
            event.results if event is not None else None,
        )
        if added:
            self._emit_amounts(b, synapse, j, {stem: code.lowerer.env[n] for n, stem in added.items()})

    def _emit_amounts(
        self, b: ProgramBuilder, synapse: ir.Expr, j: ir.Expr | None, amounts: Mapping[str, ir.Expr]
    ) -> None:
        """Add amounts to variables of the target: to its state now, or by superposition."""
        synapses, added = self.synapses, self._added
        assert added is not None
        group = synapses.target.whole
        own = j if j is not None else b.let("j", b.load(synapses.connections.target, synapse))
        neuron = b.let("neuron", add(own, synapses.target.first_element(b)))
        allowed: dict[str, ir.Expr] = {}
        for stem, amount in amounts.items():
            may_write = group.may_write(b, group.variable(stem), neuron)
            amount = convert(amount, ir.F64)
            if may_write is not None:
                amount = Op("select", (may_write, amount, ir.const(0.0)))
            allowed[stem] = b.let("amount", amount)

        def at_once() -> None:
            for stem, amount in allowed.items():
                array = group.variable(stem).array
                b.store(array, neuron, Op("fadd", (b.load(array, neuron), amount)))

        def by_superposition() -> None:
            added.emit_add(b, neuron, allowed)

        b.choose(added.neurons.emit_is_member(b, neuron), at_once, by_superposition)

    def writes(self) -> Iterable[Array]:
        for assignment in self.statements:
            yield from self.synapses.arrays_of(assignment.target)
        for name in self.synapses.event_driven:
            yield self.synapses.variable(name).array

    def full_state(self) -> dict[str, np.ndarray]:
        state = {"_delay": np.array(self._delay)}
        if self._delays is not None:
            state["_delays"] = self._delays.copy()
        # what was restored and has not been arranged yet comes first
        if self._restored_flight is not None or self._flight is not None:
            flying = self._restored_flight if self._restored_flight is not None else self._in_flight()
            state |= {f"_flight.{part}": values for part, values in flying._asdict().items()}
        elif self._restored is not None or self._queue is not None:
            waiting = self._waiting()
            state |= {f"_waiting.{part}": values for part, values in waiting._asdict().items()}
        elif self._lookup is not None:
            state["_lookup"] = np.array(self._lookup)
        return state

    def run_state(self) -> dict[str, np.ndarray]:
        if self._flight is not None:
            return {f"_flight.{part}": values for part, values in self._in_flight()._asdict().items()}
        if self._queue is None:
            return {}
        return {"_arrangement": self._arrangement(), **self._queue.nodes()}

    def set_run_state(self, state: Mapping[str, np.ndarray]) -> None:
        if self._flight is not None:
            found = self._stored_flight(state, len(self.synapses))
            self._restored_flight = InFlight.none() if found is None else found
            return
        if self._queue is None or "_arrangement" not in state:
            return
        if np.array_equal(state["_arrangement"], self._arrangement()):
            self._queue.put_back(state)
        else:  # where the spikes would arrive is no longer known
            self._restored, self._arranged = Waiting.none(), None

    def deliver(self, synapses: np.ndarray, ahead: np.ndarray, ordinal: int) -> None:
        """Send spikes that no neuron has fired, as probes do. Call it between runs.

        Parameters
        ----------
        synapses : (n,), int
            At which synapses they arrive.
        ahead : (n,)
            In how many seconds, whatever the delay is.
        ordinal : int
            Tells their random numbers from those of other spikes.

        Raises
        ------
        IndexError
            If there is no such synapse.
        SetupError
            If a time is negative or too far ahead.
        """
        synapses, ahead = np.asarray(synapses, np.int32), np.asarray(ahead, np.float64)
        if len(synapses) and not 0 <= synapses.min() <= synapses.max() < len(self.synapses):
            raise IndexError(f"{self.synapses.name} has {len(self.synapses)} synapses")
        if len(ahead) and not 0 <= ahead.min() <= ahead.max() < MOST_STEPS * self.clock.dt_:
            raise SetupError(f"a spike cannot arrive at {self.synapses.name} in {ahead.max()} s")
        ones = np.ones(len(synapses), np.int64)
        flying = self._restored_flight
        if flying is None:
            flying = InFlight.none() if self._flight is None else self._in_flight()
        self._restored_flight = flying.joined(
            InFlight(ahead, np.zeros(len(ahead)), ordinal * ones, ones, synapses)
        )
        steps = np.round(ahead / self.clock.dt_).astype(np.int64)
        self._restored = self._waiting().joined(Waiting(steps, ones, synapses))
        self._arranged = None

    def _arrangement(self) -> np.ndarray:
        """Tells one arrangement of the queue from all others."""
        return np.array([id(self._queue), *(self._arranged or ())])

    def set_full_state(self, state: Mapping[str, np.ndarray]) -> None:
        n = len(self.synapses)
        delay = _checked(stored_number(state, "_delay", self.name))
        delays = restored = lookup = None
        if "_delays" in state:
            delays = stored_array(
                state, "_delays", self.name, dtype=np.float64, size=n, at_least=0, below=np.inf
            ).copy()
        if "_lookup" in state:
            lookup = int(stored_number(state, "_lookup", self.name))
            if not 0 <= lookup <= MOST_STEPS:
                raise misfit(self.name, f"'_lookup' is {lookup}")
        elif "_waiting.ahead" in state:
            restored = self._stored_waiting(state, n)
        flight = self._stored_flight(state, n)
        self._delay, self._delays = delay, delays
        self._follow_delays()
        self._restored, self._lookup, self._n_arranged = restored, lookup, n
        self._restored_flight = flight
        self._flight = None
        self._queue = self._queue if restored is not None else None
        self._arranged = None

    def _stored_flight(self, state: Mapping[str, np.ndarray], n: int) -> InFlight | None:
        """Spikes on their way at exact times, from a stored state; None if it has none."""
        if "_flight.ahead" not in state:
            return None
        longest = MOST_STEPS * self.clock.dt_
        ahead = stored_array(state, "_flight.ahead", self.name, dtype=np.float64, at_least=0, below=longest)
        size = len(ahead)
        tiny = self.clock.dt_
        rests = stored_array(
            state, "_flight.rests", self.name, dtype=np.float64, size=size, at_least=-tiny, below=tiny
        )
        ordinals = stored_array(state, "_flight.ordinals", self.name, dtype=np.int64, size=size, at_least=0)
        counts = stored_array(
            state, "_flight.counts", self.name, dtype=np.int64, size=size, at_least=0, below=n + 1
        )
        synapses = stored_array(
            state, "_flight.synapses", self.name,
            dtype=np.int32, size=int(counts.sum()), at_least=0, below=n,
        )  # fmt: skip
        if np.any(np.diff(ahead) < 0):
            raise misfit(self.name, "'_flight.ahead' is not in order")
        return InFlight(ahead.copy(), rests.copy(), ordinals.copy(), counts.copy(), synapses.copy())

    def _stored_waiting(self, state: Mapping[str, np.ndarray], n: int) -> Waiting:
        ahead = stored_array(
            state, "_waiting.ahead", self.name, dtype=np.int64, at_least=0, below=MOST_STEPS + 1
        )
        counts = stored_array(
            state, "_waiting.counts", self.name, dtype=np.int64, size=len(ahead), at_least=0, below=n + 1
        )
        synapses = stored_array(
            state, "_waiting.synapses", self.name,
            dtype=np.int32, size=int(counts.sum()), at_least=0, below=n,
        )  # fmt: skip
        if np.any(np.diff(ahead) < 0):
            raise misfit(self.name, "'_waiting.ahead' is not in order")
        return Waiting(ahead, counts, synapses)


def _checked(seconds: float) -> float:
    if seconds < 0:
        raise SetupError(f"a delay cannot be negative ({seconds} s)")
    if seconds == float("inf"):
        raise SetupError("a delay has to be finite")
    return seconds
