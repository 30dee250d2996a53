"""Many synaptic weights at once, in millivolts: leak potential -70 mV, threshold -55 mV.

The same model as `first_experiment_abstract.py` after a change of variables. With

    v_abstract = (v - E_L)/(V_th - E_L)

rest is 0 and the threshold is 1; the drive of 30 mV is twice the 15 mV from rest to threshold, and a weight
is a step of so many times these 15 mV. Which form to use is a matter of taste, but a model must not mix them.

    python examples/first_experiment_biophysical.py
"""

from eccles import NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms, mV, run

weights = [0.00082085, 0.00086726, 0.00091173, 0.00095847, 0.00100761]

tau = 10 * ms
E_L = -70 * mV  # leak potential, where the neuron rests
V_th = -55 * mV  # threshold
I_drive = 30 * mV  # input current times membrane resistance

source = NeuronGroup(
    1,
    "dv/dt = (E_L - v + I_drive)/tau : volt (unless refractory)",
    threshold="v > V_th",
    reset="v = E_L",
    refractory=2 * ms,
)
targets = NeuronGroup(len(weights), "dv/dt = (E_L - v)/tau : volt")
source.v = targets.v = E_L
synapses = Synapses(source, targets, "w : volt", on_pre="v_post += w", delay=2 * ms)
synapses.connect()
synapses.w = weights * (V_th - E_L)

spikes = SpikeMonitor(source)
# only to compare the two examples with each other: the final values need no monitor
source_trace = StateMonitor(source, "v", record=True)
target_traces = StateMonitor(targets, "v", record=True)

run(1000 * ms)

final_potentials = targets.v[:]
abstract = (final_potentials - E_L) / (V_th - E_L)

print(f"The source fired {spikes.num_spikes} times.")
print("  EPSP (uV)  final potential (mV)  the same in abstract units")
for weight, potential, number in zip(synapses.w[:], final_potentials, abstract, strict=True):
    print(f"{weight / mV * 1000:11.3f}  {potential / mV:20.6f}  {number:26.8f}")
