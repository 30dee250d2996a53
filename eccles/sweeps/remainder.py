"""What is left of a model function when an error stops it: whether there was another `run` to come."""

from __future__ import annotations

import dis
from types import CodeType, TracebackType

__all__ = ["runs_later"]


def runs_later(trace: TracebackType | None) -> bool:
    """Whether a function that an error has ended was within a `run`, or could have come to another one.

    Parameters
    ----------
    trace : traceback
        Of the error.
    """
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        ours = name == "eccles" or (name.startswith("eccles.") and not name.startswith("eccles.lab"))
        code = trace.tb_frame.f_code
        if code.co_name == "run" if ours else _runs_behind(code, trace.tb_lasti):
            return True
        trace = trace.tb_next
    return False


def _runs_behind(code: CodeType, position: int) -> bool:
    """Whether code behind a position, or at the start of a loop around it, calls something named `run`."""
    instructions = list(dis.get_instructions(code))
    starts = [
        i.argval for i in instructions
        if i.offset > position and "JUMP_BACKWARD" in i.opname and i.argval <= position
    ]  # fmt: skip
    first = min([position + 1, *starts])
    return any(i.offset >= first and i.argval == "run" and "LOAD" in i.opname for i in instructions)
