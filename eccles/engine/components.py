"""The instants of neurons that need no time grid, one connected component after the other.

Where everything between events has a closed form, the moments of the next spikes are known, and a run needs
no steps. Neurons that no synapse connects, directly or through others, have nothing to do with each other:
each connected component is taken through the whole time alone. It is small, so the next event is the least
of a few numbers, and its state stays in the first-level cache; a heap of all neurons was several times
slower.

To the blocks of a program this looks like one long time step with its instants (`instants.py`), except that
time begins anew with each component.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.engine.clock import Clock
from eccles.engine.instants import MOST_GENERATIONS, SAME
from eccles.engine.program import Outcome, ProgramBuilder
from eccles.engine.state import Array
from eccles.errors import RunError

__all__ = ["LARGEST", "Components", "connected"]

LARGEST = 32  # neurons of a component: with more, looking for the least takes longer than a heap


def connected(n: int, pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The component of each of n neurons that are connected in pairs, (n,) int, counted from 0.

    Components are numbered by their first neurons.
    """
    label = np.arange(n)
    while True:
        before = label.copy()
        for i, j in pairs:
            least = np.minimum(label[i], label[j])
            np.minimum.at(label, i, least)
            np.minimum.at(label, j, least)
        label = label[label]  # a shortcut: what my label has found out holds for me
        if np.array_equal(label, before):
            return np.unique(label, return_inverse=True)[1]


@dataclass
class _Members:
    """Where the neurons of one group stand, component by component."""

    due: Array  # when each neuron has its next event
    first: Array  # of each component, in `members`; and one more
    members: Array
    handle: Callable[[ProgramBuilder, ir.Expr, ir.Expr], None]


