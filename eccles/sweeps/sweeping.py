"""The call that sweeps a model."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.errors import SetupError
from eccles.objects import magic
from eccles.results.files import open_sweep
from eccles.sweeps.archive import pack, unpack
from eccles.sweeps.options import Options
from eccles.sweeps.parameters import Grid
from eccles.sweeps.plan import Plan
from eccles.sweeps.running import run_plan
from eccles.sweeps.seeds import Seeds
from eccles.sweeps.structure import structures

if TYPE_CHECKING:
    import xarray

__all__ = ["rerun", "sweep"]


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
    options = Options.of(
        out=out, threads=threads, scheduler=scheduler, chunk=chunk, progress=progress,
        memory_limit=memory_limit,
    )  # fmt: skip
    if seed is None:
        seed = _seed_to_go_on_with(options.out)
    plan = make_plan(model, record, parameters, seed, independent)
    return run_plan(plan, _attributes(model, plan), options)


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
        that folder. Of a selection, too, the whole sweep is run.
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
    if dataset is not result:
        dataset.close()
    options = Options.of(
        out=out, threads=threads, scheduler=scheduler, chunk=chunk, progress=progress,
        memory_limit=memory_limit,
    )  # fmt: skip
    return run_plan(plan, attributes, options)


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
