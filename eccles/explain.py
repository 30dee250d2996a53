"""What happened in the last run, and why: above all, why nothing spiked; and how exact its spike times are.

The state before a run is kept as long as it is small. To say how near a silent neuron came to its
threshold, the run is done again from there with a recorder of the closest approach; random numbers
depend on nothing but seed, name and step, so it is the same run. Then everything is put back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.engine.program import Block, Part, ProgramBuilder
from eccles.engine.state import Array
from eccles.integrate.choose import explain_choice
from eccles.integrate.problem import Step
from eccles.language.nodes import Binary, Compare, Expr, Logical, names_in
from eccles.language.printer import show
from eccles.monitors import EventMonitor, PopulationRateMonitor, StateMonitor
from eccles.objects import advice, magic
from eccles.objects.advice import shown
from eccles.objects.dynamics import DEFAULT_TOLERANCE
from eccles.objects.group import SimulationObject
from eccles.objects.inputs import PoissonGroup, PoissonInput, SpikeGeneratorGroup
from eccles.objects.network import LastRun, Network, magic_network
from eccles.objects.neurons import NeuronGroup
from eccles.objects.operations import NetworkOperation
from eccles.objects.regular import CodeRunner
from eccles.objects.synapses import Synapses
from eccles.objects.timing import Timing, wants_precise
from eccles.units import DIMENSIONLESS, Dimension, amp, second

__all__ = ["explain", "explanation"]


def explain(network: Network | None = None) -> None:
    """Print what happened in the last run: who spiked, how near the others came, and what to change.

    Nothing is changed by it: neither state nor random numbers nor what monitors have recorded.

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
    timing = network._timing
    groups = [obj for obj in last.objects if isinstance(obj, NeuronGroup)]
    silent = [g for g in groups if "spike" in g.events and not _spiked(g, last.start)]
    approaches = {id(g): approach for g in silent if (approach := _approach(g)) is not None}
    counts = {
        id(obj): _Count(obj.source.whole, obj.source.start, obj.source.stop)
        for obj in last.objects
        if isinstance(obj, Synapses) and any(obj.target.whole is g for g in silent)
    }
    why_not = _repeat(network, last, [*approaches.values(), *counts.values()]) if silent else ""
    paragraphs = [
        f"The last run went from t = {_time(last.start)} to {_time(last.start + last.duration)}. "
        f"Spikes come at {'multiples of the time step' if timing is None else 'exact times'}."
    ]
    for group in groups:
        lines = [_spikes_of(group, last)]
        if group in silent:
            approach = approaches.get(id(group))
            if why_not:
                lines.append(f"How near it came cannot be told: {why_not}.")
            elif approach is not None:
                lines.append(approach.report())
            lines += _at_rest(group)
            lines += _left_at_zero(group, last)
            lines += _inputs(group, last, {} if why_not else counts)
        if group.method_choice is not None and group.equations.diff_eq_names:
            choice = explain_choice(group.method_choice)
            lines.append(f"{choice[0].upper()}{choice[1:]}")
        if timing is not None:
            lines += _exactness(group, timing)
        paragraphs.append("\n  ".join(lines))
    if timing is not None:
        by_step = [line for obj in last.objects for line in _done_by_step(obj, timing)]
        if by_step:
            paragraphs.append("\n  ".join([DONE_BY_STEP, *by_step]))
    return "\n\n".join(paragraphs)


def _time(seconds: float) -> str:
    return shown(seconds, second.dim)


def _spiked(group: NeuronGroup, start: float) -> int:
    """How many neurons spiked in the last run."""
    return int(np.sum(group.last_spikes() >= start - 1e-12))


def _spikes_of(group: NeuronGroup, last: LastRun) -> str:
    called, n = magic.script_name(group), len(group)
    if "spike" not in group.events:
        return f"{called} ({n}) has no threshold, so it cannot spike."
    spiked = _spiked(group, last.start)
    return f"{called}: {spiked} of {n} neurons spiked." if spiked else f"{called} ({n}) never spiked."


# -- how exact spike times are -----------------------------------------------------------------------

DONE_BY_STEP = "Done once per time step, not from instant to instant (good to first order in dt):"
ORDERS = {"euler": 1, "exponential_euler": 1, "heun": 2, "rk2": 2, "rk4": 4}
IN_WORDS = {1: "first", 2: "second", 4: "fourth"}
LEFT = {1: "half", 2: "a quarter", 4: "a sixteenth"}


