"""Each mistake of the thread's first post gets its own message, tested word by word in both faces."""

from __future__ import annotations

import importlib
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from eccles import EcclesWarning, Network, NeuronGroup, brian2, ms, silence
from eccles.errors import EcclesError, forget_warnings
from eccles.objects import magic

FACES = ("eccles", "eccles.brian2")


@dataclass
class Outcome:
    """What a script got to hear: warnings as (line of the script, name, text), and its error."""

    warnings: list[tuple[str, str, str]]
    error: Exception | None
    error_line: str
    names: dict[str, Any]

    @property
    def only(self) -> tuple[str, str, str]:
        assert self.error is None
        assert len(self.warnings) == 1
        return self.warnings[0]


@pytest.fixture
def say(tmp_path: Path):
    """Run a script in one of the faces."""

    def run_script(face: str, script: str) -> Outcome:
        magic.start_scope()
        forget_warnings()
        path = tmp_path / "script.py"
        path.write_text(script, encoding="utf-8")
        lines = script.splitlines()
        module = importlib.import_module(face)
        names: dict[str, Any] = {n: getattr(module, n) for n in ("NeuronGroup", "Synapses", "PoissonGroup")}
        names |= {n: getattr(module, n) for n in ("PoissonInput", "StateMonitor", "Network", "TimedArray")}
        names |= {n: getattr(module, n) for n in ("run", "start_scope", "ms", "mV", "volt", "Hz", "second")}
        names |= {"network_operation": module.network_operation, "linked_var": module.linked_var}
        error, error_line = None, ""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                exec(compile(script, str(path), "exec"), names)
            except Exception as e:
                error = e
                at = [f.lineno for f in traceback.extract_tb(e.__traceback__) if f.filename == str(path)]
                assert at[-1] is not None
                error_line = lines[at[-1] - 1].strip()
        said = []
        for w in caught:
            assert isinstance(w.message, EcclesWarning)
            assert w.filename == str(path)
            assert str(w.message) == f"{w.message.message} [{w.message.name}]"
            said.append((lines[w.lineno - 1].strip(), w.message.name, w.message.message))
        return Outcome(said, error, error_line, names)

    yield run_script
    silence()


# -- a dimensionless variable set to -70 -------------------------------------------------------------

MINUS_70 = """
tau = 10*ms
Q = NeuronGroup(2, 'dv/dt = (1-v)/tau : 1')
Q.v = -70
run(1*ms)
"""
MINUS_70_TEXT = (
    "Q.v is set to -70, but it has no unit, and its equation draws it to 1: these are two different scales. "
    "If -70 mV is meant, write the equation with quantities in volt and set Q.v = -70*mV. If the model is "
    "abstract, v lies between rest (0) and threshold (1)"
)


def test_a_number_without_unit_set_to_minus_70_warns_where_it_is_set(say):
    assert say("eccles", MINUS_70).only == ("Q.v = -70", "dimensionless_millivolts", MINUS_70_TEXT)


def test_a_number_without_unit_set_to_minus_70_warns_at_run_where_names_are_looked_up_there(say):
    assert say("eccles.brian2", MINUS_70).only == ("run(1*ms)", "dimensionless_millivolts", MINUS_70_TEXT)


@pytest.mark.parametrize("face", FACES)
def test_minus_70_as_text_or_element_by_element_warns_too(say, face):
    for setting in ("Q.v = '-70 - i'", "Q.v_ = -70", "Q.v[:] = -70", "Q.v[0] = -70; Q.v[1] = -70"):
        outcome = say(face, MINUS_70.replace("Q.v = -70", setting))
        assert [name for _, name, _ in outcome.warnings] == ["dimensionless_millivolts"], setting


@pytest.mark.parametrize("face", FACES)
def test_a_rest_that_is_a_parameter_is_looked_at_when_the_run_begins(say, face):
    script = """
Q = NeuronGroup(1, '''dv/dt = (E - v)/(10*ms) : 1
                      E : 1''')
Q.v = -70
Q.E = {rest}
run(1*ms)
"""
    assert say(face, script.format(rest=-70)).warnings == []
    assert say(face, script.format(rest=1)).only == ("run(1*ms)", "dimensionless_millivolts", MINUS_70_TEXT)


