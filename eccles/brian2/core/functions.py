"""Where scripts look for functions."""

from eccles.brian2.functions import Function, implementation
from eccles.units import check_units, declare_types

__all__ = ["Function", "check_units", "declare_types", "implementation"]
