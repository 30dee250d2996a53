"""Spike trains of the auditory nerve as data: many trials of any stimulus at once, at exact times.

`ear` is the same process as model text, for networks and sweeps. Here the rate is thinned (Lewis & Shedler
1979, Nav Res Logist Q 26:403): spikes come at the highest rate, and each stays with the probability that the
rate has at its time. That takes a twentieth of the time, at any carrier, and allows for phases that wander.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from eccles.engine.clock import to_seconds
from eccles.errors import SetupError
from eccles.lab.binaural.nerve import Tone, concentration, refractory_period
from eccles.lab.protocols.trains import expected_count, renewal
from eccles.lab.random_numbers import labelled_uniform
from eccles.units import Quantity, ms, second

__all__ = ["dead_time", "nerve_train", "phase_at", "phase_walk"]

WALK_STEP = 1e-3  # seconds between two values of a phase that wanders; it is linear between them


def phase_walk(diffusion: Any, duration: Any, seed: int, *stream: Any) -> np.ndarray:
    """A phase that takes a random walk from 0, one value per millisecond.

    Its variance grows by 2 D t, so that the mean of exp(i change) over a time t is exp(-D t). The
    frequency then fluctuates as white noise.

    Parameters
    ----------
    diffusion : frequency
        D.
    duration : time
    seed : int
    *stream
        What tells walks of one seed apart.
    """
    n = math.ceil(to_seconds(duration, "the duration") / WALK_STEP) + 1
    u = labelled_uniform(2 * n, seed, "walk", *stream)
    normal = np.sqrt(-2 * np.log(u[:n])) * np.cos(2 * math.pi * u[n:])  # Box & Muller 1958
    steps = math.sqrt(2 * float(diffusion) * WALK_STEP) * normal
    steps[0] = 0.0
    return np.cumsum(steps)


def phase_at(t: Any, walk: np.ndarray) -> np.ndarray:
    """The phase of a walk, (step,), at times, (n,): in radians, linear between its values."""
    return np.interp(np.asarray(t, float), np.arange(len(walk)) * WALK_STEP, walk)


def nerve_train(
    tones: Sequence[Tone],
    rate: Any,
    duration: Any,
    *,
    seed: int,
    stream: Sequence[Any] = (),
    fibres: int = 1,
    t_ref: Any = 0 * ms,
    walk: np.ndarray | None = None,
) -> Quantity:
    """A spike train of fibres that lock to tones; see `ear` for what the parameters mean.

    Parameters
    ----------
    tones : sequence of Tone
        None gives spikes at random.
    rate : frequency
    duration : time
    seed : int
    stream : sequence, optional
        What tells trains of one seed apart, as the number of the trial: anything with a `repr`.
    fibres : int, optional
    t_ref : time, optional
    walk : (step,), optional
        Phase that is added to the last tone, as from `phase_walk`.

    Returns
    -------
    (n,), time

    Raises
    ------
    SetupError
        If the rate is negative or beyond measure, or several fibres in one train have a refractory period.
    """
    end, mean = to_seconds(duration, "the duration"), float(rate) * fibres
    dead = refractory_period(t_ref, fibres)
    if not (math.isfinite(mean) and mean >= 0):
        raise SetupError(f"the rate of fibres cannot be {rate}")
    kappas = [float(concentration(tone.locking())) for tone in tones]
    highest = mean * math.prod(math.exp(k) / float(np.i0(k)) for k in kappas)
    if highest == 0:
        return Quantity(np.empty(0), dim=second.dim)

    def draw(n: int) -> np.ndarray:
        return labelled_uniform(n, seed, "gaps", 0, *stream)  # with 0 as in all studies that were reported

    count = expected_count(highest, end)
    t = np.asarray(renewal(lambda u: np.cumsum(-np.log(u) / highest), count, end, draw))
    log_share = np.zeros(len(t))
    for tone, kappa in zip(tones, kappas, strict=True):
        phase = 2 * math.pi * float(tone.frequency) * t + tone.phase
        if walk is not None and tone is tones[-1]:
            phase += phase_at(t, walk)
        log_share += kappa * (np.cos(phase) - 1)
    t = t[np.log(labelled_uniform(len(t), seed, "kept", *stream)) < log_share]
    return Quantity(dead_time(t, dead) if dead > 0 else t, dim=second.dim)


def dead_time(t: np.ndarray, dead: float) -> np.ndarray:
    """Without the spikes that come within `dead` seconds after one that stays."""
    kept, free = [], -math.inf
    for time in t:
        if time >= free:
            kept.append(time)
            free = time + dead
    return np.array(kept)
