"""The part of a run in which something is recorded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from eccles.compile import ir
from eccles.compile.ir import Op
from eccles.engine.clock import Clock, steps_of, to_seconds
from eccles.engine.program import ProgramBuilder
from eccles.errors import SetupError

__all__ = ["Window"]

FOREVER = 2**60  # steps


@dataclass(frozen=True)
class Window:
    """From when to when samples are taken, both included.

    Attributes
    ----------
    start, stop : float or None
        In seconds; None for the start or the end of the run.
    """

    start: float | None = None
    stop: float | None = None

    @classmethod
    def of(cls, start: Any, stop: Any) -> Window:
        """The window between two times as users give them.

        Raises
        ------
        DimensionMismatchError, SetupError
            If they are no times, or not in order.
        """
        seconds = [
            None if given is None else to_seconds(given, f"{what} of a window")
            for what, given in (("start", start), ("stop", stop))
        ]
        return cls(*seconds).checked()

    def checked(self) -> Window:
        """Itself, if its times make sense."""
        for what, seconds in (("start", self.start), ("stop", self.stop)):
            if seconds is not None and not 0 <= seconds < math.inf:
                raise SetupError(f"the {what} of a window has to be a time from 0 on, not {seconds:g} s")
        if self.start is not None and self.stop is not None and self.stop < self.start:
            raise SetupError(f"the window from {self.start:g} s to {self.stop:g} s ends before it starts")
        return self

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole run."""
        return self.start is None and self.stop is None

    def steps(self, dt: float) -> tuple[int, int]:
        """The first and the last step that begins within the window."""
        first = 0 if self.start is None else max(0, -steps_of(-self.start, dt))
        return first, FOREVER if self.stop is None else steps_of(self.stop, dt)

    def samples(self, dt: float, n: int, every: int = 1) -> range:
        """The steps at which samples are taken, of the first `n`."""
        first, last = self.steps(dt)
        return range(first, min(last + 1, n), every)

    def emit(self, b: ProgramBuilder, owner: object, clock: Clock, step: ir.Expr) -> ir.Expr:
        """Whether a step begins within the window."""
        if self.is_whole:
            return ir.const(True)
        first = self.emit_first(b, owner, clock)
        last = b.integer_constant(("last", id(owner)), "last", lambda: self.steps(clock.dt_)[1])
        return Op("and", (Op("ige", (step, first)), Op("ile", (step, last))))

    def emit_first(self, b: ProgramBuilder, owner: object, clock: Clock) -> ir.Expr:
        """The first step that begins within the window."""
        return b.integer_constant(("first", id(owner)), "first", lambda: self.steps(clock.dt_)[0])
