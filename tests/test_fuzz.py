"""Bad input never crashes the process and never shows what is inside.

Hypothesis makes models that look like models, with some mistakes in them: random text, wrong units, wrong
shapes, NaN, huge indices, empty groups, negative durations. Each is built, connected, set, run and read.
It may work, or fail with an error that Eccles raises on purpose. All of it happens in a process of its own
(this file run as a script), because a crash of native code would take the tests with it; the example that
is being tried is always on disk.
"""

from __future__ import annotations

import argparse
import dis
import faulthandler
import importlib
import json
import os
import subprocess
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import HealthCheck
from hypothesis import strategies as st

# What may come out of Eccles besides its own errors, if it says `raise` itself: Python's protocols want them.
DELIBERATE = (TypeError, KeyError, IndexError, AttributeError, NotImplementedError, ValueError, RuntimeError)

# -- texts -------------------------------------------------------------------------------------------

NAMES = ("v", "u", "w", "g", "x")
NUMBERS = ("0", "1", "2", "0.5", "-1", "1.5e3", "1e-3", "10", "3", "inf", "1e300", "7")
FUNCTIONS = (
    "exp",
    "sin",
    "cos",
    "tanh",
    "abs",
    "sqrt",
    "log",
    "exprel",
    "floor",
    "sign",
    "arctan",
    "int",
    "ceil",
)
GARBAGE = (
    "",
    " ",
    "\n",
    "(",
    ")",
    "[",
    "]",
    "'",
    "=",
    "==",
    ":",
    "#",
    "@",
    "\x00",
    "\u00b5",
    "\u221e",
    "\U0001f9e0",
    "**",
    "//",
    "if",
    "lambda:0",
    "__import__('os')",
    "0x1f",
    "1_0",
    "1e999",
    "9**9**9",
    "mV",
    "5*mV",
    "xi",
    "t",
    "dt",
    "i",
    "j",
    "N",
    "v_pre",
    "w_post",
    "rand()",
    "rand",
    "poisson(-1)",
    "lastspike",
    "not_refractory",
    "None",
    "True",
    "v.w",
    "v[0]",
    "{",
    "\\",
    "\t",
    ";",
    "and",
    "1/0",
    "0**-1",
    "%0",
    "(" * 60,
    "-" * 300,
    "clip(v)",
    "nan",
    "a" * 500,
)


@st.composite
def expressions(draw: Any, names: tuple[str, ...], depth: int = 3) -> str:
    """A number computed from names."""
    kind = draw(
        st.sampled_from(("number", "name", "name", "sum", "product", "call", "power", "division", "choice"))
    )
    if depth == 0 or kind == "number":
        return draw(st.sampled_from(NUMBERS))
    if kind == "name":
        return draw(st.sampled_from(names))
    a = draw(expressions(names, depth - 1))
    if kind == "call":
        return f"{draw(st.sampled_from(FUNCTIONS))}({a})"
    if kind == "power":
        return f"({a})**{draw(st.sampled_from(('2', '3', '-1', '0.5')))}"
    b = draw(expressions(names, depth - 1))
    match kind:
        case "sum":
            return f"({a} {draw(st.sampled_from('+-'))} {b})"
        case "product":
            return f"({a})*({b})"
        case "division":
            return f"({a}){draw(st.sampled_from(('/', '//', '%')))}({b})"
        case _:
            return f"clip({a}, -1, {b})"


@st.composite
def conditions(draw: Any, names: tuple[str, ...]) -> str:
    """A truth value computed from names."""
    sign = draw(st.sampled_from((">", "<", ">=", "!=")))
    one = f"{draw(expressions(names, 2))} {sign} {draw(expressions(names, 1))}"
    if draw(st.integers(0, 3)) == 0:
        return f"{one} {draw(st.sampled_from(('and', 'or')))} not ({draw(expressions(names, 1))} > 0)"
    return one


@st.composite
def crossings(draw: Any, names: tuple[str, ...]) -> str:
    """A threshold that can be found exactly, mostly: a comparison of what is smooth."""
    other = draw(st.sampled_from(names))
    left = draw(st.sampled_from(("v", "v", "v", f"v + 0.5*{other}", f"v**2 - {other}", "exp(v)", "sin(9*v)")))
    right = draw(st.sampled_from(("0.05", "0.2", "0.5", "0", "-0.1", "0.3 + 0.1*sin(9*t/ms)", "0.1*i")))
    more = draw(st.sampled_from(("", "", "", f" and {other} < 2", " and i < 3", " and not_refractory")))
    return f"{left} {draw(st.sampled_from(('>', '>=')))} {right}{more}"


@st.composite
def resets(draw: Any, names: tuple[str, ...]) -> str:
    """What takes a neuron back below such a threshold, mostly."""
    other = draw(st.sampled_from(names))
    return draw(
        st.sampled_from(("v = 0", "v = -1", "v -= 0.3", f"v = -0.1; {other} += 0.2", "v = -rand()", ""))
    )


