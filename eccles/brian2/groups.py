"""Where scripts look for groups of neurons."""

from eccles.brian2 import Group, NeuronGroup, Subgroup

__all__ = ["Group", "NeuronGroup", "Subgroup"]
