"""Sweeps: every condition of an experiment in one call."""
