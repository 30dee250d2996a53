"""Triplets and quadruplets of spikes, as in Wang, Gerkin, Nauen & Bi 2005."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from eccles.errors import SetupError
from eccles.lab import checked
from eccles.lab.protocols.protocol import Protocol
from eccles.units import Quantity, hertz, ms, second

__all__ = ["post_pre_post", "pre_post_pre", "quadruplets"]

SOURCE = "Wang, Gerkin, Nauen & Bi 2005, Nat Neurosci 8:187"


def pre_post_pre(
    gap_1: Quantity = 5 * ms, gap_2: Quantity = -5 * ms, *, n: int = 60, rate: Quantity = 1 * hertz
) -> Protocol:
    """A presynaptic, a postsynaptic and a presynaptic spike, again and again.

    Parameters
    ----------
    gap_1, gap_2 : time
        The postsynaptic spike minus the first and the second presynaptic one: positive, then negative.
        Published: (5, -5), (10, -10), (15, -5) and (5, -15) ms.
    n : int, optional
        How many triplets.
    rate : frequency, optional
        How often one comes.

    Raises
    ------
    SetupError
        If a gap has the other sign, or a triplet is not over when the next begins.
    """
    first, second_ = checked.time(gap_1, "gap_1"), checked.time(gap_2, "gap_2")
    if not first > 0 > second_:
        raise SetupError(
            f"the postsynaptic spike comes after the first and before the second presynaptic spike: "
            f"gap_1 is positive and gap_2 negative, not {gap_1} and {gap_2}"
        )
    said = f"pre, {gap_1} later post, {-gap_2} later pre"
    return _repeated("pre-post-pre", [0.0, first - second_], [first], n, rate, said)


def post_pre_post(
    gap_1: Quantity = -5 * ms, gap_2: Quantity = 5 * ms, *, n: int = 60, rate: Quantity = 1 * hertz
) -> Protocol:
    """A postsynaptic, a presynaptic and a postsynaptic spike, again and again.

    Parameters
    ----------
    gap_1, gap_2 : time
        The first and the second postsynaptic spike minus the presynaptic one: negative, then positive.
        Published: (-5, 5), (-10, 10), (-5, 15) and (-15, 5) ms.
    n : int, optional
        How many triplets.
    rate : frequency, optional
        How often one comes.

    Raises
    ------
    SetupError
        If a gap has the other sign, or a triplet is not over when the next begins.
    """
    first, second_ = checked.time(gap_1, "gap_1"), checked.time(gap_2, "gap_2")
    if not first < 0 < second_:
        raise SetupError(
            f"the presynaptic spike comes after the first and before the second postsynaptic spike: "
            f"gap_1 is negative and gap_2 positive, not {gap_1} and {gap_2}"
        )
    said = f"post, {-gap_1} later pre, {gap_2} later post"
    return _repeated("post-pre-post", [-first], [0.0, second_ - first], n, rate, said)


def quadruplets(
    T: Quantity = 20 * ms,
    *,
    gap: Quantity = 5 * ms,
    T_between: Literal["midpoints", "inner spikes"] = "midpoints",
    n: int = 60,
    rate: Quantity = 1 * hertz,
) -> Protocol:
    """A pair of each order: post-pre, then pre-post where `T` is positive; pre-post, then post-pre otherwise.

    Parameters
    ----------
    T : time
        From one pair to the other. Published: -88.5, 20 and 83.7 ms.
    gap : time, optional
        Between the two spikes of a pair.
    T_between : {'midpoints', 'inner spikes'}, optional
        What `T` is measured between: the midpoints of both pairs, or the second and the third spike,
        which are of the same neuron. Models of these data have used both, and they differ by `gap`.
    n : int, optional
        How many quadruplets.
    rate : frequency, optional
        How often one comes.

    Raises
    ------
    SetupError
        If the pairs overlap, or a quadruplet is not over when the next begins.
    """
    apart, within = checked.time(T, "T"), checked.span(gap, "the gap")
    if T_between not in ("midpoints", "inner spikes"):
        raise SetupError(f"T is measured between 'midpoints' or 'inner spikes', not {T_between!r}")
    onset = abs(apart) + (within if T_between == "inner spikes" else 0.0)  # of the second pair
    if not onset > within:
        raise SetupError(f"both pairs of a quadruplet overlap where T is {T} and the gap {gap}")
    outer, inner = [0.0, onset + within], [within, onset]
    pre, post = (inner, outer) if apart > 0 else (outer, inner)
    order = "post-pre, then pre-post" if apart > 0 else "pre-post, then post-pre"
    said = f"{order}, gaps of {gap}, {T} between their {T_between}"
    return _repeated("quadruplets", pre, post, n, rate, said)


def _repeated(
    name: str, pre: Sequence[float], post: Sequence[float], n: Any, rate: Any, said: str
) -> Protocol:
    """A group of spikes `n` times."""
    number, per_second = checked.count(n, "n"), checked.frequency(rate, "the rate")
    if number > 1 and max(*pre, *post) >= 1 / per_second:
        raise SetupError(f"a group of spikes takes {max(*pre, *post):g} s and cannot come at {rate}")
    onsets = np.arange(number) / per_second
    one, other = (Quantity(np.add.outer(onsets, t).reshape(-1), dim=second.dim) for t in (pre, post))
    duration = Quantity(max(number / per_second, onsets[-1] + max(*pre, *post)), dim=second.dim)
    return Protocol(name, one, other, duration, f"{said}; {number} times at {rate}", SOURCE)
