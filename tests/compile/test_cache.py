import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from eccles.compile import cache

KEY = "a1" * 32
OTHER = "b2" * 32
posix = pytest.mark.skipif(sys.platform == "win32", reason="about owners and modes of files")
not_root = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="the administrator may write anywhere"
)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "cache"
    monkeypatch.setenv("ECCLES_CACHE_DIR", str(path))
    return path


def the_file(folder: Path) -> Path:
    return folder / f"{KEY}.obj"


def test_what_was_written_is_read(folder):
    assert cache.read(KEY) is None
    cache.write(KEY, b"code")
    assert cache.read(KEY) == b"code"
    assert cache.read(OTHER) is None
    assert [p.name for p in folder.iterdir()] == [f"{KEY}.obj"], "nothing unfinished is left"


@posix
def test_the_folder_is_private(folder):
    cache.write(KEY, b"code")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@posix
def test_a_folder_that_others_may_write_to_is_closed(folder):
    folder.mkdir()
    folder.chmod(0o777)
    cache.write(KEY, b"code")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert cache.read(KEY) == b"code"


@posix
def test_a_file_that_others_may_write_to_is_not_used(folder):
    cache.write(KEY, b"code")
    the_file(folder).chmod(0o666)
    assert cache.read(KEY) is None


@posix
def test_a_folder_of_another_user_is_not_used(folder, monkeypatch):
    cache.write(KEY, b"code")
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    assert cache.directory() is None
    assert cache.read(KEY) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data[:20],
        lambda data: b"",
        lambda data: data + b"x",
        lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
        lambda data: b"\x7fELF" + data[4:],
        lambda data: b"something else altogether",
    ],
    ids=["short", "cut off", "empty", "long", "one bit", "no magic", "foreign"],
)
def test_a_spoilt_file_is_not_used_and_made_anew(folder, spoil):
    cache.write(KEY, b"machine code of some length" * 10)
    the_file(folder).write_bytes(spoil(the_file(folder).read_bytes()))
    assert cache.read(KEY) is None
    cache.write(KEY, b"new")
    assert cache.read(KEY) == b"new"


def test_a_file_under_another_key_is_not_used(folder):
    cache.write(KEY, b"code")
    the_file(folder).rename(folder / f"{OTHER}.obj")
    assert cache.read(OTHER) is None


def test_a_folder_where_the_file_should_be_does_no_harm(folder):
    cache.write(OTHER, b"code")
    the_file(folder).mkdir()
    assert cache.read(KEY) is None
    cache.write(KEY, b"code")
    assert cache.size()[0] >= 1
    assert cache.clear_cache() >= 1


@not_root
def test_a_read_only_folder_is_read_and_not_written_to(folder):
    cache.write(KEY, b"code")
    folder.chmod(0o500)
    cache.write(OTHER, b"more")
    assert cache.read(KEY) == b"code"
    assert cache.read(OTHER) is None
    folder.chmod(0o700)


def test_a_folder_that_is_full_is_no_error(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.os, "replace", full)
    cache.write(KEY, b"code")
    assert list(folder.iterdir()) == []


def test_a_file_where_the_folder_should_be_turns_the_cache_off(folder):
    folder.write_text("not a folder")
    assert cache.directory() is None
    cache.write(KEY, b"code")
    assert cache.read(KEY) is None
    assert cache.size() == (0, 0)
    assert cache.clear_cache() == 0
    assert folder.read_text() == "not a folder"


def test_without_a_home_there_is_no_cache(monkeypatch):
    def homeless() -> Path:
        raise RuntimeError("no home")

    for name in ("ECCLES_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert cache.directory() is None
    cache.write(KEY, b"code")
    assert cache.read(KEY) is None


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", "XDG_CACHE_HOME", "{tmp}/eccles"),
        ("linux", None, "{tmp}/.cache/eccles"),
        ("darwin", None, "{tmp}/Library/Caches/eccles"),
        ("win32", "LOCALAPPDATA", "{tmp}/eccles/cache"),
        ("win32", None, "{tmp}/AppData/Local/eccles/cache"),
    ],
)
def test_the_folder_is_where_each_system_keeps_caches(monkeypatch, tmp_path, platform, variable, expected):
    for name in ("ECCLES_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(cache.sys, "platform", platform)
    assert cache.directory() == Path(expected.format(tmp=tmp_path))


def test_a_tilde_means_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("ECCLES_CACHE_DIR", "~/of mine")
    assert cache.directory() == tmp_path / "of mine"


def test_the_oldest_files_go_first_and_others_stay(folder, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 300)
    folder.mkdir()
    (folder / "notes.txt").write_bytes(b"x" * 1000)
    keys = [f"{k:02x}" * 32 for k in range(0xA0, 0xA5)]
    for age, key in enumerate(keys):
        cache.write(key, b"x" * 50)
        os.utime(folder / f"{key}.obj", (1000 + age, 1000 + age))
    newest = "00" * 32  # of the keys whose writing looks at the size of the whole
    cache.write(newest, b"x" * 50)
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        ["notes.txt", *[f"{key}.obj" for key in [*keys[-2:], newest]]]
    )


def test_size_and_clearing(folder):
    for key in KEY, OTHER:
        cache.write(key, b"code")
    files, bytes_ = cache.size()
    assert files == 2
    assert bytes_ == sum(p.stat().st_size for p in folder.iterdir())
    (folder / "left.obj-unfinished").write_bytes(b"by a process that was killed")
    (folder / "notes.txt").write_bytes(b"")
    assert cache.clear_cache() == 3
    assert [p.name for p in folder.iterdir()] == ["notes.txt"]


COMPILE = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from programs import call, random_arrays, random_program
from eccles.compile.pipeline import compile_program
for seed in range(4):
    arrays = random_arrays(seed, 9)
    native = compile_program(random_program(seed), portable=True)
    print(call(native, arrays), sum(a.tobytes()[:9].count(0) for a in arrays))
"""


def test_several_processes_compile_the_same_programs_at_once(folder):
    command = [sys.executable, "-c", COMPILE, str(Path(__file__).parent)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = [worker.communicate()[0] for worker in workers]
    assert all(worker.returncode == 0 for worker in workers)
    assert len(set(outputs)) == 1
    assert len(outputs[0].splitlines()) == 4
    names = sorted(p.name for p in folder.iterdir())
    assert len(names) == 4
    assert all(name.endswith(".obj") for name in names)
    assert subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout == outputs[0]
