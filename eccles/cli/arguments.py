"""Reading what is typed on the command line: times, rates, phases and files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import typer

from eccles.errors import EcclesError, nearest
from eccles.units import Quantity, hertz, second

__all__ = [
    "at_least_one",
    "option",
    "phases",
    "rates",
    "report_folder",
    "result_file",
    "sweep_place",
    "time",
]

TIMES = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "min": 60.0}
RATES = {"": 1.0, "Hz": 1.0, "kHz": 1e3}
_NUMBER_AND_UNIT = re.compile(
    r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf))\s*([^\d\s]*)\s*"
)


def option(name: str, read: Callable[[Any], Any], value: Any) -> Any:
    """What an option says, as `read` reads it; its errors name the option."""
    try:
        return read(value)
    except typer.BadParameter as error:
        raise typer.BadParameter(error.message, param_hint=name) from None


def time(text: str) -> Quantity:
    """A time such as `2s`, `500ms` or `2 s`.

    Raises
    ------
    typer.BadParameter
        If the unit is missing or unknown, or the time is not a positive, finite number.
    """
    value, unit = _split(text, "a time", "2s or 500ms")
    if not unit:
        raise typer.BadParameter(f"'{text}' has no unit: write {text.strip()}s or {text.strip()}ms")
    if unit not in TIMES:
        raise typer.BadParameter(f"'{unit}' is not a unit of time: {', '.join(TIMES)}")
    _check_positive(value, "a time", text)
    return Quantity(value * TIMES[unit], dim=second.dim)


def rates(text: str) -> Quantity:
    """Rates such as `200` or `250,220,210` or `0.2kHz`, (n,).

    Raises
    ------
    typer.BadParameter
        If one of them is not a positive, finite number of hertz.
    """
    values = []
    for item in text.split(","):
        value, unit = _split(item, "a rate", "200 or 250,220,210")
        if unit not in RATES:
            like = nearest(unit, RATES)
            raise typer.BadParameter(
                f"'{unit}' is not a unit of rates: Hz or kHz" + (f" (did you mean {like}?)" if like else "")
            )
        _check_positive(value, "a rate", item)
        values.append(value * RATES[unit])
    return Quantity(values, dim=hertz.dim)


def phases(text: str) -> list[float]:
    """Phases such as `0` or `0,0.25,0.5`.

    Raises
    ------
    typer.BadParameter
        If one of them is not a number that is at least 0 and below 1.
    """
    values = []
    for item in text.split(","):
        value, unit = _split(item, "a phase", "0 or 0,0.25,0.5")
        if unit:
            raise typer.BadParameter(f"'{item.strip()}' has a unit: a phase is a part of a period")
        if not 0 <= value < 1:
            raise typer.BadParameter(f"a phase has to be at least 0 and below 1, not '{item.strip()}'")
        values.append(value)
    return values


def at_least_one(number: int | None) -> int | None:
    """How many of something there are to be; None where this is not said.

    Raises
    ------
    typer.BadParameter
        If it is zero or less.
    """
    if number is not None and number < 1:
        raise typer.BadParameter(f"at least 1, not {number}")
    return number


def result_file(path: Path, endings: Collection[str]) -> Path:
    """A file that can be written; its folder is made where it is missing.

    Raises
    ------
    typer.BadParameter
        If the ending is not one of `endings`, or the place cannot be written to.
    """
    if path.suffix.lower() not in endings:
        raise typer.BadParameter(
            f"'{path}' has to end with {' or '.join(endings)}: the ending says the format"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"the folder of '{path}' cannot be made: {error.strerror}") from None
    place = path if path.exists() else path.parent
    if path.is_dir() or not os.access(place, os.W_OK):
        raise typer.BadParameter(f"'{place}' cannot be written to")
    return path


def report_folder(path: Path) -> Path:
    """A folder for a report; it is made where it is missing.

    Raises
    ------
    typer.BadParameter
        If nothing can be written into it.
    """
    from eccles.lab.report import check_folder

    try:
        return check_folder(path)
    except EcclesError as error:
        raise typer.BadParameter(str(error)) from None


def sweep_place(path: Path) -> Path:
    """A place for the result of a sweep: a file, or a Zarr folder, which may be there already.

    Raises
    ------
    typer.BadParameter
        As for `result_file`.
    """
    if path.suffix == ".zarr" and path.is_dir():
        return path
    return result_file(path, (".zarr", ".nc"))


def _split(text: str, what: str, example: str) -> tuple[float, str]:
    match = _NUMBER_AND_UNIT.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"'{text.strip()}' is not {what}: write for example {example}")
    return float(match[1]), match[2]


def _check_positive(value: float, what: str, text: str) -> None:
    if not 0 < value < float("inf"):
        raise typer.BadParameter(f"{what} has to be positive and finite, not '{text.strip()}'")
