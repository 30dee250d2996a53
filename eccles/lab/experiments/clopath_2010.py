"""Pairs at low rates depress, at high rates potentiate, in either order: Clopath et al. 2010, figure 2b.

Bursts of five pairs come every 10 s, 15 times; at 0.1 Hz, 50 pairs come one by one. In the 10 s between them
the neuron returns to rest, and the rule does not depend on the weight: so one burst (or pair) is simulated
and its change multiplied, which a test compares with two bursts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.engine.clock import Clock
from eccles.lab import data
from eccles.lab.experiments.fit import fit_error
from eccles.lab.experiments.study import Outcome, Study
from eccles.lab.neurons import clopath
from eccles.lab.neurons.neuron import Neuron
from eccles.lab.rules.rule import Rule
from eccles.lab.rules.voltage import voltage
from eccles.lab.sources import generator
from eccles.objects import Network, Synapses, magic
from eccles.units import Quantity, ms, second

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

__all__ = ["STUDY", "bursts", "changes", "run"]

AS_SIMULATED = "Clopath 2010, as simulated"
RATES = (0.1, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0)
GAPS = (-10.0, 10.0)
START = 0.02  # s before the first spike
AFTER = 0.06  # s after the last one: potentiation ends with the last clamp


def changes(
    rule: Rule, neuron: Neuron, pre: Sequence[Any], post: Sequence[Any], *, dt: Quantity = 0.1 * ms
) -> np.ndarray:
    """The change of the weight by spikes at given times (s), a pair of neurons for each condition.

    Postsynaptic spikes are forced, at their exact times.

    Returns
    -------
    (condition,)
    """
    with magic.private_scope():
        clock = Clock(dt)
        source, stimulus = generator(pre, clock), generator(post, clock)
        cells = neuron.group(len(pre), equations=rule.post_equations, namespace=rule.parameters, clock=clock)
        forced = Synapses(
            stimulus, cells, on_pre="v_post = V_peak + 10*mV", namespace={**neuron.parameters}, clock=clock
        )
        forced.connect(j="i")
        synapses = rule.synapses(source, cells, {"j": "i"}, namespace={})
        before = np.asarray(synapses.w[:])
        last = max(float(np.max(np.asarray(t))) for t in (*pre, *post))
        Network(source, stimulus, cells, forced, synapses).run((last + AFTER) * second)
    return np.asarray(synapses.w[:]) - before


def bursts(rate: float, gap: float, n: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """A burst of pairs: pre and post spikes (s), `gap` (ms) apart."""
    onsets = START + np.arange(n) / rate
    return onsets + max(-gap, 0.0) * 1e-3, onsets + max(gap, 0.0) * 1e-3


def _percent(rule: Rule, neuron: Neuron, rates: Sequence[float], dt: Quantity = 0.1 * ms) -> np.ndarray:
    """The weight after the protocol, in percent of that before, (gap, rate)."""
    conditions = [(gap, rate) for gap in GAPS for rate in rates]
    slow = [rate < 1 for _, rate in conditions]
    trains = [
        bursts(rate, gap, 1 if alone else 5) for (gap, rate), alone in zip(conditions, slow, strict=True)
    ]
    change = changes(rule, neuron, [t[0] for t in trains], [t[1] for t in trains], dt=dt)
    return (100 + 100 * change * np.where(slow, 50, 15) / 0.5).reshape(len(GAPS), len(rates))


def _as_nest(rule: Rule, neuron: Neuron) -> xr.Dataset:
    """The same conditions as NEST's test: its weights end with the last presynaptic spike; and all spikes."""
    import xarray as xr

    stored = data.table("clopath_nest")
    trains = [
        bursts(rate, gap, 5 if gap < 0 else 6)
        for gap, rate in zip(stored["gap_ms"], stored["rate_hz"], strict=True)
    ]
    counted = [(pre, post[post < pre[-1]]) for pre, post in trains]
    change = changes(rule, neuron, *zip(*counted, *trains, strict=True))
    as_nest, in_full = np.split(100 + 15 * 100 * change / 0.5, 2)
    return xr.Dataset(
        {
            "eccles_as_nest": ("nest_condition", as_nest, {"units": "percent"}),
            "eccles_in_full": ("nest_condition", in_full, {"units": "percent"}),
            "nest": ("nest_condition", stored["weight_percent"], {"units": "percent"}),
            "nest_gap": ("nest_condition", stored["gap_ms"], {"units": "ms"}),
            "nest_rate": ("nest_condition", stored["rate_hz"], {"units": "Hz"}),
        }
    )


