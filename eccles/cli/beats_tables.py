"""What `eccles beats` prints: a table of rates, one of weights, and how to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from eccles.lab.beats import time_text

if TYPE_CHECKING:
    from eccles.lab.beats import Beats, Coincidence

__all__ = ["notes", "rates_table", "weights_table"]

CHANGED = 1e-6  # a rate that is off by more than this part is shown in colour
FIRST: dict[Coincidence, str] = {"pre_first": "pre", "post_first": "post"}


def rates_table(result: Beats, title: str = "Rates in Hz") -> Table:
    """Rates and beats: asked for, obtained, and obtained on the grid if that was simulated too."""
    length, step = time_text(float(result.duration)), time_text(float(result.dt))
    blocks = [("asked", (result.pre_rate, result.post_rate, result.beat)), (_how(result), _obtained(result))]
    if result.grid is not None:
        blocks.append((f"grid of {step}", _obtained(result.grid)))
    table = _table(f"{title}, {length} at a time step of {step}")
    for name, _ in blocks:
        for side in ("pre", "post", "beat"):
            table.add_column(Text(f"{name if side == 'post' else ''}\n{side}"), justify="right")
    asked = blocks[0][1]
    for pair in range(len(result)):
        cells = [
            _rate(float(values[pair]), float(wanted[pair]))
            for _, block in blocks
            for values, wanted in zip(block, asked, strict=True)
        ]
        table.add_row(str(pair + 1), *cells)
    return table


def weights_table(result: Beats) -> Table:
    """Weights at the end: in either order of spikes that coincide, for random phases, and on the grid."""
    table = _table("Weights at the end")
    columns: list[tuple[str, list[str]]] = [
        ("\npre", [f"{float(rate):.5g}" for rate in result.pre_rate]),
        ("\npost", [f"{float(rate):.5g}" for rate in result.post_rate]),
        ("spikes\nat once", [str(number) for number in result.coincidences]),
    ]
    for order, side in FIRST.items():
        star = " *" if order == result.coincidence else ""
        columns.append((f"{side}\nfirst{star}", _weights(result.final_weights_if(order), star)))
    if len(result.random_phases):
        low, median, high = result.spread()
        columns.append(("random phases\nmedian", _weights(median)))
        spans = zip(_weights(low), _weights(high), strict=True)
        columns.append(("\n5 to 95 %", [f"{a} to {b}" for a, b in spans]))
    if result.grid is not None:
        columns.append((f"grid of\n{time_text(float(result.dt))}", _weights(result.grid.final_weights)))
    for heading, _ in columns:
        table.add_column(heading, justify="right")
    for pair, row in enumerate(zip(*(cells for _, cells in columns), strict=True), 1):
        table.add_row(str(pair), *row)
    return table


def notes(result: Beats) -> Text:
    """How to read the tables."""
    first = FIRST[result.coincidence]
    lines = [
        f"* Where both neurons of a pair spike at once, this run handles the {first} spike first."
        " --coincidence chooses."
    ]
    if len(result.random_phases):
        lines.append(
            f"Random phases: {len(result.random_phases)} pairs of phases at the start instead of those of the "
            "table, uniform, the same for all pairs."
        )
    lines.append("Obtained rate: (n - 1)/(t_last - t_first), for n spikes: whole intervals only.")
    return Text("\n".join(lines))


def _table(title: str) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("\npair", justify="right")
    return table


def _how(result: Beats) -> str:
    return "exact" if result.spike_times == "precise" else "obtained"


def _obtained(result: Beats) -> tuple[np.ndarray, ...]:
    return tuple(
        np.asarray(rates, dtype=float)
        for rates in (result.pre_rate_obtained, result.post_rate_obtained, result.beat_obtained)
    )


def _rate(value: float, asked: float) -> Text:
    """A rate for the table, in colour where it is not what was asked for."""
    if value != value:
        return Text("-")
    return Text(f"{value:.5g}", style="" if abs(value - asked) <= CHANGED * asked else "yellow")


def _weights(values: np.ndarray, mark: str = "") -> list[str]:
    return [f"{value:.3f}{' ' * len(mark)}" for value in values]
