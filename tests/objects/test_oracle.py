"""Native code against the interpreter of the IR, for every kind of object."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from oracle import Part, assert_native_as_interpreted

import eccles as e
from eccles.units import Hz, ms, mV, nA

Check = partial[None]


@pytest.fixture(params=["precise", "grid"])
def check(request: pytest.FixtureRequest) -> Check:
    """Every network runs in both modes."""
    return partial(assert_native_as_interpreted, spike_times=request.param)


# sizes around the width of a vector, so that full vectors, remainders and small groups all occur
SIZES = [1, 3, 8, 13, 67]


def lif(n: int, **options: Any) -> e.NeuronGroup:
    """Neurons that fire at different rates."""
    group = e.NeuronGroup(
        n, "dv/dt = (drive - v)/(3*ms) : 1 (unless refractory)\ndrive : 1", threshold="v > 1", reset="v = 0",
        **{"refractory": 0.5 * ms, "method": "exact"} | options,
    )  # fmt: skip
    group.drive = "1.2 + i/3"
    group.v = "0.3*(i % 4)"
    return group


@pytest.mark.parametrize("n", SIZES)
def test_neurons_with_reset_and_refractory_period(check: Check, n: int) -> None:
    check(lambda: [lif(n)])


@pytest.mark.parametrize("method", ["exact", "exponential_euler", "euler", "rk2", "rk4", "heun", "milstein"])
def test_every_method_of_integration(check: Check, method: str) -> None:
    check(lambda: [lif(11, method=method)])


@pytest.mark.parametrize("refractory", [0.4 * ms, "u < -0.3", "(1 + i)*0.1*ms"])
@pytest.mark.parametrize("threshold", ["u > 0.5", "u**2 > 0.3 - 0.2*w", "u > 0.5 + 0.1*sin(t/ms) and w < 2"])
def test_thresholds_of_nonlinear_neurons(check: Check, threshold: str, refractory: Any) -> None:
    def make() -> list[Any]:
        group = e.NeuronGroup(
            5, "du/dt = (u - u**3/3 - w + 1.2)/(0.5*ms) : 1\ndw/dt = (u + 0.7 - 0.8*w)/(2*ms) : 1",
            threshold=threshold, reset="u = -1; w += 0.1", refractory=refractory, method="rk4",
        )  # fmt: skip
        if check.keywords["spike_times"] == "precise":
            group.method = "dopri5"
        group.u = "-1 + 0.2*i"
        synapses = e.Synapses(group, group, on_pre="u_post -= 0.05")
        synapses.connect("i != j")
        synapses.delay = "0.03*ms*i + 0.11*ms*j"
        return [group, synapses, e.SpikeMonitor(group), e.StateMonitor(group, "u", record=[0, 3])]

    check(make, 1.3 * ms, 1.7 * ms)


def test_coupled_linear_equations_with_a_matrix_exponential_per_neuron(check: Check) -> None:
    def make() -> list[Any]:
        group = e.NeuronGroup(
            9, "dv/dt = (w - v)/tau : 1\ndw/dt = (v - 2*w)/(4*ms) + 1*Hz : 1\ntau : second (constant)",
            method="exact",
        )  # fmt: skip
        group.tau = "(1 + i)*ms"
        group.v = 1
        return [group]

    check(make, 1 * ms, 0.5 * ms)


def test_noise_and_random_numbers(check: Check) -> None:
    def make() -> list[Any]:
        group = e.NeuronGroup(
            10, "dv/dt = -v/(2*ms) + 0.5*ms**-0.5*xi : 1\nx : 1\nk : integer", method="euler",
            threshold="v > 0.3 + 0.1*rand()", reset="v = -rand()",
        )  # fmt: skip
        group.run_regularly("x = randn() + rand(); k += poisson(2.5)", dt=0.2 * ms)
        return [group]

    check(make)


def test_integers_truth_values_functions_and_single_precision(check: Check) -> None:
    def make() -> list[Any]:
        group = e.NeuronGroup(
            14,
            """
            dx/dt = clip(sin(t/ms)*y, -0.2, 0.8)/ms : 1
            n : integer
            b : boolean
            y : 1
            z = exp(-y) + sqrt(abs(x)) + n % 3 + n // 2 + int(b) : 1
            """,
            dtype={"y": np.float32},
            threshold="x > 0.05 and not b",
            reset="n += i % 5; b = n > 3; y = y/3 + z",
            refractory=0.25 * ms,
            method="rk4",
        )
        group.y = "1 + i"
        group.n = "i - 5"
        return [group]

    check(make)


def test_refractory_while_a_condition_holds_and_further_events(check: Check) -> None:
    def make() -> list[Any]:
        group = lif(9, refractory="v < 0.4", events={"half": "v > 0.5"})
        group.run_on_event("half", "drive += 0.001*v")
        monitor = e.EventMonitor(group, "half", variables=["v", "drive"])
        return [group, monitor, e.StateMonitor(group, "not_refractory", record=True)]

    check(make)


def test_parts_of_groups_and_their_monitors(check: Check) -> None:
    def make() -> list[Any]:
        group = lif(20)
        part = group[3:15]
        part.run_regularly("v += 0.001*i/N", dt=0.3 * ms)
        return [
            group, part, e.SpikeMonitor(part, variables="v"), e.PopulationRateMonitor(part),
            e.StateMonitor(part, "v", record=[0, 5, 11]), e.PopulationRateMonitor(group),
        ]  # fmt: skip

    check(make, 1.5 * ms, 1 * ms)


def test_monitors_that_run_out_of_room(check: Check) -> None:
    def make() -> list[Any]:
        group = e.NeuronGroup(40, "v : 1", threshold="v > 0", refractory=0.1 * ms)
        group.v = "i % 3"
        trace = e.StateMonitor(group, "v", record=True)
        counter = e.SpikeMonitor(group, record=False)
        return [group, e.SpikeMonitor(group), counter, trace]

    check(make, 4 * ms)


def test_linked_variables_and_timed_arrays(check: Check) -> None:
    wave = e.TimedArray(np.arange(7.0) * mV, dt=0.25 * ms)
    table = e.TimedArray(np.arange(30.0).reshape(5, 6) * nA, dt=0.4 * ms)

    def make() -> list[Any]:
        source = e.NeuronGroup(5, "dx/dt = 1*Hz*i : 1\ny = x + 1 : 1", method="euler")
        group = e.NeuronGroup(
            6,
            """
            dv/dt = (wave(t) - v)/ms : volt
            dw/dt = table(t, i)/nA*p*Hz + q*Hz : 1
            p : 1 (linked)
            q : 1 (linked)
            """,
            namespace={"wave": wave, "table": table},
            method="euler",
        )
        group.p = e.linked_var(source, "y", index=[4, 0, 0, 3, 2, 1])
        group.q = e.linked_var(source[2:3], "x")
        return [source, group]

    check(make)


def test_sources_of_spikes(check: Check) -> None:
    def make() -> list[Any]:
        poisson = e.PoissonGroup(12, rates=np.arange(12) * 400 * Hz)
        varying = e.PoissonGroup(5, rates="2000*Hz*(1 + sin(t/ms))")
        generator = e.SpikeGeneratorGroup(6, [0, 5, 5, 2], [0, 0.2, 0.35, 0.4] * ms, period=0.5 * ms)
        empty = e.SpikeGeneratorGroup(3, [], [] * ms)
        target = lif(10)
        kick = e.PoissonInput(target, "v", N=100, rate=30 * Hz, weight=0.02)
        text = e.PoissonInput(target[2:7], "v", N=10, rate=300 * Hz, weight="0.01*drive")
        monitors = [e.SpikeMonitor(g) for g in (poisson, varying, generator, empty)]
        return [poisson, varying, generator, empty, target, kick, text, monitors]

    check(make)


def test_several_clocks_and_network_operations(check: Check) -> None:
    def make() -> list[Any]:
        fast = lif(5, dt=0.05 * ms)
        slow = e.NeuronGroup(3, "dv/dt = 1/ms : 1", dt=0.3 * ms, method="euler")

        @e.network_operation(dt=0.4 * ms)
        def kick() -> None:
            slow.v += 1

        return [fast, slow, kick, e.StateMonitor(fast, "v", record=[1], dt=0.15 * ms)]

    check(make, 1.1 * ms, 0.7 * ms)


def test_values_held_over_a_step_and_shared_variables(check: Check) -> None:
    def make() -> list[Any]:
        group = e.NeuronGroup(
            9,
            """
            dv/dt = (held + s - v)/ms : 1
            held = v*0.5 + rand() : 1 (constant over dt)
            s : 1 (shared)
            """,
            method="euler",
        )
        group.run_regularly("s += 0.25; v += s", dt=0.3 * ms)
        return [group, e.StateMonitor(group, ["held", "s"], record=[1, 4])]

    check(make)


# -- networks with synapses that are changed between runs ------------------------------------------

STDP = """
w : 1
dApre/dt = -Apre/(2*ms) : 1 (event-driven)
dApost/dt = -Apost/(3*ms) : 1 (event-driven)
"""


def plastic(**options: Any) -> list[Any]:
    """Every neuron spikes often; synapses with traces of both sides, from a part of a group to another."""
    given = e.SpikeGeneratorGroup(9, np.arange(40) % 9, np.arange(40) * 0.07 * ms, name="given")
    group = lif(11, name="group")
    synapses = e.Synapses(
        given[2:8], group[1:10], STDP, name="synapses",
        **{
            "on_pre": "Apre += 0.1; w = clip(w + Apost, 0, 1); v_post += 0.05*w",
            "on_post": "Apost -= 0.1; w = clip(w + Apre, 0, 1)",
        } | options,
    )  # fmt: skip
    synapses.connect("(i + j) % 5 != 0")
    synapses.w = "0.3 + 0.01*i"
    return [given, group, synapses, e.SpikeMonitor(group), e.StateMonitor(synapses, "w", record=[0, 7])]


def within(groups: int = 5) -> list[Any]:
    """A group connected to itself, with a summed variable and clock-driven synapses."""
    group = e.NeuronGroup(
        groups, "dv/dt = (1.5 + total - v)/ms : 1\ntotal : 1", threshold="v > 1", reset="v = 0",
        method="euler", name="group",
    )  # fmt: skip
    group.v = "0.2*i"
    synapses = e.Synapses(
        group, group, "ds/dt = -s/ms : 1 (clock-driven)\ntotal_post = 0.1*s : 1 (summed)",
        on_pre={"pre": "s += 1", "later": "s += delay/ms + 0.1*m"}, delay={"later": 0.2 * ms},
        multisynaptic_index="m", method="exact", name="synapses",
    )  # fmt: skip
    synapses.connect("i != j", n=2)
    return [group, synapses, e.SpikeMonitor(group[1:4]), e.StateMonitor(group, "total", record=True)]


def test_synapses_with_traces_of_both_sides(check: Check) -> None:
    check(plastic)


def test_synapses_with_summed_variables_within_a_group(check: Check) -> None:
    check(within)


def stop_soon(net: e.Network) -> None:
    """A run that stops in the middle."""

    def report(elapsed: float, completed: float, start: Any, duration: Any) -> None:
        net.stop()

    net.run(0.5 * ms, report=report)


def fail_in_a_step(net: e.Network) -> None:
    """A run that ends with an error in the middle of a step."""

    def wrong() -> None:
        raise ZeroDivisionError

    operation = e.NetworkOperation(wrong, dt=0.3 * ms, when="after_thresholds", name="wrong")
    net.add(operation)
    with pytest.raises(ZeroDivisionError):
        net.run(0.5 * ms)
    net.remove(operation)


def changes(**values: Any) -> Part:
    """Set attributes of the synapses."""

    def change(net: e.Network) -> None:
        for name, value in values.items():
            setattr(net["synapses"], name, value)

    return change


def connect_more(net: e.Network) -> None:
    net["synapses"].connect(i=[3, 0, 0, 2], j=[1, 4, 4, 0])  # type: ignore[attr-defined]


def fail_to_connect(net: e.Network) -> None:
    with pytest.raises(IndexError):
        net["synapses"].connect(i=[3, 0, 99], j=[1, 4, 0])  # type: ignore[attr-defined]


def set_dt(net: e.Network) -> None:
    net["group"].clock.dt = 0.05 * ms


def set_v(value: float) -> Part:
    """Set the membrane potential, far below the threshold to have no spikes on their way."""
    return lambda net: setattr(net["group"], "v", value)


def switch(name: str, active: bool) -> Part:
    """Make an object active or not."""
    return lambda net: setattr(net[name], "active", active)


STORE, RESTORE = (lambda net: net.store()), (lambda net: net.restore())
LATE, LATER = "0.1*ms*(j % 3)", "0.3*ms - 0.1*ms*(j % 3)"

MANIPULATIONS: dict[str, tuple[Part, ...]] = {
    "connect": (0.6 * ms, connect_more, 0.5 * ms),
    "connect in vain": (0.6 * ms, fail_to_connect, 0.5 * ms),
    "delays": (0.6 * ms, changes(delay=LATE), 0.4 * ms, changes(delay=LATER), 0.2 * ms,
               changes(delay=0.2 * ms), 0.5 * ms, changes(delay=0 * ms), 0.3 * ms),
    "connect while spikes wait": (changes(delay=LATER), 0.5 * ms, connect_more, 0.5 * ms),
    "restore": (0.4 * ms, STORE, 0.6 * ms, RESTORE, 0.5 * ms),
    "restore fewer synapses": (0.4 * ms, STORE, connect_more, 0.6 * ms, RESTORE, 0.5 * ms),
    "restore one delay": (changes(delay=0.2 * ms), 0.4 * ms, STORE, changes(delay=LATE), 0.3 * ms,
                          RESTORE, 0.3 * ms),
    "restore many delays": (changes(delay=LATE), 0.4 * ms, STORE, connect_more, changes(delay=0.4 * ms),
                            0.3 * ms, RESTORE, 0.3 * ms),
    "dt": (0.6 * ms, set_v(-9), 0.3 * ms, set_dt, set_v(0.9), 0.3 * ms, changes(delay=LATE), 0.3 * ms),
    "stop": (changes(delay=0.2 * ms), stop_soon, 0.4 * ms),
    "error in a step": (changes(delay=LATER), 0.2 * ms, fail_in_a_step, 0.4 * ms),
    "inactive pathway": (0.2 * ms, switch("synapses_pre", active=False), 0.3 * ms, connect_more, 0.3 * ms,
                         switch("synapses_pre", active=True), 0.4 * ms),
    "inactive group": (changes(delay=0.2 * ms), 0.4 * ms, switch("group", active=False), 0.6 * ms,
                       switch("group", active=True), 0.4 * ms),
    "inactive synapses": (0.4 * ms, switch("synapses", active=False), 0.6 * ms,
                          switch("synapses", active=True), connect_more, 0.4 * ms),
}  # fmt: skip


@pytest.mark.parametrize("parts", MANIPULATIONS.values(), ids=list(MANIPULATIONS))
@pytest.mark.parametrize("make", [plastic, within])
def test_networks_that_are_changed_between_runs(check: Check, make: Any, parts: tuple[Part, ...]) -> None:
    check(make, *parts)
