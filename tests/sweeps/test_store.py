from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
from hypothesis import given
from hypothesis import strategies as st

from eccles.errors import InternalError, RunError, SetupError
from eccles.results.dataset import assemble
from eccles.results.files import open_sweep
from eccles.results.layout import Axis, Coordinate, Field, Piece
from eccles.sweeps import store as store_module
from eccles.sweeps.store import Store, block_of, box_of, divide

posix = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL, no fork")

RATE = Axis("rate", {"rate": Coordinate(np.array([20.0, 0.1 + 0.2, 250.0]), "Hz")})
PAIR = Axis(
    "pair",
    {
        "rule": Coordinate(np.array(["stdp", "", "größer", "x"])),
        "weight": Coordinate(np.array([0.5, -0.0, 1e-300, 2.0]), "V"),
        "plastic": Coordinate(np.array([True, False, False, True])),
    },
)
TRIAL = Axis("trial", {"trial": Coordinate(np.arange(5))})
AXES = [RATE, PAIR, TRIAL]
FIELDS = [
    Field("S.w", attributes={"long_name": "weight", "source": "S"}),
    Field("P.v", "values", ("time", "i"), (3, 2), "float64", "V", {"time": Coordinate(np.arange(3.0), "s")}),
    Field("n", dtype="int64"),
    Field("up", dtype="bool"),
    Field("P.spikes", kind="events", columns={"t": "s", "i": "", "v": "V"}, attributes={"n_elements": 2}),
    Field("Q", kind="events", columns={"t": "s", "i": "", "kind": ""}),
]  # fmt: skip
ATTRIBUTES = {"model": "def model(): ...", "seed": 20, "duration": 0.5}
PLAN = bytes(range(256))


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    """Nothing here loses its power, and a busy disk makes each wait long."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def piece(start: int, stop: int) -> Piece:
    """Results that follow from the numbers of the conditions alone; of some, that they failed."""
    flat = np.arange(start, stop)
    failures = {int(i): f"condition {i} was too much" for i in flat if i % 11 == 4}
    ok = ~np.isin(flat, list(failures))
    v = np.array([np.random.default_rng(int(i)).normal(size=(3, 2)) for i in flat]).reshape(-1, 3, 2)
    v[~ok] = np.nan
    w, up = np.where(ok, np.sqrt(flat), np.nan), (flat % 3 == 0) & ok
    values = {"S.w": w, "P.v": v, "n": flat * ok, "up": up}
    events: dict[str, Any] = {}
    for name, counts in (("P.spikes", flat % 4 * ok), ("Q", (flat % 7 == 2) * ok)):
        n = counts.sum()
        t = np.repeat(flat, counts) + np.arange(n) / 7
        events[name] = (counts, {"t": t, "i": np.arange(n, dtype=np.int32)})
    events["P.spikes"][1]["v"] = -events["P.spikes"][1]["t"]
    events["Q"][1]["kind"] = events["Q"][1]["i"] % 2 == 0
    return Piece(start, stop, values, events, failures)


def pieces(chunks: list[range]) -> list[Piece]:
    return [piece(chunk.start, chunk.stop) for chunk in chunks]


def create(path: Path, axes: list[Axis] = AXES, chunk: int = 10, **options: Any) -> Store:
    return Store.create(path, axes, FIELDS, ATTRIBUTES, options.pop("token", "abc"), chunk, **options)


def complete(store: Store) -> None:
    for p in pieces(store.missing()):
        store.write(p)
    store.finish()


def assert_same(found: xarray.Dataset, expected: xarray.Dataset) -> None:
    """Equal to the bit, and of the same types; text may be stored otherwise."""
    xarray.testing.assert_identical(found, expected)
    for name, variable in expected.variables.items():
        if variable.dtype.kind != "U":
            assert found[name].dtype == variable.dtype, name
            assert found[name].values.tobytes() == variable.values.tobytes(), name


def read(path: Path) -> xarray.Dataset:
    with open_sweep(path) as dataset:
        return dataset.load()


def hashed(path: Path) -> str:
    """One hash of all that readers see."""
    dataset = read(path)
    digest = hashlib.sha256(json.dumps(dataset.attrs, sort_keys=True).encode())
    for name in sorted(dataset.variables, key=str):
        values = dataset[name].values
        content = json.dumps(values.tolist()).encode() if values.dtype.kind in "TO" else values.tobytes()
        digest.update(f"{name} {values.dtype} {values.shape} {dataset[name].attrs}".encode() + content)
    return digest.hexdigest()


def tree(path: Path) -> dict[str, bytes]:
    return {str(f.relative_to(path)): f.read_bytes() for f in sorted(path.rglob("*")) if f.is_file()}


# ------------------------------------------------------------------------------------------ division

shapes = st.lists(st.integers(1, 9), max_size=4).map(tuple)


@given(shape=shapes, chunk=st.integers(1, 300))
def test_chunks_are_boxes_of_consecutive_conditions_that_fill_zarr_chunks(shape, chunk):
    block = block_of(shape, chunk)
    chunks = divide(shape, block)
    numbers = np.arange(math.prod(shape)).reshape(shape)
    assert [i for c in chunks for i in c] == list(range(numbers.size))
    touched = set()
    for c in chunks:
        box = box_of(c, shape, block)
        assert numbers[box].reshape(-1).tolist() == list(c)
        assert all(s.start % k == 0 and s.stop - s.start <= k for s, k in zip(box, block, strict=True))
        touched.add(tuple(s.start // k for s, k in zip(box, block, strict=True)))
    assert len(touched) == len(chunks)


@given(shape=shapes, chunk=st.integers(1, 300))
def test_chunks_are_about_as_large_as_wanted(shape, chunk):
    size = math.prod(block_of(shape, chunk))
    assert size <= chunk
    assert size > min(chunk, math.prod(shape)) / 4


def test_chunks_of_a_long_axis_are_of_about_equal_length():
    assert [len(c) for c in divide((50,), block_of((50,), 33))] == [25, 25]
    assert block_of((50, 50, 20), 200) == (1, 10, 20)


@given(sizes=st.lists(st.integers(0, 9)), size=st.integers(1, 5))
def test_parts_are_joined_into_blocks_of_equal_size(sizes, size):
    whole = np.arange(sum(sizes))
    parts = np.split(whole, np.cumsum(sizes)[:-1]) if sizes else []
    blocks = list(store_module._blocks(parts, size))
    assert [len(b) for b in blocks[:-1]] == [size] * (len(blocks) - 1)
    assert np.concatenate([*blocks, whole[:0]]).tolist() == whole.tolist()


# ------------------------------------------------------------------------------------------ what is stored


@pytest.mark.parametrize(
    ("axes", "chunk"),
    [([], 10), ([RATE], 1), ([PAIR, TRIAL], 3), (AXES, 10), (AXES, 1000)],
    ids=["no axes", "one by one", "parts of rows", "rows", "all at once"],
)
def test_a_finished_store_holds_what_assemble_makes_of_the_pieces(tmp_path, axes, chunk):
    path = tmp_path / "study.zarr"
    with create(path, axes, chunk) as store:
        for p in sorted(pieces(store.chunks), key=lambda p: p.start % 13):  # in some order
            store.write(p)
        store.finish()
        expected = assemble(axes, FIELDS, pieces(store.chunks), ATTRIBUTES)
    assert_same(read(path), expected)
    with xarray.open_zarr(path, chunks=None) as dataset:
        assert_same(dataset.load(), expected)
    assert not list(path.rglob("work"))


def test_events_of_more_than_one_zarr_chunk_stay_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "EVENTS_PER_CHUNK", 4)
    with create(tmp_path / "study.zarr", chunk=5) as store:
        complete(store)
    assert_same(read(tmp_path / "study.zarr"), assemble(AXES, FIELDS, pieces(store.chunks), ATTRIBUTES))


def test_large_values_are_divided_further(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "MOST_BYTES", 64)
    path = tmp_path / "study.zarr"
    with create(path, [RATE], chunk=2) as store:
        complete(store)
    about = json.loads((path / "P.v" / "zarr.json").read_text(encoding="utf-8"))
    assert about["chunk_grid"]["configuration"]["chunk_shape"] == [2, 2, 2]
    assert_same(read(path), assemble([RATE], FIELDS, pieces(store.chunks), ATTRIBUTES))


def test_the_plan_of_the_sweep_is_kept(tmp_path):
    with create(tmp_path / "study.zarr", plan=PLAN) as store:
        complete(store)
    assert_same(read(tmp_path / "study.zarr"), assemble(AXES, FIELDS, pieces(store.chunks), ATTRIBUTES, PLAN))


def test_an_unfinished_store_shows_what_is_there_and_marks_the_rest(tmp_path):
    path = tmp_path / "study.zarr"
    with create(path) as store:
        some = pieces(store.chunks[1::2])
        for p in some:
            store.write(p)
        before = read(path)  # as after kill -9
        store.finish()
        after = read(path)
        assert store.missing() == store.chunks[::2]
    assert "not computed yet" in before.attrs["unfinished"]
    expected = assemble(AXES, FIELDS, some, ATTRIBUTES | {"unfinished": before.attrs["unfinished"]})
    assert_same(after, expected)
    for name in ("S.w", "P.v", "n", "up", "failed"):
        assert before[name].values.tobytes() == expected[name].values.tobytes()
    assert before["P.spikes.count"].sum() == 0
    with Store.open(path) as store:
        complete(store)
    assert_same(read(path), assemble(AXES, FIELDS, pieces(store.chunks), ATTRIBUTES))


def test_a_piece_that_is_no_chunk_or_holds_other_things_is_a_bug(tmp_path):
    with create(tmp_path / "study.zarr") as store:
        right = piece(store.chunks[0].start, store.chunks[0].stop)
        with pytest.raises(InternalError, match="are no chunk"):
            store.write(piece(right.start, right.stop + 1))
        del right.values["n"]
        with pytest.raises(InternalError, match="holds"):
            store.write(right)
        assert store.missing() == store.chunks


# ------------------------------------------------------------------------------------------ going on


def test_the_same_sweep_goes_on_with_the_chunks_that_it_had(tmp_path):
    path = tmp_path / "study.zarr"
    with create(path, chunk=10) as store:
        done = store.chunks[3]
        store.write(piece(done.start, done.stop))
        chunks = store.chunks
    with create(path, chunk=20) as store:
        assert store.chunks == chunks
        assert done not in store.missing()
        assert len(store.missing()) == len(chunks) - 1


def test_a_finished_store_has_nothing_to_do(tmp_path):
    path = tmp_path / "study.zarr"
    with create(path) as store:
        complete(store)
    before = tree(path)
    with create(path) as store:
        assert store.missing() == []
        store.finish()
        with pytest.raises(InternalError, match="finished or closed"):
            store.write(piece(store.chunks[0].start, store.chunks[0].stop))
    assert tree(path) == before


def test_another_sweep_is_refused_and_kept(tmp_path):
    path = tmp_path / "study.zarr"
    with create(path) as store:
        complete(store)
    before = tree(path)
    with pytest.raises(SetupError, match=r"(?s)holds another sweep.*another path.*delete this folder"):
        create(path, token="other")
    assert tree(path) == before
    assert [p.name for p in tmp_path.iterdir()] == ["study.zarr"]


def test_a_store_that_is_being_written_is_not_touched_for_another_sweep(tmp_path):
    path = tmp_path / "study.zarr"
    with create(path) as store:
        before = tree(path)
        with pytest.raises(SetupError, match="is being written by process"):
            create(path, token="other")
        assert tree(path) == before
        complete(store)


def test_what_is_not_ours_is_never_touched(tmp_path):
    folder, file, dataset = tmp_path / "thesis", tmp_path / "data.csv", tmp_path / "other.zarr"
    folder.mkdir()
    (folder / "chapter.txt").write_text("all of it")
    file.write_text("1,2")
    xarray.Dataset({"x": ("a", [1.0])}).to_zarr(dataset, consolidated=False)
    before = tree(tmp_path)
    for path, message in [
        (folder, "holds something that is no sweep of Eccles"),
        (file, "is a file"),
        (dataset, "holds something that is no sweep of Eccles"),
    ]:
        with pytest.raises(SetupError, match=message):
            create(path)
        with pytest.raises(SetupError, match=message):
            Store.open(path)
    assert tree(tmp_path) == before


def test_an_empty_folder_is_used_and_folders_on_the_way_are_made(tmp_path):
    (tmp_path / "study.zarr").mkdir()
    create(tmp_path / "study.zarr").close()
    create(tmp_path / "a" / "b" / "study.zarr").close()
    assert Store.open(tmp_path / "a" / "b" / "study.zarr").token == "abc"


def test_a_store_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SetupError, match=r"there is no sweep at .*study\.zarr"):
        Store.open(tmp_path / "study.zarr")


def test_a_store_of_another_format_is_refused(tmp_path):
    path = tmp_path / "study.zarr"
    create(path).close()
    state = path / "eccles.sweep" / "zarr.json"
    state.write_text(state.read_text().replace('"eccles_store": 1', '"eccles_store": 2'))
    with pytest.raises(SetupError, match=r"has format 2; this version of Eccles writes format 1"):
        Store.open(path)


def test_values_are_on_the_disk_before_the_mark_says_so(tmp_path, monkeypatch):
    path = tmp_path / "study.zarr"
    waited: list[int] = []  # file numbers, in order
    with create(path) as store:
        before = {f.stat().st_ino for f in path.rglob("*")}
        monkeypatch.setattr(os, "fsync", lambda descriptor: waited.append(os.fstat(descriptor).st_ino))
        store.write(piece(store.chunks[3].start, store.chunks[3].stop))
        mark = path / "eccles.sweep" / "work" / f"{store.chunks[3].start}.npz"
        new = {f: f.stat().st_ino for f in path.rglob("*") if f.stat().st_ino not in before}
    values = {number for f, number in new.items() if f.is_file() and f != mark}
    assert len(values) == 5  # of four fields, and which failed
    assert set(new.values()) <= set(waited)
    assert values <= set(waited[: waited.index(mark.stat().st_ino)])
    assert waited[-1] == mark.parent.stat().st_ino


# ------------------------------------------------------------------------------------------ damage


@pytest.mark.parametrize("content", ["", "[]", None])
def test_a_store_whose_beginning_is_damaged_is_named_and_kept(tmp_path, content):
    path = tmp_path / "study.zarr"
    create(path).close()
    (path / "zarr.json").unlink()
    if content is not None:
        (path / "zarr.json").write_text(content)
    before = tree(path)
    with pytest.raises(SetupError, match="is damaged"):
        create(path)
    assert tree(path) == before


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied", "replaced"])
def test_a_damaged_mark_is_none_and_its_chunk_is_computed_again(tmp_path, damage):
    path = tmp_path / "study.zarr"
    with create(path) as store:
        for p in pieces(store.chunks[:4]):
            store.write(p)
        chunks = store.chunks
    mark = path / "eccles.sweep" / "work" / f"{chunks[2].start}.npz"
    content = mark.read_bytes()
    mark.write_bytes(
        {
            "cut": content[:-30],
            "changed": content[:100] + bytes([content[100] ^ 1]) + content[101:],
            "emptied": b"",
            "replaced": b"hello",
        }[damage]
    )
    with Store.open(path) as store:
        assert store.missing() == [chunks[2], *chunks[4:]]
        complete(store)
    assert_same(read(path), assemble(AXES, FIELDS, pieces(chunks), ATTRIBUTES))


@pytest.mark.parametrize("name", ["P.v", "P.spikes.t", "P.spikes.count", "failed"])
def test_damaged_results_are_not_read(tmp_path, name):
    path = tmp_path / "study.zarr"
    with create(path) as store:
        complete(store)
    file = next(f for f in sorted((path / name / "c").rglob("*")) if f.is_file())
    content = file.read_bytes()
    middle = len(content) // 2
    file.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    with open_sweep(path) as dataset, pytest.raises(RuntimeError, match="ecompress"):
        dataset[name].load()


@pytest.mark.parametrize(
    ("number", "message"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "may not write there")]
)
def test_a_disk_that_takes_no_more_keeps_what_is_stored(tmp_path, monkeypatch, number, message):
    path = tmp_path / "study.zarr"
    store = create(path)
    for p in pieces(store.chunks[:2]):
        store.write(p)
    third = piece(store.chunks[2].start, store.chunks[2].stop)

    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(RunError, match=rf"(?s)writing to .*study\.zarr failed.*{message}.*is kept"):
            store.write(third)
        with pytest.raises(RunError, match=message):
            store.finish()
    assert store.missing() == store.chunks[2:]
    store.close()
    with Store.open(path) as store:
        assert store.missing() == store.chunks[2:]
        complete(store)
    assert_same(read(path), assemble(AXES, FIELDS, pieces(store.chunks), ATTRIBUTES))


def test_a_store_that_cannot_be_made_leaves_nothing(tmp_path, monkeypatch):
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(RunError, match="disk is full"):
        create(tmp_path / "study.zarr")
    assert list(tmp_path.iterdir()) == []


def test_a_store_can_be_read_whenever_finish_was_interrupted(tmp_path, monkeypatch):
    first, path, n_interruptions = tmp_path / "first.zarr", tmp_path / "study.zarr", 0
    with create(first, [PAIR, TRIAL]) as store:
        store.write(pieces(store.chunks)[0])
        store.finish()
        store.write(pieces(store.chunks)[1])
    while True:
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(first, path)
        left = n_interruptions

        def wait(descriptor: int) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        with Store.open(path) as store, monkeypatch.context() as patch:
            patch.setattr(os, "fsync", wait)
            try:
                store.finish()
                break
            except RunError:
                n_interruptions += 3
        assert read(path)["failed"].sum() >= 0
    assert n_interruptions > 10
    with Store.open(path) as store:
        complete(store)
    assert_same(read(path), assemble([PAIR, TRIAL], FIELDS, pieces(store.chunks), ATTRIBUTES))


def test_a_column_that_was_not_there_when_finish_was_killed_is_made_again(tmp_path):
    path = tmp_path / "study.zarr"
    with create(path) as store:
        for p in pieces(store.chunks[:2]):
            store.write(p)
        store.finish()
    shutil.rmtree(path / "P.spikes.v")  # as Zarr does before it makes an array anew
    with Store.open(path) as store:
        complete(store)
    assert_same(read(path), assemble(AXES, FIELDS, pieces(store.chunks), ATTRIBUTES))


def test_what_a_killed_finish_left_is_removed(tmp_path):
    path = tmp_path / "study.zarr"
    with create(path) as store:
        for p in pieces(store.chunks):
            store.write(p)
        shutil.copytree(path / "eccles.sweep" / "work", tmp_path / "work")
        store.finish()
    expected = tree(path)
    shutil.copytree(tmp_path / "work", path / "eccles.sweep" / "work")  # killed just before it was removed
    with Store.open(path) as store:
        assert store.missing() == []
    assert tree(path) == expected


# ------------------------------------------------------------------------------------------ processes

SCRIPT = """
import os, signal, sys
sys.path.insert(0, {folder!r})
from test_store import *

