import mpmath
import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from stepping import advance, advance_far, problem

from eccles.integrate import INTEGRATORS, Step, step_of
from eccles.language.nodes import Call, names_in, walk

CUBA = """
v = (ge + gi - (v - El)) / taum
ge = -ge / taue
gi = -gi / taui
"""
CUBA_NUMBERS = {"El": -60e-3, "taum": 20e-3, "taue": 5e-3, "taui": 10e-3}
CUBA_STATE = {"v": -52e-3, "ge": 3e-3, "gi": -1e-3}


def exact(text, **flags) -> Step:
    return step_of(problem(text, **flags), "exact")


def affine(matrix, offset, state, time):
    """x' = A x + b after some time, by SciPy."""
    n = len(state)
    augmented = np.zeros((n + 1, n + 1))
    augmented[:n, :n], augmented[:n, n] = matrix, offset
    return (scipy.linalg.expm(augmented * time) @ [*state, 1.0])[:n]


def test_a_leaky_neuron_decays_exponentially():
    step = exact("v = (El - v) / tau")
    found = advance(step, {"v": -50e-3}, {"El": -60e-3, "tau": 20e-3}, dt=1e-3, times=30)
    assert found["v"] == pytest.approx(-60e-3 + 10e-3 * np.exp(-30 / 20), rel=1e-14)


def test_an_independent_variable_needs_no_matrix():
    step = exact("a = -a/tau\nb = (c - b)/tau")
    assert step.systems == ()
    rates = [item.expr for item in step.hoisted]
    assert len([rate for rate in rates if isinstance(rate, Call) and rate.function == "exp"]) == 1, "shared"


def test_pure_integration_needs_no_coefficients():
    step = exact("x = c")
    assert (step.hoisted, step.systems) == ((), ())
    assert advance(step, {"x": 1.0}, {"c": 3.0}, dt=0.5)["x"] == 2.5


def test_a_variable_at_rest_is_not_assigned():
    assert exact("x = 0").statements == ()


def test_a_zero_rate_is_safe():
    found = advance(exact("x = a*x + b"), {"x": 1.0}, {"a": 0.0, "b": 2.0}, dt=0.5)
    assert found["x"] == 2.0


def test_current_based_synapses_agree_with_scipy():
    step = exact(CUBA)
    matrix = np.array([[-50, 50, 50], [0, -200, 0], [0, 0, -100]])
    expected = affine(matrix, [-60e-3 / 20e-3, 0, 0], list(CUBA_STATE.values()), 0.1)
    for dt in (1e-4, 1e-2, 1e-1):
        found = advance(step, CUBA_STATE, CUBA_NUMBERS, dt=dt, times=round(0.1 / dt))
        np.testing.assert_allclose([found["v"], found["ge"], found["gi"]], expected, rtol=1e-13)


def test_only_what_is_not_zero_by_structure_is_asked_for():
    step = exact(CUBA)
    (system,) = step.systems
    assert [name for name, _, _ in system.propagators] == ["_P_v_v", "_P_v_ge", "_P_v_gi"]
    assert [name for name, _, _ in system.integrals] == ["_Q_v_v"]
    assert [item.name for item in step.hoisted] == ["_E_ge", "_E_gi"]


def test_unconnected_equations_get_systems_of_their_own():
    step = exact("a = (b - a)/tau\nb = -b/tau\nc = (d - c)/tau\nd = -d/tau")
    assert [system.variables for system in step.systems] == [("a", "b"), ("c", "d")]


def test_coupled_oscillator_agrees_with_scipy():
    step = exact("x = y\ny = -k*x - c*y + f")
    found = advance(step, {"x": 1.0, "y": 0.0}, {"k": 400.0, "c": 3.0, "f": 5.0}, dt=1e-2, times=20)
    expected = affine(np.array([[0, 1], [-400, -3]]), [0, 5], [1, 0], 0.2)
    np.testing.assert_allclose([found["x"], found["y"]], expected, rtol=1e-12)


def test_parameters_may_differ_between_elements():
    step = exact("x = (y - x)/tau\ny = -y/tau")
    tau = np.array([5e-3, 10e-3, 20e-3])
    found = advance(step, {"x": 0.0, "y": 1.0}, {"tau": tau}, dt=1e-3, times=4)
    np.testing.assert_allclose(found["x"], 4e-3 / tau * np.exp(-4e-3 / tau), rtol=1e-13)


