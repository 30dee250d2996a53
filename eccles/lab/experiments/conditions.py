"""The conditions of an experiment: the rule and the spikes of each, in a form that one program can run."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from eccles.errors import SetupError, nearest
from eccles.lab.protocols import Protocol
from eccles.lab.rules import Rule
from eccles.sweeps import zipped
from eccles.sweeps.parameters import Grid, Parameter
from eccles.units import Quantity, second

__all__ = ["INDUCTION", "Conditions"]

INDUCTION = "induction"  # the dimension of a sweep along which spike trains differ
TRAINS = ("pre_times", "post_times")
AFTER = 1.0  # seconds after the end of the run at which spikes come that a shorter train does not have


class Conditions:
    """All conditions of an experiment.

    Parameters
    ----------
    rule : Rule, function of swept parameters that gives one, or dict of name to Rule
    protocol : Protocol, function of swept parameters that gives one, or dict of name to Protocol
    swept : mapping of str to values
        As `sweep` takes them.

    Attributes
    ----------
    grid : Grid
        The dimensions that the user knows.
    protocols : array of Protocol
        Over `protocol_axes`.

    Raises
    ------
    SetupError
        If neither the rule nor the protocol takes one of the parameters, or one of them is missing.

    Notes
    -----
    A sweep follows spike trains where they are values along one dimension and all of one length. Therefore
    all combinations of the parameters of the protocol are laid out along `INDUCTION`, and shorter trains are
    filled up with spikes that would come after the end of the run.
    """

    def __init__(self, rule: Any, protocol: Any, swept: Mapping[str, Any]) -> None:
        named = {
            name: list(given)
            for name, given in (("rule", rule), ("protocol", protocol))
            if isinstance(given, Mapping)
        }
        for name, labels in named.items():
            if not labels or not all(isinstance(label, str) for label in labels):
                raise SetupError(f"several of '{name}' need names, as in {{'a': ..., 'b': ...}}")
        self.grid = Grid({**swept, **named})
        self._rule, self._protocol = rule, protocol
        names = set(self.grid.parameters())
        self._of_rule = _parameters(rule, "rule", names, Rule)
        self._of_protocol = _parameters(protocol, "protocol", names, Protocol)
        for name in sorted(names - self._of_rule - self._of_protocol):
            near = nearest(name, self._takes())
            raise SetupError(
                f"neither the rule nor the protocol takes '{name}'"
                + (f"; did you mean '{near}'?" if near else ""),
                hint="Swept values go to functions: experiment(rule, lambda gap: pairing(gap), gap=[...]).",
            )
        self.protocol_axes = tuple(
            axis
            for axis, members in self.grid.axes.items()
            if any(p.name in self._of_protocol for p in members)
        )
        sizes = tuple(len(self.grid.axes[axis][0]) for axis in self.protocol_axes)
        self.protocols = np.empty(sizes, dtype=object)
        for place in np.ndindex(*sizes):
            self.protocols[place] = self._protocol_at(dict(zip(self.protocol_axes, place, strict=True)))

    def _takes(self) -> set[str]:
        functions = [part for part in (self._rule, self._protocol) if callable(part)]
        return {name for function in functions for name in inspect.signature(function).parameters}

    def _protocol_at(self, where: Mapping[str, int]) -> Protocol:
        values = {
            name: p.at(where[axis])
            for name, (axis, p) in self.grid.parameters().items()
            if name in self._of_protocol
        }
        if isinstance(self._protocol, Mapping):
            return self._protocol[values["protocol"]]
        if isinstance(self._protocol, Protocol):
            return self._protocol
        made = self._protocol(**values)
        if not isinstance(made, Protocol):
            raise SetupError(f"the function that makes the protocol has to return a Protocol, not {made!r}")
        return made

    def rule_of(self, parameters: Mapping[str, Any]) -> Rule:
        """The rule with these parameters: those of a condition, or stand-ins of a sweep."""
        if isinstance(self._rule, Mapping):
            return self._rule[parameters["rule"]]
        if isinstance(self._rule, Rule):
            return self._rule
        made = self._rule(**{name: parameters[name] for name in self._of_rule})
        if not isinstance(made, Rule):
            raise SetupError(f"the function that makes the rule has to return a Rule, not {made!r}")
        return made

    def rules(self) -> dict[str, Rule]:
        """The rules that take part, by name; of those that differ by swept parameters the first."""
        if isinstance(self._rule, Mapping):
            return dict(self._rule)
        rule = self.rule_of(self.grid.condition(0))
        return {rule.name: rule}

    def protocol_of(self, condition: Mapping[str, int]) -> Protocol:
        """The protocol at a position along each dimension."""
        return self.protocols[tuple(condition[axis] for axis in self.protocol_axes)]

    @property
    def longest(self) -> float:
        """How long the longest protocol takes, in seconds."""
        return max(float(protocol.duration) for protocol in self.protocols.flat)

    # -- as a sweep ---------------------------------------------------------------------------------

    def trains(self, end: float, duration: float) -> tuple[np.ndarray, np.ndarray]:
        """When pre- and postsynaptic neurons spike: (induction, spike) each, in seconds.

        Parameters
        ----------
        end : float
            When all protocols end.
        duration : float
            How long the whole run takes.
        """
        pre, post = (
            [
                float(end - float(p.duration)) + np.asarray(getattr(p, side), float)
                for p in self.protocols.flat
            ]
            for side in ("pre", "post")
        )
        return _filled(pre, duration), _filled(post, duration)

    def sweep_parameters(self, pre: np.ndarray, post: np.ndarray) -> dict[str, Any]:
        """What `sweep` varies; none of the spike trains where there is only one of each."""
        found: dict[str, Any] = {}
        if self.protocol_axes:
            place = np.unravel_index(np.arange(self.protocols.size), self.protocols.shape)
            along = dict(zip(self.protocol_axes, place, strict=True))
            shared = {
                p.name: _taken(p, along[axis])
                for axis in self.protocol_axes
                for p in self.grid.axes[axis]
                if p.name in self._of_rule
            }
            trains = dict(zip(TRAINS, (Quantity(t, dim=second.dim) for t in (pre, post)), strict=True))
            found[INDUCTION] = zipped(**trains, **shared)
        for axis, members in self.grid.axes.items():
            if axis not in self.protocol_axes:
                found[axis] = zipped(**{p.name: p.values for p in members if p.name in self._of_rule})
        return found

    def laid_out(self, values: np.ndarray) -> np.ndarray:
        """What a sweep gave, (induction, others, ...), over the dimensions of `grid`."""
        others = [axis for axis in self.grid.axes if axis not in self.protocol_axes]
        n_before = len(others) + bool(self.protocol_axes)
        sizes = dict(zip(self.grid.axes, self.grid.shape, strict=True))
        order = [*self.protocol_axes, *others]
        values = values.reshape((*(sizes[axis] for axis in order), *values.shape[n_before:]))
        rest = range(len(order), values.ndim)
        return values.transpose((*(order.index(axis) for axis in self.grid.axes), *rest))


def _parameters(part: Any, what: str, given: set[str], kind: type) -> set[str]:
    """Which of the swept parameters this part takes."""
    if isinstance(part, kind):
        return set()
    if isinstance(part, Mapping):
        for label, each in part.items():
            if not isinstance(each, kind):
                raise SetupError(f"'{label}' of '{what}' has to be a {kind.__name__}, not {each!r}")
        return {what}
    if not callable(part):
        raise SetupError(
            f"{what} has to be a {kind.__name__}, a function that gives one, or a dict of several, "
            f"not a {type(part).__name__}",
            hint="The rule comes first, then the protocol: experiment(rule, protocol, neuron).",
        )
    known = _of(part)
    if any(p.kind is p.VAR_KEYWORD for p in known.values()):
        return set(given) - {"rule", "protocol"}
    for name, p in known.items():
        if p.default is p.empty and p.kind is not p.VAR_POSITIONAL and name not in given:
            raise SetupError(
                f"the function that makes the {what} needs a value for '{name}'",
                hint=f"Give it in the call: experiment(..., {name}=[...]).",
            )
    return given & set(known)


def _of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters


def _taken(parameter: Parameter, positions: np.ndarray) -> Any:
    values = parameter.values
    return values[positions] if isinstance(values, np.ndarray) else [values[k] for k in positions]


def _filled(trains: list[np.ndarray], duration: float) -> np.ndarray:
    """Trains of one length, (n, spike): spikes that a train does not have come after the end of the run."""
    n = max(1, *(len(train) for train in trains)) if trains else 1
    late = math.ceil(duration) + AFTER + np.arange(n)
    return np.array([np.concatenate([train, late[len(train) :]]) for train in trains])
