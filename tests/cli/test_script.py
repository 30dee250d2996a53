"""`eccles run`: scripts run as under Python itself, and errors point at the user's line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from eccles.cli.commands import app
from eccles.cli.script import report

DATA = Path(__file__).parent / "data"
THREAD = Path(__file__).parents[3] / "shared" / "thread"
needs_thread = pytest.mark.skipif(not THREAD.is_dir(), reason="the thread's scripts are not here")
quietly = pytest.mark.filterwarnings("ignore::eccles.errors.EcclesWarning")


def run(script: Path, *arguments: str, options: tuple[str, ...] = ()) -> Result:
    return CliRunner().invoke(app, ["run", *options, str(script), *arguments])


def write(folder: Path, text: str) -> Path:
    script = folder / "script.py"
    script.write_text(text)
    return script


# -- as python script.py --------------------------------------------------------------------------------

LOOK = """import sys, os
import beside
print(__name__, __file__, sys.argv, os.path.samefile(sys.path[0], os.path.dirname(__file__)))
print(sys.modules["__main__"].__dict__ is globals(), beside.x)
"""


def test_a_script_sees_what_it_sees_under_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "beside.py").write_text("x = 'found beside the script'\n")
    script = write(tmp_path, LOOK)
    monkeypatch.chdir(tmp_path.parent)
    for path in (script, script.relative_to(tmp_path.parent)):
        under_python = subprocess.run(
            [sys.executable, str(path), "a", "--brian2", "-h"], capture_output=True, text=True, check=True
        )
        result = run(path, "a", "--brian2", "-h")
        sys.modules.pop("beside")
        assert result.exit_code == 0
        assert result.output == under_python.stdout


def test_a_mistyped_option_is_not_taken_for_the_script(tmp_path: Path) -> None:
    result = run(write(tmp_path, "print('ran')"), options=("--brain2",))
    assert result.exit_code == 2
    assert "No such option" in result.output
    assert "--brain2" in result.output


def test_the_state_of_the_interpreter_is_put_back(tmp_path: Path) -> None:
    before = sys.modules["__main__"], sys.argv, sys.path[0]
    run(write(tmp_path, "import sys; print(sys.argv)"), "x")
    assert (sys.modules["__main__"], sys.argv, sys.path[0]) == before


def test_the_exit_code_of_the_script_is_passed_on(tmp_path: Path) -> None:
    assert run(write(tmp_path, "import sys; sys.exit(3)")).exit_code == 3


def test_run_finds_the_objects_among_the_globals_of_the_script(tmp_path: Path) -> None:
    text = """from eccles import *
tau = 10*ms
G = NeuronGroup(1, "dv/dt = (2 - v)/tau : 1", threshold="v > 1", reset="v = 0")
M = SpikeMonitor(G)
run(100*ms)
print(M.num_spikes)
"""
    # every ceil(10 ln 2 / 0.1) = 70 steps
    assert run(write(tmp_path, text)).output == "14\n"


def test_a_missing_script_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path / "nothing.py")
    assert result.exit_code == 2
    assert "does not exist" in result.output
    assert run(tmp_path).exit_code == 2


# -- errors ---------------------------------------------------------------------------------------------


def test_errors_of_the_model_show_their_message_and_the_users_line_only(tmp_path: Path) -> None:
    script = write(
        tmp_path,
        """from eccles import *
def build(n):
    return NeuronGroup(n, "dv/dt = (1 - v)/tau + 3*mV : 1", namespace={"tau": 10*ms})
