"""The commands. Each reads its arguments, calls what does the work, and prints."""

from __future__ import annotations

import contextlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from eccles import __version__
from eccles.cli import arguments
from eccles.cli.lab import app as lab_app
from eccles.cli.lab import completed, interrupted, write_report
from eccles.cli.outcome import print_outcome
from eccles.errors import EcclesError

__all__ = ["app"]

app = typer.Typer(
    help="Eccles: a spiking-network simulator and plasticity laboratory.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
cache_app = typer.Typer(help="The machine code that Eccles keeps on disk.", no_args_is_help=True)
app.add_typer(cache_app, name="cache")
app.add_typer(lab_app, name="lab")

# `run` hands on all that follows the script, as Python does; `show` reads its own options there too
PASS_ON_ALL = {"allow_extra_args": True, "allow_interspersed_args": False}
PASS_ON_REST = {"allow_extra_args": True}


class SpikeTimes(StrEnum):
    """What `eccles beats` does with the moments of spikes."""

    precise = "precise"
    grid = "grid"


class Coincidence(StrEnum):
    """Which spike of a pair comes first where both come at once."""

    pre_first = "pre_first"
    post_first = "post_first"


class Stage(StrEnum):
    """The forms that `eccles show` knows."""

    tree = "tree"
    step = "step"
    ir = "ir"
    llvm = "llvm"
    asm = "asm"


def _version(wanted: bool) -> None:
    if wanted:
        print(f"eccles {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options of `eccles` itself."""


# -- beats --------------------------------------------------------------------------------------------


# the rates of the forum thread, and others whose beat is hard to keep: what `eccles beats` alone shows
THREAD = ("200", "250,220,210")
OTHERS = ("250,400,400,440,250,300", "255,404,410,444,248,307.83")
NO_CONTROLS = "there are no controls, and no report"


@app.command()
def beats(
    pre: Annotated[
        str | None, typer.Option(help="Presynaptic rates in Hz: one for all pairs, or one for each.  [200]")
    ] = None,
    post: Annotated[
        str | None, typer.Option(help="Postsynaptic rates in Hz, one for each pair.  [250,220,210]")
    ] = None,
    duration: Annotated[str, typer.Option(help="How long to simulate, with its unit: 2s, 500ms")] = "2s",
    dt: Annotated[str, typer.Option(help="The time step, with its unit.")] = "0.1ms",
    spike_times: Annotated[
        SpikeTimes, typer.Option(help="Exact spike times, or multiples of the time step.")
    ] = SpikeTimes.precise,
    coincidence: Annotated[
        Coincidence, typer.Option(help="Which spike comes first where both neurons of a pair spike at once.")
    ] = Coincidence.pre_first,
    pre_phase: Annotated[
        str, typer.Option(help="Part of its period that each presynaptic neuron has behind it at the start.")
    ] = "0",
    post_phase: Annotated[str, typer.Option(help="The same for postsynaptic neurons.")] = "0",
    random_phases: Annotated[
        int, typer.Option(min=0, help="How many random phases to simulate as well, for the spread.")
    ] = 200,
    figure: Annotated[
        Path | None, typer.Option(help="Draw spikes and weights into a .png, .svg or .pdf.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the results: everything, labelled (.nc), or the table (.csv).")
    ] = None,
    controls: Annotated[
        bool,
        typer.Option(
            help="Simulate controls as well, and EPSPs before and after: at exact times, from phases of 0."
        ),
    ] = True,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write what these gave: a page to mail, figure, table and data."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but warnings.")] = False,
) -> None:
    """Pairs of neurons that fire at two rates, with spike-timing-dependent plasticity between them.

    Two trains of spikes at 200 and 250 Hz drift past each other 50 times a second: a beat of 50 Hz. What
    does that do to the weight of the synapse? Spikes come at exact times; what a time grid would make of the
    same rates stands beside. Controls follow: the same rates with other phases, jitter, or no beat at all,
    and the EPSP before and after, of a neuron with units and of one without, with the synapse driving it or
    not.

        eccles beats --pre 200 --post 250,220,210 --duration 2s --figure out/beats.png

    Without --pre and --post it shows these pairs, and others whose beat a grid loses.
    """
    from rich.console import Console

    from eccles.cli.beats_tables import notes, rates_table, weights_table
    from eccles.lab.beats import beats as simulate
    from eccles.lab.beats_files import save_dataset, save_table
    from eccles.lab.beats_grid import grid_effect
    from eccles.lab.beats_plot import FIGURE_FORMATS, save_figure

    pre_rates = arguments.option("--pre", arguments.rates, pre or THREAD[0])
    post_rates = arguments.option("--post", arguments.rates, post or THREAD[1])
    length, step = (
        arguments.option("--duration", arguments.time, duration),
        arguments.option("--dt", arguments.time, dt),
    )
    options = {
        "duration": length,
        "dt": step,
        "spike_times": spike_times.value,
        "with_grid": spike_times is SpikeTimes.precise,
    }
    phases = {
        "pre_phase": arguments.option("--pre-phase", arguments.phases, pre_phase),
        "post_phase": arguments.option("--post-phase", arguments.phases, post_phase),
    }
    writers = {".nc": save_dataset, ".csv": save_table}
    if figure is not None:
        arguments.option("--figure", lambda path: arguments.result_file(path, FIGURE_FORMATS), figure)
    if out is not None:
        arguments.option("--out", lambda path: arguments.result_file(path, tuple(writers)), out)
    if report is not None:
        arguments.option("--report", arguments.report_folder, report)
    try:
        result = simulate(pre_rates, post_rates, coincidence=coincidence.value, random_phases=random_phases,
                           report=None if quiet else "bar", **phases, **options)  # fmt: skip
    except EcclesError as error:
        raise typer.BadParameter(str(error)) from None
    if not quiet:
        others = None
        if pre is None and post is None:
            others = simulate(*(arguments.rates(rates) for rates in OTHERS), **options)
        for part in (rates_table(result, others), weights_table(result), notes(result)):
            Console().print(part)
    _say(grid_effect(result), quiet)
    for path, write in ((figure, save_figure), (out, writers[out.suffix.lower()] if out else None)):
        if path is not None and write is not None:
            try:
                write(result, path)
            except OSError as error:
                raise typer.BadParameter(f"'{path}' cannot be written: {error}") from None
            if not quiet:
                print(f"wrote {path}")
    if report is not None or (controls and not quiet):
        if float(result.duration) < float(length) - float(step):
            interrupted(NO_CONTROLS)
        rates = list(zip(result.pre_rate.tolist(), result.post_rate.tolist(), strict=True))
        _study_of_beats(rates, length, report, quiet)


