"""Pair rules against their definitions, spike by spike, and against closed forms."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from spike_by_spike import pair_weight
from spike_trains import poisson_trains, random_trains, with_units

from eccles import DimensionMismatchError, Hz, SetupError, ms, second
from eccles.lab.rules import pair
from eccles.lab.rules.pair import DEPENDENCES, PRESETS, SCHEMES

NUMBERS = {"A_plus": 0.11, "A_minus": 0.07, "tau_plus": 0.017, "tau_minus": 0.034}
COINCIDENCES = ("pre_first", "post_first", "discard")
OPTIONS = list(itertools.product(SCHEMES, DEPENDENCES, COINCIDENCES))
# each value of each option once, in a few of all combinations
FEW = [
    (scheme, dependence, COINCIDENCES[(i + j) % 3])
    for i, scheme in enumerate(SCHEMES) for j, dependence in enumerate(DEPENDENCES) if (i + j) % 2
]  # fmt: skip


def numbers(**others: float) -> dict[str, Any]:
    values = {**NUMBERS, **others}
    return {name: value * second if name.startswith("tau") else value for name, value in values.items()}


def assert_like_the_definition(scheme: str, dependence: str, coincidence: str, seed: int) -> None:
    mu = {"mu": 0.3} if dependence in ("guetig", "power_law") else {}
    pre, post = random_trains(seed)
    rule = pair(scheme=scheme, dependence=dependence, coincidence=coincidence, **numbers(**mu))  # type: ignore[arg-type]
    w = np.linspace(0.1, 0.9, len(pre))
    found = rule.response(with_units(pre), with_units(post), initial={"w": w})["w"].values
    assert rule.bounds is not None
    expected = [
        pair_weight(a, b, scheme, dependence, coincidence, w=start, bounds=rule.bounds, **NUMBERS, **mu)
        for a, b, start in zip(pre, post, w, strict=True)
    ]
    assert len({round(value, 9) for value in expected}) > 1  # not all of them at a bound
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("scheme", "dependence", "coincidence"), FEW)
def test_pairs_are_those_of_the_definition(scheme: str, dependence: str, coincidence: str) -> None:
    assert_like_the_definition(scheme, dependence, coincidence, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize(("scheme", "dependence", "coincidence"), OPTIONS)
def test_pairs_are_those_of_the_definition_in_all_combinations(
    scheme: str, dependence: str, coincidence: str, seed: int
) -> None:
    assert_like_the_definition(scheme, dependence, coincidence, seed)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_conventions_of_coincidence_differ_where_spikes_coincide(scheme: str) -> None:
    pre, post = (with_units(trains) for trains in random_trains(1))
    weights = [
        pair(scheme=scheme, coincidence=c, bounds=None, **numbers()).response(pre, post)["w"].values  # type: ignore[arg-type]
        for c in COINCIDENCES
    ]
    for one, other in itertools.combinations(weights, 2):
        assert np.all(abs(one - other) > 1e-5)


@pytest.mark.parametrize("delays", ["axonal", "dendritic", "split"])
def test_spikes_coincide_where_they_meet_at_the_synapse(delays: str) -> None:
    rule = pair(coincidence="discard", delays=delays, scheme="nearest_symmetric", **numbers())  # type: ignore[arg-type]
    met = {"axonal": 6, "dendritic": -6, "split": 0}[delays]
    assert rule.curve([met] * ms, delay=6 * ms).values == pytest.approx([0], abs=1e-16)
    # with a pair before it, each of the two has something older to be paired with
    pre, post = np.array([20, 50 + max(-met, 0)]), np.array([25, 50 + max(met, 0)])
    shift = {"axonal": (6, 0), "dendritic": (0, 6), "split": (3, 3)}[delays]
    found = rule.response([pre] * ms, [post] * ms, delay=6 * ms)["w"].values[0]
    expected = pair_weight((pre + shift[0]) / 1e3, (post + shift[1]) / 1e3, "nearest_symmetric", "additive",
                           "discard", w=0.5, bounds=(0, 1), **NUMBERS)  # fmt: skip
    assert found == pytest.approx(expected, abs=1e-12)
    assert abs(found - 0.5) > 1e-3


@pytest.mark.parametrize("lag", [0.004, 0.0131])
@pytest.mark.parametrize("n", [1, 2, 7, 60])
def test_n_regular_pairs_change_the_weight_by_the_sum_over_all_gaps(n: int, lag: float) -> None:
    period = 0.02
    rule = pair(bounds=None, **numbers())
    onsets = np.arange(n) * period
    found = rule.response([onsets * second], [(onsets + lag) * second])["w"].values[0] - 0.5
    plus = sum((n - k) * 0.11 * np.exp(-(k * period + lag) / 0.017) for k in range(n))
    minus = sum((n - k) * 0.07 * np.exp(-(k * period - lag) / 0.034) for k in range(1, n))
    assert found == pytest.approx(plus - minus, rel=1e-12)


PER_PAIR = {  # of infinite regular trains with period P and lag d: pairs of each spike
    "all_to_all": lambda P, d: (
        0.11 * np.exp(-d / 0.017) / (1 - np.exp(-P / 0.017))
        - 0.07 * np.exp(-(P - d) / 0.034) / (1 - np.exp(-P / 0.034))
    ),
    "neighbours": lambda P, d: 0.11 * np.exp(-d / 0.017) - 0.07 * np.exp(-(P - d) / 0.034),
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_pair_of_long_regular_trains_changes_the_weight_by_the_closed_form(scheme: str) -> None:
    period, lags = 0.02, np.array([0.001, 0.007, 0.0195])
    pre, post = [], []
    for lag in lags:
        for n in (100, 101):
            pre.append(np.arange(n) * period * second)
            post.append((np.arange(n) * period + lag) * second)
    rule = pair(scheme=scheme, bounds=None, **numbers())  # type: ignore[arg-type]
    weights = rule.response(pre, post)["w"].values
    form = PER_PAIR["all_to_all" if scheme == "all_to_all" else "neighbours"]
    np.testing.assert_allclose(weights[1::2] - weights[::2], form(period, lags), rtol=0, atol=1e-12)


X, Y = 15.0, 25.0  # rates of Poisson trains, in hertz
DRIFTS = {
    "all_to_all": X * Y * (0.011 * 0.017 - 0.005 * 0.034),
    "nearest_symmetric": X * Y * (0.011 / (1 / 0.017 + X) - 0.005 / (1 / 0.034 + Y)),
    "presynaptic_centred": X * Y * (0.011 / (1 / 0.017 + Y) - 0.005 / (1 / 0.034 + Y)),
    "reduced_symmetric": X * Y * (0.011 / (1 / 0.017 + X + Y) - 0.005 / (1 / 0.034 + X + Y)),
}


def assert_drift(scheme: str, n: int, duration: float, precision: float) -> None:
    rng = np.random.default_rng(7)
    trains = [with_units(poisson_trains(rate, duration, n, rng)) for rate in (X, Y)]
    rule = pair(scheme=scheme, bounds=None, **numbers(A_plus=0.011, A_minus=0.005))  # type: ignore[arg-type]
    drifts = (rule.response(*trains)["w"].values - 0.5) / duration
    error = drifts.std(ddof=1) / np.sqrt(n)
    assert error < precision * X * Y * 0.005 * 0.034  # it means something: a part of depression alone
    # the start of the trains has no past: the first time constants miss pairs, less than this of the mean
    missing = X * Y * 0.011 * 0.034**2 / duration
    assert abs(drifts.mean() - DRIFTS[scheme]) < 3 * error + missing


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_drift_of_poisson_trains_is_the_closed_form(scheme: str) -> None:
    assert_drift(scheme, n=100, duration=20, precision=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_drift_of_long_poisson_trains_is_the_closed_form(scheme: str) -> None:
    assert_drift(scheme, n=400, duration=150, precision=0.006)


def bcm(scheme: str, y: np.ndarray, n: int, duration: float) -> tuple[np.ndarray, np.ndarray]:
    """Drift, and its standard error, at postsynaptic rates y, by the numbers of Izhikevich & Desai."""
    rng = np.random.default_rng(11)
    pre = poisson_trains(20.0, duration, n * len(y), rng)
    post = [train for rate in y for train in poisson_trains(rate, duration, n, rng)]
    rule = pair("Izhikevich & Desai 2003", scheme=scheme, bounds=None)  # type: ignore[arg-type]
    change = rule.response(with_units(pre), with_units(post))["w"].values - 0.5
    drifts = change.reshape(len(y), n) / duration
    return drifts.mean(axis=1), drifts.std(axis=1, ddof=1) / np.sqrt(n)


def assert_threshold(n: int, duration: float) -> None:
    a_plus, a_minus, fast, slow = 0.103, 0.051, 1 / 0.014, 1 / 0.034
    threshold = (a_minus * fast - a_plus * slow) / (a_plus - a_minus)
    assert threshold == pytest.approx(11.8, abs=0.05)
    y = threshold * np.array([0.25, 0.5, 1.0, 2.0, 4.0])
    mean, error = bcm("presynaptic_centred", y, n, duration)
    expected = 20.0 * y * (a_plus / (fast + y) - a_minus / (slow + y))
    assert expected[2] == pytest.approx(0, abs=1e-12)
    missing = 20.0 * y * a_minus * 0.034**2 / duration  # the trains have no past
    assert np.all(abs(mean - expected) < 3 * error + missing)
    assert np.all(mean[:2] < -4 * error[:2])
    assert np.all(mean[3:] > 4 * error[3:])
    mean, error = bcm("all_to_all", y, n, duration)  # no other sign at any rate
    assert np.all(mean[1:] < -3 * error[1:])


def test_presynaptic_centred_pairs_have_the_threshold_of_bcm_theory_and_all_pairs_have_none() -> None:
    """Below it Poisson trains depress, above it they potentiate: Izhikevich & Desai 2003."""
    assert_threshold(n=60, duration=40)


@pytest.mark.slow
def test_long_trains_have_the_threshold_of_bcm_theory() -> None:
    assert_threshold(n=200, duration=200)


FIXED_POINTS = {  # where potentiation and depression balance, alpha = 1.3, tau_plus / tau_minus = 0.8
    "multiplicative": 1 / (1 + 1.3 / 0.8),
    "van_rossum": 0.8 / 1.3,
    "guetig": 1 / (1 + (1.3 / 0.8) ** (1 / 0.4)),
    "power_law": (0.8 / 1.3) ** (1 / (1 - 0.4)),
}


def assert_fixed_point(dependence: str, n: int, duration: float) -> None:
    rng = np.random.default_rng(3)
    rate, step = 20.0, 2e-3
    trains = [with_units(poisson_trains(rate, duration, n, rng)) * 3 for _ in range(2)]
    mu = {"mu": 0.4} if dependence in ("guetig", "power_law") else {}
    rule = pair(dependence=dependence, **numbers(  # type: ignore[arg-type]
        A_plus=step, A_minus=1.3 * step, tau_plus=0.016, tau_minus=0.02, **mu))  # fmt: skip
    starts = FIXED_POINTS[dependence] * np.repeat([0.8, 1.0, 1.2], n)
    change = (rule.response(*trains, initial={"w": starts})["w"].values - starts).reshape(3, n)
    mean, error = change.mean(axis=1), change.std(axis=1, ddof=1) / np.sqrt(n)
    assert mean[0] > 5 * error[0]
    assert abs(mean[1]) < 3 * error[1]
    assert mean[2] < -5 * error[2]


@pytest.mark.parametrize("dependence", FIXED_POINTS)
def test_weights_tend_to_where_the_dependence_balances(dependence: str) -> None:
    assert_fixed_point(dependence, n=100, duration=20)


@pytest.mark.slow
@pytest.mark.parametrize("dependence", FIXED_POINTS)
def test_weights_tend_to_where_the_dependence_balances_in_many_trials(dependence: str) -> None:
    assert_fixed_point(dependence, n=1500, duration=20)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_say_where_their_numbers_are_from(preset: str) -> None:
    rule = pair(preset)
    assert PRESETS[preset].source in rule.source
    assert PRESETS[preset].note in rule.source
    gaps = np.array([-13, 21]) * ms
    p, mu = rule.parameters, rule.parameters.get("mu", 1)
    w = rule.initial["w"]
    if "power" in rule.name:
        plus, minus = w**mu, w
    elif "additive" in rule.name:
        plus, minus = 1, 1
    else:
        plus, minus = (1 - w) ** mu, w**mu
    expected = [
        -p["A_minus"] * minus * np.exp(-13 * ms / p["tau_minus"]),
        p["A_plus"] * plus * np.exp(-21 * ms / p["tau_plus"]),
    ]
    np.testing.assert_allclose(rule.curve(gaps), expected, rtol=1e-12)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("coincidence", COINCIDENCES)
def test_the_text_has_no_variable_that_nothing_reads(scheme: str, coincidence: str) -> None:
    rule = pair(scheme=scheme, coincidence=coincidence)  # type: ignore[arg-type]
    names = [line.split(":")[0].split("/")[0].strip() for line in rule.equations.splitlines()]
    for name in (n.removeprefix("d") for n in names):
        read = [line.split("=", 1)[1] for line in (rule.on_pre + "\n" + rule.on_post).splitlines()]
        assert name == "w" or any(name in text for text in read), name
    assert ("t_last" in rule.equations) == (coincidence == "discard")


def test_a_preset_brings_its_options_and_they_can_be_replaced() -> None:
    assert "w**mu" in pair("Guetig 2003").on_pre
    assert "mu" not in pair("Guetig 2003", dependence="additive").parameters
    assert pair(dependence="power_law").bounds == (0, np.inf)
    assert "x = 0" in pair("Izhikevich & Desai 2003").on_post
    assert pair("Bi & Poo 2001", bounds=None).curve([-1e-9] * second, n_pairs=60, rate=1 * Hz).values == (
        pytest.approx([-0.273], rel=1e-6)
    )


def test_mistakes_are_named() -> None:
    with pytest.raises(SetupError, match="no scheme 'nearest_symetric'; did you mean 'nearest_symmetric'"):
        pair(scheme="nearest_symetric")  # type: ignore[arg-type]
    with pytest.raises(SetupError, match="no dependence 'gutig'; did you mean 'guetig'"):
        pair(dependence="gutig")  # type: ignore[arg-type]
    with pytest.raises(SetupError, match=r"bounds \(0, 2\) do not go with Guetig dependence"):
        pair("Guetig 2003", bounds=(0, 2))
    with pytest.raises(SetupError, match="has to stay within 0 and inf"):
        pair("Morrison 2007", bounds=None)
    with pytest.raises(SetupError, match="two numbers, None or 'default', not 'none'"):
        pair(bounds="none")  # type: ignore[arg-type]
    with pytest.raises(SetupError, match=r"mu of .* has to be in \[0, 1\], not 1.5"):
        pair("Guetig 2003", mu=1.5)
    with pytest.raises(SetupError, match=r"time constant 'tau_plus' .* has to be positive"):
        pair(tau_plus=0 * ms)
    with pytest.raises(SetupError, match="no parameter 'mu'"):
        pair(mu=0.1)
    with pytest.raises(DimensionMismatchError, match="another unit"):
        pair(tau_plus=20)
