"""The leaky integrate-and-fire neuron: with units, and without, and from one to the other.

Both are the same model. With v_a = (v - E_L)/(V_th - E_L) rest is at 0 and the threshold at 1; the membrane
time constant is C/g_L; and an input of 1 is the rheobase, the current that just reaches the threshold in the
end. Spike times do not change.
"""

from __future__ import annotations

from typing import Any

from eccles.errors import SetupError
from eccles.lab.neurons.neuron import Neuron
from eccles.units import Quantity, ms, mV, nS, pF

__all__ = ["lif", "lif_abstract", "rheobase", "to_abstract", "to_biophysical"]

SOURCE = "Gerstner, Kistler, Naud & Paninski 2014, Neuronal Dynamics, chapter 1.3"


def lif(**parameters: Any) -> Neuron:
    """A membrane with a capacitance and a leak: `C dv/dt = g_L (E_L - v) + I_in`.

    Parameters
    ----------
    **parameters
        Numbers that replace those here: `C` (capacitance), `g_L` (conductance), `E_L`, `V_th`, `V_reset`
        (voltages), `t_ref` (time).
    """
    return Neuron(
        "leaky integrate-and-fire",
        "dv/dt = (g_L*(E_L - v) + I_in)/C : volt (unless refractory)",
        threshold="v > V_th",
        reset="v = V_reset",
        refractory="t_ref",
        parameters={
            "C": 200 * pF, "g_L": 10 * nS, "E_L": -70 * mV,
            "V_th": -55 * mV, "V_reset": -70 * mV, "t_ref": 2 * ms,
        },
        initial={"v": "E_L"},
        source=SOURCE,
    ).changed(**parameters)  # fmt: skip


def lif_abstract(**parameters: Any) -> Neuron:
    """The same without units: `v` is 0 at rest and 1 at threshold; a constant input is where `v` tends to.

    Parameters
    ----------
    **parameters
        Numbers that replace those here: `tau_m`, `t_ref` (times), `v_reset`.
    """
    return Neuron(
        "leaky integrate-and-fire, abstract",
        "dv/dt = (I_in - v)/tau_m : 1 (unless refractory)",
        threshold="v > 1",
        reset="v = v_reset",
        refractory="t_ref",
        parameters={"tau_m": 20 * ms, "v_reset": 0.0, "t_ref": 2 * ms},
        input_unit="1",
        source=SOURCE,
    ).changed(**parameters)


def rheobase(neuron: Neuron) -> Quantity:
    """The constant current that just reaches the threshold: what is 1 in the abstract model.

    Parameters
    ----------
    neuron : Neuron
        From `lif`.

    Raises
    ------
    SetupError
        If it is another model.
    """
    _check(neuron, lif())
    p = neuron.parameters
    return p["g_L"] * (p["V_th"] - p["E_L"])


def to_abstract(neuron: Neuron) -> Neuron:
    """The abstract model that spikes at the same times, if its input is I/`rheobase(neuron)`.

    Raises
    ------
    SetupError
        If the neuron is not from `lif`.
    """
    _check(neuron, lif())
    p = neuron.parameters
    v_reset = (p["V_reset"] - p["E_L"]) / (p["V_th"] - p["E_L"])
    return lif_abstract(tau_m=p["C"] / p["g_L"], v_reset=v_reset, t_ref=p["t_ref"])


def to_biophysical(neuron: Neuron, *, C: Any = None, E_L: Any = None, V_th: Any = None) -> Neuron:
    """The model with units that spikes at the same times, if its input is `rheobase` times the abstract one.

    Three numbers have to be chosen; by default those of `lif()`.

    Parameters
    ----------
    neuron : Neuron
        From `lif_abstract`.
    C : capacitance, optional
    E_L, V_th : voltage, optional
        Where 0 and 1 of the abstract model are.

    Raises
    ------
    SetupError
        If the neuron is not from `lif_abstract`.
    """
    _check(neuron, lif_abstract())
    given = {"C": C, "E_L": E_L, "V_th": V_th}
    base = lif(**{name: value for name, value in given.items() if value is not None})
    p, q = base.parameters, neuron.parameters
    return base.changed(
        g_L=p["C"] / q["tau_m"],
        V_reset=p["E_L"] + q["v_reset"] * (p["V_th"] - p["E_L"]),
        t_ref=q["t_ref"],
    )


def _check(neuron: Neuron, model: Neuron) -> None:
    if (neuron.equations, neuron.threshold, neuron.reset) != (model.equations, model.threshold, model.reset):
        raise SetupError(f"'{neuron.name}' is not the model '{model.name}'")
