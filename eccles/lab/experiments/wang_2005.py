"""Pairs, triplets and quadruplets of spikes in hippocampal culture, and the triplet rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from eccles.lab.data import source_of, table
from eccles.lab.experiments.fit import fit_error
from eccles.lab.experiments.study import Outcome, Study
from eccles.lab.protocols import Protocol, pairing, post_pre_post, pre_post_pre, quadruplets
from eccles.lab.rules import triplet
from eccles.lab.rules.triplet import PRESETS
from eccles.units import ms

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

__all__ = ["READINGS", "STUDY", "protocol", "run"]

ROWS = tuple(name for name in PRESETS if name.startswith("hippocampal culture"))
SOURCE = "Wang, Gerkin, Nauen & Bi 2005, Nat Neurosci 8:187; Pfister & Gerstner 2006, J Neurosci 26:9673"
READINGS: dict[str, Literal["midpoints", "inner spikes"]] = {
    "mid-points": "midpoints",  # of both pairs
    "inner spikes": "inner spikes",  # both spikes of one side that lie inside
    "post to pre": "midpoints",  # of the first and the second pair: the same, as both have the same gap
}  # what `quadruplets` calls it


def protocol(name: str, first: float, last: float, T: float, reading: str = "mid-points") -> Protocol:
    """60 repetitions, one a second; times in ms, as in the table of the data. For readings see `READINGS`."""
    return {
        "pair": lambda: pairing(first * ms),
        "pre-post-pre": lambda: pre_post_pre(first * ms, last * ms),
        "post-pre-post": lambda: post_pre_post(first * ms, last * ms),
        "quadruplet": lambda: quadruplets(T * ms, gap=first * ms, T_between=READINGS[reading]),
    }[name]()


def run(quick: bool = False) -> Outcome:
    """Compare the four hippocampal rows of the triplet rule with the data, for each reading of T."""
    import xarray as xr

    measured = table("wang2005")
    kinds = measured["protocol"].tolist()
    given = list(zip(kinds, measured["first_ms"], measured["second_ms"], measured["T_ms"], strict=True))
    rules = {name: triplet(name) for name in ROWS}
    model = np.empty((len(READINGS), len(rules), len(given)))
    for i, reading in enumerate(READINGS):
        protocols = [protocol(*one, reading) for one in given]
        pre, post = [p.pre for p in protocols], [p.post for p in protocols]
        for j, rule in enumerate(rules.values()):
            model[i, j] = rule.response(pre, post, initial={"w": 1.0})["w"].values - 1
    one = {"units": "1", "long_name": "change of the weight"}
    data = xr.Dataset(
        {
            "measured": ("condition", measured["change"], one),
            "sem": ("condition", measured["sem"], {**one, "long_name": "standard error of the mean"}),
            "model": (("reading", "row", "condition"), model, one),
            "E": (("reading", "row"), fit_error(model, measured["change"], measured["sem"]), {"units": "1"}),
        },
        coords={
            "condition": [_label(*one) for one in given],
            "kind": ("condition", kinds),
            "row": list(ROWS),
            "reading": list(READINGS),
        },
        attrs={"source": SOURCE, "data": source_of("wang2005")},
    )
    rows = table("pfister2006_parameters")
    which = rows["preparation"] == "hippocampal culture"
    data["E_printed"] = ("row", rows["E"][which], {"units": "1", "long_name": "fit error as published"})
    E = data["E"]
    middle, inner = E.sel(reading="mid-points").values, E.sel(reading="inner spikes").values
    worst = np.argmax(abs(middle - inner))
    deviations = ((data["measured"] - data["model"].sel(reading="mid-points")) / data["sem"]) ** 2
    part = (deviations.sel(condition=deviations["kind"] == "post-pre-post").sum("condition")
            / deviations.sum("condition")).values  # fmt: skip
    return Outcome(
        data,
        {
            "row": [name.removeprefix("hippocampal culture ") for name in ROWS],
            **{f"E, T by {reading}": E.sel(reading=reading).values.round(2).tolist() for reading in READINGS},
            "E, published": rows["E"][which].tolist(),
            "published value": rows["E_seen"][which].tolist(),
        },
        lambda: figure(data),
        findings=(
            f"With T from mid-point to mid-point the fit errors are {_list(middle)}; published are "
            f"{_list(rows['E'][which])}. The largest difference is "
            f"{np.max(abs(middle - rows['E'][which])):.2f}.",
            f"With T between the inner spikes they are {_list(inner)}. '{_short(ROWS[worst])}' tells "
            f"the readings apart best: {inner[worst]:.2f}, and {middle[worst]:.2f} with mid-points.",
            "T from the postsynaptic spike of one pair to the presynaptic one of the other is the same as "
            "from mid-point to mid-point, as both pairs have the same gap.",
            f"{part.min():.0%} to {part.max():.0%} of the squared deviations are from post-pre-post "
            "triplets: measured potentiation depends less on their gaps than that of the rule.",
        ),
        notes=(
            "The definition of T is recalled as mid-point to mid-point; public codes differ.",
            "The published fit errors of the minimal rows are recalled; those of the full ones stand in a "
            "public transcription, with two digits.",
            "All repetitions are simulated in one train: with a slow presynaptic trace of 946 ms they "
            "act on each other.",
        ),
        models={name: str(rule) for name, rule in rules.items()},
    )


def _label(kind: str, first: float, second: float, T: float) -> str:
    if kind == "quadruplet":
        return f"{kind} {T:+g}"
    return f"{kind} {first:+g}" + ("" if np.isnan(second) else f" {second:+g}")


def _short(row: str) -> str:
    return row.removeprefix("hippocampal culture ")


def _list(values: np.ndarray) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


def figure(data: xr.Dataset) -> Figure:
    """Measured changes as bars with errors, the four rows of the rule as marks; a panel for each protocol."""
    from matplotlib.figure import Figure

    marks = {
        "all-to-all full": ("o", "#1b7837"), "all-to-all minimal": ("s", "#7fbf7b"),
        "nearest-spike full": ("D", "#762a83"), "nearest-spike minimal": ("v", "#c2a5cf"),
    }  # fmt: skip
    titles = {
        "pair": "pairs\ngap (ms)",
        "pre-post-pre": "pre-post-pre\ngaps (ms)",
        "post-pre-post": "post-pre-post\ngaps (ms)",
        "quadruplet": "quadruplets\nT (ms), mid to mid",
    }
    counts = [int((data["kind"] == kind).sum()) for kind in titles]
    drawn = Figure(figsize=(9.2, 4.6), layout="constrained")
    axes = drawn.subplots(1, len(titles), sharey=True, width_ratios=[n + 0.6 for n in counts])
    middle = data.sel(reading="mid-points")
    for ax, (kind, title) in zip(axes, titles.items(), strict=True):
        here = middle.sel(condition=middle["kind"] == kind)
        x = np.arange(here.sizes["condition"])
        ax.axhline(0, color="0.6", linewidth=0.8)
        ax.bar(x, here["measured"], width=0.82, color="0.87", edgecolor="0.6", linewidth=0.7,
               label="measured")  # fmt: skip
        ax.errorbar(x, here["measured"], here["sem"], fmt="none", ecolor="0.25", capsize=3, elinewidth=1)
        for place, (row, (mark, color)) in zip((-0.27, -0.09, 0.09, 0.27), marks.items(), strict=True):
            E = float(middle["E"].sel(row=f"hippocampal culture {row}"))
            ax.plot(x + place, here["model"].sel(row=f"hippocampal culture {row}"), mark, color=color,
                    markersize=5, markeredgecolor="0.2", markeredgewidth=0.5,
                    label=f"{row} (E = {E:.2f})")  # fmt: skip
        words = [label.removeprefix(kind).strip().replace(" ", "\n") for label in here["condition"].values]
        ax.set_xticks(x, words, fontsize=8.5)
        ax.set_xlim(-0.6, len(x) - 0.4)
        ax.set_title(title.split("\n")[0], fontsize=9.5)
        ax.set_xlabel(title.split("\n")[1])
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("change of the weight")
    handles, labels = axes[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8.5, frameon=False)
    drawn.suptitle(
        "Triplet rule and 60 pairs, triplets and quadruplets of spikes in hippocampal culture "
        "(mean ± s.e.m.)", fontsize=10.5,
    )  # fmt: skip
    return drawn


STUDY = Study(
    "wang-2005",
    "What do triplets and quadruplets of spikes do to a weight, and what does the triplet rule make of them?",
    SOURCE,
    run,
)
