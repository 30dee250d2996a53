"""What sweeps cost: against loops and groups made by hand, in Eccles, NEST and Brian 2.

``python benchmarks/sweeps.py [--only STDP,pairs,CUBA] [--repeat 5] [--quick]``

- *STDP*: 100 conditions of 150 ms, (`workloads/sweep_stdp.py`).
- *pairs*: W2's 10,000 pairs as conditions, and the same as one group by hand (`workloads/sweep_pairs.py`).
- *CUBA*: 250, 500 and 1000 conditions of a network, on one and two threads (`workloads/sweep_cuba.py`).

Whole calls, building included, after imports. *STDP* is measured three ways: the first call of a process
that finds an empty cache of machine code, of one that finds a filled cache, and later calls. The other
questions are about later calls, in alternation. Medians.
"""

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from machine import HERE, SCRATCH, describe, environment, last_marked, python_for, skip_reasons
from measure import MODULES, quiet_nest

MARK = "SWEEP "
TIMEOUT_S = 1200
MODES = ("precise", "grid")
COLD_AIM_S, HAND_AIM, THREADS_AIM = 0.1, 2.0, 1.9
OURS, NEST_GROUP = "Eccles, sweep", "NEST, one group"


@dataclass(frozen=True)
class Variant:
    """One way to get the 100 weights.

    Parameters
    ----------
    simulator
        As `measure.py` names it.
    way
        Function of the workload's file.
    options
        Brian 2's target for generated code.
    slow
        Measured once, by a first call with a filled cache.
    """

    simulator: str
    way: str
    target: str | None = None
    slow: bool = False


VARIANTS = {
    OURS: Variant("eccles-precise", "by_sweep"),
    "Eccles, one group by hand": Variant("eccles-precise", "by_group"),
    "Eccles, loop": Variant("eccles-precise", "by_loop"),
    NEST_GROUP: Variant("nest", "by_group"),
    "NEST, one group, delays of one step": Variant("nest", "by_group_with_short_delays"),
    "NEST, loop with ResetKernel": Variant("nest", "by_loop"),
    "Brian 2 (NumPy), one group": Variant("brian2-cython", "by_group", "numpy"),
    "Brian 2 (NumPy), loop": Variant("brian2-cython", "by_loop", "numpy", slow=True),
    "Brian 2 (Cython), one group": Variant("brian2-cython", "by_group", "cython"),
    "Brian 2 (Cython), loop": Variant("brian2-cython", "by_loop", "cython", slow=True),
}


# -- in a process of its own --------------------------------------------------------------------------


