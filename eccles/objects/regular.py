"""Statements that run at every step of a clock, or after an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from eccles.compile import ir
from eccles.engine.clock import Clock
from eccles.engine.program import Block, Part, ProgramBuilder
from eccles.engine.state import Array
from eccles.errors import EquationError, SetupError
from eccles.language.check import check_statements
from eccles.language.nodes import Assignment, Expr, names_in
from eccles.language.parser import parse_statements
from eccles.objects import magic
from eccles.objects.code import Code
from eccles.objects.group import Group, SimulationObject
from eccles.objects.problems import Deferring
from eccles.objects.statements import emit_assignments
from eccles.units import Quantity

if TYPE_CHECKING:
    from eccles.objects.neurons import NeuronGroup

__all__ = ["Attached", "CodeRunner", "EventRunner"]


class Attached(Group):
    """Model text that is run on the elements of another group, with names of its own."""

    invalidates_magic_network = False
    _runs_for_all = True  # at once, not only for elements that have an event

    def __init__(
        self, group: Any, text: str, clock: Clock, when: str, order: int, name: str, title: str
    ) -> None:
        self.semantics = group.semantics
        super().__init__(name, clock, None, group.namespace, when, order)
        self.group = group
        self._statements: tuple[Assignment, ...] = ()
        self.deferred_errors = []
        with Deferring(group):
            self._statements = parse_statements(text, f"{group.name}, {title}")
        if group.semantics.bind == "construction":
            self.bind(magic.users_names())
            self.check()
        self._ready = True  # from now on attributes are variables

    def __len__(self) -> int:
        return len(self.group)

    def symbol(self, name: str) -> Any:
        return self.group.symbol(name)

    def internal_names(self) -> set[str]:
        return self.group.internal_names()

    def resolve(self, b: ProgramBuilder, name: str, element: ir.Expr, lowerer: Any) -> ir.Expr | None:
        if name == "t":
            return b.t(self.clock)
        if name == "dt":
            return b.dt(self.clock)
        return self.group.resolve(b, name, element, lowerer)

    def trees(self) -> Iterable[Expr]:
        return [a.value for a in self._statements]

    def _is_local(self, name: str) -> bool:
        return super()._is_local(name) or any(a.target == name for a in self._statements)

    def check(self) -> None:
        """Check the statements."""
        check_statements(self._statements, self.scope())
        self._check_shared()

    def _check_shared(self) -> None:
        """Shared variables get shared values, and before they are read: they are written first."""
        vectors: set[str] = set()  # names with a value for each element
        read: set[str] = set()  # in statements that have such a value
        for a in self._statements:
            names = names_in(a.expanded)
            per_element = any(n in vectors or self.group.is_per_element(n) for n in names)
            if not self.group.is_shared(a.target):
                if per_element or self.group.symbol(a.target) is not None:
                    vectors.add(a.target)
                    read |= names
                continue
            if per_element or not self._runs_for_all:
                raise EquationError(
                    f"'{a.target}' is shared by all elements: it cannot get a value for each of them here",
                    span=a.value.span,
                )
            if a.target in read:
                raise EquationError(
                    f"'{a.target}' is shared by all elements: write it before the statements that read it",
                    span=a.value.span,
                )

    def before_run(self, namespace: Mapping[str, Any] | None, duration: float) -> None:
        if self.deferred_errors:
            raise self.deferred_errors[0]
        if namespace is not None and self.group.semantics.bind == "run":
            self.bind(namespace)
            self.check()

    @property
    def statements(self) -> tuple[Assignment, ...]:
        """What is run."""
        return self._statements

    def targets(self) -> set[str]:
        """The names that the statements assign."""
        return {a.target for a in self._statements}

    @property
    def needs(self) -> list[SimulationObject]:
        return [self.group]

    def writes(self) -> Iterable[Array]:
        for assignment in self._statements:
            yield from self.group.arrays_of(assignment.target)


class CodeRunner(Attached):
    """Statements that run for all elements of a group at every step of a clock.

    Made by `group.run_regularly(...)`.
    """

    def __init__(
        self,
        group: Any,
        text: str,
        dt: Quantity | None,
        clock: Clock | None,
        when: str,
        order: int,
        name: str,
    ) -> None:
        if dt is not None and clock is not None:
            raise SetupError("give either dt or clock, not both")
        if dt is not None:
            clock = Clock(dt, f"the clock of {name.removesuffix('*')}")
        super().__init__(group, text, clock or group.clock, when, order, name, "run_regularly")

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        return [Block(self.name, self.clock, self.when, self.order, self._emit)]

    def _emit(self, b: ProgramBuilder) -> None:
        shared = [a for a in self._statements if self.group.is_shared(a.target)]
        rest = [a for a in self._statements if a not in shared]
        if shared:
            code = self._code(b, ir.const(0), "run_regularly shared")
            emit_assignments(b, code, shared, lambda name: self._place(b, name, ir.const(0)))
        if not rest:
            return
        first = self.group.first_element(b)
        n = b.integer_constant(("N", id(self.group)), "N", lambda: len(self.group))
        with b.elements("i", n, first) as i:
            code = self._code(b, i, "run_regularly")
            emit_assignments(b, code, rest, lambda name: self._place(b, name, i))

    def _code(self, b: ProgramBuilder, element: ir.Expr, purpose: str) -> Code:
        return Code(
            b, self, lambda name, low: self.resolve(b, name, element, low),
            element=element, purpose=purpose, clock=self.clock,
        )  # fmt: skip

    def _place(self, b: ProgramBuilder, name: str, element: ir.Expr) -> Any:
        return self.group.guarded_place(b, name, element)


class EventRunner(Attached):
    """Statements that run for each element that has an event; made by `group.run_on_event(...)`."""

    _runs_for_all = False

    def __init__(self, group: NeuronGroup, event: str, text: str, when: str, order: int, name: str) -> None:
        self.event = event
        super().__init__(group, text, group.clock, when, order, name, f"run_on_event '{event}'")

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        part = Part.INSTANT if self.in_instants else None
        return [Block(self.name, self.clock, self.when, self.order, self._emit, part)]

    def _emit(self, b: ProgramBuilder) -> None:
        with self.group.event_buffer(self.event).each_counted(b) as element:
            code = Code(
                b, self, lambda name, low: self.resolve(b, name, element, low),
                element=element, purpose=f"on {self.event}",
            )  # fmt: skip
            emit_assignments(b, code, self._statements, lambda name: self.group.place(name, element))
