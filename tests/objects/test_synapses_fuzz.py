"""Random input to synapses: an error of the right kind, or a run that native code survives."""

from __future__ import annotations

import math
import warnings
from typing import Any

import hypothesis
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eccles import (
    EcclesError,
    Network,
    NeuronGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    ms,
    second,
)
from eccles.errors import EcclesWarning, InternalError

# what a user may see; InternalError is an EcclesError, but means a bug
EXPECTED = (EcclesError, TypeError, ValueError, IndexError, KeyError, NotImplementedError, SyntaxError)

NAMES = ["i", "j", "w", "g", "x_pre", "x_post", "v", "v_post", "N", "N_pre", "N_incoming", "t", "dt", "delay",
         "k", "q", "mV", "ms", "m", "lastupdate", "rand()", "i_post", "s"]  # fmt: skip
NUMBERS = ["0", "1", "-1", "0.5", "1e300", "2**31", "9**9", "1/0.0", "inf"]
atoms = st.sampled_from(NAMES + NUMBERS)
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "<", ">=", "and"]), inner)
        .map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(st.sampled_from(["exp", "int", "clip", "abs", "sqrt", "not "]), inner)
        .map(lambda parts: f"{parts[0]}({parts[1]})"),
    ),
    max_leaves=5,
)  # fmt: skip
sensible = st.lists(
    st.sampled_from(["i", "j", "w", "x_pre", "x_post", "v_post", "N_incoming", "m", "rand()", "0.5", "t/ms"]),
    min_size=1, max_size=3,
).map(" + ".join)  # fmt: skip
pairwise = st.sampled_from(["i", "j", "i + 1", "i - j", "i % 2", "N_pre - j", "0.5", "rand()", "3*x_pre"])
expressions = sensible | expressions
targets = st.sampled_from(["w", "g", "v_post", "x_pre", "x", "s", "i", "temporary", "q_post"])
statements = st.lists(
    st.tuples(targets, st.sampled_from(["=", "+=", "*="]), expressions).map(" ".join), min_size=1, max_size=3
).map("\n".join)
generators = st.one_of(
    expressions,
    st.tuples(expressions, expressions).map(lambda p: f"{p[0]} for k in range({p[1]})"),
    st.tuples(expressions, st.sampled_from(["p", "size"]), expressions)
    .map(lambda p: f"k for k in sample({p[0]}, {p[1]}={p[2]})"),
    st.text(alphabet="ijk for inrage(2)if", max_size=30),
)  # fmt: skip
numbers = st.one_of(st.integers(-3, 8), st.sampled_from([2**31, -(2**40), 10**9]), st.floats(), st.booleans())
indices = st.one_of(numbers, st.lists(st.integers(-2, 6), max_size=5), st.none(), generators)
connections = st.one_of(
    st.fixed_dictionaries({"condition": st.one_of(expressions, st.booleans(), st.none(), numbers)}),
    st.fixed_dictionaries({"i": indices, "j": indices}),
    st.fixed_dictionaries({"p": st.one_of(numbers, expressions), "n": st.one_of(numbers, expressions)}),
    st.fixed_dictionaries({"j": generators, "skip_if_invalid": st.booleans()}),
    st.fixed_dictionaries({"i": st.lists(st.integers(0, 3), max_size=6), "j": st.integers(0, 2)}),
    st.fixed_dictionaries({"condition": pairwise.map(lambda e: f"{e} > 0.4"), "p": pairwise, "n": pairwise}),
    st.fixed_dictionaries(
        {"j": pairwise.map(lambda e: f"k for k in range(int({e}))"), "skip_if_invalid": st.booleans()}
    ),
)
delays = st.one_of(
    st.floats(0, 2).map(lambda x: x * ms),
    st.floats().map(lambda x: x * second),
    st.lists(st.floats(0, 3), max_size=12).map(lambda x: np.array(x) * ms),
    expressions,
    st.just(3),
)
models = st.sampled_from([
    "w : 1\ng : siemens", "w : 1\ns : second (shared)\ndg/dt = -g/(3*ms) : 1 (event-driven)",
    "w : 1\ndg/dt = (w - g)/(2*ms) : 1 (clock-driven)", "w : 1\nx_post = w*x_pre : 1 (summed)",
    "w = rand() : 1 (constant over dt)\ng : 1", "w : integer\ng : boolean", "w : 1\ng = w*v_post : 1",
])  # fmt: skip
items = st.one_of(
    st.integers(-20, 20), st.tuples(st.integers(-2, 5), st.integers(-2, 5)), expressions,
    st.just(slice(None)),
    st.lists(st.integers(-15, 15), max_size=4), st.tuples(st.just(slice(1, 3)), st.integers(-9, 9)),
)  # fmt: skip

reached: list[bool] = []


def attempt(actions: list[Any]) -> bool:
    """Whether all actions were accepted."""
    try:
        for action in actions:
            action()
    except InternalError:
        raise
    except EXPECTED:
        return False
    return True


@given(data=st.data())
@hypothesis.settings(max_examples=120)
def test_random_synapses_end_in_an_error_or_run(data: st.DataObject) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EcclesWarning)
        reached.append(use(data))


def use(data: st.DataObject) -> bool:
    source = SpikeGeneratorGroup(4, [0, 1, 2, 3, 0], [0, 0.3, 0.3, 0.5, 1.1] * ms)
    target = NeuronGroup(3, "dv/dt = -v/ms : 1\nx : 1", threshold="v > 1", reset="v = 0", refractory=0.3 * ms)
    on_pre = data.draw(st.one_of(st.just("v_post += 0.6"), statements))
    on_post = data.draw(st.one_of(st.none(), st.just("w = clip(w - 0.1, 0, 1)"), statements))
    model, made = data.draw(models), data.draw(st.lists(connections, min_size=1, max_size=2))
    found: list[Synapses] = []

    def build() -> None:
        found.append(Synapses(source, target, model, on_pre, on_post=on_post, multisynaptic_index="m"))

    if not attempt([build]):
        return False
    synapses = found[0]
    accepted = [attempt([lambda a=a: synapses.connect(**a)]) for a in made]
    if not any(accepted):
        return False
    assert len(synapses) < 10**7
    delay, item = data.draw(delays), data.draw(items)
    attempt([lambda: setattr(synapses, "delay", delay)])
    attempt([lambda: synapses.w.__setitem__(item, data.draw(st.one_of(numbers, expressions)))])
    attempt([lambda: synapses.w[item]])
    monitors = [SpikeMonitor(target), StateMonitor(target, "v", record=True)]
    network = Network(source, target, synapses, monitors)
    if not attempt([lambda: network.run(1 * ms)]):
        return False
    attempt([lambda: setattr(synapses, "delay", data.draw(delays)), lambda: network.run(0.5 * ms)])
    assert synapses.target.v[:].shape == (3,)
    assert all(0 <= i < 4 for i in synapses.i[:].tolist())
    assert math.isclose(float(network.t / ms), 1) or float(network.t / ms) == 1.5
    return True


def test_a_fair_share_of_the_random_synapses_ran() -> None:
    if len(reached) < 50:  # run alone
        return
    print(f"{sum(reached)} of {len(reached)} random inputs reached native code")
    assert sum(reached) > 0.05 * len(reached)
