"""Measurements: postsynaptic potentials by test pulses and their shape, and what trials and spikes tell."""

from eccles.lab.measure.amplitudes import (
    coefficient_of_variation,
    inverse_cv_squared,
    paired_pulse_ratio,
    percent_of_baseline,
)
from eccles.lab.measure.epsp import epsp
from eccles.lab.measure.psp import psp_shape

__all__ = [
    "coefficient_of_variation",
    "epsp",
    "inverse_cv_squared",
    "paired_pulse_ratio",
    "percent_of_baseline",
    "psp_shape",
]
