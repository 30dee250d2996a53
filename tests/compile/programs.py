"""Random programs of the loop IR, and ways to run any program.

`random_program(seed)` uses every operation and every statement. What the IR leaves open is avoided: indices
are in range, `bits` sees no NaN, and no loop runs long.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from eccles.compile import ir, llvm
from eccles.compile.interpret import interpret
from eccles.compile.ir import BOOL, F64, I64, VECTOR_PADDING, Buffer, Element, Local, Op, const

DTYPES = {
    Element.F64: np.float64, Element.F32: np.float32, Element.I64: np.int64,
    Element.I32: np.int32, Element.U8: np.uint8,
}  # fmt: skip

OWN = tuple(
    Buffer(name, element, slot)
    for slot, (name, element) in enumerate(
        [("x", Element.F64), ("y", Element.F64), ("z", Element.F32), ("a", Element.I64), ("b", Element.I64),
         ("c", Element.I32), ("f", Element.U8)]
    )
)  # fmt: skip
TABLE, GATHER, SIZES, OUT, IDS, MORE_IDS = (
    Buffer(name, element, len(OWN) + k)
    for k, (name, element) in enumerate(
        [("table", Element.F64), ("gather", Element.I32), ("sizes", Element.I64), ("out", Element.F64),
         ("ids", Element.I32), ("more", Element.I64)]
    )
)  # fmt: skip
BUFFERS = (*OWN, TABLE, GATHER, SIZES, OUT, IDS, MORE_IDS)

FLOATS = [
    0.0, -0.0, 1.0, -1.0, 0.5, 3.25, -2.75, 1e-3, 1e308, -1e308, 5e-324, 1e16, 2.0**63, -(2.0**63),
    float("inf"), float("-inf"), float("nan"), 0.1, 7.0,
]  # fmt: skip
INTEGERS = [0, 1, -1, 2, 3, 7, -5, 63, 64, 65, 2**31, -(2**31) - 1, 2**63 - 1, -(2**63), 1000]


# -- running ----------------------------------------------------------------------------------------


def address_table(arrays: list[np.ndarray]) -> np.ndarray:
    """What a program is called with the address of."""
    return np.array([a.ctypes.data for a in arrays], np.uint64)


def call(native: Callable[[int], int], arrays: list[np.ndarray]) -> int:
    """Run native code on arrays, which it changes."""
    table = address_table(arrays)
    return native(table.ctypes.data)


def run_native(program: ir.Program, arrays: list[np.ndarray], target=None) -> tuple[int, list[np.ndarray]]:
    """The result of native code, and what the arrays are afterwards."""
    arrays = [a.copy() for a in arrays]
    native, _ = llvm.build(program, target or llvm.host_target(portable=True))
    return call(native, arrays), arrays


def run_interpreted(program: ir.Program, arrays: list[np.ndarray], fma="separate"):
    arrays = [a.copy() for a in arrays]
    return interpret(program, arrays, fma=fma), arrays


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal to the bit, the sign of zero included; one NaN is as good as another."""
    if a.dtype.kind != "f":
        return np.array_equal(a, b)
    both_nan = np.isnan(a) & np.isnan(b)
    pattern = {4: np.uint32, 8: np.uint64}[a.dtype.itemsize]
    return bool(np.all(both_nan | (a.view(pattern) == b.view(pattern))))


def assert_same(found, expected, n: int | None = None) -> None:
    """Equal results and arrays; of the arrays of random programs the padding does not count."""
    assert found[0] == expected[0]
    for slot, (a, b) in enumerate(zip(found[1], expected[1], strict=True)):
        stop = n if n is not None and slot < len(OWN) else None
        assert same_bits(a[:stop], b[:stop]), (BUFFERS[slot].name if n else slot, a[:stop], b[:stop])


def spare(values, dtype) -> np.ndarray:
    """An array with room for vector loops to run over."""
    values = np.asarray(values, dtype)
    return np.concatenate([values, np.zeros(VECTOR_PADDING, dtype)])


