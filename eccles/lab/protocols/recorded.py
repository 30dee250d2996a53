"""Recorded spike trains: from text, NumPy, NWB and Neo; and protocols made of them.

All readers give the trains by name, with times as they stand in the recording; `recorded` makes a protocol
of two of them. Files are read as data alone: nothing in them is ever executed.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.errors import SetupError, nearest
from eccles.lab import checked
from eccles.lab.protocols.protocol import Protocol
from eccles.units import Quantity, second

if TYPE_CHECKING:
    import neo

__all__ = ["from_neo", "read_trains", "recorded", "write_trains"]

UNITS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9,
         "min": 60.0}  # fmt: skip
TIMES = ("time", "times", "t", "spike_time", "spike_times", "spikes")  # what a column of times may be called
# time_ms, time ms, time (ms), time [ms], time(ms)
WITH_UNIT = re.compile(rf"(.*?)(?:[\s_]+|\s*[(\[]\s*)({'|'.join(UNITS)})\s*[)\]]?", re.IGNORECASE)

Trains = dict[str, Quantity]


def read_trains(
    path: str | PathLike[str],
    *,
    time: str | None = None,
    train: str | None = None,
    unit: Quantity | None = None,
) -> Trains:
    """The spike trains of a file.

    Text is a table with commas, semicolons, tabs or spaces between columns and a row of names above; lines
    that begin with `#` are left out. There are three forms of it:

    - a spike in each row: a column of times and one that says which train a spike belongs to;
    - a train in each column, such as `pre_ms,post_ms`: all names end with a unit; cells may be empty;
    - one column of times, with or without a name: a single train, called as the file is.

    Names say units as in `time_ms`, `time (ms)` or `time [ms]`.

    `.npy` is a single train, `.npz` a train for each array, both in `unit`. `.nwb` has a train for each row
    of its table of units (needs pynwb). Other recordings: read them with Neo, then `from_neo`.

    Parameters
    ----------
    path : path
    time, train : str, optional
        The columns of times and of trains, if names do not tell.
    unit : time, optional
        Of the times, if the file does not say it, as in `unit=ms`.

    Returns
    -------
    dict of str to (n,), time
        Trains by name, in the order of the file; times in order.

    Raises
    ------
    SetupError
        If the file cannot be read, or a number in it is no time: the message says in which line.
    """
    path = Path(path)
    scale = None if unit is None else checked.span(unit, "the unit of the times")
    if path.suffix.lower() in (".npy", ".npz"):
        return _from_numpy(path, scale)
    if path.suffix.lower() == ".nwb":
        return _from_nwb(path)
    if path.suffix.lower() in (".pkl", ".pickle"):
        raise SetupError(f"'{path}' is a pickle, which can run any program when it is read; save it as text")
    return _from_text(path, time, train, scale)


def write_trains(path: str | PathLike[str], trains: Mapping[str, Quantity]) -> None:
    """Write trains as text, a spike in each row, so that `read_trains` gives the same numbers.

    Trains without spikes leave no row, and are not there when the file is read.
    """
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["train", "time_s"])
        for name, times in trains.items():
            writer.writerows([name, repr(float(t))] for t in np.asarray(times, float))


def recorded(
    pre: Quantity,
    post: Quantity,
    *,
    start: Quantity = 0 * second,
    duration: Quantity | None = None,
    name: str = "recorded",
    source: str = "",
) -> Protocol:
    """A protocol of two recorded spike trains, or of a part of them.

    Parameters
    ----------
    pre, post : (n,), time
    start : time, optional
        Where in the recording the protocol begins; earlier spikes are left out.
    duration : time, optional
        How long it takes; later spikes are left out. By default until the last spike.
    name, source : str, optional

    Raises
    ------
    SetupError
        If times are not finite, or a neuron spikes twice at the same time.
    """
    begin = checked.time(start, "the start")
    length = math.inf if duration is None else checked.span(duration, "the duration")
    cut = []
    for side, train in (("pre", pre), ("post", post)):
        times = checked.train(train, f"{side}synaptic spikes of '{name}'", recorded=True) - begin
        cut.append(times[(times >= 0) & (times < length)])
    if duration is None:
        length = max((float(t[-1]) for t in cut if len(t)), default=0.0)
    said = f"recorded spike trains, {len(cut[0])} pre and {len(cut[1])} post spikes in {length:g} s"
    one, other = (Quantity(t, dim=second.dim) for t in cut)
    return Protocol(name, one, other, Quantity(length, dim=second.dim), said, source)


# -- text -------------------------------------------------------------------------------------------


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The number of each line with something in it, and its cells."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SetupError(f"cannot read '{path}': {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise SetupError(f"'{path}' is not text in UTF-8", hint="Save it as CSV in UTF-8.") from None
    except ValueError as error:  # a name that no file can have
        raise SetupError(f"cannot read '{path}': {error}") from None
    delimiter = None
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if delimiter is None:
            delimiter = next((d for d in ",;\t" if d in line), " ")
        if delimiter == " ":
            yield number, line.split()
            continue
        try:
            (cells,) = csv.reader([line], delimiter=delimiter, strict=True)
        except (csv.Error, ValueError) as error:
            raise SetupError(f"'{path}', line {number}: {error}") from None
        yield number, [cell.strip() for cell in cells]


def _number(text: str, path: Path, line: int) -> float:
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        hint = "Decimals need a point." if re.fullmatch(r"[-+]?\d+,\d+", text) else None
        raise SetupError(f"'{path}', line {line}: {text!r} is not a time", hint=hint)
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _from_text(path: Path, time: str | None, train: str | None, scale: float | None) -> Trains:
    rows = list(_rows(path))
    if not rows:
        raise SetupError(f"there is nothing in '{path}'")
    first, names = rows[0]
    if all(_is_number(cell) for cell in names):
        if len(names) > 1:
            raise SetupError(
                f"'{path}' has {len(names)} columns without names", hint="Put a row of names above them."
            )
        names = ["time"]
    else:
        rows = rows[1:]
    units = [match[2] if (match := WITH_UNIT.fullmatch(name)) else None for name in names]
    short = [match[1] if (match := WITH_UNIT.fullmatch(name)) else name for name in names]
    for number, cells in rows:
        if len(cells) > len(names):
            raise SetupError(f"'{path}', line {number}: {len(cells)} columns, but {len(names)} names above")
    if time is None and train is None and len(names) > 1 and all(units):
        columns = {k: short[k] for k in range(len(names))}
        if len(set(columns.values())) < len(columns):
            raise SetupError(f"'{path}', line {first}: two columns have the same name")
        cells = [(number, columns[k], k, row[k]) for number, row in rows for k in range(len(row)) if row[k]]
        trains: dict[str, list[tuple[float, int]]] = {name: [] for name in columns.values()}
    else:
        k = _time_column(path, names, short, units, time)
        of = _train_column(path, names, short, k, train)
        trains, cells = {}, []
        if of is None:
            trains[path.stem] = []
        for number, row in rows:
            if len(row) != len(names):
                raise SetupError(f"'{path}', line {number}: {len(row)} columns, but {len(names)} names above")
            cells.append((number, path.stem if of is None else row[of], k, row[k]))
    for number, name, k, text in cells:
        size = _scale(path, names[k], units[k], scale)
        trains.setdefault(name, []).append((_number(text, path, number) * size, number))
    return {name: _sorted(path, name, times) for name, times in trains.items()}


def _scale(path: Path, name: str, unit: str | None, given: float | None) -> float:
    known = None if unit is None else UNITS[unit.lower()]
    if known is None and given is None:
        raise SetupError(
            f"'{path}' does not say in which unit its times are",
            hint="Give unit=ms, or call the column time_ms.",
        )
    if known is not None and given is not None and given != known:
        raise SetupError(f"the column '{name}' of '{path}' has another unit than you say ({given:g} s)")
    return known if given is None else given  # type: ignore[return-value]


def _time_column(
    path: Path, names: list[str], short: list[str], units: list[str | None], wanted: str | None
) -> int:
    if wanted is not None:
        return _column(path, names, short, wanted)
    if len(names) == 1:
        return 0
    for found in (
        [k for k, unit in enumerate(units) if unit],
        [k for k, name in enumerate(short) if name.lower() in TIMES],
    ):
        if len(found) == 1:
            return found[0]
    raise SetupError(
        f"which column of '{path}' has the times? It has {', '.join(map(repr, names))}",
        hint="Give time='...'.",
    )


def _train_column(
    path: Path, names: list[str], short: list[str], time: int, wanted: str | None
) -> int | None:
    if wanted is not None:
        return _column(path, names, short, wanted)
    others = [k for k in range(len(names)) if k != time]
    if len(others) > 1:
        raise SetupError(
            f"which column of '{path}' says what train a spike belongs to? "
            f"It has {', '.join(repr(names[k]) for k in others)}",
            hint="Give train='...'.",
        )
    return others[0] if others else None


def _column(path: Path, names: list[str], short: list[str], wanted: str) -> int:
    for candidates in (names, short):
        if candidates.count(wanted) == 1:
            return candidates.index(wanted)
    near = nearest(wanted, names)
    raise SetupError(
        f"'{path}' has no column '{wanted}'" + (f"; did you mean '{near}'?" if near else ""),
        hint=f"Columns: {', '.join(names)}.",
    )


def _sorted(path: Path, name: str, times: list[tuple[float, int]]) -> Quantity:
    times.sort()
    for (one, line), (other, later) in pairwise(times):
        if one == other:
            raise SetupError(
                f"'{path}', line {later}: train '{name}' has a spike at this time already, in line {line}"
            )
    return Quantity(np.array([t for t, _ in times]), dim=second.dim)


# -- NumPy, NWB, Neo --------------------------------------------------------------------------------


def _recorded(seconds: np.ndarray, what: str) -> Quantity:
    times = checked.train(Quantity(seconds, dim=second.dim), what, recorded=True)
    return Quantity(times, dim=second.dim)


def _from_numpy(path: Path, scale: float | None) -> Trains:
    if scale is None:
        raise SetupError(f"'{path}' does not say in which unit its times are", hint="Give unit=ms.")
    try:
        loaded = np.load(path, allow_pickle=False)
        arrays = dict(loaded) if path.suffix.lower() == ".npz" else {path.stem: loaded}
        return {
            name: _recorded(np.asarray(a, float) * scale, f"times of '{name}'") for name, a in arrays.items()
        }
    except SetupError:
        raise
    except Exception as error:  # what damaged files make NumPy raise is no closed set
        raise SetupError(f"cannot read '{path}': {error}") from None


def _from_nwb(path: Path) -> Trains:
    import pynwb

    make: Any = pynwb.NWBHDF5IO  # hdmf hides its signature
    try:
        with make(path, "r") as io:
            units = io.read().units
            rows = [] if units is None else list(zip(units.id[:], units["spike_times"][:], strict=True))
    except Exception as error:  # what damaged files make h5py and hdmf raise is no closed set
        raise SetupError(f"cannot read '{path}': {error}") from None
    if not rows:
        raise SetupError(f"'{path}' has no table of units with spike times")
    return {f"unit {key}": _recorded(np.asarray(t, float), f"times of unit {key}") for key, t in rows}


def from_neo(source: neo.Block | neo.Segment | neo.SpikeTrain) -> Trains:
    """The spike trains of an object of Neo, by name.

    Those without a name are called by their number; if a block has several segments (trials), the name of
    the segment comes first.

    Raises
    ------
    SetupError
        If it is no block, segment or spike train.
    """
    import neo

    if isinstance(source, neo.Block):
        segments = list(source.segments)
    elif isinstance(source, neo.Segment):
        segments = [source]
    elif isinstance(source, neo.SpikeTrain):
        return {source.name or "train 0": _neo_times(source, source.name or "train 0")}
    else:
        raise SetupError(f"spike trains come from a Block, a Segment or a SpikeTrain of Neo, not {source!r}")
    trains: Trains = {}
    for s, segment in enumerate(segments):
        before = f"{segment.name or f'segment {s}'}: " if len(segments) > 1 else ""
        for k, train in enumerate(segment.spiketrains):
            name = before + _neo_name(train, k)
            if name in trains:
                name = f"{name} ({s}, {k})"
            trains[name] = _neo_times(train, name)
    return trains


def _neo_name(train: Any, k: int) -> str:
    if train.name:
        return str(train.name)
    notes = train.annotations
    if "source" in notes and "element" in notes:  # as Eccles writes them
        return f"{notes['source']}[{notes['element']}]"
    return f"train {k}"


def _neo_times(train: Any, name: str) -> Quantity:
    from neo.io.proxyobjects import SpikeTrainProxy

    if isinstance(train, SpikeTrainProxy):  # of a file that was opened lazily
        train = train.load()
    return _recorded(train.times.rescale("s").magnitude, f"times of '{name}'")