# -- units -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("face", FACES)
def test_a_unit_given_to_a_variable_without_one_is_an_error_where_it_is_set(say, face):
    outcome = say(face, "tau = 10*ms\nQ = NeuronGroup(1, 'dv/dt = (1-v)/tau : 1')\nQ.v = -70*mV\n")
    assert outcome.error_line == "Q.v = -70*mV"
    assert type(outcome.error).__name__ == "DimensionMismatchError"
    assert str(outcome.error) == (
        "neurongroup.v has no unit (it was declared as ': 1'), but -70. mV is a voltage (V)\n\n"
        "  Either give a plain number, or declare the variable with a unit in the equations, as in "
        "'... : volt'."
    )


@pytest.mark.parametrize("face", FACES)
def test_a_plain_number_given_to_a_voltage_is_an_error_where_it_is_set(say, face):
    outcome = say(face, "tau = 10*ms\nQ = NeuronGroup(1, 'dv/dt = (-70*mV-v)/tau : volt')\nQ.v = -70\n")
    assert outcome.error_line == "Q.v = -70"
    assert type(outcome.error).__name__ == "DimensionMismatchError"
    assert str(outcome.error) == (
        "neurongroup.v is a voltage (V), but -70 has no unit\n\n  Give it a unit, for example v = -70*mV."
    )


@pytest.mark.parametrize("face", FACES)
def test_both_as_text_point_into_the_text(say, face):
    outcome = say(face, "tau = 10*ms\nQ = NeuronGroup(1, 'dv/dt = (1-v)/tau : 1')\nQ.v = '-70*mV'\n")
    assert str(outcome.error) == (
        "neurongroup.v has to be a number without unit, but '-70*mV' is a voltage (V)\n\n"
        "  neurongroup.v\n"
        "    -70*mV\n"
        "    ~~~~~~\n\n"
        "  Either leave the unit out, or declare the variable with a unit ('... : volt')."
    )
    outcome = say(face, "tau = 10*ms\nQ = NeuronGroup(1, 'dv/dt = (-70*mV-v)/tau : volt')\nQ.v = '-70'\n")
    assert str(outcome.error) == (
        "neurongroup.v has to be a voltage (V), but '-70' is a number without unit\n\n"
        "  neurongroup.v\n"
        "    -70\n"
        "    ~~~\n\n"
        "  Give it a unit, as in -70*mV."
    )


WRONG_UNITS = """
tau = 10*ms
Q = NeuronGroup(1, 'dv/dt = (-70*mV-v)/tau : volt', threshold='v > -55', reset='v = -70*mV')
run(1*ms)
"""
WRONG_UNITS_TEXT = (
    "cannot compare a voltage (V) with a number without unit\n\n"
    "  neurongroup, threshold\n"
    "    v > -55\n"
    "      ^\n\n"
    "  'v' is a voltage (V), '-55' is a number without unit. Both sides of > need the same unit. Give the "
    "number a unit, as in -55*mV."
)


def test_a_threshold_without_unit_is_an_error_at_once(say):
    outcome = say("eccles", WRONG_UNITS)
    assert outcome.error_line.startswith("Q = NeuronGroup(")
    assert type(outcome.error).__name__ == "DimensionMismatchError"
    assert str(outcome.error) == WRONG_UNITS_TEXT


def test_a_threshold_without_unit_is_an_error_at_run_in_the_compatible_face(say):
    outcome = say("eccles.brian2", WRONG_UNITS)
    assert outcome.error_line == "run(1*ms)"
    assert type(outcome.error).__name__ == "BrianObjectException"
    assert outcome.error is not None
    assert str(outcome.error) == f"'neurongroup' cannot be run: {WRONG_UNITS_TEXT}"
    assert type(outcome.error.__cause__).__name__ == "DimensionMismatchError"


