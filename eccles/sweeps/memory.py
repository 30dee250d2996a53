"""Whether the results of a sweep fit into memory, said before it runs."""

from __future__ import annotations

import os
import sys
from typing import Any

from eccles.errors import SetupError

__all__ = ["check_memory", "machine_memory"]

SHARE = 0.8  # of the machine's memory that results may take


def machine_memory() -> int | None:
    """Bytes of memory of this machine; None where it cannot be known."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def _windows_memory() -> int | None:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong), ("load", ctypes.c_ulong), ("total", ctypes.c_ulonglong),
            *((f"other{k}", ctypes.c_ulonglong) for k in range(6)),
        )  # fmt: skip

    status = Status()
    status.length = ctypes.sizeof(Status)
    kernel: Any = getattr(ctypes, "windll").kernel32  # noqa: B009  (only Windows has it)
    return int(status.total) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else None


def check_memory(n_conditions: int, per_condition: int, limit: int | None) -> None:
    """Raise if the results of all conditions take more memory than allowed.

    Parameters
    ----------
    per_condition : int
        Bytes of results of one condition.
    limit : int, optional
        In bytes; by default most of what the machine has.

    Raises
    ------
    SetupError
        If they do not fit.
    """
    if limit is None:
        machine = machine_memory()
        limit = None if machine is None else int(SHARE * machine)
    needed = n_conditions * per_condition
    if limit is not None and needed > limit:
        raise SetupError(
            f"the results of {n_conditions} conditions would take about {_size(needed)} of memory "
            f"({_size(per_condition)} each), and {_size(limit)} are allowed",
            hint='Write them to disk: out="results.zarr". Or record less: final values, counts, means, or '
            "every n-th step.",
        )


def _size(n: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if n < 1000:
            return f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:.3g} TB"
