"""What the auditory nerve tells of a tone: how well its spikes keep to the phase, and fibres that do so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from eccles.engine.clock import to_seconds
from eccles.errors import DimensionMismatchError, SetupError
from eccles.lab.neurons import Neuron
from eccles.objects import NeuronGroup
from eccles.units import Quantity, get_dimensions, hertz, kHz, ms

__all__ = [
    "FIBRE",
    "NERVE_NOTE",
    "NERVE_SOURCE",
    "Tone",
    "bessel_ratio",
    "concentration",
    "ear",
    "nerve_locking",
]

NERVE_SOURCE = (
    "a second-order low-pass falls by 40 dB per decade, as the auditory nerve of several species does "
    "(JASA Express Lett 2023, 3:074403); values for the cat after Johnson 1980, J Acoust Soc Am 68:1115"
)
NERVE_NOTE = (
    "The values (0.8 to 0.9 below 1 kHz, half of it near 2.5 to 3 kHz, next to nothing at 4 to 5 kHz) are "
    "commonly told of the cat, and were not compared with the printed data. A second-order curve through "
    "them still leaves 0.2 at 4.5 kHz. The limit in humans is debated (1.5 to 10 kHz)."
)
MOST = 0.999  # vector strength of fibres: beyond, the rate is a row of needles


def nerve_locking(
    frequency: Any, *, plateau: float = 0.85, half: Quantity = 2.75 * kHz, order: int = 2
) -> Any:
    """The vector strength of spikes of the auditory nerve at the frequency of a tone.

    plateau/sqrt(1 + 3 (f/half)^(2 order)): a low-pass with half of its plateau at `half`.

    Parameters
    ----------
    frequency : scalar or array, frequency
    plateau : float, optional
        The vector strength at low frequencies.
    half : frequency, optional
        Where half of it is left.
    order : int, optional
        20 dB per decade and order.

    Notes
    -----
    See `NERVE_SOURCE` for where the numbers are from, and `NERVE_NOTE` for what is uncertain.
    """
    if get_dimensions(frequency) is not hertz.dim:
        raise DimensionMismatchError(
            "the frequency of a tone needs its unit, as in 440*Hz", get_dimensions(frequency), hertz.dim
        )
    if not 0 <= plateau <= 1:
        raise SetupError(f"a vector strength is between 0 and 1, not {plateau}")
    ratio = np.asarray(frequency, float) / float(half)
    found = plateau / np.sqrt(1 + 3 * ratio ** (2 * order))
    return float(found) if np.ndim(found) == 0 else found


def bessel_ratio(kappa: Any) -> np.ndarray:
    """I_1(kappa)/I_0(kappa): the vector strength of a von Mises distribution, for kappa up to 1000."""
    cosine = np.cos(np.linspace(0, 2 * np.pi, 512, endpoint=False))  # a sum over a cycle is exact to rounding
    weight = np.exp(np.asarray(kappa, float)[..., np.newaxis] * (cosine - 1))
    return (weight @ cosine) / weight.sum(axis=-1)


def concentration(vector_strength: Any) -> Any:
    """The kappa of a von Mises distribution with this vector strength.

    Raises
    ------
    SetupError
        If it is not between 0 and 0.999.
    """
    strength, places = np.unique(np.asarray(vector_strength, float), return_inverse=True)
    if not np.all((strength >= 0) & (strength <= MOST)):
        raise SetupError(f"fibres have vector strengths from 0 to {MOST}, not {vector_strength}")
    low, high = np.zeros_like(strength), np.full_like(strength, 1000.0)
    for _ in range(64):  # bisection: the ratio grows with kappa
        middle = (low + high) / 2
        less = bessel_ratio(middle) < strength
        low, high = np.where(less, middle, low), np.where(less, high, middle)
    found = np.where(strength > 0, (low + high) / 2, 0.0)[places].reshape(np.shape(vector_strength))
    return float(found) if np.ndim(found) == 0 else found


@dataclass(frozen=True, eq=False)
class Tone:
    """A tone at an ear.

    Attributes
    ----------
    frequency : scalar or array, frequency
    vector_strength : float or array, optional
        How well fibres lock to it; by default what `nerve_locking` says.
    phase : float or array
        In radians: spikes come most often where 2 pi f t + phase is a multiple of 2 pi.
    """

    frequency: Any
    vector_strength: Any = None
    phase: Any = 0.0

    def locking(self) -> Any:
        """The vector strength of fibres at this tone."""
        return nerve_locking(self.frequency) if self.vector_strength is None else self.vector_strength


# x grows with the rate, and a spike comes where it has grown by a number from an exponential distribution:
# that is a Poisson process with this rate (time rescaling; Brown et al. 2002, Neural Comput 14:325)
FIBRE = Neuron(
    "phase-locked fibre",
    """dx/dt = rate*exp(kappa_1*cos(2*pi*f_1*t + phase_1) + kappa_2*cos(2*pi*f_2*t + phase_2))/norm : 1 (unless refractory)
