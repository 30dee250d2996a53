import numpy as np
import pytest
from fabricated_sweeps import FIELDS, PAIR, PRE, RULE, SPIKES, TRACE, TRIAL, WEIGHT, fabricate
from matplotlib import pyplot

from eccles.errors import SetupError
from eccles.results import Axis, Coordinate, Field
from eccles.units import *

DELAY = Axis("delay", {"delay": Coordinate(np.array([1e-3, 2e-3, 4e-3, 8e-3]), "s")})


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def made():
    return fabricate([PRE, DELAY, TRIAL], FIELDS, failures=[1, *range(20, 24)])


@pytest.fixture(scope="module")
def result(made):
    return made.dataset(duration=0.1)


@pytest.fixture(scope="module")
def weights(made):
    """In ascending order of `pre`."""
    return made.values["S.w"].reshape(3, 4, 4)[[0, 2, 1]]


def cells(ax):
    (mesh,) = ax.collections
    return np.ma.filled(mesh.get_array(), np.nan), mesh.get_coordinates()


def test_a_heat_map_shows_the_mean_over_trials_with_units(result, weights):
    ax = result.eccles.heatmap("S.w")
    shown, corners = cells(ax)
    wanted = np.array([[np.nanmean(w) if np.isfinite(w).any() else np.nan for w in row] for row in weights])
    np.testing.assert_allclose(shown, wanted.T)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("pre (Hz)", "delay (ms)")
    assert ax.get_title() == "mean of 4 trials"
    assert [a.get_ylabel() for a in ax.figure.axes if a is not ax] == ["S.w at the end (S)"]
    np.testing.assert_allclose(corners[0, :, 0], [-20, 60, 150, 250])


def test_values_that_grow_by_a_factor_have_a_logarithmic_axis(result):
    ax = result.eccles.heatmap("S.w")
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")
    np.testing.assert_allclose(cells(ax)[1][:, 0, 1], 2 ** np.arange(-0.5, 4))
    assert [t.get_text() for t in ax.get_yticklabels()] == ["1", "2", "4", "8"]


def test_the_axes_of_a_heat_map_can_be_chosen(result, weights):
    ax = result.eccles.heatmap("S.w", "trial", "pre", delay=2 * ms)
    np.testing.assert_array_equal(cells(ax)[0], weights[:, 1])
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("trial", "pre (Hz)", "delay = 2 ms")
    ax = result.eccles.heatmap("S.w", y="pre", trial=3)
    np.testing.assert_array_equal(cells(ax)[0], weights[:, :, 3])


def test_numbers_in_the_result_are_scaled_to_their_best_unit():
    made = fabricate([PRE, DELAY], [WEIGHT])
    made.values["S.w"] *= 1e-9
    ax = made.dataset(made.cut([])).eccles.heatmap("S.w")
    np.testing.assert_allclose(cells(ax)[0], 1e9 * made.values["S.w"].reshape(3, 4)[[0, 2, 1]].T)
    assert ax.figure.axes[1].get_ylabel() == "S.w at the end (nS)"


def test_zeros_of_failed_conditions_are_not_shown(made, result):
    ax = result.eccles.heatmap("n", trial=1)
    wanted = made.values["n"].reshape(3, 4, 4)[[0, 2, 1], :, 1].astype(float)
    wanted[0, 0] = wanted[2, 1] = np.nan
    np.testing.assert_array_equal(cells(ax)[0], wanted.T)
    assert np.isfinite(cells(result.eccles.heatmap("failed", trial=1))[0]).all()


