"""Measure Eccles and its peers on the same workloads.

``python benchmarks/run.py [--only W1,W3] [--peers brian2-cython,brian2-cpp,nest] [--repeat 3] [--quick]``

Each measurement is a process of its own on one thread; simulators alternate. The table goes to
standard output, everything measured to ``.bench/results.json``.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import (
    HERE,
    SCRATCH,
    describe,
    environment,
    last_marked,
    python_for,
    skip_reasons,
)
from measure import MARK
from report import OURS, markdown
from workloads import PRECISE, ROWS

PEERS = ("brian2-cpp", "brian2-cython", "nest")
TIMEOUT_S = 1800


def one_measurement(simulator: str, row: str, quick: bool, project: Path) -> dict:
    """Start `measure.py` once; a dict with "failed" where it brought no result."""
    command = [python_for(simulator), str(HERE / "measure.py"), simulator, row, "--project", str(project)]
    command += ["--quick"] if quick else []
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment(), timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"took longer than {TIMEOUT_S} s"}
    found = last_marked(done.stdout, MARK)
    if done.returncode == 0 and found is not None:
        return found
    lines = done.stderr.strip().splitlines() or done.stdout.strip().splitlines()
    return {"failed": lines[-1] if lines else f"status {done.returncode}"}


def project_folder(simulator: str, row: str, scratch: Path) -> Path:
    """Where generated code goes: Cython's cache outlives us, to tell a first run from later ones."""
    folder = SCRATCH / "cython" / row if simulator == "brian2-cython" else scratch / simulator
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def measure_row(row: str, simulators: list[str], repeat: int, quick: bool) -> dict[str, list[dict]]:
    """All measurements of one row, by simulator, in alternation."""
    found: dict[str, list[dict]] = {simulator: [] for simulator in simulators}
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        for turn in range(repeat):
            for simulator in simulators:
                if found[simulator] and "failed" in found[simulator][-1]:
                    continue  # it will not go better the next time
                project = project_folder(simulator, row, Path(scratch))
                cold = not any(project.iterdir())
                start = time.perf_counter()
                result = one_measurement(simulator, row, quick, project)
                found[simulator].append(result | {"cold": cold})
                told = result.get("failed") or f"loop {result['run_s']:.6f} s"
                spent = time.perf_counter() - start
                print(f"{row} {simulator} {turn + 1}/{repeat}: {told} ({spent:.0f} s)", file=sys.stderr)
    return found


def listed(text: str, known: tuple[str, ...], what: str) -> list[str]:
    """Split a comma-separated choice."""
    chosen = [name for name in text.split(",") if name]
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise SystemExit(f"unknown {what}: {', '.join(unknown)}; there are {', '.join(known)}")
    return chosen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(ROWS), help="rows, separated by commas")
    parser.add_argument("--peers", default=",".join(PEERS), help="peers, separated by commas; may be empty")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="short and small: does everything still work?")
    parser.add_argument("--output", type=Path, default=SCRATCH / "results.json")
    chosen = parser.parse_args()
    rows = listed(chosen.only, tuple(ROWS), "row")
    peers = listed(chosen.peers, PEERS, "peer")

    reasons = {name: reason for name, reason in skip_reasons().items() if name in (*OURS, *peers)}
    skipped = {name: reason for name, reason in reasons.items() if reason}
    for name, reason in skipped.items():
        print(f"{name}: skipped: {reason}", file=sys.stderr)

    results: dict = {
        "machine": describe(),
        "quick": chosen.quick,
        "repeat": chosen.repeat,
        "skipped": skipped,
        "rows": {},
    }
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    for row in rows:
        ours = [name for name in OURS if name != PRECISE or ROWS[row].precise]
        wanted = [*ours, *(peer for peer in peers if peer in ROWS[row].peers)]
        simulators = [name for name in wanted if name not in skipped]
        results["rows"][row] = measure_row(row, simulators, chosen.repeat, chosen.quick)
        chosen.output.write_text(json.dumps(results, indent=1) + "\n")
    print(markdown(results))


if __name__ == "__main__":
    main()
