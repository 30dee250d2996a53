"""Beats: pairs of neurons that fire at two chosen rates, and what plasticity makes of them.

Two trains of spikes with rates f and g drift past each other |f - g| times a second: the time between a
presynaptic spike and the next postsynaptic one runs through all values and begins anew. The synapse of
each pair changes by the pair rule of STDP, but has no effect on the postsynaptic neuron, so both rates stay
what they are. All pairs are simulated at once.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.engine.clock import Clock, to_seconds
from eccles.errors import DimensionMismatchError, SetupError
from eccles.monitors import SpikeMonitor, StateMonitor
from eccles.objects import Network, NeuronGroup, Synapses
from eccles.units import Quantity, get_dimensions, hertz, ms

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "Beats",
    "beats",
    "grid_effect",
    "lost_beats",
    "save_dataset",
    "save_table",
    "time_text",
]

FORMAT = "eccles-beats"
FORMAT_VERSION = 1  # of the file that `save_dataset` writes
MOST_SAMPLES = 50_000  # of each weight: a longer run is sampled more coarsely

# A neuron whose x grows from 0 to 1 within one period. The sum of many rate*dt may miss 1 by rounding, and
# the spike would come a whole step late; 1e-9 is far more than that error and far less than a step.
NEURONS = """dx/dt = rate : 1
rate : hertz (constant)"""
THRESHOLD = "x > 1 - 1e-9"
RESET = "x = 0"

# Pair STDP, exponential windows, all pairs of spikes, weight in [0, 1]: Song, Miller & Abbott 2000
SYNAPSES = """w : 1
dApre/dt = -Apre/tau_pre : 1 (event-driven)
dApost/dt = -Apost/tau_post : 1 (event-driven)"""
ON_PRE = """Apre += A_pre
w = clip(w + Apost, 0, w_max)"""
ON_POST = """Apost += A_post
w = clip(w + Apre, 0, w_max)"""
CONSTANTS: dict[str, Any] = {
    "tau_pre": 20 * ms,
    "tau_post": 20 * ms,
    "A_pre": 0.02,
    "A_post": -0.02 * 1.05,  # depression a little stronger than potentiation
    "w_max": 1.0,
}
FIRST_WEIGHT = 0.5


@dataclass(frozen=True, eq=False)
class Beats:
    """What an experiment with beats gave.

    Attributes
    ----------
    pre_rate, post_rate : (pair,), frequency
        The rates that were asked for.
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
    """

    pre_rate: Quantity
    post_rate: Quantity
    dt: Quantity
    duration: Quantity
    pre_spikes: tuple[Quantity, ...]
    post_spikes: tuple[Quantity, ...]
    times: Quantity
    weights: np.ndarray
    final_weights: np.ndarray

    def __len__(self) -> int:
        return len(self.pre_spikes)

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

    def table(self) -> dict[str, np.ndarray]:
        """The numbers for each pair, by a name that ends with the unit: what `save_table` writes."""
        return {
            "pair": np.arange(1, len(self) + 1),
            "pre_asked_Hz": _hertz(self.pre_rate),
            "post_asked_Hz": _hertz(self.post_rate),
            "beat_asked_Hz": _hertz(self.beat),
            "pre_obtained_Hz": _hertz(self.pre_rate_obtained),
            "post_obtained_Hz": _hertz(self.post_rate_obtained),
            "beat_obtained_Hz": _hertz(self.beat_obtained),
            "final_weight": self.final_weights,
        }

    def to_xarray(self) -> xr.Dataset:
        """All results with labels: dimensions `pair`, `time` and `event`; units in the attributes.

        Needs xarray.
        """
        import xarray as xr

        rate, time = {"units": "Hz"}, {"units": "s"}
        trains = [(pair, side, t) for side, all_trains in enumerate((self.pre_spikes, self.post_spikes))
                  for pair, t in enumerate(all_trains, 1)]  # fmt: skip
        t = np.concatenate([np.asarray(t) for _, _, t in trains])
        pair = np.concatenate([np.full(len(t), pair, np.int32) for pair, _, t in trains])
        side = np.concatenate([np.full(len(t), side, np.int8) for _, side, t in trains])
        order = np.lexsort((pair, side, t))
        sides = {
            "long_name": "side of the synapse",
            "flag_values": np.array([0, 1], np.int8),
            "flag_meanings": "pre post",
        }
        table = self.table()
        return xr.Dataset(
            {
                "pre_rate_asked": ("pair", table["pre_asked_Hz"], rate),
                "post_rate_asked": ("pair", table["post_asked_Hz"], rate),
                "beat_asked": ("pair", table["beat_asked_Hz"], rate),
                "pre_rate_obtained": ("pair", table["pre_obtained_Hz"], rate),
                "post_rate_obtained": ("pair", table["post_obtained_Hz"], rate),
                "beat_obtained": ("pair", table["beat_obtained_Hz"], rate),
                "final_weight": ("pair", self.final_weights, {"units": "1"}),
                "weight": (("pair", "time"), self.weights, {"units": "1"}),
                "spike_time": ("event", t[order], time),
                "spike_pair": ("event", pair[order], {"long_name": "the pair that a spike belongs to"}),
                "spike_side": ("event", side[order], sides),
            },
            coords={"pair": table["pair"].astype(np.int32), "time": ("time", np.asarray(self.times), time)},
            attrs=_attributes(self),
        )


def beats(pre: Any, post: Any, *, duration: Quantity, dt: Quantity = 0.1 * ms, report: Any = None) -> Beats:
    """Simulate pairs of neurons that fire at chosen rates, with STDP between them.

    Parameters
    ----------
    pre, post : scalar or (pair,), frequency
        Rates of the pre- and postsynaptic neurons: one for each pair, or one for all.
    duration : time
        How long to simulate.
    dt : time, optional
        The time step. Spikes come at its multiples, which changes the rates: see `grid_effect`.
    report : optional
        Progress, as in `Network.run`.

    Returns
    -------
    Beats

    Raises
    ------
    SetupError
        If a rate is not positive or cannot be reached with this time step, if there are not as many rates
        on both sides, or if the duration is shorter than a time step.

    Examples
    --------
    >>> result = beats(200*Hz, [250, 220, 210]*Hz, duration=2*second)
    >>> result.final_weights.round(3)
    array([0.549, 0.   , 0.   ])
    """
    step, length = to_seconds(dt, "the time step"), to_seconds(duration, "the duration")
    if not (math.isfinite(step) and step > 0):
        raise SetupError(f"the time step has to be positive, not {dt}")
    if not (math.isfinite(length) and length > 0):
        raise SetupError(f"the duration has to be positive and finite, not {duration}")
    if length < step:
        raise SetupError(f"the duration ({duration}) is shorter than one time step ({dt})")
    pre_rate, post_rate = _both(_checked_rates(pre, "pre", step), _checked_rates(post, "post", step))
    n = len(pre_rate)

    clock = Clock(dt)
    neurons = NeuronGroup(
        2 * n, NEURONS, threshold=THRESHOLD, reset=RESET, method="euler", clock=clock, namespace={}
    )
    neurons.rate = Quantity(np.concatenate([pre_rate, post_rate]), dim=hertz.dim)
    sources, targets = neurons[:n], neurons[n:]
    synapses = Synapses(sources, targets, SYNAPSES, on_pre=ON_PRE, on_post=ON_POST, clock=clock,
                        namespace=CONSTANTS)  # fmt: skip
    synapses.connect(j="i")
    synapses.w[:] = FIRST_WEIGHT
    pre_spikes, post_spikes = SpikeMonitor(sources), SpikeMonitor(targets)
    every = math.ceil(length / step / MOST_SAMPLES)
    weights = StateMonitor(synapses, "w", record=True, clock=clock if every == 1 else Clock(every * dt))
    network = Network(neurons, sources, targets, synapses, pre_spikes, post_spikes, weights)
    network.run(duration, report=report)

    return Beats(
        pre_rate=Quantity(pre_rate, dim=hertz.dim),
        post_rate=Quantity(post_rate, dim=hertz.dim),
        dt=dt,
        duration=network.t,
        pre_spikes=tuple(pre_spikes.spike_trains().values()),
        post_spikes=tuple(post_spikes.spike_trains().values()),
        times=weights.t,
        weights=np.array(weights.w),
        final_weights=np.array(synapses.w[:]),
    )


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


def lost_beats(result: Beats) -> tuple[int, ...]:
    """The pairs (counted from 0) that were asked to beat, but whose neurons fired at the same rate."""
    asked, obtained = _hertz(result.beat), _hertz(result.beat_obtained)
    floor = 1e-9 * _hertz(result.pre_rate)  # rounding of the two rates
    return tuple(int(k) for k in np.flatnonzero((asked > floor) & (obtained <= floor)))


def grid_effect(result: Beats) -> str:
    """What the time grid did to the rates, in plain words; a line of its own for each lost beat."""
    step = float(result.dt)
    asked = np.concatenate([_hertz(result.pre_rate), _hertz(result.post_rate)])
    trains = (*result.pre_spikes, *result.post_spikes)
    changed: dict[float, str] = {}
    kept: dict[float, str] = {}
    unknown: dict[float, str] = {}
    for rate, train in zip(asked, trains, strict=True):
        obtained = obtained_rate(train)
        if math.isnan(obtained):
            unknown[rate] = f"{rate:g} Hz"
        elif abs(obtained - rate) > 1e-6 * rate:
            changed[rate] = (
                f"{rate:g} Hz becomes {obtained:.4g} Hz (a period of {1e3 / rate:.4g} ms is "
                f"{1 / rate / step:.4g} steps, so every interval takes {round(1 / obtained / step)})"
            )
        else:
            kept[rate] = f"{rate:g} Hz"
    sentences = []
    if changed:
        sentences.append(
            f"A spike can only come at a multiple of the time step of {time_text(step)}, and each period "
            f"begins anew there: {_list(changed.values())}."
        )
        if kept:
            sentences.append(f"Unchanged, because their periods are whole steps: {_list(kept.values())}.")
    elif kept:
        sentences.append(
            f"All periods are whole multiples of the time step of {time_text(step)}: no rate is changed."
        )
    if unknown:
        sentences.append(
            f"Fewer than two spikes within {time_text(float(result.duration))}, so no rate to measure: "
            f"{_list(unknown.values())}. Simulate longer."
        )
    lines = [" ".join(sentences)]
    for pair in lost_beats(result):
        pre, post = _hertz(result.pre_rate)[pair], _hertz(result.post_rate)[pair]
        both, beat = _hertz(result.pre_rate_obtained)[pair], abs(pre - post)
        lines.append(
            f"BEAT LOST in pair {pair + 1}: {pre:g} Hz and {post:g} Hz should beat at {beat:g} Hz, but on "
            f"this grid both neurons fire at {both:.4g} Hz. The weight of this pair tells nothing about a "
            f"beat of {beat:g} Hz. Use {_finer(pre, post, step)}."
        )
    return "\n".join(lines)


def save_dataset(result: Beats, path: Path) -> None:
    """Write all results with labels to a netCDF file. Needs xarray and h5netcdf."""
    result.to_xarray().to_netcdf(path, engine="h5netcdf")


def save_table(result: Beats, path: Path) -> None:
    """Write the table of pairs as comma-separated values."""
    table = result.table()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*(column.tolist() for column in table.values()), strict=True))


def model_text() -> str:
    """The model of the experiment, as it is written into result files."""
    constants = "\n".join(f"  {name} = {value}" for name, value in CONSTANTS.items())
    parts = {"neurons": NEURONS, "threshold": THRESHOLD, "reset": RESET, "synapses": SYNAPSES,
             "on_pre": ON_PRE, "on_post": ON_POST}  # fmt: skip
    blocks = [
        f"{title}:\n" + "\n".join(f"  {line}" for line in text.splitlines()) for title, text in parts.items()
    ]
    return "\n".join([*blocks, "constants:", constants, f"  w at the start = {FIRST_WEIGHT}"])


def _attributes(result: Beats) -> dict[str, Any]:
    import platform

    from eccles import __version__
    from eccles.compile.llvm import version

    return {
        "title": "Pairs of neurons that fire at two rates, with spike-timing-dependent plasticity",
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "model": model_text(),
        "dt": float(result.dt),
        "dt_units": "s",
        "duration": float(result.duration),
        "duration_units": "s",
        "spike_times": "grid",
        "eccles_version": __version__,
        "numpy_version": np.__version__,
        "llvmlite_version": version().split("|")[0],
        "python_version": platform.python_version(),
    }


def _hertz(rates: Quantity) -> np.ndarray:
    return np.asarray(rates, dtype=float)


def _rates(trains: Sequence[Quantity]) -> Quantity:
    return Quantity(np.array([obtained_rate(train) for train in trains]), dim=hertz.dim)


def _checked_rates(rates: Any, side: str, step: float) -> np.ndarray:
    """The rates in hertz, (1,) or (pair,)."""
    if get_dimensions(rates) is not hertz.dim:
        raise DimensionMismatchError(
            f"the {side} rates have to be frequencies, as in 200*Hz", get_dimensions(rates), hertz.dim
        )
    values = np.atleast_1d(np.asarray(rates, dtype=float))
    if values.ndim != 1 or not len(values):
        raise SetupError(f"the {side} rates have to be one rate or a list of rates")
    highest = 1 / (2 * step)
    for value in values:
        if not (math.isfinite(value) and value > 0):
            raise SetupError(f"a {side} rate has to be a positive number of hertz, not {value:g} Hz")
        if value > highest * (1 + 1e-9):
            raise SetupError(
                f"a {side} rate of {value:g} Hz is too high for a time step of {step * 1e3:g} ms",
                hint=f"At most {highest:g} Hz, a spike at every other step: use a smaller time step.",
            )
    return values


def _both(pre: np.ndarray, post: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As many rates on both sides."""
    n = max(len(pre), len(post))
    if len(pre) not in (1, n) or len(post) not in (1, n):
        raise SetupError(
            f"there are {len(pre)} pre rates and {len(post)} post rates",
            hint="Give one rate for each pair on both sides, or a single one that all pairs share.",
        )
    return np.broadcast_to(pre, n), np.broadcast_to(post, n)


def _finer(pre: float, post: float, step: float) -> str:
    """A time step with which two rates beat at what was asked for, within a tenth."""
    for _ in range(3):
        step /= 10
        first, second_ = (1 / (step * math.ceil(1 / rate / step - 1e-9)) for rate in (pre, post))
        if abs(abs(first - second_) - abs(pre - post)) <= 0.1 * abs(pre - post):
            return f"a time step of {time_text(step)}"
    return "a much smaller time step"


def time_text(seconds: float) -> str:
    """A time as people write it: 2 s, 0.1 ms, 10 us."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= 0.1 * size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds / 1e-6:g} us"


def _list(items: Iterable[str]) -> str:
    *most, last = items
    return f"{', '.join(most)} and {last}" if most else last
