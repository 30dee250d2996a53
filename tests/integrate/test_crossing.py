import math

import numpy as np
import pytest
from stepping import flown, problem, value_of

from eccles.integrate import INTEGRATORS, NotSmooth, Slack, flow_of, margin_of, slack_of, slope_of
from eccles.integrate.dormand_prince import DORMAND_PRINCE
from eccles.integrate.matrix import propagators
from eccles.language.nodes import Number, names_in
from eccles.language.parser import parse_expression

CUBA = "v = (ge + gi - (v - El)) / taum\nge = -ge / taue\ngi = -gi / taui"
LIF = "v = (I - v)/tau"
NOTHING = Slack((), Number(0.0))


def margin(condition, equations=None):
    equations = problem(CUBA) if equations is None else equations
    return margin_of(
        parse_expression(condition), equations, moves=lambda name: name == "t" or name in equations.equations
    )


# -- margins -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "value", "strict", "gates"),
    [
        ("v > vt", "v - vt", True, []),
        ("v >= vt", "v - vt", False, []),
        ("vt < v", "v - vt", True, []),
        ("v < vt", "vt - v", True, []),
        ("vt >= v", "vt - v", False, []),
        ("(v > -50*mV)", "v - -50*mV", True, []),
        ("v > 0", "v", True, []),
        ("v > vt and not_refractory", "v - vt", True, []),
        ("not_refractory and (ready and v > vt)", "v - vt", True, ["ready"]),
        ("v > vt and n == 3 and not (a > 1 or b)", "v - vt", True, ["n == 3", "not (a > 1 or b)"]),
        ("q > 1 and v > vt", "v - vt", True, ["q > 1"]),
        ("v > vt + t/tau", "v - (vt + t/tau)", True, []),
        ("abs(v) > clip(ge, 0, 1)", "abs(v) - clip(ge, 0, 1)", True, []),
        ("v > floor(n/2)", "v - floor(n/2)", True, []),
        ("q > 1 and ready", "q - 1", True, ["ready"]),  # what only events change
    ],
)
def test_a_margin_is_positive_where_its_condition_holds(condition, value, strict, gates):
    found = margin(condition)
    assert (str(found.value), found.strict, [str(g) for g in found.gates]) == (value, strict, gates)


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("True", "the condition is no comparison"),
        ("not_refractory", "the condition is no comparison"),
        ("ready and not_refractory", "the condition is no comparison"),
        ("v > 1 or ge > 1", "the condition contains 'or'"),
        ("not v > 1", "the condition contains 'not'"),
        ("v == 1", "the condition contains '=='"),
        ("v != 1 and ready", "the condition contains '!='"),
        ("v > 1 and ge > 2", "'v > 1' and 'ge > 2' both change between events"),
        ("0 < v < 3", "'0 < v' and 'v < 3' both change between events"),
        ("rand() < 0.5", "the condition draws random numbers"),
        ("v > 1 and rand() < 0.5", "the condition draws random numbers"),
        ("v > floor(ge)", "'floor' in it may jump"),
        ("int(v > 3) > 0", "'int' in it may jump"),
        ("sign(v) > 0", "'sign' in it may jump"),
        ("v % 2 > 1", "'%' in it may jump"),
        ("v > f(ge)", "'f' in it may jump"),
        ("v > f(t)", "'f' in it may jump"),
        ("exprel(v) > 2", "the derivative of 'exprel(v) - 2' is not known"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_a_reason(condition, reason):
    with pytest.raises(NotSmooth) as caught:
        margin(condition)
    assert str(caught.value) == reason


def test_what_changes_by_other_means_than_the_equations_is_refused():
    with pytest.raises(NotSmooth, match="'theta' changes between events, but not by an equation"):
        margin_of(parse_expression("v > theta"), problem(LIF), moves=lambda name: name in ("v", "theta"))


def test_a_threshold_that_is_constant_during_a_step_may_depend_on_time():
    held = problem(LIF, locally_constant=lambda call: call.function == "theta")
    assert str(margin("v > theta(t)", held).value) == "v - theta(t)"
    assert str(slope_of(margin("v > theta(t)", held).value, held)) == "(I - v)/tau"


# -- slopes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["v - 0.1", "v*w - w/(1 + v**2)", "exp(v) - 2*t", "sqrt(v) + sin(3*t)*w", "clip(v, 0.1, 0.9) + abs(w)"],
)
def test_a_slope_is_the_derivative_along_the_solution(value):
    equations = problem("v = 1 - v*w + cos(3*t)\nw = v*v - 2*w")
    expr = parse_expression(value)
    state, t, span = {"v": 0.5, "w": -0.25}, 0.3, 1e-3
    flow = flow_of(equations, DORMAND_PRINCE)

    def value_after(time):
        return value_of(expr, {**flown(flow, state, span=time, t=t), "t": t + time})

    secant = (
        8 * (value_after(span) - value_after(-span)) - value_after(2 * span) + value_after(-2 * span)
    ) / (12 * span)
    assert value_of(slope_of(expr, equations), {**state, "t": t}) == pytest.approx(secant, rel=1e-9)


