"""From the loop IR to LLVM's, and from there to machine code. The only importer of llvmlite.

The emitter writes LLVM IR as text. Vector loops become explicit vectors of as many doubles as the
CPU's registers hold; no pass has to discover them, so a handful of cheap passes is enough (see
docs/notes/0001-pass-pipeline.md). No fast-math flag is ever set: an element's bits do not depend on
its lane. `fmuladd` becomes a fused operation where the CPU has one and the program is not portable.
"""

from __future__ import annotations

import ctypes
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import llvmlite
import llvmlite.binding as llvm

from eccles.compile import ir
from eccles.compile.ir import BOOL, F64, I64, Element
from eccles.errors import InternalError

__all__ = ["NativeCode", "Target", "assembly", "build", "emit", "host_target", "load"]

SCALAR = {F64: "double", I64: "i64", BOOL: "i1"}
MEMORY = {
    Element.F64: "double", Element.F32: "float", Element.I64: "i64", Element.I32: "i32", Element.U8: "i8",
}  # fmt: skip

_lock = threading.Lock()  # LLVM's global state is touched by one thread at a time


@dataclass(frozen=True)
class Target:
    """The CPU that code is made for.

    Attributes
    ----------
    lanes : int
        Doubles per vector.
    fma : bool
        Whether `fmuladd` is fused.
    """

    cpu: str
    features: str
    lanes: int
    fma: bool

    @property
    def key(self) -> str:
        """What machine code for this target depends on."""
        version = ".".join(str(v) for v in llvm.llvm_version_info)
        return f"{self.cpu}|{self.features}|{self.lanes}|{self.fma}|{llvmlite.__version__}|{version}"


@cache
def host_target(portable: bool = False) -> Target:
    """This machine; a portable program gives the same bits on every machine."""
    _initialise()
    cpu = llvm.get_host_cpu_name()
    try:
        table = llvm.get_host_cpu_features()
        features = table.flatten()
    except RuntimeError:
        table, features = {}, ""
    arm = llvm.get_process_triple().startswith(("aarch64", "arm64"))
    if table.get("avx512f") and table.get("avx512dq"):
        lanes = 8
    elif table.get("avx2"):
        lanes = 4
    else:
        lanes = 2
    fma = not portable and (bool(table.get("fma")) or arm)
    return Target(cpu, features, lanes, fma)


@cache
def _initialise() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


# -- emitting ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Value:
    """An SSA value: its text, type, and whether it has one lane or all of them."""

    text: str
    type: ir.Type
    lanes: int


def _double(value: float) -> str:
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


