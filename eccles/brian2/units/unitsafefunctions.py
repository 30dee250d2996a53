"""Where scripts look for functions of quantities."""

from eccles.units.functions import *  # noqa: F403
