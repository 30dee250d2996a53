"""A sweep as a whole: its conditions, the structures that stand for them, and running any part of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from eccles.errors import SetupError
from eccles.objects import magic
from eccles.results.layout import Axis, Coordinate, Field, Piece
from eccles.sweeps.conditions import Conditions
from eccles.sweeps.parameters import Grid
from eccles.sweeps.seeds import Seeds
from eccles.sweeps.structure import Structure

__all__ = ["Plan", "share_time"]


class Plan:
    """What a sweep does.

    Parameters
    ----------
    grid : Grid
    seeds : Seeds
    structures : iterable of Structure
    failures : mapping of int to str
        Conditions for which no network can be made, and why.

    Attributes
    ----------
    data : bytes or None
        The plan as `archive.pack` makes it, from which copies for other threads are made.
    why_not_data : str
        What of it is no data.
    fields : dict of str to Field
        What each condition gives.
    """

    def __init__(
        self,
        grid: Grid,
        seeds: Seeds,
        structures: Iterable[Structure],
        failures: Mapping[int, str],
    ) -> None:
        self.data: bytes | None = None
        self.why_not_data = ""
        self.grid = grid
        self.seeds = seeds
        self.structures = list(structures)
        self.failures = {**dict(failures), **_not_numbers(grid)}
        self.fields = _merged(self.structures)
        self._owner = np.full(grid.n_conditions, -1, np.int32)
        for k, structure in enumerate(self.structures):
            self._owner[structure.numbers] = k
        self._owner[list(self.failures)] = -1
        self._conditions: list[Conditions | None] = [None] * len(self.structures)
        self._copy: Callable[[int], Structure] | None = None

    def keep(self, data: bytes, copy: Callable[[int], Structure]) -> None:
        """Have this plan as data, and copies of its structures."""
        self.data, self._copy = data, copy

    def labels(self) -> list[Axis]:
        """The axes of the result."""
        return self.grid.labels()

    def run(
        self,
        start: int,
        stop: int,
        n_threads: int | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Piece:
        """Simulate the conditions `start` to `stop - 1`.

        Raises
        ------
        Stopped
            If `stopped()` became true before all were done.
        """
        results = _PieceInTheMaking(start, stop, self.fields)
        for number, message in self.failures.items():
            if start <= number < stop:
                results.fail(number, message)
        owner = self._owner[start:stop]
        for k in np.unique(owner[owner >= 0]):
            numbers = start + np.flatnonzero(owner == k)
            dt = self.structures[k].default_dt
            with magic.private_scope(), nullcontext() if dt is None else magic.default_clock(dt):
                self._of(int(k)).run(numbers, results, n_threads or default_threads(), stopped)
        return results.piece()

    def _of(self, k: int) -> Conditions:
        found = self._conditions[k]
        if found is None:
            copy = None if self._copy is None else partial(self._copy, k)
            found = self._conditions[k] = Conditions(self.structures[k], self.grid, self.seeds, copy)
        return found

    def memory(self) -> int:
        """Bytes of results per condition, as far as they can be known before the run."""
        return max(
            (sum(r.memory(s.seconds) for r in s.recorders.values()) for s in self.structures), default=0
        )


def default_threads() -> int:
    """As many threads as there are cores for this process."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


def _not_numbers(grid: Grid) -> dict[int, str]:
    """Conditions that have a parameter which is NaN."""
    found: dict[int, str] = {}
    for name, (axis, parameter) in grid.parameters().items():
        for position in parameter.without_numbers():
            message = f"the parameter '{name}' is NaN"
            found |= dict.fromkeys(map(int, grid.numbers({axis: int(position)})), message)
    return found


def _merged(structures: list[Structure]) -> dict[str, Field]:
    """The fields of a result that has room for those of all structures."""
    fields: dict[str, Field] = {}
    for structure in structures:
        for name, recorder in structure.recorders.items():
            field = replace(recorder.field(structure.seconds), name=name)
            fields[name] = field if name not in fields else _larger(fields[name], field)
    return share_time(fields)


def share_time(found: Mapping[str, Field]) -> dict[str, Field]:
    """The fields with one dimension `time`, if all that depends on time was sampled at the same times."""
    times = [c for f in found.values() for d, c in f.coordinates.items() if d == f"{f.name}.time"]
    if not times or any(not np.array_equal(c.values, times[0].values) for c in times):
        return dict(found)
    return {name: _renamed(field, f"{field.name}.time", "time") for name, field in found.items()}


def _renamed(field: Field, old: str, new: str) -> Field:
    return replace(
        field,
        dims=tuple(new if d == old else d for d in field.dims),
        coordinates={new if d == old else d: c for d, c in field.coordinates.items()},
    )


