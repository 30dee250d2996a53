"""The figure of the study gap-and-rate: weight and EPSP over rate, gap and phase, for all rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["figure"]

LINES = {  # colour and width: nearest-neighbour schemes agree for regular trains, so they lie on each other
    "pair, all-to-all": ("#08306b", 1.6), "pair, symmetric nearest-neighbour": ("#9ecae1", 6.0),
    "pair, presynaptic-centred": ("#2171b5", 3.4), "pair, reduced symmetric": ("#fdae61", 1.3),
    "pair, with suppression": ("#807dba", 1.6), "triplet, all-to-all": ("#a50f15", 1.6),
    "triplet, nearest-spike": ("#fb6a4a", 1.6), "calcium-based, without noise": ("#1b7837", 1.6),
    "inhibitory": ("#8c510a", 1.6), "voltage-based": ("#c51b7d", 1.6),
}  # fmt: skip
KINDS = {
    "pair rules": [name for name in LINES if name.startswith("pair")],
    "triplet rules": [name for name in LINES if name.startswith("triplet")],
    "other rules": ["calcium-based, without noise", "inhibitory", "voltage-based"],
}
MARKS = {"pre_first": ("^", "pre first"), "post_first": ("v", "post first"), "discard": ("o", "no pair")}
DASHES = {"pre_first": "-", "post_first": (0, (4, 1.5)), "discard": (0, (1, 1.2))}
PRE, POST = "#2166ac", "#e08214"
HIGHEST = 90.0  # hertz, in the figure


def figure(data: xr.Dataset, gap: float, rate: float) -> Figure:
    """Draw the data of the study; `gap` (ms) and `rate` (Hz) where each spike meets the next pair."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(14.5, 10.0), layout="constrained")
    # two parts, so that the names below need no room above
    above, below = drawn.subfigures(2, 1, squeeze=False, height_ratios=[2, 1.05])[:, 0]
    axes = {
        **above.subplot_mosaic("abcd;efgh"),
        **below.subplot_mosaic("ij", width_ratios=[1, 1]),
    }
    _draw_spikes(axes["a"], gap, rate)
    _draw_map(axes["e"], data, gap, rate)
    for up, down, kind in zip("bcd", "fgh", KINDS, strict=True):
        _draw_rates(axes[up], data, kind, gap, rate)
        _draw_phases(axes[down], data, kind, rate)
    for letter in "bf":
        axes[letter].set_ylabel("weight after (before: 1),\nEPSP after (mV; before: 1)")
    _draw_traces(axes["i"], data, gap, rate)
    _draw_sizes(axes["j"], data, gap, rate)
    for letter, ax in axes.items():
        ax.set_title(f"{letter}  {ax.get_title(loc='left')}", loc="left", fontsize=9.5)
    signs = {".": "EPSP, measured"} | {
        mark: f"where spikes coincide: {words}" for mark, words in MARKS.values()
    }  # fmt: skip
    for sign, words in signs.items():
        axes["d"].plot([], [], sign, color="0.3", markersize=7 if sign == "." else 5, label=words)
    entries = [axes[letter].get_legend_handles_labels() for letter in "bcd"]
    handles = [handle for entry in entries for handle in entry[0]]
    labels = [label for entry in entries for label in entry[1]]
    below.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8.5, frameon=False)
    drawn.suptitle(f"{data.attrs['pairs']} pairs of spikes with a fixed gap, at a rising rate", fontsize=11.5)
    return drawn


