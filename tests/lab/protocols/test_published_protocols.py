"""Protocols as they are published: how many spikes, which intervals, in which order."""

from __future__ import annotations

import contextlib
import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eccles import EcclesError, SetupError
from eccles.lab.protocols import (
    PROTOCOLS,
    Protocol,
    burst_pairing,
    low_frequency,
    markram_1997,
    paired_pulses,
    pairing,
    post_pre_post,
    pre_post_pre,
    quadruplets,
    sjostrom_2001,
    sjostrom_2001_continuous,
    strong_low_frequency,
    tetanus,
    tetanus_in_vivo,
    theta_burst,
    theta_burst_short,
    weak_tetanus,
)
from eccles.lab.rules import pair
from eccles.units import Hz, ms, second


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected, float), rtol=0, atol=1e-12)


def pairs_of(protocol: Protocol) -> np.ndarray:
    """Post minus pre, for trains with as many spikes on both sides."""
    return np.asarray(protocol.post) - np.asarray(protocol.pre)


# -- Wang et al. 2005 -------------------------------------------------------------------------------


@pytest.mark.parametrize(("one", "other"), [(5, -5), (10, -10), (15, -5), (5, -15)])
def test_pre_post_pre_has_both_gaps_of_the_postsynaptic_spike(one: int, other: int) -> None:
    protocol = pre_post_pre(one * ms, other * ms)
    first, second_ = np.asarray(protocol.pre)[::2], np.asarray(protocol.pre)[1::2]
    assert len(first) == len(second_) == len(protocol.post) == 60
    close(protocol.post - first * second, np.full(60, one * 1e-3))
    close(protocol.post - second_ * second, np.full(60, other * 1e-3))
    close(np.diff(first), np.ones(59))


@pytest.mark.parametrize(("one", "other"), [(-5, 5), (-10, 10), (-5, 15), (-15, 5)])
def test_post_pre_post_has_both_gaps_of_the_presynaptic_spike(one: int, other: int) -> None:
    protocol = post_pre_post(one * ms, other * ms)
    first, second_ = np.asarray(protocol.post)[::2], np.asarray(protocol.post)[1::2]
    assert len(first) == len(second_) == len(protocol.pre) == 60
    close(first - np.asarray(protocol.pre), np.full(60, one * 1e-3))
    close(second_ - np.asarray(protocol.pre), np.full(60, other * 1e-3))
    close(np.diff(first), np.ones(59))


@pytest.mark.parametrize("T", [-88.5, 20.0, 83.7])
def test_quadruplets_have_two_pairs_of_opposite_order_t_apart(T: float) -> None:
    protocol = quadruplets(T * ms)
    pre, post = (np.asarray(t).reshape(60, 2) for t in (protocol.pre, protocol.post))
    # with T > 0 the first pair is post-pre: then its postsynaptic spike is the first of all
    assert np.all((post[:, 0] < pre[:, 0]) == (T > 0))
    assert np.all((post[:, 1] > pre[:, 1]) == (T > 0))
    close(abs(post - pre), np.full((60, 2), 0.005))
    middle = (pre + post) / 2
    close(middle[:, 1] - middle[:, 0], np.full(60, abs(T) * 1e-3))
    # from the post-pre pair to the pre-post pair: T with its sign
    causal = np.where(post > pre, middle, 0).sum(axis=1)
    close(causal - (middle.sum(axis=1) - causal), np.full(60, T * 1e-3))


@pytest.mark.parametrize("T", [-88.5, 20.0, 83.7])
def test_t_of_a_quadruplet_can_be_that_of_its_inner_spikes(T: float) -> None:
    protocol = quadruplets(T * ms, T_between="inner spikes")
    inner = np.asarray(protocol.pre if T > 0 else protocol.post).reshape(60, 2)
    close(inner[:, 1] - inner[:, 0], np.full(60, abs(T) * 1e-3))


