import pytest
from hypothesis import given, settings
from strategies import expressions

from eccles.language.nodes import Binary, Name, Number, Unary
from eccles.language.parser import parse_expression
from eccles.language.printer import latex, show


@given(tree=expressions())
@settings(max_examples=300)
def test_printing_then_parsing_gives_the_same_tree(tree):
    assert parse_expression(show(tree)) == tree


@pytest.mark.parametrize(
    "text",
    [
        "a + b*c", "(a + b)*c", "a - (b - c)", "a - b - c", "a/(b*c)", "a/b*c", "-a**2", "(-a)**2", "a**-b",
        "a**b**c",
        "(a**b)**c", "not a and b or c", "not (a and b)", "a < b and b < c", "(a < b) == c", "f(a, b + 1)",
        "--a",
        "a%b//c", "1e-09", "2.5", "True", "int(a > b)*c", "-a*b", "-(a + b)", "a*-b",
    ],
)  # fmt: skip
def test_no_more_brackets_than_needed(text):
    assert show(parse_expression(text)) == text


def test_infinity_and_not_a_number_can_be_shown():
    assert show(Number(float("inf"))) == "1e999"
    assert parse_expression(show(Number(float("inf")))) == Number(float("inf"))
    assert show(Number(float("nan"))) == "(nan)"
    assert show(Binary("**", Number(-2), Name("x"))) == "(-2)**x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-v/tau", r"\frac{-v}{\tau}"),
        ("(E_L - v)*g_max", r"\left(E_{L} - v\right) \, g_{max}"),
        ("exp(-t/tau_m)", r"e^{\frac{-t}{\tau_{m}}}"),
        ("sqrt(x)**2", r"\sqrt{x}^{2}"),
        ("v >= v_th and not on", r"v \ge v_{th} \wedge \neg \mathrm{on}"),
        ("clip(x, 0, 1) % 3 // 2", r"\operatorname{clip}\left(x, 0, 1\right) \bmod 3 \backslash 2"),
        ("a_b_c", r"a_{b\_c}"),
        ("a != b or True", r"a \ne b \vee True"),
    ],
)
def test_latex(text, expected):
    assert latex(parse_expression(text)) == expected


def test_a_sign_of_a_sum_has_brackets():
    assert show(Unary("-", Binary("+", Name("a"), Name("b")))) == "-(a + b)"
