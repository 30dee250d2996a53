import mpmath
import numpy as np
import pytest
from stepping import advance, flown, problem, value_of

from eccles.integrate import INTEGRATORS, Flow, UnsupportedEquations, flow_of, step_of
from eccles.language.nodes import names_in

CUBA = """
v = (ge + gi - (v - El)) / taum
ge = -ge / taue
gi = -gi / taui
"""
CUBA_NUMBERS = {"El": -60e-3, "taum": 20e-3, "taue": 5e-3, "taui": 10e-3}
CUBA_STATE = {"v": -52e-3, "ge": 3e-3, "gi": -1e-3}
ALPHA = "v = (g - v)/taum\ng = (h - g)/taus\nh = -h/taus"
OSCILLATOR = "x = y\ny = -k*x - c*y + f"
METHODS = sorted({integrator.name for integrator in INTEGRATORS.values()})


def exact(text, **flags) -> Flow:
    return flow_of(problem(text, **flags), INTEGRATORS["exact"])


def limit_of(flow: Flow, constants) -> float | None:
    if flow.limit is None:
        return None
    values = {item.name: value_of(item.expr, constants) for item in flow.hoisted}
    return float(value_of(flow.limit, values))


def affine(matrix, offset, state, span):
    """x' = A x + b after a span, and the size of the largest terms in it, by mpmath to 40 digits."""
    n = len(state)
    with mpmath.workdps(40):
        augmented = mpmath.zeros(n + 1)
        augmented[:n, :n] = mpmath.matrix(matrix.tolist())
        augmented[:n, n] = mpmath.matrix(offset.tolist())
        augmented *= mpmath.mpf(span)
        start = mpmath.matrix([*map(float, state), 1.0])
        # what flows from one variable into another, without the decay on the way
        growing = augmented.apply(abs)
        for i in range(n):
            growing[i, i] = max(augmented[i, i], 0)
        end = mpmath.expm(augmented) * start
        size = mpmath.expm(growing) * start.apply(abs)
        return np.array(list(end)[:n], dtype=float), np.array(list(size)[:n], dtype=float)


def text_of(matrix, offset):
    """Equations whose coefficients are parameters, and the numbers for these."""
    n = len(offset)
    numbers = {f"a{i}{j}": matrix[i, j] for i in range(n) for j in range(n) if matrix[i, j]}
    numbers |= {f"b{i}": offset[i] for i in range(n) if offset[i]}
    rows = []
    for i in range(n):
        terms = [f"a{i}{j}*x{j}" for j in range(n) if matrix[i, j]] + ([f"b{i}"] if offset[i] else [])
        rows.append(f"x{i} = {' + '.join(terms) or '0'}")
    return "\n".join(rows), numbers


def random_system(rng, kind):
    """A, b and a state: rates over three decades, in units up to ten decades apart."""
    n = int(rng.integers(1, 5))
    matrix = rng.normal(size=(n, n)) * 10 ** rng.uniform(1, 4, (n, n))
    if kind != "full":
        matrix = np.triu(matrix)
    if kind == "driven":
        matrix[1:] *= np.eye(n)[1:]
    if kind == "oscillator":
        matrix = matrix + np.tril(rng.normal(size=(n, n)) * 1000, -1) * np.eye(n, k=-1)
    matrix[np.diag_indices(n)] *= -np.sign(np.diag(matrix))
    if rng.random() < 0.3:
        matrix[np.diag_indices(n)] = matrix[0, 0]  # equal time constants
    matrix[rng.random((n, n)) < 0.2] = 0
    offset = rng.normal(size=n) * 100 * (rng.random(n) < 0.4)
    if kind == "driven":
        offset[1:] = 0
    units = 10 ** rng.uniform(-5, 5, n) if rng.random() < 0.5 else np.ones(n)
    return matrix * units[:, None] / units, offset * units, rng.normal(size=n) * units


