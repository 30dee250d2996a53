import gc
import threading

import llvmlite.binding
import numpy as np
import pytest
from programs import call, random_program, spare

from eccles.compile import ir, llvm
from eccles.compile.ir import I64, Buffer, Element, For, Load, Local, Op, Return, Store, VectorFor, const
from eccles.compile.writer import Target
from eccles.errors import InternalError

X, SIZES = Buffer("x", Element.F64, 0), Buffer("sizes", Element.I64, 1)
IDX, K = Local("i", I64), Local("k", I64)


def adding(number: float) -> ir.Program:
    """Adds a number to all elements, as often as `sizes` says."""
    more = Store(X, IDX, Op("fadd", (Load(X, IDX), const(number))))
    loop = For(K, const(0), Load(SIZES, const(1)), (VectorFor(IDX, Load(SIZES, const(0)), (more,)),))
    return ir.Program("run", (X, SIZES), (loop, Return(const(int(number)))))


def run(native: llvm.NativeCode, times: int = 1, n: int = 5) -> tuple[int, np.ndarray]:
    arrays = [spare(np.zeros(n), np.float64), spare([n, times], np.int64)]
    return call(native, arrays), arrays[0][:n]


def test_object_code_runs_after_it_was_loaded_again():
    native, code = llvm.build(adding(3.0), llvm.host_target())
    again = llvm.load("run", code, llvm.host_target())
    for each in native, again:
        result, x = run(each)
        assert result == 3
        assert x.tolist() == [3.0] * 5


def test_the_same_program_gives_the_same_object_code():
    assert llvm.build(adding(1.0), llvm.host_target())[1] == llvm.build(adding(1.0), llvm.host_target())[1]


def test_object_code_without_the_function_is_refused():
    _, code = llvm.build(adding(1.0), llvm.host_target())
    with pytest.raises(InternalError, match="no function 'other'"):
        llvm.load("other", code, llvm.host_target())


def test_programs_run_on_while_others_are_dropped_and_made():
    """Code lives as long as its program, whatever is collected meanwhile."""
    kept, _ = llvm.build(adding(2.0), llvm.host_target())
    results: list[bool] = []

    def work() -> None:
        results.extend(run(kept, times=10_000, n=64)[1].tolist() == [20_000.0] * 64 for _ in range(20))

    worker = threading.Thread(target=work)
    worker.start()
    for number in range(12):
        dropped, _ = llvm.build(adding(float(number)), llvm.host_target())
        assert run(dropped)[0] == number
        del dropped
        gc.collect()
    worker.join()
    assert results == [True] * 20


def test_threads_compile_at_the_same_time():
    results: dict[int, tuple[int, np.ndarray]] = {}

    def work(number: int) -> None:
        results[number] = run(llvm.build(adding(float(number)), llvm.host_target())[0])

    workers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {number: (code, x[0]) for number, (code, x) in results.items()} == {k: (k, k) for k in range(4)}


UNDOMINATED = """
define i64 @run(ptr %table) {
entry:
  br i1 true, label %one, label %two
one:
  %x = add i64 1, 2
  br label %two
two:
  ret i64 %x
}
"""


@pytest.mark.parametrize("text", ["define nonsense", UNDOMINATED])
def test_code_that_llvm_does_not_understand_is_our_bug_not_a_crash(monkeypatch, text):
    monkeypatch.setattr(llvm, "emit", lambda program, target: text)
    with pytest.raises(InternalError, match="does not understand"):
        llvm.build(adding(1.0), llvm.host_target())


def test_a_portable_target_differs_in_fused_operations_alone():
    portable, host = llvm.host_target(portable=True), llvm.host_target()
    assert not portable.fma
    assert (portable.cpu, portable.features, portable.lanes) == (host.cpu, host.features, host.lanes)
    assert host.lanes in (2, 4, 8)
    assert host.layout.startswith("e")


@pytest.mark.parametrize(("feature", "lanes"), [("avx512f", 4), ("avx2", 2)])
def test_narrower_vectors_where_the_cpu_lacks_wide_ones(monkeypatch, feature, lanes):
    features = llvmlite.binding.FeatureMap(avx512f=True, avx512dq=True, avx2=True, fma=True)
    if feature == "avx2":
        features = llvmlite.binding.FeatureMap()
    else:
        features[feature] = False
    monkeypatch.setattr(llvmlite.binding, "get_host_cpu_features", lambda: features)
    target = llvm.host_target.__wrapped__()
    assert target.lanes == lanes
    assert target.fma == bool(features.get("fma")) or target.triple.startswith("aarch64")


def test_a_cpu_whose_features_are_unknown_is_taken_at_its_least(monkeypatch):
    def unknown() -> None:
        raise RuntimeError("no way to ask")

    monkeypatch.setattr(llvmlite.binding, "get_host_cpu_features", unknown)
    target = llvm.host_target.__wrapped__()
    assert (target.lanes, target.features) == (2, "")


@pytest.mark.parametrize(
    ("triple", "cpu", "fused"),
    [("aarch64-unknown-linux-gnu", "generic", "fmadd"), ("arm64-apple-darwin", "apple-m1", "fmadd")],
)
def test_assembly_for_arm(triple, cpu, fused):
    llvmlite.binding.initialize_all_targets()
    llvmlite.binding.initialize_all_asmprinters()
    try:
        llvmlite.binding.Target.from_triple(triple)
    except RuntimeError:
        pytest.skip("this llvmlite comes without the ARM back end")
    machine = llvmlite.binding.Target.from_triple(triple).create_target_machine(cpu=cpu)
    target = Target(triple, cpu, "", str(machine.target_data), lanes=2, fma=True)
    three = Op("fmuladd", (Load(X, const(0)), Load(X, const(1)), Load(X, const(2))))
    text = llvm.assembly(ir.Program("run", (X,), (Store(X, const(3), three),)), target)
    assert fused in text
    for seed in range(3):
        assert "ret" in llvm.assembly(random_program(seed), target)
    text = llvm.assembly(adding(1.0), target)
    assert "fadd\tv" in text or "fadd.2d" in text, "two doubles at once"


def test_ctrl_c_while_llvm_hands_over_its_code_is_not_lost(monkeypatch):
    def interrupted(engine, notify, get=None):
        pass  # Python prints an exception in a callback, and LLVM goes on without what it returns

    monkeypatch.setattr(llvmlite.binding.ExecutionEngine, "set_object_cache", interrupted)
    with pytest.raises(KeyboardInterrupt):
        llvm.build(adding(1.0), llvm.host_target())
