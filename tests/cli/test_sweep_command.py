"""`eccles sweep` as users type it: interrupted, killed and gone on with; what it prints and refuses."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from eccles.cli.commands import app
from eccles.errors import forget_warnings
from eccles.objects.magic import seed
from eccles.results.files import open_sweep
from eccles.sweeps import progress
from eccles.sweeps.progress import Progress, clock

pytestmark = pytest.mark.filterwarnings("ignore::eccles.errors.EcclesWarning")

STUDY = """
import sys
from eccles import *

def leaky(drive, tau):
    equations = "dv/dt = (drive - v)/tau + sigma*xi*tau**-0.5 : volt"
    N = NeuronGroup(2, equations, threshold="v > 15*mV", reset="v = 0*mV")
    run({duration}*ms)

silence("spikes_on_grid")
sigma = 3*mV
print("given:", sys.argv[1:])
drives = [10, 20, 30]*mV
result = sweep(leaky, drive=drives, tau=[5, 10]*ms, trial=range({trials}), record=["N.spikes", "N.v"])
print("went on")
"""


def study(folder: Path, trials: int = 2, duration: float = 20) -> Path:
    path = folder / "study.py"
    path.write_text(STUDY.format(trials=trials, duration=duration))
    return path


def sweep(*arguments: Any) -> Result:
    forget_warnings()
    seed()  # at random, as in a new process
    return CliRunner().invoke(app, ["sweep", *map(str, arguments)])


def process(folder: Path, *arguments: Any, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "eccles", "sweep", *map(str, arguments)]
    return subprocess.Popen(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=stderr)


def hashed(path: Path) -> str:
    """One hash of all numbers, names and attributes of a result."""
    with open_sweep(path) as dataset:
        digest = hashlib.sha256(repr(sorted(dataset.attrs.items())).encode())
        for name in sorted(dataset.variables, key=str):
            variable = dataset[name]
            digest.update(
                f"{name} {variable.dims} {variable.dtype} {sorted(variable.attrs.items())}".encode()
            )
            digest.update(variable.values.tobytes())
    return digest.hexdigest()


def wait_for_marks(path: Path, process: subprocess.Popen[str], n: int = 3) -> None:
    """Wait until some chunks are on the disk."""
    while len(list(path.glob("eccles.sweep/work/*.npz"))) < n:
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)


# -- a whole sweep ------------------------------------------------------------------------------------


def test_a_script_gets_out_from_the_command_line_and_a_summary_says_what_to_do_next(tmp_path: Path) -> None:
    out = tmp_path / "made" / "study.zarr"
    result = sweep(study(tmp_path), "--out", out, "--", "a", "--b")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "given: ['a', '--b']"
    assert re.fullmatch(r"drive 3 x tau 2 x trial 2: 12 conditions, in [\d.]+ s", lines[1])
    assert lines[2] == f'Written to {out}. In Python: eccles.open_sweep("{out}")'
    assert lines[3:] == ["went on"]
    with open_sweep(out) as found:
        assert dict(found["N.v"].sizes) == {"drive": 3, "tau": 2, "trial": 2, "N": 2}
        assert not found["failed"].any()


def test_the_same_command_computes_nothing_again(tmp_path: Path) -> None:
    script, out = study(tmp_path), tmp_path / "study.zarr"
    sweep(script, "--out", out)
    before = hashed(out)
    for again in ((script, "--out", out), (out,)):  # without a seed: that of the first time
        assert "12 conditions, all there already" in sweep(*again).stdout
    assert hashed(out) == before


def test_a_result_is_computed_again_elsewhere_without_the_script(tmp_path: Path) -> None:
    script, first, again = study(tmp_path), tmp_path / "study.nc", tmp_path / "again.nc"
    assert sweep(script, "--out", first).exit_code == 0
    script.unlink()
    assert "all there already" in sweep(first).stdout
    result = sweep(first, "--out", again, "--threads", 1)
    assert "12 conditions, in" in result.stdout
    assert hashed(again) == hashed(first)


def test_threads_and_chunks_change_nothing(tmp_path: Path) -> None:
    script = study(tmp_path)
    script.write_text("import eccles; eccles.seed(3)\n" + script.read_text())
    for name, options in (("one", ("--threads", 1, "--chunk", 5)), ("two", ("--threads", 2))):
        assert sweep(script, "--out", tmp_path / f"{name}.zarr", *options).exit_code == 0
    assert hashed(tmp_path / "one.zarr") == hashed(tmp_path / "two.zarr")


def test_a_dask_cluster_gives_the_same_bits(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    script = study(tmp_path)
    script.write_text("import eccles; eccles.seed(3)\n" + script.read_text())
    with distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
        options = ("--scheduler", cluster.scheduler_address, "--chunk", 5)
        result = sweep(script, "--out", tmp_path / "there.zarr", *options)
    assert result.exit_code == 0, result.output
    sweep(script, "--out", tmp_path / "here.zarr")
    assert hashed(tmp_path / "there.zarr") == hashed(tmp_path / "here.zarr")


def test_quiet_prints_nothing_of_its_own(tmp_path: Path) -> None:
    result = sweep(study(tmp_path), "--out", tmp_path / "study.zarr", "--quiet")
    assert result.output == "given: []\nwent on\n"


def test_a_result_that_is_not_written_says_so(tmp_path: Path) -> None:
    assert (
        "The result is not kept: --out study.zarr, or out= in the script, writes it to disk."
        in sweep(study(tmp_path)).stdout
    )


def test_conditions_that_fail_are_shown_with_their_parameters(tmp_path: Path) -> None:
    script = tmp_path / "study.py"
    script.write_text(
        "from eccles import *\n"
        "def quadratic(drive, tau):\n"
        "    N = NeuronGroup(1, 'dv/dt = (v**2 + drive)/tau : 1')\n"
        "    run(100*ms)\n"
        "sweep(quadratic, drive=[-1, 0, 1, 2], tau=[10, 20]*ms, record='N.v')\n"
    )
    result = sweep(script, "--out", tmp_path / "study.zarr")
    assert result.exit_code == 0
    failures = result.stdout.splitlines()[1:5]
    assert failures == [
        "4 conditions failed, the first 3 of them:",
        *(
            f"  drive = {drive}, tau = {tau} ms: v became NaN in neuron 0 of neurongroup between 0. s and "
            "100. ms (integrated with 'dopri5')"
            for drive, tau in ((1, 10), (1, 20), (2, 10))
        ),
    ]
    assert sweep(script, "--quiet").stderr.splitlines() == failures


# -- mistakes -----------------------------------------------------------------------------------------


def test_two_sweeps_do_not_fit_into_one_place(tmp_path: Path) -> None:
    script = study(tmp_path)
    script.write_text(script.read_text() + "sweep(leaky, drive=[1, 2]*mV, tau=5*ms, record='N.v')\n")
    result = sweep(script, "--out", tmp_path / "study.zarr")
    assert result.exit_code == 1
    assert "the script has more than one sweep, and --out" in result.stderr
    assert 'sweep(..., out="first.zarr")' in result.stderr
    assert f"{script}, line 16" in result.stderr
    assert sweep(script).exit_code == 0


def test_a_script_without_a_sweep_is_told(tmp_path: Path) -> None:
    (tmp_path / "study.py").write_text("import eccles\n")
    result = sweep(tmp_path / "study.py")
    assert result.exit_code == 1
    assert "study.py ended without calling sweep()" in result.stderr
    assert "eccles run" in result.stderr


def test_another_sweep_in_the_same_place_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "study.zarr"
    sweep(study(tmp_path), "--out", out)
    result = sweep(study(tmp_path, duration=21), "--out", out)
    assert result.exit_code == 1
    assert "holds another sweep" in result.stderr
    assert "Traceback" not in result.output


def test_a_result_without_its_model_cannot_be_computed_again(tmp_path: Path) -> None:
    script, out = tmp_path / "study.py", tmp_path / "study.nc"
    script.write_text(
        "from eccles import *\n"
        "def counted(g):\n"
        "    N = NeuronGroup(1, 'v : 1')\n"
        "    N.v = g\n"
        "    @network_operation\n"
        "    def nothing(): pass\n"
        "    run(1*ms)\n"
        "sweep(counted, g=[1, 2], record='N.v')\n"
    )
    assert sweep(script, "--out", out).exit_code == 0
    result = sweep(out, "--out", tmp_path / "again.nc")
    assert result.exit_code == 1
    assert "does not hold its model" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("absent.py",), 2, "'absent.py' does not exist"),
        (("absent.zarr",), 2, "'absent.zarr' does not exist"),
        ((".",), 2, "'.' is a folder"),
        (("study.py", "--out", "study.csv"), 2, "has to end with .zarr or .nc"),
        (("study.py", "--threads", "0"), 2, "--threads: at least 1, not 0"),
        (("study.py", "--chunk", "-2"), 2, "--chunk: at least 1, not -2"),
        (("text.nc",), 1, "'text.nc' is not a NetCDF 4 file"),
    ],
)
def test_arguments_that_make_no_sense_are_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    study(tmp_path)
    (tmp_path / "text.nc").write_text("no numbers")
    result = sweep(*arguments)
    assert result.exit_code == code
    assert said in " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.stderr).split())
    assert "Traceback" not in result.output


# -- interruptions ------------------------------------------------------------------------------------


def interrupted(folder: Path, number: int, trials: int, duration: float) -> tuple[int, str, str]:
    """Start a sweep, and send it a signal when some of its conditions are on the disk."""
    script = study(folder, trials, duration)
    running = process(folder, script, "--out", "study.zarr", "--chunk", 1)
    wait_for_marks(folder / "study.zarr", running)
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    return running.returncode, out, err


def assert_goes_on(folder: Path) -> None:
    """The same command, or the folder alone, goes on; the result is that of a sweep nobody interrupted."""
    path, whole = folder / "study.zarr", folder / "whole.zarr"
    with open_sweep(path) as dataset:
        assert "unfinished" in dataset.attrs
        number = dataset.attrs["seed"]
    arguments = (path,) if "alone" in folder.name else (folder / "study.py", "--out", path)
    assert re.search(r"conditions, \d+ of them computed now, in", sweep(*arguments).stdout)
    seeded = folder / "study.py"
    seeded.write_text(f"import eccles; eccles.seed({number})\n" + seeded.read_text())
    sweep(seeded, "--out", whole, "--chunk", 10)
    assert hashed(path) == hashed(whole)


posix = pytest.mark.skipif(sys.platform == "win32", reason="other signals")


@posix
@pytest.mark.parametrize("name", ["script", "alone"])
def test_ctrl_c_ends_a_sweep_in_good_order_and_the_same_command_goes_on(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    code, out, err = interrupted(folder, signal.SIGINT, trials=4, duration=3000)
    assert code == 130
    assert out == "given: []\n"  # the script does not go on with half a result
    assert re.fullmatch(  # and nothing else: no bar and no control characters where there is no terminal
        r"Interrupted: \d+ of 24 conditions are in study.zarr. The same command goes on with the others.\n",
        err,
    )
    n_done = int(err.split()[1])
    with open_sweep(folder / "study.zarr") as dataset:
        assert (~dataset["failed"]).sum() == n_done
    assert_goes_on(folder)


@posix
def test_kill_9_loses_nothing_that_was_done(tmp_path: Path) -> None:
    assert interrupted(tmp_path, signal.SIGKILL, trials=4, duration=3000)[0] == -signal.SIGKILL
    assert_goes_on(tmp_path)


@posix
@pytest.mark.slow
def test_a_second_ctrl_c_and_many_kills_change_nothing_either(tmp_path: Path) -> None:
    script = study(tmp_path, trials=60, duration=1000)
    signals = (signal.SIGINT, signal.SIGKILL, signal.SIGINT, signal.SIGKILL)
    for k, number in enumerate(signals, 1):
        running = process(tmp_path, script, "--out", "study.zarr", "--chunk", 1)
        wait_for_marks(tmp_path / "study.zarr", running, n=20 * k)
        running.send_signal(number)
        if number == signal.SIGINT:
            time.sleep(0.05)
            running.send_signal(number)
        _, err = running.communicate(timeout=60)
        assert running.returncode == (130 if number == signal.SIGINT else -number), err
        assert "Traceback" not in err
    assert_goes_on(tmp_path)


def test_what_was_only_in_memory_is_lost_and_the_message_says_how_to_keep_it(tmp_path: Path) -> None:
    script = study(tmp_path, trials=2)
    stop = "def stop(): os.kill(os.getpid(), signal.SIGINT)"
    text = script.read_text().replace("import sys", "import os, signal, sys")
    script.write_text(text.replace("    run(", f"    @network_operation(dt=20*ms)\n    {stop}\n    run("))
    running = process(tmp_path, script, "--out", "study.nc")
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "of 12 conditions were done, and are lost: study.nc is written at the end only." in err
    assert "With --out study.zarr results are written while they come" in err
    assert not (tmp_path / "study.nc").exists()


# -- progress -----------------------------------------------------------------------------------------


@posix
def test_a_terminal_shows_a_bar_and_the_time_left(tmp_path: Path) -> None:
    import pty  # not everywhere

    terminal, end = pty.openpty()
    running = process(tmp_path, study(tmp_path, trials=20, duration=300), stderr=end)
    os.close(end)
    shown = b""
    while True:
        try:
            shown += os.read(terminal, 1000)
        except OSError:  # it has been closed
            break
    os.close(terminal)
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    last = re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", shown.decode()).replace("\r", "\n").split("\n")
    assert any(re.search(r"━ 120/120 conditions: \d+ s", line) for line in last)
    assert "\x1b" not in out  # the script's own output goes where it would


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock says: the last of these."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[-1])
    return now


def test_lines_in_a_log_come_ever_more_rarely(
    moments: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress(10_000, shown=True) as bar:
        for _ in range(10_000):
            moments[0] += 1
            bar.add(1)
    told = [int(line.split()[0]) for line in capsys.readouterr().err.splitlines()]
    assert told[:7] == [11, 22, 43, 84, 165, 326, 647]
    assert max(b - a for a, b in itertools.pairwise(told)) <= 602
    assert len(told) < 30


def test_the_time_left_is_judged_by_what_was_computed_now(
    moments: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress(1000, shown=True) as bar:
        bar.begin_with(900)
        moments[0] = 300.0
        bar.add(5)  # a minute each: 95 are left
    assert capsys.readouterr().err == "905 of 1000 conditions: 5 min 0 s, 1 h 35 min left\n"


def test_nothing_is_shown_unless_asked_for(moments: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    for shown in (None, False):
        with Progress(10, shown) as bar:
            moments[0] += 1000
            bar.add(5)
    assert capsys.readouterr().err == ""


def test_times_read_well() -> None:
    assert [clock(s) for s in (0.4, 59.4, 59.6, 3599, 3600, 90_000)] == [
        "0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "25 h 0 min",
    ]  # fmt: skip
