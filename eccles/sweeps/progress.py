"""How far a sweep has come, on stderr."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

__all__ = ["Progress", "clock"]

PATIENCE = 1.0  # seconds after which a bar appears where none was asked for
FIRST_LINE, LONGEST = 10.0, 600.0  # seconds: lines come after 10, 20, 40, 80 s..., and then every 10 min


class Progress:
    """A bar with the time left; a context. Where stderr is no terminal, a line now and then.

    Parameters
    ----------
    n : int
        The number of conditions.
    shown : bool, optional
        By default only where stderr is a terminal and the sweep takes a while.
    """

    def __init__(self, n: int, shown: bool | None = None) -> None:
        self._n = n
        self._shown = shown
        self._before = 0  # conditions that were there at the beginning: they say nothing of the time left
        self._done = 0
        self._began = self._reached = time.monotonic()
        self._next_line = self._wait = FIRST_LINE
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Progress:
        if self._shown:
            self._bar = self._make_bar()
        return self

    def begin_with(self, n: int) -> None:
        """So many conditions were there already."""
        self._before = n
        self.add(n)

    def add(self, n: int) -> None:
        """So many conditions more are done."""
        self._done += n
        self._reached = time.monotonic()
        elapsed = self._reached - self._began
        if self._bar is None and self._shown is None and elapsed > PATIENCE and sys.stderr.isatty():
            self._bar = self._make_bar()
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)
        elif self._shown and elapsed > self._next_line and self._done < self._n:
            self._next_line = elapsed + self._wait
            self._wait = min(2 * self._wait, LONGEST)
            print(f"{self._done} of {self._n} conditions: {self._times()}", file=sys.stderr, flush=True)

    def _times(self) -> str:
        """How long it took so far, and the time left, as text.

        That is judged by all conditions so far, not by the last seconds as Rich has it: some take minutes.
        """
        now, new = time.monotonic(), self._done - self._before
        elapsed = clock(now - self._began)
        if new == 0 or self._done == self._n:
            return elapsed
        left = (self._reached - self._began) / new * (self._n - self._done) - (now - self._reached)
        return f"{elapsed}, {clock(max(0.0, left))} left"

    def _make_bar(self) -> Any:
        """A bar that is shown already; None where nothing can be drawn."""
        from rich import progress
        from rich.console import Console
        from rich.table import Column
        from rich.text import Text

        times = self._times

        class Times(progress.ProgressColumn):
            def render(self, task: progress.Task) -> Text:
                return Text(times())

        console = Console(stderr=True)
        if not (sys.stderr.isatty() and console.is_interactive) and not console.is_jupyter:
            return None
        bar = progress.Progress(
            progress.BarColumn(),
            progress.MofNCompleteColumn(table_column=Column(no_wrap=True)),
            progress.TextColumn("conditions:", table_column=Column(no_wrap=True)),
            Times(table_column=Column(no_wrap=True)),
            console=console,
            redirect_stdout=sys.stdout.isatty(),  # what goes to a file has to get there
        )
        bar.start()
        self._task = bar.add_task("", total=self._n, completed=self._done)
        return bar

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def clock(seconds: float) -> str:
    """A time to read: '42 s', '3 min 20 s', '5 h 12 min'."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