@st.composite
def statements(draw: Any, targets: tuple[str, ...], names: tuple[str, ...]) -> str:
    """Some assignments."""
    operators = st.sampled_from(("=", "+=", "-=", "*="))
    lines = [
        f"{draw(st.sampled_from(targets))} {draw(operators)} {draw(expressions(names, 2))}"
        for _ in range(draw(st.integers(1, 3)))
    ]
    return draw(st.sampled_from(("\n", "; "))).join(lines)


@st.composite
def equations(draw: Any, flags: tuple[str, ...] = ("",)) -> tuple[str, tuple[str, ...]]:
    """Equations, and the names of what can be set."""
    n = draw(st.integers(1, len(NAMES)))
    names = NAMES[:n]
    lines, settable = [], []
    for k, name in enumerate(names):
        kind = (
            draw(st.sampled_from(("linear", "differential", "parameter", "subexpression"))) if k else "linear"
        )
        flag = draw(st.sampled_from(flags))
        if kind == "linear":
            other = draw(st.sampled_from((*names, "1", "2")))
            lines.append(f"d{name}/dt = ({other} - {name})/(5*ms) : 1{flag}")
        elif kind == "differential":
            inner = draw(expressions((*names, "i", "N", "t/ms", "stimulus(t)"), 2))
            noise = draw(st.sampled_from(("", "", f" + 0.1*xi_{k}*ms**-0.5")))
            lines.append(f"d{name}/dt = tanh({inner})/(5*ms){noise} : 1{flag}")
        elif kind == "parameter":
            kinds = ("1", "1", "1", "integer", "boolean", "1 (shared)", "volt", "1 (constant)")
            lines.append(f"{name} : {draw(st.sampled_from(kinds))}")
        else:
            before = names[:k]  # no circles
            lines.append(f"{name} = {draw(expressions(before, 2))} : 1")
            continue
        settable.append(name)
    return "\n".join(lines), tuple(settable)


@st.composite
def mutated(draw: Any, text: str) -> str:
    """The text with a mistake somewhere."""
    where = draw(st.integers(0, len(text)))
    what = draw(st.sampled_from(GARBAGE))
    match draw(st.integers(0, 3)):
        case 0:
            return text[:where] + what + text[where:]
        case 1:
            return text[:where] + text[where + draw(st.integers(1, 5)) :]
        case 2:
            return text[:where] + what + text[where + draw(st.integers(1, 5)) :]
        case _:
            return draw(st.text(max_size=40))


# -- values ------------------------------------------------------------------------------------------

