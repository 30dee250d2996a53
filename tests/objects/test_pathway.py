"""What happens at synapses when spikes arrive, against event-by-event simulations in plain Python."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eccles
import eccles.brian2
from eccles import (
    Network,
    NeuronGroup,
    SetupError,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    ms,
    run,
    second,
)

DT = 0.1  # ms
FACES = [eccles, eccles.brian2]
both_modes = pytest.mark.parametrize("spike_times", ["precise", "grid"])


def generator(n: int, spikes: list[tuple[int, int]], face: Any = eccles) -> Any:
    """Spikes as (step, neuron)."""
    spikes = sorted(spikes)
    return face.SpikeGeneratorGroup(n, [i for _, i in spikes], np.array([k for k, _ in spikes]) * DT * ms)


# -- arrival, on the grid -------------------------------------------------------------------------


@st.composite
def delayed_networks(draw: st.DrawFn) -> dict[str, Any]:
    n_pre, n_post = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    steps = draw(st.integers(1, 40))
    spikes = draw(st.sets(st.tuples(st.integers(0, steps - 1), st.integers(0, n_pre - 1)), max_size=25))
    pair = st.tuples(st.integers(0, n_pre - 1), st.integers(0, n_post - 1))
    pairs = draw(st.lists(pair, min_size=1, max_size=12))
    uniform = draw(st.booleans())
    delay = st.integers(0, 50)
    delays = [draw(delay)] * len(pairs) if uniform else [draw(delay) for _ in pairs]
    return {
        "n": (n_pre, n_post), "steps": steps, "spikes": sorted(spikes), "pairs": pairs, "delays": delays,
        "splits": draw(st.lists(st.integers(0, 30), min_size=1, max_size=3)),
    }  # fmt: skip


class Reference:
    """Spikes that wait for their step, in plain Python; each step handles what arrives, oldest first."""

    def __init__(self, n_post: int) -> None:
        self.x = [0.0] * n_post
        self.waiting: dict[int, list[tuple[int, int]]] = defaultdict(list)

    def step(self, k: int, spiking: list[int], pairs: list[tuple[int, int]], delays: list[int]) -> None:
        for source in spiking:
            for s, (i, _) in enumerate(pairs):
                if i == source:
                    self.waiting[k + delays[s]].append((s, pairs[s][1]))
        for s, target in self.waiting.pop(k, []):
            self.x[target] = 0.5 * self.x[target] + s + 1  # what came in which order can be read off this


def check_against_reference(network: dict[str, Any], changes: dict[int, list[int]] | None = None) -> None:
    n_pre, n_post = network["n"]
    source = generator(n_pre, network["spikes"])
    target = NeuronGroup(n_post, "x : 1")
    synapses = Synapses(source, target, "number : 1", on_pre="x_post = 0.5*x_post + number")
    synapses.connect(i=[i for i, _ in network["pairs"]], j=[j for _, j in network["pairs"]])
    synapses.number = np.arange(len(network["pairs"])) + 1
    synapses.delay = np.array(network["delays"]) * DT * ms
    net = Network(source, target, synapses, spike_times="grid")
    reference, k, delays = Reference(n_post), 0, network["delays"]
    for part, steps in enumerate(network["splits"]):
        if changes and part in changes:
            delays = changes[part]
            synapses.delay = np.array(delays) * DT * ms
        net.run(steps * DT * ms)
        for _ in range(steps):
            spiking = [i for step, i in network["spikes"] if step == k]
            reference.step(k, spiking, network["pairs"], delays)
            k += 1
        assert target.x[:].tolist() == reference.x


@given(network=delayed_networks())
def test_spikes_arrive_in_their_step_oldest_first(network: dict[str, Any]) -> None:
    check_against_reference(network)


@given(network=delayed_networks(), seed=st.integers(0, 1000))
def test_spikes_on_their_way_keep_their_time_when_delays_change(network: dict[str, Any], seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = len(network["pairs"])
    changes = {
        part: [int(rng.integers(0, 50))] * n if rng.random() < 0.5 else rng.integers(0, 50, n).tolist()
        for part in range(1, len(network["splits"]))
        if rng.random() < 0.7
    }
    check_against_reference({**network, "splits": [min(s + 5, 30) for s in network["splits"]]}, changes)


# -- arrival, in exact time -----------------------------------------------------------------------

moments = st.integers(0, 320).map(lambda k: k / 8)  # in time steps: every eighth at the end of one


@st.composite
def exactly_delayed_networks(draw: st.DrawFn) -> dict[str, Any]:
    n_pre, n_post = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    pair = st.tuples(st.integers(0, n_pre - 1), st.integers(0, n_post - 1))
    pairs = draw(st.lists(pair, min_size=1, max_size=12))
    uniform = draw(st.booleans())
    parts = draw(st.lists(st.integers(0, 30), min_size=1, max_size=3))

    def delays() -> list[float]:
        return [draw(moments)] * len(pairs) if uniform else [draw(moments) for _ in pairs]

    return {
        "n": (n_pre, n_post), "pairs": pairs, "parts": parts,
        "spikes": sorted(draw(st.sets(st.tuples(moments, st.integers(0, n_pre - 1)), max_size=25))),
        "delays": [delays() if k == 0 or draw(st.booleans()) else None for k in range(len(parts))],
        "dt": draw(st.sampled_from([DT, DT, DT / 2])),
    }  # fmt: skip


@given(network=exactly_delayed_networks())
def test_spikes_arrive_exactly_one_delay_later_also_when_delays_or_dt_change(network: dict[str, Any]) -> None:
    n_pre, n_post = network["n"]
    pairs, spikes = network["pairs"], network["spikes"]
    source = SpikeGeneratorGroup(n_pre, [i for _, i in spikes], [t * DT for t, _ in spikes] * ms)
    target = NeuronGroup(n_post, "x : 1")
    synapses = Synapses(source, target, "number : 1", on_pre="x_post += number*(1 + t/ms)")
    synapses.connect(i=[i for i, _ in pairs], j=[j for _, j in pairs])
    synapses.number = np.arange(len(pairs)) + 1
    net = Network(source, target, synapses)
    arrivals: list[tuple[float, int]] = []
    begin, delays = 0, []
    for k, (steps, changed) in enumerate(zip(network["parts"], network["delays"], strict=True)):
        if changed is not None:
            delays = changed
            synapses.delay = np.array(delays) * DT * ms
        net.run(steps * DT * ms)
        for t, i in spikes:
            if begin < t <= begin + steps or (t == begin == 0 and steps > 0):
                arrivals += [(t + delays[s], s) for s, (source_, _) in enumerate(pairs) if source_ == i]
        begin += steps
        expected = np.zeros(n_post)
        for t, s in arrivals:
            if t <= begin:
                expected[pairs[s][1]] += (s + 1) * (1 + t * DT)
        np.testing.assert_allclose(target.x[:], expected, rtol=1e-11)
        if k == 0:
            eccles.defaultclock.dt = network["dt"] * ms
    eccles.defaultclock.dt = DT * ms


# -- spikes on their way --------------------------------------------------------------------------


@both_modes
def test_synapses_made_later_do_not_see_spikes_on_their_way(spike_times: Any) -> None:
    source = generator(1, [(5, 0), (30, 0)])
    target = NeuronGroup(2, "x : 1")
    synapses = Synapses(source, target, on_pre="x_post += 1", delay=2 * ms)
    synapses.connect(i=0, j=0)
    net = Network(source, target, synapses, spike_times=spike_times)
    net.run(1 * ms)
    synapses.connect(i=0, j=1)
    net.run(3 * ms)
    assert target.x[:].tolist() == [1, 0]
    net.run(3 * ms)
    assert target.x[:].tolist() == [2, 1]


@both_modes
def test_a_pathway_made_later_does_not_see_earlier_spikes_that_another_still_waits_for(
    spike_times: Any,
) -> None:
    source = generator(1, [(5, 0)])
    target = NeuronGroup(2, "x : 1")
    first = Synapses(source, target, on_pre="x_post += 1", delay=2 * ms)
    first.connect(i=0, j=0)
    net = Network(source, target, first, spike_times=spike_times)
    net.run(1 * ms)
    second_one = Synapses(source, target, on_pre="x_post += 10", delay=1.5 * ms)
    second_one.connect(i=0, j=1)
    net.add(second_one)
    net.run(3 * ms)
    assert target.x[:].tolist() == [1, 0]


@both_modes
@pytest.mark.parametrize("heterogeneous", [False, True])
def test_restoring_puts_spikes_back_on_their_way(
    heterogeneous: bool, spike_times: Any, tmp_path: Any
) -> None:
    source = generator(2, [(5, 0), (8, 1), (9, 0), (25, 1)])
    target = NeuronGroup(2, "x : 1")
    synapses = Synapses(source, target, on_pre="x_post = 0.5*x_post + i + 2*j + 1")
    synapses.connect()
    synapses.delay = "(1 + i + 0.3*j)*ms" if heterogeneous else "1.5*ms"
    net = Network(source, target, synapses, spike_times=spike_times)
    net.run(1.2 * ms)
    net.store()
    net.store("file", filename=tmp_path / "state.npz")
    net.run(3 * ms)
    expected = target.x[:].copy()
    net.run(2 * ms)
    for restore in (net.restore, lambda: net.restore("file", filename=tmp_path / "state.npz")):
        synapses.delay = "3*i*ms"
        restore()
        net.run(3 * ms)
        np.testing.assert_array_equal(target.x[:], expected)


@pytest.mark.parametrize("delay", ["2*ms", "(1 + j)*ms"])
def test_the_time_step_of_a_grid_cannot_change_while_spikes_are_on_their_way(delay: str) -> None:
    source = generator(1, [(5, 0)])
    target = NeuronGroup(2, "x : 1")
    synapses = Synapses(source, target, on_pre="x_post += t/ms")
    synapses.connect()
    synapses.delay = delay
    net = Network(source, target, synapses, spike_times="grid")
    net.run(1 * ms)
    eccles.defaultclock.dt = 0.05 * ms
    with pytest.raises(SetupError, match="on their way"):
        net.run(1 * ms)
    eccles.defaultclock.dt = 0.1 * ms
    net.run(2 * ms)
    eccles.defaultclock.dt = 0.05 * ms
    net.run(1 * ms)
    np.testing.assert_allclose(target.x[:], [2.5, 2.5] if delay == "2*ms" else [1.5, 2.5])


@pytest.mark.parametrize("dt", [0.05, 0.06, 0.3])
@pytest.mark.parametrize("delay", ["2.003*ms", "(1.003 + j)*ms"])
def test_the_time_step_may_change_while_spikes_are_on_their_way_at_exact_times(delay: str, dt: float) -> None:
    source = SpikeGeneratorGroup(1, [0, 0], [0.51, 6.1] * ms)
    target = NeuronGroup(2, "x : 1")
    synapses = Synapses(source, target, on_pre="x_post += t/ms")
    synapses.connect()
    synapses.delay = delay
    net = Network(source, target, synapses)
    net.run(0.6 * ms)
    eccles.defaultclock.dt = dt * ms
    net.run(4.2 * ms)
    expected = np.array([2.513, 2.513] if delay == "2.003*ms" else [1.513, 2.513])
    np.testing.assert_allclose(target.x[:], expected, rtol=1e-12)
    eccles.defaultclock.dt = 0.1 * ms
    net.run(5.2 * ms)
    np.testing.assert_allclose(target.x[:], 2 * expected + 5.59, rtol=1e-12)


@pytest.mark.parametrize("uniform", [True, False])
@pytest.mark.parametrize("delay", [1e6 * second, 1e300 * second])
def test_delays_that_no_memory_holds_are_refused(delay: Any, uniform: bool) -> None:
    source, target = generator(1, [(5, 0)]), NeuronGroup(2, "x : 1")
    synapses = Synapses(source, target, on_pre="x_post += 1", delay=delay if uniform else None)
    synapses.connect()
    if not uniform:
        synapses.delay = [0, float(delay)] * second
    with pytest.raises(SetupError, match="time steps"):
        run(1 * ms)


@pytest.mark.parametrize("delay", [-1 * ms, math.nan * ms, math.inf * ms])
def test_delays_that_are_no_times_are_refused(delay: Any) -> None:
    source, target = generator(1, [(5, 0)]), NeuronGroup(2, "x : 1")
    with pytest.raises(SetupError):
        Synapses(source, target, on_pre="x_post += 1", delay=delay)
    synapses = Synapses(source, target, on_pre="x_post += 1")
    synapses.connect()
    with pytest.raises(SetupError):
        synapses.delay = delay
    with pytest.raises(SetupError):
        synapses.delay[0, 1] = delay
    with pytest.raises(eccles.DimensionMismatchError):
        synapses.delay = 3 * eccles.mV


@both_modes
def test_delays_longer_than_the_run_do_nothing_yet(spike_times: Any) -> None:
    source, target = generator(1, [(0, 0)]), NeuronGroup(2, "x : 1")
    synapses = Synapses(source, target, on_pre="x_post += 1")
    synapses.connect()
    synapses.delay = [100, 100.5] * ms
    net = Network(source, target, synapses, spike_times=spike_times)
    net.run(50 * ms)
    assert target.x[:].tolist() == [0, 0]
    net.run(50.2 * ms)
    assert target.x[:].tolist() == [1, 0]
    net.run(0.4 * ms)
    assert target.x[:].tolist() == [1, 1]


# -- plasticity -----------------------------------------------------------------------------------

TAU_PRE, TAU_POST, A_PRE, A_POST, W_MAX = 20.0, 15.0, 0.03, -0.031, 1.0  # ms


def pair_rule(pre: list[int], post: list[int], w: float, end: int) -> tuple[float, float, float]:
    """Weight and traces (as of step `end`) after arrivals of both sides at these steps."""
    a_pre = a_post = 0.0
    last = 0
    events = sorted([(k, 0) for k in pre] + [(k, 1) for k in post])  # pre first where both coincide
    for k, side in [*events, (end, 2)]:
        a_pre *= math.exp(-(k - last) * DT / TAU_PRE)
        a_post *= math.exp(-(k - last) * DT / TAU_POST)
        last = k
        if side == 0:
            a_pre += A_PRE
            w = min(max(w + a_post, 0.0), W_MAX)
        elif side == 1:
            a_post += A_POST
            w = min(max(w + a_pre, 0.0), W_MAX)
    return w, a_pre, a_post


@st.composite
def plastic_networks(draw: st.DrawFn) -> dict[str, Any]:
    steps = 300
    train = st.lists(st.integers(0, steps - 1), max_size=12, unique=True)
    pre = [draw(train) for _ in range(draw(st.integers(1, 3)))]
    post = [draw(train) for _ in range(draw(st.integers(1, 3)))]
    n = len(pre) * len(post)
    kind = draw(st.sampled_from(["none", "uniform", "heterogeneous"]))
    high = {"none": 0, "uniform": 60, "heterogeneous": 60}[kind]
    d_pre = draw(st.lists(st.integers(0, high), min_size=n, max_size=n))
    d_post = draw(st.lists(st.integers(0, high), min_size=n, max_size=n))
    if kind == "uniform":
        d_pre, d_post = [d_pre[0]] * n, [d_post[0]] * n
    return {"steps": steps, "pre": pre, "post": post, "d_pre": d_pre, "d_post": d_post,
            "split": draw(st.integers(0, steps))}  # fmt: skip


def plastic_synapses(network: dict[str, Any], face: Any, spike_times: Any = None) -> tuple[Any, Any]:
    pre = generator(len(network["pre"]), [(k, i) for i, t in enumerate(network["pre"]) for k in t], face)
    post = generator(len(network["post"]), [(k, i) for i, t in enumerate(network["post"]) for k in t], face)
    names = {"tau_pre": TAU_PRE * ms, "tau_post": TAU_POST * ms, "A_pre": A_PRE, "A_post": A_POST,
             "w_max": W_MAX}  # fmt: skip
    synapses = face.Synapses(
        pre, post,
        """w : 1
        da/dt = -a/tau_pre : 1 (event-driven)
        db/dt = -b/tau_post : 1 (event-driven)""",
        on_pre="a += A_pre; w = clip(w + b, 0, w_max)",
        on_post="b += A_post; w = clip(w + a, 0, w_max)",
        namespace=names,
    )  # fmt: skip
    synapses.connect()
    synapses.w = "0.3 + 0.1*i + 0.05*j"
    synapses.pre.delay = np.array(network["d_pre"]) * DT * ms
    synapses.post.delay = np.array(network["d_post"]) * DT * ms
    return synapses, face.Network(pre, post, synapses, spike_times=spike_times)


@both_modes
@given(network=plastic_networks())
def test_pair_stdp_with_delays_of_both_sides(network: dict[str, Any], spike_times: str) -> None:
    synapses, net = plastic_synapses(network, eccles, spike_times)
    last = 300 if spike_times == "precise" else 299  # the end of a run belongs to it
    net.run(network["split"] * DT * ms)
    net.run((network["steps"] - network["split"]) * DT * ms)
    for s, (i, j) in enumerate(zip(synapses.i[:], synapses.j[:], strict=True)):
        pre = [k + network["d_pre"][s] for k in network["pre"][i] if k + network["d_pre"][s] <= last]
        post = [k + network["d_post"][s] for k in network["post"][j] if k + network["d_post"][s] <= last]
        w, a, b = pair_rule(pre, post, 0.3 + 0.1 * i + 0.05 * j, 300)
        assert synapses.w[i, j] == pytest.approx(w, rel=1e-12, abs=1e-13)
        assert synapses.a[s] == pytest.approx(a, rel=1e-12, abs=1e-15)
        assert synapses.b[s] == pytest.approx(b, rel=1e-12, abs=1e-15)


@both_modes
@pytest.mark.parametrize("uniform", [True, False])
def test_event_driven_variables_read_as_of_now_or_as_of_their_last_update(
    uniform: bool, spike_times: Any
) -> None:
    network = {
        "pre": [[10, 50]],
        "post": [[30], []],
        "d_pre": [5, 5 if uniform else 7],
        "d_post": [0, 0],
    }
    now, net = plastic_synapses(network, eccles, spike_times)
    net.run(20 * ms)
    then, net = plastic_synapses(network, eccles.brian2, spike_times)
    net.run(20 * ms)
    _, a_now, _ = pair_rule([15, 55], [30], 0.3, 200)
    _, a_then, _ = pair_rule([15, 55], [30], 0.3, 55)
    assert now.a[0] == pytest.approx(a_now, rel=1e-12)
    assert then.a[0] == pytest.approx(a_then, rel=1e-12)
    np.testing.assert_allclose(then.lastupdate / ms, [5.5, 5.5 if uniform else 5.7])


def test_setting_an_event_driven_variable_sets_its_value_as_of_now() -> None:
    network = {"pre": [[10]], "post": [[30]], "d_pre": [0], "d_post": [0]}
    synapses, net = plastic_synapses(network, eccles)
    net.run(5 * ms)
    b = synapses.b[0]
    synapses.a = 1
    assert synapses.a[0] == 1
    assert synapses.b[0] == pytest.approx(b, rel=1e-12)
    net.run(3 * ms)
    assert synapses.a[0] == pytest.approx(math.exp(-3 / TAU_PRE), rel=1e-12)


@both_modes
@pytest.mark.parametrize("uniform", [True, False])
def test_event_driven_variables_of_new_synapses_are_zero_as_of_now(uniform: bool, spike_times: Any) -> None:
    source, target = generator(1, [(150, 0)]), NeuronGroup(2, "x : 1")
    synapses = Synapses(
        source, target, "du/dt = (1 - u)/(5*ms) : 1 (event-driven)\nw : 1", on_pre="w = u; u += 0*w"
    )
    synapses.connect(i=0, j=0)
    synapses.delay = 0 * ms if uniform else [0.1] * ms
    net = Network(source, target, synapses, spike_times=spike_times)
    net.run(10 * ms)
    synapses.connect(i=0, j=1)
    np.testing.assert_allclose(synapses.u[:], [1 - math.exp(-2), 0], rtol=1e-12)
    synapses.delay = [0, 0.1] * ms
    net.run(10 * ms)
    np.testing.assert_allclose(synapses.w[:], [1 - math.exp(-3), 1 - math.exp(-5.1 / 5)], rtol=1e-12)


# -- pathways -------------------------------------------------------------------------------------


@pytest.mark.parametrize("face", FACES)
def test_pathways_run_pre_before_post_then_by_order_then_by_name(face: Any) -> None:
    source, target = generator(1, [(3, 0)], face), generator(1, [(3, 0)], face)
    texts = {name: f"ran = 10*ran + {k}" for name, k in [("b", 2), ("a", 1), ("c", 3)]}
    synapses = face.Synapses(source, target, "ran : 1", on_pre=texts, on_post={"d": "ran = 10*ran + 4"})
    synapses.connect()
    net = face.Network(source, target, synapses)
    synapses.c.order = -2
    net.run(1 * ms)
    assert synapses.ran[:].tolist() == [3124]
    assert synapses.b.order == -1
    assert synapses.d.order == 1
    assert len(synapses.b) == 1


@pytest.mark.parametrize("face", FACES)
def test_each_pathway_has_a_delay_and_an_event_of_its_own(face: Any) -> None:
    source = generator(1, [(3, 0)], face)
    target = face.NeuronGroup(1, "x : 1", events={"above": "x > 0.5"}, threshold="x > 1e9")
    synapses = face.Synapses(
        source, target, "t_slow : second\nt_fast : second\ncount : 1",
        on_pre={"slow": "t_slow = t", "fast": "t_fast = t; x_post = 1"}, on_post={"up": "count += 1"},
        delay={"slow": 1 * ms, "up": 0.5 * ms}, on_event={"up": "above"},
    )  # fmt: skip
    synapses.connect()
    net = face.Network(source, target, synapses)
    net.run(2 * ms)
    np.testing.assert_allclose(synapses.t_slow / ms, 1.3)
    np.testing.assert_allclose(synapses.t_fast / ms, 0.3)
    # above from step 4 on, or in exact time from 0.3 ms on, the end of step 2; arrives 5 steps later each
    assert synapses.count[:].tolist() == ([20 - 2 - 5] if face is eccles else [20 - 4 - 5])
    assert synapses.slow.delay / ms == pytest.approx(1)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"on_pre": "x_post += 1", "delay": {"post": 1 * ms}}, "'post'"),
        ({"on_pre": {"one": "x_post += 1"}, "on_event": {"two": "spike"}}, "'two'"),
        ({"on_pre": {"same": "x_post += 1"}, "on_post": {"same": "x_post += 1"}}, "two pathways"),
        ({"delay": 1 * ms}, "no pathway"),
        ({"on_pre": "x_post += 1", "delay": [1, 2] * ms}, "after connect"),
        ({"on_pre": "x_post += 1", "on_event": "other"}, "no event 'other'"),
        ({"on_post": "x_post += 1"}, "no threshold"),
    ],
)
def test_pathways_that_do_not_fit_are_refused(arguments: dict[str, Any], text: str) -> None:
    source, target = generator(1, [(3, 0)]), NeuronGroup(1, "x : 1")
    with pytest.raises(SetupError) as caught:
        Synapses(source, target, **arguments)
    assert text in str(caught.value)


def test_delays_given_at_construction_stay_one_for_all() -> None:
    source, target = generator(1, [(3, 0)]), NeuronGroup(2, "x : 1")
    synapses = Synapses(source, target, on_pre="x_post += 1", delay=1 * ms)
    synapses.connect()
    synapses.delay = 2 * ms
    assert synapses.delay / ms == pytest.approx(2)
    with pytest.raises(SetupError):
        synapses.delay = [1, 2] * ms
    with pytest.raises(SetupError):
        synapses.delay = "j*ms"


def test_both_names_of_a_target_variable_mean_the_same() -> None:
    source, target = generator(1, [(3, 0)]), NeuronGroup(1, "x : 1\ny : 1")
    synapses = Synapses(source, target, on_pre="x += 1; x_post += 10; y = x")
    synapses.connect()
    run(1 * ms)
    assert target.x[0] == 11
    assert target.y[0] == 11


@pytest.mark.parametrize("period", [1, 1.2])  # the latter ends just when a spike arrives, which then counts
def test_input_reaches_a_target_from_the_end_of_its_refractory_period_on(
    period: float,
) -> None:
    source = generator(1, [(k, 0) for k in range(0, 60, 3)])
    target = NeuronGroup(
        1, "dv/dt = 0/second : 1 (unless refractory)\nseen : 1", threshold="v > 1", reset="v = 0",
        refractory=period * ms,
    )  # fmt: skip
    synapses = Synapses(source, target, on_pre="v_post += 0.6; seen_post = v_post")
    synapses.connect()
    trace = StateMonitor(target, ["v", "seen"], record=0, dt=0.3 * ms)
    spikes = SpikeMonitor(target)
    net = Network(source, target, synapses, trace, spikes)
    net.run(3 * ms)
    np.testing.assert_allclose(spikes.t / ms, [0.3, 1.8])
    v = [0.6, 0, 0, 0, 0, 0.6, 0, 0, 0, 0, 0.6]  # at 0, 0.3 ... 3 ms; nothing is added from 0.6 to 1.2 ms
    assert trace.v[0, 2::].tolist() == v[2:]
    assert trace.seen[0, 2:].tolist() == [0, 0, 0, 0.6, 1.2, 0, 0, 0, 0.6]


def test_input_does_not_reach_a_refractory_target_that_is_frozen_on_the_grid() -> None:
    source = generator(1, [(k, 0) for k in range(0, 60, 3)])
    target = NeuronGroup(
        1, "dv/dt = 0/second : 1 (unless refractory)\nseen : 1", threshold="v > 1", reset="v = 0",
        refractory=1 * ms,
    )  # fmt: skip
    synapses = Synapses(source, target, on_pre="v_post += 0.6; seen_post = v_post")
    synapses.connect()
    trace = StateMonitor(target, ["v", "seen"], record=0)
    spikes = SpikeMonitor(target)
    Network(source, target, synapses, trace, spikes, spike_times="grid").run(3 * ms)
    v, seen, until, times = 0.0, 0.0, -1, []
    for k in range(30):
        if v > 1 and k >= until:
            times.append(k)
            until, v = k + 10, v  # the reset comes after the synapses
        frozen = k < until
        if k % 3 == 0:
            v = v if frozen else v + 0.6
            seen = v
        if times and times[-1] == k:
            v = 0.0
        if k + 1 < 30:
            assert trace.v[0, k + 1] == v
            assert trace.seen[0, k + 1] == seen
    np.testing.assert_allclose(spikes.t / ms, np.array(times) * DT)


def test_clocks_of_both_sides_may_differ() -> None:
    fast = SpikeGeneratorGroup(1, [0, 0], [1, 2] * ms, dt=0.1 * ms)
    slow = SpikeGeneratorGroup(1, [0, 0], [1, 2] * ms, dt=0.5 * ms)
    synapses = Synapses(
        fast, slow, "a : 1\nb : 1\nt_a : second\nt_b : second\ndx/dt = -x/(5*ms) : 1 (event-driven)",
        on_pre="a += 1; t_a = t; x += 1", on_post="b += 1; t_b = t; x += 1",
    )  # fmt: skip
    synapses.connect()
    synapses.pre.delay = 0.3 * ms
    synapses.post.delay = 0.3 * ms
    run(5 * ms)
    # run with Brian 2.9: the delay of the slow side is rounded to one of its steps
    assert (synapses.a[0], synapses.b[0]) == (2, 2)
    np.testing.assert_allclose([synapses.t_a[0] / ms, synapses.t_b[0] / ms], [2.3, 2.5])
    expected = sum(math.exp(-(5 - t) / 5) for t in (1.3, 1.5, 2.3, 2.5))
    assert synapses.x[0] == pytest.approx(expected, rel=1e-12)


@both_modes
def test_random_numbers_in_a_pathway_are_drawn_for_each_arrival(spike_times: Any) -> None:
    source = generator(10, [(k, i) for k in range(50) for i in range(10)])
    target = NeuronGroup(20, "released : integer\nsum : 1\nsquares : 1")
    synapses = Synapses(
        source, target, "count : 1",
        on_pre="u = rand(); released_post += int(u < 0.3); sum_post += u; squares_post += u**2; count += 1",
    )  # fmt: skip
    synapses.connect()
    Network(source, target, synapses, spike_times=spike_times).run(6 * ms)
    n = 10 * 20 * 50
    assert np.all(synapses.count[:] == 50)
    assert abs(np.sum(target.released) - 0.3 * n) < 5 * math.sqrt(0.21 * n)
    assert abs(np.sum(target.sum) - n / 2) < 5 * math.sqrt(n / 12)
    assert abs(np.sum(target.squares) - n / 3) < 5 * math.sqrt(n * 4 / 45)
    assert len(np.unique(target.sum[:])) == 20


@both_modes
def test_code_reads_the_delays_of_a_pathway_that_is_not_active(spike_times: Any) -> None:
    source = SpikeGeneratorGroup(1, [0, 0], [0.1, 0.3] * ms)
    target = NeuronGroup(30, "v : 1")
    synapses = Synapses(
        source, target, "d = delay/ms : 1 (constant over dt)", on_pre={"pre": "", "other": "v += d"}
    )
    synapses.connect(i=0, j=0)
    synapses.delay = 2 * ms
    synapses.pre.active = False
    network = Network(source, target, synapses, spike_times=spike_times)
    network.run(0.2 * ms)
    synapses.connect(i=[0] * 29, j=np.arange(1, 30))
    synapses.delay = "j*ms"
    network.run(0.2 * ms)
    np.testing.assert_allclose(target.v, [2, *range(1, 30)])


def test_synapses_made_after_a_delay_was_set_have_none() -> None:
    group = eccles.NeuronGroup(2, "v : 1", threshold="v > 1")
    synapses = eccles.Synapses(group, group, on_pre="v_post += 0")
    synapses.connect(i=0, j=0)
    synapses.delay = 2 * ms
    synapses.connect(i=1, j=1)
    np.testing.assert_allclose(synapses.delay / ms, [2, 0])
    for_all = eccles.Synapses(group, group, on_pre="v_post += 0", delay=2 * ms)
    for_all.connect(i=0, j=0)
    for_all.connect(i=1, j=1)
    np.testing.assert_allclose(for_all.delay / ms, 2)


@pytest.mark.parametrize("mode", ["precise", "grid"])
@pytest.mark.parametrize("delay", [None, 2.5 * ms, "various"])
def test_spikes_that_no_neuron_has_fired_arrive_when_they_are_told(mode: str, delay: Any) -> None:
    source = SpikeGeneratorGroup(2, [0, 1], [1, 2] * ms)
    target = NeuronGroup(2, "v : 1", threshold="v > 100", reset="v = 0")
    synapses = Synapses(source, target, "last : second", on_pre="v_post += 1; last = t",
                        delay=None if isinstance(delay, str) else delay)  # fmt: skip
    synapses.connect()
    if isinstance(delay, str):
        synapses.delay = [0, 1, 2, 3] * ms
    network = Network(source, target, synapses, spike_times=mode)
    network.run(3 * ms)
    synapses.pre.deliver(np.array([1, 2]), np.array([4e-3, 7e-3]), 0)
    network.run(10 * ms)
    np.testing.assert_array_equal(np.array(target.v[:]), [3, 3])
    np.testing.assert_allclose(synapses.last[1:3] / ms, [7, 10], rtol=1e-12)


def test_spikes_cannot_be_sent_where_nothing_is() -> None:
    source = SpikeGeneratorGroup(1, [0], [1] * ms)
    synapses = Synapses(source, source, "n : 1", on_pre="n += 1")
    synapses.connect()
    for which, ahead, error in ((1, 0.0, IndexError), (-1, 0.0, IndexError), (0, -1e-3, SetupError),
                                (0, 1e9, SetupError)):  # fmt: skip
        with pytest.raises(error):
            synapses.pre.deliver(np.array([which]), np.array([ahead]), 0)