# -- bursts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", [10, -10])
@pytest.mark.parametrize("rate", [10, 20, 40, 50])
def test_sjostrom_has_75_pairs_in_15_bursts(gap: int, rate: int) -> None:
    protocol = sjostrom_2001(gap * ms, rate * Hz)
    assert len(protocol.pre) == 75
    close(pairs_of(protocol), np.full(75, gap * 1e-3))
    bursts = np.asarray(protocol.pre).reshape(15, 5)
    close(np.diff(bursts, axis=1), np.full((15, 4), 1 / rate))
    close(np.diff(bursts[:, 0]), np.full(14, 10.0))
    close(protocol.duration, 150.0)


def test_sjostrom_at_a_tenth_of_a_hertz_has_50_pairs_in_a_row() -> None:
    protocol = sjostrom_2001(-10 * ms, 0.1 * Hz)
    assert len(protocol.pre) == 50
    close(pairs_of(protocol), np.full(50, -0.01))
    close(np.diff(protocol.pre), np.full(49, 10.0))


def test_sjostrom_as_models_have_it_is_60_pairs_at_equal_intervals() -> None:
    protocol = sjostrom_2001_continuous(10 * ms, 40 * Hz)
    close(pairs_of(protocol), np.full(60, 0.01))
    close(np.diff(protocol.pre), np.full(59, 0.025))


def test_markram_has_10_bursts_of_5_pairs_every_4_seconds() -> None:
    protocol = markram_1997(-10 * ms)
    bursts = np.asarray(protocol.post).reshape(10, 5)
    close(np.diff(bursts, axis=1), np.full((10, 4), 0.1))
    close(np.diff(bursts[:, 0]), np.full(9, 4.0))
    close(pairs_of(protocol), np.full(50, -0.01))


# -- stimulation of fibres --------------------------------------------------------------------------


def test_theta_bursts_are_three_trains_of_ten_bursts_of_four() -> None:
    pulses = np.asarray(theta_burst().pre).reshape(3, 10, 4)
    close(np.diff(pulses, axis=2), np.full((3, 10, 3), 0.01))
    close(np.diff(pulses[:, :, 0], axis=1), np.full((3, 9), 0.2))
    close(np.diff(pulses[:, 0, 0]), [10.0, 10.0])
    assert len(theta_burst().post) == 0


@pytest.mark.parametrize("n", [2, 5])
def test_short_theta_bursts_have_trains_of_five_bursts(n: int) -> None:
    pulses = np.asarray(theta_burst_short(n_trains=n).pre).reshape(n, 5, 4)
    close(np.diff(pulses[:, :, 0], axis=1), np.full((n, 4), 0.2))


def test_tetani_have_their_pulses() -> None:
    close(tetanus().pre, np.arange(100) / 100)
    close(weak_tetanus().pre, np.arange(21) / 100)
    trains = np.asarray(tetanus_in_vivo().pre).reshape(10, 20)
    close(np.diff(trains, axis=1), np.full((10, 19), 0.005))
    close(np.diff(trains[:, 0]), np.full(9, 2.0))
    strong = np.asarray(tetanus(n_trains=3).pre).reshape(3, 100)
    close(strong[:, 0], [0, 600, 1200])


def test_low_frequencies_last_a_quarter_of_an_hour() -> None:
    close(low_frequency().pre, np.arange(900))
    close(low_frequency().duration, 900)
    close(
        np.asarray(strong_low_frequency().pre).reshape(900, 3)[:, 1:], np.arange(900)[:, None] + [0.05, 0.1]
    )


def test_paired_pulses_come_in_pairs() -> None:
    close(paired_pulses().pre, [0, 0.05])
    close(paired_pulses(20 * ms, n=3).pre, [0, 0.02, 10, 10.02, 20, 20.02])


# -- all of them ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_of_the_table_can_be_read_and_used(name: str) -> None:
    protocol = PROTOCOLS[name]()
    assert isinstance(protocol, Protocol)
    assert protocol.description in str(protocol)
    assert len(protocol.pre) > 0