def _draw_spikes(ax: Axes, gap: float, rate: float) -> None:
    onsets = np.arange(5) * 1e3 / rate
    for number, onset in enumerate(onsets):
        ax.vlines(onset, 0.62, 1.32, color=PRE, linewidth=1.8)
        ax.vlines(onset + gap, -0.32, 0.38, color=POST, linewidth=1.8)
        ax.annotate("", (onset + gap - 0.4, 0.42), (onset + 0.4, 0.58),
                    arrowprops={"arrowstyle": "->", "color": "0.45", "linewidth": 0.9})  # fmt: skip
        if number:
            ax.axvline(onset, color="0.85", linewidth=6, zorder=0)
    ax.set_yticks([0.97, 0.03], ["pre", "post"])
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel="time (ms)", ylim=(-0.5, 1.5), xlim=(-5, onsets[-1] + gap + 5))
    ax.set_xticks(np.arange(6) * 1e3 / rate)
    ax.set_title(f"{gap:g} ms at {rate:g} Hz: post meets the next pre", loc="left")
    ax.spines[["left", "right", "top"]].set_visible(False)


def _draw_rates(ax: Axes, data: xr.Dataset, kind: str, gap: float, rate: float) -> None:
    """Weight and EPSP over rate; where spikes coincide all conventions, in place of the line."""
    here = 1 + data["change"].sel(gap=gap * 1e-3, method="nearest").sel(rate=slice(None, HIGHEST))
    sizes = data["epsp"].sel(tested_gap=gap * 1e-3, method="nearest").sel(tested_rate=slice(None, HIGHEST))
    meets, meets_tested = (_is_whole(x * gap * 1e-3) for x in (here["rate"], sizes["tested_rate"]))
    ax.axvline(rate, color="0.9", linewidth=6, zorder=0)
    ax.axhline(1, color="0.75", linewidth=0.8, zorder=0)
    for name in KINDS[kind]:
        color, width = LINES[name]
        values, measured = (of.sel(rule=name, coincidence="pre_first") for of in (here, sizes))
        jumps = kind != "other rules"
        shown = values.where(~meets) if jumps else values
        ax.plot(here["rate"], shown, color=color, linewidth=width, label=name, solid_capstyle="butt")
        shown = measured.where(~meets_tested) if jumps else measured
        ax.plot(sizes["tested_rate"], shown, ".", color=color, markersize=6)
        if jumps:
            _draw_conventions(ax, sizes["tested_rate"][meets_tested],
                              sizes.sel(rule=name).isel(tested_rate=meets_tested), color)  # fmt: skip
    ax.set(xlabel="pairs per second (Hz)")
    ax.set_title(f"gap of {gap:g} ms, {kind}", loc="left")
    ax.spines[["right", "top"]].set_visible(False)


def _is_whole(product: xr.DataArray) -> np.ndarray:
    return (abs(product - product.round()) < 1e-9).values


def _draw_map(ax: Axes, data: xr.Dataset, gap: float, rate: float) -> None:
    """The change by the all-to-all pair rule over rate and gap, and where spikes coincide."""
    values = data["change"].sel(rule="pair, all-to-all", coincidence="discard").transpose("gap", "rate")
    largest = float(np.quantile(abs(values), 0.995))
    rates, gaps = data["rate"].values, data["gap"].values * 1e3
    image = ax.pcolormesh(rates, gaps, values, cmap="RdBu_r", vmin=-largest, vmax=largest, rasterized=True)
    ax.figure.colorbar(image, ax=ax, label="change of weight, or of the EPSP (mV)", extend="both")
    dense = np.linspace(rates[0], rates[-1], 400)
    for k in (1, 2, 3):
        ax.plot(dense, 1e3 * k / dense, color="0.1", linewidth=1.0, linestyle="--")
    ax.plot(rate, gap, "o", color="0.1", markerfacecolor="none", markersize=8)
    ax.set(xlabel="pairs per second (Hz)", ylabel="gap (ms)", ylim=(gaps[0], gaps[-1]),
           xlim=(rates[0], rates[-1]))  # fmt: skip
    ax.set_title("pair, all-to-all; dashed: g = k/f", loc="left")


