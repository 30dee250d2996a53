"""Lines of LLVM IR: names, types, and one or several instructions for each operation of the loop IR.

A value has one lane or all of them; where they meet, the single one is copied to all lanes. No fast-math
flag is ever set, so an element's bits do not depend on its lane. `fmuladd` becomes a fused operation
where the target has one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from eccles.compile.ir import BOOL, F64, I64, OPERATIONS, Const, Element, Type
from eccles.errors import InternalError

__all__ = ["MEMORY", "SIZE", "Target", "Value", "Writer", "type_text"]

SCALAR = {F64: "double", I64: "i64", BOOL: "i1"}
MEMORY = {
    Element.F64: "double", Element.F32: "float", Element.I64: "i64", Element.I32: "i32", Element.U8: "i8",
}  # fmt: skip
SIZE = {Element.F64: 8, Element.F32: 4, Element.I64: 8, Element.I32: 4, Element.U8: 1}  # bytes

BINARY = {
    "fadd": "fadd", "fsub": "fsub", "fmul": "fmul", "fdiv": "fdiv", "iadd": "add", "isub": "sub",
    "imul": "mul", "iand": "and", "ior": "or", "ixor": "xor", "and": "and", "or": "or", "xor": "xor",
}  # fmt: skip
COMPARE = {
    **{f"f{o}": f"fcmp o{o}" for o in ("lt", "le", "gt", "ge", "eq")}, "fne": "fcmp une",
    **{f"i{o}": f"icmp s{o}" for o in ("lt", "le", "gt", "ge")}, "ieq": "icmp eq", "ine": "icmp ne",
}  # fmt: skip
INTRINSIC = {"fabs": "fabs", "fsqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc"}
SMALLER = {"fmin": "fcmp olt", "fmax": "fcmp ogt", "imin": "icmp slt", "imax": "icmp sgt"}


@dataclass(frozen=True)
class Target:
    """The CPU that code is made for.

    Attributes
    ----------
    triple, cpu, features : str
        As LLVM calls them.
    layout : str
        LLVM's description of how the target lays out data.
    lanes : int
        Doubles per vector.
    fma : bool
        Whether `fmuladd` is fused.
    """

    triple: str
    cpu: str
    features: str
    layout: str
    lanes: int
    fma: bool


class Value(NamedTuple):
    """An SSA value: its text, type, and whether it has one lane or all of them."""

    text: str
    type: Type
    lanes: int


def constant(const: Const) -> Value:
    """A literal; doubles are written by their bits."""
    value = const.value
    match const.type:
        case Type.F64:
            bits = struct.unpack("<Q", struct.pack("<d", value))[0]
            return Value(f"0x{bits:016X}", F64, 1)
        case Type.BOOL:
            return Value("true" if value else "false", BOOL, 1)
        case Type.I64:
            return Value(str(value), I64, 1)


def type_text(type_: Type, lanes: int) -> str:
    """The type of a value in a register."""
    return SCALAR[type_] if lanes == 1 else f"<{lanes} x {SCALAR[type_]}>"


def _suffix(type_: str, lanes: int) -> str:
    return type_ if lanes == 1 else f"v{lanes}{type_}"


class Writer:
    """Collects the lines of one function.

    The same instruction is written once: its result is known in all blocks that its own block dominates, and
    if it reads memory, until that is written to.
    """

    def __init__(self, fma: bool) -> None:
        self.fma = fma
        self.lines: list[str] = []
        self.declarations: set[str] = set()
        self.block = "start"  # the label of the block that is being written
        self._n = 0
        # results by instruction, and for those that read memory also by what they read; by region
        self._known: list[dict[str, str]] = [{}]
        self._read: list[dict[str, dict[str, str]]] = [{}]

    # -- text -------------------------------------------------------------------------------------

    def fresh(self) -> str:
        """A name for a value."""
        self._n += 1
        return f"%v{self._n}"

    def op(self, text: str) -> str:
        """The result of an instruction that depends on its operands alone."""
        for known in self._known:
            if text in known:
                return known[text]
        self._n += 1
        name = f"%v{self._n}"
        self.lines.append(f"  {name} = {text}")
        self._known[-1][text] = name
        return name

    def read(self, what: str, text: str) -> str:
        """The result of an instruction that reads memory: a buffer or a variable."""
        for region in self._read:
            known = region.get(what)
            if known is not None and text in known:
                return known[text]
        self._n += 1
        name = f"%v{self._n}"
        self.lines.append(f"  {name} = {text}")
        self._read[-1].setdefault(what, {})[text] = name
        return name

    def write(self, what: str, text: str) -> None:
        """Write an instruction that changes memory; what was read of it is read anew."""
        self.lines.append(f"  {text}")
        self.forget(what)

    def forget(self, what: str) -> None:
        """Read this memory anew."""
        for region in self._read:
            region.pop(what, None)

    def forget_all(self) -> None:
        """Read everything anew: at the head of a loop, whose body may change it."""
        for region in self._read:
            region.clear()

    def new_label(self, stem: str) -> str:
        """A name for a block."""
        self._n += 1
        return f"{stem}{self._n}"

    def label(self, name: str) -> None:
        """Begin a block."""
        self.lines.append(f"{name}:")
        self.block = name

    def branch(self, label: str) -> None:
        """End a block."""
        self.lines.append(f"  br label %{label}")

    def declare(self, result: str, name: str, *arguments: str) -> None:
        """Say that a function of LLVM's is used."""
        self.declarations.add(f"declare {result} @{name}({', '.join(arguments)})")

    @contextmanager
    def region(self) -> Iterator[None]:
        """Code that may not run, so that its values are not known after it."""
        self._known.append({})
        self._read.append({})
        yield
        self._known.pop()
        self._read.pop()

    # -- lanes ------------------------------------------------------------------------------------

    def spread(self, value: Value, lanes: int) -> str:
        """The value in all lanes."""
        if value.lanes == lanes:
            return value.text
        text, type_ = value.text, SCALAR[value.type]
        if text[0] != "%":
            return f"<{', '.join([f'{type_} {text}'] * lanes)}>"
        vector = f"<{lanes} x {type_}>"
        first = self.op(f"insertelement {vector} poison, {type_} {text}, i32 0")
        return self.op(f"shufflevector {vector} {first}, {vector} poison, <{lanes} x i32> zeroinitializer")

    def indices(self, first: str, lanes: int) -> str:
        """The vector first, first + 1, ..."""
        base = self.spread(Value(first, I64, 1), lanes)
        steps = ", ".join(f"i64 {k}" for k in range(lanes))
        return self.op(f"add <{lanes} x i64> {base}, <{steps}>")

    # -- elements in memory -----------------------------------------------------------------------

    def address(self, element: Element, pointer: str, index: str) -> str:
        """Where an element lies."""
        return self.op(f"getelementptr inbounds {MEMORY[element]}, ptr {pointer}, i64 {index}")

    def loaded(self, element: Element, text: str, lanes: int) -> Value:
        """An element as it lies in memory, made a value."""
        memory = MEMORY[element] if lanes == 1 else f"<{lanes} x {MEMORY[element]}>"
        match element:
            case Element.F64 | Element.I64:
                return Value(text, element.type, lanes)
            case Element.F32:
                wide = self.op(f"fpext {memory} {text} to {type_text(F64, lanes)}")
            case Element.I32:
                wide = self.op(f"sext {memory} {text} to {type_text(I64, lanes)}")
            case Element.U8:
                zero = "0" if lanes == 1 else "zeroinitializer"
                wide = self.op(f"icmp ne {memory} {text}, {zero}")
        return Value(wide, element.type, lanes)

    def stored(self, element: Element, text: str, lanes: int) -> str:
        """A value as the element lies in memory."""
        memory = MEMORY[element] if lanes == 1 else f"<{lanes} x {MEMORY[element]}>"
        how = {Element.F32: "fptrunc", Element.I32: "trunc", Element.U8: "zext"}.get(element)
        if how is None:
            return text
        return self.op(f"{how} {type_text(element.type, lanes)} {text} to {memory}")

    # -- operations -------------------------------------------------------------------------------

    def operation(self, op: str, values: list[Value]) -> Value:
        """The result of an operation of the loop IR."""
        lanes = 1
        for value in values:
            if value.lanes > lanes:
                lanes = value.lanes
        if op == "select":
            return self._select(values, lanes)
        x = [v.text if v.lanes == lanes else self.spread(v, lanes) for v in values]
        type_ = type_text(values[0].type, lanes)
        result = OPERATIONS[op][1]
        assert result is not None  # all but select
        if op in BINARY:
            text = self.op(f"{BINARY[op]} {type_} {x[0]}, {x[1]}")
        elif op in COMPARE:
            text = self.op(f"{COMPARE[op]} {type_} {x[0]}, {x[1]}")
        elif op in INTRINSIC:
            text = self._call(f"llvm.{INTRINSIC[op]}.{_suffix('f64', lanes)}", type_, type_, x)
        elif op in SMALLER:
            chosen = self.op(f"{SMALLER[op]} {type_} {x[0]}, {x[1]}")
            text = self.op(f"select {type_text(BOOL, lanes)} {chosen}, {type_} {x[0]}, {type_} {x[1]}")
        else:
            text = self._other(op, x, type_, lanes, values)
        return Value(text, result, lanes)

    def _select(self, values: list[Value], lanes: int) -> Value:
        condition = values[0]
        if condition.lanes < lanes:
            flags = f"i1 {condition.text}"  # one truth value chooses whole vectors
        else:
            flags = f"{type_text(BOOL, lanes)} {condition.text}"
        type_ = values[1].type
        text = type_text(type_, lanes)
        a, b = (self.spread(v, lanes) for v in values[1:])
        return Value(self.op(f"select {flags}, {text} {a}, {text} {b}"), type_, lanes)

    def _call(self, name: str, result: str, argument: str, x: list[str]) -> str:
        self.declare(result, name, *[argument] * len(x))
        return self.op(f"call {result} @{name}({', '.join([f'{argument} {a}' for a in x])})")

    def _other(self, op: str, x: list[str], type_: str, lanes: int, values: list[Value]) -> str:
        match op:
            case "fmuladd":
                if self.fma:
                    return self._call(f"llvm.fma.{_suffix('f64', lanes)}", type_, type_, x)
                product = self.op(f"fmul {type_} {x[0]}, {x[1]}")
                return self.op(f"fadd {type_} {product}, {x[2]}")
            case "fneg":
                return self.op(f"fneg {type_} {x[0]}")
            case "idiv" | "imod":
                return self._floored(op, x[0], x[1], type_, lanes)
            case "ishl" | "ilshr" | "iashr":
                if values[1].text[0] != "%":
                    count = self._integer(int(values[1].text) & 63, lanes)
                else:
                    count = self.op(f"and {type_} {x[1]}, {self._integer(63, lanes)}")
                return self.op(f"{op[1:]} {type_} {x[0]}, {count}")
            case "not":
                ones = self.spread(Value("true", BOOL, 1), lanes)
                return self.op(f"xor {type_} {x[0]}, {ones}")
            case "itof":
                return self.op(f"sitofp {type_} {x[0]} to {type_text(F64, lanes)}")
            case "btoi":
                return self.op(f"zext {type_} {x[0]} to {type_text(I64, lanes)}")
            case "btof":
                return self.op(f"uitofp {type_} {x[0]} to {type_text(F64, lanes)}")
            case "ftoi":
                name = f"llvm.fptosi.sat.{_suffix('i64', lanes)}.{_suffix('f64', lanes)}"
                return self._call(name, type_text(I64, lanes), type_, x)
            case "bits":
                return self.op(f"bitcast {type_} {x[0]} to {type_text(I64, lanes)}")
            case "frombits":
                return self.op(f"bitcast {type_} {x[0]} to {type_text(F64, lanes)}")
        raise InternalError(f"unknown operation {op}")

    def _integer(self, number: int, lanes: int) -> str:
        return self.spread(Value(str(number), I64, 1), lanes)

    def _floored(self, op: str, a: str, b: str, type_: str, lanes: int) -> str:
        """Division that rounds down, without the traps of the machine's own."""
        flag = type_text(BOOL, lanes)
        nought = self._integer(0, lanes)
        one = self._integer(1, lanes)
        zero = self.op(f"icmp eq {type_} {b}, {nought}")
        minus = self.op(f"icmp eq {type_} {b}, {self._integer(-1, lanes)}")
        special = self.op(f"or {flag} {zero}, {minus}")
        safe = self.op(f"select {flag} {special}, {type_} {one}, {type_} {b}")
        rest = self.op(f"srem {type_} {a}, {safe}")
        uneven = self.op(f"icmp ne {type_} {rest}, {nought}")
        mixed = self.op(f"xor {type_} {rest}, {safe}")
        negative = self.op(f"icmp slt {type_} {mixed}, {nought}")
        adjust = self.op(f"and {flag} {uneven}, {negative}")
        if op == "imod":
            raised = self.op(f"add {type_} {rest}, {safe}")
            result = self.op(f"select {flag} {adjust}, {type_} {raised}, {type_} {rest}")
            return self.op(f"select {flag} {special}, {type_} {nought}, {type_} {result}")
        quotient = self.op(f"sdiv {type_} {a}, {safe}")
        lowered = self.op(f"sub {type_} {quotient}, {one}")
        result = self.op(f"select {flag} {adjust}, {type_} {lowered}, {type_} {quotient}")
        opposite = self.op(f"sub {type_} {nought}, {a}")
        result = self.op(f"select {flag} {minus}, {type_} {opposite}, {type_} {result}")
        return self.op(f"select {flag} {zero}, {type_} {nought}, {type_} {result}")
