"""Where scripts look for monitors."""

from eccles.brian2 import EventMonitor, PopulationRateMonitor, SpikeMonitor, StateMonitor

__all__ = ["EventMonitor", "PopulationRateMonitor", "SpikeMonitor", "StateMonitor"]
