"""Where scripts look for units with any prefix."""

from eccles.units.allunits import *  # noqa: F403
