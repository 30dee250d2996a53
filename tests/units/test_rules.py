import numpy as np
import pytest

from eccles.errors import DimensionMismatchError
from eccles.units import *

x = np.array([3.0, 1.0, 2.0])
y = np.array([4.0, 0.5, 6.0])
X, Y = x * mV, y * mV
M = np.array([[2.0, 1.0], [1.0, 3.0]])
V, A, S = volt.dim, amp.dim, second.dim


def agree(found, expected, dim, scale):
    assert get_dimensions(found) is dim
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected) * scale, rtol=1e-12)


KEEP = (
    "sum mean median std min max amin amax ptp nansum nanmean nanmin nanmax nanstd nanmedian average cumsum "
    "diff ediff1d sort flip ravel squeeze transpose copy diag atleast_1d atleast_2d nan_to_num real unique "
    "trim_zeros unwrap absolute negative positive nancumsum round"
)
SAME_UNIT = [(name, ()) for name in KEEP.split()] + [
    ("roll", (1,)),
    ("tile", (2,)),
    ("repeat", (2,)),
    ("reshape", ((3, 1),)),
    ("percentile", (30,)),
    ("quantile", (0.3,)),
    ("nanpercentile", (30,)),
    ("take", ([0, 2],)),
    ("delete", (1,)),
    ("partition", (1,)),
    ("expand_dims", (0,)),
    ("resize", ((2, 2),)),
    ("broadcast_to", ((2, 3),)),
]


@pytest.mark.parametrize(("name", "args"), SAME_UNIT, ids=[n for n, _ in SAME_UNIT])
def test_functions_of_one_array_keep_its_unit(name, args):
    function = getattr(np, name)
    if name in ("unwrap", "round"):  # not linear: in units in which the values are the same
        agree(function(x * volt, *args), function(x, *args), V, 1)
    else:
        agree(function(X, *args), function(x, *args), V, 1e-3)


PLAIN = (
    "argmax argmin argsort argwhere count_nonzero any all shape size ndim isfinite isnan sign signbit "
    "ones_like isreal logical_not corrcoef"
)


@pytest.mark.parametrize("name", PLAIN.split())
def test_functions_whose_result_has_no_unit(name):
    found = getattr(np, name)(X)
    assert not isinstance(found, Quantity)
    np.testing.assert_array_equal(found, getattr(np, name)(x))


JOINS = ["concatenate", "stack", "vstack", "hstack", "dstack", "column_stack", "block"]


@pytest.mark.parametrize("name", JOINS)
def test_arrays_are_joined_with_their_unit(name):
    join = getattr(np, name)
    agree(join([X, Y]), join([x, y]), V, 1e-3)
    agree(join([X, np.zeros(3)]), join([x, np.zeros(3)]), V, 1e-3)
    for wrong in (x, y * nA):
        with pytest.raises(DimensionMismatchError, match=r"cannot (join|put) an array of 3 values"):
            join([X, wrong])


def test_append_and_insert_and_pad():
    agree(np.append(X, 7 * mV), np.append(x, 7), V, 1e-3)
    agree(np.insert(X, 1, 7 * mV), np.insert(x, 1, 7), V, 1e-3)
    agree(np.pad(X, 1, constant_values=7 * mV), np.pad(x, 1, constant_values=7), V, 1e-3)
    agree(np.pad(X, 1), np.pad(x, 1), V, 1e-3)
    for wrong in (
        lambda: np.append(X, 7),
        lambda: np.insert(X, 1, 7 * nA),
        lambda: np.pad(X, 1, constant_values=7),
    ):
        with pytest.raises(DimensionMismatchError):
            wrong()


