"""Pairing: a presynaptic and a postsynaptic spike with a fixed gap, again and again."""

from __future__ import annotations

import math

import numpy as np

from eccles.engine.clock import to_seconds
from eccles.errors import DimensionMismatchError, SetupError
from eccles.lab.protocols.protocol import Protocol
from eccles.units import Quantity, get_dimensions, hertz, second

__all__ = ["pairing"]


def pairing(
    gap: Quantity, *, n: int = 60, rate: Quantity = 1 * hertz, name: str = "pairing", source: str = ""
) -> Protocol:
    """`n` pairs of spikes, `rate` of them per second, with the postsynaptic spike `gap` after the other.

    Parameters
    ----------
    gap : time
        Post minus pre; negative where the postsynaptic spike comes first.
    n : int, optional
    rate : frequency, optional

    Raises
    ------
    SetupError
        If `n` or `rate` is not positive.
    """
    lag = to_seconds(gap, "the gap")
    if get_dimensions(rate) is not hertz.dim:
        raise DimensionMismatchError(
            "the rate of pairs is a frequency, as in 1*Hz", get_dimensions(rate), hertz.dim
        )
    if n < 1 or not (math.isfinite(float(rate)) and float(rate) > 0) or not math.isfinite(lag):
        raise SetupError(
            f"pairs come with a finite gap, at a positive rate, at least once: not {n} at {rate}"
        )
    onsets = np.arange(n) / float(rate)
    pre, post = (Quantity(onsets + max(shift, 0.0), dim=second.dim) for shift in (-lag, lag))
    period = 1 / float(rate)
    order = "pre before post" if lag > 0 else "post before pre" if lag < 0 else "both at once"
    return Protocol(
        name, pre, post, Quantity(max(n * period, onsets[-1] + abs(lag)), dim=second.dim),
        f"{n} pairs at {rate}, {Quantity(abs(lag), dim=second.dim)} {order}", source,
    )  # fmt: skip
