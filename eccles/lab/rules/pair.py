"""Pair rules of spike-timing-dependent plasticity."""

from __future__ import annotations

from typing import Any

from eccles.lab.parts import Preset, chosen
from eccles.lab.rules.rule import Rule
from eccles.units import ms

__all__ = ["PRESETS", "pair"]

PRESETS = {
    "Song 2000": Preset(
        {"tau_plus": 20 * ms, "tau_minus": 20 * ms, "A_plus": 0.005, "A_minus": 0.00525},
        "Song, Miller & Abbott 2000, Nat Neurosci 3:919",
    ),
}


def pair(preset: str = "Song 2000", **parameters: Any) -> Rule:
    """Pair STDP."""
    chosen_preset = chosen(PRESETS, preset, "pair")
    rule = Rule(
        "pair STDP",
        "w : 1\ndx/dt = -x/tau_plus : 1 (event-driven)\ndy/dt = -y/tau_minus : 1 (event-driven)",
        on_pre="x += 1\nw -= A_minus*y",
        on_post="y += 1\nw += A_plus*x",
        parameters=chosen_preset.parameters,
        initial={"w": 0.5},
        bounds=(0, 1),
        source="Song, Miller & Abbott 2000, Nat Neurosci 3:919",
        preset=preset,
    )
    return rule.changed(**parameters)
