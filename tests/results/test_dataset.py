import json

import numpy as np
import pytest
from fabricated_sweeps import FIELDS, NUMBER, PAIR, PRE, SPIKES, TRACE, TRIAL, WEIGHT, fabricate, sweeps
from hypothesis import given
from hypothesis import strategies as st

import eccles
from eccles.errors import InternalError, SetupError
from eccles.results import Axis, Coordinate, Field, Piece, assemble
from eccles.results.events import events_at
from eccles.results.fields import value_fields


@given(made=sweeps(), data=st.data())
def test_the_order_of_pieces_does_not_matter(made, data):
    shuffled = data.draw(st.permutations(made.pieces))
    assert made.dataset(shuffled).identical(made.dataset())


@given(made=sweeps())
def test_how_conditions_are_cut_into_pieces_does_not_matter(made):
    if sum(piece.stop - piece.start for piece in made.pieces) == made.n:
        assert made.dataset().identical(made.dataset(made.cut([])))


@given(made=sweeps())
def test_every_condition_holds_what_its_piece_said(made):
    dataset = made.dataset()
    computed = {flat for piece in made.pieces for flat in range(piece.start, piece.stop)}
    for flat, place in enumerate(np.ndindex(*made.shape)):
        position = dict(zip([axis.name for axis in made.axes], place, strict=True))
        here = dataset.isel(position)
        assert bool(here["failed"]) == (flat not in computed or flat in made.failures)
        for f in made.fields:
            if f.kind == "events":
                wanted = made.events[f.name][flat] if flat in computed else {c: [] for c in f.columns}
                found = events_at(dataset, f.name, position)
                assert set(found) == set(f.columns)
                for column, values in found.items():
                    np.testing.assert_array_equal(values, wanted[column])
            else:
                missing = np.nan if f.dtype.startswith("float") else 0
                wanted = made.values[f.name][flat] if flat in computed else missing
                assert here[f.name].dims == f.dims
                assert here[f.name].dtype == f.dtype
                np.testing.assert_array_equal(here[f.name], np.broadcast_to(wanted, f.shape))


def test_a_condition_is_found_by_its_label():
    dataset = fabricate([PRE, TRIAL], FIELDS).dataset()
    w = np.arange(12.0)
    dataset = assemble([PRE, TRIAL], [WEIGHT], [Piece(0, 12, {"S.w": w})], {})
    assert dataset["S.w"].sel(pre=200.0, trial=3) == 7


def test_coordinates_and_values_have_units():
    dataset = fabricate([PRE, TRIAL], FIELDS).dataset()
    assert dataset["pre"].attrs == {"role": "parameter", "units": "Hz"}
    assert dataset["trial"].attrs == {"role": "parameter"}
    assert dataset["S.w"].attrs == {"units": "S", "long_name": "S.w at the end", "source": "S"}
    assert dataset["G.v.time"].attrs == {"units": "s"}
    assert (dataset["P.t"].attrs, dataset["P.i"].attrs) == ({"units": "s"}, {})


def test_parameters_that_go_together_share_a_dimension():
    dataset = fabricate([PAIR], [WEIGHT]).dataset()
    assert dataset["a"].dims == dataset["b"].dims == ("pair",)
    assert "pair" not in dataset.coords


def test_events_are_contiguous_ragged_arrays():
    made = fabricate([PRE, TRIAL], [SPIKES])
    dataset = made.dataset(made.cut([3, 8])[::-1])
    assert dataset["P.count"].attrs["sample_dimension"] == "P.event"
    assert dataset["P.count"].dtype == np.int64
    assert dataset["P.count"].dims == ("pre", "trial")
    np.testing.assert_array_equal(dataset["P.t"], np.concatenate([e["t"] for e in made.events["P"]]))
    ends = np.cumsum(dataset["P.count"].values.reshape(-1))
    np.testing.assert_array_equal(dataset["P.start"].values.reshape(-1), [0, *ends[:-1]])


def test_failures_say_which_parameters_they_had():
    dataset = fabricate([PRE, PAIR], [WEIGHT], failures=[4]).dataset()
    assert json.loads(dataset.attrs["failures"]) == [
        {"condition": {"pre": 200.0, "a": 1.0, "b": 2e-3}, "message": "condition 4 went wrong"}
    ]
    assert dataset["failed"].values.tolist() == [[False] * 3, [False, True, False], [False] * 3]


def test_conditions_that_were_not_computed_are_marked_without_a_message():
    made = fabricate([PRE, TRIAL], [WEIGHT, NUMBER])
    dataset = made.dataset([made.piece(4, 8)])
    assert dataset["failed"].values.tolist() == [[True] * 4, [False] * 4, [True] * 4]
    assert dataset.attrs["failures"] == "[]"
    assert np.isnan(dataset["S.w"][0]).all()


def test_attributes_are_as_files_hold_them():
    dataset = assemble(
        [], [], [], {"duration": 0.5, "exact": True, "seeds": [1, 2], "out": None, "n": np.int64(3)}
    )
    assert dataset.attrs == {
        "eccles_format": "eccles-sweep", "eccles_format_version": 1, "eccles_version": eccles.__version__,
        "failures": "[]", "duration": 0.5, "exact": 1, "seeds": "[1, 2]", "n": 3,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["failed", "plan", "S.w", "G", "G.v.time"])
def test_a_parameter_cannot_be_called_as_something_else_in_the_result(name):
    with pytest.raises(SetupError, match=f"cannot be called '{name}'"):
        assemble([Axis(name, {name: Coordinate(np.arange(2))})], [WEIGHT, TRACE], [], {})


def test_two_parameters_of_one_name_are_an_error():
    with pytest.raises(SetupError, match="cannot be called 'a'"):
        assemble([PAIR, Axis("a", {"a": Coordinate(np.arange(2))})], [], [], {})


@pytest.mark.parametrize("bounds", [[(0, 3), (2, 5)], [(10, 13)], [(3, 1)]])
def test_pieces_that_cannot_be_are_an_error(bounds):
    pieces = [Piece(a, b, {"S.w": np.zeros(max(b - a, 0))}) for a, b in bounds]
    with pytest.raises(InternalError, match="a piece holds conditions"):
        assemble([PRE, TRIAL], [WEIGHT], pieces, {})


def test_the_plan_is_kept_and_is_none_of_the_values():
    made = fabricate([], FIELDS)
    dataset = assemble([], FIELDS, made.pieces, {}, plan=b"\x00\xffplan")
    assert dataset["plan"].values.tobytes() == b"\x00\xffplan"
    assert value_fields(dataset) == ["S.w", "n", "G.x", "G.v"]
    assert value_fields(fabricate([PRE], FIELDS).dataset()) == ["S.w", "n", "G.x", "G.v"]


def test_a_field_without_any_piece_has_its_type():
    dataset = assemble([TRIAL], [NUMBER, SPIKES, Field("b", dtype="bool")], [], {})
    assert dataset["n"].values.tolist() == [0] * 4
    assert dataset["b"].dtype == bool
    assert (dataset["P.t"].dtype, dataset["P.i"].dtype, dataset["P.t"].size) == (np.float64, np.int32, 0)