path = Path(sys.argv[1])
"""

# Each run of the sweep is a process, forked because Python takes longer to start than all it does. It kills
# itself before the n-th time that it waits for the disk: all that happens is between two of these.
KILLED = (
    SCRIPT
    + """
def run(n):
    counted = 0
    def deadly(descriptor):
        nonlocal counted
        counted += 1
        if counted == n:
            os.kill(os.getpid(), signal.SIGKILL)
    os.fsync = deadly
    with create(path, [PAIR, TRIAL], 4) as store:
        complete(store)

rng, ended = np.random.default_rng(int(sys.argv[2])), []
while not ended or ended[-1] == signal.SIGKILL:
    pid = os.fork()
    if pid == 0:
        run(int(rng.integers(1, 50 * (len(ended) + 2))))
        os._exit(0)
    ended.append(os.waitpid(pid, 0)[1])
print(len([e for e in ended if e == signal.SIGKILL]), set(ended) <= {{0, signal.SIGKILL}})
"""
)

# Killed from outside, at any moment.
SHOT = (
    SCRIPT
    + """
import time
rng, ended = np.random.default_rng(int(sys.argv[2])), []
while not ended or ended[-1] == signal.SIGKILL:
    pid = os.fork()
    if pid == 0:
        with create(path, [PAIR, TRIAL], 4) as store:
            complete(store)
        os._exit(0)
    time.sleep(rng.uniform(0, 0.02 * (len(ended) + 1)))
    os.kill(pid, signal.SIGKILL)
    ended.append(os.waitpid(pid, 0)[1])
