"""Pairs of beating spike trains: rates, beats, weights, phases, what the grid does, and the files."""

from __future__ import annotations

import csv
import math
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eccles.errors import DimensionMismatchError, SetupError
from eccles.lab.beats import Beats, beats, obtained_rate
from eccles.lab.beats_files import FORMAT_VERSION, save_dataset, save_table
from eccles.lab.beats_grid import grid_effect, lost_beats, time_text
from eccles.lab.rules import Rule, homeostasis
from eccles.units import Hz, Quantity, kHz, ms, mV, second

THREAD = [(200, 250), (200, 220), (200, 210)]
CARRIERS = [(200, 250), (200, 210), (250, 255), (400, 404), (400, 410), (440, 444), (250, 248), (300, 307.83)]


@pytest.fixture(scope="module")
def reply() -> Beats:
    return beats(200 * Hz, [250, 220, 210] * Hz, duration=2 * second, random_phases=40, with_grid=True)


@pytest.fixture(scope="module")
def on_grid() -> Beats:
    return beats(200 * Hz, [250, 220, 210] * Hz, duration=2 * second, spike_times="grid")


def train(rate: float, duration: float = 2, phase: float = 0) -> np.ndarray:
    """Times at which x, growing from the phase with the rate, passes a whole number."""
    last = math.floor(Fraction(duration) * Fraction(rate) + Fraction(phase))
    return np.array([float((n - Fraction(phase)) / Fraction(rate)) for n in range(1, last + 1)])


def window(before: np.ndarray, after: np.ndarray, first: str = "pre") -> float:
    """The final weight by the sum over all pairs of spikes, clipped event by event.

    Spikes that coincide have to be the same number.
    """
    second_side = "post" if first == "pre" else "pre"
    events = [
        (t, side == second_side, side)
        for side, t in (*(("pre", t) for t in before), *(("post", t) for t in after))
    ]
    w = 0.5
    for t, is_second, side in sorted(events):
        others = after if side == "pre" else before
        others = others[others <= t] if is_second else others[others < t]
        a = -0.021 if side == "pre" else 0.02
        w = min(max(w + a * np.sum(np.exp(-(t - others) / 0.02)), 0.0), 1.0)
    return w


@pytest.mark.parametrize(
    ("first", "rounded"), [("pre", [0.549, 0.099, 0.128]), ("post", [0.041, 0.058, 0.087])]
)
def test_weights_are_the_sum_over_all_pairs_of_exact_spikes(
    reply: Beats, first: str, rounded: list[float]
) -> None:
    expected = [window(train(f), train(g), first) for f, g in THREAD]
    np.testing.assert_allclose(expected, rounded, atol=5e-4)
    weights = reply.final_weights if first == "pre" else reply.other_final_weights
    np.testing.assert_allclose(weights, expected, rtol=0, atol=1e-12)


def test_the_order_of_coincident_spikes_can_be_chosen(reply: Beats) -> None:
    late = beats(200 * Hz, [250, 220, 210] * Hz, duration=2 * second, coincidence="post_first")
    np.testing.assert_array_equal(late.final_weights, reply.other_final_weights)
    np.testing.assert_array_equal(late.other_final_weights, reply.final_weights)
    for result in (reply, late):
        np.testing.assert_array_equal(result.final_weights_if("pre_first"), reply.final_weights)
        np.testing.assert_array_equal(result.final_weights_if("post_first"), late.final_weights)
        np.testing.assert_array_equal(result.weights[:, -1], result.final_weights)


def test_coincident_spikes_are_counted(reply: Beats) -> None:
    # both neurons spike at the multiples of 1/50, 1/20 and 1/10 s, the end of the run included
    np.testing.assert_array_equal(reply.coincidences, [100, 40, 20])
    apart = beats([200, 0.1, 0.1] * Hz, [250, 9, 0.1] * Hz, duration=2 * second, post_phase=0.3)
    np.testing.assert_array_equal(apart.coincidences, [0, 0, 0])


