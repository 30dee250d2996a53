"""Where scripts look for units."""

from eccles.units import *  # noqa: F403
