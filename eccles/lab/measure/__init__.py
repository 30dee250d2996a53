"""Measurements: postsynaptic potentials by test pulses, and their shape."""

from eccles.lab.measure.epsp import epsp

__all__ = ["epsp"]
