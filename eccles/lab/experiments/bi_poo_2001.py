"""The window of spike-timing-dependent plasticity in hippocampal culture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eccles.lab.data import source_of, table
from eccles.lab.experiments.study import Outcome, Study
from eccles.lab.rules import Rule, pair
from eccles.units import hertz, ms

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

__all__ = ["STUDY", "fitted_window", "run"]

SOURCE = "Bi & Poo 1998, J Neurosci 18:10464; Bi & Poo 2001, Annu Rev Neurosci 24:139"
N_PAIRS, RATE = 60, 1 * hertz
PUBLISHED = "Bi & Poo 2001"


def exponential(gap: np.ndarray, amplitude: float, tau: float) -> np.ndarray:
    """One side of the window; `gap` and `tau` in ms."""
    return amplitude * np.exp(-abs(gap) / tau)


def fitted_window(gap: np.ndarray, change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Amplitude and time constant (ms) of potentiation, then of depression, and their standard errors.

    Least squares for each side alone, as an exponential; amplitudes are those of the whole protocol.
    """
    from scipy.optimize import curve_fit

    best, errors = [], []
    for side, start in ((gap > 0, (0.8, 17.0)), (gap < 0, (-0.3, 34.0))):
        values, covariance = curve_fit(exponential, gap[side], change[side], p0=start)
        best.extend(values)
        errors.extend(np.sqrt(np.diag(covariance)))
    return np.array(best), np.array(errors)


def run(quick: bool = False) -> Outcome:
    """Compare 60 pairs at 1 Hz with the points, for the published window and for one fitted to them."""
    import xarray as xr

    points = table("bi_poo_1998")
    gap, measured = points["delta_t_ms"], points["change"]
    odd = (gap < 0) & (gap > -5) & (measured > 0.1)
    best, errors = fitted_window(gap[~odd], measured[~odd])
    with_all, errors_with_all = fitted_window(gap, measured)
    numbers = {"A_plus": best[0] / N_PAIRS, "tau_plus": best[1] * ms,
               "A_minus": -best[2] / N_PAIRS, "tau_minus": best[3] * ms}  # fmt: skip
    rules = {
        "published window": pair(PUBLISHED, bounds=None),
        "window fitted here": pair(PUBLISHED, bounds=None, **numbers),
    }
    side = np.linspace(0.25, 100, 60 if quick else 400)
    curve_gap = np.concatenate([-side[::-1], side])
    one = {"units": "1", "long_name": "change of the weight"}
    data = xr.Dataset(
        {
            "measured": ("point", measured, one),
            "fitted": ("point", ~odd, {"long_name": "whether the fit takes the point"}),
            "gap": ("point", gap * 1e-3, {"units": "s", "long_name": "post minus pre"}),
            "model": (("window", "point"), np.array([_changes(rule, gap) for rule in rules.values()]), one),
            "curve": (("window", "curve_gap"),
                      np.array([_changes(rule, curve_gap) for rule in rules.values()]), one),
        },
        coords={
            "window": list(rules),
            "curve_gap": ("curve_gap", curve_gap * 1e-3, {"units": "s", "long_name": "post minus pre"}),
        },
        attrs={"source": SOURCE, "data": source_of("bi_poo_1998")},
    )  # fmt: skip
    deviation = (data["measured"] - data["model"]).transpose("window", "point")
    pre_first = gap > 0

    def rms(values: xr.DataArray) -> np.ndarray:
        return np.sqrt(np.mean(values.values**2, axis=-1))

    data["rms"] = ("window", rms(deviation), {"units": "1", "long_name": "root mean square deviation"})
    both, plus, minus = (rms(part) for part in (deviation, deviation[:, pre_first], deviation[:, ~pre_first]))
    explained = 1 - (deviation**2).sum("point") / ((data["measured"] - data["measured"].mean()) ** 2).sum()
    published = rules["published window"].parameters
    rows = {
        "published": [N_PAIRS * published["A_plus"], float(published["tau_plus"] / ms),
                      N_PAIRS * published["A_minus"], float(published["tau_minus"] / ms)],
        "fitted here": [best[0], best[1], -best[2], best[3]],
    }  # fmt: skip
    within = int(np.sum(np.abs(np.subtract(rows["published"], rows["fitted here"])) < errors))
    return Outcome(
        data,
        {
            "window": list(rules),
            "60 A_plus": [round(float(row[0]), 3) for row in rows.values()],
            "tau_plus (ms)": [round(float(row[1]), 1) for row in rows.values()],
            "60 A_minus": [round(float(row[2]), 3) for row in rows.values()],
            "tau_minus (ms)": [round(float(row[3]), 1) for row in rows.values()],
            "rms deviation": both.round(3).tolist(),
            "rms, pre first": plus.round(3).tolist(),
            "rms, post first": minus.round(3).tolist(),
        },
        lambda: figure(data),
        findings=(
            f"The published window is {both[0]:.2f} of the weight from the points (root mean square): "
            f"{plus[0]:.2f} where the presynaptic spike comes first, {minus[0]:.2f} where it comes second. "
            f"It explains {float(explained[0]):.0%} of their variance.",
            f"An exponential fitted to each side is {both[1]:.2f} from these {len(gap)} points, and explains "
            f"{float(explained[1]):.0%}. It has {best[0]:.2f} ± {errors[0]:.2f} and {best[1]:.0f} ± "
            f"{errors[1]:.0f} ms for potentiation, {-best[2]:.2f} ± {errors[2]:.2f} and {best[3]:.0f} ± "
            f"{errors[3]:.0f} ms for depression (± standard error): {within} of the {len(best)} published "
            "numbers are within one standard error of these.",
            f"The points are no sharp test of a window, as synapses scatter. {odd.sum()} were potentiated "
            "although the postsynaptic spike came first, by less than 5 ms; the fit leaves them out. "
            f"With them the time constant of depression is {with_all[3]:.0f} ± {errors_with_all[3]:.0f} ms.",
        ),
        notes=(
            "The points were digitised by others. The time constants of 16.8 and 33.7 ms stand in the review "
            "of 2001; the amplitudes (0.777 and 0.273) are recalled.",
            "The points have no error bars: each is one synapse, so there is no E in standard errors.",
        ),
        models={name: str(rule) for name, rule in rules.items()},
    )


