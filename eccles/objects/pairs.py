"""From the arguments of `connect` to pairs of neurons: texts are read, checked and evaluated here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from eccles.errors import NameResolutionError, SetupError
from eccles.language.check import Symbol, check_expression
from eccles.language.evaluate import evaluate
from eccles.language.functions import BUILTINS
from eccles.language.generator import parse_generator
from eccles.language.nodes import Expr, Name, walk
from eccles.language.parser import parse_expression
from eccles.objects import connect, magic
from eccles.objects.group import DRAWS, TextScope
from eccles.objects.swept import words_in
from eccles.units import DIMENSIONLESS

if TYPE_CHECKING:
    from eccles.objects.synapses import Synapses

__all__ = ["Request", "requested_pairs"]


class Request(NamedTuple):
    """Pairs in chunks, and about how many there will be where that is known."""

    chunks: Iterator[connect.Pairs]
    expected: int = 0


def requested_pairs(
    synapses: Synapses,
    condition: Any,
    i: Any,
    j: Any,
    p: Any,
    n: Any,
    skip_if_invalid: bool,
    names: Mapping[str, Any],
) -> Request:
    """The pairs that a call of `connect` asks for; see `Synapses.connect`.

    Raises
    ------
    SetupError, TypeError
        If the arguments do not fit together.
    ModelError
        If a text is wrong.
    """
    _check_arguments(condition, i, j)
    if condition is False:
        return Request(iter(()))
    chance = parse_expression(p, "connect, p") if isinstance(p, str) else _probability(p)
    times = parse_expression(n, "connect, n") if isinstance(n, str) else n
    trees = [tree for tree in (chance, times) if isinstance(tree, Expr)]
    draws = isinstance(chance, Expr) or chance < 1 or RANDOM & set(words_in(condition, i, j, n))
    key = _key(synapses) if draws else 0
    if isinstance(i, str) or isinstance(j, str):
        return Request(_by_generator(synapses, i, j, chance, times, trees, skip_if_invalid, key, names))
    if i is not None or j is not None:
        if i is None or j is None:
            raise SetupError("connect needs both i and j (or an expression for one of them)")
        if isinstance(n, str):
            raise SetupError("text for n cannot be combined with index arrays i and j: give an array")
        scope = _PairScope(synapses, trees, names)
        _check_numbers(chance, times, scope)
        chunks = connect.by_indices(
            i, j, n, len(synapses.source), len(synapses.target), chance, skip_if_invalid,
            _PairEvaluator(synapses, scope), key,
        )  # fmt: skip
        return Request(chunks)
    rule = parse_expression(condition, "connect, condition") if isinstance(condition, str) else None
    scope = _PairScope(synapses, [*trees, *([] if rule is None else [rule])], names)
    if rule is not None:
        check_expression(rule, scope, expect_type="boolean", what="the condition for a connection")
    _check_numbers(chance, times, scope)
    counts = _times(times)
    n_pre, n_post = len(synapses.source), len(synapses.target)
    value = _PairEvaluator(synapses, scope)
    chunks = connect.by_condition(n_pre, n_post, rule, chance, counts, value, key)
    if rule is None and not isinstance(chance, Expr) and not isinstance(counts, Expr):
        return Request(chunks, connect.expected_number(n_pre * n_post, chance, counts))
    return Request(chunks)


RANDOM = {*DRAWS, "sample"}  # words of text that need random numbers


def _check_arguments(condition: Any, i: Any, j: Any) -> None:
    if condition is not None and not isinstance(condition, str | bool | np.bool_):
        raise TypeError("the first argument of connect is a condition (text); give indices as i=..., j=...")
    if condition is not None and (i is not None or j is not None):
        raise SetupError("connect takes either a condition or indices i and j, not both")
    if isinstance(i, str) and isinstance(j, str):
        raise SetupError("only one of i and j can be an expression; the other one runs over all elements")


def _key(synapses: Synapses) -> int:
    """The key of this call's random numbers: another one for each call."""
    key = synapses.stream_key("connect")
    return key + magic.next_ordinal(key) * 0x9E3779B97F4A7C15 & (2**64 - 1)