# -- two scales --------------------------------------------------------------------------------------

MIXED = """
tau = 10*ms
P = NeuronGroup(1, 'dv/dt = (1-v)/tau : 1', threshold='v > -55', reset='v = -70')
run(1*ms)
"""
MIXED_TEXT = (
    "{} has the threshold v > -55, but its equation draws v to 1: these are two different scales. "
    "Use one of them: either rest 0, threshold 1 and a drive above 1, as in 'dv/dt = (2 - v)/tau : 1' with "
    "threshold='v > 1', reset='v = 0'; or quantities in volt throughout, as in "
    "'dv/dt = (E_L - v + I)/tau : volt' with E_L = -70*mV, threshold='v > -55*mV', reset='v = E_L' and "
    "I = 30*mV"
)


def test_a_threshold_on_another_scale_than_the_equation_warns_when_the_group_is_made(say):
    line, name, text = say("eccles", MIXED).only
    assert line.startswith("P = NeuronGroup(")
    assert (name, text) == ("mixed_scales", MIXED_TEXT.format("neurongroup"))  # P comes later


def test_a_threshold_on_another_scale_warns_at_run_in_the_compatible_face(say):
    assert say("eccles.brian2", MIXED).only == ("run(1*ms)", "mixed_scales", MIXED_TEXT.format("P"))


@pytest.mark.parametrize("face", FACES)
def test_millivolts_as_plain_numbers_throughout_are_one_scale(say, face):
    assert say(face, """
tau = 10*ms
P = NeuronGroup(1, 'dv/dt = (-70-v + 30)/tau : 1', threshold='v > -55', reset='v = -70')
P.v = -70
run(1*ms)
""").warnings == []  # fmt: skip


# -- true from the start -----------------------------------------------------------------------------

AT_START = """
tau = 10*ms
P = NeuronGroup({n}, 'dv/dt = (-70*mV-v+20*mV)/tau : volt', threshold='v > -55*mV', reset='v = -70*mV')
run(1*ms)
"""


@pytest.mark.parametrize("face", FACES)
def test_a_threshold_that_holds_from_the_start_warns(say, face):
    assert say(face, AT_START.format(n=3)).only == (
        "run(1*ms)",
        "threshold_at_start",
        "P spikes as soon as the run begins: its threshold, 'v > -55*mV', holds for all of its 3 neurons "
        "from the start, because v starts at 0 V. Set v before the run, as in P.v = -50*mV",
    )


@pytest.mark.parametrize("face", FACES)
def test_a_threshold_that_holds_for_the_only_neuron_or_for_some_of_them(say, face):
    text = say(face, AT_START.format(n=1)).only[2]
    assert "holds for its only neuron from the start" in text
    some = AT_START.format(n=3).replace("run(", "P.v = -70*mV\nP.v[1] = 0*mV\nrun(")
    assert say(face, some).warnings == []


# -- out of reach ------------------------------------------------------------------------------------

OUT_OF_REACH = """
tau = 10*ms
P = NeuronGroup(1, 'dv/dt = (-70*mV-v)/tau : volt', threshold='v > -55*mV', reset='v = -70*mV')
P.v = -70*mV
run(1*ms)
"""


@pytest.mark.parametrize("face", FACES)
def test_a_threshold_that_nothing_can_reach_warns(say, face):
    assert say(face, OUT_OF_REACH).only == (
        "run(1*ms)",
        "unreachable_threshold",
        "P can never spike: its equation draws v to -70 mV and no input, synapse or noise moves it, but the "
        "threshold is at -55 mV. Add a drive I (in V) to the equation that carries v over the threshold, "
        "that is, of more than 15 mV, or connect an input",
    )


@pytest.mark.parametrize("face", FACES)
def test_a_group_without_a_name_in_the_script_is_called_by_its_own(say, face):
    script = OUT_OF_REACH.replace("P = ", "groups = [").replace("-70*mV')\n", "-70*mV')]\n")
    script = script.replace("P.v", "groups[0].v").replace("run(1*ms)", "Network(groups).run(1*ms)")
    assert say(face, script).only[2].startswith("neurongroup can never spike: ")


