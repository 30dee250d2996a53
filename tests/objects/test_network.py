"""Networks: membership, time, schedules, names, the implicit network, repeated runs."""

from __future__ import annotations

import gc
import warnings
from typing import Any

import numpy as np
import pytest

import eccles as e
import eccles.brian2 as face
from eccles.errors import SetupError
from eccles.objects import magic
from eccles.units import Hz, ms, mV, second


def ramp(**options: Any) -> e.NeuronGroup:
    """One variable that grows by 1 per ms."""
    return e.NeuronGroup(2, "dv/dt = 1/ms : 1", method="euler", **options)


# -- membership ---------------------------------------------------------------------------------------


def test_containers_of_objects_and_what_belongs_to_objects_take_part() -> None:
    group = ramp()
    runner = group.run_regularly("v += 0", dt=0.5 * ms)
    a, b, c = (e.StateMonitor(group, "v", record=0, name=n) for n in "abc")
    net = e.Network([group], {"x": a, "y": [b]}, (m for m in [c]))
    assert [obj.name for obj in net.objects] == [group.name, "a", "b", "c"]
    assert runner in net
    assert "a" in net
    assert "z" not in net
    assert net["b"] is b
    assert len(net) == 4
    with pytest.raises(KeyError, match="did you mean 'a'"):
        net["A"]
    del net["b"]
    assert b not in net
    with pytest.raises(KeyError, match="belongs to another"):
        del net[runner.name]
    net.remove(a)
    net.run(1 * ms)
    assert c.n_samples == 11  # the end of the run included
    assert a.n_samples == 0


def test_inactive_objects_are_skipped() -> None:
    group = ramp()
    trace = e.StateMonitor(group, "v", record=0)
    net = e.Network(group, trace)
    net.run(1 * ms)
    group.active = False
    net.run(1 * ms)
    assert trace.n_samples == 21
    assert group.v[0] == pytest.approx(1)
    group.active, trace.active = True, False
    net.run(1 * ms)
    assert trace.n_samples == 21
    assert group.v[0] == pytest.approx(2)


def test_an_object_belongs_to_the_network_that_has_run_it() -> None:
    group = ramp()
    e.Network(group).run(1 * ms)
    gc.collect()
    with pytest.raises(RuntimeError, match="another network"):
        e.Network(group)


def test_groups_of_both_faces_do_not_mix() -> None:
    with pytest.raises(SetupError, match="one network takes objects of one of them"):
        e.Network(ramp(), face.NeuronGroup(1, "v : 1")).run(1 * ms)


def test_objects_can_be_added_between_runs_and_start_at_the_time_of_the_network() -> None:
    group = ramp()
    net = e.Network(group)
    net.run(1 * ms)
    late = e.StateMonitor(group, "v", record=0)
    net.add(late)
    net.run(1 * ms)
    assert late.t_[0] == pytest.approx(1e-3)
    assert len(late.t_) == 11


# -- the implicit network -----------------------------------------------------------------------------


def test_run_takes_what_the_calling_function_has_names_for() -> None:
    hidden = [ramp(name="hidden")]
    named = ramp(name="named")
    e.run(1 * ms)
    assert named.v[0] == pytest.approx(1)
    assert hidden[0].v[0] == 0


def test_monitors_may_come_later_but_other_objects_make_it_unclear() -> None:
    group = ramp()
    e.run(1 * ms)
    trace = e.StateMonitor(group, "v", record=0)
    e.run(1 * ms)
    assert trace.t_[0] == pytest.approx(1e-3)
    another = ramp(name="another")
    with pytest.raises(e.MagicError, match="another"):
        e.run(1 * ms)
    e.start_scope()
    del another


def test_a_new_scope_begins_at_time_zero_with_fresh_names() -> None:
    first = ramp()
    e.run(1 * ms)
    assert first.name == "neurongroup"
    e.start_scope()
    second_group = ramp()
    trace = e.StateMonitor(second_group, "v", record=0)
    e.run(1 * ms)
    assert second_group.name == "neurongroup"
    assert trace.t_[0] == 0
    assert first.v[0] == pytest.approx(1)


def test_stop_ends_the_run() -> None:
    group = ramp()

    @e.network_operation
    def enough(t: Any) -> None:
        if float(t) > 0.45e-3:
            e.stop()

    e.run(10 * second)
    assert group.v[0] == pytest.approx(0.6)
    assert enough.name.startswith("networkoperation")


def test_names_are_counted_and_checked() -> None:
    assert [ramp().name for _ in range(1)] == ["neurongroup"]
    a, b = ramp(), ramp()
    assert {a.name, b.name} == {"neurongroup", "neurongroup_1"}
    kept = ramp(name="mine")
    with pytest.raises(SetupError, match="already an object called 'mine'"):
        ramp(name="mine")
    del kept
    for name in ("", "1a", "a b", "a-b", "ä", "*"):
        with pytest.raises(SetupError, match="cannot be the name"):
            ramp(name=name)