@pytest.mark.parametrize("dt", [0.01, 0.1, 1])
def test_rates_and_beats_are_those_asked_for_at_any_time_step(dt: float) -> None:
    pre, post = np.array(CARRIERS).T
    result = beats(pre * Hz, post * Hz, duration=2 * second, dt=dt * ms)
    np.testing.assert_allclose(np.asarray(result.pre_rate_obtained), pre, rtol=1e-12)
    np.testing.assert_allclose(np.asarray(result.post_rate_obtained), post, rtol=1e-12)
    exact = [float(abs(Fraction(f) - Fraction(g))) for f, g in CARRIERS]
    # where weights are sampled x is added up step by step: short ones make rates wrong by 1e-14, of which
    # beats show the difference and weights the sum over all spikes
    rtol, atol = (1e-12, 1e-12) if dt >= 0.1 else (1e-11, 1e-10)
    np.testing.assert_allclose(np.asarray(result.beat_obtained), exact, rtol=rtol)
    assert lost_beats(result) == ()
    expected = [window(train(f), train(g)) for f, g in CARRIERS]
    np.testing.assert_allclose(result.final_weights, expected, rtol=0, atol=atol)


def test_phases_at_the_start_move_the_spikes() -> None:
    pre_phase, post_phase = 0.75, [0.0, 0.125, 0.5]
    result = beats(
        200 * Hz, [250, 220, 210] * Hz, duration=1 * second, pre_phase=pre_phase, post_phase=post_phase
    )
    for k, (f, g) in enumerate(THREAD):
        pre, post = train(f, 1, pre_phase), train(g, 1, post_phase[k])
        np.testing.assert_allclose(np.asarray(result.pre_spikes[k]), pre, rtol=1e-13)
        np.testing.assert_allclose(np.asarray(result.post_spikes[k]), post, rtol=1e-13)
        assert result.final_weights[k] == pytest.approx(window(pre, post), abs=1e-12)


def test_random_phases_give_the_weights_of_those_phases(reply: Beats) -> None:
    assert reply.random_phases.shape == (40, 2)
    assert reply.random_weights.shape == (3, 40)
    for k, (f, g) in enumerate(THREAD):
        for j in (0, 17, 39):
            pre, post = (train(rate, 2, x) for rate, x in zip((f, g), reply.random_phases[j], strict=True))
            assert reply.random_weights[k, j] == pytest.approx(window(pre, post), abs=1e-12)
    ranked = np.sort(reply.random_weights, axis=1)
    np.testing.assert_allclose(
        reply.spread([0, 0.5, 1]), [ranked[:, 0], ranked[:, 19:21].mean(1), ranked[:, -1]]
    )


def test_random_phases_are_uniform_and_the_same_each_time(reply: Beats) -> None:
    few = beats(100 * Hz, 200 * Hz, duration=1 * ms, random_phases=5)
    np.testing.assert_array_equal(few.random_phases, reply.random_phases[:5])
    many = beats(100 * Hz, 200 * Hz, duration=1 * ms, random_phases=4000, seed=2).random_phases
    assert not np.array_equal(many[:5], few.random_phases)
    for column in (many[:, 0], many[:, 1], many.sum(1) % 1):  # each side, and one against the other
        counts = np.histogram(column, bins=10, range=(0, 1))[0]
        assert np.all(abs(counts - 400) < 5 * math.sqrt(400))


def test_without_random_phases_there_is_no_spread(on_grid: Beats) -> None:
    assert on_grid.random_weights.shape == (3, 0)
    assert np.isnan(on_grid.spread()).all()


def test_the_grid_beside_is_the_grid_alone(reply: Beats, on_grid: Beats) -> None:
    assert reply.grid is not None
    assert on_grid.grid is None
    for name in ("final_weights", "other_final_weights", "pre_rate_obtained", "post_rate_obtained"):
        beside, alone = (np.asarray(getattr(result, name)) for result in (reply.grid, on_grid))
        np.testing.assert_allclose(beside, alone, rtol=1e-14, atol=1e-14)


