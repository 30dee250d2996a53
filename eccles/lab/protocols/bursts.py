"""Bursts of pairs: a presynaptic and a postsynaptic spike with a fixed gap, some of them at a high rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eccles.lab import checked
from eccles.lab.protocols import trains
from eccles.lab.protocols.pairing import in_words, pairing
from eccles.lab.protocols.protocol import Protocol, with_gap
from eccles.units import Quantity, hertz, ms, second

__all__ = ["burst_pairing", "markram_1997", "sjostrom_2001", "sjostrom_2001_continuous"]

MARKRAM = "Markram, Lübke, Frotscher & Sakmann 1997, Science 275:213; numbers as in Graupner & Brunel 2012"
SJOSTROM = "Sjöström, Turrigiano & Nelson 2001, Neuron 32:1149"


def burst_pairing(
    gap: Quantity = 10 * ms,
    rate: Quantity = 20 * hertz,
    *,
    n_pairs: int = 5,
    n_bursts: int = 15,
    interval: Quantity = 10 * second,
    name: str = "burst pairing",
    source: str = "",
) -> Protocol:
    """Bursts of pairs.

    Parameters
    ----------
    gap : time
        Post minus pre; negative where the postsynaptic spike comes first.
    rate : frequency
        Of the pairs in a burst.
    n_pairs : int, optional
        In each burst.
    n_bursts : int, optional
    interval : time, optional
        From the start of a burst to the start of the next.

    Raises
    ------
    SetupError
        If a burst is not over when the next begins.
    """
    lag, apart = checked.time(gap, "the gap"), checked.span(interval, "the interval of bursts")
    onsets = np.asarray(trains.bursts(n_pairs, rate, n_bursts, interval))
    duration = Quantity(max(n_bursts * apart, onsets[-1] + abs(lag)), dim=second.dim)
    return Protocol(
        name, *with_gap(onsets, lag), duration,
        f"{n_bursts} bursts of {n_pairs} pairs at {rate}, a burst every {interval}, {in_words(lag)}", source,
    )  # fmt: skip


def sjostrom_2001(
    gap: Quantity = 10 * ms,
    rate: Quantity = 20 * hertz,
    *,
    n_pairs: int = 5,
    n_bursts: int = 15,
    interval: Quantity = 10 * second,
    n_slow: int = 50,
) -> Protocol:
    """Pairs at a rate, as in layer 5 of visual cortex: 15 bursts of 5 pairs, a burst every 10 s.

    At rates so low that a burst would not fit into the interval (0.1 Hz), `n_slow` pairs follow one another
    at that rate. The published rates are 0.1, 10, 20, 40 and 50 Hz, the gaps 10 and -10 ms.

    Parameters
    ----------
    gap : time
        Post minus pre; negative where the postsynaptic spike comes first.
    rate : frequency
        Of the pairs in a burst.
    n_pairs, n_bursts : int, optional
    interval : time, optional
        From the start of a burst to the start of the next.
    n_slow : int, optional
        How many pairs at a low rate.
    """
    n, apart = checked.count(n_pairs, "n_pairs"), checked.span(interval, "the interval of bursts")
    if n / checked.frequency(rate, "the rate") > apart:
        return replace(pairing(gap, n=n_slow, rate=rate), name="Sjöström 2001", source=SJOSTROM)
    return burst_pairing(
        gap,
        rate,
        n_pairs=n_pairs,
        n_bursts=n_bursts,
        interval=interval,
        name="Sjöström 2001",
        source=SJOSTROM,
    )


def sjostrom_2001_continuous(
    gap: Quantity = 10 * ms, rate: Quantity = 20 * hertz, *, n: int = 60
) -> Protocol:
    """The same as models of it have it: `n` pairs in one train, at equal intervals.

    The parameters of the triplet rule were fitted to this, not to the bursts of the experiment.

    Parameters
    ----------
    gap : time
        Post minus pre.
    rate : frequency
        Of the pairs.
    n : int, optional
    """
    source = f"Pfister & Gerstner 2006, J Neurosci 26:9673, after {SJOSTROM}"
    return pairing(gap, n=n, rate=rate, name="Sjöström 2001, continuous", source=source)


def markram_1997(
    gap: Quantity = 10 * ms,
    rate: Quantity = 10 * hertz,
    *,
    n_pairs: int = 5,
    n_bursts: int = 10,
    interval: Quantity = 4 * second,
) -> Protocol:
    """Bursts of pairs in layer 5 of somatosensory cortex: 10 bursts of 5 pairs, a burst every 4 s.

    Parameters
    ----------
    gap : time
        Post minus pre; 10 and -10 ms among others.
    rate : frequency
        Of the pairs in a burst.
    n_pairs, n_bursts : int, optional
    interval : time, optional
        From the start of a burst to the start of the next.
    """
    return burst_pairing(
        gap, rate, n_pairs=n_pairs, n_bursts=n_bursts, interval=interval, name="Markram 1997",
        source=MARKRAM,
    )  # fmt: skip
