"""Spikes on their way along synapses whose delays differ.

The synapses of one source are listed in ascending order of delay; those of equal delay form a *run*.
A spike of the source puts one node per run into the list of the step at which it arrives; that step
walks its list in the order in which nodes were put there (older spikes first, then by source). What is
on its way when delays or connections change gets runs of its own behind all others.

Nodes come from a pool with a free list. Before a step's spikes are put in, their runs are counted; if
the pool is too small the program leaves, Python doubles it, and the step goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.engine.clock import Clock
from eccles.engine.events import EventBuffer, power_of_two
from eccles.engine.program import Outcome, ProgramBuilder
from eccles.engine.state import Array

__all__ = ["DelayQueue", "Waiting", "reordered"]

NONE = -1
PARTS = ("node_run", "node_next", "head", "tail", "free")


class Waiting(NamedTuple):
    """Spikes on their way.

    Attributes
    ----------
    ahead : (n,), int64
        In how many steps each arrives; ascending.
    counts : (n,), int64
        At how many synapses.
    synapses : (sum of counts,), int32
        At which.
    """

    ahead: np.ndarray
    counts: np.ndarray
    synapses: np.ndarray

    @classmethod
    def none(cls) -> Waiting:
        """Nothing on its way."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32))

    def joined(self, other: Waiting) -> Waiting:
        """Those of both."""
        ahead, counts, synapses = map(np.concatenate, zip(self, other, strict=True))
        order = np.argsort(ahead, kind="stable")
        return Waiting(ahead[order], counts[order], reordered(synapses, counts, order))


