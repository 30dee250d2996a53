"""What a model of a neuron is, and what a synapse does to one: model text, numbers with units, a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from eccles.errors import SetupError
from eccles.lab.parts import block, changed, check_time_constants, frozen, meanings, parameter_lines
from eccles.objects import NeuronGroup

__all__ = ["Neuron", "Transmission"]


@dataclass(frozen=True, eq=False)
class Transmission:
    """What a presynaptic spike does to its target.

    Parameters
    ----------
    name : str
    equations : str
        Lines that the target needs, with the current or conductance among them; empty for a jump of `v`.
    current : str
        What these lines add to the membrane current: a term such as `I_syn` or `g_syn*(E_syn - v)`; empty for
        a jump of `v`.
    on_pre : str
        What a spike of weight `w` does, such as `g_syn_post += w*g_max`.
    parameters, source
        As for `Neuron`.

    Raises
    ------
    SetupError
        If a parameter whose name begins with `tau` is not positive.
    """

    name: str
    equations: str
    current: str
    on_pre: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", frozen(self.parameters))
        check_time_constants(self.parameters, f"the transmission '{self.name}'")

    def __str__(self) -> str:
        """The whole of it as text."""
        lines = [
            self.name,
            *block("target", self.equations),
            *block("membrane current", self.current),
            *block("at a presynaptic spike", self.on_pre),
            *block("parameters", parameter_lines(self.parameters)),
            *block("source", self.source),
        ]
        return "\n".join(lines)

    def changed(self, **parameters: Any) -> Transmission:
        """The same with other parameters."""
        return replace(self, parameters=changed(self.parameters, parameters, self.name))


@dataclass(frozen=True, eq=False)
class Neuron:
    """A model of a neuron.

    Parameters
    ----------
    name : str
    equations : str
        With `v`, the membrane potential, and `I_in`, the current into the cell: a placeholder that `group`
        fills with the currents of transmissions and `drive`.
    threshold, reset : str
    refractory : time, str or False
    parameters : mapping
        What names in the text stand for.
    initial : mapping
        Values of variables at the start (texts or numbers); all others begin with 0.
    method : str, optional
        How to integrate, where the automatic choice is not the best.
    input_unit : str, optional
        The unit of `I_in`: 1 in an abstract model.
    source : str, optional
        Where the model is from.
    preset : str, optional
        Where its numbers are from.

    Raises
    ------
    SetupError
        If a parameter whose name begins with `tau` is not positive.
    """

    name: str
    equations: str
    threshold: str = ""
    reset: str = ""
    refractory: Any = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    initial: Mapping[str, Any] = field(default_factory=dict)
    method: str | None = None
    input_unit: str = "amp"
    source: str = ""
    preset: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", frozen(self.parameters))
        object.__setattr__(self, "initial", frozen(self.initial))
        check_time_constants(self.parameters, f"the neuron '{self.name}'")

    def __str__(self) -> str:
        """The whole model as text."""
        refractory = "" if self.refractory is False else str(self.refractory)
        lines = [
            self.name + (f" ({self.preset})" if self.preset else ""),
            *block("equations", self.equations),
            *block("threshold", self.threshold),
            *block("reset", self.reset),
            *block("refractory", refractory),
            *block("parameters", parameter_lines(self.parameters)),
            *block("at the start", parameter_lines(self.initial)),
            *block("source", self.source),
        ]
        return "\n".join(lines)

    def changed(self, **parameters: Any) -> Neuron:
        """The same model with other parameters."""
        return replace(self, parameters=changed(self.parameters, parameters, f"the neuron '{self.name}'"))

    def group(
        self,
        N: int = 1,
        *transmissions: Transmission,
        drive: str = "",
        equations: str = "",
        namespace: Mapping[str, Any] | None = None,
        name: str = "neurongroup*",
        **options: Any,
    ) -> NeuronGroup:
        """A group of such neurons.

        Parameters
        ----------
        N : int
        *transmissions : Transmission
            What synapses onto them need.
        drive : str, optional
            A current of your own, as model text: `'I_0'`, `'stimulus(t)'`.
        equations : str, optional
            Lines of your own, such as `rule.post_equations`.
        namespace : mapping, optional
            What names in `drive` and `equations` stand for; by default those of the calling script.
        **options
            As for `NeuronGroup`.

        Raises
        ------
        SetupError
            If something else is given as a transmission, or two of them use one name for different things.
        """
        known: dict[str, Any] = dict(self.parameters)
        for transmission in transmissions:
            if not isinstance(transmission, Transmission):
                raise SetupError(
                    f"a transmission is such as exponential_current() makes, not {transmission!r}",
                    hint="A current of your own is a text: drive='I_0'.",
                )
            for key, value in transmission.parameters.items():
                if key in known and known[key] != value:
                    raise SetupError(f"'{key}' of {transmission.name} already stands for {known[key]}")
                known[key] = value
        terms = [f"({part})" for part in (*(t.current for t in transmissions), drive) if part.strip()]
        lines = [
            self.equations,
            *(t.equations for t in transmissions),
            f"I_in = {' + '.join(terms) or f'0*{self.input_unit}'} : {self.input_unit}",
            equations,
        ]
        defaults = {
            "threshold": self.threshold or None, "reset": self.reset or None, "refractory": self.refractory,
            "method": self.method,
        }  # fmt: skip
        group = NeuronGroup(
            N, "\n".join(lines), namespace=meanings(known, namespace), name=name, **{**defaults, **options}
        )
        for variable, value in self.initial.items():
            setattr(group, variable, value)
        return group
