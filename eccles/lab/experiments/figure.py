"""The figure of an experiment: protocol, weight, EPSP, and percent of baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.lab.experiments.result import Result, condition_name
from eccles.results.conditions import conditions, units_of
from eccles.results.labels import named, scale_of

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["figure_of"]

PRE, POST = "#2166ac", "#e08214"  # blue and orange that colour-blind readers tell apart
MOST = 8  # conditions in one figure
MOST_SPIKES = 2000  # of a train that are drawn
MARGIN = 5e-3  # seconds on either side of the first pair
WIDEST = 0.25  # seconds that are shown of it at most

Place = Mapping[str, int]


def figure_of(result: Result) -> Figure:
    """Protocol and first pair, weight, EPSP, and percent of baseline. Needs matplotlib.

    Of many conditions some are drawn, evenly chosen; the title says so.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    data = result.data
    without_trials = data.isel(trial=0, drop=True) if "trial" in data.dims else data
    places = list(conditions(without_trials))
    n = len(places)
    shown = [places[k] for k in np.unique(np.linspace(0, n - 1, min(n, MOST)).round().astype(int))]
    names = [condition_name(without_trials, place) for place in shown]
    colors = ["#333333"] if len(shown) == 1 else list(colormaps["viridis"](np.linspace(0, 0.82, len(shown))))

    figure = Figure(figsize=(9.0, 6.6 + 0.22 * len(shown)), layout="constrained")
    has_epsp = "epsp" in data
    axes = figure.subplot_mosaic(
        [["protocol", "pair"], ["weight", "epsp" if has_epsp else "weight"], ["percent", "percent"]],
        height_ratios=(0.55 + 0.17 * len(shown), 1.5, 1.5), width_ratios=(1.35, 1),
    )  # fmt: skip
    _draw_protocol(axes["protocol"], axes["pair"], without_trials, shown, names, colors)
    for place, name, color in zip(shown, names, colors, strict=True):
        _draw_weight(axes["weight"], data, place, color)
        if has_epsp:
            _draw_epsp(axes["epsp"], data, place, color)
        _draw_percent(axes["percent"], data, place, color, name)
    _label(axes, data)
    if len(shown) > 1:
        handles, labels = axes["percent"].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(shown)), fontsize=8,
                      frameon=False)  # fmt: skip
    title = " and ".join(result.rules)
    if len(shown) < n:
        title += f" ({len(shown)} of {n} conditions)"
    figure.suptitle(title, fontsize=11)
    return figure