# as text, so that an example can be read and repeated; the names are NumPy's and those of the face
VALUES = ("0.5", "0", "-1", "'rand()'", "'i*0.1'", "True", "3", "0.2")
ARRAYS = ("np.arange(n)*0.1", "np.zeros(n)", "np.linspace(-1, 1, n)", "[0.5]*n")
BAD_VALUES = (
    "nan",
    "inf",
    "-inf",
    "None",
    "'x'",
    "np.zeros((2, 2))",
    "np.zeros(n + 1)",
    "1j",
    "10**400",
    "5*mV",
    "[]",
    "{}",
    "object()",
    "np.array(['a'])",
    "[nan, 1]",
    "'5*mV'",
    "'1/0'",
    "'9**9**9'",
    "np.zeros(0)",
    "1*second",
    "[[1], [2, 3]]",
    "'rand('",
    "''",
    "np.array(3 + 4j)",
    "lambda: 0",
    "'poisson(1e30)'",
    "'sqrt(-1)'",
    "range(n)",
    "'j'",
    "b'x'",
)
INDICES = ("0", ":", "-1", "0:2", "'i < 2'", "[0]", "...", "np.arange(n) > 1", "::2")
BAD_INDICES = (
    "10**12",
    "-10**30",
    "1.5",
    "'x'",
    "'i'",
    "None",
    "np.zeros(n + 3, bool)",
    "[10**9]",
    "(0, 0)",
    "'i <'",
    "nan",
    "1j",
    "'rand() < 2 and nosuch'",
    "np.int64(-2**62)",
    "[0.5]",
    "{}",
    "slice(None, None, 0)",
    "slice('a')",
    "2**63",
    "[2**64]",
)
SIZES = ("1", "3", "7", "40", "2", "5", "17")
BAD_SIZES = (
    "0",
    "-3",
    "2.7",
    "'x'",
    "None",
    "10**12",
    "nan",
    "inf",
    "3*mV",
    "[2]",
    "2**40",
    "2**31",
    "True",
    "1j",
)
DURATIONS = ("0.5*ms", "1*ms", "2*ms", "0.1*ms", "1.23*ms", "0*ms")
BAD_DURATIONS = (
    "-1*ms",
    "nan*second",
    "inf*second",
    "5",
    "3*mV",
    "None",
    "'1*ms'",
    "[1, 2]*ms",
    "1e-9*second",
    "1j*ms",
    "1e300*second",
)
DELAYS = ("0*ms", "1*ms", "0.3*ms", "None", "0.1*ms", "0.137*ms", "0.02*ms")
SPIKE_TIMES = ("None", "None", "'precise'", "'precise'", "'grid'")
BAD_SPIKE_TIMES = ("'fast'", "3", "1*ms", "[]", "True", "nan")
BAD_DELAYS = (
    "-1*ms",
    "nan*second",
    "inf*second",
    "5",
    "1*mV",
    "1e9*second",
    "'rand()*ms'",
    "[1]*ms",
    "True",
    "1e300*second",
)
CONNECTS = (
    "",
    "j='i', skip_if_invalid=True",
    "p=0.5",
    "'i != j'",
    "i=0, j=0",
    "i=[0, 0, 0], j=[0, 0, 0]",
    "j='k for k in range(i, i + 2)', skip_if_invalid=True",
    "True",
    "p='0.5'",
    "n=2",
    "'rand() < 0.5'",
    "j='k for k in sample(N_post, p=0.3)'",
    "'v_post >= i*0.1'",
    "False",
    "i=np.arange(1), j=np.arange(1)",
    "'i < 3', p=0.2, n=2",
    "j='(i + 1) % N_post'",
    "'i == j'",
    "p=0.2",
)
BAD_CONNECTS = (
    "i=10**12, j=0",
    "i=[-1], j=[0]",
    "i=0.5, j=0",
    "i=[0], j=[0, 1, 2]",
    "p=-1",
    "p=nan",
    "p=2",
    "n=-1",
    "'i'",
    "'x >'",
    "j='",
    "j='k for k in range(10**12)'",
    "j='k for k in sample(-5, p=0.5)'",
    "j='k for k in range(0, 10, 0)'",
    "i='i', j='j'",
    "j=None",
    "'9**9**9 > 1'",
    "n=10**15",
    "n='-1'",
    "j='i*10**15'",
    "i=[], j=[]",
    "p='nan'",
    "j='k for k in sample(3, size=10)'",
    "5",
    "i=[nan], j=[0]",
    "j='1.5'",
    "i=np.zeros((2, 2), int), j=0",
    "p=[0.5]",
    "n='1e30'",
    "i=[2**63], j=[0]",
    "j='rand()'",
    "n=1.5",
    "j='k for k in sample(N_post, p=nan)'",
    "j='k for k in range(nan)'",
    "j='k for k in range(1e300)'",
    "'1/0 > 1'",
    "p='1/0'",
)
METHODS = (
    "None",
    "'euler'",
    "'rk4'",
    "'rk2'",
    "'heun'",
    "'exponential_euler'",
    "'exact'",
    "'milstein'",
    "'dopri5'",
    "('exact', 'euler')",
)
BAD_METHODS = ("'nosuch'", "3", "''", "()", "[None]", "object()")
REFRACTORY = ("False", "False", "1*ms", "'0.5*ms'", "'v > 0.5'", "0*ms", "'rand()*ms'", "'v < 0'", "0.13*ms")
BAD_REFRACTORY = (
    "True",
    "-1*ms",
    "nan*second",
    "5",
    "'5'",
    "1*mV",
    "'v >'",
    "1e300*second",
    "'-1*ms'",
    "'1e300*second'",
    "inf*second",
)
INPUTS = (
    "PoissonGroup(n, 100*Hz)",
    "PoissonGroup(n, 'i*50*Hz')",
    "SpikeGeneratorGroup(n, [0, 0], [0.2, 0.5]*ms)",
    "PoissonGroup(n, np.arange(n)*Hz)",
    "SpikeGeneratorGroup(n, [0], [0.1]*ms, period=0.5*ms)",
    "SpikeGeneratorGroup(n, [], []*ms)",
)
BAD_INPUTS = (
    "PoissonGroup(n, -5*Hz)",
    "PoissonGroup(n, nan*Hz)",
    "PoissonGroup(n, 5)",
    "PoissonGroup(n, inf*Hz)",
    "PoissonGroup(0, 5*Hz)",
    "PoissonGroup(n, 'x')",
    "PoissonGroup(n, np.zeros(n + 1)*Hz)",
    "PoissonGroup(n, 1e300*Hz)",
    "PoissonGroup(n, '9**9**9*Hz')",
    "SpikeGeneratorGroup(n, [10**12], [1]*ms)",
    "SpikeGeneratorGroup(n, [-1], [1]*ms)",
    "SpikeGeneratorGroup(n, [0], [nan]*ms)",
    "SpikeGeneratorGroup(n, [0], [-1]*ms)",
    "SpikeGeneratorGroup(n, [0, 0], [1, 1]*ms)",
    "SpikeGeneratorGroup(n, [0], [1])",
    "SpikeGeneratorGroup(n, [0], [1e300]*ms)",
    "SpikeGeneratorGroup(n, [0], [1]*ms, period=-1*ms)",
    "SpikeGeneratorGroup(n, [0.5], [1]*ms)",
    "SpikeGeneratorGroup(n, [0], [inf]*ms)",
    "SpikeGeneratorGroup(n, [0], [1]*ms, period=nan*second)",
    "PoissonGroup(n, None)",
    "SpikeGeneratorGroup(n, [0, 1], [1]*ms)",
    "PoissonGroup(n, [[1, 2]]*Hz)",
    "SpikeGeneratorGroup(n, 'a', 'b')",
    "SpikeGeneratorGroup(n, [0], [1]*ms, period=1e-300*second)",
    "SpikeGeneratorGroup(n, [nan], [1]*ms)",
)
EXTRAS = (
    "StateMonitor(G, 'v', record=True)",
    "StateMonitor(G, ['v'], record=0, dt=0.5*ms)",
    "SpikeMonitor(G)",
    "PopulationRateMonitor(G)",
    "PoissonInput(G, 'v', 10, 20*Hz, 0.1)",
    "G.run_regularly('v = v + 0.1', dt=0.5*ms)",
    "StateMonitor(G, 'v', record=[0])",
    "SpikeMonitor(G, variables='v')",
    "StateMonitor(G, True, record=True)",
    "SpikeMonitor(G[:1])",
    "G.run_on_event('spike', 'v = 0')",
)
BAD_EXTRAS = (
    "StateMonitor(G, 'nosuch', record=True)",
    "StateMonitor(G, 'v', record=10**12)",
    "StateMonitor(G, 'v', record=[-10**9])",
    "StateMonitor(G, 5, record=True)",
    "StateMonitor(G, 'v', record=1.5)",
    "StateMonitor(G, 'v', record=True, dt=-1*ms)",
    "SpikeMonitor(None)",
    "SpikeMonitor(G, variables='nosuch')",
    "PoissonInput(G, 'nosuch', 1, 1*Hz, 1)",
    "G.run_regularly('v = ')",
    "PoissonInput(G, 'v', -1, 1*Hz, 1)",
    "PoissonInput(G, 'v', 10, 1e9*Hz, 1)",
    "PoissonInput(G, 'v', 1, nan*Hz, nan)",
    "G[5:2]",
    "G[10**12]",
    "G[::2]",
    "G['x']",
    "StateMonitor(G, 'v', record=True, dt=nan*second)",
    "PopulationRateMonitor(5)",
    "G[nan]",
    "StateMonitor(G, 'v', record=True, dt=1e-300*second)",
    "PoissonInput(G, 'v', 10**15, 1*Hz, 0.1)",
    "G.run_regularly('9**9**9')",
    "StateMonitor(G, 'v', record='x')",
    "TimedArray([nan], dt=0*ms)",
    "TimedArray([], dt=1*ms)",
    "TimedArray(5, dt=1*ms)",
    "StateMonitor(G, 'v', record=True, dt=0*ms)",
    "PoissonInput(G, 'v', 1, 1*Hz, 1*mV)",
    "linked_var(G, 'v')",
    "G.run_on_event('x', '')",
    "NeuronGroup(2, 'v : 1', dt=1e9*second)",
    "NeuronGroup(2, 'v : 1', name=5)",
    "NeuronGroup(2, 'v : 1', name='a b')",
    "NeuronGroup(2, 5)",
    "NeuronGroup(2, None)",
    "NeuronGroup(2, 'v : 1', dtype='x')",
    "NeuronGroup(2, 'v : 1', namespace=5)",
    "NeuronGroup(2, 'v : 1', threshold=5)",
    "NeuronGroup(2, 'v : 1', events={'a b': 'v > 1'})",
    "NeuronGroup(2, 'v : 1', order='x')",
    "Synapses(G, None, on_pre=5)",
    "Synapses(5, G)",
    "Synapses(G, G, on_pre={'pre': 5})",
    "Synapses(G, G, delay={'x': 1*ms})",
)


