"""The native program of a network: blocks in schedule order inside one loop over time steps.

A `ProgramBuilder` collects what the objects of a network contribute. The program it makes is

    entry      load clocks and constants
    prologue   coefficients that are computed once per call
    loop       while a clock has steps left:
                 block 0, block 1, ...     in schedule order, each only when its clock is due
                 advance the clocks

With exact spike times a step goes from instant to instant (`instants.py`):

    loop       while a clock has steps left:
                 blocks before the instants
                 while there are instants:   blocks of an instant
                 blocks after the instants
                 advance the clocks

Where a block needs Python (a network operation, a full buffer), the program saves its clocks and the
block's number and returns the number of an outcome; called again, it skips the blocks before that one
and goes on. So nothing that was computed is lost, and no block needs to know of the others.

The program's text depends on the structure of the network alone. Sizes, time steps, parameters and
addresses are read from memory at entry; a different value never needs a new compilation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from eccles.compile import ir
from eccles.compile.ir import BOOL, F64, I64, Op
from eccles.compile.lower import Names
from eccles.engine.clock import Clock, common_periods
from eccles.engine.state import Array

if TYPE_CHECKING:
    from eccles.engine.walk import Walk

__all__ = ["EARLIEST", "Block", "Loop", "Outcome", "Part", "ProgramBuilder"]


EARLIEST = "earliest"  # `when` of a block that runs before all slots of a schedule


@dataclass(frozen=True)
class Outcome:
    """Why a program returned before its time was up, and what Python does about it."""

    name: str
    handle: Callable[[], None]
    again: bool = False  # run the block again (room was made), or go on behind it


# Seconds that connected neurons are taken through at once. Their times are counted from the start, and
# rounded to 1e-17 s at most: summed up over a run of hours that stays far below what counts as one instant.
LONGEST_PASS = 0.05


def steps_at_once(clock: Clock) -> int:
    """How many steps connected neurons are taken through at once, where there is no grid."""
    return max(1, int(LONGEST_PASS / clock.dt_))


class Part(IntEnum):
    """The part of a time step that a block belongs to, where spike times are exact; in order.

    From `PREDICT` to `INSTANT` the parts are repeated for every instant of the step.
    """

    BEFORE = 0  # at the start of the step
    PREDICT = 1  # what the last instant has changed is followed to the end of the step
    SEARCH = 2  # for what happens until then
    COLLECT = 3  # what happens next
    TOUCH = 4  # find out which neurons that concerns
    ADVANCE = 5  # bring these to the present
    INSTANT = 6  # the slots of the schedule, for what happens now
    AFTER = 7  # at the end of the step


INSTANT_PARTS = range(Part.PREDICT, Part.AFTER)


@dataclass
class Block:
    """What an object does in one slot of a time step."""

    owner: str
    clock: Clock
    when: str
    order: int
    emit: Callable[[ProgramBuilder], None]
    part: Part | None = None  # None: before the instants up to the slot `groups`, else after them


@dataclass
class Loop:
    """A built program and what has to be filled in before a call."""

    program: ir.Program
    arrays: list[Array]
    floats: list[Callable[[], float]]
    integers: list[Callable[[], int]]
    float_store: Array
    integer_store: Array
    clock_store: Array
    clocks: list[Clock]
    outcomes: list[Outcome]
    prepares: list[Callable[[], None]]  # computations in Python before each call
    slots: dict[object, tuple[Array, int]]  # where each constant is stored

    without_grid: bool = False

    def stride(self) -> int:
        """Calls end at multiples of so many ticks, or at the end of the run."""
        if not self.without_grid:
            return 1
        return max(steps_at_once(c) * p for c, p in zip(self.clocks, self.periods(), strict=True))

    def periods(self) -> list[int]:
        """The length of each clock's step in ticks of their common base."""
        return common_periods(self.clocks)


def add(a: ir.Expr, b: ir.Expr) -> ir.Expr:
    """Integer sum; a zero disappears."""
    if isinstance(a, ir.Const) and a.value == 0:
        return b
    if isinstance(b, ir.Const) and b.value == 0:
        return a
    return Op("iadd", (a, b))


def _straight_line(statement: ir.Stmt) -> bool:
    """Whether a statement of a vector loop calls only functions that such a loop may call."""

    def calls(expr: ir.Expr) -> bool:
        match expr:
            case ir.Op(_, args):
                return all(map(calls, args))
            case ir.Call(function, args):
                return ir.straight_line(function) and all(map(calls, args))
            case ir.Load(_, index):
                return calls(index)
            case _:
                return True

    match statement:
        case ir.Let(_, value) | ir.Var(_, value) | ir.SetVar(_, value):
            return calls(value)
        case ir.Store(_, index, value):
            return calls(index) and calls(value)
        case ir.Append(_, _, value, condition):
            return calls(value) and calls(condition)
        case _:
            return True


