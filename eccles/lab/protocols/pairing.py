"""Pairing: a presynaptic and a postsynaptic spike with a fixed gap, again and again."""

from __future__ import annotations

import numpy as np

from eccles.lab import checked
from eccles.lab.protocols.protocol import Protocol, with_gap
from eccles.units import Quantity, hertz, ms, second

__all__ = ["in_words", "pairing"]


def pairing(
    gap: Quantity = 10 * ms,
    *,
    n: int = 60,
    rate: Quantity = 1 * hertz,
    name: str = "pairing",
    source: str = "",
) -> Protocol:
    """`n` pairs of spikes, `rate` of them per second, with the postsynaptic spike `gap` after the other.

    Parameters
    ----------
    gap : time, optional
        Post minus pre; negative where the postsynaptic spike comes first.
    n : int, optional
    rate : frequency, optional

    Raises
    ------
    SetupError
        If `n` or `rate` is not positive.
    """
    lag, number = checked.time(gap, "the gap"), checked.count(n, "the number of pairs")
    period = 1 / checked.frequency(rate, "the rate of pairs")
    onsets = np.arange(number) / float(rate)
    return Protocol(
        name, *with_gap(onsets, lag), Quantity(max(n * period, onsets[-1] + abs(lag)), dim=second.dim),
        f"{n} pairs at {rate}, {in_words(lag)}", source,
    )  # fmt: skip


def in_words(lag: float) -> str:
    """What a gap (s) says about a pair."""
    order = "pre before post" if lag > 0 else "post before pre" if lag < 0 else "both at once"
    return f"{Quantity(abs(lag), dim=second.dim)} {order}"
