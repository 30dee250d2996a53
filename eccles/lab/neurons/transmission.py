"""What synapses do to their targets: jumps of the potential, and currents and conductances of three shapes.

Each is normalised: a spike of weight 1 at a synapse at rest gives a response whose peak is `I_max` or `g_max`
(or the whole jump). Responses add up. Names end in a label, so that a neuron can have several kinds:

    excitation = exponential_conductance("exc", tau_exc=5*ms, E_exc=0*mV)
    inhibition = exponential_conductance("inh", tau_inh=10*ms, E_inh=-80*mV)
    neurons = lif().group(100, excitation, inhibition)
    synapses = rule.synapses(source, neurons, transmission=excitation.on_pre, namespace=excitation.parameters)

Shapes, from the spike's arrival on:

    exponential     exp(-t/tau)
    alpha           t/tau exp(1 - t/tau), with its peak at tau
    bi-exponential  N (exp(-t/tau_decay) - exp(-t/tau_rise)), where N makes the peak 1

Conductances drive towards a reversal potential: the current into the cell is g (E - v).
"""

from __future__ import annotations

from typing import Any

from eccles.errors import SetupError
from eccles.lab.neurons.neuron import Transmission
from eccles.units import Quantity, ms, mV, nS, pA

__all__ = [
    "TRANSMISSIONS",
    "alpha_conductance",
    "alpha_current",
    "biexponential_conductance",
    "biexponential_current",
    "delta",
    "exponential_conductance",
    "exponential_current",
]

SOURCE = "Roth & van Rossum 2009, Modeling synapses, in: De Schutter (ed.), Computational Modeling Methods"
ALPHA_SOURCE = "Rall 1967, J Neurophysiol 30:1138"
DELTA_SOURCE = "Gerstner, Kistler, Naud & Paninski 2014, Neuronal Dynamics, chapter 1.3"


def delta(v_jump: Any = 1 * mV) -> Transmission:
    """A jump of the potential by `v_jump` times the weight, also while the target is refractory.

    For a model without units, give a number.
    """
    return Transmission("delta", "", "", "v_post += w*v_jump", {"v_jump": v_jump}, DELTA_SOURCE)


def exponential_current(label: str = "syn", **parameters: Any) -> Transmission:
    """A current that jumps to its peak and decays."""
    return _current(
        "exponential current", label, "d{y}/dt = -{y}/tau_{l} : {unit}", "{y}_post += w*{peak}",
        {"tau": 5 * ms}, SOURCE, parameters,
    )  # fmt: skip


def exponential_conductance(label: str = "syn", **parameters: Any) -> Transmission:
    """A conductance that jumps to its peak and decays."""
    return _conductance(
        "exponential conductance", label, "d{y}/dt = -{y}/tau_{l} : {unit}", "{y}_post += w*{peak}",
        {"tau": 5 * ms}, SOURCE, parameters,
    )  # fmt: skip


ALPHA = "d{y}/dt = ({y}_rise - {y})/tau_{l} : {unit}\nd{y}_rise/dt = -{y}_rise/tau_{l} : {unit}"
ALPHA_ON_PRE = "{y}_rise_post += w*{peak}*exp(1)"


def alpha_current(label: str = "syn", **parameters: Any) -> Transmission:
    """A current that rises and decays with one time constant."""
    return _current(
        "alpha current", label, ALPHA, ALPHA_ON_PRE, {"tau": 2 * ms}, ALPHA_SOURCE, parameters
    )  # fmt: skip


def alpha_conductance(label: str = "syn", **parameters: Any) -> Transmission:
    """A conductance that rises and decays with one time constant."""
    return _conductance(
        "alpha conductance", label, ALPHA, ALPHA_ON_PRE, {"tau": 2 * ms}, ALPHA_SOURCE, parameters
    )  # fmt: skip


