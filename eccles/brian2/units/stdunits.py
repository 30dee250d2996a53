"""Where scripts look for the short names of units."""

from eccles.units import *  # noqa: F403