def random_arrays(seed: int, n: int) -> list[np.ndarray]:
    """Arrays for the buffers of `random_program`, of n elements."""
    rng = np.random.default_rng(seed)

    def floats(size: int) -> np.ndarray:
        values = rng.normal(size=size) * 10.0 ** rng.integers(-3, 4, size)
        return np.where(rng.random(size) < 0.2, rng.choice(FLOATS, size), values)

    def integers(size: int) -> np.ndarray:
        return np.where(
            rng.random(size) < 0.3, rng.choice(np.array(INTEGERS), size), rng.integers(-50, 50, size)
        )

    by_element = {
        Element.F64: lambda: spare(floats(n), np.float64),
        Element.F32: lambda: spare(np.clip(floats(n), -1e30, 1e30), np.float32),
        Element.I64: lambda: spare(integers(n), np.int64),
        Element.I32: lambda: spare(rng.integers(-(2**31), 2**31, n), np.int32),
        Element.U8: lambda: spare(rng.integers(0, 2, n), np.uint8),
    }
    sizes = np.array([n, rng.integers(-9, n + 1), rng.integers(0, 3)])
    return [
        *[by_element[b.element]() for b in OWN],
        spare(floats(n), np.float64), spare(rng.integers(0, n, n), np.int32), spare(sizes, np.int64),
        spare(np.zeros(3 * n), np.float64), spare(np.zeros(4 * n), np.int32),
        spare(np.zeros(4 * n), np.int64),
    ]  # fmt: skip


# -- making -----------------------------------------------------------------------------------------


@dataclass
class Scope:
    """The names that may be used, and what may be loaded how."""

    names: list[Local] = field(default_factory=list)
    variables: list[Local] = field(default_factory=list)
    loops: int = 0
    vector: Local | None = None
    stored: frozenset[Buffer] = frozenset()  # in this vector loop: loaded at its index alone
    closed: frozenset[Buffer] = frozenset()  # not loaded at all
    hidden: frozenset[str] = frozenset()  # counts of appends
    function: bool = False

    def inner(self, **changes) -> Scope:
        return replace(self, names=list(self.names), variables=list(self.variables), **changes)


