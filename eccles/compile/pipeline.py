"""The passes in order, and compilation with both caches."""

from __future__ import annotations

import hashlib
import os
import pkgutil
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cache as once
from typing import Protocol

from eccles.compile import cache as disk
from eccles.compile import ir
from eccles.compile.passes.fuse import fuse
from eccles.compile.passes.hoist import hoist
from eccles.compile.text import show_unnamed
from eccles.compile.writer import Target

__all__ = [
    "PASSES",
    "NativeProgram",
    "assembly_text",
    "compile_program",
    "compile_text",
    "llvm_text",
    "optimise",
]

PASSES: tuple[tuple[str, Callable[[ir.Program], ir.Program]], ...] = (
    ("fuse loops", fuse),
    ("move invariants", hoist),
)
KEPT = 64  # programs in memory


class NativeProgram(Protocol):
    """Machine code: called with an address, it returns the number of an outcome."""

    address: int  # where it begins

    def __call__(self, table: int, /) -> int: ...


_in_memory: OrderedDict[str, NativeProgram] = OrderedDict()
_lock = threading.Lock()  # guards _in_memory


def optimise(program: ir.Program) -> ir.Program:
    """The program after all passes; checked before and after each with ECCLES_VERIFY=1."""
    if os.environ.get("ECCLES_VERIFY") != "1":
        for _, transform in PASSES:
            program = transform(program)
        return program
    from eccles.compile.verify import verify  # only tests pay for it

    verify(program)
    for name, transform in PASSES:
        program = transform(program)
        verify(program, stage=name)
    return program


def compile_program(program: ir.Program, *, portable: bool = False, cache: bool = True) -> NativeProgram:
    """Machine code for a program.

    Parameters
    ----------
    portable : bool
        The same bits on every CPU: no fused multiply-add.
    cache : bool
        Whether to look in, and add to, the caches in memory and on disk.

    Returns
    -------
    callable
        Takes the address of the table of buffers; returns the number of an outcome.
    """
    if os.environ.get("ECCLES_VERIFY") == "1":
        optimise(program)  # checks it, whatever the caches hold
    from eccles.compile import llvm  # costs some 30 ms

    target = llvm.host_target(portable)
    if not cache:
        return llvm.build(optimise(program), target)[0]
    # before the passes: they need not run for what is known
    parts = (_compiler_version(), llvm.version(), repr(target), show_unnamed(program))
    return _cached(program.name, parts, target, lambda: llvm.build(optimise(program), target))


def compile_text(name: str, text: str) -> NativeProgram:
    """Machine code for a function written in LLVM IR, which takes a pointer and returns a number."""
    from eccles.compile import llvm

    target = llvm.host_target(False)
    parts = (llvm.version(), repr(target), text)
    return _cached(name, parts, target, lambda: llvm.build_text(name, text, target))


def _cached(
    name: str, parts: tuple[str, ...], target: Target, build: Callable[[], tuple[NativeProgram, bytes]]
) -> NativeProgram:
    """The code that these parts determine, from a cache or newly built."""
    from eccles.compile import llvm

    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    with _lock:
        native = _in_memory.get(key)
        if native is not None:
            _in_memory.move_to_end(key)
            return native
    code = disk.read(key)
    if code is not None:
        native = llvm.load(name, code, target)
    else:
        native, code = build()
        disk.write(key, code)
    with _lock:
        _in_memory[key] = native
        if len(_in_memory) > KEPT:
            _in_memory.popitem(last=False)
    return native


@once
def _compiler_version() -> str:
    """Changes whenever the same IR might give other machine code."""
    digest = hashlib.sha256()
    passes = [f"passes/{transform.__module__.rpartition('.')[2]}.py" for _, transform in PASSES]
    for file in ("emit.py", "llvm.py", "writer.py", "pipeline.py", *passes):
        digest.update(pkgutil.get_data("eccles.compile", file) or b"")
    return digest.hexdigest()


def llvm_text(program: ir.Program, *, portable: bool = False) -> str:
    """LLVM IR of a program, before LLVM's own passes."""
    from eccles.compile import emit, llvm

    return emit.emit(optimise(program), llvm.host_target(portable))


def assembly_text(program: ir.Program, *, portable: bool = False) -> str:
    """Machine code of a program, as text."""
    from eccles.compile import llvm

    return llvm.assembly(optimise(program), llvm.host_target(portable))
