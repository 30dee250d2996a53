"""Published experiments with pairs, triplets and quadruplets of spikes: how well the rules fit them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eccles.lab.data import source_of, table
from eccles.lab.experiments import bi_poo_2001, sjostrom_2001, wang_2005
from eccles.lab.experiments.fit import fit_error
from eccles.lab.experiments.study import Outcome, Study

SHARED = Path(__file__).parents[4] / "shared" / "facts" / "data"
STUDIES = [module.STUDY for module in (bi_poo_2001, sjostrom_2001, wang_2005)]


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    return {study.name: study.run(quick=True) for study in STUDIES}


def test_the_fit_error_is_the_mean_square_in_standard_errors() -> None:
    assert fit_error([1.0, 2.0], [1.5, 2.0], [0.5, 0.1]) == pytest.approx(0.5)
    assert fit_error([[1.0, 2.0], [1.5, 2.2]], [1.5, 2.0], [0.5, 0.1]).tolist() == pytest.approx([0.5, 2.0])


def visual_cortex_by_hand(row: int, rate: float, gap: float) -> float:
    """60 pairs at equal distances: sums over all spikes, from the equations of the rule."""
    p = {name: values[row] for name, values in table("pfister2006_parameters").items()}
    pre = np.arange(60) / rate + max(-gap, 0)
    post = np.arange(60) / rate + max(gap, 0)
    nearest, full = p["interaction"] == "nearest-spike", p["model"] == "full"

    def trace(now: float, spikes: np.ndarray, tau: float) -> float:
        gone = now - spikes[spikes < now - 1e-9]
        return float(np.sum(np.exp(-(gone[-1:] if nearest else gone) / (1e-3 * tau))))

    change = 0.0
    for now in pre:
        slow = p["A3_minus"] * trace(now, pre, p["tau_x_ms"]) if full else 0.0
        change -= trace(now, post, p["tau_minus_ms"]) * (p["A2_minus"] + slow)
    for now in post:
        slow = p["A3_plus"] * trace(now, post, p["tau_y_ms"])
        change += trace(now, pre, p["tau_plus_ms"]) * (p["A2_plus"] + slow)
    return change


def test_changes_in_visual_cortex_are_those_of_the_equations(outcomes: dict[str, Outcome]) -> None:
    model = outcomes["sjostrom-2001"].data["model"].sel(protocol="60 pairs")
    expected = [
        [[visual_cortex_by_hand(row, rate, gap) for rate in model["rate"].values]
         for gap in model["gap"].values] for row in range(4)
    ]  # fmt: skip
    np.testing.assert_allclose(model.values, expected, rtol=0, atol=1e-11)


def test_fit_errors_in_visual_cortex_are_the_published_ones(outcomes: dict[str, Outcome]) -> None:
    data = outcomes["sjostrom-2001"].data
    assert data["E_printed"].values.tolist() == [0.33, 0.34, 0.22, 0.34]
    np.testing.assert_allclose(data["E"].sel(protocol="60 pairs"), data["E_printed"], rtol=0, atol=0.03)
    # of 60 pairs in one train, not of bursts: all-to-all interaction tells them apart
    bursts = data["E"].sel(protocol="15 bursts of 5").values
    assert np.all(bursts[:2] > 5)
    E = data["E"].sel(protocol="60 pairs").values
    all_to_all, nearest = max(bursts[:2] - E[:2]), max(bursts[2:] - E[2:])
    said = outcomes["sjostrom-2001"].findings[1]
    assert f"up to {all_to_all:.2f} with all-to-all" in said
    assert f"up to {nearest:.2f} with nearest-spike" in said


def test_no_amplitudes_of_a_pair_rule_fit_visual_cortex(outcomes: dict[str, Outcome]) -> None:
    from scipy.optimize import minimize

    data = outcomes["sjostrom-2001"].data
    best, amplitudes = sjostrom_2001.best_pair_rule(data)
    assert best > 5
    gaps, rates = data["gap"].values, data["rate"].values

    def change(plus: float, minus: float, rate: float, gap: float) -> float:
        """The closed form for 60 regular pairs."""
        k = np.arange(-59, 60) / rate + gap  # post minus pre, of 60 - |lag| pairs each
        n = 60 - abs(np.arange(-59, 60))
        return float(np.sum(n * np.where(k > 0, plus * np.exp(-k / 0.0168), -minus * np.exp(k / 0.0337))))

    def error(a: np.ndarray) -> float:
        model = [[change(a[0], a[1], rate, gap) for rate in rates] for gap in gaps]
        return float(np.mean(((model - data["measured"].values) / data["sem"].values) ** 2))

    with np.errstate(over="ignore"):
        found = minimize(error, amplitudes * 1.1, bounds=[(0, 1)] * 2, method="Nelder-Mead",
                         options={"xatol": 1e-9, "fatol": 1e-9})  # fmt: skip
    assert best == pytest.approx(found.fun, abs=1e-6)


def test_fit_errors_in_hippocampal_culture_are_the_published_ones(outcomes: dict[str, Outcome]) -> None:
    data = outcomes["wang-2005"].data
    assert data["E_printed"].values.tolist() == [2.9, 3.5, 2.9, 2.9]
    np.testing.assert_allclose(data["E"].sel(reading="mid-points"), data["E_printed"], rtol=0, atol=0.3)
    # the row that tells readings of T apart goes with mid-points
    assert abs(float(data["E"].sel(reading="inner spikes")[1]) - 3.5) > 0.5


@pytest.mark.parametrize(
    ("T", "reading", "pre", "post"),
    [
        (20, "mid-points", [5, 20], [0, 25]),
        (20, "inner spikes", [5, 25], [0, 30]),
        (20, "post to pre", [5, 20], [0, 25]),
        (-20, "mid-points", [0, 25], [5, 20]),
        (-20, "inner spikes", [0, 30], [5, 25]),
        (-20, "post to pre", [0, 25], [5, 20]),
    ],
)
def test_quadruplets_are_two_pairs_of_opposite_order(
    T: float, reading: str, pre: list[float], post: list[float]
) -> None:
    made = wang_2005.protocol("quadruplet", 5, float("nan"), T, reading)
    np.testing.assert_allclose(1e3 * np.asarray(made.pre)[:2], pre, atol=1e-12)
    np.testing.assert_allclose(1e3 * np.asarray(made.post)[:2], post, atol=1e-12)
    assert len(made.pre) == len(made.post) == 120


def test_triplets_have_the_gaps_of_the_table() -> None:
    made = wang_2005.protocol("pre-post-pre", 15, -5, float("nan"))
    np.testing.assert_allclose(1e3 * np.asarray(made.pre)[:2], [0, 20], atol=1e-12)
    np.testing.assert_allclose(1e3 * np.asarray(made.post)[:1], [15], atol=1e-12)
    made = wang_2005.protocol("post-pre-post", -5, 15, float("nan"))
    np.testing.assert_allclose(1e3 * np.asarray(made.post)[:2], [0, 20], atol=1e-12)
    np.testing.assert_allclose(1e3 * np.asarray(made.pre)[:1], [5], atol=1e-12)


def test_the_window_is_an_exponential_on_each_side(outcomes: dict[str, Outcome]) -> None:
    data = outcomes["bi-poo-2001"].data
    gap = 1e3 * data["gap"].values
    expected = np.where(gap > 0, 0.777 * np.exp(-gap / 16.8), -0.273 * np.exp(gap / 33.7))
    np.testing.assert_allclose(data["model"].sel(window="published window"), expected, rtol=0, atol=1e-9)


def test_the_fitted_window_is_where_the_squares_are_least(outcomes: dict[str, Outcome]) -> None:
    data = outcomes["bi-poo-2001"].data
    used = data["fitted"].values
    gap, measured = 1e3 * data["gap"].values, data["measured"].values
    best, errors = bi_poo_2001.fitted_window(gap[used], measured[used])
    for side, (amplitude, tau) in ((gap > 0, best[:2]), (gap < 0, best[2:])):
        x, y = abs(gap[side & used]), measured[side & used]
        # both derivatives of the sum of squares are zero
        residual, shape = y - amplitude * np.exp(-x / tau), np.exp(-x / tau)
        assert abs(np.sum(residual * shape)) < 1e-5
        assert abs(np.sum(residual * shape * amplitude * x / tau)) < 1e-5
    published = [0.777, 16.8, -0.273, 33.7]
    assert np.all(abs(best - published) < errors)
    assert "4 of the 4 published numbers are within one standard error" in outcomes["bi-poo-2001"].findings[1]
    assert np.sum(~used) == 2


def test_a_known_window_is_found_again() -> None:
    gap = np.concatenate([np.arange(-90, 0, 4.0), np.arange(2, 90, 4.0)])
    change = np.where(gap > 0, 0.6 * np.exp(-gap / 13), -0.4 * np.exp(gap / 29))
    best, errors = bi_poo_2001.fitted_window(gap, change)
    np.testing.assert_allclose(best, [0.6, 13, -0.4, 29], rtol=1e-6)
    assert np.all(errors < 1e-6)


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_each_outcome_can_be_read_drawn_and_saved(
    study: Study, outcomes: dict[str, Outcome], tmp_path: Path
) -> None:
    outcome = outcomes[study.name]
    assert len({len(column) for column in outcome.table.values()}) == 1
    assert outcome.findings
    assert outcome.notes
    assert outcome.models
    assert outcome.draw().axes
    outcome.data.to_netcdf(tmp_path / "data.nc", engine="h5netcdf")


@pytest.mark.parametrize("name", ["pfister2006_parameters", "sjostrom2001", "wang2005", "bi_poo_1998"])
def test_tables_say_where_they_are_from(name: str) -> None:
    assert "J Neurosci" in source_of(name) or "Neuron" in source_of(name) or "Nat" in source_of(name)


@pytest.mark.skipif(not SHARED.exists(), reason="the collection of published numbers is not here")
def test_tables_have_the_numbers_that_were_collected() -> None:
    def columns(path: str, *wanted: str) -> list[list[str]]:
        import csv

        with (SHARED / path).open() as file:
            return [[row[name] for name in wanted] for row in csv.DictReader(file)]

    for name, path, here, there in (
        ("sjostrom2001", "sjostrom2001.csv", ("rate_Hz", "delta_t_ms", "change", "sem"),
         ("rate_hz", "delta_t_ms", "dw_fraction", "sem")),
        ("wang2005", "wang2005_triplets.csv", ("first_ms", "change", "sem"),
         ("dt1_ms", "dw_fraction", "sem")),
        ("bi_poo_1998", "bipoo1998_points_secondary.csv", ("delta_t_ms", "change"),
         ("delta_t_post_minus_pre_ms", "dw_fraction")),
        ("pfister2006_parameters", "pfister2006_parameters.csv",
         ("A2_plus", "A3_plus", "A2_minus", "A3_minus", "tau_y_ms", "E"),
         ("A2_plus", "A3_plus", "A2_minus", "A3_minus", "tau_y_ms", "E_published_recalled")),
    ):  # fmt: skip
        found = np.transpose([table(name)[column] for column in here])
        np.testing.assert_array_equal(found, np.array(columns(path, *there), float))
    wang = columns("wang2005_triplets.csv", "protocol", "dt2_or_T_ms")
    rest = [float(value or "nan") for _, value in wang]
    here = np.where(table("wang2005")["protocol"] == "quadruplet", table("wang2005")["T_ms"],
                    table("wang2005")["second_ms"])  # fmt: skip
    np.testing.assert_array_equal(here, rest)
