"""What repeated calls of ``run()`` cost: a loop of short runs (bisection, training) pays it each time.

``python benchmarks/second_run.py``. The network is CUBA (W3); each call simulates 0 ms: the first one, one
where nothing changed (the median of 100), one after a new value of a constant, and the mean of 100 calls of
one step each.
"""

import importlib
import json
import subprocess
import sys
import time
from statistics import median

from machine import describe, environment, last_marked, python_for, skip_reasons
from measure import MODULES

MARK = "SECOND "
SIMULATORS = ("eccles", "brian2-cython")
N_SHORT = 100


def call_seconds(network, duration) -> float:
    start = time.perf_counter()
    network.run(duration)
    return time.perf_counter() - start


def measure(simulator: str) -> dict[str, float]:
    """The calls, in this process."""
    sim = importlib.import_module(MODULES[simulator])
    built = importlib.import_module("workloads.w3").build(sim)
    network, nothing = built.network, 0 * sim.second
    first = call_seconds(network, nothing)
    unchanged = median(call_seconds(network, nothing) for _ in range(N_SHORT))
    neurons = next(thing for thing in network.objects if isinstance(thing, sim.NeuronGroup))
    neurons.namespace["El"] = -48 * sim.mV
    changed = call_seconds(network, nothing)
    short = sum(call_seconds(network, sim.defaultclock.dt) for _ in range(N_SHORT)) / N_SHORT
    return {"first": first, "unchanged": unchanged, "new constant": changed, "one step": short}


def main() -> None:
    if len(sys.argv) == 2:
        print(MARK + json.dumps(measure(sys.argv[1])))
        return
    reasons = skip_reasons()
    print(*(f"- {name}: {value}" for name, value in describe().items()), sep="\n")
    print("\n| seconds | first | unchanged | new constant | one step (mean of 100) |\n|---|---|---|---|---|")
    for simulator in SIMULATORS:
        if reasons[simulator]:
            print(f"| {simulator} | skipped: {reasons[simulator]} |")
            continue
        done = subprocess.run(
            [python_for(simulator), __file__, simulator],
            capture_output=True,
            text=True,
            env=environment(),
            check=False,
        )
        found = last_marked(done.stdout, MARK)
        if found is None:
            print(f"| {simulator} | failed: {(done.stderr.strip().splitlines() or ['no result'])[-1]} |")
            continue
        print(f"| {simulator} | " + " | ".join(f"{value:.4g}" for value in found.values()) + " |")


if __name__ == "__main__":
    main()
