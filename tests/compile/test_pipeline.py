import numpy as np
import pytest
from programs import call, random_arrays, random_program, same_bits

from eccles.compile import cache as disk
from eccles.compile import ir, llvm, pipeline
from eccles.compile.ir import F64, I64, Buffer, Element, Local, Op, Return, Store, const
from eccles.compile.pipeline import PASSES, assembly_text, compile_program, llvm_text, optimise
from eccles.errors import InternalError

X = Buffer("x", Element.F64, 0)


def returning(number: int) -> ir.Program:
    return ir.Program("run", (X,), (Return(const(number)),))


@pytest.fixture(autouse=True)
def own_caches(tmp_path, monkeypatch):
    monkeypatch.setenv("ECCLES_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(pipeline, "_in_memory", type(pipeline._in_memory)())
    monkeypatch.setenv("ECCLES_VERIFY", "1")
    return tmp_path / "cache"


@pytest.fixture
def builds(monkeypatch) -> list[ir.Program]:
    """The programs that were truly compiled."""
    made: list[ir.Program] = []
    build = llvm.build

    def noted(program, target):
        made.append(program)
        return build(program, target)

    monkeypatch.setattr(llvm, "build", noted)
    return made


def test_a_program_is_compiled_once_per_process(builds):
    assert compile_program(returning(5)) is compile_program(returning(5))
    assert len(builds) == 1


def test_a_program_is_compiled_once_per_machine(builds):
    assert compile_program(returning(5))(0) == 5
    pipeline._in_memory.clear()
    assert compile_program(returning(5))(0) == 5
    assert len(builds) == 1


def test_different_programs_are_kept_apart(builds):
    assert [compile_program(returning(k))(0) for k in (1, 2, 1, 2)] == [1, 2, 1, 2]
    assert len(builds) == 2


def test_programs_that_differ_in_names_alone_share_their_code(builds):
    def adding(array: str, local: str) -> ir.Program:
        number = Local(local, I64)
        return ir.Program("run", (Buffer(array, Element.F64, 0),), (ir.Let(number, const(7)), Return(number)))

    assert compile_program(adding("neurons.v", "n")) is compile_program(adding("neurons_1.v", "m"))
    assert len(builds) == 1


def test_portable_and_fused_code_are_kept_apart(builds):
    if not llvm.host_target().fma:
        pytest.skip("the same on this CPU")
    x = ir.Load(X, const(0))
    program = ir.Program("run", (X,), (Store(X, const(1), Op("fmuladd", (x, x, const(-1.0)))),))
    results = []
    for portable in True, False:
        array = np.array([1 + 2.0**-30, 0.0])
        call(compile_program(program, portable=portable), [array])
        results.append(array[1])
    assert results == [2.0**-29, 2.0**-29 + 2.0**-60]
    assert len(builds) == 2


def test_without_caches_every_call_compiles(builds, own_caches):
    for _ in range(2):
        assert compile_program(returning(5), cache=False)(0) == 5
    assert len(builds) == 2
    assert not own_caches.exists()


def test_a_spoilt_file_is_compiled_anew(builds, own_caches):
    compile_program(returning(5))
    (file,) = own_caches.iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    pipeline._in_memory.clear()
    assert compile_program(returning(5))(0) == 5
    assert len(builds) == 2
    assert disk.read(file.stem) is not None


def test_code_of_another_emitter_or_llvm_is_not_used(builds, monkeypatch):
    compile_program(returning(5))
    monkeypatch.setattr(llvm, "version", lambda: "another")
    compile_program(returning(5))
    monkeypatch.setattr(pipeline, "_compiler_version", lambda: "another")
    compile_program(returning(5))
    assert len(builds) == 3


def test_the_version_of_the_emitter_follows_its_source(monkeypatch):
    before = pipeline._compiler_version.__wrapped__()
    monkeypatch.setattr(pipeline.pkgutil, "get_data", lambda package, file: b"changed")
    assert pipeline._compiler_version.__wrapped__() != before


def test_a_limited_number_of_programs_stays_in_memory(monkeypatch, builds):
    monkeypatch.setattr(pipeline, "KEPT", 2)
    first = compile_program(returning(1))
    for number in 2, 3:
        compile_program(returning(number))
    assert len(pipeline._in_memory) == 2
    assert first(0) == 1, "a program that is still held goes on working"
    assert compile_program(returning(1))(0) == 1
    assert len(builds) == 3, "and what was dropped comes from the disk"


def test_a_folder_that_cannot_be_used_does_not_stop_compilation(monkeypatch, tmp_path, builds):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ECCLES_CACHE_DIR", str(tmp_path / "file"))
    assert compile_program(returning(5))(0) == 5


def test_passes_are_checked_in_tests_and_not_in_production(monkeypatch):
    wrong = Store(X, const(0), Local("nothing", F64))

    def spoil(program: ir.Program) -> ir.Program:
        return ir.Program(program.name, program.buffers, (*program.body, wrong))

    monkeypatch.setattr(pipeline, "PASSES", (("spoil", spoil),))
    with pytest.raises(InternalError, match="after 'spoil'"):
        optimise(returning(1))
    monkeypatch.delenv("ECCLES_VERIFY")
    assert optimise(returning(1)).body[-1] == wrong


def test_the_passes_are_listed_in_order():
    assert [name for name, _ in PASSES] == ["fuse loops", "move invariants"]


def test_compiled_programs_do_what_they_did_before_the_caches():
    for seed in range(3):
        program, results = random_program(seed), []
        for _ in range(3):  # compiled, from memory, from disk
            arrays = random_arrays(seed, 7)
            code = call(compile_program(program), arrays)
            results.append((code, arrays))
            if len(results) == 2:
                pipeline._in_memory.clear()
        for code, arrays in results[1:]:
            assert code == results[0][0]
            assert all(same_bits(a, b) for a, b in zip(arrays, results[0][1], strict=True))


def test_text_for_llvm_and_as_assembly():
    text = llvm_text(random_program(1))
    assert "define i64 @run(ptr noalias readonly %table)" in text
    assert llvm.host_target().triple in text
    assert "llvm.fma" not in llvm_text(random_program(1), portable=True)
    assembly = assembly_text(random_program(1))
    assert "run:" in assembly
    assert "ret" in assembly
    assert assembly_text(returning(77), portable=True).count("77") >= 1


def test_integers_of_numpy_are_no_literals():
    with pytest.raises(InternalError, match="no Python number"):
        const(np.int64(3))
    assert const(np.float64(3)).type is F64
    assert const(3).type is I64
