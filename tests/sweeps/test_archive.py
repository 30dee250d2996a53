"""Plans as bytes: the same bytes for the same plan, and nothing but clear errors for damaged ones."""

from __future__ import annotations

import copy
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sweeps.alone import assert_equal_results
from sweeps.models import CASES

from eccles import NeuronGroup, TimedArray, ms, network_operation, rerun, run, silence, sweep
from eccles.errors import SetupError
from eccles.sweeps.archive import pack, unpack
from eccles.sweeps.plan import Plan
from eccles.sweeps.sweeping import make_plan

every_case = pytest.mark.parametrize("name", CASES)
Data = tuple[dict[str, Any], dict[str, np.ndarray]]


@pytest.fixture(autouse=True)
def quiet():
    silence("one_model_per_value")
    yield
    silence()


def planned(name: str) -> Plan:
    case = CASES[name]
    return make_plan(case.model, case.record, dict(case.values), 11, False)


@cache
def data_of(name: str) -> bytes:
    silence("one_model_per_value")
    found = planned(name).data
    assert found is not None
    return found


def opened(data: bytes) -> Data:
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    return json.loads(arrays.pop("header").tobytes()), arrays


def closed(text: Any, arrays: dict[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    header = np.frombuffer(json.dumps(text).encode(), np.uint8)
    np.savez(file, allow_pickle=False, header=header, **arrays)
    return file.getvalue()


# -- the same plan, the same bytes --------------------------------------------------------------------


@every_case
def test_a_plan_that_is_unpacked_is_packed_into_the_same_bytes(name):
    again = unpack(data_of(name))
    assert again.data == data_of(name)
    pack(again)
    assert again.data == data_of(name)


@every_case
def test_a_plan_gives_the_same_bytes_each_time(name):
    assert planned(name).data == data_of(name)


HASHES = """
import sys
sys.path.insert(0, sys.argv[1])
from sweeps.test_archive import CASES, data_of
import hashlib
print([hashlib.sha256(data_of(name)).hexdigest() for name in CASES])
"""


def test_the_order_in_which_python_hashes_names_changes_no_bytes():
    tests = str(Path(__file__).parents[1])
    found = {
        subprocess.run(
            [sys.executable, "-c", HASHES, tests], env={**os.environ, "PYTHONHASHSEED": seed}, text=True,
            capture_output=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1


def test_what_nothing_uses_leaves_no_trace():
    def model(a):
        unused = TimedArray(a * np.ones(3), dt=1 * ms)
        G = NeuronGroup(1, "dv/dt = (a - v)/(10*ms) : 1")
        run(1 * ms)

    result = sweep(model, record="G.v", a=[1.0, 2.0])
    assert_equal_results(rerun(result), result)


def test_a_network_operation_is_no_data():
    def model(a):
        G = NeuronGroup(1, "dv/dt = (a - v)/(10*ms) : 1")

        @network_operation
        def nothing():
            pass

        run(1 * ms)

    result = sweep(model, record="G.v", a=[1.0, 2.0])
    assert "plan" not in result
    with pytest.raises(SetupError, match=r"(?s)does not hold its model.*network operation"):
        rerun(result)


# -- damaged bytes ------------------------------------------------------------------------------------


def try_it(data: bytes) -> None:
    """Unpack bytes, and run what comes of it: they may be in order, or give a `SetupError`."""
    try:
        plan = unpack(data)
        if plan.grid.n_conditions <= 50:
            plan.run(0, min(3, plan.grid.n_conditions), 1)
    except SetupError:
        pass


@settings(max_examples=40)
@given(st.data())
def test_bytes_that_are_cut_off_or_changed_are_told(data):
    whole = bytearray(data_of("pairs"))
    if data.draw(st.booleans()):
        whole = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 3))):
            whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    try_it(bytes(whole))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from places(part, (*path, key))


WRONG = [
    None,
    True,
    -1,
    2**31,
    2**63,
    2**70,
    1e300,
    "",
    "v",
    "nan",
    "0x1p1000",
    "__class__",
    [],
    {},
    [1],
    {"a": 1},
]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["pairs", "conductances, many at once", "noisy", "several"]), st.data())
def test_text_that_says_something_else_is_told(name, data):
    text, arrays = opened(data_of(name))
    text = copy.deepcopy(text)
    found = list(places(text))
    path = data.draw(st.sampled_from(found))
    parent = text
    for key in path[:-1]:
        parent = parent[key]
    what = data.draw(st.sampled_from([*WRONG, "elsewhere", "remove", "add"]))
    old = parent[path[-1]]
    if what == "remove":
        del parent[path[-1]]
    elif what == "add":
        parent[path[-1]] = old + 1 if isinstance(old, int) else [old]
    else:
        other: Any = text
        for key in data.draw(st.sampled_from(found)) if what == "elsewhere" else ():
            try:
                other = other[key]
            except (KeyError, IndexError, TypeError):
                break
        parent[path[-1]] = copy.deepcopy(other) if what == "elsewhere" else what
    try_it(closed(text, arrays))


