"""IR as text: to read, to compare with golden files, and, without names, as the key of the code cache."""

from __future__ import annotations

from eccles.compile import ir

__all__ = ["show", "show_unnamed"]


def show(program: ir.Program) -> str:
    """The program as text, the functions that it calls first.

    The same program always gives the same text, and different programs different texts.
    """
    return _shown(program, _Printer(named=True))


def show_unnamed(program: ir.Program) -> str:
    """The same with numbers instead of the names of arrays and locals.

    Programs that differ in such names alone give the same text, and the same machine code.
    """
    return _shown(program, _Printer(named=False))


def _shown(program: ir.Program, printer: _Printer) -> str:
    lines: list[str] = []
    printer.statements(program.body, 1, lines)
    buffers = [f"  {b.slot}: {printer.buffer(b)} {b.element.value}" for b in program.buffers]
    functions: list[str] = []
    for function in printer.functions.values():
        functions += function
    return "\n".join([*functions, f"program {program.name}", *buffers, "begin", *lines, "end", ""])


class _Printer:
    def __init__(self, *, named: bool) -> None:
        self.functions: dict[str, list[str]] = {}
        self.named = named
        self.numbers: dict[str, int] = {}  # of locals, in the order in which they come up

    def buffer(self, buffer: ir.Buffer) -> str:
        return buffer.name if self.named else f"#{buffer.slot}"

    def local(self, local: ir.Local) -> str:
        return local.name if self.named else f"%{self.numbers.setdefault(local.name, len(self.numbers))}"

    def expr(self, expr: ir.Expr) -> str:
        match expr:
            case ir.Const(value, type_):
                return value.hex() if type_ is ir.F64 and isinstance(value, float) else str(value)
            case ir.Local():
                return self.local(expr)
            case ir.Load(buffer, index):
                return f"{self.buffer(buffer)}[{self.expr(index)}]"
            case ir.Op(op, args):
                return f"({op} {' '.join([self.expr(a) for a in args])})"
            case ir.Call(function, args):
                self.function(function)
                return f"({function.name}! {' '.join([self.expr(a) for a in args])})"

    def function(self, function: ir.Function) -> None:
        if function.name in self.functions:
            return
        self.functions[function.name] = []  # keeps its place before functions that it calls
        lines: list[str] = []
        self.statements(function.body, 1, lines)
        params = ", ".join(f"{self.local(p)}: {p.type.value}" for p in function.params)
        self.functions[function.name] = [
            f"function {function.name}({params})", *lines, f"  return {self.expr(function.result)}", "",
        ]  # fmt: skip

    def statements(self, statements: tuple[ir.Stmt, ...], depth: int, out: list[str]) -> None:
        indent = "  " * depth
        for statement in statements:
            match statement:
                case ir.Let(local, value):
                    out.append(f"{indent}{self.local(local)}: {local.type.value} = {self.expr(value)}")
                case ir.Var(local, value):
                    out.append(f"{indent}var {self.local(local)}: {local.type.value} = {self.expr(value)}")
                case ir.SetVar(local, value):
                    out.append(f"{indent}{self.local(local)} := {self.expr(value)}")
                case ir.Store(buffer, index, value):
                    out.append(f"{indent}{self.buffer(buffer)}[{self.expr(index)}] := {self.expr(value)}")
                case ir.Prefetch(buffer, index):
                    out.append(f"{indent}prefetch {self.buffer(buffer)}[{self.expr(index)}]")
                case ir.Append(buffer, count, value, condition):
                    out.append(
                        f"{indent}append {self.expr(value)} to {self.buffer(buffer)} at {self.local(count)} "
                        f"if {self.expr(condition)}"
                    )
                case ir.For(local, start, stop, body):
                    out.append(
                        f"{indent}for {self.local(local)} from {self.expr(start)} to {self.expr(stop)}"
                    )
                    self.statements(body, depth + 1, out)
                case ir.VectorFor(local, n, body, padded):
                    kind = "padded" if padded else "exact"
                    out.append(f"{indent}vector for {self.local(local)} to {self.expr(n)} {kind}")
                    self.statements(body, depth + 1, out)
                case ir.While(condition, body):
                    out.append(f"{indent}while {self.expr(condition)}")
                    self.statements(body, depth + 1, out)
                case ir.If(condition, then, orelse, likely):
                    hint = {None: "", True: " likely", False: " unlikely"}[likely]
                    out.append(f"{indent}if {self.expr(condition)}{hint}")
                    self.statements(then, depth + 1, out)
                    if orelse:
                        out.append(f"{indent}else")
                        self.statements(orelse, depth + 1, out)
                case ir.Return(value):
                    out.append(f"{indent}return {self.expr(value)}")
