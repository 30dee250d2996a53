"""The studies that can be run by name, each in a file of that name beside this one."""

from __future__ import annotations

import importlib

from eccles.errors import SetupError, nearest
from eccles.lab.experiments.study import Study

__all__ = ["STUDIES", "studies", "study"]

# in the order of `eccles lab list`; each is in the file of that name, which is imported when it is asked for
STUDIES: tuple[str, ...] = (
    "beating-pairs",
    "gap-and-rate",
    "bi-poo-2001",
    "sjostrom-2001",
    "wang-2005",
    "graupner-brunel-2012",
    "graupner-brunel-2012-rates",
    "clopath-2010",
    "tsodyks-markram-1998",
    "song-2000",
    "binaural-beats",
)


def study(name: str) -> Study:
    """The study of this name; `gap_and_rate` is `gap-and-rate`.

    Raises
    ------
    SetupError
        If there is none.
    """
    wanted = name.replace("_", "-")
    if wanted not in STUDIES:
        near = nearest(wanted, STUDIES)
        raise SetupError(
            f"there is no study '{name}'" + (f"; did you mean '{near}'?" if near else ""),
            hint=f"Studies: {', '.join(STUDIES) or 'none'}.",
        )
    return importlib.import_module(f"eccles.lab.experiments.{wanted.replace('-', '_')}").STUDY


def studies() -> list[Study]:
    """All of them."""
    return [study(name) for name in STUDIES]
