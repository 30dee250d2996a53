"""A sweep on disk: a Zarr folder that is written piece by piece, and goes on after any interruption.

A chunk of conditions is a box of the grid that fills Zarr chunks of its own, so no two pieces touch the same
file. Its values are written first; then, when they are on the disk for certain, its *mark*: one file, which
appears at once or not at all, and holds what has no place in the arrays yet: the events and what went wrong.
What was interrupted has no mark, and is computed again. `finish` puts the events together in the order of the
conditions. Last of all the attribute `unfinished` goes, with the one file that readers begin with.

    study.zarr/                       what `xarray.open_zarr` reads: values, coordinates, events
        eccles.sweep/                 attributes: which sweep this is, and how it is divided
            work/                     until it is finished: marks, and the lock
"""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import socket
import sys
import warnings
import weakref
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.errors import InternalError, RunError, SetupError, warn
from eccles.results.dataset import assemble, failure_list
from eccles.results.layout import Axis, Coordinate, Field, Piece

if TYPE_CHECKING:
    import zarr
    from zarr.codecs import ZstdCodec
    from zarr.storage import LocalStore

__all__ = ["Store"]

FORMAT = 1
STATE = "eccles.sweep"  # no parameter can have this name
WORK = f"{STATE}/work"  # not beside the arrays, where readers wonder about what is not Zarr
UNFINISHED = "unfinished"
ADVICE = (
    "Conditions that are marked as failed without a message are not computed yet. The same sweep with the "
    "same out=... goes on with them; until then, events may be missing."
)
KEPT = "What was stored is kept: the same call goes on with what is missing."
EVENTS_PER_CHUNK = 2**18
MOST_BYTES = 2**28  # of a Zarr chunk; compressors take no more than 2**31


