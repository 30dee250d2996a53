"""The spike of the neuron of Clopath et al., and what follows it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from eccles import Network, SetupError, SpikeGeneratorGroup, StateMonitor, Synapses, ms, mV, nS, pA
from eccles.engine.clock import Clock
from eccles.lab.neurons import clopath


def test_a_spike_is_a_clamp_after_which_the_membrane_follows_its_equations() -> None:
    clock = Clock(0.1 * ms)
    stimulus = SpikeGeneratorGroup(1, [0], [5.03] * ms, clock=clock)
    cell = clopath().group(1, clock=clock)
    forced = Synapses(stimulus, cell, on_pre="v_post = 30*mV", clock=clock)
    forced.connect()
    monitor = StateMonitor(cell, ["u", "v", "w_ad", "z", "V_T"], record=True)
    Network(stimulus, cell, forced, monitor).run(40 * ms)
    t, u = monitor.t / ms, monitor.u[0] / mV
    in_spike = (t > 5.03) & (t < 7.03)
    assert in_spike.sum() == 20
    np.testing.assert_allclose(u[in_spike], 33.0, rtol=0, atol=1e-12)
    assert u[~in_spike].max() < -45

    def slope(_, y):
        v, w, z, threshold = y
        return [
            (-30 * (v + 70.6) + 60 * np.exp((v - threshold) / 2) - w + z) / 281,
            (4 * (v + 70.6) - w) / 144, -z / 40, (-50.4 - threshold) / 50,
        ]  # fmt: skip

    before = monitor.w_ad[0, 50] / pA  # at rest, adaptation has hardly moved
    later = t[t > 7.03]
    expected = solve_ivp(
        slope, (7.03, later[-1]), [-49.5, before + 80.5, 400, -30.4], t_eval=later, rtol=1e-11, atol=1e-11
    ).y
    units = (mV, pA, pA, mV)
    for values, name, unit in zip(expected, ("v", "w_ad", "z", "V_T"), units, strict=True):
        np.testing.assert_allclose(getattr(monitor, name)[0][t > 7.03] / unit, values, rtol=0, atol=1e-3)


def test_the_slip_of_units_in_the_code_of_the_figures_can_be_had() -> None:
    assert clopath().parameters["b"] / clopath("Clopath 2010, as simulated").parameters["b"] == pytest.approx(
        1000
    )
    assert clopath(a=2 * nS).parameters["a"] == 2 * nS
    with pytest.raises(SetupError, match="no preset"):
        clopath("Clopath 2011")