def _by_generator(
    synapses: Synapses, i: Any, j: Any, p: Expr | float, n: Any, trees: list[Expr], skip_if_invalid: bool,
    key: int, names: Mapping[str, Any],
) -> Iterator[connect.Pairs]:  # fmt: skip
    made = "j" if isinstance(j, str) else "i"
    if (i if made == "j" else j) is not None:
        raise SetupError(
            f"with an expression for {made}, the other index runs over all elements: leave it out"
        )
    generator = parse_generator(j if made == "j" else i, f"connect, {made}")
    if generator.variable is not None and synapses.symbol(generator.variable) is not None:
        raise SetupError(
            f"the variable of a generator cannot be called '{generator.variable}': it has a meaning already",
            hint="Call it k, as in 'k for k in range(10)'.",
        )
    parts = {
        f"the expression for {made}": generator.element, "the start of a range": generator.start,
        "the end of a range": generator.stop, "the step of a range": generator.step,
        "the probability of a sample": generator.probability, "the size of a sample": generator.size,
    }  # fmt: skip
    given = {what: tree for what, tree in parts.items() if tree is not None}
    condition = [] if generator.condition is None else [generator.condition]
    scope = _PairScope(synapses, [*trees, *given.values(), *condition], names, generator.variable)
    for what, tree in given.items():
        _check_known_before(synapses, tree, made, what)
        check_expression(tree, scope, expect_dim=DIMENSIONLESS, what=what)
    for tree in condition:
        check_expression(tree, scope, expect_type="boolean", what="the condition of a generator")
    _check_numbers(p, n, scope)
    sizes = (len(synapses.source), len(synapses.target))
    over, n_made = sizes if made == "j" else sizes[::-1]
    value = _PairEvaluator(synapses, scope)
    truncate = synapses.semantics.truncate_indices
    return connect.by_generator(
        generator, over, n_made, made, p, _times(n), skip_if_invalid, truncate, value, key
    )


def _check_known_before(synapses: Synapses, tree: Expr, made: str, what: str) -> None:
    """What a generator computes an index from cannot depend on that index."""
    suffix, group = ("_post", synapses.target) if made == "j" else ("_pre", synapses.source)
    for node in walk(tree):
        if not isinstance(node, Name):
            continue
        of_made = node.id.endswith(suffix) and node.id != f"N{suffix}"
        short = made == "j" and node.id not in ("i", "t", "dt") and group.symbol(node.id) is not None
        if node.id == made or of_made or short:
            raise NameResolutionError(
                f"{what} cannot use '{node.id}': {made} is not known yet", span=node.span,
                hint=f"Variables of the other side can be used, or add a condition: '... if {node.id} > 0'.",
            )  # fmt: skip


def _check_numbers(p: Expr | float, n: Any, scope: TextScope) -> None:
    for tree, what in ((p, "the probability p"), (n, "the number n of synapses per pair")):
        if isinstance(tree, Expr):
            check_expression(tree, scope, expect_dim=DIMENSIONLESS, what=what)


class _PairEvaluator:
    """Evaluates connection expressions for arrays of pairs."""

    def __init__(self, synapses: Synapses, scope: _PairScope) -> None:
        self._synapses = synapses
        self._external = scope.external

    def __call__(
        self, tree: Expr, i: np.ndarray, j: np.ndarray, extra: dict[str, np.ndarray], purpose: str
    ) -> np.ndarray:
        synapses = self._synapses
        key = synapses.stream_key(purpose)

        def look_up(name: str) -> Any:
            if name in extra:
                return extra[name]
            match name:
                case "i":
                    return i
                case "j":
                    return j
            # an index that a generator made may be out of range: its condition comes first
            value = synapses.pair_value(
                name, np.clip(i, 0, len(synapses.source) - 1), np.clip(j, 0, len(synapses.target) - 1)
            )
            return self._external[name].value if value is None else value

        def call(function: str, args: tuple[Any, ...]) -> Any:
            if function in DRAWS:
                return DRAWS[function](*args, key, np.arange(len(i)), magic.next_ordinal(key), 0)
            if function in BUILTINS:
                python = BUILTINS[function].python
                assert python is not None, "all others draw random numbers"
                return python(*args)
            return self._external[function].evaluate(*args)

        return np.asarray(evaluate(tree, look_up, call))


class _PairScope(TextScope):
    """Names in connection expressions: those of both neurons, and the variable of a generator."""

    def __init__(
        self, synapses: Synapses, trees: list[Expr], names: Mapping[str, Any], variable: str | None = None
    ) -> None:
        self._variable = variable
        self._synapses = synapses
        super().__init__(synapses, trees, names)

    def symbol(self, name: str) -> Symbol | None:
        if name == self._variable or name in ("i", "j"):
            return Symbol(name, DIMENSIONLESS, "integer", "builtin", writable=False)
        if self._synapses.is_synaptic(name):
            return None  # there are no synapses yet that could have a value
        return super().symbol(name)


def _probability(p: Any) -> float:
    try:
        value = float(p)
    except TypeError:
        raise TypeError(f"the probability p is a number or text, not {p!r}") from None
    if not 0 <= value <= 1:
        raise SetupError(f"a probability has to lie between 0 and 1, not {value}")
    return value


def _times(n: Any) -> Expr | int:
    """How many synapses per pair: a tree, or a number."""
    if isinstance(n, Expr):
        return n
    if not isinstance(n, int | np.integer) or isinstance(n, bool):
        raise TypeError(f"the number n of synapses per pair is an integer or text, not {n!r}")
    if n < 0:
        raise SetupError(f"the number of synapses per pair cannot be negative ({n})")
    return int(n)
