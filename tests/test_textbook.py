"""Correct models of the literature run in both faces, are right, and get no warning.

Each function in `textbook/` builds a model, runs it for a short time and asserts something that is known
about it. It gets the face to use as a module. Warnings are errors in all tests; here that is the point.
"""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FACES = ("eccles", "eccles.brian2")


def models() -> dict[str, Callable[[Any], None]]:
    """All public functions of the files in `textbook/` that take a face, by name."""
    found: dict[str, Callable[[Any], None]] = {}
    for path in sorted((Path(__file__).parent / "textbook").glob("*.py")):
        module = importlib.import_module(f"textbook.{path.stem}")
        for name, function in vars(module).items():
            if inspect.isfunction(function) and function.__module__ == module.__name__:
                if list(inspect.signature(function).parameters) == ["b"]:
                    assert name not in found, f"two textbook models are called {name}"
                    found[name] = function
    return found


MODELS = models()


def test_there_are_at_least_fifty_models_each_with_its_source():
    assert len(MODELS) >= 50
    assert all(model.__doc__ for model in MODELS.values())


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("name", MODELS)
def test_textbook_model(name, face):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MODELS[name](importlib.import_module(face))
