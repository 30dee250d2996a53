"""Model text for spikes of both sides at one instant that do not count as a pair.

Presynaptic spikes are handled first. So the postsynaptic spike has to leave out what the presynaptic one has
just added to its trace: the trace is kept as it was before, with the time of the spike. Spikes that reach a
synapse at the same time have the same `t`, to the last bit.
"""

from __future__ import annotations

from typing import NamedTuple

from eccles.lab.rules.rule import Coincidence
from eccles.units import Quantity, second

__all__ = ["NEVER", "Discarding", "discarding"]

NEVER = -1 * second  # before any spike


class Discarding(NamedTuple):
    """Lines for a rule with a presynaptic trace `x`; empty where coincident spikes count.

    Attributes
    ----------
    equations : str
        Variables of the synapse.
    on_pre : str
        What comes before the presynaptic spike changes `x`.
    on_post : str
        What comes first at a postsynaptic spike.
    seen : str
        What the postsynaptic spike reads in place of `x`.
    together : str
        1 where a presynaptic spike that stays to be paired has come at the same instant, otherwise 0.
    initial : dict
        Values at the start.
    """

    equations: str
    on_pre: str
    on_post: str
    seen: str
    together: str
    initial: dict[str, Quantity]


def discarding(coincidence: Coincidence, x: str = "x") -> Discarding:
    """The lines that a rule with the presynaptic trace `x` needs for this convention."""
    if coincidence != "discard":
        return Discarding("", "", "", x, "0", {})
    return Discarding(
        f"{x}_before : 1\nt_last : second",
        f"{x}_before = {x}\nt_last = t",
        f"together = int(t == t_last)\nseen = {x} + together*({x}_before - {x})",
        "seen",
        "together",
        {"t_last": NEVER},
    )
