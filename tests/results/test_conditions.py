import subprocess
import sys

import numpy as np
import pytest
from fabricated_sweeps import (
    FIELDS,
    NUMBER,
    PAIR,
    PRE,
    RULE,
    SHUNT,
    SPIKES,
    TRACE,
    TRIAL,
    WEIGHT,
    fabricate,
    sweeps,
)
from hypothesis import given

from eccles.errors import DimensionMismatchError, SetupError
from eccles.results import Axis, Coordinate
from eccles.units import *


@pytest.fixture(scope="module")
def made():
    return fabricate([PRE, RULE, TRIAL], FIELDS)


@pytest.fixture(scope="module")
def result(made):
    return made.dataset(made.cut([5, 20])[::-1], duration=0.1, model_source="def model(pre): ...")


def flat(pre, rule, trial):
    return (pre * 3 + rule) * 4 + trial


def test_spikes_of_a_condition_are_found_by_its_labels(made, result):
    t, i = result.eccles.spikes("P", pre=200 * Hz, rule="größer", trial=3)
    wanted = made.events["P"][flat(1, 2, 3)]
    assert len(t) > 0
    np.testing.assert_array_equal(np.asarray(t), wanted["t"])
    np.testing.assert_array_equal(i, wanted["i"])
    assert get_dimensions(t) is second.dim


def test_events_have_all_columns_with_units(made, result):
    events = result.eccles.events("P", pre=0.1 * kHz, rule="pair", trial=1)
    assert list(events) == ["t", "i", "v"]
    np.testing.assert_array_equal(np.asarray(events["v"]), made.events["P"][flat(2, 0, 1)]["v"])
    assert get_dimensions(events["v"]) is volt.dim


@pytest.mark.parametrize(
    "part",
    [
        lambda d: d.isel(trial=[2, 3]),
        lambda d: d.isel(rule=slice(1, None)).isel(trial=3),
        lambda d: d.sel(pre=100.0),
        lambda d: d.transpose("trial", "rule", "pre", ...),
        lambda d: d.sortby("pre"),
        lambda d: d.eccles.select(pre=[100 * Hz], trial=[3, 1]),
    ],
)
def test_spikes_are_found_in_parts_of_a_result(made, result, part):
    here = part(result)
    chosen = {"pre": 100 * Hz, "rule": "triplet", "trial": 3}
    np.testing.assert_array_equal(
        here.eccles.spikes("P", **chosen)[0], made.events["P"][flat(2, 1, 3)]["t"] * second
    )


def test_selecting_takes_dimensions_away_and_leaves_only_its_events(made, result):
    part = result.eccles.select(pre=20 * Hz, trial=[2, 0])
    assert part["S.w"].dims == ("rule", "trial")
    assert part["S.w"].identical(result["S.w"].isel(pre=0, trial=[2, 0]))
    wanted = [made.events["P"][flat(0, rule, trial)]["t"] for rule in range(3) for trial in (2, 0)]
    np.testing.assert_array_equal(part["P.t"], np.concatenate(wanted))
    assert part["P.count"].values.reshape(-1).tolist() == [len(t) for t in wanted]
    assert part["P.start"].values.reshape(-1).tolist() == np.cumsum([0, *map(len, wanted)])[:-1].tolist()


@given(made=sweeps())
def test_selecting_nothing_changes_nothing(made):
    dataset = made.dataset()
    assert dataset.eccles.select().identical(dataset)


def test_values_are_found_within_rounding():
    values = np.array([0.1, 0.3, 0.0, np.inf, 0.3 * (1 + 1e-12)])
    result = fabricate([Axis("w", {"w": Coordinate(values)})], [NUMBER]).dataset()
    for wanted, position in [(0.1 + 0.2, 1), (0.3 * (1 + 1e-12), 4), (0, 2), (np.inf, 3), (0.1, 0)]:
        assert result.eccles.select(w=wanted)["w"].identical(result["w"][position])
    for wanted in (0.1001, 1e-12, -np.inf, np.nan):
        with pytest.raises(SetupError, match="w has no value"):
            result.eccles.select(w=wanted)


def test_infinity_is_not_found_where_there_is_none(result):
    with pytest.raises(SetupError, match="pre has no value inf"):
        result.eccles.select(pre=np.inf * Hz)


def test_truth_values_are_labels():
    result = fabricate([SHUNT], [NUMBER]).dataset()
    assert result.eccles.select(shunt=True)["n"].identical(result["n"][1])


def test_parameters_that_go_together_are_chosen_together():
    made = fabricate([PAIR, TRIAL], [SPIKES, WEIGHT])
    result = made.dataset()
    t, _ = result.eccles.spikes("P", a=1 * Hz, b=2 * ms, trial=2)
    np.testing.assert_array_equal(t, made.events["P"][1 * 4 + 2]["t"] * second)
    assert result.eccles.select(a=2 * Hz)["S.w"].dims == ("trial",)
    assert result.eccles.select(a=1 * Hz)["S.w"].identical(result["S.w"][:2])
    assert result.eccles.select(pair=1)["S.w"].identical(result["S.w"][1])
    with pytest.raises(SetupError, match="no condition has these values of a and b together") as error:
        result.eccles.select(a=2 * Hz, b=1 * ms)
    assert "There are 1 Hz and 1 ms, 1 Hz and 2 ms, 2 Hz and 2 ms." in error.value.hint
    with pytest.raises(SetupError, match="there are several along 'pair'"):
        result.eccles.spikes("P", a=1 * Hz, trial=0)


