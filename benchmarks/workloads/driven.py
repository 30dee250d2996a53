"""LIF neurons with exponential currents, driven by given spike trains: what spike times should be is known.

Trains and delays are off any grid. Without recurrent synapses errors of spike times do not spread, so that
they measure the simulator and not the chaos of a network. With them the delays between neurons are 2 ms,
which every simulator's grid can express.
"""

from dataclasses import dataclass

import numpy as np

from workloads import Built

TAU_MEMBRANE_MS, TAU_CURRENT_MS = 10.0, 2.0
REST_MV, THRESHOLD_MV, RESET_MV = -70.0, -50.0, -60.0
REFRACTORY_MS = 2.0
RECURRENT_DELAY_MS = 2.0

MODEL = """dv/dt = (El + g - v) / taum : volt (unless refractory)
           dg/dt = -g / taug : volt"""


@dataclass(frozen=True)
class Drive:
    """What the neurons receive, and how they are coupled.

    Parameters
    ----------
    n
        Number of neurons.
    seconds
        Simulated time.
    train_index, train_times
        Source and time (ms, sorted) of each given spike; those of one source are at least 1.25 ms apart.
    delays
        From each source to all of its targets, in ms.
    source, target, weights
        Synapses from the sources; weights in mV.
    recurrent
        Source, target and weights of the synapses between the neurons.
    """

    n: int
    seconds: float
    train_index: np.ndarray
    train_times: np.ndarray
    delays: np.ndarray
    source: np.ndarray
    target: np.ndarray
    weights: np.ndarray
    recurrent: tuple[np.ndarray, np.ndarray, np.ndarray]


def trains(rng, n, rate_hz, seconds):
    """Irregular trains with a dead time, so that no grid has two spikes of a source in one step."""
    dead = 1.25
    mean = 1000 / rate_hz - dead
    n_drawn = int(seconds * rate_hz * 1.5) + 50
    times = np.cumsum(dead + rng.exponential(mean, (n, n_drawn)), axis=1)
    index = np.repeat(np.arange(n), n_drawn)
    order = np.argsort(times, axis=None, kind="stable")
    index, times = index[order], times.ravel()[order]
    inside = times < seconds * 1000
    return index[inside], times[inside]


def drive(n=1000, seconds=1.0, *, recurrent=False, seed=51):
    """Some 30 spikes per second and neuron, caused by 20 excitatory and 5 inhibitory trains each."""
    rng = np.random.default_rng(seed)
    n_exc, n_inh = 160, 40
    index, times = trains(rng, n_exc + n_inh, 20.0, seconds)
    sources = np.array(
        [
            np.concatenate(
                (rng.choice(n_exc, 20, replace=False), n_exc + rng.choice(n_inh, 5, replace=False))
            )
            for _ in range(n)
        ]
    )
    strength = rng.uniform(0.8, 1.2, sources.shape)
    weights = np.where(sources < n_exc, 25.0, -15.0) * strength
    between = (
        np.array([rng.choice(n, 10, replace=False) for _ in range(n)]) if recurrent else np.empty((n, 0), int)
    )
    return Drive(
        n=n,
        seconds=seconds,
        train_index=index,
        train_times=times,
        delays=rng.uniform(1.0, 3.0, n_exc + n_inh),
        source=sources.ravel(),
        target=np.repeat(np.arange(n), sources.shape[1]),
        weights=weights.ravel(),
        recurrent=(
            between.ravel(),
            np.repeat(np.arange(n), between.shape[1]),
            rng.uniform(-2.0, 2.0, between.size),
        ),
    )


def build(sim, *, given: Drive, spike_times: str):
    """Return the network and the monitor of its spikes."""
    mV, ms = sim.mV, sim.ms
    neurons = sim.NeuronGroup(
        given.n,
        MODEL,
        threshold="v > threshold",
        reset="v = v_reset",
        refractory=REFRACTORY_MS * ms,
        method="exact",
        namespace={
            "El": REST_MV * mV,
            "taum": TAU_MEMBRANE_MS * ms,
            "taug": TAU_CURRENT_MS * ms,
            "threshold": THRESHOLD_MV * mV,
            "v_reset": RESET_MV * mV,
        },
    )
    neurons.v = REST_MV * mV
    sources = sim.SpikeGeneratorGroup(len(given.delays), given.train_index, given.train_times * ms)
    inputs = sim.Synapses(sources, neurons, "w : volt (constant)", on_pre="g_post += w")
    inputs.connect(i=given.source, j=given.target)
    inputs.w = given.weights * mV
    inputs.delay = given.delays[given.source] * ms
    spikes = sim.SpikeMonitor(neurons)
    network = sim.Network(neurons, sources, inputs, spikes, spike_times=spike_times)
    pre, post, weights = given.recurrent
    if len(pre):
        between = sim.Synapses(
            neurons, neurons, "w : volt (constant)", on_pre="g_post += w", delay=RECURRENT_DELAY_MS * ms
        )
        between.connect(i=pre, j=post)
        between.w = weights * mV
        network.add(between)

    def check():
        return {"spikes": float(spikes.num_spikes)}

    return Built(network, check, lambda: len(given.source) + len(pre)), spikes