class Store:
    """The results of a sweep in a folder, for the one process that writes them.

    Made by `Store.create` or `Store.open`. It is locked until `close`, `finish` or the end of the process.

    Attributes
    ----------
    path : Path
    token : str
        What identifies the sweep.
    chunks : list of range
        The conditions that are written together, by flat index.
    """

    def __init__(self, path: Path, state: Mapping[str, Any], lock: int | None) -> None:
        self.path = path
        self.token: str = state["token"]
        self._shape = tuple(state["shape"])
        self._axes: Mapping[str, Sequence[str]] = state["axes"]
        self._values: Sequence[str] = state["values"]
        self._events: Mapping[str, Mapping[str, Any]] = state["events"]  # name -> column -> attributes
        self._block = tuple(state["block"])
        self.chunks = divide(self._shape, self._block)
        self._by_start = {chunk.start: chunk for chunk in self.chunks}
        self._unlock = None if lock is None else weakref.finalize(self, os.close, lock)
        self._root = _open_root(path)
        self._done = set(self._by_start) if lock is None else self._look_for_marks()

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        axes: Sequence[Axis],
        fields: Sequence[Field],
        attributes: Mapping[str, Any],
        token: str,
        chunk: int,
        *,
        plan: bytes | None = None,
    ) -> Store:
        """A store for a sweep: a new one, or the one that is there already if it is of the same sweep.

        Parameters
        ----------
        path : path
            The folder. Nothing is there, or an empty folder, or an earlier store.
        axes, fields
            As in `eccles.results.layout`.
        attributes : mapping of str to text or number
            Of the dataset.
        token : str
            Identifies the sweep: equal for two that give the same results.
        chunk : int
            About how many conditions are written together. An earlier store keeps its own.
        plan : bytes, optional
            What the sweep needs to be run again; see `assemble`.

        Raises
        ------
        SetupError
            If something else is at `path`, or another process writes there.
        RunError
            If the disk does not take it.
        """
        path = Path(path)
        if _is_occupied(path):
            _read_state(path)  # an error if it is something else
        else:
            with _writing(path):
                new = path.with_name(f"{path.name}.{os.getpid()}.new")
                shutil.rmtree(new, ignore_errors=True)  # of a process that had the same number and was killed
                try:
                    block = block_of([a.size for a in axes], chunk)
                    _lay_out(new, axes, fields, attributes, token, block, plan)
                    _sync_all(new)
                    _put_in_place(new, path)
                finally:
                    shutil.rmtree(new, ignore_errors=True)
        store = cls.open(path)
        if store.token != token:
            store.close()
            raise SetupError(
                f"{path} holds another sweep: other parameters, another model, record or seed",
                hint="Choose another path, or delete this folder if you do not need it.",
            )
        return store

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Store:
        """The store at `path`, to go on with it.

        Raises
        ------
        SetupError
            If there is none, or another process writes there.
        """
        path = Path(path)
        state = _read_state(path)
        with _writing(path):
            lock = None if _is_finished(path) else _lock(path)
            if _is_finished(path):  # before, or just now by who had the lock
                if lock is not None:
                    os.close(lock)
                shutil.rmtree(path / WORK, ignore_errors=True)
                lock = None
            return cls(path, state, lock)

    def close(self) -> None:
        """Let other processes write; what is missing can be computed later."""
        if self._unlock is not None:
            self._unlock()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def missing(self) -> list[range]:
        """The chunks that are not written yet, in order."""
        return [chunk for chunk in self.chunks if chunk.start not in self._done]

    def write(self, piece: Piece) -> None:
        """Store a chunk for good. What of it was there before is replaced.

        Raises
        ------
        RunError
            If the disk does not take it. All that was stored before stays.
        """
        self._check_open()
        chunk = self._by_start.get(piece.start, range(0))
        if chunk != range(piece.start, piece.stop):
            raise InternalError(f"conditions {piece.start} to {piece.stop - 1} are no chunk of {self.path}")
        if piece.values.keys() != set(self._values) or piece.events.keys() != self._events.keys():
            raise InternalError(f"a piece for {self.path} holds {[*piece.values, *piece.events]}")
        failed = np.isin(np.arange(piece.start, piece.stop), list(piece.failures))
        with _writing(self.path, KEPT):
            for name, values in {**piece.values, "failed": failed}.items():
                self._write_values(name, chunk, values)
            self._mark(piece)
        self._done.add(piece.start)

    def finish(self) -> None:
        """Make the folder complete: events in the order of the conditions, and what went wrong.

        While chunks are missing, this brings what readers see up to date, and the store can go on.
        """
        if self._unlock is None:  # it is finished
            return
        self._check_open()
        with _writing(self.path, KEPT):
            for number, (name, columns) in enumerate(self._events.items()):
                self._join_events(number, name, columns)
            _clean_up(self.path)
            attributes = dict(self._root.attrs) | {"failures": json.dumps(self._failures())}
            if not self.missing():
                del attributes[UNFINISHED]
            self._root.attrs.put(attributes)
            _consolidate(_durable(self.path))
            if not self.missing():
                self.close()
                self._unlock = None
                shutil.rmtree(self.path / WORK, ignore_errors=True)

    def _check_open(self) -> None:
        if self._unlock is None or not self._unlock.alive:
            raise InternalError(f"{self.path} is finished or closed")

    def _write_values(self, name: str, chunk: range, values: np.ndarray) -> None:
        """Write the values of a chunk, and wait until they are on the disk."""
        array = _array(self._root, name)
        box = box_of(chunk, self._shape, self._block)
        shape = (*(s.stop - s.start for s in box), *array.shape[len(box) :])
        array[(*box, ...)] = np.reshape(values, shape)

    def _mark(self, piece: Piece) -> None:
        """Note that a chunk is written, with its events: all at once, and for good."""
        content = {"failures": np.frombuffer(json.dumps(piece.failures).encode(), np.uint8)}
        for number, (name, columns) in enumerate(self._events.items()):
            counts, values = piece.events[name]
            content[f"{number}.count"] = counts
            content.update({f"{number}.{column}": values[column] for column in columns})
        mark = self._mark_of(piece.start)
        new = mark.with_suffix(".new")
        with new.open("wb") as file:
            np.savez(file, allow_pickle=False, **content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(mark)
        _sync(mark.parent)

    def _mark_of(self, start: int) -> Path:
        return self.path / WORK / f"{start}.npz"

    def _look_for_marks(self) -> set[int]:
        """The first conditions of the chunks that are done; a mark that is damaged is none."""
        files = {start: self._mark_of(start) for start in self._by_start}
        return {start for start, file in files.items() if file.exists() and _is_sound(file)}

    def _read_marks(self, key: str) -> Iterator[tuple[range, np.ndarray]]:
        """One array of each mark, in the order of the conditions."""
        for start in sorted(self._done):
            with np.load(self._mark_of(start), allow_pickle=False) as mark:
                yield self._by_start[start], mark[key]

    def _failures(self) -> list[dict[str, Any]]:
        """What went wrong, as the dataset has it."""
        messages: dict[int, str] = {}
        for _, text in self._read_marks("failures"):
            messages |= {int(flat): message for flat, message in json.loads(text.tobytes()).items()}
        return failure_list(self._read_axes(), messages)

    def _join_events(self, number: int, name: str, columns: Mapping[str, Any]) -> None:
        """Put the events of all chunks one after the other."""
        counts = np.zeros(math.prod(self._shape), np.int64)
        self._write_counts(name, counts)  # readers see no events while they move
        for column, attributes in columns.items() if self._done else ():
            self._join_column(f"{number}.{column}", f"{name}.{column}", attributes)
        for column in columns if self._done else ():  # all are of one length again: not before
            self._set_dimension(f"{name}.{column}", f"{name}.event")
        for chunk, part in self._read_marks(f"{number}.count"):
            counts[chunk.start : chunk.stop] = part
        self._write_counts(name, counts)

    def _join_column(self, key: str, name: str, attributes: Mapping[str, Any]) -> None:
        """Put the values of one column one after the other, along a dimension of its own."""
        sizes, dtypes = zip(*((part.size, part.dtype) for _, part in self._read_marks(key)), strict=True)
        array = self._root.create_array(  # anew: only now its type is known
            name,
            shape=(sum(sizes),),
            chunks=(EVENTS_PER_CHUNK,),
            dtype=np.result_type(*dtypes),
            compressors=_compressor(),
            dimension_names=(f"{name}.event",),
            attributes=dict(attributes),
            overwrite=True,
        )
        start = 0
        for block in _blocks((part for _, part in self._read_marks(key)), EVENTS_PER_CHUNK):
            array[start : start + len(block)] = block
            start += len(block)

    def _set_dimension(self, name: str, dimension: str) -> None:
        """Name the dimension of an array anew; the file that says it is replaced at once."""
        file = self.path / name / "zarr.json"
        about = json.loads(file.read_text(encoding="utf-8")) | {"dimension_names": [dimension]}
        new = file.with_suffix(".partial")
        new.write_text(json.dumps(about, indent=2), encoding="utf-8")
        _sync(new)
        new.replace(file)
        _sync(file.parent)

    def _write_counts(self, name: str, counts: np.ndarray) -> None:
        """Write how many events each condition has, and where they begin."""
        _array(self._root, f"{name}.count")[...] = counts.reshape(self._shape)
        _array(self._root, f"{name}.start")[...] = (np.cumsum(counts) - counts).reshape(self._shape)

    def _read_axes(self) -> list[Axis]:
        """The axes, from their coordinates."""
        import xarray

        with xarray.open_zarr(self.path, chunks=None, decode_times=False, consolidated=False) as dataset:
            found = {name: dataset[name].to_numpy() for names in self._axes.values() for name in names}
        plain = {n: np.array(v.tolist()) if v.dtype.kind in "OT" else v for n, v in found.items()}
        return [Axis(axis, {n: Coordinate(plain[n]) for n in names}) for axis, names in self._axes.items()]


# ------------------------------------------------------------------------------------------ division


def block_of(shape: Sequence[int], chunk: int) -> tuple[int, ...]:
    """The shape of boxes of about `chunk` consecutive conditions: (1, ..., 1, k, all, ..., all)."""
    block = list(shape)
    for axis, size in enumerate(shape):
        inner = math.prod(shape[axis + 1 :])
        most = max(1, min(size, chunk // inner))
        block[axis] = math.ceil(size / math.ceil(size / most))  # no small rest
        if block[axis] > 1 or inner <= chunk:
            break
    return tuple(block)


def divide(shape: Sequence[int], block: Sequence[int]) -> list[range]:
    """The flat indices of each box, in order."""
    axis = next((a for a, k in enumerate(block) if k > 1), len(block) - 1)
    if axis < 0:
        return [range(1)]
    inner, n, k = math.prod(shape[axis + 1 :]), shape[axis], block[axis]
    rows = range(0, math.prod(shape[: axis + 1]), n)
    return [range((row + i) * inner, (row + min(i + k, n)) * inner) for row in rows for i in range(0, n, k)]


def box_of(chunk: range, shape: Sequence[int], block: Sequence[int]) -> tuple[slice, ...]:
    """Where a chunk is in the grid."""
    first = np.unravel_index(chunk.start, tuple(shape)) if shape else ()
    return tuple(slice(int(i), min(int(i) + k, n)) for i, k, n in zip(first, block, shape, strict=True))


def _blocks(parts: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """The parts one after the other, cut into arrays of `size`; the last may be shorter."""
    waiting: list[np.ndarray] = []
    n_waiting = 0
    for part in parts:
        waiting.append(part)
        n_waiting += len(part)
        if n_waiting >= size:
            joined = np.concatenate(waiting)
            whole = n_waiting - n_waiting % size
            for start in range(0, whole, size):
                yield joined[start : start + size]
            waiting, n_waiting = [joined[whole:]], n_waiting - whole
    if n_waiting:
        yield np.concatenate(waiting)


# ------------------------------------------------------------------------------------------ the folder


def _is_occupied(path: Path) -> bool:
    """Whether something is at `path` that is more than an empty folder."""
    try:
        return path.exists() and not (path.is_dir() and not any(path.iterdir()))
    except OSError:
        return True  # what it is becomes clear when it is read


def _read_state(path: Path) -> dict[str, Any]:
    """What `_lay_out` noted about a store."""
    if not path.exists():
        raise SetupError(f"there is no sweep at {path}")
    hint = "It stays as it is. Choose another path."
    if not path.is_dir():
        raise SetupError(f"{path} is a file, not the folder of a sweep", hint=hint)
    try:
        state = json.loads((path / STATE / "zarr.json").read_text(encoding="utf-8"))["attributes"]
        version = state["eccles_store"]
    except PermissionError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(f"{path} holds something that is no sweep of Eccles", hint=hint) from error
    if version != FORMAT:
        raise SetupError(
            f"{path} has format {version}; this version of Eccles writes format {FORMAT}",
            hint="Go on with the version that began it, or choose another path.",
        )
    return state


def _is_finished(path: Path) -> bool:
    try:
        root = json.loads((path / "zarr.json").read_text(encoding="utf-8"))
        return UNFINISHED not in root["attributes"]
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise SetupError(
            f"the sweep at {path} is damaged", hint="It stays as it is. Choose another path."
        ) from error


def _lay_out(
    path: Path,
    axes: Sequence[Axis],
    fields: Sequence[Field],
    attributes: Mapping[str, Any],
    token: str,
    block: tuple[int, ...],
    plan: bytes | None,
) -> None:
    """Make all arrays, as `assemble` makes them, without results."""
    import zarr
    from zarr.storage import LocalStore

    ours: dict[str, Any] = {"mode": "r+", "zarr_format": 3, "use_consolidated": False}
    shape = tuple(axis.size for axis in axes)
    grid = assemble(axes, [], [], {**attributes, UNFINISHED: ADVICE}, plan)
    first = [
        Axis(axis.name, {n: Coordinate(c.values[:1]) for n, c in axis.coordinates.items()}) for axis in axes
    ]
    options: dict[str, Any] = {"mode": "a", "zarr_format": 3, "consolidated": False}
    events: dict[str, dict[str, Any]] = {}
    for field in fields:
        # of one condition: all may be more than the memory holds
        small = assemble(first, [field], [], {}).drop_vars(list(grid.variables), errors="ignore")
        chunks = {name: _zarr_chunks(name, field, small[name], block) for name in small.data_vars}
        encoding = {name: _encoding(size) for name, size in chunks.items()}
        if field.kind == "events":
            events[field.name] = {c: small[f"{field.name}.{c}"].attrs for c in field.columns}
        small.to_zarr(path, encoding=encoding, **options)
        for name in small.data_vars:
            array = _array(zarr.open_group(path, **ours), str(name))
            if name in (field.name, f"{field.name}.count", f"{field.name}.start"):
                array.resize((*shape, *array.shape[len(shape) :]))
    encoding = {"failed": _encoding(block)}
    grid.to_zarr(path, encoding=encoding, **options)  # last, with its attributes
    state = zarr.open_group(path, **ours).create_group(STATE)
    state.attrs.put(
        {
            "eccles_store": FORMAT,
            "token": token,
            "shape": shape,
            "block": block,
            "axes": {axis.name: list(axis.coordinates) for axis in axes},
            "values": [field.name for field in fields if field.kind == "values"],
            "events": events,
        }
    )
    _consolidate(LocalStore(path))


def _encoding(chunks: tuple[int, ...]) -> dict[str, Any]:
    """How the values of a variable are stored; reading damaged ones is an error."""
    return {"compressors": [_compressor()]} | ({"chunks": chunks} if chunks else {})


def _compressor() -> ZstdCodec:
    from zarr.codecs import ZstdCodec

    return ZstdCodec(checksum=True)


def _zarr_chunks(name: Any, field: Field, variable: Any, block: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the Zarr chunks of a variable of a field."""
    if field.kind == "events":
        return block if name in (f"{field.name}.count", f"{field.name}.start") else (EVENTS_PER_CHUNK,)
    inner = [max(1, n) for n in field.shape]
    item = variable.dtype.itemsize * math.prod(block)
    for axis in range(len(inner)):
        while item * math.prod(inner) > MOST_BYTES and inner[axis] > 1:
            inner[axis] = math.ceil(inner[axis] / 2)
    return (*block, *inner)


def _put_in_place(new: Path, path: Path) -> None:
    """Rename a folder, unless another process has been faster."""
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()
    try:
        new.rename(path)
    except OSError:
        if not path.exists():
            raise
    _sync(path.parent)


def _clean_up(path: Path) -> None:
    """Remove what Zarr was writing when it was killed."""
    for file in path.rglob("*.partial"):
        file.unlink(missing_ok=True)


def _is_sound(mark: Path) -> bool:
    """Whether a mark can be read to its end."""
    try:
        with zipfile.ZipFile(mark) as file:
            return file.testzip() is None
    except (zipfile.BadZipFile, OSError, EOFError, ValueError):
        return False


# ------------------------------------------------------------------------------------------ Zarr


def _durable(path: Path) -> LocalStore:
    """A Zarr store of which each file is on the disk when it counts as written."""
    from zarr.storage import LocalStore

    class Durable(LocalStore):
        async def set(self, key: str, value: Any) -> None:
            file = self.root / key
            new = [folder for folder in file.parents[: key.count("/")] if not folder.exists()]
            await super().set(key, value)
            _sync(file)
            for folder in (file.parent, *(folder.parent for folder in new)):
                _sync(folder)

    return Durable(path)


def _open_root(path: Path) -> zarr.Group:
    import zarr

    return zarr.open_group(_durable(path), mode="r+", zarr_format=3, use_consolidated=False)


def _consolidate(store: LocalStore) -> None:
    """Put copies of all metadata into one file, where xarray looks for them first."""
    import zarr
    from zarr.errors import ZarrUserWarning

    with warnings.catch_warnings():  # that this is not in the specification; and that marks are not Zarr
        warnings.simplefilter("ignore", ZarrUserWarning)
        zarr.consolidate_metadata(store, zarr_format=3)


def _array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    import zarr

    array = group[name]
    assert isinstance(array, zarr.Array)
    return array


# ------------------------------------------------------------------------------------------ the system


def _sync(path: Path) -> None:
    """Wait until a file, or which files a folder has, is on the disk."""
    is_folder = path.is_dir()
    if is_folder and sys.platform == "win32":
        return  # folders cannot be opened there
    descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not is_folder or error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):
            raise  # some network file systems cannot do it for folders
    finally:
        os.close(descriptor)


def _sync_all(path: Path) -> None:
    """Wait until a folder is on the disk with all that is in it."""
    for file in path.rglob("*"):
        _sync(file)
    _sync(path)


@contextmanager
def _writing(path: Path, kept: str = "") -> Iterator[None]:
    """Say clearly what went wrong with the disk, and what is kept nevertheless."""
    try:
        yield
    except OSError as error:
        advice = {
            errno.ENOSPC: "The disk is full. Make room, or choose another path.",
            errno.EDQUOT: "Your quota is used up. Make room, or choose another path.",
            errno.EACCES: "You may not write there. Choose another path.",
            errno.EPERM: "You may not write there. Choose another path.",
            errno.EROFS: "It can only be read there. Choose another path.",
        }.get(error.errno or 0, "")
        raise RunError(
            f"writing to {path} failed: {error.strerror or error}",
            hint=f"{advice}\n{kept}".strip(),
        ) from error


def _lock(path: Path) -> int:
    """Lock a store; returns the file that holds the lock while it is open.

    The system holds the lock: it ends with the process, however that ends. The file only says who has it.
    """
    (path / WORK).mkdir(exist_ok=True)
    descriptor = os.open(path / WORK / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock_file(descriptor)
    except (BlockingIOError, PermissionError) as error:
        os.lseek(descriptor, 0, os.SEEK_SET)
        holder = os.read(descriptor, 1000).decode(errors="replace") or "another process"
        os.close(descriptor)
        raise SetupError(
            f"{path} is being written by {holder}",
            hint="Wait until it has ended, end it, or choose another path.",
        ) from error
    except OSError as error:
        warn("lock", f"{path} cannot be locked ({error.strerror}): see that only one process writes there")
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())
    return descriptor


def _lock_file(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 2**30, os.SEEK_SET)  # beyond what is written, so that others can read that
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
