"""The adaptive exponential integrate-and-fire neuron."""

from __future__ import annotations

from typing import Any

from eccles.lab.neurons.neuron import Neuron
from eccles.lab.parts import Preset, chosen
from eccles.units import ms, mV, nS, pA, pF

__all__ = ["PRESETS", "STEPS", "adex"]

SOURCE = "Brette & Gerstner 2005, J Neurophysiol 94:3637"
NAUD = "Naud, Marcille, Clopath & Gerstner 2008, Biol Cybern 99:335, table 1"
CUT = (
    "The upswing is cut off at V_peak = 0 mV. From there to infinity it takes about C/g_L exp((V_T - V_peak)/"
    "Delta_T), some 1e-10 ms here, so a higher value changes no spike time that can be measured."
)


def _preset(C: float, g_L: float, E_L: float, a: float, tau_w: float, b: float, V_reset: float) -> Preset:
    """The numbers of a pattern in Naud et al. 2008, in pF, nS, mV, ms and pA."""
    note = f"{CUT} Table 1 was not seen in print: three independent copies of it agree on these numbers."
    return Preset(
        {
            "C": C * pF, "g_L": g_L * nS, "E_L": E_L * mV, "V_T": -50 * mV, "Delta_T": 2 * mV,
            "a": a * nS, "tau_w": tau_w * ms, "b": b * pA, "V_reset": V_reset * mV, "V_peak": 0 * mV,
        },
        NAUD,
        note,
    )  # fmt: skip


PRESETS = {
    "Brette 2005": Preset(
        {
            "C": 281 * pF, "g_L": 30 * nS, "E_L": -70.6 * mV, "V_T": -50.4 * mV, "Delta_T": 2 * mV,
            "a": 4 * nS, "tau_w": 144 * ms, "b": 80.5 * pA, "V_reset": -70.6 * mV, "V_peak": 0 * mV,
        },
        SOURCE,
        CUT,
    ),
    "tonic": _preset(200, 10, -70, 2, 30, 0, -58),
    "adapting": _preset(200, 12, -70, 2, 300, 60, -58),
    "initial burst": _preset(130, 18, -58, 4, 150, 120, -50),
    "regular bursting": _preset(200, 10, -58, 2, 120, 100, -46),
    "delayed accelerating": _preset(200, 12, -70, -10, 300, 0, -58),
    "irregular": _preset(100, 12, -60, -11, 130, 30, -48),
}  # fmt: skip

# The step of current with which Naud et al. 2008 show each pattern.
STEPS = {
    "tonic": 500 * pA,
    "adapting": 500 * pA,
    "initial burst": 400 * pA,
    "regular bursting": 210 * pA,
    "delayed accelerating": 300 * pA,
    "irregular": 160 * pA,
}


def adex(preset: str = "Brette 2005", **parameters: Any) -> Neuron:
    """A leak, an exponential upswing to the spike, and a current `w_ad` of adaptation.

    Patterns of Naud et al. 2008 are presets, and `STEPS` has the currents that show them. Two of their eight
    are left out, 'delayed regular bursting' and 'transient spiking': copies of the table disagree on them.

    Parameters
    ----------
    preset : str, optional
        One of `PRESETS`.
    **parameters
        Numbers that replace those of the preset: `C` (capacitance), `g_L`, `a` (conductances), `E_L`, `V_T`,
        `Delta_T`, `V_reset`, `V_peak` (voltages), `tau_w` (time), `b` (current).
    """
    published = chosen(PRESETS, preset, "adex")
    return Neuron(
        "adaptive exponential integrate-and-fire",
        """
        dv/dt = (g_L*(E_L - v) + g_L*Delta_T*exp((v - V_T)/Delta_T) - w_ad + I_in)/C : volt
        dw_ad/dt = (a*(v - E_L) - w_ad)/tau_w : amp
        """,
        threshold="v > V_peak",
        reset="v = V_reset\nw_ad += b",
        parameters=published.parameters,
        initial={"v": "E_L"},
        source=f"{SOURCE}\nnumbers: {published}",
        preset=preset,
    ).changed(**parameters)
