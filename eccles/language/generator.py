"""The syntax in which connections are generated: `'k for k in range(i-2, i+3) if k != i'`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from eccles.errors import Source, Span, SyntaxProblem
from eccles.language.nodes import Expr
from eccles.language.parser import _checked_length, parse_span

__all__ = ["Generator", "parse_generator"]


@dataclass(frozen=True)
class Generator:
    """A parsed generator.

    Attributes
    ----------
    element : Expr
        The index that is generated.
    variable : str or None
        The variable that runs over a range or sample.
    source : {'range', 'sample'} or None
    start, stop, step : Expr or None
        Bounds of the range.
    probability, size : Expr or None
        Of a sample: the chance of each element, or how many are taken.
    condition : Expr or None
    """

    element: Expr
    variable: str | None = None
    source: Literal["range", "sample"] | None = None
    start: Expr | None = None
    stop: Expr | None = None
    step: Expr | None = None
    probability: Expr | None = None
    size: Expr | None = None
    condition: Expr | None = None


_FOR = re.compile(r"\bfor\s+([^\W\d]\w*)\s+in\s+")
_IF = re.compile(r"\bif\b")


def parse_generator(text: str, title: str = "connect") -> Generator:
    """Read the expression for an index, with its `for` and `if` parts.

    Raises
    ------
    SyntaxProblem
        If it cannot be read; points to the place.
    """
    source = Source(text, title)
    _checked_length(text, source, 0)
    start_for = _FOR.search(text)
    if start_for is None:
        if re.search(r"\bfor\b", text):
            at = re.search(r"\bfor\b", text)
            assert at is not None
            raise SyntaxProblem(
                "this 'for' is not complete", span=Span(source, at.start(), at.end()),
                hint="Write 'k for k in range(n)' or 'k for k in sample(n, p=0.1)'.",
            )  # fmt: skip
        condition_at = _outside(text, 0)
        element = parse_span(
            source, 0, len(text) if condition_at is None else condition_at.start(), "the index"
        )
        return Generator(element, condition=_condition(source, condition_at))
    element = parse_span(source, 0, start_for.start(), "the index")
    condition_at = _outside(text, start_for.end())
    stop = len(text) if condition_at is None else condition_at.start()
    parts = _iterable(source, start_for.end(), stop)
    return Generator(element, start_for.group(1), condition=_condition(source, condition_at), **parts)  # type: ignore[arg-type]


def _outside(text: str, start: int) -> re.Match[str] | None:
    """The first `if` outside brackets."""
    for match in _IF.finditer(text, start):
        before = text[start : match.start()]
        if before.count("(") == before.count(")"):
            return match
    return None


def _condition(source: Source, match: re.Match[str] | None) -> Expr | None:
    return None if match is None else parse_span(source, match.end(), len(source.text), "the condition")


def _iterable(source: Source, start: int, stop: int) -> dict[str, object]:
    """`range(...)` or `sample(...)`."""
    text = source.text[start:stop]
    found = re.match(r"\s*(\w+)\s*\(", text)
    end = len(text.rstrip())
    whole = Span(source, start + len(text) - len(text.lstrip()), start + end)
    if found is None or found.group(1) not in ("range", "sample") or text[end - 1] != ")":
        raise SyntaxProblem(
            "the variable can run over range(...) or sample(...) only", span=whole,
            hint="Write 'for k in range(10)', 'for k in range(a, b, step)' or 'for k in sample(N_post, p=0.1)'.",
        )  # fmt: skip
    kind = found.group(1)
    arguments = _arguments(text, found.end(), end - 1)
    positional: list[Expr] = []
    keywords: dict[str, Expr] = {}
    for begin, finish in arguments:
        named = re.match(r"\s*(p|size)\s*=(?!=)", text[begin:finish])
        if named:
            keywords[named.group(1)] = parse_span(
                source, start + begin + named.end(), start + finish, "the argument"
            )
        else:
            positional.append(parse_span(source, start + begin, start + finish, "the argument"))
    if not 1 <= len(positional) <= 3:
        raise SyntaxProblem(
            f"{kind} takes one to three bounds",
            span=whole,
            hint=f"Write {kind}(stop), {kind}(start, stop) ...",
        )
    if kind == "sample" and len(keywords) != 1:
        raise SyntaxProblem(
            "sample needs either p=... or size=...", span=whole, hint="Write sample(N_post, p=0.1)."
        )
    if kind == "range" and keywords:
        raise SyntaxProblem(
            "range takes no p or size", span=whole, hint="Write sample(...) for a random choice."
        )
    bounds = {
        1: (None, 0, None), 2: (0, 1, None), 3: (0, 1, 2),
    }[len(positional)]  # fmt: skip
    chosen = [None if k is None else positional[k] for k in bounds]
    return {
        "source": kind, "start": chosen[0], "stop": chosen[1], "step": chosen[2],
        "probability": keywords.get("p"), "size": keywords.get("size"),
    }  # fmt: skip


def _arguments(text: str, start: int, stop: int) -> list[tuple[int, int]]:
    """The arguments between brackets, split at commas outside inner brackets."""
    parts, depth, begin = [], 0, start
    for position in range(start, stop):
        character = text[position]
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append((begin, position))
            begin = position + 1
    if text[begin:stop].strip():
        parts.append((begin, stop))
    return parts
