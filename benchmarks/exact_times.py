"""How far spike times are from the true ones, and what that costs: exact times and grids, Eccles and NEST.

``python benchmarks/exact_times.py [--out FIGURE.png] [--only driven,HH] [--repeat 3] [--quick]``

- *driven*: uncoupled LIF neurons, given trains (`workloads/driven.py`); reference: closed form, 34 digits.
- *coupled*: the same with recurrent synapses, for a short time, as errors grow.
- *AdEx* (three cut-offs), *HH*: Eccles alone; reference: SciPy's DOP853 at a relative tolerance of 3e-14.

The error of a true spike is the distance of the nearest spike that was found of that neuron. *Miscounted*
sums the differences between numbers of spikes over neurons.
"""

import argparse
import importlib
import json
import re
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from machine import SCRATCH, describe, environment, last_marked, python_for, skip_reasons
from measure import N_UNCHANGED, Stopwatch, quiet_nest, timed_run
from workloads import smooth
from workloads.driven import drive

MARK = "TIMES "
TIMEOUT_S = 600
STEPS_MS = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
FEW_STEPS_MS = (1.0, 0.1, 0.05, 0.01)
N_COMPARED = 100  # of the uncoupled neurons: a reference with 34 digits takes its time
ADEX_MS, HH_MS = 300.0, 200.0
SHOWN_MS = 1e-14  # a logarithmic axis has no place for an error of 0


@dataclass(frozen=True)
class Line:
    """One line of a figure: a simulator in one mode, at several steps.

    Parameters
    ----------
    simulator
        "eccles" or "nest".
    options
        Passed to `build`.
    steps
        In ms.
    """

    name: str
    simulator: str
    options: dict[str, Any] = field(default_factory=dict)
    steps: tuple[float, ...] = STEPS_MS


@dataclass(frozen=True)
class Case:
    """A network, its lines, and its true spike times (one array in ms per neuron)."""

    about: str
    lines: tuple[Line, ...]
    seconds: float
    reference: Callable[[], list[np.ndarray]]
    build: Callable[..., Any]


NEST_LINES = (
    Line("NEST iaf_psc_exp_ps", "nest", {"precise": True, "shift": False}),
    Line("NEST iaf_psc_exp_ps, delays moved into the trains", "nest", {"precise": True, "shift": True}),
    Line("NEST iaf_psc_exp (grid)", "nest", {"precise": False, "shift": False}),
)
LIF_LINES = (
    Line("Eccles, exact", "eccles", {"spike_times": "precise"}),
    Line("Eccles, grid", "eccles", {"spike_times": "grid"}),
    *NEST_LINES,
)


def smooth_lines(grid_method: str) -> tuple[Line, ...]:
    """Of neurons that have no closed form: the default, other tolerances and methods, and the grid."""

    def line(
        name: str, mode: str, method: str | None = None, tolerance: float | None = None, steps=FEW_STEPS_MS
    ):
        options: dict[str, Any] = {"spike_times": mode}
        options |= {} if method is None else {"method": method}
        options |= {} if tolerance is None else {"method_options": {"tolerance": tolerance}}
        return Line(name, "eccles", options, steps)

    return (
        line("exact, default (dopri5, 1e-8)", "precise"),
        line("exact, dopri5, 1e-6", "precise", tolerance=1e-6),
        line("exact, dopri5, 1e-12", "precise", tolerance=1e-12),
        line("exact, rk4", "precise", "rk4", steps=FEW_STEPS_MS[1:]),
        line("grid, rk4", "grid", "rk4", steps=FEW_STEPS_MS[1:]),
        line(f"grid, {grid_method}", "grid", grid_method, steps=FEW_STEPS_MS[1:]),
    )


def driven_case(about: str, n_compared: int | None, **size: Any) -> Case:
    def reference():
        from reference import driven_spikes  # mpmath is not in the peers' environment

        return driven_spikes(drive(**size), n_compared)

    def build(sim, **options):
        module = "nest_driven" if hasattr(sim, "ResetKernel") else "driven"
        return importlib.import_module(f"workloads.{module}").build(sim, given=drive(**size), **options)

    return Case(about, LIF_LINES, size["seconds"], reference, build)


def adex_case(cut_off_mv: float) -> Case:
    def reference():
        from reference import solve

        return [
            solve(smooth.adex_rhs(nA), (-70.6, 0.0), ADEX_MS, cut_off_mv, reset=smooth.adex_reset)
            for nA in smooth.adex_currents()
        ]

    def build(sim, **options):
        return smooth.build_adex(sim, cut_off_mv=cut_off_mv, **options)

    return Case(
        f"adaptive exponential neurons, cut off at {cut_off_mv:g} mV",
        smooth_lines("euler"),
        ADEX_MS / 1000,
        reference,
        build,
    )


