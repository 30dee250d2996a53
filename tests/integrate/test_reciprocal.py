from __future__ import annotations

import numpy as np
import pytest
from stepping import advance, problem

from eccles.integrate.choose import step_of
from eccles.language.nodes import Binary, walk
from eccles.language.printer import show


def divisions(step) -> list[str]:
    return [
        show(node)
        for a in step.statements
        for node in walk(a.value)
        if isinstance(node, Binary) and node.op == "/"
    ]


def test_a_division_by_a_parameter_is_a_multiplication_in_the_step():
    step = step_of(problem("v = (E - v)**2/tau"), "euler")
    assert divisions(step) == []
    assert [show(h.expr) for h in step.hoisted] == ["1.0/tau"]
    found = advance(step, {"v": 0.25}, {"E": 1.0, "tau": 3e-3}, dt=1e-4, times=1)
    assert found["v"] == pytest.approx(0.25 + 1e-4 * 0.75**2 / 3e-3, rel=1e-15)


def test_equal_divisors_share_a_reciprocal():
    step = step_of(problem("v = -v**3/(a + b)\nw = (v - w**3)/(a + b)"), "rk4")
    assert divisions(step) == []
    assert [show(h.expr) for h in step.hoisted] == ["1.0/(a + b)"]


def test_a_division_by_a_literal_needs_no_coefficient():
    step = step_of(problem("v = v - v**3/3"), "euler")
    assert divisions(step) == []
    assert step.hoisted == ()
    found = advance(step, {"v": 0.7}, {}, dt=0.1, times=1)
    assert found["v"] == pytest.approx(0.7 + 0.1 * (0.7 - 0.7**3 / 3), rel=1e-15)


@pytest.mark.parametrize(
    "rate",
    [
        "1/tau - 0*v",  # nothing to gain: computed once anyway
        "int(v/3)*k - 0*v**2",  # would jump at multiples of 3 by a rounding error
        "-v**2/w",  # a divisor that changes
        "k/(1 + v**2)",
    ],
)
def test_divisions_that_have_to_stay_stay(rate):
    step = step_of(problem(f"v = {rate}\nw = -w**3"), "euler")
    assert len(divisions(step)) == 1


def test_division_by_zero_stays_what_it_was():
    step = step_of(problem("v = v**2/a"), "euler")
    with np.errstate(all="ignore"):
        assert advance(step, {"v": 1.0}, {"a": np.float64(0.0)}, dt=0.1, times=1)["v"] == np.inf
        assert np.isnan(advance(step, {"v": 0.0}, {"a": np.float64(0.0)}, dt=0.1, times=1)["v"])
