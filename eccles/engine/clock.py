"""Clocks: integer steps of a fixed length. Time is always a step count times dt, never a sum."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from eccles.errors import DimensionMismatchError, SetupError
from eccles.units import Quantity, get_dimensions, second

__all__ = ["Clock", "common_periods", "n_steps", "steps_of", "to_seconds"]

SHORTEST = 1e-15  # seconds: steps are compared to the femtosecond
TICK_LIMIT = 10**11  # of a step: ticks are 64-bit integers and have to last for long runs


def to_seconds(value: object, what: str) -> float:
    """A time as a bare float, or a `DimensionMismatchError` that says what was expected."""
    dim = get_dimensions(value)
    if dim is not second.dim:
        raise DimensionMismatchError(
            f"{what} has to be a time, but {value!r} is not one", dim, second.dim,
            hint="Give it a unit of time, as in 0.1*ms or 2*second.",
        )  # fmt: skip
    array = np.asarray(value)
    if array.ndim != 0 or array.dtype.kind not in "biuf":
        raise TypeError(f"{what} has to be one time, not {value!r}")
    number = float(array)
    if math.isnan(number):
        raise SetupError(f"{what} is not a number (NaN)")
    return number


def steps_of(t: float, dt: float) -> int:
    """The step at time `t`: a time within a thousandth of a step below a boundary counts as on it."""
    return math.floor((t + 1e-3 * dt) / dt)


def n_steps(duration: float, dt: float) -> int:
    """The number of steps in a run of so many seconds from t = 0; a step that is begun is finished."""
    steps = round(duration / dt)
    return steps if abs(steps * dt - duration) <= 1e-4 * dt else math.ceil(duration / dt)


class Clock:
    """A clock ticks every `dt` and counts its steps.

    Parameters
    ----------
    dt : time
        The length of a step.
    name : str, optional
        A name for messages.

    Attributes
    ----------
    timestep : int
        Steps taken so far; the time is `timestep * dt`.
    """

    def __init__(self, dt: Quantity, name: str = "clock") -> None:
        self.name = name
        self.timestep = 0
        self._dt = 0.0
        self.dt = dt

    @property
    def dt(self) -> Quantity:
        """The length of a step."""
        return Quantity(self._dt, dim=second.dim)

    @dt.setter
    def dt(self, value: Quantity) -> None:
        seconds = to_seconds(value, f"the time step of {self.name}")
        self._set(seconds)

    def _set(self, seconds: float) -> None:
        if not 0 < seconds < math.inf:
            raise SetupError(f"the time step of {self.name} has to be positive, not {seconds} s")
        if seconds < SHORTEST:
            raise SetupError(f"the time step of {self.name} ({seconds} s) is shorter than a femtosecond")
        if self.timestep:
            t = self.timestep * self._dt
            step = round(t / seconds)
            if abs(step * seconds - t) > 1e-4 * seconds:
                raise SetupError(
                    f"the time step of {self.name} cannot become {seconds} s at t = {t} s, "
                    f"which is not a multiple of it"
                )
            self.timestep = step
        self._dt = seconds

    def go_to(self, timestep: int, dt: float) -> None:
        """Stand at the beginning of a step, with steps of `dt` seconds."""
        if not 0 < dt < math.inf:
            raise SetupError(f"the time step of {self.name} has to be positive, not {dt} s")
        self.timestep, self._dt = timestep, dt

    @property
    def dt_(self) -> float:
        """The length of a step in seconds, without unit."""
        return self._dt

    @dt_.setter
    def dt_(self, seconds: float) -> None:
        self._set(float(seconds))

    @property
    def t(self) -> Quantity:
        """The time of the clock."""
        return Quantity(self.t_, dim=second.dim)

    @property
    def t_(self) -> float:
        """The time of the clock in seconds, without unit."""
        return self.timestep * self._dt

    def __repr__(self) -> str:
        return f"Clock(dt={self.dt!r}, name={self.name!r})"


def _simple_fraction(x: float) -> Fraction:
    """The number as a fraction of small terms, if one is as near as rounding can tell."""
    for digits in range(1, 16):
        fraction = Fraction(x).limit_denominator(10**digits)
        if abs(fraction - Fraction(x)) <= 1e-13 * x:
            return fraction
    return Fraction(x).limit_denominator(10**15)


def common_periods(clocks: list[Clock]) -> list[int]:
    """The length of each clock's step in ticks of one common base, so that clocks can be compared exactly.

    The base is the greatest common divisor of the steps, each taken as the simple fraction of a second
    that it most likely was before it became a binary number.
    """
    if len(clocks) == 1:
        return [1]
    exact = [_simple_fraction(clock.dt_) for clock in clocks]
    denominator = math.lcm(*(f.denominator for f in exact))
    ticks = [int(f * denominator) for f in exact]
    divisor = math.gcd(*ticks)
    periods = [tick // divisor for tick in ticks]
    if max(periods) > TICK_LIMIT:
        # steps without a useful common divisor: compare them to the femtosecond
        ticks = [round(clock.dt_ * 1e15) for clock in clocks]
        divisor = math.gcd(*ticks)
        periods = [tick // divisor for tick in ticks]
    return periods
