"""Files of sweeps: NetCDF 4 (.nc) and Zarr 3 (.zarr).

Both hold numbers, truth values and text only. What a file says it contains is checked before any of it is
decoded; nothing in a file is ever unpickled or executed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eccles.errors import SetupError
from eccles.results.dataset import FORMAT, FORMAT_VERSION, text_encoding
from eccles.results.events import compacted

if TYPE_CHECKING:
    import xarray

__all__ = ["open_sweep", "save", "written_aside"]

HDF5_BEGINS = b"\x89HDF\r\n\x1a\n"
ZARR_TYPES = {
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32",
    "float64", "string", "fixed_length_utf32",
}  # fmt: skip
ZARR_CODECS = {"bytes", "vlen-utf8", "zstd", "gzip", "blosc", "crc32c", "transpose", "sharding_indexed"}


def open_sweep(path: str | os.PathLike[str]) -> xarray.Dataset:
    """The result of a sweep from a NetCDF file or a Zarr folder.

    Values are read when they are needed; `.load()` reads all of them, and `.close()` closes the file. The
    script that made it is not needed, and nothing in the file is executed.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    SetupError
        If it is damaged, holds something else, or was written by a newer version of Eccles.
    """
    import xarray

    from eccles.results.accessor import register

    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file '{path}'")
    engine, check = ("zarr", _check_zarr) if path.is_dir() else ("h5netcdf", _check_hdf5)
    try:
        check(path)
        options: dict[str, Any] = {"consolidated": False, "zarr_format": 3} if engine == "zarr" else {}
        dataset = xarray.open_dataset(path, engine=engine, decode_times=False, chunks=None, **options)
    except SetupError:
        raise
    except Exception as error:  # whatever the packages below raise for what they cannot read
        raise SetupError(f"'{path}' is damaged: {type(error).__name__}: {error}") from error
    try:
        _check_format(path, dataset)
    except SetupError:
        dataset.close()
        raise
    text_encoding(dataset)
    register()
    return dataset


def save(dataset: xarray.Dataset, path: str | os.PathLike[str]) -> None:
    """Write a result to a NetCDF file ('.nc') or a Zarr folder ('.zarr').

    It gets its name when it is complete. What had this name before is replaced.

    Raises
    ------
    SetupError
        If the name ends otherwise, or a folder of this name is something else than Zarr.
    FileNotFoundError
        If the folder that it is to be in does not exist.
    """
    path = Path(path)
    if path.suffix not in (".nc", ".zarr"):
        raise SetupError(
            f"cannot tell from its name how to write '{path}'",
            hint="Names end in .nc (NetCDF, one file) or .zarr (Zarr, a folder).",
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder '{path.parent}'")
    if path.is_dir() != (path.suffix == ".zarr" and (path / "zarr.json").exists()):
        raise SetupError(f"'{path}' is a folder with something else in it", hint="Choose another name.")
    dataset = compacted(dataset).drop_encoding()  # how it was stored elsewhere
    text_encoding(dataset)
    _add_checksums(dataset, path.suffix)
    with written_aside(path) as aside:
        if path.suffix == ".nc":
            dataset.to_netcdf(aside, engine="h5netcdf")
        else:
            dataset.to_zarr(aside, zarr_format=3, consolidated=False, mode="w")


def _add_checksums(dataset: xarray.Dataset, suffix: str) -> None:
    """Let values be written, in place, such that reading damaged ones is an error."""
    if suffix == ".zarr":
        from zarr.codecs import ZstdCodec

        for variable in dataset.variables.values():
            variable.encoding["compressors"] = [ZstdCodec(checksum=True)]
    else:
        for variable in dataset.variables.values():
            if (
                variable.size and variable.ndim and variable.dtype.kind not in "UTO"
            ):  # HDF5 has none for others
                variable.encoding["fletcher32"] = True


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """A name to write to, which becomes `path` if nothing goes wrong, and else is removed."""
    aside, old = (
        path.with_name(f".{path.stem}.{os.getpid()}.{role}{path.suffix}") for role in ("new", "old")
    )
    try:
        yield aside
        if path.is_dir():  # one folder cannot take the place of another in one go
            os.replace(path, old)
        os.replace(aside, path)
    finally:
        for left in (aside, old):
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink(missing_ok=True)


def _check_format(path: Path, dataset: xarray.Dataset) -> None:
    """Raise a `SetupError` unless it is a sweep of a version that this one reads."""
    if dataset.attrs.get("eccles_format") != FORMAT:
        raise SetupError(
            f"'{path}' does not hold the result of a sweep of Eccles",
            hint="xarray.open_dataset() may read it.",
        )
    version = dataset.attrs.get("eccles_format_version")
    try:
        number = int(version)  # pyright: ignore[reportArgumentType]  (an error is what is caught here)
    except (TypeError, ValueError):
        number = 0
    if number < 1:
        raise SetupError(f"'{path}' is damaged: its eccles_format_version is {version!r}")
    if number > FORMAT_VERSION:
        by = dataset.attrs.get("eccles_version", "unknown")
        raise SetupError(
            f"'{path}' was written by a newer Eccles (version {by}, format {number})",
            hint=f"This one reads formats up to {FORMAT_VERSION}. Update Eccles.",
        )
    if "failed" not in dataset.data_vars:
        raise SetupError(f"'{path}' is damaged: it does not say which conditions failed")


def _check_hdf5(path: Path) -> None:
    """Raise a `SetupError` unless the file is HDF5 with numbers and text only."""
    import h5py

    with path.open("rb") as file:
        if file.read(len(HDF5_BEGINS)) != HDF5_BEGINS:
            raise SetupError(f"'{path}' is not a NetCDF 4 file")

    def look_at(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind not in "biufSU":
            if h5py.check_string_dtype(item.dtype) is None:
                raise SetupError(f"'{path}' is refused: '{name}' holds something else than numbers and text")

    with h5py.File(path) as file:
        file.visititems(look_at)


def _check_zarr(path: Path) -> None:
    """Raise a `SetupError` unless the folder is Zarr 3 with numbers and text only, in usual encodings."""
    if not (path / "zarr.json").exists():
        raise SetupError(f"'{path}' is not a Zarr 3 folder")
    for file in sorted(path.rglob("zarr.json")):
        about = json.loads(file.read_text(encoding="utf-8"))
        if about["node_type"] == "array":
            _check_zarr_array(path, file.parent.name, about)


def _check_zarr_array(path: Path, name: str, about: dict[str, Any]) -> None:
    data_type = about["data_type"]
    if (data_type if isinstance(data_type, str) else data_type["name"]) not in ZARR_TYPES:
        raise SetupError(f"'{path}' is refused: '{name}' holds something else than numbers and text")
    codecs = list(about["codecs"])
    while codecs:
        codec = codecs.pop()
        if codec["name"] not in ZARR_CODECS:
            raise SetupError(f"'{path}' is refused: '{name}' is encoded with '{codec['name']}'")
        inner = codec.get("configuration", {})
        codecs += [*inner.get("codecs", ()), *inner.get("index_codecs", ())]
