"""Where scripts look for synapses."""

from eccles.brian2 import Synapses

__all__ = ["Synapses"]
