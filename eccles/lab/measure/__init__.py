"""What is measured: of spike trains, potentials and weights."""

from eccles.lab.measure.phase_locking import (
    PhaseLocking,
    locking_of_phases,
    phase_histogram,
    phase_locking,
    phases,
    rayleigh_p,
    vector_strength,
)

__all__ = [
    "PhaseLocking",
    "locking_of_phases",
    "phase_histogram",
    "phase_locking",
    "phases",
    "rayleigh_p",
    "vector_strength",
]
