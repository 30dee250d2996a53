"""Clocks: integer steps, compared in a common base."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eccles.engine.clock import TICK_LIMIT, Clock, common_periods, steps_of, to_seconds
from eccles.errors import DimensionMismatchError, SetupError
from eccles.units import ms, mV, second, us


def test_the_time_is_the_step_times_dt() -> None:
    clock = Clock(0.1 * ms)
    clock.timestep = 3
    assert clock.t_ == 3 * 1e-4
    assert float(clock.t) == clock.t_
    assert clock.dt_ == pytest.approx(1e-4)


@pytest.mark.parametrize("dt", [0 * ms, -1 * ms, float("inf") * ms, float("nan") * ms])
def test_impossible_time_steps_are_refused(dt: object) -> None:
    with pytest.raises(SetupError):
        Clock(dt)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("dt", [1.0, 1 * mV, "fast", None, [1, 2] * ms])
def test_a_time_step_has_to_be_one_time(dt: object) -> None:
    with pytest.raises((DimensionMismatchError, SetupError, TypeError)):
        Clock(dt)  # pyright: ignore[reportArgumentType]


def test_dt_can_change_at_a_multiple_of_it_only() -> None:
    clock = Clock(0.1 * ms)
    clock.timestep = 5
    clock.dt = 0.25 * ms
    assert clock.timestep == 2
    with pytest.raises(SetupError, match="multiple"):
        clock.dt = 0.3 * ms


@given(step=st.integers(0, 10**9), dt=st.floats(1e-6, 1e-2))
def test_the_step_at_a_multiple_of_dt_is_that_multiple(step: int, dt: float) -> None:
    assert steps_of(step * dt, dt) == step


def test_a_time_just_below_a_step_counts_as_on_it() -> None:
    assert steps_of(0.9995e-3, 1e-3) == 1
    assert steps_of(0.9985e-3, 1e-3) == 0


def test_a_time_needs_its_unit() -> None:
    assert to_seconds(2 * ms, "a delay") == pytest.approx(2e-3)
    with pytest.raises(DimensionMismatchError, match="a delay"):
        to_seconds(2, "a delay")
    with pytest.raises(SetupError, match="NaN"):
        to_seconds(float("nan") * second, "a delay")


@given(st.lists(st.sampled_from([25, 50, 100, 130, 200, 500, 1000]), min_size=1, max_size=4))
def test_periods_in_the_common_base_are_exact_ratios(steps: list[int]) -> None:
    periods = common_periods([Clock(step * us) for step in steps])
    assert all(Fraction(p, periods[0]) == Fraction(s, steps[0]) for p, s in zip(periods, steps, strict=True))
    assert min(periods) >= 1


def test_steps_without_a_useful_common_divisor_still_have_bounded_periods() -> None:
    periods = common_periods([Clock(0.1 * ms), Clock(second * 1e-4 * 2**0.5)])
    assert max(periods) <= TICK_LIMIT
    assert periods[1] / periods[0] == pytest.approx(2**0.5, rel=1e-9)
