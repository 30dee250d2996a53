import numpy as np
import pytest
from stepping import advance, problem

from eccles.integrate import Step, UnsupportedEquations, event_driven_step
from eccles.language.nodes import Call, walk

STDP = "Apre = -Apre/taupre\nApost = -Apost/taupost"


def update(text, state, constants, elapsed):
    return advance(
        Step("events", event_driven_step(problem(text))), state, {**constants, "_elapsed": elapsed}, dt=0.0
    )


def test_traces_decay_over_the_elapsed_time():
    found = update(STDP, {"Apre": 1.0, "Apost": -2.0}, {"taupre": 20e-3, "taupost": 10e-3}, 5e-3)
    assert found["Apre"] == pytest.approx(np.exp(-0.25), rel=1e-15)
    assert found["Apost"] == pytest.approx(-2 * np.exp(-0.5), rel=1e-15)


def test_recovery_towards_a_target():
    found = update("x = (1 - x)/tau", {"x": 0.2}, {"tau": 0.8}, 0.4)
    assert found["x"] == pytest.approx(1 - 0.8 * np.exp(-0.5), rel=1e-14)


def test_plain_growth_needs_no_exponential():
    (statement,) = event_driven_step(problem("x = c"))
    assert not any(isinstance(node, Call) for node in walk(statement.value))
    assert update("x = c", {"x": 1.0}, {"c": 2.0}, 3.0)["x"] == 7.0


def test_updates_over_two_intervals_compose():
    text, constants = "x = (1 - x)/tau", {"tau": 0.3}
    halfway = update(text, {"x": 0.0}, constants, 0.1)
    twice = update(text, halfway, constants, 0.25)
    assert twice["x"] == pytest.approx(float(update(text, {"x": 0.0}, constants, 0.35)["x"]), rel=1e-14)


def test_equal_rates_give_equal_exponentials():
    first, second = event_driven_step(problem("a = -a/tau\nb = -b/tau"))
    exponentials = [{n for n in walk(s.value) if isinstance(n, Call)} for s in (first, second)]
    assert exponentials[0] == exponentials[1]


@pytest.mark.parametrize(
    ("text", "flags", "reason"),
    [
        ("x = (y - x)/tau\ny = -y/tau", {}, "another differential equation ('y')"),
        ("x = -x**2", {}, "not linear in 'x'"),
        ("x = -x + t", {}, "depends on t"),
        ("x = -x + xi", {}, "contains noise"),
        ("x = -x + v_post", {"varying": frozenset({"v_post"})}, "changes between events"),
        ("x = -x + rand()", {}, "random numbers"),
    ],
)
def test_equations_without_a_closed_form_are_refused(text, flags, reason):
    with pytest.raises(UnsupportedEquations) as caught:
        event_driven_step(problem(text, **flags))
    assert reason in caught.value.reasons["x"]


def test_every_refused_variable_is_named():
    with pytest.raises(UnsupportedEquations) as caught:
        event_driven_step(problem("x = -x**2\ny = -y\nz = -z + t"))
    assert list(caught.value.reasons) == ["x", "z"]
