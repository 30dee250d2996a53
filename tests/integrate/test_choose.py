import pytest
from stepping import problem

from eccles.errors import EquationError
from eccles.integrate import (
    INTEGRATORS,
    UnsupportedEquations,
    UnsupportedEquationsException,
    explain_choice,
    step_of,
)


@pytest.mark.parametrize(
    ("text", "method"),
    [("v = -v/tau", "exact"), ("v = -v**2", "euler"), ("v = -v + xi", "euler"), ("v = v*xi", "heun")],
)
def test_the_first_default_that_fits_is_taken(text, method):
    assert step_of(problem(text), None).method == method


def test_the_default_order_can_be_given():
    order = ("exact", "exponential_euler", "rk4", "euler", "heun")
    assert step_of(problem("v = -v*w\nw = -w"), None, default=order).method == "exponential_euler"
    assert step_of(problem("v = -v**2"), None, default=order).method == "rk4"


def test_candidates_are_tried_in_order():
    assert step_of(problem("v = -v"), ["rk2", "exact"]).method == "rk2"
    assert step_of(problem("v = -v**2"), ("exact", "rk2")).method == "rk2"


@pytest.mark.parametrize("alias", ["linear", "independent"])
def test_old_names_of_exact_are_understood(alias):
    assert step_of(problem("v = -v"), alias).method == "exact"


def test_a_refusal_says_why_and_what_would_fit():
    with pytest.raises(UnsupportedEquations, match="not linear in 'v'") as caught:
        step_of(problem("v = -v**2"), "exact")
    assert "exact" in caught.value.reasons
    assert "These can: euler, rk2, rk4, dopri5, heun, milstein." in str(caught.value)


def test_where_nothing_fits_every_method_gives_its_reason():
    with pytest.raises(UnsupportedEquationsException, match="no method can integrate") as caught:
        step_of(problem("v = -v**2 + xi**2"), None)
    assert set(caught.value.reasons) == {integrator.name for integrator in INTEGRATORS.values()}
    for name, reason in caught.value.reasons.items():
        assert f"{name}: {reason}" in str(caught.value)


def test_an_unknown_method_offers_the_nearest():
    with pytest.raises(EquationError, match="Did you mean 'euler'"):
        step_of(problem("v = -v"), "eulr")


def test_the_choice_is_explained_in_one_sentence():
    text = explain_choice(step_of(problem("v = -v**2"), None))
    assert text.startswith("integrated by 'euler'")
    assert "not by 'exact', because the equation of 'v' is not linear in 'v'" in text
    assert text.count(".") == 1


def test_an_empty_list_of_methods_is_refused():
    with pytest.raises(EquationError, match="the list of integration methods is empty"):
        step_of(problem("v = -v/tau"), ())
