"""Binaural beats: from two tones to cells that detect coincident spikes, and to a synapse behind them.

    from eccles import *
    from eccles.lab.binaural import CONDITIONS, listen, plasticity
    from eccles.lab.rules import pair

    beat, control = listen([CONDITIONS["binaural beat"], CONDITIONS["diotic"]])
    print(beat.locking("cells"))  # vector strength at the beat, its interval, Rayleigh test
    changes = plasticity([beat, control], pair())
    print(changes[0]["driven"].by_the_beat)  # change of the weight that is not due to rate, standard error

In a network of your own, or a sweep, `ear` makes the fibres of the auditory nerve, and `binaural_cell` what
they meet:

    def beat(f, difference):
        left, right = ear(20, Tone(f, 0.85), fibres=4), ear(20, Tone(f + difference, 0.85), fibres=4)
        neuron, synapse = binaural_cell(0.3*ms, 0.1*ms)
        cells = neuron.group(20, synapse)
        from_left, from_right = (converge(side, cells, synapse, 0.3) for side in (left, right))
        run(5*second)

    result = sweep(beat, f=[300, 500]*Hz, difference=[4, 10]*Hz, record="cells.spikes")
"""

from eccles.lab.binaural.cell import (
    beat_strength,
    binaural_cell,
    coincidence_rate,
    coincidences,
    converge,
    jittered_strength,
)
from eccles.lab.binaural.conditions import CONDITIONS, Condition, conditions
from eccles.lab.binaural.listen import Circuit, Heard, listen, slow_cell
from eccles.lab.binaural.nerve import NERVE_NOTE, NERVE_SOURCE, Tone, concentration, ear, nerve_locking
from eccles.lab.binaural.pair import (
    KINDS,
    Downstream,
    Plasticity,
    beat_drift,
    driven,
    gaps,
    plasticity,
    unmodulated,
)
from eccles.lab.binaural.trains import nerve_train, phase_walk

__all__ = [
    "CONDITIONS",
    "KINDS",
    "NERVE_NOTE",
    "NERVE_SOURCE",
    "Circuit",
    "Condition",
    "Downstream",
    "Heard",
    "Plasticity",
    "Tone",
    "beat_drift",
    "beat_strength",
    "binaural_cell",
    "coincidence_rate",
    "coincidences",
    "concentration",
    "conditions",
    "converge",
    "driven",
    "ear",
    "gaps",
    "jittered_strength",
    "listen",
    "nerve_locking",
    "nerve_train",
    "phase_walk",
    "plasticity",
    "slow_cell",
    "unmodulated",
]
