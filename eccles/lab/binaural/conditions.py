"""What an experimenter plays to both ears: binaural beats, and their controls."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from eccles.errors import SetupError
from eccles.lab.binaural.nerve import Tone, bessel_ratio, concentration, nerve_locking
from eccles.units import Quantity, hertz, kHz

__all__ = ["CONDITIONS", "DRIVEN", "SPONTANEOUS", "Condition", "conditions"]

DRIVEN, SPONTANEOUS = 150 * hertz, 40 * hertz  # rates of a fibre with a tone and without one


@dataclass(frozen=True, eq=False)
class Condition:
    """What is played to both ears.

    Attributes
    ----------
    name : str
    left, right : tuple of Tone
        At most two for each ear.
    look_at : frequency
        Where a modulation of the output is looked for: the beat, also in controls that have none.
    expected : str
        What should come out, and why.
    left_rate, right_rate : frequency
        Mean rate of a fibre.
    diffusion : frequency
        How fast the phase of the last tone on the right wanders; see `phase_walk`.
    """

    name: str
    left: tuple[Tone, ...]
    right: tuple[Tone, ...]
    look_at: Quantity
    expected: str = ""
    left_rate: Quantity = DRIVEN
    right_rate: Quantity = DRIVEN
    diffusion: Quantity = 0 * hertz

    def swapped(self, name: str, expected: str = "") -> Condition:
        """The same with the tones at the other ears."""
        return replace(
            self, name=name, left=self.right, right=self.left, left_rate=self.right_rate,
            right_rate=self.left_rate, expected=expected,
        )  # fmt: skip


def conditions(
    carrier: Any = 500 * hertz,
    beat: Any = 10 * hertz,
    *,
    high: Any = 3 * kHz,
    diffusion: Any = 5 * hertz,
) -> dict[str, Condition]:
    """A binaural beat and its controls, by name.

    Parameters
    ----------
    carrier : frequency, optional
        The tone at the left ear.
    beat : frequency, optional
        How much higher the one at the right ear is.
    high : frequency, optional
        The carrier at which beats should be gone.
    diffusion : frequency, optional
        Of the interaural phase in the jittered beat.
    """
    if not 0 < float(beat) < float(carrier):
        raise SetupError(f"a beat of {beat} needs a carrier of a higher frequency, not {carrier}")
    low, up = Tone(carrier), Tone(carrier + beat)
    weak = float(bessel_ratio(concentration(nerve_locking(carrier)) / 2))  # as much drive as of one tone
    both = (Tone(carrier, weak), Tone(carrier + beat, weak))
    binaural = Condition("binaural beat", (low,), (up,), beat, "modulated at the beat")
    all_of_them = [
        binaural,
        binaural.swapped("swapped ears", "the same, with the opposite phase"),
        Condition("diotic", (low,), (low,), beat, "no modulation: both ears hear the same tone"),
        Condition("fixed phase", (low,), (Tone(carrier, phase=math.pi / 2),), beat,
                  "no modulation: a quarter of a period between the ears"),
        Condition("monaural beat", both, both, beat,
                  "modulated, and so is the nerve: both tones at each ear"),
        Condition("one ear", (low,), (), beat, "no modulation at the beat", right_rate=SPONTANEOUS),
        replace(binaural, name="jittered beat", diffusion=diffusion,
                expected="modulated, but the phase of the beat wanders"),
        Condition("high carrier", (Tone(high),), (Tone(high + beat),), beat,
                  "next to no modulation: fibres lock little to the carriers, and the cell even less"),
        Condition("shuffled phases", (Tone(carrier, 0.0),), (Tone(carrier + beat, 0.0),), beat,
                  "no modulation: as many spikes, at random phases"),
        Condition("silence", (), (), beat, "no modulation: spontaneous spikes", SPONTANEOUS, SPONTANEOUS),
    ]  # fmt: skip
    return {condition.name: condition for condition in all_of_them}


CONDITIONS = conditions()
