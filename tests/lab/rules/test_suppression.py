"""The suppression model against its definition, spike by spike."""

from __future__ import annotations

import numpy as np
import pytest
from spike_by_spike import suppression_weight
from spike_trains import random_trains, with_units

from eccles import SetupError, ms
from eccles.lab.rules import suppression
from eccles.lab.rules.suppression import PRESETS


@pytest.mark.parametrize("coincidence", ["pre_first", "post_first", "discard"])
@pytest.mark.parametrize("preset", PRESETS)
def test_weights_are_those_of_the_definition(preset: str, coincidence: str) -> None:
    rule = suppression(preset, coincidence=coincidence)  # type: ignore[arg-type]
    numbers = {name: float(value) for name, value in rule.parameters.items()}
    pre, post = random_trains(5, n_spikes=45)
    found = rule.response(with_units(pre), with_units(post))["w"].values
    expected = [
        suppression_weight(a, b, coincidence, w=1.0, **numbers) for a, b in zip(pre, post, strict=True)
    ]
    assert np.ptp(expected) > 0.02
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_a_spike_soon_after_another_one_counts_less() -> None:
    rule = suppression()
    p = {name: float(value) for name, value in rule.parameters.items()}
    # two presynaptic spikes 20 ms apart, the second one 5 ms before the postsynaptic one
    efficacy = 1 - np.exp(-0.02 / p["tau_s_plus"])
    expected = p["A_plus"] * (np.exp(-0.025 / p["tau_plus"]) + efficacy * np.exp(-0.005 / p["tau_plus"]))
    found = rule.response([[0, 20] * ms], [[25] * ms])["w"].values[0] - 1
    assert found == pytest.approx(expected, rel=0, abs=1e-15)


def test_the_window_of_single_pairs_is_that_of_pair_stdp() -> None:
    p = suppression().parameters
    found = suppression().curve([-20, 20] * ms).values
    expected = [
        -p["A_minus"] * np.exp(-20 * ms / p["tau_minus"]), p["A_plus"] * np.exp(-20 * ms / p["tau_plus"]),
    ]  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15)


def test_presets_say_what_is_uncertain() -> None:
    assert all("not checked" in suppression(name).source for name in PRESETS)
    with pytest.raises(SetupError, match="did you mean 'Froemke & Dan 2002'"):
        suppression("Froemke & Dan 2006")
