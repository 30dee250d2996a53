"""Figures of protocols: presynaptic spikes up, postsynaptic ones down, over time.

Where spikes are too near to be told apart, rows below show what is within: the first train, then the first
burst, then the first pair. What belongs together is found in the intervals: where they fall into short and
long ones, with nothing between, the long ones separate groups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import Locator

    from eccles.lab.protocols.protocol import Protocol

__all__ = ["draw"]

NARROW = 1 / 100  # of a row: spikes nearer than that are not told apart
JUMP = 1.8  # from one interval to the next longer one, where groups are separated
SHOWN = 8  # spikes of a long train without groups in it, or groups if there are very many
FEW = 4  # groups that are shown together if their spikes are far enough apart
MOST_ROWS = 4

Window = tuple[float, float]


def draw(protocol: Protocol, ax: Axes | None = None) -> Axes:
    """Draw a protocol.

    Parameters
    ----------
    protocol : Protocol
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    Axes
        The one drawn into. If the protocol needs several rows, these are `ax.child_axes`, the whole
        protocol first.
    """
    pre, post = np.asarray(protocol.pre, float), np.asarray(protocol.post, float)
    windows = _windows(np.union1d(pre, post), float(protocol.duration))
    if ax is None:
        from matplotlib import pyplot

        _, ax = pyplot.subplots(figsize=(7, 0.7 + 1.1 * len(windows)), layout="constrained")
    if len(windows) == 1:
        rows = [ax]
    else:
        ax.set_axis_off()
        height = 1 / (len(windows) - 0.45)  # a row and what is below it: its time axis, and lines to the next
        rows = [
            ax.inset_axes((0, 1 - 0.55 * height - k * height, 1, 0.55 * height)) for k in range(len(windows))
        ]
    for row, window in zip(rows, windows, strict=True):
        _row(row, pre, post, window)
    for row, below, window in zip(rows, rows[1:], windows[1:], strict=False):
        _enlarge(row, below, window)
    ax.set_title(protocol.name)
    return ax


def _windows(times: np.ndarray, duration: float) -> list[Window]:
    """What each row shows: everything, and then what is within."""
    margin = 0.02 * (duration or 1e-3)
    windows = [(-margin, duration + margin)]
    while len(windows) < MOST_ROWS and len(times) > 1:
        start, end = windows[-1]
        gaps = np.diff(times)
        if gaps.min() >= NARROW * (end - start):
            break
        n = _first_group(gaps, NARROW * (end - start))
        next_gap = gaps[n - 1] if n < len(times) else np.inf
        times = times[:n]
        margin = min(0.15 * (times[-1] - times[0]), 0.5 * next_gap)
        if 2 * (times[-1] - times[0] + 2 * margin) > end - start:
            break  # that would show hardly more
        windows.append((times[0] - margin, times[-1] + margin))
    return windows


def _first_group(gaps: np.ndarray, narrow: float) -> int:
    """How many spikes the next row shows: the first group, or some; of intervals between spikes."""
    lengths = np.sort(gaps)
    jumps = np.flatnonzero(lengths[1:] > JUMP * lengths[:-1])
    jumps = jumps[2 * (jumps + 1) >= len(gaps)]  # groups have two spikes or more: most intervals are within
    if not len(jumps):
        return min(SHOWN, len(gaps) + 1)
    within = lengths[jumps[-1]]  # the longest interval within groups of the largest kind
    ends = np.flatnonzero(gaps > within)
    some = ends[min(SHOWN, len(ends)) - 1] + 1  # spikes of the first few groups
    if gaps[ends].min() < narrow:
        return int(some)  # groups could not be told apart either
    few = ends[min(FEW, len(ends)) - 1] + 1
    length = gaps[:few].sum()
    return int(few if gaps[:few].min() >= 4 * NARROW * length else ends[0] + 1)


def _row(ax: Axes, pre: np.ndarray, post: np.ndarray, window: Window) -> None:
    start, end = window
    size, unit = (60.0, "min") if end - start > 300 else (1.0, "s") if end - start > 2 else (1e-3, "ms")
    ax.axhline(0, color="0.3", linewidth=0.8)
    for times, low, high, color in ((pre, 0, 1, "C0"), (post, -1, 0, "C3")):
        shown = times[(times >= start) & (times <= end)]
        ax.vlines(shown, low, high, color=color, linewidth=1.2 if len(shown) < 100 else 0.7)
    ax.set(xlim=(start, end), ylim=(-1.2 if len(post) else -0.2, 1.2), xlabel=f"time ({unit})")
    ax.set_yticks([0.5, -0.5] if len(post) else [0.5], ["pre", "post"] if len(post) else ["pre"])
    ax.tick_params(left=False)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.xaxis.set_major_formatter(lambda x, _: f"{round(x / size, 9):g}")
    ax.xaxis.set_major_locator(_ticks(size))


def _enlarge(above: Axes, below: Axes, window: Window) -> None:
    """Show what part of a row the next one is."""
    from matplotlib.patches import ConnectionPatch

    above.axvspan(*window, color="0.85", zorder=0)
    for x, corner in zip(window, (0, 1), strict=True):
        below.add_artist(
            ConnectionPatch(
                (x, 0), (corner, 1), above.get_xaxis_transform(), below.transAxes,
                color="0.7", linewidth=0.8, clip_on=False,
            )
        )  # fmt: skip


def _ticks(size: float) -> Locator:
    """Ticks at round numbers of the unit."""
    from matplotlib.ticker import MaxNLocator

    class Round(MaxNLocator):
        def tick_values(self, vmin: float, vmax: float) -> list[float]:
            return [tick * size for tick in super().tick_values(vmin / size, vmax / size)]

    return Round(7, steps=[1, 2, 5, 10])