class _Emitter:
    def __init__(self, program: ir.Program, target: Target) -> None:
        self.program = program
        self.target = target
        self.lines: list[str] = []
        self.allocas: list[str] = []
        self.declarations: set[str] = set()
        self.pointers: dict[int, str] = {}
        self.values: dict[str, _Value] = {}
        self.variables: dict[str, tuple[str, int]] = {}  # alloca and lanes
        self.lanes = 1
        self.loop: ir.Local | None = None
        self.loop_index = ""
        self._n = 0
        self._label = "start"
        self._pure: list[dict[int, _Value]] = [{}]
        self._impure: list[dict[int, _Value]] = [{}]
        self._splats: list[dict[str, str]] = [{}]

    # -- text -------------------------------------------------------------------------------------

    def fresh(self) -> str:
        self._n += 1
        return f"%v{self._n}"

    def op(self, text: str) -> str:
        name = self.fresh()
        self.lines.append(f"  {name} = {text}")
        return name

    def label(self, name: str) -> None:
        self.lines.append(f"{name}:")
        self._label = name

    def new_label(self, stem: str) -> str:
        self._n += 1
        return f"{stem}{self._n}"

    def branch(self, label: str) -> None:
        self.lines.append(f"  br label %{label}")

    def type_of(self, type_: ir.Type, lanes: int) -> str:
        return SCALAR[type_] if lanes == 1 else f"<{lanes} x {SCALAR[type_]}>"

    def declare(self, result: str, name: str, *arguments: str) -> None:
        self.declarations.add(f"declare {result} @{name}({', '.join(arguments)})")

    def suffix(self, type_: str, lanes: int) -> str:
        return type_ if lanes == 1 else f"v{lanes}{type_}"

    @contextmanager
    def region(self) -> Iterator[None]:
        """Code whose values are not known after it."""
        self._pure.append({})
        self._impure.append({})
        self._splats.append({})
        values, variables = dict(self.values), dict(self.variables)
        yield
        self.values, self.variables = values, variables
        self._pure.pop()
        self._impure.pop()
        self._splats.pop()

    def forget_memory(self) -> None:
        """Something was written: values that were read are read anew."""
        for known in self._impure:
            known.clear()

    # -- values -----------------------------------------------------------------------------------

    def widened(self, value: _Value, lanes: int) -> str:
        """The value in all lanes."""
        if value.lanes == lanes:
            return value.text
        for known in self._splats:
            if value.text in known:
                return known[value.text]
        type_ = SCALAR[value.type]
        if not value.text.startswith("%"):
            return f"<{', '.join([f'{type_} {value.text}'] * lanes)}>"
        vector = f"<{lanes} x {type_}>"
        first = self.op(f"insertelement {vector} poison, {type_} {value.text}, i32 0")
        result = self.op(f"shufflevector {vector} {first}, {vector} poison, <{lanes} x i32> zeroinitializer")
        self._splats[-1][value.text] = result
        return result

    def value(self, expr: ir.Expr) -> _Value:
        match expr:
            case ir.Const(value, type_):
                if type_ is F64:
                    return _Value(_double(float(value)), type_, 1)
                if type_ is BOOL:
                    return _Value("true" if value else "false", type_, 1)
                return _Value(str(int(value)), type_, 1)
            case ir.Local(name, type_):
                return self._local(name, type_)
        key = id(expr)
        for known in self._pure:
            if key in known:
                return known[key]
        for known in self._impure:
            if key in known:
                return known[key]
        result, pure = self._computed(expr)
        (self._pure if pure else self._impure)[-1][key] = result
        return result

    def _local(self, name: str, type_: ir.Type) -> _Value:
        if name in self.variables:
            slot, lanes = self.variables[name]
            return _Value(self.op(f"load {self.type_of(type_, lanes)}, ptr {slot}"), type_, lanes)
        if self.loop is not None and name == self.loop.name:
            return self._loop_vector()
        return self.values[name]

    def _loop_vector(self) -> _Value:
        """The indices of all lanes."""
        if self.lanes == 1:
            return _Value(self.loop_index, I64, 1)
        key = "loop index"
        if key not in self._splats[-1]:
            found = next((known[key] for known in self._splats if key in known), None)
            if found is None:
                base = self.widened(_Value(self.loop_index, I64, 1), self.lanes)
                steps = ", ".join(f"i64 {k}" for k in range(self.lanes))
                found = self.op(f"add <{self.lanes} x i64> {base}, <{steps}>")
            self._splats[-1][key] = found
        return _Value(self._splats[-1][key], I64, self.lanes)

    def _computed(self, expr: ir.Expr) -> tuple[_Value, bool]:
        match expr:
            case ir.Load(buffer, index):
                return self._load(buffer, index), False
            case ir.Op(op, args):
                values = [self.value(a) for a in args]
                return self._operation(op, values), not _reads(expr)
            case ir.Call(function, args):
                values = [self.value(a) for a in args]
                return self._inlined(function, values), not _reads(expr)
        raise InternalError(f"unknown expression {expr!r}")

    def _inlined(self, function: ir.Function, args: list[_Value]) -> _Value:
        """The body of a function in place of its call."""
        outer_values, outer_variables, outer_loop = self.values, self.variables, self.loop
        self.values = {p.name: v for p, v in zip(function.params, args, strict=True)}
        self.variables = {}
        self.loop = None
        # nodes of the body are the same objects in every call: what is known of them is not
        outer_pure, outer_impure = self._pure, self._impure
        self._pure, self._impure = [{}], [{}]
        self.statements(function.body)
        result = self.value(function.result)
        self._pure, self._impure = outer_pure, outer_impure
        self.values, self.variables, self.loop = outer_values, outer_variables, outer_loop
        return result

    # -- memory -----------------------------------------------------------------------------------

    def _contiguous(self, index: ir.Expr) -> str | None:
        """The scalar index of the first lane, if the lanes follow each other."""
        if self.loop is None or self.lanes == 1:
            return None
        if index == self.loop:
            return self.loop_index
        if isinstance(index, ir.Op) and index.op == "iadd":
            a, b = index.args
            if b == self.loop:
                a, b = b, a
            if a == self.loop:
                offset = self.value(b)
                if offset.lanes == 1:
                    return self.op(f"add i64 {self.loop_index}, {offset.text}")
        return None

    def _address(self, buffer: ir.Buffer, index: str) -> str:
        return self.op(
            f"getelementptr inbounds {MEMORY[buffer.element]}, ptr {self.pointers[buffer.slot]}, i64 {index}"
        )

    def _load(self, buffer: ir.Buffer, index: ir.Expr) -> _Value:
        memory = MEMORY[buffer.element]
        first = self._contiguous(index)
        if first is not None:
            vector = f"<{self.lanes} x {memory}>"
            size = {"double": 8, "i64": 8, "float": 4, "i32": 4, "i8": 1}[memory]
            loaded = self.op(f"load {vector}, ptr {self._address(buffer, first)}, align {size}")
            return self._widened_element(buffer.element, loaded, self.lanes)
        at = self.value(index)
        if at.lanes == 1:
            loaded = self.op(f"load {memory}, ptr {self._address(buffer, at.text)}")
            return self._widened_element(buffer.element, loaded, 1)
        vector = f"<{self.lanes} x {memory}>"
        result = "poison"
        for lane in range(self.lanes):
            one = self.op(f"extractelement <{self.lanes} x i64> {at.text}, i32 {lane}")
            loaded = self.op(f"load {memory}, ptr {self._address(buffer, one)}")
            result = self.op(f"insertelement {vector} {result}, {memory} {loaded}, i32 {lane}")
        return self._widened_element(buffer.element, result, self.lanes)

    def _widened_element(self, element: Element, text: str, lanes: int) -> _Value:
        memory = MEMORY[element] if lanes == 1 else f"<{lanes} x {MEMORY[element]}>"
        match element:
            case Element.F64 | Element.I64:
                return _Value(text, element.type, lanes)
            case Element.F32:
                wide = self.op(f"fpext {memory} {text} to {self.type_of(F64, lanes)}")
            case Element.I32:
                wide = self.op(f"sext {memory} {text} to {self.type_of(I64, lanes)}")
            case Element.U8:
                zero = "0" if lanes == 1 else "zeroinitializer"
                wide = self.op(f"icmp ne {memory} {text}, {zero}")
        return _Value(wide, element.type, lanes)

    def _narrowed(self, element: Element, value: str, lanes: int) -> str:
        type_ = self.type_of(element.type, lanes)
        memory = MEMORY[element] if lanes == 1 else f"<{lanes} x {MEMORY[element]}>"
        match element:
            case Element.F64 | Element.I64:
                return value
            case Element.F32:
                return self.op(f"fptrunc {type_} {value} to {memory}")
            case Element.I32:
                return self.op(f"trunc {type_} {value} to {memory}")
            case Element.U8:
                return self.op(f"zext {type_} {value} to {memory}")

    def _store(self, buffer: ir.Buffer, index: ir.Expr, value: ir.Expr) -> None:
        first = self._contiguous(index)
        stored = self.value(value)
        memory = MEMORY[buffer.element]
        if first is not None:
            narrow = self._narrowed(buffer.element, self.widened(stored, self.lanes), self.lanes)
            size = {"double": 8, "i64": 8, "float": 4, "i32": 4, "i8": 1}[memory]
            vector = f"<{self.lanes} x {memory}>"
            self.lines.append(f"  store {vector} {narrow}, ptr {self._address(buffer, first)}, align {size}")
        else:
            at = self.value(index)
            if at.lanes != 1 or stored.lanes != 1:
                raise InternalError(f"scattered store to {buffer.name} in a vector loop")
            narrow = self._narrowed(buffer.element, stored.text, 1)
            self.lines.append(f"  store {memory} {narrow}, ptr {self._address(buffer, at.text)}")
        self.forget_memory()

    # -- operations -------------------------------------------------------------------------------

    def _operation(self, op: str, values: list[_Value]) -> _Value:
        lanes = max(v.lanes for v in values)
        if op == "select" and values[0].lanes == 1 and lanes > 1:
            condition = values[0].text
            a, b = (self.widened(v, lanes) for v in values[1:])
            type_ = self.type_of(values[1].type, lanes)
            return _Value(self.op(f"select i1 {condition}, {type_} {a}, {type_} {b}"), values[1].type, lanes)
        texts = [self.widened(v, lanes) for v in values]
        type_ = self.type_of(values[0].type, lanes)
        result = ir.OPERATIONS[op][1] or values[-1].type
        return _Value(self._instruction(op, texts, type_, values, lanes), result, lanes)

    def _instruction(self, op: str, x: list[str], type_: str, values: list[_Value], lanes: int) -> str:
        if op in _BINARY:
            return self.op(f"{_BINARY[op]} {type_} {x[0]}, {x[1]}")
        if op in _COMPARE:
            return self.op(f"{_COMPARE[op]} {type_} {x[0]}, {x[1]}")
        if op in _INTRINSIC:
            name = f"llvm.{_INTRINSIC[op]}.{self.suffix('f64', lanes)}"
            self.declare(type_, name, type_)
            return self.op(f"call {type_} @{name}({type_} {x[0]})")
        match op:
            case "fneg":
                return self.op(f"fneg {type_} {x[0]}")
            case "fmuladd":
                if not self.target.fma:
                    product = self.op(f"fmul {type_} {x[0]}, {x[1]}")
                    return self.op(f"fadd {type_} {product}, {x[2]}")
                name = f"llvm.fma.{self.suffix('f64', lanes)}"
                self.declare(type_, name, type_, type_, type_)
                return self.op(f"call {type_} @{name}({type_} {x[0]}, {type_} {x[1]}, {type_} {x[2]})")
            case "fmin" | "fmax":
                order = "olt" if op == "fmin" else "ogt"
                less = self.op(f"fcmp {order} {type_} {x[0]}, {x[1]}")
                return self.op(f"select {self.type_of(BOOL, lanes)} {less}, {type_} {x[0]}, {type_} {x[1]}")
            case "imin" | "imax":
                order = "slt" if op == "imin" else "sgt"
                less = self.op(f"icmp {order} {type_} {x[0]}, {x[1]}")
                return self.op(f"select {self.type_of(BOOL, lanes)} {less}, {type_} {x[0]}, {type_} {x[1]}")
            case "idiv" | "imod":
                return self._floored(op, x[0], x[1], type_, lanes)
            case "ishl" | "ilshr" | "iashr":
                count = self._masked_count(x[1], type_, values[1], lanes)
                return self.op(f"{op[1:]} {type_} {x[0]}, {count}")
            case "not":
                ones = "true" if lanes == 1 else self.widened(_Value("true", BOOL, 1), lanes)
                return self.op(f"xor {type_} {x[0]}, {ones}")
            case "select":
                chosen = self.type_of(values[1].type, lanes)
                return self.op(f"select {type_} {x[0]}, {chosen} {x[1]}, {chosen} {x[2]}")
            case "itof":
                return self.op(f"sitofp {type_} {x[0]} to {self.type_of(F64, lanes)}")
            case "btoi":
                return self.op(f"zext {type_} {x[0]} to {self.type_of(I64, lanes)}")
            case "btof":
                return self.op(f"uitofp {type_} {x[0]} to {self.type_of(F64, lanes)}")
            case "ftoi":
                wide = self.type_of(I64, lanes)
                name = f"llvm.fptosi.sat.{self.suffix('i64', lanes)}.{self.suffix('f64', lanes)}"
                self.declare(wide, name, type_)
                return self.op(f"call {wide} @{name}({type_} {x[0]})")
            case "bits":
                return self.op(f"bitcast {type_} {x[0]} to {self.type_of(I64, lanes)}")
            case "frombits":
                return self.op(f"bitcast {type_} {x[0]} to {self.type_of(F64, lanes)}")
        raise InternalError(f"unknown operation {op}")

    def _masked_count(self, text: str, type_: str, value: _Value, lanes: int) -> str:
        if not value.text.startswith("%"):
            return self.widened(_Value(str(int(value.text) & 63), I64, 1), lanes)
        mask = self.widened(_Value("63", I64, 1), lanes)
        return self.op(f"and {type_} {text}, {mask}")

    def _floored(self, op: str, a: str, b: str, type_: str, lanes: int) -> str:
        """Division that rounds down, without the traps of the machine's own."""
        flag = self.type_of(BOOL, lanes)

        def wide(number: int) -> str:
            return self.widened(_Value(str(number), I64, 1), lanes)

        zero = self.op(f"icmp eq {type_} {b}, {wide(0)}")
        minus = self.op(f"icmp eq {type_} {b}, {wide(-1)}")
        special = self.op(f"or {flag} {zero}, {minus}")
        safe = self.op(f"select {flag} {special}, {type_} {wide(1)}, {type_} {b}")
        rest = self.op(f"srem {type_} {a}, {safe}")
        uneven = self.op(f"icmp ne {type_} {rest}, {wide(0)}")
        mixed = self.op(f"xor {type_} {rest}, {safe}")
        negative = self.op(f"icmp slt {type_} {mixed}, {wide(0)}")
        adjust = self.op(f"and {flag} {uneven}, {negative}")
        if op == "imod":
            raised = self.op(f"add {type_} {rest}, {safe}")
            result = self.op(f"select {flag} {adjust}, {type_} {raised}, {type_} {rest}")
            return self.op(f"select {flag} {special}, {type_} {wide(0)}, {type_} {result}")
        quotient = self.op(f"sdiv {type_} {a}, {safe}")
        lowered = self.op(f"sub {type_} {quotient}, {wide(1)}")
        result = self.op(f"select {flag} {adjust}, {type_} {lowered}, {type_} {quotient}")
        opposite = self.op(f"sub {type_} {wide(0)}, {a}")
        result = self.op(f"select {flag} {minus}, {type_} {opposite}, {type_} {result}")
        return self.op(f"select {flag} {zero}, {type_} {wide(0)}, {type_} {result}")

    # -- statements -------------------------------------------------------------------------------

    def statements(self, statements: tuple[ir.Stmt, ...]) -> None:
        for statement in statements:
            match statement:
                case ir.Let(local, value):
                    self.values[local.name] = self.value(value)
                case ir.Var(local, value):
                    self._declare_variable(local, self.value(value))
                case ir.SetVar(local, value):
                    slot, lanes = self.variables[local.name]
                    text = self.widened(self.value(value), lanes)
                    self.lines.append(f"  store {self.type_of(local.type, lanes)} {text}, ptr {slot}")
                    self.forget_memory()
                case ir.Store(buffer, index, value):
                    self._store(buffer, index, value)
                case ir.Append():
                    self._append(statement)
                case ir.For():
                    self._for(statement)
                case ir.VectorFor():
                    self._vector_for(statement)
                case ir.While():
                    self._while(statement)
                case ir.If():
                    self._if(statement)
                case ir.Return(value):
                    self.lines.append(f"  ret i64 {self.value(value).text}")
                    self.label(self.new_label("after"))

    def _declare_variable(self, local: ir.Local, value: _Value) -> None:
        lanes = self.lanes if self.loop is not None else 1
        lanes = max(lanes, value.lanes)
        slot = f"{self.fresh()}.slot"
        self.allocas.append(f"  {slot} = alloca {self.type_of(local.type, lanes)}")
        text = self.widened(value, lanes)
        self.lines.append(f"  store {self.type_of(local.type, lanes)} {text}, ptr {slot}")
        self.variables[local.name] = (slot, lanes)

    def _if(self, statement: ir.If) -> None:
        condition = self.value(statement.condition).text
        then, orelse, end = self.new_label("then"), self.new_label("else"), self.new_label("end")
        weights = {None: "", True: ", !prof !0", False: ", !prof !1"}[statement.likely]
        other = orelse if statement.orelse else end
        self.lines.append(f"  br i1 {condition}, label %{then}, label %{other}{weights}")
        self.label(then)
        with self.region():
            self.statements(statement.then)
        self.branch(end)
        if statement.orelse:
            self.label(orelse)
            with self.region():
                self.statements(statement.orelse)
            self.branch(end)
        self.label(end)
        self.forget_memory()

    def _while(self, statement: ir.While) -> None:
        head, body, end = self.new_label("head"), self.new_label("body"), self.new_label("end")
        self.forget_memory()
        self.branch(head)
        self.label(head)
        with self.region():
            condition = self.value(statement.condition).text
            self.lines.append(f"  br i1 {condition}, label %{body}, label %{end}, !prof !0")
            self.label(body)
            with self.region():
                self.statements(statement.body)
            self.branch(head)
        self.label(end)
        self.forget_memory()

    @contextmanager
    def _counted(self, start: str, stop: str, step: int) -> Iterator[str]:
        """The frame of a loop that counts up; yields the index."""
        head, body, end = self.new_label("head"), self.new_label("body"), self.new_label("end")
        before = self._label
        self.forget_memory()
        self.branch(head)
        self.label(head)
        index = self.fresh()
        at = len(self.lines)
        self.lines.append("")
        going = self.op(f"icmp slt i64 {index}, {stop}")
        self.lines.append(f"  br i1 {going}, label %{body}, label %{end}")
        self.label(body)
        with self.region():
            yield index
        following = self.op(f"add nsw i64 {index}, {step}")
        self.lines[at] = f"  {index} = phi i64 [ {start}, %{before} ], [ {following}, %{self._label} ]"
        self.branch(head)
        self.label(end)
        self.forget_memory()

    def _for(self, statement: ir.For) -> None:
        start, stop = self.value(statement.start).text, self.value(statement.stop).text
        with self._counted(start, stop, 1) as index:
            self.values[statement.local.name] = _Value(index, I64, 1)
            self.statements(statement.body)

    def _vector_for(self, statement: ir.VectorFor) -> None:
        n = self.value(statement.n).text
        lanes = self.target.lanes
        if statement.padded:
            self._vector_part(statement, "0", n, n, lanes)
            return
        whole = self.op(f"and i64 {n}, {-lanes}")
        self._vector_part(statement, "0", whole, None, lanes)
        self._vector_part(statement, whole, n, None, 1)

    def _vector_part(self, statement: ir.VectorFor, start: str, stop: str, n: str | None, lanes: int) -> None:
        """Elements from `start`, `lanes` at a time; with `n`, lanes behind it take no part in `Append`."""
        with self._counted(start, stop, lanes) as index:
            self.lanes, self.loop, self.loop_index = lanes, statement.local, index
            self._n_elements = n
            self.statements(statement.body)
            self.lanes, self.loop = 1, None

    def _append(self, statement: ir.Append) -> None:
        condition = self.value(statement.condition)
        slot, _ = self.variables[statement.count.name]
        lanes = self.lanes
        if lanes == 1:
            then, end = self.new_label("then"), self.new_label("end")
            self.lines.append(f"  br i1 {condition.text}, label %{then}, label %{end}, !prof !1")
            self.label(then)
            with self.region():
                self._append_one(statement, slot, self.value(statement.value).text)
            self.branch(end)
            self.label(end)
            self.forget_memory()
            return
        flags = self.widened(condition, lanes)
        if self._n_elements is not None:
            indices = self._loop_vector().text
            n = self.widened(_Value(self._n_elements, I64, 1), lanes)
            inside = self.op(f"icmp slt <{lanes} x i64> {indices}, {n}")
            flags = self.op(f"and <{lanes} x i1> {flags}, {inside}")
        value = self.value(statement.value)
        mask = self.op(f"bitcast <{lanes} x i1> {flags} to i{lanes}")
        wide = self.op(f"zext i{lanes} {mask} to i64")
        some, head, body, end = (self.new_label(s) for s in ("some", "head", "body", "end"))
        any_ = self.op(f"icmp ne i64 {wide}, 0")
        self.lines.append(f"  br i1 {any_}, label %{some}, label %{end}, !prof !1")
        self.label(some)
        self.branch(head)
        self.label(head)
        left = self.fresh()
        at = len(self.lines)
        self.lines.append("")
        again = self.op(f"icmp ne i64 {left}, 0")
        self.lines.append(f"  br i1 {again}, label %{body}, label %{end}")
        self.label(body)
        self.declare("i64", "llvm.cttz.i64", "i64", "i1")
        lane = self.op(f"call i64 @llvm.cttz.i64(i64 {left}, i1 true)")
        if statement.value == self.loop:
            one = self.op(f"add i64 {self.loop_index}, {lane}")
        else:
            one = self.op(f"extractelement <{lanes} x i64> {self.widened(value, lanes)}, i64 {lane}")
        self._append_one(statement, slot, one)
        lower = self.op(f"sub i64 {left}, 1")
        following = self.op(f"and i64 {left}, {lower}")
        self.lines[at] = f"  {left} = phi i64 [ {wide}, %{some} ], [ {following}, %{self._label} ]"
        self.branch(head)
        self.label(end)
        self.forget_memory()

    def _append_one(self, statement: ir.Append, slot: str, value: str) -> None:
        count = self.op(f"load i64, ptr {slot}")
        narrow = self._narrowed(statement.buffer.element, value, 1)
        address = self._address(statement.buffer, count)
        self.lines.append(f"  store {MEMORY[statement.buffer.element]} {narrow}, ptr {address}")
        more = self.op(f"add i64 {count}, 1")
        self.lines.append(f"  store i64 {more}, ptr {slot}")

    # -- the whole --------------------------------------------------------------------------------

    def module(self) -> str:
        entry: list[str] = []
        for buffer in self.program.buffers:
            pointer = f"%b{buffer.slot}"
            entry.append(f"  {pointer}.at = getelementptr inbounds ptr, ptr %table, i64 {buffer.slot}")
            entry.append(f"  {pointer} = load ptr, ptr {pointer}.at")
            self.pointers[buffer.slot] = pointer
        self.statements(self.program.body)
        width = 64 * self.target.lanes
        attributes = f'nounwind "prefer-vector-width"="{width}" "min-legal-vector-width"="{width}"'
        return "\n".join(
            [
                f'target triple = "{llvm.get_process_triple()}"',
                *sorted(self.declarations),
                f"define i64 @{self.program.name}(ptr noalias readonly %table) #0 {{",
                "entry:",
                *self.allocas,
                *entry,
                "  br label %start",
                "start:",
                *self.lines,
                "  ret i64 0",
                "}",
                f"attributes #0 = {{ {attributes} }}",
                '!0 = !{!"branch_weights", i32 2000, i32 1}',
                '!1 = !{!"branch_weights", i32 1, i32 2000}',
                "",
            ]
        )