@st.composite
def linear_models(draw):
    """Random linear equations with zeros in random places: text, A, b."""
    n = draw(st.integers(1, 4))
    numbers = st.one_of(st.just(0.0), st.integers(-200, 100).map(float))
    matrix = np.array([[draw(numbers) for _ in range(n)] for _ in range(n)])
    offset = np.array([draw(numbers) for _ in range(n)])
    rows = []
    for i in range(n):
        terms = [f"({float(matrix[i, j])!r})*x{j}" for j in range(n) if matrix[i, j]]
        terms += [f"({float(offset[i])!r})"] if offset[i] else []
        rows.append(f"x{i} = {' + '.join(terms) or '0'}")
    return "\n".join(rows), matrix, offset


@pytest.mark.slow
@settings(deadline=None)
@given(model=linear_models(), dt=st.sampled_from([1e-4, 1e-3, 5e-3]), n=st.integers(1, 10))
def test_exact_integration_composes_and_agrees_with_scipy(model, dt, n):
    text, matrix, offset = model
    step = exact(text)
    state = {f"x{i}": 1.0 + i for i in range(len(matrix))}
    many = np.array(list(advance(step, state, dt=dt, times=n).values()))
    once = np.array(list(advance(step, state, dt=n * dt).values()))
    expected = affine(matrix, offset, list(state.values()), n * dt)
    scale = abs(scipy.linalg.expm(abs(matrix) * n * dt)).sum() * 10
    np.testing.assert_allclose(many, expected, rtol=1e-11, atol=1e-13 * scale)
    np.testing.assert_allclose(once, many, rtol=1e-11, atol=1e-13 * scale)


@pytest.mark.slow
@settings(deadline=None)
@given(model=linear_models(), flags=st.lists(st.booleans(), min_size=4, max_size=4))
def test_refractoriness_zeroes_the_rows_of_frozen_variables(model, flags):
    text, matrix, offset = model
    frozen = {f"x{i}" for i in range(len(matrix)) if flags[i]}
    state = {f"x{i}": 1.0 + i for i in range(len(matrix))}
    step = exact(text, frozen=frozenset(frozen))
    found = advance(step, state, {"not_refractory": np.array([True, False])}, dt=2e-3)
    moving = np.array([f"x{i}" not in frozen for i in range(len(matrix))])
    active = affine(matrix, offset, list(state.values()), 2e-3)
    resting = affine(matrix * moving[:, None], offset * moving, list(state.values()), 2e-3)
    for i, name in enumerate(state):
        np.testing.assert_allclose(
            np.broadcast_to(found[name], 2), [active[i], resting[i]], rtol=1e-11, atol=1e-13
        )


def test_a_frozen_variable_keeps_its_value_and_others_see_it():
    text = "v = (I - v - w)/taum\nw = (a*v - w)/tauw"
    step = exact(text, frozen=frozenset({"v"}))
    numbers = {"I": 2.0, "a": 0.5, "taum": 20e-3, "tauw": 100e-3}
    state = {"v": 1.0, "w": 0.2}
    resting = advance(step, state, {**numbers, "not_refractory": False}, dt=1e-3, times=50)
    assert resting["v"] == 1.0
    assert resting["w"] == pytest.approx(0.5 + (0.2 - 0.5) * np.exp(-0.5), rel=1e-13)
    active = advance(step, state, numbers, dt=1e-3, times=50)
    unflagged = advance(exact(text), state, numbers, dt=1e-3, times=50)
    assert active == unflagged


def test_refractoriness_is_decided_per_element():
    step = exact("v = -v/tau", frozen=frozenset({"v"}))
    numbers = {"tau": 10e-3, "not_refractory": np.array([True, False])}
    found = advance(step, {"v": np.ones(2)}, numbers, dt=1e-3)
    np.testing.assert_allclose(found["v"], [np.exp(-0.1), 1.0], rtol=1e-15)


def test_variables_that_refractoriness_does_not_touch_have_no_select():
    step = exact(CUBA, frozen=frozenset({"v"}))
    selecting = {
        s.target for s in step.statements if isinstance(s.value, Call) and s.value.function == "_select"
    }
    assert selecting == {"v"}
    assert len(step.systems) == 1


def test_not_refractory_in_a_coefficient_makes_two_cases():
    step = exact("v = (w - v*int(not_refractory))/tau\nw = -w/tau")
    state, numbers = {"v": 1.0, "w": 0.0}, {"tau": 10e-3}
    assert advance(step, state, numbers, dt=1e-3)["v"] == pytest.approx(np.exp(-0.1))
    assert advance(step, state, {**numbers, "not_refractory": False}, dt=1e-3)["v"] == 1.0


def test_input_that_is_constant_during_a_step_is_held():
    held = problem("v = (stimulus(t) - v)/tau", locally_constant=lambda call: call.function == "stimulus")
    step = step_of(held, "exact")
    found = advance(
        step,
        {"v": 0.0},
        {"tau": 10e-3},
        dt=1e-3,
        times=2,
        functions={"stimulus": lambda t: 1.0 if t < 1e-3 else 3.0},
    )
    expected = (1 - np.exp(-0.1)) * np.exp(-0.1) + 3 * (1 - np.exp(-0.1))
    assert found["v"] == pytest.approx(expected, rel=1e-14)