def test_choices_between_values():
    agree(np.where(x > 1.5, X, Y), np.where(x > 1.5, x, y), V, 1e-3)
    agree(np.where(x > 1.5, X, 0), np.where(x > 1.5, x, 0), V, 1e-3)
    np.testing.assert_array_equal(np.where(1.5 * mV < X)[0], [0, 2])
    agree(np.clip(X, 1.5 * mV, None), np.clip(x, 1.5, None), V, 1e-3)
    agree(np.clip(X, a_min=1.5 * mV, a_max=2 * mV), np.clip(x, 1.5, 2), V, 1e-3)
    agree(np.select([x > 2.5, x > 1.5], [X, Y]), np.select([x > 2.5, x > 1.5], [x, y]), V, 1e-3)
    agree(np.compress([True, False, True], X), x[[0, 2]], V, 1e-3)
    agree(np.extract([True, False, True], X), x[[0, 2]], V, 1e-3)
    for wrong in (
        lambda: np.where(x > 1, X, x),
        lambda: np.clip(X, 1, 2),
        lambda: np.clip(X, a_min=0, a_max=2),
        lambda: np.select([x > 2], [X], 1),
    ):
        with pytest.raises(DimensionMismatchError):
            wrong()


def test_ranges():
    agree(np.linspace(1 * mV, 2 * mV, 5), np.linspace(1, 2, 5), V, 1e-3)
    agree(np.linspace(start=0, stop=2 * mV, num=3), np.linspace(0, 2, 3), V, 1e-3)
    agree(np.geomspace(1 * mV, 8 * mV, 4), np.geomspace(1, 8, 4), V, 1e-3)
    values, step = np.linspace(0 * mV, 4 * mV, 5, retstep=True)
    agree(values, [0, 1, 2, 3, 4], V, 1e-3)
    agree(step, 1, V, 1e-3)
    agree(np.full_like(X, 2 * nA), [2, 2, 2], A, 1e-9)
    agree(np.full_like(a=X, fill_value=2 * nA), [2, 2, 2], A, 1e-9)
    agree(np.zeros_like(X), [0, 0, 0], V, 1)
    with pytest.raises(DimensionMismatchError, match="space values between"):
        np.linspace(0 * mV, 5)


def test_products_multiply_units():
    for name in ("dot", "vdot", "inner", "outer", "kron", "convolve", "correlate"):
        agree(getattr(np, name)(X, y * nA), getattr(np, name)(x, y), V * A, 1e-12)
    agree(np.tensordot(X, y * nA, axes=1), np.tensordot(x, y, axes=1), V * A, 1e-12)
    agree(np.einsum("i,i->", X, y * nA), x @ y, V * A, 1e-12)
    agree(np.matmul(X, y * nA), x @ y, V * A, 1e-12)
    agree(np.var(X), np.var(x), V**2, 1e-6)
    agree(np.cov(X), np.cov(x), V**2, 1e-6)
    agree(np.prod(X), np.prod(x), V**3, 1e-9)
    agree(np.prod(M * mV, axis=0), np.prod(M, axis=0), V**2, 1e-6)
    agree(np.trapezoid(X, dx=2 * ms), 7.0, V * S, 1e-6)
    agree(np.trapezoid(X, [0, 2, 4] * ms), 7.0, V * S, 1e-6)


def test_slopes_divide_units():
    agree(np.gradient(X, 2 * ms), np.gradient(x, 2), V / S, 1)
    agree(np.gradient(X, [0, 1, 4] * ms), np.gradient(x, [0, 1, 4]), V / S, 1)
    agree(np.gradient(X), np.gradient(x), V, 1e-3)
    agree(np.diff(X, prepend=0 * mV), np.diff(x, prepend=0), V, 1e-3)
    with pytest.raises(DimensionMismatchError):
        np.diff(X, prepend=1 * nA)


def test_interpolation_looks_up_one_unit_and_gives_the_other():
    t = np.array([0.0, 1.0, 2.0])
    agree(np.interp(1.5 * ms, t * ms, X), np.interp(1.5, t, x), V, 1e-3)
    agree(np.interp(9 * ms, t * ms, X, right=0), 0, V, 1e-3)
    agree(np.interp(x=9 * ms, xp=t * ms, fp=x), 2.0, DIMENSIONLESS, 1)
    for wrong in (lambda: np.interp(1.5, t * ms, X), lambda: np.interp(1.5 * ms, t * ms, X, left=1)):
        with pytest.raises(DimensionMismatchError):
            wrong()


