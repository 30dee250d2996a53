"""Fibres of the auditory nerve: rate, vector strength, and the two ways in which they are made."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, special, stats

from eccles import Clock, DimensionMismatchError, Hz, Network, SetupError, SpikeMonitor, kHz, ms, second, seed
from eccles.lab.binaural import Tone, concentration, ear, nerve_locking, nerve_train, phase_walk
from eccles.lab.binaural.nerve import bessel_ratio
from eccles.lab.binaural.trains import dead_time
from eccles.lab.measure import phase_locking, phases, vector_strength
from eccles.lab.random_numbers import labelled_uniform
from eccles.objects import magic

Maker = Callable[..., list[np.ndarray]]


def from_text(tones: tuple[Tone, ...], rate: float, duration: float, trials: int, **options: object) -> list:
    with magic.private_scope():
        seed(5)
        clock = Clock(0.1 * ms)
        fibres = ear(trials, *tones, rate=rate * Hz, clock=clock, **options)
        spikes = SpikeMonitor(fibres)
        Network(fibres, spikes).run(duration * second)
        return [np.asarray(t) for t in spikes.spike_trains().values()]


def thinned(tones: tuple[Tone, ...], rate: float, duration: float, trials: int, **options: object) -> list:
    return [
        np.asarray(nerve_train(tones, rate * Hz, duration * second, seed=2, stream=(k,), **options))
        for k in range(trials)
    ]


both_ways = pytest.mark.parametrize("made", [from_text, thinned])


def counts_fit(trains: list[np.ndarray], mean: float) -> bool:
    """Whether counts are those of Poisson processes with this mean, within 3.5 standard errors."""
    counts = np.array([len(t) for t in trains])
    n = len(counts)
    dispersion = counts.var(ddof=1) / mean
    return abs(counts.mean() - mean) < 3.5 * math.sqrt(mean / n) and abs(dispersion - 1) < 3.5 * math.sqrt(
        2 / n
    )


@pytest.mark.parametrize(
    ("frequency", "least", "most"), [(200, 0.8, 0.9), (1000, 0.8, 0.9), (2750, 0.42, 0.43)]
)
def test_the_curve_has_what_is_told_of_the_cat(frequency: float, least: float, most: float) -> None:
    assert least < nerve_locking(frequency * Hz) < most


def test_the_curve_falls_by_40_decibels_per_decade() -> None:
    high, low = nerve_locking([1000, 100] * kHz)
    assert 20 * math.log10(low / high) == pytest.approx(40, abs=0.01)


def test_the_numbers_of_the_curve_can_be_changed() -> None:
    assert nerve_locking(1 * kHz, plateau=0.9, half=1 * kHz, order=4) == pytest.approx(0.45)
    with pytest.raises(DimensionMismatchError, match="440"):
        nerve_locking(440)
    with pytest.raises(SetupError, match="between 0 and 1"):
        nerve_locking(440 * Hz, plateau=85)


def test_concentration_is_the_inverse_of_the_ratio_of_bessel_functions() -> None:
    kappa = np.array([0.01, 0.5, 2, 10, 200])
    ratio = special.i1e(kappa) / special.i0e(kappa)
    np.testing.assert_allclose(bessel_ratio(kappa), ratio, rtol=1e-12)
    np.testing.assert_allclose(concentration(ratio), kappa, rtol=1e-9)
    assert concentration(0.0) == 0
    with pytest.raises(SetupError, match=r"0 to 0\.999"):
        concentration(1.2)


@both_ways
def test_fibres_have_the_rate_and_vector_strength_asked_for(made: Maker) -> None:
    strength, f = 0.7, 310.0
    trains = made((Tone(f * Hz, strength, phase=0.9),), 200, 2, 60)
    assert counts_fit(trains, 400)
    pooled = np.concatenate(trains) * second
    found = phase_locking(pooled, f * Hz, level=0.999)
    assert found.low < strength < found.high
    assert found.mean_phase == pytest.approx(-0.9, abs=0.03)
    # all of the cycle, not only its mean: a von Mises distribution
    kappa = concentration(strength)
    turned = np.mod(phases(pooled, f * Hz) + 0.9 + math.pi, 2 * math.pi) - math.pi
    assert stats.kstest(turned, lambda x: stats.vonmises.cdf(x, kappa)).pvalue > 0.001


@both_ways
def test_two_tones_at_an_ear_beat_with_the_product_of_their_vector_strengths(made: Maker) -> None:
    trains = made((Tone(300 * Hz, 0.5), Tone(320 * Hz, 0.6)), 200, 2, 60)
    assert counts_fit(trains, 400)
    pooled = np.concatenate(trains) * second
    for f, expected in ((300, 0.5), (320, 0.6), (20, 0.3)):
        found = phase_locking(pooled, f * Hz, level=0.999)
        assert found.low < expected < found.high


@both_ways
def test_without_a_tone_spikes_come_at_random(made: Maker) -> None:
    trains = made((), 150, 2, 60)
    assert counts_fit(trains, 300)
    intervals = np.concatenate([np.diff(t) for t in trains])
    assert stats.kstest(intervals, "expon", args=(0, 1 / 150)).pvalue > 0.001


@both_ways
def test_a_bundle_of_fibres_is_one_train_at_their_common_rate(made: Maker) -> None:
    assert counts_fit(made((Tone(300 * Hz, 0.8),), 100, 2, 40, fibres=5), 1000)


@both_ways
def test_refractoriness_lowers_the_rate_as_renewal_theory_says(made: Maker) -> None:
    trains = made((), 300, 2, 60, t_ref=1 * ms)
    intervals = np.concatenate([np.diff(t) for t in trains])
    assert intervals.min() >= 1e-3
    expected = 1e-3 + 1 / 300
    assert intervals.mean() == pytest.approx(expected, abs=3.5 / 300 / math.sqrt(len(intervals)))


def test_spikes_of_the_model_text_come_where_the_integrated_rate_says() -> None:
    f, strength, rate = 400.0, 0.8, 100.0
    kappa = concentration(strength)
    with magic.private_scope():
        seed(1)
        clock = Clock(0.1 * ms)
        fibre = ear(1, Tone(f * Hz, strength), rate=rate * Hz, clock=clock)
        spikes = SpikeMonitor(fibre, variables=["gap"])  # as it was before the reset
        Network(fibre, spikes).run(0.2 * second)
        t, gap = np.asarray(spikes.t), np.asarray(spikes.gap)
    grown = [
        integrate.quad(lambda s: rate * math.exp(kappa * math.cos(2 * math.pi * f * s)) / special.i0(kappa),
                       a, b, epsabs=1e-12, limit=500)[0]
        for a, b in pairwise(t)
    ]  # fmt: skip
    assert len(t) > 10
    np.testing.assert_allclose(grown, gap[1:], rtol=0, atol=1e-6)


def test_the_same_seed_gives_the_same_train_whatever_else_is_drawn() -> None:
    tones = (Tone(500 * Hz),)
    one = nerve_train(tones, 150 * Hz, 1 * second, seed=3, stream=("left", 1))
    again = nerve_train(tones, 150 * Hz, 1 * second, seed=3, stream=("left", 1))
    np.testing.assert_array_equal(one, again)
    for other in ({"seed": 4, "stream": ("left", 1)}, {"seed": 3, "stream": ("left", 2)}):
        assert not np.array_equal(one, nerve_train(tones, 150 * Hz, 1 * second, **other))
    np.testing.assert_array_equal(labelled_uniform(5, 1, "a"), labelled_uniform(9, 1, "a")[:5])


def test_a_dead_time_is_kept_after_spikes_that_stay_only() -> None:
    np.testing.assert_array_equal(dead_time(np.array([0.0, 0.6, 1.1, 1.9, 2.3]), 1.0), [0.0, 1.1, 2.3])


def test_a_walk_spreads_like_a_random_walk() -> None:
    ends = np.array([phase_walk(4 * Hz, 1 * second, 1, k)[[500, 1000]] for k in range(800)])
    expected = 2 * 4 * np.array([0.5, 1.0])
    np.testing.assert_allclose(ends.var(axis=0), expected, rtol=3.5 * math.sqrt(2 / 800))
    assert phase_walk(4 * Hz, 1 * second, 1)[0] == 0


def test_what_fibres_cannot_do_is_said() -> None:
    with pytest.raises(SetupError, match="cannot be one train"):
        nerve_train((), 100 * Hz, 1 * second, seed=1, fibres=3, t_ref=1 * ms)
    with pytest.raises(SetupError, match="fibres=1"):
        ear(1, fibres=3, t_ref=1 * ms)
    with pytest.raises(SetupError, match="at most two"):
        ear(1, Tone(1 * Hz), Tone(2 * Hz), Tone(3 * Hz))
    with pytest.raises(SetupError, match="rate"):
        nerve_train((), -1 * Hz, 1 * second, seed=1)
    with pytest.raises(SetupError, match=r"1e\+12 spikes in one train"):
        nerve_train((), 1e9 * Hz, 1000 * second, seed=1)
    assert len(nerve_train((), 0 * Hz, 1 * second, seed=1)) == 0


def test_at_high_carriers_nothing_is_lost_between_time_steps() -> None:
    pooled = np.concatenate(from_text((Tone(3 * kHz, 0.6),), 300, 0.5, 40)) * second
    assert vector_strength(pooled, 3 * kHz) == pytest.approx(0.6, abs=3.5 / math.sqrt(2 * len(pooled)))