# -- time and schedule --------------------------------------------------------------------------------


def test_a_run_of_no_time_changes_nothing() -> None:
    group = ramp()
    trace = e.StateMonitor(group, "v", record=0)
    net = e.Network(group, trace)
    net.run(0 * ms)
    assert trace.n_samples == 0
    assert float(net.t) == 0


def test_an_empty_network_only_passes_time() -> None:
    net = e.Network()
    net.run(3 * ms)
    assert float(net.t) == pytest.approx(3e-3)


def test_slots_before_and_after_exist_for_every_slot() -> None:
    group = e.NeuronGroup(1, "v : 1")
    order = ["before_start", "start", "after_start", "mine", "after_mine", "before_end", "end"]
    for k, when in enumerate(reversed(order)):
        group.run_regularly(f"v = v*10 + {len(order) - k}", when=when)
    net = e.Network(group)
    net.schedule = ["start", "groups", "mine", "thresholds", "synapses", "resets", "end"]
    net.run(0.1 * ms)
    assert group.v[0] == 1234567
    assert net.schedule[2] == "mine"
    with pytest.raises(SetupError, match="before_ and after_"):
        net.schedule = ["before_start"]
    with pytest.raises(TypeError):
        net.schedule = [3]  # pyright: ignore[reportAttributeAccessIssue]


def test_order_and_then_name_decide_within_a_slot() -> None:
    group = e.NeuronGroup(1, "v : 1")
    group.run_regularly("v = v*10 + 3", order=1, name="a")
    group.run_regularly("v = v*10 + 2", order=0, name="z")
    group.run_regularly("v = v*10 + 1", order=-1, name="k")
    group.run_regularly("v = v*10 + 4", order=1, name="b")
    net = e.Network(group)
    net.run(0.1 * ms)
    assert group.v[0] == 1234
    lines = net.scheduling_summary().splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["k", "z", "a", "b"]


def test_a_changed_schedule_gives_another_program() -> None:
    group = e.NeuronGroup(1, "v : 1\nseen : 1")
    group.run_regularly("v += 1", when="start")
    group.run_regularly("seen = v", when="end")
    net = e.Network(group)
    net.run(0.1 * ms)
    assert group.seen[0] == 1
    net.schedule = ["end", "start", "groups", "thresholds", "synapses", "resets"]
    net.run(0.1 * ms)
    assert group.seen[0] == 1
    assert group.v[0] == 2


# -- names in model text --------------------------------------------------------------------------------


def test_the_clean_face_binds_names_where_an_object_is_made() -> None:
    tau = 2 * ms
    group = e.NeuronGroup(1, "dv/dt = -v/tau : 1", method="exact")
    group.v = 1
    tau = 1000 * second  # noqa: F841  (too late)
    e.run(2 * ms)
    assert group.v[0] == pytest.approx(np.exp(-1))


def test_the_compatible_face_reads_names_anew_at_every_run() -> None:
    tau = 2 * ms
    group = face.NeuronGroup(1, "dv/dt = -v/tau : 1", method="exact")
    group.v = 1
    face.run(2 * ms)
    assert group.v[0] == pytest.approx(np.exp(-1))
    tau = 1 * ms
    face.run(2 * ms)
    assert group.v[0] == pytest.approx(np.exp(-3))
    tau *= 2  # in place: the same object with another value
    face.run(2 * ms)
    assert group.v[0] == pytest.approx(np.exp(-4))
    tau = 1 * mV
    with pytest.raises(face.BrianObjectException) as caught:
        face.run(2 * ms)
    assert isinstance(caught.value.__cause__, e.UnitError)
    assert tau is not None


def test_a_namespace_comes_before_the_script() -> None:
    tau = 1 * ms  # noqa: F841  (must not count)
    group = e.NeuronGroup(1, "dv/dt = -v/tau : 1", method="exact", namespace={"tau": 2 * ms})
    assert group.namespace is not None
    group.v = 1
    e.run(2 * ms)
    assert group.v[0] == pytest.approx(np.exp(-1))
    group.namespace["tau"] = 1 * ms
    e.run(2 * ms)
    assert group.v[0] == pytest.approx(np.exp(-3))
    with pytest.raises(e.ModelError, match="tau"):
        e.NeuronGroup(1, "dv/dt = -v/tau : 1", namespace={})


def test_a_namespace_can_be_given_to_run() -> None:
    group = face.NeuronGroup(1, "dv/dt = -v/tau : 1", method="exact")
    group.v = 1
    face.Network(group).run(2 * ms, namespace={"tau": 2 * ms})
    assert group.v[0] == pytest.approx(np.exp(-1))


# -- state ----------------------------------------------------------------------------------------------


