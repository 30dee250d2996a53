"""Machine code kept on disk between processes.

Private to the user, checksummed and expendable: a file that is missing, cut off, foreign or corrupt is
made anew; a folder that cannot be used is not used. Files appear whole (written aside, then renamed), so
several processes may share the folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

__all__ = ["clear_cache", "directory", "read", "size", "write"]

MAGIC = b"eccles-object-1\n"
LIMIT = 256 * 2**20  # bytes; the oldest files go first
SUFFIX, UNFINISHED = ".obj", ".obj-unfinished"
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def _default() -> Path:
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return (
            Path(base) / "eccles" / "cache"
            if base
            else Path.home() / "AppData" / "Local" / "eccles" / "cache"
        )
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "eccles"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "eccles"


def directory() -> Path | None:
    """The folder, made if need be; None if it cannot be private to this user."""
    try:
        given = os.environ.get("ECCLES_CACHE_DIR")
        path = Path(given).expanduser() if given else _default()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
        if sys.platform != "win32":
            # machine code is only taken from a folder that nobody else can write to
            if status.st_uid != os.getuid():
                return None
            if status.st_mode & OTHERS_WRITE:
                path.chmod(0o700)
    except (OSError, RuntimeError):  # RuntimeError: no home directory
        return None
    return path


def read(key: str) -> bytes | None:
    """The object code of this key, if it is there and whole."""
    folder = directory()
    if folder is None:
        return None
    try:
        with open(folder / f"{key}{SUFFIX}", "rb") as file:
            status = os.fstat(file.fileno())
            if sys.platform != "win32" and (status.st_uid != os.getuid() or status.st_mode & OTHERS_WRITE):
                return None  # left by someone else while the folder was open to all
            data = file.read()
    except OSError:
        return None
    head = len(MAGIC) + 32
    if not data.startswith(MAGIC) or len(data) <= head:
        return None
    payload = data[head:]
    digest = hashlib.sha256(key.encode() + payload).digest()
    return payload if digest == data[len(MAGIC) : head] else None


def write(key: str, code: bytes) -> None:
    """Keep object code; does nothing if the folder cannot be written to."""
    folder = directory()
    if folder is None:
        return
    data = MAGIC + hashlib.sha256(key.encode() + code).digest() + code
    try:
        handle, name = tempfile.mkstemp(dir=folder, suffix=UNFINISHED)
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, folder / f"{key}{SUFFIX}")
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        return
    if int(key[:2], 16) < 8:  # one write in 32 looks at the size of the whole
        _evict(folder)


def _files(folder: Path) -> list[Path]:
    """The files that this module made: the user may have put others there."""
    return [*folder.glob(f"*{SUFFIX}"), *folder.glob(f"*{UNFINISHED}")]


def _evict(folder: Path) -> None:
    files: list[tuple[float, int, Path]] = []
    for path in _files(folder):
        with contextlib.suppress(OSError):
            status = path.stat()
            files.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, file_size, path in sorted(files):
        if total <= LIMIT:
            return
        with contextlib.suppress(OSError):
            path.unlink()
        total -= file_size


def size() -> tuple[int, int]:
    """The number of files and of bytes."""
    folder = directory()
    sizes = []
    for path in folder.glob(f"*{SUFFIX}") if folder is not None else ():
        with contextlib.suppress(OSError):
            sizes.append(path.stat().st_size)
    return len(sizes), sum(sizes)


def clear_cache() -> int:
    """Remove all files; returns how many there were."""
    folder = directory()
    if folder is None:
        return 0
    count = 0
    for path in _files(folder):
        with contextlib.suppress(OSError):
            path.unlink()
            count += 1
    return count
