"""Functions for model text, declared in Brian 2's ways: all are compiled from their Python source."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from eccles.language.functions import UserFunction, compile_python_function

__all__ = ["Function", "implementation"]


class _Implementations:
    """Accepts implementations in other languages; the Python source is what counts."""

    def add_implementation(self, *args: Any, **kwargs: Any) -> None:
        """Accepted, without effect."""

    add_numpy_implementation = add_dynamic_implementation = add_implementation


class CompiledFunction(UserFunction):
    """A function for model text with the attributes that scripts for Brian 2 use."""

    @property
    def implementations(self) -> _Implementations:
        """Where scripts put code in other languages."""
        return _Implementations()


def Function(
    pyfunc: Callable[..., Any],
    sympy_func: Any = None,
    arg_units: list[Any] | None = None,
    arg_names: list[str] | None = None,
    return_unit: Any = None,
    arg_types: list[str] | None = None,
    return_type: str | None = None,
    stateless: bool = True,
    auto_vectorise: bool = False,
) -> CompiledFunction:
    """A Python function with its units, for use in model text.

    Raises
    ------
    ModelError
        If its source uses more of Python than can be compiled.
    ValueError
        If there is not one unit per argument.
    """
    if arg_units is None:
        found = compile_python_function(pyfunc)
    else:
        names = list(inspect.signature(getattr(pyfunc, "_orig_func", pyfunc)).parameters)
        if len(names) != len(arg_units):
            raise ValueError(f"{len(arg_units)} units for the {len(names)} arguments of {pyfunc.__name__}")
        found = compile_python_function(pyfunc, dict(zip(names, arg_units, strict=True)), return_unit)
    return CompiledFunction(**vars(found))


def implementation(*args: Any, **kwargs: Any) -> Callable[[Any], Any]:
    """Accepted and ignored: functions are compiled from their Python source."""
    return lambda function: function
