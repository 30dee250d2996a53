"""Values that change in time at fixed moments, usable as functions in model text."""

from __future__ import annotations

from typing import Any

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.compile.lower import Lowerer, convert
from eccles.engine.clock import to_seconds
from eccles.engine.program import ProgramBuilder
from eccles.engine.state import Array
from eccles.errors import DimensionMismatchError, SetupError
from eccles.objects.naming import unique_name
from eccles.objects.swept import called_values, first_values
from eccles.units import DIMENSIONLESS, Dimension, Quantity, get_dimensions, second

__all__ = ["TimedArray"]


class TimedArray:
    """A function of time that is constant for `dt` at a time.

    Parameters
    ----------
    values : array (time,) or (time, element), any unit
        Row k holds for k*dt <= t < (k + 1)*dt; the last row holds ever after, the first before t = 0.
    dt : time
        How long each row holds.
    name : str, optional

    Notes
    -----
    In model text it is called as `name(t)`, or as `name(t, i)` if it has two dimensions; in Python
    likewise. A time within a thousandth of `dt` below a boundary counts as on it.
    """

    def __init__(self, values: Any, dt: Quantity, name: str = "_timedarray*") -> None:
        self.name = unique_name(name, self)
        (values,) = first_values(self, "set_values", values)
        self.dim: Dimension = get_dimensions(values)
        try:
            array = np.array(values, dtype=np.float64)
        except (TypeError, ValueError):
            raise TypeError(f"a TimedArray needs numbers, not {values!r}") from None
        if array.ndim not in (1, 2) or array.size == 0:
            raise SetupError(
                f"a TimedArray has one value per time step, or a row of values per time step; "
                f"this array has shape {array.shape}"
            )
        self._shape = array.shape
        self._dt = to_seconds(dt, "the time step of a TimedArray")
        if not 0 < self._dt < np.inf:
            raise SetupError("the time step of a TimedArray has to be positive and finite")
        self.array = Array(self.name, Element.F64, array.size)
        self.array.data[:] = array.reshape(-1)

    def set_values(self, values: Any) -> None:
        """Replace the values, (time,) or (time, element) as they were, of the same unit.

        Raises
        ------
        DimensionMismatchError
            If they have another unit.
        SetupError
            If they have another shape.
        """
        (values,) = called_values(self, "set_values", values)
        if get_dimensions(values) is not self.dim:
            raise DimensionMismatchError(
                f"the values of {self.name} have a unit", get_dimensions(values), self.dim
            )
        array = np.asarray(values, dtype=np.float64)
        if array.shape != self._shape:
            raise SetupError(
                f"{self.name} has values of shape {self._shape}, which {array.shape} does not fit",
                hint="Fill shorter stimuli up to the length of the longest.",
            )
        self.array.data[:] = array.reshape(-1)

    @property
    def values(self) -> np.ndarray:
        """The values without units, (time,) or (time, element): what native code reads."""
        return self.array.data.reshape(self._shape)

    @property
    def dt(self) -> Quantity:
        """How long each row holds."""
        return Quantity(self._dt, dim=second.dim)

    # -- what the language needs to know ----------------------------------------------------------

    @property
    def arity(self) -> int:
        """The number of arguments in model text."""
        return self.values.ndim

    stateful = False

    def dims(self, args: tuple[Dimension, ...]) -> Dimension:
        """The dimension of a call, given those of its arguments."""
        if args[0] is not second.dim:
            raise DimensionMismatchError(f"{self.name}(t) needs a time", args[0], second.dim)
        if len(args) > 1 and args[1] is not DIMENSIONLESS:
            raise DimensionMismatchError(f"the index in {self.name}(t, i) has no unit", args[1])
        return self.dim

    def types(self, args: tuple[str, ...]) -> str:
        """The type of a call."""
        return "float"

    def constant_over(self, dt: float) -> bool:
        """Whether the values change only at multiples of `dt`."""
        ratio = self._dt / dt
        return ratio > 0.999 and abs(ratio - round(ratio)) < 1e-6

    def emit_dt(self, b: ProgramBuilder) -> ir.Expr:
        """How long each row holds, in a program."""
        return b.float_constant(("timed", id(self), "dt"), "dt", lambda: self._dt)

    # -- values -----------------------------------------------------------------------------------

    def _row(self, t: Any) -> np.ndarray:
        row = np.floor((np.asarray(t, float) + 1e-3 * self._dt) / self._dt)
        return np.clip(np.nan_to_num(row), 0, self.values.shape[0] - 1).astype(np.int64)

    def evaluate(self, t: Any, i: Any = None) -> np.ndarray:
        """Values without units at times in seconds; as in a run, an index out of range is the nearest one."""
        row = self._row(t)
        if i is None:
            return self.values[row]
        return self.values[row, np.clip(np.asarray(i, np.int64), 0, self.values.shape[1] - 1)]

    def __call__(self, t: Any, i: Any = None) -> Any:
        """The value at time `t` (and for element `i`), with its unit."""
        if get_dimensions(t) is not second.dim:
            raise DimensionMismatchError(f"{self.name}(t) needs a time", get_dimensions(t), second.dim)
        if self.values.ndim == 2 and i is None:
            raise SetupError(f"{self.name} has a value per element: call it as {self.name}(t, i)")
        if i is not None and np.any((np.asarray(i) < 0) | (np.asarray(i) >= self.values.shape[-1])):
            raise IndexError(f"{self.name} has values for elements 0 to {self.values.shape[-1] - 1}, not {i}")
        values = self.evaluate(np.asarray(t), i)
        return values if self.dim is DIMENSIONLESS else Quantity(values, dim=self.dim)

    def emit(self, b: ProgramBuilder, args: tuple[ir.Expr, ...], lowerer: Lowerer) -> ir.Expr:
        """The IR value of a call."""
        dt = self.emit_dt(b)
        last = b.integer_constant(("timed", id(self), "last"), "last", lambda: self.values.shape[0] - 1)
        nudged = Op("fadd", (convert(args[0], ir.F64), Op("fmul", (ir.const(1e-3), dt))))
        row: ir.Expr = Op("ftoi", (Op("floor", (Op("fdiv", (nudged, dt)),)),))
        row = Op("imax", (Op("imin", (row, last)), ir.const(0)))
        if self.values.ndim == 1:
            return b.load(self.array, lowerer.let("row", row))
        columns = b.integer_constant(("timed", id(self), "columns"), "columns", lambda: self.values.shape[1])
        column = Op("imax", (
            Op("imin", (convert(args[1], ir.I64), Op("isub", (columns, ir.const(1))))), ir.const(0)
        ))  # fmt: skip
        return b.load(self.array, lowerer.let("at", Op("iadd", (Op("imul", (row, columns)), column))))

    def __repr__(self) -> str:
        return f"<TimedArray '{self.name}', {self.values.shape} values, every {self.dt}>"
