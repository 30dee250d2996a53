"""The suppression model: a spike counts less the sooner it comes after another one of its neuron."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eccles.lab.parts import Preset, chosen, joined
from eccles.lab.rules.coincidence import discarding
from eccles.lab.rules.rule import Coincidence, Delays, Rule
from eccles.units import ms

__all__ = ["PRESETS", "suppression"]

SOURCE = "Froemke & Dan 2002, Nature 416:433"
PER_PAIR = "amplitudes are those of a whole protocol, taken to be 60 pairs, divided by 60"

PRESETS: Mapping[str, Preset] = {
    "Froemke & Dan 2002": Preset(
        {"A_plus": 1.01 / 60, "A_minus": 0.52 / 60, "tau_plus": 14.8 * ms, "tau_minus": 33.8 * ms,
         "tau_s_plus": 34 * ms, "tau_s_minus": 75 * ms},
        SOURCE,
        f"numbers as one public code has them, not checked in the paper; {PER_PAIR}",
    ),
    "Froemke & Dan, recalled": Preset(
        {"A_plus": 1.03 / 60, "A_minus": 0.51 / 60, "tau_plus": 13.3 * ms, "tau_minus": 34.5 * ms,
         "tau_s_plus": 28 * ms, "tau_s_minus": 88 * ms},
        SOURCE,
        f"recalled, not checked; which paper has which numbers is uncertain; {PER_PAIR}",
    ),
}  # fmt: skip


def suppression(
    preset: str = "Froemke & Dan 2002",
    *,
    coincidence: Coincidence = "pre_first",
    delays: Delays = "axonal",
    bounds: tuple[Any, Any] | None = None,
    **parameters: Any,
) -> Rule:
    """Pair STDP in which each spike has an efficacy (Froemke & Dan 2002).

    Each pair of spikes, all to all, changes the weight by the product of both efficacies and of the window
    of its gap: `A_plus exp(-d/tau_plus)` or `-A_minus exp(d/tau_minus)`. The efficacy of a spike is
    `1 - exp(-s/tau_s)`, `s` after the spike before it of the same neuron; that of the first spike is 1.

    Parameters
    ----------
    preset : str, optional
        One of `PRESETS`; read `print(suppression())`: the numbers are uncertain. The weight is in parts of
        that at the start, 1.
    coincidence : {'pre_first', 'post_first', 'discard'}, optional
        A gap of 0 is potentiation, depression, or no pair. The paper does not say.
    delays, bounds
        As for `Rule`.
    **parameters
        Other numbers than those of the preset: `A_plus`, `A_minus`, `tau_plus`, `tau_minus`, and how long
        suppression lasts, `tau_s_plus` of presynaptic, `tau_s_minus` of postsynaptic spikes.

    Raises
    ------
    SetupError
        If the preset or a parameter is not known, or a time constant is not positive.
    DimensionMismatchError
        If a parameter has another unit.
    """
    published = chosen(PRESETS, preset, "suppression")
    alone = discarding(coincidence)
    return Rule(
        "pair STDP with suppression",
        joined(
            "w : 1",
            "dx/dt = -x/tau_plus : 1 (event-driven)",
            "dy/dt = -y/tau_minus : 1 (event-driven)",
            "dsx/dt = -sx/tau_s_plus : 1 (event-driven)",
            "dsy/dt = -sy/tau_s_minus : 1 (event-driven)",
            alone.equations,
        ),
        on_pre=joined("w -= A_minus*(1 - sx)*y", alone.on_pre, "x += 1 - sx", "sx = 1"),
        on_post=joined(alone.on_post, f"w += A_plus*(1 - sy)*{alone.seen}", "y += 1 - sy", "sy = 1"),
        parameters=published.parameters,
        initial={"w": 1.0, **alone.initial},
        bounds=bounds,
        coincidence=coincidence,
        delays=delays,
        source=str(published),
        preset=preset,
    ).changed(**parameters)
