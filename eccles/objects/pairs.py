"""From the arguments of `connect` to pairs of neurons: texts are read, checked and evaluated here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.errors import SetupError
from eccles.language.check import Symbol, check_expression
from eccles.language.evaluate import evaluate
from eccles.language.functions import BUILTINS
from eccles.language.generator import parse_generator
from eccles.language.nodes import Expr
from eccles.language.parser import parse_expression
from eccles.objects import connect, magic
from eccles.objects.group import DRAWS, TextScope
from eccles.units import DIMENSIONLESS

if TYPE_CHECKING:
    from eccles.objects.synapses import Synapses

__all__ = ["requested_pairs"]


def requested_pairs(
    synapses: Synapses,
    condition: Any,
    i: Any,
    j: Any,
    p: Any,
    n: Any,
    skip_if_invalid: bool,
    namespace: Mapping[str, Any] | None,
) -> Iterator[connect.Pairs]:
    """The pairs that a call of `connect` asks for, in chunks; see `Synapses.connect`.

    Raises
    ------
    SetupError, TypeError
        If the arguments do not fit together.
    """
    if isinstance(condition, np.ndarray | int) and not isinstance(condition, bool | np.bool_):
        raise TypeError("the first argument of connect is a condition (text); give indices as i=..., j=...")
    if condition is not None and (i is not None or j is not None):
        raise SetupError("connect takes either a condition or indices i and j, not both")
    if isinstance(i, str) and isinstance(j, str):
        raise SetupError("only one of i and j can be an expression; the other one runs over all elements")
    if condition is False:
        return iter(())
    text = {"p": p if isinstance(p, str) else None, "n": n if isinstance(n, str) else None}
    trees = {k: parse_expression(v, f"connect, {k}") for k, v in text.items() if v is not None}
    key = synapses.stream_key("connect")
    key += magic.next_ordinal(key ^ 1) * 0x9E3779B97F4A7C15 & (2**64 - 1)
    chance = trees.get("p", None if isinstance(p, str) else _probability(p))
    if isinstance(i, str) or isinstance(j, str):
        return _by_generator(synapses, i, j, chance, trees.get("n", n), skip_if_invalid, key, trees)
    if i is not None or j is not None:
        if i is None or j is None:
            raise SetupError("connect needs both i and j (or an expression for one of them)")
        if chance != 1.0 or "n" in trees:
            raise SetupError("p and text for n cannot be combined with index arrays i and j")
        return connect.by_indices(i, j, n, len(synapses.source), len(synapses.target))
    tree = None
    if isinstance(condition, str):
        tree = parse_expression(condition, "connect, condition")
    value = _PairEvaluator(synapses, [*trees.values(), *([tree] if tree is not None else [])], None)
    if tree is not None:
        check_expression(tree, value.scope, expect_type="boolean", what="the condition for a connection")
    count = _times(trees.get("n", n))
    return connect.by_condition(len(synapses.source), len(synapses.target), tree, chance, count, value, key)


def _by_generator(
    synapses: Synapses, i: Any, j: Any, p: Any, n: Any, skip_if_invalid: bool, key: int,
    trees: dict[str, Expr],
) -> Iterator[connect.Pairs]:  # fmt: skip
    made = "j" if isinstance(j, str) else "i"
    if (i if made == "j" else j) is not None:
        raise SetupError(
            f"with an expression for {made}, the other index runs over all elements: leave it out"
        )
    generator = parse_generator(j if made == "j" else i, f"connect, {made}")
    sizes = (len(synapses.source), len(synapses.target))
    over, n_made = sizes if made == "j" else sizes[::-1]
    parts = (
        generator.element, generator.start, generator.stop, generator.step,
        generator.probability, generator.size, generator.condition,
    )  # fmt: skip
    value = _PairEvaluator(
        synapses, [*trees.values(), *(part for part in parts if part is not None)], generator.variable
    )
    return connect.by_generator(generator, over, n_made, made, p, _times(n), skip_if_invalid, value, key)


class _PairEvaluator:
    """Evaluates connection expressions for arrays of pairs."""

    def __init__(self, synapses: Synapses, trees: list[Expr], variable: str | None) -> None:
        self._synapses = synapses
        self.scope = _PairScope(synapses, trees, variable)

    def __call__(
        self, tree: Expr, i: np.ndarray, j: np.ndarray, extra: dict[str, np.ndarray], purpose: str
    ) -> np.ndarray:
        key = self._synapses.stream_key(purpose)

        def look_up(name: str) -> Any:
            if name in extra:
                return extra[name]
            match name:
                case "i":
                    return i
                case "j":
                    return j
            value = self._synapses.pair_value(name, i, j)
            return self.scope.external[name].value if value is None else value

        def call(function: str, args: tuple[Any, ...]) -> Any:
            if function in DRAWS:
                size = max(len(i), len(j))
                return DRAWS[function](*args, key, np.arange(size), magic.next_ordinal(key), 0)
            if function in BUILTINS:
                return BUILTINS[function].python(*args)
            return self.scope.external[function].evaluate(*args)

        return np.asarray(evaluate(tree, look_up, call))


class _PairScope(TextScope):
    """Names in connection expressions; the variable of a generator is one of them."""

    def __init__(self, synapses: Synapses, trees: list[Expr], variable: str | None) -> None:
        self._variable = variable
        super().__init__(synapses, trees, magic.users_names())

    def symbol(self, name: str) -> Symbol | None:
        if name == self._variable:
            return Symbol(name, DIMENSIONLESS, "integer", "builtin", writable=False)
        return super().symbol(name)


def _probability(p: Any) -> float:
    value = float(p)
    if not 0 <= value <= 1:
        raise SetupError(f"a probability has to lie between 0 and 1, not {value}")
    return value


def _times(n: Any) -> Any:
    """How many synapses per pair: a tree, or a number."""
    if isinstance(n, int | np.integer):
        if n < 0:
            raise SetupError(f"the number of synapses per pair cannot be negative ({n})")
        return int(n)
    return n
