"""What changes no exact spike time: splitting a run, another order or grouping of neurons, the time step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from reference import DeltaNetwork
from simulate import network

from eccles import NeuronGroup, SpikeMonitor, Synapses, second, start_scope

DURATION = 0.04
ROUNDING = 1e-13  # seconds

EQUATIONS = {
    "delta": "dv/dt = (mu - v)/tau : 1 (unless refractory)",
    "exponential": """dv/dt = (mu - v + I)/tau : 1 (unless refractory)
                      dI/dt = -I/(3*ms) : 1""",
    "quadratic": "dv/dt = (mu + 0.3*v**2 - v)/tau : 1 (unless refractory)",
}
PARAMETERS = """
mu : 1
tau : second
rest : second"""
PLASTIC = """w : 1
dx/dt = -x/(8*ms) : 1 (event-driven)
dy/dt = -y/(11*ms) : 1 (event-driven)"""


@dataclass(frozen=True)
class Recipe:
    """A network of a few neurons, as numbers: neurons in rows, synapses in rows; times in seconds."""

    kind: str
    in_steps: bool  # or without a time grid where there is a closed form
    neurons: np.ndarray  # v at the start, mu, tau, refractory period
    synapses: np.ndarray  # source, target, weight, delay


@dataclass(frozen=True)
class Result:
    """Spikes of each neuron, potentials at the end, weights of synapses by their place in the recipe."""

    spikes: list[np.ndarray]
    v: np.ndarray
    w: np.ndarray


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Numbers come from a generator that is drawn: those that hypothesis likes would stand on edges."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(2, 7))
    kind = draw(st.sampled_from(sorted(EQUATIONS)))
    rest = draw(st.sampled_from([0.0, 0.0012345, 0.002]))
    neurons = np.column_stack([
        rng.uniform(-0.5, 0.9, n), rng.uniform(0.9, 3.0, n), rng.uniform(0.004, 0.02, n), np.full(n, rest),
    ])  # fmt: skip
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    chosen = draw(st.lists(st.sampled_from(pairs), min_size=2, max_size=10, unique=True))
    delays = draw(st.lists(st.sampled_from(["none", "on grid", "off grid"]), min_size=10, max_size=10))
    rows = []
    for (i, j), delay in zip(chosen, delays, strict=False):
        d = {"none": 0.0, "on grid": 0.001, "off grid": rng.uniform(0, 0.007)}[delay]
        # without refractoriness weights are small: nothing sets off itself for ever
        w = rng.uniform(-0.5, 0.5) * (1 if rest else 0.3)
        rows.append((i, j, w * (4 if kind == "exponential" else 1), d))
    return Recipe(kind, draw(st.booleans()), neurons, np.array(rows).reshape(-1, 4))


def simulate(
    recipe: Recipe, dt: float = 1e-4, parts: tuple[float, ...] = (), borders: tuple[int, ...] = ()
) -> Result:
    """Run it: ends of all but the last part of the run in seconds; where the group is divided."""
    start_scope()
    n = len(recipe.neurons)
    edges = [0, *sorted(borders), n]
    groups, monitors = [], []
    for k, (a, b) in enumerate(pairwise(edges)):
        group = NeuronGroup(
            b - a, EQUATIONS[recipe.kind] + PARAMETERS, threshold="v > 1", reset="v = -0.1*mu",
            refractory="rest", name=f"group_{k}",
        )  # fmt: skip
        v, mu, tau, rest = recipe.neurons[a:b].T
        group.v, group.mu, group.tau, group.rest = v, mu, tau * second, rest * second
        groups.append(group)
        monitors.append(SpikeMonitor(group))
    variable = "I" if recipe.kind == "exponential" else "v"
    owners = np.searchsorted(edges, np.arange(n), side="right") - 1
    made: list[tuple[np.ndarray, Synapses]] = []
    for p, source in enumerate(groups):
        for q, target in enumerate(groups):
            i, j = recipe.synapses[:, 0].astype(int), recipe.synapses[:, 1].astype(int)
            here = np.flatnonzero((owners[i] == p) & (owners[j] == q))
            if len(here) == 0:
                continue
            synapses = Synapses(
                source, target, PLASTIC,
                on_pre=f"{variable}_post += w; x += 1; w = clip(w - 0.02*y, -3, 3)",
                on_post="y += 1; w = clip(w + 0.021*x, -3, 3)",
            )  # fmt: skip
            synapses.connect(i=i[here] - edges[p], j=j[here] - edges[q])
            synapses.w = recipe.synapses[here, 2]
            synapses.pre.delay = recipe.synapses[here, 3] * second
            made.append((here, synapses))
    objects: list[Any] = [*groups, *monitors, *(s for _, s in made)]
    net = network(*objects, dt=dt, bystander=recipe.in_steps)
    for a, b in pairwise([0.0, *parts, DURATION]):
        net.run((b - a) * second)
    weights = np.full(len(recipe.synapses), np.nan)
    for here, synapses in made:
        weights[here] = np.asarray(synapses.w)
    spikes = [np.asarray(t) for monitor in monitors for _, t in sorted(monitor.spike_trains().items())]
    return Result(spikes, np.concatenate([np.asarray(g.v) for g in groups]), weights)


def assert_same(one: Result, other: Result) -> None:
    assert [len(t) for t in one.spikes] == [len(t) for t in other.spikes]
    for a, b in zip(one.spikes, other.spikes, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(one.v, other.v, rtol=0, atol=1e-10)
    np.testing.assert_allclose(one.w, other.w, rtol=0, atol=1e-10)


PARTS = st.lists(st.integers(1, 399), min_size=1, max_size=3, unique=True)
SEEDS = st.integers(0, 2**32 - 1)
DELTA = recipes().filter(lambda recipe: recipe.kind == "delta")
LINEAR = recipes().filter(lambda recipe: recipe.kind != "quadratic")
STEPS = st.sampled_from([1e-4, 2.5e-4, 1e-3, 4e-3])


def check_reference(recipe: Recipe, dt: float) -> None:
    v, mu, tau, rest = recipe.neurons.T
    source, target, w, delay = recipe.synapses.T
    expected = DeltaNetwork(
        list(v), list(mu), list(tau), list(rest), list(-0.1 * mu),
        list(source.astype(int)), list(target.astype(int)), list(w), list(delay),
    )  # fmt: skip
    expected.run(DURATION)
    spikes = [np.array(t) for t in expected.spikes]
    assert_same(simulate(recipe, dt=dt), Result(spikes, np.array(expected.v), np.array(expected.w)))


def check_splitting(recipe: Recipe, at: list[int]) -> None:
    parts = tuple(k * 1e-4 for k in sorted(at))
    assert_same(simulate(recipe, parts=parts), simulate(recipe))


def check_order(recipe: Recipe, seed: int) -> None:
    n = len(recipe.neurons)
    order = np.random.default_rng(seed).permutation(n)  # where each neuron goes
    neurons = np.empty_like(recipe.neurons)
    neurons[order] = recipe.neurons
    synapses = recipe.synapses.copy()
    synapses[:, :2] = order[synapses[:, :2].astype(int)]
    moved = simulate(replace(recipe, neurons=neurons, synapses=synapses))
    back = Result([moved.spikes[k] for k in order], moved.v[order], moved.w)
    assert_same(back, simulate(recipe))


def check_step(recipe: Recipe, dt: float) -> None:
    assert_same(simulate(recipe, dt=dt), simulate(recipe, dt=dt / 2))


def check_groups(recipe: Recipe, seed: int) -> None:
    n = len(recipe.neurons)
    borders = np.random.default_rng(seed).choice(np.arange(1, n), min(2, n - 1), replace=False)
    assert_same(simulate(recipe, borders=tuple(borders)), simulate(recipe))


@given(recipe=DELTA, dt=STEPS)
@settings(max_examples=8)
def test_spikes_and_weights_are_those_of_an_event_by_event_reference(recipe, dt) -> None:
    check_reference(recipe, dt)


@given(recipe=recipes(), at=PARTS)
@settings(max_examples=5)
def test_splitting_a_run_changes_no_spike(recipe, at) -> None:
    check_splitting(recipe, at)


@given(recipe=recipes(), seed=SEEDS)
@settings(max_examples=5)
def test_numbering_neurons_in_another_order_changes_no_spike(recipe, seed) -> None:
    check_order(recipe, seed)


@given(recipe=LINEAR, dt=STEPS)
@settings(max_examples=5)
def test_halving_the_time_step_changes_no_spike_of_linear_neurons(recipe, dt) -> None:
    check_step(recipe, dt)


@given(recipe=recipes(), seed=SEEDS)
@settings(max_examples=3)
def test_dividing_a_group_changes_no_spike(recipe, seed) -> None:
    check_groups(recipe, seed)


@pytest.mark.slow
@given(recipe=DELTA, dt=STEPS)
@settings(max_examples=300, phases=[Phase.generate])
def test_many_networks_do_what_an_event_by_event_reference_does(recipe, dt) -> None:
    check_reference(recipe, dt)


@pytest.mark.slow
@given(recipe=recipes(), linear=LINEAR, at=PARTS, seed=SEEDS, dt=STEPS)
@settings(max_examples=100, phases=[Phase.generate])  # shrinking would take minutes
def test_in_many_networks_none_of_these_changes_a_spike(recipe, linear, at, seed, dt) -> None:
    check_splitting(recipe, at)
    check_order(recipe, seed)
    check_step(linear, dt)
    check_groups(recipe, seed)
