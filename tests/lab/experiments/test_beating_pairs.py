"""The study of the thread: its weights are those of the oscillators, its EPSPs those of its weights."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from eccles import Hz, SetupError, ms, second
from eccles.lab.beats import beats
from eccles.lab.experiments.beating_pairs import RATES, STUDY, conditions, oscillator
from eccles.lab.experiments.study import Outcome
from eccles.lab.rules import pair, triplet


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return STUDY.run(quick=True)


@pytest.fixture(scope="module")
def data(outcome: Outcome) -> xr.Dataset:
    return outcome.data


def test_weights_are_those_of_neurons_that_oscillate(data: xr.Dataset) -> None:
    pre, post = (np.array(rates) * Hz for rates in zip(*RATES, strict=True))
    other = beats(pre, post, duration=2 * second)
    names = [f"{f:g}/{g:g} Hz" for f, g in RATES]
    found = data.weight_median.sel(condition=names)
    for order in ("pre_first", "post_first"):
        weights = found.sel(rule=order.replace("_", " "))
        np.testing.assert_allclose(weights, other.final_weights_if(order), rtol=0, atol=1e-11)


def test_phases_at_the_start_are_those_of_neurons_that_oscillate() -> None:
    *_, last = [c for c in conditions(RATES, 2 * second, 3) if "random phases" in c.name]
    for protocol in last.protocols:
        period = 1 / np.array([200, 210])
        phases = [1 - float(t[0]) / p for t, p in zip((protocol.pre, protocol.post), period, strict=True)]
        other = beats(200 * Hz, 210 * Hz, duration=2 * second, pre_phase=phases[0], post_phase=phases[1])
        for ours, theirs in ((protocol.pre, other.pre_spikes[0]), (protocol.post, other.post_spikes[0])):
            np.testing.assert_allclose(ours / ms, theirs / ms, rtol=0, atol=1e-9)


def test_an_oscillator_fires_until_the_end_of_the_run_and_not_at_its_start() -> None:
    np.testing.assert_allclose(oscillator(10, 1 * second) / second, np.arange(1, 11) / 10, rtol=1e-15)
    np.testing.assert_allclose(oscillator(10, 1 * second, 0.25)[:2] / ms, [75, 175])


def test_the_course_of_a_weight_shows_its_beat_and_ends_where_the_weight_ends(data: xr.Dataset) -> None:
    ends = data.weight_median.sel(condition=data.beat.values).transpose("rule", "condition")
    np.testing.assert_allclose(data.course.isel(time=-1).transpose("rule", "beat"), ends, rtol=0, atol=1e-11)
    late = data.course.sel(rule="pre first", time=slice(1.5, 2)).transpose("beat", "time").values
    for course, beat in zip(late, (50, 20, 10), strict=True):
        spectrum = np.abs(np.fft.rfft(course - course.mean()))
        frequencies = np.fft.rfftfreq(len(course), 0.5e-3)
        slow = frequencies < 90  # below the rates themselves
        assert frequencies[slow][spectrum[slow].argmax()] == pytest.approx(beat, abs=2.1)


def test_both_neurons_have_the_same_epsps_but_for_their_unit(data: xr.Dataset) -> None:
    for when in ("before", "after"):
        with_units, abstract = data[f"epsp_{when}_with_units"], data[f"epsp_{when}_abstract"]
        np.testing.assert_allclose(
            with_units, 15 * abstract, rtol=1e-9, atol=1e-12
        )  # mV from rest to threshold
    percent = data.percent_with_units.isel(test=-1).sel(rule="pre first")
    single = data.weight_high == data.weight_low
    weight = data.weight_median.sel(rule="pre first")
    where = single.sel(rule="pre first")
    np.testing.assert_allclose(percent[where], 200 * weight[where], rtol=1e-9, atol=1e-9)


def test_a_driven_neuron_spikes_as_asked_and_what_it_gets_makes_no_spike(data: xr.Dataset) -> None:
    for form in ("with_units", "abstract"):
        np.testing.assert_array_equal(data[f"driven_count_{form}"], [[500, 440, 420]] * 2)
    np.testing.assert_allclose(data.driven_weight_with_units, data.driven_weight_abstract, rtol=0, atol=1e-4)
    # EPSPs make it spike earlier: where both would spike at once, the postsynaptic spike comes first
    told = data.weight_median.sel(rule="post first", condition=data.beat.values)
    for rule in ("pre first", "post first"):
        np.testing.assert_allclose(data.driven_weight_with_units.sel(rule=rule), told, rtol=0, atol=1e-3)


def test_table_figure_and_sentences_are_complete(outcome: Outcome) -> None:
    assert {len(column) for column in outcome.table.values()} == {13}
    assert len(outcome.draw().axes) == 5
    text = " ".join(outcome.findings)
    assert "200/250 Hz: 0.549 or 0.041; 200/220 Hz: 0.099 or 0.058; 200/210 Hz: 0.128 or 0.087" in text
    assert "Their mean drift is -1 per second" in text  # 200 * 250 * (0.02 - 0.021) * 0.02
    assert "the gaps run through many values" in text
    assert any("memory" in note for note in outcome.notes)
    assert set(outcome.models or {}) == {"rule", "neuron, with units", "neuron, abstract"}


def test_other_rates_and_rules_can_be_asked_about() -> None:
    rule = triplet().with_conventions(bounds=(0, 1), initial={"w": 0.5})
    outcome = STUDY.run(quick=True, rates=[(30, 40)], duration=1 * second, rule=rule)
    assert "30/40 Hz" in outcome.table["condition"]
    assert "what the rule makes of rates alone" in " ".join(outcome.findings)
    with pytest.raises(SetupError, match="pairs of positive numbers"):
        STUDY.run(rates=[(0, 40)])
    with pytest.raises(SetupError, match="pairs of positive numbers"):
        STUDY.run(rates=[])
    with pytest.raises(SetupError, match=r"10\. ms is too short for a pair of 20\. ms at 50 Hz"):
        STUDY.run(duration=10 * ms)


def test_rates_that_hardly_differ_are_conditions_of_their_own_and_equal_ones_are_not() -> None:
    close = [(200, 200.0001), (200, 200.0002), (200, 200.0001)]
    names = STUDY.run(quick=True, rates=close, duration=20 * ms).table["condition"]
    assert names[:2] == ["200/200.0001 Hz", "200/200.0002 Hz"]
    assert len(names) == len(set(names)) == 11


def test_a_drift_is_said_only_of_the_rule_whose_closed_form_it_is() -> None:
    scheme = pair(scheme="nearest_symmetric").with_conventions(bounds=(0, 1), initial={"w": 0.5})
    outcome = STUDY.run(quick=True, rates=[(200, 200)], duration=20 * ms, rule=scheme)
    assert "what the rule makes of rates alone" in outcome.findings[2]