def reordered(values: np.ndarray, counts: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Values of groups that follow each other, `counts` of them each, with the groups in another order."""
    ends = np.cumsum(counts)
    return np.concatenate([values[:0], *(values[ends[k] - counts[k] : ends[k]] for k in order)])


class DelayQueue:
    """The queue of one pathway.

    Parameters
    ----------
    name : str
        For messages and the program's text.
    clock : Clock
        The clock in whose steps delays are counted.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.clock = clock
        self.order = Array(f"{name}.order", Element.I32)  # synapses by (source, delay)
        self.run_begin = Array(f"{name}.run_begin", Element.I64)  # where each run begins in `order`
        self.run_delay = Array(f"{name}.run_delay", Element.I32)
        self.first_run = Array(f"{name}.first_run", Element.I64)  # per source, and one more
        self.node_run = Array(f"{name}.node_run", Element.I64)
        self.node_next = Array(f"{name}.node_next", Element.I64)
        self.head = Array(f"{name}.head", Element.I64, 1, fill=NONE)
        self.tail = Array(f"{name}.tail", Element.I64, 1, fill=NONE)
        self.free = Array(f"{name}.free", Element.I64, 2)  # first free node, number of free nodes
        self.free.data[0] = NONE

    @property
    def in_flight(self) -> int:
        """Nodes that wait for their step."""
        return len(self.node_run) - int(self.free.data[1])

    def waiting(self) -> Waiting:
        """Everything on its way, in the order in which it will arrive."""
        slots = np.flatnonzero(self.head.data != NONE)
        steps = (slots - self.clock.timestep) % len(self.head)
        nodes = self.head.data[slots].astype(np.int64)
        found: list[tuple[np.ndarray, np.ndarray]] = []  # the first of each list, the second of each ...
        while len(nodes):
            found.append((steps, self.node_run.data[nodes]))
            nodes = self.node_next.data[nodes]
            steps, nodes = steps[nodes != NONE], nodes[nodes != NONE]
        if not found:
            return Waiting.none()
        ahead = np.concatenate([steps for steps, _ in found])
        runs = np.concatenate([runs for _, runs in found])
        order = np.argsort(ahead, kind="stable")
        ahead, runs = ahead[order], runs[order]
        begins = self.run_begin.data[runs]
        counts = self.run_begin.data[runs + 1] - begins
        positions = np.arange(counts.sum()) + np.repeat(begins - np.cumsum(counts) + counts, counts)
        return Waiting(ahead, counts, self.order.data[positions])

    def nodes(self) -> dict[str, np.ndarray]:
        """Copies of the lists, for `put_back` as long as the arrangement stays the same."""
        return {part: getattr(self, part).data.copy() for part in PARTS}

    def put_back(self, nodes: Mapping[str, np.ndarray]) -> None:
        """Take back what `nodes` gave."""
        for part in PARTS:
            getattr(self, part).replace(nodes[part])

    def arrange(self, source: np.ndarray, delay_steps: np.ndarray, n_sources: int, waiting: Waiting) -> None:
        """Sort synapses by source and delay; what is on its way arrives when it would have.

        Parameters
        ----------
        source : (n,), int
            The source (for a post pathway: the target) of each synapse, from 0.
        delay_steps : (n,), int
            Delays in steps.
        n_sources : int
            How many sources there are.
        waiting : Waiting
            Spikes on their way, from `waiting()` or from elsewhere. They get runs of their own.
        """
        order = np.lexsort((delay_steps, source))
        sources, delays = source[order], delay_steps[order]
        new = np.ones(len(order), bool)
        new[1:] = (sources[1:] != sources[:-1]) | (delays[1:] != delays[:-1])
        begins = np.flatnonzero(new)
        ends_waiting = len(order) + np.cumsum(waiting.counts)
        self.order.replace(np.concatenate([order, waiting.synapses]))
        self.run_begin.replace(np.concatenate([begins, [len(order)], ends_waiting]))
        self.run_delay.replace(delays[begins])
        self.first_run.replace(np.searchsorted(sources[begins], np.arange(n_sources + 1)))
        ring = power_of_two(int(max(delays.max(initial=0), waiting.ahead.max(initial=0))) + 1)
        for array in (self.head, self.tail):
            array.resize(max(ring, len(array)))
            array.data[:] = NONE
        self._put(waiting.ahead, len(begins) + np.arange(len(waiting.ahead)))

    def _put(self, ahead: np.ndarray, runs: np.ndarray) -> None:
        """Fill the empty lists with runs that arrive in so many steps, in ascending order."""
        n = len(runs)
        size = max(1024, 2 * n, len(self.node_run))
        self.node_run.resize(size)
        self.node_next.resize(size)
        self.node_next.data[:] = np.arange(1, size + 1)
        self.node_next.data[-1] = NONE
        self.free.data[:] = (n, size - n)
        if n == 0:
            return
        self.node_run.data[:n] = runs
        last = np.append(ahead[1:] != ahead[:-1], True)  # in the list of its step
        self.node_next.data[:n] = np.where(last, NONE, np.arange(1, n + 1))
        slots = (self.clock.timestep + ahead) % len(self.head)
        first = np.insert(last[:-1], 0, True)
        self.head.data[slots[first]] = np.flatnonzero(first)
        self.tail.data[slots[last]] = np.flatnonzero(last)

    def _grow_to(self, n: int) -> None:
        old = len(self.node_run)
        self.node_run.resize(n)
        self.node_next.resize(n)
        self.node_next.data[old:] = np.arange(old + 1, n + 1)
        self.node_next.data[-1] = self.free.data[0]
        self.free.data[:] = (old, self.free.data[1] + n - old)

    # -- code -----------------------------------------------------------------------------------

    def emit_push(
        self, b: ProgramBuilder, events: EventBuffer, offset: ir.Expr, within: tuple[ir.Expr, ir.Expr] | None
    ) -> None:
        """Put the spikes of the current step into the lists of the steps at which they arrive."""
        needed = b.var("needed", ir.const(0))
        with events.each(b, within=within) as element:
            source = b.let("source", Op("isub", (element, offset)))
            runs = Op("isub", (
                b.load(self.first_run, Op("iadd", (source, ir.const(1)))), b.load(self.first_run, source)
            ))  # fmt: skip
            b.set(needed, Op("iadd", (needed, runs)))
        full = Op("igt", (needed, b.load(self.free, 1)))
        grow = Outcome(
            f"{self.name}: more room for spikes on their way",
            lambda: self._grow_to(2 * len(self.node_run) + len(self.run_delay)),
            again=True,
        )
        b.leave_if(full, grow)
        mask = self._mask(b)
        step = b.step(self.clock)
        with events.each(b, within=within) as element:
            source = b.let("source", Op("isub", (element, offset)))
            first = b.let("first", b.load(self.first_run, source))
            last = b.let("last", b.load(self.first_run, Op("iadd", (source, ir.const(1)))))
            with b.loop("run", first, last) as run:
                node = b.let("node", b.load(self.free, 0))
                b.store(self.free, 0, b.load(self.node_next, node))
                b.store(self.node_run, node, run)
                b.store(self.node_next, node, ir.const(NONE))
                arrival = Op("iadd", (step, b.load(self.run_delay, run)))
                slot = b.let("slot", Op("iand", (arrival, mask)))
                tail = b.let("tail", b.load(self.tail, slot))
                empty = b.let("empty", Op("ilt", (tail, ir.const(0))))
                with b.when(empty):
                    b.store(self.head, slot, node)
                with b.when(Op("not", (empty,))):
                    b.store(self.node_next, tail, node)
                b.store(self.tail, slot, node)
        b.store(self.free, 1, Op("isub", (b.load(self.free, 1), needed)))

    def _mask(self, b: ProgramBuilder) -> ir.Expr:
        return b.integer_constant(("ring", id(self)), "ring_mask", lambda: len(self.head) - 1)

    @contextmanager
    def each_arriving(self, b: ProgramBuilder) -> Iterator[ir.Expr]:
        """Code that runs for each synapse at which a spike arrives in the current step."""
        slot = b.let("slot", Op("iand", (b.step(self.clock), self._mask(b))))
        node = b.var("node", b.load(self.head, slot))
        returned = b.var("returned", ir.const(0))
        with b.body() as statements:
            run = b.let("run", b.load(self.node_run, node))
            begin = b.let("begin", b.load(self.run_begin, run))
            end = b.let("end", b.load(self.run_begin, Op("iadd", (run, ir.const(1)))))
            with b.loop("k", begin, end) as k:
                synapse = b.names.local("s", ir.I64)
                b.emit(ir.Let(synapse, b.load(self.order, k)))
                yield synapse
            following = b.let("following", b.load(self.node_next, node))
            b.store(self.node_next, node, b.load(self.free, 0))
            b.store(self.free, 0, node)
            b.set(returned, Op("iadd", (returned, ir.const(1))))
            b.set(node, following)
        b.emit(ir.While(Op("ige", (node, ir.const(0))), tuple(statements)))
        b.store(self.free, 1, Op("iadd", (b.load(self.free, 1), returned)))
        b.store(self.head, slot, ir.const(NONE))
        b.store(self.tail, slot, ir.const(NONE))
