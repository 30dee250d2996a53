"""The squid axon of Hodgkin and Huxley."""

from __future__ import annotations

from typing import Any

from eccles.lab.neurons.neuron import Neuron
from eccles.units import cm, mS, mV, uF, um

__all__ = ["hodgkin_huxley"]

SOURCE = "Hodgkin & Huxley 1952, J Physiol 117:500, table 3 and equations 12, 13, 20, 21, 23, 24 (6.3 °C)"


def hodgkin_huxley(**parameters: Any) -> Neuron:
    """A patch of membrane with sodium, potassium and leak.

    The potential is that of the inside. (The paper's has the other sign and is 0 at rest, here at -65 mV.)
    The rates alpha_m and alpha_n are written with exprel(x) = (exp(x) - 1)/x, which has a value where their
    common form is 0/0. A spike is an upward passage through `V_th`; nothing is reset. Gates are `phi` times
    faster than at 6.3 °C: 3**((T - 6.3)/10) at T °C.

    Parameters
    ----------
    **parameters
        Numbers that replace those of 1952: densities `C`, `g_Na`, `g_K`, `g_L`, the `area` of the patch,
        potentials `E_Na`, `E_K`, `E_L`, `V_th`, and `phi`.
    """
    density = mS / cm**2
    return Neuron(
        "Hodgkin-Huxley",
        """
        dv/dt = (g_Na*m**3*h*(E_Na - v) + g_K*n**4*(E_K - v) + g_L*(E_L - v) + I_in/area)/C : volt
        dm/dt = phi*(alpha_m*(1 - m) - beta_m*m) : 1
        dh/dt = phi*(alpha_h*(1 - h) - beta_h*h) : 1
        dn/dt = phi*(alpha_n*(1 - n) - beta_n*n) : 1
        alpha_m = 1/exprel(-(v + 40*mV)/(10*mV))/ms : hertz
        beta_m = 4*exp(-(v + 65*mV)/(18*mV))/ms : hertz
        alpha_h = 0.07*exp(-(v + 65*mV)/(20*mV))/ms : hertz
        beta_h = 1/(1 + exp(-(v + 35*mV)/(10*mV)))/ms : hertz
        alpha_n = 0.1/exprel(-(v + 55*mV)/(10*mV))/ms : hertz
        beta_n = 0.125*exp(-(v + 65*mV)/(80*mV))/ms : hertz
        """,
        threshold="v > V_th",
        refractory="v > V_th",  # so that a passage counts once
        parameters={
            "C": 1 * uF / cm**2, "g_Na": 120 * density, "g_K": 36 * density, "g_L": 0.3 * density,
            "E_Na": 50 * mV, "E_K": -77 * mV, "E_L": -54.387 * mV,
            "area": 20000 * um**2, "V_th": 0 * mV, "phi": 1.0,
        },
        initial={
            "v": "-65*mV", "m": "alpha_m/(alpha_m + beta_m)", "h": "alpha_h/(alpha_h + beta_h)",
            "n": "alpha_n/(alpha_n + beta_n)",
        },
        source=SOURCE,
    ).changed(**parameters)  # fmt: skip
