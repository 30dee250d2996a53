"""W6: the sparse balanced network of Brunel (2000) at g = 5, twice the threshold drive, 10^7 synapses.

E -> E synapses follow pair STDP with depression proportional to w and potentiation to wmax - w, so that
the weights stay near their start (0.1 mV) and the network keeps its rate of some 40 Hz.
"""

import numpy as np

from workloads import Built

STDP = """w : volt
          dApre/dt = -Apre / taustdp : 1 (event-driven)
          dApost/dt = -Apost / taustdp : 1 (event-driven)"""
ON_PRE = """v_post += w
            Apre += 1
            w = clip(w - lam * w * Apost, 0*mV, wmax)"""
ON_POST = """Apost += 1
             w = clip(w + lam * (wmax - w) * Apre, 0*mV, wmax)"""


def external_rate(n):
    """Rate in Hz of each of the 0.1 * 0.8 n external inputs: twice what holds v at threshold on average."""
    n_in = n * 8 // 100
    return 2 * 20.0 / (weight(n) * n_in * 20e-3)


def weight(n):
    """Excitatory weight in mV: 0.1 at full size; a smaller network needs larger ones for the same drive."""
    return 0.1 * 10_000 / n


def build(sim, *, n=10_000, plastic=True):
    mV, ms = sim.mV, sim.ms
    sim.seed(6)
    n_exc, J = n * 8 // 10, weight(n)
    neurons = sim.NeuronGroup(
        n,
        "dv/dt = -v / taum : volt (unless refractory)",
        threshold="v > theta",
        reset="v = vr",
        refractory=2 * ms,
        method="exact",
        namespace={"taum": 20 * ms, "theta": 20 * mV, "vr": 10 * mV},
    )
    neurons.v = np.random.default_rng(61).uniform(0, 20, n) * mV
    exc, inh = neurons[:n_exc], neurons[n_exc:]
    drive = sim.PoissonInput(neurons, "v", N=n * 8 // 100, rate=external_rate(n) * sim.Hz, weight=J * mV)
    constants = {"taustdp": 20 * ms, "lam": 0.01, "wmax": 2 * J * mV, "J": J * mV, "g": 5.0}
    if plastic:
        e_to_e = sim.Synapses(
            exc, exc, STDP, on_pre=ON_PRE, on_post=ON_POST, delay=1.5 * ms, namespace=constants
        )
    else:
        e_to_e = sim.Synapses(exc, exc, on_pre="v_post += J", delay=1.5 * ms, namespace=constants)
    e_to_i = sim.Synapses(exc, inh, on_pre="v_post += J", delay=1.5 * ms, namespace=constants)
    inhibition = sim.Synapses(inh, neurons, on_pre="v_post -= g * J", delay=1.5 * ms, namespace=constants)
    every = [e_to_e, e_to_i, inhibition]
    for synapses in every:
        synapses.connect(p=0.1)
    if plastic:
        e_to_e.w = J * mV
    spikes = sim.SpikeMonitor(neurons)
    network = sim.Network(neurons, drive, spikes, *every)

    def check():
        rate = spikes.num_spikes / n / float(network.t)
        if not plastic:
            return {"rate": rate}
        return {"rate": rate, "mean_w": float(np.mean(np.asarray(e_to_e.w[:]))) * 1e3}

    return Built(network, check, lambda: sum(len(synapses) for synapses in every))
