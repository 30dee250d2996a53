"""Dopamine-modulated plasticity against a closed form, SciPy, and an event-by-event reference."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from eccles import (
    Network,
    NeuronGroup,
    SetupError,
    SpikeGeneratorGroup,
    StateMonitor,
    Synapses,
    defaultclock,
    ms,
    second,
)
from eccles.lab.rules import Rule, dopamine, reward


def simulated(
    rule: Rule, pre: list, post: list, rewards: list, end: float, amount: float = 0.5, dt: float = 1e-3
) -> dict[str, np.ndarray]:
    """`t`, `w`, `w_now`, `c`, `d` every 10 ms, and at `end`; times in seconds."""
    defaultclock.dt = dt * second
    source, kicks, teacher = (
        SpikeGeneratorGroup(1, np.zeros(len(t), int), np.array(t) * second) for t in (pre, post, rewards)
    )
    cell = NeuronGroup(
        1, f"v : 1\n{rule.post_equations}", threshold="v > 0.5", reset="v = 0", events=rule.post_events
    )
    kick = Synapses(kicks, cell, on_pre="v_post += 1")
    kick.connect()
    synapses, given = rule.synapses(source, cell), reward(teacher, cell, amount=amount)
    monitor = StateMonitor(synapses, ["w", "w_now", "c", "d"], record=True, dt=10 * ms)
    Network(source, kicks, teacher, cell, kick, synapses, given, monitor).run(end * second)
    names = ("w", "w_now", "c", "d")
    found = {
        name: np.append(np.asarray(getattr(monitor, name)[0]), getattr(synapses, name)[0]) for name in names
    }
    return {"t": np.append(np.asarray(monitor.t), end), **found}


def reference(
    rule: Rule, pre: list, post: list, rewards: list, end: float, amount: float = 0.5, parts: int = 1
) -> np.ndarray:
    """(w, c, d) at the end, event by event; the weight is kept in its bounds after each part of a gap."""
    p = {name: float(value) for name, value in rule.parameters.items()}
    tau = 1 / (1 / p["tau_c"] + 1 / p["tau_d"])
    w, c, d, now = 1.0, 0.0, 0.0, 0.0
    events = [(t, 0) for t in pre] + [(t, 1) for t in post] + [(t, 2) for t in rewards] + [(end, 3)]
    for t, kind in sorted(events):
        h = (t - now) / parts
        for _ in range(parts):
            w = np.clip(w + c * d * tau * -np.expm1(-h / tau) / p["tau_w"], p["w_min"], p["w_max"])
            c, d = c * np.exp(-h / p["tau_c"]), d * np.exp(-h / p["tau_d"])
        now = t
        if kind == 0:
            c -= p["A_minus"] * sum(np.exp(-(t - s) / p["tau_minus"]) for s in post if s < t)
        elif kind == 1:
            c += p["A_plus"] * sum(np.exp(-(t - s) / p["tau_plus"]) for s in pre if s <= t)
        elif kind == 2:
            d += amount
    return np.array([w, c, d])


@pytest.fixture
def trains() -> tuple[list, list, list]:
    rng = np.random.default_rng(3)
    pre, post = (np.sort(rng.uniform(0, 8, n)).tolist() for n in (60, 40))
    return pre, post, [1.234, 2.5, 2.501, 4.0, 6.789]


@pytest.mark.parametrize("gap", [7.77e-3, -12.3e-3])
def test_one_pair_and_one_reward_are_the_closed_form(gap: float) -> None:
    rule, delay = dopamine(), 0.7
    first = 0.1
    pair = max(first, first + gap)
    found = simulated(rule, [first], [first + gap], [round(pair + delay, 3)], 20.0)
    delay = round(pair + delay, 3) - pair
    c0 = (0.1 if gap > 0 else -0.15) * np.exp(-abs(gap) / 0.02)
    expected = c0 * np.exp(-delay / 1.0) * 0.5 / (1 / 1.0 + 1 / 0.2)
    assert found["w_now"][-1] - 1 == pytest.approx(expected, abs=1e-15)
    assert found["w"][-1] == 1  # at the last event nothing had come yet
    late = found["t"] > pair + delay
    grown = expected * -np.expm1(-(found["t"][late] - pair - delay) * 6)
    np.testing.assert_allclose(found["w_now"][late] - 1, grown, rtol=0, atol=1e-15)


def test_the_time_step_does_not_matter(trains: tuple[list, list, list]) -> None:
    a, b = (simulated(dopamine(), *trains, 8.0, dt=dt)["w_now"][-1] for dt in (1e-3, 2e-4))
    assert a == pytest.approx(b, abs=1e-14)


def test_many_pairs_and_rewards_follow_the_event_by_event_reference(trains: tuple[list, list, list]) -> None:
    rule = dopamine()
    found = simulated(rule, *trains, 8.0)
    picked = [150, 300, 555, -1]
    expected = [
        reference(rule, *([s for s in train if s <= t] for train in trains), t) for t in found["t"][picked]
    ]
    seen = np.stack([found[name][picked] for name in ("w_now", "c", "d")], axis=1)
    np.testing.assert_allclose(seen, expected, rtol=0, atol=1e-12)
    assert np.ptp([w for w, _, _ in expected]) > 1e-3


def test_scipy_integrates_to_the_same_weight(trains: tuple[list, list, list]) -> None:
    rule = dopamine(tau_plus=30 * ms)
    pre, post, rewards = trains
    A = {0: (2, 1.0), 1: (3, 1.0), 2: (1, 0.5)}  # what each kind of event raises, besides c
    events = sorted([(t, 0) for t in pre] + [(t, 1) for t in post] + [(t, 2) for t in rewards] + [(8.0, 3)])
    state, now = np.array([0.0, 0.0, 0.0, 0.0, 1.0]), 0.0  # c, d, x, y, w

    def slope(_: float, s: np.ndarray) -> list[float]:
        return [-s[0] / 1, -s[1] / 0.2, -s[2] / 0.03, -s[3] / 0.02, s[0] * s[1]]

    for t, kind in events:
        state = solve_ivp(slope, (now, t), state, method="DOP853", rtol=1e-12, atol=1e-14).y[:, -1]
        now = t
        if kind < 3:
            state[A[kind][0]] += A[kind][1]
        state[0] += {0: -0.15 * state[3], 1: 0.1 * state[2]}.get(kind, 0.0)
    assert simulated(rule, *trains, 8.0)["w_now"][-1] == pytest.approx(state[4], abs=1e-10)


def test_the_bounds_hold_at_all_times() -> None:
    rule = dopamine(w_min=0.98, w_max=1.01)
    # up to the upper bound, down to the lower one, and up again to a place between them
    trains = ([0.1, 3.01, 3.5, 6.0], [0.105, 0.6, 3.0, 6.02], [0.5, 3.4, 6.3])
    found = simulated(rule, *trains, 8.0, amount=4.0)
    expected = reference(rule, *trains, 8.0, amount=4.0, parts=200)[0]
    assert found["w_now"][-1] == pytest.approx(expected, abs=1e-13)
    assert 0.98 < expected < 1.01
    assert found["w_now"].max() == 1.01
    assert found["w_now"].min() == 0.98


def test_a_transmitted_spike_has_the_weight_of_its_moment() -> None:
    rule = dopamine(A_plus=2.0)
    source = SpikeGeneratorGroup(1, [0, 0], [10, 900] * ms)
    kicks, teacher = SpikeGeneratorGroup(1, [0], [15] * ms), SpikeGeneratorGroup(1, [0], [500] * ms)
    cell = NeuronGroup(
        1, f"v : 1\ngot : 1\n{rule.post_equations}", threshold="v > 0.5", reset="v = 0",
        events=rule.post_events,
    )  # fmt: skip
    kick = Synapses(kicks, cell, on_pre="v_post += 1")
    kick.connect()
    synapses, given = rule.synapses(source, cell, transmission="got_post = w"), reward(teacher, cell)
    Network(source, kicks, teacher, cell, kick, synapses, given).run(1 * second)
    c = 2 * np.exp(-5 / 20) * np.exp(-0.485)
    assert cell.got[0] == pytest.approx(1 + c * 0.5 / 6 * -np.expm1(-0.4 * 6), rel=1e-13)


def test_a_part_of_the_neurons_can_be_rewarded() -> None:
    rule = dopamine(A_plus=2.0)
    source, kicks, teacher = (SpikeGeneratorGroup(1, [0], [t] * ms) for t in (10, 15, 500))
    cells = NeuronGroup(
        3, f"v : 1\n{rule.post_equations}", threshold="v > 0.5", reset="v = 0", events=rule.post_events
    )
    kick = Synapses(kicks, cells, on_pre="v_post += 1")
    kick.connect()
    synapses, given = rule.synapses(source, cells), reward(teacher, cells[1:], connect={"i": 0, "j": 1})
    Network(source, kicks, teacher, cells, kick, synapses, given).run(20 * second)
    change = 2 * np.exp(-5 / 20) * np.exp(-0.485) * 0.5 / 6
    np.testing.assert_allclose(synapses.w_now[:], [1, 1, 1 + change], rtol=0, atol=1e-14)


def test_the_rule_says_what_its_target_needs() -> None:
    text = str(dopamine())
    for part in ("at 'reward'", "reward : 1", "reward: reward != 0", "tau_c = 1. s"):
        assert part in text
    with pytest.raises(SetupError, match="postsynaptic neuron with equations of its own"):
        dopamine().response([[1] * ms], [[2] * ms])
    source, cell = SpikeGeneratorGroup(1, [], [] * ms), NeuronGroup(1, "reward : 1", threshold="reward > 1")
    with pytest.raises(SetupError, match="reward"):
        dopamine().synapses(source, cell)