build(5)
""",
    )
    result = run(script)
    assert result.exit_code == 1
    assert result.stderr.startswith("DimensionMismatchError: cannot add")
    assert "dv/dt = (1 - v)/tau + 3*mV : 1" in result.stderr
    assert f"{script}, line 3" in result.stderr
    assert "Traceback" not in result.stderr
    assert "eccles/objects" not in result.stderr


def test_other_errors_show_the_users_frames_only(tmp_path: Path) -> None:
    script = write(tmp_path, "from eccles import NeuronGroup\ndef f():\n    NeuronGroup('a', 'v : 1')\nf()\n")
    result = run(script)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert [line.strip() for line in lines if line.startswith("  File")] == [
        f'File "{script}", line 4, in <module>',
        f'File "{script}", line 3, in f',
    ]
    assert lines[-1].startswith("TypeError: ")


def test_all_frames_are_there_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECCLES_TRACEBACK", "1")
    result = run(write(tmp_path, "from eccles import NeuronGroup\nNeuronGroup(1, 'v : furlong')\n"))
    assert "Traceback" in result.stderr
    assert "neurons.py" in result.stderr


def test_syntax_errors_of_the_script_point_at_it(tmp_path: Path) -> None:
    result = run(write(tmp_path, "x = (\n"))
    assert result.exit_code == 1
    assert "line 1" in result.stderr
    assert "SyntaxError" in result.stderr


def test_errors_at_run_time_in_the_compatible_face_are_short_too(tmp_path: Path) -> None:
    script = write(
        tmp_path, 'from brian2 import *\nG = NeuronGroup(1, "v : 1", threshold="v >")\nrun(1*ms)\n'
    )
    result = run(script, options=("--brian2",))
    assert result.exit_code == 1
    assert result.stderr.startswith("BrianObjectException: ")
    assert f"{script}, line 3" in result.stderr


def test_a_script_for_brian_2_without_the_option_gets_a_hint() -> None:
    missing = ModuleNotFoundError("No module named 'brian2'", name="brian2")
    assert "eccles run --brian2" in report(missing)
    assert "does not have this part" in report(missing, brian2=True)


# -- what Brian 2 gives ---------------------------------------------------------------------------------


def test_spikes_and_every_weight_are_those_of_brian_2(tmp_path: Path) -> None:
    out = tmp_path / "here.npz"
    result = run(DATA / "beats_script.py", str(out), options=("--brian2",))
    assert result.exit_code == 0, result.output
    with np.load(DATA / "beats_brian2.npz") as theirs, np.load(out) as ours:
        assert set(ours.files) == set(theirs.files)
        for name in ("before_i", "after_i", "before_t", "after_t"):
            np.testing.assert_array_equal(ours[name], theirs[name])
        assert ours["weights"].shape == (3, 20_000)
        np.testing.assert_allclose(ours["weights"], theirs["weights"], rtol=0, atol=1e-12)
        np.testing.assert_allclose(ours["final"], [0.54908958, 0, 0], atol=5e-9)


@quietly
def test_first_experiment_ends_where_the_thread_says() -> None:
    result = run(DATA / "first_experiment_script.py", options=("--brian2",))
    assert result.exit_code == 0, result.output
    assert result.stdout == "1.00318134 1.00336121 1.00353356 1.00371471 1.00390516\n"


@needs_thread
@quietly
def test_first_post_itself_ends_where_it_says() -> None:
    result = run(THREAD / "first_post.py", options=("--brian2",))
    assert result.exit_code == 0, result.output
    for value in ("1.00318134", "1.00336121", "1.00353356", "1.00371471", "1.00390516"):
        assert value in result.stdout


@needs_thread
def test_reply_itself_gives_what_brian_2_gives(tmp_path: Path) -> None:
    text = (THREAD / "reply.py").read_text().replace("run(1*second)", "run(2*second)")
    assert "run(2*second)" in text
    save = "np.savez('here.npz', t=post_spikes.t/second, i=post_spikes.i[:], w=weight_mon.w[:])\n"
    script = write(tmp_path, "import os; os.chdir(os.path.dirname(__file__))\n" + text + "\n" + save)
    result = run(script, options=("--brian2",))
    assert result.exit_code == 0, result.output
    with np.load(DATA / "beats_brian2.npz") as theirs, np.load(tmp_path / "here.npz") as ours:
        np.testing.assert_array_equal(ours["t"], theirs["after_t"])
        np.testing.assert_array_equal(ours["i"], theirs["after_i"])
        np.testing.assert_allclose(ours["w"], theirs["weights"], rtol=0, atol=1e-12)
