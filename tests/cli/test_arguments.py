"""Times, rates, phases and files as they are typed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from eccles.cli.arguments import phases, rates, result_file, time
from eccles.units import hertz, second


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2s", 2), ("2 s", 2), (" .5s ", 0.5), ("500ms", 0.5), ("1e3 us", 1e-3), ("3µs", 3e-6), ("2min", 120)],
)
def test_times_are_read_with_their_unit(text: str, seconds: float) -> None:
    assert float(time(text)) == pytest.approx(seconds)
    assert time(text).dim is second.dim


def test_rates_are_a_list_with_or_without_unit() -> None:
    read = rates("200, 0.25kHz,210 Hz")
    np.testing.assert_allclose(np.asarray(read), [200, 250, 210])
    assert read.dim is hertz.dim


def test_phases_are_a_list_of_parts_of_a_period() -> None:
    assert phases("0") == [0]
    assert phases("0, .25,5e-1") == [0, 0.25, 0.5]
    for text in ("1", "-0.1", "nan", "inf", "0.1s", "", "0,,0"):
        with pytest.raises(typer.BadParameter, match="phase"):
            phases(text)


@given(text=st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (time, rates, phases):
        try:
            value = read(text)
        except typer.BadParameter:
            continue
        assert np.all(np.asarray(value) >= 0)
        assert np.all(np.asarray(value) > 0) or read is phases
        assert np.all(np.isfinite(np.asarray(value)))


def test_the_folder_of_a_result_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.PNG"
    assert result_file(path, (".png",)) == path
    assert path.parent.is_dir()
    assert not path.exists()
