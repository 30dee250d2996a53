"""What a protocol is: when both neurons of a synapse are made to spike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.engine.clock import to_seconds
from eccles.errors import SetupError
from eccles.lab import checked
from eccles.units import Quantity, get_dimensions, second

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Protocol", "spike_times"]


def spike_times(times: Any, what: str = "spike times") -> Quantity:
    """A spike train: times in order, (n,).

    Raises
    ------
    SetupError
        If there are no times in it, or times that are not finite or negative, or the same time twice.
    """
    if np.size(times) and get_dimensions(times) is not second.dim:
        raise SetupError(f"{what} need a unit of time, as in [10, 30]*ms, not {times!r}")
    train = np.sort(np.asarray(times, float).reshape(-1))
    if not np.all(np.isfinite(train)) or np.any(train < 0):
        raise SetupError(f"{what} have to be finite and not negative")
    if np.any(np.diff(train) == 0):
        raise SetupError(f"a neuron cannot spike twice at the same time: {what} have the same time twice")
    return Quantity(train, dim=second.dim)


@dataclass(frozen=True, eq=False)
class Protocol:
    """When the pre- and the postsynaptic neuron of a synapse are made to spike.

    Parameters
    ----------
    name : str
    pre, post : (n,), time
        Spike trains, exact, from the start of the protocol on.
    duration : time
        How long it takes, with what has to pass after the last spike.
    description : str
        In words, with the numbers: what a methods section would say.
    source : str
        Where it is from, if it is a published one.
    """

    name: str
    pre: Quantity
    post: Quantity
    duration: Quantity
    description: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        for side in ("pre", "post"):
            object.__setattr__(self, side, spike_times(getattr(self, side), f"{side} of '{self.name}'"))
        length = to_seconds(self.duration, f"the duration of '{self.name}'")
        last = max((float(t[-1]) for t in (self.pre, self.post) if len(t)), default=0.0)
        if not last <= length < np.inf:
            raise SetupError(
                f"the protocol '{self.name}' takes {self.duration}, but its last spike comes at {last:g} s"
            )

    def __str__(self) -> str:
        """What is done, in words."""
        counts = f"{len(self.pre)} pre and {len(self.post)} post spikes in {self.duration}"
        return f"{self.name}: {self.description or counts}" + (f" ({self.source})" if self.source else "")

    def after(self, pause: Any) -> Protocol:
        """The same after a pause."""
        return replace(
            self, pre=self.pre + pause, post=self.post + pause, duration=self.duration + pause
        )  # fmt: skip

    def then(self, other: Protocol, *, pause: Any = 0 * second, name: str | None = None) -> Protocol:
        """Both protocols, one after the other, with a pause between them."""
        late = other.after(self.duration + pause)
        return Protocol(
            name or f"{self.name}, {other.name}",
            Quantity(np.concatenate([self.pre, late.pre]), dim=second.dim),
            Quantity(np.concatenate([self.post, late.post]), dim=second.dim),
            late.duration,
            "; then ".join(part.description for part in (self, other) if part.description),
            "; ".join(dict.fromkeys(part.source for part in (self, other) if part.source)),
        )

    def repeated(self, n: int, interval: Any) -> Protocol:
        """Again and again, `n` times in all, `interval` from start to start."""
        if n < 1:
            raise SetupError(f"a protocol can be done once or more often, not {n} times")
        onsets = np.arange(n) * to_seconds(interval, "the interval")
        pre, post = (np.add.outer(onsets, np.asarray(t)).reshape(-1) for t in (self.pre, self.post))
        return replace(
            self,
            pre=Quantity(pre, dim=second.dim),
            post=Quantity(post, dim=second.dim),
            duration=Quantity(onsets[-1] + float(self.duration), dim=second.dim),
            description=f"{self.description or self.name}, {n} times every {interval}",
        )

    def paired(self, gap: Any) -> Protocol:
        """The same with a postsynaptic spike `gap` after (before, if negative) every presynaptic spike."""
        lag = checked.time(gap, "the gap")
        if len(self.post):
            raise SetupError(f"the protocol '{self.name}' says already when the postsynaptic neuron spikes")
        pre, post = (Quantity(self.pre + max(s, 0.0) * second, dim=second.dim) for s in (-lag, lag))
        return replace(
            self,
            pre=pre,
            post=post,
            duration=self.duration + abs(lag) * second,
            description=f"{self.description or self.name}; a post spike {gap} after each",
        )

    def draw(self, ax: Axes | None = None) -> Axes:
        """Draw it: presynaptic spikes up, postsynaptic ones down; see `eccles.lab.protocols.drawing`."""
        from eccles.lab.protocols.drawing import draw

        return draw(self, ax)
