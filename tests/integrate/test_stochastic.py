"""Strong order of convergence with shared Brownian paths: coarse increments are sums of fine ones."""

import numpy as np
import pytest
from stepping import advance, order_of, problem

from eccles.integrate import INTEGRATORS, step_of
from eccles.integrate.noise import NonlinearNoise, split_noise

FINE = 128  # steps in the finest path, over a time of 1
PATHS = 1500


class Brownian:
    """Paths of several noises; `noise(times)` gives the standard normal numbers for that many steps."""

    def __init__(self, names, seed):
        rng = np.random.default_rng(seed)
        self.fine = {name: rng.normal(scale=FINE**-0.5, size=(FINE, PATHS)) for name in names}

    def __call__(self, times):
        increments = {name: w.reshape(times, -1, PATHS).sum(axis=1) for name, w in self.fine.items()}
        return lambda name, n: increments[name][n] * times**0.5

    def end(self, name):
        return self.fine[name].sum(axis=0)


def strong_errors(text, method, state, numbers, expected, paths, steps=(16, 32, 64)):
    step = step_of(problem(text), method)
    start = {name: np.full(PATHS, value) for name, value in state.items()}
    errors = []
    for times in steps:
        found = advance(step, start, numbers, dt=1 / times, times=times, noise=paths(times))
        errors.append(float(np.mean([np.mean(abs(found[name] - expected[name])) for name in expected])))
    return errors


@pytest.mark.parametrize("method", ["heun", "milstein"])
def test_multiplicative_noise_converges_to_the_stratonovich_solution(method):
    paths = Brownian(["_xi"], seed=1)
    expected = {"x": np.exp(-0.5 + 0.8 * paths.end("_xi"))}
    errors = strong_errors("x = -a*x + s*x*xi", method, {"x": 1.0}, {"a": 0.5, "s": 0.8}, expected, paths)
    assert order_of(errors) == pytest.approx(1, abs=0.2)
    assert errors[-1] < 0.02


@pytest.mark.parametrize("method", ["heun", "milstein"])
def test_noise_scaled_nonlinearly_converges_with_strong_order_one(method):
    paths = Brownian(["_xi"], seed=5)
    expected = {"x": np.sinh(np.arcsinh(0.5) + 0.7 + paths.end("_xi"))}
    text = "x = sqrt(1 + x**2)*(0.7 + xi)"
    errors = strong_errors(text, method, {"x": 0.5}, {}, expected, paths)
    assert order_of(errors) == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("method", ["euler", "heun", "milstein"])
def test_additive_noise_converges_with_strong_order_one(method):
    paths = Brownian(["_xi_1", "_xi_2"], seed=2)
    text = "x = -2*x + xi_1\ny = x - y + 0.5*xi_1 + xi_2"
    finest = advance(
        step_of(problem(text), "heun"),
        {"x": np.ones(PATHS), "y": np.ones(PATHS)},
        dt=1 / FINE,
        times=FINE,
        noise=paths(FINE),
    )
    errors = strong_errors(text, method, {"x": 1.0, "y": 1.0}, {}, finest, paths, steps=(8, 16))
    assert order_of(errors) > 0.8


def test_noise_that_drives_several_variables_is_one_noise():
    paths = Brownian(["_xi_a"], seed=3)
    step = step_of(problem("x = xi_a\ny = 2*xi_a"), "euler")
    assert step.noise == ("_xi_a",)
    found = advance(step, {"x": np.zeros(PATHS), "y": np.zeros(PATHS)}, dt=1 / 16, times=16, noise=paths(16))
    np.testing.assert_allclose(found["y"], 2 * found["x"], rtol=1e-12)
    np.testing.assert_allclose(found["x"], paths.end("_xi_a"), rtol=1e-9, atol=1e-12)


def test_stationary_variance_of_an_ornstein_uhlenbeck_process():
    step = step_of(problem("x = -x/tau + s*(2/tau)**0.5*xi"), None)
    assert step.method == "euler"
    rng = np.random.default_rng(4)
    numbers = {"tau": 10e-3, "s": 0.3}
    found = advance(
        step,
        {"x": np.zeros(20000)},
        numbers,
        dt=1e-4,
        times=400,
        noise=lambda name, n: rng.normal(size=20000),
    )
    assert found["x"].std() == pytest.approx(0.3, rel=0.03)


def test_frozen_variables_feel_no_noise():
    for method in ("euler", "heun", "milstein"):
        step = step_of(problem("x = -x + xi", frozen=frozenset({"x"})), method)
        found = advance(
            step, {"x": 1.0}, {"not_refractory": False}, dt=0.1, noise=lambda name, n: np.float64(1.0)
        )
        assert found["x"] == 1.0


def test_automatic_choice_takes_heun_for_multiplicative_noise():
    assert step_of(problem("x = -x + x*xi"), None).method == "heun"


@pytest.mark.parametrize("method", ["exact", "exponential_euler", "rk2", "rk4"])
def test_methods_without_noise_say_so(method):
    reason = INTEGRATORS[method].reason_against(problem("x = -x + xi"))
    assert reason is not None
    assert "noise" in reason


@pytest.mark.parametrize(
    "text",
    ["x = x*xi_1 + xi_2", "x = -x + y*xi_1\ny = xi_2", "x = x*xi_1\ny = y*xi_1"],
)
def test_milstein_refuses_noise_that_is_not_diagonal(text):
    reason = INTEGRATORS["milstein"].reason_against(problem(text))
    assert reason is not None
    assert "diagonal" in reason
    assert INTEGRATORS["heun"].reason_against(problem(text)) is None


@pytest.mark.parametrize("text", ["x = xi**2", "x = exp(xi)", "x = xi_1*xi_2"])
def test_noise_must_stand_as_a_factor(text):
    with pytest.raises(NonlinearNoise, match="other than as factor"):
        split_noise(problem(text))
    for name in ("euler", "heun", "milstein"):
        assert INTEGRATORS[name].reason_against(problem(text)) is not None
