"""Homeostatic scaling against its closed form, and whether a neuron comes to its target."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from eccles import (
    Network,
    NeuronGroup,
    PoissonGroup,
    SetupError,
    SpikeGeneratorGroup,
    SpikeMonitor,
    hertz,
    ms,
    second,
    seed,
)
from eccles.lab.rules import homeostasis

TARGET, TAU_RATE, TAU_W = 5.0, 1.0, 100.0


def closed_form(post: np.ndarray, end: float) -> float:
    """log(w) at the end: time drives it up, and each spike down by what has come of it so far."""
    return (end - np.sum(-np.expm1(-(end - post[post <= end]) / TAU_RATE)) / TARGET) / TAU_W


@pytest.mark.parametrize("rate", [0.7, 5.0, 31.0])
def test_a_constant_rate_scales_by_the_closed_form(rate: float) -> None:
    post = np.arange(1, int(30 * rate)) / rate
    pre = np.sort(np.random.default_rng(2).uniform(0, 30, 50))
    found = homeostasis().response(
        [pre * second], [post * second], variables=["w_now", "rate"], duration=30 * second
    )
    assert np.log(found["w_now"].item()) == pytest.approx(closed_form(post, 30.0), abs=1e-12)
    assert found["rate"].item() == pytest.approx(np.exp(-(30 - post) / TAU_RATE).sum() / TAU_RATE, rel=1e-12)


def test_scipy_integrates_to_the_same_weight() -> None:
    post = np.sort(np.random.default_rng(4).uniform(0, 20, 60))
    state, now = [0.0, 2.0], 0.0
    for t in [*post, 20.0]:
        state = solve_ivp(
            lambda _, s: [-s[0] / TAU_RATE, s[1] * (1 - s[0] / TARGET) / TAU_W], (now, t), state,
            method="DOP853", rtol=1e-13, atol=1e-15,
        ).y[:, -1]  # fmt: skip
        state[0], now = state[0] + 1 / TAU_RATE, t
    found = homeostasis().response(
        [[] * ms], [post * second], variables="w_now", duration=20 * second, initial={"w": 2.0}
    )
    assert found["w_now"].item() == pytest.approx(state[1], rel=1e-11)


def test_the_weights_of_a_neuron_keep_their_ratios() -> None:
    rng = np.random.default_rng(1)
    n, spikes, end = 20, 400, 50.0
    source = SpikeGeneratorGroup(n, rng.integers(0, n, spikes), rng.uniform(0, end, spikes) * second)
    target = SpikeGeneratorGroup(1, np.zeros(400, int), np.sort(rng.uniform(0, end, 400)) * second)
    start = rng.uniform(0.1, 3, n)
    synapses = homeostasis().synapses(source, target, initial={"w": start})
    Network(source, target, synapses).run(end * second)
    found = np.asarray(synapses.w_now[:])
    np.testing.assert_allclose(found / found[0], start / start[0], rtol=1e-13)
    assert abs(found[0] / start[0] - 1) > 0.1


@pytest.mark.parametrize(
    ("w", "n", "duration", "within"),
    [(0.3, 5, 50, 0.1), pytest.param(3.0, 20, 400, 0.03, marks=pytest.mark.slow)],
)
def test_a_driven_cell_comes_to_its_target(w: float, n: int, duration: float, within: float) -> None:
    seed(3)
    rule = homeostasis(tau_w=10 * second, rate_target=8 * hertz)
    inputs = PoissonGroup(100, 20 * hertz)
    cells = NeuronGroup(
        n, "dv/dt = -v/(20*ms) : volt", threshold="v > 15*mV", reset="v = 0*mV", refractory=2 * ms
    )
    synapses = rule.synapses(inputs, cells, transmission="v_post += w*0.5*mV", initial={"w": w})
    early, late = SpikeMonitor(cells), SpikeMonitor(cells)
    network = Network(inputs, cells, synapses, early, late)
    late.active = False
    network.run(1 * second)
    first = early.num_spikes / n
    early.active = False
    network.run((duration / 2 - 1) * second)
    late.active = True
    network.run(duration / 2 * second)
    rate = late.num_spikes / n / (duration / 2)
    assert abs(first - 8) > 4  # it begins far away
    assert rate == pytest.approx(8, rel=within)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SetupError, match="no parameter 'target'"):
        homeostasis(target=5 * hertz)
