"""Order of convergence without noise: halving the step shrinks the error as the method's order says."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from stepping import advance, order_of, problem

from eccles.integrate import step_of

# nonlinear, coupled, driven in time, linear in each variable given the other
EQUATIONS = """
v = (1 - v*w) + cos(3*t)
w = v*v - 2*w*v
"""
STATE = {"v": 0.5, "w": 0.25}


def reference():
    def rates(t, x):
        v, w = x
        return [1 - v * w + np.cos(3 * t), v * v - 2 * w * v]

    return solve_ivp(rates, (0, 1), list(STATE.values()), method="DOP853", rtol=1e-13, atol=1e-14).y[:, -1]


@pytest.mark.parametrize(
    ("method", "order"),
    [("euler", 1), ("exponential_euler", 1), ("rk2", 2), ("heun", 2), ("rk4", 4), ("milstein", 1)],
)
def test_error_shrinks_with_the_order_of_the_method(method, order):
    step = step_of(problem(EQUATIONS), method)
    expected = reference()
    errors = []
    for times in (32, 64):
        found = advance(step, STATE, dt=1 / times, times=times)
        errors.append(float(np.linalg.norm([found["v"], found["w"]] - expected)))
    assert order_of(errors) == pytest.approx(order, abs=0.2)


def test_exponential_euler_is_exact_for_one_linear_equation():
    step = step_of(problem("v = (E - v)/tau"), "exponential_euler")
    found = advance(step, {"v": 0.0}, {"E": 1.0, "tau": 1e-2}, dt=5e-2)
    assert found["v"] == pytest.approx(1 - np.exp(-5), rel=1e-14)


def test_exponential_euler_stays_stable_where_euler_explodes():
    numbers = {"E": 1.0, "tau": 1e-3}
    stiff = problem("v = (E - v)/tau")
    stable = advance(step_of(stiff, "exponential_euler"), {"v": 0.0}, numbers, dt=1e-2, times=50)
    assert stable["v"] == pytest.approx(1.0)
    assert abs(advance(step_of(stiff, "euler"), {"v": 0.0}, numbers, dt=1e-2, times=50)["v"]) > 1e10


def test_exponential_euler_rests_exactly_and_integrates_plainly_without_decay():
    assert advance(
        step_of(problem("v = (E - v)*g"), "exponential_euler"), {"v": 0.1}, {"E": 0.1, "g": 7.3}, dt=0.3
    )["v"] == np.float64(0.1)
    step = step_of(problem("v = a*v + b"), "exponential_euler")
    assert advance(step, {"v": 1.0}, {"a": 0.0, "b": 2.0}, dt=0.5)["v"] == 2.0


@pytest.mark.parametrize("method", ["euler", "exponential_euler", "rk2", "heun", "rk4", "milstein"])
def test_frozen_variables_stand_still_while_others_go_on(method):
    step = step_of(problem("v = (1 - v)/tau + w\nw = (v - w)/tau", frozen=frozenset({"v"})), method)
    numbers = {"tau": 10e-3, "not_refractory": np.array([True, False])}
    found = advance(step, {"v": np.array([0.5, 0.5]), "w": np.zeros(2)}, numbers, dt=1e-3, times=40)
    assert found["v"][1] == 0.5
    assert found["v"][0] != 0.5
    assert found["w"][1] == pytest.approx(0.5 * (1 - np.exp(-4)), rel=0.01)


def test_all_equations_see_the_old_state():
    step = step_of(problem("x = y\ny = -x"), "euler")
    found = advance(step, {"x": 1.0, "y": 2.0}, dt=0.5)
    assert (found["x"], found["y"]) == (2.0, 1.5)


def test_stages_hold_input_that_is_constant_during_a_step():
    held = problem("v = stimulus(t) + t", locally_constant=lambda call: call.function == "stimulus")
    asked = []

    def stimulus(time):
        asked.append(float(time))
        return 1.0

    found = advance(step_of(held, "rk4"), {"v": 0.0}, dt=0.5, times=1, functions={"stimulus": stimulus})
    assert set(asked) == {0.0}
    assert found["v"] == pytest.approx(0.5 + 0.125)


def test_time_itself_moves_on_within_a_step():
    for method in ("rk2", "rk4", "heun"):
        assert advance(step_of(problem("v = t"), method), {"v": 0.0}, dt=1.0)["v"] == pytest.approx(0.5)
