"""The forum reply's experiment in the clean face, without plotting: the script that `startup.py` times."""

from eccles import Hz, NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms, run, second

neurons = NeuronGroup(
    6,
    """dx/dt = rate : 1
       rate : 1/second (constant)""",
    threshold="x>1",
    reset="x=0",
    method="euler",
)
pre, post = neurons[:3], neurons[3:]
pre.rate = 200 * Hz
post.rate = [250, 220, 210] * Hz

taupre = taupost = 20 * ms
gmax = 1
dApre = 0.02
dApost = -dApre * taupre / taupost * 1.05
synapses = Synapses(
    pre,
    post,
    """w : 1
       dApre/dt = -Apre / taupre : 1 (event-driven)
       dApost/dt = -Apost / taupost : 1 (event-driven)""",
    on_pre="""Apre += dApre
              w = clip(w + Apost, 0, gmax)""",
    on_post="""Apost += dApost
               w = clip(w + Apre, 0, gmax)""",
)
synapses.connect(j="i")
synapses.w = 0.5

pre_spikes = SpikeMonitor(pre)
post_spikes = SpikeMonitor(post)
weights = StateMonitor(synapses, "w", record=True)

run(1 * second)

print("final weights:", *(f"{w:.4f}" for w in synapses.w))
print("spikes:", pre_spikes.num_spikes, post_spikes.num_spikes)
