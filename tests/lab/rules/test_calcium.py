"""The calcium-based rule against sums over spikes, an integrator of SciPy, and itself in small steps."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from eccles import (
    Network,
    SetupError,
    SpikeGeneratorGroup,
    StateMonitor,
    ms,
    second,
)
from eccles.engine.clock import Clock
from eccles.lab.rules import Rule, calcium
from eccles.lab.rules.calcium import PRESETS
from eccles.objects import magic

SETS = tuple(PRESETS)
RNG = np.random.default_rng(3)
PRE = [np.sort(RNG.uniform(0, 0.5, n)) for n in (4, 9, 1, 6)]
POST = [np.sort(RNG.uniform(0, 0.5, n)) for n in (7, 3, 2, 0)]


def numbers(rule: Rule) -> dict[str, float]:
    return {name: float(value) for name, value in rule.parameters.items()}


def jumps(p: dict[str, float], pre: np.ndarray, post: np.ndarray) -> list[tuple[float, float]]:
    """When calcium comes in, and how much."""
    return sorted([(t + p["D"], p["C_pre"]) for t in pre] + [(t, p["C_post"]) for t in post])


def stretches(p: dict[str, float], pre: np.ndarray, post: np.ndarray, end: float):
    """(start, stop, calcium at start) between jumps."""
    c, events = 0.0, jumps(p, pre, post)
    for (t, amount), (stop, _) in zip(events, [*events[1:], (end, 0.0)], strict=True):
        c += amount
        yield t, stop, c
        c *= math.exp(-(stop - t) / p["tau_Ca"])


def time_above(theta: float, p: dict[str, float], pre: np.ndarray, post: np.ndarray, end: float) -> float:
    return math.fsum(
        min(max(p["tau_Ca"] * math.log(c / theta), 0.0), stop - start)
        for start, stop, c in stretches(p, pre, post, end)
    )


def integrated(p: dict[str, float], pre: np.ndarray, post: np.ndarray, end: float, rho: float) -> float:
    """The efficacy at the end without noise: SciPy, stretch by stretch of one right-hand side."""
    t = 0.0
    pieces: list[tuple[float, bool, bool]] = []
    first = jumps(p, pre, post)[0][0]
    pieces.append((first, False, False))
    for start, stop, c in stretches(p, pre, post, end):
        cuts = [start + p["tau_Ca"] * math.log(c / p[theta]) for theta in ("theta_p", "theta_d")]
        for until in sorted({min(max(cut, start), stop) for cut in cuts} | {stop}):
            middle = (max(pieces[-1][0], start) + until) / 2
            pieces.append((until, middle < cuts[0], middle < cuts[1]))
    for until, above_p, above_d in pieces:
        if until > t:
            solution = solve_ivp(
                lambda _, y, on_p=above_p, on_d=above_d: (
                    -y * (1 - y) * (0.5 - y) + p["gamma_p"] * (1 - y) * on_p - p["gamma_d"] * y * on_d
                ) / p["tau"],
                (t, until), [rho], method="DOP853", rtol=1e-12, atol=1e-14,
            )  # fmt: skip
            rho, t = float(solution.y[0, -1]), until
    return rho


QUICK = ("DPD'", "hippocampal slices")  # the sets differ in numbers only


@pytest.mark.parametrize(
    "preset", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in SETS]
)
def test_the_time_above_both_thresholds_is_that_of_the_spikes(preset: str) -> None:
    rule = calcium(preset, noise=False)
    found = rule.response(
        [t * second for t in PRE],
        [t * second for t in POST],
        variables=["time_p", "time_d"],
        duration=0.6 * second,
    )
    for variable, theta in (("time_p", "theta_p"), ("time_d", "theta_d")):
        p = numbers(rule)
        expected = [time_above(p[theta], p, a, b, 0.6) for a, b in zip(PRE, POST, strict=True)]
        np.testing.assert_allclose(found[variable], expected, rtol=0, atol=1e-13)


def difference(rule: Rule, starts: tuple[float, ...] = (0.5,), end: float = 0.6) -> float:
    """The largest, between the rule and SciPy, from several values at the start."""
    conditions = [(start, a, b) for start in starts for a, b in zip(PRE, POST, strict=True)]
    found = rule.response(
        [a * second for _, a, _ in conditions], [b * second for _, _, b in conditions],
        duration=end * second, initial={"rho_0": [start for start, _, _ in conditions]},
    )  # fmt: skip
    expected = [integrated(numbers(rule), a, b, end, start) for start, a, b in conditions]
    assert np.ptp(expected[: len(PRE)]) > 1e-3
    return float(np.abs(found["rho"] - expected).max())


@pytest.mark.parametrize("preset", ["DP", "D", "hippocampal cultures"])
def test_without_noise_the_efficacy_solves_the_equation(preset: str) -> None:
    assert difference(calcium(preset, noise=False), (0.0, 0.3, 1.0)) < 1e-7


def test_long_pauses_between_spikes_count_for_the_two_states() -> None:
    assert difference(calcium("DP", noise=False, tau=30 * second), (0.3,), end=20.0) < 1e-6


def test_the_splitting_is_of_second_order() -> None:
    fast, slow = (difference(calcium("DP", noise=False, tau=tau * second)) for tau in (10, 40))
    assert fast < 2e-5
    assert slow < fast / 4**2


def test_potentiation_may_have_the_lower_threshold() -> None:
    assert difference(calcium("DP", noise=False, theta_p=0.8)) < 1e-7


def test_depression_can_be_taken_away() -> None:
    rule = calcium("DP", gamma_d=0, noise=False)
    assert (rule.curve([-20, 10] * ms) > 0).all()


def test_the_published_equation_in_small_steps_tends_to_the_rule_from_spike_to_spike() -> None:
    gaps = [-20, 3, 10] * ms
    exact = calcium("DP", noise=False).curve(gaps).values
    coarse, fine = (
        np.abs(calcium("DP", noise=False, stepped=True).curve(gaps, dt=dt).values - exact).max()
        for dt in (0.2 * ms, 0.0125 * ms)
    )
    assert fine < 1e-5
    assert fine < coarse / 4


def many(
    rule: Rule, n: int, gap: float, n_pairs: int, start: float, seed: int, dt: float = 1e-3
) -> np.ndarray:
    """The efficacy of n synapses after pairs at 10 Hz."""
    with magic.private_scope(), magic.random_numbers(seed):
        clock = Clock(dt * second)
        onsets = np.arange(n_pairs) / 10
        pre, post = (
            SpikeGeneratorGroup(1, np.zeros(n_pairs, int), (onsets + shift) * second, clock=clock)
            for shift in (max(-gap, 0.0), max(gap, 0.0))
        )
        synapses = rule.synapses(pre, post, connect=False)
        synapses.connect(i=np.zeros(n, int), j=np.zeros(n, int))
        setattr(synapses, next(iter(rule.initial)), start)
        Network(pre, post, synapses).run((n_pairs / 10 + 0.1) * second)
        return np.asarray(synapses.rho[:])


def moments(p: dict[str, float], gap: float, start: float) -> tuple[float, float]:
    """Mean and variance after a pair, without the two states: both follow linear equations."""
    mean, variance, end = start, 0.0, 0.2
    pre, post = np.array([max(-gap, 0.0)]), np.array([max(gap, 0.0)])
    for begin, stop, c in stretches(p, pre, post, end):
        grid = [begin, stop] + [begin + p["tau_Ca"] * math.log(c / p[k]) for k in ("theta_p", "theta_d")]
        grid = sorted(t for t in grid if begin <= t <= stop)
        for a, b in itertools.pairwise(grid):
            now = c * math.exp(-((a + b) / 2 - begin) / p["tau_Ca"])
            on_p, on_d = now > p["theta_p"], now > p["theta_d"]
            rate = (p["gamma_p"] * on_p + p["gamma_d"] * on_d) / p["tau"]
            spread = p["sigma"] ** 2 * (on_p + on_d) / p["tau"]
            if rate:
                target = p["gamma_p"] * on_p / p["tau"] / rate
                left = math.exp(-rate * (b - a))
                mean = target + (mean - target) * left
                variance = variance * left**2 + spread / (2 * rate) * (1 - left**2)
    return mean, variance


@pytest.mark.parametrize("gap", [-0.02, 0.01])
def test_noise_has_the_mean_and_the_variance_of_the_process(gap: float) -> None:
    n = 40_000
    rule = calcium("DP")
    found = many(rule, n, gap, 1, 0.5, seed=1)
    mean, variance = moments(numbers(rule), gap, 0.5)
    assert abs(found.mean() - mean) < 3 * math.sqrt(variance / n) + 2e-5  # the two states push by as much
    assert abs(found.var() / variance - 1) < 3 * math.sqrt(2 / n) + 1e-3


@pytest.mark.slow
def test_noise_in_small_steps_gives_the_same_distribution_as_from_spike_to_spike() -> None:
    n = 4000
    quick = many(calcium("DP"), n, 0.01, 8, 0.2, seed=1)
    steps = many(calcium("DP", stepped=True), n, 0.01, 8, 0.2, seed=2, dt=1e-4)
    assert abs(quick.mean() - steps.mean()) < 3 * math.sqrt((quick.var() + steps.var()) / n)
    assert abs(quick.var() / steps.var() - 1) < 3 * math.sqrt(4 / n)


def test_reading_the_efficacy_between_spikes_changes_nothing() -> None:
    rule = calcium("DP")
    found = []
    for watch in (False, True):
        with magic.private_scope(), magic.random_numbers(5):
            clock = Clock(1 * ms)
            pre = SpikeGeneratorGroup(1, [0, 0], [3, 40] * ms, clock=clock)
            post = SpikeGeneratorGroup(1, [0, 0], [10, 60] * ms, clock=clock)
            synapses = rule.synapses(pre, post)
            monitors = [StateMonitor(synapses, "rho", record=True)] if watch else []
            Network(pre, post, synapses, *monitors).run(100 * ms)
            found.append(float(synapses.rho[0]))
    assert found[0] == found[1] != 0.5


def test_calcium_by_a_presynaptic_spike_comes_late_and_transmission_does_not() -> None:
    rule = calcium("DP", noise=False)
    pre = SpikeGeneratorGroup(1, [0], [5] * ms)
    target = SpikeGeneratorGroup(1, [0], [500] * ms)
    synapses = rule.synapses(pre, target, transmission="rho_0 += 0.25", delay=2 * ms)
    monitor = StateMonitor(synapses, ["c", "rho_0"], record=True)
    with magic.private_scope():
        Network(pre, target, synapses, monitor).run(50 * ms)
    t = monitor.t / ms
    assert t[np.argmax(monitor.c[0] > 0)] == pytest.approx(20.7)  # 5 ms + 2 ms + D
    assert t[np.argmax(monitor.rho_0[0] > 0.6)] == pytest.approx(7.0)


def test_all_published_sets_can_be_had() -> None:
    assert len(SETS) == 9
    assert calcium("hippocampal slices").parameters["tau"] == 688.355 * second
    assert "13.7 ms" in str(calcium())
    assert "xi" in str(calcium(stepped=True))


def test_mistakes_are_named() -> None:
    with pytest.raises(SetupError, match=r"rho_star = 0\.5"):
        calcium(rho_star=0.4)
    assert calcium(rho_star=0.4, stepped=True).parameters["rho_star"] == 0.4
    with pytest.raises(SetupError, match="no preset 'DDP'"):
        calcium("DDP")
    with pytest.raises(
        SetupError, match="the lag of the rule 'odd' has to be one of its parameters, not 'D'"
    ):
        Rule("odd", "w : 1", lag="D")
