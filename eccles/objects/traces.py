"""Event-driven variables that are stored once per neuron instead of once per synapse.

In a plasticity rule such as

    dApre/dt = -Apre/tau : 1 (event-driven)         on_pre='Apre += dA; w = clip(w + Apost, 0, 1)'

only presynaptic spikes change `Apre`, and alike for all synapses of a neuron. So one number per neuron
holds it, and an event advances it once instead of once per synapse. This is invisible: the same text,
the same values. It is done where all of these hold, and else not:

- each event-driven variable is assigned by pathways of one side only, from itself, other such variables
  of that side, constants and shared values;
- the coefficients of its equation are constants of the script: no variables, which may have changed since
  the last event of a synapse;
- no text uses `lastupdate`; nothing but pathways writes the variables; delays are uniform per pathway.

What breaks a condition later (values set per synapse, delays that differ, synapses made while traces are
not zero), or few synapses per neuron, makes the synapses store them per synapse from then on: `values`
says what they are.

What a pathway reads of the other side's traces is brought to the present for all neurons in one vector
loop if many synapses are going to be visited, else for each synapse. The bits are the same either way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.compile.lower import Lowerer
from eccles.engine.program import ProgramBuilder
from eccles.engine.state import Array
from eccles.integrate.event_driven import ELAPSED, event_driven_step
from eccles.integrate.problem import Problem
from eccles.language.functions import BUILTINS
from eccles.language.nodes import Assignment, Call, Expr, names_in, walk
from eccles.objects.code import Code
from eccles.objects.stored import stored_array
from eccles.objects.synaptic_views import advanced_values

if TYPE_CHECKING:
    from eccles.objects.pathway import Pathway
    from eccles.objects.synapses import Synapses

__all__ = ["EventTraces", "Traces", "sides_of_traces"]

SIDES = ("pre", "post")
FEWEST = 4  # synapses per neuron: with fewer there is little to share, and looking it up costs more
LANES = 8  # neurons that a vector loop advances in about the time of one by itself


def sides_of_traces(synapses: Synapses) -> dict[str, str] | None:
    """Which side changes each event-driven variable; None if they have to be stored per synapse."""
    names = synapses.event_driven
    pathways = synapses.pathways()
    trees = [*synapses.trees(), *(tree for pathway in pathways for tree in pathway.trees())]
    if not names or any("lastupdate" in names_in(tree) for tree in trees):
        return None
    if any(synapses.variable(name).array.element is not Element.F64 for name in names):
        return None
    if len({id(group.clock) for group in (synapses, synapses.source, synapses.target)}) > 1:
        return None
    sides: dict[str, str] = {}
    for pathway in pathways:
        for assignment in pathway.statements:
            if (
                assignment.target in names
                and sides.setdefault(assignment.target, pathway.side) != pathway.side
            ):
                return None
    sides = {name: sides.get(name, "pre") for name in names}
    exprs = synapses.equations.substituted()
    for name in names:
        if not all(other == name or synapses.symbol(other) is None for other in names_in(exprs[name])):
            return None
    for pathway in pathways:
        per_event = event_level(synapses, pathway, sides)
        if any(a.target in names and k not in per_event for k, a in enumerate(pathway.statements)):
            return None
    return sides


def _is_uniform(synapses: Synapses, name: str) -> bool:
    """Whether a name means the same for all synapses: a constant of the script or a shared variable."""
    return synapses.symbol(name) is None or synapses.is_shared(name) or name in ("t", "dt")


def event_level(synapses: Synapses, pathway: Pathway, sides: Mapping[str, str]) -> set[int]:
    """Numbers of the statements of a pathway that come out alike for all synapses of a neuron."""
    local: set[str] = set()
    assigned = {a.target for a in pathway.statements if a.target not in sides}
    found: set[int] = set()
    for k, assignment in enumerate(pathway.statements):
        tree, target = assignment.expanded, assignment.target
        alike = not _calls_unknown(tree) and all(
            name in local
            or sides.get(name) == pathway.side
            or (name not in sides and name not in assigned and _is_uniform(synapses, name))
            for name in names_in(tree)
        )
        if alike and (target in sides or synapses.symbol(target) is None):
            found.add(k)
            local.add(target)
        else:
            local.discard(target)
    return found


def _calls_unknown(tree: Expr) -> bool:
    """Whether something is called that may give another value each time."""
    return any(
        isinstance(node, Call) and (node.function not in BUILTINS or BUILTINS[node.function].stateful)
        for node in walk(tree)
    )


@dataclass(frozen=True)
class EventTraces:
    """The traces of a neuron within the code for one of its events.

    Attributes
    ----------
    before : dict of str to ir.Expr
        Each trace, as of now and before the statements.
    results : dict of int to ir.Expr
        What the statements of these numbers assign.
    """

    before: dict[str, ir.Expr]
    results: dict[int, ir.Expr]

    def with_other_side(self, values: dict[str, ir.Expr]) -> EventTraces:
        """The same with the traces of the neuron at the other end of a synapse."""
        return EventTraces(self.before | values, self.results)


class Traces:
    """The traces of one `Synapses`.

    Parameters
    ----------
    synapses : Synapses
    sides : dict of str to {'pre', 'post'}
        Which neurons each trace belongs to.
    """

    def __init__(self, synapses: Synapses, sides: Mapping[str, str]) -> None:
        self._synapses = synapses
        self.sides = dict(sides)
        self._n = {side: len(synapses.group(side)) for side in SIDES}
        self._value = {
            name: Array(f"{synapses.name}.{name}", Element.F64, self._n[side]) for name, side in sides.items()
        }
        self._now = {
            name: Array(f"{synapses.name}.{name}.now", Element.F64, self._n[side])
            for name, side in sides.items()
        }
        self._last = {
            side: Array(f"{synapses.name}.last_{side}", Element.F64, self._n[side]) for side in SIDES
        }
        # what these times are more than that: they are rounded
        self._rest = {
            side: Array(f"{synapses.name}.last_{side}.rest", Element.F64, self._n[side]) for side in SIDES
        }
        exprs = synapses.equations.substituted()
        self._advance: dict[str, tuple[Assignment, ...]] = {}
        for side in SIDES:
            chosen = {name: exprs[name] for name in sides if sides[name] == side}
            problem = Problem(chosen, frozenset(), lambda call: False)
            self._advance[side] = event_driven_step(problem) if chosen else ()

    def __contains__(self, name: str) -> bool:
        return name in self.sides or name == "lastupdate"

    def of_side(self, side: str) -> list[str]:
        """The traces that belong to the neurons of a side."""
        return [name for name, own in self.sides.items() if own == side]

    @property
    def is_zero(self) -> bool:
        """Whether nothing has happened yet."""
        return not any(array.data.any() for array in (*self._value.values(), *self._last.values()))

    def start(self, name: str, values: np.ndarray) -> bool:
        """Give all neurons one value before anything has happened; False if that is not what is asked for."""
        untouched = self._synapses.clock.timestep == 0 and not any(a.data.any() for a in self._last.values())
        if not untouched or np.any(values != np.ravel(values)[:1]):
            return False
        self._value[name].data[:] = np.ravel(values)[:1]
        return True

    @property
    def worthwhile(self) -> bool:
        """Whether there are enough synapses per neuron of one side."""
        return len(self._synapses) >= FEWEST * min(self._n.values())

    def memory(self) -> int:
        """Bytes."""
        arrays = (*self._value.values(), *self._now.values(), *self._last.values(), *self._rest.values())
        return sum(array.data.nbytes for array in arrays)

    def full_state(self) -> dict[str, np.ndarray]:
        """What `store` keeps."""
        values = {f"_trace.{name}": array.data.copy() for name, array in self._value.items()}
        values |= {f"_last.{side}": array.data.copy() for side, array in self._last.items()}
        return values | {f"_last_rest.{side}": array.data.copy() for side, array in self._rest.items()}

    def set_full_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what `full_state` gave."""
        for name, array in self._value.items():
            array.data[:] = self._stored(state, f"_trace.{name}", array)
        for side, array in self._last.items():
            array.data[:] = self._stored(state, f"_last.{side}", array)
        for side, array in self._rest.items():
            key = f"_last_rest.{side}"
            array.data[:] = self._stored(state, key, array) if key in state else 0

    def _stored(self, state: Mapping[str, np.ndarray], key: str, array: Array) -> np.ndarray:
        return stored_array(state, key, self._synapses.name, dtype=np.float64, size=len(array))

    # -- values per synapse -----------------------------------------------------------------------

    def values(self, name: str, elements: np.ndarray, *, now: bool) -> np.ndarray:
        """A trace (or `lastupdate`) of some synapses, as of now or of their last event."""
        connections = self._synapses.connections
        index = {"pre": connections.sources()[elements], "post": connections.targets()[elements]}
        last = {side: self._last[side].data[index[side]] for side in SIDES}
        if name == "lastupdate":
            return np.maximum(last["pre"], last["post"])
        side = self.sides[name]
        when = self._synapses.clock.t_ if now else np.maximum(last["pre"], last["post"])
        stored = {n: self._value[n].data[index[side]] for n in self.of_side(side)}
        return advanced_values(self._synapses, self._advance[side], stored, when - last[side], elements)[name]

    # -- code -----------------------------------------------------------------------------------

    def resolve(
        self, b: ProgramBuilder, name: str, lowerer: Lowerer, i: ir.Expr, j: ir.Expr, *, now: bool
    ) -> ir.Expr:
        """A trace (or `lastupdate`) of the synapse from i to j, as of now or of its last event."""
        index = {"pre": i, "post": j}
        latest = Op("fmax", (b.load(self._last["pre"], i), b.load(self._last["post"], j)))
        if name == "lastupdate":
            return latest
        side = self.sides[name]
        when = b.t(self._synapses.clock) if now else lowerer.let("latest", latest)
        return self._advanced(b, side, index[side], when, lowerer.out)[name]

    def _advanced(
        self, b: ProgramBuilder, side: str, neuron: ir.Expr, when: ir.Expr, out: list[ir.Stmt]
    ) -> dict[str, ir.Expr]:
        """The traces of a neuron at a time, in code that is appended to `out`."""
        synapses = self._synapses
        code = Code(
            b, synapses, lambda name, _: synapses.shared_value(b, name), element=neuron, purpose="traces"
        )  # fmt: skip
        lowerer = code.lowerer
        lowerer.out = out
        names = self.of_side(side)
        for name in names:
            lowerer.env[name] = lowerer.let(name, b.load(self._value[name], neuron))
        elapsed = Op("fsub", (when, b.load(self._last[side], neuron)))
        if b.moment is not None and when == b.t(synapses.clock):
            rest = Op("fsub", (b.t_rest(synapses.clock), b.load(self._rest[side], neuron)))
            elapsed = Op("fadd", (elapsed, rest))
        lowerer.env[ELAPSED] = lowerer.let("elapsed", elapsed)
        lowerer.statements(self._advance[side], {})
        return {name: lowerer.env[name] for name in names}

    def emit_event(self, b: ProgramBuilder, pathway: Pathway, neuron: ir.Expr) -> EventTraces:
        """Advance the traces of a neuron that has an event, and run what its synapses have in common."""
        synapses, side = self._synapses, pathway.side
        now = b.t(pathway.clock)
        before = self._advanced(b, side, neuron, now, b.current_body)
        code = Code(
            b, pathway, lambda name, _: before.get(name) or synapses.shared_value(b, name),
            element=neuron, purpose=f"{pathway.pathway_name} traces", clock=pathway.clock,
        )  # fmt: skip
        code.fallback = synapses
        results: dict[int, ir.Expr] = {}
        types = dict.fromkeys(self.sides, ir.F64)
        for k in sorted(event_level(synapses, pathway, self.sides)):
            assignment = pathway.statements[k]
            code.lowerer.statements([assignment], types)
            results[k] = code.lowerer.env[assignment.target]
        for name in self.of_side(side):
            b.store(self._value[name], neuron, code.lowerer.assigned.get(name, before[name]))
        b.store(self._last[side], neuron, now)
        if b.moment is not None:
            b.store(self._rest[side], neuron, b.t_rest(pathway.clock))
        return EventTraces(before, results)

    def other_side(self, pathway: Pathway) -> list[str]:
        """The traces of the other side that the pathway's statements read."""
        used = {name for a in pathway.statements for name in names_in(a.expanded)}
        return [name for name, side in self.sides.items() if side != pathway.side and name in used]

    def emit_present(self, b: ProgramBuilder, pathway: Pathway) -> ir.Expr | None:
        """Bring what the pathway reads of the other side to the present, if many synapses are visited.

        Returns whether that was done, or None if the pathway reads nothing of the other side.
        """
        names = self.other_side(pathway)
        if not names:
            return None
        other = "post" if pathway.side == "pre" else "pre"
        n_other = b.integer_constant(("n", id(self), other), "n", lambda: self._n[other])
        enough = b.integer_constant(
            ("dense", id(self), other), "dense", lambda: self._enough(pathway.side, other)
        )
        dense = b.let("dense", Op("ige", (pathway.n_events(b), enough)))
        with b.when(dense), b.vector("n", n_other) as neuron:
            values = self._advanced(b, other, neuron, b.t(pathway.clock), b.current_body)
            for name in names:
                b.store(self._now[name], neuron, values[name])
        return dense

    def _enough(self, side: str, other: str) -> int:
        """From how many events in a step on a vector loop over all neurons of the other side is cheaper."""
        visits = self._n[other] / LANES + LANES
        synapses_per_event = max(1, len(self._synapses)) / self._n[side]
        return max(1, math.ceil(visits / synapses_per_event))

    def emit_now(
        self, b: ProgramBuilder, pathway: Pathway, neuron: ir.Expr, dense: ir.Expr
    ) -> dict[str, ir.Expr]:
        """Traces of a neuron of the other side, as of now: looked up after `emit_present`, else computed."""
        names = self.other_side(pathway)
        found = {name: b.var(name, ir.const(0.0)) for name in names}
        side = self.sides[names[0]]
        with b.body() as looked_up:
            for name, local in found.items():
                b.emit(ir.SetVar(local, b.load(self._now[name], neuron)))
        with b.body() as computed:
            values = self._advanced(b, side, neuron, b.t(pathway.clock), b.current_body)
            for name, local in found.items():
                b.emit(ir.SetVar(local, values[name]))
        b.emit(ir.If(dense, tuple(looked_up), tuple(computed)))
        return {**found}
