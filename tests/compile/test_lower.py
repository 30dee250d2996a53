import math

import numpy as np
import pytest

from eccles.compile import ir
from eccles.compile.interpret import interpret
from eccles.compile.ir import BOOL, F64, I64, Buffer, Element, Op, Store, const
from eccles.compile.lower import Lowerer, Names, convert, promote
from eccles.compile.verify import verify
from eccles.errors import InternalError
from eccles.language.nodes import Binary, Name, Number
from eccles.language.parser import parse_expression, parse_statements

FLOATS, INTEGERS, TRUTHS = (
    Buffer("floats", Element.F64, 0), Buffer("integers", Element.I64, 1), Buffer("truths", Element.U8, 2),
)  # fmt: skip
VALUES = {
    "x": 2.5,
    "y": -0.75,
    "zero": 0.0,
    "nan": math.nan,
    "i": 7,
    "j": -3,
    "none": 0,
    "yes": True,
    "no": False,
}


def place(name: str) -> tuple[Buffer, int]:
    value = VALUES[name]
    same = [n for n, v in VALUES.items() if type(v) is type(value)]
    return {float: FLOATS, int: INTEGERS, bool: TRUTHS}[type(value)], same.index(name)


def lowerer() -> Lowerer:
    return Lowerer({n: ir.Load(place(n)[0], const(place(n)[1])) for n in VALUES}, Names())


def run(low: Lowerer, value: ir.Expr):
    """The value as the interpreter computes it, of its own type."""
    element, dtype = {F64: (Element.F64, float), I64: (Element.I64, np.int64), BOOL: (Element.U8, bool)}[
        value.type
    ]
    out = Buffer("out", element, 3)
    program = ir.Program(
        "run", (FLOATS, INTEGERS, TRUTHS, out), (*low.out, Store(out, const(0), value))
    )  # fmt: skip
    verify(program)
    arrays = [
        np.array([v for v in VALUES.values() if type(v) is kind], dt)
        for kind, dt in ((float, float), (int, np.int64), (bool, np.uint8))
    ]
    result = np.zeros(1, dtype)
    interpret(program, [*arrays, result])
    return result[0].item()


def evaluate(text: str):
    low = lowerer()
    return run(low, low.expr(parse_expression(text)))


@pytest.mark.parametrize(
    "text",
    [
        "x + y", "x - i", "i * j", "i + yes", "yes + yes", "-x", "-i", "+i", "-yes", "x / y", "i / j",
        "i // j", "i % j", "j % i", "x // y", "x % y", "y % x", "x % i", "x < y", "i <= 7", "x > i",
        "i >= j", "i == 7",
        "x != y", "yes == 1", "not yes", "not i", "not none", "x > 1 and y > 1", "x > 1 or y > 1",
        "i and x > 1", "x**2", "x**3", "x**16", "x**-1", "x**-3", "i**2", "i**0", "x**0", "nan**0", "i**-1",
        "i**2.0",
        "j**3", "yes**2", "x**0.5", "i**0.5", "1 + 2*3 - 4", "2**-1", "abs(y)", "abs(j)", "abs(yes)",
        "int(x)", "int(y)", "int(yes)", "clip(x, 0, 1)", "clip(i, 1, 3)", "clip(i, 1.5, 3)",
        "clip(y, -1, 1)", "floor(y)", "ceil(y)", "sqrt(x)", "floor(i)",
    ],
)  # fmt: skip
def test_an_expression_has_the_value_and_type_it_has_in_python(text):
    names = {
        "abs": abs, "int": int, "clip": lambda v, low, high: min(max(v, low), high) + 0 * (v + low + high),
        "floor": lambda v: float(math.floor(v)), "ceil": lambda v: float(math.ceil(v)), "sqrt": math.sqrt,
    }  # fmt: skip
    expected = eval(text, names, VALUES)
    if " and " in text or " or " in text:
        expected = bool(expected)
    if text in ("x**0", "nan**0"):
        expected = 1.0
    found = evaluate(text)
    assert found == pytest.approx(expected, rel=1e-15, abs=0)
    assert isinstance(found, bool) == isinstance(expected, bool)
    assert isinstance(found, float) == isinstance(expected, float)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x / zero", math.inf), ("y / zero", -math.inf), ("i / none", math.inf), ("i // none", 0),
        ("i % none", 0), ("int(x / zero)", 2**63 - 1), ("int(nan)", 0), ("nan < 1", False),
        ("nan != nan", True),
        ("9223372036854775807 + 1", -(2**63)), ("-9223372036854775807 - 1", -(2**63)),
        ("9223372036854775808", 2.0**63), ("2 ** 1e400", math.inf), ("int(True)", 1),
    ],
)  # fmt: skip
def test_where_python_would_raise_the_value_is_that_of_the_ir(text, expected):
    assert evaluate(text) == expected


@pytest.mark.parametrize("text", ["clip(nan, 0, 1)", "nan + 1", "abs(nan)"])
def test_nan_stays_nan(text):
    assert math.isnan(evaluate(text))


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**30])
def test_an_integer_that_does_not_fit_becomes_a_float(value):
    low = lowerer()
    assert run(low, low.expr(Number(value))) == float(value)


def test_the_negative_of_the_least_integer_is_a_float():
    low = lowerer()
    assert low.expr(parse_expression("-x").__class__("-", Number(-(2**63)))) == const(2.0**63)


@pytest.mark.parametrize("exponent", [math.inf, -math.inf, math.nan, 1e300])
def test_powers_with_exponents_that_are_no_integers_are_calls(exponent):
    low = lowerer()
    value = low.expr(Binary("**", Name("x"), Number(exponent)))
    assert isinstance(value, ir.Call)
    assert value.function.name == "pow"


def test_assignments_rebind_names_in_order():
    low = lowerer()
    low.statements(parse_statements("x = x + 1\nz = x * 2\nx += z\ni = x"), {"x": F64, "i": I64})
    assert run(low, low.env["x"]) == 3.5 + 7.0
    assert run(low, low.env["i"]) == 10
    assert set(low.assigned) == {"x", "z", "i"}
    assert len({s.local.name for s in low.out if isinstance(s, ir.Let)}) == len(low.out)


def test_a_name_without_meaning_is_our_bug():
    with pytest.raises(InternalError, match="'w' has no meaning"):
        lowerer().expr(Name("w"))


def test_other_functions_are_asked_for_outside():
    asked = []

    def call(function, args, low):
        asked.append((function, args))
        return const(4.0) if function == "rand" else None

    low = Lowerer({}, Names(), call)
    assert low.expr(parse_expression("rand() + 1")) == Op("fadd", (const(4.0), const(1.0)))
    with pytest.raises(InternalError, match="no native form of the function 'mystery'"):
        low.expr(parse_expression("mystery(1, 2)"))
    assert asked == [("rand", ()), ("mystery", (const(1), const(2)))]


def test_conversions_of_literals_and_values():
    assert convert(const(3), F64) == const(3.0)
    assert convert(const(True), I64) == const(1)
    assert convert(const(0.5), BOOL) == const(True)
    assert convert(const(2.7), I64) == Op("ftoi", (const(2.7),))
    i = ir.Local("i", I64)
    assert convert(i, I64) is i
    assert promote(i, const(0.5))[0] == Op("itof", (i,))
    assert promote(ir.Local("b", BOOL), i)[0] == Op("btoi", (ir.Local("b", BOOL),))


def test_names_are_never_given_twice():
    names = Names()
    given = [names.local(stem, F64).name for stem in ("v", "v", "w", "v")]
    assert given == ["v", "v.1", "w", "v.2"]
