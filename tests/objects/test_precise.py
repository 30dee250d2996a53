"""Neurons in exact time, as the engine follows them; what they give is tested in `tests/exact`."""

from typing import Any

import numpy as np
import pytest

from eccles import (
    Network,
    NeuronGroup,
    SpikeMonitor,
    Synapses,
    defaultclock,
    ms,
    mV,
    nA,
    nS,
    pF,
    seed,
    start_scope,
)
from eccles.compile.text import show_unnamed
from eccles.errors import RunError, SetupError

CONSTANTS: dict[str, Any] = {
    "C": 281 * pF, "gL": 30 * nS, "EL": -70.6 * mV, "VT": -50.4 * mV, "DT": 2 * mV, "tau": 144 * ms,
    "a": 4 * nS, "b": 0.0805 * nA, "I": 0.9 * nA,
}  # fmt: skip
ADEX = """dv/dt = (gL*(EL - v) + gL*DT*exp((v - VT)/DT) + I - w)/C : volt
          dw/dt = (a*(v - EL) - w)/tau : amp"""


def adaptive(**options: Any) -> tuple[NeuronGroup, np.ndarray]:
    """An AdEx neuron that is cut off at 0 mV, and its spike times in 100 ms."""
    start_scope()
    group = NeuronGroup(1, ADEX, threshold="v > 0*mV", reset="v = EL; w += b", namespace=CONSTANTS, **options)
    group.v = CONSTANTS["EL"]
    spikes = SpikeMonitor(group)
    Network(group, spikes).run(100 * ms)
    return group, spikes.t_


def test_a_fixed_step_does_not_jump_over_an_upswing_that_runs_away() -> None:
    _, expected = adaptive(method_options={"tolerance": 1e-10})
    _, found = adaptive(method="rk4")
    assert len(expected) == len(found) > 3
    assert np.abs(found - expected).max() < 0.1e-3


@pytest.mark.parametrize("cut", [20, 35, 50])
def test_an_upswing_that_runs_away_within_the_shortest_span_crosses_on_its_way(cut: float) -> None:
    group = NeuronGroup(
        1, "dv/dt = exp(v)/(10*ms) : 1", threshold="v > cut", reset="v = 0", namespace={"cut": cut}
    )
    spikes = SpikeMonitor(group)
    Network(group, spikes).run(45 * ms)
    # from 0 to v it takes 10 ms (1 - exp(-v))
    np.testing.assert_allclose(spikes.t_, 10e-3 * (1 - np.exp(-cut)) * np.arange(1, 5), rtol=1e-8)


def test_an_upswing_that_runs_away_is_seen_whatever_variables_stand_behind_it() -> None:
    spikes = []
    for others in (0, 1, 20):  # the error of a span is the largest of all variables, none of them left out
        lines = "".join(f"\ndz{k}/dt = -z{k}/(40*ms) : 1" for k in range(others))
        group = NeuronGroup(
            1, ADEX + lines, threshold="v > 20*mV", reset="v = EL; w += b", namespace=CONSTANTS
        )
        group.v = CONSTANTS["EL"]
        monitor = SpikeMonitor(group)
        Network(group, monitor).run(50 * ms)
        spikes.append(monitor.t_)
    assert len(spikes[0]) > 1
    np.testing.assert_array_equal(spikes[1], spikes[0])
    np.testing.assert_array_equal(spikes[2], spikes[0])


def cascade(stages: int) -> str:
    """Equations of low-passes of low-passes of v."""
    return "\n".join(f"du{k}/dt = ({f'u{k - 1}' if k else 'v'} - u{k})/(0.5*ms) : 1" for k in range(stages))


@pytest.mark.parametrize("others", ["{v}", "{v}\ndz/dt = -z/ms : 1", "dz/dt = -z/ms : 1\n{v}"])
def test_a_span_that_leads_to_no_number_is_too_long_whatever_other_variables_do(others: str) -> None:
    start_scope()
    defaultclock.dt = 0.8 * ms
    model = others.format(v="dv/dt = 2*sqrt(1 - v)/ms : 1")  # the square root falls at 1/ms
    group = NeuronGroup(1, model, threshold="v > 0.99", reset="v = 0.84")
    group.v = 0.84
    spikes = SpikeMonitor(group)
    Network(group, spikes).run(0.8 * ms)
    np.testing.assert_allclose(spikes.t_, [0.3e-3, 0.6e-3], rtol=1e-7)


