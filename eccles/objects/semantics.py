"""What differs between the two faces, as one value.

`eccles` finds mistakes early and binds names where an object is made; `eccles.brian2` does what
scripts written for Brian 2 rely on. Everything else is shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

__all__ = ["BRIAN2", "ECCLES", "Semantics", "in_face"]


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
    truncate_indices : bool
        Whether an expression in `connect` that gives no integer is truncated, or is an error.
    sums_on_parts : {'before', 'in turn'}
        Whether sums over the synapses onto a part of a group are taken before the group's update, as
        those onto a whole group are, or in turn with it, by name.
    single_synapse : {'value', 'array'}
        What `S.w[0, 1]` gives if there is one synapse from 0 to 1.
    default_methods : tuple of str
        Integration methods tried in order where the user names none.
    spike_times : {'precise', 'grid'}
        Whether spikes have exact times, or times on the grid, where the user does not say.
    """

    name: str
    bind: Literal["construction", "run"]
    check: Literal["construction", "run"]
    event_driven: Literal["now", "last_update"]
    truncate_indices: bool
    sums_on_parts: Literal["before", "in turn"]
    single_synapse: Literal["value", "array"]
    default_methods: tuple[str, ...]
    spike_times: Literal["precise", "grid"]


ECCLES = Semantics(
    name="eccles",
    bind="construction",
    check="construction",
    event_driven="now",
    truncate_indices=False,
    sums_on_parts="before",
    single_synapse="value",
    default_methods=("exact", "exponential_euler", "rk4", "euler", "heun"),
    spike_times="precise",
)
BRIAN2 = Semantics(
    name="eccles.brian2",
    bind="run",
    check="run",
    event_driven="last_update",
    truncate_indices=True,
    sums_on_parts="in turn",
    single_synapse="array",
    default_methods=("exact", "euler", "heun"),
    spike_times="grid",
)


@cache
def in_face(cls: Any, semantics: Semantics) -> Any:
    """The class as a face has it: the same for each call, with the semantics of the face."""
    if cls.semantics is semantics:
        return cls
    own = {"semantics": semantics, "__doc__": cls.__doc__, "__module__": semantics.name}
    return type(cls.__name__, (cls,), own)
