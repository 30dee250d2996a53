"""Small models whose numbers must be those of Brian 2, and the program that made the expected ones.

`python tests/objects/brian2_cases.py > tests/objects/golden/brian2.json` in an environment with Brian 2
2.9 writes the expected values (NumPy target). Every case takes the module `b` with the simulator's names
and returns arrays by name; `test_same_as_brian2.py` runs the same cases with `eccles.brian2`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

CASES: dict[str, Callable[[Any], dict[str, Any]]] = {}


def case(function: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Add a case to the table."""
    CASES[function.__name__] = function
    return function


@case
def order_within_a_step(b: Any) -> dict[str, Any]:
    slots = [
        "start", "before_groups", "groups", "after_groups", "before_thresholds", "thresholds",
        "after_thresholds", "synapses", "after_synapses", "before_resets", "resets", "after_resets", "end",
        "after_end",
    ]  # fmt: skip
    group = b.NeuronGroup(
        2, "dv/dt = 300*Hz : 1", threshold="v > 0.05 + 0.02*i", reset="v = 0", method="euler"
    )
    group.run_regularly("v += 0.001", when="start", order=1)
    monitors = [
        b.StateMonitor(group, "v", record=True, when=slot, order=2, name=f"m_{slot}") for slot in slots
    ]
    net = b.Network(group, *monitors)
    net.run(1 * b.ms)
    return {slot: monitor.v for slot, monitor in zip(slots, monitors, strict=True)}


@case
def refractory_periods_in_steps(b: Any) -> dict[str, Any]:
    group = b.NeuronGroup(
        12, "dv/dt = 0*Hz : 1\nref : second", threshold="v > 0.5", refractory="ref", method="euler"
    )
    group.v = 1
    group.ref = np.array([0, 0.04, 0.05, 0.06, 0.1, 0.14, 0.15, 0.16, 0.25, 0.3, 0.35, 1.0]) * b.ms
    spikes = b.SpikeMonitor(group)
    b.run(3 * b.ms)
    return {"i": spikes.i, "t": spikes.t}


@case
def refractory_given_as_a_time(b: Any) -> dict[str, Any]:
    found = {}
    for k, refractory in enumerate([0.1, 0.3, 0.7, 1.2, 0.32]):
        group = b.NeuronGroup(
            1,
            "dv/dt = (2 - v)/(2*ms) : 1 (unless refractory)",
            threshold="v > 1",
            reset="v = 0",
            refractory=refractory * b.ms,
            method="exact",
        )
        spikes, trace = b.SpikeMonitor(group), b.StateMonitor(group, ["v", "not_refractory"], record=0)
        b.Network(group, spikes, trace).run(10 * b.ms)
        found |= {f"t{k}": spikes.t, f"v{k}": trace.v[0], f"free{k}": trace.not_refractory[0]}
    return found


@case
def refractory_while_a_condition_holds(b: Any) -> dict[str, Any]:
    group = b.NeuronGroup(
        3,
        "dv/dt = 0.3/ms : 1\nlimit : 1",
        threshold="v > 1",
        refractory="v < limit",
        reset="v = -1",
        method="euler",
    )
    group.limit = [-0.5, 0, 2]
    spikes = b.SpikeMonitor(group)
    trace = b.StateMonitor(group, ["v", "not_refractory"], record=True)
    b.run(30 * b.ms)
    return {"i": spikes.i, "t": spikes.t, "v": trace.v, "free": trace.not_refractory}


@case
def refractory_until_time_since_last_spike(b: Any) -> dict[str, Any]:
    group = b.NeuronGroup(
        1, "dv/dt = 1/ms : 1", threshold="v > 1", refractory="(t - lastspike) <= 2*ms", method="euler"
    )
    spikes = b.SpikeMonitor(group)
    b.run(20 * b.ms)
    return {"t": spikes.t, "last": group.lastspike, "free": group.not_refractory}


