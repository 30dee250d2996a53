"""Results in files of Neurodata Without Borders (NWB)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.errors import SetupError
from eccles.results.conditions import condition_dims, parameter_coordinates, units_of
from eccles.results.events import columns_of, compacted, event_fields, n_elements
from eccles.results.fields import duration_of, period_of, spread_out, time_of, value_fields
from eccles.results.files import written_aside
from eccles.results.labels import named

if TYPE_CHECKING:
    import pynwb
    import xarray

__all__ = ["to_nwb"]

MOST_DIMENSIONS = 4  # of the data of a TimeSeries, as NWB has it


def to_nwb(
    dataset: xarray.Dataset,
    path: str | PathLike[str],
    *,
    session_description: str = "sweep simulated with Eccles",
    session_start_time: datetime | None = None,
    identifier: str | None = None,
) -> None:
    """Write an NWB file. Every condition has the times of its own run, from 0 on.

    - `/analysis/conditions`: a row for each condition, with parameters, `failed`, and what was recorded
      without time.
    - `/acquisition/<name>`: a time series for each recorded variable, (time, row of conditions, element).
    - `/units`: a row for each condition and element of a group whose spikes were recorded, with its spike
      times and the columns `condition` (the row in the table of conditions), `source`, `element` and the
      parameters; further columns of the events are ragged, as spike times are.

    Parameters
    ----------
    path : path
        A file that is there is replaced.
    session_start_time : datetime, optional
        NWB demands one; by default now.
    identifier : str, optional
        NWB demands one that no other file has; by default random.

    Raises
    ------
    SetupError
        If a parameter has a name that means something in NWB, or an array has too many dimensions.
    """
    import pynwb

    dataset = compacted(dataset.compute())
    taken = _NWB_NAMES & set(parameter_coordinates(dataset))
    if taken:
        raise SetupError(
            f"the parameter '{min(taken)}' has a name that means something else in an NWB file",
            hint="Give it another name first: result.rename({...}).",
        )
    model = dataset.attrs.get("model_source")
    file: Any = pynwb.NWBFile(  # its methods are made at run time
        session_description=session_description,
        identifier=identifier or str(uuid.uuid4()),
        session_start_time=session_start_time or datetime.now(UTC),
        source_script=model,
        source_script_file_name=None if model is None else "model.py",
        was_generated_by=[["eccles", str(dataset.attrs["eccles_version"])]],
    )
    dims = condition_dims(dataset)
    fields = {name: time_of(dataset[name], dims) for name in value_fields(dataset)}
    file.add_analysis(_conditions_table(dataset, [name for name, time in fields.items() if time is None]))
    for name, time in fields.items():
        if time is not None:
            file.add_acquisition(_time_series(dataset[name], dims, time))
    if event_fields(dataset):
        file.units = _units_table(dataset)
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder '{path.parent}'")
    make: Any = pynwb.NWBHDF5IO  # hdmf hides its signature
    with written_aside(path) as aside, make(aside, "w") as io:
        io.write(file)


_NWB_NAMES = {
    "id", "name", "condition", "source", "element", "failed", "spike_times", "obs_intervals", "electrodes",
    "electrode_group", "waveform_mean", "waveform_sd", "waveforms", "colnames", "columns", "description",
}  # fmt: skip


def _column(name: str, data: Any, description: str, units: str = "") -> Any:
    from hdmf.common import VectorData

    data = np.asarray(data)
    if data.dtype.kind in "UTO":
        data = [str(text) for text in data]
    return VectorData(name=name, data=data, description=named(description, units))


def _parameter_columns(dataset: xarray.Dataset, rows: np.ndarray) -> list[Any]:
    """The parameters of the conditions with these numbers."""
    sizes = {dim: dataset.sizes[dim] for dim in condition_dims(dataset)}
    return [
        _column(name, spread_out(c, sizes)[rows], f"parameter {name}", units_of(c))
        for name, c in parameter_coordinates(dataset).items()
    ]


def _conditions_table(dataset: xarray.Dataset, names: Sequence[str]) -> Any:
    from hdmf.common import DynamicTable

    dims = condition_dims(dataset)
    failed = dataset["failed"].values.reshape(-1)
    columns = _parameter_columns(dataset, np.arange(failed.size))
    columns.append(_column("failed", failed, "whether the condition failed or was not computed"))
    for name in names:
        values = dataset[name].transpose(*dims, ...)
        rows = values.values.reshape(failed.size, *values.shape[len(dims) :])
        columns.append(_column(name, rows, str(values.attrs.get("long_name", name)), units_of(values)))
    return DynamicTable(name="conditions", description="conditions of the sweep", columns=columns)


def _time_series(values: xarray.DataArray, dims: Sequence[str], time: str) -> pynwb.TimeSeries:
    import pynwb

    name = str(values.name)
    values = values.transpose(time, *dims, ...)
    own = values.shape[1 + len(dims) :]
    if 2 + len(own) > MOST_DIMENSIONS:
        raise SetupError(f"'{name}' has more dimensions than NWB allows", hint="Export a part of it.")
    times = values[time].values
    period = period_of(times)
    when = {"timestamps": times} if period is None else {"starting_time": times[0], "rate": 1 / period}
    return pynwb.TimeSeries(
        name=name,
        data=values.values.reshape(len(times), -1, *own),
        unit=units_of(values) or "1",
        description="time, row of the table of conditions" + ", element" * bool(own),
        **when,
    )


def _units_table(dataset: xarray.Dataset) -> Any:
    """A row for each field of events, condition and element."""
    import pynwb

    names = event_fields(dataset)
    n_conditions = dataset["failed"].size
    n = {name: n_elements(dataset, name) for name in names}
    rows = np.concatenate([np.repeat(np.arange(n_conditions), n[name]) for name in names])
    elements = np.concatenate([np.tile(np.arange(n[name]), n_conditions) for name in names])
    columns = [
        _column("condition", rows, "row of the table of conditions"),
        _column("source", np.repeat(names, [n_conditions * n[k] for k in names]), "what was recorded"),
        _column("element", elements, "index of the neuron"),
        *_parameter_columns(dataset, rows),
    ]  # fmt: skip
    orders, counts = {}, {}
    for name in names:
        of = np.repeat(np.arange(n_conditions), dataset[f"{name}.count"].values.reshape(-1))
        unit = of * n[name] + dataset[f"{name}.i"].values
        orders[name] = np.argsort(unit, kind="stable")
        counts[name] = np.bincount(unit, minlength=n_conditions * n[name])
    for column in dict.fromkeys(
        column for name in names for column in columns_of(dataset, name) if column != "i"
    ):
        has = {name: column in columns_of(dataset, name) for name in names}
        parts = [dataset[f"{k}.{column}"].values[orders[k]] for k in names if has[k]]
        ends = np.cumsum(np.concatenate([counts[k] * has[k] for k in names]))
        called, description = (
            ("spike_times", "from the start of the condition's run") if column == "t" else (column, column)
        )
        units = next(units_of(dataset[f"{k}.{column}"]) for k in names if has[k])
        columns += _ragged(called, np.concatenate(parts), ends, named(description, units))
    if duration_of(dataset):
        spans = np.tile([0.0, duration_of(dataset)], (len(rows), 1))
        columns += _ragged("obs_intervals", spans, np.arange(1, len(rows) + 1), "the run")
    return pynwb.misc.Units(
        name="units", description="spikes of each neuron in each condition", columns=columns
    )


def _ragged(name: str, values: np.ndarray, ends: np.ndarray, description: str) -> list[Any]:
    """A column with several values in each row, and its index."""
    from hdmf.common import VectorData, VectorIndex

    data = VectorData(name=name, data=values, description=description)
    return [VectorIndex(name=f"{name}_index", data=ends, target=data), data]
