"""`eccles doctor`: what it finds, and that it fails where something is broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from eccles import __version__
from eccles.cli import doctor
from eccles.cli.commands import app
from eccles.compile import cache


def found(what: str) -> doctor.Finding:
    (finding,) = [f for f in doctor.examine() if f.what == what]
    return finding


def test_a_sound_machine_has_nothing_broken() -> None:
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
    for part in ("Eccles", "Python", "NumPy", "LLVM", "CPU", "doubles at once", "cache", "self-test"):
        assert part in result.output
    assert found("Eccles").found == __version__
    assert found("NumPy").found == np.__version__


def test_the_self_test_reports_a_wrong_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("math.exp", lambda x: 0.3)
    assert found("self-test").state == "broken"
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 1


def test_a_check_that_fails_becomes_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("no such CPU")

    monkeypatch.setattr("eccles.compile.llvm.host_target", broken)
    assert found("compiler") == doctor.Finding("compiler", "OSError: no such CPU", "broken")


def test_a_cache_that_cannot_be_used_is_worth_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ECCLES_CACHE_DIR", str(tmp_path / "file"))
    finding = found("cache")
    assert finding.state == "note"
    assert "ECCLES_CACHE_DIR" in finding.found


def test_the_check_of_the_cache_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ECCLES_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(doctor, "_CHECKS", {"cache": doctor._CHECKS["cache"]})
    assert found("cache").found == f"{tmp_path}: 0 programs, 0.0 MiB"
    assert cache.size() == (0, 0)


def test_missing_optional_packages_are_named_with_their_purpose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor.OPTIONAL, "no_such_package", "wonders")
    assert found("no_such_package") == doctor.Finding(
        "no_such_package", "not installed: needed for wonders", "note"
    )
