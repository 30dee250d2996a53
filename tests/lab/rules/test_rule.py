"""What a rule is: text that can be read, conventions that are kept, mistakes that are named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eccles import (
    DimensionMismatchError,
    EcclesError,
    Network,
    NeuronGroup,
    SetupError,
    SpikeGeneratorGroup,
    StateMonitor,
    brian2,
    ms,
    mV,
    run,
    start_scope,
    sweep,
)
from eccles.lab.neurons import lif
from eccles.lab.protocols import pairing
from eccles.lab.rules import Rule, calcium, dopamine, inhibitory, pair, short_term


@pytest.fixture
def own() -> Rule:
    return Rule(
        "mine",
        "w : 1\ndx/dt = -x/tau : 1 (event-driven)\ndy/dt = -y/tau : 1 (event-driven)",
        on_pre="x += 1; w -= A*y",
        on_post="y += 1; w += A*x",
        parameters={"tau": 20 * ms, "A": 0.01},
    )


def test_a_rule_of_ones_own_is_like_any_other(own: Rule) -> None:
    gaps = np.array([-30, -7, 4, 25]) * 1e-3
    expected = np.sign(gaps) * 0.01 * np.exp(-abs(gaps) / 0.02)
    np.testing.assert_allclose(own.curve(gaps * 1e3 * ms), expected, rtol=0, atol=1e-15)


def test_the_text_of_a_rule_has_all_of_it() -> None:
    text = str(pair("Song 2000", A_plus=0.01))
    parts = (
        "dx/dt = -x/tau_plus : 1",
        "A_plus = 0.01",
        "w in [0, 1]",
        "pre first",
        "axonal",
        "Miller & Abbott",
    )
    for part in parts:
        assert part in text


def test_conventions_that_are_not_the_usual_ones_are_printed() -> None:
    assert "short-term: goes on in a test pulse" in str(short_term())
    assert "transmission: after these statements" in str(short_term())
    assert "weight at any time: w_now" in str(dopamine())
    assert "method: " in str(replace(pair(), method="rk4"))
    assert not any(word in str(pair()) for word in ("short-term", "transmission", "at any time", "method"))


@pytest.mark.parametrize(("delays", "shift"), [("axonal", -4), ("dendritic", 4), ("split", 0)])
def test_the_side_of_the_delay_moves_the_window(own: Rule, delays: str, shift: float) -> None:
    gaps = np.array([-30, -7, 9, 25]) * ms
    delayed = own.with_conventions(delays=delays).curve(gaps, delay=4 * ms)
    np.testing.assert_allclose(delayed, own.curve(gaps + shift * ms), rtol=0, atol=1e-15)


@pytest.mark.parametrize(("order", "change"), [("pre_first", 0.01), ("post_first", -0.01)])
def test_the_order_of_coincident_spikes_decides(own: Rule, order: str, change: float) -> None:
    assert own.with_conventions(coincidence=order).curve([0] * ms).values == pytest.approx(
        [change], abs=1e-16
    )


def test_a_response_has_the_variables_that_were_asked_for(own: Rule) -> None:
    found = own.response([[10] * ms], [[10, 30] * ms], variables=["x", "y"], duration=30 * ms)
    assert set(found.data_vars) == {"x", "y"}


def test_transmission_reads_names_of_the_script_and_comes_with_the_delay(own: Rule) -> None:
    jump = 2 * mV
    source = SpikeGeneratorGroup(1, [0], [5] * ms)
    target = NeuronGroup(1, "dv/dt = -v/(10*ms) : volt", threshold="v > 1*volt", reset="v = 0*mV")
    synapses = own.synapses(source, target, transmission="v_post += w*jump", delay=3 * ms, initial={"w": 0.5})
    monitor = StateMonitor(target, "v", record=True)
    run(20 * ms)
    assert len(synapses) == 1
    assert monitor.v[0].max() / mV == pytest.approx(1.0)
    assert monitor.t[monitor.v[0].argmax()] / ms == pytest.approx(8.0)


def test_a_protocol_is_one_condition(own: Rule) -> None:
    protocol = pairing(7 * ms, n=5)
    alone = own.response(protocol.pre, protocol.post)["w"]
    assert alone.sizes == {"condition": 1}
    np.testing.assert_array_equal(alone, own.response([protocol.pre], [protocol.post])["w"])
    rows = own.response([[10, 30], [10, 40]] * ms, [[15, 35], [15, 45]] * ms)["w"]
    listed = own.response([[10, 30] * ms, [10, 40] * ms], [[15, 35] * ms, [15, 45] * ms])["w"]
    np.testing.assert_array_equal(rows, listed)


def test_bounds_may_be_parameters(own: Rule) -> None:
    rule = replace(own, parameters={**own.parameters, "top": 0.004}, bounds=(-1, "top"))
    assert rule.curve([5] * ms).values == pytest.approx([0.004], abs=1e-16)
    assert rule.changed(top=0.003).curve([5] * ms).values == pytest.approx([0.003], abs=1e-16)


@pytest.mark.parametrize(
    ("change", "values"),
    [("tau", [10, 20, 40] * ms), ("A", [0.01, -0.02, 0.5])],
)
def test_a_parameter_is_swept_with_one_model(own: Rule, change: str, values: Any) -> None:
    made = []

    def model(x: Any) -> None:
        made.append(x)
        pre, post = SpikeGeneratorGroup(1, [0], [10] * ms), SpikeGeneratorGroup(1, [0], [17] * ms)
        S = own.changed(**{change: x}).synapses(pre, post)
        run(20 * ms)

    found = sweep(model, x=values, record="S.w")["S.w"].values.reshape(-1)
    expected = [float(own.changed(**{change: x}).curve([7] * ms)[0]) for x in values]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15)
    assert len(made) == 1


def test_without_postsynaptic_spikes_a_delay_is_axonal() -> None:
    # with it behind the synapse, the next spike would overwrite what is still on its way
    def got(delay: float) -> float:
        start_scope()
        source, cell = SpikeGeneratorGroup(1, [0, 0, 0], [20, 22, 24] * ms), NeuronGroup(1, "got : 1")
        synapses = short_term().synapses(source, cell, transmission="got_post += released", delay=delay * ms)
        Network(source, cell, synapses).run(50 * ms)
        return float(cell.got[0])

    assert got(5) == got(0)
    for delays in ("dendritic", "split"):
        with pytest.raises(SetupError, match="can only be axonal"):
            short_term().with_conventions(delays=delays)


def test_groups_of_the_face_for_brian_2_have_synapses_of_their_kind(own: Rule) -> None:
    brian2.start_scope()
    pre, post = (brian2.SpikeGeneratorGroup(1, [0], [t] * brian2.ms) for t in (10, 17))
    synapses = own.synapses(pre, post)
    brian2.run(20 * brian2.ms)
    assert isinstance(synapses, brian2.Synapses)
    assert synapses.w[0] == pytest.approx(0.01 * np.exp(-7 / 20), abs=1e-15)


def test_mistakes_are_named(own: Rule) -> None:
    with pytest.raises(SetupError, match="between groups of neurons, not Neuron"):
        own.synapses(lif(), lif())
    with pytest.raises(SetupError, match="no parameter 'tau_plush'; did you mean 'tau_plus'"):
        pair().changed(tau_plush=1 * ms)
    with pytest.raises(DimensionMismatchError, match="another unit"):
        own.changed(tau=1 * mV)
    with pytest.raises(SetupError, match="coincidence of the rule 'odd' cannot be 'never'"):
        Rule("odd", "w : 1", coincidence="never")
    with pytest.raises(SetupError, match="made anew"):
        own.with_conventions(coincidence="discard")
    with pytest.raises(SetupError, match="no preset 'Song 200'; did you mean 'Song 2000'"):
        pair("Song 200")
    with pytest.raises(DimensionMismatchError, match="gaps need a unit of time"):
        own.curve([-10, 10])
    for options, message in (
        ({"rate": 1}, "rate of pairs has another unit"),
        ({"rate": 1 * ms}, "rate of pairs has another unit: it has to be a frequency"),
        ({"n_pairs": 0}, "n_pairs has to be from 1"),
        ({"n_pairs": 2.5}, "n_pairs has to be a whole number"),
        ({"delay": 1}, "a delay is a time"),
        ({"initial": {"W": 1}}, "no variable 'W'; did you mean 'w'"),
    ):
        with pytest.raises(EcclesError, match=message):
            own.curve([10] * ms, **options)
    with pytest.raises(SetupError, match="there is no curve over gaps"):
        short_term().curve()
    with pytest.raises(SetupError, match="no variable 'weight'"):
        own.response([[1] * ms], [[2] * ms], variables="weight")
    with pytest.raises(SetupError, match="1 presynaptic and 2 postsynaptic"):
        own.response([[1] * ms], [[1] * ms, [2] * ms])
    with pytest.raises(SetupError, match=r"'rho' .* cannot be set"):
        calcium().response([[1] * ms], [[2] * ms], initial={"rho": 0.2})
    for value in ("0.1", None, [0.1, 0.2], np.nan):
        with pytest.raises(SetupError, match=r"'A' of .* is one number, as in A = 0.01"):
            own.changed(A=value)
    for bounds in ((2, 1), 3, "default", ("A", "top"), (0 * mV, 1 * mV), (0, None)):
        with pytest.raises(SetupError, match="bound"):
            own.with_conventions(bounds=bounds)  # type: ignore[arg-type]
    for change, name in ((pair().changed, "tau_plus"), (inhibitory, "tau"), (calcium, "tau_Ca")):
        with pytest.raises(SetupError, match=r"time constant .* has to be positive"):
            change(**{name: -20 * ms})
    with pytest.raises(SetupError, match=r"'delays' is no parameter .*, but a convention"):
        calcium(delays="dendritic")
    with pytest.raises(SetupError, match="nothing that initial= could be set for"):
        own.synapses(SpikeGeneratorGroup(1, [], [] * ms), connect=False, initial={"w": 1})
