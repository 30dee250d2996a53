"""What `eccles beats` prints: a table of rates, one of weights, and how to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from eccles.lab.beats_grid import time_text

if TYPE_CHECKING:
    from eccles.lab.beats import Beats, Coincidence

__all__ = ["notes", "rates_table", "weights_table"]

CHANGED = 1e-6  # a rate that is off by more than this part is shown in colour
FIRST: dict[Coincidence, str] = {"pre_first": "pre", "post_first": "post"}


def rates_table(result: Beats, others: Beats | None = None) -> Table:
    """Rates and beats: asked for, obtained, and obtained on the grid if that was simulated too.

    Below a line those of other pairs, simulated in the same way.
    """
    table = _table(
        f"Rates in Hz, {time_text(float(result.duration))} at a time step of {time_text(float(result.dt))}"
    )
    blocks = ["asked", "exact" if result.spike_times == "precise" else "obtained"]
    if result.grid is not None:
        blocks.append("grid")
    for block in blocks:
        table.add_column()  # sets the blocks apart
        table.add_column("\npre", justify="right", no_wrap=True)
        table.add_column(f"{block}\npost", justify="right", no_wrap=True)
        table.add_column("\nbeat", justify="right", no_wrap=True)
    _add_rates(table, result, numbered=True)
    if others is not None:
        table.add_section()
        _add_rates(table, others, numbered=False)
    return table


def _add_rates(table: Table, result: Beats, *, numbered: bool) -> None:
    asked = [np.asarray(rates) for rates in (result.pre_rate, result.post_rate, result.beat)]
    blocks = [asked, _obtained(result)]
    if result.grid is not None:
        blocks.append(_obtained(result.grid))
    for pair in range(len(result)):
        cells: list[str | Text] = [str(pair + 1) if numbered else ""]
        for block in blocks:
            cells.append("")
            cells += [_rate(rates[pair], wanted[pair]) for rates, wanted in zip(block, asked, strict=True)]
        table.add_row(*cells)


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
        columns += [("\n5 %", _weights(low)), ("random\nmedian", _weights(median)),
                    ("\n95 %", _weights(high))]  # fmt: skip
    if result.grid is not None:
        columns.append(("\ngrid", _weights(result.grid.final_weights)))
    for heading, _ in columns:
        table.add_column(heading, justify="right", no_wrap=True)
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
            f"Random: quantiles over {len(result.random_phases)} random phases at the start, uniform, "
            "the same for all pairs."
        )
    if result.grid is not None:
        lines.append(
            "Grid: what becomes of it where spikes can only come at multiples of the time step; "
            "--spike-times grid explains."
        )
    lines.append("Obtained rate: (n - 1)/(t_last - t_first), for n spikes: whole intervals only.")
    return Text("\n".join(lines))


def _table(title: str) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    table.add_column("\npair", justify="right", no_wrap=True)
    return table


def _obtained(result: Beats) -> list[np.ndarray]:
    obtained = (result.pre_rate_obtained, result.post_rate_obtained, result.beat_obtained)
    return [np.asarray(rates) for rates in obtained]


def _rate(value: float, asked: float) -> Text:
    """A rate for the table, in colour where it is not what was asked for."""
    if value != value:
        return Text("-")
    return Text(f"{value:.5g}", style="" if abs(value - asked) <= CHANGED * asked else "yellow")


def _weights(values: np.ndarray, mark: str = "") -> list[str]:
    return [f"{value:.3f}{' ' * len(mark)}" for value in values]
