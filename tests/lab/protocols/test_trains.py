"""Spike trains that are made: exact times, the statistics of their processes, mistakes that are named."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from eccles import EcclesError, SetupError
from eccles.lab.protocols import trains
from eccles.units import Hz, ms, second, volt


def test_regular_spikes_come_at_the_nearest_numbers_to_the_exact_times() -> None:
    found = np.asarray(trains.regular(30 * Hz, 100 * second, phase=0.25))
    exact = [float((k + Fraction(1, 4)) / 30) for k in range(3000)]
    np.testing.assert_array_equal(found, exact)


@given(rate=st.integers(1, 500), n=st.integers(1, 200), phase=st.sampled_from([0.0, 0.1, 0.5, 0.999]))
def test_a_regular_train_has_as_many_spikes_as_periods(rate: int, n: int, phase: float) -> None:
    assert len(trains.regular(rate * Hz, n / rate * second, phase)) == n


def test_bursts_come_at_exact_times() -> None:
    found = np.asarray(trains.bursts(4, 100 * Hz, 10, 200 * ms))
    exact = [k * 0.2 + j / 100 for k in range(10) for j in range(4)]
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-15)


@pytest.mark.parametrize("refractory", [0.0, 0.004, 0.015])
def test_the_rate_of_a_poisson_train_is_exact_from_the_start_on(refractory: float) -> None:
    # a window of half a mean interval at the start: only the right first spike gives the right mean
    n, rate, length = 4000, 50, 0.01
    k = np.array([len(trains.poisson(rate * Hz, length * second, s, refractory * second)) for s in range(n)])
    assert abs(k.mean() - rate * length) < 3 * k.std() / np.sqrt(n)


@pytest.mark.parametrize("refractory", [0.0, 0.004])
def test_intervals_are_exponential_behind_the_refractory_period(refractory: float) -> None:
    found = np.asarray(trains.poisson(50 * Hz, 400 * second, 3, refractory * second))
    rest = stats.expon(loc=refractory, scale=1 / 50 - refractory)
    assert np.diff(found).min() >= refractory * (1 - 1e-9)
    assert stats.kstest(np.diff(found), rest.cdf).pvalue > 0.01


def test_the_first_spike_with_a_refractory_period_has_the_forward_recurrence_time() -> None:
    rate, dead = 100.0, 0.006
    first = [float(trains.poisson(rate * Hz, 10 * second, s, dead * second)[0]) for s in range(3000)]
    survival = lambda t: np.where(t < dead, 1.0, np.exp(-np.maximum(t - dead, 0) / (1 / rate - dead)))  # noqa: E731
    grid = np.linspace(0, 0.1, 20_001)
    cdf = rate * integrate.cumulative_simpson(survival(grid), x=grid, initial=0)
    assert stats.kstest(first, lambda t: np.interp(t, grid, cdf)).pvalue > 0.01


@pytest.mark.parametrize("shape", [0.5, 1.0, 4.0])
def test_intervals_of_a_gamma_train_have_their_distribution(shape: float) -> None:
    found = np.diff(np.asarray(trains.gamma(50 * Hz, 200 * second, 2, shape)))
    assert stats.kstest(found, stats.gamma(shape, scale=1 / (50 * shape)).cdf).pvalue > 0.01


@pytest.mark.parametrize("shape", [0.5, 4.0])
def test_the_rate_of_a_gamma_train_is_exact_from_the_start_on(shape: float) -> None:
    k = np.array([len(trains.gamma(50 * Hz, 10 * ms, seed, shape)) for seed in range(2000)])
    assert abs(k.mean() - 0.5) < 3 * k.std() / np.sqrt(len(k))


def test_counts_of_a_gamma_train_have_the_variance_of_an_equilibrium_process() -> None:
    # every second event of a Poisson process of rate 2r; for its counts N in time t, with either parity of
    # what was before: Var = rt/2 + 1/8 - exp(-4rt)/8 (Cox 1962)
    rate, t, n = 50.0, 0.02, 4000
    k = np.array([len(trains.gamma(rate * Hz, t * second, seed, 2.0)) for seed in range(n)])
    expected = rate * t / 2 + (1 - np.exp(-4 * rate * t)) / 8
    m = np.arange(60)
    p = stats.poisson(2 * rate * t).pmf(m)
    mean = p @ ((m // 2 + (m + 1) // 2) / 2)
    assert expected == pytest.approx(p @ (((m // 2) ** 2 + ((m + 1) // 2) ** 2) / 2) - mean**2, abs=1e-12)
    assert abs(k.var() - expected) < 3 * ((k - k.mean()) ** 2).std() / np.sqrt(n)


@pytest.mark.parametrize("make", [
    lambda length: trains.poisson(20 * Hz, length * second, 7, 3 * ms),
    lambda length: trains.gamma(20 * Hz, length * second, 7, 3.0),
])  # fmt: skip
def test_a_longer_random_train_begins_with_the_same_spikes(make) -> None:
    long, short = np.asarray(make(100)), np.asarray(make(3))
    np.testing.assert_array_equal(long[long < 3], short)


def test_without_a_rate_there_are_no_spikes() -> None:
    assert len(trains.poisson(0 * Hz, 1 * second, 1)) == 0


def test_jitter_moves_spikes_by_its_standard_deviation() -> None:
    train = trains.regular(1 * Hz, 5000 * second, phase=0.5)
    shifts = np.asarray(trains.jittered(train, 5 * ms, 1)) - np.asarray(train)
    assert stats.kstest(shifts / 0.005, "norm").pvalue > 0.01
    shifts = np.asarray(trains.dithered(train, 5 * ms, 1)) - np.asarray(train)
    assert stats.kstest(shifts, stats.uniform(-0.005, 0.01).cdf).pvalue > 0.01


def test_jittered_spikes_stay_within_the_train() -> None:
    train = trains.regular(100 * Hz, 1 * second)
    for moved in (trains.jittered, trains.dithered):
        found = np.asarray(moved(train, 3 * second, 1, duration=1 * second))
        assert len(found) == 100
        assert found.min() >= 0
        assert found.max() < 1
        assert stats.kstest(found, "uniform").pvalue > 0.01  # reflected, not heaped at the border


def test_without_jitter_nothing_moves() -> None:
    train = trains.poisson(20 * Hz, 10 * second, 1)
    np.testing.assert_array_equal(trains.jittered(train, 0 * ms, 1), train)


def test_a_train_and_its_jitter_with_one_seed_are_independent() -> None:
    train = trains.poisson(50 * Hz, 400 * second, 1)
    shifts = np.asarray(trains.jittered(train, 0.001 * ms, 1)) - np.asarray(train)
    assert abs(np.corrcoef(np.diff(train), shifts[1:])[0, 1]) < 3 / np.sqrt(len(train))


def test_shuffling_keeps_the_intervals_and_both_ends() -> None:
    train = np.asarray(trains.gamma(20 * Hz, 20 * second, 1, 0.5))
    found = np.asarray(trains.shuffled(trains.gamma(20 * Hz, 20 * second, 1, 0.5), 4))
    np.testing.assert_allclose(np.sort(np.diff(found)), np.sort(np.diff(train)), rtol=0, atol=1e-12)
    assert found[0] == train[0]
    assert found[-1] == pytest.approx(train[-1], abs=1e-12)
    assert not np.allclose(found, train)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: trains.regular(5 * ms, 1 * second), "the rate has another unit: it has to be a frequency"),
        (lambda: trains.regular(5 * Hz, 1 * second, 1.0), "phase is a part of the period"),
        (lambda: trains.regular(5 * Hz, 1 * second, 0.5 * ms), "the phase has another unit"),  # type: ignore[arg-type]
        (lambda: trains.gamma(5 * Hz, 1 * second, 1, 4 * second), "shape of a gamma .* another unit"),  # type: ignore[arg-type]
        (lambda: trains.regular(1e12 * Hz, 1e6 * second), "would be 1e\\+18 spikes"),
        (lambda: trains.regular(-5 * Hz, 1 * second), "the rate has to be positive"),
        (lambda: trains.poisson(100 * Hz, 1 * second, 1, 10 * ms), "does not allow 100"),
        (lambda: trains.bursts(4, 100 * Hz, 2, 30 * ms), "4 spikes at 100. Hz take 0.03 s"),
        (lambda: trains.bursts(0, 100 * Hz, 2, 30 * ms), "number of spikes has to be from 1"),
        (lambda: trains.gamma(5 * Hz, 1 * second, 1, 0), "shape of a gamma"),
        (lambda: trains.shuffled([3, 1] * volt, 1), "need a unit of time"),
    ],
)
def test_mistakes_are_named(make, message: str) -> None:
    with pytest.raises(EcclesError, match=message):
        make()


anything = st.one_of(
    st.none(), st.booleans(), st.text(max_size=3), st.integers(-3, 10**20), st.floats(allow_nan=True),
    st.builds(lambda x: x * Hz, st.floats(allow_nan=True)), st.builds(lambda x: x * ms, st.floats()),
    st.builds(lambda x: x * second, st.floats(allow_nan=True)), st.just([1, 2] * ms), st.just([3, 1] * Hz),
    st.lists(st.floats(), max_size=3), st.complex_numbers(),
)  # fmt: skip


@given(
    make=st.sampled_from([
        trains.regular, trains.poisson, trains.gamma, trains.bursts, trains.jittered, trains.dithered,
        trains.shuffled,
    ]),
    given=st.tuples(anything, anything, anything, anything),
)  # fmt: skip
def test_bad_input_gives_errors_of_eccles_only(make, given: tuple) -> None:
    n = {trains.shuffled: 2, trains.regular: 3, trains.jittered: 3, trains.dithered: 3}.get(make, 4)
    try:
        found = np.asarray(make(*given[:n]))
    except EcclesError:
        return
    assert np.all(np.diff(found) > 0)


def test_a_seed_is_checked_even_where_nothing_is_drawn() -> None:
    with pytest.raises(SetupError, match="a seed"):
        trains.poisson(0 * Hz, 1 * second, -1)
