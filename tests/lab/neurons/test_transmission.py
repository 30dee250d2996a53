"""What spikes do to a passive membrane, against closed forms."""

from __future__ import annotations

from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest
import xarray as xr
from scipy.integrate import solve_ivp
from scipy.optimize import minimize_scalar

from eccles import (
    DimensionMismatchError,
    NeuronGroup,
    SetupError,
    SpikeGeneratorGroup,
    StateMonitor,
    Synapses,
    ms,
    mV,
    nS,
    pA,
    record,
    run,
    sweep,
    volt,
)
from eccles.explain import explanation
from eccles.lab.measure import psp_shape
from eccles.lab.neurons import (
    TRANSMISSIONS,
    Neuron,
    Transmission,
    alpha_conductance,
    alpha_current,
    biexponential_conductance,
    biexponential_current,
    delta,
    exponential_conductance,
    exponential_current,
    lif,
    lif_abstract,
)
from eccles.lab.rules import pair

PASSIVE = lif(V_th=1 * volt)  # 200 pF and 10 nS: 20 ms
TAU_M, C = 0.02, 200e-12
SPIKES = (2.345e-3, 9.87e-3)
WEIGHT = 2.5


def simulated(
    transmission: Transmission, *variables: str, neuron: Neuron = PASSIVE, **options: object
) -> tuple[np.ndarray, list[np.ndarray], NeuronGroup]:
    """Time, and the values of variables, of a neuron that receives two spikes."""
    source = SpikeGeneratorGroup(1, [0, 0], np.array(SPIKES) * 1e3 * ms)
    group = neuron.group(1, transmission, namespace={}, **options)
    synapses = Synapses(
        source, group, "w : 1", on_pre=transmission.on_pre, namespace=dict(transmission.parameters)
    )
    synapses.connect()
    synapses.w = WEIGHT
    monitor = StateMonitor(group, variables, record=True)
    run(60 * ms)
    assert "exact times" in explanation()
    return np.asarray(monitor.t), [np.asarray(getattr(monitor, v))[0] for v in variables], group


def summed(kernel: Callable[[np.ndarray], np.ndarray], t: np.ndarray) -> np.ndarray:
    """The kernel after each spike."""
    return sum((np.where(t >= s, kernel(np.maximum(t - s, 0)), 0.0) for s in SPIKES), np.zeros_like(t))


def filtered(a: float, b: float, t: np.ndarray) -> np.ndarray:
    """exp(-t/a) filtered by a membrane exp(-t/b)/C."""
    if a == b:
        return t * np.exp(-t / a) / C
    return a * b / (a - b) * (np.exp(-t / a) - np.exp(-t / b)) / C


def filtered_alpha(a: float, b: float, t: np.ndarray) -> np.ndarray:
    """t/a exp(1 - t/a) filtered by the membrane."""
    if a == b:
        return np.e * t**2 / (2 * a) * np.exp(-t / a) / C
    beta = 1 / a - 1 / b
    both = (np.exp(-t / b) - np.exp(-t / a)) / beta**2 - t * np.exp(-t / a) / beta
    return np.e / a * both / C


def peak_of_difference(rise: float, decay: float) -> float:
    """Of exp(-t/decay) - exp(-t/rise), by a search."""
    found = minimize_scalar(
        lambda t: np.exp(-t / rise) - np.exp(-t / decay), bounds=(0, 5 * decay), method="bounded",
        options={"xatol": 1e-14},
    )  # fmt: skip
    return -found.fun


