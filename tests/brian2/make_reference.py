"""Run the scripts under Brian 2 and keep what they give, for `test_scripts.py` to compare with.

    python tests/brian2/make_reference.py

needs Brian 2 (2.9.0 with NumPy 2.2 made the present file). Every script leaves a dict `results` of
numbers and arrays in SI units. The code target is 'numpy', so no compiler takes part. Each script has a
process of its own, as the order of objects within a time step depends on their names.
"""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import brian2
import numpy as np

HERE = Path(__file__).parent


def results_of(path: Path) -> dict[str, np.ndarray]:
    """What a script leaves in `results`."""
    brian2.prefs.codegen.target = "numpy"
    brian2.BrianLogger.log_level_error()
    names: dict = {"__name__": path.stem}
    exec(compile(path.read_text(), str(path), "exec"), names)
    kept = {}
    for name, value in names["results"].items():
        array = np.asarray(value)
        if array.dtype == np.int64 and array.size and abs(array).max() < 2**15:
            array = array.astype(np.int16)
        kept[f"{path.stem}/{name}"] = array
    return kept


def main() -> None:
    """Run each script and write all results to one file."""
    kept: dict[str, np.ndarray] = {}
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool:
        for results in pool.imap(results_of, sorted((HERE / "scripts").glob("*.py")), chunksize=1):
            kept.update(results)
    with (HERE / "reference.npz").open("wb") as file:
        np.savez_compressed(file, **kept)
    print(f"{len(kept)} arrays, {sum(a.nbytes for a in kept.values())} bytes")


if __name__ == "__main__":
    main()
