"""`eccles lab` as users type it: what it prints, writes and refuses."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import types
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from eccles import Network, NetworkOperation, NeuronGroup, SetupError, ms, second
from eccles.cli.commands import app
from eccles.lab.experiments import Outcome, Study, experiment, registry
from eccles.lab.protocols import pairing
from eccles.lab.rules import pair
from eccles.sweeps import plan
from eccles.sweeps.execute import Stopped

FILES = ["data.nc", "figure.png", "figure.svg", "report.html", "table.csv"]


def lab(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["lab", *map(str, arguments)])


def words(text: str) -> str:
    """Text without line breaks, boxes and colours."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m|[│┃╭╮╰╯─]", " ", text).split())


class Runs:
    """A study that notes how it was run."""

    def __init__(self) -> None:
        self.quick: list[bool] = []
        self.error: BaseException | None = None
        self.outcome: Outcome | None = None

    def __call__(self, quick: bool = False):
        self.quick.append(quick)
        if self.error is not None:
            raise self.error
        if self.outcome is not None:
            return self.outcome
        result = experiment(
            pair(), lambda gap: pairing(gap, n=2 if quick else 3), gap=np.linspace(-20, 20, 4) * ms,
            baseline=1 * second, followup=1 * second, test_interval=1 * second,
        )  # fmt: skip
        return result.outcome(notes=("A note.",))


@pytest.fixture(autouse=True)
def runs(monkeypatch):
    found = Runs()
    module = types.ModuleType("eccles.lab.experiments.two_words")
    vars(module)["STUDY"] = Study("two-words", "What do pairs do?", "Nobody 2000", found)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(registry, "STUDIES", ("two-words",))
    return found


def test_list_shows_names_questions_and_sources():
    result = lab("list")
    assert result.exit_code == 0
    assert "two-words What do pairs do? Nobody 2000" in words(result.output)


def test_run_prints_findings_table_and_notes_and_says_where_files_are(tmp_path, runs):
    result = lab("run", "two-words", "--out", tmp_path / "here")
    assert result.exit_code == 0
    assert runs.quick == [False]
    shown = words(result.output)
    assert "two-words: What do pairs do?" in shown
    assert "The weight is 98" in shown
    assert "baseline" in shown
    assert re.search(r"20 +0\.5 +0\.50\d+ +10\d\.\d+", result.output)
    assert "* A note." in shown
    assert sorted(os.listdir(tmp_path / "here")) == FILES
    for name in FILES:
        assert f"wrote {tmp_path / 'here' / name}" in result.output


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch, runs):
    monkeypatch.chdir(tmp_path)
    result = lab("run", "two-words", "--quick")
    assert result.exit_code == 0
    assert "Nothing is written: --out FOLDER" in words(result.output)
    assert os.listdir(tmp_path) == []
    assert runs.quick == [True]


def test_a_table_that_is_too_wide_comes_in_parts_with_all_its_values(runs):
    wide = {"cell": ["one", "another"], **{f"column number{k}": [k + 0.123456, 1e-9 * k] for k in range(12)}}
    whole = runs(quick=True)
    runs.outcome = replace(whole, table=wide)
    output = lab("run", "two-words").output
    table = [line for line in output.splitlines() if re.match(r" *(cell|one|another)\b", line)]
    assert "…" not in output
    assert max(map(len, output.splitlines())) <= 80
    rows = {
        name: [x for line in table if name in line.split() for x in line.split()[1:]]
        for name in ("one", "another")
    }
    assert rows["one"] == [f"{k + 0.123456:.4g}" for k in range(12)]
    assert rows["another"] == [f"{1e-9 * k:.4g}" for k in range(12)]
    assert [line.split()[0] for line in table].count("one") > 1


def test_quiet_prints_nothing(tmp_path):
    result = lab("run", "two-words", "-q", "--out", tmp_path)
    assert (result.exit_code, result.output) == (0, "")
    assert sorted(os.listdir(tmp_path)) == FILES


def test_the_date_of_a_report_is_what_the_user_says(tmp_path):
    lab("run", "two-words", "--out", tmp_path, "--date", "1 May 1951")
    assert "1 May 1951" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_show_prints_the_models(runs):
    result = lab("show", "two-words")
    assert result.exit_code == 0
    assert f"== rule: {pair().name}\n{pair()}\n" in result.output
    assert runs.quick == [True]


def test_an_unknown_name_is_answered_with_the_nearest():
    for command in ("run", "show"):
        result = lab(command, "two-word")
        assert result.exit_code == 2
        assert "there is no study 'two-word'; did you mean 'two-words'?" in words(result.output)


def test_a_folder_that_cannot_be_written_to_is_refused_before_the_study_runs(tmp_path, runs):
    (tmp_path / "file").write_text("")
    result = lab("run", "two-words", "--out", tmp_path / "file")
    assert result.exit_code == 2
    assert "is a file, so nothing can be written into it" in words(result.output)
    assert runs.quick == []


def test_a_study_that_goes_wrong_ends_with_code_1(tmp_path, runs):
    runs.error = SetupError("this cannot be", hint="Do that.")
    result = lab("run", "two-words", "--out", tmp_path)
    assert result.exit_code == 1
    assert "SetupError: this cannot be" in result.stderr
    assert "Do that." in result.stderr
    assert os.listdir(tmp_path) == []


def test_a_study_that_is_interrupted_writes_nothing_and_ends_with_code_130(tmp_path, runs, monkeypatch):
    def stopped(*_):
        raise Stopped

    monkeypatch.setattr(plan.Plan, "run", stopped)  # as after Ctrl-C during a sweep
    result = lab("run", "two-words", "--out", tmp_path)
    assert result.exit_code == 130
    assert "Interrupted: nothing is written." in result.stderr
    runs.error = KeyboardInterrupt()
    assert lab("run", "two-words", "--out", tmp_path).exit_code == 130
    assert os.listdir(tmp_path) == []


def test_ctrl_c_in_a_single_run_of_a_study_ends_it_as_well(tmp_path, runs):
    def half(*, quick):
        def ctrl_c(t):
            os.kill(os.getpid(), signal.SIGINT)

        Network(NeuronGroup(1, "x : 1"), NetworkOperation(ctrl_c)).run(1 * second)
        return runs(quick=quick)

    study = sys.modules["eccles.lab.experiments.two_words"]
    study.STUDY = replace(study.STUDY, run=half)
    result = lab("run", "two-words", "--out", tmp_path)
    assert result.exit_code == 130
    assert "Interrupted: nothing is written." in result.stderr
    assert os.listdir(tmp_path) == []


def test_help_imports_nothing_of_the_laboratory():
    script = (
        "import sys\nfrom eccles.cli.commands import app\n"
        "try:\n    app(['lab', '--help'])\nexcept SystemExit:\n    pass\n"
        "print([m for m in sys.modules if m.startswith(('eccles.lab', 'xarray', 'matplotlib', 'jinja2'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
