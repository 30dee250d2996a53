import mpmath
import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

from eccles.integrate.matrix import coefficients, entries, propagators
from eccles.integrate.problem import LinearSystem
from eccles.language.nodes import Name

MATRICES = {
    "current-based neuron": [[-50, 50, 50], [0, -200, 0], [0, 0, -100]],
    "alpha function, two equal rates": [[-100, 100], [0, -100]],
    "no dynamics": [[0, 0], [0, 0]],
    "chain of integrators": [[0, 100, 0], [0, 0, 100], [0, 0, 0]],
    "oscillator": [[0, 1000], [-1000, -10]],
    "microseconds beside seconds": [[-1e6, 1e6], [1, -2]],
    "badly scaled units": [[-50, -50 / 3e-8], [4e-9 * 7, -7]],
    "growth": [[30, 5], [7, -2]],
}


def reference(matrix, dt):
    """P and Q in 80 digits, from the exponential of [[A, I], [0, 0]]."""
    n = len(matrix)
    augmented = np.zeros((2 * n, 2 * n))
    augmented[:n, :n] = matrix
    augmented[:n, n:] = np.eye(n)
    with mpmath.workdps(80):
        full = mpmath.expm(mpmath.matrix(augmented.tolist()) * mpmath.mpf(dt), method="taylor")
        numbers = np.array([[float(full[i, j]) for j in range(2 * n)] for i in range(n)])
    return numbers[:, :n], numbers[:, n:]


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("dt", [1e-6, 1e-4, 1e-2, 1.0])
def test_every_entry_agrees_with_high_precision(name, dt):
    matrix = np.array(MATRICES[name], dtype=float)
    slack = 4e-16 * (
        8 + abs(matrix.diagonal() * dt).max(initial=0)
    )  # exp(x) inherits x times the rounding of x
    if name in ("oscillator", "growth"):
        slack *= 100  # entries pass through zero
    for found, expected in zip(propagators(matrix, dt), reference(matrix, dt), strict=True):
        np.testing.assert_allclose(found, expected, rtol=slack, atol=1e-300)


@pytest.mark.slow
@given(
    entries=st.lists(st.floats(-300, 300), min_size=9, max_size=9),
    dt=st.sampled_from([1e-5, 1e-4, 1e-3, 1e-2]),
)
def test_propagators_agree_with_scipy_on_random_matrices(entries, dt):
    matrix = np.reshape(entries, (3, 3))
    p, q = propagators(matrix, dt)
    expected = scipy.linalg.expm(matrix * dt)
    np.testing.assert_allclose(p, expected, rtol=0, atol=1e-12 * abs(expected).max())
    np.testing.assert_allclose(matrix @ q, expected - np.eye(3), rtol=0, atol=1e-12 * abs(expected).max())


@pytest.mark.slow
@given(rates=st.lists(st.floats(-1e4, 100), min_size=2, max_size=2), coupling=st.floats(-1e4, 1e4))
def test_two_half_steps_are_one_step(rates, coupling):
    matrix = np.array([[rates[0], coupling], [0, rates[1]]])
    half_p, half_q = propagators(matrix, 0.5e-3)
    p, q = propagators(matrix, 1e-3)
    np.testing.assert_allclose(half_p @ half_p, p, rtol=0, atol=1e-13 * abs(p).max())
    np.testing.assert_allclose(half_q + half_p @ half_q, q, rtol=0, atol=1e-13 * abs(q).max())


def test_a_batch_gives_the_same_bits_as_its_members_alone():
    rng = np.random.default_rng(3)
    batch = rng.normal(size=(7, 3, 3)) * 10.0 ** rng.uniform(-1, 5, size=(7, 1, 1))
    p, q = propagators(batch, 1e-3)
    for n, member in enumerate(batch):
        alone_p, alone_q = propagators(member, 1e-3)
        assert np.array_equal(p[n], alone_p, equal_nan=True)
        assert np.array_equal(q[n], alone_q, equal_nan=True)


def test_what_is_not_finite_stays_in_its_own_element():
    batch = np.array([[[np.nan, 1], [0, -1]], [[-1, 1], [0, -1.0]], [[np.inf, 0], [0, -1]]])
    p, _ = propagators(batch, 1e-3)
    assert np.isnan(p[0]).any()
    assert np.isfinite(p[1]).all()
    assert not np.isfinite(p[2]).all()


def test_coefficients_are_per_element_where_an_entry_is():
    system = LinearSystem(
        ("x", "y"), ((Name("a"), Name("b")), (None, Name("c"))), (("_P", 0, 1),), (("_Q", 0, 1),)
    )
    values = {"a": np.array([-1.0, -2.0, -3.0]), "b": 5.0, "c": -7.0}
    found = coefficients(system, lambda expr: values[expr.id], 0.1)
    for n, a in enumerate(values["a"]):
        p, q = propagators([[a, 5.0], [0.0, -7.0]], 0.1)
        assert found["_P"][n] == p[0, 1]
        assert found["_Q"][n] == q[0, 1]
    scalar = coefficients(system, lambda expr: -1.0, 0.1)
    assert scalar["_P"].shape == ()


def test_a_diagonal_entry_near_one_is_split_into_one_and_the_difference():
    system = LinearSystem(("x", "y"), ((None, None), (None, None)), (), (), (("_keep", "_D", 0),))
    matrix = np.array([[[-1.0, 5.0], [0.0, -7.0]], [[-1e9, 5.0], [0.0, -7.0]]])
    found = entries(system, matrix, 1e-8)
    np.testing.assert_array_equal(found["_keep"], [1.0, 0.0])
    np.testing.assert_allclose(found["_D"], [np.expm1(-1e-8), np.exp(-10)], rtol=4e-15)
