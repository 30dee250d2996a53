import json
import os
import pickle

import h5py
import numpy as np
import pytest
import xarray
import zarr
from fabricated_sweeps import FIELDS, PAIR, PRE, RULE, SHUNT, TRIAL, fabricate, sweeps
from hypothesis import given, settings

from eccles.errors import SetupError
from eccles.results import open_sweep, save
from eccles.units import *

SUFFIXES = (".nc", ".zarr")


@pytest.fixture(scope="module")
def result():
    made = fabricate([PRE, RULE, TRIAL], FIELDS, failures=[7])
    return made.dataset(duration=0.1, model_source="def modèle(): ...", exact=True, seed=2**40)


@pytest.fixture(params=SUFFIXES)
def path(request, tmp_path):
    return tmp_path / f"study{request.param}"


@given(made=sweeps())
@settings(max_examples=10)
def test_any_result_comes_back_equal_from_both_formats(made, tmp_path_factory):
    dataset = made.dataset(duration=0.1)
    folder = tmp_path_factory.mktemp("files")
    for suffix in SUFFIXES:
        save(dataset, folder / f"a{suffix}")
        with open_sweep(folder / f"a{suffix}") as back:
            assert back.load().identical(dataset)
            assert {k: v.dtype.kind for k, v in back.data_vars.items()} == {
                k: v.dtype.kind for k, v in dataset.data_vars.items()
            }


def test_a_result_goes_from_one_format_to_the_other(result, tmp_path):
    save(result, tmp_path / "a.nc")
    save(open_sweep(tmp_path / "a.nc"), tmp_path / "b.zarr")
    save(open_sweep(tmp_path / "b.zarr"), tmp_path / "c.nc")
    assert open_sweep(tmp_path / "c.nc").load().identical(result)


def test_xarray_alone_writes_and_reads_a_result(tmp_path):
    result = fabricate([PAIR, RULE, SHUNT], FIELDS).dataset(duration=0.1)
    result.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    result.to_zarr(tmp_path / "a.zarr", consolidated=False)
    assert xarray.open_dataset(tmp_path / "a.nc", engine="h5netcdf").load().identical(result)
    assert xarray.open_zarr(tmp_path / "a.zarr", consolidated=False).load().identical(result)
    for suffix in SUFFIXES:
        assert open_sweep(tmp_path / f"a{suffix}").load().identical(result)


def test_values_are_read_when_they_are_needed(result, path):
    save(result, path)
    with open_sweep(path) as back:
        assert not back["S.w"].variable._in_memory
        t, _ = back.eccles.spikes("P", pre=20 * Hz, rule="triplet", trial=1)
        np.testing.assert_array_equal(t, result.eccles.spikes("P", pre=20 * Hz, rule="triplet", trial=1)[0])
        assert back.eccles.model == "def modèle(): ..."
        assert not back["P.t"].variable._in_memory


def test_saving_again_replaces_the_file_and_leaves_nothing_else(result, path):
    save(result.isel(trial=[0]), path)
    save(result, path)
    with open_sweep(path) as back:
        assert back.load().identical(result)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_only_the_events_of_a_part_are_written(result, path):
    part = result.isel(trial=[3, 0])
    save(part, path)
    with open_sweep(path) as back:
        assert back.sizes["P.event"] == part["P.count"].sum() < result.sizes["P.event"]
        for trial in (0, 3):
            chosen = {"pre": 100 * Hz, "rule": "pair", "trial": trial}
            for found, wanted in zip(
                back.eccles.spikes("P", **chosen), result.eccles.spikes("P", **chosen), strict=True
            ):
                np.testing.assert_array_equal(found, wanted)


def test_a_result_that_is_being_read_can_be_saved_under_the_same_name(result, path):
    save(result, path)
    with open_sweep(path) as back:
        save(back, path)
    with open_sweep(path) as back:
        assert back.load().identical(result)


def test_a_failed_save_leaves_the_file_as_it_was(result, path):
    save(result, path)
    with pytest.raises(Exception, match="attr"):
        save(result.assign_attrs(bad=object()), path)
    with open_sweep(path) as back:
        assert back.load().identical(result)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_names_say_the_format(result, tmp_path):
    with pytest.raises(SetupError, match="cannot tell from its name"):
        save(result, tmp_path / "study.pkl")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        save(result, tmp_path / "nowhere" / "study.nc")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        open_sweep(tmp_path / "study.nc")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_folder_with_something_else_is_not_replaced(result, tmp_path, suffix):
    folder = tmp_path / f"mine{suffix}"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(SetupError, match="something else in it"):
        save(result, folder)
    assert (folder / "thesis.txt").exists()
    with pytest.raises(SetupError, match="not a Zarr 3 folder"):
        open_sweep(folder)


