"""The syntax in which connections are generated: `'k for k in range(i-2, i+3) if k != i'`."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import Any, Literal

from eccles.errors import Source, Span, SyntaxProblem
from eccles.language.nodes import Expr
from eccles.language.parser import (
    check_name,
    check_size,
    normal_name,
    parse_span,
    unbalanced,
    without_comments,
)

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


def parse_generator(text: str, title: str = "connect") -> Generator:
    """Read the expression for an index, with its `for` and `if` parts.

    Raises
    ------
    SyntaxProblem
        If it cannot be read; points to the place.
    """
    if not isinstance(text, str):
        raise TypeError(f"{title} has to be text, not {text!r}")
    source = Source(text, title)
    check_size(text, source)
    blanked = without_comments(text)
    start_for = _FOR.search(blanked)
    if start_for is None:
        lonely = re.search(r"\bfor\b", blanked)
        if lonely:
            raise SyntaxProblem(
                "this 'for' is not complete", span=Span(source, lonely.start(), lonely.end()),
                hint="Write 'k for k in range(n)' or 'k for k in sample(n, p=0.1)'.",
            )  # fmt: skip
        condition_at = _outside(blanked, 0)
        stop = len(text) if condition_at is None else condition_at.start()
        return Generator(parse_span(source, 0, stop, "the index"), condition=_condition(source, condition_at))
    if not blanked[: start_for.start()].strip():
        raise SyntaxProblem(
            "there is no index before 'for'", span=Span(source, start_for.start(), start_for.start() + 3),
            hint="Write what to connect to first, as in 'k for k in range(10)'.",
        )  # fmt: skip
    element = parse_span(source, 0, start_for.start(), "the index")
    name = normal_name(start_for.group(1))
    name_span = Span(source, *start_for.span(1))
    check_name(name, name_span)
    if keyword.iskeyword(name):
        raise SyntaxProblem(
            f"'{name}' is a word of Python and cannot be a name", span=name_span, hint="Choose another name."
        )
    condition_at = _outside(blanked, start_for.end())
    stop = len(text) if condition_at is None else condition_at.start()
    again = _FOR.search(blanked, start_for.end())
    if again is not None:
        raise SyntaxProblem(
            "there is a second 'for'", span=Span(source, again.start(), again.start() + 3),
            hint="One variable runs over one range; compute two indices from it with // and %.",
        )  # fmt: skip
    condition = _condition(source, condition_at)
    return Generator(element, name, condition=condition, **_iterable(source, blanked, start_for.end(), stop))


def _outside(text: str, start: int) -> re.Match[str] | None:
    """The first `if` outside brackets."""
    depth = 0
    for found in re.compile(r"[()]|\bif\b").finditer(text, start):
        if found.group() == "if":
            if depth == 0:
                return found
        else:
            depth += 1 if found.group() == "(" else -1
    return None


def _condition(source: Source, match: re.Match[str] | None) -> Expr | None:
    return None if match is None else parse_span(source, match.end(), len(source.text), "the condition")


def _iterable(source: Source, blanked: str, start: int, stop: int) -> dict[str, Any]:
    """The fields of a `Generator` that `range(...)` or `sample(...)` gives."""
    text = blanked[start:stop]
    trouble = unbalanced(text)
    if trouble is not None:
        at, message, hint = trouble
        raise SyntaxProblem(message, span=Span(source, start + at, start + at + 1), hint=hint)
    found = re.match(r"\s*(\w+)\s*\(", text)
    end = len(text.rstrip())
    begin = min(len(text) - len(text.lstrip()), max(0, end - 1))
    whole = Span(source, start + begin, max(start + end, start + begin + 1))
    if found is None or found.group(1) not in ("range", "sample") or text[end - 1] != ")":
        raise SyntaxProblem(
            "the variable can run over range(...) or sample(...) only", span=whole,
            hint="Write 'for k in range(10)', 'for k in range(a, b, step)' "
            "or 'for k in sample(N_post, p=0.1)'.",
        )  # fmt: skip
    kind = found.group(1)
    positional: list[Expr] = []
    keywords: dict[str, Expr] = {}
    for begin, finish in _arguments(text, found.end(), end - 1):
        named = re.match(r"\s*([^\W\d]\w*)\s*=(?!=)", text[begin:finish])
        if named is None:
            positional.append(parse_span(source, start + begin, start + finish, "the argument"))
            continue
        name = named.group(1)
        span = Span(source, start + begin + named.start(1), start + begin + named.end(1))
        if kind == "range" or name not in ("p", "size"):
            raise SyntaxProblem(
                f"{kind} has no argument '{name}'", span=span,
                hint="Write sample(n, p=0.1) for a random choice, and bounds without names.",
            )  # fmt: skip
        if name in keywords:
            raise SyntaxProblem(f"'{name}' stands here twice", span=span, hint="Delete one of them.")
        keywords[name] = parse_span(
            source, start + begin + named.end(), start + finish, f"the value of '{name}'"
        )
    if not 1 <= len(positional) <= 3:
        raise SyntaxProblem(
            f"{kind} takes one to three bounds, but gets {len(positional) or 'none'}", span=whole,
            hint=f"Write {kind}(stop), {kind}(start, stop) or {kind}(start, stop, step)"
            + (", with p=... or size=... behind." if kind == "sample" else "."),
        )  # fmt: skip
    if kind == "sample" and len(keywords) != 1:
        raise SyntaxProblem(
            "sample needs either p=... or size=...", span=whole,
            hint="Write sample(N_post, p=0.1) for a chance, sample(N_post, size=5) for a number of elements.",
        )  # fmt: skip
    start_at, stop_at, step = {1: (None, 0, None), 2: (0, 1, None), 3: (0, 1, 2)}[len(positional)]
    return {
        "source": kind,
        "start": None if start_at is None else positional[start_at],
        "stop": positional[stop_at],
        "step": None if step is None else positional[step],
        "probability": keywords.get("p"),
        "size": keywords.get("size"),
    }


def _arguments(text: str, start: int, stop: int) -> list[tuple[int, int]]:
    """The arguments between brackets, split at commas outside inner brackets."""
    parts, depth, begin = [], 0, start
    for position in range(start, stop):
        character = text[position]
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append((begin, position))
            begin = position + 1
    if text[begin:stop].strip() or parts:
        parts.append((begin, stop))
    return parts
