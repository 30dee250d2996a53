"""Pairs with a fixed gap at a rising rate, where spikes coincide and where they nearly do."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eccles import Hz, ms, second
from eccles.lab.experiments import gap_and_rate
from eccles.lab.experiments.study import Outcome
from eccles.lab.protocols import pairing
from eccles.lab.rules import Rule, short_term


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return gap_and_rate.STUDY.run(quick=True)


def at_meeting(outcome: Outcome, rule: str, coincidence: str) -> float:
    """The change at 50 Hz and 20 ms."""
    data = outcome.data["change"].sel(rule=rule, coincidence=coincidence)
    return float(data.sel(rate=50.0).sel(gap=0.02, method="nearest"))


@pytest.mark.slow
def test_where_spikes_coincide_the_change_is_the_sum_over_all_pairs(outcome: Outcome) -> None:
    """Post k is at the time of pre k+1, so gaps are whole periods, and 59 of them are 0."""
    n, period, plus, minus = 60, 0.02, 0.777 / 60, 0.273 / 60
    potentiation = sum((n - k) * plus * np.exp(-(k + 1) * period / 0.0168) for k in range(n))
    depression = sum((n - k) * minus * np.exp(-(k - 1) * period / 0.0337) for k in range(2, n))
    none = potentiation - depression
    for order, expected in (
        ("pre_first", none + (n - 1) * plus), ("post_first", none - (n - 1) * minus), ("discard", none),
    ):  # fmt: skip
        assert at_meeting(outcome, "pair, all-to-all", order) == pytest.approx(expected, abs=1e-12)


@pytest.mark.slow
def test_nearest_neighbours_of_coincident_spikes_are_those_that_the_convention_says(outcome: Outcome) -> None:
    n, plus, minus = 60, 0.777 / 60, 0.273 / 60
    long, late = plus * np.exp(-20 / 16.8), minus * np.exp(-20 / 33.7)
    expected = {
        # each post but the last pairs with the pre of its moment; each pre but two with the post before it
        "pre_first": (n - 1) * plus + long - (n - 2) * late,
        # each post pairs with the pre 20 ms before, each pre but the first with the post of its moment
        "post_first": n * long - (n - 1) * minus,
        "discard": n * long - (n - 2) * late,
    }
    for order, change in expected.items():
        found = at_meeting(outcome, "pair, symmetric nearest-neighbour", order)
        assert found == pytest.approx(change, abs=1e-12)


@pytest.mark.parametrize("name", list(gap_and_rate.rules("pre_first")))
def test_both_orders_are_limits_of_gaps_a_little_longer_and_shorter(name: str) -> None:
    def change(rule: Rule, gap: float) -> float:
        protocol = pairing(gap * ms, n=60, rate=50 * Hz)
        return float(rule.response([protocol.pre], [protocol.post])["w"][0]) - rule.initial["w"]

    for order, shift in (("pre_first", 1e-6), ("post_first", -1e-6)):
        rule = gap_and_rate.rules(order)[name]  # type: ignore[arg-type]
        assert change(rule, 20 + shift) == pytest.approx(change(rule, 20), abs=1e-6)
    first, last = (change(gap_and_rate.rules(order)[name], 20) for order in ("pre_first", "post_first"))
    assert first - last > 0.1


@pytest.mark.slow
def test_the_convention_matters_only_where_spikes_coincide(outcome: Outcome) -> None:
    data = outcome.data
    spread = data["change"].max("coincidence") - data["change"].min("coincidence")
    product = (data["rate"] * data["gap"]).values
    whole = abs(product - np.round(product)) < 1e-9
    by_rule = spread.transpose("rule", "rate", "gap")
    assert whole.sum() >= 8
    assert np.all(by_rule.values[:, ~whole] == 0)
    assert np.all(by_rule.sel(rule=list(gap_and_rate.rules("discard"))).values[:, whole] > 0.05)


def only(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask one of the rules without a jump only."""
    rule = gap_and_rate.other_rules()[name]
    monkeypatch.setattr(gap_and_rate, "other_rules", lambda: {name: rule})


