"""Stimulation of presynaptic fibres: theta bursts, tetani, low rates, paired pulses.

The postsynaptic neuron is not told when to spike: that is up to its model. To prescribe its spikes as well,
as in theta-burst pairing, use `Protocol.paired`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from eccles.errors import SetupError
from eccles.lab import checked
from eccles.lab.protocols import trains
from eccles.lab.protocols.protocol import Protocol
from eccles.units import Quantity, hertz, ms, second

__all__ = [
    "low_frequency",
    "paired_pulses",
    "strong_low_frequency",
    "tetanus",
    "tetanus_in_vivo",
    "theta_burst",
    "theta_burst_short",
    "weak_tetanus",
]

LARSON = "Larson, Wong & Lynch 1986, Brain Res 368:347"
IN_VIVO = "Neural Plasticity 2020, article 6249375"
CONSOLIDATION = "as modelled by Ziegler, Zenke, Kastner & Gerstner 2015, J Neurosci 35:1319"


def theta_burst(
    *,
    n_pulses: int = 4,
    rate: Quantity = 100 * hertz,
    n_bursts: int = 10,
    interval: Quantity = 200 * ms,
    n_trains: int = 3,
    train_interval: Quantity = 10 * second,
    name: str = "theta burst",
    source: str = LARSON + "; three trains as usual in slices",
) -> Protocol:
    """Short bursts at the rate of the theta rhythm: trains of 10 bursts of 4 pulses at 100 Hz, 200 ms apart.

    Parameters
    ----------
    n_pulses : int, optional
        In each burst.
    rate : frequency, optional
        Of the pulses in a burst.
    n_bursts : int, optional
        In each train.
    interval : time, optional
        From the start of a burst to the start of the next.
    n_trains : int, optional
    train_interval : time, optional
        From the start of a train to the start of the next. (Where a publication says that trains are 10 s
        apart, it may mean the pause between them.)

    Raises
    ------
    SetupError
        If bursts or trains overlap.
    """
    one = trains.bursts(n_pulses, rate, n_bursts, interval)
    length = checked.span(interval, "the interval") * n_bursts
    said = f"{n_bursts} bursts of {n_pulses} pulses at {rate}, {interval} apart"
    return _trains(name, one, length, n_trains, train_interval, said, source)


def theta_burst_short(*, n_trains: int = 2) -> Protocol:
    """Theta bursts in shorter trains: 2 or 5 trains of 5 bursts, otherwise as `theta_burst`.

    Parameters
    ----------
    n_trains : int, optional
        2 or 5 in the publication.
    """
    return theta_burst(n_bursts=5, n_trains=n_trains, name="theta burst, short trains", source=IN_VIVO)


def tetanus(
    *,
    n_pulses: int = 100,
    rate: Quantity = 100 * hertz,
    n_trains: int = 1,
    train_interval: Quantity = 600 * second,
    name: str = "tetanus",
    source: str = "",
) -> Protocol:
    """High-frequency stimulation: 100 pulses at 100 Hz, once or in several trains.

    Parameters
    ----------
    n_pulses : int, optional
        In each train.
    rate : frequency, optional
        Of the pulses.
    n_trains : int, optional
        Several for a strong tetanus; how many, and how far apart, differs between publications.
    train_interval : time, optional
        From the start of a train to the start of the next.

    Raises
    ------
    SetupError
        If trains overlap.
    """
    one = trains.bursts(n_pulses, rate, 1, 1 * second)
    length = n_pulses / float(rate)
    return _trains(name, one, length, n_trains, train_interval, f"{n_pulses} pulses at {rate}", source)


def tetanus_in_vivo() -> Protocol:
    """High-frequency stimulation in the living animal: 10 trains of 20 pulses at 200 Hz, 2 s apart."""
    return tetanus(
        n_pulses=20, rate=200 * hertz, n_trains=10, train_interval=2 * second,
        name="tetanus in vivo", source=IN_VIVO,
    )  # fmt: skip


def weak_tetanus() -> Protocol:
    """A tetanus whose effect does not last: 21 pulses at 100 Hz."""
    return tetanus(n_pulses=21, name="weak tetanus", source=CONSOLIDATION)


def low_frequency(
    *,
    n_pulses: int = 900,
    rate: Quantity = 1 * hertz,
    name: str = "low frequency",
    source: str = CONSOLIDATION,
) -> Protocol:
    """Low-frequency stimulation, for depression: 900 pulses at 1 Hz.

    Parameters
    ----------
    n_pulses : int, optional
    rate : frequency, optional
    """
    n, per_second = checked.count(n_pulses, "n_pulses"), checked.frequency(rate, "the rate")
    pre = Quantity(np.arange(n) / per_second, dim=second.dim)
    duration = Quantity(n / per_second, dim=second.dim)
    return Protocol(name, pre, _none(), duration, f"{n} pulses at {rate}", source)


def strong_low_frequency(
    *, n_pulses: int = 3, rate: Quantity = 20 * hertz, n_bursts: int = 900, interval: Quantity = 1 * second
) -> Protocol:
    """Low-frequency stimulation with short bursts: 3 pulses at 20 Hz, every second, 900 times.

    Parameters
    ----------
    n_pulses : int, optional
        In each burst.
    rate : frequency, optional
        Of the pulses in a burst.
    n_bursts : int, optional
        900 has not been checked in the publication.
    interval : time, optional
        From the start of a burst to the start of the next.
    """
    pre = trains.bursts(n_pulses, rate, n_bursts, interval)
    length = max(n_bursts * float(interval), float(pre[-1]))
    said = f"{n_pulses} pulses at {rate} every {interval}, {n_bursts} times"
    return Protocol(
        "strong low frequency", pre, _none(), Quantity(length, dim=second.dim), said, CONSOLIDATION
    )


def paired_pulses(
    interval: Quantity = 50 * ms, *, n: int = 1, every: Quantity = 10 * second, name: str = "paired pulses"
) -> Protocol:
    """Two pulses with a short interval, for facilitation and depression within milliseconds.

    Intervals and repetition are those of the experiment at hand; 50 ms every 10 s is usual, not published.

    Parameters
    ----------
    interval : time
        Between the pulses of a pair.
    n : int, optional
        How many pairs.
    every : time, optional
        From a pair to the next.

    Raises
    ------
    SetupError
        If a pair is not over when the next begins.
    """
    gap, apart = checked.span(interval, "the interval"), checked.span(every, "every")
    number = checked.count(n, "n")
    if number > 1 and gap >= apart:
        raise SetupError(f"pulses {interval} apart cannot come every {every}")
    pre = np.add.outer(np.arange(number) * apart, [0.0, gap]).reshape(-1)
    said = f"2 pulses, {interval} apart" + (f", {number} times every {every}" if number > 1 else "")
    duration = Quantity(max(number * apart, pre[-1]), dim=second.dim)
    return Protocol(name, Quantity(pre, dim=second.dim), _none(), duration, said)


def _none() -> Quantity:
    return Quantity(np.empty(0), dim=second.dim)


def _trains(
    name: str, one: Quantity, length: float, n: Any, interval: Any, said: str, source: str
) -> Protocol:
    """A train of pulses `n` times, from start to start `interval`."""
    number, apart = checked.count(n, "n_trains"), checked.span(interval, "the interval of trains")
    checked.count(number * len(one), "the number of all pulses")
    length = max(length, float(one[-1]))
    if number > 1 and length > apart * (1 + 1e-9):
        raise SetupError(f"a train takes {length:g} s, but trains are {interval} apart")
    pre = np.add.outer(np.arange(number) * apart, np.asarray(one)).reshape(-1)
    duration = Quantity((number - 1) * apart + length, dim=second.dim)
    if number > 1:
        said = f"{number} trains, one every {interval}: {said}"
    return Protocol(name, Quantity(pre, dim=second.dim), _none(), duration, said, source)
