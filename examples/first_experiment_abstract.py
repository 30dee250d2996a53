"""Many synaptic weights at once, in abstract units: rest 0, threshold 1.

One neuron fires regularly. It has a synapse to five others, each with a weight of its own; every spike lifts
the potential of a target by the weight, and between spikes it decays back to rest. How high is each target
after one second?

A list of weights goes in and an array of potentials comes out of one run, without a loop: one neuron per
weight. The targets have no threshold, because they are meant to sum up what arrives and not to fire.
`first_experiment_biophysical.py` is the same model in millivolts.

    python examples/first_experiment_abstract.py
"""

from eccles import NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms, run

weights = [0.00082085, 0.00086726, 0.00091173, 0.00095847, 0.00100761]

tau = 10 * ms
drive = 2  # twice as far above rest as the threshold, so the neuron fires regularly

source = NeuronGroup(
    1, "dv/dt = (drive - v)/tau : 1 (unless refractory)", threshold="v > 1", reset="v = 0", refractory=2 * ms
)
targets = NeuronGroup(len(weights), "dv/dt = -v/tau : 1")
synapses = Synapses(source, targets, "w : 1", on_pre="v_post += w", delay=2 * ms)
synapses.connect()
synapses.w = weights

spikes = SpikeMonitor(source)
# only to compare the two examples with each other: the final values need no monitor
source_trace = StateMonitor(source, "v", record=True)
target_traces = StateMonitor(targets, "v", record=True)

run(1000 * ms)

final_potentials = targets.v[:]

print(f"The source fired {spikes.num_spikes} times.")
print("     weight  final potential (0: rest, 1: threshold)")
for weight, potential in zip(weights, final_potentials, strict=True):
    print(f"{weight:11.8f}  {potential:15.8f}")
