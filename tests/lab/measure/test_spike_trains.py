"""Rate and irregularity of spike trains: closed forms, SciPy, Elephant, and how often intervals cover."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from eccles import DimensionMismatchError, EcclesError, SetupError
from eccles.lab.measure import counts, cv, cv2, fano, fano_curve, intervals, lv, psth, rate
from eccles.lab.measure.estimate import bootstrap
from eccles.lab.measure.spike_trains import poisson_interval
from eccles.lab.protocols import trains
from eccles.units import Hz, ms, mV, second

HERE = Path(__file__).parent


def cv2_of_gamma(shape: float) -> float:
    """I/(I + J) of two gamma intervals has a beta distribution."""
    density = stats.beta(shape, shape).pdf
    value, _ = integrate.quad(lambda b: 2 * abs(2 * b - 1) * density(b), 0, 1, points=[0.5])
    return value


# -- closed forms -----------------------------------------------------------------------------------


def test_a_regular_train_has_no_variation() -> None:
    train = trains.regular(40 * Hz, 10 * second)
    for statistic in (cv, cv2, lv):
        assert statistic(train).value == pytest.approx(0, abs=1e-12)
        assert statistic(train).high == pytest.approx(0, abs=1e-12)
    assert fano(train, 1 * second, 10 * second).value == 0
    found = rate(train, 10 * second)
    assert (float(found.value), found.n) == (40, 400)


def test_statistics_are_what_their_formulas_say() -> None:
    i = [10, 30, 20, 20]
    train = np.cumsum([5, *i]) * ms
    assert cv(train).value == pytest.approx(np.std(i, ddof=1) / 20, abs=1e-14)
    assert cv2(train).value == pytest.approx((2 * 20 / 40 + 2 * 10 / 50 + 0) / 3, abs=1e-14)
    assert lv(train).value == pytest.approx((3 * (20 / 40) ** 2 + 3 * (10 / 50) ** 2 + 0) / 3, abs=1e-14)
    assert (cv(train).n, cv2(train).n, lv(train).n) == (4, 3, 3)
    np.testing.assert_allclose(np.asarray(intervals(train)), np.array(i) * 1e-3, atol=1e-15)


def test_intervals_are_never_those_between_two_trains() -> None:
    one, other = [0, 10, 30] * ms, [100, 105] * ms
    np.testing.assert_allclose(np.asarray(intervals([one, other])), [0.01, 0.02, 0.005], atol=1e-15)
    assert lv([one, other]).n == 1
    assert lv([one, other]).value == lv(one).value


@pytest.mark.parametrize("shape", [0.5, 1.0, 4.0])
def test_gamma_processes_have_the_variation_of_their_shape(shape: float) -> None:
    # Shinomoto 2003: LV = 3/(2k + 1); both neighbours from one distribution: CV2 of a beta variable
    train = trains.gamma(20 * Hz, 200 * second, 1, shape)
    for found, expected in (
        (cv(train), shape**-0.5),
        (lv(train), 3 / (2 * shape + 1)),
        (cv2(train), cv2_of_gamma(shape)),
    ):
        se = (found.high - found.low) / (2 * 1.96)
        assert abs(found.value - expected) < 3 * se
        assert se < 0.05 * max(expected, 0.5)
    if shape == 1:
        assert cv2_of_gamma(shape) == pytest.approx(1)


@pytest.mark.parametrize("length", [100, pytest.param(800, marks=pytest.mark.slow)])
def test_the_fano_factor_of_a_gamma_process_is_that_of_an_equilibrium_process(length: int) -> None:
    # shape 2, mean m = rate*T: Var = m/2 + (1 - exp(-4m))/8 (Cox 1962)
    train = trains.gamma(50 * Hz, length * second, 3, 2.0)
    curve = fano_curve(train, [20, 50, 200] * ms, length * second)
    for window in curve["window"].values:
        m = 50 * window
        found = curve.sel(window=window)
        se = float(found["high"] - found["low"]) / (2 * 1.96)
        assert abs(float(found["fano"]) - (m / 2 + (1 - np.exp(-4 * m)) / 8) / m) < 3 * se
        assert se < 0.4 / np.sqrt(length)
    assert np.all(curve["fano"] < curve["poisson_low"])


def test_slow_changes_of_the_rate_matter_for_cv_and_not_for_lv() -> None:
    slow, fast = trains.poisson(2 * Hz, 400 * second, 1), trains.poisson(80 * Hz, 10 * second, 2)
    both = np.concatenate([slow, fast + 400 * second])
    train = both if hasattr(both, "dim") else both * second
    assert cv(train).low > 1.5
    assert lv(train).low < 1 < lv(train).high
    assert cv2(train).low < 1 < cv2(train).high


# -- SciPy ------------------------------------------------------------------------------------------


@given(n=st.integers(0, 10_000), level=st.floats(0.5, 0.999))
def test_the_interval_of_a_rate_is_the_exact_one_of_a_poisson_mean(n: int, level: float) -> None:
    low, high = poisson_interval(n, level)
    rest = (1 - level) / 2
    # the ends are the means for which the count is just too great, or too small
    if n:
        assert stats.poisson.sf(n - 1, low) == pytest.approx(rest, rel=1e-8)
    else:
        assert low == 0
    assert stats.poisson.cdf(n, high) == pytest.approx(rest, rel=1e-8)


def test_the_interval_of_a_rate_is_quantiles_of_chi_squared() -> None:
    found = rate([[1, 2, 3] * ms, [7] * ms], 10 * ms, level=0.9)
    assert float(found.low) == pytest.approx(stats.chi2.ppf(0.05, 8) / 2 / 0.02, rel=1e-12)
    assert float(found.high) == pytest.approx(stats.chi2.ppf(0.95, 10) / 2 / 0.02, rel=1e-12)
    assert float(found.value) == pytest.approx(200)


def test_the_bootstrap_agrees_with_that_of_scipy() -> None:
    sample = stats.gamma(2).rvs(60, random_state=3)
    ends = bootstrap(sample, lambda mean, variance: np.sqrt(variance) / mean, 0.95, seed=1)
    peer = stats.bootstrap(
        (sample,), lambda x, axis: x.std(axis=axis, ddof=1) / x.mean(axis=axis), method="BCa",
        n_resamples=50_000, random_state=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    width = peer.high - peer.low
    # the standard error of a quantile of 2000 resamples is a few percent of the width
    np.testing.assert_allclose(ends, [peer.low, peer.high], rtol=0, atol=0.08 * width)


def test_many_observations_are_resampled_in_parts() -> None:
    sample = stats.expon.rvs(size=5000, random_state=1)  # more than fit at once: five parts at least
    low, high = bootstrap(sample, lambda mean, variance: mean, 0.95, seed=1)
    se = sample.std() / np.sqrt(5000)
    assert low == pytest.approx(sample.mean() - 1.96 * se, abs=0.15 * se)
    assert high == pytest.approx(sample.mean() + 1.96 * se, abs=0.15 * se)


# -- how often confidence intervals cover -----------------------------------------------------------


def coverage(n: int, estimate: Any, truth: float) -> float:
    found = [estimate(seed) for seed in range(n)]
    return float(np.mean([float(e.low) <= truth <= float(e.high) for e in found]))


def check_coverage(n: int, least: float, most: float, cases: list[tuple[Any, float]]) -> None:
    """Within [least, most], but for three standard errors."""
    slack = 3 * np.sqrt(0.05 * 0.95 / n)
    for estimate, truth in cases:
        assert least - slack <= coverage(n, estimate, truth) <= most + slack


def cases(n: int, n_intervals: int) -> list[tuple[Any, float]]:
    length = n_intervals / 20 * second
    poisson = [trains.poisson(20 * Hz, length, seed) for seed in range(n)]
    regular = [trains.gamma(20 * Hz, length, seed, 4.0) for seed in range(n)]
    return [
        (lambda seed: lv(poisson[seed]), 1.0),
        (lambda seed: cv2(poisson[seed]), 1.0),
        (lambda seed: lv(regular[seed]), 3 / 9),
        (lambda seed: cv2(regular[seed]), cv2_of_gamma(4.0)),
    ]


def test_intervals_of_a_rate_cover_it_as_often_as_they_say() -> None:
    check_coverage(
        400, 0.95, 0.98, [(lambda s: rate(trains.poisson(20 * Hz, 2 * second, s), 2 * second), 20.0)]
    )


def test_intervals_of_local_variation_cover_it_as_often_as_they_say() -> None:
    check_coverage(200, 0.94, 0.96, cases(200, 100))


@pytest.mark.slow
def test_intervals_cover_as_often_as_they_say_in_many_trials() -> None:
    check_coverage(600, 0.94, 0.96, cases(600, 100))
    trial = [trains.poisson(20 * Hz, 20 * second, seed) for seed in range(400)]
    # resampled intervals of a skewed distribution cover a little less often (about 0.93)
    check_coverage(400, 0.92, 0.96, [(lambda seed: cv(trial[seed]), 1.0)])
    check_coverage(400, 0.92, 0.96, [(lambda seed: fano(trial[seed], 100 * ms, 20 * second), 1.0)])


# -- Elephant ---------------------------------------------------------------------------------------


def rows(name: str) -> list[dict[str, str]]:
    lines = (HERE / name).read_text().splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def elephant() -> tuple[list[list[Any]], dict[tuple[str, int], list[tuple[float, float]]]]:
    """The trains, (neuron, trial), and what Elephant says of them; see elephant_reference.py."""
    times: dict[tuple[int, int], list[float]] = {}
    for row in rows("elephant_trains.csv"):
        times.setdefault((int(row["neuron"]), int(row["trial"])), []).append(float(row["time_ms"]))
    numbers: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for row in rows("elephant_reference.csv"):
        key = row["what"], int(row["neuron"])
        numbers.setdefault(key, []).append((float(row["where"]), float(row["value"])))
    return [[times[neuron, k] * ms for k in range(6)] for neuron in (0, 1)], numbers


def test_elephant_says_the_same() -> None:
    found, numbers = elephant()
    for neuron in (0, 1):
        for k, train in enumerate(found[neuron]):
            n = len(train) - 1  # Elephant has the divisor n where we have n - 1
            ours = {
                "rate_Hz": float(rate(train, 2 * second).value),
                "cv": cv(train).value * np.sqrt((n - 1) / n),
                "cv2": cv2(train).value,
                "lv": lv(train).value,
            }
            for what, value in ours.items():
                assert value == pytest.approx(numbers[what, neuron][k][1], rel=1e-10)
        one = fano(found[neuron], 2 * second, 2 * second).value * 5 / 6
        assert one == pytest.approx(numbers["fano", neuron][0][1], rel=1e-10)
        histogram = psth(found[neuron], 100 * ms, 2 * second)
        theirs = [value for _, value in numbers["psth_Hz", neuron]]
        np.testing.assert_allclose(histogram["rate"], theirs, rtol=1e-10)


# -- windows, forms of input, mistakes --------------------------------------------------------------


def test_a_spike_on_a_border_counts_to_the_later_window() -> None:
    train = trains.regular(10 * Hz, 3 * second)  # 0.1*3 is a little more than 0.3
    np.testing.assert_array_equal(counts(train, 0.1 * second, 3 * second), np.ones((1, 30)))
    assert rate(train, 1 * second, start=1 * second).n == 10


def test_windows_of_all_trains_are_counted() -> None:
    found = counts([[1, 12, 13] * ms, [25] * ms], 10 * ms, 30 * ms)
    np.testing.assert_array_equal(found, [[1, 2, 0], [0, 0, 1]])
    pooled = [1, 2, 0, 0, 0, 1]
    value = fano([[1, 12, 13] * ms, [25] * ms], 10 * ms, 30 * ms).value
    assert value == pytest.approx(np.var(pooled, ddof=1) / np.mean(pooled))


@pytest.mark.slow
def test_poisson_counts_have_a_fano_factor_within_the_band() -> None:
    outside = 0
    for seed in range(100):
        curve = fano_curve(trains.poisson(40 * Hz, 25 * second, seed), [100, 500] * ms, 25 * second)
        outside += int(
            ((curve["fano"] < curve["poisson_low"]) | (curve["fano"] > curve["poisson_high"])).sum()
        )
    assert 200 * 0.05 - 3 * np.sqrt(200 * 0.05) < outside < 200 * 0.05 + 3 * np.sqrt(200 * 0.05)


def test_what_cannot_be_measured_is_nan() -> None:
    for train in ([] * ms, [5] * ms):
        for statistic in (cv, cv2, lv):
            assert np.isnan(statistic(train).value)
            assert np.isnan(statistic(train).low)
    assert np.isnan(fano([] * ms, 10 * ms, 100 * ms).value)
    assert float(rate([] * ms, 1 * second).value) == 0
    assert float(rate([] * ms, 1 * second).high) == pytest.approx(-np.log(0.025))


def test_an_estimate_reads_as_a_sentence_would_have_it() -> None:
    assert str(rate(trains.regular(40 * Hz, 10 * second), 10 * second)).startswith("40")
    assert "95 % interval" in str(lv(trains.poisson(20 * Hz, 10 * second, 1)))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: rate([1, 2] * mV, 1 * second), DimensionMismatchError, "need a unit of time"),
        (lambda: rate([1.0, 2.0], 1 * second), DimensionMismatchError, "need a unit of time"),
        (lambda: rate([1 * ms, 2 * ms], 1 * second), SetupError, "rows of times"),
        (
            lambda: rate([1, 2] * ms, 1 * Hz),
            DimensionMismatchError,
            r"the duration .* a time",
        ),
        (lambda: rate("train", 1 * second), SetupError, "not 'train'"),
        (lambda: rate([], 1 * second), SetupError, "there are no spike trains"),
        (lambda: cv([1, np.inf] * ms), SetupError, "finite"),
        (lambda: lv([1, 1, 2] * ms), SetupError, "same time twice"),
        (lambda: fano([1] * ms, 2 * second, 1 * second), SetupError, "does not fit into"),
        (lambda: cv([1, 2, 3] * ms, level=95), SetupError, "the level has to be between 0 and 1"),
    ],
)
def test_mistakes_are_named(make: Any, error: type[EcclesError], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_trains_by_name_are_trains() -> None:
    one, other = [10, 30] * ms, [20] * ms
    assert str(rate({0: one, 1: other}, 1 * second)) == str(rate([one, other], 1 * second))


times = st.one_of(st.lists(st.floats(-10, 10), max_size=8), st.lists(st.floats(), max_size=3))
anything = st.one_of(
    st.none(), st.text(max_size=2), st.integers(-3, 9), st.floats(), times,
    times.map(lambda t: t * second), times.map(lambda t: t * mV),
    st.lists(times.map(lambda t: t * ms), max_size=3), st.builds(lambda x: x * ms, st.floats()),
    st.just([[1.0, 2.0]] * ms),
)  # fmt: skip


@given(
    statistic=st.sampled_from([rate, cv, cv2, lv, fano, fano_curve, counts, psth, intervals]),
    given=st.tuples(anything, anything, anything),
)
def test_bad_input_gives_errors_of_eccles_only(statistic: Any, given: tuple) -> None:
    n = {rate: 2, fano: 3, fano_curve: 3, counts: 3, psth: 3}.get(statistic, 1)
    try:
        statistic(*given[:n])
    except EcclesError:
        return
