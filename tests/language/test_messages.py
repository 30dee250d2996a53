"""Complete messages of all errors that model text can lead to, as a user sees them (golden/messages.txt)."""

import numpy as np

from eccles.errors import EcclesError
from eccles.language.check import (
    DictScope,
    Symbol,
    check_equations,
    check_expression,
    check_statements,
)
from eccles.language.equations import Equations
from eccles.language.functions import function
from eccles.language.generator import parse_generator
from eccles.language.parser import parse_expression, parse_statements
from eccles.language.resolve import Namespace, default_symbol, external_symbol
from eccles.units import *


def variable(name, unit=1, kind="float", **more):
    return Symbol(name, get_dimensions(unit), kind, **more)


class WithUnits:
    """Names of units and constants, as in a model."""

    def symbol(self, name):
        return default_symbol(name)

    def function(self, name):
        return None

    def known_names(self):
        return ()


@function(v=volt, w=1, result=amp)
def current(v, w):
    return v * w / (10 * Mohm)


SCOPE = DictScope(
    {
        s.name: s
        for s in (
            variable("v", volt),
            variable("w"),
            variable("I", amp),
            variable("g", siemens),
            variable("tau", second),
            variable("n", 1, "integer"),
            variable("on", 1, "boolean"),
            Symbol("E_L", volt.dim, "float", "constant", -0.07),
            variable("t", second, writable=False),
        )
    },
    {"current": current},
    parent=WithUnits(),
)

EXPRESSIONS = [
    "", "   ", "# nothing", "v +", "* v", "v * / w", "v w", "2ms", "3 mV", "2(v + w)", "(v + w", "v + w)",
    "(v + w]", "exp(v", "f(w,)(w)", "v = w", "v := w", "v += w", "v && w", "on || on", "!on", "v'", "'v'",
    'w + "x"', "v[0]", "group.v", "np.exp(w)", "exp(x=w)", "exp(*w)", "w if on else n", "lambda x: x",
    "lambda", "class + 1", "v is w", "v in w", "v, w", "[v, w]", "{v: w}", "w & n", "w | n", "w ^ 2",
    "w << 2", "~on", "w @ n", "f'{w}'", "1j", "None", "...", "w $ n", "w ? n : 2", "w; n", "`w`", "v − w",
    "2×w", "w²", "w\u200b", "w\u0000", "π*w", "exp w", "not", "w and", "()", "(w + )", "sum(w for k in n)",
    "await w", "yield", "0x", "1__0", "12abc", "w == == n", "w <> n", "v + w +\n  * n", "w +\nn n", "((((w))",
    "a" * 150, "w\\", "a.b.c", "exp", "True = w", "w->n", "w % % n",
]  # fmt: skip

CHECKED = [
    "v + w", "v + 1", "v - I", "v + g", "v > 0", "v > -50", "w + tau/ms + v", "v == I", "v % w", "exp(v)",
    "exp(v/mV) + v", "w**v", "v**w", "v**2 + v", "v**1e999", "clip(v, 0, 1)", "clip(v, -70*mV, 1)",
    "timestep(v, tau)", "sqrt(v) + v", "v and on", "not v", "-on", "on + 1 + v", "exp(on)", "foo(w)",
    "Exp(w)", "max(v, w)", "v(2)", "exp(w, w)", "exp()", "rand(3)", "clip(w)", "current(w, w)",
    "current(v, v)", "current(v)", "current + w", "exp + w", "ta", "Tau", "V", "vv + ww + xx", "а + w",
    "tua*w", "mv*w", "unknown_name_of_a_thing", "int(v)", "poisson(v)", "arctan2(v, w)", "v + (w*g - I)*n",
    "v\n+ w\n+ I", "on == v",
]  # fmt: skip

STATEMENTS = [
    "v", "v == 1", "v + 1", "if v > 1: v = 0", "v[i] = 0", "group.v = 0", "dv/dt = -v/tau", "v =", "v += ",
    "3 = v", "v = 0", "v = 0*mV; w", "v = E_L; w = ", "v += 1", "v += I", "v *= 2*mV", "w = on", "on = w",
    "w = -70*mV", "t = 0*ms", "E_L = 0*mV", "x += 1", "y = v\nw = y", "v = E_L\nw += vv\nI = 3", "lambda = 3",
    "w = 3 = 4", "v =+ 1*mV = 2", "v = E_L  # the rest\nw = 1 +  # too early", "w = 'x'", "w = 1,2",
    "w **= v", "v, w = 0",
]  # fmt: skip

