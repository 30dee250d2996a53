"""Groups whose elements emit events, and contiguous parts of them."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Op
from eccles.compile.lower import Lowerer
from eccles.engine.clock import Clock
from eccles.engine.events import EventBuffer
from eccles.engine.program import EARLIEST, Block, ProgramBuilder
from eccles.engine.state import Array
from eccles.errors import SetupError
from eccles.language.check import Symbol
from eccles.objects.group import Group, SimulationObject
from eccles.objects.regular import CodeRunner
from eccles.objects.stored import misfit, stored_array, stored_number
from eccles.objects.swept import Swept
from eccles.objects.timing import SpikeTimes, checked_spike_times
from eccles.objects.variables import Variable, VariableView, elements
from eccles.units import DIMENSIONLESS, Quantity, get_dimensions

__all__ = ["SpikeSource", "Subgroup", "count_of", "range_of"]


class SpikeSource(Group):
    """A group whose elements emit events."""

    _buffers: dict[str, EventBuffer]
    _spike_times: SpikeTimes | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        self._runners: list[SimulationObject] = []
        super().__init__(*args, **options)

    @property
    def spike_times(self) -> SpikeTimes | None:
        """'precise' or 'grid'; None for what the network has."""
        return self._spike_times

    @spike_times.setter
    def spike_times(self, value: Any) -> None:
        if self.network is not None and value != self._spike_times:
            raise SetupError(
                f"{self.name} has run already, so its spike times cannot become {value!r}",
                hint="Choose spike_times where the group is made.",
            )
        self._spike_times = checked_spike_times(value)

    def __repr__(self) -> str:
        neurons = "1 neuron" if len(self) == 1 else f"{len(self)} neurons"
        return f"<{type(self).__name__} '{self.name}': {neurons}>"

    def event_buffer(self, event: str = "spike") -> EventBuffer:
        """The events of this kind.

        Raises
        ------
        SetupError
            If the group has no such event.
        """
        try:
            return self._buffers[event]
        except KeyError:
            hint = (
                "Give it a threshold, as in NeuronGroup(..., threshold='v > 1', reset='v = 0')."
                if event == "spike"
                else f"Events of {self.name}: {', '.join(self._buffers) or 'none'}."
            )
            what = "does not spike: it has no threshold" if event == "spike" else f"has no event '{event}'"
            raise SetupError(f"{self.name} {what}", hint=hint) from None

    @property
    def stop(self) -> int:
        """One past the last element, counted in the whole group."""
        return len(self)

    def emit_room(self, b: ProgramBuilder) -> None:
        """Make room for the events of the coming step."""
        for buffer in self._buffers.values():
            buffer.emit_room(b)

    def room_blocks(self) -> list[Block]:
        """The block that makes room for events, where delays make it necessary."""
        return [Block(f"{self.name}_room", self.clock, EARLIEST, 0, self.emit_room)]

    def idle_blocks(self) -> list[Block]:
        return [Block(f"{self.name}_silence", self.clock, EARLIEST, 0, self._emit_silence)]

    def _emit_silence(self, b: ProgramBuilder) -> None:
        for buffer in self._buffers.values():
            buffer.emit_silence(b)

    def run_regularly(
        self,
        code: str,
        dt: Quantity | None = None,
        clock: Clock | None = None,
        when: str = "start",
        order: int = 0,
        name: str | None = None,
        codeobj_class: Any = None,
    ) -> CodeRunner:
        """Run statements for all elements at every step of a clock.

        Parameters
        ----------
        code : str
            Statements such as `'I = 2*nA*rand()'`.
        dt, clock : optional
            How often; by default at every step of the group.
        when, order : optional
            The slot of the schedule, and the order within it.
        """
        runner = CodeRunner(self, code, dt, clock, when, order, name or f"{self.name}_run_regularly*")
        self._runners.append(runner)
        return runner

    @property
    def contained_objects(self) -> list[SimulationObject]:
        return list(self._runners)

    def full_state(self) -> dict[str, np.ndarray]:
        state = super().full_state()
        for event, buffer in self._buffers.items():
            state[f"_{event}.counts"], state[f"_{event}.ids"] = buffer.recent()
            state[f"_{event}.step"] = np.array(buffer.clock.timestep)
        return state

    def set_full_state(self, state: Mapping[str, np.ndarray]) -> None:
        super().set_full_state(state)
        for event, buffer in self._buffers.items():
            counts = stored_array(
                state, f"_{event}.counts", self.name, dtype=np.int64, at_least=0, below=len(self) + 1
            )
            ids = stored_array(
                state, f"_{event}.ids", self.name,
                dtype=np.int32, size=int(counts.sum()), at_least=0, below=len(self),
            )  # fmt: skip
            with_delays = buffer.max_delay > 0
            step = stored_number(state, f"_{event}.step", self.name)
            if not len(counts) <= step < 2**53:
                raise misfit(self.name, f"'_{event}.step' is out of range")
            buffer.put_back(int(step), counts, ids)
            if with_delays != (buffer.max_delay > 0):
                self.structure_version += 1


def count_of(n: Any) -> int:
    """The number of elements that a user asks for, checked."""
    if isinstance(n, Swept):
        n = operator.index(n)  # raises, and says why: each size needs a model of its own
    if get_dimensions(n) is not DIMENSIONLESS or isinstance(n, str) or np.ndim(n) != 0:
        raise TypeError(f"the number of elements has to be a number, not {n!r}")
    try:
        count = int(n)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"the number of elements has to be a whole number, not {n!r}") from None
    if count < 1:
        raise SetupError(f"a group needs at least one element, not {count}")
    if count > 2**31 - 65:
        raise SetupError(f"a group can have at most {2**31 - 65} elements, not {count}")
    return count


def range_of(item: Any, n: int, owner: Any) -> tuple[int, int]:
    """The contiguous range of elements that an index of a group means."""
    if isinstance(item, Subgroup):
        if item.whole is not owner.whole:
            raise IndexError(f"{item.name} is not a part of {owner.name}")
        start, stop = item.start - owner.start, item.stop - owner.start
        if not 0 <= start < stop <= n:
            raise IndexError(f"{item.name} is not a part of {owner.name}")
        return start, stop
    if isinstance(item, np.ndarray) and item.ndim == 0:
        item = item[()]
    if isinstance(item, slice):
        try:
            start, stop, step = item.indices(n)
        except (TypeError, ValueError) as error:  # parts that are no integers; a step of 0
            raise IndexError(f"{item} is no part of {owner.name}: {error}") from None
        if step != 1:
            raise IndexError("a part of a group has to be contiguous: a step other than 1 is not possible")
    elif isinstance(item, int | np.integer):
        index = int(item)
        if not -n <= index < n:
            raise IndexError(f"{owner.name} has {elements(n)}, so there is none with index {index}")
        start = index % n
        stop = start + 1
    elif isinstance(item, str):
        raise TypeError("a part of a group is chosen by a slice or indices, not by text")
    else:
        try:
            indices = np.asarray(item)
        except ValueError:  # nested sequences of different lengths
            indices = np.asarray(None)
        if indices.ndim != 1:
            raise IndexError(f"a part of a group is chosen by a slice or whole numbers, not by {item!r}")
        if indices.size == 0 or not np.issubdtype(indices.dtype, np.integer) or np.any(np.diff(indices) != 1):
            raise IndexError("a part of a group has to be contiguous: consecutive indices in ascending order")
        start, stop = int(indices[0]), int(indices[-1]) + 1
    if not 0 <= start < stop <= n:
        asked = f"[{item.start}:{item.stop}]".replace("None", "") if isinstance(item, slice) else f"[{item}]"
        raise IndexError(f"{owner.name}{asked} is empty or reaches beyond the group, which has {elements(n)}")
    return start, stop


class Subgroup(SpikeSource):
    """A contiguous part of a group; its variables are the group's own.

    Made by indexing: `group[:100]`. Element 0 is the first of the part.
    """

    invalidates_magic_network = False

    def __init__(self, parent: SpikeSource, start: int, stop: int, name: str | None = None) -> None:
        whole = parent.whole
        self.semantics = whole.semantics
        super().__init__(name or f"{whole.name}_subgroup*", whole.clock, None, whole.namespace)
        self._parent = whole
        self.start = parent.start + start
        self._stop = parent.start + stop
        self._ready = True  # from now on attributes are variables

    @property
    def stop(self) -> int:
        return self._stop

    @property
    def whole(self) -> SpikeSource:
        return self._parent

    @property
    def needs(self) -> list[SimulationObject]:
        return [self._parent]

    def __len__(self) -> int:
        return self._stop - self.start

    def __repr__(self) -> str:
        return f"<Subgroup '{self.name}': {self.start} to {self._stop - 1} of {self._parent.name}>"

    @property
    def N(self) -> int:
        """The number of neurons in the part."""
        return len(self)

    def needs_grid(self) -> str:
        return ""

    def room_blocks(self) -> list[Block]:
        return []

    def idle_blocks(self) -> list[Block]:
        return []  # the whole group has them

    def event_buffer(self, event: str = "spike") -> EventBuffer:
        return self._parent.event_buffer(event)

    def symbol(self, name: str) -> Symbol | None:
        return self._parent.symbol(name)

    def internal_names(self) -> set[str]:
        return self._parent.internal_names()

    def resolve(self, b: ProgramBuilder, name: str, element: ir.Expr, lowerer: Lowerer) -> ir.Expr | None:
        """As the group's, for an element counted in the whole group."""
        if name == "i":
            first = b.integer_constant(("start", id(self)), "start", lambda: self.start)
            return Op("isub", (element, first))
        if name == "N":
            return b.integer_constant(("N", id(self)), "N", lambda: len(self))
        return self._parent.resolve(b, name, element, lowerer)

    def numpy_value(self, name: str, elements: np.ndarray) -> Any:
        if name == "i":
            return elements
        if name == "N":
            return len(self)
        return self._parent.numpy_value(name, elements + self.start)

    def place(self, name: str, element: ir.Expr) -> Any:
        return self._parent.place(name, element)

    def may_write(self, b: ProgramBuilder, variable: Variable, element: ir.Expr) -> ir.Expr | None:
        return self._parent.may_write(b, variable, element)

    def is_shared(self, name: str) -> bool:
        return self._parent.is_shared(name)

    def arrays_of(self, name: str) -> Iterable[Array]:
        return self._parent.arrays_of(name)

    def variable(self, name: str) -> Variable:
        return self._parent.variable(name)

    def view(self, name: str, *, units: bool = True) -> Any:
        if name == "i" or self._parent.symbol(name) is None:
            return super().view(name, units=units)
        inner = self._parent.view(name, units=units)

        def within(positions: np.ndarray | None) -> np.ndarray:
            return np.arange(self.start, self._stop) if positions is None else positions + self.start

        def write(positions: np.ndarray | None, values: np.ndarray) -> None:
            assert inner.write is not None
            inner.write(None if inner.shared else within(positions), values)

        return VariableView(
            name, inner.dim, self.name, size=lambda: len(self),
            read=lambda positions: inner.read(None if inner.shared else within(positions)),
            write=None if inner.write is None else write,
            indices=self._positions, assign_text=self._assign_text(name),
            shared=inner.shared, units=units, why_read_only=inner.why_read_only,
        )  # fmt: skip

    def __getitem__(self, item: Any) -> Subgroup:
        start, stop = range_of(item, len(self), self)
        return Subgroup(self, start, stop)

    def full_state(self) -> dict[str, np.ndarray]:
        return {}

    def set_full_state(self, state: Mapping[str, np.ndarray]) -> None:
        pass