@case
def variables_held_while_refractory(b: Any) -> dict[str, Any]:
    source = b.SpikeGeneratorGroup(1, [0] * 20, np.arange(20) * 0.5 * b.ms)
    group = b.NeuronGroup(
        2,
        "dv/dt = (1.5 - v)/(2*ms) : 1 (unless refractory)\ndw/dt = -w/(3*ms) + int(not_refractory)/ms : 1",
        threshold="v > 1",
        reset="v = 0.1",
        refractory=2 * b.ms,
        method="euler",
    )
    group.run_regularly("v += 0.01\nw += 0.01", dt=0.3 * b.ms)
    synapses = b.Synapses(source, group, on_pre="v_post += 0.2\nw_post += 0.1")
    synapses.connect()
    trace = b.StateMonitor(group, ["v", "w"], record=True)
    spikes = b.SpikeMonitor(group)
    b.run(12 * b.ms)
    return {"v": trace.v, "w": trace.w, "t": spikes.t}


@case
def several_events(b: Any) -> dict[str, Any]:
    group = b.NeuronGroup(
        3,
        "dv/dt = 0.1*(1 + i)/ms : 1\nn : 1\nm : integer",
        threshold="v > 1",
        reset="v = 0",
        events={"half": "v > 0.5 and v < 0.7", "high": "v > 0.9"},
        method="euler",
    )
    group.run_on_event("half", "n += v\nm += 1")
    group.run_on_event("high", "n -= 0.1", when="before_resets")
    group.set_event_schedule("high", when="before_resets", order=-1)
    half = b.EventMonitor(group, "half", variables="v")
    high = b.EventMonitor(group, "high", variables=["v", "n"])
    spikes = b.SpikeMonitor(group, variables=["v", "n"])
    b.run(25 * b.ms)
    return {
        "half.i": half.i, "half.t": half.t, "half.v": half.v, "high.i": high.i, "high.t": high.t,
        "high.n": high.n, "spikes.t": spikes.t, "spikes.v": spikes.v, "spikes.n": spikes.n,
        "n": group.n, "m": group.m, "count": half.count,
    }  # fmt: skip


@case
def parts_of_groups(b: Any) -> dict[str, Any]:
    group = b.NeuronGroup(10, "dv/dt = rate : 1\nrate : Hz\ns : 1 (shared)", threshold="v > 1", reset="v = 0",
                          method="euler")  # fmt: skip
    group.rate = "(i + 1)*50*Hz"
    part = group[2:7]
    inner = part[1:3]
    part.v = "0.1*i + 0.001*N"
    group[8:].v = 0.25
    group[9].v = 0.5
    inner.rate = "rate + 3*Hz*i"
    part.v["i > 3"] = "v + 0.3"
    part.s = 4
    part.run_regularly("v += 0.01*i", dt=1 * b.ms)
    spikes, of_part = b.SpikeMonitor(group), b.SpikeMonitor(part)
    trace = b.StateMonitor(part, ["v", "rate"], record=[0, 3])
    rate = b.PopulationRateMonitor(inner)
    before = np.array(group.v)
    b.run(20 * b.ms)
    return {
        "before": before, "i": spikes.i, "t": spikes.t, "part.i": of_part.i, "part.t": of_part.t,
        "part.count": of_part.count, "v": trace.v, "v of 3": trace[3].v, "rate": rate.rate, "all": group.v,
        "inner": inner.v, "s": group.s[:], "i of part": part.i[:], "N": part.N, "rates": trace.rate,
    }  # fmt: skip


@case
def timed_arrays(b: Any) -> dict[str, Any]:
    fast = b.TimedArray(np.arange(1, 8) * 1.5, dt=0.1 * b.ms)  # noqa: F841  (used in model text)
    slow = b.TimedArray(np.arange(1, 5) * b.mV, dt=0.7 * b.ms)
    odd = b.TimedArray(np.arange(1, 40) * b.Hz, dt=0.13 * b.ms)
    table = b.TimedArray(np.arange(12).reshape(4, 3) * b.nA, dt=0.5 * b.ms)
    group = b.NeuronGroup(
        3,
        """
        dv/dt = (slow(t) - v)/(1*ms) + 0*volt/second*fast(t) : volt
        a = fast(t) : 1
        b = slow(t) : volt
        c = odd(t) : Hz
        d = table(t, i) : amp
        """,
        method="euler",
    )
    trace = b.StateMonitor(group, ["v", "a", "b", "c", "d"], record=True)
    b.run(3.5 * b.ms)
    return {
        "v": trace.v, "a": trace.a, "b": trace.b, "c": trace.c, "d": trace.d,
        "called": slow(np.array([-1, 0, 0.69999999, 0.7, 1.4, 100]) * b.ms),
        "called with index": table(0.6 * b.ms, 2), "odd": odd(np.arange(0, 4, 0.13) * b.ms),
    }  # fmt: skip


