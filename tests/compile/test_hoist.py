import numpy as np
import pytest
from programs import run_interpreted, spare

from eccles.compile import ir
from eccles.compile.ir import (
    F64,
    I64,
    Buffer,
    Element,
    If,
    Let,
    Load,
    Local,
    Op,
    SetVar,
    Store,
    Var,
    While,
    const,
)
from eccles.compile.passes.hoist import hoist
from eccles.compile.text import show
from eccles.compile.verify import verify

PARAMETER, STATE, NUMBERS = (
    Buffer("parameter", Element.F64, 0), Buffer("state", Element.F64, 1), Buffer("numbers", Element.I64, 2),
)  # fmt: skip
BUFFERS = (PARAMETER, STATE, NUMBERS)
N, IDX, J, STEP = Local("n", I64), Local("i", I64), Local("j", I64), Local("step", I64)
A, B = Local("a", F64), Local("b", F64)
SIZE = Let(N, Load(NUMBERS, const(0)))


def times(a: ir.Expr, b: ir.Expr) -> ir.Expr:
    return Op("fmul", (a, b))


def hoisted(*body: ir.Stmt, n: int = 3) -> str:
    """The text after the pass, which has to leave the results as they were."""
    program = ir.Program("run", BUFFERS, (SIZE, *body))
    verify(program)
    arrays = [spare([1.5, 2.5, 3.5], float), spare([0.0, 0.0, 0.0], float), spare([n, 2, 0], np.int64)]
    result = hoist(program)
    verify(result)
    _, expected = run_interpreted(program, arrays)
    _, found = run_interpreted(result, arrays)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    return show(result).split("begin\n")[1]


def steps(*body: ir.Stmt, rounds: int = 2) -> tuple[ir.Stmt, ...]:
    """A loop over time."""
    going = Op("ilt", (STEP, const(rounds)))
    return Var(STEP, const(0)), While(going, (*body, SetVar(STEP, Op("iadd", (STEP, const(1))))))


def vector(*body: ir.Stmt) -> ir.VectorFor:
    return ir.VectorFor(IDX, N, body)


def test_an_invariant_leaves_all_loops():
    value = times(Load(PARAMETER, const(0)), const(2.0))
    text = hoisted(*steps(vector(Store(STATE, IDX, value))))
    assert text.splitlines()[2].endswith("(fmul parameter[0] 0x1.0000000000000p+1)")
    assert "state[i] := fixed@1" in text


def test_a_value_of_the_step_stays_in_the_loop_over_steps():
    text = hoisted(*steps(vector(Store(STATE, IDX, times(Op("itof", (STEP,)), const(0.1))))))
    assert (
        "  while (ilt step 2)\n    fixed@1: f64 = (fmul (itof step) 0x1.999999999999ap-4)\n    vector" in text
    )


def test_parts_leave_as_many_loops_as_each_may():
    fixed = times(Load(PARAMETER, const(0)), const(3.0))
    text = hoisted(*steps(vector(Store(STATE, IDX, times(fixed, Op("itof", (STEP,)))))))
    assert "  fixed@1: f64 = (fmul parameter[0] 0x1.8000000000000p+1)\n  while" in text
    assert "    fixed@2: f64 = (fmul fixed@1 (itof step))\n    vector" in text


def test_loads_from_a_buffer_that_is_stored_to_stay():
    text = hoisted(*steps(ir.For(J, const(0), N, (Store(STATE, J, Load(STATE, const(0))),))))
    assert "state[j] := state[0]" in text


def test_a_load_stays_in_the_branch_that_guards_its_index():
    index = Local("index", I64)
    guarded = If(Op("ilt", (index, N)), (Store(STATE, J, Load(PARAMETER, index)),))
    text = hoisted(Let(index, Op("imul", (N, const(10**6)))), ir.For(J, const(0), N, (guarded,)))
    assert "      state[j] := parameter[index]" in text