def test_histograms():
    counts, edges = np.histogram(X, bins=2)
    np.testing.assert_array_equal(counts, [1, 2])
    agree(edges, [1, 2, 3], V, 1e-3)
    counts, edges = np.histogram(X, [1, 2, 3] * mV, density=True)
    agree(counts, np.histogram(x, [1, 2, 3], density=True)[0], V**-1, 1e3)
    counts, edges = np.histogram(X, bins=2, range=(0 * mV, 4 * mV), weights=y * nA)
    agree(counts, np.histogram(x, bins=2, range=(0, 4), weights=y)[0], A, 1e-9)
    agree(np.histogram_bin_edges(X, 2), [1, 2, 3], V, 1e-3)
    for wrong in (lambda: np.histogram(X, [1, 2, 3]), lambda: np.histogram(X, range=(1, 2))):
        with pytest.raises(DimensionMismatchError):
            wrong()


def test_comparisons():
    assert np.allclose(X, X + 1e-12 * mV)
    assert np.allclose(a=X, b=X + 1e-12 * mV)
    assert not np.allclose(X, Y)
    assert np.isclose(X, X + 0.01 * mV, rtol=0, atol=0.1 * mV).all()
    assert np.array_equal(X, X)
    assert np.searchsorted([1, 2, 3] * mV, 2.5 * mV) == 2
    assert np.digitize(2.5 * mV, [1, 2, 3] * mV) == 2
    assert np.isin(2 * mV, X)
    for wrong in (
        lambda: np.allclose(X, x),
        lambda: np.allclose(X, Y, atol=1 * nA),
        lambda: np.isin(2, X),
        lambda: np.searchsorted(X, 2),
        lambda: np.digitize(x, X),
        lambda: np.array_equal(X, x),
    ):
        with pytest.raises(DimensionMismatchError):
            wrong()


def test_sets():
    agree(np.union1d(X, Y), np.union1d(x, y), V, 1e-3)
    agree(np.setdiff1d(X, [1] * mV), [2, 3], V, 1e-3)
    values, positions = np.unique([2, 1, 2] * mV, return_index=True)
    agree(values, [1, 2], V, 1e-3)
    assert positions.tolist() == [1, 0]


def test_splitting_and_grids():
    for part, expected in zip(np.split(X, 3), x, strict=True):
        agree(part, [expected], V, 1e-3)
    grid_x, grid_y = np.meshgrid(X, y * nA)
    assert (grid_x.dim, grid_y.dim) == (V, A)
    first, second = np.broadcast_arrays(X, 2 * nA, subok=True)
    assert (first.dim, second.dim, second.shape) == (V, A, (3,))
    first, second = np.broadcast_arrays(X, 2 * nA)  # NumPy's default is plain arrays
    assert (type(first), type(second)) == (np.ndarray, np.ndarray)
    assert second.tolist() == [2e-9] * 3
    first, second = np.atleast_1d(1 * mV, 2.0)
    assert (get_dimensions(first), get_dimensions(second)) == (V, DIMENSIONLESS)


def test_quantities_are_drawn_in_units_of_si():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    (line,) = axes.plot([0, 1, 2] * ms, X)
    assert line.get_xydata().tolist() == [[0.0, x[0] * 1e-3], [1e-3, x[1] * 1e-3], [2e-3, x[2] * 1e-3]]
    assert axes.plot(X)[0].get_xydata()[:, 0].tolist() == [0.0, 1.0, 2.0]


def test_averages_with_weights():
    agree(np.average(X, weights=y), np.average(x, weights=y), V, 1e-3)
    mean, total = np.average(X, weights=y * nA, returned=True)
    agree(mean, np.average(x, weights=y), V, 1e-3)
    agree(total, y.sum(), A, 1e-9)


def test_sums_may_begin_with_a_value():
    agree(np.sum(X, initial=1 * mV), 7, V, 1e-3)
    agree(np.max(X, initial=9 * mV), 9, V, 1e-3)
    with pytest.raises(DimensionMismatchError):
        np.sum(X, initial=1)


