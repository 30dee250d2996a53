import os
import subprocess
import sys
from dataclasses import replace

from programs import random_program

from eccles import Network, NeuronGroup, SpikeMonitor, ms
from eccles.compile import ir
from eccles.compile.ir import F64, I64, Buffer, Call, Element, Function, Let, Local, Op, Store, const
from eccles.compile.pipeline import optimise
from eccles.compile.text import show, show_unnamed

X = Buffer("x", Element.F64, 0)
P, Q = Local("p", F64), Local("q", F64)


def storing(value: ir.Expr) -> ir.Program:
    return ir.Program("run", (X,), (Store(X, const(0), value),))


def test_every_statement_has_its_line():
    i, j, count, n = (Local(name, I64) for name in ("i", "j", "count", "n"))
    v, w = Local("v", F64), Local("w", F64)
    ids = Buffer("ids", Element.I32, 1)
    twice = Function("twice", (P,), (Let(Q, Op("fadd", (P, P))),), Q)
    flag = Op("flt", (v, const(0.5)))
    program = ir.Program("run", (X, ids), (
        Let(n, const(3)),
        ir.Var(count, const(0)),
        ir.VectorFor(
            i, n, (Let(v, Call(twice, (ir.Load(X, i),))), ir.Append(ids, count, i, flag)), padded=False
        ),
        ir.For(j, const(0), n, (Store(X, j, const(-0.0)),)),
        ir.Var(w, const(1.0)),
        ir.While(Op("flt", (w, const(2.0))), (ir.SetVar(w, Op("fadd", (w, w))),)),
        ir.If(Op("igt", (count, n)), (ir.Return(const(1)),), (Store(X, const(0), w),), likely=False),
    ))  # fmt: skip
    assert (
        show(program)
        == """\
function twice(p: f64)
  q: f64 = (fadd p p)
  return q

program run
  0: x f64
  1: ids i32
begin
  n: i64 = 3
  var count: i64 = 0
  vector for i to n exact
    v: f64 = (twice! x[i])
    append i to ids at count if (flt v 0x1.0000000000000p-1)
  for j from 0 to n
    x[j] := -0x0.0p+0
  var w: f64 = 0x1.0000000000000p+0
  while (flt w 0x1.0000000000000p+1)
    w := (fadd w w)
  if (igt count n) unlikely
    return 1
  else
    x[0] := w
end
"""
    )


def test_different_programs_have_different_texts():
    half = Function("f", (P,), (), Op("fmul", (P, const(0.5))))
    programs = [
        storing(const(0.0)), storing(const(-0.0)), storing(const(0.1)), storing(const(0.1 + 2**-56)),
        storing(Call(half, (const(1.0),))), storing(Call(replace(half, result=P), (const(1.0),))),
        replace(storing(const(0.0)), name="other"), ir.Program("run", (replace(X, element=Element.F32),), ()),
        ir.Program("run", (X,), ()),
        *[random_program(seed) for seed in range(20)],
    ]  # fmt: skip
    assert len({show(p) for p in programs}) == len(programs)


def test_a_function_comes_before_the_program_and_once():
    inner = Function("inner", (P,), (), Op("fneg", (P,)))
    outer = Function("outer", (P,), (), Call(inner, (Call(inner, (P,)),)))
    text = show(storing(Op("fadd", (Call(outer, (const(1.0),)), Call(outer, (const(2.0),))))))
    assert text.count("function outer") == text.count("function inner") == 1
    assert text.index("function inner") < text.index("program run")


def a_small_model() -> Network:
    equations = "dv/dt = (10*mV - v) / (20*ms) : volt (unless refractory)"
    group = NeuronGroup(
        3, equations, threshold="v > 9*mV", reset="v = 0*mV", refractory=2 * ms, method="euler", name="cells"
    )
    return Network(group, SpikeMonitor(group, name="spikes"), spike_times="grid")


def test_the_program_of_a_small_model(golden):
    network = a_small_model()
    network.run(1 * ms)
    golden("small_model.ir", show(optimise(network.loop.program)))


PRINT = """
import sys
sys.path.insert(0, sys.argv[1])
import test_text
from eccles import ms
from eccles.compile.pipeline import llvm_text
network = test_text.a_small_model()
network.run(1 * ms)
print(llvm_text(network.loop.program))
"""


def test_the_text_is_the_same_in_every_process():
    def run(seed: str) -> str:
        command = [sys.executable, "-c", PRINT, os.path.dirname(__file__)]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout

    text = run("1")
    assert "define i64 @run" in text
    assert run("2") == text


def test_without_names_renamed_programs_give_the_same_text_and_others_do_not():
    def copying(a: str, b: str, p: str, q: str, *, back: bool = False) -> ir.Program:
        arrays = Buffer(a, Element.F64, 0), Buffer(b, Element.F64, 1)
        first, second = Local(p, F64), Local(q, F64)
        source, target = arrays[::-1] if back else arrays
        body = (
            Let(first, ir.Load(source, const(0))),
            Let(second, Op("fsub", (first, const(1.0)))),
            Store(target, const(0), Op("fsub", (second, first))),
        )
        return ir.Program("run", arrays, body)

    text = show_unnamed(copying("a", "b", "p", "q"))
    assert text == show_unnamed(copying("c", "a", "q", "z"))
    assert text != show_unnamed(copying("a", "b", "p", "q", back=True))
    assert text != show_unnamed(copying("a", "b", "p", "p"))
