"""The queue of spikes whose delays differ, as a data structure; its native code is tested with pathways."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eccles.engine.clock import Clock
from eccles.engine.delays import DelayQueue, Waiting
from eccles.units import ms


def queue() -> DelayQueue:
    return DelayQueue("q", Clock(0.1 * ms))


def arranged(
    source: list[int], delays: list[int], n_sources: int, waiting: Waiting | None = None
) -> DelayQueue:
    q = queue()
    q.arrange(np.array(source), np.array(delays, np.int64), n_sources, waiting or Waiting.none())
    return q


connections = st.integers(1, 5).flatmap(
    lambda n: st.tuples(
        st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, 40)), max_size=30)
    )
)


@given(connections)
def test_runs_hold_the_synapses_of_one_source_and_delay(case: tuple[int, list[tuple[int, int]]]) -> None:
    n_sources, synapses = case
    source, delays = [s for s, _ in synapses], [d for _, d in synapses]
    q = arranged(source, delays, n_sources)
    seen: list[int] = []
    assert len(q.first_run) == n_sources + 1
    for i in range(n_sources):
        runs = range(q.first_run.data[i], q.first_run.data[i + 1])
        assert [int(q.run_delay.data[r]) for r in runs] == sorted({d for s, d in synapses if s == i})
        for r in runs:
            inside = q.order.data[q.run_begin.data[r] : q.run_begin.data[r + 1]].tolist()
            assert inside == [k for k, (s, d) in enumerate(synapses) if (s, d) == (i, q.run_delay.data[r])]
            seen += inside
    assert sorted(seen) == list(range(len(synapses)))
    assert q.in_flight == 0
    assert len(q.head) > max(delays, default=0)


@st.composite
def spikes_on_their_way(draw: st.DrawFn) -> Waiting:
    parts = draw(
        st.lists(st.tuples(st.integers(0, 60), st.lists(st.integers(0, 9), max_size=4)), max_size=10)
    )
    parts.sort(key=lambda part: part[0])
    return Waiting(
        np.array([ahead for ahead, _ in parts], np.int64),
        np.array([len(synapses) for _, synapses in parts], np.int64),
        np.array([s for _, synapses in parts for s in synapses], np.int32),
    )


@given(spikes_on_their_way(), st.integers(0, 200))
def test_what_is_on_its_way_survives_a_new_arrangement(waiting: Waiting, step: int) -> None:
    q = queue()
    q.clock.timestep = step
    for n_synapses in (10, 13):
        q.arrange(np.arange(n_synapses) % 3, np.arange(n_synapses) % 7, 3, waiting)
        assert q.in_flight == len(waiting.ahead)
        found = q.waiting()
        for part, expected in zip(found, waiting, strict=True):
            np.testing.assert_array_equal(part, expected)
        waiting = found


def test_nodes_come_from_a_pool_that_grows() -> None:
    q = arranged([0, 0, 1], [1, 2, 3], 2)
    free = int(q.free.data[1])
    q._grow_to(2 * len(q.node_run))
    assert q.free.data[1] == free + len(q.node_run) // 2
    node, chain = int(q.free.data[0]), []
    while node != -1:
        chain.append(node)
        node = int(q.node_next.data[node])
    assert sorted(chain) == list(range(len(q.node_run)))


def test_no_synapses_at_all() -> None:
    q = arranged([], [], 3)
    assert q.first_run.data.tolist() == [0, 0, 0, 0]
    assert q.waiting().ahead.tolist() == []
