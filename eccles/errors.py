"""Errors that point into the user's own text.

Every error answers three questions: what happened, where, and what to do. The class says who
acts: `ModelError` (the model's text is wrong), `SetupError` (objects are put together wrongly),
`RunError` (something happened while simulating), `InternalError` (a bug in Eccles). Facts are
attributes (`err.span`, `err.hint`), so that tests and tools need not parse prose.
"""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

__all__ = [
    "DimensionMismatchError",
    "EcclesError",
    "EcclesWarning",
    "EquationError",
    "InternalError",
    "ModelError",
    "NameResolutionError",
    "RunError",
    "SetupError",
    "Source",
    "Span",
    "SyntaxProblem",
    "TypeProblem",
    "UnitError",
    "forget_warnings",
    "nearest",
    "note",
    "raise_together",
    "silence",
    "unheard",
    "warn",
]


@dataclass(frozen=True, slots=True)
class Source:
    """A piece of model text as the user wrote it, with a title such as "neurongroup, equations"."""

    text: str
    title: str = "model"


@dataclass(frozen=True, slots=True)
class Span:
    """The characters [start, stop) of a `Source`."""

    source: Source
    start: int
    stop: int

    def join(self, other: Span) -> Span:
        """The smallest span of the same source that covers both."""
        return Span(self.source, min(self.start, other.start), max(self.stop, other.stop))

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.stop]

    @property
    def line(self) -> int:
        """The 1-based line on which the span starts."""
        return self.source.text.count("\n", 0, self.start) + 1

    def render(self) -> str:
        """The line of text with the span underlined: `^` alone, `~~~` for more characters."""
        text = self.source.text
        begin = text.rfind("\n", 0, self.start) + 1
        end = text.find("\n", self.start)
        end = len(text) if end < 0 else end
        # what cannot be seen, or would turn the line around, becomes a blank: the mark stays where it belongs
        line = "".join(c if c.isprintable() else " " for c in text[begin:end])
        stripped = line.lstrip()
        offset = self.start - begin - (len(line) - len(stripped))
        width = max(1, min(self.stop, end) - self.start)
        mark = "^" if width == 1 else "~" * width
        where = f"{self.source.title}, line {self.line}" if "\n" in text else self.source.title
        if len(stripped) > 160:  # hostile or generated text: show the neighbourhood only
            cut = max(0, offset - 60)
            stripped, offset = stripped[cut : cut + 160], offset - cut
            mark = mark[: max(1, 160 - offset)]
        return f"  {where}\n    {stripped}\n    {' ' * max(offset, 0)}{mark}"


