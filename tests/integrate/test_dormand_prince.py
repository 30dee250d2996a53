import numpy as np
import pytest
from scipy.integrate import RK45, solve_ivp  # RK45 is the same pair
from stepping import advance, flown, order_of, problem

from eccles.integrate import INTEGRATORS, ExplicitIntegrator, flow_of, step_of
from eccles.integrate.dormand_prince import DORMAND_PRINCE

# nonlinear, coupled, driven in time
EQUATIONS = "v = (1 - v*w) + cos(3*t)\nw = v*v - 2*w*v"
STATE = {"v": 0.5, "w": 0.25}


def rates(t, x):
    v, w = x
    return np.array([1 - v * w + np.cos(3 * t), v * v - 2 * w * v])


def solution(t):
    start = list(STATE.values())
    return solve_ivp(rates, (0, t), start, method="DOP853", rtol=1e-13, atol=1e-15).y[:, -1]


def one_step(span, t=0.0):
    """The new state and the estimated errors."""
    flow = flow_of(problem(EQUATIONS), DORMAND_PRINCE)
    values = flown(flow, STATE, span=span, t=t)
    return np.array([values[n] for n in STATE]), np.array([values[e] for _, e in flow.errors])


def test_a_step_and_its_estimate_are_those_of_the_published_table():
    span, t = 0.3, 0.7
    start = np.array(list(STATE.values()))
    k = np.zeros((7, 2))
    for stage in range(6):
        k[stage] = rates(t + RK45.C[stage] * span, start + span * RK45.A[stage, :stage] @ k[:stage])
    new = start + span * RK45.B @ k[:6]
    k[6] = rates(t + span, new)
    found, error = one_step(span, t)
    np.testing.assert_allclose(found, new, rtol=1e-15)
    np.testing.assert_allclose(np.abs(error), np.abs(span * RK45.E @ k), rtol=1e-11)


def test_it_is_of_fifth_order():
    expected = solution(1.0)
    errors = []
    for times in (16, 32):
        found = advance(step_of(problem(EQUATIONS), "dopri5"), STATE, dt=1 / times, times=times)
        errors.append(float(np.linalg.norm([found["v"], found["w"]] - expected)))
    assert order_of(errors) == pytest.approx(5, abs=0.2)


def test_its_estimate_shrinks_with_the_fifth_power_and_is_larger_than_the_error():
    spans = (0.04, 0.02)
    estimates = [np.linalg.norm(one_step(span)[1]) for span in spans]
    errors = [np.linalg.norm(one_step(span)[0] - solution(span)) for span in spans]
    assert order_of(estimates) == pytest.approx(5, abs=0.2)
    assert order_of(errors) == pytest.approx(6, abs=0.4)
    assert errors[1] < estimates[1]


@pytest.mark.parametrize("made", [lambda p: step_of(p, "dopri5"), lambda p: flow_of(p, DORMAND_PRINCE)])
def test_each_variable_that_moves_has_an_estimate_among_the_statements(made):
    found = made(problem("v = -v*w/tau\nw = (v - w)/tau"))
    assert [variable for variable, _ in found.errors] == ["v", "w"]
    assert {name for _, name in found.errors} <= {statement.target for statement in found.statements}


@pytest.mark.parametrize("method", ["exact", "rk4", "euler"])
def test_other_methods_estimate_nothing(method):
    assert flow_of(problem("v = -v"), INTEGRATORS[method]).errors == ()


def test_a_method_of_ones_own_may_estimate_its_error():
    text = "k = dt*f(x, t); l = dt*f(x + k, t + dt); error = (l - k)/2; x_new = x + (k + l)/2"
    step = step_of(problem("v = t"), ExplicitIntegrator(text))
    assert step.errors == (("v", "_error_v"),)


def test_frozen_variables_stand_still_and_have_no_error():
    flow = flow_of(problem("v = 1 - v*v + w\nw = v - w", frozen=frozenset({"v"})), DORMAND_PRINCE)
    values = flown(flow, {"v": 0.5, "w": 0.0}, {"not_refractory": False}, span=0.1)
    assert values["v"] == 0.5
    assert values[dict(flow.errors)["v"]] == 0.0
    assert values["w"] == pytest.approx(0.5 * -np.expm1(-0.1), rel=1e-8)


def test_input_that_is_constant_during_a_step_is_held_and_time_itself_moves_on():
    held = problem("v = stimulus(t) + t", locally_constant=lambda call: call.function == "stimulus")
    asked = []
    functions = {"stimulus": lambda time: asked.append(float(time)) or 1.0}
    found = advance(step_of(held, "dopri5"), {"v": 0.0}, dt=0.5, functions=functions)
    assert set(asked) == {0.0}
    assert found["v"] == pytest.approx(0.5 + 0.125, rel=1e-15)


def test_divisions_by_parameters_become_multiplications():
    flow = flow_of(problem("v = (v*v - w)/tau\nw = (v - w)/tau"), DORMAND_PRINCE)
    assert [item.name for item in flow.hoisted] == ["_reciprocal"]
    assert not any("/" in str(statement.value) for statement in flow.statements)


def test_noise_is_refused():
    assert "no way to deal with noise" in str(DORMAND_PRINCE.reason_against(problem("v = -v + xi")))
