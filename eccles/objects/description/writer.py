"""From a network to its description."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from eccles.errors import SetupError
from eccles.integrate import INTEGRATORS, ExplicitIntegrator
from eccles.language.check import Symbol
from eccles.language.equations import Equations
from eccles.language.parser import parse_expression
from eccles.language.resolve import Namespace, default_symbol
from eccles.objects import magic
from eccles.objects.description.form import (
    CLASSES,
    FACES,
    FORMAT,
    SUBGROUP,
    VERSION,
    Description,
    number_to_data,
    same_when_read,
)
from eccles.objects.description.functions import FunctionWriter, statements_to_text
from eccles.objects.group import Group, SimulationObject
from eccles.objects.inputs import PoissonGroup, PoissonInput, SpikeGeneratorGroup
from eccles.objects.network import Network
from eccles.objects.neurons import NeuronGroup
from eccles.objects.operations import NetworkOperation
from eccles.objects.pathway import Pathway
from eccles.objects.regular import Attached, EventRunner
from eccles.objects.semantics import in_face
from eccles.objects.sources import SpikeSource, Subgroup
from eccles.objects.synapses import Synapses

__all__ = ["describe"]


def describe(network: Network, level: int = 0) -> Description:
    """Everything that is in a network, as data, with its state as it is now.

    Monitors are left out. Names in model text keep what they stand for now: what was looked up when objects
    were made, or at the last run; names that have not been looked up yet are those of the calling script.

    Raises
    ------
    SetupError
        If something of it is no data: a network operation, a class or a method of integration of the user's
        own.
    """
    values = network.namespace if network.namespace is not None else magic.users_names(level)
    return _Writer(network, values).description()


def _refuse(obj: SimulationObject) -> SetupError:
    if isinstance(obj, NetworkOperation):
        return SetupError(
            f"{obj.name} is a network operation: Python code cannot be described as data",
            hint="Use run_regularly(...) for what changes variables, a TimedArray for input that changes in "
            "time.",
        )
    return SetupError(
        f"{obj.name} is a {type(obj).__name__}, which cannot be described as data",
        hint="Use the classes of Eccles themselves, and run_regularly(...) or a TimedArray for what these do "
        "not do.",
    )


def _owner(obj: SimulationObject) -> SimulationObject:
    """The object that made another one, or the object itself."""
    if isinstance(obj, Attached):
        return obj.group
    return obj.synapses if isinstance(obj, Pathway) else obj


def _used(obj: SimulationObject) -> list[SimulationObject]:
    """What an object refers to."""
    match obj:
        case Subgroup():
            return [obj.whole]
        case Synapses():
            return [obj.source, obj.target]
        case PoissonInput():
            return [obj.target]
        case NeuronGroup():
            return [link.source for link in obj.links().values()]
    return []


def _rank(obj: SimulationObject) -> int:
    """Objects of a higher rank refer to those of lower ones only, but for links."""
    if isinstance(obj, Subgroup):
        return 1
    return 0 if isinstance(obj, SpikeSource) else 2 if isinstance(obj, Synapses) else 3


def _all_of(members: Iterable[SimulationObject]) -> list[SimulationObject]:
    """The members' owners and all that these refer to, in an order in which they can be made."""
    found: dict[int, SimulationObject] = {}
    waiting = [_owner(obj) for obj in members]
    while waiting:
        obj = waiting.pop(0)
        if id(obj) not in found:
            found[id(obj)] = obj
            waiting += _used(obj)
    return sorted(found.values(), key=_rank)


