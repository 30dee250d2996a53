"""Sweeps against their models run alone: bit for bit, whatever is swept."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sweeps.alone import assert_as_alone

from eccles import *
from eccles.sweeps import conditions

TAU = 10 * ms


@pytest.fixture(autouse=True)
def quiet():
    silence("rebuilt_in_loop", "unreachable_threshold", "one_model_per_value")
    yield
    silence()


# -- what can be swept --------------------------------------------------------------------------------


def constants(tau_m, drive):
    G = NeuronGroup(3, "dv/dt = (drive - v)/tau_m : 1", threshold="v > 1", reset="v = 0")
    G.v = [0, 0.2, 0.4]
    run(50 * ms)
    return locals()


def test_constants_of_equations():
    assert_as_alone(constants, ["G.v"], tau_m=[5, 10, 20] * ms, drive=[0.5, 1.5, 2.5])


def test_integers_and_a_single_value():
    def model(n, k):
        G = NeuronGroup(2, "dv/dt = (n*k - v)/TAU : 1")
        run(5 * ms)
        return locals()

    result = assert_as_alone(model, ["G.v"], n=[1, 2], k=3)
    assert result["n"].dtype == np.int64
    assert dict(result["G.v"].sizes) == {"n": 2, "k": 1, "G": 2}


def test_a_model_without_parameters_is_one_condition():
    def model():
        G = NeuronGroup(2, "dv/dt = (3 - v)/TAU : 1", threshold="v > 1", reset="v = 0")
        run(50 * ms)
        return locals()

    result = assert_as_alone(model, ["G.v"])
    assert result["G.v"].dims == ("G",)


def initial(v0, u0):
    G = NeuronGroup(3, "dv/dt = (u - v)/TAU : 1\ndu/dt = -u/(2*TAU) : 1")
    G.v = v0
    G.v[1] = 2 * v0 + u0
    G.u[1:] = u0
    G.u[2] = 7
    run(5 * ms)
    return locals()


def test_initial_values_written_in_order():
    assert_as_alone(initial, ["G.v", "G.u"], v0=[0.5, 1.0], u0=[-1.0, 0.0, 2.0])


def test_initial_values_from_text():
    def model(a, b):
        G = NeuronGroup(4, "dv/dt = (w - v)/TAU : 1\nw : 1")
        G.w = "a*i"
        G.v = "w + b"
        G.v["i > 2"] = "v + a"
        run(5 * ms)
        return locals()

    assert_as_alone(model, ["G.v"], a=[0.5, 1.0], b=[-1.0, 0.0])


def test_text_reads_what_was_there_when_it_was_written():
    def model(a):
        G = NeuronGroup(3, "dv/dt = -v/TAU : 1\nx : 1\ny : 1")
        G.x = 2
        G.v = "x + y + a"
        G.x = 5
        G.y = a
        run(1 * ms)
        return locals()

    assert_as_alone(model, ["G.v", "G.x"], a=[0.5, 1.0])


def test_shared_variables_and_parts_of_groups():
    def model(drive, v0):
        G = NeuronGroup(4, "dv/dt = (I - v)/TAU : 1\nI : 1 (shared)")
        G.I = drive
        part = G[1:3]
        part.v = v0
        part.v[1] = "v + 1"
        run(5 * ms)
        return locals()

    assert_as_alone(model, ["G.v", "G.I"], drive=[0.5, 1.0], v0=[-1.0, 0.0])


def stdp(pre, post, tau):
    neurons = NeuronGroup(2, "dx/dt = rate : 1\nrate : hertz (constant)", threshold="x > 1", reset="x = 0")
    neurons.rate[0] = pre
    neurons.rate[1] = post
    S = Synapses(
        neurons[:1], neurons[1:],
        "w : 1\ndApre/dt = -Apre/tau : 1 (event-driven)\ndApost/dt = -Apost/tau : 1 (event-driven)",
        on_pre="Apre += 0.02; w = clip(w + Apost, 0, 1)", on_post="Apost -= 0.021; w = clip(w + Apre, 0, 1)",
    )  # fmt: skip
    S.connect()
    S.w = 0.5
    run(300 * ms)
    return locals()


def test_rates_and_a_time_constant_of_plasticity():
    assert_as_alone(stdp, ["S.w"], pre=[50, 77] * Hz, post=[60, 91.5, 20] * Hz, tau=[10, 20] * ms)


def weighted(w, d):
    P = SpikeGeneratorGroup(2, [0, 1, 0], [1, 2, 5] * ms)
    G = NeuronGroup(2, "dv/dt = -v/TAU : 1")
    S = Synapses(P, G, "w : 1", on_pre="v += w", delay=d)
    S.connect()
    S.w = w
    S.w[0, 1] = 3 * w
    run(20 * ms)
    return locals()


def test_weights_and_a_delay_that_may_be_zero():
    assert_as_alone(weighted, ["G.v"], w=[0.1, 0.7], d=[0, 0.33, 2, 7] * ms)


def test_delays_of_single_synapses():
    def model(d):
        P = SpikeGeneratorGroup(2, [0, 1], [1, 5] * ms)
        G = NeuronGroup(1, "dv/dt = -v/TAU : 1")
        S = Synapses(P, G, on_pre="v += 1")
        S.connect()
        S.delay = d
        S.delay[0] = d + 1 * ms
        run(20 * ms)
        return locals()

    assert_as_alone(model, ["G.v"], d=[0, 0.33, 2, 7] * ms)


def train(times):
    P = SpikeGeneratorGroup(1, np.zeros(len(times), int), times)
    G = NeuronGroup(1, "dv/dt = -v/TAU : 1")
    S = Synapses(P, G, on_pre="v += 1")
    S.connect()
    run(20 * ms)
    return locals()


@pytest.mark.parametrize("last", [[5, 6] * ms, [5] * ms])
def test_spike_trains_of_one_length_or_of_several(last):
    result = assert_as_alone(train, ["G.v"], times=[[1, 2] * ms, [3, 4] * ms, last])
    np.testing.assert_array_equal(result["times"], [0, 1, 2])


def test_trains_computed_from_a_gap():
    def model(gap):
        times = np.array([3.0, 8.0]) * ms
        P = SpikeGeneratorGroup(2, [0, 0, 1, 1], np.array([3, 8, 0, 0]) * ms + gap * np.array([0, 0, 1, 2]))
        G = NeuronGroup(2, "dv/dt = -v/TAU : 1")
        S = Synapses(P, G, on_pre="v += 1")
        S.connect(j="i")
        run(20 * ms)
        return locals()

    assert_as_alone(model, ["G.v"], gap=[1, 2.5, 4] * ms)


def test_lists_with_swept_values_in_them():
    calls = []

    def model(gap, a):
        calls.append(gap)
        P = SpikeGeneratorGroup(2, [0, 1], [5 * ms, 5 * ms + gap])
        G = NeuronGroup(2, "dv/dt = -v/TAU : 1")
        G.v = [a, 2 * a]
        S = Synapses(P, G, on_pre="v += 1")
        S.connect()
        run(20 * ms)
        return locals()

    sweep(model, record="G.v", gap=[1, 2] * ms, a=[0.1, 0.2])
    assert len(calls) == 1
    assert_as_alone(model, ["G.v"], gap=[1, 2] * ms, a=[0.1, 0.2])


def test_a_stimulus_and_a_refractory_period():
    def model(r, size):
        I = TimedArray(size * np.array([1, 2, 3.0]), dt=5 * ms)
        G = NeuronGroup(2, "dv/dt = (I(t) - v)/TAU : 1", threshold="v > 1", reset="v = 0", refractory=r)
        run(20 * ms)
        return locals()

    assert_as_alone(model, ["G.v"], r=[0.1, 1, 2] * ms, size=[0.5, 1.0, 2.0])


def poisson(rate, w):
    P = PoissonGroup(5, rates=rate)
    G = NeuronGroup(2, "dv/dt = -v/TAU : 1", threshold="v > 1", reset="v = 0")
    S = Synapses(P, G, on_pre="v += w")
    S.connect(p=0.5)
    run(100 * ms)
    return locals()


def test_poisson_rates_and_random_connections_by_trial():
    assert_as_alone(poisson, ["G.v"], rate=[50, 100] * Hz, w=[0.1, 0.2], trial=[0, 3])


def test_poisson_input():
    def model(rate, w):
        G = NeuronGroup(2, "dv/dt = -v/TAU : 1")
        P = PoissonInput(G, "v", 10, rate, w)
        run(20 * ms)
        return locals()

    assert_as_alone(model, ["G.v"], rate=[10, 100] * Hz, w=[0.1, 0.2], trial=range(2))


def noise(sigma):
    G = NeuronGroup(3, "dv/dt = -v/TAU + sigma*sqrt(2/TAU)*xi : 1")
    G.v = "randn()*sigma"
    run(20 * ms)
    return locals()


def test_noise_and_random_initial_values():
    result = assert_as_alone(noise, ["G.v"], sigma=[0.1, 0.2], trial=range(3))
    np.testing.assert_allclose(result["G.v"].sel(sigma=0.2), 2 * result["G.v"].sel(sigma=0.1), rtol=1e-12)
    assert len(np.unique(result["G.v"])) == result["G.v"].size


def test_independent_conditions_have_random_numbers_of_their_own():
    result = assert_as_alone(noise, ["G.v"], independent=True, sigma=[0.1, 0.2], trial=range(3))
    ratio = result["G.v"].sel(sigma=0.2) / result["G.v"].sel(sigma=0.1)
    assert not np.isclose(ratio, 2, rtol=1e-3).any()


def test_sizes_texts_and_conditions_of_python():
    def model(n, kind, g):
        G = NeuronGroup(n, "dv/dt = -v/TAU : 1", method=kind)
        G.v = "i + g"
        if g > 0.7:
            G.v[0] = 3
        run(5 * ms)
        return locals()

    result = assert_as_alone(model, ["G.v"], n=[1, 3], kind=["exact", "euler"], g=[0.5, 1.0])
    assert result["kind"].to_numpy().tolist() == ["exact", "euler"]
    assert dict(result["G.v"].sizes) == {"n": 2, "kind": 2, "g": 2, "G": 3}


def test_an_own_time_step_and_two_clocks():
    def model(tau_m, step):
        defaultclock.dt = 0.05 * ms
        G = NeuronGroup(1, "dv/dt = (1 - v)/tau_m : 1", method="euler", dt=step)
        H = NeuronGroup(1, "dv/dt = (1 - v)/tau_m : 1", method="euler")
        run(4 * ms)
        return locals()

    before = defaultclock.dt_
    assert_as_alone(model, ["G.v", "H.v"], tau_m=[5, 10] * ms, step=[0.1, 0.2] * ms)
    assert defaultclock.dt_ == before


def test_coupled_linear_equations_whose_propagators_differ():
    def model(g, tau_s):
        G = NeuronGroup(
            2, "dv/dt = (I - v)/TAU : 1 (unless refractory)\ndI/dt = (x - I)/tau_s : 1\ndx/dt = -x/tau_s : 1",
            threshold="v > 1", reset="v = 0", refractory=2 * ms,
        )  # fmt: skip
        G.x = g
        run(30 * ms)
        return locals()

    assert_as_alone(model, ["G.v", "G.I"], g=[0, 10, 40], tau_s=[3, 5] * ms)


def test_models_of_the_compatible_face():
    from eccles import brian2 as b2

    def model(rate):
        G = b2.NeuronGroup(2, "dx/dt = rate : 1", threshold="x > 1", reset="x = 0", method="euler")
        b2.run(30 * ms)
        return locals()

    assert_as_alone(model, ["G.x"], rate=[100, 210.0] * Hz)


# -- one model, one program ---------------------------------------------------------------------------


def test_the_model_is_called_once_and_compiled_once(monkeypatch):
    from eccles.objects import network

    calls, programs = [], []
    compile_program = network.compile_program
    monkeypatch.setattr(network, "compile_program", lambda p: (programs.append(p), compile_program(p))[1])

    def model(drive):
        calls.append(drive)
        G = NeuronGroup(1, "dv/dt = (drive - v)/TAU : 1")
        run(1 * ms)

    sweep(model, record="G.v", drive=np.linspace(0, 1, 30))
    assert len(calls) == 1
    assert len(programs) == 1


def test_delays_that_need_another_program_make_it_once(monkeypatch):
    from eccles.objects import network

    programs = []
    compile_program = network.compile_program
    monkeypatch.setattr(network, "compile_program", lambda p: (programs.append(p), compile_program(p))[1])
    sweep(weighted, record="G.v", w=0.1, d=[0, 1, 2, 3, 4, 5] * ms)
    assert len(programs) == 2  # without and with a delay


def test_nothing_of_the_users_session_changes():
    G = NeuronGroup(1, "dv/dt = 1/second : 1", name="mine")
    run(10 * ms)
    sweep(constants, record="G.v", tau_m=[5, 10] * ms, drive=2.0)
    assert defaultclock.timestep == 100
    run(10 * ms)  # goes on
    assert G.v[0] == pytest.approx(0.02)
    assert NeuronGroup(1, "v : 1").name == "neurongroup"


def test_a_condition_does_not_depend_on_which_others_there_are():
    few = sweep(noise, record="G.v", seed=1, sigma=[0.2], trial=[2])
    many = sweep(noise, record="G.v", seed=1, sigma=[0.1, 0.3, 0.2], trial=[5, 2, 1])
    np.testing.assert_array_equal(few["G.v"][0, 0], many["G.v"].sel(sigma=0.2, trial=2))


@settings(max_examples=10)
@given(st.permutations(range(6)))
def test_the_order_of_conditions_changes_nothing(order):
    silence("rebuilt_in_loop")
    rates = np.array([20, 50, 77.7, 91, 120, 240.0])
    there = sweep(stdp, record="S.w", pre=60 * Hz, post=rates * Hz, tau=20 * ms)
    back = sweep(stdp, record="S.w", pre=60 * Hz, post=rates[list(order)] * Hz, tau=20 * ms)
    np.testing.assert_array_equal(back["S.w"], there["S.w"].isel(post=list(order)))


def test_parameters_that_go_together():
    result = assert_as_alone(
        stdp, ["S.w"], pair=zipped(pre=[50, 60, 70] * Hz, post=[20, 30, 40] * Hz), tau=[10, 20] * ms
    )
    assert result["S.w"].dims == ("pair", "tau")
    assert result["pre"].dims == ("pair",)
    assert result["pre"].attrs["units"] == "Hz"


# -- what goes wrong ----------------------------------------------------------------------------------


def failures(result):
    return [(tuple(f["condition"].values()), f["message"]) for f in json.loads(result.attrs["failures"])]


def test_a_bad_parameter_is_marked_and_the_others_are_done():
    result = sweep(poisson, record="G.v", rate=[10, -5, np.nan, 20] * Hz, w=0.1)
    assert result["failed"].to_numpy()[:, 0].tolist() == [False, True, True, False]
    (first, why), (second, why_nan) = failures(result)
    assert first == (-5, 0.1)
    assert "-5.0 Hz" in why
    assert np.isnan(second[0])
    assert why_nan == "the parameter 'rate' is NaN"
    assert np.isfinite(result["G.v"].isel(rate=[0, 3])).all()
    assert np.isnan(result["G.v"].isel(rate=[1, 2])).all()


@pytest.mark.parametrize("n", [3, 40])
def test_a_condition_that_runs_away_is_marked(n):
    def model(k):
        G = NeuronGroup(1, "dv/dt = k*v**2/ms : 1", method="euler", threshold="v > 1e9", refractory=1 * ms)
        G.v = 1
        run(20 * ms)

    k = np.full(n, 0.01)
    k[1] = 1.0
    result = sweep(model, record="G.v", k=k)
    assert np.flatnonzero(result["failed"]).tolist() == [1]
    assert "v became" in failures(result)[0][1]


def test_a_model_that_fails_for_one_size():
    def model(n):
        G = NeuronGroup(n, "dv/dt = -v/TAU : 1")
        run(1 * ms)

    result = sweep(model, record="G.v", n=[1, 0, 2])
    assert result["failed"].to_numpy().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: sweep(constants, record="G.v", tau=[1] * ms, drive=1), "no parameter 'tau'"),
        (lambda: sweep(constants, record="G.v", tau_m=[1] * ms), "needs a value for 'drive'"),
        (lambda: sweep(constants, record="G.w", tau_m=[1] * ms, drive=1), "'G' has no variable 'w'"),
        (lambda: sweep(constants, record="H.v", tau_m=[1] * ms, drive=1), "no object 'H'"),
        (lambda: sweep(constants, tau_m=[1] * ms, drive=1), "nothing is recorded"),
        (lambda: sweep(constants, record="G.v", tau_m=[1 * ms, 1 * mV], drive=1), "different units"),
        (lambda: sweep(constants, record="G.v", tau_m=[1] * mV, drive=1), "right-hand side"),
        (lambda: sweep(constants, record="G.v", tau_m=[], drive=1), "no value"),
        (lambda: sweep(constants, record="G.v", x=zipped(tau_m=[1, 2] * ms, drive=[1])), "equally many"),
        (lambda: sweep(lambda: None, record="G.v"), "did not call run()"),
        (lambda: sweep(5, record="G.v"), "has to be a function"),
        (lambda: sweep(constants, record="G.v", tau_m=[1] * ms, drive=1, threads=0), "threads"),
        (lambda: sweep(constants, record="G.v", tau_m=[1] * ms, drive=1, out="x.csv"), "out="),
    ],
)
def test_mistakes_are_told(call, says):
    with pytest.raises((EcclesError, TypeError), match=r"(?s).*") as found:
        call()
    assert says in str(found.value)


def test_a_model_that_stores_is_refused():
    def stores():
        G = NeuronGroup(1, "v : 1")
        store()
        run(1 * ms)

    with pytest.raises(SetupError, match="has no place"):
        sweep(stores, record="G.v")


# -- several runs, and what comes after them ----------------------------------------------------------


def phases(rate, w, d):
    P = PoissonGroup(4, rates=rate)
    G = NeuronGroup(2, "dv/dt = -v/TAU : 1\nk : 1", threshold="v > 1", reset="v = 0")
    S = Synapses(P, G, "w : 1\nplastic : 1 (shared)", on_pre="v += w; w += 0.01*plastic*k")
    S.connect()
    S.w = w
    S.delay = d
    run(20 * ms)
    S.plastic = 1
    G.k = w
    P.rates = 2 * rate
    run(20 * ms)
    S.plastic = 0
    G.v = "v + rand()"
    S.delay = 2 * d
    run(10 * ms)
    return locals()


def test_several_runs_with_settings_between_them():
    assert_as_alone(
        phases, ["G.v", "S.w"], rate=[50, 100] * Hz, w=[0.2, 0.4], d=[1, 1.5] * ms, trial=range(2)
    )  # fmt: skip


def test_traces_and_spikes_over_several_runs():
    def model(drive):
        G = NeuronGroup(1, "dv/dt = (I - v)/TAU : 1\nI : 1", threshold="v > 1", reset="v = 0")
        G.I = drive
        run(20 * ms)
        G.I = 2 * drive
        run(30 * ms)

    result = sweep(model, record=["G.spikes", record.trace("G.v", every=50)], drive=[0.9, 1.5])
    times, _ = result.eccles.spikes("G.spikes", drive=0.9)
    first = 20 * ms + TAU * np.log((1.8 - 0.9 * (1 - np.exp(-2))) / 0.8)
    np.testing.assert_allclose(times[0] / ms, first / ms, rtol=1e-12)
    assert result["time"].size == 11
    assert result.attrs["duration"] == pytest.approx(0.05)


def test_what_a_model_makes_of_its_results_is_not_done():
    done = []

    def model(w):
        G = NeuronGroup(1, "dv/dt = -v/TAU : 1")
        G.v = w
        M = SpikeMonitor(NeuronGroup(1, "dv/dt = 0/second : 1", threshold="v > 1"))
        run(5 * ms)
        done.append(1)
        final = G.v[0]
        done.append(2)
        return final

    result = sweep(model, record="G.v", w=[1.0, 2.0])
    np.testing.assert_allclose(result["G.v"], np.array([1, 2]) * np.exp(-0.5))
    assert done == [1]


@pytest.mark.parametrize("loop", [False, True])
def test_values_between_runs_are_known_in_each_condition_only(loop):
    def straight(w):
        G = NeuronGroup(1, "dv/dt = -v/TAU : 1")
        G.v = w
        run(5 * ms)
        G.v = G.v + w
        run(5 * ms)

    def looping(w):
        G = NeuronGroup(1, "dv/dt = -v/TAU : 1")
        G.v = w
        for _ in range(2):
            run(5 * ms)
            G.v = G.v + w

    with pytest.raises(SetupError, match=r"(?s)between two runs.*Set variables by text"):
        sweep(looping if loop else straight, record="G.v", w=[1.0, 2.0])


def test_what_cannot_change_between_runs_is_refused():
    def inactive():
        G = NeuronGroup(1, "dv/dt = 1/TAU : 1")
        run(1 * ms)
        G.active = False
        run(1 * ms)

    def another():
        G = NeuronGroup(1, "dv/dt = 1/TAU : 1")
        run(1 * ms)
        H = NeuronGroup(1, "dv/dt = 1/TAU : 1")
        net = Network(G, H)
        net.run(1 * ms)

    def more():
        G = NeuronGroup(2, "dv/dt = 1/TAU : 1", threshold="v > 1", reset="v = 0")
        S = Synapses(G, G, on_pre="v += 1")
        S.connect(i=0, j=1)
        run(1 * ms)
        S.connect(i=1, j=0)
        run(1 * ms)

    for model in (inactive, another, more):
        with pytest.raises(SetupError, match=r"between two runs|runs the same objects"):
            sweep(model, record="G.v")


# -- reading ------------------------------------------------------------------------------------------


def test_reading_what_conditions_set_makes_one_model_per_value():
    seen = []

    def model(v0):
        G = NeuronGroup(1, "dv/dt = -v/TAU : 1")
        G.v = v0
        seen.append(float(G.v[0]))
        run(1 * ms)
        return locals()

    assert_as_alone(model, ["G.v"], v0=[1.0, 2.0])
    assert {1.0, 2.0} <= set(seen)


def test_too_many_models_are_refused():
    def model(n):
        G = NeuronGroup(n, "v : 1")
        run(1 * ms)

    with pytest.raises(SetupError, match=r"would have to be made 2000 times.*used as a size"):
        sweep(model, record="G.v", n=range(1, 2001))


def test_results_that_do_not_fit_into_memory_are_refused():
    with pytest.raises(SetupError, match=r"(?s)would take about .* out="):
        sweep(noise, record=record.trace("G.v"), sigma=np.ones(1000), memory_limit=1000)


def test_a_network_of_ones_own_with_code_in_python():
    def model(g):
        G = NeuronGroup(2, "dv/dt = -v/TAU : 1\nk : 1")
        G.v = g
        G.k = g

        @network_operation(dt=5 * ms)
        def kick():
            G.v = G.v + G.k

        net = Network(G, kick)
        net.run(20 * ms)
        return locals()

    assert_as_alone(model, ["G.v"], g=[0.5, 1.0])


def test_python_code_within_the_run_cannot_use_a_parameter_itself():
    def model(g):
        G = NeuronGroup(2, "dv/dt = -v/TAU : 1")

        @network_operation(dt=5 * ms)
        def kick():
            G.v = G.v + g

        run(20 * ms)

    with pytest.raises(SetupError, match=r"(?s)uses a swept value.*Give the value to a variable"):
        sweep(model, record="G.v", g=[0.5, 1.0])


def test_links_and_regular_code():
    def model(g):
        G = NeuronGroup(2, "dv/dt = -v/TAU : 1")
        G.v = g
        H = NeuronGroup(2, "dw/dt = (x - w)/TAU : 1\nx : 1 (linked)")
        H.x = linked_var(G, "v")
        G.run_regularly("v += g", dt=3 * ms)
        S = Synapses(G, H, "dq/dt = (g - q)/TAU : 1 (clock-driven)")
        S.connect()
        run(20 * ms)
        return locals()

    assert_as_alone(model, ["G.v", "H.w", "S.q"], g=[0.5, 1.0])


def test_numbers_of_numpy_are_told_to_be_the_same_in_all_trials(capsys):
    def model():
        G = NeuronGroup(2, "dv/dt = -v/TAU : 1")
        G.v = np.random.rand(2)  # noqa: NPY002  (what beginners write)
        run(1 * ms)

    result = sweep(model, record="G.v", trial=range(3))
    assert "np.random.default_rng(trial)" in capsys.readouterr().err
    assert (result["G.v"] == result["G.v"][0]).all()


def test_a_generator_made_from_the_trial_is_another_one_in_each():
    def model(trial):
        G = NeuronGroup(2, "dv/dt = -v/TAU : 1")
        G.v = np.random.default_rng(trial).random(2)
        run(1 * ms)
        return locals()

    result = assert_as_alone(model, ["G.v"], trial=range(3))
    assert len(np.unique(result["G.v"])) == 6


def test_a_sweep_with_python_in_its_model_goes_on_and_is_told_from_others(tmp_path):
    calls = []

    def model(g):
        G = NeuronGroup(1, "dv/dt = -v/TAU : 1\nk : 1")
        G.v = g
        G.k = g

        @network_operation(dt=1 * ms)
        def count():
            calls.append(1)

        run(2 * ms)

    values = np.linspace(0, 1, 1500)  # so many that NumPy shows some of them only
    other = values.copy()
    other[700] = 7
    out = tmp_path / "study.zarr"
    sweep(model, record="G.v", g=values, seed=1, out=out)
    calls.clear()
    sweep(model, record="G.v", g=values, seed=1, out=out)
    assert calls == []  # all was there
    for record_, g in (("G.k", values), ("G.v", other)):
        with pytest.raises(SetupError, match="holds another sweep"):
            sweep(model, record=record_, g=g, seed=1, out=out)


def test_a_condition_that_fails_first_does_not_spare_the_others_the_comparison(monkeypatch):
    compared = []
    equals = conditions._Again.equals
    monkeypatch.setattr(conditions._Again, "equals", lambda a, v: compared.append(1) or equals(a, v))

    def model(k):
        G = NeuronGroup(1, "dv/dt = k*v**2/ms : 1", method="euler", threshold="v > 1e9", refractory=1 * ms)
        G.v = 1
        run(20 * ms)

    result = sweep(model, record="G.v", k=[1.0, 1.0, 0.01, 0.02])
    assert result["failed"].to_numpy().tolist() == [True, True, False, False]
    assert compared == [1]
