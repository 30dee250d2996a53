"""The names of Brian 2 and the units, without those of NumPy and pylab."""

import eccles.brian2 as _face
from eccles.brian2 import restore_initial_state

globals().update({name: getattr(_face, name) for name in _face.ONLY})

__all__ = ["restore_initial_state", *_face.ONLY]
