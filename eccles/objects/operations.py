"""Python functions that are called while a network runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from eccles.engine.clock import Clock
from eccles.engine.program import Block, Outcome
from eccles.objects.group import SimulationObject
from eccles.units import Quantity

__all__ = ["NetworkOperation", "network_operation"]


class NetworkOperation(SimulationObject):
    """A function called at every step of a clock.

    Parameters
    ----------
    function : callable
        Takes no argument, or the time. It may read and write variables and call `stop()`.
    dt, clock : optional
        How often; the default clock otherwise.
    when, order : optional
        The slot of the schedule (`'start'`) and the order within it.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        dt: Quantity | None = None,
        clock: Clock | None = None,
        when: str = "start",
        order: int = 0,
        name: str = "networkoperation*",
    ) -> None:
        super().__init__(name, clock, dt, when, order)
        self.function = function
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            raise TypeError(f"a network operation has to be a function, not {function!r}") from None
        required = [
            p
            for p in parameters
            if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        if len(required) > 1:
            called = getattr(function, "__name__", function)
            raise TypeError(
                f"a network operation takes no argument or the time, but {called!r} takes {len(required)}"
            )
        self._takes_time = bool(required)

    def _call(self) -> None:
        if self._takes_time:
            self.function(self.clock.t)
        else:
            self.function()

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        outcome = Outcome(self.name, self._call)
        return [Block(self.name, self.clock, self.when, self.order, lambda b: b.leave(outcome))]


def network_operation(*args: Any, **kwargs: Any) -> Any:
    """Make a function a `NetworkOperation`: `@network_operation` or `@network_operation(dt=1*ms)`."""
    if len(args) == 1 and callable(args[0]) and not kwargs:
        return NetworkOperation(args[0])
    if args:
        raise TypeError("network_operation takes keyword arguments: @network_operation(dt=...)")
    return lambda function: NetworkOperation(function, **kwargs)