def _study_of_beats(
    rates: list[tuple[float, float]], duration: Any, folder: Path | None, quiet: bool
) -> None:
    """The pairs with their controls and EPSPs: print what came out, and write it where that is asked for."""
    from eccles.lab.experiments.beating_pairs import STUDY

    try:
        outcome = completed(lambda: STUDY.run(rates=rates, duration=duration), quiet, NO_CONTROLS)
    except EcclesError as error:
        if folder is not None:
            raise typer.BadParameter(str(error), param_hint="--report") from None
        typer.echo(f"No controls: {error}", err=True)
        return
    if not quiet:
        print(f"\n{STUDY.title}")
        print_outcome(outcome)
    if folder is not None:
        write_report(outcome, STUDY, folder, quiet=quiet)


def _say(explanation: str, quiet: bool) -> None:
    """Print the effect of the grid; a lost beat goes to standard error, in red, even if quiet."""
    from rich.console import Console
    from rich.text import Text

    effect, *warnings = explanation.splitlines()
    if not quiet:
        Console().print(Text(f"\n{effect}"))
    for warning in warnings:
        Console(stderr=True).print(Text(f"\n{warning}", style="bold red"))


# -- scripts ------------------------------------------------------------------------------------------


def _check_file(path: Path, argument: str = "SCRIPT") -> None:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise typer.BadParameter(f"'{path}' {what}", param_hint=argument)


@contextlib.contextmanager
def _users_script(brian2: bool) -> Any:
    """What runs inside is the user's: its errors are shown without our frames, and end with code 1."""
    from eccles.cli.brian2_import import brian2_is_eccles
    from eccles.cli.script import report

    try:
        with brian2_is_eccles() if brian2 else contextlib.nullcontext():
            yield
    except Exception as error:
        typer.echo(report(error, brian2), err=True, nl=False)
        raise typer.Exit(1) from None


@app.command(context_settings=PASS_ON_ALL)
def run(
    context: typer.Context,
    script: Annotated[Path, typer.Argument(help="The script; what follows is handed to it.")],
    brian2: Annotated[
        bool, typer.Option("--brian2", help="`import brian2` gives Eccles: for scripts that stay untouched.")
    ] = False,
) -> None:
    """Run a script, with short error messages; with --brian2 one that was written for Brian 2.

    eccles run --brian2 script.py
    """
    from eccles.cli.script import execute

    _check_file(script)
    with _users_script(brian2):
        execute(script, context.args)


