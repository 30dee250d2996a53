import pytest
from hypothesis import given, settings
from strategies import VARIABLES, conditions, expressions, smooth_expressions

from eccles.errors import (
    DimensionMismatchError,
    EcclesError,
    EquationError,
    NameResolutionError,
    SyntaxProblem,
    TypeProblem,
    UnitError,
)
from eccles.language.check import (
    DictScope,
    ExprType,
    Symbol,
    check_equations,
    check_expression,
    check_statements,
    infer,
)
from eccles.language.equations import Equations
from eccles.language.functions import function
from eccles.language.parser import parse_expression, parse_statements
from eccles.units import *


def symbols(**units):
    return {name: Symbol(name, get_dimensions(unit), "float") for name, unit in units.items()}


SYMBOLS = symbols(
    v=volt, u=volt, w=1, x=1, I=amp, R=ohm, g=siemens, C=farad, tau=second, mV=volt, ms=second
) | {
    "n": Symbol("n", DIMENSIONLESS, "integer"),
    "k": Symbol("k", DIMENSIONLESS, "integer"),
    "on": Symbol("on", DIMENSIONLESS, "boolean"),
    "two": Symbol("two", DIMENSIONLESS, "integer", "constant", 2),
    "t": Symbol("t", second.dim, "float", "builtin", writable=False),
}
SCOPE = DictScope(SYMBOLS)


def found(text, scope=SCOPE):
    return infer(parse_expression(text), scope)


@pytest.mark.parametrize(
    ("text", "dim", "kind"),
    [
        ("1", 1, "integer"), ("1.0", 1, "float"), ("True", 1, "boolean"), ("v", volt, "float"),
        ("-v", volt, "float"),
        ("n + k", 1, "integer"), ("n*k", 1, "integer"), ("n/k", 1, "float"), ("n//k", 1, "integer"),
        ("n%k", 1, "integer"),
        ("n + 1.0", 1, "float"), ("n**2", 1, "integer"), ("n**-2", 1, "float"), ("n**k", 1, "float"),
        ("n**2.0", 1, "float"),
        ("v//u", 1, "float"), ("v % u", volt, "float"), ("v/u", 1, "float"), ("R*I", volt, "float"),
        ("C*v/tau", amp, "float"),
        ("v**2", volt**2, "float"), ("v**0.5", volt**0.5, "float"), ("v**(1/2)", volt**0.5, "float"),
        ("v**-1", volt**-1, "float"),
        ("v**two", volt**2, "float"), ("sqrt(v)", volt**0.5, "float"), ("exp(v/u)", 1, "float"),
        ("abs(v)", volt, "float"),
        ("abs(n)", 1, "integer"), ("sign(v)", 1, "float"), ("floor(w)", 1, "float"), ("int(w)", 1, "integer"),
        ("int(v > u)", 1, "integer"), ("clip(v, u, u)", volt, "float"), ("clip(n, 0, 1)", 1, "integer"),
        ("clip(n, 0, 1.5)", 1, "float"), ("timestep(t, tau)", 1, "integer"), ("rand()", 1, "float"),
        ("poisson(w)", 1, "integer"),
        ("binomial(n, w)", 1, "integer"), ("arctan2(v, u)", 1, "float"), ("v > u", 1, "boolean"),
        ("not on", 1, "boolean"),
        ("on and v > u", 1, "boolean"), ("on == (n > k)", 1, "boolean"), ("0 < w < 1", 1, "boolean"),
        ("on*v", volt, "float"), ("on + 1", 1, "integer"), ("on == 1", 1, "boolean"),
        ("abs(on)", 1, "integer"),
        ("v*0", volt, "float"),
    ],
)  # fmt: skip
def test_every_expression_has_a_dimension_and_a_type(text, dim, kind):
    assert found(text) == ExprType(get_dimensions(dim), kind)


# what Brian 2.9.0 refuses too: tried as threshold='(text) == (text)' of a NeuronGroup with these variables
@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("v > 0", DimensionMismatchError), ("v + 0", DimensionMismatchError),
        ("clip(v, 0, 1)", DimensionMismatchError),
        ("v**n", UnitError), ("exp(v)", DimensionMismatchError), ("int(v)", DimensionMismatchError),
        ("v and on", TypeProblem),
        ("v**w", UnitError), ("rand(3)", SyntaxProblem), ("clip(w, 1)", SyntaxProblem),
        ("foo(w)", NameResolutionError),
        ("exp", NameResolutionError), ("-on", TypeProblem), ("timestep(v, v)", DimensionMismatchError),
        ("v > 1e999", DimensionMismatchError), ("w**v", DimensionMismatchError),
        ("v + I", DimensionMismatchError),
        # and what Brian 2 lets pass
        ("not v", TypeProblem), ("floor(v)", DimensionMismatchError), ("exp(on)", TypeProblem),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_an_error_with_a_place_and_advice(text, error):
    with pytest.raises(error) as raised:
        found(text)
    assert raised.value.span is not None
    assert raised.value.hint


