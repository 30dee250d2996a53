"""Sweeps from the command line: those of a script, and results that are completed or computed again."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from eccles.cli.script import execute
from eccles.errors import SetupError
from eccles.results.conditions import condition_dims
from eccles.results.failures import failed_conditions
from eccles.results.files import open_sweep
from eccles.sweeps.options import default_options
from eccles.sweeps.progress import clock
from eccles.sweeps.sweeping import rerun

if TYPE_CHECKING:
    import xarray

__all__ = [
    "RESULTS",
    "Interrupted",
    "Report",
    "complete",
    "interrupted",
    "run_script",
    "stop_at_once",
    "summary",
]

RESULTS = (".zarr", ".nc")


class Interrupted(KeyboardInterrupt):
    """A sweep was interrupted and has ended in good order; the message says what there is."""


class Report:
    """Prints a summary of each sweep that ends; sees that sweeps and `--out` go together.

    Parameters
    ----------
    out : path, optional
        Where the command has results written.
    quiet : bool
        Print nothing but what went wrong.
    """

    def __init__(self, out: Path | None, quiet: bool) -> None:
        self._out = out
        self._quiet = quiet
        self.n_sweeps = 0
        self._began = time.monotonic()

    def begins(self) -> None:
        """A sweep begins.

        Raises
        ------
        SetupError
            If it is the second that would write to the same place.
        """
        self.n_sweeps += 1
        if self.n_sweeps > 1 and self._out is not None:
            raise SetupError(
                f"the script has more than one sweep, and --out {self._out} is the place for one",
                hint="Leave --out out, and give each sweep of the script a place of its own, as in\n"
                'sweep(..., out="first.zarr"). What is there already is not computed again.',
            )
        self._began = time.monotonic()

    def ends(self, result: xarray.Dataset, out: Path | None, n_before: int, n_done: int) -> None:
        """A sweep has ended.

        Raises
        ------
        Interrupted
            If it has not come to its end.
        """
        n = result["failed"].size
        if n_done < n:
            raise Interrupted(interrupted(out, n_done, n))
        if self._quiet:
            for line in failed_conditions(result):  # results without a word would look complete
                print(line, file=sys.stderr)
        else:
            took = time.monotonic() - self._began
            print("\n".join(summary(result, out, took, n_before)), flush=True)


def run_script(path: Path, arguments: Sequence[str], report: Report, **options: Any) -> None:
    """Run a script whose sweeps have these options.

    Raises
    ------
    SetupError
        If it does not call `sweep`.
    """
    with default_options(watcher=report, **options):
        execute(path, arguments)
    if report.n_sweeps == 0:
        raise SetupError(
            f"{path} ended without calling sweep()",
            hint="A script for this command makes its sweep when it is run, not only when it is imported.\n"
            f"A script without sweeps runs with: eccles run {path}",
        )


def complete(path: Path, out: Path | None, report: Report, **options: Any) -> None:
    """Compute what is missing in a result; all of it again, to another place, where one is given.

    Raises
    ------
    SetupError
        If it is no result, or the model is not in it.
    """
    with open_sweep(path) as result:
        if out is None and "unfinished" not in result.attrs:
            report.begins()
            report.ends(result, path, result["failed"].size, result["failed"].size)
            return
    with default_options(watcher=report, **options):
        rerun(path, out=path if out is None else out)


def summary(result: xarray.Dataset, out: Path | None, seconds: float, n_before: int) -> Iterator[str]:
    """What became of a sweep, in a few lines.

    Parameters
    ----------
    seconds : float
        How long it took.
    n_before : int
        How many conditions were there before.
    """
    n = result["failed"].size
    took = f"in {clock(seconds) if seconds >= 10 else f'{seconds:.2g} s'}"
    if n_before == n:
        took = "all there already"
    elif n_before:
        took = f"{n - n_before} of them computed now, {took}"
    sizes = " x ".join(f"{dim} {result.sizes[dim]}" for dim in condition_dims(result))
    yield f"{sizes}{': ' if sizes else ''}{_conditions(n)}, {took}"
    yield from failed_conditions(result)
    if out is None:
        yield "The result is not kept: --out study.zarr, or out= in the script, writes it to disk."
    else:
        yield f'Written to {out}. In Python: eccles.open_sweep("{out.as_posix()}")'


def interrupted(out: Path | None, n_done: int, n: int) -> str:
    """What there is of a sweep that was interrupted, and what to do."""
    so_far = f"{n_done} of {_conditions(n)}"
    if out is not None and out.suffix == ".zarr":
        return f"Interrupted: {so_far} are in {out}. The same command goes on with the others."
    where = "results are kept nowhere" if out is None else f"{out} is written at the end only"
    return (
        f"Interrupted: {so_far} were done, and are lost: {where}.\n"
        "With --out study.zarr results are written while they come, and the same command goes on with them."
    )


def stop_at_once(code: int) -> NoReturn:
    """End the process without waiting for threads that write or compute, and without their complaints."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _conditions(n: int) -> str:
    return "1 condition" if n == 1 else f"{n} conditions"