_BINARY = {
    "fadd": "fadd", "fsub": "fsub", "fmul": "fmul", "fdiv": "fdiv", "iadd": "add", "isub": "sub", "imul": "mul",
    "iand": "and", "ior": "or", "ixor": "xor", "and": "and", "or": "or", "xor": "xor",
}  # fmt: skip
_COMPARE = {
    **{f"f{o}": f"fcmp o{o}" for o in ("lt", "le", "gt", "ge", "eq")}, "fne": "fcmp une",
    **{f"i{o}": f"icmp s{o}" for o in ("lt", "le", "gt", "ge")}, "ieq": "icmp eq", "ine": "icmp ne",
}  # fmt: skip
_INTRINSIC = {"fabs": "fabs", "fsqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc"}


def _reads(expr: ir.Expr) -> bool:
    """Whether the value may change when memory or a variable is written: anything but constants may."""
    stack: list[ir.Expr] = [expr]
    while stack:
        node = stack.pop()
        match node:
            case ir.Load() | ir.Local():
                return True  # a local may be a variable: cheap to be careful
            case ir.Op(_, args) | ir.Call(_, args):
                stack.extend(args)
    return False


def emit(program: ir.Program, target: Target) -> str:
    """LLVM IR as text."""
    return _Emitter(program, target).module()