def seconds_of(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    found = call()
    return time.perf_counter() - start, found


def measure_stdp(name: str, size: int, repeat: int, cache: str) -> dict:
    """Calls of one variant, and how far its weights are from the true ones."""
    from workloads import sweep_stdp

    variant = VARIANTS[name]
    sim = importlib.import_module(MODULES[variant.simulator])
    workload = "sweep_nest_stdp" if variant.simulator == "nest" else "sweep_stdp"
    way = getattr(importlib.import_module(f"workloads.{workload}"), variant.way)
    if variant.way == "by_sweep":
        # an import as the others: a third of a second, and as much for Dask, which the first Dataset imports
        importlib.import_module("xarray").Dataset({"nothing": ("none", np.zeros(0))})
    if variant.simulator == "nest":
        quiet_nest(sim)
    if variant.target:
        sim.prefs.codegen.target = variant.target
        sim.prefs.codegen.runtime.cython.cache_dir = cache
    gaps = sweep_stdp.gaps_ms(size)
    calls = [seconds_of(lambda: way(sim, gaps)) for _ in range(1 if variant.slow else 1 + repeat)]
    error = max(float(np.abs(found - sweep_stdp.true_weights(gaps)).max()) for _, found in calls)
    return {"first": calls[0][0], "later": [seconds for seconds, _ in calls[1:]], "error": error}


def measure_pairs(mode: str, size: int, repeat: int, _: str) -> dict:
    """Both ways in alternation, and how far their weights differ."""
    from workloads import sweep_pairs

    import eccles

    later: dict[str, list[float]] = {"by_hand": [], "by_sweep": []}
    weights = {way: getattr(sweep_pairs, way)(eccles, size, mode) for way in later}
    for _turn in range(repeat):
        for way, calls in later.items():
            calls.append(seconds_of(lambda way=way: getattr(sweep_pairs, way)(eccles, size, mode))[0])
    differences = np.abs(weights["by_sweep"] - weights["by_hand"])
    return later | {"error": float(differences.max()), "n_different": int((differences > 0).sum())}


def measure_cuba(mode: str, size: int, repeat: int, _: str) -> dict:
    """Each number of conditions on each number of threads, in alternation; and one run by itself."""
    from workloads import sweep_cuba

    import eccles

    cases = [(n, threads) for n in (size // 4, size // 2, size) for threads in (1, 2)]
    later: dict[str, list[float]] = {f"{n} {threads}": [] for n, threads in cases}
    counts: dict[int, np.ndarray] = {}
    equal = True
    for threads in (1, 2):
        sweep_cuba.by_sweep(eccles, mode, 2, threads)  # compiles
    for _turn in range(repeat):
        for n, threads in cases:
            seconds, found = seconds_of(lambda n=n, k=threads: sweep_cuba.by_sweep(eccles, mode, n, k))
            equal &= np.array_equal(counts.setdefault(n, found), found)
            later[f"{n} {threads}"].append(seconds)
    model, middling = sweep_cuba.cuba_model(eccles, mode), sweep_cuba.weights_mv(3)[1] * eccles.mV
    alone = [seconds_of(lambda: model(middling))[0] for _ in range(10)]
    rate = float(counts[size].mean()) / sweep_cuba.SECONDS
    return {"later": later, "equal": equal, "rate": rate, "alone": median(alone)}


MEASURES = {"STDP": measure_stdp, "pairs": measure_pairs, "CUBA": measure_cuba}


# -- processes, in alternation ------------------------------------------------------------------------


def in_a_process(question: str, name: str, simulator: str, size: int, repeat: int, cache: Path) -> dict:
    """One measurement; a dict with "failed" where it brought no result."""
    command = [python_for(simulator), str(HERE / "sweeps.py"), "--measure", question, "--name", name]
    command += ["--size", str(size), "--repeat", str(repeat), "--cache", str(cache)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment(ECCLES_CACHE_DIR=str(cache)),
        timeout=TIMEOUT_S,
        check=False,
    )
    found = last_marked(done.stdout, MARK)
    if done.returncode == 0 and found is not None:
        return found
    return {"failed": (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]}


def cold_and_warm(question: str, name: str, simulator: str, size: int, repeat: int) -> dict:
    """A process with an empty cache, and one that finds what the first has compiled."""
    with tempfile.TemporaryDirectory(prefix="bench-cache-") as cache:
        cold = in_a_process(question, name, simulator, size, 0, Path(cache))
        warm = in_a_process(question, name, simulator, size, repeat, Path(cache))
    return warm | {"cold": cold.get("first")}


def with_empty_cache(question: str, name: str, size: int, repeat: int) -> dict:
    """Eccles in a process with an empty cache, which counts calls after the first."""
    with tempfile.TemporaryDirectory(prefix="bench-cache-") as cache:
        return in_a_process(question, name, "eccles-precise", size, repeat, Path(cache))


def with_kept_cache(question: str, name: str, simulator: str, size: int, repeat: int) -> dict:
    """Brian 2's compiled code takes minutes: it is kept between benchmarks."""
    folder = SCRATCH / "cython" / "sweeps"
    folder.mkdir(parents=True, exist_ok=True)
    return in_a_process(question, name, simulator, size, repeat, folder)


def measure_variants(skipped: dict[str, str | None], size: int, repeat: int) -> dict[str, list[dict]]:
    """All measurements by variant; slow ones are measured once."""
    found: dict[str, list[dict]] = {name: [] for name in VARIANTS}
    for turn in range(repeat):
        for name, variant in VARIANTS.items():
            if skipped[variant.simulator] or (variant.slow and turn):
                continue
            way = cold_and_warm if variant.simulator.startswith("eccles") else with_kept_cache
            found[name].append(way("STDP", name, variant.simulator, size, repeat))
            print(f"STDP {name} {turn + 1}: {found[name][-1]}", file=sys.stderr)
    return found


# -- tables -------------------------------------------------------------------------------------------


def number(values: list[float]) -> str:
    return f"{median(values):.3g}" if values else "-"


def verdict(found: float, aim: float) -> str:
    return f"{aim:.3g} {'met' if found <= aim else 'MISSED'}"


def collected(measurements: list[dict], key: str) -> list[float]:
    """All values of a key, whether a measurement has one, several or none."""
    found = [m[key] for m in measurements if m.get(key) is not None]
    return [value for item in found for value in (item if isinstance(item, list) else [item])]


def stdp_table(skipped: dict[str, str | None], size: int, repeat: int) -> None:
    """Weights of STDP conditions: how long, and how exact."""
    found = measure_variants(skipped, size, repeat)
    print(f"\n{size} STDP conditions of 150 ms, whole call, s:\n")
    print("| | empty cache | first call, filled cache | later calls | largest error of a weight |")
    print("|---|---|---|---|---|")
    for name, variant in VARIANTS.items():
        problem = skipped[variant.simulator] or next(
            (m["failed"] for m in found[name] if "failed" in m), None
        )
        if problem:
            print(f"| {name} | {problem} |")
            continue
        times = [number(collected(found[name], key)) for key in ("cold", "first", "later")]
        print(f"| {name} | {' | '.join(times)} | {max(collected(found[name], 'error')):.1e} |")
    ours, nest = found[OURS], collected(found[NEST_GROUP], "later")
    later, cold = collected(ours, "later"), collected(ours, "cold")
    if later and nest:
        aim = median(nest)
        print(f"\ncompiled, at most NEST's one group: {verdict(median(later), aim)}")
        print(f"\nempty cache, at most {COLD_AIM_S} s more: {verdict(median(cold), aim + COLD_AIM_S)}")


def pairs_table(size: int, repeat: int) -> None:
    """W2's pairs: the sweep against one group by hand."""
    print(f"\n{size} conditions of the pair model of W2 (1 s), whole call, program compiled, s:\n")
    print(
        "| spike times | group by hand | sweep | sweep / by hand | aim | weights that differ | by at most |"
    )
    print("|---|---|---|---|---|---|---|")
    for mode in MODES:
        found = with_empty_cache("pairs", mode, size, repeat)
        if "failed" in found:
            print(f"| {mode} | {found['failed']} |")
            continue
        ratio = median(found["by_sweep"]) / median(found["by_hand"])
        times = f"{number(found['by_hand'])} | {number(found['by_sweep'])} | {ratio:.2f}"
        differ = f"{found['n_different']} | {found['error']:.1e}"
        print(f"| {mode} | {times} | {verdict(ratio, HAND_AIM)} | {differ} |")


def cuba_table(size: int, repeat: int) -> None:
    """CUBA: linear in the number of conditions, and what a second thread brings."""
    print("\nCUBA with 400 neurons for 1 s, whole call, program compiled, s:\n")
    print("| spike times | conditions | 1 thread | ms per condition | 2 threads | 1 / 2 | aim |")
    print("|---|---|---|---|---|---|---|")
    told = []
    for mode in MODES:
        found = with_empty_cache("CUBA", mode, size, min(repeat, 3))
        if "failed" in found:
            print(f"| {mode} | {found['failed']} |")
            continue
        for n in (size // 4, size // 2, size):
            one, two = (median(found["later"][f"{n} {threads}"]) for threads in (1, 2))
            met = "met" if one / two >= THREADS_AIM else "MISSED"
            print(
                f"| {mode} | {n} | {one:.3g} | {one / n * 1000:.3g} | {two:.3g} | {one / two:.2f} |"
                f" {THREADS_AIM} {met} |"
            )
        told.append(
            f"{mode}: one condition by itself, building included: {found['alone'] * 1000:.3g} ms;"
            f" {found['rate']:.3g} spikes per second and neuron;"
            f" the same counts on 1 and 2 threads: {found['equal']}"
        )
    print("", *told, sep="\n")


def measure_here(chosen: argparse.Namespace) -> None:
    measure = MEASURES[chosen.measure]
    print(MARK + json.dumps(measure(chosen.name, chosen.size, chosen.repeat, chosen.cache)))


def main() -> None:
    parser = argparse.ArgumentParser(description="What sweeps cost.")
    parser.add_argument("--only", default=",".join(MEASURES), help="questions, separated by commas")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="few conditions: does everything still work?")
    for name, kind in (("measure", str), ("name", str), ("size", int), ("cache", str)):
        parser.add_argument(f"--{name}", type=kind, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        measure_here(chosen)
        return
    questions = chosen.only.split(",")
    repeat = 1 if chosen.quick else chosen.repeat
    print(*(f"- {name}: {value}" for name, value in describe().items()), sep="\n")
    if "STDP" in questions:
        stdp_table(skip_reasons(), 10 if chosen.quick else 100, repeat)
    if "pairs" in questions:
        pairs_table(100 if chosen.quick else 10_000, repeat)
    if "CUBA" in questions:
        cuba_table(20 if chosen.quick else 1000, repeat)


if __name__ == "__main__":
    main()