def test_final_weights_on_the_grid_are_those_of_brian_2(on_grid: Beats) -> None:
    # tests/cli/data/beats_brian2.npz has the same numbers
    np.testing.assert_allclose(on_grid.final_weights, [0.54908958, 0, 0], atol=5e-9)


def test_exact_times_say_how_exact(reply: Beats) -> None:
    said = re.fullmatch(
        r"Spikes come at exact times: rates are those asked for, at any time step "
        r"\(here rates to (\S+) and beats to (\S+)\)\.",
        grid_effect(reply),
    )
    assert said is not None
    assert float(said[1]) < 1e-14
    assert float(said[2]) < 1e-12


def test_rates_are_measured_from_whole_intervals(on_grid: Beats) -> None:
    np.testing.assert_allclose(np.asarray(on_grid.post_rate_obtained), [250, 1e4 / 46, 1e4 / 48], rtol=1e-12)
    np.testing.assert_allclose(np.asarray(on_grid.beat), [50, 20, 10])
    np.testing.assert_allclose(
        np.asarray(on_grid.beat_obtained), [50, 1e4 / 46 - 200, 1e4 / 48 - 200], rtol=1e-11
    )
    assert obtained_rate(Quantity([0.1, 0.2, 0.3], dim=second.dim)) == pytest.approx(10)


def test_rate_of_fewer_than_two_spikes_is_not_a_number() -> None:
    assert math.isnan(obtained_rate(Quantity([0.5], dim=second.dim)))
    result = beats(0.5 * Hz, 100 * Hz, duration=1 * second)
    assert "Fewer than two spikes within 1 s, so no rate to measure: 0.5 Hz." in grid_effect(result)
    assert lost_beats(result) == ()


def test_the_grid_is_explained_rate_by_rate(on_grid: Beats) -> None:
    assert grid_effect(on_grid) == (
        "A spike can only come at a multiple of the time step of 0.1 ms, and each period begins anew there: "
        "220 Hz becomes 217.4 Hz (a period of 4.545 ms is 45.45 steps, so every interval takes 46) and "
        "210 Hz becomes 208.3 Hz (a period of 4.762 ms is 47.62 steps, so every interval takes 48). "
        "Unchanged, because their periods are whole steps: 200 Hz and 250 Hz."
    )


def test_a_lost_beat_is_named_with_a_time_step_that_keeps_it() -> None:
    result = beats([200, 400] * Hz, [250, 410] * Hz, duration=0.2 * second, spike_times="grid")
    assert lost_beats(result) == (1,)
    warning = grid_effect(result).splitlines()[1]
    assert warning.startswith("BEAT LOST in pair 2: 400 Hz and 410 Hz should beat at 10 Hz, but")
    assert warning.endswith("Use a time step of 10 us.")
    finer = beats(400 * Hz, 410 * Hz, duration=0.2 * second, dt=0.01 * ms, spike_times="grid")
    assert lost_beats(finer) == ()
    assert float(finer.beat_obtained[0]) == pytest.approx(10, rel=0.1)


def test_equal_rates_lose_no_beat() -> None:
    result = beats(200 * Hz, 200 * Hz, duration=0.1 * second, spike_times="grid")
    assert lost_beats(result) == ()
    assert grid_effect(result) == (
        "All periods are whole multiples of the time step of 0.1 ms: no rate is changed."
    )


@settings(max_examples=20)
@given(steps=st.integers(2, 400))
def test_a_period_of_whole_steps_is_kept_whatever_the_rounding_of_sums(steps: int) -> None:
    rate = 1e4 / steps
    duration = Quantity(3.5e-4 * steps, dim=second.dim)
    result = beats(rate * Hz, rate * Hz, duration=duration, spike_times="grid")
    for train in (*result.pre_spikes, *result.post_spikes):
        assert {round(float(b - a) * 1e4) for a, b in pairwise(train)} == {steps}


