import pytest
from hypothesis import given
from strategies import linear_models

from eccles.errors import EquationError, SyntaxProblem
from eccles.language.equations import Equation, Equations
from eccles.language.parser import parse_expression
from eccles.language.printer import show
from eccles.units import *

MODEL = """
# a leaky neuron
dv/dt = (g_L*(E_L - v) +   # the leak
         I_syn + I)/C : volt (unless refractory)
dw/dt = -w/tau_w
    + sigma*xi*tau_w**-.5 : 1

I_syn = g*(E_e - v) : amp
g = g_max*w : siemens (constant over dt)
I : amp (constant, shared)
on : boolean
k : integer
x:1
"""


def test_every_form_of_line_is_read():
    found = Equations(MODEL)
    assert list(found) == ["v", "w", "I_syn", "g", "I", "on", "k", "x"]
    assert [e.kind for e in found.values()] == ["differential"] * 2 + ["subexpression"] * 2 + [
        "parameter"
    ] * 4
    assert [e.type for e in found.values()] == ["float"] * 5 + ["boolean", "integer", "float"]
    assert [e.dim for e in found.values()][:6] == [
        volt.dim, DIMENSIONLESS, amp.dim, siemens.dim, amp.dim, DIMENSIONLESS,
    ]  # fmt: skip
    assert [e.flags for e in found.values()][:5] == [
        ("unless refractory",), (), (), ("constant over dt",), ("constant", "shared"),
    ]  # fmt: skip
    assert show(found["v"].expr) == "(g_L*(E_L - v) + I_syn + I)/C"
    assert show(found["w"].expr) == "-w/tau_w + sigma*xi*tau_w**-0.5"
    assert found["x"].expr is None


def test_spans_point_into_the_text():
    found = Equations(MODEL)
    assert [e.span.text for e in found.values()] == list(found)
    assert [s.text for s in found["I"].flag_spans] == ["constant", "shared"]
    assert found["I"].span.line == 10


def test_a_model_shown_and_read_again_is_the_same():
    found = Equations(MODEL)
    assert Equations(str(found)) == found
    assert hash(Equations(str(found))) == hash(found)
    assert str(found["I"]) == "I : amp (constant, shared)"
    assert repr(found) == "<Equations of v, w, I_syn, g, I, on, k, x>"
    assert repr(Equations("")) == "<Equations of nothing>"


@given(model=linear_models())
def test_linear_models_are_the_same_after_showing(model):
    text, names = model
    found = Equations(text)
    assert found.diff_eq_names == names
    assert Equations(str(found)) == found


def test_questions_about_a_model():
    found = Equations(MODEL)
    assert found.names == set(found)
    assert found.diff_eq_names == ["v", "w"]
    assert found.subexpr_names == {"I_syn", "g"}
    assert found.eq_names == {"v", "w", "I_syn", "g"}
    assert found.parameter_names == {"I", "on", "k", "x"}
    assert [n for n, _ in found.diff_eq_expressions] == ["v", "w"]
    assert [n for n, _ in found.eq_expressions] == ["v", "w", "I_syn", "g"]
    assert found.dimensions["v"] is volt.dim
    assert found.dimensions["t"] is second.dim
    assert found.identifiers == {"g_L", "E_L", "C", "tau_w", "sigma", "xi", "E_e", "g_max"}
    assert found.stochastic_variables == {"xi"}
    assert found.is_stochastic
    assert found.stochastic_type == "additive"
    assert [e.name for e in found.ordered] == ["g", "I_syn", "v", "w", "I", "on", "k", "x"]
    assert found.dependencies["I_syn"] == {"g", "E_e", "v"}
    assert "v" in found
    assert len(found) == 8
    assert found["v"].varname == "v"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("dv/dt = -v/tau + sigma*xi : 1", "additive"),
        ("dv/dt = -v/tau + s*xi : 1\ns = sigma*2 : 1", "additive"),
        ("dv/dt = -v/tau + v*xi : 1", "multiplicative"),
        ("dv/dt = -v/tau + s*xi : 1\ns = sigma*v : 1", "multiplicative"),
        ("dv/dt = -v/tau + t*xi : 1", "multiplicative"),
        ("dv/dt = -v/tau + xi**2 : 1", "multiplicative"),
        ("dv/dt = xi_1 + b*xi_2 : 1", "additive"),
        ("dv/dt = -v/tau : 1", None),
    ],
)
def test_noise_is_additive_or_multiplicative(line, kind):
    assert Equations(line).stochastic_type == kind