# models with units: equations, threshold, reset, on_pre, and values for their variables
BIOPHYSICAL = (
    (
        "dv/dt = (-70*mV - v + R*I)/(5*ms) : volt\nI : amp\nR : ohm (constant)",
        "v > -50*mV",
        "v = -70*mV",
        "v_post += w*mV",
        {"v": ("-70*mV", "'-70*mV + rand()*mV'"), "I": ("0.1*nA", "'i*nA'"), "R": ("1e8*ohm", "'1e8*ohm'")},
    ),
    (
        "dv/dt = (10*nS*(-70*mV - v) + g*(0*mV - v))/(200*pF) : volt (unless refractory)\n"
        "dg/dt = -g/(5*ms) : siemens",
        "v > -55*mV + rand()*mV",
        "v = -70*mV; g = 0*nS",
        "g_post += w*nS",
        {"v": ("-70*mV", "-60*mV"), "g": ("1*nS", "'1*nS*rand()'")},
    ),
    (
        "dv/dt = (-v + sigma*sqrt(2*tau)*xi)/tau : volt\ntau = 5*ms : second\nsigma : volt (shared)",
        "v > 1*mV",
        "v -= 1*mV",
        "v_post -= 0.1*mV*w",
        {"v": ("0*mV", "1*mV"), "sigma": ("2*mV", "'2*mV'")},
    ),
)
# of the wrong dimension for each of them, or of none
WRONG_UNITS = (
    "5",
    "1*second",
    "'5'",
    "'1*second'",
    "1*mV*mV",
    "'v*v'",
    "'1/v'",
    "nan*volt",
    "inf*volt",
    "'v + 1'",
    "1*mV/ms",
)


