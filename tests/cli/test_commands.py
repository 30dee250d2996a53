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
from eccles.lab.beats import beats
from eccles.sweeps import plan
from eccles.sweeps.execute import Stopped
from eccles.units import Hz, second

REPLY = ["beats", "--no-controls", "--pre", "200", "--post", "250,220,210"]


def eccles_command(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def words(text: str) -> str:
    """Text without line breaks, boxes and colours."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m|[│┃╭╮╰╯─]", " ", text).split())


def test_beats_prints_exact_rates_beside_those_asked_for_and_those_on_the_grid() -> None:
    result = eccles_command(*REPLY, "--duration", "2s")
    assert result.exit_code == 0
    shown = words(result.output)
    assert "1 200 250 50 200 250 50 200 250 50" in shown
    assert "2 200 220 20 200 220 20 200 217.39 17.391" in shown
    assert "3 200 210 10 200 210 10 200 208.33 8.3333" in shown
    assert "Spikes come at exact times: rates are those asked for, at any time step (here rates to" in shown


def test_beats_prints_weights_of_both_orders_the_spread_over_random_phases_and_those_on_the_grid() -> None:
    expected = beats(200 * Hz, [250, 220, 210] * Hz, duration=2 * second, random_phases=200)
    spread = [" ".join(f"{weight:.3f}" for weight in column) for column in expected.spread().T]
    for order, stars, first in (
        ("pre_first", "first * first", "pre"),
        ("post_first", "first first *", "post"),
    ):
        shown = words(eccles_command(*REPLY, "--coincidence", order).output)
        assert f"pair pre post at once {stars} 5 % median 95 % grid" in shown
        assert f"1 200 250 100 0.549 0.041 {spread[0]} {'0.549' if first == 'pre' else '0.041'}" in shown
        assert f"2 200 220 40 0.099 0.058 {spread[1]} 0.000" in shown
        assert f"3 200 210 20 0.128 0.087 {spread[2]} 0.000" in shown
        assert f"spike at once, this run handles the {first} spike first" in shown
        assert "Random: quantiles over 200 random phases" in shown


def test_beats_alone_is_the_experiment_of_the_thread_and_other_pairs_whose_beat_a_grid_loses() -> None:
    alone = eccles_command("beats", "--no-controls").output
    thread = eccles_command(*REPLY, "--duration", "2s").output
    assert {words(line) for line in thread.splitlines()} <= {words(line) for line in alone.splitlines()}
    shown = words(alone)
    assert "250 255 5 250 255 5 250 250 0" in shown
    assert "400 410 10 400 410 10 400 400 0" in shown
    assert "300 307.83 7.83 300 307.83 7.83 294.12 303.03 8.9127" in shown
    assert "400 410" not in words(thread)


def test_tables_fit_a_terminal_of_80_columns() -> None:
    for options in ((), ("--spike-times", "grid")):
        output = eccles_command("beats", "--no-controls", *options).output
        assert "…" not in output
        assert max(len(line) for line in output.splitlines()) <= 80


def test_phases_at_the_start_can_be_chosen_and_random_ones_left_out() -> None:
    phases = ("--pre-phase", "0.25", "--post-phase", "0,0.5,0.75", "--random-phases", "0")
    shown = words(eccles_command(*REPLY, *phases).output)
    expected = beats(
        200 * Hz, [250, 220, 210] * Hz, duration=2 * second, pre_phase=0.25, post_phase=[0, 0.5, 0.75]
    )
    for k, (post, weight) in enumerate(zip((250, 220, 210), expected.final_weights, strict=True), 1):
        assert f"{k} 200 {post} {expected.coincidences[k - 1]} {weight:.3f}" in shown
    assert "median" not in shown
    assert "Random" not in shown


def test_beats_says_what_the_grid_does_and_how_rates_are_measured() -> None:
    shown = words(eccles_command(*REPLY, "--duration", "200 ms", "--spike-times", "grid").output)
    assert "2 200 220 20 200 217.39 17.391" in shown
    assert "A spike can only come at a multiple of the time step of 0.1 ms" in shown
    assert (
        "220 Hz becomes 217.4 Hz (a period of 4.545 ms is 45.45 steps, so every interval takes 46)" in shown
    )
    assert "(n - 1)/(t_last - t_first)" in shown


def test_a_lost_beat_is_loud_even_if_quiet() -> None:
    lost = (
        "beats",
        "--no-controls",
        "--pre",
        "400",
        "--post",
        "410",
        "--duration",
        "0.1s",
        "--spike-times",
        "grid",
    )
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


def test_beats_shows_controls_and_epsps_and_writes_a_report(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    result = eccles_command("beats", "--pre", "200", "--post", "250", "--report", str(folder))
    assert result.exit_code == 0, result.output
    for shown in (
        "Poisson spikes, 200/250 Hz",
        "200/250 Hz: 0.549 or 0.041",
        "EPSP after",
        "It is no memory",
    ):
        assert shown in words(result.output)
    assert {path.name for path in folder.iterdir()} == {
        "data.nc", "figure.png", "figure.svg", "report.html", "table.csv",
    }  # fmt: skip


def test_beats_that_are_too_short_for_controls_say_so_and_write_no_report(tmp_path: Path) -> None:
    short = ("beats", "--duration", "10ms", "--random-phases", "0")
    result = eccles_command(*short)
    assert result.exit_code == 0
    assert "No controls: a duration of 10. ms is too short" in words(result.stderr)
    result = eccles_command(*short, "--report", str(tmp_path / "report"))
    assert result.exit_code == 2
    assert "too short" in result.stderr


def test_ctrl_c_during_controls_shows_and_writes_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise Stopped

    monkeypatch.setattr(plan.Plan, "run", stopped)  # as after Ctrl-C during a sweep
    result = eccles_command("beats", "--duration", "0.1s", "--report", str(tmp_path / "report"))
    assert result.exit_code == 130
    assert "Interrupted: there are no controls, and no report." in result.stderr
    assert "Poisson" not in result.output
    assert list((tmp_path / "report").iterdir()) == []


def test_ctrl_c_during_the_pairs_shows_what_there_is_and_goes_no_further(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "eccles.lab.beats.beats", lambda *a, **k: beats(*a, **{**k, "duration": 0.05 * second})
    )
    result = eccles_command("beats", "--duration", "0.1s")
    assert result.exit_code == 130
    assert "Weights at the end" in result.output
    assert "Interrupted: there are no controls" in result.stderr


def test_beats_writes_labelled_results(tmp_path: Path) -> None:
    xr = pytest.importorskip("xarray")
    out = tmp_path / "beats.nc"
    result = eccles_command(*REPLY, "--duration", "100ms", "--dt", "0.05 ms", "--out", str(out))
    assert result.exit_code == 0
    assert f"wrote {out}" in result.output.replace("\n", "")
    with xr.open_dataset(out, engine="h5netcdf") as data:
        assert data.attrs["dt"] == pytest.approx(5e-5)
        assert dict(data.sizes) == {"pair": 3, "time": 2001, "event": 128, "phase": 200}


def test_frequencies_may_have_units_and_each_pair_its_own_pre_rate() -> None:
    result = eccles_command(
        "beats",
        "--no-controls",
        "--pre",
        "0.1kHz, 200Hz",
        "--post",
        "250 Hz,0.2 kHz",
        "--duration",
        ".1 s",
        "--dt",
        "100us",
    )
    assert result.exit_code == 0
    assert "1 100 250 150" in words(result.output)
    assert "2 200 200 0" in words(result.output)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"--pre": "-3"}, "--pre: a rate has to be positive and finite, not '-3'"),
        ({"--pre": "0"}, "--pre: a rate has to be positive and finite, not '0'"),
        ({"--post": "250,nan"}, "--post: a rate has to be positive and finite, not 'nan'"),
        ({"--post": "250,,3"}, "--post: '' is not a rate"),
        ({"--post": "a few"}, "--post: 'a few' is not a rate"),
        ({"--post": "250khz"}, "'khz' is not a unit of rates: Hz or kHz (did you mean kHz?)"),
        ({"--post": "2e6"}, "a post rate of 2e+06 Hz is too high At most 1e+06 Hz"),
        (
            {"--post": "5001", "--spike-times": "grid"},
            "a post rate of 5001 Hz is too high for a time step of 0.1 ms At most 5000 Hz",
        ),
        ({"--spike-times": "exact"}, "'exact' is not one of 'precise', 'grid'"),
        ({"--coincidence": "both"}, "'both' is not one of 'pre_first', 'post_first'"),
        ({"--pre-phase": "1"}, "--pre-phase: a phase has to be at least 0 and below 1, not '1'"),
        ({"--post-phase": "2ms"}, "--post-phase: '2ms' has a unit: a phase is a part of a period"),
        ({"--post-phase": "0,0.5"}, "there are 2 post phases for 3 pairs"),
        ({"--pre": "1,2"}, "there are 2 pre rates and 3 post rates"),
        ({"--duration": "2"}, "--duration: '2' has no unit: write 2s or 2ms"),
        ({"--duration": "2 parsec"}, "--duration: 'parsec' is not a unit of time: s, ms, us"),
        ({"--duration": "0s"}, "--duration: a time has to be positive and finite, not '0s'"),
        ({"--duration": "0.01ms"}, "the duration (10. us) is shorter than one time step"),
        ({"--dt": "-1ms"}, "--dt: a time has to be positive and finite, not '-1ms'"),
        ({"--dt": "1e999s"}, "--dt: a time has to be positive and finite, not '1e999s'"),
        ({"--figure": "beats.gif"}, "--figure: 'beats.gif' has to end with .png or .svg or .pdf"),
        ({"--out": "beats.xls"}, "--out: 'beats.xls' has to end with .nc or .csv"),
        ({"--report": __file__}, "is a file, so nothing can be written into it"),
        ({"--out": f"{__file__}/below/beats.nc"}, "beats.nc' cannot be made"),
    ],
)
def test_arguments_that_make_no_sense_end_with_code_2_and_a_reason(
    changed: dict[str, str], said: str
) -> None:
    options = {"--pre": "200", "--post": "250,220,210", "--duration": "2s", **changed}
    result = eccles_command(
        "beats", "--no-controls", *(word for option in options.items() for word in option)
    )
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
    assert all(command in shown for command in ("beats", "run", "sweep", "show", "doctor", "cache"))
    for command in ("beats", "run", "sweep", "show", "doctor", "cache"):
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
