"""From a description to a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from eccles.engine.clock import Clock
from eccles.errors import EcclesError, SetupError, unheard
from eccles.integrate import ExplicitIntegrator
from eccles.language.equations import Equations
from eccles.objects import magic
from eccles.objects.description.form import (
    CLASSES,
    FACES,
    FORMAT,
    SUBGROUP,
    VERSION,
    Description,
    damaged,
    number_of,
    take,
)
from eccles.objects.description.functions import FunctionReader
from eccles.objects.group import Group, SimulationObject
from eccles.objects.linked import LinkedVariable
from eccles.objects.naming import these_names
from eccles.objects.network import Network
from eccles.objects.neurons import NeuronGroup
from eccles.objects.semantics import in_face
from eccles.objects.sources import SpikeSource, Subgroup
from eccles.objects.stored import stored_array
from eccles.objects.synapses import Synapses
from eccles.units import Quantity, hertz, second

__all__ = ["rebuild"]

MOST_STEPS = 2**53  # of a clock


def rebuild(description: Description) -> Network:
    """A new network from its description; nothing outside notices that its objects are made.

    Objects have the names that they had, and clocks of their own. No Python code is executed.

    Raises
    ------
    SetupError
        If the description is damaged, or of a newer version.
    """
    with magic.private_scope(), magic.given_names({}), unheard(), _damage():
        return _Reader(description).network()


@contextmanager
def _damage() -> Iterator[None]:
    """Errors within come from a damaged description."""
    try:
        yield
    except SetupError:
        raise
    except (
        EcclesError, KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError,
        NotImplementedError, RecursionError, MemoryError,
    ) as error:  # fmt: skip  # what constructors say of wrong arguments
        raise damaged(f"{error}") from error


@contextmanager
def _lent(group: Group, namespace: dict[str, Any]) -> Iterator[None]:
    """Within, a group gives objects that it makes another namespace than its own."""
    own, group.namespace = group.namespace, namespace
    try:
        yield
    finally:
        group.namespace = own


class _Reader:
    def __init__(self, description: Description) -> None:
        self.text = text = description.text
        if take(text, "format", str) != FORMAT:
            raise damaged(f"its format is '{text['format']}'")
        version = take(text, "version", int)
        if version != VERSION:
            raise SetupError(f"a network is described in version {version}; this Eccles reads {VERSION}")
        face = take(text, "face", str)
        if face not in FACES:
            raise damaged(f"there is no face '{face}'")
        self.semantics = FACES[face]
        self.arrays = description.arrays
        for name, array in self.arrays.items():
            if not isinstance(name, str) or not isinstance(array, np.ndarray) or array.dtype.hasobject:
                raise damaged(f"'{name}' is no array of numbers")
        self.functions = FunctionReader(take(text, "functions", list), self.arrays)
        self.clocks = [self._clock(data) for data in take(text, "clocks", list)]
        self.objects: list[Any] = []

    def network(self) -> Network:
        objects = take(self.text, "objects", list)
        for data in objects:
            self.objects.append(self._object(data))
        for k, obj in enumerate(self.objects):
            self._put_state(f"{k}", obj)
        for k, (obj, data) in enumerate(zip(self.objects, objects, strict=True)):
            if isinstance(obj, NeuronGroup):
                self._link(k, obj, take(data, "links", list))
        network = in_face(Network, self.semantics)(
            *(self._member(where) for where in take(self.text, "members", list)),
            name=take(self.text, "name", str), spike_times=self.text.get("spike_times"),
        )  # fmt: skip
        network.schedule = take(self.text, "schedule", list)
        t = number_of(self.text.get("t"))
        if not 0 <= t < np.inf:
            raise damaged(f"its time is {t} s")
        network._t = t
        return network

    # -- parts ------------------------------------------------------------------------------------

    def _clock(self, data: Any) -> Clock:
        clock = Clock(Quantity(number_of(take(data, "dt", float, int, str)), dim=second.dim))
        clock.name = take(data, "name", str)
        step = take(data, "timestep", int)
        if not 0 <= step < MOST_STEPS:
            raise damaged(f"a clock has done {step} steps")
        clock.timestep = step
        return clock

    def _made(self, number: Any) -> Any:
        """An object that was made already."""
        if not isinstance(number, int) or not 0 <= number < len(self.objects):
            raise damaged(f"there is no object {number!r} where one is needed")
        return self.objects[number]

    def _member(self, where: Any) -> SimulationObject:
        if not isinstance(where, list) or len(where) not in (1, 2):
            raise damaged(f"{where!r} is no member")
        obj = self._made(where[0])
        if len(where) == 1:
            return obj
        parts = obj.contained_objects
        if not isinstance(where[1], int) or not 0 <= where[1] < len(parts):
            raise damaged(f"{obj.name} has no part {where[1]!r}")
        return parts[where[1]]

    def _own_clock(self, data: dict[str, Any]) -> Clock:
        number = take(data, "clock", int)
        if not 0 <= number < len(self.clocks):
            raise damaged(f"there is no clock {number}")
        return self.clocks[number]

    def _names(self, data: dict[str, Any]) -> dict[str, Any]:
        return self.functions.names_of(take(data, "namespace", dict))

    def _follow(self, obj: SimulationObject, data: dict[str, Any]) -> None:
        """What users set on an object after it is made."""
        obj.when, obj.order = take(data, "when", str), take(data, "order", int)
        obj.active = take(data, "active", bool)
        if isinstance(obj, Group) and self.semantics.bind == "run":
            obj.bind({})

    # -- objects ----------------------------------------------------------------------------------

    def _object(self, data: Any) -> SimulationObject:
        makers = {
            "NeuronGroup": self._neurons, "PoissonGroup": self._poisson_group,
            "SpikeGeneratorGroup": self._generator, "Synapses": self._synapses,
            "PoissonInput": self._poisson_input, SUBGROUP: self._subgroup,
        }  # fmt: skip
        kind = take(data, "kind", str)
        if kind not in makers:
            raise damaged(f"there is no kind of object '{kind}'")
        cls = Subgroup if kind == SUBGROUP else in_face(CLASSES[kind], self.semantics)
        obj = makers[kind](cls, data)
        self._follow(obj, data)
        if isinstance(obj, SpikeSource):
            obj.spike_times = data.get("spike_times")
        if isinstance(obj, SpikeSource | Synapses):
            for runner in take(data, "runners", list):
                self._runner(obj, runner)
        return obj

    def _common(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"clock": self._own_clock(data), "namespace": self._names(data), "order": data["order"]}

    def _check_size(self, n: int, variable: str) -> None:
        """Check a size before memory is asked for."""
        found = self.arrays.get(f"{len(self.objects)}/{variable}")
        if found is None or found.shape != (n,):
            raise damaged(f"object {len(self.objects)} has {n} elements, its state has not")

    def _neurons(self, cls: Any, data: dict[str, Any]) -> NeuronGroup:
        n = take(data, "N", int)
        self._check_size(n, "_last_spike")
        events = {_text(event): _text(condition) for event, condition in take(data, "events", list)}
        threshold = events.pop("spike", None) if take(data, "has_threshold", bool) else None
        refractory = data.get("refractory")
        if isinstance(refractory, dict):
            refractory = Quantity(number_of(refractory.get("seconds")), dim=second.dim)
        elif not isinstance(refractory, str | None):
            raise damaged(f"a refractory period is {refractory!r}")
        options = {_text(k): number_of(v) for k, v in take(data, "method_options", dict).items()}
        with these_names(take(data, "name", str)):
            group = cls(
                n, Equations(take(data, "equations", str)), method=_method(data.get("method")),
                method_options=options, threshold=threshold,
                reset=take(data, "reset", str, type(None)),
                refractory=False if refractory is None else refractory, events=events,
                dtype=_dtypes(data), **self._common(data),
            )  # fmt: skip
        for event, when, order in take(data, "event_schedule", list):
            group.set_event_schedule(_text(event), _text(when), _whole(order))
        return group

    def _poisson_group(self, cls: Any, data: dict[str, Any]) -> SimulationObject:
        n = take(data, "N", int)
        self._check_size(n, "_left")
        rates = take(data, "rates", str, type(None))
        with these_names(take(data, "name", str)):
            return cls(n, 0 * hertz if rates is None else rates, **self._common(data))

    def _generator(self, cls: Any, data: dict[str, Any]) -> SimulationObject:
        key, name = len(self.objects), take(data, "name", str)
        indices = stored_array(self.arrays, f"{key}/_indices", name, dtype=np.int64)
        times = stored_array(self.arrays, f"{key}/_times", name, dtype=np.float64, size=len(indices))
        period = self.arrays.get(f"{key}/_period")
        if period is None or period.shape != () or period.dtype != np.float64:
            raise damaged(f"{name} has no period")
        with these_names(name):
            return cls(
                take(data, "N", int), indices, Quantity(times, dim=second.dim), clock=self._own_clock(data),
                period=Quantity(float(period), dim=second.dim), order=data["order"], sorted=True,
            )  # fmt: skip

    def _subgroup(self, cls: Any, data: dict[str, Any]) -> SimulationObject:
        whole = self._made(take(data, "of", int))
        if not isinstance(whole, SpikeSource) or isinstance(whole, Subgroup):
            raise damaged(f"{whole.name} has no parts")
        start, stop = take(data, "start", int), take(data, "stop", int)
        if not 0 <= start < stop <= len(whole):
            raise damaged(f"there is no part {start} to {stop} of {whole.name}")
        with these_names(take(data, "name", str)), _lent(whole, self._names(data)):
            return cls(whole, start, stop)

    def _synapses(self, cls: Any, data: dict[str, Any]) -> SimulationObject:
        pathways = take(data, "pathways", list)
        texts: dict[str, dict[str, str]] = {"pre": {}, "post": {}}
        for p in pathways:
            texts[take(p, "side", str)][take(p, "pathway", str)] = take(p, "text", str)
        common = self._common(data)
        namespaces = [self._names(p) for p in pathways]
        for namespace in namespaces:
            common["namespace"] = namespace | common["namespace"]
        with these_names(take(data, "name", str), *(take(p, "name", str) for p in pathways)):
            synapses = cls(
                self._made(take(data, "source", int)), self._made(take(data, "target", int)),
                Equations(take(data, "equations", str)), on_pre=texts["pre"], on_post=texts["post"],
                delay={
                    p["pathway"]: Quantity(number_of(p["delay"]), dim=second.dim)
                    for p in pathways if p.get("delay") is not None
                },
                on_event={p["pathway"]: take(p, "event", str) for p in pathways},
                multisynaptic_index=take(data, "multisynaptic_index", str, type(None)),
                dtype=_dtypes(data), method=_method(data.get("method")), **common,
            )  # fmt: skip
        if len(synapses.pathways()) != len(pathways):
            raise damaged(f"two pathways of {synapses.name} have one name")
        for pathway, p, namespace in zip(synapses.pathways(), pathways, namespaces, strict=True):
            if pathway.pathway_name != p["pathway"]:
                raise damaged(f"the pathways of {synapses.name} are out of order")
            pathway.namespace = namespace  # what a name stands for may differ between them
            pathway.bind({})
            self._follow(pathway, p)
        return synapses

    def _poisson_input(self, cls: Any, data: dict[str, Any]) -> SimulationObject:
        target = self._made(take(data, "target", int))
        variable, weight = take(data, "variable", str), take(data, "weight", dict)
        names, namespace = [take(data, "name", str)], {}
        if "text" in weight:
            names.append(take(weight, "name", str))
            namespace = self._names(weight)
            given: Any = take(weight, "text", str)
        else:
            symbol = target.symbol(variable)
            if symbol is None:
                raise damaged(f"{target.name} has no variable '{variable}'")
            given = Quantity(number_of(weight.get("number")), dim=symbol.dim)
        with these_names(*names), _lent(target, namespace):
            poisson = cls(
                target, variable, take(data, "N", int),
                Quantity(number_of(data.get("rate")), dim=hertz.dim), given,
            )  # fmt: skip
        if "text" in weight:
            self._follow(poisson.contained_objects[0], weight)
        return poisson

    def _runner(self, group: Any, data: Any) -> None:
        text, event = take(data, "text", str), take(data, "event", str, type(None))
        with these_names(take(data, "name", str)), _lent(group, self._names(data)):
            if event is None:
                runner = group.run_regularly(text, clock=self._own_clock(data))
            else:
                runner = group.run_on_event(event, text)
        self._follow(runner, data)

    # -- state ------------------------------------------------------------------------------------

    def _part(self, key: str) -> dict[str, np.ndarray]:
        """The arrays of one object by their own names."""
        start = f"{key}/"
        return {name[len(start) :]: a for name, a in self.arrays.items() if name.startswith(start)}

    def _put_state(self, key: str, obj: Any) -> None:
        obj.set_full_state(self._part(key))
        if isinstance(obj, Synapses):
            for k, pathway in enumerate(obj.pathways()):
                pathway.set_full_state(self._part(f"{key}/pathway {k}"))

    def _link(self, number: int, group: NeuronGroup, links: list[Any]) -> None:
        for data in links:
            name, index = take(data, "name", str), take(data, "index", str, type(None))
            equation = group.equations.get(name)
            if equation is None or "linked" not in equation.flags:
                raise damaged(f"'{name}' of {group.name} is not declared as linked")
            if take(data, "indexed", bool):
                index = self.arrays.get(f"{number}/link {name}")
                if index is None:
                    raise damaged(f"the index of '{name}' of {group.name} is missing")
            source = self._made(take(data, "group", int))
            setattr(group, name, LinkedVariable(source, take(data, "variable", str), index))


def _text(data: Any) -> str:
    if not isinstance(data, str):
        raise damaged(f"there is {data!r} where text should be")
    return data


def _whole(data: Any) -> int:
    if not isinstance(data, int):
        raise damaged(f"there is {data!r} where a whole number should be")
    return data


def _dtypes(data: dict[str, Any]) -> Mapping[str, Any]:
    return {_text(name): np.float32 for name in take(data, "float32", list)}


def _method(data: Any) -> Any:
    if data is None or isinstance(data, str):
        return data
    if isinstance(data, list):
        return [_method(one) for one in data]
    stochastic = take(data, "stochastic", str, type(None))
    if stochastic not in (None, "additive", "multiplicative"):
        raise damaged(f"noise cannot be {stochastic!r}")
    return ExplicitIntegrator(
        take(data, "description", str), stochastic,
        name=take(data, "name", str), summary=take(data, "summary", str),
    )  # fmt: skip
