"""Variables of one group that are another group's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.compile.lower import Lowerer
from eccles.engine.program import ProgramBuilder
from eccles.engine.state import Array
from eccles.errors import DimensionMismatchError, SetupError
from eccles.language.check import Symbol
from eccles.language.equations import Equation
from eccles.language.nodes import names_in
from eccles.objects.variables import VariableView

__all__ = ["Link", "LinkedVariable", "linked_var"]


@dataclass(frozen=True)
class LinkedVariable:
    """What `linked_var` returns: assign it to a variable declared `(linked)`."""

    group: Any
    name: str
    index: Any = None


def linked_var(group_or_variable: Any, name: str | None = None, index: Any = None) -> LinkedVariable:
    """Refer to a variable of another group.

    Parameters
    ----------
    group_or_variable : group or variable view
        `linked_var(other, 'x')` or `linked_var(other.x)`.
    name : str, optional
        The variable's name, if a group was given.
    index : sequence of int, or str, optional
        Which element of the other group each element is linked to: numbers, or the name of an integer
        variable of the group that is linked; by default its own number,
        or element 0 of a group of one or of a shared variable.
    """
    if name is None:
        if not isinstance(group_or_variable, VariableView) or group_or_variable.group is None:
            raise TypeError("linked_var needs a group and the name of a variable, or a variable of a group")
        return LinkedVariable(group_or_variable.group, group_or_variable.name, index)
    if not hasattr(group_or_variable, "symbol"):
        raise TypeError(f"linked_var needs a group, not {group_or_variable!r}")
    return LinkedVariable(group_or_variable, name, index)


def _sources_of_links(group: Any) -> list[Any]:
    """The groups that the linked variables of a group lead to, directly or through others."""
    found: list[Any] = []
    waiting = [group]
    while waiting:
        for link in getattr(waiting.pop(), "_links", {}).values():
            if link.source.whole not in found:
                found.append(link.source.whole)
                waiting.append(link.source.whole)
    return found


class Link:
    """A linked variable of a group, resolved: where its values are."""

    def __init__(
        self,
        source: Any,
        name: str,
        equation: Equation,
        index: Array | None,
        single: bool,
        index_name: str | None = None,
    ) -> None:
        self.source = source
        self.name = name
        self._equation = equation
        self._index = index
        self._single = single
        self._index_name = index_name  # of the variable that holds the index, if it is one

    @classmethod
    def of(cls, link: Any, group: Any, equation: Equation) -> Link:
        """Check a link and make it.

        Raises
        ------
        TypeError, SetupError, DimensionMismatchError
            If it is no link, the sizes or indices do not fit, or the dimensions differ.
        """
        if not isinstance(link, LinkedVariable):
            raise TypeError(
                f"'{equation.name}' of {group.name} is declared as linked: "
                f"set it to linked_var(...), not to a value"
            )
        source = link.group
        if source.whole is group or group in _sources_of_links(source.whole):
            raise SetupError(f"'{equation.name}' of {group.name} would be linked to itself")
        symbol = source.symbol(link.name)
        if symbol is None:
            raise SetupError(f"{source.name} has no variable '{link.name}'")
        if symbol.dim is not equation.dim:
            raise DimensionMismatchError(
                f"'{equation.name}' of {group.name} is {equation.dim.friendly()}, "
                f"but '{link.name}' of {source.name} is {symbol.dim.friendly()}",
                equation.dim, symbol.dim,
            )  # fmt: skip
        single = symbol.shared or (link.index is None and len(source) == 1)
        index = None
        if isinstance(link.index, str):
            chosen = group.symbol(link.index)
            whole_number = chosen is not None and chosen.type == "integer" and not chosen.shared
            if not whole_number or not group.is_writable(link.index):
                raise SetupError(
                    f"'{equation.name}' of {group.name} cannot be linked by '{link.index}': "
                    f"that has to be an integer variable of {group.name}"
                )
            return cls(source, link.name, equation, group.variable(link.index).array, single, link.index)
        if link.index is not None:
            given = np.asarray(link.index)
            if given.shape != (len(group),) or not np.issubdtype(given.dtype, np.integer):
                raise SetupError(
                    f"the index of a link needs one integer for each of the {len(group)} elements"
                )
            if given.min() < 0 or given.max() >= len(source):
                raise IndexError(f"the index of a link has to lie in 0 to {len(source) - 1}")
            index = Array(f"{group.name}.{equation.name}.index", Element.I32, len(group))
            index.data[:] = given + source.start
        elif not single and len(source) != len(group):
            raise SetupError(
                f"'{equation.name}' cannot be linked: {group.name} has {len(group)} elements, "
                f"{source.name} has {len(source)}",
                hint="Give index=..., the element of the other group for each element.",
            )
        return cls(source, link.name, equation, index, single)

    @property
    def given_index(self) -> np.ndarray | str | None:
        """The index with which the link was made: elements of the source, or the name of a variable."""
        if self._index_name is not None or self._index is None:
            return self._index_name
        return self._index.data - self.source.start

    def check(self, group: Any) -> None:
        """Check that no index leads out of the source, before each run.

        Raises
        ------
        IndexError
            If one does: it is a variable, or the source are synapses that have become fewer.
        """
        if self._index_name is None:
            reach = len(group) if self._index is None else int(self._index.data.max()) + 1 - self.source.start
            needed = 1 if self._single else reach
            if needed > len(self.source) and not self.source.symbol(self.name).shared:
                raise IndexError(
                    f"'{self._equation.name}' of {group.name} is linked to {self.source.name}, "
                    f"which has only {len(self.source)} elements now"
                )
            return
        assert self._index is not None
        index = self._index.data
        if index.min() < 0 or index.max() >= len(self.source):
            raise IndexError(
                f"'{self._equation.name}' of {group.name} is linked to {self.source.name}, which has "
                f"{len(self.source)} elements, but {self._index_name} has values from {index.min()} to "
                f"{index.max()}"
            )

    def symbol(self, name: str) -> Symbol:
        """The dimension and type."""
        e = self._equation
        return Symbol(name, e.dim, e.type, "variable", writable=True, shared=False, owner=self.source.name)

    def element(self, b: ProgramBuilder, element: ir.Expr) -> ir.Expr:
        """The element of the source."""
        if self._single:
            return ir.const(self.source.start)
        if self._index is not None and self._index_name is not None:
            # Python code may write anything within a run: no read may leave the source
            last = b.integer_constant(("last", id(self)), "last", lambda: len(self.source) - 1)
            own = Op("imax", (Op("imin", (b.load(self._index, element), last)), ir.const(0)))
            return Op("iadd", (own, ir.const(self.source.start)))
        if self._index is not None:
            return b.load(self._index, element)
        first = self.source.start
        return Op("iadd", (element, ir.const(first))) if first else element

    def varies(self, writes: frozenset[int]) -> bool:
        """Whether the values may change while a program runs that writes these arrays."""
        waiting, seen = [self.name], set()
        while waiting:
            name = waiting.pop()
            if name in ("t", "t_in_timesteps") or self.source.is_written(name, writes):
                return True
            equation = self.source.whole.subexpression(name)
            if equation is not None and equation.expr is not None and name not in seen:
                seen.add(name)
                waiting.extend(names_in(equation.expr))
                if self.source.whole.is_stateful(equation.expr):
                    return True
        return False

    def place(self, element: ir.Expr) -> Any:
        """Where an assignment to the variable is stored.

        Raises
        ------
        SetupError
            If several elements may be linked to one.
        """
        if self._single or self._index is not None:
            raise SetupError(
                f"'{self._equation.name}' cannot be assigned: several elements may be linked to the same "
                f"element of {self.source.name}"
            )
        first = self.source.start
        return self.source.place(self.name, Op("iadd", (element, ir.const(first))) if first else element)

    def resolve(self, b: ProgramBuilder, element: ir.Expr, lowerer: Lowerer) -> ir.Expr | None:
        """The IR value for one element."""
        index = lowerer.let("linked", self.element(b, element))
        return self.source.resolve(b, self.name, index, lowerer)

    def numpy_value(self, elements: np.ndarray) -> Any:
        """The current values for some elements."""
        if self._single:
            return np.broadcast_to(self.source.numpy_value(self.name, np.zeros(1, np.int64)), elements.shape)
        if self._index is not None:
            index = self._index.data[elements]
            if self._index_name is not None:
                index = np.clip(index, 0, len(self.source) - 1) + self.source.start
            return self.source.whole.numpy_value(self.name, index)
        return self.source.numpy_value(self.name, elements)
