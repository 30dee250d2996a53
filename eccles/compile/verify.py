"""Proof that a program is well formed, between the passes.

Native code has no checks of its own: what this lets through must not be able to crash for a reason that
lies in the program's form.
"""

from __future__ import annotations

from eccles.compile import ir
from eccles.compile.ir import BOOL, F64, I64
from eccles.errors import InternalError

__all__ = ["verify"]


def verify(program: ir.Program) -> None:
    """Check types, definitions and the rules of loops.

    Raises
    ------
    InternalError
        If the program is malformed.
    """
    slots = [buffer.slot for buffer in program.buffers]
    if sorted(slots) != list(range(len(slots))):
        raise InternalError("buffers do not have the slots 0, 1, 2 ...")
    _Verifier(set(program.buffers)).body(program.body, {}, set())


class _Verifier:
    def __init__(self, buffers: set[ir.Buffer]) -> None:
        self.buffers = buffers
        self.defined: set[str] = set()
        self.functions: set[str] = set()
        self.vector: ir.Local | None = None
        self.in_function = False

    def fail(self, what: str) -> InternalError:
        return InternalError(f"malformed program: {what}")

    # -- statements -------------------------------------------------------------------------------

    def body(self, statements: tuple[ir.Stmt, ...], names: dict[str, ir.Type], variables: set[str]) -> None:
        names, variables = dict(names), set(variables)
        for statement in statements:
            self.statement(statement, names, variables)

    def define(self, local: ir.Local, names: dict[str, ir.Type]) -> None:
        if local.name in self.defined:
            raise self.fail(f"'{local.name}' is defined twice")
        self.defined.add(local.name)
        names[local.name] = local.type

    def statement(self, statement: ir.Stmt, names: dict[str, ir.Type], variables: set[str]) -> None:
        match statement:
            case ir.Let(local, value) | ir.Var(local, value):
                if self.expr(value, names) is not local.type:
                    raise self.fail(f"'{local.name}' is {local.type.value}, its value is not")
                self.define(local, names)
                if isinstance(statement, ir.Var):
                    variables.add(local.name)
            case ir.SetVar(local, value):
                if local.name not in variables:
                    raise self.fail(f"'{local.name}' is assigned to, but is no variable")
                if self.expr(value, names) is not local.type:
                    raise self.fail(f"'{local.name}' is {local.type.value}, its value is not")
            case ir.Store(buffer, index, value):
                self.store(buffer, index, value, names)
            case ir.Append(buffer, count, value, condition):
                if self.vector is None:
                    raise self.fail("an append outside a vector loop")
                if count.name not in variables or count.type is not I64:
                    raise self.fail(f"the count '{count.name}' of an append is no integer variable")
                self.known(buffer)
                self.expect(value, I64, names)
                self.expect(condition, BOOL, names)
                if buffer.element.type is not I64:
                    raise self.fail(f"an append to {buffer.name}, which does not hold integers")
            case ir.Return(value):
                if self.vector is not None or self.in_function:
                    raise self.fail("a return where none may be")
                self.expect(value, I64, names)
            case _:
                self.block(statement, names, variables)

    def block(self, statement: ir.Stmt, names: dict[str, ir.Type], variables: set[str]) -> None:
        if self.vector is not None:
            raise self.fail(f"{type(statement).__name__} inside a vector loop")
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
                self.vector = local
                self.body(body, inner, variables)
                self.vector = None

    def known(self, buffer: ir.Buffer) -> None:
        if buffer not in self.buffers:
            raise self.fail(f"buffer {buffer.name} is not in the table")

    def store(self, buffer: ir.Buffer, index: ir.Expr, value: ir.Expr, names: dict[str, ir.Type]) -> None:
        if self.in_function:
            raise self.fail("a store in a function")
        self.known(buffer)
        self.expect(index, I64, names)
        self.expect(value, buffer.element.type, names)
        if self.vector is not None:
            offset = isinstance(index, ir.Op) and index.op == "iadd" and self.vector in index.args
            if index != self.vector and not offset:
                raise self.fail(f"a scattered store to {buffer.name} in a vector loop")

    # -- expressions ------------------------------------------------------------------------------

    def expect(self, expr: ir.Expr, type_: ir.Type, names: dict[str, ir.Type]) -> None:
        found = self.expr(expr, names)
        if found is not type_:
            raise self.fail(f"{type_.value} expected, but found {found.value}")

    def expr(self, expr: ir.Expr, names: dict[str, ir.Type]) -> ir.Type:
        match expr:
            case ir.Const(value, type_):
                if not isinstance(value, {F64: float, I64: int, BOOL: bool}[type_]):
                    raise self.fail(f"the constant {value!r} is not {type_.value}")
                if type_ is I64 and not -(2**63) <= value < 2**63:
                    raise self.fail(f"the constant {value} does not fit 64 bits")
                return type_
            case ir.Local(name, type_):
                if names.get(name) is not type_:
                    raise self.fail(f"'{name}' is used, but not defined as {type_.value}")
                return type_
            case ir.Load(buffer, index):
                if self.in_function:
                    raise self.fail("a load in a function")
                self.known(buffer)
                self.expect(index, I64, names)
                return buffer.element.type
            case ir.Op(op, args):
                return self.operation(op, args, names)
            case ir.Call(function, args):
                return self.call(function, args, names)

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
                free = free or found
                type_ = free
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
        if self.vector is not None and not straight_line(function):
            raise self.fail(f"{function.name} loops, so it cannot be called in a vector loop")
        if function.name not in self.functions:
            self.functions.add(function.name)
            inner = _Verifier(self.buffers)
            inner.in_function = True
            inner.functions = self.functions
            scope: dict[str, ir.Type] = {}
            for parameter in function.params:
                inner.define(parameter, scope)
            variables: set[str] = set()
            for statement in function.body:
                inner.statement(statement, scope, variables)
            inner.expr(function.result, scope)
        return function.result.type


def straight_line(function: ir.Function) -> bool:
    """Whether a function has no loops, branches or variables, itself or in what it calls."""

    def calls(expr: ir.Expr) -> bool:
        match expr:
            case ir.Op(_, args):
                return all(calls(a) for a in args)
            case ir.Call(inner, args):
                return straight_line(inner) and all(calls(a) for a in args)
            case _:
                return True

    return all(isinstance(s, ir.Let) and calls(s.value) for s in function.body) and calls(function.result)