def test_text_and_values_that_come_twice_stand_side_by_side():
    made = fabricate([RULE, PAIR], [WEIGHT])
    ax = made.dataset().eccles.heatmap("S.w", "rule", "a")
    np.testing.assert_array_equal(cells(ax)[0], made.values["S.w"].reshape(3, 3).T)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["pair", "triplet", "größer"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["1 Hz", "1 Hz", "2 Hz"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("rule", "a")


def test_curves_show_the_median_with_percentiles(result, weights):
    ax = result.eccles.curves("S.w", "pre", delay=4 * ms)
    (line,), (band,) = ax.lines, ax.collections
    low, middle, high = np.nanpercentile(weights[:, 2], (5, 50, 95), axis=1)
    np.testing.assert_array_equal(line.get_xdata(), [20, 100, 200])
    np.testing.assert_allclose(line.get_ydata(), middle)
    edges = band.get_paths()[0].vertices
    for x, ends in zip([20, 100, 200], zip(low, high, strict=True), strict=True):
        np.testing.assert_allclose(np.unique(edges[edges[:, 0] == x, 1]), ends)
    assert ax.get_title() == "median, 5 to 95 % of 4 trials, delay = 4 ms"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("pre (Hz)", "S.w at the end (S)")


def test_curves_show_the_mean_with_standard_deviations(result, weights):
    ax = result.eccles.curves("S.w", "delay", by="pre", spread="sd")
    assert [line.get_label() for line in ax.lines] == ["20 Hz", "200 Hz", "100 Hz"]
    assert ax.get_legend().get_title().get_text() == "pre"
    for line, band, row in zip(ax.lines, ax.collections, weights[[0, 2, 1]], strict=True):
        has = np.isfinite(row).any(axis=1)
        mean, sd = np.nanmean(row[has], axis=1), np.nanstd(row[has], axis=1, ddof=1)
        np.testing.assert_allclose(line.get_ydata()[has], mean)
        assert np.isnan(line.get_ydata()[~has]).all()
        edges = np.concatenate([path.vertices[:, 1] for path in band.get_paths()])
        assert edges.max() == pytest.approx((mean + sd).max())
    assert ax.get_title() == "mean ± s.d. of 4 trials"


def test_the_spread_can_be_that_of_another_parameter(result, weights):
    ax = result.eccles.curves("S.w", "pre", over="delay", trial=0)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.nanmedian(weights[:, :, 0], axis=1))
    assert ax.get_title() == "median, 5 to 95 % of 4 values of delay, trial = 0"


def test_traces_are_curves_over_time(made, result):
    ax = result.eccles.curves("G.v", "time", by="G", pre=200 * Hz, delay=1 * ms, trial=2)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), made.values["G.v"][18, 1])
    np.testing.assert_allclose(ax.lines[1].get_xdata(), np.arange(5))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (ms)", "G.v (V)")
    assert ax.get_title() == "pre = 200 Hz, delay = 1 ms, trial = 2"
    ax = result.eccles.curves("G.v", "pre", time=2 * ms, G=1, delay=1 * ms, trial=2)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), made.values["G.v"][[2, 34, 18], 1, 2])
    assert ax.get_title() == "time = 2 ms, G = 1, delay = 1 ms, trial = 2"


def test_many_curves_have_some_entries_in_the_legend():
    many = Axis("k", {"k": Coordinate(np.arange(40))})
    ax = fabricate([many, PRE], [WEIGHT]).dataset().eccles.curves("S.w", "pre", by="k")
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert (len(texts), texts[0], texts[-1]) == (12, "0", "39")
    assert len(ax.lines) == 40


def test_zero_has_the_unit_of_the_other_labels():
    drive = Axis("drive", {"drive": Coordinate(np.array([-0.01, 0.0, 0.02]), "V")})
    ax = fabricate([drive, PRE], [WEIGHT]).dataset().eccles.curves("S.w", "pre", by="drive")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["-10 mV", "0 mV", "20 mV"]


def test_ticks_of_logarithmic_axes_are_short():
    tau = Axis("tau", {"tau": Coordinate(np.geomspace(1e-3, 0.1, 5), "s")})
    ax = fabricate([tau, PRE], [WEIGHT]).dataset().eccles.heatmap("S.w", "tau", "pre")
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "3.16", "10", "31.6", "100"]


