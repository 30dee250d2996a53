"""Putting a network back to an earlier moment, with everything in it: arrays, and what Python knows of them.

`snapshot.py` keeps what a run depends on as plain data, for files and for networks that have changed since;
taking it back is checked. This keeps the state of the very objects, in the very arrays, and puts it back in
some tens of microseconds: each condition of a sweep begins with that. All that is reachable from the network
and can change is kept, so no class has to know of it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from eccles.engine.state import Array

__all__ = ["Memento"]

# who has state; text has none
CHANGING = ("eccles.engine", "eccles.objects", "eccles.monitors", "eccles.sweeps")


class Memento:
    """The state of some objects, and of all that they lead to.

    Parameters
    ----------
    *roots : object
        Objects of these, and objects that they refer to, are put back; links and connections may have
        changed in between, but no object may be replaced by one of another kind.
    """

    def __init__(self, *roots: Any) -> None:
        self._attributes: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self._arrays: list[tuple[Array, np.ndarray]] = []
        self._plain: list[tuple[np.ndarray, np.ndarray]] = []
        self._lists: list[tuple[list[Any], list[Any]]] = []
        self._dicts: list[tuple[dict[Any, Any], dict[Any, Any]]] = []
        self._keep: list[Any] = []  # ids stay those of these objects
        seen: set[int] = set()
        waiting = list(roots)
        while waiting:
            value = waiting.pop()
            if id(value) not in seen:
                seen.add(id(value))
                self._keep.append(value)
                waiting += self._look_at(value)

    def _look_at(self, value: Any) -> Iterator[Any]:
        """Keep the state of one object; returns what it leads to."""
        match value:
            case Array():
                self._arrays.append((value, value.data.copy()))
            case np.ndarray():
                if value.flags.writeable:
                    self._plain.append((value, value.copy()))
            case list():
                self._lists.append((value, value.copy()))
                yield from value
            case dict():
                self._dicts.append((value, value.copy()))
                yield from value.values()
            case tuple() | set() | frozenset():
                yield from value
            case FunctionType() if value.__module__.startswith(CHANGING):  # not what users wrote
                yield from _captured(value)
            case MethodType():
                yield value.__self__
            case functools.partial():
                yield from (value.func, *value.args, *value.keywords.values())
            case _ if type(value).__module__.startswith(CHANGING) and hasattr(value, "__dict__"):
                self._attributes.append((value.__dict__, value.__dict__.copy()))
                yield from value.__dict__.values()

    def put_back(self) -> None:
        """Have everything as it was."""
        for now, before in (*self._attributes, *self._dicts):
            now.update(before)
            if len(now) != len(before):
                now.clear()
                now.update(before)
        for now, before in self._lists:
            now[:] = before
        for array, before in self._arrays:
            array.replace(before)
        for now, before in self._plain:
            now[...] = before


def _captured(function: FunctionType) -> Iterator[Any]:
    """What a function that was made within another one has taken with it."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue
    yield from function.__defaults__ or ()
