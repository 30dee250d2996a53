"""Beats: pairs of neurons that fire at two chosen rates, and what plasticity makes of them.

Two trains of spikes with rates f and g drift past each other |f - g| times a second: the time between a
presynaptic spike and the next postsynaptic one runs through all values and begins anew. The synapse of
each pair changes by the pair rule of STDP, but has no effect on the postsynaptic neuron, so both rates stay
what they are.

What comes of it depends on two things that a rate does not say: which spike counts first where both neurons
spike at once, and the phases at the start. Therefore each result has the weights of both orders, and those of
many random phases if asked for. All of it is simulated at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from eccles.engine.clock import Clock, to_seconds
from eccles.engine.walk import SAME
from eccles.errors import DimensionMismatchError, SetupError
from eccles.lab.random_numbers import uniform
from eccles.lab.rules import Rule
from eccles.lab.rules import pair as pair_rule
from eccles.monitors import SpikeMonitor, StateMonitor
from eccles.objects import Network, NeuronGroup, Synapses
from eccles.objects.timing import SpikeTimes, checked_spike_times
from eccles.units import Quantity, get_dimensions, hertz, ms

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "Beats",
    "Coincidence",
    "beats",
    "thread_rule",
]

MOST_SAMPLES = 50_000  # of each weight: a longer run is sampled more coarsely
HIGHEST_RATE = 1e6  # hertz: times are told apart to a picosecond, a millionth of its period

Coincidence = Literal["pre_first", "post_first"]  # spikes at the same time are a pair here

# A neuron whose x grows from 0 to 1 within one period. On the grid the sum of many rate*dt may miss 1 by
# rounding, and the spike would come a whole step late; 1e-9 is far more than that error and far less than a
# step.
NEURONS = """dx/dt = rate : 1
rate : hertz (constant)"""
THRESHOLDS: dict[SpikeTimes, str] = {"precise": "x > 1", "grid": "x > 1 - 1e-9"}
RESET = "x = 0"


def thread_rule() -> Rule:
    """Pair STDP with the numbers of the thread: depression is a little stronger than potentiation."""
    return pair_rule(A_plus=0.02, A_minus=0.02 * 1.05)


@dataclass(frozen=True, eq=False)
class Beats:
    """What an experiment with beats gave.

    Attributes
    ----------
    pre_rate, post_rate : (pair,), frequency
        The rates that were asked for.
    pre_phase, post_phase : (pair,)
        The part of its period that each neuron had behind it at the start.
    spike_times : {'precise', 'grid'}
        Whether spikes came at exact times or at multiples of the time step.
    rule : Rule
        The plasticity rule, with its `coincidence`: which spike was handled first where both neurons of a
        pair spiked at once.
    dt, duration : time
        The time step, and how long was simulated: less than asked for if Ctrl-C ended the run.
    pre_spikes, post_spikes : tuple of (n,), time
        Spike times of each pair.
    times : (time,), time
        When the weights were sampled.
    weights : (pair, time)
        The weight of each pair's synapse.
    final_weights : (pair,)
        The weights at the end of the run.
    other_final_weights : (pair,)
        The same if spikes that coincide were handled in the other order.
    random_phases : (phase, 2)
        Random phases at the start, of the presynaptic and the postsynaptic neuron; the same for all pairs.
    random_weights : (pair, phase)
        The weights at the end of the run for these phases.
    seed : int
        What `random_phases` were drawn with.
    grid : Beats or None
        The same experiment with spikes on the grid, in the same run, if it was asked for.
    """

    pre_rate: Quantity
    post_rate: Quantity
    pre_phase: np.ndarray
    post_phase: np.ndarray
    spike_times: SpikeTimes
    rule: Rule
    dt: Quantity
    duration: Quantity
    pre_spikes: tuple[Quantity, ...]
    post_spikes: tuple[Quantity, ...]
    times: Quantity
    weights: np.ndarray
    final_weights: np.ndarray
    other_final_weights: np.ndarray
    random_phases: np.ndarray
    random_weights: np.ndarray
    seed: int
    grid: Beats | None = None

    def __len__(self) -> int:
        return len(self.pre_spikes)

    @property
    def coincidence(self) -> Coincidence:
        """Which spike was handled first where both neurons of a pair spiked at once."""
        return "post_first" if self.rule.coincidence == "post_first" else "pre_first"

    @property
    def beat(self) -> Quantity:
        """The beat of the rates that were asked for, (pair,), frequency."""
        return Quantity(abs(_hertz(self.pre_rate) - _hertz(self.post_rate)), dim=hertz.dim)

    @property
    def pre_rate_obtained(self) -> Quantity:
        """The rates at which the presynaptic neurons fired, (pair,), frequency; see `obtained_rate`."""
        return _rates(self.pre_spikes)

    @property
    def post_rate_obtained(self) -> Quantity:
        """The rates at which the postsynaptic neurons fired, (pair,), frequency; see `obtained_rate`."""
        return _rates(self.post_spikes)

    @property
    def beat_obtained(self) -> Quantity:
        """The beat of the rates at which the neurons fired, (pair,), frequency."""
        difference = abs(_hertz(self.pre_rate_obtained) - _hertz(self.post_rate_obtained))
        return Quantity(difference, dim=hertz.dim)

    @property
    def coincidences(self) -> np.ndarray:
        """How often both neurons of a pair spiked at once, (pair,)."""
        trains = zip(self.pre_spikes, self.post_spikes, strict=True)
        return np.array([_n_coincident(np.asarray(pre), np.asarray(post)) for pre, post in trains])

    def final_weights_if(self, coincidence: Coincidence) -> np.ndarray:
        """The weights at the end if spikes that coincide are handled in this order, (pair,)."""
        return self.final_weights if coincidence == self.coincidence else self.other_final_weights

    def spread(self, parts: Sequence[float] = (0.05, 0.5, 0.95)) -> np.ndarray:
        """Quantiles of the final weights over random phases, (part, pair); NaN without random phases."""
        if not len(self.random_phases):
            return np.full((len(parts), len(self)), math.nan)
        return np.quantile(self.random_weights, parts, axis=1)

    def table(self) -> dict[str, np.ndarray]:
        """The numbers for each pair, by a name that ends with the unit: what `save_table` writes."""
        columns = {
            "pair": np.arange(1, len(self) + 1),
            "spike_times": np.full(len(self), self.spike_times),
            "pre_asked_Hz": _hertz(self.pre_rate),
            "post_asked_Hz": _hertz(self.post_rate),
            "beat_asked_Hz": _hertz(self.beat),
            "pre_phase": self.pre_phase,
            "post_phase": self.post_phase,
            "pre_obtained_Hz": _hertz(self.pre_rate_obtained),
            "post_obtained_Hz": _hertz(self.post_rate_obtained),
            "beat_obtained_Hz": _hertz(self.beat_obtained),
            "coincidences": self.coincidences,
            "coincidence": np.full(len(self), self.coincidence),
            "final_weight": self.final_weights,
            "final_weight_pre_first": self.final_weights_if("pre_first"),
            "final_weight_post_first": self.final_weights_if("post_first"),
        }
        if len(self.random_phases):
            names = ("random_phases_5_percent", "random_phases_median", "random_phases_95_percent")
            columns |= dict(zip(names, self.spread(), strict=True))
        if self.grid is not None:
            columns |= {
                "grid_pre_obtained_Hz": _hertz(self.grid.pre_rate_obtained),
                "grid_post_obtained_Hz": _hertz(self.grid.post_rate_obtained),
                "grid_beat_obtained_Hz": _hertz(self.grid.beat_obtained),
                "grid_final_weight": self.grid.final_weights,
            }
        return columns

    def to_xarray(self) -> xr.Dataset:
        """All results with labels: dimensions `pair`, `time`, `event` and `phase`; units in the attributes.

        Needs xarray.
        """
        from eccles.lab.beats_files import dataset_of

        return dataset_of(self)


def beats(
    pre: Any,
    post: Any,
    *,
    duration: Quantity,
    rule: Rule | None = None,
    dt: Quantity = 0.1 * ms,
    spike_times: SpikeTimes = "precise",
    coincidence: Coincidence = "pre_first",
    pre_phase: Any = 0.0,
    post_phase: Any = 0.0,
    random_phases: int = 0,
    seed: int = 1,
    with_grid: bool = False,
    report: Any = None,
) -> Beats:
    """Simulate pairs of neurons that fire at chosen rates, with STDP between them.

    Parameters
    ----------
    pre, post : scalar or (pair,), frequency
        Rates of the pre- and postsynaptic neurons: one for each pair, or one for all.
    duration : time
        How long to simulate.
    rule : Rule, optional
        The plasticity rule; by default `thread_rule()`, pair STDP.
    dt : time, optional
        The time step. It changes nothing but where weights are sampled, unless spikes come on the grid.
    spike_times : {'precise', 'grid'}, optional
        'grid': spikes come at multiples of `dt`, which changes the rates (`beats_grid.py`).
    coincidence : {'pre_first', 'post_first'}, optional
        Which spike is handled first where both neurons of a pair spike at once. With 'pre_first' the pair
        counts as pre before post, with a time difference of 0.
    pre_phase, post_phase : scalar or (pair,), optional
        The part of its period, in [0, 1), that a neuron has behind it at the start.
    random_phases : int, optional
        How many random phases to simulate as well, for the spread of the final weights.
    seed : int, optional
        Other random phases. The same seed gives the same phases, and more of them begin with the same.
    with_grid : bool, optional
        Simulate the same with spikes on the grid as well, for comparison.
    report : optional
        Progress, as in `Network.run`.

    Returns
    -------
    Beats

    Raises
    ------
    SetupError
        If a rate is not positive or too high, if there are not as many rates on both sides, if a phase is
        not in [0, 1), if the duration is shorter than a time step, or if the rule needs a neuron of its own.

    Examples
    --------
    >>> result = beats(200*Hz, [250, 220, 210]*Hz, duration=2*second)
    >>> result.final_weights.round(3)
    array([0.549, 0.099, 0.128])
    """
    step, length = to_seconds(dt, "the time step"), to_seconds(duration, "the duration")
    if not (math.isfinite(step) and step > 0):
        raise SetupError(f"the time step has to be positive, not {dt}")
    if not (math.isfinite(length) and length > 0):
        raise SetupError(f"the duration has to be positive and finite, not {duration}")
    if length < step:
        raise SetupError(f"the duration ({duration}) is shorter than one time step ({dt})")
    mode = checked_spike_times(spike_times) or "precise"
    if coincidence not in get_args(Coincidence):
        raise SetupError(f"coincidence has to be 'pre_first' or 'post_first', not {coincidence!r}")
    rule = thread_rule() if rule is None else rule
    if rule.post_equations or rule.post_events:
        raise SetupError(
            f"the rule '{rule.name}' needs postsynaptic neurons with a potential; these only keep their rate",
            hint="Use experiment(rule, protocol, neuron, drives_target=True) of eccles.lab.experiments.",
        )
    if random_phases < 0 or seed < 0:
        raise SetupError("random_phases and seed cannot be negative")
    pre_rate, post_rate = _both(
        _checked_rates(pre, "pre", mode, step), _checked_rates(post, "post", mode, step)
    )
    n = len(pre_rate)
    experiment = _Experiment(
        pre_rate,
        post_rate,
        _checked_phases(pre_phase, "pre", n),
        _checked_phases(post_phase, "post", n),
        mode,
        rule.with_conventions(coincidence=coincidence),
        _random_phases(random_phases, seed),
        seed,
        Clock(dt),
        math.ceil(length / step / MOST_SAMPLES),
    )
    on_grid = replace(experiment, spike_times="grid", random_phases=_random_phases(0, seed))
    beside = on_grid.objects() if with_grid and mode == "precise" else None
    objects = experiment.objects()
    network = Network(*objects.all, *(beside.all if beside is not None else ()))
    network.run(duration, report=report)
    grid = on_grid.result(beside, network.t) if beside is not None else None
    return experiment.result(objects, network.t, grid)


@dataclass(frozen=True, eq=False)
class _Objects:
    """What stands for an experiment in a network. The first pairs of `synapses` are those asked for."""

    neurons: NeuronGroup
    synapses: Synapses
    other_synapses: Synapses  # between the same neurons; spikes that coincide in the other order
    pre_spikes: SpikeMonitor
    post_spikes: SpikeMonitor
    weights: StateMonitor

    @property
    def all(self) -> tuple[Any, ...]:
        return tuple(getattr(self, each.name) for each in fields(self))


@dataclass(frozen=True, eq=False)
class _Experiment:
    """What is asked for, with numbers in SI units."""

    pre_rate: np.ndarray
    post_rate: np.ndarray
    pre_phase: np.ndarray
    post_phase: np.ndarray
    spike_times: SpikeTimes
    rule: Rule
    random_phases: np.ndarray
    seed: int
    clock: Clock
    every: int  # steps between two samples of the weights

    def objects(self) -> _Objects:
        """What the network is made of.

        All neurons are in one group: presynaptic ones, then postsynaptic ones; in each half the pairs asked
        for, then all pairs once for each of the random phases.
        """
        n, clock = len(self.pre_rate), self.clock
        rates, phases = [], []
        for rate, phase, random in zip(
            (self.pre_rate, self.post_rate),
            (self.pre_phase, self.post_phase),
            self.random_phases.T,
            strict=True,
        ):
            rates.append(np.tile(rate, 1 + len(random)))
            phases.append(np.concatenate([phase, np.repeat(random, n)]))
        half = len(rates[0])
        neurons = NeuronGroup(
            2 * half, NEURONS, threshold=THRESHOLDS[self.spike_times], reset=RESET, clock=clock, namespace={},
            spike_times=self.spike_times,
        )  # fmt: skip
        neurons.rate = Quantity(np.concatenate(rates), dim=hertz.dim)
        neurons.x = np.concatenate(phases)
        pre, post = neurons[:n], neurons[half : half + n]
        pairs: dict[str, Any] = {"connect": {"j": "i"}, "clock": clock, "namespace": {}}
        synapses = self.rule.synapses(neurons[:half], neurons[half:], **pairs)
        order = "post_first" if self.rule.coincidence == "pre_first" else "pre_first"
        other = self.rule.with_conventions(coincidence=order).synapses(pre, post, **pairs)
        sampling = clock if self.every == 1 else Clock(self.every * clock.dt)
        weights = StateMonitor(synapses, self.rule.current, record=np.arange(n), clock=sampling)
        return _Objects(neurons, synapses, other, SpikeMonitor(pre), SpikeMonitor(post), weights)

    def result(self, objects: _Objects, duration: Quantity, grid: Beats | None = None) -> Beats:
        n = len(self.pre_rate)
        weight = self.rule.current
        final = np.array(getattr(objects.synapses, weight)[:])
        return Beats(
            pre_rate=Quantity(self.pre_rate, dim=hertz.dim),
            post_rate=Quantity(self.post_rate, dim=hertz.dim),
            pre_phase=self.pre_phase,
            post_phase=self.post_phase,
            spike_times=self.spike_times,
            rule=self.rule,
            dt=self.clock.dt,
            duration=duration,
            pre_spikes=tuple(objects.pre_spikes.spike_trains().values()),
            post_spikes=tuple(objects.post_spikes.spike_trains().values()),
            times=objects.weights.t,
            weights=np.array(getattr(objects.weights, weight)),
            final_weights=final[:n],
            other_final_weights=np.array(getattr(objects.other_synapses, weight)[:]),
            random_phases=self.random_phases,
            random_weights=final[n:].reshape(-1, n).T,
            seed=self.seed,
            grid=grid,
        )


def _random_phases(number: int, seed: int) -> np.ndarray:
    """Uniform in [0, 1), (phase, 2)."""
    return uniform(2 * number, seed).reshape(number, 2)


def obtained_rate(spikes: Quantity) -> float:
    """The rate of a spike train in hertz: intervals between spikes over the time that they span.

    (n - 1)/(t_last - t_first) counts whole intervals only. The number of spikes over the duration would
    depend on where in an interval the run begins and ends.

    Returns
    -------
    float
        NaN for fewer than two spikes.
    """
    t = np.asarray(spikes, dtype=float)
    return float((len(t) - 1) / (t[-1] - t[0])) if len(t) > 1 else math.nan


def _hertz(rates: Quantity) -> np.ndarray:
    return np.asarray(rates, dtype=float)


def _rates(trains: Sequence[Quantity]) -> Quantity:
    return Quantity(np.array([obtained_rate(train) for train in trains]), dim=hertz.dim)


def _n_coincident(one: np.ndarray, other: np.ndarray) -> int:
    """How many times are in both sorted lists."""
    if not len(one) or not len(other):
        return 0
    after = np.minimum(np.searchsorted(other, one), len(other) - 1)
    before = np.maximum(after - 1, 0)
    gap = np.minimum(abs(other[after] - one), abs(other[before] - one))
    return int(np.count_nonzero(gap <= SAME))


def _checked_rates(rates: Any, side: str, mode: SpikeTimes, step: float) -> np.ndarray:
    """The rates in hertz, (1,) or (pair,)."""
    if get_dimensions(rates) is not hertz.dim:
        raise DimensionMismatchError(
            f"the {side} rates have to be frequencies, as in 200*Hz", get_dimensions(rates), hertz.dim
        )
    values = np.atleast_1d(np.asarray(rates, dtype=float))
    if values.ndim != 1 or not len(values):
        raise SetupError(f"the {side} rates have to be one rate or a list of rates")
    for value in values:
        if not (math.isfinite(value) and value > 0):
            raise SetupError(f"a {side} rate has to be a positive number of hertz, not {value:g} Hz")
    highest, value = 1 / (2 * step), values.max()
    if mode == "grid" and value > highest * (1 + 1e-9):
        raise SetupError(
            f"a {side} rate of {value:g} Hz is too high for a time step of {step * 1e3:g} ms",
            hint=f"At most {highest:g} Hz, a spike at every other step: take a smaller one, or exact times.",
        )
    if value > HIGHEST_RATE:
        raise SetupError(f"a {side} rate of {value:g} Hz is too high", hint=f"At most {HIGHEST_RATE:g} Hz.")
    return values


def _checked_phases(phases: Any, side: str, n: int) -> np.ndarray:
    """The phases at the start, (pair,)."""
    values = np.asarray(phases, dtype=float)
    if values.shape not in ((), (1,), (n,)):
        raise SetupError(
            f"there are {values.size} {side} phases for {n} pairs",
            hint="Give one for each pair, or one for all.",
        )
    for value in values.flat:
        if not 0 <= value < 1:
            raise SetupError(f"a {side} phase has to be at least 0 and below 1, not {value:g}")
    return np.broadcast_to(values, n)


def _both(pre: np.ndarray, post: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As many rates on both sides."""
    n = max(len(pre), len(post))
    if len(pre) not in (1, n) or len(post) not in (1, n):
        raise SetupError(
            f"there are {len(pre)} pre rates and {len(post)} post rates",
            hint="Give one rate for each pair on both sides, or a single one that all pairs share.",
        )
    return np.broadcast_to(pre, n), np.broadcast_to(post, n)
