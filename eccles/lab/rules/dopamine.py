"""STDP that waits for a reward: dopamine turns the eligibility of a synapse into a change of its weight.

Eligibility c and dopamine d decay between events, so w' = c*d/tau_w has a closed form: with what the two are
now, `gain*c*d` is still to come. Each event first adds what has come since the last one, which is the
difference. As w moves in one direction between two events, it is enough to cut it off at events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eccles.lab.parts import Preset, chosen
from eccles.lab.rules.rule import Rule, make_pairs
from eccles.objects import Synapses
from eccles.objects.semantics import in_face
from eccles.units import ms, second

__all__ = ["PRESETS", "dopamine", "reward"]

IZHIKEVICH = "Izhikevich 2007, Cereb Cortex 17:2443"

PRESETS = {
    "Izhikevich 2007": Preset(
        {
            "A_plus": 0.1, "A_minus": 0.15, "tau_plus": 20 * ms, "tau_minus": 20 * ms,
            "tau_c": 1 * second, "tau_d": 200 * ms, "tau_w": 1 * second, "w_min": 0.0, "w_max": 4.0,
        },
        IZHIKEVICH,
        "tau_c and tau_d are those of the paper. The amplitudes (A_minus is 1.5 A_plus) and the upper bound, "
        "4 mV there, were not checked against it. That all pairs count is a choice of this model.",
    ),
}  # fmt: skip

EQUATIONS = """
    w : 1
    dc/dt = -c/tau_c : 1 (event-driven)
    dd/dt = -d/tau_d : 1 (event-driven)
    dx/dt = -x/tau_plus : 1 (event-driven)
    dy/dt = -y/tau_minus : 1 (event-driven)
    gain = tau_c*tau_d/(tau_c + tau_d)/tau_w : 1
    to_come : 1
    w_now = clip(w + to_come - gain*c*d, w_min, w_max) : 1
"""
ADVANCE, FORESEE = "w += to_come - gain*c*d\n", "\nto_come = gain*c*d"


def dopamine(preset: str = "Izhikevich 2007", **parameters: Any) -> Rule:
    """Dopamine-modulated STDP: spikes make a synapse eligible for a change, and a reward makes the change.

    A pair of spikes adds `A_plus*exp(-gap/tau_plus)` to the eligibility c of the synapse (post after pre), or
    takes `A_minus*exp(gap/tau_minus)` (pre after post). It decays with `tau_c`, the dopamine d with `tau_d`,
    and `dw/dt = c*d/tau_w`. All of this is exact.

    A reward is the event 'reward' of the postsynaptic neuron, at which d of its synapses rises by its
    variable `reward`. So the target needs `rule.post_equations` and `rule.post_events`, and the function
    `reward` connects whatever gives the reward to it:

        rule = dopamine()
        cells = lif().group(100, equations=rule.post_equations, events=rule.post_events)
        S = rule.synapses(inputs, cells, transmission="v_post += w*mV")
        teacher = SpikeGeneratorGroup(1, [0, 0], [2, 7]*second)
        rewards = reward(teacher, cells, amount=0.5)

    The weight is `w` at the last event of a synapse (it is up to date where the transmission uses it), and
    `w_now` at any time, between events, too.

    Parameters
    ----------
    preset : str, optional
        One of `PRESETS`.
    **parameters
        Numbers other than those of the preset. `tau_w` is the time in which c*d adds up; w is kept between
        `w_min` and `w_max`.

    References
    ----------
    Izhikevich 2007, Cereb Cortex 17:2443.
    """
    found = chosen(PRESETS, preset, "dopamine")
    return Rule(
        "dopamine-modulated STDP",
        EQUATIONS,
        on_pre=ADVANCE + "x += 1\nc -= A_minus*y" + FORESEE,
        on_post=ADVANCE + "y += 1\nc += A_plus*x" + FORESEE,
        parameters=found.parameters,
        initial={"w": 1.0},
        bounds=("w_min", "w_max"),
        now="w_now",
        transmits="after",
        on_events={"reward": ADVANCE + "d += reward_post" + FORESEE},
        post_equations="reward : 1",
        post_events={"reward": "reward != 0"},
        source=str(found),
        preset=preset,
    ).changed(**parameters)


def reward(
    source: Any,
    target: Any,
    amount: float = 0.5,
    connect: bool | str | Mapping[str, Any] = True,
    **options: Any,
) -> Synapses:
    """Synapses by which each spike of `source` gives a reward to neurons of `target`.

    Parameters
    ----------
    source : group
        Such as a `SpikeGeneratorGroup` with the times of rewards.
    target : NeuronGroup, or a part of one
        With `rule.post_equations` and `rule.post_events` of `dopamine()`.
    amount : float, optional
        How much dopamine a reward brings; 0.5 as in the paper. A negative one takes dopamine away.
    connect : bool, str or dict, optional
        As for `Rule.synapses`.
    **options
        As for `Synapses`: a `delay`, for instance.

    Notes
    -----
    A reward counts from the end of the time step on in which it comes: exact if it comes at a multiple of dt,
    and else late by less than dt. In a network with spikes on a grid it counts one step later.
    """
    make: Any = in_face(Synapses, getattr(source, "semantics", Synapses.semantics))
    synapses = make(source, target, on_pre="reward_post += amount", namespace={"amount": amount}, **options)
    if connect is not False:
        make_pairs(synapses, connect)
    target.whole.run_on_event("reward", "reward = 0", when="after_synapses")
    return synapses