def test_code_grows_with_the_number_of_variables_and_not_with_a_power_of_two() -> None:
    sizes = []
    for stages in (2, 4, 6):
        network = Network(NeuronGroup(1, f"dv/dt = 1/ms - v**2/ms : 1\n{cascade(stages)}", threshold="v > 2"))
        network.run(0 * ms)
        sizes.append(len(show_unnamed(network.loop.program)))
    assert sizes[2] - sizes[1] < 1.2 * (sizes[1] - sizes[0])


def test_integrations_over_spans_of_their_own_are_counted() -> None:
    coarse, _ = adaptive(method_options={"tolerance": 1e-4})
    fine, _ = adaptive(method_options={"tolerance": 1e-10})
    assert 0 < coarse.n_spans < fine.n_spans
    plain = NeuronGroup(1, "dx/dt = 100*Hz : 1", threshold="x > 1", reset="x = 0")
    Network(plain).run(50 * ms)
    assert plain.n_spans == 0  # its spikes are known in closed form


def test_equations_that_need_too_many_steps_are_an_error_that_names_neuron_and_time() -> None:
    stiff = NeuronGroup(2, "dv/dt = -1e12*(v - cos(t/ms))/second : 1", method="dopri5")
    with pytest.raises(RunError, match=r"neuron 0 of .* needs more than 100000 steps .* at t = 0 ms"):
        Network(stiff).run(1 * ms)


@pytest.mark.parametrize("method", ["dopri5", "rk4"])
def test_a_state_that_becomes_nan_is_reported_without_delay(method: str) -> None:
    group = NeuronGroup(3, "dv/dt = sqrt(-1 - v)/second : 1", threshold="v > 1", reset="v = 0", method=method)
    with pytest.raises(RunError, match="became NaN"):
        Network(group).run(100 * ms)
    assert group.n_spans < 10_000


@pytest.mark.parametrize("tolerance", [0, -1, 1, float("nan"), 1e-6 * ms, "small"])
def test_a_tolerance_that_makes_no_sense_is_refused_at_once(tolerance: Any) -> None:
    with pytest.raises(SetupError, match="tolerance"):
        NeuronGroup(1, "dv/dt = -v/ms : 1", method_options={"tolerance": tolerance})


def test_spike_times_of_a_group_are_checked_and_fixed_by_its_first_run() -> None:
    group = NeuronGroup(1, "dx/dt = 100*Hz : 1", threshold="x > 1", reset="x = 0")
    with pytest.raises(SetupError, match="'precise' or 'grid'"):
        group.spike_times = "exact"
    network = Network(group)
    network.run(1 * ms)
    with pytest.raises(SetupError, match="has run already"):
        group.spike_times = "grid"


def network_with(statement: str, dt: float) -> tuple[np.ndarray, np.ndarray, bool]:
    """Spike times and potentials of a network of linear neurons, and whether its input was added up."""
    start_scope()
    seed(1)
    defaultclock.dt = dt * ms
    group = NeuronGroup(
        60,
        """dv/dt = (1.05 + g - v)/(10*ms) : 1 (unless refractory)
           dg/dt = (h - g)/(4*ms) : 1
           dh/dt = -h/(4*ms) : 1""",
        threshold="v > 1", reset="v = 0", refractory=2 * ms,
    )  # fmt: skip
    group.v = "i/60."
    near = Synapses(group, group, on_pre=statement)
    near.connect(p=0.2)
    far = Synapses(group, group, on_pre=statement, delay=1.234 * ms)
    far.connect(p=0.1)
    spikes = SpikeMonitor(group)
    Network(group, near, far, spikes).run(100 * ms)
    order = np.lexsort((spikes.i, spikes.t_))
    return spikes.t_[order], np.array(group.v[:]), near.pre._added is not None


@pytest.mark.parametrize("dt", [0.1, 1])
@pytest.mark.parametrize("variable", ["v", "g", "h"])
def test_input_that_is_added_up_gives_what_it_gives_one_by_one(variable: str, dt: float) -> None:
    times, potentials, added = network_with(f"{variable} += 0.03", dt)
    others, expected, one_by_one = network_with(f"{variable} = {variable} + 0.03", dt)
    assert added
    assert not one_by_one
    assert len(times) == len(others) > 100
    np.testing.assert_allclose(times, others, rtol=0, atol=1e-14)
    np.testing.assert_allclose(potentials, expected, rtol=0, atol=1e-12)