@pytest.mark.parametrize("kind", ["full", "cascade", "driven", "oscillator"])
def test_linear_equations_are_solved_to_rounding_for_any_span(kind):
    rng = np.random.default_rng(20261125)
    for _ in range(20):
        matrix, offset, state = random_system(rng, kind)
        text, numbers = text_of(matrix, offset)
        flow = exact(text)
        limit = limit_of(flow, numbers)
        assert kind != "driven" or limit is None
        longest = 0.02 if limit is None else min(limit, 0.1)
        start = {f"x{i}": x for i, x in enumerate(state)}
        for span in (longest, 0.3 * longest, 1e-3 * longest):
            found = flown(flow, start, numbers, span=span)
            expected, size = affine(matrix, offset, state, span)
            error = [abs(found[name] - x) for name, x in zip(start, expected, strict=True)]
            assert np.all(error <= 4e-16 * size), (text, numbers, span)


@pytest.mark.parametrize("text", [CUBA, ALPHA, OSCILLATOR])
def test_two_spans_are_one_span(text):
    numbers = {**CUBA_NUMBERS, "taus": 2e-3, "k": 4e4, "c": 3.0, "f": 5.0}
    flow = exact(text)
    names = problem(text).variables
    state = dict(zip(names, (0.5, 0.25, 1.0), strict=False))
    for a, b in [(3e-4, 5e-4), (1e-6, 9e-4), (2e-13, 1e-4)]:
        middle = flown(flow, state, numbers, span=a)
        twice = flown(flow, {name: middle[name] for name in names}, numbers, span=b)
        once = flown(flow, state, numbers, span=a + b)
        for name in names:
            assert twice[name] == pytest.approx(once[name], rel=2e-15, abs=1e-17)


@pytest.mark.parametrize("text", [CUBA, ALPHA, OSCILLATOR])
def test_a_flow_over_the_time_step_is_the_step(text):
    numbers = {**CUBA_NUMBERS, "taus": 2e-3, "k": 4e4, "c": 3.0, "f": 5.0}
    state = dict(zip(problem(text).variables, (0.5, 0.25, 1.0), strict=False))
    found = flown(exact(text), state, numbers, span=1e-4)
    stepped = advance(step_of(problem(text), "exact"), state, numbers, dt=1e-4)
    for name, value in stepped.items():
        assert found[name] == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("frozen", [frozenset(), frozenset({"v"})])
def test_a_span_of_zero_leaves_the_state_as_it_is(method, frozen):
    flow = flow_of(problem(CUBA, frozen=frozen), INTEGRATORS[method])
    for active in (True, False):
        numbers = {**CUBA_NUMBERS, "not_refractory": active}
        found = flown(flow, CUBA_STATE, numbers, span=0.0)
        assert {name: float(found[name]) for name in CUBA_STATE} == CUBA_STATE


@pytest.mark.parametrize("text", [CUBA, ALPHA, OSCILLATOR])
def test_a_span_a_rounding_error_below_zero_goes_back(text):
    numbers = {**CUBA_NUMBERS, "taus": 2e-3, "k": 4e4, "c": 3.0, "f": 5.0}
    names = problem(text).variables
    state = dict(zip(names, (0.5, 0.25, 1.0), strict=False))
    there = flown(exact(text), state, numbers, span=1e-12)
    back = flown(exact(text), {name: there[name] for name in names}, numbers, span=-1e-12)
    for name in names:
        assert back[name] == pytest.approx(state[name], rel=1e-15)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_flows_as_it_steps(method):
    numbers = {**CUBA_NUMBERS, "not_refractory": np.array([True, False])}
    equations = problem(CUBA, frozen=frozenset({"v"}))
    flow, step = flow_of(equations, INTEGRATORS[method]), step_of(equations, method)
    found = flown(flow, CUBA_STATE, numbers, span=2e-4)
    stepped = advance(step, CUBA_STATE, numbers, dt=2e-4)
    for name, value in stepped.items():
        np.testing.assert_allclose(np.broadcast_to(found[name], value.shape), value, rtol=2e-15)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("text", [CUBA, ALPHA.replace("(g", "(g + I(t)")])
def test_what_is_hoisted_depends_on_parameters_alone(method, text):
    equations = problem(text, frozen=frozenset({"v"}), locally_constant=lambda call: call.function == "I")
    flow = flow_of(equations, INTEGRATORS[method])
    changing = {"dt", "t", "not_refractory", *equations.variables}
    changing |= {statement.target for statement in flow.statements}
    for item in flow.hoisted:
        assert not names_in(item.expr) & changing
    if flow.limit is not None:
        assert names_in(flow.limit) <= {item.name for item in flow.hoisted}


