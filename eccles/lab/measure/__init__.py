"""Measurements: postsynaptic potentials by test pulses and their shape, and what trials and spikes tell."""

from eccles.lab.measure.amplitudes import (
    coefficient_of_variation,
    inverse_cv_squared,
    paired_pulse_ratio,
    percent_of_baseline,
)
from eccles.lab.measure.epsp import epsp
from eccles.lab.measure.estimate import Estimate
from eccles.lab.measure.histograms import aligned, cross_correlogram, psth
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
from eccles.lab.measure.spike_trains import counts, cv, cv2, fano, fano_curve, intervals, lv, rate

__all__ = [
    "Estimate",
    "PhaseLocking",
    "aligned",
    "coefficient_of_variation",
    "counts",
    "cross_correlogram",
    "cv",
    "cv2",
    "epsp",
    "fano",
    "fano_curve",
    "intervals",
    "inverse_cv_squared",
    "locking_of_phases",
    "lv",
    "paired_pulse_ratio",
    "percent_of_baseline",
    "phase_histogram",
    "phase_locking",
    "phases",
    "psp_shape",
    "psth",
    "rate",
    "rayleigh_p",
    "vector_strength",
]