def _one_by_one(statement: ir.Stmt) -> ir.Stmt:
    """A statement of a vector loop as one of a scalar loop."""
    if not isinstance(statement, ir.Append):
        return statement
    count = statement.count
    append = (
        ir.Store(statement.buffer, count, statement.value),
        ir.SetVar(count, add(count, ir.const(1))),
    )
    return ir.If(statement.condition, append)


class ProgramBuilder:
    """Collects statements of one program, block by block.

    Attributes
    ----------
    instants : Walk or None
        The instants of a time step (or of the whole call), where spike times are exact.
    moment : ir.Expr or None
        In code for an instant: the time since the start of the step.
    ordinal : ir.Expr or None
        What random numbers are counted by instead of by steps, in code for an event: its number.
    """

    def __init__(self, clocks: list[Clock], instants: Walk | None = None) -> None:
        self.names = Names()
        self.clocks = clocks
        self.instants = instants
        self.moment: ir.Expr | None = None
        self.ordinal: ir.Expr | None = None
        self._after = False  # the instants of the step
        self.entry: list[ir.Stmt] = []
        self.prologue: list[ir.Stmt] = []
        self.header: list[ir.Stmt] = []  # at the start of every step
        self.outcomes: list[Outcome] = []
        self.prepares: list[Callable[[], None]] = []
        self._bodies: list[list[ir.Stmt]] = []
        self._arrays: list[Array] = []
        self._buffers: dict[int, ir.Buffer] = {}
        self._floats: list[Callable[[], float]] = []
        self._integers: list[Callable[[], int]] = []
        self._constants: dict[object, ir.Local] = {}
        self.slots: dict[object, tuple[Array, int]] = {}
        self.claimed: dict[object, str] = {}  # what one object only may do, and which one does
        self._block_idx = 0
        self._resume_points: set[int] = set()
        self.float_store = Array("floats", ir.Element.F64, 0)
        self.integer_store = Array("integers", ir.Element.I64, 0)
        self.clock_store = Array("clocks", ir.Element.I64, 1 + 3 * len(clocks))
        self._float_buffer = self.buffer(self.float_store)
        self._integer_buffer = self.buffer(self.integer_store)
        self._clock_buffer = self.buffer(self.clock_store)
        self._phase = self.names.local("phase", I64)
        self.entry.append(ir.Var(self._phase, ir.Load(self._clock_buffer, ir.const(0))))
        self._steps: list[ir.Local] = []
        self._ends: list[ir.Local] = []
        self._periods: list[ir.Local] = []
        self._due: list[ir.Expr] = []
        for k in range(len(clocks)):
            step, end, period = (self.names.local(f"{stem}{k}", I64) for stem in ("step", "end", "period"))
            self.entry.append(ir.Var(step, ir.Load(self._clock_buffer, ir.const(1 + 3 * k))))
            self.entry.append(ir.Let(end, ir.Load(self._clock_buffer, ir.const(2 + 3 * k))))
            self.entry.append(ir.Let(period, ir.Load(self._clock_buffer, ir.const(3 + 3 * k))))
            self._steps.append(step)
            self._ends.append(end)
            self._periods.append(period)

    # -- memory ---------------------------------------------------------------------------------

    def buffer(self, array: Array) -> ir.Buffer:
        """The program's name for an array."""
        key = id(array)
        if key not in self._buffers:
            slot = len(self._arrays)
            self._arrays.append(array)
            self._buffers[key] = ir.Buffer(f"{array.name}@{slot}", array.element, slot)
        return self._buffers[key]

    def load(self, array: Array, index: ir.Expr | int) -> ir.Load:
        """`array[index]`."""
        return ir.Load(self.buffer(array), ir.const(index) if isinstance(index, int) else index)

    def store(self, array: Array, index: ir.Expr | int, value: ir.Expr) -> None:
        """Emit `array[index] = value`."""
        at = ir.const(index) if isinstance(index, int) else index
        self.emit(ir.Store(self.buffer(array), at, value))

    def float_constant(self, key: object, name: str, get: Callable[[], float]) -> ir.Local:
        """A number that stays the same during a call; `get` is asked before each call."""
        if key not in self._constants:
            local = self.names.local(f"c_{name}", F64)
            self.entry.append(ir.Let(local, ir.Load(self._float_buffer, ir.const(len(self._floats)))))
            self.slots[key] = (self.float_store, len(self._floats))
            self._floats.append(get)
            self._constants[key] = local
        return self._constants[key]

    def integer_constant(self, key: object, name: str, get: Callable[[], int]) -> ir.Local:
        """As `float_constant`, for an integer."""
        if key not in self._constants:
            local = self.names.local(f"n_{name}", I64)
            self.entry.append(ir.Let(local, ir.Load(self._integer_buffer, ir.const(len(self._integers)))))
            self.slots[key] = (self.integer_store, len(self._integers))
            self._integers.append(get)
            self._constants[key] = local
        return self._constants[key]

    def size(self, array: Array) -> ir.Local:
        """The number of elements of an array."""
        return self.integer_constant(("size", id(array)), array.name, lambda: len(array))

    def size_of(self, owner: object, size: int) -> ir.Local:
        """The number of elements of something whose number never changes."""
        return self.integer_constant(("size of", id(owner)), "size", lambda: size)

    # -- time -----------------------------------------------------------------------------------

    def step(self, clock: Clock) -> ir.Expr:
        """The clock's current step."""
        return self._steps[self.clocks.index(clock)]

    def end(self, clock: Clock) -> ir.Expr:
        """The step at which the clock stops in this call: that of the slice, and at last that of the run."""
        return self._ends[self.clocks.index(clock)]

    def period(self, clock: Clock) -> ir.Expr:
        """The length of the clock's step in ticks that all clocks have in common."""
        return self._periods[self.clocks.index(clock)]

    def steps_left(self, clock: Clock) -> ir.Expr:
        """How many steps of the clock are taken at once, where there is no grid."""
        k = self.clocks.index(clock)
        return Op("isub", (self._next_steps[k], self._steps[k]))

    def dt(self, clock: Clock) -> ir.Local:
        """The clock's time step in seconds."""
        return self.float_constant(("dt", id(clock)), "dt", lambda: clock.dt_)

    def t(self, clock: Clock) -> ir.Expr:
        """The clock's current time in seconds."""
        step = self.step(clock)
        if self.instants is not None and clock is self.instants.clock:
            if self._after:
                step = Op("iadd", (step, ir.const(1)))
            elif self.moment is not None:
                return Op("fadd", (self.step_start(clock), self.moment))
        return Op("fmul", (Op("itof", (step,)), self.dt(clock)))

    def t_rest(self, clock: Clock) -> ir.Expr:
        """What the clock's current time is more than `t`, which is rounded: ages are differences of times."""
        count, dt = Op("itof", (self.step(clock),)), self.dt(clock)
        start = self.let("start", Op("fmul", (count, dt)))
        rest = Op("fmuladd", (count, dt, Op("fneg", (start,))))
        if self.moment is None:
            return rest
        t = self.let("t", Op("fadd", (start, self.moment)))
        added = self.let("added", Op("fsub", (t, start)))
        lost = Op("fadd", (
            Op("fsub", (start, Op("fsub", (t, added)))), Op("fsub", (self.moment, added))
        ))  # fmt: skip
        return Op("fadd", (lost, rest))

    def step_start(self, clock: Clock) -> ir.Expr:
        """The time at which the clock's current step began."""
        return Op("fmul", (Op("itof", (self.step(clock),)), self.dt(clock)))

    @contextmanager
    def counted_by(self, ordinal: ir.Expr | None) -> Iterator[None]:
        """Random numbers in code that is emitted within are those of this event, not of the step."""
        before, self.ordinal = self.ordinal, ordinal
        try:
            yield
        finally:
            self.ordinal = before

    # -- statements -----------------------------------------------------------------------------

    def emit(self, *statements: ir.Stmt) -> None:
        """Append statements to the body under construction."""
        self._bodies[-1].extend(statements)

    def let(self, stem: str, value: ir.Expr) -> ir.Expr:
        """Bind a value in the body under construction."""
        if isinstance(value, ir.Const | ir.Local):
            return value
        local = self.names.local(stem, value.type)
        self.emit(ir.Let(local, value))
        return local

    def var(self, stem: str, value: ir.Expr) -> ir.Local:
        """Declare a mutable local."""
        local = self.names.local(stem, value.type)
        self.emit(ir.Var(local, value))
        return local

    def set(self, local: ir.Local, value: ir.Expr) -> None:
        """Assign to a mutable local."""
        self.emit(ir.SetVar(local, value))

    @property
    def current_body(self) -> list[ir.Stmt]:
        """The list that `emit` appends to."""
        return self._bodies[-1]

    @contextmanager
    def body(self) -> Iterator[list[ir.Stmt]]:
        """Statements emitted within go into a list of their own."""
        statements: list[ir.Stmt] = []
        self._bodies.append(statements)
        try:
            yield statements
        finally:
            self._bodies.pop()

    @contextmanager
    def loop(self, stem: str, start: ir.Expr, stop: ir.Expr) -> Iterator[ir.Local]:
        """A scalar loop."""
        local = self.names.local(stem, I64)
        with self.body() as statements:
            yield local
        self.emit(ir.For(local, start, stop, tuple(statements)))

    @contextmanager
    def vector(self, stem: str, n: ir.Expr, *, padded: bool = True) -> Iterator[ir.Local]:
        """A vector loop over elements 0 .. n-1; one by one if its body calls a function that loops."""
        local = self.names.local(stem, I64)
        with self.body() as statements:
            yield local
        if all(map(_straight_line, statements)):
            self.emit(ir.VectorFor(local, n, tuple(statements), padded))
        else:
            self.emit(ir.For(local, ir.const(0), n, tuple(map(_one_by_one, statements))))

    @contextmanager
    def elements(self, stem: str, n: ir.Expr, first: ir.Expr) -> Iterator[ir.Local]:
        """A loop over elements first .. first+n-1: a vector loop if they are a whole group."""
        if isinstance(first, ir.Const) and first.value == 0:
            with self.vector(stem, n) as element:
                yield element
        else:
            with self.loop(stem, first, add(first, n)) as element:
                yield element

    @contextmanager
    def when(self, condition: ir.Expr, *, likely: bool | None = None) -> Iterator[None]:
        """Statements that run only where the condition holds."""
        with self.body() as statements:
            yield
        self.emit(ir.If(condition, tuple(statements), (), likely))

    def choose(
        self, condition: ir.Expr, then: Callable[[], None], orelse: Callable[[], None] | None = None
    ) -> None:
        """A branch; each side is emitted by a call."""
        sides: list[tuple[ir.Stmt, ...]] = []
        for side in (then, orelse):
            with self.body() as statements:
                if side is not None:
                    side()
            sides.append(tuple(statements))
        self.emit(ir.If(condition, sides[0], sides[1]))

    # -- outcomes -------------------------------------------------------------------------------

    def leave(self, outcome: Outcome) -> None:
        """Emit: save where we are and return to Python with this outcome."""
        self.outcomes.append(outcome)
        resume = self._block_idx + (0 if outcome.again else 1)
        self._resume_points.add(resume)
        self.emit(*self._save(ir.const(resume)), ir.Return(ir.const(len(self.outcomes))))

    def leave_if(self, condition: ir.Expr, outcome: Outcome) -> None:
        """Emit `leave` under a condition that is rarely true."""
        with self.when(condition, likely=False):
            self.leave(outcome)

    def _save(self, phase: ir.Expr) -> list[ir.Stmt]:
        saved: list[ir.Stmt] = [ir.Store(self._clock_buffer, ir.const(0), phase)]
        saved += [
            ir.Store(self._clock_buffer, ir.const(1 + 3 * k), step) for k, step in enumerate(self._steps)
        ]
        return saved

    # -- the whole ------------------------------------------------------------------------------

    def build(self, blocks: list[Block]) -> Loop:
        """The program that runs these blocks, which are in schedule order, part by part."""
        bodies: list[tuple[Block, list[ir.Stmt]]] = []
        self._find_next_steps()
        for idx, block in enumerate(blocks):
            self._block_idx = idx
            with self.body() as statements:
                self._emit_block(block)
            bodies.append((block, statements))
        single = len(self.clocks) == 1
        step_body: list[ir.Stmt] = []
        going: ir.Expr
        if single:
            going = Op("ilt", (self._steps[0], self._ends[0]))
            due: dict[int, ir.Expr] = {}
        else:
            going, due = self._multi_clock_header(step_body)
        step_body += self.header
        step_body += self._step(bodies, due)
        for k, step in enumerate(self._steps):
            advance: ir.Expr = Op("iadd", (step, ir.const(1)))
            if self.instants is not None and self.instants.without_grid:
                advance = self._next_steps[k]
            if not single:
                advance = Op("iadd", (step, Op("btoi", (due[id(self.clocks[k])],))))
            step_body.append(ir.SetVar(step, advance))
        body = (
            *self.entry,
            *self.prologue,
            ir.While(going, tuple(step_body)),
            *self._save(ir.const(0)),
            ir.Return(ir.const(0)),
        )
        program = ir.Program("run", tuple(self._buffers.values()), body)
        self.float_store.resize(len(self._floats))
        self.integer_store.resize(len(self._integers))
        return Loop(
            program, self._arrays, self._floats, self._integers, self.float_store, self.integer_store,
            self.clock_store, self.clocks, self.outcomes, self.prepares, self.slots,
            self.instants is not None and self.instants.without_grid,
        )  # fmt: skip

    def _find_next_steps(self) -> None:
        """Where there is no grid, many steps are taken at once; not all, so that times stay short numbers."""
        self._next_steps: list[ir.Expr] = []
        if self.instants is None or not self.instants.without_grid:
            return
        for clock, step, end in zip(self.clocks, self._steps, self._ends, strict=True):
            most = self.integer_constant(
                ("most", id(clock)), "most", lambda clock=clock: steps_at_once(clock)
            )
            following = self.names.local("next", I64)
            # at multiples of that many, wherever the call began: results do not depend on how a run is cut
            boundary = Op("imul", (Op("iadd", (Op("idiv", (step, most)), ir.const(1))), most))
            self.header.append(ir.Let(following, Op("imin", (boundary, end))))
            self._next_steps.append(following)

    def _emit_block(self, block: Block) -> None:
        part = block.part
        if self.instants is not None and block.clock is self.instants.clock and part is not None:
            self._after = part is Part.AFTER
            if part in INSTANT_PARTS:
                self.moment = self.instants.emit_now(self)
        block.emit(self)
        self.moment, self._after = None, False

    def _step(self, bodies: list[tuple[Block, list[ir.Stmt]]], due: dict[int, ir.Expr]) -> list[ir.Stmt]:
        """The blocks of one time step."""
        numbered = list(enumerate(bodies))
        if self.instants is None:
            return [*self._segments(numbered, due), *self._resumed()]
        within = [(k, body) for k, body in numbered if body[0].part in INSTANT_PARTS]
        before = [(k, body) for k, body in numbered if body[0].part is Part.BEFORE]
        after = [(k, body) for k, body in numbered if body[0].part is Part.AFTER]
        open_ = Op("ine", (self.load(self.instants.stage, 0), ir.const(0)))
        instant = (*self._segments(within, {}), *self._resumed())
        return [
            *self._segments(before, due), ir.While(open_, instant), *self._segments(after, due),
            *self._resumed(),
        ]  # fmt: skip

    def _resumed(self) -> list[ir.Stmt]:
        """From here on nothing is skipped any more."""
        return [ir.SetVar(self._phase, ir.const(0))] if self._resume_points else []

    def _segments(
        self, bodies: list[tuple[int, tuple[Block, list[ir.Stmt]]]], due: dict[int, ir.Expr]
    ) -> list[ir.Stmt]:
        """The blocks, those between two points of return under one guard."""
        segments: list[tuple[int, list[ir.Stmt]]] = []
        for idx, (block, statements) in bodies:
            if not segments or idx in self._resume_points:
                segments.append((idx, []))
            condition = due.get(id(block.clock))
            if statements and condition is not None:
                statements = [ir.If(condition, tuple(statements))]
            segments[-1][1].extend(statements)
        if not self._resume_points:
            return [statement for _, statements in segments for statement in statements]
        return [
            ir.If(Op("ile", (self._phase, ir.const(idx))), tuple(statements), (), True)
            for idx, statements in segments
            if statements
        ]

    def _multi_clock_header(self, step_body: list[ir.Stmt]) -> tuple[ir.Expr, dict[int, ir.Expr]]:
        """Several clocks: each step of the loop is the earliest tick at which any clock is due."""
        never = ir.const(2**62)
        ticks, going = [], []
        for k, step in enumerate(self._steps):
            running = Op("ilt", (step, self._ends[k]))
            going.append(running)
            tick = self.names.local(f"tick{k}", I64)
            value = Op("select", (running, Op("imul", (step, self._periods[k])), never))
            step_body.append(ir.Let(tick, value))
            ticks.append(tick)
        now: ir.Expr = ticks[0]
        for tick in ticks[1:]:
            now = Op("imin", (now, tick))
        earliest = self.names.local("now", I64)
        step_body.append(ir.Let(earliest, now))
        due: dict[int, ir.Expr] = {}
        for k, tick in enumerate(ticks):
            flag = self.names.local(f"due{k}", BOOL)
            step_body.append(ir.Let(flag, Op("ieq", (tick, earliest))))
            due[id(self.clocks[k])] = flag
        any_going: ir.Expr = going[0]
        for condition in going[1:]:
            any_going = Op("or", (any_going, condition))
        return any_going, due
