"""Short-term plasticity against discrete maps, steady states and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from eccles import (
    DimensionMismatchError,
    NeuronGroup,
    SetupError,
    SpikeGeneratorGroup,
    StateMonitor,
    ms,
    mV,
    run,
    second,
)
from eccles.lab.rules import Rule, short_term
from eccles.lab.rules.short_term import PRESETS

TWO, THREE = "Tsodyks 1998 depressing", "Tsodyks 1998 facilitating"


def values(rule: Rule) -> tuple[float, float, float, float]:
    """U and the time constants in seconds; those that the rule does not have are 0."""
    p = {name: float(value) for name, value in rule.parameters.items()}
    return p["U"], p["tau_rec"], p.get("tau_fac", 0.0), p.get("tau_I", 0.0)


def releases_of(rule: Rule, train: np.ndarray) -> np.ndarray:
    """What each spike of a train releases: a synapse for each beginning of the train."""
    trains = [train[:n] * second for n in range(1, len(train) + 1)]
    found = rule.response(trains, [[] * ms] * len(trains), variables="released")
    return found["released"].values


def map_of_two_states(rule: Rule, train: np.ndarray) -> np.ndarray:
    """The map of Maass & Markram 2002, from spike to spike."""
    U, tau_rec, tau_fac, _ = values(rule)
    u, x, amounts = U, 1.0, [U]
    for gap in np.diff(train):
        x = 1 + (x - x * u - 1) * np.exp(-gap / tau_rec)
        u = U + (u * (1 - U) * np.exp(-gap / tau_fac) if tau_fac else 0.0)
        amounts.append(u * x)
    return np.array(amounts)


def flow_of_three_states(rule: Rule, train: np.ndarray) -> np.ndarray:
    """The amounts released, from spike to spike, by matrix exponentials."""
    U, tau_rec, tau_fac, tau_I = values(rule)
    rates = np.array([[0, 0, 1 / tau_rec], [0, -1 / tau_I, 0], [0, 1 / tau_I, -1 / tau_rec]])
    state, u, amounts = np.array([1.0, 0.0, 0.0]), 0.0, []
    for gap in np.diff(train, prepend=train[0]):
        state = expm(rates * gap) @ state
        u *= np.exp(-gap / tau_fac) if tau_fac else 0.0
        u += U * (1 - u)
        amounts.append(u * state[0])
        state = state + amounts[-1] * np.array([-1, 1, 0])
    return np.array(amounts)


@pytest.fixture
def train() -> np.ndarray:
    return np.cumsum(np.random.default_rng(5).exponential(0.03, 60))


@pytest.mark.parametrize("preset", PRESETS)
def test_two_states_follow_the_published_map(preset: str, train: np.ndarray) -> None:
    rule = short_term(preset)
    np.testing.assert_allclose(releases_of(rule, train), map_of_two_states(rule, train), rtol=1e-12)


@pytest.mark.parametrize("preset", [name for name in PRESETS if "NEST" not in name])
def test_three_states_follow_the_flow_of_their_equations(preset: str, train: np.ndarray) -> None:
    rule = short_term(preset, states=3)
    np.testing.assert_allclose(releases_of(rule, train), flow_of_three_states(rule, train), rtol=1e-11)


@pytest.mark.parametrize("states", [2, 3])
def test_a_random_train_is_as_scipy_integrates_it(states: int, train: np.ndarray) -> None:
    rule = short_term("Tsodyks 1998 facilitating", states=states)
    U, tau_rec, tau_fac, tau_I = values(rule)

    def slope(_: float, s: np.ndarray) -> list[float]:
        u, x, y, z = s
        back = z / tau_rec if states == 3 else (1 - x) / tau_rec
        return [-u / tau_fac, back, -y / (tau_I or 1.0), y / (tau_I or 1.0) - z / tau_rec]

    state, amounts, end = np.array([0.0, 1.0, 0.0, 0.0]), [], round(train[-1] + 0.011, 4)
    for start, stop in zip(train, [*train[1:], end], strict=True):
        state[0] += U * (1 - state[0])
        amounts.append(state[0] * state[1])
        state[1] -= amounts[-1]
        state[2] += amounts[-1] if states == 3 else 0.0
        state = solve_ivp(slope, (start, stop), state, method="DOP853", rtol=1e-13, atol=1e-15).y[:, -1]
    np.testing.assert_allclose(releases_of(rule, train), amounts, rtol=0, atol=1e-11)
    names = ["u", "x", "y", "z"] if states == 3 else ["u", "x"]
    found = rule.response([train * second], [[] * ms], variables=names, duration=end * second)
    np.testing.assert_allclose([found[n].item() for n in names], state[: len(names)], rtol=0, atol=1e-11)


@pytest.mark.parametrize("preset", [TWO, THREE])
def test_the_paired_pulse_ratio_is_its_closed_form(preset: str) -> None:
    rule = short_term(preset)
    U, tau_rec, tau_fac, _ = values(rule)
    gaps = np.array([5, 20, 50, 300, 1000]) * 1e-3
    pairs = [[0.001, 0.001 + gap] * second for gap in gaps]
    second_release = rule.response(pairs, [[] * ms] * len(gaps))["released"].values
    u2 = U + U * (1 - U) * (np.exp(-gaps / tau_fac) if tau_fac else 0)
    expected = u2 * (1 - U * np.exp(-gaps / tau_rec)) / U
    np.testing.assert_allclose(second_release / U, expected, rtol=1e-12)
    assert (expected[0] < 1) == (preset == TWO)


@pytest.mark.parametrize("preset", [TWO, THREE, "Maass 2002 excitatory to excitatory"])
@pytest.mark.parametrize("states", [2, 3])
def test_a_regular_train_comes_to_its_steady_state(preset: str, states: int) -> None:
    rule, period = short_term(preset, states=states), 0.05
    U, tau_rec, tau_fac, tau_I = values(rule)
    train = 0.01 + period * np.arange(800)
    found = rule.response([train * second], [[] * ms])["released"].item()
    e, f = np.exp(-period / tau_rec), np.exp(-period / tau_fac) if tau_fac else 0.0
    u = U / (1 - (1 - U) * f)
    if states == 2:
        x = (1 - e) / (1 - (1 - u) * e)
    else:
        p = np.exp(-period / tau_I)
        k = p / (1 - p) + tau_rec * (e - p) / ((tau_rec - tau_I) * (1 - e) * (1 - p))
        x = 1 / (1 + u * k)
    assert found == pytest.approx(u * x, rel=1e-11)


def test_the_transmission_uses_what_this_spike_has_released() -> None:
    rule = short_term(THREE, states=3)
    train = np.array([10, 30, 45]) * ms
    source = SpikeGeneratorGroup(1, [0] * 3, train)
    target = NeuronGroup(1, "v : volt")
    synapses = rule.synapses(
        source, target, transmission="v_post += w*released*mV", delay=3.21 * ms, initial={"w": 2.0}
    )
    monitor = StateMonitor(target, "v", record=True, dt=1 * ms)
    run(60 * ms)
    amounts = 2 * flow_of_three_states(rule, np.asarray(train))
    times = np.asarray(train / ms) + 3.21
    expected = [amounts[times <= t].sum() for t in np.asarray(monitor.t / ms)]
    np.testing.assert_allclose(monitor.v[0] / mV, expected, rtol=1e-12, atol=0)
    assert synapses.w[0] == 2.0


def test_without_facilitation_the_text_has_none() -> None:
    assert "tau_fac" not in str(short_term(TWO))
    assert "du/dt" in str(short_term(TWO, tau_fac=20 * ms))


def test_impossible_numbers_are_refused() -> None:
    with pytest.raises(SetupError, match="2 or 3 states, not 4"):
        short_term(states=4)  # type: ignore[arg-type]
    with pytest.raises(SetupError, match=r"U is the fraction .* not 1.5"):
        short_term(U=1.5)
    with pytest.raises(SetupError, match=r"time constant 'tau_rec' .* has to be positive"):
        short_term(tau_rec=0 * ms)
    with pytest.raises(SetupError, match=r"time constant 'tau_fac' .* has to be positive"):
        short_term(tau_fac=-1 * ms)
    with pytest.raises(SetupError, match="tau_I and tau_rec are the same"):
        short_term(states=3, tau_I=800 * ms)
    with pytest.raises(SetupError, match="does not say how long"):
        short_term("NEST depressing", states=3)
    with pytest.raises(SetupError, match="no parameter 'tau_I'"):
        short_term(states=2, tau_I=3 * ms)
    with pytest.raises(DimensionMismatchError, match="another unit"):
        short_term(U=3 * ms)
    assert float(short_term("NEST depressing", states=3, tau_I=2 * ms).parameters["tau_I"]) == 0.002
