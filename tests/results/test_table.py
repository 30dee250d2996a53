import numpy as np
import pytest
from fabricated_sweeps import FIELDS, PAIR, PRE, RULE, TRIAL, fabricate

from eccles.errors import SetupError
from eccles.results import Field
from eccles.units import *


@pytest.fixture(scope="module")
def made():
    return fabricate([PRE, RULE, TRIAL], FIELDS, failures=[5])


@pytest.fixture(scope="module")
def result(made):
    return made.dataset()


def test_each_condition_is_a_row_with_parameters_and_single_values(made, result):
    frame = result.eccles.to_pandas()
    assert list(frame) == ["pre (Hz)", "rule", "trial", "S.w (S)", "n", "P.count", "failed"]
    assert len(frame) == made.n
    row = frame.iloc[(2 * 3 + 1) * 4 + 3]
    assert (row["pre (Hz)"], row["rule"], row["trial"]) == (100.0, "triplet", 3)
    np.testing.assert_array_equal(frame["S.w (S)"], made.values["S.w"])
    np.testing.assert_array_equal(frame["P.count"], [len(e["t"]) for e in made.events["P"]])
    assert frame.index[frame["failed"]].tolist() == [5]


def test_each_element_is_a_row_too(made, result):
    frame = result.eccles.to_pandas("G.v", "n")
    assert list(frame) == ["pre (Hz)", "rule", "trial", "G", "G.v.time (s)", "G.v (V)", "n"]
    row = frame[(frame["pre (Hz)"] == 200) & (frame["rule"] == "pair") & (frame["trial"] == 2)
                & (frame["G"] == 1) & (frame["G.v.time (s)"] == 3e-3)]  # fmt: skip
    assert row["G.v (V)"].tolist() == [made.values["G.v"][1 * 12 + 2, 1, 3]]
    assert row["n"].tolist() == [made.values["n"][1 * 12 + 2]]


def test_each_event_is_a_row_of_its_own_table(made, result):
    frame = result.eccles.to_pandas("P")
    assert list(frame) == ["pre (Hz)", "rule", "trial", "t (s)", "i", "v (V)"]
    row = frame[(frame["pre (Hz)"] == 20) & (frame["rule"] == "größer") & (frame["trial"] == 1)]
    for column, name in (("t", "t (s)"), ("i", "i"), ("v", "v (V)")):
        np.testing.assert_array_equal(row[name], made.events["P"][2 * 4 + 1][column])


def test_parts_of_a_result_make_tables_too(made, result):
    part = result.isel(rule=1).transpose("trial", "pre", ...)
    frame = part.eccles.to_pandas("P")
    row = frame[(frame["pre (Hz)"] == 100) & (frame["trial"] == 0)]
    assert set(frame["rule"]) == {"triplet"}
    np.testing.assert_array_equal(row["t (s)"], made.events["P"][(2 * 3 + 1) * 4]["t"])
    frame = part.eccles.to_pandas("S.w")
    assert len(frame) == 12
    assert frame["S.w (S)"][1] == made.values["S.w"][(1 * 3 + 1) * 4]


def test_parameters_that_go_together_are_columns():
    frame = fabricate([PAIR, TRIAL], FIELDS).dataset().eccles.to_pandas("S.w")
    assert list(frame) == ["a (Hz)", "b (s)", "trial", "S.w (S)"]
    assert frame["b (s)"].tolist() == [1e-3] * 4 + [2e-3] * 8


def test_values_of_different_elements_do_not_fit_in_one_table():
    other = Field("H.x", dims=("H",), shape=(2,))
    result = fabricate([TRIAL], [*FIELDS, other]).dataset()
    with pytest.raises(SetupError, match="of different elements"):
        result.eccles.to_pandas("G.x", "H.x")
    with pytest.raises(SetupError, match="a table of their own"):
        result.eccles.to_pandas("P", "n")
    with pytest.raises(SetupError, match=r"no variable 'S\.wx'; did you mean 'S\.w'"):
        result.eccles.to_pandas("S.wx")
