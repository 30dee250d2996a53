"""Warnings about models that run but probably do not mean what was intended.

Each has a name by which it can be silenced (`silence('threshold_at_start')`). A warning is only worth
having if correct models never see it: every rule here is narrow on purpose, and a collection of
textbook models in the tests has to pass without a single one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from eccles.errors import EcclesError, warn
from eccles.language.algebra import linear_in
from eccles.language.evaluate import evaluate
from eccles.language.functions import BUILTINS
from eccles.language.nodes import Call, Compare, Expr, Logical, Name, names_in, walk
from eccles.language.printer import show
from eccles.objects import magic
from eccles.objects.group import SimulationObject
from eccles.objects.neurons import NeuronGroup
from eccles.objects.operations import NetworkOperation
from eccles.units import DIMENSIONLESS, Quantity

__all__ = ["before_first_run", "resting_value", "threshold_sides"]

MILLIVOLTS = (-130.0, -20.0)  # membrane potentials and thresholds in mV lie here
UNIT_SCALE = 10.0  # rests and drives of abstract models lie within


def before_first_run(objects: list[SimulationObject]) -> None:
    """Look at a network that is about to run for the first time."""
    for obj in objects:
        if isinstance(obj, NeuronGroup) and obj.network is None:
            _look_at_group(obj, objects)
    _look_for_loop(objects)


def _look_at_group(group: NeuronGroup, objects: list[SimulationObject]) -> None:
    if group.has_refractory and "spike" not in group.events:
        return  # said when it was made
    for name in group.equations.diff_eq_names:
        _dimensionless_millivolts(group, name)
    if "spike" in group.events:
        sides = threshold_sides(group)
        if not (sides is not None and _mixed_scales(group, *sides)):
            _threshold_at_start(group)
        if sides is not None:
            _unreachable(group, *sides, objects)


# -- numbers out of a model -------------------------------------------------------------------------


def constant_value(group: NeuronGroup, tree: Expr) -> float | None:
    """The value of an expression that is the same for all neurons and all times, else None."""
    for name in names_in(tree):
        symbol = group.symbol(name)
        if name in ("t", "t_in_timesteps", "i") or (
            symbol is not None and name in group.equations.diff_eq_names
        ):
            return None
    if any(
        isinstance(n, Call) and (n.function not in BUILTINS or BUILTINS[n.function].stateful)
        for n in walk(tree)
    ):
        return None
    try:
        values = np.asarray(group.numpy_evaluate(tree, np.arange(len(group)), purpose="advice"), float)
    except (EcclesError, KeyError, ValueError, TypeError):
        return None
    flat = values.reshape(-1)
    if flat.size == 0 or not np.all(flat == flat[0]) or not math.isfinite(flat[0]):
        return None
    return float(flat[0])


def resting_value(group: NeuronGroup, name: str) -> float | None:
    """Where a linear equation with constant coefficients settles: dx/dt = a*x + b gives -b/a for a < 0."""
    found = linear_in(group.equations.substituted()[name], name)
    if found is None:
        return None
    a, b = constant_value(group, found[0]), constant_value(group, found[1])
    if a is None or b is None or a >= 0:
        return None
    return -b / a


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


def _shown(value: float, group: NeuronGroup, name: str) -> str:
    dim = group.equations[name].dim
    return f"{value:g}" if dim is DIMENSIONLESS else str(Quantity(value, dim=dim))


# -- the rules --------------------------------------------------------------------------------------


def _dimensionless_millivolts(group: NeuronGroup, name: str) -> None:
    """A membrane potential set to -70 in a model whose own scale is 0 to 1."""
    if group.equations[name].dim is not DIMENSIONLESS:
        return
    rest = resting_value(group, name)
    values = group.variable(name).array.data
    if rest is None or abs(rest) > UNIT_SCALE:
        return
    low, high = MILLIVOLTS
    if np.all((values > low) & (values < high)):
        warn(
            "dimensionless_millivolts",
            f"{group.name}.{name} starts at {values[0]:g}, but it has no unit and its equation draws it to "
            f"{rest:g}. If {values[0]:g} mV is meant, give {name} the unit volt in the equations and write "
            f"{values[0]:g}*mV; in an abstract model {name} lies between rest (0) and threshold (1)",
        )


def _mixed_scales(group: NeuronGroup, name: str, limit: Expr) -> bool:
    """A threshold of -55 in a model that rests at 1."""
    if group.equations[name].dim is not DIMENSIONLESS:
        return False
    rest, threshold = resting_value(group, name), constant_value(group, limit)
    if rest is None or threshold is None or abs(rest) > UNIT_SCALE:
        return False
    if not MILLIVOLTS[0] < threshold < MILLIVOLTS[1]:
        return False
    warn(
        "mixed_scales",
        f"the threshold of {group.name} is {name} > {threshold:g}, but its equation draws {name} to {rest:g}: "
        f"these are two different scales. Use one of them: either rest 0, threshold 1 and a drive above 1, or "
        f"quantities in volts throughout (E_L = -70*mV, V_th = {threshold:g}*mV, a drive in mV)",
    )
    return True


def _threshold_at_start(group: NeuronGroup) -> None:
    """A threshold that all neurons are above before anything has happened."""
    tree = group.condition("spike")
    if any(
        isinstance(n, Call) and BUILTINS.get(n.function, None) is not None and BUILTINS[n.function].stateful
        for n in walk(tree)
    ):
        return
    if not names_in(tree) & set(group.equations.diff_eq_names) or group.clock.timestep:
        return
    try:
        values = np.asarray(group.numpy_evaluate(tree, np.arange(len(group)), purpose="advice"))
    except (EcclesError, KeyError, ValueError, TypeError):
        return
    if not np.all(values):
        return
    sides = threshold_sides(group)
    which = sides[0] if sides is not None else sorted(names_in(tree) & set(group.equations.diff_eq_names))[0]
    start = _shown(float(group.variable(which).array.data[0]), group, which)
    all_of = "its neuron" if len(group) == 1 else f"all {len(group)} neurons"
    warn(
        "threshold_at_start",
        f"the threshold of {group.name}, '{show(tree)}', holds for {all_of} from the start: {which} starts at "
        f"{start}. Set it before the run, as in {group.name}.{which} = ...",
    )


def _unreachable(group: NeuronGroup, name: str, limit: Expr, objects: Iterable[SimulationObject]) -> None:
    """A threshold that nothing can carry the variable to."""
    threshold = constant_value(group, limit)
    if threshold is None:
        return
    moved = _dependencies(group, name)
    if _anything_writes(group, moved, objects):
        return
    substituted = group.equations.substituted()
    for other in moved - {name}:
        # other variables have to stay where they are: at 0, drawn to 0
        if other in substituted and (
            np.any(group.variable(other).array.data) or resting_value(group, other) not in (0.0, -0.0)
        ):
            return
    rest = _rest_with_others_at_zero(group, name, moved)
    if rest is None:
        return
    highest = max(rest, float(group.variable(name).array.data.max()))
    if highest < threshold or (highest == threshold and rest == highest):
        warn(
            "unreachable_threshold",
            f"{group.name} can never spike: {name} settles at {_shown(rest, group, name)}, below the threshold of "
            f"{_shown(threshold, group, name)}, and no input, synapse or noise moves it. Add a drive that carries "
            f"it over the threshold, or connect an input",
        )


def _rest_with_others_at_zero(group: NeuronGroup, name: str, moved: set[str]) -> float | None:
    found = linear_in(group.equations.substituted()[name], name)
    if found is None:
        return None
    zero = {other: 0.0 for other in moved - {name} if other in group.equations.diff_eq_names}
    values = []
    for tree in found:
        if names_in(tree) & {"t", "i"} or any(
            isinstance(n, Call) and n.function not in BUILTINS for n in walk(tree)
        ):
            return None

        def look_up(n: str) -> Any:
            if n in zero:
                return 0.0
            value = group.numpy_value(n, np.zeros(1, np.int64))
            return group.external(n).value if value is None else value

        try:
            values.append(float(np.ravel(evaluate(tree, look_up, lambda f, a: BUILTINS[f].python(*a)))[0]))
        except (EcclesError, KeyError, ValueError, TypeError):
            return None
    a, b = values
    parameters = {n for n in moved if n in group.equations.parameter_names}
    if a >= 0 or any(
        np.ptp(group.variable(p).array.data) > 0 for p in parameters if p in group.variable_names()
    ):
        return None
    return -b / a


def _dependencies(group: NeuronGroup, name: str) -> set[str]:
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

_built: dict[object, int] = {}
LOOP = 3  # builds of one model from one line before the hint


def _look_for_loop(objects: list[SimulationObject]) -> None:
    groups = [obj for obj in objects if isinstance(obj, NeuronGroup)]
    if not groups or any(obj.network is not None for obj in objects):
        return
    frame = magic.users_frame()
    model = tuple((str(g.equations), len(g), g.events.get("spike"), g.reset_text) for g in groups)
    key = (id(frame), frame.f_code.co_filename, frame.f_lineno, model)
    _built[key] = _built.get(key, 0) + 1
    if _built[key] == LOOP:
        warn(
            "rebuilt_in_loop",
            f"the same model has been built and run {LOOP} times in a loop (line {frame.f_lineno}). One group with a "
            f"neuron per condition and one run does the same at once: give the value that changes as a "
            f"parameter, as in '{groups[0].name}.w = values', and read the results as an array",
        )
