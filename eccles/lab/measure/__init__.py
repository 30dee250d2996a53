"""Measures: what is read off spike trains and traces, with confidence intervals."""

from eccles.lab.measure.estimate import Estimate
from eccles.lab.measure.histograms import aligned, cross_correlogram, psth
from eccles.lab.measure.spike_trains import counts, cv, cv2, fano, fano_curve, intervals, lv, rate

__all__ = [
    "Estimate",
    "aligned",
    "counts",
    "cross_correlogram",
    "cv",
    "cv2",
    "fano",
    "fano_curve",
    "intervals",
    "lv",
    "psth",
    "rate",
]
