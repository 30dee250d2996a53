"""A network of 4000 neurons with current-based synapses that keeps itself active.

After Vogels & Abbott 2005 (J. Neurosci. 25:10786), as benchmark 2 of Brette et al. 2007 (J. Comput. Neurosci.
23:349): 3200 excitatory and 800 inhibitory leaky integrate-and-fire neurons, each pair connected with a
probability of 2 %. Nothing but the scattered start sets it off.

    python examples/cuba.py
"""

import numpy as np

from eccles import NeuronGroup, PopulationRateMonitor, SpikeMonitor, Synapses, ms, mV, run, seed

seed(1)

tau_m, tau_e, tau_i = 20 * ms, 5 * ms, 10 * ms
E_L, V_th, V_reset = -49 * mV, -50 * mV, -60 * mV  # the leak includes a constant drive

neurons = NeuronGroup(
    4000,
    """dv/dt = (g_e + g_i + E_L - v)/tau_m : volt (unless refractory)
       dg_e/dt = -g_e/tau_e : volt
       dg_i/dt = -g_i/tau_i : volt""",
    threshold="v > V_th",
    reset="v = V_reset",
    refractory=5 * ms,
)
neurons.v = "V_reset + rand()*(V_th - V_reset)"

w_e, w_i = 1.62 * mV, -9 * mV
excitation = Synapses(neurons[:3200], neurons, on_pre="g_e += w_e")
inhibition = Synapses(neurons[3200:], neurons, on_pre="g_i += w_i")
excitation.connect(p=0.02)
inhibition.connect(p=0.02)

spikes = SpikeMonitor(neurons)
rate = PopulationRateMonitor(neurons)

run(300 * ms)

mean_rate = spikes.num_spikes / len(neurons) / 0.3
print(f"{len(excitation) + len(inhibition)} synapses, {spikes.num_spikes} spikes")
print(f"mean rate {mean_rate:.1f} Hz; most active neuron {spikes.count.max()} spikes")
print("population rate every 50 ms (Hz):", *np.round(np.asarray(rate.rate).reshape(6, -1).mean(axis=1), 1))
