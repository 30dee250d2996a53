"""Pair rules of spike-timing-dependent plasticity: which spikes make pairs, and how changes depend on w."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from eccles.errors import SetupError
from eccles.lab.parts import Preset, all_numbers, chosen, joined, one_of
from eccles.lab.rules.coincidence import discarding
from eccles.lab.rules.rule import Coincidence, Delays, Rule
from eccles.units import get_dimensions, ms

__all__ = ["DEPENDENCES", "PRESETS", "SCHEMES", "Dependence", "Scheme", "counts_all_pairs", "pair"]

Scheme = Literal["all_to_all", "nearest_symmetric", "presynaptic_centred", "reduced_symmetric"]
Dependence = Literal["additive", "multiplicative", "van_rossum", "guetig", "power_law"]

SCHEMES_SOURCE = "Morrison, Diesmann & Gerstner 2008, Biol Cybern 98:459, figure 7"


class Pairing(NamedTuple):
    """What spikes do to the traces: `x` of presynaptic, `y` of postsynaptic spikes."""

    words: str
    x: str  # at a presynaptic spike
    y: str  # at a postsynaptic spike
    pre_ends_y: bool = False  # a presynaptic spike uses up the postsynaptic ones before it
    post_ends_x: bool = False
    source: str = SCHEMES_SOURCE


SCHEMES: Mapping[str, Pairing] = {
    "all_to_all": Pairing("all-to-all", "x += 1", "y += 1", source=""),
    "nearest_symmetric": Pairing("symmetric nearest-neighbour", "x = 1", "y = 1"),
    "presynaptic_centred": Pairing("presynaptic-centred", "x += 1", "y = 1", post_ends_x=True),
    "reduced_symmetric": Pairing("reduced symmetric", "x = 1", "y = 1", pre_ends_y=True, post_ends_x=True),
}


class Soft(NamedTuple):
    """What the weight does to its changes, and where it has to stay for that to make sense."""

    words: str
    potentiation: str
    depression: str
    bounds: tuple[float, float]  # by default
    within: tuple[float, float]  # bounds can be chosen in here
    unbounded: bool  # whether a rule without bounds makes sense
    source: str
    mu: float | None = None  # by default


REAL = (-math.inf, math.inf)
DEPENDENCES: Mapping[str, Soft] = {
    "additive": Soft(
        "additive", "A_plus", "A_minus", (0, 1), REAL, True, "Song, Miller & Abbott 2000, Nat Neurosci 3:919",
    ),
    "multiplicative": Soft(
        "multiplicative", "A_plus*(1 - w)", "A_minus*w", (0, 1), (0, 1), True,
        "Rubin, Lee & Sompolinsky 2001, Phys Rev Lett 86:364",
    ),
    "van_rossum": Soft(
        "van Rossum", "A_plus", "A_minus*w", (0, 1), (0, math.inf), True,
        "van Rossum, Bi & Turrigiano 2000, J Neurosci 20:8812, with a largest weight",
    ),
    "guetig": Soft(
        "Guetig", "A_plus*(1 - w)**mu", "A_minus*w**mu", (0, 1), (0, 1), False,
        "Guetig, Aharonov, Rotter & Sompolinsky 2003, J Neurosci 23:3697", mu=0.02,
    ),
    "power_law": Soft(
        "power law", "A_plus*w**mu", "A_minus*w", (0, math.inf), (0, math.inf), False,
        "Morrison, Aertsen & Diesmann 2007, Neural Comput 19:1437", mu=0.4,
    ),
}  # fmt: skip

RECALLED = "recalled, not checked in the paper"
PRESETS: Mapping[str, Preset] = {
    "Song 2000": Preset(
        {"tau_plus": 20 * ms, "tau_minus": 20 * ms, "A_plus": 0.005, "A_minus": 0.00525},
        "Song, Miller & Abbott 2000, Nat Neurosci 3:919",
        "the paper counts a pair at the same time as depression: coincidence='post_first'",
    ),
    "Song & Abbott 2001": Preset(
        {"tau_plus": 20 * ms, "tau_minus": 20 * ms, "A_plus": 0.001, "A_minus": 0.00106},
        "Song & Abbott 2001, Neuron 32:339",
        "amplitudes from ModelDB 64261; time constants taken to be those of Song 2000",
    ),
    "Bi & Poo 2001": Preset(
        {"tau_plus": 16.8 * ms, "tau_minus": 33.7 * ms, "A_plus": 0.777 / 60, "A_minus": 0.273 / 60},
        "Bi & Poo 2001, Annu Rev Neurosci 24:139",
        f"amplitudes (0.777 and 0.273 of the weight before, by 60 pairs) {RECALLED}; "
        "changes are in parts of that weight, so begin with w = 1 and choose bounds that leave room",
    ),
    "Guetig 2003": Preset(
        {"dependence": "guetig", "tau_plus": 20 * ms, "tau_minus": 20 * ms, "A_plus": 0.005,
         "A_minus": 0.005 * 1.05, "mu": 0.02},
        "Guetig, Aharonov, Rotter & Sompolinsky 2003, J Neurosci 23:3697",
        f"mu = 0.02, lambda = 0.005 and alpha = 1.05 {RECALLED}",
    ),
    "Morrison 2007": Preset(
        {"dependence": "power_law", "tau_plus": 20 * ms, "tau_minus": 20 * ms, "A_plus": 0.1,
         "A_minus": 0.1 * 0.11, "mu": 0.4},
        "Morrison, Aertsen & Diesmann 2007, Neural Comput 19:1437",
        f"w is in units of w_0; alpha = 0.11 and w_0 = 1 pA {RECALLED}; "
        "NEST 3 has alpha = 1 by default and 0.0513 in its benchmark hpc_benchmark",
    ),
    "NEST stdp_synapse": Preset(
        {"dependence": "multiplicative", "tau_plus": 20 * ms, "tau_minus": 20 * ms, "A_plus": 0.01,
         "A_minus": 0.01},
        "default values of stdp_synapse of NEST 3 (lambda = 0.01, alpha = 1, both mu = 1)",
    ),
    "Izhikevich & Desai 2003": Preset(
        {"scheme": "presynaptic_centred", "tau_plus": 14 * ms, "tau_minus": 34 * ms, "A_plus": 0.103,
         "A_minus": 0.051},
        "Izhikevich & Desai 2003, Neural Comput 15:1511",
        f"numbers {RECALLED}; they are the changes by a whole protocol, not by one pair",
    ),
}  # fmt: skip


def pair(
    preset: str = "Song 2000",
    *,
    scheme: Scheme | None = None,
    dependence: Dependence | None = None,
    coincidence: Coincidence = "pre_first",
    delays: Delays = "axonal",
    bounds: tuple[float, float] | Literal["default"] | None = "default",
    **parameters: Any,
) -> Rule:
    """Pair STDP: each pair of a pre- and a postsynaptic spike changes the weight by its gap.

    With a gap `d` = post minus pre, potentiation is `A_plus f_plus(w) exp(-d/tau_plus)` where the
    presynaptic spike comes first, and depression `A_minus f_minus(w) exp(d/tau_minus)` where it comes second.
    The change comes at the second spike of the pair, with the weight of that moment.

    Parameters
    ----------
    preset : str, optional
        Published numbers, one of `PRESETS`.
    scheme : optional
        Which spikes make pairs (Morrison, Diesmann & Gerstner 2008, figure 7); by default that of the preset,
        mostly 'all_to_all'.

        'all_to_all'
            Each spike with all earlier ones of the other side.
        'nearest_symmetric'
            (7A) Each spike with the nearest earlier one of the other side.
        'presynaptic_centred'
            (7B) Each presynaptic spike with the last postsynaptic one before and the first one after it: a
            postsynaptic spike is paired with all presynaptic ones since the postsynaptic one before it.
        'reduced_symmetric'
            (7C) As 7A, but only neighbours, with no other spike of either side between them.
    dependence : optional
        What the weight does to its changes; by default that of the preset, mostly 'additive'. The weight is
        normalised to its maximum (in a power law to a weight w_0 that has no meaning of its own).

        ================ ============= ============
        dependence       f_plus        f_minus
        ================ ============= ============
        'additive'       1             1
        'multiplicative' 1 - w         w
        'van_rossum'     1             w
        'guetig'         (1 - w)**mu   w**mu
        'power_law'      w**mu         w
        ================ ============= ============

    coincidence : {'pre_first', 'post_first', 'discard'}, optional
        A gap of 0 is potentiation, depression, or no pair. With 'discard' both spikes are paired with what
        they would be paired with if the other were not there (the depression comes first), and both are there
        for later spikes.
    delays : {'axonal', 'dendritic', 'split'}, optional
        As for `Rule`.
    bounds : (low, high), None or 'default', optional
        Where the weight is cut off. By default 0 and 1, in a power law 0 and infinity.
    **parameters
        Other numbers than those of the preset: `A_plus`, `A_minus`, `tau_plus`, `tau_minus`, and `mu` in
        [0, 1] where the dependence has one. Publications that write lambda and alpha have
        `A_plus` = lambda and `A_minus` = lambda alpha.

    Raises
    ------
    SetupError
        If an option or parameter is not known, mu is not in [0, 1], a time constant is not positive, or the
        bounds do not go with the dependence.
    DimensionMismatchError
        If a parameter has another unit.
    """
    published = chosen(PRESETS, preset, "pair")
    numbers = dict(published.parameters)
    of_preset = numbers.pop("scheme", "all_to_all"), numbers.pop("dependence", "additive")
    pairing = one_of(SCHEMES, scheme or of_preset[0], "scheme", "pair")
    soft = one_of(DEPENDENCES, dependence or of_preset[1], "dependence", "pair")
    mu = numbers.pop("mu", soft.mu)
    if soft.mu is not None:
        numbers["mu"] = mu
    alone = discarding(coincidence)
    rule = Rule(
        f"pair STDP, {pairing.words}, {soft.words}",
        joined(
            "w : 1",
            "dx/dt = -x/tau_plus : 1 (event-driven)",
            "dy/dt = -y/tau_minus : 1 (event-driven)",
            alone.equations,
        ),
        on_pre=joined(
            f"w -= {soft.depression}*y",
            "y = 0" if pairing.pre_ends_y else "",
            alone.on_pre,
            pairing.x,
        ),
        on_post=joined(
            alone.on_post,
            f"w += {soft.potentiation}*{alone.seen}",
            f"x = {alone.together}" if pairing.post_ends_x else "",
            pairing.y,
        ),
        parameters=numbers,
        initial={"w": 1.0 if soft.bounds[1] > 1 else 0.5, **alone.initial},
        bounds=_bounds(soft, bounds),
        coincidence=coincidence,
        delays=delays,
        source=joined(
            soft.source,
            f"pairs: {pairing.source}" if pairing.source else "",
            f"numbers: {published}",
        ),
        preset=preset,
    ).changed(**parameters)
    mus = all_numbers(rule.parameters.get("mu", 0))
    if mus is not None and not np.all((mus >= 0) & (mus <= 1)):
        raise SetupError(f"mu of {rule.name} has to be in [0, 1], not {rule.parameters['mu']!r}")
    return rule


def counts_all_pairs(rule: Rule) -> bool:
    """Whether a rule is additive pair STDP of all pairs of spikes: the one whose drift is a closed form."""
    known = pair(
        scheme="all_to_all", dependence="additive", coincidence=rule.coincidence, bounds=None
    )  # fmt: skip
    return all(getattr(rule, part) == getattr(known, part) for part in ("equations", "on_pre", "on_post"))


def _bounds(soft: Soft, bounds: Any) -> tuple[float, float] | None:
    """The bounds of the weight, if they go with what it does to its changes."""
    if isinstance(bounds, str):
        if bounds == "default":
            return soft.bounds
        raise SetupError(f"bounds are two numbers, None or 'default', not {bounds!r}")
    try:
        if not get_dimensions(bounds).is_dimensionless:
            raise TypeError
        lowest, highest = (None, None) if bounds is None else map(float, bounds)
    except (TypeError, ValueError):
        raise SetupError(f"bounds are two numbers, None or 'default', not {bounds!r}") from None
    low, high = soft.within
    if lowest is None or highest is None:
        if soft.unbounded:
            return None
        raise SetupError(
            f"with {soft.words} dependence the weight has to stay within {low:g} and {high:g}: "
            "a power of what is negative is not a number",
            hint=f"Leave bounds= out, which gives {soft.bounds}.",
        )
    if not low <= lowest < highest <= high:
        raise SetupError(
            f"bounds ({lowest:g}, {highest:g}) do not go with {soft.words} dependence: "
            f"they have to be in order, within {low:g} and {high:g}",
            hint="The weight is normalised to its maximum: scale it where it acts, as in g_post += w*g_max."
            if high == 1
            else "",
        )
    return bounds
