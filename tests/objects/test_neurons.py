"""Groups of neurons: construction, parts, events, refractoriness (values in detail: see Brian 2's cases)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import eccles as e
import eccles.brian2 as face
from eccles.integrate.problem import UnsupportedEquations
from eccles.units import Hz, ms, mV


def test_a_group_knows_its_parts() -> None:
    group = e.NeuronGroup(
        5, "dv/dt = (k - v)/(5*ms) : 1\nk : 1\nx = 2*v : 1", threshold="v > 1", reset="v = 0", name="cells",
        method="exact", events={"half": "v > 0.5"},
    )  # fmt: skip
    assert len(group) == group.N == 5
    assert group.name == "cells"
    assert group.events == {"spike": "v > 1", "half": "v > 0.5"}
    assert list(group.equations) == ["v", "k", "x"]
    assert group.clock is e.defaultclock
    assert group.dt == 0.1 * ms
    assert repr(group) == "<NeuronGroup 'cells': 5 neurons>"
    group.k = 2
    e.run(1 * ms)
    assert group.state_updater_method == "exact"


@pytest.mark.parametrize(
    "arguments",
    [
        {"threshold": 5}, {"reset": "v = 0"}, {"threshold": "v > 1", "reset": 5}, {"events": ["a"]},
        {"events": {"a b": "v > 0"}}, {"events": {3: "v > 0"}}, {"events": {"a": 3}}, {"namespace": 5},
        {"clock": 5}, {"order": "first"}, {"name": 5}, {"dtype": "text"}, {"dt": "fast"},
        {"dt": 1}, {"dt": [1, 2] * ms},
        {"threshold": "v > 1", "refractory": True}, {"threshold": "v > 1", "refractory": [1, 2] * ms},
        {"threshold": "v > 1", "refractory": -1 * ms},
        {"threshold": "v > 1", "refractory": float("inf") * ms},
        {"threshold": "v > 1", "refractory": "v"}, {"threshold": "v + 1"}, {"threshold": "v > 1*mV"},
        {"threshold": "v > 1", "reset": "w = 0; u"}, {"threshold": "v > 1", "events": {"spike": "v > 2"}},
        {"dt": 1 * ms, "clock": e.Clock(1 * ms)},
    ],
)  # fmt: skip
def test_impossible_arguments_are_refused_at_once(arguments: dict[str, Any]) -> None:
    with pytest.raises((TypeError, e.EcclesError)):
        e.NeuronGroup(3, "v : 1", **arguments)


@pytest.mark.parametrize(
    "item",
    [
        10,
        -11,
        slice(0, 10, 2),
        slice(5, 5),
        slice(12, None),
        [1, 3],
        [3, 2],
        [],
        "i < 3",
        [0.0],
        1.0,
        float("nan"),
        None,
        True,
    ],
)
def test_parts_that_are_not_contiguous_are_refused(item: Any) -> None:
    group = e.NeuronGroup(10, "v : 1")
    if item is True:
        assert len(group[item]) == 1  # an integer, in Python
        return
    with pytest.raises((IndexError, TypeError)):
        group[item]


def test_parts_of_parts_count_from_their_own_beginning() -> None:
    group = e.NeuronGroup(10, "v : 1", name="all")
    group.v = "i"
    part = group[2:8]
    inner = part[-3:]
    assert inner.v[:].tolist() == [5, 6, 7]
    assert inner.i[:].tolist() == [0, 1, 2]
    assert (inner.start, inner.stop, inner.N) == (5, 8, 3)
    assert part[inner].start == 5
    assert group[inner].stop == 8
    assert [len(group[[3, 4, 5]]), len(group[range(4)]), len(group[-1])] == [3, 4, 1]
    assert part.name == "all_subgroup"
    with pytest.raises(IndexError, match="not a part"):
        inner[part]
    part.v = "N + i"
    assert group.v[:].tolist() == [0, 1, 6, 7, 8, 9, 10, 11, 8, 9]


def test_a_part_keeps_its_group() -> None:
    part = e.NeuronGroup(4, "dv/dt = 1/ms : 1", method="euler")[1:3]
    trace = e.StateMonitor(part, "v", record=True)
    e.Network(part.whole, trace).run(1 * ms)
    assert trace.v[1, -1] == pytest.approx(1)


def test_refractory_periods_without_end_end_never() -> None:
    e.silence("threshold_at_start")
    for refractory in ("1e300*second", "inf*second", "1e13*second"):
        group = e.NeuronGroup(1, "v : 1", threshold="v >= 0", refractory=refractory)
        monitor = e.SpikeMonitor(group)
        e.Network(group, monitor).run(5 * ms)
        assert monitor.num_spikes == 1
    e.silence()


def test_a_period_that_is_drawn_is_drawn_once_per_spike() -> None:
    e.silence("threshold_at_start")
    group = e.NeuronGroup(200, "v : 1", threshold="v >= 0", refractory="(1 + 2*rand())*ms")
    monitor = e.SpikeMonitor(group)
    e.Network(group, monitor).run(40 * ms)
    e.silence()
    intervals = np.concatenate([np.diff(np.asarray(t)) for t in monitor.spike_trains().values()]) * 1e3
    assert intervals.min() >= 0.99
    assert intervals.max() <= 3.01
    assert abs(intervals.mean() - 2.0) < 4 * (2 / np.sqrt(12)) / np.sqrt(len(intervals)) + 0.05


def test_the_choice_of_a_method_is_told_and_its_reasons_too() -> None:
    for spike_times, method in (("precise", "dopri5"), ("grid", "rk4")):
        group = e.NeuronGroup(1, "dv/dt = -v**3/ms : 1", spike_times=spike_times)
        e.Network(group).run(0.1 * ms)
        assert group.state_updater_method == method
    group = face.NeuronGroup(1, "dv/dt = -v**3/ms : 1")
    face.Network(group).run(0.1 * ms)
    assert group.state_updater_method == "euler"
    with pytest.raises(e.ModelError, match="exact"):
        e.Network(e.NeuronGroup(1, "dv/dt = -v**3/ms : 1", method="exact")).run(1 * ms)


def test_all_mistakes_of_a_model_are_reported_together() -> None:
    with pytest.raises(e.ModelError) as caught:
        e.NeuronGroup(
            3, "dv/dt = -v/tau : volt\nI : amp", threshold="v > 3", reset="v = I", namespace={"tau": 5 * ms}
        )
    text = str(caught.value)
    assert "2 problems" in text
    assert "threshold" in text
    assert "reset" in text


def test_the_compatible_face_finds_mistakes_at_the_run() -> None:
    group = face.NeuronGroup(3, "dv/dt = -v/tau : volt", threshold="v >", refractory=5)
    with pytest.raises(face.BrianObjectException, match="neurongroup"):
        face.Network(group).run(1 * ms)


def test_the_time_of_the_last_spike_is_kept() -> None:
    group = e.NeuronGroup(2, "dv/dt = rate : 1\nrate : Hz", threshold="v > 1", reset="v = 0", method="euler")
    assert np.asarray(group.lastspike).tolist() == [-1e4, -1e4]
    group.rate = [300, 0] * Hz
    e.run(5 * ms)
    assert np.asarray(group.lastspike)[0] == pytest.approx(1 / 300, rel=1e-12)
    assert np.asarray(group.lastspike)[1] == -1e4
    with pytest.raises(TypeError):
        group.lastspike = 0 * ms


@pytest.mark.parametrize("spike_times", ["precise", "grid"])
def test_units_reach_into_thresholds_and_resets(spike_times: Any) -> None:
    group = e.NeuronGroup(
        3, "dv/dt = (-50*mV - v)/(10*ms) : volt", threshold="v > -55*mV", reset="v = -70*mV", method="exact",
        spike_times=spike_times,
    )  # fmt: skip
    group.v = -70 * mV
    monitor = e.SpikeMonitor(group)
    e.run(100 * ms)
    # from -70 to -55 towards -50: 10 ms * ln(20/5), on a grid found at the end of a step
    period = 10 * np.log(4) if spike_times == "precise" else np.ceil(100 * np.log(4)) / 10
    assert np.diff(np.asarray(monitor.spike_trains()[0])) * 1e3 == pytest.approx(period, rel=1e-12)


def test_a_method_that_does_not_fit_is_refused_where_the_group_is_made() -> None:
    with pytest.raises(UnsupportedEquations, match="'exact' cannot integrate") as raised:
        e.NeuronGroup(1, "dv/dt = -v**2/(10*ms) : 1", method="exact")
    assert "-v**2/(10*ms)" in str(raised.value)  # the text that it points into
    assert "These can: euler, rk2, rk4, dopri5, heun, milstein." in str(raised.value)