@st.composite
def biophysical(draw: Any, pick: Any, text: Any) -> dict[str, Any]:
    """The parts of an example that have to do with a model with units."""
    model, threshold, reset, on_pre, variables = draw(st.sampled_from(BIOPHYSICAL))
    sets = []
    for k in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(tuple(variables)))
        sets.append((name, ":", pick(9 + k, variables[name], (*WRONG_UNITS, *BAD_VALUES))))
    return {
        "model": text(0, st.just(model)),
        "threshold": text(4, st.just(threshold)),
        "reset": text(5, st.just(reset)),
        "sets": sets,
        "on_pre": text(12, st.just(on_pre)),
        "on_post": None,
        "synapse model": "w : 1",
        "weight": ("w", ":", pick(10, ("0.5", "'rand()'"), WRONG_UNITS)),
        "extras": ["StateMonitor(G, True, record=True)", "PoissonInput(G, 'v', 10, 20*Hz, 0.1*mV)"],
        "method": pick(3, ("None", "'euler'"), BAD_METHODS),
        "between": draw(st.sampled_from(("None", "explanation(net)"))),
    }


# what is done after each run
BETWEEN = (
    "None",
    "explanation(net)",
    "(net.store(), net.run(0.3*ms), net.restore(), explanation(net))",
    "G.v.set_item(slice(None), 0.7)",
    "S.connect(i=0, j=0)",
    "setattr(S, 'w', 'rand()')",
    "setattr(defaultclock, 'dt', 0.05*ms)",
    "G.run_regularly('v = 0.5*v')",
    "net.remove(S)",
    "net.set_states(net.get_states())",
)


@st.composite
def settings(draw: Any, settable: tuple[str, ...], pick: Any, k: int) -> tuple[str, str, str]:
    """A variable, an index and a value for it that fits, mostly."""
    index = pick(7 + k, INDICES, BAD_INDICES)
    return (
        draw(st.sampled_from(settable)),
        index,
        pick(9 + k, VALUES + ARRAYS if index == ":" else VALUES, BAD_VALUES),
    )


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """What to build, set, run and read, as text; most of it right."""
    wrong = draw(st.sets(st.integers(0, 26), max_size=2)) if draw(st.booleans()) else set()

    def pick(k: int, good: tuple[str, ...], bad: tuple[str, ...]) -> str:
        return draw(st.sampled_from(bad if k in wrong else good))

    def text(k: int, strategy: Any) -> str:
        made = draw(strategy)
        return draw(mutated(made)) if k in wrong else made

    model, settable = draw(equations(("", "", "", " (unless refractory)")))
    if 0 in wrong:
        model = draw(mutated(model))
    spikes = draw(st.integers(0, 9)) > 0
    driven = draw(st.booleans()) or not spikes
    resetting = st.one_of(statements(settable, (*settable, "rand()")), resets(settable))
    conditional = st.one_of(conditions((*settable, "v", "rand()")), crossings(settable))
    late_delays = draw(st.integers(0, 3)) == 0
    synaptic = (
        "w : 1",
        "w : 1\ndA/dt = -A/(5*ms) : 1 (event-driven)",
        "w : 1\ndA/dt = (1 - A)/(5*ms) : 1 (clock-driven)",
        "w : integer",
    )
    synapse_model = text(1, st.sampled_from(synaptic))
    synapse_names = ("w", "A") if "dA" in synapse_model else ("w",)
    names = (*synapse_names, "v_post", "v", "rand()", *(() if driven else ("v_pre",)))
    case = {
        "face": draw(st.sampled_from(("eccles", "eccles.brian2"))),
        "n": pick(2, SIZES, BAD_SIZES),
        "model": model,
        "method": pick(3, METHODS, BAD_METHODS),
        "spike times": pick(25, SPIKE_TIMES, BAD_SPIKE_TIMES),
        "spike times of G": pick(26, ("None", *SPIKE_TIMES), BAD_SPIKE_TIMES),
        "threshold": text(4, conditional) if spikes else None,
        "reset": text(5, resetting) if spikes else None,
        "refractory": pick(6, REFRACTORY, BAD_REFRACTORY) if spikes else "False",
        "sets": [draw(settings(settable, pick, k)) for k in range(draw(st.integers(0, 2)))],
        "input": pick(11, INPUTS, BAD_INPUTS) if driven else None,
        "synapse model": synapse_model,
        "on_pre": text(12, statements(("v_post", "w", "v"), names)),
        "on_post": text(13, statements(("w",), names)) if spikes and draw(st.booleans()) else None,
        "delay": "None" if late_delays else pick(14, DELAYS, BAD_DELAYS),
        "connect": pick(15, CONNECTS, BAD_CONNECTS),
        "weight": draw(settings(("w",), pick, 9)) if draw(st.booleans()) else None,
        "delays": pick(18, ("'rand()*ms'", "1*ms"), BAD_DELAYS) if late_delays else None,
        "extras": [pick(19 + k, EXTRAS, BAD_EXTRAS) for k in range(draw(st.integers(0, 3)) if spikes else 0)],
        "durations": [pick(22 + k, DURATIONS, BAD_DURATIONS) for k in range(draw(st.integers(1, 2)))],
        "between": draw(st.sampled_from(BETWEEN)),
    }  # fmt: skip
    return case | draw(biophysical(pick, text)) if spikes and draw(st.integers(0, 3)) == 0 else case