def hh_case() -> Case:
    def reference():
        from reference import solve

        kicks = [(t, smooth.KICK_MV) for t in smooth.kick_times(HH_MS)]
        return [
            solve(
                smooth.hh_rhs(current),
                smooth.HH_START,
                HH_MS,
                smooth.HH_THRESHOLD_MV,
                refractory=smooth.HH_REFRACTORY_MS,
                kicks=kicks,
            )
            for current in smooth.hh_currents()
        ]

    def build(sim, **options):
        return smooth.build_hh(sim, ms=HH_MS, **options)

    return Case(
        "Hodgkin-Huxley neurons, kicked off the grid",
        smooth_lines("exponential_euler"),
        HH_MS / 1000,
        reference,
        build,
    )


def cases(quick: bool) -> dict[str, Case]:
    n, seconds = (100, 0.2) if quick else (1000, 1.0)
    n_coupled, seconds_coupled = (20, 0.1) if quick else (200, 0.3)
    return {
        "driven": driven_case(
            f"{n} uncoupled LIF neurons with exponential currents, given trains",
            N_COMPARED,
            n=n,
            seconds=seconds,
        ),
        "coupled": driven_case(
            f"{n_coupled} LIF neurons, given trains and 10 recurrent synapses each",
            None,
            n=n_coupled,
            seconds=seconds_coupled,
            recurrent=True,
        ),
        "AdEx-40": adex_case(-40.0),
        "AdEx-20": adex_case(-20.0),
        "AdEx-0": adex_case(0.0),
        "HH": hh_case(),
    }


# -- one measurement, in a process of its own ---------------------------------------------------------


def run_eccles(case: Case, line: Line, dt_ms: float) -> tuple[float, np.ndarray, np.ndarray, float]:
    """Seconds of the loop, neuron and time (ms) of each spike, and spans of their own per spike."""
    sim = importlib.import_module("eccles")
    sim.defaultclock.dt = dt_ms * sim.ms
    built, spikes = case.build(sim, **line.options)
    nothing = 0 * sim.second
    built.network.run(nothing)
    unchanged = median(timed_run(built.network, nothing)[0] for _ in range(N_UNCHANGED))
    wall, _ = timed_run(built.network, case.seconds * sim.second)
    groups = [obj for obj in built.network.objects if isinstance(obj, sim.NeuronGroup)]
    spans = sum(group.n_spans for group in groups) / max(1, len(spikes.i))
    return max(wall - unchanged, 0.0), np.asarray(spikes.i), np.asarray(spikes.t) * 1000, spans


def run_nest(case: Case, line: Line, dt_ms: float) -> tuple[float, np.ndarray, np.ndarray, float]:
    nest: Any = importlib.import_module("nest")
    quiet_nest(nest)
    nest.ResetKernel()
    nest.resolution = dt_ms
    _, recorder = case.build(nest, **line.options)
    nest.Prepare()
    with Stopwatch() as running:
        nest.Run(case.seconds * 1000)
    nest.Cleanup()
    events = recorder.events
    return running.wall, np.asarray(events["senders"]) - 1, np.asarray(events["times"]), np.nan


def measure_here(case: Case, line: Line, dt_ms: float, file: Path) -> None:
    run = run_nest if line.simulator == "nest" else run_eccles
    loop_s, index, times, spans = run(case, line, dt_ms)
    np.savez(file, index=index, times=times)
    print(MARK + json.dumps({"loop_s": loop_s, "spans": None if np.isnan(spans) else spans}))


# -- all of them --------------------------------------------------------------------------------------


def errors(reference: list[np.ndarray], index: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, int]:
    """Distance of each true spike from the nearest one found (ms), and the difference in numbers."""
    distances, miscounted = [], 0
    for neuron, true in enumerate(reference):
        found = np.sort(times[index == neuron])
        miscounted += abs(len(found) - len(true))
        if len(found) == 0:
            distances.append(np.full(len(true), np.inf))
            continue
        after = (
            np.searchsorted(found, true).clip(1, len(found) - 1)
            if len(found) > 1
            else np.zeros(len(true), int)
        )
        distances.append(np.minimum(np.abs(found[after] - true), np.abs(found[after - 1] - true)))
    return np.concatenate(distances), miscounted


def problem(stderr: str) -> str:
    """The line of a traceback that names the error; what follows it are explanations."""
    lines = stderr.strip().splitlines() or ["no result"]
    return next((line for line in reversed(lines) if re.match(r"[\w.]*Error: ", line)), lines[-1])


