"""Strategies of hypothesis that tests share: units and quantities, trees, values for trees, small models."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from eccles.language.functions import BUILTINS
from eccles.language.nodes import Binary, Boolean, Call, Compare, Expr, Logical, Name, Number, Unary
from eccles.units import Dimension, Quantity
from eccles.units.names import standard_names

__all__ = [
    "VARIABLES",
    "conditions",
    "dimensions",
    "expressions",
    "hostile_text",
    "linear_models",
    "quantities",
    "smooth_expressions",
    "units",
    "values",
]

VARIABLES = ("v", "w_1", "g", "tau", "I")

finite = st.floats(-1e6, 1e6, allow_subnormal=False)


# -- units ------------------------------------------------------------------------------------------


def units():
    """A named unit, as users have it after a star import."""
    return st.sampled_from(sorted(standard_names)).map(standard_names.__getitem__)


@st.composite
def dimensions(draw):
    """A dimension, halves among its exponents."""
    exponent = st.one_of(
        st.integers(-4, 4), st.sampled_from([Fraction(-1, 2), Fraction(1, 2), Fraction(3, 2)])
    )
    return Dimension(tuple(draw(st.lists(exponent, min_size=7, max_size=7))))


@st.composite
def quantities(draw, dim=None, numbers=finite):
    """A single quantity or an array of one to four, of a given dimension or that of some unit."""
    value = draw(st.one_of(numbers, st.lists(numbers, min_size=1, max_size=4)))
    if dim is None:
        dim = draw(units()).dim
    return Quantity(value, dim=dim)


# -- trees ------------------------------------------------------------------------------------------


def _numbers():
    return st.one_of(
        st.integers(0, 2**63 - 1), st.floats(0, 1e300, allow_nan=False, allow_infinity=False)
    ).map(Number)


def _names():
    return st.sampled_from(VARIABLES).map(Name)


def expressions(max_leaves: int = 12):
    """A tree of every kind of node, whether or not its types fit."""

    def grown(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
        pairs = st.tuples(inner, inner)
        return st.one_of(
            st.builds(Unary, st.sampled_from(["-", "+", "not"]), inner),
            st.builds(
                lambda op, two: Binary(op, *two),
                st.sampled_from(["+", "-", "*", "/", "//", "%", "**"]),
                pairs,
            ),
            st.builds(
                lambda op, two: Compare(op, *two), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), pairs
            ),
            st.builds(
                lambda op, parts: Logical(op, tuple(parts)),
                st.sampled_from(["and", "or"]),
                st.lists(inner, min_size=2, max_size=3),
            ),
            st.builds(
                lambda name, args: Call(name, tuple(args)),
                st.sampled_from(["exp", "clip", "f"]),
                st.lists(inner, max_size=3),
            ),
        )

    leaves = st.one_of(_numbers(), _names(), st.booleans().map(Boolean))
    return st.recursive(leaves, grown, max_leaves=max_leaves)


def _arithmetic(leaves, operators, functions, max_leaves):
    def grown(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
        ways = [
            st.builds(Binary, st.sampled_from(operators), inner, inner),
            st.builds(lambda operand: Unary("-", operand), inner),
        ]
        if functions:
            ways.append(st.builds(lambda f, x: Call(f, (x,)), st.sampled_from(functions), inner))
        return st.one_of(ways)

    return st.recursive(leaves, grown, max_leaves=max_leaves)


def smooth_expressions(max_leaves: int = 8):
    """Arithmetic and functions that are smooth wherever they are finite."""
    leaves = st.one_of(st.sampled_from([Number(1), Number(2), Number(0.5), Number(3.0)]), _names())
    functions = ["exp", "sin", "cos", "tanh", "arctan", "expm1"]
    return _arithmetic(leaves, ["+", "-", "*", "/"], functions, max_leaves)


def conditions():
    """A comparison, or several joined by `and`, `or` and `not`."""
    sides = smooth_expressions(3)
    compared = st.builds(Compare, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), sides, sides)
    return st.recursive(
        compared,
        lambda inner: st.one_of(
            st.builds(lambda c: Unary("not", c), inner),
            st.builds(lambda op, a, b: Logical(op, (a, b)), st.sampled_from(["and", "or"]), inner, inner),
        ),
        max_leaves=4,
    )


def values(low: float = 0.25, high: float = 2.0):
    """A value for each of `VARIABLES`."""
    return st.fixed_dictionaries({name: st.floats(low, high) for name in VARIABLES})


# -- models -----------------------------------------------------------------------------------------


@st.composite
def linear_models(draw):
    """The text of a small model whose equations are linear, and the names of its variables."""
    names = list(VARIABLES[: draw(st.integers(1, 3))])
    coefficient = st.integers(-3, 3).map(str)
    lines = []
    for name in names:
        terms = " + ".join(f"({draw(coefficient)})*{other}" for other in names)
        lines.append(f"d{name}/dt = ({terms} + ({draw(coefficient)}))/(10*ms) : 1")
    return "\n".join(lines), names


# -- text that means harm ---------------------------------------------------------------------------

_PIECES = [
    *"+-*/%()[]{}<>=!,.:;#'\"\\\n\t @&|^~`?$0123456789eEjJ_",
    *("v", "dv/dt", "tau", "volt", "mV", "ms", "1", "2.5", "1e999", "9**9**9", "0x", "0b1", "1_0", "in"),
    *("and", "or", "not", "if", "else", "for", "lambda x: x", "range(", "sample(", "p=", " : 1", " : volt"),
    *("(constant)", "(shared)", "f'{v}'", "b''", "'''", "...", ":=", "await", "yield", "None", "True"),
    *("**", "//", "==", "+=", "->", "rand()", "exp(", "int(", "clip(v,", "\x00", "\r", "\f", "\u2028"),
    *("ν", "ｖ", "µ", "−", "×", "²", "½", "\u202e", "e\u0301", "🧠", "\ud800", "𝒗", "is", "\ufeff"),
    *BUILTINS,
]


def hostile_text():
    """Text made of pieces of the language, of Python and of traps; sometimes very many of them."""
    pieces = st.sampled_from(_PIECES)
    short = st.lists(st.one_of(pieces, st.text(max_size=3)), max_size=25).map("".join)
    long = st.builds(lambda piece, n: piece * n, pieces, st.integers(1, 3000))
    return st.one_of(short, st.builds(lambda a, b, c: a + b + c, short, long, short))
