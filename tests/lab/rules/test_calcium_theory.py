"""The closed form against the simulated rule, sums over spikes, moment equations and a count of synapses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from eccles import DimensionMismatchError, Hz, SetupError, ms, second
from eccles.lab.rules import calcium
from eccles.lab.rules.calcium import PRESETS
from eccles.lab.rules.calcium_theory import population, shares_above, strength_change, transitions


def with_few_quick(presets: list[str], quick: tuple[str, ...] = ("D'", "cortical slices")) -> list[object]:
    """All of them, most marked as slow: they differ in numbers only."""
    return [pytest.param(p, marks=() if p in quick else pytest.mark.slow) for p in presets]


@pytest.mark.parametrize("preset", with_few_quick(list(PRESETS)))
def test_shares_of_time_are_those_of_the_simulated_rule(preset: str) -> None:
    rule = calcium(preset, noise=False)
    gaps = np.array([-33, -10, 0, 5, float(rule.parameters["D"]) * 1e3, 27]) * 1e-3
    rate, skipped, counted = 20.0, 30, 10  # by then, calcium is periodic to rounding
    found = []
    for n in (skipped, skipped + counted):
        onsets = np.arange(n + 3) / rate
        pre = [(onsets + max(-g, 0.0)) * second for g in gaps]
        post = [(onsets + max(g, 0.0)) * second for g in gaps]
        found.append(rule.response(pre, post, variables=["time_p", "time_d"], duration=n / rate * second))
    shares = shares_above(rule, gaps * second, rate * Hz)
    for k, variable in enumerate(("time_p", "time_d")):
        measured = (found[1][variable] - found[0][variable]) / (counted / rate)
        np.testing.assert_allclose(measured, shares[k], rtol=0, atol=1e-12)
    assert shares[1].max() > 0


def test_shares_of_time_are_those_of_calcium_summed_over_spikes() -> None:
    rule, period, gap = calcium("DP"), 0.04, 0.007
    alpha_p, alpha_d = shares_above(rule, gap * second, 25 * Hz)
    n = 200_000
    t = (np.arange(n) + 0.5) / n * period
    early = np.arange(60) * period
    c = sum(
        amount * np.exp(-((t - first) % period)[:, None] / 0.02 - early / 0.02).sum(1)
        for first, amount in ((0.0137, 1.0), (gap, 2.0))
    )
    assert (c > 1.3).mean() == pytest.approx(float(alpha_p), abs=2e-5)
    assert (c > 1.0).mean() == pytest.approx(float(alpha_d), abs=2e-5)
    assert alpha_p < 1


@pytest.mark.parametrize(("above_p", "above_d"), [(0.01, 0.03), (0.02, 0.021), (0.0, 0.05), (0.3, 0.6)])
def test_transitions_are_those_of_the_moments(above_p: float, above_d: float) -> None:
    rule = calcium("DP")
    p = {name: float(value) for name, value in rule.parameters.items()}
    up_rate, down_rate = p["gamma_p"] * above_p / p["tau"], p["gamma_d"] * above_d / p["tau"]
    spread = p["sigma"] ** 2 * (above_p + above_d) / p["tau"]
    expected = []
    for start in (0.0, 1.0):
        mean, variance = solve_ivp(
            lambda _, y: [up_rate * (1 - y[0]) - down_rate * y[0], spread - 2 * (up_rate + down_rate) * y[1]],
            (0, 60), [start, 0.0], method="DOP853", rtol=1e-12, atol=1e-14,
        ).y[:, -1]  # fmt: skip

        def density(x: float, m: float = mean, v: float = variance) -> float:
            return math.exp(-((x - m) ** 2) / (2 * v)) / math.sqrt(2 * math.pi * v)

        far = 12 * math.sqrt(variance)
        low = quad(density, mean - far, 0.5, epsabs=1e-13)[0] if mean - far < 0.5 else 0.0
        expected.append(1 - low if start == 0 else low)
    np.testing.assert_allclose(transitions(rule, above_p, above_d, 60 * second), expected, rtol=0, atol=1e-9)


def test_nothing_changes_where_calcium_stays_below_both_thresholds() -> None:
    up, down = transitions(calcium("D"), [0.0, 0.02], [0.0, 0.02], 60 * second)
    assert up[0] == down[0] == 0
    assert down[1] > 0
    assert strength_change(0, 0, 0.5, 5) == pytest.approx(1)


def test_the_strength_is_that_of_counted_synapses() -> None:
    n, beta, b, up, down = 10_000, 0.7, 5.28, 0.3, 0.2
    at_down, at_up = beta * n, (1 - beta) * n
    after = (at_down * (1 - up) + at_up * down) + b * (at_down * up + at_up * (1 - down))
    assert strength_change(up, down, beta, b) == pytest.approx(after / (at_down + b * at_up), rel=1e-14)
    assert population("hippocampal slices") == (0.7, 5.28145)


def test_mistakes_are_named() -> None:
    with pytest.raises(SetupError, match="calcium has no preset 'dp'; did you mean 'DP'"):
        population("dp")
    with pytest.raises(DimensionMismatchError, match="the gap has another unit"):
        shares_above(calcium(), 10, 1 * Hz)
    with pytest.raises(DimensionMismatchError, match="the rate has another unit"):
        shares_above(calcium(), 10 * ms, 1)


def test_without_noise_there_is_no_chance() -> None:
    with pytest.raises(SetupError, match="without noise"):
        transitions(calcium(noise=False), 0.1, 0.1, 60 * second)


def test_the_curve_of_depression_and_potentiation_has_both() -> None:
    rule = calcium("DP")
    change = strength_change(
        *transitions(rule, *shares_above(rule, [-20, 10] * ms, 1 * Hz), 60 * second), *population("DP")
    )
    assert change[0] < 0.8 < 1.2 < change[1]
