"""NumPy as scripts for Brian 2 see it: its names, with those functions replaced that mind units."""

from __future__ import annotations

import numpy
from numpy import *  # noqa: F403
from numpy.random import normal, permutation, rand, randint, randn, uniform  # noqa: F401

from eccles.units import functions as _functions
from eccles.units.functions import *  # noqa: F403

_PUBLIC = [name for name in numpy.__all__ if not name.startswith("_")]

__all__ = sorted(
    {*_PUBLIC, *_functions.__all__, "normal", "permutation", "rand", "randint", "randn", "uniform"}
)
