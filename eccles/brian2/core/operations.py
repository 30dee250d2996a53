"""Where scripts look for network operations."""

from eccles.brian2 import NetworkOperation, network_operation

__all__ = ["NetworkOperation", "network_operation"]