@pytest.mark.parametrize("face", FACES)
def test_a_synaptic_current_that_nothing_raises_leaves_the_threshold_out_of_reach(say, face):
    outcome = say(face, """
tau = 10*ms
P = NeuronGroup(1, '''dv/dt = (0.5 + g + h - v)/tau : 1
                      dg/dt = -g/(5*ms) : 1
                      dh/dt = (g - h)/(5*ms) : 1''', threshold='v > 1', reset='v = 0')
run(1*ms)
""")  # fmt: skip
    assert outcome.only == (
        "run(1*ms)",
        "unreachable_threshold",
        "P can never spike: its equation draws v to 0.5 and no input, synapse or noise moves it, but the "
        "threshold is at 1. Add a drive I to the equation that carries v over the threshold, that is, of "
        "more than 0.5, or connect an input",
    )


MOVED = {
    "a drive": "G = NeuronGroup(1, 'dv/dt = (2 - v)/tau : 1', threshold='v > 1', reset='v = 0')",
    "noise": "G = NeuronGroup(1, 'dv/dt = -v/tau + xi/tau**.5 : 1', threshold='v > 1', reset='v = 0')",
    "a synapse": """
G = NeuronGroup(1, 'dv/dt = -v/tau : 1', threshold='v > 1', reset='v = 0')
source = PoissonGroup(1, 10*Hz)
S = Synapses(source, G, on_pre='v += 0.5')
S.connect()""",
    "a synapse onto a current": """
G = NeuronGroup(1, '''dv/dt = (g - v)/tau : 1
                      dg/dt = -g/tau : 1''', threshold='v > 1', reset='v = 0')
source = PoissonGroup(1, 10*Hz)
S = Synapses(source, G, on_pre='g += 0.5')
S.connect()""",
    "a summed variable": """
G = NeuronGroup(2, '''dv/dt = (g - v)/tau : 1
                      g : 1''', threshold='v > 1', reset='v = 0')
S = Synapses(G, G, 'g_post = v_pre - v_post : 1 (summed)')
S.connect()""",
    "a PoissonInput": """
G = NeuronGroup(1, 'dv/dt = -v/tau : 1', threshold='v > 1', reset='v = 0')
source = PoissonInput(G, 'v', 10, 10*Hz, weight=0.1)""",
    "regular code": """
G = NeuronGroup(1, 'dv/dt = -v/tau : 1', threshold='v > 1', reset='v = 0')
G.run_regularly('v += 0.1', dt=1*ms)""",
    "a network operation": """
G = NeuronGroup(1, 'dv/dt = -v/tau : 1', threshold='v > 1', reset='v = 0')
@network_operation(dt=1*ms)
def kick():
    G.v = 2""",
    "a stimulus in time": """
stimulus = TimedArray([0.0, 2.0], dt=1*ms)
G = NeuronGroup(1, 'dv/dt = (stimulus(t) - v)/tau : 1', threshold='v > 1', reset='v = 0')""",
    "a current that is set between runs": """
G = NeuronGroup(1, '''dv/dt = (I - v)/tau : 1
                      I : 1''', threshold='v > 1', reset='v = 0')""",
    "the start": """
G = NeuronGroup(2, 'dv/dt = -v/tau : 1', threshold='v > 1', reset='v = 0')
G.v[0] = 3""",
    "a linked variable": """
other = NeuronGroup(1, 'dx/dt = 1/tau : 1')
G = NeuronGroup(1, '''dv/dt = (x - v)/tau : 1
                      x : 1 (linked)''', threshold='v > 1', reset='v = 0')
G.x = linked_var(other, 'x')""",
}


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("moved_by", MOVED)
def test_a_variable_that_something_moves_gets_no_warning(say, face, moved_by):
    outcome = say(face, f"tau = 10*ms\n{MOVED[moved_by]}\nrun(0.2*ms)\n")
    assert outcome.error is None
    assert outcome.warnings == []


