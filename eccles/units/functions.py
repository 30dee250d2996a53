"""NumPy functions that mind units where NumPy alone cannot: `arange`, and checks with clear messages.

Most NumPy functions handle quantities by themselves (see `rules.py`); these names exist so that a star
import gives the whole set.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import (
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctanh,
    cos,
    cosh,
    diagonal,
    dot,
    exp,
    expm1,
    linspace,
    log,
    log1p,
    log10,
    ones_like,
    ptp,
    ravel,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
    trace,
    where,
    zeros_like,
)  # fmt: skip

from eccles.errors import DimensionMismatchError
from eccles.units.dimension import DIMENSIONLESS
from eccles.units.quantity import bare, common_dimension, get_dimensions, wrap

__all__ = [
    "arange",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "clip",
    "cos",
    "cosh",
    "diagonal",
    "dot",
    "exp",
    "expm1",
    "exprel",
    "linspace",
    "log",
    "log1p",
    "log10",
    "ones_like",
    "ptp",
    "ravel",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trace",
    "where",
    "zeros_like",
]  # fmt: skip

clip = np.clip


def arange(*args: Any, **kwargs: Any) -> Any:
    """As `numpy.arange`; start, stop and step need the same unit."""
    dim = common_dimension(
        [*args, *(kwargs[k] for k in ("start", "stop", "step") if k in kwargs)], "count from {} to {}"
    )
    return wrap(np.arange(*(bare(a) for a in args), **{k: bare(v) for k, v in kwargs.items()}), dim)


def exprel(x: Any) -> Any:
    """(exp(x) - 1)/x, and 1 at 0."""
    dim = get_dimensions(x)
    if dim is not DIMENSIONLESS:
        raise DimensionMismatchError(
            f"exprel needs a number without unit, but got {dim.friendly()}", dim,
            hint=f"Divide by its scale first, as in exprel(x/{dim.example_unit()}).",
        )  # fmt: skip
    x = np.asarray(bare(x), float)
    safe = np.where(x == 0, 1.0, x)
    with np.errstate(over="ignore"):
        return np.where(x == 0, 1.0, np.expm1(safe) / safe)[()]
