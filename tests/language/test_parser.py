import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import expressions

from eccles.errors import ModelError, SyntaxProblem
from eccles.language.nodes import (
    Assignment,
    Binary,
    Boolean,
    Call,
    Compare,
    Logical,
    Name,
    Number,
    Unary,
    walk,
)
from eccles.language.parser import (
    MAX_DEPTH,
    MAX_LENGTH,
    logical_lines,
    parse_expression,
    parse_statements,
    without_comments,
)
from eccles.language.printer import show

a, b, c = Name("a"), Name("b"), Name("c")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b*c", Binary("+", a, Binary("*", b, c))),
        ("a - b - c", Binary("-", Binary("-", a, b), c)),
        ("a**b**c", Binary("**", a, Binary("**", b, c))),
        ("-a**b", Unary("-", Binary("**", a, b))),
        ("a**-b", Binary("**", a, Unary("-", b))),
        ("a // b % c", Binary("%", Binary("//", a, b), c)),
        ("not a and b or c", Logical("or", (Logical("and", (Unary("not", a), b)), c))),
        ("a or b or c", Logical("or", (a, b, c))),
        ("a < b", Compare("<", a, b)),
        ("a < b <= c", Logical("and", (Compare("<", a, b), Compare("<=", b, c)))),
        ("not a == b", Unary("not", Compare("==", a, b))),
        ("f(a, -b)", Call("f", (a, Unary("-", b)))),
        ("rand()", Call("rand", ())),
        ("True", Boolean(True)),
        ("2", Number(2)),
        ("2.0", Number(2.0)),
        (".5e-3", Number(0.0005)),
        ("1_000", Number(1000)),
        ("9223372036854775808", Number(9223372036854775808.0)),
        ("  a  ", a),
        ("a +\n  b", Binary("+", a, b)),
        ("a + \\\n b", Binary("+", a, b)),
        ("a + b  # + c", Binary("+", a, b)),
        ("a  # one\n + b # two", Binary("+", a, b)),
        ("a +\r\n\tb", Binary("+", a, b)),
        ("a\u00a0+\u2003b", Binary("+", a, b)),
    ],
)
def test_text_becomes_a_tree(text, tree):
    found = parse_expression(text)
    assert found == tree
    assert [type(n.value) for n in walk(found) if isinstance(n, Number)] == [
        type(n.value) for n in walk(tree) if isinstance(n, Number)
    ]


@given(tree=expressions(), blanks=st.lists(st.sampled_from([" ", "  ", "\n", " # note\n", "\t"]), min_size=3))
def test_blanks_and_comments_mean_nothing(tree, blanks):
    text = show(tree)
    pieces = text.split(" ")
    spaced = "".join(piece + blanks[k % len(blanks)] for k, piece in enumerate(pieces))
    assert parse_expression(spaced) == tree


@given(tree=expressions())
@settings(max_examples=100)
def test_the_span_of_every_node_holds_its_text(tree):
    for node in walk(parse_expression(f"  {show(tree)}  ")):
        assert node.span is not None
        assert parse_expression(node.span.text) == node
        if isinstance(node, Binary | Compare):
            assert node.op_span is not None
            assert node.op_span.text == node.op


def test_spans_count_characters_not_bytes():
    tree = parse_expression("τ_é*w + v")
    assert tree.left.left.span.text == "τ_é"
    assert tree.right.span.text == "v"
    assert (tree.op_span.start, tree.op_span.text) == (6, "+")


def test_letters_that_look_alike_are_one_name():
    micro, greek = "µ", "μ"
    assert parse_expression(micro) == parse_expression(greek) == Name(greek)
    (statement,) = parse_statements(f"{micro}_v = {greek}_v")
    assert statement.target == statement.value.id


def test_names_of_other_alphabets_are_possible():
    assert parse_expression("τ_Δ*λ + π_1").op == "+"