def test_states_of_all_groups_can_be_read_and_set() -> None:
    a = e.NeuronGroup(2, "v : volt\nw : 1", name="a")
    b = e.NeuronGroup(1, "u : 1\nx = 2*u : 1", name="b")
    net = e.Network(a, b)
    a.v, a.w, b.u = [1, 2] * mV, 3, 4
    states = net.get_states()
    assert states["a"]["v"][1] == 2 * mV
    assert float(states["b"]["u"][0]) == 4
    a.v, b.u = 0 * mV, 0
    net.set_states(states)
    assert a.v[1] == 2 * mV
    assert b.u[0] == 4
    assert net.get_states(units=False)["a"]["v"][1] == pytest.approx(2e-3)
    assert "x" in net.get_states(subexpressions=True)["b"]
    pytest.importorskip("pandas")
    assert list(a.get_states(["v", "w"], units=False, format="pandas").columns) == ["v", "w"]


# -- running on costs little, and is right ----------------------------------------------------------------


def test_an_unchanged_network_is_not_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    group = e.NeuronGroup(
        3, "dv/dt = (2 - v)/tau : 1\ntau : second", threshold="v > 1", reset="v = 0", method="exact"
    )
    group.tau = 5 * ms
    net = e.Network(group, e.SpikeMonitor(group))
    net.run(1 * ms)
    built = []
    monkeypatch.setattr(net, "blocks", lambda everything: built.append(1) or [])
    net.run(1 * ms)
    group.v, group.tau = 0.5, 7 * ms
    e.defaultclock.dt = 0.05 * ms
    net.run(1 * ms)
    assert built == []


def test_values_set_between_runs_count_also_in_hoisted_coefficients() -> None:
    group = e.NeuronGroup(1, "dv/dt = -v/tau : 1\ntau : second (shared)", method="exact")
    group.v = 1
    net = e.Network(group)
    for tau, dt in [(5, 0.1), (2, 0.1), (2, 0.25), (4, 0.25)]:
        group.tau = tau * ms
        e.defaultclock.dt = dt * ms
        before = float(group.v[0])
        net.run(1 * ms)
        assert group.v[0] == pytest.approx(before * np.exp(-1 / tau), rel=1e-12)


def test_links_and_schedules_set_between_runs_give_another_program() -> None:
    one, two = e.NeuronGroup(1, "x : 1", name="one"), e.NeuronGroup(1, "x : 1", name="two")
    one.x, two.x = 1, 10
    group = e.NeuronGroup(3, "dv/dt = x/ms : 1\nx : 1 (linked)", method="euler")
    group.x = e.linked_var(one.x)
    net = e.Network(one, two, group)
    net.run(1 * ms)
    group.x = e.linked_var(two, "x")
    net.run(1 * ms)
    assert group.v[0] == pytest.approx(11)


def test_no_warnings_for_ordinary_use() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        group = e.NeuronGroup(
            5, "dv/dt = (2 - v)/(10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact"
        )
        source = e.PoissonGroup(5, rates=10 * Hz)
        monitor = e.SpikeMonitor(source)
        e.run(5 * ms)
        e.run(5 * ms)
        assert group.N == 5
        assert monitor.num_spikes >= 0
        assert magic.scope_number() > 0


@pytest.mark.parametrize("spike_times", ["precise", "grid"])
@pytest.mark.parametrize("delay", [0, 0.3])
def test_a_group_that_is_not_active_has_no_spikes_but_those_on_their_way_arrive(
    delay: float, spike_times: Any
) -> None:
    group = e.NeuronGroup(2, "v : 1", threshold="v > 0", refractory=0.1 * ms)
    target = e.NeuronGroup(2, "x : 1")
    synapses = e.Synapses(group, target, on_pre="x += 1", delay=delay * ms)
    synapses.connect(j="i")
    monitor = e.SpikeMonitor(group)
    net = e.Network(group, target, synapses, monitor, spike_times=spike_times)
    group.v = 1
    at_end = spike_times == "precise"  # a spike every 0.1 ms from 0 on: the end of a run belongs to it
    net.run(0.5 * ms)
    group.active = False
    net.run(2 * ms)
    assert target.x[:].tolist() == [5 + at_end] * 2
    group.active = True
    net.run(0.4 * ms)
    t = np.arange(5 + at_end).tolist() + [25, 26, 27, 28] + [29] * at_end
    assert monitor.t_[monitor.i == 0] == pytest.approx(np.array(t) * 1e-4)
    assert target.x[0] == 5 + at_end + (4 if delay == 0 else 1) + at_end


def test_a_schedule_needs_only_the_slots_that_are_used() -> None:
    group = e.NeuronGroup(1, "dv/dt = 1/ms : 1", threshold="v > 0.25", reset="v = 0", method="euler")
    net = e.Network(group)
    net.schedule = ["groups", "thresholds", "resets"]
    net.run(0.3 * ms)
    assert group.v[0] == pytest.approx(0.05)  # 0.3 ms after 0, 0.05 ms after the spike at 0.25
