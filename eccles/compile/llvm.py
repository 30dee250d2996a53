"""From LLVM IR to machine code. The only importer of llvmlite.

What LLVM's passes cost and bring: docs/notes/0001-pass-pipeline.md.
"""

from __future__ import annotations

import ctypes
import threading
from dataclasses import replace
from functools import cache

import llvmlite
import llvmlite.binding as llvm

from eccles.compile import ir
from eccles.compile.emit import emit
from eccles.compile.writer import Target
from eccles.errors import InternalError

__all__ = ["NativeCode", "assembly", "build", "build_text", "host_target", "load", "version"]

_lock = threading.Lock()  # LLVM's global state is touched by one thread at a time


def version() -> str:
    """What made the code: two versions may make different machine code of the same text."""
    return f"{llvmlite.__version__}|{'.'.join(map(str, llvm.llvm_version_info))}"


@cache
def _initialise() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


@cache
def host_target(portable: bool = False) -> Target:
    """The CPU of this machine; a portable program gives the same bits on every CPU."""
    _initialise()
    triple, cpu = llvm.get_process_triple(), llvm.get_host_cpu_name()
    try:
        table = llvm.get_host_cpu_features()
    except RuntimeError:  # LLVM cannot ask every CPU; its name alone then says what it can do
        table = llvm.FeatureMap()
    if table.get("avx512f") and table.get("avx512dq"):
        lanes = 8
    elif table.get("avx2"):
        lanes = 4
    else:
        lanes = 2  # SSE2 and NEON, which every 64-bit x86 and ARM has
    fma = bool(table.get("fma")) or triple.startswith(("aarch64", "arm64"))
    target = Target(triple, cpu, table.flatten() if table else "", "", lanes, fma and not portable)
    return replace(target, layout=str(_machine(target).target_data))


def _machine(target: Target) -> llvm.TargetMachine:
    return llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu, features=target.features, opt=2, reloc="default", codemodel="jitdefault", jit=True
    )


def _optimised(text: str, machine: llvm.TargetMachine) -> llvm.ModuleRef:
    try:
        module = llvm.parse_assembly(text)
        module.verify()  # 1 % of the time; what is wrong would end the process in the code generator
    except RuntimeError as error:
        raise InternalError(f"LLVM does not understand the code made for this model: {error}") from None
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    passes = llvm.create_new_function_pass_manager()
    passes.add_sroa_pass()
    for function in module.functions:
        if not function.is_declaration:
            passes.run(function, builder)
    return module


class NativeCode:
    """A compiled program: call it with the address of the table of buffers.

    Keeps LLVM's execution engine alive: without it the code would be gone.
    """

    def __init__(self, engine: llvm.ExecutionEngine, name: str) -> None:
        self._engine = engine
        address = engine.get_function_address(name)
        if not address:
            raise InternalError(f"LLVM has no function '{name}'")
        # a CFUNCTYPE call releases the interpreter's lock
        self._function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(address)
        self.address: int = address

    def __call__(self, table: int) -> int:
        return self._function(table)


def build(program: ir.Program, target: Target) -> tuple[NativeCode, bytes]:
    """Compile; also returns the object code, for the cache."""
    return build_text(program.name, emit(program, target), target)


def build_text(name: str, text: str, target: Target) -> tuple[NativeCode, bytes]:
    """Compile a function of LLVM IR that takes one pointer and returns a number."""
    with _lock:
        machine = _machine(target)
        engine = llvm.create_mcjit_compiler(_optimised(text, machine), machine)
        objects: list[bytes] = []
        engine.set_object_cache(lambda _, data: objects.append(data))
        engine.finalize_object()
        if not objects:  # Ctrl-C came while LLVM called back: Python can only print an exception there
            raise KeyboardInterrupt
        return NativeCode(engine, name), objects.pop()


def load(name: str, code: bytes, target: Target) -> NativeCode:
    """A program from object code of `build`."""
    with _lock:
        module = llvm.parse_assembly(f"declare i64 @{name}(ptr)")
        engine = llvm.create_mcjit_compiler(module, _machine(target))
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        return NativeCode(engine, name)


def assembly(program: ir.Program, target: Target) -> str:
    """Machine code as text."""
    text = emit(program, target)
    with _lock:
        machine = _machine(target)
        return machine.emit_assembly(_optimised(text, machine))
