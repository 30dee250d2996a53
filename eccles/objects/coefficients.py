"""Coefficients of integrators that need not be computed in every step.

A propagator such as exp(-dt/tau) depends on parameters only. It is computed at the start of every
call of the program, once if all its parameters are shared, else once per element into an array.
Where the program itself may change one of the parameters (a reset, an on_pre ...), it is computed in
every step: right first. Between calls Python may have changed anything, so every call computes anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element
from eccles.compile.lower import convert
from eccles.engine.program import ProgramBuilder
from eccles.engine.state import Array
from eccles.integrate.choose import step_of
from eccles.integrate.matrix import entries
from eccles.integrate.problem import Hoisted, Integrator, LinearSystem, Problem, Step
from eccles.language.nodes import Expr, names_in

if TYPE_CHECKING:
    from eccles.objects.code import Code
    from eccles.objects.group import Group

__all__ = ["Coefficients", "Preparation", "chosen_step", "moves_systems"]


def moves_systems(group: Group, step: Step, writes: frozenset[int]) -> bool:
    """Whether the program changes what a matrix exponential of the step is taken of.

    It is taken once per call of the program, so such a step is no use.
    """
    return any(group.is_written(name, writes) for system in step.systems for name in system.names())


def chosen_step(
    group: Group, problem: Problem, method: str | Sequence[str] | Integrator | None, writes: frozenset[int]
) -> Step:
    """The statements of one time step, by the user's method or the first that fits."""
    default = group.semantics.default_methods
    step = step_of(problem, method, default=default)
    if moves_systems(group, step, writes):
        step = step_of(problem, [m for m in default if m != "exact"])
    return step


@dataclass(frozen=True)
class Preparation:
    """A computation in Python before each call of the program.

    Attributes
    ----------
    compute : callable
    group : Group
    names : frozenset of str
        What of the group's names it depends on.
    """

    compute: Callable[[], None]
    group: Group
    names: frozenset[str]

    def __call__(self) -> None:
        """Do it."""
        self.compute()


class Coefficients:
    """The coefficients of one step of one group.

    Parameters
    ----------
    group : Group
    step : Step
        What the integrator asks for.
    writes : frozenset of int
        Ids of the arrays that the program changes.
    """

    def __init__(self, group: Group, step: Step, writes: frozenset[int]) -> None:
        self.group = group
        self.step = step
        self._writes = writes
        self._arrays: dict[str, Array] = {}
        self._scalars: dict[str, float] = {}
        self._inputs: dict[int, np.ndarray] = {}

    def _varies(self, tree: Expr) -> bool:
        """Whether the program may change something in the expression."""
        return any(self.group.is_written(name, self._writes) for name in self._all_names(tree))

    def _per_element(self, tree: Expr) -> bool:
        return any(self.group.is_per_element(name) for name in self._all_names(tree))

    def is_uniform(self) -> bool:
        """Whether all coefficients are the same for all elements, and computed once per call."""
        return not any(self._varies(h.expr) or self._per_element(h.expr) for h in self.step.hoisted)

    def _all_names(self, tree: Expr) -> set[str]:
        """Names in the expression and in the subexpressions that it uses."""
        names: set[str] = set()
        waiting = list(names_in(tree))
        while waiting:
            name = waiting.pop()
            if name in names:
                continue
            names.add(name)
            equation = self.group.subexpression(name)
            if equation is not None and equation.expr is not None:
                waiting.extend(names_in(equation.expr))
        return names

    def emit_prologue(self, b: ProgramBuilder) -> dict[str, ir.Expr]:
        """Code at the start of a call; returns the scalar coefficients by name."""
        scalars: dict[str, ir.Expr] = {}
        steady = [h for h in self.step.hoisted if not self._varies(h.expr)]
        for system in self.step.systems:
            scalars |= self._prepare_system(b, system)
        with b.body() as statements:
            for hoisted in steady:
                if not self._per_element(hoisted.expr):
                    value = self.group.element_code(b, ir.const(0), "coefficients").expr(hoisted.expr)
                    scalars[hoisted.name] = b.let(hoisted.name, convert(value, ir.F64))
            elementwise = [h for h in steady if self._per_element(h.expr)]
            if elementwise:
                self._emit_elementwise(b, elementwise)
        b.prologue.extend(statements)
        return scalars

    def _emit_elementwise(self, b: ProgramBuilder, hoisted: list[Hoisted]) -> None:
        n = len(self.group)
        for h in hoisted:
            if h.name not in self._arrays:
                self._arrays[h.name] = Array(f"{self.group.name}.{h.name}", Element.F64, n)
            self._arrays[h.name].resize(n)
        with b.vector("i", b.integer_constant(("N", id(self.group)), "N", lambda: len(self.group))) as i:
            code = self.group.element_code(b, i, "coefficients")
            for h in hoisted:
                b.store(self._arrays[h.name], i, convert(code.expr(h.expr), ir.F64))

    def extend(
        self, b: ProgramBuilder, env: dict[str, ir.Expr], scalars: dict[str, ir.Expr], i: ir.Expr, code: Code
    ) -> None:
        """Make all coefficients known within the loop over elements."""
        env.update(scalars)
        for name, array in self._arrays.items():
            env[name] = code.lowerer.let(name, b.load(array, i))
        for hoisted in self.step.hoisted:
            if hoisted.name not in env:
                env[hoisted.name] = code.lowerer.let(hoisted.name, convert(code.expr(hoisted.expr), ir.F64))

    # -- coupled linear systems -----------------------------------------------------------------

    def _prepare_system(self, b: ProgramBuilder, system: LinearSystem) -> dict[str, ir.Expr]:
        """Have the matrix exponential computed before each call, if its inputs have changed."""
        per_element = any(
            self._per_element(entry) for row in system.matrix for entry in row if entry is not None
        )
        scalars: dict[str, ir.Expr] = {}
        for name in system.wanted():
            if per_element:
                self._arrays[name] = Array(f"{self.group.name}.{name}", Element.F64, len(self.group))
            else:
                scalars[name] = b.float_constant(
                    ("coefficient", id(self), name), name, lambda n=name: self._scalars[n]
                )
        trees = [entry for row in system.matrix for entry in row if entry is not None]
        names = frozenset().union(*map(self._all_names, trees))
        b.prepares.append(Preparation(lambda: self._compute(system, per_element), self.group, names))
        return scalars

    def _compute(self, system: LinearSystem, per_element: bool) -> None:
        size = len(self.group) if per_element else 1
        elements = np.arange(size)
        n = len(system.variables)
        matrix = np.zeros((size, n, n))
        for row, trees in enumerate(system.matrix):
            for column, entry in enumerate(trees):
                if entry is not None:
                    matrix[:, row, column] = self.group.numpy_evaluate(
                        entry, elements, purpose="coefficients"
                    )
        dt = self.group.clock.dt_
        key = np.append(matrix.ravel(), dt)
        old = self._inputs.get(id(system))
        if old is not None and np.array_equal(old, key):
            return
        self._inputs[id(system)] = key
        for name, values in entries(system, matrix, dt).items():
            if per_element:
                self._arrays[name].data[:] = values
            else:
                self._scalars[name] = float(values[0])
