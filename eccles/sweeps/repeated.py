"""Many short conditions in few native calls.

Where all that a condition sets is constants, stored variables, spike trains or stimuli, nothing has to be
done in Python between two conditions: a native loop (`eccles/compile/repeat.py`) puts the memory of the
program back, writes the words in which the condition differs, runs the program, and copies what is recorded.
That matters for small networks, whose run takes less time than getting ready for it in Python does.

What is recorded is an array of the program in most cases. Where recorders have to make something of several
arrays (spikes, traces), the whole memory of each run is copied, and afterwards put into the objects, one
condition after the other, so that recorders find what they find after a run.

What such a condition gives are the bits that `Executor` gives; those in which something happens that Python
has to look at (a buffer is full, a number is NaN) are left to it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from eccles.compile.ir import Element
from eccles.compile.repeat import repeat
from eccles.engine.alias import AliasTable
from eccles.engine.state import ALIGNMENT, Array
from eccles.objects import magic
from eccles.objects.coefficients import Preparation
from eccles.objects.group import Group, SimulationObject
from eccles.objects.inputs import PoissonGroup, PoissonInput, SpikeGeneratorGroup
from eccles.objects.neurons import NeuronGroup
from eccles.objects.operations import NetworkOperation
from eccles.objects.swept import Call, Swept, Write, axes_of
from eccles.objects.synapses import Synapses
from eccles.objects.timed import TimedArray
from eccles.objects.variables import bare
from eccles.sweeps.execute import Executor, Results

__all__ = ["Repeated"]

WORD = 8  # bytes
MOST_IMAGE = 1 << 18  # bytes of memory that recorders look at after each condition
MOST_BYTES = 1 << 27  # of what conditions differ in, of one kind
FEW = 4  # words that are written one by one, and not with what lies between them


@dataclass
class Patch:
    """Words in which conditions differ.

    Attributes
    ----------
    array : Array
        Where they are.
    first : int
        The first word.
    axes : tuple of str
        What they depend on.
    rows : (n, words) int64
        One row per combination of positions along the axes, in C order.
    """

    array: Array
    first: int
    axes: tuple[str, ...]
    rows: np.ndarray


class Repeated:
    """The memory of a program at the start of its first condition, and in which words others differ.

    Parameters
    ----------
    executor : Executor
        Whose objects have not run yet.

    Raises
    ------
    NotRepeatable
        If something has to be done in Python for each condition; the message says what.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._grid = executor.grid
        structure = executor.structure
        self._random_axes = tuple(axis for axis in self._grid.axes if axis in structure.random_axes)
        first = int(structure.numbers[0])
        self._refuse_python()
        with magic.random_numbers(executor.seed_of(first)):
            try:
                ready = executor.prepare(first)
            except Exception as error:
                raise NotRepeatable(f"the first condition cannot be set: {error}") from error
            if ready.runner is None:
                raise NotRepeatable("nothing runs")
            self._runner = ready.runner
            self._loop = ready.runner.loop
            for prepare in self._loop.prepares:
                if not isinstance(prepare, Preparation):
                    raise NotRepeatable("Poisson processes are begun in Python")
                if self._varies(prepare.group, prepare.names):
                    raise NotRepeatable("coefficients that differ are computed in Python")
            self._runner.fill()
            self._set_clocks(ready.ends)
            self._layout()
            try:
                self._patches = [*self._calls(), *self._variables(), *self._keys()]
            except NotRepeatable:
                raise
            except Exception as error:  # of one condition: it is marked when its turn comes
                raise NotRepeatable(f"some condition cannot be set: {error}") from error
            self._outputs = self._recorded()
            self._ready = ready
            self._ends = {id(clock): end for clock, end in zip(ready.clocks, ready.ends, strict=True)}
            self._lock = threading.Lock()  # the objects take what one condition after the other has left
            self._watched = [
                array for obj in ready.objects if isinstance(obj, Group) for _, array in obj.integrated()
                if id(array) in self._offsets
            ]  # fmt: skip

    def _refuse_python(self) -> None:
        structure = self._executor.structure
        if len(structure.phases) > 1:
            raise NotRepeatable("there are several runs, with Python between them")
        for obj in structure.network._everything():
            if isinstance(obj, NetworkOperation):
                raise NotRepeatable("a network operation is Python code")
            if isinstance(obj, PoissonGroup) and structure.random_axes:
                raise NotRepeatable("Poisson processes are begun in Python")
        for name, recorder in structure.recorders.items():
            if not recorder.in_memory:
                raise NotRepeatable(f"'{name}' is computed in Python")

    def _varies(self, group: Group, names: frozenset[str]) -> bool:
        """Whether conditions differ in one of these names of a group: constants or variables."""
        for setting in self._executor.structure.settings:
            if isinstance(setting, Call):
                if setting.obj is group and setting.args[1:] and setting.args[1] in names:
                    return True
            elif setting.group.whole is group.whole and setting.name in names and self._axes_of(setting):
                return True
        return False

    def _axes_of(self, write: Write) -> frozenset[str]:
        """The axes that a write depends on; random numbers are drawn for text only."""
        random = {"rand", "randn", "poisson", "binomial"} & set(write.words)
        return write.axes | (self._executor.structure.random_axes if random else frozenset())

    # -- memory ---------------------------------------------------------------------------------

    def _set_clocks(self, ends: list[int]) -> None:
        store = self._loop.clock_store.data
        store[0] = 0
        for k, (clock, period, end) in enumerate(
            zip(self._loop.clocks, self._loop.periods(), ends, strict=True)
        ):
            store[1 + 3 * k : 4 + 3 * k] = (clock.timestep, end, period)

    def _layout(self) -> None:
        """Copy all arrays into one piece of memory, the template."""
        self._offsets: dict[int, int] = {}
        self._places: list[tuple[Array, int, int]] = []
        parts: list[np.ndarray] = []
        position = 0
        for array in self._loop.arrays:
            if id(array) in self._offsets:
                continue
            raw = array.with_spare_elements().view(np.uint8)
            size = -(-len(raw) // ALIGNMENT) * ALIGNMENT
            padded = np.zeros(size, np.uint8)
            padded[: len(raw)] = raw
            self._offsets[id(array)] = position
            self._places.append((array, position, len(array)))
            parts.append(padded)
            position += size
        self._template = np.concatenate(parts)

    # -- what differs ---------------------------------------------------------------------------

    def _calls(self) -> list[Patch]:
        """What conditions do by calls: constants of the model text, spike trains, stimuli, periods."""
        patches: dict[tuple[int, int], Patch] = {}
        for call in self._executor.structure.settings:
            if not isinstance(call, Call):
                continue
            found = self._constant(call) if call.method == "set_constant" else self._called(call)
            for patch in found:
                place = (id(patch.array), patch.first)
                if place in patches:
                    raise NotRepeatable(f"{call.method}() changes what another call changes, too")
                patches[place] = patch
        return list(patches.values())

    def _constant(self, call: Call) -> list[Patch]:
        """A constant of the model text."""
        value, name = call.args
        if value.ragged or value.ndim:
            raise NotRepeatable("the shapes of values differ")
        slot = self._loop.slots.get(("external", id(call.obj), name))
        if slot is None:
            return []  # no native code uses it
        array, word = slot
        kind = np.float64 if array.element is Element.F64 else np.int64
        rows = np.asarray(value.values).astype(kind).reshape(-1, 1)
        return [Patch(array, word, value.axes, rows.view(np.int64))]

    def _called(self, call: Call) -> list[Patch]:
        """What a call changes: arrays of the object, and numbers that the program asks for."""
        obj = call.obj
        if not isinstance(obj, NeuronGroup | PoissonInput | SpikeGeneratorGroup | TimedArray):
            raise NotRepeatable(f"{call.method}() changes more than one object")
        axes = tuple(axis for axis in self._grid.axes if axis in call.axes)
        if isinstance(obj, SpikeGeneratorGroup) and (trains := _trains_of_one_length(call)) is not None:
            return self._trains(obj, *trains, axes)
        sizes = dict(zip(self._grid.axes, self._grid.shape, strict=True))
        own = [a for a in arrays_of(obj) if id(a) in self._offsets]
        numbers = self._numbers_of(obj, own)
        n_words = sum(len(array) for array in own) + len(numbers)
        if math.prod(sizes[axis] for axis in axes) * n_words * WORD > MOST_BYTES:
            raise NotRepeatable(f"there are too many values for {call.method}() to have at hand")
        rows: list[list[np.ndarray]] = [[] for _ in (*own, *numbers)]
        for combination in (*np.ndindex(*(sizes[axis] for axis in axes)), (0,) * len(axes)):
            call.apply(dict(zip(axes, combination, strict=True)))
            if isinstance(obj, SimulationObject):
                obj.before_run(None, self._executor.structure.seconds)
            found = (
                *map(_words, own),
                *(np.array([get()], store.data.dtype).view(np.int64) for store, _, get in numbers),
            )
            for row, words in zip(rows, found, strict=True):
                row.append(words)
        patches = [p for a, r in zip(own, rows, strict=False) for p in _differences(a, axes, r[:-1])]
        for (store, k, _), row in zip(numbers, rows[len(own) :], strict=True):
            patches += [replace(p, first=k) for p in _differences(store, axes, row[:-1])]
        return patches

    def _trains(
        self, obj: SpikeGeneratorGroup, indices: Any, times: Swept, axes: tuple[str, ...]
    ) -> list[Patch]:
        """Spike trains that differ in their times, all at once."""
        seconds = np.asarray(times.aligned(axes, 1), float)
        patches = []
        for array, rows in obj.exact_rows(indices, seconds.reshape(-1, seconds.shape[-1])):
            words = np.zeros((len(rows), _n_words(array)), np.int64)
            words.view(array.data.dtype)[:, : rows.shape[1]] = rows
            patches += _differences(array, axes, list(words))
        return patches

    def _numbers_of(self, obj: Any, own: list[Array]) -> list[tuple[Array, int, Callable[[], float]]]:
        """The numbers that the program asks an object for: where they are stored, and who tells them."""
        ids = {id(obj), *map(id, own)}
        loop = self._loop
        return [
            (store, k, (loop.floats if store is loop.float_store else loop.integers)[k])
            for key, (store, k) in loop.slots.items()
            if isinstance(key, tuple) and ids & {part for part in key if isinstance(part, int)}
        ]

    def _variables(self) -> list[Patch]:
        """Variables that are written before the run."""
        by_array: dict[int, list[Write]] = {}
        for write in self._executor.structure.settings:
            if isinstance(write, Write):
                by_array.setdefault(id(self._array_of(write)), []).append(write)
        return [patch for writes in by_array.values() if (patch := self._written(writes)) is not None]

    def _array_of(self, write: Write) -> Array:
        whole = write.group.whole
        stored = {v.name: v for v in whole.variables()} if isinstance(whole, NeuronGroup | Synapses) else {}
        if write.name not in stored or (isinstance(whole, Synapses) and write.name in whole.event_driven):
            raise NotRepeatable(f"'{write.name}' of {write.group.name} is not simply stored")
        return stored[write.name].array

    def _written(self, writes: list[Write]) -> Patch | None:
        """What is written to one array, in order."""
        found = frozenset().union(*map(self._axes_of, writes))
        axes = tuple(axis for axis in self._grid.axes if axis in found)
        if not axes:
            return None
        array = self._array_of(writes[0])
        if array.element is not Element.F64 or id(array) not in self._offsets:
            raise NotRepeatable(f"'{writes[0].name}' of {writes[0].group.name} is no float64 of the program")
        sizes = dict(zip(self._grid.axes, self._grid.shape, strict=True))
        shape = (*(sizes[axis] for axis in axes), len(array))
        if math.prod(shape) * WORD > MOST_BYTES:
            raise NotRepeatable(f"there are too many values of '{writes[0].name}' to have at hand")
        rows = np.empty(shape)
        rows[...] = array.data
        if any(write.is_text for write in writes):
            self._write_one_by_one(rows, writes, axes, array)
        else:
            for write in writes:
                if isinstance(write.item, Swept) or isinstance(write.value, list | tuple):
                    raise NotRepeatable("indices differ")
                self._write(rows, write, axes)
        return Patch(array, 0, axes, rows.reshape(-1, len(array)).view(np.int64))

    def _write_one_by_one(
        self, rows: np.ndarray, writes: list[Write], axes: tuple[str, ...], array: Array
    ) -> None:
        """Do writes for each combination of the axes in turn: text is evaluated in Python."""
        for write in writes:
            self._refuse_reading(write)
        before = array.data.copy()
        fixed = self._grid.where(int(self._executor.structure.numbers[0]))
        for combination in np.ndindex(*rows.shape[:-1]):
            where = {**fixed, **dict(zip(axes, combination, strict=True))}
            array.data[:] = before
            with magic.random_numbers(self._executor.seed_at(where)):
                for write in writes:
                    write.apply(where)
            rows[combination] = array.data
        array.data[:] = before

    def _refuse_reading(self, write: Write) -> None:
        """Text that reads what other settings change could read what another condition has."""
        own = {"i", "j", "N", "t", "dt"}
        for word in write.words:
            stem = word.removesuffix("_pre").removesuffix("_post")
            if stem not in own and any(
                group.symbol(stem) is not None for group in (write.group, *_sides(write.group))
            ):
                raise NotRepeatable(f"'{write.name}' of {write.group.name} is computed from '{word}'")

    def _write(self, rows: np.ndarray, write: Write, axes: tuple[str, ...]) -> None:
        """Do a write for all combinations of the axes at once."""
        view = write.group.view(write.name, units=write.units)
        value = write.value
        if isinstance(value, Swept):
            if value.ragged or value.ndim > 1:
                raise NotRepeatable("the shapes of values differ")
            value = value.aligned(axes, 1)
        numbers = bare(value, write.name, view.dim, write.group.name) if write.units else np.asarray(value)
        if view.shared:
            rows[..., :1] = numbers
            return
        positions, _ = view._indices(write.item)
        first = write.group.start
        if positions is None:
            rows[..., first : first + len(write.group)] = numbers
        else:
            rows[..., positions + first] = numbers

    def _keys(self) -> list[Patch]:
        """The keys of random streams, which depend on the seed."""
        if not self._random_axes:
            return []
        sizes = dict(zip(self._grid.axes, self._grid.shape, strict=True))
        shape = tuple(sizes[axis] for axis in self._random_axes)
        fixed = self._grid.where(int(self._executor.structure.numbers[0]))
        rows = []
        for combination in np.ndindex(shape):
            where = {**fixed, **dict(zip(self._random_axes, combination, strict=True))}
            with magic.random_numbers(self._executor.seed_at(where)):
                rows.append([get() for get in self._loop.integers])
        store = self._loop.integer_store
        return _differences(store, self._random_axes, [np.array(row, np.int64) for row in rows])

    def _recorded(self) -> dict[str, Array] | None:
        """The arrays that hold what is recorded; None if recorders have to collect it."""
        outputs = {}
        for name, recorder in self._executor.structure.recorders.items():
            array = recorder.plain()
            if array is None or id(array) not in self._offsets:
                if len(self._template) > MOST_IMAGE:
                    raise NotRepeatable(f"'{name}' takes too much memory to be collected afterwards")
                return None
            outputs[name] = array
        return outputs

    # -- running --------------------------------------------------------------------------------

    @property
    def most(self) -> int:
        """How many conditions there can be in one call."""
        if self._outputs is not None:
            return 1 << 16
        return max(1, MOST_BYTES // 4 // len(self._template))

    def run(self, numbers: np.ndarray, results: Results) -> np.ndarray:
        """Simulate conditions, in one native call; hands over what was recorded.

        Returns
        -------
        (n,) bool
            Whether each condition is done; the others are left to `Executor`.
        """
        image = _aligned(len(self._template))
        base = image.__array_interface__["data"][0]
        watched = [(base + self._offsets[id(a)], _n_words(a)) for a in self._watched]
        if self._outputs is None:  # the whole memory
            recorded = [(base, len(self._template) // WORD)]
        else:
            recorded = [(base + self._offsets[id(a)], _n_words(a)) for a in self._outputs.values()]
        codes, found = self._repeat(numbers, image, [*watched, *recorded])
        done = codes == 0
        for array, words in zip(self._watched, found, strict=False):
            done &= np.isfinite(_elements(words, array)).all(axis=1)
        found = found[len(watched) :]
        if self._outputs is None:
            self._collect(numbers, done, found[0].view(np.uint8), results)
        else:
            values = {
                name: _elements(words, array)[done]
                for (name, array), words in zip(self._outputs.items(), found, strict=True)
            }
            results.put_many(numbers[done], values)
        return done

    def _repeat(
        self, numbers: np.ndarray, image: np.ndarray, places: list[tuple[int, int]]
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """The native call: what the program returned, and the words at some places after each run."""
        n = len(numbers)
        base = image.__array_interface__["data"][0]
        addresses = {key: base + offset for key, offset in self._offsets.items()}
        table = np.array([addresses[id(array)] for array in self._loop.arrays], np.uint64)
        shape = self._grid.shape
        positions = dict(zip(self._grid.axes, np.unravel_index(numbers, shape), strict=True)) if shape else {}
        keep: list[np.ndarray] = []
        patches = []
        for patch in self._patches:
            sizes = [len(self._grid.axes[axis][0]) for axis in patch.axes]
            row = np.ravel_multi_index([positions[axis] for axis in patch.axes], sizes).astype(np.int64)
            keep.append(row)
            to = addresses[id(patch.array)] + WORD * patch.first
            patches.append((to, patch.rows.shape[1], patch.rows.ctypes.data, row.ctypes.data))
        found = [np.empty((n, words), np.int64) for _, words in places]
        outputs = [(a, w, words.ctypes.data) for (a, w), words in zip(places, found, strict=True)]
        codes = np.empty(n, np.int64)
        patch_table, output_table = np.array(patches, np.int64), np.array(outputs, np.int64)
        repeat(
            run=self._runner.native.address, table=table.ctypes.data, image=base,
            template=self._template.ctypes.data, words=len(self._template) // WORD, n=n,
            n_patches=len(patches), patches=patch_table.ctypes.data,
            n_outputs=len(outputs), outputs=output_table.ctypes.data, codes=codes.ctypes.data,
        )  # fmt: skip
        return codes, found

    def _collect(self, numbers: np.ndarray, done: np.ndarray, images: np.ndarray, results: Results) -> None:
        """Put the memory that a run has left into the objects, and have recorders collect as after a run."""
        structure = self._executor.structure
        with self._lock:
            self._executor.put_back()
            for obj in self._ready.objects:
                obj.clock.timestep = self._ends[id(obj.clock)]
            structure.network._t = structure.network._end_time(structure.seconds, self._ready.clocks)
            for k in np.flatnonzero(done):
                for array, start, size in self._places:
                    if len(array) != size:
                        array.resize(size)
                    array.data[:] = images[k, start : start + array.data.nbytes].view(array.data.dtype)
                for recorder in structure.recorders.values():
                    for obj in recorder.objects:
                        obj.after_run()
                collected = {name: r.collect() for name, r in structure.recorders.items()}
                results.put(int(numbers[k]), collected)


class NotRepeatable(Exception):
    """Something has to be done in Python for each condition."""


def _trains_of_one_length(call: Call) -> tuple[Any, Swept] | None:
    """Indices and times of spike trains, if nothing but their times differs, and their times are exact."""
    if call.method != "set_spikes" or not call.obj.in_instants:
        return None
    indices, times, *others = call.args  # a period, and whether they are sorted
    if axes_of((indices, *others)) or any(np.asarray(other).any() for other in others):
        return None
    one_length = isinstance(times, Swept) and not times.ragged and times.ndim == 1
    return (indices, times) if one_length else None


def arrays_of(obj: Any) -> list[Array]:
    """The arrays of an object, and of what it consists of."""
    found = []
    for value in vars(obj).values():
        if isinstance(value, Array):
            found.append(value)
        elif isinstance(value, AliasTable):
            found += arrays_of(value)
    return found


def _words(array: Array) -> np.ndarray:
    """A copy of an array, with so many spare elements that it is a whole number of words."""
    raw = array.with_spare_elements().view(np.uint8)
    return raw[: -(-array.data.nbytes // WORD) * WORD].copy().view(np.int64)


def _differences(array: Array, axes: tuple[str, ...], rows: list[np.ndarray]) -> list[Patch]:
    """Patches for the words of an array that are not the same in all rows."""
    if len({len(row) for row in rows}) > 1:
        raise NotRepeatable(f"the size of {array.name} differs")
    table = np.stack(rows)
    differing = np.flatnonzero(np.any(table != table[0], axis=0))
    if not len(differing):
        return []
    if len(differing) <= FEW:
        return [Patch(array, int(k), axes, np.ascontiguousarray(table[:, k : k + 1])) for k in differing]
    first, last = int(differing[0]), int(differing[-1])
    return [Patch(array, first, axes, np.ascontiguousarray(table[:, first : last + 1]))]


def _sides(group: Any) -> tuple[Group, ...]:
    return (group.source, group.target) if isinstance(group, Synapses) else ()


def _n_words(array: Array) -> int:
    return -(-array.data.nbytes // WORD)


def _elements(words: np.ndarray, array: Array) -> np.ndarray:
    """The elements of an array in each condition, (n, elements), from its words."""
    return words.view(array.data.dtype)[:, : len(array)]


def _aligned(size: int) -> np.ndarray:
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.__array_interface__["data"][0] % ALIGNMENT
    return raw[start : start + size]
