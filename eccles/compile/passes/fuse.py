"""Make one vector loop of two over the same elements.

A group's update, its threshold and a monitor that records all of it each loop over the same elements.
Run in one loop, what the first computes is still in registers when the second needs it. The second loop
moves up to the first, with the definitions that it needs, where nothing that it passes minds; loads of
what was just stored become the value.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from eccles.compile import ir
from eccles.compile.ir import Element

__all__ = ["fuse"]

FORWARDED = (Element.F64, Element.I64, Element.U8)  # a load gives exactly what was stored


def fuse(program: ir.Program) -> ir.Program:
    """The program with vector loops over the same elements fused."""
    return replace(program, body=_body(program.body))


def _body(statements: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
    done: list[_Known] = []
    for statement in statements:
        match statement:
            case ir.If(condition, then, orelse, likely):
                statement = ir.If(condition, _body(then), _body(orelse), likely)
            case ir.While(condition, body):
                statement = ir.While(condition, _body(body))
            case ir.For(local, start, stop, body):
                statement = ir.For(local, start, stop, _body(body))
            case ir.VectorFor() if _joined(done, _Known(statement)):
                continue
        done.append(_Known(statement))
    return tuple([known.statement for known in done])


class _Effects:
    """What statements do, all inner statements included."""

    def __init__(self) -> None:
        self.reads: set[int] = set()  # slots
        self.writes: set[int] = set()
        self.uses: set[str] = set()  # names
        self.sets: set[str] = set()  # names that are defined or assigned to
        self.returns = False

    def minds(self, other: _Effects) -> bool:
        """Whether the order of the two matters."""
        return bool(
            self.returns
            or other.returns
            or self.writes & (other.reads | other.writes)
            or other.writes & self.reads
            or self.sets & (other.uses | other.sets)
            or other.sets & self.uses
        )


class _Known:
    """A statement with its effects."""

    def __init__(self, statement: ir.Stmt) -> None:
        self.statement = statement

    @cached_property
    def effects(self) -> _Effects:
        return _effects((self.statement,))


def _joined(done: list[_Known], second: _Known) -> bool:
    """Whether the loop `second`, which follows `done`, was merged with a loop therein."""
    loop = second.statement
    assert isinstance(loop, ir.VectorFor)
    if not any(isinstance(known.statement, ir.VectorFor) for known in done):
        return False
    moving = [second]  # the loop, after the definitions that have to move up with it
    staying: list[_Known] = []
    for at in range(len(done) - 1, -1, -1):
        candidate = done[at]
        first = candidate.statement
        if (
            isinstance(first, ir.VectorFor)
            and first.n == loop.n
            and isinstance(loop.n, ir.Local)
            and first.padded == loop.padded
            and not any(m.effects.minds(candidate.effects) for m in moving[:-1])
            and _joinable(first, loop)
        ):
            definitions = moving[:-1]
            done[at:] = [*definitions, _Known(_merge(first, loop)), *staying]
            return True
        if not any(m.effects.minds(candidate.effects) for m in moving):
            staying.insert(0, candidate)
        elif isinstance(first, ir.Let | ir.Var) and not any(
            s.effects.minds(candidate.effects) for s in staying
        ):
            moving.insert(0, candidate)
        else:
            return False
    return False


def _joinable(first: ir.VectorFor, second: ir.VectorFor) -> bool:
    """Whether each iteration of the second loop depends on the same iteration of the first alone."""
    a, b = _effects(first.body), _effects(second.body)
    shared = (a.writes & (b.reads | b.writes)) | (b.writes & a.reads)
    if a.sets & (b.uses | b.sets) or b.sets & a.uses:  # a count of one that the other uses
        return False
    return all(_only_at(loop.body, loop.local, shared) for loop in (first, second))


def _only_at(body: tuple[ir.Stmt, ...], local: ir.Local, slots: set[int]) -> bool:
    """Whether these buffers are used at the loop's index alone."""
    for statement in body:
        if isinstance(statement, ir.Store) and statement.buffer.slot in slots and statement.index != local:
            return False
        if isinstance(statement, ir.Append) and statement.buffer.slot in slots:
            return False
        for expr in ir.expressions(statement):
            for node in ir.nodes(expr):
                if isinstance(node, ir.Load) and node.buffer.slot in slots and node.index != local:
                    return False
    return True


