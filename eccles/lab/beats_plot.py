"""The figure of an experiment with beats: spikes of each pair on the left, its weight on the right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from eccles.lab.beats import Beats

__all__ = ["FIGURE_FORMATS", "figure_of", "save_figure"]

FIGURE_FORMATS = (".png", ".svg", ".pdf")
PRE, POST, WEIGHT = "#2166ac", "#e08214", "#333333"  # blue and orange that colour-blind readers tell apart
GRID, RANDOM = "#b2abd2", "#1b7837"
BEHIND = 1.03  # of the run: where the spread over random phases is drawn
MOST_ROWS = 20
MOST_SPIKES = 60  # shown for each neuron: with more of them the marks run together


def figure_of(result: Beats) -> Figure:
    """Spikes left, weight right, one row for each pair. Needs matplotlib.

    The spikes are those of the first moments, long enough to show two beats of the slowest pair where
    that is not too many spikes; the weights are those of the whole run.
    """
    from matplotlib.figure import Figure

    n = min(len(result), MOST_ROWS)
    figure = Figure(figsize=(9.0, 1.5 + 1.25 * n), layout="constrained")
    axes = figure.subplots(n, 2, sharex="col", squeeze=False, width_ratios=(1.15, 1))
    shown = _shown_seconds(result)
    duration = float(result.duration)
    unit, scale = ("ms", 1e3) if duration < 1 else ("s", 1.0)
    for pair, (left, right) in enumerate(axes):
        for height, color, train in (
            (1, PRE, result.pre_spikes[pair]),
            (0, POST, result.post_spikes[pair]),
        ):
            t = np.asarray(train)
            t = t[t <= shown]
            left.vlines(1e3 * t, height - 0.36, height + 0.36, color=color, linewidth=1.1)
        left.set_yticks([1, 0], ["pre", "post"])
        left.tick_params(axis="y", length=0)
        left.set_ylim(-0.6, 1.6)
        left.set_title(_title(result, pair), fontsize=8.5, loc="left")
        left.spines[["left", "right", "top"]].set_visible(False)
        _draw_weights(right, result, pair, scale)
        right.set_ylim(-0.03, 1.03)
        right.set_yticks([0, 0.5, 1])
        right.set_ylabel("weight", fontsize=9)
        right.set_title(_end(result, pair), fontsize=8.5, loc="right")
        right.spines[["right", "top"]].set_visible(False)
        right.grid(axis="y", color="0.9")
    left, right = axes[-1]
    left.set_xlabel("time (ms)")
    left.set_xlim(0, 1e3 * shown)
    right.set_xlabel(f"time ({unit})")
    right.set_xlim(0, scale * duration * (BEHIND + 0.02 if len(result.random_phases) else 1))
    title = "Beats of spike trains, and the weights that STDP makes of them"
    if n < len(result):
        title += f" (the first {n} of {len(result)} pairs)"
    figure.suptitle(title, fontsize=11)
    if result.grid is not None or len(result.random_phases):
        handles, labels = right.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower right", ncols=3, fontsize=8.5, frameon=False)
    return figure


def _draw_weights(axes: Axes, result: Beats, pair: int, scale: float) -> None:
    """The time course of a weight, that on the grid below it, and the spread over random phases behind."""
    for shown, color, order in ((result, WEIGHT, 3), (result.grid, GRID, 2)):
        if shown is not None:
            name = "exact times" if shown.spike_times == "precise" else "on the grid"
            t = scale * np.asarray(shown.times)
            axes.plot(t, shown.weights[pair], color=color, linewidth=1.0, zorder=order, label=name)
    if len(result.random_phases):
        low, median, high = result.spread()[:, pair]
        place = scale * float(result.duration) * BEHIND
        around = [[median - low], [high - median]]
        axes.errorbar(place, median, around, color=RANDOM, fmt="o", markersize=3.5, capsize=3,
                      label="random phases (5, 50, 95 %)")  # fmt: skip


def save_figure(result: Beats, path: Path) -> None:
    """Draw the figure into a PNG, SVG or PDF file, by the file's ending."""
    figure_of(result).savefig(path, dpi=150)


def _shown_seconds(result: Beats) -> float:
    """How much of the spike trains is shown."""
    beat = np.asarray(result.beat)
    fastest = max(np.max(np.asarray(result.pre_rate)), np.max(np.asarray(result.post_rate)))
    wanted = 2 / np.min(beat[beat > 0]) if np.any(beat > 0) else np.inf
    return float(min(wanted, MOST_SPIKES / fastest, float(result.duration)))


def _end(result: Beats, pair: int) -> str:
    """The weight at the end, in both orders where spikes coincide."""
    text = f"{result.final_weights[pair]:.3f} at the end"
    if result.coincidences[pair]:
        first, second = ("pre", "post") if result.coincidence == "pre_first" else ("post", "pre")
        text += f" ({first} first; {second} first: {result.other_final_weights[pair]:.3f})"
    return text


def _title(result: Beats, pair: int) -> str:
    pre, post = np.asarray(result.pre_rate)[pair], np.asarray(result.post_rate)[pair]
    text = f"{pre:g} and {post:g} Hz, beat {abs(pre - post):g} Hz"
    for shown, what in ((result, "obtained"), (result.grid, "on the grid")):
        if shown is None:
            continue
        got = [np.asarray(rates)[pair] for rates in (shown.pre_rate_obtained, shown.post_rate_obtained)]
        if all(np.isfinite(got)) and not np.allclose(got, (pre, post), rtol=1e-6):
            text += f" ({what} {got[0]:.4g} and {got[1]:.4g} Hz, beat {abs(got[0] - got[1]):.3g} Hz)"
    return text