def test_a_raster_shows_the_spikes_of_one_condition(made, result):
    ax = result.eccles.raster("P", pre=100 * Hz, delay=8 * ms, trial=1)
    wanted = made.events["P"][2 * 16 + 3 * 4 + 1]
    assert len(wanted["t"]) > 2
    segments = np.array(ax.collections[0].get_segments())
    np.testing.assert_allclose(segments[:, 0, 0], 1e3 * wanted["t"])
    np.testing.assert_allclose(segments.mean(axis=1)[:, 1], wanted["i"])
    assert ax.get_xlim() == (0, 100)
    assert ax.get_ylim() == (-0.6, 3.6)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (ms)", "neuron of P")
    n = len(wanted["t"])
    assert ax.get_title() == f"pre = 100 Hz, delay = 8 ms, trial = 1 ({n} spike{'s' * (n != 1)})"


def test_a_raster_of_many_neurons_has_dots():
    many = Field("P", "events", columns={"t": "s", "i": ""}, attributes={"n_elements": 500})
    made = fabricate([TRIAL], [many])
    ax = made.dataset(duration=0.1).eccles.raster("P", trial=1)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), made.events["P"][1]["i"])


def test_figures_are_drawn_where_the_user_wants(result):
    _, ax = pyplot.subplots()
    assert result.eccles.raster("P", pre=20 * Hz, delay=1 * ms, trial=0, ax=ax) is ax
    assert result.eccles.heatmap("S.w", ax=ax) is ax
    assert result.eccles.curves("S.w", "pre", by="delay", ax=ax) is ax


def test_what_was_averaged_already_can_be_drawn(result):
    ax = result[["S.w", "failed"]].mean("trial", keep_attrs=True).eccles.heatmap("S.w")
    assert np.isnan(cells(ax)[0]).sum() == 1
    assert ax.get_title() == "S.w"


@pytest.mark.parametrize(
    ("draw", "message", "hint"),
    [
        (lambda e: e.heatmap("G.x"), "'G.x' varies along 'G' too", "Choose a value, as in G=0, or reduce"),
        (lambda e: e.curves("S.w", "pre"), "varies along 'delay' too", "as in delay=1*ms, or"),
        (lambda e: e.curves("G.v", "pre", by="delay"), "along 'G' and 'G.v.time' too", "as in G=0, time=0*s"),
        (lambda e: e.heatmap("S.w", "pre", "dleay"), "does not vary along 'dleay'", "'delay' and 'pre'"),
        (lambda e: e.heatmap("S.w", pre=20 * Hz), "a heat map needs two dimensions", "Draw curves"),
        (lambda e: e.curves("S.w", "pre", by="pre"), "asked for twice", ""),
        (lambda e: e.curves("S.w", "pre", over="rule"), "does not vary along 'rule'", ""),
        (lambda e: e.curves("S.w", "pre", spread="range"), "'percentiles' or 'sd', not 'range'", ""),
        (lambda e: e.heatmap("P.t"), "'P.t' is not a value of each condition", "A raster shows events"),
        (lambda e: e.heatmap("S.v"), "no variable 'S.v'", "It has S.w, n"),
        (
            lambda e: e.raster("P", trial=0),
            "there are several along 'pre' and 'delay'",
            "Choose delay from 1 ms",
        ),
        (lambda e: e.raster("S.w"), "no events 'S.w'", "It has events of P."),
    ],
)
def test_what_cannot_be_drawn_says_what_to_choose(result, draw, message, hint):
    with pytest.raises(SetupError) as error:
        draw(result.eccles)
    assert message in error.value.message
    assert hint in (error.value.hint or "")


def test_results_of_one_condition_are_drawn_without_choosing():
    made = fabricate([], [SPIKES, TRACE])
    result = made.dataset(duration=0.1)
    n = len(made.events["P"][0]["t"])
    assert result.eccles.raster("P").get_title() == f"{n} spike{'s' * (n != 1)}"
    assert result.eccles.curves("G.v", "time", G=0).get_title() == "G = 0"
