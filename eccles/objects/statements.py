"""Code for one element: run assignments, then store what they assigned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from eccles.compile import ir
from eccles.compile.ir import BOOL, F64, I64, Op
from eccles.engine.program import ProgramBuilder
from eccles.language.nodes import Assignment
from eccles.objects.code import Code
from eccles.objects.variables import Variable

__all__ = ["IR_TYPES", "Place", "emit_assignments"]

IR_TYPES = {"float": F64, "integer": I64, "boolean": BOOL}

# where an assigned variable is stored: the variable, the element, and when it may be written (None: always)
Place = tuple[Variable, ir.Expr, Callable[[], ir.Expr | None]]


def emit_assignments(
    b: ProgramBuilder,
    code: Code,
    assignments: Sequence[Assignment],
    place: Callable[[str], Place | None],
    known: Mapping[int, ir.Expr] | None = None,
) -> None:
    """Run assignments for one element and store the variables among their targets.

    Parameters
    ----------
    place : callable
        `place(name)` tells where a variable is stored; None for a temporary.
    known : dict of int to ir.Expr, optional
        What assignments of these numbers give, where it has been computed and stored already.
    """
    known = known or {}
    places = {a.target: place(a.target) for k, a in enumerate(assignments) if k not in known}
    types = {name: IR_TYPES[found[0].type] for name, found in places.items() if found is not None}
    for k, assignment in enumerate(assignments):
        if k in known:
            code.lowerer.env[assignment.target] = known[k]
        else:
            code.lowerer.statements([assignment], types)
    for name, value in code.lowerer.assigned.items():
        found = places[name]
        if found is None:
            continue
        variable, element, may_write = found
        index = ir.const(0) if variable.shared else element
        condition = may_write()
        stored: ir.Expr = value
        if condition is not None:
            stored = Op("select", (condition, value, b.load(variable.array, index)))
        b.store(variable.array, index, stored)
