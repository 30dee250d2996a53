"""Poisson sources, given spikes, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from scipy import stats

import eccles as e
from eccles.errors import EcclesWarning
from eccles.objects import magic
from eccles.units import Hz, kHz, ms, mV, second

both_modes = pytest.mark.parametrize("spike_times", ["precise", "grid"])


def poisson_spikes(
    dt: e.Quantity, rates: Any, n: int, duration: e.Quantity, spike_times: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Neurons and times in seconds of the spikes of a PoissonGroup, neuron by neuron."""
    magic.start_scope()
    group = e.PoissonGroup(n, rates=rates, dt=dt, spike_times=spike_times)
    monitor = e.SpikeMonitor(group)
    e.Network(group, monitor).run(duration)
    order = np.lexsort((monitor.t_, monitor.i))
    return monitor.i[order], monitor.t_[order]


def steps_of(times: np.ndarray, dt: e.Quantity) -> np.ndarray:
    """The time steps of spikes on a grid."""
    return np.round(times / float(dt)).astype(int)


@pytest.mark.parametrize("rates", [60 * Hz, "(20 + 10*i)*Hz"])
def test_halving_dt_changes_no_spike_only_its_resolution_on_a_grid(rates: Any) -> None:
    i, t = poisson_spikes(0.2 * ms, rates, 20, 2 * second, "grid")
    i_fine, t_fine = poisson_spikes(0.1 * ms, rates, 20, 2 * second, "grid")
    assert len(i) > 1500
    coarse = set(zip(i.tolist(), steps_of(t, 0.2 * ms).tolist(), strict=True))
    fine = set(zip(i_fine.tolist(), (steps_of(t_fine, 0.1 * ms) // 2).tolist(), strict=True))
    assert coarse == fine


@pytest.mark.parametrize("rates", [60 * Hz, "(20 + 10*i)*Hz", 15 * kHz])
def test_exact_spikes_do_not_depend_on_dt(rates: Any) -> None:
    duration = 2 * second if rates != 15 * kHz else 10 * ms
    i, t = poisson_spikes(0.2 * ms, rates, 20, duration, "precise")
    assert len(i) > 1500
    for dt in (0.1 * ms, 1 * ms):
        i_other, t_other = poisson_spikes(dt, rates, 20, duration, "precise")
        np.testing.assert_array_equal(i_other, i)
        np.testing.assert_allclose(t_other, t, rtol=0, atol=1e-12)


def test_exact_spikes_are_those_of_a_grid_at_their_moments_within_a_step() -> None:
    i, t = poisson_spikes(0.1 * ms, 60 * Hz, 20, 2 * second, "precise")
    i_grid, t_grid = poisson_spikes(0.1 * ms, 60 * Hz, 20, 2 * second, "grid")
    steps = np.floor(t / 1e-4).astype(int)
    # a grid sees at most one spike per step
    assert len(np.unique(np.stack([i, steps]), axis=1).T) == len(i_grid) < len(i)
    assert set(zip(i.tolist(), steps.tolist(), strict=True)) == set(
        zip(i_grid.tolist(), steps_of(t_grid, 0.1 * ms).tolist(), strict=True)
    )


@both_modes
def test_rates_are_right_within_four_standard_errors(spike_times: Any) -> None:
    rates = np.array([0, 1, 10, 50, 200, 1000.0])
    magic.seed(5)
    group = e.PoissonGroup(600, rates=np.repeat(rates, 100) * Hz, spike_times=spike_times)
    monitor = e.SpikeMonitor(group, record=False)
    e.Network(group, monitor).run(2 * second)
    counts = monitor.count.reshape(6, 100).sum(axis=1)
    expected = 200 * rates
    if spike_times == "grid":
        # at most one spike per step: of a Poisson number of mean 0.1 in a step, 1 - exp(-0.1) is seen
        expected = 200 / 1e-4 * -np.expm1(-rates * 1e-4)
    assert np.all(np.abs(counts - expected) <= 4 * np.sqrt(expected))


@both_modes
def test_intervals_are_exponential(spike_times: Any) -> None:
    magic.seed(6)
    group = e.PoissonGroup(50, rates=40 * Hz, spike_times=spike_times)
    monitor = e.SpikeMonitor(group)
    e.Network(group, monitor).run(10 * second)
    intervals = np.concatenate([np.diff(np.asarray(t)) for t in monitor.spike_trains().values()])
    assert len(intervals) > 15000
    assert stats.kstest(intervals * 40, "expon").pvalue > 1e-3


def test_a_rate_that_changes_in_time_is_followed() -> None:
    magic.seed(7)
    group = e.PoissonGroup(400, rates="300*Hz*int(t < 0.2*second) + 20*Hz*i/400")
    monitor = e.SpikeMonitor(group)
    e.Network(group, monitor).run(0.4 * second)
    first, second_half = np.sum(monitor.t_ < 0.2), np.sum(monitor.t_ >= 0.2)
    for count, expected in ((first, 400 * 0.2 * 310), (second_half, 400 * 0.2 * 10)):
        assert abs(count - expected * 0.985) < 4 * np.sqrt(expected) + 0.015 * expected


def test_other_objects_and_monitors_change_nothing() -> None:
    def spikes(*, more: bool) -> tuple[list[int], list[float]]:
        magic.start_scope()
        magic.seed(8)
        extra: list[Any] = []
        if more:
            extra = [
                e.PoissonGroup(3, rates=70 * Hz, name="another"),
                e.NeuronGroup(2, "x = i*2 : 1", name="third"),
            ]
        group = e.PoissonGroup(10, rates=50 * Hz, name="same")
        noisy = e.NeuronGroup(
            5, "dv/dt = -v/ms + ms**-0.5*xi : 1", threshold="v > 1.5", reset="v = -rand()",
            method="euler", name="noisy",
        )  # fmt: skip
        monitors = [e.SpikeMonitor(group), e.SpikeMonitor(noisy)]
        if more:
            extra += [
                e.StateMonitor(noisy, "v", record=True),
                e.PopulationRateMonitor(group),
                e.SpikeMonitor(extra[0]),
            ]
        e.Network(extra, group, noisy, monitors).run(100 * ms)
        return (
            [k for m in monitors for k in m.i.tolist()],
            [t for m in monitors for t in m.t_.tolist()],
        )

    assert spikes(more=False) == spikes(more=True)


def test_the_same_seed_gives_the_same_spikes_in_another_process() -> None:
    script = """
import eccles as e
from eccles.units import Hz, ms, second
e.seed(99)
group = e.PoissonGroup(10, rates=50*Hz)
equations = "dv/dt = -v/ms + ms**-0.5*xi : 1"
target = e.NeuronGroup(3, equations, threshold="v > 1", reset="v = rand()", method="euler")
inputs = e.PoissonInput(target, "v", N=50, rate=10*Hz, weight=0.2)
target.v = "rand()"
monitors = [e.SpikeMonitor(group), e.SpikeMonitor(target)]
e.Network(group, target, inputs, monitors).run(200*ms)
print([(m.i.tolist(), m.t_.tolist()) for m in monitors], target.v_[:].tolist())
"""
    outputs = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        for _ in "ab"
    ]
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) > 500


def test_seeds_differ_and_a_seed_repeats() -> None:
    def spikes(seed: int) -> list[float]:
        magic.start_scope()
        magic.seed(seed)
        group = e.PoissonGroup(10, rates=50 * Hz)
        monitor = e.SpikeMonitor(group)
        e.Network(group, monitor).run(100 * ms)
        return monitor.t_.tolist()

    assert spikes(1) == spikes(1)
    assert spikes(1) != spikes(2)


@both_modes
def test_splitting_a_run_changes_nothing(spike_times: Any) -> None:
    whole = poisson_spikes(0.1 * ms, 100 * Hz, 10, 100 * ms, spike_times)
    magic.start_scope()
    group = e.PoissonGroup(10, rates=100 * Hz, spike_times=spike_times)
    monitor = e.SpikeMonitor(group)
    net = e.Network(group, monitor)
    for _ in range(10):
        net.run(10 * ms)
    order = np.lexsort((monitor.t_, monitor.i))
    assert monitor.i[order].tolist() == whole[0].tolist()
    assert monitor.t_[order].tolist() == whole[1].tolist()


# -- PoissonInput ------------------------------------------------------------------------------------


def test_the_number_of_inputs_in_a_step_is_binomial() -> None:
    magic.seed(10)
    n, p = 40, 0.03
    group = e.NeuronGroup(2000, "v : 1")
    inputs = e.PoissonInput(group, "v", N=n, rate=p / e.defaultclock.dt, weight=1)
    group.run_regularly("v = 0", when="end")
    trace = e.StateMonitor(group, "v", record=True, when="after_synapses")
    e.Network(group, inputs, trace).run(3 * ms)
    counts = np.asarray(trace.v).ravel()
    observed = np.bincount(counts.astype(int), minlength=7)[:7]
    expected = stats.binom.pmf(np.arange(7), n, p) * counts.size
    assert np.all(np.abs(observed - expected) < 4.5 * np.sqrt(expected) + 3)


def test_what_a_poisson_input_refuses() -> None:
    group = e.NeuronGroup(3, "v : volt\nn : integer\nx = 2*v : volt\ns : volt (shared)")
    for error, change in [
        ((KeyError,), {"target_var": "w"}),
        ((e.SetupError, TypeError), {"target_var": "x"}),
        ((e.SetupError, TypeError), {"target_var": "n", "weight": 1}),
        ((e.SetupError, TypeError), {"target_var": "s"}),
        ((e.DimensionMismatchError,), {"rate": 10 * mV}),
        ((e.DimensionMismatchError,), {"rate": 10}),
        ((e.DimensionMismatchError,), {"weight": 3}),
        ((e.SetupError,), {"rate": -1 * Hz}),
        ((e.SetupError,), {"rate": float("nan") * Hz}),
        ((e.SetupError, TypeError), {"rate": [1, 2] * Hz}),
        ((e.SetupError, TypeError), {"weight": [1, 2] * mV}),
        ((e.SetupError, TypeError), {"weight": float("inf") * mV}),
        ((TypeError, e.SetupError), {"N": 0}),
        ((TypeError, e.SetupError), {"N": -3}),
        ((TypeError, e.SetupError), {"N": "many"}),
        ((e.UnitError,), {"weight": "3"}),
    ]:
        arguments: dict[str, Any] = {"target_var": "v", "N": 10, "rate": 10 * Hz, "weight": 1 * mV}
        with pytest.raises(error):
            e.PoissonInput(group, **(arguments | change))


def test_a_rate_too_high_for_the_time_step_is_refused_at_the_run() -> None:
    group = e.NeuronGroup(3, "v : volt")
    net = e.Network(group, e.PoissonInput(group, "v", N=10, rate=20 * kHz, weight=1 * mV))
    with pytest.raises(e.SetupError, match="too high"):
        net.run(1 * ms)
    net = e.Network(group, e.PoissonInput(group, "v", N=2**30, rate=5 * kHz, weight=1 * mV))
    with pytest.raises(e.SetupError, match="more than"):
        net.run(1 * ms)


# -- PoissonGroup and SpikeGeneratorGroup --------------------------------------------------------------


@pytest.mark.parametrize("n", [0, -1, 2**31, 10**30, float("nan"), float("inf"), "3", [3], None, 3 * mV])
@pytest.mark.parametrize(
    "make",
    [
        lambda n: e.PoissonGroup(n, rates=1 * Hz),
        lambda n: e.SpikeGeneratorGroup(n, [], [] * ms),
        lambda n: e.NeuronGroup(n, "v : 1"),
    ],
)
def test_impossible_numbers_of_neurons_are_refused(make: Any, n: Any) -> None:
    with pytest.raises((TypeError, e.SetupError)):
        make(n)


@pytest.mark.parametrize(
    "rates",
    [5, [1, 2] * Hz, [[1, 2, 3]] * Hz, 5 * mV, None, -1 * Hz, "5", "unknown*Hz", "5*Hz +", ["a", "b", "c"]],
)
def test_impossible_rates_are_refused(rates: Any) -> None:
    with pytest.raises((TypeError, e.EcclesError)):
        e.PoissonGroup(3, rates=rates)


@pytest.mark.parametrize(
    ("indices", "times", "more"),
    [
        ([0, 1], [1] * ms, {}),
        ([0], [1], {}),
        ([0], [1] * mV, {}),
        ([3], [1] * ms, {}),
        ([-1], [1] * ms, {}),
        ([0.5], [1] * ms, {}),
        (["0"], [1] * ms, {}),
        ([0], [-1] * ms, {}),
        ([0], [float("nan")] * ms, {}),
        ([0], [float("inf")] * ms, {}),
        ([[0, 1]], [[1, 2]] * ms, {}),
        ([2**40], [1] * ms, {}),
        ([0], [5] * ms, {"period": 5 * ms}),
        ([0], [1] * ms, {"period": -5 * ms}),
        ([0], [1] * ms, {"period": 5}),
        ([0], [1] * ms, {"period": float("nan") * ms}),
        ([0, 1], [2, 1] * ms, {"sorted": True}),
    ],
)
def test_impossible_spikes_are_refused(indices: Any, times: Any, more: dict[str, Any]) -> None:
    with pytest.raises((TypeError, IndexError, e.EcclesError)):
        e.Network(e.SpikeGeneratorGroup(3, indices, times, **more)).run(1 * ms)


def test_what_a_grid_cannot_tell_apart_or_count_is_refused() -> None:
    for times, more, error, text in [
        ([0.31, 0.35], {}, e.SetupError, r"neuron 1 .* two spikes"),
        ([0.3, 0.4], {"period": 1.05 * ms}, NotImplementedError, "multiple"),
        ([0.3, 1e303], {}, e.SetupError, "too many steps"),
    ]:
        group = e.SpikeGeneratorGroup(2, [1, 1], times * ms, spike_times="grid", **more)
        with pytest.raises(error, match=text):
            e.Network(group).run(1 * ms)


def test_exact_spikes_come_when_they_were_asked_for() -> None:
    """Several in a step, at its beginning and end, with a period that is no multiple of it, ages from now."""
    times = [0, 0.31, 0.35, 0.4, 0.40001, 1.0]
    for period, more in (
        (0, []),
        (1.05, [1.05, 1.36, 1.4, 1.45, 1.45001, 2.05, 2.1, 2.41, 2.45, 2.5, 2.50001]),
    ):
        magic.start_scope()
        group = e.SpikeGeneratorGroup(2, [1] * 6, times * ms, period=period * ms)
        late = e.SpikeGeneratorGroup(1, [0], [1e300] * second)
        monitor = e.SpikeMonitor(group)
        e.Network(group, late, monitor).run(2.5 * ms)
        expected = np.array([*times, *more])
        np.testing.assert_allclose(monitor.t_, 1e-3 * expected[expected <= 2.5], rtol=1e-12)


def test_two_exact_spikes_of_a_neuron_at_one_moment_are_refused() -> None:
    group = e.SpikeGeneratorGroup(2, [1, 1], [0.31, 0.31] * ms)
    with pytest.raises(e.SetupError, match=r"neuron 1 .* two spikes"):
        e.Network(group).run(1 * ms)


@both_modes
def test_spikes_that_come_too_late_are_announced(spike_times: Any) -> None:
    group = e.SpikeGeneratorGroup(2, [1], [0.3] * ms, spike_times=spike_times)
    monitor = e.SpikeMonitor(group)
    net = e.Network(group, monitor)
    net.run(1 * ms)
    group.set_spikes([0, 1], [0.5, 1.5] * ms)
    with pytest.warns(EcclesWarning, match="past_spikes"):
        net.run(1 * ms)
    assert monitor.i.tolist() == [1, 1]


@both_modes
def test_a_generator_keeps_its_spikes_when_dt_changes(spike_times: Any) -> None:
    group = e.SpikeGeneratorGroup(1, [0, 0, 0], [0.2, 1.2, 2.2] * ms, spike_times=spike_times)
    monitor = e.SpikeMonitor(group)
    net = e.Network(group, monitor)
    net.run(1 * ms)
    e.defaultclock.dt = 0.05 * ms
    net.run(2 * ms)
    assert monitor.t_ == pytest.approx([0.2e-3, 1.2e-3, 2.2e-3])


@both_modes
def test_steady_rates_give_the_spikes_of_rates_that_are_integrated_step_by_step(spike_times: Any) -> None:
    rates = (5 + np.arange(25) * 16) * Hz
    i, t = poisson_spikes(0.1 * ms, rates, 25, 2 * second, spike_times)
    i_text, t_text = poisson_spikes(0.1 * ms, "(5 + i*16)*Hz", 25, 2 * second, spike_times)
    assert len(i) > 5000
    np.testing.assert_array_equal(i, i_text)
    np.testing.assert_allclose(t, t_text, rtol=0, atol=1e-12)


@both_modes
def test_a_steady_rate_that_is_set_anew_goes_on_with_what_is_left_of_the_interval(spike_times: Any) -> None:
    """Twice the rate for half the time: the same spikes at half the distance."""
    magic.seed(9)
    group = e.PoissonGroup(30, rates=20 * Hz, name="poisson", spike_times=spike_times)
    monitor = e.SpikeMonitor(group)
    network = e.Network(group, monitor)
    network.run(1 * second)
    n_before = monitor.num_spikes
    group.rates = 40 * Hz
    network.run(0.5 * second)
    group.rates = 0 * Hz
    network.run(0.3 * second)
    assert monitor.num_spikes > n_before
    assert not np.any(monitor.t_ > 1.5)
    group.rates = 20 * Hz
    network.run(1 * second)

    magic.start_scope()
    magic.seed(9)
    twin = e.PoissonGroup(30, rates=20 * Hz, name="poisson", spike_times=spike_times)
    steady = e.SpikeMonitor(twin)
    e.Network(twin, steady).run(3 * second)
    t = monitor.t_.copy()
    t = np.where(t < 1, t, np.where(t < 1.5, 1 + 2 * (t - 1), t + 0.2))  # in units of the integrated rate
    atol = 2.1e-4 if spike_times == "grid" else 1e-11
    for k in range(30):
        np.testing.assert_allclose(t[monitor.i == k], steady.t_[steady.i == k], rtol=0, atol=atol)


def test_rates_that_code_changes_within_a_run_are_followed() -> None:
    magic.seed(12)
    group = e.PoissonGroup(500, rates=0 * Hz)
    group.run_regularly("rates = 200*Hz*int(t >= 0.1*second)")
    monitor = e.SpikeMonitor(group)
    e.Network(group, monitor).run(0.2 * second)
    assert np.sum(monitor.t_ < 0.1) == 0
    assert abs(monitor.num_spikes - 500 * 0.1 * 200 * 0.99) < 4 * np.sqrt(10000) + 100


@both_modes
def test_a_process_goes_on_when_its_rates_begin_to_be_written(spike_times: Any) -> None:
    def spikes(*, written: bool) -> tuple[list[int], list[float]]:
        magic.start_scope()
        magic.seed(13)
        group = e.PoissonGroup(20, rates=100 * Hz, spike_times=spike_times)
        monitor = e.SpikeMonitor(group)
        net = e.Network(group, monitor)
        net.run(50 * ms)
        if written:
            net.add(group.run_regularly("rates = 100*Hz"))
        net.run(50 * ms)
        return monitor.i.tolist(), monitor.t_.tolist()

    first, second_way = spikes(written=False), spikes(written=True)
    assert first[0] == second_way[0]
    assert first[1] == pytest.approx(second_way[1], abs=1.01e-4 if spike_times == "grid" else 1e-12)


# -- groups that are not active for a while ------------------------------------------------------------


@pytest.mark.parametrize("split", [0.5, 1.03, 1.05, 2.3])
def test_exact_spikes_with_a_period_go_on_in_another_run(split: float) -> None:
    group = e.SpikeGeneratorGroup(2, [1, 0], [0.1, 0.7] * ms, period=1.05 * ms)
    monitor = e.SpikeMonitor(group)
    net = e.Network(group, monitor)
    for duration in (split, 3.3 - split):
        net.run(duration * ms)
    np.testing.assert_allclose(monitor.t / ms, [0.1, 0.7, 1.15, 1.75, 2.2, 2.8, 3.25], rtol=1e-12)


@both_modes
@pytest.mark.parametrize(
    ("period", "expected"), [(0, [0.8, 0.9]), (0.4, [0.5, 0.8, 0.9]), (0.3, [0.5, 0.6, 0.7, 0.8, 0.9])]
)
def test_given_spikes_go_on_at_their_times_after_a_rest(
    period: float, expected: list[float], spike_times: Any
) -> None:
    times = [0, 0.1, 0.2, 0.8, 0.9] if period == 0 else [0, 0.1] if period == 0.4 else [0, 0.1, 0.2]
    group = e.SpikeGeneratorGroup(
        1, [0] * len(times), times * ms, period=period * ms, spike_times=spike_times
    )  # fmt: skip
    monitor = e.SpikeMonitor(group)
    net = e.Network(group, monitor)
    net.run(0.1 * ms)
    group.active = False
    net.run(0.4 * ms)
    group.active = True
    net.run(0.5 * ms)
    if spike_times == "precise":  # a run covers its end, but not its beginning after a rest
        expected = [0.1, *(t for t in expected if t != 0.5)]
        expected += [1.0] if period == 0.3 else []
    np.testing.assert_allclose(monitor.t / ms, [0, *expected], atol=1e-12)


@both_modes
def test_a_poisson_group_goes_on_after_a_rest_where_it_was(spike_times: Any) -> None:
    def spikes(rest: bool) -> tuple[np.ndarray, np.ndarray]:
        magic.start_scope()
        e.seed(3)
        group = e.PoissonGroup(50, 40 * Hz, name="group", spike_times=spike_times)
        monitor = e.SpikeMonitor(group)
        net = e.Network(group, monitor)
        net.run(50 * ms)
        if rest:
            group.active = False
            net.run(200 * ms)
            group.active = True
        net.run(100 * ms)
        late = monitor.t_ > 0.05
        return monitor.i, monitor.t_ - 0.2 * rest * late

    plain, rested = spikes(rest=False), spikes(rest=True)
    assert len(plain[0]) > 200
    np.testing.assert_array_equal(plain[0], rested[0])
    np.testing.assert_allclose(plain[1], rested[1], rtol=0, atol=1e-12)