def _exactness(group: NeuronGroup, timing: Timing) -> Iterable[str]:
    """How exact the events of a group are, in a network with exact spike times."""
    reason = advice.why_on_grid(group, timing)
    step = group.method_choice
    if reason:
        yield f"Its spikes come at multiples of the time step: {reason}."
    elif "spike" in group.events and step is not None:
        yield f"Its spike times are {_error_of(group, step)}."
        stored = [group.variable(name).array.element for name in group.equations.diff_eq_names]
        if Element.F32 in stored:
            yield "Between events its variables are stored as float32, with 7 digits; dtype=float has 16."
    others = [f"'{event}'" for event in group.events if event != "spike"]
    if others:
        yield f"Other events ({', '.join(others)}) are looked for at the end of each time step."


def _error_of(group: NeuronGroup, step: Step) -> str:
    """How far spike times may be off, by the method of integration."""
    if step.errors:
        tolerance = float(group.method_options.get("tolerance", DEFAULT_TOLERANCE))
        return f"good to its tolerance of {tolerance:g} in each step of its own, whatever dt is"
    if step.method in ("exact", "none"):
        return "exact to rounding"
    order = ORDERS.get(step.method)
    if order is None:
        return "as good as the method: they converge with its order in dt"
    return f"good to {IN_WORDS[order]} order in dt: half of it leaves {LEFT[order]} of the error"


def _done_by_step(obj: SimulationObject, timing: Timing) -> Iterable[str]:
    """What an object does once per time step although spike times are exact."""
    called = magic.script_name(obj)
    match obj:
        case PoissonInput():
            yield f"{called} adds its spikes at the end of each step."
        case NetworkOperation():
            yield f"{called} is called between steps."
        case CodeRunner():
            yield f"{called} runs between steps."
        case NeuronGroup():
            held = [name for name, e in obj.equations.items() if "constant over dt" in e.flags]
            yield from _computed([*held, *_moving_links(obj)], called)
        case Synapses():
            held = [name for name in obj.equations.diff_eq_names if name not in obj.event_driven]
            yield from _computed([*[e.name for e in obj.summed], *held], called)
        case PoissonGroup() | SpikeGeneratorGroup():
            if not obj.in_instants or not wants_precise(obj, timing.network):
                yield f"{called} spikes at multiples of its time step."
            elif any("t" in names_in(tree) for tree in obj.trees()):
                yield f"the rates of {called} are computed for the start of each step."
        case _:
            pass


def _moving_links(group: NeuronGroup) -> list[str]:
    """The variables of a group that are variables of others and move between events."""
    links = group._links.items()
    return [name for name, link in links if link.source.whole.follows_time(link.name)]


def _computed(names: list[str], called: str) -> Iterable[str]:
    if names:
        listed = " and ".join(", ".join(f"'{name}'" for name in names).rsplit(", ", 1))
        yield f"{listed} of {called} {'is' if len(names) == 1 else 'are'} computed for each step as a whole."


# -- why a group is silent --------------------------------------------------------------------------


def _at_rest(group: NeuronGroup) -> Iterable[str]:
    """Where the variable of the threshold settles, and what drive would carry it over."""
    sides = advice.threshold_sides(group)
    if sides is None:
        return
    name, limit = sides
    threshold = advice.constant_value(group, limit)
    still = advice.decayed(group, name)
    rests = advice.resting_values(group, name, still)
    if threshold is None or rests is None:
        return
    dim = group.equations[name].dim
    best = int(np.argmax(rests))
    rest = float(rests[best])
    if rest > threshold:
        yield (
            f"It settles above its threshold: {name} is drawn to {shown(rest, dim)}, the threshold is "
            f"{shown(threshold, dim)}. It was on its way: run it for longer."
        )
        return
    of_all = "" if np.ptp(rests) == 0 else f" (neuron {best}, the highest)"
    yield (
        f"Without input {name} settles at {shown(rest, dim)}{of_all}; the threshold is "
        f"{shown(threshold, dim)}. A constant drive has to lift it by more than "
        f"{shown(threshold - rest, dim)}."
    )
    for drive, current, needed, drive_dim in _drives(group, name, threshold, still, best):
        now = shown(current, drive_dim)
        yield f"For that {drive} has to be more than {shown(needed, drive_dim)}; it is {now}."