def test_a_drive_that_is_switched_on_between_runs_gets_no_warning_in_the_compatible_face(say):
    script = """
tau = 10*ms
I = {}
G = NeuronGroup(1, 'dv/dt = (I - v)/tau : 1', threshold='v > 1', reset='v = 0')
run(0.2*ms)
I = 2
run(0.2*ms)
"""
    assert say("eccles.brian2", script.format(0)).warnings == []
    assert [name for _, name, _ in say("eccles.brian2", script.format(0.5)).warnings] == [
        "unreachable_threshold"
    ]


# -- refractory without a threshold ------------------------------------------------------------------


@pytest.mark.parametrize("face", FACES)
def test_refractory_on_a_group_without_threshold_warns_when_the_group_is_made(say, face):
    line, name, text = say(face, """
tau = 10*ms
Q = NeuronGroup(1, 'dv/dt = (1-v)/tau : 1', refractory=2*ms)
run(1*ms)
""").only  # fmt: skip
    assert line == "Q = NeuronGroup(1, 'dv/dt = (1-v)/tau : 1', refractory=2*ms)"
    assert name == "refractory_without_threshold"
    assert text == (
        "neurongroup has a refractory period but no threshold: it never spikes, so it is never refractory, "
        "and the period has no effect. Leave refractory out, or give the group a threshold and a reset, as "
        "in NeuronGroup(..., threshold='v > 1', reset='v = 0')"
    )


# -- synapses without connections --------------------------------------------------------------------

UNCONNECTED = """
tau = 10*ms
G = NeuronGroup(2, 'dv/dt = (2-v)/tau : 1', threshold='v > 1', reset='v = 0')
S = Synapses(G, G, 'w : 1', on_pre='v += w')
{}
"""
CONNECT_HINT = (
    "  Call S.connect() first: without arguments it joins all pairs, with j='i' one to one, with p=0.1 a "
    "tenth of all pairs."
)


def test_synapses_that_were_never_connected_are_an_error_at_run(say):
    outcome = say("eccles", UNCONNECTED.format("run(1*ms)"))
    assert outcome.error_line == "run(1*ms)"
    assert isinstance(outcome.error, EcclesError)
    assert isinstance(outcome.error, TypeError)
    text = f"S was never connected, so no spike can pass through it\n\n{CONNECT_HINT}"
    assert str(outcome.error) == text
    outcome = say("eccles.brian2", UNCONNECTED.format("run(1*ms)"))
    assert outcome.error is not None
    assert isinstance(outcome.error.__cause__, TypeError)
    assert str(outcome.error) == f"'synapses' cannot be run: {text}"


@pytest.mark.parametrize("face", FACES)
def test_setting_a_weight_before_connecting_is_an_error_there(say, face):
    outcome = say(face, UNCONNECTED.format("S.w = 0.5"))
    assert outcome.error_line == "S.w = 0.5"
    assert isinstance(outcome.error, TypeError)
    assert str(outcome.error) == f"S was never connected, so it has no 'w' yet\n\n{CONNECT_HINT}"


@pytest.mark.parametrize("face", FACES)
def test_a_rule_that_connects_no_pair_is_no_mistake(say, face):
    outcome = say(face, UNCONNECTED.format("S.connect('i > 5')\nrun(1*ms)"))
    assert outcome.error is None
    assert outcome.warnings == []


# -- a loop that rebuilds the same model -------------------------------------------------------------

LOOP = """
tau = 10*ms
for del_w in [0.1, 0.2, 0.3, 0.4, 0.5]:
    P = NeuronGroup(1, 'dv/dt = (2-v)/tau : 1', threshold='v > 1', reset='v = 0')
    Q = NeuronGroup(1, 'dv/dt = -v/tau : 1')
    S = Synapses(P, Q, on_pre='v += del_w')
    S.connect()
    run(1*ms)
"""


