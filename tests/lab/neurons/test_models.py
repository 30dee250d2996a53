"""Nonlinear models of neurons against SciPy's integration of equations written again here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import fsolve

from eccles import SpikeMonitor, StateMonitor, hertz, ms, mV, nA, pA, run
from eccles.explain import explanation
from eccles.lab.neurons import NEURONS, Neuron, adex, clopath, hodgkin_huxley, izhikevich
from eccles.lab.neurons.adex import PRESETS as ADEX
from eccles.lab.neurons.adex import STEPS
from eccles.lab.neurons.clopath import PRESETS as CLOPATH
from eccles.lab.neurons.izhikevich import PRESETS as IZHIKEVICH

Right = Callable[[float, np.ndarray], Sequence[float]]


def reference(right: Right, start: Sequence[float], end: float, above: float, reset: Callable | None):
    """Spike times in ms, by solve_ivp with events."""

    def passage(t: float, x: np.ndarray) -> float:
        return x[0] - above

    passage.terminal = reset is not None
    passage.direction = 1
    t, x, spikes = 0.0, np.array(start, float), []
    while True:
        done = solve_ivp(right, (t, end), x, method="DOP853", rtol=1e-12, atol=1e-12, events=passage)
        spikes += list(done.t_events[0])
        if reset is None or not len(done.t_events[0]):
            return np.array(spikes)
        t, x = done.t_events[0][-1], reset(done.y_events[0][-1])


def spike_times(neuron: Neuron, drive: str, duration: float, tolerance: float, **names: object) -> np.ndarray:
    """Of one neuron, in ms."""
    group = neuron.group(1, drive=drive, namespace=names, method_options={"tolerance": tolerance})
    spikes = SpikeMonitor(group)
    run(duration * ms)
    text = explanation()
    assert "Spikes come at exact times" in text
    assert "grid" not in text
    return np.asarray(spikes.t / ms)


def adex_right(p: dict[str, float], current: float) -> Right:
    def right(t: float, x: np.ndarray) -> Sequence[float]:
        v, w = x
        upswing = p["g_L"] * p["Delta_T"] * np.exp((v - p["V_T"]) / p["Delta_T"])
        dv = (p["g_L"] * (p["E_L"] - v) + upswing - w + current) / p["C"]
        return [dv, (p["a"] * (v - p["E_L"]) - w) / p["tau_w"]]

    return right


SCALES = {"C": 1e-12, "g_L": 1e-9, "a": 1e-9, "b": 1e-12, "tau_w": 1e-3}  # all others in mV


@pytest.mark.parametrize(
    "preset", ["Brette 2005", *(pytest.param(name, marks=pytest.mark.slow) for name in STEPS)]
)
def test_adex_spikes_when_scipy_says(preset: str) -> None:
    current = float(STEPS.get(preset, 1000 * pA)) / 1e-12
    p = {name: float(value) / SCALES.get(name, 1e-3) for name, value in ADEX[preset].parameters.items()}
    found = spike_times(adex(preset), "I_0", 120, 1e-12, I_0=current * pA)
    wanted = reference(
        adex_right(p, current), [p["E_L"], 0.0], 120, p["V_peak"], lambda x: [p["V_reset"], x[1] + p["b"]]
    )
    assert len(wanted) >= 3
    # irregular spiking is chaotic, so errors grow
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-7 if preset == "irregular" else 2e-9)


@pytest.mark.parametrize(
    "preset", [n if n == "adapting" else pytest.param(n, marks=pytest.mark.slow) for n in STEPS]
)
def test_adex_shows_the_pattern_of_its_name(preset: str) -> None:
    gaps = np.diff(spike_times(adex(preset), "I_0", 400, 1e-8, I_0=STEPS[preset]))
    ratio = gaps[1:] / gaps[:-1]
    if preset == "tonic":
        assert gaps.max() / gaps.min() < 1.1
    elif preset == "adapting":
        assert np.all(ratio > 1)
        assert gaps[-1] > 5 * gaps[0]
    elif preset == "initial burst":
        assert gaps[0] < 10
        assert np.all(gaps[2:] > 50)
    elif preset == "regular bursting":
        assert np.sum(gaps < 10) >= 3
        assert np.sum(gaps > 100) == 2
    elif preset == "delayed accelerating":
        assert np.all(ratio < 1)
    else:
        assert np.std(gaps) / np.mean(gaps) > 0.3


def test_the_adex_upswing_may_be_cut_off_high_above() -> None:
    low, high = (spike_times(adex(V_peak=peak * mV), "I_0", 120, 1e-12, I_0=1 * nA) for peak in (0, 20))
    # from 0 to 20 mV it takes C/g_L exp((V_T - 0)/Delta_T), in the first place
    assert high[0] - low[0] == pytest.approx(281 / 30 * np.exp(-50.4 / 2), rel=0.05)


IZHIKEVICH_2003 = {  # a, b, c, d
    "RS": (0.02, 0.2, -65, 8), "IB": (0.02, 0.2, -55, 4), "CH": (0.02, 0.2, -50, 2), "FS": (0.1, 0.2, -65, 2),
    "LTS": (0.02, 0.25, -65, 2), "TC": (0.02, 0.25, -65, 0.05), "RZ": (0.1, 0.26, -65, 2),
}  # fmt: skip


QUICK = ("RS", "CH")
PRESETS = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in IZHIKEVICH]


@pytest.mark.parametrize("preset", PRESETS)
def test_izhikevich_spikes_when_scipy_says(preset: str) -> None:
    a, b, c, d = IZHIKEVICH_2003[preset]

    def right(t: float, x: np.ndarray) -> Sequence[float]:
        v, u = x
        return [0.04 * v * v + 5 * v + 140 - u + 10, a * (b * v - u)]

    low = min(np.roots([0.04, 5 - b, 140]).real)
    found = spike_times(izhikevich(preset), "I_0", 60, 1e-12, I_0=10 * mV / ms)
    wanted = reference(right, [low, b * low], 60, 30, lambda x: [c, x[1] + d])
    assert len(wanted) >= 2
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("preset", PRESETS)
def test_izhikevich_begins_at_rest(preset: str) -> None:
    group = izhikevich(preset).group(1, namespace={})
    before = group.v[0], group.u[0]
    run(20 * ms)
    assert float(group.v[0] / mV) == pytest.approx(float(before[0] / mV), abs=1e-6)
    assert float(group.u[0] / (mV / ms)) == pytest.approx(float(before[1] / (mV / ms)), abs=1e-6)


def squid(current: float) -> Right:
    """In mV and ms, for a current density in uA/cm^2; rates as in the paper, shifted to a rest at -65 mV."""

    def right(t: float, x: np.ndarray) -> Sequence[float]:
        v, m, h, n = x
        u = v + 65  # minus that of the paper
        a_m = 0.1 * (25 - u) / np.expm1((25 - u) / 10)
        a_n = 0.01 * (10 - u) / np.expm1((10 - u) / 10)
        b_m, b_n = 4 * np.exp(-u / 18), 0.125 * np.exp(-u / 80)
        a_h, b_h = 0.07 * np.exp(-u / 20), 1 / (np.exp((30 - u) / 10) + 1)
        dv = current - 120 * m**3 * h * (u - 115) - 36 * n**4 * (u + 12) - 0.3 * (u - 10.613)
        return [dv, a_m * (1 - m) - b_m * m, a_h * (1 - h) - b_h * h, a_n * (1 - n) - b_n * n]

    return right


GATES = (0.0529, 0.5961, 0.3177)  # m, h, n at rest: the textbook values


@pytest.mark.parametrize("duration", [40, pytest.param(150, marks=pytest.mark.slow)])
def test_hodgkin_and_huxleys_axon_spikes_when_scipy_says(duration: float) -> None:
    found = spike_times(hodgkin_huxley(), "I_0", duration, 1e-12, I_0=2 * nA)  # 10 uA/cm^2
    rates = hodgkin_huxley().group(1, namespace={})
    start = [-65.0, float(rates.m[0]), float(rates.h[0]), float(rates.n[0])]
    wanted = reference(squid(10.0), start, duration, 0.0, None)
    assert len(wanted) >= 3
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-10)


def test_the_axon_rests_at_minus_65_mv_with_the_gates_of_1952() -> None:
    group = hodgkin_huxley().group(1, namespace={})
    found = [float(x[0]) for x in (group.m, group.h, group.n)]
    np.testing.assert_allclose(found, GATES, atol=5e-5)
    run(200 * ms)
    v, *settled = [float(x[0]) for x in (group.v / mV, group.m, group.h, group.n)]
    rest = fsolve(lambda x: squid(0.0)(0.0, x), [-65.0, *GATES], xtol=1e-13)
    np.testing.assert_allclose([v, *settled], rest, rtol=1e-6)
    assert v == pytest.approx(-65, abs=5e-3)  # the leak of the paper has five digits
    np.testing.assert_allclose(settled, GATES, atol=5e-4)


@pytest.mark.parametrize(("v", "rate", "value"), [(-40, "alpha_m", 1.0), (-55, "alpha_n", 0.1)])
def test_rates_have_a_value_where_their_common_form_has_none(v: float, rate: str, value: float) -> None:
    group = hodgkin_huxley().group(3, namespace={})
    group.v = np.array([v - 1e-9, v, v + 1e-9]) * mV
    np.testing.assert_allclose(np.asarray(getattr(group, rate)[:] / (1e3 * hertz)), value, rtol=1e-9)


def test_warmer_gates_are_faster() -> None:
    cold = spike_times(hodgkin_huxley(), "I_0", 40, 1e-8, I_0=2 * nA)
    warm = spike_times(hodgkin_huxley(phi=2.0), "I_0", 40, 1e-8, I_0=2 * nA)
    assert np.diff(warm)[0] < 0.7 * np.diff(cold)[0]


@pytest.mark.filterwarnings("ignore:.*can never spike:eccles.EcclesWarning")
@pytest.mark.parametrize("name", NEURONS)
def test_each_says_what_it_is_and_where_it_is_from_and_has_consistent_units(name: str) -> None:
    neuron = NEURONS[name]()
    assert neuron.name == name
    assert "source" in str(neuron)
    group = neuron.group(2, namespace={})
    monitor = StateMonitor(group, "v", record=True)
    run(5 * ms)  # without input it stays near rest
    v = np.asarray(monitor.v[0])
    assert np.ptp(v) < 2e-3 * max(1e-3, abs(v[0]))


@pytest.mark.parametrize(("make", "presets"), [(adex, ADEX), (clopath, CLOPATH), (izhikevich, IZHIKEVICH)])
def test_the_text_says_where_the_numbers_are_from_and_what_is_uncertain(make, presets) -> None:
    for name, preset in presets.items():
        text = str(make(name))
        assert name in text.splitlines()[0]
        assert preset.source in text
        assert preset.note in text
