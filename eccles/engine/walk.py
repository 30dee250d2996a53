"""What the two walks through exact time have in common: the present instant, and its number.

`instants.py` walks through one time step of a whole network, `components.py` through many steps of a few
connected neurons. To the blocks of a program both look alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NoReturn

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.engine.clock import Clock
from eccles.engine.program import Outcome, ProgramBuilder
from eccles.engine.state import Array
from eccles.errors import RunError

__all__ = ["CLOSED", "MOST_GENERATIONS", "NOT_YET", "OPEN", "SAME", "Walk"]

SAME = 1e-12  # seconds: what is not further apart happens at one instant
CLOSED, OPEN = 0, 1  # stages of a walk: over, instants to come
MOST_GENERATIONS = 100_000  # of spikes at one instant that set each other off
NOT_YET = -1.0  # the time before the first instant


class Walk(ABC):
    """A walk from instant to instant.

    Parameters
    ----------
    clock : Clock
        Whose steps are walked through.

    Attributes
    ----------
    stage : Array
        Whether the walk is over: what the loop over instants asks.
    number : Array
        How many instants there were; tells one from all others.
    opened : Array
        The number when the walk began: what was noted with a higher one was noted on it.
    without_grid : bool
        Whether many time steps are walked through at once.
    """

    without_grid: bool

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.stage = Array("instants.stage", Element.I64, 1)
        self.number = Array("instants.number", Element.I64, 1)
        self.opened = Array("instants.opened", Element.I64, 1)
        self._now = Array("instants.now", Element.F64, 1)
        self._generation = Array("instants.generation", Element.I64, 1)
        self._starts: list[Callable[[ProgramBuilder], None]] = []

    def begin(self) -> None:
        """Another program is going to be built: nobody takes part yet."""
        self._starts = []

    def at_start(self, emit: Callable[[ProgramBuilder], None]) -> None:
        """Have code run at the start of every instant, before it is known what happens at it."""
        self._starts.append(emit)

    @abstractmethod
    def horizon(self, b: ProgramBuilder) -> ir.Expr:
        """The last moment that belongs to the walk."""

    @abstractmethod
    def emit_collect(self, b: ProgramBuilder) -> None:
        """Find the next instant and hand out what happens at it; or end the walk."""

    def emit_now(self, b: ProgramBuilder) -> ir.Expr:
        """The time of the instant since the start of the walk."""
        return b.let("now", b.load(self._now, 0))

    def emit_open(self, b: ProgramBuilder) -> None:
        """The walk begins."""
        number = b.let("instant", b.load(self.number, 0))
        b.store(self.opened, 0, number)
        b.store(self.number, 0, Op("iadd", (number, ir.const(1))))
        b.store(self.stage, 0, ir.const(OPEN))
        b.store(self._generation, 0, ir.const(0))
        b.store(self._now, 0, ir.const(NOT_YET))

    def _emit_next_number(self, b: ProgramBuilder) -> None:
        number = b.let("instant", Op("iadd", (b.load(self.number, 0), ir.const(1))))
        b.store(self.number, 0, number)
        for start in self._starts:
            start(b)

    def _emit_arrive_at(self, b: ProgramBuilder, now: ir.Expr, before: ir.Expr) -> None:
        """Note the time of the instant; with that of the one before, also the generation that it is."""
        again = Op("fle", (now, Op("fadd", (before, ir.const(SAME)))))
        generation = b.let("generation", Op("select", (
            again, Op("iadd", (b.load(self._generation, 0), ir.const(1))), ir.const(0)
        )))  # fmt: skip
        b.store(self._generation, 0, generation)
        b.store(self._now, 0, now)
        endless = Op("igt", (generation, ir.const(MOST_GENERATIONS)))
        b.leave_if(endless, Outcome("spikes without end", self._endless))

    def _endless(self) -> NoReturn:
        t = self.clock.t_ + float(self._now.data[0])
        self.forget()
        raise RunError(
            f"at t = {t * 1e3:g} ms spikes set each other off without end: each makes another neuron fire at "
            f"once, at the same time",
            hint="Give the neurons a refractory period, or the synapses a delay.",
        )

    def forget(self) -> None:
        """Leave the walk: nothing is going to happen any more."""
        self.stage.data[0] = CLOSED
