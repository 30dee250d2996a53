"""The command line as users type it: what it prints, writes and refuses."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import eccles
from eccles.cli.commands import app

REPLY = ["beats", "--pre", "200", "--post", "250,220,210"]


def eccles_command(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def words(text: str) -> str:
    """Text without line breaks, boxes and colours."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m|[│┃╭╮╰╯─]", " ", text).split())


def test_beats_prints_asked_and_obtained_rates_and_the_weight_at_the_end() -> None:
    result = eccles_command(*REPLY, "--duration", "2s")
    assert result.exit_code == 0
    shown = words(result.output)
    assert "1 200 Hz 250 Hz 50 Hz 200 Hz 250 Hz 50 Hz 0.5491" in shown
    assert "2 200 Hz 220 Hz 20 Hz 200 Hz 217.4 Hz 17.39 Hz 0.0000" in shown
    assert "3 200 Hz 210 Hz 10 Hz 200 Hz 208.3 Hz 8.333 Hz 0.0000" in shown


def test_beats_alone_is_the_experiment_of_the_thread() -> None:
    assert eccles_command("beats").output == eccles_command(*REPLY, "--duration", "2s").output


def test_beats_says_what_the_grid_does_and_how_rates_are_measured() -> None:
    shown = words(eccles_command(*REPLY, "--duration", "200 ms").output)
    assert "A spike can only come at a multiple of the time step of 0.1 ms" in shown
    assert (
        "220 Hz becomes 217.4 Hz (a period of 4.545 ms is 45.45 steps, so every interval takes 46)" in shown
    )
    assert "(n - 1)/(t_last - t_first)" in shown


def test_a_lost_beat_is_loud_even_if_quiet() -> None:
    lost = ("beats", "--pre", "400", "--post", "410", "--duration", "0.1s")
    for quiet in ((), ("--quiet",)):
        assert "BEAT LOST in pair 1: 400 Hz and 410 Hz should beat at 10 Hz" in words(
            eccles_command(*lost, *quiet).stderr
        )


def test_quiet_prints_nothing_but_writes_files(tmp_path: Path) -> None:
    figure, out = tmp_path / "made" / "beats.svg", tmp_path / "made" / "beats.csv"
    result = eccles_command(
        *REPLY, "--duration", "0.1s", "--quiet", "--figure", str(figure), "--out", str(out)
    )
    assert (result.exit_code, result.output) == (0, "")
    assert figure.read_text().startswith("<?xml")
    assert len(list(csv.DictReader(out.read_text().splitlines()))) == 3


def test_beats_writes_labelled_results(tmp_path: Path) -> None:
    xr = pytest.importorskip("xarray")
    out = tmp_path / "beats.nc"
    result = eccles_command(*REPLY, "--duration", "100ms", "--dt", "0.05 ms", "--out", str(out))
    assert result.exit_code == 0
    assert f"wrote {out}" in result.output.replace("\n", "")
    with xr.open_dataset(out, engine="h5netcdf") as data:
        assert data.attrs["dt"] == pytest.approx(5e-5)
        assert dict(data.sizes)["time"] == 2000


def test_frequencies_may_have_units_and_each_pair_its_own_pre_rate() -> None:
    result = eccles_command(
        "beats", "--pre", "0.1kHz, 200Hz", "--post", "250 Hz,0.2 kHz", "--duration", ".1 s", "--dt", "100us"
    )
    assert result.exit_code == 0
    assert "1 100 Hz 250 Hz 150 Hz" in words(result.output)
    assert "2 200 Hz 200 Hz 0 Hz" in words(result.output)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"--pre": "-3"}, "--pre: a rate has to be positive and finite, not '-3'"),
        ({"--pre": "0"}, "--pre: a rate has to be positive and finite, not '0'"),
        ({"--post": "250,nan"}, "--post: a rate has to be positive and finite, not 'nan'"),
        ({"--post": "250,,3"}, "--post: '' is not a rate"),
        ({"--post": "a few"}, "--post: 'a few' is not a rate"),
        ({"--post": "250khz"}, "'khz' is not a unit of rates: Hz or kHz (did you mean kHz?)"),
        ({"--post": "5001"}, "a post rate of 5001 Hz is too high for a time step of 0.1 ms At most 5000 Hz"),
        ({"--pre": "1,2"}, "there are 2 pre rates and 3 post rates"),
        ({"--duration": "2"}, "--duration: '2' has no unit: write 2s or 2ms"),
        ({"--duration": "2 parsec"}, "--duration: 'parsec' is not a unit of time: s, ms, us"),
        ({"--duration": "0s"}, "--duration: a time has to be positive and finite, not '0s'"),
        ({"--duration": "0.01ms"}, "the duration (10. us) is shorter than one time step"),
        ({"--dt": "-1ms"}, "--dt: a time has to be positive and finite, not '-1ms'"),
        ({"--dt": "1e999s"}, "--dt: a time has to be positive and finite, not '1e999s'"),
        ({"--figure": "beats.gif"}, "--figure: 'beats.gif' has to end with .png or .svg or .pdf"),
        ({"--out": "beats.xls"}, "--out: 'beats.xls' has to end with .nc or .csv"),
        ({"--out": f"{__file__}/below/beats.nc"}, "beats.nc' cannot be made"),
    ],
)
def test_arguments_that_make_no_sense_end_with_code_2_and_a_reason(
    changed: dict[str, str], said: str
) -> None:
    options = {"--pre": "200", "--post": "250,220,210", "--duration": "2s", **changed}
    result = eccles_command("beats", *(word for option in options.items() for word in option))
    assert result.exit_code == 2
    assert words(said) in words(result.output)
    assert "Traceback" not in result.output


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results.nc").mkdir()
    result = eccles_command(*REPLY, "--duration", "1s", "--out", str(tmp_path / "results.nc"))
    assert result.exit_code == 2
    assert "cannot be written to" in words(result.output)


def test_version_and_help_name_the_commands() -> None:
    assert eccles_command("--version").output == f"eccles {eccles.__version__}\n"
    shown = words(eccles_command("--help").output)
    assert all(command in shown for command in ("beats", "run", "show", "doctor", "cache"))
    for command in ("beats", "run", "show", "doctor", "cache"):
        assert eccles_command(command, "--help").exit_code == 0


def test_unknown_commands_end_with_code_2() -> None:
    assert eccles_command("beat").exit_code == 2


def test_cache_info_and_clear_count_the_programs() -> None:
    eccles_command(*REPLY, "--duration", "0.1s")
    assert not re.search(r": 0 programs", eccles_command("cache", "info").output)
    assert re.fullmatch(r"removed [1-9]\d* files\n", eccles_command("cache", "clear").output)
    assert re.search(r": 0 programs, 0.0 MiB", words(eccles_command("cache", "info").output))


def test_the_installed_command_runs_as_a_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "eccles", "beats", "--pre", "200", "--post", "250", "--duration", "1"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "'1' has no unit" in done.stderr


def test_importing_eccles_imports_nothing_heavy() -> None:
    code = (
        "import sys, eccles, eccles.brian2, eccles.lab.beats, eccles.lab.beats_plot; "
        "print(sorted({m.split('.')[0] for m in sys.modules} & "
        "{'typer', 'click', 'rich', 'matplotlib', 'xarray', 'pandas', 'h5netcdf', 'h5py', 'scipy', 'sympy'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