# -- units ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "dim"),
    [
        ("volt", volt.dim), ("1", DIMENSIONLESS), ("1.0", DIMENSIONLESS),
        ("amp/meter**2", amp.dim / metre.dim**2),
        ("Hz", hertz.dim), ("mM", molar.dim), ("mmolar", molar.dim), ("1/second", hertz.dim),
        ("second**-.5", second.dim**-0.5),
        ("second**(-1/2)", second.dim**-0.5), ("siemens / (volt*second)", (siemens / volt / second).dim),
        ("metre2", metre.dim**2), ("kilogram", kilogram.dim), ("radian", DIMENSIONLESS),
        ("volt**2/volt", volt.dim),
        ("amp*ohm", volt.dim), ("  volt  ", volt.dim),
    ],
)  # fmt: skip
def test_units_without_scale_are_possible(text, dim):
    assert Equations(f"x : {text}")["x"].dim is dim
    assert Equations(f"x : {text} (constant)")["x"].flags == ("constant",)


SCALED = {
    "mV": "volt",
    "nS": "siemens",
    "siemens/cm**2": "siemens/metre**2",
    "uF/cm2": "farad/metre2",
    "kHz": "hertz",
    "pA*ms": "amp*second",
    "uM": "mmolar",
    "gram": "kilogram",
    "um**2": "metre**2",
    "mV/ms**2": "volt/second**2",
}


@pytest.mark.parametrize(("text", "instead"), SCALED.items())
def test_units_with_scale_are_refused_with_the_one_to_use(text, instead):
    with pytest.raises(EquationError, match="scaled") as error:
        Equations(f"x : {text}")
    assert f"'{instead}'" in error.value.hint
    assert Equations(f"x : {instead}")["x"].dim is not None, "the advice works"


def test_a_unit_too_large_to_compute_is_no_unit():
    for text in ("(((volt**20)**20)**20)", "(Gvolt**20)**20/(ymetre3**20)**5", "volt**1e999", "volt**9**9"):
        with pytest.raises(EquationError, match="not a unit"):
            Equations(f"x : {text}")


# -- lines ------------------------------------------------------------------------------------------


def test_an_expression_may_go_on_over_lines():
    for text in (
        "dv/dt = (a +\n b\n) : 1",
        "dv/dt =\n a + b : 1",
        "dv/dt = a \\\n + b : 1",
        "dv/dt = a\n+ b\n: 1",
        "dv/dt = a + # one\n# two\n\n b : 1",
        "dv/dt = a + b :\n 1",
        "dv/dt = a + b : 1\n (unless refractory)",
        "dv/dt = a + b : 1 (unless\n refractory)",
    ):
        found = Equations(text + "\nx : 1")
        assert list(found) == ["v", "x"], text
        assert show(found["v"].expr) == "a + b"


def test_a_line_that_lacks_its_unit_does_not_spoil_the_next():
    with pytest.raises(SyntaxProblem, match=r"^the unit of 'v' is missing") as error:
        Equations("dv/dt = -v/tau\ndw/dt = -w : 1\nx : 1")
    assert error.value.span.line == 1


def test_all_lines_that_are_wrong_are_reported_together():
    with pytest.raises(Exception, match=r"^3 problems") as error:
        Equations("v : mV\nx = : 1\nok : 1\na, b : 1")
    assert [e.span.line for e in error.value.errors] == [1, 2, 4]


def test_windows_line_ends_are_fine():
    assert list(Equations("dv/dt = -v/tau : volt\r\nx : 1 (constant)\r\n")) == ["v", "x"]


def test_only_text_or_equations_make_a_model():
    with pytest.raises(TypeError, match="have to be text"):
        Equations(3)


# -- changing ---------------------------------------------------------------------------------------