@given(tree=smooth_expressions())
def test_numbers_without_unit_make_numbers_without_unit(tree):
    kind = infer(tree, DictScope({n: Symbol(n, DIMENSIONLESS, "float") for n in VARIABLES}))
    assert kind.dim is DIMENSIONLESS
    assert kind.type in ("float", "integer")


@given(tree=conditions())
def test_conditions_are_booleans(tree):
    scope = DictScope({n: Symbol(n, DIMENSIONLESS, "float") for n in VARIABLES})
    assert infer(tree, scope).type == "boolean"
    assert check_expression(tree, scope, expect_type="boolean").type == "boolean"


@given(tree=expressions())
@settings(max_examples=200)
def test_any_tree_has_a_type_or_a_clear_error(tree):
    kinds = ["float", "integer", "boolean", "float", "float"]
    dims = [volt.dim, DIMENSIONLESS, DIMENSIONLESS, second.dim, amp.dim]
    scope = DictScope({n: Symbol(n, d, k) for n, d, k in zip(VARIABLES, dims, kinds, strict=True)})
    try:
        kind = infer(tree, scope)
    except EcclesError:
        return
    assert kind.type in ("float", "integer", "boolean")
    assert kind.type == "float" or kind.dim is DIMENSIONLESS


def test_a_wrong_argument_is_pointed_at():
    for text, wrong in (
        ("clip(v, u, 1)", "1"),
        ("timestep(t, v)", "v"),
        ("binomial(n, v)", "v"),
        ("exp(v + u)", "v + u"),
    ):
        with pytest.raises(DimensionMismatchError) as error:
            found(text)
        assert error.value.span.text == wrong


def test_long_chains_of_operators_are_checked_without_deep_recursion():
    assert found(" + ".join(["v"] * 250)).dim is volt.dim
    with pytest.raises(DimensionMismatchError):
        found(" + ".join(["v"] * 249 + ["w"]))


def test_scopes_look_in_their_parents():
    inner = DictScope({"v": Symbol("v", amp.dim, "float")}, parent=SCOPE)
    assert inner.symbol("v").dim is amp.dim
    assert inner.symbol("u").dim is volt.dim
    assert inner.symbol("zz") is None
    assert inner.function("exp").name == "exp"
    assert inner.function("zz") is None
    assert {"v", "u", "tau"} <= set(inner.known_names())


def test_functions_of_users_are_checked():
    @function(v=volt, s=bool, other="v", result=lambda v, s, other, any: v * any)
    def scaled(v, s, other, any):
        return v * any

    scope = DictScope({}, {"scaled": scaled}, parent=SCOPE)
    assert found("scaled(v, on, u, I)", scope) == ExprType((volt * amp).dim, "float")
    for text, wrong in (("scaled(w, on, u, I)", "w"), ("scaled(v, on, I, I)", "I")):
        with pytest.raises(DimensionMismatchError, match="of scaled has to be a voltage") as error:
            found(text, scope)
        assert error.value.span.text == wrong
    with pytest.raises(SyntaxProblem, match="scaled takes 4 arguments, but gets 1"):
        found("scaled(v)", scope)


# -- names ------------------------------------------------------------------------------------------


MISSPELT = "ta tau, Tau tau, mv mV, Volt volt, nSiemens nsiemens, Mohms Mohm, V v, tua tau, seconds second"


@pytest.mark.parametrize(("text", "near"), [pair.split() for pair in MISSPELT.split(", ")])
def test_unknown_names_suggest_the_nearest(text, near):
    with pytest.raises(NameResolutionError) as error:
        found(text)
    assert error.value.hint.startswith(f"Did you mean '{near}'?")
    assert isinstance(error.value, KeyError), "scripts for Brian 2 expect that"


@pytest.mark.parametrize(("text", "near"), [("Exp(w)", "exp"), ("sqr(w)", "sqrt"), ("arctg(w)", "arctan")])
def test_unknown_functions_suggest_the_nearest(text, near):
    with pytest.raises(NameResolutionError) as error:
        found(text)
    assert error.value.hint == f"Did you mean '{near}'?"


def test_nothing_is_suggested_where_nothing_is_near():
    with pytest.raises(NameResolutionError) as error:
        found("completely_unknown")
    assert "Did you mean" not in error.value.hint


def test_all_unknown_names_of_an_expression_are_reported_together():
    with pytest.raises(NameResolutionError, match=r"^3 problems") as error:
        check_expression(parse_expression("a + b*a + foo(w)"), SCOPE)
    assert [e.span.text for e in error.value.errors] == ["a", "b", "foo"]


