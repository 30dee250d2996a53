"""Native code against the interpreter of the IR, for every kind of object."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracle import assert_native_as_interpreted

import eccles as e
from eccles.units import Hz, ms, mV, nA

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
def test_neurons_with_reset_and_refractory_period(n: int) -> None:
    assert_native_as_interpreted(lambda: [lif(n)])


@pytest.mark.parametrize("method", ["exact", "exponential_euler", "euler", "rk2", "rk4", "heun", "milstein"])
def test_every_method_of_integration(method: str) -> None:
    assert_native_as_interpreted(lambda: [lif(11, method=method)])


def test_coupled_linear_equations_with_a_matrix_exponential_per_neuron() -> None:
    def make() -> list[Any]:
        group = e.NeuronGroup(
            9, "dv/dt = (w - v)/tau : 1\ndw/dt = (v - 2*w)/(4*ms) + 1*Hz : 1\ntau : second (constant)",
            method="exact",
        )  # fmt: skip
        group.tau = "(1 + i)*ms"
        group.v = 1
        return [group]

    assert_native_as_interpreted(make, 1 * ms, 0.5 * ms)


def test_noise_and_random_numbers() -> None:
    def make() -> list[Any]:
        group = e.NeuronGroup(
            10, "dv/dt = -v/(2*ms) + 0.5*ms**-0.5*xi : 1\nx : 1\nk : integer", method="euler",
            threshold="v > 0.3 + 0.1*rand()", reset="v = -rand()",
        )  # fmt: skip
        group.run_regularly("x = randn() + rand(); k += poisson(2.5)", dt=0.2 * ms)
        return [group]

    assert_native_as_interpreted(make)


def test_integers_truth_values_functions_and_single_precision() -> None:
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
            method="rk4",
        )
        group.y = "1 + i"
        group.n = "i - 5"
        return [group]

    assert_native_as_interpreted(make)


def test_refractory_while_a_condition_holds_and_further_events() -> None:
    def make() -> list[Any]:
        group = lif(9, refractory="v < 0.4", events={"half": "v > 0.5"})
        group.run_on_event("half", "drive += 0.001*v")
        monitor = e.EventMonitor(group, "half", variables=["v", "drive"])
        return [group, monitor, e.StateMonitor(group, "not_refractory", record=True)]

    assert_native_as_interpreted(make)


def test_parts_of_groups_and_their_monitors() -> None:
    def make() -> list[Any]:
        group = lif(20)
        part = group[3:15]
        part.run_regularly("v += 0.001*i/N", dt=0.3 * ms)
        return [
            group, part, e.SpikeMonitor(part, variables="v"), e.PopulationRateMonitor(part),
            e.StateMonitor(part, "v", record=[0, 5, 11]), e.PopulationRateMonitor(group),
        ]  # fmt: skip

    assert_native_as_interpreted(make, 1.5 * ms, 1 * ms)


def test_monitors_that_run_out_of_room() -> None:
    def make() -> list[Any]:
        group = e.NeuronGroup(40, "v : 1", threshold="v > 0")
        group.v = "i % 3"
        trace = e.StateMonitor(group, "v", record=True)
        counter = e.SpikeMonitor(group, record=False)
        return [group, e.SpikeMonitor(group), counter, trace]

    assert_native_as_interpreted(make, 4 * ms)


def test_linked_variables_and_timed_arrays() -> None:
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

    assert_native_as_interpreted(make)


def test_sources_of_spikes() -> None:
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

    assert_native_as_interpreted(make)


def test_several_clocks_and_network_operations() -> None:
    def make() -> list[Any]:
        fast = lif(5, dt=0.05 * ms)
        slow = e.NeuronGroup(3, "dv/dt = 1/ms : 1", dt=0.3 * ms, method="euler")

        @e.network_operation(dt=0.4 * ms)
        def kick() -> None:
            slow.v += 1

        return [fast, slow, kick, e.StateMonitor(fast, "v", record=[1], dt=0.15 * ms)]

    assert_native_as_interpreted(make, 1.1 * ms, 0.7 * ms)


def test_values_held_over_a_step_and_shared_variables() -> None:
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

    assert_native_as_interpreted(make)