@pytest.mark.parametrize(
    "name",
    [
        gap_and_rate.CALCIUM,
        gap_and_rate.INHIBITORY,
        pytest.param(gap_and_rate.VOLTAGE, marks=pytest.mark.slow),
    ],
)
def test_rules_without_a_jump_do_not_care_which_of_coincident_spikes_is_first(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(name, monkeypatch)
    protocols = [pairing(20 * ms, n=30, rate=rate * Hz) for rate in (50, 100)]
    first, last = (gap_and_rate.other_changes(protocols, order) for order in ("pre_first", "post_first"))
    np.testing.assert_allclose(first, last, rtol=0, atol=1e-12)
    assert np.all(abs(first) > 0.01)


def test_the_inhibitory_rule_adds_a_symmetric_window_over_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    only(gap_and_rate.INHIBITORY, monkeypatch)
    n, period, eta, tau = 60, 0.02, 1e-3, 0.02
    gaps = np.subtract.outer(np.arange(n) * period + 0.02, np.arange(n) * period)
    expected = eta * (np.exp(-abs(gaps) / tau).sum() - n * 2 * 3 * tau)
    found = gap_and_rate.other_changes([pairing(20 * ms, n=n, rate=50 * Hz)])
    assert found[0, 0] == pytest.approx(expected, abs=1e-12)


def test_a_protocol_does_the_same_beside_a_longer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    only(gap_and_rate.CALCIUM, monkeypatch)
    short, long = (pairing(20 * ms, n=12, rate=rate * Hz) for rate in (50, 2))
    alone, beside = gap_and_rate.other_changes([short]), gap_and_rate.other_changes([short, long])
    np.testing.assert_allclose(beside[:, 0], alone[:, 0], rtol=0, atol=1e-10)
    assert abs(alone[0, 0]) > 0.01


def test_what_only_knows_one_side_is_not_asked_for_the_gap() -> None:
    protocols = [pairing(gap * ms, n=10, rate=50 * Hz) for gap in (5, 10, 15)]
    released = short_term().response([p.pre for p in protocols], [p.post for p in protocols])["released"]
    assert np.ptp(released.values) == 0
    assert released[0] > 0


def test_epsps_have_the_closed_form_and_a_millivolt_for_each_unit_of_weight() -> None:
    weights = np.array([[1.0, 0.25], [np.nan, 3.0], [1.0, 0.0]])
    amplitude, trace = gap_and_rate.epsps(weights, "amplitude", "trace")
    np.testing.assert_allclose(amplitude, weights, rtol=1e-9, atol=1e-12)
    t, tau_m, tau_s = 0.05 * np.arange(trace.shape[-1]), 20.0, 5.0
    shape = np.exp(-t / tau_m) - np.exp(-t / tau_s)
    peak = tau_m * tau_s / (tau_m - tau_s) * np.log(tau_m / tau_s)
    shape /= np.exp(-peak / tau_m) - np.exp(-peak / tau_s)
    np.testing.assert_allclose(trace[1, 1], 3 * shape, rtol=0, atol=1e-9)
    assert np.all(np.isnan(trace[1, 0]))


@pytest.mark.slow
def test_the_epsp_is_measured_for_every_rule_rate_gap_and_phase(outcome: Outcome) -> None:
    data = outcome.data
    known = data["change"].notnull()
    assert bool(known.sel(coincidence="pre_first").all())
    assert bool((data["epsp"].notnull().values == known.values).all())
    np.testing.assert_allclose(data["epsp"].values, 1 + data["change"].values, rtol=1e-9)
    np.testing.assert_allclose(data["epsp_by_phase"].values, 1 + data["by_phase"].values, rtol=1e-9)
    assert data["epsp"].attrs["units"] == "mV"
    after = data["trace"].sel(when="after").max("time").sel(rule="pair, all-to-all")
    np.testing.assert_allclose(
        after,
        [1 + at_meeting(outcome, "pair, all-to-all", order) for order in gap_and_rate.ORDERS],
        rtol=1e-4,
    )


def test_one_period_more_is_the_same_gap_but_for_the_ends() -> None:
    rule = gap_and_rate.rules("pre_first")["pair, all-to-all"]

    def per_pair(gap: float) -> float:
        protocols = [pairing(gap * ms, n=n, rate=50 * Hz) for n in (200, 201)]
        weights = rule.response([p.pre for p in protocols], [p.post for p in protocols])["w"].values
        return weights[1] - weights[0]

    assert per_pair(25) == pytest.approx(per_pair(5), abs=1e-12)


@pytest.mark.slow
def test_low_rates_give_what_the_window_says(outcome: Outcome) -> None:
    rule = gap_and_rate.rules("pre_first")["pair, all-to-all"]
    slow = pairing(20 * ms, n=60, rate=1 * Hz)
    found = float(rule.response([slow.pre], [slow.post])["w"][0]) - 0.5
    window = outcome.data["window"].sel(rule="pair, all-to-all").sel(gap=0.02, method="nearest")
    assert found == pytest.approx(float(window), abs=1e-10)
    assert float(window) == pytest.approx(0.777 * np.exp(-20 / 16.8), abs=1e-12)


def test_the_script_in_the_docstring_runs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (gap_and_rate.__doc__ or "").splitlines()
    script = textwrap.dedent("\n".join(line for line in lines if line.startswith("    ") or not line))
    assert len(script.split("\n\n\n")[0].strip().splitlines()) <= 12
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(script, "script", "exec"), names)
    after = names["result"].data.isel(test=-1)
    assert after["weight"].shape == (4, 3)
    n, plus, minus = 60, 0.777 / 60, 0.273 / 60  # 50 Hz and 20 ms, the presynaptic spike first
    expected = (
        (n - 1) * plus
        + sum((n - k) * plus * np.exp(-(k + 1) * 20 / 16.8) for k in range(n))
        - sum((n - k) * minus * np.exp(-(k - 1) * 20 / 33.7) for k in range(2, n))
    )
    assert float(after["weight"][3, 2]) == pytest.approx(1 + expected, abs=1e-12)
    assert float(after["percent"][3, 2]) == pytest.approx(100 * (1 + expected), rel=1e-9)
    assert "EPSP after (mV)" in capsys.readouterr().out
    assert (tmp_path / "pairs.png").stat().st_size > 0


@pytest.mark.slow
def test_the_outcome_has_a_table_findings_models_and_a_figure(outcome: Outcome) -> None:
    assert len({len(column) for column in outcome.table.values()}) == 1
    assert len(outcome.draw().axes) == 11  # ten panels and a scale of colours
    assert outcome.findings
    assert set(outcome.models or {}) > set(outcome.data["rule"].values)
    assert float(outcome.data["gap"].max()) == pytest.approx(float(40 * ms / second))