def test_linear_algebra():
    agree(np.linalg.norm(X), np.linalg.norm(x), V, 1e-3)
    agree(np.linalg.solve(M * ohm, [1, 2] * volt), np.linalg.solve(M, [1, 2]), A, 1)
    agree(np.linalg.inv(M * ohm), np.linalg.inv(M), siemens.dim, 1)
    agree(np.linalg.det(M * mV), np.linalg.det(M), V**2, 1e-6)
    agree(np.linalg.eigvals(M * mV), np.linalg.eigvals(M), V, 1e-3)
    agree(np.abs(np.fft.rfft(X)), np.abs(np.fft.rfft(x)), V, 1e-3)


def test_writing_into_arrays():
    target = [0, 0, 0] * mV
    np.copyto(target, X)
    agree(target, x, V, 1e-3)
    np.put(target, [0], 9 * mV)
    np.putmask(target, [False, True, False], 8 * mV)
    agree(target, [9, 8, 2], V, 1e-3)
    matrix = M * mV
    np.fill_diagonal(matrix, 7 * mV)
    agree(np.diag(matrix), [7, 7], V, 1e-3)
    for wrong in (
        lambda: np.copyto(target, x),
        lambda: np.put(target, [0], 1),
        lambda: np.copyto(np.zeros(3), X),
    ):
        with pytest.raises(DimensionMismatchError):
            wrong()


def test_results_written_to_given_arrays_carry_their_unit():
    target = Quantity(np.zeros(3), dim=A)
    assert np.multiply(X, Y, out=target) is target
    agree(target, x * y, V**2, 1e-6)
    total = Quantity(np.zeros(()), dim=A)
    assert np.sum(X, out=total) is total
    agree(total, 6, V, 1e-3)
    with pytest.raises(DimensionMismatchError):
        np.cumsum(X, out=np.zeros(3))


def test_methods_of_universal_functions():
    agree(np.add.reduce(X), 6, V, 1e-3)
    agree(np.add.accumulate(X), np.cumsum(x), V, 1e-3)
    agree(np.maximum.reduce(X), 3, V, 1e-3)
    agree(np.multiply.reduce(X), 6, V**3, 1e-9)
    agree(np.multiply.outer(X, y * nA), np.outer(x, y), V * A, 1e-12)
    agree(np.subtract.outer(X, Y), np.subtract.outer(x, y), V, 1e-3)
    assert np.logical_or.reduce(X)
    target = [0, 0] * mV
    np.add.at(target, [0, 0, 1], 1 * mV)
    agree(target, [2, 1], V, 1e-3)
    for wrong in (lambda: np.add.at(target, [0], 1), lambda: np.multiply.at(target, [0], 2 * nA),
                  lambda: np.multiply.accumulate(X), lambda: np.add.outer(X, x)):  # fmt: skip
        with pytest.raises(DimensionMismatchError):
            wrong()


def test_powers_and_roots():
    agree(np.sqrt(X), np.sqrt(x), V**0.5, 1e-3**0.5)
    agree(np.square(X), x**2, V**2, 1e-6)
    agree(np.cbrt(X), np.cbrt(x), V ** (1 / 3), 0.1)
    agree(np.reciprocal(X), 1 / x, V**-1, 1e3)
    agree(np.power(X, 2), x**2, V**2, 1e-6)
    agree(np.arctan2(X, Y), np.arctan2(x, y), DIMENSIONLESS, 1)
    agree(np.copysign(X, -1), -x, V, 1e-3)


def test_an_unknown_function_refuses_units_but_takes_numbers():
    with pytest.raises(DimensionMismatchError, match=r"numpy\.polyfit does not know units"):
        np.polyfit(x, X, 1)
    np.testing.assert_array_equal(np.rollaxis(Quantity(M), 1), M.T)
    np.testing.assert_array_equal(np.vander(Quantity([1.0, 2.0])), np.vander([1.0, 2.0]))


def test_other_array_types_get_their_turn():
    class Other:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "theirs"

    assert mV + Other() == "theirs"


def test_none_and_text_are_unequal_to_every_quantity():
    assert (mV == None) is not True  # noqa: E711
    assert (mV != None) is not False  # noqa: E711