@case
def linked_variables(b: Any) -> dict[str, Any]:
    source = b.NeuronGroup(4, "dx/dt = (1 + i)*Hz : 1\ny = 2*x : 1\ns : 1 (shared)", method="euler")
    one = b.NeuronGroup(1, "dz/dt = 5*Hz : 1", method="euler")
    group = b.NeuronGroup(
        4,
        """
        dv/dt = (p + q + r + u + w + n)*Hz : 1
        p : 1 (linked)
        q : 1 (linked)
        r : 1 (linked)
        u : 1 (linked)
        w : 1 (linked)
        k : integer
        n : 1 (linked)
        """,
        method="euler",
    )
    group.k = "3 - i"
    group.n = b.linked_var(source, "x", index="k")
    source.x = [1, 2, 3, 4]
    source.s = 0.25
    group.p = b.linked_var(source, "x")
    group.q = b.linked_var(source, "y", index=np.array([3, 2, 2, 0]))
    group.r = b.linked_var(source, "s")
    group.u = b.linked_var(one, "z")
    group.w = b.linked_var(source[1:3], "x", index=[0, 1, 1, 0])
    trace = b.StateMonitor(group, ["v", "q", "w"], record=True)
    b.run(2 * b.ms)
    return {
        "v": trace.v, "q": trace.q, "w": trace.w, "p": group.p[:],
        "n": group.n[:], "q now": group.q[:], "r": group.r[:],
        "u": group.u[:], "w now": group.w[:],
    }  # fmt: skip


@case
def several_clocks(b: Any) -> dict[str, Any]:
    fine = b.NeuronGroup(1, "dv/dt = 100*Hz : 1", dt=0.05 * b.ms, threshold="v > 0.02", reset="v = 0",
                         method="euler")  # fmt: skip
    coarse = b.NeuronGroup(1, "dv/dt = 100*Hz : 1\nn : 1", dt=0.2 * b.ms, method="euler")
    coarse.run_regularly("n += 1", dt=0.5 * b.ms)
    fine_trace = b.StateMonitor(fine, "v", record=0)
    rare = b.StateMonitor(fine, "v", record=0, dt=0.15 * b.ms)
    coarse_trace = b.StateMonitor(coarse, ["v", "n"], record=0)
    spikes = b.SpikeMonitor(fine)
    b.run(1.1 * b.ms)
    b.run(0.9 * b.ms)
    return {
        "fine.t": fine_trace.t, "fine.v": fine_trace.v, "rare.t": rare.t, "rare.v": rare.v,
        "coarse.t": coarse_trace.t, "coarse.v": coarse_trace.v, "coarse.n": coarse_trace.n, "t": spikes.t,
    }  # fmt: skip


@case
def durations_between_steps(b: Any) -> dict[str, Any]:
    found = {}
    for k, parts in enumerate(
        [(0.26,), (0.24, 0.24), (0.05, 0.05, 0.05), (1.0001,), (0.1, 0.2, 0.3), (0.999,)]
    ):
        group = b.NeuronGroup(1, "dv/dt = 100*Hz : 1", method="euler")
        other = b.NeuronGroup(1, "dv/dt = 100*Hz : 1", method="euler", dt=0.03 * b.ms)
        trace, other_trace = b.StateMonitor(group, "v", record=0), b.StateMonitor(other, "v", record=0)
        net = b.Network(group, other, trace, other_trace)
        times = []
        for part in parts:
            net.run(part * b.ms)
            times.append(float(net.t))
        found |= {
            f"t{k}": trace.t, f"v{k}": group.v[:], f"other{k}": other_trace.t, f"w{k}": other.v[:],
            f"net{k}": times,
        }  # fmt: skip
    return found