print(len([e for e in ended if e == signal.SIGKILL]), set(ended) <= {{0, signal.SIGKILL}})
"""
)

HELD = (
    SCRIPT
    + """
store = create(path)
store.write(piece(store.chunks[0].start, store.chunks[0].stop))
print(os.getpid(), flush=True)
sys.stdin.read()
"""
)


def command(script: str, *arguments: Any) -> list[str]:
    text = textwrap.dedent(script).format(folder=str(Path(__file__).parent))
    return [sys.executable, "-W", "ignore", "-c", text, *map(str, arguments)]


def uninterrupted(path: Path) -> str:
    with create(path, [PAIR, TRIAL], 4) as store:
        complete(store)
    return hashed(path)


@posix
def test_kill_9_at_any_step_changes_nothing(tmp_path):
    path = tmp_path / "killed.zarr"
    done = subprocess.run(command(KILLED, path, 1), capture_output=True, text=True, check=True, timeout=120)
    kills, clean = done.stdout.split()
    assert clean == "True"
    assert int(kills) >= 2
    assert hashed(path) == uninterrupted(tmp_path / "whole.zarr")


@posix
@pytest.mark.slow
@pytest.mark.parametrize("script", [KILLED, SHOT], ids=["at a step", "at a moment"])
@pytest.mark.parametrize("seed", range(2, 8))
def test_kill_9_many_times_changes_nothing(tmp_path, script, seed):
    path = tmp_path / "killed.zarr"
    done = subprocess.run(
        command(script, path, seed), capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.split()[1] == "True"
    assert hashed(path) == uninterrupted(tmp_path / "whole.zarr")
    assert not list(path.rglob("*.partial"))


@posix
def test_a_store_has_one_writer_and_is_free_when_that_is_killed(tmp_path):
    path = tmp_path / "study.zarr"
    with subprocess.Popen(command(HELD, path), stdin=-1, stdout=-1, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert int(holder.stdout.readline()) == holder.pid
            with pytest.raises(SetupError, match=rf"is being written by process {holder.pid} on "):
                create(path)
        finally:
            holder.send_signal(signal.SIGKILL)
    with create(path) as store:
        assert store.missing() == store.chunks[1:]


def test_one_process_does_not_open_a_store_twice(tmp_path):
    path = tmp_path / "study.zarr"
    store = create(path)
    with pytest.raises(SetupError, match=f"is being written by process {os.getpid()} on"):
        Store.open(path)
    store.close()
    Store.open(path).close()
