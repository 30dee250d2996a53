"""The documents are true: their code runs, their links lead somewhere, the files they name exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")],
    key=lambda path: str(path.relative_to(ROOT)),
)
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return [body for found, body in FENCE.findall(path.read_text(encoding="utf-8")) if found == language]


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_links_lead_to_files(path: Path) -> None:
    prose = FENCE.sub("", path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)#\s]+)", prose):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_files_that_are_named_exist(path: Path) -> None:
    for name in re.findall(
        r"`((?:eccles|tests|docs|benchmarks|examples)/[\w./]*)`", path.read_text(encoding="utf-8")
    ):
        assert (ROOT / name).exists(), f"{path.name} names {name}"


@pytest.mark.parametrize("path", [p for p in DOCUMENTS if blocks(p, "python")], ids=lambda p: p.name)
def test_code_in_documents_runs(path: Path, tmp_path: Path) -> None:
    # the blocks of a document are one script, split where the face changes; a process of their own
    # gives `import *` and warnings the meaning that they have for a reader
    scripts: list[list[str]] = [[]]
    for block in blocks(path, "python"):
        if "import *" in block and scripts[-1]:
            scripts.append([])
        scripts[-1].append(block)
    for number, script in enumerate(scripts):
        file = tmp_path / f"block{number}.py"
        file.write_text("\n".join(script), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-W", "error", str(file)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        _check_printed("\n".join(script), done.stdout)


def _check_printed(script: str, output: str) -> None:
    """What a comment behind `print(...)` shows stands in the output."""
    for shown in re.findall(r"^print\(.*?\)\s+# ([\[\d-].*)$", script, re.MULTILINE):
        assert shown in output
    for block in re.findall(r"^explain\(\)\n((?:# .*\n?)+)", script, re.MULTILINE):
        assert "\n".join(line[2:] for line in block.splitlines()) in output


def test_the_message_in_the_readme_is_the_message() -> None:
    from eccles.errors import UnitError
    from eccles.objects import NeuronGroup
    from eccles.units import ms, mV

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"^    print\(error\)\n((?:#.*\n)+)", text, re.MULTILINE)
    assert shown is not None
    quoted = [line[2:] for line in shown[1].splitlines()]
    assert len(quoted) > 5
    with pytest.raises(UnitError) as raised:
        NeuronGroup(
            1,
            "\n        dv/dt = (E_L - v + I)/tau : volt\n        I : amp\n    ",
            namespace={"E_L": -70 * mV, "tau": 10 * ms},
        )
    assert str(raised.value).splitlines()[: len(quoted)] == quoted
