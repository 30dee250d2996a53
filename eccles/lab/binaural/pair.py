"""A synapse behind the binaural cells: gaps between its spikes, and what a rule makes of them.

A weight changes with the rates of both neurons, beat or not. So each result stands beside that of a control
whose presynaptic spikes are as many, but not modulated: each of them is moved by a random part of one period
of the beat. Then all parts of a cycle are equally likely, and slower changes stay.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eccles.engine.clock import Clock, to_seconds
from eccles.errors import SetupError
from eccles.lab.binaural.cell import converge
from eccles.lab.binaural.listen import Heard, slow_cell, trains_of
from eccles.lab.binaural.trains import nerve_train
from eccles.lab.random_numbers import labelled_uniform
from eccles.lab.rules import Rule
from eccles.lab.rules.pair import counts_all_pairs
from eccles.lab.sources import generator
from eccles.monitors import SpikeMonitor
from eccles.objects import Network, magic
from eccles.units import Quantity, hertz, ms, second

__all__ = ["KINDS", "Downstream", "Plasticity", "beat_drift", "driven", "gaps", "plasticity", "unmodulated"]

KINDS = {
    "driven": "the presynaptic neuron drives the postsynaptic one",
    "in step": "both hear the same beat; no connection but the plastic synapse, which does not transmit",
    "quarter late": "the same, the postsynaptic neuron a quarter of a period of the beat later",
}


@dataclass(frozen=True)
class Downstream:
    """The postsynaptic neuron of a pair that is driven.

    Attributes
    ----------
    weight : float
        Peak of the potential that a presynaptic spike makes, in units of threshold. It stays what it is: the
        weight of the rule is read, and does not act, so that rates do not change with it.
    delay : time
        From the presynaptic spike to this potential, and to the rule.
    noise_rate : frequency
        Other spikes that reach the neuron, at random.
    noise_weight : float
        Peak of the potential of each of those.
    dt : time
    """

    weight: float = 0.7
    delay: Quantity = 1 * ms
    noise_rate: Quantity = 500 * hertz
    noise_weight: float = 0.1
    dt: Quantity = 0.1 * ms


@dataclass(frozen=True, eq=False)
class Plasticity:
    """What a rule made of one kind of pair.

    Attributes
    ----------
    change, control : (trial,)
        Change of the weight, and that of the control with as many presynaptic spikes, but no beat.
    pre, post, control_pre, control_post : tuple of (n,), time
        Spike trains of each trial.
    """

    change: np.ndarray
    control: np.ndarray
    pre: tuple[Quantity, ...]
    post: tuple[Quantity, ...]
    control_pre: tuple[Quantity, ...]
    control_post: tuple[Quantity, ...]

    @property
    def by_the_beat(self) -> tuple[float, float]:
        """The mean of change minus control, and its standard error."""
        return mean_and_error(self.change - self.control)


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """The mean, and its standard error."""
    n = len(values)
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(n)) if n > 1 else math.nan


def gaps(pre: Any, post: Any, *, longest: Any = None) -> Quantity:
    """From each presynaptic spike to the next postsynaptic one, (n,), time.

    Parameters
    ----------
    pre, post : (n,), time
    longest : time, optional
        Longer gaps are left out.
    """
    one, other = np.asarray(pre, float), np.sort(np.asarray(post, float))
    after = np.searchsorted(other, one, "right")
    known = after < len(other)
    found = other[after[known]] - one[known]
    if longest is not None:
        found = found[found <= float(longest)]
    return Quantity(found, dim=second.dim)


def unmodulated(
    train: Any, frequency: Any, duration: Any, *, seed: int, stream: Sequence[Any] = ()
) -> Quantity:
    """As many spikes, without the modulation at a frequency and its multiples.

    Each spike is moved by a random time, uniform over one period; what leaves the trial comes in at its
    other end. Fine structure that is shorter than a period is lost as well.
    """
    end = to_seconds(duration, "the duration")
    t = np.asarray(train, float)
    moved = (t + (labelled_uniform(len(t), seed, "moved", *stream) - 0.5) / float(frequency)) % end
    return Quantity(np.sort(moved), dim=second.dim)


def driven(
    pre: Sequence[Quantity],
    rule: Rule,
    duration: Quantity,
    *,
    parts: Downstream | None = None,
    noise: Sequence[Any] | None = None,
    seed: int = 1,
) -> tuple[np.ndarray, tuple[Quantity, ...]]:
    """Neurons that are driven by spike trains and noise, and the change of the weights between them.

    Parameters
    ----------
    pre : sequence of (n,), time
        A presynaptic train for each pair.
    rule : Rule
        Of the synapse. It has no effect on the postsynaptic neuron; that of `parts` has.
    duration : time
    parts : Downstream, optional
    noise : sequence, optional
        Pairs with equal entries get the same noise; by default each has its own.
    seed : int, optional

    Returns
    -------
    (pair,), and tuple of (n,), time
        The changes of the weights, and postsynaptic spike trains.

    Raises
    ------
    SetupError
        If there is not an entry of `noise` for each train.
    """
    given = parts or Downstream()
    labels = list(range(len(pre))) if noise is None else list(noise)
    if len(labels) != len(pre):
        raise SetupError(f"{len(labels)} entries of noise do not fit {len(pre)} presynaptic trains")
    others = {
        label: nerve_train((), given.noise_rate, duration, seed=seed, stream=("noise", label))
        for label in dict.fromkeys(labels)
    }
    with magic.private_scope():
        clock = Clock(given.dt)  # one for all: what has another clock has no exact times
        neuron, synapse = slow_cell()
        source, background = generator(pre, clock), generator([others[label] for label in labels], clock)
        target = neuron.group(
            len(pre), synapse, equations=rule.post_equations, clock=clock, namespace=dict(rule.parameters)
        )
        plastic = rule.synapses(source, target, {"j": "i"}, delay=given.delay, namespace={}, clock=clock)
        before = np.array(getattr(plastic, rule.weight)[:], float)
        forward = converge(source, target, synapse, given.weight, delay=given.delay, clock=clock)
        backdrop = converge(background, target, synapse, given.noise_weight, clock=clock)
        spikes = SpikeMonitor(target)
        Network(source, background, target, plastic, forward, backdrop, spikes).run(duration)
        change = np.array(getattr(plastic, rule.weight)[:], float) - before
        return change, tuple(trains_of(spikes))


def plasticity(
    heard: Sequence[Heard],
    rule: Rule,
    *,
    parts: Downstream | None = None,
    seed: int = 1,
) -> list[dict[str, Plasticity]]:
    """What a rule makes of the spikes behind the binaural cells, for each condition and kind of pair.

    Parameters
    ----------
    heard : sequence of Heard
    rule : Rule
        For the pairs that are not connected, one that needs no equations in the postsynaptic neuron.
    parts : Downstream, optional
    seed : int, optional

    Returns
    -------
    list of dict of str to Plasticity
        For each condition, by the names in `KINDS`. With a single trial there are no pairs of neurons that
        hear the same beat, and only 'driven' is there.
    """
    found = []
    for each in heard:
        condition, duration, trials = each.condition, each.duration, len(each.pre)
        flat = tuple(
            unmodulated(train, condition.look_at, duration, seed=seed, stream=(condition.name, k))
            for k, train in enumerate(each.pre)
        )
        change, post = driven([*each.pre, *flat], rule, duration, parts=parts, seed=seed,
                              noise=[(condition.name, k % trials) for k in range(2 * trials)])  # fmt: skip
        kinds = {
            "driven": Plasticity(
                change[:trials], change[trials:], each.pre, post[:trials], flat, post[trials:]
            )
        }
        for kind, part in (("in step", 0.0), ("quarter late", 0.25)) if trials > 1 else ():
            partners = tuple(
                _later(each.pre[(k + 1) % trials], part / float(condition.look_at), duration)
                for k in range(trials)
            )
            change = rule.response([*each.pre, *flat], [*partners, *partners])[rule.weight].values
            change = change - float(rule.initial.get(rule.weight, 0.0))
            kinds[kind] = Plasticity(change[:trials], change[trials:], each.pre, partners, flat, partners)
        found.append(kinds)
    return found


def _later(train: Quantity, lag: float, duration: Quantity) -> Quantity:
    return Quantity(np.sort((np.asarray(train) + lag) % float(duration)), dim=second.dim)


def beat_drift(
    rule: Rule,
    pre_rate: Any,
    post_rate: Any,
    strengths: tuple[float, float],
    frequency: Any,
    lag: Any = 0 * ms,
) -> float:
    r"""What a common modulation adds to the weight per second, by pair STDP of all pairs.

    Two Poisson trains with rates x (1 + 2 R cos(w t)) and y (1 + 2 P cos(w (t - lag))) have pairs with gap s
    at the rate x y (1 + 2 R P cos(w (s - lag))). With windows A_+ exp(-s/tau_+) and -A_- exp(s/tau_-) it adds

        2 R P x y [A_+ tau_+ (cos a + w tau_+ sin a)/(1 + (w tau_+)^2)
                   - A_- tau_- (cos a - w tau_- sin a)/(1 + (w tau_-)^2)],    a = w lag,

    as in Kempter, Gerstner & van Hemmen 1999, Phys Rev E 59:4498 (an integral of window and correlation).

    Parameters
    ----------
    rule : Rule
        `eccles.lab.rules.pair`, additive and with all pairs of spikes.
    pre_rate, post_rate : frequency
    strengths : (float, float)
        Vector strengths R and P of both trains at `frequency`.
    frequency : frequency
    lag : time, optional
        By which the postsynaptic modulation comes later.

    Raises
    ------
    SetupError
        If the rule is another one.
    """
    if not counts_all_pairs(rule):
        raise SetupError(
            f"the drift of '{rule.name}' is not known",
            hint="It is for additive pair STDP of all pairs: pair().",
        )
    up, tau_up, down, tau_down = (
        float(rule.parameters[name]) for name in ("A_plus", "tau_plus", "A_minus", "tau_minus")
    )
    w = 2 * math.pi * float(frequency)
    a = w * float(lag)
    gain = up * tau_up * (math.cos(a) + w * tau_up * math.sin(a)) / (1 + (w * tau_up) ** 2)
    loss = down * tau_down * (math.cos(a) - w * tau_down * math.sin(a)) / (1 + (w * tau_down) ** 2)
    return 2 * strengths[0] * strengths[1] * float(pre_rate) * float(post_rate) * (gain - loss)
