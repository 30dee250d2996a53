"""Where scripts look for clocks."""

from eccles.brian2 import Clock, defaultclock

__all__ = ["Clock", "defaultclock"]