@app.command(context_settings=PASS_ON_REST)
def show(
    context: typer.Context,
    script: Annotated[
        Path,
        typer.Argument(
            help="The script; it runs up to its first run(). Options for the script go behind `--`."
        ),
    ],
    stage: Annotated[
        Stage,
        typer.Option(
            help="tree: model text as read; step: statements of a time step; ir, llvm, asm: programs."
        ),
    ] = Stage.step,
    only: Annotated[
        str | None, typer.Option("--object", metavar="NAME", help="Show this object of the network only.")
    ] = None,
    brian2: Annotated[bool, typer.Option("--brian2", help="As for `eccles run`.")] = False,
) -> None:
    """Show what becomes of a script's model on its way to machine code.

    eccles show script.py --stage step
    """
    from eccles.cli.show import first_network, form

    _check_file(script)
    with _users_script(brian2):
        network, objects = first_network(script, context.args)
        text = form(stage.value, network, objects, only)
    print(text)


# -- sweeps -------------------------------------------------------------------------------------------


@app.command(context_settings=PASS_ON_REST)
def sweep(
    context: typer.Context,
    study: Annotated[
        Path,
        typer.Argument(
            help="A script, whose own options go behind `--`, or a result (.zarr, .nc).",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PLACE",
            help="Where results go: a .zarr folder, as they come, or a .nc file, at the end.",
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(metavar="N", help="How many threads compute.  [all cores]")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Compute on a Dask cluster: tcp://host:8786"),
    ] = None,
    chunk: Annotated[
        int | None,
        typer.Option(metavar="N", help="Conditions that are written, or sent to a worker, at once."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but what went wrong.")] = False,
) -> None:
    """Run the sweep of a script, see how far it is, and go on after an interruption.

    * `eccles sweep study.py --out study.zarr` runs a script; its call of sweep() gets these options.

    * `eccles sweep study.zarr` completes a result, without the script.

    * `eccles sweep study.nc --out again.zarr` computes it again from the result alone, with the same bits.

    Ctrl-C ends a sweep in good order, a second one ends it at once. After that, or after a crash, the same
    command goes on with what is missing. The result is that of a sweep that was never interrupted.
    """
    from eccles.cli.sweep import RESULTS, Interrupted, Report, complete, run_script, stop_at_once

    if not (study.is_dir() and study.suffix in RESULTS):
        _check_file(study, "STUDY")
    if out is not None:
        arguments.option("--out", arguments.sweep_place, out)
    for name, number in (("--threads", threads), ("--chunk", chunk)):
        arguments.option(name, arguments.at_least_one, number)
    report = Report(out, quiet)
    options = {"threads": threads, "scheduler": scheduler, "chunk": chunk, "progress": not quiet}
    try:
        with _users_script(brian2=False):
            if study.suffix in RESULTS:
                complete(study, out, report, **options)
            else:
                run_script(study, context.args, report, out=out, **options)
    except Interrupted as interrupt:
        typer.echo(str(interrupt), err=True)
        raise typer.Exit(130) from None
    except KeyboardInterrupt:
        typer.echo("Stopped at once. What a .zarr folder holds is kept.", err=True)
        stop_at_once(130)


# -- the machine --------------------------------------------------------------------------------------


@app.command()
def doctor() -> None:
    """Check whether Eccles works on this machine; ends with code 1 if something is broken."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from eccles.cli.doctor import examine

    findings = examine()
    signs = {"ok": Text("ok", style="green"), "note": Text("note", style="yellow"),
             "broken": Text("BROKEN", style="bold red")}  # fmt: skip
    table = Table(box=None, show_header=False)
    for finding in findings:
        table.add_row(signs[finding.state], finding.what, Text(finding.found))
    Console(soft_wrap=True).print(table)
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(1)


@cache_app.command("info")
def cache_info() -> None:
    """Where the cache is and how large."""
    from eccles.compile import cache

    folder = cache.directory()
    if folder is None:
        print("no cache: there is no folder that is private to you and can be written to")
        return
    files, size = cache.size()
    print(f"{folder}: {files} programs, {size / 2**20:.1f} MiB")


@cache_app.command("clear")
def cache_clear() -> None:
    """Remove everything in the cache."""
    from eccles.compile import cache

    print(f"removed {cache.clear_cache()} files")
