"""Histograms of spike times: brute force, closed forms, Elephant, and what the bands are good for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from test_spike_trains import elephant

from eccles import EcclesError, SetupError
from eccles.lab.measure import aligned, cross_correlogram, psth
from eccles.lab.protocols import trains
from eccles.units import Hz, ms, mV, second

# -- cross-correlogram ------------------------------------------------------------------------------

grid = st.lists(st.integers(0, 999), min_size=0, max_size=40, unique=True).map(
    lambda t: (np.array(sorted(t), float) + 0.5) * ms
)


@given(one=grid, other=grid)
def test_pairs_are_counted_as_one_by_one(one: Any, other: Any) -> None:
    found = cross_correlogram(one, other, 2 * ms, 30 * ms, 1 * second)
    expected = np.zeros(31)
    for a in np.round(np.asarray(one) * 1e3, 6):
        for b in np.round(np.asarray(other) * 1e3, 6):
            k = np.floor((b - a + 1) / 2)  # bins begin at odd numbers of ms, [-1, 1) and so on
            if abs(k) <= 15:
                expected[int(k) + 15] += 1
    np.testing.assert_array_equal(found["count"], expected)


def test_a_lag_is_positive_where_the_other_neuron_is_later() -> None:
    one = trains.poisson(20 * Hz, 10 * second, 1)
    found = cross_correlogram(one, one + 4 * ms, 1 * ms, 10 * ms, 11 * second)
    assert float(found["lag"][np.argmax(found["count"].values)]) == pytest.approx(4e-3)
    assert int(found["count"].max()) >= len(one)


def test_elephant_counts_the_same_pairs() -> None:
    found, numbers = elephant()
    ours = cross_correlogram(found[0][0], found[1][0], 1 * ms, 20 * ms, 2 * second)
    theirs = np.array(numbers["correlogram", 0])
    np.testing.assert_allclose(ours["lag"], theirs[:, 0], atol=1e-12)
    np.testing.assert_array_equal(ours["count"], theirs[:, 1])
    assert ours["count"].max() == 17
    # Elephant corrects by n_bins/(n_bins - |lag|); ours is exact within the bin, which matters at lag 0 alone
    corrected = np.array(numbers["correlogram_corrected", 0])[:, 1]
    side = ours["lag"].values != 0
    scaled = ours["rate"].values * len(found[0][0]) * 1e-3
    np.testing.assert_allclose(scaled[side], corrected[side], rtol=1e-10)
    np.testing.assert_allclose(scaled, corrected, rtol=2e-4)


def test_independent_neurons_show_the_rate_of_the_other_at_all_lags() -> None:
    length, n = 20.0, 40
    one = [trains.poisson(20 * Hz, length * second, s) for s in range(n)]
    other = [trains.poisson(30 * Hz, length * second, 1000 + s) for s in range(n)]
    found = cross_correlogram(one, other, 10 * ms, 4 * second, length * second)
    # at the farthest lag a fifth of all pairs is cut off: without allowing for that it would be 24 Hz
    n_other = sum(len(t) for t in other)
    se = 30 * np.sqrt(1 / found["expected"].values + 1 / n_other)
    assert np.all(abs(found["rate"].values - 30) < 4 * se)  # 801 bins
    chi2 = float(((found["count"] - found["expected"]) ** 2 / found["expected"]).sum())
    assert stats.chi2.sf(chi2, found.sizes["lag"] - 1) > 0.01


def test_the_expected_count_is_the_integral_over_both_trains() -> None:
    # pairs of uniform times in [0, T): the density of their difference is (T - |lag|)/T^2
    one, other = trains.regular(10 * Hz, 1 * second, 0.5), trains.regular(7 * Hz, 1 * second, 0.5)
    found = cross_correlogram(one, other, 100 * ms, 300 * ms, 1 * second)
    triangle = stats.triang(0.5, loc=-1, scale=2)
    edges = np.append(found["lag"] - 0.05, 0.35)
    np.testing.assert_allclose(found["expected"], 70 * np.diff(triangle.cdf(edges)), rtol=1e-12)


def outside(found: Any) -> np.ndarray:
    return ((found["count"] < found["low"]) | (found["count"] > found["high"])).values


def test_about_one_in_twenty_bins_of_independent_neurons_is_outside_the_band() -> None:
    part = [
        outside(
            cross_correlogram(
                trains.poisson(40 * Hz, 50 * second, seed), trains.poisson(40 * Hz, 50 * second, 500 + seed),
                5 * ms, 100 * ms, 50 * second,
            )
        ).mean()
        for seed in range(60)
    ]  # fmt: skip
    # the Poisson distribution is discrete, so a little less than 0.05; 60*41 bins
    assert 0.03 < np.mean(part) < 0.055


def together(seed: int, n: int, *, synchronous: bool) -> tuple[list[Any], list[Any]]:
    """Two neurons, active for 100 ms of each trial; some spikes of the second follow those of the first."""
    one, other = [], []
    for k in range(n):
        both = []
        for side in (1, 2):
            t = trains.poisson(100 * Hz, 100 * ms, 1000 * seed + 10 * k + side) + 200 * ms
            both.append(
                np.concatenate([np.asarray(t), np.asarray(trains.poisson(5 * Hz, 1 * second, 77 * k + side))])
            )
        if synchronous:
            both[1] = np.append(both[1], both[0][: len(both[0]) // 2] + 3e-3)
        one.append(np.unique(both[0][both[0] < 1]) * second)
        other.append(np.unique(both[1][both[1] < 1]) * second)
    return one, other


@pytest.mark.parametrize("predictor", ["shift", "jitter"])
def test_common_input_is_not_taken_for_synchrony(predictor: Any) -> None:
    options = {"predictor": predictor, "jitter": 25 * ms, "n_surrogates": 200}
    one, other = together(1, 30, synchronous=False)
    naive = cross_correlogram(one, other, 2 * ms, 20 * ms, 1 * second)
    assert outside(naive).mean() > 0.5  # constant rates would have to be taken for synchrony
    assert outside(cross_correlogram(one, other, 2 * ms, 20 * ms, 1 * second, **options)).mean() < 0.25
    one, other = together(1, 30, synchronous=True)
    found = cross_correlogram(one, other, 2 * ms, 20 * ms, 1 * second, **options)
    peak = found.isel(lag=np.argmax((found["count"] - found["expected"]).values))
    assert 0.002 <= float(peak["lag"]) <= 0.0041
    assert float(peak["count"]) > 1.5 * float(peak["high"])
    if predictor == "jitter":
        assert float(peak["count"]) > float(peak["high_simultaneous"])


def test_the_shift_predictor_is_the_mean_over_all_other_trials() -> None:
    one, other = together(2, 4, synchronous=True)
    found = cross_correlogram(one, other, 5 * ms, 20 * ms, 1 * second, predictor="shift")
    pairs = [
        cross_correlogram(one[i], other[j], 5 * ms, 20 * ms, 1 * second)["count"].values
        for i in range(4)
        for j in range(4)
        if i != j
    ]
    np.testing.assert_allclose(found["expected"], np.sum(pairs, axis=0) / 3, rtol=1e-12)


def test_the_jitter_predictor_is_the_expectation_over_the_windows() -> None:
    # one spike at 25 ms in the window [20, 40), the other at 30 ms: lags from -10 to 10 ms are as likely
    one, other = [25] * ms, [30] * ms
    found = cross_correlogram(
        one, other, 4 * ms, 12 * ms, 1 * second, predictor="jitter", n_surrogates=4000
    )  # bins [-14, -10), ..., [-2, 2), ..., [10, 14)
    p = np.array([0, 4, 4, 4, 4, 4, 0]) / 20
    assert np.all(abs(found["expected"] - p) <= 3 * np.sqrt(p * (1 - p) / 4000))


@pytest.mark.slow
def test_the_simultaneous_band_is_left_by_chance_in_one_of_twenty_correlograms() -> None:
    left = 0
    for seed in range(80):
        one, other = (trains.poisson(30 * Hz, 20 * second, 2 * seed + k + 10_000) for k in (0, 1))
        found = cross_correlogram(
            one, other, 4 * ms, 40 * ms, 20 * second, predictor="jitter", n_surrogates=200, seed=seed
        )
        count = found["count"]
        left += bool(((count < found["low_simultaneous"]) | (count > found["high_simultaneous"])).any())
    assert left <= 80 * 0.05 + 3 * np.sqrt(80 * 0.05 * 0.95)


# -- PSTH -------------------------------------------------------------------------------------------


def test_a_psth_counts_the_spikes_of_all_trials() -> None:
    found = psth([[-5, 1, 12] * ms, [1, 10] * ms], 10 * ms, 30 * ms, start=-10 * ms)
    np.testing.assert_array_equal(found["count"], [1, 2, 2])
    np.testing.assert_allclose(found["rate"], [50, 100, 100])
    np.testing.assert_allclose(found["time"], [-0.005, 0.005, 0.015], atol=1e-15)
    np.testing.assert_allclose(found["low"], stats.chi2.ppf(0.025, [2, 4, 4]) / 2 / 0.02)
    np.testing.assert_allclose(found["high"], stats.chi2.ppf(0.975, [4, 6, 6]) / 2 / 0.02)


def test_trials_are_parts_of_a_train_around_events() -> None:
    train, onsets = [10, 95, 104, 205, 300] * ms, [100, 200] * ms
    one, other = aligned(train, onsets, 10 * ms, 10 * ms)
    np.testing.assert_allclose(np.asarray(one), [-0.005, 0.004], atol=1e-15)
    np.testing.assert_allclose(np.asarray(other), [0.005], atol=1e-15)


def test_the_interval_of_a_psth_covers_a_rate_that_changes() -> None:
    hits = []
    for seed in range(100):
        trials = [
            np.concatenate([
                np.asarray(trains.poisson(10 * Hz, 100 * ms, 200 * seed + 2 * k)),
                0.1 + np.asarray(trains.poisson(60 * Hz, 100 * ms, 200 * seed + 2 * k + 1)),
            ]) * second
            for k in range(20)
        ]  # fmt: skip
        found = psth(trials, 20 * ms, 200 * ms)
        truth = np.repeat([10.0, 60.0], 5)
        hits.append(((found["low"] <= truth) & (truth <= found["high"])).mean())
    assert 0.95 - 3 * np.sqrt(0.05 * 0.95 / 1000) < np.mean(hits) < 0.99


# -- mistakes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"predictor": "shifted"}, "no predictor 'shifted'"),
        ({"predictor": "shift"}, "the shift predictor needs several trials"),
        ({"predictor": "jitter", "n_surrogates": 3}, "surrogates has to be from 20"),
        ({"window": 2 * second}, "reaches beyond the duration"),
        ({"other": [[1] * ms, [2] * ms]}, "1 trains of one and 2 of the other"),
        ({"bin": 0 * ms}, "the bin has to be positive"),
    ],
)
def test_mistakes_are_named(options: dict[str, Any], message: str) -> None:
    given = {"one": [1, 2] * ms, "other": [3] * ms, "bin": 1 * ms, "window": 10 * ms, "duration": 1 * second}
    with pytest.raises(SetupError, match=message):
        cross_correlogram(**{**given, **options})


times = st.one_of(st.lists(st.floats(-10, 10), max_size=8), st.lists(st.floats(), max_size=3))
anything = st.one_of(
    st.none(), st.text(max_size=2), st.floats(), times.map(lambda t: t * second), times.map(lambda t: t * mV),
    st.lists(times.map(lambda t: t * ms), max_size=3), st.builds(lambda x: x * ms, st.floats()),
)  # fmt: skip


@given(
    given=st.tuples(*[anything] * 5),
    options=st.fixed_dictionaries(
        {},
        optional={
            "predictor": st.sampled_from(["independent", "shift", "jitter", None]),
            "jitter": anything,
            "n_surrogates": st.one_of(anything, st.just(30)),
            "seed": st.one_of(anything, st.just(3)),
        },
    ),
)
def test_bad_input_gives_errors_of_eccles_only(given: tuple, options: dict[str, Any]) -> None:
    try:
        found = cross_correlogram(*given, **options)
    except EcclesError:
        return
    assert found["count"].sum() >= 0
