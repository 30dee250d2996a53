import pytest
from hypothesis import given
from strategies import conditions, smooth_expressions

from eccles.errors import SyntaxProblem
from eccles.language.generator import Generator, parse_generator
from eccles.language.nodes import Name, Number
from eccles.language.parser import parse_expression
from eccles.language.printer import show

i, k = Name("i"), Name("k")


def tree(text):
    return parse_expression(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i", Generator(i)),
        ("(i + 1) % N", Generator(tree("(i + 1) % N"))),
        ("i + 1 if i < N - 1", Generator(tree("i + 1"), condition=tree("i < N - 1"))),
        ("k for k in range(3)", Generator(k, "k", "range", None, Number(3))),
        ("k+i for k in range(-1, 2)", Generator(tree("k + i"), "k", "range", tree("-1"), Number(2))),
        ("k for k in range(N, 0, -1)", Generator(k, "k", "range", Name("N"), Number(0), tree("-1"))),
        (
            "k for k in range(i-2, i+3) if k != i",
            Generator(k, "k", "range", tree("i-2"), tree("i+3"), condition=tree("k != i")),
        ),
        (
            "k for k in sample(N_post, p=0.1)",
            Generator(k, "k", "sample", None, Name("N_post"), probability=Number(0.1)),
        ),
        (
            "k for k in sample(1, 9, 2, p=i)",
            Generator(k, "k", "sample", Number(1), Number(9), Number(2), i),
        ),
        ("k for k in sample(N, size=5)", Generator(k, "k", "sample", None, Name("N"), size=Number(5))),
        (
            "k for k in sample(N, p = 0.1) if rand() < 0.5",
            Generator(k, "k", "sample", None, Name("N"), None, Number(0.1), condition=tree("rand() < 0.5")),
        ),
        (
            "  k\n for k  in  range( 3 )\n if k>1  # done",
            Generator(k, "k", "range", None, Number(3), condition=tree("k > 1")),
        ),
        (
            "k for k in range(clip(i, 0, 3), f(1, 2))",
            Generator(k, "k", "range", tree("clip(i, 0, 3)"), tree("f(1, 2)")),
        ),
        ("k for k in range(int(i == 3))", Generator(k, "k", "range", None, tree("int(i == 3)"))),
        ("form + iffy", Generator(tree("form + iffy"))),
    ],
)  # fmt: skip
def test_every_form_is_read(text, expected):
    assert parse_generator(text) == expected


@given(element=smooth_expressions(), stop=smooth_expressions(3), condition=conditions())
def test_parts_are_expressions_of_any_kind(element, stop, condition):
    found = parse_generator(f"{show(element)} for k in range({show(stop)}) if {show(condition)}")
    assert (found.element, found.variable, found.stop, found.condition) == (element, "k", stop, condition)
    found = parse_generator(f"{show(element)} if {show(condition)}")
    assert (found.element, found.condition) == (element, condition)


def test_spans_point_into_the_whole_text():
    found = parse_generator("k + 1 for k in sample(i, N_post, p=0.1) if k > i")
    parts = [found.element, found.start, found.stop, found.probability, found.condition]
    assert [p.span.text for p in parts] == ["k + 1", "i", "N_post", "0.1", "k > i"]


def test_only_text_can_be_read():
    with pytest.raises(TypeError, match="has to be text"):
        parse_generator(3)


def test_many_conditions_are_read_in_time():
    with pytest.raises(SyntaxProblem):
        parse_generator("(if " * 100)
    with pytest.raises(SyntaxProblem):
        parse_generator("(if)" * 20000)