def test_a_rate_that_changes_between_steps_is_evaluated_in_every_step():
    gated = problem("v = -v*gate(t)/tau", locally_constant=lambda call: call.function == "gate")
    step = step_of(gated, "exact")
    assert not any(isinstance(node, Call) for h in step.hoisted for node in walk(h.expr))
    found = advance(
        step,
        {"v": 1.0},
        {"tau": 10e-3},
        dt=1e-3,
        times=2,
        functions={"gate": lambda t: 1.0 if t < 1e-3 else 5.0},
    )
    assert found["v"] == pytest.approx(np.exp(-0.6), rel=1e-14)


def test_varying_names_are_not_hoisted():
    step = exact("v = (g*(E - v) - v)/tau", varying=frozenset({"g"}))
    assert not any("g" in names_in(h.expr) for h in step.hoisted)
    found = advance(step, {"v": 0.0}, {"g": 3.0, "E": 1.0, "tau": 8e-3}, dt=2e-3)
    assert found["v"] == pytest.approx(0.75 * (1 - np.exp(-1)), rel=1e-14)


@pytest.mark.parametrize(
    ("text", "flags", "reason"),
    [
        ("v = -v**2/tau", {}, "not linear in 'v'"),
        ("v = -v*w\nw = -w", {}, "the equation of 'v' is not linear in"),
        ("v = -v + cos(t)", {}, "depends on t"),
        ("v = -v*sin(t)", {}, "changes during a step"),
        ("v = -v + s*xi", {}, "contains noise ('xi')"),
        ("v = (w - g*v)\nw = -w", {"varying": frozenset({"g"})}, "changes from step to step"),
    ],
)
def test_exact_says_why_not(text, flags, reason):
    found = INTEGRATORS["exact"].reason_against(problem(text, **flags))
    assert found is not None
    assert reason in found


# -- in increments: rounding errors do not add up ----------------------------------------------------------

MANY = 2**16
FEW_ROUNDINGS = 4e-14  # sqrt(MANY) of them make 6e-14 of a variable that forgets nothing


def in_increments(text, **flags) -> Step:
    return step_of(problem(text, **flags), "exact", in_increments=True)


def precisely(matrix, offset, state, time):
    """x' = A x + b after some time, to 40 digits; A and b are functions of `mpf`."""
    with mpmath.workdps(40):
        n = len(state)
        augmented = mpmath.zeros(n + 1)
        for i in range(n):
            augmented[i, n] = offset[i]
            for j in range(n):
                augmented[i, j] = matrix[i][j]
        end = mpmath.expm(augmented * time) * mpmath.matrix([*state, 1])
        return [+end[i] for i in range(n)]


TAU, TAU_S, DRIVE, STIFF, DAMP, SHARE = [
    mpmath.mpf(float(x)) for x in (10.3e-3, 2.1e-3, 1.3, 90e3, 21.0, 0.7)
]
NUMBERS = {
    "tau": float(TAU), "tau_s": float(TAU_S), "mu": float(DRIVE), "k": float(STIFF), "c": float(DAMP),
    "a": float(SHARE),
}  # fmt: skip
LONG_RUNS = {  # equations, A, b, start
    "a decay": ("x = -x/tau", [[-1 / TAU]], [0], [0.9]),
    "growth": ("x = x/tau", [[1 / TAU]], [0], [0.9]),
    "a driven membrane": ("v = (mu - v)/tau", [[-1 / TAU]], [DRIVE / TAU], [0.1]),
    "an alpha cascade": (
        "v = (mu - v + i)/tau\ni = (y - i)/tau_s\ny = -y/tau_s",
        [[-1 / TAU, 1 / TAU, 0], [0, -1 / TAU_S, 1 / TAU_S], [0, 0, -1 / TAU_S]],
        [DRIVE / TAU, 0, 0],
        [0.1, 0.2, 3.0],
    ),
    "an oscillator": ("x = y\ny = -k*x", [[0, 1], [-STIFF, 0]], [0, 0], [1.0, 10.0]),
    "a damped and driven oscillator": (
        "x = y\ny = -k*x - c*y + mu*k", [[0, 1], [-STIFF, -DAMP]], [0, DRIVE * STIFF], [1.0, 10.0],
    ),
    "what a decay adds up to": ("z = x/tau\nx = -x/tau", [[0, 1 / TAU], [0, -1 / TAU]], [0, 0], [0.1, 0.9]),
}  # fmt: skip


