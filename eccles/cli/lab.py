"""The studies of the laboratory on the command line: which there are, running one, and what is in it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from eccles.cli.arguments import option, report_folder
from eccles.cli.outcome import print_outcome
from eccles.errors import EcclesError, EcclesWarning

if TYPE_CHECKING:
    from eccles.lab.experiments import Outcome, Study

__all__ = ["app", "completed", "interrupted", "write_report"]

app = typer.Typer(help="Experiments of the laboratory, published ones among them.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="As `eccles lab list` has it.")]
INTERRUPTED = 130


class _Interrupted(KeyboardInterrupt):
    """Ctrl-C has ended a sweep of a study in good order."""


class _Watch:
    """Is told of the sweeps of a study: what one that was interrupted gives is no result."""

    def begins(self) -> None:
        pass

    def ends(self, result: Any, out: Path | None, n_before: int, n_done: int) -> None:
        if n_done < result["failed"].size:
            raise _Interrupted


@app.command("list")
def list_studies() -> None:
    """Which studies there are."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from eccles.lab.experiments import studies

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("question")
    table.add_column("source")
    for study in studies():
        table.add_row(Text(study.name), Text(study.title), Text(study.source))
    Console().print(table)
    print("eccles lab run NAME --out FOLDER runs one; eccles lab show NAME prints its models.")


@app.command()
def run(
    name: NameArgument,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where figure, table, data and report go; made if missing."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="In seconds: fewer trials where there are any.")
    ] = False,
    date: Annotated[str, typer.Option(metavar="TEXT", help="A date for the report, as you write it.")] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but what went wrong.")] = False,
) -> None:
    """Run a study: print what came out, and write a report.

    eccles lab run gap-and-rate --out results
    """
    study = _study(name)
    if out is not None:  # now, and not after an hour
        option("--out", report_folder, out)
    if not quiet:
        print(f"{study.name}: {study.title}", flush=True)
    outcome = _outcome(study, quick, quiet)
    if not quiet:
        print_outcome(outcome)
    if out is None:
        if not quiet:
            print("\nNothing is written: --out FOLDER keeps figure, table, data and a report.")
        return
    write_report(outcome, study, out, date=date, quiet=quiet)


@app.command()
def show(name: NameArgument) -> None:
    """Print the models of a study: rules, neurons and protocols, with their numbers.

    The study is run quickly for this.
    """
    study = _study(name)
    models = _outcome(study, quick=True, quiet=True).models
    print("\n\n".join(f"== {what}\n{text}" for what, text in (models or {}).items()) or "It names no models.")


def _study(name: str) -> Study:
    from eccles.lab.experiments import study

    try:
        return study(name)
    except EcclesError as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from None


def _outcome(study: Study, quick: bool, quiet: bool) -> Outcome:
    """Run it; errors and Ctrl-C end the command."""
    try:
        return completed(lambda: study.run(quick=quick), quiet, "nothing is written")
    except EcclesError as error:
        _fail(error)


def completed(run: Callable[[], Outcome], quiet: bool, missing: str) -> Outcome:
    """What a study gives. Ctrl-C ends the command, and says what is `missing`: half of it is no result."""
    from eccles.sweeps.options import default_options

    try:
        with default_options(progress=not quiet, watcher=_Watch()), warnings.catch_warnings():
            # a run that Ctrl-C ends warns of it, and gives what there is
            warnings.filterwarnings("error", "the run was interrupted", EcclesWarning)
            return run()
    except KeyboardInterrupt:
        interrupted(missing)
    except EcclesWarning as warning:
        if warning.name != "interrupted":
            raise
        interrupted(missing)


def write_report(outcome: Outcome, study: Study, folder: Path, *, date: str = "", quiet: bool) -> None:
    """Write a report and say where its files are; an error ends the command."""
    from eccles.lab.report import save_report

    try:
        paths = save_report(outcome, folder, title=study.title, source=study.source, date=date)
    except EcclesError as error:
        _fail(error)
    if not quiet:
        print()
        for path in paths:
            print(f"wrote {path}")


def interrupted(missing: str) -> NoReturn:
    """End the command as after Ctrl-C."""
    typer.echo(f"Interrupted: {missing}.", err=True)
    raise typer.Exit(INTERRUPTED) from None


def _fail(error: EcclesError) -> NoReturn:
    typer.echo(f"{type(error).__name__}: {error}", err=True)
    raise typer.Exit(1) from None
