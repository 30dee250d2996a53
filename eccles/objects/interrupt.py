"""Ctrl-C during a run: the first asks it to stop in good order, the second stops at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

__all__ = ["Interrupt"]


class Interrupt:
    """A context in which the first Ctrl-C only sets `requested`.

    Native code knows no signals: Python's handler runs when a slice has returned. An exception there
    could come between a step and the note of it, so the handler raises none; the run looks at
    `requested` where it can stop. A second Ctrl-C raises `KeyboardInterrupt`. Outside the main thread,
    and where somebody else handles the signal, nothing is changed.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: Any = None

    def __enter__(self) -> Interrupt:
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            self._previous = signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True

    def __exit__(self, *exception: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
