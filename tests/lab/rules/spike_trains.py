"""Spike trains for tests of rules."""

from __future__ import annotations

import numpy as np

from eccles import Quantity, second

Trains = list[np.ndarray]


def random_trains(seed: int, n: int = 6, n_spikes: int = 30) -> tuple[Trains, Trains]:
    """Pre- and postsynaptic trains in seconds; a third of all spikes have one of the other side at once."""
    rng = np.random.default_rng(seed)
    pre, post = [], []
    for _ in range(n):
        shared = rng.uniform(0, 0.4, n_spikes // 3)
        for trains in (pre, post):
            trains.append(np.sort(np.concatenate([shared, rng.uniform(0, 0.4, n_spikes - len(shared))])))
    return pre, post


def poisson_trains(rate: float, duration: float, n: int, rng: np.random.Generator) -> Trains:
    """Independent Poisson trains."""
    return [np.sort(rng.uniform(0, duration, rng.poisson(rate * duration))) for _ in range(n)]


def with_units(trains: Trains) -> list[Quantity]:
    return [train * second for train in trains]
