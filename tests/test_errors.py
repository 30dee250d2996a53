import pickle
import subprocess
import sys
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eccles import errors
from eccles.errors import (
    DimensionMismatchError,
    EcclesError,
    EcclesWarning,
    EquationError,
    InternalError,
    ModelError,
    NameResolutionError,
    RunError,
    SetupError,
    Source,
    Span,
    SyntaxProblem,
    TypeProblem,
    UnitError,
    forget_warnings,
    nearest,
    raise_together,
    silence,
    warn,
)
from eccles.language.parser import parse_expression


def span(text, part, title="equations"):
    at = text.index(part)
    return Span(Source(text, title), at, at + len(part))


def test_one_character_gets_a_caret_and_more_get_a_line():
    assert span("a + b", "+").render() == "  equations\n    a + b\n      ^"
    assert span("aa + bb", "bb").render() == "  equations\n    aa + bb\n         ~~"


def test_a_text_of_several_lines_is_shown_by_line_without_its_indent():
    text = "v : volt\n    dw/dt = -w : 1\nx : 1"
    assert span(text, "-w", "neurons, equations").render() == (
        "  neurons, equations, line 2\n    dw/dt = -w : 1\n            ~~"
    )


def test_a_span_over_several_lines_is_marked_on_the_first():
    assert span("a + (b\n + c)", "(b\n + c)").render() == "  equations, line 1\n    a + (b\n        ~~"


def test_a_long_line_is_cut_to_the_neighbourhood():
    shown = span("a" * 500 + "!" + "b" * 500, "!").render().split("\n")
    assert len(shown[1]) <= 164
    assert shown[1][shown[2].index("^")] == "!"
    whole = span("a" * 500, "a" * 500).render().split("\n")
    assert len(whole[2]) <= 164


@given(text=st.text(max_size=60), start=st.integers(0, 70), length=st.integers(0, 20))
def test_any_span_of_any_text_can_be_shown(text, start, length):
    shown = Span(Source(text), start, start + length).render()
    assert 3 <= len(shown.split("\n")) <= 3
    assert all(c.isprintable() or c == "\n" for c in shown), "no control characters reach the terminal"


@given(text=st.text("ab \n", min_size=1, max_size=40), data=st.data())
def test_the_mark_stands_under_what_is_meant(text, data):
    at = data.draw(st.integers(0, len(text) - 1))
    if text[at].isspace():
        return
    _, line, mark = Span(Source(text), at, at + 1).render().split("\n")
    assert line[mark.index("^")] == text[at]


def test_a_message_has_what_where_and_what_to_do():
    error = EquationError("this is wrong", span=span("a + b", "a"), hint="Write c.\nOr d.")
    assert str(error) == "this is wrong\n\n  equations\n    a + b\n    ^\n\n  Write c.\n  Or d."
    assert (error.message, error.hint, error.span.text) == ("this is wrong", "Write c.\nOr d.", "a")
    assert str(EquationError("only this")) == "only this"


def test_spans_join():
    source = Source("a + b*c")
    joined = Span(source, 4, 5).join(Span(source, 0, 1))
    assert (joined.text, joined.line) == ("a + b", 1)


@pytest.mark.parametrize(
    ("kind", "also"),
    [
        (SyntaxProblem, SyntaxError), (NameResolutionError, KeyError), (TypeProblem, TypeError),
        (EquationError, ValueError),
        (SetupError, ValueError), (RunError, RuntimeError), (DimensionMismatchError, UnitError),
        (UnitError, ModelError),
    ],
)  # fmt: skip
def test_errors_are_also_those_of_python_that_scripts_catch(kind, also):
    error = kind("what", span=span("a + b", "+"), hint="do")
    assert isinstance(error, also)
    assert isinstance(error, EcclesError)
    assert str(error) == "what\n\n  equations\n    a + b\n      ^\n\n  do", "and show themselves in full"


@pytest.mark.parametrize(
    "error",
    [
        SyntaxProblem("what", span=span("a + b", "+"), hint="do"),
        NameResolutionError("what"),
        DimensionMismatchError("what", 1, 2, hint="do"),
        InternalError("what"),
    ],
)
def test_errors_survive_pickling(error):
    made = pickle.loads(pickle.dumps(error))
    assert type(made) is type(error)
    assert str(made) == str(error)
    assert made.span == error.span


