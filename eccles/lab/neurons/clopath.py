"""The neuron of Clopath et al. 2010: exponential integrate-and-fire, with what follows a real spike."""

from __future__ import annotations

from typing import Any

from eccles.lab.neurons.neuron import Neuron
from eccles.lab.parts import Preset, chosen
from eccles.units import ms, mV, nS, pA, pF

__all__ = ["PRESETS", "clopath"]

SOURCE = "Clopath, Büsing, Vasilaki & Gerstner 2010, Nat Neurosci 13:344"
PRINTED = {
    "C": 281 * pF, "g_L": 30 * nS, "E_L": -70.6 * mV, "Delta_T": 2 * mV,
    "V_T_rest": -50.4 * mV, "V_T_max": -30.4 * mV, "tau_VT": 50 * ms,
    "a": 4 * nS, "b": 80.5 * pA, "tau_w": 144 * ms,
    "I_sp": 400 * pA, "tau_z": 40 * ms,
    "V_peak": 20 * mV, "V_clamp": 33 * mV, "V_reset": -49.5 * mV, "t_clamp": 2 * ms,
}  # fmt: skip
NOTE = (
    "V_peak, V_clamp, V_reset and t_clamp are those of the authors' code (ModelDB 144566), rounded; it "
    "clamps to 29.4 and then 32.9 mV, NEST to 33 mV. V_T_max is V_T_rest + 20 mV in the authors' code; "
    "NEST has +30.4 mV, which makes no difference to weights where spikes are forced."
)
PRESETS = {
    "Clopath 2010": Preset(PRINTED, SOURCE, NOTE),
    "Clopath 2010, as simulated": Preset(
        {**PRINTED, "b": 0.0805 * pA},
        "the authors' code, ModelDB 144566",
        NOTE
        + " b is 0.0805 there, meant in nA, in an equation in pA: a thousandth. NEST's tests follow this.",
    ),
}


def clopath(preset: str = "Clopath 2010", **parameters: Any) -> Neuron:
    """The neuron of the voltage-based rule.

    A spike is a clamp to `V_clamp` for `t_clamp`, which counts for plasticity: read `u`, the voltage with its
    spikes. Then the membrane goes on from `V_reset` with more adaptation (`w_ad`), a depolarizing
    after-current (`z`) and a higher threshold (`V_T`). These stand still during the clamp, as if they
    jumped at its end.

    Parameters
    ----------
    preset : str, optional
        'Clopath 2010' or 'Clopath 2010, as simulated': with `b` a thousand times smaller, by a slip of
        units in the code that made the figures. `PRESETS` says more.
    **parameters
        Those that are to differ: `C` (capacitance), `g_L`, `a` (conductances), `E_L`, `Delta_T`, `V_T_rest`,
        `V_T_max`, `V_peak`, `V_clamp`, `V_reset` (voltages), `tau_VT`, `tau_w`, `tau_z`, `t_clamp` (times),
        `b`, `I_sp` (currents).
    """
    published = chosen(PRESETS, preset, "clopath")
    return Neuron(
        "exponential integrate-and-fire with after-depolarization",
        """dv/dt = (g_L*(E_L - v) + upswing - w_ad + z + I_in)/C : volt (unless refractory)
        upswing = g_L*Delta_T*exp((v - V_T)/Delta_T) : amp
        dw_ad/dt = (a*(v - E_L) - w_ad)/tau_w : amp (unless refractory)
        dz/dt = -z/tau_z : amp (unless refractory)
        dV_T/dt = (V_T_rest - V_T)/tau_VT : volt (unless refractory)
        u = v + (V_clamp - v)*int(not not_refractory) : volt  # with spikes""",
        threshold="v > V_peak",
        reset="v = V_reset\nw_ad += b\nz = I_sp\nV_T = V_T_max",
        refractory="t_clamp",
        parameters=published.parameters,
        initial={"v": "E_L", "V_T": "V_T_rest"},
        source=f"{SOURCE}\nnumbers: {published}",
        preset=preset,
    ).changed(**parameters)
