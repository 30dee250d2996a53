"""Competition of synapses by STDP: weights part, and the output rate hardly depends on that of the input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from eccles import Network, SpikeGeneratorGroup, StateMonitor, Synapses, ms, mV
from eccles.lab.experiments.song_2000 import CELL, EXCITATORY, INHIBITORY, STUDY, simulate
from eccles.lab.experiments.study import Outcome
from eccles.lab.rules import pair


def test_the_membrane_is_as_scipy_integrates_it() -> None:
    excited, inhibited = np.array([5, 5.5, 12.25, 30]), np.array([8, 11.1])  # ms
    cell = CELL.group(1, EXCITATORY, INHIBITORY)
    sources = [SpikeGeneratorGroup(1, np.zeros(len(t), int), t * ms) for t in (excited, inhibited)]
    synapses = [
        Synapses(sources[0], cell, "w : 1", on_pre=EXCITATORY.on_pre, namespace=EXCITATORY.parameters),
        Synapses(sources[1], cell, on_pre=INHIBITORY.on_pre, namespace=INHIBITORY.parameters),
    ]
    for each in synapses:
        each.connect()
    synapses[0].w = 20.0
    monitor = StateMonitor(cell, "v", record=True, dt=1 * ms)
    Network(cell, sources, synapses, monitor).run(50 * ms)

    def slope(_: float, s: np.ndarray) -> list[float]:
        v, excitation, inhibition = s
        return [
            (-70 - v + excitation * (0 - v) + inhibition * (-70 - v)) / 20, -excitation / 5, -inhibition / 5,
        ]  # fmt: skip

    state, now, expected = np.array([-70.0, 0.0, 0.0]), 0.0, [-70.0]
    jumps = [(t, 1, 20 * 0.015) for t in excited] + [(t, 2, 0.05) for t in inhibited]
    # a sample at the time of an event sees the same potential before and after it
    for t, which, amount in sorted([*jumps, *((float(t), 0, 0.0) for t in range(1, 51))]):
        if t > now:
            state = solve_ivp(slope, (now, t), state, method="DOP853", rtol=1e-12, atol=1e-12).y[:, -1]
            now = t
        state[which] += amount
        if which == 0:
            expected.append(state[0])
    assert max(expected) > -62
    np.testing.assert_allclose(monitor.v[0] / mV, expected, rtol=0, atol=1e-5)


def test_weights_begin_to_part_and_the_rate_comes_down() -> None:
    data = simulate([40], 30.0, pair("Song 2000"))
    w = data["w"].sel(input_rate=40)
    near = ((w < 0.1) | (w > 0.9)).mean("synapse").values
    assert near[0] == pytest.approx(0.2, abs=0.04)
    assert near[-1] > 0.5
    rate = data["rate"].sel(input_rate=40).values
    assert rate[0] > 200
    assert rate[-3:].mean() < 25


def test_without_stdp_weights_stay_and_rates_differ_widely() -> None:
    still = simulate([20, 40], 2.0, pair("Song 2000", A_plus=0.0, A_minus=0.0), 0.3)
    assert np.all(still["w"].values == 0.3)
    slow, fast = still["rate"].mean("window").values
    assert fast > 5 * slow


@pytest.fixture(scope="module")
def quick() -> Outcome:
    return STUDY.run(quick=True)


@pytest.mark.slow
def test_the_quick_variant_shows_the_same(quick: Outcome) -> None:
    data = quick.data
    slow, fast = data["rate_steady"].values
    assert 1 / 1.5 < fast / slow < 1.5
    assert float(data["rate_fixed"][1] / data["rate_fixed"][0]) > 10
    assert np.all(data["at_bounds"].isel(time=-1) > 0.45)
    assert len(quick.draw().axes) == 4
    assert any("not checked" in note for note in quick.notes)


@pytest.mark.slow
def test_the_steady_state_is_bimodal_regulated_and_steady() -> None:
    data = STUDY.run().data
    end = data["w"].isel(time=-1).values
    for weights in end:
        low, middle, high = (
            np.mean((weights >= a) & (weights <= b)) / (b - a) for a, b in ((0, 0.1), (0.3, 0.7), (0.9, 1))
        )
        assert low > 4 * middle  # density near either bound, and between them
        assert high > 4 * middle
    assert np.all(data["at_bounds"].isel(time=-1) > 0.6)
    steady = data["rate_steady"].values
    assert steady.max() / steady.min() < 2  # while the input is four times as fast
    assert np.all(np.abs(data["rate_2"] / data["rate_1"] - 1) < 0.15)
    mean = data["w"].mean("synapse").isel(time=slice(8, None)).values
    assert np.all(np.ptp(mean, axis=1) < 0.03)
