"""What becomes of synapses that follow the calcium-based rule, in closed form (Graupner & Brunel 2012).

What decides is for which part of a protocol calcium is above the two thresholds: with these shares, `alpha_p`
and `alpha_d`, the efficacy is taken for an Ornstein-Uhlenbeck process of constant coefficients. The two
stable states are left out, as they move the efficacy little during a protocol; then they decide: UP or DOWN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from eccles.engine.clock import to_seconds
from eccles.errors import DimensionMismatchError, SetupError
from eccles.lab import data
from eccles.lab.parts import one_of
from eccles.lab.rules.calcium import TABLE
from eccles.lab.rules.rule import Rule
from eccles.units import get_dimensions, hertz, second

__all__ = ["population", "shares_above", "strength_change", "transitions"]


def population(preset: str) -> tuple[float, float]:
    """Which part of the synapses is DOWN before, and how much stronger UP is than DOWN: `(beta, b)`."""
    row = one_of({row["set"]: row for row in data.rows(TABLE)}, preset, "preset", "calcium")
    return row["beta"], row["b"]


def shares_above(rule: Rule, gap: Any, rate: Any) -> tuple[np.ndarray, np.ndarray]:
    """For which part of the time calcium is above both thresholds, while pairs come for ever.

    Calcium has two stretches in each period, of lengths d and 1/rate - d. It begins one with what all spikes
    have left (a geometric series) and decays: it is above a threshold for `tau_Ca log(c/theta)`, but no
    longer than the stretch.

    Parameters
    ----------
    rule : Rule
        As `calcium` makes it.
    gap : time
        Post minus pre.
    rate : frequency
        Of pairs; both broadcast.

    Returns
    -------
    (alpha_p, alpha_d) : arrays
        Above the threshold of potentiation, and of depression.

    Raises
    ------
    DimensionMismatchError
        If gap or rate have another unit.
    """
    p = {name: float(value) for name, value in rule.parameters.items()}
    for given, unit, what in ((gap, second, "the gap"), (rate, hertz, "the rate")):
        if get_dimensions(given) is not unit.dim:
            raise DimensionMismatchError(
                f"{what} has another unit: it has to be {unit.dim.friendly()}, not {given!r}",
                get_dimensions(given),
                unit.dim,
            )
    period = 1 / np.asarray(rate, float)
    # from calcium by the pre- to that by the postsynaptic spike
    d = np.mod(np.asarray(gap, float) - p["D"], period)
    ever = -np.expm1(-period / p["tau_Ca"])
    after_pre = (p["C_pre"] + p["C_post"] * np.exp(-(period - d) / p["tau_Ca"])) / ever
    after_post = (p["C_post"] + p["C_pre"] * np.exp(-d / p["tau_Ca"])) / ever

    def share(theta: float) -> np.ndarray:
        first = np.clip(p["tau_Ca"] * np.log(after_pre / theta), 0.0, d)
        second = np.clip(p["tau_Ca"] * np.log(after_post / theta), 0.0, period - d)
        return (first + second) / period

    return share(p["theta_p"]), share(p["theta_d"])


def transitions(rule: Rule, alpha_p: Any, alpha_d: Any, duration: Any) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities that a synapse is UP after a protocol that it began DOWN, and the other way round.

    With G_p = gamma_p alpha_p, G_d = gamma_d alpha_d the efficacy tends to G_p/(G_p + G_d) with the time
    constant tau/(G_p + G_d); its variance tends to sigma^2 (alpha_p + alpha_d)/(2 (G_p + G_d)).

    Parameters
    ----------
    rule : Rule
    alpha_p, alpha_d : array
        As from `shares_above`, or measured.
    duration : time
        Of the protocol.

    Returns
    -------
    (up, down) : arrays
    """
    from scipy.special import ndtr

    p = {name: float(value) for name, value in rule.parameters.items()}
    if "sigma" not in p:
        raise SetupError("without noise, synapses do not change their state by chance")
    barrier = p.get("rho_star", 0.5)
    above_p, above_d = np.asarray(alpha_p, float), np.asarray(alpha_d, float)
    total = p["gamma_p"] * above_p + p["gamma_d"] * above_d
    moved = total > 0
    divisor = np.where(moved, total, 1.0)
    target = p["gamma_p"] * above_p / divisor
    passed = to_seconds(duration, "the duration") / p["tau"] * total
    deviation = np.sqrt(p["sigma"] ** 2 * (above_p + above_d) / (2 * divisor) * -np.expm1(-2 * passed))
    from_barrier = [target + (start - target) * np.exp(-passed) - barrier for start in (0.0, 1.0)]
    divisor = np.where(moved, deviation, 1.0)
    up, down = (ndtr(sign * x / divisor) for sign, x in zip((1, -1), from_barrier, strict=True))
    return np.where(moved, up, 0.0), np.where(moved, down, 0.0)


def strength_change(up: Any, down: Any, beta: float, b: float) -> np.ndarray:
    """The mean strength of synapses after a protocol, over that before: 1 is no change.

    Parameters
    ----------
    up, down : array
        As from `transitions`, or counted.
    beta, b : float
        As from `population`.
    """
    up, down = np.asarray(up, float), np.asarray(down, float)
    at_up = beta * up + (1 - beta) * (1 - down)
    at_down = beta * (1 - up) + (1 - beta) * down
    return (at_down + b * at_up) / (beta + (1 - beta) * b)