gap : 1
rate : hertz (constant)
kappa_1 : 1 (constant)
kappa_2 : 1 (constant)
f_1 : hertz (constant)
f_2 : hertz (constant)
phase_1 : 1 (constant)
phase_2 : 1 (constant)
norm : 1 (constant)""",  # noqa: E501
    threshold="x > gap",
    reset="x = 0\ngap = -log(rand())",
    refractory="t_ref",
    parameters={"t_ref": 0 * ms},
    initial={"gap": "-log(rand())"},
    source="a von Mises function of the phase of each tone; spikes by time rescaling",
)


def refractory_period(t_ref: Any, fibres: int) -> float:
    """The refractory period in seconds, if spikes of so many fibres with it can be one train."""
    dead = to_seconds(t_ref, "the refractory period")
    if fibres < 1 or (fibres > 1 and dead > 0):
        raise SetupError(
            f"{fibres} fibres with a refractory period of {t_ref} cannot be one train",
            hint="Refractoriness is of single fibres: give fibres=1, and more trains.",
        )
    return dead


def ear(
    N: int,
    *tones: Tone,
    rate: Any = 150 * hertz,
    fibres: int = 1,
    t_ref: Quantity = 0 * ms,
    name: str = "neurongroup*",
    **options: Any,
) -> NeuronGroup:
    """Fibres, or bundles of them, whose spikes lock to one or two tones.

    The rate is that of a Poisson process, rate*exp(sum of kappa cos(2 pi f t + phase))/norm, whose mean over
    time is `rate` and whose vector strength at each tone is that of the tone.
    With two tones it has a beat at their difference, with the product of both vector strengths.

    Parameters
    ----------
    N : int
        How many bundles.
    *tones : Tone
        At most two; none gives spikes at random.
    rate : scalar or (N,), frequency
        The mean rate of a fibre, not counting `t_ref`.
    fibres : int, optional
        How many fibres a bundle has: all of their spikes together, as one train.
    t_ref : time, optional
        Absolute refractoriness, of single fibres; it lowers the rate, and the phases change with it.
    **options
        As for `NeuronGroup`.

    Examples
    --------
    >>> left = ear(1, Tone(500*Hz), fibres=6)
    """
    if len(tones) > 2:
        raise SetupError(f"an ear hears at most two tones, not {len(tones)}")
    refractory_period(t_ref, fibres)
    group = FIBRE.changed(t_ref=t_ref).group(N, namespace={}, name=name, **options)
    group.rate = rate * fibres
    norm: Any = 1.0
    for k, tone in enumerate(tones, 1):
        kappa = concentration(tone.locking())
        setattr(group, f"kappa_{k}", kappa)
        setattr(group, f"f_{k}", tone.frequency)
        setattr(group, f"phase_{k}", tone.phase)
        norm = norm * np.i0(kappa)
    group.norm = norm
    return group
