"""Plasticity of inhibitory synapses that holds the rate of their target."""

from __future__ import annotations

from typing import Any

from eccles.lab.parts import Preset, chosen
from eccles.lab.rules.rule import Rule
from eccles.units import hertz, ms

__all__ = ["PRESETS", "inhibitory"]

VOGELS = "Vogels, Sprekeler, Zenke, Clopath & Gerstner 2011, Science 334:1569"

PRESETS = {
    "Vogels 2011": Preset(
        {"eta": 1e-3, "tau": 20 * ms, "rate_target": 3 * hertz},
        VOGELS,
        "tau and the target are those of the paper; eta is not a constant of the rule: public codes have "
        "1e-4 to 1e-2.",
    ),
}


def inhibitory(preset: str = "Vogels 2011", **parameters: Any) -> Rule:
    """Symmetric STDP of inhibitory synapses, which holds the rate of their target.

    Each pair of spikes adds `eta*exp(-|gap|/tau)`, and each presynaptic spike takes `eta*alpha`, with
    `alpha = 2*rate_target*tau`. Where spikes are independent of each other, of rates x (pre) and y (post),
    the weight drifts with `eta*x*(2*tau*y - alpha)`, which is 0 where the target fires with `rate_target`.

    Parameters
    ----------
    preset : str, optional
        One of `PRESETS`.
    **parameters
        `eta` (1), `tau` (time), `rate_target` (frequency) other than those of the preset.

    References
    ----------
    Vogels, Sprekeler, Zenke, Clopath & Gerstner 2011, Science 334:1569.
    """
    found = chosen(PRESETS, preset, "inhibitory")
    return Rule(
        "inhibitory STDP",
        "w : 1\ndx/dt = -x/tau : 1 (event-driven)\ndy/dt = -y/tau : 1 (event-driven)",
        on_pre="x += 1\nw += eta*(y - 2*rate_target*tau)",
        on_post="y += 1\nw += eta*x",
        parameters=found.parameters,
        initial={"w": 1.0},
        bounds=(0, float("inf")),
        source=str(found),
        preset=preset,
    ).changed(**parameters)