class EcclesError(Exception):
    """What all errors of Eccles share: a message, a place in the user's text and a hint.

    Parameters
    ----------
    message : str
        What happened, in one sentence.
    span : Span, optional
        The smallest wrong part of the user's text.
    hint : str, optional
        What to do about it.
    """

    def __init__(self, message: str, *, span: Span | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint
        self.argument: int | None = None  # which argument of a call is wrong, for who knows its span
        self.errors: tuple[EcclesError, ...] = ()  # what `raise_together` put into one

    def __str__(self) -> str:
        parts = [self.message]
        if self.span is not None:
            parts.append(self.span.render())
        if self.hint:
            parts.append("\n".join(f"  {line}" for line in self.hint.splitlines()))
        return "\n\n".join(parts)


class ModelError(EcclesError):
    """The text of a model is wrong."""


class SyntaxProblem(ModelError, SyntaxError):
    """The text cannot be read. Also a `SyntaxError`, as scripts written for Brian 2 expect."""

    def __str__(self) -> str:  # SyntaxError has a __str__ of its own
        return EcclesError.__str__(self)

    @property
    def msg(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What Python 3.13 and later show of a syntax error that nobody caught."""
        return str(self)


class EquationError(ModelError, ValueError):
    """An equation is malformed or stands where it may not."""


class NameResolutionError(ModelError, KeyError):
    """A name in the model means nothing. Also a `KeyError`."""

    def __str__(self) -> str:  # KeyError would show the repr of the message
        return EcclesError.__str__(self)


class TypeProblem(ModelError, TypeError):
    """A truth value where a number is needed, or the reverse. Also a `TypeError`."""


class UnitError(ModelError):
    """Two dimensions do not fit together in the model's text."""


class DimensionMismatchError(UnitError):
    """Two quantities do not have the dimensions an operation needs.

    Parameters
    ----------
    message : str
        What was attempted.
    *dims : Dimension
        The dimensions involved, for programs that handle the error.
    """

    def __init__(
        self, message: str, *dims: object, span: Span | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, span=span, hint=hint)
        self.dims = dims


class SetupError(EcclesError, ValueError):
    """Objects are put together in a way that cannot work."""


class RunError(EcclesError, RuntimeError):
    """Something happened while simulating."""


class InternalError(EcclesError):
    """A bug in Eccles."""

    def __str__(self) -> str:
        return f"{super().__str__()}\n\n  This is a bug in Eccles; please report it with the script."


MAX_SHOWN = 10  # errors in one message
MAX_ERRORS = 100  # errors in one text after which it is not read on


def raise_together(errors: Sequence[EcclesError]) -> None:
    """Raise an error if there is one; several as one error that shows all, of the class of the first."""
    errors = [part for error in errors for part in error.errors or (error,)]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        kind = type(errors[0])  # so that who catches one kind need not know how many there are
        more = " or more" if len(errors) >= MAX_ERRORS else ""
        shown = f" (the first {MAX_SHOWN})" if len(errors) > MAX_SHOWN else ""
        texts = [str(error) for error in errors[:MAX_SHOWN]]
        together = kind(f"{len(errors)}{more} problems{shown}:\n\n" + "\n\n".join(texts))
        together.errors = tuple(errors)
        raise together


class EcclesWarning(UserWarning):
    """A warning with a name (`warning.name`) by which it can be silenced."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{message} [{name}]")
        self.name = name
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        return (EcclesWarning, (self.name, self.message))


_silenced: set[str] = set()
_shown: set[tuple[str, str, int]] = set()
_local = threading.local()  # `unheard`: whether warnings are not shown now


def silence(*names: str) -> None:
    """Stop showing the warnings and notes of these names; `silence()` without names shows all again."""
    if not names:
        _silenced.clear()
    _silenced.update(names)


@contextmanager
def unheard() -> Iterator[None]:
    """Within, and in this thread only, no warnings and notes are shown."""
    before = getattr(_local, "unheard", False)
    _local.unheard = True
    try:
        yield
    finally:
        _local.unheard = before


def warn(name: str, message: str) -> None:
    """Show a named warning unless the user has silenced it; once for each line of the script.

    The warning points to the line of the script that led to it, not into Eccles.
    """
    place = _new_place(name)
    if place is not None:
        warnings.warn_explicit(EcclesWarning(name, message), None, *place)


def note(name: str, message: str) -> None:
    """Write a line to stderr unless the user has silenced it; once for each line of the script.

    For what is worth knowing although nothing is wrong: where warnings are errors, a note is none.
    """
    if _new_place(name) is not None:
        print(f"eccles: {message} [{name}]", file=sys.stderr)


def _new_place(name: str) -> tuple[str, int] | None:
    """The line of the script; None if it has been told this, or the user has silenced it."""
    if name in _silenced or getattr(_local, "unheard", False):
        return None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("eccles."):
        frame = frame.f_back
    filename, line = ("", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)
    if (name, filename, line) in _shown:
        return None
    _shown.add((name, filename, line))
    return filename, line


def forget_warnings() -> None:
    """Show warnings and notes again that were shown already."""
    _shown.clear()


def nearest(name: str, known: Iterable[str], *, likeness: float = 0.7) -> str | None:
    """The known name most like `name`, if any is like enough (1 is equal) to be what was meant."""
    import difflib  # here: most scripts are right

    known = list(known)
    in_another_case = [k for k in known if k.lower() == name.lower()]
    if in_another_case:
        return max(in_another_case, key=lambda k: (sum(a == b for a, b in zip(k, name, strict=True)), k))
    found = difflib.get_close_matches(name, known, n=1, cutoff=likeness)
    return found[0] if found else None