def run(quick: bool = False) -> Outcome:
    """Pairs at all rates in both orders; without `quick` also with other readings of the voltage."""
    import xarray as xr

    rates = (0.1, 10.0, 20.0, 30.0, 40.0, 50.0) if quick else RATES
    rule, neuron = voltage(), clopath(AS_SIMULATED)
    variants = {
        "as simulated by the authors": _percent(rule, neuron, rates),
        "adaptation as printed (b = 80.5 pA)": _percent(rule, clopath(), rates),
    }
    if not quick:
        variants |= {
            "low-passes read 3 ms late": _percent(voltage(delay_ubar=3 * ms), neuron, rates),
            "low-passes read 5 ms late": _percent(voltage(delay_ubar=5 * ms), neuron, rates),
            "low-passes read at once": _percent(voltage(stages=0), neuron, rates),
            "time step 0.025 ms": _percent(rule, neuron, rates, dt=0.025 * ms),
        }
    measured = data.table("sjostrom2001")
    found = xr.Dataset(
        {
            "weight": (
                ("variant", "gap", "rate"), np.stack(list(variants.values())),
                {"units": "percent", "long_name": "weight after / before"},
            ),
            "measured": ("point", 100 * (1 + measured["change"]), {"units": "percent"}),
            "measured_sem": ("point", 100 * measured["sem"], {"units": "percent"}),
            "measured_gap": ("point", measured["delta_t_ms"], {"units": "ms"}),
            "measured_rate": ("point", measured["rate_Hz"], {"units": "Hz"}),
        },
        {
            "variant": list(variants), "gap": ("gap", list(GAPS), {"units": "ms"}),
            "rate": ("rate", list(rates), {"units": "Hz"}),
        },
    )  # fmt: skip
    model = found["weight"].sel(gap=found["measured_gap"], rate=found["measured_rate"])
    error = fit_error(model.values, found["measured"].values, found["measured_sem"].values)
    found["E"] = ("variant", error, {"units": "1", "long_name": "fit error"})
    found = found.merge(_as_nest(rule, neuron))
    off = found["eccles_as_nest"] - found["nest"]
    late = found["nest_gap"].values > 0  # where the last postsynaptic spike comes after that
    in_full = zip(found["eccles_in_full"].values[late], found["nest_rate"].values[late], strict=True)
    uncut = ", ".join(f"{percent:.0f} % at {rate:g} Hz" for percent, rate in in_full)
    usual = found["weight"][0]
    table: dict[str, Sequence[Any]] = {"rate (Hz)": list(rates)}
    for gap in GAPS:
        for name in variants:
            table[f"{gap:+g} ms, {name} (%)"] = (
                found["weight"].sel(variant=name, gap=gap).values.round(1).tolist()
            )
    findings = [
        f"At 10 Hz pairs leave {float(usual.sel(gap=-10, rate=10)):.1f} % of the weight if post comes first, "
        f"and {float(usual.sel(gap=10, rate=10)):.1f} % if pre comes first; at 50 Hz "
        f"{float(usual.sel(gap=-10, rate=50)):.1f} % and {float(usual.sel(gap=10, rate=50)):.1f} %.",
        "NEST's numbers, under its conventions: "
        + "; ".join(
            f"{gap:+g} ms, {rate:g} Hz: {own:.1f} % here, {nest:.1f} % there"
            for gap, rate, own, nest in zip(
                *(found[k].values for k in ("nest_gap", "nest_rate", "eccles_as_nest", "nest")), strict=True
            )
        )
        + f". The largest difference is {float(abs(off).max()):.1f} points.",
    ]
    findings.append(
        f"From the {len(measured['change'])} measured changes the rule is off by E = {error[0]:.1f} "
        f"(mean squared deviation, in standard errors); with adaptation as printed by {error[1]:.1f}."
    )
    findings += [
        f"{name}: at most {float(abs(found['weight'].sel(variant=name) - usual).max()):.1f} points away, "
        f"E = {float(found['E'].sel(variant=name)):.1f}."
        for name in list(variants)[1:]
    ]
    notes = [
        "The authors' code has the spike-triggered adaptation b a thousand times smaller than printed "
        "(0.0805 in an equation in pA). Its curves, and NEST's, are those without noticeable adaptation.",
        "The delay with which low-passes of the voltage are read and the clamp of 2 ms are not in the paper.",
        "NEST's six pairs at +10 ms are taken to end with the last presynaptic spike, where its synapses are "
        f"updated; counted in full they would give {uncut}.",
        "The delay is a cascade of 12 low-passes here, a pure delay there.",
    ]
    models = {"rule": str(rule), "neuron": str(neuron)}
    return Outcome(found, table, lambda: _draw(found), findings, notes, models)


def _draw(found: xr.Dataset) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, gap, title in zip(axes, GAPS, ("post 10 ms before pre", "pre 10 ms before post"), strict=True):
        ax.axhline(100, color="0.85", linewidth=0.8, zorder=0)
        for k, (name, style) in enumerate(
            zip(
                found["variant"].values[:2],
                ({"color": "C0"}, {"color": "C0", "linestyle": "--"}),
                strict=True,
            )
        ):
            curve = found["weight"].sel(variant=name, gap=gap)
            ax.plot(curve["rate"], curve, linewidth=1.6, label=f"rule, {name}", zorder=2 - k, **style)
        here = found["measured_gap"] == gap
        ax.errorbar(
            found["measured_rate"][here], found["measured"][here], found["measured_sem"][here], fmt="o",
            color="0.3", markersize=4.5, linewidth=1, label="Sjöström et al. 2001 (± s.e.m.)", zorder=3,
        )  # fmt: skip
        there = found["nest_gap"] == gap
        ax.plot(
            found["nest_rate"][there], found["nest"][there], "s", color="C1", markerfacecolor="none",
            markersize=6, label="NEST (last pair counts in part)", zorder=4,
        )  # fmt: skip
        ax.set_title(title, loc="left", fontweight="bold")
        ax.set(xlabel="rate of pairs (Hz)", xlim=(-1.5, 52))
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("weight after / before (%)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False)
    return figure


STUDY = Study(
    "clopath-2010",
    "Does the voltage decide why high rates potentiate in either order?",
    "Clopath, Büsing, Vasilaki & Gerstner 2010, Nat Neurosci 13:344, figure 2b; "
    "data of Sjöström, Turrigiano & Nelson 2001, Neuron 32:1149",
    run,
)