@case
def time_step_changed_between_runs(b: Any) -> dict[str, Any]:
    b.defaultclock.dt = 0.1 * b.ms
    group = b.NeuronGroup(1, "dv/dt = (1 - v)/(2*ms) : 1", threshold="v > 0.3", reset="v = 0",
                          refractory=0.45 * b.ms, method="exact")  # fmt: skip
    trace, spikes, rate = (
        b.StateMonitor(group, "v", record=0),
        b.SpikeMonitor(group),
        b.PopulationRateMonitor(group),
    )
    net = b.Network(group, trace, spikes, rate)
    net.run(3 * b.ms)
    b.defaultclock.dt = 0.05 * b.ms
    net.run(2 * b.ms)
    b.defaultclock.dt = 0.5 * b.ms
    net.run(3 * b.ms)
    return {"v": trace.v, "t": trace.t, "spikes": spikes.t, "rate.t": rate.t, "rate": rate.rate}


@case
def population_rates(b: Any) -> dict[str, Any]:
    group = b.NeuronGroup(
        7, "dv/dt = (1 + 0.3*i)*400*Hz : 1", threshold="v > 1", reset="v = 0", method="euler"
    )
    rate = b.PopulationRateMonitor(group)
    spikes = b.SpikeMonitor(group)
    b.run(20 * b.ms)
    trains = spikes.spike_trains()
    return {
        "rate": rate.rate, "t": rate.t,
        "gaussian": rate.smooth_rate("gaussian", width=1.03 * b.ms),
        "flat": rate.smooth_rate("flat", width=1.0 * b.ms),
        "flat, odd width": rate.smooth_rate("flat", width=0.57 * b.ms),
        "array": rate.smooth_rate(np.array([1.0, 2, 4, 2, 1])),
        "train of 3": trains[3], "number of trains": len(trains), "count": spikes.count,
        "num": spikes.num_spikes, "it": spikes.it[1],
    }  # fmt: skip


@case
def spike_generators(b: Any) -> dict[str, Any]:
    found = {}
    plain = b.SpikeGeneratorGroup(4, [2, 0, 1, 1, 3], np.array([0.3, 0.0, 0.25, 0.399999999, 5]) * b.ms)
    monitor = b.SpikeMonitor(plain)
    net = b.Network(plain, monitor)
    net.run(1 * b.ms)
    plain.set_spikes([3, 2], [0.5, 2.0] * b.ms)
    net.run(3 * b.ms)
    found |= {"plain.i": np.array(monitor.i), "plain.t": np.array(monitor.t)}
    periodic = b.SpikeGeneratorGroup(2, [0, 1, 0], [0, 0.3, 0.55] * b.ms, period=0.8 * b.ms)
    monitor = b.SpikeMonitor(periodic)
    net = b.Network(periodic, monitor)
    net.run(1.2 * b.ms)
    net.run(2.1 * b.ms)
    found |= {"periodic.i": np.array(monitor.i), "periodic.t": np.array(monitor.t)}
    periodic.set_spikes([0, 1], [0.1, 0.2] * b.ms, period=0.5 * b.ms)
    net.run(1.5 * b.ms)
    found |= {"new.i": np.array(monitor.i), "new.t": np.array(monitor.t)}
    own = b.SpikeGeneratorGroup(2, [0, 1], [1, 1.05] * b.ms, dt=0.05 * b.ms)
    monitor = b.SpikeMonitor(own)
    b.Network(own, monitor).run(2 * b.ms)
    return found | {"own.i": np.array(monitor.i), "own.t": np.array(monitor.t)}


@case
def regular_code(b: Any) -> dict[str, Any]:
    group = b.NeuronGroup(
        3, "dv/dt = -v/(10*ms) : 1\nk : integer\nflag : boolean\ns : 1 (shared)\nx : 1", method="exact"
    )
    group.v = [1, 2, 3]
    group.run_regularly("x = v + s; k += 1; flag = v > 1.5", dt=0.3 * b.ms)
    group.run_regularly("s = s + 0.5", dt=0.2 * b.ms, order=-1)
    group.run_regularly("v = clip(v + 0.1*i, 0, 3)", when="end")
    group.run_regularly("tmp = 2*x\nv -= 0.001*tmp", when="after_groups", order=2)
    trace = b.StateMonitor(group, ["v", "x"], record=True)
    b.run(2 * b.ms)
    return {"v": trace.v, "x": trace.x, "k": group.k, "flag": group.flag, "s": group.s[:]}


