"""Events of the last steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eccles as e
from eccles.engine.clock import Clock
from eccles.engine.events import EventBuffer, power_of_two
from eccles.units import ms

SIZE = 6


@given(n=st.integers(1, 2**40))
def test_power_of_two(n: int) -> None:
    p = power_of_two(n)
    assert n <= p < 2 * n or (n == 1 and p == 1)
    assert p & (p - 1) == 0


def buffer_with(chunks: list[list[int]], delay: int) -> EventBuffer:
    """A buffer after `len(chunks)` steps with these events."""
    clock = Clock(1 * ms)
    buffer = EventBuffer("b", SIZE, clock)
    clock.timestep = len(chunks)
    counts = np.array([len(c) for c in chunks], np.int64)
    buffer.keep(delay)
    buffer.put_back(clock.timestep, counts[-max(1, delay) :], np.concatenate(chunks[-max(1, delay) :]))
    return buffer


events = st.lists(
    st.lists(st.integers(0, SIZE - 1), max_size=SIZE, unique=True).map(sorted), min_size=1, max_size=9
)
events = events.map(lambda chunks: [np.array(c, np.int32) for c in chunks])


@given(chunks=events, delay=st.integers(0, 12))
def test_what_is_put_back_is_what_was_kept(chunks: list[np.ndarray], delay: int) -> None:
    buffer = buffer_with(chunks, delay)
    counts, ids = buffer.recent()
    kept = chunks[-max(1, delay) :]
    assert counts.tolist() == [len(c) for c in kept]
    assert ids.tolist() == np.concatenate(kept).tolist()
    other = EventBuffer("other", SIZE, buffer.clock)
    other.put_back(buffer.clock.timestep, counts, ids)
    assert [x.tolist() for x in other.recent()] == [counts.tolist(), ids.tolist()]


@given(chunks=events, delay=st.integers(0, 6), longer=st.integers(0, 12))
def test_keeping_more_steps_and_growing_lose_nothing(
    chunks: list[np.ndarray], delay: int, longer: int
) -> None:
    buffer = buffer_with(chunks, delay)
    before = buffer.recent()[1].tolist()
    buffer.keep(longer)
    buffer._grow()
    after = buffer.recent()[1].tolist()
    assert after[len(after) - len(before) :] == before


@pytest.mark.parametrize("delay", [0, 1, 3, 17])
def test_events_arrive_after_their_delay_though_the_ring_is_small(delay: int) -> None:
    source = e.NeuronGroup(SIZE, "phase : 1", threshold="t_in_timesteps % (i + 1) == 0")
    target = e.NeuronGroup(SIZE, "n : 1")
    synapses = e.Synapses(source, target, on_pre="n_post += 1", delay=delay * 0.1 * ms)
    synapses.connect(j="i")
    steps = 400
    e.Network(source, target, synapses).run(steps * 0.1 * ms)
    expected = [len(range(0, steps - delay, k + 1)) for k in range(SIZE)]
    assert np.asarray(target.n).tolist() == expected
