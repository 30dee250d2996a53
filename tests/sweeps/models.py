"""Models that tests of sweeps share: short ones of each kind that runs differently."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from eccles import (
    Hz,
    NeuronGroup,
    PoissonGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    ms,
    run,
)

TAU = 10 * ms


def pairs(pre, post):
    """Without a grid: each spike time is a formula."""
    neurons = NeuronGroup(2, "dx/dt = rate : 1\nrate : hertz (constant)", threshold="x > 1", reset="x = 0")
    neurons.rate[0] = pre
    neurons.rate[1] = post
    S = Synapses(
        neurons[:1], neurons[1:],
        "w : 1\ndApre/dt = -Apre/TAU : 1 (event-driven)\ndApost/dt = -Apost/TAU : 1 (event-driven)",
        on_pre="Apre += 0.02; w = clip(w + Apost, 0, 1)", on_post="Apost -= 0.021; w = clip(w + Apre, 0, 1)",
    )  # fmt: skip
    S.connect()
    S.w = 0.5
    run(200 * ms)


def conductances(g, d):
    """Exact times within steps; a delay that differs; monitors."""
    P = SpikeGeneratorGroup(2, [0, 1, 0, 1, 0], [1, 2, 5, 5.5, 9] * ms)
    G = NeuronGroup(
        2, "dv/dt = (E - v - c*(v - 3))/TAU : 1\ndc/dt = -c/(5*ms) : 1\nE : 1 (constant)",
        threshold="v > 1", reset="v = 0", refractory=1 * ms,
    )  # fmt: skip
    G.E = [0.9, 1.3]
    S = Synapses(P, G, on_pre="c += g", delay=d)
    S.connect()
    Q = Synapses(G, G, on_pre="v -= 0.05", delay=d + 0.5 * ms)
    Q.connect(j="1 - i")
    spikes = SpikeMonitor(G, variables="c")
    trace = StateMonitor(G, "v", record=True, every=4)
    run(25 * ms)


def noisy(sigma, tau_s):
    """On the grid, with noise and random initial values."""
    G = NeuronGroup(
        3, "dv/dt = (0.8 - v)/tau_s + sigma*sqrt(2/tau_s)*xi : 1", threshold="v > 1", reset="v = 0"
    )
    G.v = "rand()*sigma"
    spikes = SpikeMonitor(G)
    run(20 * ms)


def random_network(rate, w):
    """Poisson spikes and random connections, which differ by trial."""
    P = PoissonGroup(6, rates=rate)
    G = NeuronGroup(3, "dv/dt = -v/TAU : 1", threshold="v > 1", reset="v = 0")
    S = Synapses(P, G, on_pre="v += w")
    S.connect(p=0.5)
    inputs = SpikeMonitor(P)
    spikes = SpikeMonitor(G)
    run(60 * ms)


def several(n, kind, drive):
    """A structure for each size and text."""
    G = NeuronGroup(n, "dv/dt = (drive - v)/TAU : 1", threshold="v > 1", reset="v = 0", method=kind)
    G.v = "0.1*i"
    spikes = SpikeMonitor(G)
    trace = StateMonitor(G, "v", record=True)
    run(15 * ms)


def stimulated(times, size, r):
    """Spike trains of several lengths, a stimulus, a refractory period; only final values are recorded."""
    P = SpikeGeneratorGroup(1, np.zeros(len(times), int), times)
    I = TimedArray(size * np.array([0, 1, 2, 3.0]), dt=5 * ms)
    G = NeuronGroup(2, "dv/dt = (I(t) - v)/TAU : 1", threshold="v > 1", reset="v = 0", refractory=r)
    S = Synapses(P, G, on_pre="v += 0.2")
    S.connect()
    run(20 * ms)


@dataclass(frozen=True)
class Case:
    """A model with values for its parameters, and what is recorded (None: what its monitors do)."""

    model: Callable[..., Any]
    values: Mapping[str, Any]
    record: Any = None

    def some(self, choose: Callable[[int], list[int]]) -> tuple[dict[str, Any], dict[str, list[int]]]:
        """The values at `choose(n)` positions of each parameter that has n > 1, and these positions."""
        sizes = {
            name: len(given) if isinstance(given, list | range) else np.size(given)
            for name, given in self.values.items()
        }
        places = {name: choose(n) for name, n in sizes.items() if n > 1}
        return {n: [v[k] for k in places[n]] if n in places else v for n, v in self.values.items()}, places


CASES = {
    "pairs": Case(pairs, {"pre": [50, 77, 20.5, 140] * Hz, "post": np.linspace(20, 200, 7) * Hz}, "S.w"),
    "conductances": Case(conductances, {"g": [0.1, 0.25, 0.7, 1.3], "d": [0, 0.33, 2, 7.1] * ms}),
    "conductances, many at once": Case(
        conductances, {"g": np.linspace(0.1, 1.3, 9), "d": [0.33, 2] * ms}, ["G.v", "G.c", "G.count"]
    ),
    "noisy": Case(noisy, {"sigma": [0.1, 0.3, 0.2], "tau_s": [5, 9] * ms, "trial": [0, 4, 2]}),
    "noisy, many at once": Case(
        noisy, {"sigma": [0.1, 0.3, 0.2], "tau_s": 5 * ms, "trial": range(6)}, ["G.v", "G.count"]
    ),
    "random_network": Case(
        random_network, {"rate": [50, 120] * Hz, "w": [0.2, 0.5, 0.35], "trial": [0, 7, 3]}
    ),
    "several": Case(several, {"n": [1, 3], "kind": ["exact", "euler"], "drive": [0.5, 1.5, 2.5]}),
    "stimulated": Case(
        stimulated,
        {"times": [[1, 2] * ms, [3, 8, 9.25] * ms, [5] * ms], "size": [0.5, 1.0, 2.0], "r": [0.1, 1] * ms},
        "G.v",
    ),
}