@case
def integers_and_truth_values(b: Any) -> dict[str, Any]:
    group = b.NeuronGroup(
        7,
        """
        n : integer
        m : integer
        c : boolean
        a = n // 3 : 1
        bb = n % 3 : 1
        cc = (n + 0.5) // 2 : 1
        d = (n + 0.5) % 2 : 1
        ee = int(c) + int(n > 2) : 1
        f = n / 2 : 1
        g = n**2 : 1
        h = 1/(1 + exp(-n)) : 1
        k = -n // 2 : 1
        """,
    )
    group.n = "i - 3"
    group.m = "i // 2"
    group.c = "i % 2 == 0"
    group.run_regularly("n = n + m % 2; m = -m // 2; c = not c", dt=0.1 * b.ms)
    trace = b.StateMonitor(group, [*"nmadfghk", "bb", "cc", "c", "ee"], record=True)
    b.run(0.4 * b.ms)
    return {name: getattr(trace, name) for name in [*"nmadfghk", "bb", "cc", "c", "ee"]}


@case
def subexpressions(b: Any) -> dict[str, Any]:
    group = b.NeuronGroup(
        3,
        """
        dv/dt = (drive - v)/(2*ms) : 1
        drive = held + extra : 1
        held = 0.5*v + t/ms : 1 (constant over dt)
        extra = 0.1*i + level : 1
        level : 1 (shared)
        """,
        method="rk4",
    )
    group.level = 2
    trace = b.StateMonitor(group, ["v", "drive", "held"], record=True)
    b.run(1 * b.ms)
    return {"v": trace.v, "drive": trace.drive, "held": trace.held, "drive now": group.drive[:]}


@case
def network_operations(b: Any) -> dict[str, Any]:
    group = b.NeuronGroup(2, "dv/dt = 1/ms : 1", method="euler")
    seen: list[list[float]] = []

    @b.network_operation(dt=0.2 * b.ms)
    def early(t: Any) -> None:
        seen.append([0, float(np.asarray(t)), float(group.v[0])])

    @b.network_operation(when="end")
    def late() -> None:
        seen.append([1, float(np.asarray(b.defaultclock.t)), float(group.v[0])])
        group.v[1] = 5 * group.v[0]

    net = b.Network(group, early, late)
    net.run(0.7 * b.ms)

    @b.network_operation(when="groups", order=1)
    def ends(t: Any) -> None:
        if t >= 0.9 * b.ms:
            net.stop()

    net.add(ends)
    net.run(1 * b.ms)
    return {"seen": seen, "v": group.v, "t": net.t}


@case
def poisson_input_at_every_step(b: Any) -> dict[str, Any]:
    group = b.NeuronGroup(
        2, "dv/dt = -v/(2*ms) : volt (unless refractory)\nw : volt", threshold="v > 10*mV",
        reset="v = 1*mV", refractory=0.3 * b.ms, method="exact",
    )  # fmt: skip
    group.w = [0.5, 1.5] * b.mV
    every = b.PoissonInput(group, "v", N=3, rate=1 / b.defaultclock.dt, weight="0.5*w + 0.1*mV")
    never = b.PoissonInput(group[:1], "v", N=3, rate=0 * b.Hz, weight=10 * b.mV)
    part = b.PoissonInput(group[1:], "v", N=1, rate=1 / b.defaultclock.dt, weight=0.2 * b.mV)
    trace, spikes = b.StateMonitor(group, "v", record=True), b.SpikeMonitor(group)
    b.Network(group, every, never, part, trace, spikes).run(3 * b.ms)
    return {"v": trace.v, "i": spikes.i, "t": spikes.t}


