"""Binaural beats from two tones to a synapse, with the controls of an experimenter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.lab.binaural import (
    CONDITIONS,
    KINDS,
    NERVE_NOTE,
    NERVE_SOURCE,
    Condition,
    Heard,
    Plasticity,
    beat_drift,
    beat_strength,
    conditions,
    gaps,
    listen,
    nerve_locking,
    plasticity,
)
from eccles.lab.binaural.listen import together
from eccles.lab.binaural.nerve import FIBRE
from eccles.lab.experiments.study import Outcome, Study
from eccles.lab.measure import PhaseLocking, phase_histogram, phase_locking
from eccles.lab.rules import Rule, pair
from eccles.lab.rules.pair import counts_all_pairs
from eccles.units import Quantity, hertz, second

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["STUDY", "run"]

BEATS = (4, 10, 20, 40)  # hertz, at 500 Hz
CARRIERS = (250, 500, 1000, 1500, 2000, 3000)  # hertz, with a beat of 10 Hz
GAP_BINS = np.geomspace(5e-4, 0.5, 61)  # seconds
N_BINS = 25  # of a cycle of the beat: two cycles of the carrier in each
MOST_SHOWN = 0.16  # of weight changes, per second

# what has been seen of binaural beats, and what no model here shows
EVIDENCE = (
    "People hear binaural beats up to carriers of about 1 to 1.5 kHz, best near 440 Hz, and up to "
    "differences of about 30 Hz, as a modulation of some 3 dB (Oster 1973, Sci Am 229:94, as told by "
    "later texts). The curve of the cat alone would allow for higher carriers, so it does not explain "
    "that limit.",
    "Responses at the beat were recorded in people: at 40 Hz with carriers of 400 Hz, not above 3 kHz, "
    "and smaller than to an acoustic beat (Schwarz & Taylor 2005); larger at 250 than at 1000 Hz, and at "
    "3 than at 6 Hz (Pratt et al. 2009, 2010); at 4 and 6.66 Hz in magnetic fields (Karino et al. 2004). "
    "As sounds, beats are weak (Grose et al. 2012).",
    "Nothing here shows that cortex follows a beat, or that memory, mood or attention gain by it: the "
    "model ends with one synapse. Orozco Perez et al. 2020 (eNeuro 7:0232-19.2020) found that monaural "
    "beats entrain the cortex more than binaural ones, and no effect on mood of either. A review of "
    "fourteen studies of entrainment (Ingendoh et al. 2023, PLoS ONE 18:e0286023) counts five for it, "
    "eight against, one mixed.",
)

NOTES = (
    "That the beat is gone at 3 kHz is put in, not found: fibres have the vector strength that a curve "
    f"says, and binaural cells the time constants that were chosen. The curve: {NERVE_SOURCE}. {NERVE_NOTE}",
    *EVIDENCE,
    "That a presynaptic spike is followed by a postsynaptic one after 1/f, where f is the beat, is not "
    "what a beat does. It makes spikes more and less likely in turn; how long after a presynaptic spike "
    "a neuron that it drives spikes is up to delay and membrane.",
    "Beyond what rates do, a modulation changes weights where the other neuron is modulated as well, and "
    "later or earlier, or where it is deep, as in the monaural beat. The lag of a quarter of a period was "
    "chosen for a large effect; no measured lag is behind it.",
    "Numbers of fibres and cells, weights, delays and time constants are of a plausible size, and fitted "
    "to nothing. The strength of the modulation depends on them; whether there is one does not.",
    "Weights have no bounds here and do not act on the neuron, so changes add up and rates stay as they "
    "are. Pairs 'in step' and 'quarter late' are spikes of different trials, so each train is in two "
    "pairs: standard errors of them are somewhat too small. Intervals of vector strengths take spikes as "
    "independent.",
)


def played() -> list[Condition]:
    """All conditions: those of the table, then beats of other frequencies and carriers."""
    beat = "binaural beat"
    others = [replace(conditions(beat=f * hertz)[beat], name=f"beat of {f} Hz") for f in BEATS]
    carriers = [replace(conditions(f * hertz)[beat], name=f"carrier of {f} Hz") for f in CARRIERS]
    return [*CONDITIONS.values(), *others, *carriers]


@dataclass(frozen=True, eq=False)
class _Result:
    """What all conditions gave, by the names of conditions."""

    heard: dict[str, Heard]
    pairs: dict[str, dict[str, Plasticity]]
    rule: Rule

    def ideal(self, name: str) -> PhaseLocking:
        return phase_locking(together(self.heard[name].ideal()), self.heard[name].condition.look_at)

    def theory(self, name: str) -> float:
        """Vector strength of ideal coincidences; NaN where both ears do not hear one tone each."""
        heard = self.heard[name]
        left, right = heard.condition.left, heard.condition.right
        if not len(left) == len(right) == 1 or left[0].frequency == right[0].frequency:
            return np.nan
        if float(heard.condition.diffusion) > 0:
            return np.nan
        carrier = (left[0].frequency + right[0].frequency) / 2
        return float(
            beat_strength(left[0].locking(), right[0].locking(), carrier, heard.circuit.window)
        )  # fmt: skip

    def gained(self, name: str, kind: str) -> tuple[float, float]:
        """Change of the weight per second that is due to the beat, and its standard error."""
        length = float(self.heard[name].duration)
        mean, error = self.pairs[name][kind].by_the_beat
        return mean / length, error / length

    def predicted(self, name: str, beat: float, lag: float) -> float:
        """The same, from rates and vector strengths of the presynaptic neurons of a condition."""
        heard = self.heard[name]
        rate, strength = heard.rate("pre") * hertz, heard.locking("pre").vector_strength
        return beat_drift(self.rule, rate, rate, (strength, strength), beat * hertz, lag * second)

    def gaps_of(self, name: str) -> np.ndarray:
        """Gaps of the driven pair, in seconds."""
        found = self.pairs[name]["driven"]
        return np.concatenate([np.asarray(gaps(a, b)) for a, b in zip(found.pre, found.post, strict=True)])


def run(quick: bool = False, *, rule: Rule | None = None, seed: int = 1) -> Outcome:
    """Play binaural beats and their controls, and look at cells, gaps and weights.

    Parameters
    ----------
    quick : bool, optional
        Few short trials.
    rule : Rule, optional
        Of the synapse; by default pair STDP without bounds, for which the drift can be predicted.
    seed : int, optional
    """
    trials, duration = (5, 2 * second) if quick else (20, 10 * second)
    used = pair().with_conventions(bounds=None) if rule is None else rule
    heard = listen(played(), trials=trials, duration=duration, seed=seed)
    with_pairs = [each for each in heard if not each.condition.name.startswith("carrier")]
    changes = plasticity(with_pairs, used, seed=seed)
    result = _Result(
        {each.condition.name: each for each in heard},
        {each.condition.name: kinds for each, kinds in zip(with_pairs, changes, strict=True)},
        used,
    )
    data = _dataset(result, trials, duration, seed)
    cell, synapse = heard[0].circuit.cell()
    neuron, slow = heard[0].circuit.pre()
    return Outcome(
        data=data,
        table=_table(data),
        draw=lambda: _figure(result),
        findings=_findings(result),
        notes=NOTES,
        models={"fibre": str(FIBRE), "binaural cell": str(cell), "its synapses": str(synapse),
                "pre- and postsynaptic neuron": str(neuron), "their synapses": str(slow),
                "plastic synapse": str(used)},
    )  # fmt: skip


def _carrier_strength(heard: Heard, side: str) -> float:
    """Vector strength of fibres at the first tone of their ear; NaN if it hears none."""
    tones = getattr(heard.condition, side)
    return heard.locking(side, tones[0].frequency).vector_strength if tones else np.nan


def _dataset(result: _Result, trials: int, duration: Quantity, seed: int) -> xr.Dataset:
    import xarray as xr

    names = list(result.heard)
    paired = list(result.pairs)
    all_heard = [result.heard[name] for name in names]
    one, rate = {"units": "1"}, {"units": "Hz"}
    columns: dict[str, Any] = {
        "nerve_left": ("condition", [_carrier_strength(h, "left") for h in all_heard],
                       {**one, "long_name": "vector strength of fibres at their tone, left"}),
        "nerve_right": ("condition", [_carrier_strength(h, "right") for h in all_heard],
                        {**one, "long_name": "vector strength of fibres at their tone, right"}),
        "beat": ("condition", [float(h.condition.look_at) for h in all_heard],
                 {**rate, "long_name": "where a modulation is looked for"}),
    }  # fmt: skip
    for what in ("cells", "pre"):
        found = [h.locking(what) for h in all_heard]
        columns |= {
            f"{what}_rate": ("condition", [h.rate(what) for h in all_heard], rate),
            f"{what}_strength": ("condition", [f.vector_strength for f in found],
                                 {**one, "long_name": f"vector strength of {what} at the beat"}),
            f"{what}_low": ("condition", [f.low for f in found], one),
            f"{what}_high": ("condition", [f.high for f in found], one),
            f"{what}_phase": ("condition", [f.mean_phase for f in found], {"units": "rad"}),
            f"{what}_p": ("condition", [f.p_value for f in found], {**one, "long_name": "Rayleigh test"}),
        }  # fmt: skip
    ideal = [result.ideal(name) for name in names]
    columns |= {
        "ideal_strength": ("condition", [f.vector_strength for f in ideal], one),
        "ideal_theory": ("condition", [result.theory(name) for name in names], one),
    }
    by_kind = np.array([[result.gained(name, kind) for kind in KINDS] for name in paired])
    full = {
        side: np.array(
            [[getattr(kinds[kind], side).mean() for kind in KINDS] for kinds in result.pairs.values()]
        )
        / float(duration)
        for side in ("change", "control")
    }
    per_second = {"units": "1/s", "long_name": "change of the weight per second"}
    histogram = [np.histogram(result.gaps_of(name), GAP_BINS)[0] for name in paired]
    columns |= {
        "change": (("pair_condition", "kind"), full["change"], per_second),
        "control": (("pair_condition", "kind"), full["control"], per_second),
        "by_the_beat": (("pair_condition", "kind"), by_kind[..., 0], per_second),
        "by_the_beat_error": (("pair_condition", "kind"), by_kind[..., 1], per_second),
        "gaps": (("pair_condition", "gap"), histogram, {**one, "long_name": "gaps of the driven pair"}),
    }
    return xr.Dataset(
        columns,
        {"condition": names, "pair_condition": paired, "kind": list(KINDS),
         "gap": ("gap", np.sqrt(GAP_BINS[1:] * GAP_BINS[:-1]), {"units": "s"})},
        {"trials": trials, "duration": float(duration), "duration_units": "s", "seed": seed},
    )  # fmt: skip


def _table(data: xr.Dataset) -> dict[str, Sequence[Any]]:
    of_pairs = data.reindex(pair_condition=data["condition"].values)
    found = {
        "condition": data["condition"].values.tolist(),
        "nerve, left": data["nerve_left"], "nerve, right": data["nerve_right"],
        "cells (Hz)": data["cells_rate"], "cells at the beat": data["cells_strength"],
        "from": data["cells_low"], "to": data["cells_high"], "Rayleigh p": data["cells_p"],
        "ideal": data["ideal_strength"], "ideal, theory": data["ideal_theory"],
        "pre (Hz)": data["pre_rate"], "pre at the beat": data["pre_strength"],
    }  # fmt: skip
    for k, kind in enumerate(KINDS):
        found[f"{kind}, change (1/s)"] = of_pairs["change"][:, k]
        found[f"{kind}, control (1/s)"] = of_pairs["control"][:, k]
    return {
        name: column if isinstance(column, list) else column.values.tolist() for name, column in found.items()
    }


def _findings(result: _Result) -> list[str]:
    def at_beat(name: str) -> str:
        found = result.heard[name].locking("cells")
        return f"{found.vector_strength:.3f} ({found.low:.3f} to {found.high:.3f})"

    none = ["diotic", "fixed phase", "one ear", "shuffled phases", "high carrier"]
    controls = [result.heard[name].locking("cells") for name in none]
    most, least = max(c.vector_strength for c in controls), min(c.p_value for c in controls)
    beat, swapped, jittered = (result.heard[n] for n in ("binaural beat", "swapped ears", "jittered beat"))
    known = jittered.locking_to_walk("cells").vector_strength
    medians = {f: 1e3 * np.median(result.gaps_of(f"beat of {f} Hz")) for f in BEATS}
    median = ", ".join(f"{gap:.1f} ms at {f} Hz (1/f = {1e3 / f:g} ms)" for f, gap in medians.items())
    late, late_error = result.gained("binaural beat", "quarter late")
    step, step_error = result.gained("binaural beat", "in step")
    driven, driven_error = result.gained("binaural beat", "driven")
    deep, deep_error = result.gained("monaural beat", "driven")
    driven_all = result.pairs["binaural beat"]["driven"].change.mean() / float(beat.duration)
    ideal, theory = result.ideal("binaural beat").vector_strength, result.theory("binaural beat")
    findings = [
        f"Tones of 500 and 510 Hz at different ears: binaural cells are modulated at 10 Hz, with vector "
        f"strength {at_beat('binaural beat')}, though the fibres of neither ear are. Ideal coincidences have "
        f"{ideal:.3f}, by theory {theory:.3f}.",
        f"With swapped ears the phase turns round: {beat.locking('cells').mean_phase:+.2f} and "
        f"{swapped.locking('cells').mean_phase:+.2f} rad.",
        f"Controls ({', '.join(none)}) have vector strengths of at most {most:.3f}; the smallest of their p "
        f"values is {least:.2g}, and {1 - (1 - least) ** len(none):.2g} as the smallest of {len(none)}.",
        f"A monaural beat modulates the same cells more: {at_beat('monaural beat')}.",
        f"If the phase of the beat wanders, {at_beat('jittered beat')} is left at 10 Hz, but {known:.2f} at "
        "the phase that the beat had at each moment.",
        "Gaps do not follow the beat. From a presynaptic spike to the next one of the neuron that it drives: "
        f"{median}, in the median.",
        f"Where pre drives post, the beat adds {driven:+.4f} +- {driven_error:.4f} per second to the weight, "
        f"of {driven_all:+.4f} in all: the rest is there without a beat, at the same presynaptic rate. Of a "
        f"monaural beat it is {deep:+.4f} +- {deep_error:.4f}.",
        f"Where both are modulated in step, it adds {step:+.4f} +- {step_error:.4f} per second; where post "
        f"is a quarter of a period late, {late:+.4f} +- {late_error:.4f}",
    ]
    if counts_all_pairs(result.rule):
        quarter, none_ = (result.predicted("binaural beat", 10, lag) for lag in (0.025, 0.0))
        findings[-1] += f" (by theory {none_:+.4f} and {quarter:+.4f})"
    findings[-1] += "."
    return findings


COLORS = {"driven": "#333333", "in step": "#2166ac", "quarter late": "#e08214"}
CELLS, PRE, IDEAL = "#2166ac", "#e08214", "#1b7837"


def _figure(result: _Result) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.5, 7.6), layout="constrained")
    (a, b, c), (d, e, f) = figure.subplots(2, 3)
    _draw_cycle(a, result)
    _draw_strengths(b, result)
    _draw_carriers(c, result)
    _draw_gaps(d, result)
    _draw_gains(e, result)
    _draw_tuning(f, result)
    for letter, axes in zip("ABCDEF", (a, b, c, d, e, f), strict=True):
        axes.spines[["right", "top"]].set_visible(False)
        axes.set_title(f"{letter}  {axes.get_title()}", loc="left", fontsize=10)
        axes.set_title("")
    return figure


def _draw_cycle(axes: Axes, result: _Result) -> None:
    """The rate of binaural cells over the cycle of the beat."""
    shown = {"monaural beat": IDEAL, "binaural beat": CELLS, "swapped ears": "#92c5de", "diotic": "0.35",
             "one ear": "0.7"}  # fmt: skip
    for name, color in shown.items():
        heard = result.heard[name]
        histogram = phase_histogram(together(heard.cells), heard.condition.look_at, N_BINS)
        rates = histogram.values / histogram.values.mean() * heard.rate("cells")
        axes.stairs(
            np.tile(rates, 2), np.linspace(0, 2, 2 * N_BINS + 1), color=color, label=name, linewidth=1.4
        )
    axes.set(
        xlabel="cycles of the beat (10 Hz)",
        ylabel="rate of a binaural cell (Hz)",
        xlim=(0, 2),
        ylim=(0, None),
    )
    axes.set_title("Two tones, one modulation")
    low, high = axes.get_ylim()
    axes.set_ylim(low, 1.45 * high)
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper right")


def _draw_strengths(axes: Axes, result: _Result) -> None:
    """Vector strengths at the beat, with intervals; no mark where a neuron hardly spikes."""
    names = list(CONDITIONS)
    for what, label, color, shift in (
        ("cells", "binaural cells", CELLS, -0.13),
        ("pre", "presynaptic", PRE, 0.13),
    ):
        for row, name in enumerate(names):
            found = result.heard[name].locking(what)
            if found.n < 100:
                if what == "cells":
                    axes.text(0.02, row, "hardly a spike", fontsize=8, color="0.5", va="center")
                continue
            axes.plot([found.low, found.high], [row + shift] * 2, color=color, linewidth=1.2)
            axes.plot(found.vector_strength, row + shift, "o", color=color, markersize=4.5,
                      label=label if row == 0 else None)  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xlabel="vector strength at the beat (95 %)", xlim=(-0.02, 1), ylim=(len(names) - 0.5, -0.5))
    axes.grid(axis="x", color="0.92")
    axes.set_title("Conditions and controls")
    axes.legend(frameon=False, fontsize=8, loc="lower right")


def _draw_carriers(axes: Axes, result: _Result) -> None:
    f = np.geomspace(200, 5000, 300) * hertz
    locked = nerve_locking(f)
    window = result.heard["binaural beat"].circuit.window
    axes.plot(np.asarray(f) / 1e3, locked, color="0.5", linewidth=1.2, label="nerve, at its tone (put in)")
    axes.plot(np.asarray(f) / 1e3, beat_strength(locked, locked, f, window), color=IDEAL, linewidth=1.2,
              label="ideal detector, theory")  # fmt: skip
    names = [f"carrier of {f} Hz" for f in CARRIERS]
    carriers = np.array(CARRIERS) / 1e3
    for label, color, marker, found in (
        ("ideal detector", IDEAL, "s", [result.ideal(name) for name in names]),
        ("binaural cells", CELLS, "o", [result.heard[name].locking("cells") for name in names]),
    ):
        for x, each in zip(carriers, found, strict=True):
            axes.plot([x, x], [each.low, each.high], color=color, linewidth=1.2)
        axes.plot(
            carriers,
            [each.vector_strength for each in found],
            marker,
            color=color,
            markersize=4.5,
            label=label,
        )
    axes.set_xscale("log")
    axes.set_xticks([0.25, 0.5, 1, 2, 4], ["0.25", "0.5", "1", "2", "4"])
    axes.minorticks_off()
    axes.set(xlabel="carrier (kHz)", ylabel="vector strength", ylim=(0, 1))
    axes.set_title("The beat fades with phase locking")
    axes.legend(frameon=False, fontsize=8, loc="upper right", bbox_to_anchor=(1.02, 1.02))


def _draw_gaps(axes: Axes, result: _Result) -> None:
    for beat, color in zip(BEATS, ("#08306b", "#2171b5", "#6baed6", "#e08214"), strict=True):
        found = result.gaps_of(f"beat of {beat} Hz")
        counts = np.histogram(found, GAP_BINS)[0] / max(len(found), 1)
        axes.stairs(100 * counts, 1e3 * GAP_BINS, color=color, linewidth=1.3, label=f"{beat} Hz")
        axes.plot(1e3 / beat, 0.6, "v", color=color, markersize=7, clip_on=False, zorder=3)
    axes.set_xscale("log")
    axes.set_xticks([1, 10, 100], ["1", "10", "100"])
    axes.set(
        xlabel="gap from pre to the next post (ms)",
        ylabel="gaps (% per bin)",
        xlim=(0.5, 500),
        ylim=(0, None),
    )
    axes.set_title("Gaps of a driven pair are not 1/f")
    axes.legend(
        frameon=False, fontsize=8, title="beat f (triangle: 1/f)", title_fontsize=8, loc="upper right"
    )


def _draw_gains(axes: Axes, result: _Result) -> None:
    names = list(CONDITIONS)
    for kind, shift in zip(KINDS, (-0.22, 0.0, 0.22), strict=True):
        for row, name in enumerate(names):
            mean, error = result.gained(name, kind)
            axes.errorbar(mean, row + shift, xerr=2 * error, color=COLORS[kind], fmt="o", markersize=4,
                          linewidth=1.2, label=kind if row == 0 else None)  # fmt: skip
            if abs(mean) > MOST_SHOWN:
                axes.annotate(f"{mean:.2f} +- {2 * error:.2f}  ", (np.sign(mean) * MOST_SHOWN, row + shift),
                              (-28, 0), "data", "offset points", {"arrowstyle": "->", "color": COLORS[kind]},
                              color=COLORS[kind], fontsize=8, ha="right", va="center")  # fmt: skip
    axes.axvline(0, color="0.8", linewidth=0.8, zorder=0)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xlabel="weight change minus control (1/s; 2 standard errors)", xlim=(-MOST_SHOWN, MOST_SHOWN))
    axes.set_title("What of a weight change is the beat")
    axes.legend(frameon=False, fontsize=8, loc="lower right")


def _draw_tuning(axes: Axes, result: _Result) -> None:
    for kind, part in (("in step", 0.0), ("quarter late", 0.25)):
        if counts_all_pairs(result.rule):
            f = np.geomspace(2, 60, 100)
            curve = [result.predicted("binaural beat", x, part / x) for x in f]
            axes.plot(
                f, curve, color=COLORS[kind], linewidth=1.2, label=f"{kind}, theory at equal modulation"
            )
        found = np.array([result.gained(f"beat of {x} Hz", kind) for x in BEATS])
        axes.errorbar(BEATS, found[:, 0], 2 * found[:, 1], color=COLORS[kind], fmt="o", markersize=4.5,
                      linewidth=1.2, label=kind)  # fmt: skip
    axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    axes.set_xscale("log")
    axes.set_xticks([2, 4, 10, 20, 40], ["2", "4", "10", "20", "40"])
    axes.minorticks_off()
    axes.set(xlabel="beat (Hz)", ylabel="weight change minus control (1/s)")
    axes.set_title("It takes a lag, and depends on the window")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.5 * (high - low))
    axes.legend(frameon=False, fontsize=8, loc="upper right")


STUDY = Study(
    "binaural-beats",
    "What of a binaural beat reaches a synapse, and what does plasticity make of it?",
    "Controls and limits after Oster 1973, Schwarz & Taylor 2005, Orozco Perez et al. 2020; see the notes",
    run,
)
