"""Where scripts look for equations."""

from eccles.brian2 import EquationError, Equations, Expression, Statements

__all__ = ["EquationError", "Equations", "Expression", "Statements"]
