"""Summed variables, against sums in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eccles
import eccles.brian2
from eccles import EquationError, Network, NeuronGroup, StateMonitor, Synapses, ms, mV, run
from eccles.errors import ModelError

FACES = [eccles, eccles.brian2]


@given(
    pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=30),
    seed=st.integers(0, 2**31),
    side=st.sampled_from(["pre", "post"]),
)
def test_all_synapses_of_a_neuron_are_summed_in_order_of_creation(
    pairs: list[tuple[int, int]], seed: int, side: str
) -> None:
    rng = np.random.default_rng(seed)
    source = NeuronGroup(5, "x : 1\ntotal : 1")
    target = NeuronGroup(4, "y : 1\ntotal : 1")
    synapses = Synapses(source, target, f"w : 1\ntotal_{side} = w*(x_pre - y_post) : 1 (summed)")
    synapses.connect(i=[i for i, _ in pairs], j=[j for _, j in pairs])
    source.x, target.y = rng.normal(size=5), rng.normal(size=4)
    synapses.w = w = rng.normal(size=len(pairs))
    group = source if side == "pre" else target
    group.total = 99  # is overwritten
    Network(source, target, synapses).run(0.1 * ms)
    expected = np.zeros(len(group))
    for (i, j), weight in zip(pairs, w, strict=True):
        expected[i if side == "pre" else j] += weight * (source.x[i] - target.y[j])
    assert group.total[:].tolist() == expected.tolist()


@pytest.mark.parametrize("face", FACES)
def test_sums_are_taken_before_the_neurons_are_updated(face: Any) -> None:
    source = face.NeuronGroup(1, "dx/dt = 1/ms : 1")
    target = face.NeuronGroup(1, "dy/dt = total/ms : 1\ntotal : 1", method="euler")
    synapses = face.Synapses(source, target, "total_post = x_pre : 1 (summed)")
    synapses.connect()
    trace = face.StateMonitor(target, ["total", "y"], record=0)
    face.Network(source, target, synapses, trace).run(0.5 * ms)
    n = 6 if face is eccles else 5  # samples; there the end of the run is one of them
    np.testing.assert_allclose(trace.total[0], [0, 0, 0.1, 0.2, 0.3, 0.4][:n])
    np.testing.assert_allclose(trace.y[0], [0, 0, 0.01, 0.03, 0.06, 0.1][:n], atol=1e-15)


@pytest.mark.parametrize(
    ("face", "shift"),
    [
        (eccles, 0),
        (eccles.brian2, 1),  # Brian 2.9 sums onto a part of a group after the group's update
    ],
)
def test_sums_onto_parts_of_groups(face: Any, shift: int) -> None:
    group = face.NeuronGroup(4, "dx/dt = (i + 1)/ms : 1\ntotal : 1")
    group.total = 7
    synapses = face.Synapses(group[2:], group[1:3], "total_post = x_pre : 1 (summed)")
    synapses.connect(j="i")
    face.Network(group, synapses).run(0.3 * ms)
    steps = 2 + shift
    np.testing.assert_allclose(group.total[:], [7, 0.3 * steps, 0.4 * steps, 7])


def test_sums_see_clock_driven_variables_and_subexpressions() -> None:
    source, target = NeuronGroup(2, "x : 1"), NeuronGroup(2, "total : volt")
    synapses = Synapses(
        source, target,
        """dg/dt = -g/(5*ms) : 1 (clock-driven)
        part = g*(1 + i) : 1
        total_post = part*mV : volt (summed)""",
        method="exact",
    )  # fmt: skip
    synapses.connect()
    synapses.g = "1 + j"
    run(1 * ms)
    expected = np.exp(-0.9 / 5) * np.array([1 + 2, 2 * (1 + 2)])
    np.testing.assert_allclose(target.total / mV, expected, rtol=1e-12)


def test_a_group_without_synapses_gets_zero() -> None:
    group = NeuronGroup(3, "total : 1")
    group.total = 5
    synapses = Synapses(group, group, "total_post = 1 : 1 (summed)")
    synapses.connect(condition="i > 100")
    run(0.1 * ms)
    assert group.total[:].tolist() == [0, 0, 0]


def test_two_synapses_cannot_sum_into_one_variable() -> None:
    group = NeuronGroup(3, "total : 1")
    first = Synapses(group, group, "total_post = 1 : 1 (summed)")
    second = Synapses(group, group, "total_post = 2 : 1 (summed)")
    first.connect()
    second.connect()
    with pytest.raises(NotImplementedError, match=r"synapses.*synapses_1.*'total'"):
        Network(group, first, second).run(0.1 * ms)
    Network(group, first).run(0.1 * ms)
    assert group.total[:].tolist() == [3, 3, 3]


def test_two_sums_of_one_synapses_have_a_variable_each() -> None:
    group = NeuronGroup(2, "a : 1\nb : 1")
    synapses = Synapses(group, group, "a_post = i : 1 (summed)\nb_pre = 10*j : 1 (summed)")
    synapses.connect()
    trace = StateMonitor(group, ["a", "b"], record=True)
    run(0.3 * ms)
    assert trace.a[:, -1].tolist() == [1, 1]
    assert trace.b[:, -1].tolist() == [10, 10]


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("missing_post = 1 : 1 (summed)", "has no variable 'missing'"),
        ("total_post = 1*mV : volt (summed)", "total"),
        ("x_post = 1 : 1 (summed)", "equation of its own"),
        ("total = 1 : 1 (summed)", "_post or _pre"),
        ("total_post = w : 1 (summed)", "'w'"),
        ("total_post : 1 (summed)", "summed"),
        ("dtotal_post/dt = 1/ms : 1 (summed)", "summed"),
        ("total_post = 1 : 1 (summed, shared)", "shared"),
        ("common_post = 1 : 1 (summed)", "shared by all"),
        ("count_post = 1 : 1 (summed)", "integer"),
        ("other_post = 1 : 1 (summed)", "no values of its own"),
    ],
)
def test_sums_that_make_no_sense_are_refused(model: str, text: str) -> None:
    group = NeuronGroup(
        2, "dx/dt = -x/ms : 1\ntotal : 1\ncommon : 1 (shared)\ncount : integer\nother : 1 (linked)"
    )
    with pytest.raises((EquationError, ModelError)) as caught:
        Synapses(group, group, model)
    assert text in str(caught.value)
