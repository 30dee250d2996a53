"""Two neurons at beating rates and a plastic synapse between them: what becomes of its EPSP, and why.

A student's question: if two neurons fire at rates that beat, does plasticity make the EPSP larger, and is it
the beat that does it? Here are his three pairs of rates, the pairs that he had in mind (each presynaptic
spike followed by a postsynaptic one after a fixed gap), and the controls that could prove him wrong: no beat
at all, swapped sides, jittered spikes, Poisson spikes of the same rates, and other phases at the start. The
EPSP is measured by test pulses before and after, on a neuron with units and on one without; and it is done
once with spikes that are only told, and once with a neuron that the synapse drives as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.engine.clock import to_seconds
from eccles.errors import SetupError
from eccles.lab.beats import beats, thread_rule
from eccles.lab.experiments.beating_pairs_figure import figure_of
from eccles.lab.experiments.binaural_beats import EVIDENCE
from eccles.lab.experiments.experiment import experiment
from eccles.lab.experiments.result import Result
from eccles.lab.experiments.study import Outcome, Study
from eccles.lab.neurons import Neuron, Transmission, exponential_current, lif, to_abstract
from eccles.lab.protocols import Protocol, pairing
from eccles.lab.protocols.trains import jittered, poisson
from eccles.lab.random_numbers import uniform
from eccles.lab.rules import Rule
from eccles.lab.rules.pair import counts_all_pairs
from eccles.units import Quantity, hertz, ms, second

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["STUDY", "oscillator", "run"]

RATES = ((200.0, 250.0), (200.0, 220.0), (200.0, 210.0))  # hertz: the pairs of the thread
GAP, PAIR_RATE = 20 * ms, 50.0  # the pairs that the student had in mind
JITTER = 1 * ms
ORDERS = {"pre first": "pre_first", "post first": "post_first"}
SHORT = 2 * second  # of tests before and after, where a neuron is simulated in between
SEED = 1
SAMPLING = 0.5 * ms  # of the weight while the neurons fire


def oscillator(rate: float, duration: Quantity, phase: float = 0.0) -> Quantity:
    """The spikes of a neuron with a rate (in hertz) that has a part of its period behind it at the start."""
    n = int(np.floor(rate * float(duration) * (1 + 1e-12) + phase))
    times = (np.arange(1, n + 1) - phase) / rate
    return Quantity(times[times <= float(duration)], dim=second.dim)


def beat_name(pre: float, post: float) -> str:
    """What a pair of rates is called; with enough digits to tell close rates apart."""
    return f"{pre:.12g}/{post:.12g} Hz"


@dataclass(frozen=True)
class Condition:
    """What is done, once or with several random numbers."""

    name: str
    kind: str  # 'beat', 'asked for', or 'control'
    protocols: tuple[Protocol, ...]


def conditions(rates: Sequence[tuple[float, float]], duration: Quantity, n: int) -> list[Condition]:
    """The pairs of rates and their controls; those with chance in them `n` times."""

    def beat(pre: float, post: float, pre_phase: float = 0.0, post_phase: float = 0.0) -> Protocol:
        trains = oscillator(pre, duration, pre_phase), oscillator(post, duration, post_phase)
        return Protocol(
            beat_name(pre, post), *trains, duration, f"regular trains of {pre:.12g} and {post:.12g} Hz"
        )

    found = [Condition(beat_name(f, g), "beat", (beat(f, g),)) for f, g in rates]
    for f, g in rates:
        shifts = uniform(2 * n, SEED).reshape(n, 2)  # those of `beats`
        found.append(
            Condition(
                f"{beat_name(f, g)}, random phases", "control", tuple(beat(f, g, *s) for s in shifts.tolist())
            )
        )
    f, g = rates[0]
    both = beat(f, g)
    n_pairs = int(PAIR_RATE * float(duration) + 1e-9)
    paired = pairing(GAP, n=n_pairs, rate=PAIR_RATE * hertz)
    late = pairing(-GAP, n=n_pairs, rate=PAIR_RATE * hertz)
    found += [
        Condition(f"swapped: {beat_name(g, f)}", "control", (beat(g, f),)),
        Condition(f"no beat: {beat_name(f, f)}, in phase", "control", (beat(f, f),)),
        Condition(f"no beat: {beat_name(f, f)}, half a period", "control", (beat(f, f, 0.0, 0.5),)),
        Condition(
            f"{beat_name(f, g)}, jittered by 1 ms", "control",
            tuple(_with_trains(both, *(jittered(t, JITTER, 2 * k + side, duration=duration) for side, t in
                                       enumerate((both.pre, both.post)))) for k in range(n)),
        ),
        Condition(
            f"Poisson spikes, {beat_name(f, g)}", "control",
            tuple(_with_trains(both, *(poisson(rate * hertz, duration, 2 * k + side)
                                       for side, rate in enumerate((f, g)))) for k in range(n)),
        ),
        Condition(f"{PAIR_RATE:g} Hz, post 20 ms after pre", "asked for", (paired,)),
        Condition(f"{PAIR_RATE:g} Hz, post 20 ms before pre", "asked for", (late,)),
    ]  # fmt: skip
    return found


def _with_trains(protocol: Protocol, pre: Quantity, post: Quantity) -> Protocol:
    return Protocol(protocol.name, pre, post, protocol.duration)


@dataclass(frozen=True)
class Form:
    """A neuron, and what the synapse does to it."""

    neuron: Neuron
    transmission: Transmission
    unit: float  # of its potential, per volt; and its name
    unit_name: str


def forms() -> dict[str, Form]:
    """The neuron with units, and the same without: 0 at rest, 1 at the threshold."""
    biophysical, current = lif(), exponential_current()
    p = biophysical.parameters
    scale = p["g_L"] * (p["V_th"] - p["E_L"])  # the current that just leads to the threshold
    abstract = Transmission(
        "exponential current, abstract",
        "dI_syn/dt = -I_syn/tau_syn : 1",
        "I_syn",
        "I_syn_post += w*I_max_syn",
        {**current.parameters, "I_max_syn": float(current.parameters["I_max_syn"] / scale)},
    )
    return {
        "with units": Form(biophysical, current, 1e3, "mV"),
        "abstract": Form(to_abstract(biophysical), abstract, 1.0, "of threshold"),
    }


def run(
    quick: bool = False,
    *,
    rates: Sequence[tuple[float, float]] = RATES,
    duration: Quantity = 2 * second,
    rule: Rule | None = None,
) -> Outcome:
    """Run the study.

    Parameters
    ----------
    quick : bool, optional
        Fewer random phases and seeds.
    rates : sequence of (pre, post), optional
        In hertz.
    duration : time, optional
        How long the neurons fire.
    rule : Rule, optional
        By default that of the thread; it is taken with both orders of spikes that coincide.

    Raises
    ------
    SetupError
        If there are no rates, or some that are not positive, or the duration is too short for a pair.
    """
    pairs = list(dict.fromkeys((float(f), float(g)) for f, g in rates))
    if not pairs or not all(f > 0 and g > 0 and np.isfinite(f + g) for f, g in pairs):
        raise SetupError(f"rates are pairs of positive numbers of hertz, not {list(rates)!r}")
    if not PAIR_RATE * to_seconds(duration, "the duration") > 1 - 1e-9:
        raise SetupError(
            f"a duration of {duration} is too short for a pair of {GAP} at {PAIR_RATE:g} Hz",
            hint=f"Let the neurons fire for {1e3 / PAIR_RATE:g} ms or longer.",
        )
    rule = thread_rule() if rule is None else rule
    rules = {name: rule.with_conventions(coincidence=order) for name, order in ORDERS.items()}  # type: ignore[arg-type]
    all_conditions = conditions(pairs, duration, 5 if quick else 50)
    protocols = {f"{c.name} #{k}": p for c in all_conditions for k, p in enumerate(c.protocols)}
    told = {name: experiment(rules, protocols, form.neuron, transmission=form.transmission,
                             baseline=20 * second, induction=duration, followup=30 * second, progress=False)
            for name, form in forms().items()}  # fmt: skip
    beating = {c.name: c.protocols[0] for c in all_conditions if c.kind == "beat"}
    driven = {name: experiment(rules, beating, form.neuron, transmission=form.transmission,
                               drives_target=True, baseline=SHORT, followup=SHORT,
                               test_interval=1 * second, progress=False)
              for name, form in forms().items()}  # fmt: skip
    data = _labelled(all_conditions, told, driven).merge(_courses(pairs, duration, rule))
    return Outcome(
        data=data,
        table=_table(data),
        draw=lambda: figure_of(data),
        findings=_findings(data, all_conditions, pairs, duration, rule),
        notes=(*NOTES, *EVIDENCE),
        models=_models(rule),
    )


# -- what came out -----------------------------------------------------------------------------------------


def _labelled(
    all_conditions: Sequence[Condition], told: Mapping[str, Result], driven: Mapping[str, Result]
) -> xr.Dataset:
    """Weights and EPSPs over conditions; quantiles of those with chance in them."""
    import xarray as xr

    names = [c.name for c in all_conditions]
    first, *_ = told.values()
    weight = first.data.weight.isel(test=-1, drop=True)
    found = xr.Dataset(
        {f"weight_{part}": _quantile(weight, all_conditions, q).assign_attrs(units="1")
         for part, q in (("low", 0.05), ("median", 0.5), ("high", 0.95))},
        {"condition": names, "kind": ("condition", [c.kind for c in all_conditions])},
    )  # fmt: skip
    alone = [f"{c.name} #0" for c in all_conditions]
    for name, result in told.items():
        form, key, data = forms()[name], name.replace(" ", "_"), result.data.drop_vars("follow_up")
        median = {v: _quantile(data[v], all_conditions, 0.5) for v in ("amplitude", "percent")}
        for when, test in (("before", 0), ("after", -1)):
            amplitude = median["amplitude"].isel(test=test, drop=True) * form.unit
            found[f"epsp_{when}_{key}"] = amplitude.assign_attrs(units=form.unit_name)
        found[f"percent_{key}"] = median["percent"].assign_attrs(units="percent")
        trace = _named(data.epsp, alone, names) * form.unit
        found[f"trace_{key}"] = trace.assign_attrs(units=form.unit_name)
    for name in ("pre_spikes", "post_spikes"):
        found[name] = _named(first.data[name], alone, names)
    for name, result in driven.items():
        key, data = name.replace(" ", "_"), result.data.drop_vars("follow_up").rename(protocol="beat")
        found[f"driven_weight_{key}"] = data.weight.isel(test=-1, drop=True).assign_attrs(units="1")
        found[f"driven_count_{key}"] = data.post_count
    return found


def _courses(pairs: Sequence[tuple[float, float]], duration: Quantity, rule: Rule) -> xr.Dataset:
    """The weights while the neurons fire, (rule, beat, time): from oscillating neurons, finer than spikes."""
    import xarray as xr

    pre, post = (Quantity(np.array(side), dim=hertz.dim) for side in zip(*pairs, strict=True))
    found = {name: beats(pre, post, duration=duration, rule=rule, coincidence=order, dt=SAMPLING)  # type: ignore[arg-type]
             for name, order in ORDERS.items()}  # fmt: skip
    time = np.asarray(next(iter(found.values())).times)
    return xr.Dataset(
        {"course": (("rule", "beat", "time"), np.stack([each.weights for each in found.values()]),
                    {"units": "1", "long_name": "weight while the neurons fire"})},
        {"rule": list(found), "beat": [beat_name(f, g) for f, g in pairs],
         "time": ("time", time, {"units": "s", "long_name": "time since the neurons began"})},
    )  # fmt: skip


def _quantile(values: xr.DataArray, all_conditions: Sequence[Condition], q: float) -> xr.DataArray:
    """A quantile over the protocols of each condition, (condition, ...)."""
    import xarray as xr

    rows = [
        values.sel(protocol=[f"{c.name} #{k}" for k in range(len(c.protocols))]).quantile(q, "protocol")
        for c in all_conditions
    ]
    return xr.concat(rows, "condition").drop_vars("quantile").transpose("condition", ...)


def _named(values: xr.DataArray, protocols: Sequence[str], names: Sequence[str]) -> xr.DataArray:
    """One protocol of each condition."""
    found = values.sel(protocol=list(protocols)).assign_coords(protocol=list(names))
    return found.rename(protocol="condition")


def _table(data: xr.Dataset) -> dict[str, list[Any]]:
    first, second_ = data.sel(rule="pre first"), data.sel(rule="post first")
    limits = zip(first.weight_low.values, first.weight_high.values, strict=True)
    spread = [f"{low:.3f} to {high:.3f}" if high > low else "" for low, high in limits]
    driven = dict(zip(data.beat.values, first.driven_weight_with_units.values.tolist(), strict=True))
    names = data.condition.values.tolist()
    return {
        "condition": names,
        "weight, pre first": first.weight_median.values.tolist(),
        "weight, post first": second_.weight_median.values.tolist(),
        "5 to 95 %": spread,
        "weight, if driven": [driven.get(name, np.nan) for name in names],
        "EPSP before (mV)": first.epsp_before_with_units.values.tolist(),
        "EPSP after (mV)": first.epsp_after_with_units.values.tolist(),
        "EPSP after (of threshold)": first.epsp_after_abstract.values.tolist(),
        "percent of baseline": first.percent_with_units.isel(test=-1).values.tolist(),
    }


def _findings(
    data: xr.Dataset, all_conditions: Sequence[Condition], pairs: list[tuple[float, float]],
    duration: Quantity, rule: Rule,
) -> list[str]:  # fmt: skip
    first, second_ = data.sel(rule="pre first"), data.sel(rule="post first")
    beats = [c.name for c in all_conditions if c.kind == "beat"]

    def orders(name: str) -> str:
        return f"{at(name):.3f} or {float(second_.weight_median.sel(condition=name)):.3f}"

    def at(name: str, variable: str = "weight_median") -> float:
        return float(first[variable].sel(condition=name))

    def spread(name: str) -> str:
        return f"{at(name, 'weight_low'):.3f} to {at(name, 'weight_high'):.3f}"

    f, g = pairs[0]
    poisson_name, name = f"Poisson spikes, {beat_name(f, g)}", beats[0]
    in_phase, apart = (f"no beat: {beat_name(f, f)}, {words}" for words in ("in phase", "half a period"))
    asked, reverse = (f"{PAIR_RATE:g} Hz, post 20 ms {word} pre" for word in ("after", "before"))
    told = "; ".join(f"{beat}: {orders(beat)}" for beat in beats)
    shifted = "; ".join(f"{beat}: {spread(f'{beat}, random phases')}" for beat in beats)
    return [
        f"After {duration:g} the weight, 0.5 at the start, depends on the phases, and on whether the pre- or "
        f"the postsynaptic one of two spikes at the same time counts first. {told}.",
        f"With random phases at the start it is within (5 to 95 %): {shifted}.",
        f"Poisson spikes of the same rates, without a beat, end at {at(poisson_name):.3f} "
        f"({spread(poisson_name)}). Their mean drift is {_drift(rule, f, g)}, whatever the beat is.",
        f"Without a beat the phase decides for good: {orders(in_phase)} in phase, {at(apart):.3f} half a "
        f"period apart.",
        f"What the student had in mind, a gap of 20 ms at {PAIR_RATE:g} Hz, gives {orders(asked)}, and with "
        f"post before pre {orders(reverse)}: each postsynaptic spike meets the presynaptic one of the next "
        f"pair, so the order of coincident spikes decides. A beat of {PAIR_RATE:g} Hz is something else: "
        "in it the gaps run through many values.",
        f"The EPSP of the neuron with units goes from {at(name, 'epsp_before_with_units'):.3f} to "
        f"{at(name, 'epsp_after_with_units'):.3f} mV ({name}, pre first), that of the abstract one from "
        f"{at(name, 'epsp_before_abstract'):.4f} to {at(name, 'epsp_after_abstract'):.4f} of the way to "
        f"threshold: in percent of baseline the change of both is that of the weight.",
        _driven(data, beats),
    ]


def _drift(rule: Rule, pre: float, post: float) -> str:
    """The drift of a weight far from its bounds by Poisson spikes, in words."""
    if not counts_all_pairs(rule):
        return "what the rule makes of rates alone"
    p = rule.parameters
    drift = pre * post * float(p["A_plus"] * p["tau_plus"] - p["A_minus"] * p["tau_minus"])
    return f"{drift:+.2g} per second far from the bounds, by rates alone"


def _driven(data: xr.Dataset, beats: Sequence[str]) -> str:
    """What came out where the synapse drives its target."""
    first = data.sel(rule="pre first")
    parts = []
    for name in beats:
        asked = int(np.isfinite(first.post_spikes.sel(condition=name)).sum())
        count = int(first.driven_count_with_units.sel(beat=name))
        parts.append(
            f"{name}: {float(first.driven_weight_with_units.sel(beat=name)):.3f}, {count} of {asked} spikes"
        )
    said = (
        f"Where the synapse drives its target as well, and pulses of current make it spike as asked "
        f"(pre first): {'; '.join(parts)}."
    )
    if not _order_is_gone(data, beats):
        return said
    return (
        f"{said} EPSPs make it spike a little earlier, so no two spikes coincide any more: the order of "
        f"coincident spikes is of no account."
    )


def _order_is_gone(data: xr.Dataset, beats: Sequence[str]) -> bool:
    """Whether the order of coincident spikes made a difference, and makes none with a driven neuron."""
    told, driven = (
        abs(weights.sel(rule="pre first") - weights.sel(rule="post first")) > 1e-9
        for weights in (data.weight_median.sel(condition=list(beats)), data.driven_weight_with_units)
    )
    return bool(told.any()) and not bool(driven.any())


NOTES = (
    "Every number is that of a rule that counts pairs of spikes, with weights between 0 and 1. Real synapses "
    "depend on rates, voltage and calcium as well; the studies sjostrom-2001, clopath-2010 and "
    "graupner-brunel-2012 have such rules.",
    "Neurons at 200 Hz and more are those of the thread; hardly any cortical neuron fires so fast, or so "
    "regularly. What a binaural beat does to spikes is another question: see the study binaural-beats.",
    "An EPSP that has changed is a change of one synapse. It is no memory, attention or learning, and "
    "whether there is one says nothing about whether listening to beats improves these.",
    "To disprove the hypothesis here, compare conditions that differ in the beat alone: those with the same "
    "rates, and other phases or none (random phases, jittered, Poisson). What they share is not due to the "
    "beat.",
)


def _models(rule: Rule) -> dict[str, str]:
    texts = {"rule": str(rule)}
    for name, form in forms().items():
        texts[f"neuron, {name}"] = f"{form.neuron}\n{form.transmission}"
    return texts


STUDY = Study(
    "beating-pairs",
    "Two neurons at beating rates: does plasticity enlarge the EPSP, and is it the beat that does it?",
    "A student's question; pair STDP after Song, Miller & Abbott 2000",
    run,
)