@case
def monitors_over_several_runs(b: Any) -> dict[str, Any]:
    group = b.NeuronGroup(3, "dv/dt = 0.4*(i + 1)/ms : 1\nc : 1 (shared)", threshold="v > 0.99",
                          reset="v -= 1", method="euler")  # fmt: skip
    trace = b.StateMonitor(group, ["v", "c"], record=[2, 0])
    spikes = b.SpikeMonitor(group, variables="v")
    counter = b.SpikeMonitor(group, record=False)
    b.run(2.5 * b.ms)
    late = b.StateMonitor(group, "v", record=1)
    group.c = 7
    b.run(2.5 * b.ms)
    trace.record_single_timestep()
    return {
        "v": trace.v, "t": trace.t, "c": trace.c, "spikes.v": spikes.v, "spikes.i": spikes.i,
        "count": counter.count, "num": counter.num_spikes, "late": late.v, "late.t": late.t,
        "by index": trace[2].v, "record": trace.record, "values": spikes.values("v")[1],
    }  # fmt: skip


@case
def store_and_restore(b: Any) -> dict[str, Any]:
    source = b.SpikeGeneratorGroup(1, [0, 0, 0], [0.2, 1.2, 2.2] * b.ms)
    group = b.NeuronGroup(2, "dv/dt = (1.3 - v)/(3*ms) : 1", threshold="v > 1", reset="v = 0",
                          refractory=1 * b.ms, method="exact")  # fmt: skip
    synapses = b.Synapses(source, group, "w : 1", on_pre="v_post += w")
    synapses.connect()
    synapses.w = [0.1, 0.2]
    synapses.delay = [0.5, 1.1] * b.ms
    spikes, trace = b.SpikeMonitor(group), b.StateMonitor(group, "v", record=True)
    net = b.Network(source, group, synapses, spikes, trace)
    net.run(1.5 * b.ms)
    net.store()
    net.run(10 * b.ms)
    first = [np.array(spikes.t), np.array(trace.v)]
    net.restore()
    middle = float(net.t)
    synapses.w = 0.3
    net.run(5 * b.ms)
    second = [np.array(spikes.t), np.array(trace.v)]
    net.restore()
    net.run(10 * b.ms)
    return {
        "first t": first[0], "first v": first[1], "second t": second[0], "second v": second[1], "t": middle,
        "again t": spikes.t, "again v": trace.v,
    }  # fmt: skip


@case
def integration_methods(b: Any) -> dict[str, Any]:
    found = {}
    linear = "dv/dt = (w - v)/(2*ms) + 1/ms : 1\ndw/dt = -w/(7*ms) + v/(3*ms) : 1"
    conditional = "dv/dt = (m**3*(1 - v) + 0.3*(w - v))/ms : 1\ndm/dt = (1 - m)/(1 + v**2)/ms : 1\nw : 1"
    nonlinear = "dv/dt = (v - v**3/3 - w + 0.5*cos(t/ms))/ms : 1\ndw/dt = 0.08*(v + 0.7 - 0.8*w)/ms : 1"
    for method, model in [
        ("exact", linear), ("exponential_euler", conditional), ("euler", nonlinear), ("rk2", nonlinear),
        ("rk4", nonlinear), ("milstein", nonlinear), ("euler", linear),
        ("exponential_euler", linear), ("rk4", conditional),
    ]:  # fmt: skip
        group = b.NeuronGroup(2, model, method=method, dt=0.2 * b.ms)
        group.v, group.w = [0.1, 1.4], [0.5, -0.2]
        trace = b.StateMonitor(group, "v", record=True)
        b.Network(group, trace).run(10 * b.ms)
        found[f"{method}: {model.splitlines()[0]}"] = trace.v
    return found


@case
def values_by_text_and_index(b: Any) -> dict[str, Any]:
    scale = 3 * b.mV  # noqa: F841  (used in model text)
    group = b.NeuronGroup(6, "v : volt\nw : 1\nn : integer\ns : volt (shared)")
    group.s = 2 * b.mV
    group.v = "i*scale + s"
    group.w = np.arange(6) / 2
    found = {"v": np.array(group.v), "some": group.v["w > 1"], "one": group.v[2], "back": group.v[-2:]}
    group.v["i % 2 == 0"] = "v + w*mV"
    group.v[1:3] = [7, 8] * b.mV
    group.v[[4, 5]] = 9 * b.mV
    group.w[group.w[:] > 1.9] = 0.5
    group.v += 1 * b.mV
    group.w *= 2
    group.n = "i*2"
    group.s = "s*2"
    sums = group.v + 2 * group.v
    return found | {
        "v after": group.v, "w after": group.w, "n": group.n, "s": group.s[:], "sums": sums,
        "mean": np.mean(group.v), "max": np.max(group.w[:]), "states": sorted(group.get_states()),
        "length": len(group.v), "plain": group.v_[:2],
    }  # fmt: skip


