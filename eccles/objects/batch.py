"""The neurons of a group to which something happens at the present instant."""

from __future__ import annotations

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.engine.program import ProgramBuilder
from eccles.engine.state import Array
from eccles.engine.walk import Walk

__all__ = ["Batch"]


class Batch:
    """A list of neurons, each at most once per instant.

    Parameters
    ----------
    name : str
        Of the group, for the program's text.
    size : int
        The number of neurons of the group.
    walk : Walk
        Whose instants are meant.

    Attributes
    ----------
    ids : Array, (size,)
        The neurons; the first `n` elements count.
    n : Array, (1,)
        How many there are.
    """

    def __init__(self, name: str, size: int, walk: Walk) -> None:
        self.ids = Array(f"{name}.batch", Element.I32, size)
        self.n = Array(f"{name}.n_batch", Element.I64, 1)
        self._member = Array(f"{name}.member", Element.I64, size)  # of the batch of which instant
        self._walk = walk

    def is_member(self, b: ProgramBuilder, e: ir.Expr) -> ir.Expr:
        """Whether a neuron is in the batch."""
        return Op("ieq", (b.load(self._member, e), b.load(self._walk.number, 0)))

    def emit_touch(self, b: ProgramBuilder, e: ir.Expr) -> None:
        """Put a neuron into the batch, unless it is in it."""
        with b.when(Op("not", (self.is_member(b, e),))):
            self.emit_join(b, e)

    def emit_join(self, b: ProgramBuilder, e: ir.Expr) -> None:
        """Put a neuron into the batch that is not in it."""
        b.store(self._member, e, b.load(self._walk.number, 0))
        n = b.let("n", b.load(self.n, 0))
        b.store(self.ids, n, e)
        b.store(self.n, 0, Op("iadd", (n, ir.const(1))))

    def emit_clear(self, b: ProgramBuilder) -> None:
        """Empty the batch."""
        b.store(self.n, 0, ir.const(0))

    def forget(self) -> None:
        """Empty the batch, between calls of the program."""
        self.n.data[0] = 0
