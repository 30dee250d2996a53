"""The documents are true: their code runs, their links lead somewhere, the files they name exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import numpy as np
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
        for line in re.findall(r"^# (eccles: .*)$", "\n".join(script), re.MULTILINE):
            assert line in done.stderr.splitlines()


def _check_printed(script: str, output: str) -> None:
    """What comments behind and below `print(...)` and `explain()` show stands in the output.

    Behind, prose is told by its first letter: what is shown begins otherwise, or is `True` or `False`.
    """
    lines = output.splitlines()
    for shown in re.findall(r"^print\(.*\)  # ((?:[^a-zA-Z]|True$|False$).*)$", script, re.MULTILINE):
        assert any(shown in line for line in lines), shown
    for block in re.findall(r"^ *(?:print|explain)\(.*\)\n((?:#.*\n?)+)", script, re.MULTILINE):
        assert "\n".join(line[2:] for line in block.splitlines()) in output


def test_the_guide_to_sweeps_knows_all_that_can_be_recorded() -> None:
    from eccles import record

    guide = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
    makers = [
        name
        for name in record.__all__
        if get_type_hints(getattr(record, name)).get("return") is record.Record
    ]
    assert len(makers) > 10
    assert [name for name in makers if f"record.{name}(" not in guide] == []


def test_the_guide_to_the_laboratory_knows_all_parts_and_studies() -> None:
    from eccles.lab import neurons, rules
    from eccles.lab.experiments import STUDIES
    from eccles.lab.neurons.adex import PRESETS as PATTERNS
    from eccles.lab.neurons.izhikevich import PRESETS as KINDS
    from eccles.lab.protocols import PROTOCOLS

    guide = (ROOT / "docs" / "laboratory.md").read_text(encoding="utf-8")
    names = [*rules.RULES, *STUDIES, *PROTOCOLS, *(make.__name__ for make in neurons.NEURONS.values())]
    missing = [name for name in names if f"`{name}`" not in guide]
    published = [p for rule in rules.RULES if rule != "triplet" for p in rules.presets(rule)]  # eight rows
    published += [*PATTERNS, *KINDS]
    missing += [name for name in published if f"'{name}'" not in guide and f'"{name}"' not in guide]
    assert missing == []


def test_the_readme_counts_the_controls_of_binaural_beats() -> None:
    from eccles.lab.binaural import CONDITIONS

    words = {9: "nine", 10: "ten", 11: "eleven"}
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"with {words[len(CONDITIONS) - 1]} controls" in text  # all but the beat itself


def _rows(text: str, heading: str) -> list[list[str]]:
    """The cells of a table below its heading."""
    lines = text[text.index(heading) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_tables_of_beats_in_the_readme_are_obtained() -> None:
    from eccles.lab.beats import Beats, beats
    from eccles.units import Hz, second

    text = (ROOT / "README.md").read_text(encoding="utf-8")

    def simulated(rows: list[list[str]], random_phases: int) -> Beats:
        pre, post = np.array([[float(rate) for rate in row[0].split(",")] for row in rows]).T
        return beats(pre * Hz, post * Hz, duration=2 * second, random_phases=random_phases, with_grid=True)

    rows = _rows(text, "| asked (Hz) |")
    assert len(rows) == 8
    result = simulated(rows, 0)
    assert result.grid is not None
    for k, (_, *shown) in enumerate(rows):
        found = [f"{result.beat[k] / Hz:.5g}"]
        for each in (result, result.grid):
            pre, post, beat = (
                float(rates[k])
                for rates in (each.pre_rate_obtained, each.post_rate_obtained, each.beat_obtained)
            )
            found += [f"{pre:.5g}, {post:.5g}", f"{beat:.5g}"]
        assert shown == found

    rows = _rows(text, "| pair (Hz) |")
    assert len(rows) == 3
    result = simulated(rows, 200)
    assert result.grid is not None
    for k, (_, *shown) in enumerate(rows):
        low, median, high = result.spread()[:, k]
        assert shown == [
            f"{result.final_weights[k]:.3f}",
            f"{result.other_final_weights[k]:.3f}",
            f"{median:.3f} ({low:.3f} to {high:.3f})",
            f"{result.grid.final_weights[k]:.3f}",
        ]
