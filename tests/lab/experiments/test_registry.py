"""The table of studies, and the files that it names."""

from __future__ import annotations

import ast
import inspect
import sys
import types
from pathlib import Path

import pytest

from eccles import SetupError
from eccles.lab import experiments
from eccles.lab.experiments import Outcome, Study, registry, studies, study

FOLDER = Path(experiments.__file__).parent


def with_a_study() -> set[str]:
    """Files of the folder that have a STUDY."""
    found = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if any(isinstance(target, ast.Name) and target.id == "STUDY" for target in targets):
                found.add(path.stem.replace("_", "-"))
    return found


def test_the_table_names_the_files_that_have_a_study():
    assert len(set(registry.STUDIES)) == len(registry.STUDIES)
    assert set(registry.STUDIES) == with_a_study()


@pytest.mark.parametrize("name", registry.STUDIES)
def test_a_study_is_called_as_its_file_and_has_a_question_and_a_source(name):
    found = study(name)
    assert found.name == name
    assert found.title
    assert found.source


@pytest.mark.parametrize("name", registry.STUDIES)
def test_all_studies_are_run_in_the_same_way(name):
    made = study(name).run
    quick, *others = inspect.signature(made).parameters.values()
    assert made.__name__ == "run"
    assert quick.name == "quick"
    assert quick.kind is quick.POSITIONAL_OR_KEYWORD
    assert quick.default is False
    assert all(other.kind is other.KEYWORD_ONLY for other in others)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_figures_are_no_windows_that_stay_open(path):
    """Those of pyplot are kept until they are closed."""
    imported = {
        name.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in node.names
    }
    assert not imported & {"pyplot", "matplotlib.pyplot"}


@pytest.fixture
def one_study(monkeypatch):
    module = types.ModuleType("eccles.lab.experiments.two_words")
    module.STUDY = Study("two-words", "A question?", "A source", lambda quick=False: Outcome(None, {}, None))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(registry, "STUDIES", ("two-words",))
    return module.STUDY


def test_studies_are_found_by_name_with_either_kind_of_line(one_study):
    assert study("two_words") is study("two-words") is one_study
    assert studies() == [one_study]


def test_an_unknown_study_is_refused_with_the_nearest_name(one_study):
    with pytest.raises(SetupError, match="there is no study 'two_word'; did you mean 'two-words'") as caught:
        study("two_word")
    assert "Studies: two-words." in str(caught.value)
