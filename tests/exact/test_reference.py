"""The references that the other tests here stand on, against each other and against closed forms."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from reference import (
    Leaky,
    Nonlinear,
    PairRule,
    Term,
    adex,
    hodgkin_huxley,
    in_order,
    izhikevich,
    leaky_rate,
    mp,
    mpf,
    regular_train,
    value,
    zeros,
)
from scipy.integrate import quad


def test_a_regular_train_includes_the_end_of_the_run() -> None:
    assert regular_train(250, Fraction(1, 50)) == [Fraction(n, 250) for n in range(1, 6)]
    assert (
        len(regular_train(307.83, 100)) == 30783
    )  # 307.83 is not a binary fraction: the last is 1e-14 s off
    assert len(regular_train(307.83, Fraction(99999999, 10**6))) == 30782


def test_coincident_spikes_come_in_the_order_asked_for() -> None:
    pre, post = regular_train(200, Fraction(1, 50)), regular_train(Fraction(500, 3), Fraction(1, 50))
    sides = "".join(side[1] for _, side in in_order(pre, post, "pre"))
    assert sides == "rororor"  # 5, 6, 10, 12, 15, 18, 20 ms
    late = [t + Fraction(1, 2 * 10**12) for t in pre]
    assert [s for _, s in in_order(pre, late, "pre")] == ["pre", "post"] * 4
    assert [s for _, s in in_order(pre, late, "post")] == ["post", "pre"] * 4
    late = [t + Fraction(3, 10**12) for t in pre]
    assert [s for _, s in in_order(pre, late, "post")] == ["pre", "post"] * 4


@pytest.mark.parametrize("first", ["pre", "post"])
def test_weights_by_traces_are_those_by_pairs(first) -> None:
    rng = np.random.default_rng(3)
    rule = PairRule(a_pre=0.1, a_post=-0.12, tau_pre=0.015, tau_post=0.03)
    for _ in range(10):
        pre, post = (
            [Fraction(int(t), 1000) for t in np.sort(rng.choice(150, 40, replace=False))] for _ in range(2)
        )
        assert rule.final_weight(pre, post, first=first) == pytest.approx(
            float(rule.final_weight_by_pairs(pre, post, first=first)), abs=1e-14
        )


def test_zeros_of_sums_of_exponentials_are_all_found() -> None:
    rng = np.random.default_rng(4)
    numbers = 0
    for _ in range(60):
        terms = [
            Term(mpf(0), (mpf(rng.normal()) / 10,)),
            Term(mpf(1), (mpf(rng.normal()),)),
            Term(mpf(3), (mpf(rng.normal()) * 3, mpf(rng.normal()) * 10)),
        ]
        s = np.linspace(0, 5, 20001)
        sampled = sum(
            (float(c) * s**k * np.exp(-float(term.rate) * s) for term in terms
             for k, c in enumerate(term.coefficients)), np.zeros_like(s)
        )  # fmt: skip
        changes = s[1:][np.diff(np.sign(sampled)) != 0]
        found = zeros(terms, mpf(5))
        np.testing.assert_allclose([float(z) for z in found], changes, atol=5 / 20000)
        assert all(abs(value(terms, z)) < mpf(10) ** -35 for z in found)
        numbers += len(found)
    assert numbers > 50


def test_zeros_a_millionth_of_a_millionth_apart_are_found() -> None:
    # the maximum of exp(-s) - exp(-2 s) is 1/4 at ln 2
    terms = [Term(mpf(0), (mpf(-1) / 4 + mpf(10) ** -24,)), Term(mpf(1), (mpf(1),)), Term(mpf(2), (mpf(-1),))]
    found = zeros(terms, mpf(5))
    assert len(found) == 2
    assert found[0] < mp.log(2) < found[1]
    assert float(found[1] - found[0]) == pytest.approx(4e-12, rel=1e-6)
    terms[0] = Term(mpf(0), (mpf(-1) / 4 - mpf(10) ** -24,))
    assert zeros(terms, mpf(5)) == []


def test_a_leaky_neuron_fires_at_its_rate() -> None:
    neuron = Leaky(mu=1.5, t_ref=0.003, reset=-0.5, v=-0.5)
    neuron.run(0.2)
    period = 1 / leaky_rate(0.01, 1.5, 1.0, -0.5, 0.003)
    expected = period * np.arange(1, len(neuron.spikes) + 1) - 0.003
    np.testing.assert_allclose([float(t) for t in neuron.spikes], expected, rtol=1e-14)
    assert len(neuron.spikes) == 12


@pytest.mark.parametrize(
    ("kind", "weight"), [("delta", 0.3), ("exponential", 3.0), ("exponential", -1.0), ("alpha", 3.0)]
)
def test_leaky_neurons_in_closed_form_are_those_of_scipy(kind, weight) -> None:
    arrivals = np.sort(np.random.default_rng(5).uniform(0, 0.05, 25))
    leaky = Leaky(input=kind, mu=0.9 if weight > 0 else 3.0)
    leaky.run(0.05, [(t, weight) for t in arrivals])

    def slopes(y):
        v, i, a = y
        rise = (a - i) / 2 if kind == "alpha" else -i / 2
        return [(leaky.mu - v + i) / 10, rise, -a / 2]

    kicked = {"delta": 0, "exponential": 1, "alpha": 2}[kind]
    neuron = Nonlinear(
        slopes, (0.0, 0.0, 0.0), lambda y: y[0] - 1.0, lambda y: [0.0, y[1], y[2]], (kicked, weight)
    )
    times = neuron.spikes(50.0, [t * 1e3 for t in arrivals])
    assert len(times) > 3
    np.testing.assert_allclose(times, [float(t) * 1e3 for t in leaky.spikes], atol=1e-10)


def test_a_quadratic_neuron_fires_at_the_times_of_the_tangent() -> None:
    # v = sqrt(c)*tan(sqrt(c)*t + phase)
    neuron = Nonlinear(lambda y: [y[0] ** 2 + 0.3], (-1.0,), lambda y: y[0] - 1e4, lambda _: [-1.0])
    root = math.sqrt(0.3)
    period = (math.atan(1e4 / root) + math.atan(1 / root)) / root
    np.testing.assert_allclose(neuron.spikes(20.0), period * np.arange(1, 5), rtol=1e-11)


def test_the_cut_off_of_an_adex_neuron_moves_its_spikes_by_the_rest_of_the_upswing() -> None:
    current = 1.0
    first = {cutoff: adex(cutoff, current).spikes(30.0)[0] for cutoff in (-40, -20, 0)}

    def pace(v: float) -> float:  # w has reached about 0.003 nA, a tenth of a percent of the current
        return 0.281 / (-0.03 * (v + 70.6) + 0.06 * math.exp((v + 50.4) / 2) + current)

    for low, high in ((-40, -20), (-20, 0)):
        rest = quad(pace, low, high)[0]
        # at 9 ms, a double in milliseconds resolves 2e-15
        assert first[high] - first[low] == pytest.approx(rest, rel=2e-3, abs=1e-11)


@pytest.mark.parametrize(
    "neuron",
    [adex(0, 0.7, 0.5), izhikevich(0.1, 0.2, -65, 2, 6, 4), hodgkin_huxley(3, 0.5)],
    ids=["adex", "izhikevich", "hodgkin-huxley"],
)
def test_spikes_of_nonlinear_neurons_have_converged(neuron) -> None:
    arrivals = [3.14159, 11.0001, 20.71828, 33.33333, 41.7]
    coarse, fine = (neuron.spikes(50.0, arrivals, rtol=rtol) for rtol in (1e-10, 1e-12))
    assert len(fine) >= 3
    np.testing.assert_allclose(coarse, fine, atol=2e-8)
    assert abs(coarse - fine).max() > 0
