"""The voltage-based rule against a plain loop with a pure delay, and a closed form for a clamped voltage."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from eccles import (
    DimensionMismatchError,
    Network,
    NeuronGroup,
    SetupError,
    SpikeGeneratorGroup,
    ms,
    mV,
    second,
)
from eccles.engine.clock import Clock
from eccles.lab.experiments.clopath_2010 import bursts, changes
from eccles.lab.neurons import clopath
from eccles.lab.rules import voltage
from eccles.objects import magic

NEURON = clopath("Clopath 2010, as simulated")


def loop(
    pre: np.ndarray, post: np.ndarray, *, b: float = 0.0805, delay: float = 4.0, dt: float = 0.02
) -> float:
    """The change of the weight: Euler steps in ms, mV, pA, with a pure delay of both low-passes."""
    n = round((max(pre[-1], post[-1]) * 1e3 + 10) / dt)
    is_pre, is_post = ({round(t * 1e3 / dt) for t in train} for train in (pre, post))
    v, adaptation, after, threshold = -70.6, 0.0, 0.0, -50.4
    minus, plus, trace, weight, clamped, late = [-70.6], [-70.6], 0.0, 0.0, 0, round(delay / dt)
    for step in range(n):
        seen_minus, seen_plus = (max(m[max(step - late, 0)] + 70.6, 0.0) for m in (minus, plus))
        if step in is_pre:
            weight -= 14e-5 * seen_minus
            trace += 1 / 15
        if step in is_post:
            clamped = round(2 / dt)
        u = 33.0 if clamped else v
        weight += dt * 8e-5 * trace * max(u + 45.3, 0.0) * seen_plus
        minus.append(minus[-1] + dt * (u - minus[-1]) / 10)
        plus.append(plus[-1] + dt * (u - plus[-1]) / 7)
        trace -= dt * trace / 15
        if clamped:
            clamped -= 1
            if not clamped:
                v, adaptation, after, threshold = -49.5, adaptation + b, 400.0, -30.4
            continue
        slope = (-30 * (v + 70.6) + 60 * math.exp((v - threshold) / 2) - adaptation + after) / 281
        adaptation += dt * (4 * (v + 70.6) - adaptation) / 144
        v, after, threshold = (
            v + dt * slope,
            after - dt * after / 40,
            threshold - dt * (threshold + 50.4) / 50,
        )
    return weight


@pytest.mark.parametrize(("b", "neuron"), [(0.0805, NEURON), (80.5, clopath())])
def test_trains_of_pairs_change_the_weight_as_a_plain_loop_with_a_pure_delay(b: float, neuron) -> None:
    trains = [bursts(rate, gap, 3) for rate in (20, 50) for gap in (-10, 10)]
    found = changes(voltage(), neuron, [t[0] for t in trains], [t[1] for t in trains])
    expected = [loop(*t, b=b) for t in trains]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)  # 0.3 % of the initial weight in 15 bursts
    assert min(expected) < -5e-3
    assert max(expected) > 5e-3


def test_the_default_method_and_rk4_come_to_the_same_weights_as_steps_get_shorter() -> None:
    trains = [bursts(50, gap, 3) for gap in (-10, 10)]
    fixed = replace(NEURON, method="rk4")
    apart = [
        changes(voltage(), fixed, *zip(*trains, strict=True), dt=dt * ms)
        - changes(voltage(), NEURON, *zip(*trains, strict=True), dt=dt * ms)
        for dt in (0.1, 0.05)
    ]
    np.testing.assert_allclose(apart[0], 2 * apart[1], rtol=0.02)  # potentiation is of first order
    assert np.abs(apart[1]).max() < 5e-5


@pytest.mark.slow
def test_more_stages_come_closer_to_a_pure_delay() -> None:
    pre, post = bursts(10, -10, 5)
    exact = loop(pre, post)
    off = [abs(changes(voltage(stages=k), NEURON, [pre], [post])[0] - exact) for k in (2, 6, 16)]
    assert off[2] < off[1] < off[0]
    assert off[2] < 5e-5


@pytest.mark.parametrize(("stages", "percent"), [(8, 0.8), (12, 0.5), (16, 0.4)])
def test_the_cascade_is_as_near_to_a_pure_delay_as_the_rule_says(stages: int, percent: float) -> None:
    trains = [bursts(rate, gap) for rate in (10, 50) for gap in (-10, 10)]
    found = changes(voltage(stages=stages), NEURON, [t[0] for t in trains], [t[1] for t in trains])
    off = 100 * 15 * np.abs(found - [loop(*t) for t in trains]) / 0.5  # of the initial weight, by 15 bursts
    assert 0.8 * percent < off.max() < percent


@pytest.mark.slow
def test_a_clamped_voltage_changes_the_weight_by_the_closed_form() -> None:
    u = np.array([-80.0, -60.0, -50.0, -40.0, -20.0, 0.0])
    rule, n, begin = voltage(), 25, 0.25  # by then, the low-passes have reached the voltage
    with magic.private_scope():
        clock = Clock(0.0001 * second)
        pre = SpikeGeneratorGroup(1, np.zeros(n, int), (begin + np.arange(n) / 25) * second, clock=clock)
        post = NeuronGroup(
            len(u),
            "u : volt\n" + rule.post_equations,
            method="exact",
            clock=clock,
            namespace={**rule.parameters},
        )
        post.u = u * mV
        synapses = rule.synapses(pre, post)
        Network(pre, post, synapses).run(1.6 * second)
        found = np.asarray(synapses.w[:]) - 0.5
    above = np.maximum(u + 70.6, 0.0)
    expected = n * (-14e-5 * above + 8e-5 * np.maximum(u + 45.3, 0.0) * above)  # each trace has the area 1
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_homeostasis_makes_depression_grow_with_the_square_of_the_mean() -> None:
    rule, spikes = voltage(homeostasis=8 * mV), np.array([0.3, 0.5, 0.9])
    with magic.private_scope():
        clock = Clock(1 * ms)
        pre = SpikeGeneratorGroup(1, [0, 0, 0], spikes * second, clock=clock)
        post = NeuronGroup(
            1, "u : volt\n" + rule.post_equations, method="exact", clock=clock, namespace=rule.parameters
        )
        post.u = -50 * mV  # above theta_minus only: there is no potentiation
        synapses = rule.synapses(pre, post)
        Network(pre, post, synapses).run(1 * second)
        found = float(synapses.w[0]) - 0.5
    mean = 20.6 * -np.expm1(-spikes / 1.0)
    late = 20.6  # the delayed low-pass: it has reached the voltage by the first spike
    assert found == pytest.approx(-14e-5 * late * np.sum(mean**2) / 8**2, rel=1e-9)


def test_the_text_has_homeostasis_where_it_was_asked_for() -> None:
    text = str(voltage(homeostasis=8 * mV))
    assert "ubarbar_post**2/u_ref**2" in text
    assert "dubarbar/dt" in text
    assert "ubarbar" not in str(voltage())


def test_mistakes_are_named() -> None:
    with pytest.raises(SetupError, match=r"the number of stages has to be from 0 to .*, not -1"):
        voltage(stages=-1)
    with pytest.raises(SetupError, match=r"the number of stages has to be a whole number, not 2\.5"):
        voltage(stages=2.5)  # type: ignore[arg-type]
    with pytest.raises(DimensionMismatchError, match=r"'u_ref' of the rule .* has another unit"):
        voltage(homeostasis=8)  # type: ignore[arg-type]
    with pytest.raises(SetupError, match="no preset 'cortex'"):
        voltage("cortex")
    with pytest.raises(SetupError, match="needs a postsynaptic neuron"):
        voltage().curve()
