"""Scripts for Brian 2 give here what they give there: the same spikes, and values to 1e-12.

`scripts/` has the scripts, `reference.npz` what Brian 2 made of them (see `make_reference.py`).
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eccles.errors import EcclesWarning

HERE = Path(__file__).parent
SCRIPTS = sorted((HERE / "scripts").glob("*.py"))


@pytest.fixture(scope="module")
def reference() -> dict[str, np.ndarray]:
    with np.load(HERE / "reference.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def run_script(path: Path) -> dict[str, Any]:
    """Run a script with `eccles.brian2` in place of `brian2`."""
    text = path.read_text().replace("from brian2 import *", "from eccles.brian2 import *")
    names: dict[str, Any] = {"__name__": path.stem}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EcclesWarning)
        exec(compile(text, str(path), "exec"), names)
    return names["results"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script_gives_what_brian_2_gives(path: Path, reference: dict[str, np.ndarray]) -> None:
    results = run_script(path)
    expected = {name: v for name, v in reference.items() if name.startswith(f"{path.stem}/")}
    assert {f"{path.stem}/{name}" for name in results} == set(expected)
    for name, value in results.items():
        wanted = expected[f"{path.stem}/{name}"]
        value = np.asarray(value)
        assert value.shape == wanted.shape, name
        if wanted.dtype.kind in "biu":
            np.testing.assert_array_equal(value, wanted, err_msg=name)
        else:
            scale = np.abs(wanted).max(initial=1e-300)
            np.testing.assert_allclose(value, wanted, rtol=1e-12, atol=1e-12 * scale, err_msg=name)
