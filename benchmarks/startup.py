"""How long until the first result: importing Eccles, and the reply's experiment as a whole process.

``python benchmarks/startup.py [--repeat 10]``. Python's own compiled files are in place; Eccles' cache of
machine code is empty or warm. Aims: import 0.15 s, NumPy included; whole process with an empty cache 0.3 s.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from statistics import median

from machine import HERE, describe, environment, import_problem

IMPORT_AIM_S, PROCESS_AIM_S = 0.15, 0.30
IMPORT = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def run_python(*arguments: str, cache: str) -> tuple[float, str]:
    """Wall seconds of one process, and its last line."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=environment(ECCLES_CACHE_DIR=cache),
        check=False,
    )
    wall = time.perf_counter() - start
    if done.returncode != 0:
        raise SystemExit(f"failed: {' '.join(arguments)}\n{done.stderr}")
    return wall, (done.stdout.strip().splitlines() or [""])[-1]


def import_seconds(module: str, cache: str) -> float:
    return float(run_python("-c", IMPORT.format(module), cache=cache)[1])


def process_seconds(cache: str | None) -> float:
    """The reply's experiment; with None, in a cache that nobody used before."""
    with tempfile.TemporaryDirectory(prefix="bench-cache-") as empty:
        return run_python(str(HERE / "reply.py"), cache=cache or empty)[0]


def line(name: str, found: list[float], aim: float | None = None) -> str:
    verdict = "" if aim is None else f"{aim:g} {'met' if median(found) <= aim else 'MISSED'}"
    return f"| {name} | {median(found):.3f} | {min(found):.3f} - {max(found):.3f} | {verdict} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=10)
    repeat = range(parser.parse_args().repeat)
    problem = import_problem(sys.executable, "from eccles import NeuronGroup")
    if problem is not None:
        print(f"eccles: skipped: {problem}")
        return
    with tempfile.TemporaryDirectory(prefix="bench-cache-") as cache:
        process_seconds(cache)  # writes .pyc files and fills the warm cache
        bare = [run_python("-c", "pass", cache=cache)[0] for _ in repeat]
        numpy = [import_seconds("numpy", cache) for _ in repeat]
        eccles = [import_seconds("eccles", cache) for _ in repeat]
        cold = [process_seconds(None) for _ in repeat]
        warm = [process_seconds(cache) for _ in repeat]
    print(*(f"- {name}: {value}" for name, value in describe().items()), sep="\n")
    print("\n| seconds | median | min - max | aim |\n|---|---|---|---|")
    print(line("python -c pass, whole process", bare))
    print(line("import numpy", numpy))
    print(line("import eccles, numpy included", eccles, IMPORT_AIM_S))
    print(line("reply's experiment, whole process, empty cache", cold, PROCESS_AIM_S))
    print(line("reply's experiment, whole process, warm cache", warm))


if __name__ == "__main__":
    main()
