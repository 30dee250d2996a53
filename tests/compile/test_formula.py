"""Formulas become IR functions."""

from __future__ import annotations

import numpy as np
from elementwise import native

from eccles.compile import ir
from eccles.compile.formula import Value, call, define, fma, literal, select
from eccles.compile.ir import F64, I64, Let, Local, Op, const

X, N = Local("x", F64), Local("n", I64)


def test_a_formula_becomes_its_expression() -> None:
    half = define("half", lambda x: x * 0.5, x=F64)
    assert (half.params, half.body, half.result) == ((X,), (), Op("fmul", (X, const(0.5))))


def test_a_value_that_is_used_twice_is_bound_once() -> None:
    def formula(x: Value) -> Value:
        y = x + 1
        return y * y

    function = define("squared", formula, x=F64)
    bound = Local("t1", F64)
    assert function.body == (Let(bound, Op("fadd", (X, const(1.0)))),)
    assert function.result == Op("fmul", (bound, bound))


def test_shared_parts_are_bound_in_the_order_of_their_use() -> None:
    def formula(x: Value) -> Value:
        for _ in range(50):
            x = x + x  # 2^50 additions, were they not shared
        return x

    function = define("doubled", formula, x=F64)
    assert len(function.body) == 49
    assert native(function, 3.0, portable=True)[0] == 3 * 2.0**50


def test_numbers_take_the_type_of_what_they_meet() -> None:
    assert define("f", lambda n: 1 + n, n=I64).result == Op("iadd", (const(1), N))
    assert define("f", lambda x: 1 - x, x=F64).result == Op("fsub", (const(1.0), X))
    assert define("f", lambda n: n & (1 << 63), n=I64).result == Op("iand", (N, const(-(2**63))))
    assert define("f", lambda x: select(x < 1, x, 0), x=F64).result.type is F64
    assert literal(2**64 - 1, I64).expr == const(-1)


def test_operators_do_what_they_say() -> None:
    def formula(x: Value, n: Value) -> Value:
        quotient = abs(-x) / 2 + 6 / x - fma(x, 2, 1)
        whole = (((n << 3) >> 1) ^ 5) | 64
        in_order = (x >= 1) & ~(x > 9) | n.equals(0) & (x <= 2)
        return select(in_order, quotient, select((n < 3) ^ (x < 0), -1.0, Value(Op("itof", (whole.expr,)))))

    x, n = np.array([1.5, -2.0, 12.0, 1.0, 10.0, -10.0]), np.array([1, 0, 2, 0, 9, 7])
    found = native(define("f", formula, x=F64, n=I64), x, n, portable=True)
    first = abs(x) / 2 + 6 / x - (2 * x + 1)
    assert found.tolist() == [first[0], first[1], -1.0, first[3], (9 * 4 ^ 5) | 64, -1.0]


def test_functions_can_call_functions() -> None:
    triple = define("triple", lambda x: 3 * x, x=F64)
    nine = define("nine", lambda x: call(triple, call(triple, x)), x=F64)
    assert ir.straight_line(nine)
    assert native(nine, 2.0, portable=True)[0] == 18
