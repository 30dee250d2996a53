"""Cells that answer to coincident spikes: the theory of beats, and a reference in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from eccles import Clock, Hz, Network, SetupError, SpikeGeneratorGroup, SpikeMonitor, ms, mV, second, us
from eccles.lab.binaural import (
    CONDITIONS,
    Tone,
    beat_strength,
    binaural_cell,
    coincidence_rate,
    coincidences,
    converge,
    jittered_strength,
    nerve_locking,
    nerve_train,
    phase_walk,
)
from eccles.lab.binaural.cell import psp_scale
from eccles.lab.measure import phases
from eccles.objects import magic


def test_coincidences_are_those_of_two_loops() -> None:
    rng = np.random.default_rng(1)
    left, right = np.sort(rng.random(80)), np.sort(rng.random(90))
    for window, delay in ((0.004, 0.0), (0.05, 0.02)):
        expected = [
            (a + delay + b) / 2 for a in left for b in right if abs(a + delay - b) < window
        ]  # fmt: skip
        found = coincidences(left * second, right * second, window * second, delay=delay * second)
        assert len(expected) > 10
        np.testing.assert_allclose(np.asarray(found), sorted(expected), rtol=1e-14)


def test_coincidences_need_spikes_of_both_ears() -> None:
    some, none = [1, 2] * ms, np.array([]) * second
    assert len(coincidences(some, none, 1 * ms)) == len(coincidences(none, some, 1 * ms)) == 0


def test_a_window_without_width_or_times_without_units_are_refused() -> None:
    with pytest.raises(SetupError, match="positive"):
        coincidences([1] * ms, [1] * ms, 0 * ms)
    with pytest.raises(SetupError, match="unit of time"):
        coincidences([1] * mV, [1] * ms, 1 * ms)


def mean_with_error(values: np.ndarray) -> tuple[complex, float]:
    return complex(values.mean()), float(abs(values - values.mean()).std() / math.sqrt(len(values)))


def beat_of(
    f: float, difference: float, window: float, strengths: tuple[float, float], trials: int, duration: float
) -> tuple[np.ndarray, np.ndarray]:
    """Rate and beat component (mean of rate times exp(i phase)) of ideal coincidences, for each trial."""
    rates, components = [], []
    for trial in range(trials):
        left, right = (
            nerve_train((Tone(at * Hz, strength, phase),), 150 * Hz, duration * second, fibres=6, seed=8,
                        stream=(at, trial))
            for at, strength, phase in ((f, strengths[0], 0.0), (f + difference, strengths[1], 0.5))
        )  # fmt: skip
        pairs = coincidences(left, right, window * second)
        rates.append(len(pairs) / duration)
        components.append(np.exp(1j * phases(pairs, difference * Hz)).sum() / duration)
    return np.array(rates), np.array(components)


CASES = [
    (300.0, 10.0, 1e-4, (0.85, 0.85)),
    (500.0, 4.0, 2e-4, (0.8, 0.5)),
    (800.0, 40.0, 1.5e-4, (0.9, 0.9)),
    (1500.0, 10.0, 5e-4, (0.7, 0.7)),  # the window is longer than half a period: the beat turns round
    (3000.0, 10.0, 1e-4, (0.365, 0.365)),
]


def check_theory(case: tuple, trials: int, duration: float) -> None:
    f, difference, window, strengths = case
    rates, components = beat_of(f, difference, window, strengths, trials, duration)
    expected = 2 * window * 900**2
    assert float(coincidence_rate(900 * Hz, 900 * Hz, window * second)) == pytest.approx(expected)
    mean, error = mean_with_error(rates)
    assert abs(mean - expected) < 3 * error
    argument = 2 * math.pi * (f + difference / 2) * window
    s = math.sin(argument) / argument
    theory = expected * strengths[0] * strengths[1] * s * np.exp(-0.5j)
    carrier = (f + difference / 2) * Hz
    assert abs(theory) / expected == pytest.approx(beat_strength(*strengths, carrier, window * second))
    for part in (np.real, np.imag):
        found, error = mean_with_error(part(components))
        assert abs(found - part(theory)) < 3 * error


@pytest.mark.parametrize("case", CASES)
def test_ideal_coincidences_beat_as_the_theory_says(case: tuple) -> None:
    check_theory(case, 30, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_ideal_coincidences_beat_as_the_theory_says_in_many_trials(case: tuple) -> None:
    check_theory(case, 400, 4.0)


def test_at_3_kilohertz_little_of_a_beat_is_left_in_theory() -> None:
    low, high = (float(nerve_locking(f)) for f in (500 * Hz, 3000 * Hz))
    assert beat_strength(low, low, 500 * Hz, 0.1 * ms) > 0.65
    assert beat_strength(high, high, 3000 * Hz, 0.1 * ms) < 0.08
    assert beat_strength(0.0, 0.85, 500 * Hz, 0.1 * ms) == 0


def jitter(trials: int, duration: float, diffusion: float) -> tuple[float, float, float]:
    """Mean square of the vector strength of single trials, unbiased, its error, and what theory says."""
    squares = []
    for trial in range(trials):
        walk = phase_walk(diffusion * Hz, duration * second, 3, trial)
        left = nerve_train((Tone(500 * Hz, 0.9),), 900 * Hz, duration * second, seed=3, stream=("l", trial))
        right = nerve_train((Tone(510 * Hz, 0.9),), 900 * Hz, duration * second, seed=3, stream=("r", trial),
                            walk=walk)  # fmt: skip
        angles = phases(coincidences(left, right, 0.1 * ms), 10 * Hz)
        n = len(angles)
        squares.append((abs(np.exp(1j * angles).sum()) ** 2 - n) / (n * (n - 1)))
    strength = float(beat_strength(0.9, 0.9, 505 * Hz, 0.1 * ms))
    theory = float(jittered_strength(strength, diffusion * Hz, duration * second)) ** 2
    return float(np.mean(squares)), float(np.std(squares) / math.sqrt(trials)), theory


@pytest.mark.parametrize(("trials", "diffusion"), [
    (60, 3.0),
    pytest.param(600, 1.0, marks=pytest.mark.slow),
    pytest.param(600, 8.0, marks=pytest.mark.slow),
])  # fmt: skip
def test_a_wandering_phase_lowers_the_vector_strength_as_diffusion_says(
    trials: int, diffusion: float
) -> None:
    found, error, theory = jitter(trials, 2.0, diffusion)
    assert abs(found - theory) < 3 * error + 0.01 * theory  # spikes that are in several pairs: a per cent


def test_a_walk_of_no_width_leaves_the_vector_strength_as_it_is() -> None:
    assert jittered_strength(0.5, 0 * Hz, 5 * second) == 0.5
    assert jittered_strength(0.5, 1e-4 * Hz, 1.0001 * second) == pytest.approx(0.5, rel=1e-4)
    assert jittered_strength(0.5, 100 * Hz, 100 * second) == pytest.approx(0.5 * math.sqrt(2e-4), rel=1e-3)


@pytest.mark.parametrize(("tau_m", "tau_s"), [(0.5, 0.2), (0.2, 0.5), (0.3, 0.3)])
def test_the_scale_of_a_synapse_makes_its_peak_one(tau_m: float, tau_s: float) -> None:
    t = np.linspace(0, 10, 200_001)
    g = psp_scale(tau_m * ms, tau_s * ms)
    if tau_m == tau_s:
        v = g * t / tau_m * np.exp(-t / tau_m)
    else:
        v = g * tau_s / (tau_m - tau_s) * (np.exp(-t / tau_m) - np.exp(-t / tau_s))
    assert v.max() == pytest.approx(1, abs=1e-8)


def reference(events: np.ndarray, jump: float, tau_m: float, tau_s: float, t_ref: float, end: float) -> list:
    """Spikes of the cell, one input after the other: closed forms, and a root where v reaches 1."""
    part = tau_s / (tau_s - tau_m)
    v, g, now, free = 0.0, 0.0, 0.0, 0.0
    spikes = []

    def potential(s: float, v: float, g: float) -> float:
        return (v - g * part) * math.exp(-s / tau_m) + g * part * math.exp(-s / tau_s)

    for event in [*events, end]:
        while now < event:
            if now < free:  # the membrane is held, the current decays
                until = min(free, event)
                g *= math.exp(-(until - now) / tau_s)
                now = until
                continue
            span = event - now
            slow, fast = (v - g * part) / tau_m, g * part / tau_s
            highest = span
            if slow != 0 and -fast / slow > 0:
                turn = math.log(-fast / slow) / (1 / tau_s - 1 / tau_m)
                highest = turn if 0 < turn < span else span
            if potential(highest, v, g) > 1:
                s = brentq(lambda s, v=v, g=g: potential(s, v, g) - 1, 0.0, highest, xtol=1e-18)
                g *= math.exp(-s / tau_s)
                now, v = now + s, 0.0
                free = now + t_ref
                spikes.append(now)
            else:
                v, g = potential(span, v, g), g * math.exp(-span / tau_s)
                now = event
        g += jump
    return spikes


@pytest.mark.parametrize(("weight", "dt"), [(0.3, 50 * us), (0.45, 20 * us)])
def test_the_cell_spikes_where_a_reference_in_plain_python_does(weight: float, dt: object) -> None:
    duration = 2.0
    left, right = (
        nerve_train((Tone(f * Hz),), 150 * Hz, duration * second, fibres=4, seed=6, stream=(f,))
        for f in (500, 510)
    )
    delay = 0.25e-3
    neuron, synapse = binaural_cell(0.3 * ms, 0.1 * ms, 1 * ms)
    with magic.private_scope():
        clock = Clock(dt)
        ears = [SpikeGeneratorGroup(1, np.zeros(len(t), int), t, clock=clock) for t in (left, right)]
        cell = neuron.group(1, synapse, clock=clock, namespace={})
        inputs = [
            converge(ears[0], cell, synapse, weight, delay=delay * second, clock=clock),
            converge(ears[1], cell, synapse, weight, clock=clock),
        ]
        spikes = SpikeMonitor(cell)
        Network(*ears, cell, *inputs, spikes).run(duration * second)
    events = np.sort(np.concatenate([np.asarray(left) + delay, np.asarray(right)]))
    events = events[events < duration]
    expected = reference(events, weight * psp_scale(0.3 * ms, 0.1 * ms), 0.3e-3, 0.1e-3, 1e-3, duration)
    assert len(expected) > 50
    np.testing.assert_allclose(np.asarray(spikes.t), expected, rtol=0, atol=1e-10)


def test_the_table_of_conditions_has_every_control() -> None:
    wanted = {
        "binaural beat", "swapped ears", "diotic", "fixed phase", "monaural beat", "one ear", "jittered beat",
        "high carrier", "shuffled phases", "silence",
    }  # fmt: skip
    assert set(CONDITIONS) == wanted