def test_a_call_that_loops_stays_in_the_branch_that_makes_it_finite():
    p, k = Local("p", F64), Local("k", F64)
    body = (Var(k, const(0.0)), While(Op("flt", (k, p)), (SetVar(k, Op("fadd", (k, const(1.0)))),)))
    function = ir.Function("count_up", (p,), body, k)
    bound = Local("bound", F64)
    guarded = If(Op("flt", (bound, const(5.0))), (Store(STATE, J, ir.Call(function, (bound,))),))
    text = hoisted(
        Let(bound, times(Load(PARAMETER, const(0)), const(1.0))), ir.For(J, const(0), N, (guarded,))
    )
    assert "      state[j] := (count_up! bound)" in text


def test_arithmetic_leaves_branches_too():
    text = hoisted(
        Let(A, Load(PARAMETER, const(1))),
        ir.For(J, const(0), N, (If(Op("ieq", (J, const(1))), (Store(STATE, J, times(A, A)),)),)),
    )
    assert "  fixed@1: f64 = (fmul a a)\n  for" in text


def test_what_leaves_a_loop_in_a_branch_stays_in_the_branch():
    text = hoisted(
        Let(A, Load(PARAMETER, const(1))),
        If(Op("igt", (N, const(1))), (Let(B, times(A, A)), vector(Store(STATE, IDX, times(B, A))))),
        If(Op("igt", (N, const(2))), (ir.VectorFor(J, N, (Store(STATE, J, times(times(A, A), A)),)),)),
    )
    first, second = text.split("  if ")[1:]
    assert "    fixed@1: f64 = (fmul b a)\n    vector" in first
    assert "fixed@1" not in second


@pytest.mark.parametrize("n", [0, 1])
def test_equal_expressions_get_one_name_but_zero_and_minus_zero_differ(n):
    def of(zero: float) -> ir.Expr:
        fixed = Op("fdiv", (const(1.0), times(Load(PARAMETER, const(0)), const(zero))))
        return times(fixed, Op("itof", (IDX,)))

    text = hoisted(vector(Store(STATE, IDX, Op("fadd", (of(0.0), of(0.0))))), n=n)
    assert text.count("0x0.0p+0") == 1
    text = hoisted(vector(Store(STATE, IDX, Op("fmax", (of(0.0), of(-0.0))))), n=n)
    assert text.count("0x0.0p+0") == 2


def test_a_name_defined_in_a_loop_means_what_moved_out_of_it():
    text = hoisted(vector(Let(A, times(Load(PARAMETER, const(0)), const(2.0))), Store(STATE, IDX, A)))
    assert "state[i] := fixed@1" in text
    assert "a: f64" not in text


def test_a_variable_stays_in_the_loops_that_change_it():
    k = Local("k", F64)
    advance = SetVar(k, Op("fadd", (k, const(1.0))))
    text = hoisted(Var(k, const(1.0)), ir.For(J, const(0), N, (Store(STATE, J, times(k, k)), advance)))
    assert "state[j] := (fmul k k)" in text


def test_an_expression_of_a_variable_is_not_used_again_after_it_changed():
    k, q = Local("k", F64), Local("q", I64)
    advance = SetVar(k, Op("fadd", (k, const(1.0))))
    first = ir.For(J, const(0), const(2), (Store(STATE, J, times(k, k)),))
    second = ir.For(IDX, const(1), N, (Store(STATE, IDX, times(k, k)),))
    text = hoisted(Var(k, const(1.0)), ir.For(q, const(0), const(2), (first, advance, second)))
    assert text.count("(fmul k k)") == 2


def test_an_expression_of_a_variable_is_not_known_from_the_branch_before():
    k = Local("k", F64)
    change = If(Op("igt", (N, const(2))), (SetVar(k, const(5.0)),))
    first = ir.For(J, const(0), const(2), (Store(STATE, J, times(k, k)),))
    second = ir.For(IDX, const(1), N, (Store(STATE, IDX, times(k, k)),))
    text = hoisted(Var(k, const(1.0)), first, change, second)
    assert text.count("(fmul k k)") == 2


def test_what_moves_keeps_off_a_loop_that_never_runs():
    hoisted(ir.For(J, const(0), N, (Store(STATE, J, Load(PARAMETER, Op("isub", (N, N)))),)), n=0)


def test_a_user_who_calls_a_variable_fixed_gets_it():
    name = Local("fixed.1", F64)
    hoisted(
        vector(Let(name, Load(PARAMETER, IDX)), Store(STATE, IDX, times(name, Load(PARAMETER, const(0)))))
    )
