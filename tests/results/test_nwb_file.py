from datetime import UTC, datetime

import numpy as np
import pynwb
import pytest
from fabricated_sweeps import FIELDS, PAIR, PRE, RULE, SHUNT, SPIKES, TRACE, WEIGHT, fabricate

from eccles.errors import SetupError
from eccles.results import Axis, Coordinate, Field

BEGAN = datetime(2026, 1, 2, tzinfo=UTC)
RATES = Field("Q", "events", columns={"t": "s", "i": ""}, attributes={"n_elements": 2})


@pytest.fixture(scope="module")
def made():
    return fabricate([PRE, RULE, SHUNT], [RATES, *FIELDS], failures=[5])


@pytest.fixture(scope="module")
def path(made, tmp_path_factory):
    path = tmp_path_factory.mktemp("nwb") / "sweep.nwb"
    result = made.dataset(duration=0.1, model_source="def model(): ...")
    result.eccles.to_nwb(path, session_start_time=BEGAN, identifier="one")
    return path


@pytest.fixture
def file(path):
    with pynwb.NWBHDF5IO(path, "r") as io:
        yield io.read()


def test_the_file_is_valid_nwb(path):
    assert pynwb.validate(path=path) == []
    assert [p.name for p in path.parent.iterdir()] == ["sweep.nwb"]


def test_the_table_of_conditions_has_parameters_and_values(made, file):
    frame = file.analysis["conditions"].to_dataframe()
    assert list(frame) == ["pre", "rule", "shunt", "failed", "S.w", "n", "G.x"]
    row = frame.iloc[(1 * 3 + 2) * 2 + 1]
    assert (row["pre"], row["rule"], row["shunt"]) == (200.0, "größer", True)
    np.testing.assert_array_equal(frame["S.w"], made.values["S.w"])
    np.testing.assert_array_equal(np.stack(frame["G.x"].tolist()), made.values["G.x"])
    assert np.flatnonzero(frame["failed"]).tolist() == [5]
    assert file.analysis["conditions"]["pre"].description == "parameter pre (Hz)"


def test_the_units_have_the_spikes_of_each_neuron_in_each_condition(made, file):
    units = file.units.to_dataframe()
    assert len(units) == made.n * (4 + 2)
    for _, row in units.iterrows():
        wanted = made.events[row["source"]][row["condition"]]
        mine = wanted["i"] == row["element"]
        np.testing.assert_array_equal(row["spike_times"], wanted["t"][mine])
        np.testing.assert_array_equal(row["v"], wanted["v"][mine] if row["source"] == "P" else [])
        np.testing.assert_array_equal(row["obs_intervals"], [[0, 0.1]])
        assert row["pre"] == [20.0, 200.0, 100.0][row["condition"] // 6]


def test_traces_are_time_series_over_conditions(made, file):
    series = file.acquisition["G.v"]
    np.testing.assert_array_equal(series.data[:], made.values["G.v"].transpose(2, 0, 1))
    assert (series.unit, series.starting_time) == ("V", 0)
    assert series.rate == pytest.approx(1000)


def test_the_file_says_what_made_it(file):
    assert file.source_script == "def model(): ..."
    assert (file.identifier, file.session_start_time) == ("one", BEGAN)
    assert file.was_generated_by[0][0] == "eccles"


def test_uneven_times_are_written_one_by_one(tmp_path):
    times = np.array([0, 1e-3, 5e-3])
    trace = Field("x", dims=("x.time",), shape=(3,), coordinates={"x.time": Coordinate(times, "s")})
    made = fabricate([PAIR], [trace])
    made.dataset().eccles.to_nwb(tmp_path / "a.nwb")
    with pynwb.NWBHDF5IO(tmp_path / "a.nwb", "r") as io:
        series = io.read().acquisition["x"]
        np.testing.assert_array_equal(series.timestamps[:], times)
        np.testing.assert_array_equal(series.data[:], made.values["x"].T)


def test_what_does_not_fit_in_nwb_is_an_error(tmp_path):
    axis = Axis("element", {"element": Coordinate(np.arange(2))})
    with pytest.raises(SetupError, match="the parameter 'element' has a name that means something else"):
        fabricate([axis], [WEIGHT]).dataset().eccles.to_nwb(tmp_path / "a.nwb")
    time = {"d.time": Coordinate(np.arange(5.0), "s")}
    deep = Field("d", dims=("p", "q", "r", "d.time"), shape=(1, 1, 1, 5), coordinates=time)
    with pytest.raises(SetupError, match="'d' has more dimensions"):
        fabricate([PRE], [deep]).dataset().eccles.to_nwb(tmp_path / "a.nwb")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        fabricate([PRE], [TRACE, SPIKES]).dataset().eccles.to_nwb(tmp_path / "none" / "a.nwb")
    assert list(tmp_path.iterdir()) == []
