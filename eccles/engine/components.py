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

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.engine.clock import Clock
from eccles.engine.program import ProgramBuilder
from eccles.engine.state import Array
from eccles.engine.walk import CLOSED, NOT_YET, SAME, Walk

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


class Components(Walk):
    """The component that is being simulated, and the instant that it is there.

    Parameters and attributes are those of `Walk`.
    """

    without_grid = True

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._component = Array("instants.component", Element.I64, 1)
        self._n_components = 0
        self._groups: list[_Members] = []

    # -- who takes part (before a program is built) ------------------------------------------------

    def begin(self) -> None:
        super().begin()
        self._groups = []

    def join(self, name: str, due: Array, handle: Callable[[ProgramBuilder, ir.Expr, ir.Expr], None]) -> None:
        """A group takes part; `handle(b, time, neuron)` emits what happens when a neuron is due."""
        first = Array(f"{name}.first_member", Element.I64)
        self._groups.append(_Members(due, first, Array(f"{name}.members", Element.I32), handle))

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
        return Op("fadd", (self.span(b), ir.const(SAME)))

    def emit_open(self, b: ProgramBuilder) -> None:
        super().emit_open(b)
        b.store(self._component, 0, ir.const(0))

    def emit_collect(self, b: ProgramBuilder) -> None:
        self._emit_next_number(b)
        horizon = b.let("horizon", self.horizon(b))
        n = b.integer_constant(("components", id(self)), "components", lambda: self._n_components)
        before = b.var("before", b.load(self._now, 0))
        component = b.var("component", b.load(self._component, 0))
        now = b.var("now", ir.const(0.0))
        self._emit_least(b, component, now)
        over = Op("and", (Op("fgt", (now, horizon)), Op("ilt", (component, n))))
        with b.body() as statements:
            b.set(component, Op("iadd", (component, ir.const(1))))
            b.set(before, ir.const(NOT_YET))
            with b.when(Op("ilt", (component, n))):
                self._emit_least(b, component, now)
        b.emit(ir.While(over, tuple(statements)))
        b.store(self._component, 0, component)
        self._emit_arrive_at(b, now, before)
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

        b.choose(left, hand_out, lambda: b.store(self.stage, 0, ir.const(CLOSED)))

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
