"""When mistakes are reported: at once, or at `run()` in the face that finds them then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from eccles.errors import EcclesError, raise_together

if TYPE_CHECKING:
    from eccles.language.check import Symbol
    from eccles.objects.group import Group

__all__ = ["Deferring", "GroupScope", "Problems", "collecting"]


class Deferring:
    """A context whose errors are kept for `run()` if the group's face checks there."""

    def __init__(self, group: Group) -> None:
        self._group = group

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, EcclesError) and self._group.semantics.check == "run":
            self._group.deferred_errors.append(error)
            return True
        return False


class Problems:
    """Errors of several checks, to be raised together."""

    def __init__(self) -> None:
        self.errors: list[EcclesError] = []

    def run(self, check: Callable[[], object]) -> None:
        """Run one check and keep its error."""
        try:
            check()
        except EcclesError as error:
            self.errors.append(error)


@contextmanager
def collecting() -> Iterator[Problems]:
    """Collect the errors of several checks; raise the only one, or one that lists all."""
    problems = Problems()
    yield problems
    raise_together(problems.errors)


class GroupScope:
    """The names of a group as the language's checks want them."""

    def __init__(self, group: Group) -> None:
        self._group = group

    def symbol(self, name: str) -> Symbol | None:
        """The dimension and type of a name."""
        return self._group.full_symbol(name)

    def function(self, name: str) -> Any:
        """What a call of this name calls."""
        return self._group.function(name)

    def known_names(self) -> Iterable[str]:
        """Names for suggestions."""
        return self._group.known_names()
