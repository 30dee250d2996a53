"""All rules with all their presets: they can be read, used, and swept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eccles import Hz, NeuronGroup, SetupError, SpikeGeneratorGroup, Synapses, ms, run, sweep
from eccles.lab.measure import epsp
from eccles.lab.rules import RULES, Rule, presets

EACH = [(rule, preset) for rule in RULES for preset in presets(rule)]
STRENGTH = {"rho": "rho", "released": "w*released"}  # what a spike transmits, if it is not the weight


def connected(rule: Rule) -> Synapses:
    """Synapses that have had a pair of spikes, with all that the rule needs."""
    source = SpikeGeneratorGroup(1, [0, 0], [5, 30] * ms)
    kicks = SpikeGeneratorGroup(1, [0], [12] * ms)
    target = NeuronGroup(
        1, f"dv/dt = -v/(10*ms) : 1\n{rule.post_equations}", threshold="v > 100", reset="v = 0",
        events=dict(rule.post_events),
    )  # fmt: skip
    kick = Synapses(kicks, target, on_pre="v_post += 200")
    kick.connect()
    S = rule.synapses(
        source, target, transmission=f"v_post += {STRENGTH.get(rule.weight, 'w')}", delay=2 * ms
    )
    run(50 * ms)
    return S


def test_every_rule_can_be_made_without_arguments_and_with_the_first_preset() -> None:
    for name, make in RULES.items():
        assert make().preset == next(iter(presets(name)))


def test_a_rule_that_is_not_there_is_named() -> None:
    with pytest.raises(SetupError, match="there is no rule 'tripplet'; did you mean 'triplet'"):
        presets("tripplet")


@pytest.mark.parametrize(("name", "preset"), EACH)
def test_the_text_says_all_numbers_and_their_sources(name: str, preset: str) -> None:
    rule, published = RULES[name](preset), presets(name)[preset]
    text = str(rule)
    for parameter, value in rule.parameters.items():
        assert f"{parameter} = {value}" in text
    assert preset in text.splitlines()[0]
    assert published.source in text
    assert published.note in text
    assert len(published.source) > 10


@pytest.mark.parametrize(("name", "preset"), EACH)
def test_responses_are_there_or_an_error_says_why_not(name: str, preset: str) -> None:
    rule = RULES[name](preset)
    pre, post = [10, 30, 50] * ms, [15, 29] * ms
    if rule.post_equations:
        with pytest.raises(SetupError, match="needs a postsynaptic neuron with equations of its own"):
            rule.response(pre, post)
        with pytest.raises(SetupError, match="needs a postsynaptic neuron with equations of its own"):
            rule.curve()
        return
    assert np.isfinite(rule.response(pre, post)[rule.weight]).all()
    if rule.on_post:
        changes = rule.curve([-10, 10] * ms, n_pairs=3, rate=40 * Hz)
        assert np.isfinite(changes).all()
        assert np.any(changes != 0)
    else:
        with pytest.raises(SetupError, match="no curve over gaps"):
            rule.curve([-10, 10] * ms)


# the voltage-based rule needs a neuron of its own; test_voltage.py has it in networks
LEAKY = [name for name in RULES if name != "voltage"]


@pytest.mark.parametrize("name", LEAKY)
def test_synapses_of_every_rule_work_in_a_network_and_can_be_measured(name: str) -> None:
    rule = without_noise(name)
    synapses = connected(rule)
    sent = {"w": lambda: synapses.w[0], "rho": lambda: synapses.rho[0]}.get(rule.weight)
    amplitude = float(epsp(synapses, window=20 * ms).amplitude[0])
    if sent is None:  # what a spike at 52 ms would release: a part U of what has recovered
        left = 0.5 * (1 - 0.5 * np.exp(-25 / 800))
        assert amplitude == pytest.approx(0.5 * (1 - (1 - left) * np.exp(-20 / 800)), rel=1e-2)
    else:
        assert amplitude == pytest.approx(float(sent()), rel=1e-2)


@pytest.mark.parametrize("name", LEAKY)
def test_every_parameter_can_be_swept_with_one_model(name: str) -> None:
    """All of them at once, which gives what each condition gives alone."""
    rule = without_noise(name)
    variable = "c" if name == "dopamine" else rule.weight
    factors, made = [0.9, 1.1], []

    def model(factor: Any) -> None:
        made.append(factor)
        S = connected(scaled(rule, factor))

    found = sweep(model, factor=factors, record=f"S.{variable}")[f"S.{variable}"].values.reshape(-1)
    assert len(made) == 1
    alone = [float(getattr(connected(scaled(rule, factor)), variable)[0]) for factor in factors]
    np.testing.assert_allclose(found, alone, rtol=0, atol=1e-15)
    assert found[0] != found[1]


def without_noise(name: str) -> Rule:
    return RULES[name](**({"noise": False} if name == "calcium" else {}))


def scaled(rule: Rule, factor: Any) -> Rule:
    """All numbers of a rule times a factor."""
    return rule.changed(**{name: number * factor for name, number in rule.parameters.items()})
