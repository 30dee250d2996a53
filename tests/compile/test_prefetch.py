"""A prefetch changes nothing but time."""

from __future__ import annotations

import numpy as np
import pytest

from eccles.compile import ir
from eccles.compile.interpret import interpret
from eccles.compile.ir import Element, Op
from eccles.compile.pipeline import compile_program, llvm_text
from eccles.compile.text import show
from eccles.compile.verify import verify
from eccles.engine.state import Array
from eccles.errors import InternalError

ORDER = ir.Buffer("order", Element.I32, 0)
VALUES = ir.Buffer("values", Element.F64, 1)
K = ir.Local("k", ir.I64)


def doubling(*, ahead: int | None, n: int) -> ir.Program:
    """`values[order[k]] *= 2`, with a look at what comes `ahead`."""
    at = ir.Local("at", ir.I64)
    body: list[ir.Stmt] = [ir.Let(at, ir.Load(ORDER, K))]
    if ahead is not None:
        body.append(ir.Prefetch(VALUES, ir.Load(ORDER, Op("iadd", (K, ir.const(ahead))))))
    body.append(ir.Store(VALUES, at, Op("fmul", (ir.Load(VALUES, at), ir.const(2.0)))))
    return ir.Program("doubling", (ORDER, VALUES), (ir.For(K, ir.const(0), ir.const(n), tuple(body)),))


def arrays(n: int) -> tuple[Array, Array]:
    order, values = Array("order", Element.I32, n), Array("values", Element.F64, n)
    order.data[:] = np.random.default_rng(1).permutation(n)
    values.data[:] = np.arange(n)
    return order, values


def test_native_code_with_prefetch_gives_what_it_gives_without():
    outcomes = []
    for ahead in (None, 24):
        order, values = arrays(100)
        table = np.array([order.address, values.address], np.uint64)
        assert compile_program(doubling(ahead=ahead, n=100))(table.ctypes.data) == 0
        outcomes.append(values.data.copy())
    np.testing.assert_array_equal(outcomes[0], outcomes[1])
    np.testing.assert_array_equal(outcomes[1], 2.0 * np.arange(100))


def test_the_interpreter_does_not_look_ahead():
    order, values = arrays(10)
    interpret(doubling(ahead=24, n=10), [order.data, values.data])  # its index would be out of range
    np.testing.assert_array_equal(values.data, 2.0 * np.arange(10))


def test_a_prefetch_is_shown_and_emitted():
    program = doubling(ahead=24, n=10)
    verify(program)
    assert "prefetch values[order[(iadd k 24)]]" in show(program)
    assert "call void @llvm.prefetch.p0" in llvm_text(program)


def test_a_prefetch_in_a_vector_loop_is_refused():
    loop = ir.VectorFor(K, ir.const(8), (ir.Prefetch(VALUES, K),))
    with pytest.raises(InternalError, match="prefetch"):
        verify(ir.Program("bad", (ORDER, VALUES), (loop,)))
