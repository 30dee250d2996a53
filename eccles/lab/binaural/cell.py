"""Cells that answer to coincident spikes of both ears: one that counts them, and one with a membrane."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from eccles.engine.clock import to_seconds
from eccles.errors import SetupError
from eccles.lab.neurons import Neuron, Transmission, lif_abstract
from eccles.objects import Synapses
from eccles.units import Quantity, get_dimensions, hertz, ms, second

__all__ = [
    "FAST_SYNAPSE",
    "beat_strength",
    "binaural_cell",
    "coincidence_rate",
    "coincidences",
    "converge",
    "jittered_strength",
    "psp_scale",
]


def coincidences(left: Any, right: Any, window: Any, *, delay: Any = 0 * ms) -> Quantity:
    """When spikes of both ears come within a window of each other: what an ideal detector counts.

    Parameters
    ----------
    left, right : (n,), time
        Spike trains.
    window : time
        Both spikes of a pair are less than this apart.
    delay : time, optional
        By which the spikes of the left ear arrive later.

    Returns
    -------
    (pair,), time
        The middle of each pair; all pairs count.
    """
    w = to_seconds(window, "the window")
    if not w > 0:
        raise SetupError(f"the window of coincidences has to be positive, not {window}")
    for train in (left, right):
        if np.size(train) and get_dimensions(train) is not second.dim:
            raise SetupError(f"spike times need a unit of time, not {train!r}")
    one = np.sort(np.asarray(left, float)) + to_seconds(delay, "the delay")
    other = np.sort(np.asarray(right, float))
    first, last = np.searchsorted(other, one - w, "right"), np.searchsorted(other, one + w, "left")
    counts = last - first
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    partners = other[np.repeat(first, counts) + within]
    return Quantity(np.sort((np.repeat(one, counts) + partners) / 2), dim=second.dim)


def coincidence_rate(left: Any, right: Any, window: Any) -> Quantity:
    """The mean rate of coincidences of two Poisson trains with these rates: 2 w left right."""
    return Quantity(
        2 * np.asarray(left, float) * np.asarray(right, float) * float(window), dim=hertz.dim
    )  # fmt: skip


def beat_strength(left: Any, right: Any, carrier: Any, window: Any) -> Any:
    """The vector strength of coincidences at the beat of two tones.

    With vector strengths L and R at the carriers, and pairs within w at the mean carrier f,

        rate = 2 w l r (1 + 2 L R S cos(2 pi (f_2 - f_1) t + phase) + ...),   S = sin(2 pi f w)/(2 pi f w),

    so it is L R |S|. Where S is negative, the beat has the opposite phase.

    Parameters
    ----------
    left, right : float or array
        Vector strengths of the inputs.
    carrier : frequency
        The mean of both tones.
    window : time
    """
    return np.asarray(left) * np.asarray(right) * abs(np.sinc(2 * np.asarray(carrier * window, float)))


def jittered_strength(strength: Any, diffusion: Any, duration: Any) -> Any:
    """The root mean square of a vector strength at a beat whose phase takes a random walk for some time.

    The mean of exp(i change) after s is exp(-D s). Over a time T, with x = D T, the mean square of the mean
    of exp(i phase) is the double integral of this over T, 2 (x - 1 + exp(-x))/x^2.

    Parameters
    ----------
    strength : float or array
        Without the walk.
    diffusion : frequency
        D, as in `phase_walk`.
    duration : time
        T, of one trial.
    """
    x = np.asarray(diffusion * duration, float)
    safe = np.where(x > 1e-4, x, 1.0)
    share = np.where(x > 1e-4, 2 * (safe - 1 + np.exp(-safe)) / safe**2, 1 - x / 3)
    return strength * np.sqrt(share)


FAST_SYNAPSE = Transmission(
    "fast excitatory synapse",
    "dg/dt = -g/tau_s : 1",
    current="g",
    on_pre="g_post += w*scale",
    parameters={"tau_s": 0.2 * ms, "scale": 1.0},
)


def psp_scale(tau_m: Quantity, tau_s: Quantity) -> float:
    """The jump of g that moves v by 1 at the peak, where dv/dt = (g - v)/tau_m and dg/dt = -g/tau_s."""
    m, s = float(tau_m), float(tau_s)
    if m == s:
        return float(np.e)
    return float(m / s * (m / s) ** (s / (m - s)))


def binaural_cell(
    tau_m: Quantity = 0.5 * ms, tau_s: Quantity = 0.2 * ms, t_ref: Quantity = 1 * ms
) -> tuple[Neuron, Transmission]:
    """A leaky cell that is fast enough to see the phase of a tone, and its synapses.

    It is a leaky integrate-and-fire neuron, 0 at rest and 1 at threshold; `w` of a synapse is the peak of its
    postsynaptic potential. Cells of the medial superior olive have time constants of some tenths of
    a millisecond; the defaults are of this size, and not fitted to any of them.
    """
    neuron = replace(lif_abstract(tau_m=tau_m, t_ref=t_ref), name="binaural coincidence detector")
    return neuron, FAST_SYNAPSE.changed(tau_s=tau_s, scale=psp_scale(tau_m, tau_s))


def converge(
    source: Any,
    target: Any,
    transmission: Transmission,
    weight: Any,
    *,
    connect: Any = None,
    delay: Quantity = 0 * ms,
    **options: Any,
) -> Synapses:
    """Synapses of one weight that only transmit, from each source to the target of the same number.

    Parameters
    ----------
    source, target : group
    transmission : Transmission
    weight : float
    connect : dict, optional
        What `Synapses.connect` is given, for other targets.
    delay : time, optional
    **options
        As for `Synapses`.
    """
    synapses = Synapses(
        source, target, "w : 1 (constant)", on_pre=transmission.on_pre, delay=delay,
        namespace=dict(transmission.parameters), **options,
    )  # fmt: skip
    given: dict[str, Any] = {"j": "i"} if connect is None else dict(connect)
    synapses.connect(**given)
    synapses.w = weight
    return synapses
