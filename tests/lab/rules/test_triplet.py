"""The triplet rule against its definition, spike by spike, and against closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from spike_by_spike import triplet_weight
from spike_trains import poisson_trains, random_trains, with_units

from eccles import SetupError, ms, second
from eccles.lab.rules import Rule, triplet
from eccles.lab.rules.triplet import PRESETS

STRONG: dict[str, Any] = {"A2_plus": 0.02, "A3_plus": 0.05, "A2_minus": 0.03}
FAST = {"tau_plus": 0.017, "tau_minus": 0.034, "tau_x": 0.1, "tau_y": 0.05}


def strong(preset: str, coincidence: str = "pre_first") -> tuple[Rule, dict[str, float]]:
    """A rule with numbers that let every term be seen, and these numbers without units."""
    published = PRESETS[preset].parameters
    numbers = {k: v for k, v in {**STRONG, "A3_minus": 0.04, **FAST}.items() if k in published}
    units = {k: v * second if k.startswith("tau") else v for k, v in numbers.items()}
    return triplet(preset, coincidence=coincidence, **units), numbers  # type: ignore[arg-type]


@pytest.mark.parametrize("coincidence", ["pre_first", "post_first", "discard"])
@pytest.mark.parametrize("preset", [name for name in PRESETS if name.startswith("visual")])
def test_weights_are_those_of_the_definition(preset: str, coincidence: str) -> None:
    rule, numbers = strong(preset, coincidence)
    pre, post = random_trains(5, n_spikes=45)
    found = rule.response(with_units(pre), with_units(post))["w"].values
    expected = [
        triplet_weight(a, b, coincidence, nearest="nearest" in preset, w=1.0, **numbers)
        for a, b in zip(pre, post, strict=True)
    ]
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_triplet_changes_the_weight_by_the_slow_trace_before_its_own_increment(preset: str) -> None:
    """Post at 0, pre at 10, post at 15 ms; and the mirror image."""
    p = {k: float(v) for k, v in PRESETS[preset].parameters.items()}
    nearest = "nearest" in preset
    post_pre_post = (
        -p["A2_minus"] * np.exp(-0.01 / p["tau_minus"])
        + np.exp(-0.005 / p["tau_plus"]) * (p["A2_plus"] + p["A3_plus"] * np.exp(-0.015 / p["tau_y"]))
    )  # fmt: skip
    slow = p.get("A3_minus", 0) * np.exp(-0.015 / p.get("tau_x", 1))
    pre_post_pre = (
        p["A2_plus"] * np.exp(-0.01 / p["tau_plus"])
        - np.exp(-0.005 / p["tau_minus"]) * (p["A2_minus"] + slow)
    )  # fmt: skip
    rule = triplet(preset)
    found = rule.response([[10] * ms, [0, 15] * ms], [[0, 15] * ms, [10] * ms])["w"].values - 1
    np.testing.assert_allclose(found, [post_pre_post, pre_post_pre], rtol=0, atol=1e-15)
    # a third spike tells all-to-all and nearest-spike apart
    sums = [np.exp(-0.01 / p["tau_minus"]), np.exp(-0.012 / p["tau_minus"])]
    found = rule.response([[12] * ms], [[0, 2] * ms])["w"].values[0] - 1
    expected = -p["A2_minus"] * (sums[0] if nearest else sum(sums))
    assert found == pytest.approx(expected, rel=0, abs=1e-15)


X, Y = 15.0, 25.0  # hertz


def assert_drift(preset: str, n: int, duration: float, precision: float) -> None:
    rule, p = strong(preset)
    rng = np.random.default_rng(11)
    trains = [with_units(poisson_trains(rate, duration, n, rng)) for rate in (X, Y)]
    drifts = (rule.response(*trains)["w"].values - 1) / duration
    error = drifts.std(ddof=1) / np.sqrt(n)
    pairs = X * Y * (p["A2_plus"] * p["tau_plus"] - p["A2_minus"] * p["tau_minus"])
    triplets = p["A3_plus"] * p["tau_plus"] * p["tau_y"] * X * Y**2
    if "tau_x" in p:
        triplets -= p["A3_minus"] * p["tau_minus"] * p["tau_x"] * X**2 * Y
    assert error < precision * abs(triplets)
    missing = (abs(pairs) + 2 * abs(triplets)) * 0.1 / duration  # the trains have no past at the start
    assert abs(drifts.mean() - pairs - triplets) < 3 * error + missing
    assert abs(drifts.mean() - pairs) > 10 * error  # triplets are seen


@pytest.mark.parametrize("model", ["full", "minimal"])
def test_the_drift_of_poisson_trains_is_the_closed_form(model: str) -> None:
    assert_drift(f"visual cortex all-to-all {model}", n=100, duration=20, precision=0.06)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["full", "minimal"])
def test_the_drift_of_long_poisson_trains_is_the_closed_form(model: str) -> None:
    assert_drift(f"visual cortex all-to-all {model}", n=400, duration=150, precision=0.01)


def test_the_minimal_model_has_no_slow_presynaptic_trace() -> None:
    rule = triplet("hippocampal culture nearest-spike minimal")
    assert "r2" not in rule.equations + rule.on_pre + rule.on_post
    assert not {"tau_x", "A3_minus"} & set(rule.parameters)


def test_presets_are_the_eight_rows_of_the_tables_and_say_what_is_uncertain() -> None:
    assert len(PRESETS) == 8
    assert triplet("hippocampal culture all-to-all full").parameters["A3_minus"] == 1.4e-3
    assert "in parentheses" in triplet("visual cortex all-to-all full").source
    assert all("not from the paper" in PRESETS[name].note for name in PRESETS)


def test_mistakes_are_named() -> None:
    with pytest.raises(SetupError, match="did you mean 'visual cortex all-to-all minimal'"):
        triplet("visual cortex all-to-all minimum")
    with pytest.raises(SetupError, match="no parameter 'tau_x'"):
        triplet("visual cortex all-to-all minimal", tau_x=100 * ms)
    with pytest.raises(SetupError, match=r"time constant 'tau_y' .* has to be positive"):
        triplet(tau_y=-1 * ms)
