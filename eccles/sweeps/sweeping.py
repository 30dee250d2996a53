"""The call that sweeps a model."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eccles.errors import SetupError, warn
from eccles.objects import magic
from eccles.objects.interrupt import Interrupt
from eccles.results.dataset import assemble
from eccles.results.layout import Piece
from eccles.sweeps.execute import Stopped
from eccles.sweeps.memory import check_memory
from eccles.sweeps.parameters import Grid
from eccles.sweeps.plan import Plan
from eccles.sweeps.progress import Progress
from eccles.sweeps.structure import Seeds, structures

if TYPE_CHECKING:
    import xarray

__all__ = ["run_plan", "sweep"]

FIRST_PIECE = 64  # conditions
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
    A swept value can be used in equations, as an initial value, a weight, a rate, a delay, a stimulus or spike
    train, and in arithmetic for any of these. Where a value is needed at once (as a size, in an `if`), the
    model is called once for each value instead.

    What a condition gives are the bits that its model gives when it is run alone with the same seed, whatever
    the number of threads, chunks, or other conditions.
    """
    plan = make_plan(model, record, parameters, seed, independent)
    return run_plan(
        plan, _attributes(model, plan), out=out, threads=threads, scheduler=scheduler, chunk=chunk,
        progress=progress, memory_limit=memory_limit,
    )  # fmt: skip


def make_plan(
    model: Callable[..., Any], record: Any, parameters: dict[str, Any], seed: int | None, independent: bool
) -> Plan:
    """Call the model, as often as needed, and plan the sweep."""
    _check_names(model)
    grid = Grid(parameters)
    seeds = Seeds(magic.seed_value() if seed is None else seed, independent)
    failures: dict[int, str] = {}
    found = list(structures(model, grid, seeds, record, failures))
    return Plan(grid, seeds, found, failures)


def run_plan(
    plan: Plan,
    attributes: dict[str, Any],
    *,
    out: str | Path | None = None,
    threads: int | None = None,
    scheduler: Any = None,
    chunk: int | None = None,
    progress: bool | None = None,
    memory_limit: int | None = None,
) -> xarray.Dataset:
    """Run a plan; see `sweep` for the parameters."""
    for name, value in (("threads", threads), ("chunk", chunk)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise SetupError(f"{name} has to be a positive whole number, not {value!r}")
    if chunk is None:
        n = plan.grid.n_conditions
        chunk = max(1, min(-(-n // CHUNKS), CHUNK_BYTES // max(1, plan.memory())))
    axes, fields = plan.labels(), list(plan.fields.values())
    check_memory(plan.grid.n_conditions, plan.memory(), memory_limit)
    pieces: list[Piece] = []
    with Progress(plan.grid.n_conditions, progress) as bar, Interrupt() as interrupt:
        try:
            for piece in _pieces(plan, threads, lambda: interrupt.requested):
                pieces.append(piece)
                bar.add(piece.stop - piece.start)
        except Stopped:
            pass
    if interrupt.requested:
        _warn_interrupted(sum(p.stop - p.start for p in pieces), plan.grid.n_conditions)
    return assemble(axes, fields, pieces, attributes)


def _warn_interrupted(n_done: int, n: int) -> None:
    warn(
        "interrupted",
        f"the sweep was interrupted: {n_done} of {n} conditions are there, the others are marked",
    )


def _pieces(plan: Plan, threads: int | None, stopped: Callable[[], bool]) -> Iterator[Piece]:
    """All conditions, in pieces that take about as long as one wants to wait."""
    n, start, size = plan.grid.n_conditions, 0, FIRST_PIECE
    while start < n:
        stop = min(n, start + size)
        began = time.perf_counter()
        yield plan.run(start, stop, threads, stopped)
        seconds = max(time.perf_counter() - began, 1e-9)
        size = max(1, min(16 * size, int((stop - start) * PIECE_SECONDS / seconds)))
        start = stop


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