def test_membranes_with_exponential_synapses_have_a_closed_form_for_any_span():
    flow = exact(CUBA, frozen=frozenset({"v"}))
    assert flow.limit is None
    assert len(flow.statements) < 12
    matrix = np.array([[-50, 50, 50], [0, -200, 0], [0, 0, -100.0]])
    expected, _ = affine(matrix, np.array([-3.0, 0, 0]), list(CUBA_STATE.values()), 0.05)
    found = flown(flow, CUBA_STATE, CUBA_NUMBERS, span=0.05)
    np.testing.assert_allclose([found[name] for name in CUBA_STATE], expected, rtol=1e-14)


def test_closed_forms_hold_for_time_constants_that_are_equal_or_nearly_so_or_very_far_apart():
    flow = exact("v = (g - v)/taum\ng = -g/taug")
    for taum, taug in [(0.01, 0.01), (0.01, 0.01 * (1 + 1e-15)), (0.01, 0.0100001), (1e-7, 1.0), (1.0, 1e-7)]:
        found = flown(flow, {"v": 0.3, "g": 1.0}, {"taum": taum, "taug": taug}, span=1e-3)
        matrix = np.array([[-1 / taum, 1 / taum], [0, -1 / taug]])
        expected, size = affine(matrix, np.zeros(2), [0.3, 1.0], 1e-3)
        assert abs(found["v"] - expected[0]) <= 4e-16 * min(size[0], 1.3)
        assert found["g"] == pytest.approx(expected[1], rel=1e-12)


def test_a_driven_variable_without_leak_and_one_driven_by_a_constant():
    flow = exact("x = y\ny = -y/tau\nu = p - u/tau\np = 0")
    assert flow.limit is None
    found = flown(flow, {"x": 1.0, "y": 2.0, "u": 0.0, "p": 3.0}, {"tau": 1e-2}, span=5e-3)
    assert found["x"] == pytest.approx(1 + 2e-2 * -np.expm1(-0.5), rel=1e-15)
    assert found["u"] == pytest.approx(3e-2 * -np.expm1(-0.5), rel=1e-15)


def test_a_variable_at_rest_stays_exactly_at_rest():
    found = flown(exact("v = (El - v)/tau"), {"v": -0.0601}, {"El": -0.0601, "tau": 0.0123}, span=1.7e-4)
    assert found["v"] == -0.0601


def test_the_limit_of_a_cascade_is_half_its_shortest_time_constant_however_strong_the_coupling():
    numbers = {"taum": 20e-3, "taus": 2e-3}
    assert limit_of(exact(ALPHA), numbers) == pytest.approx(1e-3)
    strong = exact(ALPHA.replace("(g - v)", "(1e9*g - v)"))
    assert limit_of(strong, numbers) == pytest.approx(1e-3)


def test_the_limit_of_an_oscillator_does_not_depend_on_units():
    limits = []
    for scale in (1.0, 1e6):
        flow = exact(f"x = {scale}*y\ny = -k/{scale}*x - c*y")
        limits.append(limit_of(flow, {"k": 400.0, "c": 3.0}))
    assert limits == pytest.approx([0.5 / (3 + 20)] * 2)


def test_equations_that_only_add_up_end_after_a_few_terms():
    flow = exact("x = y\ny = z\nz = c")
    assert flow.limit is None
    found = flown(flow, {"x": 0.0, "y": 0.0, "z": 0.0}, {"c": 6.0}, span=2.0)
    assert (found["x"], found["y"], found["z"]) == (8.0, 12.0, 12.0)


