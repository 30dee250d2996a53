"""Tables from the results of `run.py`; ``python benchmarks/report.py FILE`` prints those of a stored file."""

import json
import math
import sys
from pathlib import Path
from statistics import median

from workloads import PRECISE, ROWS, Aim, Row

OURS = ("eccles", PRECISE)
REFERENCES = ("brian2-cpp", "brian2-cython", "eccles", "nest")  # the first that ran is compared with


def seconds(value: float | None) -> str:
    """Three digits."""
    return "-" if value is None else f"{value:.3g}"


def values(measurements: list[dict], key: str) -> list[float]:
    return [m[key] for m in measurements if m.get(key) is not None]


def middle(measurements: list[dict], key: str) -> float | None:
    found = values(measurements, key)
    return median(found) if found else None


def warm(simulator: str, measurements: list[dict]) -> list[dict]:
    """Of Brian's runtime mode, those that found generated code in place, if there are any."""
    at_work = [m for m in measurements if not m["cold"]]
    return at_work if simulator == "brian2-cython" and at_work else measurements


def first_ever(simulator: str, measurements: list[dict]) -> float | None:
    """Build and compile seconds of Brian's runtime mode with an empty cache."""
    cold = [m for m in measurements if m["cold"]]
    if simulator != "brian2-cython" or not cold:
        return None
    return cold[0]["build_s"] + cold[0]["compile_s"]


def disturbed(measurements: list[dict]) -> str:
    """Mark loops that waited for a processor, or used more than one."""
    pairs = [(m["run_s"], m["run_cpu_s"]) for m in measurements if m.get("run_cpu_s")]
    odd = any(not 0.9 < wall / cpu < 1.15 for wall, cpu in pairs if wall > 0.05)
    return " (!)" if odd else ""


def ratio(peer: list[dict], ours: list[dict], key: str) -> float | None:
    above, below = middle(peer, key), middle(ours, key)
    return above / below if above is not None and below else None


def judged(found: float | None, aim: Aim | None) -> str:
    """A ratio with its aim beside it."""
    if found is None:
        return "-"
    if aim is None:
        return f"{found:.1f}x"
    wish = f", wish {aim.wish:.3g}" if aim.wish is not None else ""
    return f"{found:.1f}x (aim {aim.least:.3g}{wish}) {'met' if found >= aim.least else 'MISSED'}"


def tolerances(row: Row, simulator: str, reference: str, simulated: float) -> dict[str, float]:
    """Largest relative differences; a shorter run has relatively larger statistical errors."""
    chosen = row.loose_agreement.get(simulator, row.loose_agreement.get(reference, row.agreement))
    return {key: limit * math.sqrt(max(row.seconds / simulated, 1.0)) for key, limit in chosen.items()}


def disagreements(row: Row, found: dict[str, list[dict]]) -> list[str]:
    """One line for each check value that differs between simulators by more than it may."""
    reference = next((name for name in REFERENCES if values(found.get(name, []), "run_s")), None)
    if reference is None:
        return []
    lines = []
    expected = found[reference][0]["check"]
    for simulator, measurements in found.items():
        for m in measurements:
            if simulator == reference or "check" not in m:
                continue
            for key, limit in tolerances(row, simulator, reference, m["simulated_s"]).items():
                if key not in m["check"] or key not in expected:
                    continue
                if not math.isclose(m["check"][key], expected[key], rel_tol=limit, abs_tol=1e-6):
                    lines.append(
                        f"{simulator}: {key} = {m['check'][key]:.6g}, {reference} has {expected[key]:.6g} "
                        f"(allowed: {limit:.2g})"
                    )
    return sorted(set(lines))


def measured_lines(found: dict[str, list[dict]]) -> list[str]:
    head = (
        "| simulator | import | build | compile | first ever | unchanged call | loop: median (min - max) "
        "| peak MiB | B/synapse | check |"
    )
    lines = [head, "|---|---|---|---|---|---|---|---|---|---|"]
    for simulator, every in found.items():
        failed = [m["failed"] for m in every if "failed" in m]
        good = [m for m in every if "failed" not in m]
        if failed or not good:
            lines.append(f"| {simulator} | failed: {(failed or ['no result'])[0]} |")
            continue
        at_work = warm(simulator, good)
        loops = values(good, "run_s")
        spread = f"{seconds(median(loops))} ({seconds(min(loops))} - {seconds(max(loops))})"
        # a network that is too small says nothing about synapses
        large = good[0]["n_synapses"] >= 10**6
        size = middle(good, "bytes_per_synapse")
        check = ", ".join(f"{key} {value:.5g}" for key, value in good[0]["check"].items())
        cells = (
            simulator,
            seconds(middle(at_work, "import_s")),
            seconds(middle(at_work, "build_s")),
            seconds(middle(at_work, "compile_s")),
            seconds(first_ever(simulator, good)),
            seconds(middle(at_work, "second_s")),
            spread + disturbed(good),
            "-" if middle(good, "peak_mib") is None else f"{middle(good, 'peak_mib'):.0f}",
            f"{size:.0f}" if large and size is not None else "-",
            check,
        )
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def size_lines(row: Row, found: dict[str, list[dict]], quick: bool) -> list[str]:
    """Where synapses are many: what an event costs, neurons included, and the bytes aimed at."""
    n = (row.quick_size if quick else row.size).get("n")
    lines = []
    for simulator, every in found.items():
        good = [m for m in every if "failed" not in m]
        if n is None or not good:
            continue
        check = good[0]["check"]
        spikes = check.get("spikes", check.get("rate", 0.0) * n * good[0]["simulated_s"])
        events = spikes * good[0]["n_synapses"] / n
        lines.append(f"- {simulator}: {middle(good, 'run_s') / events * 1e9:.2f} ns per synaptic event")
        size = middle(good, "bytes_per_synapse")
        if row.bytes_aim is not None and simulator in OURS and size is not None:
            verdict = "met" if size <= row.bytes_aim else "MISSED"
            lines.append(f"- {simulator}: {size:.1f} B per synapse (aim {row.bytes_aim:g}) {verdict}")
    return lines