def test_beyond_its_bounds_a_clipped_value_does_not_move():
    slope = slope_of(parse_expression("clip(v, 0, 1)"), problem("v = 3"))
    assert [float(value_of(slope, {"v": v})) for v in (-0.5, 0.5, 1.5)] == [0.0, 3.0, 0.0]


def test_frozen_variables_have_no_slope_during_refractoriness():
    slope = slope_of(parse_expression("v + w"), problem("v = 3\nw = 2", frozen=frozenset({"v"})))
    assert value_of(slope, {"not_refractory": True}) == 5.0
    assert value_of(slope, {"not_refractory": False}) == 2.0


# -- slack ---------------------------------------------------------------------------------------


def slack(value, text, **flags):
    return slack_of(parse_expression(value), problem(text, **flags))


def random_matrix(rng, n):
    """Rates between tens and thousands per second, in units up to ten decades apart; decays or growth."""
    matrix = rng.normal(size=(n, n)) * 10 ** rng.uniform(1, 3.3, (n, n))
    if rng.random() < 0.5:
        matrix = np.triu(matrix)
    matrix[np.diag_indices(n)] *= -np.sign(np.diag(matrix)) * np.where(rng.random(n) < 0.8, 1, -0.3)
    matrix[rng.random((n, n)) < 0.2] = 0
    units = 10 ** rng.uniform(-5, 5, n) if rng.random() < 0.5 else np.ones(n)
    return matrix * units[:, None] / units, units


def test_no_margin_rises_above_both_ends_by_more_than_its_slack():
    rng = np.random.default_rng(7)
    dt, trajectories = 1e-3, 100
    shares = np.linspace(0, 1, 33)[:, None, None]
    used = []
    for _ in range(100):
        n = int(rng.integers(2, 5))
        matrix, units = random_matrix(rng, n)
        weights = rng.normal(size=n) / units * (rng.random(n) < 0.7)
        offset = rng.normal(size=n) * 100 * units
        names = [f"x{i}" for i in range(n)]
        numbers = {f"a{i}{j}": matrix[i, j] for i in range(n) for j in range(n)}
        numbers |= {f"b{i}": offset[i] for i in range(n)} | {f"c{i}": weights[i] for i in range(n)}
        rows = [" + ".join([f"a{i}{j}*x{j}" for j in range(n) if matrix[i, j]] + [f"b{i}"]) for i in range(n)]
        equations = problem("\n".join(f"{name} = {row}" for name, row in zip(names, rows, strict=True)))
        value = " + ".join([f"c{i}*x{i}" for i in range(n) if weights[i]] + ["d"])
        found = slack_of(parse_expression(value), equations)
        assert found is not None
        state = rng.normal(size=(n, trajectories)) * units[:, None]
        given = {**numbers, "dt": dt, **dict(zip(names, state, strict=True))}
        given |= {item.name: value_of(item.expr, {**numbers, "dt": dt}) for item in found.hoisted}
        bound = np.broadcast_to(value_of(found.value, given), trajectories)
        span = dt * rng.choice([1.0, 0.5, 0.1])  # the bound is for the step, so for any part of it
        p, q = propagators(matrix * shares, span)  # at these shares of the span
        path = weights @ (p @ state + (shares * q) @ offset[:, None])
        rise = np.max(path, axis=0) - np.maximum(path[0], path[-1])
        rounding = 1e-12 * np.max(np.abs(path))
        assert np.all(rise <= bound + rounding), (matrix, weights)
        used.append(np.max(rise / np.where(bound == 0, np.inf, bound)))
    assert max(used) > 0.5, "a bound that is never nearly reached is of no use"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("v - vt", LIF),
        ("vt - v", LIF),
        ("2*v/mV - 3", LIF + "\nu = v - u"),
        ("x - 1", "x = rate"),
        ("q - 1", LIF),
        ("x + y", "x = a\ny = b"),
    ],
)
def test_what_moves_in_one_direction_has_no_slack(value, text):
    assert slack(value, text) == NOTHING


