"""Recorded spike trains: what files say is what is read; what is wrong in them is named with its line."""

from __future__ import annotations

import pickle
from pathlib import Path

import neo
import numpy as np
import pytest
import quantities as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eccles import EcclesError, SetupError
from eccles.lab.protocols import from_neo, read_trains, recorded, trains, write_trains
from eccles.units import Hz, ms, mV, second


@pytest.fixture
def file(tmp_path: Path):
    def write(text: str, name: str = "cell7.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def same(found: dict, expected: dict) -> None:
    assert list(found) == list(expected)
    for name, times in expected.items():
        np.testing.assert_array_equal(np.asarray(found[name]), np.asarray(times, float))
        assert found[name].dim is second.dim


# -- text -------------------------------------------------------------------------------------------

LONG = {"a": [1, 2.5] * ms, "b": [0.5] * ms}


@pytest.mark.parametrize(
    "text",
    [
        "neuron,time_ms\na,1\nb,0.5\na,2.5\n",
        "time (ms);neuron\r\n2.5;a\r\n1;a\r\n0.5;b\r\n",
        "# recorded on Monday\nneuron\ttime [ms]\n\na\t1\n# later\na\t2.5\nb\t0.5",
        "neuron  t_ms\na 1.0\na 2.5e0\nb 5e-1\n",
        '"neuron","time ms"\n"a","1"\n"a","2.5"\n"b",".5"\n',
        "\ufeffneuron,time_s\na,0.001\na,0.0025\nb,0.0005\n",
    ],
)
def test_a_spike_in_each_row(file, text: str) -> None:
    same(read_trains(file(text)), LONG)


def test_units_and_columns_can_be_given(file) -> None:
    path = file("id,channel,when\n1,a,1\n2,a,2.5\n3,b,0.5\n")
    same(read_trains(path, time="when", train="channel", unit=ms), LONG)


def test_a_train_in_each_column(file) -> None:
    same(read_trains(file("pre_ms,post_ms\n1,4\n2,\n3,\n")), {"pre": [1, 2, 3] * ms, "post": [4] * ms})


def test_one_column_is_one_train(file) -> None:
    same(read_trains(file("time_s\n2\n1\n")), {"cell7": [1, 2] * second})
    same(read_trains(file("2\n1\n", "x.txt"), unit=second), {"x": [1, 2] * second})


@given(
    st.dictionaries(
        st.text("abc, ;\"'µ0", min_size=1, max_size=5).filter(lambda t: t == t.strip()),
        st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=20, unique=True),
        max_size=4,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_again_to_the_last_digit(tmp_path: Path, given: dict) -> None:
    if not given:
        return
    path = tmp_path / "trains.csv"
    write_trains(path, {name: times * second for name, times in given.items()})
    found = read_trains(path)
    assert {name: np.asarray(t).tolist() for name, t in found.items()} == {
        name: sorted(times) for name, times in given.items()
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nothing in"),
        ("# only a comment\n", "nothing in"),
        ("neuron,time_ms\na,1\na,x\n", "line 3: 'x' is not a time"),
        ("neuron;time_ms\na;1,5\n", "line 2: '1,5' is not a time(.|\n)*Decimals need a point"),
        ("neuron,time_ms\n\n# note\na,nan\n", "line 4: 'nan' is not a time"),
        ("neuron,time_ms\na,1_0\n", "line 2: '1_0' is not a time"),
        ("neuron,time_ms\na,1\na\n", "line 3: 1 columns, but 2 names"),
        ("neuron,time_ms\na,1,2\n", "line 2: 3 columns, but 2 names"),
        ("neuron,time_ms\na,1\nb,1\na,1\n", "line 4: train 'a' has a spike at this time already, in line 2"),
        ("neuron,time_ms\na,\n", "line 2: '' is not a time"),
        ("neuron,time\na,1\n", "does not say in which unit"),
        ("a,b,c\n1,2,3\n", "which column of .* has the times. It has 'a', 'b', 'c'"),
        ("time_ms,b,c\n1,2,3\n", "what train a spike belongs to"),
        ("1,2\n3,4\n", "2 columns without names"),
        ("x_ms,x_s\n3,4\n", "line 1: two columns have the same name"),
        ('neuron,time_ms\n"a,1\n', "line 2: unexpected end of data"),
    ],
)
def test_mistakes_in_text_are_named_with_their_line(file, text: str, message: str) -> None:
    with pytest.raises(SetupError, match=message):
        read_trains(file(text))


def test_arguments_that_do_not_fit_the_file_are_named(file) -> None:
    path = file("neuron,time_ms\na,1\n")
    with pytest.raises(SetupError, match="no column 'neurons'; did you mean 'neuron'"):
        read_trains(path, train="neurons")
    with pytest.raises(SetupError, match=r"'time_ms' of .* has another unit than you say"):
        read_trains(path, unit=second)
    with pytest.raises(EcclesError, match="the unit of the times has another unit"):
        read_trains(path, unit=mV)
    with pytest.raises(SetupError, match=r"cannot read .*: No such file"):
        read_trains("nowhere.csv")


@given(
    content=st.one_of(
        st.binary(max_size=40),
        st.lists(
            st.sampled_from(["time_ms", "a", "1", "2.5", ",", ";", "\t", " ", "\n", "#", '"', "nan", "-"])
        ).map(lambda parts: "".join(parts).encode()),
    ),
    suffix=st.sampled_from(["csv", "npy", "npz", "pkl"]),
    unit=st.sampled_from([None, ms]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_no_file_does_anything_but_an_error_of_eccles(tmp_path: Path, content, suffix, unit) -> None:
    path = tmp_path / f"file.{suffix}"
    path.write_bytes(content)
    try:
        found = read_trains(path, unit=unit)
    except EcclesError:
        return
    assert all(np.all(np.diff(np.asarray(t)) > 0) for t in found.values())


# -- NumPy ------------------------------------------------------------------------------------------


def test_arrays_of_numpy(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", [2.5, 1.0])
    same(read_trains(tmp_path / "one.npy", unit=ms), {"one": [1, 2.5] * ms})
    np.savez(tmp_path / "two.npz", a=[1.0, 2.5], b=[0.5])
    same(read_trains(tmp_path / "two.npz", unit=ms), LONG)
    with pytest.raises(SetupError, match="does not say in which unit"):
        read_trains(tmp_path / "one.npy")


class Trap:
    sprung = False

    def __reduce__(self):
        return (setattr, (Trap, "sprung", True))


@pytest.mark.parametrize("name", ["trap.npy", "trap.npz", "trap.pkl"])
def test_no_file_is_unpickled(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = np.array([Trap()], dtype=object)
    if name == "trap.npz":
        np.savez(path, content)
    elif name == "trap.npy":
        np.save(path, content)
    else:
        path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(SetupError, match=r"cannot read|is a pickle"):
        read_trains(path, unit=ms)
    assert not Trap.sprung


# -- Neo and NWB ------------------------------------------------------------------------------------


def test_trains_of_neo_keep_their_units_and_names() -> None:
    train = neo.SpikeTrain([30, 10] * pq.ms, t_stop=1 * pq.s, name="left")
    same(from_neo(train), {"left": [10, 30] * ms})
    segment = neo.Segment()
    segment.spiketrains.extend([train, neo.SpikeTrain([0.5] * pq.s, t_start=-1 * pq.s, t_stop=1 * pq.s)])
    same(from_neo(segment), {"left": [10, 30] * ms, "train 1": [500] * ms})


def test_segments_of_a_block_are_told_apart() -> None:
    block = neo.Block()
    for name in ("first", None):
        segment = neo.Segment(name=name)
        segment.spiketrains.append(neo.SpikeTrain([1] * pq.s, t_stop=2 * pq.s, source="cells", element=4))
        block.segments.append(segment)
    assert list(from_neo(block)) == ["first: cells[4]", "segment 1: cells[4]"]


@pytest.mark.parametrize("source", [None, "file.nwb", 3, [1, 2]])
def test_what_is_not_of_neo_is_an_error(source) -> None:
    with pytest.raises(SetupError, match="a Block, a Segment or a SpikeTrain"):
        from_neo(source)


@pytest.mark.slow
def test_units_of_an_nwb_file(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    import pynwb

    content = pynwb.NWBFile("test", "id", datetime(2020, 1, 1, tzinfo=UTC))
    content.add_unit(spike_times=[0.1, 0.3], id=7)
    content.add_unit(spike_times=[0.2], id=9)
    with pynwb.NWBHDF5IO(tmp_path / "cells.nwb", "w") as io:
        io.write(content)
    same(read_trains(tmp_path / "cells.nwb"), {"unit 7": [100, 300] * ms, "unit 9": [200] * ms})
    (tmp_path / "broken.nwb").write_bytes(b"no HDF5")
    with pytest.raises(SetupError, match="cannot read"):
        read_trains(tmp_path / "broken.nwb")


# -- protocols --------------------------------------------------------------------------------------


def test_a_protocol_of_recorded_trains_is_a_part_of_them() -> None:
    pre, post = [1, 2, 3, 4] * second, [0.5, 2.25, 3.5] * second
    protocol = recorded(pre, post, start=2 * second, duration=1.5 * second)
    np.testing.assert_array_equal(np.asarray(protocol.pre), [0, 1])
    np.testing.assert_array_equal(np.asarray(protocol.post), [0.25])
    assert float(protocol.duration) == 1.5
    whole = recorded(pre, post)
    assert float(whole.duration) == 4
    assert (len(whole.pre), len(whole.post)) == (4, 3)


def test_recorded_trains_go_through_a_file_into_a_protocol(tmp_path: Path) -> None:
    pre, post = trains.poisson(20 * Hz, 10 * second, 1), trains.poisson(20 * Hz, 10 * second, 2)
    write_trains(tmp_path / "pair.csv", {"pre": pre, "post": post})
    protocol = recorded(**read_trains(tmp_path / "pair.csv"))
    np.testing.assert_array_equal(protocol.pre, pre)
    np.testing.assert_array_equal(protocol.post, post)


@pytest.mark.parametrize(
    ("pre", "message"),
    [
        ([1, 1] * second, "presynaptic spikes of 'recorded' have the same time twice, 1 s"),
        ([1, np.nan] * second, "presynaptic spikes of 'recorded' have to be finite"),
        ([1, 2] * mV, "need a unit of time"),
        (None, "are times, as in"),
        ([[1, 2]] * second, "rows of times"),
        (3 * second, "rows of times"),
    ],
)
def test_trains_that_are_none_are_errors(pre, message: str) -> None:
    with pytest.raises(EcclesError, match=message):
        recorded(pre, [1] * second)
