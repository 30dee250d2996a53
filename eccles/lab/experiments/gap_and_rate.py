"""Pairs with a fixed gap at a rising rate: what becomes of the weight where each spike meets the next pair.

A presynaptic spike, and a postsynaptic one a gap g later, f times a second. At low rates the window of
spike-timing-dependent plasticity says all. At g = 1/f each postsynaptic spike comes at the very moment of the
presynaptic spike of the next pair (20 ms and 50 Hz), and then it depends on the rule which spikes make pairs,
and on a convention what a gap of 0 is. All conditions are one call:

    from eccles import *
    from eccles.lab.protocols import pairing
    from eccles.lab.rules import pair

    rates, gaps = [10, 20, 40, 50]*Hz, [5, 10, 20]*ms
    protocols = [pairing(g, n=60, rate=f) for f in rates for g in gaps]
    pre, post = [p.pre for p in protocols], [p.post for p in protocols]

    rule = pair("Bi & Poo 2001", scheme="all_to_all", coincidence="pre_first", bounds=None)
    change = rule.response(pre, post)["w"].values.reshape(len(rates), len(gaps)) - 0.5
    print(change.round(3))

and other rules take the place of `pair(...)`: `triplet(...)`, `suppression(...)`, or one of your own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

import numpy as np

from eccles.lab.experiments.study import Outcome, Study
from eccles.lab.protocols import Protocol, pairing
from eccles.lab.rules import Coincidence, Rule, pair, suppression, triplet
from eccles.lab.rules.pair import SCHEMES
from eccles.units import hertz, ms, second

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["STUDY", "rules", "run"]

N_PAIRS = 60
GAP, RATE = 20.0, 50.0  # ms, hertz: where each postsynaptic spike meets the presynaptic one of the next pair
SOURCE = "A student's question; windows and rules of the publications named by each rule"
ORDERS = get_args(Coincidence)
WORDS = {"pre_first": "presynaptic first", "post_first": "postsynaptic first", "discard": "no pair"}


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


def with_phase(phase: float, rate: float = RATE) -> Protocol:
    """Two regular trains; the postsynaptic one is behind by a part of the period, in [0, 1)."""
    return pairing(phase / rate * second, n=N_PAIRS, rate=rate * hertz)


def changes(coincidence: Coincidence, protocols: Sequence[Protocol]) -> np.ndarray:
    """The change of the weight by each rule, (rule, protocol)."""
    pre, post = [p.pre for p in protocols], [p.post for p in protocols]
    start = {"w": np.ones(len(pre))}
    return np.array([
        rule.response(pre, post, initial=start)["w"].values - 1 for rule in rules(coincidence).values()
    ])  # fmt: skip


def run(quick: bool = False) -> Outcome:
    """The change over rate and gap, and at 50 Hz over the phase between both trains, for all rules."""
    import xarray as xr

    rates = np.arange(10.0, 101.0, 10.0) if quick else np.arange(1.0, 101.0)
    gaps = np.arange(5.0, 41.0, 5.0) if quick else np.arange(1.0, 41.0)
    phases = np.arange(0, 1, 0.1) if quick else np.arange(0, 1, 0.02)
    grid = [pairing(gap * ms, n=N_PAIRS, rate=rate * hertz) for rate in rates for gap in gaps]
    trains = [with_phase(phase) for phase in phases]
    names = list(rules("pre_first"))
    found = np.array([changes(order, grid + trains) for order in ORDERS])
    alone = changes("pre_first", [pairing(gap * ms, n=1) for gap in gaps])
    one = {"units": "1", "long_name": "change of the weight"}
    shape = (len(ORDERS), len(names), len(rates), len(gaps))
    data = xr.Dataset(
        {
            "change": (("coincidence", "rule", "rate", "gap"), found[..., : len(grid)].reshape(shape), one),
            "by_phase": (("coincidence", "rule", "phase"), found[..., len(grid) :],
                         {**one, "rate": f"{RATE:g} Hz"}),
            "window": (("rule", "gap"), N_PAIRS * alone,
                       {"units": "1", "long_name": "what as many pairs would do, each alone"}),
        },
        coords={
            "rate": ("rate", rates, {"units": "Hz", "long_name": "pairs per second"}),
            "gap": ("gap", gaps * 1e-3, {"units": "s", "long_name": "post minus pre"}),
            "phase": ("phase", phases, {"units": "1", "long_name": "gap in parts of the period"}),
            "rule": names,
            "coincidence": list(ORDERS),
        },
        attrs={"pairs": N_PAIRS},
    )  # fmt: skip
    meeting = data["change"].sel(rate=RATE, gap=GAP * 1e-3, method="nearest")
    window = data["window"].sel(gap=GAP * 1e-3, method="nearest")
    every = {order: meeting.sel(coincidence=order).values for order in ORDERS}
    return Outcome(
        data,
        {
            "rule": names,
            f"{N_PAIRS} x the window at {GAP:g} ms": window.values.round(3).tolist(),
            **{f"change at {RATE:g} Hz, {WORDS[order]}": every[order].round(3).tolist() for order in ORDERS},
        },
        lambda: figure(data),
        findings=_findings(data, names, every, window.values),
        notes=(
            "The rules have amplitudes from different preparations, so compare signs and shapes, not sizes.",
            "No publication of these rules says what a gap of 0 is worth, but Song, Miller & Abbott 2000, "
            "where it is depression.",
            "The change is that of the weight, without bounds; what a larger weight does to the "
            "postsynaptic neuron is not part of this.",
        ),
        models={name: str(rule) for name, rule in rules("discard").items()},
    )


def _findings(
    data: xr.Dataset, names: list[str], every: dict[str, np.ndarray], window: np.ndarray
) -> tuple[str, ...]:
    first, last, none = (every[order] for order in ORDERS)
    pairs = [i for i, name in enumerate(names) if name.startswith("pair, ") and "suppression" not in name]
    jump = abs(first - last)[pairs]
    largest = names[int(np.argmax(abs(first - last)))]
    everywhere = data["change"].max("coincidence") - data["change"].min("coincidence")
    product = data["rate"] * data["gap"]
    apart = everywhere.where(abs(product - product.round()) > 1e-9).max()
    return (
        f"At {RATE:g} Hz and {GAP:g} ms the window alone promises {_range(window[pairs])} by {N_PAIRS} pairs "
        "(pair rules). But each postsynaptic spike coincides with the presynaptic one of the next pair, so "
        f"there are {N_PAIRS - 1} pairs with a gap of 0 as well, and each presynaptic spike has a "
        f"postsynaptic one {GAP:g} ms before it.",
        f"The change is then {_range(first[pairs])} if the presynaptic spike counts first, "
        f"{_range(last[pairs])} if the postsynaptic one does, and {_range(none[pairs])} if the two "
        f"are no pair. The order alone is worth {jump.min():.2f} to {jump.max():.2f} in pair rules; the "
        f"largest difference of all rules is that of '{largest}'.",
        "A gap of 0 is where a window jumps from its largest potentiation to its largest depression, so "
        "a shift by less than anyone can measure does what the order of coincident spikes does: "
        "postsynaptic first is the limit of a gap a little shorter than 1/f, presynaptic first of one a "
        "little longer.",
        f"Where no spikes coincide (g f is no whole number) the order changes nothing: "
        f"{float(apart):.0e} at most.",
        "In regular trains the three nearest-neighbour schemes hardly differ: between two spikes of one side "
        "there is always just one of the other.",
        "Apart from the first and last pairs only the phase g f (without its whole part) counts, not "
        "the gap: a gap of 25 ms at 50 Hz is one of 5 ms.",
    )


def _range(values: np.ndarray) -> str:
    low, high = f"{values.min():+.2f}", f"{values.max():+.2f}"
    return low if low == high else f"{low} to {high}"


# -- the figure -------------------------------------------------------------------------------------

LINES = {  # colour and width: nearest-neighbour schemes agree for regular trains, so they lie on each other
    "pair, all-to-all": ("#08306b", 1.6), "pair, symmetric nearest-neighbour": ("#9ecae1", 6.0),
    "pair, presynaptic-centred": ("#2171b5", 3.4), "pair, reduced symmetric": ("#fdae61", 1.3),
    "pair, with suppression": ("#807dba", 1.6), "triplet, all-to-all": ("#a50f15", 1.6),
    "triplet, nearest-spike": ("#fb6a4a", 1.6),
}  # fmt: skip
PAIRS = [name for name in LINES if name.startswith("pair")]
TRIPLETS = [name for name in LINES if name.startswith("triplet")]
PRE, POST = "#2166ac", "#e08214"
HIGHEST = 90.0  # hertz, in the figure


def figure(data: xr.Dataset) -> Figure:
    """Spikes at 50 Hz; the change over rate, over rate and gap, and over phase."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(12.0, 7.2), layout="constrained")
    axes = drawn.subplots(2, 3)
    _draw_spikes(axes[0, 0])
    _draw_map(axes[1, 0], data)
    for column, names, kind in ((1, PAIRS, "pair rules"), (2, TRIPLETS, "triplet rules")):
        _draw_rates(axes[0, column], data, names, kind)
        _draw_phases(axes[1, column], data, names, kind)
    for ax, letter in zip(axes.flat, "abcdef", strict=True):
        ax.set_title(f"{letter}  {ax.get_title(loc='left')}", loc="left", fontsize=9.5)
    entries = [ax.get_legend_handles_labels() for ax in axes[0, 1:]]
    handles, labels = (entries[0][i] + entries[1][i] for i in range(2))
    for mark, words in (("^", "pre first"), ("v", "post first"), ("o", "no pair")):
        handles += axes[0, 1].plot([], [], mark, color="0.3", markersize=5)
        labels.append(f"where spikes coincide: {words}")
    drawn.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8.5, frameon=False)
    drawn.suptitle(f"{N_PAIRS} pairs of spikes with a fixed gap, at a rising rate", fontsize=11)
    return drawn


