"""Code that runs at every step of a clock or after events: what is refused (values: see Brian 2's cases)."""

from __future__ import annotations

from typing import Any

import pytest

import eccles as e
import eccles.brian2 as face
from eccles.units import ms, mV


@pytest.fixture
def group() -> Any:
    return e.NeuronGroup(3, "v : volt\nx = 2*v : volt\ns : 1 (shared)\nn : integer")


WRONG = [
    "v = 3", "v = ", "w*2", "x = 1*mV", "i = 3", "t = 1*ms", "v = unknown", "n = v", "s = i", 5, None,
    "n = int(s); s = 2",
    "v = 1*mV if n else 2*mV",
]  # fmt: skip


@pytest.mark.parametrize("code", WRONG)
def test_wrong_statements_are_refused_where_they_are_written(group: Any, code: Any) -> None:
    with pytest.raises((TypeError, e.EcclesError)):
        group.run_regularly(code)


def test_the_compatible_face_finds_them_at_the_run() -> None:
    group = face.NeuronGroup(3, "v : volt")
    group.run_regularly("v = 3")
    with pytest.raises(face.BrianObjectException) as caught:
        face.run(1 * ms)
    assert isinstance(caught.value.__cause__, e.UnitError)


@pytest.mark.parametrize(
    "more",
    [
        {"dt": 5},
        {"dt": 0 * ms},
        {"dt": 1 * mV},
        {"when": 3},
        {"order": "first"},
        {"clock": 3},
        {"dt": 1 * ms, "clock": e.Clock(1 * ms)},
    ],
)
def test_impossible_times_are_refused(group: Any, more: dict[str, Any]) -> None:
    with pytest.raises((TypeError, e.EcclesError)):
        group.run_regularly("n += 1", **more)


def test_several_lines_temporaries_and_a_clock_of_its_own() -> None:
    group = e.NeuronGroup(3, "v : 1\nw : 1")
    clock = e.Clock(0.3 * ms)
    runner = group.run_regularly(
        """
        twice = 2*i    # a temporary
        v += twice; w = v - twice
        """,
        clock=clock,
    )
    assert runner.clock is clock
    e.run(1 * ms)
    assert group.v[:].tolist() == [0, 8, 16]
    assert group.w[:].tolist() == [0, 6, 12]


def test_code_for_an_event_that_does_not_exist_is_refused(group: Any) -> None:
    with pytest.raises(e.SetupError, match="no event 'start'"):
        group.run_on_event("start", "n += 1")


def test_shared_variables_are_written_once_and_first() -> None:
    group = e.NeuronGroup(3, "v : 1\ns : 1 (shared)", threshold="v > 5", refractory=1 * ms)
    group.run_regularly("s = 2*s + 1; v = s + i")
    e.run(0.3 * ms)
    assert group.s[:] == 7
    assert group.v[:].tolist() == [7, 8, 9]
    with pytest.raises(e.EquationError, match="shared"):
        group.run_on_event("spike", "s += 1")
    with pytest.raises(e.EquationError, match="shared"):
        e.NeuronGroup(3, "v : 1\ns : 1 (shared)", threshold="v > 5", reset="s += 1")