def precise_lines(row: Row, found: dict[str, list[dict]]) -> list[str]:
    """What exact spike times cost, how fast they are beside peers on the grid, and how exact."""
    ours = found.get(PRECISE)
    if not ours:
        return []
    lines = []
    cost = ratio(ours, found.get("eccles", []), "run_s")
    if cost is not None:
        verdict = ""
        if row.precise_cost is not None:
            verdict = f" (aim at most {row.precise_cost:g}) {'met' if cost <= row.precise_cost else 'MISSED'}"
        lines.append(f"- {PRECISE} / eccles, loop: {cost:.2f}x{verdict}")
    for peer, theirs in found.items():
        times = None if peer in OURS else ratio(theirs, ours, "run_s")
        if times is not None:
            lines.append(f"- {peer} / {PRECISE}, loop: {judged(times, row.precise_aims.get(peer))}")
    for key, limit in row.precise_limits.items():
        worst = max((m["check"][key] for m in ours if "check" in m), default=None)
        if worst is not None:
            verdict = "met" if worst <= limit else "MISSED"
            lines.append(f"- {PRECISE}: {key} {worst:.2g} (at most {limit:g}) {verdict}")
    return lines


def ratio_lines(row: Row, found: dict[str, list[dict]]) -> list[str]:
    """Peer / eccles: loops and memory beside their aims, then what comes before the loop."""
    lines = []
    for peer in found:
        if peer in OURS or "eccles" not in found:
            continue
        ours, theirs = found["eccles"], found[peer]
        for key, what, aims in (
            ("run_s", "loop", row.run_aims),
            ("peak_mib", "peak memory", row.memory_aims),
        ):
            times = ratio(theirs, ours, key)
            if times is not None:
                lines.append(f"- {peer} / eccles, {what}: {judged(times, aims.get(peer))}")
        before = {key: ratio(warm(peer, theirs), ours, f"{key}_s") for key in ("import", "build", "compile")}
        shown = ", ".join(f"{key} {times:.3g}x" for key, times in before.items() if times is not None)
        if shown:
            lines.append(f"- {peer} / eccles, {shown}")
    peak = middle(found.get("eccles", []), "peak_mib")
    if row.peak_aim_mib is not None and peak is not None:
        verdict = "met" if peak <= row.peak_aim_mib else "MISSED"
        lines.append(f"- eccles: peak memory {peak:.0f} MiB (aim {row.peak_aim_mib:g}) {verdict}")
    return lines


def versions(rows: dict[str, dict[str, list[dict]]]) -> dict[str, str]:
    """Version of each program in use; numpy and Python may differ between environments."""
    found: dict[str, set[str]] = {}
    for by_simulator in rows.values():
        for measurements in by_simulator.values():
            for m in measurements:
                for name, version in m.get("versions", {}).items():
                    found.setdefault(name, set()).add(version)
    return {name: " and ".join(sorted(several)) for name, several in found.items()}


def markdown(results: dict) -> str:
    """The whole report."""
    lines = [f"- {name}: {value}" for name, value in (results["machine"] | versions(results["rows"])).items()]
    lines += [f"- skipped: {name}: {reason}" for name, reason in results["skipped"].items()]
    lines += [f"- each measured {results['repeat']} times; seconds of wall time on one thread"]
    if results["quick"]:
        lines.append("- QUICK: short runs of small networks, no figures to quote")
    for name, found in results["rows"].items():
        row = ROWS[name]
        simulated = row.quick_seconds if results["quick"] else row.seconds
        lines += ["", f"**{name}**: {row.about}; {simulated:g} s simulated", "", *measured_lines(found), ""]
        lines += (
            size_lines(row, found, results["quick"]) + ratio_lines(row, found) + precise_lines(row, found)
        )
        lines += [f"- DISAGREES: {line}" for line in disagreements(row, found)]
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown(json.loads(Path(sys.argv[1]).read_text())))