def test_a_missing_value_lists_those_there_are(result):
    with pytest.raises(SetupError, match="pre has no value 30 Hz") as error:
        result.eccles.spikes("P", pre=30 * Hz, rule="pair", trial=0)
    assert error.value.hint == "There are 20 Hz, 200 Hz, 100 Hz."
    with pytest.raises(SetupError, match="rule has no value pear") as error:
        result.eccles.select(rule="pear")
    assert error.value.hint == "There are pair, triplet, größer."


def test_lists_of_values_that_go_together_narrow_each_other():
    together = {
        "drive": Coordinate(np.array([16.0, 18, 20, 22])),
        "tau": Coordinate(np.array([20.0, 10, 5, 5])),
    }
    result = fabricate([Axis("cell", together), TRIAL], [NUMBER], failures=[0, 5]).dataset()
    select = result.eccles.select
    assert select(drive=[22, 20], tau=5)["drive"].values.tolist() == [22, 20]
    assert select(tau=5, drive=[22, 20])["drive"].values.tolist() == [22, 20]
    assert select(drive=[16, 20], tau=[5, 20])["drive"].values.tolist() == [16, 20]
    assert select(drive=[20, 22], cell=3)["drive"].values.tolist() == [22]
    assert select(cell=slice(1, 3))["drive"].values.tolist() == [18, 20]
    assert select(drive=20, tau=5)["drive"].ndim == 0
    with pytest.raises(SetupError, match="no condition has these values of drive and tau together"):
        select(drive=[16, 18], tau=5)
    with pytest.raises(SetupError, match="'cell' has positions 0 to 3, not 4"):
        select(cell=4)


def test_a_selection_has_the_failures_of_its_conditions_only():
    axis = Axis("w", {"w": Coordinate(np.array([0.5, np.nan, 2.0]))})
    result = fabricate([axis, TRIAL], [NUMBER], failures=[0, 5, 8]).dataset()
    assert len(result.eccles.failures) == 3
    assert [f["condition"]["trial"] for f in result.eccles.select(trial=0).eccles.failures] == [0, 0]
    assert [f["condition"] for f in result.eccles.select(w=2).eccles.failures] == [{"w": 2.0, "trial": 0}]
    (nan,) = result.isel(w=[1]).eccles.failures
    assert nan["condition"]["trial"] == 1


def test_values_that_are_shown_rounded_are_said_to_be(result):
    result = fabricate([Axis("w", {"w": Coordinate(np.array([1 / 3, 0.5]))})], [NUMBER]).dataset()
    with pytest.raises(SetupError) as error:
        result.eccles.select(w=1)
    assert error.value.hint == (
        "There are 0.33333, 0.5 (rounded; the numbers themselves are in result.eccles.parameters['w'])."
    )


def test_one_condition_needs_all_parameters(result):
    with pytest.raises(SetupError, match="there are several along 'rule' and 'trial'") as error:
        result.eccles.spikes("P", pre=20 * Hz)
    assert error.value.hint.splitlines() == [
        "Choose rule from pair, triplet, größer.", "Choose trial from 0, 1, 2, 3."
    ]  # fmt: skip


def test_what_is_chosen_already_need_not_be_said_again_but_must_be_right(made, result):
    part = result.eccles.select(pre=20 * Hz, rule="pair")
    wanted = made.events["P"][flat(0, 0, 2)]["t"] * second
    np.testing.assert_array_equal(part.eccles.spikes("P", trial=2)[0], wanted)
    np.testing.assert_array_equal(part.eccles.spikes("P", trial=2, pre=20 * Hz)[0], wanted)
    with pytest.raises(SetupError, match="pre has no value 100 Hz"):
        part.eccles.spikes("P", trial=2, pre=100 * Hz)


def test_names_that_are_not_there_suggest_others(result):
    with pytest.raises(SetupError, match="no parameter 'trail'; did you mean 'trial'"):
        result.eccles.select(trail=1)
    with pytest.raises(SetupError, match="no events 'Q'") as error:
        result.eccles.spikes("Q")
    assert error.value.hint == "It has events of P."
    with pytest.raises(DimensionMismatchError, match="'pre' is a frequency"):
        result.eccles.select(pre=20)


def test_a_result_tells_its_parameters_model_and_failures(result):
    assert list(result.eccles.parameters) == ["pre", "rule", "trial"]
    assert (result.eccles.parameters["pre"] == [20, 200, 100] * Hz).all()
    assert result.eccles.model == "def model(pre): ..."
    assert result.eccles.failures == []
    failed = fabricate([TRIAL], [WEIGHT, TRACE], failures=[2]).dataset()
    assert failed.eccles.model is None
    assert failed.eccles.failures == [{"condition": {"trial": 2}, "message": "condition 2 went wrong"}]


def test_the_results_of_a_single_condition_need_no_labels():
    made = fabricate([], FIELDS)
    t, _ = made.dataset().eccles.spikes("P")
    np.testing.assert_array_equal(t, made.events["P"][0]["t"] * second)


def test_importing_the_results_imports_nothing_heavy():
    script = (
        "import eccles.results, eccles.results.accessor, sys\n"
        "print(sorted({'xarray', 'zarr', 'pandas', 'neo', 'pynwb', 'matplotlib', 'h5py'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
