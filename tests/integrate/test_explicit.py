import pytest
from stepping import advance, problem

from eccles.errors import EcclesError, EquationError
from eccles.integrate import ExplicitIntegrator, step_of

RALSTON = ExplicitIntegrator(
    """
    # Ralston 1962
    k_1 = f(x, t)
    k_2 = f(x + 2*dt*k_1/3, t + 2*dt/3)
    x_new = x + dt*(k_1 + 3*k_2)/4
    """,
    name="ralston",
)


def test_a_method_of_ones_own_integrates():
    found = advance(step_of(problem("x = -x*t"), RALSTON), {"x": 1.0}, dt=0.1)
    k_2 = -(1.0 + 0.0) * (0.2 / 3)
    assert found["x"] == pytest.approx(1 + 0.1 * (3 * k_2) / 4, rel=1e-14)


def test_its_name_is_the_name_of_the_step():
    assert step_of(problem("x = -x"), RALSTON).method == "ralston"


def test_noise_is_refused_unless_declared():
    assert "noise" in str(RALSTON.reason_against(problem("x = xi")))
    additive = ExplicitIntegrator("x_new = x + g(x,t)*dW", stochastic="additive")
    assert additive.reason_against(problem("x = xi")) is None
    assert "additive" in str(additive.reason_against(problem("x = x*xi")))


def test_a_custom_check_has_the_last_word():
    fussy = ExplicitIntegrator("x_new = x", custom_check=lambda problem: "it is Monday")
    assert fussy.reason_against(problem("x = -x")) == "it is Monday"


def test_values_per_noise_are_summed_where_they_meet_others():
    text = "x = xi_1 + 3*xi_2"
    step = step_of(
        problem(text), ExplicitIntegrator("k = g(x, t)*dW**2\nx_new = x + k", stochastic="multiplicative")
    )
    found = advance(step, {"x": 0.0}, dt=0.25, noise=lambda name, n: {"_xi_1": 1.0, "_xi_2": 2.0}[name])
    assert found["x"] == pytest.approx(0.25 * 1 + 3 * 0.25 * 4)


def test_lines_may_be_separated_by_semicolons():
    euler = ExplicitIntegrator("k = dt*f(x, t); x_new = x + k")
    assert advance(step_of(problem("x = -x"), euler), {"x": 1.0}, dt=0.5)["x"] == 0.5


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("", "ends with a line for 'x_new'"),
        ("k = dt*f(x, t)", "ends with a line for 'x_new'"),
        ("x_new", "name = expression"),
        ("x = f(x, t)\nx_new = x", "'x' is given"),
        ("x_new = x + k", "'k' is none of"),
        ("x_new = x + dt*f(x)", "two arguments"),
        ("x_new = x + dt*f(x, x)", "is a time"),
    ],
)
def test_malformed_descriptions_are_explained(description, message):
    with pytest.raises(EquationError, match=message.replace("(", r"\(")):
        _ = ExplicitIntegrator(description).lines


def test_an_expression_that_cannot_be_read_is_an_error_of_ours():
    with pytest.raises(EcclesError):
        _ = ExplicitIntegrator("x_new = x +").lines