N_BIEXP = 1 / peak_of_difference(0.8e-3, 6e-3)
CURRENTS = {
    "exponential": (
        exponential_current(tau_syn=5 * ms, I_max_syn=40 * pA),
        lambda t: np.exp(-t / 5e-3), lambda t: filtered(5e-3, TAU_M, t),
    ),
    "exponential, as slow as the membrane": (
        exponential_current(tau_syn=20 * ms, I_max_syn=40 * pA),
        lambda t: np.exp(-t / 20e-3), lambda t: filtered(TAU_M, TAU_M, t),
    ),
    "alpha": (
        alpha_current(tau_syn=3 * ms, I_max_syn=40 * pA),
        lambda t: t / 3e-3 * np.exp(1 - t / 3e-3), lambda t: filtered_alpha(3e-3, TAU_M, t),
    ),
    "alpha, as slow as the membrane": (
        alpha_current(tau_syn=20 * ms, I_max_syn=40 * pA),
        lambda t: t / 20e-3 * np.exp(1 - t / 20e-3), lambda t: filtered_alpha(TAU_M, TAU_M, t),
    ),
    "bi-exponential": (
        biexponential_current(tau_rise_syn=0.8 * ms, tau_decay_syn=6 * ms, I_max_syn=40 * pA),
        lambda t: N_BIEXP * (np.exp(-t / 6e-3) - np.exp(-t / 0.8e-3)),
        lambda t: N_BIEXP * (filtered(6e-3, TAU_M, t) - filtered(0.8e-3, TAU_M, t)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CURRENTS)
def test_currents_and_the_potentials_they_cause_are_the_closed_forms(name: str) -> None:
    transmission, current, potential = CURRENTS[name]
    t, (found, v), _ = simulated(transmission, "I_syn", "v")
    scale = WEIGHT * 40e-12
    np.testing.assert_allclose(found, scale * summed(current, t), rtol=0, atol=1e-12 * scale)
    wanted = scale * summed(potential, t)
    np.testing.assert_allclose(v + 70e-3, wanted, rtol=0, atol=1e-11 * wanted.max())


CONDUCTANCES = {
    "exponential": (
        exponential_conductance(tau_syn=5 * ms, g_max_syn=3 * nS), lambda t: np.exp(-t / 5e-3),
    ),
    "alpha": (
        alpha_conductance(tau_syn=3 * ms, g_max_syn=3 * nS, E_syn=-80 * mV),
        lambda t: t / 3e-3 * np.exp(1 - t / 3e-3),
    ),
    "bi-exponential": (
        biexponential_conductance(tau_rise_syn=0.8 * ms, tau_decay_syn=6 * ms, g_max_syn=3 * nS),
        lambda t: N_BIEXP * (np.exp(-t / 6e-3) - np.exp(-t / 0.8e-3)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONDUCTANCES)
def test_conductances_are_closed_forms_and_potentials_those_of_scipy(name: str) -> None:
    transmission, shape = CONDUCTANCES[name]
    t, (g, v), _ = simulated(transmission, "g_syn", "v", method_options={"tolerance": 1e-12})
    scale = WEIGHT * 3e-9
    np.testing.assert_allclose(g, scale * summed(shape, t), rtol=0, atol=1e-10 * scale)
    reversal = float(transmission.parameters["E_syn"])
    start, begin, wanted = -70e-3, 0.0, np.full_like(t, -70e-3)
    for end in (*SPIKES, t[-1]):  # the right side is not smooth at spikes
        inside = (t >= begin) & (t <= end)
        solution = solve_ivp(
            lambda s, x, begin=begin: (
                10e-9 * (-70e-3 - x)
                + scale * sum(shape(s - at) for at in SPIKES if at <= begin) * (reversal - x)
            ) / C,
            (begin, end), [start], method="DOP853", rtol=1e-12, atol=1e-15, dense_output=True,
        )  # fmt: skip
        wanted[inside], start, begin = solution.sol(t[inside])[0], solution.y[0][-1], end
    deflection = np.max(np.abs(wanted + 70e-3))
    assert deflection > 1e-3
    np.testing.assert_allclose(v, wanted, rtol=0, atol=1e-9 * deflection)


def test_a_jump_is_a_jump_with_and_without_units() -> None:
    t, (v,), _ = simulated(delta(1.5 * mV), "v")
    wanted = WEIGHT * 1.5e-3 * summed(lambda s: np.exp(-s / TAU_M), t)
    np.testing.assert_allclose(v + 70e-3, wanted, rtol=0, atol=1e-15)
    t, (v,), _ = simulated(delta(0.05), "v", neuron=lif_abstract())
    np.testing.assert_allclose(v, WEIGHT * 0.05 * summed(lambda s: np.exp(-s / TAU_M), t), atol=1e-14)


def test_the_shape_of_a_simulated_epsp_is_that_of_the_closed_form() -> None:
    fast = exponential_current(tau_syn=2 * ms, I_max_syn=100 * pA)
    source = SpikeGeneratorGroup(1, [0], [1.234] * ms)
    group = PASSIVE.group(1, fast, namespace={})
    synapses = Synapses(source, group, "w : 1", on_pre=fast.on_pre, namespace=dict(fast.parameters))
    synapses.connect()
    synapses.w = 1
    monitor = StateMonitor(group, "v", record=True)
    run(200 * ms)
    trace = xr.DataArray(np.asarray(monitor.v)[0] + 70e-3, {"time": np.asarray(monitor.t)}, ("time",))
    shape = psp_shape(trace, onset=1.234 * ms)
    a, b = mp.mpf("0.02"), mp.mpf("0.002")
    at = a * b / (a - b) * mp.log(a / b)
    peak = mp.mpf("100e-12") * b / mp.mpf("200e-12") * (b / a) ** (b / (a - b))
    assert float(shape["time_to_peak"]) == pytest.approx(float(at), rel=1e-7)
    assert float(shape["amplitude"]) == pytest.approx(float(peak), rel=1e-9)
    assert float(shape["area"] + shape["area_beyond"]) == pytest.approx(100e-12 * 0.002 * 0.02 / C, rel=1e-8)


def test_a_neuron_can_have_several_kinds_of_synapses_and_rules_use_their_text() -> None:
    excitation = exponential_conductance("exc", tau_exc=5 * ms, E_exc=0 * mV)
    inhibition = biexponential_conductance("inh", E_inh=-80 * mV)
    group = PASSIVE.group(1, excitation, inhibition, namespace={})
    source = SpikeGeneratorGroup(1, [0], [1] * ms)
    synapses = pair().synapses(source, group, transmission=excitation.on_pre, namespace=excitation.parameters)
    run(1.5 * ms)
    assert len(synapses) == 1
    assert float(group.g_exc[0]) == pytest.approx(0.5e-9 * np.exp(-0.1), rel=1e-6)
    assert group.g_inh[0] == 0 * nS


def test_a_sweep_over_time_constants_and_weights_is_one_program() -> None:
    def model(tau_rise, tau_decay, g_max):
        transmission = biexponential_conductance(
            tau_rise_syn=tau_rise, tau_decay_syn=tau_decay, g_max_syn=g_max
        )
        source = SpikeGeneratorGroup(1, [0], [1] * ms)
        group = PASSIVE.group(1, transmission, namespace={})
        synapses = Synapses(
            source, group, "w : 1", on_pre=transmission.on_pre, namespace=dict(transmission.parameters)
        )
        synapses.connect()
        synapses.w = 1
        run(30 * ms)

    swept = {"tau_rise": [0.5, 1] * ms, "tau_decay": [5, 8] * ms, "g_max": [1, 2] * nS}
    found = sweep(model, **swept, record={"g": record.maximum("group.g_syn"), "v": record.maximum("group.v")})
    np.testing.assert_allclose(found["g"].squeeze(), np.broadcast_to([1e-9, 2e-9], (2, 2, 2)), rtol=1e-3)
    assert bool((found["v"].diff("g_max") > 0).all())
    assert bool((found["v"].diff("tau_decay") > 0).all())


@pytest.mark.parametrize("name", TRANSMISSIONS)
def test_each_says_what_it_is_and_where_it_is_from(name: str) -> None:
    transmission = TRANSMISSIONS[name]()
    text = str(transmission)
    assert text.startswith(name)
    assert "source" in text
    assert transmission.on_pre.splitlines()[0].strip() in text


def test_mistakes_are_named() -> None:
    with pytest.raises(SetupError, match="no parameter 'tau_sin'; did you mean 'tau_syn'"):
        exponential_current(tau_sin=5 * ms)
    with pytest.raises(DimensionMismatchError, match="another unit"):
        alpha_conductance(g_max_syn=5 * pA)
    with pytest.raises(SetupError, match="tau_rise_exc and tau_decay_exc are the same"):
        biexponential_current("exc", tau_rise_exc=2 * ms, tau_decay_exc=2 * ms)
    with pytest.raises(SetupError, match="'tau_syn' of exponential conductance already stands for"):
        PASSIVE.group(1, exponential_current(tau_syn=3 * ms), exponential_conductance())


def test_time_constants_that_are_not_positive_are_refused() -> None:
    with pytest.raises(SetupError, match=r"'tau_syn' of the transmission 'exponential current'.* positive"):
        exponential_current(tau_syn=-5 * ms)
    with pytest.raises(SetupError, match="'tau_m' of the neuron 'leaky integrate-and-fire, abstract'"):
        lif_abstract(tau_m=0 * ms)
