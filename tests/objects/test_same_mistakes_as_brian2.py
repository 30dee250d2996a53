"""The compatible face raises errors of the types that scripts catch: see `brian2_mistakes.py`."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest
from brian2_mistakes import MISTAKES, outcome

import eccles.brian2 as face

EXPECTED = json.loads((Path(__file__).parent / "golden" / "brian2_mistakes.json").read_text(encoding="utf-8"))

# where the type differs on purpose: the error that is raised instead (its cause after a comma)
OTHERWISE = {
    "number with a unit": "TypeError",  # Brian 2's own documentation says TypeError
    "number as text": "TypeError",  # taken as a number there
    "equation without a unit": "SyntaxError",
    "reserved name": "EquationError",
    "text index that is no condition": "TypeError",
    "value to a linked variable": "TypeError",
    "spikes of some neurons": "TypeError",  # ignored there
    "dt of zero": "ValueError",  # accepted there, and fails later
    "method that does not fit": "BrianObjectException, UnsupportedEquations",  # by another name
    "link to nothing": "BrianObjectException, TypeError",
    "unknown slot": "ValueError",
    "syntax in regular code": "BrianObjectException, SyntaxError",
    "refractory of another unit": "BrianObjectException, UnitError",
    "refractory number": "BrianObjectException, DimensionMismatchError",
}


@pytest.mark.parametrize("name", list(MISTAKES))
def test_a_mistake_raises_what_scripts_for_brian_2_catch(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some mistakes are warned of as well
        found = outcome(name, face)
    expected = OTHERWISE[name].split(", ") if name in OTHERWISE else EXPECTED[name]
    if expected is None:
        assert found is None
        return
    assert found is not None
    assert len(found) == len(expected)
    for wanted, bases in zip(expected, found, strict=True):
        assert wanted in bases
        assert "InternalError" not in bases
