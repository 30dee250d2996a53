"""Weights under pair STDP are those of an event-by-event reference, at every time step."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from reference import PairRule, Side, regular_train
from simulate import network

from eccles import Hz, Network, NeuronGroup, SpikeGeneratorGroup, Synapses, ms, second

pytestmark = pytest.mark.usefixtures("each_way")

RULE = PairRule()
SYNAPSES = """w : 1
dApre/dt = -Apre/taupre : 1 (event-driven)
dApost/dt = -Apost/taupost : 1 (event-driven)"""
ON_PRE = """Apre += dApre
w = clip(w + Apost, 0, wmax)"""
ON_POST = """Apost += dApost
w = clip(w + Apre, 0, wmax)"""


def plastic(pre, post, rule: PairRule = RULE, first: Side = "pre") -> Synapses:
    synapses = Synapses(
        pre, post, SYNAPSES, on_pre=ON_PRE, on_post=ON_POST,
        namespace={"taupre": rule.tau_pre * second, "taupost": rule.tau_post * second, "dApre": rule.a_pre,
                   "dApost": rule.a_post, "wmax": rule.w_max},
    )  # fmt: skip
    synapses.connect(j="i")
    synapses.w = 0.5
    if first == "post":
        synapses.pre.order = 2
    return synapses


def regular_pairs(pre_rates, post_rates, dt: float, first: Side) -> tuple[Network, Synapses]:
    """Pairs of neurons that fire at given rates and have no effect on each other."""
    n = len(pre_rates)
    neurons = NeuronGroup(2 * n, "dx/dt = rate : 1\nrate : Hz", threshold="x > 1", reset="x = 0")
    neurons.rate = np.concatenate([pre_rates, post_rates]).astype(float) * Hz
    synapses = plastic(neurons[:n], neurons[n:], first=first)
    return network(neurons, synapses, dt=dt), synapses


@pytest.mark.parametrize("dt", [1e-5, 1e-4, 1e-3])
@pytest.mark.parametrize(
    ("first", "rounded"), [("pre", [0.549, 0.099, 0.128]), ("post", [0.041, 0.058, 0.087])]
)
def test_the_threads_experiment_ends_at_the_weights_of_exact_spike_times(first, rounded, dt) -> None:
    rates = [250, 220, 210]
    expected = [RULE.final_weight(regular_train(200, 2), regular_train(g, 2), first=first) for g in rates]
    np.testing.assert_allclose(expected, rounded, atol=5e-4)
    net, synapses = regular_pairs([200] * 3, rates, dt, first)
    net.run(2 * second)
    np.testing.assert_allclose(synapses.w[:], expected, rtol=0, atol=1e-12)


@cache
def random_pairs(n: int, duration: int) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Two random rates for each pair, and the weights that result."""
    pre, post = np.random.default_rng(6).uniform(20, 450, (2, n))
    both = zip(pre, post, strict=True)
    return (
        pre,
        post,
        [RULE.final_weight(regular_train(f, duration), regular_train(g, duration)) for f, g in both],
    )


@pytest.mark.parametrize("dt", [1e-4, 1e-3])
@pytest.mark.parametrize(("n_pairs", "duration"), [(100, 2), pytest.param(1000, 10, marks=pytest.mark.slow)])
def test_weights_of_random_pairs_of_rates_are_those_of_the_reference(n_pairs, duration, dt) -> None:
    pre, post, expected = random_pairs(n_pairs, duration)
    net, synapses = regular_pairs(pre, post, dt, "pre")
    net.run(duration * second)
    assert len(np.unique(expected)) > 0.6 * n_pairs  # not all at a bound
    np.testing.assert_allclose(synapses.w[:], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("first", ["pre", "post"])
def test_weights_under_whole_rates_whose_spikes_often_coincide_are_those_of_the_reference(first) -> None:
    pre, post = np.random.default_rng(7).choice(np.arange(20, 450, 10), (2, 30))
    expected = [
        RULE.final_weight(regular_train(int(f), 2), regular_train(int(g), 2), first=first)
        for f, g in zip(pre, post, strict=True)
    ]
    net, synapses = regular_pairs(pre, post, 1e-3, first)
    net.run(2 * second)
    np.testing.assert_allclose(synapses.w[:], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dt", [1e-4, 1e-2])
def test_weights_under_irregular_trains_and_delays_are_those_of_the_reference(dt) -> None:
    rng = np.random.default_rng(8)
    n = 20
    rule = PairRule(a_pre=0.05, a_post=-0.04, tau_pre=0.013, tau_post=0.029)
    pre_times, post_times = ([np.sort(rng.uniform(0, 0.5, 40)) for _ in range(n)] for _ in range(2))
    delays = rng.uniform(0, 0.02, n)
    sides = []
    for times in (pre_times, post_times):
        indices = np.repeat(np.arange(n), 40)
        sides.append(SpikeGeneratorGroup(n, indices, np.concatenate(times) * second))
    synapses = plastic(*sides, rule=rule)
    synapses.pre.delay = delays * second
    net = network(*sides, synapses, dt=dt)
    net.run(600 * ms)
    for k in range(n):
        arrivals = [Fraction(t) + Fraction(delays[k]) for t in pre_times[k]]
        expected = rule.final_weight(arrivals, [Fraction(t) for t in post_times[k]])
        assert synapses.w[k] == pytest.approx(expected, abs=1e-12)


def test_weights_do_not_depend_on_where_a_run_is_split() -> None:
    whole, synapses = regular_pairs([200] * 3, [250, 220, 210], 1e-4, "pre")
    whole.run(200 * ms)
    parts, others = regular_pairs([200] * 3, [250, 220, 210], 1e-4, "pre")
    for duration in (20, 5, 0.1, 174.9):  # several ends at which both sides spike
        parts.run(duration * ms)
    np.testing.assert_allclose(others.w[:], synapses.w[:], rtol=0, atol=1e-13)
