"""W1: the forum reply's experiment. Three pairs at 200 Hz and 250, 220, 210 Hz; STDP without transmission."""

from workloads import Built

STDP = """w : 1
          dApre/dt = -Apre / taupre : 1 (event-driven)
          dApost/dt = -Apost / taupost : 1 (event-driven)"""
ON_PRE = """Apre += dApre
            w = clip(w + Apost, 0, gmax)"""
ON_POST = """Apost += dApost
             w = clip(w + Apre, 0, gmax)"""


def stdp_constants(sim):
    """Potentiation 0.02 and depression 0.021 per pair, 20 ms each, as posted."""
    return {"taupre": 20 * sim.ms, "taupost": 20 * sim.ms, "gmax": 1.0, "dApre": 0.02, "dApost": -0.021}


def build(sim, *, monitors=True):
    """Return the network; with `monitors`, spikes of both sides and the weights in each step are recorded."""
    neurons = sim.NeuronGroup(
        6,
        """dx/dt = rate : 1
           rate : 1/second (constant)""",
        threshold="x>1",
        reset="x=0",
        method="euler",
    )
    pre, post = neurons[:3], neurons[3:]
    pre.rate = 200 * sim.Hz
    post.rate = [250, 220, 210] * sim.Hz
    synapses = sim.Synapses(pre, post, STDP, on_pre=ON_PRE, on_post=ON_POST, namespace=stdp_constants(sim))
    synapses.connect(j="i")
    synapses.w = 0.5
    network = sim.Network(neurons, synapses)
    recorders = []
    if monitors:
        recorders = [sim.SpikeMonitor(pre), sim.SpikeMonitor(post)]
        network.add(*recorders, sim.StateMonitor(synapses, "w", record=[0, 1, 2]))

    def check():
        weights = {f"w{k}": float(synapses.w[k]) for k in range(3)}
        spikes = {"spikes": float(sum(recorder.num_spikes for recorder in recorders))}
        return spikes | weights if monitors else weights

    return Built(network, check, lambda: 3)
