"""The triplet rule: pairs of spikes, and how recently the neuron of the second one has spiked before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eccles.lab import data
from eccles.lab.parts import Preset, chosen, joined
from eccles.lab.rules.coincidence import discarding
from eccles.lab.rules.rule import Coincidence, Delays, Rule
from eccles.units import ms

__all__ = ["PRESETS", "triplet"]

SOURCE = "Pfister & Gerstner 2006, J Neurosci 26:9673"


def _presets() -> dict[str, Preset]:
    """The eight rows of tables 3 and 4."""
    found = {}
    for one in data.rows("pfister2006_parameters"):
        numbers = {name: one[name] for name in ("A2_plus", "A3_plus", "A2_minus", "A3_minus")}
        times = {name: one[f"{name}_ms"] for name in ("tau_plus", "tau_minus", "tau_x", "tau_y")}
        if one["model"] == "minimal":
            del numbers["A3_minus"], times["tau_x"]
        notes = [f"numbers from public transcriptions, not from the paper; {one['copies']:.0f} agree"]
        if one["tau_x_identifiable"] == "no":
            notes.append("tau_x is printed in parentheses: the fit does not depend on it")
        name = f"{one['preparation']} {one['interaction']} {one['model']}"
        found[name] = Preset(
            {**numbers, **{name: value * ms for name, value in times.items()}},
            f"{SOURCE}, table {3 if one['preparation'] == 'visual cortex' else 4}",
            "; ".join(notes),
        )
    return found


PRESETS: Mapping[str, Preset] = _presets()


def triplet(
    preset: str = "visual cortex all-to-all full",
    *,
    coincidence: Coincidence = "pre_first",
    delays: Delays = "axonal",
    bounds: tuple[Any, Any] | None = None,
    **parameters: Any,
) -> Rule:
    """The triplet rule of STDP (Pfister & Gerstner 2006, equations 3 and 4).

    Each neuron has a fast trace (`r1` of pre-, `o1` of postsynaptic spikes) and a slow one (`r2`, `o2`):

    - presynaptic spike: `w -= o1 (A2_minus + A3_minus r2)`
    - postsynaptic spike: `w += r1 (A2_plus + A3_plus o2)`

    The slow trace is read before the spike itself is added to it. The minimal model has no `A3_minus`, and
    no `r2` therefore.

    Parameters
    ----------
    preset : str, optional
        One of `PRESETS`, as in 'hippocampal culture nearest-spike minimal': 'visual cortex' or 'hippocampal
        culture'; 'all-to-all' or 'nearest-spike' (each spike sets the traces to 1, in place of adding 1);
        'full' or 'minimal'. The weight is in parts of that at the start, 1.
    coincidence : {'pre_first', 'post_first', 'discard'}, optional
        A gap of 0 is potentiation, depression, or nothing: then both spikes act as if the other
        were not there (the depression comes first), and both are there for later ones. The paper does not
        say.
    delays, bounds
        As for `Rule`; the paper has no bounds.
    **parameters
        Other numbers than those of the preset.

    Raises
    ------
    SetupError
        If the preset or a parameter is not known, or a time constant is not positive.
    DimensionMismatchError
        If a parameter has another unit.
    """
    published = chosen(PRESETS, preset, "triplet")
    interaction, model = preset.split()[-2:]
    full, adds = model == "full", "+= 1" if interaction == "all-to-all" else "= 1"
    alone = discarding(coincidence, "r1")
    return Rule(
        f"triplet STDP, {interaction}, {model}",
        joined(
            "w : 1",
            "dr1/dt = -r1/tau_plus : 1 (event-driven)",
            "dr2/dt = -r2/tau_x : 1 (event-driven)" if full else "",
            "do1/dt = -o1/tau_minus : 1 (event-driven)",
            "do2/dt = -o2/tau_y : 1 (event-driven)",
            alone.equations,
        ),
        on_pre=joined(
            "w -= o1*(A2_minus + A3_minus*r2)" if full else "w -= o1*A2_minus",
            alone.on_pre,
            f"r1 {adds}",
            f"r2 {adds}" if full else "",
        ),
        on_post=joined(
            alone.on_post,
            f"w += {alone.seen}*(A2_plus + A3_plus*o2)",
            f"o1 {adds}",
            f"o2 {adds}",
        ),
        parameters=published.parameters,
        initial={"w": 1.0, **alone.initial},
        bounds=bounds,
        coincidence=coincidence,
        delays=delays,
        source=str(published),
        preset=preset,
    ).changed(**parameters)