@pytest.mark.parametrize("face", FACES)
def test_a_loop_that_rebuilds_the_same_model_is_hinted_at_once(say, face):
    assert say(face, LOOP).only == (
        "run(1*ms)",
        "rebuilt_in_loop",
        "the same model has been built and run 3 times in a loop (line 8). One group with one neuron per "
        "case and one run() does all cases at once: write 'del_w : 1' into the equations of S, set "
        "S.del_w = [...] after it is made, and read the results as an array. "
        "Or make the model in a function, and sweep() it over the cases",
    )


@pytest.mark.parametrize("face", FACES)
def test_a_value_that_changes_in_a_neuron_is_named_with_its_unit(say, face):
    text = say(face, """
for tau in [10*ms, 20*ms, 30*ms]:
    start_scope()
    P = NeuronGroup(1, 'dv/dt = (2-v)/tau : 1', threshold='v > 1', reset='v = 0')
    run(1*ms)
""").only[2]  # fmt: skip
    assert "write 'tau : second' into the equations of P, set P.tau = [...] after it is made" in text


@pytest.mark.parametrize("face", FACES)
def test_a_loop_around_a_function_counts_and_other_repetition_does_not(say, face):
    function = """
tau = 10*ms
def trial(v0):
    start_scope()
    P = NeuronGroup(1, 'dv/dt = (2-v)/tau : 1', threshold='v > 1', reset='v = 0')
    P.v = v0
    run(1*ms)
"""
    assert say(face, function + "for v0 in [0, 0.1, 0.2]:\n    trial(v0)\n").only == (
        "run(1*ms)",
        "rebuilt_in_loop",
        "the same model has been built and run 3 times in a loop (line 7). One group with one neuron per "
        "case and one run() does all cases at once: give each neuron its own value of what changes, and "
        "read the results as an array. "
        "Or make the model in a function, and sweep() it over the cases",
    )
    assert say(face, function + "trial(0)\ntrial(0.1)\ntrial(0.2)\n").warnings == []
    others = function + "for n in [1, 2, 3]:\n    P = NeuronGroup(n, 'x : 1'); run(1*ms); start_scope()\n"
    assert say(face, others).warnings == []
    again = function + "P = NeuronGroup(1, 'x : 1')\nfor n in range(5):\n    run(1*ms)\n"
    assert say(face, again).warnings == []


# -- M.v[-1] -----------------------------------------------------------------------------------------

LAST = """
tau = 10*ms
G = NeuronGroup(5, 'dv/dt = (-70*mV-v)/tau : volt')
M = StateMonitor(G, 'v', record={record})
run(1*ms)
trace = {read}
"""


@pytest.mark.parametrize("face", FACES)
def test_the_last_element_of_a_monitor_with_one_element_is_hinted(say, face):
    outcome = say(face, LAST.format(record="3", read="M.v[-1]"))
    assert outcome.only == (
        "trace = M.v[-1]",
        "last_element",
        "M.v[-1] is the whole trace of the last recorded element, not the last value: that is M.v[0, -1], or "
        "after the run simply G.v[3], for which no monitor is needed",
    )
    assert outcome.names["trace"].shape == ((11,) if face == "eccles" else (10,))
    assert outcome.names["trace"].dim is outcome.names["mV"].dim


@pytest.mark.parametrize(
    "read", ["M.v[0, -1]", "M.v[0][-1]", "M.v[:, -1]", "M[3].v[-1]", "M.v[0]", "M.t[-1]"]
)
def test_other_ways_to_read_a_monitor_say_nothing(say, read):
    assert say("eccles", LAST.format(record="3", read=read)).warnings == []


def test_the_last_of_several_elements_says_nothing(say):
    assert say("eccles", LAST.format(record="[1, 3]", read="M.v[-1]")).warnings == []


# -- all of it together ------------------------------------------------------------------------------

