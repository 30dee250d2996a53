"""Running conditions one after the other, on objects that are put back to t = 0 each time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from eccles.engine.loop import Runner
from eccles.objects import magic
from eccles.objects.finite import FiniteCheck
from eccles.objects.memento import Memento
from eccles.objects.network import Ready
from eccles.objects.swept import Call
from eccles.sweeps.parameters import Grid
from eccles.sweeps.seeds import Seeds
from eccles.sweeps.structure import Phase, Structure

__all__ = ["Executor", "Results", "Stopped"]


class Stopped(Exception):
    """Running was to stop before the condition was complete."""


class Results(Protocol):
    """Takes the results of conditions, from several threads at once."""

    def put(self, number: int, values: dict[str, Any]) -> None:
        """Take what was recorded in a condition."""
        ...

    def put_many(self, numbers: np.ndarray, values: dict[str, np.ndarray]) -> None:
        """Take what was recorded in several conditions, (n, elements) each."""
        ...

    def fail(self, number: int, message: str) -> None:
        """Note that a condition went wrong."""
        ...


class Executor:
    """Runs conditions of one structure.

    What a condition gives is what its model gives when it is run alone: it begins with the same state, and
    does the same calls in the same order.
    """

    def __init__(self, structure: Structure, grid: Grid, seeds: Seeds) -> None:
        self.structure = structure
        self.grid = grid
        self._seeds = seeds
        self._start = self._keep()
        self._plan: Runner | None = structure.network.runner  # made when the model was called

    def prepare(self, number: int) -> Ready:
        """Bring everything to the start of a condition."""
        self.put_back()
        ready = self._set(number, self.structure.phases[0])
        if ready.runner is not self._plan:  # conditions like this one need not have a program made again
            self._start, self._plan = self._keep(), ready.runner
        return ready

    def put_back(self) -> None:
        """Bring everything to the start of some condition."""
        self._start.put_back()

    def _set(self, number: int, phase: Phase) -> Ready:
        """Do what a condition does before a run."""
        where = self.grid.where(number)
        for setting in phase.settings:
            setting.apply(where)
        return self.structure.network.get_ready(phase.seconds, again=True, advise=False)

    def _keep(self) -> Memento:
        called = [setting.obj for setting in self.structure.settings if isinstance(setting, Call)]
        return Memento(self.structure.network, self.structure.recorders, *called)

    def run(self, number: int, stopped: Callable[[], bool]) -> dict[str, Any]:
        """Simulate a condition; returns what was recorded, by name.

        Raises
        ------
        Stopped
            If `stopped()` became true on the way.
        Exception
            Whatever goes wrong in this condition; others can be run all the same.
        """
        with magic.random_numbers(self.seed_of(number)):
            ready = self.prepare(number)
            for k, phase in enumerate(self.structure.phases):
                self._advance(ready if k == 0 else self._set(number, phase), phase.seconds, stopped)
            return {name: recorder.collect() for name, recorder in self.structure.recorders.items()}

    def seed_of(self, number: int) -> int:
        """The seed of a condition."""
        return self.seed_at(self.grid.where(number))

    def seed_at(self, where: Mapping[str, int]) -> int:
        """The seed of a condition, given by its position along each axis."""
        return self._seeds.of(self.grid.condition_at(where))

    def _advance(self, ready: Ready, seconds: float, stopped: Callable[[], bool]) -> None:
        """Run, and look whether all numbers are still numbers."""
        network = self.structure.network
        start = network.t_
        check = FiniteCheck(ready.objects, start, None, strict=True)
        if ready.runner is not None and seconds > 0:
            if not ready.runner.run(ready.ends, stop_requested=stopped):
                raise Stopped
        network._t = network._end_time(start + seconds, ready.clocks)
        check.look(network._t, last=True)
        for obj in ready.objects:
            obj.after_run()
