"""What a sweep records: names and data of the specs, and what their recorders give, against monitors."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eccles as e
from eccles.errors import DimensionMismatchError, NameResolutionError, SetupError
from eccles.objects import magic
from eccles.results.layout import Coordinate, Field
from eccles.sweeps import record
from eccles.sweeps.plan import share_time
from eccles.sweeps.record import Record, record_of_monitor, records_of
from eccles.sweeps.recorders import Recorder
from eccles.units import Hz, ms, mV, second, volt

MODES = ["grid", "precise"]


class Model:
    """A network to record in."""

    def __init__(self, mode: str = "grid") -> None:
        magic.start_scope()
        self.Q = e.NeuronGroup(
            4, """dv/dt = (30*mV*sin(2*pi*40*Hz*t + i) - v)/(5*ms) : volt
            double = 2*v : volt
            n : integer
            on = v > 0*mV : boolean
            s : volt (shared)
            odd : boolean
            gain : 1""",
            threshold="v > 12*mV", reset="v = 0*mV; n += 1; odd = not odd", spike_times=mode,
            events={"low": "v < -14*mV"},
        )  # fmt: skip
        self.P = e.NeuronGroup(1, "dx/dt = rate : 1\nrate : hertz", threshold="x > 1", reset="x = 0",
                               spike_times=mode)  # fmt: skip
        self.P.rate = 210 * Hz
        self.S = e.Synapses(self.P, self.Q, "w : 1\ndtrace/dt = -trace/(3*ms) : 1 (event-driven)",
                            on_pre="w += 0.1 + trace; trace += 1")  # fmt: skip
        self.S.connect()
        self.part = self.Q[1:3]
        self.network = e.Network(self.Q, self.P, self.S)

    def find(self, name: str) -> Any:
        found = getattr(self, name, None)
        if found is None:
            raise SetupError(f"no object '{name}'")
        return found

    def record(self, given: Any, *others: Any, duration: float = 0.03) -> dict[str, tuple[Field, Any]]:
        """Run; for each result its field and what was collected."""
        recorders = {name: spec.attach(self.find) for name, spec in records_of(given).items()}
        self.network.add([r.objects for r in recorders.values()], *others)
        self.network.run(duration * second)
        for recorder in recorders.values():
            look(recorder, duration)
        return {name: (r.field(duration), r.collect()) for name, r in recorders.items()}


def look(recorder: Recorder, duration: float) -> None:
    """What all recorders have to do."""
    field, found = recorder.field(duration), recorder.collect()
    assert field.name == recorder.record.name
    if field.kind == "events":
        assert list(found) == list(field.columns)
        assert len({len(column) for column in found.values()}) == 1
        assert recorder.plain() is None
        return
    assert found.shape == field.shape
    assert found.dtype == field.dtype
    assert len(field.dims) == len(field.shape)
    assert recorder.memory(duration) == found.nbytes
    for dim, coordinate in field.coordinates.items():
        assert coordinate.values.shape == (field.shape[field.dims.index(dim)],)
    array = recorder.plain()
    if array is not None:
        np.testing.assert_array_equal(array.data, found.reshape(-1))


def same(found: Any, expected: Any) -> None:
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


SPECS = [
    record.final("S.w"),
    record.final("Q.v", elements=2),
    record.final("Q.v", elements=slice(1, None, 2)),
    record.final("Q.v", elements=[True, False, False, True]),
    record.trace("Q.v", every=10, start=5 * ms, stop=1 * second, elements=[0, 3]),
    record.trace("Q.v", dt=0.25 * ms),
    record.spikes("P", variables=["x", "rate"]),
    record.spikes("P", event="low", elements=0),
    record.count("P", start=3 * ms),
    record.rate("P", stop=0.3 * second),
    record.population_rate("P"),
    record.mean("Q.v", start=0 * ms),
    record.maximum("Q.v"),
    record.minimum("Q.v", elements=slice(None)),
    record.time_of_maximum("Q.v"),
    record.time_of_minimum("Q.v", stop=2 * ms),
    record.reduce("Q", "a : 1", each="a += 1", value="a/2", first="a = 5", start=1 * ms),
    replace(record.spikes("P"), when="end", order=3, called="late"),
    Record("text", "P", "rate"),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_spec_goes_through_json(spec: Record) -> None:
    assert Record.from_dict(json.loads(json.dumps(spec.to_dict(), allow_nan=False))) == spec


def test_what_is_stored_is_what_differs_from_the_defaults() -> None:
    spec = record.mean("Q.v", start=20 * ms, elements=slice(3))
    assert spec.to_dict() == {
        "kind": "mean", "object": "Q", "variable": "v", "start": 0.02, "elements": {"slice": [None, 3, None]},
    }  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        {},
        None,
        {"kind": "mean"},
        {"kind": "__class__", "object": "Q"},
        {"kind": "final", "object": "Q", "attach": "x"},
        {"kind": "final", "object": 3},
        {"kind": "final", "object": "Q", "start": "soon"},
        {"kind": "final", "object": "Q", "start": -1.0},
        {"kind": "final", "object": "Q", "every": 0},
        {"kind": "final", "object": "Q", "every": 1.5},
        {"kind": "final", "object": "Q", "elements": {"slice": ["a", 1, 1]}},
        {"kind": "final", "object": "Q", "elements": {"parts": 1}},
        {"kind": "final", "object": "Q", "elements": [1, None]},
        {"kind": "spikes", "object": "Q", "variables": [1]},
        {"kind": "reduce", "object": "Q", "constants": [["a", "b", []]]},
        {"kind": "reduce", "object": "Q", "constants": [["a", 1.0, ["1/0"] * 7]]},
    ],
)
def test_data_that_is_no_spec_is_refused(data: Any) -> None:
    with pytest.raises(SetupError):
        Record.from_dict(data)


# -- names --------------------------------------------------------------------------------------------


def test_results_are_called_by_what_was_given() -> None:
    found = records_of([
        "Q.v", record.trace("Q.v"), record.mean("Q.v"), "P.spikes", record.rate("P"),
        record.count("Q", event="low"), record.reduce("Q", "top : volt", each="top = v", value="top"),
        record.reduce("Q", "top : volt", each="top = v", value="top/2"), record.population_rate("P"),
    ])  # fmt: skip
    assert list(found) == [
        "Q.v", "trace(Q.v)", "mean(Q.v)", "P.spikes", "P.rate", "Q.low.count", "top(Q)", "reduce(Q)",
        "P.population_rate",
    ]  # fmt: skip
    assert [r.name for r in found.values()] == list(found)
    assert list(records_of("Q.v")) == ["Q.v"]
    assert list(records_of(record.final("Q.v"))) == ["Q.v"]
    named = records_of({"early": record.mean("Q.v", stop=5 * ms), "late": record.mean("Q.v", start=5 * ms)})
    assert [r.name for r in named.values()] == ["early", "late"]


def test_two_results_of_one_name_are_an_error() -> None:
    with pytest.raises(SetupError, match=r"two results are called 'mean\(Q.v\)'"):
        records_of([record.mean("Q.v", stop=5 * ms), record.mean("Q.v")])
    assert len(records_of(["Q.v", "Q.v"])) == 1


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("Qv", SetupError, "does not say what to record"),
        (".v", SetupError, "does not say what to record"),
        ([], SetupError, "nothing is recorded"),
        ({}, SetupError, "nothing is recorded"),
        ([3], TypeError, 'text such as "Q.v"'),
        (3, TypeError, 'text such as "Q.v"'),
        ({3: "Q.v"}, SetupError, "called by text"),
        ({"a/b": "Q.v"}, SetupError, "without '/'"),
    ],
)
def test_what_cannot_be_recorded_is_said(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        records_of(given)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: record.mean("Q.v", start=3 * mV), DimensionMismatchError, "start= has to be a time"),
        (lambda: record.mean("Q.v", stop=3), DimensionMismatchError, "stop= has to be a time"),
        (lambda: record.mean("Q.v", start=3 * ms, stop=2 * ms), SetupError, "ends before it starts"),
        (lambda: record.count("P", start=-3 * ms), SetupError, "from 0 on"),
        (lambda: record.rate("P", start=3 * ms, stop=3 * ms), SetupError, "longer than 0 s"),
        (lambda: record.trace("Q.v", every=2, dt=1 * ms), SetupError, "not both"),
        (lambda: record.trace("Q.v", every=1.5), SetupError, "every= has to be a whole number"),
        (lambda: record.trace("Q.v", dt=0 * ms), SetupError, "dt= has to be a positive time"),
        (lambda: record.trace("Q.v", dt=1 * volt), DimensionMismatchError, "dt has to be a time"),
        (lambda: record.final("Q.v", elements="x"), TypeError, "elements are given by"),
        (lambda: record.final("Q.v", elements=[0.5]), TypeError, "elements are given by"),
        (lambda: record.final(3), TypeError, "given as text"),
        (lambda: record.count(3), TypeError, "by the name of a group"),
        (lambda: record.reduce("Q", "a : 1", each="a +", value="a"), SyntaxError, "each sample"),
    ],
)
def test_mistakes_are_found_where_they_are_made(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("Q.u", NameResolutionError, "'Q' has no variable 'u'"),
        ("Q.gian", NameResolutionError, "did you mean 'gain'"),
        ("P.spike", NameResolutionError, "did you mean 'spikes'"),
        ("X.v", SetupError, "no object 'X'"),
        ("S.spikes", SetupError, "'S' is a Synapses, which does not spike"),
        ("network.v", SetupError, "has no variables"),
        (record.mean("Q.w"), NameResolutionError, "'Q' has no variable 'w'"),
        (record.trace("Q.w"), NameResolutionError, "'Q' has no variable 'w'"),
        (record.spikes("Q", variables="w"), NameResolutionError, "'Q' has no variable 'w'"),
        (record.spikes("Q", event="high"), SetupError, "has no event 'high'"),
        (record.population_rate("S"), SetupError, "does not spike"),
        (record.mean("Q.s", elements=0), SetupError, "shared by all elements"),
        (record.mean("Q.v", elements=4), IndexError, "Q has 4 elements"),
        (record.reduce("network", "a : 1", each="a = 1", value="a"), SetupError, "has no variables"),
        (record.reduce("Q", "a : 1", each="a = 1*volt", value="a"), DimensionMismatchError, "cannot set 'a'"),
    ],
)
def test_mistakes_are_found_before_anything_runs(spec: Any, error: type[Exception], message: str) -> None:
    model = Model()
    (found,) = records_of(spec).values()
    with pytest.raises(error, match=message):
        found.attach(model.find)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (record.mean("Q.v", stop=50 * ms), "stop = 0.05 s, but the run ends at 0.03 s"),
        (record.trace("Q.v", start=50 * ms), "start = 0.05 s, but the run ends"),
        (record.count("Q", stop=31 * ms), "stop = 0.031 s"),
        (record.rate("Q", start=30 * ms), "longer than 0 s"),
        (record.mean("Q.v", start=1.01 * ms, stop=1.09 * ms), "no sample"),
        (record.trace("Q.v", start=1.01 * ms, stop=1.09 * ms), "no sample"),
        (record.maximum("Q.v", start=30 * ms), "no sample"),
    ],
)
def test_windows_that_the_run_does_not_reach_are_errors(spec: Record, message: str) -> None:
    model = Model()
    recorder = spec.attach(model.find)
    with pytest.raises(SetupError, match=message):
        recorder.field(0.03)


# -- values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_final_values(mode: str) -> None:
    model = Model(mode)
    model.Q.gain = [1, 2, 3, 4]
    found = model.record([
        "Q.v", "Q.double", "Q.n", "Q.odd", "Q.on", "Q.s", "S.w", "S.trace", "S.v_post", "P.rate", "P.x",
        "part.v", "Q.i", record.final("Q.gain", elements=[3, 0]),
    ])  # fmt: skip
    for name, (field, values) in found.items():
        obj, variable = name.split(".")
        view = model.find(obj).view(variable, units=False)
        expected = view[:]
        if name == "Q.gain":
            assert field.dims == ("Q.gain.element",)
            same(field.coordinates["Q.gain.element"].values, [3, 0])
            same(values, [4, 1])
            continue
        assert field.dims == (() if obj == "P" or view.shared else (obj,))
        same(values.reshape(-1), np.reshape(expected, -1))
    assert found["P.rate"][0].units == "Hz"
    assert found["P.rate"][1] == 210
    assert [found[n][0].units for n in ("Q.v", "Q.n", "S.w")] == ["V", "", ""]
    assert [found[n][0].dtype for n in ("Q.v", "Q.n", "Q.on")] == ["float64", "int64", "bool"]


def test_stored_values_of_whole_groups_are_read_without_python() -> None:
    model = Model()
    specs = records_of([
        "Q.v", "Q.s", "S.w", "P.rate", "P.count", "Q.double", "Q.n", "Q.odd", "S.trace", "S.v_post",
        "part.v", "Q.lastspike", "Q.spikes", record.maximum("Q.v"), record.trace("Q.v"),
    ])  # fmt: skip
    plain = {name: spec.attach(model.find).plain() is not None for name, spec in specs.items()}
    assert [name for name, is_plain in plain.items() if is_plain] == [
        "Q.v", "Q.s", "S.w", "P.rate", "P.count", "Q.n", "Q.odd", "maximum(Q.v)",
    ]  # fmt: skip
    assert record.rate("P").attach(model.find).plain() is not None
    assert record.count("Q", elements=0).attach(model.find).plain() is None
    assert record.population_rate("P").attach(model.find).plain() is None


@pytest.mark.parametrize("mode", MODES)
def test_traces_are_those_of_a_state_monitor(mode: str) -> None:
    model = Model(mode)
    state = e.StateMonitor(model.Q, ["v", "double", "n", "on"], record=True)
    shared = e.StateMonitor(model.Q, "s", record=False)
    synaptic = e.StateMonitor(model.S, "w", record=True)
    coarse = e.StateMonitor(model.Q, "v", record=True, dt=0.25 * ms)
    model.Q.run_regularly("s = s + 1*mV")
    found = model.record(
        {
            **{n: record.trace(f"Q.{n}") for n in ("v", "double", "n", "on", "s")},
            "w": record.trace("S.w"),
            "x": record.trace("P.x", every=3),
            "part": record.trace("part.v", elements=1),
            "some": record.trace("Q.v", elements=[3, 1]),
            "tenth": record.trace("Q.v", dt=1 * ms),
            "coarse": record.trace("Q.v", dt=0.25 * ms),
            "late": record.trace("Q.v", start=10 * ms, stop=20 * ms, every=4),
        },
        state, shared, synaptic, coarse,
    )  # fmt: skip
    assert state.n_samples == (301 if mode == "precise" else 300)
    for name in ("v", "double", "n", "on"):
        field, values = found[name]
        assert field.dims == ("Q", f"{name}.time")
        assert field.coordinates[f"{name}.time"].units == "s"
        same(field.coordinates[f"{name}.time"].values, state.t_)
        same(values, getattr(state, f"{name}_"))
    same(found["s"][1], shared.s_)
    assert found["s"][0].dims == ("s.time",)
    same(found["w"][1], synaptic.w_)
    assert found["w"][0].dims == ("S", "w.time")
    assert found["x"][0].dims == ("x.time",)
    same(found["x"][0].coordinates["x.time"].values, state.t_[::3])
    assert found["part"][0].dims == ("part.time",)
    same(found["part"][1], state.v_[2])
    same(found["some"][1], state.v_[[3, 1]])
    same(found["tenth"][1], state.v_[:, ::10])
    same(found["coarse"][1], coarse.v_)
    same(found["coarse"][0].coordinates["coarse.time"].values, coarse.t_)
    same(found["late"][1], state.v_[:, 100:201:4])
    same(found["late"][0].coordinates["late.time"].values, state.t_[100:201:4])


@pytest.mark.parametrize("mode", MODES)
def test_events_are_those_of_a_spike_monitor(mode: str) -> None:
    model = Model(mode)
    spikes = e.SpikeMonitor(model.Q, variables=["v", "n"])
    low = e.EventMonitor(model.Q, "low")
    steps = e.PopulationRateMonitor(model.Q)
    found = model.record(
        {
            "spikes": "Q.spikes",
            "values": record.spikes("Q", variables=["v", "n"]),
            "one": record.spikes("Q", elements=1),
            "part": record.spikes("part"),
            "low": record.spikes("Q", event="low"),
            "n_low": record.count("Q", event="low"),
            "count": "Q.count",
            "of_two": record.count("Q", elements=[2, 0]),
            "rate": record.rate("Q"),
            "late": record.rate("Q", start=10 * ms, stop=25 * ms, elements=3),
            "p": record.count("P"),
            "steps": record.population_rate("Q"),
        },
        spikes, low, steps,
    )  # fmt: skip
    assert spikes.num_spikes > 3
    field, columns = found["values"]
    assert field.columns == {"t": "s", "i": "", "v": "V", "n": ""}
    assert field.attributes["n_elements"] == 4
    for name in ("t", "i", "v", "n"):
        same(columns[name], getattr(spikes, f"{name}_"))
    same(found["spikes"][1]["t"], spikes.t_)
    same(found["one"][1]["t"], spikes.t_[spikes.i == 1])
    same(found["one"][1]["i"], np.full(spikes.count[1], 1))
    same(found["part"][1]["i"], spikes.i[np.isin(spikes.i, [1, 2])] - 1)
    same(found["low"][1]["t"], low.t_)
    same(found["n_low"][1], low.count)
    same(found["count"][1], spikes.count)
    same(found["of_two"][1], spikes.count[[2, 0]])
    same(found["rate"][1], spikes.count / 0.03)
    assert found["rate"][0].units == "Hz"
    inside = (spikes.i == 3) & (spikes.t_ >= 0.01 - 1e-9) & (spikes.t_ < 0.025 - 1e-9)
    same(found["late"][1], inside.sum() / (0.025 - 0.01))
    assert found["p"][0].dims == ()
    assert found["p"][1] == 6
    same(found["steps"][1], steps.rate_)
    same(found["steps"][0].coordinates["steps.time"].values, steps.t_)


def test_a_variable_of_the_model_comes_before_a_shorthand() -> None:
    model = Model()
    found = model.record(["P.rate", "Q.rate", "P.count"])
    assert found["P.rate"][1] == 210
    assert found["Q.rate"][1].shape == (4,)
    same(found["Q.rate"][1] * 0.03, model.Q.n[:])
    assert found["P.count"][1] == 6


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=10)
@given(bounds=st.tuples(st.integers(0, 300), st.integers(0, 299)))
def test_reductions_are_those_of_the_trace(mode: str, bounds: tuple[int, int]) -> None:
    model = Model(mode)
    first, last = sorted(bounds)
    window: Any = {"start": first * 0.1 * ms, "stop": last * 0.1 * ms}
    oracles = {
        "mean": lambda v, t: v.mean(-1), "maximum": lambda v, t: v.max(-1), "minimum": lambda v, t: v.min(-1),
        "time_of_maximum": lambda v, t: t[v.argmax(-1)], "time_of_minimum": lambda v, t: t[v.argmin(-1)],
    }  # fmt: skip
    variables = {"Q.v": ("Q",), "S.w": ("S",), "P.x": (), "Q.s": ()}
    specs: dict[str, Record] = {f"trace {v}": record.trace(v, **window) for v in variables}
    for kind in oracles:
        specs |= {f"{kind} {v}": getattr(record, kind)(v, **window) for v in variables}
    model.Q.run_regularly("s = s + 1*mV")
    found = model.record(specs)
    for kind, oracle in oracles.items():
        for variable, dims in variables.items():
            field, values = found[f"{kind} {variable}"]
            trace_field, trace = found[f"trace {variable}"]
            times = trace_field.coordinates[f"trace {variable}.time"].values
            assert field.dims == dims
            assert field.units == ("s" if "time" in kind else trace_field.units)
            np.testing.assert_allclose(
                values, oracle(trace, times), rtol=1e-13, atol=0 if "time" in kind else 1e-17
            )


@pytest.mark.parametrize("mode", MODES)
def test_reductions_of_ones_own_know_the_script(mode: str) -> None:
    model = Model(mode)
    offset, factor, unused = 3 * mV, 2, "text"
    peak = record.reduce(
        "Q", "peak : volt", first="peak = v", each="peak = clip(peak, v, inf*volt)",
        value="factor*(peak + offset)", elements=slice(1, 3),
    )  # fmt: skip
    assert [(name, number) for name, number, _ in peak.constants] == [("factor", 2), ("offset", 3e-3)]
    again = Record.from_dict(json.loads(json.dumps(peak.to_dict())))
    del offset, factor, unused
    found = model.record({"own": again, "top": record.maximum("Q.v", elements=slice(1, 3))})
    np.testing.assert_allclose(found["own"][1], 2 * (found["top"][1] + 3e-3), rtol=1e-15)
    assert found["own"][0].units == "V"
    assert found["own"][0].dims == ("own.element",)


def test_memory_of_events_is_guessed_from_100_per_second() -> None:
    model = Model()
    assert record.spikes("Q").attach(model.find).memory(0.5) == 4 * 50 * 12
    assert record.spikes("Q", elements=0, variables=["v", "n"]).attach(model.find).memory(0.5) == 50 * (
        12 + 16
    )


# -- the model's own monitors -------------------------------------------------------------------------


def test_monitors_of_the_model_as_specs() -> None:
    model = Model()
    Q, P = model.Q, model.P
    made = {
        e.SpikeMonitor(P): [record.spikes("P")],
        e.SpikeMonitor(Q, variables="v"): [record.spikes("Q", variables="v")],
        e.SpikeMonitor(Q, record=False): [record.count("Q")],
        e.EventMonitor(Q, "low"): [record.spikes("Q", event="low")],
        e.SpikeMonitor(Q, when="end", order=2): [replace(record.spikes("Q"), when="end", order=2)],
        e.StateMonitor(Q, ["v", "s"], record=True): [record.trace("Q.v"), record.trace("Q.s")],
        e.StateMonitor(Q, "v", record=[2, 0], dt=1 * ms): [record.trace("Q.v", dt=1 * ms, elements=[2, 0])],
        e.StateMonitor(model.S, "w", record=slice(2), every=5, start=1 * ms): [
            record.trace("S.w", every=5, start=1 * ms, elements=[0, 1])
        ],
        e.PopulationRateMonitor(P): [record.population_rate("P")],
    }
    for monitor, expected in made.items():
        called = next(n for n in "QPS" if getattr(model, n) is monitor.source)
        assert record_of_monitor(monitor, called) == expected


def test_monitors_of_a_part_without_a_name_are_of_elements_of_the_whole() -> None:
    model = Model()
    Q = model.Q  # what the specs call it
    part = Q[2:]
    assert record_of_monitor(e.SpikeMonitor(part), part.name) == [record.spikes("Q", elements=slice(2, 4))]
    assert record_of_monitor(e.StateMonitor(part, "v", record=1), part.name) == [
        record.trace("Q.v", elements=[3])
    ]
    assert record_of_monitor(e.StateMonitor(part, "v", record=True), part.name) == [
        record.trace("Q.v", elements=[2, 3])
    ]
    assert record_of_monitor(e.StateMonitor(part, "v", record=True), "part") == [record.trace("part.v")]
    assert record_of_monitor(e.SpikeMonitor(part), "part") == [record.spikes("part")]
    with pytest.raises(SetupError, match="cannot be recorded"):
        record_of_monitor(e.PopulationRateMonitor(part), part.name)
    with pytest.raises(SetupError, match="in the slot 'end'"):
        record_of_monitor(e.StateMonitor(Q, "v", record=True, when="end"), "Q")


@pytest.mark.parametrize("mode", MODES)
def test_specs_of_monitors_record_what_these_do(mode: str) -> None:
    model = Model(mode)
    state = e.StateMonitor(model.Q, "v", record=[1, 3], dt=0.3 * ms)
    late = e.SpikeMonitor(model.Q, variables="v", when="end")
    found = model.record(
        [*record_of_monitor(state, "Q"), *record_of_monitor(late, "Q")], state, late
    )  # fmt: skip
    same(found["trace(Q.v)"][1], state.v_)
    same(found["Q.spikes"][1]["v"], late.v_)
    assert late.num_spikes > 3


# -- time ---------------------------------------------------------------------------------------------


def field(name: str, times: list[float]) -> Field:
    return Field(
        name, dims=("Q", f"{name}.time"), shape=(3, len(times)),
        coordinates={f"{name}.time": Coordinate(np.array(times), "s")},
    )  # fmt: skip


def test_equal_times_make_one_dimension() -> None:
    a, b, c = field("a", [0, 1]), field("b", [0, 1]), field("c", [0, 2])
    plain = Field("v", dims=("Q",), shape=(3,))
    shared = share_time({"a": a, "b": b, "v": plain})
    assert [f.dims for f in shared.values()] == [("Q", "time"), ("Q", "time"), ("Q",)]
    assert list(shared["b"].coordinates) == ["time"]
    assert share_time({"a": a, "b": b, "c": c}) == {"a": a, "b": b, "c": c}
    assert share_time({"v": plain}) == {"v": plain}


def test_records_of_no_kind_and_without_their_variable_are_refused() -> None:
    with pytest.raises(SetupError, match="there is no kind of record 'foo'"):
        record.Record("foo", "G")
    with pytest.raises(SetupError, match="'final' needs a variable"):
        record.Record.from_dict({"kind": "final", "object": "G"})
