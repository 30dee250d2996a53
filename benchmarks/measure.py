"""One measurement in this process: one simulator, one row. Started by `run.py`; prints JSON as its last line.

Kept apart from `run.py` because it runs under the peers' Python as well as under Eccles'.
"""

import argparse
import contextlib
import importlib
import json
import math
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from workloads import ROWS, Built, Row

MODULES = {
    "eccles": "eccles.brian2",
    "eccles-precise": "eccles",
    "brian2-cython": "brian2",
    "brian2-cpp": "brian2",
    "nest": "nest",
}
MARK = "RESULT "
N_UNCHANGED = 3


class Stopwatch:
    """Wall and processor seconds of a block."""

    def __enter__(self):
        self._start = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        self.wall = time.perf_counter() - self._start[0]
        self.cpu = time.process_time() - self._start[1]


def peak_mib() -> float:
    """Largest resident size of this process so far."""
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def builder(row: Row, simulator: str):
    prefix = "nest_" if simulator == "nest" else ""
    return importlib.import_module(f"workloads.{prefix}{row.module}").build


def outcome(built: Built, peak: float | None, baseline: float) -> dict:
    """What every simulator reports after its run."""
    n_synapses = built.n_synapses()
    return {
        "check": built.check(),
        "n_synapses": n_synapses,
        "peak_mib": peak,
        "bytes_per_synapse": None if peak is None else (peak - baseline) * 2**20 / n_synapses,
    }


def precise(build):
    """The same network, with exact spike times."""

    def build_precise(sim, **size) -> Built:
        built = build(sim, **size)
        built.network.spike_times = "precise"
        return built

    return build_precise


def timed_run(network, duration) -> tuple[float, float]:
    """Wall and processor seconds of one call."""
    with Stopwatch() as watch:
        network.run(duration)
    return watch.wall, watch.cpu


def measure_runtime(sim, build, size: dict, seconds: float) -> dict:
    """Simulators that live in this process and speak the Brian 2 language.

    A run of length 0 prepares (parses, compiles) and simulates nothing; a second one shows what an
    unchanged call costs. The loop alone is the real run less that.
    """
    baseline = peak_mib()
    with Stopwatch() as building:
        built = build(sim, **size)
    with Stopwatch() as compiling:
        built.network.run(0 * sim.second)
    unchanged = [timed_run(built.network, 0 * sim.second) for _ in range(N_UNCHANGED)]
    wall, cpu = (statistics.median(values) for values in zip(*unchanged, strict=True))
    with Stopwatch() as running:
        built.network.run(seconds * sim.second)
    peak = peak_mib()  # before results are read
    return {
        "build_s": building.wall,
        "compile_s": compiling.wall,
        "second_s": unchanged[0][0],
        "run_s": max(running.wall - wall, 0.0),
        "run_cpu_s": max(running.cpu - cpu, 0.0),
        **outcome(built, peak, baseline),
    }


def high_water_mib(pid: int) -> float | None:
    """Peak resident size of another running process; None where the system does not tell.

    Not `ru_maxrss` of the child: that counts the memory of the parent it was forked from.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), None)


def run_program(project: Path) -> dict:
    """Run a compiled stand-alone program: its own figure for the loop, and the peak of that process alone."""
    peak, pause = None, 0.001
    with Stopwatch() as whole:
        process = subprocess.Popen([str(project / "main")], cwd=project, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            peak = high_water_mib(process.pid) or peak
            time.sleep(pause)
            pause = min(2 * pause, 0.05)  # a short program needs a close look, a long one no disturbance
    if process.returncode != 0:
        raise RuntimeError(f"the stand-alone program ended with status {process.returncode}")
    loop = float((project / "results" / "last_run_info.txt").read_text().split()[0])
    return {
        "run_s": loop,
        "run_cpu_s": None,  # the program's processor time includes connecting
        "second_s": whole.wall,
        "peak_mib": peak,
    }


def measure_standalone(sim, build, size: dict, seconds: float, project: Path) -> dict:
    """Brian 2's C++ stand-alone mode; a project that was compiled before is only run again."""
    if (project / "main").exists():
        return run_program(project)
    sim.set_device("cpp_standalone", build_on_run=False)
    with Stopwatch() as building:
        built = build(sim, **size)
        built.network.run(seconds * sim.second)
    with Stopwatch() as compiling:
        sim.device.build(directory=str(project), compile=True, run=False)
    sim.device.run(with_output=False)
    timed = run_program(project)
    # the program holds the network and little else: nothing is subtracted
    found = outcome(built, timed["peak_mib"], 0.0)
    return {"build_s": building.wall, "compile_s": compiling.wall, **timed, **found}


def measure_nest(nest, build, size: dict, seconds: float) -> dict:
    nest.ResetKernel()
    nest.resolution = 0.1
    baseline = peak_mib()
    with Stopwatch() as building:
        built = build(nest, **size)
    with Stopwatch() as preparing:
        nest.Prepare()
    nest.Cleanup()
    with Stopwatch() as again:
        nest.Prepare()
    with Stopwatch() as running:
        nest.Run(seconds * 1000)
    peak = peak_mib()
    nest.Cleanup()
    return {
        "build_s": building.wall,
        "compile_s": preparing.wall,
        "second_s": again.wall,
        "run_s": running.wall,
        "run_cpu_s": running.cpu,
        **outcome(built, peak, baseline),
    }


def quiet_nest(nest) -> None:
    with contextlib.suppress(AttributeError):  # the name of this call differs between releases
        nest.set_verbosity("M_ERROR")


def measure(simulator: str, row: Row, quick: bool, project: Path) -> dict:
    size = dict(row.quick_size if quick else row.size)
    seconds = row.quick_seconds if quick else row.seconds
    with Stopwatch() as importing:
        sim = importlib.import_module(MODULES[simulator])
    build = builder(row, simulator)
    match simulator:
        case "nest":
            quiet_nest(sim)
            found = measure_nest(sim, build, size, seconds)
        case "brian2-cpp":
            found = measure_standalone(sim, build, size, seconds, project)
        case "brian2-cython":
            sim.prefs.codegen.target = "cython"
            sim.prefs.codegen.runtime.cython.cache_dir = str(project)
            found = measure_runtime(sim, build, size, seconds)
        case "eccles-precise":
            found = measure_runtime(sim, precise(build), size | row.precise_size, seconds)
        case _:
            found = measure_runtime(sim, build, size, seconds)
    return {"import_s": importing.wall, "simulated_s": seconds, "versions": versions(simulator, sim), **found}


def versions(simulator: str, sim) -> dict[str, str]:
    """What to write beside the numbers."""
    found = {"python": platform.python_version(), "numpy": importlib.import_module("numpy").__version__}
    match simulator:
        case "nest":
            found["nest"] = sim.__version__
        case "brian2-cpp" | "brian2-cython":
            found["brian2"] = sim.__version__
            found["flags"] = " ".join(sim.prefs.codegen.cpp.extra_compile_args_gcc)
        case _:
            found["eccles"] = importlib.import_module("eccles").__version__
    return found


def finite(value):
    """JSON knows no NaN."""
    match value:
        case dict():
            return {key: finite(item) for key, item in value.items()}
        case float() if not math.isfinite(value):
            return None
        case _:
            return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulator", choices=MODULES)
    parser.add_argument("row", choices=ROWS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--project", type=Path, required=True, help="where generated code is kept")
    chosen = parser.parse_args()
    found = measure(chosen.simulator, ROWS[chosen.row], chosen.quick, chosen.project)
    print(MARK + json.dumps(finite(found)))


if __name__ == "__main__":
    main()
