"""Slices, outcomes and their order."""

from __future__ import annotations

import numpy as np
import pytest

import eccles as e
from eccles.engine import loop
from eccles.units import ms


@pytest.mark.parametrize("first", [1, 3, 10**6])
def test_results_do_not_depend_on_how_a_run_is_sliced(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> tuple[np.ndarray, np.ndarray]:
        e.start_scope()
        e.seed(3)
        group = e.NeuronGroup(
            9, "dv/dt = -v/ms + ms**-0.5*xi : 1", threshold="v > 1", reset="v = 0", method="euler"
        )
        fast = e.NeuronGroup(
            2, "dv/dt = 1/ms : 1", dt=0.03 * ms, threshold="v > 0.5", reset="v = 0", method="euler"
        )
        spikes, others = e.SpikeMonitor(group), e.SpikeMonitor(fast)
        e.Network(group, fast, spikes, others).run(20 * ms)
        return np.concatenate([spikes.t_, others.t_]), np.concatenate([spikes.i, others.i])

    expected = run()
    monkeypatch.setattr(loop, "FIRST_SLICE", first)
    monkeypatch.setattr(loop, "SLICE_SECONDS", 1e-6 if first < 10 else 0.05)
    found = run()
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def test_many_runs_of_one_step_are_one_run() -> None:
    group = e.NeuronGroup(1, "dv/dt = 1/ms : 1", method="euler")
    trace = e.StateMonitor(group, "v", record=0)
    net = e.Network(group, trace)
    for _ in range(500):
        net.run(0.1 * ms)
    assert trace.n_samples == 501  # the end of the last run, too
    assert np.allclose(trace.v[0], 0.1 * np.arange(501))


def test_a_step_is_finished_after_stop() -> None:
    group = e.NeuronGroup(1, "n : 1\nm : 1")
    group.run_regularly("n += 1", when="start", order=-1)
    group.run_regularly("m += 1", when="end")

    @e.network_operation
    def end(t: e.Quantity) -> None:
        if float(t) >= 0.35e-3:
            net.stop()

    net = e.Network(group, end)
    net.run(10 * ms)
    assert group.n[0] == group.m[0] == 5
    assert float(net.t) == pytest.approx(0.5e-3)
    net.remove(end)
    net.run(0.5 * ms)
    assert group.n[0] == group.m[0] == 10


def test_an_error_in_a_network_operation_keeps_time_and_records() -> None:
    group = e.NeuronGroup(1, "dv/dt = 1/ms : 1", method="euler")
    trace = e.StateMonitor(group, "v", record=0)

    @e.network_operation(when="end")
    def fails(t: e.Quantity) -> None:
        if float(t) >= 0.45e-3:
            raise ZeroDivisionError("mine")

    net = e.Network(group, trace, fails)
    with pytest.raises(ZeroDivisionError, match="mine"):
        net.run(10 * ms)
    assert float(net.t) == pytest.approx(0.5e-3)
    assert trace.n_samples == 6


def test_a_run_of_more_steps_than_can_be_counted_is_refused() -> None:
    group = e.NeuronGroup(1, "v : 1")
    with pytest.raises(e.RunError, match="too long"):
        e.Network(group).run(1e300 * ms)
