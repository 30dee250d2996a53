"""The whole state of a network, in memory or in a file.

A file is an NPZ archive of plain arrays and one JSON text that says what they are. It is read with
`allow_pickle=False`: opening it never executes anything.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from eccles.errors import SetupError
from eccles.objects import magic
from eccles.objects.group import SimulationObject

__all__ = ["put_back", "read", "take", "write"]

FORMAT = "eccles-state"
VERSION = 1


def take(objects: list[SimulationObject], t: float) -> dict[str, Any]:
    """Copies of everything that a run depends on."""
    return {
        "t": t,
        "seed": magic.seed_value(),
        "objects": {obj.name: obj.state() for obj in objects},
    }


def put_back(objects: list[SimulationObject], state: dict[str, Any], random: bool) -> float:
    """Restore objects from `take`; returns the time.

    Raises
    ------
    KeyError
        If an object was not there when the state was taken.
    """
    stored = state["objects"]
    for obj in objects:
        if obj.name not in stored:
            raise KeyError(f"the stored state has no object '{obj.name}'; it was added after store()")
    for obj in objects:
        obj.set_state(stored[obj.name])
    if random:
        magic.seed(state["seed"])
    return state["t"]


def write(filename: str | Path, name: str, state: dict[str, Any]) -> None:
    """Write a state to a file; other states in the same file are kept."""
    path = Path(filename)
    header, arrays = _read_all(path) if path.exists() else ({}, {})
    header[name] = {"t": state["t"], "seed": str(state["seed"]), "objects": {}}
    for obj, values in state["objects"].items():
        header[name]["objects"][obj] = list(values)
        for key, array in values.items():
            arrays[f"{name}/{obj}/{key}"] = array
    text = json.dumps({"format": FORMAT, "version": VERSION, "states": header})
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **{"header.json": np.array(text)}, **arrays)


def _read_all(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            header = json.loads(str(archive["header.json"]))
            arrays = {key: archive[key] for key in archive.files if key != "header.json"}
    except (OSError, ValueError, KeyError) as error:
        raise SetupError(f"'{path}' is not a file written by store(): {error}") from error
    if header.get("format") != FORMAT:
        raise SetupError(f"'{path}' is not a file written by store()")
    if header.get("version") != VERSION:
        raise SetupError(
            f"'{path}' has version {header.get('version')} of the format; this Eccles reads version {VERSION}"
        )
    return header["states"], arrays


def read(filename: str | Path, name: str) -> dict[str, Any]:
    """Read a state from a file.

    Raises
    ------
    SetupError
        If the file is not one of ours.
    KeyError
        If it holds no state of this name.
    """
    path = Path(filename)
    header, arrays = _read_all(path)
    if name not in header:
        raise KeyError(f"'{path}' holds no state '{name}', but {', '.join(header)}")
    entry = header[name]
    objects = {
        obj: {key: arrays[f"{name}/{obj}/{key}"] for key in keys} for obj, keys in entry["objects"].items()
    }
    return {"t": float(entry["t"]), "seed": int(entry["seed"]), "objects": objects}
