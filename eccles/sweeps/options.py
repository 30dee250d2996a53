"""How a sweep is run: where results go, on what, in which portions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from eccles.errors import SetupError, warn

if TYPE_CHECKING:
    import xarray

__all__ = ["Options", "Watcher", "default_options"]


class Watcher(Protocol):
    """Is told of each sweep, and may raise what ends it, or the script."""

    def begins(self) -> None:
        """A sweep begins; its model is not called yet."""
        ...

    def ends(self, result: xarray.Dataset, out: Path | None, n_before: int, n_done: int) -> None:
        """A sweep has ended, or was interrupted.

        Parameters
        ----------
        out : path or None
            Where the results are to be.
        n_before : int
            How many conditions were there before.
        n_done : int
            How many are there now.
        """
        ...


@dataclass(frozen=True)
class Options:
    """How a sweep is run; see `sweep`."""

    out: Path | None = None
    threads: int | None = None
    scheduler: Any = None
    chunk: int | None = None
    progress: bool | None = None
    memory_limit: int | None = None
    watcher: Watcher | None = None

    @classmethod
    def of(cls, **given: Any) -> Options:
        """The options of a call, checked; what is not given is as `default_options` has it."""
        given = {name: value for name, value in given.items() if value is not None}
        options = cls(**{**given, **_defaults})
        if options.watcher is not None:
            options.watcher.begins()
        if "out" in given and str(given["out"]) != str(options.out):
            warn("out_twice", f"results go to {options.out}, not to {given['out']}")
        for name in ("threads", "chunk"):
            value = getattr(options, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise SetupError(f"{name} has to be a positive whole number, not {value!r}")
        if options.out is None:
            return options
        path = Path(options.out)
        if path.suffix not in (".nc", ".zarr"):
            raise SetupError(
                f"out='{path}' does not tell how to write results",
                hint="Names end in .zarr (a folder that is written while the sweep runs) or .nc (one file).",
            )
        return replace(options, out=path)


_defaults: dict[str, Any] = {}  # of the sweeps of a script that runs under `eccles sweep`


@contextmanager
def default_options(**options: Any) -> Iterator[None]:
    """Calls of `sweep` within have these options."""
    before = dict(_defaults)
    _defaults.update({name: value for name, value in options.items() if value is not None})
    try:
        yield
    finally:
        _defaults.clear()
        _defaults.update(before)
