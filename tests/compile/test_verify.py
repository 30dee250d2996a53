from dataclasses import replace

import pytest
from programs import random_program

from eccles.compile import ir
from eccles.compile.ir import (
    BOOL,
    F64,
    I64,
    Append,
    Buffer,
    Call,
    Const,
    Element,
    For,
    Function,
    If,
    Let,
    Load,
    Local,
    Op,
    Program,
    Return,
    SetVar,
    Store,
    Var,
    VectorFor,
    While,
    const,
)
from eccles.compile.verify import verify
from eccles.errors import InternalError

X, K = Buffer("x", Element.F64, 0), Buffer("k", Element.I64, 1)
A, B, N, IDX, FLAG = (
    Local("a", F64), Local("b", F64), Local("n", I64), Local("i", I64), Local("flag", BOOL),
)  # fmt: skip
COUNT = Local("count", I64)
ONE, TRUE = const(1.0), const(True)
P = Local("p", F64)
TWICE = Function("twice", (P,), (), Op("fadd", (P, P)))
LOOPING = Function("looping", (P,), (Var(A, P), While(Op("flt", (A, ONE)), (SetVar(A, ONE),))), A)


def program(*body: ir.Stmt) -> Program:
    return Program("run", (X, K), body)


def vector(*body: ir.Stmt) -> VectorFor:
    return VectorFor(IDX, const(3), body)


def in_function(*body: ir.Stmt) -> Let:
    return Let(B, Call(Function("broken", (P,), body, P), (ONE,)))


def test_random_programs_are_well_formed():
    for seed in range(50):
        verify(random_program(seed))


def test_the_message_names_the_pass():
    with pytest.raises(InternalError, match="malformed program after 'fuse loops': 'a' is used"):
        verify(program(Let(B, A)), "fuse loops")


