"""Running a program: calls in slices, outcomes in between.

A slice is so many steps that Ctrl-C and progress reports are served about ten times a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from eccles.compile.pipeline import NativeProgram
from eccles.engine.program import Loop
from eccles.errors import RunError

__all__ = ["Runner"]

SLICE_SECONDS = 0.05
FIRST_SLICE = 4096  # steps, of a small network
FIRST_ELEMENTS = 1 << 20  # steps times elements of arrays in the first slice, at most


class Runner:
    """Calls a native program until its clocks have reached their ends."""

    def __init__(self, loop: Loop, native: NativeProgram) -> None:
        self.loop = loop
        self.native = native
        elements = sum(len(array) for array in loop.arrays)
        self.table = np.zeros(0, np.uint64)  # addresses of the arrays, from `fill`
        self._slice = max(1, min(FIRST_SLICE, FIRST_ELEMENTS // max(1, elements)))

    def run(
        self,
        ends: list[int],
        *,
        stop_requested: Callable[[], bool],
        between: Callable[[], None] | None = None,
    ) -> bool:
        """Advance each clock to its end; returns whether that was reached.

        Parameters
        ----------
        ends : list of int
            The step at which each clock stops.
        stop_requested : callable
            Asked between slices and after each outcome; True ends the run after the current step.
        between : callable, optional
            Called after every slice.
        """
        clocks, periods = self.loop.clocks, self.loop.periods()
        stride = self.loop.stride()
        store = self.loop.clock_store.data
        store[0] = 0
        self.fill()
        goal = max(end * period for end, period in zip(ends, periods, strict=True))
        if goal >= 2**62:
            raise RunError(
                "the run is too long to count its time in steps",
                hint="Use a longer dt; with several clocks, time steps that have a common divisor.",
            )
        while not stop_requested():
            now = min(
                (c.timestep * p for c, p, e in zip(clocks, periods, ends, strict=True) if c.timestep < e),
                default=goal,
            )
            if now >= goal:
                return True
            tick = min(goal, -(-(now + self._slice * min(periods)) // stride) * stride)
            for k, (clock, period, end) in enumerate(zip(clocks, periods, ends, strict=True)):
                store[1 + 3 * k : 4 + 3 * k] = (clock.timestep, min(end, -(-tick // period)), period)
            began = time.perf_counter()
            self._slice_run(stop_requested)
            elapsed = time.perf_counter() - began
            ran = -(-(tick - now) // min(periods))
            self._slice = max(1, int(ran * min(16.0, SLICE_SECONDS / max(elapsed, 1e-9))))
            if between is not None:
                between()
        return False

    def _slice_run(self, stop_requested: Callable[[], bool]) -> None:
        """One slice with the outcomes in it."""
        store = self.loop.clock_store.data
        address = self.table.ctypes.data
        while True:
            try:
                code = self.native(address)
            finally:  # also where Ctrl-C comes in just now
                for k, clock in enumerate(self.loop.clocks):
                    clock.timestep = int(store[1 + 3 * k])
            if code == 0:
                return
            self.loop.outcomes[code - 1].handle()
            if stop_requested():
                self._end_after_this_step()
            self.fill()
            address = self.table.ctypes.data

    def _end_after_this_step(self) -> None:
        """Let the clocks that are due now finish their step, and no other begin one.

        Without a grid it is the pass that is finished, because some neurons are at its end already.
        """
        entries = self.loop.clock_store.data[1:].reshape(-1, 3)  # step, end and period of each clock
        going = entries[:, 0] < entries[:, 1]
        if not going.any():
            return
        due = entries[:, 0] * entries[:, 2]
        stride = self.loop.stride()
        if stride > 1:
            boundary = (due[going].min() // stride + 1) * stride
            entries[:, 1] = np.minimum(entries[:, 1], -(-boundary // entries[:, 2]))
            return
        entries[:, 1] = np.minimum(entries[:, 1], entries[:, 0] + (due == due[going].min()))

    def fill(self) -> None:
        """Write the constants, and the addresses of all arrays, to where the program reads them."""
        loop = self.loop
        for prepare in loop.prepares:
            prepare()
        loop.float_store.data[:] = [get() for get in loop.floats]
        loop.integer_store.data[:] = [get() for get in loop.integers]
        self.table = np.fromiter((array.address for array in loop.arrays), np.uint64, len(loop.arrays))
