"""Measurements: postsynaptic potentials by test pulses and their shape, and what trials and spikes tell."""

from eccles.lab.measure.amplitudes import (
    coefficient_of_variation,
    inverse_cv_squared,
    paired_pulse_ratio,
    percent_of_baseline,
)
from eccles.lab.measure.epsp import epsp
from eccles.lab.measure.phase_locking import (
    PhaseLocking,
    locking_of_phases,
    phase_histogram,
    phase_locking,
    phases,
    rayleigh_p,
    vector_strength,
)
from eccles.lab.measure.psp import psp_shape

__all__ = [
    "PhaseLocking",
    "coefficient_of_variation",
    "epsp",
    "inverse_cv_squared",
    "locking_of_phases",
    "paired_pulse_ratio",
    "percent_of_baseline",
    "phase_histogram",
    "phase_locking",
    "phases",
    "psp_shape",
    "rayleigh_p",
    "vector_strength",
]
