"""Where scripts look for networks."""

from eccles.brian2 import Network, profiling_summary, scheduling_summary

__all__ = ["Network", "profiling_summary", "scheduling_summary"]
