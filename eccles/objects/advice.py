"""Warnings about models that run but probably do not mean what was intended.

Each has a name by which it can be silenced (`silence('threshold_at_start')`). A warning is only worth
having if correct models never see it: every rule here is narrow on purpose, and a collection of
textbook models in the tests has to pass without a single one.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Iterable, Mapping
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from eccles.errors import EcclesError, note, warn
from eccles.language.algebra import linear_in
from eccles.language.evaluate import evaluate
from eccles.language.functions import BUILTINS
from eccles.language.nodes import Call, Compare, Expr, Logical, Name, names_in, walk
from eccles.language.printer import show
from eccles.objects import magic
from eccles.objects.group import Group, SimulationObject
from eccles.objects.neurons import NeuronGroup
from eccles.objects.operations import NetworkOperation
from eccles.objects.sources import Subgroup
from eccles.objects.timing import Timing, wants_precise
from eccles.units import DIMENSIONLESS, Quantity

__all__ = [
    "as_code",
    "before_first_run",
    "before_magic_run",
    "before_run_in_exact_time",
    "constant_value",
    "decayed",
    "dependencies",
    "resting_value",
    "resting_values",
    "shown",
    "threshold_sides",
    "when_made",
    "when_set",
    "why_on_grid",
]

MILLIVOLTS = (-130.0, -20.0)  # membrane potentials and thresholds in mV lie here
UNIT_SCALE = 10.0  # rests and drives of abstract models lie within


# what was said about a group already, where it could be known: it is not repeated at the first run
_said: WeakKeyDictionary[NeuronGroup, set[str]] = WeakKeyDictionary()


def when_made(group: NeuronGroup) -> None:
    """Look at a group that has just been made, as far as its text says everything."""
    if group.has_refractory and "spike" not in group.events:
        warn(
            "refractory_without_threshold",
            f"{group.name} has a refractory period but no threshold: it never spikes, so it is never "
            f"refractory, and the period has no effect. Leave refractory out, or give the group a threshold "
            f"and a reset, as in NeuronGroup(..., threshold='v > 1', reset='v = 0')",
        )
    if group.semantics.bind == "construction":
        _mixed_scales(group, may_depend_on_parameters=False)


def when_set(group: NeuronGroup, name: str) -> None:
    """Look at a variable that has just been set."""
    if group.semantics.bind == "construction" and group.network is None:
        _dimensionless_millivolts(group, name, may_depend_on_parameters=False)


def before_first_run(objects: list[SimulationObject]) -> None:
    """Look at a network that is about to run for the first time."""
    for obj in objects:
        if isinstance(obj, NeuronGroup) and obj.network is None:
            _look_at_group(obj, objects)
    _look_for_loop(objects)


def before_run_in_exact_time(timing: Timing, objects: list[SimulationObject]) -> None:
    """Tell of thresholds that are looked at on the grid although exact times were asked for.

    It is a note, not a warning: such models are right. A group is told of before its first run only.
    """
    told: list[str] = []
    for group in objects:
        if not isinstance(group, NeuronGroup) or group.network is not None:
            continue
        reason = why_on_grid(group, timing)
        if reason and wants_precise(group, timing.network):
            told.append(f"{magic.script_name(group)} ({reason})")
    if told:
        shown = ", ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")
        note(
            "spikes_on_grid",
            f"spikes at the ends of time steps, not at exact times: {shown}; "
            f"spike_times='grid' says that this is meant",
        )


def why_on_grid(group: NeuronGroup, timing: Timing) -> str:
    """Why the threshold of a group is looked at on the grid; empty if it is not, or there is none."""
    if "spike" not in group.events:
        return ""
    return timing.on_grid.get(group.name, "") or timing.reason_for_grid(group)


def before_magic_run(members: list[SimulationObject]) -> None:
    """Look for objects that the script made but that `run()` does not see, before the first run.

    Garbage that nobody has collected yet does not count, nor do objects that need others outside, which may
    belong to another network.
    """
    if all(obj.network is not None for obj in members) and members:
        return
    if not _overlooked(members):
        return
    gc.collect()
    overlooked = _overlooked(members)
    if not overlooked:
        return
    named = [obj.name for obj in overlooked]
    shown = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
    warn(
        "not_seen_by_run",
        f"run() {'leaves out' if members else 'has nothing to simulate: it does not see'} {shown}. It takes "
        f"the objects that have a variable of their own where it is called, and does not look into lists, "
        f"dictionaries, attributes or functions. Make a network instead, which takes lists too: "
        f"net = Network(...); net.run(...)",
    )


def _overlooked(members: list[SimulationObject]) -> list[SimulationObject]:
    """Objects without a variable that could run together with the members."""
    inside = {id(obj) for obj in members}
    outside = [obj for obj in magic.unnamed(members) if not isinstance(obj, Subgroup)]
    if members:
        outside = [obj for obj in outside if obj.needs and all(id(n) in inside for n in obj.needs)]
    parts = {id(part) for obj in outside for part in obj.contained_objects}
    return [obj for obj in outside if id(obj) not in parts]


def _look_at_group(group: NeuronGroup, objects: list[SimulationObject]) -> None:
    for name in group.equations.diff_eq_names:
        _dimensionless_millivolts(group, name)
    if "spike" not in group.events:
        return
    if not _mixed_scales(group):
        _threshold_at_start(group)
    sides = threshold_sides(group)
    if sides is not None:
        _unreachable(group, *sides, objects)


# -- numbers out of a model -------------------------------------------------------------------------


def _plain(tree: Expr) -> bool:
    """Whether an expression calls nothing but functions that give the same for the same arguments."""
    return all(
        n.function in BUILTINS and not BUILTINS[n.function].stateful
        for n in walk(tree)
        if isinstance(n, Call)
    )


def constant_value(group: NeuronGroup, tree: Expr) -> float | None:
    """The value of an expression that is the same for all neurons and all times, else None."""
    for name in names_in(tree):
        symbol = group.symbol(name)
        if name in ("t", "t_in_timesteps", "i") or (
            symbol is not None and name in group.equations.diff_eq_names
        ):
            return None
    if not _plain(tree):
        return None
    try:
        values = np.asarray(group.numpy_evaluate(tree, np.arange(len(group)), purpose="advice"), float)
    except (EcclesError, ArithmeticError, KeyError, ValueError, TypeError):
        return None
    flat = values.reshape(-1)
    if flat.size == 0 or not np.all(flat == flat[0]) or not math.isfinite(flat[0]):
        return None
    return float(flat[0])


def resting_values(
    group: NeuronGroup, name: str, given: Mapping[str, float] | None = None
) -> np.ndarray | None:
    """Where each neuron settles: dx/dt = a*x + b with constant a < 0 gives -b/a. None if that cannot be told.

    Parameters
    ----------
    group, name
        The variable.
    given : mapping, optional
        Values to assume for some names, such as 0 for input that decays.
    """
    found = linear_in(group.equations.substituted()[name], name)
    if found is None or not all(_plain(tree) for tree in found):
        return None
    given = given or {}
    elements = np.arange(len(group))
    moving = {"t", "t_in_timesteps", *group.equations.diff_eq_names} - set(given)
    if any(n in moving or n.startswith("xi") for tree in found for n in names_in(tree)):
        return None

    def look_up(n: str) -> Any:
        if n in given:
            return given[n]
        value = group.numpy_value(n, elements)
        return group.external(n).value if value is None else value

    def call(function: str, args: tuple[Any, ...]) -> Any:
        python = BUILTINS[function].python
        assert python is not None  # only functions that draw have none
        return python(*args)

    try:
        a, b = (np.asarray(evaluate(tree, look_up, call), float) for tree in found)
        with np.errstate(all="ignore"):
            rests = np.broadcast_to(-b / a, (len(group),))
    except (EcclesError, ArithmeticError, KeyError, ValueError, TypeError):
        return None
    return rests if np.all(a < 0) and np.all(np.isfinite(rests)) else None


def decayed(group: NeuronGroup, name: str) -> dict[str, float]:
    """Variables that the equation of `name` depends on and that are drawn to 0 by equations of their own."""
    found: dict[str, float] = {}
    others = dependencies(group, name) & set(group.equations.diff_eq_names) - {name}
    for _ in range(len(others)):  # one that decays to another one that decays to 0
        for other in others - set(found):
            rests = resting_values(group, other, found)
            if rests is not None and not np.any(rests):
                found[other] = 0.0
    return found


def resting_value(group: NeuronGroup, name: str) -> float | None:
    """The resting value that all neurons share; None if there is none."""
    rests = resting_values(group, name)
    return None if rests is None or np.ptp(rests) > 0 else float(rests[0])


def threshold_sides(group: NeuronGroup) -> tuple[str, Expr] | None:
    """For a threshold `x > limit` (possibly among other conditions): the variable and the limit."""
    tree = group.condition("spike")
    parts = tree.operands if isinstance(tree, Logical) and tree.op == "and" else (tree,)
    for part in parts:
        if not isinstance(part, Compare):
            continue
        left, right = part.left, part.right
        if part.op in ("<", "<="):
            left, right = right, left
        elif part.op not in (">", ">="):
            continue
        if (
            isinstance(left, Name)
            and left.id in group.equations.diff_eq_names
            and left.id not in names_in(right)
        ):
            return left.id, right
    return None


def shown(value: float, dim: Any) -> str:
    """A value as a sentence wants it: '-70 mV', '0.5'."""
    if dim is DIMENSIONLESS:
        return f"{value:g}"
    if value == 0:
        return f"0 {dim.symbol()}"
    return str(Quantity(float(f"{value:.4g}"), dim=dim)).replace(". ", " ")


def as_code(value: float, dim: Any) -> str:
    """A value as users write it: '-70*mV'."""
    return shown(value, dim).replace(" ", "*")


def _shown(value: float, group: NeuronGroup, name: str) -> str:
    return shown(value, group.equations[name].dim)


def _depends_on_parameters(group: NeuronGroup, *trees: Expr) -> bool:
    """Whether values that the user may still set enter an expression."""
    names = {n for tree in trees for n in names_in(tree)}
    return bool(names & set(group.equations)) or "i" in names


# -- the rules --------------------------------------------------------------------------------------


def _dimensionless_millivolts(
    group: NeuronGroup, name: str, *, may_depend_on_parameters: bool = True
) -> None:
    """A membrane potential set to -70 in a model whose own scale is 0 to 1."""
    if group.equations[name].dim is not DIMENSIONLESS or name in _said.get(group, ()):
        return
    low, high = MILLIVOLTS
    values = group.variable(name).array.data
    if not np.all((values > low) & (values < high)):
        return
    found = linear_in(group.equations.substituted()[name], name)
    if found is None or (not may_depend_on_parameters and _depends_on_parameters(group, *found)):
        return
    rest = resting_value(group, name)
    if rest is None or abs(rest) > UNIT_SCALE:
        return
    _said.setdefault(group, set()).add(name)
    called = magic.script_name(group)
    warn(
        "dimensionless_millivolts",
        f"{called}.{name} is set to {values[0]:g}, but it has no unit, and its equation draws it to "
        f"{rest:g}: these are two different scales. If {values[0]:g} mV is meant, write the equation with "
        f"quantities in volt and set {called}.{name} = {values[0]:g}*mV. If the model is abstract, {name} "
        f"lies between rest (0) and threshold (1)",
    )


def _mixed_scales(group: NeuronGroup, *, may_depend_on_parameters: bool = True) -> bool:
    """A threshold of -55 in a model that rests at 1."""
    if "spike" not in group.events or (sides := threshold_sides(group)) is None:
        return False
    name, limit = sides
    if "threshold" in _said.get(group, ()):
        return True
    if group.equations[name].dim is not DIMENSIONLESS:
        return False
    found = linear_in(group.equations.substituted()[name], name)
    if found is None or (not may_depend_on_parameters and _depends_on_parameters(group, *found, limit)):
        return False
    rest, threshold = resting_value(group, name), constant_value(group, limit)
    if rest is None or threshold is None or abs(rest) > UNIT_SCALE:
        return False
    if not MILLIVOLTS[0] < threshold < MILLIVOLTS[1]:
        return False
    _said.setdefault(group, set()).add("threshold")
    warn(
        "mixed_scales",
        f"{magic.script_name(group)} has the threshold {name} > {threshold:g}, but its equation draws {name} "
        f"to {rest:g}: these are two different scales. Use one of them: either rest 0, threshold 1 and a "
        f"drive above 1, as in 'd{name}/dt = (2 - {name})/tau : 1' with threshold='{name} > 1', "
        f"reset='{name} = 0'; or quantities in volt throughout, as in "
        f"'d{name}/dt = (E_L - {name} + I)/tau : volt' with E_L = -70*mV, "
        f"threshold='{name} > {threshold:g}*mV', reset='{name} = E_L' and I = 30*mV",
    )
    return True


def _threshold_at_start(group: NeuronGroup) -> None:
    """A threshold that all neurons are above before anything has happened."""
    tree = group.condition("spike")
    if not _plain(tree):
        return
    if not names_in(tree) & set(group.equations.diff_eq_names) or group.clock.timestep:
        return
    try:
        values = np.asarray(group.numpy_evaluate(tree, np.arange(len(group)), purpose="advice"))
    except (EcclesError, ArithmeticError, KeyError, ValueError, TypeError):
        return
    if not np.all(values):
        return
    sides = threshold_sides(group)
    which = sides[0] if sides is not None else sorted(names_in(tree) & set(group.equations.diff_eq_names))[0]
    start = _shown(float(group.variable(which).array.data[0]), group, which)
    all_of = "its only neuron" if len(group) == 1 else f"all of its {len(group)} neurons"
    called = magic.script_name(group)
    rest = resting_value(group, which) if which in group.equations.diff_eq_names else None
    example = "..." if rest is None else as_code(rest, group.equations[which].dim)
    warn(
        "threshold_at_start",
        f"{called} spikes as soon as the run begins: its threshold, '{show(tree)}', holds for {all_of} from "
        f"the start, because {which} starts at {start}. Set {which} before the run, as in "
        f"{called}.{which} = {example}",
    )


def _unreachable(group: NeuronGroup, name: str, limit: Expr, objects: Iterable[SimulationObject]) -> None:
    """A threshold that nothing can carry the variable to."""
    threshold = constant_value(group, limit)
    if threshold is None:
        return
    moved = dependencies(group, name)
    if _anything_writes(group, moved, objects):
        return
    still = decayed(group, name)
    if any(np.any(group.variable(other).array.data) for other in still):
        return  # input that was there from the start may carry it over
    rests = resting_values(group, name, still)
    if rests is None or max(rests.max(), group.variable(name).array.data.max()) > threshold:
        return
    for other in _changed_between_runs(group, moved):
        changed = resting_values(group, name, {**still, other: 1.0})
        if changed is None or not np.array_equal(rests, changed):
            return
    rest = float(rests.max())
    called = magic.script_name(group)
    dim = group.equations[name].dim
    example = "I" if dim is DIMENSIONLESS else f"I (in {dim.symbol()})"
    warn(
        "unreachable_threshold",
        f"{called} can never spike: its equation draws {name} to {shown(rest, dim)} and no input, synapse or "
        f"noise moves it, but the threshold is at {shown(threshold, dim)}. Add a drive {example} to the "
        f"equation that carries {name} over the threshold, that is, of more than "
        f"{shown(threshold - rest, dim)}, or connect an input",
    )


def _changed_between_runs(group: NeuronGroup, moved: set[str]) -> set[str]:
    """Names whose values scripts change between runs, so that the first run says little.

    These are all parameters, and in the face that looks names up at `run()` those that are 0 for now.
    """
    parameters = moved & set(group.equations.parameter_names)
    if group.semantics.bind == "construction":
        return parameters
    substituted = group.equations.substituted()
    outside = {
        n for m in moved if m in substituted for n in names_in(substituted[m]) if group.has_external(n)
    }
    return parameters | {n for n in outside if group.external(n).value == 0}


def dependencies(group: NeuronGroup, name: str) -> set[str]:
    """The variables that the equation of `name` depends on, directly or not, and itself."""
    substituted = group.equations.substituted()
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        found.add(current)
        if current in substituted:
            waiting += [
                n for n in names_in(substituted[current]) if n in group.equations or n.startswith("xi")
            ]
    return found


def _anything_writes(group: NeuronGroup, names: set[str], objects: Iterable[SimulationObject]) -> bool:
    """Whether something outside the equations may move one of the variables."""
    if any(
        n.startswith("xi") or "linked" in group.equations[n].flags
        for n in names
        if n in group.equations or n.startswith("xi")
    ):
        return True
    arrays = {id(array) for n in names for array in group.arrays_of(n)}
    for obj in objects:
        if isinstance(obj, NetworkOperation):
            return True
        if obj is not group and any(id(array) in arrays for array in obj.writes()):
            return True
    return False


# -- a loop that rebuilds a model -------------------------------------------------------------------

LOOP = 3  # builds of one model from one line before the hint
Values = dict[tuple[int, str], Any]  # by the number of the group and the name in its model text


class _Builds:
    """How often each model was built in the script that is running now.

    Only loops of a script count: the call of `run()` and all calls that lead to it from the script's top
    level stand in one file. Functions that other code calls again and again (tests, optimisers) are left
    alone. The top level's frame is kept, because its number alone could belong to a later one.
    """

    def __init__(self) -> None:
        self.script: FrameType | None = None
        self.values: dict[object, list[Values]] = {}

    def note(self, model: object, values: Values) -> list[Values]:
        """Add a build with its values from outside; returns all builds of this model by the same calls."""
        frame: FrameType | None = magic.users_frame()
        filename, lines = frame.f_code.co_filename, []
        while frame is not None and frame.f_code.co_filename == filename:
            lines.append(frame.f_lineno)
            if frame.f_code.co_name == "<module>":
                break
            frame = frame.f_back
        else:
            return []
        if frame is not self.script:
            self.script, self.values = frame, {}
        builds = self.values.setdefault((tuple(lines), model), [])
        builds.append(values)
        return builds


_builds = _Builds()


def _look_for_loop(objects: list[SimulationObject]) -> None:
    groups = [obj for obj in objects if isinstance(obj, Group)]
    neurons = [g for g in groups if isinstance(g, NeuronGroup)]
    if not neurons or any(obj.network is not None for obj in objects):
        return
    model = tuple((str(g.equations), len(g), g.events.get("spike"), g.reset_text) for g in neurons)
    values: Values = {
        (k, name): getattr(g.external_function(name), "value", None)
        for k, g in enumerate(groups)
        for name in g.identifiers()[0]
    }
    builds = _builds.note(model, values)
    if len(builds) != LOOP:
        return
    line = magic.users_frame().f_lineno
    changing = [key for key in values if len({build.get(key) for build in builds}) > 1]
    said = (
        f"the same model has been built and run {LOOP} times in a loop (line {line}). One group with one "
        f"neuron per case and one run() does all cases at once"
    )
    if changing:
        k, name = changing[0]
        owner = magic.script_name(getattr(groups[k], "synapses", groups[k]))
        unit = _unit(groups[k].external_function(name).dim)
        said += (
            f": write '{name} : {unit}' into the equations of {owner}, "
            f"set {owner}.{name} = [...] after it is made, and read the results as an array"
        )
    else:
        said += ": give each neuron its own value of what changes, and read the results as an array"
    warn("rebuilt_in_loop", f"{said}. Or make the model in a function, and sweep() it over the cases")


def _unit(dim: Any) -> str:
    """The unit of a dimension as equations want it."""
    return "1" if dim is DIMENSIONLESS else dim.example_unit(scaled=False)
