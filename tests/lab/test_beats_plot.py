"""The figure of an experiment with beats."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.container import ErrorbarContainer

from eccles.lab.beats import Beats, beats
from eccles.lab.beats_plot import MOST_ROWS, figure_of, save_figure
from eccles.units import Hz, second


@pytest.fixture(scope="module")
def result() -> Beats:
    return beats(200 * Hz, [250, 220] * Hz, duration=0.3 * second, random_phases=20, with_grid=True)


def test_each_pair_has_its_spikes_left_and_its_weight_right(result: Beats) -> None:
    figure = figure_of(result)
    axes = np.array(figure.axes).reshape(2, 2)
    for pair, (left, right) in enumerate(axes):
        shown = left.get_xlim()[1]
        for lines, train in zip(left.collections, (result.pre_spikes, result.post_spikes), strict=True):
            drawn = np.sort([segment[0, 0] for segment in lines.get_segments()])
            expected = 1e3 * np.asarray(train[pair])
            np.testing.assert_allclose(drawn, expected[expected <= shown])
        x, y = right.lines[0].get_data()
        np.testing.assert_allclose(x, 1e3 * np.asarray(result.times))
        np.testing.assert_array_equal(y, result.weights[pair])


def test_the_weight_on_the_grid_and_the_spread_over_random_phases_stand_beside(result: Beats) -> None:
    figure = figure_of(result)
    assert result.grid is not None
    low, median, high = result.spread()
    for pair, right in enumerate(figure.axes[1::2]):
        np.testing.assert_array_equal(right.lines[1].get_ydata(), result.grid.weights[pair])
        (spread,) = right.containers
        assert isinstance(spread, ErrorbarContainer)
        point, _, (bar,) = spread.lines
        assert point.get_ydata() == [median[pair]]
        np.testing.assert_allclose(bar.get_segments()[0][:, 1], [low[pair], high[pair]])
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["exact times", "on the grid", "random phases (5, 50, 95 %)"]


def test_weights_of_both_orders_are_named_where_spikes_coincide(result: Beats) -> None:
    right = figure_of(result).axes[1]
    first, other = result.final_weights[0], result.other_final_weights[0]
    assert right.get_title(loc="right") == f"{first:.3f} at the end (pre first; post first: {other:.3f})"
    apart = beats(200 * Hz, 250 * Hz, duration=0.1 * second, post_phase=0.3)
    assert re.fullmatch(r"0\.\d{3} at the end", figure_of(apart).axes[1].get_title(loc="right"))
    assert not figure_of(apart).legends


def test_axes_have_names_and_units(result: Beats) -> None:
    left, right = figure_of(result).axes[-2:]
    assert left.get_xlabel() == "time (ms)"
    assert right.get_xlabel() == "time (ms)"
    assert right.get_ylabel() == "weight"
    assert [label.get_text() for label in left.get_yticklabels()] == ["pre", "post"]


def test_a_pair_that_the_grid_changed_says_so_above_its_spikes(result: Beats) -> None:
    first, _, second_, _ = figure_of(result).axes
    assert first.get_title(loc="left") == "200 and 250 Hz, beat 50 Hz"
    assert (
        second_.get_title(loc="left")
        == "200 and 220 Hz, beat 20 Hz (on the grid 200 and 217.4 Hz, beat 17.4 Hz)"
    )
    on_grid = beats(200 * Hz, 220 * Hz, duration=0.3 * second, spike_times="grid")
    assert "(obtained 200 and 217.4 Hz, beat 17.4 Hz)" in figure_of(on_grid).axes[0].get_title(loc="left")


def test_a_figure_of_many_pairs_shows_the_first_of_them() -> None:
    figure = figure_of(beats(200 * Hz, np.arange(100, 130) * Hz, duration=0.02 * second))
    assert len(figure.axes) == 2 * MOST_ROWS
    assert "the first 20 of 30 pairs" in figure.get_suptitle()


@pytest.mark.parametrize(("ending", "head"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_the_ending_of_the_file_says_the_format(
    result: Beats, tmp_path: Path, ending: str, head: bytes
) -> None:
    save_figure(result, tmp_path / f"beats{ending}")
    assert (tmp_path / f"beats{ending}").read_bytes().startswith(head)
