"""From both ears to a presynaptic neuron: the beat is there, and in the controls it is not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from eccles import Hz, SetupError, kHz, ms, run, second, sweep, us
from eccles.lab.binaural import (
    CONDITIONS,
    Circuit,
    Heard,
    Tone,
    beat_strength,
    binaural_cell,
    conditions,
    converge,
    ear,
    listen,
    nerve_locking,
)
from eccles.lab.binaural.listen import together
from eccles.lab.measure import phase_locking

TRIALS, DURATION = 6, 2 * second
NEVER = 1e-4  # p values of controls are above, those of beats far below


@pytest.fixture(scope="module")
def heard() -> dict[str, Heard]:
    return dict(
        zip(CONDITIONS, listen(list(CONDITIONS.values()), trials=TRIALS, duration=DURATION), strict=True)
    )


def test_fibres_lock_to_their_tones_and_to_nothing_else(heard: dict[str, Heard]) -> None:
    beat = heard["binaural beat"]
    for side, f in (("left", 500), ("right", 510)):
        found = beat.locking(side, f * Hz, level=0.999)
        assert found.low < nerve_locking(f * Hz) < found.high
        assert beat.locking(side).p_value > NEVER
        expected = 150 * 4 * TRIALS * 2
        assert sum(map(len, getattr(beat, side))) == pytest.approx(expected, abs=3.5 * math.sqrt(expected))


def test_cells_beat_though_no_ear_does(heard: dict[str, Heard]) -> None:
    for what in ("cells", "pre"):
        found = heard["binaural beat"].locking(what)
        assert found.low > 0.2
        assert found.p_value < 1e-12


def test_the_ideal_detector_beats_as_the_theory_says(heard: dict[str, Heard]) -> None:
    beat = heard["binaural beat"]
    found = phase_locking(together(beat.ideal()), 10 * Hz, level=0.999)
    theory = beat_strength(nerve_locking(500 * Hz), nerve_locking(510 * Hz), 505 * Hz, beat.circuit.window)
    assert found.low < theory < found.high


def test_swapped_ears_give_the_same_beat_with_the_opposite_phase(heard: dict[str, Heard]) -> None:
    one, other = heard["binaural beat"], heard["swapped ears"]
    shift = 2 * math.pi * 0.25e-3  # left fibres take longer
    for trains, phase in ((one.ideal(), -shift * 500), (other.ideal(), shift * 510)):
        assert phase_locking(together(trains), 10 * Hz).mean_phase == pytest.approx(phase, abs=0.15)
    first, second_ = one.locking("cells", level=0.999), other.locking("cells", level=0.999)
    assert first.low < second_.vector_strength < first.high
    assert abs(first.mean_phase + second_.mean_phase) < 0.4
    assert first.mean_phase < -0.4 < 0.4 < second_.mean_phase


@pytest.mark.parametrize("name", ["diotic", "fixed phase", "one ear", "shuffled phases", "high carrier"])
def test_controls_have_no_beat(heard: dict[str, Heard], name: str) -> None:
    found = heard[name].locking("cells")
    assert found.n > 200
    assert found.p_value > NEVER
    assert found.low < 0.05


def test_a_fixed_phase_lowers_the_rate_only(heard: dict[str, Heard]) -> None:
    assert heard["fixed phase"].rate("cells") < 0.6 * heard["diotic"].rate("cells")


def test_a_monaural_beat_is_in_the_nerve_already_and_stronger(heard: dict[str, Heard]) -> None:
    monaural = heard["monaural beat"]
    (one, other) = (tone.vector_strength for tone in monaural.condition.left)
    found = monaural.locking("left", level=0.999)
    assert found.low < one * other < found.high
    stronger = monaural.locking("cells").vector_strength
    assert stronger > heard["binaural beat"].locking("cells").vector_strength + 0.1


def test_a_wandering_phase_hides_the_beat_but_not_from_who_knows_the_phase(heard: dict[str, Heard]) -> None:
    jittered, steady = heard["jittered beat"], heard["binaural beat"].locking("cells", level=0.999)
    assert jittered.locking("cells").vector_strength < 0.5 * steady.vector_strength
    known = jittered.locking_to_walk("cells").vector_strength
    assert steady.low < known < steady.high


def test_in_silence_there_is_next_to_nothing(heard: dict[str, Heard]) -> None:
    assert heard["silence"].rate("left") == pytest.approx(40, abs=3)
    assert heard["silence"].rate("cells") < 1


def test_more_trials_and_other_conditions_change_nothing_that_was_there() -> None:
    (few,) = listen([CONDITIONS["diotic"]], trials=1, duration=1 * second)
    many = listen([CONDITIONS["binaural beat"], CONDITIONS["diotic"]], trials=2, duration=1 * second)[1]
    for what in ("left", "right", "cells", "pre"):
        np.testing.assert_array_equal(getattr(few, what)[0], getattr(many, what)[0])
    (other,) = listen([CONDITIONS["diotic"]], trials=1, duration=1 * second, seed=2)
    assert not np.array_equal(few.left[0], other.left[0])


def test_a_shorter_time_step_changes_no_spike() -> None:
    condition = [CONDITIONS["binaural beat"]]
    one, other = (
        listen(condition, trials=2, duration=2 * second, circuit=Circuit(dt=dt))[0]
        for dt in (50 * us, 20 * us)
    )
    for what in ("cells", "pre"):
        for a, b in zip(getattr(one, what), getattr(other, what), strict=True):
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=0, atol=1e-10)


@pytest.mark.slow
def test_beats_follow_the_difference_and_fade_with_the_carrier() -> None:
    played = [conditions(f * Hz, df * Hz)["binaural beat"] for f in (300, 600, 1200, 2400) for df in (4, 30)]
    played = [replace(each, name=f"{k}") for k, each in enumerate(played)]
    found = listen(played, trials=12, duration=4 * second)
    for each in found:
        assert (each.locking("cells").p_value < 1e-9) == (float(each.condition.left[0].frequency) < 2000)
        assert each.locking("cells", 17 * Hz).p_value > NEVER
    strengths = np.array([each.locking("cells").vector_strength for each in found]).reshape(4, 2)
    assert np.all(np.diff(strengths[1:], axis=0) < -0.05)
    assert np.all(strengths[-1] < 0.1)


@pytest.mark.slow
def test_a_sweep_over_carrier_and_beat_is_a_few_lines() -> None:
    def beat(f, difference):  # type: ignore[no-untyped-def]
        left, right = ear(10, Tone(f, 0.85), fibres=4), ear(10, Tone(f + difference, 0.85), fibres=4)
        neuron, synapse = binaural_cell(0.3 * ms, 0.1 * ms)
        cells = neuron.group(10, synapse)
        one, other = (converge(side, cells, synapse, 0.3) for side in (left, right))
        assert one.target is other.target is cells
        run(0.5 * second)

    result = sweep(beat, f=[300, 500] * Hz, difference=[4, 10] * Hz, record="cells.spikes", seed=1)
    t, _ = result.eccles.spikes("cells.spikes", f=500 * Hz, difference=10 * Hz)
    assert phase_locking(t, 10 * Hz).p_value < 1e-4
    t, _ = result.eccles.spikes("cells.spikes", f=500 * Hz, difference=4 * Hz)
    assert phase_locking(t, 10 * Hz).p_value > NEVER


def test_a_beat_needs_two_tones_and_a_time_to_hear_them() -> None:
    with pytest.raises(SetupError, match="higher frequency"):
        conditions(5 * Hz, 10 * Hz)
    with pytest.raises(SetupError, match="nothing is heard"):
        listen([CONDITIONS["diotic"]], trials=0)
    assert float(conditions(high=4 * kHz)["high carrier"].left[0].frequency) == 4000
