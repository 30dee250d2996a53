"""From pieces to one labelled dataset.

A sweep's dataset holds, for parameters `pre` and `trial` and the fields 'S.w' (numbers) and 'P' (events):

    S.w      (pre, trial, ...)   NaN where a condition failed or was not computed (0 for integers)
    P.count  (pre, trial)        how many events each condition had
    P.start  (pre, trial)        where they begin along the dimension P.event, so that parts stay readable
    P.t      (P.event,)          times of all events, condition after condition in C order, ...
    P.i      (P.event,)          ... elements, and other columns: contiguous ragged arrays (CF conventions)
    failed   (pre, trial)        whether the condition failed or was not computed
    plan     (plan.byte,)        the sweep as data, where it can be run again

Values are in SI; `attrs["units"]` is the unit's symbol, absent for plain numbers. Coordinates that are
parameters of the sweep have `attrs["role"] == "parameter"`.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.errors import InternalError, SetupError
from eccles.results.layout import Axis, Coordinate, Field, Piece

if TYPE_CHECKING:
    import xarray

__all__ = ["FORMAT", "FORMAT_VERSION", "assemble", "failure_list", "format_attributes", "text_encoding"]

FORMAT = "eccles-sweep"
FORMAT_VERSION = 1
PLAN_BYTES = "plan.byte"  # a dimension


def assemble(
    axes: Sequence[Axis],
    fields: Sequence[Field],
    pieces: Iterable[Piece],
    attributes: Mapping[str, Any],
    plan: bytes | None = None,
) -> xarray.Dataset:
    """The dataset of a sweep. The order of the pieces does not matter, and some may be missing.

    Parameters
    ----------
    axes : sequence of Axis
        The dimensions of the conditions.
    fields : sequence of Field
        What was recorded.
    pieces : iterable of Piece
        Results, none of a condition twice.
    attributes : mapping
        Attributes of the dataset: text and numbers as they are, truth values as 0 or 1, lists and mappings as
        JSON, None not at all.
    plan : bytes, optional
        The sweep as data, from which it can be run again.

    Returns
    -------
    xarray.Dataset
        See the head of this file. Its attributes say the format and list the `failures`, as JSON:
        `[{"condition": {"pre": 20.0}, "message": ...}]`. A condition that is not among these and yet
        `failed` was not computed.

    Raises
    ------
    SetupError
        If a parameter has a name that the dataset needs for itself.
    """
    import xarray

    from eccles.results.accessor import register

    register()
    _check_names(axes, fields)
    pieces = sorted(pieces, key=lambda piece: (piece.start, piece.stop))
    dims = tuple(axis.name for axis in axes)
    shape = tuple(axis.size for axis in axes)
    _check_pieces(pieces, math.prod(shape))

    variables: dict[str, Any] = {}
    for field in fields:
        if field.kind == "events":
            variables |= _event_variables(field, pieces, dims, shape)
        else:
            values = _joined(field, pieces, shape)
            variables[field.name] = ((*dims, *field.dims), values, _attributes(field.units, field.attributes))
    if plan is not None:
        about = {"long_name": "the sweep as data, for eccles.rerun"}
        variables["plan"] = ((PLAN_BYTES,), np.frombuffer(plan, np.uint8), about)
    variables["failed"] = (dims, _failed(pieces, shape), {"long_name": "failed or not computed"})

    coordinates: dict[str, Any] = {}
    for axis in axes:
        for name, coordinate in axis.coordinates.items():
            coordinates[name] = _coordinate(axis.name, coordinate, {"role": "parameter"})
    for field in fields:
        for dim, coordinate in field.coordinates.items():
            coordinates[dim] = _coordinate(dim, coordinate, {})

    messages = {flat: text for piece in pieces for flat, text in sorted(piece.failures.items())}
    attrs = format_attributes() | {"failures": json.dumps(failure_list(axes, messages))}
    attrs |= {name: _plain(value) for name, value in attributes.items() if value is not None}
    dataset = xarray.Dataset(variables, coordinates, attrs)
    text_encoding(dataset)
    return dataset


def format_attributes() -> dict[str, Any]:
    """The attributes by which a file is known to hold a sweep."""
    version = sys.modules["eccles"].__version__  # loaded before this; an import of it would point upwards
    return {"eccles_format": FORMAT, "eccles_format_version": FORMAT_VERSION, "eccles_version": version}


def failure_list(axes: Sequence[Axis], messages: Mapping[int, str]) -> list[dict[str, Any]]:
    """What the attribute `failures` holds: of each failure its parameters and message.

    Parameters
    ----------
    messages : mapping of int to str
        Flat index -> message.
    """
    found = []
    for flat, message in messages.items():
        place = np.unravel_index(flat, tuple(axis.size for axis in axes)) if axes else ()
        condition = {
            name: coordinate.values[k].item()
            for axis, k in zip(axes, place, strict=True)
            for name, coordinate in axis.coordinates.items()
        }
        found.append({"condition": condition, "message": message})
    return found


def text_encoding(dataset: xarray.Dataset) -> None:
    """Let text be written as such, in place: for text of fixed length Zarr 3 has no lasting format."""
    for variable in dataset.variables.values():
        if variable.dtype.kind in "UT":
            variable.encoding = {"dtype": object}


def _check_names(axes: Sequence[Axis], fields: Sequence[Field]) -> None:
    """Parameters must not stand in the way of variables, of dimensions of values, and of one another."""
    taken = (
        {"failed", "plan", PLAN_BYTES}
        | {field.name for field in fields}
        | {dim for field in fields for dim in field.dims}
    )
    for axis in axes:
        names = {axis.name, *axis.coordinates}
        clash = sorted(names & taken)
        if clash:
            raise SetupError(
                f"a parameter cannot be called '{clash[0]}': the result has something else of this name",
                hint=f"Rename it, as in '{clash[0]}_'.",
            )
        taken |= names


def _check_pieces(pieces: Sequence[Piece], n: int) -> None:
    end = 0
    for piece in pieces:
        if not end <= piece.start <= piece.stop <= n:
            raise InternalError(f"a piece holds conditions {piece.start} to {piece.stop} of {n}, after {end}")
        end = piece.stop


def _joined(field: Field, pieces: Sequence[Piece], shape: tuple[int, ...]) -> np.ndarray:
    """Values of all conditions."""
    dtype = np.dtype(field.dtype)
    missing = np.nan if dtype.kind in "fc" else 0
    values = np.full((math.prod(shape), *field.shape), missing, dtype)
    for piece in pieces:
        values[piece.start : piece.stop] = piece.values[field.name]
    return values.reshape(shape + field.shape)


def _failed(pieces: Sequence[Piece], shape: tuple[int, ...]) -> np.ndarray:
    failed = np.ones(math.prod(shape), bool)
    for piece in pieces:
        failed[piece.start : piece.stop] = False
        failed[list(piece.failures)] = True
    return failed.reshape(shape)


def _event_variables(
    field: Field, pieces: Sequence[Piece], dims: tuple[str, ...], shape: tuple[int, ...]
) -> dict[str, Any]:
    """Counts, beginnings and columns of events."""
    name, events = field.name, f"{field.name}.event"
    counts = np.zeros(math.prod(shape), np.int64)
    for piece in pieces:
        counts[piece.start : piece.stop] = piece.events[name][0]
    starts = np.cumsum(counts) - counts
    variables = {
        f"{name}.count": (
            dims, counts.reshape(shape), {**_attributes("", field.attributes), "sample_dimension": events}
        ),
        f"{name}.start": (dims, starts.reshape(shape), {"long_name": f"first of the events along {events}"}),
    }  # fmt: skip
    for column, units in field.columns.items():
        parts = [np.asarray(piece.events[name][1][column]) for piece in pieces]
        default = np.int32 if column == "i" else np.float64
        values = np.concatenate(parts) if parts else np.zeros(0, default)
        variables[f"{name}.{column}"] = ((events,), values, _attributes(units, {}))
    return variables


def _coordinate(dim: str, coordinate: Coordinate, attributes: Mapping[str, Any]) -> Any:
    return (dim,), coordinate.values, _attributes(coordinate.units, attributes)


def _attributes(units: str, others: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {name: _plain(value) for name, value in others.items() if value is not None}
    if units not in ("", "1"):
        attributes["units"] = units
    return attributes


def _plain(value: Any) -> Any:
    """A value as both file formats hold it."""
    if isinstance(value, bool | np.bool_):
        return int(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value)
    return value
