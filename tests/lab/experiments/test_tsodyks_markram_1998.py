"""The trains of Tsodyks, Pawelzik & Markram 1998 against a closed form and the printed values of NEST."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from scipy.linalg import expm

from eccles.lab.data import table
from eccles.lab.experiments.study import Outcome
from eccles.lab.experiments.tsodyks_markram_1998 import CASES, STUDY

mpl.use("Agg")

# U, tau_rec, tau_fac, tau_I, tau_m in ms, A in pA: figure 1 of the paper
PAPER = {"depressing": (0.5, 800, 0, 3, 40, 250), "facilitating": (0.03, 130, 530, 1.5, 60, 1540)}


def potential(case: str, arrivals: np.ndarray, t: np.ndarray) -> np.ndarray:
    """In mV at times in ms: each release adds a difference of exponentials; the membrane has 1 Gohm."""
    U, tau_rec, tau_fac, tau_I, tau_m, A = PAPER[case]
    rates = np.array([[0, 0, 1 / tau_rec], [0, -1 / tau_I, 0], [0, 1 / tau_I, -1 / tau_rec]])
    flow = expm(rates * (arrivals[1] - arrivals[0]))
    decay = np.exp(-(arrivals[1] - arrivals[0]) / tau_fac) if tau_fac else 0.0
    state, u, v = np.array([1.0, 0.0, 0.0]), 0.0, np.zeros(len(t))
    for arrival in arrivals:
        u += U * (1 - u)
        amount = u * state[0]
        late = np.maximum(t - arrival, 0)
        v += (
            A
            * amount
            / tau_m
            * tau_m
            * tau_I
            / (tau_m - tau_I)
            * (np.exp(-late / tau_m) - np.exp(-late / tau_I))
        )
        state = flow @ (state + amount * np.array([-1, 1, 0]))
        u *= decay
    return v


def printed(case: str) -> tuple[np.ndarray, np.ndarray]:
    values = table("tsodyks_1998_nest")
    here = values["case"] == case
    return values["t_ms"][here], values["v_mV"][here]


def rounding(values: np.ndarray) -> np.ndarray:
    """Half of the sixth digit."""
    digits = np.floor(np.log10(np.where(values == 0, 1, values)))
    return 0.5 * 10 ** (digits - 5) * (1 + 1e-6)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return STUDY.run(quick=True)


@pytest.mark.parametrize("case", CASES)
def test_all_printed_digits_of_nest_are_met(outcome: Outcome, case: str) -> None:
    _, values = printed(case)
    assert len(values) == 47
    found = outcome.data["v_reference"].sel(case=case) + outcome.data["difference"].sel(case=case)
    assert np.all(np.abs(found.values * 1e3 - values) <= rounding(values))


@pytest.mark.parametrize("case", CASES)
def test_the_whole_trace_is_the_closed_form(outcome: Outcome, case: str) -> None:
    data = outcome.data.sel(case=case)
    arrivals = CASES[case]["first"] + CASES[case]["period"] * np.arange(20)
    expected = potential(case, arrivals, data["time"].values * 1e3)
    np.testing.assert_allclose(data["v"].values * 1e3, expected, rtol=0, atol=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_reference_determines_the_train(case: str) -> None:
    t, values = printed(case)
    errors = {
        (round(float(first), 1), round(float(period), 1)): np.abs(
            potential(case, first + period * np.arange(20), t) - values
        ).max()
        for first in np.arange(98, 100.2, 0.1)
        for period in np.arange(49.5, 50.7, 0.1)
    }
    best, second = sorted(errors, key=errors.__getitem__)[:2]
    assert best == (CASES[case]["first"], CASES[case]["period"])
    assert errors[best] < 5.01e-6
    assert errors[second] > 0.1


def test_a_depressing_synapse_releases_less_and_a_facilitating_one_more(outcome: Outcome) -> None:
    released = outcome.data["released"]
    assert np.all(np.diff(released.sel(case="depressing")) < 0)
    assert np.all(np.diff(released.sel(case="facilitating")) > 0)
    np.testing.assert_allclose(released, outcome.data["u"] * outcome.data["x"], rtol=1e-15)
    assert outcome.data["x"].sel(spike=0).values == pytest.approx([1, 1], rel=1e-12)


def test_the_outcome_says_where_its_numbers_are_from(outcome: Outcome) -> None:
    assert any("NEST" in note for note in outcome.notes)
    assert any("0.6" in note for note in outcome.notes)
    assert outcome.models is not None
    assert "tau_rec = 0.8 s" in outcome.models["depressing synapse"]
    assert len(outcome.draw().axes) == 4
