"""Whatever text comes: a result or an error of Eccles in bounded time, never Python's own errors."""

import contextlib
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import VARIABLES, hostile_text

from eccles.errors import EcclesError
from eccles.language.algebra import derivative, fold, linear_in
from eccles.language.check import DictScope, Symbol, check_equations, check_statements, infer
from eccles.language.equations import Equations
from eccles.language.evaluate import evaluate
from eccles.language.functions import BUILTINS
from eccles.language.generator import parse_generator
from eccles.language.parser import parse_expression, parse_statements
from eccles.language.printer import latex, show
from eccles.language.resolve import default_symbol
from eccles.units import DIMENSIONLESS, second, volt


class Units:
    def symbol(self, name):
        return default_symbol(name)

    def function(self, name):
        return None

    def known_names(self):
        return VARIABLES


def symbol(name, dim=DIMENSIONLESS, kind="float"):
    return Symbol(name, dim, kind)


OWN = (
    symbol("v", volt.dim),
    symbol("tau", second.dim),
    symbol("i", kind="integer"),
    symbol("on", kind="boolean"),
)
SCOPE = DictScope({s.name: s for s in OWN}, parent=Units())


def use_expression(text):
    tree = parse_expression(text)
    infer(tree, SCOPE)
    assert parse_expression(show(fold(tree))) is not None
    latex(tree)
    linear_in(tree, "v")
    with contextlib.suppress(ValueError):
        derivative(tree, "v")
    if not any(spec.stateful and name in text for name, spec in BUILTINS.items()):
        evaluate(tree, lambda name: 1.5, lambda name, args: BUILTINS[name].python(*args))


def use_statements(text):
    check_statements(parse_statements(text), SCOPE)


def use_equations(text):
    equations = Equations(text)
    own = {e.name: Symbol(e.name, e.dim, e.type) for e in equations.values()}
    check_equations(equations, DictScope(own, parent=SCOPE))
    equations.substituted()
    assert Equations(str(equations)) == equations


USES = [use_expression, use_statements, use_equations, parse_generator]


def attempt(use, text):
    """The message of the error that a text leads to, if it does."""
    try:
        use(text)
    except EcclesError as error:
        return str(error), error.span
    return "", None


def check(use, text):
    message, span = attempt(use, text)
    assert len(message) < 20_000
    assert span is None or 0 <= span.start <= span.stop
    return message


def wrapped(text):
    """The same text where each reader looks for an expression."""
    return [text, f"x = {text}", f"dv/dt = {text} : volt\nx : {text}", f"k for k in range({text}) if {text}"]


@given(text=hostile_text())
@example("9**9**9**9")
@example("a.b(c)[d]")
@example("\ud800 + 1")
@example("(" * 1000)
@example("v" + "**v" * 1000)
@settings(max_examples=150)
def test_pieces_of_text_are_read_or_refused(text):
    for use, form in zip(USES, wrapped(text), strict=True):
        check(use, text)
        check(use, form)


@given(text=st.text(max_size=80))
def test_random_text_is_read_or_refused(text):
    for use, form in zip(USES, wrapped(text), strict=True):
        check(use, text)
        check(use, form)


MANY = 10_000
HOSTILE = {
    "brackets": "(" * 1000 + "v" + ")" * 1000,
    "open brackets": "(" * MANY,
    "closing brackets": ")" * MANY,
    "nested calls": "exp(" * 1000 + "i" + ")" * 1000,
    "braces": "{" * 99 + "1:1 1" + "}" * 99,
    "tower": "9**9**9**9",
    "powers": "v" + "**i" * MANY,
    "long": "a" * 10**6,
    "long sum": "+".join(["v"] * MANY),
    "long difference": "-".join(["i"] * 50_000),
    "long product": "*".join(["i"] * MANY),
    "long condition": " and ".join(["on"] * MANY),
    "long comparison": "<".join(["i"] * MANY),
    "signs": "-" * 50_000 + "i",
    "nots": "not " * 20_000 + "on",
    "tildes": "~" * 50_000,
    "lambdas": "lambda x: " * 5000 + "1",
    "conditionals": "1 if on else " * 5000 + "1",
    "attributes": "v." * 30_000 + "v",
    "indices": "v[" * 90 + "0" + "]" * 90,
    "digits": "9" * 99_999,
    "zeros": "0" * 99_999 + "1",
    "hexadecimal": "0x" + "f" * 5000,
    "exponents": "1e" * 30_000,
    "points": "." * 99_999,
    "stars": "*" * 99_999,
    "quotes": "'" * 99_999,
    "double quotes": '"' * 99_999,
    "commas": "i," * 40_000,
    "arguments": "clip(" + "i," * 30_000 + "i)",
    "spaces": "v" + " " * 99_000 + "w",
    "lines": "v\n" * 40_000,
    "comments": "#\n" * 40_000,
    "semicolons": ";" * 99_999,
    "colons": ":" * 99_999,
    "equals": "=" * 99_999,
    "backslashes": "\\\n" * 40_000,
    "nul": "\x00" * 1000,
    "name": "v" * 99_999,
    "names": "+".join(f"v{k}" for k in range(200)),
    "look-alikes": "ａ + а + 𝐚 + a\u0301",
    "right to left": "v \u202e+ w",
    "surrogate": "v + \udcff",
    "f-strings": "f'{v!r:{w}}'" * 2000,
    "walrus": "(v := " * 90 + "1" + ")" * 90,
    "comprehension": "[v for v in " * 90,
    "for": "for k in " * 9000,
    "if": "if " * 30_000,
    "generators": "(if)" * 20_000,
    "yield": "yield " * 5000,
    "unit tower": "volt**20" + "**20" * 100,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_read_or_refused(text):
    messages = [check(use, form) for use, form in zip(USES, wrapped(text), strict=True)]
    assert any(messages)


@pytest.mark.parametrize("kind", ["long sum", "commas", "arguments", "tower", "signs", "long"])
def test_hostile_text_takes_bounded_memory(kind):
    tracemalloc.start()
    try:
        check(use_expression, HOSTILE[kind])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200e6


@pytest.mark.parametrize("n", [1, 60, 3000])
def test_models_of_many_lines_are_read_or_refused(n):
    for line in (
        "a{k} = a{m} : 1",
        "a{k} = a{m} + a{m} : 1",
        "a{k} : volt",
        "da{k}/dt = a{m}*v : 1",
        "a{k}, b{k} : 1",
    ):
        check(use_equations, "\n".join(line.format(k=k, m=k + 1) for k in range(n)))


def test_very_many_errors_make_a_message_that_can_be_read():
    message = check(use_equations, "\n".join(f"a{k} : furlong" for k in range(3000)))
    assert message.startswith("100 or more problems (the first 10)")
