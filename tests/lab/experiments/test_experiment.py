"""Experiments against sums of windows; sweeps against single runs; what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eccles import Hz, SetupError, ms, mV, nA, open_sweep, pA, second, zipped
from eccles.lab.experiments import Result, experiment, testing
from eccles.lab.measure import epsp
from eccles.lab.neurons import Transmission, exponential_current, lif, lif_abstract
from eccles.lab.protocols import Protocol, pairing
from eccles.lab.rules import Rule, dopamine, homeostasis, pair
from eccles.sweeps import plan
from eccles.sweeps.execute import Stopped

A_PLUS, A_MINUS, TAU = 0.002, 0.0025, 0.020
RULE = pair(A_plus=A_PLUS, A_minus=A_MINUS)
SHORT = {"baseline": 2 * second, "followup": 2 * second, "test_interval": 1 * second}
CURRENT = Transmission(
    "exponential current", "dI_syn/dt = -I_syn/tau_s : amp", "I_syn", "I_syn_post += w*I_0",
    {"I_0": 50 * pA, "tau_s": 5 * ms},
)  # fmt: skip
NOTHING = Transmission("none", "", "", "v_post += 0*w*mV")
NOISY = Rule("noisy", "w : 1", on_post="w += 0.01*randn()", initial={"w": 1.0})


def sum_of_pairs(gap: float, rate: float, n: int) -> float:
    """What n pairs at regular intervals change, by all pairs of their spikes; post first if gap < 0."""
    change = 0.0
    for k in range(-(n - 1), n):  # a postsynaptic spike k periods after its own presynaptic one
        lag = gap + k / rate
        change += (n - abs(k)) * (
            A_PLUS * math.exp(-lag / TAU) if lag > 0 else -A_MINUS * math.exp(lag / TAU)
        )
    return change


def gap_and_rate(gap, rate=1 * Hz):
    return pairing(gap, n=10, rate=rate)


# -- against closed forms ------------------------------------------------------------------------------


def test_rare_pairs_change_the_weight_by_so_many_windows():
    gaps = np.array([-40, -10, -1, 1, 10, 40])
    result = experiment(RULE, gap_and_rate, gap=gaps * ms, **SHORT)
    window = np.where(gaps > 0, A_PLUS * np.exp(-gaps / 20), -A_MINUS * np.exp(gaps / 20))
    after = result.data["weight"].isel(test=-1).values
    np.testing.assert_allclose(after, 0.5 + 10 * window, rtol=1e-12)


def test_frequent_pairs_change_it_by_all_pairs_of_their_spikes():
    gaps, rates = [-10, -3, 3, 10], [5, 20, 40]
    result = experiment(RULE, gap_and_rate, gap=gaps * ms, rate=rates * Hz, **SHORT)
    expected = [[0.5 + sum_of_pairs(gap * 1e-3, rate, 10) for rate in rates] for gap in gaps]
    np.testing.assert_allclose(result.data["weight"].isel(test=-1).values, expected, rtol=1e-12)
    np.testing.assert_array_equal(result.data["weight"].isel(test=0).values, 0.5)


def test_the_delay_of_the_synapse_comes_before_the_rule():
    gaps = np.array([-10, 5, 20])
    result = experiment(RULE, gap_and_rate, gap=gaps * ms, delay=7 * ms, **SHORT)
    expected = [0.5 + sum_of_pairs((gap - 7) * 1e-3, 1, 10) for gap in gaps]
    np.testing.assert_allclose(result.data["weight"].isel(test=-1).values, expected, rtol=1e-12)


def test_the_time_step_does_not_matter_for_a_rule_with_a_closed_form():
    train = Protocol("dense", np.arange(20) * 0.3 * ms, np.arange(20) * 0.31 * ms + 0.055 * ms, 1 * second)
    expected = 0.5
    events = sorted([(t, "pre") for t in np.arange(20) * 0.3e-3 + 7e-4]
                    + [(t, "post") for t in np.arange(20) * 0.31e-3 + 5.5e-5])  # fmt: skip
    seen = {"pre": [], "post": []}
    for t, side in events:
        other = seen["post" if side == "pre" else "pre"]
        size = -A_MINUS if side == "pre" else A_PLUS
        expected += size * sum(math.exp((s - t) / TAU) for s in other)
        seen[side].append(t)
    for dt in (None, 0.1 * ms, 50 * ms):
        result = experiment(RULE, train, delay=0.7 * ms, dt=dt, **SHORT)
        assert float(result.data["weight"][-1]) == pytest.approx(expected, rel=1e-12)


def test_a_rule_that_follows_the_clock_has_a_fine_step():
    drift = Rule("drift", "dw/dt = (1 - w)**2/tau : 1", parameters={"tau": 1 * second})
    result = experiment(drift, pairing(10 * ms, n=1), **SHORT)
    t = result.data["test"].values + 3
    np.testing.assert_allclose(result.data["weight"].values, t / (1 + t), atol=2e-4)  # Euler's, or better
    fine = experiment(drift, pairing(10 * ms, n=1), dt=0.1 * ms, **SHORT)
    np.testing.assert_array_equal(result.data["weight"].values, fine.data["weight"].values)


def test_percent_is_that_of_the_mean_at_baseline():
    result = experiment(RULE, pairing(10 * ms, n=10), **SHORT)
    expected = 100 * (1 + 10 * A_PLUS * math.exp(-0.5) / 0.5)
    np.testing.assert_allclose(result.data["percent"].values, [100, 100, expected, expected], rtol=1e-12)


def test_the_course_of_the_weight_is_a_step_at_each_pair():
    result = experiment(RULE, pairing(10 * ms, n=4), induction=4 * second, **SHORT)
    course = result.data["course"]
    pairs_before = np.floor(course["time"].values + 4 - 0.0101) + 1
    inside = pairs_before.clip(0, 4)
    np.testing.assert_allclose(course.values, 0.5 + inside * A_PLUS * math.exp(-0.5), rtol=1e-12)


def test_the_epsp_of_a_current_is_proportional_to_the_weight_and_has_its_closed_form():
    result = experiment(RULE, gap_and_rate, lif(), transmission=CURRENT, gap=[-10, 10] * ms, **SHORT)
    weight, amplitude = result.data["weight"], result.data["amplitude"]
    tau_s, tau_m, C = 5e-3, 20e-3, 200e-12
    peak = 50e-12 * tau_s / C * (tau_s / tau_m) ** (tau_s / (tau_m - tau_s))
    np.testing.assert_allclose(amplitude.values, weight.values * peak, rtol=1e-9)
    percent = 100 * weight / weight.isel(test=0)
    np.testing.assert_allclose(result.data["percent"].values, percent.values, rtol=1e-10)
    assert amplitude.attrs["units"] == "V"
    t = result.data["lag"].values
    form = np.exp(-t / tau_m) - np.exp(-t / tau_s)
    form *= 50e-12 / C * tau_s * tau_m / (tau_m - tau_s)
    for phase, k in (("before", 0), ("after", -1)):
        expected = weight.isel(test=k).values[:, None] * form
        found = result.data["epsp"].sel(phase=phase).values
        np.testing.assert_allclose(found, expected, atol=1e-12 * 0.07)


def test_the_epsp_is_measured_after_the_delay():
    result = experiment(RULE, pairing(10 * ms, n=2), lif(), transmission=CURRENT, delay=3 * ms, **SHORT)
    peak = 1 / (1 / 5e-3 - 1 / 20e-3) * math.log(20 / 5)
    np.testing.assert_allclose(result.data["peak_time"].values, 3e-3 + peak, rtol=1e-8)


@pytest.mark.slow
def test_mean_epsps_do_not_depend_on_how_many_are_measured_together(monkeypatch):
    options = {"transmission": CURRENT, "trials": 3, "seed": 4, "gap": [-10, 10] * ms, **SHORT}
    whole = experiment(NOISY, gap_and_rate, lif(), **options)
    assert whole.data["amplitude"].dims == ("gap", "trial", "test")
    assert whole.data["epsp"].dims == ("gap", "phase", "lag")
    monkeypatch.setattr(testing, "AT_ONCE", 3)
    parts = experiment(NOISY, gap_and_rate, lif(), **options)
    np.testing.assert_allclose(parts.data["epsp"].values, whole.data["epsp"].values, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(parts.data["amplitude"].values, whole.data["amplitude"].values, rtol=1e-12)


# -- sweeps ---------------------------------------------------------------------------------------------


def test_conditions_give_the_bits_of_single_experiments_whatever_the_order_of_their_parameters():
    def rule(A_plus):
        return pair(A_plus=A_plus, A_minus=A_MINUS)

    gaps, amplitudes, rates = [-10, 10, 25], [0.001, 0.004], [2, 30]
    options = {"induction": 6 * second, **SHORT}
    together = experiment(rule, gap_and_rate, gap=gaps * ms, A_plus=amplitudes, rate=rates * Hz, **options)
    assert together.data["weight"].dims == ("gap", "A_plus", "rate", "test")
    for g, gap in enumerate(gaps):
        for a, amplitude in enumerate(amplitudes):
            for r, rate in enumerate(rates):
                alone = experiment(rule(amplitude), gap_and_rate(gap * ms, rate * Hz), **options)
                here = together.data.isel(gap=g, A_plus=a, rate=r)
                for name in ("weight", "course", "percent"):
                    np.testing.assert_array_equal(here[name].values, alone.data[name].values)
                for side in ("pre_spikes", "post_spikes"):
                    np.testing.assert_array_equal(here[side].values, alone.data[side].values)


def test_all_conditions_are_one_model_even_if_protocols_differ_in_length(capsys):
    calls = []

    def rule(A_plus):
        calls.append(A_plus)
        return pair(A_plus=A_plus, A_minus=A_MINUS)

    result = experiment(
        rule, lambda n: pairing(10 * ms, n=n), n=range(1, 9), A_plus=np.linspace(0.001, 0.01, 7), **SHORT
    )
    assert len(calls) < 7  # 56 conditions
    assert "one_model_per_value" not in capsys.readouterr().err
    expected = 0.5 + np.outer(np.arange(1, 9), np.linspace(0.001, 0.01, 7)) * math.exp(-0.5)
    np.testing.assert_allclose(result.data["weight"].isel(test=-1).values, expected, rtol=1e-12)
    np.testing.assert_array_equal(result.data["pre_spikes"].notnull().sum("pre_spike"), np.arange(1, 9))


def test_time_constants_of_rules_are_swept_in_one_model_too(capsys):
    taus = [10, 20, 40]
    result = experiment(
        lambda tau: pair(A_plus=A_PLUS, tau_plus=tau), pairing(10 * ms, n=3), tau=taus * ms, **SHORT
    )
    assert "one_model_per_value" not in capsys.readouterr().err
    expected = [0.5 + 3 * A_PLUS * math.exp(-10 / tau) for tau in taus]
    np.testing.assert_allclose(result.data["weight"].isel(test=-1).values, expected, rtol=1e-12)


def test_a_time_constant_that_makes_no_sense_spoils_its_condition_only():
    result = experiment(lambda tau: pair(tau_plus=tau), pairing(n=3), tau=[20, -20] * ms, **SHORT)
    assert result.data["failed"].values.tolist() == [False, True]
    assert "has to be positive, not -20" in str(result.data.attrs["failures"])
    assert result.findings()[1:] == [
        "Left out: 1 of 2 conditions, which failed or had no weight at baseline."
    ]
    assert "1 of 2 conditions failed." in result.notes()


def test_parameters_can_go_together():
    cell = zipped(gap=[10, -10] * ms, rate=[1, 20] * Hz, A_plus=[0.001, A_PLUS])
    result = experiment(lambda A_plus: RULE.changed(A_plus=A_plus), gap_and_rate, cell=cell, **SHORT)
    expected = [0.5 + 10 * 0.001 * math.exp(-0.5), 0.5 + sum_of_pairs(-0.01, 20, 10)]
    np.testing.assert_allclose(result.data["weight"].isel(test=-1).values, expected, rtol=1e-12)
    assert result.data["gap"].dims == ("cell",)


def test_tests_see_a_weight_that_drifts_between_spikes():
    scaling = homeostasis(tau_w=20 * second)
    alone = experiment(scaling, pairing(10 * ms, n=3, rate=10 * Hz), **SHORT)
    weight = alone.data["weight"].values
    t = alone.data["test"].values
    before = ~alone.data["follow_up"].values
    np.testing.assert_allclose(weight[before], np.exp((t[before] - t[0]) / 20), rtol=1e-12)
    last = weight[-1] / weight[-2]  # the estimate of the rate, per second, decays with 1 s
    rate = np.exp(alone.data["post_spikes"].values - t[-2]).sum()
    assert last == pytest.approx(np.exp((1 - rate * (1 - np.exp(-1)) / 5) / 20), rel=1e-9)
    both = experiment({"pair": RULE, "scaling": scaling}, pairing(10 * ms, n=3, rate=10 * Hz), **SHORT)
    np.testing.assert_allclose(both.data["weight"].sel(rule="scaling"), weight, rtol=1e-13)
    of_pairs = experiment(RULE, pairing(10 * ms, n=3, rate=10 * Hz), **SHORT).data["weight"]
    np.testing.assert_array_equal(both.data["weight"].sel(rule="pair"), of_pairs)


def test_rules_and_protocols_can_be_compared_by_name():
    result = experiment(
        {"weak": RULE, "strong": RULE.changed(A_plus=0.01)},
        {"pre first": pairing(10 * ms, n=3), "post first": pairing(-10 * ms, n=5)},
        **SHORT,
    )
    after = result.data["weight"].isel(test=-1)
    expected = [[0.5 + 3 * A * math.exp(-0.5), 0.5 - 5 * A_MINUS * math.exp(-0.5)] for A in (A_PLUS, 0.01)]
    np.testing.assert_allclose(after.values, expected, rtol=1e-12)
    assert list(after["rule"].values) == ["weak", "strong"]
    chosen = result.select(rule="strong", protocol="pre first")
    assert float(chosen.data["weight"][-1]) == float(after[1, 0])
    assert set(result.models()) == {"rule: weak", "rule: strong", "protocol"}


def test_trials_differ_by_their_random_numbers_and_by_nothing_else():
    options = {"trials": 200, "seed": 1, **SHORT}
    first, again = (experiment(NOISY, pairing(10 * ms, n=9), **options) for _ in range(2))
    np.testing.assert_array_equal(first.data["weight"].values, again.data["weight"].values)
    after = first.data["weight"].isel(test=-1).values
    sd = 0.01 * math.sqrt(9)
    assert abs(after.mean() - 1) < 3 * sd / math.sqrt(200)
    assert abs(after.std(ddof=1) / sd - 1) < 3 / math.sqrt(400)
    (shown,) = first.table["s.d. over trials"]
    assert shown == pytest.approx(100 * after.std(ddof=1), rel=1e-12)


def test_an_experiment_on_disk_goes_on_where_it_was(tmp_path, monkeypatch):
    options = {"gap": np.linspace(-30, 30, 12) * ms, **SHORT}
    whole = experiment(RULE, gap_and_rate, **options)
    place = tmp_path / "study.zarr"
    run, ran = plan.Plan.run, []

    def interrupted(self, start, *rest):
        if len(ran) == 5:
            raise Stopped
        ran.append(start)
        return run(self, start, *rest)

    monkeypatch.setattr(plan.Plan, "run", interrupted)
    with pytest.warns(match="5 of 12 conditions are there"):
        part = experiment(RULE, gap_and_rate, out=place, **options)
    assert int(part.data["failed"].sum()) == 7
    assert "7 of 12 conditions failed." in part.notes()
    assert part.findings()[-1] == "Left out: 7 of 12 conditions, which failed or had no weight at baseline."
    ran.clear()
    monkeypatch.setattr(
        plan.Plan, "run", lambda self, start, *rest: ran.append(start) or run(self, start, *rest)
    )
    complete = experiment(RULE, gap_and_rate, out=place, **options)
    assert len(ran) == 7
    with open_sweep(place) as stored:
        assert "plan" in stored  # so it can be completed, or sent to a cluster, without the script
    np.testing.assert_array_equal(complete.data["weight"].values, whole.data["weight"].values)


# -- a neuron that is driven ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "neuron",
    [pytest.param(lif(), id="lif"), pytest.param(lif_abstract(), id="abstract", marks=pytest.mark.slow)],
)
def test_pulses_make_the_neuron_spike_when_the_protocol_says_so(neuron):
    nothing = NOTHING if neuron.input_unit == "amp" else Transmission("none", "", "", "v_post += 0*w")
    options = {"gap": [-10, 4, 25] * ms, **SHORT}
    driven = experiment(RULE, gap_and_rate, neuron, transmission=nothing, drives_target=True, **options)
    told = experiment(RULE, gap_and_rate, **options)
    np.testing.assert_array_equal(driven.data["post_count"].values, 10)
    np.testing.assert_allclose(driven.data["weight"].values, told.data["weight"].values, rtol=1e-10)


@pytest.mark.slow
def test_an_epsp_before_the_pulse_makes_the_spike_earlier():
    strong = CURRENT.changed(I_0=4 * nA)
    options = {"gap": [5] * ms, **SHORT}
    driven = experiment(RULE, gap_and_rate, lif(), transmission=strong, drives_target=True, **options)
    told = experiment(RULE, gap_and_rate, **options)
    assert float(driven.data["weight"][0, -1]) > float(told.data["weight"][0, -1]) + 1e-4
    weak = experiment(
        RULE,
        gap_and_rate,
        lif(),
        transmission=strong,
        drives_target=True,
        pulse=(2.5 * nA, 2 * ms),
        **options,
    )
    assert float(weak.data["weight"][0, -1]) > float(told.data["weight"][0, -1])


def test_a_rule_finds_its_equations_in_the_driven_neuron():
    rule = Rule(
        "counter", "w : 1", on_pre="w += a*spikes_post", parameters={"tau": 30 * ms, "a": 0.1},
        post_equations="dspikes/dt = (int(v > V_th - 1*mV) - spikes)/tau : 1", initial={"w": 1.0},
    )  # fmt: skip
    result = experiment(
        rule, gap_and_rate, lif(), transmission=NOTHING, drives_target=True, gap=[-5, 300] * ms, **SHORT
    )
    after = result.data["weight"].isel(test=-1).values
    assert after[0] > 1 + 1e-4  # a postsynaptic spike came before each presynaptic one
    assert after[1] == pytest.approx(1, abs=1e-6)


def test_what_the_neuron_did_otherwise_than_asked_is_told():
    burst = Protocol("burst", [1] * ms, np.arange(5) * 3 * ms, 20 * ms)
    refractory = lif(t_ref=4 * ms)
    result = experiment(RULE, burst, refractory, transmission=NOTHING, drives_target=True, **SHORT)
    assert int(result.data["post_count"]) < 5
    assert any("more or fewer spikes than the protocol asks for" in note for note in result.notes())


# -- what comes out -------------------------------------------------------------------------------------


def test_the_table_has_a_row_for_each_condition_in_units_that_read_well():
    result = experiment(
        RULE, gap_and_rate, lif(), transmission=CURRENT, gap=[-10, 10] * ms, rate=[1, 2] * Hz, **SHORT
    )
    table = result.table
    assert list(table) == ["gap (ms)", "rate (Hz)", "weight before", "weight after", "EPSP before (mV)",
                           "EPSP after (mV)", "after, percent of baseline"]  # fmt: skip
    assert table["gap (ms)"] == [-10, -10, 10, 10]
    assert table["rate (Hz)"] == [1, 2, 1, 2]
    assert table["EPSP after (mV)"][0] == pytest.approx(
        1e3 * result.data["amplitude"].values[0, 0, 2:].mean(), rel=1e-12
    )


def test_every_number_has_a_unit():
    result = experiment(RULE, gap_and_rate, lif(), transmission=CURRENT, gap=[-10, 10] * ms, **SHORT)
    without = [name for name in result.data.data_vars if "units" not in result.data[name].attrs]
    assert without == ["failed"]
    assert {
        name: result.data[name].attrs["units"] for name in ("gap", "test", "time", "lag")
    } == dict.fromkeys(("gap", "test", "time", "lag"), "s")


def texts(figure):
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def test_the_figure_shows_protocol_weight_epsp_and_percent_of_baseline():
    result = experiment(RULE, gap_and_rate, lif(), transmission=CURRENT, gap=[-10, 10] * ms, **SHORT)
    figure = result.figure()
    figure.draw_without_rendering()
    shown = texts(figure)
    for text in (
        "protocol",
        "weight",
        "EPSP before (dashed) and after",
        "EPSP (% of baseline)",
        "gap = -10 ms",
    ):
        assert text in shown
    percent = figure.axes[-1]
    np.testing.assert_allclose(percent.lines[0].get_ydata(), result.data["percent"].values[0], rtol=1e-15)
    ticks = figure.axes[0].collections
    assert [len(t.get_segments()) for t in ticks] == [10] * 4
    assert ticks[0].get_segments()[0][0, 0] == pytest.approx(result.data["pre_spikes"].values[0, 0])


def test_of_many_conditions_a_figure_shows_some_and_says_so():
    result = experiment(RULE, gap_and_rate, gap=np.linspace(-30, 30, 20) * ms, **SHORT)
    shown = texts(result.figure())
    assert f"{RULE.name} (8 of 20 conditions)" in shown
    assert "gap = -30 ms" in shown
    assert "gap = 30 ms" in shown
    assert RULE.name in texts(result.figure(gap=30 * ms))


@pytest.mark.slow
def test_figures_are_drawn_for_a_single_condition_and_for_trials():
    experiment(RULE, pairing(10 * ms, n=2), **SHORT).figure().draw_without_rendering()
    result = experiment(NOISY, gap_and_rate, trials=4, gap=[5, 10] * ms, **SHORT)
    result.figure().draw_without_rendering()
    alone = Protocol("pre alone", np.arange(3) * 1 * second, [] * ms, 3 * second)
    experiment(RULE, alone, **SHORT).figure().draw_without_rendering()


def test_an_outcome_says_what_came_out_and_what_took_part():
    result = experiment(RULE, gap_and_rate, lif(), transmission=CURRENT, gap=[10] * ms, **SHORT)
    outcome = result.outcome(findings=("Mine.",), notes=("My note.",))
    percent = result.table["after, percent of baseline"][0]
    assert list(outcome.findings) == [
        "Mine.",
        f"The EPSP is {percent:.4g} % of baseline after the induction.",
    ]
    assert outcome.notes[0] == "My note."
    assert outcome.data is result.data
    assert outcome.models is not None
    assert str(RULE) in outcome.models.values()
    assert str(lif()) in outcome.models.values()
    many = experiment(RULE, gap_and_rate, gap=np.linspace(-30, 30, 20) * ms, **SHORT)
    (finding,) = many.findings()
    assert finding.startswith("The weight after the induction is between")
    percent = many.data["percent"].isel(test=-1)
    lowest, highest = percent.idxmin() * 1e3, percent.idxmax() * 1e3
    assert f"{float(percent.min()):.4g} % of baseline (gap = {float(lowest):.5g} ms)" in finding
    assert f"{float(percent.max()):.4g} % (gap = {float(highest):.5g} ms)" in finding


# -- what is refused ------------------------------------------------------------------------------------


def refused(message, *args, **options):
    with pytest.raises(SetupError, match=message):
        experiment(*args, **{**SHORT, **options})


def test_parts_that_do_not_fit_together_are_refused_with_a_reason():
    protocol = pairing(10 * ms, n=2)
    needy = Rule("needy", "w : 1", on_pre="w += v_post/mV", post_equations="x : 1")
    other = Rule("other", "rho : 1", on_pre="rho += 1", weight="rho")
    refused("needs equations in the postsynaptic neuron", needy, protocol)
    for options in ({}, {"neuron": lif(), "transmission": CURRENT, "drives_target": True}):
        refused("waits for 'reward', and an experiment has spikes only", dopamine(), protocol, **options)
    refused("drives_target=True needs a neuron", RULE, protocol, drives_target=True)
    refused("needs a transmission", RULE, protocol, lif(), drives_target=True)
    refused("there is a neuron but no transmission", RULE, protocol, lif())
    refused("there is a transmission but no neuron", RULE, protocol, transmission=CURRENT)
    refused("a pulse drives a neuron", RULE, protocol, pulse=(1 * nA, 1 * ms))
    refused("need one name and one unit", {"a": RULE, "b": other}, protocol)
    refused("neither the rule nor the protocol takes 'gaps'; did you mean 'gap'", RULE, gap_and_rate,
            gap=[1] * ms, gaps=[1])  # fmt: skip
    refused("needs a value for 'gap'", RULE, gap_and_rate)
    refused("has to return a Protocol", RULE, lambda gap: gap, gap=[1] * ms)
    refused("has to return a Rule", lambda A: A, protocol, A=[1.0, 2.0])
    refused("rule has to be a Rule", "pair", protocol)
    refused("'x' of 'protocol' has to be a Protocol", RULE, {"x": 3})
    refused("more than the 1 s for the induction", RULE, protocol, induction=1 * second)
    refused("at least one test each", RULE, protocol, baseline=0.5 * second)
    refused("multiple of the time step", RULE, protocol, test_interval=0.25 * ms)
    refused("once or more often", RULE, protocol, trials=0)
    refused("once or more often", RULE, protocol, trials=1.5)
    refused("time step has to be positive", RULE, protocol, dt=0 * ms)
    refused("neuron has to be a Neuron, not a Transmission", RULE, protocol, CURRENT, transmission=lif())
    refused("The rule comes first, then the protocol", protocol, RULE)
    refused(r"a pulse is \(amplitude, width\)", RULE, protocol, lif(), transmission=CURRENT,
            drives_target=True, pulse=1 * nA)  # fmt: skip
    refused("'trial' cannot be swept", RULE, protocol, trial=[1])
    refused("need names", {1: RULE}, protocol)


def test_names_that_mean_two_things_are_refused():
    protocol = pairing(10 * ms, n=2)
    rule = Rule(
        "mine", "w : 1", on_pre="w += x_post", post_equations="dx/dt = -x/C : 1", parameters={"C": 5 * ms}
    )
    refused("'C' is 200. pF in the neuron", rule, protocol, lif(), transmission=NOTHING, drives_target=True)
    clash = CURRENT.changed(I_0=1 * pA)
    rule = Rule("mine", "w : 1", on_pre="w += I_0/pA", parameters={"I_0": 2 * pA})
    refused(
        "'I_0' is 1. pA in the transmission, and 2. pA in the rule 'mine'",
        rule,
        protocol,
        lif(),
        transmission=clash,
        drives_target=True,
    )


def test_epsp_is_what_the_laboratory_measures():
    assert testing.epsp is epsp
    assert isinstance(experiment(RULE, pairing(10 * ms, n=1), **SHORT), Result)
    assert mV  # the unit of the text of NOTHING


def test_a_selection_tells_of_the_rules_that_are_in_it() -> None:
    result = experiment({"one": pair(), "other": pair(A_plus=0.01)}, pairing(10 * ms, n=5), progress=False)
    assert list(result.select(rule="other").rules) == ["other"]
    assert list(result.select(rule=["one", "other"]).rules) == ["one", "other"]
    assert list(result.select(rule="other").models()) == ["rule: other", "protocol"]
    assert len(result.notes()) == len(set(result.notes()))


def test_a_text_is_no_transmission() -> None:
    with pytest.raises(SetupError, match="transmission has to be a Transmission, not a str"):
        experiment(pair(), pairing(10 * ms), lif(), transmission="v_post += w*mV")  # type: ignore[arg-type]
    with pytest.raises(SetupError, match="neuron has to be a Neuron, not a str"):
        experiment(pair(), pairing(10 * ms), "lif", transmission=exponential_current())  # type: ignore[arg-type]
    with pytest.raises(SetupError, match="drive='I_0'"):
        lif().group(1, "I_0")  # type: ignore[arg-type]
