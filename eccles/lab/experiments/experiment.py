"""A plasticity experiment: baseline, induction, follow-up, as it is done at the bench.

Test pulses probe the synapse at a fixed interval, before and after a protocol makes its neurons spike. What
a test pulse does to a neuron at rest is an EPSP; its size over time, in percent of its mean before the
induction, is the result. All conditions run in one sweep.

Test pulses are virtual: the weight is read at their times, and the EPSP that it makes is measured on copies
of the neuron at rest. So they are no spikes to the rule, and the neuron need not have recovered from what
came before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.engine.clock import Clock, to_seconds
from eccles.errors import SetupError
from eccles.lab.experiments.conditions import INDUCTION, TRAINS, Conditions
from eccles.lab.experiments.pulse import Pulse, driven, pulse_for, stimulated
from eccles.lab.experiments.result import Result
from eccles.lab.experiments.testing import tested
from eccles.lab.neurons import Neuron, Transmission
from eccles.lab.rules import Rule
from eccles.language.equations import Equations
from eccles.objects import Network, SpikeGeneratorGroup
from eccles.objects.swept import words_in
from eccles.sweeps import record, sweep
from eccles.units import Quantity, get_dimensions, ms, second

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["experiment"]

WEIGHT = "weight_now"  # the weight of rules that are compared, if they call it by other names
COURSE = 200  # samples of the weight during the induction, about
FINE, COARSE = 0.1 * ms, 1 * ms  # time steps


def experiment(
    rule: Any,
    protocol: Any,
    neuron: Neuron | None = None,
    *,
    transmission: Transmission | None = None,
    drives_target: bool = False,
    pulse: tuple[Any, Quantity] | None = None,
    baseline: Quantity = 60 * second,
    followup: Quantity = 120 * second,
    test_interval: Quantity = 10 * second,
    induction: Quantity | None = None,
    delay: Quantity = 0 * ms,
    trials: int = 1,
    dt: Quantity | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
    threads: int | None = None,
    scheduler: Any = None,
    progress: bool | None = None,
    **swept: Any,
) -> Result:
    """What a protocol does to a synapse that follows a rule.

        result = experiment(pair(), lambda gap, rate: pairing(gap, rate=rate),
                            gap=[-20, -10, 10, 20]*ms, rate=[1, 20]*Hz)
        result.data["percent"], result.figure(), result.table

    Parameters
    ----------
    rule : Rule, function or dict
        A rule; or a function that makes one of swept parameters; or several, by name, which become the
        dimension `rule`.
    protocol : Protocol, function or dict
        When the neurons spike; in the same way. A function of a protocol is called with each combination of
        values.
    neuron : Neuron, optional
        The postsynaptic neuron: the one whose EPSPs are measured. Without it, only the weight is.
    transmission : Transmission, optional
        What the synapse does to `neuron`.
    drives_target : bool, optional
        Whether the postsynaptic neuron is `neuron` itself: it is driven by the synapse, and by a pulse of
        current for each postsynaptic spike of the protocol. Otherwise it spikes exactly as the protocol says.
    pulse : (amplitude, width), optional
        Of these pulses. By default 2 ms, as strong as needed to make one spike at rest.
    baseline, followup : time, optional
        How long to test before and after the induction.
    test_interval : time, optional
        From one test to the next.
    induction : time, optional
        The time for the protocol: by default that of the longest one, in whole intervals. All protocols end
        together, at its end.
    delay : time, optional
        Of the synapse.
    trials : int, optional
        Repetitions with other random numbers, for rules with noise.
    dt : time, optional
        The time step. It matters for what has no closed form: some neurons, and clock-driven rules. By
        default 0.1 ms; or 1 ms if everything has a closed form, and no neuron is driven.
    seed, out, threads, scheduler, progress
        As for `sweep`.
    **swept : values
        Parameters of the functions `rule` and `protocol`, as for `sweep`; all combinations, or `zipped`.

    Returns
    -------
    Result
        With `data`, `table`, `figure()` and `outcome()`.

    Raises
    ------
    SetupError
        If something is not what it has to be, or parts do not fit together: a rule that needs equations in
        the postsynaptic neuron without `drives_target=True`, one that waits for rewards, which experiments
        do not give, a neuron without a transmission, a parameter that nobody takes.
    """
    if not isinstance(trials, int | np.integer) or trials < 1:
        raise SetupError(f"an experiment is done once or more often, not {trials} times")
    if "trial" in swept:
        raise SetupError("'trial' cannot be swept", hint="trials=10 repeats an experiment with noise.")
    conditions = Conditions(rule, protocol, swept)
    step = FINE if dt is None else dt
    if not 0 < to_seconds(step, "the time step") < math.inf:
        raise SetupError(f"the time step has to be positive and finite, not {dt}")
    coarse = dt is None and not drives_target and all(map(_has_closed_form, conditions.rules().values()))
    parts = _Parts(conditions, neuron, transmission, drives_target, delay, COARSE if coarse else step)
    parts.check()
    times = _Times.of(conditions, baseline, followup, test_interval, induction, parts.step)
    made = pulse_for(neuron, pulse, step) if drives_target and neuron is not None else None
    if pulse is not None and made is None:
        raise SetupError("a pulse drives a neuron: it needs drives_target=True")
    options = {"seed": seed, "out": out, "threads": threads, "scheduler": scheduler, "progress": progress}
    found = _run(parts, times, made, trials, options)
    data = _labelled(parts, times, found, trials)
    if neuron is not None and transmission is not None:
        data = tested(data, parts.first_rule, neuron, transmission, delay, step)
    return Result(_in_percent(data), conditions.rules(), conditions.protocols, neuron, transmission, made)


def _has_closed_form(rule: Rule) -> bool:
    """Whether nothing of a rule depends on the time step: all that happens does so at spikes, exactly."""
    equations = Equations(rule.equations)
    names = equations.identifiers | set(words_in(rule.on_pre, rule.on_post))
    steps = [e for e in equations.values() if e.kind == "differential" and "event-driven" not in e.flags]
    return not steps and not names & {"t", "dt"} and not rule.post_equations


@dataclass(frozen=True, eq=False)
class _Parts:
    """What takes part."""

    conditions: Conditions
    neuron: Neuron | None
    transmission: Transmission | None
    drives_target: bool
    delay: Quantity
    dt: Quantity

    @property
    def step(self) -> float:
        return to_seconds(self.dt, "the time step")

    @property
    def first_rule(self) -> Rule:
        return next(iter(self.conditions.rules().values()))

    @property
    def read(self) -> str:
        """The variable of synapses that is read: the weight at any time, under one name for all rules."""
        names = {rule.current for rule in self.conditions.rules().values()}
        return names.pop() if len(names) == 1 else WEIGHT

    def check(self) -> None:
        """Raise a `SetupError` if they do not fit together."""
        rules = self.conditions.rules().values()
        for what, part, kind in (
            ("neuron", self.neuron, Neuron), ("transmission", self.transmission, Transmission)
        ):  # fmt: skip
            if part is not None and not isinstance(part, kind):
                raise SetupError(
                    f"{what} has to be a {kind.__name__}, not a {type(part).__name__}",
                    hint="Such as lif() and exponential_current() of eccles.lab.neurons.",
                )
        if self.drives_target and self.neuron is None:
            raise SetupError(
                "drives_target=True needs a neuron", hint="As in experiment(rule, protocol, lif(), ...)."
            )
        if self.drives_target and self.transmission is None:
            raise SetupError("a synapse that drives its target needs a transmission: transmission=...")
        if (self.neuron is None) != (self.transmission is None):
            there, missing = (
                ("neuron", "transmission") if self.transmission is None else ("transmission", "neuron")
            )
            raise SetupError(
                f"there is a {there} but no {missing}",
                hint="An EPSP needs both: what the synapse does, and to what. A weight needs neither.",
            )
        for rule in rules:
            if rule.on_events:
                events = " and ".join(f"'{name}'" for name in rule.on_events)
                raise SetupError(
                    f"the rule '{rule.name}' waits for {events}, and an experiment has spikes only",
                    hint="Build the network yourself: rule.synapses(...), and what makes the event, "
                    "such as reward() of eccles.lab.rules for dopamine().",
                )
            if rule.post_equations and not self.drives_target:
                raise SetupError(
                    f"the rule '{rule.name}' needs equations in the postsynaptic neuron",
                    hint="Give a neuron, a transmission, and drives_target=True.",
                )
        weights = {(rule.weight, Equations(rule.equations)[rule.weight].dim) for rule in rules}
        if len(weights) > 1:
            listed = ", ".join(f"{name} ({dim})" for name, dim in sorted(weights, key=str))
            raise SetupError(f"weights that are compared need one name and one unit: {listed}")
        for rule in rules if self.drives_target else ():
            for what, part in (("neuron", self.neuron), ("transmission", self.transmission)):
                _refuse_homonyms(rule, what, {} if part is None else part.parameters)

    def transmitted(self, rule: Rule) -> str:
        """What a presynaptic spike does, with the name that the rule has for the weight."""
        return "" if self.transmission is None else re.sub(r"\bw\b", rule.weight, self.transmission.on_pre)


def _with_weight(rule: Rule, name: str) -> Rule:
    """The rule with a variable of that name that is the weight at any time."""
    if name == rule.current:
        return rule
    unit = Equations(rule.equations)[rule.weight].unit_text
    return replace(rule, equations=f"{rule.equations}\n{name} = {rule.current} : {unit}")


def _refuse_homonyms(rule: Rule, what: str, others: Mapping[str, Any]) -> None:
    """Raise a `SetupError` if a name means one thing in the rule and another beside it."""
    for name in rule.parameters.keys() & others.keys():
        own, other = rule.parameters[name], others[name]
        if get_dimensions(own) is not get_dimensions(other) or not np.array_equal(own, other):
            raise SetupError(
                f"'{name}' is {other} in the {what}, and {own} in the rule '{rule.name}'",
                hint="Make both the same, or rename it in one of them.",
            )


@dataclass(frozen=True)
class _Times:
    """When things happen: everything is a whole number of test intervals."""

    interval: float
    n_baseline: int
    n_induction: int
    n_followup: int
    step: float

    @classmethod
    def of(
        cls, conditions: Conditions, baseline: Any, followup: Any, interval: Any, induction: Any, step: float
    ) -> _Times:
        every = to_seconds(interval, "test_interval")
        if not every > 0 or abs(every / step - round(every / step)) > 1e-6 * every / step:
            raise SetupError(
                f"test_interval has to be a multiple of the time step of {step:g} s, not {interval}"
            )
        n_baseline, n_followup = (
            math.floor(to_seconds(value, name) / every + 1e-9)
            for value, name in ((baseline, "baseline"), (followup, "followup"))
        )
        if n_baseline < 1 or n_followup < 1:
            raise SetupError(f"baseline and followup need at least one test each, every {interval}")
        longest = conditions.longest
        given = longest if induction is None else to_seconds(induction, "induction")
        if given < longest:
            raise SetupError(f"a protocol takes {longest:g} s, more than the {given:g} s for the induction")
        return cls(every, n_baseline, max(1, math.ceil(given / every - 1e-9)), n_followup, step)

    @property
    def begin(self) -> float:
        """When the time for the induction begins."""
        return self.n_baseline * self.interval

    @property
    def end(self) -> float:
        """When all protocols end."""
        return (self.n_baseline + self.n_induction) * self.interval

    @property
    def duration(self) -> float:
        """How long the run is: the last test is a sample of its last step."""
        return (self.n_baseline + self.n_induction + self.n_followup) * self.interval + self.step

    @property
    def tests(self) -> np.ndarray:
        """Which of all samples at test times are tests, (test,)."""
        first_after = self.n_baseline + self.n_induction + 1
        return np.r_[0 : self.n_baseline, first_after : first_after + self.n_followup]

    @property
    def course_step(self) -> float:
        """The time between two samples during the induction."""
        return max(1, round((self.end - self.begin) / COURSE / self.step)) * self.step


# -- running it -------------------------------------------------------------------------------------


def _run(
    parts: _Parts, times: _Times, pulse: Pulse | None, trials: int, options: Mapping[str, Any]
) -> xr.Dataset:
    """The weights of all conditions, as the sweep gives them."""
    conditions, read = parts.conditions, parts.read
    pre_trains, post_trains = conditions.trains(times.end, times.duration)
    lead = 0.0 if pulse is None else float(pulse.latency)  # pulses begin before the spikes that they make
    post_trains = post_trains - lead
    constant = dict(
        zip(TRAINS, (Quantity(t[0], dim=second.dim) for t in (pre_trains, post_trains)), strict=True)
    )
    n_pre, n_post = pre_trains.shape[1], post_trains.shape[1]

    def synapse(**parameters: Any) -> None:
        """Two neurons and the synapse between them, in one condition."""
        rule = _with_weight(conditions.rule_of(parameters), read)
        trains = {**constant, **parameters}
        clock = Clock(parts.dt)  # one for all: what has another clock has no exact times
        pre = SpikeGeneratorGroup(
            1, np.zeros(n_pre, int), trains["pre_times"], clock=clock, spike_times="precise"
        )
        told = SpikeGeneratorGroup(
            1, np.zeros(n_post, int), trains["post_times"], clock=clock, spike_times="precise"
        )
        post, known, pulses = told, {}, []
        if pulse is not None and parts.neuron is not None and parts.transmission is not None:
            post = driven(parts.neuron, 1, parts.transmission, rule.post_equations, rule.parameters, clock)
            pulses = [told, stimulated(told, post, pulse, clock)]
            known = parts.transmission.parameters
        synapse = rule.synapses(
            pre, post, transmission=parts.transmitted(rule) if pulse is not None else "",
            delay=parts.delay, namespace=known, clock=clock,
        )  # fmt: skip
        Network(pre, post, synapse, *pulses).run(times.duration * second)

    weight = f"synapse.{read}"
    recorded = {
        "weight": record.trace(weight, dt=times.interval * second),
        "course": record.trace(
            weight, dt=times.course_step * second, start=times.begin * second, stop=times.end * second
        ),
    }
    if pulse is not None:
        margin = times.interval / 2  # the first spike comes when the time begins, but for rounding
        window = {"start": (times.begin - margin) * second, "stop": (times.end + margin) * second}
        recorded["post_count"] = record.count("post", **window)
    swept = conditions.sweep_parameters(pre_trains, post_trains)
    if trials > 1:
        swept["trial"] = range(trials)
    return sweep(synapse, record=recorded, **options, **swept)


# -- labelling it -----------------------------------------------------------------------------------


def _labelled(parts: _Parts, times: _Times, found: xr.Dataset, trials: int) -> xr.Dataset:
    """What the sweep gave, over the dimensions that the user knows."""
    import xarray as xr

    conditions = parts.conditions
    dims = [*conditions.grid.axes, *(["trial"] if trials > 1 else [])]

    def values(name: str) -> np.ndarray:
        """Over all dimensions of conditions, then time if there is any."""
        array = found[name]
        of_sweep = [INDUCTION] if conditions.protocol_axes else []
        of_sweep += [axis for axis in conditions.grid.axes if axis not in conditions.protocol_axes]
        of_sweep += ["trial"] if trials > 1 else []
        over_time = [str(dim) for dim in array.dims if str(dim).endswith("time")]
        single = [dim for dim in array.dims if dim not in (*of_sweep, *over_time)]
        return conditions.laid_out(array.squeeze(single).transpose(*of_sweep, *over_time).values)

    units = str(found["weight"].attrs.get("units", "1")) or "1"
    weight = values("weight")[..., times.tests]
    course = values("course")
    is_after = times.tests > times.n_baseline
    test = times.tests * times.interval - times.end
    during = np.arange(course.shape[-1]) * times.course_step + times.begin - times.end
    coordinates: dict[str, Any] = {
        "test": ("test", test, {"units": "s", "long_name": "time after the end of the induction"}),
        "follow_up": ("test", is_after, {"long_name": "whether the test came after the induction"}),
        "time": ("time", during, {"units": "s", "long_name": "time after the end of the induction"}),
    }
    for axis in conditions.grid.labels():
        for name, coordinate in axis.coordinates.items():
            coordinates[name] = (
                axis.name, coordinate.values, {"units": coordinate.units or "1", "role": "parameter"}
            )  # fmt: skip
    if trials > 1:
        coordinates["trial"] = ("trial", np.arange(trials), {"units": "1", "role": "parameter"})
    name = parts.first_rule.weight
    variables: dict[str, Any] = {
        "weight": ((*dims, "test"), weight, {"units": units, "long_name": f"weight {name}"}),
        "course": ((*dims, "time"), course, {"units": units, "long_name": f"weight {name} in the induction"}),
        "failed": (dims, values("failed").astype(bool)),
    }
    if "post_count" in found:
        label = {"units": "1", "long_name": "postsynaptic spikes in the induction"}
        variables["post_count"] = (dims, values("post_count"), label)
    attributes = {
        name: found.attrs[name] for name in ("seed", "failures", "eccles_version") if name in found.attrs
    }
    return xr.Dataset({**variables, **_spikes(conditions)}, coordinates, attributes)


def _spikes(conditions: Conditions) -> dict[str, Any]:
    """The spike trains of the protocols, (..., spike), NaN where one has fewer."""
    found: dict[str, Any] = {}
    for side in ("pre", "post"):
        trains = [np.asarray(getattr(p, side), float) - float(p.duration) for p in conditions.protocols.flat]
        filled = np.full((len(trains), max(map(len, trains))), np.nan)
        for row, train in zip(filled, trains, strict=True):
            row[: len(train)] = train
        found[f"{side}_spikes"] = (
            (*conditions.protocol_axes, f"{side}_spike"),
            filled.reshape(*conditions.protocols.shape, -1),
            {"units": "s", "long_name": f"{side}synaptic spikes of the protocol, after its end"},
        )
    return found


def _in_percent(data: xr.Dataset) -> xr.Dataset:
    """With `percent`: the amplitude of the EPSP, or else the weight, relative to its mean at baseline."""
    name = "amplitude" if "amplitude" in data else "weight"
    values = data[name]
    before = values.where(~data["follow_up"]).mean("test")
    percent = 100 * values / before.where(before != 0)
    return data.assign(
        percent=percent.assign_attrs(units="%", long_name=f"{_WHAT[name]}, percent of baseline")
    )


_WHAT = {"amplitude": "EPSP", "weight": "weight"}
