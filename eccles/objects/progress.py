"""Progress reports of a run."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Protocol, TextIO

from eccles.errors import SetupError
from eccles.units import Quantity, second

__all__ = ["Report", "make_report"]


class Report(Protocol):
    """What a run tells of its progress."""

    def update(self, completed: float) -> None:
        """A fraction of the run is done."""

    def close(self, simulated: float) -> None:
        """The run is over after this many seconds of simulated time."""


class Silent:
    """No report."""

    def update(self, completed: float) -> None:
        """Say nothing."""

    def close(self, simulated: float) -> None:
        """Say nothing."""


class Calls:
    """Reports to a function: `(elapsed, completed, start, duration)`."""

    def __init__(self, function: Callable[..., Any], period: float, start: float, duration: float) -> None:
        self._function = function
        self._period = period
        self._start = Quantity(start, dim=second.dim)
        self._duration = Quantity(duration, dim=second.dim)
        self._began = self._last = time.perf_counter()
        self._call(0.0)

    def _call(self, completed: float) -> None:
        elapsed = Quantity(time.perf_counter() - self._began, dim=second.dim)
        self._function(elapsed, completed, self._start, self._duration)

    def update(self, completed: float) -> None:
        """Call the function if the report period is over."""
        now = time.perf_counter()
        if now - self._last >= self._period:
            self._last = now
            self._call(completed)

    def close(self, simulated: float) -> None:
        """Call the function a last time."""
        duration = float(self._duration)
        self._call(1.0 if duration == 0 else min(1.0, simulated / duration))


class Text:
    """Writes lines to a stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, elapsed: Quantity, completed: float, start: Quantity, duration: Quantity) -> None:
        if completed == 0.0:
            line = f"Starting simulation at t={start} for a duration of {duration}"
        else:
            line = f"{duration * completed} ({100 * completed:.0f}%) simulated in {float(elapsed):.3g} s"
            if completed < 1.0 - 1e-9:
                line += f", about {float(elapsed) / completed * (1 - completed):.3g} s remaining"
        print(line, file=self._stream, flush=True)


class Bar:
    """A Rich progress bar, in a terminal or a notebook; it appears only if the run takes a while."""

    def __init__(self, duration: float) -> None:
        self._progress: Any = None
        self._task: Any = None
        self._duration = duration
        self._began = time.perf_counter()

    def update(self, completed: float) -> None:
        """Move the bar."""
        if self._progress is None:
            if time.perf_counter() - self._began < 0.3:
                return
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

            self._progress = Progress(
                TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
                TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
            )  # fmt: skip
            self._progress.start()
            self._task = self._progress.add_task(f"simulating {self._duration:g} s", total=1.0)
        self._progress.update(self._task, completed=completed)

    def close(self, simulated: float) -> None:
        """Finish the bar."""
        if self._progress is not None:
            self._progress.update(self._task, completed=min(1.0, simulated / self._duration))
            self._progress.stop()


def make_report(report: Any, period: float, start: float, duration: float) -> Report:
    """The report that the argument `report` of `run` asks for."""
    match report:
        case None | False:
            return Silent()
        case "bar":
            return Bar(duration)
        case "text" | "stdout":
            return Calls(Text(sys.stdout), period, start, duration)
        case "stderr":
            return Calls(Text(sys.stderr), period, start, duration)
    if callable(report):
        return Calls(report, period, start, duration)
    raise SetupError(f"report has to be 'text', 'stderr', 'bar' or a function, not {report!r}")
