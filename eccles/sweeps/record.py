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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from fractions import Fraction
from typing import Any

import numpy as np

from eccles.engine.clock import to_seconds
from eccles.errors import NameResolutionError, SetupError
from eccles.language.check import Symbol
from eccles.language.equations import Equations
from eccles.language.nodes import names_in
from eccles.language.parser import parse_expression, parse_statements
from eccles.language.resolve import default_symbol, external_symbol
from eccles.monitors import EventMonitor, PopulationRateMonitor, StateMonitor
from eccles.monitors.reduction import RECIPES
from eccles.monitors.spikes import slot_after
from eccles.monitors.window import Window
from eccles.objects import magic
from eccles.objects.group import Group, SimulationObject
from eccles.objects.sources import Subgroup
from eccles.sweeps.recorders import RECORDERS, SHORTHANDS, Recorder
from eccles.units import DIMENSIONLESS, Dimension, Quantity

__all__ = [
    "Record", "count", "final", "maximum", "mean", "minimum", "population_rate", "rate",
    "record_of_monitor", "records_of", "reduce", "spikes", "time_of_maximum", "time_of_minimum",
    "trace",
]  # fmt: skip

Find = Callable[[str], Any]  # the object of this name

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
        if self.kind not in KINDS:
            raise SetupError(f"there is no kind of record '{self.kind}'")
        if self.kind in NEEDS_VARIABLE and not self.variable:
            raise SetupError(f"a record of the kind '{self.kind}' needs a variable")
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
        return RECORDERS[record.kind](record, source)

    def named_constants(self) -> dict[str, Any]:
        """The `constants` as numbers and quantities, by name."""
        found = {}
        for name, number, exponents in self.constants:
            dim = _dimension(exponents)
            found[name] = number if dim is DIMENSIONLESS else Quantity(number, dim=dim)
        return found

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
        if missing:
            raise SetupError(f"what is recorded cannot be read: it has no '{missing[0]}'")
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
    part = None
    if isinstance(source, Subgroup) and called == source.name:  # a part without a name of its own
        called, part = magic.script_name(source.whole), slice(source.start, source.stop)
    match monitor:
        case StateMonitor():
            return [_trace_of(monitor, variable, called, part) for variable in monitor.record_variables]
        case EventMonitor():
            return [_events_of(monitor, called, part)]
        case PopulationRateMonitor() if part is None:
            return [Record("population_rate", called)]
    raise SetupError(
        f"{monitor.name} cannot be recorded in a sweep as it is",
        hint='Say what to record with record=, as in record="Q.v".',
    )


def _trace_of(monitor: StateMonitor, variable: str, called: str, part: slice | None) -> Record:
    if (monitor.when, monitor.order) != ("start", 0):
        raise SetupError(
            f"{monitor.name} records in the slot '{monitor.when}' (order {monitor.order}), which a sweep "
            f"cannot do",
            hint=f'Say what to record with record=, as in record.trace("{called}.{variable}").',
        )
    source = monitor.source
    every = np.array_equal(monitor.record, np.arange(len(source)))
    whole = source.symbol(variable).shared or (part is None and every)
    first = 0 if part is None else part.start
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
