"""How far a model is from measured changes of weight."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["fit_error"]


def fit_error(model: Any, measured: Any, sem: Any) -> np.ndarray:
    """E: the mean over conditions of the squared deviation, in standard errors of the mean.

    Parameters
    ----------
    model : (..., condition)
    measured, sem : (condition,)
        Means and their standard errors, in the unit of `model`.

    Returns
    -------
    (...)
        About 1 or less where the model is as close as the data can tell.

    References
    ----------
    Pfister & Gerstner 2006, J Neurosci 26:9673.
    """
    return np.mean(((np.asarray(measured) - np.asarray(model)) / np.asarray(sem)) ** 2, axis=-1)
