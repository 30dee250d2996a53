"""What a study gave, in the terminal: findings, table and notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from eccles.lab.experiments import Outcome

__all__ = ["print_outcome"]

GAP = 2  # between columns of a table
HEADING = 10  # characters in a line of a heading, if its words are no longer
DIGITS = 4  # of numbers in a terminal; files have all


def print_outcome(outcome: Outcome) -> None:
    """Findings, table and notes."""
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for finding in outcome.findings:
        console.print(Text(f"  {finding}"))
    if outcome.table:
        for table in _tables(outcome.table, console.width):
            console.print(table)
    for note in outcome.notes:
        console.print(Text(f"* {note}"))


def _tables(table: Mapping[str, Sequence[Any]], width: int) -> Iterator[Table]:
    """The table; where it is too wide, in parts that each begin with the first column."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from eccles.lab.report import shown

    cells = {name: [shown(value, DIGITS) for value in values] for name, values in table.items()}
    # headings are broken into lines between words, and values not at all
    widths = {
        name: max(min(len(name), HEADING), *map(len, [*name.split(), *texts]))
        for name, texts in cells.items()
    }
    for names in _that_fit(widths, width):
        part = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        for name in names:
            is_text = any(isinstance(value, str) for value in table[name])
            part.add_column(Text(name), justify="left" if is_text else "right", width=widths[name])
        for row in zip(*(cells[name] for name in names), strict=True):
            part.add_row(*map(Text, row))
        yield part


def _that_fit(widths: Mapping[str, int], width: int) -> Iterator[list[str]]:
    """Names of columns in groups that fit side by side; the first one is in all of them."""
    first, *others = widths
    group, used = [first], widths[first] + GAP
    for name in others:
        if used + widths[name] + GAP > width and len(group) > 1:
            yield group
            group, used = [first], widths[first] + GAP
        group.append(name)
        used += widths[name] + GAP
    yield group
