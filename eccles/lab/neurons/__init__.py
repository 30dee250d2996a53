"""Models of neurons and of what synapses do to them, as equations with units and sources."""

from eccles.lab.neurons.clopath import clopath
from eccles.lab.neurons.lif import lif, lif_abstract
from eccles.lab.neurons.neuron import Neuron, Transmission

__all__ = ["Neuron", "Transmission", "clopath", "lif", "lif_abstract"]
