"""Proof that a program is well formed, between the passes.

Native code has no checks of its own: what this lets through must not be able to crash for a reason that
lies in the program's form. It proves that names are defined before they are used, once, with one type;
that operations, calls, loads and stores have the types they need; that buffers are in the table; that
vector loops hold only what may stand in them and that their elements do not depend on each other; and
that the text of the program (the key of the cache of machine code) is unambiguous.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from eccles.compile import ir
from eccles.compile.ir import BOOL, F64, I64
from eccles.errors import InternalError

__all__ = ["verify"]

SYMBOL = re.compile(r"[A-Za-z_]\w*")
NAME = re.compile(r"[^\s()\[\]]+")  # whatever cannot be mistaken for something else in the text


def verify(program: ir.Program, stage: str = "") -> None:
    """Check types, definitions and the rules of loops.

    Parameters
    ----------
    stage : str
        The name of the pass that made the program, for the message.

    Raises
    ------
    InternalError
        If the program is malformed.
    """
    verifier = _Verifier(frozenset(program.buffers), f" after '{stage}'" if stage else "")
    if not SYMBOL.fullmatch(program.name):
        raise verifier.fail(f"'{program.name}' is no name for a program")
    if sorted(b.slot for b in program.buffers) != list(range(len(program.buffers))):
        raise verifier.fail("buffers do not have the slots 0, 1, 2 ...")
    if len({b.name for b in program.buffers}) < len(program.buffers):
        raise verifier.fail("two buffers have the same name")
    for buffer in program.buffers:
        verifier.name(buffer.name)
    verifier.body(program.body, {}, set())


@dataclass
class _VectorLoop:
    """What is known of the vector loop that is being checked."""

    local: ir.Local
    varying: set[str]  # names that differ between elements
    declared: set[str] = field(default_factory=set)  # variables of the body
    read: set[str] = field(default_factory=set)
    loads: list[tuple[ir.Buffer, ir.Expr]] = field(default_factory=list)
    stores: dict[ir.Buffer, ir.Expr] = field(default_factory=dict)
    appends: list[ir.Append] = field(default_factory=list)

    def uniform(self, expr: ir.Expr) -> bool:
        """Whether the value is the same for all elements."""
        match expr:
            case ir.Const():
                return True
            case ir.Local(name):
                return name not in self.varying
            case ir.Load(_, index):
                return self.uniform(index)
            case ir.Op(_, args) | ir.Call(_, args):
                return all(self.uniform(a) for a in args)

    def contiguous(self, index: ir.Expr) -> bool:
        """Whether neighbouring elements have neighbouring indices."""
        if index == self.local:
            return True
        if not (isinstance(index, ir.Op) and index.op == "iadd" and self.local in index.args):
            return False
        a, b = index.args
        return self.uniform(b if a == self.local else a)


class _Verifier:
    def __init__(
        self, buffers: frozenset[ir.Buffer], where: str, functions: dict[str, ir.Function] | None = None
    ) -> None:
        self.buffers = buffers
        self.where = where
        self.in_function = functions is not None
        self.functions: dict[str, ir.Function] = {} if functions is None else functions
        self.defined: set[str] = set()
        self.vector: _VectorLoop | None = None

    def fail(self, what: str) -> InternalError:
        return InternalError(f"malformed program{self.where}: {what}")

    # -- statements -------------------------------------------------------------------------------

    def body(self, statements: tuple[ir.Stmt, ...], names: dict[str, ir.Type], variables: set[str]) -> None:
        """Statements with a scope of their own."""
        names, variables = dict(names), set(variables)
        for statement in statements:
            self.statement(statement, names, variables)

    def name(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise self.fail(f"'{name}' is no name")

    def define(self, local: ir.Local, names: dict[str, ir.Type]) -> None:
        self.name(local.name)
        if local.name in self.defined:
            raise self.fail(f"'{local.name}' is defined twice")
        self.defined.add(local.name)
        names[local.name] = local.type

    def statement(self, statement: ir.Stmt, names: dict[str, ir.Type], variables: set[str]) -> None:
        match statement:
            case ir.Let(local, value):
                self.expect(value, local.type, names)
                self.define(local, names)
                if self.vector is not None and not self.vector.uniform(value):
                    self.vector.varying.add(local.name)
            case ir.Var(local, value):
                self.expect(value, local.type, names)
                self.define(local, names)
                variables.add(local.name)
                if self.vector is not None:
                    self.vector.declared.add(local.name)
                    self.vector.varying.add(local.name)
            case ir.SetVar(local, value):
                self.variable(local, names, variables)
                if self.vector is not None and local.name not in self.vector.declared:
                    raise self.fail(f"'{local.name}' of outside is assigned to in a vector loop")
                self.expect(value, local.type, names)
            case ir.Store(buffer, index, value):
                self.store(buffer, index, value, names)
            case ir.Append():
                self.append(statement, names, variables)
            case ir.Prefetch(buffer, index):
                if self.vector is not None or self.in_function:
                    raise self.fail("a prefetch where none may be")
                self.known(buffer)
                self.expect(index, I64, names)
            case ir.Return(value):
                if self.vector is not None or self.in_function:
                    raise self.fail("a return where none may be")
                self.expect(value, I64, names)
            case _:
                self.block(statement, names, variables)

    def variable(self, local: ir.Local, names: dict[str, ir.Type], variables: set[str]) -> None:
        if local.name not in variables:
            raise self.fail(f"'{local.name}' is assigned to, but is no variable")
        if names[local.name] is not local.type:
            raise self.fail(f"'{local.name}' is {names[local.name].value}, not {local.type.value}")

    def block(
        self,
        statement: ir.If | ir.While | ir.For | ir.VectorFor,
        names: dict[str, ir.Type],
        variables: set[str],
    ) -> None:
        if self.vector is not None:
            raise self.fail(f"{type(statement).__name__} inside a vector loop")
        if self.in_function and isinstance(statement, ir.For | ir.VectorFor):
            raise self.fail(f"{type(statement).__name__} in a function")
        match statement:
            case ir.If(condition, then, orelse):
                self.expect(condition, BOOL, names)
                self.body(then, names, variables)
                self.body(orelse, names, variables)
            case ir.While(condition, body):
                self.expect(condition, BOOL, names)
                self.body(body, names, variables)
            case ir.For(local, start, stop, body):
                self.expect(start, I64, names)
                self.expect(stop, I64, names)
                inner = dict(names)
                self.define(local, inner)
                self.body(body, inner, variables)
            case ir.VectorFor(local, n, body):
                self.expect(n, I64, names)
                inner = dict(names)
                self.define(local, inner)
                self.vector = _VectorLoop(local, {local.name})
                self.body(body, inner, variables)
                self.independent(self.vector)
                self.vector = None

    def independent(self, loop: _VectorLoop) -> None:
        """No element may see what another one writes."""
        for buffer, index in loop.loads:
            if buffer in loop.stores and index != loop.stores[buffer]:
                raise self.fail(f"{buffer.name} is read at one index and written at another in a vector loop")
        counts: set[str] = set()
        targets: set[ir.Buffer] = set(loop.stores) | {buffer for buffer, _ in loop.loads}
        for append in loop.appends:
            if append.buffer in targets:
                raise self.fail(f"{append.buffer.name} is appended to and used otherwise in a vector loop")
            if append.count.name in counts | loop.read:
                raise self.fail(f"the count '{append.count.name}' has two uses in a vector loop")
            targets.add(append.buffer)
            counts.add(append.count.name)

    # -- memory -----------------------------------------------------------------------------------

    def known(self, buffer: ir.Buffer) -> None:
        if buffer not in self.buffers:
            raise self.fail(f"buffer {buffer.name} is not in the table")

    def store(self, buffer: ir.Buffer, index: ir.Expr, value: ir.Expr, names: dict[str, ir.Type]) -> None:
        if self.in_function:
            raise self.fail("a store in a function")
        self.known(buffer)
        self.expect(index, I64, names)
        self.expect(value, buffer.element.type, names)
        if self.vector is None:
            return
        if not self.vector.contiguous(index):
            raise self.fail(f"a scattered store to {buffer.name} in a vector loop")
        if self.vector.stores.setdefault(buffer, index) != index:
            raise self.fail(f"{buffer.name} is stored to at two indices in a vector loop")

    def append(self, statement: ir.Append, names: dict[str, ir.Type], variables: set[str]) -> None:
        if self.vector is None:
            raise self.fail("an append outside a vector loop")
        count, buffer = statement.count, statement.buffer
        if count.type is not I64 or count.name in self.vector.declared:
            raise self.fail(f"the count '{count.name}' of an append is no integer variable of outside")
        self.variable(count, names, variables)
        self.known(buffer)
        if buffer.element.type is not I64:
            raise self.fail(f"an append to {buffer.name}, which does not hold integers")
        self.expect(statement.value, I64, names)
        self.expect(statement.condition, BOOL, names)
        self.vector.appends.append(statement)

    # -- expressions ------------------------------------------------------------------------------

    def expect(self, expr: ir.Expr, type_: ir.Type, names: dict[str, ir.Type]) -> None:
        found = self.expr(expr, names)
        if found is not type_:
            raise self.fail(f"{type_.value} expected, but found {found.value}")

    def expr(self, expr: ir.Expr, names: dict[str, ir.Type]) -> ir.Type:
        match expr:
            case ir.Const():
                return self.constant(expr)
            case ir.Local(name, type_):
                if names.get(name) is not type_:
                    raise self.fail(f"'{name}' is used, but not defined as {type_.value}")
                if self.vector is not None:
                    self.vector.read.add(name)
                return type_
            case ir.Load(buffer, index):
                if self.in_function:
                    raise self.fail("a load in a function")
                self.known(buffer)
                self.expect(index, I64, names)
                if self.vector is not None:
                    self.vector.loads.append((buffer, index))
                return buffer.element.type
            case ir.Op(op, args):
                return self.operation(op, args, names)
            case ir.Call(function, args):
                return self.call(function, args, names)

    def constant(self, const: ir.Const) -> ir.Type:
        value, type_ = const.value, const.type
        fits = isinstance(value, {F64: float, I64: int, BOOL: bool}[type_])
        if not fits or (isinstance(value, bool) and type_ is not BOOL):
            raise self.fail(f"the constant {value!r} is not {type_.value}")
        if type_ is I64 and not -(2**63) <= value < 2**63:
            raise self.fail(f"the constant {value} does not fit 64 bits")
        return type_

    def operation(self, op: str, args: tuple[ir.Expr, ...], names: dict[str, ir.Type]) -> ir.Type:
        if op not in ir.OPERATIONS:
            raise self.fail(f"there is no operation '{op}'")
        wanted, result = ir.OPERATIONS[op]
        if len(args) != len(wanted):
            raise self.fail(f"{op} takes {len(wanted)} arguments, not {len(args)}")
        free: ir.Type | None = None
        for argument, type_ in zip(args, wanted, strict=True):
            found = self.expr(argument, names)
            if type_ is None:
                type_ = free = free or found
            if found is not type_:
                raise self.fail(f"{op} needs {type_.value}, but got {found.value}")
        result = result or free
        assert result is not None
        return result

    def call(self, function: ir.Function, args: tuple[ir.Expr, ...], names: dict[str, ir.Type]) -> ir.Type:
        if len(args) != len(function.params):
            raise self.fail(f"{function.name} takes {len(function.params)} arguments, not {len(args)}")
        for argument, parameter in zip(args, function.params, strict=True):
            self.expect(argument, parameter.type, names)
        if self.vector is not None and not ir.straight_line(function):
            raise self.fail(f"{function.name} is not straight-line, so no vector loop can call it")
        same = self.functions.get(function.name)
        if same is None:
            self.functions[function.name] = function
            self.function(function)
        elif same is not function and (same.params, same.body, same.result) != (
            function.params, function.body, function.result,
        ):  # fmt: skip
            raise self.fail(f"there are two functions called {function.name}")
        return function.result.type

    def function(self, function: ir.Function) -> None:
        self.name(function.name)
        inner = _Verifier(self.buffers, self.where, self.functions)
        scope: dict[str, ir.Type] = {}
        for parameter in function.params:
            inner.define(parameter, scope)
        variables: set[str] = set()
        for statement in function.body:
            inner.statement(statement, scope, variables)
        inner.expr(function.result, scope)
