"""Run an IR function over arrays: compiled, as a vector loop, or interpreted."""

from __future__ import annotations

from functools import cache

import numpy as np

from eccles.compile import ir
from eccles.compile.interpret import interpret
from eccles.compile.ir import I64, Element
from eccles.compile.pipeline import NativeProgram, compile_program
from eccles.compile.verify import verify
from eccles.engine.state import Array


def element_of(type_: ir.Type) -> Element:
    return Element.I64 if type_ is I64 else Element.F64


def loop_over(function: ir.Function) -> ir.Program:
    """`result[i] = function(param[i], ...)` for i below `size[0]`; slots: params, result, size."""
    params = [ir.Buffer(p.name, element_of(p.type), slot) for slot, p in enumerate(function.params)]
    result = ir.Buffer("result", element_of(function.result.type), len(params))
    size = ir.Buffer("size", Element.I64, len(params) + 1)
    i, n = ir.Local("i", I64), ir.Load(size, ir.const(0))
    store = ir.Store(result, i, ir.Call(function, tuple(ir.Load(b, i) for b in params)))
    loop = ir.VectorFor(i, n, (store,)) if ir.straight_line(function) else ir.For(i, ir.const(0), n, (store,))
    program = ir.Program("elementwise", (*params, result, size), (loop,))
    verify(program)
    return program


@cache
def compiled(function: ir.Function, portable: bool) -> NativeProgram:
    return compile_program(loop_over(function), portable=portable)


def native(function: ir.Function, *args: np.ndarray | float | int, portable: bool) -> np.ndarray:
    """The function of arguments that are broadcast, by machine code."""
    columns = np.broadcast_arrays(*map(np.atleast_1d, args))
    n = len(columns[0])
    types = [p.type for p in function.params] + [function.result.type, I64]
    arrays = [Array("column", element_of(t), n) for t in types]
    for array, column in zip(arrays, [*columns, np.zeros(n), np.full(n, n)], strict=True):
        array.data[:] = column
    table = np.array([a.address for a in arrays], np.uintp)
    compiled(function, portable)(table.ctypes.data)
    return arrays[-2].data.copy()


def interpreted(function: ir.Function, *args: np.ndarray | float | int, fused: bool = False) -> np.ndarray:
    """The same by the interpreter."""
    columns = [np.array(c) for c in np.broadcast_arrays(*map(np.atleast_1d, args))]
    n = len(columns[0])
    result = np.zeros(n, np.int64 if function.result.type is I64 else np.float64)
    arrays = [*columns, result, np.array([n])]
    interpret(loop_over(function), arrays, fma="fused" if fused else "separate")
    return result


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal to the last bit and sign of zero; one NaN is as good as another."""
    nan = np.isnan(a)
    return np.array_equal(nan, np.isnan(b)) and np.array_equal(a[~nan].view(np.int64), b[~nan].view(np.int64))
