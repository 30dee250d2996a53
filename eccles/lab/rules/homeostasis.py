"""Homeostatic scaling: the synapses of a neuron change by one factor until it fires at its target rate.

Each postsynaptic spike raises the estimate of the rate by 1/tau_rate, and the estimate decays with tau_rate.
So a spike takes 1/(rate_target*tau_w) from log(w) in the end, and of all spikes `gain*rate` is still to come.
Without spikes log(w) grows by 1/tau_w per second. Each event first does what has come since the last one.
"""

from __future__ import annotations

from typing import Any

from eccles.lab.parts import Preset, chosen
from eccles.lab.rules.rule import Rule
from eccles.units import hertz, second

__all__ = ["PRESETS", "homeostasis"]

SOURCE = (
    "Turrigiano, Leslie, Desai, Rutherford & Nelson 1998, Nature 391:892 (scaling by one factor); "
    "van Rossum, Bi & Turrigiano 2000, J Neurosci 20:8812 (as a differential equation)"
)

PRESETS = {
    "proportional": Preset(
        {"rate_target": 5 * hertz, "tau_rate": 1 * second, "tau_w": 100 * second},
        SOURCE,
        "The form is the proportional term of van Rossum et al.; the numbers are chosen for simulations of "
        "minutes. In culture scaling takes hours to days.",
    ),
}

EQUATIONS = """
    w : 1
    drate/dt = -rate/tau_rate : Hz (event-driven)
    dgrown/dt = 1/tau_w : 1 (event-driven)
    gain = tau_rate/(rate_target*tau_w) : second
    to_come : 1
    w_now = w*exp(grown + gain*rate - to_come) : 1
"""
ADVANCE, FORESEE = "w = w_now\ngrown = 0\n", "to_come = gain*rate"


def homeostasis(preset: str = "proportional", **parameters: Any) -> Rule:
    """Homeostatic synaptic scaling: `dw/dt = w*(1 - rate/rate_target)/tau_w`.

    `rate` is an estimate of how fast the postsynaptic neuron fires: `drate/dt = -rate/tau_rate`, and each of
    its spikes adds 1/tau_rate. As each weight changes in proportion to itself, those of a neuron keep their
    ratios. All of this is exact; the weight is `w` at the last event of a synapse (it is up to date where the
    transmission uses it), and `w_now` at any time.

    Modelling choices: the rate is estimated by an exponential trace that begins with 0; there is no integral
    term, so that tau_rate should be well below tau_w, or the rate overshoots; weights have no bounds.

    Parameters
    ----------
    preset : str, optional
        One of `PRESETS`.
    **parameters
        `rate_target` (frequency), `tau_rate`, `tau_w` (times) other than those of the preset.

    References
    ----------
    Turrigiano et al. 1998, Nature 391:892; van Rossum, Bi & Turrigiano 2000, J Neurosci 20:8812.
    """
    found = chosen(PRESETS, preset, "homeostasis")
    return Rule(
        "homeostatic scaling",
        EQUATIONS,
        on_pre=ADVANCE + FORESEE,
        on_post=ADVANCE + "rate += 1/tau_rate\n" + FORESEE,
        parameters=found.parameters,
        initial={"w": 1.0},
        now="w_now",
        transmits="after",
        source=str(found),
        preset=preset,
    ).changed(**parameters)
