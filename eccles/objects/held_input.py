"""Input from a `TimedArray` that changes within time steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.engine.instants import Instants
from eccles.engine.program import ProgramBuilder
from eccles.engine.state import Array
from eccles.engine.walk import SAME

if TYPE_CHECKING:
    from eccles.objects.timed import TimedArray

__all__ = ["HeldInput"]


class HeldInput:
    """A `TimedArray` that changes within time steps: since when its value holds.

    Attributes
    ----------
    since : Array
        The time at which the present row begins.
    following : Array
        The row that holds from the present instant on; negative if none follows.
    """

    def __init__(self, name: str, timed: TimedArray) -> None:
        self._timed = timed
        self.since = Array(f"{name}.since", Element.F64, 1)
        self.following = Array(f"{name}.following", Element.I64, 1, fill=-1)

    def emit_begin(self, b: ProgramBuilder, instants: Instants, kind: ir.Expr, item: int) -> None:
        """A step begins: find the present row, and when others begin within the step."""
        every = self._timed.emit_dt(b)
        start = b.let("start", b.step_start(instants.clock))
        end = b.let("end", Op("fadd", (start, instants.horizon(b))))
        row = Op("ftoi", (Op("floor", (Op("fdiv", (Op("fadd", (start, ir.const(SAME))), every)),)),))
        row = b.let("row", row)
        last = b.let("last", Op("ftoi", (Op("floor", (Op("fdiv", (end, every)),)),)))
        instants.emit_room(b, Op("isub", (last, row)))
        b.store(self.since, 0, Op("fmul", (Op("itof", (row,)), every)))
        b.store(self.following, 0, ir.const(-1))
        with b.loop("r", Op("iadd", (row, ir.const(1))), Op("iadd", (last, ir.const(1)))) as r:
            time = Op("fsub", (Op("fmul", (Op("itof", (r,)), every)), start))
            instants.emit_push(b, time, kind, ir.const(item), r)

    def emit_change(self, b: ProgramBuilder) -> None:
        """From now on the row that follows holds."""
        row = b.let("row", b.load(self.following, 0))
        with b.when(Op("ige", (row, ir.const(0)))):
            b.store(self.since, 0, Op("fmul", (Op("itof", (row,)), self._timed.emit_dt(b))))
            b.store(self.following, 0, ir.const(-1))
