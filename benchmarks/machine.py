"""The machine and the Python environments that benchmarks run in."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRATCH = HERE.parent / ".bench"
PEERS = SCRATCH / "peers"

# One thread each: the ratios we report are of loops, not of numbers of cores.
THREAD_SETTINGS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "ECCLES_NUM_THREADS",
)
ONE_THREAD = dict.fromkeys(THREAD_SETTINGS, "1")


def environment(**extra: str) -> dict[str, str]:
    """Environment of a measured process: single-threaded, this working tree's Eccles, no plots on screens.

    Python may keep its own compiled files, as it does for users.
    """
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return kept | ONE_THREAD | {"PYTHONPATH": str(HERE.parent), "MPLBACKEND": "Agg"} | extra


def peers_python() -> Path:
    """The interpreter of the environment that `peers.py` makes."""
    folder = "Scripts" if platform.system() == "Windows" else "bin"
    return PEERS / folder / "python"


def import_problem(python: Path | str, statement: str) -> str | None:
    """Why `python` cannot do `statement`, in one line; None if it can."""
    if not Path(python).exists():
        return "no environment; run `python benchmarks/peers.py`"
    done = subprocess.run(
        [str(python), "-c", statement],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"ended with status {done.returncode}"


def compiler_version() -> str | None:
    """First line of the C++ compiler's version, if there is one."""
    command = os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++")
    if command is None:
        return None
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[0] if done.returncode == 0 else None


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    numbers = ", ".join(f"{key} {fields[key]}" for key in ("cpu family", "model") if key in fields)
    return f"{fields.get('model name', platform.machine())} ({numbers})"


def describe() -> dict[str, str]:
    """Facts that belong beside a table of times."""
    return {
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "compiler": compiler_version() or "none",
    }


def skip_reasons() -> dict[str, str | None]:
    """For each simulator, why it is left out; None if it can be measured."""
    peers = peers_python()
    brian = import_problem(peers, "import brian2")
    if brian is None and compiler_version() is None:
        brian = "no C++ compiler"
    return {
        "eccles": import_problem(sys.executable, "from eccles.brian2 import NeuronGroup"),
        "eccles-precise": import_problem(sys.executable, "from eccles import NeuronGroup"),
        "brian2-cpp": brian,
        "brian2-cython": brian,
        "nest": import_problem(peers, "import nest"),
    }


def python_for(simulator: str) -> str:
    return sys.executable if simulator.startswith("eccles") else str(peers_python())


def last_marked(text: str, mark: str) -> dict | None:
    """The JSON behind the last line that starts with `mark`."""
    marked = [line for line in text.splitlines() if line.startswith(mark)]
    return json.loads(marked[-1].removeprefix(mark)) if marked else None
