"""What the tests here share: networks with exact spike times, and their spikes in seconds."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import numpy as np
import pytest

from eccles import Network, NeuronGroup, SpikeMonitor, defaultclock, second

in_steps = False  # what tests that take `each_way` set


def network(*objects: Any, dt: float = 1e-4, bystander: bool | None = None) -> Network:
    """A network with exact spike times and a time step in seconds.

    A bystander, who has no closed form, makes it walk through time steps.
    """
    defaultclock.dt = dt * second
    wanted = in_steps if bystander is None else bystander
    bystanders = [NeuronGroup(1, "dv/dt = -v**2*Hz : 1", threshold="v > 1")] if wanted else []
    return Network(*objects, *bystanders, spike_times="precise")


def trains(monitor: SpikeMonitor) -> list[np.ndarray]:
    """Spike times of each neuron, in seconds."""
    found = monitor.spike_trains()
    return [np.asarray(found[k]) for k in range(len(found))]


def assert_same_trains(obtained: list[np.ndarray], expected: list[Any], *, atol: float) -> None:
    """The same numbers of spikes, at times that differ by `atol` at most."""
    assert [len(t) for t in obtained] == [len(t) for t in expected]
    for one, other in zip(obtained, expected, strict=True):
        np.testing.assert_allclose(one, np.array([float(t) for t in other]), rtol=0, atol=atol)


def slow_unless(quick: Container[Any], values: Iterable[Any]) -> list[Any]:
    """Values for `parametrize`, those that are not quick marked as slow."""
    return [v if v in quick else pytest.param(v, marks=pytest.mark.slow) for v in values]
