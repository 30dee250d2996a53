"""The figure of the study of beating pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["figure_of"]

SHOWN = 0.4  # seconds of the weights: with more, beats run together


def figure_of(data: xr.Dataset) -> Figure:
    """Spikes, weights and EPSPs of the beats; the weights of all conditions; and of driven neurons."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7.5), layout="constrained")
    axes = figure.subplot_mosaic("aabbcc;ddddee", height_ratios=(1, 1.15))
    beats = data.beat.values.tolist()
    _draw_spikes(axes["a"], data, beats)
    _draw_weights(axes["b"], data, beats)
    _draw_traces(axes["c"], data, beats[0])
    _draw_conditions(axes["d"], data)
    _draw_driven(axes["e"], data, beats)
    return figure


def _title(axes: Axes, letter: str, words: str) -> None:
    axes.set_title(f"{letter}  {words}", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_spikes(axes: Axes, data: xr.Dataset, beats: Sequence[str]) -> None:
    start = float(data.pre_spikes.min())
    for row, name in enumerate(beats):
        for side, color, up in (("pre", "C0", 0.22), ("post", "C1", -0.22)):
            t = data[f"{side}_spikes"].sel(condition=name).values - start
            axes.vlines(t[t < 0.1] * 1e3, -row + up - 0.18, -row + up + 0.18, color=color, linewidth=1)
    axes.set_yticks(-np.arange(len(beats)), beats)
    axes.set(xlabel="time (ms)", xlim=(-2, 102))
    _title(axes, "a", "pre (blue) and post (orange)")


def _draw_weights(axes: Axes, data: xr.Dataset, beats: Sequence[str]) -> None:
    for k, name in enumerate(beats):
        for rule, style, width in (("pre first", "-", 1.0), ("post first", ":", 1.2)):
            course = data.course.sel(beat=name, rule=rule, time=slice(0, SHOWN))
            axes.plot(course.time, course, style, color=f"C{k + 2}",
                      linewidth=width, label=name if style == "-" else None)  # fmt: skip
    axes.plot([], [], "k-", label="pre first")
    axes.plot([], [], "k:", label="post first")
    axes.set(xlabel="time (s)", ylabel="weight", ylim=(-0.03, 1.03))
    axes.legend(fontsize=8, frameon=False, ncols=2)
    _title(axes, "b", "weight, as the neurons begin to fire")


def _draw_traces(axes: Axes, data: xr.Dataset, name: str) -> None:
    lag = data.lag.values * 1e3
    at = data.trace_with_units.sel(condition=name)
    axes.plot(lag, at.sel(rule="pre first", phase="before"), color="0.6", label="before")
    for rule, style in (("pre first", "-"), ("post first", ":")):
        axes.plot(lag, at.sel(rule=rule, phase="after"), style, color="C2", label=f"after, {rule}")
    axes.set(xlabel="time since the test pulse (ms)", ylabel="EPSP (mV)")
    axes.legend(fontsize=8, frameon=False)
    _title(axes, "c", f"EPSP by a test pulse, {name}")


def _draw_conditions(axes: Axes, data: xr.Dataset) -> None:
    names = list(data.condition.values)
    y = -np.arange(len(names), dtype=float)
    for rule, color, shift in (("pre first", "C0", 0.14), ("post first", "C3", -0.14)):
        at = data.sel(rule=rule)
        low, middle, high = at.weight_low.values, at.weight_median.values, at.weight_high.values
        axes.hlines(y + shift, low, high, color=color, linewidth=1.5, alpha=0.6)
        axes.plot(middle, y + shift, "o", color=color, markersize=5, label=rule, clip_on=False)
    axes.axvline(0.5, color="0.7", linewidth=0.8, zorder=0)
    axes.set_yticks(y, names, fontsize=8)
    axes.set(xlabel="weight at the end (median; 5 to 95 % where there is chance)", xlim=(-0.02, 1.02))
    axes.legend(fontsize=8, frameon=False, title="coincident spikes", title_fontsize=8)
    _title(axes, "d", "beats, controls, and the pairs that were asked for")


def _draw_driven(axes: Axes, data: xr.Dataset, beats: Sequence[str]) -> None:
    x = np.arange(len(beats), dtype=float)
    bars = [
        ("told, pre first", data.sel(rule="pre first", condition=list(beats)).weight_median, "C0"),
        ("told, post first", data.sel(rule="post first", condition=list(beats)).weight_median, "C3"),
        ("driven, with units", data.sel(rule="pre first").driven_weight_with_units, "C4"),
        ("driven, abstract", data.sel(rule="pre first").driven_weight_abstract, "C7"),
    ]
    for k, (label, values, color) in enumerate(bars):
        axes.bar(x + 0.2 * (k - 1.5), values.values, 0.19, color=color, label=label)
    axes.axhline(0.5, color="0.7", linewidth=0.8, zorder=0)
    axes.set_xticks(x, beats)
    axes.set(ylabel="weight at the end")
    axes.legend(fontsize=8, frameon=False)
    _title(axes, "e", "with the synapse driving its target")
