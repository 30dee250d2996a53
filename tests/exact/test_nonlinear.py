"""Nonlinear neurons with spikes that arrive off the grid, against SciPy's DOP853 with events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from reference import Nonlinear, adex, hodgkin_huxley, izhikevich
from scipy.integrate import solve_ivp
from simulate import network, slow_unless, trains

from eccles import (
    NeuronGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    Synapses,
    mS,
    ms,
    mV,
    nA,
    nS,
    pF,
    uA,
    uF,
)


def adex_group(cutoff: float, current: float, **options: Any) -> NeuronGroup:
    neuron = NeuronGroup(
        1,
        """dv/dt = (-g_l*(v - e_l) + g_l*delta*exp((v - v_t)/delta) - w + current + i_s)/c : volt
           dw/dt = (a*(v - e_l) - w)/tau_w : amp
           di_s/dt = -i_s/(5*ms) : amp""",
        threshold="v > cutoff", reset="v = e_l; w += b",
        namespace={"c": 281 * pF, "g_l": 30 * nS, "e_l": -70.6 * mV, "v_t": -50.4 * mV, "delta": 2 * mV,
                   "tau_w": 144 * ms, "a": 4 * nS, "b": 0.0805 * nA, "cutoff": cutoff * mV,
                   "current": current * nA},
        **options,
    )  # fmt: skip
    neuron.v = -70.6 * mV
    return neuron


def izhikevich_group(a: float, b: float, c: float, d: float, current: float, **options: Any) -> NeuronGroup:
    neuron = NeuronGroup(
        1,
        """dv/dt = (0.04*v**2 + 5*v + 140 - u + current + i_s)/ms : 1
           du/dt = a*(b*v - u)/ms : 1
           di_s/dt = -i_s/(5*ms) : 1""",
        threshold="v > 30", reset="v = c; u += d",
        namespace={"a": a, "b": b, "c": c, "d": d, "current": current},
        **options,
    )  # fmt: skip
    neuron.v, neuron.u = -65, -13
    return neuron


def hodgkin_huxley_group(current: float, **options: Any) -> NeuronGroup:
    neuron = NeuronGroup(
        1,
        """dv/dt = (g_na*m**3*h*(50*mV - v) + g_k*n**4*(-77*mV - v) + g_l*(-54.387*mV - v)
                    + g*(0*mV - v) + current)/c : volt
           dm/dt = (1/exprel(-(v/mV + 40)/10)*(1 - m) - 4*exp(-(v/mV + 65)/18)*m)/ms : 1
           dh/dt = (0.07*exp(-(v/mV + 65)/20)*(1 - h) - h/(1 + exp(-(v/mV + 35)/10)))/ms : 1
           dn/dt = (0.1/exprel(-(v/mV + 55)/10)*(1 - n) - 0.125*exp(-(v/mV + 65)/80)*n)/ms : 1
           dg/dt = -g/(3*ms) : siemens""",
        threshold="v > -20*mV", refractory=3 * ms,
        namespace={"g_na": 120 * mS, "g_k": 36 * mS, "g_l": 0.3 * mS, "c": 1 * uF, "current": current * uA},
        **options,
    )  # fmt: skip
    neuron.v, neuron.m, neuron.h, neuron.n = -65 * mV, 0.0529, 0.5961, 0.3177
    return neuron


@dataclass(frozen=True)
class Case:
    """A neuron in both forms; `kick` is what a spike that arrives adds."""

    reference: Nonlinear
    group: Callable[..., NeuronGroup]
    kick: str


def adex_case(cutoff: float) -> Case:
    return Case(adex(cutoff, 0.7, 0.3), partial(adex_group, cutoff, 0.7), "i_s_post += 0.3*nA")


def izhikevich_case(a: float, b: float, c: float, d: float, current: float) -> Case:
    return Case(
        izhikevich(a, b, c, d, current, 4), partial(izhikevich_group, a, b, c, d, current), "i_s_post += 4"
    )


CASES = {
    "adex, cut-off -40 mV": adex_case(-40),
    "adex, cut-off -20 mV": adex_case(-20),
    "adex, cut-off 0 mV": adex_case(0),
    "izhikevich, regular spiking": izhikevich_case(0.02, 0.2, -65, 8, 10),
    "izhikevich, fast spiking": izhikevich_case(0.1, 0.2, -65, 2, 6),
    "hodgkin-huxley": Case(hodgkin_huxley(3, 0.4), partial(hodgkin_huxley_group, 3), "g_post += 0.4*mS"),
}


def kicks(duration: float) -> tuple[np.ndarray, np.ndarray]:
    """When spikes are sent, and their delays, in milliseconds; one every 8 ms on average."""
    rng = np.random.default_rng(10)
    sent = np.sort(rng.uniform(0, duration - 3, round(duration / 8)))
    return sent, rng.uniform(0, 3, len(sent))


def errors(case: Case, duration: float, dt: float = 1e-4, **options: Any) -> np.ndarray:
    """Errors of spike times in milliseconds."""
    sent, delays = kicks(duration)
    expected = case.reference.spikes(duration, sent + delays)
    neuron = case.group(**options)
    source = SpikeGeneratorGroup(len(sent), np.arange(len(sent)), sent * ms)
    synapses = Synapses(source, neuron, on_pre=case.kick)
    synapses.connect()
    synapses.delay = delays * ms
    spikes = SpikeMonitor(neuron)
    network(neuron, source, synapses, spikes, dt=dt).run(duration * ms)
    obtained = trains(spikes)[0] * 1e3
    assert len(obtained) == len(expected) > 0
    return np.abs(obtained - expected)


@pytest.mark.parametrize("name", CASES)
def test_spike_times_are_right_to_a_nanosecond_with_the_default_method(name) -> None:
    assert np.median(errors(CASES[name], 60.0)) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("dt", [1e-5, 1e-4, 1e-3])
@pytest.mark.parametrize("name", CASES)
def test_spike_times_over_a_second_stay_right_with_the_default_method(name, dt) -> None:
    # with long steps errors of many sub-steps add up over a second
    assert np.median(errors(CASES[name], 1000.0, dt)) < (1e-6 if dt < 1e-3 else 1e-5)


@pytest.mark.parametrize("name", slow_unless(["adex, cut-off 0 mV", "izhikevich, fast spiking"], CASES))
def test_errors_fall_with_the_tolerance_asked_for(name) -> None:
    # a long step, so that the tolerance rather than the step decides
    found = [
        np.median(errors(CASES[name], 60.0, 1e-3, method="dopri5", method_options={"tolerance": tolerance}))
        for tolerance in (1e-5, 1e-7, 1e-9, 1e-11)
    ]
    for loose, tight in pairwise(found):
        assert tight < max(loose / 5, 1e-11)


@pytest.mark.parametrize(("method", "order", "dt"), [("rk4", 4, 1e-5), ("rk2", 2, 1e-5), ("euler", 1, 1e-6)])
def test_errors_of_a_method_that_is_named_fall_with_its_order(method, order, dt) -> None:
    case = CASES["izhikevich, fast spiking"]
    coarse, fine = (np.median(errors(case, 30.0, step, method=method)) for step in (2 * dt, dt))
    assert np.log2(coarse / fine) > order - 0.5


# -- low-passes of low-passes of a nonlinear variable ------------------------------------------------


def low_passes(stages: int, start: float, scale: float = 1.0) -> NeuronGroup:
    """Logistic growth from 1 to 2, and a cascade behind what is above 1."""
    lines = [
        "dv/dt = (v - one)*(1 - (v - one)/one)/(1*ms) : 1",
        "du0/dt = (v - one - u0)/(0.5*ms) : 1",
        *(f"du{k}/dt = (u{k - 1} - u{k})/(0.5*ms) : 1" for k in range(1, stages)),
    ]
    group = NeuronGroup(1, "\n".join(lines), threshold="v > 3*one", namespace={"one": scale})
    group.v = scale + scale * start
    return group


@pytest.mark.parametrize("start", [0.0, 1e-10, 1e-2])
@pytest.mark.parametrize("stages", [1, 6, 12])
def test_low_passes_of_low_passes_grow_from_zero_as_in_scipy(stages: int, start: float) -> None:
    group = low_passes(stages, start)
    start = float(group.v[0]) - 1  # after rounding
    network(group).run(20 * ms)

    def rates(t: float, u: np.ndarray) -> np.ndarray:
        driven = start / (start + (1 - start) * np.exp(-t)) if start else 0.0
        return (np.concatenate(([driven], u[:-1])) - u) / 0.5

    found = [float(getattr(group, f"u{k}")[0]) for k in range(stages)]
    expected = solve_ivp(rates, (0, 20), np.zeros(stages), method="DOP853", rtol=1e-12, atol=1e-25).y[:, -1]
    np.testing.assert_allclose(found, expected, rtol=1e-5 if start < 1e-5 else 1e-8)  # v is rounded


def test_whatever_the_unit_is_the_spans_are_the_same() -> None:
    found = []
    for scale in (1.0, 2.0**-100):
        group = low_passes(12, 1e-2, scale)
        network(group).run(5 * ms)
        found.append((group.n_spans, float(group.u11[0]) / scale))
    assert found[0] == found[1]
    assert found[0][0] < 1000
