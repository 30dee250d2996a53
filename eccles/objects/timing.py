"""Which objects of a network have exact spike times, and why others do not.

Everything that is exact shares one clock, whose steps are walked through from instant to instant
(`eccles/engine/instants.py`). On the time grid stay what has a clock of its own, what is integrated with
noise, and what was asked for it; thresholds that are no comparison of smooth quantities are looked at on the
grid, too, although their neurons receive spikes at exact times. Where nothing needs a time step, there is no
grid at all (`eccles/engine/components.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from eccles.engine.clock import Clock
from eccles.engine.components import LARGEST, Components
from eccles.engine.instants import Instants
from eccles.engine.program import Block, Part
from eccles.errors import SetupError
from eccles.integrate.noise import noises_in

__all__ = ["SpikeTimes", "Timing", "checked_spike_times", "main_clock", "wants_precise"]

LAST = 10**9  # in the order of a slot

SpikeTimes = Literal["precise", "grid"]


def checked_spike_times(value: Any) -> SpikeTimes | None:
    """A mode that a user asks for, or None for the one of the network."""
    if value in (None, "precise", "grid"):
        return value
    raise SetupError(
        f"spike_times has to be 'precise' or 'grid', not {value!r}",
        hint="'precise' finds the exact moment of each spike; 'grid' has spikes at multiples of dt.",
    )


@dataclass
class Timing:
    """The exact spike times of one network.

    Attributes
    ----------
    instants : Instants or Components
        The walk through a time step, or through many without a grid.
    network : {'precise', 'grid'} or None
        What is asked for where an object does not say itself.
    on_grid : dict of str to str
        Names of groups whose thresholds are looked at on the grid, and why.
    needs_grid : str
        Why time is walked through in steps; empty if it is not.
    """

    instants: Instants | Components
    on_grid: dict[str, str] = field(default_factory=dict)

    network: SpikeTimes | None = None
    needs_grid: str = ""
    _division: list[np.ndarray] | None = None

    @property
    def heap(self) -> Instants:
        """The instants of a time step, for those who put entries into their heap."""
        assert isinstance(self.instants, Instants), "without a grid nothing is put on its way"
        return self.instants

    @property
    def without_grid(self) -> bool:
        """Whether there is no time grid at all."""
        return self.instants.without_grid

    def begin(self, objects: Sequence[Any], divide: Callable[[], list[np.ndarray] | None]) -> None:
        """Another program is going to be built: choose how it walks through time.

        Parameters
        ----------
        objects : list
            Who takes part.
        divide : callable
            Returns the connected component of each neuron, group by group; None if one is too large.
        """
        self.on_grid.clear()
        self.needs_grid = next(filter(None, (obj.needs_grid() for obj in objects)), "")
        self._division = None if self.needs_grid else divide()
        if not self.needs_grid and self._division is None:
            self.needs_grid = f"more than {LARGEST} neurons are connected"
        kind = Components if self._division is not None else Instants
        if type(self.instants) is not kind:
            self.instants = kind(self.clock)
        self.instants.begin()

    def divide(self) -> None:
        """Tell the walk through time which neurons are connected, when all have joined it."""
        if isinstance(self.instants, Components) and self._division is not None:
            self.instants.divide(self._division)

    def blocks(self) -> list[Block]:
        """Opening a step, and finding the next instant."""
        return [
            Block("instants_open", self.clock, "after_groups", LAST, self.instants.emit_open, Part.BEFORE),
            Block("instants", self.clock, "thresholds", 0, self.instants.emit_collect, Part.COLLECT),
        ]

    def reason_for_grid(self, group: Any) -> str:
        """Why a group of neurons is followed on the grid altogether; empty if it has exact times."""
        if not wants_precise(group, self.network):
            asked = (group.spike_times or self.network) == "grid"
            return "it was asked for" if asked else f"so it is in {group.semantics.name} by default"
        if group.clock is not self.clock:
            return f"its clock ({group.clock.name}) is not that of the other groups"
        noise = noises_in(group.equations.substituted())
        if noise:
            return f"its equations contain noise ('{noise[0]}')"
        if any(group.is_stateful(e) for e in group.equations.substituted().values()):
            return "its equations contain random numbers"
        return ""

    @property
    def clock(self) -> Clock:
        """The clock that everything exact shares."""
        return self.instants.clock


def wants_precise(obj: Any, network: SpikeTimes | None) -> bool:
    """Whether exact spike times are asked for an object: by itself, its network or its face."""
    asked = obj.spike_times or network or obj.semantics.spike_times
    return asked == "precise"


def main_clock(objects: Iterable[Any], network: SpikeTimes | None) -> Clock | None:
    """The clock of most of the sources of spikes for which exact times are asked; None if there are none."""
    clocks: list[Clock] = [obj.clock for obj in objects if wants_precise(obj, network)]
    if not clocks:
        return None
    return max(dict.fromkeys(clocks), key=clocks.count)
