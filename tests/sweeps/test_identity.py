"""However a sweep is run, its results have the same bits."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweeps.models import CASES, random_network

from eccles import Hz, open_sweep, rerun, silence, sweep
from eccles.results.dataset import assemble
from eccles.results.files import save
from eccles.sweeps import conditions as conditions_module
from eccles.sweeps import running, sweeping
from eccles.sweeps.plan import Plan
from eccles.sweeps.repeated import NotRepeatable
from eccles.sweeps.store import Store

SEED = 11
posix = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
every_case = pytest.mark.parametrize("name", CASES)
QUICK = {"pairs", "noisy", "random_network", "several"}
some_cases = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in CASES]
)


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    silence("one_model_per_value")
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # no power is lost here
    yield
    silence()


@pytest.fixture
def many_threads(monkeypatch):
    """Use all threads that are allowed, however little there is to do."""
    monkeypatch.setattr(conditions_module, "WORTH_A_COPY", 0)
    monkeypatch.setattr(conditions_module, "WORTH_A_THREAD", 0)


def swept(name: str, **options: Any) -> Any:
    case = CASES[name]
    return sweep(case.model, **{"record": case.record, "seed": SEED, **case.values, **options})


def planned(name: str) -> Plan:
    case = CASES[name]
    return sweeping.make_plan(case.model, case.record, dict(case.values), SEED, False)


def in_memory(plan: Plan, *ranges: range) -> Any:
    return assemble(
        plan.labels(), list(plan.fields.values()), [plan.run(r.start, r.stop, 1) for r in ranges], {}
    )


def digest(result: Any) -> str:
    """A hash of all bits of all results and labels."""
    h = hashlib.sha256()
    for name in sorted(set(result.variables) - {"plan"}):
        variable = result[name].variable
        values = variable.to_numpy()
        kind = values.dtype.kind
        if kind in "OUT":  # text, however it is stored
            kind, data = "U", repr(values.tolist()).encode()
        else:
            data = values.tobytes()
        h.update(repr((name, variable.dims, values.shape, kind)).encode() + data)
    return h.hexdigest()


def conditions(result: Any) -> dict[tuple[Any, ...], dict[str, bytes]]:
    """The bits of each condition, by its parameters: (position or value along each dimension)."""
    dims = result["failed"].dims
    found = {}
    for place in np.ndindex(*result["failed"].shape):
        key = tuple(result[d].to_numpy()[k].item() for d, k in zip(dims, place, strict=True))
        found[key] = {}
        for name, variable in result.data_vars.items():
            if variable.dims[: len(dims)] == dims and not name.endswith(".start"):
                found[key][name] = variable.to_numpy()[place].tobytes()
            elif variable.dims[0].endswith(".event"):
                of = variable.dims[0].removesuffix(".event")
                start, n = (int(result[f"{of}.{x}"].to_numpy()[place]) for x in ("start", "count"))
                found[key][name] = variable.to_numpy()[start : start + n].tobytes()
    return found


EXPECTED: dict[str, Any] = {}


def expected(name: str) -> Any:
    """What a case gives when it is run in one piece in one thread."""
    if name not in EXPECTED:
        EXPECTED[name] = swept(name, threads=1)
        assert not EXPECTED[name]["failed"].any()
        different = {tuple(bits.values()) for bits in conditions(EXPECTED[name]).values()}
        assert len(different) > 1  # else nothing would be shown
    return EXPECTED[name]


# -- in one process -----------------------------------------------------------------------------------


@every_case
@pytest.mark.parametrize("threads", [pytest.param(2, marks=pytest.mark.slow), 4])
def test_threads_change_nothing(name, threads, many_threads):
    assert digest(swept(name, threads=threads)) == digest(expected(name))


def test_there_are_as_many_networks_as_threads(many_threads):
    plan = planned("conductances")
    plan.run(0, plan.grid.n_conditions, 4)
    (found,) = plan._conditions
    assert found is not None
    assert len(found._executors) == 4


@some_cases
def test_how_conditions_are_cut_into_pieces_and_the_order_of_these_change_nothing(name):
    n = expected(name)["failed"].size
    for seed in range(3):
        rng = random.Random(f"{name} {seed}")
        cuts = sorted({0, n, *rng.sample(range(1, n), 4)})
        ranges = [range(a, b) for a, b in pairwise(cuts)]
        rng.shuffle(ranges)
        assert digest(in_memory(planned(name), *ranges)) == digest(expected(name)), ranges


def by_position(result: Any, places: Any = None) -> dict[tuple[Any, ...], dict[str, bytes]]:
    """As `conditions`; values that have no label are known by their position in the whole case."""
    if places is None or "times" not in places:
        return conditions(result)
    return conditions(result.assign_coords(times=places["times"]))


@some_cases
def test_the_order_of_values_changes_nothing(name):
    rng = random.Random(name)
    values, places = CASES[name].some(lambda n: rng.sample(range(n), n))
    assert by_position(swept(name, **values), places) == conditions(expected(name))


REPEATED = {"pairs", "noisy", "noisy, many at once", "several", "stimulated"}


@every_case
def test_many_conditions_in_one_native_call_give_what_each_alone_gives(name, monkeypatch):
    plan = planned(name)
    in_memory(plan, range(plan.grid.n_conditions))
    used = [found is not None and found._repeated is not None for found in plan._conditions]
    assert used == [name in REPEATED] * len(plan.structures)

    def refuse(executor: Any) -> None:
        raise NotRepeatable("one by one, for once")

    monkeypatch.setattr(conditions_module, "Repeated", refuse)
    assert digest(swept(name, threads=1)) == digest(expected(name))


@some_cases
def test_other_values_and_trials_change_no_condition(name):
    values, places = CASES[name].some(lambda n: list(range(1, n)))
    few, whole = by_position(swept(name, **values), places), conditions(expected(name))
    assert few == {key: whole[key] for key in few}


def test_conditions_of_a_trial_share_their_random_numbers():
    values = {"rate": 80 * Hz, "w": [0.2, 0.5], "trial": range(3), "seed": SEED}
    shared, own = (sweep(random_network, independent=independent, **values) for independent in (False, True))

    def trains(result: Any) -> list[bytes]:
        return [bits["P.spikes.t"] for bits in conditions(result).values()]

    assert len(set(trains(shared))) == 3
    assert trains(shared)[:3] == trains(shared)[3:]
    assert len(set(trains(own))) == 6


# -- files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 3, 7])
@some_cases
def test_chunks_on_disk_change_nothing(name, chunk, tmp_path):
    with swept(name, out=tmp_path / "s.zarr", chunk=chunk) as result:
        assert digest(result) == digest(expected(name))


@some_cases
def test_files_hold_the_same_bits(name, tmp_path):
    for file in ("s.nc", "s.zarr"):
        save(expected(name), tmp_path / file)
        with open_sweep(tmp_path / file) as read:
            assert digest(read) == digest(expected(name))
            np.testing.assert_array_equal(read["plan"], expected(name)["plan"])


RERUN = """
import sys
from pathlib import Path
from eccles import rerun
for file in sorted(Path(sys.argv[1]).glob("*.nc")):
    rerun(file, out=file.with_suffix(".again.nc"))
