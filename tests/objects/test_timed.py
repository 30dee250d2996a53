"""Values that change at fixed moments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eccles as e
from eccles.units import ms, mV, nA


@given(t=st.floats(-5, 30, allow_nan=False), dt=st.sampled_from([0.1, 0.13, 1.0, 2.5]), n=st.integers(1, 12))
def test_a_row_holds_from_its_moment_to_the_next(t: float, dt: float, n: int) -> None:
    array = e.TimedArray(np.arange(n), dt=dt * ms)
    nearest = round(t / dt)
    if abs(t / dt - nearest) < 2e-3:
        return  # at a boundary: see below
    expected = min(max(int(np.floor(t / dt)), 0), n - 1)
    assert array(t * ms) == expected


def test_a_time_just_below_a_boundary_counts_as_on_it() -> None:
    array = e.TimedArray([1, 2, 3], dt=1 * ms)
    assert array(0.9995 * ms) == 2
    assert array(0.9985 * ms) == 1


def test_native_code_and_python_agree() -> None:
    values = e.TimedArray(np.arange(50) * mV, dt=0.13 * ms)
    table = e.TimedArray(np.arange(40).reshape(10, 4), dt=0.4 * ms)
    group = e.NeuronGroup(4, "x = values(t) : volt\ny = table(t, i) : 1")
    trace = e.StateMonitor(group, ["x", "y"], record=True)
    e.run(8 * ms)
    assert np.array_equal(trace.x_[0], np.asarray(values(trace.t)))
    for k in range(4):
        assert np.array_equal(trace.y[k], table(trace.t, k))


@pytest.mark.parametrize(
    ("values", "dt"),
    [
        ("abc", 1 * ms), (None, 1 * ms), ([], 1 * ms), (3, 1 * ms), (np.ones((2, 2, 2)), 1 * ms),
        ([1j], 1 * ms), ([1], 1), ([1], 0 * ms), ([1], -1 * ms), ([1], float("inf") * ms),
        ([1], float("nan") * ms), ([1], 1 * mV),
    ],
)  # fmt: skip
def test_impossible_arrays_are_refused(values: Any, dt: Any) -> None:
    with pytest.raises((TypeError, e.EcclesError)):
        e.TimedArray(values, dt=dt)


def test_calls_are_checked() -> None:
    line = e.TimedArray([1, 2] * nA, dt=1 * ms)
    table = e.TimedArray(np.ones((2, 3)), dt=1 * ms)
    assert table.arity == 2
    for text in ("line(t, i)", "table(t)", "line(3)", "table(t, t)", "line()"):
        with pytest.raises(e.ModelError):
            e.NeuronGroup(3, f"x = {text} : amp")
    with pytest.raises(e.DimensionMismatchError):
        line(3)
    with pytest.raises(e.SetupError, match="element"):
        table(1 * ms)
    with pytest.raises(e.SetupError, match=r"3 elements, but .* has 4"):
        e.NeuronGroup(4, "x = table(t, i) : 1")


def test_an_index_out_of_range_reads_no_other_memory() -> None:
    table = e.TimedArray(np.arange(6.0).reshape(2, 3), dt=1 * ms)
    group = e.NeuronGroup(2, "x = table(t, i*1000000 - 5) : 1", namespace={"table": table})
    trace = e.StateMonitor(group, "x", record=True)
    e.Network(group, trace).run(0.2 * ms)
    assert trace.x.T.tolist() == [[0, 2]] * 3  # the last sample is taken after the run, by other code
    assert group.x[:].tolist() == [0, 2]
    for i in (-1, 3):
        with pytest.raises(IndexError, match="0 to 2"):
            table(0 * ms, i)


def test_values_can_be_changed_in_place_but_not_replaced() -> None:
    array = e.TimedArray([1.0, 2.0], dt=0.1 * ms)
    group = e.NeuronGroup(1, "x : 1", namespace={"array": array})
    group.run_regularly("x = array(t)")
    net = e.Network(group)
    array.values[1] = 7
    net.run(0.2 * ms)
    assert group.x[0] == 7 == array(1 * ms)
    with pytest.raises(AttributeError):
        array.values = np.zeros(100)  # type: ignore[misc]