def test_many_coupled_variables_are_solved_too():
    n = 9  # a passive cable
    rows = [[f"(x{j} - x{i})" for j in (i - 1, i + 1) if 0 <= j < n] for i in range(n)]
    text = "\n".join(f"x{i} = c*({' + '.join(row)}) - x{i}/tau" for i, row in enumerate(rows))
    flow = exact(text)
    numbers = {"c": 2e3, "tau": 1e-2}
    matrix = 2e3 * (np.eye(n, k=1) + np.eye(n, k=-1))
    matrix -= np.diag(matrix.sum(axis=1) + 100)
    limit = limit_of(flow, numbers)
    assert limit is not None
    state = np.linspace(-1, 1, n) ** 2
    found = flown(flow, {f"x{i}": x for i, x in enumerate(state)}, numbers, span=limit)
    expected, _ = affine(matrix, np.zeros(n), state, limit)
    np.testing.assert_allclose([found[f"x{i}"] for i in range(n)], expected, rtol=1e-15)


@pytest.mark.parametrize("frozen", ["x", "y", "z", "xy", "yz", "xz"])
@pytest.mark.parametrize(
    "text", ["x = -a*x + y + z\ny = -b*y\nz = -c*z", "x = y - a*x\ny = z - b*x\nz = -c*z + y"]
)
def test_frozen_variables_stand_still_and_others_see_their_value(text, frozen):
    numbers = {"a": 100.0, "b": 300.0, "c": 50.0}
    state = {"x": 1.0, "y": -0.5, "z": 2.0}
    flow = exact(text, frozen=frozenset(frozen))
    found = flown(flow, state, {**numbers, "not_refractory": np.array([True, False])}, span=1e-3)
    still = "\n".join(f"{n} = 0" if n in frozen else f"{n} = {rhs}" for n, _, rhs in (
        line.partition(" = ") for line in text.splitlines()
    ))  # fmt: skip
    active, resting = (flown(exact(version), state, numbers, span=1e-3) for version in (text, still))
    for name in state:
        expected = [active[name], resting[name]]
        np.testing.assert_allclose(np.broadcast_to(found[name], 2), expected, rtol=1e-15)
        assert name not in frozen or np.broadcast_to(found[name], 2)[1] == state[name]


def test_not_refractory_in_a_coefficient_is_seen():
    text = "v = (w - v*int(not_refractory))/tau\nw = -w/tau*(1 + int(not_refractory))"
    flow = exact(text)
    state, numbers = {"v": 1.0, "w": 1.0}, {"tau": 10e-3}
    for active, (a, r) in {True: (1.0, 2.0), False: (0.0, 1.0)}.items():
        found = flown(flow, state, {**numbers, "not_refractory": active}, span=1e-3)
        expected, _ = affine(np.array([[-100 * a, 100], [0, -100 * r]]), np.zeros(2), [1.0, 1.0], 1e-3)
        np.testing.assert_allclose([found["v"], found["w"]], expected, rtol=1e-15)


def test_input_that_is_constant_during_a_step_is_held():
    held = problem("v = (I(t) - v)*gate(t)/tau", locally_constant=lambda call: True)
    flow = flow_of(held, INTEGRATORS["exact"])
    asked = []
    functions = {"I": lambda t: asked.append(float(t)) or 2.0, "gate": lambda t: 3.0}
    found = flown(flow, {"v": 0.0}, {"tau": 10e-3}, span=1e-3, t=0.5, functions=functions)
    assert set(asked) == {0.5}
    assert found["v"] == pytest.approx(2 * -np.expm1(-0.3), rel=1e-15)


def test_parameters_that_differ_between_elements_have_limits_of_their_own():
    flow = exact(ALPHA)
    taus = np.array([1e-3, 2e-3])
    values = {item.name: value_of(item.expr, {"taum": 10e-3, "taus": taus}) for item in flow.hoisted}
    assert flow.limit is not None
    np.testing.assert_allclose(value_of(flow.limit, values), taus / 2)


def test_coefficients_of_a_step_that_contain_dt_are_computed_in_the_flow():
    flow = flow_of(problem("v = -v*w/tau\nw = -w/tau"), INTEGRATORS["exponential_euler"])
    assert all("dt" not in names_in(item.expr) for item in flow.hoisted)
    assert flow.statements[0].target == "_F_w"


def test_noise_has_no_flow():
    with pytest.raises(UnsupportedEquations, match="'euler' contains noise"):
        flow_of(problem("v = -v + xi"), INTEGRATORS["euler"])
