"""Where scripts look for integration methods."""

from eccles.brian2 import ExplicitStateUpdater, UnsupportedEquationsException

__all__ = ["ExplicitStateUpdater", "UnsupportedEquationsException"]