FIRST_POST = """
tau = 10*ms
for del_w in [0.1, 0.2, 0.3]:
    P = NeuronGroup(1, 'dv/dt=(1-v)/(tau) : 1', method='exact', threshold='v > -55', reset='v = -70',
                    refractory=2 * ms)
    Q = NeuronGroup(1, 'dv/dt=(1-v)/(tau) : 1', method='exact', refractory=2 * ms)
    P.v = -70
    Q.v = -70
    S = Synapses(P, Q, on_pre='v += del_w', delay=2 * ms)
    S.connect()
    M = StateMonitor(Q, 'v', record=True)
    run(5 * ms)
    last = M.v[-1]
"""


def test_the_first_post_hears_of_each_mistake_once(say):
    assert [name for _, name, _ in say("eccles", FIRST_POST).warnings] == [
        "mixed_scales", "refractory_without_threshold", "dimensionless_millivolts",
        "dimensionless_millivolts", "last_element", "rebuilt_in_loop",
    ]  # fmt: skip


def test_the_first_post_hears_the_same_in_the_compatible_face_where_two_come_at_run(say):
    assert [name for _, name, _ in say("eccles.brian2", FIRST_POST).warnings] == [
        "refractory_without_threshold", "dimensionless_millivolts", "mixed_scales", "last_element",
        "rebuilt_in_loop",
    ]  # fmt: skip


@pytest.mark.parametrize("face", FACES)
def test_each_warning_can_be_silenced_by_its_name_alone(say, face):
    everything = FIRST_POST + "start_scope()" + AT_START.format(n=1) + "start_scope()" + OUT_OF_REACH
    names = {name for _, name, _ in say(face, everything).warnings}
    assert names == {
        "mixed_scales", "refractory_without_threshold", "dimensionless_millivolts", "last_element",
        "rebuilt_in_loop", "threshold_at_start", "unreachable_threshold",
    }  # fmt: skip

    for name in sorted(names):
        silence(name)
        assert {n for _, n, _ in say(face, everything).warnings} == names - {name}
        silence()


# -- objects that run() does not see -------------------------------------------------------------------

SPIKING = "NeuronGroup(1, 'dv/dt = (2 - v)/(10*ms) : 1', threshold='v > 1', reset='v = 0')"
ELSEWHERE = (
    "It takes the objects that have a variable of their own where it is called, and does not look into "
    "lists, dictionaries, attributes or functions. Make a network instead, which takes lists too: "
    "net = Network(...); net.run(...)"
)


@pytest.mark.parametrize("face", FACES)
def test_objects_in_a_list_are_not_seen_by_run_and_that_is_said(say, face):
    script = f"groups = [{SPIKING}, {SPIKING}]\nrun(1*ms)"
    assert say(face, script).only == (
        "run(1*ms)", "not_seen_by_run",
        f"run() has nothing to simulate: it does not see neurongroup, neurongroup_1. {ELSEWHERE}",
    )  # fmt: skip


@pytest.mark.parametrize("face", FACES)
def test_monitors_in_a_list_are_left_out_and_that_is_said_once(say, face):
    script = f"G = {SPIKING}\nmonitors = [StateMonitor(G, 'v', record=True)]\nrun(1*ms)\nrun(1*ms)"
    assert say(face, script).only == (
        "run(1*ms)", "not_seen_by_run", f"run() leaves out statemonitor. {ELSEWHERE}",
    )  # fmt: skip


@pytest.mark.parametrize("face", FACES)
def test_what_was_replaced_or_runs_in_a_network_is_not_missed(say, face):
    replaced = (
        f"G = {SPIKING}\n" + "S = Synapses(G[:], G)\nS.connect()\nM = StateMonitor(G, 'v', record=True)\n" * 2
    )
    for script in (
        replaced + "run(1*ms)",
        f"net = Network([{SPIKING}])\nnet.run(1*ms)\nG = {SPIKING}\nrun(1*ms)",
        f"H = [{SPIKING}]\nM = [StateMonitor(H[0], 'v', record=True)]\nG = {SPIKING}\nrun(1*ms)",
        "run(1*ms)",
    ):
        outcome = say(face, script)
        assert (outcome.warnings, outcome.error) == ([], None), script


