"""Native code against the interpreter, bit for bit."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import (
    FLOATS,
    INTEGERS,
    assert_same,
    random_arrays,
    random_program,
    run_interpreted,
    run_native,
    same_bits,
    spare,
)

from eccles.compile import elementary, ir, llvm
from eccles.compile.emit import FEW, MANY, emit
from eccles.compile.ir import (
    BOOL,
    F64,
    I64,
    OPERATIONS,
    Append,
    Buffer,
    Element,
    For,
    If,
    Let,
    Load,
    Local,
    Op,
    Return,
    SetVar,
    Store,
    Var,
    VectorFor,
    While,
    const,
)  # fmt: skip
from eccles.compile.pipeline import PASSES
from eccles.compile.verify import verify

PORTABLE = llvm.host_target(portable=True)
BASELINE = replace(PORTABLE, cpu="x86-64", features="", lanes=2)
NOTHING = const(0)
IDX, N, COUNT = Local("i", I64), Local("n", I64), Local("count", I64)
X, Y = Buffer("x", Element.F64, 0), Buffer("y", Element.F64, 1)
IDS, SIZES = Buffer("ids", Element.I32, 2), Buffer("sizes", Element.I64, 3)
SIZE = Let(N, Load(SIZES, const(0)))


def on_x86() -> bool:
    return PORTABLE.triple.startswith("x86_64")


def check(*body: ir.Stmt, n: int = 11, result: ir.Expr = NOTHING) -> list[np.ndarray]:
    """Native and interpreted results are equal; returns the arrays."""
    program = ir.Program("run", (X, Y, IDS, SIZES), (SIZE, *body, Return(result)))
    verify(program)
    x = np.random.default_rng(3).normal(size=max(n, 0))
    arrays = [spare(x, np.float64), spare(np.zeros(len(x)), np.float64),
              spare(np.full(2 * len(x), -1), np.int32), spare([n], np.int64)]  # fmt: skip
    expected = run_interpreted(program, arrays)
    found = run_native(program, arrays, PORTABLE)
    assert found[0] == expected[0]
    for a, b in zip(found[1], expected[1], strict=True):
        assert same_bits(a[: len(a) - ir.VECTOR_PADDING], b[: len(b) - ir.VECTOR_PADDING])
    return expected[1]


# -- random programs --------------------------------------------------------------------------------


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32), n=st.integers(1, 20))
def test_random_programs_give_the_same_bits_before_and_after_the_passes(seed, n):
    program, arrays = random_program(seed), random_arrays(seed, n)
    verify(program)
    expected = run_interpreted(program, arrays)
    assert_same(run_native(program, arrays), expected, n)
    for name, transform in PASSES:
        program = transform(program)
        verify(program, name)
        assert_same(run_interpreted(program, arrays), expected, n)
    assert_same(run_native(program, arrays), expected, n)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32), n=st.integers(1, 20))
def test_random_programs_with_fused_multiply_add_round_once(seed, n):
    program, arrays = random_program(seed), random_arrays(seed, n)
    target = llvm.host_target()
    expected = run_interpreted(program, arrays, "fused" if target.fma else "separate")
    assert_same(run_native(program, arrays, target), expected, n)


@pytest.mark.skipif(not on_x86(), reason="the baseline is that of x86")
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), n=st.integers(1, 20))
def test_random_programs_run_on_the_oldest_cpu_with_the_same_bits(seed, n):
    program, arrays = random_program(seed), random_arrays(seed, n)
    assert_same(run_native(program, arrays, BASELINE), run_interpreted(program, arrays), n)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), n=st.integers(1, 20))
def test_random_programs_give_the_same_bits_if_functions_are_called(seed, n):
    program, arrays = random_program(seed), random_arrays(seed, n)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("eccles.compile.emit.MANY", 0)
        found = run_native(program, arrays)
    assert_same(found, run_interpreted(program, arrays), n)


@pytest.mark.slow
@given(seed=st.integers(0, 2**32), n=st.integers(1, 40))
@settings(max_examples=500)
def test_many_random_programs(seed, n):
    program, arrays = random_program(seed), random_arrays(seed, n)
    expected = run_interpreted(program, arrays)
    for _, transform in PASSES:
        program = transform(program)
        verify(program)
    assert_same(run_native(program, arrays), expected, n)


# -- every operation --------------------------------------------------------------------------------

SAMPLES = {F64: [*FLOATS, 2.5, -3.5, 1e17, -7.25, 2.0**62], I64: INTEGERS, BOOL: [False, True]}


@pytest.mark.parametrize("op", [o for o in OPERATIONS if o != "bits"])
@pytest.mark.parametrize("lanes", ["one", "many"])
def test_operation_on_all_edge_cases(op, lanes):
    wanted, result = OPERATIONS[op]
    types = [t or F64 for t in wanted]
    cases = list(itertools.product(*[SAMPLES[t] for t in types]))
    if len(cases) > 600:
        cases = [cases[k] for k in np.random.default_rng(1).permutation(len(cases))[:600]]
    element = {F64: Element.F64, I64: Element.I64, BOOL: Element.U8}
    dtype = {F64: np.float64, I64: np.int64, BOOL: np.uint8}
    inputs = [Buffer(f"in{k}", element[t], k) for k, t in enumerate(types)]
    out = Buffer("out", element[result or F64], len(inputs))
    values = Op(op, tuple(Load(b, IDX) for b in inputs))
    body = (Store(out, IDX, values),)
    n = const(len(cases))
    loop = For(IDX, const(0), n, body) if lanes == "one" else VectorFor(IDX, n, body)
    program = ir.Program("run", (*inputs, out), (loop,))
    verify(program)
    arrays = [spare([c[k] for c in cases], dtype[t]) for k, t in enumerate(types)]
    arrays.append(spare(np.zeros(len(cases)), dtype[result or F64]))
    for target, fma in (PORTABLE, "separate"), (llvm.host_target(), "fused"):
        if op != "fmuladd" or target.fma == (fma == "fused"):
            _, found = run_native(program, arrays, target)
            _, expected = run_interpreted(program, arrays, fma)
            assert same_bits(found[-1][: len(cases)], expected[-1][: len(cases)])


def test_bits_of_a_double_are_its_pattern():
    pattern = Op("bits", (Load(X, IDX),))
    (x, y, *_) = check(
        VectorFor(IDX, N, (Store(Y, IDX, Op("frombits", (Op("ixor", (pattern, const(1))),))),))
    )
    assert np.array_equal(x.view(np.int64)[:11] ^ 1, y.view(np.int64)[:11])


# -- loops ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [-9, -1, 0, 1, 7, 8, 9, 16, 21])
@pytest.mark.parametrize("padded", [True, False])
def test_vector_loops_of_any_length(n, padded):
    double = Store(Y, IDX, Op("fadd", (Load(X, IDX), Load(X, IDX))))
    positive = Append(IDS, COUNT, IDX, Op("fgt", (Load(X, IDX), const(0.0))))
    check(Var(COUNT, const(0)), VectorFor(IDX, N, (double, positive), padded), n=n, result=COUNT)


def test_an_unpadded_loop_writes_nothing_behind_its_end():
    (_, y, *_) = check(VectorFor(IDX, const(9), (Store(Y, IDX, const(1.0)),), padded=False), n=20)
    assert y[9:].max() == 0


def test_the_padding_of_a_padded_loop_is_never_appended():
    arrays = check(
        Var(COUNT, const(0)), VectorFor(IDX, N, (Append(IDS, COUNT, IDX, const(True)),)), result=COUNT
    )
    assert arrays[2][:12].tolist() == [*range(11), -1]


@pytest.mark.parametrize("padded", [True, False])
def test_two_lists_made_in_one_loop(padded):
    other = Local("other", I64)
    low, high = Op("flt", (Load(X, IDX), const(0.0))), Op("fgt", (Load(X, IDX), const(0.0)))
    body = (Append(IDS, COUNT, IDX, low), Append(SIZES, other, IDX, high))
    program = ir.Program(
        "run", (X, Y, IDS, SIZES),
        (SIZE, Var(COUNT, const(0)), Var(other, const(0)), VectorFor(IDX, N, body, padded), Return(other)),
    )  # fmt: skip
    x = np.random.default_rng(4).normal(size=11)
    arrays = [
        spare(x, np.float64),
        spare([], np.float64),
        spare(x * 0, np.int32),
        spare(x * 0 + 11, np.int64),
    ]
    _, (_, _, lows, highs) = run_native(program, arrays)
    assert lows[: (x < 0).sum()].tolist() == np.flatnonzero(x < 0).tolist()
    assert highs[: (x > 0).sum()].tolist() == np.flatnonzero(x > 0).tolist()


def test_an_appended_value_that_all_elements_share_can_be_used_again():
    shared = Local("shared", I64)
    check(
        Let(shared, Op("imul", (N, const(3)))),
        Var(COUNT, const(0)),
        VectorFor(IDX, N, (
            Append(IDS, COUNT, shared, Op("fgt", (Load(X, IDX), const(0.0)))),
            Store(Y, IDX, Op("itof", (Op("iadd", (shared, IDX)),))),
        )),
        result=COUNT,
    )  # fmt: skip


def test_gathers_and_offsets():
    two = Local("two", I64)
    back = Op("isub", (Op("isub", (N, const(1))), IDX))
    check(
        Let(two, const(2)),
        VectorFor(
            IDX, Op("isub", (N, two)), (Store(Y, Op("iadd", (two, IDX)), Load(X, back)),), padded=False
        ),
    )


def test_a_value_is_read_again_after_a_store():
    first = Load(X, const(0))  # one node, used twice
    check(Store(Y, const(0), first), Store(X, const(0), const(7.0)), Store(Y, const(1), first))


def test_a_variable_is_read_again_after_an_assignment_in_a_branch_or_loop():
    k, j = Local("k", I64), Local("j", I64)
    tripled = Op("imul", (k, const(3)))  # one node, used everywhere
    grow = SetVar(k, Op("iadd", (tripled, const(1))))
    check(
        Var(k, const(1)),
        If(Op("igt", (tripled, const(2))), (grow,), (Store(Y, const(0), const(1.0)),)),
        While(Op("ilt", (tripled, const(100))), (grow,)),
        For(j, const(0), const(2), (grow,)),
        result=tripled,
    )


def test_returning_from_inside_of_loops():
    j, k = Local("j", I64), Local("k", I64)
    leave = If(Op("ieq", (Op("imul", (j, k)), const(6))), (Return(Op("iadd", (j, const(100)))),))
    check(For(j, const(0), const(5), (For(k, const(0), const(5), (leave,)),)))


def test_what_follows_a_return_is_never_run():
    check(Return(const(3)), Store(Y, const(0), const(1.0)))


def test_two_loops_with_variables_of_their_own():
    k = Local("k", F64)
    more = SetVar(k, Op("fadd", (k, Load(X, IDX))))
    check(VectorFor(IDX, N, (Var(k, const(0.5)), more, more, Store(Y, IDX, k)), padded=False))


def test_functions_are_expanded_with_their_own_values():
    p, k = Local("p", F64), Local("k", F64)
    body = (
        Var(k, p),
        While(Op("flt", (k, const(10.0))), (SetVar(k, Op("fadd", (Op("fmul", (k, k)), const(1.0)))),)),
    )
    grow = ir.Function("grow", (p,), body, k)
    call = ir.Call(grow, (ir.Call(grow, (Load(X, const(1)),)),))
    check(Store(Y, const(0), call), Store(Y, const(1), ir.Call(grow, (const(0.5),))))


@pytest.mark.parametrize("n", [1, 13])
def test_a_function_of_many_calls_is_called_and_not_expanded(n):
    p, q = Local("p", F64), Local("q", F64)
    inner = ir.Function("inner", (q,), (), Op("fadd", (q, const(1.0))))
    shared = ir.Function("many", (p, N), (), Op("fmul", (ir.Call(inner, (p,)), Op("itof", (N,)))))

    def calls(start: ir.Expr, times: int) -> ir.Expr:
        value = start
        for number in range(times):
            value = ir.Call(shared, (value, const(number)))
        return value

    in_lanes = VectorFor(
        IDX, N, (Store(Y, IDX, Op("fadd", (calls(Load(X, IDX), MANY - 3), calls(const(2.0), 4)))),)
    )
    program = ir.Program("run", (X, Y, IDS, SIZES), (SIZE, in_lanes))
    text = emit(program, PORTABLE)
    assert text.count("define internal fastcc") == 2, "for single values and for vectors"
    assert text.count("call fastcc") == MANY + 1
    check(in_lanes, n=n)


def test_the_same_call_in_many_places_is_one_call():
    call = ir.Call(elementary.exp, (Load(X, const(0)),))
    again = Op("fmul", (call, ir.Call(elementary.exp, (Load(X, const(0)),))))
    for _ in range(4):
        again = Op("fadd", (again, again))
    text = emit(ir.Program("run", (X, Y), (Store(Y, const(0), again),)), PORTABLE)
    assert "fastcc" not in text
    assert text.count("load double") == 1


def test_a_function_with_loops_can_be_called_in_many_places():
    p, k = Local("p", F64), Local("k", F64)
    body = (Var(k, p), While(Op("flt", (k, const(10.0))), (SetVar(k, Op("fadd", (k, const(1.5)))),)))
    grow = ir.Function("grow", (p,), body, k)
    calls = [Store(Y, const(j), ir.Call(grow, (Load(X, const(j)),))) for j in range(MANY + 1)]
    check(*calls, n=MANY + 1)
    program = ir.Program("run", (X, Y, IDS, SIZES), tuple(calls))
    assert emit(program, PORTABLE).count("call fastcc") == MANY + 1
    assert "fastcc" not in emit(ir.Program("run", (X, Y), tuple(calls[:MANY])), PORTABLE)


# -- elements do not depend on where they are -------------------------------------------------------


@given(n=st.integers(1, 40), shift=st.integers(0, 17), padded=st.booleans())
@settings(max_examples=15)
def test_bits_of_an_element_depend_neither_on_its_place_nor_on_the_number_of_elements(n, shift, padded):
    first = Local("first", I64)
    at = Op("iadd", (IDX, first))
    x = Load(X, at)
    value = Op("fmuladd", (ir.Call(elementary.exp, (x,)), x, Op("fdiv", (const(1.0), x))))
    body = (SIZE, Let(first, Load(SIZES, const(1))), VectorFor(IDX, N, (Store(Y, at, value),), padded))
    program = ir.Program("run", (X, Y, IDS, SIZES), body)
    values = np.random.default_rng(5).normal(size=80)

    def run(n: int, first: int) -> np.ndarray:
        arrays = [spare(values, np.float64), spare(np.zeros(80), np.float64), spare([], np.int32),
                  spare([n, first], np.int64)]  # fmt: skip
        return run_native(program, arrays, llvm.host_target())[1][1][first : first + n]

    whole = run(80, 0)
    assert same_bits(run(n, shift), whole[shift : shift + n])


# -- the text ---------------------------------------------------------------------------------------


def test_the_same_program_always_gives_the_same_text():
    for seed in range(5):
        assert emit(random_program(seed), PORTABLE) == emit(random_program(seed), PORTABLE)


def test_no_fast_math_flag_is_ever_set():
    text = "".join(emit(random_program(seed), llvm.host_target()) for seed in range(20))
    assert not any(
        f" {flag} " in text for flag in ("fast", "reassoc", "contract", "arcp", "afn", "nnan", "nsz")
    )
    assert " fadd " in text


def test_a_portable_program_has_no_fused_operation():
    program = ir.Program("run", (X,), (Store(X, const(0), Op("fmuladd", (Load(X, const(0)),) * 3)),))
    assert "llvm.fma" not in emit(program, PORTABLE)
    if llvm.host_target().fma:
        assert "llvm.fma.f64" in emit(program, llvm.host_target())


@pytest.mark.parametrize("n_loops", [1, FEW, FEW + 1])
@pytest.mark.parametrize("n", [0, 1, 8, 13])
def test_vector_loops_run_wherever_their_tests_stand(n_loops, n):
    k = [Local(f"k{j}", I64) for j in range(n_loops)]
    loops = [VectorFor(i, N, (Store(Y, i, Op("fadd", (Load(Y, i), Load(X, i)))),)) for i in k]
    found = check(*loops, n=n)
    np.testing.assert_allclose(found[1][:n], n_loops * found[0][:n])
