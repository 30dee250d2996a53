"""Running a user's script as `python script.py` would, with short tracebacks."""

from __future__ import annotations

import builtins
import linecache
import os
import sys
import sysconfig
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType, ModuleType, TracebackType

from eccles.errors import EcclesError, InternalError

__all__ = ["execute", "report"]

# where code is that is not the user's
_PACKAGE = str(Path(__file__).resolve().parent.parent) + os.sep
_LIBRARIES = (
    *{sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")},
)
HAS_NOT = "Eccles stands in for Brian 2 here and does not have this part of it."
TRY_BRIAN2 = "A script for Brian 2 runs with `eccles run --brian2 script.py`, the option before the script."


def execute(path: Path, arguments: Sequence[str]) -> None:
    """Run a script as the main program: its `__name__`, `__file__`, `sys.argv` and `sys.path[0]` are its own.

    Everything that the script raises comes out of here; `report` shows it.
    """
    file = str(path.absolute())
    code = compile(path.read_bytes(), file, "exec")
    module = ModuleType("__main__")
    module.__dict__.update(__file__=file, __builtins__=builtins)
    kept = sys.modules.get("__main__"), sys.argv, sys.path[0]
    sys.modules["__main__"] = module
    sys.argv = [str(path), *arguments]
    sys.path[0] = str(path.resolve().parent)
    try:
        exec(code, module.__dict__)
    finally:
        main, sys.argv, sys.path[0] = kept
        if main is not None:
            sys.modules["__main__"] = main


def report(error: BaseException, brian2: bool = False) -> str:
    """What to show of an error that a script ended with.

    Errors of Eccles say all in their message: they are shown with the line of the script that led to them.
    Others get Python's traceback without the frames that are not the user's. With ECCLES_TRACEBACK=1, and
    for bugs in Eccles, nothing is left out.

    Parameters
    ----------
    error : exception
    brian2 : bool
        Whether `import brian2` meant Eccles.
    """
    if os.environ.get("ECCLES_TRACEBACK") == "1" or isinstance(error, InternalError):
        return "".join(traceback.format_exception(error))
    if isinstance(error, EcclesError):
        place = _users_line(error.__traceback__)
        return f"{type(error).__name__}: {error}\n" + (f"\n  {place}\n" if place else "")
    told = traceback.TracebackException.from_exception(error)
    text = "".join(_without_our_frames(told).format())
    if isinstance(error, ImportError) and (error.name or "").split(".")[0] == "brian2":
        text += f"\n  {HAS_NOT if brian2 else TRY_BRIAN2}\n"
    return text


def _users_line(trace: TracebackType | None) -> str:
    """The innermost line of the user's own code: file, number and text."""
    place = ""
    while trace is not None:
        if _is_users(trace.tb_frame):
            name, number = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            place = f"{name}, line {number}\n    {linecache.getline(name, number).strip()}"
        trace = trace.tb_next
    return place


def _is_users(frame: FrameType) -> bool:
    filename = frame.f_code.co_filename
    return not _is_ours(filename) and not filename.startswith(_LIBRARIES)


def _is_ours(filename: str) -> bool:
    return filename.startswith((_PACKAGE, "<frozen"))


def _without_our_frames(told: traceback.TracebackException) -> traceback.TracebackException:
    """The same without the frames of Eccles, in causes and contexts too."""
    waiting: list[traceback.TracebackException | None] = [told]
    while waiting:
        one = waiting.pop()
        if one is not None:
            one.stack = traceback.StackSummary.from_list([f for f in one.stack if not _is_ours(f.filename)])
            waiting += [one.__cause__, one.__context__]
    return told
