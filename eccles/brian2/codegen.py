"""Where scripts look for ways to generate code; there is one here."""

from eccles.brian2 import CythonCodeObject, NumpyCodeObject

__all__ = ["CythonCodeObject", "NumpyCodeObject"]
