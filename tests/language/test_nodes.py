from hypothesis import given
from strategies import VARIABLES, expressions

from eccles.errors import Source, Span
from eccles.language.nodes import (
    Assignment,
    Binary,
    Name,
    Number,
    children,
    extent,
    names_in,
    replace_children,
    substitute,
    walk,
)
from eccles.language.parser import parse_expression


@given(tree=expressions())
def test_putting_its_children_back_gives_the_same_node(tree):
    assert replace_children(tree, children(tree)) == tree


@given(tree=expressions())
def test_walking_meets_every_node_once(tree):
    def count(node):
        return 1 + sum(count(child) for child in children(node))

    assert len(list(walk(tree))) == count(tree) == extent(tree)[0]


@given(tree=expressions(), other=expressions())
def test_after_substitution_a_name_is_gone(tree, other):
    name = VARIABLES[0]
    found = substitute(tree, {name: other})
    if name in names_in(tree):
        assert names_in(found) == (names_in(tree) - {name}) | names_in(other)
    else:
        assert found is tree
    assert extent(found) == extent(tree, {name: extent(other)})


def test_spans_take_no_part_in_equality():
    assert Name("v", Span(Source("v"), 0, 1)) == Name("v")
    assert parse_expression("a + b") == parse_expression("  a  +  b")
    assert hash(parse_expression("a + b")) == hash(Binary("+", Name("a"), Name("b")))


def test_an_in_place_assignment_stores_the_operation():
    assert Assignment("x", "+=", Number(1)).expanded == Binary("+", Name("x"), Number(1))
    assert Assignment("x", "//=", Number(2)).expanded == Binary("//", Name("x"), Number(2))
    assert Assignment("x", "=", Number(1)).expanded == Number(1)


def test_a_node_as_text_is_the_language():
    assert str(parse_expression("-v/(10*ms) + clip(w, 0, 1)")) == "-v/(10*ms) + clip(w, 0, 1)"