def test_a_rule_takes_protocols_as_they_are() -> None:
    # all pairs of a quadruplet, and of no others: they are a second apart, 50 time constants
    rule = pair("Song 2000", A_plus=0.001, A_minus=0.001).with_conventions(initial={"w": 0.5}, bounds=None)
    protocol = quadruplets(20 * ms, n=1)
    change = float(rule.response([protocol.pre], [protocol.post])["w"][0]) - 0.5
    pre, post = np.array([5e-3, 20e-3]), np.array([0, 25e-3])
    gaps = np.subtract.outer(post, pre)
    assert change == pytest.approx(np.sum(np.sign(gaps) * 0.001 * np.exp(-abs(gaps) / 0.02)), abs=1e-15)


def test_postsynaptic_spikes_can_be_paired_with_any_stimulation() -> None:
    for gap in (5, -5):
        protocol = theta_burst().paired(gap * ms)
        close(pairs_of(protocol), np.full(120, gap * 1e-3))
        assert float(protocol.post.min()) >= 0
        assert float(protocol.pre.min()) >= 0
    with pytest.raises(SetupError, match="says already when the postsynaptic neuron spikes"):
        pairing(10 * ms).paired(5 * ms)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: pre_post_pre(-5 * ms, 5 * ms), "gap_1 is positive and gap_2 negative"),
        (lambda: post_pre_post(5 * ms, -5 * ms), "gap_1 is negative and gap_2 positive"),
        (lambda: pre_post_pre(600 * ms, -600 * ms), "takes 1.2 s and cannot come at 1"),
        (lambda: quadruplets(3 * ms), "overlap where T is 3"),
        (lambda: quadruplets(20 * ms, T_between="pre"), "'midpoints' or 'inner spikes', not 'pre'"),  # type: ignore[arg-type]
        (lambda: burst_pairing(n_pairs=5, rate=1 * Hz, interval=2 * second), "but bursts come every 2"),
        (lambda: theta_burst(train_interval=1 * second), "a train takes 2 s"),
        (lambda: paired_pulses(11 * second, n=2), "cannot come every 10"),
        (lambda: pairing(10 * ms, n=0), "number of pairs has to be from 1"),
        (lambda: tetanus(n_pulses=10**12), "from 1 to 100000000, not 1000000000000"),
        (lambda: low_frequency(rate=5 * ms), "the rate has another unit"),
        (lambda: pairing().repeated(2.5, 60 * second), "has to be a whole number, not 2.5"),  # type: ignore[arg-type]
        (lambda: pairing().repeated(2, 30.5 * second), "cannot be done every 30.5"),
        (lambda: pairing().repeated(2, 60), "the interval has another unit"),
        (lambda: pairing().then(pairing(), pause=5), "the pause has another unit: it has to be a time"),
        (lambda: pairing().after(-5 * second), "the pause has to be at least 0"),
        (lambda: Protocol("mine", [-1, 1] * second, [], 5 * second), "cannot come before the start"),
        (lambda: Protocol("mine", [], [2, 2] * second, 5 * second), "'mine' have the same time twice"),
    ],
)  # fmt: skip
def test_mistakes_are_named(make: Any, message: str) -> None:
    with pytest.raises(EcclesError, match=message):
        make()


anything = st.one_of(
    st.none(), st.text(max_size=3), st.integers(-3, 100), st.integers(10**9, 10**20), st.floats(),
    st.builds(lambda x: x * Hz, st.floats(allow_nan=True)), st.builds(lambda x: x * ms, st.floats(-1e3, 1e3)),
    st.builds(lambda x: x * second, st.floats(allow_nan=True)), st.just([1, 2] * ms), st.just("midpoints"),
)  # fmt: skip
KEYWORDS = ("gap", "gap_1", "gap_2", "T", "T_between", "n", "rate", "n_pairs", "n_bursts", "interval",
            "n_slow", "n_pulses", "n_trains", "train_interval", "every")  # fmt: skip


@given(name=st.sampled_from(list(PROTOCOLS)), given=st.dictionaries(st.sampled_from(KEYWORDS), anything))
def test_bad_input_gives_errors_of_eccles_only(name: str, given: dict[str, Any]) -> None:
    make = PROTOCOLS[name]
    with contextlib.suppress(EcclesError):
        make(**{k: v for k, v in given.items() if k in inspect.signature(make).parameters})