def test_an_object_that_only_a_function_knows_is_named(say):
    script = f"""
def make():
    G = {SPIKING}
    return StateMonitor(G, 'v', record=True)
M = make()
run(1*ms)
"""
    outcome = say("eccles", script)
    assert outcome.error_line == "run(1*ms)"
    assert str(outcome.error) == (
        "statemonitor needs neurongroup, which is not in the network\n\n"
        "  run() takes the objects that have a variable of their own where it is called. Give neurongroup "
        "one, which a function that makes it has to return; or make a Network(...) of all objects."
    )


# -- a time constant without unit ----------------------------------------------------------------------


def test_a_time_constant_without_unit_is_pointed_at(say):
    outcome = say("eccles", "tau = 5\nG = NeuronGroup(1, 'dv/dt = -v/tau : 1')")
    assert isinstance(outcome.error, EcclesError)
    assert outcome.error.hint == (
        "'v' is a number without unit, as its unit says. It is divided by 'tau', which is a number without "
        "unit: if that is a time, give it a unit, as in tau = 5*ms."
    )


def test_a_vague_likeness_to_an_imported_unit_is_no_suggestion(say):
    for name in ("rate", "tau"):
        outcome = say("eccles", f"from eccles import *\nG = NeuronGroup(1, 'dv/dt = {name} : 1')")
        assert isinstance(outcome.error, EcclesError)
        assert str(outcome.error.hint).startswith(f"If '{name}' is a parameter"), outcome.error


# -- thresholds that are looked at on the grid --------------------------------------------------------

NOISY = "dv/dt = -v/(10*ms) + 0.1*xi/(10*ms)**.5 : 1"


def noisy(**options):
    return NeuronGroup(1, NOISY, **{"threshold": "v > 1", "reset": "v = 0"} | options)


def test_of_thresholds_on_the_grid_a_note_tells_before_the_first_run_only(capsys):
    G = noisy()
    either = NeuronGroup(1, "dw/dt = -w/ms : 1", threshold="w > 1 or w < -1", reset="w = 0")
    exact = NeuronGroup(1, "dw/dt = -w/ms : 1", threshold="w > 1 - t/second", reset="w = 0")
    net = Network(G, either, exact)
    net.run(1 * ms)
    assert capsys.readouterr().err == (
        "eccles: spikes at the ends of time steps, not at exact times: G (its equations contain noise "
        "('xi')), either (the condition contains 'or'); spike_times='grid' says that this is meant "
        "[spikes_on_grid]\n"
    )
    net.run(1 * ms)
    assert capsys.readouterr().err == ""


def test_models_that_are_made_in_a_loop_are_told_of_once(capsys):
    for _ in range(2):
        Network(noisy()).run(0.1 * ms)
    assert capsys.readouterr().err.count("spikes_on_grid") == 1


@pytest.mark.parametrize(
    ("group", "network"),
    [({"spike_times": "grid"}, {}), ({}, {"spike_times": "grid"}), ({"threshold": None, "reset": None}, {})],
)
def test_nothing_is_told_of_a_grid_that_was_asked_for_nor_without_a_threshold(group, network, capsys):
    exact = NeuronGroup(1, "dw/dt = -w/ms : 1", threshold="w > 1 - t/second", reset="w = 0")
    Network(noisy(**group), exact, **network).run(0.1 * ms)
    assert capsys.readouterr().err == ""


def test_the_compatible_face_tells_nothing_of_its_grid(capsys):
    G = brian2.NeuronGroup(1, NOISY, threshold="v > 1", reset="v = 0", method="euler")
    brian2.Network(G).run(0.1 * ms)
    assert capsys.readouterr().err == ""


def test_the_note_can_be_silenced(capsys):
    silence("spikes_on_grid")
    Network(noisy()).run(0.1 * ms)
    silence()
    assert capsys.readouterr().err == ""