def test_one_rate_serves_all_pairs_on_either_side() -> None:
    result = beats([100, 200] * Hz, 0.25 * kHz, duration=50 * ms)
    np.testing.assert_array_equal(np.asarray(result.pre_rate), [100, 200])
    np.testing.assert_array_equal(np.asarray(result.post_rate), [250, 250])
    assert len(result) == 2


def test_long_runs_sample_weights_more_coarsely() -> None:
    result = beats(1 * Hz, 2 * Hz, duration=11 * second)
    assert result.weights.shape[1] == len(result.times) == 36_667
    assert float(result.times[1]) == pytest.approx(3e-4)
    assert float(result.duration) == 11


@pytest.mark.parametrize(
    ("pre", "post", "said"),
    [
        (-1 * Hz, 200 * Hz, "a pre rate has to be a positive number of hertz, not -1 Hz"),
        (200 * Hz, [200, 0] * Hz, "a post rate has to be a positive number of hertz, not 0 Hz"),
        (200 * Hz, math.nan * Hz, "a post rate has to be a positive number of hertz, not nan Hz"),
        (200 * Hz, 1.1e6 * Hz, "a post rate of 1.1e\\+06 Hz is too high"),
        ([1, 2] * Hz, [1, 2, 3] * Hz, "there are 2 pre rates and 3 post rates"),
        ([] * Hz, 1 * Hz, "the pre rates have to be one rate or a list of rates"),
    ],
)
def test_rates_that_make_no_sense_are_refused(pre: Quantity, post: Quantity, said: str) -> None:
    with pytest.raises(SetupError, match=said):
        beats(pre, post, duration=1 * second)


def test_rates_that_the_grid_cannot_follow_are_refused_on_the_grid_alone() -> None:
    with pytest.raises(SetupError, match=r"a pre rate of 5001 Hz is too high for a time step of 0\.1 ms"):
        beats(5001 * Hz, 200 * Hz, duration=1 * second, spike_times="grid")
    result = beats(5001 * Hz, 12_345 * Hz, duration=10 * ms, with_grid=True)
    np.testing.assert_allclose(np.asarray(result.post_spikes[0]), train(12_345, 0.01), rtol=1e-13)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"spike_times": "exact"}, "spike_times has to be 'precise' or 'grid', not 'exact'"),
        ({"coincidence": "both"}, "coincidence has to be 'pre_first' or 'post_first', not 'both'"),
        ({"pre_phase": 1.0}, "a pre phase has to be at least 0 and below 1, not 1"),
        ({"post_phase": [0, math.nan]}, "a post phase has to be at least 0 and below 1, not nan"),
        ({"post_phase": [0, 0, 0]}, "there are 3 post phases for 2 pairs"),
        ({"random_phases": -1}, "random_phases and seed cannot be negative"),
    ],
)
def test_options_that_make_no_sense_are_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(SetupError, match=re.escape(said)):
        beats(200 * Hz, [210, 220] * Hz, duration=1 * second, **changed)


def test_rates_need_the_unit_of_a_rate() -> None:
    with pytest.raises(DimensionMismatchError, match=r"pre rates have to be frequencies"):
        beats(200, 200 * Hz, duration=1 * second)
    with pytest.raises(DimensionMismatchError, match=r"post rates have to be frequencies"):
        beats(200 * Hz, 200 * mV, duration=1 * second)


@pytest.mark.parametrize("duration", [0 * second, -1 * second, math.inf * second, 0.05 * ms])
def test_durations_that_make_no_sense_are_refused(duration: Quantity) -> None:
    with pytest.raises(SetupError, match="the duration"):
        beats(200 * Hz, 250 * Hz, duration=duration)


