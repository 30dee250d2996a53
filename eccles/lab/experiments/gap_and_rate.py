"""Pairs with a fixed gap at a rising rate: weight and EPSP where each spike meets the next pair.

A presynaptic spike, and a postsynaptic one a gap g later, f times a second. At low rates the window of
spike-timing-dependent plasticity says all. At g = 1/f each postsynaptic spike comes at the very moment of the
presynaptic spike of the next pair (20 ms and 50 Hz), and then it depends on the rule which spikes make pairs,
and on a convention what a gap of 0 is. All conditions are one call:

    from eccles import *
    from eccles.lab.experiments import experiment
    from eccles.lab.neurons import exponential_current, lif
    from eccles.lab.protocols import pairing
    from eccles.lab.rules import pair

    rule = pair("Bi & Poo 2001", scheme="all_to_all", coincidence="pre_first", bounds=None)
    result = experiment(rule.with_conventions(initial={"w": 1}), lambda f, g: pairing(g, n=60, rate=f),
                        lif(), transmission=exponential_current(), f=[10, 20, 40, 50]*Hz, g=[5, 10, 20]*ms)
    print(result.table)
    result.figure().savefig("pairs.png")

and other rules take the place of `pair(...)`: `triplet(...)`, `suppression(...)`, or one of your own. A rule
that looks at the voltage of the neuron also needs `drives_target=True`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from eccles.lab.experiments import clopath_2010
from eccles.lab.experiments.gap_and_rate_figure import figure
from eccles.lab.experiments.study import Outcome, Study
from eccles.lab.experiments.testing import AT_ONCE, side_by_side
from eccles.lab.neurons import clopath, exponential_current, lif
from eccles.lab.protocols import Protocol, pairing
from eccles.lab.rules import Coincidence, Rule, calcium, inhibitory, pair, suppression, triplet, voltage
from eccles.lab.rules.calcium_theory import population
from eccles.lab.rules.pair import SCHEMES
from eccles.units import hertz, ms, pA, second

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["STUDY", "changes", "epsps", "other_rules", "rules", "run", "voltage_changes", "with_phase"]

N_PAIRS = 60
GAP, RATE = 20.0, 50.0  # ms, hertz: where each postsynaptic spike meets the presynaptic one of the next pair
SOURCE = "A student's question; windows and rules of the publications named by each rule"
ORDERS = get_args(Coincidence)
WORDS = {"pre_first": "presynaptic first", "post_first": "postsynaptic first", "discard": "no pair"}

CALCIUM, INHIBITORY, VOLTAGE = "calcium-based, without noise", "inhibitory", "voltage-based"
CALCIUM_SET = "cortical slices"

# a spike of weight 1 makes an EPSP of 1 mV: V_peak = I tau_syn/C (tau_syn/tau_m)^(tau_syn/(tau_m - tau_syn))
PSC = exponential_current(I_max_syn=40 * 4 ** (1 / 3) * pA, tau_syn=5 * ms)


def rules(coincidence: Coincidence) -> dict[str, Rule]:
    """All rules of spike pairs, with weights in parts of that at the start, and without bounds."""
    pairs = {
        f"pair, {pairing.words}": pair(
            "Bi & Poo 2001", scheme=scheme, coincidence=coincidence, bounds=None  # type: ignore[arg-type]
        )
        for scheme, pairing in SCHEMES.items()
    }  # fmt: skip
    return {
        **pairs,
        **{f"triplet, {interaction}": triplet(f"visual cortex {interaction} full", coincidence=coincidence)
           for interaction in ("all-to-all", "nearest-spike")},
        "pair, with suppression": suppression(coincidence=coincidence),
    }  # fmt: skip


def other_rules() -> dict[str, Rule]:
    """Rules in which a gap of 0 is nothing special, as nothing jumps there: an order can be chosen freely."""
    return {
        CALCIUM: calcium(CALCIUM_SET, noise=False),
        INHIBITORY: inhibitory(),
        VOLTAGE: voltage(),
    }


def with_phase(phase: float, rate: float = RATE) -> Protocol:
    """Two regular trains; the postsynaptic one is behind by a part of the period, in [0, 1)."""
    return pairing(phase / rate * second, n=N_PAIRS, rate=rate * hertz)


def changes(coincidence: Coincidence, protocols: Sequence[Protocol]) -> np.ndarray:
    """The change of the weight, in parts of that before, by each of `rules`, (rule, protocol)."""
    pre, post = [p.pre for p in protocols], [p.post for p in protocols]
    start = {"w": np.ones(len(pre))}
    return np.array([
        rule.response(pre, post, initial=start)["w"].values - 1 for rule in rules(coincidence).values()
    ])  # fmt: skip


def other_changes(
    protocols: Sequence[Protocol], coincidence: Literal["pre_first", "post_first"] = "pre_first"
) -> np.ndarray:
    """The same by each of `other_rules`; the order of coincident spikes makes no difference to them.

    All protocols end together, as the calcium-based rule goes on after the last spike.
    """
    longest = max(float(p.duration) for p in protocols)
    pre, post = (
        [(longest - float(p.duration)) * second + getattr(p, side) for p in protocols]
        for side in ("pre", "post")
    )
    found = []
    for name, made in other_rules().items():
        rule = made.with_conventions(coincidence=coincidence)
        if name == VOLTAGE:
            found.append(voltage_changes(rule, protocols))
        else:
            found.append(_strength(name, rule.response(pre, post)[rule.weight].values) - 1)
    return np.array(found)


def _strength(name: str, weight: np.ndarray) -> np.ndarray:
    """The strength of a synapse, in parts of that before."""
    if name != CALCIUM:
        return weight
    _, b = population(CALCIUM_SET)  # UP is b times as strong as DOWN; the efficacy begins half-way
    return (1 + (b - 1) * weight) / (1 + (b - 1) / 2)


def voltage_changes(rule: Rule, protocols: Sequence[Protocol]) -> np.ndarray:
    """The change by a rule that looks at the voltage, in parts of the weight before, (protocol,).

    The neuron is that of the rule's authors, made to spike at the times of the protocol. Protocols of similar
    lengths are in one network.
    """
    change = np.empty(len(protocols))
    octave = np.floor(np.log2([float(p.duration) + clopath_2010.START for p in protocols]))
    for value in np.unique(octave):
        which = np.flatnonzero(octave == value)
        pre, post = (
            [clopath_2010.START + np.asarray(getattr(protocols[int(k)], side), float) for k in which]
            for side in ("pre", "post")
        )
        change[which] = clopath_2010.changes(rule, clopath(clopath_2010.AS_SIMULATED), pre, post)
    return change / rule.initial["w"]


def epsps(weights: np.ndarray, *names: str) -> list[np.ndarray]:
    """What `epsp` measures of synapses with these weights onto a neuron at rest.

    Parameters
    ----------
    weights : (...)
        Equal weights make equal EPSPs, so each is measured once.
    *names : str
        'amplitude', 'half_width', 'trace' ...

    Returns
    -------
    list of (...) or, for traces, (..., time)
        In thousandths of SI units, as mV and ms; NaN where the weight is.
    """
    known = np.isfinite(weights)
    different, place = np.unique(weights[known], return_inverse=True)
    parts = [
        side_by_side(different[k : k + AT_ONCE], pair(), lif(), PSC, 0 * ms, 0.1 * ms)
        for k in range(0, len(different), AT_ONCE)
    ]
    found = []
    for name in names:
        values = np.concatenate([part[name].transpose("synapse", ...).values for part in parts])
        of_all = np.full((*weights.shape, *values.shape[1:]), np.nan)
        of_all[known] = 1e3 * values[place]
        found.append(of_all)
    return found


def run(quick: bool = False) -> Outcome:
    """Change and EPSP over rate and gap, and at 50 Hz over the phase between both trains, for all rules."""
    rates = np.arange(10.0, 101.0, 10.0) if quick else np.arange(1.0, 101.0)
    gaps = np.arange(5.0, 41.0, 5.0) if quick else np.arange(1.0, 41.0)
    phases = np.arange(0, 1, 0.1) if quick else np.arange(0, 1, 0.02)
    data = _measured(rates, gaps, phases)
    names = data["rule"].values.tolist()
    meeting = data["change"].sel(rate=RATE, gap=GAP * 1e-3, method="nearest")
    after = data["epsp"].sel(tested_rate=RATE, tested_gap=GAP * 1e-3, method="nearest")
    window = data["window"].sel(gap=GAP * 1e-3, method="nearest")
    table: dict[str, Any] = {"rule": names, f"{N_PAIRS} x the window at {GAP:g} ms": _rounded(window)}
    for title, of in ((f"change at {RATE:g} Hz", meeting), ("EPSP after (mV)", after)):
        table |= {f"{title}, {WORDS[order]}": _rounded(of.sel(coincidence=order)) for order in ORDERS}
    return Outcome(
        data,
        table,
        lambda: figure(data, GAP, RATE),
        findings=_findings(data, meeting, window.values),
        notes=(
            "The rules have amplitudes from different preparations, so compare signs and shapes, not sizes.",
            "No publication of these rules says what a gap of 0 is worth, but Song, Miller & Abbott 2000, "
            "where it is depression.",
            "The change is that of the weight, in parts of that before, without bounds. EPSPs are those that "
            "a synapse makes in a neuron at rest (leaky integrate-and-fire, exponential current of 5 ms), "
            "1 mV before. What a larger EPSP does to the spikes of the neuron is not part of this.",
            f"{CALCIUM}: the efficacy begins half-way between both states, of which UP is "
            f"{population(CALCIUM_SET)[1]:.1f} times as strong as DOWN ({CALCIUM_SET}). With noise it is a "
            "matter of chance in which of them a synapse ends: see the study graupner-brunel-2012.",
            f"{VOLTAGE}: the neuron is that of Clopath et al. 2010, made to spike at these times. Its spikes "
            "take 2 ms, so they have no single time that could coincide with another.",
            f"{INHIBITORY}: what is called EPSP here is the size of an IPSP. The rule has a symmetric "
            "window, and each presynaptic spike takes a little, so that the target keeps its rate.",
            "Not asked this question: short-term plasticity, which knows the presynaptic spikes only and is "
            "forgotten within seconds; homeostatic scaling, which knows the postsynaptic rate only; and "
            "dopamine-modulated STDP, where no weight changes without a reward: its eligibility is what the "
            "all-to-all pair rule does with its time constants.",
        ),
        models={
            **{name: str(rule) for name, rule in (rules("discard") | other_rules()).items()},
            "neuron of the EPSP": str(lif()),
            "synapse of the EPSP": str(PSC),
        },
    )


def _measured(rates: np.ndarray, gaps: np.ndarray, phases: np.ndarray) -> xr.Dataset:
    """All weights and EPSPs; of the latter not at more than every tenth rate and fifth gap."""
    import xarray as xr

    grid = [pairing(gap * ms, n=N_PAIRS, rate=rate * hertz) for rate in rates for gap in gaps]
    trains = [with_phase(phase) for phase in phases]
    alone = [pairing(gap * ms, n=1) for gap in gaps]
    names = [*rules("pre_first"), *other_rules()]
    others = other_changes(grid + trains)
    found = np.array([
        [*changes(order, grid + trains), *(np.nan * others if order == "discard" else others)]
        for order in ORDERS
    ])  # fmt: skip
    change = found[..., : len(grid)].reshape(len(ORDERS), len(names), len(rates), len(gaps))
    by_phase = found[..., len(grid) :]
    window = N_PAIRS * np.concatenate([changes("pre_first", alone), other_changes(alone)])
    tested = np.flatnonzero(rates % 10 == 0), np.flatnonzero(gaps % 5 == 0)
    weights = 1 + change[..., tested[0], :][..., tested[1]]
    (amplitude,) = epsps(weights, "amplitude")
    (of_phase,) = epsps(1 + by_phase, "amplitude")
    met = 1 + change[..., np.flatnonzero(rates == RATE)[0], np.flatnonzero(gaps == GAP)[0]]
    both = np.stack([np.ones_like(met), met], axis=-1)
    half_width, trace = epsps(both, "half_width", "trace")
    by = ("coincidence", "rule")
    one = {"units": "1", "long_name": "change of the weight"}
    mV = {"units": "mV", "long_name": "EPSP after"}
    return xr.Dataset(
        {
            "change": ((*by, "rate", "gap"), change, one),
            "epsp": ((*by, "tested_rate", "tested_gap"), amplitude, mV),
            "by_phase": ((*by, "phase"), by_phase, {**one, "rate": f"{RATE:g} Hz"}),
            "epsp_by_phase": ((*by, "phase"), of_phase, {**mV, "rate": f"{RATE:g} Hz"}),
            "trace": ((*by, "when", "time"), trace,
                      {"units": "mV", "long_name": f"EPSP at {RATE:g} Hz and {GAP:g} ms"}),
            "half_width": ((*by, "when"), half_width, {"units": "ms"}),
            "window": (("rule", "gap"), window,
                       {"units": "1", "long_name": "what as many pairs would do, each alone"}),
        },
        coords={
            "rate": ("rate", rates, {"units": "Hz", "long_name": "pairs per second"}),
            "gap": ("gap", gaps * 1e-3, {"units": "s", "long_name": "post minus pre"}),
            "tested_rate": ("tested_rate", rates[tested[0]], {"units": "Hz"}),
            "tested_gap": ("tested_gap", gaps[tested[1]] * 1e-3, {"units": "s"}),
            "phase": ("phase", phases, {"units": "1", "long_name": "gap in parts of the period"}),
            "when": ["before", "after"],
            "time": ("time", 0.05 * np.arange(trace.shape[-1]), {"units": "ms"}),
            "rule": names,
            "coincidence": list(ORDERS),
        },
        attrs={"pairs": N_PAIRS},
    )  # fmt: skip


def _findings(data: xr.Dataset, meeting: xr.DataArray, window: np.ndarray) -> tuple[str, ...]:
    names = data["rule"].values.tolist()
    first, last, none = (meeting.sel(coincidence=order).values for order in ORDERS)
    pairs = [i for i, name in enumerate(names) if name.startswith("pair, ") and "suppression" not in name]
    jump = abs(first - last)
    largest = names[int(np.argmax(jump))]
    everywhere = data["change"].max("coincidence") - data["change"].min("coincidence")
    product = data["rate"] * data["gap"]
    apart = everywhere.where(abs(product - product.round()) > 1e-9).max()
    before, after = (data["trace"].sel(when=when, rule=names[0]).max("time") for when in ("before", "after"))
    epsp = {order: float(after.sel(coincidence=order)) for order in ORDERS}
    weight = 1 + data["change"].sel(rate=data["tested_rate"], gap=data["tested_gap"], method="nearest")
    off = float(abs(data["epsp"] - weight).max())
    width = data["half_width"]
    return (
        f"At {RATE:g} Hz and {GAP:g} ms the window alone promises {_range(window[pairs])} by {N_PAIRS} pairs "
        "(pair rules). But each postsynaptic spike coincides with the presynaptic one of the next pair, so "
        f"there are {N_PAIRS - 1} pairs with a gap of 0 as well, and each presynaptic spike has a "
        f"postsynaptic one {GAP:g} ms before it.",
        f"The change is then {_range(first[pairs])} if the presynaptic spike counts first, "
        f"{_range(last[pairs])} if the postsynaptic one does, and {_range(none[pairs])} if the two "
        f"are no pair. The order alone is worth {jump[pairs].min():.2f} to {jump[pairs].max():.2f} in pair "
        f"rules; the largest difference of all rules is that of '{largest}'.",
        f"By the all-to-all pair rule an EPSP of {float(before[0]):.2f} mV is {epsp['pre_first']:.2f}, "
        f"{epsp['post_first']:.2f} or {epsp['discard']:.2f} mV afterwards, in the same order. EPSPs are "
        f"in proportion to the weight, to {off:.0e} mV, as the synapse is a current into a linear membrane, "
        f"and keep their shape: the half-width is {float(width.mean()):.1f} ms, and changes by "
        f"{float(width.max() - width.min()):.0e} ms.",
        "A gap of 0 is where a window jumps from its largest potentiation to its largest depression, so "
        "a shift by less than anyone can measure does what the order of coincident spikes does: "
        "postsynaptic first is the limit of a gap a little shorter than 1/f, presynaptic first of one a "
        "little longer.",
        f"Where no spikes coincide (g f is no whole number) the order changes the weight by "
        f"{float(apart):.2g} at most.",
        _others_say(data),
        "In regular trains the three nearest-neighbour schemes hardly differ: between two spikes of one side "
        "there is always just one of the other.",
        "Apart from the first and last pairs only the phase g f (without its whole part) counts, not "
        "the gap: a gap of 25 ms at 50 Hz is one of 5 ms.",
    )


def _others_say(data: xr.Dataset) -> str:
    here = data["change"].sel(coincidence="pre_first").sel(gap=GAP * 1e-3, method="nearest")
    said = []
    for name in other_rules():
        values = here.sel(rule=name, rate=[10.0, 40.0, RATE, 60.0]).values
        said.append(f"{name} {values[0]:+.2f}, {values[1]:+.2f}, {values[2]:+.2f} and {values[3]:+.2f}")
    return (
        "Rules without a jump at a gap of 0 give one answer, whatever the order. "
        f"At 10, 40, {RATE:g} and 60 Hz, {GAP:g} ms: " + "; ".join(said) + "."
    )


def _rounded(values: xr.DataArray) -> list[float]:
    return values.values.round(3).tolist()


def _range(values: np.ndarray) -> str:
    low, high = f"{values.min():+.2f}", f"{values.max():+.2f}"
    return low if low == high else f"{low} to {high}"


STUDY = Study(
    "gap-and-rate",
    "What do pairs with a fixed gap do at each rate, and where each spike meets one of the next pair?",
    SOURCE,
    run,
)