def test_a_sum_may_be_long_but_not_without_end():
    assert len(list(walk(parse_expression("+".join(["a"] * MAX_DEPTH))))) == 2 * MAX_DEPTH - 1
    with pytest.raises(SyntaxProblem, match="too deep"):
        parse_expression("+".join(["a"] * (MAX_DEPTH + 2)))


def test_brackets_may_be_nested_but_not_without_end():
    assert parse_expression("(" * 90 + "a" + ")" * 90) == a
    with pytest.raises(SyntaxProblem, match="more than 100 brackets"):
        parse_expression("(" * 1000 + "a" + ")" * 1000)


def test_depth_counts_along_every_path():
    nested = "a"
    for _ in range(40):
        nested = f"f({nested} + b*c*a*b*c*a)"
    with pytest.raises(SyntaxProblem, match="too deep"):
        parse_expression(nested.replace(" + ", " + 1 + 2 + 3 + 4 + 5 + 6 + 7 + "))


def test_text_has_a_length():
    with pytest.raises(SyntaxProblem, match="1000000 characters; 100000 are the most"):
        parse_expression("a" * 10**6)
    assert MAX_LENGTH == 100_000


@pytest.mark.parametrize("text", ["9**9**9**9", "9" * 4000, "1e999", "1e-999"])
def test_large_numbers_are_not_computed(text):
    assert parse_expression(text) is not None


def test_only_text_can_be_read():
    for wrong in (3, None, b"a", ["a"]):
        with pytest.raises(TypeError, match="has to be text"):
            parse_expression(wrong)
        with pytest.raises(TypeError, match="has to be text"):
            parse_statements(wrong)


# -- statements -------------------------------------------------------------------------------------


def test_statements_stand_on_lines_or_between_semicolons():
    found = parse_statements(
        "a = 1; b += 2  # c = 3; d = 4\n\n  c -= a;; \n;d *= b\ne /= (1 +\n 2)\nf //= 2; g %= 3; h **= 2"
    )
    assert [(s.target, s.op, show(s.value)) for s in found] == [
        ("a", "=", "1"), ("b", "+=", "2"), ("c", "-=", "a"), ("d", "*=", "b"), ("e", "/=", "1 + 2"),
        ("f", "//=", "2"), ("g", "%=", "3"), ("h", "**=", "2"),
    ]  # fmt: skip


def test_a_statement_goes_on_after_a_backslash_or_in_brackets():
    assert parse_statements("a = b + \\\n  c") == (Assignment("a", "=", Binary("+", b, c)),)
    assert parse_statements("a = f(b,\n c\n)") == (Assignment("a", "=", Call("f", (b, c))),)


def test_no_statements_are_no_statements():
    assert parse_statements("") == parse_statements("  \n # nothing\n ; \n") == ()


def test_an_equality_in_a_value_is_no_assignment():
    (statement,) = parse_statements("a = b == c")
    assert statement.value == Compare("==", b, c)


def test_spans_of_statements_point_into_the_whole_text():
    first, second = parse_statements("a = 1 # one\nbb += a*c; ", "reset")
    assert (first.span.text, first.target_span.text) == ("a = 1", "a")
    assert (second.span.text, second.target_span.text, second.value.span.text) == ("bb += a*c", "bb", "a*c")
    assert second.span.line == 2
    assert second.span.source.title == "reset"


def test_all_lines_that_cannot_be_read_are_reported_together():
    with pytest.raises(SyntaxProblem, match=r"^3 problems") as error:
        parse_statements("a = \nb\nc = 1\nd = 2 +")
    assert [e.span.line for e in error.value.errors] == [1, 2, 4]
    assert isinstance(error.value, ModelError)
    assert isinstance(error.value, SyntaxError), "scripts for Brian 2 expect that"


def test_lines_know_where_they_are():
    text = "a = (1;\n2)\nb; c # d; e\n"
    assert [text[i:j] for i, j in logical_lines(text)] == ["a = (1;\n2)", "b", " c # d; e"]
    assert logical_lines("a; b", semicolons=False) == [(0, 4)]


def test_comments_leave_positions_alone():
    assert without_comments("a # b\nc#") == "a    \nc "
