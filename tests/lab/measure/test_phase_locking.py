"""Phase locking: closed forms, SciPy, and how often the interval has the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special, stats

from eccles import DimensionMismatchError, Hz, SetupError, ms, mV, second
from eccles.lab.measure import (
    locking_of_phases,
    phase_histogram,
    phase_locking,
    phases,
    rayleigh_p,
    vector_strength,
)

ONE_TRUE_MISS = 3.0  # standard errors


def test_spikes_at_one_phase_have_vector_strength_one_at_the_frequency_and_its_multiples() -> None:
    train = (np.arange(40) / 8 + 0.02) * second
    for multiple in (1, 2, 5):
        locked = phase_locking(train, 8 * multiple * Hz)
        assert locked.vector_strength == pytest.approx(1, abs=1e-12)
        expected = 2 * math.pi * 8 * multiple * 0.02
        assert locked.mean_phase == pytest.approx((expected + math.pi) % (2 * math.pi) - math.pi, abs=1e-9)
        assert (locked.low, locked.high) == (pytest.approx(1), pytest.approx(1))


def test_spikes_spread_evenly_over_the_cycle_have_none() -> None:
    train = np.arange(80) / 80 * second
    assert vector_strength(train, 10 * Hz) == pytest.approx(0, abs=1e-13)
    assert phase_locking(train, 10 * Hz).p_value == pytest.approx(1)
    np.testing.assert_array_equal(phase_histogram(train, 10 * Hz, 8), np.full(8, 10))


def test_a_regular_train_at_another_frequency_has_the_value_of_the_geometric_sum() -> None:
    n, rate, f = 37, 50.0, 10.7
    step = math.pi * f / rate
    expected = abs(math.sin(n * step) / (n * math.sin(step)))
    assert vector_strength(np.arange(n) / rate * second, f * Hz) == pytest.approx(expected, abs=1e-12)


def test_half_of_the_cycle_gives_two_over_pi() -> None:
    train = np.arange(10_000) / 20_000 / 3 * second
    assert vector_strength(train, 3 * Hz) == pytest.approx(2 / math.pi, abs=1e-7)


def test_without_spikes_there_is_no_vector_strength() -> None:
    empty = phase_locking(np.array([]) * second, 10 * Hz)
    assert empty.n == 0
    assert math.isnan(vector_strength([] * second, 10 * Hz))
    assert math.isnan(empty.vector_strength)
    assert math.isnan(empty.p_value)


def test_a_single_spike_says_nothing_about_locking() -> None:
    assert phase_locking([3] * ms, 10 * Hz).p_value > 0.3


@pytest.mark.parametrize("kappa", [0.3, 1.5, 4.0])
def test_von_mises_phases_have_the_ratio_of_bessel_functions(kappa: float) -> None:
    grid = np.linspace(-math.pi, math.pi, 20_001)
    middle = (grid[1:] + grid[:-1]) / 2
    share = np.cumsum(np.exp(kappa * np.cos(middle)))
    angles = np.interp((np.arange(4000) + 0.5) / 4000, share / share[-1], grid[1:]) + 0.7
    found = locking_of_phases(angles)
    assert found.vector_strength == pytest.approx(special.i1(kappa) / special.i0(kappa), abs=2e-4)
    assert found.mean_phase == pytest.approx(0.7, abs=2e-4)


def test_mean_and_strength_are_those_of_scipy() -> None:
    train = np.sort(np.random.default_rng(1).random(50)) * second
    found = phase_locking(train, 7 * Hz)
    angles = phases(train, 7 * Hz)
    assert 1 - found.vector_strength == pytest.approx(stats.circvar(angles), abs=1e-12)
    expected = stats.circmean(angles, high=math.pi, low=-math.pi)
    assert found.mean_phase == pytest.approx(expected, abs=1e-12)


def test_the_rayleigh_p_of_many_events_is_exponential_and_not_lost_to_rounding() -> None:
    for n, strength in ((10**4, 0.02), (10**9, 1e-5)):
        assert rayleigh_p(n, strength) == pytest.approx(math.exp(-n * strength**2), rel=2e-3)


def rayleigh_rejections(n: int, trials: int) -> np.ndarray:
    angles = np.random.default_rng(7).random((trials, n)) * 2 * math.pi
    strengths = abs(np.exp(1j * angles).mean(axis=1))
    p = np.array([rayleigh_p(n, r) for r in strengths])
    return np.array([np.mean(p < level) for level in (0.01, 0.05, 0.2)])


@pytest.mark.parametrize("n", [10, 40])
def test_the_rayleigh_test_rejects_as_often_as_it_says(n: int) -> None:
    trials = 20_000
    levels = np.array([0.01, 0.05, 0.2])
    error = np.sqrt(levels * (1 - levels) / trials)
    assert np.all(abs(rayleigh_rejections(n, trials) - levels) < ONE_TRUE_MISS * error + 0.001)


def coverage(kappa: float, n: int, trials: int) -> float:
    truth = special.i1(kappa) / special.i0(kappa)
    angles = np.random.default_rng(11).vonmises(0.4, kappa, (trials, n))
    found = [locking_of_phases(row) for row in angles]
    return float(np.mean([each.low <= truth <= each.high for each in found]))


@pytest.mark.parametrize(("kappa", "n"), [(0.0, 100), (0.2, 200), (3.0, 100)])
def test_the_interval_has_the_truth_as_often_as_it_says(kappa: float, n: int) -> None:
    trials = 150
    found = coverage(kappa, n, trials)
    # at no locking the lower end is 0, and only the upper one can miss
    expected = 0.975 if kappa == 0 else 0.95
    assert abs(found - expected) < ONE_TRUE_MISS * math.sqrt(expected * (1 - expected) / trials) + 0.005


@pytest.mark.slow
@pytest.mark.parametrize("kappa", [0.1, 0.3, 1.0, 5.0])
def test_the_interval_has_the_truth_as_often_as_it_says_at_any_strength(kappa: float) -> None:
    assert coverage(kappa, 500, 1000) == pytest.approx(0.955, abs=0.025)


def test_several_trains_are_taken_together() -> None:
    one, other = [0, 101] * ms, [5, 199, 302] * ms
    together = phase_locking(np.concatenate([one, other]), 10 * Hz)
    for trains in ([one, other], {"left": one, "right": other}):
        assert phase_locking(trains, 10 * Hz).vector_strength == pytest.approx(
            together.vector_strength, abs=1e-15
        )


def test_bad_input_is_named() -> None:
    with pytest.raises(SetupError, match="finite"):
        phase_locking([1, np.nan] * ms, 10 * Hz)
    with pytest.raises(DimensionMismatchError, match="unit of time"):
        phase_locking([1, 2] * mV, 10 * Hz)
    with pytest.raises(DimensionMismatchError, match="frequency has another unit"):
        phase_locking([1, 2] * ms, 10)
    with pytest.raises(SetupError, match="the frequency has to be positive"):
        phase_locking([1, 2] * ms, 0 * Hz)
    with pytest.raises(SetupError, match="the level has to be between 0 and 1, not 95"):
        locking_of_phases([0.1], level=95)
    with pytest.raises(SetupError, match="number of bins has to be from 1"):
        phase_histogram([1, 2] * ms, 10 * Hz, 0)