def _changes(rule: Rule, gaps: np.ndarray) -> np.ndarray:
    """By 60 pairs at 1 Hz, in parts of the weight before; gaps in ms."""
    first = {"w": np.ones(len(gaps))}
    return rule.curve(gaps * ms, n_pairs=N_PAIRS, rate=RATE, initial=first).values


def figure(data: xr.Dataset) -> Figure:
    """The points and both windows."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(6.4, 4.4), layout="constrained")
    ax = drawn.subplots()
    ax.axhline(0, color="0.75", linewidth=0.8, zorder=0)
    ax.axvline(0, color="0.75", linewidth=0.8, zorder=0)
    for fitted, filling, words in (
        (True, "0.35", "measured"),
        (False, "white", "left out of the fit"),
    ):
        points = data.isel(point=np.flatnonzero(data["fitted"] == fitted))
        ax.plot(points["gap"] * 1e3, points["measured"], "o", color="0.35", markerfacecolor=filling,
                markersize=5, markeredgewidth=0.8, label=words)  # fmt: skip
    for window, color, style in (
        ("published window", "#c0392b", "-"),
        ("window fitted here", "#2166ac", "--"),
    ):
        here = data.sel(window=window)
        x = here["curve_gap"].values * 1e3
        for i, side in enumerate((x < 0, x > 0)):  # the window jumps at 0
            label = f"{window} (rms {float(here['rms']):.2f})" if i == 0 else None
            ax.plot(x[side], here["curve"].values[side], style, color=color, linewidth=1.6, label=label)
    ax.set(xlim=(-105, 105), xlabel="post minus pre (ms)", ylabel="change of the weight")
    ax.set_title("60 pairs of spikes at 1 Hz in hippocampal culture", fontsize=11)
    ax.legend(fontsize=8.5, frameon=False, loc="upper left")
    ax.spines[["top", "right"]].set_visible(False)
    return drawn


STUDY = Study(
    "bi-poo-2001",
    "How does the change by pairs of spikes depend on the time between them?",
    SOURCE,
    run,
)
