"""The implicit state that makes `run()` work without naming a network. All of it is in this file.

Objects register themselves when they are made; `run()` collects those of the current scope that are
reachable from names in the frame that calls it. The default clock and the seed live here too.
"""

from __future__ import annotations

import hashlib
import operator
import os
import sys
import threading
import weakref
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from eccles.engine.clock import Clock
from eccles.objects.naming import forget_names, own_names
from eccles.units import ms

if TYPE_CHECKING:
    from eccles.objects.group import SimulationObject

__all__ = [
    "collect",
    "default_clock",
    "defaultclock",
    "given_names",
    "names_are_given",
    "next_ordinal",
    "private_scope",
    "random_numbers",
    "register",
    "script_name",
    "seed",
    "seed_is_given",
    "seed_value",
    "start_scope",
    "users_frame",
    "users_names",
]

defaultclock = Clock(0.1 * ms, "defaultclock")

# objects of the current scope, in the order of their creation
_objects: list[weakref.ref[SimulationObject]] = []
_scope = 0
_seed = int.from_bytes(os.urandom(8), "little")
_seed_given = False
_ordinals: dict[int, int] = {}  # how often each stream was drawn from outside a run
_local = threading.local()  # what holds in one thread for a while: `objects`, `names`, `seed`, `ordinals`

# frames of these packages are not the user's
_OURS = (
    "eccles.objects",
    "eccles.monitors",
    "eccles.engine",
    "eccles.language",
    "eccles.units",
    "eccles.brian2",
    "eccles.lab.measure",
    "eccles.lab.neurons",
    "eccles.lab.parts",
    "eccles.lab.rules",
    "eccles.explain",
    "eccles.results",
    "eccles.sweeps",
)


def register(obj: SimulationObject) -> None:
    """Note that an object was made in the current scope."""
    _registry().append(weakref.ref(obj))


def _registry() -> list[weakref.ref[SimulationObject]]:
    found = getattr(_local, "objects", None)
    return _objects if found is None else found


@contextmanager
def _for_now(**values: Any) -> Iterator[None]:
    """Within, and in this thread only, `_local` has these values."""
    before = {name: getattr(_local, name, None) for name in values}
    vars(_local).update(values)
    try:
        yield
    finally:
        vars(_local).update(before)


@contextmanager
def private_scope() -> Iterator[None]:
    """Within, and in this thread only, a scope that is empty at first.

    What is made within is not seen by `run()` outside, and takes no names there.
    """
    with _for_now(objects=[]), own_names():
        yield


@contextmanager
def default_clock(dt: float | None = None) -> Iterator[None]:
    """Within, the default clock stands at 0, with steps of `dt` seconds; afterwards it is as it was."""
    timestep, before = defaultclock.timestep, defaultclock.dt_
    defaultclock.go_to(0, before if dt is None else dt)
    try:
        yield
    finally:
        defaultclock.go_to(timestep, before)


def start_scope() -> None:
    """Begin a new scope: `run()` ignores all objects made before, and names are counted anew."""
    global _scope
    if getattr(_local, "objects", None) is None:
        _scope += 1
    _registry().clear()
    forget_names()
    defaultclock.timestep = 0


def scope_number() -> int:
    """Which scope this is."""
    return _scope


def seed(value: int | None = None) -> None:
    """Make random numbers reproducible; without a value, make them different again.

    Parameters
    ----------
    value : int, optional
        Any integer. The numbers of an object depend on this and on the object's name.
    """
    global _seed, _seed_given
    _seed = int.from_bytes(os.urandom(8), "little") if value is None else operator.index(value)
    _seed_given = value is not None
    _ordinals.clear()


def seed_is_given() -> bool:
    """Whether the user has chosen the seed."""
    return _seed_given


def seed_value() -> int:
    """The current seed."""
    given: int | Callable[[], int] | None = getattr(_local, "seed", None)
    if given is None:
        return _seed
    return given if isinstance(given, int) else given()


@contextmanager
def random_numbers(seed: int | Callable[[], int], *, anew: bool = True) -> Iterator[None]:
    """Within, and in this thread only, random numbers are those of a seed.

    Parameters
    ----------
    seed : int or callable
        A callable is asked for the seed whenever it is needed.
    anew : bool
        Whether all streams begin anew.
    """
    with _for_now(seed=seed, **({"ordinals": {}} if anew else {})):
        yield


def restore_seed(value: int) -> None:
    """Go back to a seed without beginning its streams anew."""
    global _seed
    _seed = value


def renew_seed() -> None:
    """Go on with other random numbers, which follow from the seed."""
    global _seed
    _seed = int.from_bytes(hashlib.blake2b(str(_seed).encode(), digest_size=8).digest(), "little")


def next_ordinal(key: int) -> int:
    """How often a stream was drawn from outside a run; counts this time."""
    ordinals = getattr(_local, "ordinals", None)
    if ordinals is None:
        ordinals = _ordinals
    count = ordinals.get(key, 0)
    ordinals[key] = count + 1
    return count


def users_frame() -> FrameType:
    """The innermost frame that is not Eccles' own machinery."""
    frame: FrameType | None = sys._getframe(1)
    last = frame
    while frame is not None:
        last = frame
        if not frame.f_globals.get("__name__", "").startswith(_OURS):
            return frame
        frame = frame.f_back
    assert last is not None
    return last


@contextmanager
def given_names(names: Mapping[str, Any]) -> Iterator[None]:
    """Within, and in this thread only, the names of the calling script are these."""
    with _for_now(names=names):
        yield


def names_are_given() -> bool:
    """Whether this is within `given_names`."""
    return getattr(_local, "names", None) is not None


def users_names(level: int = 0) -> Mapping[str, Any]:
    """The names that the calling script sees: locals first, then globals."""
    given = getattr(_local, "names", None)
    if given is not None:
        return given
    frame: FrameType | None = users_frame()
    for _ in range(level):
        if frame is not None and frame.f_back is not None:
            frame = frame.f_back
    assert frame is not None
    local = frame.f_locals
    return frame.f_globals if local is frame.f_globals else ChainMap(local, frame.f_globals)


def script_name(obj: SimulationObject) -> str:
    """What the calling script calls an object; the object's own name where the script has none for it."""
    for name, value in users_names().items():
        if value is obj and not name.startswith("_"):
            return name
    return obj.name


def collect(level: int = 0) -> list[SimulationObject]:
    """The objects of the current scope that the calling script has a name for."""
    names = users_names(level)
    if isinstance(names, ChainMap):  # whose values() is slow
        names = {**names.maps[1], **names.maps[0]}
    named = {id(value) for value in names.values()}
    alive = [obj for obj in (ref() for ref in _registry()) if obj is not None]
    return [obj for obj in alive if id(obj) in named]


def unnamed(used: Iterable[SimulationObject]) -> list[SimulationObject]:
    """Objects of the current scope that have never been run and are not among `used`."""
    used_ids = {id(obj) for obj in used}
    alive = [obj for obj in (ref() for ref in _registry()) if obj is not None]
    return [obj for obj in alive if id(obj) not in used_ids and obj.network is None]
