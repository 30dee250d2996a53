"""Results as objects of Neo."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.results.conditions import condition_dims, conditions, labels_at, units_of
from eccles.results.events import event_fields, events_at, n_elements
from eccles.results.fields import duration_of, period_of, time_of, value_fields
from eccles.results.labels import shown_condition

if TYPE_CHECKING:
    import neo
    import xarray

__all__ = ["to_neo"]


def to_neo(dataset: xarray.Dataset) -> neo.Block:
    """A Neo block with a segment for each condition, in C order.

    The segment's annotations are the parameters, `failed`, and what was recorded without time. Traces are
    analog signals (irregularly sampled ones where steps differ); spikes are a spike train for each element,
    with the annotations `source` and `element`. Further columns of events are array annotations.
    """
    import neo

    dataset = dataset.compute()
    block = neo.Block(name="sweep", **_text_attributes(dataset))
    dims = condition_dims(dataset)
    fields = {name: time_of(dataset[name], dims) for name in value_fields(dataset)}
    variables = dataset.variables  # several times faster than arrays with coordinates
    for position in conditions(dataset):
        condition = labels_at(dataset, position)
        segment = neo.Segment(name=shown_condition(condition))
        segment.annotate(**{name: _in_neo(value, units) for name, (value, units) in condition.items()})
        segment.annotate(failed=bool(variables["failed"].isel(position)))
        for name, time in fields.items():
            values = variables[name].isel(position)
            if time is None:
                segment.annotate(**{name: _in_neo(values.values[()], units_of(values))})
            else:
                samples = values.transpose(time, ...).values
                _add_signal(segment, name, variables[time].values, samples, units_of(values))
        for name in event_fields(dataset):
            segment.spiketrains.extend(_spike_trains(dataset, name, position))
        block.segments.append(segment)
    return block


def _neo_units(symbol: str) -> str:
    """A symbol as the package `quantities` reads it: 'm*s**-1'."""
    powers = re.sub(r"\^\(?(-?\d[\d./]*)\)?", lambda m: f"**{float(Fraction(m[1])):g}", symbol)
    return powers.replace(" ", "*") or "dimensionless"


def _in_neo(value: Any, symbol: str) -> Any:
    import quantities

    if symbol:
        return quantities.Quantity(value, _neo_units(symbol))
    return value.item() if np.ndim(value) == 0 and isinstance(value, np.generic) else value


def _add_signal(segment: neo.Segment, name: str, times: np.ndarray, samples: np.ndarray, symbol: str) -> None:
    """Samples (time, ...), with a channel for each element."""
    import neo

    samples = samples.astype(float).reshape(len(times), -1)
    units = _neo_units(symbol)
    period = period_of(times)
    if period is None:
        signal = neo.IrregularlySampledSignal(times, samples, units=units, time_units="s", name=name)
        segment.irregularlysampledsignals.append(signal)
    else:
        import quantities as pq

        signal = neo.AnalogSignal(
            samples, units=units, sampling_period=period * pq.s, t_start=times[0] * pq.s, name=name
        )
        segment.analogsignals.append(signal)


def _spike_trains(dataset: xarray.Dataset, name: str, position: Mapping[str, int]) -> list[neo.SpikeTrain]:
    """Of each element, those without spikes too."""
    import neo

    columns = events_at(dataset, name, position)
    t, i = columns.pop("t"), columns.pop("i")
    n = n_elements(dataset, name)
    t_stop = max(duration_of(dataset), t.max(initial=0.0))
    units = {column: units_of(dataset.variables[f"{name}.{column}"]) for column in columns}
    trains = []
    order = np.argsort(i, kind="stable")
    for element, mine in enumerate(np.split(order, np.searchsorted(i[order], np.arange(1, n)))[:n]):
        further = {column: _in_neo(values[mine], units[column]) for column, values in columns.items()}
        train = neo.SpikeTrain(
            t[mine], units="s", t_stop=t_stop, name=f"{name}[{element}]", array_annotations=further,
            source=name, element=element,
        )  # fmt: skip
        trains.append(train)
    return trains


def _text_attributes(dataset: xarray.Dataset) -> dict[str, Any]:
    return {
        str(k): v if isinstance(v, str) else np.asarray(v).item()
        for k, v in dataset.attrs.items()
        if np.ndim(v) == 0
    }
