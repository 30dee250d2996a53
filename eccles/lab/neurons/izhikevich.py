"""The simple model of Izhikevich: a quadratic upswing and a recovery variable."""

from __future__ import annotations

from typing import Any

from eccles.lab.neurons.neuron import Neuron
from eccles.lab.parts import Preset, chosen
from eccles.units import ms, mV

__all__ = ["PRESETS", "izhikevich"]

SOURCE = "Izhikevich 2003, IEEE Trans Neural Netw 14:1569"


def _preset(a: float, b: float, c: float, d: float, note: str = "") -> Preset:
    """The four numbers of the paper, with their units."""
    return Preset({"a": a / ms, "b": b / ms, "c": c * mV, "d": d * mV / ms}, f"{SOURCE}, figure 2", note)


PRESETS = {
    "RS": _preset(0.02, 0.2, -65, 8),  # regular spiking
    "IB": _preset(0.02, 0.2, -55, 4),  # intrinsically bursting
    "CH": _preset(0.02, 0.2, -50, 2),  # chattering
    "FS": _preset(0.1, 0.2, -65, 2),  # fast spiking
    "LTS": _preset(0.02, 0.25, -65, 2),  # low-threshold spiking
    "TC": _preset(0.02, 0.25, -65, 0.05),  # thalamo-cortical
    # resonator
    "RZ": _preset(0.1, 0.26, -65, 2, "The text of the paper gives a and b only; c and d are not checked."),
}


def izhikevich(preset: str = "RS", **parameters: Any) -> Neuron:
    """The simple model in mV and ms, so the input is a voltage over time: `10*mV/ms` for I = 10 of the paper.

    It starts at rest. Spikes come at exact times, so they are not those of the paper's own script, which
    takes Euler steps of 0.5 and 1 ms.

    Parameters
    ----------
    preset : str, optional
        'RS', 'IB', 'CH', 'FS', 'LTS', 'TC' or 'RZ'.
    **parameters
        `a`, `b` (1/time), `c`, `V_peak` (voltages) or `d` (voltage/time) instead of those of the preset.
    """
    published = chosen(PRESETS, preset, "izhikevich")
    return Neuron(
        "Izhikevich",
        """
        dv/dt = 0.04*v**2/(ms*mV) + 5*v/ms + 140*mV/ms - u + I_in : volt
        du/dt = a*(b*v - u) : volt/second
        """,
        threshold="v > V_peak",
        reset="v = c\nu += d",
        parameters={**published.parameters, "V_peak": 30 * mV},
        # where 0.04 v^2 + 5 v + 140 = b v
        initial={"v": "(b*ms - 5 - sqrt((5 - b*ms)**2 - 22.4))/0.08*mV", "u": "b*v"},
        input_unit="volt/second",
        source=f"{SOURCE}\nnumbers: {published}",
        preset=preset,
    ).changed(**parameters)
