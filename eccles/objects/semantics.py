"""What differs between the two faces, as one value.

`eccles` finds mistakes early and binds names where an object is made; `eccles.brian2` does what
scripts written for Brian 2 rely on. Everything else is shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["BRIAN2", "ECCLES", "Semantics"]


@dataclass(frozen=True)
class Semantics:
    """How objects of one face behave.

    Attributes
    ----------
    name : str
        The module that users import.
    bind : {'construction', 'run'}
        When names in model text get their values from the script.
    check : {'construction', 'run'}
        When model text is checked. At 'run', errors are wrapped in `BrianObjectException`.
    event_driven : {'now', 'last_update'}
        What reading an event-driven variable gives: its value as of now, or as of the last event.
    default_methods : tuple of str
        Integration methods tried in order where the user names none.
    """

    name: str
    bind: Literal["construction", "run"]
    check: Literal["construction", "run"]
    event_driven: Literal["now", "last_update"]
    default_methods: tuple[str, ...]


ECCLES = Semantics(
    "eccles", "construction", "construction", "now", ("exact", "exponential_euler", "rk4", "euler", "heun")
)
BRIAN2 = Semantics("eccles.brian2", "run", "run", "last_update", ("exact", "euler", "heun"))
