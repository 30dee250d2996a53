"""Neurons that spike at given times: spike trains as a part of a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from eccles.engine.clock import Clock
from eccles.objects import SpikeGeneratorGroup
from eccles.units import Quantity, second

__all__ = ["generator"]


def generator(trains: Sequence[Any], clock: Clock) -> SpikeGeneratorGroup:
    """A neuron for each spike train, (n,) each: times, or numbers of seconds."""
    indices = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    times = np.concatenate([np.asarray(train, float) for train in trains])
    return SpikeGeneratorGroup(len(trains), indices, Quantity(times, dim=second.dim), clock=clock)