def _draw_phases(ax: Axes, data: xr.Dataset, kind: str, rate: float) -> None:
    """Weight and EPSP over the phase between both trains."""
    phases = data["phase"].values
    ax.axhline(1, color="0.75", linewidth=0.8, zorder=0)
    for name in KINDS[kind]:
        color, width = LINES[name]
        weight = 1 + data["by_phase"].sel(rule=name, coincidence="pre_first").values
        sizes = data["epsp_by_phase"].sel(rule=name)
        begin = 0 if kind == "other rules" else 1
        ax.plot(phases[begin:], weight[begin:], color=color, linewidth=width, solid_capstyle="butt")
        each = slice(begin, None, max(1, len(phases) // 10))
        ax.plot(phases[each], sizes.sel(coincidence="pre_first")[each], ".", color=color, markersize=6)
        if begin:
            _draw_conventions(ax, phases[:1], sizes.isel(phase=slice(0, 1)), color)
    ax.set(xlabel=f"phase: gap in parts of {1e3 / rate:g} ms")
    ax.set_title(f"regular trains, {rate:g} Hz, {kind}", loc="left")
    ax.spines[["right", "top"]].set_visible(False)


def _draw_conventions(ax: Axes, x: np.ndarray | xr.DataArray, values: xr.DataArray, color: str) -> None:
    for order, (mark, _) in MARKS.items():
        ax.plot(x, values.sel(coincidence=order), mark, color=color, markersize=5.5, markeredgecolor="0.2",
                markeredgewidth=0.5, zorder=3)  # fmt: skip


def _draw_traces(ax: Axes, data: xr.Dataset, gap: float, rate: float) -> None:
    """EPSPs before and after, by a pair and a triplet rule, in all conventions."""
    traces = data["trace"]
    before = traces.sel(rule="pair, all-to-all", coincidence="pre_first", when="before")
    ax.plot(before["time"], before, color="0.55", linewidth=3.5, label="before")
    for name in ("pair, all-to-all", "triplet, nearest-spike"):
        for order, (_, words) in MARKS.items():
            after = traces.sel(rule=name, coincidence=order, when="after")
            ax.plot(after["time"], after, color=LINES[name][0], linewidth=1.5, linestyle=DASHES[order],
                    label=f"after: {name}, {words}")  # fmt: skip
    ax.set(xlabel="time after the presynaptic spike (ms)", ylabel="EPSP (mV)", xlim=(0, 80))
    ax.legend(fontsize=8.5, frameon=False, loc="upper right")
    ax.set_title(f"EPSP before and after pairs of {gap:g} ms at {rate:g} Hz", loc="left")
    ax.spines[["right", "top"]].set_visible(False)


def _draw_sizes(ax: Axes, data: xr.Dataset, gap: float, rate: float) -> None:
    """The EPSP after the pairs by each rule, in all conventions."""
    after = data["epsp"].sel(tested_rate=rate, tested_gap=gap * 1e-3, method="nearest")
    names: Sequence[str] = data["rule"].values.tolist()
    ax.axvline(1, color="0.75", linewidth=0.8, zorder=0)
    for row, name in enumerate(names):
        here = after.sel(rule=name)
        ax.plot([float(here.min()), float(here.max())], [row, row], color="0.8", linewidth=1.2, zorder=1)
        for order, (mark, _) in MARKS.items():
            if name in KINDS["other rules"]:
                mark = "D"
            ax.plot(here.sel(coincidence=order), row, mark, color=LINES[name][0], markersize=6.5,
                    markeredgecolor="0.2", markeredgewidth=0.5, zorder=3)  # fmt: skip
    ax.set_yticks(range(len(names)), names, fontsize=8.5)
    ax.set(xlabel="EPSP after (mV; before: 1)", ylim=(len(names) - 0.4, -0.6))
    ax.set_title(f"EPSP after pairs of {gap:g} ms at {rate:g} Hz (diamond: whatever the order)", loc="left")
    ax.spines[["right", "top"]].set_visible(False)