def test_names_are_replaced_by_names_and_values():
    text = "dv/dt = (E - v)/tau : volt"
    found = Equations(text, v="u", E=-70 * mV, tau=10)
    assert show(found["u"].expr) == "(-0.07*volt - u)/10"
    assert Equations(text).substitute(tau="tau_m")["v"].expr == parse_expression("(E - v)/tau_m")
    assert show(Equations(text, E="E_1 + E_2")["v"].expr) == "(E_1 + E_2 - v)/tau"
    assert show(Equations("x = g : 1", g=2 * nS / um**2)["x"].expr).startswith("2000")
    with pytest.raises(EquationError, match="only be replaced by another name"):
        Equations(text, v="2*u")
    with pytest.raises(SyntaxProblem):
        Equations(text, E="2 +")


def test_the_replacement_of_a_variable_by_a_value_is_refused():
    with pytest.raises(EquationError, match="only be replaced by another name"):
        Equations("dv/dt = -v/tau : volt", v=3 * mV)


def test_models_are_joined():
    first, second = Equations("v : volt"), "w : 1"
    for joined in (first + second, first + Equations(second)):
        assert list(joined) == ["v", "w"]
    assert list(second + first) == ["w", "v"]
    with pytest.raises(EquationError, match="two equations for 'v'"):
        first + "v : amp"
    with pytest.raises(TypeError):
        first + 3


def test_subexpressions_are_put_in_unless_they_are_held():
    found = Equations("dv/dt = a*b : 1\na = b + 1 : 1\nb = c : 1\nc = 2*d : 1 (constant over dt)\nd : 1")
    assert show(found.substituted()["v"]) == "(c + 1)*c"
    assert [(n, show(e)) for n, e in found.get_substituted_expressions()] == [("v", "(c + 1)*c")]
    every = found.get_substituted_expressions(include_subexpressions=True)
    assert [(n, show(e)) for n, e in every] == [("b", "c"), ("a", "c + 1"), ("v", "(c + 1)*c")]


def test_a_circle_of_expressions_is_found_however_long():
    lines = [f"a{k} = a{k + 1} : 1" for k in range(3000)]
    assert len(Equations("\n".join([*lines, "a3000 : 1"]))) == 3001
    with pytest.raises(EquationError, match=r"circle: a0 -> a1 -> .* -> \.\.\. -> a0"):
        Equations("\n".join([*lines, "a3000 = a0 : 1"]))


def test_expressions_that_explode_when_put_in_are_refused():
    lines = [f"a{k} = a{k + 1}*a{k + 1} : 1" for k in range(60)]
    with pytest.raises(EquationError, match=r"too long: more than 10\*\*9 parts|too long: \d+ parts"):
        Equations("\n".join([*lines, "a60 : 1"]))
    lines = [f"a{k} = 1 + a{k + 1} : 1" for k in range(400)]
    with pytest.raises(EquationError, match="too long"):
        Equations("\n".join([*lines, "a400 : 1"]))
    held = [line + " (constant over dt)" for line in lines]
    assert len(Equations("\n".join([*held, "a400 : 1"]))) == 401, "values that are held are not put in"


# -- flags ------------------------------------------------------------------------------------------


def test_flags_that_fit_are_let_through():
    allowed = {"differential": {"unless refractory"}, "parameter": {"constant", "shared"}}
    Equations("dv/dt = -v/tau : 1 (unless refractory)\nx : 1 (shared, constant)").check_flags(allowed)


def test_event_driven_and_clock_driven_exclude_each_other():
    allowed = {"differential": {"event-driven", "clock-driven"}}
    with pytest.raises(EquationError, match="'clock-driven' and 'event-driven' exclude each other"):
        Equations("dv/dt = -v/tau : 1 (event-driven, clock-driven)").check_flags(allowed)


def test_a_summed_variable_may_be_named_after_the_neurons():
    assert Equations("I_post = g : 1 (summed)")["I_post"].flags == ("summed",)


# -- showing ----------------------------------------------------------------------------------------


def test_latex():
    found = Equations("dv/dt = -v/tau : volt\nx = 2*v : volt\ny : 1")
    assert found["v"]._repr_latex_() == r"$\frac{\mathrm{d}v}{\mathrm{d}t} = \frac{-v}{\tau}$"
    assert found._repr_latex_().count(r"\\") == 2


def test_an_equation_is_a_value():
    line = Equations("v : volt (constant)")["v"]
    assert line == Equation("parameter", "v", volt.dim, "float", None, ("constant",))
    assert hash(line) == hash(Equations("  v   :  volt   ( constant )")["v"])
