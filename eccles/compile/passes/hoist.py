"""Move what does not change in a loop out of it.

LLVM would do so too, but the passes that it needs cost more time than the rest of the compilation. An
expression moves to just before the outermost loop in which nothing that it uses changes. All operations of
the IR are pure and cannot trap, so computing one early is safe even if the loop would never have. Two
things are not moved that far:

- loads from buffers that the program stores to as well do not move,
- other loads, and calls of functions with loops, leave no branch: the branch may be what makes an index
  valid or a loop finite.

A *level* is a number of loops around; a name or an expression has the level of the innermost loop in which
its value changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from eccles.compile import ir

__all__ = ["hoist"]


def hoist(program: ir.Program) -> ir.Program:
    """The program with invariant expressions moved out of its loops."""
    return replace(program, body=_Hoister(_stored(program.body)).body(program.body))


def _stored(statements: tuple[ir.Stmt, ...]) -> set[int]:
    """The slots of buffers that are written."""
    return {s.buffer.slot for s in ir.walk(statements) if isinstance(s, ir.Store | ir.Append)}


def _assigned(statements: tuple[ir.Stmt, ...]) -> set[str]:
    """The variables that are declared or assigned to."""
    found: set[str] = set()
    for statement in ir.walk(statements):
        match statement:
            case ir.Var(local, _) | ir.SetVar(local, _) | ir.Append(_, local, _, _):
                found.add(local.name)
            case _:
                pass
    return found


class _Hoister:
    def __init__(self, stored: set[int]) -> None:
        self.stored = stored
        self.level = 0
        self.levels: dict[str, int] = {}  # of names that are no variables
        self.versions: dict[str, int] = {}  # of variables: raised wherever one may change
        self.meaning: dict[str, ir.Expr] = {}  # of names that moved out of their loop, or are names for names
        # by level: the variables that change in the loop, what goes before the loop that is being entered,
        # what of that is known by which name, and whether a branch is around
        self.assigned: list[set[str]] = [set()]
        self.pending: list[list[ir.Stmt]] = [[]]
        self.known: list[dict[object, ir.Local]] = [{}]
        self.branches: list[int] = [0]
        self.keys: dict[int, tuple[ir.Expr, object]] = {}
        self.interned: dict[object, int] = {}
        self.straight: dict[str, bool] = {}
        self.n = 0

    # -- statements -------------------------------------------------------------------------------

    def body(self, statements: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
        out: list[ir.Stmt] = []
        pending = self.pending[self.level]
        for statement in statements:
            new = self.statement(statement)
            out += pending  # what moved out of loops in this statement
            pending.clear()
            if new is not None:
                out.append(new)
        return tuple(out)

    def statement(self, statement: ir.Stmt) -> ir.Stmt | None:
        match statement:
            case ir.Let(local, value):
                new, level = self.visit(value)
                self.levels[local.name] = level
                a_name = isinstance(new, ir.Const) or (isinstance(new, ir.Local) and new.name in self.levels)
                if level < self.level or a_name:
                    self.meaning[local.name] = self.placed(new, level)
                    return None
                return ir.Let(local, new)
            case ir.Var(local, value):
                self.versions[local.name] = 0
                return ir.Var(local, self.expr(value))
            case ir.SetVar(local, value):
                new = self.expr(value)
                self.versions[local.name] += 1
                return ir.SetVar(local, new)
            case ir.Store(buffer, index, value):
                return ir.Store(buffer, self.expr(index), self.expr(value))
            case ir.Append(buffer, count, value, condition):
                return ir.Append(buffer, count, self.expr(value), self.expr(condition))
            case ir.Prefetch(buffer, index):
                return ir.Prefetch(buffer, self.expr(index))
            case ir.Return(value):
                return ir.Return(self.expr(value))
            case ir.If(condition, then, orelse, likely):
                return ir.If(self.expr(condition), self.branch(then), self.branch(orelse), likely)
            case ir.For(local, start, stop, body):
                first, last = self.expr(start), self.expr(stop)
                with self.loop(body, local):
                    return ir.For(local, first, last, self.body(body))
            case ir.VectorFor(local, n, body, padded):
                size = self.expr(n)
                with self.loop(body, local):
                    return ir.VectorFor(local, size, self.body(body), padded)
            case ir.While(condition, body):
                with self.loop(body):
                    return ir.While(self.expr(condition), self.body(body))

    def branch(self, statements: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
        """The body of a branch: what moves out of loops in it stays in it."""
        level = self.level
        pending, self.pending[level] = self.pending[level], []
        known, self.known[level] = self.known[level], dict(self.known[level])
        self.branches[level] += 1
        new = self.body(statements)
        self.pending[level], self.known[level] = pending, known
        self.branches[level] -= 1
        return new

    @contextmanager
    def loop(self, body: tuple[ir.Stmt, ...], local: ir.Local | None = None) -> Iterator[None]:
        self.level += 1
        assigned = _assigned(body)
        self.assigned.append(assigned)
        self._change(assigned)
        self.pending.append([])
        self.known.append({})
        self.branches.append(0)
        if local is not None:
            self.levels[local.name] = self.level
        yield
        self._change(assigned)
        self.level -= 1
        self.assigned.pop()
        self.pending.pop()
        self.known.pop()
        self.branches.pop()

    def _change(self, variables: set[str]) -> None:
        for name in variables:
            self.versions[name] = self.versions.get(name, 0) + 1

    def level_of_variable(self, name: str) -> int:
        for level in range(self.level, 0, -1):
            if name in self.assigned[level]:
                return level
        return 0

    # -- expressions ------------------------------------------------------------------------------

    def expr(self, expr: ir.Expr) -> ir.Expr:
        """The expression with its invariant parts, or all of it, moved out."""
        return self.placed(*self.visit(expr))

    def visit(self, expr: ir.Expr) -> tuple[ir.Expr, int]:
        """The expression in terms of names that are known at its level, and that level."""
        match expr:
            case ir.Const():
                return expr, 0
            case ir.Local(name):
                if name in self.versions:
                    return expr, self.level_of_variable(name)
                return self.meaning.get(name, expr), min(self.levels[name], self.level)
            case ir.Load(buffer, index):
                if buffer.slot in self.stored:
                    least = self.level
                elif isinstance(index, ir.Const) and 0 <= index.value < ir.VECTOR_PADDING:
                    least = 0  # there in every array
                else:
                    least = self.guarded()
                (at,), level = self.arguments((index,), least)
                return ir.Load(buffer, at), level
            case ir.Op(op, args):
                new, level = self.arguments(args, 0)
                return ir.Op(op, new), level
            case ir.Call(function, args):
                new, level = self.arguments(args, 0 if self.straight_line(function) else self.guarded())
                return ir.Call(function, new), level

    def arguments(self, args: tuple[ir.Expr, ...], least: int) -> tuple[tuple[ir.Expr, ...], int]:
        """The arguments, and the level of the whole; arguments of lower levels move out by themselves."""
        visited = [self.visit(a) for a in args]
        level = max([least, *[level for _, level in visited]])
        return tuple([a if of_a == level else self.placed(a, of_a) for a, of_a in visited]), level

    def straight_line(self, function: ir.Function) -> bool:
        found = self.straight.get(function.name)
        if found is None:
            found = self.straight[function.name] = ir.straight_line(function)
        return found

    def guarded(self) -> int:
        """The innermost level at which a branch is around."""
        for level in range(self.level, 0, -1):
            if self.branches[level]:
                return level
        return 0

    def placed(self, expr: ir.Expr, level: int) -> ir.Expr:
        """The name of an expression that is computed outside; itself if it stays."""
        if level == self.level or isinstance(expr, ir.Const | ir.Local):
            return expr
        key = self.key(expr)
        for known in self.known[: level + 1]:
            if key in known:
                return known[key]
        self.n += 1
        local = ir.Local(f"fixed@{self.n}", expr.type)  # no other name has an @
        self.levels[local.name] = level
        self.pending[level].append(ir.Let(local, expr))
        self.known[level][key] = local
        return local

    def key(self, expr: ir.Expr) -> object:
        """Equal for equal expressions (unlike ==, which takes 0.0 for -0.0)."""
        match expr:
            case ir.Const(value, type_):
                return type_, value.hex() if isinstance(value, float) else value
            case ir.Local(name):
                return name, self.versions.get(name)
        found = self.keys.get(id(expr))
        if found is not None:
            return found[1]
        match expr:
            case ir.Load(buffer, index):
                raw: object = "load", buffer.slot, self.key(index)
            case ir.Op(op, args):
                raw = op, *[self.key(a) for a in args]
            case ir.Call(function, args):
                raw = "call", function.name, *[self.key(a) for a in args]
        key = self.interned.setdefault(raw, len(self.interned))
        # `visit` makes new nodes each time, so a version in a key is never out of date; the node is kept
        # alive, so that its identity stays its own
        self.keys[id(expr)] = expr, key
        return key