class Components:
    """The component that is being simulated, and the instant that it is there.

    Attributes are those of `Instants`.
    """

    without_grid = True

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.stage = Array("instants.stage", Element.I64, 1)
        self.number = Array("instants.number", Element.I64, 1)
        self.opened = Array("instants.opened", Element.I64, 1)
        self._now = Array("instants.now", Element.F64, 1)
        self._generation = Array("instants.generation", Element.I64, 1)
        self._component = Array("instants.component", Element.I64, 1)
        self._n_components = 0
        self._groups: list[_Members] = []
        self._starts: list[Callable[[ProgramBuilder], None]] = []

    # -- who takes part (before a program is built) ------------------------------------------------

    def begin(self) -> None:
        """Another program is going to be built: nobody takes part yet."""
        self._groups, self._starts = [], []

    def join(self, name: str, due: Array, handle: Callable[[ProgramBuilder, ir.Expr, ir.Expr], None]) -> None:
        """A group takes part; `handle(b, time, neuron)` emits what happens when a neuron is due."""
        first = Array(f"{name}.first_member", Element.I64)
        self._groups.append(_Members(due, first, Array(f"{name}.members", Element.I32), handle))

    def at_start(self, emit: Callable[[ProgramBuilder], None]) -> None:
        """Have code run at the start of every instant."""
        self._starts.append(emit)

    def divide(self, components: list[np.ndarray]) -> None:
        """Say which component each neuron of each group belongs to, group by group in order of joining."""
        self._n_components = 1 + max(int(c.max()) for c in components)
        for group, component in zip(self._groups, components, strict=True):
            group.members.replace(np.argsort(component, kind="stable"))
            bounds = np.searchsorted(np.sort(component), np.arange(self._n_components + 1))
            group.first.replace(bounds)

    # -- code --------------------------------------------------------------------------------------

    def span(self, b: ProgramBuilder) -> ir.Expr:
        """How long the time is through which each component is taken."""
        return Op("fmul", (Op("itof", (b.steps_left(self.clock),)), b.dt(self.clock)))

    def horizon(self, b: ProgramBuilder) -> ir.Expr:
        """The last moment that belongs to it."""
        return Op("fadd", (self.span(b), ir.const(SAME)))

    def emit_now(self, b: ProgramBuilder) -> ir.Expr:
        """The time of the instant since the start."""
        return b.let("now", b.load(self._now, 0))

    def emit_open(self, b: ProgramBuilder) -> None:
        """The first component begins."""
        number = b.let("instant", b.load(self.number, 0))
        b.store(self.opened, 0, number)
        b.store(self.number, 0, Op("iadd", (number, ir.const(1))))
        b.store(self._component, 0, ir.const(0))
        b.store(self.stage, 0, ir.const(1))
        b.store(self._now, 0, ir.const(-1.0))
        b.store(self._generation, 0, ir.const(0))

    def emit_collect(self, b: ProgramBuilder) -> None:
        """Find the next instant, if need be in the next component; hand out what happens at it."""
        number = b.let("instant", Op("iadd", (b.load(self.number, 0), ir.const(1))))
        b.store(self.number, 0, number)
        for start in self._starts:
            start(b)
        horizon = b.let("horizon", self.horizon(b))
        n = b.integer_constant(("components", id(self)), "components", lambda: self._n_components)
        before = b.var("before", b.load(self._now, 0))
        component = b.var("component", b.load(self._component, 0))
        now = b.var("now", ir.const(0.0))
        self._emit_least(b, component, now)
        over = Op("and", (Op("fgt", (now, horizon)), Op("ilt", (component, n))))
        with b.body() as statements:
            b.set(component, Op("iadd", (component, ir.const(1))))
            b.set(before, ir.const(-1.0))
            with b.when(Op("ilt", (component, n))):
                self._emit_least(b, component, now)
        b.emit(ir.While(over, tuple(statements)))
        b.store(self._component, 0, component)
        again = Op("fle", (now, Op("fadd", (before, ir.const(SAME)))))
        generation = b.let("generation", Op("select", (
            again, Op("iadd", (b.load(self._generation, 0), ir.const(1))), ir.const(0)
        )))  # fmt: skip
        b.store(self._generation, 0, generation)
        b.store(self._now, 0, now)
        b.leave_if(
            Op("igt", (generation, ir.const(MOST_GENERATIONS))), Outcome("spikes without end", self._endless)
        )
        left = b.let("left", Op("ilt", (component, n)))

        def hand_out() -> None:
            moment = b.let("now", now)
            b.moment = moment
            until = b.let("until", Op("fadd", (moment, ir.const(SAME))))
            for group in self._groups:
                with self._each_member(b, group, component) as neuron:
                    due = b.let("due", b.load(group.due, neuron))
                    with b.when(Op("fle", (due, until))):
                        group.handle(b, due, neuron)

        b.choose(left, hand_out, lambda: b.store(self.stage, 0, ir.const(0)))

    @contextmanager
    def _each_member(self, b: ProgramBuilder, group: _Members, component: ir.Expr) -> Iterator[ir.Expr]:
        """Code that runs for each neuron of a group in a component."""
        begin = b.let("begin", b.load(group.first, component))
        end = b.let("end", b.load(group.first, Op("iadd", (component, ir.const(1)))))
        with b.loop("k", begin, end) as k:
            yield b.let("neuron", b.load(group.members, k))

    def _emit_least(self, b: ProgramBuilder, component: ir.Expr, now: ir.Local) -> None:
        """When the next event of a component is due."""
        b.set(now, ir.const(float("inf")))
        for group in self._groups:
            with self._each_member(b, group, component) as neuron:
                b.set(now, Op("fmin", (b.load(group.due, neuron), now)))

    def _endless(self) -> NoReturn:
        t = self.clock.t_ + float(self._now.data[0])
        self.forget()
        raise RunError(
            f"at t = {t * 1e3:g} ms spikes set each other off without end: each makes another neuron fire at "
            f"once, at the same time",
            hint="Give the neurons a refractory period, or the synapses a delay.",
        )

    def forget(self) -> None:
        """Nothing is going to happen any more."""
        self.stage.data[0] = 0
