"""Where scripts look for variables."""

from eccles.brian2 import linked_var
from eccles.objects.variables import VariableView

__all__ = ["VariableView", "linked_var"]
