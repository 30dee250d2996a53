"""Make one vector loop of two over the same elements.

A group's update, its threshold and a monitor that records all of it each loop over the same elements.
Run in one loop, what the first computes is still in registers when the second needs it. The second loop
moves up to the first where nothing in between minds; loads of what was just stored become the value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from eccles.compile import ir
from eccles.compile.ir import Element

__all__ = ["fuse"]

FORWARDED = (Element.F64, Element.I64, Element.U8)  # a load gives exactly what was stored


def fuse(program: ir.Program) -> ir.Program:
    """The program with vector loops over the same elements fused."""
    return replace(program, body=_body(program.body))


def _body(statements: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
    done: list[ir.Stmt] = []
    for statement in statements:
        match statement:
            case ir.If(condition, then, orelse, likely):
                done.append(ir.If(condition, _body(then), _body(orelse), likely))
            case ir.While(condition, body):
                done.append(ir.While(condition, _body(body)))
            case ir.For(local, start, stop, body):
                done.append(ir.For(local, start, stop, _body(body)))
            case ir.VectorFor() if (at := _partner(done, statement)) is not None:
                first = done[at]
                assert isinstance(first, ir.VectorFor)
                between = done[at + 1 :]
                moved = _needed(between, statement)
                rest = [s for s in between if s not in moved]
                done[at:] = [*moved, _merge(first, statement), *rest]
            case _:
                done.append(statement)
    return tuple(done)


def _partner(done: list[ir.Stmt], loop: ir.VectorFor) -> int | None:
    """Where the loop is that this one can join."""
    second = _effects((loop,))
    for at in range(len(done) - 1, -1, -1):
        candidate = done[at]
        if (
            isinstance(candidate, ir.VectorFor)
            and candidate.n == loop.n
            and isinstance(loop.n, ir.Local)
            and candidate.padded == loop.padded
            and _joinable(candidate, loop)
        ):
            between = done[at + 1 :]
            moved = _needed(between, loop)
            first = _effects((candidate,))
            if all(
                isinstance(s, ir.Let | ir.Var) and not (_effects((s,)).reads & first.writes) for s in moved
            ):
                return at
            return None
        if not isinstance(candidate, ir.Let | ir.Var | ir.VectorFor | ir.Store | ir.For | ir.SetVar | ir.If):
            return None
        effects = _effects((candidate,))
        if effects.returns or _conflict(effects, second):
            if isinstance(candidate, ir.Let | ir.Var):
                continue  # may move along with the loop
            return None
    return None


@dataclass
class _Effects:
    reads: set[int] = field(default_factory=set)  # slots
    writes: set[int] = field(default_factory=set)
    locals: set[str] = field(default_factory=set)  # used
    sets: set[str] = field(default_factory=set)  # assigned or declared
    returns: bool = False


def _conflict(a: _Effects, b: _Effects) -> bool:
    return bool(
        a.writes & (b.reads | b.writes)
        or b.writes & a.reads
        or a.sets & (b.locals | b.sets)
        or b.sets & a.locals
    )


def _needed(between: list[ir.Stmt], loop: ir.VectorFor) -> list[ir.Stmt]:
    """The statements in between that define what the loop uses, directly or not."""
    wanted = _effects((loop,)).locals | {name for name in _effects((loop,)).sets}
    needed: list[ir.Stmt] = []
    for statement in reversed(between):
        effects = _effects((statement,))
        if isinstance(statement, ir.Let | ir.Var) and effects.sets & wanted:
            needed.append(statement)
            wanted |= effects.locals
    return needed[::-1]


def _joinable(first: ir.VectorFor, second: ir.VectorFor) -> bool:
    """Whether each iteration of the second loop depends on the same iteration of the first alone."""
    a, b = _effects(first.body), _effects(second.body)
    shared = (a.writes & (b.reads | b.writes)) | (b.writes & a.reads)
    return all(_only_at(loop.body, loop.local, shared) for loop in (first, second)) and not (
        a.sets & b.locals
    )


def _only_at(body: tuple[ir.Stmt, ...], local: ir.Local, slots: set[int]) -> bool:
    for statement in body:
        if isinstance(statement, ir.Store) and statement.buffer.slot in slots and statement.index != local:
            return False
        if isinstance(statement, ir.Append) and statement.buffer.slot in slots:
            return False
        for expr in _expressions(statement):
            for node in _nodes(expr):
                if isinstance(node, ir.Load) and node.buffer.slot in slots and node.index != local:
                    return False
    return True


def _merge(first: ir.VectorFor, second: ir.VectorFor) -> ir.VectorFor:
    """One loop; values that the first part stores are used by the second without loading."""
    stored: dict[int, ir.Expr] = {}
    body: list[ir.Stmt] = []
    for statement in first.body:
        if isinstance(statement, ir.Store):
            value = statement.value
            if not isinstance(value, ir.Const | ir.Local):  # read again, it could load what was just stored
                name = ir.Local(
                    f"{first.local.name}.{second.local.name}.{statement.buffer.slot}.{len(body)}", value.type
                )
                body.append(ir.Let(name, value))
                statement, value = ir.Store(statement.buffer, statement.index, name), name
            stored.pop(statement.buffer.slot, None)
            if statement.buffer.element in FORWARDED and statement.index == first.local:
                stored[statement.buffer.slot] = value
        body.append(statement)
    memo: dict[int, ir.Expr] = {}

    def renamed(expr: ir.Expr) -> ir.Expr:
        found = memo.get(id(expr))
        if found is None:
            found = memo[id(expr)] = _renamed(expr, second.local, first.local, stored, renamed)
        return found

    for statement in second.body:
        match statement:
            case ir.Let(local, value):
                body.append(ir.Let(local, renamed(value)))
            case ir.Var(local, value):
                body.append(ir.Var(local, renamed(value)))
            case ir.SetVar(local, value):
                body.append(ir.SetVar(local, renamed(value)))
            case ir.Store(buffer, index, value):
                body.append(ir.Store(buffer, renamed(index), renamed(value)))
                if stored.pop(buffer.slot, None) is not None:
                    memo.clear()
            case ir.Append(buffer, count, value, condition):
                body.append(ir.Append(buffer, count, renamed(value), renamed(condition)))
            case _:
                body.append(statement)
    return ir.VectorFor(first.local, first.n, tuple(body), first.padded)


def _renamed(
    expr: ir.Expr, old: ir.Local, new: ir.Local, stored: dict[int, ir.Expr], recur: object
) -> ir.Expr:
    match expr:
        case ir.Local():
            return new if expr == old else expr
        case ir.Load(buffer, index):
            if index == old and buffer.slot in stored:
                return stored[buffer.slot]
            return ir.Load(buffer, recur(index))  # type: ignore[operator]
        case ir.Op(op, args):
            return ir.Op(op, tuple(recur(a) for a in args))  # type: ignore[operator]
        case ir.Call(function, args):
            return ir.Call(function, tuple(recur(a) for a in args))  # type: ignore[operator]
        case _:
            return expr


def _nodes(expr: ir.Expr) -> Iterator[ir.Expr]:
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, ir.Op | ir.Call):
            stack.extend(node.args)
        elif isinstance(node, ir.Load):
            stack.append(node.index)


def _expressions(statement: ir.Stmt) -> tuple[ir.Expr, ...]:
    match statement:
        case ir.Let(_, value) | ir.Var(_, value) | ir.SetVar(_, value) | ir.Return(value):
            return (value,)
        case ir.Store(_, index, value):
            return (index, value)
        case ir.Append(_, count, value, condition):
            return (count, value, condition)
        case ir.For(_, start, stop, _):
            return (start, stop)
        case ir.VectorFor(_, n, _, _):
            return (n,)
        case ir.While(condition, _):
            return (condition,)
        case ir.If(condition, _, _, _):
            return (condition,)


def _effects(statements: tuple[ir.Stmt, ...]) -> _Effects:
    """What statements read, write and use, all inner statements included."""
    e = _Effects()
    stack = list(statements)
    while stack:
        statement = stack.pop()
        for expr in _expressions(statement):
            for node in _nodes(expr):
                if isinstance(node, ir.Load):
                    e.reads.add(node.buffer.slot)
                elif isinstance(node, ir.Local):
                    e.locals.add(node.name)
        match statement:
            case ir.Let(local, _) | ir.Var(local, _) | ir.SetVar(local, _):
                e.sets.add(local.name)
            case ir.Store(buffer, _, _):
                e.writes.add(buffer.slot)
            case ir.Append(buffer, count, _, _):
                e.writes.add(buffer.slot)
                e.sets.add(count.name)
            case ir.For(_, _, _, body) | ir.VectorFor(_, _, body, _) | ir.While(_, body):
                stack.extend(body)
            case ir.If(_, then, orelse, _):
                stack.extend((*then, *orelse))
            case ir.Return():
                e.returns = True
    return e