def _draw_protocol(
    whole: Axes,
    pair: Axes,
    data: xr.Dataset,
    shown: Sequence[Place],
    names: Sequence[str],
    colors: Sequence[Any],
) -> None:
    """Spike ticks, a row for each condition: all of them, and those about the first pair."""
    trains = [[_train(data, side, place) for side in ("pre_spikes", "post_spikes")] for place in shown]
    begin = min((t[0] for pre_post in trains for t in pre_post if len(t)), default=-1.0)
    scale, unit = scale_of([begin], "s")
    reach = _reach(trains)
    for row, pre_post in enumerate(trains):
        start = min((t[0] for t in pre_post if len(t)), default=0.0)
        for train, side, color in zip(pre_post, (-1, 1), (PRE, POST), strict=True):
            height = row + 0.2 * side  # the axis points down: pre is above post
            drawn = train[:: max(1, len(train) // MOST_SPIKES)]
            whole.vlines(drawn / scale, height - 0.18, height + 0.18, color=color, linewidth=0.7)
            near = train[train <= start + reach]
            pair.vlines(1e3 * (near - start), height - 0.18, height + 0.18, color=color, linewidth=1.6)
    for axes in (whole, pair):
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.spines[["left", "right", "top"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    whole.set_yticks(range(len(shown)), names, fontsize=7.5)
    for label, color in zip(whole.get_yticklabels(), colors, strict=True):
        label.set_color(color)
    pair.set_yticks([])
    whole.set(xlabel=f"time after the end of the induction ({unit})")
    whole.set_title("protocol", fontsize=9, loc="left")
    pair.set(xlabel="time after the first spike (ms)", xlim=(-1e3 * MARGIN, 1e3 * reach))
    pair.set_title("pre", fontsize=9, loc="left", color=PRE)
    pair.set_title("post", fontsize=9, loc="right", color=POST)


def _train(data: xr.Dataset, name: str, place: Place) -> np.ndarray:
    """A spike train of a protocol, without the places that are not filled."""
    train = data[name]
    values = train.isel({dim: k for dim, k in place.items() if dim in train.dims}).values
    return values[np.isfinite(values)]


def _reach(trains: Sequence[Sequence[np.ndarray]]) -> float:
    """How much to show after the first spike so that the first spikes of both sides are seen, in seconds."""
    firsts = [[t[0] for t in pre_post if len(t)] for pre_post in trains]
    apart = max((max(first) - min(first) for first in firsts if first), default=0.0)
    return min(apart, WIDEST) * 1.5 + 2 * MARGIN


def _at(data: xr.Dataset, name: str, place: Place) -> tuple[np.ndarray, np.ndarray | None]:
    """The values of a condition: mean over trials, and their standard deviation where there are several."""
    values = data[name].isel(place)
    if "trial" not in values.dims:
        return values.values, None
    return values.mean("trial").values, values.std("trial", ddof=1).values


def _draw_weight(axes: Axes, data: xr.Dataset, place: Place, color: Any) -> None:
    course, spread = _at(data, "course", place)
    weight, test_spread = _at(data, "weight", place)
    scale, _ = _scale(data["weight"])
    t, test = data["time"].values, data["test"].values
    before = test < t[0]
    all_t = np.concatenate([test[before], t, test[~before]])
    everything = np.concatenate([weight[before], course, weight[~before]]) / scale
    axes.plot(all_t, everything, color=color, linewidth=1.2)
    axes.plot(test, weight / scale, "o", color=color, markersize=3)
    if spread is not None and test_spread is not None:
        band = np.concatenate([test_spread[before], spread, test_spread[~before]]) / scale
        axes.fill_between(all_t, everything - band, everything + band, color=color, alpha=0.15, linewidth=0)


def _draw_epsp(axes: Axes, data: xr.Dataset, place: Place, color: Any) -> None:
    scale, _ = _scale(data["epsp"])
    lag = 1e3 * data["lag"].values
    for phase, style in (("before", "--"), ("after", "-")):
        trace = data["epsp"].isel(place).sel(phase=phase).values / scale
        axes.plot(lag, trace, style, color=color, linewidth=1.3)


def _draw_percent(axes: Axes, data: xr.Dataset, place: Place, color: Any, name: str) -> None:
    percent, spread = _at(data, "percent", place)
    axes.errorbar(data["test"].values, percent, spread, color=color, fmt="o", markersize=3.5, linewidth=0.9,
                  capsize=2 if spread is not None else 0, label=name)  # fmt: skip


def _label(axes: Mapping[str, Axes], data: xr.Dataset) -> None:
    during = data["time"].values
    for name in ("weight", "percent"):
        axes[name].axvspan(during[0], during[-1], color="0.93", zorder=0, linewidth=0)
        axes[name].set_xlabel("time after the end of the induction (s)")
    axes["weight"].set_ylabel(named("weight", _scale(data["weight"])[1]))
    axes["percent"].set_ylabel(f"{data['percent'].attrs['long_name'].split(',')[0]} (% of baseline)")
    axes["percent"].axhline(100, color="0.6", linewidth=0.8, zorder=1)
    axes["percent"].margins(y=0.15)
    if "epsp" in axes:
        axes["epsp"].set(xlabel="time (ms)", ylabel=named("change of the potential", _scale(data["epsp"])[1]))
        axes["epsp"].set_title("EPSP before (dashed) and after", fontsize=9, loc="left")
    for name in ("weight", "percent", "epsp"):
        if name in axes:
            axes[name].spines[["right", "top"]].set_visible(False)


def _scale(values: xr.DataArray) -> tuple[float, str]:
    return scale_of(values.values, units_of(values))