EQUATIONS = [
    "dv/dt = -v/tau", "dv/dt = -v/tau : volt : volt", "dv/dt = : volt", "v = : volt", "dv/dt -v/tau : volt",
    "v", "tau", "dv/dt = -v/tau\ndw/dt = -w/tau : 1", "v' = -v/tau : volt", "dv/dx = -v/tau : volt",
    "v += 1 : volt", "a, b : volt", "a, b, c, d : 1 (constant)", "v : mV", "v : siemens/cm**2", "v : ms/mV",
    "v : uF/cm**2", "v : gram", "v : voltt", "v : V", "v : 2", "v : 2*volt", "v :", "v : volt**volt",
    "v : volt**(2", "v : volt + amp", "v : 1/0", "v : volt/0", "v : volt (const)", "v : volt (constant, foo)",
    "v : volt (constant, constant)", "v : volt (unless refractory", "v : volt unless refractory",
    "v : volt constant)", "v : volt\nv : amp", "t : second", "dt : second", "N : 1", "i : integer", "xi : 1",
    "xi_2 : 1", "exp : 1", "pi : 1", "lambda : 1", "_v : volt", "mV : volt", "v_post : volt",
    "v_pre = 1 : volt", "dv/dt = -v/tau : boolean", "dn/dt = 1/ms : integer", "a = b : 1\nb = a : 1",
    "a = a + 1 : 1", "a = b : 1\nb = c : 1\nc = 2*a : 1\nd = a : 1", "v : volt\n\n  3 + 4\nw : 1",
    "dv/dt = (-v + : volt", "dv/dt = (g*(E_L - v) : volt\nw : 1", "dv/dt = -v/2tau : volt", "v = 1 = 2 : 1",
    "v : volt # fine\nw : voltt # not\nx :", "a" * 150 + " : 1", "if v > 1 : 1", "v : volt\nmV : 1\nexp : 1",
]  # fmt: skip

CHECKED_EQUATIONS = [
    "dv/dt = -v : volt", "dv/dt = -v/tau + I : volt", "dv/dt = (E_L - v + I)/tau : volt", "dw/dt = v/tau : 1",
    "w = v : 1", "x = 3 : volt", "x = v : amp", "x = on : 1", "x = w : boolean", "x = w : integer",
    "x = n : integer\ny = w > n : boolean\nz = v : 1", "dv/dt = -v/tau + rand()*mV/ms : volt",
    "dv/dt = (E_L - vv)/tau + foo(v)*volt/second : volt\ndw/dt = -w/tua : 1", "dv/dt = -v/tau + xi*mV : volt",
    "dv/dt = -v/tau + mV*xi*tau**-0.5 : volt\nx = I + v : amp",
]  # fmt: skip

GENERATORS = [
    "", "for k in range(3)", "k for k", "k for k in", "k for k in items", "k for k in range(3",
    "k for k in range()", "k for k in range(1, 2, 3, 4)", "k for k in range(3, p=0.1)",
    "k for k in sample(3)", "k for k in sample(3, p=0.1, size=2)", "k for k in sample(3, q=0.1)",
    "k for k in sample(3, p=0.1, p=0.2)", "k for k in range(3) for l in range(4)", "k for k in range(3) if",
    "i if", "if i > 3", "k for lambda in range(3)", "k + for k in range(3)", "k for k in range(1,)",
    "k for k in range(i 3)", "i + + + )",
]  # fmt: skip


def message(attempt, text):
    try:
        attempt(text)
    except EcclesError as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


def listing(title, texts, attempt):
    parts = [f"{'=' * 100}\n{title}\n{'=' * 100}"]
    for text in texts:
        shown = (
            text.encode("unicode_escape").decode() if not text.isprintable() and "\n" not in text else text
        )
        shown = shown.replace("\n", "\n>> ").replace("\x00", "\\x00")
        parts.append(f">> {shown}\n\n{message(attempt, text)}\n")
    return "\n".join(parts)


