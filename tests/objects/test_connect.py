"""Which synapses `connect` makes, against the same rule written as Python loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eccles import NeuronGroup, SetupError, Synapses, seed
from eccles.errors import ModelError
from eccles.objects import connect as connect_module
from eccles.objects.connect import geometric_positions
from eccles.objects.connections import Connections

N_PRE, N_POST = 7, 5


def groups() -> tuple[NeuronGroup, NeuronGroup]:
    pre = NeuronGroup(N_PRE, "x : 1\ndistance : meter")
    post = NeuronGroup(N_POST, "z : 1")
    pre.x = "i**2"
    post.z = "3*i"
    return pre, post


def connected(**arguments: Any) -> Synapses:
    pre, post = groups()
    synapses = Synapses(pre, post, "w : 1", multisynaptic_index="number")
    synapses.connect(**arguments)
    return synapses


def pairs(synapses: Synapses) -> list[tuple[int, int]]:
    return list(zip(synapses.i[:].tolist(), synapses.j[:].tolist(), strict=True))


ALL = [(i, j) for i in range(N_PRE) for j in range(N_POST)]
RULES: dict[str, tuple[dict[str, Any], list[tuple[int, int]]]] = {
    "all": ({}, ALL),
    "true": ({"condition": True}, ALL),
    "false": ({"condition": False}, []),
    "condition": ({"condition": "i != j and x_pre + z_post < 12"},
                  [(i, j) for i, j in ALL if i != j and i**2 + 3 * j < 12]),
    "condition with number": ({"condition": "i > j", "n": "i - j"},
                              [(i, j) for i, j in ALL if i > j for _ in range(i - j)]),
    "condition never true": ({"condition": "i > 100"}, []),
    "equal indices and more": ({"condition": "x_pre > 3 and j == i"}, [(i, i) for i in range(2, N_POST)]),
    "equal indices or more": ({"condition": "i == 0 or i == j"},
                              [(i, j) for i, j in ALL if i == 0 or i == j]),
    "number": ({"condition": "i == j", "n": 3}, [(i, i) for i in range(5) for _ in range(3)]),
    "arrays": ({"i": [3, 1, 2, 1], "j": [0, 4, 4, 4]}, [(3, 0), (1, 4), (2, 4), (1, 4)]),
    "array and number": ({"i": np.array([3, 1]), "j": 2}, [(3, 2), (1, 2)]),
    "number and number": ({"i": 6, "j": 4}, [(6, 4)]),
    "arrays with numbers": ({"i": [3, 1], "j": [0, 4], "n": [2, 0]}, [(3, 0), (3, 0)]),
    "no pairs": ({"i": [], "j": []}, []),
    "arrays, invalid skipped": ({"i": [3, 9, -1, 2], "j": [0, 1, 1, 8], "skip_if_invalid": True}, [(3, 0)]),
    "one": ({"j": "i % N_post"}, [(i, i % N_POST) for i in range(N_PRE)]),
    "one with variable": ({"j": "int(x_pre) % N_post"}, [(i, i**2 % N_POST) for i in range(N_PRE)]),
    "one if": ({"j": "i if i < N_post and i % 2 == 0"}, [(0, 0), (2, 2), (4, 4)]),
    "skip": ({"j": "i", "skip_if_invalid": True}, [(i, i) for i in range(N_POST)]),
    "range": ({"j": "k for k in range(i % 3)"}, [(i, k) for i in range(N_PRE) for k in range(i % 3)]),
    "range with start": ({"j": "k for k in range(i - 2, i + 3) if k != i", "skip_if_invalid": True},
                         [(i, k) for i in range(N_PRE) for k in range(i - 2, i + 3)
                          if k != i and 0 <= k < N_POST]),
    "range downwards": ({"j": "k for k in range(4, i - 2, -2) if k >= 0"},
                        [(i, k) for i in range(N_PRE) for k in range(4, i - 2, -2) if k >= 0]),
    "expression of the variable": ({"j": "(i + 2*k) % N_post for k in range(2)"},
                                   [(i, (i + 2 * k) % N_POST) for i in range(N_PRE) for k in range(2)]),
    "condition on the target": ({"j": "k for k in range(i - 1, i + 2) if j != 2", "skip_if_invalid": True},
                                [(i, k) for i in range(N_PRE) for k in range(i - 1, i + 2)
                                 if k != 2 and 0 <= k < N_POST]),
    "condition on a variable": ({"j": "k for k in range(N_post) if z_post > x_pre"},
                                [(i, k) for i in range(N_PRE) for k in range(N_POST) if 3 * k > i**2]),
    "over targets": ({"i": "k for k in range(j, j + 2)"},
                     [(k, j) for j in range(N_POST) for k in (j, j + 1)]),
    "over targets, one": ({"i": "j + 1"}, [(j + 1, j) for j in range(N_POST)]),
    "generator with number": ({"j": "k for k in range(2)", "n": "i % 2 + 1"},
                              [(i, k) for i in range(N_PRE) for k in range(2) for _ in range(i % 2 + 1)]),
    "sample of all": ({"j": "k for k in sample(N_post, p=1)"}, ALL),
    "sample of none": ({"j": "k for k in sample(N_post, p=0)"}, []),
    "sample of every": ({"j": "k for k in sample(1, N_post, 2, size=2)"},
                        [(i, k) for i in range(N_PRE) for k in (1, 3)]),
    "sample too large": ({"j": "k for k in sample(2, size=i)", "skip_if_invalid": True},
                         [(i, k) for i in range(N_PRE) for k in range(min(i, 2))][:1]
                         + [(i, k) for i in range(2, N_PRE) for k in range(2)]),
    "p is one": ({"p": 1}, ALL),
    "p is zero": ({"p": 0}, []),
    "p as text": ({"p": "int(i == j)"}, [(i, i) for i in range(N_POST)]),
    "arrays with p as text": ({"i": [1, 2, 3], "j": [1, 1, 3], "p": "int(i == j)"}, [(1, 1), (3, 3)]),
}  # fmt: skip


@pytest.mark.parametrize("name", [n for n in RULES if n != "sample too large"])
def test_connect_makes_the_synapses_of_the_rule_in_order(name: str) -> None:
    arguments, expected = RULES[name]
    assert pairs(connected(**arguments)) == expected


def test_sample_larger_than_its_range_takes_the_whole_range_if_invalid_ones_are_skipped() -> None:
    made = pairs(connected(j="k for k in sample(2, size=i)", skip_if_invalid=True))
    assert [i for i, _ in made] == [1] + [i for i in range(2, N_PRE) for _ in range(2)]
    assert [k for i, k in made if i >= 2] == [0, 1] * (N_PRE - 2)


@pytest.mark.parametrize("name", ["condition with number", "range with start", "condition on the target",
                                  "sample of every", "over targets", "number"])  # fmt: skip
def test_chunks_change_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect_module, "CHUNK", 3)
    arguments, expected = RULES[name]
    assert pairs(connected(**arguments)) == expected


def test_repeated_connect_appends_and_numbers_synapses_of_a_pair() -> None:
    synapses = connected(i=[4, 0], j=[1, 1])
    synapses.w = "10*i + j"
    synapses.connect(condition="i == j", n=2)
    synapses.connect(i=4, j=1)
    assert pairs(synapses) == [(4, 1), (0, 1), *[(k, k) for k in range(5) for _ in range(2)], (4, 1)]
    assert synapses.number[:].tolist() == [0, 0, *[0, 1] * 5, 1]
    assert synapses.w[:].tolist() == [41, 1, *[0] * 11]


@pytest.mark.parametrize("name", list(RULES))
def test_counts_of_incoming_and_outgoing_synapses(name: str) -> None:
    synapses = connected(**RULES[name][0])
    i, j = synapses.i[:], synapses.j[:]
    incoming, outgoing = np.bincount(j, minlength=N_POST), np.bincount(i, minlength=N_PRE)
    np.testing.assert_array_equal(synapses.N_incoming_post, incoming)
    np.testing.assert_array_equal(synapses.N_outgoing_pre, outgoing)
    np.testing.assert_array_equal(synapses.N_incoming[:], incoming[j])
    np.testing.assert_array_equal(synapses.N_outgoing[:], outgoing[i])


# -- probabilities ------------------------------------------------------------------------------


def binomial_bounds(n: int, p: float) -> tuple[float, float]:
    """Five standard deviations: one in two million for a right sampler."""
    spread = 5 * np.sqrt(n * p * (1 - p))
    return n * p - spread, n * p + spread


@pytest.mark.parametrize("p", [0.001, 0.02, 0.25, 0.6, 0.99])
@pytest.mark.parametrize("form", ["number", "text", "sample", "condition", "generator"])
def test_probability_is_met_for_each_source_and_target(p: float, form: str) -> None:
    n = 400
    group = NeuronGroup(n, "x : 1")
    synapses = Synapses(group, group)
    match form:
        case "number":
            synapses.connect(p=p)
        case "text":
            synapses.connect(p=f"{p} + 0*i")
        case "sample":
            synapses.connect(j=f"k for k in sample(N_post, p={p})")
        case "condition":
            synapses.connect(condition="i >= 0", p=p)
        case "generator":
            synapses.connect(j="k for k in range(N_post)", p=p)
    low, high = binomial_bounds(n * n, p)
    assert low <= len(synapses) <= high
    i, j = synapses.i[:].astype(int), synapses.j[:].astype(int)
    assert len(np.unique(i * n + j)) == len(i)  # no pair twice
    assert np.all(np.diff(i * n + j) > 0)  # row by row
    for index in (i, j):  # uniform over sources and over targets: chi-squared over 20 bins
        counts = np.bincount(index // 20, minlength=20)
        expected = len(index) / 20
        if expected > 20:
            assert ((counts - expected) ** 2 / (expected * (1 - p))).sum() < 60


def test_one_to_one_connections_of_many_neurons_look_at_no_other_pairs() -> None:
    group = NeuronGroup(10**6, "x : 1")
    synapses = Synapses(group, group)
    synapses.connect(condition="i == j", p=0.2)
    low, high = binomial_bounds(10**6, 0.2)
    assert low <= len(synapses) <= high
    np.testing.assert_array_equal(synapses.i[:], synapses.j[:])


def test_probability_per_row_of_a_sample() -> None:
    group = NeuronGroup(1000, "x : 1")
    synapses = Synapses(group, group)
    synapses.connect(j="k for k in sample(N_post, p=i/1000.0)")
    counts = synapses.N_outgoing_pre
    p = np.arange(1000) / 1000
    assert np.all(np.abs(counts - 1000 * p) <= 6 * np.sqrt(1000 * p * (1 - p)))


@pytest.mark.parametrize("size", [1, 5, 30, 99, 100])
def test_samples_of_fixed_size_have_different_elements_and_favour_none(size: int) -> None:
    group = NeuronGroup(500, "x : 1")
    target = NeuronGroup(100, "x : 1")
    synapses = Synapses(group, target)
    synapses.connect(j=f"k for k in sample(N_post, size={size})")
    j = synapses.j[:].reshape(500, size)
    assert np.all(np.diff(j, axis=1) > 0)
    counts = np.bincount(j.ravel(), minlength=100)
    p = size / 100
    assert np.all(np.abs(counts - 500 * p) <= 6 * np.sqrt(500 * p * (1 - p)))


def test_random_connections_depend_on_seed_name_and_call_only() -> None:
    def make() -> list[list[tuple[int, int]]]:
        pre, post = groups()
        first, second = Synapses(pre, post, name="first*"), Synapses(pre, post, name="second*")
        first.connect(p=0.5)
        second.connect(p=0.5)
        more = Synapses(pre, post, name="more*")
        more.connect(p=0.5)
        more.connect(p=0.5)
        once = len([1 for i in np.diff(more.i[:]) if i < 0])
        assert once == 1
        return [pairs(first), pairs(second), pairs(more)]

    from eccles import start_scope

    seed(3)
    one = make()
    start_scope()
    seed(3)
    two = make()
    start_scope()
    seed(4)
    other = make()
    assert one == two
    assert one[0] != one[1]
    assert one[0] != other[0]


@given(n=st.integers(0, 3000), p=st.floats(0, 1), key=st.integers(0, 2**62))
def test_positions_ascend_and_stay_in_range(n: int, p: float, key: int) -> None:
    chunks = list(geometric_positions(n, p, key))
    found = np.concatenate(chunks) if chunks else np.zeros(0)
    assert np.all(np.diff(found) > 0)
    assert np.all((found >= 0) & (found < n))
    if p == 1:
        assert len(found) == n


# -- what is refused ----------------------------------------------------------------------------

REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "condition and indices": ({"condition": "i == j", "i": [1]}, SetupError, "either a condition or indices"),
    "i alone": ({"i": [1, 2]}, SetupError, "needs both i and j"),
    "two expressions": ({"i": "j", "j": "i"}, SetupError, "only one of i and j"),
    "expression and array": ({"i": [0], "j": "i"}, SetupError, "leave it out"),
    "array as condition": ({"condition": np.array([1, 2])}, TypeError, "i=..., j=..."),
    "index too large": ({"i": [0, 7], "j": [0, 1]}, IndexError, "i has to lie in 0 to 6, but 7"),
    "negative index": ({"i": [0, 1], "j": [-1, 1]}, IndexError, "j has to lie in 0 to 4, but -1"),
    "huge index": ({"i": [2**40], "j": [0]}, IndexError, "i has to lie in 0 to 6"),
    "float index": ({"i": [0.5], "j": [0]}, TypeError, "have to be integers"),
    "truth values": ({"i": [True, False], "j": 0}, TypeError, "have to be integers"),
    "lengths differ": ({"i": [0, 1, 2], "j": [0, 1]}, SetupError, "same length"),
    "two dimensions": ({"i": [[0, 1]], "j": [[0, 1]]}, SetupError, "one-dimensional"),
    "numbers do not fit": ({"i": [0, 1], "j": [0, 1], "n": [1, 2, 3]}, SetupError, "one per pair"),
    "number is float": ({"n": 1.5}, TypeError, "integer"),
    "number is negative": ({"n": -1}, SetupError, "negative"),
    "number is text with arrays": ({"i": [0], "j": [0], "n": "2"}, SetupError, "text for n"),
    "number gives fractions": ({"n": "1.5"}, SetupError, "gives 1.5"),
    "p above one": ({"p": 1.5}, SetupError, "between 0 and 1"),
    "p below zero": ({"p": -0.1}, SetupError, "between 0 and 1"),
    "p not a number": ({"p": float("nan")}, SetupError, "between 0 and 1"),
    "p is a list": ({"p": [0.1]}, TypeError, "number or text"),
    "p gives NaN": ({"p": "sqrt(-1.0 - i)"}, SetupError, "NaN"),
    "p with a unit": ({"p": "distance_pre"}, ModelError, "unit"),
    "condition is a number": ({"condition": "i"}, ModelError, "condition"),
    "unknown name": ({"condition": "i == q"}, ModelError, "'q'"),
    "synaptic variable": ({"condition": "w > 0"}, ModelError, "'w'"),
    "number of synapses": ({"condition": "N_incoming > 0"}, ModelError, "N_incoming"),
    "units differ": ({"condition": "distance_pre > 3"}, ModelError, "compare"),
    "out of range": ({"j": "i + 1"}, IndexError, "j has to lie in 0 to 4, but the expression gives 5"),
    "out of range below": ({"j": "k for k in range(i - 2, i)"}, IndexError, "gives -2"),
    "index fractional": ({"j": "i*0.5"}, SetupError, "has to give integers, but gives 0.5"),
    "index not finite": ({"j": "i/0.0"}, SetupError, "has to give integers"),
    "index from itself": ({"j": "j + 1"}, ModelError, "not known yet"),
    "bound from the target": ({"j": "k for k in range(int(z_post))"}, ModelError, "not known yet"),
    "bound with a unit": ({"j": "k for k in range(distance_pre)"}, ModelError, "unit"),
    "step zero": ({"j": "k for k in range(0, 3, 0)"}, SetupError, "step"),
    "endless range": ({"j": "k for k in range(10**12)"}, SetupError, "too many"),
    "variable is called i": ({"j": "i for i in range(3)"}, SetupError, "cannot be called 'i'"),
    "sample too large": ({"j": "k for k in sample(3, size=5)"}, IndexError, "cannot sample 5 out of 3"),
    "sample negative": ({"j": "k for k in sample(3, size=-1)"}, IndexError, "cannot sample -1"),
    "sample of what": ({"j": "k for k in sample(3)"}, SyntaxError, "p=... or size=..."),
    "sample twice": ({"j": "k for k in sample(3, p=0.1, size=1)"}, SyntaxError, "p=... or size=..."),
    "unknown iterator": ({"j": "k for k in list(3)"}, SyntaxError, "range(...) or sample(...)"),
    "incomplete": ({"j": "k for in range(3)"}, SyntaxError, "not complete"),
    "no bound": ({"j": "k for k in range()"}, SyntaxError, "one to three bounds"),
    "four bounds": ({"j": "k for k in range(1, 2, 3, 4)"}, SyntaxError, "one to three bounds"),
    "bad condition": ({"j": "k for k in range(2) if"}, SyntaxError, "condition"),
    "assignment": ({"condition": "i = j"}, SyntaxError, ""),
    "too many synapses": ({"n": 10**9}, SetupError, "at most"),
    "too many by text": ({"n": "10**9"}, SetupError, "at most"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(REFUSED))
def test_connect_refuses(name: str) -> None:
    arguments, error, text = REFUSED[name]
    with pytest.raises(error) as caught:
        connected(**arguments)
    assert text in str(caught.value)


@pytest.mark.parametrize("sorted_before", [True, False])
def test_a_refused_call_leaves_the_synapses_as_they_were(
    sorted_before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect_module, "CHUNK", 2)  # some chunks are made before the error
    synapses = connected(i=[1, 3] if sorted_before else [3, 1], j=[1, 2])
    synapses.w = [1, 2]
    before = pairs(synapses)
    with pytest.raises(IndexError):
        synapses.connect(j="i")
    assert pairs(synapses) == before
    assert synapses.N_outgoing_pre.tolist() == [0, 1, 0, 1, 0, 0, 0]
    assert synapses.w[:].tolist() == [1, 2]


def test_names_come_from_the_namespace_given_to_connect() -> None:
    limit = 1
    synapses = connected(condition="i < limit", namespace={"limit": 3})
    assert pairs(synapses) == [(i, j) for i in range(3) for j in range(N_POST)]
    assert limit == 1


def test_parts_of_groups_are_counted_from_their_own_first_element() -> None:
    pre, post = groups()
    synapses = Synapses(pre[2:5], post[1:3])
    synapses.connect(condition="x_pre > 4 and z_post > 3")
    assert pairs(synapses) == [(1, 1), (2, 1)]


@pytest.mark.parametrize("step", ["finish", "_resize"])
def test_a_connect_that_is_interrupted_at_its_end_leaves_no_synapse_without_state(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    synapses = connected(i=[3, 1, 1], j=[0, 4, 4])
    calls: list[None] = []
    owner: Any = Connections if step == "finish" else Synapses
    method = getattr(owner, step)

    def interrupted(self: Any) -> None:
        calls.append(None)
        if len(calls) == 1:
            raise KeyboardInterrupt
        method(self)

    monkeypatch.setattr(owner, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        synapses.connect(i=[0] * 1000, j=[2] * 1000)
    assert len(synapses) == len(synapses.variable("w").array) == 3
    assert synapses.i[:].tolist() == [3, 1, 1]
