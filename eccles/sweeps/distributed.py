"""Chunks of a sweep on the workers of a Dask cluster."""

from __future__ import annotations

import queue
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from eccles.errors import RunError, SetupError
from eccles.results.layout import Piece

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["as_client", "run_on_cluster"]

CHUNKS_PER_THREAD = 2  # one that is computed and one that waits: a thread need not wait for the next
PATIENCE = 60.0  # seconds without any worker after which one is no longer expected
LOOK = 1.0  # seconds between looks whether there are workers

Compute = Callable[[int, int], Piece]


@contextmanager
def as_client(scheduler: Any) -> Iterator[Client]:
    """A client of a Dask cluster; one that is made here is closed at the end.

    Parameters
    ----------
    scheduler : Client, cluster or text
        A client as it is, a cluster such as `LocalCluster`, or the address of a scheduler ('tcp://host:8786').

    Raises
    ------
    SetupError
        If Dask is missing, the scheduler cannot be reached, or it is something else.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise SetupError(
            "a scheduler needs dask.distributed, which is not installed",
            hint='pip install "eccles[cluster]"\nWithout scheduler=..., all cores of this machine are used.',
        ) from error
    if isinstance(scheduler, Client):
        if scheduler.asynchronous:
            raise SetupError(
                "the Dask client is asynchronous, and a sweep waits for its results",
                hint="Give the address of its scheduler instead: scheduler=client.scheduler.address",
            )
        yield scheduler
        return
    address = scheduler if isinstance(scheduler, str) else getattr(scheduler, "scheduler_address", None)
    if not isinstance(address, str) or not address:
        raise SetupError(
            f"scheduler is {scheduler!r}, which is no Dask scheduler",
            hint="Give a dask.distributed Client, a cluster that runs, or an address: 'tcp://host:8786'.",
        )
    try:
        client = Client(scheduler, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SetupError(
            f"the Dask scheduler {address!r} cannot be reached: {error}",
            hint="Is it running, and can this machine see it? Its address is printed when it starts.",
        ) from error
    with client:
        yield client


def run_on_cluster(
    client: Client,
    job: Compute,
    chunks: Iterable[range],
    receive: Callable[[Piece], None],
    look: Callable[[], None] = lambda: None,
) -> None:
    """Compute chunks of conditions on the workers of a cluster.

    A few chunks for each thread of the cluster are under way at a time, so that neither the scheduler nor
    the memory of anyone holds them all. What a dying worker had under way is computed again by another.
    Whatever ends this early (also Ctrl-C), chunks that are under way are cancelled; what was received stays.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster; see `as_client`.
    job : function of (start, stop)
        Computes the conditions `start` to `stop - 1`. It is pickled, and sent to each worker once.
    chunks : iterable of range
        The conditions of each call.
    receive : function of a piece
        Called here, in this thread, for one piece after the other in whatever order they come.
    look : function, optional
        Called about once a second while there is nothing to receive. What it raises ends this.

    Raises
    ------
    RunError
        If a chunk ends with an error or ends its workers again and again, or no worker is left.
    """
    waiting = iter(chunks)
    finished: queue.SimpleQueue[Future] = queue.SimpleQueue()
    under_way: dict[Future, range] = {}
    # a task, not scattered data: the scheduler makes its result again when all workers that had it are gone
    sent = _submit(client, _itself, job)
    try:
        while True:
            room = CHUNKS_PER_THREAD * max(1, _threads(client)) - len(under_way)
            for chunk in islice(waiting, max(0, room)):
                future = _submit(client, _compute, sent, chunk.start, chunk.stop)
                under_way[future] = chunk
                future.add_done_callback(finished.put)
            if not under_way:
                return
            future = _next(client, finished, look)
            piece = _result(future, under_way[future])
            del under_way[future]
            future.release()  # a piece is forgotten by the worker before it is stored here
            receive(piece)
    finally:
        with suppress(Exception):  # of a connection that is lost: the error that led here says more
            client.cancel([*under_way, sent], force=True)


def _itself(job: Compute) -> Compute:
    return job


def _compute(job: Compute, start: int, stop: int) -> Piece:
    return job(start, stop)


def _submit(client: Client, function: Callable[..., Any], *args: Any) -> Future:
    with warnings.catch_warnings():  # the job is large once, not with every chunk
        warnings.filterwarnings("ignore", message="Sending large graph")
        return client.submit(function, *args, pure=False)


def _threads(client: Client) -> int:
    """The number of threads of all workers; 0 also if the scheduler does not answer now."""
    try:
        return sum(dict(client.nthreads()).values())  # pyright: ignore[reportArgumentType, reportCallIssue]
    except OSError:
        return 0


def _next(client: Client, finished: queue.SimpleQueue[Future], look: Callable[[], None]) -> Future:
    """The next future that is finished, in whatever way."""
    last_seen = time.monotonic()
    while True:
        try:
            return finished.get(timeout=LOOK)
        except queue.Empty:
            look()
            if _threads(client) > 0:
                last_seen = time.monotonic()
        if time.monotonic() - last_seen > PATIENCE:
            raise RunError(
                f"the Dask cluster has had no worker for {PATIENCE:.0f} s",
                hint="Start workers and call the same sweep again: with out=..., it goes on where it was.",
            )


def _result(future: Future, chunk: range) -> Piece:
    """What a chunk gave, or an error that says which it was."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker

    conditions = f"conditions {chunk.start} to {chunk.stop - 1}"
    try:
        return future.result()
    except KilledWorker as error:
        raise RunError(
            f"{conditions}: {error.allowed_failures + 1} workers ended while they computed these",
            hint="They may need more memory than a worker has: try a smaller chunk=..., or fewer workers.\n"
            "The logs of the workers say more.",
        ) from error
    except CancelledError as error:
        raise RunError(
            f"{conditions} were cancelled by the Dask cluster, or the connection to it was lost",
            hint="With out=..., the same call goes on with what is missing.",
        ) from error
    except ImportError as error:
        raise RunError(
            f"{conditions}: a worker cannot import what it needs: {error}",
            hint="Install the same version of eccles in the Python of the workers.",
        ) from error
    except Exception as error:
        raise RunError(f"{conditions}: {type(error).__name__} on a worker: {error}") from error
