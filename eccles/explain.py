"""What happened in the last run, and why: above all, why nothing spiked.

The state before a run is kept as long as it is small. To say how near a silent neuron came to its
threshold, the run is done again from there with a recorder of the closest approach; random numbers
depend on nothing but seed, name and step, so it is the same run. Then everything is put back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from eccles.compile.ir import Element, Op
from eccles.engine.program import Block, ProgramBuilder
from eccles.engine.state import Array
from eccles.integrate.choose import explain_choice
from eccles.language.nodes import Binary, Compare, Expr, Logical
from eccles.language.printer import show
from eccles.monitors import EventMonitor, PopulationRateMonitor, StateMonitor
from eccles.objects import advice, magic
from eccles.objects.group import SimulationObject
from eccles.objects.network import Network, magic_network
from eccles.objects.neurons import NeuronGroup
from eccles.objects.operations import NetworkOperation
from eccles.objects.synapses import Synapses
from eccles.units import DIMENSIONLESS, Quantity, second

__all__ = ["explain", "explanation"]


def explain(network: Network | None = None) -> None:
    """Print what happened in the last run: who spiked, how near the others came, and what to change.

    Parameters
    ----------
    network : Network, optional
        By default the one of `run()`.
    """
    print(explanation(network))


def explanation(network: Network | None = None) -> str:
    """The text that `explain` prints."""
    network = magic_network if network is None else network
    last = network.last_run
    if last is None:
        return "Nothing has been run yet."
    groups = [obj for obj in last.objects if isinstance(obj, NeuronGroup)]
    watched = {id(g): _watch(g) for g in groups if "spike" in g.events}
    watches = [w for w in watched.values() if w is not None and not _spiked(w.group, last.start)]
    if watches and last.before is not None:
        _again(network, last, watches)
    paragraphs = [
        f"The last run went from t = {_time(last.start)} to {_time(last.start + last.duration)}. "
        f"Spikes come at multiples of the time step."
    ]
    for group in groups:
        paragraphs.append(_about(group, watched.get(id(group)), last))
    return "\n\n".join(paragraphs)


def _time(seconds: float) -> str:
    return str(Quantity(seconds, dim=second.dim))


def _spiked(group: NeuronGroup, start: float) -> int:
    """How many neurons spiked in the last run."""
    return int(np.sum(group.last_spikes() >= start - 1e-12))


def _about(group: NeuronGroup, watch: _Watch | None, last: Any) -> str:
    n = len(group)
    lines = []
    if "spike" not in group.events:
        lines.append(f"{group.name} ({n}) has no threshold, so it cannot spike.")
    else:
        spiked = _spiked(group, last.start)
        if spiked:
            lines.append(f"{group.name}: {spiked} of {n} neurons spiked.")
        else:
            lines.append(f"{group.name} never spiked.")
            lines += _why_silent(group, watch, last)
    if group.method_choice is not None and group.equations.diff_eq_names:
        lines.append(f"Integration: {explain_choice(group.method_choice)}")
    return "\n  ".join(lines)


def _why_silent(group: NeuronGroup, watch: _Watch | None, last: Any) -> Iterable[str]:
    if watch is not None and watch.ran:
        yield watch.report()
    sides = advice.threshold_sides(group)
    if sides is not None:
        name, limit = sides
        rest, threshold = advice.resting_value(group, name), advice.constant_value(group, limit)
        if rest is not None and threshold is not None:
            dim = group.equations[name].dim
            shown = [_with_unit(x, dim) for x in (rest, threshold, threshold - rest)]
            if rest < threshold:
                yield (
                    f"With its constant drive alone {name} settles at {shown[0]}; the threshold is {shown[1]}. "
                    f"The drive has to be stronger by more than {shown[2]}."
                )
    for obj in last.objects:
        if isinstance(obj, Synapses) and obj.target.whole is group:
            if len(obj) == 0:
                yield f"{obj.name}, which end on it, have no connections: the rule given to connect() matched no pair."
            for weight in ("w", "weight", "g"):
                if obj.is_writable(weight) and len(obj) and not np.any(obj.variable(weight).array.data):
                    yield f"All '{weight}' of {obj.name}, which end on it, are 0: set {obj.name}.{weight} = ..."


def _with_unit(value: float, dim: Any) -> str:
    return f"{value:g}" if dim is DIMENSIONLESS else Quantity(value, dim=dim).in_best_unit(precision=4)


# -- the closest approach ---------------------------------------------------------------------------


class _Watch(SimulationObject):
    """Records for each neuron how near it came to its threshold, and when."""

    def __init__(self, group: NeuronGroup, sides: tuple[Expr, Expr]) -> None:
        super().__init__(f"{group.name}_watch*", group.clock, None, "thresholds", -(10**6))
        self.group = group
        self.left, self.right = sides
        n = len(group)
        self._margin = Array(f"{self.name}.margin", Element.F64, n, fill=-np.inf)
        self._left = Array(f"{self.name}.left", Element.F64, n)
        self._step = Array(f"{self.name}.step", Element.I64, n)
        self.ran = False

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        return [Block(self.name, self.clock, self.when, self.order, self._emit)]

    def _emit(self, b: ProgramBuilder) -> None:
        group = self.group
        with b.vector("i", b.size_of(group, len(group))) as i:
            code = group.element_code(b, i, "watch")
            left = code.lowerer.let("left", code.number(self.left))
            margin = code.lowerer.let("margin", Op("fsub", (left, code.number(self.right))))
            old = b.load(self._margin, i)
            nearer = code.lowerer.let("nearer", Op("fgt", (margin, old)))
            for array, value in (
                (self._left, left),
                (self._step, b.step(self.clock)),
                (self._margin, margin),
            ):
                b.store(array, i, Op("select", (nearer, value, b.load(array, i))))

    def report(self) -> str:
        """One sentence on the neuron that came nearest."""
        best = int(np.argmax(self._margin.data))
        dim = self.group.dimension_of(self.left)
        left, margin = self._left.data[best], self._margin.data[best]
        when = _time(float(self._step.data[best] * self.clock.dt_))
        return (
            f"Closest: '{show(self.left)}' of neuron {best} reached {_with_unit(left, dim)} at t = {when}, "
            f"{_with_unit(-margin, dim)} short of its threshold of {_with_unit(left - margin, dim)}."
        )


def _watch(group: NeuronGroup) -> _Watch | None:
    """A recorder for a threshold that compares two numbers."""
    tree = group.condition("spike")
    for part in tree.operands if isinstance(tree, Logical) else (tree,):
        if isinstance(part, Compare) and part.op in (">", ">=", "<", "<="):
            sides = (part.left, part.right) if part.op in (">", ">=") else (part.right, part.left)
            if not group.is_stateful(Binary("-", *sides)):
                return _Watch(group, sides)
    return None


def _again(network: Network, last: Any, watches: list[_Watch]) -> None:
    """Do the last run again with recorders, and put everything back."""
    monitors = EventMonitor | StateMonitor | PopulationRateMonitor | NetworkOperation
    objects = [obj for obj in last.objects if not isinstance(obj, monitors)]
    after = {id(obj): obj.state() for obj in objects}
    seed = magic.seed_value()
    try:
        for obj in objects:
            obj.set_state(last.before[obj.name])
        network.rerun([*objects, *watches], last)
        for watch in watches:
            watch.ran = True
    finally:
        for obj in objects:
            obj.set_state(after[id(obj)])
        magic.restore_seed(seed)
