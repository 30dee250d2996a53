"""Where scripts look for physical constants."""

from eccles.units.constants import *  # noqa: F403
