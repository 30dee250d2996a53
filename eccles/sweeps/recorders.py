"""What records in a network what a spec says, condition by condition."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.engine.clock import n_steps
from eccles.engine.state import Array
from eccles.errors import NameResolutionError, SetupError, nearest
from eccles.language.check import Symbol
from eccles.monitors import EventMonitor, PopulationRateMonitor, StateMonitor
from eccles.monitors.reduction import RECIPES, EventCount, Reduction, reduction_of
from eccles.objects.group import Group, SimulationObject
from eccles.objects.neurons import NeuronGroup
from eccles.objects.sources import SpikeSource
from eccles.objects.synapses import Synapses
from eccles.objects.variables import positions_of
from eccles.results.layout import Coordinate, Field
from eccles.units import DIMENSIONLESS, Dimension, Quantity, second

if TYPE_CHECKING:
    from eccles.sweeps.record import Record

__all__ = ["RECORDERS", "SHORTHANDS", "Recorder"]

GUESSED_RATE = 100.0  # Hz: of neurons whose spikes are recorded, for an estimate of memory
EVENT_BYTES = 12  # time and element
SHORTHANDS = ("spikes", "count", "rate")  # "P.spikes", where P has no variable of that name


class Recorder(ABC):
    """Records in one network, condition by condition.

    Attributes
    ----------
    objects : list of SimulationObject
        What has to be added to the network.
    """

    def __init__(self, record: Record, source: Any) -> None:
        self.record = record
        self.source = source
        self.objects: list[SimulationObject] = []

    @abstractmethod
    def field(self, duration: float) -> Field:
        """What is recorded in a run of so many seconds; the network has to be ready for it.

        Raises
        ------
        SetupError
            If the run does not reach the window.
        """

    @abstractmethod
    def collect(self) -> Any:
        """What was recorded in the last run: (shape of the field), or the columns of events."""

    def plain(self) -> Array | None:
        """The array that holds the values after a run, if they are simply stored (as any type of number)."""
        return None

    @property
    def in_memory(self) -> bool:
        """Whether `collect` reads nothing but arrays that the program has: no constants of model text."""
        return True

    def memory(self, duration: float) -> int:
        """Bytes of the result of one condition."""
        found = self.field(duration)
        return math.prod(found.shape) * np.dtype(found.dtype).itemsize

    def _check_window(self, duration: float) -> None:
        for what, seconds in (("start", self.record.start), ("stop", self.record.stop)):
            if seconds is not None and seconds > duration * (1 + 1e-12):
                raise SetupError(
                    f"'{self.record.name}' is recorded with {what} = {seconds:g} s, but the run ends at "
                    f"{duration:g} s"
                )

    def _attributes(self, what: str) -> dict[str, Any]:
        return {"long_name": what, "source": self.record.object}


@dataclass(frozen=True)
class _Elements:
    """Which elements are recorded, and the dimension that makes.

    Attributes
    ----------
    positions : array or None
        None for all.
    """

    positions: np.ndarray | None
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    coordinates: Mapping[str, Coordinate]

    @classmethod
    def of(cls, record: Record, source: Any, *, shared: bool = False) -> _Elements:
        """All elements make a dimension called as the object, chosen ones a dimension of their own."""
        if shared:
            if record.elements is not None:
                raise SetupError(
                    f"'{record.object}.{record.variable}' is shared by all elements, so none can be chosen",
                    hint="Leave elements= out.",
                )
            return cls(None, (), (), {})
        if record.elements is None:
            n = len(source)
            return cls(None, (), (), {}) if n == 1 else cls(None, (record.object,), (n,), {})
        chosen = list(record.elements) if isinstance(record.elements, tuple) else record.elements
        positions, single = positions_of(chosen, len(source), record.object)
        if positions is None:
            positions = np.arange(len(source))
        if single:
            return cls(positions, (), (), {})
        dim = f"{record.name}.element"
        return cls(positions, (dim,), (len(positions),), {dim: Coordinate(positions)})

    @property
    def record(self) -> Any:
        """As monitors take it."""
        return True if self.positions is None else self.positions


def _symbol(record: Record, source: Any, variable: str) -> Symbol:
    """The variable, or an error in the words of the user."""
    if not isinstance(source, Group):
        raise SetupError(f"'{record.object}' is a {type(source).__name__}, which has no variables to record")
    symbol = source.symbol(variable)
    if symbol is None:
        known = [*source.internal_names(), *(SHORTHANDS if record.kind == "final" else ())]
        near = nearest(variable, known)
        raise NameResolutionError(
            f"'{record.object}' has no variable '{variable}' to record"
            + (f"; did you mean '{near}'?" if near else "")
        )
    return symbol


def _units(dim: Dimension) -> str:
    return "" if dim is DIMENSIONLESS else dim.symbol()


def _quantity(seconds: float | None) -> Quantity | None:
    return None if seconds is None else Quantity(seconds, dim=second.dim)


_DTYPES = {"float": "float64", "integer": "int64", "boolean": "bool"}


class FinalValue(Recorder):
    """The value of a variable at the end of the run."""

    def __init__(self, record: Record, source: Any) -> None:
        super().__init__(record, source)
        self._symbol = _symbol(record, source, record.variable)
        self._elements = _Elements.of(record, source, shared=self._symbol.shared)

    def field(self, duration: float) -> Field:
        where = self._elements
        return Field(
            self.record.name, dims=where.dims, shape=where.shape, dtype=_DTYPES[self._symbol.type],
            units=_units(self._symbol.dim), coordinates=where.coordinates,
            attributes=self._attributes(f"{self.record.object}.{self.record.variable} at the end"),
        )  # fmt: skip

    def collect(self) -> np.ndarray:
        values = self.source.view(self.record.variable, units=False).read(self._elements.positions)
        return np.asarray(values, _DTYPES[self._symbol.type]).reshape(self._elements.shape)

    def plain(self) -> Array | None:
        if self._elements.positions is not None or self.source.whole is not self.source:
            return None
        return _stored(self.source, self.record.variable)

    @property
    def in_memory(self) -> bool:
        return _stored(self.source.whole, self.record.variable) is not None


def _stored(source: Any, variable: str) -> Array | None:
    """The array of a variable that is simply stored, and not computed when it is read."""
    if not isinstance(source, NeuronGroup | Synapses):
        return None
    if isinstance(source, Synapses) and variable in source.event_driven:
        return None
    stored = {v.name: v.array for v in source.variables() if v.name in source.equations}
    return stored.get(variable)


class Trace(Recorder):
    """A variable over time."""

    def __init__(self, record: Record, source: Any) -> None:
        super().__init__(record, source)
        self._symbol = _symbol(record, source, record.variable)
        self._elements = _Elements.of(record, source, shared=self._symbol.shared)
        every, dt = record.every, None
        if record.dt is not None:
            ratio = record.dt / source.clock.dt_
            every = max(1, round(ratio))
            if abs(ratio - every) > 1e-6 * every:  # no multiple of the steps of the group: a clock of its own
                every, dt = 1, _quantity(record.dt)
        self._monitor = StateMonitor(
            source, record.variable, False if self._symbol.shared else self._elements.record, dt,
            name="recorded_trace*", start=_quantity(record.start), stop=_quantity(record.stop), every=every,
        )  # fmt: skip
        self.objects = [self._monitor]

    def field(self, duration: float) -> Field:
        self._check_window(duration)
        times = self._steps(duration) * self._monitor.clock.dt_
        if not len(times):
            raise SetupError(f"'{self.record.name}' has no sample: no time step begins in its window")
        where, time = self._elements, f"{self.record.name}.time"
        return Field(
            self.record.name, dims=(*where.dims, time), shape=(*where.shape, len(times)),
            dtype=_DTYPES[self._symbol.type], units=_units(self._symbol.dim),
            coordinates={**where.coordinates, time: Coordinate(times, "s")},
            attributes=self._attributes(f"{self.record.object}.{self.record.variable}"),
        )  # fmt: skip

    def _steps(self, duration: float) -> np.ndarray:
        """The steps at which the monitor takes samples."""
        monitor = self._monitor
        n = n_steps(duration, monitor.clock.dt_) + _ends_with_sample(monitor, duration)
        return np.asarray(monitor.window.samples(monitor.clock.dt_, n, monitor.every))

    def collect(self) -> np.ndarray:
        values = np.asarray(getattr(self._monitor, f"{self.record.variable}_"), _DTYPES[self._symbol.type])
        return values.reshape((*self._elements.shape, self._monitor.n_samples))

    @property
    def in_memory(self) -> bool:
        return _stored(self.source.whole, self.record.variable) is not None  # the last sample is read there


def _ends_with_sample(obj: SimulationObject, duration: float) -> bool:
    """Whether the end of the run is a sample, too: where spike times are exact."""
    if obj._timing is None:
        return False
    dt, main = obj.clock.dt_, obj._timing.clock.dt_
    return abs(n_steps(duration, dt) * dt - n_steps(duration, main) * main) < 1e-6 * dt


class PopulationRate(Recorder):
    """The rate of a group in every step."""

    def __init__(self, record: Record, source: Any) -> None:
        super().__init__(record, _spiking(record, source))
        self._monitor = PopulationRateMonitor(source, name="recorded_rate*")
        self.objects = [self._monitor]

    def field(self, duration: float) -> Field:
        dt, time = self._monitor.clock.dt_, f"{self.record.name}.time"
        times = np.arange(n_steps(duration, dt)) * dt
        return Field(
            self.record.name, dims=(time,), shape=(len(times),), units="Hz",
            coordinates={time: Coordinate(times, "s")},
            attributes=self._attributes(f"rate of {self.record.object}"),
        )  # fmt: skip

    def collect(self) -> np.ndarray:
        return self._monitor.rate_


def _spiking(record: Record, source: Any) -> SpikeSource:
    if not isinstance(source, SpikeSource):
        raise SetupError(f"'{record.object}' is a {type(source).__name__}, which does not spike")
    return source


class Events(Recorder):
    """When which elements had events."""

    def __init__(self, record: Record, source: Any) -> None:
        super().__init__(record, _spiking(record, source))
        self._elements = _Elements.of(record, source)
        for variable in record.variables:
            _symbol(record, source, variable)
        self._monitor = EventMonitor(
            source, record.event, record.variables, when=record.when, order=record.order,
            name="recorded_events*",
        )  # fmt: skip
        self.objects = [self._monitor]

    def field(self, duration: float) -> Field:
        columns = {"t": "s", "i": ""}
        columns |= {v: _units(self.source.symbol(v).dim) for v in self.record.variables}
        attributes = {**self._attributes(f"{self.record.event}s"), "n_elements": len(self.source)}
        return Field(self.record.name, "events", columns=columns, attributes=attributes)

    def collect(self) -> dict[str, np.ndarray]:
        monitor = self._monitor
        columns = {"t": monitor.t_, "i": monitor.i}
        columns |= {v: getattr(monitor, f"{v}_") for v in self.record.variables}
        if self._elements.positions is None:
            return columns
        kept = np.isin(columns["i"], self._elements.positions)
        return {name: values[kept] for name, values in columns.items()}

    def memory(self, duration: float) -> int:
        """As if each element had 100 events per second."""
        positions = self._elements.positions
        n = len(self.source) if positions is None else len(positions)
        return math.ceil(n * GUESSED_RATE * duration) * (EVENT_BYTES + 8 * len(self.record.variables))


class Count(Recorder):
    """The number of events of each element, or their rate."""

    def __init__(self, record: Record, source: Any) -> None:
        super().__init__(record, _spiking(record, source))
        self._elements = _Elements.of(record, source)
        self._is_rate = record.kind == "rate"
        self._counter = EventCount(
            source, record.event, start=_quantity(record.start), stop=_quantity(record.stop),
            name="recorded_count*",
        )  # fmt: skip
        self.objects = [self._counter]

    def field(self, duration: float) -> Field:
        self._check_window(duration)
        if self._is_rate and not (self.record.stop or duration) > (self.record.start or 0.0):
            raise SetupError(f"'{self.record.name}' needs a window that is longer than 0 s")
        where = self._elements
        return Field(
            self.record.name, dims=where.dims, shape=where.shape, coordinates=where.coordinates,
            dtype="float64" if self._is_rate else "int64", units="Hz" if self._is_rate else "",
            attributes=self._attributes(f"{'rate' if self._is_rate else 'number'} of {self.record.event}s"),
        )  # fmt: skip

    def collect(self) -> np.ndarray:
        values = self._counter.rate_ if self._is_rate else self._counter.count
        positions = self._elements.positions
        return (values if positions is None else values[positions]).reshape(self._elements.shape)

    def plain(self) -> Array | None:
        if self._elements.positions is not None:
            return None
        return self._counter.rates if self._is_rate else self._counter.counts


class Reduced(Recorder):
    """A reduction of samples: one of those that have a name, or the user's own."""

    def __init__(self, record: Record, source: Any) -> None:
        super().__init__(record, source)
        window = {"start": _quantity(record.start), "stop": _quantity(record.stop)}
        if record.kind == "reduce":
            if not isinstance(source, Group):
                raise SetupError(f"'{record.object}' is a {type(source).__name__}, which has no variables")
            self._elements = _Elements.of(record, source)
            constants = record.named_constants()
            self._reduction = Reduction(
                source, record.parameters, record.each, record.value, record.first, self._elements.record,
                namespace=constants, name="recorded_reduction*", **window,
            )  # fmt: skip
        else:
            symbol = _symbol(record, source, record.variable)
            self._elements = _Elements.of(record, source, shared=symbol.shared)
            self._reduction = reduction_of(
                source, record.variable, record.kind, [0] if symbol.shared else self._elements.record,
                name="recorded_reduction*", **window,
            )  # fmt: skip
        self.objects = [self._reduction]

    def field(self, duration: float) -> Field:
        self._check_window(duration)
        window, dt = self._reduction.window, self._reduction.clock.dt_
        n = n_steps(duration, dt) + _ends_with_sample(self._reduction, duration)
        if not window.samples(dt, n):
            raise SetupError(f"'{self.record.name}' has no sample: no time step begins in its window")
        where = self._elements
        return Field(
            self.record.name, dims=where.dims, shape=where.shape, units=_units(self._reduction.dim),
            coordinates=where.coordinates, attributes=self._attributes(self.record.name),
        )  # fmt: skip

    def collect(self) -> np.ndarray:
        return self._reduction.values_.reshape(self._elements.shape)

    def plain(self) -> Array | None:
        return self._reduction.result


RECORDERS: dict[str, type[Recorder]] = {
    "final": FinalValue,
    "trace": Trace,
    "spikes": Events,
    "count": Count,
    "rate": Count,
    "population_rate": PopulationRate,
    "reduce": Reduced,
    **dict.fromkeys(RECIPES, Reduced),
}
