"""Spikes at exact times of sources that know at the start of a step which come in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.engine.events import EventBuffer
from eccles.engine.program import Block, Part, ProgramBuilder
from eccles.engine.state import Array
from eccles.objects.sources import SpikeSource
from eccles.objects.timing import Timing, wants_precise

__all__ = ["ExactSpikes"]


class ExactSpikes:
    """The spikes of a source that knows at the start of a step which come in it, on their way to the heap.

    Where the source is to stay on the grid, its spikes come at the end of the step, one of each element.
    """

    def __init__(self, source: SpikeSource, timing: Timing, buffer: EventBuffer) -> None:
        self.source = source
        self.exact = wants_precise(source, timing.network)
        self._instants = timing.heap
        buffer.be_exact()
        self._instants.at_start(buffer.emit_clear)
        self._kind = self._instants.kind(
            f"{source.name} spikes",
            lambda b, time, element, ordinal: buffer.emit_add(b, element, time, ordinal),
        )
        self._full = Array(f"{source.name}.full", Element.I64, 1)  # whether the heap was, when it ran last

    def blocks(self, emit: Callable[[ProgramBuilder, ExactSpikes], None]) -> list[Block]:
        """The block that puts a step's spikes into the heap."""

        def whole(b: ProgramBuilder) -> None:
            emit(b, self)
            full = b.let("full", Op("ine", (b.load(self._full, 0), ir.const(0))))
            self._instants.emit_grow_if(b, full)

        source = self.source
        return [Block(f"{source.name}_spikes", source.clock, "after_groups", 0, whole, Part.BEFORE)]

    def first_time(self, b: ProgramBuilder) -> ir.Expr:
        """Whether the block runs for the first time in this step."""
        return b.let("fresh", Op("ieq", (b.load(self._full, 0), ir.const(0))))

    @contextmanager
    def each(self, b: ProgramBuilder, due: ir.Expr) -> Iterator[None]:
        """Code that runs as long as another spike is due and the heap has room."""
        self._sent = b.var("sent", ir.const(0))
        with b.body() as statements:
            yield
        b.emit(ir.While(Op("and", (due, self._instants.has_room(b))), tuple(statements)))
        b.store(self._full, 0, Op("btoi", (due,)))

    def emit(self, b: ProgramBuilder, offset: ir.Expr, element: ir.Expr, ordinal: ir.Expr) -> None:
        """Put a spike into the heap."""
        if self.exact:
            self._instants.emit_push(b, offset, self._kind, element, ordinal)
            return
        with b.when(Op("ieq", (self._sent, ir.const(0)))):
            self._instants.emit_push(b, b.dt(self.source.clock), self._kind, element, ordinal)
        b.set(self._sent, ir.const(1))
