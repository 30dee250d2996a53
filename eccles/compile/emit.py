"""From the loop IR to LLVM's, as text.

Vector loops become explicit vectors of as many doubles as the target's registers hold; no pass of LLVM
has to discover them, so one cheap pass is enough (docs/notes/0001-pass-pipeline.md).
Mutable locals live in memory of the stack until LLVM's `sroa` makes them values. Functions are expanded
where they are called, unless that is in so many places that compiling the copies would take long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from eccles.compile import ir
from eccles.compile.ir import I64
from eccles.compile.writer import MEMORY, SIZE, Target, Value, Writer, constant, type_text
from eccles.errors import InternalError

__all__ = ["emit"]


MANY = 16  # different calls of a function, above which it stays a function
FEW = 32  # vector loops: so many may have their tests at their heads


def emit(program: ir.Program, target: Target) -> str:
    """LLVM IR of a program; the same program and target always give the same text."""
    calls = {  # different ones: what is computed twice is written once
        node
        for statement in ir.walk(program.body)
        for expr in ir.expressions(statement)
        for node in ir.nodes(expr)
        if isinstance(node, ir.Call)
    }
    copies = Counter(call.function.name for call in calls)
    n_loops = sum(isinstance(statement, ir.VectorFor) for statement in ir.walk(program.body))
    emitter = _Emitter(
        target, frozenset(name for name, n in copies.items() if n > MANY), few_loops=n_loops <= FEW
    )
    emitter.statements(program.body)
    entry: list[str] = []
    for buffer in program.buffers:
        pointer = f"%b{buffer.slot}"
        entry.append(f"  {pointer}.at = getelementptr inbounds ptr, ptr %table, i64 {buffer.slot}")
        entry.append(f"  {pointer} = load ptr, ptr {pointer}.at")
    width = 64 * target.lanes
    widths = f'"prefer-vector-width"="{width}" "min-legal-vector-width"="{width}"'
    return "\n".join(
        [
            f'target datalayout = "{target.layout}"',
            f'target triple = "{target.triple}"',
            *sorted(emitter.writer.declarations),
            f"define i64 @{program.name}(ptr noalias readonly %table) #0 {{",
            "entry:",
            *emitter.allocas,
            *entry,
            "  br label %start",
            "start:",
            *emitter.writer.lines,
            "  ret i64 0",
            "}",
            *[line for lines in emitter.functions.values() for line in lines],
            f"attributes #0 = {{ nounwind {widths} }}",
            f"attributes #1 = {{ nounwind memory(none) {widths} }}",
            '!0 = !{!"branch_weights", i32 2000, i32 1}',
            '!1 = !{!"branch_weights", i32 1, i32 2000}',
            "",
        ]
    )


class _Emitter:
    def __init__(self, target: Target, shared: frozenset[str], *, few_loops: bool = True) -> None:
        self.writer = Writer(target.fma)
        self.target = target
        self.shared = shared  # names of functions that are not expanded
        self.few_loops = few_loops
        self.functions: dict[str, list[str]] = {}  # their definitions
        self.allocas: list[str] = []
        self.values: dict[str, Value] = {}
        self.variables: dict[str, tuple[str, int]] = {}  # where it is kept, and its lanes
        # the vector loop around: its local, the index of the first lane, the lanes, and the number of
        # elements if the last vector may run over it
        self.loop: ir.Local | None = None
        self.first = ""
        self.lanes = 1
        self.limit: str | None = None

    @contextmanager
    def region(self) -> Iterator[None]:
        """Code that may not run, so that its values are not known after it."""
        values, variables = dict(self.values), dict(self.variables)
        with self.writer.region():
            yield
        self.values, self.variables = values, variables

    # -- expressions ------------------------------------------------------------------------------

    def value(self, expr: ir.Expr) -> Value:
        match expr:
            case ir.Const():
                return constant(expr)
            case ir.Local(name, type_):
                return self._local(name, type_)
            case ir.Load(buffer, index):
                return self._load(buffer, index)
            case ir.Op(op, args):
                return self.writer.operation(op, [self.value(a) for a in args])
            case ir.Call(function, args):
                values = [self.value(a) for a in args]
                if function.name in self.shared:
                    return self._called(function, values)
                return self._expanded(function, values)

    def _local(self, name: str, type_: ir.Type) -> Value:
        if name in self.values:
            return self.values[name]
        if self.loop is not None and name == self.loop.name:
            if self.lanes == 1:
                return Value(self.first, I64, 1)
            return Value(self.writer.indices(self.first, self.lanes), I64, self.lanes)
        slot, lanes = self.variables[name]
        return Value(self.writer.read(slot, f"load {type_text(type_, lanes)}, ptr {slot}"), type_, lanes)

    def _expanded(self, function: ir.Function, args: list[Value]) -> Value:
        """The body of a function in place of its call."""
        outer = self.values, self.variables, self.loop
        self.values = {p.name: v for p, v in zip(function.params, args, strict=True)}
        self.variables, self.loop = {}, None
        self.statements(function.body)
        result = self.value(function.result)
        self.values, self.variables, self.loop = outer
        return result

    def _called(self, function: ir.Function, args: list[Value]) -> Value:
        """A call; there is one definition for single values, and one for vectors."""
        lanes = max([1, *[a.lanes for a in args]])
        symbol = f'@"{function.name}.{lanes}"'
        if symbol not in self.functions:
            self.functions[symbol] = self._definition(symbol, function, lanes)
        types = [type_text(p.type, lanes) for p in function.params]
        texts = [self.writer.spread(a, lanes) for a in args]
        passed = ", ".join([f"{type_} {text}" for type_, text in zip(types, texts, strict=True)])
        type_ = function.result.type
        called = f"call fastcc {type_text(type_, lanes)} {symbol}({passed}) #1"
        return Value(self.writer.op(called), type_, lanes)

    def _definition(self, symbol: str, function: ir.Function, lanes: int) -> list[str]:
        inner = _Emitter(self.target, frozenset())
        inner.lanes = lanes
        params = [Value(f"%p{k}", p.type, lanes) for k, p in enumerate(function.params)]
        result = inner._expanded(function, params)
        text, type_ = inner.writer.spread(result, lanes), type_text(result.type, lanes)
        self.writer.declarations |= inner.writer.declarations
        passed = ", ".join([f"{type_text(p.type, lanes)} {p.text}" for p in params])
        return [
            f"define internal fastcc {type_} {symbol}({passed}) #1 {{",
            "entry:",
            *inner.allocas,
            "  br label %start",
            "start:",
            *inner.writer.lines,
            f"  ret {type_} {text}",
            "}",
        ]

    # -- memory -----------------------------------------------------------------------------------

    def _contiguous(self, index: ir.Expr) -> str | None:
        """The index of the first lane, if the lanes follow each other in memory."""
        if self.loop is None or self.lanes == 1:
            return None
        if index == self.loop:
            return self.first
        if isinstance(index, ir.Op) and index.op == "iadd" and self.loop in index.args:
            a, b = index.args
            offset = self.value(b if a == self.loop else a)
            if offset.lanes == 1:
                return self.writer.op(f"add i64 {self.first}, {offset.text}")
        return None

    def _load(self, buffer: ir.Buffer, index: ir.Expr) -> Value:
        w, element, memory, pointer = self.writer, buffer.element, MEMORY[buffer.element], f"%b{buffer.slot}"
        vector = f"<{self.lanes} x {memory}>"
        first = self._contiguous(index)
        if first is not None:
            address = w.address(element, pointer, first)
            text = w.read(pointer, f"load {vector}, ptr {address}, align {SIZE[element]}")
            return w.loaded(element, text, self.lanes)
        at = self.value(index)
        if at.lanes == 1:
            text = w.read(pointer, f"load {memory}, ptr {w.address(element, pointer, at.text)}")
            return w.loaded(element, text, 1)
        result = "poison"
        for lane in range(self.lanes):
            one = w.op(f"extractelement <{self.lanes} x i64> {at.text}, i32 {lane}")
            text = w.read(pointer, f"load {memory}, ptr {w.address(element, pointer, one)}")
            result = w.op(f"insertelement {vector} {result}, {memory} {text}, i32 {lane}")
        return w.loaded(element, result, self.lanes)

    def _store(self, buffer: ir.Buffer, index: ir.Expr, value: ir.Expr) -> None:
        w, element, memory, pointer = self.writer, buffer.element, MEMORY[buffer.element], f"%b{buffer.slot}"
        stored = self.value(value)
        first = self._contiguous(index)
        if first is not None:
            text = w.stored(element, w.spread(stored, self.lanes), self.lanes)
            address = w.address(element, pointer, first)
            vector = f"<{self.lanes} x {memory}>"
            w.write(pointer, f"store {vector} {text}, ptr {address}, align {SIZE[element]}")
            return
        at = self.value(index)
        if at.lanes != 1 or stored.lanes != 1:
            raise InternalError(f"scattered store to {buffer.name} in a vector loop")
        text = w.stored(element, stored.text, 1)
        w.write(pointer, f"store {memory} {text}, ptr {w.address(element, pointer, at.text)}")

    # -- statements -------------------------------------------------------------------------------

    def statements(self, statements: tuple[ir.Stmt, ...]) -> None:
        w = self.writer
        for statement in statements:
            match statement:
                case ir.Let(local, value):
                    self.values[local.name] = self.value(value)
                case ir.Var(local, value):
                    self._declare(local, self.value(value))
                case ir.SetVar(local, value):
                    slot, lanes = self.variables[local.name]
                    text = w.spread(self.value(value), lanes)
                    w.write(slot, f"store {type_text(local.type, lanes)} {text}, ptr {slot}")
                case ir.Store(buffer, index, value):
                    self._store(buffer, index, value)
                case ir.Append():
                    self._append(statement)
                case ir.Prefetch(buffer, index):
                    w.declare("void", "llvm.prefetch.p0", "ptr", "i32", "i32", "i32")
                    address = w.address(buffer.element, f"%b{buffer.slot}", self.value(index).text)
                    # to be written too, of high locality, data
                    w.lines.append(f"  call void @llvm.prefetch.p0(ptr {address}, i32 1, i32 3, i32 1)")
                case ir.For():
                    self._for(statement)
                case ir.VectorFor():
                    self._vector_for(statement)
                case ir.While():
                    self._while(statement)
                case ir.If():
                    self._if(statement)
                case ir.Return(value):
                    w.lines.append(f"  ret i64 {self.value(value).text}")
                    w.label(w.new_label("after"))  # what follows is never reached, but has to stand somewhere

    def _declare(self, local: ir.Local, value: Value) -> None:
        slot = f"{self.writer.fresh()}.slot"
        type_ = type_text(local.type, self.lanes)
        self.allocas.append(f"  {slot} = alloca {type_}")
        self.writer.write(slot, f"store {type_} {self.writer.spread(value, self.lanes)}, ptr {slot}")
        self.variables[local.name] = slot, self.lanes

    def _if(self, statement: ir.If) -> None:
        w = self.writer
        condition = self.value(statement.condition).text
        then, orelse, end = w.new_label("then"), w.new_label("else"), w.new_label("end")
        weights = {None: "", True: ", !prof !0", False: ", !prof !1"}[statement.likely]
        other = orelse if statement.orelse else end
        w.lines.append(f"  br i1 {condition}, label %{then}, label %{other}{weights}")
        w.label(then)
        with self.region():
            self.statements(statement.then)
        w.branch(end)
        if statement.orelse:
            w.label(orelse)
            with self.region():
                self.statements(statement.orelse)
            w.branch(end)
        w.label(end)

    def _while(self, statement: ir.While) -> None:
        w = self.writer
        head, body, end = w.new_label("head"), w.new_label("body"), w.new_label("end")
        w.forget_all()
        w.branch(head)
        w.label(head)
        with self.region():
            condition = self.value(statement.condition).text
            w.lines.append(f"  br i1 {condition}, label %{body}, label %{end}, !prof !0")
            w.label(body)
            self.statements(statement.body)
        w.branch(head)
        w.label(end)

    @contextmanager
    def _counted(self, start: str, stop: str, step: int, *, test_first: bool = False) -> Iterator[str]:
        """The frame of a loop that counts up; yields the index.

        Its test stands at its end, and a first one before it: LLVM's analyses of loops take time that grows
        with the cube of the number of loops that follow each other if their tests stand at their heads.
        With `test_first` it stands there all the same: the code generator then moves fewer constants out of
        the loop, of which a large body would have more than registers.
        """
        w = self.writer
        head, body, end = w.new_label("head"), w.new_label("body"), w.new_label("end")
        before = w.block
        w.forget_all()
        if test_first:
            w.branch(head)
            w.label(head)
        else:
            going = w.op(f"icmp slt i64 {start}, {stop}")
            w.lines.append(f"  br i1 {going}, label %{body}, label %{end}")
            w.label(body)
        index = w.fresh()
        at = len(w.lines)
        w.lines.append("")
        with self.region():
            if test_first:
                going = w.op(f"icmp slt i64 {index}, {stop}")
                w.lines.append(f"  br i1 {going}, label %{body}, label %{end}")
                w.label(body)
            yield index
            following = w.op(f"add nsw i64 {index}, {step}")
            again = "" if test_first else w.op(f"icmp slt i64 {following}, {stop}")
        w.lines[at] = f"  {index} = phi i64 [ {start}, %{before} ], [ {following}, %{w.block} ]"
        if test_first:
            w.branch(head)
        else:
            w.lines.append(f"  br i1 {again}, label %{body}, label %{end}")
        w.label(end)

    def _for(self, statement: ir.For) -> None:
        start, stop = self.value(statement.start).text, self.value(statement.stop).text
        with self._counted(start, stop, 1) as index:
            self.values[statement.local.name] = Value(index, I64, 1)
            self.statements(statement.body)

    def _vector_for(self, statement: ir.VectorFor) -> None:
        n = self.value(statement.n)
        lanes = self.target.lanes
        if statement.padded:
            self._vector_part(statement, "0", n.text, lanes, n.text)
            return
        # whole vectors, then one by one; `and` rounds down, also below zero
        count = self.writer.operation("imax", [n, constant(ir.const(0))]).text
        whole = self.writer.op(f"and i64 {count}, {-lanes}")
        self._vector_part(statement, "0", whole, lanes, None)
        self._vector_part(statement, whole, count, 1, None)

    def _vector_part(
        self, statement: ir.VectorFor, start: str, stop: str, lanes: int, limit: str | None
    ) -> None:
        """Elements from `start`, `lanes` at a time; those at `limit` and behind are not appended."""
        with self._counted(start, stop, lanes, test_first=self.few_loops) as index:
            self.loop, self.first, self.lanes, self.limit = statement.local, index, lanes, limit
            self.statements(statement.body)
            self.loop, self.lanes = None, 1

    # -- lists of elements ------------------------------------------------------------------------

    def _append(self, statement: ir.Append) -> None:
        w, lanes = self.writer, self.lanes
        condition, value = self.value(statement.condition), self.value(statement.value)
        if lanes == 1:
            then, end = w.new_label("then"), w.new_label("end")
            w.lines.append(f"  br i1 {condition.text}, label %{then}, label %{end}, !prof !1")
            w.label(then)
            with self.region():
                self._append_one(statement, value.text)
            w.branch(end)
            w.label(end)
            return
        mask = w.op(f"bitcast <{lanes} x i1> {w.spread(condition, lanes)} to i{lanes}")
        wide = w.op(f"zext i{lanes} {mask} to i64")
        some, end = w.new_label("some"), w.new_label("end")
        any_ = w.op(f"icmp ne i64 {wide}, 0")
        w.lines.append(f"  br i1 {any_}, label %{some}, label %{end}, !prof !1")
        w.label(some)
        with self.region():
            self._append_lanes(statement, self._inside(wide), value, end)
        w.label(end)

    def _inside(self, mask: str) -> str:
        """The bits of a mask of lanes that do not lie behind the last element."""
        if self.limit is None:
            return mask
        w = self.writer
        rest = w.op(f"sub i64 {self.limit}, {self.first}")
        short = w.op(f"icmp slt i64 {rest}, {self.lanes}")
        n_inside = w.op(f"select i1 {short}, i64 {rest}, i64 {self.lanes}")
        above = w.op(f"shl i64 -1, {n_inside}")
        return w.op(f"and i64 {mask}, {w.op(f'xor i64 {above}, -1')}")

    def _append_lanes(self, statement: ir.Append, mask: str, value: Value, end: str) -> None:
        """Append the lanes of a mask, lowest first, then go on at `end`."""
        w = self.writer
        head, body, before = w.new_label("head"), w.new_label("body"), w.block
        w.forget(self.variables[statement.count.name][0])
        w.branch(head)
        w.label(head)
        left = w.fresh()
        at = len(w.lines)
        w.lines.append("")
        again = w.op(f"icmp ne i64 {left}, 0")
        w.lines.append(f"  br i1 {again}, label %{body}, label %{end}")
        w.label(body)
        w.declare("i64", "llvm.cttz.i64", "i64", "i1")
        lane = w.op(f"call i64 @llvm.cttz.i64(i64 {left}, i1 true)")
        if statement.value == self.loop:
            one = w.op(f"add i64 {self.first}, {lane}")
        elif value.lanes == 1:
            one = value.text
        else:
            one = w.op(f"extractelement <{self.lanes} x i64> {value.text}, i64 {lane}")
        self._append_one(statement, one)
        lower = w.op(f"sub i64 {left}, 1")
        following = w.op(f"and i64 {left}, {lower}")
        w.lines[at] = f"  {left} = phi i64 [ {mask}, %{before} ], [ {following}, %{w.block} ]"
        w.branch(head)

    def _append_one(self, statement: ir.Append, value: str) -> None:
        w, element, pointer = self.writer, statement.buffer.element, f"%b{statement.buffer.slot}"
        slot, _ = self.variables[statement.count.name]
        count = w.read(slot, f"load i64, ptr {slot}")
        text = w.stored(element, value, 1)
        w.write(pointer, f"store {MEMORY[element]} {text}, ptr {w.address(element, pointer, count)}")
        more = w.op(f"add i64 {count}, 1")
        w.write(slot, f"store i64 {more}, ptr {slot}")
