"""Model text of one group as IR, within one body of the program.

What `Lowerer` does not know is answered here: internal names by the group, external ones by the script,
random numbers by their own streams, functions of the user by their text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from eccles.compile import ir
from eccles.compile.ir import F64, I64
from eccles.compile.lower import Lowerer, convert
from eccles.engine.clock import Clock
from eccles.engine.program import ProgramBuilder
from eccles.language.functions import UserFunction
from eccles.language.nodes import Expr
from eccles.objects.timed import TimedArray

if TYPE_CHECKING:
    from eccles.objects.group import Group

__all__ = ["Code"]


class Code:
    """Translates model text of one group within one body of the program.

    Parameters
    ----------
    b : ProgramBuilder
    owner : Group
        Whose text it is: external names are looked up there.
    resolve : callable
        `resolve(name, lowerer) -> ir.Expr | None` for internal names.
    element : ir.Expr
        What random numbers are counted by, along with the step or event: which element.
    purpose : str
        Tells the random streams of one group apart.
    """

    def __init__(
        self,
        b: ProgramBuilder,
        owner: Group,
        resolve: Callable[[str, Lowerer], ir.Expr | None],
        *,
        element: ir.Expr,
        purpose: str,
        clock: Clock | None = None,
    ) -> None:
        self.b = b
        self.owner = owner
        self.fallback: Group | None = None  # whose external names count too
        self.element = element
        self.purpose = purpose
        self.clock = clock if clock is not None else owner.clock
        self._resolve = resolve
        self._n_draws = 0
        self.lowerer = Lowerer({}, b.names, self._call)
        self.lowerer.env = _LazyEnv(self._look_up)
        self.lowerer.out = b.current_body

    def _look_up(self, name: str) -> ir.Expr:
        value = self._resolve(name, self.lowerer)
        if value is None:
            value = self._text_owner(name).external_value(self.b, name)
        return self.lowerer.let(name, value)

    def _text_owner(self, name: str) -> Group:
        if self.fallback is not None and not self.owner.has_external(name):
            return self.fallback
        return self.owner

    def expr(self, tree: Expr) -> ir.Expr:
        """The value of an expression."""
        return self.lowerer.expr(tree)

    def number(self, tree: Expr) -> ir.Expr:
        """The value of an expression as a float."""
        return convert(self.lowerer.expr(tree), F64)

    def draw(self, function: ir.Function, *args: ir.Expr) -> ir.Expr:
        """A random number that no other draw of the program has."""
        key = self.b.integer_constant(
            ("key", id(self.owner), self.purpose), "key", lambda: self.owner.stream_key(self.purpose)
        )
        self._n_draws += 1
        counted = self.b.step(self.clock) if self.b.ordinal is None else self.b.ordinal
        call = ir.Call(function, (*args, key, self.element, counted, ir.const(self._n_draws - 1)))
        return self.lowerer.let(function.name, call)

    def _call(self, name: str, args: tuple[ir.Expr, ...], lowerer: Lowerer) -> ir.Expr | None:
        from eccles.compile import random

        match name:
            case "rand":
                return self.draw(random.uniform)
            case "randn":
                return self.draw(random.normal)
            case "poisson":
                return self.draw(random.poisson, convert(args[0], F64))
            case "binomial":
                return self.draw(random.binomial, convert(args[0], I64), convert(args[1], F64))
        function = self._text_owner(name).external_function(name)
        if isinstance(function, TimedArray):
            return function.emit(self.b, args, lowerer)
        if isinstance(function, UserFunction):
            return self._inline(function, args)
        return None

    def _inline(self, function: UserFunction, args: tuple[ir.Expr, ...]) -> ir.Expr:
        inner = Lowerer({}, self.b.names, self._call)
        inner.env = _LazyEnv(lambda name: self.owner.external_value(self.b, name))
        inner.env.update(zip(function.params, args, strict=True))
        inner.out = self.lowerer.out
        inner.statements(function.body, {})
        return inner.expr(function.result)


class _LazyEnv(dict[str, ir.Expr]):
    """Names that are looked up when they are first used."""

    def __init__(self, look_up: Callable[[str], ir.Expr]) -> None:
        super().__init__()
        self._look_up = look_up

    def __missing__(self, name: str) -> ir.Expr:
        self[name] = value = self._look_up(name)
        return value
