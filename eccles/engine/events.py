"""The events (spikes) of a group: which elements, in which of the last steps.

The elements of one step stand together, in ascending order, in one array `ids`; `begins` and `counts`
say where, for the last `max_delay + 1` steps, by step modulo a power of two. Without delays only the
current step is kept. With delays the array is used as a ring of whole chunks: a step's chunk never
wraps, so that a vector loop may append to it. A pathway with the uniform delay of d steps reads the
chunk of d steps ago: a uniform delay costs nothing per synapse and nothing per event.

Where spike times are exact, the buffer holds the events of the current instant alone, each with its time
and a number that no other event of the element has.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.engine.clock import Clock
from eccles.engine.program import Outcome, ProgramBuilder, add
from eccles.engine.state import Array
from eccles.errors import SetupError

__all__ = ["EventBuffer", "power_of_two"]

THIS_STEP = ir.const(0)  # a delay of no steps


def power_of_two(n: int) -> int:
    """The smallest power of two that is at least n."""
    return 1 << max(0, n - 1).bit_length()


class EventBuffer:
    """Events of a group of `size` elements, of the current step and `max_delay` steps back."""

    def __init__(self, name: str, size: int, clock: Clock) -> None:
        self.name = name
        self.size = size
        self.clock = clock
        self.max_delay = 0
        self._dt = clock.dt_
        self.ids = Array(f"{name}.ids", Element.I32, size)
        self.begins = Array(f"{name}.begins", Element.I64, 1)
        self.counts = Array(f"{name}.counts", Element.I64, 1)
        self.end = Array(f"{name}.end", Element.I64, 1)
        self.offsets = Array(f"{name}.offsets", Element.F64)  # since the start of the step, where exact
        self.ordinals = Array(f"{name}.ordinals", Element.I64)

    def be_exact(self) -> None:
        """Hold the events of an instant from now on."""
        if self.max_delay or not len(self.offsets):
            self.max_delay = 0
            for array in (self.begins, self.counts):
                array.replace(array.data[:0])
                array.resize(1)
            self.ids.resize(self.size)
            self.offsets.resize(self.size)
            self.ordinals.resize(self.size)

    def keep(self, delay: int) -> None:
        """Keep events for at least this many steps (before a program is built)."""
        if delay <= self.max_delay:
            return
        chunks = self._chunks()
        self.max_delay = delay
        ring = power_of_two(delay + 1)
        self.begins.replace(self.begins.data[:0])
        self.begins.resize(ring)
        self.counts.replace(self.counts.data[:0])
        self.counts.resize(ring)
        self._restore(chunks, max(4 * self.size, 1024))

    def follow_clock(self) -> None:
        """Count in the clock's steps again after these have become longer or shorter.

        Raises
        ------
        SetupError
            If events are still waiting for a delay that was counted in the old steps.
        """
        if self._dt == self.clock.dt_:
            return
        now, ring = round(self.clock.t_ / self._dt), len(self.begins)
        needed = np.arange(max(0, now - self.max_delay), now) % ring
        if self.counts.data[needed].any():
            raise SetupError(
                f"the time step cannot change while events of {self.name} are on their way",
                hint="Run on with the old time step until the last one has arrived.",
            )
        self._dt = self.clock.dt_
        for array in (self.begins, self.counts, self.end):
            array.data[:] = 0

    @property
    def _depth(self) -> int:
        """How many steps before the coming one are kept."""
        return max(1, self.max_delay)

    def _chunks(self) -> list[tuple[int, list[int]]]:
        """The steps that are still needed, oldest first, with their events."""
        now, ring = self.clock.timestep, len(self.begins)
        steps = range(max(0, now - self._depth), now)
        found = []
        for step in steps:
            begin, count = self.begins.data[step % ring], self.counts.data[step % ring]
            found.append((step, self.ids.data[begin : begin + count].tolist()))
        return found

    def _restore(self, chunks: list[tuple[int, list[int]]], capacity: int) -> None:
        self.ids.replace(self.ids.data[:0])
        self.ids.resize(capacity)
        position, ring = 0, len(self.begins)
        for step, ids in chunks:
            self.ids.data[position : position + len(ids)] = ids
            self.begins.data[step % ring] = position
            self.counts.data[step % ring] = len(ids)
            position += len(ids)
        self.end.data[0] = position

    def _grow(self) -> None:
        self._restore(self._chunks(), 2 * (len(self.ids) + self.size))

    def recent(self) -> tuple[np.ndarray, np.ndarray]:
        """How many events each kept step had, the step before the coming one last, and their elements."""
        chunks = self._chunks()
        counts = np.array([len(ids) for _, ids in chunks], np.int64)
        return counts, np.array([k for _, ids in chunks for k in ids], np.int32)

    def put_back(self, step: int, counts: np.ndarray, ids: np.ndarray) -> None:
        """Replace all events by what `recent` gave when the coming step was `step`.

        Parameters
        ----------
        step : int
            At least `len(counts)`.
        counts : (steps,), int64
            Not negative, at most `size` each, of sum `len(ids)`.
        ids : (n,), int32
            Each in [0, size).
        """
        self._dt = self.clock.dt_
        self.keep(len(counts) if len(counts) > 1 else 0)
        bounds = np.concatenate([[0], np.cumsum(counts)])
        first = step - len(counts)
        chunks = [(first + k, ids[bounds[k] : bounds[k + 1]].tolist()) for k in range(len(counts))]
        self.counts.data[:] = 0
        self.begins.data[:] = 0
        self._restore(chunks, max(len(self.ids), len(ids) + self.size))

    # -- code -----------------------------------------------------------------------------------

    def emit_room(self, b: ProgramBuilder) -> None:
        """Make sure that the coming step's chunk has room (only needed with delays)."""
        if self.max_delay == 0:
            return
        n = b.size_of(self, self.size)
        capacity = b.size(self.ids)
        position = b.let("position", b.load(self.end, 0))
        tail = b.let("tail", b.load(self.begins, self._slot(b, b.integer_constant(
            ("max delay", id(self)), "max_delay", lambda: self.max_delay))))  # fmt: skip
        after = b.let("after", Op("iadd", (position, n)))
        ahead = Op("and", (
            Op("ige", (position, tail)),
            Op("or", (Op("ile", (after, capacity)), Op("ilt", (n, tail)))),
        ))  # fmt: skip
        behind = Op("and", (Op("ilt", (position, tail)), Op("ilt", (after, tail))))
        full = Op("not", (Op("or", (ahead, behind)),))
        b.leave_if(full, Outcome(f"{self.name}: more room for events", self._grow, again=True))

    def _slot(self, b: ProgramBuilder, delay: ir.Expr) -> ir.Expr:
        """Where the step `delay` steps ago has its entry."""
        if self.max_delay == 0:
            return ir.const(0)
        mask = b.integer_constant(("ring", id(self)), "ring_mask", lambda: len(self.begins) - 1)
        step = b.step(self.clock)
        if not (isinstance(delay, ir.Const) and delay.value == 0):
            step = Op("isub", (step, delay))
        return Op("iand", (step, mask))

    @contextmanager
    def collect(self, b: ProgramBuilder) -> Iterator[ir.Local]:
        """Code that appends events of the current step at the yielded position."""
        if self.max_delay == 0:
            count = b.var(f"{self.name}.count", ir.const(0))
            yield count
            b.store(self.counts, 0, count)
            return
        position = b.load(self.end, 0)
        fits = Op("ile", (Op("iadd", (position, b.size_of(self, self.size))), b.size(self.ids)))
        begin = b.let("begin", Op("select", (fits, position, ir.const(0))))
        count = b.var(f"{self.name}.count", begin)
        yield count
        slot = b.let("slot", self._slot(b, ir.const(0)))
        b.store(self.begins, slot, begin)
        b.store(self.counts, slot, Op("isub", (count, begin)))
        b.store(self.end, 0, count)

    def emit_silence(self, b: ProgramBuilder) -> None:
        """The coming step has no events: what a group does that is not active."""
        slot = b.let("slot", self._slot(b, ir.const(0)))
        b.store(self.counts, slot, ir.const(0))
        if self.max_delay > 0:
            b.store(self.begins, slot, b.load(self.end, 0))

    def emit_clear(self, b: ProgramBuilder) -> None:
        """An instant begins: there are no events yet."""
        b.store(self.counts, 0, ir.const(0))

    def emit_add(self, b: ProgramBuilder, element: ir.Expr, offset: ir.Expr, ordinal: ir.Expr) -> None:
        """Add an event to the instant; at most one of each element."""
        n = b.let("n", b.load(self.counts, 0))
        with b.when(Op("ilt", (n, b.size_of(self, self.size)))):
            for array, value in ((self.ids, element), (self.offsets, offset), (self.ordinals, ordinal)):
                b.store(array, n, value)
            b.store(self.counts, 0, Op("iadd", (n, ir.const(1))))

    @contextmanager
    def each_exact(
        self, b: ProgramBuilder, within: tuple[ir.Expr, ir.Expr] | None = None
    ) -> Iterator[tuple[ir.Expr, ir.Expr, ir.Expr]]:
        """Code that runs for each event of the instant: its element, its time in the step, and its number."""
        with b.loop("e", ir.const(0), b.load(self.counts, 0)) as e:
            element = b.let("id", b.load(self.ids, e))
            inside: ir.Expr = ir.const(True)
            if within is not None:
                inside = Op("and", (Op("ige", (element, within[0])), Op("ilt", (element, within[1]))))
            with b.when(inside):
                offset = b.let("offset", b.load(self.offsets, e))
                yield element, offset, b.let("ordinal", b.load(self.ordinals, e))

    @contextmanager
    def each_counted(self, b: ProgramBuilder) -> Iterator[ir.Expr]:
        """Code that runs for each event now; where exact, random numbers are counted by events."""
        if b.instants is None or b.instants.clock is not self.clock:
            with self.each(b) as element:
                yield element
            return
        with self.each_exact(b) as (element, _, ordinal), b.counted_by(ordinal):
            yield element

    def span(self, b: ProgramBuilder, delay: ir.Expr = THIS_STEP) -> tuple[ir.Expr, ir.Expr]:
        """Where the events of `delay` steps ago begin and how many there are."""
        slot = b.let("slot", self._slot(b, delay))
        begin = ir.const(0) if self.max_delay == 0 else b.let("begin", b.load(self.begins, slot))
        return begin, b.let("n_events", b.load(self.counts, slot))

    @contextmanager
    def each(
        self,
        b: ProgramBuilder,
        delay: ir.Expr = THIS_STEP,
        within: tuple[ir.Expr, ir.Expr] | None = None,
    ) -> Iterator[ir.Local]:
        """Code that runs for each event of `delay` steps ago, `within` [start, stop) if given."""
        begin, n = self.span(b, delay)
        with b.loop("e", begin, add(begin, n)) as e:
            element = b.names.local("id", ir.I64)
            b.emit(ir.Let(element, b.load(self.ids, e)))
            if within is None:
                yield element
                return
            inside = Op("and", (Op("ige", (element, within[0])), Op("ilt", (element, within[1]))))
            with b.when(inside):
                yield element
