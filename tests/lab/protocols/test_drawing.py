"""Figures of protocols: all spikes are there, and what is too small to see is shown below."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.collections import LineCollection

from eccles.lab.protocols import PROTOCOLS, low_frequency, pairing, recorded, theta_burst, trains
from eccles.units import Hz, ms, second


@pytest.fixture(autouse=True)
def _closed():
    yield
    pyplot.close("all")


def ticks(ax) -> tuple[np.ndarray, np.ndarray]:
    """When spikes are drawn up, and when down."""
    up, down = (c for c in ax.collections if isinstance(c, LineCollection))
    upwards = np.array([s[:, 0][0] for s in up.get_segments() if s[:, 1].max() == 1])
    downwards = np.array([s[:, 0][0] for s in down.get_segments() if s[:, 1].min() == -1])
    return upwards, downwards


def rows(ax) -> list:
    return list(ax.child_axes) or [ax]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_first_row_has_all_spikes_pre_up_and_post_down(name: str) -> None:
    protocol = PROTOCOLS[name]()
    first = rows(protocol.draw())[0]
    up, down = ticks(first)
    np.testing.assert_array_equal(up, np.asarray(protocol.pre))
    np.testing.assert_array_equal(down, np.asarray(protocol.post))
    start, end = first.get_xlim()
    assert start < 0
    assert end > float(protocol.duration)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_in_the_last_row_spikes_can_be_told_apart(name: str) -> None:
    last = rows(PROTOCOLS[name]().draw())[-1]
    times = np.union1d(*ticks(last))
    start, end = last.get_xlim()
    assert len(times) > 1
    assert np.diff(times).min() > 0.01 * (end - start)


def test_rows_below_show_a_train_then_a_burst() -> None:
    lengths = [len(ticks(row)[0]) for row in rows(theta_burst().draw())]
    assert lengths == [120, 40, 4]


def test_a_long_regular_train_has_a_row_with_its_first_spikes() -> None:
    assert [len(ticks(row)[0]) for row in rows(low_frequency().draw())] == [900, 8]


def test_a_protocol_is_drawn_where_it_should_be() -> None:
    _, ax = pyplot.subplots()
    assert pairing(-10 * ms).draw(ax) is ax
    assert ax.get_title() == "pairing"
    assert pyplot.get_fignums() == [1]


def test_random_and_empty_protocols_can_be_drawn() -> None:
    none = trains.poisson(0 * Hz, 1 * second, 1)
    for pre, post in (
        (trains.poisson(30 * Hz, 20 * second, 1), trains.poisson(5 * Hz, 20 * second, 2)),
        (none, none),
        (none, trains.regular(1 * Hz, 1 * second, 0.5)),
    ):
        recorded(pre, post).draw().figure.canvas.draw()
