"""Recording events: when, which element, and values of its variables at that moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.compile.lower import convert
from eccles.engine.clock import to_seconds
from eccles.engine.program import Block, Outcome, Part, ProgramBuilder
from eccles.engine.state import Array
from eccles.errors import NameResolutionError, SetupError, nearest
from eccles.objects.code import Code
from eccles.objects.group import SimulationObject
from eccles.objects.sources import SpikeSource
from eccles.objects.stored import stored_array
from eccles.units import DIMENSIONLESS, Quantity, hertz, second

__all__ = ["EventMonitor", "SpikeMonitor", "slot_after"]


def slot_after(source: Any, event: str) -> tuple[str, int]:
    """The slot and the order in it in which events are recorded: right after they are found."""
    if event in getattr(source.whole, "event_schedule", {}):
        slot, order = source.whole.event_schedule[event]
        return slot, order + 1
    return "thresholds" if event == "spike" else "after_thresholds", 1


class EventMonitor(SimulationObject):
    """Records the events of a group.

    Parameters
    ----------
    source : group
    event : str
        Which events.
    variables : str or sequence of str, optional
        Variables whose values at the moment of the event (before the reset) are recorded too.
    record : bool
        False counts events only.

    Attributes
    ----------
    t : (n,), time
        When; the start of the time step.
    i : (n,), int
        Which element.
    count : (N,), int
        How many events each element had.
    """

    invalidates_magic_network = False
    is_recorder = True

    def __init__(
        self,
        source: Any,
        event: str,
        variables: str | Sequence[str] | None = None,
        record: bool = True,
        when: str | None = None,
        order: int | None = None,
        name: str = "eventmonitor*",
        codeobj_class: Any = None,
    ) -> None:
        if not isinstance(record, bool | np.bool_):
            raise TypeError(
                "record has to be True or False; monitor a part of the group (group[:10]) to record some"
            )
        if not isinstance(source, SpikeSource):
            raise TypeError(f"a monitor of events needs a group that has some, not {source!r}")
        self.source: Any = source
        self.event = event
        self.events = source.event_buffer(event)
        slot, default_order = slot_after(source, event)
        super().__init__(name, source.clock, None, when or slot, default_order if order is None else order)
        self.record = bool(record)
        names = [variables] if isinstance(variables, str) else list(variables or ())
        for variable in names:
            if source.symbol(variable) is None:
                near = nearest(variable, source.internal_names())
                raise NameResolutionError(
                    f"{source.name} has no variable '{variable}' to record"
                    + (f"; did you mean '{near}'?" if near else "")
                )
        self.record_variables = tuple(names)
        self._n = Array(f"{self.name}.n", Element.I64, 1)
        self._n_before = 0  # when the run began
        self._i = Array(f"{self.name}.i", Element.I32)
        self._t = Array(f"{self.name}.t", Element.F64)
        self._values = {v: Array(f"{self.name}.{v}", Element.F64) for v in names}
        self._counts = Array(f"{self.name}.count", Element.I32, len(source))

    @property
    def needs(self) -> list[SimulationObject]:
        return [self.source.whole]

    # -- results --------------------------------------------------------------------------------

    @property
    def num_events(self) -> int:
        """How many events there were."""
        return int(self._n.data[0])

    @property
    def N(self) -> int:
        """How many events were recorded."""
        return self.num_events if self.record else 0

    def _recorded(self, array: Array) -> np.ndarray:
        if not self.record:
            raise AttributeError  # `__getattr__` says why
        return array.data[: self.num_events].copy()

    @property
    def t_(self) -> np.ndarray:
        """Times in seconds, without unit."""
        return self._recorded(self._t)

    @property
    def t(self) -> Quantity:
        """Times of the events, (n,)."""
        return Quantity(self.t_, dim=second.dim)

    @property
    def i(self) -> np.ndarray:
        """The element of each event, (n,) int."""
        return self._recorded(self._i)

    @property
    def i_(self) -> np.ndarray:
        """The element of each event, (n,) int."""
        return self.i

    @property
    def it(self) -> tuple[np.ndarray, Quantity]:
        """Elements and times."""
        return self.i, self.t

    @property
    def it_(self) -> tuple[np.ndarray, np.ndarray]:
        """Elements and times in seconds."""
        return self.i, self.t_

    @property
    def count(self) -> np.ndarray:
        """The number of events of each element, (N,) int."""
        return self._counts.data.copy()

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__.get("_values", {})
        plain = name[:-1] if name.endswith("_") and name not in values else name
        if plain in values:
            symbol = self.source.symbol(plain)
            recorded = self._recorded(values[plain])
            if symbol.type == "integer":
                recorded = recorded.astype(np.int32)
            elif symbol.type == "boolean":
                recorded = recorded.astype(bool)
            return (
                recorded
                if plain != name or symbol.dim is DIMENSIONLESS
                else Quantity(recorded, dim=symbol.dim)
            )
        if name.startswith("_"):
            raise AttributeError(name)
        if not self.__dict__.get("record", True) and hasattr(type(self), name):
            raise AttributeError(f"{self.name} only counts events (record=False): it has no '{name}'")
        known = ", ".join(dict.fromkeys(("t", "i", "count", *values)))
        raise AttributeError(
            f"{self.name} records no '{name}'; there are {known}. Values of neurons at their spikes are "
            f"recorded with variables=..."
        )

    def event_trains(self) -> dict[int, Quantity]:
        """The times of the events of each element."""
        return self.values("t")

    def values(self, var: str) -> dict[int, Any]:
        """The recorded values of a variable (or `'t'`), by element.

        Returns
        -------
        dict of int to array
            For every element, also those without events.
        """
        values, i = getattr(self, var), self.i
        order = np.argsort(i, kind="stable")
        bounds = np.searchsorted(i[order], np.arange(len(self.source) + 1))
        ordered = values[order]
        return {k: ordered[bounds[k] : bounds[k + 1]] for k in range(len(self.source))}

    def all_values(self) -> dict[str, dict[int, Any]]:
        """`values` of every recorded variable and of `t`."""
        return {v: self.values(v) for v in (*self.record_variables, "t")}

    def binned_rate(self, bin_size: Quantity) -> tuple[Quantity, Quantity]:
        """The rate of each element in consecutive bins: centres (k,) and rates (N, k)."""
        width = to_seconds(bin_size, "the size of a bin")
        if not self.clock.dt_ <= width < np.inf:
            raise SetupError("bins have to be at least one time step long")
        n_bins = max(1, round(self.clock.t_ / width))
        which = np.minimum((self.t_ / width + 1e-9).astype(int), n_bins - 1)
        rates = np.zeros((len(self.source), n_bins))
        np.add.at(rates, (self.i, which), 1.0 / width)
        centres = (np.arange(n_bins) + 0.5) * width
        return Quantity(centres, dim=second.dim), Quantity(rates, dim=hertz.dim)

    def to_xarray(self) -> Any:
        """The events as a labelled dataset with dimension `event`."""
        import xarray as xr

        data: dict[str, Any] = {
            "t": ("event", self.t_, {"units": "s"}),
            "i": ("event", self.i),
        }
        for variable in self.record_variables:
            data[variable] = (
                "event",
                getattr(self, variable + "_"),
                {"units": self.source.symbol(variable).dim.symbol()},
            )
        return xr.Dataset(data, attrs={"source": self.source.name, "event": self.event})

    def reinit(self) -> None:
        """Not possible: make a new monitor."""
        raise NotImplementedError("a monitor cannot be emptied: make a new one")

    # -- code -----------------------------------------------------------------------------------

    def needs_grid(self) -> str:
        return "" if self.in_instants and self.event == "spike" else f"{self.name} looks at every time step"

    def after_run(self) -> None:
        """Put what was recorded in order, where connected components were simulated one after the other."""
        if self._timing is None or not self._timing.without_grid or not self.record:
            return
        new = slice(self._n_before, self.num_events)
        order = np.lexsort((self._i.data[new], self._t.data[new]))
        for array in (self._i, self._t, *self._values.values()):
            array.data[new] = array.data[new][order]

    def before_run(self, namespace: Mapping[str, Any] | None, duration: float) -> None:
        self._n_before = self.num_events
        if self.record and self._i.capacity < self.num_events + 1024:
            self._make_room(self.num_events + 1024)

    def _make_room(self, n: int) -> None:
        for array in (*self._values.values(), self._t, self._i):  # the length of the last is the room
            array.resize(n)

    def _grow(self) -> None:
        self._make_room(2 * len(self._i) + len(self.source))

    def structure(self) -> object:
        return (self.structure_version, self.record)

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        part = Part.INSTANT if self.in_instants else None
        return [Block(self.name, self.clock, self.when, self.order, self._emit, part)]

    def _emit(self, b: ProgramBuilder) -> None:
        source = self.source
        part = source.whole is not source
        first = source.first_element(b)
        within = None
        if part:
            within = (first, b.integer_constant(("stop", id(source)), "stop", lambda: source.stop))
        _, n_events = self.events.span(b)
        with b.when(Op("igt", (n_events, ir.const(0)))):
            n = b.let("n", b.load(self._n, 0))
            if self.record:
                room = Op("igt", (Op("iadd", (n, n_events)), b.size(self._i)))
                b.leave_if(room, Outcome(f"{self.name}: more room for events", self._grow, again=True))
            position = b.var("position", n)
            with self._each_event(b, within) as (element, t):
                own = b.let("own", Op("isub", (element, first))) if part else element
                if self.record:
                    b.store(self._i, position, own)
                    b.store(self._t, position, t)
                    self._emit_values(b, element, position)
                b.set(position, Op("iadd", (position, ir.const(1))))
                b.store(self._counts, own, Op("iadd", (b.load(self._counts, own), ir.const(1))))
            b.store(self._n, 0, position)

    @contextmanager
    def _each_event(
        self, b: ProgramBuilder, within: tuple[ir.Expr, ir.Expr] | None
    ) -> Iterator[tuple[ir.Expr, ir.Expr]]:
        """Code that runs for each event: the element and the time."""
        if not self.in_instants:
            with self.events.each(b, within=within) as element:
                yield element, b.t(self.clock)
            return
        start = b.let("start", b.step_start(self.clock))
        with self.events.each_exact(b, within) as (element, offset, _):
            yield element, Op("fadd", (start, offset))

    def _emit_values(self, b: ProgramBuilder, element: ir.Expr, position: ir.Expr) -> None:
        if not self._values:
            return
        code = Code(
            b, self.source, lambda name, low: self.source.resolve(b, name, element, low),
            element=element, purpose="monitor",
        )  # fmt: skip
        for name, array in self._values.items():
            b.store(array, position, convert(code.lowerer.env[name], ir.F64))

    def full_state(self) -> dict[str, np.ndarray]:
        n = self.num_events if self.record else 0
        state = {"n": self._n.data.copy(), "i": self._i.data[:n].copy(), "t": self._t.data[:n].copy()}
        state |= {f"value.{k}": a.data[:n].copy() for k, a in self._values.items()}
        return {**state, "count": self._counts.data.copy()}

    def set_full_state(self, state: Mapping[str, np.ndarray]) -> None:
        total = stored_array(state, "n", self.name, dtype=np.int64, size=1, at_least=0)
        n = int(total[0]) if self.record else 0
        size = len(self.source)
        counts = stored_array(state, "count", self.name, dtype=np.int32, size=size, at_least=0)
        i = stored_array(state, "i", self.name, dtype=np.int32, size=n, at_least=0, below=size)
        t = stored_array(state, "t", self.name, dtype=np.float64, size=n)
        for key, array in self._values.items():
            array.replace(stored_array(state, f"value.{key}", self.name, dtype=np.float64, size=n))
        self._i.replace(i)
        self._t.replace(t)
        self._counts.replace(counts)
        self._n.replace(total)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.source.name}: {self.num_events} events>"


class SpikeMonitor(EventMonitor):
    """Records spikes: see `EventMonitor`.

    `M.t`, `M.i` hold times and neurons of all spikes, `M.count` the number of spikes of each neuron,
    `M.spike_trains()` the times by neuron.
    """

    def __init__(
        self,
        source: Any,
        variables: str | Sequence[str] | None = None,
        record: bool = True,
        when: str | None = None,
        order: int | None = None,
        name: str = "spikemonitor*",
        codeobj_class: Any = None,
    ) -> None:
        super().__init__(source, "spike", variables, record, when, order, name)

    @property
    def num_spikes(self) -> int:
        """How many spikes there were."""
        return self.num_events

    def spike_trains(self) -> dict[int, Quantity]:
        """The spike times of each neuron."""
        return self.event_trains()
