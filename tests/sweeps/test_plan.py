"""Fields of sweeps of several structures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eccles import NeuronGroup, SpikeMonitor, StateMonitor, ms, record, run, silence, sweep
from eccles.errors import SetupError

TAU = 10 * ms


@pytest.fixture(autouse=True)
def quiet():
    silence("one_model_per_value")
    yield
    silence()


def sizes(n, which=True):
    G = NeuronGroup(n, "dv/dt = (2 + i - v)/TAU : 1", threshold="v > 1", reset="v = 0")
    spikes = SpikeMonitor(G)
    trace = StateMonitor(G, "v", record=which)
    run(10 * ms)


@pytest.mark.parametrize("n", [[1, 3], [3, 1], [2, 3, 1]])
@pytest.mark.parametrize("which", [True, [0]])
def test_groups_of_one_element_fit_with_those_of_several(n, which):
    def model(n):
        sizes(n, which)

    result = sweep(model, n=n)
    found = result["trace(G.v)"].to_numpy()
    assert result["G.spikes.count"].attrs["n_elements"] == max(n)
    for k, size in enumerate(n):
        alone = sweep(model, n=size)["trace(G.v)"].to_numpy()
        wanted = alone.reshape(-1, alone.shape[-1])
        np.testing.assert_array_equal(found[k, : len(wanted)], wanted)
        assert np.isnan(found[k, len(wanted) :]).all()


def test_longer_runs_begin_as_shorter_ones():
    def model(T):
        G = NeuronGroup(2, "dv/dt = (1 - v)/TAU : 1")
        run(T)

    result = sweep(model, record=record.trace("G.v"), T=[2, 1] * ms)
    v = result["trace(G.v)"].to_numpy()
    assert v.shape[-1] == 21
    np.testing.assert_array_equal(v[1, :, :11], v[0, :, :11])
    assert np.isnan(v[1, :, 11:]).all()


def step(dt):
    G = NeuronGroup(2, "dv/dt = (1 - v)/TAU : 1", dt=dt)
    run(2 * ms)


def start(t):
    G = NeuronGroup(2, "dv/dt = (1 - v)/TAU : 1")
    trace = StateMonitor(G, "v", record=True, start=t)
    run(2 * ms)


def element(first):
    G = NeuronGroup(2, "dv/dt = (1 - v)/TAU : 1")
    trace = StateMonitor(G, "v", record=[0] if first else [1])
    run(2 * ms)


def unit(volts):
    G = NeuronGroup(2, "dv/dt = (1*mV - v)/TAU : volt" if volts else "dv/dt = (1 - v)/TAU : 1")
    trace = StateMonitor(G, "v", record=True)
    run(2 * ms)


@pytest.mark.parametrize(
    ("model", "values", "message"),
    [
        (step, {"dt": [0.1, 0.2] * ms}, "recorded at other times"),
        (start, {"t": [0, 1] * ms}, "recorded at other times"),
        (start, {"t": [0, 1.9] * ms}, "recorded at other times"),
        (element, {"first": [True, False]}, "or of other elements"),
        (unit, {"volts": [True, False]}, "not of the same kind"),
    ],
)
def test_what_cannot_have_the_same_labels_is_refused(model: Any, values: Any, message: str):
    with pytest.raises(SetupError, match=message):
        sweep(model, record=record.trace("G.v") if model is step else None, **values)


def test_other_time_steps_can_be_compared_at_times_that_they_share():
    result = sweep(step, record=record.trace("G.v", dt=0.4 * ms), dt=[0.1, 0.2] * ms)
    v = result["trace(G.v)"]
    np.testing.assert_allclose(v["time"], [0, 0.4e-3, 0.8e-3, 1.2e-3, 1.6e-3, 2e-3])
    exact = 1 - np.exp(-v["time"].to_numpy() / 10e-3)
    np.testing.assert_allclose(v, np.broadcast_to(exact, (2, 2, 6)), rtol=1e-12)