def _merge(first: ir.VectorFor, second: ir.VectorFor) -> ir.VectorFor:
    """One loop; values that the first part stores are used by the second without loading."""
    stored: dict[int, ir.Expr] = {}
    body: list[ir.Stmt] = []
    variables = {s.local for s in first.body if isinstance(s, ir.Var)}
    for statement in first.body:
        if isinstance(statement, ir.Store):
            value = statement.value
            # an expression could load what has changed by then; a variable could have been assigned to
            if not isinstance(value, ir.Const | ir.Local) or value in variables:
                name = f"{first.local.name}@{second.local.name}@{len(body)}"
                local = ir.Local(name, value.type)
                body.append(ir.Let(local, value))
                statement, value = ir.Store(statement.buffer, statement.index, local), local
            stored.pop(statement.buffer.slot, None)
            if statement.buffer.element in FORWARDED and statement.index == first.local:
                stored[statement.buffer.slot] = value
        body.append(statement)
    rename = _Renaming(second.local, first.local, stored)
    for statement in second.body:
        match statement:
            case ir.Let(local, value):
                body.append(ir.Let(local, rename(value)))
            case ir.Var(local, value):
                body.append(ir.Var(local, rename(value)))
            case ir.SetVar(local, value):
                body.append(ir.SetVar(local, rename(value)))
            case ir.Store(buffer, index, value):
                body.append(ir.Store(buffer, rename(index), rename(value)))
                rename.forget(buffer.slot)
            case ir.Append(buffer, count, value, condition):
                body.append(ir.Append(buffer, count, rename(value), rename(condition)))
            case _:
                raise AssertionError("no other statement stands in a vector loop")
    return ir.VectorFor(first.local, first.n, tuple(body), first.padded)


class _Renaming:
    """Expressions of the second loop as they are in the first: `rename(expr)`."""

    def __init__(self, old: ir.Local, new: ir.Local, stored: dict[int, ir.Expr]) -> None:
        self.old = old
        self.new = new
        self.stored = stored  # what was stored at the loop's index, by slot
        self.known: dict[int, ir.Expr] = {}  # by identity: shared nodes stay shared

    def forget(self, slot: int) -> None:
        """Loads from this buffer are loads from now on."""
        if self.stored.pop(slot, None) is not None:
            self.known.clear()

    def __call__(self, expr: ir.Expr) -> ir.Expr:
        match expr:
            case ir.Const():
                return expr
            case ir.Local():
                return self.new if expr == self.old else expr
        found = self.known.get(id(expr))
        if found is None:
            found = self.known[id(expr)] = self._renamed(expr)
        return found

    def _renamed(self, expr: ir.Load | ir.Op | ir.Call) -> ir.Expr:
        match expr:
            case ir.Load(buffer, index):
                if index == self.old and buffer.slot in self.stored:
                    return self.stored[buffer.slot]
                return ir.Load(buffer, self(index))
            case ir.Op(op, args):
                return ir.Op(op, tuple([self(a) for a in args]))
            case ir.Call(function, args):
                return ir.Call(function, tuple([self(a) for a in args]))


# -- what statements do -----------------------------------------------------------------------------


def _effects(statements: tuple[ir.Stmt, ...]) -> _Effects:
    e = _Effects()
    for statement in ir.walk(statements):
        for expr in ir.expressions(statement):
            for node in ir.nodes(expr):
                if isinstance(node, ir.Load):
                    e.reads.add(node.buffer.slot)
                elif isinstance(node, ir.Local):
                    e.uses.add(node.name)
        match statement:
            case ir.Let(local, _) | ir.Var(local, _) | ir.SetVar(local, _):
                e.sets.add(local.name)
            case ir.Store(buffer, _, _):
                e.writes.add(buffer.slot)
            case ir.Append(buffer, count, _, _):
                e.writes.add(buffer.slot)
                e.sets.add(count.name)
            case ir.Return():
                e.returns = True
            case _:
                pass
    return e
