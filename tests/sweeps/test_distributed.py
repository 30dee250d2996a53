from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pytest
from distributed import Client, LocalCluster

from eccles.errors import RunError, SetupError
from eccles.results.layout import Piece
from eccles.sweeps import distributed
from eccles.sweeps.distributed import CHUNKS_PER_THREAD, as_client, run_on_cluster

CHUNKS = [range(start, start + 5) for start in range(0, 200, 5)]


def piece(start: int, stop: int) -> Piece:
    """What the job gives, from the numbers of the conditions alone."""
    flat = np.arange(start, stop)
    counts = flat % 3
    t = np.concatenate([np.random.default_rng(int(i)).random(i % 3) for i in flat])
    failures = {int(i): "it broke" for i in flat[flat % 50 == 7]}
    return Piece(start, stop, {"v": np.sqrt(flat)}, {"spikes": (counts, {"t": t})}, failures)


class Steady:
    """A job that tells each process in which it is unpickled, and takes a moment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state
        (self.folder / f"{os.getpid()}-{time.time_ns()}").touch()

    def __call__(self, start: int, stop: int) -> Piece:
        time.sleep(0.01)
        return piece(start, stop)


class Deadly:
    """A job that ends its process at one chunk."""

    def __call__(self, start: int, stop: int) -> Piece:
        if start == 20:
            os._exit(1)
        return piece(start, stop)


class Watched:
    """A job in threads of this process, which counts the calls."""

    started = 0

    def __call__(self, start: int, stop: int) -> Piece:
        Watched.started += 1
        return piece(start, stop)


class Failing:
    """A job with a mistake."""

    def __call__(self, start: int, stop: int) -> Piece:
        if start == 20:
            raise ZeroDivisionError("a mistake of the job")
        return piece(start, stop)


class Unimportable:
    """A job that needs what the worker does not have."""

    def __call__(self, start: int, stop: int) -> Piece:
        import no_such_module_anywhere  # pyright: ignore[reportMissingImports]

        return no_such_module_anywhere


@contextmanager
def cluster(*, processes: bool = False, n_workers: int = 2) -> Iterator[Client]:
    with (
        LocalCluster(
            n_workers=n_workers, threads_per_worker=1, processes=processes, dashboard_address=":0"
        ) as local,
        as_client(local) as client,
    ):
        yield client


def arrays(pieces: list[Piece]) -> list[tuple[Any, ...]]:
    """Everything in the pieces, comparable, in order."""
    return [
        (
            p.start,
            p.stop,
            p.values["v"].tobytes(),
            p.events["spikes"][0].tobytes(),
            p.events["spikes"][1]["t"].tobytes(),
            p.failures,
        )
        for p in sorted(pieces, key=lambda p: p.start)
    ]


EXPECTED = arrays([piece(chunk.start, chunk.stop) for chunk in CHUNKS])


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_worker_that_is_killed_changes_nothing_and_the_job_is_sent_once_to_each_worker(tmp_path):
    received: list[Piece] = []
    with cluster(processes=True) as client:
        victim = next(iter(client.run(os.getpid).values()))

        def receive(piece: Piece) -> None:
            received.append(piece)
            if len(received) == 8:
                os.kill(victim, signal.SIGKILL)

        run_on_cluster(client, Steady(tmp_path), CHUNKS, receive)
    assert arrays(received) == EXPECTED
    unpickled = Counter(int(file.name.split("-")[0]) for file in tmp_path.iterdir())
    del unpickled[os.getpid()]  # the scheduler looks into it too, and is in this process
    assert victim in unpickled
    assert len(unpickled) in (2, 3)  # the worker in its place may come too late
    assert set(unpickled.values()) == {1}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_all_workers_may_be_killed_one_after_the_other(tmp_path):
    received: list[Piece] = []
    with cluster(processes=True) as client:

        def receive(piece: Piece) -> None:
            received.append(piece)
            if len(received) % 12 == 4:  # after some time that is none that was there at first
                workers = client.run(os.getpid, on_error="ignore")
                os.kill(sorted(workers.values())[0], signal.SIGKILL)

        run_on_cluster(client, Steady(tmp_path), CHUNKS, receive)
    assert arrays(received) == EXPECTED
    assert len({file.name.split("-")[0] for file in tmp_path.iterdir()}) >= 3


@pytest.mark.slow
def test_a_chunk_that_ends_its_workers_is_named_and_what_was_received_stays():
    received: list[Piece] = []
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        cluster(processes=True) as client,
        pytest.raises(RunError, match=r"conditions 20 to 24: 2 workers ended"),
    ):
        run_on_cluster(client, Deadly(), CHUNKS[:5], received.append)
    assert {p.start for p in received} <= {0, 5, 10, 15}
    assert arrays(received) == [e for e in EXPECTED if e[0] in {p.start for p in received}]


def test_few_chunks_are_under_way_at_a_time():
    Watched.started, most = 0, []
    received: list[Piece] = []

    def receive(piece: Piece) -> None:
        time.sleep(0.005)  # results are stored more slowly than they are computed
        received.append(piece)
        most.append(Watched.started - len(received))

    with cluster() as client:
        run_on_cluster(client, Watched(), iter(CHUNKS), receive)
    assert arrays(received) == EXPECTED
    assert max(most) <= 2 * CHUNKS_PER_THREAD


def test_pieces_are_received_in_the_calling_thread():
    threads = []
    with cluster() as client:
        run_on_cluster(client, Watched(), CHUNKS[:6], lambda _: threads.append(threading.get_ident()))
    assert threads == [threading.get_ident()] * 6


def test_no_chunks_are_no_work():
    with cluster(n_workers=1) as client:
        run_on_cluster(client, Watched(), [], lambda _: pytest.fail("there is nothing to receive"))


def test_while_nothing_comes_the_caller_can_end_it(monkeypatch):
    def look() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(distributed, "LOOK", 0.05)
    with cluster(n_workers=0) as client, pytest.raises(KeyboardInterrupt):
        run_on_cluster(client, Watched(), CHUNKS, lambda _: None, look)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError])
def test_an_interruption_cancels_what_is_under_way(interruption):
    def receive(piece: Piece) -> None:
        raise interruption

    def n_tasks(dask_scheduler: Any) -> int:
        return len(dask_scheduler.tasks)

    with cluster() as client:
        with pytest.raises(interruption):
            run_on_cluster(client, Watched(), CHUNKS, receive)
        for _ in range(500):
            if client.run_on_scheduler(n_tasks) == 0:
                break
            time.sleep(0.01)
        assert client.run_on_scheduler(n_tasks) == 0


def test_a_mistake_of_the_job_names_the_chunk():
    with (
        cluster() as client,
        pytest.raises(RunError, match=r"conditions 20 to 24: ZeroDivisionError on a worker: a mistake"),
    ):
        run_on_cluster(client, Failing(), CHUNKS, lambda _: None)


def test_a_worker_without_eccles_is_told_what_to_do():
    with (
        cluster(n_workers=1) as client,
        pytest.raises(RunError, match=r"(?s)conditions 0 to 4: a worker cannot import.*same version"),
    ):
        run_on_cluster(client, Unimportable(), CHUNKS[:1], lambda _: None)


def test_a_cluster_without_workers_is_not_waited_for_forever(monkeypatch):
    monkeypatch.setattr(distributed, "PATIENCE", 0.2)
    monkeypatch.setattr(distributed, "LOOK", 0.1)
    with cluster(n_workers=0) as client, pytest.raises(RunError, match="has had no worker"):
        run_on_cluster(client, Watched(), CHUNKS, lambda _: None)


def test_a_client_is_kept_open_and_one_that_is_made_is_closed():
    with cluster(n_workers=0) as client:
        with as_client(client) as same:
            assert same is client
        assert client.status == "running"
        assert client.scheduler is not None
        with as_client(client.scheduler.address) as made:
            assert made is not client
            assert made.status == "running"
        assert made.status == "closed"


@pytest.mark.parametrize("scheduler", [3, "", object()])
def test_what_is_no_scheduler_is_refused(scheduler):
    with pytest.raises(SetupError, match="is no Dask scheduler"), as_client(scheduler):
        pass


def test_an_address_where_nobody_answers_is_named():
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "200ms"}),
        pytest.raises(SetupError, match=r"(?s)tcp://127.0.0.1:9.*cannot be reached"),
        as_client("tcp://127.0.0.1:9"),
    ):
        pass


def test_dask_that_is_missing_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SetupError, match=r"pip install \"eccles\[cluster\]\""), as_client("tcp://host:1"):
        pass
