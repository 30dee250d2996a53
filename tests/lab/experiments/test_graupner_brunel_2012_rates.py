"""The calcium-based rule at rates of 1 to 50 Hz, against sums over spikes and published data."""

from __future__ import annotations

from math import erf, exp, log, sqrt

import numpy as np
import pytest

from eccles.lab import data
from eccles.lab.experiments.graupner_brunel_2012 import sides
from eccles.lab.experiments.graupner_brunel_2012_rates import PARTS, STUDY, bursts, closed_form, continuous
from eccles.lab.experiments.study import Outcome
from eccles.lab.rules import calcium

# cortical slices
TAU_CA, C_PRE, C_POST, THETA_D, THETA_P, DELAY = 0.0226936, 0.5617539, 1.23964, 1.0, 1.3, 0.0046098
GAMMA_D, GAMMA_P, SIGMA, TAU, BETA, B = 331.909, 725.085, 3.3501, 346.3615, 0.5, 5.40988


def published_formula(alpha_d: float, alpha_p: float, duration: float) -> float:
    """The change of strength as the publication has it, written with erf."""
    total = GAMMA_P * alpha_p + GAMMA_D * alpha_d
    mean, variance = GAMMA_P * alpha_p / total, SIGMA**2 * (alpha_p + alpha_d) / total
    left = exp(-duration * total / TAU)

    def x(start: float) -> float:
        return -(0.5 - mean + (mean - start) * left) / sqrt(variance * (1 - left**2))

    up, down = (1 + erf(x(0.0))) / 2, (1 - erf(x(1.0))) / 2
    after = BETA * (1 - up) + (1 - BETA) * down + B * (BETA * up + (1 - BETA) * (1 - down))
    return after / (BETA + (1 - BETA) * B)


@pytest.mark.parametrize("rate", [1.0, 20.0, 50.0])
@pytest.mark.parametrize("gap", [-10.0, 10.0])
def test_the_closed_form_is_that_of_calcium_followed_from_spike_to_spike(rate: float, gap: float) -> None:
    onsets, duration = np.arange(75) / rate, 75 / rate
    jumps = sorted(
        [(t + max(-gap, 0) / 1e3 + DELAY, C_PRE) for t in onsets]
        + [(t + max(gap, 0) / 1e3, C_POST) for t in onsets]
    )
    calcium_now, above = 0.0, {THETA_D: 0.0, THETA_P: 0.0}
    for (t, jump), (t_next, _) in zip(jumps, [*jumps[1:], (np.inf, 0)], strict=True):
        calcium_now += jump
        for theta in above:
            if calcium_now > theta:
                above[theta] += min(TAU_CA * log(calcium_now / theta), t_next - t)
        calcium_now *= exp(-(t_next - t) / TAU_CA)
    expected = published_formula(above[THETA_D] / duration, above[THETA_P] / duration, duration)
    assert closed_form(continuous(rate, gap))[0] == pytest.approx(expected, abs=1e-9)


def test_high_rates_potentiate_in_either_order_and_low_rates_depress_if_post_is_first() -> None:
    change = closed_form(
        [spikes for rate in (10, 50) for gap in (10, -10) for spikes in continuous(rate, gap)]
    )
    assert change[0] > 1.05
    assert change[1] < 0.7
    assert np.all(change[2:] > 1.5)


def test_a_pause_between_bursts_changes_nothing_but_the_share_of_time() -> None:
    """Five pairs at 1 Hz, 15 times, are 75 pairs at 1 Hz, as calcium is gone before the next pair."""
    assert closed_form(bursts(1, 10)) == pytest.approx(closed_form(continuous(1, 10)), abs=1e-9)


def test_synapses_with_noise_end_as_the_closed_form_says() -> None:
    spikes = [s for gap in (10, -10) for s in continuous(20, gap)]
    n = 400
    up, down = sides(
        calcium("cortical slices"), [s.pre for s in spikes], [s.post for s in spikes],
        [s.duration for s in spikes], n=n,
    )  # fmt: skip
    mean = (1 + (B - 1) * (BETA * up + (1 - BETA) * (1 - down))) / (1 + (B - 1) / 2)
    error = (B - 1) / (1 + B) * np.sqrt((up * (1 - up) + down * (1 - down)) / n)
    assert np.all(abs(mean - closed_form(spikes)) < 3 * error + 0.01)  # the attraction of the states
    assert np.all(error < 0.05)


def check(outcome: Outcome, least: float) -> None:
    table = outcome.table
    assert table["points"] == [10, 10, 4, 7]
    for column in ("E, closed form", "E, simulated"):
        assert table[column][0] < 1.0
        assert 0.5 < table[column][1] < 2.0
    assert outcome.data["bursts_error"].max() < least
    late = (
        outcome.data["75_pairs_rate"] > 1
    )  # at 0.1 Hz they take 750 s: the states attract, but little above
    off = abs(outcome.data["75_pairs_simulated"] - outcome.data["75_pairs_closed"])
    assert bool((off < 3 * outcome.data["75_pairs_error"] + 0.01)[late].all())
    bursts = abs(outcome.data["bursts_closed"].values - outcome.data["75_pairs_closed"].values)[late].max()
    assert f"Bursts are worth {bursts:.2f} at most" in outcome.findings[1]
    largest, worst = max(
        (float(abs(outcome.data[f"{key}_simulated"] - outcome.data[f"{key}_closed"]).max()), part.title)
        for key, part in zip(("75_pairs", "bursts", "random", "somatosensory"), PARTS.values(), strict=True)
    )
    assert f"differ by {largest:.2f} at most ({worst}, " in outcome.findings[4]


@pytest.mark.slow
def test_the_quick_study_fits_the_pairs_in_visual_cortex() -> None:
    check(STUDY.run(quick=True), 0.05)


@pytest.mark.slow
def test_the_study_fits_the_pairs_in_visual_cortex() -> None:
    outcome = STUDY.run()
    check(outcome, 0.02)
    assert len(outcome.draw().axes) == 4


def test_data_say_where_they_are_from() -> None:
    for part in PARTS.values():
        assert "Graupner" in data.source_of(part.file) or "independent" in data.source_of(part.file)
