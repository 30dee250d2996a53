"""A network: objects that run together, one native program for all of them.

The program depends on the structure of the objects only and is kept until that changes, so that running
on, or running with other values, costs no new build. Time belongs to the network: an object that was
made later starts at the network's time.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from eccles.compile.pipeline import compile_program
from eccles.engine.clock import Clock, n_steps, to_seconds
from eccles.engine.components import LARGEST, connected
from eccles.engine.instants import Instants
from eccles.engine.loop import Runner
from eccles.engine.program import EARLIEST, Block, Part, ProgramBuilder
from eccles.errors import EcclesError, RunError, SetupError, nearest, warn
from eccles.objects import advice, magic, snapshot
from eccles.objects.finite import FiniteCheck
from eccles.objects.group import Group, SimulationObject
from eccles.objects.interrupt import Interrupt
from eccles.objects.neurons import NeuronGroup
from eccles.objects.operations import NetworkOperation
from eccles.objects.pathway import Pathway
from eccles.objects.progress import make_report
from eccles.objects.semantics import ECCLES, Semantics
from eccles.objects.sources import SpikeSource
from eccles.objects.swept import tracer
from eccles.objects.synapses import Synapses
from eccles.objects.timing import SpikeTimes, Timing, checked_spike_times, main_clock
from eccles.units import Quantity, second

__all__ = ["BrianObjectException", "MagicError", "MagicNetwork", "Network", "restore", "run", "stop", "store"]

DEFAULT_SCHEDULE = ("start", "groups", "thresholds", "synapses", "resets", "end")


KEPT_STATE = 2**20  # bytes of state that are copied before each run, for `explain`


@dataclass(frozen=True)
class LastRun:
    """The last run of a network: who took part, from when, how long, and the state before."""

    objects: list[SimulationObject]
    start: float
    duration: float
    before: dict[str, dict[str, np.ndarray]] | None


@dataclass(frozen=True)
class Ready:
    """A network that could run now: who takes part, the program, and the step at which each clock stops."""

    objects: list[SimulationObject]
    runner: Runner | None
    clocks: list[Clock]
    ends: list[int]


class MagicError(SetupError):
    """`run()` cannot know which objects belong together."""


class BrianObjectException(EcclesError):
    """What scripts written for Brian 2 catch: an object could not be run; the cause is `__cause__`."""


class Network:
    """Objects that run together.

    Parameters
    ----------
    *objects : object, or list, dict or other container of objects
        What takes part; objects that belong to these (pathways, `run_regularly` code) come along.
    name : str, optional
    spike_times : {'precise', 'grid'}, optional
        Whether spikes have exact times or come at the ends of time steps, where an object does not say;
        by default as the face has it: `eccles` precise, `eccles.brian2` grid.
    """

    semantics: Semantics = ECCLES
    # called with the network and its objects between building and running; `eccles show` stops there
    on_built: ClassVar[Callable[[Network, list[SimulationObject]], None] | None] = None

    def __init__(
        self,
        *objects: Any,
        name: str = "network*",
        namespace: Mapping[str, Any] | None = None,
        spike_times: SpikeTimes | None = None,
    ) -> None:
        self._spike_times: SpikeTimes | None = checked_spike_times(spike_times)
        self._timing: Timing | None = None
        self.name = name.removesuffix("*")
        self.objects: list[SimulationObject] = []
        self.namespace = namespace
        self._schedule = DEFAULT_SCHEDULE
        self._t = 0.0
        self._stop = False
        self._running: list[Clock] | None = None  # the clocks, during a run
        self._plan: Runner | None = None
        self._plan_key: object = None
        self._snapshots: dict[str, dict[str, Any]] = {}
        self.last_run: LastRun | None = None
        self.add(*objects)

    # -- membership -----------------------------------------------------------------------------

    def add(self, *objects: Any) -> None:
        """Add objects (or containers of them)."""
        for obj in _flatten(objects):
            if obj.network is not None and obj.network() is not self:
                raise RuntimeError(
                    f"{obj.name} has already been run in another network and cannot be added to this one"
                )
            if obj not in self.objects:
                self.objects.append(obj)

    def remove(self, *objects: Any) -> None:
        """Take objects out."""
        for obj in _flatten(objects):
            if obj in self.objects:
                self.objects.remove(obj)

    def _everything(self) -> list[SimulationObject]:
        """The objects and all that come along with them, each once."""
        found: list[SimulationObject] = []
        seen: set[int] = set()
        waiting = list(self.objects)
        while waiting:
            obj = waiting.pop(0)
            if id(obj) not in seen:
                seen.add(id(obj))
                found.append(obj)
                waiting = [*obj.contained_objects, *waiting]
        return found

    def __contains__(self, item: Any) -> bool:
        return any(obj is item or obj.name == item for obj in self._everything())

    def __getitem__(self, name: str) -> SimulationObject:
        for obj in self._everything():
            if obj.name == name:
                return obj
        near = nearest(str(name), [obj.name for obj in self._everything()])
        raise KeyError(f"no object called '{name}'" + (f"; did you mean '{near}'?" if near else ""))

    def __delitem__(self, name: str) -> None:
        obj = self[name]
        if obj not in self.objects:
            raise KeyError(f"'{name}' belongs to another object and cannot be removed alone")
        self.remove(obj)

    def __iter__(self) -> Iterator[SimulationObject]:
        return iter(self.objects)

    def __len__(self) -> int:
        return len(self.objects)

    @property
    def sorted_objects(self) -> list[SimulationObject]:
        """All objects in the order in which they run within a time step."""
        return sorted(self._everything(), key=lambda o: (self._slot(o.when), o.order, o.name))

    # -- time -----------------------------------------------------------------------------------

    @property
    def t(self) -> Quantity:
        """The time of the network."""
        return Quantity(self.t_, dim=second.dim)

    @property
    def t_(self) -> float:
        """The time of the network in seconds."""
        if self._running:  # asked from a network operation
            return max(self._t, min(clock.t_ for clock in self._running))
        return self._t

    def _check_not_running(self, what: str) -> None:
        if self._running is not None:
            raise RunError(f"a network operation cannot {what} the network that runs it")

    @property
    def spike_times(self) -> SpikeTimes | None:
        """'precise' or 'grid' where objects do not say themselves; None for what the face has."""
        return self._spike_times

    @spike_times.setter
    def spike_times(self, value: Any) -> None:
        self._spike_times = checked_spike_times(value)

    def _decide_timing(self, everything: list[SimulationObject]) -> Timing | None:
        """Which objects have exact spike times from now on."""
        sources = [obj for obj in everything if isinstance(obj, SpikeSource) and obj.whole is obj]
        clock = main_clock(sources, self.spike_times)
        now, before = clock is not None, self._timing is not None
        if self._t > 0 and self.last_run is not None and now != before and sources:
            raise SetupError(
                "a network that has run cannot change between exact spike times and the time grid",
                hint="Choose spike_times before the first run, or make a new network.",
            )
        if clock is None:
            self._timing = None
        elif self._timing is None or self._timing.clock is not clock:
            self._timing = Timing(Instants(clock), network=self.spike_times)
        else:
            self._timing.network = self.spike_times
        for obj in everything:
            obj._timing = self._timing
        return self._timing

    @property
    def schedule(self) -> list[str]:
        """The slots of a time step, in order."""
        return list(self._schedule)

    @schedule.setter
    def schedule(self, slots: Iterable[str]) -> None:
        slots = tuple(slots)
        if not slots or not all(isinstance(slot, str) and slot for slot in slots):
            raise TypeError("a schedule is a sequence of names of slots")
        for slot in slots:
            if slot.startswith(("before_", "after_")):
                raise SetupError(
                    f"'{slot}' cannot be a slot: before_ and after_ exist for every slot by themselves"
                )
        self._schedule = slots
        self._plan_key = None

    def _slot(self, when: str) -> int:
        """The place of a slot in the time step."""
        if when == EARLIEST:
            return -2
        shift, stem = 0, when
        if when.startswith("before_"):
            shift, stem = -1, when[7:]
        elif when.startswith("after_"):
            shift, stem = 1, when[6:]
        if stem not in self._schedule:
            raise SetupError(
                f"there is no slot '{when}' in the schedule",
                hint=f"Slots: {', '.join(self._schedule)}, each also with before_ and after_.",
            )
        return 3 * self._schedule.index(stem) + shift

    # -- running --------------------------------------------------------------------------------

    def run(
        self,
        duration: Quantity,
        report: Any = None,
        report_period: Quantity = 10 * second,
        namespace: Mapping[str, Any] | None = None,
        profile: bool | None = None,
        level: int = 0,
    ) -> None:
        """Simulate.

        Parameters
        ----------
        duration : time
            How long; rounded to time steps.
        report : {'text', 'bar', 'stderr', None} or callable, optional
            Progress. A callable gets `(elapsed, completed, start, duration)`: seconds, a fraction, times.
        report_period : time, optional
            How often a text report comes.
        namespace : dict, optional
            Values for names in model text instead of those of the calling script.

        Raises
        ------
        SetupError
            If the duration is negative or objects do not fit together.
        """
        self._check_not_running("run")
        seconds = to_seconds(duration, "the duration of a run")
        if seconds < 0:
            raise SetupError(f"the duration of a run cannot be negative ({duration})")
        if seconds == float("inf"):
            raise SetupError("the duration of a run has to be finite")
        sweep = tracer()
        if sweep is not None:
            sweep.run(self, seconds, namespace if namespace is not None else self.namespace, level)
            return
        ready = self.get_ready(seconds, namespace, level, python=callable(report))
        if Network.on_built is not None:
            Network.on_built(self, ready.objects)
        self.last_run = self._note(ready.objects, seconds)
        for obj in ready.objects:
            obj.network = weakref.ref(self)
        check = FiniteCheck(ready.objects, self._t, self.last_run.before)
        self._run(ready, seconds, report, report_period, check)
        for obj in ready.objects:
            obj.after_run()

    def get_ready(
        self,
        seconds: float,
        namespace: Mapping[str, Any] | None = None,
        level: int = 0,
        *,
        python: bool = False,
        again: bool = False,
        advise: bool = True,
    ) -> Ready:
        """Check everything for a run of so many seconds, and have its program made.

        Parameters
        ----------
        namespace : mapping, optional
            As in `run`.
        python : bool
            Whether Python code is going to be called within the run.
        again : bool
            Whether that has been done before: names stand for what they stood for then.
        advise : bool
            Whether to look for models that mean nothing.
        """
        members = self._everything()
        everything = [obj for obj in members if obj.active]
        idle = [obj for obj in members if not obj.active and obj.idle_blocks()]
        self._check_members(everything, members)
        if namespace is not None and not isinstance(namespace, Mapping):
            raise TypeError(f"a namespace is a dict of names and values, not {namespace!r}")
        outer = namespace if namespace is not None else self.namespace
        names = None if again else outer if outer is not None else magic.users_names(level)
        clocks = self._set_clocks([*everything, *idle])
        self._decide_timing([*everything, *idle])
        if python or any(isinstance(obj, NetworkOperation) for obj in everything):
            for obj in everything:
                obj.expect_python()
        for obj in everything:
            self._guarded(obj, lambda o=obj: o.before_run(names, seconds))
        if advise:
            advice.before_first_run(everything)
        runner = self._prepare(everything, clocks, idle)
        if advise and self._timing is not None:
            advice.before_run_in_exact_time(self._timing, everything)
        return Ready(everything, runner, clocks, [self._end(clock, seconds) for clock in clocks])

    def _note(self, everything: list[SimulationObject], seconds: float) -> LastRun:
        """What `explain` needs to know of a run that is about to begin."""
        groups = [obj for obj in everything if isinstance(obj, Group)]
        small = sum(v.array.data.nbytes for g in groups for v in g.variables()) < KEPT_STATE
        before = {obj.name: obj.run_state() for obj in groups} if small else None
        return LastRun(everything, self._t, seconds, before)

    def rerun(self, objects: list[SimulationObject], last: LastRun) -> None:
        """Do a run again with these objects, whose state has been put back to its beginning."""
        now, plan, key = self._t, self._plan, self._plan_key
        self._t = last.start
        try:
            clocks = self._set_clocks(objects)
            for obj in objects:
                obj.before_run(None, last.duration)
            runner = self._prepare(objects, clocks)
            if runner is not None:
                runner.run(
                    [self._end(clock, last.duration) for clock in clocks], stop_requested=lambda: False
                )
        finally:
            self._t, self._plan, self._plan_key = now, plan, key
            self._set_clocks(objects)

    def _run(
        self,
        ready: Ready,
        seconds: float,
        report: Any,
        report_period: Quantity,
        check: FiniteCheck,
    ) -> None:
        self._stop = False
        everything, runner, ends = ready.objects, ready.runner, ready.ends
        start = self._t
        clocks = runner.loop.clocks if runner is not None else []
        progress = make_report(report, to_seconds(report_period, "the report period"), start, seconds)

        def between() -> None:
            reached = min(clock.t_ for clock in clocks)
            if reached < start + seconds:
                progress.update((reached - start) / seconds)
            check.look(reached, last=False)

        complete = runner is None or seconds == 0
        interrupt = Interrupt()
        structure = [obj.structure_version for obj in everything]

        def stop_requested() -> bool:
            if [obj.structure_version for obj in everything] != structure:
                raise RunError(
                    "a network operation has changed connections or links, which is possible only "
                    "between runs",
                    hint="Run in pieces, and change them in between.",
                )
            return self._stop or interrupt.requested

        self._running = clocks
        try:
            if runner is not None and seconds > 0:
                with interrupt:
                    complete = runner.run(ends, stop_requested=stop_requested, between=between)
        finally:
            self._running = None
            # stopped early, the next step of any clock is where to go on
            self._t = (
                self._end_time(start + seconds, clocks)
                if complete
                else max(start, min(clock.t_ for clock in clocks))
            )
            progress.close(self._t - start)
        if seconds > 0:
            check.look(self._t, last=True)
        if interrupt.requested:
            warn(
                "interrupted", f"the run was interrupted at t = {self.t}; everything recorded so far is kept"
            )

    def _end_time(self, end: float, clocks: list[Clock]) -> float:
        """The end of a run: as a number of steps if it is one, so that no error builds up."""
        for clock in clocks:
            if abs(clock.t_ - end) < 1e-6 * clock.dt_:
                return clock.t_
        return end

    def _end(self, clock: Clock, seconds: float) -> int:
        return max(n_steps(self._t + seconds, clock.dt_), clock.timestep)

    def _set_clocks(self, everything: list[SimulationObject]) -> list[Clock]:
        """The clocks of the objects, set to the network's time."""
        clocks: list[Clock] = []
        for obj in everything:
            if obj.clock not in clocks:
                clocks.append(obj.clock)
        for clock in clocks:
            clock.timestep = n_steps(self._t, clock.dt_)
        return clocks

    def _check_members(self, everything: list[SimulationObject], members: Iterable[SimulationObject]) -> None:
        names: dict[str, SimulationObject] = {}
        ids = {id(obj) for obj in members}
        for obj in everything:
            if obj.name in names:
                raise SetupError(f"two objects of this network are called '{obj.name}'")
            names[obj.name] = obj
            for needed in obj.needs:
                if id(needed) not in ids:
                    raise SetupError(
                        f"{obj.name} needs {needed.name}, which is not in the network",
                        hint=self._how_to_add(needed),
                    )
            if isinstance(obj, Group) and obj.semantics.name != everything[0].semantics.name:
                raise SetupError(
                    f"{obj.name} was made with {obj.semantics.name}, {everything[0].name} with "
                    f"{everything[0].semantics.name}: one network takes objects of one of them",
                    hint="Import everything from eccles, or everything from eccles.brian2.",
                )

    def _how_to_add(self, needed: SimulationObject) -> str:
        return f"Add {needed.name} to the network too."

    def _guarded(self, obj: SimulationObject, do: Callable[[], Any]) -> Any:
        """Run; in the compatible face errors are wrapped as scripts written for Brian 2 expect."""
        try:
            return do()
        except (EcclesError, TypeError, KeyError, IndexError, NotImplementedError) as error:
            if obj.semantics.check == "run" and not isinstance(error, BrianObjectException):
                raise BrianObjectException(f"'{obj.name}' cannot be run: {error}") from error
            raise

    # -- the program ----------------------------------------------------------------------------

    @property
    def runner(self) -> Runner | None:
        """What runs the program that was made last."""
        return self._plan

    def _prepare(
        self,
        everything: list[SimulationObject],
        clocks: list[Clock],
        idle: Sequence[SimulationObject] = (),
    ) -> Runner | None:
        """The program for the network as it is now: the last one, if nothing has changed."""

        def key() -> object:
            structure = tuple((id(obj), obj.structure()) for obj in (*everything, *idle))
            mode = (id(self._timing), self.spike_times)
            return (structure, len(idle), tuple(id(clock) for clock in clocks), self._schedule, mode)

        if self._plan is not None and key() == self._plan_key:
            return self._plan
        blocks = self.blocks(everything, idle)
        if not blocks:
            return None
        builder = ProgramBuilder(clocks, None if self._timing is None else self._timing.instants)
        self.loop = loop = builder.build(blocks)
        self._plan = Runner(loop, compile_program(loop.program))
        self._plan_key = key()
        self._kept = [*everything, *idle]  # ids in the key stay valid as long as the objects live
        return self._plan

    def blocks(
        self, everything: list[SimulationObject], idle: Sequence[SimulationObject] = ()
    ) -> list[Block]:
        """The blocks of all objects, in schedule order."""
        writes = frozenset(id(array) for obj in everything for array in obj.writes())
        timing = self._timing
        if timing is not None:
            timing.begin([*everything, *idle], lambda: connected_neurons(everything))
        blocks: list[Block] = []
        # pathways last: how their targets are followed decides how input reaches them
        for obj in sorted(everything, key=lambda obj: isinstance(obj, Pathway)):
            blocks += self._guarded(obj, lambda o=obj: o.blocks(writes))
        for obj in idle:
            blocks += obj.idle_blocks()
        if timing is not None:
            timing.divide()
            blocks += timing.blocks()
            for block in blocks:
                if block.part is None:
                    before = self._slot(block.when) <= self._slot("after_groups")
                    block.part = Part.BEFORE if before else Part.AFTER
        return sorted(
            blocks, key=lambda block: (block.part or 0, self._slot(block.when), block.order, block.owner)
        )

    def scheduling_summary(self) -> str:
        """A table of what runs when within a time step."""
        rows = [
            ("object", "part of", "clock", "when", "order"),
            *(
                (obj.name, type(obj).__name__, f"{obj.clock.dt}", obj.when, str(obj.order))
                for obj in self.sorted_objects
            ),
        ]
        widths = [max(len(row[k]) for row in rows) for k in range(5)]
        return "\n".join(
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    def stop(self) -> None:
        """End the run after the current time step."""
        self._stop = True

    # -- state ----------------------------------------------------------------------------------

    def store(self, name: str = "default", filename: Any = None) -> None:
        """Keep the whole state (variables, spikes in flight, monitors, time) for `restore`.

        Parameters
        ----------
        name : str, optional
            Several states can be kept under different names.
        filename : path, optional
            Write to a file (NPZ with JSON; it holds data only and is safe to open) instead of memory.
        """
        self._check_not_running("store")
        if not isinstance(name, str):
            raise TypeError(f"the name of a stored state has to be text, not {name!r}")
        state = snapshot.take(self._everything(), self._t)
        if filename is None:
            self._snapshots[name] = state
        else:
            snapshot.write(filename, name, state)

    def restore(
        self, name: str = "default", filename: Any = None, restore_random_state: bool = False
    ) -> None:
        """Go back to a state kept by `store`.

        Parameters
        ----------
        name, filename
            As for `store`.
        restore_random_state : bool, optional
            Repeat the random numbers too, so that the run goes on exactly as it did; by default they are
            new ones, and trials from one state differ.

        Raises
        ------
        KeyError
            If there is no state of this name, or an object was not there when it was stored.
        SetupError
            If the file is damaged or the state does not fit the objects; nothing has been changed then.
        """
        self._check_not_running("restore")
        if filename is not None:
            state = snapshot.read(filename, name)
        elif name in self._snapshots:
            state = self._snapshots[name]
        else:
            raise KeyError(f"no state was stored under the name '{name}'")
        self._t = snapshot.put_back(self._everything(), state, restore_random_state)

    def get_states(
        self,
        units: bool = True,
        format: str = "dict",
        subexpressions: bool = False,
        read_only_variables: bool = True,
        level: int = 0,
    ) -> dict[str, Any]:
        """The variables of all groups: object name -> variable name -> values."""
        return {
            obj.name: obj.get_states(
                units=units, format=format, subexpressions=subexpressions,
                read_only_variables=read_only_variables,
            )
            for obj in self._everything() if isinstance(obj, Group) and obj.has_state
        }  # fmt: skip

    def set_states(
        self, values: Mapping[str, Any], units: bool = True, format: str = "dict", level: int = 0
    ) -> None:
        """Set variables of several groups, as `get_states` returns them."""
        for name, states in values.items():
            obj = self[name]
            assert isinstance(obj, Group)
            obj.set_states(
                {n: v for n, v in states.items() if obj.is_writable(n)}, units=units, format=format
            )

    def __repr__(self) -> str:
        return f"<Network of {len(self.objects)} objects at t = {self.t}>"


def _flatten(objects: Iterable[Any]) -> Iterator[SimulationObject]:
    for obj in objects:
        if isinstance(obj, SimulationObject):
            yield obj
        elif isinstance(obj, Mapping):
            yield from _flatten(obj.values())
        elif isinstance(obj, str) or not isinstance(obj, Iterable):
            raise TypeError(f"a network takes objects and containers of objects, not {obj!r}")
        else:
            yield from _flatten(obj)


def connected_neurons(objects: Iterable[SimulationObject]) -> list[np.ndarray] | None:
    """The connected component of each neuron, group by group; None if one of them is too large."""
    objects = list(objects)
    groups = [obj for obj in objects if isinstance(obj, NeuronGroup)]
    synapses = [obj for obj in objects if isinstance(obj, Synapses)]
    n = sum(len(group) for group in groups)
    if not groups or sum(len(s) for s in synapses) > LARGEST * n:
        return None
    bounds = np.cumsum([0, *(len(group) for group in groups)])
    first = {id(group): int(bound) for group, bound in zip(groups, bounds[:-1], strict=True)}
    pairs = [
        (
            s.connections.sources() + (first[id(s.source.whole)] + s.source.start),
            s.connections.targets() + (first[id(s.target.whole)] + s.target.start),
        )
        for s in synapses
    ]
    component = connected(n, pairs)
    if np.bincount(component).max() > LARGEST:
        return None
    return [component[a:b] for a, b in pairwise(bounds)]


class MagicNetwork(Network):
    """The network of `run()`: the objects that the calling script has names for."""

    def __init__(self) -> None:
        super().__init__(name="magicnetwork")
        self._scope = -1

    def gather(self, level: int = 0) -> None:
        """Collect the objects of the calling script.

        Raises
        ------
        MagicError
            If some of them have been run and others not, so that it is unclear what time it is for them.
        """
        objects = magic.collect(level)
        if self._scope != magic.scope_number():
            self._reset()
        counted = [obj for obj in objects if obj.invalidates_magic_network]
        members = {id(obj) for obj in self.objects}
        known = [
            obj for obj in counted
            if id(obj) in members or (obj.network is not None and obj.network() is self)
        ]  # fmt: skip
        has_run = any(obj.network is not None for obj in known)
        foreign = [obj for obj in objects if obj.network is not None and obj.network() is not self]
        objects = [obj for obj in objects if obj not in foreign]
        counted = [obj for obj in counted if obj not in foreign]
        if not known:
            self._reset()
        elif has_run and len(known) != len(counted):
            new = ", ".join(obj.name for obj in counted if obj not in known)
            raise MagicError(
                f"some objects have been run already and others ({new}) have not, so run() cannot tell "
                f"whether to go on or to begin anew",
                hint="Call start_scope() to begin anew, or make a Network of the objects yourself.",
            )
        self.objects = objects

    def _how_to_add(self, needed: SimulationObject) -> str:
        return (
            f"run() takes the objects that have a variable of their own where it is called. Give "
            f"{needed.name} one, which a function that makes it has to return; or make a Network(...) "
            f"of all objects."
        )

    def _reset(self) -> None:
        self._scope = magic.scope_number()
        self._t = 0.0
        self.objects = []
        self._plan = None
        self._plan_key = None
        self._snapshots = {}


magic_network = MagicNetwork()


def run(
    duration: Quantity,
    report: Any = None,
    report_period: Quantity = 10 * second,
    namespace: Mapping[str, Any] | None = None,
    profile: bool | None = None,
    level: int = 0,
) -> None:
    """Simulate all objects that the calling script has names for; see `Network.run`.

    Raises
    ------
    MagicError
        If some of the objects have been run before and others not.
    """
    if tracer() is not None:  # a sweep leaves the user's alone
        network = MagicNetwork()
        network.gather(level)
    else:
        network = magic_network
        network.gather(level)
        advice.before_magic_run(network._everything())
    network.run(duration, report, report_period, namespace, profile, level)


def store(name: str = "default", filename: Any = None) -> None:
    """Keep the state of all objects that the calling script has names for; see `Network.store`."""
    _refuse_in_sweep("store()")
    magic_network.gather()
    magic_network.store(name, filename)


def restore(name: str = "default", filename: Any = None, restore_random_state: bool = False) -> None:
    """Go back to a state kept by `store`; see `Network.restore`."""
    _refuse_in_sweep("restore()")
    magic_network.gather()
    magic_network.restore(name, filename, restore_random_state)


def _refuse_in_sweep(call: str) -> None:
    if tracer() is not None:
        raise SetupError(f"{call} has no place in a model that is swept: each condition begins at t = 0")


def stop() -> None:
    """End the current `run()` after the current time step."""
    magic_network.stop()
