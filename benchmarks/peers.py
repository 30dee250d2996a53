"""Make the environment with the simulators that Eccles is compared with: ``.bench/peers``.

Each peer is installed by itself; one that cannot be had is skipped by name. Brian 2 needs a C++
compiler when it runs.
"""

import argparse
import shutil
import subprocess
import sys

from machine import PEERS, compiler_version, import_problem, peers_python

# numpy: Brian 2.9 does not import with newer ones
REQUIREMENTS = {
    "brian2": ["brian2>=2.9", "numpy<2.3", "Cython", "setuptools", "wheel"],
    "nest": ["nest-simulator>=3.10", "numpy<2.3"],
}


def install(peer: str) -> str | None:
    """Install one peer; returns what went wrong."""
    command = [str(peers_python()), "-m", "pip", "install", "--quiet", "--prefer-binary", *REQUIREMENTS[peer]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        return errors[-1] if errors else f"pip ended with status {done.returncode}"
    return import_problem(peers_python(), f"import {peer}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fresh", action="store_true", help="delete an existing environment first")
    if parser.parse_args().fresh:
        shutil.rmtree(PEERS, ignore_errors=True)
    if not peers_python().exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
    for peer in REQUIREMENTS:
        problem = import_problem(peers_python(), f"import {peer}") and install(peer)
        print(f"{peer}: {'ready' if problem is None else f'skipped: {problem}'}")
    print(f"compiler: {compiler_version() or 'none, so Brian 2 is skipped'}")


if __name__ == "__main__":
    main()
