"""Where scripts look for what all objects are."""

from eccles.brian2 import BrianObject, BrianObjectException

__all__ = ["BrianObject", "BrianObjectException"]
