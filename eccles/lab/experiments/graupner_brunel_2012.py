"""Six shapes of the STDP curve from two calcium thresholds: Graupner & Brunel 2012, figure 2.

60 pairs at 1 Hz change a population of synapses of which half are DOWN and half UP. For each gap, synapses
that begin in either state are simulated, with the noise of the published equation; how many have changed
sides gives the mean strength. It is compared with the simulations that the authors stored with their code,
and with their closed form, which leaves out the attraction of the two states.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.engine.clock import Clock
from eccles.lab import data
from eccles.lab.experiments.study import Outcome, Study
from eccles.lab.rules.calcium import calcium
from eccles.lab.rules.calcium_theory import population, shares_above, strength_change, transitions
from eccles.lab.rules.rule import Rule
from eccles.lab.sources import generator
from eccles.objects import Network, magic
from eccles.units import hertz, ms, second

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["STUDY", "run", "sides", "simulated", "variance"]

SETS = ("DP", "DPD", "DPD'", "P", "D", "D'")
N_PAIRS = 60
RATE = 1 * hertz
DURATION = N_PAIRS / RATE
N_AUTHORS = 1000  # synapses that began in either state
STORED = 3 * np.sqrt(2)  # how many standard errors the stored error is
ENOUGH = 5.0  # expected changes of state (np(1-p)) from which on their number is as good as normal


def simulated(rule: Rule, gaps: Any, *, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Which part of the synapses are on the other side of the barrier after the pairs.

    All gaps are in one network: a pair of neurons each, with `n` synapses that begin DOWN and `n` UP.

    Returns
    -------
    (up, down) : (gap,), (gap,)
        UP after having begun DOWN, and the other way round.
    """
    onsets = np.arange(N_PAIRS) / float(RATE)
    gap = np.atleast_1d(np.asarray(gaps, float))
    pre, post = (np.add.outer(np.maximum(shift, 0.0), onsets) for shift in (-gap, gap))
    return sides(rule, pre, post, [float(DURATION)] * len(gap), n=n, seed=seed)