def test_no_more_unknown_names_than_can_be_read_are_reported():
    with pytest.raises(NameResolutionError, match=r"^10 problems"):
        check_expression(parse_expression("+".join(f"zz{k}" for k in range(200))), SCOPE)


# -- statements -------------------------------------------------------------------------------------


def test_statements_find_their_temporaries():
    text = (
        "a = R*I; b = a > v; c = n; v += a; w *= 2; w /= n; w //= 2; w **= 2; v = v*int(b); on = b; n = 2.5"
    )
    temporaries = check_statements(parse_statements(text), SCOPE)
    assert temporaries == {
        "a": ExprType(volt.dim, "float"), "b": ExprType(DIMENSIONLESS, "boolean"),
        "c": ExprType(DIMENSIONLESS, "integer"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "error", "wrong"),
    [
        ("v = 1", DimensionMismatchError, "1"), ("v += I", DimensionMismatchError, "I"),
        ("v -= w + 1", DimensionMismatchError, "w + 1"),
        ("v *= v", DimensionMismatchError, "v"), ("w = on", TypeProblem, "on"), ("on = w", TypeProblem, "w"),
        ("t = 1*ms", EquationError, "t"), ("two = 3", EquationError, "two"),
        ("zz += 1", NameResolutionError, "zz"),
        ("w = zz", NameResolutionError, "zz"), ("a = v; a = w", DimensionMismatchError, "w"),
        ("a = b", NameResolutionError, "b"),
        ("a = v; w = a", DimensionMismatchError, "a"),
    ],
)  # fmt: skip
def test_statements_that_do_not_fit(text, error, wrong):
    with pytest.raises(error) as raised:
        check_statements(parse_statements(text), SCOPE)
    assert raised.value.span.text == wrong
    assert raised.value.hint


def test_all_errors_of_statements_are_reported_together_and_do_not_breed():
    with pytest.raises(EcclesError, match=r"^3 problems") as error:
        check_statements(parse_statements("v = 1\na = zz\nw = a\nI = v\n"), SCOPE)
    assert [e.span.line for e in error.value.errors] == [1, 2, 4]


# -- equations --------------------------------------------------------------------------------------


def check(text):
    equations = Equations(text)
    own = {e.name: Symbol(e.name, e.dim, e.type) for e in equations.values()}
    check_equations(equations, DictScope(own, parent=SCOPE))


@pytest.mark.parametrize(
    "text",
    [
        "dv/dt = (u - v + R*I)/tau : volt", "dw/dt = -w/tau : 1", "a = v > u : boolean", "a = n*2 : integer",
        "a = n : 1",
        "dv/dt = -v/tau + u*xi*tau**-0.5 : volt",
        "dv/dt = -v/tau + u*xi_1*sqrt(2/tau) + u*xi_2*tau**-.5 : volt",
        "a = rand() : 1 (constant over dt)", "a : volt\nb = a/R : amp", "a = on : boolean",
        "a = int(on) : integer",
    ],
)  # fmt: skip
def test_equations_that_fit(text):
    check(text)


@pytest.mark.parametrize(
    ("text", "error", "wrong"),
    [
        ("dv/dt = -v : volt", DimensionMismatchError, "-v"), ("a = v : 1", DimensionMismatchError, "v"),
        ("a = w : integer", TypeProblem, "w"), ("a = w : boolean", TypeProblem, "w"),
        ("a = on : 1", TypeProblem, "on"),
        ("a = rand() : 1", EquationError, "rand()"),
        ("dw/dt = -w/tau + randn()/tau : 1", EquationError, "randn()"),
        ("a = zz : 1", NameResolutionError, "zz"),
        ("dv/dt = -v/tau + xi*u : volt", DimensionMismatchError, "+"),
    ],
)  # fmt: skip
def test_equations_that_do_not_fit(text, error, wrong):
    with pytest.raises(error) as raised:
        check(text)
    assert raised.value.span.text == wrong
    assert raised.value.hint


def test_all_errors_of_equations_are_reported_together():
    with pytest.raises(EcclesError, match=r"^3 problems") as error:
        check("dv/dt = -v : volt\na = zz : 1\nb = v : volt\nc = v + w : volt")
    assert [e.span.line for e in error.value.errors] == [1, 2, 4]


def test_expectations_are_checked():
    assert check_expression(parse_expression("v > u"), SCOPE, expect_type="boolean").type == "boolean"
    assert check_expression(parse_expression("tau"), SCOPE, expect_dim=second.dim).dim is second.dim
    with pytest.raises(TypeProblem, match=r"^the threshold has to be a condition, but 'v' is a voltage"):
        check_expression(parse_expression("v"), SCOPE, expect_type="boolean", what="the threshold")
    with pytest.raises(DimensionMismatchError, match=r"^this has to be a time"):
        check_expression(parse_expression("v"), SCOPE, expect_dim=second.dim)
