"""What a model that is swept hands to `run()`: the network, and what is recorded in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eccles.errors import SetupError, nearest
from eccles.monitors import EventMonitor, PopulationRateMonitor, StateMonitor
from eccles.objects import magic
from eccles.objects.group import Group, SimulationObject
from eccles.objects.memento import Memento
from eccles.objects.network import Network
from eccles.objects.synapses import Synapses
from eccles.sweeps.record import Record, record_of_monitor, records_of
from eccles.sweeps.recorders import Recorder

__all__ = ["Capture", "Refused"]

Monitor = EventMonitor | StateMonitor | PopulationRateMonitor


class Refused(SetupError):
    """A run that no sweep can do."""


class Capture:
    """Takes over the network that a model is about to run.

    Parameters
    ----------
    record : text, Record, list or dict of these, or None
        As `sweep` takes it.
    seed : int
        Of the first condition.

    Attributes
    ----------
    network : Network or None
        The objects of the model, without its monitors but with what records; None as long as it has not
        called run().
    seconds : list of float
        How long each of its runs is.
    records : dict of str to Record
    recorders : dict of str to Recorder
    """

    def __init__(self, record: Any, seed: int) -> None:
        self._record = record
        self._seed = seed
        self._members: list[SimulationObject] = []
        self._given: object = None
        self._start: Memento | None = None
        self.network: Network | None = None
        self.seconds: list[float] = []
        self.records: dict[str, Record] = {}
        self.recorders: dict[str, Recorder] = {}

    def on_run(self, network: Network, seconds: float, namespace: Any, level: int) -> None:
        """Take the place of a run of the model."""
        names = namespace if namespace is not None else magic.users_names(level)
        if self.network is None:
            own = self.network = self._take(network, names)
            with magic.random_numbers(self._seed), magic.given_names(names):
                # without advice: numbers are those of one condition of many
                own.get_ready(seconds, names, advise=False)
            self._given = self._what_stays()
            self._start = Memento(own, self.recorders)
        else:
            self._check_same(network)
        self.seconds.append(seconds)

    def put_back(self) -> None:
        """Undo what the model has done after its first run."""
        if self._start is not None:
            self._start.put_back()

    def _take(self, network: Network, names: Mapping[str, Any]) -> Network:
        members = network._everything()
        monitors = [m for m in members if isinstance(m, Monitor)]
        self._members = [obj for obj in network.objects if obj not in monitors]
        own = Network(self._members, namespace=network.namespace, spike_times=network.spike_times)
        own.schedule = network.schedule
        called = {id(value): name for name, value in names.items() if isinstance(value, SimulationObject)}

        def find(name: str) -> Any:
            for obj in own._everything():
                if called.get(id(obj)) == name or obj.name == name:
                    return obj
            found = names.get(name)
            if isinstance(found, SimulationObject) and found not in monitors:
                return found  # a part of a group
            known = {called.get(id(obj), obj.name) for obj in own._everything()}
            near = nearest(name, known)
            raise SetupError(
                f"the model has no object '{name}'" + (f"; did you mean '{near}'?" if near else ""),
                hint=f"There are {', '.join(sorted(known))}.",
            )

        given = self._record
        if given is None:
            given = [
                r for m in monitors for r in record_of_monitor(m, called.get(id(m.source)) or m.source.name)
            ]
            if not given:
                raise SetupError(
                    "nothing is recorded",
                    hint='Say what in the call, as in record="S.w", or make a monitor in the model.',
                )
        self.records = records_of(given)
        self.recorders = {name: r.attach(find) for name, r in self.records.items()}
        for recorder in self.recorders.values():
            own.add(*recorder.objects)
        return own

    def _check_same(self, network: Network) -> None:
        """Between runs, a model may change what a condition can set, and nothing else."""
        members = [obj for obj in network.objects if not isinstance(obj, Monitor)]
        if {id(obj) for obj in members} != {id(obj) for obj in self._members}:
            raise Refused(
                "a model that is swept runs the same objects each time",
                hint="Make all objects before the first run, and let weights or rates be 0 until they count.",
            )
        if self._what_stays() != self._given:
            raise Refused(
                "between two runs, a model that is swept can change variables, delays, spikes and stimuli "
                "only",
                hint="It has changed constants, connections, the order or activity of an object, or a time "
                "step. Let the equations have a parameter for it, and set that.",
            )

    def _what_stays(self) -> object:
        """What no setting changes."""
        assert self.network is not None
        recorded = {id(obj) for recorder in self.recorders.values() for obj in recorder.objects}
        return [
            (
                obj.name, obj.active, obj.when, obj.order, obj.clock.dt_,
                len(obj) if isinstance(obj, Synapses) else obj.structure_version,
                {n: getattr(s, "value", None) for n, s in obj.external_items()}
                if isinstance(obj, Group) else None,
            )
            for obj in self.network._everything() if id(obj) not in recorded
        ]  # fmt: skip
