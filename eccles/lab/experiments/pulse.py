"""Current pulses that make a neuron spike when a protocol says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from eccles.engine.clock import Clock, to_seconds
from eccles.errors import DimensionMismatchError, SetupError, unheard
from eccles.lab.neurons import Neuron, Transmission
from eccles.monitors import SpikeMonitor
from eccles.objects import Network, NeuronGroup, SpikeGeneratorGroup, Synapses, magic
from eccles.units import Quantity, amp, get_dimensions, ms, second

__all__ = ["Pulse", "driven", "pulse_for", "stimulated"]

REST = 0.5  # seconds before the pulse in a trial of pulses: the neuron comes to rest
LISTEN = 0.1  # seconds after it
PER_DECADE = 40  # amplitudes that are tried
RANGES = {"amp": (1e-12, 1e-6), "1": (1e-2, 1e4)}  # of amplitudes, by the unit of the neuron's input
SAFETY = 1.5  # above the weakest pulse that makes a spike


@dataclass(frozen=True)
class Pulse:
    """A pulse of current.

    Attributes
    ----------
    amplitude : current, or a number in a model without units
    width : time
    latency : time
        From the beginning of the pulse to the spike that it makes in a neuron at rest.
    """

    amplitude: Any
    width: Quantity
    latency: Quantity

    def __str__(self) -> str:
        """In words."""
        return f"pulses of {self.amplitude} for {self.width}, {self.latency} before each spike"


def driven(
    neuron: Neuron,
    n: int,
    transmission: Transmission | None,
    equations: str,
    parameters: Mapping[str, Any],
    clock: Clock,
) -> NeuronGroup:
    """Neurons that take pulses, besides what a synapse does to them.

    Parameters
    ----------
    equations : str
        Further lines, such as those that a rule needs.
    parameters : mapping
        What names in these lines stand for.
    """
    transmissions = () if transmission is None else (transmission,)
    lines = f"I_pulse : {neuron.input_unit}\n{equations}"
    return neuron.group(
        n, *transmissions, drive="I_pulse", equations=lines, namespace=dict(parameters), clock=clock
    )


def stimulated(stimulus: Any, target: NeuronGroup, pulse: Pulse, clock: Clock) -> Synapses:
    """What makes a pulse in `target`, (i), of every spike of `stimulus`, (i)."""
    synapses = Synapses(
        stimulus, target, on_pre={"begin": "I_pulse_post += amplitude", "end": "I_pulse_post -= amplitude"},
        delay={"begin": 0 * ms, "end": pulse.width}, namespace={"amplitude": pulse.amplitude}, clock=clock,
    )  # fmt: skip
    synapses.connect(j="i")
    return synapses


def pulse_for(neuron: Neuron, given: tuple[Any, Any] | None, dt: Quantity) -> Pulse:
    """The pulse that makes a neuron at rest spike once.

    Parameters
    ----------
    neuron : Neuron
    given : (amplitude, width), optional
        By default 2 ms, and half as strong again as the weakest pulse that makes a spike, or less where that
        would make two.
    dt : time
        The time step.

    Raises
    ------
    SetupError
        If the pulse makes no spike, or several.
    """
    if neuron.input_unit not in RANGES:
        raise SetupError(f"a pulse needs a neuron whose input is in amp or 1, not in {neuron.input_unit}")
    dim = amp.dim if neuron.input_unit == "amp" else get_dimensions(1)
    if given is None:
        low, high = np.log10(RANGES[neuron.input_unit])
        amplitudes = np.logspace(low, high, round(PER_DECADE * (high - low)) + 1)
        width = 2 * ms
    else:
        if not isinstance(given, tuple | list) or len(given) != 2:
            raise SetupError(f"a pulse is (amplitude, width), as in (1*nA, 2*ms), not {given!r}")
        amplitude, width = given
        if get_dimensions(amplitude) is not dim:
            raise DimensionMismatchError(
                f"the pulse of '{neuron.name}' has to be in {neuron.input_unit}",
                get_dimensions(amplitude),
                dim,
            )
        to_seconds(width, "the width of a pulse")
        amplitudes = np.atleast_1d(np.asarray(amplitude, float))
    counts, latencies = _spikes(neuron, Quantity(amplitudes, dim=dim), width, dt)
    if given is not None and counts[0] != 1:
        raise SetupError(
            f"a pulse of {given[0]} for {width} makes {counts[0]} spikes in '{neuron.name}', not 1"
        )
    once = np.flatnonzero(counts == 1)
    if not len(once):
        raise SetupError(
            f"no pulse of {width} makes '{neuron.name}' spike once",
            hint="Give one: pulse=(amplitude, width).",
        )
    chosen = once[amplitudes[once] <= SAFETY * amplitudes[once[0]]][-1]
    strength = (
        Quantity(amplitudes[chosen], dim=dim) if neuron.input_unit == "amp" else float(amplitudes[chosen])
    )
    return Pulse(strength, width, Quantity(latencies[chosen], dim=second.dim))


def _spikes(
    neuron: Neuron, amplitudes: Quantity, width: Quantity, dt: Quantity
) -> tuple[np.ndarray, np.ndarray]:
    """How many spikes pulses make after their beginning, and when the first of them comes, (amplitude,)."""
    n = len(amplitudes)
    with magic.private_scope(), unheard():
        clock = Clock(dt)
        cells = driven(neuron, n, None, "strength : " + neuron.input_unit, {}, clock)
        cells.strength = amplitudes
        onset = SpikeGeneratorGroup(1, [0], [REST] * second, clock=clock)
        pulses = Synapses(
            onset, cells,
            on_pre={"begin": "I_pulse_post += strength_post", "end": "I_pulse_post -= strength_post"},
            delay={"begin": 0 * ms, "end": width}, namespace={}, clock=clock,
        )  # fmt: skip
        pulses.connect()
        monitor = SpikeMonitor(cells)
        Network(cells, onset, pulses, monitor).run((REST + LISTEN) * second + width)
    t, i = np.asarray(monitor.t, float), np.asarray(monitor.i)
    first = np.full(n, np.nan)
    for cell in range(n):
        own = t[i == cell]
        if len(own) and own[0] > REST:
            first[cell] = own[0] - REST
    return np.where(np.isnan(first), 0, np.bincount(i, minlength=n)), first
