"""Reading and writing state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import eccles as e
from eccles.objects.variables import positions_of
from eccles.units import Quantity, mV, nA, volt


@pytest.fixture
def group() -> e.NeuronGroup:
    """A group with a variable of each kind."""
    group = e.NeuronGroup(
        6, "v : volt\nw : 1\nn : integer\nb : boolean\ns : volt (shared)\nx = 2*v : volt\nc : 1 (constant)"
    )
    group.v = np.arange(6) * mV
    return group


def test_a_view_is_live_and_a_copy_is_not(group: Any) -> None:
    view, copy = group.v, group.v[:]
    group.v = 9 * mV
    assert view[2] == 9 * mV
    assert copy[2] == 2 * mV


def test_with_and_without_units(group: Any) -> None:
    assert isinstance(group.v[:], Quantity)
    assert not isinstance(group.v_[:], Quantity)
    assert group.v_[3] == pytest.approx(3e-3)
    group.v_ = 1
    assert group.v[0] == 1 * volt
    assert not isinstance(group.w[:], Quantity)
    assert group.v.unit == volt
    assert group.v.dim is volt.dim
    assert group.v.shape == (6,)
    assert group.v.ndim == 1
    assert len(group.v) == 6
    assert group.n.dtype == np.int32
    assert group.b.dtype == bool


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (2, 2), (-1, 5), (np.int64(3), 3), (slice(1, 3), [1, 2]), (slice(None, None, 2), [0, 2, 4]),
        ([4, 0], [4, 0]), (np.array([1, -1]), [1, 5]), ([], []), ("i >= 4", [4, 5]),
        ("v > 2*mV and i < 5", [3, 4]),
        ([True, False, True, False, False, False], [0, 2]), (..., [0, 1, 2, 3, 4, 5]),
    ],
)  # fmt: skip
def test_indices_of_all_kinds_read_and_write(group: Any, item: Any, expected: Any) -> None:
    assert np.asarray(group.v[item] / mV) == pytest.approx(np.array(expected))
    group.v[item] = -1 * mV
    changed = np.flatnonzero(group.v_[:] < 0)
    assert sorted(changed.tolist()) == sorted(np.atleast_1d(expected).tolist())


def test_a_part_of_the_group_is_an_index(group: Any) -> None:
    assert (group.v[group[2:4]] / mV).tolist() == pytest.approx([2, 3])
    assert (group[1:5].v[group[2:4]] / mV).tolist() == pytest.approx([2, 3])
    with pytest.raises(IndexError, match="not a part"):
        group.v[e.NeuronGroup(3, "v : 1")[:2]]


@pytest.mark.parametrize("item", [6, -7, [0, 6], 1.0, None, (0, 1), [True, False], np.array([0.5]), {}])
def test_other_indices_are_refused(group: Any, item: Any) -> None:
    with pytest.raises(IndexError):
        group.v[item]
    with pytest.raises(IndexError):
        group.v[item] = 1 * mV


def test_arithmetic_and_numpy_functions_see_quantities(group: Any) -> None:
    assert (group.v + 1 * mV)[1] == 2 * mV
    assert (1 * mV + group.v)[1] == 2 * mV
    assert (2 * group.v - group.v / 2)[2] == 3 * mV
    assert (group.v * group.v).dim is (volt**2).dim
    assert (-group.v)[1] == -1 * mV
    assert (group.v > 2 * mV).tolist() == [False] * 3 + [True] * 3
    assert np.mean(group.v) == 2.5 * mV
    assert group.v.mean() == 2.5 * mV
    assert np.max(group.v) == 5 * mV
    assert np.concatenate([group.v, group.v])[7] == 1 * mV
    assert np.asarray(group.v).tolist() == pytest.approx([0, 1e-3, 2e-3, 3e-3, 4e-3, 5e-3])
    assert sum(1 for _ in group.v) == 6
    with pytest.raises(e.DimensionMismatchError):
        group.v + 1


def test_operations_in_place(group: Any) -> None:
    group.v += 1 * mV
    group.v -= 0.5 * mV
    group.v *= 2
    group.v /= 4
    assert (group.v / mV)[:].tolist() == pytest.approx([0.25, 0.75, 1.25, 1.75, 2.25, 2.75])
    group.w = 7
    group.w //= 2
    group.w **= 2
    group.w %= 5
    assert group.w[:].tolist() == [4] * 6
    group.v[1:3] += 1 * mV
    group.v["i == 0"] -= 1 * mV
    assert (group.v / mV)[:3].tolist() == pytest.approx([-0.75, 1.75, 2.25])
    with pytest.raises(e.DimensionMismatchError):
        group.v += 1
    with pytest.raises(e.DimensionMismatchError):
        group.v *= 1 * mV


def test_text_is_evaluated_for_each_element(group: Any) -> None:
    scale = 2 * mV  # noqa: F841  (used in text)
    group.v = "scale*i + s"
    assert (group.v / mV)[:].tolist() == pytest.approx([0, 2, 4, 6, 8, 10])
    group.n = "i**2 % 4"
    assert group.n[:].tolist() == [0, 1, 0, 1, 0, 1]
    group.b = "n == 1"
    assert group.b[:].tolist() == [False, True] * 3
    group.w = "rand()"
    assert len(set(group.w[:].tolist())) == 6
    group.w["b"] = "w + 1"
    assert (group.w[:] >= 1).tolist() == [False, True] * 3
    group.s = "3*mV"
    assert group.s[:] == 3 * mV


def test_a_shared_variable_has_a_single_value(group: Any) -> None:
    group.s = 4 * mV
    assert group.s[:] == 4 * mV
    assert float(group.s) == pytest.approx(4e-3)
    assert group.s.shape == ()
    for use in (lambda: group.s[1], lambda: len(group.s), lambda: setattr(group, "s", [1, 2] * mV)):
        with pytest.raises((IndexError, TypeError, e.SetupError), match="shared"):
            use()
    with pytest.raises(e.EcclesError):
        group.s = "i*mV"


def test_what_cannot_be_set_says_why(group: Any) -> None:
    for name, why in [
        ("x", "computed from other variables"),
        ("i", "belongs to the simulation"),
        ("t", "simulation"),
    ]:
        with pytest.raises(TypeError, match=why):
            setattr(group, name, 0)
    with pytest.raises(TypeError, match="N cannot be set"):
        group.N = 3
    with pytest.raises(AttributeError, match=r"did you mean 'v'.*add_attribute"):
        group.V = 3
    group.add_attribute("note")
    group.note = "kept"
    assert group.note == "kept"
    with pytest.raises(AttributeError, match="no variable or attribute 'q'"):
        _ = group.q


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**31, -(2**31) - 1, [0, 0, 0, 0, 0, 1e12]])
def test_an_integer_variable_holds_integers_of_4_bytes(group: Any, value: Any) -> None:
    with pytest.raises(e.SetupError, match="integer of 4 bytes"):
        group.n = value
    assert not group.n[:].any()


@pytest.mark.parametrize(
    "value", [None, object(), {}, ["a"], [1, None], 1j, "3*nA", "v +", "nobody*mV", 3, 3 * nA]
)
def test_what_is_no_voltage_is_refused(group: Any, value: Any) -> None:
    with pytest.raises((TypeError, e.EcclesError)):
        group.v = value
    assert (group.v / mV)[1] == pytest.approx(1)


def test_values_of_another_number_are_refused(group: Any) -> None:
    for values in ([1, 2] * mV, np.ones((6, 2)) * mV, np.ones((2, 3)) * mV):
        with pytest.raises(e.SetupError, match="6 values"):
            group.v = values
    with pytest.raises(e.SetupError, match="2 values"):
        group.v[:2] = [1, 2, 3] * mV


def test_single_precision_is_stored_as_such() -> None:
    group = e.NeuronGroup(3, "v : 1\nw : 1", dtype={"v": np.float32})
    group.v = group.w = 0.1
    assert group.v[0] == np.float32(0.1)
    assert group.w[0] == 0.1
    with pytest.raises(e.SetupError, match="float64 or float32"):
        e.NeuronGroup(3, "v : 1", dtype=np.int16)


def test_repr_shows_owner_name_and_values(group: Any) -> None:
    assert repr(group.v).startswith("<neurongroup.v: array([0., 1., 2., 3., 4., 5.]) * mvolt")
    assert repr(group.v_).startswith("<neurongroup.v_: array([")


def test_positions_of_an_index() -> None:
    assert positions_of(slice(None), 3, "x") == (None, False)
    positions, scalar = positions_of(-1, 3, "x")
    assert scalar
    assert positions is not None
    assert positions.tolist() == [2]


def test_state_is_the_handle_of_a_variable() -> None:
    group = e.NeuronGroup(2, "v : volt")
    group.state("v")[:] = [1, 2] * mV
    np.testing.assert_allclose(group.state("v", use_units=False)[:], [1e-3, 2e-3])


def test_messages_about_numbers_of_elements_say_what_was_given(group: Any) -> None:
    with pytest.raises(e.errors.SetupError, match=r"w takes 6 values here, but got 2$"):
        group.w = [1, 2]
    with pytest.raises(e.errors.DimensionMismatchError, match=r"for example v = \[\.\.\.\]\*mV"):
        group.v = [1, 2, 3, 4, 5, 6]
    with pytest.raises(IndexError, match=r"has 1 element \(index 0\), so there is none with index 1"):
        e.NeuronGroup(1, "v : 1").v[1]
    with pytest.raises(IndexError, match=r"\[3:9\] is empty or .* has 2 elements \(0 to 1\)"):
        e.NeuronGroup(2, "v : 1")[3:9]
    with pytest.raises(e.errors.SetupError, match=r"has 1 element .*, so there is none with index 1"):
        e.SpikeGeneratorGroup(1, [1], [5] * e.ms)
    with pytest.raises(KeyError, match="has no variable 'V'; did you mean 'v'"):
        e.PoissonInput(group, "V", 10, 10 * e.Hz, 1 * mV)


def test_objects_show_what_they_are() -> None:
    group = e.NeuronGroup(3, "v : 1", threshold="v > 1", reset="v = 0", name="cells")
    synapses = e.Synapses(group, group[1:], "w : 1", name="links")
    assert repr(group[1:]) == "<Subgroup 'cells_subgroup_1': 1 to 2 of cells>"
    assert repr(synapses) == "<Synapses 'links' from cells to cells_subgroup: not connected yet>"
    synapses.connect(i=0, j=1)
    assert repr(synapses) == "<Synapses 'links' from cells to cells_subgroup: 1 synapse>"
    assert repr(e.PoissonGroup(2, 10 * e.Hz, name="input")) == "<PoissonGroup 'input': 2 neurons>"
    rate, trace = e.PopulationRateMonitor(group), e.StateMonitor(group, "v", record=[0, 2])
    spikes = e.SpikeMonitor(group)
    e.run(1 * e.ms)
    assert repr(rate) == "<PopulationRateMonitor of cells: 10 samples>"
    assert repr(trace[2]) == "<element 2 in <StateMonitor of v of cells: 11 samples>>"
    with pytest.raises(AttributeError, match="records no 'spikes', only t, v"):
        trace.spikes  # noqa: B018
    with pytest.raises(AttributeError, match="records no 'times'; there are t, i, count"):
        spikes.times  # noqa: B018
