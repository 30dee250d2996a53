"""Where scripts look for devices."""

from eccles.brian2.devices.device import *  # noqa: F403
