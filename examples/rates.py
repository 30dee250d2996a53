"""A sweep: the final weight of a synapse for every combination of 50 presynaptic and 50 postsynaptic rates.

The pair of neurons of `beats.py` in 2500 conditions: once with both neurons at phase 0 when it starts, and
once with random phases, in 20 trials of each. `sweep` calls `pair` a single time, with stand-ins for the
rates, and runs the program that comes of it in all conditions.

    python examples/rates.py [figure.png]
"""

import sys
import time

import numpy as np

from eccles import Hz, NeuronGroup, Synapses, ms, run, second, sweep

tau = 20 * ms  # of plasticity


def pair(pre, post, scatter=0):
    """Two neurons with a synapse between them; their phases at the start are between 0 and `scatter`."""
    neurons = NeuronGroup(
        2,
        """dx/dt = rate : 1
           rate : hertz (constant)""",
        threshold="x > 1",
        reset="x = 0",
    )
    neurons.rate[0] = pre
    neurons.rate[1] = post
    neurons.x = "scatter*rand()"

    S = Synapses(
        neurons[:1],
        neurons[1:],
        """w : 1
           dApre/dt = -Apre/tau : 1 (event-driven)
           dApost/dt = -Apost/tau : 1 (event-driven)""",
        on_pre="""Apre += 0.02
                  w = clip(w + Apost, 0, 1)""",
        on_post="""Apost -= 0.021
                   w = clip(w + Apre, 0, 1)""",
    )
    S.connect()
    S.w = 0.5
    run(2 * second)


rates = np.linspace(20, 250, 50) * Hz

began = time.perf_counter()
in_phase = sweep(pair, pre=rates, post=rates, record="S.w")
seconds = time.perf_counter() - began
print(f"{in_phase['S.w'].size} conditions in {seconds:.2f} s: final weights from", end=" ")
print(f"{in_phase['S.w'].min().item():.3f} to {in_phase['S.w'].max().item():.3f}")

began = time.perf_counter()
scattered = sweep(pair, pre=rates, post=rates, trial=range(20), scatter=1, seed=1, record="S.w")
seconds = time.perf_counter() - began
print(f"{scattered['S.w'].size} conditions with random phases in {seconds:.2f} s: their mean is", end=" ")
print(f"{scattered['S.w'].mean().item():.3f}")

if len(sys.argv) > 1:
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    in_phase.eccles.heatmap("S.w", ax=left)
    scattered.eccles.heatmap("S.w", ax=right)
    left.set_title("both start at phase 0")
    right.set_title("random phases, mean of 20 trials")
    figure.savefig(sys.argv[1], dpi=150)
