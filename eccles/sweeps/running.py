"""Running a plan: in memory, to disk, or on a cluster, until it is done or somebody stops it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eccles.errors import SetupError, note, warn
from eccles.objects.interrupt import Interrupt
from eccles.results.dataset import assemble
from eccles.results.failures import failed_conditions
from eccles.results.files import open_sweep, save
from eccles.results.layout import Axis, Field, Piece
from eccles.sweeps.archive import Job, token
from eccles.sweeps.distributed import as_client, run_on_cluster
from eccles.sweeps.execute import Stopped
from eccles.sweeps.memory import check_memory
from eccles.sweeps.options import Options
from eccles.sweeps.plan import Plan
from eccles.sweeps.progress import Progress
from eccles.sweeps.seeds import exact_text
from eccles.sweeps.store import Store

if TYPE_CHECKING:
    import xarray

__all__ = ["run_plan"]

FIRST_PIECE = 16  # conditions; each may take minutes, and a piece that is stopped is lost
PIECE_SECONDS = 0.5  # about as long as Ctrl-C and the progress bar wait
CHUNK_BYTES = 1 << 25  # of results in a chunk that is written or sent at once
CHUNKS = 100  # of a sweep, about


def run_plan(plan: Plan, attributes: dict[str, Any], options: Options) -> xarray.Dataset:
    """Run a plan."""
    axes, fields, n = plan.labels(), list(plan.fields.values()), plan.grid.n_conditions
    if plan.data is None:
        attributes["why_no_plan"] = plan.why_not_data
    on_disk = options.out is not None and options.out.suffix == ".zarr"
    if not on_disk:
        check_memory(n, plan.memory(), options.memory_limit)
    with Progress(n, options.progress) as bar, Interrupt() as interrupt:
        engine = _Engine(plan, options, bar, lambda: interrupt.requested)
        if on_disk:
            assert options.out is not None
            result = engine.to_store(options.out, axes, fields, attributes)
        else:
            pieces: list[Piece] = []
            engine.run(None, pieces.append)
            result = assemble(axes, fields, pieces, attributes, plan.data)
            if options.out is not None and engine.n_done == n:
                save(result, options.out)
    if options.watcher is not None:
        options.watcher.ends(result, options.out, engine.n_before, engine.n_done)
    elif engine.n_done < n:
        then = "the others are marked as failed"
        if options.out is not None:
            then = "the same call goes on with the others" if on_disk else f"{options.out} is not written"
        warn("interrupted", f"the sweep was interrupted: {engine.n_done} of {n} conditions are there, {then}")
    else:
        _tell_failures(result)
    return result


def _tell_failures(result: xarray.Dataset) -> None:
    """Say which conditions failed: results without a word would look complete."""
    lines = list(failed_conditions(result))
    if lines:
        note("conditions_failed", "\n".join([*lines, "  All of them: result.eccles.failures"]))


class _Engine:
    """Runs chunks of a plan here or on a cluster."""

    def __init__(self, plan: Plan, options: Options, bar: Progress, stopped: Callable[[], bool]) -> None:
        self._plan = plan
        self._options = options
        self._bar = bar
        self._stopped = stopped
        self.n_before = 0  # conditions that were there already
        self.n_done = 0

    def run(self, chunks: list[range] | None, receive: Callable[[Piece], None]) -> None:
        """Run chunks of conditions, or all of them; `receive` gets the pieces. Ctrl-C ends it early."""

        def take(piece: Piece) -> None:
            receive(piece)
            self.n_done += piece.stop - piece.start
            self._bar.add(piece.stop - piece.start)
            if self._stopped():
                raise Stopped

        try:
            if self._options.scheduler is not None:
                self._on_cluster(chunks, take)
            elif chunks is None:
                self._in_pieces(take)
            else:
                for chunk in chunks:
                    take(self._plan.run(chunk.start, chunk.stop, self._options.threads, self._stopped))
        except Stopped:
            pass

    def _in_pieces(self, take: Callable[[Piece], None]) -> None:
        """All conditions, in pieces that take about as long as one wants to wait."""
        n, start, size = self._plan.grid.n_conditions, 0, FIRST_PIECE
        while start < n:
            stop = min(n, start + size)
            began = time.perf_counter()
            take(self._plan.run(start, stop, self._options.threads, self._stopped))
            seconds = max(time.perf_counter() - began, 1e-9)
            size = max(1, min(16 * size, int((stop - start) * PIECE_SECONDS / seconds)))
            start = stop

    def _on_cluster(self, chunks: list[range] | None, take: Callable[[Piece], None]) -> None:
        if self._plan.data is None:
            raise SetupError(
                "this model cannot be sent to a cluster",
                hint=f"{self._plan.why_not_data}\nLeave scheduler= out.",
            )
        if chunks is None:
            n, size = self._plan.grid.n_conditions, self.chunk()
            chunks = [range(k, min(n, k + size)) for k in range(0, n, size)]
        with as_client(self._options.scheduler) as client:
            run_on_cluster(client, Job(self._plan.data), chunks, take, self._look)

    def _look(self) -> None:
        if self._stopped():
            raise Stopped

    def chunk(self) -> int:
        """About how many conditions are written, or sent, at once."""
        if self._options.chunk is not None:
            return self._options.chunk
        n = self._plan.grid.n_conditions
        return max(1, min(-(-n // CHUNKS), CHUNK_BYTES // max(1, self._plan.memory())))

    def to_store(
        self, path: Path, axes: list[Axis], fields: list[Field], attributes: dict[str, Any]
    ) -> xarray.Dataset:
        """Run what is missing in a Zarr folder."""
        plan = self._plan
        with Store.create(
            path, axes, fields, attributes, token(_identity(plan, attributes)), self.chunk(), plan=plan.data
        ) as store:
            missing = store.missing()
            self.n_before = self.n_done = plan.grid.n_conditions - sum(map(len, missing))
            self._bar.begin_with(self.n_done)
            self.run(missing, store.write)
            store.finish()
        return open_sweep(path)


def _identity(plan: Plan, attributes: dict[str, Any]) -> bytes:
    """What tells a sweep from all others; of one that is no data, as much as there is."""
    if plan.data is not None:
        return plan.data
    values = [
        (name, axis, [exact_text(p.at(k)) for k in range(len(p))])
        for name, (axis, p) in plan.grid.parameters().items()
    ]
    records = [{name: r.to_dict() for name, r in s.records.items()} for s in plan.structures]
    return repr((attributes, values, records)).encode()
