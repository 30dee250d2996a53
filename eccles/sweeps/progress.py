"""How far a sweep has come, on stderr."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

__all__ = ["Progress"]

PATIENCE = 1.0  # seconds after which a bar appears where none was asked for


class Progress:
    """A bar with the time left; a context.

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
        self._done = 0
        self._began = time.perf_counter()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Progress:
        if self._shown:
            self._start()
        return self

    def add(self, n: int) -> None:
        """So many conditions more are done."""
        self._done += n
        late = time.perf_counter() - self._began > PATIENCE
        if self._bar is None and self._shown is None and late and sys.stderr.isatty():
            self._start()
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)

    def _start(self) -> None:
        from rich import progress
        from rich.console import Console

        self._bar = progress.Progress(
            progress.TextColumn("sweep"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("conditions"),
            progress.TimeElapsedColumn(),
            progress.TextColumn("left"),
            progress.TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._bar.start()
        self._task = self._bar.add_task("sweep", total=self._n, completed=self._done)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
