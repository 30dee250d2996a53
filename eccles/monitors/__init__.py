"""Recording what happens in a network."""

from eccles.monitors.rate import PopulationRateMonitor
from eccles.monitors.reduction import EventCount, Reduction
from eccles.monitors.spikes import EventMonitor, SpikeMonitor
from eccles.monitors.traces import StateMonitor

__all__ = ["EventCount", "EventMonitor", "PopulationRateMonitor", "Reduction", "SpikeMonitor", "StateMonitor"]