def _larger(a: Field, b: Field) -> Field:
    """A field for what differs in size between structures: what both have comes first, in both alike."""
    a, b = _with_dimensions(a, b), _with_dimensions(b, a)
    if (a.kind, a.units, a.columns, len(a.shape)) != (b.kind, b.units, b.columns, len(b.shape)):
        raise SetupError(
            f"'{a.name}' is not of the same kind in all conditions",
            hint="Sweep those in which it is another variable, or has other units, in calls of their own.",
        )
    dims: list[str] = []
    coordinates: dict[str, Coordinate] = {}
    for axis, sizes in enumerate(zip(a.shape, b.shape, strict=True)):
        shorter, longer = (a, b) if sizes[0] < sizes[1] else (b, a)
        if not np.array_equal(_labels(shorter, axis), _labels(longer, axis)[: min(sizes)]):
            raise SetupError(
                f"'{a.name}' is recorded at other times, or of other elements, in some conditions",
                hint="Say in the call what holds for all conditions, as in "
                'record.trace("G.v", dt=1*ms, start=10*ms); or sweep these conditions in calls of their own.',
            )
        dims.append(longer.dims[axis])
        if dims[-1] in longer.coordinates:
            coordinates[dims[-1]] = longer.coordinates[dims[-1]]
    dtype = np.result_type(a.dtype, b.dtype)
    if a.shape != b.shape and dtype.kind != "f":
        dtype = np.dtype(np.float64)  # missing values are NaN
    attributes = {**a.attributes}
    if "n_elements" in attributes:
        attributes["n_elements"] = max(attributes["n_elements"], b.attributes["n_elements"])
    return replace(
        a, dims=tuple(dims), shape=tuple(map(max, a.shape, b.shape)), coordinates=coordinates,
        dtype=dtype.name, attributes=attributes,
    )  # fmt: skip


def _with_dimensions(field: Field, like: Field) -> Field:
    """The field with the leading dimensions that it lacks, as there is one element here and several there."""
    missing = len(like.dims) - len(field.dims)
    if missing <= 0 or like.dims[missing:] != field.dims:
        return field
    first = {
        dim: Coordinate(like.coordinates[dim].values[:1], like.coordinates[dim].units)
        for dim in like.dims[:missing] if dim in like.coordinates
    }  # fmt: skip
    return replace(
        field, dims=like.dims, shape=(1,) * missing + field.shape, coordinates=first | dict(field.coordinates)
    )


def _labels(field: Field, axis: int) -> np.ndarray:
    """What the positions along a dimension of a field are: elements that have no labels are counted."""
    found = field.coordinates.get(field.dims[axis])
    return np.arange(field.shape[axis]) if found is None else found.values


class _PieceInTheMaking:
    """Collects results, from several threads at once."""

    def __init__(self, start: int, stop: int, fields: Mapping[str, Field]) -> None:
        self._start, self._stop = start, stop
        self._fields = fields
        n = stop - start
        self._values = {
            f.name: nothing((n, *f.shape), f.dtype) for f in fields.values() if f.kind == "values"
        }
        self._events: dict[str, dict[int, dict[str, np.ndarray]]] = {
            f.name: {} for f in fields.values() if f.kind == "events"
        }
        self._failures: dict[int, str] = {}
        self._lock = threading.Lock()

    def put(self, number: int, values: Mapping[str, Any]) -> None:
        """Take what was recorded in a condition."""
        k = number - self._start
        for name, value in values.items():
            if name in self._events:
                with self._lock:
                    self._events[name][k] = value
                continue
            target, array = self._values[name], np.asarray(value)
            missing = target.ndim - 1 - array.ndim  # dimensions that other structures have
            shape = (1,) * missing + array.shape
            target[(k, *map(slice, shape))] = array.reshape(shape)

    def put_many(self, numbers: np.ndarray, values: Mapping[str, np.ndarray]) -> None:
        """Take what was recorded in several conditions, (n, elements) each."""
        for name, array in values.items():
            target = self._values[name].reshape(self._stop - self._start, -1)
            target[numbers - self._start, : array.shape[1]] = array

    def fail(self, number: int, message: str) -> None:
        """Note that a condition went wrong."""
        with self._lock:
            self._failures[number] = message

    def piece(self) -> Piece:
        """All that was collected."""
        events = {name: self._in_a_row(name) for name in self._events}
        return Piece(self._start, self._stop, self._values, events, dict(sorted(self._failures.items())))

    def _in_a_row(self, name: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        found = self._events[name]
        counts = np.zeros(self._stop - self._start, np.int64)
        for k, columns in found.items():
            counts[k] = len(columns["t"])
        order = sorted(found)
        columns = {}
        for column in self._fields[name].columns:
            parts = [found[k][column] for k in order]
            columns[column] = np.concatenate(parts) if parts else np.zeros(0)
        return counts, columns


def nothing(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """What stands where there is no result: NaN, or 0 of integers."""
    return np.full(shape, np.nan, dtype) if np.dtype(dtype).kind == "f" else np.zeros(shape, dtype)
