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
    conditions = {name: found[2]() for name, found in places.items() if found is not None}
    lowerer = code.lowerer
    for k, assignment in enumerate(assignments):
        name = assignment.target
        if k in known:
            lowerer.env[name] = known[k]
            continue
        condition = conditions.get(name)
        before = None if condition is None else lowerer.env[name]
        lowerer.statements([assignment], types)
        if condition is not None and before is not None:
            # later statements, too, see a variable that may not be written as it was
            kept = lowerer.let(name, Op("select", (condition, lowerer.assigned[name], before)))
            assert isinstance(kept, ir.Local)
            lowerer.env[name] = lowerer.assigned[name] = kept
    for name, value in lowerer.assigned.items():
        found = places[name]
        if found is not None:
            variable, element, _ = found
            b.store(variable.array, ir.const(0) if variable.shared else element, value)
