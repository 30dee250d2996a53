"""The instants of a time step: the moments at which something happens, in order of time.

Where spike times are exact, a step from t to t + dt is not one update but a walk from instant to instant.
What is going to happen (a neuron reaches its threshold, a spike arrives, a refractory period ends) stands in
one heap, by its time since the start of the step. The next instant is the earliest entry, with all others
that come within `SAME` of it: times are only known to rounding, and what happens at one time has to be seen
as such. What an instant changes brings new entries; the step is over when none is left.

A step owns the instants in (SAME, dt + SAME], counted from its start; the very first one also those at its
start. So an instant at the end of a step belongs to that step, whichever way its time was rounded.

An entry may go stale: an arriving spike moves the moment at which a neuron reaches its threshold. Entries
are not searched for and removed; whoever made them says whether they still hold when they come up.

What is detected on the time grid (thresholds of stochastic equations, conditions of custom events) is looked
at when nothing else is left of a step, and forms an instant at its end.
"""

from __future__ import annotations

from collections.abc import Callable

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.engine.clock import Clock
from eccles.engine.program import Outcome, ProgramBuilder
from eccles.engine.state import Array
from eccles.engine.walk import CLOSED, OPEN, SAME, Walk

__all__ = ["Instants"]

ON_GRID = 2  # a further stage of a step: what is detected at its end
FIRST_CAPACITY = 1024


