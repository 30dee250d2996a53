"""From both ears to a neuron that cells in the brain stem drive: all conditions and trials in one network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from eccles.engine.clock import Clock, to_seconds
from eccles.errors import SetupError
from eccles.lab.binaural.cell import binaural_cell, coincidences, converge
from eccles.lab.binaural.conditions import Condition
from eccles.lab.binaural.nerve import Tone
from eccles.lab.binaural.trains import nerve_train, phase_at, phase_walk
from eccles.lab.measure import PhaseLocking, locking_of_phases, phase_locking, phases
from eccles.lab.neurons import Neuron, Transmission, lif_abstract
from eccles.lab.sources import generator
from eccles.monitors import SpikeMonitor
from eccles.objects import Network, magic
from eccles.units import Quantity, ms, second, us

__all__ = ["Circuit", "Heard", "listen", "slow_cell", "together", "trains_of"]


def slow_cell(
    tau_m: Quantity = 10 * ms, tau_s: Quantity = 2 * ms, t_ref: Quantity = 2 * ms
) -> tuple[Neuron, Transmission]:
    """A neuron with an ordinary membrane, and its synapses: the same equations as `binaural_cell`."""
    neuron, synapse = binaural_cell(tau_m, tau_s, t_ref)
    return replace(neuron, name=lif_abstract().name), synapse


@dataclass(frozen=True)
class Circuit:
    """What is between the ears and the presynaptic neuron. None of it is fitted to measurements.

    Attributes
    ----------
    fibres : int
        Of each ear, onto each binaural cell.
    cells : int
        Binaural cells onto each presynaptic neuron; each has fibres of its own.
    fibre_weight, cell_weight : float
        Peak of the potential that one spike of a fibre (of a binaural cell) makes, in units of threshold.
    left_delay : time
        How much longer fibres from the left ear take: so the cell likes sounds that are earlier on the left.
    delay : time
        From binaural cells to the presynaptic neuron.
    window : time
        Of the ideal detector that counts coincidences of the same spikes.
    dt : time
        The time step. It is short enough for the peaks of the fastest potentials to be seen.
    """

    fibres: int = 4
    cells: int = 4
    fibre_weight: float = 0.3
    cell_weight: float = 0.5
    left_delay: Quantity = 0.25 * ms
    delay: Quantity = 2 * ms
    window: Quantity = 0.1 * ms
    dt: Quantity = 50 * us

    def cell(self) -> tuple[Neuron, Transmission]:
        """The binaural cell and its synapses."""
        return binaural_cell(0.3 * ms, 0.1 * ms, 1 * ms)

    def pre(self) -> tuple[Neuron, Transmission]:
        """The presynaptic neuron and its synapses."""
        return slow_cell()


@dataclass(frozen=True, eq=False)
class Heard:
    """What a condition gave: spike trains of each trial.

    Attributes
    ----------
    condition : Condition
    circuit : Circuit
    duration : time
    left, right : tuple of (n,), time
        Fibres of each ear that reach one of the binaural cells, all spikes together.
    cells : tuple of (n,), time
        All binaural cells together.
    pre : tuple of (n,), time
        The presynaptic neuron.
    walks : tuple of (step,)
        The wandering phases, if there are any.
    """

    condition: Condition
    circuit: Circuit
    duration: Quantity
    left: tuple[Quantity, ...]
    right: tuple[Quantity, ...]
    cells: tuple[Quantity, ...]
    pre: tuple[Quantity, ...]
    walks: tuple[np.ndarray, ...] = ()

    def rate(self, what: str) -> float:
        """The mean rate of `left`, `right`, `cells` or `pre`, in hertz: of one fibre, or cell."""
        share = {"left": self.circuit.fibres, "right": self.circuit.fibres, "cells": self.circuit.cells}
        trains = getattr(self, what)
        return sum(map(len, trains)) / len(trains) / float(self.duration) / share.get(what, 1)

    def locking(self, what: str, frequency: Any = None, *, level: float = 0.95) -> PhaseLocking:
        """Vector strength of all trials together; by default at the beat."""
        at = self.condition.look_at if frequency is None else frequency
        return phase_locking(together(getattr(self, what)), at, level=level)

    def ideal(self) -> tuple[Quantity, ...]:
        """Coincidences of the same spikes, as an ideal detector counts them, for each trial."""
        circuit = self.circuit
        pairs = zip(self.left, self.right, strict=True)
        return tuple(
            coincidences(left, right, circuit.window, delay=circuit.left_delay) for left, right in pairs
        )

    def locking_to_walk(self, what: str) -> PhaseLocking:
        """Vector strength at the beat with the phase that it had at each moment, where that wanders."""
        trains = zip(getattr(self, what), self.walks, strict=True)
        angles = [phases(train, self.condition.look_at) + phase_at(train, walk) for train, walk in trains]
        return locking_of_phases(np.concatenate(angles))


def listen(
    conditions: Sequence[Condition],
    *,
    trials: int = 10,
    duration: Quantity = 5 * second,
    circuit: Circuit | None = None,
    seed: int = 1,
) -> list[Heard]:
    """Play conditions to both ears.

    Parameters
    ----------
    conditions : sequence of Condition
        Such as `CONDITIONS.values()`.
    trials : int, optional
    duration : time, optional
    circuit : Circuit, optional
    seed : int, optional
        More trials or other conditions change nothing in those there were.

    Returns
    -------
    list of Heard
        One for each condition.

    Examples
    --------
    >>> beat, = listen([CONDITIONS["binaural beat"]])
    >>> beat.locking("cells").vector_strength > 0.2
    True
    """
    if trials < 1 or not to_seconds(duration, "the duration") > 0:
        raise SetupError(f"nothing is heard in {trials} trials of {duration}")
    parts = circuit or Circuit()
    walks = [_walks(condition, trials, duration, seed) for condition in conditions]
    left, right = (_ear(side, conditions, walks, trials, duration, parts, seed) for side in ("left", "right"))
    cells, pre = _brain_stem(left, right, len(conditions) * trials, duration, parts)
    heard = []
    for number, condition in enumerate(conditions):
        of_it = slice(number * trials, (number + 1) * trials)
        heard.append(
            Heard(condition, parts, duration, *(tuple(trains[of_it]) for trains in (left, right, cells, pre)),
                  walks=tuple(walks[number])),
        )  # fmt: skip
    return heard


def _walks(condition: Condition, trials: int, duration: Quantity, seed: int) -> list[np.ndarray]:
    if not float(condition.diffusion) > 0:
        return []
    return [phase_walk(condition.diffusion, duration, seed, condition.name, k) for k in range(trials)]


def _ear(
    side: str,
    conditions: Sequence[Condition],
    walks: Sequence[Sequence[np.ndarray]],
    trials: int,
    duration: Quantity,
    circuit: Circuit,
    seed: int,
) -> list[Quantity]:
    """A train for each cell, condition and trial, the last one changing fastest."""
    trains = []
    for cell in range(circuit.cells):
        for condition, its_walks in zip(conditions, walks, strict=True):
            tones: Sequence[Tone] = getattr(condition, side)
            rate = getattr(condition, f"{side}_rate")
            for trial in range(trials):
                walk = its_walks[trial] if its_walks and side == "right" else None
                stream = (side, condition.name, cell, trial)
                trains.append(nerve_train(tones, rate, duration, seed=seed, stream=stream,
                                          fibres=circuit.fibres, walk=walk))  # fmt: skip
    return trains


def _brain_stem(
    left: Sequence[Quantity], right: Sequence[Quantity], columns: int, duration: Quantity, circuit: Circuit
) -> tuple[list[Quantity], list[Quantity]]:
    """Spikes of the binaural cells, and of the presynaptic neuron that they drive, for each column."""
    with magic.private_scope():
        clock = Clock(circuit.dt)  # one for all: what has another clock has no exact times
        n = len(left)
        cell, fast = circuit.cell()
        neuron, slow = circuit.pre()
        ears = [generator(trains, clock) for trains in (left, right)]
        cells = cell.group(n, fast, clock=clock, namespace={})
        pre = neuron.group(columns, slow, clock=clock, namespace={})
        synapses = [
            converge(ears[0], cells, fast, circuit.fibre_weight, delay=circuit.left_delay, clock=clock),
            converge(ears[1], cells, fast, circuit.fibre_weight, clock=clock),
            converge(cells, pre, slow, circuit.cell_weight, delay=circuit.delay, clock=clock,
                     connect={"i": np.arange(n), "j": np.arange(n) % columns}),
        ]  # fmt: skip
        monitors = SpikeMonitor(cells), SpikeMonitor(pre)
        Network(*ears, cells, pre, *synapses, *monitors).run(duration)
        cell_trains, pre_trains = (trains_of(monitor) for monitor in monitors)
    pooled = [together(cell_trains[column::columns]) for column in range(columns)]
    return pooled, pre_trains


def together(trains: Sequence[Quantity]) -> Quantity:
    """All spikes in one train."""
    return Quantity(np.sort(np.concatenate([np.asarray(t) for t in trains])), dim=second.dim)


def trains_of(monitor: SpikeMonitor) -> list[Quantity]:
    """The spike train of each neuron."""
    return list(monitor.spike_trains().values())