class _Writer:
    def __init__(self, network: Network, values: Mapping[str, Any]) -> None:
        self.network = network
        self.values = values
        self.members = [obj for obj in network.objects if not obj.is_recorder]
        self.objects = _all_of(self.members)
        self.numbers = {id(obj): k for k, obj in enumerate(self.objects)}
        self.functions = FunctionWriter()
        self.clocks: list[Any] = []
        self.arrays: dict[str, np.ndarray] = {}

    def description(self) -> Description:
        network = self.network
        objects = [self._object(obj) for obj in self.objects]
        text = {
            "format": FORMAT,
            "version": VERSION,
            "face": self._face(),
            "name": network.name,
            "t": number_to_data(network.t_),
            "spike_times": network.spike_times,
            "schedule": network.schedule,
            "members": [self._member(obj) for obj in self.members],
            "clocks": [
                {"name": c.name, "dt": number_to_data(c.dt_), "timestep": int(c.timestep)}
                for c in self.clocks
            ],
            "functions": self.functions.data,
            "objects": objects,
        }
        return Description(text, {**self.functions.arrays, **self.arrays})

    def _face(self) -> str:
        faces = {obj.semantics.name for obj in self.objects if isinstance(obj, Group)}
        if len(faces) > 1:
            raise SetupError(
                f"the network has objects of {' and of '.join(sorted(faces))}",
                hint="Import everything from eccles, or everything from eccles.brian2.",
            )
        return faces.pop() if faces else self.network.semantics.name

    def _member(self, obj: SimulationObject) -> list[int]:
        """The number of an object; or of the object that made it, and its number among its parts."""
        owner = _owner(obj)
        if owner is obj:
            return [self.numbers[id(obj)]]
        return [self.numbers[id(owner)], [id(part) for part in owner.contained_objects].index(id(obj))]

    def _clock(self, obj: SimulationObject) -> int:
        for k, clock in enumerate(self.clocks):
            if clock is obj.clock:
                return k
        self.clocks.append(obj.clock)
        return len(self.clocks) - 1

    # -- objects ----------------------------------------------------------------------------------

    def _object(self, obj: SimulationObject) -> dict[str, Any]:
        kind = self._kind(obj)
        data = {"kind": kind, **self._common(obj)}
        if isinstance(obj, SpikeSource):
            data["spike_times"] = obj.spike_times
        match obj:
            case NeuronGroup():
                data |= self._neurons(obj)
            case Synapses():
                data |= self._synapses(obj)
            case PoissonGroup():
                data |= self._poisson_group(obj)
            case SpikeGeneratorGroup():
                data["N"] = len(obj)
            case PoissonInput():
                data |= self._poisson_input(obj)
            case Subgroup():
                data |= {"of": self.numbers[id(obj.whole)], "start": int(obj.start), "stop": int(obj.stop)}
        if isinstance(obj, SpikeSource | Synapses):
            runners = [part for part in obj.contained_objects if isinstance(part, Attached)]
            data["runners"] = [self._runner(runner) for runner in runners]
        self._state(f"{self.numbers[id(obj)]}", obj)
        return data

    def _kind(self, obj: SimulationObject) -> str:
        if type(obj) is Subgroup:
            return SUBGROUP
        semantics = obj.semantics
        for kind, cls in CLASSES.items():
            if type(obj) is in_face(cls, semantics) and semantics.name in FACES:
                return kind
        raise _refuse(obj)

    def _state(self, key: str, obj: SimulationObject) -> None:
        for name, array in obj.full_state().items():
            self.arrays[f"{key}/{name}"] = array

    def _common(self, obj: SimulationObject) -> dict[str, Any]:
        data: dict[str, Any] = {
            "name": obj.name, "clock": self._clock(obj), "when": obj.when, "order": int(obj.order),
            "active": bool(obj.active),
        }  # fmt: skip
        if isinstance(obj, Group):
            data["namespace"] = self._namespace(obj)
        return data

    def _namespace(self, group: Group) -> dict[str, Any]:
        """What the names in the model text of a group stand for, but for what they always do."""
        if group.deferred_errors:
            raise group.deferred_errors[0]
        chain = Namespace(group.namespace if group.namespace is not None else self.values, group=group.name)
        meanings: dict[str, Any] = {}
        for name in set().union(*group.identifiers()):
            found = group.external_function(name)
            found = chain.lookup(name) if found is None else found
            if found is not None and not (isinstance(found, Symbol) and found == default_symbol(name)):
                meanings[name] = found
        return self.functions.names_to_data(meanings, group.name)

    def _neurons(self, group: NeuronGroup) -> dict[str, Any]:
        refractory = group.refractory
        if refractory is not None and not isinstance(refractory, str):
            refractory = None if refractory is False else {"seconds": number_to_data(float(refractory))}
        return {
            "N": len(group),
            "equations": _equations(group.user_equations, group.name),
            "float32": _float32(group),
            "method": _method(group.method, group.name),
            "method_options": {k: number_to_data(v) for k, v in sorted(group.method_options.items())},
            "events": [[str(event), str(condition)] for event, condition in group.events.items()],
            "event_schedule": [[e, when, int(order)] for e, (when, order) in group.event_schedule.items()],
            "has_threshold": "lastspike" in group.variable_names(),
            "reset": group.reset_text,
            "refractory": refractory,
            "links": [self._link(group, name, link) for name, link in group.links().items()],
        }

    def _link(self, group: NeuronGroup, name: str, link: Any) -> dict[str, Any]:
        index = link.given_index
        if isinstance(index, np.ndarray):
            self.arrays[f"{self.numbers[id(group)]}/link {name}"] = index
            index = None
            indexed = True
        else:
            indexed = False
        return {
            "name": name, "group": self.numbers[id(link.source)], "variable": link.name,
            "index": index, "indexed": indexed,
        }  # fmt: skip

    def _synapses(self, synapses: Synapses) -> dict[str, Any]:
        pathways = synapses.pathways()
        for k, pathway in enumerate(pathways):
            self._state(f"{self.numbers[id(synapses)]}/pathway {k}", pathway)
        return {
            "source": self.numbers[id(synapses.source)],
            "target": self.numbers[id(synapses.target)],
            "equations": _equations(synapses.user_equations, synapses.name),
            "float32": _float32(synapses),
            "method": _method(synapses.method, synapses.name),
            "multisynaptic_index": synapses.multisynaptic_index,
            "pathways": [self._pathway(pathway) for pathway in pathways],
        }

    def _pathway(self, pathway: Pathway) -> dict[str, Any]:
        return {
            **self._common(pathway), "pathway": pathway.pathway_name, "side": pathway.side,
            "text": pathway.code, "event": pathway.event,
            "delay": None if pathway.one_delay is None else number_to_data(pathway.one_delay),
        }  # fmt: skip

    def _runner(self, runner: Attached) -> dict[str, Any]:
        return {
            **self._common(runner),
            "text": statements_to_text(runner.statements, runner.name),
            "event": runner.event if isinstance(runner, EventRunner) else None,
        }

    def _poisson_group(self, group: PoissonGroup) -> dict[str, Any]:
        trees = list(group.trees())
        rates = None
        if trees:
            rates = same_when_read(str(trees[0]), trees[0], parse_expression, f"the rates of {group.name}")
        return {"N": len(group), "rates": rates}

    def _poisson_input(self, poisson: PoissonInput) -> dict[str, Any]:
        text = poisson.contained_objects
        weight = poisson.weight if isinstance(poisson.weight, str) else number_to_data(float(poisson.weight))  # type: ignore[arg-type]
        return {
            "target": self.numbers[id(poisson.target)], "variable": poisson.target_var, "N": int(poisson.N),
            "rate": number_to_data(float(poisson.rate)),  # type: ignore[arg-type]
            "weight": {"text": weight, **self._common(text[0])} if text else {"number": weight},
        }  # fmt: skip


def _equations(equations: Equations, owner: str) -> str:
    return same_when_read(str(equations), equations, Equations, f"the model of {owner}")


def _float32(group: Group) -> list[str]:
    """The variables that are stored in 4 bytes because the user has asked for it."""
    return sorted(v.name for v in group.variables() if v.array.data.dtype == np.float32)


def _method(method: Any, owner: str) -> Any:
    """A method of integration: a name, several names, or the text of an explicit method."""
    if method is None or isinstance(method, str):
        return method
    if isinstance(method, list | tuple):
        return [_method(one, owner) for one in method]
    for name, known in INTEGRATORS.items():
        if method is known:
            return name
    if isinstance(method, ExplicitIntegrator) and method.is_text:
        return {
            "description": method.description, "stochastic": method.stochastic,
            "name": method.name, "summary": method.summary,
        }  # fmt: skip
    raise SetupError(
        f"the method of {owner} is an object with Python code, which cannot be described as data",
        hint="Name a method, or give an ExplicitStateUpdater that has no custom_check.",
    )
