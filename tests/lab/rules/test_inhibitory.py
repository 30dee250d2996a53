"""Inhibitory plasticity against an event-by-event reference and the drift of Poisson spikes."""

from __future__ import annotations

import numpy as np
import pytest

from eccles import Network, PoissonGroup, SetupError, hertz, ms, second, seed
from eccles.lab.rules import Rule, inhibitory


def reference(rule: Rule, pre: np.ndarray, post: np.ndarray, w: float) -> float:
    """From the list of pairs: what each spike does, in order, with the weight kept above 0."""
    eta, tau, rate = (float(rule.parameters[name]) for name in ("eta", "tau", "rate_target"))
    for t, side in sorted([(t, 0) for t in pre] + [(t, 1) for t in post]):
        if side == 0:
            w += eta * (sum(np.exp(-(t - s) / tau) for s in post if s < t) - 2 * rate * tau)
        else:
            w += eta * sum(np.exp(-(t - s) / tau) for s in pre if s <= t)
        w = max(w, 0.0)
    return w


def trains(seed: int, pre_rate: float, post_rate: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.exponential(1 / pre_rate, 80)), np.cumsum(rng.exponential(1 / post_rate, 80))


@pytest.mark.parametrize(("pre_rate", "post_rate"), [(30, 5), (5, 30), (20, 20)])
def test_random_trains_follow_the_event_by_event_reference(pre_rate: float, post_rate: float) -> None:
    rule = inhibitory(eta=0.02)
    pairs = [trains(s, pre_rate, post_rate) for s in range(5)]
    found = rule.response([p * second for p, _ in pairs], [q * second for _, q in pairs])["w"]
    np.testing.assert_allclose(found, [reference(rule, p, q, 1.0) for p, q in pairs], rtol=0, atol=1e-12)


def test_each_side_reads_the_trace_of_the_other() -> None:
    rule = inhibitory(eta=1.0, rate_target=0 * hertz)
    burst, single = np.array([10, 12, 15]) * ms, [40] * ms
    both = float(np.exp(-(0.04 - np.array([0.010, 0.012, 0.015])) / 0.02).sum())
    found = rule.response([burst, single], [single, burst])["w"]
    # a trace read by its own side would add the pairs within the burst
    np.testing.assert_allclose(found, 1 + both, rtol=1e-13)


def test_only_presynaptic_spikes_cost() -> None:
    rule = inhibitory()
    found = rule.response([[10, 400, 900] * ms, [] * ms], [[] * ms, [10, 400, 900] * ms])["w"]
    np.testing.assert_allclose(found, [1 - 3 * 1e-3 * 0.12, 1], rtol=0, atol=1e-15)


def test_the_window_is_symmetric_with_an_offset() -> None:
    gaps = np.array([-60, -10, -1, 0, 1, 10, 60]) * 1e-3
    expected = 1e-3 * (np.exp(-abs(gaps) / 0.02) - 0.12)
    np.testing.assert_allclose(inhibitory().curve(gaps * second), expected, rtol=0, atol=1e-15)


def test_the_weight_stays_above_zero_and_has_no_other_bound() -> None:
    many = np.arange(1, 200) * ms
    found = inhibitory(eta=1.0).response([many, many], [[] * ms, many])["w"]
    assert found[0] == 0
    assert found[1] > 1000


@pytest.mark.parametrize(
    ("x", "y", "n"), [(10.0, 3.0, 300), pytest.param(25.0, 8.0, 2000, marks=pytest.mark.slow)]
)
def test_poisson_spikes_drift_as_they_should(x: float, y: float, n: int) -> None:
    duration, eta, tau, alpha = 20.0, 1e-5, 0.02, 0.12
    seed(7)
    pre, post = PoissonGroup(n, x * hertz), PoissonGroup(n, y * hertz)
    synapses = inhibitory(eta=eta).synapses(pre, post, {"j": "i"})
    Network(pre, post, synapses).run(duration * second)
    change = np.asarray(synapses.w[:]) - 1
    seen = duration - tau * (1 - np.exp(-duration / tau))  # traces begin with 0
    expected = eta * x * (2 * tau * y * seen - alpha * duration)
    error = change.std() / np.sqrt(n)
    assert abs(change.mean() - expected) < 3 * error
    if y == 3:
        assert abs(expected) < 0.002 * eta * x * alpha * duration  # the target is where nothing drifts
    else:
        assert expected > 20 * error  # so it would be seen if it were not there


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SetupError, match="no parameter 'rate'"):
        inhibitory(rate=5 * hertz)
