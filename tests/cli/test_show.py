"""`eccles show`: each form of a model, without running it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from eccles.cli.commands import app
from eccles.objects import Network, start_scope

SCRIPT = """from eccles import *
E_L, tau, tau_s = -70*mV, 10*ms, 20*ms
cells = NeuronGroup(
    3, "dv/dt = (E_L - v + g)/tau : volt (unless refractory)\\ng : volt", method="exponential_euler",
    threshold="v > -50*mV and g > 0*mV", reset="v = E_L", refractory=2*ms, name="cells",
)
cells.v = E_L
synapses = Synapses(
    cells, cells, "w : 1\\ndx/dt = -x/tau_s : 1 (event-driven)",
    on_pre="x += 1; g_post += w*x*mV", name="synapses",
)
synapses.connect(i=[0, 1], j=[1, 2])
try:
    run(1*second)
except Exception:
    pass
print("this script was run")
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


def show(script: Path, *options: str) -> Result:
    start_scope()  # names of objects are unique within a scope
    result = CliRunner().invoke(app, ["show", *options, str(script)])
    assert Network.on_built is None  # networks run again afterwards
    return result


@pytest.mark.parametrize("stage", ["tree", "step"])
def test_model_text_in_its_forms(script: Path, golden: Callable[[str, str], None], stage: str) -> None:
    result = show(script, "--stage", stage)
    assert result.exit_code == 0, result.output
    golden(f"show_{stage}.txt", result.stdout)


def test_options_may_stand_after_the_script_as_its_help_shows_them(script: Path) -> None:
    before = show(script, "--stage", "tree").stdout
    start_scope()
    assert CliRunner().invoke(app, ["show", str(script), "--stage", "tree"]).stdout == before


def test_what_is_behind_two_dashes_is_the_script_s(script: Path) -> None:
    script.write_text("import sys; print(sys.argv[1:])\n" + SCRIPT)
    start_scope()
    result = CliRunner().invoke(app, ["show", str(script), "4", "--", "--stage", "tree"])
    assert result.stdout.startswith("['4', '--stage', 'tree']\n")


def test_nothing_is_run(script: Path) -> None:
    assert "this script was run" not in show(script).stdout


@pytest.mark.parametrize(
    ("stage", "contained"),
    [("ir", "program run"), ("llvm", "define i64 @"), ("asm", "run:")],
)
def test_programs_in_their_forms(script: Path, stage: str, contained: str) -> None:
    result = show(script, "--stage", stage)
    assert result.exit_code == 0, result.output
    assert contained in result.stdout


def test_one_object_alone(script: Path) -> None:
    assert "synapses" not in show(script, "--stage", "tree", "--object", "cells").stdout
    whole, part = (
        show(script, "--stage", "ir").stdout,
        show(script, "--stage", "ir", "--object", "cells").stdout,
    )
    assert "synapses." in whole
    assert "cells.v@" in part
    assert "synapses." not in part


def test_a_name_that_no_object_has_gets_the_nearest(script: Path) -> None:
    result = show(script, "--object", "cell")
    assert result.exit_code == 1
    assert "Did you mean 'cells'?" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_script_without_a_run_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("import eccles\n")
    result = show(path)
    assert result.exit_code == 1
    assert "ended without a run" in result.stderr


def test_scripts_for_brian_2_are_shown_too(script: Path) -> None:
    script.write_text(SCRIPT.replace("from eccles", "from brian2"))
    assert "exponential_euler" in show(script, "--brian2").stdout


def test_errors_of_the_model_come_as_in_a_run(script: Path) -> None:
    script.write_text(SCRIPT.replace("E_L - v", "E_L - tau"))
    result = show(script)
    assert result.exit_code == 1
    assert "script.py, line 3" in result.stderr
