"""What a sweep records: specs that users write, and the recorders that they become in a network.

    from eccles import record

    sweep(model, ..., record="Q.v")                                     # the final value
    sweep(model, ..., record=["P.rate", record.maximum("Q.v", start=10*ms)])
    sweep(model, ..., record={"late": record.mean("Q.v", start=1*second)})

A spec (`Record`) is plain data: it goes into files and to other processes as JSON. In a network it becomes a
`Recorder`, which adds the objects that it needs and hands over bare numbers in SI units after each run.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from fractions import Fraction
from typing import Any

import numpy as np

from eccles.engine.clock import to_seconds
from eccles.engine.state import Array
from eccles.errors import NameResolutionError, SetupError, nearest
from eccles.language.check import Symbol
from eccles.language.equations import Equations
from eccles.language.nodes import names_in
from eccles.language.parser import parse_expression, parse_statements
from eccles.language.resolve import default_symbol, external_symbol
from eccles.monitors import EventMonitor, PopulationRateMonitor, StateMonitor
from eccles.monitors.reduction import RECIPES, EventCount, Reduction, reduction_of, slot_after
from eccles.monitors.window import Window, n_steps
from eccles.objects import magic
from eccles.objects.group import Group, SimulationObject
from eccles.objects.neurons import NeuronGroup
from eccles.objects.sources import SpikeSource, Subgroup
from eccles.objects.synapses import Synapses
from eccles.objects.variables import positions_of
from eccles.results.layout import Coordinate, Field
from eccles.units import DIMENSIONLESS, Dimension, Quantity, second

__all__ = [
    "Record", "Recorder", "count", "final", "maximum", "mean", "minimum", "population_rate", "rate",
    "record_of_monitor", "records_of", "reduce", "share_time", "spikes", "time_of_maximum", "time_of_minimum",
    "trace",
]  # fmt: skip

Find = Callable[[str], Any]  # the object of this name

GUESSED_RATE = 100.0  # Hz: of neurons whose spikes are recorded, for an estimate of memory
EVENT_BYTES = 12  # time and element
SHORTHANDS = ("spikes", "count", "rate")  # "P.spikes", where P has no variable of that name
NEEDS_VARIABLE = ("text", "final", "trace", *RECIPES)
KINDS = (*NEEDS_VARIABLE, *SHORTHANDS, "population_rate", "reduce")


@dataclass(frozen=True)
class Record:
    """What is recorded in every condition; made by the functions of this module.

    Attributes
    ----------
    kind : str
        'text' where it is given as text, and the model decides what `"P.rate"` means.
    object : str
        The name of the group or synapses.
    variable : str
    called : str, optional
        The name of the result; by default one is made, such as 'mean(Q.v)'.
    elements : int, slice or tuple of int, optional
        Which elements; all by default. A single number leaves no dimension.
    start, stop : float, optional
        In seconds.
    every : int
        Every n-th step is a sample.
    dt : float, optional
        Seconds between samples, instead of `every`.
    event : str
    variables : tuple of str
        Recorded at each event.
    when, order : optional
        The slot in which events are recorded.
    parameters, first, each, value : str
        A reduction in the model language.
    constants : tuple of (name, number, exponents of its dimension)
        What names in a reduction stand for in the script.
    """

    kind: str
    object: str
    variable: str = ""
    called: str | None = None
    elements: int | slice | tuple[int, ...] | None = None
    start: float | None = None
    stop: float | None = None
    every: int = 1
    dt: float | None = None
    event: str = "spike"
    variables: tuple[str, ...] = ()
    when: str | None = None
    order: int | None = None
    parameters: str = ""
    first: str | None = None
    each: str = ""
    value: str = ""
    constants: tuple[tuple[str, float | int | bool, tuple[str, ...]], ...] = ()

    def __post_init__(self) -> None:
        window = Window(self.start, self.stop).checked()
        if self.kind == "rate" and window.stop is not None and window.stop <= (window.start or 0.0):
            raise SetupError("a rate needs a window that is longer than 0 s")
        if isinstance(self.every, bool) or not isinstance(self.every, int) or self.every < 1:
            raise SetupError(f"every= has to be a whole number from 1 on, not {self.every!r}")
        if self.dt is not None:
            if not 0 < self.dt < math.inf:
                raise SetupError(f"dt= has to be a positive time, not {self.dt:g} s")
            if self.every != 1:
                raise SetupError("give either every= or dt=, not both")

    @property
    def name(self) -> str:
        """What the result is called."""
        if self.called is not None:
            return self.called
        match self.kind:
            case "text" | "final":
                return f"{self.object}.{self.variable}"
            case "spikes" | "count" | "rate" if self.event != "spike":
                return f"{self.object}.{self.event}.{self.kind}"
            case "spikes" | "count" | "rate" | "population_rate":
                return f"{self.object}.{self.kind}"
            case "reduce":
                return f"{self.value if self.value.isidentifier() else 'reduce'}({self.object})"
            case _:
                return f"{self.kind}({self.object}.{self.variable})"

    def attach(self, find: Find) -> Recorder:
        """Make what records this in a network.

        Parameters
        ----------
        find : callable
            `find(name)` returns the object of that name; it raises if there is none.

        Raises
        ------
        SetupError, ModelError
            If the object does not have what is to be recorded.
        """
        source = find(self.object)
        record = self
        if self.kind == "text":
            known = isinstance(source, Group) and source.symbol(self.variable) is not None
            if not known and self.variable in SHORTHANDS:
                record = replace(self, kind=self.variable, variable="", called=self.name)
            else:
                record = replace(self, kind="final")
        return _RECORDERS[record.kind](record, source)

    # -- as data ----------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON: what differs from the defaults."""
        found: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default:
                continue
            if isinstance(value, slice):
                value = {"slice": [value.start, value.stop, value.step]}
            elif field.name == "constants":
                value = [[name, number, list(exponents)] for name, number, exponents in value]
            found[field.name] = list(value) if isinstance(value, tuple) else value
        return found

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Record:
        """The spec that `to_dict` made data of.

        Raises
        ------
        SetupError
            If the data is none.
        """
        if not isinstance(data, Mapping):
            raise SetupError(f"what is recorded cannot be read: {data!r} is no object")
        known = {field.name: field for field in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in data.items():
            if name not in known:
                raise SetupError(f"what is recorded cannot be read: there is no '{name}'")
            read = _READ.get(name, _read_text)
            try:
                values[name] = read(value)
            except (TypeError, ValueError, KeyError, OverflowError, ZeroDivisionError):
                raise SetupError(f"what is recorded cannot be read: '{name}' cannot be {value!r}") from None
        missing = [n for n, f in known.items() if f.default is MISSING and n not in values]
        if missing or values["kind"] not in KINDS:
            what = f"it has no '{missing[0]}'" if missing else f"there is no kind '{values['kind']}'"
            raise SetupError(f"what is recorded cannot be read: {what}")
        return cls(**values)


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _read_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _read_integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _read_elements(value: Any) -> int | slice | tuple[int, ...]:
    if isinstance(value, Mapping):
        return slice(*(None if part is None else _read_integer(part) for part in value["slice"]))
    return tuple(map(_read_integer, value)) if isinstance(value, list) else _read_integer(value)


def _read_constant(value: Any) -> tuple[str, float | int | bool, tuple[str, ...]]:
    name, number, exponents = value
    if not isinstance(number, bool | int | float):
        raise TypeError
    _dimension(exponents)
    return _read_text(name), number, tuple(exponents)


_READ: dict[str, Callable[[Any], Any]] = {
    "elements": _read_elements,
    "start": _read_number,
    "stop": _read_number,
    "dt": _read_number,
    "every": _read_integer,
    "order": _read_integer,
    "variables": lambda value: tuple(map(_read_text, value)),
    "constants": lambda value: tuple(map(_read_constant, value)),
}


def _dimension(exponents: Sequence[str]) -> Dimension:
    if len(exponents) != 7:
        raise ValueError
    return Dimension(tuple(Fraction(_read_text(part)) for part in exponents))


# -- what users write -------------------------------------------------------------------------------


def final(variable: str, *, elements: Any = None) -> Record:
    """The value of a variable at the end of the run; the same as its name alone.

    Parameters
    ----------
    variable : str
        Object and variable: `"Q.v"`, `"S.w"`.
    elements : int, slice or sequence of int, optional
        Which elements; all by default.
    """
    return Record("final", *_split(variable), elements=_elements(elements))


def trace(
    variable: str,
    *,
    every: int = 1,
    dt: Quantity | None = None,
    start: Quantity | None = None,
    stop: Quantity | None = None,
    elements: Any = None,
) -> Record:
    """The values of a variable over time.

    Parameters
    ----------
    variable : str
        Object and variable: `"Q.v"`.
    every : int, optional
        Only every n-th time step, counted from `start`.
    dt : time, optional
        The time between samples, instead of `every`.
    start, stop : time, optional
        Samples are taken where start <= t <= stop.
    elements : int, slice or sequence of int, optional
        Which elements; all by default.
    """
    seconds = None if dt is None else to_seconds(dt, "dt")
    if isinstance(every, np.integer):
        every = int(every)
    return _over_time("trace", variable, start, stop, elements, every=every, dt=seconds)


def mean(
    variable: str, *, start: Quantity | None = None, stop: Quantity | None = None, elements: Any = None
) -> Record:
    """The mean of a variable over time, of samples where start <= t <= stop. NaN if one of them is."""
    return _over_time("mean", variable, start, stop, elements)


def maximum(
    variable: str, *, start: Quantity | None = None, stop: Quantity | None = None, elements: Any = None
) -> Record:
    """The largest value of a variable, of samples where start <= t <= stop. NaN if one of them is."""
    return _over_time("maximum", variable, start, stop, elements)


def minimum(
    variable: str, *, start: Quantity | None = None, stop: Quantity | None = None, elements: Any = None
) -> Record:
    """The smallest value of a variable, of samples where start <= t <= stop. NaN if one of them is."""
    return _over_time("minimum", variable, start, stop, elements)


def time_of_maximum(
    variable: str, *, start: Quantity | None = None, stop: Quantity | None = None, elements: Any = None
) -> Record:
    """When a variable was largest: the first of equal maxima, or the first NaN, where start <= t <= stop."""
    return _over_time("time_of_maximum", variable, start, stop, elements)


def time_of_minimum(
    variable: str, *, start: Quantity | None = None, stop: Quantity | None = None, elements: Any = None
) -> Record:
    """When a variable was smallest: the first of equal minima, or the first NaN, where start <= t <= stop."""
    return _over_time("time_of_minimum", variable, start, stop, elements)


def spikes(
    group: str, *, variables: str | Sequence[str] = (), event: str = "spike", elements: Any = None
) -> Record:
    """When and which neurons spiked, and values at these moments.

    Parameters
    ----------
    group : str
    variables : str or sequence of str, optional
        Variables whose values just before the reset are recorded for each spike.
    event : str, optional
        Another event than a spike.
    elements : int, slice or sequence of int, optional
        Whose spikes; those of all by default.
    """
    names = (variables,) if isinstance(variables, str) else tuple(variables)
    return Record("spikes", _object(group), variables=names, event=event, elements=_elements(elements))


def count(
    group: str,
    *,
    start: Quantity | None = None,
    stop: Quantity | None = None,
    event: str = "spike",
    elements: Any = None,
) -> Record:
    """How many spikes each neuron had, where start <= t < stop."""
    return _of_events("count", group, start, stop, event, elements)


def rate(
    group: str,
    *,
    start: Quantity | None = None,
    stop: Quantity | None = None,
    event: str = "spike",
    elements: Any = None,
) -> Record:
    """The firing rate of each neuron: its spikes where start <= t < stop, over the length of that window."""
    return _of_events("rate", group, start, stop, event, elements)


def population_rate(group: str) -> Record:
    """The rate of a group in every time step, as a `PopulationRateMonitor` records it."""
    return Record("population_rate", _object(group))


def reduce(
    obj: str,
    parameters: str,
    *,
    each: str,
    value: str,
    first: str | None = None,
    start: Quantity | None = None,
    stop: Quantity | None = None,
    elements: Any = None,
) -> Record:
    """A reduction of one's own, in the model language.

    `record.reduce("Q", "top : volt", first="top = v", each="top = clip(top, v, inf*volt)", value="top")` is
    `record.maximum("Q.v")`.

    Parameters
    ----------
    obj : str
        The group or synapses whose variables are reduced.
    parameters : str
        Variables of the reduction's own, for each element: `"peak : volt"`, one a line. They begin with 0.
    each : str
        Statements for every sample. `n_samples` is the number of samples up to this one.
    value : str
        The result: one of the parameters or an expression.
    first : str, optional
        Statements for the first sample, instead of `each`.
    start, stop : time, optional
        Samples are taken where start <= t <= stop.
    elements : int, slice or sequence of int, optional
        Which elements; all by default.

    Notes
    -----
    Names that neither the parameters nor the model of the object know are looked up in the calling script
    now: numbers and quantities.
    """
    return Record(
        "reduce", _object(obj), parameters=parameters, each=each, value=value, first=first,
        start=_seconds(start, "start"), stop=_seconds(stop, "stop"), elements=_elements(elements),
        constants=_constants(parameters, each, value, first),
    )  # fmt: skip


def _over_time(kind: str, variable: str, start: Any, stop: Any, elements: Any, **options: Any) -> Record:
    return Record(
        kind, *_split(variable), start=_seconds(start, "start"), stop=_seconds(stop, "stop"),
        elements=_elements(elements), **options,
    )  # fmt: skip


def _of_events(kind: str, group: str, start: Any, stop: Any, event: str, elements: Any) -> Record:
    return Record(
        kind, _object(group), start=_seconds(start, "start"), stop=_seconds(stop, "stop"), event=event,
        elements=_elements(elements),
    )  # fmt: skip


def _seconds(value: Any, what: str) -> float | None:
    return None if value is None else to_seconds(value, f"{what}=")


def _object(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise TypeError(f"what is recorded is given by the name of a group, as text, not by {name!r}")
    return name


def _split(text: Any) -> tuple[str, str]:
    """Object and variable of 'Q.v'."""
    if not isinstance(text, str):
        raise TypeError(f'what is recorded is given as text, such as "Q.v", not as {text!r}')
    obj, dot, variable = text.rpartition(".")
    if not dot or not obj or not variable:
        raise SetupError(
            f"'{text}' does not say what to record",
            hint='Write object and variable, as in "Q.v"; or "P.spikes", "P.count", "P.rate" of a group.',
        )
    return obj, variable


def _elements(given: Any) -> int | slice | tuple[int, ...] | None:
    """Elements as they are stored."""
    if given is None or isinstance(given, slice):
        return given
    array = np.asarray(given)
    if array.ndim == 1 and array.dtype.kind == "b":
        return tuple(np.flatnonzero(array).tolist())
    if array.ndim > 1 or (array.size and array.dtype.kind not in "iu"):
        raise TypeError(f"elements are given by an integer, a slice or a list of integers, not by {given!r}")
    return int(array) if array.ndim == 0 else tuple(array.tolist())


def _constants(
    parameters: str, each: str, value: str, first: str | None
) -> tuple[tuple[str, float | int | bool, tuple[str, ...]], ...]:
    """What names of a reduction stand for in the calling script, as far as they are numbers."""
    statements = [*parse_statements(each, "each sample"), *parse_statements(first or "", "the first sample")]
    trees = [*(a.value for a in statements), parse_expression(value, "value")]
    own = {*Equations(parameters), *(a.target for a in statements)}
    script, found = magic.users_names(), []
    for name in sorted(set().union(*map(names_in, trees)) - own):
        try:
            symbol = external_symbol(name, script[name]) if name in script else None
        except NameResolutionError:  # an object of the same name as a variable, perhaps
            continue
        if isinstance(symbol, Symbol) and symbol != default_symbol(name):
            found.append((name, symbol.value, tuple(map(str, symbol.dim.exponents))))
    return tuple(found)


# -- normal forms -----------------------------------------------------------------------------------


def records_of(given: Any) -> dict[str, Record]:
    """What `record=` of a sweep takes, by name of the result.

    Parameters
    ----------
    given : str, Record, sequence of these, or dict of name to one of these

    Raises
    ------
    SetupError
        If two results have the same name, or there is none.
    """
    if isinstance(given, Mapping):
        named = [(_result_name(name), _record_of(spec)) for name, spec in given.items()]
    else:
        several = given if isinstance(given, Iterable) and not isinstance(given, str) else [given]
        named = [(r.name, r) for r in map(_record_of, several)]
    found: dict[str, Record] = {}
    for name, record in named:
        record = replace(record, called=name)
        if found.setdefault(name, record) != record:
            raise SetupError(
                f"two results are called '{name}'",
                hint=f'Name them: record={{"one": ..., "other": ...}} instead of {name} twice.',
            )
    if not found:
        raise SetupError("nothing is recorded", hint='Say what, as in record="Q.v".')
    return found


def _record_of(spec: Any) -> Record:
    if isinstance(spec, Record):
        return spec
    if isinstance(spec, str):
        return Record("text", *_split(spec))
    raise TypeError(
        f'record= takes text such as "Q.v", what record.mean(...) and its like make, or lists or dicts of '
        f"these, not {spec!r}"
    )


def _result_name(name: Any) -> str:
    if not isinstance(name, str) or not name or "/" in name:
        raise SetupError(f"a result is called by text without '/', not {name!r}")
    return name


def record_of_monitor(monitor: SimulationObject, called: str) -> list[Record]:
    """The specs that equal a monitor which the model has made itself.

    Parameters
    ----------
    monitor : EventMonitor, StateMonitor or PopulationRateMonitor
    called : str
        What the model calls the group that it records.

    Raises
    ------
    SetupError
        If it records in a way that no spec does.
    """
    source: Any = monitor.source  # type: ignore[attr-defined]
    first, part = 0, None
    if isinstance(source, Subgroup) and called == source.name:  # a part without a name of its own
        called, first, part = magic.script_name(source.whole), source.start, slice(source.start, source.stop)
    match monitor:
        case StateMonitor():
            return [_trace_of(monitor, variable, called, first) for variable in monitor.record_variables]
        case EventMonitor():
            return [_events_of(monitor, called, part)]
        case PopulationRateMonitor() if part is None:
            return [Record("population_rate", called)]
    raise SetupError(
        f"{monitor.name} cannot be recorded in a sweep as it is",
        hint='Say what to record with record=, as in record="Q.v".',
    )


def _trace_of(monitor: StateMonitor, variable: str, called: str, first: int) -> Record:
    if (monitor.when, monitor.order) != ("start", 0):
        raise SetupError(
            f"{monitor.name} records in the slot '{monitor.when}' (order {monitor.order}), which a sweep "
            f"cannot do",
            hint=f'Say what to record with record=, as in record.trace("{called}.{variable}").',
        )
    source = monitor.source
    shared = source.symbol(variable).shared
    whole = shared or (source.whole is source and np.array_equal(monitor.record, np.arange(len(source))))
    own_dt = monitor.clock is not source.clock and monitor.clock.dt_ != source.clock.dt_
    return Record(
        "trace", called, variable, start=monitor.window.start, stop=monitor.window.stop,
        every=1 if own_dt else monitor.every, dt=monitor.clock.dt_ * monitor.every if own_dt else None,
        elements=None if whole else tuple((monitor.record + first).tolist()),
    )  # fmt: skip


def _events_of(monitor: EventMonitor, called: str, part: slice | None) -> Record:
    placed = (monitor.when, monitor.order) != slot_after(monitor.source, monitor.event)
    return Record(
        "spikes" if monitor.record else "count", called, event=monitor.event, elements=part,
        variables=monitor.record_variables, when=monitor.when if placed else None,
        order=monitor.order if placed else None,
    )  # fmt: skip


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


# -- recorders --------------------------------------------------------------------------------------


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
        source, name = self.source, self.record.variable
        if self._elements.positions is not None or not isinstance(source, NeuronGroup | Synapses):
            return None
        if isinstance(source, Synapses) and name in source.event_driven:
            return None
        stored = {v.name: v.array for v in source.variables() if v.name in source.equations}
        return stored.get(name)


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
        values = np.asarray(getattr(self._monitor, f"{self.record.variable}_"))
        shape = (*self._elements.shape, self._monitor.n_samples)
        return values.astype(_DTYPES[self._symbol.type]).reshape(shape)


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
            constants = {n: _constant(x, _dimension(exponents)) for n, x, exponents in record.constants}
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


def _constant(number: float | int | bool, dim: Dimension) -> Any:
    return number if dim is DIMENSIONLESS else Quantity(number, dim=dim)


_RECORDERS: dict[str, type[Recorder]] = {
    "final": FinalValue,
    "trace": Trace,
    "spikes": Events,
    "count": Count,
    "rate": Count,
    "population_rate": PopulationRate,
    "reduce": Reduced,
    **dict.fromkeys(RECIPES, Reduced),
}
