"""Synapses: what they are made of, reading and writing their state, equations between events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import eccles
import eccles.brian2
from eccles import (
    DimensionMismatchError,
    EquationError,
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    SetupError,
    SpikeGeneratorGroup,
    StateMonitor,
    Synapses,
    ms,
    mV,
    nS,
    run,
    second,
)
from eccles.errors import ModelError

FACES = [eccles, eccles.brian2]


def made(model: str = "w : 1", face: Any = eccles, **arguments: Any) -> Any:
    """4 sources, 3 targets, all pairs but i == j, those with i = 3 twice."""
    pre = face.NeuronGroup(4, "x : 1\nv : volt\nE : volt (shared)", threshold="x > 1e9")
    post = face.NeuronGroup(3, "y : 1\nv : volt\ntotal : 1", threshold="y > 1e9")
    synapses = face.Synapses(pre, post, model, on_pre="y_post += 0", multisynaptic_index="m", **arguments)
    synapses.connect(condition="i != j and i < 3")
    synapses.connect(i=3, j=[0, 1, 2], n=2)
    synapses.add_attribute("groups")
    synapses.groups = pre, post
    return synapses


I = np.array([0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3])  # noqa: E741
J = np.array([1, 2, 0, 2, 0, 1, 0, 0, 1, 1, 2, 2])
M = np.array([0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1])

INDICES: list[tuple[Any, np.ndarray]] = [
    (slice(None), np.arange(12)),
    (slice(2, 9, 3), np.array([2, 5, 8])),
    ([5, 1, -1], np.array([5, 1, 11])),
    (np.array([True] * 3 + [False] * 9), np.arange(3)),
    ("i == 2", np.flatnonzero(I == 2)),
    ("i > j and m == 0", np.flatnonzero((I > J) & (M == 0))),
    ((1, slice(None)), np.flatnonzero(I == 1)),
    ((slice(None), 2), np.flatnonzero(J == 2)),
    ((slice(1, 3), [0, 2]), np.flatnonzero((I > 0) & (I < 3) & (J != 1))),
    ((3, 1), np.flatnonzero((I == 3) & (J == 1))),
    ((3, slice(None), 1), np.flatnonzero((I == 3) & (M == 1))),
    ((slice(None), slice(None), 0), np.flatnonzero(M == 0)),
    ((-1, 0), np.flatnonzero((I == 3) & (J == 0))),
]


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(("item", "positions"), INDICES)
def test_indices_choose_synapses(face: Any, item: Any, positions: np.ndarray) -> None:
    synapses = made(face=face)
    np.testing.assert_array_equal(synapses.i[:], I)
    np.testing.assert_array_equal(synapses.j[:], J)
    np.testing.assert_array_equal(synapses.m[:], M)
    synapses.w = np.arange(12.0)
    np.testing.assert_array_equal(synapses.w[item], positions)
    np.testing.assert_array_equal(np.asarray(synapses[item]), positions)
    synapses.w[item] = -5
    expected = np.arange(12.0)
    expected[positions] = -5
    np.testing.assert_array_equal(synapses.w[:], expected)
    synapses.w[item] = "100*i + 10*j + m"
    expected[positions] = (100 * I + 10 * J + M)[positions]
    np.testing.assert_array_equal(synapses.w[:], expected)
    synapses.delay[item] = "(i + 1)*ms"
    np.testing.assert_allclose(synapses.delay[item] / ms, (I + 1)[positions])


def test_one_synapse_is_a_value_here_and_an_array_in_brian_2() -> None:
    synapses = made()
    assert np.ndim(synapses.w[0, 1]) == 0
    assert np.shape(synapses.w[3, 1]) == (2,)
    assert np.ndim(synapses.w[3, 1, 1]) == 0
    with pytest.raises(IndexError, match="no synapse from 0 to 0"):
        synapses.w[0, 0]
    compatible = made(face=eccles.brian2)
    assert np.shape(compatible.w[0, 1]) == (1,)
    assert np.shape(compatible.w[0, 0]) == (0,)


def test_groups_and_their_parts_are_indices() -> None:
    synapses = made()
    pre, post = synapses.source, synapses.target
    synapses.w = np.arange(12.0)
    np.testing.assert_array_equal(synapses.w[pre, post[1:]], np.flatnonzero(J >= 1))
    np.testing.assert_array_equal(synapses.w[pre[2:3], post], np.flatnonzero(I == 2))
    part = Synapses(pre[1:4], post[1:])
    part.connect()
    np.testing.assert_array_equal(part[pre[2:4], post[2:]].indices, [3, 5])


@pytest.mark.parametrize(
    "item", [12, -13, (4, 0), (0, 3), (0, 0, 0, 0), 1.5, "x_pre", [0.5], (slice(None), "j")]
)
def test_indices_that_make_no_sense_are_refused(item: Any) -> None:
    synapses = made()
    with pytest.raises((IndexError, ModelError, TypeError)):
        synapses.w[item]
    with pytest.raises((IndexError, ModelError, TypeError)):
        synapses.w[item] = 1


def test_variables_of_neurons_are_read_and_written_through_synapses() -> None:
    synapses = made()
    pre, post = synapses.source, synapses.target
    pre.v = [1, 2, 3, 4] * mV
    post.v = [10, 20, 30] * mV
    np.testing.assert_allclose(synapses.v_pre / mV, I + 1)
    np.testing.assert_allclose(synapses.v_post[3, :] / mV, [10, 10, 20, 20, 30, 30])
    synapses.v_post[:, 2] = 7 * mV
    np.testing.assert_allclose(post.v / mV, [10, 20, 7])
    synapses.v_pre["j == 0"] = "(1 + i)*100*mV"
    np.testing.assert_allclose(pre.v / mV, [1, 200, 300, 400])
    synapses.w = "v_post/mV + i"
    np.testing.assert_allclose(synapses.w[:], np.array([10, 20, 7])[J] + I)
    with pytest.raises(DimensionMismatchError):
        synapses.v_post = 3


def test_shared_variables_of_neurons_have_one_value() -> None:
    synapses = made("w : volt")
    synapses.source.E = 3 * mV
    synapses.w = "E_pre"
    np.testing.assert_allclose(synapses.w / mV, 3)
    assert float(synapses.E_pre / mV) == pytest.approx(3)


def test_units_are_checked() -> None:
    synapses = made("g : siemens\nw : 1\nk : integer\nb : boolean\ns : second (shared)")
    synapses.g = 3 * nS
    np.testing.assert_allclose(synapses.g_, 3e-9)
    with pytest.raises(DimensionMismatchError):
        synapses.g = 3
    with pytest.raises(DimensionMismatchError):
        synapses.w = 3 * nS
    with pytest.raises(ModelError):
        synapses.g = "i*mV"
    synapses.k = "i // 2"
    assert synapses.k[:].dtype == np.int32
    np.testing.assert_array_equal(synapses.k[:], I // 2)
    synapses.b = "i > j"
    np.testing.assert_array_equal(synapses.b[:], I > J)
    synapses.s = 3 * second
    assert synapses.s == 3 * second
    with pytest.raises(SetupError):
        synapses.s = [1, 2] * second


def test_states_are_copied_out_and_in() -> None:
    synapses = made("w : 1\ng : siemens")
    synapses.w = np.arange(12.0)
    states = synapses.get_states(["w", "g", "i", "j"])
    synapses.w = 0
    np.testing.assert_array_equal(states["w"], np.arange(12.0))
    np.testing.assert_array_equal(states["i"], I)
    synapses.set_states({"w": states["w"], "g": 2 * nS})
    np.testing.assert_array_equal(synapses.w[:], np.arange(12.0))
    np.testing.assert_allclose(synapses.g / nS, 2)


def test_counts_and_sizes() -> None:
    synapses = made()
    assert len(synapses) == 12
    assert int(synapses.N) == 12
    np.testing.assert_array_equal(synapses.N_outgoing_pre, [2, 2, 2, 6])
    np.testing.assert_array_equal(synapses.N_incoming_post, [4, 4, 4])
    synapses.w = "1.0/N_incoming + N_outgoing"
    np.testing.assert_allclose(synapses.w[:], 0.25 + np.array([2, 2, 2, 6])[I])


# -- construction -------------------------------------------------------------------------------


@pytest.mark.parametrize("face", FACES)
def test_synapses_that_were_never_connected_say_so(face: Any) -> None:
    group = face.NeuronGroup(2, "x : 1", threshold="x > 1")
    synapses = face.Synapses(group, group, "w : 1\ns : 1 (shared)", on_pre="x_post += w")
    synapses.s = 2
    with pytest.raises(TypeError, match="connect"):
        synapses.w = 1
    with pytest.raises((TypeError, eccles.brian2.BrianObjectException), match="connect"):
        face.Network(group, synapses).run(1 * ms)
    assert len(synapses) == 0


@pytest.mark.parametrize("face", FACES)
def test_synapses_without_any_pair_run(face: Any) -> None:
    group = face.NeuronGroup(2, "x : 1", threshold="x > 0.5", reset="x = 0")
    synapses = face.Synapses(group, group, "w : 1\ndy/dt = -y/ms : 1 (clock-driven)", on_pre="x_post += w")
    synapses.connect(condition="i > 100")
    group.x = 1
    face.Network(group, synapses).run(1 * ms)
    assert len(synapses.w[:]) == 0
    assert len(synapses.delay[:]) == 0


def test_target_is_the_source_by_default() -> None:
    group = NeuronGroup(3, "x : 1")
    synapses = Synapses(group)
    synapses.connect(j="i")
    assert synapses.target is group


def test_inputs_are_sources() -> None:
    target = NeuronGroup(2, "x : 1")
    for source in (PoissonGroup(3, 10 * Hz), SpikeGeneratorGroup(3, [0], [0] * ms)):
        synapses = Synapses(source, target, on_pre="x_post += 1")
        synapses.connect()
        assert len(synapses) == 6


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"connect": True}, TypeError, "synapses.connect"),
        ({"pre": "x_post += 1"}, TypeError, "on_pre"),
        ({"post": "x_post += 1"}, TypeError, "on_post"),
        ({"on_pre": "x_post ++ 1"}, SyntaxError, "x_post ++ 1"),
        ({"on_pre": "x_post += q"}, ModelError, "'q'"),
        ({"on_pre": "nothing_post += 1"}, ModelError, "nothing_post"),
        ({"on_pre": "x_post += 1*mV"}, ModelError, "unit"),
        ({"on_pre": "i += 1"}, ModelError, "i"),
        ({"on_pre": "N_incoming = 1"}, ModelError, "N_incoming"),
        ({"model": "w : 1 (linked)"}, (EquationError, SetupError, ValueError), "linked"),
        ({"model": "dw/dt = 1*Hz : 1 (unless refractory)"}, (EquationError, ValueError), "unless refractory"),
        ({"model": "w : 1 (summed)"}, (EquationError, ValueError), "summed"),
        ({"model": "w_post : 1"}, EquationError, "w_post"),
        ({"model": "w_post = 1 : 1"}, EquationError, "w_post"),
        ({"model": "delay : second"}, EquationError, "delay"),
        ({"model": "i : 1"}, EquationError, "i"),
        ({"model": "lastupdate : second"}, EquationError, "lastupdate"),
        (
            {"model": "da/dt = -a*b*Hz : 1 (event-driven)\ndb/dt = -b*Hz : 1 (event-driven)"},
            ModelError,
            "'b'",
        ),
        ({"model": "da/dt = -a**2*Hz : 1 (event-driven)"}, ModelError, "linear"),
        (
            {"model": "da/dt = -a*Hz : 1 (event-driven)\ndb/dt = -a*Hz : 1 (clock-driven)"},
            ModelError,
            "event-driven",
        ),
        ({"multisynaptic_index": "x y"}, (SetupError, SyntaxError, ValueError), "x y"),
    ],
)
def test_what_synapses_cannot_be_is_said_at_construction(
    arguments: dict[str, Any], error: Any, text: str
) -> None:
    group = NeuronGroup(2, "x : 1", threshold="x > 1e9")
    with pytest.raises(error) as caught:
        Synapses(group, group, **arguments)
    assert text in str(caught.value)


def test_synapses_onto_synapses_are_refused() -> None:
    group = NeuronGroup(2, "x : 1", threshold="x > 1")
    first = Synapses(group, group, "w : 1")
    first.connect()
    with pytest.raises(SetupError, match="synapses"):
        Synapses(group, first, on_pre="w_post += 1")
    with pytest.raises(SetupError, match="synapses"):
        Synapses(first, group)
    with pytest.raises(TypeError, match="group"):
        Synapses(3, group)  # type: ignore[arg-type]


def test_a_synaptic_variable_called_like_one_of_the_target_is_the_synapses_own() -> None:
    source = SpikeGeneratorGroup(1, [0], [0.2] * ms)
    target = NeuronGroup(1, "x : 1")
    synapses = Synapses(source, target, "x : 1", on_pre="x += 1; x_post += 10")
    synapses.connect()
    run(1 * ms)
    assert synapses.x[0] == 1
    assert target.x[0] == 10


# -- equations ----------------------------------------------------------------------------------


@pytest.mark.parametrize("spike_times", ["precise", "grid"])
def test_clock_driven_equations_are_integrated_in_every_step(spike_times: Any) -> None:
    source = SpikeGeneratorGroup(1, [0], [1] * ms)
    target = NeuronGroup(2, "x : 1")
    synapses = Synapses(
        source, target, "dg/dt = -g/tau : 1 (clock-driven)\ntau : second", on_pre="g += 1", method="exact"
    )
    synapses.connect()
    synapses.tau = "(j + 1)*ms"
    trace = StateMonitor(synapses, "g", record=True)
    Network(source, target, synapses, trace, spike_times=spike_times).run(3 * ms)
    t = np.round((trace.t - 1 * ms) / (0.1 * ms))
    # on a grid, a spike at 1 ms arrives at the end of the step that begins then, and decays from 1.1 ms on
    since = t if spike_times == "precise" else t - 1
    for j in range(2):
        expected = np.where(since >= 0, np.exp(-since * 0.1 / (j + 1)), 0)
        np.testing.assert_allclose(trace.g[j], expected, rtol=1e-12)


def test_subexpressions_see_synapse_and_both_neurons() -> None:
    synapses = made("w : 1\ndrive = w*(v_pre - v_post)/mV + i - 10*j + N_pre : 1")
    synapses.w = 2
    synapses.source.v = "i*mV"
    synapses.target.v = "3*i*mV"
    np.testing.assert_allclose(synapses.drive[:], 2 * (I - 3 * J) + I - 10 * J + 4)
    np.testing.assert_allclose(synapses.drive[1, 2], 2 * (1 - 6) + 1 - 20 + 4)


def test_subexpressions_constant_over_dt_are_drawn_once_per_step_and_synapse() -> None:
    synapses = made(
        "noise = rand() : 1 (constant over dt)\ncommon = rand() : 1 (shared, constant over dt)\n"
        "a = noise + common : 1\nb = noise - common : 1"
    )
    trace = StateMonitor(synapses, ["noise", "common", "a", "b"], record=True)
    Network(synapses.groups, synapses, trace).run(2 * ms)
    np.testing.assert_allclose(trace.a[:] + trace.b[:], 2 * trace.noise[:], rtol=1e-12)
    assert len(np.unique(trace.noise[:, 1:])) == 12 * 19
    assert np.all(trace.a[:, 5] - trace.noise[:, 5] == pytest.approx(trace.a[0, 5] - trace.noise[0, 5]))


@pytest.mark.parametrize("face", FACES)
def test_run_regularly_works_on_synapses(face: Any) -> None:
    synapses = made("w : 1\nn : 1 (shared)", face=face)
    runner = synapses.run_regularly("w += i + 10*j; n += 1", dt=0.5 * ms)
    net = face.Network(synapses.groups, synapses)
    net.run(2 * ms)
    np.testing.assert_allclose(synapses.w[:], 4 * (I + 10 * J))
    assert float(synapses.n) == 4
    assert runner.name in net


def test_event_driven_variables_are_not_for_run_regularly_but_in_brian_2() -> None:
    synapses = made("dz/dt = -z/ms : 1 (event-driven)")
    with pytest.raises(EquationError, match="event-driven"):
        synapses.run_regularly("z = 5")
    compatible = made("dz/dt = -z/ms : 1 (event-driven)", face=eccles.brian2)
    compatible.run_regularly("z = 5 + i")
    eccles.brian2.Network(compatible.groups, compatible).run(1 * ms)
    assert compatible.z[:].tolist() == (5 + I).tolist()


@pytest.mark.parametrize(
    ("model", "face"),
    [
        ("q = z*2 : 1\ndu/dt = (q - u)/ms : 1 (clock-driven)", eccles),
        ("q = z*2 : 1\ndu/dt = (q - u)/ms : 1 (clock-driven)", eccles.brian2),
        ("total_post = z : 1 (summed)", eccles.brian2),
    ],
)
def test_event_driven_variables_are_not_for_every_step(model: str, face: Any) -> None:
    def use() -> None:
        synapses = made(f"dz/dt = -z/ms : 1 (event-driven)\n{model}", face=face)
        face.Network(synapses.groups, synapses).run(1 * ms)

    with pytest.raises((EquationError, eccles.brian2.BrianObjectException), match="event-driven"):
        use()


def test_sums_of_event_driven_variables_are_as_of_now() -> None:
    synapses = made(
        "dz/dt = -z/(5*ms) : 1 (event-driven)\nq = z : 1\ntotal_post = q : 1 (summed)\n"
        "held = 2*q : 1 (constant over dt)"
    )
    synapses.z = "i + 1"
    trace = StateMonitor(synapses, ["q", "z", "held"], record=True)
    Network(synapses.groups, synapses, trace).run(1 * ms)
    decay = np.exp(-np.arange(11) * 0.1 / 5)
    np.testing.assert_allclose(trace.q, (I + 1)[:, np.newaxis] * decay, rtol=1e-12)
    np.testing.assert_array_equal(trace.q, trace.z)
    np.testing.assert_array_equal(trace.held[:, :-1], 2 * trace.z[:, :-1])
    np.testing.assert_array_equal(trace.held[:, -1], trace.held[:, -2])  # at the end: that of the last step
    expected = np.bincount(J, I + 1.0) * np.exp(-0.9 / 5)
    np.testing.assert_allclose(synapses.target.total[:], expected, rtol=1e-12)


def test_code_can_use_delays_and_numbers_of_synapses() -> None:
    source, target = SpikeGeneratorGroup(2, [0, 1], [0.2, 0.3] * ms), NeuronGroup(2, "x : 1")
    synapses = Synapses(
        source, target, "w : 1\nd : second", on_pre="w = m + 10*N + N_incoming; d = delay",
        multisynaptic_index="m",
    )  # fmt: skip
    synapses.connect(n=2)
    net = Network(source, target, synapses)
    net.run(1 * ms)
    np.testing.assert_array_equal(synapses.w[:], [84, 85] * 4)
    np.testing.assert_array_equal(synapses.d_[:], 0)
    source.set_spikes([0, 1], [1.2, 1.3] * ms)
    synapses.delay = "(i + 2*j)*0.1*ms"
    net.run(1 * ms)
    np.testing.assert_allclose(synapses.d / ms, (synapses.i[:] + 2 * synapses.j[:]) * 0.1)
    with pytest.raises(ModelError, match="delay"):
        Synapses(source, target, on_pre="delay = 1*ms")
    with pytest.raises(ModelError, match="lastupdate"):
        Synapses(source, target, "s : second", on_pre="s = lastupdate")


def test_monitors_record_chosen_synapses() -> None:
    synapses = made()
    synapses.w = np.arange(12.0)
    by_index = StateMonitor(synapses, "w", record=[3, 7])
    by_subset = StateMonitor(synapses, "w", record=synapses[3, :])
    Network(synapses.groups, synapses, by_index, by_subset).run(0.3 * ms)
    np.testing.assert_array_equal(by_index.w[:, 0], [3, 7])
    np.testing.assert_array_equal(by_subset.w[:, -1], np.flatnonzero(I == 3))


def test_static_synapses_take_at_most_8_bytes_each() -> None:
    group = NeuronGroup(1000, "x : 1", threshold="x > 1")
    synapses = Synapses(group, group, on_pre="x_post += 0.1")
    synapses.connect(p=0.1)
    assert synapses.memory() / len(synapses) < 4.2
    synapses.connect(i=0, j=0)  # from now on the sources have to be stored, and an order by source
    assert synapses.memory() / len(synapses) < 12.2


@pytest.mark.parametrize("face", FACES)
def test_gap_junctions_reach_the_same_voltage(face: Any) -> None:
    cells = face.NeuronGroup(2, "dv/dt = (I - 0*v)/(10*ms) : volt\nI : volt")
    gap = face.Synapses(cells, cells, "w : 1\nI_post = w*(v_pre - v_post) : volt (summed)")
    gap.connect(condition="i != j")
    gap.w = 1
    cells.v = [0, 1] * mV
    net = face.Network(cells, gap)
    net.run(5 * ms)
    difference = float((cells.v[1] - cells.v[0]) / mV)
    assert difference == pytest.approx((1 - 2 * 0.01) ** 50, rel=1e-9)
    assert float((cells.v[0] + cells.v[1]) / mV) == pytest.approx(1)


def test_views_take_a_new_axis_as_drawing_functions_ask_for_it() -> None:
    synapses = made()
    assert synapses.i[:, np.newaxis].shape == (12, 1)
    assert synapses.v_post[np.newaxis, :].shape == (1, 12)
    assert synapses.source.v[:, np.newaxis].shape == (4, 1)


@pytest.mark.parametrize("mode", ["precise", "grid"])
@pytest.mark.parametrize(
    "equations",
    [
        "dw/dt = x*v_post/(10*ms) : 1 (clock-driven)\ndx/dt = -x/(10*ms) : 1 (clock-driven)",
        "dw/dt = -w*v_post/(10*ms) : 1 (clock-driven)\nx : 1",
        "dw/dt = -w*half_post/(5*ms) : 1 (clock-driven)\nx : 1",
        "dw/dt = (x - w)*half_post/(5*ms) : 1 (clock-driven)\ndx/dt = -x/(10*ms) : 1 (clock-driven)",
    ],
)
def test_coefficients_of_clock_driven_equations_follow_the_neurons(mode: str, equations: str) -> None:
    found = {}
    for method, dt in ((None, 0.1), ("rk4", 0.005)):
        clock = eccles.Clock(dt * eccles.ms)
        source = eccles.SpikeGeneratorGroup(1, [0], [1] * eccles.ms, clock=clock)
        target = eccles.NeuronGroup(
            1, "dv/dt = -v/(5*ms) : 1\nhalf = v/2 : 1", threshold="v > 5", reset="v = 0", clock=clock
        )
        eccles.silence("unreachable_threshold")
        target.v = 1
        synapses = eccles.Synapses(source, target, equations, on_pre="x += 1", method=method, clock=clock)
        synapses.connect()
        synapses.w = 1
        eccles.Network(source, target, synapses, spike_times=mode).run(30 * eccles.ms)
        found[method] = float(synapses.w[0])
    assert found[None] == pytest.approx(found["rk4"], rel=0.03)  # what is held over a step: first order
    assert abs(found["rk4"] - 1) > 0.1


@pytest.mark.parametrize("face", [eccles, eccles.brian2])
def test_a_model_that_is_built_and_run_again_begins_at_zero(face: Any) -> None:
    def model() -> float:
        source = face.SpikeGeneratorGroup(1, [0], [30] * eccles.ms)
        target = face.NeuronGroup(1, "v : 1")
        synapses = face.Synapses(
            source, target, "w : 1\ndgrown/dt = 1/second : 1 (event-driven)", on_pre="w = grown"
        )
        synapses.connect()
        face.run(50 * eccles.ms)
        return float(synapses.w[0])

    assert [model(), model(), model()] == pytest.approx([0.03] * 3)
