"""Pairs of beating spike trains: rates, beats, weights, what the grid does, and the files."""

from __future__ import annotations

import csv
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eccles.errors import DimensionMismatchError, SetupError
from eccles.lab.beats import (
    FORMAT_VERSION,
    Beats,
    beats,
    grid_effect,
    lost_beats,
    obtained_rate,
    save_dataset,
    save_table,
    time_text,
)
from eccles.units import Hz, Quantity, kHz, ms, mV, second


@pytest.fixture(scope="module")
def reply() -> Beats:
    return beats(200 * Hz, [250, 220, 210] * Hz, duration=2 * second)


def window(before: np.ndarray, after: np.ndarray) -> float:
    """The final weight by the sum over all pairs of spikes, clipped event by event."""
    events = sorted([(t, 0) for t in before] + [(t, 1) for t in after])
    w = 0.5
    for t, side in events:
        others = after if side == 0 else before
        if side == 0:  # at one time, the presynaptic spike is handled first
            change = -0.021 * np.sum(np.exp(-(t - others[others < t]) / 0.02))
        else:
            change = 0.02 * np.sum(np.exp(-(t - others[others <= t]) / 0.02))
        w = min(max(w + change, 0.0), 1.0)
    return w


def test_weights_are_the_sum_over_all_pairs_of_spikes(reply: Beats) -> None:
    for k in range(3):
        expected = window(np.asarray(reply.pre_spikes[k]), np.asarray(reply.post_spikes[k]))
        assert reply.final_weights[k] == pytest.approx(expected, abs=1e-12)


def test_final_weights_of_the_threads_experiment_are_those_of_brian_2(reply: Beats) -> None:
    # tests/cli/data/beats_brian2.npz has the same numbers
    np.testing.assert_allclose(reply.final_weights, [0.54908958, 0, 0], atol=5e-9)


def test_rates_are_measured_from_whole_intervals(reply: Beats) -> None:
    np.testing.assert_allclose(np.asarray(reply.post_rate_obtained), [250, 1e4 / 46, 1e4 / 48], rtol=1e-12)
    np.testing.assert_allclose(np.asarray(reply.beat), [50, 20, 10])
    np.testing.assert_allclose(
        np.asarray(reply.beat_obtained), [50, 1e4 / 46 - 200, 1e4 / 48 - 200], rtol=1e-11
    )
    assert obtained_rate([0.1, 0.2, 0.3] * second) == pytest.approx(10)


def test_rate_of_fewer_than_two_spikes_is_not_a_number() -> None:
    assert math.isnan(obtained_rate([0.5] * second))
    result = beats(0.5 * Hz, 100 * Hz, duration=1 * second)
    assert "Fewer than two spikes within 1 s, so no rate to measure: 0.5 Hz." in grid_effect(result)
    assert lost_beats(result) == ()


def test_the_grid_is_explained_rate_by_rate(reply: Beats) -> None:
    assert grid_effect(reply) == (
        "A spike can only come at a multiple of the time step of 0.1 ms, and each period begins anew there: "
        "220 Hz becomes 217.4 Hz (a period of 4.545 ms is 45.45 steps, so every interval takes 46) and "
        "210 Hz becomes 208.3 Hz (a period of 4.762 ms is 47.62 steps, so every interval takes 48). "
        "Unchanged, because their periods are whole steps: 200 Hz and 250 Hz."
    )


def test_a_lost_beat_is_named_with_a_time_step_that_keeps_it() -> None:
    result = beats([200, 400] * Hz, [250, 410] * Hz, duration=0.2 * second)
    assert lost_beats(result) == (1,)
    warning = grid_effect(result).splitlines()[1]
    assert warning.startswith("BEAT LOST in pair 2: 400 Hz and 410 Hz should beat at 10 Hz, but")
    assert warning.endswith("Use a time step of 10 us.")
    finer = beats(400 * Hz, 410 * Hz, duration=0.2 * second, dt=0.01 * ms)
    assert lost_beats(finer) == ()
    assert float(finer.beat_obtained[0]) == pytest.approx(10, rel=0.1)


def test_equal_rates_lose_no_beat() -> None:
    result = beats(200 * Hz, 200 * Hz, duration=0.1 * second)
    assert lost_beats(result) == ()
    assert grid_effect(result) == (
        "All periods are whole multiples of the time step of 0.1 ms: no rate is changed."
    )


@settings(max_examples=20)
@given(steps=st.integers(2, 400))
def test_a_period_of_whole_steps_is_kept_whatever_the_rounding_of_sums(steps: int) -> None:
    rate = 1e4 / steps
    result = beats(rate * Hz, rate * Hz, duration=Quantity(3.5e-4 * steps, dim=second.dim))
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
        (200 * Hz, 5001 * Hz, "a post rate of 5001 Hz is too high for a time step of 0.1 ms"),
        ([1, 2] * Hz, [1, 2, 3] * Hz, "there are 2 pre rates and 3 post rates"),
        ([] * Hz, 1 * Hz, "the pre rates have to be one rate or a list of rates"),
    ],
)
def test_rates_that_make_no_sense_are_refused(pre: Quantity, post: Quantity, said: str) -> None:
    with pytest.raises(SetupError, match=said):
        beats(pre, post, duration=1 * second)


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
        assert dict(data.sizes) == {"pair": 3, "time": 20_000, "event": 2550}
        assert data.weight.dims == ("pair", "time")
        assert data.time.attrs["units"] == data.spike_time.attrs["units"] == "s"
        assert data.post_rate_asked.attrs["units"] == "Hz"
        assert data.attrs["format"] == "eccles-beats"
        assert data.attrs["format_version"] == FORMAT_VERSION
        assert "dx/dt = rate : 1" in data.attrs["model"]
        assert {"eccles_version", "numpy_version", "llvmlite_version"} <= set(data.attrs)
        np.testing.assert_array_equal(data.weight, reply.weights)
        second_post = data.spike_time[(data.spike_pair == 2) & (data.spike_side == 1)]
        np.testing.assert_array_equal(second_post, np.asarray(reply.post_spikes[1]))
        assert np.all(np.diff(data.spike_time) >= 0)


def test_table_has_a_row_for_each_pair_and_units_in_its_heading(reply: Beats, tmp_path: Path) -> None:
    save_table(reply, tmp_path / "beats.csv")
    with (tmp_path / "beats.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["pair"] for row in rows] == ["1", "2", "3"]
    assert [float(row["post_asked_Hz"]) for row in rows] == [250, 220, 210]
    assert [float(row["final_weight"]) for row in rows] == reply.final_weights.tolist()


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.0, "2 s"), (0.5, "0.5 s"), (1e-4, "0.1 ms"), (0.025, "25 ms"), (1e-5, "10 us")]
)
def test_times_are_written_as_people_do(seconds: float, text: str) -> None:
    assert time_text(seconds) == text