def sides(
    rule: Rule, pre: Any, post: Any, durations: Sequence[float], *, n: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Which part of the synapses are on the other side of the barrier after spikes at given times.

    Parameters
    ----------
    rule : Rule
        As `calcium` makes it.
    pre, post : sequence of (spike,)
        Spike times (s) of each condition.
    durations : (condition,)
        How long each takes (s). All end together: before its first spike a synapse stays in its state.
    n : int
        How many synapses of a condition begin DOWN, and how many UP.

    Returns
    -------
    (up, down) : (condition,), (condition,)
    """
    end = max(durations)
    with magic.private_scope(), magic.random_numbers(seed):
        clock = Clock(1 * ms)
        groups = [
            generator([end - d + np.asarray(t) for t, d in zip(trains, durations, strict=True)], clock)
            for trains in (pre, post)
        ]
        synapses = rule.synapses(*groups, connect=False, namespace={})
        neuron = np.tile(np.repeat(np.arange(len(durations)), n), 2)
        synapses.connect(i=neuron, j=neuron)
        synapses.rho_0 = np.repeat([0.0, 1.0], len(durations) * n)
        Network(*groups, synapses).run(end * second)
    begun_down, begun_up = np.asarray(synapses.rho[:]).reshape(2, len(durations), n)
    return (begun_down > 0.5).mean(-1), (begun_up < 0.5).mean(-1)


def variance(up: np.ndarray, down: np.ndarray, scale: float) -> np.ndarray:
    """Of the change of strength by one synapse of either kind."""
    return scale**2 * (up * (1 - up) + down * (1 - down))


def _of_set(name: str, n: int, every: int) -> xr.Dataset:
    import xarray as xr

    stored = data.table("graupner2012_simulations")
    rows = stored["set"] == name
    gap, change, error = (stored[key][rows][::every] for key in ("gap_ms", "change", "stored_error"))
    rule, who = calcium(name), population(name)
    scale = float(strength_change(1, 0, *who)) - 1
    up, down = simulated(rule, gap * ms, n=n, seed=SETS.index(name))  # random numbers of its own
    fine = np.linspace(-100, 100, 401)
    curve, at_gaps = (
        strength_change(*transitions(rule, *shares_above(rule, x * ms, RATE), DURATION), *who)
        for x in (fine, gap)
    )
    own, theirs = variance(up, down, scale), N_AUTHORS * (error / STORED) ** 2
    pooled = (n * own + N_AUTHORS * theirs) / (n + N_AUTHORS)
    one = {"units": "1"}
    return xr.Dataset(
        {
            "change": (
                "gap",
                strength_change(up, down, *who),
                {**one, "long_name": "strength after / before, Eccles"},
            ),
            "error": ("gap", np.sqrt(own / n), {**one, "long_name": "standard error of it"}),
            "stored": (
                "gap",
                change,
                {**one, "long_name": "strength after / before, as stored by the authors"},
            ),
            "stored_error": (
                "gap",
                np.sqrt(theirs / N_AUTHORS),
                {**one, "long_name": "standard error of it"},
            ),
            "difference_error": (
                "gap",
                np.sqrt(pooled / n + pooled / N_AUTHORS),
                {**one, "long_name": "standard error of change - stored"},
            ),
            "enough": (
                "gap",
                pooled / scale**2 * min(n, N_AUTHORS) > ENOUGH,
                {"long_name": "whether changes of state are many enough for chi-square"},
            ),
            "analytic_at_gap": ("gap", at_gaps, {**one, "long_name": "closed form"}),
            "analytic": ("fine_gap", curve, {**one, "long_name": "closed form"}),
            "up": ("gap", up, {**one, "long_name": "part of the DOWN synapses that is UP afterwards"}),
            "down": ("gap", down, {**one, "long_name": "part of the UP synapses that is DOWN afterwards"}),
        },
        {"gap": ("gap", gap, {"units": "ms"}), "fine_gap": ("fine_gap", fine, {"units": "ms"}), "set": name},
    )


def run(quick: bool = False) -> Outcome:
    """All six curves, with 1000 synapses in either state; `quick`: 200, at every second gap."""
    import xarray as xr
    from scipy.stats import chi2

    n, every = (200, 2) if quick else (1000, 1)
    found = xr.concat([_of_set(name, n, every) for name in SETS], "set")
    difference = found["change"] - found["stored"]
    scores = (abs(difference) / found["difference_error"]).where(found["difference_error"] > 0, 0.0)
    squares = (scores**2).where(found["enough"]).sum("gap")
    points = found["enough"].sum("gap")
    largest = scores.max("gap")
    p = chi2.sf(squares, points)
    off = found["change"] - found["analytic_at_gap"]
    table = {
        "parameter set": list(SETS),
        "points": points.values.tolist(),
        "chi-square": squares.round(1).values.tolist(),
        "p": np.round(p, 3).tolist(),
        "largest difference (standard errors)": largest.round(2).values.tolist(),
        "mean difference from closed form (%)": (100 * off.mean("gap")).round(2).values.tolist(),
    }
    total, in_all = float(squares.sum()), int(points.sum())
    mean, its_error = off.mean("gap"), (found["error"] ** 2).sum("gap") ** 0.5 / found.sizes["gap"]
    shifted = [
        f"{name} by {100 * m:+.2f} % (standard error {100 * e:.2f} %)"
        for name, m, e in zip(SETS, mean.values, its_error.values, strict=True)
        if abs(m) > 3 * e > 0
    ]
    findings = [
        "Over all six curves, Eccles and the authors' simulations differ by chi-square "
        f"{total:.0f} on {in_all} points (p = {chi2.sf(total, in_all):.2f}); "
        f"the largest difference is {float(largest.max()):.1f} standard errors.",
        "The simulations lie beside the closed form, on average over the curve: " + "; ".join(shifted) + "."
        if shifted
        else "Averaged over each curve, they agree with the closed form within three standard errors.",
    ]
    notes = [
        "The error stored by the authors is 3*sqrt(2) times the standard error of 1000 synapses in either "
        "state, where this can be told (only one state changes). Errors here are standard errors.",
        "Points where fewer than five changes of state are expected are left out of chi-square, as their "
        "number is not normal; they count for the largest difference.",
        "The closed form leaves out the attraction of the two states.",
    ]
    return Outcome(
        found, table, lambda: _draw(found), findings, notes, {"rule": str(calcium("DP"))}
    )  # fmt: skip


def _draw(found: xr.Dataset) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.2), layout="constrained")
    axes = figure.subplots(2, 3, sharex=True)
    for name, ax in zip(SETS, axes.flat, strict=True):
        _panel(found.sel(set=name), ax)
        ax.set_title(name, loc="left", fontweight="bold")
    for ax in axes[1]:
        ax.set_xlabel("post minus pre (ms)")
    for ax in axes[:, 0]:
        ax.set_ylabel("strength after / before")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _panel(of: xr.Dataset, ax: Axes) -> None:
    ax.axhline(1, color="0.85", linewidth=0.8, zorder=0)
    ax.axvline(0, color="0.85", linewidth=0.8, zorder=0)
    ax.plot(of["fine_gap"], of["analytic"], color="0.35", linewidth=1.2, label="closed form", zorder=1)
    ax.errorbar(of["gap"], of["stored"], of["stored_error"], fmt="o", color="C1", markerfacecolor="white",
                markersize=4, linewidth=0.8, label="Graupner & Brunel, simulated", zorder=2)  # fmt: skip
    ax.errorbar(of["gap"], of["change"], of["error"], fmt="o", color="C0", markersize=2.5, linewidth=0.8,
                label="Eccles, simulated (± standard error)", zorder=3)  # fmt: skip
    ax.set_xlim(-104, 104)
    ax.spines[["top", "right"]].set_visible(False)


STUDY = Study(
    "graupner-brunel-2012",
    "Can two calcium thresholds give all the shapes of STDP curves?",
    "Graupner & Brunel 2012, PNAS 109:3991, figure 2",
    run,
)