def changed(array: np.ndarray, how: str) -> np.ndarray:
    match how:
        case "shorter":
            return array[:-1] if array.ndim else array.reshape(1)
        case "longer":
            return np.concatenate([array.reshape(-1), array.reshape(-1)])
        case "table":
            return array.reshape(-1, 1)
        case "huge":
            return np.full_like(array, 2**62 if array.dtype.itemsize == 8 else 100)
        case "negative":
            return np.full_like(array, -1) if array.dtype.kind in "if" else ~array
        case "nan":
            return np.full(array.shape, np.nan)
        case "text":
            return np.full(array.shape, "text")
        case _:
            return array.astype(how)


HOW = ["shorter", "longer", "table", "huge", "negative", "nan", "text", "f8", "i8", "f4", "u1", "?"]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["pairs", "conductances, many at once", "noisy", "several"]), st.data())
def test_arrays_of_other_sizes_types_and_values_are_told(name, data):
    text, arrays = opened(data_of(name))
    key = data.draw(st.sampled_from(sorted(arrays)))
    with np.errstate(all="ignore"):
        arrays[key] = changed(arrays[key], data.draw(st.sampled_from(HOW)))
    try_it(closed(text, arrays))


def rename_method(text: Any) -> None:
    call = next(s for s in text["structures"][0]["phases"][0]["settings"] if "call" in s)
    call["call"] = "run_regularly"


def dunder_method(text: Any) -> None:
    call = next(s for s in text["structures"][0]["phases"][0]["settings"] if "call" in s)
    call["call"] = "__init__"


def newer(text: Any) -> None:
    text["version"] = 99


def other_format(text: Any) -> None:
    text["format"] = "something"


def unknown_axis(text: Any) -> None:
    text["axes"][0][0] = "elsewhere"


def endless(text: Any) -> None:
    text["structures"][0]["phases"][0]["seconds"] = (1e300).hex()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (rename_method, "nothing is set by 'run_regularly'"),
        (dunder_method, "nothing is set by '__init__'"),
        (newer, "version 99"),
        (other_format, "something else"),
        (unknown_axis, "do not fit to the parameters"),
        (endless, r"runs for 1e\+300 s"),
    ],
)
def test_what_is_wrong_is_said(change: Callable[[Any], None], message: str):
    text, arrays = opened(data_of("noisy"))
    change(text)
    with pytest.raises(SetupError, match=message):
        unpack(closed(text, arrays))


def test_pickled_objects_are_not_read():
    text, arrays = opened(data_of("noisy"))
    file = io.BytesIO()
    header = np.frombuffer(json.dumps(text).encode(), np.uint8)
    arrays["a0"] = np.array([Exploding()], dtype=object)
    np.savez(file, allow_pickle=True, header=header, **arrays)
    with pytest.raises(SetupError, match="damaged"):
        unpack(file.getvalue())


class Exploding:
    def __reduce__(self) -> Any:
        return pytest.fail, ("it was unpickled",)
