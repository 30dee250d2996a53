from itertools import pairwise

import mpmath
import numpy as np
import pytest
from stepping import value_of

from eccles.integrate.linear import LinearForm
from eccles.integrate.walks import MOST, largest, rate_bound
from eccles.language.nodes import Name, Number


def form_of(matrix) -> LinearForm:
    rows = range(len(matrix))
    return LinearForm(
        {f"x{i}": {f"x{j}": Number(float(matrix[i, j])) for j in rows if matrix[i, j]} for i in rows}, {}
    )


def random_sizes(rng, n):
    """Entries that are zero or positive, in units that differ by up to twelve decades."""
    units = 10 ** rng.uniform(-6, 6, n)
    return rng.exponential(size=(n, n)) * (rng.random((n, n)) < 0.6) * units[:, None] / units


@pytest.mark.parametrize("n", [1, 2, 3, 4, MOST + 1])
def test_the_rate_is_never_below_the_spectral_radius(n):
    rng = np.random.default_rng(n)
    for _ in range(50):
        matrix = random_sizes(rng, n)
        rate = rate_bound(form_of(matrix))
        radius = max(abs(np.linalg.eigvals(matrix)))
        assert radius <= (0.0 if rate is None else value_of(rate, {})) * (1 + 1e-6) + 1e-9


@pytest.mark.parametrize("n", [2, 3, 4])
def test_the_exponential_is_bounded_entry_by_entry(n):
    rng = np.random.default_rng(n)
    for _ in range(20):
        matrix = random_sizes(rng, n)
        form = form_of(matrix)
        rate = rate_bound(form)
        growth = 1.0 if rate is None else mpmath.exp(value_of(rate, {}))
        with mpmath.workdps(40):
            exponential = mpmath.expm(mpmath.matrix(matrix.tolist()))
            for i in range(n):
                bound = np.zeros(n)
                for path in form.paths(f"x{i}"):
                    places = [int(name[1:]) for name in path]
                    weight = np.prod([matrix[a, b] for a, b in pairwise(places)])
                    bound[places[-1]] += weight / float(mpmath.factorial(len(path) - 1))
                for j in range(n):
                    assert exponential[i, j] <= bound[j] * growth * (1 + 1e-9)


def test_a_cascade_has_the_rate_of_its_fastest_member():
    rate = rate_bound(form_of(np.array([[3.0, 1e9, 0], [0, 7.0, 1e9], [0, 0, 5.0]])))
    assert rate is not None
    assert value_of(rate, {}) == 7.0


def test_without_loops_there_is_no_rate():
    assert rate_bound(form_of(np.array([[0, 1e9], [0, 0]]))) is None


def test_the_largest_of_several_is_found_wherever_it_stands():
    expr = largest([Name("a"), Name("b"), Name("a"), Name("c")])
    assert expr is not None
    for values in ((1.0, 2.0, 3.0), (3.0, 1.0, 2.0), (2.0, 3.0, 1.0)):
        assert value_of(expr, dict(zip("abc", values, strict=True))) == 3.0
    assert largest([]) is None
