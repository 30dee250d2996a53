"""Spikes on their way at exact times: the lists as a data structure, and arrival at the borders of steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eccles as e
from eccles.engine.flight import FIRST_NODES, NONE, Flight, InFlight
from eccles.units import ms, second

DT = 1e-4
PS = 1e-12


def arranged(
    source: list[int], delays: list[float], n_sources: int, waiting: InFlight | None = None
) -> Flight:
    flight = Flight("f")
    flight.stand_at(0)
    flight.arrange(
        0, np.array(source, int), np.array(delays, float), DT, n_sources, waiting or InFlight.none()
    )
    return flight


def chain(flight: Flight, node: int) -> list[int]:
    nodes = []
    while node != NONE:
        nodes.append(node)
        node = int(flight._next.data[node])
    return nodes


def check_nodes(flight: Flight) -> None:
    """Each node waits in one list or is free."""
    free = chain(flight, int(flight._free.data[0]))
    waiting = [node for head in flight._head.data.tolist() for node in chain(flight, head)]
    assert len(free) == flight._free.data[1]
    assert sorted(free + waiting) == list(range(len(flight._run)))
    assert flight.in_flight == len(waiting)


# in seconds; also at the borders of steps and just beside them
delays = st.one_of(
    st.integers(0, 30).map(lambda k: k * DT),
    st.tuples(st.integers(1, 30), st.integers(-4, 4)).map(lambda at: at[0] * DT + at[1] * 0.4 * PS),
    st.floats(0, 30 * DT),
)
connections = st.integers(1, 5).flatmap(
    lambda n: st.tuples(st.just(n), st.lists(st.tuples(st.integers(0, n - 1), delays), max_size=30))
)


@given(connections)
def test_runs_hold_the_synapses_of_one_source_and_delay(case: tuple[int, list[tuple[int, float]]]) -> None:
    n_sources, synapses = case
    flight = arranged([s for s, _ in synapses], [d for _, d in synapses], n_sources)
    seen: list[int] = []
    assert len(flight.first_run) == n_sources + 1
    for i in range(n_sources):
        runs = range(flight.first_run.data[i], flight.first_run.data[i + 1])
        of_runs = [float(flight.run_steps.data[r] * DT + flight.run_rest.data[r]) for r in runs]
        np.testing.assert_allclose(
            of_runs, sorted({d for s, d in synapses if s == i}), rtol=1e-15, atol=1e-20
        )
        for r, delay in zip(runs, sorted({d for s, d in synapses if s == i}), strict=True):
            inside = flight.order.data[flight.run_begin.data[r] : flight.run_begin.data[r + 1]].tolist()
            assert inside == [k for k, pair in enumerate(synapses) if pair == (i, delay)]
            seen += inside
    assert sorted(seen) == list(range(len(synapses)))
    assert flight.in_flight == 0
    assert len(flight._head) * DT > max((d for _, d in synapses), default=0) + DT
    check_nodes(flight)


@st.composite
def spikes_on_their_way(draw: st.DrawFn) -> InFlight:
    parts = draw(
        st.lists(
            st.tuples(delays.filter(lambda d: d > PS), st.lists(st.integers(0, 9), max_size=4)), max_size=10
        )
    )
    parts.sort(key=lambda part: part[0])
    return InFlight(
        np.array([ahead for ahead, _ in parts], float),
        np.zeros(len(parts)),
        np.arange(len(parts)) * 7 % 11,
        np.array([len(synapses) for _, synapses in parts], np.int64),
        np.array([s for _, synapses in parts for s in synapses], np.int32),
    )


def spikes_of(waiting: InFlight) -> list[tuple[float, int, list[int]]]:
    ends = np.cumsum(waiting.counts)
    synapses = [waiting.synapses[end - n : end].tolist() for end, n in zip(ends, waiting.counts, strict=True)]
    return sorted(zip(np.round(waiting.ahead, 15).tolist(), waiting.ordinals.tolist(), synapses, strict=True))


@given(waiting=spikes_on_their_way(), step=st.integers(0, 200), dt=st.sampled_from([0.5, 2, 0.3, 7]))
def test_what_is_on_its_way_survives_new_arrangements_and_another_dt(
    waiting: InFlight, step: int, dt: float
) -> None:
    flight = Flight("f")
    none = np.zeros(0, int)
    found = waiting
    for n_synapses in (10, 13):
        flight.stand_at(step)
        flight.arrange(step, np.arange(n_synapses) % 3, np.arange(n_synapses) % 7 * 0.3 * DT, DT, 3, found)
        check_nodes(flight)
        found = flight.waiting(step, none, None, 0)
        assert np.all(np.diff(found.ahead) >= 0)
        assert spikes_of(found) == spikes_of(waiting)
    # a time step can change where a new step begins
    k, other = 14 * step, round(14 * step / dt)
    flight = Flight("f")
    flight.arrange(k, none, np.zeros(0), DT, 3, waiting)
    if abs(other * dt - k) < 1e-9:
        flight.change_dt(other, dt * DT)
        check_nodes(flight)
        assert spikes_of(flight.waiting(other, none, None, 0)) == spikes_of(waiting)


@given(waiting=spikes_on_their_way(), step=st.integers(0, 70))
def test_a_list_holds_what_arrives_after_the_start_of_its_step_up_to_its_end(
    waiting: InFlight, step: int
) -> None:
    flight = Flight("f")
    flight.arrange(step, np.zeros(0, int), np.zeros(0), DT, 3, waiting)
    for slot in range(len(flight._head)):
        for node in chain(flight, int(flight._head.data[slot])):
            assert PS - 1e-17 <= flight._offset.data[node] <= DT + PS + 1e-17


def test_nodes_come_from_a_pool_that_grows() -> None:
    flight = arranged([0, 0, 1], [DT, 2 * DT, 3 * DT], 2)
    assert len(flight._run) == FIRST_NODES
    flight._grow()
    assert len(flight._run) > 2 * FIRST_NODES
    check_nodes(flight)


def test_a_longer_delay_for_all_keeps_what_is_on_its_way() -> None:
    source = e.SpikeGeneratorGroup(1, [0, 0], [0.11, 1.2] * ms)
    target = e.NeuronGroup(1, "x : 1\nn : 1")
    synapses = e.Synapses(source, target, on_pre="x_post += t/ms; n_post += 1", delay=0.95 * ms)
    synapses.connect()
    net = e.Network(source, target, synapses)
    net.run(1 * ms)
    synapses.delay = 40 * ms
    net.run(1 * ms)
    assert (target.n[0], target.x[0]) == (1, pytest.approx(1.06, rel=1e-12))
    net.run(40 * ms)
    assert (target.n[0], target.x[0]) == (2, pytest.approx(1.06 + 41.2, rel=1e-12))


def arrivals(times: Any, delays: Any, parts: Any, dt: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """How often the spike of each source arrives, and when, for runs of so many steps."""
    n = len(times)
    e.start_scope()
    e.defaultclock.go_to(0, dt * 1e-3)
    source = e.SpikeGeneratorGroup(n, np.arange(n), times * second)
    target = e.NeuronGroup(n, "at : second\nn : 1")
    synapses = e.Synapses(source, target, on_pre="at_post = t; n_post += 1")
    synapses.connect(j="i")
    synapses.delay = delays * second
    net = e.Network(source, target, synapses)
    for steps in parts:
        net.run(steps * dt * ms)
    return np.array(target.n[:]), np.array(target.at_[:])


beside = st.integers(-5, 5).map(lambda k: 0.5 * PS * k)  # a border of steps


@settings(max_examples=25)
@given(
    spikes=st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 100), beside, st.floats(0, 1)), min_size=1, max_size=20
    ),
    uniform=st.booleans(),
    cut=st.integers(0, 100),
)
def test_each_spike_arrives_once_and_on_time_also_beside_borders_of_steps(
    spikes: list[tuple[int, int, float, float]], uniform: bool, cut: int
) -> None:
    """A source spikes anywhere in a step; the delay lets its spike arrive just beside the start of one."""
    columns = (np.array(column) for column in zip(*spikes, strict=True))
    steps, later, beside, part = columns
    if uniform:
        delays = np.full(len(steps), (later[0] + part[0]) * DT)
        times = np.maximum((steps + later + 1) * DT + beside - delays, 0)
    else:
        times = (steps + part) * DT
        delays = np.maximum((steps + later) * DT + beside - times, 0)
    last = int(np.ceil((times + delays).max() / DT)) + 1
    n, at = arrivals(times, delays, [min(cut, last), last - min(cut, last)])
    np.testing.assert_array_equal(n, 1)
    # a delay that is no longer than an instant is none
    assert np.all(np.abs(at - (times + delays)) <= np.where(delays <= PS, PS, 1e-17))


@settings(max_examples=5)
@given(beside=beside.filter(lambda delay: 0 <= delay <= PS))
def test_a_delay_within_an_instant_is_none(beside: float) -> None:
    n, at = arrivals(np.array([2 * DT]), np.array([beside]), [5])
    assert (n[0], at[0]) == (1, pytest.approx(2 * DT, rel=0, abs=1e-17))


@pytest.mark.parametrize("dt", [0.1, 0.025, 1])
def test_arrivals_do_not_depend_on_the_time_step(dt: float) -> None:
    rng = np.random.default_rng(3)
    times, delays = rng.uniform(0, 10e-3, 300), rng.uniform(0, 20e-3, 300)
    n, at = arrivals(times, delays, [round(30 / dt)], dt)
    np.testing.assert_array_equal(n, 1)
    np.testing.assert_allclose(at, times + delays, rtol=0, atol=1e-17)


def test_many_more_spikes_than_there_were_nodes_for() -> None:
    n = 3 * FIRST_NODES
    rng = np.random.default_rng(5)
    times = np.sort(rng.uniform(0, 0.1e-3, n))
    found, at = arrivals(times, rng.permutation(n) * 1e-6 + 1e-3, [50])
    np.testing.assert_array_equal(found, 1)
    assert np.all((at > 1e-3) & (at < 1.1e-3 + n * 1e-6))
