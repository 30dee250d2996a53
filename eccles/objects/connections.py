"""The connections of one `Synapses`: which source, which target, in order of creation.

`target` holds 4 bytes per synapse. As long as synapses were created in order of their source, which all
random and conditional forms do, the sources are not stored at all: `first` says where those of each
source begin. Otherwise `order` lists the synapses by source. The index by target exists only where
something runs on postsynaptic spikes.
"""

from __future__ import annotations

import numpy as np

from eccles.compile.ir import Element
from eccles.engine.state import Array
from eccles.errors import SetupError

__all__ = ["Connections"]

CHUNK = 1 << 17  # synapses that are looked at together
MOST = 2**31 - 65  # synapses in one object: indices have 4 bytes, vector loops look a little ahead


class Connections:
    """Pairs of source and target, in order of creation.

    Attributes
    ----------
    target : Array
        The target of each synapse.
    first : Array
        Where the synapses of each source begin, and one more: in `order`, or directly.
    order : Array or None
        The synapses by source; None if they were created so.
    source : Array or None
        The source of each synapse, where it has to be stored.
    """

    def __init__(self, name: str, n_sources: int, n_targets: int) -> None:
        self.name = name
        self.n_sources = n_sources
        self.n_targets = n_targets
        self.source: Array | None = None
        self.order: Array | None = None
        self.by_target: Array | None = None
        self._source_by_target: Array | None = None
        self._numbers: Array | None = None
        self.target = Array(f"{name}.target", Element.I32)
        self.first = Array(f"{name}.first", Element.I64, n_sources + 1)
        self.first_by_target = Array(f"{name}.first_by_target", Element.I64)
        self._in_order, self._last_source = True, 0

    def __len__(self) -> int:
        return len(self.target)

    # -- creation -------------------------------------------------------------------------------

    def reserve(self, n: int) -> None:
        """Make room for n synapses: less memory and time than to grow step by step."""
        self.target.reserve(n)

    def append(self, sources: np.ndarray, targets: np.ndarray) -> None:
        """Add synapses; `finish` has to follow before anything is read.

        Raises
        ------
        SetupError
            If there are too many.
        """
        if len(sources) == 0:
            return
        n = len(self) + len(sources)
        if n > MOST:
            raise SetupError(f"{self.name} would have more synapses than one object can hold ({MOST})")
        in_order = sources[0] >= self._last_source and bool(np.all(sources[1:] >= sources[:-1]))
        if not in_order:
            self.stored_source()
            self._in_order = False
        _append(self.target, targets, n)
        if self.source is not None:
            _append(self.source, sources, n)
        self.first.data[1:] += np.cumsum(np.bincount(sources, minlength=self.n_sources))
        self._last_source = max(self._last_source, int(sources.max()))

    def finish(self) -> None:
        """Bring the indices up to date after `append`."""
        self.by_target = self._source_by_target = self._numbers = None
        if not self._in_order:
            assert self.source is not None
            self.order = Array(f"{self.name}.order", Element.I32, len(self))
            _sort_stably(self.source.data, self.first.data, self.order.data)

    def truncate(self, n: int) -> None:
        """Forget all synapses but the first n."""
        self.replace(self.sources()[:n].copy(), self.targets()[:n].copy())

    def replace(self, sources: np.ndarray, targets: np.ndarray) -> None:
        """Forget all synapses and create these."""
        self.target.resize(0)
        self.first.data[:] = 0
        self.order = self.source = None
        self._in_order, self._last_source = True, 0
        self.append(sources, targets)
        self.finish()

    # -- indices --------------------------------------------------------------------------------

    def sources(self) -> np.ndarray:
        """The source of each synapse, (n,) int."""
        if self.source is not None:
            return self.source.data
        return np.repeat(np.arange(self.n_sources, dtype=np.int32), np.diff(self.first.data))

    def targets(self) -> np.ndarray:
        """The target of each synapse, (n,) int."""
        return self.target.data

    def stored_source(self) -> Array:
        """The source of each synapse, stored from now on."""
        if self.source is None:
            stored = Array(f"{self.name}.source", Element.I32)
            stored.replace(self.sources())
            self.source = stored
        return self.source

    def index_by_target(self) -> tuple[Array, Array]:
        """Where the synapses of each target begin, and the synapses by target."""
        if self.by_target is None:
            self.by_target = Array(f"{self.name}.by_target", Element.I32)
            self.by_target.resize(len(self))
            self.first_by_target.replace(np.concatenate([[0], np.cumsum(self.n_incoming())]))
            _sort_stably(self.target.data, self.first_by_target.data, self.by_target.data)
        return self.first_by_target, self.by_target

    def source_by_target(self) -> Array:
        """The source of each synapse, in the order of `by_target`: read one after the other."""
        _, by_target = self.index_by_target()
        if self._source_by_target is None:
            self._source_by_target = Array(f"{self.name}.source_by_target", Element.I32)
            self._source_by_target.resize(len(self))
            for begin in range(0, len(self), CHUNK):
                chosen = by_target.data[begin : begin + CHUNK]
                if self.source is not None:
                    sources = self.source.data[chosen]
                else:
                    sources = np.searchsorted(self.first.data, chosen, side="right") - 1
                self._source_by_target.data[begin : begin + CHUNK] = sources
        return self._source_by_target

    def n_incoming(self) -> np.ndarray:
        """The number of synapses of each target, (n_targets,) int."""
        return np.bincount(self.target.data, minlength=self.n_targets)

    def n_outgoing(self) -> np.ndarray:
        """The number of synapses of each source, (n_sources,) int."""
        return np.diff(self.first.data)

    def multisynaptic(self) -> np.ndarray:
        """The number of each synapse among those of the same pair, (n,) int."""
        pairs = self.sources().astype(np.int64) * self.n_targets + self.target.data
        order = np.argsort(pairs, kind="stable")
        ordered = pairs[order]
        new = np.ones(len(pairs), bool)
        new[1:] = ordered[1:] != ordered[:-1]
        starts = np.flatnonzero(new)
        numbers = np.arange(len(pairs)) - np.repeat(starts, np.diff(np.append(starts, len(pairs))))
        result = np.empty(len(pairs), np.int64)
        result[order] = numbers
        return result

    def stored_numbers(self) -> Array:
        """What `multisynaptic` gives, for native code."""
        if self._numbers is None:
            self._numbers = Array(f"{self.name}.number", Element.I32)
            self._numbers.replace(self.multisynaptic())
        return self._numbers

    def layout(self) -> tuple[bool, bool, bool]:
        """Which of the optional arrays exist: a program is built for one layout."""
        return (self.order is None, self.source is None, self.by_target is None)

    def memory(self) -> int:
        """Bytes."""
        arrays = [self.target, self.first, self.first_by_target]
        optional = (self.order, self.source, self.by_target, self._source_by_target, self._numbers)
        arrays += [a for a in optional if a is not None]
        return sum(a.data.nbytes for a in arrays)


def _sort_stably(keys: np.ndarray, first: np.ndarray, order: np.ndarray) -> None:
    """Write the positions of `keys` in ascending order, equal ones as they stand, to `order`.

    A counting sort in chunks: no more memory than the result and a few chunks. `first` says where each
    key begins.
    """
    following = first[:-1].copy()
    for begin in range(0, len(keys), CHUNK):
        chunk = keys[begin : begin + CHUNK]
        sorting = np.argsort(chunk, kind="stable")
        ordered = chunk[sorting]
        counts = np.bincount(ordered, minlength=len(following))
        rank = np.arange(len(ordered)) - (np.cumsum(counts) - counts)[ordered]
        order[following[ordered] + rank] = sorting + begin
        following += counts


def _append(array: Array, values: np.ndarray, n: int) -> None:
    old = len(array)
    if n > array.capacity:
        array.reserve(max(n, int(1.5 * array.capacity)))
    array.resize(n)
    array.data[old:] = values