# -- trying one --------------------------------------------------------------------------------------


class Faults(Exception):
    """Something came out that should not."""


def judge(error: BaseException) -> None:
    """Let errors pass that Eccles raises on purpose.

    Raises
    ------
    Faults
        If the error is an accident within Eccles, or a bug that it admits.
    """
    from eccles.errors import EcclesError, InternalError

    if isinstance(error, EcclesError) and not isinstance(error, InternalError):
        cause = error.__cause__
        if cause is not None:
            judge(cause)
        return
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = "nowhere"
    if last is not None:
        code = last.tb_frame.f_code
        where = f"{code.co_filename}:{last.tb_lineno}"
        ours = f"{os.sep}eccles{os.sep}" in code.co_filename
        on_purpose = code.co_code[last.tb_lasti] == dis.opmap["RAISE_VARARGS"]  # a `raise` of ours
        if isinstance(error, DELIBERATE) and ours and on_purpose and str(error):
            return
    raise Faults(f"{type(error).__name__}: {error} at {where}") from error


class Interrupted(Exception):
    """An expected error ended the example."""


def attempt(case: dict[str, Any]) -> bool:
    """Build, set, run and read; True if native code ran at least one step."""
    from eccles.errors import EcclesWarning
    from eccles.explain import explanation
    from eccles.objects import magic

    face = importlib.import_module(case["face"])
    magic.start_scope()
    magic.seed(1)
    outer: dict[str, Any] = {name: getattr(face, name) for name in face.__all__ if name in WANTED}
    outer |= {"np": np, "nan": np.nan, "inf": np.inf, "n": 2, "explanation": explanation}
    magic.defaultclock.dt = 0.1 * outer["ms"]
    outer["stimulus"] = face.TimedArray([0.5, -1, 2], dt=0.3 * outer["ms"])

    def value(text: str) -> Any:
        try:
            return eval(text, outer)  # the text is one of the constants of this file
        except (TypeError, ValueError, OverflowError, SyntaxError) as error:  # NumPy's, or Python's own
            if "eccles" in traceback.extract_tb(error.__traceback__)[-1].filename:
                judge(error)
            raise Interrupted from error

    def do(action: Any) -> Any:
        try:
            return action()
        except (Faults, Interrupted):
            raise
        except Exception as error:
            judge(error)
            raise Interrupted from error

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # NumPy's warnings are accidents too
        warnings.simplefilter("ignore", EcclesWarning)
        try:
            _play(case, face, outer, value, do)
        except Interrupted:
            pass
        finally:
            ran = magic.defaultclock.timestep > 0
            magic.start_scope()
    return ran


WANTED = {
    "NeuronGroup", "Synapses", "PoissonGroup", "PoissonInput", "SpikeGeneratorGroup", "SpikeMonitor",
    "StateMonitor", "PopulationRateMonitor", "TimedArray", "linked_var", "ms", "mV", "Hz", "second", "nA",
    "nS", "ohm", "volt",
    "Network", "defaultclock",
}  # fmt: skip


