"""Names of objects: `neurongroup`, `neurongroup_1`, ... in the order of creation.

Names key the random streams, so they are counted from the start again in a new scope: a cell of a
notebook that begins with `start_scope()` gives the same numbers each time it runs.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from eccles.errors import SetupError

__all__ = ["forget_names", "own_names", "these_names", "unique_name"]

Taken = weakref.WeakValueDictionary[str, object]

_taken: Taken = weakref.WeakValueDictionary()
# `taken`: the names of a scope of this thread's own; `given`: the names of the next objects
_local = threading.local()


def _now_taken() -> Taken:
    found: Taken | None = getattr(_local, "taken", None)
    return _taken if found is None else found


@contextmanager
def own_names() -> Iterator[None]:
    """Within, and in this thread only, names are counted from the start."""
    before = getattr(_local, "taken", None)
    _local.taken = weakref.WeakValueDictionary()
    try:
        yield
    finally:
        _local.taken = before


@contextmanager
def these_names(*names: str) -> Iterator[None]:
    """Within, and in this thread only, the objects that are made have these names, in order."""
    before = getattr(_local, "given", None)
    _local.given = list(names)
    try:
        yield
    finally:
        _local.given = before


def unique_name(wanted: str, owner: object) -> str:
    """The name for a new object; a `*` at the end asks for a number where the name is taken."""
    given: list[str] | None = getattr(_local, "given", None)
    if given:
        wanted = given.pop(0)
    if not isinstance(wanted, str):
        raise TypeError(f"the name of an object has to be text, not {wanted!r}")
    taken = _now_taken()
    stem = wanted.removesuffix("*")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", stem):
        raise SetupError(f"'{wanted}' cannot be the name of an object: use letters, digits and underscores")
    name = stem
    if wanted.endswith("*"):
        number = 0
        while name in taken:
            number += 1
            name = f"{stem}_{number}"
    elif name in taken:
        raise SetupError(
            f"there is already an object called '{name}'",
            hint="Leave the name out, choose another one, or call start_scope() to begin anew.",
        )
    taken[name] = owner
    return name


def forget_names() -> None:
    """Begin to count anew."""
    _now_taken().clear()
