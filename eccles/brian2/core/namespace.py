"""Where scripts look for the names that model text sees."""

from eccles.brian2 import get_local_namespace

__all__ = ["get_local_namespace"]
