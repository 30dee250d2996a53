import neo
import numpy as np
import pytest
import quantities as pq
from fabricated_sweeps import FIELDS, PRE, RULE, SPIKES, TRACE, fabricate

from eccles.results import Axis, Coordinate, Field
from eccles.results.neo_block import _neo_units
from eccles.units import hertz


@pytest.fixture(scope="module")
def made():
    return fabricate([PRE, RULE], FIELDS, failures=[5])


@pytest.fixture(scope="module")
def block(made):
    return made.dataset(duration=0.1, model_source="def model(): ...").eccles.to_neo()


def test_each_condition_is_a_segment_annotated_with_its_parameters(made, block):
    assert len(block.segments) == made.n
    segment = block.segments[2 * 3 + 1]
    assert segment.name == "pre = 100 Hz, rule = triplet"
    assert segment.annotations["pre"] == 100 * pq.Hz
    assert segment.annotations["rule"] == "triplet"
    assert [s.annotations["failed"] for s in block.segments] == [k == 5 for k in range(9)]
    assert segment.annotations["S.w"] == made.values["S.w"][7] * pq.S
    assert segment.annotations["n"] == made.values["n"][7]
    np.testing.assert_array_equal(segment.annotations["G.x"], made.values["G.x"][7])


def test_a_spike_train_for_each_neuron_ends_with_the_run(made, block):
    for flat, segment in enumerate(block.segments):
        wanted = made.events["P"][flat]
        assert len(segment.spiketrains) == 4
        for k, train in enumerate(segment.spiketrains):
            np.testing.assert_array_equal(train.rescale("s").magnitude, wanted["t"][wanted["i"] == k])
            v = train.array_annotations["v"]
            np.testing.assert_array_equal(v.rescale("V").magnitude, wanted["v"][wanted["i"] == k])
            assert train.annotations == {"source": "P", "element": k}
            assert (train.t_start, train.t_stop) == (0 * pq.s, 0.1 * pq.s)


def test_traces_are_signals_with_their_sampling_period(made, block):
    (signal,) = block.segments[3].analogsignals
    np.testing.assert_array_equal(signal.magnitude, made.values["G.v"][3].T)
    assert signal.units == pq.V
    assert signal.sampling_period.rescale("s") == pytest.approx(1e-3)
    assert signal.t_start == 0 * pq.s


def test_the_block_holds_the_attributes(block):
    assert block.annotations["model_source"] == "def model(): ..."
    assert block.annotations["eccles_format_version"] == 1


def test_uneven_times_make_irregular_signals():
    times = np.array([0, 1e-3, 5e-3])
    trace = Field("x", dims=("x.time",), shape=(3,), coordinates={"x.time": Coordinate(times, "s")})
    made = fabricate([PRE], [trace])
    (signal,) = made.dataset().eccles.to_neo().segments[1].irregularlysampledsignals
    np.testing.assert_array_equal(signal.times.rescale("s").magnitude, times)
    np.testing.assert_array_equal(signal.magnitude[:, 0], made.values["x"][1])
    assert signal.units == pq.dimensionless


@pytest.mark.parametrize(
    ("symbol", "wanted"),
    [
        ("V/s", pq.V / pq.s),
        ("A/m^2", pq.A / pq.m**2),
        ("mol/m^3", pq.mol / pq.m**3),
        ("m^-3 s^-1 mol", pq.mol / pq.m**3 / pq.s),
        ("s^-1/2", pq.s**-0.5),
        ("m^1.5", pq.m**1.5),
        ("", pq.dimensionless),
    ],
)
def test_symbols_are_read_by_the_units_of_neo(symbol, wanted):
    assert pq.Quantity(1.0, _neo_units(symbol)).simplified == (1.0 * wanted).simplified


def test_neo_writes_and_reads_the_block(made, block, tmp_path):
    part = made.dataset(duration=0.1).eccles.select(pre=[20 * hertz])
    path = tmp_path / "block.pkl"
    neo.PickleIO(str(path)).write_block(part.eccles.to_neo())
    back = neo.PickleIO(str(path)).read_block()
    assert [s.name for s in back.segments] == [s.name for s in block.segments[:3]]
    np.testing.assert_array_equal(back.segments[1].spiketrains[2], block.segments[1].spiketrains[2])


def test_a_single_condition_has_a_segment():
    made = fabricate([], [SPIKES, TRACE])
    (segment,) = made.dataset(duration=0.1).eccles.to_neo().segments
    assert sum(len(train) for train in segment.spiketrains) == len(made.events["P"][0]["t"])


def test_conditions_without_spikes_have_empty_trains():
    trial = Axis("trial", {"trial": Coordinate(np.arange(2))})
    made = fabricate([trial], [SPIKES], failures=[0, 1])
    for segment in made.dataset(duration=0.1).eccles.to_neo().segments:
        assert [len(train) for train in segment.spiketrains] == [0] * 4