# The response of weight 1 peaks at tau_rise tau_decay/(tau_decay - tau_rise) ln(tau_decay/tau_rise).
BIEXPONENTIAL = """
{y} = {y}_decay - {y}_rise : {unit}
d{y}_decay/dt = -{y}_decay/tau_decay_{l} : {unit}
d{y}_rise/dt = -{y}_rise/tau_rise_{l} : {unit}
ratio_{l} = tau_rise_{l}/tau_decay_{l} : 1
peak_{l} = ratio_{l}**(ratio_{l}/(1 - ratio_{l})) - ratio_{l}**(1/(1 - ratio_{l})) : 1
"""
BIEXPONENTIAL_ON_PRE = "{y}_decay_post += w*{peak}/peak_{l}_post\n{y}_rise_post += w*{peak}/peak_{l}_post"


def biexponential_current(label: str = "syn", **parameters: Any) -> Transmission:
    """A current that rises with one time constant and decays with another.

    Raises
    ------
    SetupError
        If both are the same: that is an alpha current.
    """
    times = {"tau_rise": 0.5 * ms, "tau_decay": 5 * ms}
    made = _current(
        "bi-exponential current", label, BIEXPONENTIAL, BIEXPONENTIAL_ON_PRE, times, SOURCE, parameters
    )  # fmt: skip
    return _checked(made, label, "alpha_current")


def biexponential_conductance(label: str = "syn", **parameters: Any) -> Transmission:
    """A conductance that rises with one time constant and decays with another.

    Raises
    ------
    SetupError
        If both are the same: that is an alpha conductance.
    """
    times = {"tau_rise": 0.5 * ms, "tau_decay": 5 * ms}
    made = _conductance(
        "bi-exponential conductance", label, BIEXPONENTIAL, BIEXPONENTIAL_ON_PRE, times, SOURCE, parameters
    )  # fmt: skip
    return _checked(made, label, "alpha_conductance")


TRANSMISSIONS = {
    "delta": delta,
    "exponential current": exponential_current,
    "exponential conductance": exponential_conductance,
    "alpha current": alpha_current,
    "alpha conductance": alpha_conductance,
    "bi-exponential current": biexponential_current,
    "bi-exponential conductance": biexponential_conductance,
}


def _current(
    name: str, label: str, equations: str, on_pre: str, times: dict[str, Any], source: str,
    parameters: dict[str, Any],
) -> Transmission:  # fmt: skip
    names = {"y": f"I_{label}", "peak": f"I_max_{label}", "l": label, "unit": "amp"}
    known = {**{f"{key}_{label}": value for key, value in times.items()}, names["peak"]: 100 * pA}
    made = Transmission(
        name, equations.format(**names).strip(), names["y"], on_pre.format(**names), known, source
    )
    return made.changed(**parameters)


def _conductance(
    name: str, label: str, equations: str, on_pre: str, times: dict[str, Any], source: str,
    parameters: dict[str, Any],
) -> Transmission:  # fmt: skip
    names = {"y": f"g_{label}", "peak": f"g_max_{label}", "l": label, "unit": "siemens"}
    known = {
        **{f"{key}_{label}": value for key, value in times.items()},
        f"E_{label}": 0 * mV, names["peak"]: 1 * nS,
    }  # fmt: skip
    current = f"{names['y']}*(E_{label} - v)"
    made = Transmission(
        name, equations.format(**names).strip(), current, on_pre.format(**names), known, source
    )
    return made.changed(**parameters)


def _checked(made: Transmission, label: str, other: str) -> Transmission:
    rise, decay = (made.parameters[f"tau_{side}_{label}"] for side in ("rise", "decay"))
    if all(type(tau) is Quantity for tau in (rise, decay)) and rise == decay:  # not what a sweep varies
        raise SetupError(
            f"tau_rise_{label} and tau_decay_{label} are the same, {rise}",
            hint=f"With one time constant the response is an alpha function: {other}('{label}').",
        )
    return made