def test_a_rate_that_changes_between_steps_still_moves_one_way():
    assert slack("v - vt", "v = (E - v)*g", varying=frozenset({"g"})) == NOTHING


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("v - vt", "v = -v*v"),
        ("v - vt", "v = -v + cos(t)"),
        ("v*v - vt", LIF),
        ("abs(v) - vt", LIF),
        ("v - vt - t/s", LIF),
        ("v*w - vt", "v = -v\nw = -w"),
        ("v - vt", "v = w - v*v\nw = -w"),
        ("v - vt", "\n".join(f"{a} = {b} - {a}" for a, b in zip("vabcdef", "abcdefv", strict=True))),
    ],
)
def test_where_no_bound_is_known_there_is_none(value, text):
    assert slack(value, text) is None


def test_slack_is_made_of_parameters_and_the_step_and_of_the_state():
    found = slack("v - vt", CUBA, frozen=frozenset({"v"}))
    assert found is not None
    for item in found.hoisted:
        assert names_in(item.expr) <= {"taum", "taue", "taui", "dt"}
    assert names_in(found.value) <= {item.name for item in found.hoisted} | {
        "v", "ge", "gi", "taum", "taue", "taui", "El",
    }  # fmt: skip


def test_slack_of_a_membrane_with_an_exponential_synapse_is_small():
    found = slack("v - vt", "v = (g - v)/taum\ng = -g/taug")
    assert found is not None
    numbers = {"taum": 20e-3, "taug": 5e-3, "dt": 1e-4, "v": 0.0, "g": 1.0}
    numbers |= {item.name: float(value_of(item.expr, numbers)) for item in found.hoisted}
    # v'' = (g' - v')/taum
    expected = 1e-8 / 8 * (1 / 5e-3 + 1 / 20e-3) / 20e-3
    assert value_of(found.value, numbers) == pytest.approx(expected, rel=0.01)


def test_slack_of_an_oscillator_is_a_bound_at_its_crest():
    found = slack("x - 1", "x = w*y\ny = -w*x")
    assert found is not None
    w, dt = 300.0, 1e-3
    half = w * dt / 2  # the crest lies in the middle of the span
    numbers = {"w": w, "dt": dt, "x": math.cos(half), "y": math.sin(half)}
    numbers |= {item.name: float(value_of(item.expr, numbers)) for item in found.hoisted}
    rise = 1 - math.cos(half)
    assert rise <= value_of(found.value, numbers) <= 3 * rise


def test_a_frozen_variable_moves_by_its_equation_where_slack_is_asked_for():
    assert slack("v - vt", "v = w - v\nw = -w", frozen=frozenset({"v"})) == slack(
        "v - vt", "v = w - v\nw = -w"
    )


def test_flows_find_what_slack_allows_for():
    """A membrane that touches its threshold within a step: both ends are below."""
    equations = problem("v = (g - v)/taum\ng = -g/taug")
    flow = flow_of(equations, INTEGRATORS["exact"])
    numbers, state, dt = {"taum": 1e-3, "taug": 1e-4}, {"v": 0.0, "g": 1.0}, 1e-3
    values = flown(flow, state, numbers, span=np.linspace(0, dt, 101))["v"]
    found = slack_of(parse_expression("v"), equations)
    assert found is not None
    given = {**numbers, **state, "dt": dt}
    given |= {item.name: float(value_of(item.expr, given)) for item in found.hoisted}
    rise = values.max() - max(values[0], values[-1])
    assert 0.01 < rise <= value_of(found.value, given)
