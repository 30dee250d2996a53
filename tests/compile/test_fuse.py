import numpy as np
from programs import run_interpreted, spare

from eccles.compile import ir
from eccles.compile.ir import (
    BOOL,
    F64,
    I64,
    Append,
    Buffer,
    Element,
    Let,
    Load,
    Local,
    Op,
    SetVar,
    Store,
    Var,
    const,
)
from eccles.compile.passes.fuse import fuse
from eccles.compile.verify import verify

V, W = Buffer("v", Element.F64, 0), Buffer("w", Element.F64, 1)
IDS, NUMBERS = Buffer("ids", Element.I32, 2), Buffer("numbers", Element.I64, 3)
BUFFERS = (V, W, IDS, NUMBERS)
N, IDX, J, COUNT = Local("n", I64), Local("i", I64), Local("j", I64), Local("count", I64)
SIZE = Let(N, Load(NUMBERS, const(0)))
COUNTING = Var(COUNT, const(0))


def plus(expr: ir.Expr, number: float) -> ir.Expr:
    return Op("fadd", (expr, const(number)))


def update(*body: ir.Stmt, local: Local = IDX) -> ir.VectorFor:
    return ir.VectorFor(local, N, body)


def loops(statements: tuple[ir.Stmt, ...]) -> list[ir.VectorFor]:
    return [s for s in statements if isinstance(s, ir.VectorFor)]


def fused(*body: ir.Stmt) -> list[ir.VectorFor]:
    """The loops after fusing, which has to leave the results as they were."""
    program = ir.Program("run", BUFFERS, (SIZE, *body))
    verify(program)
    arrays = [spare([1.0, 2.0, 3.0], float), spare([0.5, -1.0, 9.0], float), spare([0, 0, 0], np.int32),
              spare([3, 2, 1], np.int64)]  # fmt: skip
    result = fuse(program)
    verify(result)
    _, expected = run_interpreted(program, arrays)
    _, found = run_interpreted(result, arrays)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    return loops(result.body)


ADVANCE = update(Store(V, IDX, plus(Load(V, IDX), 1.0)))
THRESHOLD = update(Append(IDS, COUNT, J, Op("fgt", (Load(V, J), const(2.5)))), local=J)


def test_update_and_threshold_become_one_loop_that_loads_once():
    (loop,) = fused(ADVANCE, COUNTING, THRESHOLD, Store(NUMBERS, const(1), COUNT))
    append = loop.body[-1]
    assert isinstance(append, Append)
    (stored, _) = append.condition.args
    assert isinstance(stored, Local), "the value that was just stored is used without a load"


def test_a_definition_that_the_second_loop_needs_moves_up_with_it():
    shift = Local("shift", F64)
    second = update(Store(W, J, Op("fadd", (Load(V, J), shift))), local=J)
    assert len(fused(ADVANCE, Let(shift, Load(W, const(1))), second)) == 1


def test_a_definition_that_reads_what_the_first_loop_writes_stays_behind_it():
    shift = Local("shift", F64)
    second = update(Store(W, J, shift), local=J)
    assert len(fused(ADVANCE, Let(shift, Load(V, const(1))), second)) == 2


def test_a_definition_of_the_count_of_the_first_loop_stays_behind_it():
    found = Local("found", I64)
    second = update(Store(W, J, Op("itof", (found,))), local=J)
    first = update(Append(IDS, COUNT, IDX, Op("fgt", (Load(V, IDX), const(1.5)))))
    assert len(fused(COUNTING, first, Let(found, COUNT), second)) == 2


def test_a_value_read_before_the_second_loop_is_not_read_after_it():
    before = Local("before", F64)
    second = update(Store(W, J, const(7.0)), local=J)
    keep = Store(NUMBERS, const(1), Op("ftoi", (before,)))
    fused(ADVANCE, Let(before, Load(W, const(2))), second, keep)


def test_a_definition_does_not_overtake_a_store_to_what_it_loads():
    k = Local("k", I64)
    second = update(Store(W, J, Op("itof", (k,))), local=J)
    fused(ADVANCE, Store(NUMBERS, const(1), const(5)), Let(k, Load(NUMBERS, const(1))), second)


def test_a_definition_does_not_overtake_an_assignment_to_what_it_uses():
    k, mutable = Local("k", I64), Local("mutable", I64)
    second = update(Store(W, J, Op("itof", (k,))), local=J)
    fused(Var(mutable, const(1)), ADVANCE, SetVar(mutable, const(2)), Let(k, mutable), second)


def test_a_stored_variable_is_forwarded_as_it_was_when_stored():
    x = Local("x", F64)
    first = update(Var(x, Load(V, IDX)), Store(V, IDX, x), SetVar(x, const(100.0)), Store(W, IDX, x))
    second = update(Append(IDS, COUNT, J, Op("fgt", (Load(V, J), const(50.0)))), local=J)
    assert len(fused(COUNTING, first, second)) == 1


def test_a_loop_does_not_join_one_that_reads_the_count_it_changes():
    first = update(Store(W, IDX, Op("itof", (COUNT,))))
    second = update(Append(IDS, COUNT, J, const(True)), local=J)
    assert len(fused(COUNTING, first, second)) == 2


def test_loops_whose_elements_meet_stay_apart():
    index = Op("imod", (Op("iadd", (J, const(1))), N))
    second = update(Store(W, J, Load(V, index)), local=J)
    assert len(fused(ADVANCE, second)) == 2


def test_the_second_store_to_a_buffer_ends_forwarding():
    y = Local("y", F64)
    second = update(
        Store(V, J, plus(Load(V, J), 10.0)), Let(y, Load(V, J)), Store(W, J, y), local=J
    )  # fmt: skip
    assert len(fused(ADVANCE, second)) == 1


def test_narrow_elements_are_loaded_as_they_were_rounded():
    narrow = Buffer("narrow", Element.F32, 0)
    program = ir.Program(
        "run", (narrow, Buffer("w", Element.F64, 1), Buffer("numbers", Element.I64, 2)),
        (
            Let(N, Load(Buffer("numbers", Element.I64, 2), const(0))),
            update(Store(narrow, IDX, const(0.1))),
            update(Store(W, J, Load(narrow, J)), local=J),
        ),
    )  # fmt: skip
    arrays = [spare([0], np.float32), spare([0], np.float64), spare([1], np.int64)]
    _, (_, wide, _) = run_interpreted(fuse(program), arrays)
    assert wide[0] == np.float32(0.1)


def test_loops_fuse_inside_branches_and_loops():
    again = Local("again", BOOL)
    body = (ADVANCE, COUNTING, THRESHOLD)
    program = ir.Program("run", BUFFERS, (SIZE, Let(again, const(True)), ir.If(again, body)))
    branch = fuse(program).body[-1]
    assert isinstance(branch, ir.If)
    assert len(loops(branch.then)) == 1