def test_messages_of_expressions_that_cannot_be_read(golden):
    golden("expressions.txt", listing("parse_expression", EXPRESSIONS, parse_expression))


def test_messages_of_expressions_that_do_not_fit(golden):
    golden("checked.txt", listing("infer", CHECKED, lambda t: check_expression(parse_expression(t), SCOPE)))


def test_messages_of_expectations_that_are_not_met(golden):
    def threshold(text):
        check_expression(
            parse_expression(text, "threshold"), SCOPE, expect_type="boolean", what="the threshold"
        )

    def weight(text):
        check_expression(parse_expression(text, "delay"), SCOPE, expect_dim=second.dim, what="the delay")

    def plain(text):
        check_expression(parse_expression(text, "p"), SCOPE, expect_dim=DIMENSIONLESS, what="the probability")

    golden(
        "expected.txt",
        listing("threshold", ["v", "w", "v > 1"], threshold)
        + listing("delay", ["3", "v", "w + 1"], weight)
        + listing("probability", ["v", "tau/2"], plain),
    )


def test_messages_of_statements(golden):
    def attempt(text):
        check_statements(parse_statements(text, "reset"), SCOPE)

    golden("statements.txt", listing("reset", STATEMENTS, attempt))


def test_messages_of_equations(golden):
    golden("equations.txt", listing("Equations", EQUATIONS, Equations))


def test_messages_of_equations_that_do_not_fit(golden):
    def attempt(text):
        equations = Equations(text)
        own = {e.name: Symbol(e.name, e.dim, e.type) for e in equations.values()}
        check_equations(equations, DictScope(own, parent=SCOPE))

    golden("checked_equations.txt", listing("check_equations", CHECKED_EQUATIONS, attempt))


def test_messages_of_generators(golden):
    golden("generators.txt", listing("connect", GENERATORS, lambda text: parse_generator(text, "j")))


def test_messages_of_flags(golden):
    def attempt(text):
        allowed = {
            "differential": {"unless refractory"},
            "parameter": {"constant", "shared"},
            "subexpression": set(),
        }
        Equations(text).check_flags(allowed, [{"constant", "shared"}])

    texts = [
        "dv/dt = -v/tau : volt (constant)", "x = 3 : 1 (shared)", "x : 1 (linked)",
        "x : 1 (constant, shared)", "x : 1 (summed)\ny : 1\nz = y : 1 (linked)",
    ]  # fmt: skip
    golden("flags.txt", listing("check_flags", texts, attempt))


def outside(v):
    return undefined_name + v


def loops(v):
    for _ in range(3):
        v = v + 1
    return v


def recursive(v):
    return recursive(v - 1)


def ping(v):
    return pong(v)


def pong(v):
    return ping(v)


def printing(v):
    print(v)
    return v


def half(v):  # noqa: RET503  (meant)
    if v > 0:
        return v
    v = 0


def default(v, w=3):
    return v + w


def indexing(v):
    return v[0]


def unpacking(v):
    a, b = v, v
    return a + b


def keyword_argument(v):
    return np.clip(v, a_min=0, a_max=1)


values = np.ones(3)


def array_user(v):
    return v * values


def unreadable(v):
    return v.real + 1


def no_value(v):
    v = v + 1
    return


multiply = lambda v: v * 2  # noqa: E731


def test_messages_of_functions(golden):
    functions = (outside, loops, recursive, ping, printing, half, default, indexing, unpacking)
    functions += (keyword_argument, array_user, unreadable, no_value, multiply, eval("lambda v: v"))
    parts = [message(lambda f: external_symbol("f", f), f) for f in functions]
    golden("functions.txt", "\n\n----\n\n".join(parts) + "\n")


def test_messages_of_values_that_model_text_cannot_use(golden):
    names = {"a": np.ones(3), "b": [1, 2], "c": "text", "d": np, "e_": 1j, "f": None, "g": object}
    parts = [message(Namespace(names).lookup, name) for name in names]
    golden("values.txt", "\n\n----\n\n".join(parts) + "\n")