def test_an_uncaught_syntax_problem_shows_its_place_and_advice():
    script = "from eccles.language.parser import parse_expression; parse_expression('a + * b')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    with pytest.raises(SyntaxProblem) as error:
        parse_expression("a + * b")
    assert done.stderr.endswith(f"SyntaxProblem: {error.value}\n")


def test_an_internal_error_asks_for_a_report():
    assert str(InternalError("oh")).endswith("This is a bug in Eccles; please report it with the script.")


# -- several at once --------------------------------------------------------------------------------


def test_no_errors_are_no_error():
    raise_together([])


def test_one_error_is_raised_as_it_is():
    error = EquationError("one")
    with pytest.raises(EquationError) as raised:
        raise_together([error])
    assert raised.value is error


def test_several_errors_of_a_kind_are_one_of_that_kind():
    with pytest.raises(EquationError) as raised:
        raise_together([EquationError("one", hint="do"), EquationError("two")])
    assert str(raised.value) == "2 problems:\n\none\n\n  do\n\ntwo"
    assert [e.message for e in raised.value.errors] == ["one", "two"]


def test_no_more_errors_are_shown_than_can_be_read():
    with pytest.raises(EquationError) as raised:
        raise_together([EquationError(f"error {k}") for k in range(99)])
    assert str(raised.value).startswith("99 problems (the first 10):\n\nerror 0\n\n")
    assert str(raised.value).endswith("error 9")
    assert len(raised.value.errors) == 99


def test_errors_of_several_kinds_are_one_of_the_kind_of_the_first_and_groups_are_flat():
    with pytest.raises(EquationError) as inner:
        raise_together([EquationError("one"), EquationError("two")])
    with pytest.raises(EquationError) as raised:
        raise_together([inner.value, TypeProblem("three")])
    assert type(raised.value) is EquationError
    assert str(raised.value) == "3 problems:\n\none\n\ntwo\n\nthree"
    with pytest.raises(TypeProblem):
        raise_together([TypeProblem("three"), inner.value])


# -- suggestions ------------------------------------------------------------------------------------


def test_the_nearest_name_is_found():
    assert nearest("tua_m", ["tau_m", "tau_s", "v"]) == "tau_m"
    assert nearest("MV", ["mV", "uV"]) == "mV", "the case may be wrong"
    assert nearest("v", ["tau"]) is None
    assert nearest("ab", ["ac"]) is None
    assert nearest("ab", ["ac"], likeness=0.5) == "ac"
    assert nearest("x" * 100_000, ["mV"] * 1000) is None


# -- warnings ---------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _fresh_warnings():
    silence()
    forget_warnings()
    yield
    silence()


def test_a_warning_has_a_name_and_points_to_the_script():
    with pytest.warns(EcclesWarning) as caught:
        warn("odd", "this is odd")
    assert str(caught[0].message) == "this is odd [odd]"
    assert caught[0].message.name == "odd"
    assert caught[0].filename == __file__


def test_a_warning_is_shown_once_for_each_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            warn("odd", "this is odd")
        warn("odd", "this is odd")
        forget_warnings()
        for _ in range(3):
            warn("odd", "this is odd")
    assert len(caught) == 3


def test_warnings_are_silenced_by_name():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        silence("odd", "even")
        warn("odd", "this is odd")
        warn("other", "this is seen")
        silence()
        warn("odd", "this is seen too")
    assert [w.message.message for w in caught] == ["this is seen", "this is seen too"]


def test_a_warning_survives_pickling():
    made = pickle.loads(pickle.dumps(EcclesWarning("odd", "this is odd")))
    assert (made.name, made.message, str(made)) == ("odd", "this is odd", "this is odd [odd]")


def test_everything_public_is_listed():
    public = {
        n for n, v in vars(errors).items() if getattr(v, "__module__", "") == errors.__name__ and n[0] != "_"
    }
    assert public == set(errors.__all__)
