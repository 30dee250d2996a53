"""The call that sweeps a model."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.errors import SetupError, warn
from eccles.objects import magic
from eccles.objects.interrupt import Interrupt
from eccles.results.dataset import assemble
from eccles.results.files import open_sweep, save
from eccles.results.layout import Axis, Field, Piece
from eccles.sweeps.archive import Job, pack, token, unpack
from eccles.sweeps.distributed import as_client, run_on_cluster
from eccles.sweeps.execute import Stopped
from eccles.sweeps.memory import check_memory
from eccles.sweeps.parameters import Grid
from eccles.sweeps.plan import Plan
from eccles.sweeps.progress import Progress
from eccles.sweeps.seeds import Seeds
from eccles.sweeps.store import Store
from eccles.sweeps.structure import structures

if TYPE_CHECKING:
    import xarray

__all__ = ["default_options", "rerun", "sweep"]

FIRST_PIECE = 256  # conditions
PIECE_SECONDS = 0.5  # about as long as Ctrl-C and the progress bar wait
CHUNK_BYTES = 1 << 25  # of results in a chunk that is written or sent at once
CHUNKS = 200  # of a sweep, about


def sweep(
    model: Callable[..., Any],
    /,
    *,
    record: Any = None,
    independent: bool = False,
    seed: int | None = None,
    out: str | Path | None = None,
    threads: int | None = None,
    scheduler: Any = None,
    chunk: int | None = None,
    progress: bool | None = None,
    memory_limit: int | None = None,
    **parameters: Any,
) -> xarray.Dataset:
    """Run a model in all conditions of an experiment at once.

    Parameters
    ----------
    model : callable
        A function that makes a network from the parameters and calls `run()`, as a script does. It is called
        once for all conditions, with stand-ins for the numbers that vary: see Notes.
    record : text, record, list or dict, optional
        What to keep of each condition: `"S.w"` is the final value, `"P.spikes"`, `"P.count"` and `"P.rate"`
        are what they say; `eccles.record` has traces, means, maxima and others. Names are those of the
        variables in the model function. A dict gives the results names. By default what the monitors of
        the model record.
    independent : bool
        Whether each condition has random numbers of its own. By default all conditions of a trial share
        them, so that conditions differ by their parameters alone.
    seed : int, optional
        Of the random numbers; by default that of `eccles.seed`.
    out : path, optional
        Write results to a Zarr folder while they come (`.zarr`), or to a NetCDF file at the end (`.nc`). An
        interrupted sweep goes on with the same call.
    threads : int, optional
        By default as many as there are cores.
    scheduler : dask.distributed.Client, cluster or address, optional
        Compute on a Dask cluster.
    chunk : int, optional
        Conditions that are written, or sent to a worker, at once.
    progress : bool, optional
        Whether to show how far it is; by default on a terminal.
    memory_limit : int, optional
        Bytes that results may take in memory; by default most of what the machine has.
    **parameters : values
        For each parameter of the model a list, array or quantity of values, or a single one; all combinations
        make the conditions. `zipped(...)` makes parameters that go together. `trial` numbers repetitions
        with other random numbers; the model need not take it.

    Returns
    -------
    xarray.Dataset
        With a dimension for each parameter, in the order given. `failed` marks conditions in which something
        went wrong; the attribute `failures` says what.

    Raises
    ------
    SetupError
        If parameters and model do not fit together, or the results do not fit into memory.
    ModelError
        If the model is wrong.

    Notes
    -----
    A swept value can be used in equations, as an initial value, a weight, a rate, a delay, a stimulus or
    spike train, and in arithmetic for any of these. Where a value is needed at once (as a size, in an `if`),
    the model is called once for each value instead.

    What a condition gives are the bits that its model gives when it is run alone with the same seed, whatever
    the number of threads, chunks, or other conditions.
    """
    options = _Options.of(
        out=out, threads=threads, scheduler=scheduler, chunk=chunk, progress=progress,
        memory_limit=memory_limit,
    )  # fmt: skip
    if seed is None:
        seed = _seed_to_go_on_with(options.out)
    plan = make_plan(model, record, parameters, seed, independent)
    return run_plan(plan, _attributes(model, plan), options)


@dataclass(frozen=True)
class _Options:
    """How a sweep is run; see `sweep`."""

    out: Path | None = None
    threads: int | None = None
    scheduler: Any = None
    chunk: int | None = None
    progress: bool | None = None
    memory_limit: int | None = None

    @classmethod
    def of(cls, **given: Any) -> _Options:
        """The options of a call, checked; what is not given is as `default_options` has it."""
        given = {name: value for name, value in given.items() if value is not None}
        taken = [name for name in given if name == "out" and "out" in _defaults]
        if taken:
            warn("out_twice", f"results go to {_defaults['out']}, not to {given['out']}")
        options = cls(**{**given, **_defaults})
        for name in ("threads", "chunk"):
            value = getattr(options, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise SetupError(f"{name} has to be a positive whole number, not {value!r}")
        if options.out is None:
            return options
        path = Path(options.out)
        if path.suffix not in (".nc", ".zarr"):
            raise SetupError(
                f"out='{path}' does not tell how to write results",
                hint="Names end in .zarr (a folder that is written while the sweep runs) or .nc (one file).",
            )
        return replace(options, out=path)


_defaults: dict[str, Any] = {}  # of the sweeps of a script that runs under `eccles sweep`


@contextmanager
def default_options(**options: Any) -> Iterator[None]:
    """Calls of `sweep` within have these options."""
    before = dict(_defaults)
    _defaults.update({name: value for name, value in options.items() if value is not None})
    try:
        yield
    finally:
        _defaults.clear()
        _defaults.update(before)


def make_plan(
    model: Callable[..., Any], record: Any, parameters: dict[str, Any], seed: int | None, independent: bool
) -> Plan:
    """Call the model, as often as needed, and plan the sweep."""
    _check_names(model)
    grid = Grid(parameters)
    seeds = Seeds(magic.seed_value() if seed is None else seed, independent)
    failures: dict[int, str] = {}
    found = list(structures(model, grid, seeds, record, failures))
    plan = Plan(grid, seeds, found, failures)
    try:
        pack(plan)
    except SetupError as reason:
        plan.why_not_data = str(reason)
    return plan


def rerun(
    result: xarray.Dataset | str | Path,
    *,
    out: str | Path | None = None,
    threads: int | None = None,
    scheduler: Any = None,
    chunk: int | None = None,
    progress: bool | None = None,
    memory_limit: int | None = None,
) -> xarray.Dataset:
    """Run a sweep again from its result alone: the same bits, without the script that made it.

    Parameters
    ----------
    result : Dataset or path
        What `sweep` returned, or a file of it. A Zarr folder that is not complete is completed with `out=`
        that folder.
    out, threads, scheduler, chunk, progress, memory_limit
        As for `sweep`.

    Raises
    ------
    SetupError
        If the model had Python code in it (network operations), which is not kept.
    """
    dataset = open_sweep(result) if isinstance(result, str | Path) else result
    if "plan" not in dataset:
        raise SetupError(
            "this result does not hold its model, so it cannot be run again without the script",
            hint=dataset.attrs.get("why_no_plan") or "Call sweep() with the model again.",
        )
    plan = unpack(np.asarray(dataset["plan"], np.uint8).tobytes())
    names = ("model", "model_source", "seed", "independent", "duration")
    attributes = {name: dataset.attrs[name] for name in names if name in dataset.attrs}
    dataset.close()
    options = _Options.of(
        out=out, threads=threads, scheduler=scheduler, chunk=chunk, progress=progress,
        memory_limit=memory_limit,
    )  # fmt: skip
    return run_plan(plan, attributes, options)


def run_plan(plan: Plan, attributes: dict[str, Any], options: _Options) -> xarray.Dataset:
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
    if engine.n_done < n:
        kept = " The same call goes on with them." if on_disk else ""
        warn(
            "interrupted",
            f"the sweep was interrupted: {engine.n_done} of {n} conditions are there, the others are marked "
            f"as failed.{kept}",
        )
    return result


class _Engine:
    """Runs chunks of a plan here or on a cluster."""

    def __init__(self, plan: Plan, options: _Options, bar: Progress, stopped: Callable[[], bool]) -> None:
        self._plan = plan
        self._options = options
        self._bar = bar
        self._stopped = stopped
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
        name = (
            token(plan.data) if plan.data is not None else token(repr((attributes, plan.labels())).encode())
        )
        with Store.create(path, axes, fields, attributes, name, self.chunk(), plan=plan.data) as store:
            missing = store.missing()
            self.n_done = plan.grid.n_conditions - sum(map(len, missing))
            self._bar.add(self.n_done)
            self.run(missing, store.write)
            store.finish()
        return open_sweep(path)


def _seed_to_go_on_with(out: Path | None) -> int | None:
    """The seed of a sweep that is on disk already, unless the user has chosen one."""
    if out is None or magic.seed_is_given() or not (out / "zarr.json").exists():
        return None
    with open_sweep(out) as dataset:
        found = dataset.attrs.get("seed", "")
    return int(found) if str(found).lstrip("-").isdigit() else None


def _check_names(model: Callable[..., Any]) -> None:
    """A parameter of the model that is called like an option could not be swept."""
    options = [p.name for p in inspect.signature(sweep).parameters.values() if p.kind is p.KEYWORD_ONLY]
    if callable(model):
        taken = [name for name in inspect.signature(model).parameters if name in options]
        if taken:
            raise SetupError(
                f"a parameter of the model is called '{taken[0]}', as an option of sweep() is",
                hint=f"Rename it in the model, as in '{taken[0]}_'.",
            )


def _attributes(model: Callable[..., Any], plan: Plan) -> dict[str, Any]:
    """What the result says of its making."""
    try:
        source = inspect.getsource(model)
    except (OSError, TypeError):
        source = ""  # typed at a prompt
    durations = {s.seconds for s in plan.structures}
    return {
        "model": getattr(model, "__name__", type(model).__name__),
        "model_source": source,
        "seed": str(plan.seeds.seed),
        "independent": plan.seeds.independent,
        "duration": max(durations, default=0.0),
    }
