# ruff: noqa: F841  (run() finds objects and model text finds values by the names in these functions)
"""What `explain` says about silent groups, against closed forms; and that it changes nothing."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from eccles import *
from eccles import brian2
from eccles.explain import explanation


def said(text: str, pattern: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    assert found is not None, text
    return found.groups()


CLOSEST = r"Closest: 'v' of neuron (\d+) reached (\S+) at t = (\S+) ms, (\S+) short of its threshold of 1\."


def test_nothing_has_been_run_yet():
    assert explanation(Network()) == "Nothing has been run yet."


def test_a_constant_subthreshold_drive_comes_as_near_as_its_exponential():
    tau = 10 * ms
    G = NeuronGroup(3, "dv/dt = (I - v)/tau : 1\nI : 1", threshold="v > 1", reset="v = 0")
    G.I = [0.5, 0.9, 0.2]
    run(20 * ms)
    text = explanation()
    neuron, reached, when, short = said(text, CLOSEST)
    highest = 0.9 * (1 - math.exp(-2))  # v(t) = I*(1 - exp(-t/tau)) at t = 20 ms, after the last step
    assert (neuron, when) == ("1", "20")
    assert float(reached) == pytest.approx(highest, rel=1e-5)
    assert float(short) == pytest.approx(1 - highest, rel=1e-5)
    assert "G (3) never spiked." in text
    assert (
        "Without input v settles at 0.9 (neuron 1, the highest); the threshold is 1. A constant drive has to "
        in text
    )
    assert "lift it by more than 0.1." in text
    assert "For that I has to be more than 1; it is 0.9." in text
    assert "Nothing in the network projects to it." in text


def test_the_whole_text_of_a_biophysical_neuron():
    E_L, R, C = -70 * mV, 100e6 * ohm, 100 * pF
    G = NeuronGroup(
        1,
        "dv/dt = (E_L - v + R*I)/(R*C) : volt\nI : amp",
        threshold="v > -55*mV",
        reset="v = E_L",
        method="exact",
    )
    G.v = E_L
    G.I = 0.1 * nA
    run(5 * ms)
    reached = -70 + 10 * (1 - math.exp(-0.5))
    # the current that just reaches threshold: (V_th - E_L)/R = 15 mV / 100 MOhm = 150 pA
    assert explanation() == (
        "The last run went from t = 0 s to 5 ms. Spikes come at exact times.\n\n"
        "G (1) never spiked.\n"
        f"  Closest: 'v' of neuron 0 reached {reached:.2f} mV at t = 5 ms, {-55 - reached:.2f} mV short of "
        "its threshold of -55 mV.\n"
        "  Without input v settles at -60 mV; the threshold is -55 mV. A constant drive has to lift it by "
        "more than 5 mV.\n"
        "  For that I has to be more than 150 pA; it is 100 pA.\n"
        "  Nothing in the network projects to it.\n"
        "  Integrated by 'exact': the exact solution of linear equations, whatever dt is.\n"
        "  Its spike times are exact to rounding."
    )


def test_the_peak_of_a_postsynaptic_potential_is_the_closest_approach():
    tau_m, tau_s, w = 10 * ms, 5 * ms, 0.8
    source = SpikeGeneratorGroup(1, [0], [2] * ms)
    G = NeuronGroup(
        2, "dv/dt = (g - v)/tau_m : 1\ndg/dt = -g/tau_s : 1", threshold="v > 1", reset="v = 0", method="exact"
    )
    S = Synapses(source, G, on_pre="g += w")
    S.connect(j=[1], i=[0])
    run(40 * ms)
    # v(t) = w*tau_s/(tau_m - tau_s)*(exp(-t/tau_m) - exp(-t/tau_s)): its peak is where dv/dt = 0
    a, b = 10.0, 5.0
    t_peak = math.log(a / b) * a * b / (a - b)
    peak = w * b / (a - b) * (math.exp(-t_peak / a) - math.exp(-t_peak / b))
    text = explanation()
    neuron, reached, when, _ = said(text, CLOSEST)
    assert neuron == "1"
    assert float(reached) == pytest.approx(peak, rel=1e-4)
    assert float(when) == pytest.approx(2 + t_peak, abs=0.15)
    assert "source sent 1 spike to it through S." in text


@pytest.mark.parametrize(
    ("equation", "options", "said_why"),
    [
        ("-v/tau + 0.01*xi/tau**.5", {}, "its equations contain noise ('xi')"),
        ("-v/tau", {"spike_times": "grid"}, "it was asked for"),
        ("-v/tau", {"threshold": "v > 1 + rand()"}, "the condition draws random numbers"),
        ("-v/tau", {"threshold": "v > 1 and v < 2"}, "'v > 1' and 'v < 2' both change between events"),
        ("-v/tau", {}, ""),
    ],
)
def test_spikes_that_come_on_the_grid_are_named_with_the_reason(equation, options, said_why):
    tau = 10 * ms
    silence("unreachable_threshold")
    G = NeuronGroup(2, f"dv/dt = {equation} : 1", **{"threshold": "v > 1", "reset": "v = 0"} | options)
    exact = NeuronGroup(1, "dw/dt = 1/ms : 1", threshold="w > 1", reset="w = 0", events={"half": "w > 0.5"})
    run(1 * ms)
    silence()
    of_group, of_exact = explanation().split("\n\n")[1:]
    expected = [f"  Its spikes come at multiples of the time step: {said_why}."] if said_why else []
    assert [line for line in of_group.split("\n") if "multiples" in line] == expected
    assert of_exact.endswith("Other events ('half') are looked for at the end of each time step.")
    assert "multiples" not in of_exact


def crossing_error(**options):
    """How far the spike of v = exp(t/tau) - 1 is from tau*log(2), in seconds; and what is said of it."""
    tau = 10 * ms
    G = NeuronGroup(
        1, "dv/dt = w/tau : 1\ndw/dt = w/tau : 1", threshold="v > 1", reset="v = 0; w = 0", **options
    )
    G.w = 1
    spikes = SpikeMonitor(G)
    net = Network(G, spikes)
    net.run(8 * ms)
    (line,) = re.findall("Its spike times are .*", explanation(net))
    return abs(spikes.t_[0] - 0.01 * math.log(2)), line


@pytest.mark.parametrize(
    ("method", "order", "said_so"),
    [
        ("euler", 1, "good to first order in dt: half of it leaves half of the error."),
        ("exponential_euler", 1, "good to first order in dt: half of it leaves half of the error."),
        ("rk2", 2, "good to second order in dt: half of it leaves a quarter of the error."),
        ("heun", 2, "good to second order in dt: half of it leaves a quarter of the error."),
        ("rk4", 4, "good to fourth order in dt: half of it leaves a sixteenth of the error."),
    ],
)
def test_the_order_that_is_stated_for_a_method_is_that_of_the_spike_times(method, order, said_so):
    errors = []
    for dt in (0.5 * ms, 0.25 * ms):
        error, line = crossing_error(method=method, dt=dt)
        errors.append(error)
        assert line == f"Its spike times are {said_so}"
    assert errors[0] > 1e-13  # above rounding
    assert 0.7 * 2**order < errors[0] / errors[1] < 1.4 * 2**order


def test_exact_spike_times_and_tolerances_are_stated():
    error, line = crossing_error(method="exact", dt=1 * ms)
    assert (error < 1e-17, line) == (True, "Its spike times are exact to rounding.")
    error, line = crossing_error(method="dopri5", method_options={"tolerance": 1e-6}, dt=1 * ms)
    assert line == (
        "Its spike times are good to its tolerance of 1e-06 in each step of its own, whatever dt is."
    )
    assert error < 1e-6 * 10e-3


def test_storage_of_few_digits_is_mentioned():
    double = NeuronGroup(1, "dv/dt = -v/ms : 1", threshold="v > 1", reset="v = 0")
    single = NeuronGroup(1, "dv/dt = -v/ms : 1", threshold="v > 1", reset="v = 0", dtype=np.float32)
    silence("unreachable_threshold")
    run(1 * ms)
    silence()
    of_double, of_single = explanation().split("\n\n")[1:]
    assert "are stored as float32, with 7 digits; dtype=float has 16." in of_single
    assert "float32" not in of_double


def test_the_grid_of_the_compatible_face_is_told_from_one_that_was_asked_for():
    text = {"threshold": "v > 0.5", "reset": "v = 0"}
    G = brian2.NeuronGroup(1, "dv/dt = 1/ms : 1", **text, spike_times="precise")
    H = brian2.NeuronGroup(1, "dv/dt = 1/ms : 1", **text)
    net = brian2.Network(G, H)
    net.run(1 * ms)
    said_of_h = explanation(net).split("\n\n")[2]
    assert "Its spikes come at multiples of the time step: so it is in eccles.brian2 by default." in said_of_h


def test_what_happens_once_per_time_step_is_listed():
    tau = 10 * ms
    P = PoissonGroup(2, "(100 + 50*sin(2*pi*5*Hz*t))*Hz")
    Q = PoissonGroup(2, 100 * Hz, spike_times="grid")
    steady = PoissonGroup(2, 100 * Hz)
    A = NeuronGroup(2, "dv/dt = (I - v)/tau : 1\nI : 1", threshold="v > 1", reset="v = 0")
    G = NeuronGroup(2, "dv/dt = (x - v)/tau : 1\nx : 1 (linked)\nI : 1 (linked)")
    G.x, G.I = linked_var(A, "v"), linked_var(A, "I")
    S = Synapses(P, A, "dg/dt = -g/tau : 1 (clock-driven)\nI_post = g : 1 (summed)", on_pre="g += 0.1")
    S.connect()
    B = PoissonInput(A, "v", 10, 10 * Hz, weight=0.01)
    regular = A.run_regularly("v += 0.001", dt=1 * ms)

    @network_operation(dt=5 * ms)
    def note():
        pass

    silence("unreachable_threshold")
    run(1 * ms)
    silence()
    first, *listed = explanation().split("\n\n")[-1].split("\n  ")
    assert first == "Done once per time step, not from instant to instant (good to first order in dt):"
    assert sorted(listed) == sorted([
        "the rates of P are computed for the start of each step.",
        "Q spikes at multiples of its time step.",
        "'x' of G is computed for each step as a whole.",
        "'I_post' and 'g' of S are computed for each step as a whole.",
        "B adds its spikes at the end of each step.",
        "regular runs between steps.",
        "note is called between steps.",
    ])  # fmt: skip


def test_nothing_is_listed_where_all_goes_from_instant_to_instant():
    G = NeuronGroup(1, "dv/dt = 1/ms : 1", threshold="v > 0.5", reset="v = 0")
    S = Synapses(G, G, "dA/dt = -A/ms : 1 (event-driven)", on_pre="A += 1")
    S.connect()
    run(1 * ms)
    assert "once per time step" not in explanation()


def test_a_network_on_the_grid_is_said_to_be_there():
    G = brian2.NeuronGroup(1, "dv/dt = 1/ms : 1", threshold="v > 0.15", reset="v = 0", method="exact")
    net = brian2.Network(G)
    net.run(1 * ms)
    assert explanation(net).startswith(
        "The last run went from t = 0 s to 1 ms. Spikes come at multiples of the time step.\n\n"
        "G: 1 of 1 neurons spiked.\n"
    )
    assert "multiples" not in explanation(net).split("\n\n")[1]


def test_a_silent_input_and_weights_left_at_zero_are_named():
    tau = 10 * ms
    P = NeuronGroup(2, "dv/dt = (0.5 - v)/tau : 1", threshold="v > 1", reset="v = 0", name="P")
    Q = PoissonGroup(5, 1 * kHz)
    G = NeuronGroup(1, "dv/dt = -v/tau : 1", threshold="v > 1", reset="v = 0")
    A = Synapses(P, G, on_pre="v += 1")
    A.connect()
    B = Synapses(Q, G, "w : 1", on_pre="v += w")
    B.connect()
    C = Synapses(Q, G, "w : 1", on_pre="v += w")
    C.connect("i > 10")
    D = Synapses(Q[:2], G, "w : 1", on_pre="v += w")
    D.connect()
    counted = SpikeMonitor(Q, record=False)
    silence("unreachable_threshold")
    run(10 * ms)
    silence()
    text = explanation()
    assert "P, which sends to it through A, never spiked either." in text
    assert "All 'w' of B, which ends on it, are 0: set B.w = ..." in text
    assert f"Q sent {counted.num_spikes} spikes to it through B." in text
    assert f" sent {counted.count[:2].sum()} spikes to it through D." in text
    assert "C, which ends on it, has no connections: the rule given to connect() matched no pair." in text


def test_what_was_left_at_zero_is_named():
    tau = 10 * ms
    G = NeuronGroup(
        1, "dv/dt = (-70*mV - v + R*I)/tau : volt\nR : ohm\nI : amp", threshold="v > 10*mV", reset="v = 0*mV"
    )
    G.R = 10e6 * ohm
    run(2 * ms)
    text = explanation()
    assert "'I' is 0 in all neurons: set G.I = ..." in text
    assert "'R' is 0" not in text
    assert "v started at 0 V, because nothing else was set: set G.v = -70*mV before the run." in text
    assert "For that I has to be more than 8 nA; it is 0 A." in text  # 80 mV / 10 MOhm


def test_a_poisson_input_without_rate_is_named():
    G = NeuronGroup(1, "dv/dt = -v/(10*ms) : 1", threshold="v > 1", reset="v = 0")
    background = PoissonInput(G, "v", 10, 0 * Hz, weight="0.1")
    run(2 * ms)
    assert "background, which drives it, has the rate 0 Hz." in explanation()


def test_a_run_that_was_too_short_is_told_from_a_drive_that_is_too_weak():
    tau = 10 * ms
    G = NeuronGroup(1, "dv/dt = (2 - v)/tau : 1", threshold="v > 1", reset="v = 0")
    run(5 * ms)
    assert (
        "It settles above its threshold: v is drawn to 2, the threshold is 1. It was on its way: run it for "
        "longer." in explanation()
    )
    run(5 * ms)
    assert "G: 1 of 1 neurons spiked." in explanation()


def test_other_conditions_of_a_threshold_are_not_mistaken_for_distance():
    G = NeuronGroup(
        1, "dv/dt = (2 - v)/(10*ms) : 1\nopen : boolean", threshold="v > 1 and open", reset="v = 0"
    )
    run(20 * ms)
    reached = 2 * (1 - math.exp(-2))
    assert (
        f"Closest: 'v' of neuron 0 reached {reached:g} at t = 20 ms, over the limit of 1, but the "
        "threshold asks for more: 'v > 1 and open'."
    ) in explanation()


def test_a_network_operation_is_not_repeated():
    G = NeuronGroup(1, "dv/dt = -v/(10*ms) : 1", threshold="v > 1", reset="v = 0")
    calls = []

    @network_operation(dt=1 * ms)
    def note():
        calls.append(1)

    run(5 * ms)
    text = explanation()
    assert "How near it came cannot be told: a network operation took part" in text
    assert len(calls) == 5


def test_a_large_network_says_why_it_cannot_be_repeated(monkeypatch):
    from eccles.objects import network

    monkeypatch.setattr(network, "KEPT_STATE", 0)
    G = NeuronGroup(1, "dv/dt = (0.5 - v)/(10*ms) : 1\nI : 1", threshold="v > 1", reset="v = 0")
    S = Synapses(PoissonGroup(1, 0 * Hz, name="quiet"), G, on_pre="v += 1")
    S.connect()
    net = Network(G, S, S.source)
    net.run(5 * ms)
    text = explanation(net)
    assert (
        "How near it came cannot be told: the network is so large that its state before the run was not kept."
        in text
    )
    assert "Without input v settles at 0.5; the threshold is 1." in text
    assert "never spiked either" not in text  # nor are spikes of the input counted


def test_a_group_without_threshold_cannot_spike():
    G = NeuronGroup(4, "dv/dt = -v/(10*ms) : 1")
    run(1 * ms)
    assert "G (4) has no threshold, so it cannot spike." in explanation()


def test_explain_prints_the_explanation(capsys):
    G = NeuronGroup(1, "dv/dt = -v/(10*ms) : 1")
    run(1 * ms)
    explain()
    assert capsys.readouterr().out == explanation() + "\n"


@pytest.mark.parametrize("face", ["eccles", "eccles.brian2"])
@pytest.mark.parametrize("ask", [True, False])
def test_a_run_goes_on_after_explain_with_the_same_bits(face, ask):
    from eccles.objects import magic

    module = brian2 if face == "eccles.brian2" else __import__("eccles")
    results = []
    for asking in (False, ask):
        magic.start_scope()
        seed(7)
        tau = 10 * ms
        P = module.PoissonGroup(20, 200 * Hz, name="P")
        R = module.NeuronGroup(5, "dv/dt = (1.1 - v)/tau + 0.2*xi/tau**.5 : 1", threshold="v > 1",
                               reset="v = 0", refractory="(1 + rand())*ms", method="euler",
                               name="R")  # fmt: skip
        G = module.NeuronGroup(10, "dv/dt = -v/tau + 0.01*xi/tau**.5 : 1", threshold="v > 5", reset="v = 0",
                               refractory=2 * ms, method="euler", name="G")  # fmt: skip
        S = module.Synapses(P, G, """w : 1
                                     dA/dt = -A/(20*ms) : 1 (event-driven)
                                     dB/dt = -B/(20*ms) : 1 (event-driven)""",
                            on_pre="v += w*rand(); A += 0.1; w = clip(w + B, 0, 1)",
                            on_post="B -= 0.1; w = clip(w + A, 0, 1)", name="S")  # fmt: skip
        S.connect(p=0.5)
        S.w = "0.1*rand()"
        S.delay = "rand()*3*ms"
        T = module.Synapses(R, G, on_pre="v += 0.05", delay=1.5 * ms, name="T")
        T.connect()
        X = module.SpikeGeneratorGroup(2, [0, 1, 0], [1, 21, 30] * ms, name="X")
        G.run_regularly("v += 0.001*rand()", dt=1 * ms, name="regular")
        spikes, trace, rate = (
            module.SpikeMonitor(R, name="spikes"),
            module.StateMonitor(G, "v", record=True, name="trace"),
            module.PopulationRateMonitor(P, name="rate"),
        )
        net = module.Network(P, R, G, S, T, X, spikes, trace, rate)
        net.run(20.05 * ms)
        if asking:
            assert "short of its threshold" in explanation(net)
            assert "short of its threshold" in explanation(net)
        net.run(20 * ms)
        results.append((
            net.t_, S.w_[:].copy(), S.A[:].copy(), S.B[:].copy(), R.v[:].copy(), G.v[:].copy(),
            spikes.i[:].copy(), spikes.t_[:].copy(), trace.v.copy(), trace.t_.copy(), rate.rate_[:].copy(),
        ))  # fmt: skip
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.ptp(results[0][5]) > 0


def test_a_run_without_a_time_grid_goes_on_after_explain_as_if_nothing_had_been_asked():
    from eccles.objects import magic

    results = []
    for asking in (False, True):
        magic.start_scope()
        A = NeuronGroup(3, "dx/dt = rate : 1\nrate : Hz (constant)", threshold="x > 1", reset="x = 0")
        A.rate = [200, 250, 210] * Hz
        G = NeuronGroup(3, "dv/dt = -v/(20*ms) : 1", threshold="v > 1", reset="v = 0", refractory=3 * ms)
        S = Synapses(A, G, "dT/dt = -T/(20*ms) : 1 (event-driven)", on_pre="v_post += 0.01; T += 1")
        S.connect(j="i")
        spikes = SpikeMonitor(A)
        net = Network(A, G, S, spikes)
        silence("unreachable_threshold")
        net.run(33.3 * ms)
        silence()
        assert net._timing is not None
        assert net._timing.without_grid
        if asking:
            assert "A sent 20 spikes to it through S." in explanation(net)  # 6, 8 and 6
        net.run(33.3 * ms)
        assert net._timing.without_grid
        results.append((A.x[:].copy(), G.v[:].copy(), S.T[:].copy(), spikes.i[:].copy(), spikes.t_[:].copy()))
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.all(np.diff(results[1][-1]) >= 0)
