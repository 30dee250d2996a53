"""Variables that become NaN or infinite are reported."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import eccles as e
import eccles.brian2 as face
from eccles.engine import loop
from eccles.errors import EcclesWarning, RunError
from eccles.units import Hz, ms


def runaway(sim: Any, **options: Any) -> Any:
    group = sim.NeuronGroup(5, "dv/dt = v**2/ms : 1", method="euler", **options)
    group.v = [0, 0.1, 0, 5, 0]
    return group


def test_the_element_the_method_and_the_time_are_named() -> None:
    group = runaway(e)
    net = e.Network(group)
    with pytest.raises(
        RunError, match=r"v became infinite in neuron 3 of neurongroup between 0. s and .*'euler'"
    ):
        net.run(3 * ms)
    assert not np.isfinite(group.v[3])
    assert float(net.t) > 0


def test_the_compatible_face_warns_once() -> None:
    net = face.Network(runaway(face))
    with pytest.warns(EcclesWarning, match="not_finite"):
        net.run(3 * ms)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.run(3 * ms)


def test_the_time_is_that_of_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FIRST_SLICE", 1)
    monkeypatch.setattr(loop, "SLICE_SECONDS", 0.0)
    group = e.NeuronGroup(1, "dv/dt = sqrt(0.35 - t/ms)/ms : 1", method="euler")
    with pytest.raises(RunError, match=r"became NaN in neuron 0 of .* between 0.4 ms and 0.5 ms"):
        e.Network(group).run(1 * ms)


def test_a_value_that_was_not_finite_before_is_no_news() -> None:
    group = runaway(e)
    group.v = [0, 0, np.nan, 0, np.inf]
    e.Network(group).run(1 * ms)
    assert np.isnan(group.v[2])


def test_a_parameter_may_be_infinite() -> None:
    group = e.NeuronGroup(
        2, "dv/dt = -v/ms : 1\nlimit : 1", threshold="v > limit", reset="v = 0", method="exact"
    )
    group.limit = np.inf
    e.Network(group).run(1 * ms)


def test_a_rate_that_is_not_a_number_is_reported_and_hangs_nothing() -> None:
    with pytest.raises(RunError, match="rate became NaN in neuron 1 and 1 more of poissongroup"):
        e.Network(e.PoissonGroup(3, rates="sqrt(0.5 - i)*Hz")).run(1 * ms)


def test_an_infinite_or_negative_rate_hangs_nothing() -> None:
    for rates, n_expected in [("1e300*Hz", 10), ("-5*Hz", 0), ("1/(t - t)", None)]:
        group = e.PoissonGroup(2, rates=rates)
        monitor = e.SpikeMonitor(group)
        try:
            e.Network(group, monitor).run(1 * ms)
        except RunError:
            assert n_expected is None
        if n_expected is not None:
            assert monitor.count.tolist() == [n_expected] * 2


def test_a_rate_set_to_nonsense_is_refused() -> None:
    group = e.PoissonGroup(2, rates=5 * Hz)
    for rates in (-1 * Hz, np.nan * Hz, np.inf * Hz):
        with pytest.raises(e.SetupError, match="rate"):
            group.rates = rates
        with pytest.raises(e.SetupError, match="rate"):
            e.PoissonGroup(2, rates=rates)
