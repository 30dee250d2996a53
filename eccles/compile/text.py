"""IR as text: to read, to compare with golden files, and as the key of the cache of machine code."""

from __future__ import annotations

from eccles.compile import ir

__all__ = ["show"]


def show(program: ir.Program) -> str:
    """The program as text, the functions that it calls first.

    The same program always gives the same text, and different programs different texts.
    """
    printer = _Printer()
    lines: list[str] = []
    printer.statements(program.body, 1, lines)
    buffers = [f"  {b.slot}: {b.name} {b.element.value}" for b in program.buffers]
    functions: list[str] = []
    for function in printer.functions.values():
        functions += function
    return "\n".join([*functions, f"program {program.name}", *buffers, "begin", *lines, "end", ""])


class _Printer:
    def __init__(self) -> None:
        self.functions: dict[str, list[str]] = {}

    def expr(self, expr: ir.Expr) -> str:
        match expr:
            case ir.Const(value, type_):
                return value.hex() if type_ is ir.F64 and isinstance(value, float) else str(value)
            case ir.Local(name):
                return name
            case ir.Load(buffer, index):
                return f"{buffer.name}[{self.expr(index)}]"
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
        params = ", ".join(f"{p.name}: {p.type.value}" for p in function.params)
        self.functions[function.name] = [
            f"function {function.name}({params})", *lines, f"  return {self.expr(function.result)}", "",
        ]  # fmt: skip

    def statements(self, statements: tuple[ir.Stmt, ...], depth: int, out: list[str]) -> None:
        indent = "  " * depth
        for statement in statements:
            match statement:
                case ir.Let(local, value):
                    out.append(f"{indent}{local.name}: {local.type.value} = {self.expr(value)}")
                case ir.Var(local, value):
                    out.append(f"{indent}var {local.name}: {local.type.value} = {self.expr(value)}")
                case ir.SetVar(local, value):
                    out.append(f"{indent}{local.name} := {self.expr(value)}")
                case ir.Store(buffer, index, value):
                    out.append(f"{indent}{buffer.name}[{self.expr(index)}] := {self.expr(value)}")
                case ir.Prefetch(buffer, index):
                    out.append(f"{indent}prefetch {buffer.name}[{self.expr(index)}]")
                case ir.Append(buffer, count, value, condition):
                    out.append(
                        f"{indent}append {self.expr(value)} to {buffer.name} at {count.name} "
                        f"if {self.expr(condition)}"
                    )
                case ir.For(local, start, stop, body):
                    out.append(f"{indent}for {local.name} from {self.expr(start)} to {self.expr(stop)}")
                    self.statements(body, depth + 1, out)
                case ir.VectorFor(local, n, body, padded):
                    kind = "padded" if padded else "exact"
                    out.append(f"{indent}vector for {local.name} to {self.expr(n)} {kind}")
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