def _drives(
    group: NeuronGroup, name: str, threshold: float, still: dict[str, float], neuron: int
) -> Iterable[tuple[str, float, float, Dimension]]:
    """Names that drive the variable, with their value and the value that just reaches the threshold.

    These are currents, and names that begin with I. The resting value is a straight line in a drive, so
    two points of it say where it crosses the threshold.
    """
    tree = group.equations.substituted()[name]
    for drive in sorted(names_in(tree) - {name} - set(still)):
        symbol = group.full_symbol(drive)
        if symbol is None or symbol.type != "float" or drive in group.equations.diff_eq_names:
            continue
        if symbol.dim is not amp.dim and not drive.startswith("I"):
            continue
        low, high = (advice.resting_values(group, name, {**still, drive: value}) for value in (0.0, 1.0))
        if low is None or high is None or high[neuron] == low[neuron]:
            continue
        needed = (threshold - low[neuron]) / (high[neuron] - low[neuron])
        value = group.numpy_value(drive, np.array([neuron]))
        current = group.external(drive).value if value is None else float(np.ravel(value)[0])
        if needed > current:
            yield drive, current, float(needed), symbol.dim


def _left_at_zero(group: NeuronGroup, last: LastRun) -> Iterable[str]:
    """Parameters and initial values that nobody has set."""
    called = magic.script_name(group)
    sides = advice.threshold_sides(group)
    if sides is None:
        return
    name, _ = sides
    for parameter in sorted(advice.dependencies(group, name) & set(group.equations.parameter_names)):
        if group.is_writable(parameter) and not np.any(group.variable(parameter).array.data):
            yield f"'{parameter}' is 0 in all neurons: set {called}.{parameter} = ..."
    rest = advice.resting_value(group, name)
    dim = group.equations[name].dim
    if last.before is not None and dim is not DIMENSIONLESS and rest and last.start == 0:
        if not np.any(last.before[group.name][name]):
            yield (
                f"{name} started at {shown(0.0, dim)}, because nothing else was set: set {called}.{name} = "
                f"{advice.as_code(rest, dim)} before the run."
            )


def _inputs(group: NeuronGroup, last: LastRun, counts: dict[int, _Count]) -> Iterable[str]:
    """What reaches the group, and what keeps it from having an effect."""
    found = False
    for obj in last.objects:
        if isinstance(obj, PoissonInput) and obj.target.whole is group:
            found = True
            if float(obj.rate) == 0:
                yield f"{magic.script_name(obj)}, which drives it, has the rate 0 Hz."
        elif isinstance(obj, Synapses) and obj.target.whole is group:
            found = True
            yield from _synapses(obj, counts.get(id(obj)))
    if not found and not any(isinstance(obj, NetworkOperation) for obj in last.objects):
        yield "Nothing in the network projects to it."


def _synapses(synapses: Synapses, count: _Count | None) -> Iterable[str]:
    called = magic.script_name(synapses)
    if len(synapses) == 0:
        yield f"{called}, which ends on it, has no connections: the rule given to connect() matched no pair."
        return
    for weight in ("w", "weight", "g"):
        if synapses.is_writable(weight) and not np.any(synapses.variable(weight).array.data):
            yield f"All '{weight}' of {called}, which ends on it, are 0: set {called}.{weight} = ..."
    if count is not None and count.ran:
        source, n = magic.script_name(synapses.source), count.n
        spikes = "spike" if n == 1 else "spikes"
        if n:
            yield f"{source} sent {n} {spikes} to it through {called}."
        else:
            yield f"{source}, which sends to it through {called}, never spiked either."


# -- the run again ----------------------------------------------------------------------------------


class _Count(SimulationObject):
    """Counts the spikes of a range of a group's elements."""

    def __init__(self, group: Any, start: int, stop: int) -> None:
        super().__init__(f"{group.name}_count*", group.clock, None, "end", 10**6)
        self._buffer = group.event_buffer("spike")
        self._range = (start, stop)
        self._n = Array(f"{self.name}.n", Element.I64, 1)
        self.ran = False

    @property
    def n(self) -> int:
        """How many there were."""
        return int(self._n.data[0])

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        part = Part.INSTANT if self.in_instants else None
        return [Block(self.name, self.clock, self.when, self.order, self._emit, part)]

    def _emit(self, b: ProgramBuilder) -> None:
        start, stop = (
            b.integer_constant((word, id(self)), word, lambda value=value: value)
            for word, value in zip(("start", "stop"), self._range, strict=True)
        )
        with self._buffer.each(b, within=(start, stop)):
            b.store(self._n, 0, Op("iadd", (b.load(self._n, 0), ir.const(1))))


