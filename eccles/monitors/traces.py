"""Recording variables at every step of a clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.compile.lower import convert
from eccles.engine.clock import Clock, n_steps
from eccles.engine.program import Block, Outcome, ProgramBuilder
from eccles.engine.state import DTYPES, Array
from eccles.errors import NameResolutionError, SetupError, nearest, warn
from eccles.monitors.window import Window
from eccles.objects import magic
from eccles.objects.code import Code
from eccles.objects.group import Group, SimulationObject
from eccles.objects.stored import stored_array
from eccles.objects.variables import positions_of
from eccles.units import DIMENSIONLESS, Quantity, second

__all__ = ["StateMonitor"]

FIRST_ROWS = 1 << 16  # values reserved at the start of a run, at most


class StateMonitor(SimulationObject):
    """Records variables of some elements at every step.

    Parameters
    ----------
    source : group or synapses
    variables : str or sequence of str, or True
        What to record; True for all.
    record : bool, int, sequence of int, or part of the group
        Which elements; True for all, False for none (shared variables).
    dt, clock : optional
        How often; at every step of the source by default.
    when : str, optional
        The slot: `'start'` records values before the step.
    start, stop : time, optional
        Samples are taken where start <= t <= stop.
    every : int, optional
        Only every n-th step is a sample, counted from `start`.

    Attributes
    ----------
    t : (time,), time
        When: at every step, and where spike times are exact at the end of the run, too.
    <variable> : (element, time); (time,) for a shared variable with `record=False`
        Values of each recorded variable: `M.v[0]` is the trace of the first recorded element,
        `M.v[0, -1]` its last value, `M.v[:, -1]` the last value of all.
    """

    invalidates_magic_network = False
    is_recorder = True

    def __init__(
        self,
        source: Any,
        variables: str | Sequence[str] | bool,
        record: Any,
        dt: Quantity | None = None,
        clock: Clock | None = None,
        when: str = "start",
        order: int = 0,
        name: str = "statemonitor*",
        codeobj_class: Any = None,
        *,
        start: Quantity | None = None,
        stop: Quantity | None = None,
        every: int = 1,
    ) -> None:
        if not isinstance(source, Group):
            raise TypeError(f"a monitor of variables needs a group or synapses, not {source!r}")
        self.source: Any = source
        super().__init__(
            name, clock if clock is not None or dt is not None else source.clock, dt, when, order
        )
        if variables is True:
            variables = source.recordable()
        if not isinstance(variables, str | Iterable):
            raise TypeError(f"the variables to record are given by name, not as {variables!r}")
        names = [variables] if isinstance(variables, str) else list(variables)
        for variable in names:
            if not isinstance(variable, str):
                raise TypeError(f"the variables to record are given by name, not as {variable!r}")
            if source.symbol(variable) is None:
                near = nearest(variable, source.internal_names())
                raise NameResolutionError(
                    f"{source.name} has no variable '{variable}' to record"
                    + (f"; did you mean '{near}'?" if near else "")
                )
        if isinstance(every, bool) or not isinstance(every, int | np.integer) or every < 1:
            raise SetupError(f"every n-th step is recorded: n is a whole number from 1 on, not {every!r}")
        self.every = int(every)
        self.window = Window.of(start, stop)
        self.record_variables = names
        self.record = self._elements(record)
        self._shared = {v: bool(self.source.symbol(v).shared) for v in names}
        self._index = Array(f"{self.name}.index", Element.I32, len(self.record))
        self._index.data[:] = self.record + source.start
        # all elements of a whole group, in order: copied as they lie
        self._all = source.whole is source and np.array_equal(self.record, np.arange(len(source)))
        self._rows = Array(f"{self.name}.rows", Element.I64, 1)
        self._t = Array(f"{self.name}.t", Element.F64)
        self._values = {v: Array(f"{self.name}.{v}", self._element_type(v)) for v in names}

    def _elements(self, record: Any) -> np.ndarray:
        source = self.source
        if record is None or record is False:
            return np.zeros(0, np.int64)
        if record is True:
            return np.arange(len(source))
        if isinstance(record, SimulationObject):
            if getattr(record, "whole", None) is not source.whole:
                raise SetupError(f"{record.name} is not a part of {source.name}")
            return np.arange(record.start, record.stop) - source.start  # type: ignore[attr-defined]
        positions, _ = positions_of(
            np.asarray(record) if not isinstance(record, slice) else record, len(source), source.name
        )
        return np.arange(len(source)) if positions is None else positions

    def _element_type(self, variable: str) -> Element:
        return {"float": Element.F64, "integer": Element.I32, "boolean": Element.U8}[
            self.source.symbol(variable).type
        ]

    @property
    def needs(self) -> list[SimulationObject]:
        return [self.source.whole]

    @property
    def n_indices(self) -> int:
        """How many elements are recorded."""
        return len(self.record)

    def _width(self, variable: str) -> int:
        return 1 if self._shared[variable] else len(self._index)

    # -- results --------------------------------------------------------------------------------

    @property
    def n_samples(self) -> int:
        """How many samples were taken."""
        return int(self._rows.data[0])

    @property
    def t_(self) -> np.ndarray:
        """Times in seconds, without unit."""
        return self._t.data[: self.n_samples].copy()

    @property
    def t(self) -> Quantity:
        """Times of the samples, (time,)."""
        return Quantity(self.t_, dim=second.dim)

    def _trace(self, variable: str, units: bool) -> Any:
        width, rows = self._width(variable), self.n_samples
        values = self._values[variable].data[: rows * width].reshape(rows, width).T.copy()
        if self._shared[variable]:  # a row per element, as for other variables, but stored once
            values = np.broadcast_to(values, (len(self.record), rows)) if len(self.record) else values[0]
        dim = self.source.symbol(variable).dim
        if units and dim is not DIMENSIONLESS:
            return _trace_view(Quantity(values, dim=dim), self, variable)
        return _trace_view(values, self, variable)

    def __getattr__(self, name: str) -> Any:
        shared = self.__dict__.get("_shared")
        if shared is None or name.startswith("_"):
            raise AttributeError(name)
        if name in shared:
            return self._trace(name, True)
        if name.endswith("_") and name[:-1] in shared:
            return self._trace(name[:-1], False)
        near = nearest(name, shared)
        raise AttributeError(
            f"{self.name} records no '{name}'"
            + (f"; did you mean '{near}'?" if near else f", only t, {', '.join(shared)}")
        )

    def __getitem__(self, item: Any) -> StateMonitorView:
        """The traces of elements by their index in the source: `M[3].v`."""
        if hasattr(item, "indices"):
            item = item.indices
        wanted = np.asarray(item)
        if wanted.dtype == object or not np.issubdtype(wanted.dtype, np.integer):
            raise TypeError(f"elements of a monitor are chosen by their index in the source, not by {item!r}")
        where = {int(k): row for row, k in enumerate(self.record)}
        missing = [int(k) for k in np.atleast_1d(wanted) if int(k) not in where]
        if missing:
            raise IndexError(f"{self.name} does not record element {missing[0]} of {self.source.name}")
        rows = np.array([where[int(k)] for k in np.atleast_1d(wanted)])
        return StateMonitorView(self, rows, wanted.ndim == 0)

    def to_xarray(self) -> Any:
        """The traces as a labelled dataset with dimensions `element` and `time`."""
        import xarray as xr

        data = {}
        for variable in self.record_variables:
            attrs = {"units": self.source.symbol(variable).dim.symbol()}
            values = np.asarray(self._trace(variable, False))
            if self._shared[variable] and values.ndim == 2:
                values = values[0]
            data[variable] = (("time",) if self._shared[variable] else ("element", "time"), values, attrs)
        coords = {"time": ("time", self.t_, {"units": "s"}), "element": self.record}
        return xr.Dataset(data, coords=coords, attrs={"source": self.source.name})

    def reinit(self) -> None:
        """Not possible: make a new monitor."""
        raise NotImplementedError("a monitor cannot be emptied: make a new one")

    # -- code -----------------------------------------------------------------------------------

    def before_run(self, namespace: Mapping[str, Any] | None, duration: float) -> None:
        if len(self.record) and self.record.max() >= len(self.source):  # synapses may have become fewer
            raise IndexError(
                f"{self.name} records element {self.record.max()} of {self.source.name}, "
                f"which has only {len(self.source)} elements now"
            )
        if self._timing is not None and self.n_samples and self._is_now(self._t.data[self.n_samples - 1]):
            self._rows.data[0] -= 1  # the end of the last run is the start of this one
        now, dt = self.clock.timestep, self.clock.dt_
        before = self.window.samples(dt, now, self.every)
        steps = len(self.window.samples(dt, now + n_steps(duration, dt) + 1, self.every)) - len(before) + 1
        widest = max((self._width(v) for v in self.record_variables), default=1)
        self._make_room(self.n_samples + min(steps, max(16, FIRST_ROWS * 16 // max(1, widest))))

    def after_run(self) -> None:
        """Record the end of the run, too, where spike times are exact."""
        if self._timing is None or not self._is_now(self._timing.clock.t_):
            return
        if not self.n_samples and self.window.start is None:  # there was no run
            return
        if self.n_samples and self._is_now(self._t.data[self.n_samples - 1]):
            return
        now, (first, last) = self.clock.timestep, self.window.steps(self.clock.dt_)
        if first <= now <= last and (now - first) % self.every == 0:
            self.record_single_timestep()

    def _is_now(self, t: float) -> bool:
        return bool(abs(t - self.clock.t_) < 1e-6 * self.clock.dt_)

    def _make_room(self, rows: int) -> None:
        if rows <= len(self._t):
            return
        for variable, array in self._values.items():
            array.resize(rows * self._width(variable))
        self._t.resize(rows)  # last: its length says how much room there is

    def _grow(self) -> None:
        self._make_room(2 * len(self._t) + 16)

    def structure(self) -> object:
        return (self.structure_version, self._all, self.every > 1)

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        return [Block(self.name, self.clock, self.when, self.order, self._emit)]

    def record_single_timestep(self) -> None:
        """Record the current values once, outside a run."""
        self._make_room(self.n_samples + 1)
        row = self.n_samples
        self._t.data[row] = self.clock.t_
        for variable, array in self._values.items():
            width = self._width(variable)
            positions = None if self._shared[variable] else self.record
            array.data[row * width : (row + 1) * width] = self.source.view(variable, units=False).read(
                positions
            )
        self._rows.data[0] = row + 1

    def _emit(self, b: ProgramBuilder) -> None:
        if self.window.is_whole and self.every == 1:
            self._emit_sample(b)
            return
        step = b.step(self.clock)
        with b.when(self.window.emit(b, self, self.clock, step)):
            since = Op("isub", (step, self.window.emit_first(b, self, self.clock)))
            every = b.integer_constant(("every", id(self)), "every", lambda: self.every)
            with b.when(Op("ieq", (Op("imod", (since, every)), ir.const(0)))):
                self._emit_sample(b)

    def _emit_sample(self, b: ProgramBuilder) -> None:
        row = b.let("row", b.load(self._rows, 0))
        full = Op("ige", (row, b.size(self._t)))
        b.leave_if(full, Outcome(f"{self.name}: more room for samples", self._grow, again=True))
        b.store(self._t, row, b.t(self.clock))
        for variable, array in self._values.items():
            if self._shared[variable]:
                code = self._code(b, ir.const(0))
                b.store(array, row, convert(code.lowerer.env[variable], array.element.type))
        per_element = {v: a for v, a in self._values.items() if not self._shared[v]}
        if per_element and len(self.record):
            self._emit_elements(b, row, per_element)
        b.store(self._rows, 0, Op("iadd", (row, ir.const(1))))

    def _code(self, b: ProgramBuilder, element: ir.Expr) -> Code:
        return Code(
            b, self.source, lambda name, low: self.source.resolve(b, name, element, low),
            element=element, purpose="monitor",
        )  # fmt: skip

    def _emit_elements(self, b: ProgramBuilder, row: ir.Expr, arrays: dict[str, Array]) -> None:
        n = b.size(self._index)
        base = b.let("base", Op("imul", (row, n)))
        if self._all:  # the last vector may write behind the row: into the next one, or spare elements
            loop = b.vector("k", n)
        else:
            loop = b.loop("k", ir.const(0), n)
        with loop as k:
            element: ir.Expr = k if self._all else b.let("element", b.load(self._index, k))
            code = self._code(b, element)
            for variable, array in arrays.items():
                value = convert(code.lowerer.env[variable], array.element.type)
                b.store(array, Op("iadd", (base, k)), value)

    def full_state(self) -> dict[str, np.ndarray]:
        rows = self.n_samples
        state = {"rows": self._rows.data.copy(), "t": self._t.data[:rows].copy()}
        return state | {f"value.{v}": a.data[: rows * self._width(v)].copy() for v, a in self._values.items()}

    def set_full_state(self, state: Mapping[str, np.ndarray]) -> None:
        rows = stored_array(state, "rows", self.name, dtype=np.int64, size=1, at_least=0)
        n = int(rows[0])
        t = stored_array(state, "t", self.name, dtype=np.float64, size=n)
        for variable, array in self._values.items():
            array.replace(
                stored_array(
                    state, f"value.{variable}", self.name,
                    dtype=DTYPES[array.element], size=n * self._width(variable),
                )
            )  # fmt: skip
        self._t.replace(t)
        self._rows.replace(rows)

    def __repr__(self) -> str:
        names = ", ".join(self.record_variables)
        return f"<StateMonitor of {names} of {self.source.name}: {self.n_samples} samples>"


class StateMonitorView:
    """Some of the recorded elements."""

    def __init__(self, monitor: StateMonitor, rows: np.ndarray, scalar: bool) -> None:
        self._monitor = monitor
        self._rows = rows
        self._scalar = scalar

    def __repr__(self) -> str:
        which = f"{len(self._rows)} of the elements"
        if self._scalar:
            which = f"element {self._monitor.record[self._rows[0]]}"
        return f"<{which} in {self._monitor!r}>"

    @property
    def t(self) -> Quantity:
        """Times of the samples."""
        return self._monitor.t

    @property
    def t_(self) -> np.ndarray:
        """Times in seconds."""
        return self._monitor.t_

    def __getattr__(self, name: str) -> Any:
        values = getattr(self._monitor, name)
        if np.ndim(values) < 2:
            return values
        return values[int(self._rows[0])] if self._scalar else values[self._rows]


def _trace_view(values: Any, monitor: StateMonitor, variable: str) -> Any:
    """The values as they are; for a monitor of one element, as an array that notices `[-1]`."""
    if np.ndim(values) == 2 and values.shape[0] == 1:
        if isinstance(values, Quantity):
            noticing = values.view(_OneElementQuantity)
            noticing.dim = values.dim
        else:
            noticing = values.view(_OneElementArray)
        noticing._what = (monitor, variable)
        return noticing
    return values


def _notice(array: Any, item: Any) -> None:
    what = getattr(array, "_what", None)
    if what is not None and array.ndim == 2 and isinstance(item, int) and item == -1:
        monitor, variable = what
        called = magic.script_name(monitor)
        now = f"{magic.script_name(monitor.source)}.{variable}[{monitor.record[0]}]"
        warn(
            "last_element",
            f"{called}.{variable}[-1] is the whole trace of the last recorded element, not the last value: "
            f"that is {called}.{variable}[0, -1], or after the run simply {now}, for which no monitor is "
            f"needed",
        )


class _OneElementArray(np.ndarray):
    """A recorded trace of one element; `M.v[-1]` is likely meant as `M.v[0, -1]`."""

    _what: tuple[StateMonitor, str] | None = None

    def __getitem__(self, item: Any) -> Any:
        _notice(self, item)
        return np.asarray(self)[item]


class _OneElementQuantity(Quantity):
    """As `_OneElementArray`, with a unit."""

    _what: tuple[StateMonitor, str] | None = None

    def __getitem__(self, item: Any) -> Any:
        _notice(self, item)
        return self.view(Quantity)[item]