class Maker:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.n_names = 0
        self.size, self.some, self.few = Local("n", I64), Local("some", I64), Local("few", I64)
        self.functions: list[ir.Function] = []
        self.functions = [self.function(k, straight=k < 2) for k in range(3)]

    def local(self, stem: str, type_: ir.Type) -> Local:
        self.n_names += 1
        return Local(f"{stem}.{self.n_names}", type_)

    def program(self) -> ir.Program:
        scope = Scope([self.size, self.some, self.few])
        head = [
            ir.Let(local, ir.Load(SIZES, const(k)))
            for k, local in enumerate((self.size, self.some, self.few))
        ]
        body = self.body(scope, self.rng.randint(4, 9))
        result = ir.Return(self.expr(I64, scope, 2))
        return ir.Program("run", BUFFERS, (*head, *body, result))

    def function(self, number: int, *, straight: bool) -> ir.Function:
        rng = self.rng
        params = tuple(self.local("p", rng.choice([F64, F64, I64, BOOL])) for _ in range(rng.randint(1, 3)))
        scope = Scope(list(params), function=True)
        body = [s for _ in range(rng.randint(0, 3)) for s in self.let(scope)]
        if not straight:
            body += self.body(scope, 2)
        return ir.Function(f"fn{number}", params, tuple(body), self.expr(rng.choice([F64, I64]), scope, 3))

    # -- statements -------------------------------------------------------------------------------

    def body(self, scope: Scope, n: int) -> list[ir.Stmt]:
        return [s for _ in range(n) for s in self.statement(scope)]

    def statement(self, scope: Scope) -> list[ir.Stmt]:
        kinds = [self.let, self.let, self.var, self.set_var, self.branch, self.repeat]
        if not scope.function:
            kinds += [
                self.store,
                self.store,
                self.counted,
                self.guarded,
                self.vector,
                *[self.pair] * 4,
                self.leave,
            ]
        if scope.loops >= 2:
            kinds = (
                [self.let, self.set_var]
                if scope.function
                else [self.let, self.store, self.guarded, self.pair]
            )
        return self.rng.choice(kinds)(scope)

    def type(self) -> ir.Type:
        return self.rng.choice([F64, F64, I64, BOOL])

    def let(self, scope: Scope) -> list[ir.Stmt]:
        type_ = self.type()
        value = self.expr(type_, scope, 3)
        local = self.local("v", type_)
        scope.names.append(local)
        return [ir.Let(local, value)]

    def var(self, scope: Scope) -> list[ir.Stmt]:
        type_ = self.type()
        value = self.expr(type_, scope, 2)
        local = self.local("m", type_)
        scope.names.append(local)
        scope.variables.append(local)
        return [ir.Var(local, value)]

    def set_var(self, scope: Scope) -> list[ir.Stmt]:
        if not scope.variables:
            return self.var(scope)
        local = self.rng.choice(scope.variables)
        return [ir.SetVar(local, self.expr(local.type, scope, 3))]

    def store(self, scope: Scope) -> list[ir.Stmt]:
        buffer = self.rng.choice(OWN)
        return [ir.Store(buffer, self.index(scope), self.expr(buffer.element.type, scope, 3))]

    def prefetch(self, scope: Scope) -> list[ir.Stmt]:
        return [ir.Prefetch(self.rng.choice(OWN), self.expr(I64, scope, 2))]

    def leave(self, scope: Scope) -> list[ir.Stmt]:
        rare = Op("ieq", (self.expr(I64, scope, 1), const(7)))
        return [ir.If(rare, (ir.Return(self.expr(I64, scope, 1)),), (), False)]

    def branch(self, scope: Scope) -> list[ir.Stmt]:
        orelse = tuple(self.body(scope.inner(), self.rng.randint(0, 2)))
        likely = self.rng.choice([None, True, False])
        condition = self.expr(BOOL, scope, 2)
        return [ir.If(condition, tuple(self.body(scope.inner(), self.rng.randint(1, 3))), orelse, likely)]

    def repeat(self, scope: Scope) -> list[ir.Stmt]:
        """A `while` of at most three rounds."""
        k = self.local("k", I64)
        inner = scope.inner(loops=scope.loops + 1)
        inner.names.append(k)
        going = Op("and", (Op("ilt", (k, const(3))), self.expr(BOOL, inner, 1)))
        body = self.body(inner, self.rng.randint(1, 3))
        return [
            ir.Var(k, const(0)),
            ir.While(going, (*body, ir.SetVar(k, Op("iadd", (k, const(1)))))),
        ]

    def counted(self, scope: Scope) -> list[ir.Stmt]:
        j = self.local("j", I64)
        start = Op("imod", (self.expr(I64, scope, 1), const(3)))
        stop = Op("imod", (self.expr(I64, scope, 1), const(5)))
        inner = scope.inner(loops=scope.loops + 1)
        inner.names.append(j)
        return [ir.For(j, start, stop, tuple(self.body(inner, self.rng.randint(1, 4))))]

    def guarded(self, scope: Scope) -> list[ir.Stmt]:
        """A load whose index is only in range where the branch allows it."""
        index = self.local("g", I64)
        value = self.expr(I64, scope, 2)
        scope.names.append(index)
        inside = Op("and", (Op("ige", (index, const(0))), Op("ilt", (index, self.size))))
        loaded = self.local("v", F64)
        inner = scope.inner()
        inner.names.append(loaded)
        then = (ir.Let(loaded, ir.Load(TABLE, index)), *self.body(inner, 1))
        return [ir.Let(index, value), ir.If(inside, then)]

    def pair(self, scope: Scope) -> list[ir.Stmt]:
        """Two vector loops that may be fused, and what may forbid it in between."""
        first = self.vector(scope)
        between = [s for _ in range(self.rng.randint(0, 2)) for s in self.rng.choice(
            [self.let, self.let, self.store, self.set_var, self.count_of])(scope)]  # fmt: skip
        return [*first, *between, *self.vector(scope)]

    def count_of(self, scope: Scope) -> list[ir.Stmt]:
        """A value that is fixed before the loop that follows, though the variable is not."""
        counts = [name for name in scope.names if name.name.startswith("count")]
        local = self.local("v", I64)
        value = self.rng.choice(counts) if counts else self.load(I64, scope)
        scope.names.append(local)
        return [ir.Let(local, value)]

    def vector(self, scope: Scope) -> list[ir.Stmt]:
        rng = self.rng
        i = self.local("i", I64)
        padded = rng.random() < 0.8
        n = self.size if padded else rng.choice([self.size, self.some])
        stored = frozenset(rng.sample(OWN, rng.randint(0, 3)))
        appended = rng.sample([IDS, MORE_IDS], rng.choice([0, 0, 1, 1, 2]))
        offset = None if padded or rng.random() < 0.7 else rng.choice([self.few, self.size])
        counts = [self.local("count", I64) for _ in appended]
        before = [ir.Var(c, rng.choice([const(0), self.size])) for c in counts]
        inner = scope.inner(vector=i, stored=stored, loops=scope.loops + 1)
        inner.closed = frozenset([*appended, OUT])
        inner.variables = []
        inner.names.append(i)
        todo = [ir.Store] * len(stored) + [ir.Append] * len(appended) + [None] * rng.randint(1, 4)
        rng.shuffle(todo)
        stores, appends = iter(sorted(stored, key=lambda b: b.slot)), iter(zip(appended, counts, strict=True))
        body: list[ir.Stmt] = []
        for kind in todo:
            if kind is ir.Store:
                buffer = next(stores)
                body.append(ir.Store(buffer, i, self.expr(buffer.element.type, inner, 3)))
            elif kind is ir.Append:
                buffer, count = next(appends)
                value = rng.choice([i, self.expr(I64, inner, 2)])
                body.append(ir.Append(buffer, count, value, self.expr(BOOL, inner, 2)))
            else:
                body += rng.choice([self.let, self.let, self.set_var])(inner)
        if offset is not None:
            body.append(
                ir.Store(OUT, Op("iadd", rng.choice([(i, offset), (offset, i)])), self.expr(F64, inner, 2))
            )
        after: list[ir.Stmt] = []
        for count in counts:
            scope.names.append(count)
            if rng.random() < 0.5:
                after.append(ir.Store(rng.choice([OWN[3], OWN[4]]), const(0), count))
        return [*before, ir.VectorFor(i, n, tuple(body), padded), *after]

    # -- expressions ------------------------------------------------------------------------------

    def index(self, scope: Scope) -> ir.Expr:
        """An index below n."""
        if scope.vector is not None and self.rng.random() < 0.5:
            return scope.vector
        return self.rng.choice([
            const(0),
            ir.Load(GATHER, const(0)),
            Op("imod", (self.expr(I64, scope, 1), self.size)),
        ])  # fmt: skip

    def load(self, type_: ir.Type, scope: Scope) -> ir.Expr:
        buffers = [b for b in (*OWN, TABLE, GATHER) if b.element.type is type_ and b not in scope.closed]
        buffer = self.rng.choice(buffers)
        if buffer in scope.stored:
            assert scope.vector is not None
            return ir.Load(buffer, scope.vector)
        if scope.vector is not None and self.rng.random() < 0.3:
            return ir.Load(buffer, ir.Load(GATHER, scope.vector))
        return ir.Load(buffer, self.index(scope))

    def leaf(self, type_: ir.Type, scope: Scope) -> ir.Expr:
        names = [name for name in scope.names if name.type is type_]
        if names and self.rng.random() < 0.6:
            return self.rng.choice(names)
        if type_ is F64:
            return const(self.rng.choice([*FLOATS, self.rng.gauss(0, 10)]))
        if type_ is I64:
            return const(self.rng.choice(INTEGERS))
        return const(self.rng.random() < 0.5)

    def expr(self, type_: ir.Type, scope: Scope, depth: int) -> ir.Expr:
        rng = self.rng
        if depth == 0 or rng.random() < 0.15:
            return self.leaf(type_, scope)
        if not scope.function and rng.random() < 0.25:
            return self.load(type_, scope)
        if rng.random() < 0.1:
            callable_ = [
                f for f in self.functions
                if f.result.type is type_ and (scope.vector is None or ir.straight_line(f))
            ]  # fmt: skip
            if callable_:
                function = rng.choice(callable_)
                return ir.Call(function, tuple(self.expr(p.type, scope, depth - 1) for p in function.params))
        op = rng.choice([o for o, (_, result) in ir.OPERATIONS.items() if result in (type_, None)])
        args = tuple(self.expr(wanted or type_, scope, depth - 1) for wanted in ir.OPERATIONS[op][0])
        if op == "bits":  # which NaN it is does not count
            (x,) = args
            args = (Op("select", (Op("feq", (x, x)), x, const(0.0))),)
        return Op(op, args)


def random_program(seed: int) -> ir.Program:
    """A program over `BUFFERS`; its arrays come from `random_arrays`."""
    return Maker(seed).program()
