"""Beats and plasticity: pairs of neurons that fire at two rates, with STDP between them.

The experiment of the forum thread that Eccles starts from. Neurons whose phase grows at a chosen rate fire
at that rate; two of them with rates of 200 and 250 Hz drift past each other 50 times a second. Their synapse
changes by spike-timing-dependent plasticity but has no effect on the postsynaptic neuron, so the rates stay.
Three pairs are simulated at once.

All neurons start with phase 0, so both neurons of a pair often spike at once. Then the presynaptic spike
comes first; `synapses.pre.order = 2` lets the postsynaptic one come first, and the weights end elsewhere.

    python examples/beats.py [figure.png]

`eccles beats` and `eccles.lab.beats.beats` do the same for any rates.
"""

import sys

from eccles import Hz, NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms, run, second

n_pairs = 3
neurons = NeuronGroup(
    2 * n_pairs,
    """dphase/dt = rate : 1
       rate : hertz (constant)""",
    threshold="phase > 1",
    reset="phase = 0",
)
pre, post = neurons[:n_pairs], neurons[n_pairs:]
pre.rate = 200 * Hz
post.rate = [250, 220, 210] * Hz

# each spike leaves a trace that fades; a spike of the other side changes the weight by what is left of it
tau = 20 * ms
potentiation = 0.02
depression = -1.05 * potentiation
synapses = Synapses(
    pre,
    post,
    """w : 1
       dtrace_before/dt = -trace_before/tau : 1 (event-driven)
       dtrace_after/dt = -trace_after/tau : 1 (event-driven)""",
    on_pre="""trace_before += potentiation
              w = clip(w + trace_after, 0, 1)""",
    on_post="""trace_after += depression
               w = clip(w + trace_before, 0, 1)""",
)
synapses.connect(j="i")  # one to one
synapses.w = 0.5

pre_spikes, post_spikes = SpikeMonitor(pre), SpikeMonitor(post)
weights = StateMonitor(synapses, "w", record=True)

run(2 * second)


def obtained(monitor, k):
    """The rate of a neuron in Hz: intervals between its spikes over the time that they span."""
    t = monitor.spike_trains()[k] / second
    return (len(t) - 1) / (t[-1] - t[0])


print("  pre asked, obtained  post asked, obtained  final weight")
for k in range(n_pairs):
    print(
        f"{pre.rate[k] / Hz:8.1f} Hz {obtained(pre_spikes, k):6.1f} Hz"
        f"{post.rate[k] / Hz:10.1f} Hz {obtained(post_spikes, k):6.1f} Hz {synapses.w[k]:13.4f}"
    )
print("Spikes come at exact times, so neurons fire at the rates asked for.")
print("With NeuronGroup(..., spike_times='grid') 220 Hz would become 217.4 Hz, and that weight 0.")

if len(sys.argv) > 1:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(n_pairs, 2, sharex="col", layout="constrained", squeeze=False)
    for k, (left, right) in enumerate(axes):
        trains = [pre_spikes.spike_trains()[k] / ms, post_spikes.spike_trains()[k] / ms]
        left.eventplot(trains, colors=["C0", "C1"], lineoffsets=[1, 0], linelengths=0.8)
        left.set_yticks([1, 0], ["pre", "post"])
        left.set_xlim(0, 200)
        right.plot(weights.t / second, weights.w[k])
        right.set_ylim(0, 1)
        right.set_ylabel("weight")
    axes[-1, 0].set_xlabel("time (ms)")
    axes[-1, 1].set_xlabel("time (s)")
    figure.savefig(sys.argv[1])