def test_a_file_of_a_newer_format_says_so(result, path):
    save(result.assign_attrs(eccles_format_version=2, eccles_version="9.1"), path)
    with pytest.raises(SetupError, match=r"newer Eccles \(version 9.1, format 2\)") as error:
        open_sweep(path)
    assert "Update Eccles" in error.value.hint


@pytest.mark.parametrize("version", [0, "one", -3])
def test_a_version_that_cannot_be_is_damage(result, path, version):
    save(result.assign_attrs(eccles_format_version=version), path)
    with pytest.raises(SetupError, match="is damaged: its eccles_format_version is"):
        open_sweep(path)


def test_files_of_others_are_told_apart(path):
    save(xarray.Dataset({"x": ("t", np.arange(3))}), path)
    with pytest.raises(SetupError, match="does not hold the result of a sweep"):
        open_sweep(path)


def test_a_sweep_without_its_marks_is_damaged(result, path):
    save(result.drop_vars("failed"), path)
    with pytest.raises(SetupError, match="does not say which conditions failed"):
        open_sweep(path)


@pytest.mark.parametrize("n", [0, 4, 100, 5000])
def test_a_file_that_was_cut_off_is_damaged(result, tmp_path, n):
    path = tmp_path / "a.nc"
    save(result, path)
    os.truncate(path, n)
    with pytest.raises(SetupError, match=r"is damaged|is not a NetCDF 4 file"):
        open_sweep(path)


def test_values_that_were_damaged_are_not_read(result, path):
    save(result, path)
    file = path if path.is_file() else path / "P.t" / "c" / "0"
    content = bytearray(file.read_bytes())
    place = content.find(result["P.t"].values[9:12].tobytes()) if path.is_file() else len(content) - 12
    assert place > 0
    content[place] ^= 4
    file.write_bytes(content)
    with open_sweep(path) as back, pytest.raises((OSError, RuntimeError), match=r"(?i)read|checksum"):
        back["P.t"].load()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"node_type": "array"}'])
def test_a_zarr_folder_with_broken_metadata_is_damaged(result, tmp_path, text):
    save(result, tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / "S.w" / "zarr.json").write_text(text)
    with pytest.raises(SetupError, match="is damaged"):
        open_sweep(tmp_path / "a.zarr")


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a file was unpickled",))


def test_pickles_are_not_opened(tmp_path):
    (tmp_path / "a.nc").write_bytes(pickle.dumps(Bomb()))
    np.save(tmp_path / "b.npy", np.array([Bomb()]), allow_pickle=True)
    for name in ("a.nc", "b.npy"):
        with pytest.raises(SetupError, match="is not a NetCDF 4 file"):
            open_sweep(tmp_path / name)


@pytest.mark.parametrize("dtype", [h5py.vlen_dtype(np.int32), np.dtype("V8"), np.complex128])
def test_hdf5_with_something_else_than_numbers_and_text_is_refused(result, tmp_path, dtype):
    path = tmp_path / "a.nc"
    save(result, path)
    with h5py.File(path, "a") as file:
        file.create_dataset("payload", (2,), dtype)
    with pytest.raises(SetupError, match="refused: 'payload' holds something else"):
        open_sweep(path)


def test_zarr_in_encodings_that_execute_is_refused(result, tmp_path):
    path = tmp_path / "a.zarr"
    save(result, path)
    about = path / "S.w" / "zarr.json"
    array = json.loads(about.read_text())
    about.write_text(json.dumps({**array, "codecs": [{"name": "numcodecs.pickle"}]}))
    with pytest.raises(SetupError, match=r"refused: 'S.w' is encoded with 'numcodecs.pickle'"):
        open_sweep(path)
    hidden = [{"name": "sharding_indexed", "configuration": {"codecs": [{"name": "pickle"}]}}]
    about.write_text(json.dumps({**array, "codecs": hidden}))
    with pytest.raises(SetupError, match=r"encoded with 'pickle'"):
        open_sweep(path)
    about.write_text(json.dumps({**array, "data_type": {"name": "object"}}))
    with pytest.raises(SetupError, match=r"refused: 'S.w' holds something else"):
        open_sweep(path)


def test_zarr_2_whose_objects_are_pickles_is_not_opened(tmp_path):
    zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    with pytest.raises(SetupError, match="is not a Zarr 3 folder"):
        open_sweep(tmp_path / "a.zarr")
