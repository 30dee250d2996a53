"""NumPy as scripts for Brian 2 see it: its names, with those functions replaced that mind units.

As in pylab, the names of `numpy.random`, `numpy.linalg` and `numpy.fft` come along.
"""

from __future__ import annotations

import numpy
from numpy import *  # noqa: F403
from numpy import fft, linalg, random

from eccles.units import functions as _functions
from eccles.units.functions import *  # noqa: F403

# `bytes` stays Python's, and scripts use the name `f` for things of their own
_own = {*vars(numpy), *_functions.__all__, "bytes", "f"}
_more = {
    name: getattr(library, name)
    for library in (random, linalg, fft)
    for name in library.__all__
    if not name.startswith("_") and name not in _own
}
if "trapz" not in vars(numpy):  # its name before NumPy 2
    _more["trapz"] = numpy.trapezoid
globals().update(_more)

__all__ = sorted({*(n for n in numpy.__all__ if not n.startswith("_")), *_more, *_functions.__all__})
