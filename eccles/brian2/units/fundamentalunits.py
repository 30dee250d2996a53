"""Where scripts look for quantities and dimensions."""

from eccles.errors import DimensionMismatchError  # noqa: F401
from eccles.units import *  # noqa: F403
