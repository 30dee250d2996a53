"""What a protocol is: when both neurons of a synapse are made to spike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.errors import SetupError
from eccles.lab import checked
from eccles.units import Quantity, second

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Protocol", "with_gap"]


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
            times = checked.train(getattr(self, side), f"{side}synaptic spikes of '{self.name}'")
            object.__setattr__(self, side, Quantity(times, dim=second.dim))
        length = checked.span(self.duration, f"the duration of '{self.name}'", zero=True)
        if self._last() > length:
            raise SetupError(
                f"the protocol '{self.name}' takes {self.duration}, "
                f"but its last spike comes at {self._last():g} s"
            )

    def _last(self) -> float:
        """When the last spike comes, in seconds."""
        return max((float(t[-1]) for t in (self.pre, self.post) if len(t)), default=0.0)

    def __str__(self) -> str:
        """What is done, in words."""
        counts = f"{len(self.pre)} pre and {len(self.post)} post spikes in {self.duration}"
        return f"{self.name}: {self.description or counts}" + (f" ({self.source})" if self.source else "")

    def after(self, pause: Any) -> Protocol:
        """The same after a pause."""
        late = checked.span(pause, "the pause", zero=True) * second
        return replace(self, pre=self.pre + late, post=self.post + late, duration=self.duration + late)

    def then(self, other: Protocol, *, pause: Any = 0 * second, name: str | None = None) -> Protocol:
        """Both protocols, one after the other, with a pause between them."""
        late = other.after((float(self.duration) + checked.span(pause, "the pause", zero=True)) * second)
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
        number = checked.count(n, "how often a protocol is done")
        apart = checked.span(interval, "the interval")
        if number > 1 and self._last() >= apart:
            raise SetupError(
                f"the last spike of '{self.name}' comes at {self._last():g} s: "
                f"it cannot be done every {interval}"
            )
        onsets = np.arange(number) * apart
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
        pre, post = with_gap(np.asarray(self.pre), lag)
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


def with_gap(onsets: np.ndarray, lag: float) -> tuple[Quantity, Quantity]:
    """Pre- and postsynaptic spikes of pairs: the first at each onset (s), the other `lag` (s) from it.

    The postsynaptic spike comes second, first where `lag` is negative.
    """
    pre, post = (Quantity(onsets + max(shift, 0.0), dim=second.dim) for shift in (-lag, lag))
    return pre, post
