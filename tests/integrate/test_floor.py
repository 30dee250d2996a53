import pytest
from stepping import problem, value_of

from eccles.integrate.floor import pulls_of, size_name
from eccles.language.nodes import Expr


def number(expr: Expr, **values: float) -> float:
    """The value of an expression, from the sizes of variables."""
    return float(value_of(expr, values))


def test_no_term_cancels_another() -> None:
    pull = pulls_of(problem("x = (y - x)/tau - I\ny = -y/tau"))["x"]
    sizes = {size_name("x"): 2.0, size_name("y"): 3.0}
    assert number(pull, tau=-0.5, I=-7.0, **sizes) == pytest.approx((3 + 2) / 0.5 + 7)


def test_terms_with_functions_of_the_state_have_no_part_in_it() -> None:
    pulls = pulls_of(problem("v = E - v + exp(v) + 3*v**2\nx = exp(v)*x\ny = exp(E)*y"))
    assert number(pulls["v"], E=-70.0, _size_v=65.0) == 135
    assert "x" not in pulls
    assert number(pulls["y"], E=0.0, _size_y=4.0) == 4


@pytest.mark.parametrize("reverse", [False, True])
def test_those_that_drive_others_come_first_in_whatever_order_they_are_written(reverse: bool) -> None:
    lines = ["a = (E - a)/tau", "b = (a - b + I)/tau", "c = (b - c)/tau", "d = (a + c - d)/tau"]
    order = list(pulls_of(problem("\n".join(lines[::-1] if reverse else lines))))
    assert order == ["a", "b", "c", "d"]


def test_in_a_loop_those_come_first_that_are_moved_from_outside() -> None:
    order = list(pulls_of(problem("c = b - c\nb = a - b + c\na = E - a + c")))
    assert order == ["a", "b", "c"]


def test_a_cascade_behind_a_variable_without_bound_begins_with_it() -> None:
    order = list(pulls_of(problem("c = b - c\nb = v - b\nv = exp(v)")))
    assert order == ["b", "c"]
