"""The whole state of a network, in memory or in a file.

A file is an NPZ archive of plain arrays and one JSON text that says what they are. It is read with
`allow_pickle=False`: opening it never executes anything. What it holds is checked by each object before
it takes it over (`stored.py`), and a network whose state cannot be put back stays as it was.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from eccles.errors import SetupError
from eccles.objects import magic
from eccles.objects.group import SimulationObject

__all__ = ["put", "put_back", "read", "take", "write"]

FORMAT = "eccles-state"
VERSION = 1
HEADER = "header.json"


def take(objects: list[SimulationObject], t: float) -> dict[str, Any]:
    """Copies of everything that a run depends on."""
    return {
        "t": t,
        "seed": magic.seed_value(),
        "clocks": {obj.name: [obj.clock.timestep, obj.clock.dt_] for obj in objects},
        "objects": {obj.name: obj.full_state() for obj in objects},
    }


def put_back(objects: list[SimulationObject], state: dict[str, Any], random: bool) -> float:
    """Restore objects from `take`; returns the time. If anything does not fit, nothing is changed.

    Parameters
    ----------
    random : bool
        Whether random numbers repeat from there too; otherwise they are new ones.

    Raises
    ------
    KeyError
        If an object was not there when the state was taken.
    SetupError
        If what is stored does not fit an object.
    """
    stored = state["objects"]
    for obj in objects:
        if obj.name not in stored or obj.name not in state["clocks"]:
            raise KeyError(f"the stored state has no object '{obj.name}'; it was added after store()")
    before = take(objects, 0.0)
    try:
        put(objects, state)
    except BaseException:
        put(objects, before)
        raise
    if random:
        magic.seed(state["seed"])
    else:
        magic.renew_seed()
    return state["t"]


def put(objects: list[SimulationObject], state: dict[str, Any]) -> None:
    """Restore objects from `take`, which was of the same objects."""
    for obj in objects:
        obj.clock.go_to(*state["clocks"][obj.name])
    for obj in objects:
        obj.set_full_state(state["objects"][obj.name])


def write(filename: str | Path, name: str, state: dict[str, Any]) -> None:
    """Write a state to a file; other states in the same file are kept.

    The new file takes the place of the old one when it is complete.
    """
    path = Path(filename)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder '{path.parent}'")
    header, arrays = _read_all(path) if path.exists() else ({}, {})
    arrays = {key: array for key, array in arrays.items() if not key.startswith(f"{name}/")}
    header[name] = {
        "t": state["t"], "seed": str(state["seed"]), "clocks": state["clocks"],
        "objects": {obj: list(values) for obj, values in state["objects"].items()},
    }  # fmt: skip
    for obj, values in state["objects"].items():
        for key, array in values.items():
            arrays[f"{name}/{obj}/{key}"] = array
    text = json.dumps({"format": FORMAT, "version": VERSION, "states": header})
    contents: dict[str, Any] = {HEADER: np.array(text), **arrays}
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, **contents)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _read_all(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header's states and all arrays of a file."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            header = json.loads(str(archive[HEADER]))
            arrays = {key: archive[key] for key in archive.files if key != HEADER}
    except FileNotFoundError:
        raise
    except (
        OSError, ValueError, TypeError, AttributeError, KeyError, EOFError, MemoryError, OverflowError,
        RecursionError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip  # all that NumPy, zipfile and json raise for damaged files
        raise SetupError(f"'{path}' is not a file written by store(): {error}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise SetupError(f"'{path}' is not a file written by store()")
    if header.get("version") != VERSION:
        raise SetupError(
            f"'{path}' has version {header.get('version')} of the format; this Eccles reads version {VERSION}"
        )
    if not isinstance(header.get("states"), dict):
        raise SetupError(f"'{path}' lists no states")
    return header["states"], arrays


def read(filename: str | Path, name: str) -> dict[str, Any]:
    """Read a state from a file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    SetupError
        If the file is not one of ours, or is damaged.
    KeyError
        If it holds no state of this name.
    """
    path = Path(filename)
    header, arrays = _read_all(path)
    if name not in header:
        raise KeyError(f"'{path}' holds no state '{name}', but {', '.join(header)}")
    try:
        return _entry(header[name], arrays, name)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise SetupError(f"the state '{name}' in '{path}' is damaged: {error}") from error


def _entry(entry: dict[str, Any], arrays: dict[str, np.ndarray], name: str) -> dict[str, Any]:
    """One state, its parts checked to be what they should be; any of several errors if not."""
    t = float(entry["t"])
    if not (math.isfinite(t) and t >= 0):
        raise ValueError(f"the time is {t}")
    clocks = {}
    for obj, (timestep, dt) in entry["clocks"].items():
        if type(timestep) is not int or not 0 <= timestep < 2**53:
            raise ValueError(f"the clock of {obj} is at step {timestep!r}")
        clocks[str(obj)] = (timestep, float(dt))
    objects = {
        str(obj): {str(key): arrays[f"{name}/{obj}/{key}"] for key in keys}
        for obj, keys in entry["objects"].items()
    }
    return {"t": t, "seed": int(str(entry["seed"])[:40]), "clocks": clocks, "objects": objects}
