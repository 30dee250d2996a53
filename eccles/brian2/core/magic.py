"""Where scripts look for what runs without naming a network."""

from eccles.brian2 import MagicError, collect, magic_network, restore, run, start_scope, stop, store

__all__ = ["MagicError", "collect", "magic_network", "restore", "run", "start_scope", "stop", "store"]