# -- machine code -----------------------------------------------------------------------------------


def _machine(target: Target) -> llvm.TargetMachine:
    _initialise()
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=target.cpu, features=target.features, opt=2, reloc="default", codemodel="jitdefault", jit=True
    )


def _optimised(text: str, machine: llvm.TargetMachine) -> llvm.ModuleRef:
    module = llvm.parse_assembly(text)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    builder = llvm.create_pass_builder(machine, options)
    passes = llvm.create_new_function_pass_manager()
    passes.add_sroa_pass()
    passes.add_simplify_cfg_pass()
    passes.add_instruction_combine_pass()
    passes.add_new_gvn_pass()
    passes.add_simplify_cfg_pass()
    for function in module.functions:
        if not function.is_declaration:
            passes.run(function, builder)
    return module


class NativeCode:
    """A compiled program: call it with the address of the table of buffers.

    Keeps LLVM's execution engine alive: without it the code would be gone.
    """

    def __init__(self, engine: llvm.ExecutionEngine, name: str) -> None:
        self._engine = engine
        address = engine.get_function_address(name)
        if not address:
            raise InternalError(f"LLVM has no function '{name}'")
        # a CFUNCTYPE call releases the interpreter's lock
        self._function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(address)

    def __call__(self, table: int) -> int:
        return self._function(table)


def build(program: ir.Program, target: Target) -> tuple[NativeCode, bytes]:
    """Compile; also returns the object code, for the cache."""
    with _lock:
        machine = _machine(target)
        module = _optimised(emit(program, target), machine)
        engine = llvm.create_mcjit_compiler(module, machine)
        objects: list[bytes] = []
        engine.set_object_cache(lambda _, data: objects.append(data), lambda _: None)
        engine.finalize_object()
        return NativeCode(engine, program.name), objects[0] if objects else b""


def load(name: str, code: bytes, target: Target) -> NativeCode:
    """A program from object code of `build`."""
    with _lock:
        machine = _machine(target)
        module = llvm.parse_assembly(f"declare i64 @{name}(ptr)")
        engine = llvm.create_mcjit_compiler(module, machine)
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        return NativeCode(engine, name)


def assembly(program: ir.Program, target: Target) -> str:
    """Machine code as text."""
    with _lock:
        machine = _machine(target)
        return machine.emit_assembly(_optimised(emit(program, target), machine))