def _play(case: dict[str, Any], face: Any, outer: dict[str, Any], value: Any, do: Any) -> None:
    size, method, refractory = value(case["n"]), value(case["method"]), value(case["refractory"])
    G = do(lambda: face.NeuronGroup(
        size, case["model"], method=method, threshold=case["threshold"], reset=case["reset"],
        refractory=refractory, namespace={"stimulus": outer["stimulus"]},
        spike_times=value(case["spike times of G"]),
    ))  # fmt: skip
    outer |= {"G": G, "n": len(G)}
    for name, index, new in case["sets"]:
        _set(value, do, outer, G, name, index, new)
    objects = [G]
    source = G
    if case["input"] is not None:
        source = do(lambda: value(case["input"]))
        objects.append(source)
    if case["threshold"] is not None or case["input"] is not None:
        delay = value(case["delay"])
        S = do(lambda: face.Synapses(
            source, G, case["synapse model"], on_pre=case["on_pre"], on_post=case["on_post"], delay=delay,
            method="euler" if "clock" in case["synapse model"] else None, namespace={},
        ))  # fmt: skip
        outer["S"] = S
        do(lambda: value(f"S.connect({case['connect']})"))
        if len(S) > 10**5:
            return  # a large network is no mistake, but it takes time
        outer["n"] = len(S)
        if case["weight"] is not None:
            _set(value, do, outer, S, *case["weight"])
        if case["delays"] is not None:
            _set(value, do, outer, S, "delay", ":", case["delays"])
        outer["n"] = len(G)
        objects.append(S)
    for extra in case["extras"]:
        made = do(lambda extra=extra: value(extra))
        if hasattr(made, "blocks") and made not in objects:
            objects.append(made)
    net = do(lambda: face.Network(objects, spike_times=value(case["spike times"])))
    outer["net"] = net
    for duration in case["durations"]:
        length = value(duration)
        do(lambda length=length: net.run(length))
        if "S" in outer or "S" not in case["between"]:
            do(lambda: value(case["between"]))
    for obj in objects:
        do(lambda obj=obj: repr(obj))
        if hasattr(obj, "get_states"):
            do(lambda obj=obj: obj.get_states(subexpressions=True))
        for name in ("t", "i", "v", "rate", "count"):
            if type(obj).__name__.endswith("Monitor"):
                do(lambda obj=obj, name=name: getattr(obj, name, None))


def _set(value: Any, do: Any, outer: dict[str, Any], group: Any, name: str, index: str, new: str) -> None:
    position = slice(None) if index == ":" else value(f"np.s_[{index}]")
    what = value(new)
    view = do(lambda: getattr(group, name))

    def write() -> None:
        view[position] = what

    do(write)
    do(lambda: view[position])


# -- hostile text ------------------------------------------------------------------------------------

HOSTILE = {
    "a tower of powers": "9**9**9",
    "a tower of powers of powers": "9**9**9**9",
    "a negative tower": "2**-9**9**9",
    "a thousand brackets": "(" * 1000 + "v" + ")" * 1000,
    "a hundred thousand brackets": "(" * 100_000 + "v" + ")" * 100_000,
    "a thousand open brackets": "(" * 1000,
    "a thousand signs": "-" * 1000 + "v",
    "a hundred thousand nots": "not " * 100_000 + "v > 1",
    "a thousand calls": "exp(" * 1000 + "v" + ")" * 1000,
    "a sum of twenty thousand": "+".join(["v"] * 20_000),
    "a product of five thousand": "*".join(["v"] * 5_000),
    "nested powers": "v" + "**v" * 2000,
    "a chain of comparisons": "v" + " < v" * 3000,
    "a number of a million digits": "9" * 1_000_000,
    "a fraction of a million digits": "0." + "1" * 1_000_000,
    "a name of a million letters": "a" * 1_000_000,
    "a million spaces": " " * 1_000_000 + "v",
    "a megabyte of noise": "\u00e9\u4e2d@" * 300_000,
    "a power with a huge exponent": "v**1000000",
    "a shift": "1 << 10**10",
    "text times a number": "'a'*10**10",
    "a comprehension": "[0 for _ in range(10**10)]",
    "an import": "__import__('os').system('true')",
    "an attribute": "v.__class__.__mro__",
    "a zero byte": "v\x00+1",
    "a lone surrogate": "v + '\ud800'",
    "factorial by multiplication": "*".join(str(k) for k in range(1, 3000)),
}


