"""The compatible face gives Brian 2's numbers: see `brian2_cases.py`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from brian2_cases import CASES, run_case

import eccles.brian2 as face
from eccles.errors import silence

EXPECTED = json.loads((Path(__file__).parent / "golden" / "brian2.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", list(CASES))
def test_the_compatible_face_gives_the_numbers_of_brian_2(name: str) -> None:
    silence("past_spikes", "rebuilt_in_loop", "threshold_at_start")  # the cases do these on purpose
    try:
        found = run_case(name, face)
    finally:
        silence()
    assert set(found) == set(EXPECTED[name])
    for key, expected in EXPECTED[name].items():
        if expected and isinstance(expected, list) and isinstance(expected[0], str):
            assert found[key] == expected, key
        else:
            np.testing.assert_allclose(found[key], expected, rtol=1e-12, atol=1e-14, err_msg=f"{name}: {key}")
