"""Models of neurons and of what synapses do to them, as equations with units and sources."""

from eccles.lab.neurons.adex import adex
from eccles.lab.neurons.clopath import clopath
from eccles.lab.neurons.hodgkin_huxley import hodgkin_huxley
from eccles.lab.neurons.izhikevich import izhikevich
from eccles.lab.neurons.lif import lif, lif_abstract, rheobase, to_abstract, to_biophysical
from eccles.lab.neurons.neuron import Neuron, Transmission
from eccles.lab.neurons.transmission import (
    TRANSMISSIONS,
    alpha_conductance,
    alpha_current,
    biexponential_conductance,
    biexponential_current,
    delta,
    exponential_conductance,
    exponential_current,
)

__all__ = [
    "NEURONS",
    "TRANSMISSIONS",
    "Neuron",
    "Transmission",
    "adex",
    "alpha_conductance",
    "alpha_current",
    "biexponential_conductance",
    "biexponential_current",
    "clopath",
    "delta",
    "exponential_conductance",
    "exponential_current",
    "hodgkin_huxley",
    "izhikevich",
    "lif",
    "lif_abstract",
    "rheobase",
    "to_abstract",
    "to_biophysical",
]

NEURONS = {
    "leaky integrate-and-fire": lif,
    "leaky integrate-and-fire, abstract": lif_abstract,
    "adaptive exponential integrate-and-fire": adex,
    "exponential integrate-and-fire with after-depolarization": clopath,
    "Izhikevich": izhikevich,
    "Hodgkin-Huxley": hodgkin_huxley,
}