"""


def test_another_process_runs_files_again_without_the_script(tmp_path):
    for k, name in enumerate(CASES):
        save(expected(name), tmp_path / f"{k}.nc")
    subprocess.run([sys.executable, "-W", "error", "-c", RERUN, str(tmp_path)], check=True, cwd=tmp_path)
    for k, name in enumerate(CASES):
        with open_sweep(tmp_path / f"{k}.again.nc") as again:
            assert digest(again) == digest(expected(name)), name


# -- what ends too early ------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from sweeps.models import CASES
from eccles import sweep
from eccles.sweeps.store import Store

case, left, write = CASES[sys.argv[2]], int(sys.argv[4]), Store.write

def stop_in_the_middle(self, piece):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    write(self, piece)

Store.write = stop_in_the_middle
sweep(case.model, record=case.record, seed=11, out=sys.argv[3], chunk=3, **case.values)
"""


def begin(name: str, path: Path, n_chunks: int) -> subprocess.Popen[bytes]:
    """A process that does a case, and is killed before it has written this many chunks (0: not at all)."""
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", KILLED, tests, name, str(path), str(n_chunks)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def goes_on(name: str, path: Path, monkeypatch: Any) -> int:
    """Go on with a sweep; returns how many chunks that took."""
    written = []
    write = Store.write
    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", lambda self, piece: (written.append(piece.start), write(self, piece)))
        with swept(name, out=path, chunk=3) as result:
            assert digest(result) == digest(expected(name))
    return len(written)


