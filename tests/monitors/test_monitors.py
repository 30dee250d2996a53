"""Monitors: what they give back and what they refuse (values in detail: see the Brian 2 cases)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import eccles as e
from eccles.engine.state import Array
from eccles.objects import magic
from eccles.units import Hz, Quantity, ms, mV


@pytest.fixture
def group() -> Any:
    """Neurons on the grid that spike at every step in which t_in_timesteps + i is even, from step 2 on."""
    return e.NeuronGroup(
        4, "v : volt\nn : integer\nb : boolean\nx = i*v : volt\ns : 1 (shared)",
        threshold="t_in_timesteps > 1 and (t_in_timesteps + i) % 2 == 0",
        reset="v += 1*mV; n += 1; b = not b", spike_times="grid",
    )  # fmt: skip


def run(*objects: Any, duration: Quantity = 1 * ms) -> e.Network:
    net = e.Network(*objects)
    net.run(duration)
    return net


# -- events ---------------------------------------------------------------------------------------------


def test_spikes_times_counts_and_trains(group: Any) -> None:
    monitor = e.SpikeMonitor(group)
    run(group, monitor)
    steps = np.round(monitor.t_ / 1e-4).astype(int)
    assert list(zip(steps.tolist(), monitor.i.tolist(), strict=True)) == [
        (step, i) for step in range(2, 10) for i in range(4) if (step + i) % 2 == 0
    ]
    assert isinstance(monitor.t, Quantity)
    assert monitor.count.tolist() == [4] * 4
    assert monitor.num_spikes == monitor.num_events == monitor.N == 16
    trains = monitor.spike_trains()
    assert sorted(trains) == [0, 1, 2, 3]
    assert np.asarray(trains[1]) == pytest.approx([3e-4, 5e-4, 7e-4, 9e-4])
    assert [len(x) for x in monitor.it] == [16, 16]
    assert monitor.i.dtype.kind == "i"


def test_variables_are_recorded_before_the_reset_with_their_types(group: Any) -> None:
    monitor = e.SpikeMonitor(group, variables=["v", "n", "b", "x", "s"])
    run(group, monitor)
    of_two = monitor.i == 2
    assert np.asarray(monitor.v[of_two] / mV) == pytest.approx([0, 1, 2, 3])
    assert monitor.n[of_two].tolist() == [0, 1, 2, 3]
    assert monitor.n.dtype.kind == "i"
    assert monitor.b[of_two].tolist() == [False, True, False, True]
    assert monitor.b.dtype == bool
    assert monitor.v_[of_two] == pytest.approx([0, 1e-3, 2e-3, 3e-3])
    assert np.asarray(monitor.x[of_two] / mV) == pytest.approx([0, 2, 4, 6])
    assert monitor.values("v")[2][3] == 3 * mV
    assert sorted(monitor.all_values()) == ["b", "n", "s", "t", "v", "x"]


def test_a_counter_records_nothing_else(group: Any) -> None:
    monitor = e.SpikeMonitor(group, record=False)
    run(group, monitor)
    assert monitor.count.tolist() == [4] * 4
    assert monitor.num_spikes == 16
    for read in (lambda: monitor.t, lambda: monitor.i, lambda: monitor.spike_trains()):
        with pytest.raises(AttributeError, match="record=False"):
            read()


def test_a_monitor_of_a_part_counts_from_its_first_element(group: Any) -> None:
    monitor = e.SpikeMonitor(group[1:3])
    run(group, monitor)
    assert sorted(set(monitor.i.tolist())) == [0, 1]
    assert monitor.count.tolist() == [4, 4]


def test_rates_in_bins(group: Any) -> None:
    monitor = e.SpikeMonitor(group)
    run(group, monitor)
    centres, rates = monitor.binned_rate(0.5 * ms)
    assert np.asarray(centres) == pytest.approx([0.25e-3, 0.75e-3])
    # neuron 0 spikes in steps 2, 4 | 6, 8; neuron 1 in 3 | 5, 7, 9
    assert np.allclose(np.asarray(rates), [[4000, 4000], [2000, 6000]] * 2)
    for bins in (5, 0 * ms, -1 * ms, 1 * mV):
        with pytest.raises(e.EcclesError):
            monitor.binned_rate(bins)


def test_what_a_monitor_of_events_refuses(group: Any) -> None:
    for make in (
        lambda: e.SpikeMonitor(5),
        lambda: e.SpikeMonitor(group, variables="q"),
        lambda: e.SpikeMonitor(group, variables=5),
        lambda: e.SpikeMonitor(group, record=[0, 1]),  # pyright: ignore[reportArgumentType]
        lambda: e.SpikeMonitor(e.NeuronGroup(3, "v : 1")),
        lambda: e.EventMonitor(group, "nothing"),
        lambda: e.SpikeMonitor(group, when=3),  # pyright: ignore[reportArgumentType]
    ):
        with pytest.raises((TypeError, KeyError, e.EcclesError)):
            make()
    for monitor in (
        e.SpikeMonitor(group),
        e.StateMonitor(group, "v", record=0),
        e.PopulationRateMonitor(group),
    ):
        with pytest.raises(NotImplementedError):
            monitor.reinit()


@pytest.mark.parametrize("spike_times", ["precise", "grid"])
def test_events_are_recorded_without_end(spike_times: Any) -> None:
    group = e.NeuronGroup(
        300, "v : 1", threshold="v >= 0", refractory=0.1 * ms, spike_times=spike_times
    )  # fmt: skip
    e.silence("threshold_at_start")
    monitor = e.SpikeMonitor(group)
    run(group, monitor, duration=20 * ms)
    e.silence()
    n = 201 if spike_times == "precise" else 200  # the end of the run included
    assert monitor.num_spikes == 300 * n
    # in exact time, those of one moment in any order
    i = monitor.i if spike_times == "grid" else np.sort(monitor.i.reshape(n, 300)).ravel()
    assert np.array_equal(i, np.tile(np.arange(300), n))
    assert monitor.t_ == pytest.approx(np.repeat(np.arange(n) * 1e-4, 300), rel=1e-12)


def test_spikes_between_steps_have_their_exact_times_counts_and_values() -> None:
    """x = t*(1 + i) reaches 0.25 at n*0.25/(1 + i) ms, the end of the run included."""
    group = e.NeuronGroup(
        4, "dx/dt = (1 + i)/ms : 1\nn : integer\ns : 1 (shared)", threshold="x > 0.25",
        reset="x -= 0.25; n += 1",
    )  # fmt: skip
    monitor = e.SpikeMonitor(group, variables=["x", "n", "s"])
    part = e.SpikeMonitor(group[1:3])
    rate = e.PopulationRateMonitor(group)
    trace = e.StateMonitor(group, ["x", "n"], record=[3, 0])
    run(group, monitor, part, rate, trace)
    moments = ((round(n * 0.25e-3 / (1 + i), 12), i, n - 1) for i in range(4) for n in range(1, 4 * i + 5))
    expected = sorted(moments)
    t, i, n = (np.array(column) for column in zip(*expected, strict=True))
    np.testing.assert_allclose(monitor.t_, t, rtol=0, atol=1e-12)
    order = np.lexsort((monitor.i, np.round(monitor.t_, 12)))  # of neurons that spike at one moment
    np.testing.assert_array_equal(monitor.i[order], i)
    np.testing.assert_array_equal(monitor.n[order], n)
    np.testing.assert_allclose(monitor.x_, 0.25, rtol=1e-12)
    assert monitor.count.tolist() == [4, 8, 12, 16]
    assert part.count.tolist() == [8, 12]
    np.testing.assert_allclose(part.t_, monitor.t_[(monitor.i == 1) | (monitor.i == 2)])
    np.testing.assert_allclose(trace.t_, np.arange(11) * 1e-4)
    at = np.arange(11) * 0.1
    for row, slope in ((0, 4), (1, 1)):
        resets = np.floor(at * slope / 0.25 + 1e-9)
        np.testing.assert_array_equal(trace.n[row], resets)
        np.testing.assert_allclose(trace.x[row], at * slope - 0.25 * resets, atol=1e-12)
    # a spike counts for the step in whose course or at whose end it comes
    steps = np.maximum(np.ceil(t / 1e-4 - 1e-6), 1).astype(int) - 1
    assert rate.rate_ == pytest.approx(np.bincount(steps, minlength=10) / 4 / 1e-4)


# -- traces ---------------------------------------------------------------------------------------------


def test_traces_have_a_row_per_element_and_begin_with_the_initial_value(group: Any) -> None:
    group.v = "i*10*mV"
    monitor = e.StateMonitor(group, ["v", "n", "x", "b"], record=[3, 0])
    run(group, monitor)
    assert monitor.v.shape == (2, 10)
    assert monitor.v[0, 0] == 30 * mV
    assert monitor.t_ == pytest.approx(np.arange(10) * 1e-4)
    assert monitor[3].v[0] == 30 * mV
    assert monitor[[0, 3]].v.shape == (2, 10)
    assert monitor[0].x_.tolist() == [0.0] * 10
    assert monitor.n[1].tolist() == [0, 0, 0, 1, 1, 2, 2, 3, 3, 4]
    assert monitor.n.dtype.kind == "i"
    assert monitor.b.dtype == bool
    assert monitor.record.tolist() == [3, 0]
    assert monitor.n_indices == 2
    with pytest.raises(IndexError, match="does not record element 1"):
        monitor[1]
    with pytest.raises(AttributeError, match="records no 'vv'"):
        _ = monitor.vv


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (True, [0, 1, 2, 3]), (False, []), (2, [2]), (-1, [3]), ([1, 3], [1, 3]), (np.array([0]), [0]),
        (slice(1, 3), [1, 2]), (range(2), [0, 1]),
    ],
)  # fmt: skip
def test_which_elements_are_recorded(group: Any, record: Any, expected: list[int]) -> None:
    assert e.StateMonitor(group, "v", record=record).record.tolist() == expected


def test_all_variables_are_recorded_on_request(group: Any) -> None:
    monitor = e.StateMonitor(group, True, record=0)
    assert {"v", "n", "b", "x", "s"} <= set(monitor.record_variables)
    run(group, monitor)
    assert monitor.x.shape == (1, 10)


def test_a_trace_of_a_part_is_indexed_from_its_first_element(group: Any) -> None:
    group.v = "i*mV"
    part = group[2:]
    monitor, of_whole = e.StateMonitor(part, "v", record=[1]), e.StateMonitor(group, "v", record=part)
    run(group, monitor, of_whole)
    assert monitor.v[0, 0] == 3 * mV
    assert of_whole.record.tolist() == [2, 3]


def test_a_clock_of_its_own_and_another_slot(group: Any) -> None:
    rare = e.StateMonitor(group, "n", record=0, dt=0.25 * ms)
    late = e.StateMonitor(group, "n", record=0, when="end")
    run(group, rare, late)
    assert rare.t_ == pytest.approx([0, 0.25e-3, 0.5e-3, 0.75e-3])
    assert late.n[0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_a_long_run_in_pieces_records_without_end() -> None:
    group = e.NeuronGroup(2, "dv/dt = 1/ms : 1", method="euler")
    monitor = e.StateMonitor(group, "v", record=True)
    net = e.Network(group, monitor)
    for _ in range(30):
        net.run(7 * ms)
    assert monitor.v.shape == (2, 2101)  # the end of a run once, though it is the start of the next
    assert np.allclose(monitor.v[1], np.arange(2101) * 0.1)


def test_what_a_monitor_of_traces_refuses(group: Any) -> None:
    for make in (
        lambda: e.StateMonitor(5, "v", record=True),
        lambda: e.StateMonitor(group, "q", record=True),
        lambda: e.StateMonitor(group, [3], record=True),  # pyright: ignore[reportArgumentType]
        lambda: e.StateMonitor(group, "v", record=4),
        lambda: e.StateMonitor(group, "v", record=-5),
        lambda: e.StateMonitor(group, "v", record=0.5),
        lambda: e.StateMonitor(group, "v", record="i > 2"),
        lambda: e.StateMonitor(group, "v", record=True, dt=1 * ms, clock=e.Clock(1 * ms)),
        lambda: e.StateMonitor(group, "v", record=True, dt=3),  # pyright: ignore[reportArgumentType]
        lambda: e.StateMonitor(group[:2], "v", record=e.NeuronGroup(3, "v : 1")),
    ):
        with pytest.raises((TypeError, KeyError, IndexError, e.EcclesError)):
            make()


# -- rates ----------------------------------------------------------------------------------------------


def test_the_rate_of_a_population_and_of_a_part(group: Any) -> None:
    whole, part = e.PopulationRateMonitor(group), e.PopulationRateMonitor(group[:1])
    run(group, whole, part)
    assert whole.rate_.tolist() == pytest.approx([0, 0] + [5000] * 8)
    assert part.rate_.tolist() == pytest.approx([0, 0, 10000, 0, 10000, 0, 10000, 0, 10000, 0])
    centres, rates = whole.binned_rate(0.5 * ms)
    assert np.asarray(centres) == pytest.approx([0.25e-3, 0.75e-3])
    assert np.asarray(rates) == pytest.approx([3000, 5000])
    assert whole.rate.dim is Hz.dim


def test_smoothing_keeps_the_number_of_samples_and_the_number_of_spikes() -> None:
    group = e.NeuronGroup(1, "v : 1", threshold="t_in_timesteps == 50")
    monitor = e.PopulationRateMonitor(group)
    run(group, monitor, duration=10 * ms)
    total = monitor.rate_.sum()
    for window, width in (("gaussian", 0.7 * ms), ("flat", 1.1 * ms), (np.array([1, 2, 5, 2, 1.0]), None)):
        smooth = np.asarray(monitor.smooth_rate(window, width=width))
        assert len(smooth) == 100
        assert smooth.sum() == pytest.approx(total)
        assert smooth == pytest.approx(np.roll(smooth[::-1], 1), abs=1e-9)  # symmetric about the spike
    assert len(np.asarray(monitor.smooth_rate("flat", width=1000 * ms))) == 100
    for window, width in [
        ("gaussian", None), ("gaussian", 5), ("flat", 0 * ms), ("gaussian", -1 * ms), ("round", 1 * ms),
        (np.ones(4), None), (np.ones(0), None), (np.ones((3, 3)), None), ("flat", float("inf") * ms),
    ]:  # fmt: skip
        with pytest.raises((TypeError, NotImplementedError, e.EcclesError)):
            monitor.smooth_rate(window, width=width)


def test_an_empty_monitor_gives_empty_results(group: Any) -> None:
    spikes, traces = e.SpikeMonitor(group), e.StateMonitor(group, "v", record=True)
    rate = e.PopulationRateMonitor(group)
    assert spikes.t.shape == (0,)
    assert [len(t) for t in spikes.spike_trains().values()] == [0] * 4
    assert traces.v.shape == (4, 0)
    assert rate.rate.shape == (0,)
    assert np.asarray(rate.smooth_rate(width=1 * ms)).shape == (0,)


# -- labelled results -----------------------------------------------------------------------------------


def test_results_come_with_labels(group: Any) -> None:
    pytest.importorskip("xarray")
    spikes, traces = e.SpikeMonitor(group, variables="v"), e.StateMonitor(group, ["v", "s"], record=[1, 3])
    rate = e.PopulationRateMonitor(group)
    run(group, spikes, traces, rate)
    table = traces.to_xarray()
    assert table["v"].dims == ("element", "time")
    assert table["element"].values.tolist() == [1, 3]
    assert table["time"].attrs["units"] == "s"
    assert table["v"].sel(element=3).shape == (10,)
    events = spikes.to_xarray()
    assert events.sizes == {"event": 16}
    assert events["v"].attrs["units"] == "V"
    assert rate.to_xarray().dims == ("time",)


# -- a lack of memory ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kth", range(1, 6))
def test_a_lack_of_memory_leaves_no_array_shorter_than_the_room_it_stands_for(
    group: Any, kth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace, spikes = e.StateMonitor(group, "v", record=True), e.SpikeMonitor(group, "v")
    rate = e.PopulationRateMonitor(group)
    net = run(group, trace, spikes, rate)
    grown, allocate = [], Array._allocate

    def failing(array: Array, capacity: int) -> None:
        grown.append(array)
        if len(grown) == kth:
            raise MemoryError
        allocate(array, capacity)

    monkeypatch.setattr(Array, "_allocate", failing)
    with pytest.raises(MemoryError):
        net.run(100 * ms)
    assert len(trace._values["v"]) >= 4 * len(trace._t)
    assert min(len(spikes._t), len(spikes._values["v"])) >= len(spikes._i)
    assert len(rate._rates) >= len(rate._t)


def test_a_monitor_of_synapses_that_have_become_fewer_cannot_go_on(tmp_path: Any) -> None:
    def network(n: int) -> e.Network:
        magic.start_scope()
        group = e.NeuronGroup(2, "v : 1", name="group")
        synapses = e.Synapses(group, group, "w : 1", name="synapses")
        synapses.connect(i=[0] * n, j=[1] * n)
        return e.Network(group, synapses, e.StateMonitor(synapses, "w", record=[n - 1], name="trace"))

    network(3).store(filename=tmp_path / "state")
    many = network(20)
    many.restore(filename=tmp_path / "state")
    with pytest.raises(IndexError, match="records element 19 of synapses, which has only 3 elements"):
        many.run(1 * ms)