class Instants(Walk):
    """The heap of what is going to happen in the current step of a clock, and the instant that it is.

    Parameters and attributes are those of `Walk`.
    """

    without_grid = False

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._size = Array("instants.size", Element.I64, 1)
        self._time = Array("instants.time", Element.F64, FIRST_CAPACITY)
        self._kind = Array("instants.kind", Element.I64, FIRST_CAPACITY)
        self._item = Array("instants.item", Element.I64, FIRST_CAPACITY)
        self._ordinal = Array("instants.ordinal", Element.I64, FIRST_CAPACITY)
        self._handlers: list[tuple[str, Callable[[ProgramBuilder, ir.Expr, ir.Expr, ir.Expr], None]]] = []
        self._detectors: list[Callable[[ProgramBuilder], None]] = []

    # -- who takes part (before a program is built) ------------------------------------------------

    def begin(self) -> None:
        super().begin()
        self._handlers, self._detectors = [], []

    def kind(
        self, name: str, handle: Callable[[ProgramBuilder, ir.Expr, ir.Expr, ir.Expr], None]
    ) -> ir.Const:
        """A new kind of entry; `handle(b, time, item, ordinal)` emits what is done when one comes up."""
        self._handlers.append((name, handle))
        return ir.const(len(self._handlers) - 1)

    def at_grid(self, emit: Callable[[ProgramBuilder], None]) -> None:
        """Have code run at the end of the step that looks for events on the time grid."""
        self._detectors.append(emit)

    # -- code --------------------------------------------------------------------------------------

    def horizon(self, b: ProgramBuilder) -> ir.Expr:
        return Op("fadd", (b.dt(self.clock), ir.const(SAME)))

    def emit_room(self, b: ProgramBuilder, n: ir.Expr) -> None:
        """Make sure that there is room for n more entries; the block runs again if there was not."""
        full = Op("igt", (Op("iadd", (b.load(self._size, 0), n)), b.size(self._time)))
        self.emit_grow_if(b, full)

    def has_room(self, b: ProgramBuilder) -> ir.Expr:
        """Whether there is room for one more entry."""
        return Op("ilt", (b.load(self._size, 0), b.size(self._time)))

    def emit_grow_if(self, b: ProgramBuilder, full: ir.Expr) -> None:
        """Make more room where a condition holds; the block runs again then."""
        b.leave_if(full, Outcome("more room for instants", self._grow, again=True))

    def _grow(self) -> None:
        room = 2 * len(self._time)
        for array in (self._kind, self._item, self._ordinal, self._time):
            array.resize(room)

    def emit_push(
        self, b: ProgramBuilder, time: ir.Expr, kind: ir.Expr, item: ir.Expr, ordinal: ir.Expr
    ) -> None:
        """Put in an entry; `emit_room` has been asked for it."""
        time = b.let("time", time)
        size = b.let("size", b.load(self._size, 0))
        b.store(self._size, 0, Op("iadd", (size, ir.const(1))))
        place = b.var("place", size)
        above = b.var("above", self._above(size))
        item = b.let("item", item)
        rising = Op("and", (Op("igt", (place, ir.const(0))), self._before(b, (time, item), above)))
        with b.body() as statements:
            self._move(b, above, place)
            b.set(place, above)
            b.set(above, self._above(place))
        b.emit(ir.While(rising, tuple(statements)))
        self._put(b, place, time, kind, item, ordinal)

    def _before(self, b: ProgramBuilder, entry: tuple[ir.Expr, ir.Expr], place: ir.Expr) -> ir.Expr:
        """Whether an entry (its time and item) comes before that at a place; at one time, by item."""
        (time, item), there = entry, b.load(self._time, place)
        tie = Op("and", (Op("feq", (time, there)), Op("ilt", (item, b.load(self._item, place)))))
        return Op("or", (Op("flt", (time, there)), tie))

    @staticmethod
    def _above(place: ir.Expr) -> ir.Expr:
        up = Op("iashr", (Op("isub", (place, ir.const(1))), ir.const(1)))
        return Op("imax", (up, ir.const(0)))

    def _move(self, b: ProgramBuilder, source: ir.Expr, target: ir.Expr) -> None:
        for array in (self._time, self._kind, self._item, self._ordinal):
            b.store(array, target, b.load(array, source))

    def _put(
        self, b: ProgramBuilder, at: ir.Expr, time: ir.Expr, kind: ir.Expr, item: ir.Expr, ordinal: ir.Expr
    ) -> None:
        for array, value in (
            (self._time, time), (self._kind, kind), (self._item, item), (self._ordinal, ordinal)
        ):  # fmt: skip
            b.store(array, at, value)

    def _emit_pop(self, b: ProgramBuilder) -> tuple[ir.Expr, ir.Expr, ir.Expr, ir.Expr]:
        """Take out the earliest entry: its time, kind, item and ordinal."""
        first = tuple(
            b.let(stem, b.load(array, 0))
            for stem, array in (
                ("time", self._time), ("kind", self._kind), ("item", self._item), ("ordinal", self._ordinal)
            )
        )  # fmt: skip
        n = b.let("n", Op("isub", (b.load(self._size, 0), ir.const(1))))
        b.store(self._size, 0, n)
        last = tuple(b.let("last", b.load(a, n)) for a in (self._time, self._kind, self._item, self._ordinal))
        place = b.var("place", ir.const(0))
        child = b.var("child", ir.const(0))
        self._set_lower_child(b, place, child, n)
        within = Op("ilt", (child, n))
        below = Op("select", (within, child, ir.const(0)))
        upper = Op("not", (self._before(b, (last[0], last[2]), below),))
        sinking = Op("and", (within, upper))
        with b.body() as statements:
            self._move(b, child, place)
            b.set(place, child)
            self._set_lower_child(b, place, child, n)
        b.emit(ir.While(sinking, tuple(statements)))
        self._put(b, place, *last)
        time, kind, item, ordinal = first
        return time, kind, item, ordinal

    def _set_lower_child(self, b: ProgramBuilder, place: ir.Expr, child: ir.Local, n: ir.Expr) -> None:
        """The earlier of the two entries below one, or at least n if there is none."""
        left = b.let("left", Op("iadd", (Op("iadd", (place, place)), ir.const(1))))
        at_most = Op("imax", (left, Op("isub", (n, ir.const(1)))))
        right = b.let("right", Op("imin", (Op("iadd", (left, ir.const(1))), at_most)))
        # both are below the number of entries before the one was taken out, or not looked at
        inside = Op("ilt", (left, n))
        at_left, at_right = (Op("select", (inside, at, ir.const(0))) for at in (left, right))
        right_entry = (b.load(self._time, at_right), b.load(self._item, at_right))
        earlier = self._before(b, right_entry, at_left)
        b.set(child, Op("select", (earlier, right, left)))

    def emit_collect(self, b: ProgramBuilder) -> None:
        self._emit_next_number(b)
        horizon = b.let("horizon", self.horizon(b))
        first = b.let("first", b.load(self._time, 0))
        left = b.let("left", Op("and", (self._some(b), Op("fle", (first, horizon)))))
        now = b.let("now", Op("select", (left, first, b.dt(self.clock))))
        self._emit_arrive_at(b, now, b.load(self._now, 0))
        with b.when(left):
            b.moment = now
            until = b.let("until", Op("fadd", (now, ir.const(SAME))))
            due = Op("and", (self._some(b), Op("fle", (b.load(self._time, 0), until))))
            with b.body() as statements:
                time, kind, item, ordinal = self._emit_pop(b)
                for k, (_, handle) in enumerate(self._handlers):
                    with b.when(Op("ieq", (kind, ir.const(k)))):
                        handle(b, time, item, ordinal)
            b.emit(ir.While(due, tuple(statements)))
        with b.when(Op("not", (left,))):
            if not self._detectors:
                b.store(self.stage, 0, ir.const(CLOSED))
                return
            b.moment = now
            first_time = b.let("first_time", Op("ieq", (b.load(self.stage, 0), ir.const(OPEN))))
            b.store(self.stage, 0, Op("select", (first_time, ir.const(ON_GRID), ir.const(CLOSED))))
            with b.when(first_time):
                for detect in self._detectors:
                    detect(b)

    def _some(self, b: ProgramBuilder) -> ir.Expr:
        return Op("igt", (b.load(self._size, 0), ir.const(0)))

    def forget(self) -> None:
        super().forget()
        self._size.data[0] = 0
