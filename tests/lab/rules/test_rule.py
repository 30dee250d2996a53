"""What a rule is: text that can be read, conventions that are kept, mistakes that are named."""

from __future__ import annotations

import numpy as np
import pytest

from eccles import (
    DimensionMismatchError,
    NeuronGroup,
    SetupError,
    SpikeGeneratorGroup,
    StateMonitor,
    ms,
    mV,
    run,
)
from eccles.lab.rules import Rule, pair


@pytest.fixture
def own() -> Rule:
    return Rule(
        "mine",
        "w : 1\ndx/dt = -x/tau : 1 (event-driven)\ndy/dt = -y/tau : 1 (event-driven)",
        on_pre="x += 1; w -= A*y",
        on_post="y += 1; w += A*x",
        parameters={"tau": 20 * ms, "A": 0.01},
    )


def test_a_rule_of_ones_own_is_like_any_other(own: Rule) -> None:
    gaps = np.array([-30, -7, 4, 25]) * 1e-3
    expected = np.sign(gaps) * 0.01 * np.exp(-abs(gaps) / 0.02)
    np.testing.assert_allclose(own.curve(gaps * 1e3 * ms), expected, rtol=0, atol=1e-15)


def test_the_text_of_a_rule_has_all_of_it() -> None:
    text = str(pair("Song 2000", A_plus=0.01))
    parts = (
        "dx/dt = -x/tau_plus : 1",
        "A_plus = 0.01",
        "w in [0, 1]",
        "pre first",
        "axonal",
        "Miller & Abbott",
    )
    for part in parts:
        assert part in text


@pytest.mark.parametrize(("delays", "shift"), [("axonal", -4), ("dendritic", 4), ("split", 0)])
def test_the_side_of_the_delay_moves_the_window(own: Rule, delays: str, shift: float) -> None:
    gaps = np.array([-30, -7, 9, 25]) * ms
    delayed = own.with_conventions(delays=delays).curve(gaps, delay=4 * ms)
    np.testing.assert_allclose(delayed, own.curve(gaps + shift * ms), rtol=0, atol=1e-15)


@pytest.mark.parametrize(("order", "change"), [("pre_first", 0.01), ("post_first", -0.01)])
def test_the_order_of_coincident_spikes_decides(own: Rule, order: str, change: float) -> None:
    assert own.with_conventions(coincidence=order).curve([0] * ms).values == pytest.approx(
        [change], abs=1e-16
    )


def test_a_response_has_the_variables_that_were_asked_for(own: Rule) -> None:
    found = own.response([[10] * ms], [[10, 30] * ms], variables=["x", "y"], duration=30 * ms)
    assert set(found.data_vars) == {"x", "y"}


def test_transmission_reads_names_of_the_script_and_comes_with_the_delay(own: Rule) -> None:
    jump = 2 * mV
    source = SpikeGeneratorGroup(1, [0], [5] * ms)
    target = NeuronGroup(1, "dv/dt = -v/(10*ms) : volt", threshold="v > 1*volt", reset="v = 0*mV")
    synapses = own.synapses(source, target, transmission="v_post += w*jump", delay=3 * ms, initial={"w": 0.5})
    monitor = StateMonitor(target, "v", record=True)
    run(20 * ms)
    assert len(synapses) == 1
    assert monitor.v[0].max() / mV == pytest.approx(1.0)
    assert monitor.t[monitor.v[0].argmax()] / ms == pytest.approx(8.0)


def test_mistakes_are_named(own: Rule) -> None:
    with pytest.raises(SetupError, match="no parameter 'tau_plush'; did you mean 'tau_plus'"):
        pair().changed(tau_plush=1 * ms)
    with pytest.raises(DimensionMismatchError, match="another unit"):
        own.changed(tau=1 * mV)
    with pytest.raises(SetupError, match="coincidence of the rule 'odd' cannot be 'never'"):
        Rule("odd", "w : 1", coincidence="never")
    with pytest.raises(SetupError, match="made anew"):
        own.with_conventions(coincidence="discard")
    with pytest.raises(SetupError, match="no preset 'Song 200'; did you mean 'Song 2000'"):
        pair("Song 200")
    with pytest.raises(SetupError, match="gaps are times"):
        own.curve([-10, 10])