def error_after_many_steps(step, case, time=0.04, numbers=NUMBERS):
    """Relative to each variable, or to its size in an oscillation of amplitude 1."""
    text, matrix, offset, start = case
    state = {line.split("=")[0].strip(): x for line, x in zip(text.split("\n"), start, strict=True)}
    dt = time / MANY
    found = advance_far(step, state, numbers, dt=dt, times=MANY)
    expected = precisely(matrix, offset, start, mpmath.mpf(dt) * MANY)
    sizes = [abs(x) for x in expected]
    if "-k*x" in text:
        sizes = [1.0, float(STIFF) ** 0.5]
    return max(float(abs(x - y) / size) for x, y, size in zip(found.values(), expected, sizes, strict=True))


@pytest.mark.parametrize("case", LONG_RUNS.values(), ids=LONG_RUNS)
def test_in_increments_rounding_errors_do_not_add_up_over_65536_steps(case):
    assert error_after_many_steps(in_increments(case[0]), case) < FEW_ROUNDINGS
    assert error_after_many_steps(exact(case[0]), case) > FEW_ROUNDINGS, "then this test would tell nothing"


def test_in_increments_what_depends_on_a_frozen_variable_does_not_drift():
    text = "v = (mu - v - w)/tau\nw = (a*v - w)/tau_s"
    frozen = [[0, 0], [SHARE / TAU_S, -1 / TAU_S]]
    case = (text, frozen, [0, 0], [0.8, 0.1])
    step = in_increments(text, frozen=frozenset({"v"}))
    assert error_after_many_steps(step, case, numbers={**NUMBERS, "not_refractory": False}) < FEW_ROUNDINGS
    moving = [[-1 / TAU, -1 / TAU], [SHARE / TAU_S, -1 / TAU_S]]
    case = (text, moving, [DRIVE / TAU, 0], [0.8, 0.1])
    assert error_after_many_steps(step, case) < FEW_ROUNDINGS


def test_in_increments_a_frozen_variable_keeps_its_value():
    for text in ("v = -v/tau", "v = (w - v)/tau\nw = -w/tau_s"):
        step = in_increments(text, frozen=frozenset({"v"}))
        state = {"v": 0.3, "w": 1.0}
        found = advance(step, state, {**NUMBERS, "not_refractory": False}, dt=1e-4, times=5)
        assert found["v"] == 0.3


@pytest.mark.parametrize("steps_per_tau", [0.02, 0.3, 1, 1.5, 2, 10])
@pytest.mark.parametrize("case", ["a decay", "a driven membrane", "an alpha cascade"])
def test_in_increments_values_that_decay_by_many_orders_keep_their_digits(case, steps_per_tau):
    text, matrix, offset, start = LONG_RUNS[case]
    offset = [0] * len(offset)
    state = {line.split("=")[0].strip(): x for line, x in zip(text.split("\n"), start, strict=True)}
    dt, n = float(TAU_S) / steps_per_tau, max(round(80 * steps_per_tau), 2)
    found = advance(in_increments(text), state, {**NUMBERS, "mu": 0.0}, dt=dt, times=n)
    expected = precisely(matrix, offset, start, mpmath.mpf(dt) * n)
    for x, y in zip(found.values(), expected, strict=True):
        assert float(abs(x / y - 1)) < 2e-13


def test_in_increments_elements_with_short_and_long_steps_mix():
    step = in_increments("x = (y - x)/tau\ny = -y/tau_s")
    tau = np.array([1e-5, 1e-3, 1.0])
    found = advance(step, {"x": 0.2, "y": 1.0}, {"tau": tau, "tau_s": tau[::-1]}, dt=1e-3, times=3)
    for k in range(3):
        a, b = [1 / mpmath.mpf(float(x)) for x in (tau[k], tau[2 - k])]
        expected = precisely([[-a, a], [0, -b]], [0, 0], [0.2, 1.0], mpmath.mpf(1e-3) * 3)
        for x, y in zip((found["x"][k], found["y"][k]), expected, strict=True):
            assert float(abs(x / y - 1)) < 1e-13


def test_in_increments_a_rate_may_change_between_steps():
    gated = problem("v = (e - v)*gate(t)/tau", locally_constant=lambda call: call.function == "gate")
    step = step_of(gated, "exact", in_increments=True)
    found = advance(
        step,
        {"v": 1.0},
        {"tau": 10e-3, "e": 0.0},
        dt=1e-3,
        times=2,
        functions={"gate": lambda t: 1.0 if t < 1e-3 else 500.0},
    )
    assert found["v"] == pytest.approx(np.exp(-50.1), rel=1e-13)


def test_in_increments_methods_without_a_choice_stay_as_they_are():
    leaky = problem("v = -v/tau")
    assert step_of(leaky, "euler", in_increments=True) == step_of(leaky, "euler")
