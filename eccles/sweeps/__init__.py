"""Sweeps: every condition of an experiment in one call."""

from eccles.sweeps import record
from eccles.sweeps.parameters import zipped
from eccles.sweeps.sweeping import rerun, sweep

__all__ = ["record", "rerun", "sweep", "zipped"]