def test_dataset_has_labels_units_and_everything_that_was_measured(reply: Beats, tmp_path: Path) -> None:
    xr = pytest.importorskip("xarray")
    save_dataset(reply, tmp_path / "beats.nc")
    with xr.open_dataset(tmp_path / "beats.nc", engine="h5netcdf") as data:
        assert dict(data.sizes) == {"pair": 3, "time": 20_001, "event": 2560, "phase": 40}
        assert data.weight.dims == ("pair", "time")
        assert data.time.attrs["units"] == data.spike_time.attrs["units"] == "s"
        assert data.post_rate_asked.attrs["units"] == "Hz"
        assert data.attrs["format"] == "eccles-beats"
        assert data.attrs["format_version"] == FORMAT_VERSION
        assert (data.attrs["spike_times"], data.attrs["coincidence"]) == ("precise", "pre_first")
        assert "dx/dt = rate : 1" in data.attrs["model"]
        assert {"eccles_version", "numpy_version", "llvmlite_version"} <= set(data.attrs)
        np.testing.assert_array_equal(data.weight, reply.weights)
        np.testing.assert_array_equal(data.final_weight, data.final_weight_pre_first)
        np.testing.assert_array_equal(data.final_weight_post_first, reply.other_final_weights)
        assert data.random_weight.dims == ("pair", "phase")
        np.testing.assert_array_equal(data.random_weight, reply.random_weights)
        np.testing.assert_array_equal(data.random_post_phase, reply.random_phases[:, 1])
        assert reply.grid is not None
        np.testing.assert_array_equal(data.grid_weight, reply.grid.weights)
        np.testing.assert_allclose(data.grid_beat_obtained, [50, 1e4 / 46 - 200, 1e4 / 48 - 200], rtol=1e-11)
        second_post = data.spike_time[(data.spike_pair == 2) & (data.spike_side == 1)]
        np.testing.assert_array_equal(second_post, np.asarray(reply.post_spikes[1]))
        assert np.all(np.diff(data.spike_time) >= 0)


def test_table_has_a_row_for_each_pair_and_units_in_its_heading(
    reply: Beats, on_grid: Beats, tmp_path: Path
) -> None:
    save_table(reply, tmp_path / "beats.csv")
    with (tmp_path / "beats.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["pair"] for row in rows] == ["1", "2", "3"]
    assert [float(row["post_asked_Hz"]) for row in rows] == [250, 220, 210]
    assert [float(row["final_weight"]) for row in rows] == reply.final_weights.tolist()
    assert [float(row["final_weight_post_first"]) for row in rows] == reply.other_final_weights.tolist()
    assert [float(row["random_phases_median"]) for row in rows] == reply.spread()[1].tolist()
    assert {(row["spike_times"], row["coincidence"]) for row in rows} == {("precise", "pre_first")}
    assert [round(float(row["grid_post_obtained_Hz"]), 1) for row in rows] == [250, 217.4, 208.3]
    assert not any("phases" in name or "grid" in name for name in on_grid.table())


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.0, "2 s"), (0.5, "0.5 s"), (1e-4, "0.1 ms"), (0.025, "25 ms"), (1e-5, "10 us")]
)
def test_times_are_written_as_people_do(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_weights_of_a_dataset_have_the_unit_that_the_rule_gives_them() -> None:
    rule = Rule("of a conductance", "g : siemens", on_pre="g += 1*nS", weight="g")
    data = beats(100 * Hz, 50 * Hz, duration=95 * ms, rule=rule, random_phases=2, with_grid=True).to_xarray()
    weights = [str(name) for name in data if "weight" in str(name)]
    assert len(weights) == 7
    assert {data[name].attrs["units"] for name in weights} == {"S"}
    assert data["final_weight"].values == pytest.approx([9e-9], rel=1e-12)
    assert data["coincidences"].attrs["units"] == "1"


def test_weights_that_drift_between_spikes_are_those_of_the_end() -> None:
    rule = homeostasis(rate_target=200 * Hz, tau_w=1 * second)
    result = beats(100 * Hz, 100 * Hz, duration=95 * ms, rule=rule)
    long, late = result.weights[0, -1], result.weights[0, -40]  # 4 ms before, after the last spike
    assert long == result.final_weights[0]
    assert long > late
