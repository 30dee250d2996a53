"""Recording what happens in a network."""

from eccles.monitors.rate import PopulationRateMonitor
from eccles.monitors.spikes import EventMonitor, SpikeMonitor
from eccles.monitors.traces import StateMonitor

__all__ = ["EventMonitor", "PopulationRateMonitor", "SpikeMonitor", "StateMonitor"]
