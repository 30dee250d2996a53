"""An outcome as files: a page that needs nothing else, and figure, table and data for further work."""

from __future__ import annotations

import base64
import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eccles.errors import SetupError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from eccles.lab.experiments.study import Outcome

__all__ = ["check_folder", "report_page", "save_report", "versions", "write_table"]

PACKAGES = ("eccles", "numpy", "llvmlite", "xarray", "matplotlib")
RESOLUTION = 150  # dots per inch
FILES = {
    "figure.png": "the figure",
    "figure.svg": "the figure, as lines",
    "table.csv": "the table, with all digits",
    "data.nc": "all data, labelled (netCDF)",
    "report.html": "all of it on one page",
}


def save_report(
    outcome: Outcome, folder: str | Path, *, title: str, source: str = "", date: str = ""
) -> list[Path]:
    """Write an outcome into a folder: `figure.png`, `figure.svg`, `table.csv`, `data.nc` and `report.html`.

    Each file appears when it is complete; one that was there before is replaced then.

    Parameters
    ----------
    outcome : Outcome
    folder : path
        It is made where it is missing.
    title : str
        The question, in a line.
    source : str, optional
        The publication that it is about.
    date : str, optional
        What the report says about its date; without it the same outcome gives the same page.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    SetupError
        If the folder cannot be written to.
    """
    folder = check_folder(folder)
    figure = outcome.draw()
    png = _png(figure)
    page = report_page(outcome, png, title=title, source=source, date=date)
    writers = {
        "figure.png": lambda path: path.write_bytes(png),
        "figure.svg": lambda path: _write_svg(figure, path),
        "table.csv": lambda path: write_table(outcome.table, path),
        "data.nc": lambda path: outcome.data.to_netcdf(path, engine="h5netcdf"),
        "report.html": lambda path: path.write_text(page, encoding="utf-8"),
    }
    paths = [folder / name for name in FILES]
    for path in paths:
        try:
            with _complete(path) as new:
                writers[path.name](new)
        except OSError as error:
            raise SetupError(f"'{path}' cannot be written: {error.strerror or error}") from error
    return paths


def check_folder(folder: str | Path) -> Path:
    """A folder that can be written to; it is made where it is missing.

    Raises
    ------
    SetupError
        If it cannot be made, or nothing can be written into it.
    """
    path = Path(folder)
    if path.exists() and not path.is_dir():
        raise SetupError(f"'{path}' is a file, so nothing can be written into it", hint="Name a folder.")
    try:
        path.mkdir(parents=True, exist_ok=True)
        trial = path / f".eccles-{os.getpid()}"
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise SetupError(
            f"nothing can be written into '{path}': {error.strerror or error}",
            hint="Name another folder, or make it one that you may write into.",
        ) from error
    return path


def report_page(outcome: Outcome, png: bytes, *, title: str, source: str = "", date: str = "") -> str:
    """The page, as HTML that needs no other file.

    Parameters
    ----------
    png : bytes
        The figure.
    title, source, date
        As for `save_report`.
    """
    import jinja2

    columns = outcome.table
    template = (resources.files("eccles.lab") / "report.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    found = versions()
    return environment.from_string(template).render(
        title=title,
        source=source,
        date=date,
        figure=base64.b64encode(png).decode("ascii"),
        alt=_alternative(title, outcome),
        columns=list(columns),
        rows=[[shown(value) for value in row] for row in zip(*columns.values(), strict=True)],
        numeric=[all(_is_number(value) for value in values) for values in columns.values()],
        findings=outcome.findings,
        notes=outcome.notes,
        models=outcome.models or {},
        versions=found,
        citation=citation(found["eccles"]),
        files=FILES,
    )


def citation(version: str) -> str:
    """How to cite Eccles."""
    return (
        "The Eccles developers. Eccles: a spiking-network simulator and plasticity laboratory, "
        f"version {version}."
    )


def versions() -> dict[str, str]:
    """What the numbers depend on: packages and their versions."""
    import platform

    from eccles import __version__

    found = {"eccles": __version__}
    found |= {name: metadata.version(name) for name in PACKAGES if name not in found}
    return {**found, "python": platform.python_version()}


def shown(value: Any, digits: int = 6) -> str:
    """A value of a table as people read it: six digits or so, a dash where there is none."""
    if not _is_number(value):
        return str(value)
    return "–" if value != value else f"{float(value):.{digits}g}" if isinstance(value, float) else str(value)


def _is_number(value: Any) -> bool:
    import numpy as np

    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _alternative(title: str, outcome: Outcome) -> str:
    """What a reader who does not see the figure is told."""
    findings = " ".join(outcome.findings[:3])
    return f"Figure: {title} {findings} All numbers are in the table below.".replace("  ", " ")


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=RESOLUTION, metadata={"Software": None})
    return buffer.getvalue()


def _write_svg(figure: Figure, path: Path) -> None:
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": "eccles"}):  # the same figure is the same file
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def write_table(table: Mapping[str, Iterable[Any]], path: Path) -> None:
    """Write columns as comma-separated values, with their names in the first row."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*(_plain(values) for values in table.values()), strict=True))


def _plain(values: Iterable[Any]) -> list[Any]:
    """Python's own numbers: those of NumPy would be written with the names of their types."""
    return [value.item() if hasattr(value, "item") else value for value in values]


@contextmanager
def _complete(path: Path) -> Iterator[Path]:
    """Where to write a file that takes its place when it is complete, and leaves nothing if it never is."""
    new = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield new
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)
