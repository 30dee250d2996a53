"""Spikes on their way, where times are exact: each arrives at its own time plus its delay, never rounded.

A spike that arrives within the step in which it was sent goes to the heap of instants at once. The others
wait in a list per step (by step modulo a power of two), and go to the heap when their step begins.

What is on its way is a *run*: synapses of one source that share a delay, and so arrive together. With one
delay for all, a run is a source, and nothing is stored for it. Otherwise synapses are sorted by source and
delay (`order`), and runs are ranges of that. A spike that was on its way when delays or connections changed
gets a run of its own behind all others.

Nodes of the lists come from a pool with a free list, which Python enlarges before it is exhausted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.engine.delays import reordered
from eccles.engine.events import EventBuffer, power_of_two
from eccles.engine.instants import Instants
from eccles.engine.program import Outcome, ProgramBuilder
from eccles.engine.state import Array
from eccles.engine.walk import SAME

__all__ = ["Flight", "InFlight"]

NONE = -1
FIRST_NODES = 1024


class InFlight(NamedTuple):
    """Spikes on their way.

    Attributes
    ----------
    ahead : (n,), float64
        In how many seconds each arrives; ascending.
    rests : (n,), float64
        What rounding has taken off `ahead`.
    ordinals : (n,), int64
        The number of the spike.
    counts : (n,), int64
        At how many synapses.
    synapses : (sum of counts,), int32
        At which.
    """

    ahead: np.ndarray
    rests: np.ndarray
    ordinals: np.ndarray
    counts: np.ndarray
    synapses: np.ndarray

    @classmethod
    def none(cls) -> InFlight:
        """Nothing on its way."""
        whole, real = np.zeros(0, np.int64), np.zeros(0)
        return cls(real, real, whole, whole, np.zeros(0, np.int32))

    def joined(self, other: InFlight) -> InFlight:
        """Those of both."""
        ahead, rests, ordinals, counts, synapses = map(np.concatenate, zip(self, other, strict=True))
        order = np.argsort(ahead, kind="stable")
        return InFlight(
            ahead[order], rests[order], ordinals[order], counts[order], reordered(synapses, counts, order)
        )


class Flight:
    """The spikes on their way of one pathway.

    Attributes
    ----------
    uniform : bool
        Whether there is one delay for all: runs are sources then.
    arrived, arrived_ordinals, n_arrived : Array
        The runs that arrive at the current instant.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.uniform = True
        self._delay = 0.0
        self._dt = 0.0
        self._step = 0
        self.order = Array(f"{name}.order", Element.I32)
        self.run_begin = Array(f"{name}.run_begin", Element.I64)
        self.run_steps = Array(f"{name}.run_steps", Element.I64)  # whole steps of the delay, and the rest
        self.run_rest = Array(f"{name}.run_rest", Element.F64)
        self.first_run = Array(f"{name}.first_run", Element.I64)
        self._run = Array(f"{name}.node_run", Element.I64)
        self._offset = Array(f"{name}.node_offset", Element.F64)
        self._ordinal = Array(f"{name}.node_ordinal", Element.I64)
        self._next = Array(f"{name}.node_next", Element.I64)
        self._head = Array(f"{name}.head", Element.I64, 1, fill=NONE)
        self._free = Array(f"{name}.free", Element.I64, 2)  # first free node, number of free nodes
        self._free.data[0] = NONE
        self.arrived = Array(f"{name}.arrived", Element.I64)
        self.arrived_ordinals = Array(f"{name}.arrived_ordinals", Element.I64)
        self.n_arrived = Array(f"{name}.n_arrived", Element.I64, 1)

    # -- between runs --------------------------------------------------------------------------------

    @property
    def in_flight(self) -> int:
        """How many nodes wait."""
        return len(self._run) - int(self._free.data[1])

    def _nodes(self, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The nodes that wait, when they arrive in seconds from the start of `step`, and rests of these."""
        found: list[tuple[int, float, float]] = []
        for slot in np.flatnonzero(self._head.data != NONE).tolist():
            steps = (slot - step) % len(self._head)
            node = int(self._head.data[slot])
            while node != NONE:
                start, offset = steps * self._dt, float(self._offset.data[node])
                rest = offset - (start + offset - start) if start >= offset else 0.0
                found.append((node, start + offset, rest))
                node = int(self._next.data[node])
        nodes = np.array([node for node, _, _ in found], np.int64)
        ahead = np.array([seconds for _, seconds, _ in found], np.float64)
        rests = np.array([rest for _, _, rest in found], np.float64)
        order = np.lexsort((self._run.data[nodes], rests, ahead))  # as they are going to arrive
        return nodes[order], ahead[order], rests[order]

    def waiting(self, step: int, first: np.ndarray, order: np.ndarray | None, offset: int) -> InFlight:
        """Everything on its way when `step` begins.

        Parameters
        ----------
        first, order
            The synapses of each source, for runs that are sources.
        offset : int
            The first source, counted in its whole group.
        """
        nodes, ahead, rests = self._nodes(step)
        if not len(nodes):
            return InFlight.none()
        runs = self._run.data[nodes]
        if self.uniform:
            sources = runs - offset
            positions = [np.arange(int(first[s]), int(first[s + 1])) for s in sources.tolist()]
            reached = positions if order is None else [order[p] for p in positions]
        else:
            begins = self.run_begin.data
            reached = [self.order.data[begins[r] : begins[r + 1]] for r in runs.tolist()]
        counts = np.array([len(r) for r in reached], np.int64)
        synapses = np.concatenate(reached).astype(np.int32)
        return InFlight(ahead, rests, self._ordinal.data[nodes].copy(), counts, synapses)

    def arrange_uniform(self, delay: float, dt: float, n_sources: int) -> None:
        """One delay for all from now on; nothing is on its way, or what is stays so."""
        self.uniform, self._delay, self._dt = True, delay, dt
        self._make_ring(int(delay / dt) + 2)
        self._make_arrivals(n_sources)
        if not len(self._run):
            self._make_nodes(FIRST_NODES)

    def arrange(
        self, step: int, source: np.ndarray, delays: np.ndarray, dt: float, n_sources: int, waiting: InFlight
    ) -> None:
        """Sort synapses by source and delay; what is on its way arrives when it would have."""
        self.uniform, self._dt = False, dt
        order = np.lexsort((delays, source))
        sources, sorted_delays = source[order], delays[order]
        new = np.ones(len(order), bool)
        new[1:] = (sources[1:] != sources[:-1]) | (sorted_delays[1:] != sorted_delays[:-1])
        begins = np.flatnonzero(new)
        run_delays = sorted_delays[begins]
        steps = np.floor(run_delays / dt).astype(np.int64)
        self.order.replace(np.concatenate([order, waiting.synapses]))
        self.run_begin.replace(np.concatenate([begins, [len(order)], len(order) + np.cumsum(waiting.counts)]))
        self.run_steps.replace(steps)
        self.run_rest.replace(run_delays - steps * dt)
        self.first_run.replace(np.searchsorted(sources[begins], np.arange(n_sources + 1)))
        longest = max(float(delays.max(initial=0.0)), float(waiting.ahead.max(initial=0.0)))
        self._head.replace(np.full(1, NONE))
        self._make_ring(int(longest / dt) + 2)
        self._make_arrivals(len(begins) + len(waiting.ahead))
        self._make_nodes(max(FIRST_NODES, 2 * len(waiting.ahead)))
        runs = len(begins) + np.arange(len(waiting.ahead))
        self._put(step, waiting.ahead, waiting.rests, runs, waiting.ordinals)

    def change_dt(self, step: int, dt: float) -> None:
        """Count in steps of another length; `step` is the coming one, in the new length."""
        old_step = round(step * dt / self._dt)
        nodes, ahead, rests = self._nodes(old_step)
        runs, ordinals = self._run.data[nodes].copy(), self._ordinal.data[nodes].copy()
        self._dt = dt
        self._head.replace(np.full(1, NONE))
        self._make_ring(int(max(self._delay, float(ahead.max(initial=0.0))) / dt) + 2)
        self._make_nodes(max(FIRST_NODES, 2 * len(nodes)))
        self._put(step, ahead, rests, runs, ordinals)

    def _make_ring(self, steps: int) -> None:
        ring = power_of_two(steps + 1)
        if ring <= len(self._head):
            return
        if self.in_flight:  # only where the delay has become longer
            old = self._head.data.copy()
            self._head.replace(np.full(ring, NONE))
            first = self._step
            for k in range(len(old)):
                self._head.data[(first + k) % ring] = old[(first + k) % len(old)]
        else:
            self._head.replace(np.full(ring, NONE))

    def stand_at(self, step: int) -> None:
        """Remember the coming step, from which waiting lists are counted."""
        self._step = step

    def _make_arrivals(self, n: int) -> None:
        for array in (self.arrived, self.arrived_ordinals):
            array.resize(2 * n + 64)  # a run may arrive twice at an instant, if its source sends so

    def _make_nodes(self, n: int) -> None:
        for array in (self._run, self._offset, self._ordinal, self._next):
            array.replace(array.data[:0])
            array.resize(n)
        self._next.data[:] = np.arange(1, n + 1)
        self._next.data[-1] = NONE
        self._free.data[:] = (0, n)

    def _put(
        self, step: int, ahead: np.ndarray, rests: np.ndarray, runs: np.ndarray, ordinals: np.ndarray
    ) -> None:
        """Fill the empty lists."""
        waiting = zip(ahead.tolist(), rests.tolist(), runs.tolist(), ordinals.tolist(), strict=True)
        for seconds, rest, run, ordinal in waiting:
            node = int(self._free.data[0])
            self._free.data[:] = (self._next.data[node], self._free.data[1] - 1)
            steps = max(0, int(np.floor((seconds - SAME) / self._dt)))
            slot = (step + steps) % len(self._head)
            self._run.data[node], self._ordinal.data[node] = run, ordinal
            self._offset.data[node] = seconds - steps * self._dt + rest
            self._next.data[node] = self._head.data[slot]
            self._head.data[slot] = node

    def _grow(self) -> None:
        old = len(self._run)
        n = 2 * old + len(self.run_steps)
        for array in (self._run, self._offset, self._ordinal, self._next):
            array.resize(n)
        self._next.data[old:] = np.arange(old + 1, n + 1)
        self._next.data[-1] = self._free.data[0]
        self._free.data[:] = (old, self._free.data[1] + n - old)

    # -- code --------------------------------------------------------------------------------------

    def emit_drain(self, b: ProgramBuilder, instants: Instants, kind: ir.Expr) -> None:
        """A step begins: what arrives in it goes to the heap."""
        slot = b.let("slot", Op("iand", (b.step(instants.clock), self._mask(b))))
        count = b.var("count", ir.const(0))
        node = b.var("node", b.load(self._head, slot))
        waiting = Op("ige", (node, ir.const(0)))
        with b.body() as statements:
            b.set(count, Op("iadd", (count, ir.const(1))))
            b.set(node, b.load(self._next, node))
        b.emit(ir.While(waiting, tuple(statements)))
        with b.when(Op("igt", (count, ir.const(0)))):
            instants.emit_room(b, count)
            b.set(node, b.load(self._head, slot))
            with b.body() as statements:
                instants.emit_push(
                    b, b.load(self._offset, node), kind, b.load(self._run, node), b.load(self._ordinal, node)
                )
                following = b.let("following", b.load(self._next, node))
                b.store(self._next, node, b.load(self._free, 0))
                b.store(self._free, 0, node)
                b.set(node, following)
            b.emit(ir.While(waiting, tuple(statements)))
            b.store(self._free, 1, Op("iadd", (b.load(self._free, 1), count)))
            b.store(self._head, slot, ir.const(NONE))

    def _mask(self, b: ProgramBuilder) -> ir.Expr:
        return b.integer_constant(("ring", id(self)), "ring_mask", lambda: len(self._head) - 1)

    def emit_send(
        self, b: ProgramBuilder, events: EventBuffer, offset: ir.Expr, within: tuple[ir.Expr, ir.Expr] | None,
        instants: Instants, kind: ir.Expr,
    ) -> None:  # fmt: skip
        """Send the spikes of the instant on their way."""
        with b.when(Op("igt", (b.load(events.counts, 0), ir.const(0)))):
            needed = b.var("needed", ir.const(0))
            with events.each_exact(b, within) as (element, _, _):
                first, last = self._runs_of(b, element, offset)
                b.set(needed, Op("iadd", (needed, Op("isub", (last, first)))))
            full = Op("igt", (needed, b.load(self._free, 1)))
            what = f"{self.name}: more room for spikes on their way"
            b.leave_if(full, Outcome(what, self._grow, again=True))
            instants.emit_room(b, needed)
            with events.each_exact(b, within) as (element, sent, ordinal):
                first, last = self._runs_of(b, element, offset)
                with b.loop("run", first, last) as run:
                    self._emit_send_one(b, run, sent, ordinal, instants, kind)

    def _whole_steps(self) -> int:
        return int(np.floor(self._delay / self._dt))

    def _runs_of(self, b: ProgramBuilder, element: ir.Expr, offset: ir.Expr) -> tuple[ir.Expr, ir.Expr]:
        if self.uniform:
            return element, b.let("after", Op("iadd", (element, ir.const(1))))
        source = b.let("source", Op("isub", (element, offset)))
        first = b.let("first", b.load(self.first_run, source))
        return first, b.let("last", b.load(self.first_run, Op("iadd", (source, ir.const(1)))))

    def _emit_send_one(
        self, b: ProgramBuilder, run: ir.Expr, sent: ir.Expr, ordinal: ir.Expr, instants: Instants,
        kind: ir.Expr,
    ) -> None:  # fmt: skip
        dt = b.dt(instants.clock)
        steps: ir.Expr
        rest: ir.Expr
        if self.uniform:
            steps = b.integer_constant(("steps", id(self)), "steps", self._whole_steps)
            rest = b.float_constant(
                ("rest", id(self)), "rest", lambda: self._delay - self._whole_steps() * self._dt
            )
        else:
            steps, rest = b.load(self.run_steps, run), b.load(self.run_rest, run)
        raw = b.let("raw", Op("fadd", (sent, rest)))
        # a step owns the moments in (SAME, dt + SAME]
        later = Op("fgt", (raw, instants.horizon(b)))
        early = Op("and", (Op("fle", (raw, ir.const(SAME))), Op("igt", (steps, ir.const(0)))))
        shift = b.let("shift", Op("isub", (Op("btoi", (later,)), Op("btoi", (early,)))))
        ahead = b.let("ahead", Op("iadd", (steps, shift)))
        time = b.let("arrival", Op("fsub", (raw, Op("fmul", (Op("itof", (shift,)), dt)))))

        def now() -> None:
            at_once = Op("fle", (Op("fsub", (time, sent)), ir.const(SAME)))
            b.choose(
                at_once,
                lambda: self.emit_arrive(b, run, ordinal),
                lambda: instants.emit_push(b, time, kind, run, ordinal),
            )

        def wait() -> None:
            node = b.let("node", b.load(self._free, 0))
            b.store(self._free, 0, b.load(self._next, node))
            b.store(self._free, 1, Op("isub", (b.load(self._free, 1), ir.const(1))))
            arrival = Op("iadd", (b.step(instants.clock), ahead))
            slot = b.let("slot", Op("iand", (arrival, self._mask(b))))
            for array, value in (
                (self._run, run), (self._offset, time), (self._ordinal, ordinal),
                (self._next, b.load(self._head, slot)),
            ):  # fmt: skip
                b.store(array, node, value)
            b.store(self._head, slot, node)

        b.choose(Op("ieq", (ahead, ir.const(0))), now, wait)

    def emit_arrive(self, b: ProgramBuilder, run: ir.Expr, ordinal: ir.Expr) -> None:
        """A run arrives at this instant."""
        n = b.let("n", b.load(self.n_arrived, 0))
        with b.when(Op("ilt", (n, b.size(self.arrived)))):
            b.store(self.arrived, n, run)
            b.store(self.arrived_ordinals, n, ordinal)
            b.store(self.n_arrived, 0, Op("iadd", (n, ir.const(1))))

    def emit_clear(self, b: ProgramBuilder) -> None:
        """An instant begins: nothing has arrived."""
        b.store(self.n_arrived, 0, ir.const(0))