def _draw_spikes(ax: Axes) -> None:
    onsets = np.arange(5) * 1e3 / RATE
    for number, onset in enumerate(onsets):
        ax.vlines(onset, 0.62, 1.32, color=PRE, linewidth=1.8)
        ax.vlines(onset + GAP, -0.32, 0.38, color=POST, linewidth=1.8)
        ax.annotate("", (onset + GAP - 0.4, 0.42), (onset + 0.4, 0.58),
                    arrowprops={"arrowstyle": "->", "color": "0.45", "linewidth": 0.9})  # fmt: skip
        if number:
            ax.axvline(onset, color="0.85", linewidth=6, zorder=0)
    ax.set_yticks([0.97, 0.03], ["pre", "post"])
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel="time (ms)", ylim=(-0.5, 1.5), xlim=(-5, onsets[-1] + GAP + 5))
    ax.set_xticks(np.arange(6) * 1e3 / RATE)
    ax.set_title(f"{GAP:g} ms at {RATE:g} Hz: each post meets the pre of the next pair", loc="left")
    ax.spines[["left", "right", "top"]].set_visible(False)


def _draw_rates(ax: Axes, data: xr.Dataset, names: Sequence[str], kind: str) -> None:
    """The change over rate at a gap of 20 ms; where spikes coincide all conventions, in place of the line."""
    here = data["change"].sel(gap=GAP * 1e-3, method="nearest").sel(rate=slice(None, HIGHEST))
    rates = here["rate"].values
    coincide = abs(rates * GAP * 1e-3 - np.round(rates * GAP * 1e-3)) < 1e-9
    ax.axvline(RATE, color="0.9", linewidth=6, zorder=0)
    ax.axhline(0, color="0.75", linewidth=0.8, zorder=0)
    for name in names:
        color, width = LINES[name]
        values = here.sel(rule=name, coincidence="pre_first").values
        shown = np.where(coincide, np.nan, values)
        ax.plot(rates, shown, color=color, linewidth=width, label=name, solid_capstyle="butt")
        _draw_conventions(ax, rates[coincide], here.sel(rule=name).isel(rate=coincide), color)
    ax.set(xlabel="pairs per second (Hz)", ylabel="change of the weight")
    ax.set_title(f"gap of {GAP:g} ms, {kind}", loc="left")
    ax.spines[["right", "top"]].set_visible(False)


