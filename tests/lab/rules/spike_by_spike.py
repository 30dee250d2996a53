"""Rules of spike pairs once more, from their definitions: lists of spikes, and sums over pairs.

No traces, no model text: what each spike is paired with is looked up among all earlier spikes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Spike(NamedTuple):
    t: float
    side: str
    rank: float  # what decides which of two spikes is earlier


def ordered(pre: Sequence[float], post: Sequence[float], coincidence: str) -> list[Spike]:
    """All spikes in the order in which they are handled."""
    first = "post" if coincidence == "post_first" else "pre"
    spikes = sorted([(t, s != first, s) for s, train in (("pre", pre), ("post", post)) for t in train])
    return [
        Spike(t, side, t if coincidence == "discard" else rank) for rank, (t, _, side) in enumerate(spikes)
    ]


def earlier(spikes: list[Spike], now: Spike, side: str) -> list[Spike]:
    """The spikes of one side before this one, the last one at the end."""
    return [spike for spike in spikes if spike.side == side and spike.rank < now.rank]


def partners(spikes: list[Spike], now: Spike, scheme: str) -> list[Spike]:
    """The earlier spikes of the other side that this one makes pairs with."""
    others = earlier(spikes, now, "post" if now.side == "pre" else "pre")
    own = earlier(spikes, now, now.side)
    if scheme == "all_to_all":
        return others
    if scheme == "presynaptic_centred" and now.side == "post":
        return [spike for spike in others if not own or spike.rank >= own[-1].rank]
    nearest = others[-1:]
    if scheme == "reduced_symmetric" and nearest and any(spike.rank > nearest[0].rank for spike in own):
        return []
    return nearest


FACTORS: dict[str, tuple[Callable[..., float], Callable[..., float]]] = {  # of potentiation and depression
    "additive": (lambda w, mu: 1.0, lambda w, mu: 1.0),
    "multiplicative": (lambda w, mu: 1 - w, lambda w, mu: w),
    "van_rossum": (lambda w, mu: 1.0, lambda w, mu: w),
    "guetig": (lambda w, mu: (1 - w) ** mu, lambda w, mu: w**mu),
    "power_law": (lambda w, mu: w**mu, lambda w, mu: w),
}


def pair_weight(
    pre: Sequence[float],
    post: Sequence[float],
    scheme: str,
    dependence: str,
    coincidence: str,
    *,
    w: float,
    bounds: tuple[float, float],
    A_plus: float,
    A_minus: float,
    tau_plus: float,
    tau_minus: float,
    mu: float = math.nan,
) -> float:
    """The weight after both trains."""
    spikes = ordered(pre, post, coincidence)
    potentiation, depression = FACTORS[dependence]
    for now in spikes:
        gaps = [now.t - spike.t for spike in partners(spikes, now, scheme)]
        if now.side == "post":
            w += A_plus * potentiation(w, mu) * sum(math.exp(-gap / tau_plus) for gap in gaps)
        else:
            w -= A_minus * depression(w, mu) * sum(math.exp(-gap / tau_minus) for gap in gaps)
        w = min(max(w, bounds[0]), bounds[1])
    return w


def triplet_weight(
    pre: Sequence[float], post: Sequence[float], coincidence: str, *, nearest: bool, w: float, **p: float
) -> float:
    """The weight after both trains; time constants in seconds."""
    spikes = ordered(pre, post, coincidence)

    def trace(now: Spike, side: str, tau: float) -> float:
        counted = earlier(spikes, now, side)
        return sum(math.exp(-(now.t - spike.t) / tau) for spike in (counted[-1:] if nearest else counted))

    for now in spikes:
        if now.side == "pre":
            slow = p["A3_minus"] * trace(now, "pre", p["tau_x"]) if "tau_x" in p else 0.0
            w -= trace(now, "post", p["tau_minus"]) * (p["A2_minus"] + slow)
        else:
            slow = p["A3_plus"] * trace(now, "post", p["tau_y"])
            w += trace(now, "pre", p["tau_plus"]) * (p["A2_plus"] + slow)
    return w


def suppression_weight(
    pre: Sequence[float], post: Sequence[float], coincidence: str, *, w: float, **p: float
) -> float:
    """The weight after both trains; time constants in seconds."""
    taus = {"pre": p["tau_s_plus"], "post": p["tau_s_minus"]}
    trains = {"pre": sorted(pre), "post": sorted(post)}

    def efficacy(spike: Spike) -> float:
        place = trains[spike.side].index(spike.t)
        since = spike.t - trains[spike.side][place - 1] if place else math.inf
        return 1 - math.exp(-since / taus[spike.side])

    spikes = ordered(pre, post, coincidence)
    for now in spikes:
        for spike in partners(spikes, now, "all_to_all"):
            both, gap = efficacy(now) * efficacy(spike), now.t - spike.t
            if now.side == "post":
                w += p["A_plus"] * both * math.exp(-gap / p["tau_plus"])
            else:
                w -= p["A_minus"] * both * math.exp(-gap / p["tau_minus"])
    return w