def one_point(
    name: str, number: int, line: Line, dt_ms: float, options: list[str], repeat: int, reference
) -> dict:
    """Median loop time and the errors of one line at one step."""
    loops, spans = [], None
    with tempfile.TemporaryDirectory(prefix="exact-times-") as scratch:
        file = Path(scratch) / "spikes.npz"
        command = [python_for(line.simulator), __file__, *options]
        command += ["--measure", name, str(number), str(dt_ms), str(file)]
        for _ in range(repeat):
            try:
                done = subprocess.run(
                    command, capture_output=True, text=True, env=environment(), timeout=TIMEOUT_S, check=False
                )
            except subprocess.TimeoutExpired:
                return {"failed": f"took longer than {TIMEOUT_S} s"}
            found = last_marked(done.stdout, MARK)
            if found is None:
                return {"failed": problem(done.stderr)}
            loops.append(found["loop_s"])
            spans = found["spans"]
        with np.load(file) as spikes:
            distance, miscounted = errors(reference, spikes["index"], spikes["times"])
    return {
        "loop_s": median(loops),
        "median_ms": float(np.median(distance)),
        "p99_ms": float(np.quantile(distance, 0.99)),
        "spikes": len(distance),
        "miscounted": miscounted,
        "spans_per_spike": spans,
    }


def draw(results: dict, path: Path) -> None:
    """Error against run time, a line per simulator and mode; small figures are steps in ms."""
    from matplotlib.figure import Figure

    shown = [name for name, case in results.items() if any("loop_s" in p for p in case["points"])]
    n_columns = min(2, len(shown))
    n_rows = -(-len(shown) // n_columns)
    figure = Figure(figsize=(7.5 * n_columns, 5 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax in axes[len(shown) :]:
        ax.set_visible(False)
    for ax, name in zip(axes, shown, strict=False):
        points = results[name]["points"]
        # a line that failed keeps its colour, so that figures can be compared
        for number, line in enumerate(dict.fromkeys(p["line"] for p in points)):
            mine = [p for p in points if p["line"] == line and "loop_s" in p]
            if not mine:
                continue
            seconds = [p["loop_s"] for p in mine]
            colour = f"C{number}"
            ax.plot(seconds, [max(p["median_ms"], SHOWN_MS) for p in mine], "o-", color=colour, label=line)
            ax.plot(seconds, [max(p["p99_ms"], SHOWN_MS) for p in mine], ":", color=colour, lw=1)
            for p in (mine[0], mine[-1]):
                ax.annotate(
                    f"{p['dt']:g}",
                    (p["loop_s"], max(p["median_ms"], SHOWN_MS)),
                    textcoords="offset points",
                    xytext=(5, 5),
                    fontsize=7,
                    color=colour,
                )
        ax.set(xscale="log", yscale="log", xlabel="loop (s)", ylabel="error of spike times (ms)")
        ax.set_title(f"{name}: {results[name]['about']}", fontsize=9)
        ax.grid(alpha=0.3)
        ax.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2)
    figure.suptitle("solid: median, dotted: 99 %; numbers at the ends: time step in ms", fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="figure to write")
    parser.add_argument("--only", help="cases, separated by commas")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small networks, few steps: does it still work?")
    parser.add_argument("--json", type=Path, default=SCRATCH / "exact_times.json", help="everything measured")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)  # how this script starts itself
    chosen = parser.parse_args()
    known = cases(chosen.quick)
    if chosen.measure:
        name, number, dt_ms, file = chosen.measure
        measure_here(known[name], known[name].lines[int(number)], float(dt_ms), Path(file))
        return
    wanted = chosen.only.split(",") if chosen.only else list(known)
    if unknown := [name for name in wanted if name not in known]:
        raise SystemExit(f"unknown case: {', '.join(unknown)}; there are {', '.join(known)}")
    reasons = skip_reasons()
    options = ["--quick"] if chosen.quick else []
    print(*(f"- {name}: {value}" for name, value in describe().items()), sep="\n")
    results: dict = {}
    for name in wanted:
        case = known[name]
        reference = case.reference()
        print(f"\n**{name}**: {case.about}; {case.seconds:g} s, {sum(map(len, reference))} spikes compared\n")
        print(
            "| | dt (ms) | loop (s) | median error (ms) | 99 % (ms) | miscounted | spans per spike |\n"
            "|---|---|---|---|---|---|---|"
        )
        results[name] = {"about": case.about, "points": []}
        for number, line in enumerate(case.lines):
            if reasons[line.simulator]:
                print(f"| {line.name} | skipped: {reasons[line.simulator]} |")
                continue
            for dt_ms in line.steps if not chosen.quick else line.steps[:4:3]:
                repeat = 1 if chosen.quick else chosen.repeat
                point = one_point(name, number, line, dt_ms, options, repeat, reference)
                results[name]["points"].append({"line": line.name, "dt": dt_ms, **point})
                if "failed" in point:
                    print(f"| {line.name} | {dt_ms:g} | failed: {point['failed']} |", flush=True)
                    continue
                spans = "" if point["spans_per_spike"] is None else f"{point['spans_per_spike']:.1f}"
                print(
                    f"| {line.name} | {dt_ms:g} | {point['loop_s']:.3g} | {point['median_ms']:.2g} "
                    f"| {point['p99_ms']:.2g} | {point['miscounted']} | {spans} |",
                    flush=True,
                )
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(results, indent=1) + "\n")
    if chosen.out is not None:
        draw(results, chosen.out)
        print(f"\nfigure: {chosen.out}")


if __name__ == "__main__":
    main()
