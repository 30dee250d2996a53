"""Move what does not change in a loop out of it.

LLVM would do so too, but the passes that it needs cost more time than the rest of the compilation. An
expression moves to just before the outermost loop in which nothing it uses changes. All operations of
the IR are pure and cannot trap, so computing one early is safe even if the loop would never have.
Loads move only if the program never stores to their buffer; variables never.
"""

from __future__ import annotations

from dataclasses import replace

from eccles.compile import ir

__all__ = ["hoist"]


def hoist(program: ir.Program) -> ir.Program:
    """The program with invariant expressions moved out of its loops."""
    return replace(program, body=_Hoister(_stored(program.body)).top(program.body))


def _stored(statements: tuple[ir.Stmt, ...]) -> set[int]:
    """The slots of buffers that are written."""
    found: set[int] = set()
    stack = list(statements)
    while stack:
        match stack.pop():
            case ir.Store(buffer, _, _) | ir.Append(buffer, _, _, _):
                found.add(buffer.slot)
            case ir.For(_, _, _, body) | ir.VectorFor(_, _, body, _) | ir.While(_, body):
                stack.extend(body)
            case ir.If(_, then, orelse, _):
                stack.extend((*then, *orelse))
    return found


class _Hoister:
    def __init__(self, stored: set[int]) -> None:
        self.stored = stored
        self.level = 0  # how many loops are around
        self.levels: dict[str, int] = {}  # in which loop a name gets its value; 0 is outside of all
        self.renamed: dict[str, ir.Expr] = {}  # names bound in a loop to what moved out of it
        self.pending: list[list[ir.Stmt]] = [[]]  # what goes before the loop that is entered, by level
        self.known: list[dict[object, ir.Local]] = [{}]
        self.keys: dict[int, tuple[ir.Expr, object]] = {}
        self.interned: dict[object, int] = {}
        self.n = 0

    def top(self, statements: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
        return self._body(statements)

    def _body(self, statements: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
        out: list[ir.Stmt] = []
        for statement in statements:
            new = self._statement(statement)
            if isinstance(statement, ir.For | ir.VectorFor | ir.While | ir.If):
                # expressions that were moved to this level stand before the loop they came from
                out.extend(self.pending[self.level])
                self.pending[self.level].clear()
            out.append(new)
        return tuple(out)

    def _statement(self, statement: ir.Stmt) -> ir.Stmt:
        match statement:
            case ir.Let(local, value):
                level = self._level(value)
                new = self._expr(value)
                self.levels[local.name] = level
                if level < self.level:
                    self.renamed[local.name] = new
                return ir.Let(local, new)
            case ir.Var(local, value):
                self.levels[local.name] = 1 << 30
                return ir.Var(local, self._expr(value))
            case ir.SetVar(local, value):
                return ir.SetVar(local, self._expr(value))
            case ir.Store(buffer, index, value):
                return ir.Store(buffer, self._index(index), self._expr(value))
            case ir.Append(buffer, count, value, condition):
                return ir.Append(buffer, count, self._index(value), self._expr(condition))
            case ir.Return(value):
                return ir.Return(self._expr(value))
            case ir.If(condition, then, orelse, likely):
                # bodies of branches are not loops: what moves, moves out of the loop around
                return ir.If(self._expr(condition), self._branch(then), self._branch(orelse), likely)
            case ir.For(local, start, stop, body):
                return ir.For(local, self._expr(start), self._expr(stop), self._loop(local, body))
            case ir.VectorFor(local, n, body, padded):
                return ir.VectorFor(local, self._expr(n), self._loop(local, body), padded)
            case ir.While(condition, body):
                self._enter()
                new_condition, new_body = self._expr(condition), self._body(body)
                self._leave()
                return ir.While(new_condition, new_body)

    def _branch(self, statements: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
        # loops inside have their invariants put before the whole branch: pending of this level
        out: list[ir.Stmt] = []
        for statement in statements:
            if isinstance(statement, ir.For | ir.VectorFor | ir.While):
                outer, self.pending[self.level] = self.pending[self.level], []
                known, self.known[self.level] = self.known[self.level], dict(self.known[self.level])
                new = self._statement(statement)
                out.extend(self.pending[self.level])
                self.pending[self.level], self.known[self.level] = outer, known
                out.append(new)
            elif isinstance(statement, ir.If):
                out.append(
                    ir.If(
                        self._expr(statement.condition), self._branch(statement.then),
                        self._branch(statement.orelse), statement.likely,
                    )
                )  # fmt: skip
            else:
                out.append(self._statement(statement))
        return tuple(out)

    def _loop(self, local: ir.Local, body: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
        self._enter()
        self.levels[local.name] = self.level
        new = self._body(body)
        self._leave()
        return new

    def _enter(self) -> None:
        self.level += 1
        self.pending.append([])
        self.known.append({})

    def _leave(self) -> None:
        self.level -= 1
        self.pending.pop()
        self.known.pop()

    # -- expressions ------------------------------------------------------------------------------

    def _level(self, expr: ir.Expr) -> int:
        """The innermost loop that the value depends on."""
        match expr:
            case ir.Const():
                return 0
            case ir.Local(name):
                return min(self.levels.get(name, 0), self.level)
            case ir.Load(buffer, index):
                return self.level if buffer.slot in self.stored else self._level(index)
            case ir.Op(_, args) | ir.Call(_, args):
                level = 0
                for a in args:
                    level = max(level, self._level(a))
                    if level == self.level:
                        return level
                return level

    def _index(self, expr: ir.Expr) -> ir.Expr:
        """An index: its parts may move, but `loop index + offset` keeps its form."""
        return self._expr(expr)

    def _expr(self, expr: ir.Expr) -> ir.Expr:
        if isinstance(expr, ir.Const):
            return expr
        if isinstance(expr, ir.Local):
            return self.renamed.get(expr.name, expr)
        level = self._level(expr)
        if level < self.level:
            return self._moved(self._with_names(expr), level)
        match expr:
            case ir.Load(buffer, index):
                return ir.Load(buffer, self._index(index))
            case ir.Op(op, args):
                return ir.Op(op, tuple([self._expr(a) for a in args]))
            case ir.Call(function, args):
                return ir.Call(function, tuple([self._expr(a) for a in args]))

    def _with_names(self, expr: ir.Expr) -> ir.Expr:
        """The expression in terms of names that are known outside of the loop."""
        match expr:
            case ir.Const():
                return expr
            case ir.Local(name):
                return self.renamed.get(name, expr)
            case ir.Load(buffer, index):
                return ir.Load(buffer, self._with_names(index))
            case ir.Op(op, args):
                return ir.Op(op, tuple([self._with_names(a) for a in args]))
            case ir.Call(function, args):
                return ir.Call(function, tuple([self._with_names(a) for a in args]))

    def _moved(self, expr: ir.Expr, level: int) -> ir.Local:
        """The name of an expression that is computed outside of the loop."""
        key = self._key(expr)
        for outer in range(level + 1):
            if key in self.known[outer]:
                return self.known[outer][key]
        self.n += 1
        local = ir.Local(f"_hoisted.{self.n}", expr.type)
        self.levels[local.name] = level
        self.pending[level].append(ir.Let(local, expr))
        self.known[level][key] = local
        return local

    def _key(self, expr: ir.Expr) -> object:
        """Equal for equal expressions."""
        match expr:
            case ir.Const(value, type_):
                return (type_, value.hex() if isinstance(value, float) else value)
            case ir.Local(name):
                return name
        found = self.keys.get(id(expr))
        if found is not None:
            return found[1]
        match expr:
            case ir.Load(buffer, index):
                raw: object = ("load", buffer.slot, self._key(index))
            case ir.Op(op, args):
                raw = (op, *[self._key(a) for a in args])
            case ir.Call(function, args):
                raw = ("call", function.name, *[self._key(a) for a in args])
        key = self.interned.setdefault(raw, len(self.interned))
        self.keys[id(expr)] = (expr, key)
        return key