def hostile() -> None:
    """Try each hostile text in each place; print what came out, one line each."""
    from eccles import NeuronGroup, PoissonGroup, Synapses, ms, run
    from eccles.errors import EcclesWarning
    from eccles.objects import magic

    if sys.platform != "win32":
        import resource

        gigabyte = 2**30
        resource.setrlimit(resource.RLIMIT_AS, (6 * gigabyte, 6 * gigabyte))
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", EcclesWarning)
    places = {
        "equation": lambda x: NeuronGroup(2, f"dv/dt = (0*({x}) - v)/(5*ms) : 1", method="euler"),
        "threshold": lambda x: NeuronGroup(2, "v : 1", threshold=f"({x}) > 1", reset="v = 0"),
        "reset": lambda x: NeuronGroup(2, "v : 1", threshold="v > 1", reset=f"v = {x}"),
        "initial value": lambda x: setattr(NeuronGroup(2, "v : 1"), "v", x),
        "index": lambda x: NeuronGroup(2, "v : 1").v[f"({x}) > 1"],
        "condition of a connection": lambda x: Synapses(
            PoissonGroup(2, rates="1*Hz"), NeuronGroup(2, "v : 1")
        ).connect(f"({x}) > 1"),
        "unit": lambda x: NeuronGroup(2, f"v : {x}"),
        "equations": lambda x: NeuronGroup(2, x),
    }
    for title, text in HOSTILE.items():
        for place, make in places.items():
            magic.start_scope()
            print(json.dumps([title, place]), flush=True)
            try:
                G = make(text)
                run(0.2 * ms)
                del G
                print(json.dumps("worked"), flush=True)
            except Exception as error:
                judge(error)
                print(json.dumps(type(error).__name__), flush=True)


# -- the tests ---------------------------------------------------------------------------------------


def _child(*arguments: str, timeout: float) -> tuple[int, str, str]:
    """This file as a script; a crash of it is an exit code here."""
    here = Path(__file__).resolve()
    path = os.pathsep.join(
        [str(Path(importlib.import_module("eccles").__file__ or "").parents[1]), *sys.path]
    )
    done = subprocess.run(
        [sys.executable, str(here), *arguments], capture_output=True, text=True, timeout=timeout, check=False,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def fuzz(examples: int, seed: int, folder: Path) -> tuple[int, int]:
    """Try so many examples in another process; how many there were, and how many reached native code."""
    current = folder / "example.json"
    code, out, err = _child(
        "--examples", str(examples), "--seed", str(seed), "--current", str(current), timeout=3600
    )
    said = current.read_text(encoding="utf-8") if current.exists() else "none"
    assert code == 0, f"exit code {code}\nlast example: {said}\n{out[-2000:]}\n{err[-6000:]}"
    counted = json.loads(out.splitlines()[-1])
    return counted["examples"], counted["native"]


def _share(examples: int, native: int, capsys: Any) -> None:
    with capsys.disabled():
        print(f"\n{native} of {examples} fuzzed models ({native / examples:.0%}) reached native code")
    assert native / examples >= 0.3


def test_bad_input_is_answered_and_a_large_share_reaches_native_code(tmp_path, capsys):
    _share(*fuzz(100, 0, tmp_path), capsys)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_much_bad_input_is_answered(tmp_path, capsys, seed):
    _share(*fuzz(1500, seed, tmp_path), capsys)


def test_hostile_text_takes_neither_time_nor_memory():
    code, out, err = _child("--hostile", timeout=300)
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0, f"exit code {code} at {lines[-1] if lines else 'the start'}\n{err[-4000:]}"
    assert len(lines) == 2 * 8 * len(HOSTILE)


def test_an_accident_is_told_from_an_error_raised_on_purpose():
    from eccles import NeuronGroup, mV

    with pytest.raises(Faults, match="ZeroDivisionError"):
        _judged(lambda: 1 / 0)
    with pytest.raises(Faults, match="KeyError"):
        _judged(lambda: {}["x"])
    _judged(lambda: NeuronGroup(-1, "v : 1"))
    _judged(lambda: NeuronGroup(3 * mV, "v : 1"))
    _judged(lambda: NeuronGroup(2, "v : 1")["x"])


def _judged(action: Any) -> None:
    try:
        action()
    except Exception as error:
        judge(error)
    else:
        pytest.fail("no error came out")


# -- the script --------------------------------------------------------------------------------------


def main() -> None:
    """Fuzz, or try hostile text, in this process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--current", type=Path)
    parser.add_argument("--hostile", action="store_true")
    chosen = parser.parse_args()
    faulthandler.enable()
    if chosen.hostile:
        hostile()
        return
    counted = {"examples": 0, "native": 0}

    @hypothesis.seed(chosen.seed)
    @hypothesis.settings(
        max_examples=chosen.examples, deadline=None, database=None,
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large), report_multiple_bugs=True,
    )  # fmt: skip
    @hypothesis.given(cases())
    def try_all(case: dict[str, Any]) -> None:
        if chosen.current is not None:
            chosen.current.write_text(json.dumps(case), encoding="utf-8")
        counted["examples"] += 1
        counted["native"] += attempt(case)

    try_all()
    print(json.dumps(counted))


if __name__ == "__main__":
    main()
