"""The leaky integrate-and-fire neuron: with units, and without."""

from __future__ import annotations

from typing import Any

from eccles.lab.neurons.neuron import Neuron
from eccles.units import ms, mV, nS, pF

__all__ = ["lif", "lif_abstract"]

SOURCE = "Gerstner, Kistler, Naud & Paninski 2014, Neuronal Dynamics, chapter 1.3"


def lif(**parameters: Any) -> Neuron:
    """A membrane with a capacitance and a leak: `C dv/dt = g_L (E_L - v) + I_in`."""
    return Neuron(
        "leaky integrate-and-fire",
        "dv/dt = (g_L*(E_L - v) + I_in)/C : volt (unless refractory)",
        threshold="v > V_th",
        reset="v = V_reset",
        refractory="t_ref",
        parameters={
            "C": 200 * pF, "g_L": 10 * nS, "E_L": -70 * mV,
            "V_th": -55 * mV, "V_reset": -70 * mV, "t_ref": 2 * ms,
        },
        initial={"v": "E_L"},
        source=SOURCE,
    ).changed(**parameters)  # fmt: skip


def lif_abstract(**parameters: Any) -> Neuron:
    """The same without units: `v` is 0 at rest and 1 at threshold; a constant input is where `v` tends to."""
    return Neuron(
        "leaky integrate-and-fire, abstract",
        "dv/dt = (I_in - v)/tau_m : 1 (unless refractory)",
        threshold="v > 1",
        reset="v = v_reset",
        refractory="t_ref",
        parameters={"tau_m": 20 * ms, "v_reset": 0.0, "t_ref": 2 * ms},
        input_unit="1",
        source=SOURCE,
    ).changed(**parameters)