MALFORMED = {
    "no name for a program": Program("run me", (), ()),
    "buffers do not have the slots": Program("run", (X, replace(K, slot=2)), ()),
    "two buffers have the same name": Program("run", (X, replace(K, name="x")), ()),
    "'x y' is no name": Program("run", (replace(X, name="x y"),), ()),
    # names
    "'a(1)' is no name": program(Let(Local("a(1)", F64), ONE)),
    "'a' is used, but not defined as f64": program(Let(B, A)),
    "'n' is used, but not defined as f64": program(Let(N, const(1)), Let(B, Local("n", F64))),
    "'a' is used, but not defined as f64 ": program(If(TRUE, (Let(A, ONE),)), Store(X, const(0), A)),
    "'i' is used, but not defined as i64": program(vector(), Let(N, IDX)),
    "'a' is defined twice": program(Let(A, ONE), Let(A, ONE)),
    "'a' is defined twice ": program(If(TRUE, (Let(A, ONE),), (Var(A, ONE),))),
    "'i' is defined twice": program(For(IDX, const(0), const(1), (vector(),))),
    "'a' is assigned to, but is no variable": program(Let(A, ONE), SetVar(A, ONE)),
    "'a' is f64, not i64": program(Var(A, ONE), SetVar(Local("a", I64), const(1))),
    # types
    "f64 expected, but found i64": program(Let(A, const(1))),
    "f64 expected, but found bool": program(Var(A, TRUE)),
    "f64 expected, but found i64 ": program(Var(A, ONE), SetVar(A, const(1))),
    "i64 expected, but found f64": program(Let(A, Load(X, ONE))),
    "i64 expected, but found f64 ": program(Store(X, ONE, ONE)),
    "f64 expected, but found i64  ": program(Store(X, const(0), const(1))),
    "i64 expected, but found f64  ": program(Return(ONE)),
    "bool expected, but found i64": program(If(const(1), ())),
    "bool expected, but found f64": program(While(ONE, ())),
    "i64 expected, but found f64   ": program(For(IDX, ONE, const(1), ())),
    "i64 expected, but found bool": program(For(IDX, const(0), TRUE, ())),
    "i64 expected, but found f64    ": program(VectorFor(IDX, ONE, ())),
    # expressions
    "there is no operation 'fsin'": program(Let(A, Op("fsin", (ONE,)))),
    "fadd takes 2 arguments, not 1": program(Let(A, Op("fadd", (ONE,)))),
    "fadd needs f64, but got i64": program(Let(A, Op("fadd", (ONE, const(1))))),
    "select needs f64, but got i64": program(Let(A, Op("select", (TRUE, ONE, const(1))))),
    "the constant 1 is not f64": program(Let(A, Const(1, F64))),
    "the constant True is not i64": program(Let(N, Const(True, I64))),
    "does not fit 64 bits": program(Let(N, const(2**63))),
    "buffer other is not in the table": program(Let(A, Load(Buffer("other", Element.F64, 0), const(0)))),
    "buffer other is not in the table ": program(Store(Buffer("other", Element.F64, 2), const(0), ONE)),
    # functions
    "twice takes 1 arguments, not 2": program(Let(A, Call(TWICE, (ONE, ONE)))),
    "f64 expected, but found i64   ": program(Let(A, Call(TWICE, (const(1),)))),
    "there are two functions called twice": program(
        Let(A, Call(TWICE, (ONE,))), Let(B, Call(replace(TWICE, result=P), (ONE,)))
    ),
    "'a' is used, but not defined as f64  ": program(
        Let(A, ONE), Let(B, Call(Function("leaky", (P,), (), A), (ONE,)))
    ),
    "a store in a function": program(in_function(Store(X, const(0), P))),
    "a load in a function": program(in_function(Let(A, Load(X, const(0))))),
    "a return where none may be": program(in_function(Return(const(1)))),
    "For in a function": program(in_function(For(IDX, const(0), const(1), ()))),
    "VectorFor in a function": program(in_function(vector())),
    "'twice!(' is no name": program(Let(A, Call(replace(TWICE, name="twice!("), (ONE,)))),
    # vector loops
    "If inside a vector loop": program(vector(If(TRUE, ()))),
    "While inside a vector loop": program(vector(While(TRUE, ()))),
    "For inside a vector loop": program(vector(For(N, const(0), const(1), ()))),
    "VectorFor inside a vector loop": program(vector(VectorFor(N, const(1), ()))),
    "a return where none may be ": program(vector(Return(const(1)))),
    "looping is not straight-line": program(vector(Let(B, Call(LOOPING, (ONE,))))),
    "'a' of outside is assigned to in a vector loop": program(Var(A, ONE), vector(SetVar(A, ONE))),
    "a scattered store to x": program(vector(Store(X, Op("imul", (IDX, const(2))), ONE))),
    "a scattered store to x ": program(vector(Store(X, Op("iadd", (IDX, Load(K, IDX))), ONE))),
    "a scattered store to x  ": program(
        vector(Let(N, Op("imul", (IDX, IDX))), Store(X, Op("iadd", (IDX, N)), ONE))
    ),
    "a scattered store to x   ": program(
        vector(Var(N, const(1)), Store(X, Op("iadd", (IDX, N)), ONE))
    ),
    "a scattered store to x    ": program(vector(Store(X, const(0), ONE))),
    "x is stored to at two indices": program(
        vector(Store(X, IDX, ONE), Store(X, Op("iadd", (IDX, const(1))), ONE))
    ),
    "x is read at one index and written at another": program(
        vector(Store(X, IDX, Load(X, Op("iadd", (IDX, const(1))))))
    ),
    "a prefetch where none may be": program(vector(ir.Prefetch(X, IDX))),
    "a prefetch where none may be ": program(in_function(ir.Prefetch(X, const(0)))),
    "i64 expected, but found bool ": program(ir.Prefetch(X, TRUE)),
    # appends
    "an append outside a vector loop": program(Var(COUNT, const(0)), Append(K, COUNT, COUNT, TRUE)),
    "the count 'count' of an append is no integer variable of outside": program(
        vector(Var(COUNT, const(0)), Append(K, COUNT, IDX, TRUE))
    ),
    "'count' is assigned to, but is no variable": program(
        Let(COUNT, const(0)), vector(Append(K, COUNT, IDX, TRUE))
    ),
    "the count 'a' of an append is no integer variable": program(
        Var(A, ONE), vector(Append(K, A, IDX, TRUE))
    ),
    "an append to x, which does not hold integers": program(
        Var(COUNT, const(0)), vector(Append(X, COUNT, IDX, TRUE))
    ),
    "i64 expected, but found f64     ": program(Var(COUNT, const(0)), vector(Append(K, COUNT, ONE, TRUE))),
    "bool expected, but found f64 ": program(Var(COUNT, const(0)), vector(Append(K, COUNT, IDX, ONE))),
    "k is appended to and used otherwise": program(
        Var(COUNT, const(0)), vector(Append(K, COUNT, Load(K, IDX), TRUE))
    ),
    "k is appended to and used otherwise ": program(
        Var(COUNT, const(0)), Var(N, const(0)), vector(Append(K, COUNT, IDX, TRUE), Append(K, N, IDX, TRUE))
    ),
    "the count 'count' has two uses": program(
        Var(COUNT, const(0)), vector(Append(K, COUNT, COUNT, TRUE))
    ),
}  # fmt: skip


@pytest.mark.parametrize("message", MALFORMED)
def test_malformed_program_is_refused(message):
    with pytest.raises(InternalError) as caught:
        verify(MALFORMED[message])
    assert message.strip() in caught.value.message


def test_what_a_vector_loop_may_hold():
    verify(program(
        Var(COUNT, const(0)), Let(N, const(5)),
        vector(
            Var(A, Load(X, Op("iadd", (N, IDX)))), SetVar(A, Op("fadd", (A, ONE))),
            Let(FLAG, Op("flt", (Call(TWICE, (A,)), ONE))),
            Store(X, Op("iadd", (N, IDX)), A), Append(K, COUNT, IDX, FLAG),
        ),
        Return(COUNT),
    ))  # fmt: skip
