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

from collections.abc import Mapping
from typing import Any, NamedTuple

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
DELTA_SOURCE = "Gerstner, Kistler, Naud & Paninski 2014, Neuronal Dynamics, chapter 1.3"


def delta(v_jump: Any = 1 * mV) -> Transmission:
    """A jump of the potential by `v_jump` times the weight, also while the target is refractory.

    Parameters
    ----------
    v_jump : voltage, optional
        A number for a model without units.
    """
    return Transmission("delta", "", "", "v_post += w*v_jump", {"v_jump": v_jump}, DELTA_SOURCE)


class Shape(NamedTuple):
    """A response in time; in its text `y` is its name, `l` the label, `peak` the height by a weight of 1."""

    name: str
    equations: str
    on_pre: str
    times: dict[str, Any]
    source: str


EXPONENTIAL = Shape(
    "exponential", "d{y}/dt = -{y}/tau_{l} : {unit}", "{y}_post += w*{peak}", {"tau": 5 * ms}, SOURCE
)
ALPHA = Shape(
    "alpha",
    "d{y}/dt = ({y}_rise - {y})/tau_{l} : {unit}\nd{y}_rise/dt = -{y}_rise/tau_{l} : {unit}",
    "{y}_rise_post += w*{peak}*exp(1)",
    {"tau": 2 * ms},
    "Rall 1967, J Neurophysiol 30:1138",
)
# The response of weight 1 peaks at tau_rise tau_decay/(tau_decay - tau_rise) ln(tau_decay/tau_rise).
BIEXPONENTIAL = Shape(
    "bi-exponential",
    """
{y} = {y}_decay - {y}_rise : {unit}
d{y}_decay/dt = -{y}_decay/tau_decay_{l} : {unit}
d{y}_rise/dt = -{y}_rise/tau_rise_{l} : {unit}
ratio_{l} = tau_rise_{l}/tau_decay_{l} : 1
peak_{l} = ratio_{l}**(ratio_{l}/(1 - ratio_{l})) - ratio_{l}**(1/(1 - ratio_{l})) : 1
""",
    "{y}_decay_post += w*{peak}/peak_{l}_post\n{y}_rise_post += w*{peak}/peak_{l}_post",
    {"tau_rise": 0.5 * ms, "tau_decay": 5 * ms},
    SOURCE,
)


def exponential_current(label: str = "syn", **parameters: Any) -> Transmission:
    """A current that jumps to its peak and decays.

    Parameters
    ----------
    label : str, optional
        What its names end in.
    **parameters
        `tau_<label>` (time) and `I_max_<label>` (current) other than here.
    """
    return _current(EXPONENTIAL, label, parameters)


def exponential_conductance(label: str = "syn", **parameters: Any) -> Transmission:
    """A conductance that jumps to its peak and decays.

    Parameters
    ----------
    label : str, optional
        What its names end in.
    **parameters
        `tau_<label>` (time), `g_max_<label>` (conductance) and `E_<label>` (voltage) other than here.
    """
    return _conductance(EXPONENTIAL, label, parameters)


def alpha_current(label: str = "syn", **parameters: Any) -> Transmission:
    """A current that rises and decays with one time constant.

    Parameters
    ----------
    label, **parameters
        As for `exponential_current`.
    """
    return _current(ALPHA, label, parameters)


def alpha_conductance(label: str = "syn", **parameters: Any) -> Transmission:
    """A conductance that rises and decays with one time constant.

    Parameters
    ----------
    label, **parameters
        As for `exponential_conductance`.
    """
    return _conductance(ALPHA, label, parameters)


def biexponential_current(label: str = "syn", **parameters: Any) -> Transmission:
    """A current that rises with one time constant and decays with another.

    Parameters
    ----------
    label, **parameters
        As for `exponential_current`, with `tau_rise_<label>` and `tau_decay_<label>` (times).

    Raises
    ------
    SetupError
        If both are the same: that is an alpha current.
    """
    return _checked(_current(BIEXPONENTIAL, label, parameters), label, "alpha_current")


def biexponential_conductance(label: str = "syn", **parameters: Any) -> Transmission:
    """A conductance that rises with one time constant and decays with another.

    Parameters
    ----------
    label, **parameters
        As for `exponential_conductance`, with `tau_rise_<label>` and `tau_decay_<label>` (times).

    Raises
    ------
    SetupError
        If both are the same: that is an alpha conductance.
    """
    return _checked(_conductance(BIEXPONENTIAL, label, parameters), label, "alpha_conductance")


TRANSMISSIONS = {
    "delta": delta,
    "exponential current": exponential_current,
    "exponential conductance": exponential_conductance,
    "alpha current": alpha_current,
    "alpha conductance": alpha_conductance,
    "bi-exponential current": biexponential_current,
    "bi-exponential conductance": biexponential_conductance,
}


def _current(shape: Shape, label: str, parameters: Mapping[str, Any]) -> Transmission:
    y, peak = f"I_{label}", f"I_max_{label}"
    return _made(shape, "current", label, y, peak, y, {peak: 100 * pA}).changed(**parameters)


def _conductance(shape: Shape, label: str, parameters: Mapping[str, Any]) -> Transmission:
    y, peak, E = f"g_{label}", f"g_max_{label}", f"E_{label}"
    others = {E: 0 * mV, peak: 1 * nS}
    return _made(shape, "conductance", label, y, peak, f"{y}*({E} - v)", others).changed(**parameters)


def _made(
    shape: Shape, kind: str, label: str, y: str, peak: str, current: str, others: Mapping[str, Any]
) -> Transmission:
    unit = {"current": "amp", "conductance": "siemens"}[kind]
    equations, on_pre = (
        text.format(y=y, l=label, peak=peak, unit=unit).strip() for text in (shape.equations, shape.on_pre)
    )
    times = {f"{name}_{label}": value for name, value in shape.times.items()}
    return Transmission(f"{shape.name} {kind}", equations, current, on_pre, {**times, **others}, shape.source)


def _checked(made: Transmission, label: str, other: str) -> Transmission:
    rise, decay = (made.parameters[f"tau_{side}_{label}"] for side in ("rise", "decay"))
    if all(type(tau) is Quantity for tau in (rise, decay)) and rise == decay:  # not what a sweep varies
        raise SetupError(
            f"tau_rise_{label} and tau_decay_{label} are the same, {rise}",
            hint=f"With one time constant the response is an alpha function: {other}('{label}').",
        )
    return made
