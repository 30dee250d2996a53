"""The synapse behind the binaural cells: what a rule makes of a beat, and of its control."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate

from eccles import Hz, SetupError, ms, second
from eccles.lab.binaural import (
    CONDITIONS,
    KINDS,
    Downstream,
    Tone,
    beat_drift,
    conditions,
    driven,
    gaps,
    listen,
    nerve_train,
    plasticity,
    unmodulated,
)
from eccles.lab.binaural.nerve import bessel_ratio, concentration
from eccles.lab.measure import phase_locking
from eccles.lab.rules import Rule, pair, suppression

FREE = pair().with_conventions(bounds=None)


def test_gaps_are_from_each_presynaptic_spike_to_the_next_postsynaptic_one() -> None:
    found = gaps([1, 5, 6, 20] * ms, [2, 6, 9] * ms)
    np.testing.assert_allclose(np.asarray(found), [1e-3, 1e-3, 3e-3], atol=1e-15)
    assert len(gaps([1, 5, 6] * ms, [2, 6, 9] * ms, longest=2 * ms)) == 2
    assert len(gaps([1] * ms, np.array([]) * second)) == 0


def test_the_control_has_as_many_spikes_but_no_beat() -> None:
    train = nerve_train((Tone(10 * Hz, 0.6),), 40 * Hz, 100 * second, seed=1)
    flat = unmodulated(train, 10 * Hz, 100 * second, seed=1)
    assert len(flat) == len(train)
    assert float(flat[0]) >= 0
    assert float(flat[-1]) < 100
    assert phase_locking(train, 10 * Hz).vector_strength == pytest.approx(0.6, abs=0.05)
    for multiple in (1, 2, 3):
        assert phase_locking(flat, 10 * multiple * Hz).p_value > 1e-3
    # changes that are slower than a period stay
    slow = nerve_train((Tone(0.2 * Hz, 0.6),), 40 * Hz, 100 * second, seed=1)
    flat = unmodulated(slow, 10 * Hz, 100 * second, seed=1)
    assert phase_locking(flat, 0.2 * Hz).vector_strength == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize("lag", [0.0, 0.01, 0.025, -0.04])
def test_the_drift_is_the_integral_of_window_and_correlation(lag: float) -> None:
    rule = pair(A_plus=0.01, A_minus=0.007, tau_plus=17 * ms, tau_minus=34 * ms)

    def integrand(s: float) -> float:
        window = 0.01 * math.exp(-s / 0.017) if s > 0 else -0.007 * math.exp(s / 0.034)
        return window * 20 * 30 * 2 * 0.4 * 0.5 * math.cos(2 * math.pi * 10 * (s - lag))

    expected = sum(integrate.quad(integrand, *ends, epsabs=1e-13)[0] for ends in ((-1, 0), (0, 1)))
    found = beat_drift(rule, 20 * Hz, 30 * Hz, (0.4, 0.5), 10 * Hz, lag * second)
    assert found == pytest.approx(expected, abs=1e-10)


def poisson_pairs(strength: float, lag: float, trials: int) -> tuple[float, float, float]:
    """The mean change beyond that of the control, its standard error, and the theory."""
    duration, rate, beat = 10.0, 40.0, 8.0
    kappa = concentration(strength)
    pre = [nerve_train((Tone(beat * Hz, strength),), rate * Hz, duration * second, seed=4, stream=("pre", k))
           for k in range(trials)]  # fmt: skip
    post = [nerve_train((Tone(beat * Hz, strength, phase=-2 * math.pi * beat * lag),), rate * Hz,
                        duration * second, seed=4, stream=("post", k)) for k in range(trials)]  # fmt: skip
    flat = [unmodulated(t, beat * Hz, duration * second, seed=4, stream=(k,)) for k, t in enumerate(pre)]
    change = FREE.response([*pre, *flat], [*post, *post])["w"].values
    extra = change[:trials] - change[trials:]
    # all harmonics of both trains; the ends of a trial cut off a little of the windows
    moments = [np.mean(np.cos(k * np.linspace(0, 2 * math.pi, 256, endpoint=False))
                       * np.exp(kappa * np.cos(np.linspace(0, 2 * math.pi, 256, endpoint=False))))
               / np.i0(kappa) for k in range(1, 8)]  # fmt: skip
    assert moments[0] == pytest.approx(float(bessel_ratio(kappa)))
    theory = duration * sum(
        beat_drift(FREE, rate * Hz, rate * Hz, (m, m), k * beat * Hz, lag * second)
        for k, m in enumerate(moments, 1)
    )
    return float(extra.mean()), float(extra.std(ddof=1) / math.sqrt(trials)), theory


@pytest.mark.parametrize(("strength", "lag", "trials"), [
    (0.5, 1 / 32, 40),
    pytest.param(0.5, 0.0, 400, marks=pytest.mark.slow),
    pytest.param(0.5, 1 / 32, 400, marks=pytest.mark.slow),
    pytest.param(0.3, -1 / 32, 400, marks=pytest.mark.slow),
])  # fmt: skip
def test_change_minus_control_is_what_the_beat_adds(strength: float, lag: float, trials: int) -> None:
    found, error, theory = poisson_pairs(strength, lag, trials)
    assert abs(found - theory) < 3 * error + 0.01 * abs(theory)
    if lag:
        assert abs(found) > 4 * error


@pytest.fixture(scope="module")
def pairs() -> dict:
    played = [CONDITIONS["binaural beat"], CONDITIONS["diotic"], CONDITIONS["silence"]]
    heard = listen(played, trials=8, duration=4 * second)
    return {h.condition.name: (h, kinds) for h, kinds in zip(heard, plasticity(heard, FREE), strict=True)}


def test_a_driven_neuron_answers_within_milliseconds_whatever_the_beat(pairs: dict) -> None:
    other = listen([conditions(beat=40 * Hz)["binaural beat"]], trials=2, duration=3 * second)
    trains = {10: pairs["binaural beat"][1]["driven"], 40: plasticity(other, FREE)[0]["driven"]}
    for beat, found in trains.items():
        each = np.concatenate([np.asarray(gaps(a, b)) for a, b in zip(found.pre, found.post, strict=True)])
        assert np.median(each) < 0.004
        assert np.mean(abs(each - 1 / beat) < 0.002) < 0.05


def test_controls_have_the_same_number_of_presynaptic_spikes(pairs: dict) -> None:
    for _, kinds in pairs.values():
        assert set(kinds) == set(KINDS)
        for kind in kinds.values():
            assert [len(t) for t in kind.pre] == [len(t) for t in kind.control_pre]


def test_the_weight_of_pairs_a_quarter_of_a_beat_apart_grows_as_predicted(pairs: dict) -> None:
    heard, kinds = pairs["binaural beat"]
    mean, error = kinds["quarter late"].by_the_beat
    strength, rate = heard.locking("pre").vector_strength, heard.rate("pre") * Hz
    theory = 4 * beat_drift(FREE, rate, rate, (strength, strength), 10 * Hz, 25 * ms)
    assert mean > 4 * error
    assert abs(mean - theory) < 3.5 * error
    silent = pairs["silence"][1]["quarter late"]
    np.testing.assert_array_equal(silent.change, 0)


def test_a_driven_synapse_changes_by_its_rule_and_the_spikes_that_it_saw() -> None:
    train = nerve_train((), 30 * Hz, 3 * second, seed=1)
    change, post = driven([train], FREE, 3 * second, parts=Downstream(weight=1.5, noise_rate=0 * Hz))
    delay = 1e-3
    expected = sum(
        0.005 * math.exp(-gap / 0.02) if gap > 0 else -0.00525 * math.exp(gap / 0.02)
        for arrival in np.asarray(train) + delay
        if arrival <= 3
        for gap in np.asarray(post[0]) - arrival
    )
    assert len(post[0]) > 50
    assert change[0] == pytest.approx(expected, abs=1e-10)


def test_equal_noise_makes_equal_neurons() -> None:
    silent = [np.array([]) * second] * 3
    _, post = driven(silent, FREE, 5 * second, noise=["a", "a", "b"], parts=Downstream(noise_weight=0.3))
    np.testing.assert_array_equal(post[0], post[1])
    assert not np.array_equal(post[0], post[2])
    with pytest.raises(SetupError, match="do not fit"):
        driven(silent, FREE, 1 * second, noise=["a"])


def test_a_rule_of_ones_own_is_taken_and_the_drift_of_another_is_not_guessed() -> None:
    own = Rule("count", "w : 1", on_pre="w += 1")
    (heard,) = listen([CONDITIONS["diotic"]], trials=1, duration=1 * second)
    (kinds,) = plasticity([heard], own)
    assert list(kinds) == ["driven"]
    assert kinds["driven"].change[0] == np.sum(np.asarray(heard.pre[0]) + 1e-3 <= 1)
    # rules with the same parameters, in which other pairs count, or not all of them alike
    alike = [suppression(), pair(scheme="nearest_symmetric"), pair(dependence="multiplicative")]
    for other in (own, *alike):
        with pytest.raises(SetupError, match="not known"):
            beat_drift(other, 1 * Hz, 1 * Hz, (0.5, 0.5), 1 * Hz)
    for same in (pair("Bi & Poo 2001"), pair(coincidence="discard", bounds=None)):
        assert math.isfinite(beat_drift(same, 1 * Hz, 1 * Hz, (0.5, 0.5), 1 * Hz))