def _draw_map(ax: Axes, data: xr.Dataset) -> None:
    """The change by the all-to-all pair rule over rate and gap, and where spikes coincide."""
    values = data["change"].sel(rule="pair, all-to-all", coincidence="discard").transpose("gap", "rate")
    largest = float(np.quantile(abs(values), 0.995))
    rates, gaps = data["rate"].values, data["gap"].values * 1e3
    image = ax.pcolormesh(rates, gaps, values, cmap="RdBu_r", vmin=-largest, vmax=largest, rasterized=True)
    ax.figure.colorbar(image, ax=ax, label="change of the weight", extend="both")
    dense = np.linspace(rates[0], rates[-1], 400)
    for k in (1, 2, 3):
        ax.plot(dense, 1e3 * k / dense, color="0.1", linewidth=1.0, linestyle="--")
    ax.plot(RATE, GAP, "o", color="0.1", markerfacecolor="none", markersize=8)
    ax.set(xlabel="pairs per second (Hz)", ylabel="gap (ms)", ylim=(gaps[0], gaps[-1]),
           xlim=(rates[0], rates[-1]))  # fmt: skip
    ax.set_title("pair, all-to-all; dashed: spikes coincide (g = k/f)", loc="left")


def _draw_phases(ax: Axes, data: xr.Dataset, names: Sequence[str], kind: str) -> None:
    """The change over the phase between both trains at 50 Hz."""
    phases = data["phase"].values
    ax.axhline(0, color="0.75", linewidth=0.8, zorder=0)
    for name in names:
        color, width = LINES[name]
        here = data["by_phase"].sel(rule=name)
        values = here.sel(coincidence="pre_first").values
        ax.plot(phases[1:], values[1:], color=color, linewidth=width, solid_capstyle="butt")
        _draw_conventions(ax, phases[:1], here.isel(phase=slice(0, 1)), color)
    ax.set(xlabel=f"phase: gap in parts of the period ({1e3 / RATE:g} ms)", ylabel="change of the weight")
    ax.set_title(f"two regular trains at {RATE:g} Hz, {kind}", loc="left")
    ax.spines[["right", "top"]].set_visible(False)


def _draw_conventions(ax: Axes, x: np.ndarray, values: xr.DataArray, color: str) -> None:
    for order, mark in (("pre_first", "^"), ("post_first", "v"), ("discard", "o")):
        ax.plot(x, values.sel(coincidence=order), mark, color=color, markersize=5.5, markeredgecolor="0.2",
                markeredgewidth=0.5, zorder=3)  # fmt: skip


STUDY = Study(
    "gap-and-rate",
    "What do pairs with a fixed gap do at each rate, and where each spike meets one of the next pair?",
    SOURCE,
    run,
)