class _Approach(SimulationObject):
    """Records for each neuron how near it came to its threshold, and when."""

    def __init__(self, group: NeuronGroup, sides: tuple[Expr, Expr]) -> None:
        super().__init__(f"{group.name}_approach*", group.clock, None, "thresholds", -(10**6))
        self.group = group
        self.left, self.right = sides
        n = len(group)
        self._margin = Array(f"{self.name}.margin", Element.F64, n, fill=-np.inf)
        self._left = Array(f"{self.name}.left", Element.F64, n)
        self._time = Array(f"{self.name}.time", Element.F64, n)
        self.ran = False

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        return [Block(self.name, self.clock, self.when, self.order, self._emit)]

    def _emit(self, b: ProgramBuilder) -> None:
        group = self.group
        with b.vector("i", b.size_of(group, len(group))) as i:
            code = group.element_code(b, i, "approach")
            left = code.lowerer.let("left", code.number(self.left))
            margin = code.lowerer.let("margin", Op("fsub", (left, code.number(self.right))))
            old = b.load(self._margin, i)
            nearer = code.lowerer.let("nearer", Op("fgt", (margin, old)))
            for array, value in (
                (self._left, left),
                (self._time, b.t(self.clock)),
                (self._margin, margin),
            ):
                b.store(array, i, Op("select", (nearer, value, b.load(array, i))))

    def report(self) -> str:
        """One sentence on the neuron that came nearest."""
        best = int(np.argmax(self._margin.data))
        left, margin = float(self._left.data[best]), float(self._margin.data[best])
        if not np.isfinite(margin):
            return f"'{show(self.left)}' was not a number (nan) during the whole run."
        dim = self.group.dimension_of(self.left)
        when = _time(float(self._time.data[best]))
        closest = f"Closest: '{show(self.left)}' of neuron {best} reached {shown(left, dim)} at t = {when}, "
        limit = shown(left - margin, dim)
        if margin > 0:
            whole = show(self.group.condition("spike"))
            return f"{closest}over the limit of {limit}, but the threshold asks for more: '{whole}'."
        return f"{closest}{shown(-margin, dim)} short of its threshold of {limit}."


def _approach(group: NeuronGroup) -> _Approach | None:
    """A recorder for a threshold that compares two numbers, possibly along with other conditions."""
    tree = group.condition("spike")
    parts = tree.operands if isinstance(tree, Logical) and tree.op == "and" else (tree,)
    for part in parts:
        if isinstance(part, Compare) and part.op in (">", ">=", "<", "<="):
            sides = (part.left, part.right) if part.op in (">", ">=") else (part.right, part.left)
            if not group.is_stateful(Binary("-", *sides)):
                return _Approach(group, sides)
    return None


def _repeat(network: Network, last: LastRun, recorders: list[_Approach | _Count]) -> str:
    """Do the last run again with recorders, and put everything back; otherwise says why that cannot be."""
    if any(isinstance(obj, NetworkOperation) for obj in last.objects):
        return "a network operation took part, which cannot be repeated without its effects in Python"
    if last.before is None:
        return "the network is so large that its state before the run was not kept"
    monitors = EventMonitor | StateMonitor | PopulationRateMonitor
    objects = [obj for obj in last.objects if not isinstance(obj, monitors)]
    after = {id(obj): obj.run_state() for obj in objects}
    seed, timing = magic.seed_value(), network._timing
    # recorders look in every step: the program of the repetition may walk through time in another way
    network._timing = None if timing is None else replace(timing, on_grid={})
    try:
        for obj in objects:
            if obj.name in last.before:
                obj.set_run_state(last.before[obj.name])
        for obj in (*objects, *recorders):
            obj._timing = network._timing
        network.rerun([*objects, *recorders], last)
        for recorder in recorders:
            recorder.ran = True
    finally:
        network._timing = timing
        for obj in objects:
            obj._timing = timing
            obj.set_run_state(after[id(obj)])
        magic.restore_seed(seed)
    return ""
