"""The studies of the laboratory on the command line: which there are, running one, and what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from eccles.errors import EcclesError

if TYPE_CHECKING:
    from rich.table import Table

    from eccles.lab.experiments import Outcome, Study

__all__ = ["app"]

app = typer.Typer(help="Experiments of the laboratory, published ones among them.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="As `eccles lab list` has it.")]
INTERRUPTED = 130
GAP = 2  # between columns of a table
HEADING = 14  # characters in a line of a heading, if its words are no longer
DIGITS = 4  # of numbers in a terminal; files have all


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
    from eccles.lab.report import check_folder, save_report

    study = _study(name)
    if out is not None:
        try:
            check_folder(out)  # now, and not after an hour
        except EcclesError as error:
            raise typer.BadParameter(str(error), param_hint="--out") from None
    if not quiet:
        print(f"{study.name}: {study.title}", flush=True)
    outcome = _outcome(study, quick, quiet)
    if not quiet:
        _print(outcome)
    if out is None:
        if not quiet:
            print("\nNothing is written: --out FOLDER keeps figure, table, data and a report.")
        return
    try:
        paths = save_report(outcome, out, title=study.title, source=study.source, date=date)
    except EcclesError as error:
        _fail(error)
    if not quiet:
        print()
        for path in paths:
            print(f"wrote {path}")


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
    from eccles.sweeps.options import default_options

    try:
        with default_options(progress=not quiet, watcher=_Watch()):
            return study.run(quick=quick)
    except KeyboardInterrupt:
        typer.echo("Interrupted: nothing is written.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except EcclesError as error:
        _fail(error)


def _fail(error: EcclesError) -> NoReturn:
    typer.echo(f"{type(error).__name__}: {error}", err=True)
    raise typer.Exit(1) from None


def _print(outcome: Outcome) -> None:
    """Findings, table and notes."""
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for finding in outcome.findings:
        console.print(Text(f"  {finding}"))
    if outcome.table:
        for table in _tables(outcome.table, console.width):
            console.print(table)
    for note in outcome.notes:
        console.print(Text(f"* {note}"))


def _tables(table: Mapping[str, Sequence[Any]], width: int) -> Iterator[Table]:
    """The table; where it is too wide, in parts that each begin with the first column."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from eccles.lab.report import shown

    cells = {name: [shown(value, DIGITS) for value in values] for name, values in table.items()}
    # headings are broken into lines between words, and values not at all
    widths = {
        name: max(min(len(name), HEADING), *map(len, [*name.split(), *texts]))
        for name, texts in cells.items()
    }
    for names in _that_fit(widths, width):
        part = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        for name in names:
            is_text = any(isinstance(value, str) for value in table[name])
            part.add_column(Text(name), justify="left" if is_text else "right", width=widths[name])
        for row in zip(*(cells[name] for name in names), strict=True):
            part.add_row(*map(Text, row))
        yield part


def _that_fit(widths: Mapping[str, int], width: int) -> Iterator[list[str]]:
    """Names of columns in groups that fit side by side; the first one is in all of them."""
    first, *others = widths
    group, used = [first], widths[first] + GAP
    for name in others:
        if used + widths[name] + GAP > width and len(group) > 1:
            yield group
            group, used = [first], widths[first] + GAP
        group.append(name)
        used += widths[name] + GAP
    yield group