@posix
def test_a_process_that_is_killed_is_gone_on_with(tmp_path, monkeypatch):
    path = tmp_path / "s.zarr"
    assert begin("noisy", path, 4).wait() == -signal.SIGKILL
    assert goes_on("noisy", path, monkeypatch) == 18 // 3 - 3
    assert goes_on("noisy", path, monkeypatch) == 0


@posix
@pytest.mark.slow
@every_case
def test_a_process_that_is_killed_at_any_time_is_gone_on_with(name, tmp_path, monkeypatch):
    began = time.monotonic()
    begin(name, tmp_path / "whole.zarr", 0).wait()
    seconds = time.monotonic() - began
    rng = random.Random(name)
    for k in range(4):
        path = tmp_path / f"{k}.zarr"
        process = begin(name, path, 0)
        time.sleep(seconds * rng.uniform(0.3, 1))
        process.kill()
        process.wait()
        goes_on(name, path, monkeypatch)


def test_ctrl_c_keeps_what_is_there_and_marks_the_others(monkeypatch):
    monkeypatch.setattr(running, "FIRST_PIECE", 4)
    run = Plan.run
    n_calls = 0

    def interrupted(self: Plan, *args: Any) -> Any:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 2:
            signal.raise_signal(signal.SIGINT)
        return run(self, *args)

    full = expected("noisy")
    monkeypatch.setattr(Plan, "run", interrupted)
    with pytest.warns(match=r"interrupted: 4 of 18 conditions"):
        result = swept("noisy", threads=1)
    failed = result["failed"].to_numpy().ravel()
    assert failed.tolist() == [False] * 4 + [True] * 14
    assert json.loads(result.attrs["failures"]) == []
    found, whole = list(conditions(result).items()), conditions(full)
    for key, bits in found[:4]:
        assert {**bits, "failed": b"\0"} == whole[key]
    assert (result["G.spikes.count"].to_numpy().ravel()[4:] == 0).all()
    monkeypatch.setattr(Plan, "run", run)
    assert digest(rerun(result)) == digest(full)


# -- a cluster ----------------------------------------------------------------------------------------


@pytest.fixture
def cluster() -> Iterator[Any]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as local,
        Client(local) as client,
    ):
        yield client


def kill_a_worker(client: Any) -> Callable[[], None]:
    pids = list(client.run(os.getpid).values())
    return lambda: os.kill(pids[0], signal.SIGKILL)


def test_processes_of_a_cluster_change_nothing(cluster, tmp_path):
    for name in QUICK:
        assert digest(swept(name, scheduler=cluster, chunk=5)) == digest(expected(name)), name
    with swept("several", scheduler=cluster, out=tmp_path / "s.zarr", chunk=5) as result:
        assert digest(result) == digest(expected("several"))


@posix
@pytest.mark.slow
@pytest.mark.parametrize("name", ["noisy", "random_network"])
def test_a_worker_that_is_killed_changes_nothing(name, cluster, tmp_path, monkeypatch):
    kill, write, n_written = kill_a_worker(cluster), Store.write, 0

    def killing(self: Store, piece: Any) -> None:
        nonlocal n_written
        n_written += 1
        if n_written == 3:
            kill()
        write(self, piece)

    monkeypatch.setattr(Store, "write", killing)
    with swept(name, scheduler=cluster, out=tmp_path / "s.zarr", chunk=1) as result:
        assert digest(result) == digest(expected(name))
    assert n_written == 18