@case
def schedules(b: Any) -> dict[str, Any]:
    group = b.NeuronGroup(1, "dv/dt = 1/ms : 1", threshold="v > 0.35", reset="v = 0", method="euler")
    trace, spikes = b.StateMonitor(group, "v", record=0), b.SpikeMonitor(group)
    net = b.Network(group, trace, spikes)
    net.schedule = ["start", "resets", "groups", "synapses", "thresholds", "end"]
    net.run(2 * b.ms)
    return {"v": trace.v, "t": spikes.t, "schedule": net.schedule}


@case
def times_known_to_a_group(b: Any) -> dict[str, Any]:
    group = b.NeuronGroup(
        2, "dv/dt = 1/ms : 1\nx : second\nk : integer", threshold="v > 0.35", reset="v = 0; x = t; k = N",
        refractory=0.2 * b.ms, method="euler",
    )  # fmt: skip
    before = [float(x) for x in group.lastspike[:]]
    b.run(1 * b.ms)
    return {
        "before": before, "last": group.lastspike, "x": group.x, "k": group.k, "t": group.t, "dt": group.dt,
        "clock": b.defaultclock.t,
    }  # fmt: skip


@case
def coefficients_that_change(b: Any) -> dict[str, Any]:
    held = b.NeuronGroup(
        2, "dv/dt = -v*k : 1\nk = (1 + t/ms)/ms : Hz (constant over dt)", method="exact", threshold="v < 0.5",
        reset="v = 1",
    )  # fmt: skip
    source = b.NeuronGroup(2, "dx/dt = 1/ms : 1\ny = (1 + t/ms)/ms : Hz\nz : Hz", method="euler")
    source.run_regularly("z = (1 + i)*t/ms/ms", dt=0.3 * b.ms)
    linked = [
        b.NeuronGroup(2, f"dv/dt = -v*p{per} : 1\np : {unit} (linked)", method="exact")
        for per, unit in (("/ms", "1"), ("", "Hz"), ("", "Hz"))
    ]
    timed = b.NeuronGroup(2, "dv/dt = -v*k : 1\nk = (1 + i + t/ms)/ms : Hz", method="exponential_euler")
    reset = b.NeuronGroup(
        2, "dv/dt = (2 - v)/tau : 1\ntau : second", method="exact", threshold="v > 1",
        reset="v = 0; tau *= 1.1",
    )  # fmt: skip
    writer = b.NeuronGroup(
        2, "dv/dt = 1/ms : 1\nq : 1 (linked)", threshold="v > 0.35 + 0.2*i",
        reset="v = 0; q += 1", method="euler",
    )  # fmt: skip
    target = b.NeuronGroup(2, "n : 1")
    writer.q = b.linked_var(target, "n")
    for group, name in zip(linked, "xyz", strict=True):
        group.v = 1
        group.p = b.linked_var(source, name)
    held.v = timed.v = 1
    reset.tau = [1, 2] * b.ms
    net = b.Network(held, source, linked, timed, reset, writer, target)
    net.run(2 * b.ms)
    return {
        "held": held.v, "timed": timed.v, "reset": reset.v, "tau": reset.tau, "written": target.n,
        **{f"linked to {name}": group.v for group, name in zip(linked, "xyz", strict=True)},
    }  # fmt: skip


def plain(value: Any) -> Any:
    """A result as JSON can hold it."""
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return value
    return np.asarray(value).astype(float).tolist()


def run_case(name: str, b: Any) -> dict[str, Any]:
    """The results of one case as plain lists, from a fresh scope."""
    b.start_scope()
    b.defaultclock.dt = 0.1 * b.ms
    return {key: plain(value) for key, value in CASES[name](b).items()}


if __name__ == "__main__":
    import brian2  # pyright: ignore[reportMissingImports]  (only needed to make the expected values)

    brian2.prefs.codegen.target = "numpy"
    print(json.dumps({"brian2": brian2.__version__} | {name: run_case(name, brian2) for name in CASES}))
