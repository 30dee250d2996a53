"""Reading and writing the state of synapses: `S.w[i, j]`, `S.v_post[:]`, event-driven variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.integrate.event_driven import ELAPSED
from eccles.language.evaluate import evaluate
from eccles.language.functions import BUILTINS
from eccles.language.nodes import Assignment
from eccles.objects.group import Group
from eccles.objects.variables import VariableView, positions_of

if TYPE_CHECKING:
    from eccles.objects.synapses import Synapses

__all__ = [
    "SynapticSubset",
    "advanced",
    "advanced_values",
    "event_driven_view",
    "neuron_view",
    "positions_of_pairs",
]


class SynapticSubset:
    """Some synapses, chosen by an index: for `record=` of a monitor, or as an index."""

    def __init__(self, synapses: Synapses, indices: np.ndarray) -> None:
        self.synapses = synapses
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        return f"<{len(self)} of the {len(self.synapses)} synapses of '{self.synapses.name}'>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.indices, dtype=dtype)


def positions_of_pairs(synapses: Synapses, item: tuple[Any, ...]) -> tuple[np.ndarray, bool]:
    """The synapses that `[i, j]` or `[i, j, number]` means, and whether it means one alone."""
    if len(item) not in (2, 3):
        raise IndexError(f"synapses are chosen by [k], [i, j] or [i, j, number], not by {len(item)} indices")
    connections = synapses.connections
    keep = np.ones(len(synapses), bool)
    scalar = True
    names = ("source", "target", "multisynaptic index")
    columns = (connections.sources(), connections.targets())
    sizes = (len(synapses.source), len(synapses.target), 2**31)
    groups = (synapses.source, synapses.target, None)
    for place, (part, size, group) in enumerate(zip(item, sizes, groups, strict=False)):
        column = columns[place] if place < 2 else connections.multisynaptic()
        if group is not None and isinstance(part, Group) and part.whole is group.whole:
            part = slice(part.start - group.start, part.stop - group.start)
        if isinstance(part, slice) and place == 2:
            chosen = np.arange(*part.indices(int(column.max(initial=0)) + 1))
            one = False
        else:
            chosen, one = positions_of(part, size, f"the {names[place]} of {synapses.name}")
        scalar = scalar and one
        if chosen is not None:
            keep &= np.isin(column, chosen)
    found = np.flatnonzero(keep)
    if synapses.semantics.single_synapse == "array":
        return found, False
    if scalar and len(found) == 0:
        raise IndexError(f"there is no synapse from {item[0]} to {item[1]} in {synapses.name}")
    return found, scalar and len(found) == 1


def advanced(synapses: Synapses, name: str, elements: np.ndarray) -> np.ndarray:
    """An event-driven variable that is stored per synapse, as of now."""
    elapsed = synapses.clock.t_ - synapses.variable("lastupdate").array.data[elements]
    stored = {n: synapses.variable(n).array.data[elements] for n in synapses.event_driven}
    return advanced_values(synapses, synapses.event_driven_statements(), stored, elapsed, elements)[name]


def advanced_values(
    synapses: Synapses,
    statements: Sequence[Assignment],
    stored: Mapping[str, np.ndarray],
    elapsed: np.ndarray,
    elements: np.ndarray,
) -> dict[str, np.ndarray]:
    """Event-driven variables of some synapses after the time `elapsed` (in seconds), computed with NumPy."""
    values: dict[str, Any] = {**stored, ELAPSED: elapsed}

    def look_up(n: str) -> Any:
        if n in values:
            return values[n]
        found = synapses.numpy_value(n, elements)
        return synapses._external[n].value if found is None else found

    def call(function: str, args: tuple[Any, ...]) -> Any:
        python = BUILTINS[function].python
        assert python is not None, "closed forms draw no random numbers"
        return python(*args)

    for statement in statements:
        values[statement.target] = evaluate(statement.value, look_up, call)
    return {name: np.asarray(values[name]) for name in stored}


def event_driven_view(synapses: Synapses, name: str, units: bool) -> VariableView:
    """An event-driven variable, or the time of its last update, as the face reads it.

    Writing stores the value per synapse; where reading gives the value as of now, writing sets that, and
    keeps the synapse's other traces.
    """
    variable = synapses.variable(name)

    def write(positions: np.ndarray | None, values: np.ndarray) -> None:
        if synapses.traces is not None and positions is None and synapses.traces.start(name, values):
            return
        synapses.store_per_synapse()
        if synapses.semantics.event_driven == "now":
            everything = np.arange(len(synapses))
            present = {n: advanced(synapses, n, everything) for n in synapses.event_driven}
            for other, value in present.items():
                synapses.variable(other).array.data[:] = value
            synapses.variable("lastupdate").array.data[:] = synapses.clock.t_
        variable.array.data[slice(None) if positions is None else positions] = values

    return VariableView(
        name, variable.dim, synapses.name, size=lambda: len(synapses),
        read=lambda positions: synapses.numpy_value(
            name, np.arange(len(synapses)) if positions is None else positions
        ),
        write=None if variable.read_only else write,
        indices=synapses._positions, assign_text=synapses._assign_text(name), units=units,
    )  # fmt: skip


def neuron_view(synapses: Synapses, name: str, side: str, stem: str, units: bool) -> VariableView:
    """A variable of the source or target, per synapse: `S.v_post`."""
    inner = synapses.group(side).view(stem, units=units)
    if inner.shared:
        return inner

    def elements(positions: np.ndarray | None) -> np.ndarray:
        connections = synapses.connections
        index = connections.sources() if side == "pre" else connections.targets()
        return index if positions is None else index[positions]

    def write(positions: np.ndarray | None, values: np.ndarray) -> None:
        assert inner.write is not None
        inner.write(elements(positions), values)

    return VariableView(
        name, inner.dim, synapses.name, size=lambda: len(synapses),
        read=lambda positions: inner.read(elements(positions)),
        write=write if inner.write is not None else None,
        indices=synapses._positions, assign_text=synapses._assign_text(name), units=units,
    )  # fmt: skip
